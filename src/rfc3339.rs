//! Points in time as messages and reports write them (RFC 3339). One that this form cannot write, of a year above 9999, is
//! written in another rather than not at all.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// `time` with its own offset: `2026-11-23T12:00:00Z`, `2026-11-23T14:00:00+02:00`.
pub fn instant(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// `time` in UTC; with its own offset where that leads out of what can be counted, as at the end of the year 9999.
pub fn instant_in_utc(time: OffsetDateTime) -> String {
    instant(time.checked_to_offset(UtcOffset::UTC).unwrap_or(time))
}

/// `time` in UTC, if RFC 3339 can write it: strangers may state others.
pub fn written_in_utc(time: OffsetDateTime) -> Option<String> {
    time.checked_to_offset(UtcOffset::UTC)?.format(&Rfc3339).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn the_offset_is_kept_or_taken_away() {
        let time = datetime!(2026-11-23 14:00 +02:00);
        assert_eq!(
            (instant(time).as_str(), instant_in_utc(time).as_str()),
            ("2026-11-23T14:00:00+02:00", "2026-11-23T12:00:00Z")
        );
        assert_eq!(written_in_utc(time).as_deref(), Some("2026-11-23T12:00:00Z"));
    }

    #[test]
    fn times_at_the_ends_of_what_can_be_counted_are_written_too() {
        let last = datetime!(9999-12-31 23:59:59 -23:59);
        assert_eq!(instant_in_utc(last), "9999-12-31T23:59:59-23:59");
        assert_eq!(written_in_utc(last), None);
        assert_eq!(written_in_utc(datetime!(-0001-01-01 00:00 UTC)), None);
    }
}

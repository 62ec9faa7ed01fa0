//! Points in time as messages and reports write them (RFC 3339). One that this form cannot write, of a year above 9999, is
//! written in another rather than not at all.

use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

/// `time` with its own offset: `2026-11-23T12:00:00Z`, `2026-11-23T14:00:00+02:00`.
pub fn instant(time: OffsetDateTime) -> String {
    time.format(&Rfc3339).unwrap_or_else(|_| time.to_string())
}

/// `time` in UTC.
pub fn instant_in_utc(time: OffsetDateTime) -> String {
    instant(time.to_offset(UtcOffset::UTC))
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
    }
}

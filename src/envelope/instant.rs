//! Times as envelopes write them.
//!
//! Follows *signature-envelope-jws* (RFC 3339) and *signature-envelope-cose* (CBOR tag 1, seconds since 1970). A
//! fraction is against the specification but unambiguous, so it is accepted with a note. The instant that the reference
//! implementation takes for "no time", the first of January of year 1, is no time here either.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::datetime;

use super::attribute::Value;
use super::format::Format;

const ZERO: OffsetDateTime = datetime!(0001-01-01 00:00 UTC);

/// A time, and whether it was written with a fraction of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant {
    pub(super) at: OffsetDateTime,
    pub(super) fractional: bool,
}

/// Reads an attribute that should be a time. The error says what is wrong with it, behind "the signing time …".
pub(super) fn read(format: Format, value: &Value) -> Result<Instant, &'static str> {
    let instant = match (format, value) {
        (Format::Jws, Value::Text(text)) => rfc3339(text).ok_or("is not a time by RFC 3339 (2026-01-31T23:59:59Z)")?,
        (Format::Jws, Value::EscapedText) => return Err("is written with escapes, which no time in RFC 3339 needs"),
        (Format::Jws, _) => return Err("is not text"),
        (Format::Cose, Value::Seconds(seconds)) => {
            let seconds = i64::try_from(*seconds).ok();
            let at = seconds.and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok());
            Instant { at: at.ok_or("is out of range")?, fractional: false }
        }
        (Format::Cose, Value::FractionalSeconds(seconds)) => {
            let at = from_float(*seconds).ok_or("is not a finite time in range")?;
            Instant { at, fractional: true }
        }
        (Format::Cose, _) => return Err("is not a number of seconds with CBOR tag 1"),
    };
    if instant.at == ZERO { Err("is the zero time") } else { Ok(instant) }
}

/// Whether `text` is a time by RFC 3339, as strict as [`read`] is.
pub(super) fn is_rfc3339(text: &str) -> bool {
    rfc3339(text).is_some()
}

/// `2026-01-31T23:59:59[.fraction](Z|±hh:mm)`, capital letters only, no leap second.
fn rfc3339(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    let shaped = bytes.get(10) == Some(&b'T') && bytes.get(17..19) != Some(b"60") && !text.ends_with('z');
    if !shaped {
        return None;
    }
    let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
    Some(Instant { at, fractional: bytes.get(19) == Some(&b'.') })
}

fn from_float(seconds: f64) -> Option<OffsetDateTime> {
    // Within this every year has at most five digits, and nanoseconds fit; NaN and the infinities are outside.
    if !(-1e12..1e12).contains(&seconds) {
        return None;
    }
    let whole = seconds.floor();
    let nanoseconds = (whole as i128) * 1_000_000_000 + ((seconds - whole) * 1e9) as i128;
    OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b19_rfc3339_is_exact() {
        let read = |text: &str| read(Format::Jws, &Value::Text(text.to_owned()));
        let plain = Instant { at: datetime!(2026-11-23 00:21:27 UTC), fractional: false };
        assert_eq!(read("2026-11-23T00:21:27Z"), Ok(plain));
        assert_eq!(read("2026-11-23T02:21:27+02:00").map(|instant| instant.at), Ok(plain.at));
        let fraction = Instant { at: datetime!(2026-11-23 00:21:27.25 UTC), fractional: true };
        assert_eq!(read("2026-11-23T00:21:27.25Z"), Ok(fraction));
        for text in [
            "",
            "2026-11-23",
            "2026-11-23T00:21:27",
            "2026-11-23 00:21:27Z",
            "2026-11-23t00:21:27Z",
            "2026-11-23T00:21:27z",
            "2026-11-23T23:59:60Z",
            "2026-12-31T23:59:60Z",
            "10000-01-01T00:00:00Z",
            "+2026-11-23T00:21:27Z",
            "2026-11-23T24:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-11-23T00:21:27,5Z",
            "2026-11-23T00:21:27.Z",
            "2026-11-23T00:21:27Z ",
            " 2026-11-23T00:21:27Z",
            "2026-11-23T00:21:27+0200",
            "2026-11-23T00:21:27+24:00",
            "2026-11-23T00:21:27+25:00",
            "2026-11-23T00:21:27+00:60",
            "2026-11-23T00:21:27-24:00",
            "1669162887",
            "2026-11-23T0:21:27Z",
            "2026-11-23T00:21:27ZZ",
        ] {
            assert!(read(text).is_err(), "{text:?} was taken for a time");
        }
        for value in [Value::Null, Value::Other(None), Value::Seconds(1)] {
            assert!(super::read(Format::Jws, &value).is_err());
        }
    }

    #[test]
    fn b21_the_zero_time_is_no_time() {
        for text in ["0001-01-01T00:00:00Z", "0001-01-01T01:00:00+01:00"] {
            assert_eq!(read(Format::Jws, &Value::Text(text.to_owned())), Err("is the zero time"));
        }
        assert_eq!(read(Format::Cose, &Value::Seconds(-62_135_596_800)), Err("is the zero time"));
        assert_eq!(read(Format::Cose, &Value::FractionalSeconds(-62_135_596_800.0)), Err("is the zero time"));
    }

    #[test]
    fn c16_cose_times_are_tagged_numbers() {
        let read = |value| read(Format::Cose, &value);
        let at = datetime!(2026-11-23 00:21:27 UTC);
        let seconds = at.unix_timestamp();
        assert_eq!(read(Value::Seconds(seconds.into())), Ok(Instant { at, fractional: false }));
        let half = Instant { at: at + time::Duration::milliseconds(500), fractional: true };
        assert_eq!(read(Value::FractionalSeconds(seconds as f64 + 0.5)), Ok(half));
        let before = Instant { at: datetime!(1969-12-31 23:59:59.75 UTC), fractional: true };
        assert_eq!(read(Value::FractionalSeconds(-0.25)), Ok(before));
        for value in [
            Value::Text("2026-11-23T00:21:27Z".to_owned()),
            Value::Null,
            Value::Other(None),
            Value::Seconds(253_402_300_800),
            Value::Seconds(i128::from(u64::MAX)),
            Value::Seconds(-1 - i128::from(u64::MAX)),
            Value::FractionalSeconds(f64::NAN),
            Value::FractionalSeconds(f64::INFINITY),
            Value::FractionalSeconds(f64::NEG_INFINITY),
            Value::FractionalSeconds(1e300),
            Value::FractionalSeconds(253_402_300_800.0),
        ] {
            assert!(read(value.clone()).is_err(), "{value:?} was taken for a time");
        }
    }
}

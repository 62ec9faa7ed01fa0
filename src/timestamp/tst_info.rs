//! What a time stamping authority states: the time, how exact it is, and of what.
//!
//! Follows RFC 3161, section 2.4.2 (`TSTInfo`). The time is read to the nanosecond; one that is not in UTC, has a fraction
//! written in more than one way, or is no time of the calendar is refused, as is an accuracy out of its bounds.

use time::{Date, Duration, Month, OffsetDateTime, Time};
use x509_parser::der_parser::oid;
use x509_parser::der_parser::oid::Oid;

use super::signed_data::{optional, parts};
use super::{children, hash, invalid, malformed, walk};
use crate::digest::{Algorithm as Hash, Digest};
use crate::failure::Failure;
use crate::pki::der::{self, Element};

/// The baseline time stamp policy of ETSI (RFC 3628, section 5.2), under which an accuracy that is not stated is a second.
const BASELINE_POLICY: &[u8] = &oid!(raw 0.4.0.2023.1.1);

/// A `TSTInfo`, unverified.
#[derive(Debug, Clone)]
pub(super) struct TstInfo {
    /// The hash of what was stamped; `None` when it is not one that is accepted.
    imprint: Option<(Hash, Vec<u8>)>,
    pub(super) gen_time: OffsetDateTime,
    /// Never negative, and below 2³¹ seconds and one second.
    pub(super) accuracy: Duration,
    /// The contents of the INTEGER.
    pub(super) nonce: Option<Vec<u8>>,
    /// The first extension that is critical. None is known here.
    critical: Option<String>,
}

impl TstInfo {
    /// Reads all of `bytes`.
    pub(super) fn read(bytes: &[u8]) -> Result<TstInfo, Failure> {
        let fields = children(walk(bytes)?, der::SEQUENCE)?;
        let [version, policy, imprint, serial, gen_time, rest @ ..] = fields.as_slice() else {
            return Err(malformed("has not the parts of a TSTInfo"));
        };
        if (version.tag, version.contents) != (der::INTEGER, &[1][..]) {
            return Err(malformed("has a TSTInfo of another version than 1"));
        }
        if (policy.tag, serial.tag) != (der::OBJECT_IDENTIFIER, der::INTEGER) {
            return Err(malformed("has a TSTInfo without a policy or without a serial number"));
        }
        let (accuracy, rest) = optional(rest, der::SEQUENCE);
        let (_ordering, rest) = optional(rest, der::BOOLEAN);
        let (nonce, rest) = optional(rest, der::INTEGER);
        let (_authority, rest) = optional(rest, 0xa0);
        let (extensions, rest) = optional(rest, EXTENSIONS);
        if !rest.is_empty() {
            return Err(malformed("has a TSTInfo with parts that are unknown or out of order"));
        }
        let stated = accuracy.map(read_accuracy).transpose()?.unwrap_or(Duration::ZERO);
        let baseline = stated.is_zero() && policy.contents == BASELINE_POLICY;
        let accuracy = if baseline { Duration::SECOND } else { stated };
        Ok(TstInfo {
            imprint: read_imprint(*imprint)?,
            gen_time: read_time(*gen_time)?,
            accuracy,
            nonce: nonce.map(|nonce| nonce.contents.to_vec()),
            critical: extensions.map(read_extensions).transpose()?.flatten(),
        })
    }

    /// Checks that it is `message` that was stamped, and that nothing critical is said that is not known.
    pub(super) fn check(&self, message: &[u8]) -> Result<(), Failure> {
        if let Some(extension) = &self.critical {
            return Err(invalid(format!("has a critical extension that is not known ({extension})")));
        }
        let Some((hash, imprint)) = &self.imprint else {
            return Err(invalid("was made over a hash that is not SHA-256, SHA-384 or SHA-512"));
        };
        if Digest::of(*hash, message).bytes() != imprint.as_slice() {
            return Err(invalid("was made of something else than this signature"));
        }
        Ok(())
    }
}

/// `[1]`, the extensions.
const EXTENSIONS: u8 = 0xa1;

fn read_imprint(imprint: Element<'_>) -> Result<Option<(Hash, Vec<u8>)>, Failure> {
    const SHAPE: &str = "has a TSTInfo without a hash of what was stamped";
    let [algorithm, hashed] = parts(imprint, der::SEQUENCE, SHAPE)?;
    if hashed.tag != der::OCTET_STRING {
        return Err(malformed(SHAPE));
    }
    Ok(hash(algorithm)?.map(|hash| (hash, hashed.contents.to_vec())))
}

/// `Accuracy`: seconds, thousandths `[0]` and millionths `[1]`, each optional.
fn read_accuracy(accuracy: Element<'_>) -> Result<Duration, Failure> {
    let fields = children(accuracy, der::SEQUENCE)?;
    let (seconds, rest) = optional(&fields, der::INTEGER);
    let (millis, rest) = optional(rest, 0x80);
    let (micros, rest) = optional(rest, 0x81);
    if !rest.is_empty() {
        return Err(malformed("has an accuracy with parts that are unknown or out of order"));
    }
    let read = |field: Option<Element<'_>>, most| field.map_or(Ok(0), |field| read_number(field.contents, most));
    Ok(Duration::seconds(read(seconds, i32::MAX)?.into())
        + Duration::milliseconds(read(millis, 999)?.into())
        + Duration::microseconds(read(micros, 999)?.into()))
}

/// The contents of an INTEGER from 0 to `most`. Under a tag of its own, nothing has checked yet that they are minimal.
fn read_number(contents: &[u8], most: i32) -> Result<i32, Failure> {
    const BOUNDS: &str = "has an accuracy that is negative or out of bounds";
    let digits = match contents {
        [] | [0x80..=0xff, ..] | [0, 0..=0x7f, ..] => return Err(malformed(BOUNDS)),
        [0, digits @ ..] => digits,
        digits => digits,
    };
    let number = digits.iter().try_fold(0_i32, |number, digit| number.checked_mul(256)?.checked_add((*digit).into()));
    number.filter(|number| *number <= most).ok_or_else(|| malformed(BOUNDS))
}

/// A `GeneralizedTime` as RFC 3161 has it: `YYYYMMDDhhmmss[.s…]Z`, no zero at the end of the fraction.
fn read_time(time: Element<'_>) -> Result<OffsetDateTime, Failure> {
    const SHAPE: &str = "has a time that is not a GeneralizedTime in UTC";
    let text = match time.contents {
        [text @ .., b'Z'] if time.tag == der::GENERALIZED_TIME => text,
        _ => return Err(malformed(SHAPE)),
    };
    let (whole, fraction) = match text.iter().position(|byte| *byte == b'.') {
        None => (text, &[][..]),
        Some(point) => match &text[point + 1..] {
            [] | [.., b'0'] => return Err(malformed("has a time with a fraction that is empty or ends in zero")),
            fraction => (&text[..point], fraction),
        },
    };
    if whole.len() != 14 || fraction.len() > 9 || !whole.iter().chain(fraction).all(u8::is_ascii_digit) {
        return Err(malformed(SHAPE));
    }
    let number = |digits: &[u8]| digits.iter().fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'));
    let small = |digits: &[u8]| u8::try_from(number(digits)).unwrap_or(u8::MAX);
    let nanosecond = fraction.iter().chain(&[b'0'; 9]).take(9).copied().collect::<Vec<u8>>();
    let date = Month::try_from(small(&whole[4..6])).and_then(|month| {
        let year = i32::try_from(number(&whole[..4])).unwrap_or(i32::MAX);
        Date::from_calendar_date(year, month, small(&whole[6..8]))
    });
    let [hour, minute, second] = [8, 10, 12].map(|start| small(&whole[start..start + 2]));
    let time = Time::from_hms_nano(hour, minute, second, number(&nanosecond));
    match (date, time) {
        (Ok(date), Ok(time)) => Ok(date.with_time(time).assume_utc()),
        _ => Err(malformed("has a time that is not in the calendar")),
    }
}

/// The object identifier of the first critical extension.
fn read_extensions(extensions: Element<'_>) -> Result<Option<String>, Failure> {
    const SHAPE: &str = "has an extension that cannot be read";
    let mut critical = None;
    for extension in children(extensions, EXTENSIONS)? {
        let fields = children(extension, der::SEQUENCE)?;
        let (oid, flag, value) = match fields.as_slice() {
            [oid, value] => (oid, None, value),
            [oid, flag, value] => (oid, Some(flag), value),
            _ => return Err(malformed(SHAPE)),
        };
        if oid.tag != der::OBJECT_IDENTIFIER
            || value.tag != der::OCTET_STRING
            || flag.is_some_and(|flag| flag.tag != der::BOOLEAN)
        {
            return Err(malformed(SHAPE));
        }
        if flag.is_some_and(|flag| flag.contents != [0]) {
            critical.get_or_insert_with(|| Oid::new(oid.contents.into()).to_id_string());
        }
    }
    Ok(critical)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::tlv;
    use time::macros::datetime;

    fn time(text: &str) -> Option<OffsetDateTime> {
        let value = tlv(der::GENERALIZED_TIME, text.as_bytes());
        read_time(der::only(&value).unwrap()).ok()
    }

    #[test]
    fn e09_times_are_exact_or_refused() {
        for (text, expected) in [
            ("20260102030405Z", datetime!(2026-01-02 3:04:05 UTC)),
            ("20260102030405.5Z", datetime!(2026-01-02 3:04:05.5 UTC)),
            ("20260102030405.000000001Z", datetime!(2026-01-02 3:04:05.000_000_001 UTC)),
            ("20240229235959.999999999Z", datetime!(2024-02-29 23:59:59.999_999_999 UTC)),
            ("99991231235959Z", datetime!(9999-12-31 23:59:59 UTC)),
        ] {
            assert_eq!(time(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "Z",
            "20260102030405",
            "20260102030405z",
            "20260102030405+0000",
            "20260102030405+0100Z",
            "202601020304Z",
            "20260102030405.Z",
            "20260102030405.50Z",
            "20260102030405.0Z",
            "20260102030405,5Z",
            "20260102030405.1234567891Z",
            "20260102030405.5.5Z",
            "100000102030405Z",
            "2026 102030405Z",
            "-0260102030405Z",
            "20261302030405Z",
            "20260002030405Z",
            "20250229030405Z",
            "20260431030405Z",
            "20260102240000Z",
            "20260102036005Z",
            "20260102030460Z",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
        let utc_time = tlv(der::UTC_TIME, b"260102030405Z");
        assert!(read_time(der::only(&utc_time).unwrap()).is_err());
    }

    #[test]
    fn e10_accuracies_are_in_bounds_or_refused() {
        let accuracy = |fields: &[(u8, &[u8])]| {
            let fields: Vec<u8> = fields.iter().flat_map(|(tag, contents)| tlv(*tag, contents)).collect();
            let value = tlv(der::SEQUENCE, &fields);
            read_accuracy(der::only(&value).unwrap()).ok()
        };
        for (fields, expected) in [
            (&[][..], Duration::ZERO),
            (&[(2, &[0][..])], Duration::ZERO),
            (&[(2, &[60])], Duration::MINUTE),
            (&[(2, &[0x7f, 0xff, 0xff, 0xff])], Duration::seconds(i32::MAX.into())),
            (&[(0x80, &[0x03, 0xe7])], Duration::milliseconds(999)),
            (&[(0x81, &[1])], Duration::MICROSECOND),
            (&[(2, &[1]), (0x80, &[2]), (0x81, &[3])], Duration::microseconds(1_002_003)),
        ] {
            assert_eq!(accuracy(fields), Some(expected), "{fields:02x?}");
        }
        for fields in [
            &[(2, &[0xff][..])][..],
            &[(2, &[0, 0x80, 0, 0, 0])],
            &[(2, &[1, 0, 0, 0, 0, 0, 0, 0, 1])],
            &[(0x80, &[0x03, 0xe8])],
            &[(0x80, &[0xff])],
            &[(0x80, &[])],
            &[(0x80, &[0, 1])],
            &[(0x81, &[0x03, 0xe8])],
            &[(0x81, &[0x80])],
            // Out of order, twice, and something else.
            &[(0x81, &[1]), (0x80, &[1])],
            &[(2, &[1]), (2, &[1])],
            &[(4, &[1])],
        ] {
            assert_eq!(accuracy(fields), None, "{fields:02x?}");
        }
    }
}

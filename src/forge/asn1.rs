//! DER (X.690) as CRLs, OCSP answers and time stamps need it: values put together by hand, and just enough reading for
//! the requests that responders are sent.
//!
//! Nothing here is checked. A case may put any bytes in the place of any value; what is read is read leniently, since a
//! responder that fell over a strange request could not be used to try strange requests.

use aws_lc_rs::digest;
use der::Encode;
use der::asn1::ObjectIdentifier;
use time::{OffsetDateTime, UtcOffset};

use super::{ForgeError, tlv};

/// The tag of a SEQUENCE.
pub const SEQUENCE: u8 = 0x30;
/// The tag of a SET.
pub const SET: u8 = 0x31;
/// The tag of an INTEGER.
pub const INTEGER: u8 = 0x02;
/// The tag of an OCTET STRING.
pub const OCTETS: u8 = 0x04;
/// The tag of an OBJECT IDENTIFIER.
pub const OID: u8 = 0x06;
/// The tag of a BOOLEAN.
pub const BOOLEAN: u8 = 0x01;

/// SHA-1 as an object identifier.
pub const SHA1: &str = "1.3.14.3.2.26";
/// SHA-256 as an object identifier.
pub const SHA256: &str = "2.16.840.1.101.3.4.2.1";
/// SHA-384 as an object identifier.
pub const SHA384: &str = "2.16.840.1.101.3.4.2.2";
/// SHA-512 as an object identifier.
pub const SHA512: &str = "2.16.840.1.101.3.4.2.3";

/// A SEQUENCE of these values.
pub fn sequence<P: AsRef<[u8]>>(parts: &[P]) -> Vec<u8> {
    tlv(SEQUENCE, &parts.iter().flat_map(P::as_ref).copied().collect::<Vec<u8>>())
}

/// A SET OF: its elements sorted, as DER demands.
pub fn set_of(mut elements: Vec<Vec<u8>>) -> Vec<u8> {
    elements.sort();
    tlv(SET, &elements.concat())
}

/// A constructed value of context-specific tag `number`.
pub fn explicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0xa0 | number, content)
}

/// A primitive value of context-specific tag `number`.
pub fn implicit(number: u8, content: &[u8]) -> Vec<u8> {
    tlv(0x80 | number, content)
}

/// An object identifier of this dotted form.
pub fn oid(dotted: &str) -> Result<Vec<u8>, ForgeError> {
    let oid = ObjectIdentifier::new(dotted).map_err(|_| ForgeError::Der(der::ErrorKind::Failed.into()))?;
    Ok(oid.to_der()?)
}

/// An OCTET STRING.
pub fn octets(content: &[u8]) -> Vec<u8> {
    tlv(OCTETS, content)
}

/// A BIT STRING of whole bytes.
pub fn bits(content: &[u8]) -> Vec<u8> {
    tlv(0x03, &[&[0], content].concat())
}

/// A BOOLEAN.
pub fn boolean(value: bool) -> Vec<u8> {
    tlv(BOOLEAN, &[if value { 0xff } else { 0 }])
}

/// NULL.
pub fn null() -> Vec<u8> {
    tlv(0x05, &[])
}

/// An ENUMERATED below 128.
pub fn enumerated(value: u8) -> Vec<u8> {
    tlv(0x0a, &[value])
}

/// The content of an INTEGER in the shortest form.
pub fn integer_content(value: i128) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let spare = bytes.windows(2).take_while(|pair| {
        let sign = if pair[1] & 0x80 == 0 { 0 } else { 0xff };
        pair[0] == sign
    });
    bytes[spare.count()..].to_vec()
}

/// An INTEGER in the shortest form.
pub fn integer(value: impl Into<i128>) -> Vec<u8> {
    tlv(INTEGER, &integer_content(value.into()))
}

/// An algorithm identifier; NULL parameters follow where `with_null` says so.
pub fn algorithm(dotted: &str, with_null: bool) -> Result<Vec<u8>, ForgeError> {
    Ok(sequence(&[&oid(dotted)?, &if with_null { null() } else { Vec::new() }]))
}

/// One extension (RFC 5280, section 4.1); `value` is the DER inside its octet string.
pub fn extension_value(dotted: &str, critical: bool, value: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let critical = if critical { boolean(true) } else { Vec::new() };
    Ok(sequence(&[&oid(dotted)?, &critical, &octets(value)]))
}

/// GeneralizedTime in whole seconds.
pub fn generalized_time(time: OffsetDateTime) -> Vec<u8> {
    tlv(0x18, generalized_text(time).as_bytes())
}

/// The text of a GeneralizedTime in whole seconds.
pub fn generalized_text(time: OffsetDateTime) -> String {
    let time = time.to_offset(UtcOffset::UTC);
    let (date, hour) = (time.date(), time.time());
    format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        date.year(),
        u8::from(date.month()),
        date.day(),
        hour.hour(),
        hour.minute(),
        hour.second()
    )
}

/// A time as certificates and CRLs write it: UTCTime from 1950 to 2049, GeneralizedTime otherwise.
pub fn pkix_time(time: OffsetDateTime) -> Vec<u8> {
    let text = generalized_text(time);
    match time.to_offset(UtcOffset::UTC).year() {
        1950..=2049 => tlv(0x17, &text.as_bytes()[2..]),
        _ => tlv(0x18, text.as_bytes()),
    }
}

/// The hash of an algorithm that is known by its dotted object identifier.
pub fn hash(dotted: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match dotted {
        SHA1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        SHA256 => &digest::SHA256,
        SHA384 => &digest::SHA384,
        SHA512 => &digest::SHA512,
        _ => return None,
    };
    Some(digest::digest(algorithm, bytes).as_ref().to_vec())
}

/// A value that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With tag and length.
    pub(super) whole: &'a [u8],
}

impl<'a> Value<'a> {
    /// The values inside, as far as they can be read.
    pub(super) fn inside(&self) -> Vec<Value<'a>> {
        let (mut values, mut rest) = (Vec::new(), self.content);
        while let Some((value, behind)) = read(rest) {
            values.push(value);
            rest = behind;
        }
        values
    }

    /// An object identifier in dotted form.
    pub(super) fn dotted(&self) -> Option<String> {
        if self.tag != OID {
            return None;
        }
        ObjectIdentifier::from_bytes(self.content).ok().map(|oid| oid.to_string())
    }
}

/// The first value of `bytes`, and what is behind it.
pub(super) fn read(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (digits.iter().fold(0_usize, |length, &digit| (length << 8) | usize::from(digit)), rest)
        }
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(length)?;
    let whole = &bytes[..bytes.len() - behind.len()];
    Some((Value { tag, content, whole }, behind))
}

/// What other structures say of a certificate.
#[derive(Debug, Clone, Copy)]
pub(super) struct CertificateParts<'a> {
    /// The content of its serial number.
    pub(super) serial: &'a [u8],
    /// The issuer's name in DER.
    pub(super) issuer: &'a [u8],
    /// The name of its subject in DER.
    pub(super) subject: &'a [u8],
    /// The bits of its public key.
    pub(super) key: &'a [u8],
}

/// Reads a certificate (RFC 5280, section 4.1) as far as it must be named by others.
pub(super) fn certificate_parts(certificate: &[u8]) -> Option<CertificateParts<'_>> {
    let tbs = read(certificate)?.0.inside().into_iter().next()?.inside();
    let fields = match tbs.first()?.tag {
        0xa0 => &tbs[1..],
        _ => &tbs[..],
    };
    let [serial, _, issuer, _, subject, key, ..] = fields else { return None };
    let key = key_bits(key.whole)?;
    Some(CertificateParts { serial: serial.content, issuer: issuer.whole, subject: subject.whole, key })
}

/// The bits of the key in a SubjectPublicKeyInfo.
pub(super) fn key_bits(public_key: &[u8]) -> Option<&[u8]> {
    let (_unused, bits) = read(public_key)?.0.inside().get(1)?.content.split_first()?;
    Some(bits)
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn integers_are_as_short_as_they_can_be() {
        for (value, hex) in [
            (0_i128, "020100"),
            (127, "02017f"),
            (128, "02020080"),
            (-1, "0201ff"),
            (-129, "0202ff7f"),
            (1 << 31, "02050080000000"),
        ] {
            assert_eq!(hex::encode(integer(value)), hex, "{value}");
        }
    }

    #[test]
    fn times_are_written_as_their_readers_expect() {
        assert_eq!(pkix_time(datetime!(2049-12-31 23:59:59.9 UTC))[2..], *b"491231235959Z");
        assert_eq!(pkix_time(datetime!(2050-01-01 1:00 +1))[..], [b"\x18\x0f".as_slice(), b"20500101000000Z"].concat());
    }

    #[test]
    fn reads_what_is_there_and_no_more() {
        let inner = sequence(&[&integer(1), &octets(&[0; 200])]);
        let (value, behind) = read(&inner).unwrap();
        assert_eq!((value.whole, behind), (inner.as_slice(), [].as_slice()));
        assert_eq!(value.inside().len(), 2);
        for cut in 0..inner.len() {
            assert_eq!(read(&inner[..cut]), None, "{cut}");
        }
        assert_eq!(read(&[0x30, 0x80, 0, 0]), None);
    }
}

//! The header parameters of COSE that are registered: which type each has, and where it may stand.
//!
//! Follows the registry *COSE Header Parameters* (IANA) and what it points to: RFC 9052 section 3.1, RFC 9338, RFC 9360,
//! RFC 9596, RFC 9597, RFC 9921, RFC 9995. A parameter of another type is refused, whichever header it is in and whether or
//! not any rule reads it: a reader of COSE that knows it would refuse the message. Refused besides are parameters that
//! exclude each other, and countersignatures: Muster verifies none, and what is not verified must not look as if it
//! were. Registrations that are temporary, labels that are not registered, and text labels may have any type.

use ciborium::Value as Cbor;

use super::attribute::Label;
use super::malformed;
use crate::failure::{Code, Failure};

/// A header as decoded. No two labels are equal.
pub(super) type Header = Vec<(Label, Cbor)>;

/// A registered parameter.
struct Parameter {
    label: i128,
    name: &'static str,
    place: Place,
    /// What its value has to be, in words and as a rule.
    value: &'static str,
    holds: fn(&Cbor) -> bool,
}

/// In which of the two headers a parameter may stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Either,
    Protected,
    Unprotected,
    /// In none that is verified here.
    Neither,
}

use Place::{Either, Neither, Protected, Unprotected};

const fn parameter(
    label: i128,
    name: &'static str,
    place: Place,
    value: &'static str,
    holds: fn(&Cbor) -> bool,
) -> Parameter {
    Parameter { label, name, place, value, holds }
}

const CRITICAL: i128 = 2;

/// The registry, without what is temporary.
const PARAMETERS: &[Parameter] = &[
    parameter(1, "alg", Either, "an integer or text", |value| value.is_integer() || value.is_text()),
    parameter(CRITICAL, "crit", Protected, "a list of labels", |value| list(value, is_label)),
    parameter(3, "content type", Either, MEDIA_TYPE, is_media_type),
    parameter(4, "kid", Either, "a byte string", Cbor::is_bytes),
    parameter(5, "IV", Either, "a byte string", Cbor::is_bytes),
    parameter(6, "Partial IV", Either, "a byte string", Cbor::is_bytes),
    parameter(7, "counter signature", Neither, "", |_| false),
    parameter(9, "CounterSignature0", Neither, "", |_| false),
    parameter(10, "kid context", Either, "a byte string", Cbor::is_bytes),
    parameter(11, "Countersignature version 2", Neither, "", |_| false),
    parameter(12, "Countersignature0 version 2", Neither, "", |_| false),
    parameter(13, "kcwt", Either, "a COSE message", is_message),
    parameter(14, "kccs", Either, "a map", Cbor::is_map),
    parameter(15, "CWT Claims", Either, "a map", Cbor::is_map),
    parameter(16, "typ", Either, MEDIA_TYPE, is_media_type),
    parameter(32, "x5bag", Either, CERTIFICATES, is_certificates),
    parameter(33, "x5chain", Either, CERTIFICATES, is_certificates),
    parameter(34, "x5t", Either, "an array of a hash algorithm and a hash", is_certificate_hash),
    parameter(35, "x5u", Either, "a URI with tag 32", is_uri),
    parameter(256, "CUPHNonce", Either, "a byte string", Cbor::is_bytes),
    parameter(257, "CUPHOwnerPubKey", Either, "an array", Cbor::is_array),
    parameter(258, "payload-hash-alg", Protected, "an integer", Cbor::is_integer),
    parameter(259, "preimage-content-type", Protected, "text or a number", |value| {
        value.is_text() || is_unsigned(value)
    }),
    parameter(260, "payload-location", Protected, "text", Cbor::is_text),
    parameter(261, "x5ts", Either, "an array of arrays of a hash algorithm and a hash", |value| {
        list(value, is_certificate_hash)
    }),
    parameter(262, "srCms", Either, "an array", Cbor::is_array),
    parameter(263, "sigPl", Either, "a map", Cbor::is_map),
    parameter(264, "srAts", Either, "a map", Cbor::is_map),
    parameter(265, "adoTst", Either, "a map", Cbor::is_map),
    parameter(266, "sigPId", Either, "a map", Cbor::is_map),
    parameter(267, "sigD", Either, "a map", Cbor::is_map),
    parameter(268, "uHeaders", Either, "an array of byte strings", |value| list(value, Cbor::is_bytes)),
    parameter(269, "3161-ttc", Protected, "a byte string", Cbor::is_bytes),
    parameter(270, "3161-ctt", Unprotected, "a byte string", Cbor::is_bytes),
    parameter(394, "receipts", Either, "an array", Cbor::is_array),
    parameter(395, "vds", Either, "an integer", Cbor::is_integer),
    parameter(396, "vdp", Either, "a map", Cbor::is_map),
];

/// Parameters of which only one may be there, over both headers: RFC 9052, section 3.1; RFC 9995, section 3, by which a
/// payload is either what the content type says or a hash of something else.
const EXCLUSIVE: [(i128, i128); 2] = [(5, 6), (3, 258)];

const MEDIA_TYPE: &str = "a media type (type/subtype) or a number";
const CERTIFICATES: &str = "a byte string or an array of byte strings";

/// Checks both headers, which have no label in common.
pub(super) fn check(protected: &Header, unprotected: &Header) -> Result<(), Failure> {
    for (place, header) in [(Protected, protected), (Unprotected, unprotected)] {
        for (label, value) in header {
            match registered(label) {
                Some(parameter) if !is_read_as_its_own(place, parameter.label) => parameter.check(place, value)?,
                _ => {}
            }
        }
    }
    let has =
        |number| [protected, unprotected].into_iter().flatten().any(|(label, _)| *label == Label::Integer(number));
    match EXCLUSIVE.into_iter().find(|(one, other)| has(*one) && has(*other)) {
        Some((one, other)) => Err(malformed(format!("the labels {one} and {other} exclude each other"))),
        None => Ok(()),
    }
}

fn registered(label: &Label) -> Option<&'static Parameter> {
    let Label::Integer(number) = label else { return None };
    PARAMETERS.iter().find(|parameter| parameter.label == *number)
}

/// What every signature has: `cose` reads these and refuses another type with a code of its own, the signed ones after the
/// signature has been verified.
fn is_read_as_its_own(place: Place, label: i128) -> bool {
    match place {
        Protected => matches!(label, 1..=3),
        _ => label == 33,
    }
}

impl Parameter {
    fn check(&self, place: Place, value: &Cbor) -> Result<(), Failure> {
        let Parameter { label, name, .. } = self;
        let fault = match self.place {
            Neither => format!("the label {label} ({name}) is a countersignature, which is not verified here"),
            Protected | Unprotected if self.place != place => {
                let only = if self.place == Protected { "protected" } else { "unprotected" };
                format!("the label {label} ({name}) belongs into the {only} header")
            }
            _ if !(self.holds)(value) => format!("the value of label {label} ({name}) is not {}", self.value),
            _ => return Ok(()),
        };
        match *label {
            CRITICAL => Err(Failure::new(Code::CriticalMalformed, fault)),
            _ => Err(malformed(fault)),
        }
    }
}

/// An array with at least one element, each of which `holds`.
fn list(value: &Cbor, holds: fn(&Cbor) -> bool) -> bool {
    value.as_array().is_some_and(|elements| !elements.is_empty() && elements.iter().all(holds))
}

fn is_label(value: &Cbor) -> bool {
    value.is_integer() || value.is_text()
}

fn is_unsigned(value: &Cbor) -> bool {
    value.as_integer().is_some_and(|number| u64::try_from(number).is_ok())
}

/// RFC 9052, section 3.1: `type/subtype`, no blank before or behind; or a number of a CoAP content format.
fn is_media_type(value: &Cbor) -> bool {
    let written = |text: &str| {
        let parts: Vec<&str> = text.splitn(3, '/').collect();
        !text.starts_with(' ') && !text.ends_with(' ') && parts.len() == 2
    };
    is_unsigned(value) || value.as_text().is_some_and(written)
}

/// `COSE_X509`. Notary Project signatures have arrays of one certificate, which RFC 9360 writes without an array.
fn is_certificates(value: &Cbor) -> bool {
    value.is_bytes() || list(value, Cbor::is_bytes)
}

/// `COSE_CertHash`.
fn is_certificate_hash(value: &Cbor) -> bool {
    matches!(value.as_array().map(Vec::as_slice), Some([algorithm, hash]) if is_label(algorithm) && hash.is_bytes())
}

/// `uri` of RFC 8610; that the text is one was checked with the tag.
fn is_uri(value: &Cbor) -> bool {
    matches!(value.as_tag(), Some((32, text)) if text.is_text())
}

/// `COSE_Messages`: an array, behind the tag that says which message it is, or behind none.
fn is_message(value: &Cbor) -> bool {
    match value.as_tag() {
        Some((16..=18 | 96..=98, message)) => message.is_array(),
        Some(_) => false,
        None => value.is_array(),
    }
}

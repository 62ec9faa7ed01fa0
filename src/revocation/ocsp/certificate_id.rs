//! How OCSP names a certificate: the hashes of its issuer's name and key, and its serial number.
//!
//! Follows RFC 6960, section 4.1.1, and RFC 5019: requests name certificates by SHA-1, as every responder understands. It
//! names and proves nothing: what a responder says counts by its signature. Answers may use SHA-2 as well.

use aws_lc_rs::digest::{self, Algorithm};

use crate::pki::Certificate;
use crate::pki::der::{self, Element};
use crate::revocation::answer_error::AnswerError;
use crate::revocation::fields::Fields;

/// The algorithm that requests use.
pub(super) const REQUESTED: &Algorithm = &digest::SHA1_FOR_LEGACY_USE_ONLY;

/// The algorithms by the contents of their object identifiers.
const ALGORITHMS: [(&[u8], &Algorithm); 4] = [
    (&[0x2b, 0x0e, 0x03, 0x02, 0x1a], REQUESTED),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01], &digest::SHA256),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02], &digest::SHA384),
    (&[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03], &digest::SHA512),
];

/// The serial number in a `CertID`, if that names a certificate of `issuer`.
pub(super) fn serial_of<'a>(id: Element<'a>, issuer: &Certificate) -> Result<Option<&'a [u8]>, AnswerError> {
    let mut fields = Fields::of(id, der::SEQUENCE)?;
    let mut algorithm = Fields::of(fields.required(der::SEQUENCE)?, der::SEQUENCE)?;
    let name = fields.required(der::OCTET_STRING)?.contents;
    let key = fields.required(der::OCTET_STRING)?.contents;
    let serial = fields.required(der::INTEGER)?.contents;
    fields.end()?;
    let oid = algorithm.required(der::OBJECT_IDENTIFIER)?.contents;
    let _null = algorithm.optional(der::NULL);
    algorithm.end()?;

    let known = ALGORITHMS.iter().find(|(known, _)| *known == oid);
    let of_issuer = known.is_some_and(|(_, hash)| {
        let is = |hashed: &[u8], content| digest::digest(hash, content).as_ref() == hashed;
        is(name, issuer.subject_raw()) && is(key, issuer.key_bits())
    });
    Ok(of_issuer.then_some(serial))
}

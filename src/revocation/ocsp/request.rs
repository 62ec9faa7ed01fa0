//! What is asked of an OCSP responder.
//!
//! Follows RFC 6960, section 4.1, and the reference implementation: one certificate, no nonce, no signature. The same
//! certificate is always asked about with the same bytes, so that an answer can be shared and kept.

use ::der::Encode;
use ::der::asn1::{Null, ObjectIdentifier, OctetString};
use aws_lc_rs::digest::digest;
use bytes::Bytes;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_ocsp::{CertId, OcspRequest, Request, TbsRequest, Version};

use super::certificate_id::REQUESTED;
use crate::pki::Certificate;
use crate::revocation::answer_error::AnswerError;

const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// The request for `certificate`, an `OCSPRequest` in DER.
pub(in crate::revocation) fn request(certificate: &Certificate, issuer: &Certificate) -> Result<Bytes, AnswerError> {
    encode(certificate, issuer)
        .map_err(|_| AnswerError::from("cannot be fetched: no request can carry a serial number of this length"))
}

fn encode(certificate: &Certificate, issuer: &Certificate) -> ::der::Result<Bytes> {
    let hash = |content| OctetString::new(digest(REQUESTED, content).as_ref());
    let req_cert = CertId {
        hash_algorithm: AlgorithmIdentifierOwned { oid: SHA_1, parameters: Some(Null.into()) },
        issuer_name_hash: hash(issuer.subject_raw())?,
        issuer_key_hash: hash(issuer.key_bits())?,
        serial_number: SerialNumber::new(certificate.serial())?,
    };
    let tbs_request = TbsRequest {
        version: Version::V1,
        requestor_name: None,
        request_list: vec![Request { req_cert, single_request_extensions: None }],
        request_extensions: None,
    };
    Ok(OcspRequest { tbs_request, optional_signature: None }.to_der()?.into())
}

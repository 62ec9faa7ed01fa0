//! What a time stamping authority is asked: `TimeStampReq`.
//!
//! Follows RFC 3161, section 2.4.1. The message itself never leaves: its hash does.

use x509_parser::der_parser::oid;

use crate::digest::{Algorithm as Hash, Digest};
use crate::pki::der;

/// A request for a time stamp, with its certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    imprint: Digest,
    nonce: [u8; 16],
}

impl Request {
    /// The media type of a request.
    pub const MEDIA_TYPE: &str = "application/timestamp-query";
    /// The media type of the answer.
    pub const ANSWER_MEDIA_TYPE: &str = "application/timestamp-reply";

    /// A request for a time stamp over `message`, by its `hash`. The token must repeat the nonce, made of `random` bytes.
    pub fn new(message: &[u8], hash: Hash, random: [u8; 16]) -> Request {
        let mut nonce = random;
        // Positive, and no byte longer than it must be.
        nonce[0] = nonce[0] & 0x3f | 0x40;
        Request { imprint: Digest::of(hash, message), nonce }
    }

    /// The nonce: the contents of its INTEGER.
    pub fn nonce(&self) -> &[u8] {
        &self.nonce
    }

    /// The request in DER.
    pub fn to_der(&self) -> Vec<u8> {
        let hash: &[u8] = match self.imprint.algorithm() {
            Hash::Sha256 => &oid!(raw 2.16.840.1.101.3.4.2.1),
            Hash::Sha384 => &oid!(raw 2.16.840.1.101.3.4.2.2),
            Hash::Sha512 => &oid!(raw 2.16.840.1.101.3.4.2.3),
        };
        let algorithm = value(der::SEQUENCE, &[&value(der::OBJECT_IDENTIFIER, &[hash]), &value(der::NULL, &[])]);
        let imprint = value(der::SEQUENCE, &[&algorithm, &value(der::OCTET_STRING, &[self.imprint.bytes()])]);
        let version = value(der::INTEGER, &[&[1]]);
        let nonce = value(der::INTEGER, &[&self.nonce]);
        let with_certificates = value(der::BOOLEAN, &[&[0xff]]);
        value(der::SEQUENCE, &[&version, &imprint, &nonce, &with_certificates])
    }
}

/// One value of at most 127 bytes, which every part of a request and the whole of it are.
fn value(tag: u8, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    debug_assert!(contents.len() < 0x80, "the longest request has 107 bytes inside");
    let length = u8::try_from(contents.len()).unwrap_or(u8::MAX);
    [&[tag, length], contents.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_der_whatever_the_hash_and_the_nonce() {
        for (hash, length) in [(Hash::Sha256, 77), (Hash::Sha384, 93), (Hash::Sha512, 109)] {
            for random in [[0; 16], [0xff; 16], [0x80; 16]] {
                let request = Request::new(b"signature", hash, random);
                let der = request.to_der();
                assert_eq!((der::check(&der), der.len()), (Ok(()), length));
                assert!(der.windows(16).any(|window| window == request.nonce()));
                assert!(der.windows(hash.length()).any(|w| w == Digest::of(hash, b"signature").bytes()));
                assert_eq!(der.last(), Some(&0xff));
            }
        }
    }
}

//! Time stamp countersignatures: RFC 3161 tokens over the signature of an envelope.
//!
//! Follows *signature-specification*, Unsigned Attributes (`io.cncf.notary.timestampSignature`) and Certificate
//! Requirements, the time stamp step of *signing-and-verification-workflow*, RFC 3161 with RFC 5816, and RFC 5652. Three
//! types for three degrees of trust:
//!
//! ```text
//! Token (bytes) ──read──▶ UnverifiedTimestamp ──verify──▶ VerifiedTimestamp
//! ```
//!
//! Only [`verify`] makes a [`VerifiedTimestamp`]. Every hash is taken over the bytes that came; only the signed attributes
//! are put in the order in which DER has them, since that is what is signed. What this module refuses to do: read BER, search certificates anywhere but in the token and among the roots
//! it is given, ask for revocation, or compare a time with now.

mod authority_chain;
mod request;
mod response;
mod signed_data;
mod signing_certificate;
mod token;
mod tst_info;
mod verified;

pub use request::Request;
pub use response::{RequestRefused, read_response};
pub use token::{Token, UnverifiedTimestamp, verify};
pub use verified::VerifiedTimestamp;

use crate::digest::Algorithm as Hash;
use crate::failure::{Code, Failure};
use crate::pki::der::{self, Element};

/// A failure of the structure.
fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::TimestampMalformed, format!("the time stamp {}", message.into()))
}

/// A failure of what the structure says: a hash, a signature, an attribute.
fn invalid(message: impl Into<String>) -> Failure {
    Failure::new(Code::TimestampInvalid, format!("the time stamp {}", message.into()))
}

/// The one value that all of `bytes` are, walked to its ends.
fn walk(bytes: &[u8]) -> Result<Element<'_>, Failure> {
    der::check(bytes).and_then(|()| der::only(bytes)).map_err(|error| malformed(error.to_string()))
}

/// The values inside `element`, which must be of this `tag`.
fn children(element: Element<'_>, tag: u8) -> Result<Vec<Element<'_>>, Failure> {
    element.children(tag).map_err(|error| malformed(error.to_string()))
}

/// The hash that an `AlgorithmIdentifier` names: one of SHA-256, SHA-384 and SHA-512. `None` for every other.
fn hash(algorithm: Element<'_>) -> Result<Option<Hash>, Failure> {
    use x509_parser::der_parser::oid;
    const SHA256: &[u8] = &oid!(raw 2.16.840.1.101.3.4.2.1);
    const SHA384: &[u8] = &oid!(raw 2.16.840.1.101.3.4.2.2);
    const SHA512: &[u8] = &oid!(raw 2.16.840.1.101.3.4.2.3);
    let parts = children(algorithm, der::SEQUENCE)?;
    let (oid, parameters) = match parts.as_slice() {
        [oid] => (oid, None),
        [oid, parameters] => (oid, Some(parameters)),
        _ => return Err(malformed("names a hash with more than its parameters")),
    };
    if oid.tag != der::OBJECT_IDENTIFIER {
        return Err(malformed("names a hash by something that is no object identifier"));
    }
    let hash = match oid.contents {
        SHA256 => Hash::Sha256,
        SHA384 => Hash::Sha384,
        SHA512 => Hash::Sha512,
        _ => return Ok(None),
    };
    match parameters {
        None => Ok(Some(hash)),
        Some(null) if null.tag == der::NULL => Ok(Some(hash)),
        Some(_) => Err(malformed("names a hash with parameters, and this hash has none")),
    }
}

#[cfg(test)]
mod tests;

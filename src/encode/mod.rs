//! Writes signature envelopes: what a signature says, the bytes that are signed, and the envelope around the signature.
//!
//! Follows *signature-specification*, *signature-envelope-jws* and *signature-envelope-cose*. The signature itself comes from
//! outside, whether from a key in a file, a token or a plugin: [`Prepared::to_be_signed`], then [`Prepared::finish`]. A
//! time stamp is made of a finished signature, and put in last. This module never uses the parsers of [`crate::envelope`]: a
//! mistake made alike on both sides would cancel out. It holds no keys, verifies nothing and never reads a clock.

mod artifact;
mod cbor;
pub mod cose;
pub mod jws;
mod members;
mod statement;

pub use artifact::{Artifact, Blob, SignatureManifest};
pub(crate) use artifact::{IMAGE, reference};
pub use cbor::Cbor;
pub use members::Members;
pub(crate) use statement::descriptor;
pub use statement::{Attribute, PAYLOAD_TYPE, Statement};

use crate::envelope::Format;
use crate::pki::KeyKind;
use cose::Cose;
use jws::Jws;

/// Why an envelope cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A time cannot be written as RFC 3339.
    #[error("the time cannot be written")]
    Time,
}

/// An envelope before it is signed.
#[derive(Debug, Clone)]
pub struct Prepared(Parts);

#[derive(Debug, Clone)]
enum Parts {
    Jws(Jws),
    Cose(Cose),
}

impl Prepared {
    /// An envelope of `statement` in `format`, to be signed by a key of `kind`.
    ///
    /// # Errors
    ///
    /// [`EncodeError::Time`].
    pub fn new(format: Format, statement: &Statement, kind: KeyKind) -> Result<Prepared, EncodeError> {
        Ok(Prepared(match format {
            Format::Jws => Parts::Jws(Jws::new(statement, kind)?),
            Format::Cose => Parts::Cose(Cose::new(statement, kind)?),
        }))
    }

    /// The bytes that are signed, whole and unhashed.
    pub fn to_be_signed(&self) -> Vec<u8> {
        match &self.0 {
            Parts::Jws(jws) => jws.to_be_signed(),
            Parts::Cose(cose) => cose.to_be_signed(),
        }
    }

    /// The envelope with its signature (RSASSA-PSS, or r‖s) and the certificates of the key that made it, in DER, its own
    /// first. Neither is checked.
    pub fn finish(mut self, signature: Vec<u8>, chain: &[Vec<u8>]) -> Finished {
        match &mut self.0 {
            Parts::Jws(jws) => jws::set_chain(&mut jws.header, chain),
            Parts::Cose(cose) => cose::set_chain(&mut cose.unprotected, chain),
        }
        Finished { parts: self.0, signature }
    }
}

/// A signed envelope, into which a time-stamp token may still be put.
#[derive(Debug, Clone)]
pub struct Finished {
    parts: Parts,
    signature: Vec<u8>,
}

impl Finished {
    /// The primitive signature: what a time stamp is made of.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// With an RFC 3161 token of the signature, in DER.
    #[must_use]
    pub fn with_timestamp(mut self, token: &[u8]) -> Finished {
        match &mut self.parts {
            Parts::Jws(jws) => jws::set_timestamp(&mut jws.header, token),
            Parts::Cose(cose) => cose::set_timestamp(&mut cose.unprotected, token),
        }
        self
    }

    /// The bytes of the envelope.
    pub fn envelope(&self) -> Vec<u8> {
        match &self.parts {
            Parts::Jws(jws) => jws.envelope(&self.signature),
            Parts::Cose(cose) => cose.envelope(&self.signature),
        }
    }
}

#[cfg(test)]
mod tests;

//! Signature envelopes: from untrusted bytes to what a signer is known to have said.
//!
//! Follows *signature-specification* (Signature Envelope, Signed Attributes, Certificate Requirements) and the integrity
//! step of *signing-and-verification-workflow*. Three types for three degrees of trust:
//!
//! ```text
//! bytes ──jws, cose──▶ UnverifiedEnvelope ──verify──▶ VerifiedEnvelope
//! ```
//!
//! Only [`verify`] makes a [`VerifiedEnvelope`]. The two formats differ in how they are parsed; from then on there is one
//! path. What this module refuses to do: judge the signer (trust stores, identities, revocation), compare a time with
//! now, look at a time stamp, or run a plugin.
//!
//! It is stricter than the reference implementation where two readers could read two different things: repeated members
//! or labels, names in another case, base64 with line breaks or stray bits, more than one encoding of nothing. What it
//! holds of an envelope before the signature is verified is a small multiple of the envelope.

mod algorithm;
mod attribute;
mod cbor;
mod cose;
mod critical;
mod format;
mod header_parameter;
mod instant;
mod jws;
mod payload;
mod signer_info;
mod unknown;

pub use algorithm::Algorithm;
pub use format::Format;
pub use payload::{PAYLOAD_MEDIA_TYPE, Payload};
pub use signer_info::{ExtendedAttribute, SignerInfo, SigningScheme, VerificationPlugin};

use std::sync::Arc;

use crate::failure::{Code, Failure, quote};
use crate::limits;
use crate::pki::{Chain, ChainCache};
use attribute::Protected;
use signer_info::Unsigned;

/// An envelope as parsed, in the shape that both formats share. Nothing in it has been verified, and what the protected
/// header says has not been judged.
#[derive(Debug)]
struct UnverifiedEnvelope {
    format: Format,
    /// What `alg` states, or why that is no algorithm.
    algorithm: Result<Algorithm, Failure>,
    /// The bytes that the signature is over.
    signed: Vec<u8>,
    payload: Vec<u8>,
    protected: Protected,
    unsigned: Unsigned,
    /// DER, the leaf first; at least one.
    chain: Vec<Vec<u8>>,
    notes: Vec<String>,
}

/// An envelope that is whole: its signature is that of the leaf key of a well-formed chain, and its attributes and its
/// payload obey the specification. Whether the chain deserves trust is not said.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct VerifiedEnvelope {
    /// The format that it came in.
    pub format: Format,
    /// What was signed.
    pub payload: Payload,
    /// What the signer said about it.
    pub signer: SignerInfo,
    /// The certificates, leaf first.
    pub chain: Arc<Chain>,
    /// Oddities that were accepted, each a sentence without a full stop, safe to print.
    pub notes: Vec<String>,
    /// Keeps other modules from making one.
    _verified: Verified,
}

/// Proof that [`verify`] ran.
#[derive(Debug, Clone, Copy)]
struct Verified;

/// Checks the integrity of an envelope, in this order: media type, size, structure, chain, algorithm, signature, content
/// type, attributes, payload. The first failure is returned.
///
/// `media_type` is what the signature manifest states of the envelope. A chain that `chains` has met before, byte for
/// byte, is not parsed again.
pub fn verify(media_type: &str, bytes: &[u8], chains: &ChainCache) -> Result<VerifiedEnvelope, Failure> {
    let format = Format::of_media_type(media_type)?;
    if bytes.len() as u64 > limits::ENVELOPE_BYTES {
        let message = format!("the envelope is {} bytes long; {} are read", bytes.len(), limits::ENVELOPE_BYTES);
        return Err(Failure::new(Code::EnvelopeTooLarge, message));
    }
    let parsed = match format {
        Format::Jws => jws::parse(bytes)?,
        Format::Cose => cose::parse(bytes)?,
    };
    parsed.verify(chains)
}

impl UnverifiedEnvelope {
    fn verify(self, chains: &ChainCache) -> Result<VerifiedEnvelope, Failure> {
        let chain = chains.chain(&self.chain)?;
        self.algorithm?.verify(chain.signing_key(), &self.signed, &self.unsigned.signature)?;

        let mut notes = self.notes;
        check_content_type(self.protected.content_type.as_deref())?;
        let signer = SignerInfo::read(self.format, self.protected, self.unsigned, &mut notes)?;
        let payload = Payload::parse(&self.payload, &mut notes)?;
        Ok(VerifiedEnvelope { format: self.format, payload, signer, chain, notes, _verified: Verified })
    }
}

fn check_content_type(content_type: Option<&str>) -> Result<(), Failure> {
    let message = match content_type {
        Some(PAYLOAD_MEDIA_TYPE) => return Ok(()),
        Some(other) => format!("the payload content type {} is not {PAYLOAD_MEDIA_TYPE}", quote(other)),
        None => "the payload content type is missing or not text".to_owned(),
    };
    Err(Failure::new(Code::ContentTypeUnsupported, message))
}

/// A failure of the envelope's structure.
fn malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::EnvelopeMalformed, message)
}

/// A failure of the certificate chain as the envelope carries it.
fn chain_malformed(message: impl Into<String>) -> Failure {
    Failure::new(Code::ChainMalformed, message)
}

/// Refuses a chain by its length, before any of it is copied.
fn check_chain_length(certificates: usize) -> Result<(), Failure> {
    match certificates {
        0 => Err(chain_malformed("the certificate chain is empty")),
        count if count > limits::CHAIN_CERTIFICATES => {
            let most = limits::CHAIN_CERTIFICATES;
            Err(chain_malformed(format!("the certificate chain has more than {most} certificates")))
        }
        _ => Ok(()),
    }
}

/// Refuses a certificate by its length.
fn check_certificate_length(bytes: usize) -> Result<(), Failure> {
    if bytes > limits::CERTIFICATE_BYTES {
        return Err(chain_malformed(format!("a certificate is longer than {} bytes", limits::CERTIFICATE_BYTES)));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

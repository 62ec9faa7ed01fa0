//! The certificates of a signature, leaf first, checked against each other.
//!
//! Follows the signature specification, *Unsigned Attributes* and *Certificate Requirements*. The chain is taken as it
//! stands: complete, in order, each certificate issued by the next, the last one self-signed. Nothing is searched,
//! reordered or left out, and no certificate is trusted: a chain that passes here may be a stranger's.

use crate::failure::{Code, Failure, quote};
use crate::limits;

use super::certificate::Certificate;
use super::profile;
use super::public_key::PublicKey;

/// A chain of certificates that fulfils the rules for signing artifacts.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Never empty; the leaf comes first.
    certificates: Vec<Certificate>,
    signing_key: PublicKey,
}

impl Chain {
    /// Parses and checks the certificates of a signature, each in DER, leaf first.
    ///
    /// # Errors
    ///
    /// As [`Chain::check_code_signing`], and [`Code::CertificateMalformed`] for one that cannot be read.
    pub fn parse_code_signing(ders: &[impl AsRef<[u8]>]) -> Result<Chain, Failure> {
        check_length(ders.len())?;
        let parse = |(position, der): (usize, &_)| {
            let der: &[u8] = AsRef::as_ref(der);
            Certificate::parse(der).map_err(|failure| {
                let message = failure.message.replacen("the certificate", &ordinal(position, ders.len()), 1);
                Failure::new(failure.code, message)
            })
        };
        Chain::check_code_signing(ders.iter().enumerate().map(parse).collect::<Result<_, _>>()?)
    }

    /// Checks the certificates of a signature, leaf first.
    ///
    /// # Errors
    ///
    /// [`Code::ChainMalformed`] if there are none, or more than [`limits::CHAIN_CERTIFICATES`]; [`Code::ChainInvalid`] if
    /// they do not form one chain to a self-signed root; [`Code::CertificateProfile`], [`Code::KeyUnsupported`] or
    /// [`Code::CertificateMalformed`] if one of them breaks a rule of its own. The message names the certificate.
    pub fn check_code_signing(certificates: Vec<Certificate>) -> Result<Chain, Failure> {
        check_length(certificates.len())?;
        for position in 0..certificates.len() {
            check_position(&certificates, position).map_err(|failure| {
                let certificate = ordinal(position, certificates.len());
                let subject = quote(certificates[position].subject_text());
                Failure::new(failure.code, format!("{certificate} ({subject}): {}", failure.message))
            })?;
        }
        // The rules for leaves, just checked, include a key that is supported.
        let signing_key = certificates[0].public_key().map_err(Failure::clone)?.clone();
        Ok(Chain { certificates, signing_key })
    }

    /// The certificate that signed the envelope.
    pub fn leaf(&self) -> &Certificate {
        &self.certificates[0]
    }

    /// The certificates, leaf first. There is at least one.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// The key of the leaf.
    pub fn signing_key(&self) -> &PublicKey {
        &self.signing_key
    }
}

fn check_length(certificates: usize) -> Result<(), Failure> {
    match certificates {
        0 => Err(Failure::new(Code::ChainMalformed, "the certificate chain is empty")),
        1..=limits::CHAIN_CERTIFICATES => Ok(()),
        _ => Err(Failure::new(
            Code::ChainMalformed,
            format!(
                "the certificate chain has {certificates} certificates, more than the {} allowed",
                limits::CHAIN_CERTIFICATES
            ),
        )),
    }
}

/// Checks who issued the certificate at `position`, then what it says itself.
fn check_position(certificates: &[Certificate], position: usize) -> Result<(), Failure> {
    let certificate = &certificates[position];
    let invalid = |message: &str| Err(Failure::new(Code::ChainInvalid, message));
    let self_issued = certificate.issuer_raw() == certificate.subject_raw();
    match certificates.get(position + 1) {
        None if !self_issued => return invalid("it ends the chain, but is not self-signed: its issuer is missing"),
        // A self-signed certificate alone is a leaf, and so no authority that could have issued itself.
        None => certificate.check_signed_by(certificate)?,
        Some(_) if self_issued && certificate.signed_by_itself() => {
            return invalid("it is self-signed, but not the last of the chain");
        }
        Some(issuer) => certificate.check_issued_by(issuer)?,
    }
    match position.checked_sub(1) {
        None => profile::check_leaf(certificate),
        Some(below) => profile::check_authority(certificate, below),
    }
}

/// `certificate 2 of 3 in the chain`.
fn ordinal(position: usize, length: usize) -> String {
    format!("certificate {} of {length} in the chain", position + 1)
}

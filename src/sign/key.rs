//! A key that signs artifacts: opened, with the chain that certifies it, both checked together.
//!
//! Follows *signature-specification*, Certificate Requirements, at the time of signing: a signature that could not
//! be verified is not made.

use std::path::Path;
use std::sync::Arc;

use time::OffsetDateTime;

use super::signing_chain::SigningChain;
use crate::failure::{Failure, quote};
use crate::pki::Chain;
use crate::rfc3339::instant;
use crate::signer::{self, CertificateChainFile, Environment, PrivateKey, SignerError};

/// A key with its chain.
#[derive(Debug, Clone)]
pub struct SigningKey {
    pub(super) private: Arc<dyn PrivateKey>,
    chain: Chain,
    warnings: Vec<String>,
}

/// Why a key does not sign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The key cannot be opened, or the file with its chain not be read, or they do not belong together.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// The chain breaks the rules.
    #[error("the certificate chain signs no artifacts: {0}")]
    Chain(Failure),
    /// A certificate of the chain is not valid now.
    #[error("the certificate {subject} is valid from {from} until {until}, and not at {now}: have a new one issued")]
    NotValid {
        /// Whose certificate it is; safe to print.
        subject: String,
        /// The first second, in RFC 3339.
        from: String,
        /// The last second.
        until: String,
        /// When the key was to sign.
        now: String,
    },
}

impl SigningKey {
    /// Opens `key`, the path of a file or a `pkcs11:` URI, with the chain in `certificates`, to sign at `now`.
    ///
    /// # Errors
    ///
    /// The reason why the key cannot sign.
    pub fn open(
        key: &str,
        certificates: &Path,
        environment: &Environment,
        now: OffsetDateTime,
    ) -> Result<SigningKey, KeyError> {
        if !signer::is_token(key) {
            CertificateChainFile::check_apart(certificates, Path::new(key))?;
        }
        // The chain first: a token is not asked for a PIN in vain.
        let certificates = SigningChain::load(certificates, now)?;
        let chain = certificates.chain().clone();
        let opened = signer::open_certified(key, environment, chain.leaf())?;
        certificates.check_belongs_to(opened.signer.verifying_key())?;
        Ok(SigningKey { private: opened.signer, chain, warnings: opened.warnings })
    }

    /// The key of `chain`, which is checked, behind whatever holds it. The test bench's keys that need approvals are such.
    #[cfg(feature = "testbench")]
    pub(crate) fn held_by(private: Arc<dyn PrivateKey>, chain: Chain) -> SigningKey {
        SigningKey { private, chain, warnings: Vec::new() }
    }

    /// The same key behind `holder`, which signs by it. The test bench plays trouble of tokens so.
    #[cfg(feature = "testbench")]
    pub(crate) fn behind(self, holder: impl FnOnce(Arc<dyn PrivateKey>) -> Arc<dyn PrivateKey>) -> SigningKey {
        SigningKey { private: holder(self.private), ..self }
    }

    /// The chain that certifies it.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// What its owner should know; each is one sentence.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

/// Checks that every certificate of `chain` is valid at `now`.
pub(super) fn check_validity(chain: &Chain, now: OffsetDateTime) -> Result<(), KeyError> {
    let outside = |from, until| now < from || now > until;
    match chain.certificates().iter().find(|held| outside(held.not_before(), held.not_after())) {
        None => Ok(()),
        Some(lapsed) => Err(KeyError::NotValid {
            subject: quote(lapsed.subject_text()),
            from: instant(lapsed.not_before()),
            until: instant(lapsed.not_after()),
            now: instant(now),
        }),
    }
}

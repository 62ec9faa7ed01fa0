//! The certificates of a key that signs: in a file, checked to be a chain that may sign code, and valid when it is to sign.
//!
//! Follows *signature-specification*, Certificate Requirements.

use std::path::Path;

use time::OffsetDateTime;

use super::key::{KeyError, check_validity};
use crate::pki::{Certificate, Chain};
use crate::signer::{CertificateChainFile, SignerError, VerifyingKey};

/// A chain that may certify what signs.
#[derive(Debug, Clone)]
pub struct SigningChain {
    file: CertificateChainFile,
    chain: Chain,
}

impl SigningChain {
    /// Reads the chain in the file `path`, to sign at `now`.
    ///
    /// # Errors
    ///
    /// The reason why it certifies nothing that signs then.
    pub fn load(path: &Path, now: OffsetDateTime) -> Result<SigningChain, KeyError> {
        let file = CertificateChainFile::load(path)?;
        let chain = SigningChain::checked(file.certificates().to_vec(), now)?;
        Ok(SigningChain { file, chain })
    }

    /// These certificates as a chain that may sign code and is valid at `now`.
    pub(crate) fn checked(certificates: Vec<Certificate>, now: OffsetDateTime) -> Result<Chain, KeyError> {
        let chain = Chain::check_code_signing(certificates).map_err(KeyError::Chain)?;
        check_validity(&chain, now)?;
        Ok(chain)
    }

    /// The chain.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Checks that its first certificate is for `key`.
    ///
    /// # Errors
    ///
    /// [`SignerError::Chain`] if it is not.
    pub fn check_belongs_to(&self, key: &VerifyingKey) -> Result<(), SignerError> {
        self.file.check_belongs_to(key)
    }
}

//! A key behind a broker, with the chain that certifies it: from a file, or else from the broker.
//!
//! Follows *signature-specification*, Certificate Requirements. A chain that the broker gives is checked as any other.

use time::OffsetDateTime;

use super::key::KeyError;
use super::signature::{SignError, SignRequest, UnfinishedEnvelope, UnsignedEnvelope};
use super::signing_chain::SigningChain;
use crate::pki::Chain;
use crate::signer::tsb::{
    ApprovalClock, ApprovalMetadata, Told, TsbEnvironment, TsbError, TsbKey, TsbSettings, fetch_chain,
};

/// A key behind a broker.
#[derive(Debug)]
pub struct ApprovalKey {
    key: TsbKey,
    chain: Chain,
    settings: TsbSettings,
}

/// Why such a key cannot be used. One sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApprovalKeyError {
    /// Its settings, or the broker.
    #[error(transparent)]
    Tsb(#[from] TsbError),
    /// Its certificates.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl ApprovalKey {
    /// Opens the key that `settings` name, to sign at `now`. The broker is asked for the chain only if no file is named.
    ///
    /// # Errors
    ///
    /// The reason why the key cannot sign.
    pub async fn open(
        settings: TsbSettings,
        environment: &TsbEnvironment,
        now: OffsetDateTime,
    ) -> Result<ApprovalKey, ApprovalKeyError> {
        let chain = match &settings.certificate_chain {
            Some(path) => SigningChain::load(path, now)?.chain().clone(),
            None => SigningChain::checked(fetch_chain(&settings, environment).await?, now)?,
        };
        let key = TsbKey::open(&settings, environment, chain.leaf())?;
        Ok(ApprovalKey { key, chain, settings })
    }

    /// The chain that certifies it.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The key itself.
    pub fn key(&self) -> &TsbKey {
        &self.key
    }

    /// Where it is.
    pub fn settings(&self) -> &TsbSettings {
        &self.settings
    }

    /// Signs `request`, as soon as enough people have approved; gives up when the settings say.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub async fn begin<'a>(
        &self,
        request: &'a SignRequest,
        clock: &dyn ApprovalClock,
        told: Told<'_>,
    ) -> Result<UnfinishedEnvelope<'a>, SignError> {
        let unsigned = UnsignedEnvelope::prepare(&self.chain, request)?;
        let metadata = ApprovalMetadata::of(&request.target, request.name.as_deref());
        let signature = self.key.sign(unsigned.message(), &metadata, clock, told).await?;
        Ok(unsigned.signed(signature))
    }
}

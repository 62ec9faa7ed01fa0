//! What a forged signature says: a sound [`Statement`] to start from, and the drafts of its envelopes.

use time::OffsetDateTime;

use super::{CoseDraft, ForgeError, JwsDraft, Signer};
use crate::encode::Statement;
use crate::envelope::SigningScheme;
use crate::manifest::Descriptor;

impl Statement {
    /// That `target` was signed at `signing_time` under `notary.x509`, without expiry.
    pub fn new(target: Descriptor, signing_time: OffsetDateTime) -> Statement {
        Statement {
            target,
            scheme: SigningScheme::X509,
            signing_time,
            expiry: None,
            attributes: Vec::new(),
            signing_agent: Some("muster-forge/1".to_owned()),
        }
    }

    /// With user metadata.
    pub fn with_metadata<const N: usize>(mut self, metadata: [(&str, &str); N]) -> Statement {
        self.target.annotations.extend(metadata.map(|(name, value)| (name.to_owned(), value.to_owned())));
        self
    }

    /// A sound JWS of it, to be changed or sealed.
    pub fn jws(&self, signer: &Signer) -> Result<JwsDraft, ForgeError> {
        JwsDraft::new(self, signer)
    }

    /// A sound COSE message of it, to be changed or sealed.
    pub fn cose(&self, signer: &Signer) -> Result<CoseDraft, ForgeError> {
        CoseDraft::new(self, signer)
    }
}

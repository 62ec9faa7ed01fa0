//! The signature itself: signed, verified, and put into its manifest.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::key::SigningKey;
use super::plugin_key::PluginKeyError;
use crate::envelope::{self, Format};
use crate::failure::Failure;
use crate::forge::{Artifact, Blob, CoseDraft, ForgeError, JwsDraft, SignatureManifest, Statement};
use crate::manifest::{self, Descriptor};
use crate::pki::{Chain, ChainCache};
use crate::source::{Attachment, Content};
use crate::timestamp::Token;

/// What is to be signed, and how.
#[derive(Debug, Clone)]
pub struct Order {
    /// The artifact: media type, digest and size.
    pub target: Descriptor,
    /// When it is signed; fractions of a second are cut off.
    pub at: OffsetDateTime,
    /// How long the signature is good for; `None` is for ever.
    pub expiry: Option<Duration>,
    /// What is said of the artifact.
    pub user_metadata: BTreeMap<String, String>,
    /// The envelope's format.
    pub format: Format,
    /// The form of the signature manifest.
    pub form: SignatureManifest,
}

/// Why there is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It could not be made.
    #[error(transparent)]
    Forge(#[from] ForgeError),
    /// What was made does not verify.
    #[error("what was signed does not verify, and is thrown away: {0}")]
    Unsound(Failure),
    /// What was made says something else than was ordered.
    #[error("what was signed says something else than was to be signed, and is thrown away")]
    Other,
    /// The manifest that was made is none.
    #[error("the signature manifest cannot be made: {0}")]
    Manifest(String),
    /// There is no such time.
    #[error("the expiry is later than times can be written")]
    Expiry,
    /// The plugin that holds the key did not sign, or not as the contract says.
    #[error(transparent)]
    Plugin(#[from] PluginKeyError),
}

/// A signature that was made and is not written into its envelope yet, so that its time can be stamped.
#[derive(Debug)]
pub struct Unsealed<'a> {
    pub(super) order: &'a Order,
    pub(super) statement: Statement,
    pub(super) draft: Draft,
    /// The primitive signature, which `draft` carries.
    pub(super) signature: Vec<u8>,
    /// The certificates of the key that made it.
    pub(super) chain: Chain,
}

/// An envelope that is signed and may still get a time stamp.
#[derive(Debug)]
pub(super) enum Draft {
    Jws(Box<JwsDraft>),
    Cose(Box<CoseDraft>),
}

/// Signs `order` with `key`: what is to be written beside the artifact. The envelope has been verified.
///
/// # Errors
///
/// Why there is no signature.
pub fn seal(key: &SigningKey, order: &Order) -> Result<Attachment, SealError> {
    begin(key, order)?.seal(None)
}

/// Signs `order` with `key`.
///
/// # Errors
///
/// Why there is no signature.
pub fn begin<'a>(key: &SigningKey, order: &'a Order) -> Result<Unsealed<'a>, SealError> {
    let statement = statement(order)?;
    let (draft, signature) = match order.format {
        Format::Jws => {
            let mut draft = statement.jws(&key.signer)?;
            let signature = draft.fix_signature()?;
            (Draft::Jws(Box::new(draft)), signature)
        }
        Format::Cose => {
            let mut draft = statement.cose(&key.signer)?;
            let signature = draft.fix_signature()?;
            (Draft::Cose(Box::new(draft)), signature)
        }
    };
    Ok(Unsealed { order, statement, draft, signature, chain: key.chain().clone() })
}

impl Unsealed<'_> {
    /// The primitive signature: what a time stamp is made of.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The certificates of the key that made it.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Writes the envelope, with a time stamp if there is one, and verifies it: what is to be written beside the artifact.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub fn seal(self, token: Option<&Token>) -> Result<Attachment, SealError> {
        let order = self.order;
        let chain: Vec<Vec<u8>> = self.chain.certificates().iter().map(|held| held.der().to_vec()).collect();
        let envelope = self.envelope(token)?;
        let (media_type, notes) = (order.format.media_type(), BTreeMap::new());
        let artifact = Artifact::annotated_signature(order.form, &order.target, media_type, &envelope, &chain, notes);
        attachment(artifact, &order.target)
    }

    /// The same without a manifest: the envelope alone, verified, as it is kept beside a blob. The form of the manifest that
    /// was ordered is not looked at.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub fn envelope(self, token: Option<&Token>) -> Result<Vec<u8>, SealError> {
        let Unsealed { order, statement, draft, .. } = self;
        let envelope = match draft {
            Draft::Jws(mut draft) => {
                token.iter().for_each(|token| draft.set_timestamp(&token.0));
                draft.seal()?
            }
            Draft::Cose(mut draft) => {
                token.iter().for_each(|token| draft.set_timestamp(&token.0));
                draft.seal()?
            }
        };
        check(&envelope, order, &statement, token)?;
        Ok(envelope)
    }
}

/// What `order` wants to be said.
pub(super) fn statement(order: &Order) -> Result<Statement, SealError> {
    let at = order.at.replace_nanosecond(0).unwrap_or(order.at);
    let expiry = order.expiry.map(|expiry| at.checked_add(expiry).ok_or(SealError::Expiry)).transpose()?;
    let Descriptor { media_type, digest, size, .. } = &order.target;
    let mut target = Descriptor::new(media_type, *digest, *size);
    target.annotations = order.user_metadata.clone();
    let mut statement = Statement::new(target, at);
    statement.expiry = expiry;
    statement.signing_agent = Some(concat!("muster/", env!("CARGO_PKG_VERSION")).to_owned());
    Ok(statement)
}

/// Verifies what was signed by the parsers that judge everybody's signatures, and compares what it says.
pub(super) fn check(
    envelope: &[u8],
    order: &Order,
    statement: &Statement,
    token: Option<&Token>,
) -> Result<(), SealError> {
    let media_type = order.format.media_type();
    let verified = envelope::verify(media_type, envelope, &ChainCache::new()).map_err(SealError::Unsound)?;
    let target = &verified.payload.target;
    let as_ordered = target.media_type == order.target.media_type
        && target.digest == order.target.digest
        && target.size == order.target.size
        && target.annotations == order.user_metadata
        && verified.signer.signing_time == statement.signing_time
        && verified.signer.expiry == statement.expiry
        && verified.signer.timestamp_token.as_ref() == token;
    if as_ordered { Ok(()) } else { Err(SealError::Other) }
}

pub(super) fn attachment(artifact: Artifact, subject: &Descriptor) -> Result<Attachment, SealError> {
    let content = |blob: Blob| Content { descriptor: blob.descriptor, bytes: blob.bytes.into() };
    let mut written = content(artifact.manifest);
    let read = manifest::parse(&written.bytes, &written.descriptor.media_type)
        .map_err(|error| SealError::Manifest(error.to_string()))?;
    written.descriptor.artifact_type = read.artifact_type().map(str::to_owned);
    written.descriptor.annotations = read.annotations().cloned().unwrap_or_default();
    // The envelope before the configuration, which stands there already more often than not.
    let blobs = artifact.blobs.into_iter().rev().map(content).collect();
    Ok(Attachment { subject: subject.digest, manifest: written, blobs })
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::digest::Digest;
    use crate::forge::{Authority, Key, KeyKind, LeafRequest, SignatureForm, Signer};

    fn signer() -> Signer {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
        root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", key(0)).unwrap()).unwrap()
    }

    fn order() -> Order {
        Order {
            target: Descriptor::new("application/x", Digest::sha256(b"x"), 1),
            at: datetime!(2026-11-23 12:00 UTC),
            expiry: None,
            user_metadata: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
            format: Format::Jws,
            form: SignatureManifest::ArtifactType,
        }
    }

    fn statement(order: &Order) -> Statement {
        let mut target = order.target.clone();
        target.annotations = order.user_metadata.clone();
        Statement::new(target, order.at)
    }

    #[test]
    fn what_says_something_else_is_thrown_away() {
        let order = order();
        let intended = statement(&order);
        let checked = |change: fn(&mut Statement)| {
            let mut statement = statement(&order);
            change(&mut statement);
            check(&statement.jws(&signer()).unwrap().seal().unwrap(), &order, &intended, None)
        };
        assert_eq!(checked(|_| {}), Ok(()));
        let changes: [fn(&mut Statement); 6] = [
            |statement| statement.target.media_type.push('y'),
            |statement| statement.target.digest = Digest::sha256(b"y"),
            |statement| statement.target.size += 1,
            |statement| statement.target.annotations.clear(),
            |statement| statement.signing_time += Duration::SECOND,
            |statement| statement.expiry = Some(statement.signing_time + Duration::HOUR),
        ];
        for change in changes {
            assert_eq!(checked(change), Err(SealError::Other));
        }
        let token = Token(b"token".to_vec());
        let envelope = intended.jws(&signer()).unwrap().seal().unwrap();
        assert_eq!(check(&envelope, &order, &intended, Some(&token)), Err(SealError::Other));
    }

    #[test]
    fn what_does_not_verify_is_thrown_away() {
        let order = order();
        let mut draft = statement(&order).jws(&signer()).unwrap();
        draft.signature = SignatureForm::By(Key::pooled(KeyKind::P256, 2).unwrap());
        let refused = check(&draft.seal().unwrap(), &order, &statement(&order), None);
        assert!(matches!(refused, Err(SealError::Unsound(_))), "{refused:?}");
    }
}

//! The signature: made, verified, and put into its manifest.

use std::collections::BTreeMap;

use time::{Duration, OffsetDateTime};

use super::key::{KeyError, SigningKey, check_validity};
use super::plugin_key::PluginKeyError;
use crate::encode::{Artifact, Blob, EncodeError, Finished, Prepared, SignatureManifest, Statement};
use crate::envelope::{self, Format, SigningScheme};
use crate::failure::Failure;
use crate::manifest::{self, Descriptor};
use crate::pki::{Chain, ChainCache};
use crate::signer::SignerError;
use crate::signer::tsb::TsbError;
use crate::source::{Attachment, Content};
use crate::timestamp::Token;

/// The signing agent of signatures whose key is not behind a plugin.
pub(super) const AGENT: &str = concat!("muster/", env!("CARGO_PKG_VERSION"));

/// What is to be signed, and how.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SignRequest {
    /// The artifact: media type, digest and size.
    pub target: Descriptor,
    /// When the artifact is signed; fractions of a second are cut off.
    pub at: OffsetDateTime,
    /// How long the signature is valid; without it, it does not expire.
    pub expiry: Option<Duration>,
    /// The user metadata: annotations of the signed descriptor.
    pub user_metadata: BTreeMap<String, String>,
    /// The envelope's format.
    pub format: Format,
    /// The form of the signature manifest.
    pub form: SignatureManifest,
    /// What the artifact is called: told to those who approve, and not signed.
    pub name: Option<String>,
    /// What is written as the program that signs, where it is not this one.
    pub(super) agent: Option<String>,
}

impl SignRequest {
    /// A request to sign `target` as of `at`: a JWS without expiry and user metadata, in the manifest of OCI 1.1.
    pub fn new(target: Descriptor, at: OffsetDateTime) -> SignRequest {
        SignRequest {
            target,
            at,
            expiry: None,
            user_metadata: BTreeMap::new(),
            format: Format::Jws,
            form: SignatureManifest::ArtifactType,
            name: None,
            agent: None,
        }
    }
}

/// Why there is no signature.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key's certificates are not valid at the time of the request.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The envelope cannot be written.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The key did not sign.
    #[error(transparent)]
    Signer(#[from] SignerError),
    /// What was made does not verify.
    #[error("what was signed does not verify, and is thrown away: {0}")]
    Unsound(Failure),
    /// The envelope differs from what was requested.
    #[error("what was signed says something else than was to be signed, and is thrown away")]
    Other,
    /// The signature manifest cannot be read back.
    #[error("the signature manifest cannot be made: {0}")]
    Manifest(String),
    /// The time of expiry cannot be written.
    #[error("the expiry is later than times can be written")]
    Expiry,
    /// The plugin that holds the key did not sign, or not as the contract says.
    #[error(transparent)]
    Plugin(#[from] PluginKeyError),
    /// The broker of the key gave no signature.
    #[error(transparent)]
    Approval(#[from] TsbError),
    /// What was prepared before cannot be prepared again.
    #[error(
        "what the request is for cannot be prepared again byte by byte: another version of muster has made it; continue it with that \
         version, or take it back with --cancel and sign again"
    )]
    NotRepeatable,
}

/// An envelope that is signed and not written yet, so that a time stamp can still be put in.
#[derive(Debug)]
pub struct UnfinishedEnvelope<'a> {
    pub(super) request: &'a SignRequest,
    pub(super) statement: Statement,
    pub(super) finished: Finished,
    /// The certificates of the key that signed.
    pub(super) chain: Chain,
}

/// Signs `request` with `key`: what is to be written beside the artifact. The envelope has been verified.
///
/// # Errors
///
/// Why there is no signature.
pub fn sign(key: &SigningKey, request: &SignRequest) -> Result<Attachment, SignError> {
    begin(key, request)?.finish(None)
}

/// Signs `request` with `key`.
///
/// # Errors
///
/// Why there is no signature.
pub fn begin<'a>(key: &SigningKey, request: &'a SignRequest) -> Result<UnfinishedEnvelope<'a>, SignError> {
    let unsigned = UnsignedEnvelope::prepare(key.chain(), request)?;
    let signature = key.private.sign(unsigned.message())?;
    Ok(unsigned.signed(signature))
}

/// An envelope that is to be signed by the key of its chain.
#[derive(Debug)]
pub struct UnsignedEnvelope<'a> {
    request: &'a SignRequest,
    statement: Statement,
    prepared: Prepared,
    chain: Chain,
    message: Vec<u8>,
}

impl<'a> UnsignedEnvelope<'a> {
    /// What `request` wants signed by the key of `chain`.
    ///
    /// # Errors
    ///
    /// Why it cannot be signed.
    pub fn prepare(chain: &Chain, request: &'a SignRequest) -> Result<UnsignedEnvelope<'a>, SignError> {
        // The key may have been opened long before, or for another time.
        check_validity(chain, request.at)?;
        let statement = statement(request, request.agent.as_deref().unwrap_or(AGENT))?;
        let prepared = Prepared::new(request.format, &statement, chain.signing_key().kind())?;
        let message = prepared.to_be_signed();
        Ok(UnsignedEnvelope { request, statement, prepared, chain: chain.clone(), message })
    }

    /// The bytes that are signed, whole and unhashed.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The envelope with its signature, which is checked when the envelope is written.
    pub fn signed(self, signature: Vec<u8>) -> UnfinishedEnvelope<'a> {
        let UnsignedEnvelope { request, statement, prepared, chain, .. } = self;
        UnfinishedEnvelope { request, statement, finished: prepared.finish(signature, &ders(&chain)), chain }
    }
}

/// The certificates in DER, as envelopes hold them.
pub(super) fn ders(chain: &Chain) -> Vec<Vec<u8>> {
    chain.certificates().iter().map(|held| held.der().to_vec()).collect()
}

impl UnfinishedEnvelope<'_> {
    /// The primitive signature: what a time stamp is made of.
    pub fn signature(&self) -> &[u8] {
        self.finished.signature()
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
    pub fn finish(self, token: Option<&Token>) -> Result<Attachment, SignError> {
        let request = self.request;
        let chain = ders(&self.chain);
        let envelope = self.envelope(token)?;
        let (media_type, notes) = (request.format.media_type(), BTreeMap::new());
        let artifact =
            Artifact::annotated_signature(request.form, &request.target, media_type, &envelope, &chain, notes);
        attachment(artifact, &request.target)
    }

    /// The same without a manifest: the envelope alone, verified, as it is kept beside a blob. The form of the manifest that
    /// was requested is ignored.
    ///
    /// # Errors
    ///
    /// Why there is no signature.
    pub fn envelope(self, token: Option<&Token>) -> Result<Vec<u8>, SignError> {
        let UnfinishedEnvelope { request, statement, finished, .. } = self;
        let finished = match token {
            Some(token) => finished.with_timestamp(&token.0),
            None => finished,
        };
        let envelope = finished.envelope();
        check(&envelope, request, &statement, token)?;
        Ok(envelope)
    }
}

/// What a signature of `request` says; `agent` is the program that signs.
pub(super) fn statement(request: &SignRequest, agent: &str) -> Result<Statement, SignError> {
    let at = request.at.replace_nanosecond(0).unwrap_or(request.at);
    let expiry = request.expiry.map(|expiry| at.checked_add(expiry).ok_or(SignError::Expiry)).transpose()?;
    let Descriptor { media_type, digest, size, .. } = &request.target;
    let mut target = Descriptor::new(media_type, *digest, *size);
    target.annotations = request.user_metadata.clone();
    Ok(Statement {
        target,
        scheme: SigningScheme::X509,
        signing_time: at,
        expiry,
        attributes: Vec::new(),
        signing_agent: Some(agent.to_owned()),
    })
}

/// Verifies what was signed by the parsers that judge all signatures, and compares its content with the request.
pub(super) fn check(
    envelope: &[u8],
    request: &SignRequest,
    statement: &Statement,
    token: Option<&Token>,
) -> Result<(), SignError> {
    let media_type = request.format.media_type();
    let verified = envelope::verify(media_type, envelope, &ChainCache::new()).map_err(SignError::Unsound)?;
    let target = &verified.payload.target;
    let as_requested = target.media_type == request.target.media_type
        && target.digest == request.target.digest
        && target.size == request.target.size
        && target.annotations == request.user_metadata
        && verified.signer.signing_time == statement.signing_time
        && verified.signer.expiry == statement.expiry
        && verified.signer.timestamp_token.as_ref() == token;
    if as_requested { Ok(()) } else { Err(SignError::Other) }
}

pub(super) fn attachment(artifact: Artifact, subject: &Descriptor) -> Result<Attachment, SignError> {
    let content = |blob: Blob| Content { descriptor: blob.descriptor, bytes: blob.bytes };
    let mut written = content(artifact.manifest);
    let read = manifest::parse(&written.bytes, &written.descriptor.media_type)
        .map_err(|error| SignError::Manifest(error.to_string()))?;
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
    use crate::forge::{Authority, Key, KeyKind, LeafRequest, SignatureForm, Signer, pem};
    use crate::signer::Environment;

    fn signer() -> Signer {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=acme, CN=root", key(1)).unwrap();
        root.issue(LeafRequest::new("C=US, ST=WA, O=acme, CN=leaf", key(0)).unwrap()).unwrap()
    }

    fn request() -> SignRequest {
        let target = Descriptor::new("application/x", Digest::sha256(b"x"), 1);
        let mut request = SignRequest::new(target, datetime!(2026-11-23 12:00 UTC));
        request.user_metadata.insert("a".to_owned(), "b".to_owned());
        request
    }

    fn statement(request: &SignRequest) -> Statement {
        let mut target = request.target.clone();
        target.annotations = request.user_metadata.clone();
        Statement::new(target, request.at)
    }

    #[test]
    fn what_says_something_else_is_thrown_away() {
        let request = request();
        let intended = statement(&request);
        let checked = |change: fn(&mut Statement)| {
            let mut statement = statement(&request);
            change(&mut statement);
            check(&statement.jws(&signer()).unwrap().seal().unwrap(), &request, &intended, None)
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
            assert_eq!(checked(change), Err(SignError::Other));
        }
        let token = Token(b"token".to_vec());
        let envelope = intended.jws(&signer()).unwrap().seal().unwrap();
        assert_eq!(check(&envelope, &request, &intended, Some(&token)), Err(SignError::Other));
    }

    /// The key may have been opened for another time than that of the request.
    #[test]
    fn no_signature_is_made_at_a_time_at_which_the_certificates_are_not_valid() {
        let folder = tempfile::tempdir().unwrap();
        let signer = signer();
        let (key, chain) = (folder.path().join("a.key"), folder.path().join("a.crt"));
        std::fs::write(&key, pem("PRIVATE KEY", &signer.key.pkcs8().unwrap())).unwrap();
        std::fs::write(&chain, signer.chain.iter().flat_map(|der| pem("CERTIFICATE", der)).collect::<Vec<u8>>())
            .unwrap();
        let request = request();
        let key = SigningKey::open(key.to_str().unwrap(), &chain, &Environment::default(), request.at).unwrap();
        assert!(sign(&key, &request).is_ok());
        for at in [datetime!(2019-12-31 23:59:59 UTC), datetime!(2060-01-01 0:00:01 UTC)] {
            let refused = sign(&key, &SignRequest { at, ..request.clone() });
            assert!(matches!(refused, Err(SignError::Key(KeyError::NotValid { .. }))), "{at}: {refused:?}");
        }
    }

    #[test]
    fn what_does_not_verify_is_thrown_away() {
        let request = request();
        let mut draft = statement(&request).jws(&signer()).unwrap();
        draft.signature = SignatureForm::By(Key::pooled(KeyKind::P256, 2).unwrap());
        let refused = check(&draft.seal().unwrap(), &request, &statement(&request), None);
        assert!(matches!(refused, Err(SignError::Unsound(_))), "{refused:?}");
    }
}

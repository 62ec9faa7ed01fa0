//! Signing in a scenario: a statement about an artifact, sealed in an envelope, sound or with the signer's own defects.

use serde_json::json;
use time::OffsetDateTime;

use super::plan::Signing;
use super::words::{Format, SigningDefect};
use crate::digest::Digest;
use crate::forge::{
    Artifact, Attribute, Cbor, CoseDraft, ForgeError, JwsDraft, Key, KeyKind, SignatureForm, Signer, Statement,
};
use crate::manifest::Descriptor;

/// The slot of the key that signs in the place of another's.
const IMPOSTOR: usize = 999;

/// A signature of `subject` at `now`, with its manifest.
pub(super) fn sign(
    signing: &Signing,
    signer: &Signer,
    subject: &Descriptor,
    now: OffsetDateTime,
) -> Result<Artifact, ForgeError> {
    let statement = statement(signing, subject, now);
    let envelope = match signing.format {
        Format::Jws => {
            let mut draft = statement.jws(signer)?;
            signing.defects.iter().try_for_each(|defect| spoil_jws(&mut draft, *defect))?;
            draft.seal()?
        }
        Format::Cose => {
            let mut draft = statement.cose(signer)?;
            signing.defects.iter().try_for_each(|defect| spoil_cose(&mut draft, *defect))?;
            draft.seal()?
        }
    };
    Ok(Artifact::signature(signing.manifest.form(), subject, signing.format.media_type(), &envelope, signer))
}

fn statement(signing: &Signing, subject: &Descriptor, now: OffsetDateTime) -> Statement {
    let target = Descriptor { annotations: signing.user_metadata.clone(), ..subject.clone() };
    let signed_at = now + signing.signed_at;
    let mut statement = Statement::new(target, signed_at);
    statement.scheme = signing.scheme.scheme();
    statement.expiry = signing.expires.map(|span| signed_at + span);
    if let Some(plugin) = &signing.plugin {
        statement.attributes.push(critical("io.cncf.notary.verificationPlugin", plugin));
    }
    for defect in &signing.defects {
        match defect {
            SigningDefect::UnknownCriticalAttribute => {
                statement.attributes.push(critical("com.example.unheard-of", "yes"));
            }
            SigningDefect::ExpiryBeforeSigning => statement.expiry = Some(signed_at - time::Duration::HOUR),
            SigningDefect::PayloadDigest => statement.target.digest = Digest::sha256(b"something else"),
            SigningDefect::PayloadMediaType => statement.target.media_type = "application/octet-stream".to_owned(),
            SigningDefect::PayloadSize => statement.target.size += 1,
            _ => {}
        }
    }
    statement
}

fn critical(name: &str, value: &str) -> Attribute {
    Attribute { name: name.to_owned(), value: value.to_owned(), critical: true }
}

const SCHEME: &str = "io.cncf.notary.signingScheme";
const SIGNING_TIME: &str = "io.cncf.notary.signingTime";

fn spoil_jws(draft: &mut JwsDraft, defect: SigningDefect) -> Result<(), ForgeError> {
    let text = |text: &str| json!(text).to_string();
    match defect {
        SigningDefect::WrongAlgorithm => draft.protected.set("alg", text(other(&draft.key).jws_algorithm())),
        SigningDefect::UnknownAlgorithm => draft.protected.set("alg", text("HS256")),
        SigningDefect::NoCriticalList => draft.protected.remove("crit"),
        SigningDefect::WrongContentType => draft.protected.set("cty", text("text/plain")),
        SigningDefect::UnknownScheme => draft.protected.set(SCHEME, text("notary.unheard-of")),
        SigningDefect::NoSigningTime => draft.protected.remove(SIGNING_TIME),
        SigningDefect::PayloadNotJson => draft.payload = b"no JSON".to_vec(),
        SigningDefect::NoChain => draft.header.remove("x5c"),
        SigningDefect::AnotherKey => draft.signature = SignatureForm::By(impostor(&draft.key)?),
        _ => {}
    }
    Ok(())
}

fn spoil_cose(draft: &mut CoseDraft, defect: SigningDefect) -> Result<(), ForgeError> {
    match defect {
        SigningDefect::WrongAlgorithm => {
            let algorithm = other(&draft.key).cose_algorithm();
            draft.set(CoseDraft::ALGORITHM, Cbor::Integer(algorithm));
        }
        // RSASSA-PKCS1-v1_5 with SHA-256.
        SigningDefect::UnknownAlgorithm => draft.set(CoseDraft::ALGORITHM, Cbor::Integer(-257)),
        SigningDefect::NoCriticalList => draft.remove(&CoseDraft::CRITICAL),
        SigningDefect::WrongContentType => draft.set(CoseDraft::CONTENT_TYPE, Cbor::text("text/plain")),
        SigningDefect::UnknownScheme => draft.set(Cbor::text(SCHEME), Cbor::text("notary.unheard-of")),
        SigningDefect::NoSigningTime => draft.remove(&Cbor::text(SIGNING_TIME)),
        SigningDefect::PayloadNotJson => draft.payload = b"no JSON".to_vec(),
        SigningDefect::NoChain => draft.unprotected.retain(|(label, _)| *label != CoseDraft::CHAIN),
        SigningDefect::AnotherKey => draft.signature = SignatureForm::By(impostor(&draft.key)?),
        _ => {}
    }
    Ok(())
}

/// A kind of key that `key` is not.
fn other(key: &Key) -> KeyKind {
    if key.kind() == KeyKind::P384 { KeyKind::P256 } else { KeyKind::P384 }
}

fn impostor(key: &Key) -> Result<Key, ForgeError> {
    Key::pooled(key.kind(), IMPOSTOR)
}

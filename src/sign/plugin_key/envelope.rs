//! A plugin that makes whole envelopes: `generate-envelope`. Muster says what is to be signed, and checks what was.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use time::Duration;

use super::super::key::{KeyError, check_validity};
use super::super::signature::{AGENT, SignError, SignRequest, attachment, ders, statement};
use super::{PluginKey, PluginKeyError};
use crate::encode::Artifact;
use crate::envelope::{self, PAYLOAD_MEDIA_TYPE, VerifiedEnvelope};
use crate::failure::quote;
use crate::pki::ChainCache;
use crate::plugin::{CONTRACT_VERSION, Command, GenerateEnvelopeRequest, GenerateEnvelopeResponse};
use crate::source::Attachment;

const COMMAND: Command = Command::GenerateEnvelope;

/// Has the envelope made, and verifies it.
pub(super) async fn sign(key: &PluginKey, request: &SignRequest) -> Result<Attachment, SignError> {
    let media_type = request.format.media_type();
    let command = GenerateEnvelopeRequest {
        contract_version: CONTRACT_VERSION.to_owned(),
        key_id: key.id.clone(),
        payload_type: PAYLOAD_MEDIA_TYPE.to_owned(),
        signature_envelope_type: media_type.to_owned(),
        payload: STANDARD.encode(statement(request, AGENT)?.payload()),
        expiry_duration_in_seconds: request.expiry.and_then(|expiry| u64::try_from(expiry.whole_seconds()).ok()),
        plugin_config: key.config.clone(),
    };
    let answer: GenerateEnvelopeResponse = key.ask(COMMAND, &command).await?;
    let wrong = |reason: String| SignError::Plugin(key.wrong(COMMAND, reason));
    if answer.signature_envelope_type != media_type {
        let stated = quote(&answer.signature_envelope_type);
        return Err(wrong(format!("an envelope of the type {media_type} is wanted, and the answer states {stated}")));
    }
    let bytes = key.decoded(COMMAND, "signatureEnvelope", &answer.signature_envelope)?;
    let verified = envelope::verify(media_type, &bytes, &ChainCache::new()).map_err(SignError::Unsound)?;
    check(&verified, request).map_err(wrong)?;
    check_validity(&verified.chain, request.at).map_err(|error| of_key(key, error))?;
    let chain = ders(&verified.chain);
    let notes: BTreeMap<String, String> = answer.annotations;
    let artifact = Artifact::annotated_signature(request.form, &request.target, media_type, &bytes, &chain, notes);
    attachment(artifact, &request.target)
}

fn of_key(key: &PluginKey, error: KeyError) -> PluginKeyError {
    PluginKeyError::Key { plugin: quote(key.plugin.name.as_str()), error: Box::new(error) }
}

/// Whether `envelope` says what was requested. More annotations are allowed, as the contract has it, and an expiry that is
/// sooner, or where none was requested; unknown members are not.
fn check(envelope: &VerifiedEnvelope, request: &SignRequest) -> Result<(), String> {
    let target = &envelope.payload.target;
    let wanted = &request.target;
    if (target.digest, target.size, &target.media_type) != (wanted.digest, wanted.size, &wanted.media_type) {
        return Err("the envelope speaks of another artifact".to_owned());
    }
    let signed = |(name, value): (&String, &String)| target.annotations.get(name) == Some(value);
    if let Some((name, _)) = request.user_metadata.iter().find(|wanted| !signed(*wanted)) {
        return Err(format!("the envelope does not say the user metadata {} as ordered", quote(name)));
    }
    if let Some(unknown) = envelope.payload.unknown.first() {
        return Err(format!("the following unknown attributes were added to the payload: {unknown}"));
    }
    if let Some(duration) = request.expiry {
        let latest = envelope.signer.signing_time.checked_add(duration.saturating_add(Duration::SECOND));
        match (envelope.signer.expiry, latest) {
            (Some(expiry), Some(latest)) if expiry <= latest => {}
            (Some(_), _) => return Err("the envelope expires later than ordered".to_owned()),
            (None, _) => return Err("the envelope never expires, and an expiry was ordered".to_owned()),
        }
    }
    Ok(())
}

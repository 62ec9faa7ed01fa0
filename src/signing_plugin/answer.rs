//! The three commands: what is answered to each.
//!
//! Follows *plugin-extensibility*, Plugin metadata and Signature Generator (RAW). Keys are never made here, whatever they
//! are called: a key that is misspelt does not exist.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use time::OffsetDateTime;

use super::error::Refusal;
use super::{About, Keys, Wanted, request};
use crate::failure::quote;
use crate::pki::KeyKind;
use crate::plugin::{
    CONTRACT_VERSION, Command, DescribeKeyResponse, GENERATOR_RAW, GenerateSignatureRequest, GenerateSignatureResponse,
    Metadata, binary, hash_algorithm, key_kind, key_spec, signing_algorithm,
};

/// The command that is meant, if it is one that is answered.
pub(super) fn command(word: &str) -> Result<Command, Refusal> {
    let known = [Command::GetPluginMetadata, Command::DescribeKey, Command::GenerateSignature];
    known.into_iter().find(|command| command.as_str() == word).ok_or_else(|| {
        let known: Vec<_> = known.iter().map(|command| command.as_str()).collect();
        Refusal::validation(format!("there is no command {}: there are {}", quote(word), known.join(", ")))
    })
}

/// Answers `request` in JSON.
pub(crate) fn answer(
    command: Command,
    request: &[u8],
    about: &About,
    keys: &dyn Keys,
    now: OffsetDateTime,
) -> Result<Vec<u8>, Refusal> {
    match command {
        Command::GetPluginMetadata => {
            request::metadata(request)?;
            encoded(&metadata(about))
        }
        Command::DescribeKey => encoded(&describe_key(request, keys, now)?),
        Command::GenerateSignature => encoded(&generate_signature(request, keys, now)?),
        other @ (Command::GenerateEnvelope | Command::VerifySignature) => {
            Err(Refusal::validation(format!("the command {} is not for this plugin", other.as_str())))
        }
    }
}

fn encoded(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|error| Refusal::general(format!("the answer cannot be written: {error}")))
}

/// What the plugin is; it takes no key to know that.
fn metadata(about: &About) -> Metadata {
    Metadata {
        name: about.name.to_owned(),
        description: about.description.to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: concat!("https://crates.io/crates/", env!("CARGO_PKG_NAME")).to_owned(),
        supported_contract_versions: vec![CONTRACT_VERSION.to_owned()],
        capabilities: vec![GENERATOR_RAW.to_owned()],
    }
}

fn describe_key(request: &[u8], keys: &dyn Keys, now: OffsetDateTime) -> Result<DescribeKeyResponse, Refusal> {
    let request = request::describe_key(request)?;
    let kind = keys.describe(&request.key_id, &request.plugin_config, now)?;
    Ok(DescribeKeyResponse { key_id: request.key_id, key_spec: key_spec(kind).to_owned() })
}

fn generate_signature(
    request: &[u8],
    keys: &dyn Keys,
    now: OffsetDateTime,
) -> Result<GenerateSignatureResponse, Refusal> {
    let request = request::generate_signature(request)?;
    let kind = wanted_kind(&request)?;
    // Its content is not looked at; that it is JSON or CBOR is for the host to know.
    let payload = binary::decode(&request.payload)
        .map_err(|_| Refusal::validation("the payload is not base64 (RFC 4648, section 4, with padding)"))?;
    let wanted = Wanted { key_id: &request.key_id, config: &request.plugin_config, kind, payload: &payload };
    let signed = keys.sign(&wanted, now)?;
    Ok(GenerateSignatureResponse {
        signature: STANDARD.encode(signed.signature),
        signing_algorithm: signing_algorithm(kind).to_owned(),
        certificate_chain: signed.chain.certificates().iter().map(|held| STANDARD.encode(held.der())).collect(),
        key_id: request.key_id,
    })
}

/// Checks that the key is of the kind that the request expects.
pub(crate) fn check_kind(kind: KeyKind, wanted: KeyKind) -> Result<(), Refusal> {
    if kind == wanted {
        return Ok(());
    }
    Err(Refusal::validation(format!(
        "the key is {}, and the request says keySpec {}: ask describe-key what it is",
        key_spec(kind),
        key_spec(wanted)
    )))
}

/// The kind of key that the request expects, its hash being the one that belongs to it.
fn wanted_kind(request: &GenerateSignatureRequest) -> Result<KeyKind, Refusal> {
    let kind = key_kind(&request.key_spec).ok_or_else(|| {
        let known: Vec<_> = KeyKind::ALL.into_iter().map(key_spec).collect();
        Refusal::validation(format!(
            "the keySpec {} is unknown: there are {}",
            quote(&request.key_spec),
            known.join(", ")
        ))
    })?;
    if request.hash_algorithm == hash_algorithm(kind) {
        return Ok(kind);
    }
    Err(Refusal::validation(format!(
        "the hashAlgorithm {} does not belong to the keySpec {}: that is {}",
        quote(&request.hash_algorithm),
        key_spec(kind),
        hash_algorithm(kind)
    )))
}

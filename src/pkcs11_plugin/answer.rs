//! The three commands: what is answered to each.
//!
//! Follows *plugin-extensibility*, Plugin metadata and Signature Generator (RAW). Keys are never made here, whatever they
//! are called: a key that is misspelt does not exist.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use time::OffsetDateTime;

use super::certificates;
use super::error::Refusal;
use super::settings::Settings;
use super::{NAME, key, request};
use crate::failure::quote;
use crate::pki::KeyKind;
use crate::plugin::{
    CONTRACT_VERSION, Command, DescribeKeyResponse, GENERATOR_RAW, GenerateSignatureRequest, GenerateSignatureResponse,
    Metadata, binary, hash_algorithm, key_kind, key_spec, signing_algorithm,
};
use crate::sign::SigningChain;
use crate::signer::{Environment, PrivateKey as _};

/// The command that is meant, if it is one that is answered.
pub(super) fn command(word: &str) -> Result<Command, Refusal> {
    let known = [Command::GetPluginMetadata, Command::DescribeKey, Command::GenerateSignature];
    known.into_iter().find(|command| command.as_str() == word).ok_or_else(|| {
        let known: Vec<_> = known.iter().map(|command| command.as_str()).collect();
        Refusal::validation(format!("there is no command {}: there are {}", quote(word), known.join(", ")))
    })
}

/// Answers `request` in JSON.
pub(super) fn answer(
    command: Command,
    request: &[u8],
    environment: &Environment,
    now: OffsetDateTime,
) -> Result<Vec<u8>, Refusal> {
    match command {
        Command::GetPluginMetadata => {
            request::metadata(request)?;
            encoded(&metadata())
        }
        Command::DescribeKey => encoded(&describe_key(request, environment, now)?),
        Command::GenerateSignature => encoded(&generate_signature(request, environment, now)?),
        other @ (Command::GenerateEnvelope | Command::VerifySignature) => {
            Err(Refusal::validation(format!("the command {} is not for this plugin", other.as_str())))
        }
    }
}

fn encoded(answer: &impl Serialize) -> Result<Vec<u8>, Refusal> {
    serde_json::to_vec(answer).map_err(|error| Refusal::general(format!("the answer cannot be written: {error}")))
}

/// What this plugin is; it takes no token to know that.
fn metadata() -> Metadata {
    Metadata {
        name: NAME.to_owned(),
        description: "Signs with keys in PKCS #11 tokens".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        url: concat!("https://crates.io/crates/", env!("CARGO_PKG_NAME")).to_owned(),
        supported_contract_versions: vec![CONTRACT_VERSION.to_owned()],
        capabilities: vec![GENERATOR_RAW.to_owned()],
    }
}

fn describe_key(
    request: &[u8],
    environment: &Environment,
    now: OffsetDateTime,
) -> Result<DescribeKeyResponse, Refusal> {
    let request = request::describe_key(request)?;
    let settings = Settings::read(&request.plugin_config)?;
    let chain = settings.certificate_chain.as_deref().map(|path| SigningChain::load(path, now)).transpose()?;
    let key = key::open(&request.key_id, &settings, environment, chain.as_ref())?;
    let key_spec = key_spec(key.verifying_key().kind()).to_owned();
    Ok(DescribeKeyResponse { key_id: request.key_id, key_spec })
}

fn generate_signature(
    request: &[u8],
    environment: &Environment,
    now: OffsetDateTime,
) -> Result<GenerateSignatureResponse, Refusal> {
    let request = request::generate_signature(request)?;
    let settings = Settings::read(&request.plugin_config)?;
    let wanted = wanted_kind(&request)?;
    // Its content is not looked at; that it is JSON or CBOR is for the host to know.
    let payload = binary::decode(&request.payload)
        .map_err(|_| Refusal::validation("the payload is not base64 (RFC 4648, section 4, with padding)"))?;
    // What can be checked without the token is checked first: it is not asked for a PIN in vain.
    let chain = settings.certificate_chain.as_deref().map(|path| SigningChain::load(path, now)).transpose()?;
    let key = key::open(&request.key_id, &settings, environment, chain.as_ref())?;
    let kind = key.verifying_key().kind();
    if kind != wanted {
        return Err(Refusal::validation(format!(
            "the key is {}, and the request says keySpec {}: ask describe-key what it is",
            key_spec(kind),
            key_spec(wanted)
        )));
    }
    let chain = match chain {
        Some(file) => {
            file.check_belongs_to(key.verifying_key())?;
            file.chain().clone()
        }
        None => certificates::of_token(&key, now)?,
    };
    let signature = key.sign(&payload)?;
    Ok(GenerateSignatureResponse {
        key_id: request.key_id,
        signature: STANDARD.encode(signature),
        signing_algorithm: signing_algorithm(kind).to_owned(),
        certificate_chain: chain.certificates().iter().map(|held| STANDARD.encode(held.der())).collect(),
    })
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use time::macros::datetime;

    use super::*;

    const COMMANDS: [Command; 3] = [Command::GetPluginMetadata, Command::DescribeKey, Command::GenerateSignature];

    /// What the contract and the reader of a terminal expect of a refusal.
    fn is_one_sentence(message: &str) -> bool {
        !message.is_empty() && !message.ends_with('.') && !message.contains(crate::failure::is_unprintable)
    }

    fn refusal(command: Command, request: &[u8]) -> Option<String> {
        let now = datetime!(2026-11-23 12:00 UTC);
        answer(command, request, &Environment::default(), now).err().map(|refusal| refusal.message)
    }

    proptest! {
        #[test]
        fn any_bytes_are_refused_in_one_sentence(bytes in any::<Vec<u8>>(), text in any::<String>()) {
            for request in [bytes.as_slice(), text.as_bytes()] {
                for command in COMMANDS {
                    let message = refusal(command, request);
                    prop_assert!(command == Command::GetPluginMetadata || message.is_some());
                    prop_assert!(message.as_deref().is_none_or(is_one_sentence), "{message:?}");
                }
            }
        }

        #[test]
        fn any_values_are_refused_in_one_sentence(
            [id, spec, hash, payload, name, value] in any::<[String; 6]>(),
            uri in any::<bool>(),
            place in prop::sample::select(vec!["certificate-chain", "module", "pin-source", "pin", ""]),
        ) {
            let id = if uri { format!("pkcs11:token=a;object={id}?module-path=/nowhere") } else { id };
            let spec = if spec.len() % 2 == 0 { "EC-256".to_owned() } else { spec };
            let name = if place.is_empty() { name } else { place.to_owned() };
            let request = json!({
                "contractVersion": "1.0", "keyId": id, "keySpec": spec, "hashAlgorithm": hash, "payload": payload,
                "pluginConfig": { name: value },
            });
            for command in [Command::DescribeKey, Command::GenerateSignature] {
                let message = refusal(command, request.to_string().as_bytes());
                prop_assert!(message.as_deref().is_some_and(is_one_sentence), "{message:?}");
            }
        }
    }
}

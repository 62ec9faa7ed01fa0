//! How the plugin signs: RAW, where the host makes the envelope, and ENVELOPE, where the plugin does.

use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::super::{Artifact, Key, KeyKind, SignatureForm, Signer, Statement};
use super::perform::members;
use super::{PluginBehaviour, PluginSigningDefect};
use crate::signer::CertificateChainFile;

/// The place of the key of `another-key` in the pool.
const ANOTHER: usize = usize::MAX - 3;

/// What the plugin signs with.
fn signer(stated: &PluginBehaviour) -> Result<Signer, String> {
    let named = |file: &Option<std::path::PathBuf>| file.clone().ok_or("the plugin has no key and chain".to_owned());
    let read = |path: &Path| std::fs::read(path).map_err(|error| error.to_string());
    let key = Key::from_pem(&read(&named(&stated.key)?)?).map_err(|error| error.to_string())?;
    let chain = CertificateChainFile::load(&named(&stated.chain)?).map_err(|error| error.to_string())?;
    let mut chain: Vec<Vec<u8>> = chain.certificates().iter().map(|certificate| certificate.der().to_vec()).collect();
    match stated.signing_defect {
        Some(PluginSigningDefect::NoRoot) => drop(chain.pop()),
        Some(PluginSigningDefect::NoChain) => chain.clear(),
        Some(PluginSigningDefect::ReversedChain) => chain.reverse(),
        _ => {}
    }
    Ok(Signer { key, chain })
}

/// How the signature is made.
fn form(stated: &PluginBehaviour, kind: KeyKind) -> Result<SignatureForm, String> {
    Ok(match stated.signing_defect {
        Some(PluginSigningDefect::AnotherKey) => {
            SignatureForm::By(Key::pooled(kind, ANOTHER).map_err(|error| error.to_string())?)
        }
        Some(PluginSigningDefect::OfCertificates) => SignatureForm::OfCertificates,
        Some(PluginSigningDefect::WrongSignature) => SignatureForm::Changed(|mut signature| {
            if let Some(byte) = signature.last_mut() {
                *byte ^= 1;
            }
            signature
        }),
        _ => SignatureForm::Sound,
    })
}

/// The contract's words for a key and its algorithm.
fn words(kind: KeyKind) -> (&'static str, &'static str) {
    match kind {
        KeyKind::Rsa2048 => ("RSA-2048", "RSASSA-PSS-SHA-256"),
        KeyKind::Rsa3072 => ("RSA-3072", "RSASSA-PSS-SHA-384"),
        KeyKind::Rsa4096 => ("RSA-4096", "RSASSA-PSS-SHA-512"),
        KeyKind::P256 => ("EC-256", "ECDSA-SHA-256"),
        KeyKind::P384 => ("EC-384", "ECDSA-SHA-384"),
        KeyKind::P521 => ("EC-521", "ECDSA-SHA-512"),
    }
}

/// The answer to `describe-key`.
pub(super) fn described(stated: &PluginBehaviour, request: &Value) -> Result<Map<String, Value>, String> {
    let kind = signer(stated)?.key.kind();
    let spec = match stated.signing_defect {
        Some(PluginSigningDefect::OtherKeySpec) => words(other(kind)).0,
        Some(PluginSigningDefect::UnknownKeySpec) => "ED-25519",
        _ => words(kind).0,
    };
    Ok(members(json!({ "keyId": key_id(stated, request), "keySpec": spec })))
}

/// A kind of key that this one is not.
fn other(kind: KeyKind) -> KeyKind {
    if kind == KeyKind::P384 { KeyKind::P256 } else { KeyKind::P384 }
}

/// The key of which an answer speaks.
fn key_id(stated: &PluginBehaviour, request: &Value) -> Value {
    match stated.signing_defect {
        Some(PluginSigningDefect::OtherKeyId) => json!("another"),
        _ => request["keyId"].clone(),
    }
}

/// The answer to `generate-signature`.
pub(super) fn signature(stated: &PluginBehaviour, request: &Value) -> Result<Map<String, Value>, String> {
    let signer = signer(stated)?;
    let kind = signer.key.kind();
    let (_, algorithm) = match stated.signing_defect {
        Some(PluginSigningDefect::OtherAlgorithm) => words(other(kind)),
        _ => words(kind),
    };
    let form = form(stated, kind)?;
    let signature = signer.key.sign_as(&payload(request)?, &form).map_err(|error| error.to_string())?;
    let chain: Vec<String> = signer.chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
    Ok(members(json!({
        "keyId": key_id(stated, request),
        "signature": STANDARD.encode(signature),
        "signingAlgorithm": algorithm,
        "certificateChain": chain,
    })))
}

/// The answer to `generate-envelope`.
pub(super) fn envelope(stated: &PluginBehaviour, request: &Value) -> Result<Map<String, Value>, String> {
    let signer = signer(stated)?;
    let at = OffsetDateTime::parse(&stated.signing_time, &Rfc3339).map_err(|error| error.to_string())?;
    // Of an artifact that the payload of the request replaces.
    let mut statement = Statement::new(Artifact::image("by a plugin").descriptor().clone(), at);
    statement.signing_agent = Some("notation-plugin-for-tests/1.0.0".to_owned());
    if let Some(seconds) = request["expiryDurationInSeconds"].as_i64().filter(|seconds| *seconds > 0) {
        statement.expiry = Some(at.checked_add(Duration::seconds(seconds)).ok_or("the expiry is too late")?);
    }
    let payload = match stated.signing_defect {
        Some(PluginSigningDefect::OtherArtifact) => statement.payload(),
        defect => changed(payload(request)?, defect)?,
    };
    let form = form(stated, signer.key.kind())?;
    let media_type = request["signatureEnvelopeType"].as_str().unwrap_or_default();
    let sealed = match media_type {
        "application/jose+json" => statement.jws(&signer).and_then(|mut draft| {
            (draft.payload, draft.signature) = (payload, form);
            draft.seal()
        }),
        "application/cose" => statement.cose(&signer).and_then(|mut draft| {
            (draft.payload, draft.signature) = (payload, form);
            draft.seal()
        }),
        _ => return Err("this is no type of envelope".to_owned()),
    };
    let sealed = sealed.map_err(|error| error.to_string())?;
    let media_type = match stated.signing_defect {
        Some(PluginSigningDefect::OtherEnvelopeType) => "application/octet-stream",
        _ => media_type,
    };
    let mut answer =
        members(json!({ "signatureEnvelope": STANDARD.encode(sealed), "signatureEnvelopeType": media_type }));
    if stated.signing_defect == Some(PluginSigningDefect::MoreAnnotations) {
        answer.insert("annotations".to_owned(), json!({ "com.example.note": "by the plugin" }));
    }
    Ok(answer)
}

fn payload(request: &Value) -> Result<Vec<u8>, String> {
    let text = request["payload"].as_str().ok_or("the request has no payload")?;
    STANDARD.decode(text).map_err(|error| error.to_string())
}

/// The payload, with its members changed as the defect says.
fn changed(payload: Vec<u8>, defect: Option<PluginSigningDefect>) -> Result<Vec<u8>, String> {
    let Some(defect) = defect else { return Ok(payload) };
    let mut value: Value = serde_json::from_slice(&payload).map_err(|error| error.to_string())?;
    match defect {
        PluginSigningDefect::AddedMember => value["added"] = json!("by the plugin"),
        PluginSigningDefect::AddedToDescriptor => value["targetArtifact"]["added"] = json!("by the plugin"),
        PluginSigningDefect::NoAnnotations => {
            if let Some(target) = value["targetArtifact"].as_object_mut() {
                target.remove("annotations");
            }
        }
        _ => return Ok(payload),
    }
    Ok(value.to_string().into_bytes())
}

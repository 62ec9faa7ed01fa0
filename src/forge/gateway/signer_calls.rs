//! What signers and owners of keys ask: signatures, how far they have come, certificates, and changes of a key.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;

use super::answer::{Refusal, empty, json};
use super::held_request::HeldRequest;
use super::ledger::Ledger;
use super::{Course, GatewayFault, Operation, signing};
use crate::failure::quote;
use crate::tsb::key_change::{
    BlockRequestBody, ModifyRequestBody, SubmittedBlock, SubmittedModification, SubmittedUnblock, UnblockRequestBody,
};
use crate::tsb::undocumented::statuses;
use crate::tsb::{KeyPolicy, SignRequest, SignRequestBody, SignedAtOnce, SubmittedRequest};

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::malformed(format!("the body is not as it has to be: {error}")))
}

/// `POST /v1/sign`.
pub(super) fn sign(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    let now = ledger.now();
    let SignRequest {
        payload, sign_key_name, meta_data, meta_data_signature, signature_algorithm, signature_type, ..
    } = read::<SignRequestBody>(body)?.sign_request;
    let payload = decoded("payload", &payload)?;
    let key = ledger.key(&sign_key_name)?;
    signing::check(&key.key, &signature_algorithm, signature_type).map_err(Refusal::malformed)?;
    if key.blocked {
        return Err(blocked(&sign_key_name));
    }
    let asked = Asked { metadata: meta_data, metadata_signature: meta_data_signature, ..Asked::default() };
    let mut request = new_request(ledger, Operation::Sign, &sign_key_name, now, asked)?;
    (request.payload, request.algorithm, request.form) = (payload, signature_algorithm, signature_type);
    let sign_request_id = request.id.clone();
    ledger.take(request)?;
    Ok(json(StatusCode::CREATED, &SubmittedRequest { sign_request_id }))
}

/// `POST /v1/synchronousSign`.
pub(super) fn sign_at_once(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    ledger.now();
    let request = read::<SignRequestBody>(body)?.sign_request;
    let payload = decoded("payload", &request.payload)?;
    let label = &request.sign_key_name;
    let key = ledger.key(label)?;
    signing::check(&key.key, &request.signature_algorithm, request.signature_type).map_err(Refusal::malformed)?;
    if key.rules.is_some() {
        let message = format!(
            "the key {} has a policy, so that it signs by POST {} alone (signedApprovals are not taken here)",
            quote(label),
            crate::tsb::SIGN
        );
        return Err(Refusal::new(statuses::FORBIDDEN, "approvals-needed", message));
    }
    if key.blocked {
        return Err(blocked(label));
    }
    let key = key.key.clone();
    let fault = ledger.faults.of_signature();
    let signature = signing::sign(&key, &payload, request.signature_type, fault)
        .map_err(|error| Refusal::new(500, "res.error.in.hsm", error.to_string()))?;
    let answer = SignedAtOnce { signature: STANDARD.encode(signature), key_version: None };
    Ok(json(StatusCode::OK, &answer))
}

/// `GET /v1/request/{id}`.
pub(super) fn state(ledger: &mut Ledger, id: &str, fault: Option<GatewayFault>) -> Result<Response, Refusal> {
    let now = ledger.now();
    let place = ledger.find(id)?;
    let state = ledger.request(place).state(now);
    if fault == Some(GatewayFault::UnknownStatus)
        && let Ok(serde_json::Value::Object(mut members)) = serde_json::to_value(&state)
    {
        members.insert("status".to_owned(), "LIMBO".into());
        return Ok(json(StatusCode::OK, &members));
    }
    Ok(json(StatusCode::OK, &state))
}

/// `DELETE /v1/request/{id}`.
pub(super) fn cancel(ledger: &mut Ledger, id: &str) -> Result<Response, Refusal> {
    let now = ledger.now();
    let place = ledger.find(id)?;
    let cancelled = ledger.change(place, |request| request.course.cancel(request.age(now)));
    ledger.look(place, now);
    cancelled.map_err(|_| {
        let status = ledger.request(place).status(now).as_str();
        Refusal::new(statuses::CONFLICT, "ended", format!("the request is {status}: nothing is left to be cancelled"))
    })?;
    Ok(empty(StatusCode::OK))
}

/// `GET /v1/certificate/{key}`.
pub(super) fn certificate(ledger: &mut Ledger, label: &str) -> Result<Response, Refusal> {
    let missing = || {
        let message = format!("there is no certificate of the key {}", quote(label));
        Refusal::new(statuses::NOT_FOUND, "no-certificate", message)
    };
    let chain = ledger.key(label)?.chain.as_ref().filter(|chain| !chain.is_empty()).ok_or_else(missing)?;
    let encoded: Vec<String> = chain.iter().map(|certificate| STANDARD.encode(certificate)).collect();
    let answer = crate::tsb::undocumented::KeyCertificate {
        label: label.to_owned(),
        certificate: encoded[0].clone(),
        certificate_chain: encoded,
    };
    Ok(json(StatusCode::OK, &answer))
}

/// `POST /v1/block`.
pub(super) fn block(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    let asked = read::<BlockRequestBody>(body)?.block_request;
    let (metadata, metadata_signature) = (asked.meta_data, asked.meta_data_signature);
    let asked_with = Asked { metadata, metadata_signature, policy: None };
    let id = change(ledger, Operation::Block, &asked.block_key_name, asked_with)?;
    Ok(json(StatusCode::CREATED, &SubmittedBlock { block_key_request_id: id }))
}

/// `POST /v1/unblock`.
pub(super) fn unblock(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    let asked = read::<UnblockRequestBody>(body)?.unblock_request;
    let (metadata, metadata_signature) = (asked.meta_data, asked.meta_data_signature);
    let asked_with = Asked { metadata, metadata_signature, policy: None };
    let id = change(ledger, Operation::Unblock, &asked.unblock_key_name, asked_with)?;
    Ok(json(StatusCode::CREATED, &SubmittedUnblock { unblock_key_request_id: id }))
}

/// `POST /v1/modify`.
pub(super) fn modify(ledger: &mut Ledger, body: &[u8]) -> Result<Response, Refusal> {
    let asked = read::<ModifyRequestBody>(body)?.modify_request;
    ledger.rules(&asked.policy).map_err(|reason| Refusal::malformed(format!("policy: {reason}")))?;
    let (metadata, metadata_signature) = (asked.meta_data, asked.meta_data_signature);
    let asked_with = Asked { metadata, metadata_signature, policy: Some(asked.policy) };
    let id = change(ledger, Operation::Modify, &asked.modify_key_name, asked_with)?;
    Ok(json(StatusCode::CREATED, &SubmittedModification { modify_key_request_id: id }))
}

/// What is asked besides the operation and the key.
#[derive(Default)]
struct Asked {
    metadata: Option<String>,
    metadata_signature: Option<String>,
    policy: Option<KeyPolicy>,
}

fn change(ledger: &mut Ledger, operation: Operation, label: &str, asked: Asked) -> Result<String, Refusal> {
    let now = ledger.now();
    if ledger.key(label)?.rules.is_none() {
        let message = format!("the key {} is of the kind without a policy, and nothing changes that", quote(label));
        return Err(Refusal::new(statuses::FORBIDDEN, "no-policy", message));
    }
    let payload = match &asked.policy {
        Some(policy) => serde_json::to_vec(policy).map_err(|error| Refusal::malformed(error.to_string()))?,
        None => Vec::new(),
    };
    let request = HeldRequest { payload, ..new_request(ledger, operation, label, now, asked)? };
    let id = request.id.clone();
    ledger.take(request)?;
    Ok(id)
}

fn new_request(
    ledger: &Ledger,
    operation: Operation,
    label: &str,
    now: i64,
    asked: Asked,
) -> Result<HeldRequest, Refusal> {
    if let Some(metadata) = &asked.metadata {
        decoded("metaData", metadata)?;
    }
    let key = ledger.key(label)?;
    let rule = key.rules.as_ref().map(|rules| Arc::clone(rules.rule(operation))).unwrap_or_default();
    Ok(HeldRequest {
        id: new_id()?,
        operation,
        key: label.to_owned(),
        made: now,
        payload: Vec::new(),
        metadata: asked.metadata,
        metadata_signature: asked.metadata_signature,
        algorithm: String::new(),
        form: None,
        policy: asked.policy,
        course: Course::new(rule, operation == Operation::Sign && key.blocked),
        due: None,
        outcome: None,
        result: None,
        failure: None,
        refused: Vec::new(),
    })
}

fn blocked(label: &str) -> Refusal {
    Refusal::new(statuses::FORBIDDEN, "key-blocked", format!("the key {} is blocked", quote(label)))
}

fn decoded(name: &str, text: &str) -> Result<Vec<u8>, Refusal> {
    STANDARD.decode(text).map_err(|_| Refusal::malformed(format!("{name} is not base64")))
}

/// A random UUID (RFC 9562, version 4).
fn new_id() -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Refusal::new(500, "no-random-numbers", "there is no randomness"))?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(bytes);
    Ok(format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]))
}

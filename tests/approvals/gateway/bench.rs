//! A gateway whose clock is moved, with a key and people who approve.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::gateway::{Gateway, GatewayClock, GatewaySetup};
use muster::forge::{Key, KeyKind};
use muster::signer::approver::{Approver, ApproverError, ApproverKey, ApproversBroker, TaskKind};
use muster::tsb::{
    self, ApprovalRule, ApprovalTask, ApproverGroup, KeyPolicy, PolicyToken, RequestState, RequestStatus,
};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::macros::datetime;

pub(crate) const START: OffsetDateTime = datetime!(2026-11-29 12:00 UTC);

/// A person, the same for the same number.
pub(crate) fn person(number: usize) -> Approver {
    let key = Key::pooled(KeyKind::P256, 100 + number).unwrap();
    Approver::new(ApproverKey::from_pkcs8(&key.pkcs8().unwrap()).unwrap())
}

/// Those people as a policy lists them.
pub(crate) fn listed(people: &[usize]) -> Vec<tsb::Approver> {
    let listed = |number: &usize| tsb::Approver::PublicKey {
        name: Some(format!("person-{number}")),
        value: person(*number).public_key(),
    };
    people.iter().map(listed).collect()
}

pub(crate) fn group(quorum: u32, people: &[usize]) -> ApproverGroup {
    ApproverGroup { name: "group".into(), quorum, approvals: listed(people) }
}

pub(crate) fn token(timelock: u64, timeout: u64, groups: Vec<ApproverGroup>) -> PolicyToken {
    PolicyToken { name: "token".into(), timelock, timeout, groups }
}

pub(crate) fn rule(tokens: Vec<PolicyToken>) -> Option<ApprovalRule> {
    Some(ApprovalRule { tokens })
}

pub(crate) fn policy(tokens: Vec<PolicyToken>) -> KeyPolicy {
    KeyPolicy { rule_use: rule(tokens), ..KeyPolicy::default() }
}

/// Two of three within an hour.
pub(crate) fn two_of_three() -> KeyPolicy {
    policy(vec![token(0, 3600, vec![group(2, &[1, 2, 3])])])
}

pub(crate) struct Bench {
    pub(crate) gateway: Gateway,
    pub(crate) key: Key,
    pub(crate) http: reqwest::Client,
    broker: ApproversBroker,
}

impl Bench {
    /// With an EC key `release` of that policy.
    pub(crate) fn new(policy: Option<KeyPolicy>) -> Bench {
        let gateway =
            Gateway::start(GatewaySetup { clock: GatewayClock::Moved(START), ..GatewaySetup::default() }).unwrap();
        let key = Key::pooled(KeyKind::P256, 1).unwrap();
        gateway.add_key("release", key.clone(), None, policy).unwrap();
        let broker = ApproversBroker::new(gateway.url()).unwrap();
        Bench { gateway, key, http: client(), broker }
    }

    pub(crate) fn at(&self, seconds: i64) {
        self.gateway.set_time(START + time::Duration::seconds(seconds));
    }

    pub(crate) fn broker(&self) -> ApproversBroker {
        self.broker.clone()
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let request = self.http.post(format!("{}{path}", self.gateway.url())).body(body.to_string());
        answer(request).await
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.http.get(format!("{}{path}", self.gateway.url()))).await
    }

    pub(crate) async fn delete(&self, path: &str) -> (u16, Value) {
        answer(self.http.delete(format!("{}{path}", self.gateway.url()))).await
    }

    pub(crate) async fn ask(&self, payload: &[u8]) -> String {
        let (status, answer) = self.post(tsb::SIGN, &sign_request("release", payload)).await;
        assert_eq!(status, 201, "{answer}");
        answer["signRequestId"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn state(&self, id: &str) -> RequestState {
        let (status, answer) = self.get(&format!("{}/{id}", tsb::REQUEST)).await;
        assert_eq!(status, 200, "{answer}");
        serde_json::from_value(answer).unwrap()
    }

    pub(crate) async fn status(&self, id: &str) -> RequestStatus {
        self.state(id).await.status
    }

    /// The one task of that request that this approver has.
    pub(crate) async fn task(&self, who: &Approver, id: &str) -> ApprovalTask {
        let tasks = who.tasks(&self.broker(), TaskKind::Sign, self.gateway.now(), Some(id)).await.unwrap();
        let [task] = tasks.try_into().unwrap();
        task
    }

    pub(crate) async fn approve(&self, number: usize, id: &str) -> Result<(), ApproverError> {
        let who = person(number);
        let task = self.task(&who, id).await;
        who.approve(&self.broker(), &task).await
    }

    /// Whether the request has a signature that verifies.
    pub(crate) fn is_signed(&self, state: &RequestState, payload: &[u8]) -> bool {
        let Some(result) = &state.result else { return false };
        verifies(&self.key, payload, &STANDARD.decode(result).unwrap())
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().timeout(Duration::from_secs(60)).build().unwrap()
}

/// The status and the JSON of the answer.
pub(crate) async fn answer(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let body = response.bytes().await.unwrap();
    (status, serde_json::from_slice(&body).unwrap_or(Value::Null))
}

pub(crate) fn sign_request(key: &str, payload: &[u8]) -> Value {
    json!({"signRequest": {
        "payload": STANDARD.encode(payload), "payloadType": "UNSPECIFIED", "signKeyName": key,
        "metaData": STANDARD.encode(r#"{"app":"test"}"#), "metaDataSignature": null,
        "signatureAlgorithm": "SHA256_WITH_ECDSA", "signatureType": "RAW"},
        "requestSignature": null})
}

/// By the library alone.
pub(crate) fn verifies(key: &Key, payload: &[u8], signature: &[u8]) -> bool {
    use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
    UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key.public_key()).verify(payload, signature).is_ok()
}

/// The reason in a word for which a broker refused.
pub(crate) fn reason(refused: Result<(), ApproverError>) -> String {
    match refused {
        Err(ApproverError::Refused { reason, .. }) => reason.trim_matches('"').to_owned(),
        other => panic!("{other:?}"),
    }
}

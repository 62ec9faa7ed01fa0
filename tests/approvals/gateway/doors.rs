//! Each call in its role, a blocked key at every call that signs, and the part of a list that is asked for.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::gateway::{Access, Gateway, GatewayClock, GatewaySetup, Role};
use muster::forge::{Key, KeyKind};
use muster::signer::approver::ApproverKey;
use muster::tsb::undocumented::{BLOCK, MODIFY, REJECT, UNBLOCK};
use muster::tsb::{self, KeyPolicy};
use reqwest::Method;
use serde_json::{Value, json};

use super::bench::*;

#[tokio::test]
async fn a_key_of_one_role_opens_no_call_of_another() {
    let roles = [
        (Role::KeyManagement, "manage"),
        (Role::KeyOperation, "operate"),
        (Role::Approver, "agree"),
        (Role::Service, "serve"),
    ];
    let api_keys = BTreeMap::from(roles.map(|(role, key)| (role, vec![key.to_owned()])));
    let access = Access { bearer: Vec::new(), api_keys };
    let clock = GatewayClock::Moved(START);
    let gateway = Gateway::start(GatewaySetup { clock, access, ..GatewaySetup::default() }).unwrap();
    gateway.add_key("release", Key::pooled(KeyKind::P256, 1).unwrap(), None, Some(KeyPolicy::default())).unwrap();
    let calls = [
        (Method::POST, tsb::SIGN, "operate"),
        (Method::POST, tsb::SYNCHRONOUS_SIGN, "operate"),
        (Method::GET, "/v1/request/x", "operate"),
        (Method::DELETE, "/v1/request/x", "operate"),
        (Method::GET, "/v1/certificate/release", "operate"),
        (Method::POST, tsb::SIGN_APPROVAL_TASKS, "agree"),
        (Method::POST, tsb::BLOCK_APPROVAL_TASKS, "agree"),
        (Method::POST, tsb::UNBLOCK_APPROVAL_TASKS, "agree"),
        (Method::POST, tsb::MODIFY_APPROVAL_TASKS, "agree"),
        (Method::POST, tsb::APPROVAL, "agree"),
        (Method::POST, REJECT, "agree"),
        (Method::POST, BLOCK, "manage"),
        (Method::POST, UNBLOCK, "manage"),
        (Method::POST, MODIFY, "manage"),
        (Method::GET, tsb::VERSION_INFO, "serve"),
    ];
    for (method, path, needed) in calls {
        for shown in ["manage", "operate", "agree", "serve", ""] {
            let call = client().request(method.clone(), format!("{}{path}", gateway.url())).header("X-API-KEY", shown);
            let status = call.body("{}").send().await.unwrap().status().as_u16();
            assert_eq!(status != 401, shown == needed, "{method} {path} with {shown}: {status}");
        }
    }
    assert_eq!(gateway.requests(), []);
    assert_eq!(gateway.is_blocked("release"), Some(false));
}

#[tokio::test]
async fn a_blocked_key_without_a_policy_signs_by_no_call_and_has_none_to_change() {
    let bench = Bench::new(None);
    bench.gateway.set_blocked("release", true).unwrap();
    for path in [tsb::SIGN, tsb::SYNCHRONOUS_SIGN] {
        let (status, answer) = bench.post(path, &sign_request("release", b"payload")).await;
        assert_eq!((status, answer["reason"].as_str()), (403, Some("key-blocked")), "{path}");
    }
    let policy = serde_json::to_value(KeyPolicy::default()).unwrap();
    for (path, body) in [
        (BLOCK, json!({"blockRequest": {"blockKeyName": "release"}})),
        (UNBLOCK, json!({"unblockRequest": {"unblockKeyName": "release"}})),
        (MODIFY, json!({"modifyRequest": {"modifyKeyName": "release", "policy": policy}})),
    ] {
        let (status, answer) = bench.post(path, &body).await;
        assert_eq!((status, answer["reason"].as_str()), (403, Some("no-policy")), "{path}");
    }
    assert_eq!(bench.gateway.is_blocked("release"), Some(true));
    assert_eq!(bench.gateway.requests(), []);
}

#[tokio::test]
async fn a_list_is_the_part_that_was_asked_for() {
    let bench = Bench::new(Some(two_of_three()));
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(bench.ask(format!("payload {number}").as_bytes()).await);
    }
    let key = ApproverKey::from_pkcs8(&Key::pooled(KeyKind::P256, 101).unwrap().pkcs8().unwrap()).unwrap();
    let timestamp = "2026-11-29T12:00:00+00:00";
    let question = json!({"timestamp": timestamp, "timestampSignature": STANDARD.encode(key.sign(timestamp.as_bytes()).unwrap()),
        "timestampDigestAlgorithm": "SHA-256", "approverPublicKey": STANDARD.encode(key.spki())});
    let listed = async |part: Value| {
        let mut question = question.clone();
        question.as_object_mut().unwrap().extend(part.as_object().unwrap().clone());
        let (status, answer) = bench.post(tsb::SIGN_APPROVAL_TASKS, &question).await;
        assert_eq!(status, 200, "{answer}");
        let place = |task: &Value| ids.iter().position(|id| task["id"].as_str().unwrap().starts_with(id)).unwrap();
        let places: Vec<usize> = answer["tasks"].as_array().unwrap().iter().map(place).collect();
        (places, answer)
    };
    let (all, answer) = listed(json!({})).await;
    assert_eq!(all, [0, 1, 2, 3, 4]);
    let task = &answer["tasks"][3];
    assert!(task.get("payload").is_none() && task.get("metaData").is_none(), "level1 tells no more: {task}");
    assert_eq!(listed(json!({"id": task["id"]})).await.0, [3]);
    assert_eq!(listed(json!({"id": ids[3]})).await.0, [0; 0], "that is a request, and no task");
    assert_eq!(listed(json!({"requestId": ids[2]})).await.0, [2]);
    let paging = |number: u64, size: u64, order: &str| json!({"paging": {"pageNumber": number, "pageSize": size, "sortOrder": order}});
    assert_eq!(listed(paging(1, 2, "CREATION_DATE_ASC")).await.0, [2, 3]);
    assert_eq!(listed(paging(0, 2, "CREATION_DATE_DESC")).await.0, [4, 3]);
    assert_eq!(listed(paging(2, 2, "CREATION_DATE_DESC")).await.0, [0]);
    assert_eq!(listed(paging(3, 2, "CREATION_DATE_ASC")).await.0, [0; 0]);
    let (_, answer) = listed(json!({"detailLevel": "level2"})).await;
    assert!(answer["tasks"][0].get("metaData").is_some() && answer["tasks"][0].get("payload").is_none());
}

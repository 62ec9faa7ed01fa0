//! Bearer tokens and API keys, bodies that are too long, calls that there are not.

use std::collections::BTreeMap;

use muster::forge::gateway::{Access, Gateway, GatewayClock, GatewaySetup, Role};
use muster::forge::{Key, KeyKind};
use muster::signer::approver::{ApproversBroker, TaskKind};
use muster::tsb;

use super::bench::*;

#[tokio::test]
async fn signers_need_a_token_and_a_key_of_their_role() {
    let api_keys = BTreeMap::from([
        (Role::KeyOperation, vec!["old".into(), "operate".into()]),
        (Role::Approver, vec!["agree".into()]),
    ]);
    let access = Access { bearer: vec!["jwt".into()], api_keys };
    let clock = GatewayClock::Moved(START);
    let gateway = Gateway::start(GatewaySetup { clock, access, ..GatewaySetup::default() }).unwrap();
    gateway.add_key("release", Key::pooled(KeyKind::P256, 1).unwrap(), None, Some(two_of_three())).unwrap();
    let url = format!("{}{}", gateway.url(), tsb::SIGN);
    let ask = |bearer: &str, key: &str| {
        let request = client().post(&url).header("Authorization", format!("Bearer {bearer}")).header("X-API-KEY", key);
        let request = request.body(sign_request("release", b"payload").to_string());
        async {
            let answer = request.send().await.unwrap();
            let status = answer.status().as_u16();
            (status, String::from_utf8(answer.bytes().await.unwrap().to_vec()).unwrap())
        }
    };
    assert_eq!(ask("jwt", "operate").await.0, 201);
    let (status, body) = ask("jwt", "agree").await;
    assert_eq!(status, 401);
    assert!(body.contains("\"errorCode\":631"), "{body}");
    let (status, body) = ask("no", "operate").await;
    assert!(status == 401 && !body.contains("631"), "{body}");
    let broker = ApproversBroker::new(gateway.url()).unwrap();
    assert!(person(1).tasks(&broker, TaskKind::Sign, START, None).await.is_err());
    let broker = broker.with_api_key("agree");
    assert_eq!(person(1).tasks(&broker, TaskKind::Sign, START, None).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_too_long_or_not_there_is_refused() {
    let bench = Bench::new(Some(two_of_three()));
    let (status, _) = bench.post(tsb::SIGN, &sign_request("release", &vec![0; 2 << 20])).await;
    assert_eq!(status, 413);
    assert_eq!(bench.get("/v1/nothing").await.0, 404);
    assert_eq!(bench.get("/v1/request/nothing").await.0, 404);
    assert_eq!(bench.post(tsb::SIGN, &sign_request("nothing", b"payload")).await.0, 404);
    assert_eq!(bench.get("/v1/certificate/release").await.0, 404);
    assert_eq!(bench.post(tsb::SIGN, &serde_json::json!({})).await.0, 400);
    let (status, answer) = bench.get(tsb::VERSION_INFO).await;
    assert_eq!(status, 200);
    assert!(answer["version"].as_str().unwrap().starts_with("muster gateway "));
}

#[tokio::test]
async fn http_2_is_refused_whose_many_requests_at_once_would_be_held() {
    let bench = Bench::new(Some(two_of_three()));
    let http = reqwest::Client::builder().http2_prior_knowledge().build().unwrap();
    let body = sign_request("release", b"payload").to_string();
    let answer = http.post(format!("{}{}", bench.gateway.url(), tsb::SIGN)).body(body).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 505);
    assert_eq!(bench.gateway.requests(), []);
}

//! A gateway that was told to answer wrongly does.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::gateway::{GatewayCall, GatewayFault};
use muster::forge::{Key, KeyKind};
use muster::tsb::{self, RequestStatus};
use serde_json::json;

use super::bench::*;

#[tokio::test]
async fn signatures_are_wrong_as_told() {
    let bench = Bench::new(None);
    for (fault, length) in
        [(GatewayFault::AnotherKey, Some(64)), (GatewayFault::OtherForm, None), (GatewayFault::EmptyResult, Some(0))]
    {
        bench.gateway.misbehave(fault, Some(1));
        let id = bench.ask(b"payload").await;
        let state = bench.state(&id).await;
        assert_eq!(state.status, RequestStatus::Executed);
        let result = STANDARD.decode(state.result.as_ref().unwrap()).unwrap();
        assert!(!bench.is_signed(&state, b"payload"), "{fault:?}");
        assert!(length.map_or_else(|| result[0] == 0x30, |length| result.len() == length), "{fault:?} {result:?}");
        let id = bench.ask(b"payload").await;
        assert!(bench.is_signed(&bench.state(&id).await, b"payload"), "{fault:?} is over");
    }
}

#[tokio::test]
async fn a_salt_is_wrong_as_told() {
    let bench = Bench::new(None);
    let key = Key::pooled(KeyKind::Rsa2048, 1).unwrap();
    bench.gateway.add_key("rsa", key.clone(), None, None).unwrap();
    let body =
        json!({"signRequest": {"payload": "AQ==", "signKeyName": "rsa", "signatureAlgorithm": "SHA256_WITH_RSA_PSS"}});
    let sound = |signature: &str| {
        use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
        let signature = STANDARD.decode(signature).unwrap();
        UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, key.public_key()).verify(&[1], &signature).is_ok()
    };
    bench.gateway.misbehave(GatewayFault::WrongSalt, Some(1));
    for expected in [false, true] {
        let (status, answer) = bench.post(tsb::SYNCHRONOUS_SIGN, &body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(sound(answer["signature"].as_str().unwrap()), expected);
    }
}

#[tokio::test]
async fn answers_are_refusals_as_told() {
    let bench = Bench::new(Some(two_of_three()));
    for (fault, status) in [
        (GatewayFault::Unauthorized, 401),
        (GatewayFault::Forbidden, 403),
        (GatewayFault::NotFound, 404),
        (GatewayFault::TooManyRequests, 429),
        (GatewayFault::Unavailable, 503),
    ] {
        bench.gateway.misbehave(fault, Some(1));
        assert_eq!(bench.post(tsb::SIGN, &sign_request("release", b"payload")).await.0, status);
    }
    let id = bench.ask(b"payload").await;
    bench.gateway.misbehave(GatewayFault::UnknownStatus, Some(1));
    assert_eq!(bench.get(&format!("/v1/request/{id}")).await.1["status"], "LIMBO");
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
}

#[tokio::test]
async fn answers_break_off_or_never_end_as_told() {
    let bench = Bench::new(Some(two_of_three()));
    let id = bench.ask(b"payload").await;
    let url = format!("{}/v1/request/{id}", bench.gateway.url());
    bench.gateway.misbehave(GatewayFault::Closed, Some(1));
    let answer = bench.http.get(&url).send().await.unwrap();
    assert!(answer.bytes().await.is_err());
    bench.gateway.misbehave_at(GatewayCall::Poll, GatewayFault::Endless, Some(1));
    let mut answer = bench.http.get(&url).send().await.unwrap();
    let mut read = 0;
    while read < 8 << 20 {
        read += answer.chunk().await.unwrap().unwrap().len();
    }
    drop(answer);
    bench.gateway.misbehave(GatewayFault::Hang, None);
    let asked = bench.http.get(&url).timeout(Duration::from_millis(300)).send().await;
    assert!(asked.unwrap_err().is_timeout());
    bench.gateway.behave();
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
}

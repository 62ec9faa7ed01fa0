//! Approvers by key and by certificate, of every kind; policies that cannot be kept; keys in a token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::{Authority, Key, KeyKind, LeafRequest};
use muster::signer::approver::{Approver, ApproverKey};
use muster::tsb::{self, ApproverGroup, KeyPolicy, RequestStatus};

use super::bench::*;

fn approver_of(key: &Key) -> ApproverKey {
    ApproverKey::from_pkcs8(&key.pkcs8().unwrap()).unwrap()
}

fn certificate_of(key: &Key) -> Vec<u8> {
    let root = Authority::root("C=US, ST=WA, O=Test, CN=root", Key::pooled(KeyKind::P256, 9).unwrap()).unwrap();
    let leaf = root.issue(LeafRequest::new("C=US, ST=WA, O=Test, CN=carol", key.clone()).unwrap()).unwrap();
    leaf.chain[0].clone()
}

#[tokio::test]
async fn approvers_have_keys_of_every_kind() {
    for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384, KeyKind::P521] {
        let key = Key::pooled(kind, 50).unwrap();
        let who = Approver::new(approver_of(&key));
        approves(who).await;
    }
    let ed25519 = aws_lc_rs::signature::Ed25519KeyPair::generate_pkcs8(&aws_lc_rs::rand::SystemRandom::new()).unwrap();
    approves(Approver::new(ApproverKey::from_pkcs8(ed25519.as_ref()).unwrap())).await;
}

async fn approves(who: Approver) {
    let listed = tsb::Approver::PublicKey { name: None, value: who.public_key() };
    let group = ApproverGroup { name: "g".into(), quorum: 1, approvals: vec![listed] };
    let bench = Bench::new(Some(policy(vec![token(0, 0, vec![group])])));
    let id = bench.ask(b"payload").await;
    let task = bench.task(&who, &id).await;
    who.approve(&bench.broker(), &task).await.unwrap();
    assert!(bench.is_signed(&bench.state(&id).await, b"payload"), "{who:?}");
}

#[tokio::test]
async fn one_person_by_key_and_by_certificate_is_one_person() {
    let key = Key::pooled(KeyKind::P256, 60).unwrap();
    let certificate = certificate_of(&key);
    let by_key = Approver::new(approver_of(&key));
    let by_certificate = Approver::with_certificate(approver_of(&key), certificate.clone());
    let value = STANDARD.encode(&certificate);
    let approvals = vec![
        tsb::Approver::PublicKey { name: None, value: by_key.public_key() },
        tsb::Approver::Certificate { name: None, value },
        listed(&[1]).remove(0),
    ];
    let group = |quorum| ApproverGroup { name: "g".into(), quorum, approvals: approvals.clone() };
    let bench = Bench::new(Some(policy(vec![token(0, 0, vec![group(2)])])));
    let id = bench.ask(b"payload").await;
    let task = bench.task(&by_certificate, &id).await;
    by_certificate.approve(&bench.broker(), &task).await.unwrap();
    assert_eq!(reason(by_key.approve(&bench.broker(), &task).await), "approved-already");
    assert_eq!(bench.status(&id).await, RequestStatus::Pending);
    bench.approve(1, &id).await.unwrap();
    assert_eq!(bench.status(&id).await, RequestStatus::Executed);
    let refused = bench.gateway.add_key("three", key, None, Some(policy(vec![token(0, 0, vec![group(3)])])));
    assert!(refused.unwrap_err().to_string().contains("3 have to agree, and there are 2 different approvers"));
}

#[tokio::test]
async fn a_policy_may_name_who_is_onboarded() {
    let bench = Bench::new(None);
    let key = Key::pooled(KeyKind::P384, 61).unwrap();
    let named = tsb::Approver::OnboardedApproverCertificate { name: "officer1@example.com".into() };
    let group = ApproverGroup { name: "g".into(), quorum: 1, approvals: vec![named] };
    let policy = policy(vec![token(0, 0, vec![group])]);
    let missing = bench.gateway.add_key("officers", bench.key.clone(), None, Some(policy.clone()));
    assert!(missing.unwrap_err().to_string().contains("no certificate of \"officer1@example.com\" is onboarded"));
    bench.gateway.onboard("officer1@example.com", &certificate_of(&key)).unwrap();
    bench.gateway.add_key("officers", bench.key.clone(), None, Some(policy)).unwrap();
    let (_, answer) = bench.post(tsb::SIGN, &sign_request("officers", b"payload")).await;
    let id = answer["signRequestId"].as_str().unwrap();
    let who = Approver::new(approver_of(&key));
    who.approve(&bench.broker(), &bench.task(&who, id).await).await.unwrap();
    assert_eq!(bench.status(id).await, RequestStatus::Executed);
}

#[test]
fn policies_that_cannot_be_kept_are_refused_with_their_place() {
    let bench = Bench::new(None);
    let refused = |policy: KeyPolicy| {
        bench.gateway.add_key("key", bench.key.clone(), None, Some(policy)).unwrap_err().to_string()
    };
    let one = || vec![group(1, &[1])];
    assert!(
        refused(policy(vec![token(30, 0, one())]))
            .contains("the timelock is 30 seconds, and has to be a multiple of 60")
    );
    assert!(refused(policy(vec![token(0, 61, one())])).contains("the timeout is 61 seconds"));
    assert!(refused(policy(vec![token(120, 60, one())])).contains("it could never be met"));
    assert!(refused(policy(vec![token(0, 60 << 40, one())])).contains("may be"));
    let value = "MFkw".to_owned();
    let broken =
        ApproverGroup { name: "g".into(), quorum: 1, approvals: vec![tsb::Approver::PublicKey { name: None, value }] };
    let said = refused(policy(vec![token(0, 0, vec![broken])]));
    assert!(
        said.contains("ruleUse, token \"token\", group \"g\", approval 1: the key is no SubjectPublicKeyInfo"),
        "{said}"
    );
    let blocked = KeyPolicy { key_status: tsb::KeyStatus { blocked: true }, ..two_of_three() };
    assert!(refused(blocked).contains("needs a ruleUnblock"));
    let taken = bench.gateway.add_key("release", bench.key.clone(), None, None);
    assert!(taken.unwrap_err().to_string().contains("has a key \"release\" already"));
}

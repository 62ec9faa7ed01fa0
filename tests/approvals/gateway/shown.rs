//! What `muster approve` shows is the whole of what is signed, and the whole of what waits.

use muster::tsb::undocumented::MODIFY;
use muster::tsb::{self, KeyPolicy, RequestStatus};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::bench::{answer, client, group, person, policy, sign_request, token};
use super::process::*;

async fn post(gateway: &Process, path: &str, body: &Value) -> (u16, Value) {
    answer(client().post(format!("{}{path}", gateway.url)).body(body.to_string())).await
}

/// A folder whose policy has alice approve other policies.
fn with_owner() -> TempDir {
    let folder = made();
    let path = folder.path().join("demo/policy.json");
    let mut policy: KeyPolicy = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let mut owner = policy.rule_use.clone().unwrap();
    owner.tokens[0].groups[0].quorum = 1;
    policy.rule_modify = Some(owner);
    std::fs::write(&path, serde_json::to_vec(&policy).unwrap()).unwrap();
    folder
}

#[tokio::test]
async fn the_whole_policy_is_shown_to_who_approves_it() {
    let folder = with_owner();
    let gateway = Process::start(folder.path(), &["demo"]);
    let mut wanted = policy(vec![token(0, 3600, vec![group(1, &[1, 2, 3, 4])])]);
    wanted.rule_use.as_mut().unwrap().tokens[0].name = "\u{1b}[2J\u{202e}".to_owned();
    // What opens everything to everybody stands last.
    wanted.rule_use.as_mut().unwrap().tokens.push(token(0, 7320, Vec::new()));
    let body = json!({"modifyRequest": {"modifyKeyName": "release", "policy": wanted}});
    let (status, answer) = post(&gateway, MODIFY, &body).await;
    assert_eq!(status, 201, "{answer}");
    let id = answer["modifyKeyRequestId"].as_str().unwrap();
    let arguments = ["approve", id, "--yes", "--url", &gateway.url, "--key", "demo/approvers/alice.key"];
    let approved = run(folder.path(), &arguments);
    let shown = text(&approved.stdout);
    assert!(approved.status.success(), "{shown}{}", text(&approved.stderr));
    for number in 1..=4 {
        assert!(shown.contains(&person(number).public_key()), "person {number}: {shown}");
    }
    assert!(shown.contains("\"timeout\": 7320") && shown.contains("\\u202e"), "{shown}");
    assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}') && !shown.contains('…'), "{shown}");
}

#[tokio::test]
async fn a_digest_behind_many_other_words_of_the_signer_is_compared_too() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let mut said: serde_json::Map<String, Value> = (10..40).map(|number| (format!("a{number}"), json!("x"))).collect();
    said.insert("digest".to_owned(), json!(DIGEST.replace('e', "f")));
    let (_, answer) = gateway.ask("release", &payload(), &Value::Object(said), &[]).await;
    let id = answer["signRequestId"].as_str().unwrap();
    let arguments = ["approve", id, "--yes", "--url", &gateway.url, "--key", "demo/approvers/bob.key"];
    let refused = run(folder.path(), &arguments);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stdout));
    assert!(text(&refused.stderr).contains("nothing is approved"), "{}", text(&refused.stderr));
    assert!(text(&refused.stdout).contains("11 more"), "{}", text(&refused.stdout));
    assert_eq!(gateway.state(id).await.status, RequestStatus::Pending);
    assert_eq!(gateway.state(id).await.approved_by, [""; 0]);
}

#[tokio::test]
async fn all_that_waits_is_listed() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let http = client();
    let mut ids = Vec::new();
    // More than one answer holds, by number and by length.
    for number in 0..1005_usize {
        let length = if number.is_multiple_of(67) { 1_500_000 } else { 10 };
        let body = sign_request("release", &vec![b'x'; length]).to_string();
        let (_, answer) = answer(http.post(format!("{}{}", gateway.url, tsb::SIGN)).body(body)).await;
        ids.push(answer["signRequestId"].as_str().unwrap().to_owned());
    }
    let arguments = ["approve", "--list", "--url", &gateway.url, "--key", "demo/approvers/carol.key"];
    let listed = run(folder.path(), &arguments);
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    let listed = text(&listed.stdout);
    let missing = ids.iter().filter(|id| !listed.contains(*id)).count();
    assert_eq!((missing, listed.lines().count()), (0, ids.len()));
}

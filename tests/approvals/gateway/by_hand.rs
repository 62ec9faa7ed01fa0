//! `muster gateway` and `muster approve` as people use them: the page about approvals, with signatures asked for over HTTP.

use muster::signer::tsb::TsbSettings;
use muster::tsb::{KeyPolicy, RequestStatus};
use serde_json::{Value, json};

use super::process::*;

#[test]
fn the_list_of_keys_leads_to_the_gateway() {
    let folder = made();
    let list: Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("demo/signingkeys.json")).unwrap()).unwrap();
    assert_eq!((list["default"].as_str(), list["keys"][0]["name"].as_str()), (Some("release"), Some("release")));
    let settings = TsbSettings::from_uri(list["keys"][0]["keyPath"].as_str().unwrap()).unwrap();
    assert_eq!((settings.key.as_str(), settings.url.as_str()), ("release", "http://127.0.0.1:7403/"));
    let demo = folder.path().canonicalize().unwrap().join("demo");
    assert_eq!(settings.approvers, Some(demo.join("policy.json")));
    assert_eq!(list["keys"][0]["certPath"].as_str(), demo.join("release.crt").to_str());
}

#[tokio::test]
async fn two_people_approve_by_hand() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let metadata = json!({"reference": "r.example/app:v1\u{1b}[2J", "digest": DIGEST});
    let (status, answer) = gateway.ask("release", &payload(), &metadata, &[]).await;
    assert_eq!(status, 201, "{answer}");
    let id = answer["signRequestId"].as_str().unwrap();
    let approve = |name: &str, rest: &[&str]| {
        let key = format!("demo/approvers/{name}.key");
        run(folder.path(), &[&["approve", "--url", &gateway.url, "--key", &key][..], rest].concat())
    };
    let listed = text(&approve("alice", &["--list"]).stdout);
    assert!(listed.contains(id) && listed.contains(DIGEST) && !listed.contains('\u{1b}'), "{listed}");
    let asked = approve("alice", &[id]);
    assert_eq!(asked.status.code(), Some(2));
    assert!(text(&asked.stderr).contains("--yes"), "{}", text(&asked.stderr));
    assert_eq!(gateway.state(id).await.approved_by, [""; 0], "nobody has answered");
    let approved = approve("alice", &[id, "--yes"]);
    let shown = text(&approved.stdout);
    assert!(approved.status.success() && shown.ends_with("Approved.\n"), "{shown}{}", text(&approved.stderr));
    assert!(shown.contains(&format!("Artifact   {DIGEST}")) && !shown.contains('\u{1b}'), "{shown}");
    assert_eq!(text(&approved.stderr), "", "its key is its own");
    assert_eq!(approve("alice", &[id, "--yes"]).status.code(), Some(1));
    assert_eq!(gateway.state(id).await.status, RequestStatus::Pending);
    assert!(approve("carol", &[id, "--yes"]).status.success());
    let state = gateway.state(id).await;
    assert_eq!(state.status, RequestStatus::Executed);
    assert!(!state.result.unwrap().is_empty());
    gateway.end(&["\"alice\" approves", "\"carol\" approves", "is EXECUTED", id]);
}

#[tokio::test]
async fn a_signer_who_says_another_digest_is_not_approved() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let other = json!({"digest": DIGEST.replace('e', "f")});
    let (_, answer) = gateway.ask("release", &payload(), &other, &[]).await;
    let id = answer["signRequestId"].as_str().unwrap();
    let arguments = ["approve", id, "--url", &gateway.url, "--key", "demo/approvers/bob.key", "--yes"];
    let refused = run(folder.path(), &arguments);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stderr).contains("nothing is approved"), "{}", text(&refused.stderr));
    assert_eq!(gateway.state(id).await.approved_by, [""; 0]);
    let rejected = run(folder.path(), &[&arguments[..], &["--reject"]].concat());
    assert!(rejected.status.success(), "{}", text(&rejected.stderr));
    assert_eq!(gateway.state(id).await.rejected_by.len(), 1);
}

#[tokio::test]
async fn secrets_come_from_files_and_are_told_to_nobody() {
    let folder = made();
    std::fs::write(folder.path().join("token"), "t0ken-s3cret\n").unwrap();
    std::fs::write(
        folder.path().join("keys.json"),
        r#"{"keyOperationToken":["k3y-s3cret"],"approverToken":["appr0ve"]}"#,
    )
    .unwrap();
    std::fs::write(folder.path().join("approver"), "appr0ve\n").unwrap();
    let gateway = Process::start(folder.path(), &["demo", "--token-file", "token", "--api-keys", "keys.json"]);
    let (status, _) = gateway.ask("release", &payload(), &json!({}), &[]).await;
    assert_eq!(status, 401);
    let headers = [("Authorization", "Bearer t0ken-s3cret"), ("X-API-KEY", "k3y-s3cret")];
    let (status, answer) = gateway.ask("release", &payload(), &json!({}), &headers).await;
    assert_eq!(status, 201, "{answer}");
    let arguments = ["approve", "--list", "--url", &gateway.url, "--key", "demo/approvers/bob.key"];
    assert_eq!(run(folder.path(), &arguments).status.code(), Some(3));
    let listed = run(folder.path(), &[&arguments[..], &["--api-key-file", "approver"]].concat());
    assert!(listed.status.success() && !listed.stdout.is_empty(), "{}", text(&listed.stderr));
    let said = gateway.end(&["has come in"]);
    assert!(!said.contains("s3cret") && !said.contains("appr0ve"), "{said}");
}

#[test]
fn what_is_made_is_readable_by_its_owner_and_replaced_by_nothing() {
    let folder = made();
    #[cfg(unix)]
    for key in ["release.key", "approvers/alice.key"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(folder.path().join("demo").join(key)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{key}");
    }
    let policy = std::fs::read(folder.path().join("demo/policy.json")).unwrap();
    let policy: KeyPolicy = serde_json::from_slice(&policy).unwrap();
    assert_eq!(policy.rule_use.as_ref().unwrap().tokens[0].groups[0].approvals.len(), 3);
    assert_eq!(policy.rule_modify, policy.rule_use, "nobody gets round the quorum by another policy");
    assert_eq!(policy.rule_unblock, policy.rule_use);
    let again = run(folder.path(), &["gateway", "init", "demo"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("exists already"), "{}", text(&again.stderr));
    let valid = run(folder.path(), &["policy", "check", "demo/trustpolicy.json"]);
    assert!(valid.status.success(), "{}", text(&valid.stderr));
    for wrong in [
        &["--quorum", "4"][..],
        &["--approvers", "a,a"],
        &["--approvers", "../x"],
        &["--timeout", "90s"],
        &["--timeout", "36600d"],
        &["--port", "0"],
    ] {
        let refused = run(folder.path(), &[&["gateway", "init", "other"][..], wrong].concat());
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
        assert!(!folder.path().join("other").exists());
    }
    std::fs::write(folder.path().join("policy.json"), r#"{"ruleUsage": null}"#).unwrap();
    let arguments = ["gateway", "--key", "release=demo/release.key", "--policy", "policy.json"];
    let refused = run(folder.path(), &arguments);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("ruleUsage"), "{}", text(&refused.stderr));
}

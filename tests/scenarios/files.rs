//! Scenarios that sign files by themselves and attach what they like: expectations that are accepted, a policy in the place of
//! others, and what a world that stays has on disk and in its registry.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use muster::scenario::{CaseStatus, Options};
use serde_json::{Value, json};

use crate::scenario_files::{muster, project};
use crate::scenario_runs::play;

const STEPS: &str = "title: files\nsteps:\n  - push: {}\n  - sign: { expires: 1h }\n  - write: { file: a, content: a }\n  - sign: { file: a, expires: 1h }\n  - advance: 2h\n";

#[test]
fn what_is_expected_of_files_is_accepted_too() {
    let text = format!(
        "{STEPS}verify:\n  - file: a # this one\n    expect: {{ result: pass, signatures: 2, checks: {{ integrity: pass, expiry: pass }} }}\n"
    );
    let (folder, file) = project(&text);
    let failed = muster(&["test"], folder.path());
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8(failed.stdout).unwrap();
    assert!(said.contains("signature-expired") && said.contains("case.yaml:10"), "{said}");
    let accepted = muster(&["test", "--accept"], folder.path());
    assert_eq!(accepted.status.code(), Some(0), "{}", String::from_utf8_lossy(&accepted.stderr));
    let expected = format!(
        "{STEPS}verify:\n  - file: a # this one\n    expect: {{ result: fail, code: signature-expired, signatures: 1, checks: {{ integrity: pass, expiry: signature-expired }} }}\n"
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), expected);
    assert_eq!(muster(&["test"], folder.path()).status.code(), Some(0));
}

/// A policy of artifacts stands in the place of those of artifacts, also of one that is rolled out; files keep theirs.
#[test]
fn files_keep_their_policies_where_another_one_judges() {
    let (folder, _) = project(&format!(
        "{STEPS}  - policy: {{ signatureVerification: {{ level: strict }} }}\nverify:\n  - expect: {{ result: warn, code: signature-expired }}\n  - file: a\n    expect: {{ result: fail, code: signature-expired }}\n"
    ));
    assert_eq!(muster(&["test"], folder.path()).status.code(), Some(1), "the strict policy judges");
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],"signatureVerification":{"level":"permissive"},"trustStores":["ca:wabbit-networks"],"trustedIdentities":["*"]}]}"#;
    std::fs::write(folder.path().join("policy.json"), policy).unwrap();
    let judged = muster(&["test", "--policy", "policy.json"], folder.path());
    assert_eq!(judged.status.code(), Some(0), "{}", String::from_utf8_lossy(&judged.stdout));
}

/// What a scenario calls verified is verified by the command for files too, and what it attached names the image.
#[tokio::test(flavor = "multi_thread")]
async fn a_world_that_stays_holds_what_was_written_and_attached() {
    let text = "title: x\nsteps:\n  - push: {}\n  - attach:\n      name: claim\n      artifactType: application/vnd.in-toto+json\n      layers:\n        - content: { subject: [{ name: \"{artifact}\", digest: { sha256: \"{sha256}\" } }] }\n        - { mediaType: text/plain, content: \"{digest} {size} {mediaType} {none}\" }\n  - write: { file: a, content: abc }\n  - sign: { file: a, format: cose, mediaType: text/plain }\nverify:\n  - file: a\n    expect: { result: pass }\n";
    let (results, _) = play(text, Options { keep: true, ..Options::default() }).await;
    assert_eq!(results[0].status, CaseStatus::Pass);
    let world = results[0].world.as_ref().unwrap();

    let folder = world.trust_store().display().to_string();
    let (file, signature) = (format!("{folder}/files/a"), format!("{folder}/signatures/a.0.cose.sig"));
    let verify = || {
        let policy = ["--policy", "policies/acme-rockets-blobs.json", "--policy-name", "releases"];
        let trust = ["--trust-store", &folder, "--at", "2026-01-01T00:00:00Z", "--media-type", "text/plain"];
        let arguments = [&["blob", "verify"], &policy[..], &trust[..], &["--signature", &signature, &file]].concat();
        muster(&arguments, Path::new(env!("CARGO_MANIFEST_DIR")))
    };
    let verified = verify();
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
    std::fs::write(&file, "abd").unwrap();
    let changed = verify();
    assert_eq!(changed.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&changed.stderr).contains("payload-mismatch"));

    let (_, address) = world.registries().next().unwrap();
    let client = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let get = async |path: String| {
        let url = format!("http://{address}/v2/net-monitor/{path}");
        client.get(url).send().await.unwrap().error_for_status().unwrap()
    };
    let image = get("manifests/v1".to_owned()).await;
    let digest = image.headers()["docker-content-digest"].to_str().unwrap().to_owned();
    let media_type = image.headers()["content-type"].to_str().unwrap().to_owned();
    let size = image.bytes().await.unwrap().len();
    let json = async |path: String| serde_json::from_slice::<Value>(&get(path).await.bytes().await.unwrap()).unwrap();
    let referrers = json(format!("referrers/{digest}")).await;
    let claim = json(format!("manifests/{}", referrers["manifests"][0]["digest"].as_str().unwrap())).await;
    let media_types = [&claim["layers"][0]["mediaType"], &claim["layers"][1]["mediaType"]];
    assert_eq!(media_types, ["application/vnd.in-toto+json", "text/plain"]);
    let layer = |number: usize| format!("blobs/{}", claim["layers"][number]["digest"].as_str().unwrap());
    let subject = json!({ "name": "registry.wabbit-networks.io/net-monitor:v1", "digest": { "sha256": digest[7..] } });
    assert_eq!(json(layer(0)).await, json!({ "subject": [subject] }));
    let text = get(layer(1)).await.text().await.unwrap();
    assert_eq!(text, format!("{digest} {size} {media_type} {{none}}"));
}

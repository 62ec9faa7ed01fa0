//! Scenarios that sign files by themselves, by the command line: expectations that are accepted, and a policy in the place of others.
#![allow(clippy::unwrap_used, reason = "tests")]

use crate::scenario_files::{muster, project};

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

//! `muster policy`.

use std::path::Path;

use tempfile::TempDir;

use super::program::muster;

const VALID: &str = "tests/interop/policies/scoped-with-global.json";

/// A folder with `files` in it.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn valid() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(VALID)).unwrap()
}

#[test]
fn check_takes_valid_policies() {
    let run = muster(&["policy", "check", VALID, "tests/interop/policies/audit.json"]).run();
    insta::assert_snapshot!(run);
}

#[test]
fn check_points_at_everything_that_is_wrong() {
    let wrong = r#"{
  "version": "1.0",
  "trustPolicies": [
    {
      "name": "wabbit",
      "registryScopes": ["registry.io/Net-Monitor"],
      "signatureVerification": { "level": "Strict" },
      "trustStores": ["ca:../wabbit"],
      "trustedIdentities": ["*"]
    }
  ]
}
"#;
    let folder = folder(&[("wrong.json", wrong), ("empty.json", ""), ("right.json", &valid())]);
    let files = ["policy", "check", "wrong.json", "right.json", "empty.json", "missing.json"];
    insta::assert_snapshot!(muster(&files).folder(folder.path()).run());
}

#[test]
fn check_refuses_unknown_members_that_verification_only_warns_of() {
    let text = valid().replacen("\"version\"", "\"trustPolicyOwner\": \"me\", \"version\"", 1);
    let folder = folder(&[("policy.json", &text)]);
    let check = muster(&["policy", "check", "policy.json"]).folder(folder.path()).run();
    assert_eq!((check.code, check.stdout.as_str()), (Some(2), ""));
    assert!(check.stderr.starts_with("error[unknown-member]"), "{check}");
    let show = muster(&["policy", "show", "policy.json"]).folder(folder.path()).run();
    assert_eq!(show.code, Some(0), "{show}");
    assert!(show.stderr.starts_with("warning[unknown-member]"), "{show}");
}

#[test]
fn show_says_what_a_policy_means() {
    insta::assert_snapshot!("show_scoped", muster(&["policy", "show", VALID]).run());
    let overridden = "tests/interop/policies/strict-revocation-skipped.json";
    insta::assert_snapshot!("show_overridden", muster(&["policy", "show", overridden]).run());
}

#[test]
fn show_finds_the_policy_that_notation_would() {
    let old = valid().replace("wabbit", "old");
    let folder = folder(&[
        ("n/trustpolicy.json", &old),
        ("n/trustpolicy.oci.json", &valid()),
        (".config/notation/trustpolicy.json", &old),
        ("x/notation/other.json", &old),
    ]);
    let show = |variable: &str, name: &str| {
        let run = muster(&["policy", "show"]).env("HOME", folder.path()).env(variable, folder.path().join(name)).run();
        (run.code, run.stdout.contains("\"wabbit\""), run.stdout.contains("\"old\""))
    };
    assert_eq!(show("NOTATION_CONFIG", "n"), (Some(0), true, false));
    if cfg!(target_os = "linux") {
        assert_eq!(show("UNUSED", ""), (Some(0), false, true));
        assert_eq!(show("XDG_CONFIG_HOME", "x"), (Some(2), false, false));
    }
    let given = muster(&["policy", "show", "--config", "n"]).folder(folder.path()).run();
    assert!(given.stdout.contains("\"wabbit\""), "{given}");
}

#[test]
fn show_without_a_policy_says_where_it_looked() {
    let folder = folder(&[]);
    insta::assert_snapshot!(muster(&["policy", "show", "--config", "none"]).folder(folder.path()).run());
}

#[test]
fn hostile_names_reach_no_terminal() {
    let text = valid().replace("unsigned-tools", "a\\u001b[2J\\u202eb");
    let folder = folder(&[("p\u{1b}[31m.json", &text)]);
    for command in ["show", "check"] {
        let run = muster(&["policy", command, "p\u{1b}[31m.json"]).folder(folder.path()).run();
        assert_eq!(run.code, Some(0), "{run}");
        assert!(!run.to_string().contains(['\u{1b}', '\u{202e}']), "{run}");
    }
}

#[test]
fn identities_of_verification_plugins_are_noted_and_not_warned_of() {
    let policy = r#"{ "version": "1.0", "trustPolicies": [{ "name": "p", "registryScopes": ["*"],
  "signatureVerification": { "level": "strict" }, "trustStores": ["signingAuthority:s"],
  "trustedIdentities": ["arn:aws:signer:eu-west-1:000000000000:/signing-profiles/release"] }] }"#;
    let folder = folder(&[("policy.json", policy)]);
    let check = muster(&["policy", "check", "policy.json"]).folder(folder.path()).run();
    assert_eq!(check.code, Some(0), "{check}");
    assert!(check.stderr.starts_with("note[trusted-identity-of-plugin]"), "{check}");
    assert!(check.stderr.contains("help: it counts for signatures that name a plugin"), "{check}");
    assert!(!check.stderr.contains("warning") && !check.stderr.contains("no signer"), "{check}");
    let show = muster(&["policy", "show", "policy.json"]).folder(folder.path()).run();
    let words = show.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        words.contains("if the verification plugin that the signature names accepts the signer by \"arn:"),
        "{show}"
    );
    assert!(show.stderr.starts_with("note[trusted-identity-of-plugin]"), "{show}");
}

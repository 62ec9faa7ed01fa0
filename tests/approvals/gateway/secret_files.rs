//! Files with tokens and API keys: what cannot be a secret, and who else may read them.

use super::process::*;

#[test]
fn what_cannot_be_a_secret_is_refused() {
    let folder = made();
    let write = |name: &str, content: &str| std::fs::write(folder.path().join(name), content).unwrap();
    for keys in [r#"{"approverToken": []}"#, r#"{"approverToken": [""]}"#, r#"{"serviceToken": ["a b"]}"#] {
        write("keys.json", keys);
        let refused = Process::refused(folder.path(), &["demo", "--api-keys", "keys.json"]);
        assert!(refused.contains("keys.json"), "{refused}");
    }
    write("token", "two\nlines\n");
    assert!(Process::refused(folder.path(), &["demo", "--token-file", "token"]).contains("holds no token on a line"));
}

#[tokio::test]
#[cfg(unix)]
async fn files_with_secrets_that_others_may_read_are_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = made();
    for (name, content) in [("token", "t0ken"), ("keys.json", r#"{"approverToken": ["agree"]}"#), ("agree", "agree")] {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    let gateway = Process::start(folder.path(), &["demo", "--token-file", "token", "--api-keys", "keys.json"]);
    let arguments = ["approve", "--list", "--url", &gateway.url, "--key", "demo/approvers/bob.key"];
    let listed = run(folder.path(), &[&arguments[..], &["--api-key-file", "agree", "--token-file", "token"]].concat());
    let said = text(&listed.stderr);
    assert!(listed.status.success() && said.matches("can be read by other users").count() == 2, "{said}");
    gateway.end(&["\"token\" can be read by other users", "\"keys.json\" can be read by other users"]);
}

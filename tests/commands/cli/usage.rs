//! Command lines that are wrong: each says what to write instead, and exits with 2 before anything is asked of anybody.

use super::program::muster;

#[test]
fn wrong_usage_says_what_is_right() {
    let mut all = String::new();
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["audit"],
        &["verify"],
        &["policy"],
        &["policy", "check"],
        &["policy", "show", "a", "b"],
        &["policy", "show", "a", "--config", "b"],
        &["schema"],
        &["schema", "evidence"],
        &["audit", "a.io", "--at", "tomorrow"],
        &["audit", "a.io", "--output", "sarif"],
        &["audit", "a.io", "--output", "yaml=x"],
        &["audit", "a.io", "--output", "json="],
        &["audit", "a.io", "--jobs", "0"],
        &["audit", "a.io", "--max-signatures", "none"],
        &["audit", "a.io", "--scope", "a.io"],
        &["audit", "a.io", "--password-stdin"],
        &["audit", "a.io", "--color", "blue"],
        &["verify", "a.io/b", "--user-metadata", "k"],
        &["sign"],
        &["sign", "a.io/b"],
        &["sign", "a.io/b:v1", "--expiry", "1.5"],
        &["sign", "a.io/b:v1", "--signature-format", "pgp"],
        &["sign", "a.io/b:v1", "--certificate-chain", "c.crt"],
        &["sign", "a.io/b:v1", "--key", "./k.pem"],
        &["sign", "a.io/b:v1", "--plugin", "azure-kv", "--id", "x"],
        &["sign", "a.io/b:v1", "-m", "io.cncf.notary.x=1"],
        &["sign", "oci-archive:a.tar:v1"],
        &["list"],
        &["list", "oci:layout"],
        &["inspect", "a.io"],
        &["inspect", "README.md"],
        &["inspect", "a.io/b:v1", "-o", "yaml"],
        &["test", "--jobs", "0"],
        &["test", "--list", "--output", "json"],
    ] {
        let run = muster(arguments).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}\n{run}");
        all.push_str(&format!("$ muster {}\n{}\n", arguments.join(" "), run.stderr));
    }
    insta::assert_snapshot!(all);
}

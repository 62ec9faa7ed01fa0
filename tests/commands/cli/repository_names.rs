//! How repositories are named: hosts in one spelling, Docker's short names, and scopes that are nearly the repository.

use std::path::Path;

use muster::forge::Artifact;
use serde_json::{Value, json};

use super::program::{Finished, muster};

/// A folder with a layout of unsigned images of these names, and a policy whose statement for `strict` is strict and whose
/// statement for `*`, if there is one, looks at nothing that matters.
fn folder(names: &[&str], strict: &[&str], with_global: bool) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let blobs = folder.path().join("layout/blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let mut manifests = Vec::new();
    for name in names {
        let image = Artifact::image(name);
        for blob in image.blobs.iter().chain([&image.manifest]) {
            std::fs::write(blobs.join(blob.descriptor.digest.hex()), &blob.bytes).unwrap();
        }
        let descriptor = image.descriptor();
        manifests.push(json!({
            "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size,
            "annotations": { "org.opencontainers.image.ref.name": name },
        }));
    }
    let write = |path: &str, value: Value| std::fs::write(folder.path().join(path), value.to_string()).unwrap();
    write("layout/index.json", json!({ "schemaVersion": 2, "manifests": manifests }));
    write("layout/oci-layout", json!({ "imageLayoutVersion": "1.0.0" }));
    let mut statements = vec![json!({
        "name": "strict", "registryScopes": strict, "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:s"], "trustedIdentities": ["*"],
    })];
    if with_global {
        statements.push(json!({
            "name": "rest", "registryScopes": ["*"], "signatureVerification": { "level": "audit" },
            "trustStores": ["ca:s"], "trustedIdentities": ["*"],
        }));
    }
    write("policy.json", json!({ "version": "1.0", "trustPolicies": statements }));
    let store = folder.path().join("truststore/x509/ca/s");
    std::fs::create_dir_all(&store).unwrap();
    let root = muster::forge::Authority::root(
        "C=US, ST=WA, O=wabbit-networks.io, CN=Root",
        muster::forge::Key::pooled(muster::forge::KeyKind::P256, 0).unwrap(),
    );
    std::fs::write(store.join("root.der"), root.unwrap().certificate()).unwrap();
    folder
}

fn run(folder: &Path, arguments: &[&str]) -> Finished {
    let trust = ["--policy", "policy.json", "--trust-store", "truststore"];
    muster(&[arguments, &trust].concat()).folder(folder).run()
}

#[test]
fn another_spelling_of_a_repository_is_not_judged_by_the_statement_for_all_others() {
    for (name, scope) in [
        ("docker.io/library/app:1", "index.docker.io/library/app"),
        ("docker.io/app:1", "docker.io/library/app"),
        ("registry.example.com/team/app:1", "registry.example.com:443/team/app"),
        ("registry.example.com:443/team/app:1", "registry.example.com/team/app"),
        ("registry.example.com/team/app:1", "Registry.Example.com/team/app"),
        ("127.0.0.2:5000/app:1", "localhost:5000/app"),
        ("registry.localhost:5000/app:1", "127.0.0.1:5000/app"),
    ] {
        for with_global in [false, true] {
            let folder = folder(&[name], &[scope], with_global);
            let table = run(folder.path(), &["audit", "oci:layout"]);
            assert_eq!(table.code, Some(1), "{name}, {scope}: {table}");
            assert!(table.stdout.contains("no-applicable-policy"), "{table}");
            let json = run(folder.path(), &["audit", "oci:layout", "-o", "json"]);
            let report: Value = serde_json::from_str(&json.stdout).unwrap();
            let artifact = &report["artifacts"][0];
            assert_eq!((&artifact["policy"], &artifact["code"]), (&Value::Null, &json!("no-applicable-policy")));
            for text in [&table.stdout, artifact["message"].as_str().unwrap()] {
                assert!(
                    text.contains(&format!("the policy names \"{scope}\", and scopes are compared as text")),
                    "{text}"
                );
                assert_eq!(text.contains("not even the one for \"*\""), with_global, "{text}");
            }
        }
    }
}

#[test]
fn a_layout_cannot_name_a_repository_by_another_spelling() {
    for name in ["LOCALHOST:5000/app:1", "127.1:5000/app:1", "registry.io:05000/app:1", "app:1", "library/app:1"] {
        let folder = folder(&[name], &["localhost:5000/app", "registry.io:5000/app", "docker.io/library/app"], true);
        let audit = run(folder.path(), &["audit", "oci:layout"]);
        assert_ne!(audit.code, Some(0), "{name}: {audit}");
        assert!(!audit.stdout.contains("warn ") && !audit.stdout.contains("pass "), "{name}: {audit}");
    }
}

/// Whoever asks for a digest gets it or nothing, whatever a layout calls its entries.
#[test]
fn a_digest_is_never_taken_for_the_name_of_an_entry() {
    let absent = muster::digest::Digest::sha256(b"absent").to_string();
    let name = format!("a.io/b@{absent}");
    let folder = folder(&[&absent, &name], &["a.io/b"], true);
    for entry in [format!("@{absent}"), format!(":{absent}"), format!(":{name}")] {
        for form in [&["--oci-layout"][..], &[]] {
            let target = format!("{}layout{entry}", if form.is_empty() { "oci:" } else { "" });
            for command in ["verify", "list", "inspect"] {
                let mut run = muster(&[&[command, &target], form].concat()).folder(folder.path());
                if command == "verify" {
                    let trust = ["--scope", "x.io/y", "--policy", "policy.json", "--trust-store", "truststore"];
                    run = muster(&[&[command, &target], form, &trust].concat()).folder(folder.path());
                }
                let run = run.run();
                assert_eq!(run.code, Some(3), "{command} {target}: {run}");
                assert!(run.stderr.contains("the layout has no entry"), "{command} {target}: {run}");
            }
        }
    }
}

#[test]
fn a_scope_above_the_repository_is_told_to_cover_nothing_below() {
    let folder = folder(&["registry.io/team/app:1"], &["registry.io/team"], false);
    let table = run(folder.path(), &["audit", "oci:layout"]);
    assert!(
        table.stdout.contains("the policy names \"registry.io/team\", and a scope covers no repository below it"),
        "{table}"
    );
}

#[test]
fn short_names_and_other_spellings_are_wrong_usage_wherever_they_are_written() {
    let folder = folder(&["a.io/b:1"], &["a.io/b"], true);
    std::fs::write(folder.path().join("list"), "a.io/b:1\nLOCALHOST:5000/app\nnginx:1\n").unwrap();
    for (arguments, hints) in [
        (&["verify", "nginx:1"][..], &["docker.io/library/nginx:1"][..]),
        (&["verify", "library/nginx:1"], &["docker.io/library/nginx:1"]),
        (&["verify", "nginx"], &["docker.io/library/nginx"]),
        (&["audit", "nginx"], &["docker.io/library/nginx"]),
        (&["audit", "nginx:1"], &["docker.io/library/nginx:1"]),
        (&["verify", "LOCALHOST:5000/app:1"], &["write localhost:5000"]),
        (&["audit", "0x7f.1:5000"], &["write 127.0.0.1:5000"]),
        (&["audit", "oci:layout", "--scope", "A.io/b"], &["write a.io"]),
        (&["audit", "oci:layout", "--scope", "a.io:0443/b"], &["write a.io:443"]),
        (&["audit", "@list"], &["\"list\":2: ", "write localhost:5000", "\"list\":3: ", "docker.io/library/nginx:1"]),
    ] {
        let run = run(folder.path(), arguments);
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}: {run}");
        for hint in hints {
            assert!(run.stderr.contains(hint), "{arguments:?}: {run}");
        }
        assert!(!run.stderr.contains("add a :tag"), "{run}");
    }
}

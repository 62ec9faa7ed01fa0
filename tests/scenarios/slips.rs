//! Slips in scenarios that write and sign files, attach content of their own, and change stores, policies and keys: each is
//! refused at its place.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::Path;

use muster::scenario;

use crate::scenario_files::{SOUND, project, refused, refused_at};

/// What is put into the world lies in the project, as policies do.
#[test]
fn files_that_leave_the_project() {
    let (folder, _) = project("");
    std::fs::create_dir(folder.path().join(".git")).unwrap();
    std::fs::write(folder.path().join("sbom.spdx"), "SPDXVersion: SPDX-2.3").unwrap();
    let long = std::fs::File::create(folder.path().join("long")).unwrap();
    long.set_len((64 << 20) + 1).unwrap();
    #[cfg(unix)]
    std::os::unix::fs::symlink("sbom.spdx", folder.path().join("link")).unwrap();
    let file = folder.path().join("scenarios/topic/case.yaml");
    for step in ["write: { file: a, from: PATH }", "attach: { name: a, artifactType: a/b, from: PATH }"] {
        let read = |path: &str| {
            let text = SOUND.replace("  - sign: {}", &format!("  - sign: {{}}\n  - {}", step.replace("PATH", path)));
            scenario::parse(text.as_bytes(), &file)
        };
        read("../../sbom.spdx").unwrap();
        for (path, says) in [
            ("../../../sbom.spdx", "leads out of the project"),
            ("/etc/passwd", "does not start here"),
            ("../../none.spdx", "No such file"),
            ("../../long", "is longer than the 67108864 bytes"),
            ("..", "is a directory"),
            #[cfg(unix)]
            ("../../link", "is a symbolic link"),
        ] {
            let errors = read(path).unwrap_err();
            assert_eq!((errors.len(), errors[0].code, errors[0].span.unwrap().line), (1, "file-path", 5), "{path}");
            assert!(errors[0].to_string().contains(says), "{}", errors[0]);
        }
    }
}

/// Refuses a scenario with these steps; `token` is what the place begins with, in the last step that has it.
#[track_caller]
fn refused_step(steps: &[&str], code: &str, token: &str, says: &str) {
    let text = format!("title: x\nsteps:\n  - {}\nverify: [{{ expect: {{ result: pass }} }}]\n", steps.join("\n  - "));
    refused_at(&text, code, (steps.len() + 2, token), says);
}

#[test]
fn slips_in_files_and_their_signatures() {
    let write = "write: { file: a, content: x }";
    for (steps, code, token, says) in [
        (&["write: { file: ../a, content: x }"][..], "invalid-name", "../a", "no name for a file"),
        (&["write: { file: .a, content: x }"], "invalid-name", ".a", "no name for a file"),
        (&["write: { file: \"\", content: x }"], "invalid-name", "\"\"", "no name for a file"),
        (&["write: { file: a }"], "missing-key", "a }", "it is not said what \"a\" holds"),
        (
            &["write: { file: a, content: x, size: 3 }"],
            "contradiction",
            "3",
            "keep one of content, base64, from and size",
        ),
        (&["write: { file: a, base64: \"x*\" }"], "invalid-value", "\"x*", "no Base64"),
        (&["write: { file: a, size: 67108865 }"], "invalid-count", "67108865", "67108864 bytes"),
        (&["sign: { file: a }"], "unknown-file", "a }", "write it in a step before"),
        (&[write, "sign: { file: b }"], "unknown-file", "b }", "no file \"b\""),
        (&["push: {}", "sign: { mediaType: a/b }"], "contradiction", "a/b", "remove mediaType, or name a file"),
        (&[write, "sign: { file: a, mediaType: \"\" }"], "invalid-value", "\"\"", "the media type is empty"),
        (&[write, "sign: { file: a, manifest: artifact-type }"], "contradiction", "a,", "has no manifest"),
        (
            &["push: {}", write, "sign: { file: a, artifact: registry.wabbit-networks.io/net-monitor:v1 }"],
            "contradiction",
            "registry",
            "remove artifact or file",
        ),
        (&[write, "sign: { file: a }", "tamper: { file: a, do: move-to }"], "tampering", "move-to", "a file has none"),
        (
            &[write, "sign: { file: a }", "tamper: { file: a, signature: 1, do: truncate }"],
            "unknown-file",
            "1",
            "1 signatures",
        ),
        (
            &[write, "sign: { file: a, count: 2 }", "tamper: { file: a, do: truncate }"],
            "unknown-file",
            "a,",
            "say which",
        ),
        (
            &[
                write,
                "sign: { file: a }",
                "write: { file: b, size: 1 }",
                "tamper: { file: a, do: replace-envelope, with: b }",
            ],
            "unknown-file",
            "b }",
            "\"b\" has no signature",
        ),
        (&[write, "delete: { file: a, signature: 0 }"], "unknown-file", "0", "0 signatures"),
        (&[write, "verify: { file: b, expect: { result: pass } }"], "unknown-file", "b,", "no file \"b\""),
        (&[write, "verify: { file: a, signature: 0, expect: { result: pass } }"], "unknown-file", "0", "0 signatures"),
        (
            &["verify: { mediaType: a/b, expect: { result: pass } }"],
            "contradiction",
            "a/b",
            "mediaType is said of files",
        ),
        (
            &["verify: { policyName: a, expect: { result: pass } }"],
            "contradiction",
            "a,",
            "policyName is said of files",
        ),
        (&["verify: { signature: 0, expect: { result: pass } }"], "contradiction", "0", "signature is said of files"),
        (&["verify: { signatureFormat: jws, expect: { result: pass } }"], "contradiction", "jws", "said of files"),
        (
            &[write, "verify: { file: a, policyName: \" \", expect: { result: pass } }"],
            "invalid-value",
            "\" \"",
            "blank",
        ),
        (
            &[write, "verify: { file: a, maxSignatures: 2, expect: { result: pass } }"],
            "contradiction",
            "2",
            "of artifacts",
        ),
        (
            &[
                write,
                "verify: { file: a, artifact: registry.wabbit-networks.io/net-monitor:v1, expect: { result: pass } }",
            ],
            "contradiction",
            "registry",
            "remove artifact, or file",
        ),
        (
            &[write, "verify: { file: a, expect: { result: pass, manifests: { linux/amd64: { result: pass } } } }"],
            "contradiction",
            "linux",
            "remove manifests",
        ),
        (
            &[write, "verify: { file: a, expect: { result: pass, artifacts: 1 } }"],
            "contradiction",
            "1 }",
            "remove artifacts",
        ),
        // A policy of the other kind is none.
        (
            &[write, "verify: { file: a, policy: { registryScopes: [a] }, expect: { result: pass } }"],
            "invalid-policy",
            "{ registryS",
            "registryScopes",
        ),
        (
            &["verify: { policy: { globalPolicy: true }, expect: { result: pass } }"],
            "invalid-policy",
            "{ globalP",
            "globalPolicy",
        ),
    ] {
        refused_step(steps, code, token, says);
    }
}

#[test]
fn slips_in_what_is_attached() {
    let attach = |more: &str| format!("attach: {{ name: a, artifactType: a/b, {more} }}");
    for (more, code, token, says) in [
        ("content: x, from: ../../y", "contradiction", "../../y", "remove content or from"),
        ("mediaType: \"\"", "invalid-value", "\"\"", "the media type is empty"),
        ("layers: [{ mediaType: a/c }]", "missing-key", "{ mediaType", "there is no content"),
        ("content: x, layers: [{ content: y }]", "contradiction", "x,", "what it holds is said by its layers already"),
        ("mediaType: a/c, layers: [{ content: y }]", "contradiction", "a/c", "said by its layers already"),
        ("sign: { file: a }", "contradiction", "a }", "what is attached is signed, and no file"),
        ("sign: { mediaType: a/c }", "contradiction", "a/c", "what is attached is signed, and no file"),
        ("content: 3", "wrong-type", "content", "text, or a mapping or a list"),
        ("content: { a: 1, a: 2 }", "duplicate-key", "a: 2", "given twice"),
    ] {
        refused_step(&["push: {}", &attach(more)], code, token, says);
    }
    let long = format!("attach: {{ name: long, artifactType: a/b, content: {} }}", "x".repeat(1000));
    refused_step(&["push: { count: 100000 }", &long], "invalid-count", "long", "more than 67108864 bytes");
}

#[test]
fn slips_in_stores_policies_and_keys_that_change() {
    for (step, code, token, says) in [
        ("trust: { store: wabbit-networks, add: [wabbit] }", "invalid-store", "wabbit-n", "write ca:wabbit-networks"),
        (
            "trust: { store: ca:wabit-networks, add: [wabbit] }",
            "unknown-name",
            "ca:wabit",
            "did you mean \"ca:wabbit-networks\"?",
        ),
        ("trust: { store: ca:wabbit-networks }", "invalid-store", "ca:", "nothing of"),
        ("trust: { store: ca:wabbit-networks, add: [wabbit] }", "invalid-store", "wabbit]", "already"),
        (
            "trust: { store: ca:wabbit-networks, remove: [builder] }",
            "invalid-store",
            "builder",
            "does not hold \"builder\"",
        ),
        ("trust: { store: ca:wabbit-networks, remove: [wabbit, wabbit] }", "invalid-store", "wabbit]", "each once"),
        ("trust: { store: ca:wabbit-networks, add: [wabit] }", "unknown-name", "wabit", "did you mean \"wabbit\"?"),
        ("policy: { signatureVerification: { level: string } }", "invalid-policy", "{ signature", "string"),
        ("policy: ../../../p.json", "policy-path", "../../../p", "leads out of the project"),
        ("blobPolicy: { registryScopes: [\"*\"] }", "invalid-policy", "{ registry", "registryScopes"),
        ("blobPolicy: ../../../p.json", "policy-path", "../../../p", "leads out of the project"),
    ] {
        refused_step(&[step], code, token, says);
    }
    refused_step(
        &[
            "trust: { store: ca:wabbit-networks, remove: [wabbit] }",
            "trust: { store: ca:wabbit-networks, remove: [wabbit] }",
        ],
        "invalid-store",
        "wabbit]",
        "does not hold",
    );
    for (keys, token, code, says) in [
        ("{ a: { supersededAt: 3d } }", "3d", "invalid-validity", "add supersededBy"),
        ("{ a: { supersededBy: builder } }", "builder", "invalid-validity", "add supersededAt"),
        ("{ a: { supersededAt: 3d, supersededBy: bilder } }", "bilder", "unknown-name", "did you mean \"builder\"?"),
        ("{ a: { supersededAt: 3d, supersededBy: a } }", "a }", "invalid-validity", "let no key supersede itself"),
        (
            "{ a: { supersededAt: 3d, supersededBy: b }, b: { supersededAt: 3d, supersededBy: builder } }",
            "b }",
            "invalid-validity",
            "is superseded before it could supersede",
        ),
    ] {
        let text = format!("title: x\nkeys: {keys}\nverify: [{{ expect: {{ result: fail, code: unsigned }} }}]\n");
        refused_at(&text, code, (2, token), says);
    }
}

#[test]
fn i08_types_are_told_in_words() {
    for (step, says) in [
        ("sign: { count: many }", "not a number"),
        ("sign: { format: [jws] }", "this is not a word"),
        ("sign: { key: [builder] }", "this is not text"),
        ("copy: { to: registry.wabbit-networks.io/a:b, referrers: yes }", "write true or false"),
    ] {
        let text = SOUND.replace("sign: {}", step);
        let errors = scenario::parse(text.as_bytes(), Path::new("scenarios/topic/case.yaml")).unwrap_err();
        assert_eq!((errors.len(), errors[0].code, errors[0].span.unwrap().line), (1, "wrong-type", 4), "{step}");
        assert!(errors[0].to_string().contains(says), "{}", errors[0]);
    }
    refused(format!("{SOUND}---\ntitle: y\n"), "yaml-syntax", (7, 1), "one file holds one scenario");
}

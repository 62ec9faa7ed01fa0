//! Tags of the form `sha256-<hex>`: a registry's own lists of referrers are passed over, and what hides behind such a tag
//! is audited like anything else.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::process::Command;

use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, Blob};
use serde_json::Value;

const POLICY: &str = r#"{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],
    "signatureVerification":{"level":"strict"},"trustStores":["ca:interop"],"trustedIdentities":["*"]}]}"#;

/// Whose signatures would be trusted: nothing is signed here.
const ROOT: &[u8] = include_bytes!("../interop/truststore/x509/ca/wabbit-networks/root-p521.pem");

fn push(registry: &EmbeddedRegistry, tag: &str, artifact: &Artifact) {
    for blob in &artifact.blobs {
        registry.put_blob("team/app", blob.bytes.clone()).unwrap();
    }
    let Blob { descriptor, bytes } = &artifact.manifest;
    registry.put_manifest("team/app", Some(tag), &descriptor.media_type, bytes.clone()).unwrap();
}

/// The references that an audit of `target` judges.
fn audited(target: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let policy = folder.path().join("policy.json");
    std::fs::write(&policy, POLICY).unwrap();
    let store = folder.path().join("x509/ca/interop");
    std::fs::create_dir_all(&store).unwrap();
    std::fs::write(store.join("root.pem"), ROOT).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["audit", target, "-o", "ndjson", "--trust-store"])
        .arg(folder.path())
        .arg("--policy")
        .arg(&policy)
        .output()
        .unwrap();
    let lines = String::from_utf8(output.stdout).unwrap();
    let reference = |line| serde_json::from_str::<Value>(line).unwrap()["reference"].as_str().unwrap().to_owned();
    lines.lines().map(reference).collect()
}

#[test]
fn only_lists_of_referrers_are_passed_over() {
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    let (host, image) = (registry.host(), Artifact::image("net-monitor"));
    let sbom = Artifact::attachment(image.descriptor(), "application/spdx+json", Blob::new("text/spdx", *b"sbom"));
    let tag = |artifact: &Artifact| artifact.descriptor().digest.referrers_tag();
    push(&registry, "v1", &image);
    // A list as a client keeps it; an image where a list would be; an index of images there.
    let entry = sbom.descriptor();
    let list = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{{"mediaType":"{}",
            "digest":"{}","size":{},"artifactType":"application/spdx+json"}}]}}"#,
        entry.media_type, entry.digest, entry.size
    );
    push(&registry, "sbom", &sbom);
    registry.put_manifest("team/app", Some(&tag(&image)), "application/vnd.oci.image.index.v1+json", list).unwrap();
    let (hidden, part) = (Artifact::image("hidden"), Artifact::image("part"));
    push(&registry, &tag(&hidden), &hidden);
    push(&registry, "part", &part);
    push(&registry, &tag(&sbom), &Artifact::index(&[&part]));

    let mut found = audited(&format!("{host}/team/app"));
    found.dedup();
    found.sort();
    let mut expected: Vec<_> =
        ["v1", "sbom", "part", &tag(&hidden), &tag(&sbom)].map(|tag| format!("{host}/team/app:{tag}")).into();
    expected.sort();
    assert_eq!(found, expected);

    // Whoever asks for a list by its name has it judged like any artifact.
    assert_eq!(audited(&format!("{host}/team/app:{}", tag(&image))).len(), 1);
}

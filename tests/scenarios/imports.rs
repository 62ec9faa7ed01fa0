//! Real things in scenarios: `muster test --import` of what lies in registries and layouts, and what is wrong with layouts,
//! certificates and recorded answers that a scenario names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::forge::responder::{IssuerRecords, Responders};
use muster::forge::{
    Artifact, Authority, Blob, Key, KeyKind, LeafRequest, SignatureManifest, Signer, Statement, crl_distribution_points,
};
use serde_json::{Value, json};
use tempfile::TempDir;
use time::OffsetDateTime;

const SECRET: &str = "hunter2-is-secret";
const JWS: &str = "application/jose+json";

pub(super) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn muster(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.arg("test").args(arguments).current_dir(folder).env("HOME", "/nonexistent");
    command.env("NOTATION_USERNAME", "wabbit").env("NOTATION_PASSWORD", SECRET).output().unwrap()
}

#[track_caller]
pub(super) fn ends(arguments: &[&str], folder: &Path, code: i32) -> String {
    let output = muster(arguments, folder);
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
    assert!(!said.contains(SECRET), "{said}");
    said
}

/// Every file below a folder.
pub(super) fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

#[track_caller]
fn no_secrets(folder: &Path) {
    for file in files(folder) {
        let bytes = fs::read(&file).unwrap();
        assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{}", file.display());
    }
}

/// A registry with what a signer of this test has signed.
pub(super) struct World {
    pub(super) registry: EmbeddedRegistry,
    flavour: Flavour,
    root: Authority,
    signer: Signer,
    pub(super) folder: TempDir,
}

impl World {
    pub(super) fn new(flavour: Flavour, crl: Option<&str>) -> World {
        let key = |slot| Key::pooled(KeyKind::P256, slot).unwrap();
        let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", key(0)).unwrap();
        let request = LeafRequest::new("C=US, ST=WA, O=wabbit-networks.io, CN=Builder", key(1)).unwrap();
        let signer = root.issue_with(request, |draft| {
            if let Some(url) = crl {
                draft.set(crl_distribution_points(&[url.to_owned()])?);
            }
            Ok(())
        });
        let registry = EmbeddedRegistry::start(Options { flavour, ..Options::default() }).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("config/truststore/x509/ca/wabbit");
        fs::create_dir_all(&store).unwrap();
        fs::write(store.join("root.der"), root.certificate()).unwrap();
        // A store that no policy names is not copied.
        fs::create_dir_all(folder.path().join("config/truststore/x509/ca/other")).unwrap();
        fs::write(folder.path().join("config/truststore/x509/ca/other/o.der"), root.certificate()).unwrap();
        let policy = json!({"version": "1.0", "trustPolicies": [{"name": "all", "registryScopes": ["*"],
            "signatureVerification": {"level": "strict"}, "trustStores": ["ca:wabbit"], "trustedIdentities": ["*"]}]});
        fs::write(folder.path().join("config/trustpolicy.json"), policy.to_string()).unwrap();
        World { registry, flavour, root, signer: signer.unwrap(), folder }
    }

    pub(super) fn put(&self, tag: Option<&str>, artifact: &Artifact) {
        for blob in &artifact.blobs {
            self.registry.put_blob("app", blob.bytes.clone()).unwrap();
        }
        let manifest = &artifact.manifest;
        let media_type = &manifest.descriptor.media_type;
        self.registry.put_manifest("app", tag, media_type, manifest.bytes.clone()).unwrap();
    }

    /// Attaches `attached`; where there is no referrers API, in an index under the tag of the subject.
    pub(super) fn attach(&self, subject: &Artifact, attached: &Artifact, artifact_type: &str) {
        self.put(None, attached);
        if self.flavour == Flavour::WithoutReferrers {
            let listed = attached.descriptor();
            let index = json!({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
                "manifests": [{"mediaType": listed.media_type, "digest": listed.digest.to_string(), "size": listed.size,
                    "artifactType": artifact_type}]});
            let tag = subject.descriptor().digest.to_string().replace(':', "-");
            let media_type = "application/vnd.oci.image.index.v1+json";
            self.registry.put_manifest("app", Some(&tag), media_type, index.to_string()).unwrap();
        }
    }

    pub(super) fn sign(&self, subject: &Artifact) {
        let statement = Statement::new(subject.descriptor().clone(), OffsetDateTime::now_utc());
        let envelope = statement.jws(&self.signer).unwrap().seal().unwrap();
        let signature =
            Artifact::signature(SignatureManifest::ArtifactType, subject.descriptor(), JWS, &envelope, &self.signer);
        self.attach(subject, &signature, "application/vnd.cncf.notary.signature");
    }

    pub(super) fn import(&self, tag: &str, more: &[&str]) -> String {
        let reference = format!("{}/app:{tag}", self.registry.host());
        ends(&[&["--import", &reference, "--config", "config"], more].concat(), self.folder.path(), 0)
    }
}

pub(super) fn index_of(case: &Path) -> Vec<Value> {
    let index: Value = serde_json::from_slice(&fs::read(case.join("layout/index.json")).unwrap()).unwrap();
    index["manifests"].as_array().unwrap().clone()
}

/// What the real notation signed, whatever came out of it, from a registry that is gone afterwards.
#[test]
fn what_notation_signed_becomes_scenarios_that_pass() {
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    registry.load_layout(&root().join("tests/interop/layout")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let interop = |path: &str| root().join("tests/interop").join(path).display().to_string();
    let (policies, stores) = (interop("policies"), interop("truststore"));
    let mut results = Vec::new();
    for (case, policy) in [
        ("jws-p384", "strict-any"),
        ("cose-rsa4096", "strict-identity"),
        ("timestamped-cose", "timestamp-always"),
        ("shortlived-timestamped-jws", "timestamp-always"),
        ("shortlived-jws", "permissive"),
        ("expired-jws", "strict-any"),
        ("rogue-jws", "strict-any"),
        ("unsigned", "strict-any"),
        ("wabbit-and-acme", "strict-acme"),
        ("escapes-cose", "escaped-identity"),
        ("jws-p256", "strict-wrong-identity"),
        ("metadata-jws", "audit"),
    ] {
        let reference = format!("{}/interop/{case}:v1", registry.host());
        let policy = format!("{policies}/{policy}.json");
        let arguments = ["--import", &reference, "--policy", &policy, "--trust-store", &stores];
        let output = muster(&arguments, folder.path());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{case}: {said}");
        let file = format!("scenarios/imported/{case}-v1/case.yaml");
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), file);
        let text = fs::read_to_string(folder.path().join(file)).unwrap();
        let result = text.lines().find_map(|line| line.strip_prefix("      result: ")).unwrap().to_owned();
        results.push(format!("{case}: {result}"));
    }
    drop(registry);
    let said = ends(&[], folder.path(), 0);
    assert!(said.contains("12 cases: 12 passed"), "{said}");
    // Layouts, and policies that scenarios name, are a part of them.
    assert!(!said.contains("passed over"), "{said}");
    assert_eq!(
        results,
        [
            "jws-p384: pass",
            "cose-rsa4096: pass",
            "timestamped-cose: pass",
            "shortlived-timestamped-jws: pass",
            "shortlived-jws: warn",
            "expired-jws: fail",
            "rogue-jws: fail",
            "unsigned: fail",
            "wabbit-and-acme: pass",
            "escapes-cose: pass",
            "jws-p256: fail",
            "metadata-jws: warn",
        ]
    );
    no_secrets(folder.path());
}

#[test]
fn an_index_comes_with_everything_that_refers_to_it() {
    for flavour in [Flavour::Current, Flavour::WithoutReferrers] {
        let world = World::new(flavour, None);
        let images = [Artifact::image("amd64"), Artifact::image("arm64")];
        let index = Artifact::index(&images.each_ref());
        images.iter().for_each(|image| world.put(None, image));
        world.put(Some("v1"), &index);
        world.sign(&images[0]);
        let content = Blob::new("application/spdx+json", "{}");
        let sbom = Artifact::attachment(index.descriptor(), "application/spdx+json", content);
        world.sign(&sbom);
        // The list of the referrers tag schema holds one: the signature of the index is judged, the SBoM comes by the API.
        if flavour == Flavour::Current {
            world.attach(&index, &sbom, "application/spdx+json");
        }
        world.sign(&index);
        let said = world.import("v1", &["--name", "set"]);
        assert!(said.contains("it expects pass") && said.contains("layers or other contents were left out"), "{said}");
        let case = world.folder.path().join("scenarios/imported/set");
        let digests: Vec<String> = index_of(&case).iter().map(|entry| entry["digest"].to_string()).collect();
        let wanted = if flavour == Flavour::Current { 5 } else { 3 };
        assert_eq!(digests.len(), wanted, "{digests:?}");
        for artifact in images.iter().chain([&index]) {
            let hex = artifact.descriptor().digest.hex();
            assert_eq!(fs::read(case.join("layout/blobs/sha256").join(hex)).unwrap(), artifact.manifest.bytes);
        }
        assert!(case.join("x509/ca/wabbit/root.der").is_file() && !case.join("x509/ca/other").exists());

        // What was brought in has parts, is signed and copied like anything else.
        let text = fs::read_to_string(case.join("case.yaml")).unwrap();
        let host = world.registry.host();
        let (amd64, sbom) = (format!("{host}/app:v1#linux/amd64"), format!("{host}/app:v1#application/spdx+json"));
        let more = format!(
            "  - copy: {{ from: \"{host}/app:v1\", to: \"{host}/copy:v1\" }}\n  - delete: {{ artifact: \"{host}/app:v1\", signature: 0 }}\n"
        );
        let parts = format!(
            "  - artifact: \"{amd64}\"\n    policy: trustpolicy.json\n    expect: {{ result: pass }}\n  - artifact: \"{host}/copy:v1\"\n    policy: trustpolicy.json\n    expect: {{ result: pass, signatures: 1 }}\n"
        );
        let attached =
            format!("  - artifact: \"{sbom}\"\n    policy: trustpolicy.json\n    expect: {{ result: pass }}\n");
        let mut parts = parts;
        if flavour == Flavour::Current {
            parts += &attached;
        }
        let (before, after) = text.split_once("verify:\n").unwrap();
        let whole = after.split_once("    expect:").unwrap().0;
        let unsigned = format!("{whole}    expect: {{ result: fail, code: unsigned }}\n");
        fs::write(case.join("more.yaml"), format!("{before}{more}verify:\n{unsigned}{parts}")).unwrap();
        drop(world.registry);
        let said = ends(&["scenarios"], world.folder.path(), 0);
        assert!(said.contains("2 cases: 2 passed"), "{said}");
        no_secrets(&case);
    }
}

/// With `MUSTER_UPDATE=1` the shipped example is made anew by this test, unless it is there.
#[test]
fn a_revoked_signer_stays_revoked_without_the_crl_server() {
    let responders = Responders::start(OffsetDateTime::now_utc()).unwrap();
    let world = World::new(Flavour::Current, Some(&responders.url("/wabbit.crl")));
    let records = IssuerRecords::new(world.root.clone());
    records.revoke(world.signer.serial(), OffsetDateTime::now_utc() - time::Duration::days(1), Some(1), None);
    responders.crl("/wabbit.crl", &records, muster::forge::responder::CrlOptions::default(), None);
    let image = Artifact::image("net-monitor");
    world.put(Some("v1"), &image);
    world.sign(&image);
    let said = world.import("v1", &["--name", "revoked", "--layers"]);
    assert!(said.contains("it expects fail (revoked)") && !said.contains("left out"), "{said}");
    // A layout is imported as a registry is; its names do not choose the statement.
    let layout = "oci:scenarios/imported/revoked/layout:v1";
    let arguments = ["--import", layout, "--config", "config", "--name", "again"];
    let refused = ends(&arguments, world.folder.path(), 2);
    assert!(refused.contains("--scope"), "{refused}");
    let example = root().join("scenarios/imported");
    let scope = ["--scope", "registry.acme-rockets.io/software/net-monitor"];
    ends(&[&arguments[..], &scope].concat(), world.folder.path(), 0);
    if std::env::var_os("MUSTER_UPDATE").is_some() && !example.join("revoked-by-crl").exists() {
        let to = example.display().to_string();
        let arguments = ["--import", layout, "--config", "config", "--name", "revoked-by-crl", "--to", &to];
        ends(&[&arguments[..], &scope].concat(), world.folder.path(), 0);
    }
    drop((responders, world.registry));
    let said = ends(&["scenarios"], world.folder.path(), 0);
    assert!(said.contains("2 cases: 2 passed"), "{said}");
    // Without the answers, nothing is known, and the real network is not asked.
    let case = world.folder.path().join("scenarios/imported/again/case.yaml");
    let text = fs::read_to_string(&case).unwrap();
    fs::write(&case, text.replace("    revocation: { folder: revocation }\n", "")).unwrap();
    let said = ends(&["scenarios"], world.folder.path(), 1);
    assert!(said.contains("revocation-unknown") || said.contains("unavailable"), "{said}");
}

#[test]
fn i26_nothing_is_written_over_and_nothing_half_is_left() {
    let world = World::new(Flavour::Current, None);
    let image = Artifact::image("net-monitor");
    world.put(Some("v1"), &image);
    world.sign(&image);
    let (folder, host) = (world.folder.path(), world.registry.host());
    let place = folder.join("here/app-v1");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("mine"), "mine").unwrap();
    let before = files(folder);
    let (good, gone) = (format!("{host}/app:v1"), format!("{host}/app:v2"));
    let import = ["--config", "config", "--to", "here"];
    let with = |more: &[&str]| -> Vec<String> { more.iter().chain(&import).map(|text| (*text).to_owned()).collect() };
    for (arguments, code, says) in [
        (with(&["--import", &good]), 2, "is there already"),
        (with(&["--import", &gone]), 3, "there is no"),
        (with(&["--import", &good, "--name", "../out"]), 2, "no name of a folder"),
        (with(&["--import", &good, "--name", ".hidden"]), 2, "no name of a folder"),
        (with(&["--import", &format!("{host}/app")]), 2, "names no single artifact"),
        (with(&["--import", "oci:absent:a.io/b:v1", "--name", "x"]), 3, "absent"),
        (with(&["--import", &good, "--name", "x", "--policy", "absent.json"]), 2, "absent.json"),
        (vec!["--name".to_owned(), "x".to_owned()], 2, "--import"),
        (with(&["--import", &good, "--accept"]), 2, "cannot be used with"),
    ] {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = ends(&arguments, folder, code);
        assert!(said.contains(says), "{arguments:?}: {said}");
        assert_eq!(files(folder), before, "{arguments:?}");
    }
    // Beside what was there, and nothing unfinished.
    ends(&["--import", &good, "--config", "config", "--to", "here", "--name", "x"], folder, 0);
    assert!(files(folder).len() > before.len());
    let left = fs::read_dir(folder.join("here")).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>();
    assert_eq!(left.len(), 2, "{left:?}");
}

#[test]
fn content_that_was_left_out_keeps_cases_from_other_registries() {
    let world = World::new(Flavour::Current, None);
    let image = Artifact::image("net-monitor");
    world.put(Some("v1"), &image);
    world.sign(&image);
    world.import("v1", &["--name", "bare"]);
    world.import("v1", &["--name", "full", "--layers"]);
    let elsewhere = format!("external={}/scratch", world.registry.host());
    let said = ends(&["scenarios", "--registry", &elsewhere], world.folder.path(), 0);
    assert!(said.contains("1 passed") && said.contains("1 skipped"), "{said}");
    assert!(said.contains("manifests whose layers were left out"), "{said}");
}

/// A project with the layout, the certificates and the answers of a shipped example, and a scenario that names them.
pub(super) fn project(text: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let example = root().join("scenarios/imported/signed-by-notation");
    for file in files(&example) {
        let to = folder.path().join("proj/real").join(file.strip_prefix(&example).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
    fs::create_dir(folder.path().join("proj/.git")).unwrap();
    fs::write(folder.path().join("proj/case.yaml"), text).unwrap();
    folder
}

/// What a scenario says about files that are not as they should be: each an error with line and column, that says why.
#[test]
fn i24_files_that_are_brought_in_are_refused_with_their_place() {
    const BLOB: &str = "layout/blobs/sha256/f68c71ffa13f95161716051a393decee22f0ebb0f06c0163cb91ec82fbb99ff8";
    type Change = fn(&Path);
    let import = |from: &str| {
        format!(
            "title: x\nsteps:\n  - import: {{ from: \"{from}\" }}\nverify:\n  - expect: {{ result: fail, code: unsigned }}\n"
        )
    };
    let store = |entry: &str| {
        format!(
            "title: x\ntrustStores: {{ ca: {{ acme: [{entry}] }} }}\nsteps:\n  - push: {{}}\nverify:\n  - expect: {{ result: fail, code: unsigned }}\n"
        )
    };
    let answers = |folder: &str| {
        format!(
            "title: x\nsteps:\n  - push: {{}}\nverify:\n  - revocation: {{ folder: {folder} }}\n    expect: {{ result: fail, code: unsigned }}\n"
        )
    };
    let nothing: Change = |_| {};
    let cases: Vec<(String, Change, &str, &str)> = vec![
        (import("layout"), nothing, "3:21", "is no recorded artifact"),
        (import("oci:"), nothing, "3:21", "is no recorded artifact"),
        (import("oci:absent"), nothing, "3:21", "absent"),
        (import("oci:../outside"), nothing, "3:21", "leads out of the project"),
        (import("oci:/etc"), nothing, "3:21", "paths are relative to the scenario"),
        (import("oci:real/x509"), nothing, "3:21", "not an OCI layout"),
        (import("oci:real/layout:v2"), nothing, "3:21", "has no entry"),
        (import("oci:real/layout"), |real| fs::write(real.join(BLOB), "{}").unwrap(), "3:21", "has another digest"),
        (import("oci:real/layout"), |real| fs::remove_file(real.join(BLOB)).unwrap(), "3:21", "f68c71ff"),
        (
            import("oci:real/layout"),
            |real| fs::write(real.join("layout/index.json"), "{").unwrap(),
            "3:21",
            "index.json",
        ),
        (store("{ file: absent.pem }"), nothing, "2:37", "absent.pem"),
        (store("{ file: ../outside.pem }"), nothing, "2:37", "leads out of the project"),
        (store("{ file: real/x509 }"), nothing, "2:37", "is not a regular file"),
        (store("{ folder: real/case.yaml }"), nothing, "2:39", "is not a folder"),
        (store("{ file: real/case.yaml }"), nothing, "2:37", "is no certificate"),
        (store("{ folder: real/layout }"), nothing, "2:39", "index.json"),
        (store("{ file: a, folder: b }"), nothing, "2:29", "from a file or from a folder"),
        (
            store("{ file: real/key.pem }"),
            |real| {
                fs::write(real.join("key.pem"), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")
                    .unwrap();
            },
            "2:37",
            "private key",
        ),
        (answers("absent"), nothing, "5:27", "absent"),
        (answers("../outside"), nothing, "5:27", "leads out of the project"),
        (answers("real/x509"), nothing, "5:27", "passed over"),
        (answers("real/case.yaml"), nothing, "5:27", "case.yaml"),
    ];
    for (text, change, place, says) in cases {
        let folder = project(&text);
        let proj = folder.path().join("proj");
        change(&proj.join("real"));
        let said = ends(&["case.yaml"], &proj, 2);
        assert!(said.contains(&format!("case.yaml:{place}")), "{text}{place}: {said}");
        assert!(said.contains(says), "{text}{says}: {said}");
    }
}

#[cfg(unix)]
#[test]
fn i25_links_on_the_way_or_inside_are_not_followed() {
    use std::os::unix::fs::symlink;
    let text = |from: &str| {
        format!("title: x\nsteps:\n  - import: {{ from: \"{from}\" }}\nverify:\n  - expect: {{ result: pass }}\n")
    };
    let folder = project(&text("oci:link"));
    let proj = folder.path().join("proj");
    symlink(proj.join("real/layout"), proj.join("link")).unwrap();
    let said = ends(&["case.yaml"], &proj, 2);
    assert!(said.contains("a symbolic link"), "{said}");
    let folder = project(&text("oci:real/layout"));
    let proj = folder.path().join("proj");
    let blob = proj.join("real/layout/blobs/sha256/f68c71ffa13f95161716051a393decee22f0ebb0f06c0163cb91ec82fbb99ff8");
    fs::rename(&blob, folder.path().join("elsewhere")).unwrap();
    symlink(folder.path().join("elsewhere"), &blob).unwrap();
    let said = ends(&["case.yaml"], &proj, 2);
    assert!(said.contains("is not a regular file"), "{said}");
}

/// Of several artifacts in one layout, which is meant has to be said.
#[test]
fn one_artifact_of_a_layout_is_meant() {
    let folder = tempfile::tempdir().unwrap();
    let interop = root().join("tests/interop/layout");
    for file in files(&interop) {
        let to = folder.path().join("layout").join(file.strip_prefix(&interop).unwrap());
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(&file, to).unwrap();
    }
    let text = |from: &str| {
        format!(
            "title: x\nsteps:\n  - import: {{ from: \"{from}\", referrers: false }}\nverify:\n  - expect: {{ result: fail, code: unsigned }}\n"
        )
    };
    let case = folder.path().join("case.yaml");
    fs::write(&case, text("oci:layout")).unwrap();
    let said = ends(&["case.yaml"], folder.path(), 2);
    assert!(said.contains("holds several artifacts, among them") && said.contains("oci:DIR:REF"), "{said}");
    fs::write(&case, text("oci:layout:127.0.0.1:5601/interop/jws-p384:v1")).unwrap();
    ends(&["case.yaml"], folder.path(), 0);
}

/// What lists nothing by itself lists what is brought in as it would have been listed when it was signed.
#[test]
fn signatures_that_are_brought_in_are_found_in_a_registry_without_the_referrers_api() {
    let case = fs::read_to_string(root().join("scenarios/imported/signed-by-notation/case.yaml")).unwrap();
    let elsewhere = case.replace("\"127.0.0.1:5601\": {}", "\"127.0.0.1:5601\": { flavour: without-referrers }");
    assert_ne!(case, elsewhere);
    let folder = project("");
    fs::remove_file(folder.path().join("proj/case.yaml")).unwrap();
    fs::write(folder.path().join("proj/real/case.yaml"), elsewhere).unwrap();
    ends(&["real/case.yaml"], &folder.path().join("proj"), 0);
}

//! `muster sign`, `list` and `inspect` in OCI layouts.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use muster::forge::registry::Flavour;
use muster::forge::{Artifact, KeyKind};
use serde_json::{Value, json};

use super::workshop::Workshop;

/// Makes a layout of one image for every name, and says what each is called by digest.
fn layout(folder: &Path, names: &[String]) -> Vec<String> {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder.join("blobs/sha256")).unwrap();
    fs::write(folder.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    let mut manifests = Vec::new();
    let mut called = Vec::new();
    for name in names {
        let image = Artifact::image(name);
        for blob in image.blobs.iter().chain([&image.manifest]) {
            fs::write(folder.join("blobs/sha256").join(blob.descriptor.digest.hex()), &blob.bytes).unwrap();
        }
        let descriptor = image.descriptor();
        manifests.push(json!({
            "mediaType": descriptor.media_type, "digest": descriptor.digest, "size": descriptor.size,
            "annotations": { "org.opencontainers.image.ref.name": name }, "x-own": true,
        }));
        called.push(format!("{}@{}", folder.display(), descriptor.digest));
    }
    let index = json!({ "schemaVersion": 2, "manifests": manifests });
    fs::write(folder.join("index.json"), index.to_string()).unwrap();
    called
}

fn index(folder: &Path) -> Vec<Value> {
    let index: Value = serde_json::from_slice(&fs::read(folder.join("index.json")).unwrap()).unwrap();
    index["manifests"].as_array().unwrap().clone()
}

/// Left in the folder that `MUSTER_LEAVE_LAYOUT` names, if it does, so that the reference implementation can be asked too: the
/// signatures differ from run to run, as ECDSA and RSASSA-PSS are random.
#[test]
fn a_layout_is_signed_with_all_six_algorithms_in_both_formats() {
    let workshop = Workshop::new(Flavour::Current);
    let folder = workshop.path("signed-by-muster");
    let variants: Vec<_> = KeyKind::ALL.iter().flat_map(|kind| [(kind, "jws"), (kind, "cose")]).collect();
    let names: Vec<_> = variants.iter().map(|(kind, format)| format!("{}-{format}", kind.word())).collect();
    let called = layout(&folder, &names);
    let before = index(&folder);
    for ((kind, format), name) in variants.iter().zip(&called) {
        let run = workshop.expect(0, &["sign", "-k", kind.word(), "--signature-format", format, "--oci-layout", name]);
        let [signature] = <[String; 1]>::try_from(workshop.listed(&["--oci-layout", name])).unwrap();
        let said = format!("Successfully signed {name}\nPushed the signature to {}@{signature}\n", folder.display());
        assert_eq!((run.stdout, run.stderr.as_str()), (said, ""));
    }
    for name in &called {
        workshop.expect(0, &["verify", "--oci-layout", "--scope", "registry.io/any", name]);
    }
    let after = index(&folder);
    assert_eq!(after[..before.len()], before);
    assert_eq!(after.len(), 2 * before.len());
    if let Some(place) = std::env::var_os("MUSTER_LEAVE_LAYOUT").map(PathBuf::from) {
        fs::create_dir_all(&place).unwrap();
        let copied = Command::new("cp").arg("-R").arg(&folder).arg(place.join("layout")).status().unwrap();
        assert!(copied.success());
        fs::copy(workshop.path("config/truststore/x509/ca/wabbit/root.der"), place.join("root.der")).unwrap();
    }
    let leftovers = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(leftovers.collect::<BTreeSet<_>>(), ["blobs", "index.json", "oci-layout"].map(str::to_owned).into());
}

#[test]
fn a_tag_of_a_layout_is_signed_by_its_target_form() {
    let workshop = Workshop::new(Flavour::Current);
    let folder = workshop.path("layout");
    let [called] = <[String; 1]>::try_from(layout(&folder, &["app".to_owned()])).unwrap();
    let unsigned = workshop.expect(0, &["list", "oci:layout:app"]);
    assert_eq!(unsigned.stdout, format!("layout@{} has no associated signature\n", called.split_once('@').unwrap().1));
    workshop.expect(0, &["sign", "oci:layout:app"]);
    assert_eq!(workshop.listed(&["oci:layout:app"]).len(), 1);
    assert_eq!(workshop.listed(&["--oci-layout", "layout:app"]).len(), 1);
    let shown = workshop.expect(0, &["inspect", "oci:layout:app"]).stdout;
    assert!(shown.contains("signature algorithm: ECDSA-SHA-256"), "{shown}");
    workshop.expect(3, &["sign", "oci:layout:other"]);
    workshop.expect(3, &["sign", "oci:nowhere:app"]);
}

#[test]
fn those_who_sign_at_the_same_time_lose_nothing() {
    let workshop = Workshop::new(Flavour::Current);
    let folder = workshop.path("layout");
    layout(&folder, &["app".to_owned()]);
    let started: Vec<_> = (0..8).map(|_| workshop.muster(&["sign", "oci:layout:app"]).start()).collect();
    for child in started {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    assert_eq!(workshop.listed(&["oci:layout:app"]).len(), 8);
}

#[test]
fn a_layout_that_cannot_be_read_is_not_written_to() {
    let workshop = Workshop::new(Flavour::Current);
    let folder = workshop.path("layout");
    for (name, content) in [("index.json", "{"), ("oci-layout", r#"{"imageLayoutVersion":"2"}"#)] {
        layout(&folder, &["app".to_owned()]);
        fs::write(folder.join(name), content).unwrap();
        let run = workshop.expect(3, &["sign", "oci:layout:app"]);
        assert_eq!(run.stdout, "");
        assert_eq!(fs::read_to_string(folder.join(name)).unwrap(), content);
    }
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links() {
    let workshop = Workshop::new(Flavour::Current);
    let folder = workshop.path("layout");
    let [called] = <[String; 1]>::try_from(layout(&folder, &["app".to_owned()])).unwrap();
    fs::rename(folder.join("blobs"), workshop.path("elsewhere")).unwrap();
    std::os::unix::fs::symlink(workshop.path("elsewhere"), folder.join("blobs")).unwrap();
    let count = || fs::read_dir(workshop.path("elsewhere/sha256")).unwrap().count();
    let before = count();
    workshop.expect(3, &["sign", "--oci-layout", &called]);
    assert_eq!(count(), before);
}

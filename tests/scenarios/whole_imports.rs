//! Imports are whole, or there are none: large ones, long chains of what refers to something, and layouts that lack a part.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use muster::forge::registry::Flavour;
use muster::forge::{Artifact, Blob};
use serde_json::Value;

use super::imports::{World, ends, index_of, project};

/// More than a run reads of registries at a time, all of which an import holds; and deeper than audits look.
#[test]
fn i20_what_is_attached_comes_whole_however_long_and_deep() {
    const LONG: usize = 4 << 20;
    let world = World::new(Flavour::Current, None);
    let image = Artifact::image("net-monitor");
    world.put(Some("v1"), &image);
    world.sign(&image);
    for number in 0..6 {
        let content = Blob::new("application/spdx+json", vec![b'a' + number; LONG]);
        let sbom = Artifact::attachment(image.descriptor(), "application/spdx+json", content);
        world.attach(&image, &sbom, "application/spdx+json");
    }
    let mut last = image;
    for number in 0..6 {
        let content = Blob::new("application/x", format!("link {number}"));
        let next = Artifact::attachment(last.descriptor(), "application/x", content);
        world.attach(&last, &next, "application/x");
        last = next;
    }
    let said = world.import("v1", &["--name", "whole", "--layers"]);
    assert!(said.contains("with 14 manifests, of which 13 refer to others"), "{said}");
    let case = world.folder.path().join("scenarios/imported/whole");
    assert_eq!(index_of(&case).len(), 14);
    let said = ends(&["scenarios"], world.folder.path(), 0);
    assert!(said.contains("1 passed"), "{said}");
}

/// The file of what a layout lists with `artifact_type`.
fn listed_as(layout: &Path, artifact_type: &str) -> PathBuf {
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let mut entries = index["manifests"].as_array().unwrap().iter();
    let entry = entries.find(|entry| entry["artifactType"] == artifact_type).unwrap();
    layout.join("blobs").join(entry["digest"].as_str().unwrap().replace(':', "/"))
}

#[test]
fn i21_a_recorded_signature_that_is_lost_leaves_nothing_unsigned() {
    let text = |referrers: bool| {
        format!(
            "title: x\nsteps:\n  - import: {{ from: \"oci:real/layout:v1\", referrers: {referrers} }}\nverify:\n  - expect: {{ result: fail, code: unsigned }}\n"
        )
    };
    type Loss = fn(&Path);
    let losses: [Loss; 3] = [
        |file| fs::remove_file(file).unwrap(),
        |file| fs::write(file, "{").unwrap(),
        |file| {
            let index = file.ancestors().nth(3).unwrap().join("index.json");
            let text = fs::read_to_string(&index).unwrap();
            let other = text.replace("application/vnd.cncf.notary.signature", "application/spdx+json");
            assert_ne!(text, other);
            fs::write(index, other).unwrap();
            fs::remove_file(file).unwrap();
        },
    ];
    for lose in losses {
        let folder = project(&text(true));
        let proj = folder.path().join("proj");
        lose(&listed_as(&proj.join("real/layout"), "application/vnd.cncf.notary.signature"));
        let said = ends(&["case.yaml"], &proj, 2);
        assert!(said.contains("case.yaml:3:21") && said.contains("not everything that refers to"), "{said}");
        // Who leaves behind what refers to it does not need it.
        fs::write(proj.join("case.yaml"), text(false)).unwrap();
        ends(&["case.yaml"], &proj, 0);
    }
}

#[test]
fn i22_an_index_without_the_images_of_all_its_platforms_is_imported() {
    let world = World::new(Flavour::Current, None);
    let images = [Artifact::image("amd64"), Artifact::image("arm64")];
    let index = Artifact::index(&images.each_ref());
    world.put(None, &images[0]);
    world.put(Some("v1"), &index);
    world.sign(&index);
    let said = world.import("v1", &["--name", "sparse", "--layers"]);
    assert!(said.contains("it expects pass") && said.contains("with 3 manifests"), "{said}");
    assert!(said.contains("1 layers or other contents were left out"), "{said}");
    let said = ends(&["scenarios"], world.folder.path(), 0);
    assert!(said.contains("1 passed"), "{said}");
}

#[test]
fn i23_what_could_not_be_decided_becomes_no_scenario() {
    let world = World::new(Flavour::Current, None);
    let image = Artifact::image("net-monitor");
    world.put(Some("v1"), &image);
    world.sign(&image);
    world.import("v1", &["--name", "whole", "--layers"]);
    let imported = world.folder.path().join("scenarios/imported");
    let layout = imported.join("whole/layout");
    let manifest = listed_as(&layout, "application/vnd.cncf.notary.signature");
    let manifest: Value = serde_json::from_slice(&fs::read(manifest).unwrap()).unwrap();
    let envelope = manifest["layers"][0]["digest"].as_str().unwrap().replace(':', "/");
    fs::remove_file(layout.join("blobs").join(envelope)).unwrap();
    let from = "oci:scenarios/imported/whole/layout:v1";
    let arguments = ["--import", from, "--scope", "a.io/app", "--config", "config", "--name", "lost"];
    let said = ends(&arguments, world.folder.path(), 3);
    assert!(said.contains("could not be decided") && said.contains("content-missing"), "{said}");
    assert_eq!(fs::read_dir(imported).unwrap().count(), 1, "nothing is left");
}

//! Lists of referrers under their tags: what they are asked, and what happens when they cannot be.

use muster::digest::Digest;
use muster::forge::registry::{Effect, EmbeddedRegistry, Fault, Options, RouteKind};
use muster::forge::{Artifact, Blob};
use serde_json::{Value, json};

use super::shelf::{EMPTY, IMAGE_CONFIG, INDEX, LAYER, Shelf, entry, entry_for, image, index, results};

/// What an audit says of a list under the tag of the signed image `v1`, if anything, and how many lists it passes over.
fn judged(list: impl FnOnce(&mut Shelf, &Artifact) -> Artifact) -> (Option<String>, u64) {
    let mut shelf = Shelf::new();
    let v1 = Artifact::image("v1");
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    let tag = v1.descriptor().digest.referrers_tag();
    let list = list(&mut shelf, &v1);
    shelf.put(Some(&tag), &list);
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    shelf.put_into(&registry, "team/app");
    let repository = format!("{}/team/app", registry.host());
    let (_, report) = shelf.report(&["audit", &repository]);
    let mut results = results(&report);
    assert_eq!(results.remove(&format!("{repository}:v1")).as_deref(), Some("pass"), "{report}");
    (
        results.remove(&format!("{repository}:{tag}")),
        report["summary"]["passedOver"]["referrersLists"].as_u64().unwrap(),
    )
}

fn attached(shelf: &mut Shelf, name: &str, to: &Artifact) -> Value {
    let sbom = image(name, EMPTY, "application/spdx+json", Some(to.descriptor()));
    entry(&shelf.put(None, &sbom))
}

/// An index that refers to an artifact.
fn attached_index(to: &Artifact, entries: &[Value]) -> Artifact {
    let manifest =
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries, "subject": entry(to.descriptor()) });
    Artifact { manifest: Blob::new(INDEX, manifest.to_string()), blobs: Vec::new() }
}

#[test]
fn a_list_is_passed_over_only_if_it_lists_nothing_but_referrers() {
    let passed_over = (None, 1);
    let unsigned = (Some("unsigned".to_owned()), 0);
    assert_eq!(judged(|_, _| index(&[])), passed_over);
    assert_eq!(judged(|shelf, v1| index(&[attached(shelf, "a", v1), attached(shelf, "b", v1)])), passed_over);
    // What was deleted cannot be run.
    let gone = json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": Digest::sha256(b"gone"), "size": 4 });
    assert_eq!(judged(|shelf, v1| index(&[attached(shelf, "a", v1), gone.clone()])), passed_over);
    // An index may be attached as well, if nothing in it can be run.
    let with_index = |inside: fn(&mut Shelf, &Artifact) -> Value| {
        judged(move |shelf, v1| {
            let inside = inside(shelf, v1);
            let attached = attached_index(v1, &[inside]);
            index(&[entry(&shelf.put(None, &attached))])
        })
    };
    assert_eq!(with_index(|shelf, _| attached(shelf, "a", &Artifact::image("any"))), passed_over);
    assert_eq!(with_index(|shelf, _| entry(&shelf.put(None, &Artifact::image("hidden")))), unsigned);
    assert_eq!(with_index(|shelf, v1| entry_for(&attached(shelf, "a", v1).into_descriptor(), "linux/amd64")), unsigned);

    assert_eq!(judged(|shelf, _| index(&[entry(&shelf.put(None, &Artifact::image("hidden")))])), unsigned);
    assert_eq!(judged(|shelf, _| index(&[attached(shelf, "a", &Artifact::image("other"))])), unsigned);
    assert_eq!(
        judged(|shelf, v1| {
            let hidden = image("hidden", IMAGE_CONFIG, LAYER, Some(v1.descriptor()));
            index(&[attached(shelf, "a", v1), entry(&shelf.put(None, &hidden))])
        }),
        unsigned
    );
    assert_eq!(
        judged(|shelf, v1| index(&[entry_for(&attached(shelf, "a", v1).into_descriptor(), "linux/amd64")])),
        unsigned
    );
    // The list of a registry refers to nothing itself.
    assert_eq!(
        judged(|shelf, v1| {
            let entry = attached(shelf, "a", v1);
            attached_index(v1, &[entry])
        }),
        unsigned
    );
}

trait IntoDescriptor {
    fn into_descriptor(self) -> muster::manifest::Descriptor;
}

impl IntoDescriptor for Value {
    fn into_descriptor(self) -> muster::manifest::Descriptor {
        let text = |member: &str| self[member].as_str().unwrap();
        muster::manifest::Descriptor::new(
            text("mediaType"),
            text("digest").parse().unwrap(),
            self["size"].as_u64().unwrap(),
        )
    }
}

#[test]
fn a_list_that_is_too_long_to_be_asked_is_an_error() {
    let long = judged(|shelf, v1| {
        let real = attached(shelf, "a", v1);
        let gone = (0..1000).map(|number: u32| {
            let digest = Digest::sha256(&number.to_be_bytes());
            json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 4 })
        });
        index(&gone.chain([real]).collect::<Vec<_>>())
    });
    assert_eq!(long, (Some("answer-too-large".to_owned()), 0));
}

#[test]
fn trouble_with_a_listed_manifest_leaves_open_what_the_list_is() {
    let mut shelf = Shelf::new();
    let subject = Artifact::image("subject");
    let sbom = attached(&mut shelf, "sbom", &subject);
    let tag = subject.descriptor().digest.referrers_tag();
    shelf.put(Some(&tag), &index(&[sbom]));
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    shelf.put_into(&registry, "team/app");
    let repository = format!("{}/team/app", registry.host());
    // The list itself is served, and what it lists is not.
    registry.fail(Fault { every: 2, ..Fault::next(usize::MAX, RouteKind::Manifest, Effect::Status(403, None)) });
    let (code, report) = shelf.report(&["audit", &repository]);
    assert_eq!(code, Some(3), "{report}");
    let row = &report["artifacts"][0];
    assert_eq!((&row["result"], &row["code"]), (&"error".into(), &"access-denied".into()), "{row}");
    assert!(row["message"].as_str().unwrap().contains("whether it is the list of referrers"), "{row}");
    assert!(row["artifact"].as_str().unwrap().contains("@sha256:"), "{row}");
}

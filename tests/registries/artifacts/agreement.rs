//! `audit` of everything and `verify` of each tag agree, and nothing that `verify` refuses is hidden from `audit`.

use std::collections::{BTreeMap, BTreeSet};

use muster::forge::Artifact;
use muster::forge::registry::{EmbeddedRegistry, Options};

use super::shelf::{EMPTY, IMAGE_CONFIG, LAYER, Shelf, attestation_entry, entry, entry_for, image, index, results};

/// What is under a tag, and what becomes of it.
const KINDS: [(Kind, Truth); 21] = [
    (signed_image, Truth::Passes),
    (unsigned_image, Truth::Fails),
    (signed_chart, Truth::Passes),
    (unsigned_chart, Truth::Fails),
    (signed_index, Truth::Passes),
    (unsigned_index, Truth::Fails),
    (nested_index, Truth::Passes),
    (unsigned_nested_index, Truth::Fails),
    (attested_index, Truth::Passes),
    (index_in_itself_twice, Truth::Passes),
    (cosign_signature, Truth::PassedOver),
    (cosign_attestation, Truth::PassedOver),
    (cosign_sbom, Truth::PassedOver),
    (image_as_cosign, Truth::Fails),
    (index_as_cosign, Truth::Fails),
    (list_of_referrers, Truth::PassedOver),
    (list_of_images, Truth::Fails),
    (list_with_an_image, Truth::Fails),
    (list_of_others_referrers, Truth::Fails),
    (list_of_images_that_refer, Truth::Fails),
    (image_as_list, Truth::Fails),
];

type Kind = fn(&mut Shelf, usize) -> String;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Truth {
    Passes,
    Fails,
    PassedOver,
}

fn named(number: usize) -> String {
    format!("v{number}")
}

fn some_image(shelf: &mut Shelf, name: String) -> Artifact {
    let image = Artifact::image(&name);
    shelf.put(None, &image);
    image
}

/// The tag of the referrers tag schema of an image that is there and signed.
fn tag_of_an_image(shelf: &mut Shelf, number: usize) -> (Artifact, String) {
    let image = some_image(shelf, format!("subject {number}"));
    let tag = image.descriptor().digest.referrers_tag();
    (image, tag)
}

fn signed_image(shelf: &mut Shelf, number: usize) -> String {
    let image = Artifact::image(&named(number));
    shelf.put(Some(&named(number)), &image);
    shelf.sign(&image);
    named(number)
}

fn unsigned_image(shelf: &mut Shelf, number: usize) -> String {
    shelf.put(Some(&named(number)), &Artifact::image(&named(number)));
    named(number)
}

fn chart(number: usize) -> Artifact {
    image(
        &named(number),
        "application/vnd.cncf.helm.config.v1+json",
        "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        None,
    )
}

fn signed_chart(shelf: &mut Shelf, number: usize) -> String {
    shelf.put(Some(&named(number)), &chart(number));
    shelf.sign(&chart(number));
    named(number)
}

fn unsigned_chart(shelf: &mut Shelf, number: usize) -> String {
    shelf.put(Some(&named(number)), &chart(number));
    named(number)
}

fn index_of_two(shelf: &mut Shelf, number: usize) -> Artifact {
    let [amd64, arm64] = ["amd64", "arm64"].map(|name| some_image(shelf, format!("{name} {number}")));
    index(&[entry_for(amd64.descriptor(), "linux/amd64"), entry_for(arm64.descriptor(), "linux/arm64")])
}

fn signed_index(shelf: &mut Shelf, number: usize) -> String {
    let index = index_of_two(shelf, number);
    shelf.put(Some(&named(number)), &index);
    shelf.sign(&index);
    named(number)
}

/// Its manifests are signed, which does not help it.
fn unsigned_index(shelf: &mut Shelf, number: usize) -> String {
    let image = some_image(shelf, format!("signed {number}"));
    shelf.sign(&image);
    shelf.put(Some(&named(number)), &index(&[entry_for(image.descriptor(), "linux/amd64")]));
    named(number)
}

fn nested(shelf: &mut Shelf, number: usize) -> Artifact {
    let inner = index_of_two(shelf, number);
    shelf.put(None, &inner);
    index(&[entry(inner.descriptor())])
}

fn nested_index(shelf: &mut Shelf, number: usize) -> String {
    let nested = nested(shelf, number);
    shelf.put(Some(&named(number)), &nested);
    shelf.sign(&nested);
    named(number)
}

fn unsigned_nested_index(shelf: &mut Shelf, number: usize) -> String {
    let nested = nested(shelf, number);
    shelf.put(Some(&named(number)), &nested);
    named(number)
}

fn attested_index(shelf: &mut Shelf, number: usize) -> String {
    let built = some_image(shelf, format!("built {number}"));
    let attestation = image(&format!("attests {number}"), IMAGE_CONFIG, "application/vnd.in-toto+json", None);
    shelf.put(None, &attestation);
    let index = index(&[entry_for(built.descriptor(), "linux/amd64"), attestation_entry(attestation.descriptor())]);
    shelf.put(Some(&named(number)), &index);
    shelf.sign(&index);
    named(number)
}

fn index_in_itself_twice(shelf: &mut Shelf, number: usize) -> String {
    let inner = index_of_two(shelf, number);
    shelf.put(None, &inner);
    let middle = index(&[entry(inner.descriptor()), entry(inner.descriptor())]);
    shelf.put(None, &middle);
    let outer = index(&[entry(inner.descriptor()), entry(middle.descriptor()), entry(inner.descriptor())]);
    shelf.put(Some(&named(number)), &outer);
    shelf.sign(&outer);
    named(number)
}

fn under_cosigns_tag(shelf: &mut Shelf, number: usize, ending: &str, artifact: &Artifact) -> String {
    let tag = format!("{}.{ending}", tag_of_an_image(shelf, number).1);
    shelf.put(Some(&tag), artifact);
    tag
}

fn of_cosign(shelf: &mut Shelf, number: usize, ending: &str, layer: &str) -> String {
    under_cosigns_tag(shelf, number, ending, &image(&format!("cosign {number}"), IMAGE_CONFIG, layer, None))
}

fn cosign_signature(shelf: &mut Shelf, number: usize) -> String {
    of_cosign(shelf, number, "sig", "application/vnd.dev.cosign.simplesigning.v1+json")
}

fn cosign_attestation(shelf: &mut Shelf, number: usize) -> String {
    of_cosign(shelf, number, "att", "application/vnd.dsse.envelope.v1+json")
}

fn cosign_sbom(shelf: &mut Shelf, number: usize) -> String {
    of_cosign(shelf, number, "sbom", "text/spdx+json")
}

fn image_as_cosign(shelf: &mut Shelf, number: usize) -> String {
    under_cosigns_tag(shelf, number, "sig", &Artifact::image(&named(number)))
}

fn index_as_cosign(shelf: &mut Shelf, number: usize) -> String {
    let index = index_of_two(shelf, number);
    under_cosigns_tag(shelf, number, "att", &index)
}

/// With and without the artifact type that the specification wants there.
fn list_of_referrers(shelf: &mut Shelf, number: usize) -> String {
    let (subject, tag) = tag_of_an_image(shelf, number);
    let signature = shelf.sign(&subject);
    let sbom = image(&format!("sbom {number}"), EMPTY, "application/spdx+json", Some(subject.descriptor()));
    shelf.put(None, &sbom);
    let mut entries = [entry(&signature), entry(sbom.descriptor())];
    if number.is_multiple_of(2) {
        entries[0]["artifactType"] = "application/vnd.cncf.notary.signature".into();
    }
    shelf.put(Some(&tag), &index(&entries));
    tag
}

fn list_of_images(shelf: &mut Shelf, number: usize) -> String {
    let (_, tag) = tag_of_an_image(shelf, number);
    let hidden = some_image(shelf, format!("hidden {number}"));
    let mut hidden = entry(hidden.descriptor());
    hidden["artifactType"] = "application/vnd.cncf.notary.signature".into();
    shelf.put(Some(&tag), &index(&[hidden]));
    tag
}

fn list_with_an_image(shelf: &mut Shelf, number: usize) -> String {
    let (subject, tag) = tag_of_an_image(shelf, number);
    let signature = shelf.sign(&subject);
    let hidden = some_image(shelf, format!("hidden {number}"));
    shelf.put(Some(&tag), &index(&[entry(&signature), entry(hidden.descriptor())]));
    tag
}

fn list_of_others_referrers(shelf: &mut Shelf, number: usize) -> String {
    let (_, tag) = tag_of_an_image(shelf, number);
    let other = some_image(shelf, format!("other {number}"));
    let signature = shelf.sign(&other);
    shelf.put(Some(&tag), &index(&[entry(&signature)]));
    tag
}

fn list_of_images_that_refer(shelf: &mut Shelf, number: usize) -> String {
    let (subject, tag) = tag_of_an_image(shelf, number);
    let hidden = image(&format!("hidden {number}"), IMAGE_CONFIG, LAYER, Some(subject.descriptor()));
    shelf.put(None, &hidden);
    shelf.put(Some(&tag), &index(&[entry(hidden.descriptor())]));
    tag
}

fn image_as_list(shelf: &mut Shelf, number: usize) -> String {
    let (_, tag) = tag_of_an_image(shelf, number);
    shelf.put(Some(&tag), &Artifact::image(&named(number)));
    tag
}

/// Numbers that are the same in every run.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

/// A shelf with every kind, and more at random; what becomes of each tag.
fn mixed(seed: u64) -> (Shelf, BTreeMap<String, Truth>) {
    let (mut shelf, mut truth, mut seeded) = (Shelf::new(), BTreeMap::new(), Seeded(seed));
    let more = (0..KINDS.len()).map(|_| seeded.below(KINDS.len())).collect::<Vec<_>>();
    for (number, kind) in (0..KINDS.len()).chain(more).enumerate() {
        let (make, becomes) = KINDS[kind];
        truth.insert(make(&mut shelf, number), becomes);
    }
    (shelf, truth)
}

/// Judges everything, then each tag alone; `target` is what is audited, `prefix` what stands before `:tag` for `verify`,
/// and `scope` more arguments for the audit.
fn check_agreement(shelf: &Shelf, truth: &BTreeMap<String, Truth>, target: &str, prefix: &str, scope: &[&str]) {
    let (code, report) = shelf.report(&[&["audit", target], scope].concat());
    assert_eq!(code, Some(1), "{target}");
    let by_tag = |results: BTreeMap<String, String>| -> BTreeMap<String, String> {
        let tagged = |(name, result): (String, String)| Some((name.rsplit_once(':')?.1.to_owned(), result));
        results.into_iter().filter_map(tagged).collect()
    };
    let audited = by_tag(results(&report));
    let references: Vec<_> = truth.keys().map(|tag| format!("{prefix}:{tag}")).collect();
    let arguments = [&["verify"], &references.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat();
    let verified = by_tag(results(&shelf.report(&arguments).1));
    assert_eq!(verified.len(), truth.len(), "{target}");
    for (tag, becomes) in truth {
        let (audited, verified) = (audited.get(tag).map(String::as_str), verified.get(tag).map(String::as_str));
        match becomes {
            Truth::Passes => assert_eq!((audited, verified), (Some("pass"), Some("pass")), "{target} {tag}"),
            Truth::Fails => assert_eq!((audited, verified), (Some("unsigned"), Some("unsigned")), "{target} {tag}"),
            // Whoever names it by its tag has it judged.
            Truth::PassedOver => assert_eq!((audited, verified), (None, Some("unsigned")), "{target} {tag}"),
        }
    }
    let rows: BTreeSet<_> = audited.keys().collect();
    let expected: BTreeSet<_> =
        truth.iter().filter(|(_, truth)| **truth != Truth::PassedOver).map(|(tag, _)| tag).collect();
    assert_eq!(rows, expected, "{target}");
    let passed_over = &report["summary"]["passedOver"];
    let count = ["cosignTags", "referrersLists"].iter().map(|kind| passed_over[kind].as_u64().unwrap()).sum::<u64>();
    assert_eq!(count, (truth.len() - expected.len()) as u64, "{target}: {passed_over}");
}

#[test]
fn audit_and_verify_agree_on_every_tag_of_a_registry() {
    for seed in [1, 2] {
        let (shelf, truth) = mixed(seed);
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        shelf.put_into(&registry, "team/mixed");
        let repository = format!("{}/team/mixed", registry.host());
        check_agreement(&shelf, &truth, &repository, &repository, &[]);
    }
}

#[test]
fn audit_and_verify_agree_on_every_tag_of_a_layout() {
    let (shelf, truth) = mixed(3);
    let named = shelf.entries(Some("a.io/mixed"));
    // Registries hold what no tag names; a layout says by an entry without a name that it is an artifact.
    let listed: Vec<_> =
        named.into_iter().filter(|entry| entry.get("annotations").is_some() || is_referrer(&shelf, entry)).collect();
    shelf.layout("layout", &listed);
    shelf.pack("layout");
    for target in ["oci:layout", "oci-archive:layout.tar"] {
        check_agreement(&shelf, &truth, target, &format!("{target}:a.io/mixed"), &["--scope", "a.io/mixed"]);
        check_agreement(&shelf, &truth, target, &format!("{target}:a.io/mixed"), &[]);
    }
}

fn is_referrer(shelf: &Shelf, entry: &serde_json::Value) -> bool {
    let (_, artifact) =
        shelf.kept.iter().find(|(_, kept)| entry["digest"] == kept.descriptor().digest.to_string()).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&artifact.manifest.bytes).unwrap();
    manifest["artifactType"] == "application/vnd.cncf.notary.signature"
}

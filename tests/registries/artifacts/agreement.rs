//! `audit` of everything and `verify` of each tag agree, and nothing that `verify` refuses is hidden from `audit`.
//!
//! What is in the registry is drawn at random from every kind; `MUSTER_SEED` says another seed than the usual one.

use std::collections::{BTreeMap, BTreeSet};

use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, Blob};

use serde_json::{Value, json};

use super::shelf::{EMPTY, IMAGE_CONFIG, LAYER, Shelf, attestation_entry, entry, entry_for, image, index, results};

/// What is under a tag, and what becomes of it.
const KINDS: [(Kind, Truth); 33] = [
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
    (unsigned_attested_index, Truth::Fails),
    (sparse_index, Truth::Passes),
    (image_with_attachments, Truth::Passes),
    (image_signed_by_cosign, Truth::Fails),
    (chart_with_provenance, Truth::Passes),
    (provenance, Truth::PassedOver),
    (image_as_provenance, Truth::Fails),
    (cache_image, Truth::PassedOver),
    (cache_index, Truth::PassedOver),
    (image_as_cache, Truth::Fails),
    (signed_sbom, Truth::Passes),
    (cosign_signature, Truth::PassedOver),
    (cosign_attestation, Truth::PassedOver),
    (cosign_sbom, Truth::PassedOver),
    (image_as_cosign, Truth::Fails),
    (archive_as_cosign, Truth::Fails),
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

fn unsigned_attested_index(shelf: &mut Shelf, number: usize) -> String {
    let attestation = image(&format!("attests {number}"), IMAGE_CONFIG, "application/vnd.in-toto+json", None);
    shelf.put(None, &attestation);
    let index = index(&[attestation_entry(attestation.descriptor())]);
    shelf.put(Some(&named(number)), &index);
    named(number)
}

/// Of which not every platform was copied.
fn sparse_index(shelf: &mut Shelf, number: usize) -> String {
    let here = some_image(shelf, format!("here {number}"));
    let gone = Artifact::image(&format!("gone {number}"));
    let index = index(&[entry_for(here.descriptor(), "linux/amd64"), entry_for(gone.descriptor(), "linux/arm64")]);
    shelf.put(Some(&named(number)), &index);
    shelf.sign(&index);
    named(number)
}

fn attach(shelf: &mut Shelf, to: &Artifact, artifact_type: &str, name: String) -> Artifact {
    let attached = Artifact::attachment(to.descriptor(), artifact_type, Blob::new(artifact_type, name));
    shelf.put(None, &attached);
    attached
}

fn image_with_attachments(shelf: &mut Shelf, number: usize) -> String {
    let image = some_image(shelf, named(number));
    shelf.put(Some(&named(number)), &image);
    let sbom = attach(shelf, &image, "application/spdx+json", format!("sbom {number}"));
    shelf.sign(&sbom);
    attach(shelf, &image, "application/vnd.acme.scan", format!("scan {number}"));
    shelf.sign(&image);
    named(number)
}

fn image_signed_by_cosign(shelf: &mut Shelf, number: usize) -> String {
    let image = some_image(shelf, named(number));
    shelf.put(Some(&named(number)), &image);
    attach(shelf, &image, "application/vnd.dev.sigstore.bundle.v0.3+json", format!("bundle {number}"));
    named(number)
}

/// Attached to an image, with a tag of its own.
fn signed_sbom(shelf: &mut Shelf, number: usize) -> String {
    let image = some_image(shelf, format!("described {number}"));
    let sbom = attach(shelf, &image, "application/spdx+json", format!("tagged sbom {number}"));
    shelf.put(Some(&named(number)), &sbom);
    shelf.sign(&sbom);
    named(number)
}

const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";

/// As `helm push` writes it.
fn chart_with_provenance(shelf: &mut Shelf, number: usize) -> String {
    let chart = chart(number);
    let provenance = Blob::new(PROVENANCE, format!("provenance {number}"));
    let mut manifest: Value = serde_json::from_slice(&chart.manifest.bytes).unwrap();
    manifest["layers"].as_array_mut().unwrap().push(entry(&provenance.descriptor));
    let manifest = Blob::new(&chart.manifest.descriptor.media_type, manifest.to_string());
    let chart = Artifact { manifest, blobs: [chart.blobs, vec![provenance]].concat() };
    shelf.put(Some(&named(number)), &chart);
    shelf.sign(&chart);
    named(number)
}

fn provenance(shelf: &mut Shelf, number: usize) -> String {
    shelf.put(Some(&named(number)), &image(&named(number), EMPTY, PROVENANCE, None));
    named(number)
}

fn image_as_provenance(shelf: &mut Shelf, number: usize) -> String {
    shelf.put(Some(&named(number)), &image(&named(number), IMAGE_CONFIG, PROVENANCE, None));
    named(number)
}

fn cache_image(shelf: &mut Shelf, number: usize) -> String {
    let cache = image(&named(number), "application/vnd.buildkit.cacheconfig.v0", LAYER, None);
    shelf.put(Some(&named(number)), &cache);
    named(number)
}

fn cache_index(shelf: &mut Shelf, number: usize) -> String {
    let layer = |part: usize| {
        let digest = muster::digest::Digest::sha256(format!("layer {part} of {number}").as_bytes());
        json!({ "mediaType": LAYER, "digest": digest, "size": 100 })
    };
    shelf.put(Some(&named(number)), &index(&[layer(0), layer(1), layer(2)]));
    named(number)
}

fn image_as_cache(shelf: &mut Shelf, number: usize) -> String {
    let hidden = some_image(shelf, format!("hidden in a cache {number}"));
    let mut layer = entry(hidden.descriptor());
    layer["mediaType"] = LAYER.into();
    shelf.put(Some(&named(number)), &index(&[layer]));
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

/// Some tools run an image whatever its layers are called.
fn archive_as_cosign(shelf: &mut Shelf, number: usize) -> String {
    let layer = [&[0x1f, 0x8b, 8][..], number.to_string().as_bytes()].concat();
    let layer = Blob::new("application/vnd.dev.cosign.simplesigning.v1+json", layer);
    let mut artifact = image(&format!("archive {number}"), IMAGE_CONFIG, &layer.descriptor.media_type, None);
    let mut manifest: Value = serde_json::from_slice(&artifact.manifest.bytes).unwrap();
    manifest["layers"] = json!([entry(&layer.descriptor)]);
    artifact.manifest = Blob::new(&artifact.manifest.descriptor.media_type.clone(), manifest.to_string());
    artifact.blobs.push(layer);
    under_cosigns_tag(shelf, number, "sig", &artifact)
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

/// The usual seed, or the one that the user says.
fn seed() -> u64 {
    let seed = std::env::var("MUSTER_SEED").ok().map_or(11, |seed| seed.parse().unwrap());
    println!("MUSTER_SEED={seed}");
    seed
}

/// A shelf with every kind, and more at random; what becomes of each of so many tags.
fn mixed(seed: u64, tags: usize) -> (Shelf, BTreeMap<String, Truth>) {
    let (mut shelf, mut truth, mut seeded) = (Shelf::new(), BTreeMap::new(), Seeded(seed));
    let more = (KINDS.len()..tags).map(|_| seeded.below(KINDS.len())).collect::<Vec<_>>();
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
    let kinds = ["cosignTags", "referrersLists", "buildCaches", "helmProvenance"];
    let count = kinds.iter().map(|kind| passed_over[kind].as_u64().unwrap()).sum::<u64>();
    assert_eq!(count, (truth.len() - expected.len()) as u64, "{target}: {passed_over}");
}

/// Every row by what was asked for, the platform and the digest, with the code or else the result.
fn all_rows(report: &Value) -> BTreeMap<(String, String, String), String> {
    let row = |row: &Value| {
        let text = |member: &str| row[member].as_str().unwrap_or_default().to_owned();
        let result = row["code"].as_str().or(row["result"].as_str()).unwrap().to_owned();
        ((text("reference"), text("platform"), text("artifact")), result)
    };
    report["artifacts"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn audit_and_verify_agree_on_every_tag_of_a_registry() {
    let (shelf, truth) = mixed(seed(), 500);
    assert_eq!(truth.len(), 500);
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    shelf.put_into(&registry, "team/mixed");
    let repository = format!("{}/team/mixed", registry.host());
    check_agreement(&shelf, &truth, &repository, &repository, &[]);

    // Where everything is judged, they agree row by row.
    let references: Vec<_> = truth.keys().map(|tag| format!("{repository}:{tag}")).collect();
    let verify = |arguments: &[&str]| {
        let references: Vec<_> = references.iter().map(String::as_str).collect();
        all_rows(&shelf.report(&[&["verify"], &references[..], arguments].concat()).1)
    };
    let audit =
        |arguments: &[&str]| all_rows(&shelf.report(&[&["audit", &repository, "--also", "all"], arguments].concat()).1);
    let attests = |(_, platform, _): &(String, String, String)| platform == "unknown/unknown";
    let mut audited = audit(&[]);
    audited.retain(|row, _| !attests(row));
    assert_eq!(audited, verify(&[]));
    let mut audited = audit(&["--platform", "all"]);
    audited.retain(|row, _| !attests(row));
    let verified = verify(&["--platform", "all"]);
    assert!(verified.len() > 600, "{}", verified.len());
    assert_eq!(audited, verified);
}

#[test]
fn audit_and_verify_agree_on_every_tag_of_a_layout() {
    let (shelf, truth) = mixed(seed(), 2 * KINDS.len());
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

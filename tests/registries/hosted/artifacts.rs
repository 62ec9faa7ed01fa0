//! What people and tools keep in registries beside images, and what hides behind the looks of it.

use std::collections::BTreeMap;

use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Options};
use muster::forge::{Artifact, Blob};
use serde_json::{Value, json};

use super::front::Front;
use crate::artifacts::shelf::{
    EMPTY, IMAGE_CONFIG, LAYER, Shelf, attestation_entry, entry, entry_for, image, index, results,
};
use crate::registry_answers::mock::{Reply, Request};

const CACHE_CONFIG: &str = "application/vnd.buildkit.cacheconfig.v0";
const HELM_CONFIG: &str = "application/vnd.cncf.helm.config.v1+json";
const CHART: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
const PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

/// What an audit of what is on a shelf says: the exit code, the rows by tag, and the report.
fn audit(shelf: &Shelf, arguments: &[&str]) -> (Option<i32>, BTreeMap<String, String>, Value) {
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    shelf.put_into(&registry, "team/app");
    let repository = format!("{}/team/app", registry.host());
    let (code, report) = shelf.report(&[&["audit", &repository], arguments].concat());
    let tag = |reference: String| reference.rsplit_once(':').unwrap().1.to_owned();
    let rows = results(&report).into_iter().map(|(reference, result)| (tag(reference), result)).collect();
    (code, rows, report)
}

fn rows(expected: &[(&str, &str)]) -> BTreeMap<String, String> {
    expected.iter().map(|(tag, result)| ((*tag).to_owned(), (*result).to_owned())).collect()
}

/// A shelf with the signed image `v1`.
fn signed() -> Shelf {
    let mut shelf = Shelf::new();
    put_signed(&mut shelf);
    shelf
}

fn put_signed(shelf: &mut Shelf) {
    let v1 = Artifact::image("v1");
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
}

fn blob_entry(media_type: &str, bytes: &[u8]) -> Value {
    json!({ "mediaType": media_type, "digest": Digest::sha256(bytes), "size": bytes.len() })
}

/// A cache as buildkit writes it for `image-manifest=true`.
fn cache_image() -> Artifact {
    image("cache", CACHE_CONFIG, LAYER, None)
}

/// A cache as buildkit writes it by default, without its configuration where `config` is not wanted.
fn cache_index(config: bool) -> Artifact {
    let mut entries: Vec<_> = (0..5).map(|number: u8| blob_entry(LAYER, &[0x1f, 0x8b, number])).collect();
    if config {
        entries.push(blob_entry(CACHE_CONFIG, br#"{"layers":[],"records":[]}"#));
    }
    index(&entries)
}

fn retyped(artifact: &Artifact, media_type: &str) -> Artifact {
    let text = String::from_utf8(artifact.manifest.bytes.to_vec()).unwrap();
    let text = text.replace(
        r#""mediaType":"application/vnd.oci.image.manifest.v1+json""#,
        &format!(r#""mediaType":"{media_type}""#),
    );
    Artifact { manifest: Blob::new(media_type, text), blobs: artifact.blobs.clone() }
}

#[test]
fn build_caches_are_counted_and_judged_where_asked_for() {
    let mut shelf = signed();
    shelf.put(Some("buildcache"), &cache_index(true));
    shelf.put(Some("cache-without-config"), &cache_index(false));
    shelf.put(Some("cache-image"), &cache_image());
    let (code, found, report) = audit(&shelf, &[]);
    assert_eq!((code, found), (Some(0), rows(&[("v1", "pass")])));
    assert_eq!(report["summary"]["passedOver"]["buildCaches"], 3);
    let (code, found, report) = audit(&shelf, &["--also", "build-caches"]);
    let unsigned = ["buildcache", "cache-without-config", "cache-image"].map(|tag| (tag, "unsigned"));
    assert_eq!((code, found), (Some(1), rows(&[&[("v1", "pass")], &unsigned[..]].concat())));
    assert_eq!(report["summary"]["passedOver"]["buildCaches"], 0);
}

type Dressed = fn(&mut Shelf) -> Artifact;

#[test]
fn what_dresses_as_a_build_cache_is_judged() {
    let attacks: [(&str, Dressed); 8] = [
        ("an image whose entry calls it a layer", |shelf| {
            let hidden = shelf.put(None, &Artifact::image("hidden"));
            index(&[json!({ "mediaType": LAYER, "digest": hidden.digest, "size": hidden.size })])
        }),
        ("an image among real layers", |shelf| {
            let hidden = shelf.put(None, &Artifact::image("hidden"));
            let real = blob_entry(LAYER, b"\x1f\x8b");
            index(&[real, json!({ "mediaType": CACHE_CONFIG, "digest": hidden.digest, "size": 1 })])
        }),
        ("a layer for a platform", |_| {
            let mut layer = blob_entry(LAYER, b"\x1f\x8b");
            layer["platform"] = json!({ "os": "linux", "architecture": "amd64" });
            index(&[layer])
        }),
        ("an image beside layers", |shelf| {
            let hidden = shelf.put(None, &Artifact::image("hidden"));
            index(&[blob_entry(LAYER, b"\x1f\x8b"), entry(&hidden)])
        }),
        ("an index inside", |shelf| {
            let hidden = shelf.put(None, &Artifact::image("hidden"));
            let inner = shelf.put(None, &index(&[entry_for(&hidden, "linux/amd64")]));
            index(&[json!({ "mediaType": LAYER, "digest": inner.digest, "size": inner.size })])
        }),
        ("nothing", |_| index(&[])),
        ("Docker's manifest, which some tools run whatever its configuration", |_| {
            retyped(&cache_image(), DOCKER_MANIFEST)
        }),
        ("an image of this name", |_| Artifact::image("buildcache")),
    ];
    for (what, attack) in attacks {
        let mut shelf = signed();
        let dressed = attack(&mut shelf);
        shelf.put(Some("buildcache"), &dressed);
        let (code, found, _) = audit(&shelf, &[]);
        assert_eq!((code, found), (Some(1), rows(&[("v1", "pass"), ("buildcache", "unsigned")])), "{what}");
    }
}

#[test]
fn whether_it_is_a_build_cache_is_open_where_its_entries_are_refused() {
    let mut shelf = signed();
    shelf.put(Some("buildcache"), &cache_index(true));
    let layer = Digest::sha256(&[0x1f, 0x8b, 3]);
    let forbid =
        move |request: &Request| request.path().ends_with(&format!("/manifests/{layer}")).then(|| Reply::new(403, ""));
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), forbid, |_, reply| reply);
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(code, Some(3));
    let row = &report["artifacts"][0];
    assert_eq!(row["code"], "access-denied");
    assert!(row["message"].as_str().unwrap().contains("build cache"), "{row}");
}

#[test]
fn a_build_cache_in_a_layout_is_counted_and_what_dresses_as_one_is_judged() {
    let mut shelf = signed();
    let hidden = shelf.put(None, &Artifact::image("hidden"));
    let cache = cache_index(true);
    shelf.put(Some("cache"), &cache);
    shelf.put(Some("dressed"), &index(&[json!({ "mediaType": LAYER, "digest": hidden.digest, "size": hidden.size })]));
    let layers = (0..5).map(|number: u8| Blob::new(LAYER, vec![0x1f, 0x8b, number]));
    let config = Blob::new(CACHE_CONFIG, *br#"{"layers":[],"records":[]}"#);
    let blobs = layers.chain([config]).collect();
    shelf.kept.push((None, Artifact { manifest: cache.manifest.clone(), blobs }));
    let entries: Vec<_> = shelf.entries(None).into_iter().filter(|entry| entry.get("annotations").is_some()).collect();
    let signature = shelf.entries(None).remove(1);
    shelf.layout("layout", &[entries, vec![signature]].concat());
    let (code, report) = shelf.report(&["audit", "oci:layout", "--scope", "a.io/app"]);
    let expected = rows(&[("a.io/app:v1", "pass"), ("a.io/app:dressed", "unsigned")]);
    assert_eq!((code, results(&report)), (Some(1), expected), "{report}");
    assert_eq!(report["summary"]["passedOver"]["buildCaches"], 1);
}

fn with_layers(name: &str, config: &str, layers: &[&str]) -> Artifact {
    let (config, layers) = (Blob::new(config, *b"{}"), layers.iter().map(|layer| Blob::new(layer, name)));
    let layers: Vec<_> = layers.collect();
    let entries: Vec<_> = layers.iter().map(|layer| entry(&layer.descriptor)).collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": entry(&config.descriptor), "layers": entries, "annotations": { "name": name },
    });
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    Artifact { manifest: Blob::new(media_type, manifest.to_string()), blobs: [vec![config], layers].concat() }
}

#[test]
fn a_chart_is_an_artifact_and_its_provenance_alone_is_none() {
    let mut shelf = signed();
    // As `helm push` writes it.
    shelf.put(Some("0.1.0"), &with_layers("chart", HELM_CONFIG, &[CHART, PROVENANCE]));
    shelf.put(Some("0.1.0.prov"), &with_layers("provenance", EMPTY, &[PROVENANCE]));
    let (code, found, report) = audit(&shelf, &[]);
    assert_eq!((code, found), (Some(1), rows(&[("v1", "pass"), ("0.1.0", "unsigned")])));
    assert_eq!(report["summary"]["passedOver"]["helmProvenance"], 1);
    let (_, found, _) = audit(&shelf, &["--also", "helm-provenance"]);
    assert_eq!(found.get("0.1.0.prov").map(String::as_str), Some("unsigned"));
    // An image, and what some tools take for one.
    for (what, dressed) in [
        ("an image's configuration", with_layers("x", IMAGE_CONFIG, &[PROVENANCE])),
        ("a configuration that Docker takes for an image's", with_layers("x", "application/json", &[PROVENANCE])),
        ("a layer of an image beside it", with_layers("x", EMPTY, &[PROVENANCE, LAYER])),
        ("Docker's manifest", retyped(&with_layers("x", EMPTY, &[PROVENANCE]), DOCKER_MANIFEST)),
    ] {
        let mut shelf = signed();
        shelf.put(Some("0.1.0.prov"), &dressed);
        let (code, found, _) = audit(&shelf, &[]);
        assert_eq!((code, found), (Some(1), rows(&[("v1", "pass"), ("0.1.0.prov", "unsigned")])), "{what}");
    }
}

/// An image, its attestation as buildx writes it, and the signed index of both.
fn put_attested(shelf: &mut Shelf) {
    let built = shelf.put(None, &Artifact::image("built"));
    let attestation = image("attests", IMAGE_CONFIG, "application/vnd.in-toto+json", None);
    let attestation = shelf.put(None, &attestation);
    let whole = index(&[entry_for(&built, "linux/amd64"), attestation_entry(&attestation)]);
    shelf.put(Some("v1"), &whole);
    shelf.sign(&whole);
}

#[test]
fn r21_a_signed_index_of_buildx_passes_and_its_attestations_are_judged_where_asked_for() {
    let mut shelf = Shelf::new();
    put_attested(&mut shelf);
    let parts = |arguments: &[&str]| {
        let (_, _, report) = audit(&shelf, arguments);
        let rows = report["artifacts"].as_array().unwrap();
        let part = |row: &Value| {
            format!("{} {}", row["platform"].as_str().unwrap_or("whole"), row["result"].as_str().unwrap())
        };
        (rows.iter().map(part).collect::<Vec<_>>(), report["summary"]["passedOver"]["buildAttestations"].as_u64())
    };
    let listed = |rows: &[&str], passed_over| (rows.iter().map(|row| (*row).to_owned()).collect(), Some(passed_over));
    assert_eq!(parts(&[]), listed(&["whole pass"], 1));
    assert_eq!(parts(&["--platform", "all"]), listed(&["whole pass", "linux/amd64 fail"], 1));
    let also = ["--also", "build-attestations"];
    assert_eq!(parts(&also), listed(&["whole pass", "unknown/unknown fail"], 0));
    let all = [&["--platform", "all"], &also[..]].concat();
    assert_eq!(parts(&all), listed(&["whole pass", "linux/amd64 fail", "unknown/unknown fail"], 0));
}

#[test]
fn r22_tags_of_cosign_are_counted_and_judged_where_asked_for() {
    let mut shelf = signed();
    let tag = Artifact::image("v1").descriptor().digest.referrers_tag();
    for (ending, layer) in [
        ("sig", "application/vnd.dev.cosign.simplesigning.v1+json"),
        ("att", "application/vnd.dsse.envelope.v1+json"),
        ("sbom", "text/spdx+json"),
    ] {
        shelf.put(Some(&format!("{tag}.{ending}")), &image(ending, IMAGE_CONFIG, layer, None));
    }
    // The name alone says nothing.
    shelf.put(
        Some("sha256-00.sig"),
        &image("x", IMAGE_CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json", None),
    );
    let (code, found, report) = audit(&shelf, &[]);
    assert_eq!((code, found), (Some(1), rows(&[("v1", "pass"), ("sha256-00.sig", "unsigned")])));
    assert_eq!(report["summary"]["passedOver"]["cosignTags"], 3);
    let (_, found, _) = audit(&shelf, &["--also", "cosign"]);
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn unsigned_artifacts_that_cosign_signed_are_counted_whatever_the_order() {
    let mut shelf = signed();
    let tags = |shelf: &mut Shelf, name: &str, tags: &[&str]| {
        let image = Artifact::image(name);
        tags.iter().for_each(|tag| drop(shelf.put(Some(tag), &image)));
        image.descriptor().digest.referrers_tag()
    };
    let signature = |name: &str| image(name, IMAGE_CONFIG, "application/vnd.dev.cosign.simplesigning.v1+json", None);
    // Signed by cosign, under two tags; by both; by none; a tag with an attestation alone.
    let by_cosign = tags(&mut shelf, "a", &["a", "latest"]);
    shelf.put(Some(&format!("{by_cosign}.sig")), &signature("a"));
    let by_both = Artifact::image("v1").descriptor().digest.referrers_tag();
    shelf.put(Some(&format!("{by_both}.sig")), &signature("v1"));
    tags(&mut shelf, "none", &["none"]);
    let attested = tags(&mut shelf, "attested", &["attested"]);
    let attestation = image("attests", IMAGE_CONFIG, "application/vnd.dsse.envelope.v1+json", None);
    shelf.put(Some(&format!("{attested}.att")), &attestation);
    for arguments in [&["-j", "1"][..], &["-j", "16"], &["--also", "cosign"]] {
        let (code, _, report) = audit(&shelf, arguments);
        assert_eq!((code, &report["summary"]["unsignedWithCosign"]), (Some(1), &1.into()), "{arguments:?}");
    }
    let registry = EmbeddedRegistry::start(Options::default()).unwrap();
    shelf.put_into(&registry, "team/app");
    let table = shelf.run(&["audit", &registry.host()]).stdout;
    assert!(table.contains("\n1 unsigned artifact has a signature of cosign\n"), "{table}");
}

#[test]
fn r39_what_is_under_many_tags_is_fetched_once() {
    let mut shelf = signed();
    let v1 = Artifact::image("v1");
    for number in 0..9 {
        shelf.put(Some(&format!("v1.{number}")), &v1);
    }
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, |_, reply| reply);
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!((code, &report["summary"]["results"]["pass"]), (Some(0), &10.into()));
    assert_eq!(front.count("GET", "/v2/team/app/referrers/"), 1);
    assert_eq!(front.count("GET", "/v2/team/app/blobs/"), 1);
}

#[test]
fn r60_of_a_mixed_registry_only_what_is_wrong_is_trouble() {
    let mut shelf = Shelf::new();
    let mut repositories = Vec::new();
    let mut filled = |repository: &'static str, fill: &dyn Fn(&mut Shelf)| {
        fill(&mut shelf);
        repositories.push((repository, std::mem::take(&mut shelf.kept)));
    };
    let plain = Artifact::image("v1");
    filled("apps/plain", &|shelf| {
        put_signed(shelf);
        ["v1.0", "latest"].iter().for_each(|tag| drop(shelf.put(Some(tag), &plain)));
        shelf.put(Some("buildcache"), &cache_index(false));
    });
    filled("apps/multi", &put_attested);
    filled("charts/c", &|shelf| {
        let chart = with_layers("chart", HELM_CONFIG, &[CHART, PROVENANCE]);
        shelf.put(Some("0.1.0"), &chart);
        shelf.sign(&chart);
    });
    filled("both/b", &|shelf| {
        put_signed(shelf);
        let tag = plain.descriptor().digest.referrers_tag();
        for (ending, layer) in [
            ("sig", "application/vnd.dev.cosign.simplesigning.v1+json"),
            ("att", "application/vnd.dsse.envelope.v1+json"),
            ("sbom", "text/spdx+json"),
        ] {
            shelf.put(Some(&format!("{tag}.{ending}")), &image(ending, IMAGE_CONFIG, layer, None));
        }
    });
    filled("hr/private", &put_signed);
    let front = Front::new(
        |registry| {
            for (repository, kept) in repositories {
                shelf.kept = kept;
                shelf.put_into(registry, repository);
            }
        },
        |request| request.path().starts_with("/v2/hr/").then(|| Reply::new(403, "")),
        |_, reply| reply,
    );
    let (code, report) = shelf.report(&["audit", front.host()]);
    let found: BTreeMap<_, _> = results(&report)
        .into_iter()
        .map(|(reference, result)| (reference.split_once('/').unwrap().1.to_owned(), result))
        .collect();
    let passes =
        ["apps/multi:v1", "apps/plain:latest", "apps/plain:v1", "apps/plain:v1.0", "both/b:v1", "charts/c:0.1.0"];
    let expected = [&passes.map(|name| (name, "pass"))[..], &[("hr/private", "access-denied")]].concat();
    assert_eq!((code, found), (Some(3), rows(&expected)));
    let table = shelf.run(&["audit", front.host()]).stdout;
    let said = "\npassed over: 1 build attestation, 3 tags of cosign, 1 build cache\n";
    assert!(table.contains(said) && table.contains("\n1 image index that passes covers 1 manifest\n"), "{table}");
}

#[test]
fn a_word_that_is_no_kind_is_refused_with_those_that_are() {
    let ran = signed().run(&["audit", "localhost:1/x", "--also", "sboms"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("build-attestations, build-caches, cosign"), "{}", ran.stderr);
}

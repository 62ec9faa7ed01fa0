//! Image indexes: what they cover, and `--platform`, which judges their manifests one by one.

use muster::digest::Digest;
use muster::forge::Artifact;
use muster::forge::registry::{EmbeddedRegistry, Options};
use serde_json::{Value, json};

use super::shelf::{IMAGE, IMAGE_CONFIG, INDEX, Shelf, attestation_entry, entry, entry_for, image, index};

/// A repository on a shelf in a registry.
struct Placed {
    shelf: Shelf,
    _registry: EmbeddedRegistry,
    repository: String,
}

impl Placed {
    fn new(fill: impl FnOnce(&mut Shelf)) -> Placed {
        let mut shelf = Shelf::new();
        fill(&mut shelf);
        let registry = EmbeddedRegistry::start(Options::default()).unwrap();
        shelf.put_into(&registry, "team/app");
        let repository = format!("{}/team/app", registry.host());
        Placed { shelf, _registry: registry, repository }
    }

    /// The rows below the index, as platform and result; the exit code and the summary.
    fn audit(&self, tag: Option<&str>, more: &[&str]) -> (Option<i32>, Vec<(String, String)>, Value) {
        let target = tag.map_or_else(|| self.repository.clone(), |tag| format!("{}:{tag}", self.repository));
        let (code, report) = self.shelf.report(&[&["audit", &target], more].concat());
        let rows = report["artifacts"].as_array().unwrap().iter().filter(|row| row.get("partOf").is_some());
        let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let rows = rows.map(|row| {
            let result = if row["code"].is_null() { &row["result"] } else { &row["code"] };
            (word(&row["platform"]), word(result))
        });
        (code, rows.collect(), report["summary"].clone())
    }
}

fn rows(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(platform, result)| ((*platform).to_owned(), (*result).to_owned())).collect()
}

fn some(shelf: &mut Shelf, name: &str) -> Artifact {
    let image = Artifact::image(name);
    shelf.put(None, &image);
    image
}

/// A signed index of: two images, a build attestation, an image that is called one, an index with an image for arm64 of
/// no stated platform, one image twice, and one that was not copied.
fn everything(shelf: &mut Shelf) {
    let [amd64, arm, inner] = ["amd64", "arm", "inner"].map(|name| some(shelf, name));
    shelf.sign(&amd64);
    let attestation = image("attests", IMAGE_CONFIG, "application/vnd.in-toto+json", None);
    shelf.put(None, &attestation);
    let disguised = some(shelf, "disguised");
    let nested = index(&[entry(inner.descriptor())]);
    shelf.put(None, &nested);
    let absent = json!({ "mediaType": IMAGE, "digest": Digest::sha256(b"absent"), "size": 9, "platform": { "os": "linux", "architecture": "s390x" } });
    let index = index(&[
        entry_for(amd64.descriptor(), "linux/amd64"),
        entry_for(arm.descriptor(), "linux/arm/v7"),
        attestation_entry(attestation.descriptor()),
        attestation_entry(disguised.descriptor()),
        entry_for(nested.descriptor(), "linux/arm64"),
        entry_for(amd64.descriptor(), "linux/amd64/v2"),
        absent,
    ]);
    shelf.put(Some("v1"), &index);
    shelf.sign(&index);
}

#[test]
fn an_index_covers_what_it_lists_and_platforms_are_judged_one_by_one() {
    let placed = Placed::new(everything);
    let (code, parts, summary) = placed.audit(None, &[]);
    assert_eq!((code, parts), (Some(0), rows(&[])));
    // The nested index and its image count, the absent one too: the index names it by digest.
    assert_eq!((&summary["covering"], &summary["covered"]), (&1.into(), &5.into()), "{summary}");
    assert_eq!(summary["passedOver"]["buildAttestations"], 2);

    let (code, parts, summary) = placed.audit(None, &["--platform", "all"]);
    let all = [
        ("linux/amd64", "pass"),
        ("linux/arm/v7", "unsigned"),
        ("unknown/unknown", "unsigned"),
        ("linux/arm64", "unsigned"),
        ("linux/arm64", "unsigned"),
    ];
    assert_eq!((code, parts), (Some(1), rows(&all)));
    let passed_over = &summary["passedOver"];
    assert_eq!(
        (&passed_over["buildAttestations"], &passed_over["absentManifests"]),
        (&1.into(), &1.into()),
        "{summary}"
    );

    // An image in an index for a platform is for that platform too.
    let (code, parts, _) = placed.audit(None, &["--platform", "linux/arm64/v8"]);
    assert_eq!((code, parts), (Some(1), rows(&[("linux/arm64", "unsigned"), ("linux/arm64", "unsigned")])));
    let (code, parts, _) = placed.audit(None, &["--platform", "linux/amd64/v2"]);
    assert_eq!((code, parts), (Some(0), rows(&[("linux/amd64/v2", "pass")])));
    let (code, parts, _) = placed.audit(None, &["--platform", "linux/amd64", "--platform", "linux/arm"]);
    assert_eq!((code, parts), (Some(1), rows(&[("linux/amd64", "pass"), ("linux/arm/v7", "unsigned")])));
}

#[test]
fn a_platform_that_no_manifest_has_is_said() {
    let placed = Placed::new(|shelf| {
        everything(shelf);
        let image = Artifact::image("single");
        shelf.put(Some("v2"), &image);
        shelf.sign(&image);
    });
    for absent in ["none/none", "linux/s390x"] {
        let ran = placed.shelf.run(&["audit", &placed.repository, "--platform", absent]);
        let said = format!("no image index has a manifest for the platform {absent}");
        assert!(ran.code == Some(0) && ran.stdout.contains(&said), "{}", ran.stdout);
        let ran = placed.shelf.run(&["audit", &placed.repository, "--platform", absent, "-o", "junit=r.xml"]);
        assert!(ran.code == Some(0) && ran.stderr.contains(&said), "{}", ran.stderr);
        let ran = placed.shelf.run(&["audit", &placed.repository, "--platform", absent, "-o", "ndjson"]);
        assert!(ran.code == Some(0) && ran.stderr.contains(&said), "{}", ran.stderr);
        // Who names one artifact wants it for this platform.
        let named = format!("{}:v1", placed.repository);
        for command in ["audit", "verify"] {
            let (code, report) = placed.shelf.report(&[command, &named, "--platform", absent]);
            assert_eq!((code, &report["artifacts"][1]["code"]), (Some(3), &"not-found".into()), "{report}");
        }
    }
    let (_, _, summary) = placed.audit(Some("v2"), &["--platform", "linux/amd64"]);
    assert_eq!(summary["platforms"], json!([{ "platform": "linux/amd64", "manifests": 0, "indexesWithout": 0 }]));
    for wrong in ["linux", "linux/", "a/b/c/d", "linux/amd 64"] {
        for command in ["audit", "verify"] {
            let ran = placed.shelf.run(&[command, &format!("{}:v1", placed.repository), "--platform", wrong]);
            assert!(ran.code == Some(2) && ran.stderr.contains("is not a platform"), "{wrong}: {}", ran.stderr);
        }
    }
}

#[test]
fn what_cannot_be_looked_into_is_an_error_of_its_own() {
    // An index that is listed as an image hides what it lists.
    let placed = Placed::new(|shelf| {
        let hidden = some(shelf, "hidden");
        let inner = index(&[entry(hidden.descriptor())]);
        shelf.put(None, &inner);
        let mut disguised = entry_for(inner.descriptor(), "linux/amd64");
        disguised["mediaType"] = IMAGE.into();
        let outer = index(&[disguised]);
        shelf.put(Some("v1"), &outer);
        shelf.sign(&outer);
    });
    let (code, parts, _) = placed.audit(None, &["--platform", "all"]);
    assert_eq!((code, parts), (Some(3), rows(&[("linux/amd64", "answer-invalid")])));
    assert_eq!(placed.audit(None, &[]).0, Some(0));

    // What is listed as an index and is none is not silently left out, whatever the platform.
    let placed = Placed::new(|shelf| {
        let image = some(shelf, "image");
        let mut listed = entry(image.descriptor());
        listed["mediaType"] = INDEX.into();
        let outer = index(&[listed]);
        shelf.put(Some("v1"), &outer);
        shelf.sign(&outer);
    });
    let (code, parts, _) = placed.audit(None, &["--platform", "linux/amd64"]);
    assert_eq!((code, parts), (Some(3), rows(&[("-", "answer-invalid")])));
    assert_eq!(placed.audit(None, &[]).2["coveredMore"], true);
}

#[test]
fn an_index_of_too_many_manifests_is_judged_in_part_and_says_so() {
    let listed = |count: u32| {
        Placed::new(move |shelf| {
            let entries = (0..count).map(|number| {
                let digest = Digest::sha256(&number.to_be_bytes());
                json!({ "mediaType": IMAGE, "digest": digest, "size": 9, "platform": { "os": "linux", "architecture": "amd64" } })
            });
            let outer = index(&entries.collect::<Vec<_>>());
            shelf.put(Some("v1"), &outer);
            shelf.sign(&outer);
        })
    };
    for (count, code, expected) in [(1000, Some(0), &[][..]), (1001, Some(3), &[("-", "answer-too-large")])] {
        let placed = listed(count);
        let (found, parts, summary) = placed.audit(None, &["--platform", "all"]);
        assert_eq!((found, parts), (code, rows(expected)), "{count}");
        assert_eq!(summary["passedOver"]["absentManifests"], 1000);
        let ran = placed.shelf.run(&["audit", &placed.repository]);
        let covers = if count > 1000 { "covers 1000 manifests or more" } else { "covers 1000 manifests\n" };
        assert!(ran.code == Some(0) && ran.stdout.contains(covers), "{}", ran.stdout);
    }
}

#[test]
fn no_more_indexes_inside_an_index_are_read_than_the_bound_allows() {
    for (count, code, expected) in [(100, Some(0), &[][..]), (101, Some(3), &[("-", "answer-too-large")])] {
        let placed = Placed::new(|shelf| {
            let inner = (0..count).map(|number: u32| {
                let absent = json!({ "mediaType": IMAGE, "digest": Digest::sha256(&number.to_be_bytes()), "size": 9 });
                let inner = index(&[absent]);
                entry(&shelf.put(None, &inner))
            });
            let outer = index(&inner.collect::<Vec<_>>());
            shelf.put(Some("v1"), &outer);
            shelf.sign(&outer);
        });
        // No platform is stated anywhere: of a list of tags, that is no trouble.
        let (found, parts, summary) = placed.audit(None, &["--platform", "linux/amd64"]);
        assert_eq!((found, parts), (code, rows(expected)), "{count}");
        assert_eq!((&summary["covered"], &summary["coveredMore"]), (&(count + 100).into(), &(count > 100).into()));
        assert_eq!(placed.audit(None, &[]).0, Some(0));
    }
}

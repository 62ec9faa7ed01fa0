//! What is attached to artifacts: judged by its own signatures where that is asked for, and signatures of other systems named.

use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::forge::{Artifact, Blob};
use muster::limits;
use muster::manifest::Descriptor;
use serde_json::{Value, json};

use super::front::Front;
use crate::artifacts::shelf::{INDEX, Shelf, entry, entry_for, index};
use crate::registry_answers::mock::Reply;

const SBOM: &str = "application/spdx+json";
const SCAN: &str = "application/vnd.acme.scan+json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";
const COSIGN: &str = "application/vnd.dev.cosign.artifact.sig.v1+json";
const SIMPLE_SIGNING: &str = "application/vnd.dev.cosign.simplesigning.v1+json";

fn attachment(to: &Descriptor, artifact_type: &str, name: &str) -> Artifact {
    Artifact::attachment(to, artifact_type, Blob::new(artifact_type, name))
}

/// A signature as cosign attaches it.
fn cosign_signature(to: &Descriptor) -> Artifact {
    Artifact::attachment(to, COSIGN, Blob::new(SIMPLE_SIGNING, *b"{}"))
}

/// `image type result` of every row, by short names: what its reference ends in, or of what is attached, its type.
fn rows(report: &Value) -> Vec<String> {
    let row = |row: &Value| {
        let name = match row["artifactType"].as_str() {
            Some(artifact_type) => format!("  {artifact_type}"),
            None => row["reference"].as_str().unwrap().rsplit(':').next().unwrap().to_owned(),
        };
        let platform = row["platform"].as_str().map(|platform| format!(" {platform}")).unwrap_or_default();
        format!("{name}{platform} {}", row["code"].as_str().or(row["result"].as_str()).unwrap())
    };
    report["artifacts"].as_array().unwrap().iter().map(row).collect()
}

fn registry_of(shelf: &Shelf, flavour: Flavour) -> EmbeddedRegistry {
    let registry = EmbeddedRegistry::start(Options { flavour, ..Options::default() }).unwrap();
    shelf.put_into(&registry, "team/app");
    registry
}

fn audit(shelf: &Shelf, arguments: &[&str]) -> (Option<i32>, Value) {
    let registry = registry_of(shelf, Flavour::Current);
    let repository = format!("{}/team/app", registry.host());
    shelf.report(&[&["audit", &repository], arguments].concat())
}

#[test]
fn an_unsigned_artifact_says_which_other_signature_is_there() {
    for (artifact_type, layer, called) in [
        (COSIGN, SIMPLE_SIGNING, "a cosign signature is there (sha256:"),
        (BUNDLE, BUNDLE, "a Sigstore bundle is there (sha256:"),
    ] {
        let mut shelf = Shelf::new();
        let v1 = Artifact::image("v1");
        shelf.put(Some("v1"), &v1);
        shelf.put(None, &attachment(v1.descriptor(), SBOM, "sbom"));
        shelf.put(None, &Artifact::attachment(v1.descriptor(), artifact_type, Blob::new(layer, *b"{}")));
        let (entries, mut layout) = (shelf.entries(Some("a.io/app")), Vec::new());
        layout.extend(entries);
        shelf.layout("layout", &layout);
        let mut reports = vec![shelf.report(&["audit", "oci:layout"])];
        for flavour in [Flavour::Current, Flavour::WithoutReferrers] {
            let registry = registry_of(&shelf, flavour);
            reports.push(shelf.report(&["audit", &format!("{}/team/app", registry.host())]));
        }
        for (code, report) in reports {
            assert_eq!((code, rows(&report)), (Some(1), vec!["v1 unsigned".to_owned()]), "{report}");
            let message = report["artifacts"][0]["message"].as_str().unwrap();
            assert!(message.starts_with("the artifact has no Notary Project signature; "), "{message}");
            assert!(message.contains(called), "{message}");
        }
        // Beside one of the Notary Project it does not matter.
        shelf.sign(&v1);
        assert_eq!(audit(&shelf, &[]).0, Some(0));
    }
}

/// An image with a signed SBoM, to which a report is attached, an unsigned scan result, and a signature of cosign.
fn world() -> Shelf {
    let mut shelf = Shelf::new();
    let v1 = Artifact::image("v1");
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    let sbom = attachment(v1.descriptor(), SBOM, "sbom");
    shelf.put(None, &sbom);
    shelf.sign(&sbom);
    shelf.put(None, &attachment(sbom.descriptor(), "application/vnd.acme.review", "of the sbom"));
    shelf.put(None, &attachment(v1.descriptor(), SCAN, "scan"));
    shelf.put(None, &cosign_signature(v1.descriptor()));
    shelf
}

const ROWS: [&str; 4] = [
    "v1 pass",
    "  application/spdx+json pass",
    "  application/vnd.acme.review unsigned",
    "  application/vnd.acme.scan+json unsigned",
];

/// The rows, whatever the order in which what is attached is listed.
fn check(code: Option<i32>, report: &Value, in_order: bool) {
    let (mut found, mut expected) = (rows(report), ROWS.map(str::to_owned).to_vec());
    assert_eq!(found.first(), expected.first(), "{report}");
    if !in_order {
        let below = |rows: &[String]| rows.iter().position(|row| row.contains("spdx"));
        let at = below(&found).unwrap();
        assert!(found[at + 1].contains("review"), "{found:?}");
        found.sort();
        expected.sort();
    }
    assert_eq!((code, found), (Some(1), expected));
    assert_eq!(report["summary"]["passedOver"]["otherSignatures"], 1);
    assert_eq!(report["summary"]["results"], json!({ "pass": 2, "warn": 0, "fail": 2, "skip": 0, "error": 0 }));
}

#[test]
fn what_is_attached_is_judged_by_its_own_signatures_where_asked_for() {
    let shelf = world();
    let (code, report) = audit(&shelf, &[]);
    assert_eq!((code, rows(&report)), (Some(0), vec!["v1 pass".to_owned()]));
    for flavour in [Flavour::Current, Flavour::WithoutReferrers] {
        let registry = registry_of(&shelf, flavour);
        let repository = format!("{}/team/app", registry.host());
        let (code, report) = shelf.report(&["audit", &repository, "--referrers"]);
        check(code, &report, false);
        let rows = report["artifacts"].as_array().unwrap();
        let of = |artifact_type: &str| rows.iter().find(|row| row["artifactType"] == artifact_type).unwrap();
        assert_eq!(of(SBOM)["attachedTo"], rows[0]["artifact"]);
        assert_eq!(of("application/vnd.acme.review")["attachedTo"], of(SBOM)["artifact"]);
        assert_eq!(of(SBOM)["reference"], rows[0]["reference"]);
        assert!(rows[0].get("attachedTo").is_none());
        // The same at any number of jobs.
        for jobs in ["1", "16"] {
            let (_, again) = shelf.report(&["audit", &repository, "--referrers", "-j", jobs]);
            assert_eq!(again["artifacts"], report["artifacts"]);
        }
        let table = shelf.run(&["audit", &repository, "--referrers", "-o", "table"]).stdout;
        assert!(table.contains(&format!("(application/spdx+json attached below {repository}:v1)")), "{table}");
        assert!(table.contains("1 signature of another system"), "{table}");
    }
    let (_, report) = audit(&shelf, &["--referrers", "--also", "other-signatures"]);
    assert!(rows(&report).contains(&format!("  {COSIGN} unsigned")), "{report}");
}

#[test]
fn what_is_attached_in_a_layout_is_judged_and_what_is_attached_to_nothing_there_is_counted() {
    let mut shelf = world();
    let elsewhere = Artifact::image("elsewhere");
    shelf.put(None, &attachment(elsewhere.descriptor(), SBOM, "of something else"));
    shelf.layout("layout", &shelf.entries(Some("a.io/app")));
    let (code, report) = shelf.report(&["audit", "oci:layout", "--referrers"]);
    check(code, &report, true);
    assert_eq!(report["summary"]["passedOver"]["referrers"], 1);
    let (code, report) = shelf.report(&["audit", "oci:layout"]);
    assert_eq!((code, rows(&report)), (Some(0), vec!["v1 pass".to_owned()]));
    assert_eq!(report["summary"]["passedOver"]["referrers"], 7);
}

#[test]
fn what_a_layout_has_lost_may_be_attached_and_that_is_told_once_of_an_artifact() {
    let shelf = world();
    let mut entries = shelf.entries(Some("a.io/app"));
    let mut lost = entry(attachment(Artifact::image("v1").descriptor(), SCAN, "lost").descriptor());
    lost["artifactType"] = json!(SCAN);
    entries.push(lost);
    shelf.layout("layout", &entries);
    let (code, report) = shelf.report(&["audit", "oci:layout", "--referrers"]);
    let all = report["artifacts"].as_array().unwrap();
    let messages = all.iter().filter_map(|row| row["message"].as_str());
    let doubts: Vec<&str> = messages.filter(|message| message.contains("it may be attached to any artifact")).collect();
    assert_eq!((code, doubts.len()), (Some(1), 1), "{report}");
    let v1 = Artifact::image("v1").descriptor().digest.to_string();
    assert!(doubts[0].starts_with(&format!("what is attached to {v1} is not known")), "{doubts:?}");
}

#[test]
fn what_is_only_listed_is_not_attached() {
    let mut shelf = Shelf::new();
    let (v1, other) = (Artifact::image("v1"), Artifact::image("other"));
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    let of_other = attachment(other.descriptor(), SBOM, "of another");
    let gone = attachment(v1.descriptor(), SCAN, "gone");
    shelf.put(None, &of_other);
    let list = index(&[entry(of_other.descriptor()), entry(other.descriptor()), entry(gone.descriptor())]);
    shelf.put(None, &other);
    let tag = v1.descriptor().digest.referrers_tag();
    let front = Front::new(
        |registry| {
            shelf.put_into(registry, "team/app");
            registry.put_manifest("team/app", Some(&tag), INDEX, list.manifest.bytes.clone()).unwrap();
        },
        |_| None,
        |_, reply| reply,
    );
    let reference = format!("{}/team/app:v1", front.host());
    let (code, report) = shelf.report(&["audit", &reference, "--referrers"]);
    assert_eq!((code, rows(&report)), (Some(0), vec!["v1 pass".to_owned()]));
    assert_eq!(report["summary"]["passedOver"]["absentManifests"], 1);
}

#[test]
fn where_what_is_attached_cannot_be_listed_that_is_an_error_of_its_own() {
    let shelf = world();
    // Signatures are listed, everything else is not.
    let front = Front::new(
        |registry| shelf.put_into(registry, "team/app"),
        |request| {
            let all = request.path().contains("/referrers/") && !request.target.contains("artifactType");
            all.then(|| Reply::new(403, ""))
        },
        |_, reply| reply,
    );
    let (code, report) = shelf.report(&["audit", &format!("{}/team/app", front.host()), "--referrers"]);
    assert_eq!((code, rows(&report)), (Some(3), vec!["v1 pass".to_owned(), "v1 access-denied".to_owned()]));
    let row = &report["artifacts"][1];
    assert_eq!(row["attachedTo"], report["artifacts"][0]["artifact"]);
    assert!(row["message"].as_str().unwrap().starts_with("what is attached to sha256:"), "{row}");
}

#[test]
fn no_more_is_judged_than_the_bounds_allow() {
    let mut shelf = Shelf::new();
    let v1 = Artifact::image("v1");
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    let mut to = v1.descriptor().clone();
    for number in 0..limits::REFERRERS_DEPTH + 2 {
        to = shelf.put(None, &attachment(&to, SBOM, &number.to_string()));
    }
    let (_, report) = audit(&shelf, &["--referrers"]);
    assert_eq!(rows(&report).len(), 1 + limits::REFERRERS_DEPTH);

    let mut shelf = Shelf::new();
    shelf.put(Some("v1"), &v1);
    shelf.sign(&v1);
    for number in 0..=limits::REFERRERS_JUDGED {
        shelf.put(None, &attachment(v1.descriptor(), SBOM, &number.to_string()));
    }
    shelf.layout("layout", &shelf.entries(Some("a.io/app")));
    let (_, report) = shelf.report(&["audit", "oci:layout", "--referrers"]);
    let rows = rows(&report);
    assert_eq!(rows.len(), 1 + limits::REFERRERS_JUDGED + 1);
    assert_eq!(rows.last().map(String::as_str), Some("v1 answer-too-large"));
}

#[test]
fn nothing_is_looked_for_where_the_policy_does_not_look() {
    let shelf = world();
    let registry = registry_of(&shelf, Flavour::Current);
    let repository = format!("{}/team/app", registry.host());
    shelf.policy(&[("app", &repository, "skip")]);
    let (_, report) = shelf.report(&["audit", &repository, "--referrers"]);
    assert_eq!(rows(&report), ["v1 skip"]);
}

#[test]
fn what_is_attached_to_a_platform_is_judged_below_it() {
    let mut shelf = Shelf::new();
    let amd64 = Artifact::image("amd64");
    shelf.put(None, &amd64);
    shelf.sign(&amd64);
    shelf.put(None, &attachment(amd64.descriptor(), SBOM, "sbom"));
    let whole = index(&[entry_for(amd64.descriptor(), "linux/amd64")]);
    shelf.put(Some("v1"), &whole);
    shelf.sign(&whole);
    shelf.put(None, &attachment(whole.descriptor(), SCAN, "scan"));
    let scan = "  application/vnd.acme.scan+json unsigned";
    let (_, report) = audit(&shelf, &["--referrers"]);
    assert_eq!(rows(&report), ["v1 pass", scan]);
    let (_, report) = audit(&shelf, &["--referrers", "--platform", "all"]);
    assert_eq!(rows(&report), ["v1 pass", scan, "v1 linux/amd64 pass", "  application/spdx+json unsigned"]);
    // A part is counted with its index, and what is attached with nothing.
    assert_eq!(report["summary"]["covered"], 1);
}

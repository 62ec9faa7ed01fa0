//! Who refers to an artifact, as registries without the referrers API answer, or with one that is not quite as specified.

use std::collections::BTreeMap;

use muster::forge::Artifact;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::manifest::{IMAGE_INDEX, SIGNATURE_ARTIFACT_TYPE};
use serde_json::Value;

use super::front::Front;
use crate::artifacts::shelf::{INDEX, Shelf, entry, index, results};
use crate::registry_answers::mock::{Reply, Request};

const SBOM: &str = "application/spdx+json";
const LIST: &str = "/referrers/";
const PAGE: &str = "<!DOCTYPE html><html><title>Sign in</title></html>";

/// `signed` and `unsigned`, which are in the repositories of these names.
fn shelves() -> [(&'static str, Shelf); 2] {
    ["signed", "unsigned"].map(|name| {
        let mut shelf = Shelf::new();
        let image = Artifact::image(name);
        shelf.put(Some("v1"), &image);
        if name == "signed" {
            shelf.sign(&image);
        }
        (name, shelf)
    })
}

fn without_api() -> Options {
    Options { flavour: Flavour::WithoutReferrers, ..Options::default() }
}

/// What an audit finds in both repositories, by their names: the code, or else the result; and the report.
fn audit(
    options: Options,
    before: impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static,
    after: impl Fn(&Request, Reply) -> Reply + Send + Sync + 'static,
) -> (BTreeMap<String, String>, Value, Front) {
    let shelves = shelves();
    let fill = |registry: &_| shelves.iter().for_each(|(name, shelf)| shelf.put_into(registry, name));
    let front = Front::before(options, fill, before, after);
    let (_, report) = shelves[0].1.report(&["audit", front.host()]);
    let found = results(&report);
    let name = |reference: &str| reference.split(['/', ':']).nth_back(1).unwrap().to_owned();
    (found.iter().map(|(reference, result)| (name(reference), result.clone())).collect(), report, front)
}

fn both(signed: &str, unsigned: &str) -> BTreeMap<String, String> {
    [("signed", signed), ("unsigned", unsigned)].map(|(name, code)| (name.to_owned(), code.to_owned())).into()
}

fn as_it_is(_: &Request, reply: Reply) -> Reply {
    reply
}

/// Answers questions for lists of referrers so.
fn instead_of_lists(reply: &Reply) -> impl Fn(&Request) -> Option<Reply> + Send + Sync + 'static {
    let reply = reply.clone();
    move |request| request.path().contains(LIST).then(|| reply.clone())
}

fn message(report: &Value, repository: &str) -> String {
    let rows = report["artifacts"].as_array().unwrap();
    let of = |row: &&Value| row["reference"].as_str().unwrap().contains(&format!("/{repository}:"));
    rows.iter().find(of).unwrap()["message"].as_str().unwrap().to_owned()
}

#[test]
fn r04_where_the_list_is_refused_the_tag_decides_and_nothing_there_is_trouble() {
    for (status, code, said) in [
        (406, "answer-invalid", "406"),
        (405, "answer-invalid", "405"),
        (400, "answer-invalid", "400"),
        (403, "access-denied", "403"),
    ] {
        let (found, report, _) = audit(without_api(), instead_of_lists(&Reply::new(status, "")), as_it_is);
        assert_eq!(found, both("pass", code), "{status}");
        assert!(message(&report, "unsigned").contains(said), "{report}");
    }
}

#[test]
fn what_is_no_list_leaves_open_whether_there_is_a_signature() {
    for reply in [Reply::ok("text/html", PAGE), Reply::ok(INDEX, ""), Reply::ok("application/json", "{}")] {
        let (found, ..) = audit(without_api(), instead_of_lists(&reply), as_it_is);
        assert_eq!(found, both("pass", "answer-invalid"), "{reply:?}");
    }
}

#[test]
fn r06_a_tag_that_is_taken_for_the_digest_is_no_list() {
    let take_for_digest = |request: &Request| {
        let tag = request.path().strip_prefix("/v2/unsigned/manifests/sha256-")?;
        let image = Artifact::image("unsigned");
        let is_it = image.descriptor().digest.hex() == tag;
        is_it.then(|| Reply::ok(&image.descriptor().media_type, image.manifest.bytes.to_vec()))
    };
    let (found, _, front) = audit(without_api(), take_for_digest, as_it_is);
    assert_eq!(found, both("pass", "unsigned"));
    assert!(front.count("GET", "/v2/unsigned/manifests/sha256-") > 0);
}

#[test]
fn r07_a_list_that_states_no_artifact_types_is_no_row_and_its_signatures_are_found() {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    let signature = shelf.sign(&image);
    let front = Front::before(
        without_api(),
        |registry| {
            shelf.put_into(registry, "team/app");
            let list = index(&[entry(&signature)]).manifest;
            let tag = image.descriptor().digest.referrers_tag();
            registry.put_manifest("team/app", Some(&tag), INDEX, list.bytes).unwrap();
        },
        |_| None,
        as_it_is,
    );
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(code, Some(1));
    let found = results(&report);
    let expected = [(format!("{}/team/app:v1", front.host()), "signature-not-discoverable".to_owned())];
    assert_eq!(found, expected.into());
    assert_eq!(report["summary"]["passedOver"]["referrersLists"], 1);
}

#[test]
fn r35_a_page_to_log_in_is_no_api() {
    let elsewhere = Front::new(|_| {}, |_| Some(Reply::ok("text/html; charset=utf-8", PAGE)), as_it_is);
    for location in [format!("http://{}/v3/signin/identifier?continue=x", elsewhere.host()), "/login".to_owned()] {
        let before = move |request: &Request| match request.path() {
            "/login" => Some(Reply::ok("text/html", PAGE)),
            path => path.contains(LIST).then(|| Reply::new(302, "").header("Location", &location)),
        };
        let (found, _, front) = audit(without_api(), before, as_it_is);
        assert_eq!(found, both("pass", "unsigned"));
        // As often as a 404 would have to come.
        assert_eq!(front.count("GET", "/v2/unsigned/referrers/"), muster::limits::NO_REFERRERS_API_ANSWERS);
    }
}

#[test]
fn a_server_to_log_in_at_that_limits_requests_is_not_waited_for_and_the_tag_decides() {
    for pause in ["20000", "880.092µs"] {
        let limits = move |_: &Request| Some(Reply::new(429, "").header("Retry-After", pause));
        let elsewhere = Front::new(|_| {}, limits, as_it_is);
        let location = format!("http://{}/login", elsewhere.host());
        let away = Reply::new(303, "").header("Location", &location);
        let began = std::time::Instant::now();
        let (found, _, front) = audit(without_api(), instead_of_lists(&away), as_it_is);
        // What limits requests says nothing of signatures.
        assert_eq!(found, both("pass", "answer-invalid"), "{pause}");
        assert!(began.elapsed().as_secs() < 20, "{:?}", began.elapsed());
        assert!(front.count("GET", "/v2/unsigned/referrers/") <= muster::limits::NO_REFERRERS_API_ANSWERS);
        if pause == "20000" {
            assert!(elsewhere.count("GET", "/login") <= 2);
        }
    }
}

#[test]
fn a_list_at_another_server_that_limits_requests_is_waited_for() {
    let digest = Artifact::image("signed").descriptor().digest;
    let elsewhere = Front::new(|_| {}, |_| Some(Reply::new(429, "").header("Retry-After", "20000")), as_it_is);
    let location = format!("http://{}/v2/mirror/signed/referrers/{digest}", elsewhere.host());
    let away = Reply::new(307, "").header("Location", &location);
    let (found, ..) = audit(without_api(), instead_of_lists(&away), as_it_is);
    assert_eq!(found["signed"], "rate-limited");
}

#[test]
fn where_nobody_answers_at_the_address_to_log_in_the_tag_is_asked_and_nothing_there_is_trouble() {
    // Nobody listens at this port.
    let away = Reply::new(302, "").header("Location", "http://127.0.0.1:1/login");
    let (found, ..) = audit(without_api(), instead_of_lists(&away), as_it_is);
    assert_eq!(found, both("pass", "unreachable"));
}

/// An image with an SBoM and a signature; with the digests of the two.
fn attached_and_signed() -> (Shelf, Artifact, [muster::manifest::Descriptor; 2]) {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    let sbom = Artifact::attachment(image.descriptor(), SBOM, muster::forge::Blob::new(SBOM, *b"{}"));
    let sbom = shelf.put(None, &sbom);
    let signature = shelf.sign(&image);
    (shelf, image, [sbom, signature])
}

/// The entry of a list, with a type of its own.
fn typed(descriptor: &muster::manifest::Descriptor, artifact_type: &str) -> Value {
    let mut entry = entry(descriptor);
    entry["artifactType"] = artifact_type.into();
    entry
}

#[test]
fn what_is_listed_as_a_signature_and_is_none_does_not_make_an_artifact_unsigned() {
    let (shelf, image, [sbom, signature]) = attached_and_signed();
    let list = index(&[typed(&sbom, SIGNATURE_ARTIFACT_TYPE), entry(&signature)]).manifest;
    // Under the tag, and as a registry lists that says it has filtered by type what it has not.
    let put = |registry: &EmbeddedRegistry| {
        shelf.put_into(registry, "team/app");
        let tag = image.descriptor().digest.referrers_tag();
        registry.put_manifest("team/app", Some(&tag), INDEX, list.bytes.clone()).unwrap();
    };
    let by_tag = Front::before(without_api(), put, |_| None, as_it_is);
    let only_sbom = index(&[typed(&sbom, SIGNATURE_ARTIFACT_TYPE)]).manifest.bytes;
    let all = index(&[entry(&sbom), entry(&signature)]).manifest.bytes;
    let lists = move |request: &Request| {
        let filtered = request.target.contains("artifactType=");
        let list = if filtered { only_sbom.clone() } else { all.clone() };
        request.path().contains(LIST).then(|| Reply::ok(INDEX, list.to_vec()))
    };
    let by_api = Front::new(|registry| shelf.put_into(registry, "team/app"), lists, as_it_is);
    for front in [by_tag, by_api] {
        let (_, report) = shelf.report(&["audit", front.host()]);
        let found: Vec<_> = results(&report).into_values().collect();
        assert_eq!(found, ["signature-not-discoverable"], "{report}");
    }
}

#[test]
fn what_is_listed_twice_is_a_signature_if_one_entry_says_so() {
    let (shelf, image, [_, signature]) = attached_and_signed();
    for list in [
        [entry(&signature), typed(&signature, SIGNATURE_ARTIFACT_TYPE)],
        [typed(&signature, SIGNATURE_ARTIFACT_TYPE), entry(&signature)],
    ] {
        let list = index(&list).manifest;
        let put = |registry: &EmbeddedRegistry| {
            shelf.put_into(registry, "team/app");
            let tag = image.descriptor().digest.referrers_tag();
            registry.put_manifest("team/app", Some(&tag), INDEX, list.bytes.clone()).unwrap();
        };
        let front = Front::before(without_api(), put, |_| None, as_it_is);
        let (_, report) = shelf.report(&["audit", front.host()]);
        assert_eq!(results(&report).into_values().collect::<Vec<_>>(), ["pass"], "{report}");
    }
}

#[test]
fn sizes_that_count_all_content_matter_for_signatures_only() {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    shelf.put(None, &Artifact::attachment(image.descriptor(), SBOM, muster::forge::Blob::new(SBOM, *b"{}")));
    let signed = attached_and_signed().0;
    let more = |request: &Request, reply: Reply| {
        if !request.path().contains(LIST) {
            return reply;
        }
        let mut list: Value = serde_json::from_slice(reply.body()).unwrap();
        for entry in list["manifests"].as_array_mut().unwrap() {
            entry["size"] = (entry["size"].as_u64().unwrap() + 1000).into();
        }
        let body = list.to_string();
        reply.with_body(body)
    };
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, more);
    let (_, report) = shelf.report(&["audit", "--referrers", front.host()]);
    assert_eq!(report["summary"]["codes"][0]["code"], "unsigned", "{report}");
    assert_eq!(report["summary"]["results"]["fail"], 2, "{report}");
    let front = Front::new(|registry| signed.put_into(registry, "team/app"), |_| None, more);
    let (_, report) = signed.report(&["audit", front.host()]);
    assert_eq!(results(&report).into_values().collect::<Vec<_>>(), ["answer-invalid"], "{report}");
}

#[test]
fn a_page_to_log_in_says_nothing_where_there_were_lists_before() {
    let mut shelf = Shelf::new();
    for name in ["a", "b"] {
        let image = Artifact::image(name);
        shelf.put(Some(name), &image);
        shelf.sign(&image);
    }
    let b = format!("/v2/team/app/referrers/{}", Artifact::image("b").descriptor().digest);
    let before = move |request: &Request| match request.path() {
        "/login" => Some(Reply::ok("text/html", PAGE)),
        path => (path == b).then(|| Reply::new(302, "").header("Location", "/login")),
    };
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), before, as_it_is);
    let (_, report) = shelf.report(&["audit", "-j", "1", front.host()]);
    assert_eq!(results(&report).into_values().collect::<Vec<_>>(), ["pass", "answer-invalid"], "{report}");
}

#[test]
fn r35_a_page_of_another_server_that_limits_requests_keeps_nobody_waiting() {
    for after in ["21600", "60", "soon"] {
        let elsewhere = Front::new(|_| {}, move |_| Some(Reply::new(429, PAGE).header("Retry-After", after)), as_it_is);
        let location = format!("http://{}/login", elsewhere.host());
        let before = move |request: &Request| {
            request.path().contains(LIST).then(|| Reply::new(303, "").header("Location", &location))
        };
        let started = std::time::Instant::now();
        let (found, report, _) = audit(without_api(), before, as_it_is);
        // The tag decides; where there is none, it is open whether there is a list.
        assert_eq!(found, both("pass", "answer-invalid"), "{report}");
        assert!(message(&report, "unsigned").contains("another server"), "{report}");
        assert!(started.elapsed() < std::time::Duration::from_secs(20));
    }
}

#[test]
fn r36_a_list_that_is_served_as_plain_json_or_text_is_read() {
    for content_type in [
        "application/json; charset=utf-8",
        "text/plain; charset=utf-8",
        "application/octet-stream",
        "Application/Vnd.OCI.Image.Index.V1+JSON",
        "application/vnd.oci.image.index.v1+json; charset=utf-8",
    ] {
        let retype = move |request: &Request, reply: Reply| match request.path().contains(LIST) {
            true => reply.without("Content-Type").header("Content-Type", content_type),
            false => reply,
        };
        let (found, ..) = audit(Options::default(), |_| None, retype);
        assert_eq!(found, both("pass", "unsigned"), "{content_type}");
    }
}

#[test]
fn r36_a_list_that_is_served_as_something_else_leaves_nothing_unsigned() {
    for (content_type, cut) in [("text/html", 0), ("application/json", 7), ("application/xml", 0)] {
        let retype = move |request: &Request, reply: Reply| match request.path().contains(LIST) {
            true => {
                let body = reply.body()[..reply.body().len() - cut].to_vec();
                reply.without("Content-Type").header("Content-Type", content_type).with_body(body)
            }
            false => reply,
        };
        let (found, ..) = audit(Options::default(), |_| None, retype);
        assert_eq!(found, both("answer-invalid", "answer-invalid"), "{content_type}");
    }
}

#[test]
fn r47_a_manifest_that_is_served_as_plain_json_is_trouble_that_names_the_type() {
    for content_type in ["application/json", "text/plain; charset=utf-8", "application/octet-stream"] {
        let retype = move |request: &Request, reply: Reply| match request.path().ends_with("/manifests/v1") {
            true => reply.without("Content-Type").header("Content-Type", content_type),
            false => reply,
        };
        let (found, report, _) = audit(Options::default(), |_| None, retype);
        assert_eq!(found, both("answer-invalid", "answer-invalid"), "{content_type}");
        let essence = content_type.split(';').next().unwrap();
        assert!(message(&report, "signed").contains(essence), "{report}");
    }
}

#[test]
fn r47_the_letters_of_a_content_type_say_nothing() {
    let capitals = |request: &Request, reply: Reply| match request.path().contains("/manifests/") {
        true => {
            let image = "Application/VND.oci.image.manifest.v1+JSON";
            reply.without("Content-Type").header("Content-Type", image)
        }
        false => reply,
    };
    let (found, ..) = audit(Options::default(), |_| None, capitals);
    assert_eq!(found, both("pass", "unsigned"));
}

#[test]
fn r69_a_signature_from_before_the_api_is_not_discoverable() {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    let signature = shelf.sign(&image);
    let mut listed = entry(&signature);
    listed["artifactType"] = "application/vnd.cncf.notary.signature".into();
    let tag = image.descriptor().digest.referrers_tag();
    shelf.put(Some(&tag), &index(&[listed]));
    let before = instead_of_lists(&Reply::ok(IMAGE_INDEX, index(&[]).manifest.bytes.to_vec()));
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), before, as_it_is);
    let (_, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(results(&report).into_values().collect::<Vec<_>>(), ["signature-not-discoverable"], "{report}");
}

#[test]
fn r85_an_unknown_manifest_in_place_of_a_list_is_no_api() {
    let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
    let unknown = Reply::new(404, body).header("Content-Type", "application/json");
    let (found, ..) = audit(without_api(), instead_of_lists(&unknown), as_it_is);
    assert_eq!(found, both("pass", "unsigned"));
}

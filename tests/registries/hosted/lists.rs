//! How registries list repositories and tags: page sizes that they refuse, names that are none, catalogs that are empty or
//! refused, namespaces, and what a filter leaves out.

use muster::forge::Artifact;
use muster::forge::registry::{EmbeddedRegistry, Options};
use serde_json::{Value, json};

use super::front::Front;
use crate::artifacts::shelf::{Shelf, results};
use crate::registry_answers::mock::{Reply, Request};

/// A shelf with the signed image `v1`.
pub(super) fn signed() -> Shelf {
    let mut shelf = Shelf::new();
    let image = Artifact::image("v1");
    shelf.put(Some("v1"), &image);
    shelf.sign(&image);
    shelf
}

/// Puts what is on the shelf into a repository, and its image under these tags as well.
pub(super) fn put_tagged(
    shelf: &Shelf,
    registry: &EmbeddedRegistry,
    repository: &str,
    tags: impl Iterator<Item = String>,
) {
    shelf.put_into(registry, repository);
    let manifest = &shelf.kept[0].1.manifest;
    for tag in tags {
        let (media_type, bytes) = (&manifest.descriptor.media_type, manifest.bytes.clone());
        registry.put_manifest(repository, Some(&tag), media_type, bytes).unwrap();
    }
}

pub(super) fn numbered(from: usize, to: usize) -> impl Iterator<Item = String> {
    (from..to).map(|number| format!("t{number:05}"))
}

pub(super) fn refused(status: u16, code: &str) -> Reply {
    let body = json!({ "errors": [{ "code": code, "message": "no" }] }).to_string();
    Reply::new(status, body).header("Content-Type", "application/json")
}

pub(super) fn listed(body: &Value) -> Reply {
    Reply::ok("application/json", body.to_string())
}

/// A parameter of the request, as it was written.
pub(super) fn parameter<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    let query = request.target.split_once('?')?.1;
    query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
}

fn is_list(request: &Request) -> bool {
    request.path().ends_with("/tags/list") || request.path() == "/v2/_catalog"
}

pub(super) fn unchanged(_: &Request, reply: Reply) -> Reply {
    reply
}

/// How many rows have which result, or code.
#[track_caller]
pub(super) fn assert_rows(report: &Value, expected: &[(&str, usize)]) {
    let mut counted = std::collections::BTreeMap::new();
    for row in report["artifacts"].as_array().unwrap() {
        *counted.entry(row["code"].as_str().unwrap_or_else(|| row["result"].as_str().unwrap())).or_insert(0) += 1;
    }
    assert_eq!(counted, expected.iter().copied().collect(), "{}", report["summary"]);
}

#[test]
fn r01_a_page_size_that_is_refused_is_asked_for_smaller_or_left_out() {
    for (most, refusal) in [(100, 413), (100, 400), (0, 413), (0, 422)] {
        let shelf = signed();
        let front = Front::before(
            Options { list_page: Some(100), ..Options::default() },
            |registry| {
                put_tagged(&shelf, registry, "team/app", numbered(0, 150));
                put_tagged(&shelf, registry, "team/lib", numbered(0, 2));
            },
            move |request| {
                let asked = parameter(request, "n").map_or(0, |n| n.parse().unwrap());
                (is_list(request) && asked > most).then(|| refused(refusal, "TOO_MANY_TAGS_REQUESTED"))
            },
            unchanged,
        );
        let (code, report) = shelf.report(&["audit", front.host()]);
        assert_eq!(code, Some(0), "{report}");
        assert_rows(&report, &[("pass", 151 + 3)]);
        // A size that was refused is not tried again. Two lists may have been asked for at once.
        let tried =
            front.count("GET", "/v2/team/app/tags/list?n=1000") + front.count("GET", "/v2/team/lib/tags/list?n=1000");
        assert!((1..=2).contains(&tried), "{tried}");
    }
}

#[test]
fn r03_a_hundred_thousand_tags_in_one_answer_are_read() {
    let shelf = signed();
    let tags: Vec<String> =
        (0..100_000_u32).map(|number| format!("{:040x}", number.wrapping_mul(2_654_435_761))).collect();
    let tags = [&["v1".to_owned()][..], &tags].concat();
    let body = json!({ "name": "ci/app", "tags": tags }).to_string();
    assert!(body.len() > 4 << 20);
    let front = Front::new(
        |registry| shelf.put_into(registry, "ci/app"),
        move |request| request.path().ends_with("/tags/list").then(|| Reply::ok("application/json", body.clone())),
        unchanged,
    );
    let (code, report) = shelf.report(&["audit", &format!("{}/ci/app", front.host()), "--include", "**/app:v1"]);
    assert_eq!(code, Some(0), "{report}");
    assert_rows(&report, &[("pass", 1)]);
    assert_eq!(front.count("GET", "/v2/ci/app/tags/list"), 1);
}

#[test]
fn r08_a_listed_repository_that_the_registry_does_not_know_is_an_empty_one() {
    let shelf = signed();
    let front = Front::new(
        |registry| {
            for repository in ["team/app", "old/gutted", "old/harbor", "old/virtual", "old/masked"] {
                shelf.put_into(registry, repository);
            }
        },
        |request| match request.path() {
            "/v2/old/gutted/tags/list" => Some(refused(404, "NAME_UNKNOWN")),
            "/v2/old/harbor/tags/list" => Some(refused(404, "NOT_FOUND")),
            "/v2/old/virtual/tags/list" => Some(listed(&json!({ "name": "old/virtual", "tags": null }))),
            "/v2/old/masked/tags/list" => Some(Reply::new(404, "<html>not found</html>")),
            _ => None,
        },
        unchanged,
    );
    // What is no answer of a registry says nothing of what the repository holds.
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!(code, Some(3));
    assert_rows(&report, &[("pass", 1), ("not-found", 1)]);
    let (code, report) = shelf.report(&["audit", front.host(), "--exclude", "**/masked"]);
    assert_eq!(code, Some(0), "{report}");
    assert_rows(&report, &[("pass", 1)]);
    assert_eq!(report["summary"]["lists"]["emptyRepositories"], 3);
    let table = shelf.run(&["audit", front.host(), "--exclude", "**/masked"]).stdout;
    assert!(table.contains("3 repositories hold no tags"), "{table}");
    // What the user named is not there.
    let (code, report) = shelf.report(&["audit", &format!("{}/old/gutted", front.host())]);
    assert_eq!(code, Some(3));
    assert_rows(&report, &[("not-found", 1)]);
}

#[test]
fn r10_a_name_that_is_none_is_one_row_and_the_others_are_judged() {
    let digest = format!("sha256:{}", "1".repeat(64));
    for bad in [json!(digest), json!(null), json!("-ot-beta-jmx"), json!("1.0.0+build.7"), json!(""), json!({ "a": 1 })]
    {
        let shelf = signed();
        let put = bad.clone();
        let front = Front::new(
            |registry| ["team/a", "team/b", "team/c"].iter().for_each(|name| shelf.put_into(registry, name)),
            |_| None,
            move |request, reply| match request.path() {
                "/v2/team/b/tags/list" => listed(&json!({ "name": "team/b", "tags": [put, "v1"] })),
                "/v2/_catalog" => listed(&json!({ "repositories": ["team/a", "Team/Legacy", "team/b", "team/c"] })),
                _ => reply,
            },
        );
        let (code, report) = shelf.report(&["audit", front.host()]);
        assert_eq!(code, Some(3));
        assert_rows(&report, &[("pass", 3), ("answer-invalid", 2)]);
        let messages = report["artifacts"].to_string();
        assert!(messages.contains("Team/Legacy"), "{messages}");
        if let Some(text) = bad.as_str() {
            assert!(messages.contains(&format!("has \\\"{text}\\\", which is not a tag")), "{messages}");
        }
        // Nothing broke off, and what is not wanted is no matter.
        assert_eq!(report["summary"]["partial"], false);
        let include = format!("{}/team/*:v1", front.host());
        let (code, report) = shelf.report(&["audit", front.host(), "--include", &include]);
        assert_eq!(code, Some(if bad.is_string() { 0 } else { 3 }), "{report}");
    }
}

#[test]
fn r11_nothing_is_asked_of_what_the_filter_leaves_out() {
    let shelf = signed();
    let front = Front::new(
        |registry| {
            shelf.put_into(registry, "team/app");
            (0..20).for_each(|number| shelf.put_into(registry, &format!("other/app{number}")));
            shelf.put_into(registry, "secret/app");
        },
        |request| request.path().starts_with("/v2/secret/").then(|| refused(403, "DENIED")),
        unchanged,
    );
    let include = |glob: &str| format!("{}/{glob}", front.host());
    for glob in [include("team/**"), include("team/app:v1"), "**/team/*".to_owned(), "**/app:v1".to_owned()] {
        let before = front.seen().len();
        let arguments = ["audit", front.host(), "--include", &glob, "--exclude", "**/secret/**"];
        let (code, report) = shelf.report(&arguments);
        assert_eq!(code, Some(0), "{glob}: {report}");
        assert_rows(&report, &[("pass", 1)]);
        let asked: Vec<_> = front.seen()[before..].iter().map(|request| request.path().to_owned()).collect();
        assert_eq!(asked.iter().filter(|path| path.ends_with("/tags/list")).count(), 1, "{glob}: {asked:?}");
    }
    // Those that are refused are counted.
    let (code, report) = shelf.report(&["audit", front.host(), "--include", "**/app:*"]);
    assert_eq!((code, &report["summary"]["lists"]["refusedRepositories"]), (Some(3), &json!(1)));
    let table = shelf.run(&["audit", front.host(), "--include", "**/app:*"]).stdout;
    assert!(table.contains("1 repository was refused: its tags are not known"), "{table}");
}

#[test]
fn r28_what_googles_registries_list_below_a_repository_is_followed() {
    let shelf = signed();
    let front = Front::new(
        |registry| {
            for repository in ["project/app", "project/base", "project/base/deep"] {
                shelf.put_into(registry, repository);
            }
        },
        |request| match request.path() {
            "/v2/_catalog" => Some(listed(&json!({ "repositories": [] }))),
            "/v2/project/tags/list" => {
                // One twice, and one that is none.
                Some(listed(
                    &json!({ "child": ["app", "base", "app", "No"], "manifest": {}, "name": "project", "tags": [] }),
                ))
            }
            "/v2/project/base/tags/list" => Some(listed(&json!({
                "child": ["deep"], "name": "project/base", "tags": ["v1"],
                "manifest": { "sha256:1": { "tag": ["v1"] }, "sha256:2": { "tag": [] }, "sha256:3": { "tag": [] } },
            }))),
            _ => None,
        },
        unchanged,
    );
    let host = front.host();
    // By itself, and as a namespace of which the catalog says nothing.
    for target in [format!("{host}/project"), format!("{host}/project/")] {
        let (code, report) = shelf.report(&["audit", &target]);
        let references: Vec<_> = results(&report).into_keys().collect();
        let expected = ["app", "base", "base/deep"].map(|name| format!("{host}/project/{name}:v1"));
        assert!(expected.iter().all(|reference| references.contains(reference)), "{report}");
        assert_eq!(report["summary"]["results"]["pass"], 3, "{report}");
        assert_eq!(report["summary"]["lists"]["untagged"], 2);
        // A name that is none is one row.
        assert_eq!(code, Some(3), "{report}");
        assert!(report.to_string().contains("project/No"), "{report}");
        for (glob, expected) in [("project/**", 3), ("project/base/**", 0)] {
            let (code, report) = shelf.report(&["audit", &target, "--include", &format!("{host}/{glob}")]);
            assert_eq!(code, Some(expected), "{target} {glob}: {report}");
        }
    }
    let table = shelf.run(&["audit", &format!("{host}/project/"), "--include", "**/deep"]);
    assert_eq!(table.code, Some(0), "{}", table.stdout);
    let ran = shelf.run(&["audit", host]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stderr.contains("the catalog is empty") && ran.stderr.contains("HOST/REPOSITORY"), "{}", ran.stderr);
    assert!(ran.stdout.contains("1 catalog is empty"), "{}", ran.stdout);
}

#[test]
fn what_lies_below_is_not_known_where_its_list_is_refused_or_breaks_off() {
    for whole in [true, false] {
        let shelf = signed();
        let front = Front::new(
            |registry| shelf.put_into(registry, "project/app"),
            move |request| match request.path() {
                "/v2/_catalog" => Some(listed(&json!({ "repositories": [] }))),
                "/v2/project/tags/list" if whole || request.target.contains("last=") => Some(refused(403, "DENIED")),
                "/v2/project/tags/list" => {
                    let page = json!({ "child": ["app"], "manifest": {}, "tags": ["a"] });
                    Some(listed(&page).header("Link", "</v2/project/tags/list?last=a>; rel=\"next\""))
                }
                _ => None,
            },
            unchanged,
        );
        for (target, include) in [("project/", "**"), ("project", "**/app")] {
            let target = format!("{}/{target}", front.host());
            let (code, report) = shelf.report(&["audit", &target, "--include", include]);
            assert_eq!(code, Some(3), "{target}: {report}");
            let summary = &report["summary"];
            assert_eq!(summary["partial"], !whole, "{target}: {summary}");
            assert_eq!(summary["lists"]["emptyRepositories"], 0, "{target}: {summary}");
        }
    }
}

#[test]
fn r29_without_a_catalog_the_message_says_what_to_do() {
    let page =
        Reply::new(404, "<html><title>Error 404 (Not Found)!!1</title></html>").header("Content-Type", "text/html");
    let kinds = [
        ("Docker Hub", refused(401, "UNAUTHORIZED")),
        ("GHCR", Reply::new(405, "405 method not allowed")),
        ("GitLab", refused(403, "DENIED")),
        ("Artifact Registry", page),
    ];
    for (product, reply) in kinds {
        let shelf = signed();
        let before = move |request: &Request| (request.path() == "/v2/_catalog").then(|| reply.clone());
        let front = Front::new(|registry| shelf.put_into(registry, "team/app"), before, unchanged);
        for target in [front.host().to_owned(), format!("{}/team/", front.host())] {
            let (code, report) = shelf.report(&["audit", &target]);
            let message = report["artifacts"][0]["message"].as_str().unwrap();
            assert_eq!(code, Some(3));
            assert!(
                message.contains("gives no catalog") && message.contains("HOST/REPOSITORY"),
                "{product}: {message}"
            );
            assert!(message.contains("@FILE"), "{product}: {message}");
            assert_eq!(report["artifacts"].as_array().unwrap().len(), 1);
        }
    }
}

#[test]
fn r44_a_login_page_is_no_list() {
    let shelf = signed();
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
    let before = move |_: &Request| Some(Reply::ok("text/html; charset=utf-8", page));
    let front = Front::new(|_| {}, before, unchanged);
    for target in ["", "/team/", "/team/app", "/team/app:v1"] {
        let (code, report) = shelf.report(&["audit", &format!("{}{target}", front.host())]);
        assert_eq!(code, Some(3));
        assert_rows(&report, &[("answer-invalid", 1)]);
        assert!(report["artifacts"][0]["message"].as_str().unwrap().contains("text/html"), "{report}");
    }
}

pub(super) fn audit_app(shelf: &Shelf, front: &Front, more: &[&str]) -> (Option<i32>, Value) {
    shelf.report(&[&["audit", &format!("{}/team/app", front.host())][..], more].concat())
}

#[test]
fn r71_a_glob_without_a_host_is_explained() {
    let shelf = signed();
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, unchanged);
    let ran = shelf.run(&["audit", front.host(), "--include", "team/**"]);
    assert_eq!(ran.code, Some(4));
    assert!(ran.stderr.contains("not against REPOSITORY alone"), "{}", ran.stderr);
    assert!(ran.stderr.contains("write \"**/team/**\""), "{}", ran.stderr);
    assert_eq!(shelf.run(&["audit", front.host(), "--include", "**/team/**"]).code, Some(0));
}

#[test]
fn a_namespace_is_what_lies_below_a_prefix_of_the_catalog() {
    let shelf = signed();
    let front = Front::new(
        |registry| {
            for repository in ["pay", "pay/api", "pay/web/ui", "payments/api", "other/pay/x"] {
                shelf.put_into(registry, repository);
            }
        },
        |request| (request.path() == "/v2/payments/api/tags/list").then(|| refused(403, "DENIED")),
        unchanged,
    );
    let host = front.host();
    let (code, report) = shelf.report(&["audit", &format!("{host}/pay/")]);
    assert_eq!(code, Some(0), "{report}");
    let references: Vec<_> = results(&report).into_keys().collect();
    assert_eq!(references, [format!("{host}/pay/api:v1"), format!("{host}/pay/web/ui:v1")]);
    assert_eq!(report["header"]["targets"], json!([format!("{host}/pay/")]));
    assert_eq!(front.seen().iter().filter(|request| request.path().ends_with("/tags/list")).count(), 2);
    let (code, report) = shelf.report(&["audit", &format!("{host}/pay/web/")]);
    assert_eq!((code, report["artifacts"].as_array().unwrap().len()), (Some(0), 1));
    // Nothing there is an error, and never everything else.
    let (code, report) = shelf.report(&["audit", &format!("{host}/pau/")]);
    assert_eq!(code, Some(3));
    assert_rows(&report, &[("not-found", 1)]);
    let message = report["artifacts"][0]["message"].as_str().unwrap();
    assert!(message.contains("lists no repository below \"pau\""), "{message}");
}

#[test]
fn the_summary_says_what_lists_cannot_show() {
    let shelf = signed();
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, unchanged);
    let one = shelf.run(&["audit", &format!("{}/team/app", front.host())]).stdout;
    assert!(one.contains("\nnot looked at: what has no tag\n"), "{one}");
    let all = shelf.run(&["audit", front.host()]).stdout;
    assert!(
        all.contains("\nnot looked at: what has no tag, and repositories that the catalog does not list\n"),
        "{all}"
    );
    let tag = shelf.run(&["audit", &format!("{}/team/app:v1", front.host())]).stdout;
    assert!(!tag.contains("not looked at"), "{tag}");
}

#[test]
fn the_number_selected_is_what_was_judged_and_what_was_passed_over() {
    let mut shelf = signed();
    let image = Artifact::image("v2");
    shelf.put(Some("v2"), &image);
    let list = json!({ "schemaVersion": 2, "mediaType": crate::artifacts::shelf::INDEX, "manifests": [] }).to_string();
    let front = Front::new(
        |registry| {
            shelf.put_into(registry, "team/app");
            let tag = image.descriptor().digest.referrers_tag();
            registry.put_manifest("team/app", Some(&tag), crate::artifacts::shelf::INDEX, list).unwrap();
        },
        |_| None,
        unchanged,
    );
    let (code, report) = audit_app(&shelf, &front, &[]);
    assert_eq!(code, Some(1));
    assert_rows(&report, &[("pass", 1), ("unsigned", 1)]);
    let summary = &report["summary"];
    assert_eq!((&summary["selected"], &summary["passedOver"]["referrersLists"]), (&json!(3), &json!(1)));
}

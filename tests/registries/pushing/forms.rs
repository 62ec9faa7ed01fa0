//! Registries that do not take the manifest of OCI 1.1, or misread it: with the form from before, notation 1.3.2 signs there.

use muster::forge::registry::{Flavour, Options};

use super::desk::{Desk, fill, manifest, puts_by_digest, puts_tag, refusal, without_api};
use crate::hosted::front::Front;
use crate::registry_answers::mock::{Reply, Request};

const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SIGNATURE: &str = "application/vnd.cncf.notary.signature";

/// A registry that refuses signatures with the empty configuration.
fn picky(status: u16) -> Front {
    let refuses = move |request: &Request| {
        let refused = puts_by_digest(request) && request.body.contains(EMPTY);
        refused.then(|| refusal(status, "MANIFEST_INVALID", "unsupported config media type"))
    };
    Front::before(Options::default(), fill, refuses, |_, reply| reply)
}

#[test]
fn s61_a_registry_that_refuses_the_empty_configuration_gets_the_form_from_before() {
    let desk = Desk::new();
    for status in [400, 405, 415] {
        let registry = picky(status);
        let host = registry.host();
        let run = desk.sign(host, 0, &[]);
        assert!(run.stderr.contains("as with --signature-manifest config"), "{run}");
        let pushed = run.pushed().unwrap();
        assert_eq!(desk.listed(host), [pushed]);
        let written = manifest(host, &pushed.to_string()).unwrap();
        assert_eq!(written["config"]["mediaType"], SIGNATURE);
        assert!(written["artifactType"].is_null());
    }
}

#[test]
fn s61_who_asks_for_one_form_gets_that_or_the_name_of_the_other() {
    let desk = Desk::new();
    let registry = picky(400);
    let run = desk.sign(registry.host(), 3, &["--signature-manifest", "artifact-type"]);
    assert!(run.stderr.contains("try --signature-manifest config") && run.pushed().is_none(), "{run}");
    desk.sign(registry.host(), 0, &["--signature-manifest", "config"]);
}

#[test]
fn s61_a_manifest_that_is_refused_in_either_form_is_told_as_it_was_first() {
    let desk = Desk::new();
    let refuses = |request: &Request| {
        let reason = if request.body.contains(EMPTY) { "the first reason" } else { "the second reason" };
        puts_by_digest(request).then(|| refusal(400, "MANIFEST_INVALID", reason))
    };
    let registry = Front::before(Options::default(), fill, refuses, |_, reply: Reply| reply);
    let run = desk.sign(registry.host(), 3, &[]);
    assert!(run.stderr.contains("the first reason") && run.pushed().is_none(), "{run}");
    // A refusal that another form would meet as well has none tried.
    for status in [401, 403, 413] {
        let refuses = move |request: &Request| puts_by_digest(request).then(|| refusal(status, "DENIED", "no"));
        let registry = Front::before(Options::default(), fill, refuses, |_, reply: Reply| reply);
        desk.sign(registry.host(), 3, &[]);
        assert_eq!(registry.seen().iter().filter(|request| puts_by_digest(request)).count(), 1, "{status}");
    }
}

#[test]
fn s61_a_registry_that_misreads_the_type_gets_the_form_from_before() {
    let desk = Desk::new();
    let options = Options { flavour: Flavour::ReleaseCandidate, ..Options::default() };
    let registry = Front::before(options, fill, |_| None, |_, reply| reply);
    let run = desk.sign(registry.host(), 0, &[]);
    assert!(run.stderr.contains("as with --signature-manifest config"), "{run}");
    assert_eq!(desk.listed(registry.host()), [run.pushed().unwrap()]);
}

#[test]
fn s61_a_registry_that_takes_no_index_is_said_to_take_none() {
    let desk = Desk::new();
    let registry = without_api(
        |request| puts_tag(request).then(|| refusal(400, "MANIFEST_INVALID", "manifest invalid")),
        |_, reply| reply,
    );
    let run = desk.sign(registry.host(), 1, &[]);
    assert!(run.stderr.contains("does not take the image index that lists signatures"), "{run}");
    assert!(run.stderr.contains("manifest invalid") && run.pushed().is_some(), "{run}");
}

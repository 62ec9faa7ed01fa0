//! Registries whose tags stay where they are, and that have no referrers API: the first signature is listed, and no other.

use std::sync::atomic::{AtomicUsize, Ordering};

use muster::forge::registry::{Flavour, Options};

use super::desk::{Desk, REPOSITORY, fill, puts_tag, refusal, tag, under_tag, without_api};
use crate::hosted::front::Front;
use crate::registry_answers::mock::Reply;

/// A registry that puts a tag once.
fn once(status: u16, code: &'static str, message: &'static str) -> Front {
    let puts = AtomicUsize::new(0);
    without_api(
        move |request| {
            let again = puts_tag(request) && puts.fetch_add(1, Ordering::Relaxed) > 0;
            again.then(|| refusal(status, code, message))
        },
        |_, reply| reply,
    )
}

#[test]
fn s60_a_signature_that_an_immutable_tag_hides_is_named_with_the_way_out() {
    let desk = Desk::new();
    for (status, code, message) in [
        (
            400,
            "TAG_INVALID",
            "The image tag already exists and cannot be overwritten because the repository is immutable.",
        ),
        (412, "PRECONDITION", "Failed to process request due to 'app:v1' configured as immutable."),
    ] {
        let registry = once(status, code, message);
        let host = registry.host();
        let first = desk.sign(host, 0, &[]).pushed().unwrap();
        let second = desk.sign(host, 1, &[]);
        let pushed = second.pushed().unwrap();
        for part in [
            "cannot be discovered",
            &format!("it was pushed as {host}/{REPOSITORY}@{pushed}"),
            &format!("{REPOSITORY}:{}", tag()),
            "since tags are immutable",
            code,
            "the registry has no referrers API",
            "Let tags that match sha256-* be overwritten",
            "can be deleted by its digest",
        ] {
            assert!(second.stderr.contains(part), "{part}: {second}");
        }
        assert_eq!(under_tag(host), [first]);
        // It is there, as it is said.
        assert!(super::desk::manifest(host, &pushed.to_string()).is_some());
        // It is asked once: the registry will not say otherwise.
        assert_eq!(registry.seen().iter().filter(|request| puts_tag(request)).count(), 2);
    }
}

#[test]
fn s60_a_refusal_without_a_reason_is_not_called_what_it_may_not_be() {
    let desk = Desk::new();
    let registry = once(403, "DENIED", "requested access to the resource is denied");
    desk.sign(registry.host(), 0, &[]);
    let run = desk.sign(registry.host(), 1, &[]);
    assert!(run.stderr.contains("either tags are immutable, or this account may not overwrite them"), "{run}");
    // Where there is no tag yet, it is a matter of rights.
    let denied = without_api(|request| puts_tag(request).then(|| refusal(403, "DENIED", "no")), |_, reply| reply);
    let run = desk.sign(denied.host(), 1, &[]);
    assert!(run.stderr.contains("this account may not write the tag") && run.pushed().is_some(), "{run}");
    assert!(!run.stderr.contains("immutable"), "{run}");
}

#[test]
fn s60_an_immutable_tag_is_no_matter_where_the_api_lists_the_signature() {
    let desk = Desk::new();
    // It does not say that it lists the manifest, and it does: clients keep the list too, and need not.
    let registry = Front::before(
        Options { flavour: Flavour::Current, ..Options::default() },
        fill,
        |request| puts_tag(request).then(|| refusal(412, "PRECONDITION", "configured as immutable")),
        |_, reply: Reply| reply.without("oci-subject"),
    );
    desk.sign(registry.host(), 0, &[]);
    assert_eq!(desk.listed(registry.host()).len(), 1);
    // Who wants the tag is told that it is not there.
    let run = desk.sign(registry.host(), 1, &["--force-referrers-tag"]);
    assert!(run.stderr.contains("as --force-referrers-tag wants"), "{run}");
}

#[test]
fn s60_there_may_be_no_room_for_the_list() {
    let desk = Desk::new();
    let full = "adding 1.2 KiB of storage resource, which exceeds the quota";
    let registry =
        without_api(move |request| puts_tag(request).then(|| refusal(507, "DENIED", full)), |_, reply| reply);
    let run = desk.sign(registry.host(), 1, &[]);
    assert!(run.stderr.contains("there is no room") && run.stderr.contains("exceeds the quota"), "{run}");
    // And there may be none for the signature: nothing is said to be pushed.
    let registry =
        without_api(move |request| (request.method == "PUT").then(|| refusal(507, "DENIED", full)), |_, reply| reply);
    let run = desk.sign(registry.host(), 3, &[]);
    assert!(run.pushed().is_none() && run.stderr.contains("exceeds the quota"), "{run}");
    // It is not waited for what stays.
    assert_eq!(registry.seen().iter().filter(|request| request.method == "PUT").count(), 1);
}

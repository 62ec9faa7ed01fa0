//! The moods of registries while something is pushed: answers that get lost, come late or say something else, and uploads
//! that are somewhere else or over.

use std::sync::atomic::{AtomicUsize, Ordering};

use muster::digest::Digest;
use muster::forge::registry::Options;

use super::desk::{Desk, fill, manifest, puts_by_digest, puts_tag, refusal, under_tag, without_api};
use crate::hosted::front::Front;
use crate::registry_answers::mock::{Reply, Request, Step};

/// Whether a request puts a blob.
fn puts_blob(request: &Request) -> bool {
    request.method == "PUT" && request.path().contains("/blobs/uploads/")
}

fn begins_upload(request: &Request) -> bool {
    request.method == "POST" && request.path().ends_with("/blobs/uploads/")
}

/// A registry that answers the first `times` requests that `which` says by `how` instead.
fn at_first(
    times: usize,
    which: impl Fn(&Request) -> bool + Send + Sync + 'static,
    how: impl Fn() -> Reply + Send + Sync + 'static,
) -> Front {
    let seen = AtomicUsize::new(0);
    let before = move |request: &Request| {
        let hit = which(request) && seen.fetch_add(1, Ordering::Relaxed) < times;
        hit.then(&how)
    };
    Front::before(Options::default(), fill, before, |_, reply| reply)
}

/// A registry that does as asked, and says so in another way.
fn says(
    which: impl Fn(&Request) -> bool + Send + Sync + 'static,
    how: impl Fn(Reply) -> Reply + Send + Sync + 'static,
) -> Front {
    let after = move |request: &Request, reply: Reply| if which(request) { how(reply) } else { reply };
    Front::before(Options::default(), fill, |_| None, after)
}

fn is_listed(desk: &Desk, registry: &Front) {
    let run = desk.sign(registry.host(), 0, &[]);
    assert_eq!(desk.listed(registry.host()), [run.pushed().unwrap()]);
}

#[test]
fn s66_a_registry_that_is_busy_is_waited_for() {
    let desk = Desk::new();
    let busy = |status: u16| move || refusal(status, "TOOMANYREQUESTS", "slow down").header("Retry-After", "1");
    for status in [429, 503] {
        is_listed(&desk, &at_first(2, puts_by_digest, busy(status)));
        is_listed(&desk, &at_first(1, puts_blob, busy(status)));
        is_listed(&desk, &at_first(1, begins_upload, busy(status)));
    }
    is_listed(&desk, &at_first(2, puts_by_digest, || Reply::new(500, "")));
}

#[test]
fn s66_an_index_that_has_to_wait_is_made_anew() {
    let desk = Desk::new();
    for status in [429, 503, 500] {
        let seen = AtomicUsize::new(0);
        let registry = without_api(
            move |request| {
                let hit = puts_tag(request) && seen.fetch_add(1, Ordering::Relaxed) < 2;
                hit.then(|| refusal(status, "TOOMANYREQUESTS", "slow down").header("Retry-After", "1"))
            },
            |_, reply| reply,
        );
        let pushed = desk.sign(registry.host(), 0, &[]).pushed().unwrap();
        assert_eq!(under_tag(registry.host()), [pushed]);
        // What is under the tag is read between any two tries.
        let about_tag = |request: &&Request| request.path().ends_with(&super::desk::tag());
        let methods: Vec<_> = registry.seen().iter().filter(about_tag).map(|request| request.method.clone()).collect();
        assert!(methods.windows(2).all(|two| two != ["PUT", "PUT"]), "{status}: {methods:?}");
    }
}

#[test]
fn s66_uploads_are_where_their_address_says() {
    let desk = Desk::new();
    // Without a slash at its start, an address counts from the one that was asked.
    let registry = says(begins_upload, |reply| {
        let id = reply.header_text("location").unwrap().rsplit('/').next().unwrap().to_owned();
        reply.without("location").header("Location", &id)
    });
    is_listed(&desk, &registry);
    // Absolute, and with a query of its own.
    let front = std::sync::Arc::new(std::sync::OnceLock::<String>::new());
    let host = std::sync::Arc::clone(&front);
    let registry = says(begins_upload, move |reply| {
        let path = reply.header_text("location").unwrap().to_owned();
        let absolute = format!("http://{}{path}?_state=a%2Bb%3D", host.get().unwrap());
        reply.without("location").header("Location", &absolute)
    });
    front.set(registry.host().to_owned()).unwrap();
    is_listed(&desk, &registry);
    let puts: Vec<_> = registry.seen().into_iter().filter(puts_blob).collect();
    assert!(!puts.is_empty() && puts.iter().all(|put| put.target.contains("?_state=a%2Bb%3D&digest=")), "{puts:?}");
}

#[test]
fn s66_answers_to_what_was_taken_may_say_less_or_something_else() {
    let desk = Desk::new();
    is_listed(&desk, &says(puts_by_digest, |reply| reply.without("docker-content-digest").without("location")));
    for status in [200, 202, 204] {
        let other = move |_| Reply::new(status, "");
        is_listed(&desk, &says(puts_blob, other));
        is_listed(&desk, &says(puts_by_digest, other));
    }
    // The same without having taken anything is no success.
    for which in [puts_blob, puts_by_digest] {
        let registry = Front::before(
            Options::default(),
            fill,
            move |request| which(request).then(|| Reply::new(202, "")),
            |_, reply| reply,
        );
        let run = desk.sign(registry.host(), 3, &[]);
        assert!(run.pushed().is_none() && run.stderr.contains("202"), "{run}");
        assert_eq!(desk.listed(registry.host()), []);
    }
}

#[test]
fn s66_what_was_taken_before_the_connection_closed_is_found() {
    let desk = Desk::new();
    for which in [puts_blob, puts_by_digest] {
        is_listed(&desk, &says(which, |_| Reply::raw([Step::Reset])));
    }
    let registry =
        without_api(|_| None, |request, reply| if puts_tag(request) { Reply::raw([Step::Reset]) } else { reply });
    let pushed = desk.sign(registry.host(), 0, &[]).pushed().unwrap();
    assert_eq!(under_tag(registry.host()), [pushed]);
}

#[test]
fn s66_what_was_taken_before_an_answer_got_lost_is_found_though_it_is_not_taken_twice() {
    let desk = Desk::new();
    for (status, code) in [(400, "MANIFEST_INVALID"), (409, "CONFLICT")] {
        let seen = AtomicUsize::new(0);
        let registry = without_api(
            |_| None,
            move |request, reply| match (puts_by_digest(request), seen.load(Ordering::Relaxed)) {
                (true, 0) => {
                    seen.store(1, Ordering::Relaxed);
                    Reply::new(502, "")
                }
                (true, _) => refusal(status, code, "manifest already exists"),
                _ => reply,
            },
        );
        let run = desk.sign(registry.host(), 0, &[]);
        // In one form, and once.
        assert!(!run.stderr.contains("--signature-manifest"), "{run}");
        assert_eq!(under_tag(registry.host()), [run.pushed().unwrap()]);
    }
}

#[test]
fn s66_what_is_said_at_length_of_what_was_taken_is_not_read() {
    let desk = Desk::new();
    let at_length = |reply: Reply| reply.without("content-length").with_body(vec![b' '; 1 << 20]);
    for which in [puts_blob, puts_by_digest, puts_tag] {
        let registry =
            without_api(|_| None, move |request, reply| if which(request) { at_length(reply) } else { reply });
        let pushed = desk.sign(registry.host(), 0, &[]).pushed().unwrap();
        assert_eq!(under_tag(registry.host()), [pushed]);
    }
}

#[test]
fn s66_an_upload_that_is_over_is_begun_again() {
    let desk = Desk::new();
    for (status, code) in [(404, "BLOB_UPLOAD_UNKNOWN"), (400, "BLOB_UPLOAD_INVALID"), (416, "RANGE_INVALID")] {
        let registry = at_first(1, puts_blob, move || refusal(status, code, "the upload is not known"));
        is_listed(&desk, &registry);
    }
    // An upload that breaks again and again is not begun for ever.
    let registry = at_first(usize::MAX, puts_blob, || refusal(404, "BLOB_UPLOAD_UNKNOWN", "gone"));
    let run = desk.sign(registry.host(), 3, &[]);
    assert!(run.stderr.contains("BLOB_UPLOAD_UNKNOWN") && run.pushed().is_none(), "{run}");
    assert_eq!(registry.seen().iter().filter(|request| begins_upload(request)).count(), 3);
}

#[test]
fn s66_a_registry_that_keeps_another_manifest_did_not_take_this_one() {
    let desk = Desk::new();
    let other = Digest::sha256(b"another").to_string();
    let digest = other.clone();
    let registry = says(puts_by_digest, move |reply| {
        reply.without("docker-content-digest").header("Docker-Content-Digest", &digest)
    });
    let run = desk.sign(registry.host(), 3, &[]);
    assert!(run.stderr.contains("keeps another manifest than was pushed") && run.stderr.contains(&other), "{run}");
    assert_eq!(run.pushed(), None);
}

#[test]
fn s66_who_may_not_push_is_told_so_in_the_words_of_the_registry() {
    let desk = Desk::new();
    let writes = |request: &Request| ["POST", "PUT", "PATCH"].contains(&request.method.as_str());
    for (status, code, message) in [
        (403, "DENIED", "requested access to the resource is denied"),
        (401, "UNAUTHORIZED", "authentication required"),
        (405, "UNSUPPORTED", "The operation is unsupported: registry is read-only"),
        (413, "SIZE_INVALID", "too large"),
    ] {
        let registry = at_first(usize::MAX, writes, move || refusal(status, code, message));
        let run = desk.sign(registry.host(), 3, &[]);
        assert!(run.stderr.contains(message) && run.pushed().is_none(), "{run}");
    }
    let busy = || refusal(503, "UNAVAILABLE", "the registry is read-only").header("Retry-After", "86400");
    let run = desk.sign(at_first(usize::MAX, writes, busy).host(), 3, &[]);
    assert!(run.stderr.contains("read-only"), "{run}");
}

#[test]
fn s66_a_put_that_is_sent_on_goes_there_as_it_is() {
    let desk = Desk::new();
    let moved = |request: &Request| {
        let first = puts_by_digest(request) && !request.target.contains("moved");
        first.then(|| Reply::new(307, "").header("Location", &format!("{}?moved=1", request.target)))
    };
    is_listed(&desk, &Front::before(Options::default(), fill, moved, |_, reply| reply));
    // One that would be another request is not followed.
    let seen =
        |request: &Request| puts_by_digest(request).then(|| Reply::new(302, "").header("Location", "/v2/elsewhere"));
    let registry = Front::before(Options::default(), fill, seen, |_, reply| reply);
    let run = desk.sign(registry.host(), 3, &[]);
    assert!(run.pushed().is_none() && run.stderr.contains("302"), "{run}");
    assert_eq!(registry.count("GET", "/v2/elsewhere"), 0);
    assert_eq!(manifest(registry.host(), &super::desk::tag()), None);
}

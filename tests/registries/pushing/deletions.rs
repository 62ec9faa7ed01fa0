//! Replaced indexes of the referrers tag schema that are deleted: nothing that a verifier finds is lost by it, and nothing that
//! comes of it makes less of a signature that was found.

use std::sync::{Arc, Mutex};

use muster::digest::Digest;
use muster::forge::Artifact;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::manifest::{IMAGE_INDEX, IMAGE_MANIFEST};
use muster::sign::Discovery;

use super::desk::{Desk, REPOSITORY, fill, manifest, puts_tag, refusal, tag, under_tag, without_api};
use super::lists::{EMPTY_LIST, published, put_index};
use crate::hosted::front::Front;
use crate::registry_answers::mock::{Reply, Request, Step};

fn deletes(request: &Request) -> bool {
    request.method == "DELETE"
}

#[test]
fn s62_a_registry_that_is_asked_to_delete_too_often_is_not_waited_for() {
    let desk = Desk::new();
    for after in ["60", "86400"] {
        let busy = move |request: &Request| {
            deletes(request).then(|| refusal(429, "TOOMANYREQUESTS", "slow down").header("Retry-After", after))
        };
        let registry = without_api(busy, |_, reply| reply);
        let host = registry.host();
        let signed = [desk.sign(host, 0, &[]), desk.sign(host, 0, &[])];
        assert_eq!(under_tag(host), signed.map(|run| run.pushed().unwrap()));
        assert_eq!(registry.count("DELETE", ""), 1);
    }
}

#[test]
fn s62_a_list_that_went_with_a_deletion_is_written_again_whatever_the_answer() {
    for answer in [|| Reply::new(202, ""), || Reply::new(500, ""), || Reply::raw([Step::Reset])] {
        let behind = Arc::new(Mutex::new(String::new()));
        let first = Arc::new(Mutex::new(None));
        let there = Arc::clone(&behind);
        // Another client puts back what was replaced, just before that is deleted.
        let puts_back = move |request: &Request| {
            let mut first = first.lock().unwrap();
            if puts_tag(request) {
                first.get_or_insert_with(|| request.body.clone());
            }
            let index = first.clone().filter(|index| {
                deletes(request) && request.target.ends_with(&Digest::sha256(index.as_bytes()).to_string())
            });
            if let Some(index) = index {
                put_index(&there.lock().unwrap(), index);
            }
            None
        };
        let note = move |registry: &EmbeddedRegistry| {
            fill(registry);
            *behind.lock().unwrap() = registry.host();
        };
        let options = Options { flavour: Flavour::WithoutReferrers, ..Options::default() };
        let after = move |request: &Request, reply: Reply| if deletes(request) { answer() } else { reply };
        let registry = Front::before(options, note, puts_back, after);
        let signed = ["a", "b"].map(|name| published(registry.host(), name, (1, 2000)));
        assert_eq!(registry.count("DELETE", ""), 1);
        let listed = under_tag(registry.host());
        for published in signed {
            assert_eq!((&published.discovery, &published.unlisted), (&Ok(Discovery::Listed), &None));
            assert!(listed.contains(&published.signature), "{listed:?}");
        }
    }
}

#[test]
fn s62_a_list_of_nothing_is_that_of_other_images_too_and_stays() {
    let other = format!("sha256-{}", "0".repeat(64));
    let name = other.clone();
    let both = move |registry: &EmbeddedRegistry| {
        fill(registry);
        for name in [&tag(), &name] {
            registry.put_manifest(REPOSITORY, Some(name), IMAGE_INDEX, EMPTY_LIST).unwrap();
        }
    };
    let options = Options { flavour: Flavour::WithoutReferrers, ..Options::default() };
    let registry = Front::before(options, both, |_| None, |_, reply| reply);
    let published = published(registry.host(), "a", (1, 1000));
    assert_eq!(under_tag(registry.host()), [published.signature]);
    assert!(manifest(registry.host(), &other).is_some());
}

#[test]
fn s62_a_tag_that_is_taken_for_the_digest_is_no_list_and_nothing_in_the_way() {
    let desk = Desk::new();
    // As GitLab answers, as long as there is no such tag.
    let subject = |request: &Request, reply: Reply| {
        let asks = request.method == "GET" && request.path().ends_with(&tag()) && reply.is(404);
        if asks { Reply::ok(IMAGE_MANIFEST, Artifact::image("app").manifest.bytes) } else { reply }
    };
    let registry = without_api(|_| None, subject);
    let pushed = desk.sign(registry.host(), 0, &[]).pushed().unwrap();
    assert_eq!(under_tag(registry.host()), [pushed]);
}

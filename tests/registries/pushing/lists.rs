//! Lists that come late, or not where a registry says; indexes that were replaced.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::manifest::IMAGE_INDEX;
use muster::reference::Repository;
use muster::sign::{Destination, Discovery, Publication, Published};
use muster::source::registry::{Registry, RegistryOptions, Timings, UnlistedCause};
use muster::source::{Attachment, Content};

use super::desk::{Desk, REPOSITORY, fill, manifest, puts_tag, refusal, tag, under_tag, without_api};
use crate::hosted::front::Front;
use crate::registry_answers::mock::{Reply, Request, guarded, options};

pub(super) const EMPTY_LIST: &str =
    r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#;

/// A signature of the image, as far as registries can tell.
fn signature(name: &str) -> Attachment {
    let content = |media_type: &str, bytes: Vec<u8>| Content {
        descriptor: muster::manifest::Descriptor::new(media_type, Digest::sha256(&bytes), bytes.len() as u64),
        bytes: bytes.into(),
    };
    let image = muster::forge::Artifact::image("app");
    let subject = image.descriptor();
    let bytes = serde_json::json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "artifactType": "application/vnd.cncf.notary.signature",
        "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::sha256(b"{}"), "size": 2 },
        "layers": [], "annotations": { "name": name },
        "subject": { "mediaType": subject.media_type, "digest": subject.digest, "size": subject.size },
    });
    let mut manifest = content("application/vnd.oci.image.manifest.v1+json", bytes.to_string().into_bytes());
    manifest.descriptor.artifact_type = Some("application/vnd.cncf.notary.signature".to_owned());
    Attachment {
        subject: subject.digest,
        manifest,
        blobs: vec![content("application/vnd.oci.empty.v1+json", b"{}".to_vec())],
    }
}

/// Publishes a signature with little patience.
pub(super) fn published(host: &str, name: &str, settle: (u64, u64)) -> Published {
    let settle = (Duration::from_millis(settle.0), Duration::from_millis(settle.1));
    let timings = Timings { settle, listing: Duration::from_millis(50), ..options().timings };
    let registry = Registry::new(host, RegistryOptions { timings, ..options() }).unwrap();
    let destination = Destination::registry(registry.into(), Repository::new(host, REPOSITORY).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(guarded(Publication::new(&signature(name)).write(&destination))).unwrap()
}

#[test]
fn s63_a_registry_that_says_that_it_lists_and_has_no_api_gets_the_tag() {
    let desk = Desk::new();
    let subject = signature("").subject.to_string();
    let claims = move |request: &Request, reply: Reply| {
        let is_signature = request.method == "PUT" && request.body.contains("\"subject\"");
        if is_signature { reply.header("OCI-Subject", &subject) } else { reply }
    };
    let registry = without_api(|_| None, claims);
    let pushed = desk.sign(registry.host(), 0, &[]).pushed().unwrap();
    assert_eq!(under_tag(registry.host()), [pushed]);
    desk.sign(registry.host(), 0, &["--force-referrers-tag"]);
    assert_eq!(under_tag(registry.host()).len(), 2);
}

#[test]
fn s63_a_registry_whose_api_fails_gets_the_tag() {
    let desk = Desk::new();
    // It says that it lists, and asked for the list it answers with something else.
    let broken = |request: &Request| request.path().contains("/referrers/").then(|| refusal(400, "UNSUPPORTED", "no"));
    let registry = Front::before(Options::default(), fill, broken, |_, reply| reply);
    let pushed = desk.sign(registry.host(), 0, &[]).pushed().unwrap();
    assert_eq!(under_tag(registry.host()), [pushed]);
}

#[test]
fn s63_a_list_that_is_cached_is_asked_for_again() {
    let desk = Desk::new();
    let asked = AtomicUsize::new(0);
    // The first lists are from before the signature.
    let cached = move |request: &Request| {
        let old = request.path().contains("/referrers/") && asked.fetch_add(1, Ordering::Relaxed) < 8;
        old.then(|| Reply::ok(IMAGE_INDEX, EMPTY_LIST))
    };
    let registry = Front::before(Options::default(), fill, cached, |_, reply| reply);
    let run = desk.sign(registry.host(), 0, &[]);
    // Whoever stops here knows what lies there.
    let pushed = format!("pushed as {}/{REPOSITORY}@{}, ", registry.host(), run.pushed().unwrap());
    assert!(run.stderr.contains("does not list it yet") && run.stderr.contains(&pushed), "{run}");
    // The API answers: no client looks under the tag.
    assert_eq!(manifest(registry.host(), &tag()), None);
}

#[test]
fn s63_a_signature_that_stays_unlisted_is_said_to_be() {
    let never = |request: &Request| request.path().contains("/referrers/").then(|| Reply::ok(IMAGE_INDEX, EMPTY_LIST));
    let registry = Front::before(Options::default(), fill, never, |_, reply| reply);
    let published = published(registry.host(), "a", (1, 1000));
    assert_eq!(published.discovery, Ok(Discovery::NotListed));
    assert_eq!((published.unlisted, published.has_referrers_api), (None, Some(true)));
}

#[test]
fn s63_a_tag_that_shows_old_lists_for_ever_is_given_up() {
    let old = |request: &Request| {
        let asks = request.method == "GET" && request.path().ends_with(&tag());
        asks.then(|| Reply::ok(IMAGE_INDEX, EMPTY_LIST))
    };
    let registry = without_api(old, |_, reply| reply);
    let published = published(registry.host(), "a", (1, 200));
    assert_eq!(published.discovery, Ok(Discovery::NotListed));
    let unlisted = published.unlisted.unwrap();
    assert_eq!(unlisted.cause, UnlistedCause::NotShown, "{unlisted:?}");
    assert!(unlisted.trouble.message.contains("does not show what is written"), "{unlisted:?}");
}

/// The indexes that were put under the tag.
fn written(front: &Front) -> Vec<Digest> {
    let puts = front.seen().into_iter().filter(puts_tag);
    puts.map(|request| Digest::sha256(request.body.as_bytes())).collect()
}

#[test]
fn s62_replaced_indexes_are_deleted_where_the_registry_lets_them() {
    let desk = Desk::new();
    let registry = without_api(|_| None, |_, reply| reply);
    let host = registry.host();
    for _ in 0..3 {
        desk.sign(host, 0, &[]);
    }
    let indexes = written(&registry);
    assert_eq!((indexes.len(), under_tag(host).len()), (3, 3));
    let left: Vec<_> = indexes.iter().filter(|digest| manifest(host, &digest.to_string()).is_some()).collect();
    assert_eq!(left, [&indexes[2]]);

    // One that keeps everything is no trouble.
    let options = Options { flavour: Flavour::WithoutReferrers, keeps_everything: true, ..Options::default() };
    let registry = Front::before(options, fill, |_| None, |_, reply| reply);
    for _ in 0..3 {
        let run = desk.sign(registry.host(), 0, &[]);
        assert!(!run.stderr.contains("error") && !run.stderr.contains("delete"), "{run}");
    }
    assert!(written(&registry).iter().all(|digest| manifest(registry.host(), &digest.to_string()).is_some()));
    assert_eq!(under_tag(registry.host()).len(), 3);
}

#[test]
fn s62_an_index_that_lists_images_is_not_deleted() {
    // Somebody put an index of images under the tag: it is extended, as any list is, and may have other tags.
    let image = muster::forge::Artifact::index(&[&muster::forge::Artifact::image("part")]);
    let kept = image.descriptor().digest;
    let registry = Front::before(
        Options { flavour: Flavour::WithoutReferrers, ..Options::default() },
        move |registry: &EmbeddedRegistry| {
            fill(registry);
            for name in [&tag(), "v2"] {
                let bytes = image.manifest.bytes.clone();
                registry.put_manifest(REPOSITORY, Some(name), IMAGE_INDEX, bytes).unwrap();
            }
        },
        |_| None,
        |_, reply| reply,
    );
    let published = published(registry.host(), "a", (1, 1000));
    assert_eq!(published.discovery, Ok(Discovery::Listed));
    let deleted: Vec<_> = registry.seen().into_iter().filter(|request| request.method == "DELETE").collect();
    assert!(deleted.iter().all(|request| !request.target.ends_with(&kept.to_string())), "{deleted:?}");
}

#[test]
fn s62_an_index_that_is_current_again_when_it_is_deleted_is_written_again() {
    let behind = Arc::new(Mutex::new(String::new()));
    let first_index = Arc::new(Mutex::new(String::new()));
    let (there, index) = (Arc::clone(&behind), Arc::clone(&first_index));
    // Another client puts back what was replaced, just before that is deleted.
    let puts_back = move |request: &Request| {
        let index = index.lock().unwrap().clone();
        if puts_tag(request) && index.is_empty() {
            first_index.lock().unwrap().clone_from(&request.body);
        }
        let digest = Digest::sha256(index.as_bytes()).to_string();
        if request.method == "DELETE" && request.target.ends_with(&digest) {
            put_index(&there.lock().unwrap(), index);
        }
        None
    };
    let note = move |registry: &EmbeddedRegistry| {
        fill(registry);
        *behind.lock().unwrap() = registry.host();
    };
    let options = Options { flavour: Flavour::WithoutReferrers, ..Options::default() };
    let registry = Front::before(options, note, puts_back, |_, reply| reply);
    let first = published(registry.host(), "a", (1, 1000));
    let second = published(registry.host(), "b", (1, 2000));
    assert_eq!(registry.count("DELETE", ""), 1);
    assert_eq!(second.discovery, Ok(Discovery::Listed));
    let listed = under_tag(registry.host());
    assert!(listed.contains(&first.signature) && listed.contains(&second.signature), "{listed:?}");
}

/// Puts an index under the tag, as another client does.
pub(super) fn put_index(host: &str, index: String) {
    let url = format!("http://{host}/v2/{REPOSITORY}/manifests/{}", tag());
    let put = move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
            client.put(url).header("Content-Type", IMAGE_INDEX).body(index).send().await.unwrap();
        });
    };
    std::thread::spawn(put).join().unwrap();
}

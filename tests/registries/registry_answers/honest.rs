//! The same client with registries that mean well: the three flavours of the embedded one, over all their pages, and
//! no more requests at a time than allowed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::join_all;
use muster::digest::Digest;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Options};
use muster::forge::{Artifact, Authority, Key, KeyKind, LeafRequest, SignatureManifest, Signer};
use muster::limits;
use muster::manifest::IMAGE_MANIFEST;
use muster::reference::Repository;
use muster::source::registry::Registry;
use muster::source::{ArtifactSource, TagEntry};

use super::mock::{Reply, guarded, manifest, options, serve};

const SIGNATURES: usize = 25;

fn signer() -> Signer {
    let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=Root", Key::pooled(KeyKind::P256, 0).unwrap());
    let leaf = LeafRequest::new("C=US, ST=WA, O=wabbit-networks.io, CN=Leaf", Key::pooled(KeyKind::P256, 1).unwrap());
    root.unwrap().issue(leaf.unwrap()).unwrap()
}

fn push(server: &EmbeddedRegistry, path: &str, tag: Option<&str>, artifact: &Artifact) -> Digest {
    for blob in &artifact.blobs {
        server.put_blob(path, blob.bytes.clone()).unwrap();
    }
    let media_type = &artifact.descriptor().media_type;
    server.put_manifest(path, tag, media_type, artifact.manifest.bytes.clone()).unwrap()
}

#[tokio::test]
async fn signatures_are_found_in_every_flavour_over_all_pages() {
    guarded(async {
        let signer = signer();
        for (flavour, form, is_listed) in [
            (Flavour::Current, SignatureManifest::ArtifactType, true),
            (Flavour::Current, SignatureManifest::ConfigMediaType, true),
            (Flavour::Current, SignatureManifest::Oldest, true),
            (Flavour::WithoutReferrers, SignatureManifest::ArtifactType, true),
            (Flavour::ReleaseCandidate, SignatureManifest::ConfigMediaType, true),
            (Flavour::ReleaseCandidate, SignatureManifest::Oldest, true),
            // What notation does not find there either.
            (Flavour::ReleaseCandidate, SignatureManifest::ArtifactType, false),
        ] {
            let server = EmbeddedRegistry::start(Options { flavour, ..Options::default() }).unwrap();
            let image = Artifact::image("net-monitor");
            let digest = push(&server, "team/app", Some("v1"), &image);
            let mut expected: Vec<_> = (0..SIGNATURES)
                .map(|number| {
                    let envelope = number.to_string();
                    let signature =
                        Artifact::signature(form, image.descriptor(), "application/cose", envelope.as_bytes(), &signer);
                    push(&server, "team/app", None, &signature)
                })
                .collect();
            expected.sort();
            let registry = Registry::new(&server.host(), options()).unwrap();
            let repository = Repository::new(&server.host(), "team/app").unwrap();
            let found = registry.manifest(&repository.tagged("v1").unwrap()).await.unwrap().unwrap();
            assert_eq!(found.descriptor.digest, digest);
            let found = registry.referrers(&repository, &digest).await.unwrap();
            let (with, without) = if is_listed { (found.listed, found.others) } else { (found.others, found.listed) };
            let mut with: Vec<_> = with.into_iter().map(|descriptor| descriptor.digest).collect();
            with.sort();
            assert_eq!((with, without), (expected, Vec::new()), "{form:?} in {flavour:?}");

            let unsigned = push(&server, "team/app", None, &Artifact::image("unsigned"));
            let found = registry.referrers(&repository, &unsigned).await.unwrap();
            assert!(found.listed.is_empty() && found.others.is_empty());
            assert!(registry.manifest(&repository.tagged("v2").unwrap()).await.unwrap().is_none());
        }
    })
    .await;
}

#[tokio::test]
async fn an_envelope_comes_back_as_it_was_pushed() {
    guarded(async {
        let server = EmbeddedRegistry::start(Options::default()).unwrap();
        let image = Artifact::image("net-monitor");
        push(&server, "team/app", Some("v1"), &image);
        let registry = Registry::new(&server.host(), options()).unwrap();
        let repository = Repository::new(&server.host(), "team/app").unwrap();
        for blob in &image.blobs {
            let found = registry.blob(&repository, &blob.descriptor, limits::ENVELOPE_BYTES).await.unwrap();
            assert_eq!(found.as_deref(), Some(&blob.bytes[..]));
        }
        // Of another registry nothing is asked here.
        let elsewhere = Repository::new("registry.acme-rockets.io", "team/app").unwrap();
        let before = server.requests();
        assert!(registry.manifest(&elsewhere.tagged("v1").unwrap()).await.is_err());
        assert!(registry.tags(&elsewhere).next().await.unwrap().is_err());
        assert_eq!(server.requests(), before);
    })
    .await;
}

#[tokio::test]
async fn catalog_and_tags_are_listed_over_all_pages() {
    guarded(async {
        let server = EmbeddedRegistry::start(Options { list_page: Some(3), ..Options::default() }).unwrap();
        let image = Artifact::image("net-monitor");
        let paths: Vec<_> = (0..10).map(|number| format!("team/app-{number}")).collect();
        let tags: Vec<_> = (0..10).map(|number| format!("v{number}")).collect();
        for path in &paths {
            push(&server, path, Some("v0"), &image);
        }
        for tag in &tags {
            push(&server, &paths[0], Some(tag), &image);
        }
        let registry = Registry::new(&server.host(), options()).unwrap();
        let listed: Vec<_> = registry.repositories().map(|found| found.unwrap().path().to_owned()).collect().await;
        assert_eq!(listed, paths);
        let repository = Repository::new(&server.host(), &paths[0]).unwrap();
        let listed: Vec<_> = registry.tags(&repository).map(Result::unwrap).collect().await;
        assert_eq!(listed, tags.into_iter().map(TagEntry::Tag).collect::<Vec<_>>());
    })
    .await;
}

#[tokio::test]
async fn no_more_requests_are_in_flight_than_allowed() {
    guarded(async {
        const AT_A_TIME: usize = 4;
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (counted, highest) = (now.clone(), most.clone());
        // Requests are counted in when they come, and out when the client has everything and asks the next.
        let mock = serve(move |_| {
            highest.fetch_max(counted.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            Reply::ok(IMAGE_MANIFEST, manifest("a").0)
        })
        .await;
        let registry = mock.registry_with(|options| options.requests_per_host = AT_A_TIME);
        let reference = mock.repository().at(manifest("a").1);
        let fetch = async || {
            let found = registry.manifest(&reference).await.unwrap();
            now.fetch_sub(1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1)).await;
            found
        };
        let found = join_all((0..100).map(|_| fetch())).await;
        assert_eq!(found.len(), 100);
        assert_eq!(mock.seen().len(), 100);
        assert_eq!(most.load(Ordering::SeqCst), AT_A_TIME);
    })
    .await;
}

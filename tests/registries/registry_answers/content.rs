//! Manifests and blobs: A01–A11, A29, A30.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster::digest::{Algorithm, Digest};
use muster::limits;
use muster::manifest::{self, DOCKER_MANIFEST, Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE};
use muster::reference::Reference;
use muster::source::ArtifactSource;
use muster::trouble::TroubleKind;

use super::mock::{Mock, Reply, Step, entry, guarded, index, manifest as manifest_of, serve};

const STATED: &str = "Docker-Content-Digest";

fn v1(mock: &Mock) -> Reference {
    mock.repository().tagged("v1").unwrap()
}

fn blob(digest: Digest, size: u64) -> Descriptor {
    Descriptor {
        media_type: "application/cose".to_owned(),
        digest,
        size,
        artifact_type: None,
        annotations: Default::default(),
    }
}

/// The blob of `descriptor` from a registry that answers like this, and how often it was asked.
async fn fetch(descriptor: Descriptor, reply: Reply) -> (Result<Option<Vec<u8>>, TroubleKind>, usize) {
    let mock = serve(move |_| reply.clone()).await;
    let found = mock.registry().blob(&mock.repository(), &descriptor, limits::ENVELOPE_BYTES).await;
    (found.map(|bytes| bytes.map(Vec::from)).map_err(|trouble| trouble.kind), mock.seen().len())
}

#[tokio::test]
async fn a01_a_stated_digest_that_differs_ends_it() {
    guarded(async {
        let ((body, digest), (_, other)) = (manifest_of("a"), manifest_of("b"));
        let reply = Reply::ok(IMAGE_MANIFEST, body).header(STATED, &other.to_string());
        let mock = serve(move |_| reply.clone()).await;
        for reference in [v1(&mock), mock.repository().at(digest)] {
            let trouble = mock.registry().manifest(&reference).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
            assert!(trouble.message.contains(&digest.to_string()), "{trouble}");
            assert!(trouble.message.contains(&other.to_string()), "{trouble}");
        }
        // What was spoilt on the way is well the next time; a lie is not.
        assert_eq!(mock.seen().len(), 4, "once more for each, and not again");
    })
    .await;
}

#[tokio::test]
async fn a02_a_body_is_hashed_whatever_the_header_says() {
    guarded(async {
        let ((body, other), (_, digest)) = (manifest_of("a"), manifest_of("b"));
        let reply = Reply::ok(IMAGE_MANIFEST, body).header(STATED, &digest.to_string());
        let mock = serve(move |_| reply.clone()).await;
        let trouble = mock.registry().manifest(&mock.repository().at(digest)).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
        assert!(
            trouble.message.contains(&digest.to_string()) && trouble.message.contains(&other.to_string()),
            "{trouble}"
        );

        let (found, asked) = fetch(blob(Digest::sha256(b"good"), 4), Reply::new(200, "evil")).await;
        assert_eq!((found, asked), (Err(TroubleKind::AnswerInvalid), 2));
    })
    .await;
}

#[tokio::test]
async fn a03_a_tag_is_resolved_once_and_its_digest_holds() {
    guarded(async {
        let ((first, digest), (second, _)) = (manifest_of("a"), manifest_of("b"));
        let served = AtomicUsize::new(0);
        let mock = serve(move |_| {
            let body = if served.fetch_add(1, Ordering::Relaxed) == 0 { &first } else { &second };
            Reply::ok(IMAGE_MANIFEST, body.clone())
        })
        .await;
        let registry = mock.registry();
        let found = registry.manifest(&v1(&mock)).await.unwrap().unwrap();
        assert_eq!(found.descriptor.digest, digest);
        let trouble = registry.manifest(&mock.repository().at(digest)).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
        // A reference with both is asked for by its digest.
        let both = Reference { tag: Some("v1".to_owned()), ..mock.repository().at(digest) };
        assert!(registry.manifest(&both).await.is_err());
        assert_eq!(mock.count("/v2/team/app/manifests/v1"), 1);
    })
    .await;
}

#[tokio::test]
async fn a04_a_tag_without_a_stated_digest_is_hashed() {
    guarded(async {
        let (body, digest) = manifest_of("a");
        let mock = serve(move |_| Reply::ok(IMAGE_MANIFEST, body.clone())).await;
        let found = mock.registry().manifest(&v1(&mock)).await.unwrap().unwrap();
        assert_eq!(found.descriptor.digest, digest);
        assert!(mock.seen().iter().all(|request| request.method == "GET"));
    })
    .await;
}

#[tokio::test]
async fn a05_a_manifest_without_a_length_is_measured() {
    guarded(async {
        let (body, digest) = manifest_of("a");
        let size = body.len() as u64;
        let chunked = format!("{size:x}\r\n{}\r\n0\r\n\r\n", String::from_utf8(body.clone()).unwrap());
        for reply in [
            Reply::ok(IMAGE_MANIFEST, body).unmeasured(),
            Reply::ok(IMAGE_MANIFEST, chunked).unmeasured().header("Transfer-Encoding", "chunked"),
        ] {
            let mock = serve(move |_| reply.clone()).await;
            let found = mock.registry().manifest(&v1(&mock)).await.unwrap().unwrap();
            assert_eq!((found.descriptor.digest, found.descriptor.size), (digest, size));
        }
    })
    .await;
}

#[tokio::test]
async fn a06_the_media_type_is_the_one_served() {
    guarded(async {
        let (body, _) = manifest_of("a");
        let stated = Digest::sha256(&body).to_string();
        let own = format!(r#""mediaType":"{IMAGE_MANIFEST}","#);
        let silent = String::from_utf8(body.clone()).unwrap().replacen(&own, "", 1);
        let digest = Digest::sha256(silent.as_bytes());
        let mock = serve(move |_| Reply::ok(DOCKER_MANIFEST, silent.clone())).await;
        // What was signed is compared with it.
        for reference in [v1(&mock), mock.repository().at(digest)] {
            let found = mock.registry().manifest(&reference).await.unwrap().unwrap();
            assert_eq!(found.descriptor.media_type, DOCKER_MANIFEST);
        }
        // An answer that says two things says nothing: what was signed would be said not to match.
        let digest = Digest::sha256(&body);
        for served in [DOCKER_MANIFEST, IMAGE_INDEX] {
            let body = body.clone();
            let stated = stated.clone();
            let mock = serve(move |_| Reply::ok(served, body.clone()).header(STATED, &stated)).await;
            for reference in [v1(&mock), mock.repository().at(digest)] {
                let trouble = mock.registry().manifest(&reference).await.unwrap_err();
                assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{trouble}");
                assert!(trouble.message.contains(served) && trouble.message.contains(IMAGE_MANIFEST), "{trouble}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a07_the_size_is_the_one_measured() {
    guarded(async {
        let (body, _) = manifest_of("a");
        let size = body.len() as u64;
        for declared in [0, size - 1, size + 1, limits::ENVELOPE_BYTES] {
            // The content has the digest, so that the descriptor is wrong, and nobody on the way.
            let wrong = blob(Digest::sha256(&body), declared);
            for reply in [Reply::new(200, body.clone()), Reply::new(200, body.clone()).unmeasured()] {
                let (found, asked) = fetch(wrong.clone(), reply).await;
                assert_eq!((found, asked), (Err(TroubleKind::SizeMisstated), 1), "{declared} bytes, {size} served");
            }
            // Neither digest nor length: other content.
            let (found, asked) = fetch(wrong, Reply::new(200, [&body[1..], b"xx"].concat())).await;
            let expected = (Err(TroubleKind::AnswerInvalid), 2);
            assert_eq!((found, asked), expected, "{declared} bytes declared, other content served");
        }
        let (found, _) = fetch(blob(Digest::sha256(&body), size), Reply::new(200, body.clone())).await;
        assert_eq!(found, Ok(Some(body.clone())));
        let mock = serve(move |_| Reply::ok(IMAGE_MANIFEST, body.clone())).await;
        assert_eq!(mock.registry().manifest(&v1(&mock)).await.unwrap().unwrap().descriptor.size, size);
    })
    .await;
}

#[tokio::test]
async fn a08_content_types_lose_parameters_and_must_be_there() {
    guarded(async {
        for (content_type, expected) in [
            (Some(format!("{IMAGE_MANIFEST}; charset=utf-8")), Ok(IMAGE_MANIFEST)),
            (Some(format!("{IMAGE_MANIFEST}, {IMAGE_INDEX}")), Err(TroubleKind::AnswerInvalid)),
            (Some("manifest".to_owned()), Err(TroubleKind::AnswerInvalid)),
            (None, Err(TroubleKind::AnswerInvalid)),
        ] {
            let (body, _) = manifest_of("a");
            let reply = match &content_type {
                Some(content_type) => Reply::ok(content_type, body),
                None => Reply::new(200, body),
            };
            let mock = serve(move |_| reply.clone()).await;
            let found = mock.registry().manifest(&v1(&mock)).await;
            let found = found.map(|found| found.unwrap().descriptor.media_type).map_err(|trouble| trouble.kind);
            assert_eq!(found.as_deref().map_err(|kind| *kind), expected, "{content_type:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a09_a_manifest_over_the_limit_is_left_unread() {
    guarded(async {
        let most = usize::try_from(limits::MANIFEST_BYTES).unwrap();
        let (body, _) = manifest_of("a");
        let longest = [vec![b' '; most - body.len()], body].concat();
        let mock = serve(move |_| Reply::ok(IMAGE_MANIFEST, longest.clone())).await;
        let found = mock.registry().manifest(&v1(&mock)).await.unwrap().unwrap();
        assert_eq!(found.descriptor.size, limits::MANIFEST_BYTES);

        let declared = Reply::ok(IMAGE_MANIFEST, "").measured(limits::MANIFEST_BYTES + 1);
        let endless = Reply::ok(IMAGE_MANIFEST, "").unmeasured();
        for reply in [declared, endless] {
            let reply = reply.then(Step::Forever(vec![b' '; 64 << 10], Duration::ZERO));
            let mock = serve(move |_| reply.clone()).await;
            let trouble = mock.registry().manifest(&v1(&mock)).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerTooLarge);
            // Twice the limit leaves room for what fits into the buffers of both sides.
            assert!(mock.sent() < 4 * limits::MANIFEST_BYTES, "{} bytes were taken", mock.sent());
            assert_eq!(mock.seen().len(), 1, "an answer over the limit was asked for again");
        }
    })
    .await;
}

#[tokio::test]
async fn a10_absurd_sizes_are_refused_by_the_number() {
    guarded(async {
        let digest = Digest::sha256(b"x").to_string();
        for (size, expected) in [
            ("9223372036854775807", Ok(())),
            ("1000000000000", Ok(())),
            ("-1", Err(TroubleKind::AnswerInvalid)),
            ("1e3", Err(TroubleKind::AnswerInvalid)),
            ("18446744073709551616", Err(TroubleKind::AnswerInvalid)),
        ] {
            let body = index(&[entry(&digest, size, SIGNATURE_ARTIFACT_TYPE)]);
            let mock = serve(move |_| Reply::ok(IMAGE_INDEX, body.clone())).await;
            let (registry, repository) = (mock.registry(), mock.repository());
            let found = registry.referrers(&repository, &Digest::sha256(b"a")).await;
            assert_eq!(found.as_ref().map(|_| ()).map_err(|trouble| trouble.kind), expected, "{size}");
            let Ok(found) = found else { continue };
            let asked = mock.seen().len();
            let trouble = registry.blob(&repository, &found.listed[0], limits::ENVELOPE_BYTES).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerTooLarge);
            assert_eq!(mock.seen().len(), asked, "a blob of {size} bytes was asked for");
        }
    })
    .await;
}

#[tokio::test]
async fn a11_a_body_longer_than_declared_is_invalid() {
    guarded(async {
        let digest = Digest::sha256(b"good");
        for reply in [Reply::new(200, "goodbye"), Reply::new(200, "goodbye").unmeasured()] {
            let (found, asked) = fetch(blob(digest, 4), reply).await;
            assert_eq!((found, asked), (Err(TroubleKind::AnswerInvalid), 2));
        }
        let (found, _) = fetch(blob(digest, 4), Reply::new(200, "good").unmeasured()).await;
        assert_eq!(found, Ok(Some(b"good".to_vec())));
        let (found, _) = fetch(blob(digest, 4), Reply::new(404, "")).await;
        assert_eq!(found, Ok(None));
    })
    .await;
}

#[tokio::test]
async fn a29_embedded_data_and_foreign_addresses_are_not_read() {
    guarded(async {
        let elsewhere = serve(|_| Reply::new(200, "good")).await;
        let body = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"a/b","digest":"{}","size":2}},"layers":[{{"mediaType":"application/cose","digest":"{}","size":4,"data":"ZXZpbA==","urls":["http://{}/blob"]}}]}}"#,
            Digest::sha256(b"{}"),
            Digest::sha256(b"good"),
            elsewhere.host
        );
        let mock = serve(move |request| match request.path().contains("/blobs/") {
            true => Reply::new(200, "good"),
            false => Reply::ok(IMAGE_MANIFEST, body.clone()),
        })
        .await;
        let registry = mock.registry();
        let found = registry.manifest(&v1(&mock)).await.unwrap().unwrap();
        let kind = manifest::parse(&found.bytes, &found.descriptor.media_type).unwrap();
        let manifest::ManifestKind::Image(image) = kind else { panic!("not an image manifest") };
        let bytes = registry.blob(&mock.repository(), &image.layers[0], 100).await.unwrap().unwrap();
        assert_eq!(&bytes[..], b"good");
        assert_eq!((mock.count("/v2/team/app/blobs/"), elsewhere.seen().len()), (1, 0));
    })
    .await;
}

#[tokio::test]
async fn a30_digests_are_refused_before_they_become_an_address() {
    guarded(async {
        let hex = "0".repeat(64);
        for digest in [
            format!("sha256:{}A", &hex[1..]),
            format!("sha256:{}", &hex[1..]),
            format!("md5:{}", &hex[..32]),
            "sha256:../../../_catalog".to_owned(),
            String::new(),
        ] {
            let body = index(&[entry(&digest, "1", SIGNATURE_ARTIFACT_TYPE)]);
            let mock = serve(move |_| Reply::ok(IMAGE_INDEX, body.clone())).await;
            let trouble = mock.registry().referrers(&mock.repository(), &Digest::sha256(b"a")).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{digest}");
            // The list, once more, and the list under the tag.
            assert!(mock.seen().iter().all(|request| !request.target.contains(&*digest) || digest.is_empty()));

            let mock = serve(move |_| Reply::ok(IMAGE_MANIFEST, "{}").header(STATED, &digest)).await;
            let trouble = mock.registry().manifest(&v1(&mock)).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
        }
        let (body, _) = manifest_of("a");
        let digest = Digest::of(Algorithm::Sha512, &body);
        let mock = serve(move |_| Reply::ok(IMAGE_MANIFEST, body.clone()).header(STATED, &digest.to_string())).await;
        for reference in [v1(&mock), mock.repository().at(digest)] {
            let found = mock.registry().manifest(&reference).await.unwrap().unwrap();
            assert_eq!(found.descriptor.digest, digest);
        }
    })
    .await;
}

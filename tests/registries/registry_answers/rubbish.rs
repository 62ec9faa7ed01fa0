//! What is not what it should be, and what an audit makes of it: rubbish in place of manifests and lists, sizes that are not
//! true, indexes that go on and on.

use muster::audit::{Target, TargetKind};
use muster::digest::Digest;
use muster::failure::Code;
use muster::forge::{Artifact, Blob, SignatureManifest, Statement};
use muster::limits;
use muster::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST, SIGNATURE_ARTIFACT_TYPE};
use muster::verify::Verdict;

use super::mock::{Reply, entry, guarded, index, serve};
use super::verdicts::{COSE, NOW, World};

/// A sound signature of the image whose manifest says that its envelope has `size` bytes.
fn sized(world: &World, size: &str) -> Artifact {
    let target = world.image.descriptor().clone();
    let envelope = Statement::new(target.clone(), NOW).cose(&world.signer).unwrap().seal().unwrap();
    let mut signature = Artifact::signature(SignatureManifest::ArtifactType, &target, COSE, &envelope, &world.signer);
    let manifest = String::from_utf8(signature.manifest.bytes.to_vec()).unwrap();
    let (before, layers) = manifest.split_once("\"layers\":").unwrap();
    let changed = layers.replacen(&format!("\"size\":{}", envelope.len()), &format!("\"size\":{size}"), 1);
    assert_ne!(changed, layers);
    signature.manifest = Blob::new(IMAGE_MANIFEST, format!("{before}\"layers\":{changed}"));
    signature
}

const SIZES: [(&str, Code); 8] = [
    ("0", Code::SignatureManifestMalformed),
    ("1", Code::SignatureManifestMalformed),
    ("100000", Code::SignatureManifestMalformed),
    ("4194304", Code::SignatureManifestMalformed),
    ("4194305", Code::EnvelopeTooLarge),
    ("9223372036854775807", Code::EnvelopeTooLarge),
    ("18446744073709551615", Code::SignatureManifestMalformed),
    ("-1", Code::SignatureManifestMalformed),
];

#[tokio::test]
async fn a07_a_layer_of_another_size_makes_the_signature_manifest_malformed() {
    guarded(async {
        for (size, code) in SIZES {
            for with_another in [false, true] {
                let mut world = World::new();
                let signature = sized(&world, size);
                world.put(&signature);
                world.list(signature.descriptor());
                let expected = match with_another {
                    true => {
                        world.sign();
                        (Verdict::Pass, None)
                    }
                    false => (Verdict::Fail, Some(code)),
                };
                assert_eq!(world.verdict().await, expected, "a layer of {size} bytes");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a07_the_same_in_a_layout() {
    guarded(async {
        // A size that is no size hides whose signature it is: the layout's reader says so of every artifact.
        for (size, code) in SIZES.into_iter().filter(|(size, _)| !["-1", "18446744073709551615"].contains(size)) {
            let world = World::new();
            let folder = tempfile::tempdir().unwrap();
            let blobs = folder.path().join("blobs/sha256");
            std::fs::create_dir_all(&blobs).unwrap();
            std::fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
            let mut listed = Vec::new();
            for artifact in [&world.image, &sized(&world, size)] {
                for Blob { descriptor, bytes } in artifact.blobs.iter().chain([&artifact.manifest]) {
                    std::fs::write(blobs.join(descriptor.digest.hex()), bytes).unwrap();
                }
                let Descriptor { digest, size, .. } = artifact.descriptor();
                listed.push(format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":{size}}}"#));
            }
            std::fs::write(folder.path().join("index.json"), index(&listed)).unwrap();
            let target =
                Target::Layout { path: folder.path().to_owned(), kind: TargetKind::named("oci").unwrap(), entry: None };
            let rows = world.rows_of(target, Some("acme.test/app".parse().unwrap())).await;
            assert_eq!(rows.len(), 1);
            let outcome = &rows[0].outcome;
            let said = (outcome.verdict, outcome.failure.as_ref().map(|failure| failure.code));
            assert_eq!(said, (Verdict::Fail, Some(code)), "a layer of {size} bytes");
        }
    })
    .await;
}

#[tokio::test]
async fn a07_a_list_that_is_wrong_about_a_size_is_trouble() {
    guarded(async {
        for size in ["0", "1", "100000", "18446744073709551615"] {
            let mut world = World::new();
            world.sign();
            let digest = world.listed[0].split('"').find(|text| text.starts_with("sha256:")).unwrap().to_owned();
            world.listed = vec![entry(&digest, size, SIGNATURE_ARTIFACT_TYPE)];
            assert_eq!(world.verdict().await, (Verdict::Error, Some(Code::AnswerInvalid)), "{size} bytes listed");
        }
    })
    .await;
}

/// What comes in place of content: each may be what is left of a manifest or a list of this type.
fn rubbish(content_type: &str, whole: &[u8]) -> Vec<Reply> {
    let page = "<!DOCTYPE html><html><title>Sign in</title></html>";
    let half = &whole[..whole.len() / 2];
    vec![
        Reply::ok("text/html", page),
        Reply::ok(content_type, page),
        Reply::ok(content_type, ""),
        Reply::ok(content_type, "").unmeasured(),
        Reply::ok(content_type, half),
        Reply::ok(content_type, half).unmeasured(),
        Reply::ok(content_type, half).measured(whole.len() as u64),
        Reply::ok(content_type, "{}"),
        Reply::ok(content_type, "[]"),
        Reply::ok("application/xml", whole),
        Reply::ok(content_type, whole).header("Content-Encoding", "gzip"),
    ]
}

#[tokio::test]
async fn a20_a_cut_or_foreign_list_of_referrers_leaves_nothing_unsigned() {
    guarded(async {
        let mut signed = World::new();
        signed.sign();
        let list = index(&signed.listed);
        for reply in rubbish(IMAGE_INDEX, list.as_bytes()) {
            let mut world = World::new();
            world.sign();
            let subject = world.image.descriptor().digest;
            world.answer(&format!("referrers/{subject}"), reply.clone());
            let (verdict, code) = world.verdict().await;
            assert_eq!(verdict, Verdict::Error, "{reply:?}: {code:?}");
            // The list under the tag counts.
            let mut world = World::new();
            world.sign();
            world.answer(&format!("referrers/{subject}"), reply.clone());
            let tag = format!("manifests/{}", subject.referrers_tag());
            world.answer(&tag, Reply::ok(IMAGE_INDEX, index(&world.listed)));
            let expected =
                if format!("{reply:?}").contains("Content-Length: ") { Verdict::Error } else { Verdict::Pass };
            assert_eq!(world.verdict().await.0, expected, "{reply:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a20_a_tag_under_which_there_is_no_manifest_is_trouble_without_a_digest() {
    guarded(async {
        let world = World::new();
        let Blob { bytes, .. } = &world.image.manifest;
        let elsewhere =
            [Reply::ok("application/octet-stream", bytes.to_vec()), Reply::new(302, "").header("Location", "/login")];
        for reply in rubbish(IMAGE_MANIFEST, bytes).into_iter().chain(elsewhere) {
            let shown = format!("{reply:?}");
            let mock = serve(move |request| match request.path() {
                "/v2/team/app/manifests/v1" => reply.clone(),
                "/login" => Reply::ok("text/html", "<html>"),
                _ => Reply::new(404, ""),
            })
            .await;
            let target = Target::Artifact(mock.repository().tagged("v1").unwrap());
            let rows = world.rows_of(target, None).await;
            assert_eq!(rows.len(), 1, "{shown}");
            assert_eq!((rows[0].outcome.verdict, rows[0].digest), (Verdict::Error, None), "{shown}");
            assert!(mock.count("/v2/team/app/manifests/v1") > 1, "not asked for again: {shown}");
        }
    })
    .await;
}

#[tokio::test]
async fn an_index_that_is_longer_than_is_judged_says_so() {
    guarded(async {
        for (count, is_told) in [(limits::INDEX_MANIFESTS, false), (limits::INDEX_MANIFESTS + 1, true)] {
            let mut world = World::new();
            world.with_parts = true;
            let digest = |number: usize| Digest::sha256(number.to_string().as_bytes()).to_string();
            let entries: Vec<_> = (0..count).map(|number| entry(&digest(number), "1", "a/b")).collect();
            let long = Blob::new(IMAGE_INDEX, index(&entries));
            world.image = Artifact { manifest: long, blobs: Vec::new() };
            let image = world.image.clone();
            world.put(&image);
            world.sign();
            let rows = world.rows().await;
            let told = rows.iter().filter(|row| {
                let code = row.outcome.failure.as_ref().map(|failure| failure.code);
                row.outcome.verdict == Verdict::Error && code == Some(Code::AnswerTooLarge)
            });
            assert_eq!(told.count(), usize::from(is_told), "{count} entries");
            let lists = rows[0].lists.as_ref().unwrap();
            assert_eq!((lists.count, lists.more), (limits::INDEX_MANIFESTS as u64, is_told), "{count} entries");
        }
    })
    .await;
}

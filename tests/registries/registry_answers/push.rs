//! Writing to registries that answer badly: who gets credentials, and what counts as written.

use std::time::Duration;

use muster::digest::Digest;
use muster::limits;
use muster::manifest::{Descriptor, IMAGE_INDEX, IMAGE_MANIFEST};
use muster::source::registry::{Credentials, ReferrersTag, Secret};
use muster::source::{Attachment, Content};
use muster::trouble::{Trouble, TroubleKind};

use super::mock::{Mock, Reply, Request, guarded, manifest, serve};

fn content(media_type: &str, bytes: &[u8]) -> Content {
    let descriptor = Descriptor::new(media_type, Digest::sha256(bytes), bytes.len() as u64);
    Content { descriptor, bytes: bytes.to_vec().into() }
}

fn attachment() -> Attachment {
    Attachment {
        subject: Digest::sha256(b"subject"),
        manifest: content(IMAGE_MANIFEST, &manifest("signature").0),
        blobs: vec![content("application/cose", b"envelope")],
    }
}

fn ivy() -> Credentials {
    Credentials::Password { user: "ivy".to_owned(), password: Secret::new("hunter2") }
}

async fn attach(mock: &Mock) -> Result<(), Trouble> {
    let registry = mock.registry_with(|options| {
        options.credentials = ivy();
        options.timings.settle = (Duration::from_millis(1), Duration::from_millis(100));
    });
    registry.attach(&mock.repository(), &attachment(), ReferrersTag::WhereNeeded).await
}

/// A registry that takes everything, and sends uploads to `uploads`.
fn takes(request: &Request, uploads: &str) -> Reply {
    match request.method.as_str() {
        "POST" => Reply::new(202, "").header("Location", uploads),
        "PUT" => Reply::new(201, "").header("OCI-Subject", &Digest::sha256(b"subject").to_string()),
        _ => Reply::new(404, ""),
    }
}

fn lines(requests: &[Request]) -> Vec<String> {
    requests.iter().map(|request| format!("{} {}", request.method, request.path())).collect()
}

#[tokio::test]
async fn content_goes_before_the_manifest_that_names_it() {
    guarded(async {
        let mock = serve(|request| takes(request, "/upload/1?state=x%2Fy")).await;
        attach(&mock).await.unwrap();
        let seen = mock.seen();
        let digest = attachment().manifest.descriptor.digest;
        let expected =
            ["POST /v2/team/app/blobs/uploads/", "PUT /upload/1", &format!("PUT /v2/team/app/manifests/{digest}")];
        assert_eq!(lines(&seen), expected);
        let blob = Digest::sha256(b"envelope").to_string().replace(':', "%3A");
        assert_eq!(seen[1].target, format!("/upload/1?state=x%2Fy&digest={blob}"));
        assert_eq!(
            (seen[1].body.as_str(), seen[1].header("content-type")),
            ("envelope", Some("application/octet-stream"))
        );
        assert_eq!(seen[2].header("content-type"), Some(IMAGE_MANIFEST));
    })
    .await;
}

#[tokio::test]
async fn a18_a_token_that_writes_is_asked_for_this_repository_only() {
    guarded(async {
        let tokens = serve(|_| Reply::new(200, r#"{"token":"good"}"#)).await;
        let realm = format!("http://{}/token", tokens.host);
        let mock = serve(move |request| match request.header("authorization") {
            Some("Bearer good") => takes(request, "/upload/1"),
            _ => {
                let challenge =
                    format!("Bearer realm=\"{realm}\",scope=\"repository:other:delete,push repository:team/app:*\"");
                Reply::new(401, "").header("WWW-Authenticate", &challenge)
            }
        })
        .await;
        attach(&mock).await.unwrap();
        let asked: Vec<_> = tokens.seen().into_iter().map(|request| request.target).collect();
        assert_eq!(asked, ["/token?scope=repository%3Ateam%2Fapp%3Apull%2Cpush"]);
    })
    .await;
}

#[tokio::test]
async fn a15_an_upload_elsewhere_gets_the_content_and_no_credentials() {
    guarded(async {
        let storage = serve(|_| Reply::new(201, "")).await;
        let uploads = format!("http://{}/bucket?signature=s", storage.host);
        let mock = serve(move |request| match request.header("authorization") {
            Some("Basic aXZ5Omh1bnRlcjI=") => takes(request, &uploads),
            _ => Reply::new(401, "").header("WWW-Authenticate", "Basic realm=x"),
        })
        .await;
        attach(&mock).await.unwrap();
        let stored = storage.seen();
        assert_eq!(lines(&stored), ["PUT /bucket"]);
        assert_eq!((stored[0].body.as_str(), stored[0].header("authorization")), ("envelope", None));
    })
    .await;
}

#[tokio::test]
async fn a15_uploads_go_nowhere_else() {
    guarded(async {
        for location in ["", "http://169.254.169.254/latest", "file:///etc/passwd", "http://user:secret@a.io/"] {
            let mock = serve(move |request| takes(request, location)).await;
            let trouble = attach(&mock).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{location}");
            assert!(!trouble.message.contains("secret"));
            assert_eq!(mock.seen().len(), 1, "{location}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_not_answered_as_written_is_not_written() {
    guarded(async {
        for (method, status, kind) in [
            ("POST", 200, TroubleKind::AnswerInvalid),
            ("POST", 301, TroubleKind::AnswerInvalid),
            ("POST", 404, TroubleKind::NotFound),
            ("POST", 405, TroubleKind::AnswerInvalid),
            ("POST", 429, TroubleKind::RateLimited),
            ("PUT", 200, TroubleKind::AnswerInvalid),
            ("PUT", 202, TroubleKind::AnswerInvalid),
            ("PUT", 303, TroubleKind::AnswerInvalid),
            ("PUT", 403, TroubleKind::AccessDenied),
            ("PUT", 500, TroubleKind::Unreachable),
        ] {
            let mock = serve(move |request| match request.method == method {
                true => Reply::new(status, "").header("Location", "/elsewhere"),
                false => takes(request, "/upload/1"),
            })
            .await;
            let trouble = attach(&mock).await.unwrap_err();
            assert_eq!(trouble.kind, kind, "{method} {status}: {trouble}");
            assert!(trouble.message.starts_with(&format!("{method} ")), "{trouble}");
            assert!(mock.seen().iter().all(|request| request.path() != "/elsewhere"));
        }
    })
    .await;
}

#[tokio::test]
async fn a_list_that_another_writes_over_is_written_again_and_not_for_ever() {
    guarded(async {
        let empty = r#"{"schemaVersion":2,"manifests":[]}"#;
        let mock = serve(move |request| match request.method.as_str() {
            "POST" => Reply::new(202, "").header("Location", "/upload/1"),
            "PUT" => Reply::new(201, ""),
            _ => Reply::ok(IMAGE_INDEX, empty),
        })
        .await;
        let trouble = attach(&mock).await.unwrap_err();
        assert!(trouble.message.contains("lost what was added to it"), "{trouble}");
        let tag = format!("PUT /v2/team/app/manifests/{}", Digest::sha256(b"subject").referrers_tag());
        let writes = lines(&mock.seen()).iter().filter(|line| **line == tag).count();
        assert!((2..=limits::INDEX_WRITES).contains(&writes), "{writes}");
    })
    .await;
}

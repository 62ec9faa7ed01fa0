//! Who may, and with which words: A18, A19.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use muster::limits::REDIRECTS;
use muster::manifest::IMAGE_MANIFEST;
use muster::source::registry::{CredentialFiles, Credentials, Registry, Secret};
use muster::source::{ArtifactSource, Manifest};
use muster::trouble::{Trouble, TroubleKind};

use super::mock::{Mock, RETRIES, Reply, Step, guarded, manifest, run_again, serve};

fn ivy() -> Credentials {
    Credentials::Password { user: "ivy".to_owned(), password: Secret::new("hunter2") }
}

async fn fetch(registry: &Registry, mock: &Mock) -> Result<Option<Manifest>, Trouble> {
    registry.manifest(&mock.repository().tagged("v1").unwrap()).await
}

/// A registry that lets in who shows `Bearer good`, and sends everybody else to `realm`.
async fn guarded_by(realm: &str) -> Mock {
    let challenge = format!(
        "Bearer realm=\"{realm}\",service=\"registry\",scope=\"repository:team/app:pull,push repository:other:delete\""
    );
    serve(move |request| match request.header("authorization") {
        Some("Bearer good") => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
        _ => Reply::new(401, "").header("WWW-Authenticate", &challenge),
    })
    .await
}

#[tokio::test]
async fn a18_a_token_is_fetched_once_and_asked_only_to_read() {
    guarded(async {
        let tokens = serve(|_| Reply::new(200, r#"{"token":"good","expires_in":60}"#)).await;
        let mock = guarded_by(&format!("http://{}/token?account=x", tokens.host)).await;
        let registry = Arc::new(mock.registry_with(|options| options.credentials = ivy()));
        let found = join_all((0..20).map(|_| fetch(&registry, &mock))).await;
        assert!(found.iter().all(|found| found.as_ref().unwrap().is_some()));
        let asked = tokens.seen();
        assert_eq!(asked.len(), 1, "one scope, one token");
        assert_eq!(asked[0].target, "/token?account=x&service=registry&scope=repository%3Ateam%2Fapp%3Apull");
        // ivy:hunter2
        assert_eq!(asked[0].header("authorization"), Some("Basic aXZ5Omh1bnRlcjI="));
        assert!(mock.seen().iter().all(|request| request.header("authorization").is_none_or(|a| a == "Bearer good")));
    })
    .await;
}

#[tokio::test]
async fn a18_an_identity_token_is_exchanged() {
    guarded(async {
        let tokens = serve(|_| Reply::new(200, r#"{"access_token":"good"}"#)).await;
        let mock = guarded_by(&format!("http://{}/token", tokens.host)).await;
        let registry =
            mock.registry_with(|options| options.credentials = Credentials::IdentityToken(Secret::new("re/fresh")));
        assert!(fetch(&registry, &mock).await.unwrap().is_some());
        let asked = &tokens.seen()[0];
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/token"));
        for part in ["grant_type=refresh_token", "refresh_token=re%2Ffresh", "service=registry", "team%2Fapp%3Apull"] {
            assert!(asked.body.contains(part), "{part} is not in {}", asked.body);
        }
    })
    .await;
}

#[tokio::test]
async fn a18_who_is_refused_again_does_not_ask_forever() {
    guarded(async {
        let tokens = serve(|_| Reply::new(200, r#"{"token":"bad"}"#)).await;
        let mock = guarded_by(&format!("http://{}/token", tokens.host)).await;
        let registry = mock.registry_with(|options| options.credentials = ivy());
        let trouble = fetch(&registry, &mock).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AccessDenied);
        assert_eq!((mock.seen().len(), tokens.seen().len()), (2, 1));

        let mock = serve(|_| Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\"")).await;
        let registry = mock.registry_with(|options| options.credentials = ivy());
        let trouble = fetch(&registry, &mock).await.unwrap_err();
        assert_eq!((trouble.kind, mock.seen().len()), (TroubleKind::AccessDenied, 2));
        assert!(!format!("{trouble:?} {registry:?}").contains("hunter2"));
        assert!(!format!("{trouble:?} {registry:?}").contains("aXZ5Omh1bnRlcjI"));

        // Nobody to be: not even tried.
        let trouble = fetch(&mock.registry(), &mock).await.unwrap_err();
        assert_eq!((trouble.kind, mock.seen().len()), (TroubleKind::AccessDenied, 3));
        assert!(trouble.message.contains("no credentials are known"), "{trouble}");
        let mock = serve(|_| Reply::new(401, "")).await;
        assert_eq!(fetch(&mock.registry(), &mock).await.unwrap_err().kind, TroubleKind::AccessDenied);
    })
    .await;
}

#[tokio::test]
async fn a18_a_token_that_expired_is_replaced_once() {
    guarded(async {
        let (issued, valid) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(1)));
        let (count, good) = (issued.clone(), valid.clone());
        let tokens =
            serve(move |_| Reply::new(200, format!(r#"{{"token":"t{}"}}"#, count.fetch_add(1, Ordering::Relaxed) + 1)))
                .await;
        let challenge = format!("Bearer realm=\"http://{}/token\"", tokens.host);
        let mock = serve(move |request| {
            let expected = format!("Bearer t{}", good.load(Ordering::Relaxed));
            match request.header("authorization") {
                Some(shown) if shown == expected => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
                _ => Reply::new(401, "").header("WWW-Authenticate", &challenge),
            }
        })
        .await;
        let registry = mock.registry();
        assert!(fetch(&registry, &mock).await.is_ok());
        valid.store(2, Ordering::Relaxed);
        let found = join_all((0..10).map(|_| fetch(&registry, &mock))).await;
        assert!(found.iter().all(Result::is_ok), "{found:?}");
        assert_eq!(issued.load(Ordering::Relaxed), 2);
    })
    .await;
}

#[tokio::test]
async fn a18_credentials_are_not_sent_where_a_hostile_challenge_wants_them() {
    guarded(async {
        let long = format!("Bearer realm=\"http://127.0.0.1:1/{}\"", "x".repeat(100 << 10));
        for challenge in [
            "Bearer realm=\"http://auth.example.com/token\"",
            "Bearer realm=\"http://127.0.0.1:1/token",
            "Bearer realm=\"file:///etc/passwd\"",
            "Bearer realm=\"http://user:pw@127.0.0.1/token\"",
            "Bearer",
            "Negotiate",
            "\"",
            long.as_str(),
        ] {
            let value = challenge.to_owned();
            let mock = serve(move |_| Reply::new(401, "").header("WWW-Authenticate", &value)).await;
            let registry = mock.registry_with(|options| options.credentials = ivy());
            let trouble = fetch(&registry, &mock).await.unwrap_err();
            assert_eq!((trouble.kind, mock.seen().len()), (TroubleKind::AnswerInvalid, 1), "{trouble}");
        }
        // A challenge by another server than the registry is not met.
        let other = serve(|_| Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\"")).await;
        let address = format!("http://{}/x", other.host);
        let mock = serve(move |_| Reply::new(307, "").header("Location", &address)).await;
        let registry = mock.registry_with(|options| options.credentials = ivy());
        assert_eq!(fetch(&registry, &mock).await.unwrap_err().kind, TroubleKind::AccessDenied);
        assert!(other.seen().iter().all(|request| request.header("authorization").is_none()));
        assert_eq!(other.seen().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a19_token_servers_that_answer_badly_are_trouble() {
    guarded(async {
        let endless =
            Reply::new(200, "{\"token\":\"").unmeasured().then(Step::Forever(vec![b'x'; 64 << 10], Duration::ZERO));
        for (reply, kind, asked) in [
            (endless, TroubleKind::AnswerTooLarge, 1),
            (Reply::new(200, "{}"), TroubleKind::AccessDenied, 1),
            (Reply::new(200, "<html>"), TroubleKind::AccessDenied, 1),
            (Reply::new(200, r#"{"token":"a\nb"}"#), TroubleKind::AccessDenied, 1),
            (Reply::new(200, r#"{"token":"a","Token":"b"}"#), TroubleKind::AccessDenied, 1),
            (Reply::new(401, ""), TroubleKind::AccessDenied, 1),
            (Reply::new(404, ""), TroubleKind::AccessDenied, 1),
            // Its own origin, again and again.
            (Reply::new(302, "").header("Location", "/elsewhere"), TroubleKind::AccessDenied, REDIRECTS + 1),
            (Reply::new(302, "").header("Location", "http://127.0.0.1:1/"), TroubleKind::AccessDenied, 1),
            (Reply::new(503, ""), TroubleKind::Unreachable, RETRIES + 1),
        ] {
            let tokens = serve(move |_| reply.clone()).await;
            let mock = guarded_by(&format!("http://{}/token", tokens.host)).await;
            let trouble = fetch(&mock.registry(), &mock).await.unwrap_err();
            assert_eq!((trouble.kind, tokens.seen().len()), (kind, asked), "{trouble}");
            assert!(tokens.sent() < 16 << 20, "{} bytes were taken", tokens.sent());
        }
        for expires in ["-1", "1e400", "99999999999999999999", "\"soon\""] {
            let body = format!(r#"{{"token":"good","expires_in":{expires}}}"#);
            let tokens = serve(move |_| Reply::new(200, body.clone())).await;
            let mock = guarded_by(&format!("http://{}/token", tokens.host)).await;
            assert!(fetch(&mock.registry(), &mock).await.unwrap().is_some(), "{expires}");
        }
    })
    .await;
}

/// A credential helper: what it is called, what it does, and the `Authorization` or the trouble that comes of it.
#[cfg(unix)]
struct Helper(&'static str, &'static str, Result<Option<&'static str>, TroubleKind>);

#[cfg(unix)]
const HELPERS: [Helper; 5] = [
    Helper("password", r#"echo '{"Username":"ivy","Secret":"hunter2"}'"#, Ok(Some("Basic aXZ5Omh1bnRlcjI="))),
    Helper("stranger", "echo credentials not found in native keychain; exit 1", Ok(None)),
    Helper("failing", "echo hunter2; echo hunter2 >&2; exit 1", Err(TroubleKind::AccessDenied)),
    Helper("babbling", "echo hunter2", Err(TroubleKind::AccessDenied)),
    Helper("hanging", "exec sleep 30", Err(TroubleKind::TimedOut)),
];

#[cfg(unix)]
#[test]
fn a18_credential_helpers_are_asked() {
    let directory = tempfile::tempdir().unwrap();
    for Helper(name, does, _) in HELPERS {
        let path = directory.path().join(format!("docker-credential-{name}"));
        muster::forge::write_script(&path, &format!("#!/bin/sh\ncat > /dev/null\n{does}\n")).unwrap();
    }
    let mut path = directory.path().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let test = "access::a18_credential_helpers_are_asked_in_another_process";
    run_again(test, &[("PATH", &path), ("MUSTER_TEST_HELPERS", "1".as_ref())]);
}

#[cfg(unix)]
#[tokio::test]
async fn a18_credential_helpers_are_asked_in_another_process() {
    if std::env::var_os("MUSTER_TEST_HELPERS").is_none() {
        return;
    }
    guarded(async {
        for Helper(name, _, expected) in HELPERS {
            let mock = serve(|request| match request.header("authorization") {
                Some(_) => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
                None => Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""),
            })
            .await;
            let docker = tempfile::tempdir().unwrap();
            let config = format!(r#"{{"credsStore":"{name}"}}"#);
            std::fs::write(docker.path().join("config.json"), config).unwrap();
            let registry = mock.registry_with(|options| {
                options.credentials = Credentials::Stored(CredentialFiles::only([docker.path().join("config.json")]));
                // Only who hangs runs into this.
                options.timings.idle = Duration::from_secs(if name == "hanging" { 1 } else { 20 });
                options.timings.retries = 0;
            });
            let found = fetch(&registry, &mock).await;
            let shown = mock.seen().last().unwrap().header("authorization").map(str::to_owned);
            match expected {
                Ok(Some(expected)) => assert_eq!((found.is_ok(), shown.as_deref()), (true, Some(expected))),
                Ok(None) => assert_eq!((found.unwrap_err().kind, shown), (TroubleKind::AccessDenied, None)),
                Err(kind) => {
                    let trouble = found.unwrap_err();
                    assert_eq!((trouble.kind, shown), (kind, None), "{trouble}");
                    assert!(!format!("{trouble:?}").contains("hunter2"), "{trouble}");
                }
            }
        }
    })
    .await;
}

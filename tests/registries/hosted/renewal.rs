//! Credentials and tokens that end in the middle of a run: passwords for hours, as cloud registries give them out, and tokens
//! for minutes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use muster::trouble::TroubleKind;

use super::log_in::{Stored, basic, challenged, fetch, found};
use crate::registry_answers::mock::{Mock, Reply, guarded, serve, serve_with};

/// A file whose password has this number.
fn numbered(host: &str, number: usize) -> String {
    format!(r#"{{"auths":{{"{host}":{{"username":"AWS","password":"p{number}"}}}}}}"#)
}

/// Lets in the password with the number in `good`; others are refused by `refusal`.
async fn by_password(good: Arc<AtomicUsize>, refusal: Reply) -> Mock {
    serve(move |request| {
        let expected = basic(&format!("AWS:p{}", good.load(Ordering::Relaxed)));
        match request.header("authorization") {
            Some(shown) if shown == expected => found(),
            Some(_) => refusal.clone(),
            None => challenged("Basic realm=\"r\""),
        }
    })
    .await
}

#[tokio::test]
async fn a_password_that_ends_is_looked_up_once_more() {
    guarded(async {
        // Amazon's registry says 403, most others 401.
        let ended = r#"{"errors":[{"code":"DENIED","message":"Your authorization token has expired. Reauthenticate and try again."}]}"#;
        for refusal in [challenged("Basic realm=\"r\""), Reply::new(403, ended)] {
            let good = Arc::new(AtomicUsize::new(1));
            let mock = by_password(Arc::clone(&good), refusal).await;
            let stored = Stored::new(&numbered(&mock.host, 1));
            let registry = stored.registry(&mock);
            assert!(fetch(&registry, "a").await.unwrap().is_some());
            for number in 2..4 {
                good.store(number, Ordering::Relaxed);
                stored.write(&numbered(&mock.host, number));
                let all = join_all((0..20).map(|_| fetch(&registry, "a"))).await;
                assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_some)), "{all:?}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_password_that_ended_for_good_is_said_to_have_been_refused() {
    guarded(async {
        let good = Arc::new(AtomicUsize::new(1));
        let mock = by_password(Arc::clone(&good), challenged("Basic realm=\"r\"")).await;
        let stored = Stored::new(&numbered(&mock.host, 1));
        let registry = stored.registry(&mock);
        assert!(fetch(&registry, "a").await.unwrap().is_some());
        good.store(2, Ordering::Relaxed);
        let trouble = fetch(&registry, "a").await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AccessDenied);
        assert!(trouble.message.contains("config.json") && trouble.message.contains("log in again"), "{trouble}");
    })
    .await;
}

#[tokio::test]
async fn an_identity_token_that_ends_is_looked_up_once_more() {
    guarded(async {
        let (good, tokens) = (Arc::new(AtomicUsize::new(1)), Arc::new(AtomicUsize::new(0)));
        let (valid, given) = (Arc::clone(&good), Arc::clone(&tokens));
        let mock = serve(move |request| {
            let number = valid.load(Ordering::Relaxed);
            let host = request.header("host").unwrap();
            match (request.path(), request.header("authorization")) {
                ("/token", _) if request.body.contains(&format!("refresh_token=r{number}")) => {
                    given.fetch_add(1, Ordering::Relaxed);
                    Reply::new(200, format!(r#"{{"access_token":"t{number}","expires_in":1}}"#))
                }
                ("/token", _) => Reply::new(400, r#"{"error":"invalid_grant"}"#),
                (_, Some(shown)) if shown == format!("Bearer t{number}") => found(),
                _ => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
            }
        })
        .await;
        let config = |number: usize| format!(r#"{{"auths":{{"{}":{{"identitytoken":"r{number}"}}}}}}"#, mock.host);
        let stored = Stored::new(&config(1));
        let registry = stored.registry(&mock);
        assert!(fetch(&registry, "a").await.unwrap().is_some());
        good.store(2, Ordering::Relaxed);
        stored.write(&config(2));
        let all = join_all((0..20).map(|_| fetch(&registry, "a"))).await;
        assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_some)), "{all:?}");
        assert_eq!(tokens.load(Ordering::Relaxed), 2, "one token for each time");
    })
    .await;
}

#[tokio::test]
async fn a_token_that_ended_may_be_answered_without_a_challenge() {
    guarded(async {
        // Amazon's public registry says 400.
        let good = Arc::new(AtomicUsize::new(1));
        let valid = Arc::clone(&good);
        let mock = serve(move |request| {
            let number = valid.load(Ordering::Relaxed);
            let host = request.header("host").unwrap();
            match (request.path(), request.header("authorization")) {
                ("/token", _) => Reply::new(200, format!(r#"{{"token":"t{number}"}}"#)),
                ("/v2/broken/manifests/v1", Some(_)) => Reply::new(400, ""),
                (_, Some(shown)) if shown == format!("Bearer t{number}") => found(),
                (_, Some(_)) => Reply::new(400, r#"{"errors":[{"code":"DENIED","message":"token has expired"}]}"#),
                (_, None) => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
            }
        })
        .await;
        let registry = mock.registry();
        assert!(fetch(&registry, "a").await.unwrap().is_some());
        for number in 2..4 {
            good.store(number, Ordering::Relaxed);
            let all = join_all((0..20).map(|_| fetch(&registry, "a"))).await;
            assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_some)), "{all:?}");
        }
        assert_eq!(mock.count("/token"), 3);
        // Another refusal is one.
        assert!(fetch(&registry, "broken").await.is_err());
        assert_eq!(mock.count("/token"), 4);
    })
    .await;
}

#[tokio::test]
async fn a_look_up_that_failed_is_made_again() {
    guarded(async {
        let mock = by_password(Arc::new(AtomicUsize::new(1)), challenged("Basic realm=\"r\"")).await;
        let stored = Stored::new("{");
        let registry = mock.registry_with(|options| {
            options.credentials = stored.credentials();
            options.timings.login = Duration::ZERO;
        });
        let trouble = fetch(&registry, "a").await.unwrap_err();
        assert!(trouble.message.contains("is no file of credentials"), "{trouble}");
        stored.write(&numbered(&mock.host, 1));
        assert!(fetch(&registry, "a").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn a_token_that_ends_again_before_its_turn_has_come_is_renewed_again() {
    guarded(async {
        // A token is good for two requests; who comes too late is told so late.
        let (tokens, uses) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mock = serve_with(move |request| {
            let (tokens, uses) = (Arc::clone(&tokens), Arc::clone(&uses));
            async move {
                let challenge = format!("Bearer realm=\"http://{}/token\"", request.header("host").unwrap());
                if request.path() == "/token" {
                    uses.store(0, Ordering::SeqCst);
                    let number = tokens.fetch_add(1, Ordering::SeqCst) + 1;
                    return Reply::new(200, format!(r#"{{"token":"t{number}"}}"#));
                }
                let newest = format!("Bearer t{}", tokens.load(Ordering::SeqCst));
                match request.header("authorization") {
                    Some(shown) if shown == newest && uses.fetch_add(1, Ordering::SeqCst) < 2 => found(),
                    Some(_) => {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        challenged(&challenge)
                    }
                    None => challenged(&challenge),
                }
            }
        })
        .await;
        let registry = mock.registry();
        let all = join_all((0..6).map(|_| fetch(&registry, "a"))).await;
        assert!(all.iter().all(|found| found.as_ref().is_ok_and(Option::is_some)), "{all:?}");
    })
    .await;
}

#[tokio::test]
async fn a_password_that_is_refused_is_not_sent_twice_for_one_question() {
    guarded(async {
        let mock = serve(|request| match (request.path(), request.header("authorization")) {
            ("/v2/a/manifests/v1", Some(_)) => found(),
            _ => challenged("Basic realm=\"r\""),
        })
        .await;
        let stored = Stored::new(&numbered(&mock.host, 1));
        let registry = stored.registry(&mock);
        assert!(fetch(&registry, "a").await.unwrap().is_some());
        for _ in 0..3 {
            assert_eq!(fetch(&registry, "b").await.unwrap_err().kind, TroubleKind::AccessDenied);
        }
        assert_eq!(mock.count("/v2/b/manifests/v1"), 3);
    })
    .await;
}

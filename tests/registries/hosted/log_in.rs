//! How registries and their token servers want to be asked, and who is shown what: the words that go over the wire.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster::manifest::IMAGE_MANIFEST;
use muster::reference::Repository;
use muster::source::registry::{CredentialFiles, Credentials, Registry};
use muster::source::{ArtifactSource, Manifest};
use muster::trouble::{Trouble, TroubleKind};
use tempfile::TempDir;

use crate::registry_answers::mock::{Mock, Reply, Request, guarded, manifest, options, serve};

pub(super) fn found() -> Reply {
    Reply::ok(IMAGE_MANIFEST, manifest("a").0)
}

pub(super) fn challenged(challenge: &str) -> Reply {
    Reply::new(401, "").header("WWW-Authenticate", challenge)
}

pub(super) fn basic(user_and_password: &str) -> String {
    format!("Basic {}", STANDARD.encode(user_and_password))
}

/// A file of credentials.
pub(super) struct Stored(TempDir);

impl Stored {
    pub(super) fn new(text: &str) -> Stored {
        let stored = Stored(tempfile::tempdir().unwrap());
        stored.write(text);
        stored
    }

    pub(super) fn path(&self) -> PathBuf {
        self.0.path().join("config.json")
    }

    pub(super) fn write(&self, text: &str) {
        std::fs::write(self.path(), text).unwrap();
    }

    pub(super) fn credentials(&self) -> Credentials {
        Credentials::Stored(CredentialFiles::only([self.path()]))
    }

    pub(super) fn registry(&self, mock: &Mock) -> Registry {
        mock.registry_with(|options| options.credentials = self.credentials())
    }
}

pub(super) async fn fetch(registry: &Registry, path: &str) -> Result<Option<Manifest>, Trouble> {
    registry.manifest(&Repository::new(registry.host(), path).unwrap().tagged("v1").unwrap()).await
}

fn lets_in(authorization: &'static str) -> impl Fn(&Request) -> Reply {
    move |request| match request.header("authorization") {
        Some(shown) if shown == authorization => found(),
        _ => challenged("Basic realm=\"r\""),
    }
}

/// ivy:secret
const IVY: &str = "Basic aXZ5OnNlY3JldA==";

#[tokio::test]
async fn r16_every_key_and_entry_that_docker_and_podman_write_serves() {
    guarded(async {
        let mock = serve(lets_in(IVY)).await;
        let host = &mock.host;
        let auth = r#"{"auth":"aXZ5OnNlY3JldA=="}"#;
        let mut configs: Vec<String> = [
            host.clone(),
            format!("https://{host}"),
            format!("http://{host}"),
            format!("https://{host}/v1/"),
            format!("https://{host}/v2/"),
            format!("{host}/"),
            format!("{host}/v1/"),
            format!("{host}/v2/"),
            format!("{host}/team"),
            format!("{host}/team/app"),
        ]
        .map(|key| format!(r#"{{"auths":{{"{key}":{auth}}}}}"#))
        .into();
        let entries = [
            r#"{"auth":"aXZ5OnNlY3JldA==","identitytoken":""}"#,
            r#"{"auth":"","username":"ivy","password":"secret"}"#,
            r#"{"auth":"aXZ5OnNlY3JldA==","email":"x@y","registrytoken":""}"#,
        ];
        configs.extend(entries.map(|entry| format!(r#"{{"auths":{{"{host}":{entry}}}}}"#)));
        configs
            .push(format!(r#"{{"auths":{{"{host}":{auth}}},"credHelpers":null,"HttpHeaders":{{"User-Agent":"x"}}}}"#));
        for config in configs {
            let found = fetch(&Stored::new(&config).registry(&mock), "team/app").await;
            assert!(found.is_ok_and(|found| found.is_some()), "{config}");
        }
        let elsewhere = Stored::new(&format!(r#"{{"auths":{{"{host}/tea":{auth},"{host}/other":{auth}}}}}"#));
        assert_eq!(fetch(&elsewhere.registry(&mock), "team/app").await.unwrap_err().kind, TroubleKind::AccessDenied);
    })
    .await;
}

#[tokio::test]
async fn r16_each_namespace_has_its_own_credentials() {
    guarded(async {
        let mock = serve(|request| {
            let who = if request.path().starts_with("/v2/team/") { "team:p" } else { "all:p" };
            match request.header("authorization") {
                Some(shown) if shown == basic(who) => found(),
                _ => challenged("Basic realm=\"r\""),
            }
        })
        .await;
        let host = &mock.host;
        let user = |name: &str| format!(r#"{{"username":"{name}","password":"p"}}"#);
        let config = format!(r#"{{"auths":{{"{host}":{},"{host}/team":{}}}}}"#, user("all"), user("team"));
        let stored = Stored::new(&config);
        let registry = stored.registry(&mock);
        for path in ["other", "team/app", "another", "team/base", "other", "team/app"] {
            assert!(fetch(&registry, path).await.unwrap().is_some(), "{path}");
        }
        assert_eq!(mock.seen().len(), 6 + 2, "one challenge for each of the two");
    })
    .await;
}

#[tokio::test]
async fn r17_a_helper_that_is_missing_is_named_with_the_member_that_names_it() {
    guarded(async {
        let mock = serve(lets_in(IVY)).await;
        let stored = Stored::new(r#"{"auths":{},"credsStore":"of-muster-desktop.exe"}"#);
        let trouble = fetch(&stored.registry(&mock), "team/app").await.unwrap_err();
        for part in ["docker-credential-of-muster-desktop.exe", "credsStore", "config.json", "is not on this machine"] {
            assert!(trouble.message.contains(part), "{trouble}");
        }
    })
    .await;
}

#[tokio::test]
async fn r51_token_servers_have_their_moods() {
    guarded(async {
        let busy = Arc::new(AtomicUsize::new(0));
        for (mood, body, status) in [
            ("access_token", r#"{"access_token":"good"}"#, 200),
            ("float", r#"{"token":"good","expires_in":3600.5,"issued_at":"not a date"}"#, 200),
            ("text", r#"{"token":"good","expires_in":"3600"}"#, 200),
            ("created", r#"{"token":"good"}"#, 201),
            ("moved", r#"{"token":"good"}"#, 200),
            ("429", r#"{"token":"good"}"#, 200),
            ("503", r#"{"token":"good"}"#, 200),
        ] {
            busy.store(0, Ordering::Relaxed);
            let asked = Arc::clone(&busy);
            let padding = " ".repeat(60_000);
            let mock = serve(move |request| {
                let host = request.header("host").unwrap();
                match (request.path(), request.header("authorization")) {
                    ("/token", _) if mood == "moved" => {
                        let query = request.target.split_once('?').unwrap().1;
                        Reply::new(307, "").header("Location", &format!("/token/?{query}"))
                    }
                    ("/token" | "/token/", shown) => {
                        assert_eq!(shown, Some(IVY), "{mood}");
                        assert!(request.target.contains("scope=repository%3Ateam%2Fapp%3Apull"), "{}", request.target);
                        match mood.parse() {
                            Ok(status) if asked.fetch_add(1, Ordering::Relaxed) < 2 => {
                                Reply::new(status, "busy").header("Retry-After", "0")
                            }
                            _ => Reply::new(status, format!("{body}{padding}")),
                        }
                    }
                    (_, Some("Bearer good")) => found(),
                    _ => challenged(&format!("Bearer realm=\"http://{host}/token\",service=\"r\"")),
                }
            })
            .await;
            let stored = Stored::new(&format!(r#"{{"auths":{{"{}":{{"auth":"aXZ5OnNlY3JldA=="}}}}}}"#, mock.host));
            let found = fetch(&stored.registry(&mock), "team/app").await;
            assert!(found.as_ref().is_ok_and(Option::is_some), "{mood}: {found:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn r61_the_usual_port_may_stand_on_either_side() {
    guarded(async {
        let mock = serve(lets_in(IVY)).await;
        let name = "registry.acme-rockets.io";
        let with_port = format!("{name}:80");
        for (host, key) in [(name, with_port.as_str()), (&with_port, name), (name, name), (&with_port, &with_port)] {
            let stored = Stored::new(&format!(r#"{{"auths":{{"{key}":{{"auth":"aXZ5OnNlY3JldA=="}}}}}}"#));
            let mut options = options();
            options.addresses.insert(host.to_owned(), mock.host.clone());
            options.credentials = stored.credentials();
            let registry = Registry::new(host, options).unwrap();
            assert!(fetch(&registry, "team/app").await.unwrap().is_some(), "{host}, logged in to as {key}");
        }
    })
    .await;
}

#[tokio::test]
async fn r62_a_refusal_says_whose_credentials_were_refused() {
    guarded(async {
        let mock = serve(|request| {
            let host = request.header("host").unwrap();
            match (request.path(), request.header("authorization")) {
                ("/token", Some(_)) => Reply::new(401, r#"{"errors":[{"code":"UNAUTHORIZED","message":"no"}]}"#),
                ("/token", None) => Reply::new(200, r#"{"token":"anonymous"}"#),
                (_, Some("Bearer anonymous")) => found(),
                _ => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
            }
        })
        .await;
        let stored = Stored::new(&format!(r#"{{"auths":{{"{}":{{"auth":"aXZ5OnNlY3JldA=="}}}}}}"#, mock.host));
        let trouble = fetch(&stored.registry(&mock), "library/app").await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AccessDenied);
        for part in ["\"/token\"", "config.json", &mock.host, "log in again", "log out"] {
            assert!(trouble.message.contains(part), "{part} is not in {trouble}");
        }
        assert!(!trouble.message.contains("secret") && !trouble.message.contains("aXZ5"), "{trouble}");
        // Without them it is public.
        let nobody = Stored::new("{}");
        assert!(fetch(&nobody.registry(&mock), "library/app").await.unwrap().is_some());
    })
    .await;
}

#[tokio::test]
async fn what_a_server_repeats_of_what_it_was_shown_is_not_told() {
    guarded(async {
        // The registry, the token server, and the registry with the token.
        for token_server in [None, Some(401), Some(200)] {
            let mock = serve(move |request| {
                let host = request.header("host").unwrap();
                let repeated = |status| {
                    let shown = request.header("authorization").unwrap_or_default();
                    let message = format!("no entry for {shown} nor for ivy:secret");
                    let body = serde_json::json!({ "errors": [{ "code": "DENIED", "message": message }] });
                    Reply::new(status, body.to_string())
                };
                match (request.path(), token_server) {
                    ("/token", Some(200)) => Reply::new(200, r#"{"token":"of-the-server"}"#),
                    ("/token", Some(status)) => repeated(status),
                    _ if request.header("authorization").is_some() => repeated(403),
                    (_, None) => challenged("Basic realm=\"r\""),
                    _ => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
                }
            })
            .await;
            let stored = Stored::new(&format!(r#"{{"auths":{{"{}":{{"auth":"aXZ5OnNlY3JldA=="}}}}}}"#, mock.host));
            let trouble = fetch(&stored.registry(&mock), "team/app").await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AccessDenied);
            assert!(trouble.message.contains("no entry for") && trouble.message.contains("(secret)"), "{trouble}");
            for secret in ["ivy:secret", "aXZ5", "of-the-server"] {
                assert!(!trouble.message.contains(secret), "{trouble}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn r51_a_token_server_that_refuses_for_good_limits_and_does_not_deny() {
    guarded(async {
        for after in ["", "0"] {
            let mock = serve(move |request| {
                let host = request.header("host").unwrap();
                match request.path() {
                    "/token" => Reply::new(429, "").header("Retry-After", after),
                    _ => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
                }
            })
            .await;
            let registry = mock.registry_with(|options| {
                options.timings.pause = (Duration::from_millis(1), Duration::from_millis(2));
            });
            let trouble = fetch(&registry, "team/app").await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::RateLimited, "{trouble}");
        }
    })
    .await;
}

#[tokio::test]
async fn r81_what_worked_for_a_repository_is_shown_first() {
    guarded(async {
        // Names the scope of another name, as a gateway does that rewrites paths.
        let mock = serve(|request| {
            let host = request.header("host").unwrap();
            if request.path() == "/token" {
                let scope = request.target.rsplit("scope=").next().unwrap().replace("%3A", ":").replace("%2F", "/");
                return Reply::new(200, format!(r#"{{"token":"for-{scope}"}}"#));
            }
            let short = request.path().split('/').nth(3).unwrap().to_owned();
            match request.header("authorization") {
                Some(shown) if shown == format!("Bearer for-repository:{short}:pull") => found(),
                _ => challenged(&format!("Bearer realm=\"http://{host}/token\",scope=\"repository:{short}:pull\"")),
            }
        })
        .await;
        let registry = mock.registry();
        for path in ["local/a", "local/b", "local/c", "local/a", "local/b", "local/c"] {
            assert!(fetch(&registry, path).await.unwrap().is_some(), "{path}");
        }
        let unasked = |request: &&Request| request.header("authorization").is_none() && request.path() != "/token";
        assert_eq!(mock.seen().iter().filter(unasked).count(), 3, "one refusal a repository");
    })
    .await;
}

#[tokio::test]
async fn a_registry_may_want_a_password_here_and_a_token_there() {
    guarded(async {
        let mock = serve(|request| {
            let host = request.header("host").unwrap();
            match (request.path(), request.header("authorization")) {
                ("/token", Some(IVY)) => Reply::new(200, r#"{"token":"good"}"#),
                ("/v2/plain/manifests/v1", Some(IVY)) => found(),
                ("/v2/plain/manifests/v1", _) => challenged("Basic realm=\"r\""),
                (_, Some("Bearer good")) => found(),
                _ => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
            }
        })
        .await;
        let stored = Stored::new(&format!(r#"{{"auths":{{"{}":{{"auth":"aXZ5OnNlY3JldA=="}}}}}}"#, mock.host));
        let registry = stored.registry(&mock);
        for path in ["plain", "tokens", "plain", "tokens", "tokens"] {
            assert!(fetch(&registry, path).await.unwrap().is_some(), "{path}");
        }
        // Five fetches, a challenge for each repository, and the token.
        assert_eq!(mock.seen().len(), 5 + 2 + 1);
    })
    .await;
}

#[tokio::test]
async fn the_server_that_a_registry_sends_to_is_asked_as_nobody() {
    guarded(async {
        let mirror = serve(|request| {
            let host = request.header("host").unwrap();
            match (request.path(), request.header("authorization")) {
                ("/token", None) => Reply::new(200, r#"{"token":"guest"}"#),
                (_, Some("Bearer guest")) => found(),
                (_, None) => challenged(&format!("Bearer realm=\"http://{host}/token\"")),
                _ => Reply::new(403, ""),
            }
        })
        .await;
        let there = mirror.host.clone();
        let mock = serve(move |request| match request.header("authorization") {
            Some(IVY) => Reply::new(307, "").header("Location", &format!("http://{there}/v2/x/manifests/v1?sig=1")),
            _ => challenged("Basic realm=\"r\""),
        })
        .await;
        let stored = Stored::new(&format!(r#"{{"auths":{{"{}":{{"auth":"aXZ5OnNlY3JldA=="}}}}}}"#, mock.host));
        let registry = stored.registry(&mock);
        for _ in 0..3 {
            assert!(fetch(&registry, "team/app").await.unwrap().is_some());
        }
        let shown: Vec<_> =
            mirror.seen().iter().map(|request| request.header("authorization").map(str::to_owned)).collect();
        let guest = Some("Bearer guest".to_owned());
        assert_eq!(
            shown,
            [None, None, guest.clone(), guest.clone(), guest],
            "one challenge, one token, no credentials"
        );
    })
    .await;
}

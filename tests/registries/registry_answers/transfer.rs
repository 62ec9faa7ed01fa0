//! The way of the bytes: A12–A17, A32.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use muster::limits;
use muster::manifest::IMAGE_MANIFEST;
use muster::source::budget::{Budget, Content as Memory};
use muster::source::registry::{Credentials, Secret};
use muster::source::{ArtifactSource, Manifest};
use muster::trouble::{Trouble, TroubleKind};

use super::mock::{Mock, RETRIES, Reply, Request, Step, guarded, manifest, serve};

async fn fetch(mock: &Mock) -> Result<Option<Manifest>, Trouble> {
    mock.registry().manifest(&mock.repository().tagged("v1").unwrap()).await
}

/// Answers with `faults` before the manifest.
async fn faulty(faults: usize, fault: Reply) -> Mock {
    let left = AtomicUsize::new(faults);
    serve(move |_| match left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)) {
        Ok(_) => fault.clone(),
        Err(_) => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
    })
    .await
}

/// `fault` may pass: it is tried again up to the limit, and is then trouble of `kind`.
async fn passes(fault: Reply, kind: TroubleKind) {
    let mock = faulty(RETRIES, fault.clone()).await;
    let found = fetch(&mock).await.unwrap().unwrap();
    assert_eq!(found.descriptor.digest, manifest("a").1);
    assert_eq!(mock.seen().len(), RETRIES + 1);

    let mock = faulty(usize::MAX, fault).await;
    assert_eq!(fetch(&mock).await.unwrap_err().kind, kind);
    assert_eq!(mock.seen().len(), RETRIES + 1, "the number of tries is bounded");
}

#[tokio::test]
async fn a12_a_body_that_breaks_off_is_fetched_again() {
    guarded(async {
        let (body, _) = manifest("a");
        let half = body[..body.len() / 2].to_vec();
        let length = body.len() as u64;
        let chunk = format!("{length:x}\r\n{}", String::from_utf8(half.clone()).unwrap());
        for fault in [
            Reply::ok(IMAGE_MANIFEST, half.clone()).measured(length),
            Reply::ok(IMAGE_MANIFEST, half).measured(length).then(Step::Reset),
            Reply::ok(IMAGE_MANIFEST, chunk).unmeasured().header("Transfer-Encoding", "chunked"),
            Reply::raw([Step::Reset]),
            Reply::raw([]),
        ] {
            passes(fault, TroubleKind::Unreachable).await;
        }
    })
    .await;
}

#[tokio::test]
async fn waiting_for_memory_is_no_part_of_the_time_of_a_request() {
    guarded(async {
        let padding = "x".repeat(2 * usize::try_from(limits::SMALL_ANSWER_BYTES).unwrap());
        let (body, digest) = manifest(&padding);
        let mock = serve(move |_| Reply::ok(IMAGE_MANIFEST, body.clone())).await;
        let budget = Budget::default();
        let registry = mock.registry_with(|options| {
            options.timings.request = Duration::from_millis(300);
            options.budget = budget.clone();
        });
        let all = budget.share(Memory::Document, u64::MAX).await;
        let reference = mock.repository().tagged("v1").unwrap();
        let later = async {
            tokio::time::sleep(Duration::from_millis(900)).await;
            drop(all);
        };
        let (found, ()) = tokio::join!(registry.manifest(&reference), later);
        assert_eq!(found.unwrap().unwrap().descriptor.digest, digest);
        assert_eq!(mock.seen().len(), 1);
        // An artifact that waits so is not late either.
        assert!(registry.held() >= Duration::from_millis(500), "{:?}", registry.held());
    })
    .await;
}

#[tokio::test]
async fn a13_who_trickles_or_falls_silent_runs_out_of_time() {
    guarded(async {
        let trickle = Step::Forever(b" ".to_vec(), Duration::from_millis(20));
        let head = b"HTTP/1.1 200 OK\r\nContent-Type: a/b\r\n".to_vec();
        // What ends it is far nearer than the other, however slow the machine is.
        let (short, long) = (Duration::from_millis(500), Duration::from_secs(120));
        for (reply, idle, request, asked) in [
            // Every byte in time, the whole never: the deadline ends it, once.
            (Reply::ok(IMAGE_MANIFEST, "").unmeasured().then(trickle.clone()), long, short, 1),
            // Silence is tried again.
            (Reply::ok(IMAGE_MANIFEST, "{").measured(100).then(Step::Silence), short, long, RETRIES + 1),
            (Reply::raw([Step::Send(head), Step::Silence]), short, long, RETRIES + 1),
            (Reply::raw([Step::Silence]), short, long, RETRIES + 1),
        ] {
            let mock = serve(move |_| reply.clone()).await;
            let registry = mock.registry_with(|options| {
                options.timings.connect = Duration::from_millis(500);
                options.timings.idle = idle;
                options.timings.request = request;
            });
            let trouble = registry.manifest(&mock.repository().tagged("v1").unwrap()).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::TimedOut, "{trouble}");
            assert_eq!(mock.seen().len(), asked, "{trouble}");
        }
    })
    .await;
}

#[tokio::test]
async fn a14_headers_without_end_are_not_read_to_it() {
    guarded(async {
        let line = |length: usize| format!("X-{}: y\r\n", "x".repeat(length)).into_bytes();
        for endless in [line(10).repeat(1000), line(8 << 10), vec![b'x'; 64 << 10]] {
            let mock = serve(move |_| {
                Reply::raw([
                    Step::Send(b"HTTP/1.1 200 OK\r\n".to_vec()),
                    Step::Forever(endless.clone(), Duration::ZERO),
                ])
            })
            .await;
            let trouble = fetch(&mock).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble}");
            assert!(mock.sent() < 32 << 20, "{} bytes of headers were taken", mock.sent());
        }
    })
    .await;
}

#[tokio::test]
async fn a15_redirects_are_followed_in_bounds_and_without_credentials() {
    guarded(async {
        let hop =
            |request: &Request| request.target.split("?hop=").nth(1).map_or(0, |hop| hop.parse::<usize>().unwrap());
        for (hops, reachable) in [(limits::REDIRECTS, true), (limits::REDIRECTS + 1, false), (usize::MAX, false)] {
            let mock = serve(move |request| match hop(request) {
                last if last == hops => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
                hop => Reply::new(307, "").header("Location", &format!("?hop={}", hop + 1)),
            })
            .await;
            let found = fetch(&mock).await.map(|found| found.is_some()).map_err(|trouble| trouble.kind);
            assert_eq!(found, if reachable { Ok(true) } else { Err(TroubleKind::AnswerInvalid) }, "{hops} hops");
            assert_eq!(mock.seen().len(), limits::REDIRECTS + 1);
        }

        for location in
            ["/v2/team/app/manifests/v1", "http://169.254.169.254/latest", "file:///etc/passwd", "unix:/run/x.sock", ""]
        {
            let mock = serve(move |_| Reply::new(302, "").header("Location", location)).await;
            assert_eq!(fetch(&mock).await.unwrap_err().kind, TroubleKind::AnswerInvalid, "{location}");
        }

        let elsewhere = serve(|_| Reply::ok(IMAGE_MANIFEST, manifest("a").0)).await;
        let address = format!("http://{}/content?sig=signed", elsewhere.host);
        let mock = serve(move |request| match request.header("authorization") {
            Some(_) => Reply::new(307, "").header("Location", &address),
            None => Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""),
        })
        .await;
        let registry = mock.registry_with(|options| {
            options.credentials = Credentials::Password { user: "ivy".to_owned(), password: Secret::new("hunter2") };
        });
        let found = registry.manifest(&mock.repository().tagged("v1").unwrap()).await.unwrap().unwrap();
        assert_eq!(found.descriptor.digest, manifest("a").1);
        assert_eq!(elsewhere.seen().len(), 1);
        assert_eq!(elsewhere.seen()[0].header("authorization"), None);
    })
    .await;
}

#[tokio::test]
async fn a15_what_was_away_comes_back_without_credentials() {
    guarded(async {
        // From the registry to another host, and from there back to the registry.
        let back = Arc::new(OnceLock::<String>::new());
        let to = back.clone();
        let elsewhere = serve(move |_| Reply::new(307, "").header("Location", to.get().unwrap())).await;
        let away = format!("http://{}/away", elsewhere.host);
        let mock = serve(move |request| match (request.path(), request.header("authorization")) {
            ("/back", _) => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
            (_, Some(_)) => Reply::new(307, "").header("Location", &away),
            (_, None) => Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""),
        })
        .await;
        back.set(format!("http://{}/back", mock.host)).unwrap();
        let registry = mock.registry_with(|options| {
            options.credentials = Credentials::Password { user: "ivy".to_owned(), password: Secret::new("hunter2") };
        });
        for _ in 0..2 {
            let found = registry.manifest(&mock.repository().tagged("v1").unwrap()).await.unwrap().unwrap();
            assert_eq!(found.descriptor.digest, manifest("a").1);
        }
        let shown = |request: &Request| request.header("authorization").is_some();
        assert_eq!((elsewhere.seen().len(), elsewhere.seen().iter().filter(|request| shown(request)).count()), (2, 0));
        let seen = mock.seen();
        let back: Vec<_> = seen.iter().filter(|request| request.path() == "/back").collect();
        assert_eq!((back.len(), back.iter().filter(|request| shown(request)).count()), (2, 0));
    })
    .await;
}

#[tokio::test]
async fn a16_retry_after_is_honoured_within_reason() {
    guarded(async {
        for after in ["1e9", "-5", "0", "Thu, 01 Jan 1970 00:00:00 GMT", "x"] {
            let fault = Reply::new(429, "").header("Retry-After", after);
            // It does not count among the tries.
            let mock = faulty(2 * RETRIES, fault.clone()).await;
            assert_eq!(fetch(&mock).await.unwrap().unwrap().descriptor.digest, manifest("a").1, "{after}");

            let mock = faulty(usize::MAX, fault).await;
            assert_eq!(fetch(&mock).await.unwrap_err().kind, TroubleKind::RateLimited, "{after}");
            assert_eq!(mock.seen().len(), limits::REFUSALS + 1, "the number of tries is bounded: {after}");
        }
        // Nobody is put to sleep.
        for after in ["1000000000", "99999999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let mock = faulty(usize::MAX, Reply::new(503, "").header("Retry-After", after)).await;
            assert_eq!(fetch(&mock).await.unwrap_err().kind, TroubleKind::RateLimited, "{after}");
            assert_eq!(mock.seen().len(), 1, "{after}");
        }
    })
    .await;
}

#[tokio::test]
async fn a17_bursts_of_server_errors_change_nothing_but_the_time() {
    guarded(async {
        for (status, kind) in [
            (408, TroubleKind::TimedOut),
            (500, TroubleKind::Unreachable),
            (502, TroubleKind::Unreachable),
            (503, TroubleKind::Unreachable),
            (504, TroubleKind::TimedOut),
        ] {
            passes(Reply::new(status, r#"{"errors":[{"code":"UNAVAILABLE"}]}"#), kind).await;
        }
        // One request in three fails, for a while.
        let count = AtomicUsize::new(0);
        let mock = serve(move |_| match count.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Reply::new(503, ""),
            _ => Reply::ok(IMAGE_MANIFEST, manifest("a").0),
        })
        .await;
        for _ in 0..50 {
            assert_eq!(fetch(&mock).await.unwrap().unwrap().descriptor.digest, manifest("a").1);
        }
        // What is wrong with the request itself is not asked again.
        for status in [204, 206, 304, 400, 405, 406, 416] {
            let mock = serve(move |_| Reply::new(status, "")).await;
            assert_eq!(fetch(&mock).await.unwrap_err().kind, TroubleKind::AnswerInvalid, "{status}");
            assert_eq!(mock.seen().len(), 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a17_a_message_says_what_was_asked_and_answered() {
    guarded(async {
        let body = r#"{"errors":[{"code":"DENIED","message":"not \u001b[31mfor you"}]}"#;
        let mock = serve(move |_| Reply::new(403, body)).await;
        let trouble = fetch(&mock).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AccessDenied);
        for part in ["/v2/team/app/manifests/v1", &mock.host, "403", "DENIED", r"not \u{1b}[31mfor you"] {
            assert!(trouble.message.contains(part), "{part} is not in {trouble}");
        }
        let unused = Mock::nobody().await;
        assert_eq!(fetch(&unused).await.unwrap_err().kind, TroubleKind::Unreachable);
    })
    .await;
}

#[tokio::test]
async fn a32_nothing_is_decompressed() {
    guarded(async {
        for coding in ["gzip", "deflate", "br", "zstd", "identity, gzip"] {
            let mock =
                serve(move |_| Reply::ok(IMAGE_MANIFEST, [0x1f, 0x8b, 8]).header("Content-Encoding", coding)).await;
            let trouble = fetch(&mock).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{coding}");
            assert_eq!(mock.seen()[0].header("accept-encoding"), Some("identity"));
        }
        let mock = serve(|_| Reply::ok(IMAGE_MANIFEST, manifest("a").0).header("Content-Encoding", "Identity")).await;
        assert!(fetch(&mock).await.unwrap().is_some());
    })
    .await;
}

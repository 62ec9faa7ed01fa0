//! Registries that limit how often they are asked, that are silent, far away, or close connections; and what is asked of them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use muster::forge::Artifact;
use muster::forge::registry::EmbeddedRegistry;
use serde_json::Value;

use super::front::Front;
use crate::artifacts::shelf::{Shelf, results};
use crate::registry_answers::mock::{Reply, Request, Step, serve_with};

/// One signed artifact.
fn one() -> Shelf {
    signed(["v1"])
}

/// Signed artifacts, one with each tag.
fn signed<'a>(tags: impl IntoIterator<Item = &'a str>) -> Shelf {
    let mut shelf = Shelf::new();
    for tag in tags {
        let artifact = Artifact::image(tag);
        shelf.put(Some(tag), &artifact);
        shelf.sign(&artifact);
    }
    shelf
}

/// One signed artifact with many tags.
fn one_with_tags(tags: usize) -> Shelf {
    let mut shelf = Shelf::new();
    let artifact = Artifact::image("v1");
    (0..tags).for_each(|tag| drop(shelf.put(Some(&format!("t{tag:02}")), &artifact)));
    shelf.sign(&artifact);
    shelf
}

fn into_repositories(shelf: &Shelf, number: usize) -> impl FnOnce(&EmbeddedRegistry) {
    move |registry| (0..number).for_each(|number| shelf.put_into(registry, &format!("team/app{number:02}")))
}

fn unchanged(_: &Request, reply: Reply) -> Reply {
    reply
}

fn refused(after: &str) -> Reply {
    let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"You have reached your pull rate limit"}]}"#;
    Reply::new(429, body).header("Retry-After", after)
}

fn is_manifest(request: &Request) -> bool {
    request.target.contains("/manifests/")
}

/// The row of a tag.
fn row<'a>(report: &'a Value, tag: &str) -> &'a Value {
    let rows = report["artifacts"].as_array().unwrap();
    rows.iter().find(|row| row["reference"].as_str().unwrap().ends_with(tag)).unwrap()
}

fn passes(report: &Value) -> usize {
    results(report).values().filter(|result| *result == "pass").count()
}

#[test]
fn r13_a_registry_that_takes_so_many_requests_in_a_time_is_waited_for_as_a_whole() {
    let shelf = one();
    let refusals = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refusals);
    // After each hundred requests, however long they took, it takes none for a second.
    let (taken, closed_until) = (AtomicUsize::new(0), Mutex::new(None));
    let limit = move |_: &Request| {
        let now = Instant::now();
        let mut closed_until = closed_until.lock().unwrap();
        if closed_until.is_none_or(|until| until <= now) {
            if taken.fetch_add(1, Ordering::SeqCst) < 100 {
                return None;
            }
            taken.store(0, Ordering::SeqCst);
            *closed_until = Some(now + Duration::from_secs(1));
        }
        counted.fetch_add(1, Ordering::SeqCst);
        Some(refused("1"))
    };
    let front = Front::new(into_repositories(&shelf, 40), limit, unchanged);
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!((code, passes(&report)), (Some(0), 40), "{report}");
    let refusals = refusals.load(Ordering::SeqCst);
    assert!((1..100).contains(&refusals), "{refusals} requests were refused");
}

#[test]
fn r14_a_registry_that_wants_to_be_left_alone_for_hours_is_given_up_at_once() {
    let tags: Vec<String> = (0..100).map(|number| format!("v{number:02}")).collect();
    let shelf = signed(tags.iter().map(String::as_str));
    let (pulls, refusals) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&refusals);
    let limit = move |request: &Request| {
        let pull = is_manifest(request) && request.method == "GET";
        (pull && pulls.fetch_add(1, Ordering::SeqCst) >= 30).then(|| {
            counted.fetch_add(1, Ordering::SeqCst);
            refused("21600")
        })
    };
    let front = Front::new(|registry| shelf.put_into(registry, "library/app"), limit, unchanged);
    let (code, report) = shelf.report(&["audit", &format!("{}/library/app", front.host())]);
    let results = results(&report);
    let limited = results.values().filter(|result| *result == "rate-limited").count();
    assert_eq!((code, results.len(), limited + passes(&report)), (Some(3), 100, 100), "{report}");
    assert!(refusals.load(Ordering::SeqCst) <= 32, "{refusals:?} requests were refused");
    let message = row(&report, ":v99")["message"].as_str().unwrap();
    for part in [front.host(), " until 20", "Z: GET ", "You have reached your pull rate limit"] {
        assert!(message.contains(part), "{part:?} is not in {message}");
    }
}

/// States how many pulls are left, as Docker Hub does.
fn states_limits(request: &Request, reply: Reply) -> Reply {
    if is_manifest(request) { reply.header("ratelimit-limit", "100;w=21600") } else { reply }
}

#[test]
fn r14_tags_of_one_digest_cost_no_pull_where_pulls_are_limited() {
    let shelf = one_with_tags(65);
    let front = Front::new(|registry| shelf.put_into(registry, "library/app"), |_| None, states_limits);
    let (code, report) = shelf.report(&["audit", &format!("{}/library/app", front.host())]);
    assert_eq!((code, passes(&report)), (Some(0), 65), "{report}");
    let manifests = "/v2/library/app/manifests/";
    // The artifact, and its signature.
    assert_eq!((front.count("GET", manifests), front.count("HEAD", manifests)), (2, 64));
}

#[test]
fn a_head_without_a_usable_answer_is_followed_by_a_get() {
    type Habit = fn(&Request, Reply) -> Reply;
    let habits: [(&str, Habit); 6] = [
        ("refused", |_, _| Reply::new(405, "")),
        ("not there", |_, _| Reply::new(404, "")),
        ("failing", |_, _| Reply::new(500, "")),
        ("without a digest", |_, reply| reply.without("Docker-Content-Digest")),
        ("without a type", |_, reply| reply.without("Content-Type")),
        ("of another digest", |_, reply| {
            let other = format!("sha256:{}", "0".repeat(64));
            reply.without("Docker-Content-Digest").header("Docker-Content-Digest", &other)
        }),
    ];
    for (what, habit) in habits {
        let shelf = one_with_tags(6);
        let after = move |request: &Request, reply: Reply| {
            let reply = if request.method == "HEAD" { habit(request, reply) } else { reply };
            states_limits(request, reply)
        };
        let front = Front::new(|registry| shelf.put_into(registry, "library/app"), |_| None, after);
        let (code, report) = shelf.report(&["audit", &format!("{}/library/app", front.host()), "--jobs", "1"]);
        assert_eq!((code, passes(&report)), (Some(0), 6), "{what}: {report}");
        let heads = front.count("HEAD", "/v2/library/app/manifests/t");
        let useless = ["refused", "without a digest", "without a type"].contains(&what);
        assert_eq!(heads, if useless { 1 } else { 5 }, "{what}");
        assert_eq!(front.count("GET", "/v2/library/app/manifests/t"), 6, "{what}");
    }
}

#[test]
fn a_first_audit_asks_four_times_for_a_digest_and_once_for_each_further_tag() {
    let mut shelf = Shelf::new();
    // Not a number of tags at which lists are cut.
    for number in 0..11 {
        let artifact = Artifact::image(&format!("v{number}"));
        shelf.put(Some(&format!("v{number}")), &artifact);
        shelf.put(Some(&format!("v{number}.0")), &artifact);
        shelf.sign(&artifact);
    }
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, unchanged);
    let (code, report) = shelf.report(&["audit", &format!("{}/team/app", front.host())]);
    assert_eq!((code, passes(&report)), (Some(0), 22), "{report}");
    // And the list of tags.
    assert!(front.seen().len() <= 4 * 11 + 11 + 1, "{} requests", front.seen().len());
}

#[test]
fn r34_connections_may_close_at_any_time() {
    let shelf = one();
    let answers = AtomicUsize::new(0);
    let after = move |_: &Request, reply: Reply| {
        let closes = answers.fetch_add(1, Ordering::SeqCst) % 3 == 2;
        if closes { reply.then(Step::Send(Vec::new())) } else { reply }
    };
    let front = Front::new(into_repositories(&shelf, 40), |_| None, after);
    let (code, report) = shelf.report(&["audit", front.host()]);
    assert_eq!((code, passes(&report)), (Some(0), 40), "{report}");
}

#[test]
fn r39_what_ten_tags_of_one_digest_share_is_fetched_once() {
    let shelf = one_with_tags(10);
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, unchanged);
    let (code, report) = shelf.report(&["audit", &format!("{}/team/app", front.host())]);
    assert_eq!((code, passes(&report)), (Some(0), 10), "{report}");
    let counts = ["referrers", "blobs"].map(|what| front.count("GET", &format!("/v2/team/app/{what}/")));
    assert_eq!(counts, [1, 1]);
}

#[test]
fn r45_a_repository_that_is_silent_costs_no_more_than_the_user_says() {
    let shelf = one();
    let silent = |request: &Request| {
        request.path().starts_with("/v2/team/app07/manifests/").then(|| Reply::raw([Step::Silence]))
    };
    let front = Front::new(into_repositories(&shelf, 12), silent, unchanged);
    let started = Instant::now();
    let (code, report) = shelf.report(&["audit", front.host(), "--timeout", "1s", "--retries", "0"]);
    assert_eq!((code, passes(&report)), (Some(3), 11), "{report}");
    assert!(started.elapsed() < Duration::from_secs(20), "{:?}", started.elapsed());
    let row = row(&report, "team/app07:v1");
    assert_eq!(row["code"], "timed-out", "{row}");
    assert!(row["message"].as_str().unwrap().contains("met silence for 1 s"), "{row}");
}

#[test]
fn r51_a_token_server_that_is_busy_is_asked_when_it_says() {
    for status in [429, 503] {
        let shelf = one();
        let tokens = AtomicUsize::new(0);
        let before = move |request: &Request| {
            if request.path() == "/token" {
                return Some(match tokens.fetch_add(1, Ordering::SeqCst) {
                    0 | 1 => Reply::new(status, "busy").header("Retry-After", "1"),
                    _ => Reply::ok("application/json", r#"{"token":"t"}"#),
                });
            }
            let challenge = || {
                let realm = format!(r#"Bearer realm="http://{}/token",service="r""#, request.header("host").unwrap());
                Reply::new(401, "").header("WWW-Authenticate", &realm)
            };
            (request.header("authorization") != Some("Bearer t")).then(challenge)
        };
        let front = Front::new(into_repositories(&shelf, 2), before, unchanged);
        let (code, report) = shelf.report(&["audit", front.host(), "--retries", "0"]);
        assert_eq!((code, passes(&report)), (Some(0), 2), "{status}: {report}");
    }
}

#[test]
fn a_host_that_is_waited_for_keeps_no_other_waiting() {
    let shelf = one();
    let requests = AtomicUsize::new(0);
    // How many artifacts of the other host were asked for so far, and when this one was asked again.
    let (others, then) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(usize::MAX)));
    let (asked, noted) = (Arc::clone(&others), Arc::clone(&then));
    let limit = move |request: &Request| {
        if !is_manifest(request) {
            return None;
        }
        match requests.fetch_add(1, Ordering::SeqCst) {
            // All tags wait for the first.
            0 => None,
            1..=4 => Some(refused("2")),
            _ => {
                noted.fetch_min(asked.load(Ordering::SeqCst), Ordering::SeqCst);
                None
            }
        }
    };
    let slow = Front::new(into_repositories(&shelf, 12), limit, unchanged);
    let counted = Arc::clone(&others);
    let count = move |request: &Request| {
        counted.fetch_add(usize::from(request.path().ends_with("/manifests/v1")), Ordering::SeqCst);
        None
    };
    let other = Front::new(into_repositories(&shelf, 12), count, unchanged);
    let (code, report) = shelf.report(&["audit", slow.host(), other.host(), "--jobs", "4"]);
    assert_eq!((code, passes(&report)), (Some(0), 24), "{report}");
    let then = then.load(Ordering::SeqCst);
    assert!(then >= 8, "{then} of the other host when the first was asked again");
}

#[test]
fn a_repository_that_is_forbidden_is_no_reason_to_pull_the_tags_of_others() {
    let shelf = one_with_tags(20);
    let forbidden =
        |request: &Request| (is_manifest(request) && request.path().starts_with("/v2/b/")).then(|| Reply::new(403, ""));
    let fill = |registry: &EmbeddedRegistry| ["a", "b", "c"].iter().for_each(|path| shelf.put_into(registry, path));
    let front = Front::new(fill, forbidden, states_limits);
    let (_, report) = shelf.report(&["audit", front.host(), "--jobs", "1"]);
    assert_eq!(passes(&report), 40, "{report}");
    // The artifact and its signature; a request that is late on a busy machine is sent again.
    assert_eq!((front.paths("GET", "/v2/a/manifests/"), front.paths("GET", "/v2/c/manifests/")), (2, 2));
}

/// A registry that is far away, with `tags` in one repository, none of which is there: how many requests for them were in flight
/// at most, when it was audited with `arguments`.
fn in_flight(tags: usize, arguments: &[&str]) -> usize {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let counted = Arc::clone(&most);
    let mock = runtime.block_on(serve_with(move |request| {
        let (now, most) = (Arc::clone(&now), Arc::clone(&counted));
        async move {
            if !is_manifest(&request) {
                let tags: Vec<String> = (0..tags).map(|tag| format!("t{tag}")).collect();
                let list = serde_json::json!({ "name": "team/app", "tags": tags });
                return Reply::ok("application/json", list.to_string());
            }
            most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(100)).await;
            now.fetch_sub(1, Ordering::SeqCst);
            Reply::new(404, "")
        }
    }));
    let shelf = Shelf::new();
    let (_, report) = shelf.report(&[&["audit", &format!("{}/team/app", mock.host)], arguments].concat());
    assert_eq!(results(&report).len(), tags, "{report}");
    most.load(Ordering::SeqCst)
}

#[test]
fn r74_more_jobs_are_more_requests_in_flight() {
    // Not a number at which lists are cut.
    let usual = in_flight(147, &[]);
    assert!(usual <= 32, "{usual}");
    let many = in_flight(147, &["--jobs", "100"]);
    assert!(many > 32 && many <= 100, "{many}");
    let refused = Shelf::new().run(&["audit", "localhost:1", "--jobs", "1000"]);
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("1 to 512"), "{}", refused.stderr);
}

#[test]
fn a_rate_of_the_user_is_kept_for_the_host_that_it_names() {
    let shelf = one();
    let front = Front::new(into_repositories(&shelf, 4), |_| None, unchanged);
    let timed = |rate: &str| {
        let (started, before) = (Instant::now(), front.seen().len());
        let (code, report) = shelf.report(&["audit", front.host(), "--rate", rate]);
        assert_eq!((code, passes(&report)), (Some(0), 4), "{report}");
        (started.elapsed(), front.seen().len() - before)
    };
    let (took, requests) = timed(&format!("{}=20/s", front.host()));
    assert!(took >= Duration::from_millis(50) * u32::try_from(requests - 1).unwrap() * 9 / 10, "{took:?}, {requests}");
    let (took, _) = timed("other.example=1/h");
    assert!(took < Duration::from_secs(60), "{took:?}");
}

//! Where registries keep things and where they are: tags that lead nowhere, blobs on storage elsewhere, hosts that are IPv6
//! addresses.

use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use muster::forge::Artifact;
use serde_json::Value;

use super::front::Front;
use crate::artifacts::shelf::{Shelf, results};
use crate::registry_answers::mock::{Reply, Request};

/// Signed artifacts, one with each tag.
fn signed(tags: &[&str]) -> Shelf {
    let mut shelf = Shelf::new();
    for tag in tags {
        let artifact = Artifact::image(tag);
        shelf.put(Some(tag), &artifact);
        shelf.sign(&artifact);
    }
    shelf
}

fn unchanged(_: &Request, reply: Reply) -> Reply {
    reply
}

#[test]
fn r09_a_listed_tag_that_leads_nowhere_is_one_row_with_a_code_of_its_own() {
    let shelf = signed(&["gone", "v1"]);
    let gone = |request: &Request| {
        let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
        request.target.ends_with("/manifests/gone").then(|| Reply::new(404, body))
    };
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), gone, unchanged);
    let (code, report) = shelf.report(&["audit", front.host()]);
    let results = Vec::from_iter(results(&report));
    let name = |tag: &str| format!("{}/team/app:{tag}", front.host());
    assert_eq!(results, [(name("gone"), "not-found".to_owned()), (name("v1"), "pass".to_owned())]);
    assert_eq!(code, Some(3));
}

/// Audits what keeps its blobs on storage as S3's, which is busy so often: the exit code, the result, and all that was said.
fn on_storage(busy: usize) -> (Option<i32>, String, String) {
    let shelf = signed(&["v1"]);
    let blobs: Vec<_> = shelf.kept.iter().flat_map(|(_, artifact)| artifact.blobs.clone()).collect();
    let left = AtomicUsize::new(busy);
    let refusals = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&refusals);
    // A second way of authorising is refused, and so is a request without the first.
    let storage = move |request: &Request| {
        if request.header("authorization").is_some() || !request.target.contains("sig=a%2Bb%3D") {
            counted.fetch_add(1, Ordering::Relaxed);
            return Some(Reply::new(400, "<Error><Code>InvalidArgument</Code></Error>"));
        }
        if left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Some(Reply::new(503, "<Error><Code>SlowDown</Code></Error>"));
        }
        let blob = blobs.iter().find(|blob| request.path().ends_with(&blob.descriptor.digest.to_string()));
        blob.map(|blob| Reply::ok("binary/octet-stream", blob.bytes.to_vec()))
    };
    let storage = Front::new(|_| {}, storage, unchanged);
    let place = storage.host().to_owned();
    let registry = move |request: &Request| {
        // ivy and p:w
        if request.header("authorization") != Some("Basic aXZ5OnA6dw==") {
            return Some(Reply::new(401, "").header("WWW-Authenticate", "Basic realm=\"x\""));
        }
        let digest = request.path().split_once("/blobs/").map(|(_, digest)| digest)?;
        let location = format!("http://{place}/bucket/{digest}?X-Amz-Expires=60&sig=a%2Bb%3D");
        Some(Reply::new(307, "").header("Location", &location))
    };
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), registry, unchanged);
    let arguments = ["--username", "ivy", "--password", "p:w", "--retries", "3", "-o", "json"];
    let ran = shelf.run(&[&["audit", front.host()], &arguments[..]].concat());
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(refusals.load(Ordering::Relaxed), 0, "{report}");
    (ran.code, results(&report).into_values().collect(), ran.stdout + &ran.stderr)
}

#[test]
fn r33_storage_gets_no_credentials_is_tried_again_and_its_address_is_told_to_nobody() {
    for (busy, code, result) in [(2, 0, "pass"), (1000, 3, "unreachable")] {
        let (found, results, said) = on_storage(busy);
        assert_eq!((found, results.as_str()), (Some(code), result), "{said}");
        assert!(!said.contains("sig=") && !said.contains("X-Amz"), "{said}");
    }
}

/// A place on `::1` that leads to `host`.
fn on_ipv6(host: &str) -> Option<String> {
    let listener = TcpListener::bind("[::1]:0").ok()?;
    let (place, host) = (listener.local_addr().unwrap(), host.to_owned());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (here, there) = (stream.unwrap(), TcpStream::connect(&host).unwrap());
            let pairs = [(here.try_clone().unwrap(), there.try_clone().unwrap()), (there, here)];
            for (mut from, mut to) in pairs {
                std::thread::spawn(move || {
                    let _ = std::io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    Some(place.to_string())
}

#[test]
fn r40_a_host_may_be_an_ipv6_address() {
    let shelf = signed(&["v1"]);
    let front = Front::new(|registry| shelf.put_into(registry, "team/app"), |_| None, unchanged);
    let Some(host) = on_ipv6(front.host()) else {
        return crate::skip::say("r40_a_host_may_be_an_ipv6_address", "this machine has no ::1");
    };
    assert!(host.starts_with("[::1]:"), "{host}");
    for command in ["audit", "verify"] {
        let (code, report) = shelf.report(&[command, &format!("{host}/team/app:v1")]);
        assert_eq!((code, results(&report).into_values().next().as_deref()), (Some(0), Some("pass")), "{report}");
    }
    assert_eq!(shelf.report(&["audit", &host]).0, Some(0));
}

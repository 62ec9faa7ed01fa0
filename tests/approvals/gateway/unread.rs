//! A gateway whose standard error nobody reads: what it tells keeps nobody waiting.

use muster::tsb::{self, RequestStatus};
use serde_json::json;

use super::bench::{answer, client, sign_request};
use super::process::*;

/// More events than a pipe holds.
const REQUESTS: usize = 800;

#[tokio::test]
async fn a_reader_that_does_not_read_keeps_no_request_waiting() {
    let folder = made();
    let gateway = Process::start(folder.path(), &["demo"]);
    let http = client();
    let mut last = String::new();
    for number in 0..REQUESTS {
        let request = sign_request("release", format!("payload {number}").as_bytes());
        let request = http.post(format!("{}{}", gateway.url, tsb::SIGN)).body(request.to_string());
        let (status, answer) = answer(request).await;
        assert_eq!(status, 201, "request {number}");
        last = answer["signRequestId"].as_str().unwrap().to_owned();
    }
    let alice = ["approve", &last, "--yes", "--url", &gateway.url, "--key", "demo/approvers/alice.key"];
    let approved = run(folder.path(), &alice);
    assert!(approved.status.success(), "{}", text(&approved.stderr));
    assert_eq!(gateway.state(&last).await.status, RequestStatus::Pending);
    let (status, _) = gateway.ask("release", b"once more", &json!({}), &[]).await;
    assert_eq!(status, 201);
    // Once it is read again, nothing is missing, since so many events are kept.
    let said = gateway.end(&["\"alice\" approves"]);
    assert!(said.matches("has come in").count() >= REQUESTS, "{}", said.lines().count());
}

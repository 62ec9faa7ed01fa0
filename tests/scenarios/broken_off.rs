//! Runs that end early: what has ended is told, what was running is told as not finished, and nothing is waited for.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::Path;

use muster::audit::Interrupt;
use muster::scenario::{self, CaseResult, CaseStatus, Options, Selected, Tally};

/// More than can be played while a test waits.
const LONG: &str =
    "steps:\n  - push: { count: 100000 }\n  - sign: { count: 100 }\nverify:\n  - expect: { result: pass }\n";
const SHORT: &str = "steps:\n  - push: {}\nverify:\n  - expect: { result: fail, code: unsigned }\n";

fn case(name: &str, rest: &str) -> Selected {
    let text = format!("title: {name}\n{rest}");
    let scenario = scenario::parse(text.as_bytes(), Path::new(&format!("scenarios/topic/{name}.yaml"))).unwrap();
    scenario::select(&[scenario], None).unwrap().remove(0)
}

/// Plays cases two at a time; `stop` says of each that was told whether the run is to stop.
async fn play(cases: Vec<Selected>, fail_fast: bool, stop: impl Fn(&CaseResult) -> bool) -> (Vec<CaseStatus>, Tally) {
    let interrupt = Interrupt::default();
    let mut endings = Vec::new();
    let options = Options { jobs: 2, fail_fast, ..Options::default() };
    let tally = scenario::run(cases, options, &interrupt, |result| {
        if stop(&result) {
            interrupt.raise();
        }
        endings.push(result.status);
    })
    .await;
    (endings, tally)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_told_to_stop_keeps_what_it_has() {
    let cases = vec![case("short", SHORT), case("long", LONG), case("later", LONG), case("never", SHORT)];
    let (endings, tally) = play(cases, false, |result| result.status == CaseStatus::Pass).await;
    let [CaseStatus::Pass, rest @ ..] = endings.as_slice() else { panic!("{endings:?}") };
    assert!(!rest.is_empty(), "{endings:?}");
    for status in rest {
        assert!(
            matches!(status, CaseStatus::Unfinished(why) if why.ends_with("the run was told to stop")),
            "{status:?}"
        );
    }
    let unfinished = rest.len() as u64;
    assert_eq!(tally, Tally { pass: 1, unfinished, partial: true, interrupted: true, ..Tally::default() });
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_fast_waits_for_no_case_that_was_begun_before() {
    let failing = case("failing", &SHORT.replace("unsigned", "revoked"));
    let cases = vec![case("long", LONG), failing, case("never", SHORT)];
    let (endings, tally) = play(cases, true, |_| false).await;
    let [CaseStatus::Unfinished(why), CaseStatus::Fail(_)] = endings.as_slice() else { panic!("{endings:?}") };
    assert!(why.ends_with("another case did not pass"), "{why}");
    assert_eq!(tally, Tally { fail: 1, unfinished: 1, partial: true, ..Tally::default() });
}

//! `--allow`, `--deny` and `--only`: what counts for the exit code, and which rows are shown; and what a report says of the run.

use serde_json::Value;

use super::world::World;

fn code(world: &World, arguments: &[&str]) -> Option<i32> {
    world.muster(&[&["audit"], arguments].concat()).run().code
}

#[test]
fn what_is_allowed_does_not_count_and_is_told() {
    let world = World::new();
    let (good, gone, wrong) = (world.reference("good"), world.reference("good:v2"), world.reference("wrong"));
    assert_eq!(code(&world, &[&good, &gone]), Some(3));
    assert_eq!(code(&world, &[&good, &gone, "--allow", "not-found"]), Some(0));
    assert_eq!(code(&world, &[&good, &gone, "--allow", "unreachable"]), Some(3));
    assert_eq!(code(&world, &[&good, &gone, &wrong, "--allow", "not-found"]), Some(1));
    assert_eq!(code(&world, &[&good, &gone, &wrong, "--allow", "not-found,payload-mismatch"]), Some(0));

    let run = world.muster(&["audit", &good, &gone, "--allow", "not-found", "-o", "json=r.json", "-o", "table"]).run();
    assert!(run.stdout.contains("1 error") && run.stdout.contains("\nallowed: 1 not-found\n"), "{run}");
    let report: Value = serde_json::from_slice(&std::fs::read(world.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["summary"]["results"]["error"], 1, "the report stays as it is");
    assert_eq!(report["summary"]["allowed"], serde_json::json!([{ "what": "not-found", "artifacts": 1 }]));
}

/// A registry of which nothing could be seen is no success, even where its trouble is allowed.
#[test]
fn where_only_places_were_found_nothing_was_selected() {
    let world = World::new();
    let run = world.muster(&["audit", "127.0.0.1:9", "--allow", "unreachable"]).run();
    assert_eq!(run.code, Some(4), "{run}");
    assert!(run.stdout.contains("0 artifacts judged; 1 error of a place that could not be looked at in full"), "{run}");
    let run = world.muster(&["audit", "127.0.0.1:9"]).run();
    assert_eq!(run.code, Some(3), "{run}");
}

/// What could not be decided was not judged: the gate lets nothing through that nobody has verified.
#[test]
fn where_nothing_could_be_decided_what_is_allowed_is_no_pass() {
    let world = World::new();
    for command in ["verify", "audit"] {
        let run = world.muster(&[command, "127.0.0.1:9/app:v1", "--allow", "unreachable"]).run();
        assert_eq!(run.code, Some(4), "{run}");
        assert!(run.stderr.contains("error: nothing was judged"), "{run}");
    }
    let (good, gone) = (world.reference("good:v1"), world.reference("good:v2"));
    let run = world.muster(&["verify", &gone, "--allow", "not-found"]).run();
    assert_eq!(run.code, Some(4), "{run}");
    // Beside something that was judged it does not count, and that is said.
    let run = world.muster(&["verify", &good, &gone, "--allow", "not-found"]).run();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(run.stderr.contains("note: allowed: 1 not-found"), "{run}");
}

#[test]
fn what_is_denied_ends_as_a_failure_does() {
    let world = World::new();
    let (good, late, free) = (world.reference("good"), world.reference("late"), world.reference("free"));
    assert_eq!(code(&world, &[&good, &late, &free]), Some(0));
    assert_eq!(code(&world, &[&good, &late, "--deny", "warn"]), Some(1));
    assert_eq!(code(&world, &[&good, &free, "--deny", "warn"]), Some(0));
    assert_eq!(code(&world, &[&good, &free, "--deny", "skip"]), Some(1));
    assert_eq!(code(&world, &[&good, &late, "--deny", "signature-expired"]), Some(1));
    assert_eq!(code(&world, &[&good, &world.reference("good:v2"), "--deny", "not-found"]), Some(1));
    assert_eq!(code(&world, &[&good, &late, "--deny", "warn", "--allow", "signature-expired"]), Some(0));
    let late = format!("{late}:v1");
    let run = world.muster(&["verify", &late, "--deny", "warn"]).run();
    assert_eq!(run.code, Some(1), "{run}");
    assert!(run.stderr.contains("note: denied: 1 warn"), "{run}");
}

#[test]
fn unknown_codes_are_wrong_usage_and_the_nearest_is_named() {
    let world = World::new();
    let target = world.reference("good");
    for (arguments, said) in [
        (&["--allow", "not_found"][..], "did you mean not-found?"),
        (&["--deny", "fail"], "has its exit code in any case"),
        (&["--deny", "warning"], "\"warning\" is not a code"),
        (&["--allow", "unsigned", "--deny", "unsigned"], "unsigned is both in --allow and in --deny"),
        (&["--only", "failed"], "expected pass, warn, fail, skip, error"),
        (&["--only", "fail", "-o", "json"], "--only chooses the rows of a table"),
    ] {
        let run = world.muster(&[&["audit", &target], arguments].concat()).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}\n{run}");
        assert!(run.stderr.contains(said), "{arguments:?}\n{run}");
    }
}

#[test]
fn only_chooses_rows_and_nothing_else() {
    let world = World::new();
    let host = world.registry.host();
    let run =
        world.muster(&["audit", &host, "--only", "fail,signature-expired", "-o", "table", "-o", "json=r.json"]).run();
    assert_eq!(run.code, Some(1), "{run}");
    let rows: Vec<_> = run.stdout.lines().filter(|line| line.contains("@sha256:") && line.contains(&host)).collect();
    assert_eq!(rows.len(), 3, "{run}");
    assert!(run.stdout.contains("6 artifacts judged: 2 pass, 1 warn, 2 fail, 1 skip"), "{run}");
    let report: Value = serde_json::from_slice(&std::fs::read(world.path("r.json")).unwrap()).unwrap();
    assert_eq!(report["artifacts"].as_array().unwrap().len(), 6);
}

#[test]
fn a_report_says_when_and_how_much() {
    let world = World::new();
    let run = world.muster(&["audit", &world.registry.host(), "-o", "json"]).run();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let summary = &report["summary"];
    let effort = &summary["effort"];
    assert_eq!(effort["started"], report["header"]["started"]);
    assert!(effort["ended"].as_str() >= effort["started"].as_str(), "{effort}");
    assert!(effort["requests"].as_u64() > Some(6) && effort["bytes"].as_u64() > Some(1000), "{effort}");
    assert_eq!((&effort["retries"], &effort["refusals"]), (&0.into(), &0.into()));
    assert_eq!((&summary["tags"], &summary["digests"]), (&6.into(), &6.into()));
    assert_eq!(summary["repositories"].as_array().unwrap().len(), 6);
}

#[test]
fn a_time_from_now_on_is_written_out() {
    let world = World::new();
    let run = super::program::muster(&[
        "audit",
        &world.reference("good"),
        "--config",
        "config",
        "--at",
        "+30d",
        "-o",
        "json",
    ])
    .folder(&world.path(""))
    .run();
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let read = |name: &str| {
        let text = report["header"][name].as_str().unwrap();
        time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).unwrap()
    };
    assert_eq!(read("at") - read("started"), time::Duration::days(30));
}

//! `muster audit` over a whole registry, and what its reports say.

use std::io::Read;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use muster::forge::registry::{Effect, Fault, RouteKind};
use serde_json::Value;

use super::world::World;

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_registry_becomes_one_report() {
    let world = World::new();
    let run = world.muster(&["audit", &world.registry.host()]).run();
    insta::assert_snapshot!(world.steady(run));
}

#[test]
fn every_format_at_once_and_all_agree() {
    let world = World::new();
    let outputs = ["-o", "ndjson", "-o", "json=r.json", "-o", "junit=r.xml", "-o", "table=r.txt"];
    let host = world.registry.host();
    let run = world.muster(&[&["audit", &host], &outputs[..]].concat()).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(1), ""), "{run}");
    let text = |name: &str| std::fs::read_to_string(world.path(name)).unwrap();

    let document: Value = serde_json::from_str(&text("r.json")).unwrap();
    assert_eq!(document["artifacts"], Value::from(lines(&run.stdout)));
    let schema: Value = serde_json::from_str(muster::report::v1::SCHEMA).unwrap();
    assert!(jsonschema::is_valid(&schema, &document));
    assert_eq!(document["header"]["at"], super::world::AT);
    assert_eq!(document["header"]["targets"], Value::from(vec![host]));
    assert_eq!(document["header"]["policy"]["path"], "config/trustpolicy.json");
    let policy = std::fs::read(world.path("config/trustpolicy.json")).unwrap();
    let digest = muster::digest::Digest::sha256(&policy).to_string();
    assert_eq!(document["header"]["policy"]["digest"], digest);
    assert_eq!(document["summary"]["partial"], false);
    let results = serde_json::json!({ "pass": 2, "warn": 1, "fail": 2, "skip": 1, "error": 0 });
    assert_eq!(document["summary"]["results"], results);
    let summary = &document["summary"];
    assert_eq!((&summary["covering"], &summary["covered"]), (&1.into(), &2.into()), "{summary}");
    assert_eq!(document["header"].get("layoutNames"), None);

    let xml = text("r.xml");
    assert!(xml.contains(r#"<testsuites name="muster" tests="6" failures="2" errors="0" time="#), "{xml}");
    assert_eq!((xml.matches("<testsuite ").count(), xml.matches("<skipped/>").count()), (7, 1), "{xml}");
    assert!(text("r.txt").contains("6 artifacts judged: 2 pass, 1 warn, 2 fail, 1 skip"));
    assert!(!text("r.txt").contains('\u{1b}'));
}

#[test]
fn a_line_of_ndjson_holds_every_validation() {
    let world = World::new();
    let run = world.muster(&["audit", &world.reference("late"), "-o", "ndjson"]).run();
    assert_eq!(run.code, Some(0), "{run}");
    let pretty = serde_json::to_string_pretty(&lines(&run.stdout)[0]).unwrap();
    insta::assert_snapshot!(world.steady(super::program::Finished { stdout: pretty, ..run }));
}

#[test]
fn colour_is_for_terminals_or_when_told() {
    let world = World::new();
    let target = world.reference("good");
    let colored = |run: super::program::Program| run.run().stdout.contains("\u{1b}[");
    assert!(!colored(world.muster(&["audit", &target])));
    assert!(colored(world.muster(&["audit", &target, "--color", "always"])));
    assert!(!colored(world.muster(&["audit", &target, "--color", "never"]).env("CLICOLOR_FORCE", "1")));
    assert!(colored(world.muster(&["audit", &target]).env("CLICOLOR_FORCE", "1")));
}

#[test]
fn lists_name_targets_and_each_is_judged_once() {
    let world = World::new();
    let list =
        format!("\u{feff}# ours\r\n{0}\r\n\r\n{1}:v1\r\n{0}\r\n", world.reference("good"), world.reference("free"));
    std::fs::write(world.path("list.txt"), &list).unwrap();
    let from_file = world.muster(&["audit", "@list.txt", "-o", "ndjson"]).run();
    let from_stdin = world.muster(&["audit", "-", "-o", "ndjson"]).input(list).run();
    assert_eq!(from_file, from_stdin);
    assert_eq!((from_file.code, lines(&from_file.stdout).len()), (Some(0), 2), "{from_file}");
    assert!(from_file.stderr.contains("note: 1 target was named before"), "{from_file}");

    let wrong = world.muster(&["audit", "-"]).input("good.io/a\nnot a target\n").run();
    assert_eq!((wrong.code, wrong.stdout.as_str()), (Some(2), ""));
    assert!(wrong.stderr.contains("standard input:2: "), "{wrong}");
}

#[test]
fn selection_by_globs_and_platforms() {
    let world = World::new();
    let host = world.registry.host();
    let references = |arguments: &[&str]| {
        let run = world.muster(&[&["audit", &host, "-o", "ndjson"], arguments].concat()).run();
        let names = lines(&run.stdout).into_iter().map(|line| {
            let name = line["reference"].as_str().unwrap().replace(&host, "");
            format!("{name}{}", line["platform"].as_str().map(|platform| format!(" {platform}")).unwrap_or_default())
        });
        (run.code, names.collect::<Vec<_>>())
    };
    let only = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(references(&["--include", "**/{good,free}"]), (Some(0), only(&["/free:v1", "/good:v1"])));
    assert_eq!(
        references(&["--include", "**/set", "--platform", "linux/amd64"]).1,
        only(&["/set:v1", "/set:v1 linux/amd64"])
    );
    assert_eq!(references(&["--include", "**/set"]), (Some(0), only(&["/set:v1"])));
    let all = only(&["/set:v1", "/set:v1 linux/amd64", "/set:v1 linux/arm64"]);
    assert_eq!(references(&["--include", "**/set", "--platform", "all"]), (Some(1), all));
    let (code, rest) = references(&["--exclude", "**/*:v1"]);
    assert_eq!((code, rest), (Some(4), only(&[])));
}

#[test]
fn exit_codes_are_those_of_the_table() {
    let world = World::new();
    let code = |names: &[&str]| {
        let targets: Vec<_> = names.iter().map(|name| world.reference(name)).collect();
        let targets: Vec<_> = targets.iter().map(String::as_str).collect();
        world.muster(&[&["audit"], &targets[..]].concat()).run().code.unwrap()
    };
    for (names, expected) in [
        (&["good"][..], 0),
        (&["late", "free"], 0),
        (&["good", "unsigned"], 1),
        (&["good:v2"], 3),
        (&["good:v2", "wrong"], 1),
        (&["good", "nowhere"], 3),
    ] {
        assert_eq!(code(names), expected, "{names:?}");
    }
}

#[test]
fn trouble_is_an_error_and_never_a_failure() {
    let world = World::new();
    world.registry.fail(Fault::next(usize::MAX, RouteKind::Referrers, Effect::Status(403, None)));
    let run = world.muster(&["audit", &world.reference("good"), &world.reference("unsigned"), "-o", "ndjson"]).run();
    assert_eq!(run.code, Some(3), "{run}");
    for line in lines(&run.stdout) {
        assert_eq!((&line["result"], &line["code"]), (&"error".into(), &"access-denied".into()), "{line}");
    }
}

#[test]
fn wrong_input_stops_before_anything_is_asked() {
    let world = World::new();
    let target = world.reference("good");
    std::fs::write(world.path("broken.json"), "{").unwrap();
    let before = world.registry.requests();
    for arguments in [
        &["--policy", "broken.json"][..],
        &["--policy", "missing.json"],
        &["-o", "json=missing/folder/r.json"],
        &["-o", "json", "-o", "table"],
        &["-o", "json=r", "-o", "junit=r"],
        &["-o", "json=r", "-o", "junit=./r"],
        &["--include", "["],
        &["--username", "u"],
        &["--ca-file", "missing.pem"],
        &["other.io/b", "--username", "u", "--password", "hunter2"],
        &["@missing.txt"],
        &["-", "--username", "u", "--password-stdin"],
    ] {
        let run = world.muster(&[&["audit", &target], arguments].concat()).run();
        assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{arguments:?}\n{run}");
        assert!(run.stderr.starts_with("error"), "{arguments:?}\n{run}");
        assert!(!run.stderr.contains("hunter2"), "{run}");
    }
    assert_eq!(world.registry.requests(), before);
}

#[cfg(unix)]
#[test]
fn what_is_no_regular_file_is_called_what_it_is() {
    let world = World::new();
    let target = world.reference("good");
    let run = world.muster(&["audit", &target, "--ca-file", "/dev/zero"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (Some(2), ""), "{run}");
    assert!(run.stderr.contains("--ca-file: the file \"/dev/zero\" is a device, not a regular file"), "{run}");
    let run = world.muster(&["audit", "oci-archive:/dev/zero", "-o", "ndjson"]).run();
    assert_eq!(run.code, Some(3), "{run}");
    let line: Value = serde_json::from_str(run.stdout.lines().next().unwrap()).unwrap();
    assert_eq!(line["code"], "file-unusable", "{run}");
    assert!(line["message"].as_str().unwrap().contains("is a device, not a regular file"), "{line}");
}

/// One statement, of level skip, can do without the store: so the run goes on.
#[test]
fn a_broken_trust_store_leaves_artifacts_undecided_and_a_missing_one_fails_them() {
    let world = World::new();
    let target = world.reference("good");
    let store = world.path("config/truststore/x509/ca/wabbit");
    std::fs::write(store.join("junk.pem"), "junk").unwrap();
    let broken = world.muster(&["audit", &target, "-o", "ndjson"]).run();
    assert_eq!(broken.code, Some(3), "{broken}");
    assert!(broken.stderr.starts_with("warning: ") && broken.stderr.contains("junk.pem"), "{broken}");
    assert_eq!(lines(&broken.stdout)[0]["code"], "trust-store-invalid");

    std::fs::remove_dir_all(&store).unwrap();
    let missing = world.muster(&["audit", &target, "-o", "ndjson"]).run();
    assert_eq!(missing.code, Some(1), "{missing}");
    assert!(missing.stderr.starts_with("warning: "), "{missing}");
    assert_eq!(lines(&missing.stdout)[0]["code"], "trust-store-missing");
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_leaves_a_valid_partial_report() {
    let world = World::new();
    let silence = Effect::Delay(Duration::from_secs(60));
    world.registry.fail(Fault::next(usize::MAX, RouteKind::Referrers, silence));
    let targets = [world.reference("free:v1"), world.reference("good:v1")];
    let arguments = ["audit", &targets[0], &targets[1], "-o", "ndjson", "-o", "json=r.json", "-o", "junit=r.xml"];
    let child = world.muster(&arguments).start();
    // Two manifests, and the signatures of one: nothing more will be answered.
    for _ in 0..3000 {
        if world.registry.requests() >= 3 {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_secs(1));
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();

    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let document: Value = serde_json::from_str(&std::fs::read_to_string(world.path("r.json")).unwrap()).unwrap();
    assert_eq!(document["summary"]["partial"], true);
    assert_eq!(document["artifacts"], Value::from(lines(std::str::from_utf8(&output.stdout).unwrap())));
    assert_eq!(document["artifacts"].as_array().unwrap().len(), 1, "{document}");
    let xml = std::fs::read_to_string(world.path("r.xml")).unwrap();
    assert!(xml.contains(r#"name="partial" value="true""#) && xml.trim_end().ends_with("</testsuites>"), "{xml}");
    assert_eq!(std::fs::read_dir(world.path("")).unwrap().count(), 3, "something half written is left");
}

#[test]
fn a_reader_that_goes_away_ends_the_run_quietly() {
    let world = World::new();
    for number in 0..200 {
        world.put(&format!("many/{number}"), Some("v1"), &muster::forge::Artifact::image("many"));
    }
    let mut child = world.muster(&["audit", &world.registry.host(), "-o", "ndjson"]).start();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let code = child.wait().unwrap().code();
    assert_eq!(said, "");
    // All fits into one write on some systems, and then the verdict is complete.
    assert!(matches!(code, Some(130 | 1)), "{code:?}");
}

/// `ln -s reports/today.json latest.json`, before there is a first report: the link stays.
#[cfg(unix)]
#[test]
fn a_report_goes_where_a_link_leads_be_it_there_or_not() {
    let world = World::new();
    let good = world.reference("good");
    std::fs::create_dir(world.path("reports")).unwrap();
    std::os::unix::fs::symlink("reports/today.json", world.path("latest.json")).unwrap();
    for _ in 0..2 {
        let run = world.muster(&["audit", &good, "-o", "json=latest.json"]).run();
        assert_eq!(run.code, Some(0), "{run}");
        assert!(world.path("latest.json").symlink_metadata().unwrap().is_symlink());
        assert!(world.path("reports/today.json").symlink_metadata().unwrap().is_file());
    }
    let twice = ["audit", &good, "-o", "json=latest.json", "-o", "junit=reports/../reports/today.json"];
    let run = world.muster(&twice).run();
    assert_eq!(run.code, Some(2), "{run}");
    assert!(run.stderr.contains("two outputs go to"), "{run}");
    std::os::unix::fs::symlink("loop", world.path("loop")).unwrap();
    let run = world.muster(&["audit", &good, "-o", "json=loop"]).run();
    assert_eq!(run.code, Some(2), "{run}");
}

/// `/dev/stderr` of a process whose errors are read by another, and `>(…)` of a shell, lead to what has no place in any folder.
#[cfg(target_os = "linux")]
#[test]
fn a_report_goes_to_a_pipe_that_is_open_already() {
    let world = World::new();
    let run = world.muster(&["audit", &world.reference("good:v1"), "--quiet", "-o", "ndjson=/dev/stderr"]).run();
    assert_eq!(run.code, Some(0), "{run}");
    let lines: Vec<Value> = run.stderr.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert!(lines.len() == 1 && lines[0]["result"] == "pass", "{run}");
}

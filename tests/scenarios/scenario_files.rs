//! Bad scenario files: one named test a row of section I of `docs/bad-inputs.md`. A scenario that is refused never
//! runs, and says with file, line and column why.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::Duration;

use muster::audit::Interrupt;
use muster::diagnostic::Diagnostic;
use muster::scenario::{self, CaseStatus, Options, Project, Scenario};
use tempfile::TempDir;

pub(crate) const SOUND: &str =
    "title: sound\nsteps:\n  - push: {}\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";

fn parse(text: impl AsRef<[u8]>) -> Result<Scenario, Vec<Diagnostic>> {
    scenario::parse(text.as_ref(), Path::new("scenarios/topic/case.yaml"))
}

/// The text is refused with `code` at `place` (line and column), and the message and help say `says`.
#[track_caller]
pub(crate) fn refused(text: impl AsRef<[u8]>, code: &str, place: (usize, usize), says: &str) {
    let errors = parse(text).expect_err("taken");
    let found: Vec<String> = errors.iter().map(ToString::to_string).collect();
    let fits = |error: &&Diagnostic| error.code == code && error.to_string().contains(says);
    let error =
        errors.iter().find(fits).unwrap_or_else(|| panic!("no {code} that says {says:?}:\n{}", found.join("\n")));
    let span = error.span.expect("a place");
    assert_eq!((span.line, span.column), place, "{error}");
    assert_eq!(error.file, "scenarios/topic/case.yaml");
    assert!(error.help.is_some(), "{error}");
    assert!(!error.to_string().contains(|c: char| c.is_control() && c != '\n'), "{error:?}");
}

/// A project with a scenario of this text, in `scenarios/topic/case.yaml`.
pub(crate) fn project(text: &str) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("scenarios/topic/case.yaml");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

pub(crate) fn muster(arguments: &[&str], folder: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(folder).env("HOME", "/nonexistent").output().unwrap()
}

fn play(text: &str) -> CaseStatus {
    let cases = scenario::select(&[parse(text).unwrap()], None).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let mut endings = Vec::new();
    let interrupt = Interrupt::default();
    runtime.block_on(scenario::run(cases, Options::default(), &interrupt, |result| endings.push(result.status)));
    assert_eq!(endings.len(), 1);
    endings.remove(0)
}

#[test]
fn i00_the_sound_one_is_taken_and_passes() {
    assert_eq!(play(SOUND), CaseStatus::Pass);
}

#[test]
fn i01_yaml_bombs() {
    let mut bomb = String::from("title: x\nspec:\n  - &a0 [x, x]\n");
    for level in 1..30 {
        bomb += &format!("  - &a{level} [*a{0}, *a{0}, *a{0}, *a{0}]\n", level - 1);
    }
    let read = || parse(&bomb).unwrap_err();
    let errors = crate::processor_time::within(Duration::from_secs(5), "a bomb", read);
    // It ends where the first type is wrong: nothing was expanded.
    assert_eq!((errors.len(), errors[0].code, errors[0].span.unwrap().line), (1, "wrong-type", 3), "{errors:?}");
    refused("title: &t x\nspec: *t\n", "yaml-limit", (1, 11), "anchors and aliases are not allowed");
}

#[test]
fn i02_duplicate_keys() {
    refused("title: x\ntitle: y\n", "duplicate-key", (2, 1), "\"title\" is given twice");
    refused("title: x\nkeys:\n  a: {}\n  a: {}\n", "duplicate-key", (4, 3), "\"a\" is given twice");
    let same = "title: x\nsteps: [{ push: {} }]\nverify:\n  - expect: { result: fail, code: unsigned, result: pass }\n";
    refused(same, "duplicate-key", (4, 45), "\"result\"");
}

#[test]
fn i03_tabs() {
    let errors = parse("title: x\nsteps:\n\t- push: {}\n").unwrap_err();
    assert_eq!((errors[0].code, errors[0].span.unwrap().line), ("yaml-syntax", 3), "{}", errors[0]);
}

#[test]
fn i04_merge_keys() {
    refused("title: x\nkeys:\n  b: { <<: { issuer: self } }\n", "merge-key", (3, 8), "write the keys out");
}

#[test]
fn i05_a_gibibyte() {
    let (_folder, file) = project("");
    std::fs::File::options().write(true).open(&file).unwrap().set_len(1 << 30).unwrap();
    let errors = scenario::read(&file).unwrap_err();
    assert_eq!(errors[0].code, "unreadable-file");
    assert!(errors[0].message.contains("longer than the 1048576 bytes"), "{}", errors[0]);
}

#[test]
fn i06_deep_nesting() {
    for (open, close) in [("[", "]"), ("{a: ", "}")] {
        let text = format!("title: x\nspec: {}x{}\n", open.repeat(100_000), close.repeat(100_000));
        let errors = parse(&text).unwrap_err();
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
    let block: String = (0..5000).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect();
    assert!(parse(format!("title: x\nspec:\n{block}")).is_err());
}

#[test]
fn i07_unknown_keys() {
    refused("title: x\nverfy: []\n", "unknown-key", (2, 1), "did you mean \"verify\"?");
    refused("title: x\nsteps:\n  - push: { too: a.io/b:c }\n", "unknown-key", (3, 13), "did you mean \"to\"?");
    refused("title: x\nsteps:\n  - pusch: {}\n", "unknown-word", (3, 5), "did you mean \"push\"?");
    refused("title: x\nsteps:\n  - sign: { format: jwt }\n", "unknown-word", (3, 21), "did you mean \"jws\"?");
    refused("title: x\nsteps:\n  - sign: { key: bilder }\n", "unknown-artifact", (3, 5), "push it in a step before");
    let key = "title: x\nsteps:\n  - push: {}\n  - sign: { key: bilder }\nverify: [{ expect: { result: pass } }]\n";
    refused(key, "unknown-name", (4, 18), "did you mean \"builder\"?");
    let artifact = SOUND.replace("sign: {}", "sign: { artifact: registry.wabbit-networks.io/net-moniter:v1 }");
    refused(&artifact, "unknown-artifact", (4, 23), "did you mean \"registry.wabbit-networks.io/net-monitor:v1\"?");
    let host = SOUND.replace("sign: {}", "sign: { artifact: registry.wabit-networks.io/net-monitor:v1 }");
    refused(&host, "unknown-name", (4, 23), "did you mean \"registry.wabbit-networks.io\"?");
}

/// What is done under one name of an artifact is done under each.
#[test]
fn i07_names_of_one_artifact() {
    let many = "  - push: { count: 2 }\n  - push: { to: registry.wabbit-networks.io/net-monitor:latest }\n  - retag: { tag: latest }\n";
    refused(format!("title: x\nsteps:\n{many}"), "invalid-count", (5, 19), "names 1 artifacts");
    let gone = "  - push: {}\n  - retag: { tag: latest }\n  - delete: {}\n  - sign: { artifact: registry.wabbit-networks.io/net-monitor:latest }\n";
    refused(format!("title: x\nsteps:\n{gone}"), "unknown-artifact", (6, 23), "push it in a step before");
}

#[test]
fn i08_wrong_types() {
    for (text, code, place, says) in [
        ("title: [x]\n", "wrong-type", (1, 8), ""),
        ("title: x\nsteps: {}\n", "wrong-type", (2, 8), "begin each entry with -"),
        (
            "title: x\nverify:\n  - platforms: [windows]\n    expect: { result: pass }\n",
            "invalid-value",
            (3, 17),
            "write linux",
        ),
        (
            "title: x\nverify:\n  - platforms: [linux/arm64]\n    expect: { result: pass }\n",
            "contradiction",
            (3, 17),
            "none is",
        ),
        ("title: x\nverify:\n  - expect: pass\n", "wrong-type", (3, 13), "this is not a mapping"),
        ("title: x\nsteps:\n  - push: ~\n", "wrong-type", (3, 11), "{} for nothing"),
        ("title: x\nsteps:\n  - push\n  - sign: {}\n", "wrong-type", (3, 5), "a step with its members, as push: {}"),
        ("title: x\nsteps:\n  - delete\n  - signature: 0\n", "wrong-type", (3, 5), "as push: {}"),
        ("title: x\nsteps:\n  - {}\n", "invalid-value", (3, 5), "the step is empty"),
        ("title: x\nsteps:\n  - push: {}\n    sign: {}\n", "invalid-value", (3, 5), "an entry holds one step"),
        ("title: x\nsteps:\n  - push: { count: many }\n", "wrong-type", (3, 20), ""),
        ("title: x\nsteps:\n  - push: { count: -1 }\n", "wrong-type", (3, 20), ""),
        ("title: x\nsteps:\n  - advance: tomorrow\n", "invalid-value", (3, 14), "write 30d, -12h"),
        ("title: x\nsteps:\n  - advance: -1d\n", "invalid-value", (3, 14), "time does not go backwards"),
        ("title: x\nnow: yesterday\n", "invalid-value", (2, 6), "2026-01-01T00:00:00Z"),
        ("title: x\nsteps:\n  - push: { to: net-monitor }\n", "invalid-value", (3, 17), "host"),
        ("title: x\nkeys:\n  k: { subject: nobody }\n", "invalid-subject", (3, 17), "C=US, ST=WA"),
        ("title: x\ntrustStores: { ca: { x: [] } }\n", "invalid-value", (2, 25), "write \"broken\""),
        ("title: x\ntrustStores: { ca: { ../x: broken } }\n", "invalid-store", (2, 22), "letters, digits"),
        ("title: x\nregistries:\n  a.io: { kind: container }\n", "registry-kind", (3, 17), "needs image"),
        ("title: x\nregistries:\n  a.io: { address: b.io }\n", "registry-kind", (3, 20), "remove address"),
        ("title: x\nsteps:\n  - push: { count: 0 }\n", "invalid-count", (3, 20), "between 1 and"),
        ("title: ''\n", "title-missing", (1, 8), "say what"),
    ] {
        refused(text, code, place, says);
    }
}

#[test]
fn i09_relative_paths_that_leave_the_project() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("policy.json"), "{}").unwrap();
    let absolute = outside.path().join("policy.json");
    let (folder, file) = project("");
    std::fs::create_dir(folder.path().join("policies")).unwrap();
    let policy = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies/wabbit-networks.json");
    std::fs::copy(policy, folder.path().join("policies/wabbit.json")).unwrap();
    let with = |policy: &str| {
        let text = SOUND.replace("- expect", &format!("- policy: '{policy}'\n    expect"));
        std::fs::write(&file, text).unwrap();
        scenario::read(&file)
    };
    with("../../policies/wabbit.json").unwrap();
    with("../../policies/./../policies/wabbit.json").unwrap();
    for policy in [
        "../../../../../../../../etc/passwd",
        "../../../policy.json",
        "../../../project/policies/wabbit.json",
        "/etc/passwd",
        absolute.to_str().unwrap(),
        "",
        "../../policies",
        "../../policies/none.json",
    ] {
        let errors = with(policy).unwrap_err();
        assert!(matches!(errors[0].code, "policy-path" | "invalid-policy" | "unreadable-file"), "{policy}: {errors:?}");
        assert!(!errors.iter().any(|error| error.to_string().contains("root:")), "{policy}");
    }
}

#[cfg(unix)]
#[test]
fn i10_symbolic_links() {
    use std::os::unix::fs::symlink;
    let (folder, file) = project(SOUND);
    let link = file.with_file_name("link.yaml");
    symlink(&file, &link).unwrap();
    assert_eq!(scenario::read(&link).unwrap_err()[0].code, "unreadable-file");
    std::fs::remove_file(&link).unwrap();

    symlink(folder.path(), folder.path().join("scenarios/loop")).unwrap();
    symlink(&file, folder.path().join("scenarios/link.yaml")).unwrap();
    let found = scenario::load_in(&Project::default(), &[folder.path().join("scenarios")]).unwrap();
    assert_eq!(found.scenarios.len(), 1);
    assert_eq!(found.passed_over, [folder.path().join("scenarios/link.yaml")]);
    let errors = scenario::load(&[folder.path().join("scenarios/loop")]).unwrap_err();
    assert!(errors[0].message.contains("a symbolic link"), "{}", errors[0]);
    std::fs::remove_file(folder.path().join("scenarios/loop")).unwrap();
    std::fs::remove_file(folder.path().join("scenarios/link.yaml")).unwrap();

    symlink("/etc", folder.path().join("policies")).unwrap();
    std::fs::write(&file, SOUND.replace("- expect", "- policy: ../../policies/passwd\n    expect")).unwrap();
    let errors = scenario::read(&file).unwrap_err();
    assert_eq!(errors[0].code, "policy-path");
    assert!(errors[0].message.contains("a symbolic link"), "{}", errors[0]);
}

#[test]
fn i11_nothing_is_interpolated() {
    let text =
        "title: ${HOME} $(id) `id` %PATH%\nspec: $PATH\nverify:\n  - expect: { result: error, code: not-found }\n";
    let scenario = parse(text).unwrap();
    assert_eq!(scenario.title, "${HOME} $(id) `id` %PATH%");
    assert_eq!(scenario.spec.as_deref(), Some("$PATH"));
    let include = "title: x\nspec: !include /etc/passwd\nverify:\n  - expect: { result: error, code: not-found }\n";
    let errors = parse(include).unwrap_err();
    assert_eq!(errors[0].span.unwrap().line, 2, "{}", errors[0]);
}

#[test]
fn i12_filters_are_globs_that_take_no_time() {
    let scenarios = [parse(SOUND).unwrap()];
    let count = |filter: &str| scenario::select(&scenarios, Some(filter)).map(|cases| cases.len());
    assert_eq!(count("topic"), Ok(1));
    assert_eq!(count("topic/*"), Ok(1));
    assert_eq!(count("*[jws]*"), Ok(0));
    assert_eq!(count("(a+)+$"), Ok(0));
    assert!(count("{topic").is_err());
    let long = "*a".repeat(2000);
    assert_eq!(crate::processor_time::within(Duration::from_secs(5), "a long pattern", || count(&long)), Ok(0));
}

#[test]
fn i13_unknown_verdicts() {
    refused(
        "title: x\nverify:\n  - expect: { result: passed }\n",
        "unknown-word",
        (3, 23),
        "expected one of \"pass\", \"warn\"",
    );
    refused("title: x\nverify:\n  - expect: {}\n", "missing-key", (3, 13), "\"result\"");
    let code = "title: x\nverify:\n  - expect: { result: fail, code: unsined }\n";
    refused(code, "unknown-word", (3, 35), "did you mean \"unsigned\"?");
    let check = "title: x\nverify:\n  - expect: { result: pass, checks: { expiry: passes } }\n";
    refused(check, "unknown-word", (3, 47), "write pass, fail, skip");
}

/// Nothing behind a key is no expectation, and would let a case pass that seems to have one.
#[test]
fn i27_nothing_behind_a_key() {
    for (text, place) in [
        ("title: x\nnow:\nverify: [{ expect: { result: skip } }]\n", (2, "now")),
        ("title: x\nnow: null\nverify: [{ expect: { result: skip } }]\n", (2, "now")),
        ("title: x\nkeys: { k: { policy: ~ } }\nverify: [{ expect: { result: skip } }]\n", (2, "policy")),
        ("title: x\nsteps:\n  - push: {}\n  - sign:\n      expect:\n        # refused\n", (5, "expect")),
        ("title: x\nsteps: [{ push: {} }, { sign: { expect: { refused: } } }]\nverify: []\n", (2, "refused")),
        ("title: x\nverify:\n  - expect:\n      result: pass\n      signatures:\n", (5, "signatures")),
        ("title: x\nverify:\n  - expect: { result: pass, checks: { expiry: null } }\n", (3, "expiry")),
        ("title: x\nsteps: [{ attach: { name: a, artifactType: a/b, content: } }]\n", (2, "content: }")),
    ] {
        let text =
            format!("{text}{}", if text.contains("verify") { "" } else { "verify: [{ expect: { result: skip } }]\n" });
        refused_at(&text, "wrong-type", place, "remove the key");
    }
    // What is no part of the language may hold it.
    let attach = "attach: { name: a, artifactType: a/b, content: { predicate: null, list: [null] } }";
    parse(SOUND.replace("  - sign: {}", &format!("  - sign: {{}}\n  - {attach}"))).unwrap();
}

#[test]
fn i14_contradictory_expectations() {
    let expecting = |expect: &str| format!("title: x\nverify:\n  - expect: {expect}\n");
    for (expect, column, says) in [
        ("{ result: fail }", 23, "but not why"),
        ("{ result: warn }", 23, "but not why"),
        ("{ result: error }", 23, "but not why"),
        ("{ result: pass, code: unsigned }", 35, "has no code"),
        ("{ result: skip, code: unsigned }", 35, "has no code"),
        ("{ result: error, code: unsigned }", 36, "never gives the result error"),
        ("{ result: fail, code: timed-out }", 35, "never gives the result fail"),
        ("{ result: pass, checks: { integrity: fail } }", 50, "integrity is never fail"),
        ("{ result: pass, checks: { expiry: signature-expired } }", 47, "expiry is never signature-expired"),
        ("{ result: pass, checks: { expiry: not-reached } }", 47, "expiry is never not-reached"),
        ("{ result: fail, code: unsigned, checks: { integrity: skip } }", 66, "always validated first"),
        ("{ result: pass, signatures: 0 }", 23, "nothing passes without a signature"),
        ("{ result: fail, code: unsigned, signatures: 0, checks: { expiry: pass } }", 78, "no signature is expected"),
    ] {
        refused(expecting(expect), "contradiction", (3, column), says);
    }
    let twice = format!("{SOUND}  - expect: {{ result: fail, code: unsigned }}\n");
    refused(&twice, "contradiction", (7, 23), "was expected otherwise on line 6");
}

/// A scenario whose authority publishes both, with these steps and this expectation.
fn revoking(steps: &str, expect: &str) -> String {
    format!(
        "title: x\nauthorities: {{ wabbit: {{ crl: true, ocsp: true }} }}\nsteps:\n  - push: {{}}\n{steps}verify:\n  - expect: {expect}\n"
    )
}

/// The text is refused with `code` on `line`, where `token` stands last on it.
#[track_caller]
pub(crate) fn refused_at(text: &str, code: &str, (line, token): (usize, &str), says: &str) {
    let column = text.lines().nth(line - 1).and_then(|text| text.rfind(token)).expect("the token") + 1;
    refused(text, code, (line, column), says);
}

#[test]
fn i14_contradictions_of_what_answers_beside_registries() {
    for (step, code, token, says) in [
        ("revoke: { certificate: bilder }", "unknown-name", "bilder", "did you mean \"builder\"?"),
        ("revoke: { certificate: wabbit }", "contradiction", "wabbit", "certifies itself"),
        ("revoke: { certificate: builder, reason: theft }", "unknown-word", "theft", "expected one of"),
        ("restore: { certificate: builder }", "contradiction", "builder", "was not put on hold before"),
        ("respond: { crl: stalle }", "unknown-word", "stalle", "did you mean \"stale\"?"),
        ("respond: { ocsp: pem }", "unknown-word", "pem", "is not a word"),
        ("respond: { delta: stale }", "contradiction", "stale", "publishes no delta CRL"),
        ("respond: {}", "contradiction", "respond", "this changes nothing"),
        ("fault: { on: blob, answer: corrupt, times: 0 }", "invalid-count", "0 }", "write 1 or more"),
        ("respond: { authority: wabit }", "unknown-name", "wabit", "did you mean \"wabbit\"?"),
        ("retag: { tag: \"a b\" }", "unknown-artifact", "\"a b", "write a tag, as latest"),
        ("retag: { tag: v1 }", "unknown-artifact", "v1", "names this artifact already"),
        (
            "retag: { artifact: registry.wabbit-networks.io/net-monitor:v3, tag: a }",
            "unknown-artifact",
            "reg",
            "v3 before this",
        ),
        ("sign: { timestamp: time }", "unknown-name", "time }", "there is no time stamping authority"),
        ("sign: { timestamp: { by: time } }", "unknown-name", "time }", "there is no time stamping authority"),
        ("sign: { timestamp: { by: time, defects: [late] } }", "unknown-word", "late", "expected one of"),
    ] {
        let text = revoking(&format!("  - {step}\n"), "{ result: fail, code: unsigned }");
        refused_at(&text, code, (5, token), says);
    }
    for (expect, code, token, says) in [
        ("{ result: pass, revocation: { builder: revoked } }", "contradiction", "revoked", "no certificate is revoked"),
        ("{ result: pass, revocation: { bilder: good } }", "unknown-name", "bilder", "did you mean \"builder\"?"),
        ("{ result: pass, revocation: { builder: fine } }", "unknown-word", "fine", "nothing that is known"),
        ("{ result: pass, timestamp: time }", "unknown-name", "time }", "there is no time stamping authority"),
        (
            "{ result: pass, requests: { wabbit: { delta: 1 } } }",
            "contradiction",
            "1 }",
            "nothing that answers as delta",
        ),
        ("{ result: pass, requests: { wabbit: {} } }", "contradiction", "wabbit", "no number of requests"),
        ("{ result: pass, requests: { wabit: { crl: 1 } } }", "unknown-name", "wabit", "did you mean \"wabbit\"?"),
    ] {
        refused_at(&revoking("", expect), code, (6, token), says);
    }
    for (world, code, token, says) in [
        ("authorities: { a: { issuer: b }, b: {} }", "unknown-name", "b }, b", "stands below this one"),
        ("authorities: { a/b: { crl: true } }", "invalid-name", "a/b", "cannot stand in the address"),
        ("authorities: { a: { crl: maybe } }", "wrong-type", "crl: maybe", "true, false or a mapping"),
        ("authorities: { a: { crl: { fails: tired } } }", "unknown-word", "tired", "is not a word"),
        ("authorities: { a: { crl: { validFor: -1d } } }", "invalid-value", "-1d", "not longer than nothing"),
        ("authorities: { a: { crl: { deltaFails: stale } } }", "contradiction", "stale", "publishes no delta CRL"),
        (
            "authorities: { a: { crl: true }, b: { crl: { url: \"http://x.example/a.crl\" } } }",
            "contradiction",
            "\"http",
            "answers at the path",
        ),
        ("timestampAuthorities: { t: { issuer: nobody } }", "unknown-name", "nobody", "there is no authority"),
        ("timestampAuthorities: { t: { defects: [old] } }", "unknown-word", "old", "expected one of"),
        ("plugins: { a/b: {} }", "invalid-name", "a/b", "is no file name of a plugin"),
        ("plugins: { p: { capabilities: [fly] } }", "unknown-word", "fly", "expected one of"),
        (
            "plugins: { p: { capabilities: [trusted-identity], refuses: [revocation-check] } }",
            "contradiction",
            "p: {",
            "which it cannot do",
        ),
    ] {
        refused_at(&format!("title: x\n{world}\nverify:\n  - expect: {{ result: pass }}\n"), code, (2, token), says);
    }
}

#[test]
fn i15_nothing_to_run_is_a_failure() {
    refused("title: x\n", "no-expectations", (1, 8), "expects nothing");
    refused("title: x\nsteps:\n  - push: {}\n", "no-expectations", (1, 8), "expects nothing");
    refused("", "yaml-syntax", (1, 1), "the file is empty");
    refused("# nothing\n---\n", "wrong-type", (2, 4), "");
    let excluded = format!("{SOUND}matrix: {{ format: [jws], exclude: [{{ format: jws }}] }}\n");
    refused(&excluded, "matrix", (7, 9), "every combination is excluded");
    let useless = format!("{SOUND}matrix: {{ format: [jws], exclude: [{{ format: cose }}] }}\n");
    refused(&useless, "matrix", (7, 36), "this excludes nothing");

    let empty = tempfile::tempdir().unwrap();
    std::fs::create_dir(empty.path().join("scenarios")).unwrap();
    assert_eq!(muster(&["test"], empty.path()).status.code(), Some(4));
    let (folder, _) = project(SOUND);
    assert_eq!(muster(&["test", "--run", "nothing-like-it"], folder.path()).status.code(), Some(4));
    let (folder, _) = project(&format!("slow: true\n{SOUND}"));
    assert_eq!(muster(&["test"], folder.path()).status.code(), Some(4), "all skipped");
}

#[test]
fn i16_the_clock_is_the_scenarios_own() {
    refused("title: x\nverify:\n  - { at: 2020-01-01, expect: { result: pass } }\n", "unknown-key", (3, 7), "\"at\"");
    let (folder, _) = project(SOUND);
    assert_eq!(muster(&["test", "--at", "2020-01-01"], folder.path()).status.code(), Some(2));
    for year in ["1999", "2026", "2101"] {
        let text = format!("{SOUND}now: {year}-02-28T23:59:59Z\n");
        assert_eq!(play(&text), CaseStatus::Pass, "{year}");
    }
    let before = format!("{SOUND}now: 1970-01-01T00:00:00Z\n");
    refused(&before, "invalid-value", (7, 6), "between the years");
}

#[test]
fn i17_line_ends_of_other_systems_are_taken_and_byte_order_marks_are_not() {
    assert_eq!(play(&SOUND.replace('\n', "\r\n")), CaseStatus::Pass);
    let crlf = "title: x\r\nverfy: []\r\n";
    refused(crlf, "unknown-key", (2, 1), "did you mean \"verify\"?");
    refused(format!("\u{feff}{SOUND}"), "not-utf-8", (1, 1), "byte order mark");
    let utf16: Vec<u8> = SOUND.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert!(parse(utf16).is_err());
}

#[test]
fn i18_other_encodings() {
    refused(b"title: x\nspec: caf\xe9\n", "not-utf-8", (2, 10), "this is not UTF-8");
    assert!(parse(b"title: x\0y\n").is_err());
    assert!(parse(b"title: \"\x1b[31m\"\n").is_err());
}

#[test]
fn i19_a_file_that_is_wrong_is_not_a_case_that_fails() {
    let (folder, file) = project("title: x\nverfy: []\n");
    let refused = muster(&["test"], folder.path());
    assert_eq!(refused.status.code(), Some(2));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("scenarios/topic/case.yaml:2:1"), "{said}");
    assert!(refused.stdout.is_empty());

    std::fs::write(&file, SOUND.replace("result: pass", "result: fail, code: unsigned")).unwrap();
    let failed = muster(&["test"], folder.path());
    assert_eq!(failed.status.code(), Some(1));
    let said = String::from_utf8(failed.stdout).unwrap();
    assert!(
        said.contains("scenarios/topic/case.yaml:6: result of registry.wabbit-networks.io/net-monitor:v1"),
        "{said}"
    );
    assert!(said.contains("expected  fail") && said.contains("found     pass"), "{said}");

    std::fs::write(&file, SOUND.replace("sign: {}", "tamper: { do: truncate }")).unwrap();
    let error = muster(&["test"], folder.path());
    assert_eq!(error.status.code(), Some(3));
    let said = String::from_utf8(error.stdout).unwrap();
    assert!(said.contains("line 4: "), "{said}");

    std::fs::write(&file, SOUND).unwrap();
    assert_eq!(muster(&["test"], folder.path()).status.code(), Some(0));
}

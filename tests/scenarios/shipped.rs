//! The scenarios that are shipped: each case comes out as it says, and every code that can be made is expected somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::collections::HashSet;
use std::env;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use muster::audit::Interrupt;
use muster::failure::Code;
use muster::forge::softhsm::{SoftHsm, SoftHsmError};
use muster::scenario::{self, CaseStatus, Keystore, Options, PhaseTimings, Selected};

fn shipped() -> Vec<scenario::Scenario> {
    let folder = PathBuf::from("scenarios");
    match scenario::load(&[folder]) {
        Ok(scenarios) => scenarios,
        Err(errors) => {
            let errors: Vec<String> = errors.iter().map(ToString::to_string).collect();
            panic!("{}", errors.join("\n\n"));
        }
    }
}

/// Runs the shipped cases that are `wanted`: all pass. Returns how long each took.
fn all_pass(what: &str, options: Options, wanted: impl Fn(&Selected) -> bool) -> Vec<(String, PhaseTimings)> {
    let wanted = |case: &Selected| wanted(case) && !needs_container(case);
    let cases: Vec<_> = scenario::select(&shipped(), None).unwrap().into_iter().filter(wanted).collect();
    let all = cases.len() as u64;
    assert!(all > 0);
    let (mut wrong, mut times) = (Vec::new(), Vec::new());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let tally = runtime.block_on(scenario::run(cases, options, &Interrupt::default(), |result| {
        if result.status != CaseStatus::Pass {
            wrong.push(format!("{} ({}): {:#?}", result.id, result.file.display(), result.status));
        }
        times.push((result.id, result.times));
    }));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!((tally.pass, tally.total()), (all, all));
    say(&format!("scenarios: {all} cases passed {what}"));
    times
}

/// Whether the case wants a registry in a container, as its name says.
fn needs_container(case: &Selected) -> bool {
    case.case.id.contains("oras")
}

/// Says it on the terminal: what a test prints would be shown only if it failed.
fn say(line: &str) {
    std::io::stderr().write_all(format!("\n{line}\n").as_bytes()).unwrap();
}

fn nothing_may_be_skipped() -> bool {
    env::var_os("MUSTER_TESTS_SKIP_NOTHING").is_some_and(|value| value == "1")
}

/// Runs `test`, called `name`, in a process that is started for SoftHSM.
#[track_caller]
fn with_softhsm(name: &str, test: impl FnOnce(&SoftHsm)) {
    if let Some(hsm) = SoftHsm::of_process().unwrap() {
        return test(&hsm);
    }
    let hsm = match SoftHsm::prepare() {
        Ok(hsm) => hsm,
        Err(error @ SoftHsmError::NotInstalled) if !nothing_may_be_skipped() => {
            return say(&format!("skipped: scenarios {name}: {error}"));
        }
        Err(error) => panic!("{error}"),
    };
    let mut child = Command::new(env::current_exe().unwrap());
    let output = child.args([name, "--exact", "--nocapture"]).envs(hsm.environment()).output().unwrap();
    let (printed, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{printed}\n{said}");
    // A name that selects nothing passes too.
    assert!(printed.contains("1 passed"), "{name} is not the name of the test: {printed}");
    said.lines().filter(|line| line.starts_with("scenarios: ")).for_each(say);
}

/// How many keys lie in the token of all cases: objects of SoftHSM, of which each key pair is two. Tokens that get into trouble
/// have one key each.
fn key_pairs(hsm: &SoftHsm) -> usize {
    let files = |folder: &Path| fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let pairs = |token: &Path| {
        let objects = files(token).into_iter().filter(|file| file.extension().is_some_and(|end| end == "object"));
        // One more says what the token itself is.
        objects.filter(|file| file.file_stem().is_some_and(|stem| stem != "token")).count() / 2
    };
    let tokens = files(&hsm.folder().join("tokens"));
    let mut pairs: Vec<usize> = tokens.iter().map(|token| pairs(token)).collect();
    pairs.sort_unstable();
    let most = pairs.pop().unwrap();
    assert!(pairs.iter().all(|pairs| *pairs <= 1), "{pairs:?}");
    most
}

#[test]
fn every_shipped_case_comes_out_as_it_says() {
    let options = Options { jobs: 4, program: Some(env!("CARGO_BIN_EXE_muster").into()), ..Options::default() };
    let elsewhere = |case: &Selected| scenario::needs_softhsm(std::slice::from_ref(case), &Options::default());
    all_pass("with keys in memory, but for those that name a token", options, |case| !case.slow && !elsewhere(case));
}

#[test]
fn every_shipped_case_comes_out_so_with_keys_in_tokens() {
    with_softhsm("shipped::every_shipped_case_comes_out_so_with_keys_in_tokens", |hsm| {
        let options = Options {
            jobs: 4,
            keystore: Some(Keystore::SoftHsm),
            program: Some(env!("CARGO_BIN_EXE_muster").into()),
            ..Options::default()
        };
        all_pass("with keys in SoftHSM", options, |case| !case.slow);
        // At least one of each of the six algorithms.
        assert!(key_pairs(hsm) >= 6, "{}", key_pairs(hsm));
    });
}

/// The whole of it only where nothing may be skipped: it takes long.
#[test]
fn slow_cases_come_out_as_they_say() {
    if !nothing_may_be_skipped() {
        return say("skipped: scenarios slow_cases_come_out_as_they_say: run with MUSTER_TESTS_SKIP_NOTHING=1");
    }
    with_softhsm("shipped::slow_cases_come_out_as_they_say", |hsm| {
        let options =
            Options { slow: true, jobs: 1, program: Some(env!("CARGO_BIN_EXE_muster").into()), ..Options::default() };
        for (id, PhaseTimings { build, sign, act, verify }) in
            all_pass("though they are slow", options, |case| case.slow)
        {
            say(&format!("scenarios: {id}: build {build:.1?}, sign {sign:.1?}, act {act:.1?}, verify {verify:.1?}"));
        }
        assert_eq!(key_pairs(hsm), 1);
    });
}

/// Codes that no scenario can bring about, each with the reason.
const NOT_FORGED: &[(Code, &str)] = &[
    (Code::InternalFault, "a defect of Muster itself: there is no known way to bring one about"),
    (
        Code::FileUnusable,
        "scenarios are played in registries; files that are pipes or devices are tried by tests/commands/blobs",
    ),
    (
        Code::RepositoryUnknown,
        "layouts leave it open, and scenarios are played in registries: tests/registries/artifacts has it",
    ),
];

#[test]
fn every_code_is_expected_by_a_scenario() {
    let scenarios = shipped();
    let cases = scenarios.iter().flat_map(|scenario| &scenario.cases);
    let expected: HashSet<Code> = cases.flat_map(scenario::Case::expected_codes).collect();
    for code in Code::ALL {
        let excepted = NOT_FORGED.iter().any(|(exception, _)| exception == code);
        assert_ne!(expected.contains(code), excepted, "{code}: expected somewhere, or excepted, and not both");
    }
    println!("{} codes are expected, {} are excepted", expected.len(), NOT_FORGED.len());
}

#[test]
fn every_policy_is_used_and_every_scenario_has_a_name_of_its_own() {
    let scenarios = shipped();
    let names: HashSet<&str> = scenarios.iter().map(|scenario| scenario.name.as_str()).collect();
    let titles: HashSet<&str> = scenarios.iter().map(|scenario| scenario.title.as_str()).collect();
    assert_eq!((names.len(), titles.len()), (scenarios.len(), scenarios.len()));
    let cases: usize = scenarios.iter().map(|scenario| scenario.cases.len()).sum();
    println!("{} scenarios, {cases} cases", scenarios.len());
    assert!(cases >= 60);
    let texts: Vec<String> =
        scenarios.iter().map(|scenario| std::fs::read_to_string(&scenario.file).unwrap()).collect();
    for policy in std::fs::read_dir("policies").unwrap() {
        let name = policy.unwrap().file_name().into_string().unwrap();
        assert!(texts.iter().any(|text| text.contains(&name)), "no scenario uses {name}");
    }
}

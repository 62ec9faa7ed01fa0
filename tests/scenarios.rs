//! The scenarios that are shipped: each case comes out as it says, and every code that can be made is expected somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::collections::HashSet;
use std::path::PathBuf;

use muster::audit::Interrupt;
use muster::failure::Code;
use muster::scenario::{self, Ending, Options};

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

#[tokio::test(flavor = "multi_thread")]
async fn every_shipped_case_comes_out_as_it_says() {
    let cases = scenario::select(&shipped(), None).unwrap();
    let options = Options { jobs: 4, ..Options::default() };
    let all = cases.len() as u64;
    let (mut wrong, mut skipped) = (Vec::new(), Vec::new());
    let tally = scenario::run(cases, options, &Interrupt::default(), |result| match &result.ending {
        Ending::Pass => {}
        Ending::Skipped(reason) => skipped.push((result.id, reason.clone())),
        ending => wrong.push(format!("{} ({}): {ending:#?}", result.id, result.file.display())),
    })
    .await;
    println!("{tally:?}");
    skipped.iter().for_each(|(id, reason)| println!("skipped {id}: {reason}"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(tally.total(), all);
    let may_be_skipped = |id: &str| id.contains("softhsm") || id.contains("oras");
    assert!(skipped.iter().all(|(id, _)| may_be_skipped(id)), "{skipped:?}");
}

/// Codes that no scenario can bring about, each with the reason.
const NOT_FORGED: &[(Code, &str)] =
    &[(Code::InternalFault, "a defect of Muster itself: there is no known way to bring one about")];

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

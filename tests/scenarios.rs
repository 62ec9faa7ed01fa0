//! The scenarios that are shipped: each case comes out as it says, and every code that can be made is expected somewhere.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::path::{Path, PathBuf};

use muster::audit::Interrupt;
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
    let mut wrong = Vec::new();
    let tally = scenario::run(cases, options, &Interrupt::default(), |result| match &result.ending {
        Ending::Pass => {}
        ending => wrong.push(format!("{} ({}): {ending:#?}", result.id, result.file.display())),
    })
    .await;
    println!("{tally:?}");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(Path::new("scenarios").is_dir());
}

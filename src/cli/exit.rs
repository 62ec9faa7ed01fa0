//! Exit codes: one table, for the code, `--help` and the README.

use std::process::ExitCode;

use super::gate::Gate;
use crate::report::CaseSummary;
use crate::report::v1::Summary;

/// How a run of the program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Everything is as wanted.
    Success,
    /// An artifact fails.
    Failed,
    /// The command line, or a file that people write, is wrong.
    Usage,
    /// Something could not be decided.
    Undecided,
    /// There was nothing to judge.
    Nothing,
    /// The run was ended before its time.
    Interrupted,
}

impl Exit {
    /// Every code with its meaning, by number.
    pub const TABLE: [(Exit, &str); 6] = [
        (Exit::Success, "all as wanted (also: passed with warnings, or skipped by the policy)"),
        (Exit::Failed, "an artifact fails, or an expectation is not met"),
        (Exit::Usage, "wrong usage, or a malformed trust policy, trust store or scenario"),
        (Exit::Undecided, "something could not be decided, or a report could not be written"),
        (Exit::Nothing, "nothing was selected"),
        (Exit::Interrupted, "interrupted; the partial report is valid and says that it is partial"),
    ];

    /// The number that the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Undecided => 3,
            Exit::Nothing => 4,
            Exit::Interrupted => 130,
        }
    }

    /// The worse of two. 130 comes first, since the rest of an interrupted run is unknown; then 2, 1, 3, 4.
    pub fn worst(self, other: Exit) -> Exit {
        if self.rank() >= other.rank() { self } else { other }
    }

    /// The exit code of a run that ended with these results.
    pub(super) fn of(results: impl Into<Results>) -> Exit {
        let Results { interrupted, failed, undecided, empty } = results.into();
        let found = |found: bool, exit| if found { exit } else { Exit::Success };
        found(interrupted, Exit::Interrupted)
            .worst(found(failed, Exit::Failed))
            .worst(found(undecided, Exit::Undecided))
            .worst(found(empty, Exit::Nothing))
    }

    fn rank(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Nothing => 1,
            Exit::Undecided => 2,
            Exit::Failed => 3,
            Exit::Usage => 4,
            Exit::Interrupted => 5,
        }
    }

    /// The table, as it stands below `--help`.
    pub(super) fn help() -> String {
        Exit::help_of(&Exit::TABLE) + "\nThe worst wins, in the order 130, 2, 1, 3, 4."
    }

    /// What some of the codes mean for one command, as it stands below its `--help`.
    pub(super) fn help_of(meanings: &[(Exit, &str)]) -> String {
        let line = |(exit, meaning): &(Exit, &str)| format!("\n  {:<3}  {meaning}", exit.code());
        "Exit codes:".to_owned() + &meanings.iter().map(line).collect::<String>()
    }
}

/// What a run came to, as far as the exit code depends on it.
pub(super) struct Results {
    interrupted: bool,
    failed: bool,
    undecided: bool,
    /// Whether nothing was judged.
    empty: bool,
}

impl Results {
    /// What a run came to by its summary, with what the user wants to count otherwise.
    pub(super) fn gated(summary: &Summary, gate: &Gate) -> Results {
        let results = &summary.results;
        Results {
            failed: results.fail > gate.failures_allowed || gate.has_denied(),
            undecided: results.error > gate.errors_allowed,
            ..Results::from(summary)
        }
    }
}

impl Results {
    /// What a run of scenarios came to; a case that is skipped counts as one that fails where the user wants it so.
    pub(super) fn of_cases(summary: &CaseSummary, deny_skip: bool) -> Results {
        let results = Results::from(summary);
        Results { failed: results.failed || deny_skip && summary.skipped > 0, ..results }
    }
}

impl From<&Summary> for Results {
    fn from(summary: &Summary) -> Results {
        let results = &summary.results;
        Results {
            interrupted: summary.interrupted,
            failed: results.fail > 0,
            undecided: results.error > 0,
            // Of what could not be decided nothing was judged; where that is allowed, it is all the same no pass.
            empty: results.sum() == results.error,
        }
    }
}

impl From<&CaseSummary> for Results {
    fn from(summary: &CaseSummary) -> Results {
        Results {
            // With --fail-fast a run that found something is partial too, and was not interrupted.
            interrupted: summary.interrupted,
            failed: summary.fail > 0,
            undecided: summary.error > 0,
            empty: summary.pass + summary.fail + summary.error == 0,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::v1;

    #[test]
    fn the_worst_wins_in_the_documented_order() {
        use Exit::*;
        let order = [Interrupted, Usage, Failed, Undecided, Nothing, Success];
        for (position, worse) in order.iter().enumerate() {
            for better in &order[position..] {
                assert_eq!(worse.worst(*better), *worse);
                assert_eq!(better.worst(*worse), *worse);
            }
        }
        assert!(Exit::help().ends_with("130, 2, 1, 3, 4."));
    }

    #[test]
    fn results_become_codes() {
        let passed = v1::Results { pass: 1, warn: 1, skip: 1, ..v1::Results::default() };
        for (results, partial, expected) in [
            (passed.clone(), false, Exit::Success),
            (v1::Results { error: 1, ..passed.clone() }, false, Exit::Undecided),
            (v1::Results { error: 1, fail: 1, ..passed.clone() }, false, Exit::Failed),
            (v1::Results::default(), false, Exit::Nothing),
            (v1::Results::default(), true, Exit::Interrupted),
            (v1::Results { fail: 1, ..passed }, true, Exit::Interrupted),
        ] {
            let interrupted = partial;
            let summary = Summary { selected: 3, results, partial, interrupted, ..Summary::default() };
            assert_eq!(Exit::of(&summary), expected, "{summary:?}");
        }
    }

    #[test]
    fn what_is_allowed_leaves_the_rest() {
        let results = v1::Results { pass: 1, fail: 2, error: 3, ..v1::Results::default() };
        let summary = Summary { selected: 6, results, ..Summary::default() };
        let allowing = |failures_allowed, errors_allowed| {
            let gate = Gate::allowing(failures_allowed, errors_allowed);
            Exit::of(Results::gated(&summary, &gate))
        };
        assert_eq!(allowing(0, 0), Exit::Failed);
        assert_eq!(allowing(1, 3), Exit::Failed);
        assert_eq!(allowing(2, 2), Exit::Undecided);
        assert_eq!(allowing(2, 3), Exit::Success);
        // Where nothing could be decided, allowed or not, nothing was judged: neither of places nor of artifacts.
        for places in [0, 1] {
            let results = v1::Results { error: 1, ..v1::Results::default() };
            let summary = Summary { places, results, ..Summary::default() };
            assert_eq!(Exit::of(&summary), Exit::Undecided);
            let gate = Gate::allowing(0, 1);
            assert_eq!(Exit::of(Results::gated(&summary, &gate)), Exit::Nothing);
        }
        // What fails was judged.
        let results = v1::Results { fail: 1, error: 1, ..v1::Results::default() };
        let summary = Summary { results, ..Summary::default() };
        assert_eq!(Exit::of(Results::gated(&summary, &Gate::allowing(1, 1))), Exit::Success);
    }

    #[test]
    fn every_code_is_in_the_table_once() {
        let codes: Vec<_> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 130]);
    }

    #[test]
    fn cases_of_scenarios_become_codes() {
        let cases = |pass, fail, error, skipped, partial| CaseSummary {
            pass,
            fail,
            skipped,
            error,
            partial,
            ..CaseSummary::default()
        };
        let stopped = |summary| CaseSummary { interrupted: true, unfinished: 1, ..summary };
        for (summary, expected) in [
            (cases(1, 0, 0, 1, false), Exit::Success),
            (cases(1, 1, 1, 0, false), Exit::Failed),
            (cases(1, 1, 0, 0, true), Exit::Failed),
            (cases(1, 0, 1, 0, true), Exit::Undecided),
            (stopped(cases(1, 0, 0, 0, true)), Exit::Interrupted),
            (stopped(cases(1, 1, 1, 0, true)), Exit::Interrupted),
            (stopped(cases(0, 0, 0, 0, true)), Exit::Interrupted),
            (cases(0, 0, 0, 3, false), Exit::Nothing),
        ] {
            assert_eq!(Exit::of(&summary), expected, "{summary:?}");
        }
        let skipped = cases(1, 0, 0, 1, false);
        assert_eq!(Exit::of(Results::of_cases(&skipped, false)), Exit::Success);
        assert_eq!(Exit::of(Results::of_cases(&skipped, true)), Exit::Failed);
        assert_eq!(Exit::of(Results::of_cases(&cases(1, 0, 0, 0, false), true)), Exit::Success);
        assert_eq!(Exit::of(Results::of_cases(&cases(0, 0, 0, 3, false), true)), Exit::Failed);
    }
}

//! Exit codes: one table, for the code, `--help` and the README.

use std::process::ExitCode;

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
        (Exit::Undecided, "something could not be decided, or a report not be written"),
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

    /// The worse of two. An interrupted run is that and nothing else, since nobody knows the rest; then 2, 1, 3, 4.
    pub fn worst(self, other: Exit) -> Exit {
        if self.rank() >= other.rank() { self } else { other }
    }

    /// The exit code that the results of a run deserve.
    pub fn of(summary: &Summary) -> Exit {
        let found = |found: bool, exit| if found { exit } else { Exit::Success };
        found(summary.partial, Exit::Interrupted)
            .worst(found(summary.results.fail > 0, Exit::Failed))
            .worst(found(summary.results.error > 0, Exit::Undecided))
            .worst(found(summary.results.sum() == 0, Exit::Nothing))
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
        let mut help = String::from("Exit codes:\n");
        for (exit, meaning) in Exit::TABLE {
            help.push_str(&format!("  {:<3}  {meaning}\n", exit.code()));
        }
        help + "The worst wins, in the order 130, 2, 1, 3, 4."
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
    use crate::report::v1::Results;

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
        let passed = Results { pass: 1, warn: 1, skip: 1, ..Results::default() };
        for (results, partial, expected) in [
            (passed.clone(), false, Exit::Success),
            (Results { error: 1, ..passed.clone() }, false, Exit::Undecided),
            (Results { error: 1, fail: 1, ..passed.clone() }, false, Exit::Failed),
            (Results::default(), false, Exit::Nothing),
            (Results::default(), true, Exit::Interrupted),
            (Results { fail: 1, ..passed }, true, Exit::Interrupted),
        ] {
            let summary = Summary { selected: 3, results, partial, ..Summary::default() };
            assert_eq!(Exit::of(&summary), expected, "{summary:?}");
        }
    }

    #[test]
    fn every_code_is_in_the_table_once() {
        let codes: Vec<_> = Exit::TABLE.iter().map(|(exit, _)| exit.code()).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 130]);
    }
}

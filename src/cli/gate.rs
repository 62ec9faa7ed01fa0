//! What counts for the exit code beside the table of exit codes: `--allow` and `--deny`.
//!
//! The report stays as it is; only the summary says what was left out or added. An artifact is allowed only where every
//! reason against it is, so that one signature's trouble never hides what another fails for.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use clap::Args;

use crate::audit::Judged;
use crate::failure::{Code, quote};
use crate::policy::Action;
use crate::report::v1::Exempted;
use crate::verify::{Outcome, Verdict};

/// What counts for the exit code.
#[derive(Debug, Args)]
#[command(next_help_heading = "Exit code")]
pub(super) struct GateArgs {
    /// Codes that do not count for the exit code, for example not-found; reports tell them all the same
    #[arg(long, value_name = "CODE", value_delimiter = ',', value_parser = parse_code)]
    pub(super) allow: Vec<Code>,

    /// What ends with 1 as a failure does: warn, skip, or a code
    #[arg(long, value_name = "warn|skip|CODE", value_delimiter = ',')]
    pub(super) deny: Vec<Denied>,
}

/// What is not to be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Denied {
    /// An artifact that passes with a warning.
    Warn,
    /// An artifact at which the policy does not look.
    Skip,
    /// An artifact that fails, is undecided or passes with a warning for this reason.
    Code(Code),
}

/// Counts what does not decide by itself.
#[derive(Debug, Default)]
pub(super) struct Gate {
    allow: BTreeSet<Code>,
    deny: BTreeSet<Denied>,
    /// How many failures and errors are allowed.
    pub(super) failures_allowed: u64,
    pub(super) errors_allowed: u64,
    allowed: BTreeMap<Code, u64>,
    denied: BTreeMap<Denied, u64>,
}

impl Gate {
    /// A gate by these options. The error is one sentence.
    pub(super) fn new(args: &GateArgs) -> Result<Gate, String> {
        let (allow, deny): (BTreeSet<_>, BTreeSet<_>) =
            (args.allow.iter().copied().collect(), args.deny.iter().copied().collect());
        if let Some(code) = allow.iter().find(|code| deny.contains(&Denied::Code(**code))) {
            return Err(format!("{code} is both in --allow and in --deny"));
        }
        Ok(Gate { allow, deny, ..Gate::default() })
    }

    /// One that has allowed so much.
    #[cfg(test)]
    pub(super) fn allowing(failures_allowed: u64, errors_allowed: u64) -> Gate {
        Gate { failures_allowed, errors_allowed, ..Gate::default() }
    }

    /// Counts an artifact.
    pub(super) fn count(&mut self, judged: &Judged) {
        let outcome = &judged.outcome;
        let reasons = reasons(outcome);
        let own = outcome.failure.as_ref().map(|failure| failure.code);
        let all_allowed = !reasons.is_empty() && reasons.is_subset(&self.allow);
        let denied = match outcome.verdict {
            Verdict::Pass => None,
            Verdict::Skip => self.deny.get(&Denied::Skip),
            Verdict::Warn | Verdict::Fail | Verdict::Error if all_allowed => {
                // A warning counts for nothing unless it is denied.
                let counts = match outcome.verdict {
                    Verdict::Fail => {
                        self.failures_allowed += 1;
                        true
                    }
                    Verdict::Error => {
                        self.errors_allowed += 1;
                        true
                    }
                    _ => self.deny.contains(&Denied::Warn),
                };
                if let Some(code) = own.filter(|_| counts) {
                    *self.allowed.entry(code).or_default() += 1;
                }
                None
            }
            verdict => {
                let warn = (verdict == Verdict::Warn).then_some(&Denied::Warn);
                let by_code = self.deny.iter().find(|denied| match denied {
                    Denied::Code(code) => reasons.contains(code),
                    Denied::Warn | Denied::Skip => false,
                });
                by_code.or(warn.filter(|warn| self.deny.contains(warn)))
            }
        };
        if let Some(denied) = denied.copied() {
            *self.denied.entry(denied).or_default() += 1;
        }
    }

    /// Whether something was found that is not to be found.
    pub(super) fn has_denied(&self) -> bool {
        !self.denied.is_empty()
    }

    /// What was allowed and what was denied, as reports tell it.
    pub(super) fn exempted(&self) -> (Vec<Exempted>, Vec<Exempted>) {
        let allowed = self.allowed.iter().map(|(code, count)| (code.as_str(), *count));
        let denied = self.denied.iter().map(|(denied, count)| (denied.as_str(), *count));
        let told = |(what, artifacts): (&'static str, u64)| Exempted { what: what.to_owned(), artifacts };
        (allowed.map(told).collect(), denied.map(told).collect())
    }
}

impl Denied {
    fn as_str(self) -> &'static str {
        match self {
            Denied::Warn => "warn",
            Denied::Skip => "skip",
            Denied::Code(code) => code.as_str(),
        }
    }
}

impl FromStr for Denied {
    type Err = String;

    fn from_str(text: &str) -> Result<Denied, String> {
        match text {
            "warn" => Ok(Denied::Warn),
            "skip" => Ok(Denied::Skip),
            "fail" | "error" => Err(format!("{text} has its exit code in any case; expected warn, skip or a code")),
            code => parse_code(code).map(Denied::Code),
        }
    }
}

/// Reads a code.
pub(super) fn parse_code(text: &str) -> Result<Code, String> {
    Code::named(text).ok_or_else(|| {
        let meant = Code::nearest(text).map(|code| format!("; did you mean {code}?")).unwrap_or_default();
        format!("{} is not a code{meant} (docs/codes.md lists them all)", quote(text))
    })
}

/// Every reason against an artifact: its own, and those of its signatures. What is only logged against an artifact that does
/// not pass is none.
fn reasons(outcome: &Outcome) -> BTreeSet<Code> {
    let own = outcome.failure.as_ref().map(|failure| failure.code);
    let logged_counts = outcome.verdict == Verdict::Warn;
    let of_signatures = outcome.signatures.iter().filter(|_| outcome.verdict != Verdict::Pass).flat_map(|signature| {
        let checks = signature.checks.iter().filter(move |check| logged_counts || check.action == Action::Enforce);
        let checks = checks.filter_map(|check| check.result.failure());
        checks.chain(&signature.failure).map(|failure| failure.code)
    });
    own.into_iter().chain(of_signatures).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::Judged;
    use crate::failure::Failure;
    use crate::verify::Pending;

    fn judged(verdict: Verdict, code: Option<Code>) -> Judged {
        let outcome = Outcome {
            statement: None,
            level: None,
            verdict,
            failure: code.map(|code| Failure::new(code, "so it is")),
            signatures: Vec::new(),
            pending: Pending::default(),
        };
        Judged::of_blob("a.io/b:v1".to_owned(), outcome)
    }

    fn gate(allow: &[Code], deny: &[Denied]) -> Gate {
        Gate::new(&GateArgs { allow: allow.to_vec(), deny: deny.to_vec() }).unwrap()
    }

    #[test]
    fn what_is_allowed_is_counted_by_its_result() {
        let mut gate = gate(&[Code::NotFound, Code::Unsigned], &[]);
        for (verdict, code) in [
            (Verdict::Error, Some(Code::NotFound)),
            (Verdict::Error, Some(Code::NotFound)),
            (Verdict::Error, Some(Code::Unreachable)),
            (Verdict::Fail, Some(Code::Unsigned)),
            (Verdict::Fail, Some(Code::Revoked)),
            (Verdict::Pass, None),
            (Verdict::Skip, None),
        ] {
            gate.count(&judged(verdict, code));
        }
        assert_eq!((gate.failures_allowed, gate.errors_allowed, gate.has_denied()), (1, 2, false));
        let (allowed, denied) = gate.exempted();
        let told: Vec<_> = allowed.iter().map(|one| (one.what.as_str(), one.artifacts)).collect();
        assert_eq!((told, denied.len()), (vec![("unsigned", 1), ("not-found", 2)], 0));
    }

    #[test]
    fn what_is_denied_is_found_by_result_or_code() {
        let denied = |deny, verdict, code| {
            let mut gate = gate(&[], &[deny]);
            gate.count(&judged(verdict, code));
            gate.has_denied()
        };
        let expired = Some(Code::SignatureExpired);
        assert!(denied(Denied::Warn, Verdict::Warn, expired));
        assert!(!denied(Denied::Warn, Verdict::Skip, None));
        assert!(denied(Denied::Skip, Verdict::Skip, None));
        assert!(denied(Denied::Code(Code::SignatureExpired), Verdict::Warn, expired));
        assert!(denied(Denied::Code(Code::NotFound), Verdict::Error, Some(Code::NotFound)));
        assert!(!denied(Denied::Code(Code::NotFound), Verdict::Error, Some(Code::Unreachable)));
        assert!(!denied(Denied::Warn, Verdict::Pass, None));
    }

    #[test]
    fn what_is_allowed_is_no_warning_that_is_denied() {
        let mut gate = gate(&[Code::SignatureExpired], &[Denied::Warn]);
        gate.count(&judged(Verdict::Warn, Some(Code::SignatureExpired)));
        assert!(!gate.has_denied());
        gate.count(&judged(Verdict::Warn, Some(Code::Revoked)));
        assert!(gate.has_denied());
    }

    #[test]
    fn words_are_read_and_mistakes_are_answered_with_what_was_meant() {
        assert_eq!("warn".parse(), Ok(Denied::Warn));
        assert_eq!("not-found".parse(), Ok(Denied::Code(Code::NotFound)));
        assert!("fail".parse::<Denied>().unwrap_err().contains("has its exit code in any case"));
        assert!(parse_code("not_found").unwrap_err().contains("did you mean not-found?"));
        let both = GateArgs { allow: vec![Code::NotFound], deny: vec![Denied::Code(Code::NotFound)] };
        assert_eq!(Gate::new(&both).unwrap_err(), "not-found is both in --allow and in --deny");
    }
}

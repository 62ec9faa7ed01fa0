//! Deciding: evidence, trust policy, trust store and time in, outcome out.

mod outcome;

pub use outcome::{Check, CheckResult, Outcome, SignatureOutcome, Verdict};

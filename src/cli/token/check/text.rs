//! The steps for people: a line each, safe to print.

use super::model::{Checked, Signs, StepResult, TokenCheck};
use crate::report::printable;

/// A step.
pub(super) fn line(checked: &Checked) -> String {
    let (result, step) = (checked.result.word(), checked.step.name());
    let message = checked.message.as_deref().unwrap_or_default();
    format!("{result:<11}  {step:<16}  {}", printable(message)).trim_end().to_owned() + "\n"
}

/// The steps that were not reached, and what came of the whole.
pub(super) fn end(check: &TokenCheck) -> String {
    let not_reached = check.steps.iter().filter(|checked| checked.result == StepResult::NotReached).map(line);
    let signs = match check.signs {
        Signs::Yes => "muster sign signs with this key.",
        Signs::No => "muster sign does not sign with this key.",
        Signs::Unknown => "Whether muster sign signs with this key was not tried to the end.",
    };
    not_reached.collect::<String>() + signs + "\n"
}

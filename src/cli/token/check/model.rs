//! What `muster token check --output json` writes. Members may be added within version 1; none is renamed or removed.

use schemars::JsonSchema;
use serde::Serialize;

/// The JSON Schema of this version: a [`TokenCheck`].
pub(in crate::cli) const SCHEMA: &str = include_str!("../../../../schemas/token-check.v1.schema.json");

/// What came of looking whether a key signs, step by step.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct TokenCheck {
    /// The version of this format: always `"1"`.
    #[schemars(extend("const" = "1"))]
    version: &'static str,
    /// Whether `muster sign` signs with the key.
    pub(super) signs: Signs,
    /// Every step, in the order in which `muster sign` takes them.
    pub(super) steps: Vec<Checked>,
}

/// Whether `muster sign` signs with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Signs {
    /// It does: a signature was made and verified.
    Yes,
    /// It does not.
    No,
    /// That was not tried to the end.
    Unknown,
}

/// A step, and what came of it.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Checked {
    /// Which step.
    pub(super) step: Step,
    /// What came of it.
    pub(super) result: StepResult,
    /// What was found, or what is wrong and how to mend it; `null` for a step that was not reached.
    pub(super) message: Option<String>,
}

/// What has to hold before a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Step {
    /// The URI is one.
    Uri,
    /// The certificate chain is read, may sign code, and is valid now.
    Chain,
    /// The module is loaded and started.
    Module,
    /// The token is found.
    Token,
    /// There is a PIN, or none is wanted.
    Pin,
    /// The token takes the login.
    Login,
    /// The private key is found, and may sign.
    Key,
    /// The public half of the key is found.
    PublicHalf,
    /// The token has a mechanism for the key.
    Mechanism,
    /// A signature was made, and verifies.
    Signature,
    /// The chain is for the key.
    ChainOfKey,
    /// The certificates in the token that are for the key, which the plugin of notation can do with.
    Certificates,
}

/// What came of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum StepResult {
    /// It holds.
    Ok,
    /// It holds, and something about it should be changed.
    Warning,
    /// It does not hold.
    Failed,
    /// It was left out on purpose; the message says how to have it done.
    LeftOut,
    /// A step before it does not hold.
    NotReached,
}

impl Step {
    /// All of them, in order.
    pub(super) const ALL: [Step; 12] = [
        Step::Uri,
        Step::Chain,
        Step::Module,
        Step::Token,
        Step::Pin,
        Step::Login,
        Step::Key,
        Step::PublicHalf,
        Step::Mechanism,
        Step::Signature,
        Step::ChainOfKey,
        Step::Certificates,
    ];

    /// The name for people.
    pub(super) fn name(self) -> &'static str {
        match self {
            Step::Uri => "URI",
            Step::Chain => "chain",
            Step::Module => "module",
            Step::Token => "token",
            Step::Pin => "PIN",
            Step::Login => "login",
            Step::Key => "key",
            Step::PublicHalf => "public half",
            Step::Mechanism => "mechanism",
            Step::Signature => "signature",
            Step::ChainOfKey => "chain of the key",
            Step::Certificates => "certificates",
        }
    }
}

impl StepResult {
    /// The word for people.
    pub(super) fn word(self) -> &'static str {
        match self {
            StepResult::Ok => "ok",
            StepResult::Warning => "warning",
            StepResult::Failed => "failed",
            StepResult::LeftOut => "left out",
            StepResult::NotReached => "not reached",
        }
    }
}

impl TokenCheck {
    /// Of what `found` says of the steps; a step that it does not speak of was not reached.
    pub(super) fn new(signs: Signs, mut found: Vec<Checked>) -> TokenCheck {
        for step in Step::ALL {
            if !found.iter().any(|checked| checked.step == step) {
                found.push(Checked { step, result: StepResult::NotReached, message: None });
            }
        }
        found.sort_by_key(|checked| checked.step);
        TokenCheck { version: "1", signs, steps: found }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_is_the_models() {
        crate::cli::token::tests::assert_schema::<TokenCheck>(
            "token-check",
            "Muster's check of a key in a token, version 1",
            SCHEMA,
        );
    }

    #[test]
    fn a_step_that_was_not_reached_says_so_in_its_place() {
        let found = |step| Checked { step, result: StepResult::Ok, message: Some("x".to_owned()) };
        let check = TokenCheck::new(Signs::No, vec![found(Step::Login), found(Step::Uri)]);
        assert_eq!(check.steps.iter().map(|checked| checked.step).collect::<Vec<_>>(), Step::ALL);
        let reached = check.steps.iter().filter(|checked| checked.result == StepResult::Ok).map(|checked| checked.step);
        assert_eq!(reached.collect::<Vec<_>>(), [Step::Uri, Step::Login]);
    }
}

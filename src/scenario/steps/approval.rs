//! `approvals` of a step `sign`: who agrees, who refuses and when, while the signer waits.
//!
//! Every one is an action over HTTP, as of an approver with their own client. What comes too late, twice, from an outsider or for
//! something else is done all the same: the gateway has to refuse it.

use schemars::JsonSchema;
use serde::Deserialize;
use time::Duration;

use super::reader::Reader;
use crate::scenario::finding::Rule;
use crate::scenario::names::unknown;
use crate::scenario::scalar::{ArtifactName, Span};
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Deed, DeedKind};

/// What an approver does while the signer waits; or that the key is blocked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawApproval {
    /// Who does it.
    by: Option<Spanned<String>>,
    /// How long after the request.
    after: Spanned<Span>,
    /// Whether they refuse.
    #[serde(default)]
    reject: bool,
    /// Of which artifact the approval is that they hand in; of the one that is asked for if left out.
    of: Option<Spanned<ArtifactName>>,
    /// In the place of by: the key is blocked.
    #[serde(default)]
    block: bool,
}

impl RawApproval {
    /// What is done, with its time.
    pub(super) fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Deed> {
        if self.after.value.0 < Duration::ZERO {
            let message = "an approval cannot come before the request".to_owned();
            reader.findings.error(Rule::Value, &self.after.range, message, "write a length of time without -");
        }
        let what = match (&self.by, self.block) {
            (Some(by), false) => self.by_whom(by, reader)?,
            (None, true) if !self.reject && self.of.is_none() => DeedKind::Block,
            _ => {
                let message = "it is done by an approver, or it blocks the key".to_owned();
                let help = "write { by: alice, after: 5m }, or { block: true, after: 5m }";
                reader.findings.error(Rule::Contradiction, &self.after.range, message, help);
                return None;
            }
        };
        Some(Deed { after: self.after.value.0, what })
    }

    fn by_whom(&self, by: &Spanned<String>, reader: &mut Reader<'_, '_, '_>) -> Option<DeedKind> {
        let Some(position) = reader.things.approver(&by.value) else {
            let known = reader.things.approvers.iter().map(|known| known.name.as_str());
            unknown("approver", &by.value, &by.range, known, reader.findings);
            return None;
        };
        if let (true, Some(of)) = (self.reject, &self.of) {
            let message = "an approval of something else is no refusal".to_owned();
            reader.findings.error(Rule::Contradiction, &of.range, message, "remove of, or reject");
        }
        let of = match &self.of {
            Some(of) => Some(reader.existing(Some(of))?),
            None => None,
        };
        Some(if self.reject { DeedKind::Reject(position) } else { DeedKind::Approve(position, of) })
    }
}

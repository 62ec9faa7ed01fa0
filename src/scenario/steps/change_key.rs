//! `changeKey`: asks the gateway to block a key, to unblock it, or to give it another policy, and has people approve that.

use schemars::JsonSchema;
use serde::Deserialize;

use super::approval::RawApproval;
use super::expected_approvals::{RefusalWord, RequestWord, Wanted};
use super::reader::Reader;
use super::{Step, Written};
use crate::forge::words::words;
use crate::scenario::expectation::{Difference, Fix};
use crate::scenario::finding::Rule;
use crate::scenario::spanned::{OrderedMap, Spanned};
use crate::scenario::world::{Custodian, Deed, KeyChange, PolicyPlan, RawKeyPolicy, World};

words! {
    /// What is asked about a key.
    pub(super) Change {
        /// That it is blocked.
        Block "block"
        /// That it is unblocked.
        Unblock "unblock"
        /// That it has another policy.
        Modify "modify"
    }
}

/// `changeKey`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawChangeKey {
    /// The key; builder if left out.
    key: Option<Spanned<String>>,
    /// What is asked.
    ask: Spanned<Change>,
    /// The policy that it is to have.
    policy: Option<Spanned<RawKeyPolicy>>,
    /// Who agrees or refuses, and when.
    #[serde(default)]
    approvals: Vec<Spanned<RawApproval>>,
    /// What must come of it.
    expect: Spanned<RawExpectedChange>,
}

/// What must come of a request about a key.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawExpectedChange {
    /// How far the request has come after the last approval.
    request: Spanned<RequestWord>,
    /// Whose approvals counted, in the order of time.
    approved_by: Option<Spanned<Vec<String>>>,
    /// Whose approvals or refusals did not count, and why.
    refused: Option<Spanned<OrderedMap<RefusalWord>>>,
}

/// A change of a key that people may have to approve.
#[derive(Debug)]
pub(in crate::scenario) struct ChangeKey {
    key: usize,
    name: String,
    change: KeyChange,
    approvals: Vec<Deed>,
    expect: RawExpectedChange,
}

impl RawExpectedChange {
    fn wanted(&self) -> Wanted<'_> {
        let RawExpectedChange { request, approved_by, refused } = self;
        Wanted { request: Some(request), approved_by: approved_by.as_ref(), refused: refused.as_ref() }
    }
}

impl Written for RawChangeKey {
    type Checked = ChangeKey;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<ChangeKey> {
        let key = reader.key_behind_gateway(self.key.as_ref())?;
        let change = match (self.ask.value, &self.policy) {
            (Change::Modify, Some(policy)) => {
                KeyChange::Modify(PolicyPlan::check(policy, reader.things, reader.findings))
            }
            (Change::Block, None) => KeyChange::Block,
            (Change::Unblock, None) => KeyChange::Unblock,
            (Change::Modify, None) => {
                let message = "nothing says which policy the key is to have".to_owned();
                reader.findings.error(Rule::Contradiction, &self.ask.range, message, "add policy");
                return None;
            }
            (Change::Block | Change::Unblock, Some(policy)) => {
                let message = "the key keeps its policy".to_owned();
                reader.findings.error(Rule::Contradiction, &policy.range, message, "remove policy, or ask: modify");
                return None;
            }
        };
        self.expect.value.wanted().check(&[key], reader);
        let approvals = self.approvals.iter().filter_map(|approval| approval.value.check(reader)).collect();
        Some(ChangeKey {
            key,
            name: reader.things.keys[key].name.clone(),
            change,
            approvals,
            expect: self.expect.value.clone(),
        })
    }
}

impl Step for ChangeKey {
    fn expects(&self) -> bool {
        true
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let Some(Custodian::Gateway(held)) = world.custodians.get(&self.key) else {
            return Err("the key is behind no gateway".to_owned());
        };
        let (approvals, ended) = held.change(&self.change, &self.approvals, world.clock).await?;
        world.clock = ended;
        world.responders.set_now(ended);
        let mut note = |what: &str, expected: String, found: String, place: Spanned<()>, fix: Fix| {
            let (artifact, what) = (format!("the key {}", self.name), what.to_owned());
            let difference = Difference { artifact, what, expected, found, line: place.line, range: place.range, fix };
            world.differences.push(difference);
        };
        self.expect.wanted().compare(Some(&approvals), &mut note);
        Ok(())
    }
}

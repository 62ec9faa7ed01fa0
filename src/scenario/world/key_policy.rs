//! `policy` of a key: who has to agree before it signs, in the vendor's terms ("Smart Key Attributes"), or in short.
//!
//! A key with a policy is behind the world's gateway, and signs only there.

use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Things;
use super::approver::Person;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::names::unknown;
use crate::scenario::scalar::Span;
use crate::scenario::spanned::Spanned;
use crate::tsb::{ApprovalRule, ApproverGroup, KeyPolicy, PolicyToken};

/// How long approvals may take where a policy does not say it.
const USUAL_TIMEOUT: u64 = 3600;

/// Who has to agree before a key signs: in short one group, or tokens of which one has to be met.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawKeyPolicy {
    /// How many of the approvers have to agree.
    quorum: Option<Spanned<u32>>,
    /// Who they are.
    #[serde(default)]
    approvers: Vec<Spanned<String>>,
    /// How long it takes at least from the request; whole minutes, none if left out.
    timelock: Option<Spanned<Span>>,
    /// How long it may take at most; whole minutes, 1h if left out, and 0s for any time.
    timeout: Option<Spanned<Span>>,
    /// In the place of all these: alternatives.
    tokens: Option<Vec<RawPolicyToken>>,
    /// Who has to agree before the key is blocked; no approval is needed if left out.
    block: Option<Spanned<RawApprovalRule>>,
    /// Who has to agree before it is unblocked; no approval is needed if left out.
    unblock: Option<Spanned<RawApprovalRule>>,
    /// Who has to agree before it gets another policy; no approval is needed if left out.
    modify: Option<Spanned<RawApprovalRule>>,
}

/// Who has to agree: in short one group, or tokens of which one has to be met.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawApprovalRule {
    /// How many of the approvers have to agree.
    quorum: Option<Spanned<u32>>,
    /// Who they are.
    #[serde(default)]
    approvers: Vec<Spanned<String>>,
    /// How long it takes at least from the request; whole minutes, none if left out.
    timelock: Option<Spanned<Span>>,
    /// How long it may take at most; whole minutes, 1h if left out, and 0s for any time.
    timeout: Option<Spanned<Span>>,
    /// In the place of all these: alternatives.
    tokens: Option<Vec<RawPolicyToken>>,
}

/// A rule as it is written, wherever it stands.
struct WrittenRule<'w> {
    quorum: Option<&'w Spanned<u32>>,
    approvers: &'w [Spanned<String>],
    timelock: Option<&'w Spanned<Span>>,
    timeout: Option<&'w Spanned<Span>>,
    tokens: Option<&'w [RawPolicyToken]>,
}

/// An alternative: every group has to agree, in time.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawPolicyToken {
    /// What it is called.
    name: Option<String>,
    /// How long it takes at least from the request; whole minutes, none if left out.
    timelock: Option<Spanned<Span>>,
    /// How long it may take at most; whole minutes, 1h if left out, and 0s for any time.
    timeout: Option<Spanned<Span>>,
    /// All of which have to agree.
    groups: Vec<RawApproverGroup>,
}

/// People of whom enough have to agree.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RawApproverGroup {
    /// What it is called.
    name: Option<String>,
    /// How many of them have to agree.
    quorum: Spanned<u32>,
    /// Who they are.
    approvers: Vec<Spanned<String>>,
}

/// A policy with every name resolved.
#[derive(Debug)]
pub(in crate::scenario) struct PolicyPlan {
    to_use: PlannedRule,
    to_block: Option<PlannedRule>,
    to_unblock: Option<PlannedRule>,
    to_modify: Option<PlannedRule>,
}

type PlannedRule = Vec<PlannedToken>;

#[derive(Debug)]
struct PlannedToken {
    name: String,
    timelock: u64,
    timeout: u64,
    groups: Vec<PlannedGroup>,
}

#[derive(Debug)]
struct PlannedGroup {
    name: String,
    quorum: u32,
    approvers: Vec<usize>,
}

impl PolicyPlan {
    /// Checks a policy, which stands at the place of `raw`.
    pub(in crate::scenario) fn check(
        raw: &Spanned<RawKeyPolicy>,
        things: &Things,
        findings: &mut Findings<'_, '_>,
    ) -> PolicyPlan {
        let RawKeyPolicy { quorum, approvers, timelock, timeout, tokens, block, unblock, modify } = &raw.value;
        let mut reading = PolicyReading { things, findings, place: raw.range.clone() };
        let to_use = reading.rule(&WrittenRule {
            quorum: quorum.as_ref(),
            approvers,
            timelock: timelock.as_ref(),
            timeout: timeout.as_ref(),
            tokens: tokens.as_deref(),
        });
        let mut further = |raw: &Option<Spanned<RawApprovalRule>>| {
            raw.as_ref().map(|raw| {
                reading.place = raw.range.clone();
                let RawApprovalRule { quorum, approvers, timelock, timeout, tokens } = &raw.value;
                reading.rule(&WrittenRule {
                    quorum: quorum.as_ref(),
                    approvers,
                    timelock: timelock.as_ref(),
                    timeout: timeout.as_ref(),
                    tokens: tokens.as_deref(),
                })
            })
        };
        let (to_block, to_unblock, to_modify) = (further(block), further(unblock), further(modify));
        PolicyPlan { to_use, to_block, to_unblock, to_modify }
    }

    /// The policy in the vendor's words.
    pub(super) fn written(&self, people: &[Arc<Person>]) -> KeyPolicy {
        let group = |group: &PlannedGroup| ApproverGroup {
            name: group.name.clone(),
            quorum: group.quorum,
            approvals: group.approvers.iter().map(|position| people[*position].entry.clone()).collect(),
        };
        let token = |token: &PlannedToken| PolicyToken {
            name: token.name.clone(),
            timelock: token.timelock,
            timeout: token.timeout,
            groups: token.groups.iter().map(group).collect(),
        };
        let rule = |rule: &PlannedRule| ApprovalRule { tokens: rule.iter().map(token).collect() };
        KeyPolicy {
            rule_use: Some(rule(&self.to_use)),
            rule_block: self.to_block.as_ref().map(rule),
            rule_unblock: self.to_unblock.as_ref().map(rule),
            rule_modify: self.to_modify.as_ref().map(rule),
            ..KeyPolicy::default()
        }
    }
}

struct PolicyReading<'r, 's, 'a> {
    things: &'r Things,
    findings: &'r mut Findings<'s, 'a>,
    place: Range<usize>,
}

impl PolicyReading<'_, '_, '_> {
    fn tell(&mut self, message: &str, help: &str) {
        self.findings.error(Rule::Contradiction, &self.place, message.to_owned(), help);
    }

    fn rule(&mut self, raw: &WrittenRule<'_>) -> PlannedRule {
        let WrittenRule { quorum, approvers, timelock, timeout, tokens } = *raw;
        let is_short = quorum.is_some() || !approvers.is_empty() || timelock.is_some() || timeout.is_some();
        match (tokens, quorum) {
            (Some(_), _) if is_short => {
                self.tell("a policy is written in short or by tokens, not in both ways", "remove one of them");
                Vec::new()
            }
            (Some(tokens), _) => {
                if tokens.is_empty() {
                    self.tell("the policy lists no token, so that no approval is needed", "add a token");
                }
                let numbered = tokens.iter().enumerate();
                numbered.map(|(number, token)| self.token(number + 1, token)).collect()
            }
            (None, Some(quorum)) => {
                let group = self.group("approvers".to_owned(), quorum, approvers);
                vec![self.timed("policy".to_owned(), timelock, timeout, vec![group])]
            }
            (None, None) => {
                let help = "write policy: { quorum: 2, approvers: [alice, bob, carol] }";
                self.tell("the policy does not say how many have to agree", help);
                Vec::new()
            }
        }
    }

    fn token(&mut self, number: usize, raw: &RawPolicyToken) -> PlannedToken {
        let named = |(number, group): (usize, &RawApproverGroup)| {
            let name = group.name.clone().unwrap_or_else(|| format!("group {}", number + 1));
            self.group(name, &group.quorum, &group.approvers)
        };
        let groups: Vec<PlannedGroup> = raw.groups.iter().enumerate().map(named).collect();
        if groups.is_empty() {
            self.tell("a token of the policy has no group, so that no approval is needed", "add a group");
        }
        let name = raw.name.clone().unwrap_or_else(|| format!("token {number}"));
        self.timed(name, raw.timelock.as_ref(), raw.timeout.as_ref(), groups)
    }

    fn timed(
        &mut self,
        name: String,
        timelock: Option<&Spanned<Span>>,
        timeout: Option<&Spanned<Span>>,
        groups: Vec<PlannedGroup>,
    ) -> PlannedToken {
        let planned = PlannedToken {
            name,
            timelock: self.seconds(timelock, 0),
            timeout: self.seconds(timeout, USUAL_TIMEOUT),
            groups,
        };
        if planned.timeout > 0 && planned.timelock > planned.timeout {
            let range = timelock.map_or_else(|| self.place.clone(), |timelock| timelock.range.clone());
            let message = "the timelock is longer than the timeout, so that the policy cannot be met".to_owned();
            self.findings.error(Rule::Contradiction, &range, message, "shorten it, or lengthen timeout");
        }
        planned
    }

    fn seconds(&mut self, span: Option<&Spanned<Span>>, usual: u64) -> u64 {
        let Some(span) = span else { return usual };
        let seconds = u64::try_from(span.value.0.whole_seconds()).ok();
        seconds.filter(|seconds| seconds.is_multiple_of(60)).unwrap_or_else(|| {
            let message = "policies count in whole minutes".to_owned();
            self.findings.error(Rule::Value, &span.range, message, "write 30m, 1h, or 0s");
            usual
        })
    }

    fn group(&mut self, name: String, quorum: &Spanned<u32>, approvers: &[Spanned<String>]) -> PlannedGroup {
        let mut found = Vec::new();
        for approver in approvers {
            match self.things.approver(&approver.value) {
                Some(position) if found.contains(&position) => {
                    let message = format!("{} is listed twice", approver.value);
                    self.findings.error(Rule::Contradiction, &approver.range, message, "once is enough");
                }
                Some(position) => found.push(position),
                None => {
                    let known = self.things.approvers.iter().map(|known| known.name.as_str());
                    unknown("approver", &approver.value, &approver.range, known, self.findings);
                }
            }
        }
        if quorum.value == 0 || quorum.value as usize > approvers.len() {
            let message = format!("{} of {} approvers cannot agree", quorum.value, approvers.len());
            self.findings.error(
                Rule::Count,
                &quorum.range,
                message,
                "write 1 or more, and as many as are listed at most",
            );
        }
        PlannedGroup { name, quorum: quorum.value, approvers: found }
    }
}

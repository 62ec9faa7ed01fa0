//! The rules of a key, from its policy: every approver found, and everything refused that could never be met.
//!
//! Follows the TSB's "Create Policy Based Key": times are multiples of 60 seconds, and a blocked key needs a rule to unblock it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::approver::KnownApprover;
use super::{ApproverId, Group, Operation, Rule, Token};
use crate::failure::quote;
use crate::limits;
use crate::tsb::{ApprovalRule, Approver, KeyPolicy, PolicyToken};

/// The certificates by which policies mean approvers by name.
pub(super) type Onboarded = BTreeMap<String, KnownApprover>;

/// The rules of a key.
#[derive(Debug, Clone, Default)]
pub(super) struct KeyRules {
    sign: Arc<Rule>,
    block: Arc<Rule>,
    unblock: Arc<Rule>,
    modify: Arc<Rule>,
    /// What the policy calls its approvers.
    pub(super) names: BTreeMap<ApproverId, String>,
}

impl KeyRules {
    /// The rule for an operation.
    pub(super) fn rule(&self, operation: Operation) -> &Arc<Rule> {
        match operation {
            Operation::Sign => &self.sign,
            Operation::Block => &self.block,
            Operation::Unblock => &self.unblock,
            Operation::Modify => &self.modify,
        }
    }

    /// Reads a policy.
    ///
    /// # Errors
    ///
    /// Where it cannot be kept and why, as a sentence.
    pub(super) fn of(policy: &KeyPolicy, onboarded: &Onboarded, short_times: bool) -> Result<KeyRules, String> {
        if policy.key_status.blocked && policy.rule_unblock.as_ref().is_none_or(|rule| rule.tokens.is_empty()) {
            return Err("a key that is blocked needs a ruleUnblock".to_owned());
        }
        let mut reader = Reader { onboarded, short_times, names: BTreeMap::new(), entries: 0 };
        let sign = reader.rule("ruleUse", policy.rule_use.as_ref())?;
        let block = reader.rule("ruleBlock", policy.rule_block.as_ref())?;
        let unblock = reader.rule("ruleUnblock", policy.rule_unblock.as_ref())?;
        let modify = reader.rule("ruleModify", policy.rule_modify.as_ref())?;
        Ok(KeyRules { sign, block, unblock, modify, names: reader.names })
    }
}

struct Reader<'a> {
    onboarded: &'a Onboarded,
    short_times: bool,
    names: BTreeMap<ApproverId, String>,
    entries: usize,
}

impl Reader<'_> {
    fn rule(&mut self, name: &str, rule: Option<&ApprovalRule>) -> Result<Arc<Rule>, String> {
        let Some(rule) = rule else { return Ok(Arc::default()) };
        let mut tokens = Vec::new();
        for token in &rule.tokens {
            self.count()?;
            let place = format!("{name}, token {}", quote(&token.name));
            tokens.push(self.token(&place, token)?);
        }
        Ok(Arc::new(Rule { tokens }))
    }

    fn token(&mut self, place: &str, token: &PolicyToken) -> Result<Token, String> {
        for (what, seconds) in [("timelock", token.timelock), ("timeout", token.timeout)] {
            if !self.short_times && !seconds.is_multiple_of(60) {
                return Err(format!("{place}: the {what} is {seconds} seconds, and has to be a multiple of 60"));
            }
            // So that no time that is counted from now leaves the calendar.
            if seconds > limits::GATEWAY_LONGEST_TIMEOUT {
                let most = limits::GATEWAY_LONGEST_TIMEOUT;
                return Err(format!("{place}: the {what} is {seconds} seconds, and may be {most} at most"));
            }
        }
        let timeout = (token.timeout > 0).then_some(token.timeout);
        if timeout.is_some_and(|timeout| token.timelock > timeout) {
            return Err(format!("{place}: the timelock is longer than the timeout, so that it could never be met"));
        }
        let mut groups = Vec::new();
        for group in &token.groups {
            self.count()?;
            let place = format!("{place}, group {}", quote(&group.name));
            let mut members = BTreeSet::new();
            for (index, approver) in group.approvals.iter().enumerate() {
                self.count()?;
                members.insert(self.approver(&format!("{place}, approval {}", index + 1), approver)?);
            }
            if group.quorum as usize > members.len() {
                let (quorum, count) = (group.quorum, members.len());
                return Err(format!("{place}: {quorum} have to agree, and there are {count} different approvers"));
            }
            groups.push(Group { quorum: group.quorum, members });
        }
        Ok(Token { timelock: token.timelock, timeout, groups })
    }

    fn approver(&mut self, place: &str, approver: &Approver) -> Result<ApproverId, String> {
        let decoded =
            |text: &str| STANDARD.decode(text).map_err(|_| format!("{place}: the value is not base64 on one line"));
        let (known, name) = match approver {
            Approver::PublicKey { name, value } => {
                let known = KnownApprover::of_key(&decoded(value)?);
                (known.map_err(|reason| format!("{place}: the key {reason}"))?, name.clone())
            }
            Approver::Certificate { name, value } => {
                let known = KnownApprover::of_certificate(&decoded(value)?);
                (known.map_err(|reason| format!("{place}: the certificate {reason}"))?, name.clone())
            }
            Approver::OnboardedApproverCertificate { name } => {
                let known = self.onboarded.get(name);
                let missing = || format!("{place}: no certificate of {} is onboarded", quote(name));
                (known.cloned().ok_or_else(missing)?, Some(name.clone()))
            }
        };
        if let Some(name) = name.or(known.subject) {
            self.names.entry(known.id.clone()).or_insert(name);
        }
        Ok(known.id)
    }

    fn count(&mut self) -> Result<(), String> {
        self.entries += 1;
        if self.entries > limits::GATEWAY_POLICY_ENTRIES {
            let most = limits::GATEWAY_POLICY_ENTRIES;
            return Err(format!("it has more than {most} tokens, groups and approvals"));
        }
        Ok(())
    }
}

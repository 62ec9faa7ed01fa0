//! Whether enough people have agreed, in time: the rule of a key, and the course of a request under it. Pure.
//!
//! Follows the TSB's "Smart Key Attributes": tokens are alternatives, every group of a token has to agree, of a group as many
//! different approvers as its quorum says, not before the timelock and not after the timeout of the token. What that leaves open
//! is told in [`crate::tsb::undocumented`].
//!
//! Times are ages: whole seconds since the request was made. Nothing here reads a clock, and nothing depends on when it is asked:
//! what falls due between two calls is found to have happened at its second.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use crate::tsb::RequestStatus;

/// An approver: their public key, a SubjectPublicKeyInfo in base64. Holders of one key are one person.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ApproverId(pub Arc<str>);

impl fmt::Display for ApproverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Alternatives. Without any, no approval is needed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rule {
    /// One of which has to be met.
    pub tokens: Vec<Token>,
}

/// One alternative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// The age at which the request may be executed at the earliest.
    pub timelock: u64,
    /// The age at which it may be approved and executed at the latest; none for any age.
    pub timeout: Option<u64>,
    /// All of which have to agree.
    pub groups: Vec<Group>,
}

/// People of whom enough have to agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// How many different ones.
    pub quorum: u32,
    /// Who they are.
    pub members: BTreeSet<ApproverId>,
}

/// How a request stands at an age.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How far it has come.
    pub status: RequestStatus,
    /// The age since which that is so, if nothing changes any more.
    pub ended: Option<u64>,
    /// The age at which it is worth looking again if nothing is done meanwhile.
    pub next: Option<u64>,
}

/// Why an approval or a refusal does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No group lists them.
    NotListed,
    /// They have approved already.
    ApprovedAlready,
    /// They have refused already.
    RejectedAlready,
    /// The request has ended so.
    Ended(RequestStatus),
    /// No token that lists them can be met in time any more.
    TooLate,
}

/// Who did something, and at what age.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deeds {
    ages: BTreeMap<ApproverId, u64>,
    order: Vec<ApproverId>,
}

impl Deeds {
    /// Who, and at what age, in the order in which they did.
    pub fn iter(&self) -> impl Iterator<Item = (&ApproverId, u64)> {
        self.order.iter().filter_map(|who| Some((who, *self.ages.get(who)?)))
    }

    fn of(&self, who: &ApproverId) -> Option<u64> {
        self.ages.get(who).copied()
    }

    fn add(&mut self, who: &ApproverId, age: u64) {
        if self.ages.insert(who.clone(), age).is_none() {
            self.order.push(who.clone());
        }
    }
}

/// A request under its rule.
#[derive(Debug, Clone)]
pub struct Course {
    /// Shared with the key: many requests wait under one.
    rule: Arc<Rule>,
    approved: Deeds,
    rejected: Deeds,
    blocked: bool,
    /// The age up to which everything that fell due has happened.
    settled: u64,
    ended: Option<(RequestStatus, u64)>,
}

impl Course {
    /// A request that has just been made, by a key that may be blocked.
    pub fn new(rule: impl Into<Arc<Rule>>, blocked: bool) -> Course {
        let rule = rule.into();
        let (approved, rejected) = (Deeds::default(), Deeds::default());
        let mut course = Course { rule, approved, rejected, blocked, settled: 0, ended: None };
        course.settle(0);
        course
    }

    /// Lets everything happen that falls due up to `age`, each at its second. An age before what has happened is as good as that.
    pub fn settle(&mut self, age: u64) {
        let age = age.max(self.settled);
        if self.ended.is_none() {
            let executed = self.execution().filter(|&at| at <= age);
            let executed = executed.map(|at| {
                (if self.blocked { RequestStatus::Failed } else { RequestStatus::Executed }, at.max(self.settled))
            });
            // What can be executed is open, and not all tokens are closed before it has been: the first of both has happened.
            let closed = self.closings().filter(|&at| at <= age).find_map(|at| Some((self.closed(at)?, at)));
            self.ended = executed.into_iter().chain(closed).min_by_key(|&(_, at)| at);
        }
        self.settled = age;
    }

    /// How the request stands at `age`.
    pub fn standing(&mut self, age: u64) -> Standing {
        self.settle(age);
        if let Some((status, at)) = self.ended {
            return Standing { status, ended: Some(at), next: None };
        }
        let (execution, status) = (self.execution(), self.status());
        let closing = self.rule.tokens.iter().filter_map(Token::closing).filter(|&at| at > self.settled).min();
        Standing { status, ended: None, next: execution.or(closing) }
    }

    /// How the request stands as of what has happened.
    pub fn status(&self) -> RequestStatus {
        let open = if self.execution().is_some() { RequestStatus::Approved } else { RequestStatus::Pending };
        self.ended.map_or(open, |(status, _)| status)
    }

    /// The age at which it has ended.
    pub fn ended(&self) -> Option<u64> {
        self.ended.map(|(_, at)| at)
    }

    /// Counts the approval of `who` at `age`.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    pub fn approve(&mut self, who: &ApproverId, age: u64) -> Result<(), Refused> {
        self.admit(who, age)?;
        self.approved.add(who, self.settled);
        self.settle(age);
        Ok(())
    }

    /// Counts the refusal of `who` at `age`.
    ///
    /// # Errors
    ///
    /// Why it does not count.
    pub fn reject(&mut self, who: &ApproverId, age: u64) -> Result<(), Refused> {
        self.admit(who, age)?;
        self.rejected.add(who, self.settled);
        self.settle(age);
        Ok(())
    }

    /// Takes the request back at `age`.
    ///
    /// # Errors
    ///
    /// That it has ended, and how.
    pub fn cancel(&mut self, age: u64) -> Result<(), Refused> {
        self.settle(age);
        self.end(RequestStatus::Cancelled, age)
    }

    /// Ends the request at `age` because its rule is no longer in force: before anything that falls due in that second.
    ///
    /// # Errors
    ///
    /// That it has ended, and how.
    pub fn fail(&mut self, age: u64) -> Result<(), Refused> {
        if let Some(before) = age.checked_sub(1) {
            self.settle(before);
        }
        self.end(RequestStatus::Failed, age)
    }

    /// Says that the key is blocked from `age` on, or not any more.
    pub fn set_blocked(&mut self, blocked: bool, age: u64) {
        self.settle(age);
        self.blocked = blocked;
    }

    /// Who has approved, and at what age.
    pub fn approved(&self) -> &Deeds {
        &self.approved
    }

    /// Who has refused, and at what age.
    pub fn rejected(&self) -> &Deeds {
        &self.rejected
    }

    /// Whether any group lists `who`.
    pub fn lists(&self, who: &ApproverId) -> bool {
        self.rule.tokens.iter().any(|token| token.lists(who))
    }

    /// Whether `who` may still approve or refuse, as of what has happened.
    pub fn awaits(&self, who: &ApproverId) -> bool {
        self.ended.is_none()
            && self.is_undecided(who)
            && self.rule.tokens.iter().any(|token| token.is_open(self.settled) && token.lists(who))
    }

    /// All who may.
    pub fn awaited(&self) -> BTreeSet<ApproverId> {
        if self.ended.is_some() {
            return BTreeSet::new();
        }
        let open = self.rule.tokens.iter().filter(|token| token.is_open(self.settled));
        let members = open.flat_map(|token| &token.groups).flat_map(|group| &group.members);
        members.filter(|who| self.is_undecided(who)).cloned().collect()
    }

    /// Whether `who` has neither approved nor refused.
    fn is_undecided(&self, who: &ApproverId) -> bool {
        self.approved.of(who).is_none() && self.rejected.of(who).is_none()
    }

    /// Ends the request at `age`, up to which all that counts has been settled.
    fn end(&mut self, status: RequestStatus, age: u64) -> Result<(), Refused> {
        if let Some((status, _)) = self.ended {
            return Err(Refused::Ended(status));
        }
        self.settled = self.settled.max(age);
        self.ended = Some((status, self.settled));
        Ok(())
    }

    /// Whether `who` may approve or refuse at `age`.
    fn admit(&mut self, who: &ApproverId, age: u64) -> Result<(), Refused> {
        self.settle(age);
        if !self.lists(who) {
            return Err(Refused::NotListed);
        }
        if let Some((status, _)) = self.ended {
            return Err(Refused::Ended(status));
        }
        if self.approved.of(who).is_some() {
            return Err(Refused::ApprovedAlready);
        }
        if self.rejected.of(who).is_some() {
            return Err(Refused::RejectedAlready);
        }
        let open = self.rule.tokens.iter().any(|token| token.is_open(self.settled) && token.lists(who));
        if open { Ok(()) } else { Err(Refused::TooLate) }
    }

    /// The age at which the request is executed, by what has been approved so far.
    fn execution(&self) -> Option<u64> {
        if self.rule.tokens.is_empty() {
            return Some(0);
        }
        self.rule.tokens.iter().filter_map(|token| token.execution(&self.approved)).min()
    }

    /// The ages at which tokens may have closed since what has happened, in order.
    fn closings(&self) -> impl Iterator<Item = u64> + use<> {
        let later = self.rule.tokens.iter().filter_map(Token::closing).filter(|&at| at > self.settled);
        let mut ages: Vec<u64> = later.chain([self.settled]).collect();
        ages.sort_unstable();
        ages.into_iter()
    }

    /// How the request has ended by `age` if it was not executed before: no token is open, or none that is can be met.
    fn closed(&self, age: u64) -> Option<RequestStatus> {
        if self.rule.tokens.is_empty() {
            return None;
        }
        let mut open = self.rule.tokens.iter().filter(|token| token.is_open(age)).peekable();
        if open.peek().is_none() {
            return Some(RequestStatus::Expired);
        }
        let hopeless = open.all(|token| !token.can_be_met(&self.rejected));
        hopeless.then_some(RequestStatus::Rejected)
    }
}

impl Token {
    /// Whether it can be met by time at `age`, now or later.
    fn is_open(&self, age: u64) -> bool {
        self.timeout.is_none_or(|timeout| age <= timeout && self.timelock <= timeout)
    }

    /// The first age at which it is not open any more.
    fn closing(&self) -> Option<u64> {
        self.timeout.map(|timeout| timeout.saturating_add(1))
    }

    fn lists(&self, who: &ApproverId) -> bool {
        self.groups.iter().any(|group| group.members.contains(who))
    }

    /// The age at which it lets the request be executed, if its groups have agreed in time.
    fn execution(&self, approved: &Deeds) -> Option<u64> {
        let mut at = self.timelock;
        for group in &self.groups {
            at = at.max(group.agreement(approved, self.timeout)?);
        }
        self.is_open(at).then_some(at)
    }

    /// Whether every group can reach its quorum without those who have refused.
    fn can_be_met(&self, rejected: &Deeds) -> bool {
        self.groups.iter().all(|group| {
            let left = group.members.iter().filter(|member| rejected.of(member).is_none()).count();
            left >= group.quorum as usize
        })
    }
}

impl Group {
    /// The age at which enough have approved by `timeout`.
    fn agreement(&self, approved: &Deeds, timeout: Option<u64>) -> Option<u64> {
        let in_time = |age: &u64| timeout.is_none_or(|timeout| *age <= timeout);
        let mut ages: Vec<u64> = self.members.iter().filter_map(|member| approved.of(member)).filter(in_time).collect();
        ages.sort_unstable();
        match self.quorum as usize {
            0 => Some(0),
            quorum => ages.get(quorum - 1).copied(),
        }
    }
}

#[cfg(test)]
mod tests;

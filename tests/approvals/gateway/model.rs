//! The rule once more, written from its description alone and in another way: a clock that ticks second by second, and people who
//! are bits of a number. It can be told to be wrong in one way.

use std::fmt;

use muster::tsb::RequestStatus;

/// A token: timelock, timeout (0 for none), and groups of a quorum and the people in it.
#[derive(Debug, Clone)]
pub(crate) struct ModelToken {
    pub(crate) timelock: u64,
    pub(crate) timeout: u64,
    pub(crate) groups: Vec<(u32, u16)>,
}

/// What somebody does in a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Approve(u32),
    Reject(u32),
    Cancel,
    Block,
    Unblock,
}

/// A story: a rule, whether the key begins blocked, what happens in which second, and when somebody looks at last.
#[derive(Debug, Clone)]
pub(crate) struct Story {
    pub(crate) tokens: Vec<ModelToken>,
    pub(crate) blocked: bool,
    pub(crate) acts: Vec<(u64, Act)>,
    pub(crate) end: u64,
}

/// What is seen of it: of each act whether it counted, and the status after it; the status at the end, and since when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) acts: Vec<(bool, RequestStatus)>,
    pub(crate) last: RequestStatus,
    pub(crate) since: Option<u64>,
}

macro_rules! mutants {
    ($($(#[$note:meta])+ $name:ident)+) => {
        /// Ways in which a rule can be wrong.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Mutant { $($(#[$note])+ $name),+ }

        impl Mutant {
            pub(crate) const ALL: &'static [Mutant] = &[$(Mutant::$name),+];
        }
    };
}

mutants! {
    /// One approval less is enough.
    QuorumOneLess
    /// One more is needed.
    QuorumOneMore
    /// Every token has to be met.
    TokensAnd
    /// One group is enough.
    GroupsOr
    /// Who approves twice counts twice.
    DuplicatesCount
    /// Anybody counts.
    OutsidersCount
    /// An approver counts in the first of their groups alone.
    OneGroupEach
    /// Approvals of all groups are put together.
    GroupsPooled
    /// The second of the timeout is too late.
    TimeoutExclusive
    /// The second after the timeout is not.
    TimeoutOneLonger
    /// Nothing is ever too late.
    TimeoutIgnored
    /// A timeout of 0 has run out at once.
    TimeoutZeroIsNow
    /// The longest timeout is that of all tokens.
    TimeoutShared
    /// Nothing is held back.
    TimelockIgnored
    /// What is held back is executed a second late.
    TimelockOneLonger
    /// Approvals before the timelock is over do not count.
    TimelockRefusesApprovals
    /// The timelock of the first token is that of all.
    TimelockShared
    /// Refusals are nothing.
    RejectionsIgnored
    /// One refusal ends it.
    FirstRejectionEnds
    /// Refusals end it only when everybody has refused.
    AllMustReject
    /// Refusals end it one later.
    RejectionOneLater
    /// Who has refused may approve.
    RejectedMayApprove
    /// Who has approved may refuse.
    ApprovedMayReject
    /// Refusals of outsiders count.
    OutsidersReject
    /// A blocked key signs.
    BlockedIgnored
    /// A key that was blocked in between fails for good.
    BlockedForEver
    /// A key that begins blocked is not.
    BlockedAtFirstIgnored
    /// What is cancelled goes on.
    CancelIgnored
    /// What has ended can be cancelled.
    CancelAfterEnd
    /// What is approved cannot be cancelled.
    CancelOnlyPending
    /// What is approved is pending until it is executed.
    NeverApproved
    /// Without a rule nothing is executed.
    EmptyRuleWaits
    /// A token without groups is never met.
    EmptyTokenNeverMet
    /// What has run out is rejected.
    ExpiredIsRejected
    /// What was refused has run out.
    RejectedIsExpired
    /// It runs out when the first token does.
    ExpiresWithFirst
    /// A token whose timelock is longer than its timeout is waited for.
    UnmeetableIsOpen
    /// After the end, approvals are taken.
    ApprovalsAfterEnd
    /// Members of tokens that have run out may still act.
    ClosedMembersMayAct
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self:?}")
    }
}

struct Play<'a> {
    story: &'a Story,
    wrong: Option<Mutant>,
    approvals: Vec<(u64, u32)>,
    rejections: Vec<(u64, u32)>,
    blocked: bool,
    was_blocked: bool,
    end: Option<(RequestStatus, u64)>,
}

/// Plays a story second by second.
pub(crate) fn play(story: &Story, wrong: Option<Mutant>) -> Seen {
    let blocked = story.blocked && wrong != Some(Mutant::BlockedAtFirstIgnored);
    let mut play =
        Play { story, wrong, approvals: Vec::new(), rejections: Vec::new(), blocked, was_blocked: blocked, end: None };
    let mut seen = Vec::new();
    let mut status = RequestStatus::Pending;
    for second in 0..=story.end {
        status = play.tick(second);
        for &(_, act) in story.acts.iter().filter(|(at, _)| *at == second) {
            let counted = play.act(second, act, status);
            status = play.tick(second);
            seen.push((counted, status));
        }
    }
    Seen { acts: seen, last: status, since: play.end.map(|(_, second)| second) }
}

impl Play<'_> {
    fn is(&self, mutant: Mutant) -> bool {
        self.wrong == Some(mutant)
    }

    fn people(&self) -> u16 {
        self.story.tokens.iter().flat_map(|token| &token.groups).fold(0, |all, (_, people)| all | people)
    }

    fn timeout(&self, token: &ModelToken) -> u64 {
        let shared = || {
            let all = || self.story.tokens.iter().map(|token| token.timeout);
            if all().any(|timeout| timeout == 0) { 0 } else { all().max().unwrap_or(0) }
        };
        if self.is(Mutant::TimeoutShared) { shared() } else { token.timeout }
    }

    fn in_time(&self, token: &ModelToken, second: u64) -> bool {
        match (self.timeout(token), self.wrong) {
            (_, Some(Mutant::TimeoutIgnored)) => true,
            (0, Some(Mutant::TimeoutZeroIsNow)) => second == 0,
            (0, _) => true,
            (timeout, Some(Mutant::TimeoutExclusive)) => second < timeout,
            (timeout, Some(Mutant::TimeoutOneLonger)) => second <= timeout + 1,
            (timeout, _) => second <= timeout,
        }
    }

    /// Whether it can be met in this second or a later one, by time alone.
    fn open(&self, token: &ModelToken, second: u64) -> bool {
        let meetable = token.timeout == 0 || token.timelock <= token.timeout || self.is(Mutant::UnmeetableIsOpen);
        self.in_time(token, second) && meetable
    }

    fn locked(&self, token: &ModelToken, second: u64) -> bool {
        let lock = match self.wrong {
            Some(Mutant::TimelockIgnored) => 0,
            Some(Mutant::TimelockShared) => self.story.tokens[0].timelock,
            Some(Mutant::TimelockOneLonger) if token.timelock > 0 => token.timelock + 1,
            _ => token.timelock,
        };
        second < lock
    }

    /// Whether the people of a token have agreed, whenever it may be executed.
    fn agreed(&self, token: &ModelToken) -> bool {
        let mut counted = 0_u16;
        let mut by_group: Vec<u32> = Vec::new();
        for (_, people) in &token.groups {
            let valid = |&&(at, who): &&(u64, u32)| {
                let member = people >> who & 1 == 1 || self.is(Mutant::OutsidersCount);
                let in_time = self.in_time(token, at);
                member && in_time && !(self.is(Mutant::TimelockRefusesApprovals) && at < token.timelock)
            };
            let mut voices: Vec<u32> = self.approvals.iter().filter(valid).map(|&(_, who)| who).collect();
            if self.is(Mutant::OneGroupEach) {
                voices.retain(|who| counted >> who & 1 == 0);
            }
            if !self.is(Mutant::DuplicatesCount) {
                voices.sort_unstable();
                voices.dedup();
            }
            voices.iter().for_each(|who| counted |= 1 << who);
            by_group.push(u32::try_from(voices.len()).unwrap());
        }
        let pooled = by_group.iter().sum::<u32>();
        let mut met = token.groups.iter().zip(&by_group).map(|(&(quorum, _), &voices)| match self.wrong {
            Some(Mutant::QuorumOneLess) => voices + 1 >= quorum && voices > 0 || quorum == 0,
            Some(Mutant::QuorumOneMore) => voices > quorum,
            _ => voices >= quorum,
        });
        match self.wrong {
            Some(Mutant::EmptyTokenNeverMet) if token.groups.is_empty() => false,
            Some(Mutant::GroupsOr) if !token.groups.is_empty() => met.any(|met| met),
            Some(Mutant::GroupsPooled) => pooled >= token.groups.iter().map(|(quorum, _)| quorum).sum(),
            _ => met.all(|met| met),
        }
    }

    /// Whether refusals leave a token a chance.
    fn possible(&self, token: &ModelToken) -> bool {
        let refused = self.rejections.iter().fold(0_u16, |all, (_, who)| all | 1 << who);
        token.groups.iter().all(|&(quorum, people)| {
            let left = (people & !refused).count_ones();
            match self.wrong {
                Some(Mutant::RejectionsIgnored) => true,
                Some(Mutant::FirstRejectionEnds) => refused & people == 0,
                Some(Mutant::AllMustReject) => left > 0 || quorum == 0,
                Some(Mutant::RejectionOneLater) => left + 1 >= quorum,
                _ => left >= quorum,
            }
        })
    }

    fn tick(&mut self, second: u64) -> RequestStatus {
        if let Some((status, _)) = self.end {
            return status;
        }
        let tokens = &self.story.tokens;
        let ready: Vec<bool> = tokens
            .iter()
            .map(|token| self.agreed(token) && self.in_time(token, second) && !self.locked(token, second))
            .collect();
        let nobody_needed = tokens.is_empty() && !self.is(Mutant::EmptyRuleWaits);
        let execute = match self.wrong {
            Some(Mutant::TokensAnd) => nobody_needed || !tokens.is_empty() && ready.iter().all(|ready| *ready),
            _ => nobody_needed || ready.contains(&true),
        };
        if execute {
            let blocked = match self.wrong {
                Some(Mutant::BlockedIgnored) => false,
                Some(Mutant::BlockedForEver) => self.was_blocked,
                _ => self.blocked,
            };
            let status = if blocked { RequestStatus::Failed } else { RequestStatus::Executed };
            return self.finish(status, second);
        }
        // A token that cannot be met at any second is not open in any.
        let open: Vec<&ModelToken> = tokens.iter().filter(|token| self.open(token, second)).collect();
        let run_out = match self.wrong {
            Some(Mutant::ExpiresWithFirst) => !tokens.is_empty() && open.len() < tokens.len(),
            _ => !tokens.is_empty() && open.is_empty(),
        };
        if run_out {
            let rejected = self.is(Mutant::ExpiredIsRejected);
            return self.finish(if rejected { RequestStatus::Rejected } else { RequestStatus::Expired }, second);
        }
        if !tokens.is_empty() && !open.iter().any(|token| self.possible(token)) {
            let expired = self.is(Mutant::RejectedIsExpired);
            return self.finish(if expired { RequestStatus::Expired } else { RequestStatus::Rejected }, second);
        }
        let agreed = open.iter().any(|token| self.agreed(token));
        if agreed && !self.is(Mutant::NeverApproved) { RequestStatus::Approved } else { RequestStatus::Pending }
    }

    fn finish(&mut self, status: RequestStatus, second: u64) -> RequestStatus {
        self.end = Some((status, second));
        status
    }

    fn act(&mut self, second: u64, act: Act, status: RequestStatus) -> bool {
        let over = self.end.is_some();
        let has = |deeds: &[(u64, u32)], who: u32| deeds.iter().any(|&(_, other)| other == who);
        match act {
            Act::Block | Act::Unblock => {
                self.blocked = act == Act::Block;
                self.was_blocked |= self.blocked;
                true
            }
            Act::Cancel => {
                let may = match self.wrong {
                    Some(Mutant::CancelIgnored) => return !over,
                    Some(Mutant::CancelAfterEnd) => true,
                    Some(Mutant::CancelOnlyPending) => !over && status == RequestStatus::Pending,
                    _ => !over,
                };
                if may {
                    self.finish(RequestStatus::Cancelled, second);
                }
                may
            }
            Act::Approve(who) | Act::Reject(who) => {
                let approves = matches!(act, Act::Approve(_));
                let outsiders = if approves { Mutant::OutsidersCount } else { Mutant::OutsidersReject };
                let member = self.people() >> who & 1 == 1 || self.is(outsiders);
                let needed = self.story.tokens.iter().any(|token| {
                    let open = self.open(token, second);
                    let lists = token.groups.iter().any(|(_, people)| people >> who & 1 == 1);
                    (open || self.is(Mutant::ClosedMembersMayAct)) && (lists || self.is(outsiders))
                });
                let approved = has(&self.approvals, who)
                    && !(self.is(Mutant::DuplicatesCount) && approves)
                    && (!self.is(Mutant::ApprovedMayReject) || approves);
                let rejected = has(&self.rejections, who) && !(self.is(Mutant::RejectedMayApprove) && approves);
                let over = over && !(self.is(Mutant::ApprovalsAfterEnd) && approves);
                let may = member && needed && !over && !approved && !rejected;
                if may {
                    if approves { self.approvals.push((second, who)) } else { self.rejections.push((second, who)) }
                }
                may
            }
        }
    }
}

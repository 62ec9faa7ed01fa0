//! What a gateway holds: its keys, and every request in its course. All that changes happens here, under one lock, in the order of
//! time.
//!
//! Whatever falls due (a timelock that is over, a timeout) stands in an agenda by its second. Before anything else happens the
//! agenda is worked off up to now, the earliest first, so that a key is blocked before a later request of it falls due, and not
//! after, whenever a client asks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use time::OffsetDateTime;

use super::super::Key;
use super::answer::Refusal;
use super::approver::KnownApprover;
use super::clock::Clock;
use super::fault::Faults;
use super::held_request::HeldRequest;
use super::key_rules::{KeyRules, Onboarded};
use super::{ApproverId, GatewayError, GatewayEvent, Operation, RefusedDeed, RequestRecord, Watcher, signing};
use crate::failure::quote;
use crate::limits;
use crate::tsb::undocumented::statuses;
use crate::tsb::{KeyPolicy, RequestStatus};

/// A key of the gateway.
pub(super) struct HeldKey {
    pub(super) key: Key,
    pub(super) chain: Option<Vec<Vec<u8>>>,
    /// None if it is of the kind that has no policy.
    pub(super) rules: Option<KeyRules>,
    pub(super) blocked: bool,
}

/// Everything.
pub(super) struct Ledger {
    clock: Clock,
    short_times: bool,
    keys: BTreeMap<String, HeldKey>,
    onboarded: Onboarded,
    requests: Vec<HeldRequest>,
    by_id: HashMap<String, usize>,
    agenda: BTreeSet<(i64, usize)>,
    payload_bytes: usize,
    /// How many deeds that did not count are remembered.
    remembered: usize,
    pub(super) faults: Faults,
    watcher: Option<Watcher>,
}

impl Ledger {
    pub(super) fn new(clock: Clock, short_times: bool, watcher: Option<Watcher>) -> Ledger {
        Ledger {
            clock,
            short_times,
            keys: BTreeMap::new(),
            onboarded: Onboarded::new(),
            requests: Vec::new(),
            by_id: HashMap::new(),
            agenda: BTreeSet::new(),
            payload_bytes: 0,
            remembered: 0,
            faults: Faults::default(),
            watcher,
        }
    }

    /// The time, after everything has happened that fell due by it.
    pub(super) fn now(&mut self) -> i64 {
        let now = self.clock.now();
        self.settle(now);
        now
    }

    pub(super) fn set_time(&mut self, time: OffsetDateTime) {
        let now = self.clock.set(time);
        self.settle(now);
    }

    pub(super) fn add_key(
        &mut self,
        label: &str,
        key: Key,
        chain: Option<Vec<Vec<u8>>>,
        policy: Option<&KeyPolicy>,
    ) -> Result<(), GatewayError> {
        if self.keys.contains_key(label) {
            return Err(GatewayError::KeyTaken(quote(label)));
        }
        let rules = policy.map(|policy| self.rules(policy)).transpose();
        let rules = rules.map_err(|reason| GatewayError::Policy { key: quote(label), reason })?;
        let blocked = policy.is_some_and(|policy| policy.key_status.blocked);
        self.keys.insert(label.to_owned(), HeldKey { key, chain, rules, blocked });
        Ok(())
    }

    /// Reads a policy as that of one of these keys.
    pub(super) fn rules(&self, policy: &KeyPolicy) -> Result<KeyRules, String> {
        KeyRules::of(policy, &self.onboarded, self.short_times)
    }

    pub(super) fn onboard(&mut self, name: &str, certificate: &[u8]) -> Result<(), GatewayError> {
        let known = KnownApprover::of_certificate(certificate)
            .map_err(|reason| GatewayError::Approver { name: quote(name), reason })?;
        self.onboarded.insert(name.to_owned(), known);
        Ok(())
    }

    /// The key of a label.
    ///
    /// # Errors
    ///
    /// That there is none.
    pub(super) fn key(&self, label: &str) -> Result<&HeldKey, Refusal> {
        let missing = || Refusal::new(statuses::NOT_FOUND, "no-such-key", format!("there is no key {}", quote(label)));
        self.keys.get(label).ok_or_else(missing)
    }

    pub(super) fn is_blocked(&self, label: &str) -> Option<bool> {
        Some(self.keys.get(label)?.blocked)
    }

    pub(super) fn set_blocked(&mut self, label: &str, blocked: bool) -> Result<(), GatewayError> {
        let now = self.now();
        let key = self.keys.get_mut(label).ok_or_else(|| GatewayError::NoSuchKey(quote(label)))?;
        key.blocked = blocked;
        self.tell_requests_of_block(label, blocked, now);
        self.tell(now, || format!("the key {} is {}", quote(label), if blocked { "blocked" } else { "unblocked" }));
        Ok(())
    }

    /// Takes a request in; gives its place.
    ///
    /// # Errors
    ///
    /// That there are too many.
    pub(super) fn take(&mut self, request: HeldRequest) -> Result<usize, Refusal> {
        let bytes = self.payload_bytes + request.bytes();
        if self.requests.len() >= limits::GATEWAY_REQUESTS || bytes > limits::GATEWAY_PAYLOAD_BYTES {
            let message = "this gateway holds as many requests as it can: start it anew";
            return Err(Refusal::new(statuses::TOO_MANY, "too-many-requests", message));
        }
        self.payload_bytes = bytes;
        let (place, made) = (self.requests.len(), request.made);
        self.by_id.insert(request.id.clone(), place);
        let text = format!("{} has come in; {}", request.named(), self.wanted(&request));
        self.requests.push(request);
        self.tell(made, || text);
        self.look(place, made);
        Ok(place)
    }

    /// The place of a request.
    ///
    /// # Errors
    ///
    /// That there is none.
    pub(super) fn find(&self, id: &str) -> Result<usize, Refusal> {
        let missing =
            || Refusal::new(statuses::NOT_FOUND, "no-such-request", format!("there is no request {}", quote(id)));
        self.by_id.get(id).copied().ok_or_else(missing)
    }

    pub(super) fn request(&self, place: usize) -> &HeldRequest {
        &self.requests[place]
    }

    pub(super) fn requests(&self) -> impl DoubleEndedIterator<Item = &HeldRequest> {
        self.requests.iter()
    }

    /// Does something to a request. What follows from it happens when it is [looked at](Ledger::look).
    pub(super) fn change<T>(&mut self, place: usize, change: impl FnOnce(&mut HeldRequest) -> T) -> T {
        change(&mut self.requests[place])
    }

    /// Remembers with a request an approval or a refusal that did not count, unless strangers have sent too many.
    pub(super) fn remember(&mut self, place: usize, refused: RefusedDeed) {
        let deeds = &mut self.requests[place].refused;
        if deeds.len() < limits::GATEWAY_REFUSALS && self.remembered < limits::GATEWAY_REQUESTS {
            self.remembered += 1;
            deeds.push(refused);
        }
    }

    pub(super) fn record(&self, place: usize) -> RequestRecord {
        let request = &self.requests[place];
        request.record(self.keys.get(&request.key).and_then(|key| key.rules.as_ref()))
    }

    pub(super) fn records(&self) -> Vec<RequestRecord> {
        (0..self.requests.len()).map(|place| self.record(place)).collect()
    }

    /// Tells those who watch.
    pub(super) fn tell(&self, at: i64, text: impl FnOnce() -> String) {
        if let Some(watcher) = &self.watcher {
            watcher(&GatewayEvent { at: super::clock::point(at), text: text() });
        }
    }

    /// What the policy of a key calls an approver, if it does.
    pub(super) fn listed_name(&self, label: &str, approver: &ApproverId) -> Option<String> {
        self.keys.get(label)?.rules.as_ref()?.names.get(approver).cloned()
    }

    /// What an approver is called in messages.
    pub(super) fn name(&self, label: &str, approver: &ApproverId) -> String {
        let end = || approver.0.get(approver.0.len().saturating_sub(12)..).unwrap_or_default();
        self.listed_name(label, approver)
            .map_or_else(|| format!("the approver whose key ends with {}", quote(end())), |name| quote(&name))
    }

    /// Who is waited for, for messages.
    fn wanted(&self, request: &HeldRequest) -> String {
        let awaited = request.course.awaited();
        if awaited.is_empty() {
            return "it needs no approval".to_owned();
        }
        let mut names: Vec<String> = awaited.iter().map(|who| self.name(&request.key, who)).collect();
        names.sort_unstable();
        let others = if names.len() > 10 { " and others" } else { "" };
        names.truncate(10);
        format!("waiting for {}{others}", names.join(", "))
    }

    /// Lets everything happen that falls due up to `now`.
    fn settle(&mut self, now: i64) {
        while let Some(&(at, place)) = self.agenda.first()
            && at <= now
        {
            self.look(place, at);
        }
    }

    /// Looks at a request: it ends, or stands in the agenda for later.
    pub(super) fn look(&mut self, place: usize, at: i64) {
        let request = &mut self.requests[place];
        if let Some(due) = request.due.take() {
            self.agenda.remove(&(due, place));
        }
        if request.outcome.is_some() {
            return;
        }
        let standing = request.course.standing(request.age(at));
        if standing.ended.is_some() {
            self.end(place, standing.status, at);
        } else if let Some(next) = standing.next {
            let due = request.at(next);
            request.due = Some(due);
            self.agenda.insert((due, place));
        }
    }

    /// Ends a request, and does what it asks for.
    fn end(&mut self, place: usize, status: RequestStatus, now: i64) {
        let request = &mut self.requests[place];
        request.outcome = Some(status);
        let (label, operation) = (request.key.clone(), request.operation);
        if status == RequestStatus::Executed {
            match operation {
                Operation::Sign => self.sign(place),
                Operation::Block | Operation::Unblock => {
                    let blocked = operation == Operation::Block;
                    if let Some(key) = self.keys.get_mut(&label) {
                        key.blocked = blocked;
                    }
                    self.tell_requests_of_block(&label, blocked, now);
                }
                Operation::Modify => self.modify(place, now),
            }
        }
        let blocked = self.is_blocked(&label) == Some(true);
        let request = &mut self.requests[place];
        let status = request.outcome.unwrap_or(status);
        if status == RequestStatus::Failed && operation == Operation::Sign && blocked {
            request.failure.get_or_insert_with(|| "its key is blocked".to_owned());
        }
        let because = request.failure.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        let text = format!("{} is {}{because}", request.named(), status.as_str());
        self.tell(now, || text);
    }

    fn sign(&mut self, place: usize) {
        let request = &mut self.requests[place];
        let Some(key) = self.keys.get(&request.key) else { return };
        if key.blocked {
            // In this very second, by a request that came in before.
            request.outcome = Some(RequestStatus::Failed);
            return;
        }
        let fault = self.faults.of_signature();
        match signing::sign(&key.key, &request.payload, request.form, fault) {
            Ok(signature) => request.result = Some(signature),
            Err(error) => {
                request.outcome = Some(RequestStatus::Failed);
                request.failure = Some(error.to_string());
            }
        }
    }

    /// Puts another policy in force. What was asked under the one before it is over.
    fn modify(&mut self, place: usize, now: i64) {
        let Some(policy) = self.requests[place].policy.clone() else { return };
        let label = self.requests[place].key.clone();
        match self.rules(&policy) {
            Ok(rules) => {
                if let Some(key) = self.keys.get_mut(&label) {
                    key.rules = Some(rules);
                }
                let open: Vec<usize> = self.open_requests(&label);
                for place in open {
                    let request = &mut self.requests[place];
                    let age = request.age(now);
                    // Also what falls due in this second: none of it may begin a change within this one.
                    if request.course.fail(age).is_ok() {
                        request.failure = Some("its key was given another policy".to_owned());
                    }
                    self.look(place, now);
                }
            }
            Err(reason) => {
                self.requests[place].outcome = Some(RequestStatus::Failed);
                self.requests[place].failure = Some(reason);
            }
        }
    }

    fn open_requests(&self, label: &str) -> Vec<usize> {
        let open = |request: &HeldRequest| request.outcome.is_none() && request.key == label;
        (0..self.requests.len()).filter(|&place| open(&self.requests[place])).collect()
    }

    fn tell_requests_of_block(&mut self, label: &str, blocked: bool, now: i64) {
        for place in self.open_requests(label) {
            let request = &mut self.requests[place];
            if request.operation == Operation::Sign {
                let age = request.age(now);
                request.course.set_blocked(blocked, age);
            }
        }
    }
}

#[cfg(test)]
mod tests;

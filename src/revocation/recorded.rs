//! Answers as plain data: what was asked, and what came, or why nothing came.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use time::OffsetDateTime;

use super::Need;
use super::edition::Edition;
use crate::digest::Digest;
use crate::trouble::Trouble;

/// An answer as it came, unverified. Cheap to clone, and known by its digest, so that work on it is done once.
#[derive(Debug, Clone)]
pub struct Answer {
    bytes: Bytes,
    digest: Digest,
    arrival: Option<Arrival>,
    kept: Arc<[Kept]>,
    known: Option<Arc<Known>>,
    _permit: Option<Arc<dyn fmt::Debug + Send + Sync>>,
}

/// A CRL that was kept from before, unverified, and the delta that was kept with it.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) base: Answer,
    pub(crate) delta: Option<Answer>,
}

/// How new an answer was that has been verified, and the delta that belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    pub(crate) base: Edition,
    pub(crate) delta: Option<Edition>,
}

/// When an answer came, for a run that judges as of its own beginning: an answer may be made while the run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// The time as of which the run judges.
    pub run: OffsetDateTime,
    /// When the answer was there.
    pub at: OffsetDateTime,
}

impl Arrival {
    /// The latest moment that counts as the present for who judges as of `at`: when the answer came, if that was in the run
    /// that judges as of `at`, or in one that is repeated. A verification as of another time was not there when it came.
    pub(crate) fn present(arrival: Option<Arrival>, at: OffsetDateTime) -> OffsetDateTime {
        match arrival {
            Some(arrival) if arrival.run.unix_timestamp() == at.unix_timestamp() => at.max(arrival.at),
            _ => at,
        }
    }
}

impl Answer {
    /// Takes the bytes of an answer, and hashes them.
    pub fn new(bytes: impl Into<Bytes>) -> Answer {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        Answer { bytes, digest, arrival: None, kept: Arc::default(), known: None, _permit: None }
    }

    /// The same, which came then.
    #[must_use]
    pub fn arrived(self, arrival: Arrival) -> Answer {
        Answer { arrival: Some(arrival), ..self }
    }

    /// The same, besides CRLs that were kept from the same address: where one of them is the issuer's as well and newer,
    /// this one is out of date, whatever it says.
    #[must_use]
    pub(crate) fn besides(self, kept: impl Into<Arc<[Kept]>>) -> Answer {
        Answer { kept: kept.into(), ..self }
    }

    /// The same, though `known` was verified before as an answer to the same need.
    #[must_use]
    pub(crate) fn after(self, known: Arc<Known>) -> Answer {
        Answer { known: Some(known), ..self }
    }

    /// The same, with its part of the memory that answers may take.
    #[must_use]
    pub(crate) fn holding(self, permit: Arc<dyn fmt::Debug + Send + Sync>) -> Answer {
        Answer { _permit: Some(permit), ..self }
    }

    /// The same, for who keeps it as long as they like: its part of the memory that answers may take is given back.
    #[must_use]
    fn released(self) -> Answer {
        let released =
            |kept: &Kept| Kept { base: kept.base.clone().released(), delta: kept.delta.clone().map(Answer::released) };
        Answer { kept: self.kept.iter().map(released).collect(), _permit: None, ..self }
    }

    /// How many bytes it takes, with what was kept from before.
    pub(crate) fn weight(&self) -> usize {
        let kept = |kept: &Kept| kept.base.bytes.len() + kept.delta.as_ref().map_or(0, |delta| delta.bytes.len());
        self.bytes.len() + self.kept.iter().map(kept).sum::<usize>()
    }

    /// When the answer came, where that is known.
    pub fn arrival(&self) -> Option<Arrival> {
        self.arrival
    }

    /// See [`Answer::besides`].
    pub(crate) fn kept(&self) -> &[Kept] {
        &self.kept
    }

    /// See [`Answer::after`].
    pub(crate) fn known(&self) -> Option<&Known> {
        self.known.as_deref()
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// The SHA-256 digest of the bytes.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// Two answers are equal when their digests are: a CRL may be long.
impl PartialEq for Answer {
    fn eq(&self, other: &Answer) -> bool {
        self.digest == other.digest
    }
}

impl Eq for Answer {}

/// The recorded answers, and the failures to get one. Part of the evidence of an artifact: judging by it needs no network.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    answers: HashMap<Need, Result<Answer, Trouble>>,
    begun: Option<Arrival>,
}

impl Recorded {
    /// Records what was answered to `need`, or why there was no answer.
    pub fn record(&mut self, need: Need, answer: Result<Answer, Trouble>) {
        self.answers.insert(need, answer);
    }

    /// Takes over everything that others were told.
    pub(crate) fn extend(&mut self, others: Recorded) {
        self.answers.extend(others.answers);
        self.begun = self.begun.into_iter().chain(others.begun).max_by_key(|begun| begun.at);
    }

    /// Gives back the memory that the run's budget holds for answers: who keeps them answers for it from now on.
    pub(crate) fn release(&mut self) {
        let released = |(need, answer): (Need, Result<Answer, Trouble>)| (need, answer.map(Answer::released));
        self.answers = std::mem::take(&mut self.answers).into_iter().map(released).collect();
    }

    /// About how many bytes the answers take.
    pub(crate) fn weight(&self) -> usize {
        let weight = |answer: &Result<Answer, Trouble>| match answer {
            Ok(answer) => answer.weight(),
            Err(trouble) => trouble.message.len(),
        };
        self.answers.iter().map(|(need, answer)| need.weight() + size_of_val(answer) + weight(answer)).sum()
    }

    /// Records when the evidence was there for which answers are recorded, and is to be judged.
    pub fn begin(&mut self, arrival: Arrival) {
        self.begun = Some(arrival);
    }

    /// The latest moment that counts as the present for who judges as of `at`: when the evidence was there, if the run judges
    /// as of its own beginning. What was made until then is not from the future.
    pub fn present(&self, at: OffsetDateTime) -> OffsetDateTime {
        Arrival::present(self.begun, at)
    }

    /// What was answered to `need`; `None` if it was not asked.
    pub fn get(&self, need: &Need) -> Option<&Result<Answer, Trouble>> {
        self.answers.get(need)
    }

    /// Everything that was asked, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&Need, &Result<Answer, Trouble>)> {
        self.answers.iter()
    }
}

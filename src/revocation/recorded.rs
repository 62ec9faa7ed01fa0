//! Answers as plain data: what was asked, and what came, or why nothing came.

use std::collections::HashMap;

use bytes::Bytes;

use super::Need;
use crate::digest::Digest;
use crate::source::Trouble;

/// An answer as it came, unverified. Cheap to clone, and known by its digest, so that work on it is done once.
#[derive(Debug, Clone)]
pub struct Answer {
    bytes: Bytes,
    digest: Digest,
}

impl Answer {
    /// Takes the bytes of an answer, and hashes them.
    pub fn new(bytes: impl Into<Bytes>) -> Answer {
        let bytes = bytes.into();
        Answer { digest: Digest::sha256(&bytes), bytes }
    }

    /// The bytes.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Their SHA-256 digest.
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

/// What was answered, and what was asked in vain. Part of the evidence of an artifact: judging by it needs no network.
#[derive(Debug, Clone, Default)]
pub struct Recorded {
    answers: HashMap<Need, Result<Answer, Trouble>>,
}

impl Recorded {
    /// Records what was answered to `need`, or why there was no answer.
    pub fn record(&mut self, need: Need, answer: Result<Answer, Trouble>) {
        self.answers.insert(need, answer);
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

//! Remembers what was read of answers, so that a CRL is parsed and its signature verified once however many ask.
//!
//! What is remembered depends on the bytes of an answer and on who issued the certificate, and on nothing else: not on the
//! time, nor on the certificate in question. Failures are remembered like successes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Answer;
use super::crl::Crl;
use super::flaw::Flaw;
use super::ocsp::OcspAnswer;
use crate::digest::Digest;
use crate::limits;
use crate::pki::Certificate;

/// A memo shared by every decision of a run. It makes decisions faster and never changes one.
///
/// It holds at most [`limits::ANSWERS_READ`] CRLs of [`limits::ANSWERS_READ_BYTES`] together, and as many OCSP
/// answers. When one more does not fit, all are forgotten first: they are read once more when they are needed again.
#[derive(Debug, Default)]
pub struct AnswerMemo {
    crls: Shelf<Crl>,
    ocsp_answers: Shelf<OcspAnswer>,
}

impl AnswerMemo {
    /// The CRL that `answer` is, signed by `issuer`.
    pub(super) fn crl(&self, answer: &Answer, issuer: &Certificate) -> Result<Arc<Crl>, Flaw> {
        self.crls.get(answer, issuer, || Crl::read(answer, issuer))
    }

    /// The OCSP answer that `answer` is, about certificates of `issuer`.
    pub(super) fn ocsp(&self, answer: &Answer, issuer: &Certificate) -> Result<Arc<OcspAnswer>, Flaw> {
        self.ocsp_answers.get(answer, issuer, || OcspAnswer::read(answer.bytes(), issuer))
    }
}

/// The digests of an answer and of an issuer's certificate.
type Key = (Digest, Digest);
/// What was read: the first who needs it reads, others who come meanwhile wait for it.
type Found<T> = Arc<OnceLock<Result<Arc<T>, Flaw>>>;

#[derive(Debug)]
struct Shelf<T>(Mutex<Held<T>>);

#[derive(Debug)]
struct Held<T> {
    found: HashMap<Key, Found<T>>,
    /// How long the answers are together.
    bytes: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Shelf<T> {
        Shelf(Mutex::new(Held { found: HashMap::new(), bytes: 0 }))
    }
}

impl<T> Shelf<T> {
    fn get(
        &self,
        answer: &Answer,
        issuer: &Certificate,
        read: impl FnOnce() -> Result<T, Flaw>,
    ) -> Result<Arc<T>, Flaw> {
        let place = self.place((*answer.digest(), *issuer.fingerprint()), answer.bytes().len());
        place.get_or_init(|| read().map(Arc::new)).clone()
    }

    fn place(&self, key: Key, length: usize) -> Found<T> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = held.found.get(&key) {
            return Arc::clone(place);
        }
        let place = Found::default();
        if length > limits::ANSWERS_READ_BYTES {
            return place;
        }
        if held.found.len() >= limits::ANSWERS_READ || held.bytes + length > limits::ANSWERS_READ_BYTES {
            held.found.clear();
            held.bytes = 0;
        }
        held.bytes += length;
        held.found.insert(key, Arc::clone(&place));
        place
    }
}

//! Remembers what was read of answers, so that a CRL is parsed and its signature verified once however many ask.
//!
//! What is remembered depends on the bytes of an answer and on who issued the certificate, and on nothing else: not on the
//! time, nor on the certificate in question. Failures are remembered like successes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::Answer;
use super::answer_error::AnswerError;
use super::crl::Crl;
use super::ocsp::OcspAnswer;
use crate::digest::Digest;
use crate::limits;
use crate::pki::Certificate;

/// A cache shared by every decision of a run. It makes decisions faster and never changes one.
///
/// It holds at most [`limits::ANSWERS_READ`] CRLs of [`limits::ANSWERS_READ_BYTES`] together, and as many OCSP
/// answers. When one more does not fit, all are forgotten first: they are read once more when they are needed again.
#[derive(Debug, Default)]
pub struct AnswerCache {
    crls: BoundedCache<Crl>,
    ocsp_answers: BoundedCache<OcspAnswer>,
}

impl AnswerCache {
    /// The CRL that `answer` is, signed by `issuer`.
    pub(super) fn crl(&self, answer: &Answer, issuer: &Certificate) -> Result<Arc<Crl>, AnswerError> {
        self.crls.get(answer, issuer, || Crl::read(answer, issuer))
    }

    /// The OCSP answer that `answer` is, about certificates of `issuer`.
    pub(super) fn ocsp(&self, answer: &Answer, issuer: &Certificate) -> Result<Arc<OcspAnswer>, AnswerError> {
        self.ocsp_answers.get(answer, issuer, || OcspAnswer::read(answer.bytes(), issuer))
    }
}

/// The digests of an answer and of an issuer's certificate.
type Key = (Digest, Digest);
/// What was read: the first who needs it reads, others who come meanwhile wait for it.
type Found<T> = Arc<OnceLock<Result<Arc<T>, AnswerError>>>;

#[derive(Debug)]
struct BoundedCache<T>(Mutex<Cached<T>>);

#[derive(Debug)]
struct Cached<T> {
    found: HashMap<Key, Found<T>>,
    /// How long the answers are together.
    bytes: usize,
}

impl<T> Default for BoundedCache<T> {
    fn default() -> BoundedCache<T> {
        BoundedCache(Mutex::new(Cached { found: HashMap::new(), bytes: 0 }))
    }
}

impl<T> BoundedCache<T> {
    fn get(
        &self,
        answer: &Answer,
        issuer: &Certificate,
        read: impl FnOnce() -> Result<T, AnswerError>,
    ) -> Result<Arc<T>, AnswerError> {
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::forge::{Authority, Key, KeyKind};

    fn issuer(slot: usize) -> Certificate {
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", Key::pooled(KeyKind::P256, slot).unwrap());
        Certificate::parse(root.unwrap().certificate()).unwrap()
    }

    #[test]
    fn each_answer_is_read_once_for_each_issuer_failures_too() {
        let cache = BoundedCache::<usize>::default();
        let (one, other) = (issuer(0), issuer(1));
        let reads = Cell::new(0);
        let read = |answer: &Answer, issuer: &Certificate, found: Result<usize, AnswerError>| {
            cache.get(answer, issuer, || {
                reads.set(reads.get() + 1);
                found
            })
        };
        let (good, bad) = (Answer::new("good"), Answer::new("bad"));
        for _ in 0..3 {
            assert_eq!(*read(&good, &one, Ok(1)).unwrap(), 1);
            assert_eq!(*read(&good, &other, Ok(2)).unwrap(), 2);
            assert_eq!(read(&bad, &one, Err(AnswerError::passing("is late"))), Err(AnswerError::passing("is late")));
        }
        assert_eq!(reads.get(), 3);
    }

    #[test]
    fn it_does_not_grow_without_bound() {
        let cache = BoundedCache::<usize>::default();
        let key = |number: usize| (Digest::sha256(&number.to_be_bytes()), Digest::sha256(b"issuer"));
        let held = || {
            let held = cache.0.lock().unwrap();
            (held.found.len(), held.bytes)
        };
        for number in 0..=limits::ANSWERS_READ {
            cache.place(key(number), 1);
        }
        assert_eq!(held(), (1, 1));
        cache.place(key(0), limits::ANSWERS_READ_BYTES - 1);
        assert_eq!(held(), (2, limits::ANSWERS_READ_BYTES));
        cache.place(key(1), 1);
        assert_eq!(held(), (1, 1));
        cache.place(key(2), limits::ANSWERS_READ_BYTES + 1);
        assert_eq!(held(), (1, 1));
    }

    #[test]
    fn threads_share_it() {
        let cache = BoundedCache::<usize>::default();
        let (issuer, answer) = (issuer(0), Answer::new("shared"));
        let reads = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    let read = || Ok(reads.fetch_add(1, std::sync::atomic::Ordering::SeqCst));
                    assert_eq!(*cache.get(&answer, &issuer, read).unwrap(), 0);
                });
            }
        });
        assert_eq!(reads.into_inner(), 1);
    }
}

//! Answers that OpenSSL made: see `tests/data/revocation/README.md`.

use time::macros::datetime;

use super::*;

macro_rules! recorded {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/data/revocation/", $name)).as_slice()
    };
}

/// Between the making of the answers and their end.
const THEN: OffsetDateTime = datetime!(2027-01-01 0:00 UTC);
/// When OpenSSL was told of the revocations.
const SINCE: OffsetDateTime = datetime!(2026-11-24 0:37:05 UTC);

fn chain(leaf: &[u8]) -> Vec<Certificate> {
    [leaf, recorded!("root.der")].map(|der| Certificate::parse(der).unwrap()).to_vec()
}

fn judged(chain: &[Certificate], need: Need, answer: &[u8], at: OffsetDateTime) -> Status {
    let mut recorded = Recorded::default();
    assert_eq!(evaluate(chain, &recorded, &AnswerCache::default(), at, None).needs, std::slice::from_ref(&need));
    recorded.record(need, Ok(Answer::new(answer.to_vec())));
    let found = evaluate(chain, &recorded, &AnswerCache::default(), at, None).certificates.remove(0);
    assert_eq!(found.message.is_empty(), found.status == Status::Good, "{found:?}");
    found.status
}

#[test]
fn a_crl_by_openssl() {
    let status = |leaf: &[u8], at| judged(&chain(leaf), Need::crl(CRL, &chain(leaf)[1]), recorded!("ca.crl"), at);
    assert_eq!(status(recorded!("listed-not.der"), THEN), Status::Good);
    assert_eq!(status(recorded!("listed.der"), THEN), revoked(SINCE));
    assert_eq!(status(recorded!("listed-not.der"), SINCE - Duration::days(1)), Status::Unknown);
}

#[test]
fn ocsp_answers_by_openssl() {
    let status = |leaf: &[u8], answer: &[u8], at| {
        let chain = chain(leaf);
        let request = super::ocsp_request(&chain[0], &chain[1]).unwrap();
        judged(&chain, Need::Ocsp { responder: OCSP.to_owned(), request }, answer, at)
    };
    let (good, bad) = (recorded!("asked-good.der"), recorded!("asked-bad.der"));
    assert_eq!(status(good, recorded!("good-by-delegate.ocsp"), THEN), Status::Good);
    assert_eq!(status(good, recorded!("good-by-issuer.ocsp"), THEN), Status::Good);
    assert_eq!(status(bad, recorded!("revoked-by-delegate.ocsp"), THEN), revoked(SINCE));
    assert_eq!(status(bad, recorded!("good-by-delegate.ocsp"), THEN), Status::Unknown);
    assert_eq!(status(good, recorded!("good-by-delegate.ocsp"), SINCE - Duration::days(1)), Status::Unknown);
}

#[test]
fn openssl_asks_with_the_same_bytes() {
    let chain = chain(recorded!("asked-good.der"));
    assert_eq!(super::ocsp_request(&chain[0], &chain[1]).unwrap(), recorded!("good.request"));
}

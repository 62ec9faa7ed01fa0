//! Whole chains: who is asked about what, in which order, and what is remembered.

use super::*;

fn three(leaf_crls: &[&str]) -> (Authority, Authority, Vec<Certificate>) {
    let root = authority();
    let issuing = root
        .intermediate_with("C=US, ST=WA, O=wabbit, CN=Issuing", key(1), |draft| {
            draft.set(crate::forge::crl_distribution_points(&["http://crl.test/root.crl".to_owned()])?);
            Ok(())
        })
        .unwrap();
    let chain = parsed(&issuing.issue(leaf(leaf_crls, &[])).unwrap().chain);
    (root, issuing, chain)
}

fn evaluated(chain: &[Certificate], recorded: &Recorded) -> Evaluation {
    evaluate(chain, recorded, &AnswerCache::default(), NOW, None)
}

#[test]
fn each_certificate_is_judged_by_its_own_issuer() {
    let (root, issuing, chain) = three(&[CRL]);
    let root_crl = Need::crl("http://crl.test/root.crl", &chain[2]);
    let mut recorded = Recorded::default();
    assert_eq!(evaluated(&chain, &recorded).needs, [Need::crl(CRL, &chain[1]), root_crl.clone()]);
    recorded.record(Need::crl(CRL, &chain[1]), Ok(Answer::new(CrlAnswer::new(&issuing).sign())));
    recorded.record(root_crl.clone(), Ok(Answer::new(CrlAnswer::new(&root).sign())));
    let statuses = |recorded: &Recorded| {
        evaluated(&chain, recorded).certificates.iter().map(|found| found.status.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(statuses(&recorded), ["good", "good", "not-checkable"]);
    let entry = Entry::new(chain[1].serial(), NOW, Some(2));
    recorded.record(root_crl.clone(), Ok(Answer::new(CrlAnswer::new(&root).listing(vec![entry]).sign())));
    assert_eq!(statuses(&recorded), ["good", "revoked", "not-checkable"]);
    recorded.record(root_crl, Ok(Answer::new(CrlAnswer::new(&issuing).sign())));
    assert_eq!(statuses(&recorded), ["good", "unknown", "not-checkable"]);
}

#[test]
fn an_address_that_two_issuers_share_is_asked_for_each() {
    let (root, issuing, _) = three(&[]);
    let shared = "http://crl.test/root.crl";
    let chain = parsed(&issuing.issue(leaf(&[shared], &[])).unwrap().chain);
    let mut recorded = Recorded::default();
    assert_eq!(evaluated(&chain, &recorded).needs, [Need::crl(shared, &chain[1]), Need::crl(shared, &chain[2])]);
    for issuer in &chain[1..] {
        recorded.record(Need::crl(shared, issuer), Ok(Answer::new(CrlAnswer::new(&root).sign())));
    }
    let found = evaluated(&chain, &recorded);
    assert_eq!(found.accepted.len(), 1);
    assert_eq!(found.certificates[0].status, Status::Unknown);
}

#[test]
fn what_names_nothing_cannot_be_checked() {
    let chain = World::new(&[], &[]).chain;
    let found = evaluated(&chain, &Recorded::default());
    assert_eq!(found.needs, []);
    assert!(found.certificates.iter().all(|found| found.status == Status::NotCheckable && found.message.is_empty()));
    // Something cut short does not pass for its root.
    let (_, _, chain) = three(&[CRL]);
    assert_eq!(evaluated(&chain[..1], &Recorded::default()).certificates[0].status, Status::Unknown);
    assert_eq!(evaluated(&[], &Recorded::default()), Evaluation::default());
}

#[test]
fn of_an_untrusted_chain_nothing_is_asked_and_nothing_counts() {
    let (_, _, chain) = three(&[CRL]);
    let found = without_asking(&chain);
    let statuses: Vec<_> = found.iter().map(|found| found.status).collect();
    assert_eq!(statuses, [Status::Unavailable, Status::Unavailable, Status::NotCheckable]);
    assert!(found[0].message.contains("not trusted"));
    assert!(without_asking(&World::new(&[], &[]).chain).iter().all(|found| found.status == Status::NotCheckable));
}

#[test]
fn a_memo_changes_nothing_but_the_work() {
    let world = World::new(&[CRL], &[]);
    let crl = world.crl().sign();
    let other = World::of(Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(5)).unwrap(), &[CRL], &[]);
    let (world, other) = (world.serve(CRL, crl.clone()), other.serve(CRL, crl));
    let cache = AnswerCache::default();
    let status =
        |world: &World, at| evaluate(&world.chain, &world.recorded, &cache, at, None).certificates.remove(0).status;
    for _ in 0..2 {
        assert_eq!(status(&world, NOW), Status::Good);
        // The same bytes, another issuer; another time.
        assert_eq!(status(&other, NOW), Status::Unknown);
        assert_eq!(status(&world, NOW + Duration::days(2)), Status::Unknown);
        assert_eq!(status(&world, NOW - Duration::days(2)), Status::Unknown);
    }
}

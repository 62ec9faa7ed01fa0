//! Artifacts with several signatures, with none, or with trouble on the way to them.

use super::*;

#[test]
fn trouble_on_the_way_is_neither_a_bad_signature_nor_none() {
    let world = World::new();
    let trouble = || Trouble::new(TroubleKind::TimedOut, "no answer");
    let mut unlisted = world.evidence();
    unlisted.signatures = Err(trouble());
    assert_outcome(&world.decide_on(&unlisted), Verdict::Error, Some(Code::TimedOut), "listing");

    let unfetched = || signature(Err(EnvelopeProblem::Trouble(trouble())));
    let alone = world.decide_on(&world.evidence_of(vec![unfetched()]));
    assert_outcome(&alone, Verdict::Error, Some(Code::TimedOut), "fetching");
    assert_eq!(row(&alone), "error not-reached not-reached not-reached not-reached");
    let beside_good = world.decide_on(&world.evidence_of(vec![unfetched(), world.signature()]));
    assert_outcome(&beside_good, Verdict::Pass, None, "another signature passes");
    let bad = signature(Err(EnvelopeProblem::Malformed(Failure::new(Code::SignatureManifestMalformed, "two layers"))));
    let beside_bad = world.decide_on(&world.evidence_of(vec![bad, unfetched()]));
    assert_outcome(&beside_bad, Verdict::Error, Some(Code::TimedOut), "another signature fails");
}

#[test]
fn one_good_signature_among_bad_ones_is_enough_and_all_are_judged() {
    let world = World::new();
    let garbage =
        || signature(Ok(Envelope { media_type: "application/jose+json".to_owned(), bytes: b"{}".as_slice().into() }));
    let outcome = world.decide_on(&world.evidence_of(vec![garbage(), world.signature(), garbage()]));
    assert_outcome(&outcome, Verdict::Pass, None, "good one in the middle");
    let verdicts: Vec<_> = outcome.signatures.iter().map(|signature| signature.verdict).collect();
    assert_eq!(verdicts, [Verdict::Fail, Verdict::Pass, Verdict::Fail]);
}

#[test]
fn a_signature_that_notation_would_not_find_does_not_count() {
    let world = World::new();
    let hidden = Signature { discovery: Discovery::Hidden, ..world.signature() };
    let outcome = world.decide_on(&world.evidence_of(vec![hidden]));
    assert_outcome(&outcome, Verdict::Fail, Some(Code::SignatureNotDiscoverable), "hidden");
    assert_eq!(row(&outcome), "pass pass pass pass pass");
}

#[test]
fn signatures_beyond_the_limit_are_no_pass_and_no_reason_to_fail_one() {
    let world = World::new();
    let bad = signature(Err(EnvelopeProblem::Malformed(Failure::new(Code::SignatureManifestMalformed, "two layers"))));
    let limited = |found| {
        let mut evidence = world.evidence();
        evidence.signatures = Ok(Signatures { found, more: true, doubt: None, foreign: None });
        evidence
    };
    let outcome = world.decide_on(&limited(vec![bad]));
    assert_outcome(&outcome, Verdict::Fail, Some(Code::SignatureLimitReached), "none passes");
    assert_outcome(&world.decide_on(&limited(vec![world.signature()])), Verdict::Pass, None, "one passes");
}

#[test]
fn the_same_evidence_gives_the_same_outcome() {
    let world = World::new();
    let evidence = world.evidence();
    assert_eq!(world.decide_on(&evidence), world.decide_on(&evidence));
}

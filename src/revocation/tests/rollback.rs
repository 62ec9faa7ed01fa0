//! Older answers in the place of newer ones: what was verified before decides, and what only claims to be newer does not.

use std::sync::Arc;

use super::edition::Edition;
use super::recorded::{Kept, Known};
use super::*;

fn world() -> World {
    World::new(&[CRL], &[])
}

/// A world in which this is the answer for the CRL.
fn answered(world: World, answer: Answer) -> World {
    let need = world.need(CRL);
    let mut world = world;
    world.recorded.record(need, Ok(answer));
    world
}

fn numbered(world: &World, number: Option<u8>) -> Answer {
    Answer::new(world.crl().with(|crl| crl.number = number.map(i16::from)).sign())
}

fn kept(base: Answer) -> Vec<Kept> {
    vec![Kept { base, delta: None }]
}

fn edition(number: Option<u8>, made: OffsetDateTime) -> Edition {
    Edition { number: number.map(|number| Box::from([number])), made }
}

#[test]
fn a_crl_with_a_lower_number_than_the_kept_one_is_unknown() {
    let world = world();
    for (number, before, status) in [
        (Some(4), Some(5), Status::Unknown),
        (None, Some(5), Status::Unknown),
        (Some(5), Some(5), Status::Good),
        (Some(6), Some(5), Status::Good),
        (Some(1), None, Status::Good),
    ] {
        let answer = numbered(&world, number).besides(kept(numbered(&world, before)));
        let world = answered(world.clone(), answer);
        world.assert(status, if status == Status::Good { "" } else { "older one" });
        assert_eq!(world.evaluate().accepted.is_empty(), status != Status::Good);
    }
}

#[test]
fn it_is_so_though_the_kept_one_is_out_of_date() {
    let world = world();
    let expired = world.crl().with(|crl| crl.next_update = Some(NOW - Duration::hours(1))).sign();
    let answer = numbered(&world, Some(4)).besides(kept(Answer::new(expired)));
    answered(world, answer).assert(Status::Unknown, "number 4");
}

#[test]
fn under_one_number_the_time_must_not_go_back() {
    let world = world();
    let newer = world.crl().with(|crl| crl.this_update += Duration::hours(1)).sign();
    let answer = numbered(&world, Some(5)).besides(kept(Answer::new(newer)));
    answered(world, answer).assert(Status::Unknown, "older one");
}

#[test]
fn what_only_claims_to_be_newer_takes_nothing_out_of_force() {
    let world = world();
    let other = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(5)).unwrap();
    let forged = CrlAnswer::new(&other).with(|crl| crl.number = Some(99)).sign();
    for claim in [forged, b"nonsense".to_vec()] {
        let answer = numbered(&world, Some(5)).besides(kept(Answer::new(claim)));
        answered(world.clone(), answer).assert(Status::Good, "");
    }
}

#[test]
fn what_was_verified_before_in_the_run_is_remembered_without_its_bytes() {
    let world = world();
    let made = NOW - Duration::days(1);
    for (known, status) in [
        (Known { base: edition(Some(6), made), delta: None }, Status::Unknown),
        (Known { base: edition(Some(5), made), delta: None }, Status::Good),
        (Known { base: edition(Some(5), made + Duration::SECOND), delta: None }, Status::Unknown),
        (Known { base: edition(Some(4), NOW), delta: None }, Status::Good),
        // The delta that there was has gone, and the base is from before it.
        (Known { base: edition(Some(4), made), delta: Some(edition(Some(6), made)) }, Status::Unknown),
        (Known { base: edition(Some(3), made), delta: Some(edition(Some(4), made)) }, Status::Good),
    ] {
        let world = answered(world.clone(), numbered(&world, Some(5)).after(Arc::new(known.clone())));
        assert_eq!(world.status().status, status, "{known:?}");
    }
}

#[test]
fn an_older_delta_than_before_is_unknown() {
    let world = world();
    let base = world.crl().with(|crl| crl.freshest = Some(vec![DELTA.to_owned()])).sign();
    let delta = |number: u8| {
        let delta = world.crl().with(|crl| (crl.number, crl.base) = (Some(number.into()), Some(5)));
        Answer::new(delta.sign())
    };
    for (number, before, status) in [(7, 8, Status::Unknown), (8, 8, Status::Good), (9, 8, Status::Good)] {
        let kept = vec![Kept { base: Answer::new(base.clone()), delta: Some(delta(before)) }];
        let mut world = answered(world.clone(), Answer::new(base.clone()).besides(kept));
        let need = world.need(DELTA);
        world.recorded.record(need, Ok(delta(number)));
        assert_eq!(world.status().status, status, "{number} after {before}");
    }
}

#[test]
fn an_older_ocsp_answer_than_before_is_unknown() {
    let world = World::new(&[], &[OCSP]);
    let reply = world.ocsp().sign();
    let produced = super::peek::OcspOutline::read(&reply).unwrap().produced.unwrap();
    for (before, status) in [
        (produced + Duration::SECOND, Status::Unknown),
        (produced, Status::Good),
        (produced - Duration::SECOND, Status::Good),
    ] {
        let known = Known { base: edition(None, before), delta: None };
        let mut world = world.clone();
        let need = Need::Ocsp { responder: OCSP.to_owned(), request: world.request() };
        world.recorded.record(need, Ok(Answer::new(reply.clone()).after(Arc::new(known))));
        assert_eq!(world.status().status, status, "{before}");
    }
}

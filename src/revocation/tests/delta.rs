//! Delta CRLs: which belong to a base, and what they change.

use time::macros::datetime;

use super::*;

const MAY: OffsetDateTime = datetime!(2026-05-01 0:00 UTC);
const JUNE: OffsetDateTime = datetime!(2026-06-01 0:00 UTC);
const SECOND_DELTA: &str = "http://crl.test/delta2.crl";

/// A world whose base CRL names these deltas.
fn naming(deltas: &[&str], change: impl FnOnce(&mut CrlAnswer)) -> World {
    let world = World::new(&[CRL], &[]);
    let freshest = deltas.iter().map(|url| (*url).to_owned()).collect();
    let crl = world.crl().with(|crl| crl.freshest = Some(freshest)).with(change).sign();
    world.serve(CRL, crl)
}

/// A sound delta of that base.
fn delta(world: &World) -> CrlAnswer {
    world.crl().with(|crl| (crl.number, crl.base) = (Some(6), Some(5)))
}

fn given(change: impl FnOnce(&mut CrlAnswer)) -> World {
    let world = naming(&[DELTA], |_| ());
    let delta = delta(&world).with(change).sign();
    world.serve(DELTA, delta)
}

#[test]
fn a_delta_is_asked_for_when_its_base_is_there() {
    let world = naming(&[DELTA], |_| ());
    world.assert(Status::Unavailable, "crl.test/delta.crl\" has not been asked yet");
    let lacking = world.evaluate();
    assert_eq!((lacking.needs, lacking.accepted), (vec![world.need(DELTA)], vec![]));
    let world = given(|_| ());
    world.assert(Status::Good, "");
    let accepted = &world.evaluate().accepted[0];
    assert_eq!(accepted.need, world.need(CRL));
    assert_eq!(Some(Ok(&accepted.answer)), world.recorded.get(&world.need(CRL)).map(Result::as_ref));
    let recorded = world.recorded.get(&world.need(DELTA)).unwrap().as_ref().unwrap();
    assert_eq!(accepted.delta.as_ref(), Some(recorded));
}

#[test]
fn f14_a_delta_must_belong_to_its_base() {
    given(|crl| crl.base = Some(4)).assert(Status::Good, "");
    given(|crl| crl.base = Some(0)).assert(Status::Good, "");
    given(|crl| crl.number = Some(5)).assert(Status::Unknown, "not newer than its base");
    given(|crl| crl.number = Some(4)).assert(Status::Unknown, "not newer than its base");
    given(|crl| crl.number = None).assert(Status::Unknown, "has no number");
    given(|crl| crl.base = None).assert(Status::Unknown, "not a delta");
    given(|crl| crl.base = Some(6)).assert(Status::Unknown, "later base");
    given(|crl| crl.base = Some(-1)).assert(Status::Unknown, "a malformed CRL number");
    given(|crl| crl.key = key(5)).assert(Status::Unknown, "does not verify");
    given(|crl| crl.next_update = Some(NOW - Duration::seconds(1))).assert(Status::Unknown, "out of date");
    given(|crl| crl.this_update = NOW + Duration::minutes(6)).assert(Status::Unknown, "from the future");
    let scope = extension("2.5.29.28", true, &[0x30, 3, 0x81, 1, 0xff]);
    given(|crl| crl.extra.push(scope.clone())).assert(Status::Unknown, "issuing distribution point");
    for (base_scope, delta_scope, status) in [(true, false, Status::Unknown), (true, true, Status::Good)] {
        let extra = |wanted: bool| if wanted { vec![scope.clone()] } else { Vec::new() };
        let world = naming(&[DELTA], |crl| crl.extra = extra(base_scope));
        let delta = delta(&world).with(|crl| crl.extra = extra(delta_scope)).sign();
        world.serve(DELTA, delta).assert(status, "");
    }
    // A base without a number has no delta.
    let world = naming(&[DELTA], |crl| crl.number = None);
    let delta = delta(&world).sign();
    world.serve(DELTA, delta).assert(Status::Unknown, "without a number");
    // A malformed base alone.
    let world = World::new(&[CRL], &[]);
    let crl = world.crl().with(|crl| crl.base = Some(1)).sign();
    world.serve(CRL, crl).assert(Status::Unknown, "is a delta CRL");
}

#[test]
fn what_the_base_names_must_be_had() {
    assert_eq!(naming(&[DELTA], |_| ()).fail(DELTA, TroubleKind::TimedOut).evaluate().accepted, []);
    naming(&[DELTA], |_| ()).fail(DELTA, TroubleKind::TimedOut).assert(Status::Unavailable, "delta.crl");
    naming(&[DELTA], |_| ()).fail(DELTA, TroubleKind::NotFound).assert(Status::Unknown, "delta.crl");
    naming(&[], |_| ()).assert(Status::Unknown, "freshestCRL that cannot be read");
    let nowhere = tlv(0x30, &tlv(0x30, &tlv(0xa0, &tlv(0xa0, &tlv(0x82, b"crl.test")))));
    let world = World::new(&[CRL], &[]);
    let crl = world.crl().with(|crl| crl.extra.push(extension("2.5.29.46", false, &nowhere))).sign();
    world.serve(CRL, crl).assert(Status::Unknown, "at no address");
    naming(&["ldap://crl.test/delta"], |_| ()).assert(Status::Unknown, "only addresses that start with http");

    // One address after the other, until one has a delta of this base.
    let world = naming(&[DELTA, SECOND_DELTA], |_| ());
    let sound = delta(&world).sign();
    assert_eq!(world.evaluate().needs, [world.need(DELTA)]);
    for world in [
        world.clone().fail(DELTA, TroubleKind::TimedOut),
        world.clone().serve(DELTA, vec![0]),
        world.clone().serve(DELTA, delta(&world).with(|crl| crl.number = Some(5)).sign()),
    ] {
        assert_eq!(world.evaluate().needs, [world.need(SECOND_DELTA)]);
        world.clone().serve(SECOND_DELTA, sound.clone()).assert(Status::Good, "");
        world.clone().serve(SECOND_DELTA, vec![0]).assert(
            match world.clone().recorded.get(&world.need(DELTA)) {
                Some(Err(_)) => Status::Unavailable,
                _ => Status::Unknown,
            },
            "delta2.crl",
        );
    }
}

#[test]
fn a_delta_lifts_holds_and_adds_revocations() {
    let status = |base: &[(OffsetDateTime, u8)], changed: &[(OffsetDateTime, u8)], expected: Status| {
        let serial = World::new(&[CRL], &[]).leaf().serial().to_vec();
        let entries = |listed: &[(OffsetDateTime, u8)]| {
            listed.iter().map(|(at, reason)| Entry::new(&serial, *at, Some(*reason))).collect::<Vec<_>>()
        };
        let world = naming(&[DELTA], |crl| crl.entries.extend(entries(base)));
        let delta = delta(&world).listing(entries(changed)).sign();
        world.serve(DELTA, delta).assert(expected, "");
    };
    status(&[(MAY, 6)], &[], revoked(MAY));
    status(&[(MAY, 6)], &[(JUNE, 8)], Status::Good);
    status(&[], &[(JUNE, 6)], revoked(JUNE));
    status(&[], &[(JUNE, 1)], revoked(JUNE));
    status(&[(MAY, 1)], &[(JUNE, 8)], revoked(MAY));
}

/// RFC 5280, sections 5.2.4 and 5.3.1: what the delta removes was on hold in its base, whatever the date of the entry.
#[test]
fn a_delta_lifts_a_hold_of_the_same_date() {
    let world = naming(&[DELTA], |crl| {
        let serial = World::new(&[CRL], &[]).leaf().serial().to_vec();
        crl.entries.push(Entry::new(&serial, MAY, Some(6)));
    });
    let lifted = delta(&world).listing(vec![Entry::new(world.leaf().serial(), MAY, Some(8))]).sign();
    world.serve(DELTA, lifted).assert(Status::Good, "");
}

//! Answers that are made while a run goes on, and those that are from the future.

use super::*;
use crate::forge::Validity;

fn made_at(this_update: OffsetDateTime) -> World {
    let world = World::new(&[CRL], &[]);
    let crl = world.crl().with(|crl| crl.this_update = this_update).sign();
    world.serve(CRL, crl)
}

/// The same, which came at this moment in a run that judges as of `run`.
fn came(this_update: OffsetDateTime, run: OffsetDateTime, at: OffsetDateTime) -> World {
    let mut world = made_at(this_update);
    let need = world.need(CRL);
    let answer = world.recorded.get(&need).unwrap().clone().unwrap();
    world.recorded.record(need, Ok(answer.arrived(Arrival { run, at })));
    world
}

#[test]
fn f03_an_answer_may_be_from_five_minutes_ahead() {
    let minutes = Duration::minutes;
    for (this_update, sound) in [
        (NOW, true),
        (NOW + Duration::SECOND, true),
        (NOW + minutes(5), true),
        (NOW + minutes(5) + Duration::SECOND, false),
    ] {
        let expected = if sound { Status::Good } else { Status::Unknown };
        made_at(this_update).assert(expected, if sound { "" } else { "from the future" });
    }
}

#[test]
fn f03_an_answer_is_held_against_the_time_at_which_it_came() {
    let hours = Duration::hours;
    for (this_update, run, at, sound) in [
        // Hours into the run, by a responder that signs on demand.
        (NOW + hours(3), NOW, NOW + hours(3), true),
        (NOW + hours(3) + Duration::minutes(5), NOW, NOW + hours(3), true),
        (NOW + hours(3) + Duration::minutes(6), NOW, NOW + hours(3), false),
        // A recording that is judged as of another time than the run that it is of.
        (NOW + hours(3), NOW - hours(1), NOW + hours(3), false),
        // What came before counts for the moment that is judged by.
        (NOW, NOW, NOW - hours(1), true),
    ] {
        let expected = if sound { Status::Good } else { Status::Unknown };
        came(this_update, run, at).assert(expected, if sound { "" } else { "from the future" });
    }
}

#[test]
fn f03_ocsp_answers_and_their_delegates_may_be_made_while_the_run_goes_on() {
    let later = NOW + Duration::hours(3);
    let world = World::new(&[], &[OCSP]);
    let mut reply = world.ocsp();
    reply.singles[0].this_update = later;
    reply.singles[0].next_update = Some(later + Duration::DAY);
    let need = Need::Ocsp { responder: OCSP.to_owned(), request: world.request() };
    let status = |answer: Answer| {
        let mut world = world.clone();
        world.recorded.record(need.clone(), Ok(answer));
        world.status().status
    };
    let answer = Answer::new(reply.sign());
    assert_eq!(status(answer.clone()), Status::Unknown);
    assert_eq!(status(answer.arrived(Arrival { run: NOW, at: later })), Status::Good);

    let request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=responder", key(3)).unwrap();
    let purposes = vec!["1.3.6.1.5.5.7.3.9".to_owned()];
    let delegate = world
        .root
        .issue(LeafRequest { purposes, validity: Validity { not_before: later, ..Validity::default() }, ..request })
        .unwrap();
    let answer = Answer::new(world.ocsp().by(&delegate).sign());
    assert_eq!(status(answer.clone()), Status::Unknown);
    assert_eq!(status(answer.arrived(Arrival { run: NOW, at: later })), Status::Good);
}

//! Responders that sign when they are asked, and take their time: what they say was made after the run began.

use std::time::Duration;

use muster::forge::{CertId, CertIdHash, OcspDraft, OcspStatus, SingleDraft};

use super::world::{World, now, told};

/// `MUSTER_ON_DEMAND_RUNS` of each kind; a few unless it is set.
fn runs() -> usize {
    std::env::var("MUSTER_ON_DEMAND_RUNS").ok().and_then(|runs| runs.parse().ok()).unwrap_or(4)
}

/// A CRL and an OCSP responder that need `after`.
fn world(after: Duration) -> World {
    let world = World::new();
    let serial = world.sign("wabbit", &["/ca.crl"], &["/ocsp"]);
    let (ours, id) = (world.ours.clone(), CertId::new(CertIdHash::Sha1, &world.ours, serial).unwrap());
    world.server.publish_slowly("/ocsp", after, move || {
        let single = SingleDraft::new(id.clone(), OcspStatus::Good, now());
        OcspDraft::by_issuer(&ours, now()).with(single).sign().unwrap()
    });
    let ours = world.ours.clone();
    world
        .server
        .publish_slowly("/ca.crl", after, move || muster::forge::CrlDraft::new(&ours, now()).sign(ours.key()).unwrap());
    world
}

#[test]
fn answers_made_on_demand_are_not_from_the_future() {
    for after in [Duration::from_millis(300), Duration::from_millis(1200)] {
        let world = world(after);
        let mut left = runs();
        while left > 0 {
            let at_a_time = left.min(8);
            let running: Vec<_> =
                (0..at_a_time).map(|_| world.command("wabbit", &["--no-revocation-cache"]).spawn().unwrap()).collect();
            for run in running {
                assert_eq!(told(&run.wait_with_output().unwrap()), "pass", "{after:?}");
            }
            left -= at_a_time;
        }
    }
}

/// What was recorded then is as good when it is judged again as of the same moment, and not as of another.
#[test]
fn a_recording_of_them_is_repeated_as_it_was() {
    let world = world(Duration::from_millis(300));
    let recorded = ["--no-revocation-cache", "--revocation-to", "copies", "-o", "json=first.json"];
    assert_eq!(world.verify("wabbit", &recorded), "pass");
    let report: serde_json::Value = serde_json::from_slice(&std::fs::read(world.path("first.json")).unwrap()).unwrap();
    let at = report["header"]["at"].as_str().unwrap().to_owned();
    assert_eq!(world.verify("wabbit", &["--revocation-from", "copies", "--at", &at]), "pass");
    assert_eq!(world.verify("wabbit", &["--revocation-from", "copies"]), "pass");
    let before = "2026-01-01T00:00:00Z";
    assert_eq!(world.verify("wabbit", &["--revocation-from", "copies", "--at", before]), "fail revocation-unknown");
}

//! An older CRL, still in its period, that somebody serves to hide a revocation: never a pass.

use time::Duration;
use time::format_description::well_known::Rfc3339;

use super::world::{World, now};

const CRL: &str = "/ca.crl";

/// A world in which the newest CRL, number 7, revokes our signer; and the older one.
fn world() -> (World, Vec<u8>, Vec<u8>) {
    let world = World::new();
    let serial = world.sign("wabbit", &[CRL], &[]);
    world.sign("tenant", &[CRL], &[]);
    let (newest, older) = (world.crl(7, &[&serial], |_| ()), world.crl(5, &[], |_| ()));
    world.server.publish(CRL, newest.clone());
    assert_eq!(world.verify("wabbit", &[]), "fail revoked");
    world.server.publish(CRL, older.clone());
    (world, newest, older)
}

#[test]
fn an_older_crl_does_not_undo_a_revocation() {
    let (world, ..) = world();
    let kept = std::fs::read(world.cached(CRL)).unwrap();
    for _ in 0..2 {
        assert_eq!(world.verify("wabbit", &[]), "fail revoked");
    }
    assert_eq!(std::fs::read(world.cached(CRL)).unwrap(), kept);
}

#[test]
fn nor_does_it_with_the_tenants_artifact_first() {
    let (world, ..) = world();
    let kept = std::fs::read(world.cached(CRL)).unwrap();
    for _ in 0..2 {
        assert_eq!(world.verify("tenant", &[]), "fail revocation-unknown");
        assert_eq!(world.verify("wabbit", &[]), "fail revoked");
    }
    // Nor where the tenant's own CRL stands at that address for a while.
    let mut draft = muster::forge::CrlDraft::new(&world.tenants, now() - Duration::hours(1));
    draft.number = Some(99);
    let older = world.crl(5, &[], |_| ());
    world.server.publish(CRL, draft.sign(world.tenants.key()).unwrap());
    assert_eq!(world.verify("tenant", &[]), "pass");
    world.server.publish(CRL, older);
    assert_eq!(world.verify("wabbit", &[]), "fail revoked");
    assert_eq!(std::fs::read(world.cached(CRL)).unwrap(), kept);
}

/// A tenant may call his authority as ours is called, and have it name our address: the key tells them apart.
#[test]
fn a_namesakes_crl_takes_nothing_from_the_cache() {
    let world = World::with_tenant("wabbit");
    let serial = world.sign("wabbit", &[CRL], &[]);
    world.sign("tenant", &[CRL], &[]);
    let theirs = |next_update| {
        let mut draft = muster::forge::CrlDraft::new(&world.tenants, now() - Duration::hours(1));
        (draft.number, draft.next_update) = (Some(99), Some(next_update));
        draft.sign(world.tenants.key()).unwrap()
    };
    let (over, ahead) = (now() - Duration::minutes(1), now() + Duration::days(1));
    let older = world.crl(5, &[], |_| ());

    // His was kept first, and is over: ours is kept all the same.
    world.cache(CRL, &theirs(over));
    world.server.publish(CRL, world.crl(7, &[&serial], |_| ()));
    assert_eq!(world.verify("wabbit", &[]), "fail revoked");
    world.server.publish(CRL, older.clone());
    assert_eq!(world.verify("wabbit", &[]), "fail revoked");

    // Ours was kept first, and is over: his takes nothing away.
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    world.cache(CRL, &world.crl(7, &[&serial], |draft| draft.next_update = Some(over)));
    world.server.publish(CRL, theirs(ahead));
    assert_eq!(world.verify("tenant", &[]), "pass");
    world.server.publish(CRL, older);
    assert_eq!(world.verify("wabbit", &[]), "fail revocation-unknown");
}

#[test]
fn nor_does_it_after_a_run_as_of_another_time() {
    let (world, ..) = world();
    let kept = std::fs::read(world.cached(CRL)).unwrap();
    let lasting = world.crl(5, &[], |draft| draft.next_update = Some(now() + Duration::days(90)));
    world.server.publish(CRL, lasting);
    // By then the kept one is out of date.
    let later = (now() + Duration::days(30)).format(&Rfc3339).unwrap();
    assert_eq!(world.verify("wabbit", &["--at", &later]), "fail revocation-unknown");
    assert_eq!(std::fs::read(world.cached(CRL)).unwrap(), kept);
    assert_eq!(world.verify("wabbit", &[]), "fail revoked");
    // And with nothing kept, such a run keeps nothing.
    std::fs::remove_dir_all(world.path("cache")).unwrap();
    assert_eq!(world.verify("wabbit", &["--at", &later]), "pass");
    assert!(!world.path("cache").exists());
}

#[test]
fn nor_does_it_once_the_kept_one_is_out_of_date() {
    let (world, _, older) = world();
    for kept in [
        world.crl(7, &[], |draft| draft.next_update = Some(now() - Duration::minutes(1))),
        // Under the same number, and made later.
        world.crl(5, &[], |draft| {
            draft.this_update = now() - Duration::minutes(30);
            draft.next_update = Some(now() - Duration::minutes(1));
        }),
    ] {
        world.cache(CRL, &kept);
        for served in [older.clone(), world.crl(5, &[], |draft| draft.number = None)] {
            world.server.publish(CRL, served);
            let before = std::fs::read(world.cached(CRL)).unwrap();
            for _ in 0..2 {
                assert_eq!(world.verify("wabbit", &[]), "fail revocation-unknown");
            }
            assert_eq!(std::fs::read(world.cached(CRL)).unwrap(), before);
        }
    }
    // A newer one takes its place.
    world.server.publish(CRL, world.crl(8, &[], |_| ()));
    assert_eq!(world.verify("wabbit", &[]), "pass");
    world.server.publish(CRL, older);
    assert_eq!(world.verify("wabbit", &[]), "pass");
}

/// What somebody puts into the cache takes nothing out of force, whatever number it claims.
#[test]
fn a_forged_crl_in_the_cache_costs_a_request_and_no_verdict() {
    let (world, _, older) = world();
    let forged = world.crl(99, &[], |draft| {
        draft.alter = Some(|mut crl| {
            *crl.last_mut().unwrap() ^= 1;
            crl
        });
    });
    world.cache(CRL, &forged);
    for _ in 0..2 {
        assert_eq!(world.verify("wabbit", &[]), "pass", "nothing newer than {} bytes is known", older.len());
    }
}

#[test]
fn a_folder_with_several_is_judged_by_the_newest() {
    let (world, newest, older) = world();
    let folder = world.path("from");
    let host = world.server.url("").replace("http://", "");
    std::fs::create_dir_all(folder.join(host).join("crl")).unwrap();
    std::fs::create_dir_all(folder.join("crl")).unwrap();
    let downloaded = folder.join(world.server.url("").replace("http://", "")).join("ca.crl");
    let copied = folder.join("crl").join(format!("{}.crl", world.cached(CRL).file_name().unwrap().to_str().unwrap()));
    let expired = world.crl(7, &[], |draft| draft.next_update = Some(now() - Duration::minutes(1)));
    for (there, expected) in [(&newest, "fail revoked"), (&expired, "fail revocation-unknown"), (&older, "pass")] {
        for (one, other) in [(&downloaded, &copied), (&copied, &downloaded)] {
            std::fs::write(one, there).unwrap();
            std::fs::write(other, &older).unwrap();
            assert_eq!(world.verify("wabbit", &["--revocation-from", "from"]), expected);
        }
    }
}

/// A recorded run comes out the same when it is judged again.
#[test]
fn a_recording_of_a_rollback_is_repeated_as_it_was() {
    let (world, _, older) = world();
    let kept = world.crl(7, &[], |draft| draft.next_update = Some(now() - Duration::minutes(1)));
    world.cache(CRL, &kept);
    world.server.publish(CRL, older);
    assert_eq!(world.verify("wabbit", &["--revocation-to", "copies"]), "fail revocation-unknown");
    assert_eq!(world.verify("wabbit", &["--revocation-from", "copies"]), "fail revocation-unknown");
}

//! What a run leaves beside its reports that was interrupted, or killed.

use std::process::{Child, Command};
use std::thread::sleep;
use std::time::Duration;

use muster::forge::registry::{Effect, Fault, RouteKind};

use super::world::World;

/// An audit of an artifact that is judged and of one that is never answered about, writing `arguments`; told `signal` then.
fn ended_by(signal: &str, world: &World, arguments: &[&str]) -> Option<i32> {
    world.registry.fail(Fault::next(usize::MAX, RouteKind::Referrers, Effect::Delay(Duration::from_secs(60))));
    let (free, good) = (world.reference("free:v1"), world.reference("good:v1"));
    let before = world.registry.requests();
    let child = world.muster(&[&["audit", &free, &good], arguments].concat()).start();
    for _ in 0..3000 {
        // Two manifests, and the signatures of one.
        if world.registry.requests() >= before + 3 {
            break;
        }
        sleep(Duration::from_millis(10));
    }
    sleep(Duration::from_millis(500));
    tell(signal, &child);
    child.wait_with_output().unwrap().status.code()
}

fn tell(signal: &str, child: &Child) {
    assert!(Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap().success());
}

fn unfinished(world: &World) -> usize {
    let entries = std::fs::read_dir(world.path("")).unwrap();
    entries.filter(|entry| entry.as_ref().unwrap().file_name().to_str().unwrap().starts_with(".muster-")).count()
}

#[test]
fn what_a_killed_run_left_is_swept_by_the_next() {
    let world = World::new();
    assert_eq!(ended_by("-KILL", &world, &["-o", "ndjson=r.ndjson", "-o", "json=r.json"]), None);
    assert_eq!(unfinished(&world), 2, "the test shows something");
    assert!(!world.path("r.ndjson").exists());
    let run = world.muster(&["audit", &world.reference("free:v1"), "-o", "json=other.json"]).run();
    assert_eq!((run.code, unfinished(&world)), (Some(0), 0), "{run}");
}

#[test]
fn an_interrupted_ndjson_is_told_from_a_whole_one() {
    let world = World::new();
    assert_eq!(ended_by("-INT", &world, &["-o", "ndjson=r.ndjson", "-o", "json=r.json"]), Some(130));
    let (whole, partial) = (world.path("r.ndjson"), world.path("r.ndjson.partial"));
    assert!(!whole.exists());
    assert_eq!(std::fs::read_to_string(&partial).unwrap().lines().count(), 1);
    // What says itself that it is partial keeps its name.
    assert!(std::fs::read_to_string(world.path("r.json")).unwrap().contains("\"partial\":true"));
    let run = world.muster(&["audit", &world.reference("free:v1"), "-o", "ndjson=r.ndjson"]).run();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(whole.exists() && !partial.exists(), "the partial one is out of date");
}

//! `muster list`, in notation's words.

use muster::forge::registry::Flavour;

use super::workshop::Workshop;
use super::world::World;

#[test]
fn an_artifact_without_signatures_is_no_error() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    for command in ["list", "ls", "inspect"] {
        let run = workshop.expect(0, &[command, &image]);
        assert_eq!((run.stdout, run.stderr), (format!("{image} has no associated signature\n"), String::new()));
    }
    let json = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json, serde_json::json!({ "mediaType": muster::manifest::IMAGE_MANIFEST, "signatures": [] }));
}

#[test]
fn signatures_hang_on_their_artifact() {
    let workshop = Workshop::new(Flavour::Current);
    let image = workshop.image("app");
    for _ in 0..3 {
        workshop.expect(0, &["sign", &image]);
    }
    insta::assert_snapshot!("list_several", workshop.steady(workshop.expect(0, &["list", &image]), &["app"]));
    let few = workshop.expect(0, &["list", "--max-signatures", "2", &image]);
    assert_eq!(few.stdout.matches("── sha256:").count(), 2, "{few}");
    assert!(few.stderr.contains("more than 2 signatures"), "{few}");
}

#[test]
fn signatures_of_other_artifacts_are_listed_where_they_were_put() {
    // Whether a signature is good is for others to say.
    let world = World::new();
    let run = super::program::muster(&["list", &world.reference("wrong:v1")]).run();
    assert_eq!((run.code, run.stdout.matches("── sha256:").count()), (Some(0), 1), "{run}");
}

#[test]
fn what_cannot_be_asked_is_no_answer() {
    let workshop = Workshop::new(Flavour::Current);
    workshop.image("app");
    for command in ["list", "inspect"] {
        for name in ["app:v2", "nowhere:v1"] {
            let run = workshop.expect(3, &[command, &workshop.repository(name)]);
            assert_eq!(run.stdout, "");
        }
        assert_eq!(workshop.expect(3, &[command, "127.0.0.1:9/app:v1"]).stdout, "");
    }
}

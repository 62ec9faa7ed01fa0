//! `muster verify`, as scripts made for `notation verify` use it.

use std::path::Path;

use super::program::{Finished, muster};
use super::world::World;

fn snapshot(name: &str, world: &World, run: Finished) {
    insta::assert_snapshot!(name, world.steady(run));
}

#[test]
fn success_is_said_as_notation_says_it() {
    let world = World::new();
    let good = muster::forge::Artifact::image("good").descriptor().digest;
    let reference = world.reference(&format!("good@{good}"));
    let run = world.muster(&["verify", &reference]).run();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{run}");
    assert_eq!(run.stdout, format!("Successfully verified signature for {reference}\n"));
}

#[test]
fn every_result_says_why() {
    let world = World::new();
    for name in ["good", "wrong", "unsigned", "late", "free", "nowhere"] {
        let run = world.muster(&["verify", &world.reference(&format!("{name}:v1"))]).run();
        snapshot(&format!("verify_{name}"), &world, run);
    }
}

#[test]
fn verbose_tells_every_validation_and_debug_the_rules() {
    let world = World::new();
    let reference = world.reference("late:v1");
    snapshot("verify_verbose", &world, world.muster(&["verify", "--verbose", &reference]).run());
    let debug = world.muster(&["verify", "-d", &reference]).run();
    assert!(debug.stderr.starts_with("judging as of 2026-11-23T12:00:00Z\n"), "{debug}");
    assert!(debug.stderr.contains("integrity enforce pass"), "{debug}");
}

#[test]
fn several_references_have_the_worst_exit_code() {
    let world = World::new();
    let run = |names: &[&str]| {
        let references: Vec<_> = names.iter().map(|name| world.reference(name)).collect();
        let references: Vec<_> = references.iter().map(String::as_str).collect();
        world.muster(&[&["verify"], &references[..]].concat()).run()
    };
    assert_eq!(run(&["good:v1", "free:v1"]).code, Some(0));
    assert_eq!(run(&["good:v1", "good:v2"]).code, Some(3));
    let all = run(&["good:v1", "good:v2", "unsigned:v1"]);
    assert_eq!(all.code, Some(1));
    assert_eq!(all.stdout.lines().count(), 1);
}

#[test]
fn an_index_is_verified_without_its_manifests() {
    let world = World::new();
    let run = world.muster(&["verify", &world.reference("set:v1")]).run();
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 1), "{run}");
}

#[test]
fn user_metadata_has_to_be_signed() {
    let world = World::new();
    let reference = world.reference("good:v1");
    let run = |metadata: &[&str]| world.muster(&[&["verify", &reference], metadata].concat()).run();
    assert_eq!(run(&["-m", "buildId=101"]).code, Some(0));
    let other = run(&["-m", "buildId=102"]);
    assert_eq!((other.code, other.stdout.as_str()), (Some(1), ""));
    assert!(other.stderr.contains("user-metadata-mismatch"), "{other}");
    let twice = run(&["-m", "buildId=101", "-m", "buildId=102"]);
    assert_eq!(twice.code, Some(2), "{twice}");
}

#[test]
fn references_name_one_artifact() {
    let world = World::new();
    for (reference, hint) in [
        ("registry.io", "names no single artifact"),
        ("README.md", "names no single artifact"),
        ("registry.io/repository", "names no single artifact"),
        ("oci:folder", "names no single artifact"),
        ("@list", "a list, which muster audit takes"),
        ("-", "a list, which muster audit takes"),
        ("user:hunter2@registry.io/a:v1", "without a name or password"),
        ("https://registry.io/a:v1", "no scheme"),
    ] {
        let run = world.muster(&["verify", reference]).run();
        assert_eq!(run.code, Some(2), "{reference}: {run}");
        assert!(run.stderr.contains(hint) && !run.stderr.contains("hunter2"), "{reference}: {run}");
    }
}

#[test]
fn a_report_on_standard_output_stands_alone_there() {
    let world = World::new();
    let run = world.muster(&["verify", &world.reference("good:v1"), "-o", "ndjson"]).run();
    assert_eq!(run.code, Some(0), "{run}");
    let line: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(line["result"], "pass");
    assert!(run.stderr.contains("Successfully verified signature for"), "{run}");
}

#[test]
fn plugin_settings_change_nothing_where_no_plugin_is_asked_for() {
    let world = World::new();
    let run = world.muster(&["verify", &world.reference("good:v1"), "--plugin-config", "a=b"]).run();
    assert_eq!(run.code, Some(0), "{run}");
    assert!(!run.stderr.contains("plugin"), "{run}");
}

#[test]
fn layouts_are_verified_as_notation_verifies_them() {
    let rules =
        ["--policy", "tests/interop/policies/strict-identity.json", "--trust-store", "tests/interop/truststore"];
    let run = |arguments: &[&str]| muster(&[&["verify", "--at", "2026-11-24"], &rules[..], arguments].concat()).run();
    let digest = "sha256:6a0e1ee44f063eeab8db3dc1ac8776e7a75dc63764f2c04d94cff3a22e6a1784";
    let success = format!("Successfully verified signature for tests/interop/layout@{digest}\n");
    let scope = ["--scope", "registry.io/any"];
    for (reference, scope) in [
        (format!("tests/interop/layout@{digest}"), &scope[..]),
        (format!("tests/interop/layout:registry.io/any@{digest}"), &[]),
        ("tests/interop/layout:127.0.0.1:5601/interop/cose-p384:v1".to_owned(), &[]),
    ] {
        let verified = run(&[&["--oci-layout", &reference], scope].concat());
        assert_eq!((verified.code, &verified.stdout, verified.stderr.as_str()), (Some(0), &success, ""), "{verified}");
        assert_eq!(run(&[&[&*format!("oci:{reference}")], scope].concat()), verified);
    }
    let missing = run(&["--oci-layout", "tests/interop/layout:v9", "--scope", "registry.io/any"]);
    assert_eq!((missing.code, missing.stdout.as_str()), (Some(3), ""), "{missing}");
}

#[test]
fn a_layout_that_names_no_repository_needs_a_scope() {
    let folder = tempfile::tempdir().unwrap();
    let interop = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    std::fs::create_dir_all(folder.path().join("l/blobs/sha256")).unwrap();
    let index = std::fs::read_to_string(interop.join("layout/index.json")).unwrap();
    std::fs::write(folder.path().join("l/index.json"), index.replace("127.0.0.1:5601/interop/cose-p384:v1", "mine"))
        .unwrap();
    std::fs::copy(interop.join("layout/oci-layout"), folder.path().join("l/oci-layout")).unwrap();
    for blob in std::fs::read_dir(interop.join("layout/blobs/sha256")).unwrap() {
        let blob = blob.unwrap();
        std::fs::copy(blob.path(), folder.path().join("l/blobs/sha256").join(blob.file_name())).unwrap();
    }
    let policy = interop.join("policies/strict-identity.json");
    let stores = interop.join("truststore");
    let run = |more: &[&str]| {
        let rules = ["--policy", policy.to_str().unwrap(), "--trust-store", stores.to_str().unwrap()];
        muster(&[&["verify", "--oci-layout", "l:mine", "--at", "2026-11-24"], &rules[..], more].concat())
            .folder(folder.path())
            .run()
    };
    let without = run(&[]);
    assert_eq!((without.code, without.stdout.as_str()), (Some(2), ""), "{without}");
    assert!(without.stderr.contains("--scope"), "{without}");
    let with = run(&["--scope", "registry.io/any"]);
    assert_eq!(with.code, Some(0), "{with}");
}

#[test]
fn what_needs_no_answers_caches_none_and_records_that_there_are_none() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let (cache, copies) = (folder.path().join("cache"), folder.path().join("a/copies"));
    let (copied, reference) = (copies.to_str().unwrap(), world.reference("good:v1"));
    let verify = |flag: &str| world.muster(&["verify", flag, copied, &reference]).env("NOTATION_CACHE", &cache).run();
    let run = verify("--revocation-to");
    assert_eq!((run.code, cache.exists()), (Some(0), false), "{run}");
    assert_eq!(std::fs::read_dir(&copies).unwrap().count(), 0, "{run}");
    let again = verify("--revocation-from");
    assert_eq!((again.code, again.stderr), (Some(0), run.stderr), "{}", again.stdout);
}

#[test]
fn recorded_answers_are_in_a_folder() {
    let world = World::new();
    let folder = tempfile::tempdir().unwrap();
    let (file, absent) = (folder.path().join("file"), folder.path().join("absent"));
    std::fs::write(&file, "").unwrap();
    for (flag, place) in [("--revocation-from", &absent), ("--revocation-from", &file), ("--revocation-to", &file)] {
        let run = world.muster(&["verify", flag, place.to_str().unwrap(), &world.reference("good:v1")]).run();
        assert_eq!((run.code, run.stderr.contains(place.to_str().unwrap())), (Some(2), true), "{run}");
    }
    std::fs::write(folder.path().join("a.ocsp"), "nonsense").unwrap();
    let run =
        world.muster(&["verify", "--revocation-from", folder.path().to_str().unwrap(), &world.reference("good:v1")]);
    let run = run.run();
    assert_eq!((run.code, run.stderr.matches("a.ocsp").count()), (Some(0), 1), "{run}");
}

//! `muster blob verify`: what is verified, what is not and why, and what is only trouble.

use muster::digest::{Algorithm, Digest};
use muster::failure::Code;
use muster::forge::{KeyKind, SignatureForm, Statement, Validity};
use muster::manifest::Descriptor;
use serde_json::{Value, json};
use time::Duration;
use time::macros::datetime;

use super::world::{BLOB, NOW, OCTETS, World, said, statement};

fn signed() -> World {
    let world = World::new();
    world.signature(&world.signer(KeyKind::P256), &said(BLOB, Algorithm::Sha256));
    world
}

#[test]
fn a_sound_signature_passes_and_the_report_says_by_what() {
    let world = signed();
    let run = world.verify(0, &[]);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("Successfully verified signature for blob.bin\n", ""));
    let run = world.verify(0, &["-o", "json", "-o", "junit=report.xml"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let artifact = &report["artifacts"][0];
    assert_eq!(artifact["artifact"], format!("blob.bin@{}", Digest::sha256(BLOB)));
    assert_eq!((&artifact["reference"], &artifact["result"]), (&"blob.bin".into(), &"pass".into()));
    assert_eq!((&artifact["policy"], &artifact["level"]), (&"releases".into(), &"strict".into()));
    let signature = std::fs::read(world.path("signed.jws.sig")).unwrap();
    assert_eq!(artifact["signatures"][0]["digest"], Digest::sha256(&signature).to_string());
    assert_eq!(report["header"]["targets"][0], "blob.bin");
    assert_eq!(report["header"]["policy"]["path"], "config/trustpolicy.blob.json");
    assert!(std::fs::read_to_string(world.path("report.xml")).unwrap().contains("blob.bin"));
    let run = world.verify(0, &["--debug"]);
    assert!(run.stderr.contains("judging as of 2026-11-23T12:00:00Z") && run.stderr.contains("integrity enforce pass"));
}

#[test]
fn another_blob_than_the_signed_one_fails() {
    let world = signed();
    let mut flipped = BLOB.to_vec();
    flipped[3] ^= 1;
    for (what, content) in [
        ("flipped", flipped.as_slice()),
        ("truncated", &BLOB[..BLOB.len() - 1]),
        ("longer", &[BLOB, b"\n"].concat()),
        ("empty", b""),
    ] {
        world.write("blob.bin", content);
        assert_eq!(world.code(1, &[]), "payload-mismatch", "{what}");
        let run = world.verify(1, &[]);
        assert!(run.stdout.is_empty() && run.stderr.contains("blob.bin is not verified"), "{}", run.stderr);
    }
    world.write("blob.bin", BLOB);
    assert_eq!(world.code(0, &[]), "none");
}

#[test]
fn digest_size_and_media_type_are_each_compared() {
    let world = World::new();
    let signer = world.signer(KeyKind::P256);
    let sign = |media_type: &str, digest: Digest, size: u64| {
        let target = Descriptor::new(media_type, digest, size);
        world.signature(&signer, &Statement::new(target, NOW - Duration::days(1)));
    };
    let (right, size) = (Digest::sha256(BLOB), BLOB.len() as u64);
    sign(OCTETS, right, size);
    assert_eq!(world.code(0, &["--media-type", OCTETS]), "none");
    assert_eq!(world.code(1, &["--media-type", "application/zip"]), "payload-mismatch");
    sign(OCTETS, right, size + 1);
    assert_eq!(world.code(1, &[]), "payload-mismatch");
    sign(OCTETS, Digest::sha256(b"x"), size);
    assert_eq!(world.code(1, &[]), "payload-mismatch");
    // Nobody asks for a media type, so that any will do.
    sign("application/zip", right, size);
    assert_eq!(world.code(0, &[]), "none");
}

#[test]
fn the_digest_must_be_of_the_hash_that_belongs_to_the_key() {
    let world = World::new();
    for kind in KeyKind::ALL {
        let hash = match kind {
            KeyKind::Rsa2048 | KeyKind::P256 => Algorithm::Sha256,
            KeyKind::Rsa3072 | KeyKind::P384 => Algorithm::Sha384,
            KeyKind::Rsa4096 | KeyKind::P521 => Algorithm::Sha512,
        };
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            world.signature(&world.signer(kind), &said(BLOB, algorithm));
            if algorithm == hash {
                assert_eq!(world.code(0, &[]), "none");
            } else {
                assert_eq!(world.code(1, &[]), "payload-mismatch", "{} {}", kind.word(), algorithm.name());
                // And no level lets it pass.
                assert_eq!(world.code(1, &["--policy-name", "tolerant"]), "payload-mismatch");
            }
        }
    }
}

#[test]
fn statements_are_chosen_by_name_or_as_the_global_one() {
    let world = signed();
    assert_eq!(world.code(0, &["--policy-name", "releases"]), "none");
    assert_eq!(world.code(1, &["--policy-name", "strangers"]), "identity-mismatch");
    for unknown in ["Releases", "releases ", "*", "release"] {
        assert_eq!(world.code(1, &["--policy-name", unknown]), "no-applicable-policy", "{unknown:?}");
    }
    for blank in ["", " ", "\t"] {
        let run = world.verify(2, &["--policy-name", blank]);
        assert!(run.stderr.contains("expected the name of a statement"), "{}", run.stderr);
    }
    world.policy(&[statement("releases", "strict", json!({}))]);
    assert_eq!(world.code(1, &[]), "no-applicable-policy");
    assert_eq!(world.code(0, &["--policy-name", "releases"]), "none");
    world.policy(&[statement("releases", "strict", json!({ "trustStores": ["ca:none"], "globalPolicy": true }))]);
    let run = world.verify(2, &[]);
    assert!(run.stderr.contains("there is no trust store ca:none"), "{}", run.stderr);
}

#[test]
fn levels_are_those_of_artifacts() {
    let world = signed();
    world.write("blob.bin", b"tampered");
    let run = world.verify(0, &["--policy-name", "unsigned tools"]);
    assert_eq!(run.stdout, "Trust policy is configured to skip signature verification for blob.bin\n");
    assert_eq!(world.code(1, &["--policy-name", "tolerant"]), "payload-mismatch");
    world.write("blob.bin", BLOB);
    let late = Statement { expiry: Some(NOW), ..said(BLOB, Algorithm::Sha256) };
    world.signature(&world.signer(KeyKind::P256), &late);
    assert_eq!(world.code(1, &[]), "signature-expired");
    let run = world.verify(0, &["--policy-name", "tolerant"]);
    assert!(run.stdout.starts_with("Successfully verified") && run.stderr.contains("signature-expired"));
}

#[test]
fn signers_are_judged_as_those_of_artifacts() {
    let world = World::new();
    let sound = said(BLOB, Algorithm::Sha256);
    let past = Validity { not_after: datetime!(2026-11-01 0:00 UTC), ..Validity::default() };
    world.signature(&world.signer_valid(KeyKind::P256, past), &sound);
    assert_eq!(world.code(1, &[]), "certificate-expired");
    // Another authority of the same name.
    let stranger = World::with_root_key(7);
    world.signature(&stranger.signer(KeyKind::P256), &sound);
    assert_eq!(world.code(1, &[]), "untrusted-chain");
    let signer = world.signer(KeyKind::P256);
    let mut draft = sound.jws(&signer).unwrap();
    draft.signature = SignatureForm::By(muster::forge::Key::pooled(KeyKind::P256, 5).unwrap());
    world.write("signed.jws.sig", &draft.seal().unwrap());
    assert_eq!(world.code(1, &[]), "signature-invalid");
    assert_eq!(world.code(1, &["--policy-name", "tolerant"]), "signature-invalid");
}

#[test]
fn a_signature_is_read_in_the_format_that_its_name_says() {
    let world = World::new();
    let (signer, sound) = (world.signer(KeyKind::P256), said(BLOB, Algorithm::Sha256));
    let (jws, cose) = (sound.jws(&signer).unwrap().seal().unwrap(), sound.cose(&signer).unwrap().seal().unwrap());
    for (name, bytes) in [("x.jws.sig", &cose), ("x.cose.sig", &jws), ("plain", &jws)] {
        world.write(name, bytes);
    }
    let verify = |code, name: &str, more: &[&str]| {
        world.expect(code, &[&["blob", "verify", "--signature", name, "blob.bin"], more].concat()).stderr
    };
    assert!(verify(1, "x.jws.sig", &[]).contains("envelope-malformed"));
    assert!(verify(1, "x.cose.sig", &[]).contains("envelope-malformed"));
    assert!(verify(2, "plain", &[]).contains("name its format with --signature-format"));
    verify(0, "plain", &["--signature-format", "jws"]);
    verify(0, "x.jws.sig", &["--signature-format", "cose"]);
    assert!(verify(1, "plain", &["--signature-format", "cose"]).contains("envelope-malformed"));
}

#[test]
fn what_cannot_be_read_is_trouble_and_no_verdict() {
    let world = signed();
    std::fs::create_dir(world.path("folder.jws.sig")).unwrap();
    std::fs::create_dir(world.path("folder")).unwrap();
    let verify = |signature: &str, blob: &str, more: &[&str]| {
        let run = world.expect(3, &[&["blob", "verify", "--signature", signature, blob], more].concat());
        assert!(run.stdout.is_empty() || !more.is_empty(), "{}", run.stdout);
        assert!(run.stderr.contains("could not be verified: the result is undecided"), "{}", run.stderr);
        run
    };
    assert!(verify("none.jws.sig", "blob.bin", &[]).stderr.contains("the signature \"none.jws.sig\" does not exist"));
    assert!(verify("folder.jws.sig", "blob.bin", &[]).stderr.contains("is a directory, not a regular file"));
    assert!(verify("signed.jws.sig", "none", &[]).stderr.contains("the blob \"none\" does not exist"));
    assert!(verify("signed.jws.sig", "folder", &[]).stderr.contains("is a directory, not a regular file"));
    let run = verify("signed.jws.sig", "none", &["-o", "ndjson"]);
    let artifact: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&artifact["artifact"], &artifact["result"]), (&Value::Null, &"error".into()));
    let run = verify("none.jws.sig", "blob.bin", &["-o", "ndjson"]);
    let artifact: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((&artifact["code"], &artifact["result"]), (&"not-found".into(), &"error".into()));
}

#[test]
fn a_signature_that_is_too_long_or_none_fails() {
    let world = signed();
    for (bytes, code) in [
        (vec![b' '; 5 << 20], "envelope-too-large"),
        (vec![b' '; (4 << 20) + 1], "envelope-too-large"),
        (Vec::new(), "envelope-malformed"),
        (b"{}".to_vec(), "envelope-malformed"),
        (b"\0\xff\x80".to_vec(), "envelope-malformed"),
    ] {
        world.write("signed.jws.sig", &bytes);
        assert_eq!(world.code(1, &[]), code, "{} bytes", bytes.len());
    }
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_pipes_are_not_opened() {
    let world = signed();
    std::os::unix::fs::symlink("signed.jws.sig", world.path("link.jws.sig")).unwrap();
    std::os::unix::fs::symlink("blob.bin", world.path("link")).unwrap();
    std::os::unix::fs::symlink("nothing", world.path("dangling")).unwrap();
    let at = ["--at", super::world::AT];
    world.expect(0, &[&["blob", "verify", "--signature", "link.jws.sig", "link"], &at[..]].concat());
    let run = world.expect(3, &["blob", "verify", "--signature", "link.jws.sig", "dangling"]);
    assert!(run.stderr.contains("does not exist"), "{}", run.stderr);
    let made = std::process::Command::new("mkfifo").arg(world.path("pipe.jws.sig")).status().unwrap();
    assert!(made.success());
    for (signature, blob) in [("pipe.jws.sig", "blob.bin"), ("signed.jws.sig", "pipe.jws.sig")] {
        let run = world.expect(3, &["blob", "verify", "--signature", signature, blob]);
        assert!(run.stderr.contains("is a named pipe, not a regular file"), "{}", run.stderr);
        let run = world.expect(3, &["blob", "verify", "--signature", signature, blob, "-o", "ndjson"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap();
        assert_eq!(report["code"], Code::FileUnusable.as_str(), "{report}");
    }
    // A policy must not lie behind a link, as everywhere.
    std::os::unix::fs::symlink("config/trustpolicy.blob.json", world.path("linked.json")).unwrap();
    assert!(world.verify(2, &["--policy", "linked.json"]).stderr.contains("symbolic link"));
}

#[test]
fn a_signature_of_an_artifact_is_none_of_a_blob_and_the_other_way_round() {
    let world = World::new();
    // The manifest of an image, signed as an artifact: as a file it is the very content that was signed, but not octets.
    let image = muster::forge::Artifact::image("net-monitor");
    let signer = world.signer(KeyKind::P256);
    let yesterday = NOW - Duration::days(1);
    world.signature(&signer, &Statement::new(image.descriptor().clone(), yesterday));
    assert_eq!(world.code(1, &[]), "payload-mismatch");
    world.write("blob.bin", &image.manifest.bytes);
    assert_eq!(world.code(1, &["--media-type", OCTETS]), "payload-mismatch");
    let stronger = world.signer(KeyKind::P384);
    world.signature(&stronger, &Statement::new(image.descriptor().clone(), yesterday));
    assert_eq!(world.code(1, &[]), "payload-mismatch", "artifacts have SHA-256 digests, whatever the key");
}

#[test]
fn wrong_usage_and_wrong_files_are_told_apart_from_results() {
    let world = signed();
    let usage = |arguments: &[&str]| world.expect(2, &[&["blob", "verify"], arguments].concat()).stderr;
    assert!(usage(&["blob.bin"]).contains("--signature"));
    assert!(usage(&["--signature", "signed.jws.sig"]).contains("FILE"));
    assert!(usage(&["--signature", "signed.jws.sig", "blob.bin", "--media-type", ""]).contains("--media-type"));
    let twice = ["--signature", "signed.jws.sig", "blob.bin", "-m", "a=1", "-m", "a=2"];
    assert!(usage(&twice).contains("two values"));
    world.write("config/trustpolicy.blob.json", b"{}");
    assert!(world.verify(2, &[]).stderr.contains("unsupported-version"));
    std::fs::remove_file(world.path("config/trustpolicy.blob.json")).unwrap();
    // The policy for artifacts does not stand in for it.
    world.write("config/trustpolicy.json", b"{}");
    assert!(world.verify(2, &[]).stderr.contains("no trustpolicy.blob.json in \"config\""));
}

//! Signatures, and what they name: as many and as long as they may be.

use std::time::Duration;

use muster::forge::registry::{Effect, Fault};
use muster::forge::responder::Responders;
use muster::forge::{Artifact, Blob, CrlDraft, CrlEntry};
use muster::manifest::IMAGE_MANIFEST;

use crate::inputs::{JWS, LONGEST, NOW, World, long_envelope, tags};
use crate::lists::long_image;
use crate::run::{audit, is_told, muster};

/// The layout, all of whose content is of one repository.
const LAYOUT: [&str; 3] = ["oci:layout", "--scope", "registry.wabbit-networks.io/team/app"];

fn scoped<'a>(more: &[&'a str]) -> Vec<&'a str> {
    LAYOUT.into_iter().chain(more.iter().copied()).collect()
}

#[test]
fn a_hundred_long_signatures_are_held_one_by_one() {
    if !is_told() {
        return;
    }
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(8));
    for number in 0..100 {
        world.sign(&image, JWS, &long_envelope(number));
    }
    world.write_layout();
    let repository = world.repository();
    let one = format!("{repository}:v0");
    for (place, arguments) in [("a layout", scoped(&[])), ("HTTP", vec![repository.as_str()])] {
        for jobs in ["1", "32"] {
            let run = audit(world.folder(), &[&arguments[..], &["-j", jobs]].concat());
            run.row(&format!("100 signatures of 4 MiB under 8 tags, {place}, -j {jobs}"));
            assert_eq!(run.results.len(), 8, "{}", run.complaint);
            for result in &run.results {
                assert_eq!(result["result"], "fail", "{result}");
                assert_eq!(result["signatures"].as_array().unwrap().len(), 100);
            }
        }
    }
    let run = audit(world.folder(), &[&one]);
    run.row("100 signatures of 4 MiB, HTTP");
    assert_eq!(run.results.len(), 1);
}

#[test]
fn equal_entries_of_an_index_are_judged_once() {
    if !is_told() {
        return;
    }
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    let index = Artifact::index(&[&image; 8]);
    world.put(&image, &[]);
    world.put(&index, &tags(1));
    // One blob for all: 4.5 MB of pushed content.
    for number in 0..100 {
        world.sign(&index, JWS, &long_envelope(0));
        world.sign(&image, &format!("{JWS};number={number}"), &long_envelope(0));
    }
    world.write_layout();
    let repository = world.repository();
    for (place, arguments) in [("a layout", scoped(&[])), ("HTTP", vec![repository.as_str()])] {
        for jobs in ["1", "32"] {
            let run = audit(world.folder(), &[&arguments[..], &["--platform", "all", "-j", jobs]].concat());
            run.row(&format!(
                "8 equal entries of an index, each with 100 signatures of one blob of 4 MiB, {place}, -j {jobs}"
            ));
            // The index, and its eight entries as one.
            assert_eq!(run.results.len(), 2, "{:?}: {}", run.tally(), run.complaint);
        }
    }
}

#[test]
fn unprotected_headers_are_not_built_before_they_are_checked() {
    if !is_told() {
        return;
    }
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(1));
    let sound = String::from_utf8(world.sound(&image)).unwrap();
    let nested = format!("[{}0]", "[[[[[[[[]]]]]]]],".repeat((LONGEST - sound.len() - 100) / 17));
    let long = sound.replace(r#""header":{"#, &format!(r#""header":{{"x":{nested},"#));
    assert!(long.len() > LONGEST / 2 && long.len() <= LONGEST);
    world.sign(&image, JWS, long.as_bytes());
    let run = audit(world.folder(), &[&world.repository()]);
    run.row("a JWS of 4 MiB of nested unprotected header, HTTP");
    assert_eq!((run.code, run.tally()), (Some(0), [("pass -".to_owned(), 1)].into()), "{}", run.complaint);
}

#[test]
fn a_slow_registry_is_waited_for() {
    if !is_told() {
        return;
    }
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(1));
    let envelope = world.sound(&image);
    world.sign(&image, JWS, &envelope);
    let delay = Effect::Delay(Duration::from_secs(2));
    world.registry.fail(Fault { route: None, every: 1, times: usize::MAX, effect: delay });
    let run = audit(world.folder(), &[&format!("{}:v0", world.repository())]);
    run.row("a registry that answers each request after 2 s");
    assert_eq!((run.code, run.tally()), (Some(0), [("pass -".to_owned(), 1)].into()), "{}", run.complaint);
}

#[test]
fn a_slow_artifact_ends_and_holds_nobody_back() {
    let mut world = World::new();
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(1));
    let envelope = world.sound(&image);
    world.sign(&image, JWS, &envelope);
    let delay = Effect::Delay(Duration::from_secs(600));
    world.registry.fail(Fault { route: None, every: 1, times: 1, effect: delay });
    let repository = world.repository();
    let first = format!("{repository}:v0");
    let second = format!("{repository}@{}", image.descriptor().digest);
    let run = audit(world.folder(), &[&first, &second, "-j", "2", "--artifact-timeout", "1s"]);
    let tally = [("error timed-out".to_owned(), 1), ("pass -".to_owned(), 1)].into();
    assert_eq!((run.code, run.tally()), (Some(3), tally), "{}", run.complaint);
    // Whichever of the two it befell, they are reported in order.
    let references: Vec<_> = run.results.iter().map(|result| &result["reference"]).collect();
    assert_eq!(references, [&first, &second]);
}

/// A world whose signer names the CRL at `url`, with a signed artifact in it.
fn with_crl(url: &str) -> World {
    let mut world = World::signed_by(|root, mut request| {
        request.crl_urls.push(url.to_owned());
        root.issue(request).unwrap()
    });
    let image = Artifact::image("net-monitor");
    world.put(&image, &tags(1));
    let envelope = world.sound(&image);
    world.sign(&image, JWS, &envelope);
    world
}

#[test]
fn long_crls_are_not_built_before_they_are_checked() {
    if !is_told() {
        return;
    }
    const LENGTH: usize = (32 << 20) - 1;
    let responders = Responders::start(NOW).unwrap();
    responders.publish("/flat.crl", vec![0x30; LENGTH]);
    // One sequence, of a million of empty ones.
    let mut lists = vec![0x30, 0x84];
    lists.extend(u32::to_be_bytes(u32::try_from(LENGTH - 6).unwrap()));
    lists.extend([0x30, 0].iter().cycle().take(LENGTH - 6));
    responders.publish("/lists.crl", lists);
    for path in ["/flat.crl", "/lists.crl"] {
        let world = with_crl(&responders.url(path));
        let run = audit(world.folder(), &[&world.repository()]);
        run.row(&format!("a CRL of 32 MiB of junk, {path}"));
        assert_eq!(run.results[0]["code"], "revocation-unknown", "{}", run.complaint);
    }
    let world = with_crl(&responders.url("/signed.crl"));
    let mut entry = CrlEntry::new([0x7f], NOW);
    entry.extra = (0..100_000).map(|number| (format!("1.3.{}", number + 100_000), false, vec![5, 0])).collect();
    let crl = CrlDraft::new(&world.root, NOW).with(entry).sign(world.root.key()).unwrap();
    println!("the signed CRL has {} bytes", crl.len());
    responders.publish("/signed.crl", crl);
    let run = audit(world.folder(), &[&world.repository()]);
    run.row("a signed CRL of 1 MiB with 100,000 extensions in an entry");
    assert_eq!(run.results.len(), 1, "{}", run.complaint);
    println!("it is judged {:?}: {}", run.tally(), run.results[0]["message"]);
}

#[test]
fn inspect_and_list_hold_signatures_one_by_one_and_wait_for_none() {
    if !is_told() {
        return;
    }
    let mut world = World::new();
    // A manifest that takes all of the budget while it is read.
    let image = Artifact { manifest: Blob::new(IMAGE_MANIFEST, long_image(0)), blobs: Vec::new() };
    world.put(&image, &tags(1));
    for number in 0..100 {
        world.sign(&image, JWS, &long_envelope(number));
    }
    let reference = format!("{}:v0", world.repository());
    for (command, code) in [("inspect", 1), ("list", 0)] {
        let (run, out) = muster(world.folder(), &[command, &reference]);
        run.row(&format!("100 signatures of 4 MiB, muster {command}, HTTP"));
        assert_eq!((run.code, out.matches("sha256:").count()), (Some(code), 101), "{}", run.complaint);
    }
}

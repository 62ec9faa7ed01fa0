//! Several signers of one image at once, where the list of signatures is an index that each reads, extends and writes: all
//! are listed, and none is told to be that is not.

use std::time::{Duration, Instant};

use muster::forge::registry::{Effect, EmbeddedRegistry, Fault, Flavour, Options, RouteKind};
use muster::manifest::IMAGE_INDEX;
use muster::sign::Discovery;

use super::desk::{Desk, REPOSITORY, Run, fill, manifest, tag, under_tag};
use super::lists::published;

fn registry(delay: Duration) -> EmbeddedRegistry {
    let registry =
        EmbeddedRegistry::start(Options { flavour: Flavour::WithoutReferrers, ..Options::default() }).unwrap();
    fill(&registry);
    if !delay.is_zero() {
        registry.fail(Fault::next(usize::MAX, RouteKind::Manifest, Effect::Delay(delay)));
    }
    registry
}

/// What came of signers that began together.
#[derive(Debug, Default, PartialEq, Eq)]
struct Outcome {
    /// Said to be signed, and listed.
    listed: usize,
    /// Not said to be signed.
    told: usize,
    /// Said to be signed, and not listed.
    lost: usize,
}

/// Has `signers` processes sign the image at once.
fn sign(desk: &Desk, registry: &EmbeddedRegistry, signers: usize) -> (Outcome, Vec<Run>) {
    let host = registry.host();
    let begun: Vec<_> = (0..signers).map(|_| desk.begin(&host, &[])).collect();
    let ended: Vec<_> = begun.into_iter().map(Desk::end).collect();
    let listed = under_tag(&host);
    let mut outcome = Outcome::default();
    for run in &ended {
        match run.code {
            Some(0) if listed.contains(&run.pushed().unwrap()) => outcome.listed += 1,
            Some(0) => outcome.lost += 1,
            _ => outcome.told += 1,
        }
    }
    (outcome, ended)
}

#[test]
fn s62_eight_processes_that_sign_at_once_are_all_listed() {
    let desk = Desk::new();
    for delay in [0, 50] {
        let registry = registry(Duration::from_millis(delay));
        let (outcome, ended) = sign(&desk, &registry, 8);
        let said = || ended.iter().map(Run::to_string).collect::<String>();
        assert_eq!(outcome, Outcome { listed: 8, ..Outcome::default() }, "{delay} ms: {}", said());
    }
}

#[test]
fn s62_eight_threads_that_sign_at_once_are_all_listed() {
    let registry = registry(Duration::from_millis(10));
    let host = registry.host();
    let published: Vec<_> = std::thread::scope(|scope| {
        let host = &host;
        let sign = move |name: usize| published(host, &name.to_string(), (300, 60_000));
        let begun: Vec<_> = (0..8).map(|name| scope.spawn(move || sign(name))).collect();
        begun.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let listed = under_tag(&host);
    for published in published {
        assert_eq!(published.discovery, Ok(Discovery::Listed));
        assert!(published.unlisted.is_none() && listed.contains(&published.signature), "{published:?}");
    }
    assert_eq!(listed.len(), 8);
}

#[test]
fn s62_what_other_clients_list_meanwhile_stays() {
    // A client that neither looks whether its entry stays nor whether it overwrites others, as most are.
    let desk = Desk::new();
    let registry = registry(Duration::from_millis(20));
    let host = registry.host();
    let signer = desk.begin(&host, &[]);
    let entry = |number: usize| {
        let bytes = format!(r#"{{"schemaVersion":2,"number":{number}}}"#);
        let digest =
            registry.put_manifest(REPOSITORY, None, "application/vnd.oci.image.manifest.v1+json", bytes.clone());
        serde_json::json!({ "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest.unwrap(),
            "size": bytes.len(), "artifactType": "application/spdx+json" })
    };
    let mut number = 0;
    // Until the signer was seen, it is overwritten again and again.
    let until = Instant::now() + Duration::from_secs(60);
    let mut overwritten = 0;
    while overwritten < 3 && Instant::now() < until {
        let mut index =
            manifest(&host, &tag()).unwrap_or_else(|| serde_json::json!({ "schemaVersion": 2, "manifests": [] }));
        let entries = index["manifests"].as_array_mut().unwrap();
        let seen = entries.iter().any(|entry| entry["artifactType"] != "application/spdx+json");
        if !seen {
            std::thread::sleep(Duration::from_millis(2));
            continue;
        }
        entries.retain(|entry| entry["artifactType"] == "application/spdx+json");
        number += 1;
        entries.push(entry(number));
        overwritten += 1;
        registry.put_manifest(REPOSITORY, Some(&tag()), IMAGE_INDEX, index.to_string()).unwrap();
    }
    let run = Desk::end(signer);
    assert_eq!((overwritten, run.code), (3, Some(0)), "{run}");
    let listed = under_tag(&host);
    assert!(listed.contains(&run.pushed().unwrap()), "{run}");
    assert_eq!(listed.len(), 4);
}

/// Sixteen processes at once, twenty times, with and without a slow registry: prints a table.
///
///     cargo test --locked --test registries -- --ignored --nocapture s62_sixteen
#[test]
#[ignore = "takes minutes"]
fn s62_sixteen_processes_twenty_times() {
    let desk = Desk::new();
    let rounds: usize = std::env::var("MUSTER_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20);
    println!("| delay | rounds | signers | listed | told | lost | longest round |");
    println!("|---|---|---|---|---|---|---|");
    let mut lost = 0;
    for delay in [0, 100] {
        let (mut sum, mut longest) = (Outcome::default(), Duration::ZERO);
        for _ in 0..rounds {
            let registry = registry(Duration::from_millis(delay));
            let began = Instant::now();
            let (outcome, ended) = sign(&desk, &registry, 16);
            longest = longest.max(began.elapsed());
            for run in ended.iter().filter(|run| run.code != Some(0)) {
                eprintln!("{run}");
            }
            sum.listed += outcome.listed;
            sum.told += outcome.told;
            sum.lost += outcome.lost;
        }
        lost += sum.lost;
        let (signers, seconds) = (16 * rounds, longest.as_secs_f32());
        println!(
            "| {delay} ms | {rounds} | {signers} | {} | {} | {} | {seconds:.1} s |",
            sum.listed, sum.told, sum.lost
        );
    }
    assert_eq!(lost, 0);
}

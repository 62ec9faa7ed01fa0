//! Scenarios on a registry that is there before and after, and that wants to know who is there: nothing that was there is
//! changed, and nothing is left, however the run ends.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use futures_util::TryStreamExt as _;
use muster::audit::Interrupt;
use muster::forge::Artifact;
use muster::forge::registry::{EmbeddedRegistry, Flavour, Login, Options as Behaviour};
use muster::manifest::Descriptor;
use muster::reference::Repository;
use muster::scenario::{self, CaseStatus, Note, Notes, Options, RegistryKind, Tally};
use muster::source::registry::{Credentials, Registry, RegistryOptions, Secret};
use muster::source::{ArtifactSource as _, TagEntry};

const USER: &str = "officer";
const PASSWORD: &str = "correct horse";

/// A registry in use: with the very names that scenarios write, and others.
fn in_use(behaviour: Behaviour) -> EmbeddedRegistry {
    let registry = EmbeddedRegistry::start(behaviour).unwrap();
    for (repository, tag) in [
        ("prod/app", "v1"),
        ("prod/app", "latest"),
        ("net-monitor", "v1"),
        ("imported/net-monitor", "v1"),
        ("registry.wabbit-networks.io/net-monitor", "v1"),
        ("muster-test-other/1/app", "v1"),
    ] {
        let Artifact { manifest, blobs } = Artifact::image(&format!("{repository}:{tag}"));
        for blob in blobs {
            registry.put_blob(repository, blob.bytes).unwrap();
        }
        registry.put_manifest(repository, Some(tag), &manifest.descriptor.media_type, manifest.bytes).unwrap();
    }
    registry
}

fn password() -> Credentials {
    Credentials::Password { user: USER.to_owned(), password: Secret::new(PASSWORD) }
}

/// The ways in which a registry asks who is there. Each repository needs tokens of its own.
fn logins() -> [Login; 3] {
    let (user, password) = (USER.to_owned(), PASSWORD.to_owned());
    [
        Login::Password { user: user.clone(), password: password.clone() },
        Login::Token { user: Some((user, password)), requests: 1000 },
        Login::Open,
    ]
}

/// Everything that a registry has under a name.
async fn holds(registry: &EmbeddedRegistry) -> BTreeMap<String, String> {
    let options = RegistryOptions { credentials: password(), ..RegistryOptions::default() };
    let client = Registry::new(&registry.host(), options).unwrap();
    let mut held = BTreeMap::new();
    for repository in client.repositories().try_collect::<Vec<_>>().await.unwrap() {
        held.insert(repository.to_string(), String::new());
        for entry in client.tags(&repository).try_collect::<Vec<_>>().await.unwrap_or_default() {
            let TagEntry::Tag(tag) = entry else { continue };
            let found = client.manifest(&repository.tagged(&tag).unwrap()).await.unwrap().unwrap();
            held.insert(format!("{repository}:{tag}"), found.descriptor.digest.to_string());
        }
    }
    held
}

async fn play(text: &str, options: Options, interrupt: &Interrupt) -> (Vec<CaseStatus>, Tally, Vec<Note>) {
    let scenario = scenario::parse(text.as_bytes(), Path::new("scenarios/topic/case.yaml")).unwrap();
    let cases = scenario::select(&[scenario], None).unwrap();
    let notes = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&notes);
    let options = Options { notes: Notes::to(move |note| told.lock().unwrap().push(note)), ..options };
    let mut endings = Vec::new();
    let tally = scenario::run(cases, options, interrupt, |result| endings.push(result.status)).await;
    let notes = notes.lock().unwrap().clone();
    (endings, tally, notes)
}

fn on(registry: &EmbeddedRegistry) -> Options {
    Options {
        registry: Some(RegistryKind::External(registry.host())),
        access: RegistryOptions { credentials: password(), ..RegistryOptions::default() },
        ..Options::default()
    }
}

/// Two registries, an index, an attachment with a signature, a copy, a moved tag, something deleted and something changed;
/// the policy knows nothing of the registry that it runs on.
const STORY: &str = "title: story
registries: { registry.acme-rockets.io: {} }
steps:
  - push: { images: 2 }
  - sign: {}
  - attach: { name: sbom, artifactType: application/spdx+json, sign: {} }
  - push: { to: registry.wabbit-networks.io/prod/app:v1 }
  - sign: { artifact: registry.wabbit-networks.io/prod/app:v1, count: 2 }
  - delete: { artifact: registry.wabbit-networks.io/prod/app:v1, signature: 0 }
  - tamper: { artifact: registry.wabbit-networks.io/prod/app:v1, do: truncate }
  - push: { to: registry.wabbit-networks.io/prod/app:v2 }
  - retag: { artifact: registry.wabbit-networks.io/prod/app:v2, tag: latest }
  - copy: { to: registry.acme-rockets.io/imported/net-monitor:v1 }
verify:
  - policy: { registryScopes: [registry.wabbit-networks.io/net-monitor] }
    expect: { result: pass }
  - artifact: registry.acme-rockets.io/imported/net-monitor:v1#sbom
    policy: { registryScopes: [registry.acme-rockets.io/imported/net-monitor] }
    expect: { result: pass }
  - artifact: registry.acme-rockets.io/net-monitor:v1
    expect: { result: error, code: not-found }
  - artifact: registry.wabbit-networks.io/prod/app:v1
    expect: { result: fail, code: envelope-malformed }
  - artifact: registry.wabbit-networks.io/prod/app:latest
    expect: { result: fail, code: unsigned }
";

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_there_changes_and_nothing_is_left() {
    for flavour in [Flavour::Current, Flavour::WithoutReferrers] {
        for login in logins() {
            let registry = in_use(Behaviour { flavour, login: login.clone(), ..Behaviour::default() });
            let before = holds(&registry).await;
            let (endings, _, notes) = play(STORY, on(&registry), &Interrupt::default()).await;
            assert_eq!(endings, [CaseStatus::Pass], "{flavour:?} {login:?}");
            assert_eq!(holds(&registry).await, before, "{flavour:?} {login:?}");
            let [
                Note::Writes { place, cases: 1, repositories },
                Note::Deleted { place: deleted, manifests, blobs_left: 0 },
            ] = &notes[..]
            else {
                panic!("{notes:?}")
            };
            assert!(place.starts_with(&format!("{}/muster-test-", registry.host())) && place == deleted, "{notes:?}");
            let lie: Vec<(&str, u64)> =
                repositories.iter().map(|(name, tags)| (name.strip_prefix(place).unwrap(), *tags)).collect();
            assert_eq!(
                lie,
                [
                    ("/1/registry.acme-rockets.io/imported/net-monitor", 1),
                    ("/1/registry.wabbit-networks.io/net-monitor", 1),
                    ("/1/registry.wabbit-networks.io/prod/app", 3),
                ]
            );
            assert!(*manifests >= 14, "{manifests}");
        }
    }
}

/// Some registries keep the blobs of all repositories in one store: one that was there before is not deleted under the name of
/// a repository of ours. The empty object is what every signature has as its config.
#[tokio::test(flavor = "multi_thread")]
async fn a_blob_that_was_there_before_is_not_deleted() {
    let registry = in_use(Behaviour { shares_blobs: true, ..Behaviour::default() });
    let empty = registry.put_blob("prod/app", "{}").unwrap();
    let before = holds(&registry).await;
    let (endings, _, notes) = play(STORY, on(&registry), &Interrupt::default()).await;
    assert_eq!(endings, [CaseStatus::Pass]);
    assert!(matches!(notes.last(), Some(Note::Deleted { blobs_left: 0, .. })), "{notes:?}");
    assert_eq!(holds(&registry).await, before);
    let client = Registry::new(&registry.host(), RegistryOptions::default()).unwrap();
    let app = Repository::new(client.host(), "prod/app").unwrap();
    let descriptor = Descriptor { digest: empty, size: 2, ..Artifact::image("x").descriptor().clone() };
    assert!(client.blob(&app, &descriptor, 1000).await.unwrap().is_some(), "{empty}");
}

/// Artifact Registry deletes no manifest that has a tag.
#[tokio::test(flavor = "multi_thread")]
async fn tags_are_deleted_before_their_manifests() {
    let registry = in_use(Behaviour { keeps_tagged: true, ..Behaviour::default() });
    let before = holds(&registry).await;
    let (endings, _, notes) = play(STORY, on(&registry), &Interrupt::default()).await;
    assert_eq!(endings, [CaseStatus::Pass]);
    assert!(matches!(notes.last(), Some(Note::Deleted { manifests: 14.., blobs_left: 0, .. })), "{notes:?}");
    assert_eq!(holds(&registry).await, before);
}

/// Whatever goes wrong: what was pushed is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_after_a_failure() {
    let registry = in_use(Behaviour::default());
    let before = holds(&registry).await;
    let wrong = STORY.replace("{ result: error, code: not-found }", "{ result: skip }");
    let (endings, ..) = play(&wrong, on(&registry), &Interrupt::default()).await;
    assert!(matches!(&endings[..], [CaseStatus::Fail(_)]), "{endings:?}");
    assert_eq!(holds(&registry).await, before);
    let broken = STORY.replace("signature: 0", "signature: 7");
    let (endings, ..) = play(&broken, on(&registry), &Interrupt::default()).await;
    assert!(matches!(&endings[..], [CaseStatus::Error(_)]), "{endings:?}");
    assert_eq!(holds(&registry).await, before);
    let foreign = Options {
        access: RegistryOptions { credentials: Credentials::Anonymous, ..RegistryOptions::default() },
        ..on(&registry)
    };
    let closed = in_use(Behaviour { login: logins()[0].clone(), ..Behaviour::default() });
    let options = Options { registry: Some(RegistryKind::External(closed.host())), ..foreign };
    let (endings, _, notes) = play(STORY, options, &Interrupt::default()).await;
    let [CaseStatus::Error(reason)] = &endings[..] else { panic!("{endings:?}") };
    assert!(reason.contains("no credentials are known for this registry"), "{reason}");
    // What could not be pushed could not be deleted either: nobody is told that something stays.
    assert!(!notes.iter().any(|note| matches!(note, Note::Left { .. })), "{notes:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_when_the_run_is_told_to_stop() {
    let registry = in_use(Behaviour::default());
    let before = holds(&registry).await;
    let text = "title: many\nsteps:\n  - push: { count: 20000 }\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";
    let interrupt = Arc::new(Interrupt::default());
    let raised = Arc::clone(&interrupt);
    let asked = registry.requests();
    let watch = async {
        while registry.requests() < asked + 300 {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        raised.raise();
        std::time::Instant::now()
    };
    let ((endings, tally, notes), stopped) = tokio::join!(play(text, on(&registry), &interrupt), watch);
    assert!(matches!(&endings[..], [CaseStatus::Unfinished(_)]) && tally.partial, "{endings:?}");
    assert!(stopped.elapsed() < std::time::Duration::from_secs(4), "{:?}", stopped.elapsed());
    assert!(matches!(notes.last(), Some(Note::Deleted { manifests: 10.., .. })), "{notes:?}");
    assert_eq!(holds(&registry).await, before);
}

/// A registry that deletes nothing: what stays is named, and that is no failure of the case.
#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_deleted_is_named() {
    let registry = in_use(Behaviour { keeps_everything: true, ..Behaviour::default() });
    let sound = "title: sound\nsteps:\n  - push: {}\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";
    let (endings, _, notes) = play(sound, on(&registry), &Interrupt::default()).await;
    assert_eq!(endings, [CaseStatus::Pass]);
    let Some(note @ Note::Left { place, manifests }) = notes.last() else { panic!("{notes:?}") };
    assert_eq!(manifests.len(), 2);
    assert!(manifests.iter().all(|(name, why)| name.starts_with(place) && why.contains("405")), "{notes:?}");
    assert!(note.is_warning() && note.to_string().contains("2 manifests below"), "{note}");
}

fn muster(arguments: &[&str], folder: &Path, environment: &[(&str, &Path)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(folder).env("HOME", "/nonexistent").envs(environment.iter().copied());
    command.output().unwrap()
}

fn project(text: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("case.yaml");
    std::fs::write(&file, text).unwrap();
    (folder, file)
}

/// What is asked of a user: the registry on the command line, and a login by docker. What is said, and where.
#[test]
fn the_command_line_alone_names_the_registry_and_docker_logs_in() {
    let registry = in_use(Behaviour { login: logins()[1].clone(), ..Behaviour::default() });
    let host = registry.host();
    let (folder, _) = project(&STORY.replace(
        "registries: { ",
        &format!("registries: {{ registry.wabbit-networks.io: {{ kind: external, address: '{host}' }}, "),
    ));
    let asked = registry.requests();
    let refused = muster(&["test", "case.yaml"], folder.path(), &[]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2), "{said}");
    assert!(said.contains(&format!("--registry external={host}")) && said.contains("case.yaml"), "{said}");
    assert_eq!(registry.requests(), asked);

    // "officer:correct horse"
    let config = format!(r#"{{"auths":{{"{host}":{{"auth":"b2ZmaWNlcjpjb3JyZWN0IGhvcnNl"}}}}}}"#);
    std::fs::write(folder.path().join("config.json"), config).unwrap();
    let external = format!("external={host}/team");
    let arguments = ["test", "case.yaml", "--registry", &external];
    let ran = muster(&arguments, folder.path(), &[("DOCKER_CONFIG", folder.path())]);
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    let begins = format!("note: 1 case will push images and signatures below {host}/team/muster-test-");
    assert!(said.contains(&begins) && said.contains("/1/registry.wabbit-networks.io/prod/app (3 tags)"), "{said}");
    assert!(said.contains(&format!("note: deleted what was pushed below {host}/team/muster-test-")), "{said}");
}

/// Told by a signal: the report is whole, and the registry is as it was.
#[cfg(unix)]
#[test]
fn a_signal_ends_the_run_in_time_and_leaves_nothing() {
    use std::time::{Duration, Instant};

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let registry = in_use(Behaviour::default());
    let before = runtime.block_on(holds(&registry));
    let text = "title: many\nsteps:\n  - push: { count: 20000 }\n  - sign: {}\nverify:\n  - expect: { result: pass }\n";
    let (folder, _) = project(text);
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args([
        "test",
        "case.yaml",
        "-o",
        "json=report.json",
        "--registry",
        &format!("external={}", registry.host()),
    ]);
    command.current_dir(folder.path()).env("HOME", "/nonexistent").stderr(std::process::Stdio::piped());
    let asked = registry.requests();
    let child = command.spawn().unwrap();
    while registry.requests() < asked + 300 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let id = rustix::process::Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    // As `timeout` does: once by itself, and once with its group.
    for _ in 0..2 {
        rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
        std::thread::sleep(Duration::from_millis(20));
    }
    let told = Instant::now();
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert_eq!(ended.status.code(), Some(130), "{said}");
    assert!(told.elapsed() < Duration::from_secs(4), "{:?}", told.elapsed());
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(folder.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(report["summary"]["partial"], true);
    assert!(said.contains("deleted what was pushed below"), "{said}");
    assert_eq!(runtime.block_on(holds(&registry)), before);
}

/// What is slow to be cleared away costs no report.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_told_before_anything_is_cleared_away() {
    let registry = in_use(Behaviour::default());
    let case = |name: &str, count: u32| {
        let text = format!(
            "title: {name}\nsteps:\n  - push: {{ count: {count} }}\nverify:\n  - expect: {{ result: fail, code: unsigned }}\n"
        );
        let scenario = scenario::parse(text.as_bytes(), Path::new(&format!("scenarios/topic/{name}.yaml"))).unwrap();
        scenario::select(&[scenario], None).unwrap().remove(0)
    };
    let happened = Arc::new(Mutex::new(Vec::new()));
    let (noted, interrupt) = (Arc::clone(&happened), Interrupt::default());
    let notes = Notes::to(move |note| {
        if matches!(note, Note::Deleted { .. }) {
            noted.lock().unwrap().push("cleared away".to_owned());
        }
    });
    let options = Options { jobs: 2, notes, ..on(&registry) };
    let ended = |result: scenario::CaseResult| {
        interrupt.raise();
        happened.lock().unwrap().push(result.id);
    };
    let told = |tally: &Tally| {
        assert!(tally.interrupted && tally.total() == 2, "{tally:?}");
        happened.lock().unwrap().push("told".to_owned());
    };
    let cases = vec![case("short", 1), case("long", 20_000)];
    scenario::run_and_tell(cases, options, &interrupt, ended, told).await;
    assert_eq!(*happened.lock().unwrap(), ["topic/short", "topic/long", "told", "cleared away"]);
}

/// Nobody is asked for a password that would go nowhere.
#[test]
fn options_that_would_do_nothing_are_refused() {
    let (folder, _) = project(STORY);
    for option in ["--plain-http", "--ca-file=case.yaml"] {
        let refused = muster(&["test", "case.yaml", option], folder.path(), &[]);
        let said = String::from_utf8(refused.stderr).unwrap();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains("--registry external=HOST"), "{said}");
    }
}

//! Scenarios on registries in containers, for real where `MUSTER_TEST_REGISTRY_IMAGE` names an image that the engine has.
//! Without it those tests are skipped and say so; with `MUSTER_TESTS_SKIP_NOTHING=1` they fail instead.
#![cfg(feature = "containers")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use std::collections::HashMap;
use std::env;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output};

use muster::audit::Interrupt;
use muster::forge::CONTAINER_LABEL;
use muster::scenario::{self, CaseStatus, Options, RegistryKind};
use testcontainers::bollard::models::ContainerSummary;
use testcontainers::bollard::query_parameters::{ListContainersOptionsBuilder, RemoveContainerOptionsBuilder};
use testcontainers::core::client::docker_client_instance;
use tokio::sync::Mutex;

#[cfg(unix)]
mod engines;
#[cfg(target_os = "linux")]
mod killed_runs;
#[cfg(unix)]
mod relay;
#[path = "../skip/mod.rs"]
mod skip;

/// Held by tests that count containers.
static COUNTING: Mutex<()> = Mutex::const_new(());

/// The image to use, or `None` after having said that `test` is skipped.
fn image(test: &str) -> Option<String> {
    let image = env::var("MUSTER_TEST_REGISTRY_IMAGE").ok().filter(|image| !image.is_empty());
    if image.is_none() {
        skip::skip(test, "MUSTER_TEST_REGISTRY_IMAGE names no image of a registry");
    }
    image
}

/// The containers of scenarios.
async fn containers() -> Vec<ContainerSummary> {
    let docker = docker_client_instance().await.unwrap();
    let ours = HashMap::from([("label", vec![CONTAINER_LABEL])]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&ours).build();
    docker.list_containers(Some(options)).await.unwrap()
}

/// Their labels.
async fn labels() -> Vec<HashMap<String, String>> {
    containers().await.into_iter().map(|container| container.labels.unwrap()).collect()
}

/// The runs that they belong to, one for each.
async fn runs() -> Vec<String> {
    labels().await.into_iter().map(|mut labels| labels.remove(CONTAINER_LABEL).unwrap()).collect()
}

/// Removes them, where nothing else may do so.
async fn remove_all() {
    let docker = docker_client_instance().await.unwrap();
    while let Some(container) = containers().await.pop() {
        let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
        // Somebody else may be about to.
        let _ = docker.remove_container(&container.id.unwrap(), Some(options)).await;
    }
}

/// How many containers of scenarios there are.
async fn count() -> usize {
    runs().await.len()
}

fn muster(arguments: &[&str], engine: Option<&str>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_muster"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).env_remove("MUSTER_ORAS_IMAGE");
    if let Some(engine) = engine {
        command.env("DOCKER_HOST", engine);
    }
    command
}

fn text(output: &Output) -> (String, String) {
    (String::from_utf8(output.stdout.clone()).unwrap(), String::from_utf8(output.stderr.clone()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn cases_come_out_alike_on_a_registry_in_a_container() {
    let Some(image) = image("cases_come_out_alike_on_a_registry_in_a_container") else { return };
    let _counting = COUNTING.lock().await;
    let folders = ["story", "discovery", "tampering", "index", "multi-signature"];
    let paths = folders.map(|folder| PathBuf::from("scenarios").join(folder));
    let mut cases = scenario::select(&scenario::load(&paths).unwrap(), None).unwrap();
    // This process is not started for SoftHSM; the next test is.
    cases.retain(|case| !scenario::needs_softhsm(std::slice::from_ref(case), &Options::default()));
    let kind = RegistryKind::Container(image);
    let checked = scenario::check_registry(&kind, None).await.unwrap();
    let options = Options {
        jobs: 4,
        registry: Some(kind),
        program: Some(env!("CARGO_BIN_EXE_muster").into()),
        checked,
        ..Options::default()
    };
    let (mut wrong, mut skipped, mut story) = (Vec::new(), Vec::new(), 0);
    let tally = scenario::run(cases, options, &Interrupt::default(), |result| match result.status {
        CaseStatus::Pass => story += u64::from(result.id.starts_with("story/")),
        CaseStatus::Skipped(reason) => skipped.push(reason),
        status => wrong.push(format!("{}: {status:#?}", result.id)),
    })
    .await;
    println!("in containers: {} passed, {} skipped", tally.pass, tally.skipped);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let stated = |reason: &String| reason.contains("only the embedded registry");
    assert!(skipped.iter().all(stated), "{skipped:?}");
    assert!(tally.pass >= 30 && story >= 7, "{tally:?}, {story} of the story");
    assert_eq!(count().await, 0, "every container is gone");
}

/// The whole of the story, its keys in files and in tokens, through the program, which starts itself for SoftHSM.
#[tokio::test(flavor = "multi_thread")]
async fn the_story_runs_in_containers_with_keys_in_tokens() {
    let Some(image) = image("the_story_runs_in_containers_with_keys_in_tokens") else { return };
    let _counting = COUNTING.lock().await;
    let registry = format!("container={image}");
    let output = muster(&["test", "scenarios/story", "--registry", &registry], None).output().unwrap();
    let (said, errors) = text(&output);
    assert!(output.status.success(), "{said}\n{errors}");
    let tokens = said.lines().filter(|line| line.starts_with("pass") && line.contains("softhsm")).count();
    let none_skipped = said.contains(" 0 skipped");
    std::io::stderr()
        .write_all(format!("\nscenarios: the story in containers: {}\n", summary(&said)).as_bytes())
        .unwrap();
    let may_skip = env::var_os("MUSTER_TESTS_SKIP_NOTHING").is_none_or(|value| value != "1");
    assert!(may_skip || (none_skipped && tokens >= 2), "{said}");
}

fn summary(said: &str) -> &str {
    said.lines().find(|line| line.contains(" passed, ")).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_no_registry_or_not_there_is_said_at_once() {
    let Some(_) = image("an_image_that_is_no_registry_or_not_there_is_said_at_once") else { return };
    let output = muster(&["test", "--registry", "container=localhost:1/no/such:image"], None).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!((output.status.code(), stdout.as_str()), (Some(3), ""), "{stderr}");
    assert!(stderr.contains("--registry: the image"), "{stderr}");
    assert!(stderr.contains("localhost:1/no/such:image") && stderr.contains("cannot be pulled"), "{stderr}");
}

#[test]
fn without_an_engine_asking_for_one_ends_with_3() {
    for kind in ["oras", "container=registry:2"] {
        let output = muster(&["test", "--registry", kind], Some("unix:///nonexistent/docker.sock")).output().unwrap();
        let (stdout, stderr) = text(&output);
        assert_eq!((output.status.code(), stdout.as_str()), (Some(3), ""), "{stderr}");
        assert!(
            stderr.contains("--registry: no container engine answers: DOCKER_HOST names unix:///nonexistent"),
            "{stderr}"
        );
    }
}

#[test]
fn without_an_engine_cases_that_need_one_are_skipped_for_that_reason() {
    let none = Some("unix:///nonexistent/docker.sock");
    let output = muster(&["test", "scenarios/story", "--keystore", "file"], none).output().unwrap();
    let (stdout, stderr) = text(&output);
    assert_eq!(output.status.code(), Some(0), "{stdout}{stderr}");
    let last = stdout.lines().last().unwrap();
    assert!(last.starts_with("skipped 6: no container engine answers"), "{stdout}");
}

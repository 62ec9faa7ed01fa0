//! Nothing is left of a run that was killed: a process that outlives it removes its containers, and the next run does where
//! that one was killed, too. Only on Linux is it known which runs live.

use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use muster::forge::Containers;

use super::engines::unshared;
use super::{COUNTING, containers, count, image, labels, muster, relay, remove_all, runs, skip, text};

/// A run that keeps its world up, with keys in `keystore` and its temporary files in `temporary`; `None` if its case was skipped.
fn kept(image: &str, keystore: &str, temporary: &Path) -> Option<Child> {
    let registry = format!("container={image}");
    let arguments = ["test", "--keep", "--keystore", keystore, "--run", "expiry/before", "--registry", &registry];
    let mut run = muster(&arguments, None);
    run.env("TMPDIR", temporary);
    kept_by(run)
}

/// The same of a command that is such a run.
fn kept_by(mut run: Command) -> Option<Child> {
    let mut child = run.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let said: Vec<_> = lines.map_while(Result::ok).take_while(|line| !line.contains("stay up")).collect();
    if said.iter().any(|line| line.contains("is reached at 127.0.0.1:")) {
        return Some(child);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    None
}

/// The process that watches over `run`: a process whose arguments name it.
fn watcher(run: &str) -> Option<u32> {
    let processes = fs::read_dir("/proc").unwrap().filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    processes.into_iter().find(|process: &u32| {
        let arguments = fs::read(PathBuf::from(format!("/proc/{process}/cmdline"))).unwrap_or_default();
        let arguments: Vec<_> = arguments.split(|byte| *byte == 0).collect();
        arguments.contains(&b"remove-containers".as_slice()) && arguments.contains(&run.as_bytes())
    })
}

fn kill(process: u32) {
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_leaves_behind_is_removed_without_another_run() {
    let Some(image) = image("what_a_killed_run_leaves_behind_is_removed_without_another_run") else { return };
    let _counting = COUNTING.lock().await;
    let temporary = tempfile::tempdir().unwrap();
    let mut child = kept(&image, "file", temporary.path()).expect("the world stays up");
    let run = runs().await.pop().expect("a container of the run");
    assert!(watcher(&run).is_some());
    child.kill().unwrap();
    child.wait().unwrap();
    while count().await > 0 || watcher(&run).is_some() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_run_leaves_behind_is_removed_by_the_next_wherever_its_files_are() {
    let Some(image) = image("what_a_killed_run_leaves_behind_is_removed_by_the_next_wherever_its_files_are") else {
        return;
    };
    let _counting = COUNTING.lock().await;
    let temporary = tempfile::tempdir().unwrap();
    let mut child = kept(&image, "file", temporary.path()).expect("the world stays up");
    Containers::default().ready().await.unwrap();
    assert!(count().await > 0, "its run lives, so it is left alone");
    let run = runs().await.pop().unwrap();
    kill(watcher(&run).expect("the watcher"));
    child.kill().unwrap();
    child.wait().unwrap();
    drop(temporary);
    assert!(count().await > 0, "nothing watches any more");
    Containers::default().ready().await.unwrap();
    assert_eq!(count().await, 0);
}

/// What an engine is slow to remove says nothing of the case, and is removed by the next run.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_slow_to_go_is_a_warning() {
    let Some(image) = image("a_container_that_is_slow_to_go_is_a_warning") else { return };
    let _counting = COUNTING.lock().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("engine.sock");
    relay::that_removes_nothing(&socket);
    let registry = format!("container={image}");
    let arguments = ["test", "--run", "expiry/before", "--keystore", "file", "--registry", &registry];
    let mut run = muster(&arguments, Some(&format!("unix://{}", socket.display())));
    let output = tokio::task::spawn_blocking(move || run.output().unwrap()).await.unwrap();
    let (said, errors) = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}{errors}");
    assert!(said.contains(" 0 failed") && said.contains(" 0 could not be run"), "{said}");
    assert!(errors.contains("warning: ") && errors.contains("slow to go"), "{errors}");
    let run = runs().await.pop().expect("it stays");
    let named = containers().await.into_iter().all(|stays| errors.contains(&stays.id.unwrap()[..12]));
    assert!(named, "{errors}");
    if let Some(watcher) = watcher(&run) {
        kill(watcher);
    }
    Containers::default().ready().await.unwrap();
    assert_eq!(count().await, 0);
}

/// Where processes are not seen, as of other users where /proc is mounted with hidepid, it is not known that they have ended.
#[tokio::test(flavor = "multi_thread")]
async fn what_belongs_to_a_living_run_that_proc_does_not_show_is_left_alone() {
    let test = "what_belongs_to_a_living_run_that_proc_does_not_show_is_left_alone";
    let Some(image) = image(test) else { return };
    let _counting = COUNTING.lock().await;
    let temporary = tempfile::tempdir().unwrap();
    let mut child = kept(&image, "file", temporary.path()).expect("the world stays up");
    let run = runs().await.pop().expect("a container of the run");
    let mut other = muster(&["test", "--run", "expiry/before", "--keystore", "file"], None);
    other.args(["--registry", &format!("container={image}")]);
    let prepare = format!("mount -t tmpfs none /proc/{}", child.id());
    if let Some(mut other) = unshared(test, "-m", &prepare, &other) {
        let output = other.output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(runs().await.contains(&run), "it was removed while its run lives");
    }
    child.kill().unwrap();
    child.wait().unwrap();
    while count().await > 0 || watcher(&run).is_some() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// In a namespace of processes that sees the /proc of another, numbers there are those of strangers.
#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_cannot_tell_which_process_it_is_says_nothing_of_it() {
    let test = "a_run_that_cannot_tell_which_process_it_is_says_nothing_of_it";
    let Some(image) = image(test) else { return };
    let _counting = COUNTING.lock().await;
    let mut run = muster(&["test", "--keep", "--run", "expiry/before", "--keystore", "file"], None);
    run.args(["--registry", &format!("container={image}")]);
    let Some(run) = unshared(test, "-pf", "true", &run) else { return };
    let mut child = kept_by(run).expect("the world stays up");
    let labels = labels().await;
    // It is the first process in the namespace, and a child of the one that has made it.
    let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", child.id())).unwrap();
    kill(children.trim().parse().unwrap());
    child.wait().unwrap();
    // The watcher ends with the namespace, or has just been quicker.
    remove_all().await;
    let known = labels.iter().filter(|labels| labels.contains_key("org.muster.scenario.process")).count();
    assert!(!labels.is_empty());
    assert_eq!(known, 0, "the label names a process that is another's");
}

/// The folders of tokens in `temporary`, which hold keys.
fn tokens(temporary: &Path) -> Vec<OsString> {
    let names = fs::read_dir(temporary).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("muster-softhsm-")).collect()
}

#[test]
fn tokens_of_a_killed_run_are_removed_by_the_next_that_makes_some() {
    let test = "tokens_of_a_killed_run_are_removed_by_the_next_that_makes_some";
    let temporary = tempfile::tempdir().unwrap();
    let run = |more: &[&str]| {
        let mut run = muster(&["test", "--run", "expiry/before", "--keystore", "softhsm"], None);
        run.args(more).env("TMPDIR", temporary.path()).process_group(0);
        run
    };
    let Some(mut child) = kept_by(run(&["--keep"])) else { return skip::skip(test, "SoftHSM is not installed") };
    let again = || assert!(run(&[]).output().unwrap().status.success());
    let left = tokens(temporary.path());
    again();
    assert_eq!((left.len(), tokens(temporary.path())), (1, left), "its run lives");
    // Both of its processes.
    let group = format!("-{}", child.id());
    assert!(Command::new("kill").args(["-9", "--", &group]).status().unwrap().success());
    child.wait().unwrap();
    // The system may take a moment to end the second.
    while !tokens(temporary.path()).is_empty() {
        again();
    }
}

/// With keys in tokens, the process that is killed only waits for another, which would go on.
#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_with_keys_in_tokens_ends_as_a_whole() {
    let test = "a_killed_run_with_keys_in_tokens_ends_as_a_whole";
    let Some(image) = image(test) else { return };
    let _counting = COUNTING.lock().await;
    let temporary = tempfile::tempdir().unwrap();
    let Some(mut child) = kept(&image, "softhsm", temporary.path()) else {
        return skip::skip(test, "SoftHSM is not installed");
    };
    let run = runs().await.pop().expect("a container of the run");
    child.kill().unwrap();
    child.wait().unwrap();
    while count().await > 0 || watcher(&run).is_some() || !tokens(temporary.path()).is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

//! Nothing is left of a run that was killed: a process that outlives it removes its containers, and the next run does where
//! that one was killed, too. Only on Linux is it known which runs live.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use muster::forge::Containers;

use super::{COUNTING, count, image, muster, runs, skip};

/// A run that keeps its world up, with keys in `keystore` and its temporary files in `temporary`; `None` if its case was skipped.
fn kept(image: &str, keystore: &str, temporary: &Path) -> Option<Child> {
    let registry = format!("container={image}");
    let arguments = ["test", "--keep", "--keystore", keystore, "--run", "expiry/before", "--registry", &registry];
    let mut run = muster(&arguments, None);
    run.env("TMPDIR", temporary).stderr(Stdio::piped()).stdout(Stdio::null());
    let mut child = run.spawn().unwrap();
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
    while count().await > 0 || watcher(&run).is_some() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

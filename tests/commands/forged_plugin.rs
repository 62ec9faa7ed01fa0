//! The plugin for tests as hosts meet it: a script in a plugin folder that starts the program.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io::{Read as _, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use muster::forge::plugin::{InstalledPlugin, PluginBehaviour, PluginDefect};
use tempfile::TempDir;

/// A plugin with a defect, in a folder whose name a shell would take apart.
fn installed(defect: Option<PluginDefect>) -> (TempDir, InstalledPlugin) {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("it's a $HOME");
    let behaviour = PluginBehaviour { defect, ..PluginBehaviour::able(["SIGNATURE_VERIFIER.TRUSTED_IDENTITY"]) };
    let plugin = behaviour.install(&plugins, "com.example.test", Path::new(env!("CARGO_BIN_EXE_muster"))).unwrap();
    (folder, plugin)
}

fn start(plugin: &InstalledPlugin, command: &str) -> Child {
    let mut child = Command::new(&plugin.executable)
        .arg(command)
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(b"{}");
    child
}

#[test]
fn it_is_found_and_answers() {
    let (_folder, plugin) = installed(None);
    assert!(plugin.executable.ends_with("com.example.test/notation-com.example.test"));
    assert_eq!(plugin.requests().unwrap(), []);
    let output = start(&plugin, "get-plugin-metadata").wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(metadata["name"], "com.example.test");
    let requests = plugin.requests().unwrap();
    assert_eq!((requests.len(), requests[0].command.as_str()), (1, "get-plugin-metadata"));
    assert_eq!(requests[0].request, serde_json::json!({}));
}

#[test]
fn a_signal_ends_it() {
    let (_folder, plugin) = installed(Some(PluginDefect::Signal));
    let output = start(&plugin, "verify-signature").wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.status.signal()), (None, Some(9)));
}

#[test]
fn it_hangs_until_it_is_killed() {
    let (_folder, plugin) = installed(Some(PluginDefect::Hang));
    let mut child = start(&plugin, "verify-signature");
    let asked = Instant::now();
    while plugin.requests().unwrap().is_empty() {
        assert!(asked.elapsed() < Duration::from_secs(30), "it has not started");
        std::thread::sleep(Duration::from_millis(10));
    }
    std::thread::sleep(Duration::from_millis(100));
    assert_eq!(child.try_wait().unwrap(), None);
    child.kill().unwrap();
    assert_eq!(child.wait().unwrap().signal(), Some(9));
}

#[test]
fn its_daemon_holds_the_pipe() {
    let (_folder, plugin) = installed(Some(PluginDefect::Daemon));
    let mut child = start(&plugin, "verify-signature");
    let mut stdout = child.stdout.take().unwrap();
    assert!(child.wait().unwrap().success());
    // The answer is there, and the end is not.
    let (send, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut all = Vec::new();
        let _ = stdout.read_to_end(&mut all);
        let _ = send.send(());
    });
    assert!(ended.recv_timeout(Duration::from_millis(300)).is_err(), "nobody holds the pipe");
}

#[test]
fn floods_end_where_nobody_reads() {
    for defect in [PluginDefect::FloodStdout, PluginDefect::FloodStderr] {
        let (_folder, plugin) = installed(Some(defect));
        let mut child = start(&plugin, "verify-signature");
        let mut piece = vec![0; 8 << 20];
        match defect {
            PluginDefect::FloodStdout => child.stdout.take().unwrap().read_exact(&mut piece).unwrap(),
            _ => child.stderr.take().unwrap().read_exact(&mut piece).unwrap(),
        }
        assert!(piece.iter().all(|&byte| byte == b'x'), "{defect:?}");
        // The stream is closed by now, so it gives up.
        assert!(child.wait().unwrap().success(), "{defect:?}");
    }
}

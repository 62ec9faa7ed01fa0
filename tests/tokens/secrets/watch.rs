//! A watch over a run: as long as it lasts, the arguments and environments of all processes that this one has started and the files in a
//! folder are searched, again and again; and what the processes have said, when they are done.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use super::running::family;
use super::search::{Secret, files_below};

const PAUSE: Duration = Duration::from_millis(5);

/// The search, and what it has found.
pub(super) struct Watch {
    looked: Arc<Looked>,
    thread: Option<JoinHandle<()>>,
}

struct Looked {
    folder: PathBuf,
    ended: AtomicBool,
    secrets: Mutex<BTreeMap<String, Secret>>,
    /// Where secrets were found.
    found: Mutex<BTreeSet<String>>,
    /// The programs, with the word behind their name, that were seen while they ran.
    programs: Mutex<BTreeSet<String>>,
    /// How often the folder and the processes were looked at.
    rounds: Mutex<u64>,
}

impl Watch {
    /// Over the processes of this one and the files below `folder`.
    pub(super) fn begin(folder: &Path, secrets: &[(&str, &str)]) -> Watch {
        let secrets = secrets.iter().map(|(name, secret)| ((*name).to_owned(), Secret::text(secret))).collect();
        let looked = Arc::new(Looked {
            folder: folder.to_owned(),
            ended: AtomicBool::new(false),
            secrets: Mutex::new(secrets),
            found: Mutex::default(),
            programs: Mutex::default(),
            rounds: Mutex::default(),
        });
        let looking = Arc::clone(&looked);
        let thread = thread::spawn(move || {
            let mut known = BTreeMap::new();
            while !looking.ended.load(Ordering::SeqCst) {
                looking.processes();
                looking.files(&mut known);
                *looking.rounds.lock().unwrap() += 1;
                thread::sleep(PAUSE);
            }
        });
        Watch { looked, thread: Some(thread) }
    }

    /// Waits until everything that is there now has been looked at.
    pub(super) fn has_looked(&self) {
        let rounds = || *self.looked.rounds.lock().unwrap();
        let enough = rounds() + 2;
        while rounds() < enough {
            thread::sleep(PAUSE);
        }
    }

    /// Runs `command` to its end, and searches what it says.
    #[track_caller]
    pub(super) fn run(&self, mut command: Command) -> Output {
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        self.said(&format!("{command:?}"), &output);
        output
    }

    /// Searches what a process has said.
    pub(super) fn said(&self, who: &str, output: &Output) {
        self.looked.search(&format!("standard output of {who}"), &output.stdout);
        self.looked.search(&format!("standard error of {who}"), &output.stderr);
    }

    /// Searches something else.
    pub(super) fn search(&self, place: &str, content: &[u8]) {
        self.looked.search(place, content);
    }

    /// The programs that were seen while they ran.
    pub(super) fn programs(&self) -> BTreeSet<String> {
        self.looked.programs.lock().unwrap().clone()
    }

    /// How many secrets are looked for: those of tokens that the programs made themselves are among them.
    pub(super) fn secrets(&self) -> usize {
        self.looked.secrets.lock().unwrap().len()
    }

    /// Ends the watch: where secrets were found.
    pub(super) fn end(mut self) -> BTreeSet<String> {
        self.has_looked();
        self.looked.ended.store(true, Ordering::SeqCst);
        self.thread.take().unwrap().join().unwrap();
        self.looked.found.lock().unwrap().clone()
    }
}

impl Looked {
    fn search(&self, place: &str, content: &[u8]) {
        for (name, secret) in &*self.secrets.lock().unwrap() {
            if secret.is_in(content) {
                self.found.lock().unwrap().insert(format!("{name} in {place}"));
            }
        }
    }

    fn processes(&self) {
        let own = std::process::id();
        let own_arguments = fs::read("/proc/self/cmdline").unwrap();
        let pin_was_seen = self.secrets.lock().unwrap().keys().any(|name| name.starts_with("the PIN of "));
        for id in family(own).into_iter().filter(|id| *id != own) {
            // A process may be gone again.
            let arguments = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
            let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
            if arguments.is_empty() || arguments == own_arguments {
                // It is no program yet, or none any more.
                continue;
            }
            let words: Vec<_> = arguments.split(|byte| *byte == 0).map(String::from_utf8_lossy).collect();
            let program = words[0].rsplit('/').next().unwrap_or_default().to_owned();
            let called = format!("{program} {}", words.get(1).map_or("", |word| word));
            self.search(&format!("the arguments of {called}"), &arguments);
            for variable in environment.split(|byte| *byte == 0) {
                let name = String::from_utf8_lossy(variable).split('=').next().unwrap_or_default().to_owned();
                if !may_have(&program, &name) {
                    self.search(&format!("the variable {name} of {called}"), variable);
                }
            }
            let limits = fs::read_to_string(format!("/proc/{id}/limits")).unwrap_or_default();
            let core =
                limits.lines().find_map(|line| line.strip_prefix("Max core file size")?.split_whitespace().next());
            if called == "muster test" && pin_was_seen && core.is_some_and(|core| core != "0") {
                self.found.lock().unwrap().insert(format!("the right to leave a core at {called}"));
            }
            self.programs.lock().unwrap().insert(called);
        }
    }

    fn files(&self, known: &mut BTreeMap<PathBuf, (u64, Option<SystemTime>)>) {
        for file in files_below(&self.folder) {
            let Ok(metadata) = fs::symlink_metadata(&file) else { continue };
            let state = (metadata.len(), metadata.modified().ok());
            if !metadata.is_file() || known.insert(file.clone(), state) == Some(state) {
                continue;
            }
            let content = fs::read(&file).unwrap_or_default();
            // The PIN of a token that `muster test` has made lies where its URI says, for this user alone, and nowhere else.
            let is_pin = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pin-"));
            let closed = metadata.permissions().mode() & 0o077 == 0;
            if is_pin && closed && content.len() >= 16 && content.iter().all(u8::is_ascii_hexdigit) {
                let pin = String::from_utf8(content).unwrap();
                self.secrets.lock().unwrap().insert(format!("the PIN of {}", file.display()), Secret::text(&pin));
                // What was looked at before is looked at again, for this one.
                known.retain(|path, _| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("pin-")));
                continue;
            }
            self.search(&format!("the name of {}", file.display()), file.as_os_str().as_encoded_bytes());
            self.search(&format!("the file {}", file.display()), &content);
        }
    }
}

/// Whether a program is given a secret in that variable: those that take it, and no other.
fn may_have(program: &str, variable: &str) -> bool {
    match program {
        "muster" => ["MUSTER_PKCS11_PIN", "MUSTER_TSB_TOKEN", "MUSTER_TSB_API_KEY", "MUSTER_TSB_KEY_PASSWORD"]
            .contains(&variable),
        "notation-muster-pkcs11" => variable == "MUSTER_PKCS11_PIN",
        "notation-muster-tsb" => variable.starts_with("MUSTER_TSB_"),
        _ => false,
    }
}

/// A watch that finds nothing where there is something would prove nothing.
#[test]
fn a_secret_is_found_in_each_place() {
    // In a process of its own, whose processes are its own.
    const NAME: &str = "secrets::watch::a_secret_is_found_in_each_place";
    if std::env::var_os("MUSTER_WATCHED").is_none() {
        return crate::process::again(NAME, vec![("MUSTER_WATCHED".into(), "1".into())]);
    }
    let folder = tempfile::tempdir().unwrap();
    let canary = "canary-5a0c\"e1 77";
    let watch = Watch::begin(folder.path(), &[("the canary", canary), ("another", "another-19c4e0b2")]);
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "read line", canary]).env("A_VARIABLE", canary).env("MUSTER_TSB_TOKEN", canary);
    let mut child = shell.stdin(Stdio::piped()).spawn().unwrap();
    let file = folder.path().join("a/b");
    fs::create_dir(folder.path().join("a")).unwrap();
    fs::write(&file, serde_json::to_string(canary).unwrap()).unwrap();
    fs::write(folder.path().join(canary), "").unwrap();
    watch.has_looked();
    fs::remove_file(&file).unwrap();
    drop(child.stdin.take());
    child.wait().unwrap();
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", "cat >&2 \"$0\"; cat \"$0\""]).arg(folder.path().join("pin-1"));
    fs::write(folder.path().join("pin-1"), "0123456789abcdef").unwrap();
    fs::set_permissions(folder.path().join("pin-1"), fs::Permissions::from_mode(0o600)).unwrap();
    watch.has_looked();
    watch.run(shell);
    assert!(watch.programs().iter().any(|program| program == "sh -c"), "{:?}", watch.programs());
    let found = watch.end();
    for place in [
        "the canary in the arguments of sh -c",
        "the canary in the variable A_VARIABLE of sh -c",
        "the canary in the variable MUSTER_TSB_TOKEN of sh -c",
        "the canary in the file ",
        "the canary in the name of ",
        "pin-1 in standard output of ",
        "pin-1 in standard error of ",
    ] {
        assert!(found.iter().any(|found| found.contains(place)), "not {place}: {found:?}");
    }
    assert!(!found.iter().any(|found| found.contains("another")), "{found:?}");
}

//! Whose a container is, and whether the run that started it has ended.
//!
//! Every container bears the label [`super::LABEL`] with the name of its run, and labels that say which process that was: of
//! which system since its last start, in which namespace of processes, its number, and when it started. So what a killed run
//! left behind is found by any later one, wherever temporary files lie, and a living run keeps its own. A run of another
//! system, or of another namespace, cannot be seen from here. If it ran in a container of the same engine, it lives as long as
//! that one runs; else its containers are left alone until they have ended or are older than [`limits::CONTAINER_AGE`].
//!
//! Only Linux tells when a process started; elsewhere nothing is known of other runs but the age of what they left.

use std::collections::{HashMap, HashSet};
use std::fs;
#[cfg(unix)]
use std::path::Path;
use std::time::{Duration, SystemTime};

use testcontainers::bollard::models::{ContainerSummary, ContainerSummaryStateEnum};

use super::LABEL;
use crate::limits;

/// The label that says which process a run is.
const PROCESS: &str = "org.muster.scenario.process";

/// The label that says in which container of the same engine that process runs, if it runs in one.
const INSIDE_OF: &str = "org.muster.scenario.inside-of";

/// A process: where it is seen, and what tells it from a later one of the same number.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Process {
    /// The system since its last start, and the namespace of processes.
    seen_from: String,
    number: u32,
    /// In ticks of the system's clock since its start.
    started: String,
}

/// The labels of a container of the run `run`, which is this process, in the container `inside_of` if in any.
pub(super) fn labels(run: &str, inside_of: Option<&str>) -> Vec<(&'static str, String)> {
    let mut labels = vec![(LABEL, run.to_owned())];
    labels.extend(inside_of.map(|container| (INSIDE_OF, container.to_owned())));
    labels.extend(Process::this().map(|process| (PROCESS, process.label())));
    labels
}

/// The run that started a container; `None` if it is not ours.
pub(super) fn run_of(container: &ContainerSummary) -> Option<&str> {
    label(container, LABEL)
}

/// Whether the run that started a container has ended; `running` are the containers that run on the engine, by their ids.
pub(super) fn is_abandoned(container: &ContainerSummary, running: &HashSet<String>) -> bool {
    if run_of(container).is_none() {
        return false;
    }
    let process = label(container, PROCESS).and_then(Process::of_label);
    match (process, Process::this()) {
        (Some(process), Some(this)) if process.seen_from == this.seen_from => !process.lives(),
        _ if label(container, INSIDE_OF).is_some_and(|id| !running.contains(id)) => true,
        _ => has_ended(container) || age(container).is_some_and(|age| age > limits::CONTAINER_AGE),
    }
}

impl Process {
    /// This one; `None` where the system does not tell.
    fn this() -> Option<Process> {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs::read_link("/proc/self/ns/pid").ok()?;
        let number = std::process::id();
        // A namespace that sees the /proc of another (`unshare --pid` alone) would take strangers for its own processes.
        if fs::read_link("/proc/self").ok()?.to_str() != Some(number.to_string().as_str()) {
            return None;
        }
        let seen_from = format!("{} {}", boot.trim(), namespace.to_string_lossy());
        Some(Process { seen_from, number, started: started(number)? })
    }

    fn lives(&self) -> bool {
        match started(self.number) {
            Some(started) => started == self.started,
            None => is_hidden(self.number),
        }
    }

    fn label(&self) -> String {
        format!("{} {} {}", self.seen_from, self.number, self.started)
    }

    fn of_label(label: &str) -> Option<Process> {
        let mut parts = label.rsplitn(3, ' ');
        let (started, number, seen_from) = (parts.next()?, parts.next()?, parts.next()?);
        Some(Process { seen_from: seen_from.to_owned(), number: number.parse().ok()?, started: started.to_owned() })
    }
}

/// When the process `number` started; `None` if there is none, or only what its parent has not yet heard of.
fn started(number: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{number}/stat")).ok()?;
    // proc(5): the name of the program stands in parentheses, and may hold anything; then come the state (field 3) and, as
    // field 22, the time of the start.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    (!matches!(state, "Z" | "X")).then(|| fields.nth(18).map(str::to_owned)).flatten()
}

/// Whether there is a process `number` of which /proc says nothing, as it does not of other users' where it is mounted with
/// `hidepid`.
#[cfg(unix)]
fn is_hidden(number: u32) -> bool {
    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    let process = i32::try_from(number).ok().and_then(Pid::from_raw);
    !Path::new(&format!("/proc/{number}/stat")).exists()
        && process.is_some_and(|process| !matches!(test_kill_process(process), Err(Errno::SRCH)))
}

#[cfg(not(unix))]
fn is_hidden(_: u32) -> bool {
    false
}

fn label<'a>(container: &'a ContainerSummary, name: &str) -> Option<&'a str> {
    container.labels.as_ref().and_then(|labels: &HashMap<_, _>| labels.get(name)).map(String::as_str)
}

fn has_ended(container: &ContainerSummary) -> bool {
    matches!(container.state, Some(ContainerSummaryStateEnum::EXITED | ContainerSummaryStateEnum::DEAD))
}

/// How long ago it was made.
fn age(container: &ContainerSummary) -> Option<Duration> {
    let made = Duration::from_secs(u64::try_from(container.created?).ok()?);
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH + made).ok()
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};

    fn container(process: &Process, state: ContainerSummaryStateEnum) -> ContainerSummary {
        let labels = [(LABEL, "run".to_owned()), (PROCESS, process.label())];
        let made = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
        ContainerSummary {
            labels: Some(labels.map(|(name, value)| (name.to_owned(), value)).into()),
            created: i64::try_from(made).ok(),
            state: Some(state),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn a_process_is_read_again_from_its_label() {
        let this = Process::this().unwrap();
        assert_eq!(Process::of_label(&this.label()), Some(this.clone()));
        assert!(this.lives());
        assert_eq!(Process::of_label("/tmp/muster-containers-x"), None);
    }

    #[test]
    fn a_container_is_abandoned_when_its_process_is_gone() {
        use ContainerSummaryStateEnum::{EXITED, RUNNING};
        let mut child = Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let process = Process { number: child.id(), started: started(child.id()).unwrap(), ..Process::this().unwrap() };
        assert!(
            !is_abandoned(&container(&process, RUNNING), &HashSet::new())
                && !is_abandoned(&container(&process, EXITED), &HashSet::new()),
            "it lives"
        );
        let later = Process { started: "1".to_owned(), ..process.clone() };
        assert!(is_abandoned(&container(&later, RUNNING), &HashSet::new()), "another process has its number");
        child.kill().unwrap();
        // Its parent has not heard of it yet.
        while started(child.id()).is_some() {}
        assert!(is_abandoned(&container(&process, RUNNING), &HashSet::new()), "it has ended");
        child.wait().unwrap();
        assert!(is_abandoned(&container(&process, RUNNING), &HashSet::new()), "it is gone");
    }

    #[test]
    fn what_a_run_out_of_sight_started_is_left_until_it_has_ended_or_is_old() {
        use ContainerSummaryStateEnum::{EXITED, RUNNING};
        let gone = Process { number: u32::MAX, ..Process::this().unwrap() };
        for seen_from in [gone.seen_from.replace("pid:", "pid:1"), gone.seen_from.replace('-', "+")] {
            let process = Process { seen_from, ..gone.clone() };
            let mut seen = container(&process, RUNNING);
            assert!(!is_abandoned(&seen, &HashSet::new()), "it may be running in another container or system");
            assert!(is_abandoned(&container(&process, EXITED), &HashSet::new()));
            let age = i64::try_from(limits::CONTAINER_AGE.as_secs()).unwrap();
            seen.created = seen.created.map(|made| made - age - 60);
            assert!(is_abandoned(&seen, &HashSet::new()), "it is old");
        }
        assert!(!is_abandoned(&ContainerSummary::default(), &HashSet::new()), "it is not ours");
    }

    #[test]
    fn s72_a_run_in_a_container_of_the_engine_lives_as_long_as_that_one() {
        let process = Process { number: u32::MAX, ..Process::this().unwrap() };
        let process = Process { seen_from: process.seen_from.replace("pid:", "pid:1"), ..process };
        let mut seen = container(&process, ContainerSummaryStateEnum::RUNNING);
        seen.labels.as_mut().unwrap().insert(INSIDE_OF.to_owned(), "job".to_owned());
        assert!(is_abandoned(&seen, &HashSet::from(["other".to_owned()])));
        assert!(!is_abandoned(&seen, &HashSet::from(["job".to_owned()])));
    }
}

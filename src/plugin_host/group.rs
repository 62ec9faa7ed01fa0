//! The processes that a plugin consists of: one group, which is ended as a whole.
//!
//! A plugin may start others and go away, or never go away. Each is started as the leader of a process group of its own, and
//! whatever is left in the group is killed when the leader has ended, when time is up, and when no caller waits any more. A
//! process that leaves the group escapes, and is not waited for. Where there are no process groups only the leader is ended.

use tokio::process::{Child, Command};

/// The group that a child leads. What is left of it is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

#[cfg(unix)]
impl Group {
    /// Has `command` start a group.
    pub(super) fn prepare(command: &mut Command) {
        command.process_group(0);
    }

    /// The group of `child`, which has not been waited for.
    pub(super) fn of(child: &Child) -> Group {
        let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
        Group { leader }
    }

    /// Waits until the leader has ended, without taking its exit status: as long as that is there, the number of the group
    /// is not reused.
    pub(super) async fn leader_ended(&self, _: &mut Child) {
        use rustix::process::{WaitId, WaitIdOptions, waitid};
        let Some(leader) = self.leader else { return };
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
        let waiting = tokio::task::spawn_blocking(move || {
            while matches!(waitid(WaitId::Pid(leader), options), Err(rustix::io::Errno::INTR)) {}
        });
        let _ = waiting.await;
    }

    /// Asks the group to end.
    pub(super) fn terminate(&self) {
        self.send(rustix::process::Signal::TERM);
    }

    /// Kills what is left of the group.
    pub(super) fn kill(&self) {
        self.send(rustix::process::Signal::KILL);
    }

    fn send(&self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader {
            // That no process is left is no fault.
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    /// Nothing is left, and the number may soon be another group's.
    pub(super) fn over(mut self) {
        self.leader = None;
    }
}

#[cfg(unix)]
impl Drop for Group {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(not(unix))]
impl Group {
    pub(super) fn prepare(_: &mut Command) {}

    pub(super) fn of(_: &Child) -> Group {
        Group {}
    }

    pub(super) async fn leader_ended(&self, child: &mut Child) {
        let _ = child.wait().await;
    }

    /// There is no asking: the child is killed when it is dropped.
    pub(super) fn terminate(&self) {}

    pub(super) fn kill(&self) {}

    pub(super) fn over(self) {}
}

//! How many files and connections this process may have open: as many as the system lets it, within reason.
//!
//! The usual limit of 1024 is for programs that know no more than that; who asks many registries at once, or is many
//! registries, needs more and may have it (`getrlimit(2)`: the soft limit can be raised to the hard one).

use crate::limits;

/// Raises the limit. Where that is refused, what is there is made do with.
#[cfg(unix)]
pub(super) fn raise() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let wanted = maximum.map_or(limits::OPEN_FILES, |maximum| maximum.min(limits::OPEN_FILES));
    if current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), maximum });
    }
}

#[cfg(not(unix))]
pub(super) fn raise() {
    let _ = limits::OPEN_FILES;
}

/// Whether a program can begin at all: what watches over signals and connections does not fail, but breaks down.
///
/// # Errors
/// There are too few open files.
#[cfg(unix)]
pub(super) fn check() -> std::io::Result<()> {
    // So many pairs of connections it takes to heed signals.
    let pairs: std::io::Result<Vec<_>> = (0..4).map(|_| std::os::unix::net::UnixStream::pair()).collect();
    pairs.map(drop)
}

#[cfg(not(unix))]
pub(super) fn check() -> std::io::Result<()> {
    Ok(())
}

/// Of `jobs` cases at a time, as many as the limit has room for; at least one.
#[cfg(unix)]
pub(super) fn cases_at_a_time(jobs: usize) -> usize {
    use rustix::process::{Resource, getrlimit};

    let Some(limit) = getrlimit(Resource::Nofile).current else { return jobs };
    let room = limit.saturating_sub(limits::OPEN_FILES_OF_A_RUN) / limits::OPEN_FILES_OF_A_CASE;
    jobs.min(usize::try_from(room).unwrap_or(usize::MAX)).max(1)
}

#[cfg(not(unix))]
pub(super) fn cases_at_a_time(jobs: usize) -> usize {
    jobs
}

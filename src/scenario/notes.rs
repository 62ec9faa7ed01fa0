//! What is said while cases run, beside their results: what a registry that is there anyway will see, and what takes long.
//!
//! Nothing is printed here: the caller that runs the cases is told, and knows where to say it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// How many examples a note names.
const NAMED: usize = 5;

/// Something that is said while cases run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Note {
    /// Before anything is written: what will be written to a registry that is not a scenario's own.
    Writes {
        /// Everything lies below this.
        place: String,
        /// How many cases write there.
        cases: usize,
        /// The repositories, with how many tags each.
        repositories: Vec<(String, u64)>,
    },
    /// All that was written there is gone again.
    Deleted {
        /// Everything lay below this.
        place: String,
        /// How many manifests were deleted.
        manifests: usize,
        /// How many blobs the registry would not delete. It collects them itself, as nothing names them.
        blobs_left: usize,
    },
    /// Something stays there.
    Left {
        /// Everything lies below this.
        place: String,
        /// What stays, and why.
        manifests: Vec<(String, String)>,
    },
    /// Containers are slow to go, or will not.
    ContainersLeft {
        /// Which, and why.
        why: String,
    },
    /// A case is still running.
    Slow {
        /// Which.
        case: String,
        /// For how long.
        since: Duration,
    },
}

impl Note {
    /// Whether it says that something is not as it should be.
    pub fn is_warning(&self) -> bool {
        matches!(self, Note::Left { .. } | Note::ContainersLeft { .. })
    }
}

/// A sentence; names are as they are, so that it has to be escaped for a terminal.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Writes { place, cases, repositories } => {
                let noun = if *cases == 1 { "case" } else { "cases" };
                write!(
                    f,
                    "{cases} {noun} will push images and signatures below {place}/, and nowhere else, and delete them at \
                     the end; a tag that exists is not written over",
                )?;
                for (repository, tags) in repositories.iter().take(NAMED) {
                    let tags = if *tags == 1 { "1 tag".to_owned() } else { format!("{tags} tags") };
                    write!(f, "\n  {repository} ({tags})")?;
                }
                more(f, repositories.len(), "repositories")
            }
            Note::Deleted { place, manifests, blobs_left } => {
                write!(f, "deleted what was pushed below {place}/: {manifests} manifests; no manifest is left there")?;
                match blobs_left {
                    0 => Ok(()),
                    left => write!(f, "; {left} blobs that nothing names are left to the registry's own collection"),
                }
            }
            Note::Left { place, manifests } => {
                let count = manifests.len();
                write!(f, "{count} manifests below {place}/ could not be deleted, and stay until you delete them:")?;
                for (manifest, why) in manifests.iter().take(NAMED) {
                    write!(f, "\n  {manifest}: {why}")?;
                }
                more(f, count, "manifests")
            }
            Note::ContainersLeft { why } => {
                write!(f, "{why}; what is still there at the end of the run is removed after it, or by the next run")
            }
            Note::Slow { case, since } => write!(f, "SLOW {case} has been running for {} s", since.as_secs()),
        }
    }
}

fn more(f: &mut fmt::Formatter<'_>, count: usize, what: &str) -> fmt::Result {
    match count.saturating_sub(NAMED) {
        0 => Ok(()),
        more => write!(f, "\n  and {more} more {what}"),
    }
}

/// Who is told.
#[derive(Clone, Default)]
pub struct Notes(Option<Arc<dyn Fn(Note) + Send + Sync>>);

impl Notes {
    /// Tells `listener`, on whatever thread.
    pub fn to(listener: impl Fn(Note) + Send + Sync + 'static) -> Notes {
        Notes(Some(Arc::new(listener)))
    }

    pub(super) fn tell(&self, note: Note) {
        if let Some(listener) = &self.0 {
            listener(note);
        }
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Notes").field(&self.0.is_some()).finish()
    }
}

//! What the lists of a source say beside names, and what can be wrong with them.

use crate::reference::Repository;
use crate::trouble::Trouble;

/// One thing that a list of tags says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagEntry {
    /// A tag.
    Tag(String),
    /// A repository below this one. Some registries have no catalog, and say so what there is.
    Below(Repository),
    /// So many manifests of the repository have no tag.
    Untagged(u64),
}

/// Trouble with a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{trouble}")]
pub struct ListTrouble {
    /// What happened.
    pub trouble: Trouble,
    /// How much of the list it concerns.
    pub extent: Extent,
}

/// How much of a list trouble concerns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extent {
    /// One entry, that is no name, with its text if it has one. The list goes on after it.
    Entry(Option<String>),
    /// One entry that names what lies below, and is no repository, with that name if it has one. The list goes on after it.
    Below(Option<String>),
    /// The whole list: nothing of it is known.
    Whole,
    /// The whole list: the registry says that it knows no such repository. One that it lists is an empty one.
    Unknown,
    /// What follows what was given out: at least so many names.
    Rest(u64),
}

impl ListTrouble {
    /// Trouble with `extent` of a list.
    pub fn new(trouble: Trouble, extent: Extent) -> ListTrouble {
        ListTrouble { trouble, extent }
    }

    /// Whether the list goes on after it.
    pub fn goes_on(&self) -> bool {
        matches!(self.extent, Extent::Entry(_) | Extent::Below(_))
    }
}

impl From<Trouble> for ListTrouble {
    /// The whole list could not be had.
    fn from(trouble: Trouble) -> ListTrouble {
        ListTrouble { trouble, extent: Extent::Whole }
    }
}

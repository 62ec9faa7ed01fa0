//! Targets: what an audit is pointed at.

use std::fmt;
use std::path::PathBuf;

use crate::reference::{Reference, Repository};

/// One thing to audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every tag of every repository of a registry's catalog.
    Registry(String),
    /// Every tag of a repository.
    Repository(Repository),
    /// One artifact.
    Artifact(Reference),
    /// An OCI layout, whole or one entry of it.
    Layout {
        /// Where it is.
        path: PathBuf,
        /// Directory or archive.
        form: LayoutForm,
        /// The name or digest of the one entry that is asked for.
        entry: Option<String>,
    },
}

/// How an OCI layout is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LayoutForm {
    /// A directory.
    Directory,
    /// A tar archive, compressed with gzip or not.
    Archive,
}

impl Target {
    /// The full reference that the user wrote for the entry of a layout: it says which repository the entry belongs to,
    /// whatever the layout says.
    pub fn written_reference(&self) -> Option<Reference> {
        match self {
            Target::Layout { entry: Some(entry), .. } => entry.parse().ok(),
            _ => None,
        }
    }
}

impl LayoutForm {
    /// The word before the colon in a target, as skopeo writes it.
    pub fn prefix(self) -> &'static str {
        match self {
            LayoutForm::Directory => "oci",
            LayoutForm::Archive => "oci-archive",
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Registry(host) => f.write_str(host),
            Target::Repository(repository) => write!(f, "{repository}"),
            Target::Artifact(reference) => write!(f, "{reference}"),
            Target::Layout { path, form, entry } => {
                write!(f, "{}:{}", form.prefix(), path.display())?;
                entry.as_ref().map_or(Ok(()), |entry| write!(f, ":{entry}"))
            }
        }
    }
}

//! Targets: what an audit is pointed at.

use std::fmt;
use std::path::{Path, PathBuf};

use super::kinds::TargetKind;
use crate::reference::{Reference, Repository};

/// One thing to audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// Every tag of every repository of a registry's catalog.
    Registry(String),
    /// Every tag of every repository below this one in the catalog; not its own.
    Namespace(Repository),
    /// Every tag of a repository.
    Repository(Repository),
    /// One artifact.
    Artifact(Reference),
    /// Something that lies in files, whole or one entry of it.
    Layout {
        /// Where the files are.
        path: PathBuf,
        /// What kind of files.
        kind: &'static TargetKind,
        /// The name or digest of the one entry that is asked for.
        entry: Option<String>,
    },
}

impl Target {
    /// Everything in the OCI layout that is the directory at `path`.
    pub fn layout(path: impl Into<PathBuf>) -> Target {
        Target::Layout { path: path.into(), kind: &TargetKind::DIRECTORY, entry: None }
    }

    /// What lies at `path` in files of this kind: one entry of it, or all.
    pub fn files(kind: &'static TargetKind, path: impl Into<PathBuf>, entry: Option<String>) -> Target {
        Target::Layout { path: path.into(), kind, entry }
    }

    /// The full reference that the user wrote for the entry of a layout: it says which repository the entry belongs to,
    /// whatever the layout says.
    pub fn written_reference(&self) -> Option<Reference> {
        match self {
            Target::Layout { entry: Some(entry), .. } => entry.parse().ok(),
            _ => None,
        }
    }

    /// The host of the registry that it is in.
    pub fn host(&self) -> Option<&str> {
        match self {
            Target::Registry(host) => Some(host),
            Target::Namespace(repository) | Target::Repository(repository) => Some(repository.host()),
            Target::Artifact(reference) => Some(reference.repository.host()),
            Target::Layout { .. } => None,
        }
    }

    /// The kind of the target and where it lies, if it is in no registry.
    pub fn in_files(&self) -> Option<(&'static TargetKind, &Path)> {
        match self {
            Target::Layout { path, kind, .. } => Some((kind, path)),
            _ => None,
        }
    }

    /// Whether the target names one artifact.
    pub fn is_single(&self) -> bool {
        matches!(self, Target::Artifact(_) | Target::Layout { entry: Some(_), .. })
    }

    /// Whether the target names an artifact of a registry by a tag, which can be moved.
    pub fn is_tag(&self) -> bool {
        matches!(self, Target::Artifact(reference) if reference.digest.is_none())
    }

    /// Whether names inside it say which repository it belongs to.
    pub fn is_named_inside(&self) -> bool {
        self.in_files().is_some_and(|(kind, _)| kind.names_inside) && self.written_reference().is_none()
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Registry(host) => f.write_str(host),
            Target::Namespace(repository) => write!(f, "{repository}/"),
            Target::Repository(repository) => write!(f, "{repository}"),
            Target::Artifact(reference) => write!(f, "{reference}"),
            Target::Layout { path, kind, entry } => {
                write!(f, "{}:{}", kind.prefix, path.display())?;
                entry.as_ref().map_or(Ok(()), |entry| write!(f, ":{entry}"))
            }
        }
    }
}

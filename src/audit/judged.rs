//! One line of an audit: an artifact and what became of it.

use super::kinds::TargetKind;
use crate::digest::Digest;
use crate::evidence::Evidence;
use crate::failure::{Code, Failure};
use crate::reference::Reference;
use crate::trouble::{Trouble, TroubleKind};
use crate::verify::{Outcome, Pending, Verdict};

/// A judged artifact.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Judged {
    /// The repository by whose name the policy was asked, or the target itself if the repository is not known.
    pub repository: String,
    /// What was asked for: `host/path:tag`, `oci:DIR:name` …
    pub reference: String,
    /// The artifact's digest; `None` when it could not even be resolved.
    pub digest: Option<Digest>,
    /// The media type of its manifest, as served.
    pub media_type: Option<String>,
    /// The platform, for a manifest of an image index that states one.
    pub platform: Option<String>,
    /// The digest of the image index it was judged as a part of.
    pub part_of: Option<Digest>,
    /// The digest of the manifest it is attached to, for what is judged as attached to another artifact.
    pub attached_to: Option<Digest>,
    /// The artifact type that its manifest states, for what is judged as attached to another artifact.
    pub artifact_type: Option<String>,
    /// Who says which repository it belongs to, where that is not the registry it came from.
    pub repository_from: Option<RepositoryFrom>,
    /// Of an image index, what it lists.
    pub lists: Option<ListedManifests>,
    /// Whether it is no artifact but a place that could not be looked at in full: a registry, a repository, a layout.
    pub place: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// What the artifact was judged from, where that is kept and the artifact could be resolved.
    pub evidence: Option<Box<Evidence>>,
}

/// Who says which repository, and by that which statement of the policy, an artifact of a layout belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryFrom {
    /// The user, for everything in layouts.
    Scope,
    /// The user, by the full reference in the target.
    Reference,
    /// The author of the layout, by a name inside it.
    Layout,
}

/// The manifests that an image index lists, at every depth, each once; those apart that say they attest a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedManifests {
    /// How many there are.
    pub count: u64,
    /// Whether there may be more: an index inside could not be read, or there are more than are counted.
    pub more: bool,
}

impl Judged {
    /// No result came for `reference`, which would be a defect of ours.
    pub(crate) fn lost(reference: &Reference) -> Judged {
        Judged {
            outcome: internal_fault(),
            ..unresolved(reference.repository.to_string(), reference.to_string(), lost())
        }
    }

    /// The result of a blob, called by its path.
    pub(crate) fn of_blob(path: String, outcome: Outcome) -> Judged {
        Judged { outcome, ..unresolved(path.clone(), path, lost()) }
    }
}

/// What could not be resolved, called `reference`, for the reason `trouble`.
pub(super) fn unresolved(repository: String, reference: String, trouble: Trouble) -> Judged {
    Judged {
        repository,
        reference,
        digest: None,
        media_type: None,
        platform: None,
        part_of: None,
        attached_to: None,
        artifact_type: None,
        repository_from: None,
        lists: None,
        place: false,
        outcome: undecided(trouble.into()),
        evidence: None,
    }
}

/// What could not be listed or opened: a place, or an entry of a layout, for the reason `trouble`.
pub(super) fn unlisted(place: String, trouble: Trouble) -> Judged {
    Judged { place: is_place(&place), ..unresolved(place.clone(), place, trouble) }
}

/// Whether a name is that of a registry, a repository or a layout, and not of one artifact there.
fn is_place(name: &str) -> bool {
    let in_files = TargetKind::of(name);
    let last = |path: &str| path.rsplit('/').next().is_some_and(|last| last.contains(':'));
    !match in_files {
        Some((_, path)) => path.contains('@') || last(path),
        None => name.contains('@') || name.contains('/') && last(name),
    }
}

pub(super) fn lost() -> Trouble {
    Trouble::new(TroubleKind::NotFound, "the artifact was lost on the way")
}

/// A panic in Muster: a defect, and no verdict.
pub(super) fn internal_fault() -> Outcome {
    undecided(Failure::new(Code::InternalFault, "internal error while this artifact was judged"))
}

/// Selecting ended before its time at `place`: a panic of a source or of a caller's stream, or a defect.
pub(super) fn not_all_selected(place: String) -> Judged {
    let message =
        format!("internal error while artifacts of {place} were selected: there may be more than were judged");
    let outcome = undecided(Failure::new(Code::InternalFault, message));
    Judged { outcome, ..unlisted(place, lost()) }
}

pub(super) fn undecided(failure: Failure) -> Outcome {
    Outcome {
        statement: None,
        level: None,
        verdict: Verdict::Error,
        failure: Some(failure),
        signatures: Vec::new(),
        pending: Pending::default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_repositories_and_layouts_are_places() {
        for (name, place) in [
            ("a.io", true),
            ("127.0.0.1:5000", true),
            ("127.0.0.1:5000/b", true),
            ("a.io/b/c", true),
            ("oci:layout", true),
            ("oci-archive:./a/layout.tar", true),
            ("a.io/b:v1", false),
            ("127.0.0.1:5000/b:v1", false),
            ("a.io/b@sha256:00", false),
            ("oci:layout:v1", false),
            ("oci:./a/layout@sha256:00", false),
        ] {
            assert_eq!(is_place(name), place, "{name}");
        }
    }
}

//! The kinds of registry that are met, and all in which they differ.

use super::indexed::Indexed;

/// What kind of registry it is, seen from a client that looks for signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Flavour {
    /// OCI distribution specification 1.1: the referrers API lists by the manifest's own artifact type.
    #[default]
    Current,
    /// Before 1.1: no referrers API. Clients keep the list themselves, under the tag of the referrers tag schema.
    WithoutReferrers,
    /// The release candidate of 1.1 as `oras-project/registry` 1.0.0-rc.4 has it. Its referrers API always answers,
    /// takes the configuration's media type for the artifact type, so that signatures of the newer form are not found
    /// by it, pages by ten, and does not list indexes. It does not tell a client that it knows the subject.
    ReleaseCandidate,
}

/// The media types that the release candidate allows a subject to have.
const SUBJECT_MEDIA_TYPES: &[&str] = crate::manifest::MANIFEST_MEDIA_TYPES;

impl Flavour {
    /// Whether there is a referrers API.
    pub(super) fn has_referrers(self) -> bool {
        self != Flavour::WithoutReferrers
    }

    /// Whether the answer to a push says `OCI-Subject`.
    pub(super) fn confirms_subject(self) -> bool {
        self == Flavour::Current
    }

    /// Whether the referrers API lists this manifest.
    pub(super) fn lists(self, manifest: &Indexed) -> bool {
        match self {
            Flavour::Current => true,
            Flavour::WithoutReferrers => false,
            Flavour::ReleaseCandidate => !manifest.is_index,
        }
    }

    /// The artifact type under which the referrers API lists this manifest.
    pub(super) fn artifact_type(self, manifest: &Indexed) -> Option<&str> {
        let own = manifest.artifact_type.as_deref();
        let configured = manifest.config_media_type.as_deref();
        match self {
            Flavour::ReleaseCandidate => configured.or(own),
            Flavour::Current | Flavour::WithoutReferrers => own.or(configured),
        }
    }

    /// Whether a manifest with this subject may be pushed.
    pub(super) fn takes_subject(self, manifest: &Indexed) -> bool {
        match (self, &manifest.subject) {
            (Flavour::ReleaseCandidate, Some(_)) => manifest
                .subject_media_type
                .as_deref()
                .is_some_and(|media_type| SUBJECT_MEDIA_TYPES.contains(&media_type)),
            _ => true,
        }
    }

    /// How many referrers a page holds: what the options say, else what the request says, else the flavour's own.
    pub(super) fn referrers_page(self, configured: Option<usize>, asked: Option<usize>) -> usize {
        let (usual, most) = match self {
            Flavour::ReleaseCandidate => (10, 100),
            Flavour::Current | Flavour::WithoutReferrers => (usize::MAX, usize::MAX),
        };
        configured.or(asked).unwrap_or(usual).clamp(1, most)
    }
}

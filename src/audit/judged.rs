//! One line of an audit: an artifact and what became of it.

use crate::digest::Digest;
use crate::verify::Outcome;

/// A judged artifact.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The repository by whose name the policy was asked, or what stands for it where there is none.
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
    /// Who says which repository it belongs to, where that is not the registry it came from.
    pub repository_from: Option<RepositoryFrom>,
    /// Of an image index, what it lists.
    pub lists: Option<ListedManifests>,
    /// What became of it.
    pub outcome: Outcome,
}

/// Who says which repository, and by that which statement of the policy, an artifact of a layout belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepositoryFrom {
    /// The user, for everything in layouts.
    Scope,
    /// The user, by the full reference in the target.
    Reference,
    /// A name inside the layout: whoever made it.
    Layout,
}

/// The manifests that an image index lists, at every depth, each once; those apart that say they attest a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedManifests {
    /// How many there are.
    pub count: u64,
    /// Whether there may be more: an index inside could not be read, or there are more than are counted.
    pub more: bool,
}

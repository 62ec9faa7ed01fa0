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
    /// What became of it.
    pub outcome: Outcome,
}

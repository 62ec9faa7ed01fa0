//! A reference that was selected, with where to ask for it.

use std::sync::Arc;

use super::judged::RepositoryFrom;
use crate::reference::Reference;
use crate::source::ArtifactSource;

/// A reference to judge, and where to ask for it.
#[derive(Clone)]
pub struct Selected {
    /// Where the artifact is.
    pub source: Arc<dyn ArtifactSource>,
    /// What to ask the source for.
    pub reference: Reference,
    /// What reports call it.
    pub label: String,
    /// Who says which repository it belongs to, where that is not the registry it comes from.
    pub repository_from: Option<RepositoryFrom>,
    /// Whether a list of tags named it, and not the user: a list may hold what is no artifact.
    pub listed: bool,
}

impl Selected {
    /// The artifact that a user named by `reference`.
    pub(crate) fn named(source: Arc<dyn ArtifactSource>, reference: Reference) -> Selected {
        let label = reference.to_string();
        Selected { source, reference, label, repository_from: None, listed: false }
    }
}

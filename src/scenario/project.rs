//! What scenarios are read with: where their project begins, and the policy that a run puts in the place of theirs.

use std::path::Path;
use std::sync::Arc;

use super::policy_path::Root;
use crate::policy::TrustPolicy;

/// What scenarios are read with. By default each knows the root of its own project, and keeps its policies.
#[derive(Debug, Clone, Default)]
pub struct Project {
    pub(super) root: Option<Root>,
    pub(super) policy: Option<Arc<TrustPolicy>>,
}

impl Project {
    /// The same, where scenarios may name files below `folder`, and nowhere else.
    ///
    /// # Errors
    /// It is no folder.
    pub fn with_root(self, folder: &Path) -> Result<Project, String> {
        Ok(Project { root: Some(Root::named(folder)?), ..self })
    }

    /// The same, where everything is judged by `policy`, whatever scenarios say.
    pub fn with_policy(self, policy: TrustPolicy) -> Project {
        Project { policy: Some(Arc::new(policy)), ..self }
    }
}

//! Which manifests of an image index are judged with it.

use crate::manifest::Platform;

/// The platforms that are wanted, as `os/architecture` or `os/architecture/variant`; none given means all.
#[derive(Debug, Clone, Default)]
pub struct Platforms(pub Vec<String>);

impl Platforms {
    /// Whether a manifest for `platform` is wanted. One that states no platform is wanted only where all are.
    pub fn want(&self, platform: Option<&Platform>) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let Some(platform) = platform else { return false };
        let full = platform.to_string();
        let plain = format!("{}/{}", platform.os, platform.architecture);
        self.0.iter().any(|wanted| *wanted == full || *wanted == plain)
    }
}

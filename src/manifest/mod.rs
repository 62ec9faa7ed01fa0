//! Manifests as registries serve them: image manifests, image indexes, and the oldest artifact manifests.

mod descriptor;

pub use descriptor::Descriptor;

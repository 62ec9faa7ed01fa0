//! What a scenario has put where: artifacts by the name that steps use, with their parts and what refers to them.

use std::collections::HashMap;

use super::plan::Content;
use super::scalar::ArtifactName;
use crate::digest::Digest;
use crate::forge::{Artifact, Blob};
use crate::manifest::Descriptor;

/// The architectures of the images of an index, in the order in which the forge writes them.
const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "s390x", "riscv64"];

/// Everything that was pushed, by name.
#[derive(Debug, Default)]
pub(super) struct Inventory(HashMap<ArtifactName, Vec<Item>>);

/// An artifact in a repository.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) tag: String,
    pub(super) whole: Artifact,
    /// The images of an index, by platform.
    pub(super) images: Vec<(String, Artifact)>,
    /// What was attached, by name.
    pub(super) attachments: Vec<(String, Artifact)>,
    /// Everything that refers to it or to its parts, in the order in which it was pushed.
    pub(super) referrers: Vec<Referrer>,
}

/// Something that refers to something.
#[derive(Debug, Clone)]
pub(super) struct Referrer {
    pub(super) subject: Digest,
    pub(super) artifact: Artifact,
    pub(super) is_signature: bool,
}

impl Inventory {
    /// Notes what was pushed as `name`.
    pub(super) fn put(&mut self, name: &ArtifactName, items: Vec<Item>) {
        self.0.insert(whole(name), items);
    }

    /// Forgets what was pushed as `name`.
    pub(super) fn remove(&mut self, name: &ArtifactName) {
        self.0.remove(&whole(name));
    }

    /// What was pushed as `name`; nothing if nothing was.
    pub(super) fn get(&self, name: &ArtifactName) -> &[Item] {
        self.0.get(&whole(name)).map(Vec::as_slice).unwrap_or_default()
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, name: &ArtifactName) -> &mut [Item] {
        self.0.get_mut(&whole(name)).map(Vec::as_mut_slice).unwrap_or_default()
    }
}

impl Item {
    /// A new artifact, different from that of every other `identity`.
    pub(super) fn new(tag: String, identity: &str, content: Content) -> Item {
        let (whole, images) = match content {
            Content::Image { padding } => (padded(Artifact::image(identity), padding), Vec::new()),
            Content::Index(number) => {
                let images: Vec<(String, Artifact)> = ARCHITECTURES
                    .iter()
                    .take(number)
                    .map(|architecture| {
                        (format!("linux/{architecture}"), Artifact::image(&format!("{identity} {architecture}")))
                    })
                    .collect();
                let index = Artifact::index(&images.iter().map(|(_, image)| image).collect::<Vec<_>>());
                (index, images)
            }
        };
        Item { tag, whole, images, attachments: Vec::new(), referrers: Vec::new() }
    }

    /// The artifact itself, or one of its parts.
    pub(super) fn part(&self, part: Option<&str>) -> Option<&Artifact> {
        let Some(part) = part else { return Some(&self.whole) };
        let parts = self.images.iter().chain(&self.attachments);
        parts.into_iter().find(|(name, _)| name == part).map(|(_, artifact)| artifact)
    }

    /// The signatures of `subject`, in the order in which they were pushed.
    pub(super) fn signatures(&self, subject: &Descriptor) -> impl Iterator<Item = &Referrer> {
        let subject = subject.digest;
        self.referrers.iter().filter(move |referrer| referrer.is_signature && referrer.subject == subject)
    }

    /// What goes before the artifact itself when it is pushed.
    pub(super) fn manifests_below(&self) -> impl Iterator<Item = &Artifact> {
        self.images.iter().map(|(_, image)| image)
    }
}

fn whole(name: &ArtifactName) -> ArtifactName {
    ArtifactName { part: None, ..name.clone() }
}

/// The artifact, its manifest longer by `padding` bytes of blanks.
fn padded(artifact: Artifact, padding: usize) -> Artifact {
    if padding == 0 {
        return artifact;
    }
    let mut bytes = artifact.manifest.bytes;
    bytes.resize(bytes.len() + padding, b' ');
    Artifact { manifest: Blob::new(&artifact.manifest.descriptor.media_type, bytes), blobs: artifact.blobs }
}

//! What a scenario has put where: artifacts by the name that steps use, with their parts and what refers to them.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::aliases::Aliases;
use super::scalar::ArtifactName;
use super::steps::Content;
use super::world::{RunningRegistry, World};
use crate::digest::Digest;
use crate::forge::{Artifact, Blob};
use crate::manifest::Descriptor;

/// The architectures of the images of an index, in the order in which they stand in it.
pub(super) const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "s390x", "riscv64"];

/// How many artifacts are pushed at a time.
pub(super) const AT_A_TIME: usize = 16;

/// Everything that was pushed, by name.
#[derive(Debug, Default)]
pub(super) struct Inventory(Aliases<Vec<Item>>);

/// An artifact in a repository.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Of many, what stands behind the tag: `-1`, `-2` …
    pub(super) suffix: String,
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
        self.0.put(name, items);
    }

    /// Notes that `to`, in the same repository, names from now on what `name` does.
    pub(super) fn alias(&mut self, name: &ArtifactName, to: &ArtifactName) {
        self.0.add(name, to);
    }

    /// Forgets what was pushed as `name`, under every name.
    pub(super) fn remove(&mut self, name: &ArtifactName) {
        self.0.remove(name);
    }

    /// What was pushed as `name`; nothing if nothing was.
    pub(super) fn get(&self, name: &ArtifactName) -> &[Item] {
        self.0.get(name).map(Vec::as_slice).unwrap_or_default()
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, name: &ArtifactName) -> &mut [Item] {
        self.0.get_mut(name).map(Vec::as_mut_slice).unwrap_or_default()
    }
}

impl Item {
    /// A new artifact, different from that of every other `identity`.
    pub(super) fn new(suffix: String, identity: &str, content: Content) -> Item {
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
        Item { suffix, whole, images, attachments: Vec::new(), referrers: Vec::new() }
    }

    /// Its tag under `name`.
    pub(super) fn tag(&self, name: &ArtifactName) -> String {
        format!("{}{}", name.reference.tag.as_deref().unwrap_or_default(), self.suffix)
    }

    /// The artifact itself, or one of its parts.
    pub(super) fn part(&self, part: Option<&str>) -> Option<&Artifact> {
        let Some(part) = part else { return Some(&self.whole) };
        let parts = self.images.iter().chain(&self.attachments);
        parts.into_iter().find(|(name, _)| name == part).map(|(_, artifact)| artifact)
    }

    /// Notes that a signature of it, or of the part of this name, was pushed.
    pub(super) fn add_signature(&mut self, part: Option<&str>, artifact: Artifact) {
        let subject = self.part(part).map(|part| part.descriptor().digest);
        self.referrers.extend(subject.map(|subject| Referrer { subject, artifact, is_signature: true }));
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

impl World {
    /// The registry of an artifact, and the path of its repository there.
    pub(super) fn place(&self, name: &ArtifactName) -> Result<(&RunningRegistry, String), String> {
        let repository = &name.reference.repository;
        Ok((self.registry(repository.host())?, repository.path().to_owned()))
    }

    /// Of the artifacts called `name`, the one at `position`.
    pub(super) fn item(&self, name: &ArtifactName, position: usize) -> Result<&Item, String> {
        self.inventory.get(name).get(position).ok_or_else(|| format!("there is no {name}"))
    }

    /// The descriptors of the artifacts called `name`, or of the part that it names.
    pub(super) fn subjects(&self, name: &ArtifactName) -> Result<Vec<Descriptor>, String> {
        let part = |item: &Item| item.part(name.part.as_deref()).map(|part| part.descriptor().clone());
        let subjects: Option<Vec<Descriptor>> = self.inventory.get(name).iter().map(part).collect();
        subjects.ok_or_else(|| format!("there is no {name}"))
    }

    /// Of the artifact at `position`, the signature of this number, counted from 0.
    pub(super) fn signature(&self, name: &ArtifactName, position: usize, number: usize) -> Result<&Artifact, String> {
        let item = self.item(name, position)?;
        let part = item.part(name.part.as_deref()).ok_or_else(|| format!("there is no {name}"))?;
        let mut signatures = item.signatures(part.descriptor());
        let count = item.signatures(part.descriptor()).count();
        let found = signatures.nth(number).map(|referrer| &referrer.artifact);
        found.ok_or_else(|| format!("{name} has {count} signatures, counted from 0, and none is number {number}"))
    }
}

/// Pushes artifacts as `name`, the images of an index before the index.
pub(super) async fn push_items(world: &World, name: &ArtifactName, items: &[Item]) -> Result<(), String> {
    let (registry, repository) = world.place(name)?;
    let pushes = items.iter().map(|item| async {
        for image in item.manifests_below() {
            registry.push(&repository, None, image).await?;
        }
        registry.push(&repository, Some(&item.tag(name)), &item.whole).await
    });
    stream::iter(pushes.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).try_collect::<()>().await
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

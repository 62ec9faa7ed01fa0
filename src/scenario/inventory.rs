//! What a scenario has put where: artifacts by the name that steps use, with their parts and what refers to them.

use std::ops::Range;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;

use super::aliases::Aliases;
use super::kept::Kept;
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
    pub(super) whole: Kept,
    /// The images of an index, by platform.
    pub(super) images: Vec<(String, Kept)>,
    /// What was attached, by name.
    pub(super) attachments: Vec<(String, Kept)>,
    /// Everything that refers to it or to its parts, in the order in which it was pushed.
    pub(super) referrers: Vec<Referrer>,
}

/// Something that refers to something.
#[derive(Debug, Clone)]
pub(super) struct Referrer {
    pub(super) subject: Digest,
    pub(super) artifact: Kept,
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
        let images = images.into_iter().map(|(platform, image)| (platform, image.into())).collect();
        Item { suffix, whole: whole.into(), images, attachments: Vec::new(), referrers: Vec::new() }
    }

    /// Its tag under `name`.
    pub(super) fn tag(&self, name: &ArtifactName) -> String {
        format!("{}{}", name.reference.tag.as_deref().unwrap_or_default(), self.suffix)
    }

    /// The artifact itself, or one of its parts.
    pub(super) fn part(&self, part: Option<&str>) -> Option<&Kept> {
        let Some(part) = part else { return Some(&self.whole) };
        let parts = self.images.iter().chain(&self.attachments);
        parts.into_iter().find(|(name, _)| name == part).map(|(_, artifact)| artifact)
    }

    /// Notes that a signature of it, or of the part of this name, was pushed.
    pub(super) fn add_signature(&mut self, part: Option<&str>, artifact: Kept) {
        let subject = self.part(part).map(Kept::digest);
        self.referrers.extend(subject.map(|subject| Referrer { subject, artifact, is_signature: true }));
    }

    /// The signatures of `subject`, in the order in which they were pushed.
    pub(super) fn signatures(&self, subject: Digest) -> impl Iterator<Item = &Referrer> {
        self.referrers.iter().filter(move |referrer| referrer.is_signature && referrer.subject == subject)
    }

    /// The same, its content shared with the registry that it was pushed to, where that one holds it in this process.
    fn shared_with(self, registry: &RunningRegistry, repository: &str) -> Item {
        let shared = |kept: Kept| registry.shared(repository, kept);
        Item {
            whole: shared(self.whole),
            images: self.images.into_iter().map(|(platform, image)| (platform, shared(image))).collect(),
            ..self
        }
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

    /// Of the artifacts called `name`, or of the part that it names, the descriptors of those at `positions`.
    pub(super) fn subjects(&self, name: &ArtifactName, positions: Range<usize>) -> Result<Vec<Descriptor>, String> {
        let part = |item: &Item| item.part(name.part.as_deref()).map(Kept::descriptor);
        let items = self.inventory.get(name).get(positions).unwrap_or_default();
        let subjects: Option<Vec<Descriptor>> = items.iter().map(part).collect();
        subjects.ok_or_else(|| format!("there is no {name}"))
    }

    /// The same of all that are called `name`.
    pub(super) fn all_subjects(&self, name: &ArtifactName) -> Result<Vec<Descriptor>, String> {
        self.subjects(name, 0..self.inventory.get(name).len())
    }

    /// Of the artifact at `position`, the signature of this number, counted from 0.
    pub(super) fn signature(&self, name: &ArtifactName, position: usize, number: usize) -> Result<&Kept, String> {
        let item = self.item(name, position)?;
        let part = item.part(name.part.as_deref()).ok_or_else(|| format!("there is no {name}"))?;
        let mut signatures = item.signatures(part.digest());
        let count = item.signatures(part.digest()).count();
        let found = signatures.nth(number).map(|referrer| &referrer.artifact);
        found.ok_or_else(|| format!("{name} has {count} signatures, counted from 0, and none is number {number}"))
    }
}

/// Pushes artifacts as `name`, the images of an index before the index, each as soon as it is made: what they are from now on.
pub(super) async fn push_items(
    world: &World,
    name: &ArtifactName,
    items: impl ExactSizeIterator<Item = Item>,
) -> Result<Vec<Item>, String> {
    let (registry, repository) = world.place(name)?;
    let repository = repository.as_str();
    some_at_a_time(items.map(|item| async {
        for (_, image) in &item.images {
            registry.push(repository, None, &image.artifact()?).await?;
        }
        registry.push(repository, Some(&item.tag(name)), &item.whole.artifact()?).await?;
        Ok(item.shared_with(registry, repository))
    }))
    .await
}

/// Awaits what `work` hands out, [`AT_A_TIME`] at a time, and no more of it once something has failed: what came of each, in
/// its order.
pub(super) async fn some_at_a_time<T>(
    mut work: impl ExactSizeIterator<Item: Future<Output = Result<T, String>>>,
) -> Result<Vec<T>, String> {
    let mut done = Vec::with_capacity(work.len());
    let mut begun: FuturesOrdered<_> = work.by_ref().take(AT_A_TIME).collect();
    while let Some(one) = begun.next().await {
        done.push(one?);
        begun.extend(work.next());
    }
    Ok(done)
}

/// The artifact, its manifest longer by `padding` bytes of blanks.
fn padded(artifact: Artifact, padding: usize) -> Artifact {
    if padding == 0 {
        return artifact;
    }
    let mut bytes = artifact.manifest.bytes.to_vec();
    bytes.resize(bytes.len() + padding, b' ');
    Artifact { manifest: Blob::new(&artifact.manifest.descriptor.media_type, bytes), blobs: artifact.blobs }
}

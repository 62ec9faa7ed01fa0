//! An artifact with everything below it and everything that refers to it, collected from a source to be brought into a
//! scenario, or into its folder.
//!
//! Follows the OCI image specification (indexes and manifests) and the OCI distribution specification (referrers). Bytes stay
//! as they are; the source has hashed them. Blobs that are long, and layers that are not wanted or do not fit, are left out:
//! no verification reads layers. It refuses to hold a part of what refers to the artifact: where a source cannot say what
//! all of that is, or does not hold it, that is an error.

use std::collections::{BTreeMap, HashMap, HashSet};

use bytes::Bytes;

use super::inventory::{Item, Referrer};
use super::kept::Kept;
use crate::digest::Digest;
use crate::forge::{Artifact, Blob};
use crate::limits;
use crate::manifest::{self, Descriptor, ManifestKind};
use crate::reference::{Reference, Repository};
use crate::source::{ArtifactSource, Manifest};
use crate::trouble::{Trouble, TroubleKind};

/// Whether layers of images are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layers {
    /// Those that are not long, as far as they fit.
    Kept,
    /// None.
    LeftOut,
}

/// An artifact with everything that belongs to it.
#[derive(Debug)]
pub(super) struct WholeArtifact {
    /// In an order in which a registry takes them: what a manifest lists goes before it, what refers to it behind.
    pub(super) members: Vec<Member>,
    /// What they name that is not here.
    pub(super) left_out: Vec<Descriptor>,
}

/// A manifest with its blobs.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) artifact: Artifact,
    pub(super) role: Role,
}

/// Why a manifest belongs to the artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Role {
    /// It is the artifact.
    Itself,
    /// An index lists it, for this platform where it states one.
    Listed(Option<String>),
    /// It refers to another manifest.
    Refers { subject: Digest, artifact_type: String, is_signature: bool },
}

/// What was found so far.
struct Collector<'s> {
    source: &'s dyn ArtifactSource,
    repository: &'s Repository,
    layers: Layers,
    /// How many bytes there is room for.
    room: u64,
    found: Vec<Found>,
    seen: HashSet<Digest>,
    blobs: HashMap<Digest, Option<Blob>>,
    left_out: BTreeMap<Digest, Descriptor>,
}

struct Found {
    member: Member,
    /// What an index lists: manifests, with their platforms.
    below: Vec<(Descriptor, Option<String>)>,
}

impl Member {
    /// Whether it refers to another manifest.
    pub(super) fn refers(&self) -> bool {
        matches!(self.role, Role::Refers { .. })
    }
}

impl WholeArtifact {
    /// Collects the artifact that `reference` names in `source`, with what `referrers` there are if these are wanted. The error
    /// is one sentence.
    pub(super) async fn collect(
        source: &dyn ArtifactSource,
        reference: &Reference,
        referrers: bool,
        layers: Layers,
    ) -> Result<WholeArtifact, String> {
        let found = source.manifest(reference).await.map_err(said)?;
        let manifest = found.ok_or_else(|| format!("there is no {reference}"))?;
        let mut collector = Collector {
            source,
            repository: &reference.repository,
            layers,
            room: limits::IMPORT_BYTES,
            found: Vec::new(),
            seen: HashSet::new(),
            blobs: HashMap::new(),
            left_out: BTreeMap::new(),
        };
        collector.add(manifest, Role::Itself).await?;
        let mut next = 0;
        while next < collector.found.len() {
            collector.follow_index(next).await?;
            if referrers {
                collector.follow_referrers(next).await?;
            }
            next += 1;
        }
        Ok(collector.ordered())
    }

    /// As steps know it: manifests of an index are called by their platform, or by their digest where that is not theirs
    /// alone; what is attached by its artifact type, with a number behind it from the second on.
    pub(super) fn item(self) -> Result<Item, String> {
        let mut item = None;
        let (mut images, mut attachments, mut referrers) = (Vec::new(), Vec::new(), Vec::new());
        let mut names = HashSet::new();
        for Member { artifact, role } in self.members {
            let artifact = Kept::from(artifact);
            match role {
                Role::Itself => item = Some(artifact),
                Role::Listed(platform) => {
                    let name = platform.filter(|platform| names.insert(platform.clone()));
                    images.push((name.unwrap_or_else(|| artifact.digest().to_string()), artifact));
                }
                Role::Refers { subject, artifact_type, is_signature } => {
                    if !is_signature {
                        let numbered = |number: usize| match number {
                            1 => artifact_type.clone(),
                            _ => format!("{artifact_type}-{number}"),
                        };
                        let name = (1..).map(numbered).find(|name| names.insert(name.clone()));
                        attachments.push((name.unwrap_or_default(), artifact.clone()));
                    }
                    referrers.push(Referrer { subject, artifact, is_signature });
                }
            }
        }
        let whole = item.ok_or_else(|| "the artifact itself is missing".to_owned())?;
        Ok(Item { suffix: String::new(), whole, images, attachments, referrers })
    }
}

impl Collector<'_> {
    /// Adds a manifest with its blobs.
    async fn add(&mut self, manifest: Manifest, role: Role) -> Result<(), String> {
        let Manifest { descriptor, bytes } = manifest;
        let bytes = own(bytes);
        if self.found.len() >= limits::IMPORT_MANIFESTS {
            return Err(format!("it has more than {} manifests", limits::IMPORT_MANIFESTS));
        }
        self.take(bytes.len() as u64)?;
        self.seen.insert(descriptor.digest);
        // One that cannot be read is brought in all the same, as what it is.
        let kind = manifest::parse(&bytes, &descriptor.media_type).unwrap_or(ManifestKind::Other);
        let (mut below, mut wanted) = (Vec::new(), Vec::new());
        match &kind {
            ManifestKind::Image(image) => {
                wanted.push((image.config.clone(), false));
                wanted.extend(image.layers.iter().map(|layer| (layer.clone(), kind.may_run())));
            }
            ManifestKind::Artifact(artifact) => wanted.extend(artifact.blobs.iter().map(|blob| (blob.clone(), false))),
            ManifestKind::Index(index) => {
                for entry in &index.manifests {
                    match manifest::MANIFEST_MEDIA_TYPES.contains(&entry.descriptor.media_type.as_str()) {
                        true => {
                            let platform = entry.platform.as_ref().map(ToString::to_string);
                            below.push((entry.descriptor.clone(), platform));
                        }
                        false => wanted.push((entry.descriptor.clone(), true)),
                    }
                }
            }
            ManifestKind::Other => {}
        }
        let mut blobs = Vec::new();
        for (blob, is_layer) in wanted {
            blobs.extend(self.blob(blob, is_layer).await?);
        }
        let artifact = Artifact { manifest: Blob { descriptor, bytes }, blobs };
        self.found.push(Found { member: Member { artifact, role }, below });
        Ok(())
    }

    /// A blob, unless it is left out or not there.
    async fn blob(&mut self, descriptor: Descriptor, is_layer: bool) -> Result<Option<Blob>, String> {
        let Descriptor { digest, size, .. } = descriptor;
        if let Some(known) = self.blobs.get(&digest) {
            let known = known.clone();
            self.take(known.as_ref().map_or(0, |blob| blob.bytes.len() as u64))?;
            return Ok(known);
        }
        let unwanted = is_layer && (self.layers == Layers::LeftOut || size > self.room);
        let read = match unwanted || size > limits::IMPORT_BLOB_BYTES {
            true => None,
            false => {
                self.take(size)?;
                self.source.blob(self.repository, &descriptor, limits::IMPORT_BLOB_BYTES).await.map_err(said)?
            }
        };
        if read.is_none() {
            self.left_out.insert(digest, descriptor.clone());
        }
        let blob = read.map(|bytes| Blob { descriptor, bytes: own(bytes) });
        self.blobs.insert(digest, blob.clone());
        Ok(blob)
    }

    /// Adds what the index at `position` lists. A copy of an index may lack what it lists for other platforms.
    async fn follow_index(&mut self, position: usize) -> Result<(), String> {
        for (descriptor, platform) in self.found[position].below.clone() {
            if self.seen.contains(&descriptor.digest) {
                continue;
            }
            match self.source.listed_manifest(self.repository, &descriptor.digest).await {
                Ok(Some(manifest)) => self.add(manifest, Role::Listed(platform)).await?,
                // A layout says by its trouble that it lacks what it lists itself.
                Ok(None) | Err(Trouble { kind: TroubleKind::ContentMissing, .. }) => {
                    self.left_out.insert(descriptor.digest, descriptor);
                }
                Err(trouble) => return Err(said(trouble)),
            }
        }
        Ok(())
    }

    /// Adds what refers to the manifest at `position`.
    async fn follow_referrers(&mut self, position: usize) -> Result<(), String> {
        let subject = self.found[position].member.artifact.descriptor().digest;
        let known = self.source.all_referrers(self.repository, &subject).await.map_err(said)?;
        if let Some(doubt) = known.doubt {
            return Err(format!("not everything that refers to {subject} is known: {}", doubt.message));
        }
        for listed in known.listed.into_iter().chain(known.others) {
            if self.seen.contains(&listed.digest) {
                continue;
            }
            let found = self.source.listed_manifest(self.repository, &listed.digest).await.map_err(said)?;
            let mut manifest = found
                .ok_or_else(|| format!("{} is listed as referring to {subject}, but is not there", listed.digest))?;
            let Ok(kind) = manifest::parse(&manifest.bytes, &manifest.descriptor.media_type) else { continue };
            // A list may name what refers to something else.
            if kind.subject().is_none_or(|named| named.digest != subject) {
                continue;
            }
            let artifact_type = kind.artifact_type().map(str::to_owned).or(listed.artifact_type);
            let is_signature = manifest::is_signature(&kind);
            // Who pushes it to a registry that lists nothing lists it by this.
            manifest.descriptor.artifact_type.clone_from(&artifact_type);
            manifest.descriptor.annotations = listed.annotations;
            let artifact_type = artifact_type.unwrap_or_else(|| "attachment".to_owned());
            let role = Role::Refers { subject, artifact_type, is_signature };
            self.add(manifest, role).await?;
        }
        Ok(())
    }

    /// Takes the room of so many bytes.
    fn take(&mut self, bytes: u64) -> Result<(), String> {
        let full = || format!("it has more than {} bytes without its layers", limits::IMPORT_BYTES);
        self.room = self.room.checked_sub(bytes).ok_or_else(full)?;
        Ok(())
    }

    /// All of it, each manifest behind what it lists.
    fn ordered(self) -> WholeArtifact {
        let positions: HashMap<Digest, usize> = (self.found.iter().enumerate())
            .map(|(position, found)| (found.member.artifact.descriptor().digest, position))
            .collect();
        let mut order = Vec::new();
        let mut begun = HashSet::new();
        for start in 0..self.found.len() {
            // Each with whether what it lists was seen to.
            let mut left = vec![(start, false)];
            while let Some((position, seen_to)) = left.pop() {
                if seen_to {
                    order.push(position);
                } else if begun.insert(position) {
                    left.push((position, true));
                    let below = self.found[position].below.iter().rev();
                    left.extend(below.filter_map(|(below, _)| Some((*positions.get(&below.digest)?, false))));
                }
            }
        }
        let mut found: Vec<Option<Member>> = self.found.into_iter().map(|found| Some(found.member)).collect();
        let members = order.into_iter().filter_map(|position| found[position].take()).collect();
        WholeArtifact { members, left_out: self.left_out.into_values().collect() }
    }
}

/// The bytes without their share of what a source may hold at a time: who waits for another one must hold none, and all of
/// these are held. [`limits::IMPORT_BYTES`] is their bound.
fn own(bytes: Bytes) -> Bytes {
    Bytes::copy_from_slice(&bytes)
}

fn said(trouble: Trouble) -> String {
    trouble.message
}

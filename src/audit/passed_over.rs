//! What a list of tags names, and what is no artifact by itself: a registry's lists of referrers (OCI distribution
//! specification, *Referrers Tag Schema*), the tags of cosign, the caches of buildkit and the provenance of Helm charts. They
//! are kept for other artifacts or for builds; they are not signed.
//!
//! A name is never enough, since an image may have such a tag. A list of referrers is passed over only if every
//! manifest in it names as its subject the digest in the tag, and none can be run; a tag of cosign only if it holds what
//! cosign writes, by its name and by how it begins; a cache that is an index only if nothing in it is a manifest. Everything else is judged like any tag. What is
//! passed over is counted by kind, and judged all the same where the user says so ([`Also`](super::also::Also)).

use std::collections::{HashSet, VecDeque};

use super::selected::Selected;
use super::{build_cache, cosign_tag};
use crate::digest::Digest;
use crate::limits;
use crate::manifest::{self, IMAGE_MANIFEST, ImageIndex, ManifestKind};
use crate::trouble::{Trouble, TroubleKind};

/// What is passed over, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedOver {
    /// A manifest of an image index that attests how another one was built.
    BuildAttestation,
    /// A tag under which cosign keeps signatures, attestations or lists of contents of another artifact.
    CosignTag,
    /// A tag under which the registry lists what refers to another artifact.
    ReferrersList,
    /// A cache that builds keep in the registry.
    BuildCache,
    /// The provenance of a Helm chart, kept apart from the chart.
    HelmProvenance,
    /// A manifest of a layout that has no name there and refers to another one: a signature, or something attached.
    Referrer,
    /// The same, where what it refers to is not in the layout.
    StrayReferrer,
    /// A signature of another system, found among what is attached to an artifact.
    ForeignSignature,
    /// A manifest that an image index or a list of referrers lists, and that is not there: not every platform was copied.
    AbsentManifest,
}

/// How much was passed over, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PassedOverCounts {
    /// See [`PassedOver::BuildAttestation`].
    pub build_attestations: u64,
    /// See [`PassedOver::CosignTag`].
    pub cosign_tags: u64,
    /// See [`PassedOver::ReferrersList`].
    pub referrers_lists: u64,
    /// See [`PassedOver::BuildCache`].
    pub build_caches: u64,
    /// See [`PassedOver::HelmProvenance`].
    pub helm_provenance: u64,
    /// See [`PassedOver::Referrer`] and [`PassedOver::StrayReferrer`].
    pub referrers: u64,
    /// See [`PassedOver::ForeignSignature`].
    pub other_signatures: u64,
    /// See [`PassedOver::AbsentManifest`].
    pub absent_manifests: u64,
}

impl PassedOverCounts {
    pub(super) fn add(&mut self, kind: PassedOver, count: u64) {
        let counter = match kind {
            PassedOver::BuildAttestation => &mut self.build_attestations,
            PassedOver::CosignTag => &mut self.cosign_tags,
            PassedOver::ReferrersList => &mut self.referrers_lists,
            PassedOver::BuildCache => &mut self.build_caches,
            PassedOver::HelmProvenance => &mut self.helm_provenance,
            PassedOver::Referrer | PassedOver::StrayReferrer => &mut self.referrers,
            PassedOver::ForeignSignature => &mut self.other_signatures,
            PassedOver::AbsentManifest => &mut self.absent_manifests,
        };
        *counter += count;
    }
}

/// What a selected manifest may be that is passed over, as far as it and its tag say. Holds little of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Apparent {
    /// What cosign keeps under such a tag, if its first layer, which is this, is a document.
    Cosign(Digest),
    /// A list of referrers, if all of these refer to what its tag says.
    ReferrersList(Vec<Digest>),
    /// A build cache, if none of these is a manifest.
    BuildCache(Vec<Digest>),
    /// The provenance of a Helm chart.
    HelmProvenance,
}

impl Apparent {
    /// What `content`, served as `media_type`, appears to be. What the user named is always judged.
    pub(super) fn of(selected: &Selected, content: &ManifestKind, media_type: &str) -> Option<Apparent> {
        if !selected.listed {
            return None;
        }
        let by_tag = selected.reference.tag.as_deref().and_then(|tag| Apparent::of_tag(tag, content));
        by_tag.or_else(|| match content {
            ManifestKind::Index(index) if index.may_be_build_cache() => {
                let mut listed = Asked::default();
                listed.add(index, false);
                Some(Apparent::BuildCache(listed.left.into_iter().map(|(digest, _)| digest).collect()))
            }
            // Of Docker's manifests, some tools run what has any configuration.
            ManifestKind::Image(_) if media_type == IMAGE_MANIFEST => match content {
                cache if cache.is_build_cache() => Some(Apparent::BuildCache(Vec::new())),
                provenance if provenance.is_helm_provenance() => Some(Apparent::HelmProvenance),
                _ => None,
            },
            _ => None,
        })
    }

    /// What `content` appears to be that only tags of this form have.
    fn of_tag(tag: &str, content: &ManifestKind) -> Option<Apparent> {
        if let Some((digest, ending)) = tag.split_once('.') {
            let cosign = Digest::is_referrers_tag(digest) && content.is_cosign(ending);
            return match content {
                ManifestKind::Image(image) if cosign => {
                    image.layers.first().map(|layer| Apparent::Cosign(layer.digest))
                }
                _ => None,
            };
        }
        match content {
            // The registry's own list refers to nothing, and says of no entry on what it runs.
            ManifestKind::Index(index)
                if Digest::is_referrers_tag(tag)
                    && index.subject.is_none()
                    && index.manifests.iter().all(|entry| entry.platform.is_none()) =>
            {
                let mut listed = Asked::default();
                listed.add(index, true);
                Some(Apparent::ReferrersList(listed.left.into_iter().map(|(digest, _)| digest).collect()))
            }
            _ => None,
        }
    }

    /// The digest that its tag says cosign has signed, if it is such a signature.
    pub(super) fn signed_by_cosign(&self, selected: &Selected) -> Option<Digest> {
        match self {
            Apparent::Cosign(_) => {
                let digest = selected.reference.tag.as_deref()?.strip_suffix(".sig")?;
                digest.replacen('-', ":", 1).parse().ok()
            }
            _ => None,
        }
    }

    /// As what it is passed over, if it is what it appears to be.
    pub(super) fn kind(&self) -> PassedOver {
        match self {
            Apparent::Cosign(_) => PassedOver::CosignTag,
            Apparent::ReferrersList(_) => PassedOver::ReferrersList,
            Apparent::BuildCache(_) => PassedOver::BuildCache,
            Apparent::HelmProvenance => PassedOver::HelmProvenance,
        }
    }

    /// Whether the artifact is passed over, and as what. Trouble leaves open whether it is what it appears to be.
    pub(super) async fn passed_over(self, selected: &Selected) -> Result<Option<PassedOver>, Trouble> {
        let kind = self.kind();
        let is_it = match (self, selected.reference.tag.as_deref()) {
            (Apparent::HelmProvenance, _) => true,
            (Apparent::Cosign(first_layer), _) => cosign_tag::holds_documents(selected, first_layer).await?,
            (Apparent::ReferrersList(listed), Some(tag)) => lists_referrers(selected, tag, listed).await?,
            (Apparent::ReferrersList(_), None) => false,
            (Apparent::BuildCache(listed), _) => build_cache::lists_no_manifest(selected, listed).await?,
        };
        Ok(is_it.then_some(kind))
    }
}

/// The manifests that are asked to whom they refer, each once. One more than may be asked is kept, and none beyond it: that
/// is enough to see that there are too many.
#[derive(Debug, Default)]
struct Asked {
    seen: HashSet<Digest>,
    left: VecDeque<(Digest, bool)>,
}

impl Asked {
    fn add(&mut self, index: &ImageIndex, refers: bool) {
        index.manifests.iter().for_each(|entry| self.add_one(entry.descriptor.digest, refers));
    }

    fn add_one(&mut self, digest: Digest, refers: bool) {
        if self.seen.len() <= limits::INDEX_MANIFESTS && self.seen.insert(digest) {
            self.left.push_back((digest, refers));
        }
    }
}

/// Whether all that is `listed` refers to the digest in `tag`, and nothing of it can be run: every manifest is fetched and
/// asked.
async fn lists_referrers(selected: &Selected, tag: &str, listed: Vec<Digest>) -> Result<bool, Trouble> {
    let mut list = Asked::default();
    listed.into_iter().for_each(|digest| list.add_one(digest, true));
    let mut asked = 0;
    while let Some((digest, refers)) = list.left.pop_front() {
        asked += 1;
        if asked > limits::INDEX_MANIFESTS {
            let message = format!(
                "whether it is the list of referrers that its tag says is not known: it lists more than {} manifests",
                limits::INDEX_MANIFESTS
            );
            return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
        }
        let repository = &selected.reference.repository;
        let listed = match selected.source.listed_manifest(repository, &digest).await {
            Ok(Some(listed)) => listed,
            // What is not there cannot be run.
            Ok(None) => continue,
            Err(trouble) if is_absent(&trouble) => continue,
            Err(trouble) => {
                let message =
                    format!("whether it is the list of referrers that its tag says is not known: {}", trouble.message);
                return Err(Trouble::new(trouble.kind, message));
            }
        };
        let Ok(content) = manifest::parse(&listed.bytes, &listed.descriptor.media_type) else { return Ok(false) };
        if refers && content.subject().map(|subject| subject.digest.referrers_tag()).as_deref() != Some(tag) {
            return Ok(false);
        }
        match content {
            // An index may be attached as well. Then nothing in it can be run either.
            ManifestKind::Index(inner) => {
                if inner.manifests.iter().any(|entry| entry.platform.is_some()) {
                    return Ok(false);
                }
                list.add(&inner, false);
            }
            other if other.may_run() => return Ok(false),
            _ => {}
        }
    }
    Ok(true)
}

/// Whether trouble says that a listed manifest is not there, and nothing worse.
pub(super) fn is_absent(trouble: &Trouble) -> bool {
    matches!(trouble.kind, TroubleKind::NotFound | TroubleKind::ContentMissing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::{Descriptor, IMAGE_MANIFEST, IndexEntry};

    #[test]
    fn no_more_manifests_are_remembered_than_are_asked() {
        let index = |from: usize| ImageIndex {
            manifests: (from..from + 800)
                .map(|number| {
                    let digest = Digest::sha256(&number.to_be_bytes());
                    IndexEntry { descriptor: Descriptor::new(IMAGE_MANIFEST, digest, 1), platform: None }
                })
                .collect(),
            subject: None,
            artifact_type: None,
            annotations: std::collections::BTreeMap::new(),
        };
        let mut list = Asked::default();
        for number in 0..8 {
            list.add(&index(number * 400), number == 0);
        }
        assert_eq!((list.seen.len(), list.left.len()), (limits::INDEX_MANIFESTS + 1, limits::INDEX_MANIFESTS + 1));
        assert_eq!(list.left.iter().filter(|(_, refers)| *refers).count(), 800);
    }
}

//! What a list of tags names, and what is no artifact by itself: a registry's lists of referrers (OCI distribution
//! specification, *Referrers Tag Schema*) and the tags of cosign. Both are kept for other artifacts; nobody signs them.
//!
//! A name is never enough, since anybody may give an image such a tag. A list of referrers is passed over only if every
//! manifest in it names as its subject the digest in the tag, and none can be run; a tag of cosign only if it holds what
//! cosign writes. Everything else is judged like any tag. What is passed over is counted by kind.

use std::collections::{HashSet, VecDeque};

use super::selected::Selected;
use crate::digest::Digest;
use crate::limits;
use crate::manifest::{self, ImageIndex, ManifestKind};
use crate::source::{Trouble, TroubleKind};

/// What is passed over, by kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassedOver {
    /// A manifest of an image index that attests how another one was built.
    BuildAttestation,
    /// A tag under which cosign keeps signatures, attestations or lists of contents of another artifact.
    CosignTag,
    /// A tag under which the registry lists what refers to another artifact.
    ReferrersList,
    /// A manifest of a layout that has no name there and refers to another one: a signature, or something attached.
    Referrer,
    /// A manifest that an image index lists, and that is not there: not every platform was copied.
    AbsentManifest,
}

/// How much was passed over, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PassedOverCounts {
    /// See [`PassedOver::BuildAttestation`].
    pub build_attestations: u64,
    /// See [`PassedOver::CosignTag`].
    pub cosign_tags: u64,
    /// See [`PassedOver::ReferrersList`].
    pub referrers_lists: u64,
    /// See [`PassedOver::Referrer`].
    pub referrers: u64,
    /// See [`PassedOver::AbsentManifest`].
    pub absent_manifests: u64,
}

impl PassedOverCounts {
    pub(super) fn add(&mut self, kind: PassedOver, count: u64) {
        let counter = match kind {
            PassedOver::BuildAttestation => &mut self.build_attestations,
            PassedOver::CosignTag => &mut self.cosign_tags,
            PassedOver::ReferrersList => &mut self.referrers_lists,
            PassedOver::Referrer => &mut self.referrers,
            PassedOver::AbsentManifest => &mut self.absent_manifests,
        };
        *counter += count;
    }
}

/// Whether a selected manifest is passed over, and as what. What the user named is always judged. Trouble leaves open
/// whether it is a list of referrers.
pub(super) async fn passed_over(selected: &Selected, content: &ManifestKind) -> Result<Option<PassedOver>, Trouble> {
    let Some(tag) = selected.reference.tag.as_deref().filter(|_| selected.listed) else { return Ok(None) };
    if let Some((digest, ending)) = tag.split_once('.') {
        let cosign = Digest::is_referrers_tag(digest) && content.is_cosign(ending);
        return Ok(cosign.then_some(PassedOver::CosignTag));
    }
    match content {
        ManifestKind::Index(index) if Digest::is_referrers_tag(tag) => {
            let lists = lists_referrers(selected, tag, index).await?;
            Ok(lists.then_some(PassedOver::ReferrersList))
        }
        _ => Ok(None),
    }
}

/// Whether `index` lists what refers to the digest in `tag`, and nothing else: every manifest in it is fetched and asked.
async fn lists_referrers(selected: &Selected, tag: &str, index: &ImageIndex) -> Result<bool, Trouble> {
    // The registry's own list refers to nothing, and says of no entry on what it runs.
    if index.subject.is_some() || index.manifests.iter().any(|entry| entry.platform.is_some()) {
        return Ok(false);
    }
    let mut seen = HashSet::new();
    let mut left = VecDeque::new();
    let listed = index.manifests.iter().map(|entry| (entry.descriptor.digest, true));
    left.extend(listed.filter(|(digest, _)| seen.insert(*digest)));
    let mut asked = 0;
    while let Some((digest, refers)) = left.pop_front() {
        asked += 1;
        if asked > limits::INDEX_MANIFESTS {
            let message = format!(
                "whether it is the list of referrers that its tag says is not known: it lists more than {} manifests",
                limits::INDEX_MANIFESTS
            );
            return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
        }
        let reference = selected.reference.repository.at(digest);
        let listed = match selected.source.manifest(&reference).await {
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
        let content = manifest::parse(&listed.bytes, &listed.descriptor.media_type);
        drop(listed);
        let Ok(content) = content else { return Ok(false) };
        if refers && content.subject().map(|subject| subject.digest.referrers_tag()).as_deref() != Some(tag) {
            return Ok(false);
        }
        match content {
            // An index may be attached as well. Then nothing in it can be run either.
            ManifestKind::Index(inner) => {
                if inner.manifests.iter().any(|entry| entry.platform.is_some()) {
                    return Ok(false);
                }
                let inside = inner.manifests.iter().map(|entry| (entry.descriptor.digest, false));
                left.extend(inside.take(limits::INDEX_MANIFESTS + 1).filter(|(digest, _)| seen.insert(*digest)));
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

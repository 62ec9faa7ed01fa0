//! What a scenario keeps of an artifact that lies in a registry, small, so that a hundred thousand can be kept: digests,
//! names that are written once, and the content, which is shared with an embedded registry wherever that holds it.
//!
//! Descriptors (OCI image specification, *Descriptors*) are made again from what is kept. Of blobs only what pushing and
//! tampering need is kept: annotations of theirs are not.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::digest::Digest;
use crate::forge::registry::HeldContent;
use crate::forge::{Artifact, Blob};
use crate::manifest::Descriptor;

/// The media types and artifact types that nearly all artifacts of scenarios have.
const USUAL: [&str; 11] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.artifact.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.empty.v1+json",
    "application/vnd.cncf.notary.signature",
    "application/jose+json",
    "application/cose",
    "application/octet-stream",
    "application/spdx+json",
];

/// A name; a usual one takes no memory of its own.
type Name = Cow<'static, str>;

/// An artifact that was pushed.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    media_type: Name,
    artifact_type: Option<Name>,
    size: u64,
    annotations: BTreeMap<String, String>,
    manifest: Arc<HeldContent>,
    blobs: Box<[(Name, Arc<HeldContent>)]>,
}

impl Kept {
    /// The digest of its manifest.
    pub(super) fn digest(&self) -> Digest {
        *self.manifest.digest()
    }

    /// The descriptor of its manifest.
    pub(super) fn descriptor(&self) -> Descriptor {
        Descriptor {
            media_type: self.media_type.to_string(),
            digest: self.digest(),
            size: self.size,
            artifact_type: self.artifact_type.as_ref().map(Name::to_string),
            annotations: self.annotations.clone(),
        }
    }

    /// The artifact itself, as it was made.
    ///
    /// # Errors
    /// Its content is in a file that cannot be read.
    pub(super) fn artifact(&self) -> Result<Artifact, String> {
        let unreadable = |error| format!("the content of {} cannot be read again: {error}", self.digest());
        let blob = |(media_type, content): &(Name, Arc<HeldContent>)| {
            let bytes = content.bytes().map_err(unreadable)?;
            let descriptor = Descriptor::new(media_type.as_ref(), *content.digest(), bytes.len() as u64);
            Ok::<Blob, String>(Blob { descriptor, bytes })
        };
        Ok(Artifact {
            manifest: Blob { descriptor: self.descriptor(), bytes: self.manifest.bytes().map_err(unreadable)? },
            blobs: self.blobs.iter().map(blob).collect::<Result<_, _>>()?,
        })
    }

    /// The same, with the content that `held` has in the place of its own copy.
    pub(super) fn shared(mut self, held: impl Fn(&Digest) -> Option<Arc<HeldContent>>) -> Kept {
        for content in self.blobs.iter_mut().map(|(_, content)| content).chain([&mut self.manifest]) {
            if let Some(held) = held(content.digest()) {
                *content = held;
            }
        }
        self
    }
}

impl From<Artifact> for Kept {
    fn from(Artifact { manifest, blobs }: Artifact) -> Kept {
        let Descriptor { media_type, size, artifact_type, annotations, .. } = manifest.descriptor;
        let held = |bytes| Arc::new(HeldContent::new(bytes));
        Kept {
            media_type: name(media_type),
            artifact_type: artifact_type.map(name),
            size,
            annotations,
            manifest: held(manifest.bytes),
            blobs: blobs.into_iter().map(|blob| (name(blob.descriptor.media_type), held(blob.bytes))).collect(),
        }
    }
}

fn name(text: String) -> Name {
    match USUAL.into_iter().find(|usual| *usual == text) {
        Some(usual) => Name::Borrowed(usual),
        None => Name::Owned(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::SignatureManifest;

    #[test]
    fn an_artifact_is_had_again_as_it_was_made() {
        let image = Artifact::image("net-monitor");
        let index = Artifact::index(&[&image]);
        let content = Blob::new("text/plain", "notes");
        let mut attachment = Artifact::attachment(image.descriptor(), "application/x-notes", content);
        attachment.manifest.descriptor.annotations.insert("note".to_owned(), "of the list of referrers".to_owned());
        let signature = |form| {
            let (subject, notes) = (image.descriptor(), BTreeMap::new());
            Artifact::annotated_signature(form, subject, "application/cose", b"envelope", &[vec![1]], notes)
        };
        let signatures = SignatureManifest::ALL.map(signature);
        for artifact in [image.clone(), index, attachment].into_iter().chain(signatures) {
            let kept = Kept::from(artifact.clone());
            assert_eq!(
                (kept.digest(), kept.descriptor()),
                (artifact.descriptor().digest, artifact.descriptor().clone())
            );
            assert_eq!(kept.artifact().unwrap(), artifact);
            let shared = kept.shared(|digest| {
                let mut blobs = artifact.blobs.iter().chain([&artifact.manifest]);
                let found = blobs.find(|blob| blob.descriptor.digest == *digest);
                found.map(|blob| Arc::new(HeldContent::new(blob.bytes.clone())))
            });
            assert_eq!(shared.artifact().unwrap(), artifact);
        }
    }
}

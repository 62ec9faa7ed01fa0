//! The manifest that ties a signature to its artifact, in each of its three forms.
//!
//! Follows the OCI image specification and *signature-specification*, OCI Signatures.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::statement::{annotations, descriptor};
use crate::digest::Digest;
use crate::manifest::Descriptor;

pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
const OLDEST: &str = "application/vnd.oci.artifact.manifest.v1+json";
const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SIGNATURE: &str = "application/vnd.cncf.notary.signature";
const THUMBPRINT: &str = "io.cncf.notary.x509chain.thumbprint#S256";

/// Some content with its descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What it is.
    pub descriptor: Descriptor,
    /// The content; clones share it.
    pub bytes: Bytes,
}

/// A manifest with everything that it refers to, to be put into a registry or a layout.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// The manifest itself.
    pub manifest: Blob,
    /// Its config and layers. Manifests that an index lists are not among them.
    pub blobs: Vec<Blob>,
}

/// The form of a signature manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureManifest {
    /// An image manifest with `artifactType` and the empty config.
    ArtifactType,
    /// An image manifest whose `config.mediaType` says what it is.
    ConfigMediaType,
    /// An artifact manifest, from before OCI 1.1 was final.
    Oldest,
}

impl SignatureManifest {
    /// Every form.
    pub const ALL: [SignatureManifest; 3] =
        [SignatureManifest::ArtifactType, SignatureManifest::ConfigMediaType, SignatureManifest::Oldest];
}

impl Blob {
    /// `bytes` as `media_type`.
    pub fn new(media_type: &str, bytes: impl Into<Vec<u8>>) -> Blob {
        let bytes = Bytes::from(bytes.into());
        let descriptor = Descriptor {
            media_type: media_type.to_owned(),
            digest: Digest::sha256(&bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations: BTreeMap::new(),
        };
        Blob { descriptor, bytes }
    }

    /// The empty config of OCI 1.1.
    pub(crate) fn empty() -> Blob {
        Blob::new(EMPTY, *b"{}")
    }
}

impl Artifact {
    /// The signature of `subject`: `envelope` of `media_type`, made by the key of `chain` (certificates in DER), in one of
    /// the three forms. `notes` are further annotations; the specification's own replace those of the same name.
    pub fn annotated_signature(
        form: SignatureManifest,
        subject: &Descriptor,
        media_type: &str,
        envelope: &[u8],
        chain: &[Vec<u8>],
        mut notes: BTreeMap<String, String>,
    ) -> Artifact {
        let envelope = Blob::new(media_type, envelope);
        let thumbprints: Vec<String> = chain.iter().map(|certificate| Digest::sha256(certificate).hex()).collect();
        notes.insert(THUMBPRINT.to_owned(), json!(thumbprints).to_string());
        let notes = annotations(&notes);
        let layer = descriptor(&envelope.descriptor);
        let subject = reference(subject);
        let image = |config: &Blob| {
            json!({
                "schemaVersion": 2,
                "mediaType": IMAGE,
                "config": descriptor(&config.descriptor),
                "layers": [layer],
                "subject": subject,
                "annotations": notes,
            })
        };
        let mut artifact = match form {
            SignatureManifest::ArtifactType => {
                let config = Blob::empty();
                let mut manifest = image(&config);
                manifest["artifactType"] = json!(SIGNATURE);
                Artifact::of(IMAGE, &manifest, vec![config, envelope])
            }
            SignatureManifest::ConfigMediaType => {
                let config = Blob::new(SIGNATURE, *b"{}");
                Artifact::of(IMAGE, &image(&config), vec![config, envelope])
            }
            SignatureManifest::Oldest => {
                let manifest = json!({
                    "mediaType": OLDEST,
                    "artifactType": SIGNATURE,
                    "blobs": [layer],
                    "subject": subject,
                    "annotations": notes,
                });
                Artifact::of(OLDEST, &manifest, vec![envelope])
            }
        };
        artifact.manifest.descriptor.artifact_type = Some(SIGNATURE.to_owned());
        artifact
    }

    /// The descriptor of the manifest.
    pub fn descriptor(&self) -> &Descriptor {
        &self.manifest.descriptor
    }

    /// The artifact with this manifest.
    pub(crate) fn of(media_type: &str, manifest: &Value, blobs: Vec<Blob>) -> Artifact {
        Artifact { manifest: Blob::new(media_type, manifest.to_string()), blobs }
    }
}

/// A descriptor as a `subject`: media type, digest and size only.
pub(crate) fn reference(subject: &Descriptor) -> Value {
    let bare = Descriptor { artifact_type: None, annotations: BTreeMap::new(), ..subject.clone() };
    descriptor(&bare)
}

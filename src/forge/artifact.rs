//! Small artifacts: images, indexes and attachments, and signatures by a forged signer.
//!
//! Follows the OCI image specification.

use std::collections::BTreeMap;

use serde_json::json;

use super::Signer;
use crate::encode::{Artifact, Blob, IMAGE, SignatureManifest, descriptor, reference};
use crate::manifest::Descriptor;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

impl Artifact {
    /// A small image; images of different names differ.
    pub fn image(name: &str) -> Artifact {
        let config = Blob::new(
            "application/vnd.oci.image.config.v1+json",
            json!({ "architecture": "amd64", "os": "linux", "config": { "Labels": { "name": name } }, "rootfs": { "type": "layers", "diff_ids": [] } })
                .to_string(),
        );
        let layer = Blob::new("application/vnd.oci.image.layer.v1.tar", format!("layer of {name}"));
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": descriptor(&config.descriptor),
            "layers": [descriptor(&layer.descriptor)],
        });
        Artifact::of(IMAGE, &manifest, vec![config, layer])
    }

    /// An index of `images`, for Linux on ever different architectures.
    pub fn index(images: &[&Artifact]) -> Artifact {
        const ARCHITECTURES: [&str; 4] = ["amd64", "arm64", "s390x", "riscv64"];
        let entries = images.iter().zip(ARCHITECTURES.iter().cycle()).map(|(image, architecture)| {
            let mut entry = descriptor(image.descriptor());
            entry["platform"] = json!({ "architecture": architecture, "os": "linux" });
            entry
        });
        let manifest = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": entries.collect::<Vec<_>>() });
        Artifact::of(INDEX, &manifest, Vec::new())
    }

    /// Something attached to `subject`, as an SBoM.
    pub fn attachment(subject: &Descriptor, artifact_type: &str, content: Blob) -> Artifact {
        Artifact::attachment_of_layers(subject, artifact_type, vec![content])
    }

    /// Something attached to `subject` that has several layers.
    pub fn attachment_of_layers(subject: &Descriptor, artifact_type: &str, layers: Vec<Blob>) -> Artifact {
        let config = Blob::empty();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "artifactType": artifact_type,
            "config": descriptor(&config.descriptor),
            "layers": layers.iter().map(|layer| descriptor(&layer.descriptor)).collect::<Vec<_>>(),
            "subject": reference(subject),
        });
        let blobs = [config].into_iter().chain(layers).collect();
        let mut artifact = Artifact::of(IMAGE, &manifest, blobs);
        artifact.manifest.descriptor.artifact_type = Some(artifact_type.to_owned());
        artifact
    }

    /// The signature of `subject`: `envelope` of `media_type`, made by `signer`, in one of the three forms.
    pub fn signature(
        form: SignatureManifest,
        subject: &Descriptor,
        media_type: &str,
        envelope: &[u8],
        signer: &Signer,
    ) -> Artifact {
        Artifact::annotated_signature(form, subject, media_type, envelope, &signer.chain, BTreeMap::new())
    }
}

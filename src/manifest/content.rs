//! What a manifest holds, by the media types of its configuration and layers: an image that can be run, or what cosign and
//! buildkit keep beside images. A name alone (a tag, an annotation) never says it: any pusher may give an image such a
//! name.

use super::{ImageManifest, ManifestKind};

/// The media types of configurations that images have, OCI's and Docker's.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/// What the media types of file system layers begin with, OCI's and Docker's.
const FILE_SYSTEM_LAYERS: [&str; 2] = ["application/vnd.oci.image.layer.", "application/vnd.docker.image.rootfs."];
/// The layers of cosign's signatures: simple signing, and the newer bundles.
const COSIGN_SIGNATURES: [&str; 2] =
    ["application/vnd.dev.cosign.simplesigning.v1+json", "application/vnd.dev.sigstore.bundle"];
/// The layers of cosign's attestations.
const COSIGN_ATTESTATIONS: [&str; 3] =
    ["application/vnd.dsse.envelope.v1+json", IN_TOTO, "application/vnd.dev.sigstore.bundle"];
/// The layers of cosign's lists of contents, by the format of the list.
const COSIGN_SBOMS: [&str; 5] =
    ["text/spdx", "application/spdx", "application/vnd.cyclonedx", "application/vnd.syft", "application/vnd.spdx"];
/// What the media types of statements of in-toto begin with, signed or not.
const IN_TOTO: &str = "application/vnd.in-toto";

impl ManifestKind {
    /// Whether this may be run: an image with file system layers, or an index, whose manifests are not known here. Of a
    /// media type that is not known, nothing is known.
    pub fn may_run(&self) -> bool {
        match self {
            ManifestKind::Image(image) => image.may_run(),
            ManifestKind::Index(index) => !index.manifests.is_empty(),
            ManifestKind::Artifact(_) => false,
            ManifestKind::Other => true,
        }
    }

    /// Whether this is what cosign keeps under a tag with this ending (`sig`, `att`, `sbom`).
    pub fn is_cosign(&self, ending: &str) -> bool {
        let types: &[&str] = match ending {
            "sig" => &COSIGN_SIGNATURES,
            "att" => &COSIGN_ATTESTATIONS,
            "sbom" => &COSIGN_SBOMS,
            _ => return false,
        };
        matches!(self, ManifestKind::Image(image) if image.holds_only(types))
    }

    /// Whether this is an attestation of a build, as buildkit writes it: statements of in-toto and nothing else.
    pub fn is_build_attestation(&self) -> bool {
        matches!(self, ManifestKind::Image(image) if image.holds_only(&[IN_TOTO]))
    }
}

impl ImageManifest {
    fn may_run(&self) -> bool {
        let layer = |media_type: &str| FILE_SYSTEM_LAYERS.iter().any(|layer| media_type.starts_with(layer));
        IMAGE_CONFIGS.contains(&self.config.media_type.as_str())
            || self.layers.iter().any(|descriptor| layer(&descriptor.media_type))
    }

    /// Whether there are layers, and the media type of each begins with one of `types`, as a whole word.
    fn holds_only(&self, types: &[&str]) -> bool {
        let known = |media_type: &str| {
            types.iter().any(|known| {
                media_type.strip_prefix(known).is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '.', '-']))
            })
        };
        !self.layers.is_empty() && self.layers.iter().all(|layer| known(&layer.media_type))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::manifest::{Descriptor, EMPTY_CONFIG};

    fn image(config: &str, layers: &[&str]) -> ManifestKind {
        let descriptor = |media_type: &&str| Descriptor::new(*media_type, Digest::sha256(b"{}"), 2);
        ManifestKind::Image(ImageManifest {
            artifact_type: None,
            config: descriptor(&config),
            layers: layers.iter().map(descriptor).collect(),
            subject: None,
            annotations: std::collections::BTreeMap::new(),
        })
    }

    #[test]
    fn cosign_and_buildkit_are_known_by_what_they_write() {
        let config = IMAGE_CONFIGS[0];
        let layer = "application/vnd.oci.image.layer.v1.tar+gzip";
        let simple = COSIGN_SIGNATURES[0];
        for (layers, ending, expected) in [
            (&[simple][..], "sig", true),
            (&[simple, simple], "sig", true),
            (&["application/vnd.dev.sigstore.bundle.v0.3+json"], "sig", true),
            (&["application/vnd.dsse.envelope.v1+json"], "att", true),
            (&["text/spdx+json"], "sbom", true),
            (&["application/vnd.cyclonedx+xml"], "sbom", true),
            (&[simple], "att", false),
            (&[simple], "sbom", false),
            (&[simple], "", false),
            (&[simple, layer], "sig", false),
            (&[layer], "sig", false),
            (&[], "sig", false),
            (&["text/spdxes"], "sbom", false),
        ] {
            assert_eq!(image(config, layers).is_cosign(ending), expected, "{layers:?} under .{ending}");
        }
        assert!(image(config, &["application/vnd.in-toto+json"]).is_build_attestation());
        assert!(!image(config, &["application/vnd.in-toto+json", layer]).is_build_attestation());
        assert!(!image(config, &[]).is_build_attestation());
    }

    #[test]
    fn what_may_run_is_an_image() {
        let layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        assert!(image(IMAGE_CONFIGS[1], &[layer]).may_run());
        assert!(image(IMAGE_CONFIGS[0], &[]).may_run());
        assert!(image(EMPTY_CONFIG, &[layer]).may_run());
        assert!(!image(EMPTY_CONFIG, &["application/jose+json"]).may_run());
        assert!(ManifestKind::Other.may_run());
    }
}

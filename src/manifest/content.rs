//! What a manifest holds, by the media types of its configuration and layers: an image that can be run, or what cosign,
//! buildkit and Helm keep beside images and charts. A name alone (a tag, an annotation) never says it: any pusher may give an image such a
//! name.

use super::{ImageIndex, ImageManifest, ManifestKind};

/// The media types of configurations that images have, OCI's and Docker's.
const IMAGE_CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
/// The media types that some registries once gave to configurations, for which reason Docker takes them for an image's.
const IMAGE_CONFIGS_BY_MISTAKE: [&str; 3] = ["application/octet-stream", "application/json", "text/html"];
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
/// The configuration of a build cache of buildkit. No tool runs an OCI image whose configuration is of this type.
const BUILD_CACHE_CONFIG: &str = "application/vnd.buildkit.cacheconfig.v0";
/// The signature of a Helm chart by PGP.
const HELM_PROVENANCE: &str = "application/vnd.cncf.helm.chart.provenance.v1.prov";
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

    /// Whether this is a build cache, as buildkit writes it in the form of an image.
    pub fn is_build_cache(&self) -> bool {
        matches!(self, ManifestKind::Image(image) if image.config.media_type == BUILD_CACHE_CONFIG)
    }

    /// Whether this is the provenance of a Helm chart alone. A chart with its provenance beside it is a chart.
    pub fn is_helm_provenance(&self) -> bool {
        matches!(self, ManifestKind::Image(image) if image.holds_only(&[HELM_PROVENANCE])) && !self.may_run()
    }
}

impl ImageIndex {
    /// Whether this may be a build cache in the form of an index: all that it lists, it calls layers or the cache's own
    /// configuration, for no platform. What an entry says is no proof: a tool that takes the first entry runs what is there.
    pub fn may_be_build_cache(&self) -> bool {
        let of_cache = |media_type: &str| media_type == BUILD_CACHE_CONFIG || is_file_system_layer(media_type);
        !self.manifests.is_empty()
            && self.subject.is_none()
            && self.manifests.iter().all(|entry| entry.platform.is_none() && of_cache(&entry.descriptor.media_type))
    }
}

fn is_file_system_layer(media_type: &str) -> bool {
    FILE_SYSTEM_LAYERS.iter().any(|layer| media_type.starts_with(layer))
}

impl ImageManifest {
    fn may_run(&self) -> bool {
        let config = self.config.media_type.as_str();
        IMAGE_CONFIGS.contains(&config)
            || IMAGE_CONFIGS_BY_MISTAKE.contains(&config)
            || self.layers.iter().any(|layer| is_file_system_layer(&layer.media_type))
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
    fn helm_and_build_caches_are_known_by_what_they_write() {
        let chart = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";
        let config = "application/vnd.cncf.helm.config.v1+json";
        for (config, layers, expected) in [
            (config, &[HELM_PROVENANCE][..], true),
            (EMPTY_CONFIG, &[HELM_PROVENANCE], true),
            (config, &[chart, HELM_PROVENANCE], false),
            (config, &[chart], false),
            (config, &[], false),
            (IMAGE_CONFIGS[0], &[HELM_PROVENANCE], false),
            ("application/json", &[HELM_PROVENANCE], false),
        ] {
            assert_eq!(image(config, layers).is_helm_provenance(), expected, "{config} {layers:?}");
        }
        let layer = "application/vnd.oci.image.layer.v1.tar+zstd";
        assert!(image(BUILD_CACHE_CONFIG, &[layer]).is_build_cache());
        assert!(!image(IMAGE_CONFIGS[0], &[layer]).is_build_cache());
    }

    #[test]
    fn what_may_run_is_an_image() {
        let layer = "application/vnd.docker.image.rootfs.diff.tar.gzip";
        assert!(image(IMAGE_CONFIGS[1], &[layer]).may_run());
        assert!(image(IMAGE_CONFIGS[0], &[]).may_run());
        assert!(image(EMPTY_CONFIG, &[layer]).may_run());
        assert!(image("application/octet-stream", &["application/vnd.acme.layer"]).may_run());
        assert!(!image(EMPTY_CONFIG, &["application/jose+json"]).may_run());
        assert!(ManifestKind::Other.may_run());
    }
}

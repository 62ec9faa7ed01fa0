//! What a run saw and did not judge by itself: covered by the signature of an image index, or no artifact of its own.

use schemars::JsonSchema;
use serde::Serialize;

/// What was seen, and not judged by itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Aside {
    /// How many image indexes pass, and so cover the manifests that they list.
    pub covering: u64,
    /// How many manifests they cover, at every depth, build attestations apart.
    pub covered: u64,
    /// Whether they may cover more: not every index inside an index could be read, or there are more than are counted.
    pub covered_more: bool,
    /// How many manifests are listed by image indexes that do not pass, build attestations apart.
    pub not_covered: u64,
    /// Whether there may be more of them.
    pub not_covered_more: bool,
    /// What was passed over, by kind.
    pub passed_over: PassedOver,
    /// The platforms that were asked for by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformFound>,
}

/// What was passed over, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PassedOver {
    /// Manifests of image indexes that attest how others were built.
    pub build_attestations: u64,
    /// Tags under which cosign keeps what belongs to other artifacts.
    pub cosign_tags: u64,
    /// Tags under which a registry lists what refers to other artifacts.
    pub referrers_lists: u64,
    /// Build caches.
    pub build_caches: u64,
    /// Tags of the provenance of Helm charts.
    pub helm_provenance: u64,
    /// Manifests of OCI layouts that have no name there and refer to others, as signatures do.
    pub referrers: u64,
    /// Signatures of other systems that are attached to artifacts, where what is attached was judged.
    pub other_signatures: u64,
    /// Manifests that image indexes and lists of referrers list, and that are not there.
    pub absent_manifests: u64,
}

/// What was found for a platform that was asked for by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlatformFound {
    /// The platform.
    pub platform: String,
    /// How many manifests of image indexes are for it.
    pub manifests: u64,
    /// How many image indexes have none for it.
    pub indexes_without: u64,
}

impl Aside {
    pub(super) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        let or_more = |more: bool| if more { " or more" } else { "" };
        if self.covering > 0 {
            let (indexes, cover) = match self.covering {
                1 => ("1 image index that passes".to_owned(), "covers"),
                count => (format!("{count} image indexes that pass"), "cover"),
            };
            let manifests = counted(self.covered, "manifest", "manifests");
            remarks.push(format!("{indexes} {cover} {manifests}{}", or_more(self.covered_more)));
        }
        if self.not_covered > 0 {
            let (manifests, more) =
                (counted(self.not_covered, "manifest", "manifests"), or_more(self.not_covered_more));
            remarks.push(format!("not looked at: {manifests}{more} of image indexes that do not pass"));
        }
        let passed_over = &self.passed_over;
        let kinds = [
            (passed_over.build_attestations, "build attestation", "build attestations"),
            (passed_over.cosign_tags, "tag of cosign", "tags of cosign"),
            (passed_over.referrers_lists, "list of referrers", "lists of referrers"),
            (passed_over.build_caches, "build cache", "build caches"),
            (passed_over.helm_provenance, "provenance of a Helm chart", "provenances of Helm charts"),
            (passed_over.referrers, "unnamed referrer", "unnamed referrers"),
            (passed_over.other_signatures, "signature of another system", "signatures of other systems"),
            (passed_over.absent_manifests, "absent manifest", "absent manifests"),
        ];
        let kinds = kinds.iter().filter(|(count, ..)| *count > 0);
        let kinds: Vec<_> = kinds.map(|(count, one, several)| counted(*count, one, several)).collect();
        if !kinds.is_empty() {
            remarks.push(format!("passed over: {}", kinds.join(", ")));
        }
        remarks.extend(self.missing_platforms());
        remarks
    }

    /// Of each platform that was asked for by name: that there is no manifest for it, or not in every image index.
    pub fn missing_platforms(&self) -> Vec<String> {
        let missing = |found: &PlatformFound| {
            let PlatformFound { platform, manifests, indexes_without } = found;
            match (manifests, indexes_without) {
                (0, _) => Some(format!("no image index has a manifest for the platform {platform}")),
                (_, 0) => None,
                (_, without) => {
                    let without = counted(*without, "image index has", "image indexes have");
                    Some(format!("{without} no manifest for the platform {platform}"))
                }
            }
        };
        self.platforms.iter().filter_map(missing).collect()
    }
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

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
    /// What lists of repositories and tags said beside names.
    pub lists: Lists,
    /// The lists that broke off: what they did not name was not judged. Where there are any, the report is partial.
    pub incomplete_lists: IncompleteLists,
    /// The platforms that were asked for by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub platforms: Vec<PlatformFound>,
    /// How many of the unsigned artifacts, each digest of a repository once, have a signature of cosign under its tag; left out
    /// where there are too many to compare.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsigned_with_cosign: Option<u64>,
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

/// What lists of repositories and tags said beside names.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Lists {
    /// How many catalogs were read. What they do not list was not looked at.
    pub catalogs: u64,
    /// How many catalogs name no repository at all.
    pub empty_catalogs: u64,
    /// How many lists of tags were read that name something. What has no tag was not looked at.
    pub tag_lists: u64,
    /// How many repositories hold no tags, or are listed and not known to the registry any more.
    pub empty_repositories: u64,
    /// Of how many repositories the registry refuses the list of tags.
    pub refused_repositories: u64,
    /// How many manifests have no tag, as far as lists of tags say so.
    pub untagged: u64,
}

/// Lists that broke off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct IncompleteLists {
    /// Lists of the tags of a repository.
    pub tags: Incomplete,
    /// Lists of the repositories of a registry.
    pub repositories: Incomplete,
}

/// Lists of one kind that broke off.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Incomplete {
    /// How many lists.
    pub lists: u64,
    /// How many names of them were not seen, at least; 0 where it is not known whether there are any.
    pub at_least: u64,
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
        if let Some(count) = self.unsigned_with_cosign.filter(|count| *count > 0) {
            let artifacts = counted(count, "unsigned artifact has", "unsigned artifacts have");
            remarks.push(format!("{artifacts} a signature of cosign"));
        }
        remarks.extend(self.missing_platforms());
        remarks.extend(self.lists.remarks());
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

impl Lists {
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.empty_catalogs > 0 {
            let catalogs = counted(self.empty_catalogs, "catalog is", "catalogs are");
            remarks.push(format!(
                "{catalogs} empty: some registries list nothing there; name repositories (HOST/REPOSITORY, or a list, @FILE)"
            ));
        }
        if self.refused_repositories > 0 {
            let (refused, whose) = match self.refused_repositories {
                1 => ("1 repository was refused".to_owned(), "its"),
                count => (format!("{count} repositories were refused"), "their"),
            };
            remarks.push(format!("{refused}: {whose} tags are not known"));
        }
        if self.empty_repositories > 0 {
            let (repositories, hold) = match self.empty_repositories {
                1 => ("1 repository".to_owned(), "holds"),
                count => (format!("{count} repositories"), "hold"),
            };
            remarks.push(format!("{repositories} {hold} no tags"));
        }
        if self.tag_lists > 0 {
            let untagged = match self.untagged {
                0 => "what has no tag".to_owned(),
                count => counted(count, "digest without a tag", "digests without a tag"),
            };
            let unlisted = if self.catalogs > 0 { ", and repositories that the catalog does not list" } else { "" };
            remarks.push(format!("not looked at: {untagged}{unlisted}"));
        }
        remarks
    }
}

impl IncompleteLists {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.tags.lists + self.repositories.lists > 0
    }

    /// What is missing, as a sentence without a full stop: `7 tag lists are incomplete: 1,593 or more tags not seen`.
    pub fn sentence(&self) -> Option<String> {
        let said = |incomplete: &Incomplete, one: &str, several: &str, names: &str| {
            let Incomplete { lists, at_least } = incomplete;
            let lists = match lists {
                0 => return None,
                1 => format!("1 {one} is"),
                lists => format!("{} {several} are", grouped(*lists)),
            };
            let unseen = match at_least {
                0 => format!("whether there are more {names} is not known"),
                count => format!("{} or more {names} not seen", grouped(*count)),
            };
            Some(format!("{lists} incomplete: {unseen}"))
        };
        let tags = said(&self.tags, "tag list", "tag lists", "tags");
        let repositories = said(&self.repositories, "catalog", "catalogs", "repositories");
        let both: Vec<_> = repositories.into_iter().chain(tags).collect();
        (!both.is_empty()).then(|| both.join("; "))
    }
}

/// A number with a comma before every three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

fn counted(count: u64, one: &str, several: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { several })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said_with_what_is_known_of_it() {
        let some = |lists, at_least| Incomplete { lists, at_least };
        for (tags, repositories, expected) in [
            (some(0, 0), some(0, 0), None),
            (some(7, 1593), some(0, 0), Some("7 tag lists are incomplete: 1,593 or more tags not seen")),
            (some(1, 1), some(0, 0), Some("1 tag list is incomplete: 1 or more tags not seen")),
            (some(0, 0), some(1, 1_234_567), Some("1 catalog is incomplete: 1,234,567 or more repositories not seen")),
            (some(1, 0), some(0, 0), Some("1 tag list is incomplete: whether there are more tags is not known")),
            (
                some(2, 2),
                some(1, 1),
                Some(
                    "1 catalog is incomplete: 1 or more repositories not seen; 2 tag lists are incomplete: 2 or more tags not \
                     seen",
                ),
            ),
        ] {
            let lists = IncompleteLists { tags, repositories };
            assert_eq!((lists.sentence().as_deref(), lists.any()), (expected, expected.is_some()));
        }
        assert_eq!([0, 999, 1000, 99_999].map(grouped), ["0", "999", "1,000", "99,999"]);
    }
}

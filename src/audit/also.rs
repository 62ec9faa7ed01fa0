//! What is judged though it is passed over unless the user says otherwise: one table of kinds.

use crate::failure::quote;

use super::passed_over::PassedOver;

/// The word for all kinds.
const ALL: &str = "all";

/// The kinds that can be judged all the same, with the word for each and what it is.
const KINDS: [(&str, PassedOver, &str); 6] = [
    (
        "build-attestations",
        PassedOver::BuildAttestation,
        "manifests of image indexes that attest how others were built",
    ),
    ("build-caches", PassedOver::BuildCache, "what buildkit keeps for later builds"),
    ("cosign", PassedOver::CosignTag, "cosign's tags sha256-….sig, .att and .sbom"),
    ("helm-provenance", PassedOver::HelmProvenance, "the provenance of a Helm chart, where it has a tag of its own"),
    (
        "other-signatures",
        PassedOver::ForeignSignature,
        "with --referrers: attached signatures of other systems, as cosign's",
    ),
    ("referrers-lists", PassedOver::ReferrersList, "lists of what refers to an artifact, under the tag of its digest"),
];

/// Which kinds are judged that are else passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Also(Vec<PassedOver>);

/// A word that is no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is no kind of what is passed over: expected {}", quote(.0), Also::words().join(", "))]
pub struct AlsoError(String);

impl Also {
    /// Reads words for kinds.
    ///
    /// # Errors
    /// One of them is no such word.
    pub fn read(words: &[String]) -> Result<Also, AlsoError> {
        let mut kinds = Vec::new();
        for word in words {
            let mut found =
                KINDS.iter().filter(|(name, ..)| word == ALL || word == name).map(|(_, kind, _)| *kind).peekable();
            if found.peek().is_none() {
                return Err(AlsoError(word.clone()));
            }
            kinds.extend(found);
        }
        Ok(Also(kinds))
    }

    /// The words, that for all of them last.
    pub fn words() -> Vec<&'static str> {
        KINDS.iter().map(|(name, ..)| *name).chain([ALL]).collect()
    }

    /// The words with what they stand for, as sentences for a help text.
    pub fn explained() -> impl Iterator<Item = (&'static str, &'static str)> {
        KINDS.iter().map(|(name, _, what)| (*name, *what)).chain([(ALL, "all of these")])
    }

    /// Whether this kind is judged.
    pub fn has(&self, kind: PassedOver) -> bool {
        self.0.contains(&kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_kinds_or_refused_with_those_that_are() {
        let read = |words: &[&str]| Also::read(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        assert_eq!(read(&[]), Ok(Also::default()));
        let two = read(&["cosign", "build-caches"]).unwrap();
        assert!(
            two.has(PassedOver::CosignTag) && two.has(PassedOver::BuildCache) && !two.has(PassedOver::ReferrersList)
        );
        let all = read(&["all"]).unwrap();
        assert!(KINDS.iter().all(|(_, kind, _)| all.has(*kind)));
        let error = read(&["cosign", "sboms"]).unwrap_err().to_string();
        assert!(
            error.contains("\"sboms\"") && error.contains("helm-provenance, other-signatures, referrers-lists, all"),
            "{error}"
        );
    }
}

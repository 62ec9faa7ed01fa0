//! Which manifests of an image index are judged one by one, beside the index that covers them.

use std::str::FromStr;

use crate::failure::quote;
use crate::manifest::Platform;

/// Which manifests of image indexes are judged one by one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Platforms {
    /// None: an index that passes covers what it lists, since it names that by digest.
    #[default]
    Covered,
    /// Those for these platforms.
    These(Vec<WantedPlatform>),
    /// All of them.
    All,
}

/// A platform that is asked for: `os/architecture`, whatever the variant, or `os/architecture/variant`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedPlatform(Platform);

/// Why a text is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} is not a platform: expected OS/ARCHITECTURE or OS/ARCHITECTURE/VARIANT, as linux/arm64, or all", quote(.0))]
pub struct PlatformError(String);

/// How many manifests were found for a platform that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlatformFound {
    /// The platform, as it was asked for.
    pub platform: String,
    /// The manifests for it.
    pub manifests: u64,
    /// The image indexes that have none for it.
    pub indexes_without: u64,
}

impl Platforms {
    /// Reads what was asked for: `all`, or platforms. Nothing asked for is [`Platforms::Covered`].
    pub fn read(texts: &[String]) -> Result<Platforms, PlatformError> {
        let mut wanted: Vec<WantedPlatform> = Vec::new();
        for text in texts.iter().filter(|text| *text != "all") {
            let platform = text.parse()?;
            if !wanted.contains(&platform) {
                wanted.push(platform);
            }
        }
        Ok(match texts {
            [] => Platforms::Covered,
            texts if texts.iter().any(|text| text == "all") => Platforms::All,
            _ => Platforms::These(wanted),
        })
    }

    /// The platforms that are asked for by name.
    pub fn named(&self) -> &[WantedPlatform] {
        match self {
            Platforms::These(wanted) => wanted,
            Platforms::Covered | Platforms::All => &[],
        }
    }

    /// Whether manifests are judged one by one at all.
    pub fn are_judged(&self) -> bool {
        *self != Platforms::Covered
    }
}

impl WantedPlatform {
    /// Whether `stated` is the platform.
    pub fn is(&self, stated: &Platform) -> bool {
        let WantedPlatform(wanted) = self;
        let same = wanted.os == stated.os && wanted.architecture == stated.architecture;
        same && (wanted.variant.is_none() || variant(wanted) == variant(stated))
    }
}

/// The variant, where only one is usual and may be left out.
fn variant(platform: &Platform) -> Option<&str> {
    platform.variant.as_deref().or(match platform.architecture.as_str() {
        "arm64" => Some("v8"),
        "arm" => Some("v7"),
        _ => None,
    })
}

impl FromStr for WantedPlatform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<WantedPlatform, PlatformError> {
        let word = |word: &&str| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(word) {
            return Err(PlatformError(text.to_owned()));
        }
        let platform = |os: &str, architecture: &str, variant: Option<&str>| {
            WantedPlatform(Platform {
                os: os.to_owned(),
                architecture: architecture.to_owned(),
                variant: variant.map(str::to_owned),
            })
        };
        match parts.as_slice() {
            [os, architecture] => Ok(platform(os, architecture, None)),
            [os, architecture, variant] => Ok(platform(os, architecture, Some(variant))),
            _ => Err(PlatformError(text.to_owned())),
        }
    }
}

impl std::fmt::Display for WantedPlatform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(texts: &[&str]) -> Result<Platforms, PlatformError> {
        Platforms::read(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>())
    }

    fn stated(os: &str, architecture: &str, variant: Option<&str>) -> Platform {
        Platform { os: os.to_owned(), architecture: architecture.to_owned(), variant: variant.map(str::to_owned) }
    }

    #[test]
    fn a_platform_is_two_or_three_words() {
        assert_eq!(read(&[]), Ok(Platforms::Covered));
        assert_eq!(read(&["linux/amd64", "all"]), Ok(Platforms::All));
        assert_eq!(read(&["linux/amd64", "linux/amd64"]).unwrap().named().len(), 1);
        for text in ["", "linux", "linux/", "/amd64", "linux/arm/v7/x", "linux amd64", "linux/am\u{1b}64", "ALL"] {
            assert!(read(&[text]).is_err(), "{text:?} was taken for a platform");
        }
    }

    #[test]
    fn a_variant_counts_where_it_is_asked_for() {
        let wants = |asked: &str, stated: Platform| read(&[asked]).unwrap().named()[0].is(&stated);
        assert!(wants("linux/arm", stated("linux", "arm", Some("v6"))));
        assert!(!wants("linux/arm/v7", stated("linux", "arm", Some("v6"))));
        assert!(wants("linux/arm/v7", stated("linux", "arm", None)));
        assert!(wants("linux/arm64/v8", stated("linux", "arm64", None)));
        assert!(!wants("linux/amd64/v2", stated("linux", "amd64", None)));
        assert!(!wants("linux/amd64", stated("windows", "amd64", None)));
        let judged = |asked: &[&str]| read(asked).unwrap().are_judged();
        assert!(!judged(&[]) && judged(&["all"]) && judged(&["linux/amd64"]));
    }
}

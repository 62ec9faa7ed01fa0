//! Scalars that scenario files write as text: times, lengths of time, names of artifacts.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error as _};
use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use crate::failure::quote;
use crate::reference::Reference;

/// The longest time that a scenario may span, in days; what lies beyond is a slip, and certificates cannot hold it.
const LONGEST_DAYS: i64 = 36_500;
/// The times that certificates and envelopes can hold, with room for what is counted from them.
const FIRST_YEAR: i32 = 1980;
const LAST_YEAR: i32 = 9000;

/// A length of time, forwards or backwards: `30d`, `-12h`, `90m`, `45s`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span(pub(super) Duration);

/// A point in time in RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Instant(pub(super) OffsetDateTime);

/// An artifact as steps name it: `host/path:tag`, or with `#part` something that belongs to it: an attachment by its
/// name, a manifest of an index by its platform.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ArtifactName {
    /// Which artifact; it has a tag and no digest.
    pub(super) reference: Reference,
    /// Which part of it.
    pub(super) part: Option<String>,
}

/// The time that is so much later.
///
/// # Errors
/// It lies beyond what certificates and envelopes can hold.
pub(super) fn later(now: OffsetDateTime, by: Duration) -> Result<OffsetDateTime, String> {
    let later = now.checked_add(by).filter(|later| later.year() <= LAST_YEAR);
    later.ok_or_else(|| format!("time does not go beyond the year {LAST_YEAR}"))
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Span, String> {
        let refused = || format!("{} is not a length of time: write 30d, -12h, 90m, 45s or 2w", quote(text));
        let (backwards, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = rest.split_at(digits);
        let seconds = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            "d" => 86_400,
            "w" => 7 * 86_400,
            _ => return Err(refused()),
        };
        let number: i64 = number.parse().map_err(|_| refused())?;
        let seconds = number.checked_mul(seconds).filter(|seconds| *seconds <= LONGEST_DAYS * 86_400);
        let seconds = seconds.ok_or_else(|| format!("{} is longer than {LONGEST_DAYS}d", quote(text)))?;
        Ok(Span(Duration::seconds(if backwards { -seconds } else { seconds })))
    }
}

impl FromStr for Instant {
    type Err = String;

    fn from_str(text: &str) -> Result<Instant, String> {
        let refused = || format!("{} is not a time: write it as 2026-01-01T00:00:00Z", quote(text));
        let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| refused())?;
        if !(FIRST_YEAR..=LAST_YEAR).contains(&time.year()) {
            return Err(format!("{} is not between the years {FIRST_YEAR} and {LAST_YEAR}", quote(text)));
        }
        time.replace_nanosecond(0).map(Instant).map_err(|_| refused())
    }
}

impl FromStr for ArtifactName {
    type Err = String;

    fn from_str(text: &str) -> Result<ArtifactName, String> {
        let (reference, part) = match text.split_once('#') {
            Some((_, "")) => return Err(format!("{} names no part behind the #", quote(text))),
            Some((reference, part)) => (reference, Some(part.to_owned())),
            None => (text, None),
        };
        let reference: Reference = reference.parse().map_err(|error| format!("{}: {error}", quote(text)))?;
        if reference.tag.is_none() || reference.digest.is_some() {
            return Err(format!("{} is not HOST/REPOSITORY:TAG", quote(text)));
        }
        Ok(ArtifactName { reference, part })
    }
}

impl fmt::Display for ArtifactName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reference)?;
        self.part.as_ref().map_or(Ok(()), |part| write!(f, "#{part}"))
    }
}

macro_rules! scalar {
    ($type:ident, $example:literal, $pattern:literal) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<$type, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
            }
        }

        impl JsonSchema for $type {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "pattern": $pattern, "examples": [$example] })
            }
        }
    };
}

scalar!(Span, "30d", "^-?[0-9]+[smhdw]$");
scalar!(Instant, "2026-01-01T00:00:00Z", "^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]");
scalar!(ArtifactName, "registry.wabbit-networks.io/net-monitor:v1", "^[^/]+/[^:]+:[^#]+(#.+)?$");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lengths_of_time() {
        for (text, seconds) in [("30d", 2_592_000), ("-12h", -43_200), ("90m", 5400), ("0s", 0), ("2w", 1_209_600)] {
            assert_eq!(text.parse::<Span>().unwrap().0.whole_seconds(), seconds, "{text}");
        }
        for text in [
            "",
            "d",
            "30",
            "30 d",
            "1.5h",
            "+1d",
            "--1d",
            "1y",
            "99999999999999999999d",
            "36501d",
            "9223372036854775807w",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn reads_times() {
        assert!("2026-01-01T00:00:00Z".parse::<Instant>().is_ok());
        for text in ["2026-01-01", "now", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"] {
            assert!(text.parse::<Instant>().is_err(), "{text}");
        }
    }

    #[test]
    fn reads_names_of_artifacts() {
        let sbom: ArtifactName = "a.io/b/c:v1#sbom".parse().unwrap();
        assert_eq!((sbom.reference.to_string().as_str(), sbom.part.as_deref()), ("a.io/b/c:v1", Some("sbom")));
        assert_eq!(sbom.to_string(), "a.io/b/c:v1#sbom");
        for text in ["a.io/b", "b:v1", "a.io/b:v1#", "https://a.io/b:v1", "a.io/../b:v1"] {
            assert!(text.parse::<ArtifactName>().is_err(), "{text}");
        }
    }
}

//! The options that several commands share, in the groups in which `--help` shows them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime};

use super::plugins;
use super::target;
use crate::duration;
use crate::limits;
use crate::reference::Repository;
use crate::report::Output;
use crate::source::registry::Rate;

/// Where the trust policy and the trust stores lie, and as of when is judged: for artifacts and for blobs.
#[derive(Debug, Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct TrustInputArgs {
    /// Folder of notation's configuration, with trust policy and trust store
    /// [default: $NOTATION_CONFIG, else `notation` in the user's configuration folder]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) config: Option<PathBuf>,

    /// Trust policy [default: trustpolicy.oci.json, else trustpolicy.json, in the configuration]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) policy: Option<PathBuf>,

    /// Folder that holds the trust stores' x509/ [default: truststore in the configuration]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) trust_store: Option<PathBuf>,

    /// Judge as of this time: 2026-11-20T08:00:00Z, a date for its first moment in UTC, or +30d from now [default: now]
    #[arg(long, value_name = "TIME", value_parser = parse_moment, allow_hyphen_values = true)]
    pub(super) at: Option<Moment>,
}

/// By what artifacts are judged.
#[derive(Debug, Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct TrustArgs {
    #[command(flatten)]
    pub(super) inputs: TrustInputArgs,

    /// Repository whose statement applies to all artifacts of OCI layouts, whatever the layouts say
    #[arg(long, value_name = "HOST/REPOSITORY", value_parser = target::scope)]
    pub(super) scope: Option<Repository>,

    #[command(flatten)]
    pub(super) revocation: RevocationArgs,

    /// How many signatures of one artifact are judged at most
    #[arg(long, value_name = "N", default_value_t = limits::MAX_SIGNATURES, value_parser = parse_count)]
    pub(super) max_signatures: usize,
}

/// Where CRLs and OCSP answers come from, and where they go.
#[derive(Debug, Args)]
#[command(next_help_heading = "Trust")]
pub(super) struct RevocationArgs {
    /// Take CRLs and OCSP answers from this folder, and fetch none: what --revocation-to wrote, a copy of notation's
    /// cache, CRLs fetched by `wget -x`, or OCSP answers saved by openssl
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) revocation_from: Option<PathBuf>,

    /// Copy every CRL and OCSP answer of this run to this folder, for --revocation-from elsewhere
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(super) revocation_to: Option<PathBuf>,

    /// Fetch every CRL anew, and leave notation's cache ($NOTATION_CACHE, else in the user's cache folder) alone
    #[arg(long, conflicts_with = "revocation_from")]
    pub(super) no_revocation_cache: bool,
}

/// How registries are reached.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct AccessArgs {
    /// Name for registries that ask for one [default: what docker or notation logged in with, or podman]
    #[arg(short, long, value_name = "NAME", env = "NOTATION_USERNAME", hide_env_values = true)]
    pub(super) username: Option<String>,

    /// Password, or without a name an identity token; others on this machine can see it here, so prefer the variable
    /// or --password-stdin
    #[arg(short, long, value_name = "SECRET", env = "NOTATION_PASSWORD", hide_env_values = true)]
    pub(super) password: Option<Secret>,

    /// Read the password from standard input
    #[arg(long, requires = "username")]
    pub(super) password_stdin: bool,

    /// Speak plain HTTP to every registry; to loopback hosts, and to notation's insecureRegistries, that is so without asking
    #[arg(long, visible_alias = "insecure-registry")]
    pub(super) plain_http: bool,

    /// Trust the authorities in this PEM file too for TLS
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(super) ca_file: Option<PathBuf>,

    /// Show this certificate to registries that want one: PEM, with those that lead to its authority behind it
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key_file")]
    pub(super) cert_file: Option<PathBuf>,

    /// The key of --cert-file, in PEM and not encrypted
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "cert_file")]
    pub(super) key_file: Option<PathBuf>,

    #[command(flatten)]
    pub(super) patience: PatienceArgs,
}

/// How often registries are asked, and for how long.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct PatienceArgs {
    /// How often a request is tried again that failed, for example with status 500 [default: 5]
    #[arg(long, value_name = "N", value_parser = parse_retries)]
    pub(super) retries: Option<usize>,

    /// How long a registry may be silent before a request has failed, for example 10s or 2m [default: 25s]
    #[arg(long, value_name = "DURATION", value_parser = plugins::parse_time)]
    pub(super) timeout: Option<Duration>,

    /// How many requests are sent to a host, or to each, for example 10/s, docker.io=90/m or ghcr.io=600/h; may be given
    /// several times [default: as many as the host answers, and fewer when it says so]
    #[arg(long, value_name = "[HOST=]N/s", value_parser = parse_rate)]
    pub(super) rate: Vec<(Option<String>, Rate)>,
}

/// How registries are reached for many artifacts.
#[derive(Debug, Args)]
#[command(next_help_heading = "Registry")]
pub(super) struct RegistryArgs {
    #[command(flatten)]
    pub(super) access: AccessArgs,

    /// How many artifacts are in work at a time, and requests in flight to one host, up to 512
    #[arg(short, long, value_name = "N", default_value_t = limits::REQUESTS_PER_HOST, value_parser = parse_jobs)]
    pub(super) jobs: usize,

    /// How long one artifact may take before it ends in an error, for example 90s or 5m; time for which its registry says that
    /// it wants to be asked later does not count [default: 5m]
    #[arg(long, value_name = "DURATION", default_value = "5m", hide_default_value = true, value_parser = plugins::parse_time)]
    pub(super) artifact_timeout: Duration,
}

/// What is said.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub(super) struct OutputArgs {
    #[arg(short, long, value_name = "FORMAT[=PATH]", help = Output::help(), long_help = Output::long_help())]
    pub(super) output: Vec<Output>,

    /// No progress and no notes on standard error
    #[arg(short, long)]
    pub(super) quiet: bool,
}

/// The moment of `--at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// This one.
    At(OffsetDateTime),
    /// So long after now.
    FromNow(time::Duration),
}

impl Moment {
    /// The moment, where it is `now`.
    pub(super) fn from(self, now: OffsetDateTime) -> OffsetDateTime {
        match self {
            Moment::At(time) => time,
            // No length that can be written leads past the end of times; if one did, the last is as good.
            Moment::FromNow(length) => now.saturating_add(length),
        }
    }
}

/// A password. It is never shown.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Secret(pub(super) String);

impl From<String> for Secret {
    fn from(text: String) -> Secret {
        Secret(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

/// Reads a number of things of which there is at least one.
pub(super) fn parse_count(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|count| *count > 0).ok_or("expected a number from 1")
}

/// Reads `--jobs`.
pub(super) fn parse_jobs(text: &str) -> Result<usize, String> {
    let jobs = parse_count(text).ok().filter(|jobs| *jobs <= limits::MAX_JOBS);
    jobs.ok_or_else(|| format!("expected a number from 1 to {}", limits::MAX_JOBS))
}

/// Reads `--retries`.
pub(super) fn parse_retries(text: &str) -> Result<usize, String> {
    let retries = text.parse().ok().filter(|retries| *retries <= limits::MAX_RETRIES);
    retries.ok_or_else(|| format!("expected a number from 0 to {}", limits::MAX_RETRIES))
}

/// Reads `--rate`.
pub(super) fn parse_rate(text: &str) -> Result<(Option<String>, Rate), String> {
    let (host, rate) = match text.rsplit_once('=') {
        Some(("", _)) => return Err("expected HOST=N/s, or N/s for every host".to_owned()),
        Some((host, rate)) if host.contains('/') => {
            return Err(format!(
                "expected a host, as in references: {}={rate}",
                host.split('/').next().unwrap_or("HOST")
            ));
        }
        Some((host, rate)) => (Some(host.to_owned()), rate),
        None => (None, text),
    };
    Ok((host, rate.parse()?))
}

/// Reads the time of `--at`.
pub(super) fn parse_moment(text: &str) -> Result<Moment, &'static str> {
    if let Ok(time) = OffsetDateTime::parse(text, &Rfc3339) {
        return Ok(Moment::At(time));
    }
    if let Ok(date) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
        return Ok(Moment::At(date.midnight().assume_utc()));
    }
    if text.starts_with('-') {
        return Err("a length of time counts from now on, as +30d; of the past, name the moment: 2026-11-20T08:00:00Z");
    }
    if let Some(length) = text.strip_prefix('+') {
        return parse_length(length)
            .map(Moment::FromNow)
            .ok_or("expected numbers with the units w, d, h, m or s behind the +, as +30d, +4w or +1d12h");
    }
    if parse_length(text).is_some() {
        return Err("a length of time counts from now on, with a + before it, as +30d");
    }
    Err("expected a time like 2026-11-20T08:00:00Z, a date, or a length of time from now on like +30d")
}

/// Reads a length of time from now on.
fn parse_length(text: &str) -> Option<time::Duration> {
    let unsigned = !text.starts_with(['+', '-']);
    duration::parse(text).ok().filter(|length| unsigned && length.is_positive())
}

/// Reads `KEY=VALUE`.
pub(super) fn parse_pair(text: &str) -> Result<(String, String), &'static str> {
    match text.split_once('=') {
        Some(("", _)) => Err("there is no name before the =: expected KEY=VALUE"),
        Some((_, "")) => Err("the value behind the = is empty: expected KEY=VALUE"),
        Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
        None => Err("expected KEY=VALUE"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn times_are_rfc_3339_or_dates_or_counted_from_now() {
        let now = datetime!(2026-11-20 08:00:07 UTC);
        let read = |text: &str| parse_moment(text).map(|moment| moment.from(now));
        assert_eq!(read("2026-11-20T08:00:00+02:00"), Ok(datetime!(2026-11-20 06:00 UTC)));
        assert_eq!(read("2026-11-20"), Ok(datetime!(2026-11-20 00:00 UTC)));
        assert_eq!(read("+30d"), Ok(datetime!(2026-12-20 08:00:07 UTC)));
        assert_eq!(read("+12h"), Ok(datetime!(2026-11-20 20:00:07 UTC)));
        assert_eq!(read("+4w"), Ok(datetime!(2026-12-18 08:00:07 UTC)));
        assert_eq!(read("+1.5d"), Ok(datetime!(2026-11-21 20:00:07 UTC)));
        assert_eq!(read("+1w1d3m"), Ok(datetime!(2026-11-28 08:03:07 UTC)));
        for text in [
            "",
            "now",
            "2026-11-20T08:00:00",
            "2026-13-01",
            "20261120",
            "1700000000",
            "2026-11-20 ",
            "+",
            "+0d",
            "+30",
            "+d",
            "+-1d",
            "++1d",
            "+1y",
            "+99999999999w",
            "+w",
        ] {
            assert!(read(text).is_err(), "{text:?} was taken for a time");
        }
        // What is meant is said.
        assert!(read("30d").unwrap_err().contains("with a + before it"));
        assert!(read("-30d").unwrap_err().contains("name the moment"));
        assert!(read("+30").unwrap_err().contains("units"));
        assert_eq!(Moment::FromNow(time::Duration::days(365_000 * 1000)).from(now).year(), 9999);
    }

    #[test]
    fn pairs_are_divided_at_the_first_equals_sign() {
        assert_eq!(parse_pair("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        for text in ["", "a", "=b", "a="] {
            assert!(parse_pair(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn rates_are_for_a_host_or_for_all() {
        let rate = |text: &str| Ok(text.parse::<Rate>().unwrap());
        assert_eq!(parse_rate("10/s"), rate("10/s").map(|rate| (None, rate)));
        assert_eq!(parse_rate("a.io:5000=90/m"), rate("90/m").map(|rate| (Some("a.io:5000".to_owned()), rate)));
        for text in ["", "=10/s", "a.io", "a.io=", "a.io=fast", "https://a.io=1/s", "a.io/team=1/s", "10"] {
            assert!(parse_rate(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn jobs_and_retries_have_bounds() {
        assert_eq!((parse_jobs("1"), parse_jobs("512")), (Ok(1), Ok(512)));
        assert_eq!((parse_retries("0"), parse_retries("100")), (Ok(0), Ok(100)));
        for text in ["", "-1", "513", "1.5", "many"] {
            assert!(parse_jobs(text).is_err() && parse_retries(text).is_err(), "{text:?}");
        }
        assert!(parse_jobs("0").is_err());
    }

    #[test]
    fn secrets_are_never_shown() {
        assert_eq!(format!("{:?}", Some(Secret::from("hunter2".to_owned()))), "Some((secret))");
    }
}

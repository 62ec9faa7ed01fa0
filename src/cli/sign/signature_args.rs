//! What a signature says and how it is written, alike for artifacts and blobs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};
use time::Duration;

use crate::cli::args::parse_pair;
use crate::cli::plugins;
use crate::envelope::Format;
use crate::sign::{self, MetadataError, TimestampAuthority, check_metadata};

/// What a signature says, and how it is written.
#[derive(Debug, Args)]
pub(in crate::cli) struct SignatureArgs {
    /// How long the signature is good for, for example 30d, 12h, 1.5h or 3h20m [default: no expiry]
    #[arg(short, long, value_name = "DURATION", value_parser = sign::parse_expiry, help_heading = "Signature")]
    #[arg(allow_hyphen_values = true)]
    pub(in crate::cli) expiry: Option<Duration>,

    /// Sign this of the artifact too; may be given several times
    #[arg(short = 'm', long, value_name = "KEY=VALUE", value_parser = parse_pair, help_heading = "Signature")]
    user_metadata: Vec<(String, String)>,

    /// Format of the envelope
    #[arg(long, value_name = "FORMAT", default_value = "jws", help_heading = "Signature")]
    signature_format: Format,

    /// Have the time stamped by the RFC 3161 authority at this http:// or https:// address
    #[arg(long, value_name = "URL", requires = "timestamp_root_cert", help_heading = "Time stamp")]
    timestamp_url: Option<String>,

    /// File with the root certificate of that authority, PEM or DER; it may be a link or a pipe
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "timestamp_url")]
    #[arg(help_heading = "Time stamp")]
    timestamp_root_cert: Option<PathBuf>,

    /// How long the time stamp may take in all, for example 30s or 2m: an authority that is busy is asked again [default: 1m]
    #[arg(long, value_name = "DURATION", value_parser = plugins::parse_time, requires = "timestamp_url")]
    #[arg(help_heading = "Time stamp")]
    timestamp_timeout: Option<std::time::Duration>,
}

/// The words of the command line.
impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Format] {
        &[Format::Jws, Format::Cose]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(match self {
            Format::Jws => "jws",
            Format::Cose => "cose",
        }))
    }
}

impl SignatureArgs {
    /// The user metadata.
    pub(in crate::cli) fn user_metadata(&self) -> Result<BTreeMap<String, String>, MetadataError> {
        check_metadata(&self.user_metadata)
    }

    /// Who stamps the time, if that is wanted. The error is one sentence.
    pub(in crate::cli) fn timestamps(&self) -> Result<Option<TimestampAuthority>, String> {
        match (&self.timestamp_url, &self.timestamp_root_cert) {
            (Some(url), Some(roots)) => {
                let authority = TimestampAuthority::open(url, roots).map_err(|error| error.to_string())?;
                Ok(Some(match self.timestamp_timeout {
                    Some(time) => authority.within(time),
                    None => authority,
                }))
            }
            _ => Ok(None),
        }
    }

    /// The format of the envelope.
    pub(in crate::cli) fn format(&self) -> Format {
        self.signature_format
    }
}

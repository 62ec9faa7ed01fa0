//! `muster sign`: signs an artifact and writes the signature beside it, as `notation sign` does.
//!
//! What it does beyond: it verifies its own envelope before anything is written, and looks afterwards whether a
//! verifier can find the signature.

mod approvals;
mod discovery;
mod key;
mod signature_args;
mod waiting;

use std::collections::BTreeMap;
use std::fmt;

use clap::builder::PossibleValue;
use clap::{ArgAction, Args, ValueEnum};
use time::OffsetDateTime;

use super::artifact::{ArtifactArg, ArtifactArgs, ResolvedArtifact};
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use crate::audit::Sources;
use crate::encode::SignatureManifest;
use crate::manifest;
use crate::report::printable;
use crate::sign::{Destination, Publication, SignRequest, TimestampAuthority};
use crate::signer::tsb::RequestId;
use crate::source::registry::ReferrersTag;
use crate::trouble::Trouble;

pub(super) use key::{KeyArgs, NO_ENVELOPES_OF_BLOBS, SomeKey};
pub(super) use signature_args::SignatureArgs;

/// Sign an artifact, as `notation sign` does
///
/// A tag is resolved once, and the digest is signed. The signature is verified before it is written, and looked for
/// afterwards.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
#[command(mut_arg("reference", |reference| reference.required(false).required_unless_present("cancel")))]
pub(super) struct SignArgs {
    #[command(flatten)]
    artifact: ArtifactArgs,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Take this request for approvals back, so that nothing is signed by it, and sign nothing
    #[arg(long, value_name = "ID", help_heading = "Approvals", conflicts_with_all = ["request", "no_wait", "reference"])]
    cancel: Option<RequestId>,

    /// Form of the signature manifest [default: artifact-type, and config where the registry refuses or misreads that]
    #[arg(long, value_name = "FORM", help_heading = "Signature")]
    signature_manifest: Option<SignatureManifest>,

    /// List the signature under the referrers tag schema too where the registry lists it by itself
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_value_t = false)]
    #[arg(default_missing_value = "true", action = ArgAction::Set, hide_default_value = true, help_heading = "Signature")]
    #[arg(hide_possible_values = true)]
    force_referrers_tag: bool,

    /// Tell what is signed with what on standard error
    #[arg(short, long, help_heading = "Output")]
    verbose: bool,
}

/// The words of the command line. The oldest form is read and never written: it has none.
impl ValueEnum for SignatureManifest {
    fn value_variants<'a>() -> &'a [SignatureManifest] {
        &[SignatureManifest::ArtifactType, SignatureManifest::ConfigMediaType]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        match self {
            SignatureManifest::ArtifactType => Some(PossibleValue::new("artifact-type").help("As OCI 1.1 has it")),
            SignatureManifest::ConfigMediaType => Some(
                PossibleValue::new("config").help("As before: the media type of the configuration says what it is"),
            ),
            SignatureManifest::Oldest => None,
        }
    }
}

const AFTER_HELP: &str = "\
Examples:
  muster sign registry.acme-rockets.io/software/net-monitor@sha256:…
  muster sign -k wabbit --expiry 30d -m buildId=101 registry.acme-rockets.io/software/net-monitor@sha256:…
  muster sign --key 'pkcs11:token=release;object=builder?pin-source=file:/run/secrets/pin' \\
      --certificate-chain builder.crt --signature-format cose registry.acme-rockets.io/software/net-monitor@sha256:…
  muster sign --plugin azure-kv --id https://vault/keys/release \\
      registry.acme-rockets.io/software/net-monitor@sha256:…
  muster sign --timestamp-url http://tsa.acme-rockets.io --timestamp-root-cert tsa.crt \\
      registry.acme-rockets.io/software/net-monitor@sha256:…
  muster sign --key 'tsb:release?url=https://tsb.acme-rockets.io&token-file=/run/secrets/tsb' \\
      --certificate-chain release.crt registry.acme-rockets.io/software/net-monitor@sha256:…
  muster sign --key builder.key --certificate-chain builder.crt --oci-layout ./layout:v1

Exit codes:
  0    signed, written, and found
  1    signed and written, but the signature cannot be discovered
  2    wrong usage, or a key or certificates that cannot sign; nothing is written
  3    the artifact is not there, the key could not sign, approvals are missing (with --no-wait: yet), there is no time stamp, or the registry or the layout failed
  130  interrupted; a request for approvals is taken back first";

/// Signs.
pub(super) fn run(args: &SignArgs) -> Result<Exit, CliError> {
    let console = Console::new(false);
    if let Some(id) = &args.cancel {
        return args.key.cancel(args.key.place(console).map_err(CliError::Usage)?, id, console);
    }
    let wanted = prepare(args)?;
    let (place, at) = (args.key.place(console).map_err(CliError::Usage)?, wanted.at);
    args.key.work(place, at, console, async |key| sign(wanted, key, args, console).await)
}

/// What was checked before the key is opened and anything is asked of a registry.
struct Wanted {
    named: ArtifactArg,
    timestamps: Option<TimestampAuthority>,
    at: OffsetDateTime,
    user_metadata: BTreeMap<String, String>,
}

fn prepare(args: &SignArgs) -> Result<Wanted, CliError> {
    let user_metadata = args.signature.user_metadata().map_err(|error| CliError::Usage(error.to_string()))?;
    let named = args.artifact.named()?;
    if let Some(reason) = named.target.in_files().and_then(|(kind, _)| kind.write.err()) {
        return Err(CliError::Usage(reason.to_owned()));
    }
    let timestamps = args.signature.timestamps().map_err(CliError::Usage)?;
    let now = OffsetDateTime::now_utc();
    let at = now.replace_nanosecond(0).unwrap_or(now);
    Ok(Wanted { named, timestamps, at, user_metadata })
}

async fn sign(wanted: Wanted, key: &SomeKey, args: &SignArgs, console: Console) -> Result<Exit, CliError> {
    let Wanted { named, timestamps, at, user_metadata } = wanted;
    let sources = named.sources()?;
    let found = named.find(&sources).await?;
    let unsigned = |error: &dyn fmt::Display| CliError::Undecided(format!("{} is not signed: {error}", found.name));
    manifest::parse(&found.manifest.bytes, &found.descriptor().media_type).map_err(|error| unsigned(&error))?;
    if named.target.is_tag() {
        console.warning(format_args!(
            "always sign the artifact by digest (@sha256:…) rather than by tag: {} can be moved to another artifact at \
             any time, and {} is what is signed now",
            printable(&named.target.to_string()),
            found.name
        ));
    }
    let mut request = SignRequest::new(found.descriptor().clone(), at);
    request.expiry = args.signature.expiry;
    request.user_metadata = user_metadata;
    request.format = args.signature.format();
    request.form = args.signature_manifest.unwrap_or(SignatureManifest::ArtifactType);
    request.name = Some(found.name.clone());
    key.restore(&mut request).map_err(CliError::Usage)?;
    if args.verbose {
        print_signer(key, &found, console);
    }
    let attachment = key.sign(&request, timestamps.as_ref(), args.verbose.then_some(console)).await;
    let attachment = attachment.map_err(|error| unsigned(&error))?;
    let tag = if args.force_referrers_tag { ReferrersTag::Forced } else { ReferrersTag::WhereNeeded };
    let destination = destination(&named, &sources, &found)?;
    let place = printable(&destination.to_string()).to_string();
    let told = |waiting| console.note(discovery::waiting(waiting, &place));
    let mut publication = Publication::new(&attachment);
    publication.tag = tag;
    publication.older_form = args.signature_manifest.is_none();
    publication.told = Some(&told);
    let published = publication.write(&destination).await;
    let published = published.map_err(|trouble| discovery::not_pushed(trouble, args.signature_manifest))?;
    key.published();
    if let Some(older) = &published.older_form {
        console.note(discovery::older_form(older));
    }
    let pushed = format!("Pushed the signature to {place}@{}\n", published.signature);
    match discovery::undiscovered(&published, &found.name, &place, args.signature_manifest, tag) {
        None => {
            console.print(format_args!("Successfully signed {}\n{pushed}", found.name));
            Ok(Exit::Success)
        }
        Some(undiscovered) => {
            console.print(pushed);
            Err(undiscovered)
        }
    }
}

/// Where the artifact is.
fn destination(named: &ArtifactArg, sources: &Sources, found: &ResolvedArtifact) -> Result<Destination, Trouble> {
    let repository = found.selected.reference.repository.clone();
    Ok(match named.target.in_files() {
        Some((kind, path)) => Destination::in_files(kind, path, repository),
        None => Destination::registry(sources.registry_at(repository.host())?, repository),
    })
}

fn print_signer(key: &SomeKey, found: &ResolvedArtifact, console: Console) {
    let target = found.descriptor();
    console.detail(format_args!("signing {} of {} bytes, {}", target.digest, target.size, target.media_type));
    key.print(console);
}

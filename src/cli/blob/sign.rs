//! `muster blob sign`: signs a file and writes the signature into another, as `notation blob sign` does.
//!
//! What it does beyond: it verifies its own envelope before anything is written. What it does otherwise: it never asks
//! whether to overwrite a signature, but refuses without `--force`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueHint};
use time::OffsetDateTime;

use super::detached;
use crate::audit::measure_blob;
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::sign::{KeyArgs, NO_ENVELOPES_OF_BLOBS, SignatureArgs, SomeKey};
use crate::envelope::Format;
use crate::manifest::Descriptor;
use crate::report::printable;
use crate::sign::{SignRequest, TimestampAuthority};
use crate::temporary::{self, Existing};

/// Sign a file, as `notation blob sign` does
///
/// The signature is written beside the file, to FILE.jws.sig or FILE.cose.sig, or into --signature-directory. It is verified
/// before it is written.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(in crate::cli) struct BlobSignArgs {
    /// The file to be signed
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    blob: PathBuf,

    #[command(flatten)]
    key: KeyArgs,

    #[command(flatten)]
    signature: SignatureArgs,

    /// Media type of the file
    #[arg(long, value_name = "TYPE", default_value = "application/octet-stream", help_heading = "Signature")]
    #[arg(value_parser = NonEmptyStringValueParser::new())]
    media_type: String,

    /// Folder into which the signature is written [default: the file's own]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "Signature")]
    signature_directory: Option<PathBuf>,

    /// Replace a signature that is there already
    #[arg(long, help_heading = "Signature")]
    force: bool,

    /// Tell what is signed with what on standard error
    #[arg(short, long, help_heading = "Output")]
    verbose: bool,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster blob sign net-monitor.tar.gz
  muster blob sign -k wabbit --expiry 30d --media-type application/gzip net-monitor.tar.gz
  muster blob sign --key builder.key --certificate-chain builder.crt \\
      --signature-directory signatures net-monitor.tar.gz
  muster blob sign --timestamp-url http://tsa.acme-rockets.io --timestamp-root-cert tsa.crt net-monitor.tar.gz
";
    let exits = Exit::help_of(&[
        (Exit::Success, "signed and written"),
        (Exit::Usage, "wrong usage, a key that cannot sign, or a signature is there already; nothing is written"),
        (Exit::Undecided, "the file cannot be read, the key could not sign, there is no time stamp, or writing failed"),
        (Exit::Interrupted, "interrupted"),
    ]);
    format!("{examples}\n{exits}")
}

/// Signs.
pub(super) fn run(args: &BlobSignArgs) -> Result<Exit, CliError> {
    let console = Console::new(false);
    let wanted = prepare(args).map_err(CliError::Usage)?;
    let (place, at) = (args.key.place(console).map_err(CliError::Usage)?, wanted.at);
    args.key.work(place, at, console, async |key| sign(wanted, key, args, console).await.map(|()| Exit::Success))
}

/// What was checked before the key is opened.
struct Wanted {
    /// The blob, for people.
    name: String,
    /// Where the signature is written.
    place: PathBuf,
    timestamps: Option<TimestampAuthority>,
    at: OffsetDateTime,
    user_metadata: BTreeMap<String, String>,
}

fn prepare(args: &BlobSignArgs) -> Result<Wanted, String> {
    let name = printable(&args.blob.display().to_string()).into_owned();
    let user_metadata = args.signature.user_metadata().map_err(|error| error.to_string())?;
    let place = detached::place(&args.blob, args.signature_directory.as_deref(), args.signature.format())
        .ok_or_else(|| format!("{name} is not the name of a file"))?;
    // Told before a token is asked for a PIN; whether it still holds is found out when the file is written.
    if !args.force && place.symlink_metadata().is_ok() {
        return Err(exists(&place));
    }
    let timestamps = args.signature.timestamps()?;
    let now = OffsetDateTime::now_utc();
    let at = now.replace_nanosecond(0).unwrap_or(now);
    Ok(Wanted { name, place, timestamps, at, user_metadata })
}

async fn sign(wanted: Wanted, key: &SomeKey, args: &BlobSignArgs, console: Console) -> Result<(), CliError> {
    let Wanted { name, place, timestamps, at, user_metadata } = wanted;
    let not_signed = |error: &dyn Display| CliError::Undecided(format!("{name} is not signed: {error}"));
    let kind = key.kind().ok_or_else(|| CliError::Usage(format!("{name} is not signed: {NO_ENVELOPES_OF_BLOBS}")))?;
    let (digest, size) = measure_blob(&args.blob, kind.hash()).map_err(|trouble| not_signed(&trouble))?;
    let mut request = SignRequest::new(Descriptor::new(&args.media_type, digest, size), at);
    request.expiry = args.signature.expiry;
    request.user_metadata = user_metadata;
    request.format = args.signature.format();
    request.name = Some(name.clone());
    key.restore(&mut request).map_err(CliError::Usage)?;
    // The envelope is of the format that was asked for then, and its file is named after it.
    let place = if request.format == args.signature.format() { place } else { place_of(args, request.format)? };
    if args.verbose {
        let Descriptor { media_type, digest, size, .. } = &request.target;
        console.detail(format_args!("signing {digest} of {size} bytes, {media_type}"));
        key.print(console);
    }
    let told = args.verbose.then_some(console);
    let envelope = key.sign_envelope(&request, timestamps.as_ref(), told).await.map_err(|error| not_signed(&error))?;
    let existing = if args.force { Existing::Replace } else { Existing::Refuse };
    temporary::write(&place, &envelope, existing).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists if !args.force => CliError::Usage(exists(&place)),
        _ => not_signed(&format!("the signature {} cannot be written: {error}", place.display())),
    })?;
    key.published();
    console.print(format_args!(
        "Successfully signed {name}\nSignature file written to {}\n",
        printable(&place.display().to_string())
    ));
    Ok(())
}

/// Where a signature of that format belongs; there may be one only if it is replaced.
fn place_of(args: &BlobSignArgs, format: Format) -> Result<PathBuf, CliError> {
    let place = detached::place(&args.blob, args.signature_directory.as_deref(), format)
        .ok_or_else(|| CliError::Usage(format!("{} is not the name of a file", args.blob.display())))?;
    if !args.force && place.symlink_metadata().is_ok() {
        return Err(CliError::Usage(exists(&place)));
    }
    Ok(place)
}

fn exists(place: &Path) -> String {
    format!("{} is there already: --force replaces it", place.display())
}

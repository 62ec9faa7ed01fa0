//! `muster blob inspect`: what a detached signature says, as `notation blob inspect` shows it.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::detached;
use crate::audit::detached_signature;
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::inspect::{Output, Shown, json};
use crate::cli::tree::Tree;
use crate::envelope::Format;
use crate::pki::ChainCache;

/// Show what a detached signature says, as `notation blob inspect` does
///
/// It is read and its integrity checked; whom it is from and what it is of is shown, not judged: muster blob verify does
/// that. A broken one is shown with what is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(in crate::cli) struct BlobInspectArgs {
    /// The file with the signature
    #[arg(value_name = "SIGNATURE", value_hint = ValueHint::FilePath)]
    signature: PathBuf,

    /// Format of the signature [default: by the file's name, which ends in .jws.sig or .cose.sig]
    #[arg(long, value_name = "FORMAT")]
    signature_format: Option<Format>,

    /// How it is shown
    #[arg(short, long, value_name = "FORMAT", default_value = "tree", help_heading = "Output")]
    output: Output,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster blob inspect net-monitor.tar.gz.jws.sig
  muster blob inspect -o json net-monitor.tar.gz.cose.sig | jq '.signedArtifact.digest'
";
    let exits = Exit::help_of(&[
        (Exit::Success, "the signature is shown"),
        (Exit::Failed, "it is broken; what is wrong with it is shown"),
        (Exit::Usage, "wrong usage"),
        (Exit::Undecided, "the file cannot be read"),
        (Exit::Interrupted, "interrupted"),
    ]);
    format!("{examples}\n{exits}")
}

/// Inspects.
pub(super) fn run(args: &BlobInspectArgs) -> Result<Exit, CliError> {
    let console = Console::new(false);
    let format = detached::format(&args.signature, args.signature_format).map_err(CliError::Usage)?;
    let signature = detached_signature(&args.signature, format)?;
    let shown = Shown::of(&signature, None, &ChainCache::new());
    match args.output {
        Output::Json => console.print(json(&shown)?),
        Output::Tree => console.print(Tree::new(args.signature.display().to_string()).with([shown.tree()])),
    }
    Ok(shown.exit())
}

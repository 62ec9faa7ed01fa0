//! `muster blob inspect`: what a detached signature says, as `notation blob inspect` shows it.

use std::path::PathBuf;

use clap::{Args, ValueHint};

use super::detached;
use crate::audit::detached_signature;
use crate::cli::console::Console;
use crate::cli::exit::Exit;
use crate::cli::inspect::{Output, Shown, json};
use crate::cli::sign::EnvelopeFormat;
use crate::cli::tree::Tree;
use crate::envelope::Format;
use crate::pki::ChainCache;
use crate::trouble::Trouble;

/// Show what a detached signature says, as `notation blob inspect` does
///
/// It is read and its integrity checked; whom it is from and what it is of is shown, not judged: muster blob verify does
/// that. A broken one is shown with what is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = AFTER_HELP)]
pub(in crate::cli) struct BlobInspectArgs {
    /// The file with the signature
    #[arg(value_name = "SIGNATURE", value_hint = ValueHint::FilePath)]
    signature: PathBuf,

    /// Format of the signature [default: by the file's name, which ends in .jws.sig or .cose.sig]
    #[arg(long, value_name = "FORMAT")]
    signature_format: Option<EnvelopeFormat>,

    /// How it is shown
    #[arg(short, long, value_name = "FORMAT", default_value = "tree", help_heading = "Output")]
    output: Output,
}

const AFTER_HELP: &str = "\
Examples:
  muster blob inspect net-monitor.tar.gz.jws.sig
  muster blob inspect -o json net-monitor.tar.gz.cose.sig | jq '.signedArtifact.digest'

Exit codes:
  0    the signature is shown
  1    it is broken; what is wrong with it is shown
  2    wrong usage
  3    the file cannot be read
  130  interrupted";

/// Inspects.
pub(super) fn run(args: &BlobInspectArgs) -> Exit {
    let console = Console::new(false);
    let shown = match detached::format(&args.signature, args.signature_format) {
        Ok(format) => inspect(args, format, console),
        Err(message) => {
            console.error(message);
            return Exit::Usage;
        }
    };
    shown.unwrap_or_else(|trouble| {
        console.error(trouble);
        Exit::Undecided
    })
}

fn inspect(args: &BlobInspectArgs, format: Format, console: Console) -> Result<Exit, Trouble> {
    let signature = detached_signature(&args.signature, format)?;
    let shown = Shown::of(&signature, None, &ChainCache::new());
    match args.output {
        Output::Json => console.print(json(&shown)?),
        Output::Tree => console.print(Tree::new(args.signature.display().to_string()).with([shown.tree()])),
    }
    Ok(shown.exit())
}

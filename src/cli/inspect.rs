//! `muster inspect`: what the signatures of an artifact say, as `notation inspect` shows it.

mod view;

use std::io;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::artifact::{self, ArtifactArg, ArtifactArgs, LimitArgs, ResolvedArtifact};
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::tree::Tree;
use crate::evidence::Signatures;
use crate::json;
use crate::manifest::SIGNATURE_ARTIFACT_TYPE;
use crate::pki::ChainCache;
use crate::trouble::{Trouble, TroubleKind};
use view::Inspection;

pub(super) use view::Shown;

/// Show what the signatures of an artifact say, as `notation inspect` does
///
/// Every signature is read and its integrity checked; whom it is from is shown, not judged: muster verify does that. A
/// broken signature is shown with what is wrong with it, and never hides the others.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct InspectArgs {
    #[command(flatten)]
    artifact: ArtifactArgs,

    #[command(flatten, next_help_heading = "Output")]
    limit: LimitArgs,

    /// How it is shown
    #[arg(short, long, value_name = "FORMAT", default_value = "tree", help_heading = "Output")]
    output: Output,
}

/// How signatures are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    #[value(alias = "text")]
    Tree,
    /// For programs, with notation's names
    Json,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster inspect registry.acme-rockets.io/software/net-monitor:v1
  muster inspect -o json --oci-layout ./layout:v1 | jq '.signatures[].certificates[0].issuedTo'
";
    let exits = Exit::help_of(&[
        (Exit::Success, "the signatures are shown, or there are none"),
        (Exit::Failed, "a signature is broken; all are shown"),
        (Exit::Usage, "wrong usage"),
        (Exit::Undecided, "the artifact or a signature is not there, or the registry or the layout cannot be read"),
        (Exit::Interrupted, "interrupted"),
    ]);
    format!("{examples}\n{exits}")
}

/// Inspects.
pub(super) fn run(args: &InspectArgs) -> Result<Exit, CliError> {
    let named = args.artifact.named()?;
    artifact::run(inspect(&named, args, Console::new(false)))
}

async fn inspect(named: &ArtifactArg, args: &InspectArgs, console: Console) -> Result<Exit, Trouble> {
    let found = named.find(&named.sources()?).await?;
    let chains = ChainCache::new();
    let show = |signature| Shown::of(&signature, Some(found.descriptor()), &chains);
    let Signatures { found: signatures, more, doubt, .. } = found.signatures(&args.limit, show).await?;
    let inspection = Inspection { media_type: found.descriptor().media_type.clone(), signatures };
    match args.output {
        Output::Json => console.print(json(&inspection)?),
        Output::Tree => console.print(tree(&inspection, &found)),
    }
    if more {
        args.limit.warn(console);
    }
    if let Some(doubt) = doubt {
        console.warning(format_args!("there may be further signatures: {}", doubt.message));
    }
    Ok(inspection.signatures.iter().map(Shown::exit).fold(Exit::Success, Exit::worst))
}

fn tree(inspection: &Inspection, found: &ResolvedArtifact) -> String {
    if inspection.signatures.is_empty() {
        return format!("{} has no associated signature\n", found.name);
    }
    let signatures = Tree::new(SIGNATURE_ARTIFACT_TYPE).with(inspection.signatures.iter().map(Shown::tree));
    format!("Inspecting all signatures for signed artifact\n{}", Tree::new(&found.name).with([signatures]))
}

/// The JSON, with everything escaped that commands a terminal.
pub(super) fn json(inspection: &impl Serialize) -> Result<String, Trouble> {
    let mut text = Vec::new();
    let written = json::to_writer_pretty(&mut text, inspection);
    let text = written.and_then(|()| String::from_utf8(text).map_err(io::Error::other));
    text.map(|text| text + "\n").map_err(|error| Trouble::new(TroubleKind::AnswerInvalid, error.to_string()))
}

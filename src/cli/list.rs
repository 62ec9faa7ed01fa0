//! `muster list`: which signatures an artifact has, as `notation list` shows them.

use clap::Args;

use super::artifact::{self, ArtifactArg, ArtifactArgs, LimitArgs};
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::tree::Tree;
use crate::evidence::{Discovery, Signature, Signatures};
use crate::manifest::SIGNATURE_ARTIFACT_TYPE;
use crate::trouble::Trouble;

/// List the signatures of an artifact, as `notation list` does
///
/// Whether they are good is not asked: muster verify does that, and muster inspect shows what they say.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct ListArgs {
    #[command(flatten)]
    artifact: ArtifactArgs,

    #[command(flatten, next_help_heading = "Output")]
    limit: LimitArgs,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster list registry.acme-rockets.io/software/net-monitor:v1
  muster ls --oci-layout ./layout:v1
";
    let exits = Exit::help_of(&[
        (Exit::Success, "the signatures are listed, or there are none"),
        (Exit::Usage, "wrong usage"),
        (Exit::Undecided, "the artifact is not there, or the registry or the layout cannot be read"),
        (Exit::Interrupted, "interrupted"),
    ]);
    format!("{examples}\n{exits}")
}

/// Lists.
pub(super) fn run(args: &ListArgs) -> Result<Exit, CliError> {
    let named = args.artifact.named()?;
    artifact::run(list(&named, &args.limit, Console::new(false)))
}

async fn list(named: &ArtifactArg, limit: &LimitArgs, console: Console) -> Result<Exit, Trouble> {
    let found = named.find(&named.sources()?).await?;
    let name = |signature: Signature| (signature.manifest, signature.discovery);
    let Signatures { found: signatures, more, doubt, .. } = found.signatures(limit, name).await?;
    let (listed, hidden): (Vec<_>, Vec<_>) =
        signatures.into_iter().partition(|(_, discovery)| *discovery == Discovery::Listed);
    for (manifest, _) in hidden {
        console.warning(format_args!(
            "{manifest} is a signature, but the registry does not list it as one, so that notation does not find it",
        ));
    }
    if listed.is_empty() {
        console.print(format_args!("{} has no associated signature\n", found.name));
    } else {
        let leaves = listed.iter().map(|(manifest, _)| Tree::new(manifest.to_string()));
        console.print(Tree::new(&found.name).with([Tree::new(SIGNATURE_ARTIFACT_TYPE).with(leaves)]));
    }
    if more {
        limit.warn(console);
    }
    if let Some(doubt) = doubt {
        console.warning(format_args!("there may be further signatures: {}", doubt.message));
    }
    Ok(Exit::Success)
}

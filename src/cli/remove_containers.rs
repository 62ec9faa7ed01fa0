//! `muster remove-containers`: waits for the end of a run of scenarios, and removes the containers that it left behind.
//!
//! Hidden from --help: only runs start it, with a pipe as its standard input that closes when they end.

use clap::Args;

use super::error::CliError;
use super::exit::Exit;
use crate::forge;

/// Wait for the end of a run of scenarios, and remove the containers that it left behind
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct RemoveContainersArgs {
    /// The run, as its containers' label says it
    run: String,
}

pub(super) fn run(args: &RemoveContainersArgs) -> Result<Exit, CliError> {
    let removed = forge::remove_containers_after(&args.run, std::io::stdin());
    removed.map(|()| Exit::Success).map_err(|error| CliError::Undecided(error.to_string()))
}

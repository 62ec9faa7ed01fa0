//! `muster blob`: files that lie anywhere, with detached signatures beside them, as `notation blob` has them.

mod detached;
mod inspect;
mod sign;
mod verify;

use clap::Subcommand;

use super::error::CliError;
use super::exit::Exit;

/// Sign and verify files that are in no registry, as `notation blob` does
#[derive(Debug, Subcommand)]
pub(super) enum BlobCommand {
    Sign(sign::BlobSignArgs),
    Verify(verify::BlobVerifyArgs),
    Inspect(inspect::BlobInspectArgs),
}

impl BlobCommand {
    /// Whether the command writes a report.
    pub(super) fn reports(&self) -> bool {
        matches!(self, BlobCommand::Verify(_))
    }
}

/// Runs a command on blobs.
pub(super) fn run(command: BlobCommand) -> Result<Exit, CliError> {
    match command {
        BlobCommand::Sign(args) => sign::run(&args),
        BlobCommand::Verify(args) => verify::run(args),
        BlobCommand::Inspect(args) => inspect::run(&args),
    }
}

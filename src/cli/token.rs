//! `muster token`: what lies in tokens, and why a key there signs or does not.

mod check;
mod list;

use clap::{Subcommand, ValueEnum};

use super::error::CliError;
use super::exit::Exit;
use crate::signer::forbid_core_dumps;

pub(super) use check::SCHEMA as CHECK_SCHEMA;
pub(super) use list::SCHEMA as LIST_SCHEMA;

/// Look at the keys in PKCS #11 tokens, and find out why one does not sign
#[derive(Debug, Subcommand)]
pub(super) enum TokenCommand {
    List(list::TokenListArgs),
    Check(check::TokenCheckArgs),
}

/// How it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people
    #[value(alias = "tree")]
    Text,
    /// For programs, by a schema that `muster schema` prints
    Json,
}

/// Runs a command about tokens.
pub(super) fn run(command: TokenCommand) -> Result<Exit, CliError> {
    forbid_core_dumps();
    match command {
        TokenCommand::List(args) => list::run(&args),
        TokenCommand::Check(args) => check::run(&args),
    }
}

#[cfg(test)]
mod tests;

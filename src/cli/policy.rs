//! `muster policy`: what is wrong with a trust policy, and what it means.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};

use super::config_folder::ConfigFolder;
use super::console::Console;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Severity};
use crate::policy::{TrustPolicy, explain};
use crate::report::printable;

/// How many columns an explanation takes, on a terminal and elsewhere, so that it reads the same everywhere.
const WIDTH: usize = 100;

/// Check trust policies, and say what they mean
#[derive(Debug, Subcommand)]
pub(super) enum PolicyCommand {
    Check(CheckArgs),
    Show(ShowArgs),
}

/// Check that trust policies are valid
///
/// Everything that is wrong is said at once, with file, line and column. Stricter than verification: members that no
/// specification knows are errors here.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0    every file is valid\n  2    a file is not\n\n\
    Example:\n  muster policy check policies/*.json")]
pub(super) struct CheckArgs {
    /// Trust policy documents
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,
}

/// Say what a trust policy means
///
/// For every statement: which repositories it is for, whom it trusts, and what is done about each validation.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  muster policy show ~/.config/notation/trustpolicy.json")]
pub(super) struct ShowArgs {
    /// Trust policy document [default: the one in the configuration]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Folder of notation's configuration
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "file")]
    config: Option<PathBuf>,
}

/// What verification only warns of, and a check refuses: such a document may mean more than anybody reads in it. A list
/// of warnings that is too long to be shown may hide one.
const REFUSED_WARNINGS: [&str; 2] = ["unknown-member", "more-findings"];

/// Runs a command on policies.
pub(super) fn run(command: PolicyCommand, console: Console) -> Exit {
    match command {
        PolicyCommand::Check(args) => {
            args.files.iter().map(|file| check(file, console)).fold(Exit::Success, Exit::worst)
        }
        PolicyCommand::Show(args) => match show(args, console) {
            Ok(()) => Exit::Success,
            Err(exit) => exit,
        },
    }
}

fn check(file: &Path, console: Console) -> Exit {
    let policy = match TrustPolicy::load(file) {
        Ok(policy) => policy,
        Err(errors) => {
            errors.iter().for_each(|error| console.diagnose(error));
            return Exit::Usage;
        }
    };
    let mut exit = Exit::Success;
    for warning in policy.warnings() {
        if REFUSED_WARNINGS.contains(&warning.code) {
            exit = Exit::Usage;
            console.diagnose(&Diagnostic { severity: Severity::Error, ..warning.clone() });
        } else {
            console.diagnose(warning);
        }
    }
    if exit == Exit::Success {
        console.print(format_args!("{}: valid\n", printable(&file.display().to_string())));
    }
    exit
}

fn show(args: ShowArgs, console: Console) -> Result<(), Exit> {
    let file = match args.file {
        Some(file) => file,
        None => ConfigFolder::here(args.config.as_deref()).and_then(|config| config.policy()).map_err(|error| {
            console.error(error);
            Exit::Usage
        })?,
    };
    let policy = load(&file, console)?;
    let heading = format!("{} ({})", printable(&file.display().to_string()), policy.digest());
    console.print(format_args!("{heading}\n\n{}", explain(&policy, WIDTH)));
    Ok(())
}

/// Loads a policy that is to judge, and says what is wrong with it, or probably not meant.
pub(super) fn load(file: &Path, console: Console) -> Result<TrustPolicy, Exit> {
    match TrustPolicy::load(file) {
        Ok(policy) => {
            policy.warnings().iter().for_each(|warning| console.diagnose(warning));
            Ok(policy)
        }
        Err(errors) => {
            errors.iter().for_each(|error| console.diagnose(error));
            Err(Exit::Usage)
        }
    }
}

//! `muster policy`: what is wrong with a trust policy, and what it means.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueHint};

use super::config_folder::{ConfigFolder, ConfigFolderError};
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use crate::diagnostic::{Diagnostic, Severity};
use crate::policy::{BlobTrustPolicy, Document, TrustPolicy, explain, explain_blob};
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
/// specification knows are errors here. A file called trustpolicy.blob.json, or *.blob.json, is a policy for blobs.
#[derive(Debug, Args)]
#[command(after_help = "Exit codes:\n  0    every file is valid\n  2    a file is not\n\n\
    Example:\n  muster policy check policies/*.json")]
pub(super) struct CheckArgs {
    /// Trust policy documents
    #[arg(required = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    files: Vec<PathBuf>,

    /// The files are policies for blobs, whatever their names
    #[arg(long)]
    blob: bool,
}

/// Say what a trust policy means
///
/// For every statement: what it is for, whom it trusts, and what is done about each validation. A file called
/// trustpolicy.blob.json, or *.blob.json, is a policy for blobs.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  muster policy show ~/.config/notation/trustpolicy.json")]
pub(super) struct ShowArgs {
    /// Trust policy document [default: the one in the configuration]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,

    /// Folder of notation's configuration
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, conflicts_with = "file")]
    config: Option<PathBuf>,

    /// The policy is one for blobs, in the configuration trustpolicy.blob.json
    #[arg(long)]
    blob: bool,
}

/// The kinds of trust policies by which commands judge.
pub(super) trait PolicyKind: Sized {
    /// Where a policy of this kind lies in a configuration folder.
    fn usual_file(config: &ConfigFolder) -> Result<PathBuf, ConfigFolderError>;

    /// Loads one.
    fn read(file: &Path) -> Result<Self, Vec<Diagnostic>>;

    /// What the file says, and what is odd about it.
    fn document(&self) -> &Document;
}

impl PolicyKind for TrustPolicy {
    fn usual_file(config: &ConfigFolder) -> Result<PathBuf, ConfigFolderError> {
        config.policy()
    }

    fn read(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        TrustPolicy::load(file)
    }

    fn document(&self) -> &Document {
        self.document()
    }
}

impl PolicyKind for BlobTrustPolicy {
    fn usual_file(config: &ConfigFolder) -> Result<PathBuf, ConfigFolderError> {
        config.blob_policy()
    }

    fn read(file: &Path) -> Result<Self, Vec<Diagnostic>> {
        BlobTrustPolicy::load(file)
    }

    fn document(&self) -> &Document {
        self.document()
    }
}

/// A trust policy of either kind.
enum Policy {
    Oci(TrustPolicy),
    Blob(BlobTrustPolicy),
}

impl Policy {
    fn load(file: &Path, blob: bool) -> Result<Policy, Vec<Diagnostic>> {
        let name = file.file_name().map(|name| name.to_string_lossy().to_ascii_lowercase());
        if blob || name.is_some_and(|name| name.ends_with(".blob.json")) {
            BlobTrustPolicy::load(file).map(Policy::Blob)
        } else {
            TrustPolicy::load(file).map(Policy::Oci)
        }
    }

    fn document(&self) -> &Document {
        match self {
            Policy::Oci(policy) => policy.document(),
            Policy::Blob(policy) => policy.document(),
        }
    }

    fn explain(&self) -> String {
        match self {
            Policy::Oci(policy) => explain(policy, WIDTH),
            Policy::Blob(policy) => explain_blob(policy, WIDTH),
        }
    }
}

/// What verification only warns of, and a check refuses: such a document may mean something else than its readers believe. A list
/// of warnings that is too long to be shown may hide one.
const REFUSED_WARNINGS: [&str; 2] = ["unknown-member", "more-findings"];

/// Runs a command on policies.
pub(super) fn run(command: PolicyCommand, console: Console) -> Result<Exit, CliError> {
    match command {
        PolicyCommand::Check(args) => {
            Ok(args.files.iter().map(|file| check(file, args.blob, console)).fold(Exit::Success, Exit::worst))
        }
        PolicyCommand::Show(args) => show(args, console).map(|()| Exit::Success),
    }
}

fn check(file: &Path, blob: bool, console: Console) -> Exit {
    let policy = match Policy::load(file, blob) {
        Ok(policy) => policy,
        Err(errors) => {
            errors.iter().for_each(|error| console.diagnose(error));
            return Exit::Usage;
        }
    };
    let mut exit = Exit::Success;
    for warning in &policy.document().warnings {
        if warning.severity == Severity::Warning && REFUSED_WARNINGS.contains(&warning.code) {
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

fn show(args: ShowArgs, console: Console) -> Result<(), CliError> {
    let usual = || {
        let config = ConfigFolder::here(args.config.as_deref())?;
        if args.blob { config.blob_policy() } else { config.policy() }
    };
    let file = match args.file {
        Some(file) => file,
        None => usual()?,
    };
    let loaded = Policy::load(&file, args.blob);
    let policy = with_warnings(loaded, Policy::document, console)?;
    let notes = policy.document().warnings.iter().filter(|found| found.severity == Severity::Note);
    notes.for_each(|note| console.diagnose(note));
    let heading = format!("{} ({})", printable(&file.display().to_string()), policy.document().digest);
    console.print(format_args!("{heading}\n\n{}", policy.explain()));
    Ok(())
}

/// Loads a policy that is to judge, and warns of what is probably not meant.
pub(super) fn load<P: PolicyKind>(file: &Path, console: Console) -> Result<P, CliError> {
    with_warnings(P::read(file), P::document, console)
}

fn with_warnings<P>(
    loaded: Result<P, Vec<Diagnostic>>,
    document: fn(&P) -> &Document,
    console: Console,
) -> Result<P, CliError> {
    let policy = loaded.map_err(CliError::Malformed)?;
    // What is as it should be is told by `policy check` and `policy show` only, and not before every run.
    let told = document(&policy).warnings.iter().filter(|found| found.severity != Severity::Note);
    told.for_each(|warning| console.diagnose(warning));
    Ok(policy)
}

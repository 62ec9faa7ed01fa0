//! The trust policy and the trust stores of a run, loaded once before anything is fetched.

use std::path::{Path, PathBuf};

use super::args::TrustInputArgs;
use super::config_folder::{ConfigFolder, ConfigFolderError};
use super::console::Console;
use super::error::CliError;
use super::policy::{self, PolicyKind};
use crate::policy::Statement;
use crate::report::v1::Input;
use crate::trust_store::{StoreName, StoreProblem, TrustStores};

/// The trust policy and the trust stores of a run.
pub(super) struct TrustInputs<P> {
    pub(super) policy: P,
    pub(super) stores: TrustStores,
    /// The policy as reports name it.
    pub(super) policy_input: Input,
    /// The trust stores as reports name them.
    pub(super) stores_input: Input,
}

impl<P: PolicyKind> TrustInputs<P> {
    /// Loads what `args` name.
    pub(super) fn load(args: &TrustInputArgs, console: Console) -> Result<TrustInputs<P>, CliError> {
        let (policy_file, store_folder) = places(args, P::usual_file)?;
        let policy: P = policy::load(&policy_file, console)?;
        let stores = load_stores(&store_folder, &policy.document().statements, console)?;
        let (policy_input, stores_input) = (
            input(&policy_file, policy.document().digest.to_string()),
            input(&store_folder, stores.digest().to_string()),
        );
        Ok(TrustInputs { policy, stores, policy_input, stores_input })
    }
}

/// A file or folder as reports name it.
fn input(path: &Path, digest: String) -> Input {
    Input { path: path.display().to_string(), digest }
}

/// The stores in `folder` that `statements` name. One that cannot be used is kept as what it is, so that judgements that need
/// it end with an error; this fails where no statement can judge anything.
fn load_stores(folder: &Path, statements: &[Statement], console: Console) -> Result<TrustStores, CliError> {
    let names = statements.iter().flat_map(|statement| &statement.trust_stores);
    let stores = TrustStores::load(folder, names);
    stores.warnings().iter().for_each(|warning| console.diagnose(warning));
    let problems: Vec<_> = stores.problems().collect();
    let usable = |name: &StoreName| stores.get(name).is_ok();
    if statements.iter().any(|statement| statement.can_judge_with(usable)) || problems.is_empty() {
        problems.iter().for_each(|(_, problem)| console.warning(problem));
        return Ok(stores);
    }
    // What could not be read may be as it should be. A store that is wrong is to be mended first.
    let is_unread = |problem: &StoreProblem| matches!(problem, StoreProblem::Unreadable(_));
    if problems.iter().all(|(_, problem)| is_unread(problem)) {
        let messages: Vec<_> = problems.iter().map(|(_, problem)| problem.to_string()).collect();
        return Err(CliError::Undecided(messages.join("; ")));
    }
    // Where the folder itself is missing, every store of it says the same.
    let missing = problems.iter().all(|(_, problem)| matches!(problem, StoreProblem::Missing(_)));
    let told = if missing && !TrustStores::is_root(folder) { 1 } else { problems.len() };
    let messages = problems[..told].iter().map(|(name, problem)| format!("{problem} (trust store {name})"));
    Err(CliError::TrustStores(messages.collect()))
}

/// The file of the trust policy, which in a configuration folder is what `usual` says, and the folder that holds `x509`. Where
/// both are given no configuration folder is needed.
pub(super) fn places(
    args: &TrustInputArgs,
    usual: fn(&ConfigFolder) -> Result<PathBuf, ConfigFolderError>,
) -> Result<(PathBuf, PathBuf), ConfigFolderError> {
    let config = || ConfigFolder::here(args.config.as_deref());
    let policy = match &args.policy {
        Some(file) => file.clone(),
        None => usual(&config()?)?,
    };
    let stores = match &args.trust_store {
        Some(folder) => folder.clone(),
        None => config()?.trust_store(),
    };
    Ok((policy, stores))
}

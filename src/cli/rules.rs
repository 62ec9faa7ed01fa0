//! What a run judges by: trust policy, trust stores and time, loaded once before anything is asked of anybody.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use time::OffsetDateTime;

use super::args::TrustArgs;
use super::config_folder::{ConfigFolder, ConfigFolderError};
use super::console::Console;
use super::error::CliError;
use super::policy;
use crate::failure::quote;
use crate::policy::{Statement, TrustPolicy};
use crate::report::v1::Input;
use crate::rfc3339::instant_in_utc;
use crate::trust_store::{StoreName, StoreProblem, TrustStores};

/// What a run judges by.
pub(super) struct Rules {
    pub(super) policy: Arc<TrustPolicy>,
    pub(super) stores: Arc<TrustStores>,
    pub(super) at: OffsetDateTime,
    /// The policy as reports name it.
    pub(super) policy_input: Input,
    /// The trust stores as reports name them.
    pub(super) stores_input: Input,
}

impl Rules {
    /// Loads what `args` name, as of `now` where they name no time.
    pub(super) fn load(args: &TrustArgs, now: OffsetDateTime, console: Console) -> Result<Rules, CliError> {
        let places =
            places(args.config.as_deref(), args.policy.as_deref(), args.trust_store.as_deref(), ConfigFolder::policy);
        let (policy_file, store_folder) = places?;
        let policy = policy::load(&policy_file, console)?;
        let stores = stores(&store_folder, policy.statements(), console)?;
        Ok(Rules {
            at: args.at.unwrap_or(now),
            policy_input: input(&policy_file, policy.digest().to_string()),
            stores_input: input(&store_folder, stores.digest().to_string()),
            policy: Arc::new(policy),
            stores: Arc::new(stores),
        })
    }
}

/// A file or folder as reports name it.
pub(super) fn input(path: &Path, digest: String) -> Input {
    Input { path: path.display().to_string(), digest }
}

/// Prints the time, the trust policy and the trust stores of a run on standard error.
pub(super) fn print_trust_inputs(at: OffsetDateTime, policy: &Input, stores: &Input, console: Console) {
    console.detail(format_args!("judging as of {}", instant_in_utc(at)));
    for (what, input) in [("trust policy", policy), ("trust stores", stores)] {
        console.detail(format_args!("{what} {} {}", quote(&input.path), input.digest));
    }
}

/// The stores in `folder` that `statements` name. One that cannot be used is kept as what it is, so that judgements that need
/// it end with an error; this fails where no statement can judge anything.
pub(super) fn stores(folder: &Path, statements: &[Statement], console: Console) -> Result<TrustStores, CliError> {
    let names = statements.iter().flat_map(|statement| &statement.trust_stores);
    let stores = TrustStores::load(folder, names);
    stores.warnings().iter().for_each(|warning| console.diagnose(warning));
    let problems: Vec<_> = stores.problems().collect();
    let usable = |name: &StoreName| stores.get(name).is_ok();
    if statements.iter().any(|statement| statement.can_judge_with(usable)) || problems.is_empty() {
        problems.iter().for_each(|(_, problem)| console.warning(problem));
        return Ok(stores);
    }
    // Where the folder itself is missing, every store of it says the same.
    let missing = problems.iter().all(|(_, problem)| matches!(problem, StoreProblem::Missing(_)));
    let told = if missing && !TrustStores::is_root(folder) { 1 } else { problems.len() };
    let messages = problems[..told].iter().map(|(name, problem)| format!("{problem} (trust store {name})"));
    Err(CliError::TrustStores(messages.collect()))
}

/// The trust policy, which in a configuration folder is what `usual` says, and the folder that holds `x509`. Where both are
/// given no configuration folder is needed.
pub(super) fn places(
    config: Option<&Path>,
    policy: Option<&Path>,
    trust_store: Option<&Path>,
    usual: fn(&ConfigFolder) -> Result<PathBuf, ConfigFolderError>,
) -> Result<(PathBuf, PathBuf), ConfigFolderError> {
    let config = || ConfigFolder::here(config);
    let policy = match policy {
        Some(file) => file.to_owned(),
        None => usual(&config()?)?,
    };
    let stores = match trust_store {
        Some(folder) => folder.to_owned(),
        None => config()?.trust_store(),
    };
    Ok((policy, stores))
}

//! What a gateway is started with: a key, its certificates and policy, and who may ask.

use std::collections::BTreeMap;
use std::path::Path;

use super::{GatewayArgs, init};
use crate::cli::console::Console;
use crate::cli::error::CliError;
use crate::failure::quote;
use crate::forge::gateway::{Access, Role};
use crate::forge::{Key, Signer, Word as _};
use crate::limits;
use crate::named_file;
use crate::signer::{self, CertificateChainFile, Environment};
use crate::tsb::{Approver, KeyPolicy};

/// How many approvers of a group are named.
const NAMED: usize = 20;

/// The settings.
pub(super) struct Settings {
    pub(super) label: String,
    pub(super) key: Key,
    pub(super) chain: Option<Vec<Vec<u8>>>,
    pub(super) policy: Option<KeyPolicy>,
    pub(super) access: Access,
}

impl Settings {
    /// Those of the command line.
    ///
    /// # Errors
    ///
    /// What cannot be used, and why.
    pub(super) fn of(args: &GatewayArgs, console: Console) -> Result<Settings, CliError> {
        let (label, key, chain, policy) = match (&args.folder, &args.key) {
            (Some(folder), _) => {
                let key = folder.join(init::KEY).display().to_string();
                (init::LABEL.to_owned(), key, Some(folder.join(init::CHAIN)), Some(folder.join(init::POLICY)))
            }
            (None, Some(key)) => {
                let (label, key) = key
                    .split_once('=')
                    .filter(|(label, key)| !label.is_empty() && !key.is_empty())
                    .ok_or_else(|| CliError::Usage("--key is written LABEL=FILE or LABEL=pkcs11:…".to_owned()))?;
                (label.to_owned(), key.to_owned(), args.certificate_chain.clone(), args.policy.clone())
            }
            (None, None) => return Err(CliError::Usage("name a folder, or a key with --key".to_owned())),
        };
        let usage = |error: &dyn std::fmt::Display| CliError::Usage(error.to_string());
        let opened = match &chain {
            Some(chain) => {
                let chain = CertificateChainFile::load(chain).map_err(|error| usage(&error))?;
                let leaf = chain.certificates().first().ok_or_else(|| usage(&"the certificate chain is empty"))?;
                let opened = signer::open_certified(&key, &Environment::of_process(), leaf);
                let opened = opened.map_err(|error| usage(&error))?;
                let signer = Signer::holding(opened.signer.clone(), &chain).map_err(|error| usage(&error))?;
                (signer.key, Some(signer.chain), opened.warnings)
            }
            None => {
                let opened = signer::open(&key, &Environment::of_process()).map_err(|error| usage(&error))?;
                (Key::held_by(opened.signer), None, opened.warnings)
            }
        };
        let (key, chain, warnings) = opened;
        warnings.iter().for_each(|warning| console.warning(warning));
        let policy = policy.map(|path| read_policy(&path)).transpose()?;
        Ok(Settings { label, key, chain, policy, access: access(args, console)? })
    }
}

fn read_policy(path: &Path) -> Result<KeyPolicy, CliError> {
    let name = quote(&path.display().to_string());
    let file = named_file::read(path, limits::GATEWAY_REQUEST_BYTES as u64)
        .map_err(|problem| CliError::Usage(format!("the policy {name} {problem}")))?;
    serde_json::from_slice(&file.bytes)
        .map_err(|error| CliError::Usage(format!("the policy {name} is not one of Smart Key Attributes: {error}")))
}

fn access(args: &GatewayArgs, console: Console) -> Result<Access, CliError> {
    let read = |what: &str, path: &Path| {
        let name = signer::name_of_secret(path);
        let file = named_file::read(path, limits::GATEWAY_SECRETS_BYTES);
        let file = file.map_err(|problem| CliError::Usage(format!("the {what} {name} {problem}")))?;
        if file.open_to_others {
            console.warning(signer::open_to_others(&format!("{what} {name}")));
        }
        Ok::<_, CliError>((name, file))
    };
    let mut access = Access::default();
    if let Some(path) = &args.token_file {
        let (name, file) = read("token file", path)?;
        let token = std::str::from_utf8(&file.bytes).ok().map(str::trim).filter(|token| signer::fits_header(token));
        let token = token.ok_or_else(|| CliError::Usage(format!("the token file {name} holds no token on a line")))?;
        access.bearer.push(token.to_owned());
    }
    if let Some(path) = &args.api_keys {
        let (name, file) = read("file of API keys", path)?;
        // What a parser would say may hold a key.
        let keys: BTreeMap<String, Vec<String>> = serde_json::from_slice(&file.bytes).map_err(|_| {
            CliError::Usage(format!("the file of API keys {name} is not an object of lists of texts, by role, in JSON"))
        })?;
        for (role, keys) in keys {
            let known = Role::of(&role).ok_or_else(|| {
                let roles: Vec<&str> = Role::ALL.iter().map(|role| role.as_str()).collect();
                CliError::Usage(format!("the file of API keys {name} has a role that is none of {}", roles.join(", ")))
            })?;
            if keys.is_empty() || !keys.iter().all(|key| signer::fits_header(key)) {
                return Err(CliError::Usage(format!(
                    "the file of API keys {name} has no key of the role {role}, or one that is empty or has blanks: leave the \
                     role out if it needs no key"
                )));
            }
            access.api_keys.insert(known, keys);
        }
    }
    Ok(access)
}

/// Whose approval a policy needs, for people.
pub(super) fn needs(policy: &KeyPolicy) -> String {
    let tokens = policy.rule_use.as_ref().map(|rule| rule.tokens.as_slice()).unwrap_or_default();
    let time = |seconds: u64| match seconds {
        0 => None,
        seconds if seconds.is_multiple_of(3600) => Some(format!("{} h", seconds / 3600)),
        seconds if seconds.is_multiple_of(60) => Some(format!("{} min", seconds / 60)),
        seconds => Some(format!("{seconds} s")),
    };
    let alternatives: Vec<String> = tokens
        .iter()
        .map(|token| {
            let groups: Vec<String> = token
                .groups
                .iter()
                .map(|group| {
                    let names: Vec<String> = group.approvals.iter().take(NAMED).map(called).collect();
                    let others = group.approvals.len().saturating_sub(NAMED);
                    let others = if others > 0 { format!(" and {others} others") } else { String::new() };
                    format!("{} of {}{others}", group.quorum, names.join(", "))
                })
                .collect();
            let mut text = if groups.is_empty() { "no approval".to_owned() } else { groups.join(" and ") };
            if let Some(timeout) = time(token.timeout) {
                text.push_str(&format!(", within {timeout}"));
            }
            if let Some(timelock) = time(token.timelock) {
                text.push_str(&format!(", and signs after {timelock}"));
            }
            text
        })
        .collect();
    if alternatives.is_empty() { "no approval".to_owned() } else { alternatives.join("; or ") }
}

fn called(approver: &Approver) -> String {
    match approver {
        Approver::PublicKey { name: Some(name), .. }
        | Approver::Certificate { name: Some(name), .. }
        | Approver::OnboardedApproverCertificate { name } => quote(name),
        Approver::PublicKey { name: None, .. } => "a public key".to_owned(),
        Approver::Certificate { name: None, .. } => "a certificate".to_owned(),
    }
}

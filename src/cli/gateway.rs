//! `muster gateway`: the test bench's broker by itself, so that people can try by hand what approvals do.
//!
//! It is for trying: the key that it signs with is in a file or a token that this user can use, and what it does where the vendor's
//! documentation is silent is a guess ([`crate::tsb::undocumented`]). It listens on this machine alone. Secrets come from files.

mod events;
mod init;
mod settings;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueHint};

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use crate::failure::quote;
use crate::forge::gateway::{Gateway, GatewayClock, GatewaySetup};
use crate::report::printable;
use crate::signer::forbid_core_dumps;
use crate::signer::pkcs11::uri::percent_encoded;
use crate::tsb::{ApprovalRule, KeyPolicy};

use settings::Settings;

/// The port that is listened at, and that approvers ask, unless it is said.
pub(super) const PORT: u16 = 7403;

/// Hold a key that signs only when enough people agree, to try approvals by hand
///
/// Answers as a Transaction Security Broker does, on this machine, until Ctrl-C. What the vendor does not document is a guess:
/// see docs/approvals.md.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true, after_help = AFTER_HELP)]
pub(super) struct GatewayArgs {
    #[command(subcommand)]
    command: Option<GatewayCommand>,

    /// Folder that `muster gateway init` made
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath, required_unless_present = "key")]
    folder: Option<PathBuf>,

    /// Label of the key, and its PEM file or pkcs11: URI, whose PIN comes from its pin-source or from MUSTER_PKCS11_PIN
    #[arg(long, value_name = "LABEL=KEY", conflicts_with = "folder", help_heading = "Key")]
    key: Option<String>,

    /// PEM file with the certificates of --key, its own first, the root last
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key", help_heading = "Key")]
    certificate_chain: Option<PathBuf>,

    /// JSON file with the policy of --key (Smart Key Attributes) [default: it signs without approvals]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "key", help_heading = "Key")]
    policy: Option<PathBuf>,

    /// Take timelocks and timeouts that are no whole minutes, which the vendor does not
    #[arg(long, help_heading = "Key")]
    short_times: bool,

    /// Port of this machine to listen at, 0 for any free one
    #[arg(long, value_name = "PORT", default_value_t = PORT, help_heading = "Server")]
    port: u16,

    /// File with the bearer token that signers have to show
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Server")]
    token_file: Option<PathBuf>,

    /// JSON file with API keys by role: {"keyOperationToken": ["…"], "approverToken": ["…"]}; a role without any needs none
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "Server")]
    api_keys: Option<PathBuf>,
}

/// How often it is looked whether anything falls due.
const TICK: Duration = Duration::from_secs(1);

/// Whether a rule lists no token, so that it needs no approval.
fn needs_no_approval(rule: Option<&ApprovalRule>) -> bool {
    rule.is_none_or(|rule| rule.tokens.is_empty())
}

#[derive(Debug, Subcommand)]
enum GatewayCommand {
    Init(init::InitArgs),
}

const AFTER_HELP: &str = "\
Examples:
  muster gateway init demo --approvers alice,bob,carol --quorum 2
  muster gateway demo
  muster gateway --key release=release.key --certificate-chain release.crt --policy policy.json
  muster gateway --key 'release=pkcs11:token=release;object=builder?pin-source=file:/run/secrets/pin' --policy policy.json

Exit codes:
  0    the folder was made
  2    wrong usage, or a key, certificates or a policy that cannot be used
  3    it cannot listen at the port, or the folder cannot be written
  130  ended by Ctrl-C or SIGTERM";

/// Makes a folder, or serves until the program is ended.
pub(super) fn run(args: GatewayArgs) -> Result<Exit, CliError> {
    forbid_core_dumps();
    let console = Console::new(false);
    if let Some(GatewayCommand::Init(init)) = args.command {
        return init::run(&init, console);
    }
    let settings = Settings::of(&args, console)?;
    let watcher = events::told_by(move |line| console.detail(line)).map_err(CliError::Start)?;
    let setup = GatewaySetup {
        clock: GatewayClock::Wall,
        access: settings.access,
        short_times: args.short_times,
        port: args.port,
        watcher: Some(watcher),
    };
    let gateway = Gateway::start(setup)
        .map_err(|error| CliError::Undecided(format!("the gateway cannot listen at port {}: {error}", args.port)))?;
    let (label, kind) = (settings.label, settings.key.kind());
    let added = gateway.add_key(&label, settings.key, settings.chain, settings.policy.clone());
    added.map_err(|error| CliError::Usage(error.to_string()))?;
    let needs = settings.policy.as_ref().map_or_else(|| "no approval".to_owned(), settings::needs);
    let guarded = |policy: &KeyPolicy| {
        needs_no_approval(policy.rule_use.as_ref()) || !needs_no_approval(policy.rule_modify.as_ref())
    };
    if settings.policy.as_ref().is_some_and(|policy| !guarded(policy)) {
        console.warning("every client can give the key another policy without approvals: ruleModify lists no token");
    }
    let url = gateway.url();
    let mut text = format!(
        "The gateway listens at {url} until Ctrl-C.\nIts key {} ({}) needs {needs}.\n",
        quote(&label),
        kind.as_str()
    );
    let folder = args.folder.as_ref().map(|folder| printable(&folder.display().to_string()).to_string());
    let (chain, approver) = match &folder {
        Some(folder) => (format!("{folder}/{}", init::CHAIN), format!("{folder}/approvers/NAME.key")),
        None => ("FILE".to_owned(), "FILE".to_owned()),
    };
    // The usual port stands in the folder, and is where approvers ask unless they are told.
    let (key, there) = match &folder {
        Some(folder) if args.port == PORT => (format!("--config {folder} --key {}", init::LABEL), String::new()),
        _ => {
            let label = percent_encoded(label.as_bytes());
            (format!("--key 'tsb:{label}?url={url}' --certificate-chain {chain}"), format!(" --url {url}"))
        }
    };
    text.push_str(&format!(
        "Sign with it:    muster sign {key} IMAGE\n\
         See what waits:  muster approve --list --key {approver}{there}\n\
         Approve:         muster approve REQUEST --key {approver}{there}\n"
    ));
    console.print(text);
    // A signal ends the program, and with it the gateway. What falls due is told in its second, though no client asks.
    loop {
        std::thread::sleep(TICK);
        gateway.now();
    }
}

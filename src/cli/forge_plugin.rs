//! `muster forge-plugin`: behaves as a plugin for tests, for hosts that run the script which the forge has written.
//!
//! Hidden from --help: only generated scripts call it. Its streams and its exit code are the plugin's, not this program's.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;

use crate::forge::plugin;

/// Behave as a plugin for tests
#[derive(Debug, Args)]
#[command(hide = true)]
pub(super) struct ForgePluginArgs {
    /// File that says how to behave
    behaviour: PathBuf,

    /// Command of the plugin contract
    command: String,
}

pub(super) fn run(args: &ForgePluginArgs) -> ExitCode {
    // Each stream is taken without a lock, which a plugin that never ends would keep.
    let code = plugin::perform(&args.behaviour, &args.command, std::io::stdin(), std::io::stdout(), std::io::stderr());
    ExitCode::from(code)
}

//! The command line: one file a command.
//!
//! Results go to standard output, everything about them to standard error, and the exit code tells scripts which way it
//! went ([`Exit`]). What a command ends with instead of a result is one enum (`CliError`), printed here and nowhere else.
//! Nothing waits for a terminal but `muster approve`, which asks.

#[cfg(feature = "testbench")]
mod approve;
mod args;
mod artifact;
mod audit;
mod blob;
mod config_folder;
mod console;
mod error;
mod exit;
#[cfg(feature = "testbench")]
mod forge_plugin;
mod gate;
#[cfg(feature = "testbench")]
mod gateway;
mod inspect;
mod interrupt;
mod list;
mod open_files;
mod plugins;
mod policy;
mod progress;
mod registry_access;
#[cfg(feature = "containers")]
mod remove_containers;
mod revocation;
mod run;
mod schema;
mod session;
mod sign;
mod target;
mod target_list;
#[cfg(feature = "testbench")]
mod test;
#[cfg(feature = "pkcs11")]
mod token;
mod tree;
mod trust_inputs;
mod user_folder;
mod verify;

use std::process::ExitCode;

use clap::{ColorChoice, Parser, Subcommand};

use crate::shortage;
use console::Console;
use error::CliError;

pub use exit::Exit;

/// Verifies Notary Project signatures over whole registries: do they pass muster?
#[derive(Debug, Parser)]
#[command(name = "muster", version, max_term_width = 120, arg_required_else_help = true)]
#[command(after_help = Exit::help(), disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Colour: auto asks the terminal and the variables NO_COLOR, CLICOLOR and CLICOLOR_FORCE
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", help_heading = "Output")]
    color: ColorChoice,
}

#[derive(Debug, Subcommand)]
enum Command {
    Verify(verify::VerifyArgs),
    Audit(audit::AuditArgs),
    Sign(sign::SignArgs),
    #[command(visible_alias = "ls")]
    List(list::ListArgs),
    Inspect(inspect::InspectArgs),
    #[command(subcommand)]
    Blob(blob::BlobCommand),
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    #[cfg(feature = "testbench")]
    Test(test::TestArgs),
    #[cfg(feature = "testbench")]
    Gateway(gateway::GatewayArgs),
    #[cfg(feature = "testbench")]
    Approve(approve::ApproveArgs),
    #[cfg(feature = "pkcs11")]
    #[command(subcommand)]
    Token(token::TokenCommand),
    Schema(schema::SchemaArgs),
    #[cfg(feature = "testbench")]
    ForgePlugin(forge_plugin::ForgePluginArgs),
    #[cfg(feature = "containers")]
    RemoveContainers(remove_containers::RemoveContainersArgs),
}

impl Command {
    /// Whether the command may have many connections open at a time.
    fn asks_much(&self) -> bool {
        #[cfg(feature = "testbench")]
        return matches!(self, Command::Verify(_) | Command::Audit(_) | Command::Test(_));
        #[cfg(not(feature = "testbench"))]
        matches!(self, Command::Verify(_) | Command::Audit(_))
    }

    /// Whether the command behaves as a plugin for tests, which dies of signals as other plugins do.
    fn is_plugin(&self) -> bool {
        #[cfg(feature = "testbench")]
        return matches!(self, Command::ForgePlugin(_));
        #[cfg(not(feature = "testbench"))]
        false
    }
}

/// Runs the program with the arguments it was started with.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version arrive here too; a reader that has gone away is no fault.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { Exit::Usage.code() } else { Exit::Success.code() });
        }
    };
    Console::choose_color(cli.color);
    if !cli.command.is_plugin() {
        let reports = match &cli.command {
            Command::Audit(_) | Command::Verify(_) => true,
            Command::Blob(command) => command.reports(),
            _ => false,
        };
        if cli.command.asks_much() {
            open_files::raise();
        }
        if let Err(error) = open_files::check() {
            let error = CliError::Start(error);
            error.print(Console::new(false));
            return error.exit().into();
        }
        interrupt::heed(reports);
    }
    let before = shortage::Before::now();
    let ended = match cli.command {
        Command::Verify(args) => verify::run(args),
        Command::Audit(args) => audit::run(args),
        Command::Sign(args) => sign::run(&args),
        Command::List(args) => list::run(&args),
        Command::Inspect(args) => inspect::run(&args),
        Command::Blob(command) => blob::run(command),
        Command::Policy(command) => policy::run(command, Console::new(false)),
        #[cfg(feature = "testbench")]
        Command::Test(args) => test::run(&args),
        #[cfg(feature = "testbench")]
        Command::Gateway(args) => gateway::run(args),
        #[cfg(feature = "testbench")]
        Command::Approve(args) => approve::run(&args),
        #[cfg(feature = "pkcs11")]
        Command::Token(command) => token::run(command),
        Command::Schema(args) => Ok(schema::run(&args, Console::new(false))),
        #[cfg(feature = "testbench")]
        Command::ForgePlugin(args) => return forge_plugin::run(&args),
        #[cfg(feature = "containers")]
        Command::RemoveContainers(args) => remove_containers::run(&args),
    };
    interrupt::tidy();
    let exit = ended.unwrap_or_else(|error| {
        let console = Console::new(false);
        error.print(console);
        match before.met_since() {
            // What could not be read because of that may be as it should be.
            Some(shortage) if error.exit() == Exit::Usage => {
                console.detail(shortage);
                Exit::Undecided
            }
            _ => error.exit(),
        }
    });
    exit.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}

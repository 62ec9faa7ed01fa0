//! `muster verify`: the gate, a stand-in for `notation verify`.
//!
//! Takes the reference implementation's flags and prints its line on success, so that scripts go on working. What it
//! does beyond: several references at once, exit codes that tell trouble from failure, reports.

mod notation_output;

use std::collections::{BTreeMap, HashSet};

use clap::Args;

use super::args::parse_pair;
use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::run::{self, Ended, NOTHING_DECIDED, Request, RunArgs};
use super::{session, target};
use crate::audit::{Judged, Platforms};
use crate::failure::quote;
use crate::report::v1::Header;
use crate::verifier::VerifierBuilder;

pub(super) use notation_output::NotationOutput;

/// Verify artifacts, as `notation verify` does
///
/// Says on standard output which artifacts are verified and on standard error why others are not.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct VerifyArgs {
    #[arg(required = true, value_name = "REF", help = target::help_of_one())]
    pub(super) references: Vec<String>,

    /// Require that the signature carries this metadata
    #[arg(short = 'm', long, value_name = "KEY=VALUE", value_parser = parse_pair)]
    pub(super) user_metadata: Vec<(String, String)>,

    /// Take REF as PATH@DIGEST or PATH:TAG in an OCI layout
    #[arg(long)]
    pub(super) oci_layout: bool,

    /// Of image indexes, also require it of each manifest for OS/ARCHITECTURE[/VARIANT], or of all; else the index covers
    /// what it lists
    #[arg(long, value_name = "PLATFORM")]
    pub(super) platform: Vec<String>,

    #[command(flatten)]
    run: RunArgs,

    /// Tell every validation of every signature on standard error
    #[arg(short, long, help_heading = "Output")]
    pub(super) verbose: bool,

    /// Like --verbose, and tell by what is judged
    #[arg(short, long, help_heading = "Output")]
    pub(super) debug: bool,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster verify registry.acme-rockets.io/software/net-monitor@sha256:…
  muster verify --oci-layout ./layout:v1 --scope registry.acme-rockets.io/software/net-monitor
  muster verify -m buildId=101 -o junit=report.xml registry.acme-rockets.io/software/net-monitor:v1
";
    format!("{examples}\n{}", Exit::help())
}

/// Verifies.
pub(super) fn run(args: VerifyArgs) -> Result<Exit, CliError> {
    let console = Console::new(args.run.output.quiet);
    let targets: Result<Vec<_>, _> = args.references.iter().map(|text| target::single(text, args.oci_layout)).collect();
    let targets = targets.map_err(CliError::Usage)?;
    target::check_gate(&targets, args.run.trust.scope.as_ref()).map_err(CliError::Usage)?;
    let platforms = Platforms::read(&args.platform).map_err(|error| CliError::Usage(error.to_string()))?;
    let user_metadata = user_metadata(&args.user_metadata).map_err(CliError::Usage)?;
    let (verbose, debug) = (args.verbose || args.debug, args.debug);
    let tags: HashSet<String> = targets.iter().filter(|target| target.is_tag()).map(ToString::to_string).collect();
    let layout = match targets.as_slice() {
        [only] => only.in_files().map(|(_, path)| path.to_owned()),
        _ => None,
    };
    let request = Request { targets, written: args.references, args: args.run, progress: false };
    let configure = |builder: VerifierBuilder| builder.platforms(platforms).user_metadata(user_metadata);
    let ready = |header: &Header| {
        if debug {
            session::print_trust_inputs(header, console);
        }
    };
    let judged = |judged: &Judged, stdout_is_free: bool| {
        let output = NotationOutput {
            console,
            judged,
            by_tag: judged.part_of.is_none() && judged.attached_to.is_none() && tags.contains(&judged.reference),
            layout: layout.as_deref(),
            stdout_is_free,
        };
        if verbose {
            output.print_signatures();
        }
        output.print_result();
    };
    let Ended { summary, exit } = run::run(request, console, configure, ready, judged)?;
    summary.exemptions().iter().for_each(|exempted| console.note(exempted));
    match exit {
        Exit::Nothing => Err(CliError::Nothing(NOTHING_DECIDED.to_owned())),
        exit => Ok(exit),
    }
}

/// The metadata that `pairs` ask for. The error is one sentence.
pub(super) fn user_metadata(pairs: &[(String, String)]) -> Result<BTreeMap<String, String>, String> {
    let mut wanted = BTreeMap::new();
    for (key, value) in pairs {
        if wanted.insert(key.clone(), value.clone()).is_some_and(|before| before != *value) {
            return Err(format!("--user-metadata asks for two values of {}", quote(key)));
        }
    }
    Ok(wanted)
}

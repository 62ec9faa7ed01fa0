//! `muster audit`: every artifact that the targets hold, judged and reported.

use std::io;

use clap::Args;

use super::console::Console;
use super::error::CliError;
use super::exit::Exit;
use super::run::{self, Ended, NOTHING_DECIDED, Request, RunArgs};
use super::{target, target_list};
use crate::audit::{Also, Filter, Platforms};
use crate::failure::quote;
use crate::report::Output;
use crate::report::v1::Summary;
use crate::verifier::VerifierBuilder;

/// Judge every artifact that the targets hold, and report
///
/// What a tag names is an artifact; all its signatures are judged by the trust policy, all their validations listed. An
/// image index that passes covers the manifests that it lists. Build attestations, build caches, cosign's tags and lists of
/// referrers are counted. Trouble with the network is reported as such: never as a bad signature, never as a missing one.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct AuditArgs {
    #[arg(required = true, value_name = "TARGET", help = target::help())]
    pub(super) targets: Vec<String>,

    /// Only artifacts whose HOST/REPOSITORY or HOST/REPOSITORY:TAG matches; * stays within a part, ** crosses /. Of other
    /// repositories nothing is asked
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    pub(super) include: Vec<String>,

    /// No artifacts whose HOST/REPOSITORY or HOST/REPOSITORY:TAG matches
    #[arg(long, value_name = "GLOB", help_heading = "Selection")]
    pub(super) exclude: Vec<String>,

    /// Of image indexes, judge each manifest for OS/ARCHITECTURE[/VARIANT] too, or all; else the index covers what it lists
    #[arg(long, value_name = "PLATFORM", help_heading = "Selection")]
    pub(super) platform: Vec<String>,

    /// Judge what is attached to each artifact too, by its own signatures: SBoMs, attestations, scan results
    #[arg(long, help_heading = "Selection")]
    pub(super) referrers: bool,

    #[arg(long, value_name = "KIND", help_heading = "Selection", help = also_help(), long_help = also_long_help())]
    pub(super) also: Vec<String>,

    #[command(flatten)]
    run: RunArgs,
}

fn also_help() -> String {
    format!("Judge what is else passed over and counted: {}", Also::words().join(", "))
}

fn also_long_help() -> String {
    let kinds: Vec<_> = Also::explained().map(|(word, what)| format!("  {word:<18}  {what}")).collect();
    format!("Judge what is else passed over and counted\n\n{}", kinds.join("\n"))
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster audit registry.acme-rockets.io
  muster audit registry.acme-rockets.io --include '**/net-*' -o table -o junit=report.xml
  muster audit oci:./layout --scope registry.acme-rockets.io/software/net-monitor
  muster audit @artifacts.txt --at 2027-01-01 -o ndjson | jq -r 'select(.result == \"fail\").artifact'
";
    format!("{examples}\n{}", Exit::help())
}

/// Runs an audit.
pub(super) fn run(mut args: AuditArgs) -> Result<Exit, CliError> {
    let console = Console::new(args.run.output.quiet);
    if args.run.registry.access.password_stdin && args.targets.iter().any(|target| target == "-") {
        let message = "standard input cannot be both the list of targets and the password";
        return Err(CliError::Usage(message.to_owned()));
    }
    let found = target_list::read(&args.targets, io::stdin()).map_err(CliError::Targets)?;
    if found.duplicates > 0 {
        match found.duplicates {
            1 => console.note("1 target was named before; it is judged once"),
            several => console.note(format_args!("{several} targets were named before; each is judged once")),
        }
    }
    let platforms = Platforms::read(&args.platform).map_err(|error| CliError::Usage(error.to_string()))?;
    let also = Also::read(&args.also).map_err(|error| CliError::Usage(error.to_string()))?;
    let filter = Filter::new(&args.include, &args.exclude).map_err(|error| CliError::Usage(error.to_string()))?;
    if args.run.output.output.is_empty() {
        args.run.output.output.push(Output::usual());
    }
    let stdout = args.run.output.output.iter().find(|output| output.path.is_none()).cloned();

    let request = Request { targets: found.targets, written: args.targets, args: args.run, progress: true };
    let referrers = args.referrers;
    let configure = |builder: VerifierBuilder| {
        let builder = builder.filter(filter).platforms(platforms).also(also);
        if referrers { builder.referrers() } else { builder }
    };
    let Ended { summary, exit } = run::run(request, console, configure, |_| {}, |_, _| {})?;
    // A report on standard output says it, if it has a summary.
    let remarks = match stdout {
        None => {
            console.note(&summary);
            summary.remarks().into_iter().chain(partial(&summary)).collect()
        }
        Some(output) if output.has_summary() => Vec::new(),
        Some(_) => summary.aside.missing_platforms().into_iter().chain(partial(&summary)).collect(),
    };
    remarks.iter().for_each(|remark| console.note(remark));
    match exit {
        Exit::Nothing if summary.results.error > 0 => Err(CliError::Nothing(NOTHING_DECIDED.to_owned())),
        Exit::Nothing => Err(CliError::Nothing(nothing(&summary, &args.include))),
        exit => Ok(exit),
    }
}

/// What the report does not hold because lists broke off.
fn partial(summary: &Summary) -> Option<String> {
    summary.aside.incomplete_lists.sentence().map(|reason| format!("the report is partial: {reason}"))
}

/// Why nothing was selected, and what to do.
fn nothing(summary: &Summary, include: &[String]) -> String {
    let mut why =
        "nothing was selected: there is no artifact in the targets, or --include and --exclude leave none, or \
                   everything is passed over"
            .to_owned();
    if summary.aside.lists.empty_catalogs > 0 {
        why.push_str(
            "; the catalog is empty, as it always is where a registry lists nothing there: name repositories \
             (HOST/REPOSITORY, or a list of them, @FILE)",
        );
    }
    if let Some(glob) = include.first() {
        why.push_str("; globs are held against HOST/REPOSITORY and HOST/REPOSITORY:TAG, not against REPOSITORY alone");
        let first = glob.split('/').next().unwrap_or_default();
        if !first.starts_with('*') && !first.contains(['.', ':']) {
            why.push_str(&format!(": without a host, write {}", quote(&format!("**/{glob}"))));
        }
    }
    why
}

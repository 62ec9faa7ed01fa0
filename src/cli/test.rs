//! `muster test`: scenarios – worlds that are built, played and judged, with what must come out.

mod registry_kind;
mod restart;

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum, ValueHint};

use super::console::Console;
use super::exit::Exit;
use super::interrupt;
use crate::audit::Interrupt;
use crate::report::{Destination, Format, Output};
use crate::scenario::{self, CaseResult, Ending, Keystore, Options, RegistryKind, Selected, Tally, report};

/// Run scenarios, and see whether policies decide as they should
///
/// A scenario says what the world looks like, what happens in it and what must come out. Each case gets a world of its
/// own, with real registries, keys and certificates, and is judged by the same engine as an audit. Time is the
/// scenario's own.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct TestArgs {
    /// Scenario files, or folders that hold them [default: ./scenarios]
    #[arg(value_name = "PATH", value_hint = ValueHint::AnyPath)]
    pub(super) paths: Vec<PathBuf>,

    /// Only cases whose name holds this, or matches it where it is a glob
    #[arg(long, value_name = "FILTER", help_heading = "Selection")]
    pub(super) run: Option<String>,

    /// Run slow scenarios too; where --run selects them, they are run in any case
    #[arg(long, help_heading = "Selection")]
    pub(super) slow: bool,

    /// Say which cases there are, and run none
    #[arg(long, help_heading = "Selection")]
    pub(super) list: bool,

    /// What answers as a registry: embedded, oras, container=IMAGE or external=HOST, in the place of what scenarios say
    #[arg(long, value_name = "KIND", value_parser = registry_kind::parse, help_heading = "World")]
    pub(super) registry: Option<RegistryKind>,

    /// Where signing keys live, in the place of what scenarios say
    #[arg(long, value_name = "KIND", help_heading = "World")]
    pub(super) keystore: Option<KeystoreWord>,

    /// Leave the worlds up after the last case, say how to reach them, and wait for Ctrl-C
    #[arg(long, conflicts_with = "list", help_heading = "World")]
    pub(super) keep: bool,

    /// Begin nothing more after the first case that does not pass
    #[arg(long, help_heading = "Run")]
    pub(super) fail_fast: bool,

    /// How many cases run at a time [default: the number of processors]
    #[arg(short, long, value_name = "N", help_heading = "Run")]
    pub(super) jobs: Option<usize>,

    /// Rewrite expectations so that they say what came out; comments stay
    #[arg(long, conflicts_with_all = ["list", "run", "registry", "keystore", "fail_fast"], help_heading = "Run")]
    pub(super) accept: bool,

    /// Write a report: table, json, ndjson or junit, to a file or standard output; may be given several times
    #[arg(short, long, value_name = "FORMAT[=PATH]", help_heading = "Output")]
    pub(super) output: Vec<Output>,

    /// No notes on standard error, and only cases that do not pass in the table
    #[arg(short, long, help_heading = "Output")]
    pub(super) quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum KeystoreWord {
    /// In the process, as from a key file
    File,
    /// In a throw-away SoftHSM token
    Softhsm,
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster test
  muster test scenarios/expiry --run '*jws*' -o table -o junit=scenarios.xml
  muster test --list
  muster test my-scenario.yaml --accept
";
    format!("{examples}\n{}", Exit::help())
}

/// Runs scenarios.
pub(super) fn run(args: TestArgs) -> Exit {
    let console = Console::new(args.quiet);
    match test(&args, console) {
        Ok(exit) | Err(exit) => exit,
    }
}

fn test(args: &TestArgs, console: Console) -> Result<Exit, Exit> {
    let cases = select(args, console)?;
    if args.list {
        let width = cases.iter().map(|selected| selected.case.id.chars().count()).max().unwrap_or(0);
        for selected in &cases {
            let title = crate::report::printable(&selected.title);
            console.print(format_args!("{:width$}  {title}\n", crate::report::printable(&selected.case.id)));
        }
        return Ok(Exit::Success);
    }
    let options = options(args);
    if scenario::needs_softhsm(&cases, &options)
        && let Some(exit) = restart::with_softhsm(console)
    {
        return Ok(exit);
    }
    let outputs = outputs(args, console)?;
    let streamed = outputs.iter().any(|(output, _)| output.format == Format::Table && output.path.is_none());
    let (results, tally) = play(args, cases, options, streamed, console)?;
    write(outputs, &results, &tally, streamed, console)?;
    if args.accept {
        return Ok(accept(&results, console));
    }
    Ok(exit(&tally, console))
}

/// The reports that are wanted, their files open: what cannot be written is known before anything is run.
fn outputs(args: &TestArgs, console: Console) -> Result<Vec<(Output, Destination)>, Exit> {
    let mut wanted = args.output.clone();
    if wanted.is_empty() {
        wanted.push(Output { format: Format::Table, path: None });
    }
    let mut open: Vec<(Output, Destination)> = Vec::new();
    for output in wanted {
        if open.iter().any(|(other, _)| other.path == output.path) {
            console.error("two outputs go to the same place; give all but one a file: FORMAT=PATH");
            return Err(Exit::Usage);
        }
        let destination = match &output.path {
            None => Ok(Destination::stdout()),
            Some(path) => Destination::file(path),
        };
        let destination = destination.map_err(|error| {
            console.error(format_args!("cannot write the report {output}: {error}"));
            Exit::Usage
        })?;
        open.push((output, destination));
    }
    Ok(open)
}

fn select(args: &TestArgs, console: Console) -> Result<Vec<Selected>, Exit> {
    let usual = [PathBuf::from("scenarios")];
    let paths = if args.paths.is_empty() { &usual[..] } else { &args.paths };
    let scenarios = scenario::load(paths).map_err(|errors| {
        errors.iter().for_each(|error| console.diagnose(error));
        Exit::Usage
    })?;
    let cases = scenario::select(&scenarios, args.run.as_deref()).map_err(|error| {
        console.error(format_args!("--run: {error}"));
        Exit::Usage
    })?;
    if cases.is_empty() {
        console.error("nothing was selected: there is no scenario in the paths, or --run leaves none");
        return Err(Exit::Nothing);
    }
    Ok(cases)
}

fn options(args: &TestArgs) -> Options {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Options {
        jobs: args.jobs.unwrap_or(processors),
        fail_fast: args.fail_fast,
        keep: args.keep,
        registry: args.registry.clone(),
        keystore: args.keystore.map(|word| match word {
            KeystoreWord::File => Keystore::File,
            KeystoreWord::Softhsm => Keystore::SoftHsm,
        }),
        slow: args.slow || args.run.is_some(),
        program: std::env::current_exe().ok(),
    }
}

fn play(
    args: &TestArgs,
    cases: Vec<Selected>,
    options: Options,
    streamed: bool,
    console: Console,
) -> Result<(Vec<CaseResult>, Tally), Exit> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(|error| {
        console.error(format_args!("cannot start: {error}"));
        Exit::Undecided
    })?;
    let interrupt = Arc::new(Interrupt::default());
    let mut results = Vec::new();
    let played = runtime.block_on(async {
        interrupt::listen(&interrupt, console);
        if let Some(kind) = &args.registry
            && let Err(error) = scenario::check_registry(kind).await
        {
            console.error(format_args!("--registry: {error}"));
            return Err(Exit::Undecided);
        }
        let tally = scenario::run(cases, options, &interrupt, |result| {
            if streamed && !(args.quiet && result.ending == Ending::Pass) {
                console.print(report::case(&result, Console::colors_stdout()));
            }
            results.push(result);
        })
        .await;
        if args.keep {
            keep(&mut results, &interrupt, console).await;
        }
        Ok((tally, results))
    });
    // Worlds have stopped what would go on by itself; nothing else is left to wait for.
    runtime.shutdown_background();
    let (tally, results) = played?;
    let tally = Tally { partial: tally.partial || interrupt.is_raised() && !args.keep, ..tally };
    Ok((results, tally))
}

/// Says how the worlds are reached, and waits for the end.
async fn keep(results: &mut [CaseResult], interrupt: &Interrupt, console: Console) {
    for result in &*results {
        let Some(world) = &result.world else { continue };
        console.detail(format_args!("{}", crate::report::printable(&result.id)));
        for (host, address) in world.registries() {
            console.detail(format_args!("  {host} is reached at {address}"));
        }
        console.detail(format_args!("  --trust-store {}", world.trust_store().display()));
    }
    console.detail("the worlds stay up until Ctrl-C");
    while !interrupt.is_raised() {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    for world in results.iter_mut().filter_map(|result| result.world.take()) {
        if let Err(error) = world.stop().await {
            console.warning(error);
        }
    }
}

fn write(
    outputs: Vec<(Output, Destination)>,
    results: &[CaseResult],
    tally: &Tally,
    streamed: bool,
    console: Console,
) -> Result<(), Exit> {
    for (output, mut destination) in outputs {
        let written = match (output.format, &output.path) {
            (Format::Table, None) => destination.write_all(report::summary(results, tally).as_bytes()),
            (format, _) => report::write(report_format(format), results, tally, &mut destination),
        };
        let finished = written.and_then(|()| destination.finish());
        if let Err(error) = finished.or_else(closed) {
            console.error(format_args!("cannot go on with the report {output}: {error}"));
            return Err(Exit::Undecided);
        }
    }
    if !streamed {
        console.note(report::summary(results, tally).trim_end());
    }
    Ok(())
}

/// A reader that goes away is no fault.
fn closed(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) }
}

fn report_format(format: Format) -> report::Format {
    match format {
        Format::Table => report::Format::Table,
        Format::Json => report::Format::Json,
        Format::Ndjson => report::Format::Ndjson,
        Format::Junit => report::Format::Junit,
    }
}

/// Rewrites the expectations of every file in which something came out otherwise.
fn accept(results: &[CaseResult], console: Console) -> Exit {
    let mut files: BTreeMap<&PathBuf, Vec<&CaseResult>> = BTreeMap::new();
    for result in results {
        files.entry(&result.file).or_default().push(result);
    }
    let mut exit = Exit::Success;
    for (file, results) in files {
        if !results.iter().any(|result| matches!(result.ending, Ending::Fail(_))) {
            continue;
        }
        match scenario::accept(file, &results) {
            Ok(changes) => console.note(format_args!("{}: {changes} values changed", file.display())),
            Err(error) => {
                console.error(format_args!("{}: nothing was changed: {error}", file.display()));
                exit = exit.worst(Exit::Failed);
            }
        }
    }
    if results.iter().any(|result| matches!(result.ending, Ending::Error(_))) {
        exit = exit.worst(Exit::Undecided);
    }
    exit
}

fn exit(tally: &Tally, console: Console) -> Exit {
    let found = |found: bool, exit| if found { exit } else { Exit::Success };
    let nothing = tally.pass + tally.fail + tally.error == 0;
    if nothing && tally.skipped > 0 {
        console.error("every case was skipped, so that nothing is shown");
    }
    found(tally.partial && tally.fail + tally.error == 0, Exit::Interrupted)
        .worst(found(tally.fail > 0, Exit::Failed))
        .worst(found(tally.error > 0, Exit::Undecided))
        .worst(found(nothing, Exit::Nothing))
}

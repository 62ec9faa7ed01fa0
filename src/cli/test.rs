//! `muster test`: scenarios – worlds that are built, played and judged, with what must come out.

mod import;
mod registry_kind;
mod restart;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum, ValueHint};

use import::ImportArgs;

use super::args::{AccessArgs, parse_count};
use super::console::Console;
use super::error::CliError;
use super::exit::{Exit, Results};
use super::{interrupt, open_files, policy, registry_access};
use crate::audit::{Interrupt, Target};
use crate::limits;
use crate::policy::TrustPolicy;
use crate::report::{self, CaseOutputs, CaseSummary, Look, Output};
use crate::scenario::{
    self, CaseResult, CaseStatus, CheckedRegistry, KeptWorld, Keystore, Notes, Options, Project, RegistryKind,
    Selected, Tally,
};
use crate::source::registry::RegistryOptions;

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
    #[arg(long, conflicts_with = "output", help_heading = "Selection")]
    pub(super) list: bool,

    /// Judge by this trust policy in the place of every scenario's own
    ///
    /// It may lie anywhere, as notation's own does. The trust stores that it names are those of the scenarios. Files that scenarios
    /// sign by themselves keep their own policies for blobs.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, help_heading = "World")]
    pub(super) policy: Option<PathBuf>,

    /// Where the project begins: scenarios may name policies below this folder [default: the nearest folder above a
    /// scenario that holds .git or muster.toml, else the working directory]
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath, help_heading = "World")]
    pub(super) root: Option<PathBuf>,

    /// What answers as a registry: embedded, oras, container=IMAGE or external=HOST[/PATH], in the place of what
    /// scenarios say
    ///
    /// To external=HOST/PATH, cases push below HOST/PATH/muster-test-RANDOM/ only. They write over no tag that exists, and
    /// what they have pushed is deleted at the end. Their policies see the names that they write themselves.
    #[arg(long, value_name = "KIND", value_parser = registry_kind::parse, help_heading = "World")]
    pub(super) registry: Option<RegistryKind>,

    /// Where signing keys live, in the place of what scenarios say
    #[arg(long, value_name = "KIND", help_heading = "World")]
    pub(super) keystore: Option<Keystore>,

    /// Leave the worlds up after the last case, say how to reach them, and wait for Ctrl-C
    #[arg(long, conflicts_with = "list", help_heading = "World")]
    pub(super) keep: bool,

    /// Begin nothing more after the first case that does not pass
    #[arg(long, help_heading = "Run")]
    pub(super) fail_fast: bool,

    /// How many cases run at a time [default: the number of processors]
    #[arg(short, long, value_name = "N", value_parser = parse_count, help_heading = "Run")]
    pub(super) jobs: Option<usize>,

    /// Rewrite expectations so that they say what came out; comments stay
    #[arg(long, conflicts_with_all = ["list", "run", "registry", "keystore", "policy", "fail_fast"], help_heading = "Run")]
    pub(super) accept: bool,

    /// End with 1, as a failure does, where a case is skipped
    #[arg(long, value_name = "skip", help_heading = "Exit code")]
    pub(super) deny: Vec<DeniedCase>,

    #[command(flatten)]
    pub(super) import: ImportArgs,

    #[command(flatten)]
    pub(super) access: AccessArgs,

    #[arg(short, long, value_name = "FORMAT[=PATH]", value_parser = Output::parse_for_cases, help_heading = "Output")]
    #[arg(help = Output::help_for_cases(), long_help = Output::long_help_for_cases())]
    pub(super) output: Vec<Output>,

    /// No notes on standard error, and only cases that do not pass in the table
    #[arg(short, long, help_heading = "Output")]
    pub(super) quiet: bool,
}

/// What no case is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum DeniedCase {
    /// A case that was not run
    Skip,
}

/// The words of the command line, which are those of scenarios.
impl ValueEnum for Keystore {
    fn value_variants<'a>() -> &'a [Keystore] {
        &[Keystore::File, Keystore::SoftHsm]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.as_str()).help(match self {
            Keystore::File => "In the process, as from a key file",
            Keystore::SoftHsm => "In a throw-away SoftHSM token",
            Keystore::Plugin => "Behind the plugins that scenarios name for them",
        }))
    }
}

fn after_help() -> String {
    let examples = "\
Examples:
  muster test
  muster test scenarios/expiry --run '*jws*' -o table -o junit=scenarios.xml
  muster test --list
  muster test my-scenario.yaml --accept
  muster test --policy ~/.config/notation/trustpolicy.json
  muster test --registry external=registry.acme-rockets.io/scratch
  muster test --import registry.acme-rockets.io/software/net-monitor:v1 --name revoked-in-may
";
    format!("{examples}\n{}", Exit::help())
}

/// Runs scenarios.
pub(super) fn run(args: &TestArgs) -> Result<Exit, CliError> {
    let console = Console::new(args.quiet);
    if let Some(reference) = &args.import.import {
        return import::run(reference, args, console);
    }
    if !args.list {
        interrupt::say_last(last_words(args));
    }
    let (cases, passed_over) = select(args, console)?;
    if args.list {
        let width = cases.iter().map(|selected| selected.case.id.chars().count()).max().unwrap_or(0);
        for selected in &cases {
            let title = crate::report::printable(&selected.title);
            console.print(format_args!("{:width$}  {title}\n", crate::report::printable(&selected.case.id)));
        }
        tell_passed_over(&passed_over, console);
        return Ok(Exit::Success);
    }
    let mut options = options(args, console);
    if let Some(reason) = scenario::refusal(&cases, &options) {
        return Err(CliError::Usage(reason));
    }
    #[cfg(feature = "containers")]
    if scenario::needs_containers(&cases, &options) {
        match restart::with_engine() {
            Ok(Some(ended)) => return ended,
            Ok(None) => {}
            Err(error) if args.registry.is_some() => return Err(CliError::Undecided(format!("--registry: {error}"))),
            // Looking once more would take as long, and find no more.
            Err(error) => options.checked = CheckedRegistry::unavailable(error),
        }
    }
    // Keys and PINs of scenarios are thrown away, but who finds a core does not know that.
    crate::signer::forbid_core_dumps();
    if scenario::needs_softhsm(&cases, &options)
        && let Some(ended) = restart::with_softhsm()
    {
        return ended;
    }
    // From here on there is no other process that does the same again, and the run itself tells how far it came.
    interrupt::leave_to_the_command();
    drop(interrupt::take_last_words());
    options.access = access(args)?;
    let jobs = open_files::cases_at_a_time(options.jobs);
    if jobs < options.jobs.min(cases.len()) {
        let wanted = options.jobs;
        let limit = "this process may have too few files open (ulimit -n) for more";
        console.note(format_args!("at most {jobs} of {wanted} cases run at a time: {limit}"));
    }
    options.jobs = jobs;
    tell_passed_over(&passed_over, console);
    let wanted = wanted(args);
    let seen = wanted.iter().any(Output::is_seen);
    // What cannot be written is known before anything is run.
    let look = Look { color: Console::colors_stdout(), brief: args.quiet, ..Look::default() };
    let outputs = CaseOutputs::open(wanted, look)?;
    let (results, tally) = play(args, cases, options, Reports { outputs, seen, console })?;
    // What all of its cases agree on is not known of a file while some are missing.
    if args.accept && !tally.interrupted {
        return accept(&results, console);
    }
    match Exit::of(Results::of_cases(&tally.report(), args.deny.contains(&DeniedCase::Skip))) {
        Exit::Nothing if tally.skipped > 0 => {
            Err(CliError::Nothing("every case was skipped, so that nothing is shown".to_owned()))
        }
        exit => Ok(exit),
    }
}

/// The reports that are asked for.
fn wanted(args: &TestArgs) -> Vec<Output> {
    if args.output.is_empty() { vec![Output::usual()] } else { args.output.clone() }
}

/// Reports that nothing was run, for a signal that comes before anything is.
fn last_words(args: &TestArgs) -> impl FnOnce() + Send + 'static {
    let (wanted, brief) = (wanted(args), args.quiet);
    move || {
        let look = Look { color: Console::colors_stdout(), brief, ..Look::default() };
        let nothing = CaseSummary { partial: true, interrupted: true, ..CaseSummary::default() };
        // There is no way left to say that it cannot be written.
        let _ = CaseOutputs::open(wanted, look).and_then(|outputs| outputs.end(&nothing));
    }
}

/// The cases to run, and the files that are no scenarios.
fn select(args: &TestArgs, console: Console) -> Result<(Vec<Selected>, Vec<PathBuf>), CliError> {
    let usual = [PathBuf::from("scenarios")];
    let paths = if args.paths.is_empty() { &usual[..] } else { &args.paths };
    let loaded = scenario::load_in(&project(args, console)?, paths).map_err(CliError::Malformed)?;
    let cases = scenario::select(&loaded.scenarios, args.run.as_deref())
        .map_err(|error| CliError::Usage(format!("--run: {error}")))?;
    if cases.is_empty() {
        tell_passed_over(&loaded.passed_over, console);
        return Err(CliError::Nothing(
            "nothing was selected: there is no scenario in the paths, or --run leaves none".to_owned(),
        ));
    }
    Ok((cases, loaded.passed_over))
}

/// What scenarios are read with.
fn project(args: &TestArgs, console: Console) -> Result<Project, CliError> {
    let mut project = Project::default();
    if let Some(root) = &args.root {
        project = project.with_root(root).map_err(|error| CliError::Usage(format!("--root: {error}")))?;
    }
    if let Some(file) = &args.policy {
        project = project.with_policy(policy::load::<TrustPolicy>(file, console)?);
    }
    Ok(project)
}

/// Says which files in folders are no scenarios.
fn tell_passed_over(files: &[PathBuf], console: Console) {
    const NAMED: usize = 3;
    if files.is_empty() {
        return;
    }
    let names: Vec<String> = files.iter().take(NAMED).map(|file| file.display().to_string()).collect();
    let more = match files.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let noun = if files.len() == 1 {
        "1 file that is no scenario".to_owned()
    } else {
        format!("{} files that are no scenarios", files.len())
    };
    console.note(format_args!("passed over {noun}: {}{more}", names.join(", ")));
}

fn options(args: &TestArgs, console: Console) -> Options {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let quiet = args.quiet;
    let notes = Notes::to(move |note| {
        let text = note.to_string();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        match note.is_warning() {
            true => console.warning(first),
            false => console.note(first),
        }
        if note.is_warning() || !quiet {
            rest.lines().for_each(|line| console.detail(line));
        }
    });
    Options {
        jobs: args.jobs.unwrap_or(processors),
        fail_fast: args.fail_fast,
        keep: args.keep,
        registry: args.registry.clone(),
        keystore: args.keystore,
        access: RegistryOptions::default(),
        slow: args.slow || args.run.is_some(),
        notes,
        program: std::env::current_exe().ok(),
        checked: CheckedRegistry::default(),
    }
}

/// How a registry is reached that is not the scenarios' own. No other is reached by what was typed.
fn access(args: &TestArgs) -> Result<RegistryOptions, CliError> {
    let Some(RegistryKind::External(place)) = &args.registry else {
        // A name and a password may stand in the environment for other commands.
        let AccessArgs { plain_http, ca_file, cert_file, key_file, password_stdin, .. } = &args.access;
        let files = [ca_file, cert_file, key_file];
        return match *plain_http || *password_stdin || files.iter().any(|file| file.is_some()) {
            true => Err(CliError::Usage(
                "how a registry is reached is said of --registry external=HOST or --import only".to_owned(),
            )),
            false => Ok(RegistryOptions::default()),
        };
    };
    let host = place.split('/').next().unwrap_or_default();
    let target = Target::Registry(host.to_owned());
    registry_access::options(&args.access, None, limits::REQUESTS_PER_HOST, &[target], io::stdin())
        .map_err(CliError::Usage)
}

fn play(
    args: &TestArgs,
    cases: Vec<Selected>,
    mut options: Options,
    reports: Reports,
) -> Result<(Vec<CaseResult>, Tally), CliError> {
    let console = reports.console;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Start)?;
    let interrupt = Arc::new(Interrupt::default());
    let told = RefCell::new((Some(reports), Vec::new()));
    let played: Result<_, CliError> = runtime.block_on(async {
        interrupt::listen(&interrupt, console);
        if let Some(kind) = &args.registry {
            // What the check has begun when it is broken off is removed by the process that outlives this one.
            let checked = tokio::select! {
                biased;
                () = interrupt.raised() => Ok(CheckedRegistry::default()),
                checked = scenario::check_registry(kind, options.program.as_deref()) => checked,
            };
            options.checked = checked.map_err(|error| CliError::Undecided(format!("--registry: {error}")))?;
        }
        let ended = |result: CaseResult| {
            let (reports, results) = &mut *told.borrow_mut();
            if let Some(reports) = reports {
                reports.outputs.case(&result.report());
            }
            results.push(result);
        };
        let mut written = Ok(());
        let all_told = |tally: &Tally| {
            let (reports, results) = &mut *told.borrow_mut();
            written = reports.take().map_or(Ok(()), |reports| reports.end(results, tally));
        };
        let tally = scenario::run_and_tell(cases, options, &interrupt, ended, all_told).await;
        let (_, mut results) = told.take();
        if args.keep {
            keep(&mut results, &interrupt, console).await;
        }
        written.map(|()| (results, tally))
    });
    // Worlds have stopped what would go on by itself; nothing else is left to wait for. Cases that were broken off may still
    // be at work, which breaks down where the runtime is taken from them; they end with the program.
    match interrupt.is_raised() {
        true => std::mem::forget(runtime),
        false => runtime.shutdown_background(),
    }
    played
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
    let worlds = results.iter_mut().filter_map(|result| result.world.take());
    for stopped in futures_util::future::join_all(worlds.map(KeptWorld::stop)).await {
        if let Err(error) = stopped {
            console.warning(error);
        }
    }
}

/// The reports of a run, and whether its table is seen.
struct Reports {
    outputs: CaseOutputs,
    seen: bool,
    console: Console,
}

impl Reports {
    /// Ends them. Without a table on standard output, the summary goes to standard error.
    fn end(self, results: &[CaseResult], tally: &Tally) -> Result<(), CliError> {
        let summary = tally.report();
        self.outputs.end(&summary)?;
        if !self.seen
            && let Ok(text) = report::summarize_cases(results.iter().map(CaseResult::report), &summary)
        {
            text.lines().for_each(|line| self.console.note(line));
        }
        Ok(())
    }
}

/// Rewrites the expectations of every file in which something came out otherwise.
fn accept(results: &[CaseResult], console: Console) -> Result<Exit, CliError> {
    let mut files: BTreeMap<&PathBuf, Vec<&CaseResult>> = BTreeMap::new();
    for result in results {
        files.entry(&result.file).or_default().push(result);
    }
    files.retain(|_, results| results.iter().any(|result| matches!(result.status, CaseStatus::Fail(_))));
    let mut errors = Vec::new();
    for (file, results) in files {
        match scenario::accept(file, &results) {
            Ok(changes) => console.note(format_args!("{}: {changes} values changed", file.display())),
            Err(error) => errors.push(format!("{}: nothing was changed: {error}", file.display())),
        }
    }
    match errors.is_empty() {
        false => Err(CliError::NotRewritten(errors)),
        true if results.iter().any(|result| matches!(result.status, CaseStatus::Error(_))) => Ok(Exit::Undecided),
        true => Ok(Exit::Success),
    }
}

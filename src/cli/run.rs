//! One run of `audit` or `verify`: from targets to reports and an exit code.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use time::OffsetDateTime;

use super::args::{OutputArgs, RegistryArgs, TrustArgs};
use super::console::Console;
use super::error::CliError;
use super::exit::{Exit, Results};
use super::gate::{Gate, GateArgs};
use super::plugins::PluginArgs;
use super::progress::ProgressLine;
use super::session::Session;
use super::{interrupt, registry_access};
use crate::audit::{self, Interrupt, Judged, Progress, Sources, Target};
use crate::failure::quote;
use crate::report::v1::{self, Artifact, Header, Subject, Summary};
use crate::report::{Look, Only, Output, Outputs, Problem};
use crate::rfc3339::instant_in_utc;
use crate::source::TrafficCounts;
use crate::verifier::VerifierBuilder;

/// The options of every command that judges artifacts.
#[derive(Debug, Args)]
pub(super) struct RunArgs {
    #[command(flatten)]
    pub(super) trust: TrustArgs,

    #[command(flatten)]
    pub(super) registry: RegistryArgs,

    #[command(flatten)]
    pub(super) plugins: PluginArgs,

    #[command(flatten)]
    pub(super) gate: GateArgs,

    #[command(flatten)]
    pub(super) output: OutputArgs,

    /// Show only these rows in the table: pass, warn, fail, skip, error, or a code; the summary and the exit code are of all
    #[arg(long, value_name = "RESULT|CODE", value_delimiter = ',', help_heading = "Output")]
    pub(super) only: Vec<Only>,
}

/// Why a run ends with 4 although there was something to judge.
pub(super) const NOTHING_DECIDED: &str =
    "nothing was judged: of all that was found the result is undecided, and what --allow leaves out is no pass";

/// How a run ended.
pub(super) struct Ended {
    /// The sum of its reports.
    pub(super) summary: Summary,
    /// The exit code that follows from it, and from what the user wants to count.
    pub(super) exit: Exit,
}

/// What a command wants judged, and by which options.
pub(super) struct Request {
    /// What to judge.
    pub(super) targets: Vec<Target>,
    /// The same as it was written.
    pub(super) written: Vec<String>,
    pub(super) args: RunArgs,
    /// Whether the progress of the run may be shown.
    pub(super) progress: bool,
}

/// Judges what is asked for and writes the reports. `configure` sets what only the calling command has options for; `ready` is
/// told what judges before the first artifact, and `judged` of every artifact, in order, with whether standard output is free.
pub(super) fn run(
    request: Request,
    console: Console,
    configure: impl FnOnce(VerifierBuilder) -> VerifierBuilder,
    ready: impl FnOnce(&Header),
    mut judged: impl FnMut(&Judged, /* stdout is free */ bool),
) -> Result<Ended, CliError> {
    let began = Instant::now();
    let Request { targets, written, args, progress: show_progress } = request;
    let RunArgs { trust, registry, plugins, gate, output, only } = args;
    let mut gate = Gate::new(&gate).map_err(CliError::Usage)?;
    let config = trust.inputs.config.as_deref();
    let options = registry_access::options(&registry.access, config, registry.jobs, &targets, io::stdin())
        .map_err(CliError::Usage)?;
    let mut session = Session::open(&trust.inputs, &trust.revocation, &plugins, written, console, |builder| {
        configure(builder)
            .jobs(registry.jobs)
            .max_signatures(trust.max_signatures)
            .artifact_timeout(registry.artifact_timeout)
    })?;
    if !only.is_empty() && !output.output.iter().any(Output::has_rows) {
        let message = "--only chooses the rows of a table, and no output is one: add -o table, or leave --only out";
        return Err(CliError::Usage(message.to_owned()));
    }
    let mut outputs = Outputs::open(output.output, Look { only, ..Console::look() })?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Start)?;
    let traffic = options.traffic.clone();
    let sources = Arc::new(Sources::new(options, trust.scope.clone()));
    let (progress, interrupt) = (Arc::new(Progress::default()), Arc::new(Interrupt::default()));
    let scopes = runtime.block_on(async {
        interrupt::listen(&interrupt, console);
        // Layouts are opened here, which may take long.
        tokio::select! {
            biased;
            () = interrupt.raised() => Ok(()),
            scopes = sources.check_scopes(&targets) => scopes,
        }
    });
    scopes.map_err(|error| CliError::Usage(error.to_string()))?;
    ready(&session.header);
    let named_inside: Vec<String> = targets
        .iter()
        .filter(|target| trust.scope.is_none() && target.is_named_inside())
        .map(ToString::to_string)
        .collect();
    if let Some(first) = named_inside.first() {
        let more = match named_inside.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        console.warning(format_args!(
            "the names inside {}{more} choose the statements of the policy: with --scope HOST/REPOSITORY you choose the repository instead",
            quote(first)
        ));
    }

    session.header.layout_names = !named_inside.is_empty();
    let finished = runtime.block_on(async {
        outputs.begin(&session.header)?;
        let line = ProgressLine::show(&progress, output.quiet || !show_progress);
        let mut audit = session.verifier.audit(sources, targets).watched(Arc::clone(&progress), Arc::clone(&interrupt));
        let mut ended = Ok(());
        while ended.is_ok() {
            let Some(result) = audit.next().await else { break };
            ended = line.aside(|| {
                gate.count(&result);
                judged(&result, !outputs.use_stdout());
                outputs.artifact(&artifact(&result))
            });
        }
        let tally = ended.map(|()| audit.tally());
        // What is in work ends before its plugins do.
        drop(audit);
        session.programs.stop().await;
        tally
    });
    // A credential helper that hangs must not hold up the end.
    runtime.shutdown_background();
    session.print_warnings(console);

    let (interrupted, fault) = match finished {
        Ok(tally) => {
            outputs.count_aside(aside(&tally));
            (tally.partial, None)
        }
        Err(problem) => (true, Some(problem)),
    };
    outputs.measure(effort(&session.header, began, traffic.so_far()));
    let (allowed, denied) = gate.exempted();
    outputs.exempt(allowed, denied);
    for place in outputs.partial_places().iter().filter(|_| interrupted) {
        console.note(format_args!("what was judged is in {}", quote(&place.display().to_string())));
    }
    let (summary, ended) = outputs.end(progress.selected(), interrupted);
    match fault.or(ended.err()) {
        None | Some(Problem::Closed) => {
            let exit = Exit::of(Results::gated(&summary, &gate));
            Ok(Ended { summary, exit })
        }
        Some(problem) => Err(problem.into()),
    }
}

/// How long the run has taken, and what it asked of registries.
fn effort(header: &Header, began: Instant, traffic: TrafficCounts) -> v1::Effort {
    v1::Effort {
        started: header.started.clone(),
        ended: instant_in_utc(OffsetDateTime::now_utc().truncate_to_second()),
        milliseconds: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        requests: traffic.requests,
        bytes: traffic.bytes,
        retries: traffic.retries,
        refusals: traffic.refusals,
    }
}

/// What a report says of a judged artifact.
fn artifact(judged: &Judged) -> Artifact<'_> {
    let digested = |digest: &crate::digest::Digest| format!("{}@{digest}", judged.repository).into();
    let subject = Subject {
        artifact: judged.digest.as_ref().map(digested),
        reference: judged.reference.as_str().into(),
        media_type: judged.media_type.as_deref().map(Into::into),
        platform: judged.platform.as_deref().map(Into::into),
        part_of: judged.part_of.as_ref().map(digested),
        attached_to: judged.attached_to.as_ref().map(digested),
        artifact_type: judged.artifact_type.as_deref().map(Into::into),
        repository_from: judged.repository_from.map(Into::into),
        lists: judged.lists.map(|lists| lists.count),
        place: judged.place,
    };
    Artifact::new(subject, &judged.outcome)
}

/// What a report says of what was not judged by itself.
fn aside(tally: &audit::Tally) -> v1::Aside {
    let passed_over = &tally.aside.passed_over;
    let platform = |found: &audit::PlatformFound| v1::PlatformFound {
        platform: found.platform.clone(),
        manifests: found.manifests,
        indexes_without: found.indexes_without,
    };
    let lists = &tally.aside.lists;
    let incomplete = |lists: &audit::Incomplete| v1::Incomplete { lists: lists.lists, at_least: lists.at_least };
    v1::Aside {
        covering: tally.covering,
        covered: tally.covered,
        covered_more: tally.covered_more,
        not_covered: tally.not_covered,
        not_covered_more: tally.not_covered_more,
        passed_over: v1::PassedOver {
            build_attestations: passed_over.build_attestations,
            cosign_tags: passed_over.cosign_tags,
            referrers_lists: passed_over.referrers_lists,
            build_caches: passed_over.build_caches,
            helm_provenance: passed_over.helm_provenance,
            referrers: passed_over.referrers,
            other_signatures: passed_over.other_signatures,
            absent_manifests: passed_over.absent_manifests,
        },
        unsigned_with_cosign: tally.aside.unsigned_with_cosign,
        platforms: tally.aside.platforms.iter().map(platform).collect(),
        lists: v1::Lists {
            catalogs: lists.catalogs,
            empty_catalogs: lists.empty_catalogs,
            tag_lists: lists.tag_lists,
            empty_repositories: lists.empty_repositories,
            refused_repositories: lists.refused_repositories,
            untagged: lists.untagged,
        },
        incomplete_lists: v1::IncompleteLists {
            tags: incomplete(&lists.incomplete_tags),
            repositories: incomplete(&lists.incomplete_repositories),
        },
    }
}

//! One run: from targets to reports and an exit code.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use time::OffsetDateTime;

use super::args::{OutputArgs, RegistryArgs, TrustArgs};
use super::console::Console;
use super::error::CliError;
use super::plugins::{self, PluginArgs};
use super::progress::ProgressLine;
use super::rules::Rules;
use super::{interrupt, registry_access, revocation};
use crate::audit::{self, Filter, Interrupt, Judged, Platforms, Progress, Sources, Target};
use crate::failure::quote;
use crate::plugin::PluginConfig;
use crate::plugin_host::PluginHost;
use crate::report::v1::{self, Artifact, Header, Input, Subject, Summary, Tool};
use crate::report::{Outputs, Problem};
use crate::rfc3339::instant_in_utc;
use crate::verifier::Verifier;

/// What a command wants judged, and how.
pub(super) struct Request<'a> {
    /// What to judge.
    pub(super) targets: Vec<Target>,
    /// The same as it was written.
    pub(super) written: Vec<String>,
    pub(super) filter: Filter,
    pub(super) platforms: Platforms,
    pub(super) user_metadata: BTreeMap<String, String>,
    pub(super) trust: &'a TrustArgs,
    pub(super) registry: &'a RegistryArgs,
    pub(super) plugins: &'a PluginArgs,
    pub(super) output: OutputArgs,
    /// Whether somebody may be shown how far the run is.
    pub(super) progress: bool,
}

/// Judges what is asked for and writes the reports. `judged` is told of every artifact, in order, with whether standard
/// output is free; `ready` of the rules before the first.
pub(super) fn run(
    request: Request<'_>,
    console: Console,
    ready: impl FnOnce(&Rules),
    mut judged: impl FnMut(&Judged, /* stdout is free */ bool),
) -> Result<Summary, CliError> {
    let now = OffsetDateTime::now_utc();
    // To the second, so that the time in the report is the very time that was judged by.
    let now = now.replace_nanosecond(0).unwrap_or(now);
    let options =
        registry_access::options(&request.registry.access, request.registry.jobs, &request.targets, io::stdin())?;
    let plugin_config = plugins::settings(&PluginConfig::default(), &request.plugins.plugin_config)?;
    let programs = Arc::new(request.plugins.programs());
    let rules = Rules::load(request.trust, now, console)?;
    let judges_now = request.trust.at.is_none();
    let answers = revocation::Answers::open(&request.trust.revocation, rules.at, judges_now, console)?;
    let mut outputs = Outputs::open(request.output.output, Console::colors_stdout())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CliError::Start)?;
    let sources = Arc::new(Sources::new(options, request.trust.scope.clone()));
    let (progress, interrupt) = (Arc::new(Progress::default()), Arc::new(Interrupt::default()));
    let scopes = runtime.block_on(async {
        interrupt::listen(&interrupt, console);
        // Layouts are opened here, which may take long.
        tokio::select! {
            biased;
            () = interrupt.raised() => Ok(()),
            scopes = sources.check_scopes(&request.targets) => scopes,
        }
    });
    scopes.map_err(|error| CliError::Usage(error.to_string()))?;
    ready(&rules);
    let named_inside: Vec<String> = request
        .targets
        .iter()
        .filter(|target| request.trust.scope.is_none() && target.is_named_inside())
        .map(ToString::to_string)
        .collect();
    if let Some(first) = named_inside.first() {
        let more = match named_inside.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        console.warning(format_args!(
            "the names inside {}{more} choose the statements of the policy: --scope HOST/REPOSITORY takes that from whoever made it",
            quote(first)
        ));
    }

    let mut header = header(rules.at, now, rules.policy_input, rules.stores_input, request.written);
    header.layout_names = !named_inside.is_empty();
    let verifier = Verifier::builder(rules.policy, rules.stores)
        .at(rules.at)
        .revocation(Arc::clone(&answers.source))
        .plugins(Arc::clone(&programs) as Arc<dyn PluginHost>)
        .plugin_config(plugin_config)
        .user_metadata(request.user_metadata)
        .filter(request.filter)
        .platforms(request.platforms)
        .jobs(request.registry.jobs)
        .max_signatures(request.trust.max_signatures)
        .artifact_timeout(request.registry.artifact_timeout)
        .build();

    let finished = runtime.block_on(async {
        outputs.begin(&header)?;
        let line = ProgressLine::show(&progress, request.output.quiet || !request.progress);
        let mut audit = verifier.audit(sources, request.targets).watched(Arc::clone(&progress), Arc::clone(&interrupt));
        let mut ended = Ok(());
        while ended.is_ok() {
            let Some(result) = audit.next().await else { break };
            ended = line.aside(|| {
                judged(&result, !outputs.use_stdout());
                outputs.artifact(&artifact(&result))
            });
        }
        let tally = ended.map(|()| audit.tally());
        // What is in work ends before its plugins do.
        drop(audit);
        programs.stop().await;
        tally
    });
    // A credential helper that hangs must not hold up the end.
    runtime.shutdown_background();
    answers.print_warnings(console);

    let (partial, fault) = match finished {
        Ok(tally) => {
            outputs.count_aside(aside(&tally));
            (tally.partial, None)
        }
        Err(problem) => (true, Some(problem)),
    };
    let (summary, ended) = outputs.end(progress.selected(), partial);
    match fault.or(ended.err()) {
        None | Some(Problem::Closed) => Ok(summary),
        Some(problem) => Err(problem.into()),
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
        repository_from: judged.repository_from.map(Into::into),
        lists: judged.lists.map(|lists| lists.count),
    };
    Artifact::new(subject, &judged.outcome)
}

/// The header of a report about what is judged as of `at`, in a run that began at `started`.
pub(super) fn header(
    at: OffsetDateTime,
    started: OffsetDateTime,
    policy: Input,
    trust_store: Input,
    targets: Vec<String>,
) -> Header {
    let tool = Tool { name: "muster", version: env!("CARGO_PKG_VERSION") };
    Header {
        version: "1",
        tool,
        at: instant_in_utc(at),
        started: instant_in_utc(started),
        policy,
        trust_store,
        targets,
        layout_names: false,
    }
}

/// What a report says of what was not judged by itself.
fn aside(tally: &audit::Tally) -> v1::Aside {
    let passed_over = &tally.aside.passed_over;
    let platform = |found: &audit::PlatformFound| v1::PlatformFound {
        platform: found.platform.clone(),
        manifests: found.manifests,
        indexes_without: found.indexes_without,
    };
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
            referrers: passed_over.referrers,
            absent_manifests: passed_over.absent_manifests,
        },
        platforms: tally.aside.platforms.iter().map(platform).collect(),
    }
}

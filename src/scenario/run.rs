//! Running cases: each in its own world, many at a time, results in the order of the files.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _, stream};

use super::cases::{Case, Scenario};
use super::expectation::Difference;
use super::notes::{Note, Notes};
use super::recorded_verification::RecordedVerification;
use super::steps::Action;
use super::world::{
    CheckedRegistry, External, Keystore, Overrides, Part, RegistryKind, SetupError, World, not_asked_for,
};
use crate::audit::Interrupt;
use crate::forge::Containers;
use crate::limits;
use crate::source::registry::RegistryOptions;

/// How cases are run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// How many cases run at a time; 0 counts as 1.
    pub jobs: usize,
    /// Whether to begin nothing more after the first case that fails or cannot be run.
    pub fail_fast: bool,
    /// Whether worlds stay up after their cases, as long as the result is kept.
    pub keep: bool,
    /// What answers as a registry in the place of what scenarios say.
    pub registry: Option<RegistryKind>,
    /// Where signing keys live in the place of what scenarios say.
    pub keystore: Option<Keystore>,
    /// How a registry is reached that is not a scenario's own.
    pub access: RegistryOptions,
    /// Whether to run slow scenarios too.
    pub slow: bool,
    /// Who is told what happens beside the results.
    pub notes: Notes,
    /// Muster's own executable file by an absolute path, which verification plugins of scenarios are made of. Cases with
    /// plugins are skipped where there is none.
    pub program: Option<PathBuf>,
    /// What [`check_registry`](super::check_registry) has started for this run.
    pub checked: CheckedRegistry,
}

/// A case to run.
#[derive(Debug, Clone)]
pub struct Selected {
    /// The file of its scenario.
    pub file: PathBuf,
    /// What the scenario shows.
    pub title: String,
    /// Whether the scenario says that it is slow.
    pub slow: bool,
    /// The case.
    pub case: Case,
}

/// What became of a case.
#[derive(Debug)]
pub struct CaseResult {
    /// Which case.
    pub id: String,
    /// What its scenario shows.
    pub title: String,
    /// The file of its scenario.
    pub file: PathBuf,
    /// How it ended.
    pub status: CaseStatus,
    /// How long its phases took.
    pub times: PhaseTimings,
    /// Its world, where it is to stay up.
    pub world: Option<KeptWorld>,
}

/// How a case ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CaseStatus {
    /// Everything came out as expected.
    Pass,
    /// Something came out otherwise.
    Fail(Vec<Difference>),
    /// It was not run, for this reason.
    Skipped(String),
    /// It could not be run to its end, for this reason.
    Error(String),
}

/// How long the phases of a case took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PhaseTimings {
    /// Keys, certificates, registries, stores.
    pub build: Duration,
    /// Making signatures.
    pub sign: Duration,
    /// Everything else that steps do: pushing, above all.
    pub act: Duration,
    /// Verifications.
    pub verify: Duration,
}

/// A world that stays up as long as this is kept.
#[derive(Debug)]
pub struct KeptWorld {
    world: World,
    /// Keeps others from sweeping its containers away.
    _containers: Arc<Containers>,
}

/// Counts of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Cases that passed.
    pub pass: u64,
    /// Cases that failed.
    pub fail: u64,
    /// Cases that were skipped.
    pub skipped: u64,
    /// Cases that could not be run.
    pub error: u64,
    /// Whether the run ended before every case was run.
    pub partial: bool,
}

impl PhaseTimings {
    /// All phases together.
    pub fn total(&self) -> Duration {
        self.build + self.sign + self.act + self.verify
    }
}

impl Tally {
    /// All cases.
    pub fn total(&self) -> u64 {
        self.pass + self.fail + self.skipped + self.error
    }

    fn count(&mut self, status: &CaseStatus) {
        *match status {
            CaseStatus::Pass => &mut self.pass,
            CaseStatus::Fail(_) => &mut self.fail,
            CaseStatus::Skipped(_) => &mut self.skipped,
            CaseStatus::Error(_) => &mut self.error,
        } += 1;
    }
}

impl KeptWorld {
    /// Its registries: the host that references write, and where it is reached.
    pub fn registries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.world.registries.iter().map(|registry| (registry.host.as_str(), registry.address.as_str()))
    }

    /// The folder of its trust stores, which holds `x509/`.
    pub fn trust_store(&self) -> &std::path::Path {
        self.world.stores.path()
    }

    /// Ends the world. Without this, containers stay until the next run.
    ///
    /// # Errors
    /// What stays, and why.
    pub async fn stop(self) -> Result<(), String> {
        self.world.stop().await
    }
}

/// The cases whose id matches `filter`: a glob, in which `*` crosses `/`, or a part of the id.
///
/// # Errors
/// Why the filter is not one.
pub fn select(scenarios: &[Scenario], filter: Option<&str>) -> Result<Vec<Selected>, String> {
    let matcher = match filter {
        Some(filter) if filter.contains(['*', '?', '{']) => {
            let glob = globset::Glob::new(&filter.replace('[', "[[]")).map_err(|error| error.to_string())?;
            Some(glob.compile_matcher())
        }
        _ => None,
    };
    let wanted = |id: &str| match (&matcher, filter) {
        (Some(glob), _) => glob.is_match(id),
        (None, Some(part)) => id.contains(part),
        (None, None) => true,
    };
    let cases = scenarios.iter().flat_map(|scenario| scenario.cases.iter().map(move |case| (scenario, case)));
    let select = |(scenario, case): (&Scenario, &Case)| Selected {
        file: scenario.file.clone(),
        title: scenario.title.clone(),
        slow: scenario.slow,
        case: case.clone(),
    };
    Ok(cases.filter(|(_, case)| wanted(&case.id)).map(select).collect())
}

/// Whether one of `cases` wants its keys in SoftHSM when it is run as `options` say. If it is installed, they are to be run
/// in a process that was started with [`crate::forge::softhsm::SoftHsm::environment`].
pub fn needs_softhsm(cases: &[Selected], options: &Options) -> bool {
    let wants = |selected: &Selected| {
        let mut keys = selected.case.plan.things.keys.iter();
        keys.any(|key| key.keystore.unless(options.keystore) == Keystore::SoftHsm)
    };
    cases.iter().any(|selected| !is_left_out(selected, options) && wants(selected))
}

/// Whether one of `cases` wants a registry in a container when it is run as `options` say. They are to be run in a process
/// whose environment names the engine ([`crate::forge::engine_environment`]).
#[cfg(feature = "containers")]
pub fn needs_containers(cases: &[Selected], options: &Options) -> bool {
    let is_container = |kind: &RegistryKind| matches!(kind, RegistryKind::Oras | RegistryKind::Container(_));
    if let Some(kind) = &options.registry {
        return is_container(kind);
    }
    let wants =
        |selected: &Selected| selected.case.plan.things.registries.iter().any(|registry| is_container(&registry.kind));
    cases.iter().any(|selected| !is_left_out(selected, options) && wants(selected))
}

fn is_left_out(selected: &Selected, options: &Options) -> bool {
    selected.slow && !options.slow
}

/// Why `cases` may not be run as `options` say: one would write to a registry that is not its own, and that only the file
/// names.
pub fn refusal(cases: &[Selected], options: &Options) -> Option<String> {
    if options.registry.is_some() {
        return None;
    }
    let wanted = cases.iter().filter(|selected| !is_left_out(selected, options));
    wanted
        .flat_map(|selected| selected.case.plan.things.registries.iter().map(move |registry| (selected, registry)))
        .find_map(|(selected, registry)| match &registry.kind {
            RegistryKind::External(address) => Some(format!("{}: {}", selected.file.display(), not_asked_for(address))),
            _ => None,
        })
}

/// Runs `cases`; `ended` is told of each, in this order.
pub async fn run(
    cases: Vec<Selected>,
    options: Options,
    interrupt: &Interrupt,
    mut ended: impl FnMut(CaseResult),
) -> Tally {
    let options = Arc::new(options);
    let containers = options.checked.containers(options.program.as_deref());
    let external = external(&cases, &options);
    let runs = cases.into_iter().enumerate().map(|(position, selected)| {
        let (options, containers) = (Arc::clone(&options), Arc::clone(&containers));
        let part = external.as_ref().map(|external| {
            let external = external.as_ref().map_err(Clone::clone)?;
            external.part(position + 1)
        });
        async move {
            let (id, title, file) = (selected.case.id.clone(), selected.title.clone(), selected.file.clone());
            let part = match part.transpose() {
                Ok(part) => part,
                Err(reason) => {
                    let status = CaseStatus::Error(reason);
                    return CaseResult { id, title, file, status, times: PhaseTimings::default(), world: None };
                }
            };
            let notes = options.notes.clone();
            let run = tokio::spawn(AssertUnwindSafe(one(selected, options, containers, part)).catch_unwind());
            // What is not waited for any more is not to go on.
            let _aborted = AbortOnDrop(run.abort_handle());
            let ended = watched(run, &id, &notes, limits::SCENARIO_SLOW).await;
            ended.ok().and_then(Result::ok).unwrap_or_else(|| {
                let status = CaseStatus::Error("Muster broke down over this case".to_owned());
                CaseResult { id, title, file, status, times: PhaseTimings::default(), world: None }
            })
        }
    });
    let mut results = stream::iter(runs).buffered(options.jobs.max(1));
    let mut tally = Tally::default();
    let mut stopped = false;
    loop {
        let result = tokio::select! {
            biased;
            result = results.next() => result,
            // What is in work is left where it is, and what it has on disk is removed when the program ends.
            () = interrupt.raised() => {
                (stopped, tally.partial) = (true, true);
                break;
            }
        };
        let Some(result) = result else { break };
        let bad = matches!(result.status, CaseStatus::Fail(_) | CaseStatus::Error(_));
        tally.count(&result.status);
        ended(result);
        if bad && options.fail_fast {
            tally.partial = true;
            break;
        }
    }
    drop(results);
    // Cases that were broken off cannot stop their own. What cannot be removed now is removed by the next run.
    let removed = async {
        if !options.keep {
            let _ = containers.remove_all().await;
        }
    };
    let deleted = async {
        if let Some(Ok(external)) = &external
            && (stopped || !options.keep)
        {
            external.finish(stopped).await;
        }
    };
    tokio::join!(removed, deleted);
    tally
}

/// The registry that is not the scenarios' own, where the run is to be on one; it is said what will be written there.
fn external(cases: &[Selected], options: &Options) -> Option<Result<Arc<External>, String>> {
    let Some(RegistryKind::External(target)) = &options.registry else { return None };
    let external = match External::open(target, &options.access, options.notes.clone()) {
        Ok(external) => Arc::new(external),
        Err(error) => return Some(Err(error)),
    };
    let wanted = cases.iter().enumerate().filter(|(_, selected)| !is_left_out(selected, options));
    let mut repositories: BTreeMap<String, u64> = BTreeMap::new();
    let mut count = 0;
    for (position, selected) in wanted {
        count += 1;
        let Ok(part) = external.part(position + 1) else { continue };
        for (name, tags) in selected.case.plan.steps.iter().flat_map(|step| step.action.tags()) {
            let repository = &name.reference.repository;
            let place = part.place_of(repository.host()).map(|place| format!("{place}/{}", repository.path()));
            *repositories.entry(place.unwrap_or_else(|_| repository.to_string())).or_default() += u64::from(tags);
        }
    }
    external.announce(count, repositories);
    Some(Ok(external))
}

/// A task that ends when it is not waited for any more.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Waits for `run`, and says after a `pause` that it is still running.
async fn watched<T>(run: impl Future<Output = T>, case: &str, notes: &Notes, mut pause: Duration) -> T {
    let began = Instant::now();
    let mut run = std::pin::pin!(run);
    loop {
        match tokio::time::timeout(pause, &mut run).await {
            Ok(ended) => return ended,
            Err(_) => notes.tell(Note::Slow { case: case.to_owned(), since: began.elapsed() }),
        }
        // Less and less often.
        pause = began.elapsed();
    }
}

async fn one(selected: Selected, options: Arc<Options>, containers: Arc<Containers>, part: Option<Part>) -> CaseResult {
    let mut times = PhaseTimings::default();
    let (mut status, world) = play(&selected, &options, &containers, part, &mut times, None).await;
    let mut kept = None;
    match world {
        Some(world) if options.keep => kept = Some(KeptWorld { world, _containers: containers }),
        Some(world) => {
            if let Err(reason) = world.stop().await
                && status == CaseStatus::Pass
            {
                status = CaseStatus::Error(reason);
            }
        }
        None => {}
    }
    CaseResult { id: selected.case.id, title: selected.title, file: selected.file, status, times, world: kept }
}

/// Plays a case. With `recorded`, what its verifications were judged by is added there.
pub(super) async fn play(
    selected: &Selected,
    options: &Options,
    containers: &Arc<Containers>,
    part: Option<Part>,
    times: &mut PhaseTimings,
    mut recorded: Option<&mut Vec<RecordedVerification>>,
) -> (CaseStatus, Option<World>) {
    if is_left_out(selected, options) {
        let reason = "slow scenarios are run with --slow, or where --run selects them";
        return (CaseStatus::Skipped(reason.to_owned()), None);
    }
    let began = Instant::now();
    let overrides = Overrides {
        registry: options.registry.clone(),
        part,
        keystore: options.keystore,
        containers: Arc::clone(containers),
        program: options.program.clone(),
    };
    let (plan, id) = (Arc::clone(&selected.case.plan), selected.case.id.clone());
    let build = {
        let plan = Arc::clone(&plan);
        tokio::task::spawn_blocking(move || World::build(&plan, &id, &overrides))
    };
    let world = build.await.unwrap_or_else(|_| Err(SetupError::Failed("building the world broke down".to_owned())));
    times.build = began.elapsed();
    let mut world = match world {
        Ok(world) => world,
        Err(SetupError::Unavailable(reason)) => return (CaseStatus::Skipped(reason), None),
        Err(SetupError::Failed(reason)) => return (CaseStatus::Error(reason), None),
    };

    let mut differences = Vec::new();
    for step in &plan.steps {
        let began = Instant::now();
        let done = match &step.action {
            Action::Verify(verification) => match &mut recorded {
                None => RecordedVerification::record(&world, verification, step.line)
                    .await
                    .map(|record| differences.extend(record.differences())),
                Some(recorded) => RecordedVerification::record_for_any_policy(&world, &plan, verification, step.line)
                    .await
                    .map(|record| {
                        differences.extend(record.unlike_again());
                        differences.extend(record.judge_by(record.policy()));
                        recorded.push(record);
                    }),
            },
            action => action.act(&mut world).await.map(|()| differences.append(&mut world.differences)),
        };
        match step.action {
            Action::Verify(_) => times.verify += began.elapsed(),
            _ => {
                let signing = std::mem::take(&mut world.signing);
                times.sign += signing;
                times.act += began.elapsed().saturating_sub(signing);
            }
        }
        if let Err(reason) = done {
            world.broken_off = true;
            return (CaseStatus::Error(format!("line {}: {reason}", step.line)), Some(world));
        }
    }
    let status = if differences.is_empty() { CaseStatus::Pass } else { CaseStatus::Fail(differences) };
    (status, Some(world))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[tokio::test]
    async fn a_case_that_takes_long_is_named_less_and_less_often() {
        let told = Arc::new(Mutex::new(Vec::new()));
        let listener = Arc::clone(&told);
        let notes = Notes::to(move |note| listener.lock().unwrap().push(note.to_string()));
        let case = |lasts| {
            let notes = notes.clone();
            async move { watched(tokio::time::sleep(lasts), "topic/case", &notes, Duration::from_millis(50)).await }
        };
        case(Duration::from_millis(1)).await;
        assert_eq!(*told.lock().unwrap(), [""; 0]);
        case(Duration::from_millis(500)).await;
        let told = told.lock().unwrap();
        assert!((1..=4).contains(&told.len()), "{told:?}");
        assert_eq!(told[0], "SLOW topic/case has been running for 0 s");
    }
}

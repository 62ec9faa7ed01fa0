//! Running cases: each in its own world, many at a time, results in the order of the files.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;

use super::cases::{Case, Scenario};
use super::expectation::Difference;
use super::notes::{Note, Notes};
use super::play::play;
use super::running::{Begun, Running};
use super::world::{CheckedRegistry, External, Keystore, Part, RegistryKind, World, not_asked_for};
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
    /// It was running when the run was ended, for this reason. Nothing is known of it.
    Unfinished(String),
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
    /// Cases that were running when the run was ended.
    pub unfinished: u64,
    /// Whether the run ended before every case was run.
    pub partial: bool,
    /// Whether that is because it was told to stop.
    pub interrupted: bool,
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
        self.pass + self.fail + self.skipped + self.error + self.unfinished
    }

    fn count(&mut self, status: &CaseStatus) {
        *match status {
            CaseStatus::Pass => &mut self.pass,
            CaseStatus::Fail(_) => &mut self.fail,
            CaseStatus::Skipped(_) => &mut self.skipped,
            CaseStatus::Error(_) => &mut self.error,
            CaseStatus::Unfinished(_) => &mut self.unfinished,
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

pub(super) fn is_left_out(selected: &Selected, options: &Options) -> bool {
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

/// Runs `cases`; `ended` is told of each, in this order. When `interrupt` is raised, and with [`Options::fail_fast`] when a
/// case does not pass, cases that are running are broken off: `ended` is told of them, too, as not finished.
pub async fn run(
    cases: Vec<Selected>,
    options: Options,
    interrupt: &Interrupt,
    ended: impl FnMut(CaseResult),
) -> Tally {
    run_and_tell(cases, options, interrupt, ended, |_| {}).await
}

/// The same; `told` is told the sum as soon as `ended` was told of all cases, before anything is waited for or cleared away:
/// what a run that is told to stop has found is then to be kept, however long the rest takes.
pub async fn run_and_tell(
    cases: Vec<Selected>,
    options: Options,
    interrupt: &Interrupt,
    mut ended: impl FnMut(CaseResult),
    told: impl FnOnce(&Tally),
) -> Tally {
    let options = Arc::new(options);
    let containers = options.checked.containers(options.program.as_deref());
    let external = external(&cases, &options);
    let mut waiting = cases.into_iter().enumerate();
    let mut running = Running::default();
    let mut tally = Tally::default();
    loop {
        while running.count() < options.jobs.max(1)
            && !interrupt.is_raised()
            && let Some((position, selected)) = waiting.next()
        {
            let part = external.as_ref().map(|external| {
                let external = external.as_ref().map_err(Clone::clone)?;
                external.part(position + 1)
            });
            let case = Begun::new(&selected);
            let (options, containers) = (Arc::clone(&options), Arc::clone(&containers));
            running.begin(position, case.clone(), async move {
                let part = match part.transpose() {
                    Ok(part) => part,
                    Err(reason) => return case.ended(CaseStatus::Error(reason)),
                };
                let notes = options.notes.clone();
                let run = AssertUnwindSafe(one(selected, options, containers, part)).catch_unwind();
                let ended = watched(run, &case.id, &notes, limits::SCENARIO_SLOW).await;
                ended.unwrap_or_else(|_| case.ended(CaseStatus::Error("Muster broke down over this case".to_owned())))
            });
        }
        let bad = tokio::select! {
            biased;
            () = interrupt.raised() => {
                (tally.partial, tally.interrupted) = (true, true);
                break;
            }
            status = running.next() => match status {
                Some(status) => matches!(status, CaseStatus::Fail(_) | CaseStatus::Error(_)),
                None => break,
            },
        };
        running.in_order().for_each(|result| tell(result, &mut tally, &mut ended));
        if bad && options.fail_fast {
            tally.partial = waiting.len() > 0 || running.count() > 0;
            break;
        }
    }
    let reason = if tally.interrupted { "the run was told to stop" } else { "another case did not pass" };
    running.break_off(reason).for_each(|result| tell(result, &mut tally, &mut ended));
    told(&tally);
    running.wait().await;
    let stopped = tally.interrupted;
    // Cases that were broken off cannot stop their own. What cannot be removed now is removed by the next run.
    let removed = async {
        if !options.keep || stopped {
            let time = match stopped {
                true => limits::CONTAINER_REMOVAL_WHEN_STOPPED,
                false => limits::CONTAINER_REMOVAL_AT_THE_END,
            };
            if let Err(error) = containers.remove_all(time).await {
                options.notes.tell(Note::ContainersLeft { why: error.to_string() });
            }
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

fn tell(result: CaseResult, tally: &mut Tally, ended: &mut impl FnMut(CaseResult)) {
    tally.count(&result.status);
    ended(result);
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
    let (status, world) = play(&selected, &options, &containers, part, &mut times, None).await;
    let mut kept = None;
    match world {
        Some(world) if options.keep => kept = Some(KeptWorld { world, _containers: containers }),
        // What stays behind says nothing of the case.
        Some(world) => {
            if let Err(why) = world.stop().await {
                options.notes.tell(Note::ContainersLeft { why });
            }
        }
        None => {}
    }
    CaseResult { id: selected.case.id, title: selected.title, file: selected.file, status, times, world: kept }
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

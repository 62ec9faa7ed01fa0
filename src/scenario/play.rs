//! Playing one case: its world is built, its steps are done, what is verified is compared.
//!
//! What could not be done is an error of the case, and so is what cannot be trusted because this machine ran out of something
//! meanwhile (see [`crate::shortage`]): neither is a failure.

use std::sync::Arc;
use std::time::Instant;

use super::expectation::Difference;
use super::recorded_verification::RecordedVerification;
use super::run::{CaseStatus, Options, PhaseTimings, Selected, is_left_out};
use super::steps::Action;
use super::wanted::Waits;
use super::world::{Overrides, Part, SetupError, World};
use crate::forge::Containers;
use crate::shortage;

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
    let before = shortage::Before::now();
    let waits = Waits::default();
    let overrides = Overrides {
        registry: options.registry.clone(),
        part,
        keystore: options.keystore,
        containers: Arc::clone(containers),
        program: options.program.clone(),
        wanted: waits.wanted(),
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
        Err(SetupError::Failed(reason)) => return (CaseStatus::Error(with_shortage(reason, before)), None),
    };

    let mut differences = Vec::new();
    for step in &plan.steps {
        let began = Instant::now();
        let done = match &step.action {
            Action::Verify(verification) => match &mut recorded {
                None => RecordedVerification::record(&world, verification, step.line).await.and_then(|record| {
                    let sound = record.sound;
                    untroubled(sound, record.differences(), before).map(|found| differences.extend(found))
                }),
                Some(recorded) => RecordedVerification::record_for_any_policy(&world, &plan, verification, step.line)
                    .await
                    .and_then(|record| {
                        let mut found = record.unlike_again();
                        found.extend(record.judge_by(record.policy()));
                        differences.extend(untroubled(record.sound, found, before)?);
                        recorded.push(record);
                        Ok(())
                    }),
            },
            action => action.act(&mut world).await.and_then(|()| {
                let found = std::mem::take(&mut world.differences);
                let sound = !action.expects();
                differences.extend(untroubled(sound, found, before)?);
                Ok(())
            }),
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
            let reason = format!("line {}: {reason}", step.line);
            return (CaseStatus::Error(with_shortage(reason, before)), Some(world));
        }
    }
    let status = if differences.is_empty() { CaseStatus::Pass } else { CaseStatus::Fail(differences) };
    (status, Some(world))
}

/// The differences that were found; an error where this machine ran out of something meanwhile, and what came out may be so
/// because of that: neither a failure nor a pass.
fn untroubled(sound: bool, found: Vec<Difference>, before: shortage::Before) -> Result<Vec<Difference>, String> {
    match before.met_since() {
        Some(_) if !sound || !found.is_empty() => Err("the verification says nothing".to_owned()),
        _ => Ok(found),
    }
}

/// Why a case could not be run, and what this machine ran out of meanwhile.
fn with_shortage(reason: String, before: shortage::Before) -> String {
    match before.met_since() {
        Some(shortage) => format!("{reason}: {shortage}"),
        None => reason,
    }
}

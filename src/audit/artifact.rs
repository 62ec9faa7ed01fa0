//! How an artifact is judged, which is what a tag names: it is resolved, passed over if it is not an artifact, decided on, and,
//! where it is an image index, looked into.
//!
//! An index that passes covers the manifests that it lists, at every depth, since its signature names them by digest: they
//! are counted. Where platforms are asked for, those manifests are judged one by one as well, each once. What is not there
//! is counted as absent, as in a mirror of some platforms; what cannot be looked into is an error of its own.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream};

use super::attached::judge_attached;
use super::judged::{Judged, ListedManifests, internal_fault, lost, unresolved};
use super::listed::{Listed, ListedManifest, Listing};
use super::order::{Results, Task};
use super::passed_over::{Apparent, PassedOver, is_absent};
use super::plan::{Plan, Run};
use super::platform::Platforms;
use super::selected::Selected;
use super::signatures::judge_manifest;
use crate::digest::Digest;
use crate::failure::Code;
use crate::manifest::{self, Descriptor, ManifestError, ManifestKind};
use crate::reference::Reference;
use crate::source::Manifest;
use crate::trouble::{Trouble, TroubleKind};
use crate::verify::Verdict;

/// How many manifests of one image index are in work at a time.
const PARTS_AT_A_TIME: usize = 8;

/// Judges what was selected: nothing if it is passed over, else one result for it, and one for each of its parts that is
/// asked for.
pub(super) async fn judge_artifact(selected: Selected, run: Arc<Run>, results: &mut Results) {
    let deadline = &run.deadline(&selected.source);
    let manifest = match run.in_time(deadline, resolve(&selected)).await {
        Ok(manifest) => manifest,
        Err(trouble) => return results.send(unresolved_from(&selected, trouble)).await,
    };
    let Outline { descriptor, apparent, index } = Outline::read(&selected, manifest, &run.plan.platforms);
    let also = |apparent: &Apparent| run.plan.also.has(apparent.kind());
    // What cosign signed is told of either way.
    if let Some(apparent) = apparent.filter(|apparent| !also(apparent) || apparent.kind() == PassedOver::CosignTag) {
        let (signed, judged) = (apparent.signed_by_cosign(&selected), also(&apparent));
        match run.in_time(deadline, apparent.passed_over(&selected)).await {
            Ok(Some(kind)) => {
                if let Some(signed) = signed {
                    run.aside.note_cosign(&selected.reference.repository, &signed);
                }
                if !judged {
                    return run.aside.pass_over(kind, 1);
                }
            }
            Ok(None) => {}
            Err(_) if judged => {}
            Err(trouble) => return results.send(of_manifest(&selected, &descriptor, trouble)).await,
        }
    }
    let whole = descriptor.digest;
    let mut judged = judge_manifest(&selected, &descriptor, &run, deadline).await;
    match index {
        Ok(Some(listing)) => {
            let passes = matches!(judged.outcome.verdict, Verdict::Pass | Verdict::Warn);
            let inside = passes || judges_parts(&run.plan);
            let listed = listing.listed(&selected, inside);
            match run.in_time(deadline, listed.map(Ok)).await {
                Ok(listed) => {
                    judged.lists = Some(ListedManifests { count: listed.count(), more: listed.is_open() });
                    send_whole(judged, &selected, whole, &run, results).await;
                    judge_parts(&selected, whole, listed, &run, results).await;
                }
                Err(trouble) => {
                    judged.lists = Some(ListedManifests { count: 0, more: true });
                    send_whole(judged, &selected, whole, &run, results).await;
                    if judges_parts(&run.plan) {
                        send_part(results, whole, unresolved_from(&selected, trouble)).await;
                    }
                }
            }
        }
        Err(error) => {
            // Of an index that cannot be read, it is not known what it covers.
            let unknown = ListedManifests { count: 0, more: true };
            judged.lists = manifest::is_index(&descriptor.media_type).then_some(unknown);
            send_whole(judged, &selected, whole, &run, results).await;
            if judges_parts(&run.plan) {
                let message = format!("the manifest cannot be read, so its parts are not known: {error}");
                let trouble = Trouble::new(TroubleKind::AnswerInvalid, message);
                send_part(results, whole, unresolved_from(&selected, trouble)).await;
            }
        }
        Ok(None) => send_whole(judged, &selected, whole, &run, results).await,
    }
}

/// Hands over the result of an artifact, and those of what is attached to it, if it is looked for.
async fn send_whole(judged: Judged, selected: &Selected, whole: Digest, run: &Arc<Run>, results: &mut Results) {
    let looks = judged.outcome.verdict != Verdict::Skip;
    if judged.outcome.failure.as_ref().is_some_and(|failure| failure.code == Code::Unsigned) {
        run.aside.note_unsigned(&selected.reference.repository, &whole);
    }
    results.send(judged).await;
    // Where the policy does not look at signatures, nothing is looked for.
    if looks {
        judge_attached(selected, whole, run, results).await;
    }
}

/// What is held of a manifest while it is judged: little, however long it is, since no task may hold a share of the budget
/// meanwhile.
struct Outline<'a> {
    descriptor: Descriptor,
    /// What the manifest may be that is passed over.
    apparent: Option<Apparent>,
    /// What the manifest lists, if it is an index; or why it cannot be read.
    index: Result<Option<Listing<'a>>, ManifestError>,
}

impl<'a> Outline<'a> {
    fn read(selected: &Selected, manifest: Manifest, platforms: &'a Platforms) -> Outline<'a> {
        let Manifest { descriptor, bytes } = manifest;
        let (apparent, index) = match manifest::parse(&bytes, &descriptor.media_type) {
            Err(error) => (None, Err(error)),
            Ok(content) => {
                let apparent = Apparent::of(selected, &content, &descriptor.media_type);
                let listing = match content {
                    ManifestKind::Index(index) => Some(Listing::of(descriptor.digest, index, platforms)),
                    _ => None,
                };
                (apparent, Ok(listing))
            }
        };
        // The bytes, and with them their share, go last.
        drop(bytes);
        Outline { descriptor, apparent, index }
    }
}

async fn send_part(results: &mut Results, whole: Digest, part: Judged) {
    results.send(Judged { part_of: Some(whole), ..part }).await;
}

/// Judges those manifests of an index that are asked for, and counts what is passed over.
async fn judge_parts(selected: &Selected, whole: Digest, listed: Listed, run: &Arc<Run>, results: &mut Results) {
    let Listed { manifests, more } = listed;
    let mut found = vec![0; run.plan.platforms.named().len()];
    let attests = |manifest: &&ListedManifest| manifest.attests && !wanted(manifest, &run.plan);
    run.aside.pass_over(PassedOver::BuildAttestation, manifests.iter().filter(attests).count() as u64);
    let covered = run.plan.platforms == Platforms::Covered;
    if covered {
        let absent = |manifest: &&ListedManifest| manifest.is_absent() && !wanted(manifest, &run.plan);
        run.aside.pass_over(PassedOver::AbsentManifest, manifests.iter().filter(absent).count() as u64);
    }
    if !judges_parts(&run.plan) {
        return;
    }
    // What cannot be looked into may hold what is asked for; of what is covered, only attestations are.
    let open = |part: &ListedManifest| part.closed.is_some() && !(covered && part.is_absent());
    let manifests = manifests.into_iter().filter(|part| open(part) || wanted(part, &run.plan));
    // Tasks of their own, so that they get on while a result waits to be reported.
    let parts = manifests.map(|part| {
        let (selected, run, named) = (selected.clone(), Arc::clone(run), part.on.named.clone());
        async move {
            let judged = Task::spawn(async move { judge_part(&selected, &part, &run).await }).join().await;
            (judged, named)
        }
    });
    let mut parts = stream::iter(parts).buffered(PARTS_AT_A_TIME);
    while let Some((part, named)) = parts.next().await {
        let part =
            part.unwrap_or_else(|_| Some(Judged { outcome: internal_fault(), ..unresolved_from(selected, lost()) }));
        let Some(part) = part else { continue };
        for (found, named) in found.iter_mut().zip(&named) {
            *found += u64::from(*named);
        }
        let attached_to = part.digest.filter(|_| part.outcome.verdict != Verdict::Skip);
        send_part(results, whole, part).await;
        if let Some(digest) = attached_to {
            judge_attached(selected, digest, run, results).await;
        }
    }
    drop(parts);
    if let Some(trouble) = more {
        send_part(results, whole, unresolved_from(selected, trouble)).await;
    }
    for (wanted, found) in run.plan.platforms.named().iter().zip(found) {
        run.aside.find(wanted, found);
        // Among the tags of a list there may be some for other platforms only; of what the user names, it is missing.
        if found == 0 && !selected.listed {
            let message = format!("the image index has no manifest for the platform {wanted}");
            let missing = unresolved_from(selected, Trouble::new(TroubleKind::NotFound, message));
            let missing = Judged { platform: Some(wanted.to_string()), ..missing };
            send_part(results, whole, missing).await;
        }
    }
}

/// Whether manifests of image indexes are judged one by one at all.
fn judges_parts(plan: &Plan) -> bool {
    plan.platforms.are_judged() || plan.also.has(PassedOver::BuildAttestation)
}

fn wanted(manifest: &ListedManifest, plan: &Plan) -> bool {
    if manifest.attests && plan.also.has(PassedOver::BuildAttestation) {
        return true;
    }
    match &plan.platforms {
        Platforms::Covered => false,
        Platforms::These(_) => manifest.on.named.contains(&true),
        Platforms::All => true,
    }
}

/// Judges one manifest of an index; `None` if it is passed over.
async fn judge_part(index: &Selected, listed: &ListedManifest, run: &Arc<Run>) -> Option<Judged> {
    let reference = index.reference.repository.at(listed.digest);
    let part = Selected { reference, ..index.clone() };
    let deadline = &run.deadline(&part.source);
    let closed = listed.closed.clone().filter(|trouble| !is_absent(trouble));
    let resolved = match closed {
        Some(trouble) => Err(trouble),
        None => run
            .in_time(deadline, resolve_listed(&part, listed.digest))
            .await
            .and_then(|manifest| as_listed(manifest, listed)),
    };
    let judged = match resolved {
        Ok(Manifest { descriptor, bytes }) => {
            let passed_over = listed.attests && !run.plan.also.has(PassedOver::BuildAttestation);
            let content = passed_over.then(|| manifest::parse(&bytes, &descriptor.media_type));
            drop(bytes);
            if content.is_some_and(|content| content.is_ok_and(|content| content.is_build_attestation())) {
                run.aside.pass_over(PassedOver::BuildAttestation, 1);
                return None;
            }
            judge_manifest(&part, &descriptor, run, deadline).await
        }
        Err(trouble) if is_absent(&trouble) => {
            run.aside.pass_over(PassedOver::AbsentManifest, 1);
            return None;
        }
        Err(trouble) => unresolved_from(&part, trouble),
    };
    let platform = listed.on.platform.as_ref().map(ToString::to_string);
    Some(Judged { digest: Some(listed.digest), platform, ..judged })
}

/// Refuses an index that is listed as something else: it was not looked into.
fn as_listed(manifest: Manifest, listed: &ListedManifest) -> Result<Manifest, Trouble> {
    let [is, says] = [&manifest.descriptor.media_type, &listed.media_type].map(|name| manifest::is_index(name));
    if is && !says {
        let message = format!("the image index {} is listed as something else, and was not looked into", listed.digest);
        return Err(Trouble::new(TroubleKind::AnswerInvalid, message));
    }
    Ok(manifest)
}

async fn resolve(selected: &Selected) -> Result<Manifest, Trouble> {
    existing(selected.source.manifest(&selected.reference).await?, &selected.reference)
}

async fn resolve_listed(part: &Selected, digest: Digest) -> Result<Manifest, Trouble> {
    existing(part.source.listed_manifest(&part.reference.repository, &digest).await?, &part.reference)
}

fn existing(found: Option<Manifest>, reference: &Reference) -> Result<Manifest, Trouble> {
    found.ok_or_else(|| Trouble::new(TroubleKind::NotFound, format!("there is no {reference}")))
}

pub(super) fn unresolved_from(selected: &Selected, trouble: Trouble) -> Judged {
    let repository = selected.reference.repository.to_string();
    Judged { repository_from: selected.repository_from, ..unresolved(repository, selected.label.clone(), trouble) }
}

/// Trouble with an artifact whose manifest is known.
pub(super) fn of_manifest(selected: &Selected, descriptor: &Descriptor, trouble: Trouble) -> Judged {
    Judged {
        digest: Some(descriptor.digest),
        media_type: Some(descriptor.media_type.clone()),
        ..unresolved_from(selected, trouble)
    }
}

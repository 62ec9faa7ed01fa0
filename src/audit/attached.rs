//! What is attached to an artifact: SBoMs, attestations, scan results, whatever names it as its subject and is no signature.
//!
//! Each is judged by its own signatures, and so is what is attached to that, to a depth of [`limits::REFERRERS_DEPTH`]; its rows
//! come below the artifact's, in the order in which they are listed. A signature is what its artifact is judged by, and no row.
//! That a manifest is listed proves nothing: its own `subject` says what it is attached to.

use std::collections::HashSet;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};

use super::artifact::{of_manifest, unresolved_from};
use super::collect::check_served;
use super::judged::{Judged, internal_fault, lost};
use super::order::{Results, Task};
use super::passed_over::{PassedOver, is_absent};
use super::plan::Run;
use super::selected::Selected;
use super::signatures::judge_manifest;
use crate::digest::Digest;
use crate::evidence::Discovery;
use crate::limits;
use crate::manifest::{self, Descriptor};
use crate::trouble::{Trouble, TroubleKind};

/// How many attached manifests of one artifact are in work at a time.
const AT_A_TIME: usize = 8;

/// Judges what is attached to the manifest `subject`, if that is wanted.
pub(super) async fn judge_attached(selected: &Selected, subject: Digest, run: &Arc<Run>, results: &mut Results) {
    if run.plan.referrers {
        let mut below = Below { selected, run, results, seen: HashSet::from([subject]), told: None };
        below.judge(subject, 1).await;
    }
}

/// What is attached to one artifact, while it is judged.
struct Below<'a> {
    selected: &'a Selected,
    run: &'a Arc<Run>,
    results: &'a mut Results,
    seen: HashSet<Digest>,
    /// Why something may be missing, as it was told last. A layout says the same of all that is attached to an artifact.
    told: Option<String>,
}

/// What became of a listed manifest.
enum Attached {
    /// It was judged, or could not be.
    Row(Box<Judged>),
    /// It is counted.
    PassedOver(PassedOver),
    /// It is a signature, or is not attached here.
    Other,
}

impl Below<'_> {
    /// Judges what is attached to `subject`, which is `depth` away from the artifact.
    fn judge(&mut self, subject: Digest, depth: usize) -> BoxFuture<'_, ()> {
        async move {
            let (listed, doubt) =
                match self.run.in_time(&self.run.deadline(&self.selected.source), self.list(&subject)).await {
                    Ok(listed) => listed,
                    Err(trouble) => return self.send_trouble(subject, trouble).await,
                };
            // Told of what is nearest to the artifact.
            let doubt = doubt.filter(|doubt| {
                let before = self.told.replace(doubt.message.clone());
                before.as_ref() != Some(&doubt.message)
            });
            let mut more = false;
            let listed: Vec<_> = listed
                .into_iter()
                .filter(|descriptor| {
                    // The artifact itself is among those that were seen.
                    let room = self.seen.len() <= limits::REFERRERS_JUDGED;
                    more |= !room;
                    room && self.seen.insert(descriptor.digest)
                })
                .collect();
            // Tasks of their own, so that they get on while a result waits to be reported.
            let tasks = listed.into_iter().map(|descriptor| {
                let (selected, run, digest) = (self.selected.clone(), Arc::clone(self.run), descriptor.digest);
                async move {
                    let judged = Task::spawn(async move { judge_one(&selected, descriptor, subject, &run).await });
                    (digest, judged.join().await)
                }
            });
            let mut judged = stream::iter(tasks).buffered(AT_A_TIME);
            while let Some((digest, attached)) = judged.next().await {
                let fault = || Judged { outcome: internal_fault(), ..unresolved_from(self.selected, lost()) };
                match attached.unwrap_or_else(|_| Attached::Row(Box::new(fault()))) {
                    Attached::Row(row) => {
                        self.results.send(Judged { attached_to: Some(subject), ..*row }).await;
                        if depth < limits::REFERRERS_DEPTH {
                            self.judge(digest, depth + 1).await;
                        }
                    }
                    Attached::PassedOver(kind) => self.run.aside.pass_over(kind, 1),
                    Attached::Other => {}
                }
            }
            drop(judged);
            if let Some(doubt) = doubt {
                self.send_trouble(subject, doubt).await;
            }
            if more {
                let message = format!("there are more than the {} that are judged", limits::REFERRERS_JUDGED);
                self.send_trouble(subject, Trouble::new(TroubleKind::AnswerTooLarge, message)).await;
            }
        }
        .boxed()
    }

    /// What is listed as attached, and why there may be more.
    async fn list(&self, subject: &Digest) -> Result<(Vec<Descriptor>, Option<Trouble>), Trouble> {
        let repository = &self.selected.reference.repository;
        let found = self.selected.source.all_referrers(repository, subject).await?;
        let mut listed = found.others;
        // One more, so that it is seen that there are more.
        listed.truncate(limits::REFERRERS_JUDGED + 1);
        listed.shrink_to_fit();
        Ok((listed, found.doubt))
    }

    async fn send_trouble(&mut self, subject: Digest, trouble: Trouble) {
        let message = format!("what is attached to {subject} is not known: {}", trouble.message);
        let unresolved = unresolved_from(self.selected, Trouble::new(trouble.kind, message));
        self.results.send(Judged { attached_to: Some(subject), ..unresolved }).await;
    }
}

async fn judge_one(selected: &Selected, listed: Descriptor, subject: Digest, run: &Arc<Run>) -> Attached {
    let repository = &selected.reference.repository;
    let one = Selected { reference: repository.at(listed.digest), ..selected.clone() };
    let deadline = run.deadline(&one.source);
    let fetched = async {
        let found = one.source.listed_manifest(repository, &listed.digest).await?;
        check_served(found, &listed, Discovery::Hidden)
    };
    let found = match run.in_time(&deadline, fetched).await {
        Ok(Some(found)) => found,
        Ok(None) => return Attached::PassedOver(PassedOver::AbsentManifest),
        Err(trouble) if is_absent(&trouble) => return Attached::PassedOver(PassedOver::AbsentManifest),
        Err(trouble) => return Attached::Row(Box::new(of_manifest(&one, &listed, trouble))),
    };
    let descriptor = found.descriptor;
    let content = match manifest::parse(&found.bytes, &descriptor.media_type) {
        Ok(content) => content,
        Err(error) => {
            let trouble = Trouble::new(TroubleKind::AnswerInvalid, error.to_string());
            return Attached::Row(Box::new(of_manifest(&one, &descriptor, trouble)));
        }
    };
    drop(found.bytes);
    if content.subject().is_none_or(|named| named.digest != subject) || manifest::is_signature(&content) {
        return Attached::Other;
    }
    let is_foreign = manifest::foreign_signature(&content).is_some() && content.is_cosign("sig");
    if is_foreign && !run.plan.also.has(PassedOver::ForeignSignature) {
        return Attached::PassedOver(PassedOver::ForeignSignature);
    }
    // A type of another length is none, and would be held as long as the row.
    let artifact_type =
        content.artifact_type().filter(|name| name.len() <= limits::MEDIA_TYPE_BYTES).map(str::to_owned);
    drop(content);
    let judged = judge_manifest(&one, &descriptor, run, &deadline).await;
    Attached::Row(Box::new(Judged { artifact_type, ..judged }))
}

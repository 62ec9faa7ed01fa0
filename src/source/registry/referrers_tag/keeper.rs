//! One client that writes to the index of the referrers tag schema: it reads, adds, writes, and looks until that has stayed.
//!
//! Follows the OCI distribution specification, *Referrers Tag Schema*. It refuses to write over what is no index, and to write
//! upon what it read too long ago.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use super::{Unlisted, UnlistedCause};
use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::IMAGE_INDEX;
use crate::reference::Repository;
use crate::source::Manifest;
use crate::source::attachment::{self, Attachment};
use crate::source::registry::content::{self, Name};
use crate::source::registry::http::{Absence, Reply};
use crate::source::registry::push::{self, Pushed};
use crate::source::registry::refusal::{self, TagRefusal};
use crate::source::registry::retry::Fault;
use crate::source::registry::{Registry, delete};
use crate::trouble::{Trouble, TroubleKind};

/// One client that writes to the index.
pub(super) struct Keeper<'a> {
    registry: &'a Registry,
    repository: &'a Repository,
    tag: String,
    subject: Digest,
    own: Digest,
    /// Every entry that was seen, as it stands in the index, and one's own.
    seen: HashMap<Digest, String>,
    /// Entries of others that were lost, and were added again because their manifests are there.
    again: HashSet<Digest>,
    /// Entries of others whose manifests are not there.
    gone: HashSet<Digest>,
    /// The indexes that were replaced, and those that were written.
    replaced: HashSet<Digest>,
    /// What the tag led to last.
    current: Option<Digest>,
    /// The index that was written last, and when the registry had taken it, as long as the tag was seen to lead to nothing
    /// else since.
    written: Option<(Digest, Instant)>,
    reads: usize,
    writes: usize,
    /// The slowest round of reading and writing.
    slowest: Duration,
    took: Duration,
    /// Whether another client was seen to write.
    contended: bool,
}

/// What is under the tag.
struct Found {
    manifest: Option<Manifest>,
    /// When it was asked for.
    asked: Instant,
}

impl<'a> Keeper<'a> {
    pub(super) fn new(
        registry: &'a Registry,
        repository: &'a Repository,
        attachment: &Attachment,
        pushed: Pushed,
    ) -> Keeper<'a> {
        let added = &attachment.manifest.descriptor;
        Keeper {
            registry,
            repository,
            tag: attachment.subject.referrers_tag(),
            subject: attachment.subject,
            own: added.digest,
            seen: HashMap::from([(added.digest, attachment::entry_of(added))]),
            again: HashSet::new(),
            gone: HashSet::new(),
            replaced: HashSet::new(),
            current: None,
            written: None,
            reads: 0,
            writes: 0,
            slowest: Duration::ZERO,
            took: pushed.took,
            contended: false,
        }
    }

    /// Has the index list all that was seen, until it stays so.
    pub(super) async fn keep(&mut self) -> Result<(), Unlisted> {
        let http = &self.registry.http;
        let (least, longest) = http.timings().settle;
        let (started, held) = (Instant::now(), http.held());
        let mut since = None;
        let mut next = started;
        let mut faults = 0;
        loop {
            let found = self.read().await?;
            let missing = self.missing(&found)?;
            let late = started.elapsed().saturating_sub(http.held().saturating_sub(held)) > longest;
            if missing.is_empty() {
                let calm = match since {
                    Some((digest, since)) if Some(digest) == self.current => since,
                    _ => self.written.map_or_else(Instant::now, |(_, at)| at),
                };
                since = self.current.map(|digest| (digest, calm));
                let (quiet, window) = (calm.elapsed(), self.window(least));
                if quiet >= window || late {
                    if self.drop_gone().await {
                        since = None;
                        continue;
                    }
                    return Ok(());
                }
                // More often where others write, so that more of what they write is seen.
                let pause = if self.contended { self.slowest.max(window / 8) } else { window };
                tokio::time::sleep((window - quiet).min(pause)).await;
                continue;
            }
            since = None;
            if late || self.writes == limits::INDEX_WRITES {
                return Err(self.given_up());
            }
            let now = Instant::now();
            if now < next {
                tokio::time::sleep((next - now).min(self.slowest.max(least / 8))).await;
                continue;
            }
            // Entries of others first, which takes time: then the index is read anew.
            if self.look_for(&missing).await || self.is_stale(&found, least) {
                continue;
            }
            match self.write(&found, &missing).await? {
                Ok(()) => {
                    let rounds = self.slowest.max(least / 16) * (1 << self.writes.min(6));
                    next = Instant::now() + rounds.min(limits::INDEX_PAUSE).mul_f64(chance());
                }
                Err(fault) => {
                    faults += 1;
                    // The gate before the host knows when it may be asked again.
                    let most = if fault.refused { limits::REFUSALS } else { http.timings().retries };
                    if !(fault.refused || fault.is_passing() || is_open(&fault)) || faults > most {
                        return Err(self.refused(&found, fault));
                    }
                    let (shortest, longest) = http.timings().pause;
                    if !fault.refused {
                        let pause = shortest.saturating_mul(1 << faults.min(16)).min(longest);
                        tokio::time::sleep(pause.mul_f64(0.5 + chance() / 2.0)).await;
                    }
                }
            }
        }
    }

    /// For how long the index has to stay as it is.
    fn window(&self, least: Duration) -> Duration {
        if least.is_zero() {
            return Duration::ZERO;
        }
        let rounds = limits::INDEX_SETTLED_ROUNDS * if self.contended { 2 } else { 1 };
        (self.slowest * rounds).clamp(least, limits::INDEX_SETTLED_LONGEST.max(least))
    }

    /// Whether what was found was read so long ago that it is not written upon.
    fn is_stale(&self, found: &Found, least: Duration) -> bool {
        !least.is_zero() && found.asked.elapsed() > self.window(least) / 2
    }

    async fn read(&mut self) -> Result<Found, Unlisted> {
        // A list that others keep would be lost to a 404 that passes.
        let answers = limits::NO_REFERRERS_TAG_ANSWERS;
        let http = &self.registry.http;
        let (began, held) = (Instant::now(), http.held());
        let found = content::manifest(http, self.repository, Name::Tag(&self.tag), Absence::after(answers)).await;
        // What the host held back was not under way.
        let took = began.elapsed().saturating_sub(http.held().saturating_sub(held));
        let (manifest, took) = match found.map_err(|trouble| self.unlisted(UnlistedCause::Failed, trouble))? {
            // Some take the tag for the digest of the subject as long as there is no such tag.
            Reply::Found(manifest) if manifest.descriptor.digest == self.subject => (None, took),
            Reply::Found(manifest) => (Some(manifest), took),
            // The last of the answers counts.
            Reply::Absent(_) => (None, took.div_f64(answers as f64)),
        };
        self.slowest = self.slowest.max(took + self.took);
        let digest = manifest.as_ref().map(|manifest| manifest.descriptor.digest);
        if self.written.is_none_or(|(written, _)| Some(written) != digest) {
            self.contended |= self.reads > 0 && digest != self.current;
            self.written = None;
        }
        self.reads += 1;
        self.current = digest;
        Ok(Found { manifest, asked: Instant::now().checked_sub(took).unwrap_or(began) })
    }

    /// The entries that were seen and are not there; what is there is seen now.
    fn missing(&mut self, found: &Found) -> Result<Vec<Digest>, Unlisted> {
        let mut there = HashSet::new();
        if let Some(Manifest { descriptor, bytes }) = &found.manifest {
            let listed = match descriptor.media_type.as_str() {
                IMAGE_INDEX => attachment::entries(bytes),
                other => Err(format!("it is a {}", quote(other))),
            };
            let listed = listed.map_err(|error| {
                let (repository, tag) = (self.repository, &self.tag);
                let message = format!("{repository}:{tag} is no index of referrers, and is not written over: {error}");
                self.unlisted(UnlistedCause::NotAnIndex, Trouble::new(TroubleKind::AnswerInvalid, message))
            })?;
            for (digest, entry) in listed {
                there.insert(digest);
                self.seen.entry(digest).or_insert(entry);
            }
        }
        let missing = self.seen.keys().filter(|digest| !there.contains(*digest) && !self.gone.contains(*digest));
        let mut missing: Vec<_> = missing.copied().collect();
        missing.extend(self.gone.intersection(&there).copied());
        Ok(missing)
    }

    /// Asks for the manifests of lost entries of others that were not asked for yet; `true`: there were some.
    async fn look_for(&mut self, missing: &[Digest]) -> bool {
        let mut any = false;
        for digest in missing {
            if *digest == self.own || self.again.contains(digest) || self.gone.contains(digest) {
                continue;
            }
            any = true;
            if self.again.len() >= limits::INDEX_OTHERS || !self.is_there(digest).await {
                self.seen.remove(digest);
            } else {
                self.again.insert(*digest);
            }
        }
        any
    }

    /// Takes out what was added again for others and was deleted since; `true`: there is such.
    async fn drop_gone(&mut self) -> bool {
        let mut any = false;
        for digest in std::mem::take(&mut self.again) {
            if !self.is_there(&digest).await {
                self.seen.remove(&digest);
                any |= self.gone.insert(digest);
            }
        }
        any
    }

    async fn is_there(&self, digest: &Digest) -> bool {
        let absence = Absence::after(limits::NOT_FOUND_ANSWERS);
        let found = content::manifest(&self.registry.http, self.repository, Name::Digest(digest), absence).await;
        !matches!(found, Ok(Reply::Absent(_)))
    }

    /// Writes the index that was found with what is missing.
    async fn write(&mut self, found: &Found, missing: &[Digest]) -> Result<Result<(), Fault>, Unlisted> {
        let added = missing.iter().filter(|digest| !self.gone.contains(*digest));
        let entries = added.filter_map(|digest| self.seen.get(digest)).map(String::as_str);
        let bytes = found.manifest.as_ref().map(|manifest| &*manifest.bytes);
        let merged = attachment::merged(bytes, entries, &self.gone).map_err(|error| {
            let message = format!("{}:{} cannot be extended: {error}", self.repository, self.tag);
            self.unlisted(UnlistedCause::NotAnIndex, Trouble::new(TroubleKind::AnswerInvalid, message))
        })?;
        if merged.len() as u64 > limits::MANIFEST_BYTES {
            let message = format!("{}:{} has no room for another referrer", self.repository, self.tag);
            return Err(self.unlisted(UnlistedCause::Full, Trouble::new(TroubleKind::AnswerTooLarge, message)));
        }
        let digest = Digest::sha256(&merged);
        // Also where it fails: it may have been taken.
        self.replaced.insert(digest);
        let put = push::manifest_once(self.registry, self.repository, &self.tag, IMAGE_INDEX, &merged.into()).await;
        if put.is_ok() {
            self.writes += 1;
            if let Some(Manifest { descriptor, bytes }) = &found.manifest
                && attachment::lists_referrers(bytes)
            {
                self.replaced.insert(descriptor.digest);
            }
            self.written = Some((digest, Instant::now()));
            self.slowest = self.slowest.max(found.asked.elapsed());
        }
        Ok(put)
    }

    /// Deletes the indexes that were replaced, as far as the registry lets that be done. Where the tag lost something by then,
    /// that is listed again.
    pub(super) async fn clear(&mut self) -> Result<(), Unlisted> {
        let most = limits::INDEX_SETTLED_LONGEST;
        let mut any = false;
        for digest in std::mem::take(&mut self.replaced).into_iter().take(limits::INDEX_OTHERS) {
            // A registry that does not answer has nothing deleted.
            let Ok(Ok(found)) = tokio::time::timeout(most, self.read()).await else { break };
            if !self.missing(&found)?.is_empty() {
                self.keep().await?;
            }
            any = false;
            if Some(digest) == self.current {
                continue;
            }
            let delete = delete::replaced(&self.registry.http, self.repository, &digest);
            match tokio::time::timeout(most, delete).await {
                Ok(Ok(deleted)) => any = deleted,
                // It would say the same to each; and may have done it, unless it says that it did not.
                Ok(Err(fault)) => {
                    let is_refused = fault.trouble.kind == TroubleKind::RateLimited;
                    any = !is_refused && !fault.said.is_some_and(|said| said.status.is_client_error());
                    break;
                }
                Err(_) => {
                    any = true;
                    break;
                }
            }
        }
        if any {
            let found = self.read().await?;
            if !self.missing(&found)?.is_empty() {
                self.keep().await?;
            }
        }
        Ok(())
    }

    /// Why the index was not written.
    fn refused(&self, found: &Found, fault: Fault) -> Unlisted {
        let cause = match refusal::of_tag(fault.said.as_deref(), found.manifest.is_some()) {
            TagRefusal::Immutable => UnlistedCause::Immutable,
            TagRefusal::DeniedOnceThere => UnlistedCause::MayNotMove,
            TagRefusal::Denied => UnlistedCause::Denied,
            TagRefusal::Full => UnlistedCause::Full,
            TagRefusal::NotTaken => UnlistedCause::NotTaken,
            TagRefusal::Other => UnlistedCause::Failed,
        };
        self.unlisted(cause, fault.trouble)
    }

    /// Why the index does not list it after so many writes.
    fn given_up(&self) -> Unlisted {
        let (repository, tag, writes) = (self.repository, &self.tag, self.writes);
        let (cause, why) = match self.contended {
            true => (UnlistedCause::Contended, "another client writes to it"),
            false => (UnlistedCause::NotShown, "the registry does not show what is written"),
        };
        let message = format!("{repository}:{tag} lost what was added to it {writes} times: {why}");
        self.unlisted(cause, Trouble::new(TroubleKind::AnswerInvalid, message))
    }

    fn unlisted(&self, cause: UnlistedCause, trouble: Trouble) -> Unlisted {
        Unlisted { tag: self.tag.clone(), cause, trouble }
    }
}

/// Whether the answer says neither that the index was taken nor that it was not.
fn is_open(fault: &Fault) -> bool {
    fault.trouble.kind == TroubleKind::TimedOut || fault.said.as_ref().is_some_and(|said| said.status.is_success())
}

/// A number from 0 to 1, another one in each process and at each call.
fn chance() -> f64 {
    // The keys of each are drawn anew.
    (RandomState::new().hash_one(0_u8) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s62_pauses_are_drawn_anew() {
        let drawn: Vec<f64> = (0..1000).map(|_| chance()).collect();
        assert!(drawn.iter().all(|number| (0.0..1.0).contains(number)));
        let mean = drawn.iter().sum::<f64>() / 1000.0;
        assert!((0.4..0.6).contains(&mean), "{mean}");
    }
}

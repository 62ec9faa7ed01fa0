//! CRLs kept on disk between runs, in notation's cache.
//!
//! Follows the reference implementation: `crl/` in the cache folder, a file an address; where another issuer's CRL has that
//! file already, a file an address and issuer beside it. Only CRLs that were verified are written, and never an older one
//! over a newer. What is read is not believed: it goes through the same verification, and where that refuses it the server
//! is asked after all ([`RevocationSource::refetch`]). Trust and distrust are by address *and* issuer, so that one tenant's
//! certificates take nothing from another. So a file that is corrupt, foreign or tampered with costs a request. OCSP
//! answers are never kept.
//!
//! A CRL on disk hides what was revoked since, until its next update is due, as it does for notation. And it is remembered
//! beyond that: what a server says later goes along with what was kept, so that an older one is seen for what it is.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use time::OffsetDateTime;

use super::cache_file::{CacheFile, CacheProblem};
use super::candidate::{Candidate, by_age};
use super::{Budget, RevocationSource, Warn, file_name};
use crate::digest::Digest;
use crate::failure::quote;
use crate::revocation::{Accepted, Answer, Arrival, Need};
use crate::trouble::Trouble;

/// A source whose CRLs are kept on disk.
pub struct Cache {
    source: Arc<dyn RevocationSource>,
    /// The folder `crl`.
    folder: PathBuf,
    at: OffsetDateTime,
    read_only: bool,
    budget: Budget,
    warn: Warn,
    state: Mutex<State>,
    /// One file at a time is read or written: in base64, and as what it says, a long one takes twice its length.
    disk: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// What was served from disk.
    served: HashMap<Need, Digest>,
    /// Deltas that lie beside a base that was served from disk: where, and of which base.
    deltas: HashMap<Need, (PathBuf, Need)>,
    /// What lies on disk and was refused.
    distrusted: HashSet<(Need, Digest)>,
    /// What stands on disk; written ones are not written again in this run.
    on_disk: HashMap<Need, OnDisk>,
    /// Which kinds of warning were given.
    warned: HashSet<&'static str>,
}

#[derive(PartialEq, Eq)]
enum OnDisk {
    Read(Digest, Option<Digest>),
    Written,
}

impl Cache {
    /// Keeps the CRLs of `source` in `folder` (notation's cache folder, which need not exist). A CRL on disk serves while
    /// it is current `at` the time as of which is judged. What is wrong with the disk goes to `warn`, each kind once.
    pub fn new(source: Arc<dyn RevocationSource>, folder: &Path, at: OffsetDateTime, warn: Warn) -> Cache {
        Cache {
            source,
            folder: folder.join(file_name::CRLS),
            at,
            read_only: false,
            budget: Budget::default(),
            warn,
            state: Mutex::default(),
            disk: tokio::sync::Mutex::default(),
        }
    }

    /// The same, and nothing is ever written: for a run that judges as of another time than its own.
    #[must_use]
    pub fn read_only(self) -> Cache {
        Cache { read_only: true, ..self }
    }

    /// The same; long CRLs take their memory from `budget`.
    #[must_use]
    pub fn within(self, budget: Budget) -> Cache {
        Cache { budget, ..self }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the CRL of `need` may lie: under the name that notation gives it, or beside it.
    fn places(&self, need: &Need) -> Option<[PathBuf; 2]> {
        let Need::Crl { url, issuer } = need else { return None };
        Some([file_name::crl(url), file_name::crl_of(url, issuer)].map(|name| self.folder.join(name)))
    }

    fn warn_once(&self, kind: &'static str, message: String) {
        if self.state().warned.insert(kind) {
            (self.warn)(message);
        }
    }

    /// Reads the file at `path`, if there is one.
    async fn read(&self, path: PathBuf) -> Option<Candidate> {
        let length = path.metadata().ok().filter(std::fs::Metadata::is_file).map_or(0, |metadata| metadata.len());
        let permit = if Budget::is_long(length) && length <= crate::limits::CRL_CACHE_FILE_BYTES {
            Some(self.budget.permit(length / 4 * 3).await?)
        } else {
            None
        };
        let place = path.clone();
        let read =
            off_thread(move || CacheFile::read(&place).and_then(|file| Candidate::of_file(file, permit))).await?;
        match read {
            Ok(candidate) => Some(candidate),
            Err(CacheProblem::Missing) => None,
            Err(problem) => {
                let path = quote(&path.display().to_string());
                self.warn_once("read", format!("the cached CRL {path} is not used and will be replaced: it {problem}"));
                None
            }
        }
    }

    /// What lies on disk for `need`, the newest first, and where.
    async fn candidates(&self, need: &Need) -> Vec<(Candidate, PathBuf)> {
        let (Need::Crl { issuer, .. }, Some(places)) = (need, self.places(need)) else { return Vec::new() };
        let _one_at_a_time = self.disk.lock().await;
        let mut found = Vec::new();
        for path in places {
            if let Some(candidate) = self.read(path.clone()).await.filter(|candidate| candidate.outline.is_by(issuer)) {
                found.push((candidate, path));
            }
        }
        found.sort_by(|(one, _), (other, _)| by_age(one, other));
        found
    }

    /// The answer to `need`: from disk if something there may serve, and else from the server.
    async fn look(&self, need: &Need) -> Result<Answer, Trouble> {
        if let Some(delta) = self.delta(need).await {
            return Ok(delta);
        }
        let found = self.candidates(need).await;
        let serves = |candidate: &Candidate| {
            candidate.is_usable(self.at) && !self.state().distrusted.contains(&(need.clone(), *candidate.base.digest()))
        };
        if let Some((serving, path)) = found.iter().find(|(candidate, _)| serves(candidate)) {
            self.note_served(need, serving, path);
            let answer = serving.base.clone();
            return Ok(answer.besides(found.iter().map(|(candidate, _)| candidate.kept()).collect::<Vec<_>>()));
        }
        let answer = self.source.answer(need).await?;
        // What is older is verified too, so that the new one may take its place; not where that takes much memory.
        let matters = |candidate: &&Candidate| {
            candidate.may_outdate(&answer) || !Budget::is_long(candidate.base.bytes().len() as u64)
        };
        let kept: Vec<_> = found.iter().map(|(candidate, _)| candidate).filter(matters).map(Candidate::kept).collect();
        Ok(answer.besides(kept))
    }

    /// The delta CRL that `need` asks for, if it lies beside a base that was served from disk.
    async fn delta(&self, need: &Need) -> Option<Answer> {
        let (path, _) = self.state().deltas.remove(need)?;
        let candidate = {
            let _one_at_a_time = self.disk.lock().await;
            self.read(path).await?
        };
        let delta = candidate.delta?.0;
        self.state().served.insert(need.clone(), *delta.digest());
        Some(delta)
    }

    fn note_served(&self, need: &Need, serving: &Candidate, path: &Path) {
        let mut state = self.state();
        let digest = serving.delta.as_ref().map(|(delta, _)| *delta.digest());
        state.served.insert(need.clone(), *serving.base.digest());
        state.on_disk.insert(need.clone(), OnDisk::Read(*serving.base.digest(), digest));
        if let (Need::Crl { issuer, .. }, Some(_)) = (need, &serving.delta) {
            let delta = |url: &String| Need::Crl { url: url.clone(), issuer: issuer.clone() };
            let deltas = serving.outline.freshest.iter().map(|url| (delta(url), (path.to_owned(), need.clone())));
            state.deltas.extend(deltas.take(crate::limits::REVOCATION_SERVERS));
        }
    }

    /// Writes a CRL that was verified, unless a newer one of the same issuer lies there. Under the name that the address
    /// gives, one that this issuer's key is not known to have signed is not written over, whatever name it bears; the name
    /// beside it is made of the key.
    fn write([usual, beside]: &[PathBuf; 2], new: &Accepted, refused: &HashSet<Digest>) -> std::io::Result<()> {
        let Need::Crl { issuer, .. } = &new.need else { return Ok(()) };
        let (Some(candidate), delta) = (Candidate::of_accepted(new), new.delta.as_ref()) else { return Ok(()) };
        let there = |path: &Path| CacheFile::read(path).and_then(|file| Candidate::of_file(file, None)).ok();
        let is_refused = |before: &Candidate| !before.outline.is_by(issuer) || refused.contains(before.base.digest());
        let is_ours = |before: &Candidate| {
            let digest = before.base.digest();
            !is_refused(before) && (digest == new.answer.digest() || new.before.contains(digest))
        };
        let path = match there(usual) {
            Some(before) if !is_ours(&before) => beside,
            _ => usual,
        };
        if there(path).is_some_and(|before| !is_refused(&before) && by_age(&before, &candidate).is_lt()) {
            return Ok(());
        }
        let delta = delta.map(|delta| delta.bytes().clone());
        CacheFile { base: new.answer.bytes().clone(), delta }.write(path)
    }
}

#[async_trait]
impl RevocationSource for Cache {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        self.look(need).await
    }

    async fn refetch(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let from_disk = {
            let mut state = self.state();
            let from_disk = state.served.get(need).is_some_and(|digest| digest == refused.digest());
            if from_disk {
                state.served.remove(need);
                state.distrusted.insert((need.clone(), *refused.digest()));
                // A base that was tampered with may have a delta that was, too.
                state.deltas.retain(|_, (_, base)| base != need);
            }
            from_disk
        };
        if from_disk { Some(self.look(need).await) } else { self.source.refetch(need, refused).await }
    }

    fn present(&self) -> Option<Arrival> {
        self.source.present()
    }

    async fn store_verified(&self, accepted: &Accepted) {
        self.source.store_verified(accepted).await;
        let Some(places) = self.places(&accepted.need).filter(|_| !self.read_only) else { return };
        let refused = {
            let mut state = self.state();
            let new = OnDisk::Read(*accepted.answer.digest(), accepted.delta.as_ref().map(|delta| *delta.digest()));
            match state.on_disk.get(&accepted.need) {
                Some(OnDisk::Written) => return,
                Some(known) if *known == new => return,
                _ => {}
            }
            state.on_disk.insert(accepted.need.clone(), OnDisk::Written);
            let refused = state.distrusted.iter().filter(|(need, _)| *need == accepted.need);
            refused.map(|(_, digest)| *digest).collect()
        };
        let copy = accepted.clone();
        let _one_at_a_time = self.disk.lock().await;
        let Some(written) = off_thread(move || Cache::write(&places, &copy, &refused)).await else { return };
        if let Err(error) = written {
            let folder = quote(&self.folder.display().to_string());
            self.warn_once("write", format!("CRLs cannot be kept in {folder}: {error}"));
        }
    }
}

/// Runs blocking disk work on a thread for blocking work; `None` if that thread panicked.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

//! CRLs kept on disk between runs, in notation's cache.
//!
//! Follows the reference implementation: `crl/` in the cache folder, a file an address. Only CRLs that were verified are
//! written. What is read is not believed: it goes through the same verification, and where that refuses it the server is
//! asked after all ([`RevocationSource::again`]). So a file that is corrupt, foreign or spoilt costs a request. OCSP
//! answers are never kept.
//!
//! A CRL on disk hides what was revoked since, until its next update is due, as it does for notation.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use time::OffsetDateTime;

use super::cache_file::{CacheFile, CacheProblem};
use super::outline::CrlOutline;
use super::{AcceptedCrl, Answer, Need, RevocationSource, Warn, place};
use crate::digest::Digest;
use crate::failure::quote;
use crate::source::Trouble;

/// A source whose CRLs are kept on disk.
pub struct Cache {
    source: Arc<dyn RevocationSource>,
    /// The folder `crl`.
    folder: PathBuf,
    at: OffsetDateTime,
    warn: Warn,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was served from disk, by address.
    served: HashMap<String, Digest>,
    /// Deltas that came with a base from disk, by their address: the delta, and the base's address.
    deltas: HashMap<String, (Answer, String)>,
    /// Addresses whose CRL on disk was refused.
    distrusted: HashSet<String>,
    /// What stands on disk, by address; written ones are not written again in this run.
    on_disk: HashMap<String, OnDisk>,
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
        Cache { source, folder: folder.join(place::CRLS), at, warn, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, url: &str) -> PathBuf {
        self.folder.join(place::crl(url))
    }

    fn warn_once(&self, kind: &'static str, message: String) {
        if self.state().warned.insert(kind) {
            (self.warn)(message);
        }
    }

    /// The CRL at `url`, if there is one on disk that may serve.
    async fn kept_on_disk(&self, url: &str) -> Option<Answer> {
        {
            let mut state = self.state();
            if state.distrusted.contains(url) {
                return None;
            }
            if let Some((delta, _)) = state.deltas.remove(url) {
                state.served.insert(url.to_owned(), *delta.digest());
                return Some(delta);
            }
        }
        let (path, at) = (self.path(url), self.at);
        let read = off_thread(move || {
            let file = CacheFile::read(&path)?;
            Ok(file.usable(at)?.map(|outline| {
                let (base, delta) = (Answer::new(file.base), file.delta.map(Answer::new));
                (base, delta, outline.freshest)
            }))
        });
        let (base, delta, freshest) = match read.await? {
            Ok(found) => found?,
            Err(CacheProblem::Missing) => return None,
            Err(problem) => {
                let path = quote(&self.path(url).display().to_string());
                self.warn_once("read", format!("the cached CRL {path} is not used and will be replaced: it {problem}"));
                return None;
            }
        };
        let mut state = self.state();
        state.served.insert(url.to_owned(), *base.digest());
        let digest = delta.as_ref().map(|delta| *delta.digest());
        state.on_disk.insert(url.to_owned(), OnDisk::Read(*base.digest(), digest));
        if let Some(delta) = delta {
            let deltas = freshest.into_iter().map(|address| (address, (delta.clone(), url.to_owned())));
            state.deltas.extend(deltas);
        }
        Some(base)
    }

    fn write(path: &Path, crl: &AcceptedCrl) -> (bool, std::io::Result<()>) {
        let before = CacheFile::read(path).ok().and_then(|file| CrlOutline::read(&file.base));
        let older = match (CrlOutline::read(crl.base.bytes()), before) {
            (Some(new), Some(before)) => new.is_older_than(&before),
            _ => false,
        };
        let delta = crl.delta.as_ref().map(|delta| delta.bytes().clone());
        (older, CacheFile { base: crl.base.bytes().clone(), delta }.write(path))
    }
}

#[async_trait]
impl RevocationSource for Cache {
    async fn answer(&self, need: &Need) -> Result<Answer, Trouble> {
        if let Need::Crl(url) = need
            && let Some(answer) = self.kept_on_disk(url).await
        {
            return Ok(answer);
        }
        self.source.answer(need).await
    }

    async fn again(&self, need: &Need, refused: &Answer) -> Option<Result<Answer, Trouble>> {
        let from_disk = {
            let mut state = self.state();
            let url = need.url();
            let from_disk = state.served.get(url).is_some_and(|digest| digest == refused.digest());
            if from_disk {
                state.served.remove(url);
                state.distrusted.insert(url.to_owned());
                // Whoever spoilt the base may have spoilt its delta.
                state.deltas.retain(|_, (_, base)| base != url);
            }
            from_disk
        };
        if from_disk { Some(self.source.answer(need).await) } else { self.source.again(need, refused).await }
    }

    async fn keep(&self, crl: &AcceptedCrl) {
        {
            let mut state = self.state();
            let new = OnDisk::Read(*crl.base.digest(), crl.delta.as_ref().map(|delta| *delta.digest()));
            match state.on_disk.get(&crl.url) {
                Some(OnDisk::Written) => return,
                Some(known) if *known == new => return,
                _ => {}
            }
            state.on_disk.insert(crl.url.clone(), OnDisk::Written);
        }
        let (path, copy) = (self.path(&crl.url), crl.clone());
        let Some((older, written)) = off_thread(move || Cache::write(&path, &copy)).await else { return };
        if older {
            let url = quote(&crl.url);
            (self.warn)(format!(
                "the CRL at {url} has a lower number than the one that was kept from it before: somebody may serve an old \
                 list to hide what was revoked since"
            ));
        }
        if let Err(error) = written {
            let folder = quote(&self.folder.display().to_string());
            self.warn_once("write", format!("CRLs cannot be kept in {folder}: {error}"));
        }
        self.source.keep(crl).await;
    }
}

/// Does what waits for a disk where waiting hurts nobody; `None` if that broke down.
async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

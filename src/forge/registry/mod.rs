//! A registry inside the process: what scenarios, tests and benches push to, sign in and audit.
//!
//! Speaks the OCI distribution specification 1.1 on a loopback port, over HTTP without TLS: blobs and uploads, manifests, tags,
//! the catalog and referrers. No login is needed, unless [`Login`] says so. Its [`Flavour`] is that of a current registry, of one
//! without a referrers API, or of the release candidate in which many met signatures first; [`Fault`]s make it answer
//! as failing registries do.
//!
//! It holds what it is given: it does not ask whether the blobs of a manifest are there, and it reads a manifest no more
//! than the referrers API needs, with a parser of its own, so that hostile manifests can be served. It is no registry to
//! keep anything in: uploads are held in memory, and passwords cross the network as they are.

mod answer;
mod blobs;
mod content;
mod effects;
mod faults;
mod flavour;
mod indexed;
mod layout;
mod lists;
mod login;
mod manifests;
mod referrers;
mod route;
mod server;
mod store;
mod uploads;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::digest::Digest;

pub use effects::Effect;
pub use faults::{Chance, Fault};
pub use flavour::Flavour;
pub use login::Login;
pub use route::RouteKind;

use super::loopback::Loopback;
use server::Shared;
pub use store::HeldContent;
use store::Store;

/// How an embedded registry behaves.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which kind of registry it is.
    pub flavour: Flavour,
    /// Who may ask.
    pub login: Login,
    /// Where the registry keeps things.
    pub storage: Storage,
    /// Whether it refuses to delete, as some hosted registries do.
    pub keeps_everything: bool,
    /// Whether it refuses to delete a manifest that has a tag, as Artifact Registry does: the tag has to go first.
    pub keeps_tagged: bool,
    /// Whether the blobs of all repositories are one store, in which each is there, and deleted, under any repository's name.
    pub shares_blobs: bool,
    /// How many referrers a page holds; `None` is the flavour's own: all, or 10 for the release candidate.
    pub referrers_page: Option<usize>,
    /// How many tags or repositories a page holds at most, whatever the request says; `None` is as many as it says, or all.
    pub list_page: Option<usize>,
}

/// Where an embedded registry keeps what it holds.
#[derive(Debug, Clone, Default)]
pub enum Storage {
    /// In memory, until it stops.
    #[default]
    Memory,
    /// In a folder, which is made where there is none, and read again by the next registry that is started on it.
    /// Files are written beside their place and renamed into it.
    Folder(PathBuf),
}

/// A running registry. Dropping it stops it: answers under way are given up to a fifth of a second.
#[derive(Debug)]
pub struct EmbeddedRegistry {
    server: Loopback,
    shared: Arc<Shared>,
}

impl EmbeddedRegistry {
    /// Starts a registry on a free port of 127.0.0.1. It has a thread of its own, so that it answers whatever the
    /// caller's runtime is doing.
    pub fn start(options: Options) -> io::Result<EmbeddedRegistry> {
        let store = match &options.storage {
            Storage::Memory => Store::in_memory(),
            Storage::Folder(folder) => Store::in_folder(folder)?,
        };
        let shared = Arc::new(Shared::new(options, store));
        let served = Arc::clone(&shared);
        let server =
            Loopback::start("embedded-registry", |listener, stopped| server::serve(listener, served, stopped))?;
        Ok(EmbeddedRegistry { server, shared })
    }

    /// The host with its port, as it stands in a reference: `127.0.0.1:PORT`.
    pub fn host(&self) -> String {
        self.server.address().to_string()
    }

    /// How many requests have come in.
    pub fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Makes the registry answer the next requests that `fault` is for as it says. Of several, the first added counts.
    pub fn fail(&self, fault: Fault) {
        self.shared.faults.add(fault);
    }

    /// Makes the registry answer some requests as `chance` says, until [`EmbeddedRegistry::recover`].
    pub fn fail_by_chance(&self, chance: Chance) {
        self.shared.faults.add_by_chance(chance);
    }

    /// Ends all faults.
    pub fn recover(&self) {
        self.shared.faults.end();
    }

    /// Puts a blob into a repository, without HTTP.
    pub fn put_blob(&self, repository: &str, bytes: impl Into<Bytes>) -> io::Result<Digest> {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        check_name(repository)?;
        self.shared.store_mut().put_blob(self.shared.blobs_of(repository), digest, bytes)?;
        Ok(digest)
    }

    /// Puts a manifest into a repository, without HTTP, and tags it if `tag` is given. The bytes may be anything. Where
    /// the flavour leaves listing referrers to clients, this does as a client does.
    pub fn put_manifest(
        &self,
        repository: &str,
        tag: Option<&str>,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> io::Result<Digest> {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        check_name(repository)?;
        if tag.is_some_and(|tag| !crate::reference::is_tag(tag)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a tag"));
        }
        let mut store = self.shared.store_mut();
        store.put_manifest(repository, tag, digest, media_type, bytes)?;
        if self.shared.options.flavour == Flavour::WithoutReferrers {
            referrers::maintain_tag(&mut store, repository, &digest)?;
        }
        Ok(digest)
    }

    /// The manifests in a repository that name `subject` as their subject, whatever a list of referrers says.
    pub fn referring(&self, repository: &str, subject: &Digest) -> Vec<Digest> {
        let store = self.shared.store();
        let held = store.repository(repository).into_iter();
        held.flat_map(|held| held.referrers(subject)).map(|stored| *stored.content.digest()).collect()
    }

    /// The content of a manifest or a blob that a repository has; `None` if it has none, or keeps it in a folder.
    pub fn content(&self, repository: &str, digest: &Digest) -> Option<Arc<HeldContent>> {
        let store = self.shared.store();
        store.content(repository, digest).or_else(|| store.content(self.shared.blobs_of(repository), digest))
    }

    /// Puts every named manifest of an OCI layout directory under the path and tag of its full reference, and all that
    /// refers to it into the same repository. Returns how many names there were. A name that is no full reference is an
    /// error, since it does not say which repository is meant.
    pub fn load_layout(&self, directory: &std::path::Path) -> io::Result<usize> {
        layout::load(self, directory)
    }
}

fn check_name(repository: &str) -> io::Result<()> {
    match crate::reference::is_path(repository) {
        true => Ok(()),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a repository name")),
    }
}

//! A part of a registry under another name: what references call `HOST/PATH` lies below a path of a registry elsewhere.
//!
//! So scenarios give a part of a shared registry the names that trust policies know, and the engine knows no other.
//! The registry itself is asked by its own name, with its own credentials and certificates. Repositories outside the part
//! cannot be named.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt as _, TryStreamExt as _};

use super::{ArtifactSource, Extent, ListTrouble, Manifest, Referrers, TagEntry};
use crate::digest::Digest;
use crate::manifest::Descriptor;
use crate::reference::{Reference, Repository};
use crate::trouble::{Trouble, TroubleKind};

/// A part of a registry under another name.
pub(crate) struct Moved {
    source: Arc<dyn ArtifactSource>,
    /// The host that references write.
    host: String,
    /// Where its repositories lie: the registry's own host, and the path they are below.
    place: Repository,
}

impl Moved {
    /// What `source` holds below `place`, as the registry `host`.
    pub(crate) fn new(source: Arc<dyn ArtifactSource>, host: &str, place: Repository) -> Moved {
        Moved { source, host: host.to_owned(), place }
    }

    /// Where a repository lies.
    fn there(&self, repository: &Repository) -> Result<Repository, Trouble> {
        let refused = |why: &dyn std::fmt::Display| Trouble::new(TroubleKind::NotFound, format!("{repository} {why}"));
        if repository.host() != self.host {
            return Err(refused(&format_args!("is not in the registry {}", self.host)));
        }
        below(&self.place, repository.path()).map_err(|error| refused(&error))
    }

    /// What references call a repository; `None` if it is outside the part.
    fn here(&self, there: &Repository) -> Option<Repository> {
        let path = there.path().strip_prefix(self.place.path())?.strip_prefix('/')?;
        Repository::new(&self.host, path).ok()
    }

    /// An entry of a list of tags, as references call it. What lies outside the part cannot be named.
    fn entry_here(&self, entry: Result<TagEntry, ListTrouble>) -> Result<TagEntry, ListTrouble> {
        match entry {
            Ok(TagEntry::Below(there)) => self.here(&there).map(TagEntry::Below).ok_or_else(|| {
                let message = format!("{there} is not below {}", self.place);
                ListTrouble::new(Trouble::new(TroubleKind::NotFound, message), Extent::Entry(Some(there.to_string())))
            }),
            other => other,
        }
    }
}

/// The repository at `path` below `place`; the error goes on after its name.
pub(crate) fn below(place: &Repository, path: &str) -> Result<Repository, String> {
    Repository::new(place.host(), &format!("{}/{path}", place.path()))
        .map_err(|error| format!("has no place below {place}: {error}"))
}

#[async_trait]
impl ArtifactSource for Moved {
    fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>> {
        let own = move |there: Repository| async move { Ok(self.here(&there)) };
        self.source.repositories().try_filter_map(own).boxed()
    }

    fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>> {
        let names = async move {
            match self.there(repository) {
                Ok(there) => self.source.tags(&there).map(|entry| self.entry_here(entry)).collect::<Vec<_>>().await,
                Err(trouble) => vec![Err(trouble.into())],
            }
        };
        stream::once(names).flat_map(stream::iter).boxed()
    }

    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble> {
        let repository = self.there(&reference.repository)?;
        self.source.manifest(&Reference { repository, ..reference.clone() }).await
    }

    fn held(&self) -> Duration {
        self.source.held()
    }

    async fn listed_manifest(&self, repository: &Repository, digest: &Digest) -> Result<Option<Manifest>, Trouble> {
        self.source.listed_manifest(&self.there(repository)?, digest).await
    }

    async fn referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        self.source.referrers(&self.there(repository)?, subject).await
    }

    async fn all_referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        self.source.all_referrers(&self.there(repository)?, subject).await
    }

    async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Trouble> {
        self.source.blob(&self.there(repository)?, descriptor, limit).await
    }

    async fn beginning(&self, repository: &Repository, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
        self.source.beginning(&self.there(repository)?, digest).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::registry::{Registry, RegistryOptions};

    #[test]
    fn only_what_lies_in_the_part_has_a_name() {
        let registry = Registry::new("127.0.0.1:5000", RegistryOptions::default()).unwrap();
        let place = Repository::new("127.0.0.1:5000", "team/part").unwrap();
        let moved = Moved::new(Arc::new(registry), "registry.acme-rockets.io", place);
        let named = |host: &str, path: &str| Repository::new(host, path).unwrap();
        let name = named("registry.acme-rockets.io", "a/b");
        let there = moved.there(&name).unwrap();
        assert_eq!(there, named("127.0.0.1:5000", "team/part/a/b"));
        assert_eq!(moved.here(&there), Some(name));
        for outside in ["team/part", "team/partly/a", "team/a", "a/b"] {
            assert_eq!(moved.here(&named("127.0.0.1:5000", outside)), None, "{outside}");
        }
        assert!(moved.there(&named("127.0.0.1:5000", "a/b")).is_err());
        assert!(moved.there(&named("registry.acme-rockets.io", "a/".repeat(124).trim_end_matches('/'))).is_err());
    }
}

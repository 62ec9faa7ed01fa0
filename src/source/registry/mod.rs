//! A registry, over HTTP (OCI distribution specification 1.1).
//!
//! Everything that comes back is treated as written by a stranger: answers are bounded in size and time, content is
//! hashed, lists are followed only on the registry itself, and every answer that is not clearly "here it is" or "there
//! is none" is trouble. "There is none" is believed only when it is said several times in a row. It refuses to send
//! credentials to anyone but the registry and the token server that it names over TLS, to go to this machine or to
//! link-local addresses because a registry says so, to fall back from HTTPS to HTTP, to decompress, and to build an address
//! from a name that breaks the grammar.

mod answer;
mod auth;
mod certificate_folders;
mod certificates;
mod challenge;
mod connections;
mod content;
mod credentials;
mod delete;
mod detour;
mod endpoint;
mod gate;
#[cfg(feature = "testbench")]
pub(crate) mod heard;
mod http;
mod journal;
mod lateness;
mod list_page;
mod listing;
mod login;
mod names;
pub(crate) mod no_proxy;
mod once;
mod page_size;
mod paging;
mod push;
mod rate;
mod redirect;
mod referrers;
mod referrers_api;
mod referrers_tag;
mod refusal;
mod retry;
mod tags;
mod tls_advice;
mod token_server;
mod transport;
mod upload;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::future::ready;
use futures_util::stream::{self, BoxStream};

use crate::digest::Digest;
use crate::failure::quote;
use crate::limits;
use crate::manifest::Descriptor;
use crate::reference::{Reference, Repository, is_path, is_tag};

use super::budget::Budget;
use super::{
    ArtifactSource, Attachment, Content, Extent, ListTrouble, Manifest, Referrers, Resolver, SystemResolver, TagEntry,
    Traffic, Waiting,
};
use crate::trouble::{Trouble, TroubleKind};

use challenge::Scope;
use content::Name;
use http::{Absence, Http, Reply};
use listing::{List, Listed};
use page_size::PageSize;
use referrers_api::{Api, Apis};
use tags::Tags;

pub use certificate_folders::certificate_folders_of_user;
pub use certificates::ClientCertificate;
pub use credentials::{CredentialFiles, Credentials, Secret};
pub use endpoint::Protocol;
pub use gate::Gates;
pub use journal::{Entry, Journal, Written};
pub(crate) use push::Pushed;
pub use push::ReferrersTag;
pub use rate::{Rate, Rates};
pub(crate) use referrers_tag::Tagged;
pub use referrers_tag::{Unlisted, UnlistedCause};
pub use retry::Timings;

/// How a registry is reached.
#[derive(Debug, Clone)]
pub struct RegistryOptions {
    /// HTTPS or plain HTTP.
    pub protocol: Protocol,
    /// Hosts, as written in references, that are spoken to over plain HTTP whatever `protocol` says.
    pub plain_http_hosts: Vec<String>,
    /// Hosts, as written in references, that are a scenario's own: spoken to over plain HTTP whatever `protocol` says, and past
    /// all proxies, though a container engine on another host runs them.
    pub own_hosts: Vec<String>,
    /// Hosts, as written in references, that are reached at another host with its port: how scenarios give registries
    /// inside the process the names that trust policies know. Credentials of the written host would go there too.
    pub addresses: BTreeMap<String, String>,
    /// PEM files of authorities that are trusted for TLS besides the system's.
    pub ca_files: Vec<PathBuf>,
    /// What is shown to a server that wants a client certificate.
    pub client_certificate: Option<ClientCertificate>,
    /// Folders that have a folder of certificates for each registry, as docker and podman have them.
    pub certificate_folders: Vec<PathBuf>,
    /// Who Muster is.
    pub credentials: Credentials,
    /// How many requests may be in flight to one host at a time; 0 counts as 1.
    pub requests_per_host: usize,
    /// How long Muster waits.
    pub timings: Timings,
    /// Who knows the addresses of host names.
    pub resolver: Arc<dyn Resolver>,
    /// The bytes that may be held at a time, by all registries and layouts together.
    pub budget: Budget,
    /// Counts what is asked of all registries together.
    pub traffic: Traffic,
    /// Notes what is written, before it is written.
    pub journal: Option<Journal>,
    /// How many requests a second may be sent to which host.
    pub rates: Rates,
    /// How the hosts want to be asked, as far as they said: shared by all registries of a run.
    pub gates: Gates,
    /// Counts the requests of all registries that wait, so that an audit goes on with others meanwhile.
    pub waiting: Waiting,
}

impl Default for RegistryOptions {
    fn default() -> RegistryOptions {
        RegistryOptions {
            protocol: Protocol::default(),
            plain_http_hosts: Vec::new(),
            own_hosts: Vec::new(),
            addresses: BTreeMap::new(),
            ca_files: Vec::new(),
            client_certificate: None,
            certificate_folders: certificate_folders_of_user(),
            credentials: Credentials::default(),
            requests_per_host: limits::REQUESTS_PER_HOST,
            timings: Timings::default(),
            resolver: Arc::new(SystemResolver),
            budget: Budget::default(),
            traffic: Traffic::default(),
            journal: None,
            rates: Rates::default(),
            gates: Gates::default(),
            waiting: Waiting::default(),
        }
    }
}

/// Why something was not pushed.
#[derive(Debug)]
pub(crate) struct Refused {
    pub(crate) trouble: Trouble,
    /// Whether the manifest was refused for what it is.
    pub(crate) is_for_form: bool,
}

/// A registry.
#[derive(Debug)]
pub struct Registry {
    host: String,
    http: Http,
    apis: Apis,
    journal: Option<Journal>,
    catalog_size: PageSize,
    tags_size: PageSize,
    tags: Tags,
}

impl Registry {
    /// The registry at `host`, spelled as in references. Sends nothing yet.
    pub fn new(host: &str, options: RegistryOptions) -> Result<Registry, Trouble> {
        let journal = options.journal.clone();
        Ok(Registry {
            host: host.to_owned(),
            http: Http::new(host, options)?,
            apis: Apis::default(),
            journal,
            catalog_size: PageSize::default(),
            tags_size: PageSize::default(),
            tags: Tags::default(),
        })
    }

    /// The host, as it was given.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Writes `attachment` into a repository, where its subject is. Trouble leaves at most content that nothing names, but
    /// for trouble with the index of the referrers tag schema, which is written last.
    pub async fn attach(
        &self,
        repository: &Repository,
        attachment: &Attachment,
        tag: ReferrersTag,
    ) -> Result<(), Trouble> {
        push::attach(self, self.own(repository)?, attachment, tag).await
    }

    /// The first half of [`Registry::attach`]: writes `attachment`, and keeps no list. The error says whether another form of
    /// manifest may be taken.
    pub(crate) async fn push_referrer(
        &self,
        repository: &Repository,
        attachment: &Attachment,
    ) -> Result<Pushed, Refused> {
        let repository = self.own(repository).map_err(|trouble| Refused { trouble, is_for_form: false })?;
        push::referrer(self, repository, attachment).await.map_err(|fault| Refused {
            is_for_form: refusal::is_of_form(fault.said.as_deref()),
            trouble: fault.trouble,
        })
    }

    /// The second half: lists it in the index of the referrers tag schema. The indexes that were replaced are still there.
    pub(crate) async fn list_referrer<'a>(
        &'a self,
        repository: &'a Repository,
        attachment: &Attachment,
        pushed: Pushed,
    ) -> Result<Tagged<'a>, Unlisted> {
        referrers_tag::list(self, repository, attachment, pushed).await
    }

    /// Whether the registry has the referrers API for this repository, as far as it was asked.
    pub(crate) fn has_referrers_api(&self, repository: &Repository) -> Option<bool> {
        match self.apis.of(repository.path()) {
            Api::Unknown => None,
            Api::There => Some(true),
            Api::Absent => Some(false),
        }
    }

    /// How long is waited for what.
    pub(crate) fn timings(&self) -> &Timings {
        self.http.timings()
    }

    /// Pushes a blob.
    pub async fn push_blob(&self, repository: &Repository, content: &Content) -> Result<(), Trouble> {
        upload::blob(self, self.own(repository)?, content).await.map_err(|fault| fault.trouble)
    }

    /// Pushes a manifest under `tag`, or by its digest alone. What it names must be there. A tag that is there already is
    /// moved.
    pub async fn push_manifest(
        &self,
        repository: &Repository,
        tag: Option<&str>,
        manifest: &Content,
    ) -> Result<(), Trouble> {
        let Content { descriptor, bytes } = manifest;
        let name = match tag {
            Some(tag) if is_tag(tag) => tag.to_owned(),
            Some(tag) => return Err(Trouble::new(TroubleKind::NotFound, format!("{} is no tag", quote(tag)))),
            None => descriptor.digest.to_string(),
        };
        let pushed = push::manifest(self, self.own(repository)?, &name, &descriptor.media_type, bytes).await;
        pushed.map(|_| ()).map_err(|fault| fault.trouble)
    }

    /// Whether there is something under `tag`.
    pub async fn has_tag(&self, repository: &Repository, tag: &str) -> Result<bool, Trouble> {
        push::has_tag(&self.http, self.own(repository)?, tag).await
    }

    /// Deletes the manifest with this digest, with the tags that lead to it. `false`: it was not there.
    pub async fn delete_manifest(&self, repository: &Repository, digest: &Digest) -> Result<bool, Trouble> {
        delete::manifest(&self.http, self.own(repository)?, digest).await
    }

    /// Deletes a tag, where the registry can; what it led to stays. `false`: it was not there.
    pub async fn delete_tag(&self, repository: &Repository, tag: &str) -> Result<bool, Trouble> {
        match is_tag(tag) {
            true => delete::tag(&self.http, self.own(repository)?, tag).await,
            false => Err(Trouble::new(TroubleKind::NotFound, format!("{} is no tag", quote(tag)))),
        }
    }

    /// Deletes a blob from a repository. `false`: it was not there.
    pub async fn delete_blob(&self, repository: &Repository, digest: &Digest) -> Result<bool, Trouble> {
        delete::blob(&self.http, self.own(repository)?, digest).await
    }

    /// Takes a referrer of `subject` that was deleted from the index of the referrers tag schema, where there is one.
    pub async fn unlist(&self, repository: &Repository, subject: &Digest, referrer: &Digest) -> Result<(), Trouble> {
        delete::unlist(self, self.own(repository)?, subject, referrer).await
    }

    /// The repository that a list names.
    fn repository(&self, name: String) -> Result<Repository, ListTrouble> {
        Repository::new(&self.host, &name).map_err(|error| {
            let trouble = Trouble::new(TroubleKind::AnswerInvalid, quote(&error.to_string()));
            ListTrouble::new(trouble, Extent::Entry(Some(name)))
        })
    }

    /// Refuses what lies in another registry, which would be looked for under the wrong address.
    fn own<'a>(&self, repository: &'a Repository) -> Result<&'a Repository, Trouble> {
        if repository.host() == self.host {
            return Ok(repository);
        }
        let message = format!("{repository} is not in the registry {}", self.host);
        Err(Trouble::new(TroubleKind::NotFound, message))
    }
}

#[async_trait]
impl ArtifactSource for Registry {
    fn repositories(&self) -> BoxStream<'_, Result<Repository, ListTrouble>> {
        let list = List {
            path: "v2/_catalog".to_owned(),
            scope: Scope::Catalog,
            member: "repositories",
            noun: "repository name",
            is_name: is_path,
        };
        let repository = |listed| match listed {
            Ok(Listed::Name(name)) => Some(self.repository(name)),
            Ok(Listed::Below(_) | Listed::Untagged(_)) => None,
            Err(trouble) => Some(Err(trouble)),
        };
        let listed = listing::listed(&self.http, &self.catalog_size, list);
        listed.filter_map(move |listed| ready(repository(listed))).boxed()
    }

    fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<TagEntry, ListTrouble>> {
        if let Err(trouble) = self.own(repository) {
            return stream::iter([Err(trouble.into())]).boxed();
        }
        let list = List {
            path: format!("v2/{}/tags/list", repository.path()),
            scope: Scope::Repository(repository.path().to_owned()),
            member: "tags",
            noun: "tag",
            is_name: is_tag,
        };
        let entry = |listed: Listed| match listed {
            Listed::Name(tag) => Ok(TagEntry::Tag(tag)),
            Listed::Below(name) => {
                let path = format!("{}/{name}", repository.path());
                let below = |error: ListTrouble| ListTrouble::new(error.trouble, Extent::Below(Some(path.clone())));
                self.repository(path.clone()).map(TagEntry::Below).map_err(below)
            }
            Listed::Untagged(count) => Ok(TagEntry::Untagged(count)),
        };
        listing::listed(&self.http, &self.tags_size, list).map(move |listed| listed.and_then(entry)).boxed()
    }

    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble> {
        let repository = self.own(&reference.repository)?;
        let absence = Absence::after(limits::NOT_FOUND_ANSWERS);
        let found = match (&reference.digest, &reference.tag) {
            (Some(digest), _) => content::manifest(&self.http, repository, Name::Digest(digest), absence).await?,
            (None, Some(tag)) if is_tag(tag) => self.tags.manifest(&self.http, repository, tag, absence).await?,
            _ => {
                let message = format!("{} names neither a tag nor a digest", quote(&reference.to_string()));
                return Err(Trouble::new(TroubleKind::NotFound, message));
            }
        };
        match found {
            Reply::Found(manifest) => Ok(Some(manifest)),
            Reply::Absent(_) => Ok(None),
        }
    }

    fn held(&self) -> std::time::Duration {
        self.http.held()
    }

    async fn referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        referrers::referrers(&self.http, &self.apis, self.own(repository)?, subject).await
    }

    async fn all_referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        referrers::all_referrers(&self.http, &self.apis, self.own(repository)?, subject).await
    }

    async fn blob(
        &self,
        repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Trouble> {
        content::blob(&self.http, self.own(repository)?, descriptor, limit).await
    }

    async fn beginning(&self, repository: &Repository, digest: &Digest) -> Result<Option<Bytes>, Trouble> {
        content::beginning(&self.http, self.own(repository)?, digest).await
    }
}

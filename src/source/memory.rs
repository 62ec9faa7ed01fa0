//! A source in memory, for tests and benches: what is put in is there, and nothing is ever slow or unreachable, unless
//! that was asked for.

use std::collections::HashMap;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};

use super::{ArtifactSource, Manifest, Referrers, Trouble, TroubleKind};
use crate::digest::Digest;
use crate::manifest::{self, Descriptor, SIGNATURE_ARTIFACT_TYPE};
use crate::reference::{Reference, Repository};

/// Artifacts in memory.
#[derive(Debug, Default)]
pub struct MemorySource {
    repositories: Vec<Repository>,
    held: HashMap<Repository, Held>,
    blobs: HashMap<Digest, Bytes>,
    content_troubles: HashMap<Digest, Trouble>,
    referrers_troubles: HashMap<Digest, Trouble>,
}

/// What one repository holds.
#[derive(Debug, Default)]
struct Held {
    tags: Vec<(String, Digest)>,
    manifests: HashMap<Digest, Manifest>,
    referrers: HashMap<Digest, Vec<Descriptor>>,
}

impl MemorySource {
    /// An empty source.
    pub fn new() -> MemorySource {
        MemorySource::default()
    }

    /// Puts a blob, into all repositories.
    pub fn put_blob(&mut self, bytes: impl Into<Bytes>) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        self.blobs.insert(digest, bytes);
        digest
    }

    /// Puts a manifest into a repository, and tags it if `tag` is given. Where it can be read as a manifest and names a
    /// subject, it is listed as that subject's referrer, by the artifact type that OCI 1.1 gives it.
    pub fn put_manifest(
        &mut self,
        repository: &Repository,
        tag: Option<&str>,
        media_type: &str,
        bytes: impl Into<Bytes>,
    ) -> Digest {
        let bytes = bytes.into();
        let digest = Digest::sha256(&bytes);
        if !self.held.contains_key(repository) {
            self.repositories.push(repository.clone());
        }
        let held = self.held.entry(repository.clone()).or_default();
        let descriptor = Descriptor::new(media_type, digest, bytes.len() as u64);
        if let Ok(read) = manifest::parse(&bytes, media_type)
            && let Some(subject) = read.subject()
        {
            let artifact_type = read.artifact_type().map(str::to_owned);
            let annotations = read.annotations().cloned().unwrap_or_default();
            let listed = Descriptor { artifact_type, annotations, ..descriptor.clone() };
            let referrers = held.referrers.entry(subject.digest).or_default();
            if !referrers.iter().any(|known| known.digest == digest) {
                referrers.push(listed);
            }
        }
        if let Some(tag) = tag {
            match held.tags.iter_mut().find(|(known, _)| known == tag) {
                Some((_, tagged)) => *tagged = digest,
                None => held.tags.push((tag.to_owned(), digest)),
            }
        }
        held.manifests.insert(digest, Manifest { descriptor, bytes });
        digest
    }

    /// Takes a blob away again.
    pub fn remove_blob(&mut self, digest: &Digest) {
        self.blobs.remove(digest);
    }

    /// From now on, asking for this manifest or blob ends in `trouble`.
    pub fn trouble(&mut self, digest: Digest, trouble: Trouble) {
        self.content_troubles.insert(digest, trouble);
    }

    /// From now on, asking for what refers to this manifest ends in `trouble`.
    pub fn trouble_with_referrers(&mut self, subject: Digest, trouble: Trouble) {
        self.referrers_troubles.insert(subject, trouble);
    }

    fn check_content(&self, digest: &Digest) -> Result<(), Trouble> {
        self.content_troubles.get(digest).map_or(Ok(()), |trouble| Err(trouble.clone()))
    }
}

#[async_trait]
impl ArtifactSource for MemorySource {
    fn repositories(&self) -> BoxStream<'_, Result<Repository, Trouble>> {
        stream::iter(self.repositories.iter().cloned().map(Ok)).boxed()
    }

    fn tags<'a>(&'a self, repository: &'a Repository) -> BoxStream<'a, Result<String, Trouble>> {
        let tags = self.held.get(repository).map(|held| held.tags.as_slice()).unwrap_or_default();
        stream::iter(tags.iter().map(|(tag, _)| Ok(tag.clone()))).boxed()
    }

    async fn manifest(&self, reference: &Reference) -> Result<Option<Manifest>, Trouble> {
        let Some(held) = self.held.get(&reference.repository) else { return Ok(None) };
        let tagged =
            || held.tags.iter().find(|(tag, _)| Some(tag) == reference.tag.as_ref()).map(|(_, digest)| *digest);
        let Some(digest) = reference.digest.or_else(tagged) else { return Ok(None) };
        self.check_content(&digest)?;
        Ok(held.manifests.get(&digest).cloned())
    }

    async fn referrers(&self, repository: &Repository, subject: &Digest) -> Result<Referrers, Trouble> {
        if let Some(trouble) = self.referrers_troubles.get(subject) {
            return Err(trouble.clone());
        }
        let referrers = self.held.get(repository).and_then(|held| held.referrers.get(subject)).cloned();
        let signature = |descriptor: &Descriptor| descriptor.artifact_type.as_deref() == Some(SIGNATURE_ARTIFACT_TYPE);
        let (listed, others): (Vec<_>, _) = referrers.unwrap_or_default().into_iter().partition(signature);
        let others = if listed.is_empty() { others } else { Vec::new() };
        Ok(Referrers { listed, others, ..Referrers::default() })
    }

    async fn blob(
        &self,
        _repository: &Repository,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Option<Bytes>, Trouble> {
        self.check_content(&descriptor.digest)?;
        if descriptor.size > limit {
            let message =
                format!("{} has {} bytes, more than the {limit} that are read", descriptor.digest, descriptor.size);
            return Err(Trouble::new(TroubleKind::AnswerTooLarge, message));
        }
        match self.blobs.get(&descriptor.digest) {
            Some(bytes) if bytes.len() as u64 != descriptor.size => {
                let message = format!("{} has {} bytes, not {}", descriptor.digest, bytes.len(), descriptor.size);
                Err(Trouble::new(TroubleKind::SizeMisstated, message))
            }
            found => Ok(found.cloned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::IMAGE_MANIFEST;

    fn image(subject: Option<Digest>, config: &str) -> String {
        let described = |media_type: &str, digest: Digest| {
            format!(r#"{{"mediaType":"{media_type}","digest":"{digest}","size":2}}"#)
        };
        let subject = subject.map(|subject| format!(r#","subject":{}"#, described(IMAGE_MANIFEST, subject)));
        let config = described(config, Digest::sha256(b"{}"));
        format!(r#"{{"config":{config},"layers":[]{}}}"#, subject.unwrap_or_default())
    }

    #[tokio::test]
    async fn what_is_put_in_is_there() {
        let repository: Repository = "a.io/b".parse().unwrap();
        let mut source = MemorySource::new();
        let subject = source.put_manifest(&repository, Some("v1"), IMAGE_MANIFEST, image(None, "a/b"));
        let other = source.put_manifest(&repository, None, IMAGE_MANIFEST, image(Some(subject), "a/b"));
        let referrers = source.referrers(&repository, &subject).await.unwrap();
        assert_eq!((referrers.listed.len(), referrers.others[0].digest), (0, other));
        let signature =
            source.put_manifest(&repository, None, IMAGE_MANIFEST, image(Some(subject), SIGNATURE_ARTIFACT_TYPE));
        let referrers = source.referrers(&repository, &subject).await.unwrap();
        assert_eq!((referrers.listed[0].digest, referrers.others.len()), (signature, 0));
        let tagged = source.manifest(&"a.io/b:v1".parse().unwrap()).await.unwrap().unwrap();
        assert_eq!(tagged.descriptor.digest, subject);
        assert!(source.manifest(&"a.io/b:v2".parse().unwrap()).await.unwrap().is_none());
        assert!(source.manifest(&"a.io/c:v1".parse().unwrap()).await.unwrap().is_none());

        let blob = Descriptor::new("a/b", source.put_blob("blob"), 4);
        assert_eq!(source.blob(&repository, &blob, 4).await.unwrap().unwrap(), "blob");
        assert_eq!(source.blob(&repository, &blob, 3).await.unwrap_err().kind, TroubleKind::AnswerTooLarge);
        source.remove_blob(&blob.digest);
        assert_eq!(source.blob(&repository, &blob, 4).await.unwrap(), None);
    }

    #[tokio::test]
    async fn trouble_comes_where_it_was_asked_for() {
        let repository: Repository = "a.io/b".parse().unwrap();
        let mut source = MemorySource::new();
        let digest = source.put_manifest(&repository, Some("v1"), IMAGE_MANIFEST, image(None, "a/b"));
        source.trouble_with_referrers(digest, Trouble::new(TroubleKind::TimedOut, "no answer"));
        assert_eq!(source.referrers(&repository, &digest).await.unwrap_err().kind, TroubleKind::TimedOut);
        assert!(source.manifest(&repository.at(digest)).await.is_ok());
        source.trouble(digest, Trouble::new(TroubleKind::Unreachable, "no way"));
        assert_eq!(source.manifest(&repository.at(digest)).await.unwrap_err().kind, TroubleKind::Unreachable);
    }
}

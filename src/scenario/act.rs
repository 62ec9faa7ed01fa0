//! Doing what a step says.

use std::sync::Arc;
use std::time::Instant;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::inventory::{Item, Referrer};
use super::plan::{Action, Content, Signing, TamperWith};
use super::registries::RunningRegistry;
use super::scalar::ArtifactName;
use super::signing;
use super::tampering::{self, Material};
use super::words::{Answer, Tampering};
use super::world::World;
use crate::digest::Digest;
use crate::forge::registry::{Effect, Fault};
use crate::forge::{Artifact, Blob, Signer};
use crate::manifest::Descriptor;

/// How many artifacts are pushed at a time.
const AT_A_TIME: usize = 16;
/// How late an answer is that is to be silence.
const LATE: std::time::Duration = std::time::Duration::from_secs(30);

impl World {
    /// Does everything but verifying.
    pub(super) async fn act(&mut self, action: &Action) -> Result<(), String> {
        match action {
            Action::Push { to, count, content } => self.push(to, *count, *content).await,
            Action::Sign { artifact, signing } => self.sign(artifact, signing).await,
            Action::Attach { to, name, artifact_type, content, sign } => {
                self.attach(to, name, artifact_type, content).await?;
                match sign {
                    Some(signing) => {
                        let attached = ArtifactName { part: Some(name.clone()), ..to.clone() };
                        self.sign(&attached, signing).await
                    }
                    None => Ok(()),
                }
            }
            Action::Copy { from, to, referrers } => self.copy(from, to, *referrers).await,
            Action::Tamper { artifact, signature, operator, with } => {
                self.tamper(artifact, *signature, *operator, with).await
            }
            Action::Delete { artifact, signature } => self.delete(artifact, *signature).await,
            Action::Fault { registry, route, answer, times } => {
                let embedded = self.registry(registry)?.embedded.as_ref();
                let embedded = embedded.ok_or("only an embedded registry has faults on demand")?;
                embedded.fail(Fault { route: Some(route.kind()), every: 1, times: *times, effect: effect(*answer) });
                Ok(())
            }
            Action::Revoke { certificate, issuer, reason, at, invalidity } => {
                let (serial, now) = (self.cast.serial(*certificate), self.clock);
                let invalidity = invalidity.map(|span| now + span);
                self.responding.revoke(*issuer, serial, *reason, now + *at, invalidity);
                Ok(())
            }
            Action::Restore { certificate, issuer } => {
                self.responding.restore(*issuer, self.cast.serial(*certificate), self.clock);
                Ok(())
            }
            Action::Respond(change) => {
                self.responding.change(change);
                Ok(())
            }
            Action::Advance(time) => {
                self.clock += *time;
                self.responding.set_now(self.clock);
                Ok(())
            }
            Action::Verify(_) => Ok(()),
        }
    }

    fn place(&self, name: &ArtifactName) -> Result<(&RunningRegistry, String), String> {
        let repository = &name.reference.repository;
        Ok((self.registry(repository.host())?, repository.path().to_owned()))
    }

    async fn push(&mut self, to: &ArtifactName, count: u32, content: Content) -> Result<(), String> {
        let tag = to.reference.tag.clone().unwrap_or_default();
        let item = |number: u32| {
            let tag = if count == 1 { tag.clone() } else { format!("{tag}-{number}") };
            let identity = format!("{} {}:{tag}", self.identity, to.reference.repository);
            Item::new(tag, &identity, content)
        };
        let items: Vec<Item> = (1..=count).map(item).collect();
        let (registry, repository) = self.place(to)?;
        push_items(registry, &repository, &items).await?;
        self.inventory.put(to, items);
        Ok(())
    }

    async fn sign(&mut self, name: &ArtifactName, signing: &Signing) -> Result<(), String> {
        let subjects: Vec<Descriptor> = self.subjects(name)?;
        let (cast, now, signing) = (Arc::clone(&self.cast), self.clock, signing.clone());
        let accuracy = signing.timestamp.as_ref().map(|stamping| self.accuracies[stamping.by]);
        let work = move || -> Result<Vec<Vec<Artifact>>, String> {
            let signer: &Signer = &cast.signers[signing.key];
            let stamper = signing
                .timestamp
                .as_ref()
                .zip(accuracy)
                .map(|(stamping, accuracy)| (&cast.stampers[stamping.by], accuracy));
            let sign = |subject: &Descriptor| {
                signing::sign(&signing, signer, stamper, subject, now).map_err(|error| format!("cannot sign: {error}"))
            };
            // In parallel, on as many threads as there are processors: a token has several sessions.
            subjects.par_iter().map(|subject| (0..signing.count).map(|_| sign(subject)).collect()).collect()
        };
        let began = Instant::now();
        let signatures = tokio::task::spawn_blocking(work).await.map_err(|_| "signing broke down".to_owned())??;
        self.signing = began.elapsed();
        for (item, signatures) in self.inventory.get_mut(name).iter_mut().zip(&signatures) {
            let Some(subject) = item.part(name.part.as_deref()).map(|part| part.descriptor().digest) else { continue };
            let made =
                signatures.iter().map(|artifact| Referrer { subject, artifact: artifact.clone(), is_signature: true });
            item.referrers.extend(made);
        }
        let (registry, repository) = self.place(name)?;
        let repository = repository.as_str();
        let pushes = signatures.iter().map(|signatures| async move {
            // One after the other, so that the registry lists them in this order.
            for signature in signatures {
                registry.push(repository, None, signature).await?;
            }
            Ok(())
        });
        stream::iter(pushes.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).try_collect::<()>().await
    }

    async fn attach(
        &mut self,
        to: &ArtifactName,
        name: &str,
        artifact_type: &str,
        content: &str,
    ) -> Result<(), String> {
        let mut made = Vec::new();
        for item in self.inventory.get_mut(to) {
            let subject = item.whole.descriptor();
            let content = Blob::new(artifact_type, format!("{content} {}", item.tag));
            let artifact = Artifact::attachment(subject, artifact_type, content);
            let subject = subject.digest;
            item.attachments.push((name.to_owned(), artifact.clone()));
            item.referrers.push(Referrer { subject, artifact: artifact.clone(), is_signature: false });
            made.push(artifact);
        }
        let (registry, repository) = self.place(to)?;
        for artifact in &made {
            registry.push(&repository, None, artifact).await?;
        }
        Ok(())
    }

    async fn copy(&mut self, from: &ArtifactName, to: &ArtifactName, referrers: bool) -> Result<(), String> {
        let (old, new) = (tag(from), tag(to));
        let mut items = self.inventory.get(from).to_vec();
        for item in &mut items {
            // Of many, each keeps its number.
            item.tag = format!("{new}{}", item.tag.strip_prefix(&old).unwrap_or_default());
            if !referrers {
                item.attachments.clear();
                item.referrers.clear();
            }
        }
        let (registry, repository) = self.place(to)?;
        push_items(registry, &repository, &items).await?;
        for item in &items {
            for referrer in &item.referrers {
                registry.push(&repository, None, &referrer.artifact).await?;
            }
        }
        self.inventory.put(to, items);
        Ok(())
    }

    async fn tamper(
        &mut self,
        name: &ArtifactName,
        number: usize,
        operator: Tampering,
        with: &TamperWith,
    ) -> Result<(), String> {
        let count = self.inventory.get(name).len();
        for position in 0..count {
            let old = self.signature(name, position, number)?.clone();
            if operator == Tampering::RemoveEnvelope {
                let envelope = tampering::envelope(&old)?.descriptor.digest;
                let (registry, repository) = self.place(name)?;
                registry.writer.delete_blob(&repository, &envelope).await?;
                continue;
            }
            let new = {
                let material = self.material(operator, with, position)?;
                tampering::tampered(&old, operator, material)?
            };
            if new.descriptor().digest == old.descriptor().digest {
                return Err(format!("{} changed nothing", operator.as_str()));
            }
            let target = match with {
                TamperWith::Artifact(other) if operator == Tampering::MoveTo => other,
                _ => name,
            };
            let (registry, repository) = self.place(target)?;
            registry.push(&repository, None, &new).await?;
            let (registry, repository) = self.place(name)?;
            registry.writer.delete(&repository, &old).await?;
            self.replace(name, target, position, &old.descriptor().digest, new);
        }
        Ok(())
    }

    fn material<'w>(
        &'w self,
        operator: Tampering,
        with: &'w TamperWith,
        position: usize,
    ) -> Result<Material<'w>, String> {
        match with {
            TamperWith::Nothing => Ok(Material::Nothing),
            TamperWith::Key(key) => Ok(Material::Chain(&self.cast.signers[*key].chain)),
            TamperWith::Artifact(other) if operator == Tampering::MoveTo => {
                let item = self.item(other, position)?;
                let part = item.part(other.part.as_deref()).ok_or_else(|| format!("there is no {other}"))?;
                Ok(Material::Subject(part.descriptor()))
            }
            TamperWith::Artifact(other) => {
                let position = position.min(self.inventory.get(other).len().saturating_sub(1));
                Ok(Material::Signature(self.signature(other, position, 0)?))
            }
        }
    }

    /// Notes a changed signature where the old one was, or with the artifact that it was moved to.
    fn replace(&mut self, name: &ArtifactName, target: &ArtifactName, position: usize, old: &Digest, new: Artifact) {
        let is_old = |referrer: &Referrer| referrer.artifact.descriptor().digest == *old;
        if target == name {
            let Some(item) = self.inventory.get_mut(name).get_mut(position) else { return };
            item.referrers.iter_mut().filter(|r| is_old(r)).for_each(|referrer| referrer.artifact = new.clone());
            return;
        }
        if let Some(item) = self.inventory.get_mut(name).get_mut(position) {
            item.referrers.retain(|referrer| !is_old(referrer));
        }
        if let Some(item) = self.inventory.get_mut(target).get_mut(position)
            && let Some(subject) = item.part(target.part.as_deref()).map(|part| part.descriptor().digest)
        {
            item.referrers.push(Referrer { subject, artifact: new, is_signature: true });
        }
    }

    async fn delete(&mut self, name: &ArtifactName, signature: Option<usize>) -> Result<(), String> {
        let count = self.inventory.get(name).len();
        for position in 0..count {
            let gone = match signature {
                Some(number) => self.signature(name, position, number)?.clone(),
                None => {
                    let part = self.item(name, position)?.part(name.part.as_deref());
                    part.ok_or_else(|| format!("there is no {name}"))?.clone()
                }
            };
            let (registry, repository) = self.place(name)?;
            registry.writer.delete(&repository, &gone).await?;
            let digest = gone.descriptor().digest;
            if let Some(item) = self.inventory.get_mut(name).get_mut(position) {
                item.referrers.retain(|referrer| referrer.artifact.descriptor().digest != digest);
            }
        }
        if signature.is_none() && name.part.is_none() {
            self.inventory.remove(name);
        }
        Ok(())
    }

    fn item(&self, name: &ArtifactName, position: usize) -> Result<&Item, String> {
        self.inventory.get(name).get(position).ok_or_else(|| format!("there is no {name}"))
    }

    fn subjects(&self, name: &ArtifactName) -> Result<Vec<Descriptor>, String> {
        let part = |item: &Item| item.part(name.part.as_deref()).map(|part| part.descriptor().clone());
        let subjects: Option<Vec<Descriptor>> = self.inventory.get(name).iter().map(part).collect();
        subjects.ok_or_else(|| format!("there is no {name}"))
    }

    fn signature(&self, name: &ArtifactName, position: usize, number: usize) -> Result<&Artifact, String> {
        let item = self.item(name, position)?;
        let part = item.part(name.part.as_deref()).ok_or_else(|| format!("there is no {name}"))?;
        let mut signatures = item.signatures(part.descriptor());
        let count = item.signatures(part.descriptor()).count();
        let found = signatures.nth(number).map(|referrer| &referrer.artifact);
        found.ok_or_else(|| format!("{name} has {count} signatures, counted from 0, and none is number {number}"))
    }
}

async fn push_items(registry: &RunningRegistry, repository: &str, items: &[Item]) -> Result<(), String> {
    let pushes = items.iter().map(|item| async {
        for image in item.manifests_below() {
            registry.push(repository, None, image).await?;
        }
        registry.push(repository, Some(&item.tag), &item.whole).await
    });
    stream::iter(pushes.collect::<Vec<_>>()).buffer_unordered(AT_A_TIME).try_collect::<()>().await
}

fn tag(name: &ArtifactName) -> String {
    name.reference.tag.clone().unwrap_or_default()
}

fn effect(answer: Answer) -> Effect {
    match answer {
        Answer::Unauthorized => Effect::Status(401, None),
        Answer::Forbidden => Effect::Status(403, None),
        Answer::Unavailable => Effect::Status(503, None),
        Answer::Silence => Effect::Delay(LATE),
        Answer::WrongDigest => Effect::WrongDigest,
        Answer::Corrupt => Effect::CorruptBody,
        Answer::CutOff => Effect::CutBody,
    }
}

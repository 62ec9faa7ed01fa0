//! `tamper`: changes a signature in the registry, as write access without the key allows.
//!
//! What each word changes is in `tampering`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Reader, default_artifact};
use super::tampering::{self, Material, Tampering, With};
use super::{Step, Written};
use crate::digest::Digest;
use crate::failure::quote;
use crate::scenario::finding::Rule;
use crate::scenario::inventory::Referrer;
use crate::scenario::kept::Kept;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// `tamper`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawTamper {
    /// Whose signature; registry.wabbit-networks.io/net-monitor:v1 if left out.
    artifact: Option<Spanned<ArtifactName>>,
    /// In its place: a file that was written, whose detached signature is changed where it lies.
    file: Option<Spanned<String>>,
    /// Which of its signatures, counted from 0.
    signature: Option<Spanned<u32>>,
    /// What is done.
    #[serde(rename = "do")]
    operator: Spanned<Tampering>,
    /// The key or the artifact that some need; for a file, a file in the place of the artifact.
    with: Option<Spanned<String>>,
}

/// A change of one signature of each artifact of one name.
#[derive(Debug)]
pub(in crate::scenario) struct Tamper {
    artifact: ArtifactName,
    /// In the place of the artifact.
    file: Option<String>,
    signature: usize,
    operator: Tampering,
    with: TamperWith,
}

/// What a tampering needs beside the signature.
#[derive(Debug, Clone)]
enum TamperWith {
    Nothing,
    Key(usize),
    Artifact(ArtifactName),
    File(String),
}

impl Written for RawTamper {
    type Checked = Tamper;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Tamper> {
        let file = self.file_to_tamper(reader)?;
        let artifact = match file {
            Some(_) => default_artifact()?,
            None => reader.existing(self.artifact.as_ref())?,
        };
        let operator = self.operator.value;
        let with = match (operator.needs(), &self.with) {
            (None, None) => TamperWith::Nothing,
            (None, Some(with)) => {
                let message = format!("{} needs nothing else", operator.as_str());
                reader.findings.error(Rule::Tampering, &with.range, message, "remove with");
                return None;
            }
            (Some(needs), None) => {
                let what = if needs == With::Key { "a key" } else { "an artifact" };
                let message = format!("{} needs {what}", operator.as_str());
                reader.findings.error(Rule::Tampering, &self.operator.range, message, "add with");
                return None;
            }
            (Some(With::Artifact), Some(with)) if file.is_some() => TamperWith::File(other_file(with, reader)?),
            (Some(With::Key), Some(with)) => TamperWith::Key(reader.key(&with.value, &with.range)?),
            (Some(With::Artifact), Some(with)) => match with.value.parse::<ArtifactName>() {
                Ok(name) => {
                    let name = with.with(name);
                    TamperWith::Artifact(reader.existing(Some(&name))?)
                }
                Err(message) => {
                    reader.findings.error(Rule::Artifact, &with.range, message, "write HOST/REPOSITORY:TAG");
                    return None;
                }
            },
        };
        let signature = self.signature.as_ref().map_or(0, |number| number.value as usize);
        Some(Tamper { artifact, file, signature, operator, with })
    }
}

impl RawTamper {
    /// The file whose signature is changed, if one is named.
    fn file_to_tamper(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Option<String>> {
        let Some(file) = &self.file else { return Some(None) };
        if let Some(artifact) = &self.artifact {
            let message = "a signature of an artifact is changed, or one of a file".to_owned();
            reader.findings.error(Rule::Contradiction, &artifact.range, message, "remove artifact or file");
        }
        if self.operator.value.is_of_manifests() {
            let message = format!("{} changes a manifest, and a file has none", self.operator.value.as_str());
            let help = "change the envelope, or delete the signature";
            reader.findings.error(Rule::Tampering, &self.operator.range, message, help);
            return None;
        }
        reader.signature_of(file, self.signature.as_ref())?;
        reader.file(file).map(Some)
    }
}

/// The file `with`, of which the first signature is taken.
fn other_file(with: &Spanned<String>, reader: &mut Reader<'_, '_, '_>) -> Option<String> {
    let name = reader.file(with)?;
    if reader.files.get(&name) == Some(&0) {
        let message = format!("{} has no signature that could be put in the place of another", quote(&name));
        reader.findings.error(Rule::FileUnknown, &with.range, message, "sign it in a step before");
        return None;
    }
    Some(name)
}

impl Step for Tamper {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        if let Some(file) = &self.file {
            return self.change_signature_of(file, world);
        }
        let Tamper { artifact: name, signature: number, operator, with, .. } = self;
        let operator = *operator;
        let count = world.inventory.get(name).len();
        for position in 0..count {
            let old = world.signature(name, position, *number)?.artifact()?;
            if operator == Tampering::RemoveEnvelope {
                let envelope = tampering::envelope(&old)?.descriptor.digest;
                let (registry, repository) = world.place(name)?;
                registry.delete_blob(&repository, &envelope).await?;
                continue;
            }
            let new = tampering::tampered(&old, operator, &self.material(world, position)?)?;
            if new.descriptor().digest == old.descriptor().digest {
                return Err(format!("{} changed nothing", operator.as_str()));
            }
            let target = match with {
                TamperWith::Artifact(other) if operator == Tampering::MoveTo => other,
                _ => name,
            };
            let (registry, repository) = world.place(target)?;
            registry.push(&repository, None, &new).await?;
            let new = registry.shared(&repository, new.into());
            let (registry, repository) = world.place(name)?;
            registry.delete(&repository, &old).await?;
            replace(world, (name, target), position, &old.descriptor().digest, new);
        }
        Ok(())
    }
}

impl Tamper {
    /// Changes the signature of a file where it lies.
    fn change_signature_of(&self, file: &str, world: &mut World) -> Result<(), String> {
        let old = world.files.signature(file, self.signature)?;
        let material = match &self.with {
            TamperWith::Key(key) => Material::Chain(&world.holders.signers[*key].chain),
            TamperWith::File(other) => Material::Signature(world.files.signature(other, 0)?.clone()),
            TamperWith::Nothing | TamperWith::Artifact(_) => Material::Nothing,
        };
        let new = tampering::tampered(old, self.operator, &material)?;
        if new.descriptor().digest == old.descriptor().digest {
            return Err(format!("{} changed nothing", self.operator.as_str()));
        }
        world.files.replace_signature(file, self.signature, new)
    }

    /// What the change needs for the artifact at `position`.
    fn material<'w>(&self, world: &'w World, position: usize) -> Result<Material<'w>, String> {
        match &self.with {
            TamperWith::Nothing | TamperWith::File(_) => Ok(Material::Nothing),
            TamperWith::Key(key) => Ok(Material::Chain(&world.holders.signers[*key].chain)),
            TamperWith::Artifact(other) if self.operator == Tampering::MoveTo => {
                let item = world.item(other, position)?;
                let part = item.part(other.part.as_deref()).ok_or_else(|| format!("there is no {other}"))?;
                Ok(Material::Subject(part.descriptor()))
            }
            TamperWith::Artifact(other) => {
                let position = position.min(world.inventory.get(other).len().saturating_sub(1));
                Ok(Material::Signature(world.signature(other, position, 0)?.artifact()?))
            }
        }
    }
}

/// Notes a changed signature where the old one was, or with the artifact that it was moved to.
fn replace(
    world: &mut World,
    (name, target): (&ArtifactName, &ArtifactName),
    position: usize,
    old: &Digest,
    new: Kept,
) {
    let is_old = |referrer: &Referrer| referrer.artifact.digest() == *old;
    if target == name {
        let Some(item) = world.inventory.get_mut(name).get_mut(position) else { return };
        item.referrers.iter_mut().filter(|r| is_old(r)).for_each(|referrer| referrer.artifact = new.clone());
        return;
    }
    if let Some(item) = world.inventory.get_mut(name).get_mut(position) {
        item.referrers.retain(|referrer| !is_old(referrer));
    }
    if let Some(item) = world.inventory.get_mut(target).get_mut(position)
        && let Some(subject) = item.part(target.part.as_deref()).map(Kept::digest)
    {
        item.referrers.push(Referrer { subject, artifact: new, is_signature: true });
    }
}

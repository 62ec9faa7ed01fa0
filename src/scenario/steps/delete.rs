//! `delete`: deletes artifacts, parts of them, or one of their signatures from the registry.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Reader, default_artifact};
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// `delete`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawDelete {
    /// What; registry.wabbit-networks.io/net-monitor:v1 if left out.
    artifact: Option<Spanned<ArtifactName>>,
    /// In its place: a file that was written; its signatures stay.
    file: Option<Spanned<String>>,
    /// Only this of its signatures, counted from 0.
    signature: Option<Spanned<u32>>,
}

/// What is deleted: one signature of each artifact, or the artifacts.
#[derive(Debug)]
pub(in crate::scenario) struct Delete {
    artifact: ArtifactName,
    /// In the place of the artifact.
    file: Option<String>,
    signature: Option<usize>,
}

impl Written for RawDelete {
    type Checked = Delete;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Delete> {
        let signature = self.signature.as_ref().map(|number| number.value as usize);
        if let Some(file) = &self.file {
            if let Some(artifact) = &self.artifact {
                let message = "an artifact is deleted, or a file".to_owned();
                reader.findings.error(Rule::Contradiction, &artifact.range, message, "remove artifact or file");
            }
            let name = reader.file(file)?;
            if self.signature.is_some() {
                reader.signature_of(file, self.signature.as_ref())?;
            }
            return Some(Delete { artifact: default_artifact()?, file: Some(name), signature });
        }
        let artifact = reader.existing(self.artifact.as_ref())?;
        if signature.is_none() && artifact.part.is_none() {
            reader.remove(&artifact);
        }
        Some(Delete { artifact, file: None, signature })
    }
}

impl Step for Delete {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        if let Some(file) = &self.file {
            return world.files.delete(file, self.signature);
        }
        let name = &self.artifact;
        let count = world.inventory.get(name).len();
        for position in 0..count {
            let gone = match self.signature {
                Some(number) => world.signature(name, position, number)?,
                None => {
                    let part = world.item(name, position)?.part(name.part.as_deref());
                    part.ok_or_else(|| format!("there is no {name}"))?
                }
            };
            let gone = gone.artifact()?;
            let (registry, repository) = world.place(name)?;
            registry.delete(&repository, &gone).await?;
            let digest = gone.descriptor().digest;
            if let Some(item) = world.inventory.get_mut(name).get_mut(position) {
                item.referrers.retain(|referrer| referrer.artifact.digest() != digest);
            }
        }
        if self.signature.is_none() && name.part.is_none() {
            world.inventory.remove(name);
        }
        Ok(())
    }
}

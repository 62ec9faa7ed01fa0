//! `retag`: moves a tag to another artifact of its repository, or makes one.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::inventory::push_items;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// `retag`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawRetag {
    /// What the tag names from now on; registry.wabbit-networks.io/net-monitor:v1 if left out.
    artifact: Option<Spanned<ArtifactName>>,
    /// The tag, in the repository of the artifact. It may be there already.
    tag: Spanned<String>,
}

/// A tag that names other artifacts from now on; of many, each keeps its number behind the tag.
#[derive(Debug)]
pub(in crate::scenario) struct Retag {
    artifact: ArtifactName,
    to: ArtifactName,
    count: u32,
}

impl Written for RawRetag {
    type Checked = Retag;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Retag> {
        let artifact = reader.existing(self.artifact.as_ref())?;
        if let (Some(_), Some(named)) = (&artifact.part, &self.artifact) {
            let message = "a part has no tag of its own".to_owned();
            reader.findings.error(Rule::Artifact, &named.range, message, "name HOST/REPOSITORY:TAG");
        }
        let reference = match artifact.reference.repository.tagged(&self.tag.value) {
            Ok(reference) => reference,
            Err(error) => {
                reader.findings.error(Rule::Artifact, &self.tag.range, error.to_string(), "write a tag, as latest");
                return None;
            }
        };
        let to = ArtifactName { reference, part: None };
        if to == artifact {
            let message = format!("{to} names this artifact already");
            reader.findings.error(Rule::Artifact, &self.tag.range, message, "write another tag");
        }
        let (count, there) = (reader.known(&artifact).count, reader.known(&to).count);
        if there != 0 && there != count {
            let message = format!("{to} names {there} artifacts, and {artifact} names {count}");
            let help = "move a tag to as many artifacts as it names, each behind its number";
            reader.findings.error(Rule::Count, &self.tag.range, message, help);
        }
        reader.alias(&artifact, &to);
        Some(Retag { artifact, to, count })
    }
}

impl Step for Retag {
    fn tags(&self) -> Vec<(&ArtifactName, u32)> {
        vec![(&self.to, self.count)]
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        // What refers to an artifact names its digest, and so stays where it is.
        push_items(world, &self.to, world.inventory.get(&self.artifact).iter().cloned()).await?;
        world.inventory.alias(&self.artifact, &self.to);
        Ok(())
    }
}

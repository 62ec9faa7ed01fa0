//! `copy`: copies artifacts to another name or registry, with everything that refers to them or without.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::inventory::{Item, push_items};
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::World;

/// `copy`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawCopy {
    /// What is copied; registry.wabbit-networks.io/net-monitor:v1 if left out.
    from: Option<Spanned<ArtifactName>>,
    /// Where to.
    to: Spanned<ArtifactName>,
    /// Whether what refers to it comes along: signatures, SBoMs, and their signatures; true if left out.
    referrers: Option<bool>,
}

/// A copy of whole artifacts.
#[derive(Debug)]
pub(in crate::scenario) struct CopyArtifacts {
    from: ArtifactName,
    to: ArtifactName,
    count: u32,
    referrers: bool,
}

impl Written for RawCopy {
    type Checked = CopyArtifacts;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<CopyArtifacts> {
        let from = reader.existing(self.from.as_ref())?;
        if let (Some(_), Some(named)) = (&from.part, &self.from) {
            let message = "only whole artifacts are copied".to_owned();
            reader.findings.error(Rule::Artifact, &named.range, message, "name HOST/REPOSITORY:TAG");
        }
        let mut known = reader.known(&from);
        let to = reader.new_artifact(Some(&self.to))?;
        let (count, referrers) = (known.count, self.referrers.unwrap_or(true));
        match is_alias(&from, &to) {
            true => reader.alias(&from, &to),
            false => {
                known.parts.retain(|part| referrers || part.starts_with("linux/"));
                reader.add(&to, known);
            }
        }
        Some(CopyArtifacts { from, to, count, referrers })
    }
}

impl Step for CopyArtifacts {
    fn tags(&self) -> Vec<(&ArtifactName, u32)> {
        vec![(&self.to, self.count)]
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let items = world.inventory.get(&self.from).iter().cloned();
        if is_alias(&self.from, &self.to) {
            push_items(world, &self.to, items).await?;
            world.inventory.alias(&self.from, &self.to);
            return Ok(());
        }
        let items = items.map(|item| match self.referrers {
            true => item,
            false => Item { attachments: Vec::new(), referrers: Vec::new(), ..item },
        });
        let mut items = push_items(world, &self.to, items).await?;
        let (registry, repository) = world.place(&self.to)?;
        for item in &mut items {
            for referrer in &mut item.referrers {
                registry.push(&repository, None, &referrer.artifact.artifact()?).await?;
                referrer.artifact = registry.shared(&repository, referrer.artifact.clone());
            }
        }
        world.inventory.put(&self.to, items);
        Ok(())
    }
}

/// Whether a copy is no more than a further tag: what refers to the artifacts is there already.
fn is_alias(from: &ArtifactName, to: &ArtifactName) -> bool {
    from.reference.repository == to.reference.repository
}

//! `copy`: copies artifacts to another name or registry, with everything that refers to them or without.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::inventory::push_items;
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
        let mut parts = reader.parts(&from);
        let to = reader.new_artifact(Some(&self.to))?;
        let referrers = self.referrers.unwrap_or(true);
        parts.retain(|part| referrers || part.starts_with("linux/"));
        reader.add(to.clone(), parts);
        Some(CopyArtifacts { from, to, referrers })
    }
}

impl Step for CopyArtifacts {
    async fn act(&self, world: &mut World) -> Result<(), String> {
        let tag = |name: &ArtifactName| name.reference.tag.clone().unwrap_or_default();
        let (old, new) = (tag(&self.from), tag(&self.to));
        let mut items = world.inventory.get(&self.from).to_vec();
        for item in &mut items {
            // Of many, each keeps its number.
            item.tag = format!("{new}{}", item.tag.strip_prefix(&old).unwrap_or_default());
            if !self.referrers {
                item.attachments.clear();
                item.referrers.clear();
            }
        }
        let (registry, repository) = world.place(&self.to)?;
        push_items(registry, &repository, &items).await?;
        for item in &items {
            for referrer in &item.referrers {
                registry.push(&repository, None, &referrer.artifact).await?;
            }
        }
        world.inventory.put(&self.to, items);
        Ok(())
    }
}

//! `attach`: pushes something that refers to an artifact, as an SBoM, and signs it where that is wanted.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::Reader;
use super::sign::{RawSign, Sign};
use super::{Step, Written};
use crate::failure::quote;
use crate::forge::{Artifact, Blob};
use crate::scenario::finding::Rule;
use crate::scenario::inventory::Referrer;
use crate::scenario::names::check_name;
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Needs, World};

/// `attach`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawAttach {
    /// What it is attached to; registry.wabbit-networks.io/net-monitor:v1 if left out.
    to: Option<Spanned<ArtifactName>>,
    /// What it is called: `#NAME` behind the artifact.
    name: Spanned<String>,
    /// What it is: `application/spdx+json`.
    artifact_type: Spanned<String>,
    /// What it holds.
    content: Option<String>,
    /// Signs it too.
    sign: Option<RawSign>,
}

/// An attachment of the artifacts called `to`.
#[derive(Debug)]
pub(in crate::scenario) struct Attach {
    to: ArtifactName,
    name: String,
    artifact_type: String,
    content: String,
    sign: Option<Sign>,
}

impl Written for RawAttach {
    type Checked = Attach;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Attach> {
        let to = reader.existing(self.to.as_ref())?;
        check_name(&self.name, "an attachment", reader.findings);
        if self.artifact_type.value.is_empty() {
            let message = "the artifact type is empty".to_owned();
            reader.findings.error(Rule::Value, &self.artifact_type.range, message, "write application/spdx+json");
        }
        if to.part.is_some() {
            let message = format!("something is attached to {} already by name", quote(&to.to_string()));
            let help = "attach it to the artifact itself";
            reader.findings.error(Rule::Artifact, &self.name.range, message, help);
        }
        if !reader.add_part(&to, &self.name.value) {
            let message = format!("{} has a part called {} already", to, quote(&self.name.value));
            reader.findings.error(Rule::ArtifactRepeated, &self.name.range, message, "choose another name");
        }
        let sign = match &self.sign {
            Some(sign) => {
                if let Some(artifact) = sign.artifact() {
                    let message = "what is attached is what is signed here".to_owned();
                    let help = "remove artifact, or make it a step sign";
                    reader.findings.error(Rule::Artifact, &artifact.range, message, help);
                }
                let attached = ArtifactName { part: Some(self.name.value.clone()), ..to.clone() };
                Some(Sign { artifact: attached, signing: sign.signing(reader)? })
            }
            None => None,
        };
        Some(Attach {
            content: self.content.clone().unwrap_or_else(|| format!("{} of {to}", self.name.value)),
            to,
            name: self.name.value.clone(),
            artifact_type: self.artifact_type.value.clone(),
            sign,
        })
    }
}

impl Step for Attach {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        if let Some(sign) = &self.sign {
            sign.prepare(needs);
        }
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let mut made = Vec::new();
        for item in world.inventory.get_mut(&self.to) {
            let subject = item.whole.descriptor();
            let content = Blob::new(&self.artifact_type, format!("{} {}", self.content, item.tag(&self.to)));
            let artifact = Artifact::attachment(subject, &self.artifact_type, content);
            let subject = subject.digest;
            item.attachments.push((self.name.clone(), artifact.clone()));
            item.referrers.push(Referrer { subject, artifact: artifact.clone(), is_signature: false });
            made.push(artifact);
        }
        let (registry, repository) = world.place(&self.to)?;
        for artifact in &made {
            registry.push(&repository, None, artifact).await?;
        }
        match &self.sign {
            Some(sign) => sign.act(world).await,
            None => Ok(()),
        }
    }
}

//! `attach`: pushes something that refers to an artifact, as an SBoM or an in-toto statement, and signs it where that is wanted.
//!
//! What it says is content like any other: a verification judges its signature and never reads it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::content::{Content, Layer, RawContent, RawLayer, checked_media_type};
use super::reader::Reader;
use super::sign::{RawSign, Sign};
use super::{Step, Written};
use crate::failure::quote;
use crate::forge::Artifact;
use crate::limits;
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
    /// What it holds: text, or a mapping or a list, which is written as JSON. What stands for the artifact is filled in:
    /// `{digest}`, `{sha256}` for its hex digits alone, `{size}`, `{mediaType}`, and `{artifact}` for HOST/REPOSITORY:TAG.
    content: Option<Spanned<RawContent>>,
    /// In its place: a file of the project that holds it, by its path from here. Nothing is filled in.
    from: Option<Spanned<String>>,
    /// The media type of its layer; the artifact type if left out.
    media_type: Option<Spanned<String>>,
    /// In the place of content: its layers, where it has several.
    #[serde(default)]
    layers: Vec<Spanned<RawLayer>>,
    /// Signs it too.
    sign: Option<RawSign>,
}

/// An attachment of the artifacts called `to`.
#[derive(Debug)]
pub(in crate::scenario) struct Attach {
    to: ArtifactName,
    name: String,
    artifact_type: String,
    layers: Vec<Layer>,
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
                if let Some(range) = sign.names_file() {
                    let message = "what is attached is signed, and no file".to_owned();
                    let help = "remove file and mediaType here, and write a step sign for the file";
                    reader.findings.error(Rule::Contradiction, range, message, help);
                    return None;
                }
                Some(Sign { artifact: attached, file: None, signing: sign.signing(reader)? })
            }
            None => None,
        };
        let layers = self.checked_layers(reader)?;
        let length: u64 = layers.iter().map(Layer::length).sum();
        if length.saturating_mul(reader.known(&to).count.into()) > limits::SCENARIO_CONTENT_BYTES {
            let message = format!("all together this is more than {} bytes", limits::SCENARIO_CONTENT_BYTES);
            reader.findings.error(Rule::Count, &self.name.range, message, "attach less, or to fewer artifacts");
        }
        Some(Attach {
            layers,
            to,
            name: self.name.value.clone(),
            artifact_type: self.artifact_type.value.clone(),
            sign,
        })
    }
}

impl RawAttach {
    /// Its layers: those that are listed, or the one that it has otherwise.
    fn checked_layers(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Vec<Layer>> {
        let usual = &self.artifact_type;
        if let Some(first) = self.layers.first() {
            let beside = self.content.as_ref().map(|content| &content.range);
            let beside = beside.or(self.from.as_ref().map(|from| &from.range));
            if let Some(range) = beside.or(self.media_type.as_ref().map(|media_type| &media_type.range)) {
                let message = "what it holds is said by its layers already".to_owned();
                let help = format!("write it into a layer, or remove the layers on line {}", first.line);
                reader.findings.error(Rule::Contradiction, range, message, help);
            }
            let layers = self.layers.iter().map(|layer| Layer::check(layer, &usual.value, reader)).collect::<Vec<_>>();
            return layers.into_iter().collect();
        }
        let content = match (&self.content, &self.from) {
            (None, None) => Content::Text(format!("{} of {{artifact}}", self.name.value)),
            (content, from) => Content::check(content.as_ref(), from.as_ref(), &usual.range, reader)?,
        };
        let media_type = checked_media_type(self.media_type.as_ref(), &usual.value, reader)?;
        Some(vec![Layer { media_type, content }])
    }
}

impl Step for Attach {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        if let Some(sign) = &self.sign {
            sign.prepare(needs);
        }
    }

    fn expects(&self) -> bool {
        self.sign.as_ref().is_some_and(Step::expects)
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        for position in 0..world.inventory.get(&self.to).len() {
            let item = world.item(&self.to, position)?;
            let subject = item.whole.descriptor();
            let name = format!("{}:{}", self.to.reference.repository, item.tag(&self.to));
            let layers: Result<Vec<_>, String> = self.layers.iter().map(|layer| layer.blob(&subject, &name)).collect();
            let artifact = Artifact::attachment_of_layers(&subject, &self.artifact_type, layers?);
            let (registry, repository) = world.place(&self.to)?;
            registry.push(&repository, None, &artifact).await?;
            let artifact = registry.shared(&repository, artifact.into());
            let subject = subject.digest;
            if let Some(item) = world.inventory.get_mut(&self.to).get_mut(position) {
                item.attachments.push((self.name.clone(), artifact.clone()));
                item.referrers.push(Referrer { subject, artifact, is_signature: false });
            }
        }
        match &self.sign {
            Some(sign) => sign.act(world).await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Trouble of this machine must not pass for a signer's that is expected.
    #[test]
    fn what_is_expected_of_its_signature_is_expected_of_the_step() {
        let expects = |sign: &str| {
            let step = format!("attach: {{ name: a, artifactType: a/b{sign} }}");
            let text = format!(
                "title: x\nsteps: [{{ push: {{}} }}, {{ {step} }}]\nverify: [{{ expect: {{ result: skip }} }}]\n"
            );
            let scenario = crate::scenario::parse(text.as_bytes(), Path::new("scenarios/t/c.yaml")).unwrap();
            scenario.cases[0].plan.steps[1].action.expects()
        };
        assert!(expects(", sign: { expect: { signatures: 1 } }"));
        assert!(!expects(", sign: {}") && !expects(""));
    }
}

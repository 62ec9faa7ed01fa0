//! `push`: pushes images or image indexes, one or many that all differ.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Known, Reader};
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::inventory::{ARCHITECTURES, Item, push_items};
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::world::{Capability, Demand, Needs, World};

/// By how many bytes a manifest is made longer at most.
const PADDING: u32 = 64 << 20;

/// `push`
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawPush {
    /// Where to; registry.wabbit-networks.io/net-monitor:v1 if left out.
    to: Option<Spanned<ArtifactName>>,
    /// How many, all different; with more than one, the tags are TAG-1, TAG-2 …
    count: Option<Spanned<u32>>,
    /// An image index of this many images, `#linux/amd64`, `#linux/arm64`, `#linux/s390x`, `#linux/riscv64`.
    images: Option<Spanned<u32>>,
    /// Makes the manifest longer by this many bytes.
    padding: Option<Spanned<u32>>,
}

/// Artifacts that are pushed under one name, or with a number behind the tag where there are several.
#[derive(Debug)]
pub(in crate::scenario) struct Push {
    to: ArtifactName,
    count: u32,
    content: Content,
}

/// What is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::scenario) enum Content {
    /// An image, its manifest longer by this many bytes.
    Image { padding: usize },
    /// An index of this many images.
    Index(usize),
}

impl Written for RawPush {
    type Checked = Push;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Push> {
        let to = reader.new_artifact(self.to.as_ref())?;
        let count = reader.count(self.count.as_ref());
        let images = self.images.as_ref().map(|images| (images.value as usize, &images.range));
        if let Some((number, range)) = images
            && !(1..=ARCHITECTURES.len()).contains(&number)
        {
            let message = format!("an index has 1 to {} images here", ARCHITECTURES.len());
            reader.findings.error(Rule::Count, range, message, "write a smaller number");
        }
        if let (Some(_), Some(padding)) = (images, &self.padding) {
            let message = "an index is not padded".to_owned();
            reader.findings.error(Rule::Count, &padding.range, message, "remove padding or images");
        }
        if let Some(padding) = self.padding.as_ref().filter(|padding| padding.value > PADDING) {
            let message = "this is more than 64 MiB".to_owned();
            reader.findings.error(Rule::Count, &padding.range, message, "write less");
        }
        let content = match images {
            Some((number, _)) => Content::Index(number),
            None => Content::Image { padding: self.padding.as_ref().map_or(0, |padding| padding.value as usize) },
        };
        let parts = ARCHITECTURES.iter().take(images.map_or(0, |(number, _)| number));
        let parts = parts.map(|architecture| format!("linux/{architecture}")).collect();
        reader.add(&to, Known { count, parts });
        Some(Push { to, count, content })
    }
}

impl Step for Push {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        if let Content::Image { padding: 1.. } = self.content {
            let host = self.to.reference.repository.host();
            needs.demands.push(Demand { host, what: Capability::LongManifests });
        }
    }

    fn tags(&self) -> Vec<(&ArtifactName, u32)> {
        vec![(&self.to, self.count)]
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let Push { to, count, content } = self;
        let tag = to.reference.tag.clone().unwrap_or_default();
        let item = |number: u32| {
            let suffix = if *count == 1 { String::new() } else { format!("-{number}") };
            let identity = format!("{} {}:{tag}{suffix}", world.identity, to.reference.repository);
            Item::new(suffix, &identity, *content)
        };
        let items = push_items(world, to, (0..*count).map(|number| item(number + 1))).await?;
        world.inventory.put(to, items);
        Ok(())
    }
}

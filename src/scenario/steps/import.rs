//! `import`: pushes a real artifact that is recorded in the project as an OCI layout, with everything below it and what
//! refers to it; bytes unchanged.
//!
//! The layout is read and checked with the scenario, so that what is wrong with it is told with its place; and again when
//! the step happens, since nothing of it is kept in between. Content that was left out of it is not pushed: registries that
//! look for it refuse such manifests, so the case then needs one that does not.

use schemars::JsonSchema;
use serde::Deserialize;

use super::reader::{Known, Reader};
use super::{Step, Written};
use crate::scenario::finding::Rule;
use crate::scenario::recorded_layout::{NoLayout, RecordedLayout};
use crate::scenario::scalar::ArtifactName;
use crate::scenario::spanned::Spanned;
use crate::scenario::whole_artifact::Role;
use crate::scenario::world::{Capability, Demand, Needs, World};

/// `import`
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(in crate::scenario) struct RawImport {
    /// Where it is recorded: `oci:DIR[:REF]` or `oci-archive:FILE[:REF]`, from here, inside the project.
    from: Spanned<String>,
    /// Where to; registry.wabbit-networks.io/net-monitor:v1 if left out.
    to: Option<Spanned<ArtifactName>>,
    /// Whether what refers to it comes along: signatures, SBoMs, and their signatures; true if left out.
    referrers: Option<bool>,
}

/// A recorded artifact that is pushed.
#[derive(Debug)]
pub(in crate::scenario) struct Import {
    from: RecordedLayout,
    to: ArtifactName,
    referrers: bool,
    /// Whether something that it names was left out of the record.
    lacks_content: bool,
}

impl Written for RawImport {
    type Checked = Import;

    fn check(&self, reader: &mut Reader<'_, '_, '_>) -> Option<Import> {
        let to = reader.new_artifact(self.to.as_ref())?;
        let from = match RecordedLayout::find(&self.from.value, reader.project_files) {
            Ok(from) => from,
            Err(NoLayout::Form(message)) => {
                reader.findings.error(Rule::Layout, &self.from.range, message, "write oci:layouts/net-monitor:v1");
                return None;
            }
            Err(NoLayout::Path(message)) => {
                let help = "name a layout of the project, from the folder of the scenario, without symbolic links";
                reader.findings.error(Rule::FilePath, &self.from.range, message, help);
                return None;
            }
        };
        let referrers = self.referrers.unwrap_or(true);
        let read = from.read(&to.reference.repository, referrers).and_then(|whole| {
            let lacks_content = !whole.left_out.is_empty();
            Ok((lacks_content, whole.item()?))
        });
        let (lacks_content, item) = match read {
            Ok(read) => read,
            Err(message) => {
                let message = format!("the recorded artifact is refused: {message}");
                let help = "record it again, with muster test --import, and keep \
                            its files as they are";
                reader.findings.error(Rule::Layout, &self.from.range, message, help);
                return None;
            }
        };
        let parts = item.images.iter().chain(&item.attachments).map(|(name, _)| name.clone()).collect();
        reader.add(&to, Known { count: 1, parts });
        Some(Import { from, to, referrers, lacks_content })
    }
}

impl Step for Import {
    fn prepare<'s>(&'s self, needs: &mut Needs<'s>) {
        if self.lacks_content {
            let host = self.to.reference.repository.host();
            needs.demands.push(Demand { host, what: Capability::MissingContent });
        }
    }

    fn tags(&self) -> Vec<(&ArtifactName, u32)> {
        vec![(&self.to, 1)]
    }

    async fn act(&self, world: &mut World) -> Result<(), String> {
        let Import { from, to, referrers, .. } = self;
        let (from, repository, referrers) = (from.clone(), to.reference.repository.clone(), *referrers);
        let read = tokio::task::spawn_blocking(move || from.read(&repository, referrers));
        let whole = read.await.map_err(|_| "reading the layout was interrupted".to_owned())??;
        let (registry, repository) = world.place(to)?;
        for member in &whole.members {
            let tag = to.reference.tag.as_deref().filter(|_| member.role == Role::Itself);
            registry.push(&repository, tag, &member.artifact).await?;
        }
        let item = whole.item()?;
        world.inventory.put(to, vec![item]);
        Ok(())
    }
}

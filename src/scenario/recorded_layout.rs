//! A recorded artifact: an OCI layout in the project of a scenario, as `oci:DIR[:REF]` names it.
//!
//! Follows the OCI image specification, *Image Layout*. It is read with the reader of audits, which takes a layout for a
//! stranger's files: no link is followed, reads are bounded, and every digest is checked.

use std::path::PathBuf;
use std::thread;

use super::policy_path::ProjectFiles;
use super::whole_artifact::{Layers, WholeArtifact};
use crate::audit::{Sources, Target, TargetKind};
use crate::failure::quote;
use crate::reference::Repository;
use crate::source::layout::Entry;
use crate::source::registry::RegistryOptions;

/// How many names of a layout a message tells.
const NAMED: usize = 5;

/// Where an artifact is recorded.
#[derive(Debug, Clone)]
pub(super) struct RecordedLayout {
    kind: &'static TargetKind,
    path: PathBuf,
    /// The name or digest of the artifact, where one is written.
    entry: Option<String>,
}

/// Why a text names no recorded artifact.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoLayout {
    /// It is not written as one.
    Form(String),
    /// The project has no such file or folder.
    Path(String),
}

impl RecordedLayout {
    /// What `written` names among `files`.
    pub(super) fn find(written: &str, files: &ProjectFiles) -> Result<RecordedLayout, NoLayout> {
        let form = || {
            let forms = TargetKind::written("[:REF]").join(" or ");
            NoLayout::Form(format!("{} is no recorded artifact: expected {forms}", quote(written)))
        };
        let (kind, rest) = TargetKind::of(written).ok_or_else(form)?;
        let (place, entry) = TargetKind::place_and_entry(rest).ok_or_else(form)?;
        let path = files.find(place).map_err(NoLayout::Path)?;
        Ok(RecordedLayout { kind, path, entry: entry.map(str::to_owned) })
    }

    /// Reads the artifact with everything below it, and what refers to it where that is wanted, as one of `repository`. The
    /// error is one sentence. Blocks.
    pub(super) fn read(&self, repository: &Repository, referrers: bool) -> Result<WholeArtifact, String> {
        // The caller may be on a thread of a runtime, which cannot wait; a thread of its own can.
        thread::scope(|scope| {
            let read = scope.spawn(|| {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
                runtime.block_on(self.collect(repository, referrers))
            });
            read.join().unwrap_or_else(|_| Err("reading the layout broke down".to_owned()))
        })
    }

    async fn collect(&self, repository: &Repository, referrers: bool) -> Result<WholeArtifact, String> {
        let sources = Sources::new(RegistryOptions::default(), Some(repository.clone()));
        let target = self.single()?;
        let selected = sources.artifact(&target).await.map_err(|trouble| trouble.message)?;
        WholeArtifact::collect(selected.source.as_ref(), &selected.reference, referrers, Layers::Kept).await
    }

    /// The target with its entry: the only one of the layout where none is written.
    fn single(&self) -> Result<Target, String> {
        let target = |entry: String| Ok(Target::files(self.kind, &self.path, Some(entry)));
        if let Some(entry) = &self.entry {
            return target(entry.clone());
        }
        let layout = (self.kind.open)(&self.path).map_err(|trouble| trouble.message)?;
        let entries: Vec<&Entry> = layout.entries().iter().filter(|entry| !entry.part).collect();
        match entries.as_slice() {
            [] => Err("the layout holds no artifact".to_owned()),
            [only] => target(only.descriptor.digest.to_string()),
            several => {
                let names = several.iter().filter_map(|entry| entry.name.as_deref()).take(NAMED);
                let names: Vec<String> = names.map(quote).collect();
                let named = if names.is_empty() { String::new() } else { format!(", among them {}", names.join(", ")) };
                let kind = self.kind;
                let form = format!("{}:{}:REF", kind.prefix, kind.place);
                Err(format!("the layout holds several artifacts{named}: write which, as {form}"))
            }
        }
    }
}

//! The sources of a run: one for every registry and layout, opened once and shared.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::selected::Selected;
use super::target::{LayoutForm, Target};
use crate::digest::Digest;
use crate::failure::quote;
use crate::reference::{Reference, Repository};
use crate::source::layout::{Entry, Layout};
use crate::source::registry::{Registry, RegistryOptions};
use crate::source::{ArtifactSource, Trouble, TroubleKind};

/// Opens sources on demand.
pub struct Sources {
    options: RegistryOptions,
    scope: Option<Repository>,
    registries: Mutex<HashMap<String, Arc<Registry>>>,
    layouts: Mutex<HashMap<(PathBuf, LayoutForm), Arc<Layout>>>,
}

/// A layout holds an artifact that no repository's name is known for, so that no statement can be chosen for it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{artifact} in {layout} does not say which repository it belongs to: say so with --scope HOST/REPOSITORY")]
pub struct ScopeMissing {
    /// The layout, as a target.
    pub layout: String,
    /// The artifact, by digest.
    pub artifact: Digest,
}

impl Sources {
    /// Sources that reach registries by `options`; `scope` is the repository of everything in layouts, whatever they say.
    pub fn new(options: RegistryOptions, scope: Option<Repository>) -> Sources {
        Sources { options, scope, registries: Mutex::default(), layouts: Mutex::default() }
    }

    /// Whether every artifact that the layouts among `targets` hold belongs to a known repository. What cannot be opened
    /// is passed over here, and reported when it is audited.
    pub async fn check_scopes(&self, targets: &[Target]) -> Result<(), ScopeMissing> {
        for target in targets {
            let Target::Layout { path, form, entry } = target else { continue };
            let Ok(layout) = self.layout(path, *form).await else { continue };
            let unknown = wanted(&layout, entry.as_deref()).find(|entry| entry.repository.is_none());
            if let Some(Entry { descriptor, .. }) = unknown {
                return Err(ScopeMissing { layout: target.to_string(), artifact: descriptor.digest });
            }
        }
        Ok(())
    }

    /// The one artifact that `target` names, not looked for yet in a registry, but found in a layout.
    pub async fn artifact(&self, target: &Target) -> Result<Selected, Trouble> {
        match target {
            Target::Artifact(reference) => {
                let source = self.registry(reference.repository.host())?;
                Ok(Selected { source, reference: reference.clone(), label: reference.to_string(), listed: false })
            }
            Target::Layout { path, form, entry: Some(entry) } => {
                let mut found = self.layout_entries(path, *form, Some(entry)).await?;
                let first = found.swap_remove(0);
                match found.iter().all(|other| other.reference.digest == first.reference.digest) {
                    true => Ok(first),
                    false => {
                        let message = format!("{} names several manifests in the layout", quote(entry));
                        Err(Trouble::new(TroubleKind::AnswerInvalid, message))
                    }
                }
            }
            _ => Err(Trouble::new(TroubleKind::NotFound, format!("{target} names no single artifact"))),
        }
    }

    /// The registry at `host`, to be read.
    pub(super) fn registry(&self, host: &str) -> Result<Arc<dyn ArtifactSource>, Trouble> {
        self.registry_at(host).map(|registry| registry as Arc<dyn ArtifactSource>)
    }

    /// The registry at `host`.
    pub fn registry_at(&self, host: &str) -> Result<Arc<Registry>, Trouble> {
        // A panic elsewhere cannot leave the map half changed.
        let mut registries = self.registries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(registry) = registries.get(host) {
            return Ok(Arc::clone(registry));
        }
        let registry = Arc::new(Registry::new(host, self.options.clone())?);
        registries.insert(host.to_owned(), Arc::clone(&registry));
        Ok(registry)
    }

    /// What a layout holds, or the one `entry` of it that is named by reference, tag or digest.
    pub(super) async fn layout_entries(
        &self,
        path: &Path,
        form: LayoutForm,
        entry: Option<&str>,
    ) -> Result<Vec<Selected>, Trouble> {
        let layout = self.layout(path, form).await?;
        let selected = wanted(&layout, entry).map(|entry| select(&layout, entry)).collect::<Result<Vec<_>, _>>()?;
        match entry {
            Some(entry) if selected.is_empty() => {
                Err(Trouble::new(TroubleKind::NotFound, format!("the layout has no entry {}", quote(entry))))
            }
            _ => Ok(selected),
        }
    }

    async fn layout(&self, path: &Path, form: LayoutForm) -> Result<Arc<Layout>, Trouble> {
        let key = (path.to_owned(), form);
        if let Some(layout) = self.layouts.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(layout));
        }
        let (path, scope) = (path.to_owned(), self.scope.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let layout = match form {
                LayoutForm::Directory => Layout::open_directory(&path),
                LayoutForm::Archive => Layout::open_archive(&path),
            }?;
            Ok(match scope {
                Some(scope) => layout.scoped(&scope),
                None => layout,
            })
        });
        let lost = |_| Trouble::new(TroubleKind::Unreachable, "opening the layout was interrupted");
        let layout = Arc::new(opened.await.map_err(lost)??);
        self.layouts.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&layout));
        Ok(layout)
    }
}

fn wanted<'a>(layout: &'a Layout, name: Option<&'a str>) -> impl Iterator<Item = &'a Entry> {
    layout.entries().iter().filter(move |entry| name.is_none_or(|name| is_called(entry, name)))
}

/// Whether `name` is the entry's name in the layout, its reference, its tag, or its digest.
fn is_called(entry: &Entry, name: &str) -> bool {
    let by_reference = entry.reference.as_deref().is_some_and(|reference| {
        let tag = reference.parse::<Reference>().ok().and_then(|reference| reference.tag);
        reference == name || tag.as_deref() == Some(name)
    });
    by_reference || entry.name.as_deref() == Some(name) || name.parse() == Ok(entry.descriptor.digest)
}

/// The trouble is that no repository is known. [`Sources::check_scopes`] tells that earlier, of layouts that could be
/// opened then.
fn select(layout: &Arc<Layout>, entry: &Entry) -> Result<Selected, Trouble> {
    let digest = entry.descriptor.digest;
    let unknown =
        || Trouble::new(TroubleKind::NotFound, format!("{digest} does not say which repository it belongs to"));
    let repository = entry.repository.as_ref().ok_or_else(unknown)?;
    let tag = entry.reference.as_deref().and_then(|text| text.parse::<Reference>().ok()).and_then(|named| named.tag);
    let reference = Reference { repository: repository.clone(), tag, digest: Some(digest) };
    let label = match &reference.tag {
        Some(tag) => format!("{repository}:{tag}"),
        None => format!("{repository}@{digest}"),
    };
    Ok(Selected { source: Arc::clone(layout) as Arc<dyn ArtifactSource>, reference, label, listed: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_in_a_layout_is_left_out_for_want_of_a_repository() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let listed = format!(
            r#"{{"mediaType":"{}","digest":"{}","size":1}}"#,
            crate::manifest::IMAGE_MANIFEST,
            Digest::sha256(b"x")
        );
        std::fs::write(folder.path().join("index.json"), format!(r#"{{"manifests":[{listed}]}}"#)).unwrap();
        let entries = async |scope: Option<&str>| {
            let scope = scope.map(|scope| scope.parse().unwrap());
            let sources = Sources::new(RegistryOptions::default(), scope);
            let entries = sources.layout_entries(folder.path(), LayoutForm::Directory, None).await;
            entries.map(|entries| entries.len()).map_err(|trouble| trouble.kind)
        };
        assert_eq!(entries(Some("a.io/b")).await, Ok(1));
        assert_eq!(entries(None).await, Err(TroubleKind::NotFound));
    }
}

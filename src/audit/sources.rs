//! The sources of audits: one for every registry, opened once and shared, and one for every layout, opened once an audit.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use super::judged::RepositoryFrom;
use super::kinds::TargetKind;
use super::selected::Selected;
use super::target::Target;
use crate::digest::Digest;
use crate::failure::quote;
use crate::reference::{Reference, Repository};
use crate::source::layout::{Entry, Layout, Unreadable};
use crate::source::registry::{Registry, RegistryOptions};
use crate::source::{ArtifactSource, Waiting};
use crate::trouble::{Trouble, TroubleKind};

/// Opens sources on demand.
pub struct Sources {
    options: RegistryOptions,
    scope: Option<Repository>,
    registries: Arc<Mutex<HashMap<String, Arc<Registry>>>>,
    /// What is read at these hosts in the place of a registry.
    instead: HashMap<String, Arc<dyn ArtifactSource>>,
    layouts: Mutex<HashMap<(PathBuf, &'static str), Arc<OpenLayout>>>,
}

/// A layout, and the same for those who know what they ask for.
struct OpenLayout {
    layout: Layout,
    pool: Arc<Layout>,
}

/// Layouts hold artifacts that no repository's name is known for, so that no statement can be chosen for any of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{artifact} in {layout} does not say which repository it belongs to: say so with --scope HOST/REPOSITORY")]
pub struct ScopeMissing {
    /// The layout, as a target.
    pub layout: String,
    /// The artifact, by digest.
    pub artifact: Digest,
}

/// What a target in a layout selects.
#[derive(Default)]
pub(super) struct LayoutSelection {
    /// What can be judged.
    pub(super) selected: Vec<Selected>,
    /// What cannot: each an error of its own.
    pub(super) troubled: Vec<TroubledEntry>,
    /// How many entries are left out because they only refer to another manifest.
    pub(super) referring: u64,
    /// How many of them refer to what the layout does not list.
    pub(super) stray: u64,
}

/// An entry of a layout that cannot be judged.
pub(super) struct TroubledEntry {
    /// What reports call it.
    pub(super) label: String,
    /// The name of the entry, as a reference where it is one.
    pub(super) reference: Option<Reference>,
    /// Why not.
    pub(super) trouble: Trouble,
}

impl Sources {
    /// Sources that reach registries by `options`; `scope` is the repository of everything in layouts, whatever they say.
    pub fn new(options: RegistryOptions, scope: Option<Repository>) -> Sources {
        Sources { options, scope, registries: Arc::default(), instead: HashMap::new(), layouts: Mutex::default() }
    }

    /// The same, where `source` is read at `host` in the place of a registry.
    #[cfg(feature = "testbench")]
    pub(crate) fn with_source(mut self, host: &str, source: Arc<dyn ArtifactSource>) -> Sources {
        self.instead.insert(host.to_owned(), source);
        self
    }

    /// The same for one audit: registries are shared, and layouts are opened anew, but for those that were opened since the
    /// audit before. So each audit sees what layouts hold when it begins.
    pub(crate) fn for_one_audit(&self) -> Sources {
        let opened = std::mem::take(&mut *self.layouts.lock().unwrap_or_else(PoisonError::into_inner));
        Sources {
            options: self.options.clone(),
            scope: self.scope.clone(),
            registries: Arc::clone(&self.registries),
            instead: self.instead.clone(),
            layouts: Mutex::new(opened),
        }
    }

    /// Refuses `targets` if they are layouts in which nothing can be judged, since nothing in them belongs to a known
    /// repository. What cannot be opened is passed over here, and reported when it is audited.
    pub async fn check_scopes(&self, targets: &[Target]) -> Result<(), ScopeMissing> {
        let mut missing = None;
        for target in targets {
            let Target::Layout { path, kind, entry } = target else { return Ok(()) };
            if target.written_reference().is_some() || self.scope.is_some() {
                return Ok(());
            }
            let Ok(open) = self.layout(path, kind).await else { return Ok(()) };
            let entries = wanted(&open.layout, entry.as_deref());
            match entries.first() {
                Some(Entry { descriptor, .. })
                    if open.layout.unreadable().is_empty()
                        && entries.iter().all(|entry| entry.repository.is_none()) =>
                {
                    let artifact = descriptor.digest;
                    missing.get_or_insert(ScopeMissing { layout: target.to_string(), artifact });
                }
                _ => return Ok(()),
            }
        }
        missing.map_or(Ok(()), Err)
    }

    /// The one artifact that `target` names, not looked for yet in a registry, but found in a layout.
    pub async fn artifact(&self, target: &Target) -> Result<Selected, Trouble> {
        match target {
            Target::Artifact(reference) => {
                let source = self.registry(reference.repository.host())?;
                let label = reference.to_string();
                Ok(Selected { source, reference: reference.clone(), label, repository_from: None, listed: false })
            }
            Target::Layout { entry: Some(entry), .. } => {
                let LayoutSelection { mut selected, troubled, .. } = self.layout_entries(target).await?;
                if let Some(TroubledEntry { trouble, .. }) = troubled.into_iter().next() {
                    return Err(trouble);
                }
                let first = selected.swap_remove(0);
                match selected.iter().all(|other| other.reference.digest == first.reference.digest) {
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

    /// How many requests to registries wait.
    pub(super) fn waiting(&self) -> Waiting {
        self.options.waiting.clone()
    }

    /// The registry at `host`, to be read.
    pub(super) fn registry(&self, host: &str) -> Result<Arc<dyn ArtifactSource>, Trouble> {
        if let Some(source) = self.instead.get(host) {
            return Ok(Arc::clone(source));
        }
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

    /// What a layout holds, or what the entry of `target` names by reference, tag or digest: then at least one.
    pub(super) async fn layout_entries(&self, target: &Target) -> Result<LayoutSelection, Trouble> {
        let Target::Layout { path, kind, entry } = target else { return Ok(LayoutSelection::default()) };
        let open = self.layout(path, kind).await?;
        let mut found = LayoutSelection::default();
        if entry.is_none() {
            found.referring = open.layout.referring();
            found.stray = open.layout.stray();
        }
        // What the user wrote goes first, and a name inside the layout last.
        let written = match &self.scope {
            Some(_) => None,
            None => target.written_reference(),
        };
        let from = match (&self.scope, &written) {
            (Some(_), _) => RepositoryFrom::Scope,
            (None, Some(_)) => RepositoryFrom::Reference,
            (None, None) => RepositoryFrom::Layout,
        };
        for named in wanted(&open.layout, entry.as_deref()) {
            let digest = named.descriptor.digest;
            let (repository, tag) = match &written {
                Some(written) => (written.repository.clone(), written.tag.clone()),
                None => match &named.repository {
                    Some(repository) => (repository.clone(), tag(named)),
                    None => {
                        let label = format!("{}:{}@{digest}", kind.prefix, path.display());
                        let message = format!(
                            "{digest} does not say which repository it belongs to: say so with --scope HOST/REPOSITORY"
                        );
                        let trouble = Trouble::new(TroubleKind::RepositoryUnknown, message);
                        found.troubled.push(TroubledEntry { label, reference: None, trouble });
                        continue;
                    }
                },
            };
            let label = match &tag {
                Some(tag) => format!("{repository}:{tag}"),
                None => format!("{repository}@{digest}"),
            };
            if let Err(trouble) = open.layout.check_listed(named) {
                found.troubled.push(TroubledEntry {
                    label,
                    reference: Some(Reference { repository, tag, digest: None }),
                    trouble,
                });
                continue;
            }
            found.selected.push(Selected {
                // A layout is one pool: what an index lists is there, whatever names it has elsewhere.
                source: Arc::clone(&open.pool) as Arc<dyn ArtifactSource>,
                reference: Reference { repository, tag, digest: Some(digest) },
                label,
                repository_from: Some(from),
                listed: entry.is_none(),
            });
        }
        let unreadable = open.layout.unreadable().iter();
        for Unreadable { name, trouble, .. } in
            unreadable.filter(|unreadable| is_asked_for(unreadable, entry.as_deref()))
        {
            let whole = format!("{}:{}", kind.prefix, path.display());
            let label = name.as_ref().map_or_else(|| whole.clone(), |name| format!("{whole}:{name}"));
            let reference = name.as_ref().and_then(|name| name.parse().ok());
            found.troubled.push(TroubledEntry { label, reference, trouble: trouble.clone() });
        }
        match entry {
            Some(entry) if found.selected.is_empty() && found.troubled.is_empty() => {
                Err(Trouble::new(TroubleKind::NotFound, format!("the layout has no entry {}", quote(entry))))
            }
            _ => Ok(found),
        }
    }

    async fn layout(&self, path: &Path, kind: &'static TargetKind) -> Result<Arc<OpenLayout>, Trouble> {
        let key = (path.to_owned(), kind.prefix);
        if let Some(layout) = self.layouts.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Ok(Arc::clone(layout));
        }
        let (path, scope, budget) = (path.to_owned(), self.scope.clone(), self.options.budget.clone());
        let opened = tokio::task::spawn_blocking(move || {
            let layout = (kind.open)(&path)?.within(&budget);
            let pool = Arc::new(layout.pool());
            let layout = match scope {
                Some(scope) => layout.scoped(&scope),
                None => layout,
            };
            Ok(OpenLayout { layout, pool })
        });
        let lost = |_| Trouble::new(TroubleKind::Unreachable, "opening the layout was interrupted");
        let layout = Arc::new(opened.await.map_err(lost)??);
        self.layouts.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&layout));
        Ok(layout)
    }
}

/// The entries of a layout, or those that `name` names.
fn wanted<'a>(layout: &'a Layout, name: Option<&str>) -> Vec<&'a Entry> {
    let entries = layout.entries();
    let Some(name) = name else { return entries.iter().filter(|entry| !entry.part).collect() };
    let reference = name.parse::<Reference>().ok();
    // The digest decides, where one is written: an entry may have any name, the digest of another one too.
    let digest = name.parse::<Digest>().ok().or_else(|| reference.as_ref().and_then(|reference| reference.digest));
    if let Some(digest) = digest {
        return entries.iter().filter(|entry| entry.descriptor.digest == digest).collect();
    }
    let Some(reference) = reference else {
        // The entry of just that name, and where there is none one whose name ends in it.
        let exactly: Vec<_> = entries.iter().filter(|entry| entry.name.as_deref() == Some(name)).collect();
        let found = || entries.iter().filter(|entry| is_called(entry, name)).collect();
        return if exactly.is_empty() { found() } else { exactly };
    };
    // Else the entry of just that name, and where there is none the one whose name is no more than the tag.
    let exactly = |entry: &&Entry| names(entry).any(|known| known == name);
    let alike = |entry: &&Entry| {
        let named = names(entry).filter_map(|known| known.parse::<Reference>().ok());
        named
            .map(|named| (named.repository, named.tag))
            .any(|named| named == (reference.repository.clone(), reference.tag.clone()))
    };
    let by_tag = |entry: &&Entry| entry.name.is_some() && entry.name == reference.tag;
    let tiers: [&dyn Fn(&&Entry) -> bool; 3] = [&exactly, &alike, &by_tag];
    let found = tiers.into_iter().map(|tier| entries.iter().filter(tier).collect::<Vec<_>>());
    found.into_iter().find(|found| !found.is_empty()).unwrap_or_default()
}

/// The names of an entry: its own, and the one that containerd and docker give it besides.
fn names(entry: &Entry) -> impl Iterator<Item = &str> {
    entry.name.as_deref().into_iter().chain(entry.containerd_name.as_deref())
}

/// Whether `name` is the entry's reference or its tag.
fn is_called(entry: &Entry, name: &str) -> bool {
    entry.reference.as_deref() == Some(name) || tag(entry).as_deref() == Some(name)
}

/// The tag of an entry, where its name is a reference with one.
fn tag(entry: &Entry) -> Option<String> {
    entry.reference.as_deref().and_then(|text| text.parse::<Reference>().ok()).and_then(|named| named.tag)
}

/// Whether an entry that cannot be read may be what `name` names.
fn is_asked_for(unreadable: &Unreadable, name: Option<&str>) -> bool {
    let (Some(name), Some(known)) = (name, &unreadable.name) else { return name.is_none() };
    let tag = |text: &str| text.parse::<Reference>().ok().and_then(|reference| reference.tag);
    known == name || tag(known).as_deref() == Some(name) || tag(name).as_ref() == Some(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A layout whose `index.json` has these entries: a name, and what the manifest is that it leads to.
    fn layout(entries: &[(Option<&str>, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
        let listed: Vec<_> = entries
            .iter()
            .map(|(name, content)| {
                let mut entry = serde_json::json!({
                    "mediaType": crate::manifest::IMAGE_MANIFEST,
                    "digest": Digest::sha256(content.as_bytes()).to_string(),
                    "size": content.len(),
                });
                if let Some(name) = name {
                    entry["annotations"] = serde_json::json!({"org.opencontainers.image.ref.name": name});
                }
                entry
            })
            .collect();
        std::fs::write(folder.path().join("index.json"), serde_json::json!({"manifests": listed}).to_string()).unwrap();
        folder
    }

    /// What is meant is what the user wrote, whatever a layout calls what.
    #[tokio::test]
    async fn no_name_inside_a_layout_stands_for_a_digest_or_in_the_way_of_an_exact_name() {
        let digest = |content: &str| Digest::sha256(content.as_bytes());
        let (good, absent) = (digest("good").to_string(), digest("absent").to_string());
        let folder = layout(&[
            (Some("v1"), "good"),
            (Some("other.io/app:v1"), "tagged"),
            (Some("other.io/app:v2"), "only by its tag"),
            (Some(&good), "named as good"),
            (Some(&absent), "named as absent"),
            (Some(&format!("a.io/b@{absent}")), "named as absent too"),
        ]);
        for (name, expected) in [
            (good.clone(), vec!["good"]),
            (format!("a.io/b@{good}"), vec!["good"]),
            (format!("a.io/b:v1@{good}"), vec!["good"]),
            (absent.clone(), vec![]),
            (format!("a.io/b@{absent}"), vec![]),
            ("v1".to_owned(), vec!["good"]),
            ("v2".to_owned(), vec!["only by its tag"]),
        ] {
            for scope in [None, Some("a.io/b")] {
                let open = Layout::open_directory(folder.path()).unwrap();
                let open = match scope {
                    Some(scope) => open.scoped(&scope.parse().unwrap()),
                    None => open,
                };
                let found: Vec<_> = wanted(&open, Some(&name)).iter().map(|entry| entry.descriptor.digest).collect();
                let expected: Vec<_> = expected.iter().map(|content| digest(content)).collect();
                assert_eq!(found, expected, "{name} in {scope:?}");
            }
        }
    }

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
        let directory = TargetKind::named("oci").unwrap();
        let target = Target::Layout { path: folder.path().to_owned(), kind: directory, entry: None };
        let entries = async |scope: Option<&str>| {
            let scope = scope.map(|scope| scope.parse().unwrap());
            let sources = Sources::new(RegistryOptions::default(), scope);
            let found = sources.layout_entries(&target).await.unwrap();
            (found.selected.len(), found.troubled.iter().map(|entry| entry.trouble.kind).collect::<Vec<_>>())
        };
        assert_eq!(entries(Some("a.io/b")).await, (1, vec![]));
        assert_eq!(entries(None).await, (0, vec![TroubleKind::RepositoryUnknown]));
    }

    /// Nothing but its row has to know a kind: one that only this test knows is opened and named.
    #[tokio::test]
    async fn a_kind_of_target_is_a_row() {
        static MADE_UP: TargetKind = TargetKind {
            prefix: "made-up",
            place: "DIR",
            purpose: "a layout of this test",
            names_inside: false,
            open: Layout::open_directory,
            write: Err("it is made up"),
        };
        let folder = layout(&[(Some("a.io/b:v1"), "good")]);
        let target = Target::Layout { path: folder.path().to_owned(), kind: &MADE_UP, entry: Some("a.io/b:v1".into()) };
        assert_eq!(target.to_string(), format!("made-up:{}:a.io/b:v1", folder.path().display()));
        assert!(target.is_single() && !target.is_named_inside() && target.host().is_none());
        let sources = Sources::new(RegistryOptions::default(), None);
        assert_eq!(sources.artifact(&target).await.unwrap().label, "a.io/b:v1");
    }
}

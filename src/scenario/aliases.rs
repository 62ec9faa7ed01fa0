//! Names that share what they name: several tags of one repository may mean the same artifacts, and what happens to those
//! under one tag has happened to them under each.

use std::collections::HashMap;

use super::scalar::ArtifactName;

/// What is known of artifacts, by the names that they have.
#[derive(Debug)]
pub(super) struct Aliases<T> {
    names: HashMap<ArtifactName, usize>,
    known: Vec<T>,
}

impl<T> Default for Aliases<T> {
    fn default() -> Aliases<T> {
        Aliases { names: HashMap::new(), known: Vec::new() }
    }
}

impl<T> Aliases<T> {
    /// Notes artifacts that are new.
    pub(super) fn put(&mut self, name: &ArtifactName, known: T) {
        self.names.insert(whole(name), self.known.len());
        self.known.push(known);
    }

    /// Notes that `to` names from now on what `name` does.
    pub(super) fn add(&mut self, name: &ArtifactName, to: &ArtifactName) {
        if let Some(position) = self.names.get(&whole(name)) {
            self.names.insert(whole(to), *position);
        }
    }

    /// Forgets the artifacts, and so every name of theirs.
    pub(super) fn remove(&mut self, name: &ArtifactName) {
        if let Some(position) = self.names.get(&whole(name)).copied() {
            self.names.retain(|_, known| *known != position);
        }
    }

    /// What is known of the artifacts of this name, or of the part of them that it names.
    pub(super) fn get(&self, name: &ArtifactName) -> Option<&T> {
        self.known.get(*self.names.get(&whole(name))?)
    }

    /// The same, to change it.
    pub(super) fn get_mut(&mut self, name: &ArtifactName) -> Option<&mut T> {
        self.known.get_mut(*self.names.get(&whole(name))?)
    }

    /// Every name.
    pub(super) fn names(&self) -> impl Iterator<Item = &ArtifactName> {
        self.names.keys()
    }
}

fn whole(name: &ArtifactName) -> ArtifactName {
    ArtifactName { part: None, ..name.clone() }
}

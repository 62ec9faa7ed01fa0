//! Which artifact of a layout belongs to which repository, under which tag.

use std::collections::{HashMap, HashSet};

use super::Entry;
use super::catalogue::{Catalogue, Item};
use crate::digest::Digest;
use crate::reference::{Reference, Repository, is_tag};

/// The repositories of a layout, as its names and the caller's scope make them.
#[derive(Debug, Default)]
pub(super) struct Arrangement {
    pub(super) entries: Vec<Entry>,
    /// In the order in which they are named, each once.
    pub(super) repositories: Vec<Repository>,
    names: HashMap<Repository, Names>,
    /// The repositories that names put a manifest into.
    placed: HashMap<Digest, HashSet<Repository>>,
    /// Manifests that an entry lists with another size or media type than they are read with.
    pub(super) misstated: HashSet<Digest>,
    /// How many entries have no name, and are there for another manifest.
    pub(super) referring: u64,
    /// How many of them are there for one that the layout does not list.
    pub(super) stray: u64,
    /// Whether everything is any repository's.
    pool: bool,
}

/// The names of one repository.
#[derive(Debug, Default)]
struct Names {
    /// The tags, in order.
    tags: Vec<String>,
    /// What each names; `None` is a name that is the repository's alone.
    tagged: HashMap<Option<String>, Tagged>,
}

/// What a tag names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tagged {
    /// One manifest.
    One(Digest),
    /// Manifests that differ: none of them is the right one.
    Several,
}

impl Arrangement {
    pub(super) fn of(catalogue: &Catalogue, scope: Option<&Repository>) -> Arrangement {
        let mut arrangement = Arrangement::default();
        let named: HashSet<Digest> =
            catalogue.items.iter().filter(|item| item.name.is_some()).map(|item| item.descriptor.digest).collect();
        let mut seen = HashSet::new();
        for item in &catalogue.items {
            let digest = item.descriptor.digest;
            if item.name.is_none() && item.refers && seen.insert((None, digest)) && !named.contains(&digest) {
                arrangement.referring += 1;
                arrangement.stray += u64::from(item.is_stray);
            }
            if item.name.is_some() || !item.refers && !named.contains(&digest) {
                let entry = arrangement.place(item, scope);
                if seen.insert((item.name.as_ref(), digest)) {
                    if !catalogue.agrees(&item.descriptor) {
                        arrangement.misstated.insert(digest);
                    }
                    arrangement.entries.push(entry);
                }
            }
        }
        arrangement
    }

    /// Everything in the layout, in whatever repository, by digest alone.
    pub(super) fn pool() -> Arrangement {
        Arrangement { pool: true, ..Arrangement::default() }
    }

    /// Puts an entry where its name or the scope says.
    fn place(&mut self, item: &Item, scope: Option<&Repository>) -> Entry {
        let digest = item.descriptor.digest;
        let mut entry = Entry {
            name: item.name.clone(),
            containerd_name: item.containerd_name.clone(),
            reference: None,
            repository: None,
            descriptor: item.descriptor.clone(),
            part: item.name.is_none() && item.part,
        };
        // The caller's word goes first: the layout's author must not choose the statement that it is judged by.
        let reference = match (item.reference(), scope) {
            (Some(reference), Some(scope)) => Reference { repository: scope.clone(), digest: None, ..reference },
            (Some(reference), None) => Reference { digest: None, ..reference },
            (None, Some(scope)) => {
                let tag = item.name.clone().filter(|name| is_tag(name));
                Reference { repository: scope.clone(), tag, digest: None }
            }
            (None, None) => return entry,
        };
        let repository = &reference.repository;
        entry.repository = Some(repository.clone());
        if !self.names.contains_key(repository) {
            self.repositories.push(repository.clone());
        }
        let names = self.names.entry(repository.clone()).or_default();
        if item.name.is_some() {
            self.placed.entry(digest).or_default().insert(repository.clone());
        }
        if reference.tag.is_some() || item.reference().is_some() {
            names.add(&reference, digest);
            entry.reference = Some(reference.to_string());
        }
        entry
    }

    pub(super) fn tags<'a>(&'a self, repository: &Repository) -> impl Iterator<Item = &'a str> + use<'a> {
        let tags = self.names.get(repository).map(|names| names.tags.as_slice()).unwrap_or_default();
        tags.iter().map(String::as_str)
    }

    /// What a reference without a digest names.
    pub(super) fn tagged(&self, reference: &Reference) -> Option<Tagged> {
        self.names.get(&reference.repository)?.tagged.get(&reference.tag).copied()
    }

    /// Whether a listed manifest is the repository's: a name puts it there, or none puts it anywhere.
    pub(super) fn holds(&self, repository: &Repository, digest: &Digest) -> bool {
        if self.pool {
            return true;
        }
        match self.placed.get(digest) {
            Some(placed) => placed.contains(repository),
            None => self.names.contains_key(repository),
        }
    }
}

impl Names {
    fn add(&mut self, reference: &Reference, digest: Digest) {
        match self.tagged.get_mut(&reference.tag) {
            Some(tagged) if *tagged == Tagged::One(digest) => {}
            Some(tagged) => *tagged = Tagged::Several,
            None => {
                self.tagged.insert(reference.tag.clone(), Tagged::One(digest));
                self.tags.extend(reference.tag.clone());
            }
        }
    }
}

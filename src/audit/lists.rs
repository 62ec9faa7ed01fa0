//! What a run learns from lists beside names: what is missing from them, and what they say is not looked at.

/// What a list is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListKind {
    /// The tags of a repository.
    Tags,
    /// The repositories of a registry.
    Repositories,
}

/// What was seen while repositories and tags were listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// A catalog was read.
    Catalog,
    /// A catalog names no repository at all.
    EmptyCatalog,
    /// A list of tags was read.
    TagList,
    /// A repository has no tags, or the registry lists it and does not know it.
    EmptyRepository,
    /// The registry refuses the list of a repository's tags.
    RefusedRepository,
    /// So many manifests have no tag.
    Untagged(u64),
}

/// What was learnt from lists, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListCounts {
    /// Catalogs that were read.
    pub catalogs: u64,
    /// Catalogs that name no repository.
    pub empty_catalogs: u64,
    /// Lists of tags that were read, those of [`ListCounts::empty_repositories`] apart.
    pub tag_lists: u64,
    /// Repositories that hold no tags.
    pub empty_repositories: u64,
    /// Repositories whose list of tags was refused.
    pub refused_repositories: u64,
    /// Manifests without a tag, where a list says how many there are.
    pub untagged: u64,
    /// Lists of tags that broke off.
    pub incomplete_tags: Incomplete,
    /// Lists of repositories that broke off.
    pub incomplete_repositories: Incomplete,
}

/// Lists that broke off.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incomplete {
    /// How many lists.
    pub lists: u64,
    /// How many names at least were not seen.
    pub at_least: u64,
}

impl ListCounts {
    pub(super) fn note(&mut self, noted: Noted) {
        match noted {
            Noted::Catalog => self.catalogs += 1,
            Noted::EmptyCatalog => self.empty_catalogs += 1,
            Noted::TagList => self.tag_lists += 1,
            Noted::EmptyRepository => self.empty_repositories += 1,
            Noted::RefusedRepository => self.refused_repositories += 1,
            Noted::Untagged(count) => self.untagged += count,
        }
    }

    pub(super) fn miss(&mut self, kind: ListKind, at_least: u64) {
        let incomplete = match kind {
            ListKind::Tags => &mut self.incomplete_tags,
            ListKind::Repositories => &mut self.incomplete_repositories,
        };
        incomplete.lists += 1;
        incomplete.at_least = incomplete.at_least.saturating_add(at_least);
    }

    /// Whether any list broke off.
    pub fn is_incomplete(&self) -> bool {
        self.incomplete_tags.lists + self.incomplete_repositories.lists > 0
    }
}

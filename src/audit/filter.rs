//! Which of the selected artifacts are wanted: globs over their references.

use globset::{Glob, GlobMatcher};

/// `--include` and `--exclude`. A glob is held against `host/path` and `host/path:tag`; `*` does not cross a `/`, `**`
/// does.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Vec<GlobMatcher>,
    exclude: Vec<GlobMatcher>,
}

/// A glob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

impl Filter {
    /// A filter that lets through what matches one of `include` (anything, when there is none) and none of `exclude`.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Filter, FilterError> {
        Ok(Filter { include: compile(include)?, exclude: compile(exclude)? })
    }

    /// Whether the artifact with this tag in this repository is wanted.
    pub fn wants(&self, repository: &str, tag: Option<&str>) -> bool {
        let tagged = tag.map(|tag| format!("{repository}:{tag}"));
        let matches = |glob: &GlobMatcher| {
            glob.is_match(repository) || tagged.as_ref().is_some_and(|tagged| glob.is_match(tagged))
        };
        (self.include.is_empty() || self.include.iter().any(matches)) && !self.exclude.iter().any(matches)
    }

    /// Whether what has no name is wanted: nothing can match it.
    pub fn wants_unnamed(&self) -> bool {
        self.include.is_empty()
    }

    /// Whether the whole repository is unwanted, so that its tags need not be listed.
    pub fn excludes_repository(&self, repository: &str) -> bool {
        self.exclude.iter().any(|glob| glob.is_match(repository))
    }
}

fn compile(globs: &[String]) -> Result<Vec<GlobMatcher>, FilterError> {
    let compile = |glob: &String| {
        let built = globset::GlobBuilder::new(glob).literal_separator(true).build();
        built.map(|glob: Glob| glob.compile_matcher()).map_err(|error| FilterError(error.to_string()))
    };
    globs.iter().map(compile).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let owned = |globs: &[&str]| globs.iter().map(|glob| (*glob).to_owned()).collect::<Vec<_>>();
        Filter::new(&owned(include), &owned(exclude)).unwrap()
    }

    #[test]
    fn lets_through_what_is_wanted() {
        let all = filter(&[], &[]);
        assert!(all.wants("a.io/b", None));
        let team = filter(&["a.io/team/**"], &["**/*:*-dev", "a.io/team/old"]);
        assert!(team.wants("a.io/team/x/y", Some("v1")));
        assert!(!team.wants("a.io/other", Some("v1")));
        assert!(!team.wants("a.io/team/x", Some("v1-dev")));
        assert!(!team.wants("a.io/team/old", Some("v1")));
        assert!(team.excludes_repository("a.io/team/old"));
        assert!(!team.excludes_repository("a.io/team/x"));
        assert!(!filter(&["a.io/*"], &[]).wants("a.io/team/x", None));
    }

    #[test]
    fn refuses_a_broken_glob() {
        assert!(Filter::new(&["[".to_owned()], &[]).is_err());
    }
}

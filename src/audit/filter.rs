//! Which of the selected artifacts are wanted: globs over their references.
//!
//! A glob decides on a repository before its tags are asked for, as far as it can: by the part before the tag, or by the
//! literal text that it begins with. What it leaves open is decided tag by tag.

use std::net::Ipv6Addr;

use globset::{Glob, GlobBuilder, GlobMatcher};

/// Characters that mean something in a glob.
const SPECIAL: [char; 8] = ['*', '?', '[', ']', '{', '}', '\\', ','];

/// `--include` and `--exclude`. A glob is held against `host/path` and `host/path:tag`; `*` does not cross a `/`, `**`
/// does.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
}

/// A glob that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(String);

/// A glob, and what it says of repositories.
#[derive(Debug, Clone)]
struct Pattern {
    glob: GlobMatcher,
    /// What everything that matches begins with.
    prefix: String,
    repository: OfRepository,
}

/// What a glob says of a repository whose tags are not known.
#[derive(Debug, Clone)]
enum OfRepository {
    /// The part before the tag decides; `any_tag`: and the tag is no matter.
    BeforeTag { glob: GlobMatcher, any_tag: bool },
    /// It decides whatever the tag: its last part has nothing in it that a tag could match, or matches everything.
    Whole,
    /// No more than its prefix.
    Prefix,
}

impl Filter {
    /// A filter that lets through what matches one of `include` (anything, when there is none) and none of `exclude`.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Filter, FilterError> {
        let compile = |globs: &[String]| globs.iter().map(|glob| Pattern::new(glob)).collect::<Result<Vec<_>, _>>();
        Ok(Filter { include: compile(include)?, exclude: compile(exclude)? })
    }

    /// Whether the artifact with this tag in this repository is wanted.
    pub fn wants(&self, repository: &str, tag: Option<&str>) -> bool {
        let tagged = tag.map(|tag| format!("{repository}:{tag}"));
        let matches = |pattern: &Pattern| {
            pattern.glob.is_match(repository) || tagged.as_ref().is_some_and(|tagged| pattern.glob.is_match(tagged))
        };
        (self.include.is_empty() || self.include.iter().any(matches)) && !self.exclude.iter().any(matches)
    }

    /// Whether what has no name is wanted: nothing can match it.
    pub fn wants_unnamed(&self) -> bool {
        self.include.is_empty()
    }

    /// Whether an artifact of the repository may be wanted. Otherwise its tags need not be listed, and what is wrong with it
    /// is no matter.
    pub fn may_want(&self, repository: &str) -> bool {
        let included = self.include.is_empty() || self.include.iter().any(|pattern| pattern.may_match(repository));
        included && !self.exclude.iter().any(|pattern| pattern.matches_all_of(repository))
    }

    /// Whether an artifact of the repository may be wanted, or of one below it.
    pub fn may_want_below(&self, repository: &str) -> bool {
        let below = format!("{repository}/");
        let leads_below = |pattern: &Pattern| pattern.prefix.starts_with(&below) || below.starts_with(&pattern.prefix);
        self.may_want(repository) || self.include.iter().any(leads_below)
    }
}

impl Pattern {
    fn new(written: &str) -> Result<Pattern, FilterError> {
        let (host, rest) = written.split_at(literal_host(written));
        let rest = crossing(rest);
        let prefix = format!("{host}{}", rest.split(SPECIAL).next().unwrap_or_default());
        let literal = |character| match character {
            '[' => "[[]".to_owned(),
            ']' => "[]]".to_owned(),
            other => String::from(other),
        };
        let text = host.chars().map(literal).collect::<String>() + &rest;
        let last = text.rsplit('/').next().unwrap_or_default();
        let repository = match text.rsplit_once(':') {
            // A tag has no `/`, and neither has what may match it here: so the colon is the one before the tag.
            Some((before, tag))
                if !tag.contains(['/', '[', '{', '\\', '}', ']']) && !tag.contains("**") && !before.ends_with('\\') =>
            {
                OfRepository::BeforeTag { glob: compile(before)?, any_tag: tag == "*" }
            }
            _ if last == "*" || last == "**" || !last.contains(SPECIAL) => OfRepository::Whole,
            _ => OfRepository::Prefix,
        };
        Ok(Pattern { glob: compile(&text)?, prefix, repository })
    }

    /// Whether the repository, or something in it, may match.
    fn may_match(&self, repository: &str) -> bool {
        let begins = |text: &str| text.starts_with(&self.prefix) || self.prefix.starts_with(text);
        match &self.repository {
            OfRepository::BeforeTag { glob, .. } => glob.is_match(repository),
            OfRepository::Whole => self.glob.is_match(repository),
            OfRepository::Prefix => repository.starts_with(&self.prefix) || begins(&format!("{repository}:")),
        }
    }

    /// Whether the repository matches, and so everything in it.
    fn matches_all_of(&self, repository: &str) -> bool {
        match &self.repository {
            OfRepository::BeforeTag { glob, any_tag: true } => glob.is_match(repository),
            _ => self.glob.is_match(repository),
        }
    }
}

/// How much of a glob is an IPv6 address in brackets that it begins with. It means itself, and no set of characters.
fn literal_host(glob: &str) -> usize {
    let inner = glob.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(inner, _)| inner);
    inner.filter(|inner| inner.parse::<Ipv6Addr>().is_ok()).map_or(0, |inner| inner.len() + 2)
}

/// The same glob with `**` before the colon of a tag as it is meant: `**:v1` is everything tagged `v1`, as `**/*:v1` is. By
/// itself `**` crosses a `/` only where it stands alone between two.
fn crossing(glob: &str) -> String {
    match glob.strip_prefix("**:") {
        Some(tag) => format!("**/*:{tag}").replace("/**:", "/**/*:"),
        None => glob.replace("/**:", "/**/*:"),
    }
}

fn compile(glob: &str) -> Result<GlobMatcher, FilterError> {
    let built = GlobBuilder::new(glob).literal_separator(true).build();
    built.map(|glob: Glob| glob.compile_matcher()).map_err(|error| FilterError(error.to_string()))
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
        assert!(all.wants("a.io/b", None) && all.may_want("a.io/b"));
        let team = filter(&["a.io/team/**"], &["**/*:*-dev", "a.io/team/old"]);
        assert!(team.wants("a.io/team/x/y", Some("v1")));
        assert!(!team.wants("a.io/other", Some("v1")));
        assert!(!team.wants("a.io/team/x", Some("v1-dev")));
        assert!(!team.wants("a.io/team/old", Some("v1")));
        assert!(!team.may_want("a.io/team/old"));
        assert!(team.may_want("a.io/team/x"));
        assert!(!filter(&["a.io/*"], &[]).wants("a.io/team/x", None));
    }

    #[test]
    fn r11_repositories_are_decided_on_before_their_tags_are_known() {
        for (glob, wanted, unwanted) in [
            ("h:5000/team/**", &["h:5000/team/a", "h:5000/team/a/b"][..], &["h:5000/other/a", "h:5000/team"][..]),
            ("h:5000/team/*", &["h:5000/team/a"], &["h:5000/team/a/b", "h:5000/other"]),
            ("h:5000/team/app", &["h:5000/team/app"], &["h:5000/team/app2", "h:5000/team"]),
            ("h:5000/team/app:v1", &["h:5000/team/app"], &["h:5000/team/app2", "h:5000/team", "h:5000/team/app/x"]),
            ("h:5000/team/app:*", &["h:5000/team/app"], &["h:5000/team/app2"]),
            ("h:5000/team/app*", &["h:5000/team/app", "h:5000/team/app2"], &["h:5000/team/xapp", "h:5000/other"]),
            ("**/app:v1", &["h:5000/app", "h:5000/team/app"], &["h:5000/team/other"]),
            ("**:v1-5*", &["h:5000/app", "h:5000/team/app"], &[]),
            ("h:5000/**:v1", &["h:5000/app", "h:5000/team/app"], &["x:5000/app"]),
            ("**/team/**", &["h:5000/team/app", "h/x/team/y"], &["h:5000/other/app"]),
            // Whatever a wildcard in the last part may match of a tag is left open.
            ("h:5000/te[a]m/*-dev", &["h:5000/team/app"], &["x:5000/team/app"]),
            ("h:5000/team/a?p:[v]1", &["h:5000/team/app", "h:5000/team/ab"], &["h:5000/other/app"]),
            ("{h:5000/a,h:5000/b}:v1", &["h:5000/a", "h:5000/b"], &["h:5000/c"]),
            // The brackets of an address are no set of characters.
            ("[::1]:5000/team/**", &["[::1]:5000/team/app"], &["[::1]:5000/other", ":/team/a", "1/team/a"]),
            ("[fd00::2]/team/app:v1", &["[fd00::2]/team/app"], &["[fd00::2]/team/other", "[fd00::3]/team/app"]),
            ("[ht]:5000/team/*:v1", &["h:5000/team/app", "t:5000/team/app"], &["[ht]:5000/team/app"]),
        ] {
            let filter = filter(&[glob], &[]);
            for repository in wanted {
                assert!(filter.may_want(repository), "{glob} {repository}");
            }
            for repository in unwanted {
                assert!(!filter.may_want(repository), "{glob} {repository}");
                assert!(!filter.wants(repository, Some("v1")), "{glob} {repository}");
            }
        }
        for (glob, unwanted) in [("h/a", "h/a"), ("h/a/**", "h/a/b"), ("h/a:*", "h/a"), ("h/**:*", "h/a/b")] {
            let filter = filter(&[], &[glob]);
            assert!(!filter.may_want(unwanted), "{glob}");
            assert_eq!(filter.may_want("h/other"), glob != "h/**:*", "{glob}");
        }
    }

    /// What is wanted of a repository is never decided against before its tags are known.
    #[test]
    fn what_is_wanted_may_be_wanted() {
        let globs = [
            "**",
            "*",
            "*/**",
            "**/*",
            "**/a*",
            "**:v1",
            "**/*:v*",
            "h:5/**",
            "h:5/a",
            "h:5/a:v1",
            "h:5/a:*",
            "h:5/*:v1",
            "h:5/a*",
            "h:5/*1",
            "h:5/*v1",
            "h:*",
            "h:5/[ab]",
            "h:5/[ab]:v1",
            "h:5/{a,b}:v1",
            "h:5/a{,:v1}",
            "h?5/a:v?",
            "**/b/**:v1",
            "h:5/a/**",
            "*:5/a:v1",
            "*:*/a",
            "*:*:v1",
            "h:5/a:[v]1",
            "h:5/a\\:v1",
            "h:5/?:v1",
            "[::1]:5/a:v1",
            "[::1]:5/**",
            "[::1]/{a,b}",
            "[::1]:5/a*",
        ];
        for glob in globs {
            let include = filter(&[glob], &[]);
            let exclude = filter(&[], &[glob]);
            for repository in ["h:5/a", "h:5/b", "h:5/a/b", "h:5/a/b/c", "h/a", "h:5/a1", "[::1]:5/a", "[::1]/a"] {
                for tag in ["v1", "v2", "1", "a"] {
                    let wanted = include.wants(repository, Some(tag));
                    assert!(!wanted || include.may_want(repository), "{glob}: {repository}:{tag}");
                    assert!(!wanted || include.may_want_below("h:5") || !repository.starts_with("h:5"), "{glob}");
                    let kept = exclude.wants(repository, Some(tag));
                    assert!(!kept || exclude.may_want(repository), "not {glob}: {repository}:{tag}");
                }
            }
        }
    }

    #[test]
    fn two_stars_before_a_tag_cross_every_slash() {
        for glob in ["**:v1-5*", "h/**:v1-5*", "**/*:v1-5*"] {
            let filter = filter(&[glob], &[]);
            assert!(filter.wants("h/a", Some("v1-50")) && filter.wants("h/team/a", Some("v1-5")), "{glob}");
            assert!(!filter.wants("h/a", Some("v2")), "{glob}");
        }
    }

    #[test]
    fn refuses_a_broken_glob() {
        assert!(Filter::new(&["[".to_owned()], &[]).is_err());
    }
}

//! Other ways to the next page of a list, where the link to it cannot be followed as it stands.
//!
//! Registries behind proxies, or with paths that were rewritten, name another path in their links than the one by which they
//! are asked: what is on the list's own path with the link's query comes first then, since the path that is named may be
//! another repository's. What follows the last name is the rest of a list in any registry that heeds `last` (OCI
//! distribution specification, *Listing Tags*). Some refuse a `last` that was deleted meanwhile, and are asked by the name
//! before it; some refuse a number of names only there. Which way led on is tried first for the next page. A page that says
//! nothing new is refused as the end of a list unless it proves to be that.

use std::collections::VecDeque;

use url::Url;

use crate::trouble::Trouble;

/// Another way to the next page.
#[derive(Debug, Clone)]
pub(super) struct Other {
    pub(super) kind: Kind,
    pub(super) url: Url,
}

/// What kind of way it is. In the order in which they are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// As the link says.
    Link,
    /// The list's own path with the query of the link.
    OwnPath,
    /// The link's own path, which is not the list's.
    OtherPath,
    /// What follows the last name.
    AfterLast,
    /// The same without a number of names.
    Unnumbered,
    /// What follows the name that stands so many before the last.
    Before(u64),
}

/// What was heard so far when the next page was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Heard {
    Nothing,
    /// That something went wrong.
    Error,
    /// That there is no such page.
    Refusal,
}

/// The ways that are left to a page that could not be had yet.
#[derive(Debug, Clone)]
pub(super) struct Detour {
    /// Why it could not, if anything went wrong so far.
    pub(super) why: Option<Trouble>,
    heard: Heard,
    led_on: Option<Kind>,
    left: VecDeque<Other>,
    /// The one that was tried last.
    tried: Option<Kind>,
}

impl Kind {
    /// How many names may come once more where this is heeded, if it says what comes.
    pub(super) fn repeats(self) -> Option<u64> {
        match self {
            Kind::Link | Kind::OwnPath | Kind::OtherPath => None,
            // Some give the last name once more.
            Kind::AfterLast | Kind::Unnumbered => Some(1),
            Kind::Before(names) => Some(names + 1),
        }
    }

    /// What has to be heard before it is tried.
    fn least(self) -> Heard {
        match self {
            Kind::Link | Kind::OwnPath | Kind::OtherPath | Kind::AfterLast => Heard::Nothing,
            Kind::Unnumbered => Heard::Error,
            Kind::Before(_) => Heard::Refusal,
        }
    }
}

impl Detour {
    /// The ways `others`; the kind that `led_on` before comes first.
    pub(super) fn new(why: Option<Trouble>, heard: Heard, mut others: Vec<Other>, led_on: Option<Kind>) -> Detour {
        others.sort_by_key(|other| (Some(other.kind) != led_on, other.kind));
        Detour { why, heard, led_on, left: others.into(), tried: None }
    }

    /// The next way to try.
    pub(super) fn next(&mut self) -> Option<Other> {
        let is_open = |other: &Other| other.kind.least() <= self.heard || Some(other.kind) == self.led_on;
        let other = self.left.iter().position(is_open).and_then(|first| self.left.remove(first))?;
        self.tried = Some(other.kind);
        Some(other)
    }

    /// Notes what came of the way that was tried last.
    pub(super) fn failed(&mut self, trouble: Trouble, heard: Heard) {
        self.why.get_or_insert(trouble);
        self.heard = self.heard.max(heard);
    }

    /// The way that was tried last.
    pub(super) fn tried(&self) -> Option<Kind> {
        self.tried
    }

    /// Whether a page of `count` names, none of them new, that came this way shows that there are no more: what follows a
    /// name before the last is what is known to, and nothing else; and there is nothing where this way led on before.
    pub(super) fn is_end(&self, count: u64) -> bool {
        match self.tried {
            Some(Kind::Before(names)) if count == names => true,
            tried => count == 0 && tried.is_some() && tried == self.led_on,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(heard: Heard, led_on: Option<Kind>) -> Vec<Kind> {
        let url = Url::parse("http://localhost/").unwrap();
        let all = [Kind::Before(2), Kind::Unnumbered, Kind::Before(1), Kind::AfterLast, Kind::OtherPath, Kind::OwnPath];
        let others = all.map(|kind| Other { kind, url: url.clone() }).to_vec();
        let mut detour = Detour::new(None, heard, others, led_on);
        std::iter::from_fn(|| detour.next()).map(|other| other.kind).collect()
    }

    #[test]
    fn what_led_on_before_comes_first_and_more_is_tried_of_who_refuses() {
        let some = [Kind::OwnPath, Kind::OtherPath, Kind::AfterLast];
        assert_eq!(kinds(Heard::Nothing, None), some);
        assert_eq!(kinds(Heard::Error, None), [&some[..], &[Kind::Unnumbered]].concat());
        let all = [&some[..], &[Kind::Unnumbered, Kind::Before(1), Kind::Before(2)]].concat();
        assert_eq!(kinds(Heard::Refusal, None), all);
        assert_eq!(kinds(Heard::Nothing, Some(Kind::AfterLast)), [Kind::AfterLast, Kind::OwnPath, Kind::OtherPath]);
        assert_eq!(kinds(Heard::Nothing, Some(Kind::Before(1))), [&[Kind::Before(1)], &some[..]].concat());
    }
}

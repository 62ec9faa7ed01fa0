//! The lists of repositories and tags (OCI distribution specification, *Listing Tags*; `_catalog` as every registry has
//! it), page by page.
//!
//! A name that breaks the grammar ends a list: it would become part of addresses and of reports. Every name is given
//! out once. While a list is in order that needs no memory; the names seen are remembered (by hash) up to a bound, and a
//! list out of order that is longer than that is refused.

use std::collections::HashSet;

use futures_util::stream::{self, BoxStream, StreamExt};
use url::Url;

use crate::digest::Digest;
use crate::failure::quote;
use crate::json::{self, JsonError};
use crate::limits;
use crate::source::{Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::Scope;
use super::http::{Absence, Action, Ask, Http, Reply};
use super::paging::Pages;
use super::transport::Bound;

/// How many names are asked for at a time: the most that registries allow.
const PAGE_NAMES: usize = 1000;

/// A list that a registry keeps.
#[derive(Debug, Clone)]
pub(super) struct List {
    /// Its path.
    pub(super) path: String,
    /// What it takes to read it.
    pub(super) scope: Scope,
    /// The member of the answer that holds the names.
    pub(super) member: &'static str,
    /// What a name is called in messages.
    pub(super) noun: &'static str,
    /// The grammar of a name.
    pub(super) is_name: fn(&str) -> bool,
}

/// The names of a list, each once. One `Err` ends the stream.
pub(super) fn names(http: &Http, list: List) -> BoxStream<'_, Result<String, Trouble>> {
    let mut first = http.url(&list.path);
    first.query_pairs_mut().append_pair("n", &PAGE_NAMES.to_string());
    let pages = Pages::new(&http.base, &first, limits::LIST_PAGES);
    let walk = Walk { http, list, next: first.clone(), first, pages, once: Once::default() };
    stream::unfold(Some(walk), |walk| async { Some(walk?.page().await) }).flat_map(stream::iter).boxed()
}

/// The walk along a list, before its next page.
struct Walk<'a> {
    http: &'a Http,
    list: List,
    first: Url,
    next: Url,
    pages: Pages,
    once: Once,
}

impl<'a> Walk<'a> {
    /// The names of a page, and the walk from there on.
    async fn page(mut self) -> (Vec<Result<String, Trouble>>, Option<Walk<'a>>) {
        let mut names = Vec::new();
        match self.read_page(&mut names).await {
            Ok(Some(next)) => {
                self.next = next;
                (names, Some(self))
            }
            Ok(None) => (names, None),
            Err(trouble) => {
                names.push(Err(trouble));
                (names, None)
            }
        }
    }

    async fn read_page(&mut self, names: &mut Vec<Result<String, Trouble>>) -> Result<Option<Url>, Trouble> {
        let ask = Ask {
            action: Action::Get,
            url: self.next.clone(),
            accept: "application/json".to_owned(),
            scope: self.list.scope.clone(),
            bound: Bound::AtMost(limits::PAGE_BYTES),
            absence: Absence::after(limits::NOT_FOUND_ANSWERS),
        };
        let read = |answer: Answer| match members(&answer, self.list.member) {
            Ok(found) => Ok((answer, found)),
            Err(error) => {
                Err(answer.invalid(format!("is no list of {}: {error}{}", self.list.member, other_type(&answer))))
            }
        };
        let (answer, found) = match self.http.get(&ask, read).await.map_err(|fault| fault.trouble)? {
            Reply::Found(page) => page,
            Reply::Absent(answer) => return Err(Trouble::new(TroubleKind::NotFound, answer.sentence())),
        };
        let is_full = found.len() >= PAGE_NAMES;
        let (before, last) = (names.len(), found.last().cloned());
        for name in found {
            if !(self.list.is_name)(&name) {
                return Err(answer.invalid(format!("has {}, which is not a {}", quote(&name), self.list.noun)));
            }
            if self.once.is_new(&name).ok_or_else(|| too_long(&answer))? {
                names.push(Ok(name));
            }
        }
        match (self.pages.next(&answer)?, last) {
            // Some registries leave the link out: what follows the last name is asked for, until nothing new comes.
            (None, Some(last)) if is_full && names.len() > before => {
                let mut next = self.first.clone();
                next.query_pairs_mut().append_pair("last", &last);
                self.pages.visit(&answer, next).map(Some)
            }
            (next, _) => Ok(next),
        }
    }
}

/// What a page for people is called, where one came in place of a list.
fn other_type(answer: &Answer) -> String {
    match answer.media_type() {
        Ok(Some(media_type)) if !media_type.ends_with("json") => format!(" (it is of type {})", quote(&media_type)),
        _ => String::new(),
    }
}

/// The names in an answer; `null` is how some registries write that there are none.
fn members(answer: &Answer, member: &str) -> Result<Vec<String>, JsonError> {
    let members = json::members(json::text(&answer.body)?)?;
    let value = members.get(member).ok_or_else(|| JsonError::Syntax(format!("there is no member {member:?}")))?;
    if json::is_null(value) {
        return Ok(Vec::new());
    }
    json::array(value)?.into_iter().map(|name| json::string(name).map(|name| name.into_owned())).collect()
}

fn too_long(answer: &Answer) -> Trouble {
    let message = format!(
        "the answer to {} is out of order after {} names, more than are remembered",
        answer.request(),
        limits::LIST_NAMES
    );
    Trouble::new(TroubleKind::AnswerTooLarge, message)
}

/// The beginning of a name's hash; two names do not share it.
type NameHash = [u8; 16];

/// Which names were there before.
#[derive(Debug)]
struct Once {
    /// The greatest name so far: whatever is greater is new.
    greatest: Option<String>,
    /// All names so far. `None`: there were too many.
    seen: Option<HashSet<NameHash>>,
}

impl Default for Once {
    fn default() -> Once {
        Once { greatest: None, seen: Some(HashSet::new()) }
    }
}

impl Once {
    /// Whether the name was not there before. `None`: that is not known any more.
    fn is_new(&mut self, name: &str) -> Option<bool> {
        let greater = self.greatest.as_deref().is_none_or(|greatest| name > greatest);
        if self.greatest.as_deref() == Some(name) {
            return Some(false);
        }
        if greater {
            self.greatest = Some(name.to_owned());
        }
        let Some(seen) = &mut self.seen else { return greater.then_some(true) };
        let is_new = seen.insert(hash(name));
        if seen.len() > limits::LIST_NAMES {
            self.seen = None;
        }
        Some(is_new)
    }
}

fn hash(name: &str) -> NameHash {
    let digest = Digest::sha256(name.as_bytes());
    let mut hash = NameHash::default();
    hash.copy_from_slice(&digest.bytes()[..size_of::<NameHash>()]);
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a34_every_name_is_new_once_in_any_order() {
        let mut once = Once::default();
        let new = ["b", "b", "c", "a", "c", "a", "d", "b"].map(|name| once.is_new(name));
        let expected = [true, false, true, true, false, false, true, false].map(Some);
        assert_eq!(new, expected);
    }

    #[test]
    fn a34_a_long_list_needs_no_memory_in_order_and_is_refused_out_of_order() {
        let mut once = Once { greatest: Some("m".to_owned()), seen: None };
        assert_eq!(
            ["m", "n", "n", "o", "a"].map(|name| once.is_new(name)),
            [Some(false), Some(true), Some(false), Some(true), None]
        );
    }
}

//! The lists of repositories and tags (OCI distribution specification, *Listing Tags*; `_catalog` as every registry has
//! it), page by page.
//!
//! A name that breaks the grammar ends a list: it would become part of addresses and of reports. Every name is given
//! out once. While a list is in order that needs no memory; the names seen are remembered (by hash) up to a bound, and a
//! list out of order that is longer than that is refused.

use std::collections::HashSet;

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use url::Url;

use crate::digest::Digest;
use crate::failure::quote;
use crate::json::{self, JsonError};
use crate::limits;
use crate::trouble::{Trouble, TroubleKind};

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
    /// The path of the list.
    pub(super) path: String,
    /// The scope of the token that reading the list takes.
    pub(super) scope: Scope,
    /// The member of the answer that holds the names.
    pub(super) member: &'static str,
    /// What a name is called in messages.
    pub(super) noun: &'static str,
    /// The grammar of a name.
    pub(super) is_name: fn(&str) -> bool,
}

/// The names of a list, each once. One `Err` ends the stream. Names are looked at as they are asked for, so that a list
/// that waits for its turn holds no more than the text of one page.
pub(super) fn names(http: &Http, list: List) -> BoxStream<'_, Result<String, Trouble>> {
    let mut first = http.url(&list.path);
    first.query_pairs_mut().append_pair("n", &PAGE_NAMES.to_string());
    let pages = Pages::new(&http.base, &first, limits::LIST_PAGES);
    let walk = Walk { http, list, first, pages, once: Once::default(), page: None };
    stream::unfold(Some(walk), Walk::step).boxed()
}

/// The walk along a list.
struct Walk<'a> {
    http: &'a Http,
    list: List,
    first: Url,
    pages: Pages,
    once: Once,
    /// The page that it is at. `None`: before the first.
    page: Option<Page>,
}

/// A page of a list.
struct Page {
    /// Without its body, and so without a share of the budget: the reader of the list may wait.
    answer: Answer,
    names: Names,
    is_full: bool,
    any_new: bool,
    /// The name that was read last.
    last: Option<String>,
}

/// Texts one behind the other: of a page of short ones that is a tenth of what a list of them takes.
#[derive(Default)]
struct Names {
    text: String,
    ends: Vec<u32>,
    read: usize,
}

impl<'a> Walk<'a> {
    /// The next name, and the walk from there on.
    async fn step(walk: Option<Walk<'a>>) -> Option<(Result<String, Trouble>, Option<Walk<'a>>)> {
        let mut walk = walk?;
        let name = walk.name().await.transpose()?;
        let on = name.is_ok().then_some(walk);
        Some((name, on))
    }

    /// The next name that was not there before. `None`: there are no more.
    async fn name(&mut self) -> Result<Option<String>, Trouble> {
        loop {
            if let Some(page) = &mut self.page {
                while let Some(name) = page.names.next() {
                    if !(self.list.is_name)(&name) {
                        let problem = format!("has {}, which is not a {}", quote(&name), self.list.noun);
                        return Err(page.answer.invalid(problem));
                    }
                    let is_new = self.once.is_new(&name).ok_or_else(|| too_long(&page.answer))?;
                    page.last = Some(name.clone());
                    if is_new {
                        page.any_new = true;
                        return Ok(Some(name));
                    }
                }
            }
            let Some(next) = self.next_page()? else { return Ok(None) };
            self.page = Some(self.read_page(next).await?);
        }
    }

    /// The address of the page after this one.
    fn next_page(&mut self) -> Result<Option<Url>, Trouble> {
        let Some(Page { answer, is_full, any_new, last, .. }) = &self.page else { return Ok(Some(self.first.clone())) };
        match (self.pages.next(answer)?, last) {
            // Some registries leave the link out: what follows the last name is asked for, until nothing new comes.
            (None, Some(last)) if *is_full && *any_new => {
                let mut next = self.first.clone();
                next.query_pairs_mut().append_pair("last", last);
                self.pages.visit(answer, next).map(Some)
            }
            (next, _) => Ok(next),
        }
    }

    async fn read_page(&self, url: Url) -> Result<Page, Trouble> {
        let ask = Ask {
            action: Action::Get,
            url,
            accept: "application/json".to_owned(),
            scope: self.list.scope.clone(),
            bound: Bound::AtMost(limits::PAGE_BYTES),
            absence: Absence::after(limits::NOT_FOUND_ANSWERS),
        };
        let read = |mut answer: Answer| match members(&answer, self.list.member) {
            Ok(names) => {
                answer.body = Bytes::new();
                Ok((answer, names))
            }
            Err(error) => {
                Err(answer.invalid(format!("is no list of {}: {error}{}", self.list.member, other_type(&answer))))
            }
        };
        match self.http.get(&ask, read).await.map_err(|fault| fault.trouble)? {
            Reply::Found((answer, names)) => {
                let is_full = names.ends.len() >= PAGE_NAMES;
                Ok(Page { answer, names, is_full, any_new: false, last: None })
            }
            Reply::Absent(answer) => Err(Trouble::new(TroubleKind::NotFound, answer.sentence())),
        }
    }
}

impl Names {
    /// Adds a text; a page is far shorter than what an end can count.
    fn push(&mut self, name: &str) {
        self.text.push_str(name);
        self.ends.extend(u32::try_from(self.text.len()).ok());
    }
}

impl Iterator for Names {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let end = *self.ends.get(self.read)?;
        let start = self.read.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |end| *end);
        self.read += 1;
        self.text.get(start as usize..end as usize).map(str::to_owned)
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
fn members(answer: &Answer, member: &str) -> Result<Names, JsonError> {
    let members = json::members(json::text(&answer.body)?)?;
    let value = members.get(member).ok_or_else(|| JsonError::Syntax(format!("there is no member {member:?}")))?;
    let mut names = Names::default();
    if !json::is_null(value) {
        for name in json::array(value)? {
            names.push(&json::string(name)?);
        }
    }
    names.text.shrink_to_fit();
    names.ends.shrink_to_fit();
    Ok(names)
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
    fn names_are_read_as_they_were_written_even_those_that_are_none() {
        let mut names = Names::default();
        let written = ["a", "", "b\nc", "\u{e4}\u{1f600}", "d"];
        written.iter().for_each(|name| names.push(name));
        assert_eq!(names.collect::<Vec<_>>(), written);
    }

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

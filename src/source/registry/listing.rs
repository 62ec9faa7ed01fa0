//! The lists of repositories and tags (OCI distribution specification, *Listing Tags*; `_catalog` as every registry has
//! it), page by page.
//!
//! No name is lost without a word. A page size that is refused, or that the registry fails at, is asked for smaller, then left
//! out. Registries that cut a list and send no `Link` are asked what follows the last name, whenever a page may have been cut
//! (see [`may_be_cut`]). A next page that cannot be read is asked for in other ways (see [`super::detour`]). What is missing
//! then is trouble with the rest of the list. What is no name is trouble of its own: it becomes part of no address, and the list goes
//! on. Every name is given out once. While a list is in order that needs no memory; the names seen are remembered (by hash)
//! up to a bound, and a list out of order that is longer than that is refused.

use std::io;

use futures_util::stream::{self, BoxStream, StreamExt};
use reqwest::StatusCode;
use url::Url;

use crate::failure::quote;
use crate::limits;
use crate::source::{Extent, ListTrouble};
use crate::trouble::{Trouble, TroubleKind};

use super::answer::Answer;
use super::challenge::Scope;
use super::detour::{Detour, Heard, Kind, Other};
use super::http::{Absence, Action, Ask, Http, Reply};
use super::list_page::{self, Page, Way, not_found, too_long, total, unkept};
use super::names::Entry;
use super::once::Once;
use super::page_size::{FEW_NAMES, PAGE_NAMES, PageSize, is_full, is_usual_limit, may_be_cut};
use super::paging::{Pages, Ways, names_next};
use super::retry::Fault;
use super::transport::Bound;

/// The codes of a 404 by which registries say that there is no such repository, or no longer.
const NO_REPOSITORY: [&str; 2] = ["NAME_UNKNOWN", "NOT_FOUND"];

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

/// What a list says.
#[derive(Debug)]
pub(super) enum Listed {
    /// A name.
    Name(String),
    /// What lies below what the list is of.
    Below(String),
    /// How many manifests have no name.
    Untagged(u64),
}

/// What a list says, each name once. An `Err` ends the stream unless it concerns one entry. Names are looked at as they are
/// asked for, so that a list that waits for its turn holds little of one page.
pub(super) fn listed<'a>(http: &'a Http, size: &'a PageSize, list: List) -> BoxStream<'a, Result<Listed, ListTrouble>> {
    let own = http.url(&list.path);
    let walk = Walk {
        pages: Pages::new(&http.base, &own, limits::LIST_PAGES),
        http,
        size,
        list,
        own,
        asked: None,
        once: Once::new(http.budget()),
        others: Vec::new(),
        page: None,
        numbers: Numbers::default(),
        ends: Vec::new(),
        led_on: None,
        disordered: false,
    };
    stream::unfold(Some(walk), Walk::step).boxed()
}

/// The walk along a list.
struct Walk<'a> {
    http: &'a Http,
    size: &'a PageSize,
    list: List,
    /// The address of the list.
    own: Url,
    /// How many names are asked for at a time. `None`: as many as the registry likes.
    asked: Option<u64>,
    pages: Pages,
    once: Once,
    /// What there was that is no text, by kind.
    others: Vec<String>,
    /// The page that it is at. `None`: before the first.
    page: Option<Page>,
    numbers: Numbers,
    /// The texts of the last entries so far, the last first.
    ends: Vec<String>,
    /// The way by which the page was had that was read last and said something new, where that was another than the link's.
    led_on: Option<Kind>,
    /// Whether the registry counts in another order than it lists, so that what follows a name is not the rest.
    disordered: bool,
}

/// What is known of a list in numbers.
#[derive(Debug, Default)]
struct Numbers {
    /// The pages that were read, without those that say nothing new in place of a missing one.
    pages: u64,
    /// The entries of all pages that said something new.
    entries: u64,
    /// How many there are, where the registry says so.
    total: Option<u64>,
    /// The entries of the page that was read last.
    last_page: u64,
}

impl<'a> Walk<'a> {
    /// The next thing that the list says, and the walk from there on.
    async fn step(walk: Option<Walk<'a>>) -> Option<(Result<Listed, ListTrouble>, Option<Walk<'a>>)> {
        let mut walk = walk?;
        let said = walk.next().await.transpose()?;
        let goes_on = said.as_ref().err().is_none_or(ListTrouble::goes_on);
        Some((said, goes_on.then_some(walk)))
    }

    /// The next thing that was not said before. `None`: there is no more.
    async fn next(&mut self) -> Result<Option<Listed>, ListTrouble> {
        loop {
            if let Some(said) = self.say()? {
                return Ok(Some(said));
            }
            let next = match self.page.take() {
                None => Some(self.first_page().await?),
                Some(page) => self.page_after(page).await?,
            };
            let Some(next) = next else {
                return self.end().map(|()| None);
            };
            self.numbers.total = total(&next.answer).or(self.numbers.total);
            self.page = Some(next);
        }
    }

    /// The next thing that the page says.
    fn say(&mut self) -> Result<Option<Listed>, ListTrouble> {
        let Walk { page: Some(page), list, once, others, .. } = self else { return Ok(None) };
        loop {
            let unkept = |error: io::Error| ListTrouble::new(unkept(&page.answer, &error), Extent::Rest(1));
            let Some(entry) = page.content.names.next().map_err(unkept)? else { break };
            let is_new = match &entry {
                Entry::Text(text) => {
                    once.is_new(text).ok_or_else(|| ListTrouble::new(too_long(&page.answer), Extent::Rest(1)))?
                }
                // What is no text, and so no name, is one thing however often it is there.
                Entry::Other(what) => !others.contains(what),
            };
            page.any_new |= is_new;
            page.repeated += u64::from(!is_new);
            match entry {
                _ if !is_new => {}
                Entry::Text(name) if (list.is_name)(&name) => return Ok(Some(Listed::Name(name))),
                Entry::Text(text) => {
                    let trouble = page.answer.invalid(format!("has {}, which is not a {}", quote(&text), list.noun));
                    return Err(ListTrouble::new(trouble, Extent::Entry(Some(text))));
                }
                Entry::Other(what) => {
                    others.push(what.clone());
                    let trouble = page.answer.invalid(format!("has {what} in place of a {}", list.noun));
                    return Err(ListTrouble::new(trouble, Extent::Entry(None)));
                }
            }
        }
        // A page that was there before says nothing new of what stands beside its names either.
        if !page.any_new && !matches!(page.way, Way::First | Way::Link) {
            return Ok(None);
        }
        if let Some(below) = page.content.below.pop_front() {
            return Ok(Some(Listed::Below(below)));
        }
        if std::mem::take(&mut page.content.more_below) {
            let most = limits::REPOSITORIES_BELOW;
            let what =
                format!("names repositories below it that are not looked at: more than {most}, or without a name");
            return Err(ListTrouble::new(page.answer.invalid(what), Extent::Below(None)));
        }
        let untagged = std::mem::take(&mut page.content.untagged);
        Ok((untagged > 0).then_some(Listed::Untagged(untagged)))
    }

    /// The first page, in the largest size that the registry does not refuse.
    async fn first_page(&mut self) -> Result<Page, ListTrouble> {
        let mut failed: Option<Fault> = None;
        for (index, asked) in self.size.to_try() {
            let url = self.address(asked, None);
            let is_last = index + 1 == PAGE_NAMES.len();
            let read = match failed {
                None => self.read(&url, Way::First).await,
                // It is asked once whether it was the number.
                Some(_) => self.read_once(&url, Way::First).await,
            };
            match (read, failed.take()) {
                (Ok(Ok(page)), _) => {
                    self.size.note(index);
                    self.asked = asked;
                    self.pages = Pages::new(&self.http.base, &url, limits::LIST_PAGES);
                    return Ok(page);
                }
                (Ok(Err(absent)), None) => {
                    let unknown = absent.says_one_of(&NO_REPOSITORY);
                    let extent = if unknown { Extent::Unknown } else { Extent::Whole };
                    return Err(ListTrouble::new(not_found(&absent), extent));
                }
                (Ok(Err(_)) | Err(_), Some(fault)) if is_last => return Err(fault.trouble.into()),
                (Ok(Err(_)) | Err(_), Some(fault)) => failed = Some(fault),
                // It may be the size that is refused.
                (Err(fault), None) if is_refusal(&fault) && !is_last => {}
                // Or that it fails at.
                (Err(fault), None) if fails_at(&fault) && !is_last => failed = Some(fault),
                (Err(fault), None) => return Err(fault.trouble.into()),
            }
        }
        let message = format!("the list of {} was not asked for", self.list.member);
        Err(Trouble::new(TroubleKind::Unreachable, message).into())
    }

    /// The page after `page`. `None`: the list is at its end.
    async fn page_after(&mut self, page: Page) -> Result<Option<Page>, ListTrouble> {
        let Page { answer, content, way, any_new, repeated } = page;
        let (count, before) = (content.names.count, self.numbers.last_page);
        if any_new || matches!(way, Way::First | Way::Link) {
            self.numbers.pages += 1;
        }
        if any_new {
            self.numbers.entries += count;
            self.ends = content.names.ends;
            let may_repeat = match &way {
                Way::Cut | Way::After => Kind::AfterLast.repeats(),
                Way::Instead(detour) => detour.tried().and_then(Kind::repeats),
                Way::First | Way::Link | Way::Whole => None,
            };
            self.disordered |= may_repeat.is_some_and(|most| repeated > most);
        }
        match (way, any_new) {
            (Way::Instead(detour), false) if detour.is_end(count) => Ok(None),
            (Way::Instead(detour), false) => self.instead(&answer, detour).await.map(Some),
            // A registry that says the same again does not know how to go on. Whether it cut its list is found out.
            (Way::Cut, false) if count > 0 && self.asked == Some(before) => self.whole_list(&answer).await,
            (Way::Cut, false) if count > 0 && is_usual_limit(before, self.asked) => {
                self.check_that_all_was_said().await
            }
            (Way::Cut | Way::After, false) => Ok(None),
            (Way::Whole, false) => self.check_that_all_was_said().await,
            (way, _) => {
                self.numbers.last_page = count;
                if any_new {
                    self.led_on = match &way {
                        Way::Instead(detour) => detour.tried().filter(|tried| *tried != Kind::Link),
                        _ => None,
                    };
                }
                self.next_page(&answer, count, way).await
            }
        }
    }

    /// The page after one of `count` names, which was come to this `way`.
    async fn next_page(&mut self, answer: &Answer, count: u64, way: Way) -> Result<Option<Page>, ListTrouble> {
        let (others, why) = match self.pages.ways(answer) {
            Ok(None) => {
                let promised = self.numbers.total.is_some_and(|total| total > self.numbers.entries);
                let next = match way {
                    Way::First | Way::Whole if promised || may_be_cut(count, self.asked) => Way::Cut,
                    Way::Link | Way::Instead(_) if promised || is_full(count, self.asked) => Way::Cut,
                    Way::Cut | Way::After => Way::After,
                    _ => return Ok(None),
                };
                return self.cut(answer, count, next).await;
            }
            Ok(Some(Ways::Link(next))) if self.led_on.is_none() => match self.pages.visit(answer, next) {
                Ok(next) => {
                    let (trouble, heard) = match self.read(&next, Way::Link).await {
                        Ok(Ok(page)) => return Ok(Some(page)),
                        Ok(Err(absent)) => (not_found(&absent), Heard::Refusal),
                        Err(fault) => (fault.trouble.clone(), heard(&fault)),
                    };
                    return self.others(answer, Some(trouble), heard, Vec::new()).await.map(Some);
                }
                Err(trouble) if trouble.kind == TroubleKind::AnswerInvalid => (Vec::new(), Some(trouble)),
                Err(trouble) => return Err(self.missing(&trouble)),
            },
            Ok(Some(Ways::Link(url))) => (vec![Other { kind: Kind::Link, url }], None),
            Ok(Some(Ways::Others(others, why))) => (others, Some(why)),
            Err(trouble) => (Vec::new(), Some(trouble)),
        };
        self.others(answer, why, Heard::Nothing, others).await.map(Some)
    }

    /// The next page by one of `others`, or by the names at the end of the page.
    async fn others(
        &mut self,
        answer: &Answer,
        why: Option<Trouble>,
        heard: Heard,
        mut others: Vec<Other>,
    ) -> Result<Page, ListTrouble> {
        others.extend(self.by_name());
        let detour = Detour::new(why, heard, others, self.led_on);
        self.instead(answer, detour).await
    }

    /// The addresses of what follows the last name, or one shortly before it.
    fn by_name(&self) -> impl Iterator<Item = Other> {
        let unnumbered = self.asked.and(self.ends.first()).map(|last| (Kind::Unnumbered, None, last));
        let kinds = [Kind::AfterLast, Kind::Before(1), Kind::Before(2)];
        let numbered = kinds.into_iter().zip(&self.ends).map(|(kind, name)| (kind, self.asked, name));
        numbered.chain(unnumbered).map(|(kind, asked, name)| Other { kind, url: self.address(asked, Some(name)) })
    }

    /// The next page by a way that is left.
    async fn instead(&mut self, answer: &Answer, mut detour: Detour) -> Result<Page, ListTrouble> {
        while let Some(Other { url, .. }) = detour.next() {
            let Ok(url) = self.pages.visit(answer, url) else { continue };
            match self.read(&url, Way::Instead(detour.clone())).await {
                Ok(Ok(page)) => return Ok(page),
                Ok(Err(absent)) => detour.failed(not_found(&absent), Heard::Refusal),
                Err(fault) => detour.failed(fault.trouble.clone(), heard(&fault)),
            }
        }
        Err(self.missing(&detour.why.unwrap_or_else(|| answer.invalid("leads to nothing that is new"))))
    }

    /// What follows the last name, where a page of `count` names says nothing of a next one, and may have been cut.
    async fn cut(&mut self, answer: &Answer, count: u64, way: Way) -> Result<Option<Page>, ListTrouble> {
        // The last name may be gone. Where something came after a name before, all ways to go on are tried.
        let names: Vec<_> = self.ends.iter().take(if matches!(way, Way::After) { 1 } else { 2 }).cloned().collect();
        let mut refusal: Option<Trouble> = None;
        for name in names {
            let Ok(next) = self.pages.visit(answer, self.address(self.asked, Some(&name))) else { continue };
            refusal = match self.read(&next, way.clone()).await {
                Ok(Ok(page)) => return Ok(Some(page)),
                Ok(Err(absent)) => Some(not_found(&absent)),
                Err(fault) if is_refusal(&fault) => Some(fault.trouble),
                Err(fault) => return Err(self.doubtful(fault.trouble)),
            };
        }
        let Some(refusal) = refusal else { return Ok(None) };
        match way {
            Way::After => self.others(answer, Some(refusal), Heard::Refusal, Vec::new()).await.map(Some),
            // It answered that it does not know what is meant.
            _ if self.asked == Some(count) => self.whole_list(answer).await,
            _ if is_usual_limit(count, self.asked) => self.check_that_all_was_said().await,
            _ => Ok(None),
        }
    }

    /// The whole list, asked for without a number.
    async fn whole_list(&mut self, answer: &Answer) -> Result<Option<Page>, ListTrouble> {
        let Ok(next) = self.pages.visit(answer, self.own.clone()) else { return Ok(None) };
        self.asked = None;
        match self.read(&next, Way::Whole).await {
            Ok(Ok(page)) => Ok(Some(page)),
            Ok(Err(_)) => self.check_that_all_was_said().await,
            Err(fault) if is_refusal(&fault) => self.check_that_all_was_said().await,
            Err(fault) => Err(self.doubtful(fault.trouble)),
        }
    }

    /// Whether a list that ends where a page would is whole: it is if the registry heeds no number of names, or says of a
    /// short page that there is more. There is no next page then.
    async fn check_that_all_was_said(&self) -> Result<Option<Page>, ListTrouble> {
        if self.numbers.total == Some(self.numbers.entries) {
            return Ok(None);
        }
        match self.read(&self.address(Some(FEW_NAMES), None), Way::Whole).await {
            Ok(Ok(page)) if page.content.names.count > FEW_NAMES || names_next(&page.answer) => Ok(None),
            _ => {
                let message = format!(
                    "the list of {} from {} ends where a page would, and the registry does not say what follows the last \
                     name",
                    self.list.member,
                    crate::address::authority(&self.own)
                );
                Err(self.doubtful(Trouble::new(TroubleKind::AnswerInvalid, message)))
            }
        }
    }

    /// Sees to it that as many names came as there are, as far as that is known.
    fn end(&self) -> Result<(), ListTrouble> {
        if self.disordered {
            let message = format!(
                "the list of {} from {} is not in the order in which the registry counts what follows a name",
                self.list.member,
                crate::address::authority(&self.own)
            );
            return Err(self.doubtful(Trouble::new(TroubleKind::AnswerInvalid, message)));
        }
        let Numbers { entries, total, .. } = self.numbers;
        let Some(missing) = total.and_then(|total| total.checked_sub(entries)).filter(|missing| *missing > 0) else {
            return Ok(());
        };
        let message = format!(
            "the list of {} from {} has {entries} names, {missing} fewer than its header X-Total-Count or X-Total says",
            self.list.member,
            crate::address::authority(&self.own)
        );
        Err(ListTrouble::new(Trouble::new(TroubleKind::AnswerInvalid, message), Extent::Rest(missing)))
    }

    /// The address of the list, for so many names after `last`.
    fn address(&self, names: Option<u64>, last: Option<&str>) -> Url {
        let mut url = self.own.clone();
        if let Some(names) = names {
            url.query_pairs_mut().append_pair("n", &names.to_string());
        }
        if let Some(last) = last {
            url.query_pairs_mut().append_pair("last", last);
        }
        url
    }

    /// Reads a page. The inner `Err` is the last of the answers that say that it is not there.
    async fn read(&self, url: &Url, way: Way) -> Result<Result<Page, Box<Answer>>, Fault> {
        Ok(match self.http.get(&self.ask(url), |answer| list_page::read(answer, self.list.member)).await? {
            Reply::Found((answer, content)) => Ok(Page { answer, content, way, any_new: false, repeated: 0 }),
            Reply::Absent(answer) => Err(answer),
        })
    }

    /// The same, where nothing is tried again.
    async fn read_once(&self, url: &Url, way: Way) -> Result<Result<Page, Box<Answer>>, Fault> {
        let answer = self.http.once(&self.ask(url)).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Ok(Err(Box::new(answer)));
        }
        let (answer, content) = list_page::read(answer, self.list.member)?;
        Ok(Ok(Page { answer, content, way, any_new: false, repeated: 0 }))
    }

    fn ask(&self, url: &Url) -> Ask {
        Ask {
            action: Action::Get,
            url: url.clone(),
            accept: "application/json".to_owned(),
            scope: self.list.scope.clone(),
            bound: Bound::Names(limits::LIST_BYTES),
            absence: Absence::after(limits::NOT_FOUND_ANSWERS),
            ending: None,
        }
    }

    /// That what follows could not be had, though the registry says that there is more.
    fn missing(&self, trouble: &Trouble) -> ListTrouble {
        let Numbers { pages, entries, total, .. } = self.numbers;
        let message = format!(
            "page {} of the list of {} is missing, and what follows it: {}",
            pages + 1,
            self.list.member,
            trouble.message
        );
        let at_least = total.map_or(1, |total| total.saturating_sub(entries).max(1));
        ListTrouble::new(Trouble::new(trouble.kind, message), Extent::Rest(at_least))
    }

    /// That there may be more, which is not known.
    fn doubtful(&self, trouble: Trouble) -> ListTrouble {
        let Numbers { entries, total, .. } = self.numbers;
        let message =
            format!("whether there are more {} than {entries} is not known: {}", self.list.member, trouble.message);
        let at_least = total.map_or(0, |total| total.saturating_sub(entries));
        ListTrouble::new(Trouble::new(trouble.kind, message), Extent::Rest(at_least))
    }
}

fn heard(fault: &Fault) -> Heard {
    match fault {
        fault if is_refusal(fault) => Heard::Refusal,
        fault if fault.answered => Heard::Error,
        _ => Heard::Nothing,
    }
}

/// Whether the registry answered each time that it failed.
fn fails_at(fault: &Fault) -> bool {
    fault.answered && [TroubleKind::Unreachable, TroubleKind::TimedOut].contains(&fault.trouble.kind)
}

/// Whether the registry answered that it does not do what was asked, and will not.
fn is_refusal(fault: &Fault) -> bool {
    fault.answered && !fault.is_passing() && fault.trouble.kind == TroubleKind::AnswerInvalid
}

//! One page of a list of repositories or tags: why it was asked for, what it says, and what is wrong with it.
//!
//! What comes in place of a list is refused, and a page for people is called what it is.

use std::io;

use bytes::Bytes;
use reqwest::header::HeaderName;

use super::answer::Answer;
use super::detour::Detour;
use super::names::{self, Content, PageError};
use crate::failure::quote;
use crate::trouble::{Trouble, TroubleKind};

/// Where some registries say how many names a list has.
const TOTALS: [HeaderName; 2] = [HeaderName::from_static("x-total-count"), HeaderName::from_static("x-total")];

/// A page of a list.
pub(super) struct Page {
    /// Without its body, and so without a share of the budget: the reader of the list may wait.
    pub(super) answer: Answer,
    pub(super) content: Content,
    pub(super) way: Way,
    /// Whether it said anything that was not said before.
    pub(super) any_new: bool,
    /// How many names on it were there before.
    pub(super) repeated: u64,
}

/// Why a page was asked for.
#[derive(Debug, Clone)]
pub(super) enum Way {
    First,
    /// The page before names it as the next.
    Link,
    /// The page before may have been cut.
    Cut,
    /// The page before was cut, since this registry has more after it: until there is no more.
    After,
    /// The next page could not be had as the one before says.
    Instead(Detour),
    /// The registry says the same again whatever it is asked for, and so is asked for everything.
    Whole,
}

/// Reads the page whose names are in `member`.
pub(super) fn read(mut answer: Answer, member: &str) -> Result<(Answer, Content), Trouble> {
    match names::read(&answer.body, member) {
        Ok(content) => {
            answer.body = Bytes::new();
            Ok((answer, content))
        }
        Err(PageError::Json(error)) => {
            Err(answer.invalid(format!("is no list of {member}: {error}{}", other_type(&answer))))
        }
        Err(PageError::File(error)) => Err(unkept(&answer, &error)),
    }
}

/// How many names the list has, where the answer says so.
pub(super) fn total(answer: &Answer) -> Option<u64> {
    TOTALS.iter().find_map(|name| answer.headers.get(name)?.to_str().ok()?.trim().parse().ok())
}

pub(super) fn not_found(answer: &Answer) -> Trouble {
    Trouble::new(TroubleKind::NotFound, answer.sentence())
}

pub(super) fn unkept(answer: &Answer, error: &io::Error) -> Trouble {
    let message =
        format!("the names in the answer to {} cannot be kept in a temporary file: {error}", answer.request());
    Trouble::new(TroubleKind::FileUnusable, message)
}

/// What a page for people is called, where one came in place of a list.
fn other_type(answer: &Answer) -> String {
    match answer.media_type() {
        Ok(Some(media_type)) if !media_type.ends_with("json") => format!(" (it is of type {})", quote(&media_type)),
        _ => String::new(),
    }
}

pub(super) fn too_long(answer: &Answer) -> Trouble {
    let message = format!(
        "the answer to {} is out of order after more names than are remembered of all lists together",
        answer.request()
    );
    Trouble::new(TroubleKind::AnswerTooLarge, message)
}

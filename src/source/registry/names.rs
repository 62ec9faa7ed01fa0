//! What one page of a list says: its names, kept until they are asked for, and what stands beside them.
//!
//! A page may be as long as the whole list of a registry that knows no pages. It is read in one pass, and its names wait in
//! memory only if they are few; the others in a temporary file without a name, so that a list that waits for its turn holds
//! little. What is no name is kept as such: it is for the reader of the list to say so, and to go on.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;
use tempfile::SpooledTempFile;

use crate::json::{self, Inner, JsonError, Kind, each_inner, kind_of};
use crate::limits;

/// How long an entry may be in the text of the answer; what is longer is no name, however it is written.
const LONGEST_ENTRY: usize = 4 << 10;
/// What stands for such an entry in what is kept.
const TOO_LONG: &str = "too long";
/// How many entries are remembered from the end of a page.
const ENDS: usize = 3;
/// How much of a waiting page is read at a time, in bytes.
const READ_BYTES: usize = 4 << 10;

/// The entries of a page, in the order of the answer.
#[derive(Debug)]
pub(super) struct Names {
    lines: BufReader<SpooledTempFile>,
    line: String,
    /// How many entries there are in all.
    pub(super) count: u64,
    /// The texts of the last entries that have one, the last first.
    pub(super) ends: Vec<String>,
}

/// An entry of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Entry {
    /// A text.
    Text(String),
    /// No text, or one that is far too long: what it is, with its article.
    Other(String),
}

/// What a page says.
#[derive(Debug)]
pub(super) struct Content {
    pub(super) names: Names,
    /// What it names as lying below, in the way of Google's registries.
    pub(super) below: VecDeque<String>,
    /// Whether there is more below than is kept.
    pub(super) more_below: bool,
    /// How many manifests have no tag, where the page says so.
    pub(super) untagged: u64,
}

/// Why a page cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum PageError {
    /// It is no list.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// Its names cannot be kept.
    #[error("{0}")]
    File(#[from] io::Error),
}

/// A manifest in a list of tags of Google's registries.
#[derive(Deserialize)]
struct ListedManifest {
    tag: Option<Vec<IgnoredAny>>,
}

/// Reads the page whose member `member` holds the names; `null` is how some registries write that there are none.
pub(super) fn read(body: &[u8], member: &str) -> Result<Content, PageError> {
    let text = json::text(body)?;
    let mut kept = BufWriter::with_capacity(READ_BYTES, SpooledTempFile::new(limits::NAMES_IN_MEMORY_BYTES));
    let (mut count, mut ends) = (0, VecDeque::<&RawValue>::with_capacity(ENDS));
    let (mut below, mut more_below, mut untagged) = (VecDeque::new(), false, 0);
    let mut written = Ok(());
    let members = each_inner(text, |name, inner| match inner {
        Inner::Element(element) if name == member => {
            count += 1;
            if element.get().starts_with('"') && element.get().len() <= LONGEST_ENTRY {
                ends.truncate(ENDS - 1);
                ends.push_front(element);
            }
            if written.is_ok() {
                written = keep(&mut kept, element);
            }
        }
        Inner::Element(element) if name == "child" => match json::string(element) {
            Ok(child) if below.len() < limits::REPOSITORIES_BELOW => below.push_back(child.into_owned()),
            _ => more_below = true,
        },
        Inner::Member(_, manifest) if name == "manifest" => {
            let listed = serde_json::from_str::<ListedManifest>(manifest.get());
            untagged += u64::from(listed.is_ok_and(|listed| listed.tag.is_none_or(|tags| tags.is_empty())));
        }
        _ => {}
    })?;
    written?;
    match members.iter().find(|(name, _)| name == member).map(|(_, kind)| kind) {
        Some(Kind::Array | Kind::Null) => {}
        Some(Kind::Object | Kind::Plain) => {
            return Err(JsonError::Syntax(format!("the member {member:?} is no array")).into());
        }
        None => return Err(JsonError::Syntax(format!("there is no member {member:?}")).into()),
    }
    let mut lines = kept.into_inner().map_err(io::IntoInnerError::into_error)?;
    lines.seek(SeekFrom::Start(0))?;
    let ends = ends.into_iter().filter_map(|end| json::string(end).ok()).map(|end| end.into_owned()).collect();
    let names = Names { lines: BufReader::with_capacity(READ_BYTES, lines), line: String::new(), count, ends };
    Ok(Content { names, below, more_below, untagged })
}

/// Keeps an entry as one line of JSON: a text has no line break in it, and of anything else only the kind is of interest.
fn keep(kept: &mut impl Write, element: &RawValue) -> io::Result<()> {
    let line = match element.get() {
        text if text.len() > LONGEST_ENTRY => TOO_LONG,
        text if text.starts_with('"') => text,
        text if text.starts_with('{') => "{}",
        text if text.starts_with('[') => "[]",
        text => text,
    };
    kept.write_all(line.as_bytes())?;
    kept.write_all(b"\n")
}

impl Names {
    /// The next entry. `None`: there are no more.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        self.line.clear();
        if self.lines.read_line(&mut self.line)? == 0 {
            return Ok(None);
        }
        if self.line.trim_end() == TOO_LONG {
            return Ok(Some(Entry::Other(format!("an entry of more than {LONGEST_ENTRY} bytes"))));
        }
        // What was kept otherwise is JSON.
        let value: &RawValue = serde_json::from_str(self.line.trim_end())?;
        Ok(Some(match json::string(value) {
            Ok(text) => Entry::Text(text.into_owned()),
            Err(_) if value.get().starts_with('"') => Entry::Other("a string that is not text".to_owned()),
            Err(_) => Entry::Other(kind_of(value).to_owned()),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(body: &str) -> Vec<Entry> {
        let mut names = read(body.as_bytes(), "tags").unwrap().names;
        std::iter::from_fn(|| names.next().unwrap()).collect()
    }

    fn text(text: &str) -> Entry {
        Entry::Text(text.to_owned())
    }

    fn other(kind: &str) -> Entry {
        Entry::Other(kind.to_owned())
    }

    #[test]
    fn r10_entries_are_read_as_they_were_written_even_those_that_are_no_names() {
        let body = r#"{"tags":["a","","b\nc","\u00e4\ud83d\ude00",null,-1,{
            "x":1},["y"],true,"\ud800","d"]}"#;
        assert_eq!(
            entries(body),
            [
                text("a"),
                text(""),
                text("b\nc"),
                text("\u{e4}\u{1f600}"),
                other("null"),
                other("a number"),
                other("an object"),
                other("an array"),
                other("a boolean"),
                other("a string that is not text"),
                text("d"),
            ]
        );
        let long = format!(r#"{{"tags":["{}","b"]}}"#, "a".repeat(1 << 20));
        assert_eq!(entries(&long), [other("an entry of more than 4096 bytes"), text("b")]);
    }

    #[test]
    fn r03_a_long_page_waits_in_a_file() {
        let tags: Vec<String> = (0..100_000).map(|tag| format!("{tag:040}")).collect();
        let body = serde_json::json!({ "tags": tags }).to_string();
        let mut names = read(body.as_bytes(), "tags").unwrap().names;
        assert!(names.lines.get_ref().is_rolled());
        let ends: Vec<_> = tags.iter().rev().take(ENDS).cloned().collect();
        assert_eq!((names.count, &names.ends), (100_000, &ends));
        let found: Vec<_> = std::iter::from_fn(|| names.next().unwrap()).collect();
        assert_eq!(found, tags.iter().map(|tag| text(tag)).collect::<Vec<_>>());
    }

    #[test]
    fn r28_what_lies_below_and_what_has_no_tag_is_said() {
        let body = r#"{"child":["app","base"],"manifest":{"sha256:1":{"tag":["v1"]},"sha256:2":{"tag":[]},"sha256:3":{}},
            "name":"project","tags":["v1"]}"#;
        let Content { below, more_below, untagged, .. } = read(body.as_bytes(), "tags").unwrap();
        assert_eq!((below, more_below, untagged), (VecDeque::from(["app".to_owned(), "base".to_owned()]), false, 2));
        let odd = r#"{"child":"app","manifest":["x"],"tags":null}"#;
        let Content { names, below, untagged, .. } = read(odd.as_bytes(), "tags").unwrap();
        assert_eq!((names.count, below.len(), untagged), (0, 0, 0));
    }

    #[test]
    fn what_is_no_list_is_refused() {
        for body in ["{}", r#"{"tags":"a"}"#, r#"{"tags":{}}"#, r#"{"tags":["a"],"Tags":[]}"#, "[]", "<html>", ""] {
            assert!(matches!(read(body.as_bytes(), "tags"), Err(PageError::Json(_))), "{body}");
        }
    }
}

//! Diagnostics that point into a file that a person wrote.
//!
//! A diagnostic says what is wrong, where (file, line, column, and the line itself with the place marked), and how to
//! mend it. It is plain data: it owns its excerpt, so it outlives the text it was found in. Nothing of the file is
//! shown unescaped: control characters could move the reader's terminal.

use std::fmt::{self, Write as _};
use std::ops::Range;

use anstyle::{AnsiColor, Style};

/// The longest line shown in full, in characters; of a longer one the part around the place is shown.
const LINE_CHARACTERS: usize = 160;
/// How many characters of a cut line are shown before the place.
const BEFORE_CHARACTERS: usize = 40;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Severity {
    /// The file is refused.
    Error,
    /// The file is taken, but probably does not mean what its author thinks.
    Warning,
    /// The file is taken as it is meant; its reader should know something about it.
    Note,
}

/// One thing that is wrong with a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub severity: Severity,
    /// The stable kebab-case word for this kind of finding.
    pub code: &'static str,
    /// What is wrong, as one sentence without a full stop; text from the file has been quoted.
    pub message: String,
    /// How to mend it.
    pub help: Option<String>,
    /// The file, as the user named it.
    pub file: String,
    /// Where in the file; `None` where the whole file is meant.
    pub span: Option<Span>,
    /// The line at the span, ready to be shown.
    pub excerpt: Option<Excerpt>,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Bytes before it.
    pub offset: usize,
    /// Its length, in bytes.
    pub length: usize,
    /// Its line, from 1.
    pub line: usize,
    /// Its column in characters, from 1.
    pub column: usize,
}

/// The shown part of a line, escaped, with the place to mark in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    /// What is shown.
    pub text: String,
    /// Characters before the mark.
    pub mark: usize,
    /// The length of the mark, in characters; at least 1.
    pub length: usize,
}

/// The text of a file with its line starts, from which diagnostics take their places.
#[derive(Debug)]
pub struct SourceText<'a> {
    file: &'a str,
    text: &'a str,
    lines: Vec<usize>,
}

impl Diagnostic {
    /// An error about the file as a whole.
    pub fn error(code: &'static str, file: &str, message: impl Into<String>) -> Diagnostic {
        let (message, file) = (message.into(), file.to_owned());
        Diagnostic { severity: Severity::Error, code, message, help: None, file, span: None, excerpt: None }
    }

    /// A warning about the file as a whole.
    pub fn warning(code: &'static str, file: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic { severity: Severity::Warning, ..Diagnostic::error(code, file, message) }
    }

    /// The same, with a way to mend it.
    #[must_use]
    pub fn with_help(self, help: impl Into<String>) -> Diagnostic {
        Diagnostic { help: Some(help.into()), ..self }
    }

    /// The diagnostic for a terminal: several lines with a line end after the last, coloured if `color` says so.
    pub fn render(&self, color: bool) -> String {
        let style = |style: Style| if color { style } else { Style::new() };
        let (word, hue) = match self.severity {
            Severity::Error => ("error", AnsiColor::BrightRed),
            Severity::Warning => ("warning", AnsiColor::BrightYellow),
            Severity::Note => ("note", AnsiColor::BrightCyan),
        };
        let loud = style(hue.on_default().bold());
        let strong = style(Style::new().bold());
        let faint = style(AnsiColor::BrightBlue.on_default().bold());

        let mut out = format!("{loud}{word}[{}]{loud:#}{strong}: {}{strong:#}\n", self.code, self.message);
        let number = self.span.map(|span| span.line.to_string()).unwrap_or_default();
        let margin = " ".repeat(number.len());
        // Writing to a String cannot fail.
        let _ =
            write!(out, "{margin}{faint}-->{faint:#} {}", self.file.chars().flat_map(printable).collect::<String>());
        if let Some(span) = self.span {
            let _ = write!(out, ":{}:{}", span.line, span.column);
        }
        out.push('\n');
        if let Some(excerpt) = &self.excerpt {
            let _ = writeln!(out, "{margin} {faint}|{faint:#}");
            let _ = writeln!(out, "{faint}{number} |{faint:#} {}", excerpt.text);
            let (gap, mark) = (" ".repeat(excerpt.mark), "^".repeat(excerpt.length));
            let _ = writeln!(out, "{margin} {faint}|{faint:#} {gap}{loud}{mark}{loud:#}");
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{margin} {faint}={faint:#} {strong}help{strong:#}: {help}");
        }
        out
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl<'a> SourceText<'a> {
    /// The text of `file`.
    pub fn new(file: &'a str, text: &'a str) -> SourceText<'a> {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let lines = std::iter::once(0).chain(ends.map(|(offset, _)| offset + 1)).collect();
        SourceText { file, text, lines }
    }

    /// The text itself.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The line of the byte at `offset`, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.lines.partition_point(|start| *start <= offset).max(1)
    }

    /// The byte at `column` (in bytes, from 1) of `line` (from 1), or the nearest one there is.
    pub fn offset(&self, line: usize, column: usize) -> usize {
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or(self.text.len());
        self.boundary(start.saturating_add(column.saturating_sub(1)))
    }

    /// An error at `range` (bytes).
    pub fn error(&self, code: &'static str, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Severity::Error, code, range, message.into())
    }

    /// A warning at `range` (bytes).
    pub fn warning(&self, code: &'static str, range: Range<usize>, message: impl Into<String>) -> Diagnostic {
        self.diagnostic(Severity::Warning, code, range, message.into())
    }

    fn diagnostic(&self, severity: Severity, code: &'static str, range: Range<usize>, message: String) -> Diagnostic {
        let (start, end) = (self.boundary(range.start), self.boundary(range.end.max(range.start)));
        let line = self.line(start);
        let line_start = self.lines.get(line - 1).copied().unwrap_or(0);
        let before = &self.text[line_start..start];
        Diagnostic {
            severity,
            code,
            message,
            help: None,
            file: self.file.to_owned(),
            span: Some(Span { offset: start, length: end - start, line, column: before.chars().count() + 1 }),
            excerpt: Some(Excerpt::of(before, &self.text[start..], end - start)),
        }
    }

    /// The nearest start of a character at or before `offset`.
    fn boundary(&self, offset: usize) -> usize {
        self.text.floor_char_boundary(offset)
    }
}

impl Excerpt {
    /// Shows a line: `before` is its part before the place, `rest` the text from the place on, of which `length` bytes
    /// are marked. Takes no longer for a line without end.
    fn of(before: &str, rest: &str, length: usize) -> Excerpt {
        let marked = line(&rest[..length]).take(LINE_CHARACTERS).count();
        let short = before.len() <= LINE_CHARACTERS && {
            let room = LINE_CHARACTERS - before.chars().count();
            line(rest).nth(room).is_none()
        };
        let cut = if short { None } else { before.char_indices().rev().nth(BEFORE_CHARACTERS - 1) };
        let shown = cut.map_or(before, |(cut, _)| &before[cut..]);
        let mut text = String::from(if shown.len() < before.len() { "…" } else { "" });
        text.extend(shown.chars().flat_map(printable));
        let mark = text.chars().count();
        let mut after = line(rest);
        text.extend(after.by_ref().take(marked).flat_map(printable));
        let length = (text.chars().count() - mark).max(1);
        let room = LINE_CHARACTERS.saturating_sub(shown.chars().count() + marked);
        text.extend(after.by_ref().take(room).flat_map(printable));
        if after.next().is_some() {
            text.push('…');
        }
        Excerpt { text, mark, length }
    }
}

/// The characters of the first line of `text`.
fn line(text: &str) -> impl Iterator<Item = char> {
    text.chars().take_while(|character| !matches!(character, '\n' | '\r'))
}

/// A character, escaped if a terminal would act on it; a tab becomes a space, so that marks stay in place.
fn printable(character: char) -> impl Iterator<Item = char> {
    let moves =
        matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}');
    let escaped = (character.is_control() || moves) && character != '\t';
    let plain = if character == '\t' { ' ' } else { character };
    let escape = escaped.then(|| character.escape_unicode());
    escape.into_iter().flatten().chain((!escaped).then_some(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "{\n\t\"näme\": \"a\",\r\n  \"b\": \"\u{1b}[31m\"\n}";

    fn at(needle: &str) -> Range<usize> {
        let start = TEXT.find(needle).unwrap();
        start..start + needle.len()
    }

    #[test]
    fn shows_the_place() {
        let source = SourceText::new("policy.json", TEXT);
        let shown = source.error("name-wrong", at("\"a\""), "the name is wrong").with_help("mend it").render(false);
        let expected = "error[name-wrong]: the name is wrong\n --> policy.json:2:10\n  |\n2 |  \"näme\": \"a\",\n  |          ^^^\n  = help: mend it\n";
        assert_eq!(shown, expected);
    }

    #[test]
    fn columns_count_characters_from_one() {
        let source = SourceText::new("p", TEXT);
        for (needle, line, column) in [("{", 1, 1), ("\"näme", 2, 2), ("\"a\"", 2, 10), ("\"b", 3, 3), ("}", 4, 1)] {
            let span = source.error("x", at(needle), "").span.unwrap();
            assert_eq!((span.line, span.column, span.length), (line, column, needle.len()), "{needle}");
        }
    }

    #[test]
    fn nothing_of_the_file_reaches_the_terminal_unescaped() {
        let shown = SourceText::new("p\u{1b}]0;x", TEXT).error("x", at("\u{1b}[31m"), "m").render(false);
        assert!(!shown.contains('\u{1b}'), "{shown}");
        assert!(shown.contains(r#""b": "\u{1b}[31m""#), "{shown}");
        let mark = shown.lines().find(|line| line.contains('^')).unwrap();
        assert_eq!(mark.matches('^').count(), r"\u{1b}[31m".len());
    }

    #[test]
    fn long_lines_are_cut_around_the_place() {
        let text = format!("{}HERE{}", "a".repeat(100_000), "b".repeat(100_000));
        let excerpt = SourceText::new("p", &text).error("x", 100_000..100_004, "").excerpt.unwrap();
        assert!(excerpt.text.starts_with("…aaa") && excerpt.text.ends_with("bbb…"), "{excerpt:?}");
        assert!(excerpt.text.chars().count() < 170);
        let marked: String = excerpt.text.chars().skip(excerpt.mark).take(excerpt.length).collect();
        assert_eq!(marked, "HERE");
        let all = SourceText::new("p", &text).error("x", 0..text.len(), "").excerpt.unwrap();
        assert!(all.text.chars().count() < 170 && all.length <= 160);
    }

    #[test]
    fn places_outside_the_text_are_shown_at_its_end() {
        for text in ["", "\n", "ä", "a\nb"] {
            let source = SourceText::new("p", text);
            for range in [0..0, 1..2, 1000..2000] {
                let diagnostic = source.error("x", range, "m");
                assert!(diagnostic.span.unwrap().offset <= text.len());
                assert!(diagnostic.render(true).contains('^'));
            }
        }
        assert_eq!(SourceText::new("p", "a\nbc").offset(2, 2), 3);
        assert_eq!(SourceText::new("p", "a\nbc").offset(9, 9), 4);
    }

    #[test]
    fn colour_is_asked_for() {
        let diagnostic = Diagnostic::error("x", "p", "m");
        assert!(!diagnostic.render(false).contains('\u{1b}'));
        assert!(diagnostic.render(true).contains('\u{1b}'));
        assert_eq!(diagnostic.to_string(), "error[x]: m\n--> p");
    }
}

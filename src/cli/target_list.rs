//! Lists of targets: `@FILE`, or `-` for standard input, one target a line.
//!
//! Blank lines and lines that begin with `#` are passed over, and so is what follows a `#` with blank space before it; a byte
//! order mark and CRLF are tolerated. Refused, by file and line: what is no target, what is not UTF-8, overlong lines, and
//! lists in lists. A target that is named twice is judged once.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};

use super::target::{self, TargetError};
use crate::audit::Target;
use crate::digest::Digest;
use crate::failure::quote;

/// The longest line, in bytes; longer than any reference, long enough for any path.
const LINE_BYTES: u64 = 8 << 10;
/// How many errors are listed before reading stops.
const ERRORS: usize = 20;

/// The targets of a run.
#[derive(Debug, Default)]
pub(super) struct Targets {
    /// Each once, in the order in which they were written.
    pub(super) targets: Vec<Target>,
    /// How many were named again.
    pub(super) duplicates: u64,
}

/// Reads the targets of a command line, with the lists that it names; `stdin` is what `-` reads. Fails with everything
/// that is wrong, up to a readable number.
pub(super) fn read(arguments: &[String], stdin: impl Read) -> Result<Targets, Vec<String>> {
    let mut stdin = Some(stdin);
    let mut reading = Reading::default();
    for argument in arguments {
        if argument == "-" {
            match stdin.take() {
                Some(stdin) => reading.list("standard input", stdin),
                None => reading.errors.push("standard input can be read only once: give - once".to_owned()),
            }
        } else if let Some(file) = argument.strip_prefix('@') {
            match File::open(file) {
                Ok(opened) => reading.list(file, opened),
                Err(error) => reading.errors.push(format!("cannot read the list {}: {error}", quote(file))),
            }
        } else {
            match target::parse(argument) {
                Ok(target) => reading.add(target),
                Err(error) => reading.errors.push(error.to_string()),
            }
        }
    }
    if reading.errors.is_empty() { Ok(reading.found) } else { Err(reading.errors) }
}

#[derive(Default)]
struct Reading {
    found: Targets,
    /// What was seen, by the first half of its hash: a million targets need 16 MB.
    seen: HashSet<[u8; 16]>,
    errors: Vec<String>,
}

impl Reading {
    fn add(&mut self, target: Target) {
        if self.seen.insert(Digest::sha256(target.to_string().as_bytes()).beginning()) {
            self.found.targets.push(target);
        } else {
            self.found.duplicates += 1;
        }
    }

    fn list(&mut self, name: &str, file: impl Read) {
        let name = if name == "standard input" { name.to_owned() } else { quote(name) };
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        for number in 1_u64.. {
            line.clear();
            match (&mut file).take(LINE_BYTES + 1).read_until(b'\n', &mut line) {
                Ok(0) => return,
                Ok(_) if line.len() as u64 > LINE_BYTES && !line.ends_with(b"\n") => {
                    // What follows has no line number any more.
                    self.errors.push(format!("{name}:{number}: the line is longer than {LINE_BYTES} bytes"));
                    return;
                }
                Ok(_) if number == 1 && [b"\xff\xfe", b"\xfe\xff"].iter().any(|mark| line.starts_with(*mark)) => {
                    self.errors.push(format!("{name}: the list is in UTF-16: save it as UTF-8"));
                    return;
                }
                Ok(_) => {}
                Err(error) => {
                    self.errors.push(unreadable(&name, number, &error));
                    return;
                }
            }
            match read_line(&line, number == 1) {
                Ok(Some(target)) => self.add(target),
                Ok(None) => {}
                Err(problem) => self.errors.push(format!("{name}:{number}: {problem}")),
            }
            if self.errors.len() >= ERRORS {
                self.errors.push(format!("{name}: more than that is wrong; the rest was not read"));
                return;
            }
        }
    }
}

fn read_line(line: &[u8], first: bool) -> Result<Option<Target>, String> {
    let text = std::str::from_utf8(line).map_err(|_| "the line is not UTF-8".to_owned())?;
    let text = if first { text.trim_start_matches('\u{feff}') } else { text };
    match without_comment(text.trim_ascii()) {
        "" => Ok(None),
        list if list == "-" || list.starts_with('@') => Err("a list cannot name another list".to_owned()),
        target => target::parse(target).map(Some).map_err(|error: TargetError| error.to_string()),
    }
}

/// The line without its comment. A `#` inside a word is none: the path of a layout may have one.
fn without_comment(line: &str) -> &str {
    let begins =
        |(at, _): &(usize, &str)| line[..*at].chars().next_back().is_none_or(|before| before.is_ascii_whitespace());
    match line.match_indices('#').find(begins) {
        Some((at, _)) => line[..at].trim_ascii(),
        None => line,
    }
}

fn unreadable(name: &str, number: u64, error: &io::Error) -> String {
    format!("{name}:{number}: cannot go on reading: {error}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from_list(list: &[u8]) -> Result<Targets, Vec<String>> {
        read(&["-".to_owned()], list)
    }

    #[test]
    fn k_lists_tolerate_what_editors_leave() {
        let list = b"\xef\xbb\xbfa.io/b:v1\r\n\r\n# why\n  a.io/c  \n\t\na.io/b:v1 # again\n\t# a.io/x\na.io/team/\t# all\noci:d#1:v1";
        let read = from_list(list).unwrap();
        let names: Vec<_> = read.targets.iter().map(ToString::to_string).collect();
        assert_eq!(names, ["a.io/b:v1", "a.io/c", "a.io/team/", "oci:d#1:v1"]);
        assert_eq!(read.duplicates, 1);
        assert!(from_list(b"").unwrap().targets.is_empty());
    }

    #[test]
    fn k_lists_refuse_by_file_and_line() {
        let longest = |length: usize| [b"a.io/b\n", " ".repeat(length).as_bytes(), b"\n"].concat();
        assert!(from_list(&longest(LINE_BYTES as usize)).is_ok());
        for (list, expected) in [
            (b"\xff\xfea\0\n\0".to_vec(), "standard input: the list is in UTF-16: save it as UTF-8"),
            (b"\xfe\xff\0a\0\n".to_vec(), "standard input: the list is in UTF-16: save it as UTF-8"),
            (b"a.io/b\na.io/\xff".to_vec(), "standard input:2: the line is not UTF-8"),
            (longest(LINE_BYTES as usize + 1), "standard input:2: the line is longer than 8192 bytes"),
            (vec![b'x'; 10 << 20], "standard input:1: the line is longer than 8192 bytes"),
            (b"a.io/b\n\n@other".to_vec(), "standard input:3: a list cannot name another list"),
            (b"a.io/b\0c".to_vec(), "standard input:1: \"a.io/b\\u{0}c\" is no target"),
            (b"\n\xef\xbb\xbfa.io/b".to_vec(), "standard input:2: \"\\u{feff}a.io/b\" is no target"),
        ] {
            let errors = from_list(&list).unwrap_err();
            assert!(errors[0].starts_with(expected), "{errors:?}");
        }
    }

    #[test]
    fn k_a_list_of_errors_ends() {
        let errors = from_list("A/B\n".repeat(1000).as_bytes()).unwrap_err();
        assert_eq!(errors.len(), ERRORS + 1);
    }

    #[test]
    fn lists_and_targets_mix_and_count_duplicates_across() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("list");
        std::fs::write(&file, "a.io/b\nc.io\n").unwrap();
        let at = format!("@{}", file.display());
        let all = read(&["c.io".to_owned(), at, "-".to_owned()], &b"a.io/b"[..]).unwrap();
        assert_eq!((all.targets.len(), all.duplicates), (2, 2));

        let missing = read(&["@/does/not/exist".to_owned()], io::empty()).unwrap_err();
        assert!(missing[0].starts_with("cannot read the list \"/does/not/exist\""), "{missing:?}");
        let twice = read(&["-".to_owned(), "-".to_owned()], io::empty()).unwrap_err();
        assert!(twice[0].contains("only once"));
    }
}

//! `docs/registries.md`: every row of a table of habits names a test that exists, or says by a dash that there can be none.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use crate::stricter_than_notation::{tables, tests_in};
use crate::{root, rust_files};

#[test]
fn every_habit_names_its_test() {
    let mut tests = BTreeSet::new();
    for folder in ["src", "tests"] {
        for file in rust_files(&root().join(folder)) {
            tests.extend(tests_in(&fs::read_to_string(file).unwrap()));
        }
    }
    let text = fs::read_to_string(root().join("docs/registries.md")).unwrap();
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (header, body) in tables(&text) {
        assert_eq!(header.last().map(String::as_str), Some("test"), "{header:?}");
        for cells in body {
            rows += 1;
            let (first, last) = (&cells[0], cells.last().unwrap());
            let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            let unknown: Vec<_> = named.iter().filter(|name| !tests.contains(**name)).collect();
            if !unknown.is_empty() || (named.is_empty() && last != "–") || cells.len() != header.len() {
                wrong.push(format!("{first}: {unknown:?} {last}"));
            }
        }
    }
    assert!(rows > 80 && wrong.is_empty(), "{rows} rows, wrong are {wrong:#?}");
}

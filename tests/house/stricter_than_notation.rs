//! `docs/stricter-than-notation.md`: every row of every table says by which test it is held, and there is that test.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use crate::{root, rust_files};

/// The names of the functions in `text` that are tests: those whose attributes, which stand right above, say so.
pub(crate) fn tests_in(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("#[test]") || line.starts_with("#[tokio::test") {
            is_test = true;
        } else if let Some(name) = ["fn ", "async fn "].iter().find_map(|start| line.strip_prefix(start)) {
            if is_test {
                found.push(name.split('(').next().unwrap().to_owned());
            }
            is_test = false;
        } else if !line.starts_with('#') && !line.starts_with("//") && !line.is_empty() {
            is_test = false;
        }
    }
    found
}

/// A table: the text of its header, and of each row, cell by cell.
pub(crate) type Table = (Vec<String>, Vec<Vec<String>>);

fn cells(line: &str) -> Vec<String> {
    let inside = line.trim().trim_start_matches('|').trim_end_matches('|');
    inside.split('|').map(|cell| cell.trim().to_owned()).collect()
}

pub(crate) fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut above = "";
    for line in text.lines() {
        match (line.starts_with('|'), above.starts_with('|')) {
            (true, false) => tables.push((cells(line), Vec::new())),
            (true, true) if !line.starts_with("|-") => tables.last_mut().unwrap().1.push(cells(line)),
            _ => {}
        }
        above = line;
    }
    tables
}

#[test]
fn each_row_is_held_by_a_test_that_there_is() {
    let mut tests = BTreeSet::new();
    for file in ["src", "tests"].into_iter().flat_map(|folder| rust_files(&root().join(folder))) {
        tests.extend(tests_in(&fs::read_to_string(file).unwrap()));
    }
    assert!(tests.len() > 1000, "{}", tests.len());
    let is_held = |name: &str| tests.contains(name) || (name.starts_with("scenarios/") && root().join(name).is_file());

    let text = fs::read_to_string(root().join("docs/stricter-than-notation.md")).unwrap();
    let tables = tables(&text);
    assert_eq!(tables.len(), text.lines().filter(|line| line.starts_with("|-")).count());
    let mut wrong = Vec::new();
    let mut rows = 0;
    for (header, body) in &tables {
        assert_eq!(header.last().map(String::as_str), Some("held by"), "the last column of the table {header:?}");
        assert!(!body.is_empty(), "no row in the table {header:?}");
        for row in body {
            rows += 1;
            assert_eq!(row.len(), header.len(), "a row has not the columns of its table: {row:?}");
            let held_by = row.last().unwrap();
            let names: Vec<&str> =
                held_by.split(", ").filter_map(|name| name.strip_prefix('`')?.strip_suffix('`')).collect();
            if names.len() != held_by.split(", ").count() || !names.iter().all(|name| is_held(name)) {
                wrong.push(format!("{}: {held_by}", row[0]));
            }
        }
    }
    assert!(wrong.is_empty(), "held by no test and no scenario that there is:\n{}", wrong.join("\n"));
    assert!(rows > 60, "{rows}");
}

#[test]
fn tests_are_told_from_other_functions() {
    let text = "#[test]\nfn one() {\n}\nfn two() {\n}\n#[tokio::test(flavor = \"x\")]\n#[ignore]\nasync fn three() {\n}\n\
                #[test]\n// Why.\nfn four() {}\nasync fn five() {}\n";
    assert_eq!(tests_in(text), ["one", "three", "four"]);
}

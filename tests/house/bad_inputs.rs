//! `docs/bad-inputs.md`: every row says by which test it is held, and there is that test; every test and scenario that is
//! named after a row has one.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::stricter_than_notation::{tables, tests_in};
use crate::{root, rust_files};

/// The rows for which there is no test. Each says why.
const WITHOUT_TEST: [&str; 4] = ["K11", "K12", "K13", "K14"];

/// Whether `text` is the number of a row, in small letters: `b22`.
fn is_row(text: &str) -> bool {
    matches!(text.as_bytes(), [b'a'..=b'k', tens, units] if tens.is_ascii_digit() && units.is_ascii_digit())
}

/// The rows after which something is called `name`: those it begins with.
fn rows_of(name: &str, separator: char) -> Vec<String> {
    name.split(separator).take_while(|part| is_row(part)).map(str::to_uppercase).collect()
}

/// Whether `name` belongs to section J or K without a number: there the rows name their tests.
fn is_without_number(name: &str, separator: char) -> bool {
    name.split(separator).next().is_some_and(|first| ["j", "k"].contains(&first))
}

/// The scenario files, as paths from the root.
fn scenarios(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(scenarios(&path));
        } else if path.extension().is_some_and(|extension| extension == "yaml") {
            found.insert(path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/"));
        }
    }
    found
}

/// What stands between backticks in `cell`.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[test]
fn rows_and_tests_name_each_other() {
    let mut source = String::new();
    let mut tests = BTreeSet::new();
    for (folder, is_source) in [("src", true), ("tests", false)] {
        for file in rust_files(&root().join(folder)) {
            let text = fs::read_to_string(file).unwrap();
            tests.extend(tests_in(&text));
            if is_source {
                source.push_str(&text);
            }
        }
    }
    let scenarios = scenarios(&root().join("scenarios"));

    let text = fs::read_to_string(root().join("docs/bad-inputs.md")).unwrap();
    let mut rows: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut without_test = Vec::new();
    let mut wrong = Vec::new();
    for (header, body) in tables(&text) {
        assert_eq!(header, ["row", "input", "what must happen", "specification", "tested by"]);
        for cells in body {
            let [row, _, outcome, _, tested_by] = cells.as_slice() else { panic!("not five columns: {cells:?}") };
            assert!(is_row(&row.to_lowercase()), "{row} is no number of a row");
            assert!(cells.iter().all(|cell| !cell.is_empty()), "{row} has an empty cell");
            for code in quoted(outcome)
                .filter(|word| word.contains('-') && word.bytes().all(|b| b"-abcdefghijklmnopqrstuvwxyz".contains(&b)))
            {
                if !source.contains(&format!("\"{code}\"")) {
                    wrong.push(format!("{row}: there is no code {code}"));
                }
            }
            let names: Vec<String> = quoted(tested_by).map(str::to_owned).collect();
            if tested_by.starts_with("none: ") {
                without_test.push(row.clone());
            } else if names.is_empty() {
                wrong.push(format!("{row}: names no test"));
            }
            for name in &names {
                if !tests.contains(name) && !scenarios.contains(name) {
                    wrong.push(format!("{row}: there is no {name}"));
                }
            }
            assert!(rows.insert(row.clone(), names).is_none(), "{row} stands twice");
        }
    }
    assert_eq!(without_test, WITHOUT_TEST);
    assert!(rows.len() > 200, "{}", rows.len());

    let listed: BTreeSet<&String> = rows.values().flatten().collect();
    let file_name = |path: &str| path.rsplit('/').next().unwrap().to_owned();
    let named = tests.iter().map(|test| (test, test.clone(), '_'));
    let named = named.chain(scenarios.iter().map(|path| (path, file_name(path), '-')));
    for (whole, name, separator) in named {
        for row in rows_of(&name, separator) {
            match rows.get(&row) {
                None => wrong.push(format!("{whole}: there is no row {row}")),
                Some(names) if !names.contains(whole) => wrong.push(format!("{whole}: row {row} does not name it")),
                Some(_) => {}
            }
        }
        if is_without_number(&name, separator) && !listed.contains(whole) {
            wrong.push(format!("{whole}: no row names it"));
        }
    }
    assert!(wrong.is_empty(), "docs/bad-inputs.md:\n{}", wrong.join("\n"));
}

#[test]
fn rows_are_read_from_names() {
    assert_eq!(rows_of("b13_c14_unknown", '_'), ["B13", "C14"]);
    assert_eq!(rows_of("f01-crl-signer.yaml", '-'), ["F01"]);
    for name in ["a_bad_signature", "m01_x", "b2_x", "b222_x", "is_b22"] {
        assert!(rows_of(name, '_').is_empty(), "{name}");
    }
    assert!(
        is_without_number("j_hangs", '_') && is_without_number("k_lists", '_') && is_without_number("j-hang.yaml", '-')
    );
    assert!(!is_without_number("json_is", '_') && !is_without_number("j01_x", '_'));
}

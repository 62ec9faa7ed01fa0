//! The judgement of the reference implementation, and the list of where Muster's differs.

use std::collections::BTreeMap;
use std::fs;

use muster::policy::TrustPolicy;
use serde_json::Value;

use super::documents::*;

const INTEROP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop");

/// The rows of the first table of the document that lists where Muster is stricter: document name and code.
fn documented_differences() -> BTreeMap<String, String> {
    let text = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/stricter-than-notation.md")).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("Trust policy documents that")).unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let mut cells = row.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).skip(1);
        let difference = (cells.next().unwrap(), cells.next().unwrap());
        assert!(cells.next().unwrap().len() > 20, "no reason: {row}");
        difference
    })
    .collect()
}

#[test]
fn judges_157_documents_as_notation_does_except_where_documented() {
    let lines = fs::read_to_string(format!("{INTEROP}/policy-validity.jsonl")).unwrap();
    let mut differences = BTreeMap::new();
    let mut count = 0;
    for line in lines.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let name = case["name"].as_str().unwrap();
        let text = serde_json::to_string_pretty(&case["document"]).unwrap();
        let codes = codes(&text);
        count += 1;
        match (case["valid"].as_bool().unwrap(), codes.is_empty()) {
            (true, false) => {
                differences.insert(name.to_owned(), codes.join(", "));
            }
            (false, true) => panic!("notation refuses {name:?}, Muster does not: {}", case["error"]),
            _ => {}
        }
    }
    println!("{count} documents, {} judged more strictly than by notation", differences.len());
    assert_eq!(count, 157);
    assert_eq!(differences, documented_differences());
}

#[test]
fn the_policies_of_the_interop_corpus_are_valid_without_a_warning() {
    let mut count = 0;
    for entry in fs::read_dir(format!("{INTEROP}/policies")).unwrap() {
        let policy = TrustPolicy::load(&entry.unwrap().path()).unwrap();
        assert!(policy.warnings().is_empty(), "{}", policy.warnings()[0]);
        count += 1;
    }
    assert_eq!(count, 17);
}

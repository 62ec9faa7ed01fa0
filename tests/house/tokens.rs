//! `docs/tokens.md`: every row about a product names a test that exists, or says by a dash that there can be none; and the steps
//! of `muster token check` are those that it writes.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::BTreeSet;
use std::fs;

use crate::stricter_than_notation::{Table, tables, tests_in};
use crate::{root, rust_files};

/// The products that the page has to speak of in each table about products.
const PRODUCTS: [&str; 10] =
    ["SoftHSM", "YubiKey PIV", "YubiHSM", "Nitrokey", "TPM 2.0", "CloudHSM", "Luna", "nShield", "Primus", "p11-kit"];

fn page() -> Vec<Table> {
    tables(&fs::read_to_string(root().join("docs/tokens.md")).unwrap())
}

#[test]
fn every_row_about_a_product_names_its_test() {
    let files = ["src", "tests"].into_iter().flat_map(|folder| rust_files(&root().join(folder)));
    let tests: BTreeSet<String> = files.flat_map(|file| tests_in(&fs::read_to_string(file).unwrap())).collect();
    // `s01_` stands for the tests of that case, whatever each of them shows.
    let is_test =
        |name: &str| tests.contains(name) || (name.ends_with('_') && tests.iter().any(|test| test.starts_with(name)));
    let (mut wrong, mut rows) = (Vec::new(), 0);
    for (header, body) in page().iter().filter(|(header, _)| header[0] == "product") {
        assert_eq!(header.last().map(String::as_str), Some("test"), "{header:?}");
        for cells in body {
            rows += 1;
            let last = cells.last().unwrap();
            let named: Vec<&str> = last.split('`').skip(1).step_by(2).collect();
            let unknown: Vec<_> = named.iter().filter(|name| !is_test(name)).collect();
            if !unknown.is_empty() || (named.is_empty() && last != "–") || cells.len() != header.len() {
                wrong.push(format!("{}: {unknown:?} {last}", cells[0]));
            }
        }
    }
    assert!(rows > 30 && wrong.is_empty(), "{rows} rows, wrong are {wrong:#?}");
}

#[test]
fn every_product_has_its_row() {
    let tables = page();
    let (_, body) = tables.iter().find(|(header, _)| header.iter().any(|cell| cell == "module")).unwrap();
    for product in PRODUCTS {
        assert!(body.iter().any(|cells| cells[0].contains(product)), "{product}");
    }
    // What was not tried on the product itself is not said to have been.
    let tried: Vec<_> = body.iter().filter(|cells| cells[4] != "no").map(|cells| cells[0].as_str()).collect();
    assert_eq!(tried, ["SoftHSM 2", "TPM 2.0", "p11-kit, proxy", "p11-kit, remote"]);
}

#[test]
fn the_steps_of_a_check_are_those_that_it_writes() {
    let schema = fs::read_to_string(root().join("schemas/token-check.v1.schema.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    let steps = schema["$defs"]["Step"]["oneOf"].as_array().unwrap();
    let steps: Vec<_> = steps.iter().map(|step| format!("`{}`", step["const"].as_str().unwrap())).collect();
    let tables = page();
    let (_, body) = tables.iter().find(|(header, _)| header[0] == "step").unwrap();
    assert_eq!(body.iter().map(|cells| cells[0].as_str()).collect::<Vec<_>>(), steps);
}

//! `docs/codes.md` lists every failure code as the table in the source has it. With `MUSTER_UPDATE=1` it is written anew.

use std::fs;

use muster::failure::{Class, Code};

use crate::root;

const HEAD: &str = "# Codes

Why an artifact, a signature or one of its validations fails, or could not be decided. A code is a promise: it is never renamed
and never reused. A test writes this page from `src/failure/code.rs`.

Result `fail`: the rules say no. Result `error`: they could not be applied. Where the trust policy only logs a validation, either
is `warn`.

| code | result | comes from | what to do |
|---|---|---|---|
";

#[test]
fn the_page_of_codes_is_the_table() {
    let rows = Code::ALL.iter().map(|code| {
        let result = match code.class() {
            Class::Fail => "`fail`",
            Class::Undecided => "`error`",
        };
        format!("| `{code}` | {result} | {} | {} |\n", code.section(), code.remedy().replace('|', "\\|"))
    });
    let table = format!("{HEAD}{}", rows.collect::<String>());
    let path = root().join("docs/codes.md");
    if std::env::var_os("MUSTER_UPDATE").is_some() {
        fs::write(path, table).unwrap();
    } else {
        let page = fs::read_to_string(path).unwrap();
        assert!(page == table, "docs/codes.md is out of date: run this test with MUSTER_UPDATE=1, read the change");
    }
}

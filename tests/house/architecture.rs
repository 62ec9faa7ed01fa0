//! The shape of the house: who may use whom, how long a file may be, and that every failure code is tested.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use crate::{root, rust_files};

use muster::failure::Code;

/// Longer than this, a file holds more than one idea.
const LONGEST_FILE: usize = 500;

/// The code of a file without its unit tests, which may use anything.
fn code(file: &Path) -> String {
    // From here: what lies above the project may have any name.
    let inside = file.strip_prefix(root()).unwrap();
    let tests = inside.ends_with("tests.rs") || inside.iter().any(|part| part == "tests");
    if tests {
        return String::new();
    }
    let text = fs::read_to_string(file).unwrap();
    let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn uses(code: &str) -> Vec<&str> {
    let mut used = Vec::new();
    for rest in code.split("crate::").skip(1) {
        // `crate::{a, b::c}` names several.
        let group = rest.strip_prefix('{').and_then(|group| group.split_once('}')).map(|(group, _)| group);
        for path in group.map_or(vec![rest], |group| group.split(',').map(str::trim).collect()) {
            used.push(path.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap());
        }
    }
    used
}

/// The chains of `super` in the code of `file` that lead out of its module of the library, which is named by `crate::` alone.
fn leaving(file: &Path, code: &str) -> Vec<String> {
    let inside = file.strip_prefix(root().join("src")).unwrap().with_extension("");
    // How deep the file lies below the library's root, the module itself being the first step.
    let depth = inside.iter().filter(|part| *part != "mod").count();
    let mut found = Vec::new();
    // The modules that are written inside the file and not yet closed, by what stands before them.
    let mut open: Vec<&str> = Vec::new();
    for line in code.lines() {
        let (before, rest) = line.split_at(line.len() - line.trim_start().len());
        if rest == "}" && open.last() == Some(&before) {
            open.pop();
        }
        let chain = rest.split("super::").skip(1).fold((0, 0), |(longest, here), after| {
            let here = here + 1;
            (longest.max(here), if after.is_empty() { here } else { 0 })
        });
        if chain.0 >= depth + open.len() {
            found.push(format!("{}: {rest}", file.display()));
        }
        if rest.ends_with('{') && rest.split_whitespace().rev().nth(2) == Some("mod") {
            open.push(before);
        }
    }
    found
}

#[test]
fn each_module_uses_only_those_listed_above_it() {
    let library = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let modules: Vec<&str> =
        library.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert!(modules.len() > 20, "{modules:?}");
    let mut seen = 0;
    for (position, module) in modules.iter().enumerate() {
        let single = root().join(format!("src/{module}.rs"));
        let mut files = if single.exists() { vec![single] } else { Vec::new() };
        let folder = root().join("src").join(module);
        files.extend(if folder.exists() { rust_files(&folder) } else { Vec::new() });
        for file in files {
            let code = code(&file);
            // What leaves by `super` would not be seen among the uses.
            assert_eq!(leaving(&file, &code), [""; 0]);
            for used in uses(&code) {
                let above = modules[..=position].contains(&used);
                assert!(above, "{} uses {used}, which lib.rs lists below {module}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 300, "only {seen} uses were found");
}

#[test]
fn chains_of_super_that_leave_a_module_are_seen() {
    let leaves = |file: &str, code: &str| !leaving(&root().join("src").join(file), code).is_empty();
    assert!(leaves("pki/der.rs", "use super::super::cli;"));
    assert!(leaves("pki/mod.rs", "use super::cli;") && leaves("address.rs", "    super::cli::run()"));
    assert!(leaves("pki/a/mod.rs", "fn f() { super::x(super::super::cli::run()) }"));
    assert!(leaves("pki/der.rs", "mod a {\n    use super::super::super::cli;\n}"));
    assert!(leaves("pki/der.rs", "mod a {\n    mod b {\n    }\n}\nuse super::super::cli;"));
    assert!(!leaves("pki/der.rs", "use super::a;\nuse super::b;\nfn f() { super::x(super::y()) }"));
    assert!(!leaves("pki/der.rs", "pub(crate) mod a {\n    use super::super::b;\n}"));
    assert!(!leaves("pki/a/b.rs", "use super::super::c;"));
}

#[test]
fn no_file_holds_more_than_one_idea() {
    for folder in ["src", "tests", "benches", "examples"] {
        for file in rust_files(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            let lines = text.lines().count();
            assert!(lines <= LONGEST_FILE, "{} has {lines} lines", file.display());
            let tests = code(&file).is_empty();
            assert!(text.starts_with("//!") || tests || folder != "src", "{} does not say what it is", file.display());
        }
    }
}

#[test]
fn every_failure_code_is_asserted_by_a_test() {
    let mut tests = String::new();
    for file in rust_files(&root().join("src")).into_iter().chain(rust_files(&root().join("tests"))) {
        let text = fs::read_to_string(&file).unwrap();
        let unit_tests = text.split_once("#[cfg(test)]\nmod tests {").map_or("", |(_, tests)| tests);
        let whole = file.ends_with("tests.rs") || file.strip_prefix(root()).unwrap().iter().any(|part| part == "tests");
        tests.push_str(if whole { &text } else { unit_tests });
    }
    // It would take a defect of ours to see this one.
    let untestable = [Code::InternalFault];
    for code in Code::ALL.iter().filter(|code| !untestable.contains(code)) {
        let named = tests.contains(&format!("Code::{code:?}"))
            || tests.contains(&format!("TroubleKind::{code:?}"))
            || tests.contains(&format!("\"{code}\""));
        assert!(named, "no test asserts {code}");
    }
}

#[test]
fn all_json_for_people_is_written_in_one_way() {
    let folders = ["src/report", "src/cli"];
    let files: Vec<PathBuf> = folders.iter().flat_map(|folder| rust_files(&root().join(folder))).collect();
    assert!(files.iter().any(|file| code(file).contains("json::to_writer(")));
    for file in files {
        assert!(!code(&file).contains("serde_json::to_"), "{} does not write by crate::json", file.display());
    }
}

/// What is peculiar to a kind of target or a format of report stands in its row.
#[test]
fn kinds_of_targets_and_formats_are_known_to_their_tables_only() {
    let matched = |file: &Path| ["Target::Layout", "TargetKind::named"].iter().any(|word| code(file).contains(word));
    let known = ["src/audit/target.rs", "src/audit/selection.rs", "src/audit/sources.rs", "src/cli/target.rs"];
    for file in rust_files(&root().join("src")).into_iter().filter(|file| matched(file)) {
        let name = file.strip_prefix(root()).unwrap().display().to_string();
        assert!(known.contains(&name.as_str()) || name.starts_with("src/audit/kinds/"), "{name}");
    }
    for file in rust_files(&root().join("src")).into_iter().filter(|file| code(file).contains("Format::named(")) {
        assert!(file.starts_with(root().join("src/report")), "{}", file.display());
    }
}

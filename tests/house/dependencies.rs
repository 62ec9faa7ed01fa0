//! `docs/dependencies.md` and `Cargo.toml` name the same dependencies, and every place that a row names is there and uses it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::stricter_than_notation::tables;
use crate::{root, rust_files};

/// The dependencies of a manifest: normal, of one platform, for tests, for the build.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut inside = false;
    for line in manifest.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let (table, name) = match section.rsplit_once("dependencies.") {
                Some((before, name)) => (before.is_empty() || before.ends_with(['.', '-']), Some(name)),
                None => (section.ends_with("dependencies"), None),
            };
            inside = table && name.is_none();
            found.extend(name.filter(|_| table).map(str::to_owned));
        } else if inside && let Some((name, _)) = line.split_once('=').filter(|_| !line.starts_with('#')) {
            found.insert(name.split('.').next().unwrap().trim().to_owned());
        }
    }
    found
}

/// The crates of the tables whose first column is `crate`, and the places that each is used in.
fn rows(page: &str) -> Vec<(String, Vec<String>)> {
    let quoted = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
    let tables = tables(page).into_iter().filter(|(header, _)| header[0] == "crate");
    tables.flat_map(|(_, rows)| rows).map(|row| (quoted(&row[0]).concat(), quoted(row.last().unwrap()))).collect()
}

/// The optional dependencies that each feature of a manifest names, as `feature crate`.
fn features(manifest: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let (mut inside, mut feature) = (false, "");
    for line in manifest.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if line.starts_with('[') && line.ends_with(']') {
            inside = line == "[features]";
        } else if inside {
            feature = line.split_once(" = ").map_or(feature, |(name, _)| name);
            let named = line.split('"').skip(1).step_by(2).filter_map(|name| name.strip_prefix("dep:"));
            found.extend(named.map(|name| format!("{feature} {name}")));
        }
    }
    found
}

/// The same as the page says it, in its tables that have a column `feature`.
fn features_told(page: &str) -> BTreeSet<String> {
    let mut told = BTreeSet::new();
    for (header, rows) in tables(page) {
        if let Some(column) = header.iter().position(|cell| cell == "feature") {
            told.extend(rows.iter().map(|row| format!("{} {}", row[column], row[0]).replace('`', "")));
        }
    }
    told
}

/// What page and manifest say differently.
fn differences(page: &str, manifest: &str) -> Vec<String> {
    let needed = dependencies(manifest);
    let rows = rows(page);
    let mut wrong = Vec::new();
    let mut told = BTreeSet::new();
    for (name, places) in &rows {
        if !told.insert(name.clone()) {
            wrong.push(format!("{name} has two rows"));
        }
        if places.is_empty() {
            wrong.push(format!("{name} is used nowhere"));
        }
    }
    wrong.extend(needed.difference(&told).map(|name| format!("{name} has no row")));
    wrong.extend(told.difference(&needed).map(|name| format!("{name} is no dependency")));
    let (features, told) = (features(manifest), features_told(page));
    wrong.extend(features.difference(&told).map(|row| format!("no row says: {row}")));
    wrong.extend(told.difference(&features).map(|row| format!("no feature has: {row}")));
    wrong
}

/// Whether the code, and not a comment, has a path or a macro of this crate: `name::`, not `other::name::`.
fn names_the_crate(code: &str, name: &str) -> bool {
    let path = format!("{}::", name.replace('-', "_"));
    code.lines().filter(|line| !line.trim_start().starts_with("//")).any(|line| {
        line.match_indices(&path).any(|(start, _)| {
            let before = line[..start].strip_suffix("::").unwrap_or(&line[..start]);
            !before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
        })
    })
}

/// Whether any Rust file at `place` uses the crate.
fn is_used(name: &str, place: &Path) -> bool {
    let files = if place.is_dir() { rust_files(place) } else { vec![place.to_owned()] };
    files.iter().any(|file| names_the_crate(&fs::read_to_string(file).unwrap_or_default(), name))
}

#[test]
fn page_and_manifest_name_the_same_dependencies() {
    let page = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let wrong = differences(&page, &manifest);
    assert!(wrong.is_empty(), "docs/dependencies.md and Cargo.toml:\n{}", wrong.join("\n"));
    assert!(rows(&page).len() > 40);
}

#[test]
fn every_place_of_a_row_uses_the_crate() {
    let page = fs::read_to_string(root().join("docs/dependencies.md")).unwrap();
    let mut wrong = Vec::new();
    for (name, places) in rows(&page) {
        let unused = places.iter().filter(|place| !is_used(&name, &root().join(place)));
        wrong.extend(unused.map(|place| format!("{place} does not use {name}")));
    }
    let mut by_hand = 0;
    for (header, rows) in tables(&page).iter().filter(|(header, _)| header[0] == "what") {
        let column = header.iter().position(|cell| cell == "where").unwrap();
        let places: Vec<&str> = rows.iter().flat_map(|row| row[column].split('`').skip(1).step_by(2)).collect();
        by_hand += places.len();
        let missing = places.into_iter().filter(|place| !root().join(place).exists());
        wrong.extend(missing.map(|place| format!("there is no {place}")));
    }
    assert!(by_hand > 10, "what is written by hand: only {by_hand} places were found");
    assert!(wrong.is_empty(), "docs/dependencies.md:\n{}", wrong.join("\n"));
}

#[test]
fn what_is_missing_on_either_side_is_told() {
    let manifest = "[package]\nname = \"x\"\n[dependencies]\none = \"1\"\ntwo.workspace = true\n# not = \"1\"\n\
                    [target.'cfg(unix)'.dependencies]\nthree = { version = \"1\", optional = true }\n\
                    [dev-dependencies.four]\nversion = \"1\"\n[build-dependencies]\nfive = \"1\"\n\
                    [features]\nsix = [\n    \"dep:three\", \"x/y\",\n]\n# seven = [\"dep:two\"]\n[lints.rust]\nseven = \"deny\"\n";
    assert_eq!(dependencies(manifest).into_iter().collect::<Vec<_>>(), ["five", "four", "one", "three", "two"]);

    let rows = |names: &[&str]| {
        let rows: String = names.iter().map(|name| format!("| `{name}` | it | `src/{name}.rs` |\n")).collect();
        format!(
            "| crate | what for | where |\n|---|---|---|\n{rows}\n| crate | feature | where |\n|---|---|---|\n\
             | `three` | `six` | `x` |\n\n| what | where |\n|---|---|\n| `eight` | `x` |\n"
        )
    };
    let whole = rows(&["one", "two", "four", "five"]);
    assert_eq!(differences(&whole, manifest), [""; 0]);
    let wrong = rows(&["one", "one", "two", "four", "nine"]).replace("`src/two.rs`", "everywhere");
    let wrong = wrong.replace("`six`", "`ten`");
    assert_eq!(
        differences(&wrong, manifest),
        [
            "one has two rows",
            "two is used nowhere",
            "five has no row",
            "nine is no dependency",
            "no row says: six three",
            "no feature has: ten three"
        ]
    );
}

#[test]
fn a_use_is_told_from_a_word() {
    for code in ["use der::Encode;", "let x = ::der::encode();", "    #[derive(der::Sequence)]"] {
        assert!(names_the_crate(code, "der"), "{code}");
    }
    for code in ["// use der::Encode;", "use crate::pki::der::walk;", "use x_der::y;", "let der = 1;"] {
        assert!(!names_the_crate(code, "der"), "{code}");
    }
    assert!(names_the_crate("use aws_lc_rs::digest;", "aws-lc-rs"));
}

//! The pages that people read: each file that they name is there, and each heading that a link leads to.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::pages::{inline_code, pages};
use crate::root;

/// The names of all files below `folder`, but for what is built and what is hidden.
fn file_names(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if !entry.file_type().unwrap().is_dir() {
            names.insert(name);
        } else if name != "target" && !name.starts_with('.') {
            file_names(&entry.path(), names);
        }
    }
}

/// Files and folders of the repository that the text names.
#[test]
fn every_file_that_is_named_exists() {
    let mut names = BTreeSet::new();
    file_names(root(), &mut names);
    let starts = ["src/", "tests/", "docs/", "schemas/", "examples/", "benches/", "fuzz/", "policies/", "scenarios/"];
    // JSON files are mostly those of the reader.
    let endings = [".toml", ".lock", ".rs", ".md", ".yaml", ".svg"];
    let mut seen = (0, 0);
    let mut wrong = Vec::new();
    for (page, content) in pages() {
        for code in inline_code(&content).iter().filter(|code| !code.contains(['*', '…', ' '])) {
            // Which is not kept, as the page says that names it.
            // And what marks the root of the reader's project.
            if ["fuzz/Cargo.lock", "muster.toml"].contains(&code.as_str())
                || code.split('/').any(|part| part != "README.md" && is_placeholder(part))
            {
                continue;
            }
            let exists = if starts.iter().any(|start| code.starts_with(start)) {
                seen.0 += 1;
                root().join(code).exists()
            } else if !code.contains('/') && endings.iter().any(|end| code.len() > end.len() && code.ends_with(end)) {
                seen.1 += 1;
                names.contains(code)
            } else {
                continue;
            };
            if !exists {
                wrong.push(format!("{}: there is no {code}", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen.0 > 120 && seen.1 >= 5, "{seen:?}");
}

/// Whether a part of a path stands for many, as in `formats/NAME.rs`.
fn is_placeholder(part: &str) -> bool {
    let name = part.split('.').next().unwrap();
    name.len() > 1 && name.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// The anchors of the headings of a page, as GitHub makes them.
fn anchors(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let outside = text.split("\n```").step_by(2);
    for heading in outside.flat_map(str::lines).filter(|line| line.starts_with('#')) {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
        let anchor: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let again = (1..).map(|number| format!("{anchor}-{number}"));
        let free = [anchor.clone()].into_iter().chain(again).find(|anchor| !anchors.contains(anchor));
        anchors.extend(free);
    }
    anchors
}

#[test]
fn every_file_and_heading_that_is_linked_exists() {
    let pages = pages();
    let mut headings = 0;
    for (page, text) in &pages {
        for link in text.split("](").skip(1).map(|rest| rest.split_once(')').unwrap().0) {
            if link.starts_with("https://") {
                continue;
            }
            let (path, anchor) = link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
            let file = if path.is_empty() { page.clone() } else { page.parent().unwrap().join(path) };
            assert!(file.exists(), "{}: {link}", page.display());
            if let Some(anchor) = anchor {
                headings += 1;
                let there = anchors(&fs::read_to_string(&file).unwrap());
                assert!(there.contains(anchor), "{}: {link}: there are {there:?}", page.display());
            }
        }
    }
    assert!(pages.len() > 8 && headings >= 3, "{} {headings}", pages.len());
}

#[test]
fn anchors_are_those_of_headings() {
    let text = "# One `two`: three-four\n\n```console\n# no heading\n```\n\n## One\n## One\n";
    assert_eq!(anchors(text).into_iter().collect::<Vec<_>>(), ["one", "one-1", "one-two-three-four"]);
}

//! The shape of the house: its architecture, its documents, and its schemas, each compared with what the program knows.
#![allow(clippy::unwrap_used, reason = "tests")]

mod architecture;
mod bad_inputs;
mod codes;
mod dependencies;
mod examples;
mod links;
mod pages;
mod picture;
mod readme;
mod registries;
mod scenario_tables;
mod scenario_words;
mod stricter_than_notation;
mod tokens;
mod trust_policy_schema;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below `folder`, sorted.
fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

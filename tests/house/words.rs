//! Riddles that comments and messages must not speak in: a thing is named by its field's noun.

use std::fs;

use super::{root, rust_files};

const PHRASES: [&str; 13] = [
    "nobody",
    "whoever",
    "somebody",
    "anybody",
    "everybody",
    "that is none",
    "it is none",
    "is no address",
    "on a bad day",
    "befall",
    "cannot be had",
    "for ever",
    "spoilt",
];

/// Whether a line has a comment, or holds a text.
fn is_read_by_people(line: &str) -> bool {
    line.contains("//") || line.contains('"')
}

#[test]
fn comments_and_messages_name_the_thing() {
    let source = root().join("src");
    let mut found = Vec::new();
    for file in rust_files(&source) {
        let path = file.strip_prefix(&source).unwrap().to_owned();
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let text = line.to_lowercase();
            // "One that is none of these" is plain, and so is "for every".
            let text = text.replace("that is none of", "").replace("for every", "");
            if is_read_by_people(line) && PHRASES.iter().any(|phrase| text.contains(phrase)) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

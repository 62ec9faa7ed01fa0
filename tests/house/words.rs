//! Riddles that comments and messages must not speak in: a thing is named by its field's noun. Rooms that still have
//! some are listed, and leave the list as soon as they have none.

use std::collections::BTreeSet;
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

const TO_DO: &[&str] = &["scenario"];

/// Whether a line is documentation, or holds a text.
fn is_read_by_people(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("///") || line.starts_with("//!") || line.contains('"')
}

#[test]
fn comments_and_messages_name_the_thing() {
    let source = root().join("src");
    let mut rooms = BTreeSet::new();
    let mut found = Vec::new();
    for file in rust_files(&source) {
        let path = file.strip_prefix(&source).unwrap().to_owned();
        let room = path.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs").to_owned();
        for (number, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let text = line.to_lowercase();
            // "One that is none of these" is plain, and so is "for every".
            let text = text.replace("that is none of", "").replace("for every", "");
            if is_read_by_people(line) && PHRASES.iter().any(|phrase| text.contains(phrase)) {
                rooms.insert(room.clone());
                found.push((room.clone(), format!("{}:{}: {}", path.display(), number + 1, line.trim())));
            }
        }
    }
    found.retain(|(room, _)| !TO_DO.contains(&room.as_str()));
    assert!(found.is_empty(), "{found:#?}");
    let done: Vec<_> = TO_DO.iter().filter(|room| !rooms.contains(**room)).collect();
    assert!(done.is_empty(), "take out of the list of rooms to do: {done:?}");
}

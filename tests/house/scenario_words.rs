//! The language of scenarios holds no word that nothing shows: every member and every word of the schema stands in a shipped
//! scenario, or in the list of exceptions with a reason.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// What no shipped scenario can use.
const EXCEPTIONS: [(&str, &str); 4] = [
    ("RawRegistry.address", "the address of a registry outside is known to whoever runs the scenario"),
    ("RawRegistry.image", "an image would have to be downloaded: tests/containers/main.rs plays shipped cases on one"),
    ("RegistryWord: container", "as RawRegistry.image"),
    ("RegistryWord: external", "as RawRegistry.address; tests/scenarios/scenario_runs.rs plays shipped cases on one"),
];

/// A part of the schema, and the name under which its words are counted.
#[derive(Clone, Copy)]
struct Part<'a> {
    name: &'a str,
    schema: &'a Value,
}

/// The schema, and the words that were met.
struct Language {
    schema: Value,
    used: BTreeSet<String>,
}

/// Whether these are the words for how answers fail, which the schema repeats wherever they may stand: they are one
/// vocabulary, and what may be said of a CRL may be said of its delta.
fn vocabulary<'a>(name: &'a str, words: &[Value]) -> &'a str {
    let has = |word: &str| words.iter().any(|known| known == word);
    match () {
        () if has("delta-base-ahead") => "ways of a CRL to fail",
        () if has("expired-delegate") => "ways of OCSP to fail",
        () => name,
    }
}

fn list<'a>(schema: &'a Value, keyword: &str) -> &'a [Value] {
    schema[keyword].as_array().map_or(&[], Vec::as_slice)
}

/// The words of `part` itself.
fn words(part: Part<'_>) -> Vec<String> {
    let mut found = Vec::new();
    for member in part.schema["properties"].as_object().into_iter().flat_map(|members| members.keys()) {
        found.push(format!("{}.{member}", part.name));
    }
    let written = list(part.schema, "enum");
    for word in written.iter().filter_map(Value::as_str) {
        found.push(format!("{}: {word}", vocabulary(part.name, written)));
    }
    found.extend(part.schema["const"].as_str().map(|word| format!("{}: {word}", part.name)));
    found
}

/// Every word that `part` or a part of it has.
fn all_words(part: Part<'_>, found: &mut BTreeSet<String>) {
    found.extend(words(part));
    let properties = part.schema["properties"].as_object().into_iter().flat_map(|members| members.values());
    let inside = ["items", "additionalProperties"].map(|keyword| &part.schema[keyword]);
    let choices = ["oneOf", "anyOf"].into_iter().flat_map(|keyword| list(part.schema, keyword));
    for schema in properties.chain(inside).chain(choices).filter(|schema| schema.is_object()) {
        all_words(Part { schema, ..part }, found);
    }
}

impl Language {
    fn definitions(&self) -> BTreeMap<&str, &Value> {
        self.schema["$defs"].as_object().unwrap().iter().map(|(name, schema)| (name.as_str(), schema)).collect()
    }

    fn words(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        all_words(Part { name: "RawScenario", schema: &self.schema }, &mut found);
        for (name, schema) in self.definitions() {
            all_words(Part { name, schema }, &mut found);
        }
        found
    }

    /// Notes the words of `value`, which stands where `part` says what may stand.
    fn meet(&self, part: Part<'_>, value: &Value, used: &mut BTreeSet<String>) {
        if let Some(name) = part.schema["$ref"].as_str() {
            let name = name.rsplit('/').next().unwrap();
            self.meet(Part { name, schema: &self.schema["$defs"][name] }, value, used);
        }
        for choice in ["oneOf", "anyOf"].into_iter().flat_map(|keyword| list(part.schema, keyword)) {
            self.meet(Part { schema: choice, ..part }, value, used);
        }
        match value {
            Value::String(word) => {
                used.extend(words(part).into_iter().filter(|known| known.ends_with(&format!(": {word}"))))
            }
            Value::Array(elements) => {
                for element in elements.iter().filter(|_| part.schema["items"].is_object()) {
                    self.meet(Part { schema: &part.schema["items"], ..part }, element, used);
                }
            }
            Value::Object(members) => {
                for (member, value) in members {
                    let known = &part.schema["properties"][member];
                    if known.is_object() {
                        used.insert(format!("{}.{member}", part.name));
                        self.meet(Part { schema: known, ..part }, value, used);
                    } else if part.schema["additionalProperties"].is_object() {
                        self.meet(Part { schema: &part.schema["additionalProperties"], ..part }, value, used);
                    }
                }
            }
            _ => {}
        }
    }

    fn read(&mut self, scenario: &Value) {
        let mut used = BTreeSet::new();
        self.meet(Part { name: "RawScenario", schema: &self.schema }, scenario, &mut used);
        self.used.extend(used);
    }
}

#[test]
fn every_word_of_the_language_stands_in_a_shipped_scenario() {
    let schema = serde_json::from_str(muster::scenario::SCHEMA).unwrap();
    let mut language = Language { schema, used: BTreeSet::new() };
    let words = language.words();
    assert!(words.len() > 300, "{}", words.len());
    let scenarios = muster::scenario::load(&["scenarios".into()]).unwrap();
    for scenario in &scenarios {
        let text = std::fs::read_to_string(&scenario.file).unwrap();
        language.read(&serde_saphyr::from_str(&text).unwrap());
    }
    let excepted: BTreeSet<String> = EXCEPTIONS.iter().map(|(word, _)| (*word).to_owned()).collect();
    let unused: BTreeSet<String> = words.difference(&language.used).cloned().collect();
    assert_eq!(
        unused, excepted,
        "used nowhere on the left; excepted though it is used, or no word at all, on the right"
    );
    let unknown: Vec<_> = language.used.difference(&words).collect();
    assert!(unknown.is_empty(), "words that the schema does not list: {unknown:?}");
}

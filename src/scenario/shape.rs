//! Telling scenarios from other files of the same endings.
//!
//! A folder of scenarios may hold what is none: `package.json`, a trust policy, the workflows of a build server. A file is
//! meant to be a scenario if it has at least two members of one, misspelt or not, among them `title`, `steps` or `verify`, or
//! is a list of such; if its `steps` are steps of scenarios, or its `verify` says what to `expect`; or if a comment names the
//! schema of scenarios. So a scenario with a slip is still an error, and never passed over in silence.
//! What is no YAML at all is looked through for such members.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{steps, syntax};
use crate::policy::is_near;

/// The members of a scenario, those that tell most first.
const MEMBERS: [&str; 14] = [
    "title",
    "steps",
    "verify",
    "spec",
    "slow",
    "now",
    "matrix",
    "registries",
    "authorities",
    "approvers",
    "keys",
    "timestampAuthorities",
    "trustStores",
    "plugins",
];
/// How many of them tell most.
const TELLING: usize = 3;
/// How many members a scenario has at least.
const LEAST: usize = 2;
/// What a comment for editors names.
const SCHEMA: &str = "scenario.v1.schema.json";

/// Whether a file is meant to be a scenario.
pub(super) fn is_scenario(bytes: &[u8]) -> bool {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    if text.lines().any(|line| line.trim_start().starts_with('#') && line.contains(SCHEMA)) {
        return true;
    }
    match serde_saphyr::from_str_with_options::<Node<Node<IgnoredAny>>>(text, syntax::options()) {
        Ok(Node::Mapping(found)) => tell(found.keys().map(String::as_str)) || found.iter().any(tells_by_itself),
        Ok(Node::List(entries)) => entries.iter().any(|entry| match entry {
            Entry::Mapping(found) => tell(found.keys().map(String::as_str)),
            Entry::Other(_) => false,
        }),
        Ok(Node::Other(_)) => false,
        Err(_) => tell(words(text)),
    }
}

/// The beginning of a file that is too long to be read.
pub(super) fn begins_as_scenario(beginning: &[u8]) -> bool {
    tell(words(&String::from_utf8_lossy(beginning)))
}

/// A document, or the value of one of its members.
#[derive(Deserialize)]
#[serde(untagged)]
enum Node<T> {
    Mapping(BTreeMap<String, T>),
    List(Vec<Entry>),
    Other(IgnoredAny),
}

/// An entry of a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Mapping(BTreeMap<String, IgnoredAny>),
    Other(IgnoredAny),
}

/// Whether members with these names are those of a scenario.
fn tell<'a>(names: impl Iterator<Item = &'a str>) -> bool {
    let found = members(names);
    found.len() >= LEAST && found.iter().any(|member| *member < TELLING)
}

/// Whether a member alone is what only a scenario has.
fn tells_by_itself((name, value): (&String, &Node<IgnoredAny>)) -> bool {
    let Node::List(entries) = value else { return false };
    let each = |wanted: &dyn Fn(&BTreeMap<String, IgnoredAny>) -> bool| {
        !entries.is_empty()
            && entries.iter().all(|entry| match entry {
                Entry::Mapping(found) => wanted(found),
                Entry::Other(_) => false,
            })
    };
    let is = |member: &str| name == member || is_near(name, member);
    is("steps") && each(&|step| step.len() == 1 && step.keys().all(|name| steps::is_step(name)))
        || is("verify") && each(&|judged| judged.contains_key("expect"))
}

/// The words before a colon, where a line or a mapping between braces begins with them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let ends = text.match_indices(':').map(|(end, _)| end);
    ends.filter_map(|end| {
        let before = text[..end].trim_end_matches(['"', '\'']);
        let word = &before[before.rfind(|c: char| !c.is_ascii_alphabetic()).map_or(0, |at| at + 1)..];
        let front = before[..before.len() - word.len()].trim_end_matches(['"', '\'']);
        let begins = front.is_empty() || front.ends_with(['\n', '\r']) || front.trim_end().ends_with(['{', ',']);
        (begins && !word.is_empty()).then_some(word)
    })
}

/// Which members of a scenario are among `words`.
fn members<'a>(words: impl Iterator<Item = &'a str>) -> BTreeSet<usize> {
    words.filter_map(|word| MEMBERS.iter().position(|member| word == *member || is_near(word, member))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_to_be_a_scenario_is_one() {
        for text in [
            "title: x\nverify: []\n",
            "title: x\nverfy: []\n",
            "tilte: x\nsteps:\n  - push: {}\n",
            "{ title: x, verfy: [] }",
            r#"{"title": "x", "steps": [], "verify": []}"#,
            "title: x\nsteps:\n\t- push: {}\nverify: []\n",
            "title: x\nsteps:\n  - push: { to: a\nverify: []\n",
            "title: x\nkeys: { a: &a {}, b: *a }\n",
            "\u{feff}title: x\nverify: []\n",
            "# yaml-language-server: $schema=../schemas/scenario.v1.schema.json\ntitel: x\n",
            "---\ntitle: x\nsteps: []\n---\ntitle: y\n",
            "verify:\n  - expect: { result: pass }\n",
            "steps:\n  - push: {}\n  - sign: {}\n",
            "name: x\nsteps:\n  - push: {}\nexpectations: []\n",
            "- title: x\n  steps: []\n  verify: []\n",
        ] {
            assert!(is_scenario(text.as_bytes()), "{text}");
        }
        assert!(is_scenario(b"title: \xff\nverify: []\n"));
    }

    #[test]
    fn every_member_and_every_step_is_known() {
        let schema: serde_json::Value = serde_json::from_str(crate::scenario::SCHEMA).unwrap();
        let members: BTreeSet<&str> = schema["properties"].as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, BTreeSet::from(MEMBERS));
        let steps = schema["$defs"]["RawStep"]["oneOf"].as_array().unwrap();
        assert!(steps.len() > 15);
        for step in steps {
            let name = step["required"][0].as_str().unwrap();
            assert!(steps::is_step(name), "{name}");
            assert!(is_scenario(format!("steps:\n  - {name}: {{}}\n").as_bytes()), "{name}");
        }
        assert!(!steps::is_step("Push") && !steps::is_step("") && !steps::is_step("changekey"));
    }

    #[test]
    fn what_is_something_else_is_not() {
        for text in [
            "",
            "# nothing\n",
            "[1, 2]",
            "just words\n",
            "title: only a title\n",
            r#"{"name":"x","version":"1.0.0","scripts":{"test":"x"},"keywords":["steps:"],"dependencies":{}}"#,
            r#"{"version":"1.0","trustPolicies":[{"name":"x","registryScopes":["*"]}]}"#,
            r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","title":"A scenario","type":"object","properties":{"steps":{},"verify":{}}}"#,
            "apiVersion: v1\nkind: Pod\nmetadata: { name: x }\nspec: {}\n---\napiVersion: v1\nkind: Pod\nspec: {}\n",
            "trigger: [main]\npool: { vmImage: x }\nsteps:\n  - script: make\n",
            "steps:\n  - name: gcr.io/x\n    args: [build]\nimages: [x]\n",
            "name: CI\non: push\njobs:\n  test:\n    steps:\n      - uses: x\n      - verify: x\n",
            "services:\n  web:\n    image: x\n",
            "steps: []\n",
            "steps:\n  - push: {}\n  - run: make\n",
            "steps:\n  - push: {}\n    name: x\n",
            "verify:\n  - cosign\n",
            "- title: x\n  url: y\n",
            "a: {{ template }}\nb: [\n",
        ] {
            assert!(!is_scenario(text.as_bytes()), "{text}");
        }
    }
}

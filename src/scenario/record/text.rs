//! The text of a recorded scenario. Every text from outside stands in it as a scalar between quotation marks, in ASCII.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::stores::Copied;
use super::{ANSWERS, LAYOUT, POLICY, Record};
use crate::rfc3339::instant_in_utc;
use crate::scenario::expectation::{CheckWord, deciding, status_word};
use crate::trust_store::{StoreName, StoreType};
use crate::verify::{Outcome, SignatureOutcome, Verdict};

/// The scenario that says what came out.
pub(super) fn scenario(
    record: &Record<'_>,
    tag: &str,
    stores: &BTreeMap<StoreName, Copied>,
    has_answers: bool,
) -> String {
    let repository = &record.reference.repository;
    let name = format!("{repository}:{tag}");
    let at = instant_in_utc(record.at);
    let verdict = record.judged.outcome.verdict.as_str();
    let mut text = format!("title: {}\n", quoted(&format!("{name} as it was judged at {at}: {verdict}")));
    text += &format!("now: {at}\nregistries:\n  {}: {{}}\n", quoted(repository.host()));
    text += &trust_stores(stores);
    let digest = record.judged.digest.map(|digest| format!("@{digest}")).unwrap_or_default();
    let from = quoted(&format!("oci:{LAYOUT}{digest}"));
    text += &format!("steps:\n  - import:\n      from: {from}\n      to: {}\n", quoted(&name));
    text += &format!("verify:\n  - artifact: {}\n    policy: {POLICY}\n", quoted(&name));
    if has_answers {
        text += &format!("    revocation: {{ folder: {ANSWERS} }}\n");
    }
    text + "    expect:\n" + &expectation(&record.judged.outcome)
}

fn trust_stores(stores: &BTreeMap<StoreName, Copied>) -> String {
    let mut text = String::new();
    for kind in StoreType::ALL {
        let mut of_kind = stores.iter().filter(|(name, _)| name.kind() == kind).peekable();
        if of_kind.peek().is_some() {
            let _ = writeln!(text, "  {kind}:");
        }
        for (name, copied) in of_kind {
            let held = match copied {
                Copied::Whole => format!("{{ folder: {} }}", quoted(&format!("x509/{kind}/{}", name.name()))),
                Copied::Missing => "missing".to_owned(),
                Copied::Broken => "broken".to_owned(),
            };
            let _ = writeln!(text, "    {}: {held}", quoted(name.name()));
        }
    }
    if text.is_empty() { text } else { format!("trustStores:\n{text}") }
}

fn expectation(outcome: &Outcome) -> String {
    let mut text = format!("      result: {}\n", outcome.verdict.as_str());
    let has_code = !matches!(outcome.verdict, Verdict::Pass | Verdict::Skip);
    if let Some(failure) = outcome.failure.as_ref().filter(|_| has_code) {
        let _ = writeln!(text, "      code: {}", failure.code);
    }
    if let Some(statement) = &outcome.statement {
        let _ = writeln!(text, "      statement: {}", quoted(statement));
    }
    if outcome.verdict != Verdict::Skip {
        let _ = writeln!(text, "      signatures: {}", outcome.signatures.len());
        text += &deciding(outcome).first().map(|signature| findings(signature)).unwrap_or_default();
    }
    text
}

/// What was found of the signature that decides.
fn findings(signature: &SignatureOutcome) -> String {
    let mut text = "      checks:\n".to_owned();
    for check in &signature.checks {
        let _ = writeln!(text, "        {}: {}", check.validation.as_str(), CheckWord::of(&check.result).as_str());
    }
    if let Some(stamp) = signature.timestamp.as_ref().filter(|stamp| stamp.subject.contains('=')) {
        let _ = writeln!(text, "      timestamp: {}", quoted(&stamp.subject));
    }
    let stamped = signature.timestamp.iter().flat_map(|stamp| &stamp.revocation);
    let mut statuses = BTreeMap::new();
    for status in signature.revocation.iter().chain(stamped).filter(|status| status.subject.contains('=')) {
        // Of two certificates of one name, the first is meant.
        statuses.entry(&status.subject).or_insert_with(|| status_word(status.status));
    }
    for (number, (subject, word)) in statuses.into_iter().enumerate() {
        let head = if number == 0 { "      revocation:\n" } else { "" };
        let _ = writeln!(text, "{head}        {}: {word}", quoted(subject));
    }
    text
}

/// A text as a scalar of YAML between quotation marks: whatever is not a plain character of ASCII is escaped.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            ' '..='~' => quoted.push(character),
            _ => {
                let _ = write!(quoted, "\\U{:08x}", u32::from(character));
            }
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_a_text_holds_it_is_read_back_as_it_was() {
        for text in
            ["plain", "a: b # c", "\"\\'", "*&!|>%@`{}[],", "\u{85}\u{2028}\u{feff}\u{1b}[2J\n\t\0", "ä 雪 😀", "true"]
        {
            let yaml = format!("{}: 1\n", quoted(text));
            assert!(yaml.is_ascii() && yaml.lines().count() == 1, "{yaml}");
            let read: BTreeMap<String, u8> = serde_saphyr::from_str(&yaml).unwrap();
            assert_eq!(read.keys().collect::<Vec<_>>(), [text]);
        }
    }
}

//! A trust policy document as it is written: members by name, values with their places, nothing judged yet.
//!
//! Refused here are values of the wrong type, members given twice, and members whose names differ from a known one only
//! in case: readers that ignore case would take them. An unknown member is a warning.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use jsonc_parser::ast::{Object, ObjectProp, Value};
use jsonc_parser::common::Ranged as _;

use super::document::Kind;
use super::finding::{Findings, Rule, did_you_mean};
use crate::failure::quote;

impl Kind {
    /// The members of a statement.
    fn members(self) -> &'static [&'static str] {
        match self {
            Kind::Oci => STATEMENT,
            Kind::Blob => BLOB_STATEMENT,
        }
    }
}

/// Something with its place in the text, in bytes.
#[derive(Debug, Clone)]
pub(super) struct Spanned<T> {
    pub(super) value: T,
    pub(super) range: Range<usize>,
}

/// A text with its place, quotation marks included.
pub(super) type Text<'t> = Spanned<Cow<'t, str>>;

/// A member of an object.
#[derive(Debug, Clone)]
pub(super) enum Member<T> {
    /// The member is not there.
    Missing,
    /// The member is there with a value of the wrong type, which has been reported.
    Wrong,
    /// The member is there.
    Given(T),
}

/// The document.
pub(super) struct RawPolicy<'t> {
    pub(super) range: Range<usize>,
    pub(super) version: Member<Text<'t>>,
    pub(super) statements: Member<Spanned<Vec<RawStatement<'t>>>>,
}

/// One statement.
pub(super) struct RawStatement<'t> {
    /// The opening bracket of the statement.
    pub(super) range: Range<usize>,
    pub(super) name: Member<Text<'t>>,
    pub(super) scopes: Member<Spanned<Vec<Text<'t>>>>,
    pub(super) global: Member<Spanned<bool>>,
    pub(super) verification: Member<RawVerification<'t>>,
    pub(super) stores: Member<Spanned<Vec<Text<'t>>>>,
    pub(super) identities: Member<Spanned<Vec<Text<'t>>>>,
}

/// The `signatureVerification` of a statement.
pub(super) struct RawVerification<'t> {
    /// The opening bracket of this object.
    pub(super) range: Range<usize>,
    pub(super) level: Member<Text<'t>>,
    /// Pairs of validation and action.
    pub(super) overrides: Member<Spanned<Vec<(Text<'t>, Text<'t>)>>>,
    pub(super) verify_timestamp: Member<Text<'t>>,
}

/// The members of the document.
pub(super) const DOCUMENT: &[&str] = &["version", "trustPolicies"];
/// The members of a statement.
pub(super) const STATEMENT: &[&str] =
    &["name", "registryScopes", "signatureVerification", "trustStores", "trustedIdentities"];
/// The members of a statement about blobs.
pub(super) const BLOB_STATEMENT: &[&str] =
    &["name", "globalPolicy", "signatureVerification", "trustStores", "trustedIdentities"];
/// The members of `signatureVerification`.
pub(super) const VERIFICATION: &[&str] = &["level", "override", "verifyTimestamp"];

impl<T> Member<T> {
    /// The value, if there is one.
    pub(super) fn given(&self) -> Option<&T> {
        match self {
            Member::Given(value) => Some(value),
            Member::Missing | Member::Wrong => None,
        }
    }
}

impl<'t> RawPolicy<'t> {
    /// Reads the document of this kind; `None` if it is no object.
    pub(super) fn read(tree: &'t Value<'t>, kind: Kind, findings: &mut Findings<'_, '_>) -> Option<RawPolicy<'t>> {
        let members = Members::read(tree, "a trust policy document", DOCUMENT, findings)?;
        Some(RawPolicy {
            range: members.range.clone(),
            version: members.text("version", findings),
            statements: members
                .list("trustPolicies", findings, |value, findings| RawStatement::read(value, kind, findings)),
        })
    }
}

impl<'t> RawStatement<'t> {
    fn read(value: &'t Value<'t>, kind: Kind, findings: &mut Findings<'_, '_>) -> Option<RawStatement<'t>> {
        let members = Members::read(value, "a statement", kind.members(), findings)?;
        Some(RawStatement {
            range: members.range.clone(),
            name: members.text("name", findings),
            scopes: members.list("registryScopes", findings, |value, findings| text(value, "a scope", findings)),
            global: members.member("globalPolicy", |value| boolean(value, "globalPolicy", findings)),
            verification: members.object("signatureVerification", findings, RawVerification::read),
            stores: members.list("trustStores", findings, |value, findings| text(value, "a trust store", findings)),
            identities: members
                .list("trustedIdentities", findings, |value, findings| text(value, "an identity", findings)),
        })
    }
}

impl<'t> RawVerification<'t> {
    fn read(value: &'t Value<'t>, findings: &mut Findings<'_, '_>) -> Option<RawVerification<'t>> {
        let members = Members::read(value, "signatureVerification", VERIFICATION, findings)?;
        Some(RawVerification {
            range: members.range.clone(),
            level: members.text("level", findings),
            overrides: members.object("override", findings, overrides),
            verify_timestamp: members.text("verifyTimestamp", findings),
        })
    }
}

/// Reads `override`: which names are known is judged later, since there an unknown one is an error.
fn overrides<'t>(value: &'t Value<'t>, findings: &mut Findings<'_, '_>) -> Option<Spanned<Vec<(Text<'t>, Text<'t>)>>> {
    let object = object(value, "override", findings)?;
    let pairs = unique(object, findings).into_iter().filter_map(|property| {
        let action = text(&property.value, "an action", findings)?;
        Some((Spanned { value: Cow::Borrowed(property.name.as_str()), range: bytes(&property.name) }, action))
    });
    Some(Spanned { value: pairs.collect(), range: bytes(object) })
}

/// What to do about a member that only documents of the other kind have: it would seem to say for what a statement is,
/// and say nothing.
fn foreign(name: &str, names: &[&str]) -> Option<&'static str> {
    match name {
        "globalPolicy" if names == STATEMENT => Some(
            "use \"registryScopes\": [\"*\"] for all repositories that no other statement names; statements about blobs \
             stand in trustpolicy.blob.json",
        ),
        "registryScopes" if names == BLOB_STATEMENT => Some(
            "use \"globalPolicy\": true for blobs for which no statement is named; statements about repositories stand in \
             trustpolicy.oci.json",
        ),
        _ => None,
    }
}

/// The known members of one object.
struct Members<'t> {
    range: Range<usize>,
    known: Vec<&'t ObjectProp<'t>>,
}

impl<'t> Members<'t> {
    fn read(value: &'t Value<'t>, what: &str, names: &[&str], findings: &mut Findings<'_, '_>) -> Option<Members<'t>> {
        let object = object(value, what, findings)?;
        let mut known = Vec::new();
        for property in unique(object, findings) {
            let name = property.name.as_str();
            let range = bytes(&property.name);
            if names.contains(&name) {
                known.push(property);
            } else if let Some(help) = foreign(name, names) {
                let message = format!("{name:?} is not a member of {what} here");
                findings.error(Rule::MemberForeign, &range, message, help);
            } else if let Some(meant) = names.iter().find(|known| fold(known) == fold(name)) {
                let message = format!("the member {} differs from {meant:?} only in case", quote(name));
                findings.error(Rule::MemberCase, &range, message, format!("write {meant:?}"));
            } else {
                let message = format!("{} is not a member of {what}, and is not looked at", quote(name));
                findings.warning(Rule::MemberUnknown, &range, message, did_you_mean(name, names));
            }
        }
        let start = object.start();
        Some(Members { range: start..start + 1, known })
    }

    fn member<T>(&self, name: &str, read: impl FnOnce(&'t Value<'t>) -> Option<T>) -> Member<T> {
        let Some(property) = self.known.iter().find(|property| property.name.as_str() == name) else {
            return Member::Missing;
        };
        read(&property.value).map_or(Member::Wrong, Member::Given)
    }

    fn text(&self, name: &str, findings: &mut Findings<'_, '_>) -> Member<Text<'t>> {
        self.member(name, |value| text(value, name, findings))
    }

    fn object<T>(
        &self,
        name: &str,
        findings: &mut Findings<'_, '_>,
        read: impl FnOnce(&'t Value<'t>, &mut Findings<'_, '_>) -> Option<T>,
    ) -> Member<T> {
        self.member(name, |value| read(value, findings))
    }

    /// A list of what `read` takes. If nothing in a list that is not empty is right, the whole list is wrong.
    fn list<T>(
        &self,
        name: &str,
        findings: &mut Findings<'_, '_>,
        read: impl Fn(&'t Value<'t>, &mut Findings<'_, '_>) -> Option<T>,
    ) -> Member<Spanned<Vec<T>>> {
        self.member(name, |value| {
            let Value::Array(array) = value else {
                wrong_type(value, name, "a list", findings);
                return None;
            };
            let items: Vec<T> = array.elements.iter().filter_map(|item| read(item, findings)).collect();
            (array.elements.is_empty() || !items.is_empty()).then(|| Spanned { value: items, range: bytes(array) })
        })
    }
}

fn text<'t>(value: &'t Value<'t>, what: &str, findings: &mut Findings<'_, '_>) -> Option<Text<'t>> {
    let Value::StringLit(literal) = value else {
        wrong_type(value, what, "a string", findings);
        return None;
    };
    Some(Spanned { value: Cow::Borrowed(&literal.value), range: bytes(literal) })
}

fn boolean(value: &Value<'_>, what: &str, findings: &mut Findings<'_, '_>) -> Option<Spanned<bool>> {
    let Value::BooleanLit(literal) = value else {
        wrong_type(value, what, "true or false", findings);
        return None;
    };
    Some(Spanned { value: literal.value, range: bytes(literal) })
}

fn object<'t>(value: &'t Value<'t>, what: &str, findings: &mut Findings<'_, '_>) -> Option<&'t Object<'t>> {
    let object = value.as_object();
    if object.is_none() {
        wrong_type(value, what, "an object", findings);
    }
    object
}

fn wrong_type(value: &Value<'_>, what: &str, expected: &str, findings: &mut Findings<'_, '_>) {
    let found = match value {
        Value::StringLit(_) => "a string",
        Value::NumberLit(_) => "a number",
        Value::BooleanLit(_) => "true or false",
        Value::Object(_) => "an object",
        Value::Array(_) => "a list",
        Value::NullKeyword(_) => "null",
    };
    let help = match value {
        Value::NumberLit(number) if expected == "a string" => {
            format!("put it in quotation marks: \"{}\"", number.value)
        }
        Value::StringLit(_) if expected == "a list" => "put it in square brackets".to_owned(),
        _ => format!("expected {expected}"),
    };
    findings.error(Rule::Type, &bytes(value), format!("{what} is {found} here, not {expected}"), help);
}

/// The members of an object whose names differ, case ignored; the others are reported.
fn unique<'t>(object: &'t Object<'t>, findings: &mut Findings<'_, '_>) -> Vec<&'t ObjectProp<'t>> {
    let mut first: HashMap<String, Range<usize>> = HashMap::new();
    let mut members = Vec::with_capacity(object.properties.len());
    for property in &object.properties {
        let name = property.name.as_str();
        let range = bytes(&property.name);
        if let Some(earlier) = first.get(&fold(name)) {
            let message = format!("the member {} is already given on line {}", quote(name), findings.line(earlier));
            findings.error(Rule::MemberRepeated, &range, message, "keep one of them");
        } else {
            first.insert(fold(name), range);
            members.push(property);
        }
    }
    members
}

/// A name as a reader sees it that ignores case. Go's does so beyond ASCII: `ſ` is an `s` to it, and `K` a `k`.
fn fold(name: &str) -> String {
    name.chars().flat_map(char::to_lowercase).map(|c| if c == 'ſ' { 's' } else { c }).collect()
}

fn bytes(node: &impl jsonc_parser::common::Ranged) -> Range<usize> {
    let range = node.range();
    range.start..range.end
}

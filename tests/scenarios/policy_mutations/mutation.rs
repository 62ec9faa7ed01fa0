//! Mutations: a trust policy, changed in one point as somebody in a hurry would change it.

use std::fmt;

use muster::policy::{Action, Level, Statement, Validation, VerifyTimestamp};
use muster::scenario::{PolicyInForce, RecordedVerification};
use muster::trust_store::StoreType;
use serde_json::{Value, json};

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Change {
    Scope,
    Level(Level, Level),
    Added(Validation, Action, Action),
    Removed(Validation, Action),
    AnyIdentity,
    Dropped(String),
    Store(StoreType),
    VerifyTimestamp(VerifyTimestamp),
}

/// A policy document with one change in one statement.
#[derive(Debug)]
pub(crate) struct Mutation {
    pub(crate) statement: Statement,
    pub(crate) change: Change,
    pub(crate) document: Value,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Scope => write!(f, "scope → everything"),
            Change::Level(from, to) => write!(f, "level {} → {}", from.as_str(), to.as_str()),
            Change::Added(validation, from, to) => {
                write!(f, "override {}: {} → {}", validation.as_str(), from.as_str(), to.as_str())
            }
            Change::Removed(validation, action) => {
                write!(f, "override {}: {} removed", validation.as_str(), action.as_str())
            }
            Change::AnyIdentity => write!(f, "identity → *"),
            Change::Dropped(attribute) => write!(f, "identity without {attribute}"),
            Change::Store(kind) => write!(f, "store {}:{} added", kind.as_str(), RecordedVerification::STRANGERS),
            Change::VerifyTimestamp(to) => write!(f, "verifyTimestamp → {}", to.as_str()),
        }
    }
}

impl Change {
    /// The code by which the reader of policies refuses this change of `statement`, where it must.
    pub(crate) fn refusal(&self, statement: &Statement) -> Option<&'static str> {
        match self {
            Change::Added(Validation::Integrity, ..) => Some("override-forbidden"),
            Change::Added(validation, _, Action::Skip) if *validation != Validation::Revocation => {
                Some("override-forbidden")
            }
            Change::Scope if statement.is_skip() => Some("skip-global"),
            Change::Level(_, Level::Skip) if statement.is_global() => Some("skip-global"),
            Change::Dropped(attribute) => {
                let mandatory = ["C=", "ST=", "O="].iter().any(|kind| attribute.starts_with(kind));
                mandatory.then_some("trusted-identity-invalid")
            }
            _ => None,
        }
    }
}

/// The document that says what `policy` says, in full.
pub(crate) fn document(policy: &PolicyInForce) -> Value {
    let statements: Vec<Value> = policy.statements().iter().map(written).collect();
    json!({ "version": "1.0", "trustPolicies": statements })
}

fn written(statement: &Statement) -> Value {
    let mut verification = json!({ "level": statement.level.as_str() });
    for (validation, action) in statement.overrides() {
        verification["override"][validation.as_str()] = json!(action.as_str());
    }
    if statement.verify_timestamp != VerifyTimestamp::default() {
        verification["verifyTimestamp"] = json!(statement.verify_timestamp.as_str());
    }
    let mut members = json!({
        "name": statement.name,
        "signatureVerification": verification,
    });
    // Statements of policies for blobs have no place.
    match statement.scopes.is_empty() {
        true => members["globalPolicy"] = json!(statement.is_global()),
        false => members["registryScopes"] = json!(statement.scopes),
    }
    if !statement.is_skip() {
        let stores: Vec<String> = statement.trust_stores.iter().map(ToString::to_string).collect();
        members["trustStores"] = json!(stores);
        members["trustedIdentities"] = json!(identities(statement));
    }
    members
}

fn identities(statement: &Statement) -> Vec<String> {
    assert!(statement.identities.others().is_empty(), "identities for plugins are not written back");
    if statement.identities.any() {
        return vec!["*".to_owned()];
    }
    statement.identities.subjects().map(str::to_owned).collect()
}

/// Every mutation of `policy`, whether its document is one or not.
pub(crate) fn mutations(policy: &PolicyInForce) -> Vec<Mutation> {
    let whole = document(policy);
    let mut all = Vec::new();
    for (position, statement) in policy.statements().iter().enumerate() {
        for (change, mutated) in of_statement(statement) {
            let mut document = whole.clone();
            document["trustPolicies"][position] = mutated;
            all.push(Mutation { statement: statement.clone(), change, document });
        }
    }
    all
}

fn of_statement(statement: &Statement) -> Vec<(Change, Value)> {
    let mut all = Vec::new();
    let sound = written(statement);
    let mut add = |change: Change, mutate: &dyn Fn(&mut Value)| {
        let mut mutated = sound.clone();
        mutate(&mut mutated);
        assert_ne!(mutated, sound, "{change} changes nothing");
        all.push((change, mutated));
    };
    if !statement.is_global() {
        add(Change::Scope, &|s| match statement.scopes.is_empty() {
            true => s["globalPolicy"] = json!(true),
            false => s["registryScopes"] = json!(["*"]),
        });
    }
    if statement.is_skip() {
        // Nothing else may be said at this level.
        return all;
    }
    let below = match statement.level {
        Level::Strict => Level::Permissive,
        Level::Permissive => Level::Audit,
        Level::Audit | Level::Skip => Level::Skip,
    };
    add(Change::Level(statement.level, below), &|s| {
        if below == Level::Skip {
            // What may not be said beside it goes too.
            s["signatureVerification"] = json!({});
            s.as_object_mut().unwrap().retain(|member, _| !member.starts_with("trust"));
        }
        s["signatureVerification"]["level"] = json!(below.as_str());
    });
    for validation in Validation::ALL {
        let overridden = statement.overrides().iter().find(|(known, _)| *known == validation);
        if let Some((_, action)) = overridden {
            add(Change::Removed(validation, *action), &|s| {
                s["signatureVerification"]["override"].as_object_mut().unwrap().remove(validation.as_str());
            });
            continue;
        }
        let now = statement.action(validation);
        for action in [Action::Enforce, Action::Log, Action::Skip].into_iter().filter(|action| *action != now) {
            add(Change::Added(validation, now, action), &|s| {
                s["signatureVerification"]["override"][validation.as_str()] = json!(action.as_str());
            });
        }
    }
    if !statement.identities.any() {
        add(Change::AnyIdentity, &|s| s["trustedIdentities"] = json!(["*"]));
    }
    for (number, subject) in statement.identities.subjects().enumerate() {
        let attributes = attributes(subject.strip_prefix("x509.subject:").unwrap());
        for dropped in 0..attributes.len() {
            let mut left = attributes.clone();
            let attribute = left.remove(dropped);
            add(Change::Dropped(attribute.trim().to_owned()), &|s| {
                s["trustedIdentities"][number] = json!(format!("x509.subject: {}", left.join(",").trim()));
            });
        }
    }
    for kind in StoreType::ALL {
        add(Change::Store(kind), &|s| {
            let store = format!("{}:{}", kind.as_str(), RecordedVerification::STRANGERS);
            s["trustStores"].as_array_mut().unwrap().push(json!(store));
        });
    }
    let other = VerifyTimestamp::ALL.into_iter().find(|other| *other != statement.verify_timestamp).unwrap();
    add(Change::VerifyTimestamp(other), &|s| s["signatureVerification"]["verifyTimestamp"] = json!(other.as_str()));
    all
}

/// The attributes of a distinguished name, divided at the commas that are not escaped.
fn attributes(subject: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, character) in subject.char_indices() {
        match character {
            ',' if !escaped => {
                parts.push(&subject[start..at]);
                start = at + 1;
            }
            _ => {}
        }
        escaped = character == '\\' && !escaped;
    }
    parts.push(&subject[start..]);
    parts
}

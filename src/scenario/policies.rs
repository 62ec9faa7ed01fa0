//! `policy` of a verification: a trust policy by its file, or written in the scenario; read by the very parser that audits use.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::finding::{Findings, Rule};
use super::policy_path;
use super::project::Project;
use super::spanned::Spanned;
use super::world::Things;
use crate::policy::TrustPolicy;
use crate::trust_store::StoreType;

/// A policy by its file, or by what its statements say.
#[derive(Debug, Clone)]
pub(super) enum RawPolicy {
    File(String),
    Statements(Vec<RawStatement>),
}

/// A statement of a trust policy. What is left out is sound: for every repository, at level strict, all stores of the
/// scenario but those for time stamps, any identity.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawStatement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registry_scopes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) signature_verification: Option<RawVerification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trust_stores: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) trusted_identities: Option<Vec<String>>,
}

/// How much of it is enforced.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawVerification {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) level: Option<String>,
    #[serde(rename = "override", skip_serializing_if = "Option::is_none")]
    pub(super) overrides: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verify_timestamp: Option<String>,
}

impl<'de> Deserialize<'de> for RawPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<RawPolicy, D::Error> {
        struct Read;

        impl<'de> Visitor<'de> for Read {
            type Value = RawPolicy;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("the path of a trust policy, a statement, or a list of statements")
            }

            fn visit_str<E: serde::de::Error>(self, path: &str) -> Result<RawPolicy, E> {
                Ok(RawPolicy::File(path.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawPolicy, A::Error> {
                let statement = RawStatement::deserialize(MapAccessDeserializer::new(map))?;
                Ok(RawPolicy::Statements(vec![statement]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<RawPolicy, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(RawPolicy::Statements)
            }
        }

        deserializer.deserialize_any(Read)
    }
}

impl JsonSchema for RawPolicy {
    fn schema_name() -> Cow<'static, str> {
        "Policy".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let statement = generator.subschema_for::<RawStatement>();
        json_schema!({
            "oneOf": [
                { "type": "string" },
                statement,
                { "type": "array", "items": statement, "minItems": 1 }
            ]
        })
    }
}

/// The policies of one file, each read once.
pub(super) struct Policies {
    file: PathBuf,
    project: Project,
    read: HashMap<String, Arc<TrustPolicy>>,
}

impl Policies {
    pub(super) fn new(file: &Path, project: &Project) -> Policies {
        Policies { file: file.to_owned(), project: project.clone(), read: HashMap::new() }
    }

    /// Whether another policy stands in the place of them all.
    pub(super) fn are_replaced(&self) -> bool {
        self.project.policy.is_some()
    }

    /// The policy of a verification; the sound one where none is given.
    pub(super) fn get(
        &mut self,
        raw: Option<&Spanned<RawPolicy>>,
        things: &Things,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Arc<TrustPolicy>> {
        if let Some(policy) = &self.project.policy {
            return Some(Arc::clone(policy));
        }
        let sound = [RawStatement::default()];
        let (statements, place): (&[RawStatement], _) = match raw {
            None => (&sound, place),
            Some(Spanned { value: RawPolicy::Statements(statements), range, .. }) => (statements, range),
            Some(Spanned { value: RawPolicy::File(path), range, .. }) => return self.load(path, range, findings),
        };
        let document = document(statements, things).to_string();
        if let Some(policy) = self.read.get(&document) {
            return Some(Arc::clone(policy));
        }
        match TrustPolicy::parse(document.as_bytes(), "the policy of the scenario") {
            Ok(policy) => Some(Arc::clone(self.read.entry(document).or_insert_with(|| Arc::new(policy)))),
            Err(errors) => {
                for error in errors {
                    let help = error.help.unwrap_or_else(|| "correct the policy".to_owned());
                    findings.error(Rule::Policy, place, error.message, help);
                }
                None
            }
        }
    }

    fn load(&mut self, path: &str, place: &Range<usize>, findings: &mut Findings<'_, '_>) -> Option<Arc<TrustPolicy>> {
        if let Some(policy) = self.read.get(path) {
            return Some(Arc::clone(policy));
        }
        let resolved = match policy_path::resolve(&self.file, path, self.project.root.as_ref()) {
            Ok(resolved) => resolved,
            Err(message) => {
                let help = "name a policy of the project, from the folder of the scenario, without symbolic links; --root DIR \
                            says where the project begins, and --policy FILE takes any policy in the place of this one";
                findings.error(Rule::PolicyPath, place, message, help);
                return None;
            }
        };
        match TrustPolicy::load(&resolved) {
            Ok(policy) => Some(Arc::clone(self.read.entry(path.to_owned()).or_insert_with(|| Arc::new(policy)))),
            Err(errors) => {
                let message = "this trust policy is refused".to_owned();
                findings.error(Rule::Policy, place, message, "see what is said of it");
                findings.add(errors);
                None
            }
        }
    }
}

/// A document of `statements`, with the sound values in the place of what they leave out.
fn document(statements: &[RawStatement], things: &Things) -> serde_json::Value {
    let stores = |stamps: bool| -> Vec<String> {
        let wanted = things.trust_stores.iter().filter(|store| stamps || store.name.kind() != StoreType::Tsa);
        wanted.map(|store| store.name.to_string()).collect()
    };
    let complete = |(number, statement): (usize, &RawStatement)| {
        let mut members = json!(statement);
        let mut default = |member: &str, value: serde_json::Value| {
            if members.get(member).is_none() {
                members[member] = value;
            }
        };
        default("name", json!(if number == 0 { "scenario".to_owned() } else { format!("scenario-{number}") }));
        default("registryScopes", json!(["*"]));
        default("signatureVerification", json!({}));
        if members["signatureVerification"].get("level").is_none() {
            members["signatureVerification"]["level"] = json!("strict");
        }
        // A statement that says when a time stamp is verified wants one verified.
        let stamps = members["signatureVerification"].get("verifyTimestamp").is_some();
        // A statement that skips may not name stores or identities.
        if members["signatureVerification"]["level"] != "skip" {
            let mut default = |member: &str, value: serde_json::Value| {
                if members.get(member).is_none() {
                    members[member] = value;
                }
            };
            default("trustStores", json!(stores(stamps)));
            default("trustedIdentities", json!(["*"]));
        }
        members
    };
    let statements: Vec<_> = statements.iter().enumerate().map(complete).collect();
    json!({ "version": "1.0", "trustPolicies": statements })
}

//! `policy` of a verification: a trust policy by its file, or written in the scenario; read by the very parser that audits use.
//!
//! What is verified says of which kind it is: a policy for artifacts, or one for blobs, which chooses its statements by name.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::finding::{Findings, Rule};
use super::policy_kind::Kind;
use super::policy_path::ProjectFiles;
use super::project::Project;
use super::spanned::Spanned;
use super::world::Things;
use crate::failure::quote;
use crate::policy::{BlobTrustPolicy, TrustPolicy};
use crate::trust_store::StoreType;
use crate::{limits, regular_file};

/// A policy by its file, or by what its statements say.
#[derive(Debug, Clone)]
pub(super) enum RawPolicy {
    File(String),
    Statements(Vec<RawStatement>),
}

/// A statement of a trust policy. What is left out is sound: for every repository, or of a policy for blobs the one that
/// applies where none is named, at level strict, all stores of the scenario but those for time stamps, any identity.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct RawStatement {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) registry_scopes: Option<Vec<String>>,
    /// Of a policy for blobs only: whether it applies where a verification names no statement; so does the first, unless one
    /// says so itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) global_policy: Option<bool>,
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
            ],
            "examples": ["../../policies/ours.json"]
        })
    }
}

/// The policies of one file, each read once, and what else it names of its project.
pub(super) struct Policies {
    files: ProjectFiles,
    /// The policy that stands in the place of all those for artifacts.
    instead: Option<Arc<TrustPolicy>>,
    pub(super) of_artifacts: HashMap<String, Arc<TrustPolicy>>,
    pub(super) of_blobs: HashMap<String, Arc<BlobTrustPolicy>>,
    /// The files that were named.
    named: Vec<PathBuf>,
}

impl Policies {
    pub(super) fn new(files: &ProjectFiles, project: &Project) -> Policies {
        Policies {
            files: files.clone(),
            instead: project.policy.clone(),
            of_artifacts: HashMap::new(),
            of_blobs: HashMap::new(),
            named: Vec::new(),
        }
    }

    /// The files that were named: policies, and content.
    pub(super) fn into_named(self) -> Vec<PathBuf> {
        self.named
    }

    /// Whether another policy stands in the place of all those for artifacts.
    pub(super) fn are_replaced(&self) -> bool {
        self.instead.is_some()
    }

    /// The policy of a verification of artifacts; the sound one where none is given.
    pub(super) fn get(
        &mut self,
        raw: Option<&Spanned<RawPolicy>>,
        things: &Things,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Arc<TrustPolicy>> {
        match &self.instead {
            Some(policy) => Some(Arc::clone(policy)),
            None => self.kind(raw, things, place, findings),
        }
    }

    /// The policy of a verification of a file; the sound one where none is given. No policy of artifacts stands in its place.
    pub(super) fn get_for_blobs(
        &mut self,
        raw: Option<&Spanned<RawPolicy>>,
        things: &Things,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Arc<BlobTrustPolicy>> {
        self.kind(raw, things, place, findings)
    }

    /// The file of the project at `path` with its length, which is not longer than [`limits::SCENARIO_CONTENT_BYTES`]. It is read when it is
    /// needed, so that scenarios that are only listed take no memory for it.
    pub(super) fn project_file(
        &mut self,
        path: &Spanned<String>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<(PathBuf, u64)> {
        let found = self.files.find(&path.value).and_then(|resolved| {
            match regular_file::check(&resolved, limits::SCENARIO_CONTENT_BYTES) {
                Ok(found) => Ok((resolved, found.len())),
                Err(problem) => Err(format!("{} {problem}", quote(&resolved.display().to_string()))),
            }
        });
        match found {
            Ok(found) => {
                self.named.push(found.0.clone());
                Some(found)
            }
            Err(message) => {
                let help = "name a file of the project, from the folder of the scenario, without symbolic links; --root DIR says \
                            where the project begins";
                findings.error(Rule::FilePath, &path.range, message, help);
                None
            }
        }
    }

    fn kind<K: Kind>(
        &mut self,
        raw: Option<&Spanned<RawPolicy>>,
        things: &Things,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Arc<K>> {
        let sound = [RawStatement::default()];
        let (statements, place): (&[RawStatement], _) = match raw {
            None => (&sound, place),
            Some(Spanned { value: RawPolicy::Statements(statements), range, .. }) => (statements, range),
            Some(Spanned { value: RawPolicy::File(path), range, .. }) => return self.load(path, range, findings),
        };
        let document = document::<K>(statements, things).to_string();
        if let Some(policy) = K::read(self).get(&document) {
            return Some(Arc::clone(policy));
        }
        match K::parse(&document) {
            Ok(policy) => Some(Arc::clone(K::read(self).entry(document).or_insert_with(|| Arc::new(policy)))),
            Err(errors) => {
                for error in errors {
                    let help = error.help.unwrap_or_else(|| "correct the policy".to_owned());
                    findings.error(Rule::Policy, place, error.message, help);
                }
                None
            }
        }
    }

    fn load<K: Kind>(&mut self, path: &str, place: &Range<usize>, findings: &mut Findings<'_, '_>) -> Option<Arc<K>> {
        if let Some(policy) = K::read(self).get(path) {
            return Some(Arc::clone(policy));
        }
        let resolved = match self.files.find(path) {
            Ok(resolved) => resolved,
            Err(message) => {
                let help = format!(
                    "name a policy of the project, from the folder of the scenario, without symbolic links; --root DIR says where the \
                     project begins{}",
                    K::ELSEWHERE
                );
                findings.error(Rule::PolicyPath, place, message, help);
                return None;
            }
        };
        self.named.push(resolved.clone());
        match K::load(&resolved) {
            Ok(policy) => Some(Arc::clone(K::read(self).entry(path.to_owned()).or_insert_with(|| Arc::new(policy)))),
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
fn document<K: Kind>(statements: &[RawStatement], things: &Things) -> serde_json::Value {
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
        let (member, value) = K::place(statements, number);
        default(member, value);
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

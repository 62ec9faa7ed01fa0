//! Trust policies that a scenario names or writes: read by the very parser that audits use.

use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::json;

use super::world::World;
use crate::policy::TrustPolicy;
use crate::scenario::finding::{Findings, Rule};
use crate::scenario::placed::Placed;
use crate::scenario::policy_path;
use crate::scenario::raw::{RawPolicy, RawStatement};
use crate::trust_store::StoreType;

/// The policies of one file, each read once.
pub(in crate::scenario) struct Policies {
    file: PathBuf,
    read: HashMap<String, Arc<TrustPolicy>>,
}

impl Policies {
    pub(in crate::scenario) fn new(file: &Path) -> Policies {
        Policies { file: file.to_owned(), read: HashMap::new() }
    }

    /// The policy of a verification; the sound one where none is given.
    pub(in crate::scenario) fn get(
        &mut self,
        raw: Option<&Placed<RawPolicy>>,
        world: &World,
        place: &Range<usize>,
        findings: &mut Findings<'_, '_>,
    ) -> Option<Arc<TrustPolicy>> {
        let sound = [RawStatement::default()];
        let (statements, place): (&[RawStatement], _) = match raw {
            None => (&sound, place),
            Some(Placed { value: RawPolicy::Statements(statements), range, .. }) => (statements, range),
            Some(Placed { value: RawPolicy::File(path), range, .. }) => return self.load(path, range, findings),
        };
        let document = document(statements, world).to_string();
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
        let resolved = match policy_path::resolve(&self.file, path) {
            Ok(resolved) => resolved,
            Err(message) => {
                let help = "name a policy of the project, from the folder of the scenario, without symbolic links";
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
fn document(statements: &[RawStatement], world: &World) -> serde_json::Value {
    let stores = |stamps: bool| -> Vec<String> {
        let wanted = world.stores.iter().filter(|store| stamps || store.name.kind() != StoreType::Tsa);
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
        // Who says when a time stamp is verified wants one verified.
        let stamps = members["signatureVerification"].get("verifyTimestamp").is_some();
        // A statement that skips may not say whom it trusts.
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

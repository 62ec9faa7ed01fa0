//! What approvers are called: by the names of a file, else by the fingerprint of their public key.
//!
//! A broker tells public keys alone. The fingerprint is the start of the SHA-256 of the `SubjectPublicKeyInfo`.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::TsbError;
use super::secrets::setting_file;
use crate::digest::Digest;
use crate::failure::quote;
use crate::json;
use crate::limits;
use crate::tsb::{Approver, KeyPolicy};

/// How many digits of a fingerprint are shown.
const FINGERPRINT_DIGITS: usize = 8;

/// Names by public key, a `SubjectPublicKeyInfo` in DER.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ApproverNames(BTreeMap<Vec<u8>, String>);

impl ApproverNames {
    /// Reads a file: an object of names with public keys in base64, or the policy of a key.
    pub(super) fn load(path: &std::path::Path) -> Result<ApproverNames, TsbError> {
        let bytes = setting_file("approvers", path, limits::TSB_APPROVERS_BYTES)?;
        ApproverNames::read(&bytes).map_err(|reason| {
            TsbError::Setting(format!("the file {} of approvers {reason}", quote(&path.display().to_string())))
        })
    }

    fn read(bytes: &[u8]) -> Result<ApproverNames, String> {
        let unread = |error: json::JsonError| format!("cannot be read: {error}");
        let members = json::text(bytes).and_then(json::members).map_err(unread)?;
        let mut names = BTreeMap::new();
        if members.get("ruleUse").is_some() {
            let policy: KeyPolicy = serde_json::from_slice(bytes).map_err(|error| format!("is no policy: {error}"))?;
            let rules = [policy.rule_use, policy.rule_block, policy.rule_unblock, policy.rule_modify];
            let tokens = rules.into_iter().flatten().flat_map(|rule| rule.tokens);
            for approver in tokens.flat_map(|token| token.groups).flat_map(|group| group.approvals) {
                if let Some((key, name)) = of_policy(&approver) {
                    names.insert(key, name);
                }
            }
            return Ok(ApproverNames(names));
        }
        for (name, value) in members.iter() {
            let key = json::string(value).map_err(unread)?;
            let key = STANDARD
                .decode(key.as_bytes())
                .map_err(|_| format!("has a key of {} that is not base64", quote(name)))?;
            names.insert(key, quote(name));
        }
        Ok(ApproverNames(names))
    }

    /// What the approver with this public key, in base64, is called. Safe to print.
    pub(super) fn name(&self, key: &str) -> String {
        let Ok(spki) = STANDARD.decode(key) else { return format!("the key {}", quote(key)) };
        match self.0.get(&spki) {
            Some(name) => name.clone(),
            None => {
                let digest = Digest::sha256(&spki).to_string();
                let hex = digest.rsplit(':').next().unwrap_or_default();
                format!("key {}", hex.get(..FINGERPRINT_DIGITS).unwrap_or(hex))
            }
        }
    }
}

fn of_policy(approver: &Approver) -> Option<(Vec<u8>, String)> {
    match approver {
        Approver::PublicKey { name: Some(name), value } => Some((STANDARD.decode(value).ok()?, quote(name))),
        Approver::Certificate { name: Some(name), value } => {
            let der = STANDARD.decode(value).ok()?;
            let (_, certificate) = X509Certificate::from_der(&der).ok()?;
            Some((certificate.tbs_certificate.subject_pki.raw.to_vec(), quote(name)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn approvers_have_names_or_fingerprints() {
        let names = ApproverNames::read(br#"{"alice":"YWxpY2U=","bob\u001b":"Ym9i"}"#).unwrap();
        assert_eq!(names.name("YWxpY2U="), "\"alice\"");
        assert_eq!(names.name("Ym9i"), "\"bob\\u{1b}\"");
        // SHA-256 of "carol".
        assert_eq!(names.name("Y2Fyb2w="), "key 4c26d907");
        assert_eq!(names.name("\u{1b}"), "the key \"\\u{1b}\"");
        let policy = r#"{"ruleUse":{"tokens":[{"groups":[{"quorum":1,"approvals":[{"type":"public_key","name":"alice","value":"YWxpY2U="}]}]}]}}"#;
        assert_eq!(ApproverNames::read(policy.as_bytes()).unwrap().name("YWxpY2U="), "\"alice\"");
    }

    #[test]
    fn what_names_nobody_is_refused() {
        for text in ["", "[]", r#"{"a":1}"#, r#"{"a":"?"}"#, r#"{"a":"YQ==","a":"YQ=="}"#, r#"{"ruleUse":1}"#] {
            assert!(ApproverNames::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}

//! Who may ask a gateway for what: bearer tokens, and API keys by role.
//!
//! Follows the TSB's "Authentication". Without tokens and keys, every client may ask for everything. Approvers show no bearer token:
//! they prove that they have their key.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

use super::super::words::words;
use super::answer::Refusal;
use crate::tsb::API_KEY_HEADER;

words! {
    /// What an API key is for.
    pub Role {
        /// Keys and their policies.
        KeyManagement "keyManagementToken"
        /// Signing.
        KeyOperation "keyOperationToken"
        /// Approving.
        Approver "approverToken"
        /// Asking for the version.
        Service "serviceToken"
    }
}

/// What is demanded of those who ask. It is not shown.
#[derive(Clone, Default)]
pub struct Access {
    /// Bearer tokens, one of which has to be shown.
    pub bearer: Vec<String>,
    /// API keys, one of which has to be shown where the role has any.
    pub api_keys: BTreeMap<Role, Vec<String>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Access({} bearer tokens, API keys of {} roles)", self.bearer.len(), self.api_keys.len())
    }
}

impl Access {
    /// Whether those headers let a client in, in a role. Approvers need no bearer token.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub(super) fn check(&self, role: Role, headers: &HeaderMap) -> Result<(), Refusal> {
        if role != Role::Approver && !self.bearer.is_empty() {
            let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = shown.and_then(|value| value.split_once(' '));
            let token =
                token.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Bearer")).map(|(_, token)| token.trim());
            if !token.is_some_and(|token| holds(&self.bearer, token)) {
                return Err(Refusal::unauthorized());
            }
        }
        if let Some(keys) = self.api_keys.get(&role).filter(|keys| !keys.is_empty()) {
            let shown = headers.get(API_KEY_HEADER).and_then(|value| value.to_str().ok());
            if !shown.is_some_and(|key| holds(keys, key)) {
                return Err(Refusal::api_key());
            }
        }
        Ok(())
    }
}

fn holds(secrets: &[String], shown: &str) -> bool {
    secrets.iter().any(|secret| verify_slices_are_equal(secret.as_bytes(), shown.as_bytes()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    #[test]
    fn each_role_has_its_keys_and_approvers_need_no_token() {
        let api_keys =
            BTreeMap::from([(Role::KeyOperation, vec!["operate".into()]), (Role::Approver, vec!["agree".into()])]);
        let access = Access { bearer: vec!["jwt".into()], api_keys };
        let headers = |bearer: &'static str, key: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_static(bearer));
            headers.insert(API_KEY_HEADER, HeaderValue::from_static(key));
            headers
        };
        assert!(access.check(Role::KeyOperation, &headers("Bearer jwt", "operate")).is_ok());
        assert_eq!(access.check(Role::KeyOperation, &headers("Bearer jwt", "agree")), Err(Refusal::api_key()));
        assert_eq!(access.check(Role::KeyOperation, &headers("Bearer jw", "operate")), Err(Refusal::unauthorized()));
        assert_eq!(access.check(Role::KeyOperation, &headers("Basic jwt", "operate")), Err(Refusal::unauthorized()));
        assert!(access.check(Role::Approver, &headers("", "agree")).is_ok());
        assert!(access.check(Role::Service, &headers("Bearer jwt", "")).is_ok());
        assert!(!format!("{access:?}").contains("operate"));
    }
}

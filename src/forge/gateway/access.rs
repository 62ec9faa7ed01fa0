//! Who may ask a gateway for what: bearer tokens, and API keys by role.
//!
//! Follows the TSB's "Authentication". Without tokens and keys, everybody may ask for everything. Approvers show no bearer token:
//! they prove that they have their key.

use std::collections::BTreeMap;
use std::fmt;

use super::super::words::words;

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

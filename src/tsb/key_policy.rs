//! The policy of a key (Smart Key Attributes): who has to agree before it signs, how many of them, and when.
//!
//! Follows the TSB's "Create Policy Based Key" and "Smart Key Attributes": tokens are alternatives, every group of a token has to
//! agree, and of a group as many as its quorum says. Whether a rule is met is for the HSM to say, or for the gateway of the test
//! bench.

use serde::{Deserialize, Serialize};

/// The policy of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyPolicy {
    /// Whose approval a signature needs; none if it needs no approval.
    #[serde(default)]
    pub rule_use: Option<ApprovalRule>,
    /// Whose approval blocks the key.
    #[serde(default)]
    pub rule_block: Option<ApprovalRule>,
    /// Whose approval unblocks it.
    #[serde(default)]
    pub rule_unblock: Option<ApprovalRule>,
    /// Whose approval another policy needs.
    #[serde(default)]
    pub rule_modify: Option<ApprovalRule>,
    /// Whether it is blocked.
    #[serde(default)]
    pub key_status: KeyStatus,
}

/// Whether a key is blocked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct KeyStatus {
    /// It signs nothing while it is.
    pub blocked: bool,
}

/// Alternatives, one of which has to be met.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApprovalRule {
    /// The alternatives; without any, no approval is needed.
    #[serde(default)]
    pub tokens: Vec<PolicyToken>,
}

/// One alternative: every group has to agree, in time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyToken {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// How long it takes at least, in seconds from the request.
    #[serde(default)]
    pub timelock: u64,
    /// How long it may take, in seconds from the request; 0 for any time.
    #[serde(default)]
    pub timeout: u64,
    /// All of which have to agree.
    #[serde(default)]
    pub groups: Vec<ApproverGroup>,
}

/// People of whom enough have to agree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ApproverGroup {
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// How many of them.
    pub quorum: u32,
    /// Who they are.
    pub approvals: Vec<Approver>,
}

/// An approver.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Approver {
    /// By their public key.
    #[serde(alias = "public-key")]
    PublicKey {
        /// What they are called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// A SubjectPublicKeyInfo, in base64.
        value: String,
    },
    /// By their certificate.
    Certificate {
        /// What they are called.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
        /// The certificate, DER in base64.
        value: String,
    },
    /// By the certificate that the broker holds of them.
    OnboardedApproverCertificate {
        /// What they are called there.
        name: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_the_documentation_is_read() {
        let policy: KeyPolicy = serde_json::from_str(
            r#"{"ruleUse":{"tokens":[{"name":"Token1","timelock":0,"timeout":3600,
                "groups":[{"name":"Group1","quorum":1,
                  "approvals":[{"type":"public_key","name":"alice","value":"MFkw"},
                               {"type":"public-key","value":"MFkx"},
                               {"type":"certificate","value":"MIIB"},
                               {"type":"onboarded_approver_certificate","name":"officer1@securosys.com"}]}]}]},
               "ruleBlock":null,"ruleUnblock":null,"ruleModify":null,"keyStatus":{"blocked":false}}"#,
        )
        .unwrap();
        let token = &policy.rule_use.unwrap().tokens[0];
        assert_eq!((token.timelock, token.timeout, token.groups[0].quorum), (0, 3600, 1));
        assert_eq!(token.groups[0].approvals.len(), 4);
        assert_eq!(
            token.groups[0].approvals[0],
            Approver::PublicKey { name: Some("alice".into()), value: "MFkw".into() }
        );
    }

    #[test]
    fn a_misspelt_member_is_refused() {
        assert!(serde_json::from_str::<KeyPolicy>(r#"{"ruleUsage":null}"#).is_err());
    }
}

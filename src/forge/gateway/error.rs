//! Why a gateway takes a key, a policy or an approver not.

/// The reason. Texts from outside have been quoted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GatewayError {
    /// There is a key of that label.
    #[error("the gateway has a key {0} already")]
    KeyTaken(String),
    /// There is none.
    #[error("the gateway has no key {0}")]
    NoSuchKey(String),
    /// The policy of a key cannot be kept.
    #[error("the policy of the key {key}: {reason}")]
    Policy {
        /// The label, quoted.
        key: String,
        /// What is wrong with it, and how to mend it.
        reason: String,
    },
    /// A certificate is none, or has a key that approves nothing.
    #[error("the certificate of the approver {name} {reason}")]
    Approver {
        /// What they are called, quoted.
        name: String,
        /// What is wrong with it.
        reason: String,
    },
}

//! The five validations and what a trust policy may want done when one fails.
//!
//! Follows *trust-store-trust-policy*, Signature Verification Levels. The words are the specification's own.

/// One of the five things that are validated, in the order in which they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Validation {
    /// The envelope is whole, signed by its leaf key, and speaks of this artifact.
    Integrity,
    /// The signer is trusted: chain and identity.
    Authenticity,
    /// The signature's own expiry lies ahead.
    Expiry,
    /// The signature was made while the certificates were valid.
    AuthenticTimestamp,
    /// No certificate of the chain is revoked.
    Revocation,
}

/// What is done about a validation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// The validation's failure fails the signature.
    Enforce,
    /// The validation's failure is reported, and the signature may pass.
    Log,
    /// The validation is not looked at.
    Skip,
}

impl Validation {
    /// All five, in order.
    pub const ALL: [Validation; 5] = [
        Validation::Integrity,
        Validation::Authenticity,
        Validation::Expiry,
        Validation::AuthenticTimestamp,
        Validation::Revocation,
    ];

    /// The word in policies and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Validation::Integrity => "integrity",
            Validation::Authenticity => "authenticity",
            Validation::Expiry => "expiry",
            Validation::AuthenticTimestamp => "authenticTimestamp",
            Validation::Revocation => "revocation",
        }
    }
}

impl Action {
    /// The word in policies and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Action::Enforce => "enforce",
            Action::Log => "log",
            Action::Skip => "skip",
        }
    }
}

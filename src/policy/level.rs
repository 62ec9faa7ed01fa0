//! Levels: what is done about each validation.
//!
//! Follows *trust-store-trust-policy*, Signature Verification Levels. A statement takes a level and may override the
//! actions of single validations; integrity can never be overridden, and only revocation can be skipped.

use super::validation::{Action, Validation};

/// A level, as a statement names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// Every validation is enforced.
    Strict,
    /// Integrity and authenticity are enforced, the rest is logged.
    Permissive,
    /// Integrity is enforced, the rest is logged.
    Audit,
    /// Nothing is looked at.
    Skip,
}

/// When time stamps are looked at, in a statement that names a `tsa` store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum VerifyTimestamp {
    /// Always.
    #[default]
    Always,
    /// Only when a certificate of the signer's chain has expired.
    AfterCertExpiry,
}

impl Level {
    /// All four.
    pub const ALL: [Level; 4] = [Level::Strict, Level::Permissive, Level::Audit, Level::Skip];

    /// The word in policies and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Strict => "strict",
            Level::Permissive => "permissive",
            Level::Audit => "audit",
            Level::Skip => "skip",
        }
    }

    /// What the level does about `validation`.
    pub fn action(self, validation: Validation) -> Action {
        match (self, validation) {
            (Level::Skip, _) => Action::Skip,
            (Level::Strict, _) | (_, Validation::Integrity) => Action::Enforce,
            (Level::Permissive, Validation::Authenticity) => Action::Enforce,
            (Level::Permissive | Level::Audit, _) => Action::Log,
        }
    }
}

impl VerifyTimestamp {
    /// Both.
    pub const ALL: [VerifyTimestamp; 2] = [VerifyTimestamp::Always, VerifyTimestamp::AfterCertExpiry];

    /// The word in policies.
    pub fn as_str(self) -> &'static str {
        match self {
            VerifyTimestamp::Always => "always",
            VerifyTimestamp::AfterCertExpiry => "afterCertExpiry",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_the_specification_s() {
        let rows = [
            (Level::Strict, "enforce enforce enforce enforce enforce"),
            (Level::Permissive, "enforce enforce log log log"),
            (Level::Audit, "enforce log log log log"),
            (Level::Skip, "skip skip skip skip skip"),
        ];
        for (level, row) in rows {
            let actions = Validation::ALL.map(|validation| level.action(validation).as_str());
            assert_eq!(actions.join(" "), row, "{level:?}");
        }
    }
}

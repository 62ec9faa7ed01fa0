//! Mutations that change nothing, each with the reason. One that a case notices all the same is an error, and so is an
//! exception that excepts nothing.

use muster::policy::{Level, Statement, Validation};
use muster::trust_store::StoreType;

use super::mutation::{Change, Mutation};

/// A reason why some mutations change nothing.
pub(crate) struct Exception {
    pub(crate) covers: fn(&Mutation) -> bool,
    pub(crate) reason: &'static str,
}

pub(crate) const EXCEPTIONS: &[Exception] = &[
    Exception {
        covers: |Mutation { statement, change, .. }| {
            matches!(change, Change::VerifyTimestamp(_)) && !statement.has_store_of(StoreType::Tsa)
        },
        reason: "without a tsa store no time stamp is looked at",
    },
    Exception {
        covers: |Mutation { statement, change, .. }| {
            matches!(change, Change::Store(StoreType::Tsa)) && !statement.has_store_of(StoreType::Ca)
        },
        reason: "signing authorities vouch for the time themselves, and no other signer is trusted",
    },
    Exception {
        covers: |Mutation { statement, change, .. }| {
            names_missing(statement)
                && match change {
                    Change::Level(Level::Strict, Level::Permissive) => true,
                    Change::Added(validation, ..) => *validation != Validation::Authenticity,
                    Change::Store(kind) => *kind != StoreType::SigningAuthority,
                    _ => false,
                }
        },
        reason: "the store that is missing fails authenticity, whatever else is trusted, and nothing behind it is reached",
    },
];

/// Whether it names the ca store that no scenario makes, and no signing authority to go by instead.
fn names_missing(statement: &Statement) -> bool {
    statement.trust_stores.iter().any(|store| store.to_string() == "ca:missing")
        && !statement.has_store_of(StoreType::SigningAuthority)
}

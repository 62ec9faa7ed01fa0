//! Those who sign in the place of others: keys and authorities that nobody trusts.

use super::super::{Authority, ForgeError, Key, KeyKind};

/// The places of their keys in the pool, out of the way of everybody else's.
pub(super) const STRANGER: usize = usize::MAX;
pub(super) const DELEGATE: usize = usize::MAX - 1;
const OTHER_AUTHORITY: usize = usize::MAX - 2;

/// An authority that nobody has heard of.
pub(super) fn other_authority() -> Result<Authority, ForgeError> {
    Authority::root("C=XX, O=elsewhere, CN=other authority", Key::pooled(KeyKind::P256, OTHER_AUTHORITY)?)
}

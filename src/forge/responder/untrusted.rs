//! Keys and authorities that are not trusted, for answers that the wrong signer signs.

use super::super::{Authority, ForgeError, Key, KeyKind};

/// The places of their keys in the pool, apart from the keys of everything else.
pub(super) const STRANGER: usize = usize::MAX;
pub(super) const DELEGATE: usize = usize::MAX - 1;
const OTHER_AUTHORITY: usize = usize::MAX - 2;

/// An authority that is in no trust store.
pub(super) fn other_authority() -> Result<Authority, ForgeError> {
    Authority::root("C=XX, O=elsewhere, CN=other authority", Key::pooled(KeyKind::P256, OTHER_AUTHORITY)?)
}

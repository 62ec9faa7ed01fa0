//! The revocation module.

//! The pki module.

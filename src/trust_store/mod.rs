//! The trust_store module.

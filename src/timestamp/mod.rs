//! The timestamp module.

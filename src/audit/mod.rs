//! The audit module.

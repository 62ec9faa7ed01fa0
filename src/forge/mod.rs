//! The forge module.

//! The envelope module.

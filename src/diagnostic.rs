//! Diagnostics that point into a user's file.

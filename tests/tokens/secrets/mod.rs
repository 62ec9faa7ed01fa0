//! No PIN and no private key in any output, argument list, temporary file or core of what signs: a search.
//!
//! The PIN is one of 16 random digits that occurs nowhere else, and the search is for its bytes and for what they are in hex and
//! base64.

mod cores;
mod outputs;
#[cfg(target_os = "linux")]
mod running;
mod search;

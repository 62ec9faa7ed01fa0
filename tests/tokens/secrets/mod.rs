//! No PIN, token, API key, password and private key in any output, argument list, temporary file or core of what signs: a search.
//!
//! The PIN is one of 16 random digits that occurs nowhere else, and the search is for its bytes and for what they are in hex and
//! base64.

#[cfg(target_os = "linux")]
mod behind_gateway;
mod cores;
mod outputs;
#[cfg(target_os = "linux")]
mod running;
mod search;
#[cfg(target_os = "linux")]
mod watch;
#[cfg(target_os = "linux")]
mod whole_run;

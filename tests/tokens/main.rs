//! Keys in tokens, with SoftHSM: signing with them, the plugin that lets notation sign with them, scenarios that do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests, some of which measure")]

mod bench;
mod hsm;
mod keystores;
mod manners;
mod pkcs11_plugin;
mod process;
mod reported;
mod secrets;
mod shim;
#[path = "../skip/mod.rs"]
mod skip;
mod throughput;
mod token_command;
mod token_command_check;
#[cfg(unix)]
mod tpm;
#[path = "../world/mod.rs"]
mod world;

//! Keys in tokens, with SoftHSM: signing with them, the plugin that lets notation sign with them, scenarios that do.

mod hsm;
mod keystores;
mod pkcs11_plugin;
mod process;
#[path = "../world/mod.rs"]
mod world;

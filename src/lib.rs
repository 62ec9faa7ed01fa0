//! Muster answers one question for many container artifacts at once: *do they pass muster?*
//!
//! It verifies [Notary Project](https://notaryproject.dev) signatures against trust policies, over whole registries.
//! Evidence is collected once and decided on as often as one likes: [`verify::decide`] is a pure function of
//! evidence, trust policy, trust store and time.
//!
//! The modules are listed so that each uses only those above it.

pub mod digest;
pub mod failure;
pub mod limits;
pub mod reference;
pub mod rfc3339;
pub mod trouble;

pub mod address;
pub mod diagnostic;
pub mod json;
pub mod pem;
pub mod temporary;

pub mod regular_file;

pub mod manifest;
pub mod pki;

pub mod timestamp;

pub mod envelope;

pub mod trust_store;

pub mod policy;

pub mod revocation;

pub mod plugin;

pub mod evidence;

pub mod verify;

pub mod source;

pub mod fetch;

pub mod plugin_host;

pub mod audit;
pub mod report;

pub mod signer;

pub mod pkcs11_plugin;

pub mod forge;

pub mod sign;

pub mod scenario;

pub mod cli;

#[cfg(test)]
#[path = "../tests/processor_time/mod.rs"]
mod processor_time;

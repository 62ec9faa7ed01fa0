//! Muster answers one question for many container artifacts at once: *do they pass muster?*
//!
//! It verifies [Notary Project](https://notaryproject.dev) signatures against trust policies, over whole registries.
//! Evidence is collected once and decided on as often as one likes: [`verify::decide`] is a pure function of
//! evidence, trust policy, trust store and time.
//!
//! The modules are listed so that each uses only those above it.

// What only a later module uses is not dead because that module is left out.
#![cfg_attr(not(all(feature = "cli", feature = "testbench")), allow(dead_code, unused_imports))]

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
pub mod regular_file;

pub mod manifest;
pub mod pki;

pub mod timestamp;

pub mod envelope;

pub mod encode;

pub mod trust_store;

pub mod policy;

pub mod revocation;

pub mod plugin;

pub mod evidence;

pub mod verify;

#[cfg(feature = "fetch")]
pub mod temporary;

#[cfg(feature = "fetch")]
pub mod source;

#[cfg(feature = "fetch")]
pub mod fetch;

#[cfg(feature = "fetch")]
pub mod plugin_host;

#[cfg(feature = "fetch")]
pub mod audit;

#[cfg(feature = "fetch")]
pub mod verifier;

#[cfg(feature = "report")]
pub mod report;

#[cfg(feature = "sign")]
pub mod signer;

#[cfg(feature = "pkcs11")]
pub mod pkcs11_plugin;

#[cfg(feature = "testbench")]
pub mod forge;

#[cfg(feature = "sign")]
pub mod sign;

#[cfg(feature = "testbench")]
pub mod scenario;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

#[cfg(feature = "fetch")]
pub use verifier::Verifier;

#[cfg(test)]
#[path = "../tests/processor_time/mod.rs"]
mod processor_time;

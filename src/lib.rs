//! Muster answers one question for many container artifacts at once: *do they pass muster?*
//!
//! It verifies [Notary Project](https://notaryproject.dev) signatures against trust policies: of one artifact, of whole
//! registries and OCI layouts, of files beside their signatures. [`Verifier`] is the front door. What stands behind it can be
//! used by itself: evidence is collected once and decided on as often as one likes, since [`verify::decide`] is a pure
//! function of evidence, trust policy, trust stores and time.
//!
//! Trouble on the way never becomes a verdict: a registry that does not answer leaves an artifact undecided
//! ([`Verdict::Error`](verify::Verdict::Error)), and neither signed nor unsigned. Everything that is read from strangers is
//! bounded by [`limits`]. Why something does not pass is a stable [`failure::Code`] with a message.
//!
//! # Verify one artifact
//!
#![cfg_attr(feature = "fetch", doc = "```")]
#![cfg_attr(feature = "fetch", doc = include_str!("../examples/verify_one.rs"))]
#![cfg_attr(feature = "fetch", doc = "```")]
//!
//! # Audit a layout or a registry
//!
#![cfg_attr(feature = "fetch", doc = "```")]
#![cfg_attr(feature = "fetch", doc = include_str!("../examples/audit_a_layout.rs"))]
#![cfg_attr(feature = "fetch", doc = "```")]
//!
//! # Judge recorded evidence by another policy
//!
#![cfg_attr(feature = "fetch", doc = "```")]
#![cfg_attr(feature = "fetch", doc = include_str!("../examples/judge_again.rs"))]
#![cfg_attr(feature = "fetch", doc = "```")]
//!
//! # Modules
//!
//! | for | modules |
//! |---|---|
//! | verifying | `verifier` (the front door), `audit` (many artifacts, in order), [`verify`] (the pure decision and its outcomes) |
//! | what judges | [`policy`], [`trust_store`] |
//! | what is judged | [`evidence`], [`envelope`], [`timestamp`], [`revocation`], [`plugin`], [`manifest`], [`pki`] |
//! | where it comes from | `source` (registries, layouts), `fetch` (CRLs, OCSP answers), `plugin_host` (plugin processes) |
//! | words | [`reference`](mod@reference), [`digest`], [`failure`], [`trouble`], [`shortage`], [`limits`], [`diagnostic`] |
//! | what is written | `report` (formats of reports), `sign` and `signer` (making signatures), `tsb` (keys that need approvals) |
//! | the test bench | `forge` and `scenario`: forged worlds to test trust policies in. They are for tests, and may change in any release |
//!
//! Modules without a link need a feature: `fetch`, `report`, `sign`, `testbench`. They are listed below so that each uses
//! only those above it.

// What only a later module uses is not dead because that module is left out.
#![cfg_attr(not(all(feature = "cli", feature = "testbench")), allow(dead_code, unused_imports))]

pub mod digest;
pub mod duration;
pub mod failure;
pub mod limits;
pub mod reference;
pub mod rfc3339;
pub mod shortage;
pub mod trouble;

pub mod address;
pub mod diagnostic;
#[doc(hidden)]
pub mod echo;
#[doc(hidden)]
pub mod json;
#[doc(hidden)]
pub mod pem;
#[doc(hidden)]
pub mod regular_file;

#[doc(hidden)]
pub mod named_file;

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
#[doc(hidden)]
pub mod temporary;

#[cfg(feature = "fetch")]
#[doc(hidden)]
pub mod http_client;

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
pub mod tsb;

#[cfg(feature = "sign")]
pub mod signer;

#[cfg(feature = "testbench")]
pub mod forge;

#[cfg(feature = "sign")]
pub mod sign;

#[cfg(feature = "sign")]
#[doc(hidden)]
pub mod signing_plugin;

#[cfg(feature = "pkcs11")]
pub mod pkcs11_plugin;

#[cfg(feature = "sign")]
pub mod tsb_plugin;

#[cfg(feature = "testbench")]
pub mod scenario;

#[cfg(feature = "testbench")]
#[doc(hidden)]
pub mod fuzzing;

#[cfg(feature = "cli")]
#[doc(hidden)]
pub mod cli;

#[cfg(feature = "fetch")]
pub use verifier::Verifier;

#[cfg(test)]
#[path = "../tests/processor_time/mod.rs"]
mod processor_time;
#[cfg(test)]
#[path = "../tests/skip/mod.rs"]
mod skip;

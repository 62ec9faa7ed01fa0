//! Builds the worlds that tests and scenarios judge: keys, authorities, certificates, envelopes, manifests.
//!
//! Follows *signature-specification*, *signature-envelope-jws* and *signature-envelope-cose*, and can break every one of
//! their rules on purpose: each draft starts sound, and a case states only how it departs from that.
//!
//! The encoders here are its own. It uses neither the parsers nor the types of [`crate::pki`] and [`crate::envelope`]: a
//! mistake made alike on both sides would cancel out. (Only a key that a [`crate::signer::Signer`] holds is known by its
//! kind in [`crate::pki`].) It never reads a clock; times are given.

mod artifact;
mod authority;
mod cbor;
mod certificate;
mod container;
mod cose;
mod error;
mod extension;
mod jws;
mod key;
pub mod registry;
pub mod softhsm;
mod statement;
mod subject;

pub use artifact::{Artifact, Blob, SignatureManifest};
pub use authority::{Authority, LeafRequest, Signer, Validity};
pub use cbor::Cbor;
pub use certificate::{CertificateDraft, Unchecked, tlv};
pub use container::{ContainerError, Containers, LABEL as CONTAINER_LABEL, RegistryContainer};
pub use cose::CoseDraft;
pub use error::ForgeError;
pub use extension::{
    ExtensionKind, authority_key_identifier, basic_constraints, crl_distribution_points, extended_key_usage, extension,
    key_usage, ocsp_responders, subject_key_identifier,
};
pub use jws::{JwsDraft, Members};
pub use key::{Key, KeyKind, Salt, SignatureForm};
pub use statement::{Attribute, PAYLOAD_TYPE, Scheme, Statement};
pub use subject::{Subject, TextKind};

#[cfg(test)]
mod tests;

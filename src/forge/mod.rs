//! Builds the worlds that tests and scenarios judge: keys, authorities, certificates, envelopes, manifests.
//!
//! Follows *signature-specification*, *signature-envelope-jws* and *signature-envelope-cose*, and for what stands around
//! them RFC 5280 (CRLs), RFC 6960 (OCSP) and RFC 3161 (time stamps). The forge can break every one of their rules on
//! purpose: each draft starts sound, and a case states only how it departs from that.
//!
//! Envelopes and signature manifests are written by [`crate::encode`], and broken here; the other encoders are the forge's
//! own. The forge never uses the parsers of [`crate::pki`], [`crate::envelope`] and [`crate::timestamp`], nor the words and
//! numbers that they compare with: a mistake made alike on both sides would cancel out. It shares with them only plain
//! enumerations, such as the kinds of keys. It never reads a clock; times are given.

mod accepting;
mod altered;
mod artifact;
pub mod asn1;
mod authority;
mod certificate;
mod container;
mod cose;
mod crl;
mod error;
mod extension;
pub mod gateway;
mod jws;
mod key;
mod loopback;
mod ocsp;
pub mod plugin;
mod program;
pub mod registry;
pub mod responder;
pub mod softhsm;
mod statement;
mod subject;
mod timestamp;
mod tsa_certificate;
pub(crate) mod words;

pub use crate::encode::{Artifact, Attribute, Blob, Cbor, Members, PAYLOAD_TYPE, SignatureManifest, Statement};
pub use crate::envelope::SigningScheme;
pub use crate::pki::KeyKind;
pub use authority::{Authority, LeafRequest, Signer, Validity};
pub use certificate::{CertificateDraft, Unchecked, tlv};
pub use container::{ContainerError, Containers, LABEL as CONTAINER_LABEL, RegistryContainer};
#[cfg(feature = "containers")]
pub use container::{EngineEnvironment, engine_environment, remove_containers_after};
pub use cose::CoseDraft;
pub use crl::{CrlDraft, CrlEntry, CrlScope, pem};
pub use error::ForgeError;
pub use extension::{
    ExtensionKind, authority_key_identifier, basic_constraints, crl_distribution_points, extended_key_usage, extension,
    freshest_crl, key_usage, ocsp_nocheck, ocsp_responders, subject_key_identifier,
};
pub use jws::JwsDraft;
pub use key::{Key, Salt, SignatureForm};
pub use ocsp::{CertId, CertIdHash, OcspDraft, OcspRequest, OcspStatus, ResponderId, ResponseStatus, SingleDraft};
#[cfg(unix)]
pub use program::copy_program;
pub use program::write_script;
pub use subject::{Subject, TextKind};
pub use timestamp::{
    Accuracy, AttributeForm, BASELINE_POLICY, Imprint, SignerIdentifier, SigningCertificate, TimestampDefect,
    TimestampDraft, TimestampRequest, TimestampStatus, TokenAttribute,
};
pub use tsa_certificate::TsaCertificateDefect;
pub use words::{UnknownWord, Word};

#[cfg(test)]
mod tests;

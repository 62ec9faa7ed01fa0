//! Certificates, keys, names and chains.
//!
//! Follows the signature specification, *Certificate Requirements* and *Signature Algorithm Requirements*, and the trust
//! store and trust policy specification, *Trusted Identities Constraints*. Everything here judges bytes against bytes:
//! no trust store, no clock and no network is known to it. It refuses to repair: a certificate that is not DER, a chain
//! out of order or a signature over SHA-1 is a failure, never a warning.

mod certificate;
mod chain;
mod chain_cache;
pub(crate) mod der;
mod distinguished_name;
mod distribution_point;
mod extensions;
mod general_name;
mod name_matching;
mod outline;
mod profile;
mod public_key;
mod rdns;
mod signature_algorithm;

pub use certificate::Certificate;
pub use chain::Chain;
pub use chain_cache::ChainCache;
pub use distinguished_name::{DistinguishedName, DnError};
pub use distribution_point::{DistributionPoint, PointName, Reasons};
pub use extensions::{BasicConstraints, Extensions, KeyUsage};
pub use general_name::GeneralName;
pub(crate) use name_matching::is_same_name;
pub(crate) use profile::{check_timestamping_authority, check_timestamping_leaf};
pub use public_key::{Curve, KeyKind, PublicKey, SignatureMismatch, SubjectKey};
pub use rdns::Rdns;
pub use signature_algorithm::SignatureAlgorithm;

//! Signing artifacts: from a key and its certificates to a signature, and to where it is written beside the artifact.
//!
//! Follows *signature-specification* (Signature Envelope, OCI Signatures) and the signing workflow of
//! *signing-and-verification-workflow*. The envelope is written by [`crate::encode`], and read and verified again by
//! [`crate::envelope`] before it is handed out: nothing that Muster itself refuses leaves here. What this module refuses to
//! do: sign with a chain that breaks the rules or is not valid now, and go on without a time stamp that was asked for. Only
//! [`publish()`] writes. A key may be behind a plugin ([`PluginKey`]); a plugin's signature is verified like any other.
//! Where people have to approve first ([`ApprovalKey`]), what was asked for is kept ([`PendingRequests`]), so that the signature that
//! comes after a restart is over bytes that can be made again.

mod approval_key;
mod expiry;
mod key;
mod key_list;
mod metadata;
mod older_form;
mod pending_request;
mod plugin_key;
mod publish;
mod signature;
mod signing_chain;
mod timestamping;

pub use approval_key::{ApprovalKey, ApprovalKeyError};
pub use expiry::{ExpiryError, parse_expiry};
pub use key::{KeyError, SigningKey};
pub use key_list::{KeyEntry, KeyList, KeyListError, KeyPlace};
pub use metadata::{MetadataError, check_metadata};
pub use pending_request::{PendingRequest, PendingRequestError, PendingRequests};
pub use plugin_key::{PluginKey, PluginKeyError};
pub use publish::{Destination, Discovery, OlderForm, Publication, Published, Waiting, publish};
pub use signature::{SignError, SignRequest, UnfinishedEnvelope, UnsignedEnvelope, begin, sign};
pub use signing_chain::SigningChain;
pub use timestamping::{TimestampAuthority, TimestampingError};

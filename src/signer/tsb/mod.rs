//! A signer whose key signs only when enough people agree: it asks a Transaction Security Broker (TSB), and waits.
//!
//! Follows Securosys' public documentation of the TSB as [`crate::tsb`] has it, and works alike against the vendor's service and
//! against the test bench's gateway. A request is made ([`TsbKey::submit`]), waited for through `PENDING` and `APPROVED`
//! ([`TsbKey::wait`]), and taken back when the signer's own time is over or it is told to stop, so that no late approval signs
//! unseen. Trouble on the way is tried again and never taken for an answer. Every signature is verified with the key's certificate
//! before it is handed out.
//!
//! What is refused: secrets in settings, plain HTTP to other machines, a server whose certificate does not verify, redirects, ids
//! that lead elsewhere, and a second request where the first may have been taken. Keys are never made here.

mod application_key;
mod approvers;
mod broker;
mod certificate;
mod clock;
mod environment;
mod error;
mod key;
mod metadata;
mod progress;
mod request_id;
mod request_state;
mod secrets;
mod settings;
mod uri;
mod withdrawal;

pub use certificate::fetch_chain;
pub use clock::{ApprovalClock, WallClock};
pub use environment::TsbEnvironment;
pub use error::{TsbError, TsbErrorKind};
pub use key::{Submission, Told, TsbKey};
pub use metadata::ApprovalMetadata;
pub use progress::RequestProgress;
pub use request_id::{RequestId, RequestIdError};
pub use secrets::open_to_others;
pub use settings::{Paths, SETTINGS, TsbSettings};
pub(crate) use uri::is_broker;
pub use withdrawal::{Withdrawn, cancel_request};

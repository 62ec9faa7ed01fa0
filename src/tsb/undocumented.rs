//! What the vendor does not document, and what is done here in its place: **ours, not the vendor's**.
//!
//! The one place for it in the code; `docs/approvals.md` tells users. It is corrected here once the real interface is seen.

/// `POST`: refuses a task. That there is such a call is documented, its address and body are not.
pub const REJECT: &str = "/v1/task/reject";

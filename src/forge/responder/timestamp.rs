//! A time stamping authority on the network.

use time::OffsetDateTime;

use super::super::{ForgeError, Signer, TimestampDefect, TimestampDraft, TimestampRequest, TimestampStatus};

/// A length over every reader's limit for a token, in bytes.
pub(super) const OVERSIZED: usize = (32 << 20) + 1;

/// badRequest and timeNotAvailable (RFC 3161, section 2.4.2).
const BAD_REQUEST: u8 = 2;
const NOT_AVAILABLE: u8 = 14;

/// The answer to `request` by `authority`, which numbers its tokens.
pub(super) fn answer(
    authority: &Signer,
    request: &[u8],
    serial: u64,
    now: OffsetDateTime,
    defect: Option<TimestampDefect>,
) -> Result<Vec<u8>, ForgeError> {
    let Some(request) = TimestampRequest::read(request) else {
        return Ok(TimestampStatus::Rejected(BAD_REQUEST).response(&[]));
    };
    let mut draft = TimestampDraft::of(authority, request.imprint, now);
    draft.serial = serial;
    draft.nonce = request.nonce;
    if let Some(policy) = request.policy {
        draft.policy = policy;
    }
    if !request.certificates {
        draft.certificates.clear();
    }
    if let Some(defect) = defect {
        defect.apply(&mut draft);
    }
    draft.response(TimestampStatus::Granted)
}

/// That there will be no token.
pub(super) fn refusal() -> Vec<u8> {
    TimestampStatus::Rejected(NOT_AVAILABLE).response(&[])
}

//! The time stamping authority that tests of tokens trust, and its tokens before they are changed. Integration tests share
//! this file.

use time::OffsetDateTime;
use time::macros::datetime;

use crate::forge::{Authority, CertificateDraft, ForgeError, Key, KeyKind, LeafRequest, Signer, TimestampDraft, asn1};
use crate::pki::Certificate;

pub(super) const MESSAGE: &[u8] = b"the primitive signature";
pub(super) const TIME: OffsetDateTime = datetime!(2026-06-01 12:00 UTC);
pub(super) const TIME_STAMPING: &str = "1.3.6.1.5.5.7.3.8";

pub(super) fn oid(dotted: &str) -> Vec<u8> {
    asn1::oid(dotted).unwrap()
}

pub(super) fn key(slot: usize) -> Key {
    Key::pooled(KeyKind::P256, slot).unwrap()
}

/// Root and intermediate of the authority that all these tests trust.
pub(super) fn authority() -> Authority {
    root().intermediate("C=US, ST=WA, O=timekeeper, CN=issuing", key(11)).unwrap()
}

pub(super) fn root() -> Authority {
    Authority::root("C=US, ST=WA, O=timekeeper, CN=root", key(10)).unwrap()
}

/// A certificate that may sign time stamps, changed.
pub(super) fn stamper(
    authority: &Authority,
    key: Key,
    change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
) -> Signer {
    authority.tsa_with(LeafRequest::new("C=US, ST=WA, O=timekeeper, CN=stamper", key).unwrap(), change).unwrap()
}

/// A sound token of `signer` that states no accuracy.
pub(super) fn draft_of(signer: &Signer) -> TimestampDraft {
    let mut draft = TimestampDraft::over(signer, MESSAGE, TIME);
    draft.accuracy = None;
    draft
}

/// A sound token: an EC key, an intermediate, no accuracy.
pub(super) fn sound() -> TimestampDraft {
    draft_of(&stamper(&authority(), key(12), |_| Ok(())))
}

/// The root of the chain by which `draft` is signed.
pub(super) fn root_of(draft: &TimestampDraft) -> Certificate {
    Certificate::parse(draft.authority.chain.last().unwrap()).unwrap()
}

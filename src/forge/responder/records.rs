//! What an authority knows of the certificates that it has issued.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use time::OffsetDateTime;

use super::super::{Authority, CrlEntry, OcspStatus};

/// certificateHold (RFC 5280, section 5.3.1).
const HOLD: u8 = 6;
/// removeFromCRL (RFC 5280, section 5.3.1).
const REMOVE: u8 = 8;

/// An authority with the fate of its certificates. Copies share it.
#[derive(Debug, Clone)]
pub struct IssuerRecords {
    authority: Arc<Authority>,
    events: Arc<Mutex<Vec<CrlEntry>>>,
}

impl IssuerRecords {
    /// An authority that has revoked nothing.
    pub fn new(authority: Authority) -> IssuerRecords {
        IssuerRecords { authority: Arc::new(authority), events: Arc::default() }
    }

    /// The authority.
    pub fn authority(&self) -> &Authority {
        &self.authority
    }

    /// Records an entry: a revocation, a hold, or that a hold is over.
    pub fn record(&self, entry: CrlEntry) {
        self.locked().push(entry);
    }

    /// Revokes a certificate since `at`, for `reason` by RFC 5280's number. `serial` is the content of its INTEGER
    /// ([`super::super::Signer::serial`]).
    pub fn revoke(&self, serial: Vec<u8>, at: OffsetDateTime, reason: Option<u8>, invalidity: Option<OffsetDateTime>) {
        self.record(CrlEntry { serial, revoked_at: at, reason, invalidity, extra: Vec::new() });
    }

    /// Puts a certificate on hold.
    pub fn hold(&self, serial: Vec<u8>, at: OffsetDateTime) {
        self.revoke(serial, at, Some(HOLD), None);
    }

    /// Ends a hold.
    pub fn release(&self, serial: Vec<u8>, at: OffsetDateTime) {
        self.revoke(serial, at, Some(REMOVE), None);
    }

    /// How much has been recorded.
    pub(super) fn len(&self) -> usize {
        self.locked().len()
    }

    /// All that has been recorded from one number of entries to another, in that order.
    pub(super) fn history(&self, from: usize, to: usize) -> Vec<CrlEntry> {
        self.locked().get(from..to).unwrap_or_default().to_vec()
    }

    /// What a complete CRL lists, made when so much had been recorded: the last of each certificate, unless it says that
    /// a hold is over.
    pub(super) fn revoked(&self, recorded: usize) -> Vec<CrlEntry> {
        latest(&self.history(0, recorded)).into_iter().filter(|entry| entry.reason != Some(REMOVE)).collect()
    }

    /// What a delta lists: the last of each certificate of all that has been recorded since.
    pub(super) fn changed(&self, since: usize) -> Vec<CrlEntry> {
        latest(&self.history(since, self.len()))
    }

    /// What a responder says of a certificate.
    pub fn status(&self, serial: &[u8]) -> OcspStatus {
        let events = self.locked();
        match events.iter().rev().find(|entry| entry.serial == serial) {
            Some(entry) if entry.reason != Some(REMOVE) => {
                OcspStatus::Revoked { at: entry.revoked_at, reason: entry.reason, invalidity: entry.invalidity }
            }
            _ => OcspStatus::Good,
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<CrlEntry>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The last entry of each certificate, in the order in which certificates were first recorded.
fn latest(events: &[CrlEntry]) -> Vec<CrlEntry> {
    let mut places = std::collections::HashMap::new();
    let mut latest: Vec<CrlEntry> = Vec::new();
    for event in events {
        let place = *places.entry(event.serial.as_slice()).or_insert(latest.len());
        match latest.get_mut(place) {
            Some(old) => *old = event.clone(),
            None => latest.push(event.clone()),
        }
    }
    latest
}

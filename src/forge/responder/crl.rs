//! CRLs as an authority publishes them, complete and delta.

use std::sync::{Mutex, PoisonError};

use time::{Duration, OffsetDateTime};

use super::super::altered::{last_bit_turned, with_trailing_bytes};
use super::super::words::words;
use super::super::{CrlDraft, CrlScope, ForgeError, Key, KeyKind, pem};
use super::IssuerRecords;
use super::untrusted::STRANGER;

/// A length over every reader's limit for a CRL, in bytes.
pub(super) const OVERSIZED: usize = (32 << 20) + 1;
/// The number of the first CRL of every authority: high enough that there are lower ones.
const FIRST_NUMBER: u64 = 100;

words! {
    /// How a CRL departs from the rules. Some are sound all the same, and must be accepted.
    pub CrlDefect {
        /// The next one was due an hour ago.
        Stale "stale"
        /// It holds from an hour ahead.
        NotYet "not-yet"
        /// It does not say when the next one is due.
        NoNextUpdate "no-next-update"
        /// Another key signed it.
        WrongSigner "wrong-signer"
        /// A bit of the signature is turned.
        WrongSignature "wrong-signature"
        /// Another authority is named as its issuer; the key is the authority's.
        OtherIssuer "other-issuer"
        /// Its algorithm is stated as one with SHA-1.
        Sha1 "sha1"
        /// The algorithm beside the signature is another than the one inside.
        OtherAlgorithm "other-algorithm"
        /// The algorithm inside is another than the one beside the signature, by which it was made.
        OtherAlgorithmInside "other-algorithm-inside"
        /// It has an unknown critical extension.
        UnknownCriticalExtension "unknown-critical-extension"
        /// It has an unknown extension that is not critical; that is sound.
        UnknownExtension "unknown-extension"
        /// Its entries have an unknown critical extension.
        UnknownCriticalEntryExtension "unknown-critical-entry-extension"
        /// It is of the certificates of users only.
        OnlyUsers "only-users"
        /// It is of the certificates of authorities only.
        OnlyAuthorities "only-authorities"
        /// It is of attribute certificates only.
        OnlyAttributes "only-attributes"
        /// It is of some reasons only.
        OnlySomeReasons "only-some-reasons"
        /// It is of certificates of other issuers too.
        Indirect "indirect"
        /// It says that it is published elsewhere.
        OtherDistributionPoint "other-distribution-point"
        /// It has no number.
        NoNumber "no-number"
        /// Its number is that of an older one.
        Rollback "rollback"
        /// It is of version 1 and has no extensions.
        Version1 "version-1"
        /// It lists everything that ever happened, holds that are over included; that is sound.
        WholeHistory "whole-history"
        /// It says that it is a delta to an older one.
        SaysDelta "says-delta"
        /// A delta that does not say that it is one.
        NoDeltaIndicator "no-delta-indicator"
        /// A delta to a complete CRL that is yet to come.
        DeltaBaseAhead "delta-base-ahead"
        /// A delta with the number of the complete CRL.
        DeltaNumberNotHigher "delta-number-not-higher"
        /// Bytes follow the CRL.
        TrailingBytes "trailing-bytes"
        /// It is written as PEM.
        Pem "pem"
    }
}

/// How an authority publishes its CRLs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrlOptions {
    /// How long a CRL holds.
    pub lifetime: Duration,
    /// The address of the delta, if the complete CRL is to name one. From then on, the complete CRL changes only where
    /// it is renewed.
    pub delta: Option<String>,
    /// Whether the complete CRL changes only where it is renewed, though it has no delta: an authority that was forgotten.
    pub until_renewed: bool,
}

impl CrlOptions {
    fn kept(&self) -> bool {
        self.until_renewed || self.delta.is_some()
    }
}

impl Default for CrlOptions {
    fn default() -> CrlOptions {
        CrlOptions { lifetime: Duration::WEEK, delta: None, until_renewed: false }
    }
}

/// When the complete CRL was made.
#[derive(Debug, Clone, Copy)]
struct Issue {
    at: OffsetDateTime,
    recorded: usize,
    renewals: u64,
}

/// The CRLs of one authority.
#[derive(Debug)]
pub(super) struct CrlEndpoint {
    records: IssuerRecords,
    options: CrlOptions,
    /// The complete CRL that the delta adds to.
    base: Mutex<Issue>,
    /// What was made last, complete and delta.
    made: [Made; 2],
}

/// What was made last, and of what.
type Made = Mutex<Option<(MadeOf, Vec<u8>)>>;

/// What decides how a CRL comes out: the time, how much is recorded, how often the complete one was renewed, the defect.
type MadeOf = (OffsetDateTime, usize, u64, Option<CrlDefect>);

impl CrlEndpoint {
    pub(super) fn new(records: IssuerRecords, options: CrlOptions, now: OffsetDateTime) -> CrlEndpoint {
        let base = Issue { at: now, recorded: records.len(), renewals: 0 };
        CrlEndpoint { records, options, base: Mutex::new(base), made: Default::default() }
    }

    /// Makes the complete CRL anew, with all that has been recorded.
    pub(super) fn renew(&self, now: OffsetDateTime) {
        let mut base = self.base.lock().unwrap_or_else(PoisonError::into_inner);
        *base = Issue { at: now, recorded: self.records.len(), renewals: base.renewals + 1 };
    }

    /// The CRL as it is now: the same bytes for as long as nothing changes.
    pub(super) fn answer(
        &self,
        delta: bool,
        now: OffsetDateTime,
        defect: Option<CrlDefect>,
    ) -> Result<Vec<u8>, ForgeError> {
        let base = *self.base.lock().unwrap_or_else(PoisonError::into_inner);
        let of = match (delta, self.options.kept(), defect) {
            (false, true, None) => (base.at, base.recorded, base.renewals, None),
            _ => (now, self.records.len(), base.renewals, defect),
        };
        let mut made = self.made[usize::from(delta)].lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((old, crl)) = &*made
            && *old == of
        {
            return Ok(crl.clone());
        }
        let crl = self.make(delta, base, now, defect)?;
        *made = Some((of, crl.clone()));
        Ok(crl)
    }

    fn make(
        &self,
        delta: bool,
        base: Issue,
        now: OffsetDateTime,
        defect: Option<CrlDefect>,
    ) -> Result<Vec<u8>, ForgeError> {
        let authority = self.records.authority();
        // Two numbers for each thing recorded and each renewal: the even ones are complete CRLs, the odd ones deltas.
        let number = |recorded: usize| FIRST_NUMBER + 2 * (recorded as u64 + base.renewals);
        let recorded = self.records.len();
        let (at, complete) = if self.options.kept() { (base.at, base.recorded) } else { (now, recorded) };
        let mut draft = CrlDraft::new(authority, if delta { now } else { at });
        if delta {
            draft.number = Some(number(recorded) + 1);
            draft.delta_base = Some(number(base.recorded));
            draft.entries = self.records.changed(base.recorded);
        } else {
            draft.number = Some(number(complete));
            draft.freshest = self.options.delta.clone().into_iter().collect();
            draft.entries = match defect {
                Some(CrlDefect::WholeHistory) => self.records.history(0, complete),
                _ => self.records.revoked(complete),
            };
        }
        draft.next_update = draft.this_update.checked_add(self.options.lifetime);
        let other = super::untrusted::other_authority()?;
        let key = match defect {
            Some(CrlDefect::WrongSigner) => Key::pooled(KeyKind::P256, STRANGER)?,
            _ => authority.key().clone(),
        };
        if let Some(defect) = defect {
            let base_number = number(base.recorded);
            apply(defect, &mut draft, base_number, now);
            if defect == CrlDefect::OtherIssuer {
                draft.issuer = &other;
            }
        }
        draft.sign(&key)
    }
}

fn apply(defect: CrlDefect, draft: &mut CrlDraft<'_>, base_number: u64, now: OffsetDateTime) {
    use CrlDefect as D;
    let scope = |scope: CrlScope<'_>| Some(scope.encode());
    match defect {
        D::Stale => {
            draft.this_update = now.saturating_sub(Duration::WEEK);
            draft.next_update = now.checked_sub(Duration::HOUR);
        }
        D::NotYet => {
            draft.this_update = now.saturating_add(Duration::HOUR);
            draft.next_update = now.checked_add(Duration::WEEK);
        }
        D::NoNextUpdate => draft.next_update = None,
        D::WrongSignature => draft.alter = Some(last_bit_turned),
        // These are done where keys and entries are chosen.
        D::WrongSigner | D::OtherIssuer | D::WholeHistory => {}
        D::Sha1 => {
            draft.algorithm = Some(match draft.issuer.key().kind() {
                KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => ("1.2.840.10045.4.1", false),
                KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => ("1.2.840.113549.1.1.5", true),
            });
        }
        D::OtherAlgorithm => draft.outer_algorithm = Some(("1.2.840.113549.1.1.12", false)),
        D::OtherAlgorithmInside => {
            draft.outer_algorithm = Some(draft.issuer.key().kind().certificate_algorithm());
            draft.algorithm = Some(("1.2.840.113549.1.1.12", true));
        }
        D::UnknownCriticalExtension => draft.add_unknown(true),
        D::UnknownExtension => draft.add_unknown(false),
        D::UnknownCriticalEntryExtension => draft.add_unknown_to_entries(true),
        D::OnlyUsers => {
            draft.issuing_distribution_point = scope(CrlScope { only_users: true, ..CrlScope::default() });
        }
        D::OnlyAuthorities => {
            draft.issuing_distribution_point = scope(CrlScope { only_authorities: true, ..CrlScope::default() });
        }
        D::OnlyAttributes => {
            draft.issuing_distribution_point = scope(CrlScope { only_attributes: true, ..CrlScope::default() });
        }
        D::OnlySomeReasons => {
            // keyCompromise and cACompromise.
            let reasons = Some([5, 0x60].as_slice());
            draft.issuing_distribution_point = scope(CrlScope { only_reasons: reasons, ..CrlScope::default() });
        }
        D::Indirect => {
            draft.issuing_distribution_point = scope(CrlScope { indirect: true, ..CrlScope::default() });
        }
        D::OtherDistributionPoint => {
            let url = Some("http://elsewhere.example/a.crl");
            draft.issuing_distribution_point = scope(CrlScope { url, ..CrlScope::default() });
        }
        D::NoNumber => draft.number = None,
        D::Rollback => draft.number = Some(1),
        D::Version1 => {
            draft.version = None;
            draft.number = None;
            draft.delta_base = None;
            draft.authority_key_identifier = false;
            draft.freshest.clear();
            for entry in &mut draft.entries {
                (entry.reason, entry.invalidity) = (None, None);
            }
        }
        D::SaysDelta => draft.delta_base = Some(1),
        D::NoDeltaIndicator => draft.delta_base = None,
        D::DeltaBaseAhead => {
            draft.delta_base = Some(base_number + 1000);
            draft.number = Some(base_number + 1001);
        }
        D::DeltaNumberNotHigher => draft.number = Some(base_number),
        D::TrailingBytes => draft.alter = Some(with_trailing_bytes),
        D::Pem => draft.alter = Some(|crl| pem("X509 CRL", &crl)),
    }
}

//! An OCSP responder.

use time::macros::datetime;
use time::{Duration, OffsetDateTime};

use super::super::altered::{last_bit_turned, with_trailing_bytes};
use super::super::words::words;
use super::super::{
    CertId, CertIdHash, ForgeError, Key, KeyKind, LeafRequest, OcspDraft, OcspRequest, OcspStatus, ResponderId,
    ResponseStatus, Signer, SingleDraft, Validity,
};
use super::IssuerRecords;
use super::untrusted::{self, DELEGATE, STRANGER};

/// A length over every reader's limit for an OCSP answer, in bytes.
pub(super) const OVERSIZED: usize = 20_481;

const DELEGATE_NAME: &str = "C=US, ST=WA, O=responder, CN=ocsp";

words! {
    /// How an OCSP answer departs from the rules, or from what the authority itself would say. Some are sound all the
    /// same, and must be accepted.
    pub OcspDefect {
        /// More was to be known an hour ago.
        Stale "stale"
        /// It holds from an hour ahead.
        NotYet "not-yet"
        /// It does not say when more will be known.
        NoNextUpdate "no-next-update"
        /// A delegate signs; that is sound.
        Delegate "delegate"
        /// A delegate signs and is named by its key; that is sound.
        DelegateByKey "delegate-by-key"
        /// A delegate signs whose certificate does not go along.
        DelegateNotSent "delegate-not-sent"
        /// A delegate signs whose certificate has expired.
        ExpiredDelegate "expired-delegate"
        /// The signer has a certificate of the authority that is not for signing OCSP answers.
        DelegateWithoutPurpose "delegate-without-purpose"
        /// A delegate of another authority signs.
        DelegateOfAnother "delegate-of-another"
        /// A delegate signs whose certificate another key than the authority's has signed.
        ForgedDelegate "forged-delegate"
        /// Another key signs in the authority's name.
        WrongSigner "wrong-signer"
        /// Another authority signs in its own name.
        OtherAuthority "other-authority"
        /// A bit of the signature is turned.
        WrongSignature "wrong-signature"
        /// Its algorithm is stated as one with SHA-1.
        Sha1 "sha1"
        /// It does not know the certificate.
        UnknownStatus "unknown-status"
        /// It says that everything is good.
        AlwaysGood "always-good"
        /// It is about a certificate with another number.
        OtherSerial "other-serial"
        /// It is about a certificate of an issuer with another name.
        OtherIssuerName "other-issuer-name"
        /// It is about a certificate of an issuer with another key.
        OtherIssuerKey "other-issuer-key"
        /// It names the issuer by SHA-256, however it was asked.
        Sha256CertId "sha256-cert-id"
        /// It says something of other certificates first; that is sound.
        SeveralResponses "several-responses"
        /// It says two things of the certificate: that it is good, and that it is revoked.
        Contradiction "contradiction"
        /// It says nothing of any certificate.
        NoResponses "no-responses"
        /// The nonce is another.
        WrongNonce "wrong-nonce"
        /// There is no nonce.
        NoNonce "no-nonce"
        /// It has an unknown critical extension.
        UnknownCriticalExtension "unknown-critical-extension"
        /// Its SingleResponse for the certificate has an unknown critical extension.
        UnknownCriticalSingleExtension "unknown-critical-single-extension"
        /// It is of another type than basic.
        OtherType "other-type"
        /// It did not understand the request.
        MalformedRequest "malformed-request"
        /// It is broken.
        InternalError "internal-error"
        /// Ask again later.
        TryLater "try-later"
        /// It wants requests to be signed.
        SigRequired "sig-required"
        /// It does not answer this client.
        Unauthorized "unauthorized"
        /// Bytes follow the answer.
        TrailingBytes "trailing-bytes"
    }
}

/// The answer to `request`, as the authority of `records` gives it.
pub(super) fn answer(
    records: &IssuerRecords,
    request: &[u8],
    now: OffsetDateTime,
    defect: Option<OcspDefect>,
) -> Result<Vec<u8>, ForgeError> {
    let authority = records.authority();
    let mut draft = OcspDraft::by_issuer(authority, now);
    match OcspRequest::read(request) {
        Some(request) => {
            for id in &request.certificates {
                let status = match id.is_of(authority) {
                    true => records.status(&id.serial),
                    false => OcspStatus::Unknown,
                };
                draft.responses.push(SingleDraft::new(id.clone(), status, now));
            }
            draft.nonce = request.nonce;
        }
        None => draft.status = ResponseStatus::MalformedRequest,
    }
    if let Some(defect) = defect {
        apply(defect, &mut draft, records, now)?;
    }
    draft.sign()
}

fn apply(
    defect: OcspDefect,
    draft: &mut OcspDraft,
    records: &IssuerRecords,
    now: OffsetDateTime,
) -> Result<(), ForgeError> {
    use OcspDefect as D;
    let authority = records.authority();
    let key = || Key::pooled(KeyKind::P256, DELEGATE);
    let mut signed_by = |signer: Signer| {
        draft.certificates = signer.chain.first().cloned().into_iter().collect();
        draft.signer = signer;
    };
    match defect {
        D::Delegate | D::DelegateByKey | D::DelegateNotSent => {
            signed_by(authority.ocsp_delegate(DELEGATE_NAME, key()?)?);
            match defect {
                D::DelegateByKey => draft.responder = ResponderId::Key,
                D::DelegateNotSent => draft.certificates.clear(),
                _ => {}
            }
        }
        D::ExpiredDelegate => {
            let mut request = LeafRequest::new(DELEGATE_NAME, key()?)?;
            request.validity =
                Validity { not_before: datetime!(2020-01-01 0:00 UTC), not_after: datetime!(2021-01-01 0:00 UTC) };
            signed_by(authority.ocsp_delegate_with(request, |_| Ok(()))?);
        }
        D::DelegateWithoutPurpose => signed_by(authority.issue(LeafRequest::new(DELEGATE_NAME, key()?)?)?),
        D::DelegateOfAnother => signed_by(untrusted::other_authority()?.ocsp_delegate(DELEGATE_NAME, key()?)?),
        D::ForgedDelegate => {
            let request = LeafRequest::new(DELEGATE_NAME, key()?)?;
            signed_by(authority.ocsp_delegate_with(request, |certificate| {
                certificate.alter = Some(last_bit_turned);
                Ok(())
            })?);
        }
        D::WrongSigner => draft.signing_key = Some(Key::pooled(KeyKind::P256, STRANGER)?),
        D::OtherAuthority => signed_by(untrusted::other_authority()?.signer()),
        D::WrongSignature => draft.alter = Some(last_bit_turned),
        D::Sha1 => {
            draft.algorithm = Some(match authority.key().kind() {
                KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => ("1.2.840.10045.4.1", false),
                KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => ("1.2.840.113549.1.1.5", true),
            });
        }
        D::SeveralResponses => {
            let id = CertId::new(CertIdHash::Sha1, authority, [0x5e, 0x5e])?;
            let revoked = OcspStatus::Revoked { at: now, reason: None, invalidity: None };
            draft.responses.insert(0, SingleDraft::new(id, revoked, now));
        }
        D::Contradiction => {
            let revoked = OcspStatus::Revoked { at: now, reason: None, invalidity: None };
            for single in draft.responses.clone() {
                let status = if single.status == OcspStatus::Good { revoked } else { OcspStatus::Good };
                draft.responses.push(SingleDraft { status, ..single });
            }
        }
        D::NoResponses => draft.responses.clear(),
        D::WrongNonce => draft.nonce = Some(super::super::tlv(0x04, &[0x5e; 16])),
        D::NoNonce => draft.nonce = None,
        D::UnknownCriticalExtension => draft.add_unknown(true),
        D::OtherType => draft.kind = "1.3.6.1.4.1.99999.9",
        D::MalformedRequest => draft.status = ResponseStatus::MalformedRequest,
        D::InternalError => draft.status = ResponseStatus::InternalError,
        D::TryLater => draft.status = ResponseStatus::TryLater,
        D::SigRequired => draft.status = ResponseStatus::SigRequired,
        D::Unauthorized => draft.status = ResponseStatus::Unauthorized,
        D::TrailingBytes => draft.alter = Some(with_trailing_bytes),
        D::Stale
        | D::NotYet
        | D::NoNextUpdate
        | D::UnknownStatus
        | D::AlwaysGood
        | D::OtherSerial
        | D::OtherIssuerName
        | D::OtherIssuerKey
        | D::Sha256CertId
        | D::UnknownCriticalSingleExtension => {
            for single in &mut draft.responses {
                apply_single(defect, single, records, now)?;
            }
        }
    }
    Ok(())
}

/// Breaks what is said of one certificate.
fn apply_single(
    defect: OcspDefect,
    single: &mut SingleDraft,
    records: &IssuerRecords,
    now: OffsetDateTime,
) -> Result<(), ForgeError> {
    use OcspDefect as D;
    match defect {
        D::Stale => {
            single.this_update = now.saturating_sub(Duration::DAY);
            single.next_update = now.checked_sub(Duration::HOUR);
        }
        D::NotYet => {
            single.this_update = now.saturating_add(Duration::HOUR);
            single.next_update = now.checked_add(Duration::DAY);
        }
        D::NoNextUpdate => single.next_update = None,
        D::UnknownStatus => single.status = OcspStatus::Unknown,
        D::AlwaysGood => single.status = OcspStatus::Good,
        D::OtherSerial => single.certificate.serial = vec![0x5e, 0x5e],
        D::OtherIssuerName => single.certificate.issuer_name.reverse(),
        D::OtherIssuerKey => single.certificate.issuer_key.reverse(),
        D::Sha256CertId => {
            let serial = single.certificate.serial.clone();
            single.certificate = CertId::new(CertIdHash::Sha256, records.authority(), serial)?;
        }
        D::UnknownCriticalSingleExtension => {
            single.extra.push(("1.3.6.1.4.1.99999.9".to_owned(), true, super::super::tlv(0x05, &[])));
        }
        _ => {}
    }
    Ok(())
}

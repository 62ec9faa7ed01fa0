//! Authorities: roots and intermediates that issue certificates, and the signers they certify.
//!
//! By default everything meets *signature-specification*, Certificate Requirements; the `_with` forms hand out the
//! [`CertificateDraft`] before it is signed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use time::OffsetDateTime;
use time::macros::datetime;
use x509_cert::ext::pkix::KeyUsages;

use super::asn1::certificate_parts;
use super::extension::{CODE_SIGNING, TIME_STAMPING};
use super::{
    CertificateDraft, ForgeError, Key, Subject, authority_key_identifier, basic_constraints, crl_distribution_points,
    extended_key_usage, key_usage, ocsp_nocheck, ocsp_responders, subject_key_identifier,
};
use crate::signer::{self, CertificateChainFile};

/// The purpose of signing OCSP answers (RFC 6960, section 4.2.2.2).
const OCSP_SIGNING: &str = "1.3.6.1.5.5.7.3.9";

/// From when to when a certificate is valid, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Validity {
    /// The first second.
    pub not_before: OffsetDateTime,
    /// The last second.
    pub not_after: OffsetDateTime,
}

impl Default for Validity {
    /// From 2020 to 2060, so that a case that says nothing of time has none to fear.
    fn default() -> Validity {
        Validity { not_before: datetime!(2020-01-01 0:00 UTC), not_after: datetime!(2060-01-01 0:00 UTC) }
    }
}

/// A key with the right to issue certificates.
#[derive(Debug, Clone)]
pub struct Authority {
    subject: Subject,
    key: Key,
    /// The authority's own certificate first, the root's last.
    chain: Vec<Vec<u8>>,
    serials: Arc<AtomicU64>,
}

/// What a signing certificate is to say.
#[derive(Debug, Clone)]
pub struct LeafRequest {
    /// Whose certificate it is to be.
    pub subject: Subject,
    /// The key that it certifies.
    pub key: Key,
    /// When the certificate is valid.
    pub validity: Validity,
    /// Extended key usages as dotted object identifiers; code signing by default.
    pub purposes: Vec<String>,
    /// Where its CRLs are published.
    pub crl_urls: Vec<String>,
    /// Where OCSP responders answer for it.
    pub ocsp_urls: Vec<String>,
}

impl LeafRequest {
    /// A code-signing certificate for `key`.
    pub fn new(subject: &str, key: Key) -> Result<LeafRequest, ForgeError> {
        Ok(LeafRequest {
            subject: Subject::parse(subject)?,
            key,
            validity: Validity::default(),
            purposes: vec![CODE_SIGNING.to_owned()],
            crl_urls: Vec::new(),
            ocsp_urls: Vec::new(),
        })
    }
}

/// A signer of artifacts: a key with the chain that certifies it.
#[derive(Debug, Clone)]
pub struct Signer {
    /// The key.
    pub key: Key,
    /// The certificates in DER, the signer's own first, the root last.
    pub chain: Vec<Vec<u8>>,
}

impl Authority {
    /// A self-signed root, valid by default.
    pub fn root(subject: &str, key: Key) -> Result<Authority, ForgeError> {
        Authority::root_with(subject, key, |_| Ok(()))
    }

    /// A self-signed root, changed before it is signed.
    pub fn root_with(
        subject: &str,
        key: Key,
        change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
    ) -> Result<Authority, ForgeError> {
        let subject = Subject::parse(subject)?;
        let serials = Arc::new(AtomicU64::new(1));
        let mut draft = authority_draft(&subject, &subject, &key, &key, &serials)?;
        change(&mut draft)?;
        let chain = vec![draft.sign(&key)?];
        Ok(Authority { subject, key, chain, serials })
    }

    /// An authority certified by this one.
    pub fn intermediate(&self, subject: &str, key: Key) -> Result<Authority, ForgeError> {
        self.intermediate_with(subject, key, |_| Ok(()))
    }

    /// An authority certified by this one, its certificate changed before it is signed.
    pub fn intermediate_with(
        &self,
        subject: &str,
        key: Key,
        change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
    ) -> Result<Authority, ForgeError> {
        let subject = Subject::parse(subject)?;
        let mut draft = authority_draft(&self.subject, &subject, &key, &self.key, &self.serials)?;
        change(&mut draft)?;
        let chain = self.extended(draft.sign(&self.key)?);
        Ok(Authority { subject, key, chain, serials: Arc::new(AtomicU64::new(1)) })
    }

    /// An authority made of parts, for chains that no issuer would make.
    pub fn from_parts(subject: &str, key: Key, chain: Vec<Vec<u8>>) -> Result<Authority, ForgeError> {
        Ok(Authority { subject: Subject::parse(subject)?, key, chain, serials: Arc::new(AtomicU64::new(1)) })
    }

    /// Certifies a signer.
    pub fn issue(&self, request: LeafRequest) -> Result<Signer, ForgeError> {
        self.issue_with(request, |_| Ok(()))
    }

    /// Certifies a signer, the certificate changed before it is signed.
    pub fn issue_with(
        &self,
        request: LeafRequest,
        change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
    ) -> Result<Signer, ForgeError> {
        let mut draft = leaf_draft(&self.subject, &request, &self.key, &self.serials)?;
        change(&mut draft)?;
        Ok(Signer { key: request.key, chain: self.extended(draft.sign(&self.key)?) })
    }

    /// Certifies a time stamping authority: its extended key usage is critical, and time stamping alone.
    pub fn tsa(&self, subject: &str, key: Key) -> Result<Signer, ForgeError> {
        self.tsa_with(LeafRequest::new(subject, key)?, |_| Ok(()))
    }

    /// Certifies a time stamping authority, the certificate changed before it is signed. What `request` says of purposes
    /// is not heeded.
    pub fn tsa_with(
        &self,
        mut request: LeafRequest,
        change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
    ) -> Result<Signer, ForgeError> {
        request.purposes = vec![TIME_STAMPING.to_owned()];
        self.issue_with(request, |draft| {
            draft.set(extended_key_usage(&[TIME_STAMPING], true)?);
            change(draft)
        })
    }

    /// Certifies an OCSP responder that answers in this authority's place, and whose own certificate need not be checked.
    pub fn ocsp_delegate(&self, subject: &str, key: Key) -> Result<Signer, ForgeError> {
        self.ocsp_delegate_with(LeafRequest::new(subject, key)?, |_| Ok(()))
    }

    /// Certifies an OCSP responder, the certificate changed before it is signed. What `request` says of purposes is not
    /// heeded.
    pub fn ocsp_delegate_with(
        &self,
        mut request: LeafRequest,
        change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
    ) -> Result<Signer, ForgeError> {
        request.purposes = vec![OCSP_SIGNING.to_owned()];
        self.issue_with(request, |draft| {
            draft.set(ocsp_nocheck()?);
            change(draft)
        })
    }

    /// This authority as a signer: its key with the chain from its own certificate.
    pub fn signer(&self) -> Signer {
        Signer { key: self.key.clone(), chain: self.chain.clone() }
    }

    /// The certificate of this authority, in DER.
    pub fn certificate(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// The certificates from this authority up to the root, in DER.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// The key of this authority.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The name of this authority.
    pub fn subject(&self) -> &Subject {
        &self.subject
    }

    fn extended(&self, certificate: Vec<u8>) -> Vec<Vec<u8>> {
        let mut chain = vec![certificate];
        chain.extend_from_slice(&self.chain);
        chain
    }
}

impl Signer {
    /// The signer's certificate in DER.
    pub fn certificate(&self) -> &[u8] {
        self.chain.first().map_or(&[], Vec::as_slice)
    }

    /// The content of its certificate's serial number, as CRLs and OCSP answers name it; empty if that cannot be read.
    pub fn serial(&self) -> Vec<u8> {
        certificate_parts(self.certificate()).map_or(Vec::new(), |parts| parts.serial.to_vec())
    }

    /// The holder of a key, with the chain that was issued for it. Checks that it was; the chain itself is not judged.
    pub fn holding(signer: Arc<dyn signer::PrivateKey>, chain: &CertificateChainFile) -> Result<Signer, ForgeError> {
        chain.check_belongs_to(signer.verifying_key())?;
        let chain = chain.certificates().iter().map(|certificate| certificate.der().to_vec()).collect();
        Ok(Signer { key: Key::held_by(signer), chain })
    }

    /// A signer with nothing above: its certificate is signed with its own key.
    pub fn self_signed(request: LeafRequest) -> Result<Signer, ForgeError> {
        Signer::self_signed_with(request, |_| Ok(()))
    }

    /// A signer with nothing above, its certificate changed before it is signed.
    pub fn self_signed_with(
        request: LeafRequest,
        change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>,
    ) -> Result<Signer, ForgeError> {
        let mut draft = leaf_draft(&request.subject, &request, &request.key, &AtomicU64::new(1))?;
        change(&mut draft)?;
        let certificate = draft.sign(&request.key)?;
        Ok(Signer { key: request.key, chain: vec![certificate] })
    }
}

fn authority_draft(
    issuer: &Subject,
    subject: &Subject,
    key: &Key,
    issuer_key: &Key,
    serials: &AtomicU64,
) -> Result<CertificateDraft, ForgeError> {
    let mut draft = draft(issuer, subject, key, issuer_key, Validity::default(), serials)?;
    draft.set(basic_constraints(true, None, true)?);
    draft.set(key_usage(KeyUsages::KeyCertSign | KeyUsages::CRLSign, true)?);
    Ok(draft)
}

fn leaf_draft(
    issuer: &Subject,
    request: &LeafRequest,
    issuer_key: &Key,
    serials: &AtomicU64,
) -> Result<CertificateDraft, ForgeError> {
    let mut draft = draft(issuer, &request.subject, &request.key, issuer_key, request.validity, serials)?;
    draft.set(basic_constraints(false, None, true)?);
    draft.set(key_usage(KeyUsages::DigitalSignature, true)?);
    let purposes: Vec<&str> = request.purposes.iter().map(String::as_str).collect();
    if !purposes.is_empty() {
        draft.set(extended_key_usage(&purposes, false)?);
    }
    if !request.crl_urls.is_empty() {
        draft.set(crl_distribution_points(&request.crl_urls)?);
    }
    if !request.ocsp_urls.is_empty() {
        draft.set(ocsp_responders(&request.ocsp_urls)?);
    }
    Ok(draft)
}

fn draft(
    issuer: &Subject,
    subject: &Subject,
    key: &Key,
    issuer_key: &Key,
    validity: Validity,
    serials: &AtomicU64,
) -> Result<CertificateDraft, ForgeError> {
    let serial = serials.fetch_add(1, Ordering::Relaxed);
    let (issuer, subject) = (issuer.name()?, subject.name()?);
    let mut draft = CertificateDraft::new(issuer, subject, key.public_key(), validity, serial, issuer_key.kind())?;
    draft.set(subject_key_identifier(key.public_key())?);
    draft.set(authority_key_identifier(issuer_key.public_key())?);
    Ok(draft)
}

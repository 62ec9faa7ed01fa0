//! One certificate, parsed once.
//!
//! Follows RFC 5280, section 4.1. What is kept is owned: the DER and what verification needs. A certificate that is not
//! exactly one DER value of that shape is malformed, even if validly signed. Whether it may be used for anything is not
//! decided here.

use std::ops::Range;

use time::OffsetDateTime;
use x509_parser::certificate::{Validity, X509Certificate, X509CertificateParser};
use x509_parser::nom::Parser as _;
use x509_parser::x509::X509Version;

use crate::digest::Digest;
use crate::failure::{Code, Failure, quote};
use crate::limits;

use super::der::{self, Element};
use super::distribution_point::DistributionPoint;
use super::extensions::Extensions;
use super::general_name::GeneralName;
use super::outline::Outline;
use super::public_key::{PublicKey, SubjectKey};
use super::rdns::Rdns;
use super::signature_algorithm::SignatureAlgorithm;

/// A certificate.
#[derive(Debug, Clone)]
pub struct Certificate {
    der: Box<[u8]>,
    fingerprint: Digest,
    signed: Range<usize>,
    serial: Range<usize>,
    key_raw: Range<usize>,
    subject_raw: Range<usize>,
    issuer_raw: Range<usize>,
    signature: Vec<u8>,
    signature_algorithm: Result<SignatureAlgorithm, String>,
    subject: Rdns,
    subject_text: String,
    not_before: OffsetDateTime,
    not_after: OffsetDateTime,
    key: SubjectKey,
    public_key: Result<PublicKey, Failure>,
    extensions: Extensions,
    lapse: Option<&'static str>,
}

impl Certificate {
    /// Parses a certificate. All of `der` must be one.
    ///
    /// # Errors
    ///
    /// [`Code::CertificateMalformed`] if it is no DER, no certificate, longer than [`limits::CERTIFICATE_BYTES`], or
    /// has an extension twice. A key or a signature algorithm that is not supported is no error yet.
    pub fn parse(der: &[u8]) -> Result<Certificate, Failure> {
        parse(der).map_err(|reason| Failure::new(Code::CertificateMalformed, format!("the certificate {reason}")))
    }

    /// The certificate as it was given.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The SHA-256 digest of [`Certificate::der`].
    pub fn fingerprint(&self) -> &Digest {
        &self.fingerprint
    }

    /// The serial number: the contents of its INTEGER, never negative, perhaps with a leading zero byte.
    pub fn serial(&self) -> &[u8] {
        &self.der[self.serial.clone()]
    }

    /// The bits of the public key as they stand in the `SubjectPublicKeyInfo`: what an OCSP `CertID` hashes.
    pub fn key_bits(&self) -> &[u8] {
        &self.der[self.key_raw.clone()]
    }

    /// The subject, in DER.
    pub fn subject_raw(&self) -> &[u8] {
        &self.der[self.subject_raw.clone()]
    }

    /// The issuer, in DER.
    pub fn issuer_raw(&self) -> &[u8] {
        &self.der[self.issuer_raw.clone()]
    }

    /// The subject.
    pub fn subject(&self) -> &Rdns {
        &self.subject
    }

    /// The subject as text, safe to print: `CN=…,OU=…,O=…,L=…,ST=…,C=…`. See [`Rdns::text`].
    pub fn subject_text(&self) -> &str {
        &self.subject_text
    }

    /// The issuer as text, like [`Certificate::subject_text`].
    pub fn issuer_text(&self) -> String {
        // It was read before.
        let issuer = der::only(self.issuer_raw()).and_then(Rdns::from_element);
        issuer.map(|issuer| issuer.text()).unwrap_or_default()
    }

    /// The first moment at which the certificate is valid.
    pub fn not_before(&self) -> OffsetDateTime {
        self.not_before
    }

    /// The last moment at which the certificate is valid.
    pub fn not_after(&self) -> OffsetDateTime {
        self.not_after
    }

    /// The key, if envelopes can be signed by it.
    ///
    /// # Errors
    ///
    /// [`Code::KeyUnsupported`] if not. The message speaks of the key as "it".
    pub fn public_key(&self) -> Result<&PublicKey, &Failure> {
        self.public_key.as_ref()
    }

    /// The key, whatever it is.
    pub fn subject_key(&self) -> &SubjectKey {
        &self.key
    }

    /// The extensions that are honoured.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The addresses of certificate revocation lists, as written.
    pub fn crl_urls(&self) -> Vec<&str> {
        self.extensions.crl_points.iter().flatten().flat_map(DistributionPoint::urls).collect()
    }

    /// The addresses of OCSP responders, as written.
    pub fn ocsp_urls(&self) -> Vec<&str> {
        self.extensions.ocsp_locations.iter().filter_map(GeneralName::uri).collect()
    }

    /// Whether the basic constraints say that this is a certificate authority.
    pub fn is_ca(&self) -> bool {
        self.extensions.basic_constraints.is_some_and(|constraints| constraints.ca)
    }

    /// Whether its own key made its signature. Says nothing about its names or extensions.
    pub fn signed_by_itself(&self) -> bool {
        self.check_signed_by(self).is_ok()
    }

    /// Whether `issuer` issued this certificate. See [`Certificate::check_issued_by`].
    pub fn issued_by(&self, issuer: &Certificate) -> bool {
        self.check_issued_by(issuer).is_ok()
    }

    /// Checks that `issuer` issued this certificate: the names agree byte for byte, the issuer may issue certificates,
    /// and its key made the signature.
    ///
    /// # Errors
    ///
    /// [`Code::ChainInvalid`] if not; [`Code::CertificateProfile`] if the signature is not of an algorithm that is
    /// accepted, [`Code::KeyUnsupported`] if the issuer's key is not of a kind that is. The message speaks of this
    /// certificate as "it" and of the issuer as "the issuer".
    pub fn check_issued_by(&self, issuer: &Certificate) -> Result<(), Failure> {
        let invalid = |message: String| Err(Failure::new(Code::ChainInvalid, message));
        if self.issuer_raw() != issuer.subject_raw() {
            return invalid(format!("it was issued under another name than {}", quote(&issuer.subject_text)));
        }
        if !issuer.is_ca() {
            return invalid("the issuer is not a certificate authority".to_owned());
        }
        if issuer.extensions.key_usage.is_some_and(|usage| !usage.allows("keyCertSign")) {
            return invalid("the issuer's key usage does not include keyCertSign".to_owned());
        }
        self.check_signed_by(issuer)
    }

    /// Checks that the key of `signer` made the signature, and nothing else.
    ///
    /// # Errors
    ///
    /// As [`Certificate::check_issued_by`].
    pub fn check_signed_by(&self, signer: &Certificate) -> Result<(), Failure> {
        let algorithm = match &self.signature_algorithm {
            Ok(algorithm) => *algorithm,
            Err(reason) => return Err(Failure::new(Code::CertificateProfile, format!("it is signed {reason}"))),
        };
        let subject = quote(&signer.subject_text);
        if let Err(reason) = signer.key.check_verifying() {
            let message = format!("the key of {subject}, which is to have signed it, is not supported: {reason}");
            return Err(Failure::new(Code::KeyUnsupported, message));
        }
        let signed = &self.der[self.signed.clone()];
        algorithm.verify(&signer.key, signed, &self.signature).map_err(|_| {
            Failure::new(Code::ChainInvalid, format!("its signature does not verify with the key of {subject}"))
        })
    }

    /// What of RFC 5280 the certificate breaks although it can be read, as the end of a sentence: "it …".
    pub(super) fn lapse(&self) -> Option<&'static str> {
        self.lapse
    }
}

/// Two certificates are equal when their bytes are.
impl PartialEq for Certificate {
    fn eq(&self, other: &Certificate) -> bool {
        self.der == other.der
    }
}

impl Eq for Certificate {}

fn parse(der: &[u8]) -> Result<Certificate, String> {
    if der.len() > limits::CERTIFICATE_BYTES {
        return Err(format!("has {} bytes, more than the {} allowed", der.len(), limits::CERTIFICATE_BYTES));
    }
    let outline = Outline::read(der).map_err(|error| error.to_string())?;
    let parsed = match X509CertificateParser::new().with_deep_parse_extensions(false).parse(der) {
        Ok(([], parsed)) => parsed,
        _ => return Err("cannot be read".to_owned()),
    };
    if !matches!(parsed.version, X509Version::V1 | X509Version::V2 | X509Version::V3) {
        return Err("is of a version that does not exist".to_owned());
    }
    if parsed.version != X509Version::V3 && !parsed.extensions().is_empty() {
        return Err("has extensions, but is not of version 3".to_owned());
    }
    if parsed.raw_serial().first().is_some_and(|byte| byte & 0x80 != 0) {
        return Err("has a negative serial number".to_owned());
    }
    let subject = Rdns::from_element(outline.subject).map_err(|error| error.to_string())?;
    Rdns::from_element(outline.issuer).map_err(|error| error.to_string())?;
    let key = SubjectKey::from_element(outline.key).map_err(|error| error.to_string())?;
    Ok(Certificate {
        fingerprint: Digest::sha256(der),
        signed: range(der, outline.signed),
        serial: range_of(der, outline.serial.contents),
        key_raw: range_of(der, key_bits(outline.key)),
        subject_raw: range(der, outline.subject),
        issuer_raw: range(der, outline.issuer),
        signature: parsed.signature_value.data.to_vec(),
        signature_algorithm: SignatureAlgorithm::from_identifier(&parsed.signature_algorithm),
        subject_text: subject.text(),
        subject,
        not_before: parsed.validity.not_before.to_datetime(),
        not_after: parsed.validity.not_after.to_datetime(),
        public_key: PublicKey::new(&key),
        key,
        extensions: Extensions::read(parsed.extensions())?,
        lapse: lapse(&parsed),
        der: der.into(),
    })
}

/// Where `element`, a part of `der`, is in it.
fn range(der: &[u8], element: Element<'_>) -> Range<usize> {
    range_of(der, element.whole)
}

/// Where `part`, a slice of `der`, is in it.
fn range_of(der: &[u8], part: &[u8]) -> Range<usize> {
    let start = part.as_ptr().addr() - der.as_ptr().addr();
    start..start + part.len()
}

/// The bits of a `SubjectPublicKeyInfo` that was read before, without the byte that counts unused ones.
fn key_bits(key: Element<'_>) -> &[u8] {
    let parts = key.children(der::SEQUENCE).unwrap_or_default();
    parts.get(1).and_then(|bits| bits.contents.split_first()).map_or(&key.contents[..0], |(_, bits)| bits)
}

/// What the reference implementation lets pass, but RFC 5280, sections 4.1.2.2 and 4.1.2.5, does not.
fn lapse(parsed: &X509Certificate<'_>) -> Option<&'static str> {
    let Validity { not_before, not_after } = parsed.validity();
    let serial = parsed.raw_serial();
    // Zero is no serial number that an authority should give, but one that has to be handled gracefully.
    if serial.len() > 20 {
        Some("has a serial number of more than 20 bytes")
    } else if [not_before, not_after].iter().any(|time| time.is_generalizedtime() && time.to_datetime().year() < 2050) {
        Some("has a GeneralizedTime before 2050")
    } else {
        None
    }
}

#[cfg(test)]
mod tests;

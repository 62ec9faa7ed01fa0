//! A token, from bytes to a time that is known.
//!
//! Follows RFC 3161, section 2.4.2, and RFC 5652, section 5.6. What is verified in which order decides only which of several
//! faults is named.

use time::{Duration, OffsetDateTime};
use x509_parser::prelude::FromDer as _;
use x509_parser::x509::AlgorithmIdentifier;

use super::signed_data::SignedData;
use super::signing_certificate::Attributes;
use super::tst_info::TstInfo;
use super::{VerifiedTimestamp, authority_chain, children, hash, invalid, malformed};
use crate::digest::Algorithm as Hash;
use crate::failure::{Code, Failure, quote};
use crate::pki::der::{self, Element};
use crate::pki::{Certificate, SignatureAlgorithm};
use crate::rfc3339::instant;

/// A time stamp token as the envelope carries it: DER, unread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token(pub Vec<u8>);

/// What a token says, none of it verified: good for showing.
#[derive(Debug)]
pub struct UnverifiedTimestamp<'a> {
    data: SignedData<'a>,
    info: TstInfo,
    /// Each once, in the order of the token.
    certificates: Vec<Certificate>,
}

/// Verifies `token` over `message`, the primitive signature of an envelope. `roots` are the certificates that are trusted
/// for time stamping, each byte for byte.
///
/// # Errors
///
/// [`Code::TimestampMalformed`] if it is not a token; [`Code::TimestampInvalid`] if it was not made of `message`, or not
/// signed by the certificate that it names; [`Code::TimestampUntrusted`] if no chain leads from there to one of `roots`;
/// [`Code::TimestampCertificate`] if one of the chain may not be used for time stamping, or was not valid at the time stated.
pub fn verify(token: &Token, message: &[u8], roots: &[&Certificate]) -> Result<VerifiedTimestamp, Failure> {
    token.read()?.verify(message, roots)
}

impl Token {
    /// Reads the token.
    ///
    /// # Errors
    ///
    /// [`Code::TimestampMalformed`] if it is not exactly one token in DER.
    pub fn read(&self) -> Result<UnverifiedTimestamp<'_>, Failure> {
        let data = SignedData::read(&self.0)?;
        let info = TstInfo::read(data.content)?;
        let mut certificates: Vec<Certificate> = Vec::with_capacity(data.certificates.len());
        for element in &data.certificates {
            if certificates.iter().any(|known| known.der() == element.whole) {
                continue;
            }
            let certificate = Certificate::parse(element.whole);
            certificates
                .push(certificate.map_err(|failure| malformed(format!("carries a broken certificate: {failure}")))?);
        }
        Ok(UnverifiedTimestamp { data, info, certificates })
    }
}

impl UnverifiedTimestamp<'_> {
    /// When the time stamp is said to have been made.
    pub fn gen_time(&self) -> OffsetDateTime {
        self.info.gen_time
    }

    /// How far from it the true time is said to be at most, either way; never negative.
    pub fn accuracy(&self) -> Duration {
        self.info.accuracy
    }

    /// The certificates that it carries, in no order.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Whether the time stamp says that it was made of `message`.
    ///
    /// # Errors
    ///
    /// [`Code::TimestampInvalid`] if not.
    pub fn check_message(&self, message: &[u8]) -> Result<(), Failure> {
        self.info.check(message)
    }

    fn verify(self, message: &[u8], roots: &[&Certificate]) -> Result<VerifiedTimestamp, Failure> {
        self.info.check(message)?;
        let UnverifiedTimestamp { data, info, certificates } = self;
        let signer = &data.signer;
        let digest_algorithm = hash(signer.digest_algorithm)?
            .ok_or_else(|| invalid("hashes its content with something else than SHA-256, SHA-384 or SHA-512"))?;
        let attributes = signer.attributes.ok_or_else(|| invalid("has no signed attributes"))?;
        let named = Attributes::read(attributes)?;
        named.check_content(data.content, digest_algorithm)?;
        let certificate = named.find_signer(signer.id, &certificates)?;

        let signed = named.signed(attributes);
        let algorithm = signature_algorithm(signer.signature_algorithm, digest_algorithm)?;
        algorithm.verify(certificate.subject_key(), &signed, signer.signature).map_err(|_| {
            let subject = quote(certificate.subject_text());
            invalid(format!("has a signature that does not verify with the key of {subject}"))
        })?;

        let chain = authority_chain::find(&certificate, &certificates, roots, info.gen_time)?;
        if let Some(time) = named.signing_time()?
            && let Some(outside) = chain.iter().find(|held| time < held.not_before() || time > held.not_after())
        {
            let (subject, time) = (quote(outside.subject_text()), instant(time));
            let message = format!("says that it was signed at {time}, when the certificate {subject} was not valid");
            return Err(Failure::new(Code::TimestampCertificate, format!("the time stamp {message}")));
        }
        Ok(VerifiedTimestamp { gen_time: info.gen_time, accuracy: info.accuracy, nonce: info.nonce, chain })
    }
}

/// How the token is signed. Where only the kind of the key is named, the hash is that of the content.
fn signature_algorithm(identifier: Element<'_>, digest: Hash) -> Result<SignatureAlgorithm, Failure> {
    const RSA: &[u8] = &x509_parser::der_parser::oid!(raw 1.2.840.113549.1.1.1);
    const SHAPE: &str = "names its signature algorithm in no way that can be read";
    match children(identifier, der::SEQUENCE)?.as_slice() {
        [oid] if (oid.tag, oid.contents) == (der::OBJECT_IDENTIFIER, RSA) => {
            return Ok(SignatureAlgorithm::RsaPkcs1(digest));
        }
        [oid, null] if (oid.tag, oid.contents, null.tag) == (der::OBJECT_IDENTIFIER, RSA, der::NULL) => {
            return Ok(SignatureAlgorithm::RsaPkcs1(digest));
        }
        [oid] | [oid, _] if oid.tag == der::OBJECT_IDENTIFIER => {}
        _ => return Err(malformed(SHAPE)),
    }
    match AlgorithmIdentifier::from_der(identifier.whole) {
        Ok(([], identifier)) => {
            SignatureAlgorithm::from_identifier(&identifier).map_err(|reason| invalid(format!("is signed {reason}")))
        }
        _ => Err(malformed(SHAPE)),
    }
}

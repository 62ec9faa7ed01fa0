//! OCSP (RFC 6960): answers, sound or broken in any way, and as much of the requests as a responder needs.
//!
//! A draft is sound by default: the authority itself signs, and answers for a day. Its certificate identifiers are plain
//! fields, so that a case can ask about one certificate and be answered about another.

use time::{Duration, OffsetDateTime};

use super::asn1::{
    self, algorithm, bits, certificate_parts, enumerated, explicit, extension_value, generalized_time, implicit,
    octets, oid, sequence,
};
use super::extension::UNKNOWN;
use super::{Authority, ForgeError, Key, Signer, tlv};

const BASIC: &str = "1.3.6.1.5.5.7.48.1.1";
const NONCE: &str = "1.3.6.1.5.5.7.48.1.2";
const INVALIDITY: &str = "2.5.29.24";

/// The hash by which a certificate identifier names the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertIdHash {
    /// SHA-1, which most clients use.
    #[default]
    Sha1,
    /// SHA-256, which some clients use.
    Sha256,
}

impl CertIdHash {
    fn oid(self) -> &'static str {
        match self {
            CertIdHash::Sha1 => asn1::SHA1,
            CertIdHash::Sha256 => asn1::SHA256,
        }
    }
}

/// The certificate that is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertId {
    /// The dotted object identifier of the hash.
    pub hash: String,
    /// The hash of the issuer's name.
    pub issuer_name: Vec<u8>,
    /// The hash of the issuer's key.
    pub issuer_key: Vec<u8>,
    /// The content of the serial number's INTEGER.
    pub serial: Vec<u8>,
}

impl CertId {
    /// The certificate that `issuer` gave the number `serial`.
    pub fn new(hash: CertIdHash, issuer: &Authority, serial: impl Into<Vec<u8>>) -> Result<CertId, ForgeError> {
        let hash = hash.oid().to_owned();
        let of = |bytes: &[u8]| asn1::hash(&hash, bytes).unwrap_or_default();
        let issuer_name = of(&issuer.subject().der()?);
        let issuer_key = of(asn1::key_bits(issuer.key().public_key()).ok_or(ForgeError::Key)?);
        Ok(CertId { issuer_name, issuer_key, serial: serial.into(), hash })
    }

    /// Whether this names `issuer`, by whichever hash it uses.
    pub fn is_of(&self, issuer: &Authority) -> bool {
        let hash = match self.hash.as_str() {
            asn1::SHA1 => CertIdHash::Sha1,
            asn1::SHA256 => CertIdHash::Sha256,
            _ => return false,
        };
        CertId::new(hash, issuer, self.serial.clone()).is_ok_and(|sound| sound == *self)
    }

    fn encode(&self) -> Result<Vec<u8>, ForgeError> {
        let serial = tlv(asn1::INTEGER, &self.serial);
        Ok(sequence(&[&algorithm(&self.hash, true)?, &octets(&self.issuer_name), &octets(&self.issuer_key), &serial]))
    }

    fn read(value: asn1::Value<'_>) -> Option<CertId> {
        let fields = value.inside();
        let [hash, name, key, serial] = fields.as_slice() else { return None };
        Some(CertId {
            hash: hash.inside().first()?.dotted()?,
            issuer_name: name.content.to_vec(),
            issuer_key: key.content.to_vec(),
            serial: serial.content.to_vec(),
        })
    }
}

/// What a responder was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    /// The certificates.
    pub certificates: Vec<CertId>,
    /// The nonce, as it stands in its extension.
    pub nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// Reads a request; `None` if `der` is not an `OCSPRequest`.
    pub fn read(der: &[u8]) -> Option<OcspRequest> {
        let (request, _) = asn1::read(der)?;
        let tbs = request.inside().into_iter().next()?;
        let mut read = OcspRequest { certificates: Vec::new(), nonce: None };
        for field in tbs.inside() {
            match field.tag {
                asn1::SEQUENCE => {
                    for single in field.inside() {
                        read.certificates.push(CertId::read(single.inside().into_iter().next()?)?);
                    }
                }
                0xa2 => {
                    for extension in field.inside().first()?.inside() {
                        let parts = extension.inside();
                        if parts.first()?.dotted()? == NONCE {
                            read.nonce = Some(parts.last()?.content.to_vec());
                        }
                    }
                }
                _ => {}
            }
        }
        Some(read)
    }
}

/// What is said of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspStatus {
    /// The certificate is not revoked.
    Good,
    /// The certificate is revoked.
    Revoked {
        /// Since when.
        at: OffsetDateTime,
        /// Why, by RFC 5280's number.
        reason: Option<u8>,
        /// Since when the key is thought to be in wrong hands.
        invalidity: Option<OffsetDateTime>,
    },
    /// The responder does not know it.
    Unknown,
}

/// What is said of one certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SingleDraft {
    /// Which certificate.
    pub certificate: CertId,
    /// What is said of it.
    pub status: OcspStatus,
    /// From when on that holds.
    pub this_update: OffsetDateTime,
    /// When more is known at the latest.
    pub next_update: Option<OffsetDateTime>,
    /// Further extensions: dotted object identifier, whether critical, DER.
    pub extra: Vec<(String, bool, Vec<u8>)>,
}

impl SingleDraft {
    /// That `certificate` is `status`, from `at` on for a day.
    pub fn new(certificate: CertId, status: OcspStatus, at: OffsetDateTime) -> SingleDraft {
        let next_update = at.checked_add(Duration::DAY);
        SingleDraft { certificate, status, this_update: at, next_update, extra: Vec::new() }
    }

    fn encode(&self) -> Result<Vec<u8>, ForgeError> {
        let mut extensions = Vec::new();
        let status = match self.status {
            OcspStatus::Good => implicit(0, &[]),
            OcspStatus::Unknown => implicit(2, &[]),
            OcspStatus::Revoked { at, reason, invalidity } => {
                if let Some(since) = invalidity {
                    extensions.extend(extension_value(INVALIDITY, false, &generalized_time(since))?);
                }
                let reason = reason.map_or(Vec::new(), |reason| explicit(0, &enumerated(reason)));
                explicit(1, &[generalized_time(at), reason].concat())
            }
        };
        for (oid, critical, value) in &self.extra {
            extensions.extend(extension_value(oid, *critical, value)?);
        }
        let next = self.next_update.map_or(Vec::new(), |time| explicit(0, &generalized_time(time)));
        let this = generalized_time(self.this_update);
        Ok(sequence(&[&self.certificate.encode()?, &status, &this, &next, &optional_extensions(&extensions)]))
    }
}

/// The status of the answer as a whole, by RFC 6960's number. Everything but `Successful` says nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponseStatus {
    /// An answer follows.
    #[default]
    Successful = 0,
    /// The request was not understood.
    MalformedRequest = 1,
    /// The responder is broken.
    InternalError = 2,
    /// Ask again later.
    TryLater = 3,
    /// The request has to be signed.
    SigRequired = 5,
    /// Not for this client.
    Unauthorized = 6,
}

/// How an answer names who signed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ResponderId {
    /// By the subject of the certificate.
    #[default]
    Name,
    /// By the SHA-1 hash of the key.
    Key,
}

/// An OCSP answer before it is signed.
#[derive(Debug, Clone)]
pub struct OcspDraft {
    /// The signer: the authority itself ([`Authority::signer`]), a delegate, or a signer that is not allowed to.
    pub signer: Signer,
    /// The certificates that are sent along, in DER.
    pub certificates: Vec<Vec<u8>>,
    /// How the signer is named.
    pub responder: ResponderId,
    /// When the answer was made.
    pub produced_at: OffsetDateTime,
    /// What is said.
    pub responses: Vec<SingleDraft>,
    /// The nonce of the request, as it stands in its extension.
    pub nonce: Option<Vec<u8>>,
    /// Further extensions: dotted object identifier, whether critical, DER.
    pub extra: Vec<(String, bool, Vec<u8>)>,
    /// The status of the answer as a whole.
    pub status: ResponseStatus,
    /// The type of answer, basic by default, as a dotted object identifier.
    pub kind: &'static str,
    /// The key that signs in place of the signer's.
    pub signing_key: Option<Key>,
    /// The algorithm as it is stated: dotted object identifier, whether NULL follows.
    pub algorithm: Option<(&'static str, bool)>,
    /// Done to the bytes before they are signed.
    pub alter_tbs: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// Done to the finished answer.
    pub alter: Option<fn(Vec<u8>) -> Vec<u8>>,
}

impl OcspDraft {
    /// An answer by the authority itself, which sends no certificates along.
    pub fn by_issuer(issuer: &Authority, at: OffsetDateTime) -> OcspDraft {
        OcspDraft { certificates: Vec::new(), ..OcspDraft::by(&issuer.signer(), at) }
    }

    /// An answer by `signer`, whose certificate is sent along.
    pub fn by(signer: &Signer, at: OffsetDateTime) -> OcspDraft {
        OcspDraft {
            signer: signer.clone(),
            certificates: signer.chain.first().cloned().into_iter().collect(),
            responder: ResponderId::Name,
            produced_at: at,
            responses: Vec::new(),
            nonce: None,
            extra: Vec::new(),
            status: ResponseStatus::Successful,
            kind: BASIC,
            signing_key: None,
            algorithm: None,
            alter_tbs: None,
            alter: None,
        }
    }

    /// That saying also this.
    pub fn with(mut self, single: SingleDraft) -> OcspDraft {
        self.responses.push(single);
        self
    }

    /// Adds an unknown extension.
    pub fn add_unknown(&mut self, critical: bool) {
        self.extra.push((UNKNOWN.to_owned(), critical, asn1::null()));
    }

    /// Signs: the answer in DER (or what `alter` makes of it).
    pub fn sign(&self) -> Result<Vec<u8>, ForgeError> {
        let status = enumerated(self.status as u8);
        let answer = if self.status == ResponseStatus::Successful {
            let basic = sequence(&[&oid(self.kind)?, &octets(&self.basic()?)]);
            sequence(&[&status, &explicit(0, &basic)])
        } else {
            sequence(&[&status])
        };
        Ok(self.alter.map_or(answer.clone(), |alter| alter(answer)))
    }

    fn basic(&self) -> Result<Vec<u8>, ForgeError> {
        let mut tbs = self.tbs()?;
        if let Some(alter) = self.alter_tbs {
            tbs = alter(tbs);
        }
        let key = self.signing_key.as_ref().unwrap_or(&self.signer.key);
        let (oid, null) = self.algorithm.unwrap_or(key.kind().certificate_algorithm());
        let signature = key.sign_certificate(&tbs)?;
        let certificates = match self.certificates.is_empty() {
            true => Vec::new(),
            false => explicit(0, &tlv(asn1::SEQUENCE, &self.certificates.concat())),
        };
        Ok(sequence(&[&tbs, &algorithm(oid, null)?, &bits(&signature), &certificates]))
    }

    fn tbs(&self) -> Result<Vec<u8>, ForgeError> {
        let parts = certificate_parts(self.signer.certificate()).ok_or(ForgeError::Key)?;
        let responder = match self.responder {
            ResponderId::Name => explicit(1, parts.subject),
            ResponderId::Key => explicit(2, &octets(&asn1::hash(asn1::SHA1, parts.key).unwrap_or_default())),
        };
        let responses: Result<Vec<_>, _> = self.responses.iter().map(SingleDraft::encode).collect();
        let mut extensions = Vec::new();
        if let Some(nonce) = &self.nonce {
            extensions.extend(extension_value(NONCE, false, nonce)?);
        }
        for (oid, critical, value) in &self.extra {
            extensions.extend(extension_value(oid, *critical, value)?);
        }
        let produced = generalized_time(self.produced_at);
        let responses = tlv(asn1::SEQUENCE, &responses?.concat());
        Ok(sequence(&[&responder, &produced, &responses, &optional_extensions(&extensions)]))
    }
}

/// Extensions as they stand in both parts of an answer, or nothing if there are none.
fn optional_extensions(extensions: &[u8]) -> Vec<u8> {
    if extensions.is_empty() { Vec::new() } else { explicit(1, &tlv(asn1::SEQUENCE, extensions)) }
}

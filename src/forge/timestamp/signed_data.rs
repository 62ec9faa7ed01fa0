//! The SignedData around a TSTInfo (RFC 5652, section 5), as a draft describes it.

use super::super::asn1::{
    self, algorithm, certificate_parts, explicit, implicit, integer, octets, oid, pkix_time, sequence, set_of,
};
use super::super::{ForgeError, Key, KeyKind, tlv};
use super::TimestampDraft;

const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const SIGNING_CERTIFICATE: &str = "1.2.840.113549.1.9.16.2.12";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";
const RSA_ENCRYPTION: &str = "1.2.840.113549.1.1.1";
/// The content type of anything.
const DATA: &str = "1.2.840.113549.1.7.1";

/// How the SignerInfo names the certificate of its signer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SignerIdentifier {
    /// By issuer and serial number; the SignerInfo is of version 1.
    #[default]
    IssuerAndSerial,
    /// By the identifier of the key; the SignerInfo is of version 3.
    SubjectKey,
}

/// How an attribute that must be there once is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttributeForm {
    /// As it must be.
    #[default]
    Sound,
    /// Not at all.
    Missing,
    /// With another value.
    Wrong,
    /// As two attributes.
    Doubled,
    /// As one attribute with two values.
    TwoValues,
}

/// How the attributes name the signer's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningCertificate {
    /// By its SHA-256 digest, with issuer and serial number.
    #[default]
    V2,
    /// By its SHA-256 digest alone.
    V2WithoutIssuer,
    /// By its SHA-384 digest, with issuer and serial number.
    V2Sha384,
    /// By its SHA-512 digest, with issuer and serial number.
    V2Sha512,
    /// By its SHA-1 digest in an attribute of version 2.
    V2Sha1,
    /// By its SHA-1 digest in an attribute of version 1.
    V1,
    /// Not at all.
    Absent,
    /// By the digest of another.
    WrongHash,
    /// By its digest, with another serial number.
    WrongSerial,
    /// By its digest, with another issuer.
    WrongIssuer,
}

/// A signed attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenAttribute {
    /// The type as a dotted object identifier.
    pub oid: String,
    /// The values in DER.
    pub values: Vec<Vec<u8>>,
}

impl TokenAttribute {
    fn encode(&self) -> Result<Vec<u8>, ForgeError> {
        Ok(sequence(&[&oid(&self.oid)?, &set_of(self.values.clone())]))
    }
}

/// The token: a ContentInfo.
pub(super) fn token(draft: &TimestampDraft, info: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let digests = set_of(vec![algorithm(digest(draft), true)?]);
    let content = sequence(&[&oid(&draft.content_type)?, &explicit(0, &octets(info))]);
    let carried = |number, values: &[Vec<u8>]| match values.is_empty() {
        true => Vec::new(),
        false => explicit(number, &values.concat()),
    };
    let (certificates, crls) = (carried(0, &draft.certificates), carried(1, &draft.crls));
    let signer = signer_info(draft, info)?;
    let signers = tlv(asn1::SET, &signer.repeat(draft.signers));
    let signed = sequence(&[&integer(draft.version), &digests, &content, &certificates, &crls, &signers]);
    let content = [oid(SIGNED_DATA)?, explicit(0, &signed)].concat();
    Ok(match draft.indefinite {
        false => tlv(asn1::SEQUENCE, &content),
        true => [&[asn1::SEQUENCE, 0x80], content.as_slice(), &[0, 0]].concat(),
    })
}

/// The key that signs.
fn signing_key(draft: &TimestampDraft) -> &Key {
    draft.signing_key.as_ref().unwrap_or(&draft.authority.key)
}

/// The digest algorithm: the hash with which the key signs, or the one that the draft states.
fn digest(draft: &TimestampDraft) -> &str {
    let of_key = match signing_key(draft).kind() {
        KeyKind::Rsa2048 | KeyKind::P256 => asn1::SHA256,
        KeyKind::Rsa3072 | KeyKind::P384 => asn1::SHA384,
        KeyKind::Rsa4096 | KeyKind::P521 => asn1::SHA512,
    };
    draft.stated_digest.as_deref().unwrap_or(of_key)
}

fn signer_info(draft: &TimestampDraft, info: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let key = signing_key(draft);
    let parts = certificate_parts(draft.authority.certificate()).ok_or(ForgeError::Key)?;
    let (version, identifier) = match draft.signer_identifier {
        SignerIdentifier::IssuerAndSerial => (1, sequence(&[parts.issuer, &tlv(asn1::INTEGER, parts.serial)])),
        SignerIdentifier::SubjectKey => {
            let hash = asn1::hash(asn1::SHA256, parts.key).unwrap_or_default();
            // As the forge's certificates name their key: the first 20 bytes.
            (3, implicit(0, hash.get(..20).unwrap_or_default()))
        }
    };
    let mut attributes = Vec::new();
    if draft.signed_attributes {
        attributes = set_of(signed_attributes(draft, info)?);
        if let Some(alter) = draft.alter_attributes {
            attributes = alter(attributes);
        }
    }
    // Signed as a SET, written as [0] IMPLICIT.
    let mut signature = key.sign_certificate(if attributes.is_empty() { info } else { &attributes })?;
    if let Some(alter) = draft.alter_signature {
        signature = alter(signature);
    }
    if let Some(alter) = draft.alter_signed_attributes.filter(|_| !attributes.is_empty()) {
        attributes = alter(attributes);
    }
    if let Some(tag) = attributes.first_mut() {
        *tag = 0xa0;
    }
    let is_rsa = matches!(key.kind(), KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096);
    let stated = match (&draft.algorithm, key.kind().certificate_algorithm()) {
        (Some(stated), _) => stated.clone(),
        (None, _) if draft.plain_rsa && is_rsa => algorithm(RSA_ENCRYPTION, true)?,
        (None, (oid, null)) => algorithm(oid, null)?,
    };
    Ok(sequence(&[
        &integer(draft.signer_version.unwrap_or(version)),
        &identifier,
        &algorithm(digest(draft), true)?,
        &attributes,
        &stated,
        &octets(&signature),
        &draft.unsigned,
    ]))
}

/// The attributes that are signed, in DER.
pub(super) fn signed_attributes(draft: &TimestampDraft, info: &[u8]) -> Result<Vec<Vec<u8>>, ForgeError> {
    if let Some(changed) = &draft.changed_attributes {
        return Ok(changed.clone());
    }
    let imprint = |bytes: &[u8]| octets(&asn1::hash(digest(draft), bytes).unwrap_or(vec![0; 32]));
    let mut attributes = Vec::new();
    let sound = (oid(&draft.content_type)?, oid(DATA)?);
    attributes.extend(formed(CONTENT_TYPE, draft.content_type_attribute, sound));
    let sound = (imprint(info), imprint(b"another content"));
    attributes.extend(formed(MESSAGE_DIGEST, draft.digest_attribute, sound));
    attributes.extend(signing_certificate(draft)?);
    if let Some(time) = draft.signing_time {
        attributes.push(TokenAttribute { oid: SIGNING_TIME.to_owned(), values: vec![pkix_time(time)] });
    }
    attributes.extend_from_slice(&draft.attributes);
    attributes.iter().map(TokenAttribute::encode).collect()
}

/// An attribute whose sound and wrong values are given.
fn formed(oid: &str, form: AttributeForm, (sound, wrong): (Vec<u8>, Vec<u8>)) -> Vec<TokenAttribute> {
    let attribute = |values: Vec<Vec<u8>>| TokenAttribute { oid: oid.to_owned(), values };
    match form {
        AttributeForm::Sound => vec![attribute(vec![sound])],
        AttributeForm::Missing => Vec::new(),
        AttributeForm::Wrong => vec![attribute(vec![wrong])],
        AttributeForm::Doubled => vec![attribute(vec![sound.clone()]), attribute(vec![sound])],
        AttributeForm::TwoValues => vec![attribute(vec![sound, wrong])],
    }
}

/// The attribute of RFC 5816, or the older one of RFC 2634.
fn signing_certificate(draft: &TimestampDraft) -> Result<Option<TokenAttribute>, ForgeError> {
    let certificate = draft.authority.certificate();
    let parts = certificate_parts(certificate).ok_or(ForgeError::Key)?;
    let form = draft.signing_certificate;
    let hash = match form {
        SigningCertificate::Absent => return Ok(None),
        SigningCertificate::V1 | SigningCertificate::V2Sha1 => asn1::SHA1,
        SigningCertificate::V2Sha384 => asn1::SHA384,
        SigningCertificate::V2Sha512 => asn1::SHA512,
        _ => asn1::SHA256,
    };
    let hashed: &[u8] = if form == SigningCertificate::WrongHash { b"another certificate" } else { certificate };
    let digest = octets(&asn1::hash(hash, hashed).unwrap_or_default());
    // SHA-256 is the default, which DER leaves out; version 1 knows no other than SHA-1.
    let stated = match hash {
        asn1::SHA256 => Vec::new(),
        _ if form == SigningCertificate::V1 => Vec::new(),
        hash => algorithm(hash, false)?,
    };
    let serial = if form == SigningCertificate::WrongSerial { &[0x5e] } else { parts.serial };
    let issuer = if form == SigningCertificate::WrongIssuer { parts.subject } else { parts.issuer };
    // GeneralNames with one directoryName [4].
    let issuer_serial = sequence(&[&sequence(&[&explicit(4, issuer)]), &tlv(asn1::INTEGER, serial)]);
    let issuer_serial = if form == SigningCertificate::V2WithoutIssuer { Vec::new() } else { issuer_serial };
    let value = sequence(&[&sequence(&[&sequence(&[&stated, &digest, &issuer_serial])])]);
    let oid = if form == SigningCertificate::V1 { SIGNING_CERTIFICATE } else { SIGNING_CERTIFICATE_V2 };
    Ok(Some(TokenAttribute { oid: oid.to_owned(), values: vec![value] }))
}

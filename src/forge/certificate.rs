//! Certificates (RFC 5280), sound or broken in any way.
//!
//! A draft is the plain structure that will be signed, with every field open. What the structure cannot express (lengths
//! that are not DER, times of the wrong form) is done to its bytes before they are signed ([`CertificateDraft::alter_tbs`]).

use der::asn1::{Any, BitString, GeneralizedTime, ObjectIdentifier, UtcTime};
use der::{Decode, Encode};
use time::OffsetDateTime;
use x509_cert::certificate::{Profile, TbsCertificateInner, Version};
use x509_cert::ext::Extension;
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity as EncodedValidity};

use super::authority::Validity;
use super::{ExtensionKind, ForgeError, Key, KeyKind};

/// Lets a certificate have any serial number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unchecked;

impl Profile for Unchecked {
    fn check_serial_number(_: &SerialNumber<Self>) -> der::Result<()> {
        Ok(())
    }
}

/// A certificate before it is signed.
#[derive(Debug, Clone)]
pub struct CertificateDraft {
    /// What is signed.
    pub tbs: TbsCertificateInner<Unchecked>,
    /// The algorithm stated beside the signature, when it is to differ from the one inside.
    pub outer_algorithm: Option<AlgorithmIdentifierOwned>,
    /// These bytes in place of a signature.
    pub signature: Option<Vec<u8>>,
    /// Done to the bytes before they are signed.
    pub alter_tbs: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// Done to the finished certificate.
    pub alter: Option<fn(Vec<u8>) -> Vec<u8>>,
}

impl CertificateDraft {
    /// A version 3 certificate without extensions, for the key `public_key` (SubjectPublicKeyInfo), to be signed by a
    /// key of `signer`.
    pub fn new(
        issuer: Name,
        subject: Name,
        public_key: &[u8],
        validity: Validity,
        serial: u64,
        signer: KeyKind,
    ) -> Result<CertificateDraft, ForgeError> {
        Ok(CertificateDraft {
            tbs: TbsCertificateInner {
                version: Version::V3,
                serial_number: SerialNumber::new(&serial.to_be_bytes())?,
                signature: algorithm(signer),
                issuer,
                validity: validity.encoded()?,
                subject,
                subject_public_key_info: SubjectPublicKeyInfoOwned::from_der(public_key)?,
                issuer_unique_id: None,
                subject_unique_id: None,
                extensions: None,
            },
            outer_algorithm: None,
            signature: None,
            alter_tbs: None,
            alter: None,
        })
    }

    /// Sets when it is valid.
    pub fn set_validity(&mut self, validity: Validity) -> Result<(), ForgeError> {
        self.tbs.validity = validity.encoded()?;
        Ok(())
    }

    /// Sets the serial number by the content of its INTEGER: `[0xff]` is -1.
    pub fn set_serial(&mut self, content: &[u8]) -> Result<(), ForgeError> {
        self.tbs.serial_number = SerialNumber::from_der(&tlv(0x02, content))?;
        Ok(())
    }

    /// Sets the public key to any SubjectPublicKeyInfo.
    pub fn set_public_key(&mut self, public_key: &[u8]) -> Result<(), ForgeError> {
        self.tbs.subject_public_key_info = SubjectPublicKeyInfoOwned::from_der(public_key)?;
        Ok(())
    }

    /// Sets the stated algorithm, inside and beside the signature; NULL parameters follow where `null` says so.
    pub fn set_algorithm(&mut self, oid: &str, null: bool) -> Result<(), ForgeError> {
        let oid = ObjectIdentifier::new(oid).map_err(|_| ForgeError::Der(der::ErrorKind::Failed.into()))?;
        self.tbs.signature = AlgorithmIdentifierOwned { oid, parameters: null.then(Any::null) };
        Ok(())
    }

    /// Puts `extension` in the place of the one of the same kind, or behind the others.
    pub fn set(&mut self, extension: Extension) {
        let extensions = self.tbs.extensions.get_or_insert_default();
        match extensions.iter_mut().find(|old| old.extn_id == extension.extn_id) {
            Some(old) => *old = extension,
            None => extensions.push(extension),
        }
    }

    /// Adds `extension`, even if there is one of its kind.
    pub fn add(&mut self, extension: Extension) {
        self.tbs.extensions.get_or_insert_default().push(extension);
    }

    /// Removes the extensions of `kind`.
    pub fn remove(&mut self, kind: ExtensionKind) {
        if let Some(extensions) = &mut self.tbs.extensions {
            extensions.retain(|extension| extension.extn_id != kind.oid());
        }
    }

    /// Signs with the issuer's key: the certificate in DER (or what `alter` makes of it).
    pub fn sign(&self, issuer: &Key) -> Result<Vec<u8>, ForgeError> {
        let mut tbs = self.tbs.to_der()?;
        if let Some(alter) = self.alter_tbs {
            tbs = alter(tbs);
        }
        let signature = match &self.signature {
            Some(bytes) => bytes.clone(),
            None => issuer.sign_certificate(&tbs)?,
        };
        let algorithm = self.outer_algorithm.as_ref().unwrap_or(&self.tbs.signature);
        let mut content = tbs;
        content.extend(algorithm.to_der()?);
        content.extend(BitString::from_bytes(&signature)?.to_der()?);
        let certificate = tlv(0x30, &content);
        Ok(self.alter.map_or(certificate.clone(), |alter| alter(certificate)))
    }
}

/// One DER value: `tag`, the shortest length, `content`.
pub fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut value = vec![tag];
    match u8::try_from(content.len()) {
        Ok(short) if short < 0x80 => value.push(short),
        _ => {
            let length: Vec<u8> = content.len().to_be_bytes().into_iter().skip_while(|&byte| byte == 0).collect();
            // A length has at most eight bytes.
            value.push(0x80 | u8::try_from(length.len()).unwrap_or(8));
            value.extend(length);
        }
    }
    value.extend_from_slice(content);
    value
}

fn algorithm(kind: KeyKind) -> AlgorithmIdentifierOwned {
    let (oid, null) = kind.certificate_algorithm();
    AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap(oid), parameters: null.then(Any::null) }
}

impl Validity {
    /// As a certificate writes it: UTCTime up to 2049, GeneralizedTime after.
    fn encoded(self) -> Result<EncodedValidity, ForgeError> {
        Ok(EncodedValidity { not_before: encoded_time(self.not_before)?, not_after: encoded_time(self.not_after)? })
    }
}

fn encoded_time(time: OffsetDateTime) -> Result<Time, ForgeError> {
    let seconds = u64::try_from(time.unix_timestamp()).map_err(|_| ForgeError::Time)?;
    let since = std::time::Duration::from_secs(seconds);
    Ok(match UtcTime::from_unix_duration(since) {
        Ok(time) => Time::UtcTime(time),
        Err(_) => Time::GeneralTime(GeneralizedTime::from_unix_duration(since)?),
    })
}

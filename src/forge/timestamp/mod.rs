//! Time stamps (RFC 3161): tokens, sound or broken in any way, and the protocol around them.
//!
//! A token is CMS SignedData (RFC 5652) over a TSTInfo, its signer named by an ESSCertIDv2 (RFC 5816). A draft is sound by
//! default; [`TimestampDefect`] has the known ways to break it, and every part can be changed by hand.

mod defect;
mod protocol;
mod signed_data;

use time::OffsetDateTime;

use super::asn1::{self, algorithm, boolean, explicit, generalized_text, implicit, integer, octets, oid, sequence};
use super::{ForgeError, Key, Signer, tlv};

pub use defect::TimestampDefect;
pub use protocol::{TimestampRequest, TimestampStatus};
pub use signed_data::{AttributeForm, SignerIdentifier, SigningCertificate, TokenAttribute};

/// The content type of a token (RFC 3161, section 2.4.2).
const TST_INFO: &str = "1.2.840.113549.1.9.16.1.4";
/// The policy of the forge's time stamps, which says nothing.
const POLICY: &str = "1.3.6.1.4.1.99999.3161";
/// ETSI's baseline policy, under which accuracy is a second where none is stated.
pub const BASELINE_POLICY: &str = "0.4.0.2023.1.1";

/// What was stamped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imprint {
    /// The dotted object identifier of the hash.
    pub hash: String,
    /// The digest.
    pub digest: Vec<u8>,
}

impl Imprint {
    /// The SHA-256 digest of `message`.
    pub fn sha256(message: &[u8]) -> Imprint {
        Imprint { hash: asn1::SHA256.to_owned(), digest: asn1::hash(asn1::SHA256, message).unwrap_or_default() }
    }

    /// The digest of `message` by the hash of this dotted object identifier: SHA-1 or SHA-2. Of any other it is 32 zeros.
    pub fn by(hash: &str, message: &[u8]) -> Imprint {
        Imprint { hash: hash.to_owned(), digest: asn1::hash(hash, message).unwrap_or(vec![0; 32]) }
    }

    fn encode(&self) -> Result<Vec<u8>, ForgeError> {
        Ok(sequence(&[&algorithm(&self.hash, true)?, &octets(&self.digest)]))
    }
}

/// How exact the time is: the sum of its parts, each left out where it is `None`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Accuracy {
    /// Seconds.
    pub seconds: Option<i64>,
    /// Milliseconds, 1 to 999 if it is to be sound.
    pub millis: Option<i64>,
    /// Microseconds, 1 to 999 if it is to be sound.
    pub micros: Option<i64>,
}

impl Accuracy {
    /// So many seconds.
    pub fn seconds(seconds: i64) -> Accuracy {
        Accuracy { seconds: Some(seconds), ..Accuracy::default() }
    }

    fn encode(self) -> Vec<u8> {
        let tagged = |number, part: Option<i64>| {
            part.map_or(Vec::new(), |part| implicit(number, &asn1::integer_content(part.into())))
        };
        let seconds = self.seconds.map_or(Vec::new(), integer);
        sequence(&[&seconds, &tagged(0, self.millis), &tagged(1, self.micros)])
    }
}

/// A token before it is signed.
#[derive(Debug, Clone)]
pub struct TimestampDraft {
    /// The time stamping authority.
    pub authority: Signer,
    /// What is stamped.
    pub imprint: Imprint,
    /// When.
    pub gen_time: OffsetDateTime,
    /// The text of the time, in place of `gen_time` in whole seconds; an empty one leaves the time out.
    pub gen_time_text: Option<String>,
    /// How exact the time is.
    pub accuracy: Option<Accuracy>,
    /// The content of the nonce's INTEGER.
    pub nonce: Option<Vec<u8>>,
    /// The policy as a dotted object identifier.
    pub policy: String,
    /// The serial number of the token.
    pub serial: u64,
    /// The version of the TSTInfo.
    pub info_version: u8,
    /// Whether tokens of this authority can always be ordered.
    pub ordering: bool,
    /// Extensions of the TSTInfo: dotted object identifier, whether critical, DER.
    pub extra: Vec<(String, bool, Vec<u8>)>,
    /// The content type as a dotted object identifier.
    pub content_type: String,
    /// The version of the SignedData.
    pub version: u8,
    /// The certificates of the token in DER, or other choices.
    pub certificates: Vec<Vec<u8>>,
    /// The CRLs of the token in DER.
    pub crls: Vec<Vec<u8>>,
    /// How the signer is named.
    pub signer_identifier: SignerIdentifier,
    /// The version of the SignerInfo, if it is not the one that goes with how the signer is named.
    pub signer_version: Option<u8>,
    /// How many SignerInfos there are, each the same.
    pub signers: usize,
    /// Whether attributes are signed; without them the content itself is.
    pub signed_attributes: bool,
    /// The attribute with the content's type.
    pub content_type_attribute: AttributeForm,
    /// The attribute with the content's digest.
    pub digest_attribute: AttributeForm,
    /// The attribute that names the signer's certificate.
    pub signing_certificate: SigningCertificate,
    /// The attribute with the signing time, if there is one.
    pub signing_time: Option<OffsetDateTime>,
    /// Further signed attributes.
    pub attributes: Vec<TokenAttribute>,
    /// Whether the algorithm of an RSA signature is stated as rsaEncryption, which leaves the hash to the digest
    /// algorithm.
    pub plain_rsa: bool,
    /// The digest algorithm as it is stated, by a dotted object identifier.
    pub stated_digest: Option<String>,
    /// The signature algorithm as it is stated, an AlgorithmIdentifier in DER.
    pub algorithm: Option<Vec<u8>>,
    /// The key that signs in place of the authority's.
    pub signing_key: Option<Key>,
    /// What stands behind the signature, in DER: the attributes that are not signed.
    pub unsigned: Vec<u8>,
    /// Whether the outermost value is of indefinite length, as BER allows and DER does not.
    pub indefinite: bool,
    /// Done to the signed attributes (a SET) before they are signed.
    pub alter_attributes: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// Done to the signed attributes (a SET) once they are signed.
    pub alter_signed_attributes: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// Done to the signature.
    pub alter_signature: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// Done to the finished token.
    pub alter: Option<fn(Vec<u8>) -> Vec<u8>>,
    /// The fields of the TSTInfo, once they were changed by hand.
    changed_info: Option<Vec<Vec<u8>>>,
    /// The signed attributes, once they were changed by hand.
    changed_attributes: Option<Vec<Vec<u8>>>,
}

impl TimestampDraft {
    /// That `authority` saw `message` at `gen_time`, give or take a second. Its certificates but the root go along.
    pub fn over(authority: &Signer, message: &[u8], gen_time: OffsetDateTime) -> TimestampDraft {
        TimestampDraft::of(authority, Imprint::sha256(message), gen_time)
    }

    /// That `authority` saw what `imprint` is of at `gen_time`, give or take a second.
    pub fn of(authority: &Signer, imprint: Imprint, gen_time: OffsetDateTime) -> TimestampDraft {
        let certificates = match authority.chain.as_slice() {
            [chain @ .., _] if !chain.is_empty() => chain.to_vec(),
            chain => chain.to_vec(),
        };
        TimestampDraft {
            authority: authority.clone(),
            imprint,
            gen_time,
            gen_time_text: None,
            accuracy: Some(Accuracy::seconds(1)),
            nonce: None,
            policy: POLICY.to_owned(),
            serial: 1,
            info_version: 1,
            ordering: false,
            extra: Vec::new(),
            content_type: TST_INFO.to_owned(),
            version: 3,
            certificates,
            crls: Vec::new(),
            signer_identifier: SignerIdentifier::IssuerAndSerial,
            signer_version: None,
            signers: 1,
            signed_attributes: true,
            content_type_attribute: AttributeForm::Sound,
            digest_attribute: AttributeForm::Sound,
            signing_certificate: SigningCertificate::V2,
            signing_time: None,
            attributes: Vec::new(),
            plain_rsa: false,
            stated_digest: None,
            algorithm: None,
            signing_key: None,
            unsigned: Vec::new(),
            indefinite: false,
            alter_attributes: None,
            alter_signed_attributes: None,
            alter_signature: None,
            alter: None,
            changed_info: None,
            changed_attributes: None,
        }
    }

    /// Broken as `defect` says.
    pub fn broken(mut self, defect: TimestampDefect) -> TimestampDraft {
        defect.apply(&mut self);
        self
    }

    /// Changes the fields of the TSTInfo by hand, each in DER: version, policy, imprint, serial number, time and what is
    /// optional. From then on they no longer follow from the other parts of this draft.
    ///
    /// # Errors
    ///
    /// If a part of this draft cannot be written.
    pub fn change_info(&mut self, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<(), ForgeError> {
        change(self.changed_info.insert(self.info()?));
        Ok(())
    }

    /// Changes the signed attributes by hand, each in DER: contentType, messageDigest, the one that names the certificate
    /// and the others. From then on they no longer follow from the other parts of this draft.
    ///
    /// # Errors
    ///
    /// If a part of this draft cannot be written.
    pub fn change_attributes(&mut self, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Result<(), ForgeError> {
        let attributes = signed_data::signed_attributes(self, &tlv(asn1::SEQUENCE, &self.info()?.concat()))?;
        change(self.changed_attributes.insert(attributes));
        Ok(())
    }

    /// Signs: the token (or what `alter` makes of it).
    pub fn sign(&self) -> Result<Vec<u8>, ForgeError> {
        let token = signed_data::token(self, &tlv(asn1::SEQUENCE, &self.info()?.concat()))?;
        Ok(self.alter.map_or(token.clone(), |alter| alter(token)))
    }

    /// The fields of the TSTInfo.
    fn info(&self) -> Result<Vec<Vec<u8>>, ForgeError> {
        if let Some(changed) = &self.changed_info {
            return Ok(changed.clone());
        }
        let text = self.gen_time_text.clone().unwrap_or_else(|| generalized_text(self.gen_time));
        let mut info =
            vec![integer(self.info_version), oid(&self.policy)?, self.imprint.encode()?, integer(self.serial)];
        if !text.is_empty() {
            info.push(tlv(0x18, text.as_bytes()));
        }
        info.extend(self.accuracy.map(Accuracy::encode));
        if self.ordering {
            info.push(boolean(true));
        }
        if let Some(nonce) = &self.nonce {
            info.push(tlv(asn1::INTEGER, nonce));
        }
        let mut extensions = Vec::new();
        for (oid, critical, value) in &self.extra {
            extensions.extend(asn1::extension_value(oid, *critical, value)?);
        }
        if !extensions.is_empty() {
            // [1] IMPLICIT Extensions.
            info.push(explicit(1, &extensions));
        }
        Ok(info)
    }
}

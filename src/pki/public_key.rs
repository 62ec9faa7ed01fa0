//! Public keys: those that sign envelopes, and those that sign certificates.
//!
//! Follows the signature specification, *Signature Algorithm Requirements*: an envelope is signed by an RSA key of 2048,
//! 3072 or 4096 bits or an EC key on P-256, P-384 or P-521, and the key decides the algorithm. A key that is none of
//! these, or unsound (an even or huge exponent, a point that is compressed, infinite or not on its curve), is refused.

use aws_lc_rs::signature as crypto;
use x509_parser::der_parser::oid;
use x509_parser::der_parser::oid::Oid;

use crate::digest::Algorithm as Hash;
use crate::failure::{Code, Failure};

use super::der::{self, DerError, Element};
use super::outline::{self, Key};
use super::signature_algorithm::pss_verification;

/// A signature that does not verify. There is nothing else to know about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct SignatureMismatch;

/// The kinds of key that sign envelopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// RSA with a modulus of 256 bytes.
    Rsa2048,
    /// RSA with a modulus of 384 bytes.
    Rsa3072,
    /// RSA with a modulus of 512 bytes.
    Rsa4096,
    /// EC on the curve P-256.
    P256,
    /// EC on the curve P-384.
    P384,
    /// EC on the curve P-521.
    P521,
}

impl KeyKind {
    /// Every kind.
    pub const ALL: [KeyKind; 6] =
        [KeyKind::Rsa2048, KeyKind::Rsa3072, KeyKind::Rsa4096, KeyKind::P256, KeyKind::P384, KeyKind::P521];

    /// The name for people: `RSA 2048`, `EC P-256`.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyKind::Rsa2048 => "RSA 2048",
            KeyKind::Rsa3072 => "RSA 3072",
            KeyKind::Rsa4096 => "RSA 4096",
            KeyKind::P256 => "EC P-256",
            KeyKind::P384 => "EC P-384",
            KeyKind::P521 => "EC P-521",
        }
    }

    /// The hash that belongs to the key.
    pub fn hash(self) -> Hash {
        match self {
            KeyKind::Rsa2048 | KeyKind::P256 => Hash::Sha256,
            KeyKind::Rsa3072 | KeyKind::P384 => Hash::Sha384,
            KeyKind::Rsa4096 | KeyKind::P521 => Hash::Sha512,
        }
    }

    /// RSASSA-PSS, or ECDSA with the signature as r‖s; with the hash of the key.
    fn verification(self) -> &'static dyn crypto::VerificationAlgorithm {
        match self {
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => pss_verification(self.hash()),
            KeyKind::P256 => &crypto::ECDSA_P256_SHA256_FIXED,
            KeyKind::P384 => &crypto::ECDSA_P384_SHA384_FIXED,
            KeyKind::P521 => &crypto::ECDSA_P521_SHA512_FIXED,
        }
    }
}

/// The curves that are supported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// P-256, also secp256r1 or prime256v1.
    P256,
    /// P-384, also secp384r1.
    P384,
    /// P-521, also secp521r1.
    P521,
}

/// The key of any certificate, unchecked: good for verifying what it signed, if it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectKey {
    /// An `RSAPublicKey`, in DER.
    Rsa(Vec<u8>),
    /// A point on a curve.
    Ec(Curve, Vec<u8>),
    /// An Ed25519 key: 32 bytes. It signs certificates, CRLs and OCSP answers, and no envelopes.
    Ed25519(Vec<u8>),
    /// Something else; what it is, for messages.
    Other(String),
}

impl SubjectKey {
    /// Reads a `SubjectPublicKeyInfo`, in DER.
    ///
    /// # Errors
    ///
    /// [`Code::CertificateMalformed`] if `spki` is not a `SubjectPublicKeyInfo`.
    pub fn from_spki(spki: &[u8]) -> Result<SubjectKey, Failure> {
        let key = der::check(spki).and_then(|()| SubjectKey::from_element(der::only(spki)?));
        key.map_err(|error| Failure::new(Code::CertificateMalformed, format!("the public key {error}")))
    }

    pub(super) fn from_element(spki: Element<'_>) -> Result<SubjectKey, DerError> {
        let Key { algorithm, parameters, bits } = outline::read_key(spki)?;
        let [0, key @ ..] = bits else {
            return Ok(SubjectKey::Other("a key that is not a whole number of bytes".to_owned()));
        };
        let dotted = |oid: &[u8]| Oid::new(oid.into()).to_id_string();
        Ok(match (algorithm, parameters.map(|parameters| (parameters.tag, parameters.contents))) {
            (RSA, Some((der::NULL, _))) => SubjectKey::Rsa(key.to_vec()),
            (RSA, _) => SubjectKey::Other("an RSA key with parameters, or without the NULL in their place".to_owned()),
            (EC, Some((der::OBJECT_IDENTIFIER, P256))) => SubjectKey::Ec(Curve::P256, key.to_vec()),
            (EC, Some((der::OBJECT_IDENTIFIER, P384))) => SubjectKey::Ec(Curve::P384, key.to_vec()),
            (EC, Some((der::OBJECT_IDENTIFIER, P521))) => SubjectKey::Ec(Curve::P521, key.to_vec()),
            (EC, Some((der::OBJECT_IDENTIFIER, curve))) => {
                SubjectKey::Other(format!("an EC key on the curve {}", dotted(curve)))
            }
            (EC, _) => SubjectKey::Other("an EC key whose curve is not named".to_owned()),
            // RFC 8410, section 3: there are no parameters, and the key has one length.
            (ED25519, None) if key.len() == ED25519_BYTES => SubjectKey::Ed25519(key.to_vec()),
            (ED25519, _) => SubjectKey::Other("an Ed25519 key that is not 32 bytes, or has parameters".to_owned()),
            (algorithm, _) => SubjectKey::Other(format!("a key of the algorithm {}", dotted(algorithm))),
        })
    }
}

impl SubjectKey {
    /// Whether the key is written as certificates write it: an `RSAPublicKey`, or a point that is not compressed. The
    /// library would read it in other forms too, a whole `SubjectPublicKeyInfo` among them.
    pub(super) fn is_in_its_own_form(&self) -> bool {
        match self {
            SubjectKey::Rsa(key) => rsa_exponent(key).is_some(),
            SubjectKey::Ec(curve, point) => ec_kind(*curve, point).is_ok(),
            SubjectKey::Ed25519(key) => key.len() == ED25519_BYTES,
            SubjectKey::Other(_) => false,
        }
    }

    /// Checks that certificates can be verified with the key: RSA of 2048 to 8192 bits, EC on a supported curve, Ed25519.
    ///
    /// # Errors
    ///
    /// Why not, as a sentence that speaks of the key as "it".
    pub(crate) fn check_verifying(&self) -> Result<(), String> {
        match self {
            SubjectKey::Rsa(key) => match rsa_exponent(key).and(crypto::RsaParameters::public_modulus_len(key).ok()) {
                None => Err("it is not a sound RSA key".to_owned()),
                Some(2048..=8192) => Ok(()),
                Some(bits) => Err(format!("it is an RSA key of {bits} bits, and an authority's has 2048 to 8192")),
            },
            SubjectKey::Ec(curve, point) => ec_kind(*curve, point).map(drop),
            SubjectKey::Ed25519(_) => Ok(()),
            SubjectKey::Other(what) => Err(format!("it is {what}")),
        }
    }
}

const RSA: &[u8] = &oid!(raw 1.2.840.113549.1.1.1);
const EC: &[u8] = &oid!(raw 1.2.840.10045.2.1);
const ED25519: &[u8] = &oid!(raw 1.3.101.112);
/// How long an Ed25519 key is, in bytes.
const ED25519_BYTES: usize = 32;
const P256: &[u8] = &oid!(raw 1.2.840.10045.3.1.7);
const P384: &[u8] = &oid!(raw 1.3.132.0.34);
const P521: &[u8] = &oid!(raw 1.3.132.0.35);

/// A key that signs envelopes: of a supported kind, sound, and ready to verify.
#[derive(Debug, Clone)]
pub struct PublicKey {
    kind: KeyKind,
    key: crypto::ParsedPublicKey,
}

impl PublicKey {
    /// Checks a key.
    ///
    /// # Errors
    ///
    /// [`Code::KeyUnsupported`] if it is not of a supported kind, or not sound.
    pub fn new(key: &SubjectKey) -> Result<PublicKey, Failure> {
        let unsupported = |message: String| Failure::new(Code::KeyUnsupported, message);
        let (kind, bytes) = match key {
            SubjectKey::Rsa(bytes) => (rsa_kind(bytes).map_err(unsupported)?, bytes),
            SubjectKey::Ec(curve, point) => (ec_kind(*curve, point).map_err(unsupported)?, point),
            SubjectKey::Ed25519(_) => {
                return Err(unsupported("it is an Ed25519 key, which signs no envelopes".to_owned()));
            }
            SubjectKey::Other(what) => return Err(unsupported(format!("it is {what}, which is not supported"))),
        };
        let key = crypto::ParsedPublicKey::new(kind.verification(), bytes)
            .map_err(|_| unsupported(format!("it is not a sound key of the kind {}", kind.as_str())))?;
        Ok(PublicKey { kind, key })
    }

    /// Which kind it is.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// Verifies the signature of an envelope over `message`: RSASSA-PSS with the hash of the key and a salt of exactly
    /// its length, or ECDSA with the hash of the key, `signature` being r‖s, both as long as the curve's order.
    ///
    /// # Errors
    ///
    /// If the signature does not verify.
    pub fn verify(&self, message: &[u8], signature: &[u8]) -> Result<(), SignatureMismatch> {
        self.key.verify_sig(message, signature).map_err(|_| SignatureMismatch)
    }
}

/// The kind of an RSA key, by the length of its modulus in bytes, as the reference implementation counts. (It takes 2041
/// bits for 2048; the specification does not, and neither do we.)
fn rsa_kind(key: &[u8]) -> Result<KeyKind, String> {
    let unsound = || "it is not a sound RSA key".to_owned();
    let exponent = rsa_exponent(key).ok_or_else(unsound)?;
    // More than 31 bits slow verification down and nothing else; the reference implementation does not take them either.
    if exponent.len() > 4 {
        return Err("it is an RSA key with a huge exponent".to_owned());
    }
    // Refuses what is no `RSAPublicKey`, and an exponent or a modulus that no key has.
    match crypto::RsaParameters::public_modulus_len(key).map_err(|_| unsound())? {
        2048 => Ok(KeyKind::Rsa2048),
        3065..=3072 => Ok(KeyKind::Rsa3072),
        4089..=4096 => Ok(KeyKind::Rsa4096),
        bits => Err(format!("it is an RSA key of {bits} bits, which is not supported")),
    }
}

/// The exponent of an `RSAPublicKey`: the second of two integers.
fn rsa_exponent(key: &[u8]) -> Option<&[u8]> {
    der::check(key).ok()?;
    match der::only(key).ok()?.children(der::SEQUENCE).ok()?.as_slice() {
        [modulus, exponent] if [modulus.tag, exponent.tag] == [der::INTEGER; 2] => Some(exponent.contents),
        _ => None,
    }
}

fn ec_kind(curve: Curve, point: &[u8]) -> Result<KeyKind, String> {
    let (kind, length) = match curve {
        Curve::P256 => (KeyKind::P256, 65),
        Curve::P384 => (KeyKind::P384, 97),
        Curve::P521 => (KeyKind::P521, 133),
    };
    match point {
        [4, ..] if point.len() == length => Ok(kind),
        _ => Err(format!("it is an {} key whose point is compressed, infinite or of a wrong length", kind.as_str())),
    }
}

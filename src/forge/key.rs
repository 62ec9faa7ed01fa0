//! Private keys, and the two ways in which they sign: as an envelope wants it and as a certificate wants it.
//!
//! Follows *signature-specification*, Signature Algorithm Requirements: the algorithm follows from the key. A key in memory
//! also signs in ways that must be refused; one that a [`PrivateKey`] holds signs soundly or not at all.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use aws_lc_rs::encoding::{self, AsDer};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair, RsaPssSaltLength, RsaSignatureEncoding,
};

use super::{ForgeError, tlv};
use crate::encode;
use crate::pki::KeyKind;
use crate::signer::PrivateKey;

/// What the forge says of a kind of key.
impl KeyKind {
    /// The word in scenario files, which may stand in the names of files and images: `rsa-2048`, `ec-p256`.
    pub fn word(self) -> &'static str {
        match self {
            KeyKind::Rsa2048 => "rsa-2048",
            KeyKind::Rsa3072 => "rsa-3072",
            KeyKind::Rsa4096 => "rsa-4096",
            KeyKind::P256 => "ec-p256",
            KeyKind::P384 => "ec-p384",
            KeyKind::P521 => "ec-p521",
        }
    }

    /// The `alg` of a JWS.
    pub fn jws_algorithm(self) -> &'static str {
        encode::jws::algorithm(self)
    }

    /// The `alg` of a COSE message.
    pub fn cose_algorithm(self) -> i64 {
        encode::cose::algorithm(self)
    }

    /// The object identifier of the algorithm with which this key signs certificates, and whether NULL parameters follow.
    pub fn certificate_algorithm(self) -> (&'static str, bool) {
        match self {
            KeyKind::Rsa2048 => ("1.2.840.113549.1.1.11", true),
            KeyKind::Rsa3072 => ("1.2.840.113549.1.1.12", true),
            KeyKind::Rsa4096 => ("1.2.840.113549.1.1.13", true),
            KeyKind::P256 => ("1.2.840.10045.4.3.2", false),
            KeyKind::P384 => ("1.2.840.10045.4.3.3", false),
            KeyKind::P521 => ("1.2.840.10045.4.3.4", false),
        }
    }

    fn curve(self) -> Option<(&'static EcdsaSigningAlgorithm, &'static EcdsaSigningAlgorithm)> {
        match self {
            KeyKind::P256 => {
                Some((&signature::ECDSA_P256_SHA256_FIXED_SIGNING, &signature::ECDSA_P256_SHA256_ASN1_SIGNING))
            }
            KeyKind::P384 => {
                Some((&signature::ECDSA_P384_SHA384_FIXED_SIGNING, &signature::ECDSA_P384_SHA384_ASN1_SIGNING))
            }
            KeyKind::P521 => {
                Some((&signature::ECDSA_P521_SHA512_FIXED_SIGNING, &signature::ECDSA_P521_SHA512_ASN1_SIGNING))
            }
            KeyKind::Rsa2048 | KeyKind::Rsa3072 | KeyKind::Rsa4096 => None,
        }
    }
}

/// How long the salt of an RSASSA-PSS signature is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Salt {
    /// As long as the hash: what RFC 7518 and RFC 8230 demand.
    Hash,
    /// No salt.
    Empty,
    /// 20 bytes, the default of the original padding.
    Twenty,
    /// 64 bytes; for a 4096-bit key that is the length of the hash.
    SixtyFour,
    /// As long as the key allows.
    Longest,
}

macro_rules! paddings {
    ($hash:ident) => {{
        const fn with(length: RsaPssSaltLength) -> RsaSignatureEncoding {
            signature::$hash.with_pss_salt_length(length)
        }
        static PADDINGS: [RsaSignatureEncoding; 5] = [
            with(RsaPssSaltLength::Digest),
            with(RsaPssSaltLength::Custom(0)),
            with(RsaPssSaltLength::Custom(20)),
            with(RsaPssSaltLength::Custom(64)),
            with(RsaPssSaltLength::Max),
        ];
        &PADDINGS
    }};
}

/// How a draft gets its signature. Everything but `Sound` makes one that must be refused.
#[derive(Debug, Clone)]
pub enum SignatureForm {
    /// As the specification demands.
    Sound,
    /// With another salt (RSA only; an EC key signs as ever).
    Salted(Salt),
    /// PKCS#1 v1.5, or ECDSA as ASN.1: sound for a certificate, wrong for an envelope.
    OfCertificates,
    /// By another key than the one of the chain.
    By(Key),
    /// The sound signature, changed.
    Changed(fn(Vec<u8>) -> Vec<u8>),
    /// These bytes.
    Bytes(Vec<u8>),
}

enum Pair {
    Rsa(rsa::KeyPair),
    Ec { fixed: EcdsaKeyPair, asn1: EcdsaKeyPair },
    Elsewhere(Arc<dyn PrivateKey>),
}

/// A private key. Copies share it.
#[derive(Clone)]
pub struct Key {
    kind: KeyKind,
    pair: Arc<Pair>,
    public: Arc<[u8]>,
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.kind.word())
    }
}

impl Key {
    /// Makes a new key. RSA takes from half a second to several.
    pub fn generate(kind: KeyKind) -> Result<Key, ForgeError> {
        let size = match kind {
            KeyKind::Rsa2048 => rsa::KeySize::Rsa2048,
            KeyKind::Rsa3072 => rsa::KeySize::Rsa3072,
            KeyKind::Rsa4096 => rsa::KeySize::Rsa4096,
            KeyKind::P256 | KeyKind::P384 | KeyKind::P521 => {
                let (_, asn1) = kind.curve().ok_or(ForgeError::Generate)?;
                let pair = EcdsaKeyPair::generate(asn1).map_err(|_| ForgeError::Generate)?;
                let document = pair.to_pkcs8v1().map_err(|_| ForgeError::Generate)?;
                return Key::ec(kind, document.as_ref());
            }
        };
        Key::rsa(rsa::KeyPair::generate(size).map_err(|_| ForgeError::Generate)?)
    }

    /// A key that is made once a process and then shared: the same `kind` and `slot` give the same key.
    pub fn pooled(kind: KeyKind, slot: usize) -> Result<Key, ForgeError> {
        type Slots = Mutex<HashMap<(KeyKind, usize), Arc<OnceLock<Result<Key, ForgeError>>>>>;
        static POOL: OnceLock<Slots> = OnceLock::new();
        // The map is locked only to find the slot, so that a slow key keeps no caller waiting that wants another.
        let slots = POOL.get_or_init(Slots::default);
        let place = slots.lock().unwrap_or_else(PoisonError::into_inner).entry((kind, slot)).or_default().clone();
        place.get_or_init(|| Key::generate(kind)).clone()
    }

    /// Reads an unencrypted PKCS#8 private key in DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Key, ForgeError> {
        if let Ok(pair) = rsa::KeyPair::from_pkcs8(der) {
            return Key::rsa(pair);
        }
        [KeyKind::P256, KeyKind::P384, KeyKind::P521]
            .into_iter()
            .find_map(|kind| Key::ec(kind, der).ok())
            .ok_or(ForgeError::Key)
    }

    /// Reads an unencrypted PKCS#8 private key in PEM (`BEGIN PRIVATE KEY`).
    pub fn from_pem(pem: &[u8]) -> Result<Key, ForgeError> {
        let (_, pem) = x509_parser::pem::parse_x509_pem(pem).map_err(|_| ForgeError::Key)?;
        if pem.label != "PRIVATE KEY" {
            return Err(ForgeError::Key);
        }
        Key::from_pkcs8(&pem.contents)
    }

    fn ec(kind: KeyKind, pkcs8: &[u8]) -> Result<Key, ForgeError> {
        let (fixed, asn1) = kind.curve().ok_or(ForgeError::Key)?;
        let fixed = EcdsaKeyPair::from_pkcs8(fixed, pkcs8).map_err(|_| ForgeError::Key)?;
        let asn1 = EcdsaKeyPair::from_pkcs8(asn1, pkcs8).map_err(|_| ForgeError::Key)?;
        let public = AsDer::as_der(fixed.public_key()).map_err(|_| ForgeError::Key)?;
        let public = Arc::from(public.as_ref());
        Ok(Key { kind, pair: Arc::new(Pair::Ec { fixed, asn1 }), public })
    }

    fn rsa(pair: rsa::KeyPair) -> Result<Key, ForgeError> {
        let kind = match pair.public_modulus_len() {
            256 => KeyKind::Rsa2048,
            384 => KeyKind::Rsa3072,
            512 => KeyKind::Rsa4096,
            _ => return Err(ForgeError::Key),
        };
        let public = AsDer::as_der(pair.public_key()).map_err(|_| ForgeError::Key)?;
        let public = Arc::from(public.as_ref());
        Ok(Key { kind, pair: Arc::new(Pair::Rsa(pair)), public })
    }

    /// The key that `signer` holds, so that everything which takes a key can be done with it: to have it certified, and
    /// to seal envelopes. What it cannot do is [`ForgeError::HeldElsewhere`]: other salts, and RSA for certificates.
    pub fn held_by(signer: Arc<dyn PrivateKey>) -> Key {
        let kind = signer.verifying_key().kind();
        let public = Arc::from(signer.verifying_key().spki());
        Key { kind, pair: Arc::new(Pair::Elsewhere(signer)), public }
    }

    /// The private key as PKCS#8 in DER, unencrypted.
    pub fn pkcs8(&self) -> Result<Vec<u8>, ForgeError> {
        match &*self.pair {
            Pair::Rsa(pair) => {
                let der: encoding::Pkcs8V1Der<'_> = AsDer::as_der(pair).map_err(|_| ForgeError::Key)?;
                Ok(der.as_ref().to_vec())
            }
            Pair::Ec { fixed, .. } => Ok(fixed.to_pkcs8v1().map_err(|_| ForgeError::Key)?.as_ref().to_vec()),
            Pair::Elsewhere(_) => Err(ForgeError::HeldElsewhere(self.kind.word())),
        }
    }

    /// The kind of the key.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The public key as SubjectPublicKeyInfo in DER.
    pub fn public_key(&self) -> &[u8] {
        &self.public
    }

    /// Signs as an envelope wants it: RSASSA-PSS with a salt as long as the hash, or ECDSA as r‖s.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, ForgeError> {
        self.sign_salted(message, Salt::Hash)
    }

    /// Signs as an envelope wants it, but for the salt.
    pub fn sign_salted(&self, message: &[u8], salt: Salt) -> Result<Vec<u8>, ForgeError> {
        match &*self.pair {
            Pair::Ec { fixed, .. } => ecdsa(fixed, message),
            Pair::Elsewhere(signer) if salt == Salt::Hash || self.kind.curve().is_some() => Ok(signer.sign(message)?),
            Pair::Elsewhere(_) => Err(ForgeError::HeldElsewhere(self.kind.word())),
            Pair::Rsa(pair) => {
                let paddings = match self.kind {
                    KeyKind::Rsa3072 => paddings!(RSA_PSS_SHA384),
                    KeyKind::Rsa4096 => paddings!(RSA_PSS_SHA512),
                    _ => paddings!(RSA_PSS_SHA256),
                };
                let padding = match salt {
                    Salt::Hash => &paddings[0],
                    Salt::Empty => &paddings[1],
                    Salt::Twenty => &paddings[2],
                    Salt::SixtyFour => &paddings[3],
                    Salt::Longest => &paddings[4],
                };
                rsa_signature(pair, padding, message)
            }
        }
    }

    /// Signs as a certificate wants it: RSA by PKCS#1 v1.5, or ECDSA as ASN.1.
    pub fn sign_certificate(&self, message: &[u8]) -> Result<Vec<u8>, ForgeError> {
        match &*self.pair {
            Pair::Ec { asn1, .. } => ecdsa(asn1, message),
            Pair::Elsewhere(signer) if self.kind.curve().is_some() => Ok(asn1(&signer.sign(message)?)),
            Pair::Elsewhere(_) => Err(ForgeError::HeldElsewhere(self.kind.word())),
            Pair::Rsa(pair) => {
                let padding = match self.kind {
                    KeyKind::Rsa3072 => &signature::RSA_PKCS1_SHA384,
                    KeyKind::Rsa4096 => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                rsa_signature(pair, padding, message)
            }
        }
    }

    /// Signs in the form that a draft asks for.
    pub(super) fn sign_as(&self, message: &[u8], form: &SignatureForm) -> Result<Vec<u8>, ForgeError> {
        match form {
            SignatureForm::Sound => self.sign(message),
            SignatureForm::Salted(salt) => self.sign_salted(message, *salt),
            SignatureForm::OfCertificates => self.sign_certificate(message),
            SignatureForm::By(other) => other.sign(message),
            SignatureForm::Changed(change) => Ok(change(self.sign(message)?)),
            SignatureForm::Bytes(bytes) => Ok(bytes.clone()),
        }
    }
}

/// r‖s as the ASN.1 structure that certificates hold.
fn asn1(fixed: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let start = half.iter().position(|&byte| byte != 0).unwrap_or(half.len());
        let digits = &half[start..];
        let sign: &[u8] = if digits.first().is_none_or(|byte| byte & 0x80 != 0) { &[0] } else { &[] };
        tlv(0x02, &[sign, digits].concat())
    };
    let (r, s) = fixed.split_at(fixed.len() / 2);
    tlv(0x30, &[integer(r), integer(s)].concat())
}

fn ecdsa(pair: &EcdsaKeyPair, message: &[u8]) -> Result<Vec<u8>, ForgeError> {
    let signature = pair.sign(&SystemRandom::new(), message).map_err(|_| ForgeError::Sign)?;
    Ok(signature.as_ref().to_vec())
}

fn rsa_signature(
    pair: &rsa::KeyPair,
    padding: &'static RsaSignatureEncoding,
    message: &[u8],
) -> Result<Vec<u8>, ForgeError> {
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(padding, &SystemRandom::new(), message, &mut signature).map_err(|_| ForgeError::Sign)?;
    Ok(signature)
}

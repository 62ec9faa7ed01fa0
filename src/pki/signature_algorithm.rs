//! The algorithms by which certificates are signed.
//!
//! Follows RFC 8017 and RFC 4055 (RSA), RFC 5758 (ECDSA), RFC 8410 (Ed25519) and the signature specification, *Certificate
//! Requirements*: RSASSA-PKCS1-v1_5, RSASSA-PSS with a salt as long as the hash, and ECDSA; each with SHA-256, SHA-384 or
//! SHA-512, over RSA keys of 2048 to 8192 bits and the curves P-256, P-384 and P-521 in every combination; and Ed25519. The
//! specification bounds the signer's key, not those of the authorities above it. SHA-1 and MD5 are refused wherever they
//! occur, as is everything else (DSA, shorter RSA keys, P-224, Ed448, SHA-3).

use aws_lc_rs::signature as crypto;
use x509_parser::der_parser::oid::Oid;
use x509_parser::signature_algorithm::RsaSsaPssParams;
use x509_parser::x509::AlgorithmIdentifier;

use crate::digest::Algorithm as Hash;

use super::public_key::{Curve, SignatureMismatch, SubjectKey};

/// How a certificate is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureAlgorithm {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS, mask generation with the same hash, a salt as long as the hash.
    RsaPss(Hash),
    /// ECDSA, the signature in DER.
    Ecdsa(Hash),
    /// Ed25519, which hashes by itself.
    Ed25519,
}

impl SignatureAlgorithm {
    /// The algorithm that a certificate names.
    ///
    /// # Errors
    ///
    /// Why it is not verified, as the end of a sentence: "it is signed …".
    pub(crate) fn from_identifier(identifier: &AlgorithmIdentifier<'_>) -> Result<SignatureAlgorithm, String> {
        use SignatureAlgorithm::{Ecdsa, RsaPkcs1};
        match identifier.algorithm.to_id_string().as_str() {
            "1.2.840.113549.1.1.11" => Ok(RsaPkcs1(Hash::Sha256)),
            "1.2.840.113549.1.1.12" => Ok(RsaPkcs1(Hash::Sha384)),
            "1.2.840.113549.1.1.13" => Ok(RsaPkcs1(Hash::Sha512)),
            "1.2.840.113549.1.1.10" => pss(identifier).ok_or_else(|| {
                "with RSASSA-PSS, but not with SHA-256, SHA-384 or SHA-512 throughout and a salt as long as the hash"
                    .to_owned()
            }),
            "1.2.840.10045.4.3.2" => Ok(Ecdsa(Hash::Sha256)),
            "1.2.840.10045.4.3.3" => Ok(Ecdsa(Hash::Sha384)),
            "1.2.840.10045.4.3.4" => Ok(Ecdsa(Hash::Sha512)),
            "1.3.101.112" if identifier.parameters.is_none() => Ok(SignatureAlgorithm::Ed25519),
            "1.3.101.112" => Err("with Ed25519 and parameters, and it has none".to_owned()),
            "1.2.840.113549.1.1.5" | "1.2.840.10045.4.1" | "1.3.14.3.2.29" => {
                Err("over SHA-1, which is broken".to_owned())
            }
            "1.2.840.113549.1.1.4" | "1.2.840.113549.1.1.2" => Err("over MD5 or MD2, which are broken".to_owned()),
            other => Err(format!("with an algorithm that is not supported ({other})")),
        }
    }

    /// Verifies `signature` over `message` with the key of `signer`.
    ///
    /// # Errors
    ///
    /// If the signature does not verify, or the key is not one for this algorithm.
    pub fn verify(self, signer: &SubjectKey, message: &[u8], signature: &[u8]) -> Result<(), SignatureMismatch> {
        let (algorithm, key): (&'static dyn crypto::VerificationAlgorithm, _) = match (self, signer) {
            (SignatureAlgorithm::Ed25519, SubjectKey::Ed25519(key)) => (&crypto::ED25519, key),
            (SignatureAlgorithm::RsaPkcs1(hash), SubjectKey::Rsa(key)) => (pkcs1_verification(hash), key),
            (SignatureAlgorithm::RsaPss(hash), SubjectKey::Rsa(key)) => (pss_verification(hash), key),
            (SignatureAlgorithm::Ecdsa(hash), SubjectKey::Ec(curve, key)) => (ecdsa_verification(*curve, hash), key),
            _ => return Err(SignatureMismatch),
        };
        if !signer.is_in_its_own_form() {
            return Err(SignatureMismatch);
        }
        crypto::UnparsedPublicKey::new(algorithm, key).verify(message, signature).map_err(|_| SignatureMismatch)
    }
}

fn pkcs1_verification(hash: Hash) -> &'static dyn crypto::VerificationAlgorithm {
    match hash {
        Hash::Sha256 => &crypto::RSA_PKCS1_2048_8192_SHA256,
        Hash::Sha384 => &crypto::RSA_PKCS1_2048_8192_SHA384,
        Hash::Sha512 => &crypto::RSA_PKCS1_2048_8192_SHA512,
    }
}

/// RSASSA-PSS as aws-lc verifies it: the salt exactly as long as the hash.
pub(super) fn pss_verification(hash: Hash) -> &'static dyn crypto::VerificationAlgorithm {
    match hash {
        Hash::Sha256 => &crypto::RSA_PSS_2048_8192_SHA256,
        Hash::Sha384 => &crypto::RSA_PSS_2048_8192_SHA384,
        Hash::Sha512 => &crypto::RSA_PSS_2048_8192_SHA512,
    }
}

fn ecdsa_verification(curve: Curve, hash: Hash) -> &'static dyn crypto::VerificationAlgorithm {
    match (curve, hash) {
        (Curve::P256, Hash::Sha256) => &crypto::ECDSA_P256_SHA256_ASN1,
        (Curve::P256, Hash::Sha384) => &crypto::ECDSA_P256_SHA384_ASN1,
        (Curve::P256, Hash::Sha512) => &crypto::ECDSA_P256_SHA512_ASN1,
        (Curve::P384, Hash::Sha256) => &crypto::ECDSA_P384_SHA256_ASN1,
        (Curve::P384, Hash::Sha384) => &crypto::ECDSA_P384_SHA384_ASN1,
        (Curve::P384, Hash::Sha512) => &crypto::ECDSA_P384_SHA512_ASN1,
        (Curve::P521, Hash::Sha256) => &crypto::ECDSA_P521_SHA256_ASN1,
        (Curve::P521, Hash::Sha384) => &crypto::ECDSA_P521_SHA384_ASN1,
        (Curve::P521, Hash::Sha512) => &crypto::ECDSA_P521_SHA512_ASN1,
    }
}

fn pss(identifier: &AlgorithmIdentifier<'_>) -> Option<SignatureAlgorithm> {
    let parameters = RsaSsaPssParams::try_from(identifier.parameters.as_ref()?).ok()?;
    let hash = pss_hash(parameters.hash_algorithm_oid())?;
    let mask = parameters.mask_gen_algorithm().ok()?;
    let sound = mask.mgf.to_id_string() == "1.2.840.113549.1.1.8"
        && pss_hash(&mask.hash) == Some(hash)
        && usize::try_from(parameters.salt_length()) == Ok(hash.length())
        && parameters.trailer_field() == 1;
    sound.then_some(SignatureAlgorithm::RsaPss(hash))
}

fn pss_hash(oid: &Oid<'_>) -> Option<Hash> {
    match oid.to_id_string().as_str() {
        "2.16.840.1.101.3.4.2.1" => Some(Hash::Sha256),
        "2.16.840.1.101.3.4.2.2" => Some(Hash::Sha384),
        "2.16.840.1.101.3.4.2.3" => Some(Hash::Sha512),
        _ => None,
    }
}

//! The six signature algorithms, what they are called in either format, and the key that each belongs to.
//!
//! Follows *signature-specification*, Signature Algorithm Requirements: the key decides the algorithm, and `alg` must
//! agree with it. Nothing else is known here, so `none`, HMAC, PKCS #1 v1.5 or a curve of another size cannot be asked
//! for.

use crate::failure::{Code, Failure, quote};
use crate::pki::{KeyKind, PublicKey};

/// A signature algorithm of the specification. There is one for each [`KeyKind`], and yet they are two types: this is what
/// an envelope states, that is what its key is, and the two must agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PSS with SHA-256, for keys of 2048 bits.
    Ps256,
    /// RSASSA-PSS with SHA-384, for keys of 3072 bits.
    Ps384,
    /// RSASSA-PSS with SHA-512, for keys of 4096 bits.
    Ps512,
    /// ECDSA with SHA-256 on P-256.
    Es256,
    /// ECDSA with SHA-384 on P-384.
    Es384,
    /// ECDSA with SHA-512 on P-521.
    Es512,
}

impl Algorithm {
    const ALL: [Algorithm; 6] =
        [Algorithm::Ps256, Algorithm::Ps384, Algorithm::Ps512, Algorithm::Es256, Algorithm::Es384, Algorithm::Es512];

    /// The name in JWS, which messages use for COSE too: `PS256`.
    pub fn as_str(self) -> &'static str {
        match self {
            Algorithm::Ps256 => "PS256",
            Algorithm::Ps384 => "PS384",
            Algorithm::Ps512 => "PS512",
            Algorithm::Es256 => "ES256",
            Algorithm::Es384 => "ES384",
            Algorithm::Es512 => "ES512",
        }
    }

    /// The number in COSE.
    fn cose(self) -> i64 {
        match self {
            Algorithm::Ps256 => -37,
            Algorithm::Ps384 => -38,
            Algorithm::Ps512 => -39,
            Algorithm::Es256 => -7,
            Algorithm::Es384 => -35,
            Algorithm::Es512 => -36,
        }
    }

    /// The kind of key that signs with it.
    fn key_kind(self) -> KeyKind {
        match self {
            Algorithm::Ps256 => KeyKind::Rsa2048,
            Algorithm::Ps384 => KeyKind::Rsa3072,
            Algorithm::Ps512 => KeyKind::Rsa4096,
            Algorithm::Es256 => KeyKind::P256,
            Algorithm::Es384 => KeyKind::P384,
            Algorithm::Es512 => KeyKind::P521,
        }
    }

    /// The algorithm of this `alg` in JWS; [`Code::AlgorithmUnsupported`] for every other name, in whatever case.
    pub(super) fn of_jws(name: &str) -> Result<Algorithm, Failure> {
        let known = Algorithm::ALL.into_iter().find(|algorithm| algorithm.as_str() == name);
        known.ok_or_else(|| unsupported(format!("the algorithm {} is not one of the six that are known", quote(name))))
    }

    /// The algorithm of this `alg` in COSE; [`Code::AlgorithmUnsupported`] for every other number.
    pub(super) fn of_cose(number: i64) -> Result<Algorithm, Failure> {
        let known = Algorithm::ALL.into_iter().find(|algorithm| algorithm.cose() == number);
        known.ok_or_else(|| unsupported(format!("the algorithm {number} is not one of the six that are known")))
    }

    /// Verifies `signature` over `signed`. [`Code::AlgorithmMismatch`] when the key belongs to another algorithm, before
    /// any arithmetic; [`Code::SignatureInvalid`] when the signature is not this key's. How a signature must look is told
    /// at [`PublicKey::verify`].
    pub(super) fn verify(self, key: &PublicKey, signed: &[u8], signature: &[u8]) -> Result<(), Failure> {
        let (stated, kind) = (self.as_str(), key.kind().as_str());
        if key.kind() != self.key_kind() {
            let message = format!("the envelope states {stated}, but the signing key is {kind}");
            return Err(Failure::new(Code::AlgorithmMismatch, message));
        }
        key.verify(signed, signature).map_err(|_| {
            let message =
                format!("the {stated} signature does not verify with the {kind} key of the signing certificate");
            Failure::new(Code::SignatureInvalid, message)
        })
    }
}

/// A failure for an `alg` that is missing, of the wrong type or unknown.
pub(super) fn unsupported(message: impl Into<String>) -> Failure {
    Failure::new(Code::AlgorithmUnsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn b07_names_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::of_jws(algorithm.as_str()), Ok(algorithm));
        }
        for name in ["", "none", "None", "HS256", "RS256", "ES256K", "EdDSA", "ps256", "Es256", "PS256 ", "ES521", "-7"]
        {
            assert_eq!(Algorithm::of_jws(name).unwrap_err().code, Code::AlgorithmUnsupported, "{name:?}");
        }
    }

    #[test]
    fn every_kind_of_key_has_one_algorithm() {
        for kind in KeyKind::ALL {
            assert_eq!(Algorithm::ALL.into_iter().filter(|algorithm| algorithm.key_kind() == kind).count(), 1);
        }
    }

    #[test]
    fn c09_numbers_are_exact() {
        for algorithm in Algorithm::ALL {
            assert_eq!(Algorithm::of_cose(algorithm.cose()), Ok(algorithm));
        }
        for number in [0, 5, 7, -8, -9, -47, -51, -52, -257, -65535, i64::MIN, i64::MAX] {
            assert_eq!(Algorithm::of_cose(number).unwrap_err().code, Code::AlgorithmUnsupported, "{number}");
        }
    }
}

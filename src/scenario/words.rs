//! Closed vocabularies that several parts of a scenario file share. The others stand with what they are about.

use crate::forge::KeyKind;
use crate::forge::words::words;

words! {
    /// A kind of key, and with it the algorithm.
    pub(super) Algorithm {
        /// RSASSA-PSS with 2048 bits.
        Rsa2048 "rsa-2048"
        /// RSASSA-PSS with 3072 bits.
        Rsa3072 "rsa-3072"
        /// RSASSA-PSS with 4096 bits.
        Rsa4096 "rsa-4096"
        /// ECDSA on P-256.
        P256 "ec-p256"
        /// ECDSA on P-384.
        P384 "ec-p384"
        /// ECDSA on P-521.
        P521 "ec-p521"
    }
}

words! {
    /// The format of a signature envelope.
    pub(super) Format {
        /// JSON.
        Jws "jws"
        /// CBOR.
        Cose "cose"
    }
}

impl Algorithm {
    /// The kind of key that the forge makes.
    pub(super) fn kind(self) -> KeyKind {
        match self {
            Algorithm::Rsa2048 => KeyKind::Rsa2048,
            Algorithm::Rsa3072 => KeyKind::Rsa3072,
            Algorithm::Rsa4096 => KeyKind::Rsa4096,
            Algorithm::P256 => KeyKind::P256,
            Algorithm::P384 => KeyKind::P384,
            Algorithm::P521 => KeyKind::P521,
        }
    }
}

impl Format {
    /// The media type of such an envelope.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Format::Jws => "application/jose+json",
            Format::Cose => "application/cose",
        }
    }
}

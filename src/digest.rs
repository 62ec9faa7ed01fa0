//! Content digests, as `sha256:<lower-case hex>`.
//!
//! Follows the OCI image specification, *Descriptors, Digests*. A digest that is not of a registered algorithm, not
//! lower-case or not of the right length is refused here, before it can become part of an address or a file name.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest as hash;

/// A hash algorithm that a digest may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// SHA-256, what every registry uses.
    Sha256,
    /// SHA-384: not registered for OCI content, but Notary Project blob payloads use it.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The name before the colon: `sha256`.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Sha256 => "sha256",
            Algorithm::Sha384 => "sha384",
            Algorithm::Sha512 => "sha512",
        }
    }

    /// The length of the hash, in bytes.
    pub fn length(self) -> usize {
        match self {
            Algorithm::Sha256 => 32,
            Algorithm::Sha384 => 48,
            Algorithm::Sha512 => 64,
        }
    }

    fn implementation(self) -> &'static hash::Algorithm {
        match self {
            Algorithm::Sha256 => &hash::SHA256,
            Algorithm::Sha384 => &hash::SHA384,
            Algorithm::Sha512 => &hash::SHA512,
        }
    }
}

/// The digest of some bytes. Two digests are equal when algorithm and hash are.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest {
    algorithm: Algorithm,
    /// The hash, filled up with zeros behind `algorithm.length()`.
    bytes: [u8; 64],
}

/// Why a text is not a digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// There is no `algorithm:` before the hash.
    #[error("a digest reads algorithm:hex, for example sha256: and 64 lower-case hex digits")]
    Form,
    /// The algorithm is not one of [`Algorithm`].
    #[error("the digest algorithm is not one of sha256, sha384, sha512")]
    Algorithm,
    /// The hash is not lower-case hex of the algorithm's length.
    #[error("the hash is not lower-case hex of the algorithm's length")]
    Hash,
}

impl Digest {
    /// Hashes `content`.
    pub fn of(algorithm: Algorithm, content: &[u8]) -> Digest {
        let mut hasher = Hasher::new(algorithm);
        hasher.update(content);
        hasher.finish()
    }

    /// The SHA-256 digest of `content`.
    pub fn sha256(content: &[u8]) -> Digest {
        Digest::of(Algorithm::Sha256, content)
    }

    /// The first 16 bytes of the hash, where a great many are held: no two contents share them either.
    pub fn beginning(&self) -> [u8; 16] {
        std::array::from_fn(|index| self.bytes[index])
    }

    /// Whether `content` has this digest.
    pub fn matches(&self, content: &[u8]) -> bool {
        Digest::of(self.algorithm, content) == *self
    }

    /// The algorithm.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The hash itself.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.algorithm.length()]
    }

    /// The hash in lower-case hex, without the algorithm.
    pub fn hex(&self) -> String {
        hex::encode(self.bytes())
    }

    /// The tag under which the referrers tag schema keeps this digest's referrers: `sha256-<hex>`, the hash cut to 64
    /// digits (OCI distribution specification, *Referrers Tag Schema*).
    pub fn referrers_tag(&self) -> String {
        let mut hex = self.hex();
        hex.truncate(64);
        format!("{}-{hex}", self.algorithm.name())
    }

    /// Whether `tag` has the form of [`Digest::referrers_tag`]. Any pusher may give an artifact such a tag: what lies under
    /// it decides whether it is a list of referrers.
    pub fn is_referrers_tag(tag: &str) -> bool {
        tag.split_once('-').is_some_and(|(algorithm, hash)| {
            matches!(algorithm, "sha256" | "sha384" | "sha512") && format!("sha256:{hash}").parse::<Digest>().is_ok()
        })
    }
}

/// A digest in the making, of content that comes piece by piece.
#[derive(Clone)]
pub struct Hasher {
    algorithm: Algorithm,
    context: hash::Context,
}

impl Hasher {
    /// Nothing hashed yet.
    pub fn new(algorithm: Algorithm) -> Hasher {
        Hasher { algorithm, context: hash::Context::new(algorithm.implementation()) }
    }

    /// Hashes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.context.update(piece);
    }

    /// The digest of all pieces.
    pub fn finish(self) -> Digest {
        let mut bytes = [0; 64];
        bytes[..self.algorithm.length()].copy_from_slice(self.context.finish().as_ref());
        Digest { algorithm: self.algorithm, bytes }
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hasher").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Digest, DigestError> {
        let (name, hash) = text.split_once(':').ok_or(DigestError::Form)?;
        let algorithm = match name {
            "sha256" => Algorithm::Sha256,
            "sha384" => Algorithm::Sha384,
            "sha512" => Algorithm::Sha512,
            _ => return Err(DigestError::Algorithm),
        };
        let lower = hash.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let mut bytes = [0; 64];
        if !lower || hash.len() != 2 * algorithm.length() {
            return Err(DigestError::Hash);
        }
        hex::decode_to_slice(hash, &mut bytes[..algorithm.length()]).map_err(|_| DigestError::Hash)?;
        Ok(Digest { algorithm, bytes })
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.algorithm.name(), self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl serde::Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let digest = Digest::of(algorithm, b"net-monitor");
            assert_eq!(digest.to_string().parse(), Ok(digest));
            assert!(digest.matches(b"net-monitor"));
            let mut pieces = Hasher::new(algorithm);
            [&b"net"[..], b"", b"-monitor"].iter().for_each(|piece| pieces.update(piece));
            assert_eq!(pieces.finish(), digest);
            assert!(!digest.matches(b"net-monitor "));
        }
    }

    #[test]
    fn a30_refuses_every_other_grammar() {
        let hex = "0".repeat(64);
        for text in [
            String::new(),
            hex.clone(),
            format!("md5:{}", &hex[..32]),
            format!("sha256:{}", &hex[1..]),
            format!("sha256:{hex}0"),
            format!("sha256:{}A", &hex[1..]),
            format!("SHA256:{hex}"),
            format!("sha256:{}", "../".repeat(21) + "x"),
            format!("sha512:{hex}"),
            format!("sha256: {hex}"),
        ] {
            assert!(text.parse::<Digest>().is_err(), "{text:?} was taken for a digest");
        }
    }

    #[test]
    fn tells_referrers_tags_from_others() {
        for algorithm in [Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            let tag = Digest::of(algorithm, b"x").referrers_tag();
            assert!(Digest::is_referrers_tag(&tag), "{tag}");
            assert!(!Digest::is_referrers_tag(&format!("{tag}.sig")));
        }
        assert!(!Digest::is_referrers_tag("v1-2"));
    }
}

//! Whole envelopes: those that notation made, and what becomes of them when bytes change.

use std::path::PathBuf;

use time::macros::datetime;

use super::*;
use crate::forge::{Artifact, Authority, Cbor, CoseDraft, JwsDraft, Key, KeyKind, LeafRequest, Salt, SignatureForm};
use crate::forge::{Signer, Statement};
use crate::json;

/// An envelope of the interoperability corpus.
pub(super) struct Sample {
    pub(super) format: Format,
    pub(super) bytes: Vec<u8>,
}

impl Sample {
    pub(super) fn verify(&self, bytes: &[u8], chains: &ChainCache) -> Result<VerifiedEnvelope, Failure> {
        verify(self.format.media_type(), bytes, chains)
    }

    /// Where the bytes are that no signature covers and no rule reads: the members that hold signing agent and time
    /// stamp, their names included.
    fn free(&self) -> Vec<std::ops::Range<usize>> {
        let find = |needle: &[u8], from: usize| {
            self.bytes[from..].windows(needle.len()).position(|window| window == needle).map(|at| at + from)
        };
        let member = |name: &str| {
            let at = find(name.as_bytes(), 0)?;
            match self.format {
                // From the quotation mark before the name to the one behind the value.
                Format::Jws => Some(at - 1..find(b"\"", at + name.len() + 3)? + 1),
                // From the head of the label (two bytes) over the head of the value to its end.
                Format::Cose => {
                    let value = at + name.len();
                    let (head, length) = match self.bytes[value] & 0x1f {
                        24 => (2, usize::from(self.bytes[value + 1])),
                        25 => (3, usize::from(u16::from_be_bytes([self.bytes[value + 1], self.bytes[value + 2]]))),
                        short => (1, usize::from(short)),
                    };
                    Some(at - 2..value + head + length)
                }
            }
        };
        ["io.cncf.notary.signingAgent", "io.cncf.notary.timestampSignature"].into_iter().filter_map(member).collect()
    }
}

/// All signatures of the corpus, by the media type that their manifests state; the shortest first.
pub(super) fn samples() -> Vec<Sample> {
    let blobs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/interop/layout/blobs/sha256");
    let mut samples = Vec::new();
    for file in std::fs::read_dir(&blobs).unwrap() {
        let manifest = std::fs::read(file.unwrap().path()).unwrap();
        let Ok(manifest) = serde_json::from_slice::<serde_json::Value>(&manifest) else { continue };
        let layer = &manifest["layers"][0];
        let Some(Ok(format)) = layer["mediaType"].as_str().map(Format::of_media_type) else { continue };
        let hex = layer["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:")).unwrap();
        samples.push(Sample { format, bytes: std::fs::read(blobs.join(hex)).unwrap() });
    }
    samples.sort_by(|a, b| a.bytes.len().cmp(&b.bytes.len()).then_with(|| a.bytes.cmp(&b.bytes)));
    samples
}

/// The shortest envelope of a format: one certificate with a P-256 key.
pub(super) fn shortest(format: Format) -> Sample {
    samples().into_iter().find(|sample| sample.format == format).unwrap()
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}

#[test]
fn every_signature_of_the_corpus_is_whole() {
    let chains = ChainCache::default();
    let samples = samples();
    assert_eq!(samples.len(), 31);
    let mut algorithms = std::collections::HashSet::new();
    for sample in &samples {
        let parsed = match sample.format {
            Format::Jws => jws::parse(&sample.bytes),
            Format::Cose => cose::parse(&sample.bytes),
        };
        algorithms.insert((sample.format, parsed.unwrap().algorithm.unwrap()));
        let verified = sample.verify(&sample.bytes, &chains).unwrap();
        assert_eq!(verified.format, sample.format);
        assert_eq!(verified.signer.scheme, SigningScheme::X509);
        assert_eq!(verified.payload.target.media_type, "application/vnd.oci.image.manifest.v1+json");
        assert_eq!(verified.notes, [""; 0]);
        assert!(verified.signer.signing_agent.as_deref().is_some_and(|agent| agent.starts_with("notation-go/")));
    }
    assert_eq!(algorithms.len(), 12, "the corpus has every algorithm in both formats");
    let verified = |sample: &Sample| sample.verify(&sample.bytes, &chains).unwrap();
    assert!(samples.iter().any(|sample| verified(sample).signer.expiry.is_some()));
    assert!(samples.iter().any(|sample| verified(sample).signer.timestamp_token.is_some()));
    assert!(samples.iter().any(|sample| !verified(sample).payload.target.annotations.is_empty()));
}

#[test]
fn b27_the_media_type_decides_and_the_bytes_are_not_sniffed() {
    let chains = ChainCache::default();
    for (format, other) in [(Format::Jws, Format::Cose), (Format::Cose, Format::Jws)] {
        let sample = shortest(format);
        let failure = verify(other.media_type(), &sample.bytes, &chains).unwrap_err();
        assert_eq!(failure.code, Code::EnvelopeMalformed);
        for media_type in ["", "application/json", "application/jose+json; charset=utf-8"] {
            let failure = verify(media_type, &sample.bytes, &chains).unwrap_err();
            assert_eq!(failure.code, Code::EnvelopeFormatUnsupported);
        }
    }
}

#[test]
fn b28_size_comes_before_structure() {
    let chains = ChainCache::default();
    let limit = limits::ENVELOPE_BYTES as usize;
    for format in [Format::Jws, Format::Cose] {
        for start in [&b"["[..], b"{\"a\":[", b"\xd2\x84\x9a\xff\xff\xff\xff", b"\x81", b"0"] {
            let bytes: Vec<u8> = start.iter().copied().cycle().take(limit + 1).collect();
            let code = |bytes: &[u8]| verify(format.media_type(), bytes, &chains).unwrap_err().code;
            assert_eq!(code(&bytes), Code::EnvelopeTooLarge);
            assert_eq!(code(&bytes[..limit]), Code::EnvelopeMalformed);
        }
    }
}

#[test]
fn envelopes_cut_short_anywhere_fail() {
    let chains = ChainCache::default();
    for format in [Format::Jws, Format::Cose] {
        let sample = shortest(format);
        for length in 0..sample.bytes.len() {
            let failure = sample.verify(&sample.bytes[..length], &chains).unwrap_err();
            assert_eq!(failure.code, Code::EnvelopeMalformed, "{format:?} cut to {length} bytes");
        }
    }
}

#[test]
fn trailing_bytes_fail() {
    let chains = ChainCache::default();
    for format in [Format::Jws, Format::Cose] {
        let sample = shortest(format);
        for behind in [&b"\0"[..], b"{}", b"\xff", b"\xf6"] {
            let bytes = [&sample.bytes, behind].concat();
            assert_eq!(sample.verify(&bytes, &chains).unwrap_err().code, Code::EnvelopeMalformed, "{behind:?}");
        }
    }
}

/// Flips one bit and holds what comes out against the original: a flip in what is signed, or in the certificates, never
/// passes; one in what is neither may, and then changes nothing else.
fn flip(sample: &Sample, original: &VerifiedEnvelope, position: usize, bit: u32, chains: &ChainCache) {
    let mut bytes = sample.bytes.clone();
    bytes[position] ^= 1 << bit;
    let Ok(flipped) = sample.verify(&bytes, chains) else { return };
    let free = sample.free().iter().any(|range| range.contains(&position));
    assert!(free, "{:?} with bit {bit} of byte {position} flipped passes", sample.format);
    assert_eq!(flipped.payload, original.payload);
    assert_eq!(flipped.signer.signature, original.signer.signature);
    assert_eq!(flipped.signer.scheme, original.signer.scheme);
    assert_eq!(flipped.signer.signing_time, original.signer.signing_time);
    assert_eq!(flipped.signer.expiry, original.signer.expiry);
    assert_eq!(flipped.signer.extended_attributes, original.signer.extended_attributes);
    assert_eq!(flipped.signer.verification_plugin, original.signer.verification_plugin);
    assert_eq!(flipped.chain.leaf().der(), original.chain.leaf().der());
}

#[test]
fn no_flipped_bit_passes_in_the_shortest_envelopes() {
    let mut seeded = Seeded(1);
    for format in [Format::Jws, Format::Cose] {
        let sample = shortest(format);
        let chains = ChainCache::default();
        let original = sample.verify(&sample.bytes, &chains).unwrap();
        for position in 0..sample.bytes.len() {
            let bit = seeded.below(8) as u32;
            flip(&sample, &original, position, bit, &chains);
        }
    }
}

#[test]
fn no_flipped_bit_passes_in_a_sample_of_all_envelopes() {
    let mut seeded = Seeded(2);
    for sample in samples() {
        let chains = ChainCache::default();
        let original = sample.verify(&sample.bytes, &chains).unwrap();
        for _ in 0..60 {
            let (position, bit) = (seeded.below(sample.bytes.len()), seeded.below(8) as u32);
            flip(&sample, &original, position, bit, &chains);
        }
    }
}

#[test]
fn a_flip_in_the_signing_agent_passes() {
    let chains = ChainCache::default();
    for format in [Format::Jws, Format::Cose] {
        let sample = shortest(format);
        let agent = sample.bytes.windows(11).position(|window| window == b"notation-go").unwrap();
        let mut bytes = sample.bytes.clone();
        bytes[agent] = b'N';
        let verified = sample.verify(&bytes, &chains).unwrap();
        assert!(verified.signer.signing_agent.unwrap().starts_with("Notation-go"));
    }
}

#[test]
fn mangled_envelopes_never_panic() {
    let mut seeded = Seeded(3);
    let chains = ChainCache::default();
    for format in [Format::Jws, Format::Cose] {
        let sample = shortest(format);
        for _ in 0..2000 {
            let mut bytes = sample.bytes.clone();
            for _ in 0..=seeded.below(4) {
                let (from, to) = (seeded.below(bytes.len()), seeded.below(bytes.len()));
                let length = seeded.below(bytes.len() - from.max(to)).min(40);
                match seeded.below(3) {
                    0 => bytes.copy_within(from..from + length, to),
                    1 => drop(bytes.drain(from..from + length)),
                    _ => bytes[from] = seeded.below(256) as u8,
                }
            }
            if bytes != sample.bytes {
                // What is left may be whole only when nothing but free text was hit: the payload is then the same.
                if let Ok(verified) = sample.verify(&bytes, &chains) {
                    assert_eq!(verified.payload, sample.verify(&sample.bytes, &chains).unwrap().payload);
                }
            }
        }
    }
}

#[test]
fn a_signature_of_another_envelope_is_invalid() {
    let chains = ChainCache::default();
    let envelopes: Vec<Sample> = samples().into_iter().filter(|sample| sample.format == Format::Jws).collect();
    let member = |sample: &Sample, name: &str| {
        let members = json::members(std::str::from_utf8(&sample.bytes).unwrap()).unwrap();
        members.get(name).unwrap().get().to_owned()
    };
    // Two of one key, so that no algorithm or length of a signature tells them apart.
    let differ = |first: &Sample, second: &Sample| {
        let differs = |name| member(first, name) != member(second, name);
        !differs("header") && differs("payload") && differs("protected")
    };
    let (first, second) = envelopes
        .iter()
        .enumerate()
        .find_map(|(index, first)| {
            let same = envelopes[index + 1..].iter().find(|second| differ(first, second));
            same.map(|second| (first, second))
        })
        .unwrap();
    for name in ["payload", "protected", "signature"] {
        let text = String::from_utf8(first.bytes.clone()).unwrap();
        let (own, foreign) = (member(first, name), member(second, name));
        let failure = first.verify(text.replace(&own, &foreign).as_bytes(), &chains).unwrap_err();
        assert_eq!(failure.code, Code::SignatureInvalid, "{name}");
    }
}

/// A signer whose leaf has a key of this kind, and something for it to sign.
fn signer(kind: KeyKind) -> (Signer, Statement) {
    let subject = |name: &str| format!("C=US, ST=WA, O=acme, CN={name}");
    let root = Authority::root(&subject("root"), Key::pooled(KeyKind::P256, 0).unwrap()).unwrap();
    let leaf = LeafRequest::new(&subject("leaf"), Key::pooled(kind, 1).unwrap()).unwrap();
    let target = Artifact::image("net-monitor").descriptor().clone();
    (root.issue(leaf).unwrap(), Statement::new(target, datetime!(2026-01-02 3:04:05 UTC)))
}

#[test]
fn checks_run_in_their_order() {
    let (signer, statement) = signer(KeyKind::P256);
    let chains = ChainCache::default();

    // Each step breaks something that is looked at earlier than all that is broken already.
    type Step<Draft> = (Code, fn(&mut Draft));
    let mut draft = statement.jws(&signer).unwrap();
    let verified = verify(Format::Jws.media_type(), &draft.seal().unwrap(), &chains).unwrap();
    assert_eq!(verified.payload.target.digest, statement.target.digest);
    let steps: [Step<JwsDraft>; 9] = [
        (Code::PayloadMalformed, |draft| draft.payload = b"{}".to_vec()),
        (Code::SigningTimeMalformed, |draft| draft.protected.remove("io.cncf.notary.signingTime")),
        (Code::CriticalMalformed, |draft| draft.protected.set("crit", "[\"cty\"]")),
        (Code::SigningSchemeUnsupported, |draft| draft.protected.set("io.cncf.notary.signingScheme", "\"x509\"")),
        (Code::ContentTypeUnsupported, |draft| draft.protected.set("cty", "\"application/json\"")),
        (Code::SignatureInvalid, |draft| draft.signature = SignatureForm::Bytes(vec![1; 64])),
        (Code::AlgorithmMismatch, |draft| draft.protected.set("alg", "\"ES384\"")),
        (Code::CertificateMalformed, |draft| draft.header.set("x5c", "[\"AAAA\"]")),
        (Code::EnvelopeMalformed, |draft| draft.protected.add("x5c", "[]")),
    ];
    for (code, step) in steps {
        step(&mut draft);
        let failure = verify(Format::Jws.media_type(), &draft.seal().unwrap(), &chains).unwrap_err();
        assert_eq!(failure.code, code, "{failure}");
    }

    let mut draft = statement.cose(&signer).unwrap();
    let verified = verify(Format::Cose.media_type(), &draft.seal().unwrap(), &chains).unwrap();
    assert_eq!(verified.payload.target.digest, statement.target.digest);
    let steps: [Step<CoseDraft>; 9] = [
        (Code::PayloadMalformed, |draft| draft.payload = b"{}".to_vec()),
        (Code::SigningTimeMalformed, |draft| draft.remove(&Cbor::text("io.cncf.notary.signingTime"))),
        (Code::CriticalMalformed, |draft| draft.set(CoseDraft::CRITICAL, Cbor::Array(vec![Cbor::Integer(3)]))),
        (Code::SigningSchemeUnsupported, |draft| {
            draft.set(Cbor::text("io.cncf.notary.signingScheme"), Cbor::text("x509"));
        }),
        (Code::ContentTypeUnsupported, |draft| draft.set(CoseDraft::CONTENT_TYPE, Cbor::Integer(50))),
        (Code::SignatureInvalid, |draft| draft.signature = SignatureForm::Bytes(vec![1; 64])),
        (Code::AlgorithmMismatch, |draft| draft.set(CoseDraft::ALGORITHM, Cbor::Integer(-35))),
        (Code::CertificateMalformed, |draft| {
            draft.set_unprotected(CoseDraft::CHAIN, Cbor::Array(vec![Cbor::Bytes(vec![0])]));
        }),
        (Code::EnvelopeMalformed, |draft| draft.set(CoseDraft::CHAIN, Cbor::Null)),
    ];
    for (code, step) in steps {
        step(&mut draft);
        let failure = verify(Format::Cose.media_type(), &draft.seal().unwrap(), &chains).unwrap_err();
        assert_eq!(failure.code, code, "{failure}");
    }
}

#[test]
fn b08_a_mismatch_names_algorithm_and_key() {
    let (signer, statement) = signer(KeyKind::P256);
    let mut draft = statement.jws(&signer).unwrap();
    draft.protected.set("alg", "\"PS256\"");
    let failure = verify(Format::Jws.media_type(), &draft.seal().unwrap(), &ChainCache::default()).unwrap_err();
    assert_eq!(failure.code, Code::AlgorithmMismatch);
    assert_eq!(failure.message, "the envelope states PS256, but the signing key is EC P-256");
}

#[test]
fn b10_the_salt_is_as_long_as_the_hash() {
    let (signer, statement) = signer(KeyKind::Rsa2048);
    for (salt, code) in [
        (Salt::Hash, None),
        (Salt::Empty, Some(Code::SignatureInvalid)),
        (Salt::Twenty, Some(Code::SignatureInvalid)),
        (Salt::Longest, Some(Code::SignatureInvalid)),
    ] {
        let mut draft = statement.cose(&signer).unwrap();
        draft.signature = SignatureForm::Salted(salt);
        let verified = verify(Format::Cose.media_type(), &draft.seal().unwrap(), &ChainCache::default());
        assert_eq!(verified.err().map(|failure| failure.code), code);
    }
}

//! The world in which the tests of bad input live: one authority, one signer of any kind, one artifact.
//!
//! Every table of bad input starts from something sound, shows that it passes, and departs from it in one point only.

#![allow(clippy::unwrap_used, clippy::expect_used, dead_code, reason = "shared by tests, none of which uses all of it")]

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::envelope::{self, VerifiedEnvelope};
use muster::failure::{Code, Failure};
use muster::forge::{
    Artifact, Authority, CoseDraft, JwsDraft, Key, KeyKind, LeafRequest, SignatureForm, Signer, SigningScheme,
    Statement,
};
use muster::pki::ChainCache;
use time::macros::datetime;

pub(crate) const JWS: &str = "application/jose+json";
pub(crate) const COSE: &str = "application/cose";

pub(crate) const ROOT: &str = "C=US, ST=WA, L=Seattle, O=acme, CN=root";
pub(crate) const ISSUING: &str = "C=US, ST=WA, L=Seattle, O=acme, CN=issuing";
pub(crate) const LEAF: &str = "C=US, ST=WA, L=Seattle, O=acme, CN=signer";

/// The root of the world.
pub(crate) fn root() -> &'static Authority {
    static ROOT_AUTHORITY: LazyLock<Authority> =
        LazyLock::new(|| Authority::root(ROOT, key(KeyKind::P256, 1)).unwrap());
    &ROOT_AUTHORITY
}

/// The authority between root and signers.
pub(crate) fn issuing() -> &'static Authority {
    static ISSUING_AUTHORITY: LazyLock<Authority> =
        LazyLock::new(|| root().intermediate(ISSUING, key(KeyKind::P256, 2)).unwrap());
    &ISSUING_AUTHORITY
}

/// Makes `folder` a configuration of notation that trusts the root of the world for every repository, at the level strict.
pub(crate) fn trust(folder: &Path) {
    let store = folder.join("truststore/x509/ca/acme");
    fs::create_dir_all(&store).unwrap();
    fs::write(store.join("root.der"), root().certificate()).unwrap();
    let policy = r#"{"version":"1.0","trustPolicies":[{"name":"all","registryScopes":["*"],
        "signatureVerification":{"level":"strict"},"trustStores":["ca:acme"],"trustedIdentities":["*"]}]}"#;
    fs::write(folder.join("trustpolicy.json"), policy).unwrap();
}

/// One of the keys of the world; 0 signs artifacts, 1 is the root's, 2 the intermediate's.
pub(crate) fn key(kind: KeyKind, slot: usize) -> Key {
    Key::pooled(kind, slot).unwrap()
}

/// What a signing certificate says by default.
pub(crate) fn request(kind: KeyKind) -> LeafRequest {
    LeafRequest::new(LEAF, key(kind, 0)).unwrap()
}

/// A signer with the chain leaf, intermediate, root.
pub(crate) fn signer(kind: KeyKind) -> Signer {
    issuing().issue(request(kind)).unwrap()
}

/// That the artifact was signed, with an expiry.
pub(crate) fn statement() -> Statement {
    let image = Artifact::image("net-monitor");
    let mut statement = Statement::new(image.descriptor().clone(), datetime!(2026-01-02 3:04:05 UTC));
    statement.expiry = Some(datetime!(2036-01-02 3:04:05 UTC));
    statement.with_metadata([("build", "7")])
}

/// The same under the signing authority's scheme.
pub(crate) fn authority_statement() -> Statement {
    Statement { scheme: SigningScheme::SigningAuthority, ..statement() }
}

/// A sound JWS by a P-256 key.
pub(crate) fn jws() -> JwsDraft {
    statement().jws(&signer(KeyKind::P256)).unwrap()
}

/// A sound COSE message by a P-256 key.
pub(crate) fn cose() -> CoseDraft {
    statement().cose(&signer(KeyKind::P256)).unwrap()
}

/// Verifies, once with a cache of its own and once with one that all tests of the process share: both must agree.
pub(crate) fn verify(media_type: &str, bytes: &[u8]) -> Result<VerifiedEnvelope, Failure> {
    static SHARED: LazyLock<ChainCache> = LazyLock::new(ChainCache::default);
    let result = envelope::verify(media_type, bytes, &ChainCache::default());
    let again = envelope::verify(media_type, bytes, &SHARED);
    assert_eq!(result.as_ref().err(), again.as_ref().err(), "the cache of chains changes the result");
    result
}

/// Verifies what must pass.
#[track_caller]
pub(crate) fn accepted(media_type: &str, bytes: &[u8], what: &str) -> VerifiedEnvelope {
    match verify(media_type, bytes) {
        Ok(envelope) => {
            assert_eq!(envelope.payload.target.digest, statement().target.digest, "{what}: another artifact");
            envelope
        }
        Err(failure) => panic!("{what}: refused with {}: {failure}", failure.code),
    }
}

/// Verifies what must be refused with `code`, and hands back the message.
#[track_caller]
pub(crate) fn refused(media_type: &str, bytes: &[u8], code: Code, what: &str) -> String {
    match verify(media_type, bytes) {
        Ok(_) => panic!("{what}: accepted"),
        Err(failure) => {
            assert_eq!(failure.code, code, "{what}: {failure}");
            assert!(!failure.message.is_empty() && !failure.message.ends_with('.'), "{what}: {failure}");
            assert!(!failure.message.contains(char::is_control), "{what}: {failure:?}");
            failure.message
        }
    }
}

/// Certificates as PEM.
pub(crate) fn pem(certificates: &[Vec<u8>]) -> String {
    let block =
        |der: &Vec<u8>| format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", STANDARD.encode(der));
    certificates.iter().map(block).collect()
}

/// What a case does to a draft.
pub(crate) type Change<Draft> = fn(&mut Draft);

/// The sound `draft` passes; after each change alone it is refused with its code.
#[track_caller]
pub(crate) fn jws_cases(draft: &JwsDraft, cases: &[(&str, Change<JwsDraft>, Code)]) {
    accepted(JWS, &draft.seal().unwrap(), "unchanged");
    for (what, change, code) in cases {
        let mut changed = draft.clone();
        change(&mut changed);
        refused(JWS, &changed.seal().unwrap(), *code, what);
    }
}

/// The sound `draft` passes; after each change alone it is refused with its code.
#[track_caller]
pub(crate) fn cose_cases(draft: &CoseDraft, cases: &[(&str, Change<CoseDraft>, Code)]) {
    accepted(COSE, &draft.seal().unwrap(), "unchanged");
    for (what, change, code) in cases {
        let mut changed = draft.clone();
        change(&mut changed);
        refused(COSE, &changed.seal().unwrap(), *code, what);
    }
}

/// An envelope of each format by `signer`.
pub(crate) fn envelopes(signer: &Signer) -> [(&'static str, Vec<u8>); 2] {
    let statement = statement();
    [(JWS, statement.jws(signer).unwrap().seal().unwrap()), (COSE, statement.cose(signer).unwrap().seal().unwrap())]
}

/// Sound signatures by `signer` pass in both formats.
#[track_caller]
pub(crate) fn signer_accepted(signer: &Signer, what: &str) {
    for (media_type, bytes) in envelopes(signer) {
        accepted(media_type, &bytes, &format!("{what}, {media_type}"));
    }
}

/// Sound signatures by `signer` are refused in both formats, for the chain alone.
#[track_caller]
pub(crate) fn signer_refused(signer: &Signer, code: Code, what: &str) {
    for (media_type, bytes) in envelopes(signer) {
        refused(media_type, &bytes, code, &format!("{what}, {media_type}"));
    }
}

/// The order of the curve P-256, big-endian.
pub(crate) const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// P-256 signatures that no key makes, each from a sound one.
pub(crate) const BROKEN_ECDSA: [(&str, SignatureForm); 12] = [
    ("as ASN.1", SignatureForm::OfCertificates),
    (
        "r = 0",
        SignatureForm::Changed(|mut signature| {
            signature[..32].fill(0);
            signature
        }),
    ),
    (
        "s = 0",
        SignatureForm::Changed(|mut signature| {
            signature[32..].fill(0);
            signature
        }),
    ),
    ("both 0", SignatureForm::Changed(|_| vec![0; 64])),
    (
        "r = n",
        SignatureForm::Changed(|mut signature| {
            signature[..32].copy_from_slice(&P256_ORDER);
            signature
        }),
    ),
    (
        "s = n",
        SignatureForm::Changed(|mut signature| {
            signature[32..].copy_from_slice(&P256_ORDER);
            signature
        }),
    ),
    (
        "r > n",
        SignatureForm::Changed(|mut signature| {
            signature[..32].fill(0xff);
            signature
        }),
    ),
    (
        "s > n",
        SignatureForm::Changed(|mut signature| {
            signature[32..].fill(0xff);
            signature
        }),
    ),
    ("a byte short", SignatureForm::Changed(|signature| signature[..63].to_vec())),
    (
        "a byte long",
        SignatureForm::Changed(|mut signature| {
            signature.push(0);
            signature
        }),
    ),
    (
        "a leading zero each",
        SignatureForm::Changed(|signature| {
            let zero = [0].as_slice();
            [zero, &signature[..32], zero, &signature[32..]].concat()
        }),
    ),
    ("r and s swapped", SignatureForm::Changed(|signature| [&signature[32..], &signature[..32]].concat())),
];

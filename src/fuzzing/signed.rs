//! Bytes behind a signature: put under a sound one, so that more than the refusal of a bad one is tried.
//!
//! The keys are made anew in each process, so the seeds hold what is signed, and no signature.

use std::sync::OnceLock;

use time::OffsetDateTime;
use time::macros::datetime;

use super::{THEN, verified};
use crate::forge::{
    Artifact, Authority, CertId, CertIdHash, CoseDraft, CrlDraft, CrlEntry, ForgeError, JwsDraft, Key, KeyKind,
    LeafRequest, OcspDraft, OcspStatus, SingleDraft, Statement, tlv,
};
use crate::pki::{Certificate, der};
use crate::revocation::{Answer, AnswerCache, Recorded, Status, evaluate};

const AT: OffsetDateTime = datetime!(2026-11-23 12:00 UTC);
/// Stands in seeds for the hash of the authority's key.
const KEY_HASH: [u8; 20] = [0; 20];
/// `SEQUENCE`, `BIT STRING`, `OCTET STRING`, `[0]`.
const TAGS: (u8, u8, u8, u8) = (der::SEQUENCE, der::BIT_STRING, der::OCTET_STRING, 0xa0);
/// The object identifier of a basic OCSP response.
const BASIC: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
/// ecdsa-with-SHA256.
const ALGORITHM: &[u8] = &[0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02];

/// An authority, and envelopes and chains of a signer whom it certified.
struct World {
    root: Authority,
    jws: JwsDraft,
    cose: CoseDraft,
    with_crl: Vec<Certificate>,
    with_ocsp: Vec<Certificate>,
    key_hash: Vec<u8>,
}

impl World {
    fn new() -> Result<World, ForgeError> {
        let key = |slot| Key::pooled(KeyKind::P256, slot);
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(0)?)?;
        let request = || LeafRequest::new("C=US, ST=WA, O=wabbit, CN=signer", key(1)?);
        let urls = || vec!["http://server.test/one".to_owned()];
        let signer = root.issue(request()?)?;
        let parsed = |chain: Vec<Vec<u8>>| chain.iter().filter_map(|der| Certificate::parse(der).ok()).collect();
        let with_crl = parsed(root.issue(LeafRequest { crl_urls: urls(), ..request()? })?.chain);
        let with_ocsp = parsed(root.issue(LeafRequest { ocsp_urls: urls(), ..request()? })?.chain);
        let statement = Statement::new(Artifact::image("fuzz").descriptor().clone(), AT);
        let key_hash = CertId::new(CertIdHash::Sha1, &root, [1])?.issuer_key;
        let (jws, cose) = (statement.jws(&signer)?, statement.cose(&signer)?);
        Ok(World { root, jws, cose, with_crl, with_ocsp, key_hash })
    }

    fn get() -> Option<&'static World> {
        static WORLD: OnceLock<Option<World>> = OnceLock::new();
        WORLD.get_or_init(|| World::new().ok()).as_ref()
    }

    /// `content` with the authority's signature.
    fn sign(&self, content: &[u8]) -> Option<Vec<u8>> {
        let signature = self.root.key().sign_certificate(content).ok()?;
        let signature = tlv(TAGS.1, &[&[0], signature.as_slice()].concat());
        Some(tlv(TAGS.0, &[content, ALGORITHM, &signature].concat()))
    }
}

/// The first line is the protected header, the rest is the payload.
pub(super) fn jws(bytes: &[u8]) -> bool {
    let Some(world) = World::get() else { return false };
    let middle = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (header, payload) = bytes.split_at(middle);
    let payload = payload.get(1..).unwrap_or_default().to_vec();
    let draft = JwsDraft { protected_bytes: Some(header.to_vec()), payload, ..world.jws.clone() };
    draft.seal().is_ok_and(|envelope| verified("application/jose+json", &envelope))
}

/// The first byte is the length of the protected header; the payload follows it.
pub(super) fn cose(bytes: &[u8]) -> bool {
    let (Some(world), Some((length, rest))) = (World::get(), bytes.split_first()) else { return false };
    let (header, payload) = rest.split_at(rest.len().min(usize::from(*length)));
    let draft = CoseDraft { protected_bytes: Some(header.to_vec()), payload: payload.to_vec(), ..world.cose.clone() };
    draft.seal().is_ok_and(|envelope| verified("application/cose", &envelope))
}

/// A `TBSCertList`.
pub(super) fn crl(bytes: &[u8]) -> bool {
    let Some(world) = World::get() else { return false };
    world.sign(bytes).is_some_and(|answer| judged(&world.with_crl, answer, AT))
}

/// A `ResponseData`.
pub(super) fn ocsp(bytes: &[u8]) -> bool {
    let Some(world) = World::get() else { return false };
    let Some(basic) = world.sign(&replaced(bytes, &KEY_HASH, &world.key_hash)) else { return false };
    let response = tlv(TAGS.0, &[BASIC, &tlv(TAGS.2, &basic)].concat());
    let answer = tlv(TAGS.0, &[&[0x0a, 1, 0], tlv(TAGS.3, &response).as_slice()].concat());
    judged(&world.with_ocsp, answer, AT)
}

/// An answer as it came, about a certificate of `tests/data/revocation`.
pub(super) fn recorded(leaf: &[u8], bytes: &[u8]) -> bool {
    let root = include_bytes!("../../tests/data/revocation/root.der");
    let chain: Vec<Certificate> = [leaf, root].iter().filter_map(|der| Certificate::parse(der).ok()).collect();
    judged(&chain, bytes.to_vec(), THEN)
}

/// Whether the one answer that is asked for says anything of the leaf.
fn judged(chain: &[Certificate], answer: Vec<u8>, at: OffsetDateTime) -> bool {
    let mut recorded = Recorded::default();
    let mut needs = evaluate(chain, &recorded, &AnswerCache::default(), at, None).needs;
    let Some(need) = needs.pop() else { return false };
    recorded.record(need, Ok(Answer::new(answer)));
    let found = evaluate(chain, &recorded, &AnswerCache::default(), at, None);
    found.certificates.first().is_some_and(|leaf| leaf.status != Status::Unknown)
}

fn replaced(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut replaced = bytes.to_vec();
    while let Some(at) = replaced.windows(old.len()).position(|window| window == old) {
        replaced.splice(at..at + old.len(), new.iter().copied());
    }
    replaced
}

/// Seeds that are made, not found in files: name of the target, bytes.
///
/// # Errors
/// What the forge says.
pub(super) fn seeds() -> Result<Vec<(&'static str, Vec<u8>)>, ForgeError> {
    let Some(world) = World::get() else { return Ok(Vec::new()) };
    let mut seeds =
        vec![("jws-signed", [world.jws.protected.text().into_bytes(), world.jws.payload.clone()].join(&b'\n'))];
    let header = crate::forge::Cbor::Map(world.cose.protected.clone()).encode();
    seeds.push(("cose-signed", [&[header.len() as u8], header.as_slice(), &world.cose.payload].concat()));
    let intermediate = world.root.intermediate("C=US, ST=WA, O=wabbit, CN=CA", Key::pooled(KeyKind::P256, 2)?)?;
    for authority in [&world.root, &intermediate] {
        let request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=signer", Key::pooled(KeyKind::P256, 3)?)?;
        seeds.push(("chain", authority.issue(request)?.chain.concat()));
    }
    let serial = |chain: &[Certificate]| chain.first().map(|leaf| leaf.serial().to_vec()).unwrap_or_default();
    let draft = || CrlDraft::new(&world.root, AT);
    let entry = CrlEntry::new(serial(&world.with_crl), AT).because(1).invalid_since(AT);
    for draft in [draft(), draft().with(CrlEntry::new([7], AT)), draft().with(entry)] {
        seeds.push(("crl-signed", content(&draft.sign(world.root.key())?)));
    }
    for status in [OcspStatus::Good, OcspStatus::Revoked { at: AT, reason: Some(1), invalidity: None }] {
        let id = CertId::new(CertIdHash::Sha1, &world.root, serial(&world.with_ocsp))?;
        let draft = OcspDraft::by_issuer(&world.root, AT).with(SingleDraft::new(id, status, AT));
        let basic = draft.sign()?;
        // OCSPResponse, responseBytes, ResponseBytes, response: the content of the last value of each.
        let inner = (0..4).fold(basic, |value, _| last(&value));
        seeds.push(("ocsp-signed", replaced(&content(&inner), &world.key_hash, &KEY_HASH)));
    }
    Ok(seeds)
}

/// The first value inside a DER value.
fn content(value: &[u8]) -> Vec<u8> {
    let inside = der::only(value).ok().and_then(|outer| outer.children(outer.tag).ok()).unwrap_or_default();
    inside.first().map(|first| first.whole.to_vec()).unwrap_or_default()
}

/// The last value inside a DER value, or the contents of one that has none inside.
fn last(value: &[u8]) -> Vec<u8> {
    let Ok(outer) = der::only(value) else { return Vec::new() };
    if outer.tag == der::OCTET_STRING {
        return outer.contents.to_vec();
    }
    outer.children(outer.tag).ok().and_then(|inside| inside.last().map(|last| last.whole.to_vec())).unwrap_or_default()
}

mod chain;
mod recorded;
mod timekeeper;
mod token;

use super::{Token, VerifiedTimestamp, verify};
use crate::failure::{Code, Failure};
use crate::forge::asn1::{self, explicit, octets, sequence};
use crate::forge::{Authority, CertificateDraft, ForgeError, Key, KeyKind, TimestampDraft, tlv};
use crate::pki::Certificate;
use timekeeper::{MESSAGE, TIME, TIME_STAMPING, authority, draft_of, key, oid, root, root_of, sound, stamper};

const CONTENT_TYPE: &str = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST: &str = "1.2.840.113549.1.9.4";
const SIGNING_TIME: &str = "1.2.840.113549.1.9.5";
const SIGNING_CERTIFICATE_V2: &str = "1.2.840.113549.1.9.16.2.47";

/// The places of the fields of a `TSTInfo`.
const POLICY: usize = 1;
const IMPRINT: usize = 2;
const GEN_TIME: usize = 4;

/// The place of the signed attribute that names the certificate.
const NAMES_CERTIFICATE: usize = 2;

fn attribute(kind: &str, values: &[Vec<u8>]) -> Vec<u8> {
    sequence(&[oid(kind), tlv(asn1::SET, &values.concat())])
}

/// `signing-certificate-v2` of one certificate by SHA-256, with whatever follows the hash.
fn names_certificate(hash: &[u8], behind: &[u8]) -> Vec<u8> {
    let named = sequence(&[&octets(hash), behind]);
    attribute(SIGNING_CERTIFICATE_V2, &[sequence(&[sequence(&[named])])])
}

fn parsed(der: &[u8]) -> Certificate {
    Certificate::parse(der).unwrap()
}

fn signed(draft: &TimestampDraft) -> Token {
    Token(draft.sign().unwrap())
}

/// What becomes of `draft` where the root of its chain is trusted.
fn verified(draft: &TimestampDraft) -> Result<VerifiedTimestamp, Failure> {
    verify(&signed(draft), MESSAGE, &[&root_of(draft)])
}

/// Changes the fields of the `TSTInfo`.
fn info(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> impl FnOnce(&mut TimestampDraft) {
    |draft| draft.change_info(change).unwrap()
}

/// Changes the signed attributes.
fn attributes(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> impl FnOnce(&mut TimestampDraft) {
    |draft| draft.change_attributes(change).unwrap()
}

/// Signs the attributes of `draft` whatever becomes of its certificates.
fn keep_attributes(draft: &mut TimestampDraft) {
    attributes(|_| ())(draft);
}

/// Departs from a sound token by `change`, and expects to be refused for this reason, in these words.
#[track_caller]
fn refused(change: impl FnOnce(&mut TimestampDraft), code: Code, words: &str) {
    let mut draft = sound();
    change(&mut draft);
    assert_refused(&draft, code, words);
}

#[track_caller]
fn assert_refused(draft: &TimestampDraft, code: Code, words: &str) {
    let failure = verified(draft).unwrap_err();
    assert!(failure.code == code && failure.message.contains(words), "{}: {failure}", failure.code);
}

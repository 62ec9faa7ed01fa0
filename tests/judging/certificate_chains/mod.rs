//! Certificate chains that break a rule, one test for each row D01–D26 of `docs/bad-inputs.md`, and chains of the
//! reference implementation.
//!
//! Every case starts from a chain that passes and departs from it in one point; it names the code and a part of the
//! message, so that it cannot fail for another reason.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::unit_arg, reason = "tests")]

use muster::failure::{Code, Failure};
use muster::forge::{
    self, Authority, CertificateDraft, ExtensionKind, ForgeError, Key, LeafRequest, Signer, Subject, TextKind,
    basic_constraints, extended_key_usage, extension, key_usage, tlv,
};
use muster::limits;
use muster::pki::Chain;

mod extensions;
mod form;
mod keys;
mod names;
mod profile;
mod recorded;

const ROOT: &str = "C=US, ST=WA, O=acme, CN=root";
const MIDDLE: &str = "C=US, ST=WA, O=acme, CN=issuing";
const LEAF: &str = "C=US, ST=WA, O=acme, CN=leaf";

fn key(slot: usize) -> Key {
    Key::pooled(forge::KeyKind::P256, slot).unwrap()
}

fn root() -> Authority {
    Authority::root(ROOT, key(0)).unwrap()
}

fn middle() -> Authority {
    root().intermediate(MIDDLE, key(1)).unwrap()
}

fn request() -> LeafRequest {
    LeafRequest::new(LEAF, key(2)).unwrap()
}

/// Leaf, intermediate, root.
fn sound() -> Vec<Vec<u8>> {
    middle().issue(request()).unwrap().chain
}

type Change = fn(&mut CertificateDraft) -> Result<(), ForgeError>;

/// A chain of three whose leaf is changed.
fn with_leaf(change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>) -> Vec<Vec<u8>> {
    middle().issue_with(request(), change).unwrap().chain
}

/// A chain of three whose intermediate is changed.
fn with_middle(change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>) -> Vec<Vec<u8>> {
    root().intermediate_with(MIDDLE, key(1), change).unwrap().issue(request()).unwrap().chain
}

/// A chain of three whose root is changed.
fn with_root(change: impl FnOnce(&mut CertificateDraft) -> Result<(), ForgeError>) -> Vec<Vec<u8>> {
    let root = Authority::root_with(ROOT, key(0), change).unwrap();
    root.intermediate(MIDDLE, key(1)).unwrap().issue(request()).unwrap().chain
}

fn passes(chain: &[Vec<u8>]) -> Chain {
    Chain::parse_code_signing(chain).unwrap_or_else(|failure| panic!("{}: {failure}", failure.code))
}

#[track_caller]
fn fails(chain: &[Vec<u8>], code: Code, message: &str) {
    match Chain::parse_code_signing(chain) {
        Ok(_) => panic!("passes, instead of {code}: {message}"),
        Err(Failure { code: found, message: text }) => {
            assert!(found == code && text.contains(message), "{found}: {text}\n  instead of {code}: {message}");
        }
    }
}

#[test]
fn a_sound_chain_passes() {
    let chain = passes(&sound());
    assert_eq!(chain.certificates().len(), 3);
    assert_eq!(chain.leaf().subject_text(), "CN=leaf,O=acme,ST=WA,C=US");
    for kind in forge::KeyKind::ALL {
        let root = Authority::root(ROOT, Key::pooled(kind, 0).unwrap()).unwrap();
        let signer = root.issue(LeafRequest::new(LEAF, Key::pooled(kind, 1).unwrap()).unwrap()).unwrap();
        let signature = signer.key.sign(b"message").unwrap();
        let chain = passes(&signer.chain);
        assert!(chain.signing_key().verify(b"message", &signature).is_ok());
        assert!(chain.signing_key().verify(b"messagE", &signature).is_err());
    }
}

#[test]
fn d01_leaf_only() {
    fails(&sound()[..1], Code::ChainInvalid, "certificate 1 of 1 in the chain (\"CN=leaf");
    fails(&sound()[..1], Code::ChainInvalid, "its issuer is missing");
    fails(&[], Code::ChainMalformed, "empty");
}

#[test]
fn d02_reversed() {
    let mut chain = sound();
    chain.reverse();
    fails(&chain, Code::ChainInvalid, "it is self-signed, but not the last of the chain");
    chain.swap(0, 2);
    chain.swap(0, 1);
    fails(&chain, Code::ChainInvalid, "it was issued under another name");
}

#[test]
fn d03_root_missing() {
    fails(&sound()[..2], Code::ChainInvalid, "certificate 2 of 2 in the chain (\"CN=issuing");
    fails(&sound()[..2], Code::ChainInvalid, "its issuer is missing");
}

#[test]
fn d04_root_twice() {
    let mut chain = sound();
    chain.push(chain[2].clone());
    fails(
        &chain,
        Code::ChainInvalid,
        "certificate 3 of 4 in the chain (\"CN=root,O=acme,ST=WA,C=US\"): it is self-signed",
    );
}

#[test]
fn d05_unrelated_certificate() {
    let other = Authority::root("C=US, ST=WA, O=other, CN=root", key(3)).unwrap().certificate().to_vec();
    let mut appended = sound();
    appended.push(other.clone());
    fails(&appended, Code::ChainInvalid, "it is self-signed, but not the last");
    for position in 0..3 {
        let mut inserted = sound();
        inserted.insert(position, other.clone());
        fails(&inserted, Code::ChainInvalid, if position == 0 { "it is self-signed" } else { "another name" });
    }
}

#[test]
fn d06_two_alternative_parents() {
    let second = Authority::root("C=US, ST=WA, O=acme, CN=second root", key(3)).unwrap();
    let cross = second.intermediate(MIDDLE, key(1)).unwrap();
    let mut chain = sound();
    chain.insert(2, cross.certificate().to_vec());
    fails(&chain, Code::ChainInvalid, "it was issued under another name");
    // Each of the two by itself is a chain.
    passes(&cross.issue(request()).unwrap().chain);
}

#[test]
fn d07_issuer_with_the_right_name_and_another_key() {
    let mut chain = sound();
    chain[1] = root().intermediate(MIDDLE, key(3)).unwrap().certificate().to_vec();
    fails(&chain, Code::ChainInvalid, "its signature does not verify with the key of \"CN=issuing");
    let mut chain = sound();
    chain[2] = Authority::root(ROOT, key(3)).unwrap().certificate().to_vec();
    fails(&chain, Code::ChainInvalid, "its signature does not verify with the key of \"CN=root");
}

#[test]
fn d08_issuer_with_the_right_key_and_another_name() {
    let renamed: [Change; 2] = [
        |draft| {
            draft.tbs.issuer = Subject::parse("C=US, ST=WA, O=acme, CN=Issuing")?.name()?;
            Ok(())
        },
        // The same characters in another string type are another name.
        |draft| {
            draft.tbs.issuer = Subject::parse(MIDDLE)?.written_as(TextKind::Printable).name()?;
            Ok(())
        },
    ];
    for change in renamed {
        fails(&with_leaf(change), Code::ChainInvalid, "it was issued under another name than \"CN=issuing");
    }
}

#[test]
fn d09_cycle() {
    let (one, two) = (root(), Authority::root("C=US, ST=WA, O=acme, CN=two", key(3)).unwrap());
    let one_by_two = two.intermediate(ROOT, key(0)).unwrap().certificate().to_vec();
    let two_by_one = one.intermediate("C=US, ST=WA, O=acme, CN=two", key(3)).unwrap().certificate().to_vec();
    let mut chain = one.issue(request()).unwrap().chain;
    chain.truncate(1);
    for turns in 1..4 {
        chain.push(if turns % 2 == 1 { one_by_two.clone() } else { two_by_one.clone() });
        fails(&chain, Code::ChainInvalid, "it ends the chain, but is not self-signed");
    }
}

#[test]
fn d10_chain_of_a_hundred_certificates() {
    let long = |length: usize| {
        let mut authority = root();
        for number in 2..length {
            authority =
                authority.intermediate(&format!("C=US, ST=WA, O=acme, CN=ca {number}"), key(number % 4)).unwrap();
        }
        authority.issue(request()).unwrap().chain
    };
    assert_eq!(passes(&long(limits::CHAIN_CERTIFICATES)).certificates().len(), limits::CHAIN_CERTIFICATES);
    fails(&long(limits::CHAIN_CERTIFICATES + 1), Code::ChainMalformed, "11 certificates, more than the 10 allowed");
    fails(&long(100), Code::ChainMalformed, "100 certificates");
    // They are counted before any is looked at.
    fails(&vec![Vec::new(); 100_000], Code::ChainMalformed, "100000 certificates");
}

#[test]
fn d11_self_signed_authority_as_leaf() {
    fails(&[root().certificate().to_vec()], Code::CertificateProfile, "it is a certificate authority");
}

#[test]
fn d12_self_signed_leaf() {
    let alone = Signer::self_signed(request()).unwrap();
    assert_eq!(passes(&alone.chain).certificates().len(), 1);
    // It must be signed by its own key, and issued under its own name.
    let forged = Signer::self_signed_with(request(), |draft| {
        draft.set_public_key(key(3).public_key())?;
        Ok(())
    });
    fails(&forged.unwrap().chain, Code::ChainInvalid, "its signature does not verify");
    let renamed = Signer::self_signed_with(request(), |draft| {
        draft.tbs.issuer = Subject::parse(ROOT)?.name()?;
        Ok(())
    });
    fails(&renamed.unwrap().chain, Code::ChainInvalid, "it ends the chain, but is not self-signed");
}

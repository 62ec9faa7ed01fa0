//! Bad certificate chains where they arrive: in envelopes of both formats whose signature is sound.
//!
//! The rules for chains are tested one by one in `certificate_chains`; here, that no envelope gets past them. Every case
//! starts from a signer who passes and breaks one rule.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use crate::world::{
    ISSUING, LEAF, ROOT, envelopes, issuing, key, request, root, signer, signer_accepted, signer_refused, verify,
};
use muster::failure::Code;
use muster::forge::{
    Authority, CertificateDraft, ExtensionKind, ForgeError, Key, KeyKind, Signer, Subject, TextKind, basic_constraints,
    extended_key_usage, extension, key_usage, tlv,
};
use x509_cert::ext::pkix::KeyUsages;

type Deviation = fn(&mut CertificateDraft) -> Result<(), ForgeError>;

/// A signer by the issuing authority whose certificate departs from the default.
fn leaf(deviation: Deviation) -> Signer {
    issuing().issue_with(request(KeyKind::P256), deviation).unwrap()
}

/// A signer below an authority whose certificate departs from the default.
fn below(deviation: Deviation) -> Signer {
    let authority = root().intermediate_with(ISSUING, key(KeyKind::P256, 2), deviation).unwrap();
    authority.issue(request(KeyKind::P256)).unwrap()
}

/// A signer two steps below a root whose certificate departs from the default.
fn below_root(deviation: Deviation) -> Signer {
    let root = Authority::root_with(ROOT, key(KeyKind::P256, 1), deviation).unwrap();
    root.intermediate(ISSUING, key(KeyKind::P256, 2)).unwrap().issue(request(KeyKind::P256)).unwrap()
}

/// The sound signer with the chain changed.
fn chained(change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Signer {
    let mut signer = signer(KeyKind::P256);
    change(&mut signer.chain);
    signer
}

#[test]
fn sound_chains_of_every_length_and_kind_pass() {
    for kind in KeyKind::ALL {
        signer_accepted(&signer(kind), kind.word());
        signer_accepted(&root().issue(request(kind)).unwrap(), kind.word());
        signer_accepted(&Signer::self_signed(request(kind)).unwrap(), kind.word());
        let other = Authority::root("CN=another", key(kind, 3)).unwrap();
        let middle = other.intermediate("CN=middle", key(kind, 4)).unwrap();
        signer_accepted(&middle.issue(request(KeyKind::P384)).unwrap(), kind.word());
    }
}

#[test]
fn chains_out_of_order_are_refused() {
    let unrelated = Authority::root("CN=unrelated", key(KeyKind::P256, 5)).unwrap();
    let impostor = Authority::root(ROOT, key(KeyKind::P256, 5)).unwrap();
    let renamed = Authority::root("C=US, ST=WA, L=Seattle, O=acme, CN=Root", key(KeyKind::P256, 1)).unwrap();
    let rewritten = Authority::root_with(ROOT, key(KeyKind::P256, 1), |draft| {
        let name = Subject::parse(ROOT)?.written_as(TextKind::Printable).name()?;
        (draft.tbs.subject, draft.tbs.issuer) = (name.clone(), name);
        Ok(())
    })
    .unwrap();
    let other = Authority::root("CN=other root", key(KeyKind::P256, 5)).unwrap();
    let cross = other.intermediate(ISSUING, key(KeyKind::P256, 2)).unwrap();
    signer_accepted(&chained(|chain| chain.splice(1.., cross.chain().to_vec()).for_each(drop)), "the other way up");
    for (what, signer) in [
        ("the leaf alone", chained(|chain| chain.truncate(1))),
        ("no root", chained(|chain| chain.truncate(2))),
        ("issuer and root swapped", chained(|chain| chain.swap(1, 2))),
        ("the root twice", chained(|chain| chain.push(chain[2].clone()))),
        ("the issuer twice", chained(|chain| chain.insert(1, chain[1].clone()))),
        ("the leaf twice", chained(|chain| chain.insert(0, chain[0].clone()))),
        ("an unrelated certificate inside", chained(|chain| chain.insert(1, unrelated.certificate().to_vec()))),
        ("an unrelated certificate behind", chained(|chain| chain.push(unrelated.certificate().to_vec()))),
        ("two parents", chained(|chain| chain.insert(2, cross.certificate().to_vec()))),
        ("two roots", chained(|chain| chain.push(other.certificate().to_vec()))),
        ("the right name over another key", chained(|chain| chain[2] = impostor.certificate().to_vec())),
        ("the right key under another name", chained(|chain| chain[2] = renamed.certificate().to_vec())),
        ("the name in another string type", chained(|chain| chain[2] = rewritten.certificate().to_vec())),
    ] {
        signer_refused(&signer, Code::ChainInvalid, what);
    }
}

#[test]
fn certificates_that_break_the_profile_are_refused() {
    let top = Signer { key: root().key().clone(), chain: root().chain().to_vec() };
    let middle = Signer { key: issuing().key().clone(), chain: issuing().chain().to_vec() };
    signer_refused(&top, Code::CertificateProfile, "a root that signs");
    signer_refused(&middle, Code::CertificateProfile, "an authority that signs");
    let honest = signer(KeyKind::P256);
    let impostor = Authority::from_parts(LEAF, honest.key, honest.chain).unwrap();
    let above = impostor.issue(request(KeyKind::P384)).unwrap();
    signer_refused(&above, Code::ChainInvalid, "a signer that issues");

    let advisory: Deviation = |draft| {
        draft.set(basic_constraints(true, None, false)?);
        Ok(())
    };
    let no_usage: Deviation = |draft| {
        draft.remove(ExtensionKind::KeyUsage);
        Ok(())
    };
    let certifies: Deviation = |draft| {
        draft.set(key_usage(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign, true)?);
        Ok(())
    };
    let stamps: Deviation = |draft| {
        draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.8"], true)?);
        Ok(())
    };
    let no_path: Deviation = |draft| {
        draft.set(basic_constraints(true, Some(0), true)?);
        Ok(())
    };
    for (what, signer) in [
        ("an authority, not critically", below(advisory)),
        ("a root, not critically", below_root(advisory)),
        ("a leaf without usage", leaf(no_usage)),
        ("an authority without usage", below(no_usage)),
        ("a leaf that may certify", leaf(certifies)),
        ("a leaf that stamps time", leaf(stamps)),
        ("a root that allows no authority below", below_root(no_path)),
    ] {
        signer_refused(&signer, Code::CertificateProfile, what);
    }
    signer_accepted(&below(no_path), "an authority that allows none below");
    signer_accepted(
        &leaf(|draft| {
            draft.add(extension("1.2.3.4.5", true, &tlv(0x05, &[]))?);
            Ok(())
        }),
        "an unknown critical extension",
    );
}

#[test]
fn certificates_that_are_none_and_keys_that_are_none_are_refused() {
    for position in 0..3 {
        let behind = chained(|chain| chain[position].push(0));
        signer_refused(&behind, Code::CertificateMalformed, "a byte behind");
        let short = chained(|chain| {
            chain[position].pop();
        });
        signer_refused(&short, Code::CertificateMalformed, "a byte short");
    }
    let compressed = leaf(|draft| {
        let sound = key(KeyKind::P256, 0).public_key().to_vec();
        let point = [&[0, 2 | (sound[90] & 1)], &sound[27..59]].concat();
        draft.set_public_key(&tlv(0x30, &[&sound[2..23], &tlv(3, &point)].concat()))
    });
    signer_refused(&compressed, Code::KeyUnsupported, "the key that signed, compressed");
}

#[test]
fn signatures_by_another_key_than_the_leafs_are_refused() {
    // Each certificate of the chain in turn is the first; the key that signed is the signer's.
    let mut reversed = signer(KeyKind::P256);
    reversed.chain.reverse();
    signer_refused(&reversed, Code::ChainInvalid, "reversed");
    let borrowed = Signer { key: key(KeyKind::P256, 7), ..signer(KeyKind::P256) };
    signer_refused(&borrowed, Code::SignatureInvalid, "another key of the same kind");
    let borrowed = Signer { key: key(KeyKind::P384, 7), ..signer(KeyKind::P256) };
    signer_refused(&borrowed, Code::AlgorithmMismatch, "another key of another kind");
    let above = Signer { key: issuing().key().clone(), ..signer(KeyKind::P256) };
    signer_refused(&above, Code::SignatureInvalid, "the key of the issuer");
}

/// Certificates whose signatures over SHA-1 and MD5 hold: `d20_broken_hashes` only states such algorithms.
#[test]
fn d20_sound_signatures_over_broken_hashes_are_refused() {
    let read = |name: &str| {
        let path = format!("{}/tests/data/weak-hashes/{name}", env!("CARGO_MANIFEST_DIR"));
        std::fs::read(path).unwrap()
    };
    let certificate = |name: &str| x509_parser::pem::parse_x509_pem(&read(name)).unwrap().1.contents;
    let key = Key::from_pem(&read("leaf.key")).unwrap();
    let of = |leaf: &str, root: &str| Signer { key: key.clone(), chain: vec![certificate(leaf), certificate(root)] };
    signer_accepted(&of("rsa-leaf-sha256.crt", "rsa-root-sha256.crt"), "RSA with SHA-256");
    signer_accepted(&of("ec-leaf-sha256.crt", "ec-root-sha256.crt"), "ECDSA with SHA-256");
    for (leaf, root) in [
        ("rsa-leaf-sha1.crt", "rsa-root-sha256.crt"),
        ("rsa-leaf-md5.crt", "rsa-root-sha256.crt"),
        ("rsa-leaf-sha256.crt", "rsa-root-sha1.crt"),
        ("rsa-leaf-sha256.crt", "rsa-root-md5.crt"),
        ("ec-leaf-sha1.crt", "ec-root-sha256.crt"),
        ("ec-leaf-sha256.crt", "ec-root-sha1.crt"),
    ] {
        signer_refused(&of(leaf, root), Code::CertificateProfile, &format!("{leaf}, {root}"));
    }
}

/// The cache of chains is asked by the bytes of all certificates: a good chain makes no other one good.
#[test]
fn a_chain_that_was_seen_vouches_for_no_other() {
    let sound = signer(KeyKind::P256);
    signer_accepted(&sound, "before");
    for position in 0..3 {
        for (media_type, bytes) in envelopes(&chained(|chain| chain[position] = unrelated(position))) {
            assert!(verify(media_type, &bytes).is_err(), "{position}, {media_type}");
        }
    }
    signer_accepted(&sound, "after");
}

/// A certificate with the right subject for this place in the chain, by nobody.
fn unrelated(position: usize) -> Vec<u8> {
    let subject = [LEAF, ISSUING, ROOT][position];
    Authority::root(subject, key(KeyKind::P256, 8)).unwrap().certificate().to_vec()
}

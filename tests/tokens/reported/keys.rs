//! How keys and their public halves are found.

use std::path::Path;

use muster::forge::KeyKind::{self, P256};

use crate::bench::{Attempt, Bench};
use crate::process::{with_shim, with_softhsm};

#[test]
fn s05_attributes_are_asked_one_by_one() {
    with_shim("reported::keys::s05_attributes_are_asked_one_by_one", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (kind, label) in [(P256, "ec"), (KeyKind::Rsa2048, "rsa")] {
            bench.put(kind, 0, label, label.as_bytes());
            let attempt = bench.attempt("attr-strict", &format!("token=ci;object={label}"), kind);
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
        }
    });
}

#[test]
fn s06_the_public_half_is_that_of_the_chain_at_hand() {
    with_shim("reported::keys::s06_the_public_half_is_that_of_the_chain_at_hand", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for kind in [P256, KeyKind::P384] {
            bench.put_private(kind, 0, kind.word(), kind.word().as_bytes());
            let attempt = bench.plain(&format!("token=ci;object={}", kind.word()), kind);
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
            // What the first signature does not prove is not believed.
            let strangers = Attempt { chain: Some(bench.chain(kind, 4)), ..attempt };
            for done in [bench.sign(&strangers), bench.plugin(&strangers)] {
                assert!(!done.signed && done.code != Some(0), "{}", done.said);
            }
        }
    });
}

#[test]
fn s09_a_key_of_the_same_name_that_is_not_supported_is_passed_over() {
    const NAME: &str = "reported::keys::s09_a_key_of_the_same_name_that_is_not_supported_is_passed_over";
    with_softhsm(NAME, |hsm| {
        use cryptoki::mechanism::Mechanism::RsaPkcsKeyPairGen;
        use cryptoki::object::Attribute;
        let bench = Bench::new(hsm, Path::new(""));
        let rsa = KeyKind::Rsa2048;
        crate::hsm::mid_run::as_the_user(hsm, bench.token(), |session| {
            let named = [Attribute::Token(true), Attribute::Label(b"release".to_vec())];
            let bits = Attribute::ModulusBits(cryptoki::types::Ulong::new(1024));
            let public = [named.as_slice(), &[bits]].concat();
            session.generate_key_pair(&RsaPkcsKeyPairGen, &public, &named).unwrap();
        });
        let attempt = bench.plain("token=ci;object=release", rsa);
        for done in [bench.sign(&attempt), bench.plugin(&attempt)] {
            done.refuses("1024 bits");
        }
        bench.put(rsa, 0, "release", b"\x02");
        bench.sign(&attempt).signs();
        bench.plugin(&attempt).signs();
    });
}

#[test]
fn s09_of_two_pairs_with_one_id_the_label_picks_one() {
    with_shim("reported::keys::s09_of_two_pairs_with_one_id_the_label_picks_one", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (slot, label) in [(0, "keya"), (3, "keyb")] {
            bench.put(P256, slot, label, &[0x12]);
        }
        bench.put(KeyKind::Rsa2048, 0, "other", &[0x13]);
        for (slot, label) in [(0, "keya"), (3, "keyb")] {
            let chain = Some(bench.chain(P256, slot));
            let attempt = Attempt { chain, ..bench.plain(&format!("token=ci;object={label}"), P256) };
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
            // With a chain there is nothing to guess.
            let by_id = Attempt { path: "token=ci;id=%12".to_owned(), ..attempt };
            bench.sign(&by_id).signs();
            bench.plugin(&by_id).signs();
        }
    });
}

#[test]
fn s13_an_id_written_in_digits_is_answered_with_the_right_spelling() {
    with_shim("reported::keys::s13_an_id_written_in_digits_is_answered_with_the_right_spelling", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        let attempt = bench.plain("token=ci;id=01", P256);
        let done = bench.sign(&attempt);
        done.refuses("id=%01");
        assert_eq!(done.code, Some(2));
        bench.plugin(&attempt).refuses("id=%01");
        bench.sign(&bench.plain("token=ci;id=%01", P256)).signs();
    });
}

#[test]
fn s19_the_label_ties_keys_without_ids() {
    with_shim("reported::keys::s19_the_label_ties_keys_without_ids", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (slot, label) in [(0, "keya"), (3, "keyb")] {
            bench.put(P256, slot, label, b"");
        }
        for (slot, label) in [(0, "keya"), (3, "keyb")] {
            let chain = Some(bench.chain(P256, slot));
            let attempt = Attempt { chain, ..bench.plain(&format!("token=ci;object={label}"), P256) };
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
        }
    });
}

#[test]
fn s20_certificates_are_found_by_the_key_they_are_for() {
    with_shim("reported::keys::s20_certificates_are_found_by_the_key_they_are_for", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[0x31]);
        bench.put_private(P256, 3, "bare", &[0x33]);
        for certificate in bench.certificates(P256, 0).iter().chain(&bench.certificates(P256, 3)[..1]) {
            bench.token().store(certificate).unwrap();
        }
        let attempt = |path| Attempt { chain: None, ..bench.plain(path, P256) };
        bench.plugin(&attempt("token=ci;object=release")).signs();
        // Neither public key nor id: the first signature proves which certificate it is.
        bench.plugin(&attempt("token=ci;object=bare")).signs();
    });
}

#[test]
fn s22_points_in_other_encodings_are_read() {
    with_shim("reported::keys::s22_points_in_other_encodings_are_read", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for kind in [P256, KeyKind::P384, KeyKind::P521] {
            bench.put(kind, 0, kind.word(), kind.word().as_bytes());
            for manners in ["raw-point", "bitstring-point", "compressed-point"] {
                let attempt = bench.attempt(manners, &format!("token=ci;object={}", kind.word()), kind);
                bench.sign(&attempt).signs();
                bench.plugin(&attempt).signs();
            }
        }
    });
}

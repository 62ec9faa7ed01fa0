//! How a token signs.

use muster::forge::KeyKind;

use crate::bench::Bench;
use crate::process::with_shim;

/// The PIN is given again after `C_SignInit`, as the context-specific user, for every signature: YubiKey's PIV slot 9c.
#[test]
fn s01_a_key_that_wants_its_pin_for_every_signature_signs() {
    with_shim("reported::signatures::s01_a_key_that_wants_its_pin_for_every_signature_signs", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P256, 0, "release", &[2]);
        let attempt = bench.attempt("always-auth", "token=ci;object=release", KeyKind::P256);
        bench.sign(&attempt).signs();
        bench.plugin(&attempt).signs();
        let calls = std::fs::read_to_string(bench.log()).unwrap();
        assert_eq!(calls.matches("C_Login user 2, a PIN").count(), 2, "once a signature: {calls}");
    });
}

#[test]
fn s02_a_token_that_hashes_itself_signs() {
    with_shim("reported::signatures::s02_a_token_that_hashes_itself_signs", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (kind, label) in [(KeyKind::P256, "p256"), (KeyKind::P521, "p521"), (KeyKind::Rsa3072, "rsa")] {
            bench.put(kind, 0, label, label.as_bytes());
            for manners in ["hashing-only", "listed-but-refused"] {
                let attempt = bench.attempt(manners, &format!("token=ci;object={label}"), kind);
                bench.sign(&attempt).signs();
                bench.plugin(&attempt).signs();
            }
            let none = bench.attempt("no-mechanism", &format!("token=ci;object={label}"), kind);
            let missing = if kind == KeyKind::Rsa3072 { "CKM_SHA384_RSA_PKCS_PSS" } else { "CKM_ECDSA" };
            bench.sign(&none).refuses(missing);
            bench.plugin(&none).refuses(missing);
        }
    });
}

/// With P-521 every second number is shorter than the curve.
#[test]
fn s24_r_and_s_without_their_zeros_are_padded() {
    with_shim("reported::signatures::s24_r_and_s_without_their_zeros_are_padded", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(KeyKind::P521, 0, "five", &[5]);
        let attempt = bench.attempt("short-rs", "token=ci;object=five", KeyKind::P521);
        for _ in 0..4 {
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
        }
    });
}

//! How tokens are told apart.

use muster::forge::KeyKind::P256;

use crate::bench::Bench;
use crate::hsm::mid_run::second_token;
use crate::process::with_shim;

#[test]
fn s11_texts_that_end_with_nul_are_read_without_it() {
    with_shim("reported::slots::s11_texts_that_end_with_nul_are_read_without_it", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        let attempt = bench.attempt("nul-padded", "token=ci;object=release;model=SoftHSM%20v2", P256);
        bench.sign(&attempt).signs();
        bench.plugin(&attempt).signs();
    });
}

/// As p11tool prints the URI of a TPM.
#[test]
fn s12_nul_at_the_end_of_an_attribute_is_passed_over() {
    with_shim("reported::slots::s12_nul_at_the_end_of_an_attribute_is_passed_over", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        let path = "model=SoftHSM%20v2%00%00%00%00%00%00;token=ci%00;object=release";
        bench.sign(&bench.plain(path, P256)).signs();
        bench.plugin(&bench.plain(path, P256)).signs();
        bench.sign(&bench.attempt("nul-padded", path, P256)).signs();
    });
}

#[test]
fn s14_two_tokens_of_one_label_are_told_apart() {
    with_shim("reported::slots::s14_two_tokens_of_one_label_are_told_apart", |hsm, module| {
        let bench = Bench::new(hsm, module);
        bench.put(P256, 0, "release", &[1]);
        let serial = bench.serial().to_owned();
        // In processes that come later: SoftHSM numbers a slot after the serial number of its token.
        let slot = u32::from_str_radix(&serial[8..], 16).unwrap() & 0x7fff_ffff;
        second_token(hsm, "ci");
        let attempt = bench.attempt("", "token=ci;object=release", P256);
        bench.sign(&attempt).refuses(&serial);
        bench.plugin(&attempt).refuses(&serial);
        bench.sign(&bench.attempt("", &format!("serial={serial};object=release"), P256)).signs();

        // Where the serial number does not tell them apart, the slot does.
        let same = bench.attempt("same-serial", "token=ci;object=release", P256);
        bench.sign(&same).refuses(&format!("slot-id {slot})"));
        bench.plugin(&same).refuses("add slot-id=");
        let picked = bench.attempt("same-serial", &format!("token=ci;slot-id={slot};object=release"), P256);
        bench.sign(&picked).signs();
        bench.plugin(&picked).signs();
    });
}

//! The shim alone changes nothing.

use muster::forge::KeyKind;

use crate::bench::Bench;
use crate::process::with_shim;

#[test]
fn a_shim_without_manners_is_the_real_module() {
    with_shim("manners::unspoiled::a_shim_without_manners_is_the_real_module", |hsm, module| {
        let bench = Bench::new(hsm, module);
        for (kind, label) in [(KeyKind::P384, "ec"), (KeyKind::Rsa2048, "rsa")] {
            bench.put(kind, 0, label, label.as_bytes());
            let attempt = bench.attempt("", &format!("token=ci;object={label}"), kind);
            bench.sign(&attempt).signs();
            bench.plugin(&attempt).signs();
        }
        let calls = std::fs::read_to_string(bench.log()).unwrap();
        assert!(calls.contains("C_Login user 1, a PIN") && !calls.contains(&bench.pin()), "{calls}");
    });
}

/// A test with a misspelt manner would pass for the wrong reason.
#[test]
fn a_manner_that_is_misspelt_ends_the_process() {
    with_shim("manners::unspoiled::a_manner_that_is_misspelt_ends_the_process", |hsm, module| {
        let bench = Bench::new(hsm, module);
        let (mut command, _) = bench.sign_command(&bench.attempt("cannot-lock", "token=ci;object=a", KeyKind::P256));
        let output = command.output().unwrap();
        let said = crate::bench::said(&output);
        assert!(output.status.code().is_none() && said.contains("no manner \"cannot-lock\""), "{said}");
    });
}

#[test]
fn manners_are_told_apart_and_each_says_who_has_it() {
    let manners = crate::shim::manners();
    let names: std::collections::BTreeSet<_> = manners.iter().map(|(name, _)| name).collect();
    assert!(names.len() == manners.len() && names.len() > 30, "{names:?}");
    assert!(manners.iter().all(|(name, seen)| !name.contains(',') && seen.len() > 4), "{manners:?}");
}

//! A process of its own for each test, with a SoftHSM of its own.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use muster::forge::Key;
use muster::forge::softhsm::{SoftHsm, SoftHsmError, SoftToken};
use muster::signer::{Environment, Pkcs11, PrivateKey, SignerError};

use crate::shim;
use crate::skip::skip;

/// Runs `test`, called `name`, in a process with a SoftHSM; what it prints and whether it fails is passed on.
#[track_caller]
pub(crate) fn with_softhsm(name: &str, test: impl FnOnce(&SoftHsm)) {
    with_softhsm_and(name, |_| Vec::new(), test);
}

/// The same with more in the environment of that process.
#[track_caller]
fn with_softhsm_and(
    name: &str,
    more: impl FnOnce(&SoftHsm) -> Vec<(&'static str, PathBuf)>,
    test: impl FnOnce(&SoftHsm),
) {
    if let Some(hsm) = SoftHsm::of_process().unwrap() {
        return test(&hsm);
    }
    let hsm = match SoftHsm::prepare() {
        Ok(hsm) => hsm,
        Err(error @ SoftHsmError::NotInstalled) => return skip(name, &error.to_string()),
        Err(error) => panic!("{error}"),
    };
    let environment = hsm.environment().into_iter().chain(more(&hsm));
    again(name, environment.map(|(name, value)| (name.into(), value.into())).collect());
}

/// Runs the test called `name` again, in a process of its own with this in its environment. What it measures is passed on.
#[track_caller]
pub(crate) fn again(name: &str, environment: Vec<(OsString, OsString)>) {
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture", "--test-threads=1"]).envs(environment);
    child.env_remove(Environment::MODULE).env_remove(Environment::PIN);
    let output = child.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    // A name that selects nothing passes too.
    assert!(printed.contains("1 passed"), "{name} is not the name of the test: {printed}");
    // The first of them stands behind the name of the test.
    let measured = printed.lines().filter_map(|line| line.split_once("| "));
    let measured = measured.filter(|(before, _)| before.is_empty() || before.starts_with("test "));
    measured.for_each(|(_, line)| println!("| {line}"));
}

/// The same with the shim in front of SoftHSM, whose manners the test switches on.
#[track_caller]
pub(crate) fn with_shim(name: &str, test: impl FnOnce(&SoftHsm, &Path)) {
    match shim::module() {
        Ok(module) => with_softhsm(name, |hsm| test(hsm, &module)),
        Err(why) => skip(name, &why),
    }
}

/// The same where the test itself loads the shim, with these manners. The PIN that the shim knows is the one that the test writes
/// to [`shim_pin`].
#[track_caller]
pub(crate) fn in_shim(name: &str, manners: &'static str, test: impl FnOnce(&SoftHsm, &Path)) {
    let module = match shim::module() {
        Ok(module) => module,
        Err(why) => return skip(name, &why),
    };
    let environment = |hsm: &SoftHsm| {
        let manners = PathBuf::from(manners);
        // A library of its own, which this test does not start beside the shim to make the token.
        let real = hsm.folder().join("real.so");
        std::fs::copy(hsm.module(), &real).unwrap();
        let calls = hsm.folder().join("calls");
        vec![(shim::REAL, real), (shim::MANNERS, manners), (shim::PIN_FILE, shim_pin(hsm)), (shim::LOG, calls)]
    };
    with_softhsm_and(name, environment, |hsm| test(hsm, &module));
}

/// See [`in_shim`].
pub(crate) fn shim_pin(hsm: &SoftHsm) -> PathBuf {
    hsm.folder().join("shim-pin")
}

/// Opens the key that `uri` names.
pub(crate) fn open(uri: &str) -> Result<Pkcs11, SignerError> {
    Pkcs11::open(&uri.parse()?, &Environment::default())
}

/// The key that `uri` names, to seal envelopes with.
pub(crate) fn held(uri: &str) -> Key {
    Key::held_by(Arc::new(open(uri).unwrap()) as Arc<dyn PrivateKey>)
}

/// The part of a URI that says where module and PIN are.
pub(crate) fn query(hsm: &SoftHsm, token: &SoftToken) -> String {
    format!("module-path={}&pin-source=file:{}", hsm.module().display(), token.pin_file().display())
}

//! A process of its own for each test, with a SoftHSM of its own.

use std::env;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use muster::forge::Key;
use muster::forge::softhsm::{SoftHsm, SoftHsmError, SoftToken};
use muster::signer::{Environment, Pkcs11, PrivateKey, SignerError};

use crate::skip::skip;

/// Runs `test`, called `name`, in a process with a SoftHSM; what it prints and whether it fails is passed on.
#[track_caller]
pub(crate) fn with_softhsm(name: &str, test: impl FnOnce(&SoftHsm)) {
    if let Some(hsm) = SoftHsm::of_process().unwrap() {
        return test(&hsm);
    }
    let hsm = match SoftHsm::prepare() {
        Ok(hsm) => hsm,
        Err(error @ SoftHsmError::NotInstalled) => return skip(name, &error.to_string()),
        Err(error) => panic!("{error}"),
    };
    let mut child = Command::new(env::current_exe().unwrap());
    child.args([name, "--exact", "--nocapture", "--test-threads=1"]).envs(hsm.environment());
    child.env_remove(Environment::MODULE).env_remove(Environment::PIN);
    let output = child.output().unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{printed}\n{}", String::from_utf8_lossy(&output.stderr));
    // A name that selects nothing passes too.
    assert!(printed.contains("1 passed"), "{name} is not the name of the test: {printed}");
}

/// The same with the shim in front of SoftHSM, whose manners the test switches on.
#[track_caller]
pub(crate) fn with_shim(name: &str, test: impl FnOnce(&SoftHsm, &Path)) {
    match crate::shim::module() {
        Ok(module) => with_softhsm(name, |hsm| test(hsm, &module)),
        Err(why) => skip(name, &why),
    }
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

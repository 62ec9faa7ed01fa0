//! A token that goes away while it is in use.

use std::fs;
use std::thread;

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11 as Module};
use cryptoki::error::{Error, RvError};
use cryptoki::object::{Attribute, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use muster::forge::softhsm::{SoftHsm, SoftToken};
use muster::forge::{ForgeError, KeyKind, LeafRequest};
use muster::signer::{PrivateKey as _, SignerError};

use crate::process::{held, open, with_softhsm};
use crate::world::{LEAF, issuing, statement};

/// The module, as somebody else in the process uses it.
fn module(hsm: &SoftHsm) -> Module {
    let module = Module::new(hsm.module()).unwrap();
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => module,
        Err(error) => panic!("{error}"),
    }
}

fn slot(module: &Module, fits: impl Fn(&str, bool) -> bool) -> Slot {
    let slots = module.get_slots_with_token().unwrap();
    let fits =
        |slot: &Slot| module.get_token_info(*slot).is_ok_and(|info| fits(info.label(), info.token_initialized()));
    slots.into_iter().find(fits).unwrap()
}

/// Makes another token called `label`, with which nothing can be done.
pub(crate) fn second_token(hsm: &SoftHsm, label: &str) {
    let module = module(hsm);
    module.init_token(slot(&module, |_, initialized| !initialized), &AuthPin::from("12345678"), label).unwrap();
}

/// The serial number of `token`.
pub(crate) fn serial(hsm: &SoftHsm, token: &SoftToken) -> String {
    let module = module(hsm);
    let slot = slot(&module, |label, _| label == token.label());
    module.get_token_info(slot).unwrap().serial_number().to_owned()
}

/// Does `work` in a session of its own, logged in.
pub(crate) fn as_the_user(hsm: &SoftHsm, token: &SoftToken, work: impl FnOnce(&Session)) {
    let module = module(hsm);
    let session = module.open_rw_session(slot(&module, |label, _| label == token.label())).unwrap();
    let pin = AuthPin::from(fs::read_to_string(token.pin_file()).unwrap());
    match session.login(UserType::User, Some(&pin)) {
        Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => work(&session),
        Err(error) => panic!("{error}"),
    }
}

#[track_caller]
fn gone(result: Result<Vec<u8>, SignerError>) {
    match result {
        Err(SignerError::TokenGone { token, answer }) => {
            assert!(token.starts_with('"') && answer.starts_with("C_"), "{token} {answer}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_module_that_is_shut_down() {
    with_softhsm("hsm::mid_run::a_module_that_is_shut_down", |hsm| {
        let token = hsm.token("shut down").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        let signer = open(&uri).unwrap();
        signer.sign(b"message").unwrap();
        let certified = issuing().issue(LeafRequest::new(LEAF, held(&uri)).unwrap()).unwrap();
        let sealed = statement().jws(&certified).unwrap();
        sealed.seal().unwrap();
        module(hsm).finalize().unwrap();
        gone(signer.sign(b"message"));
        gone(signer.sign(b"message"));
        assert!(matches!(sealed.seal(), Err(ForgeError::Signer(SignerError::TokenGone { .. }))));
    });
}

#[test]
fn a_login_that_ends() {
    with_softhsm("hsm::mid_run::a_login_that_ends", |hsm| {
        let token = hsm.token("logged out").unwrap();
        let signer = open(&token.generate(KeyKind::P256, "key").unwrap()).unwrap();
        signer.sign(b"message").unwrap();
        as_the_user(hsm, &token, |session| session.logout().unwrap());
        gone(signer.sign(b"message"));
    });
}

#[test]
fn a_key_that_is_deleted() {
    with_softhsm("hsm::mid_run::a_key_that_is_deleted", |hsm| {
        let token = hsm.token("deleted").unwrap();
        let signer = open(&token.generate(KeyKind::Rsa2048, "key").unwrap()).unwrap();
        signer.sign(b"message").unwrap();
        as_the_user(hsm, &token, |session| {
            let keys = session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY)]).unwrap();
            session.destroy_object(keys[0]).unwrap();
        });
        gone(signer.sign(b"message"));
    });
}

#[test]
fn threads_that_sign_all_end() {
    with_softhsm("hsm::mid_run::threads_that_sign_all_end", |hsm| {
        let token = hsm.token("pulled").unwrap();
        let signer = open(&token.generate(KeyKind::P256, "key").unwrap()).unwrap();
        let started = std::sync::Barrier::new(33);
        thread::scope(|scope| {
            for _ in 0..32 {
                scope.spawn(|| {
                    signer.sign(b"message").unwrap();
                    started.wait();
                    let error = loop {
                        match signer.sign(b"message") {
                            Ok(signature) => assert_eq!(signature.len(), 64),
                            Err(error) => break error,
                        }
                    };
                    gone(Err(error));
                    gone(signer.sign(b"message"));
                });
            }
            started.wait();
            as_the_user(hsm, &token, |session| session.logout().unwrap());
        });
    });
}

#[test]
fn a_token_whose_files_are_deleted() {
    with_softhsm("hsm::mid_run::a_token_whose_files_are_deleted", |hsm| {
        let token = hsm.token("no files").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        let signer = open(&uri).unwrap();
        signer.sign(b"message").unwrap();
        fs::remove_dir_all(hsm.folder().join("tokens")).unwrap();
        gone(signer.sign(b"message"));
    });
}

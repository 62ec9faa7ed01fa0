//! What goes wrong before anything is signed: each told apart, with the way to mend it, and without the PIN.

use std::fs;

use muster::forge::KeyKind;
use muster::forge::softhsm::SoftHsm;
use muster::signer::{Environment, Pkcs11, SignerError};

use crate::process::{open, query, with_softhsm};
use crate::world;

#[track_caller]
fn check(result: Result<Pkcs11, SignerError>, expected: fn(&SignerError) -> bool, words: &str) {
    let error = result.expect_err(words);
    let message = error.to_string();
    assert!(expected(&error), "{error:?}");
    assert!(message.contains(words), "{message}");
    assert!(!message.contains(char::is_control) && !message.ends_with('.'), "{message:?}");
}

#[test]
fn a_wrong_pin_is_said_to_be_wrong() {
    with_softhsm("hsm::errors::a_wrong_pin_is_said_to_be_wrong", |hsm| {
        let token = hsm.token("pin").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        let right = fs::read_to_string(token.pin_file()).unwrap();
        for wrong in ["hunter2secret", &format!("{right}9"), "1"] {
            fs::write(token.pin_file(), wrong).unwrap();
            let error = open(&uri).unwrap_err();
            assert!(matches!(&error, SignerError::PinWrong { .. }), "{error:?}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
            assert!(!format!("{error} {error:?}").contains(&right), "{error}");
            assert!(error.to_string().contains(&token.pin_file().display().to_string()), "{error}");
        }
        let bare: String = uri.split("&pin-source").next().unwrap().to_owned();
        let environment = Environment::default().with_pin("hunter2");
        let error = Pkcs11::open(&bare.parse().unwrap(), &environment).unwrap_err();
        assert!(error.to_string().contains("correct it in MUSTER_PKCS11_PIN"), "{error}");
        assert!(!format!("{environment:?} {error}").contains("hunter2"));
        check(open(&bare), |error| matches!(error, SignerError::PinMissing(_)), "pin-source=file:");

        fs::remove_file(token.pin_file()).unwrap();
        check(open(&uri), |error| matches!(error, SignerError::PinFile { .. }), "does not exist");
        fs::write(token.pin_file(), format!("{right}\n")).unwrap();
        open(&uri).unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_pin_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt as _;
    with_softhsm("hsm::errors::a_pin_that_others_may_read_is_warned_of", |hsm| {
        let token = hsm.token("open").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        assert!(open(&uri).unwrap().warnings().is_empty());
        fs::set_permissions(token.pin_file(), fs::Permissions::from_mode(0o644)).unwrap();
        let signer = open(&uri).unwrap();
        assert!(
            matches!(signer.warnings(), [warning] if warning.contains("PIN file") && warning.contains("chmod 600"))
        );
    });
}

#[test]
fn a_missing_module_is_told_from_one_that_cannot_be_used() {
    with_softhsm("hsm::errors::a_missing_module_is_told_from_one_that_cannot_be_used", |hsm| {
        let token = hsm.token("module").unwrap();
        token.generate(KeyKind::P256, "key").unwrap();
        let with = |module: &str| open(&format!("pkcs11:token=module;object=key?module-path={module}"));
        let unusable = |error: &SignerError| matches!(error, SignerError::ModuleUnusable { .. });
        check(
            open("pkcs11:token=module;object=key"),
            |error| *error == SignerError::ModuleNotNamed,
            "MUSTER_PKCS11_MODULE",
        );
        check(with("/nowhere/at/all.so"), |error| matches!(error, SignerError::ModuleMissing(_)), "does not exist");
        check(with("/tmp"), unusable, "is not a file");
        let text = hsm.folder().join("text.so");
        fs::write(&text, "no library").unwrap();
        check(with(text.to_str().unwrap()), unusable, "cannot be loaded");
        #[cfg(target_os = "linux")]
        check(with(&other_library()), unusable, "no PKCS #11 module");
        let environment = Environment::default().with_module("libsofthsm2.so");
        let uri = "pkcs11:token=module;object=key".parse().unwrap();
        check(Pkcs11::open(&uri, &environment), unusable, "absolute path");
        let described = format!("pkcs11:token=module;object=key;library-version=9.1?{}", query(hsm, &token));
        check(open(&described), unusable, "is another than the URI describes");
    });
}

/// A shared library that this process has loaded already and that is no module.
#[cfg(target_os = "linux")]
fn other_library() -> String {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let libc = maps.lines().filter_map(|line| line.split_whitespace().nth(5)).find(|path| path.contains("libc.so"));
    libc.unwrap().to_owned()
}

#[test]
fn a_token_is_the_one_that_is_described() {
    with_softhsm("hsm::errors::a_token_is_the_one_that_is_described", |hsm| {
        let token = hsm.token("described").unwrap();
        token.generate(KeyKind::P256, "key").unwrap();
        hsm.token("neighbour").unwrap();
        let query = query(hsm, &token);
        let missing = |error: &SignerError| matches!(error, SignerError::TokenNotFound { .. });
        for path in [
            "token=nowhere",
            "token=Described",
            "serial=0000",
            "token=described;model=other",
            "token=described;manufacturer=other",
            "token=described;slot-id=987654321",
            "token=described;slot-description=other",
            "token=described;slot-manufacturer=other",
        ] {
            check(open(&format!("pkcs11:{path};object=key?{query}")), missing, "correct the URI");
        }
        let error = open(&format!("pkcs11:token=nowhere;object=key?{query}")).unwrap_err().to_string();
        let shown = ["\"described\" (serial number \"", "\"neighbour\" (serial number \"", "slot-id "];
        assert!(shown.iter().all(|words| error.contains(words)), "{error}");
    });
}

#[test]
fn tokens_of_the_same_label_are_not_guessed_between() {
    with_softhsm("hsm::errors::tokens_of_the_same_label_are_not_guessed_between", |hsm| {
        let token = hsm.token("twin").unwrap();
        token.generate(KeyKind::P256, "key").unwrap();
        super::mid_run::second_token(hsm, "twin");
        let uri = format!("pkcs11:token=twin;object=key?{}", query(hsm, &token));
        check(open(&uri), |error| matches!(error, SignerError::SeveralTokens { count: 2, .. }), "add serial=");
        assert!(hsm.token("twin").is_err(), "a third one of that label");
    });
}

#[test]
fn a_key_is_the_one_that_is_described() {
    with_softhsm("hsm::errors::a_key_is_the_one_that_is_described", |hsm| {
        let token = hsm.token("keys").unwrap();
        let query = query(hsm, &token);
        let with = |key: &str| open(&format!("pkcs11:token=keys;{key}?{query}"));
        let missing = |error: &SignerError| matches!(error, SignerError::KeyNotFound { .. });
        check(with("object=absent"), missing, "it shows none at all");
        token.generate(KeyKind::P256, "twice").unwrap();
        let second = token.generate(KeyKind::P256, "twice").unwrap();
        check(with("object=absent"), missing, "it has \"twice\" (id ");
        check(with("id=%ff"), missing, "with the id ff");
        check(with("object=twice;id=%ff"), missing, "with the label \"twice\" and the id ff");
        check(with("object=twice"), |error| matches!(error, SignerError::SeveralKeys { count: 2, .. }), "by its id=");
        open(&second).unwrap();
    });
}

#[test]
fn a_key_that_signs_no_envelopes_is_refused() {
    with_softhsm("hsm::errors::a_key_that_signs_no_envelopes_is_refused", |hsm| {
        use cryptoki::mechanism::Mechanism;
        use cryptoki::object::Attribute;
        let token = hsm.token("unsupported").unwrap();
        super::mid_run::as_the_user(hsm, &token, |session| {
            let named =
                |label: &str| vec![Attribute::Token(true), Attribute::Label(label.into()), Attribute::Id(label.into())];
            let make = |mechanism: Mechanism, label: &str, public: Attribute, sign: bool| {
                let private = [named(label), vec![Attribute::Sign(sign), Attribute::Private(true)]].concat();
                session.generate_key_pair(&mechanism, &[named(label), vec![public]].concat(), &private).unwrap();
            };
            make(
                Mechanism::RsaPkcsKeyPairGen,
                "small",
                Attribute::ModulusBits(cryptoki::types::Ulong::new(1024)),
                true,
            );
            // The OID of secp256k1.
            let curve = Attribute::EcParams(vec![6, 5, 0x2b, 0x81, 4, 0, 0x0a]);
            make(Mechanism::EccKeyPairGen, "bitcoin", curve, true);
            let curve = Attribute::EcParams(vec![6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7]);
            make(Mechanism::EccKeyPairGen, "agreement", curve, false);
        });
        let query = query(hsm, &token);
        for (label, words) in [("small", "1024 bits"), ("bitcoin", "curve 1.3.132.0.10"), ("agreement", "CKA_SIGN")] {
            let uri = format!("pkcs11:token=unsupported;object={label}?{query}");
            check(open(&uri), |error| matches!(error, SignerError::KeyUnsupported { .. }), words);
        }
    });
}

#[test]
fn a_public_key_of_another_is_noticed() {
    with_softhsm("hsm::errors::a_public_key_of_another_is_noticed", |hsm| {
        use cryptoki::object::{Attribute, AttributeType, ObjectClass};
        use muster::signer::PrivateKey as _;
        let token = hsm.token("swapped").unwrap();
        let uri = token.import(&world::key(KeyKind::P256, 0), "key").unwrap();
        token.import(&world::key(KeyKind::P256, 1), "other").unwrap();
        super::mid_run::as_the_user(hsm, &token, |session| {
            let public = |label: &str| {
                let template = [Attribute::Class(ObjectClass::PUBLIC_KEY), Attribute::Label(label.into())];
                session.find_objects(&template).unwrap()[0]
            };
            let id = session.get_attributes(public("key"), &[AttributeType::Id]).unwrap();
            session.update_attributes(public("other"), &id).unwrap();
            // The one with the label of the key, too.
            open(&uri).unwrap().sign(b"message").unwrap();
            session.destroy_object(public("key")).unwrap();
        });
        let signer = open(&uri).unwrap();
        let error = signer.sign(b"message").unwrap_err();
        assert!(matches!(error, SignerError::SignatureInvalid(_)), "{error}");
    });
}

#[test]
fn nobodys_own_tokens_are_touched() {
    with_softhsm("hsm::errors::nobodys_own_tokens_are_touched", |hsm| {
        let other = SoftHsm::prepare().unwrap();
        assert!(other.token("x").is_err(), "a folder that SoftHSM does not use in this process");
        let kept = other.folder().to_owned();
        drop(other);
        assert!(!kept.exists() && hsm.folder().exists());
    });
}

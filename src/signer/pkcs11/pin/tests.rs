use std::fs;

use cryptoki::context::Function;

use super::super::token_information::token;
use super::*;

#[test]
fn a_pin_is_the_only_line_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("pin");
    let read = |path: &Path| super::read(path, &mut Vec::new());
    for sound in ["1234", "1234\n", "1234\r\n", " 12\u{fc}  ", "\n", "\r\n"] {
        fs::write(&path, sound).unwrap();
        assert!(read(&path).is_ok(), "{sound:?}");
    }
    for (wrong, words) in [
        ("", "one empty line"),
        ("\n\n", "more than one line"),
        ("a\nhunter2\n", "more than one line"),
        ("a\0hunter2", "more than one line"),
    ] {
        fs::write(&path, wrong).unwrap();
        let error = read(&path).unwrap_err().to_string();
        assert!(error.contains(words) && !error.contains("hunter2"), "{wrong:?}: {error}");
    }
    fs::write(&path, [0xff, 0xfe]).unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("is not text"));
    fs::write(&path, vec![b'1'; 2000]).unwrap();
    assert!(read(&path).unwrap_err().to_string().contains("longer than the 1024 bytes"));
    let absent = read(&folder.path().join("absent")).unwrap_err();
    assert!(matches!(&absent, SignerError::PinFile { reason, .. } if reason == "does not exist"), "{absent}");
    assert!(read(folder.path()).unwrap_err().to_string().contains("a directory"));
}

#[test]
fn every_refused_login_names_a_way() {
    let login = Login {
        pin: Some(AuthPin::from("hunter2")),
        pad: false,
        source_of_pin: "MUSTER_PKCS11_PIN".to_owned(),
        token: "\"ci\"".to_owned(),
        refused: Mutex::default(),
    };
    for (code, words) in [
        (RvError::PinIncorrect, "correct it in MUSTER_PKCS11_PIN"),
        (RvError::PinLenRange, "correct it in MUSTER_PKCS11_PIN"),
        (RvError::PinLocked, "have the token's officer unlock it"),
        (RvError::PinExpired, "set a new one"),
        (RvError::UserPinNotInitialized, "was never set"),
        (RvError::UserAnotherAlreadyLoggedIn, "CKR_USER_ANOTHER_ALREADY_LOGGED_IN): another user"),
        (RvError::UserTooManyTypes, "CKR_USER_TOO_MANY_TYPES): it takes no further user"),
        (RvError::FunctionCanceled, "run again, and enter it"),
        (RvError::GeneralError, "with the vendor's tools"),
        (RvError::DeviceRemoved, "see to it, and run again"),
    ] {
        let refusal = login.refusal(&Error::Pkcs11(code, Function::Login), None).to_string();
        assert!(refusal.contains(words) && refusal.contains("\"ci\""), "{code:?}: {refusal}");
        assert!(!format!("{refusal} {login:?}").contains("hunter2"), "{refusal}");
    }
}

#[test]
fn a_wrong_pin_tells_how_many_tries_are_left() {
    let (source_of_pin, token_name) = (String::new(), String::new());
    let login = Login { pin: None, pad: true, source_of_pin, token: token_name, refused: Mutex::default() };
    let wrong = Error::Pkcs11(RvError::PinIncorrect, Function::Login);
    for (state, words) in [
        (PinState::Locked, "that was the last try"),
        (PinState::LastTry, "one try is left"),
        (PinState::FewTriesLeft, "few tries are left"),
    ] {
        let mut after = token("ci", "1", 1);
        after.pin = state;
        let said = login.refusal(&wrong, Some(&after)).to_string();
        assert!(said.contains(words), "{said}");
    }
}

//! What signers do: in parallel, and by every way of naming a key.

use std::thread;

use muster::forge::KeyKind;
use muster::pki::PublicKey;
use muster::signer::{Environment, Pkcs11, PrivateKey};

use crate::process::{open, query, with_softhsm};
use crate::world;

/// Checks a signature without the signer.
fn verifies(signer: &dyn PrivateKey, message: &[u8], signature: &[u8]) -> bool {
    PublicKey::new(signer.verifying_key().subject_key()).unwrap().verify(message, signature).is_ok()
}

#[test]
fn eight_threads_sign_at_once() {
    with_softhsm("hsm::sign::eight_threads_sign_at_once", |hsm| {
        let token = hsm.token("parallel").unwrap();
        for kind in [KeyKind::P256, KeyKind::Rsa2048] {
            let signer = open(&token.import(&world::key(kind, 0), kind.word()).unwrap()).unwrap();
            thread::scope(|scope| {
                for number in 0..8 {
                    let signer = &signer;
                    scope.spawn(move || {
                        for round in 0..25 {
                            let message = format!("{number} {round}");
                            let signature = signer.sign(message.as_bytes()).unwrap();
                            assert!(verifies(signer, message.as_bytes(), &signature), "{message}");
                            assert!(!verifies(signer, b"another", &signature));
                        }
                    });
                }
            });
        }
    });
}

#[test]
fn more_threads_than_sessions_take_turns() {
    with_softhsm("hsm::sign::more_threads_than_sessions_take_turns", |hsm| {
        let token = hsm.token("turns").unwrap();
        let signer = open(&token.generate(KeyKind::P256, "key").unwrap()).unwrap();
        let threads = 3 * muster::limits::TOKEN_SESSIONS;
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..5).for_each(|_| assert!(signer.sign(b"message").is_ok())));
            }
        });
    });
}

#[test]
fn a_key_is_named_in_many_ways() {
    with_softhsm("hsm::sign::a_key_is_named_in_many_ways", |hsm| {
        let token = hsm.token("many ways").unwrap();
        let full = token.generate(KeyKind::P256, "a key").unwrap();
        token.generate(KeyKind::P256, "another key").unwrap();
        let expected = open(&full).unwrap().verifying_key().spki().to_vec();
        let id = full.split("id=").nth(1).unwrap().split('?').next().unwrap();
        let query = query(hsm, &token);
        for path in [
            "token=many%20ways;object=a%20key".to_owned(),
            format!("token=many%20ways;id={id}"),
            format!("token=many%20ways;id={id};object=a%20key;type=private"),
            "token=many%20ways;object=a%20key;manufacturer=SoftHSM%20project;model=SoftHSM%20v2".to_owned(),
            "token=many%20ways;object=a%20key;library-manufacturer=SoftHSM;library-version=2.6".to_owned(),
        ] {
            let signer = open(&format!("pkcs11:{path}?{query}")).unwrap_or_else(|error| panic!("{path}: {error}"));
            assert_eq!(signer.verifying_key().spki(), expected, "{path}");
        }

        let uri = "pkcs11:token=many%20ways;object=a%20key".parse().unwrap();
        let pin = std::fs::read_to_string(token.pin_file()).unwrap();
        let environment = Environment::default().with_module(hsm.module()).with_pin(pin);
        assert_eq!(Pkcs11::open(&uri, &environment).unwrap().verifying_key().spki(), expected);
    });
}

#[test]
fn a_certificate_stands_in_for_the_public_key() {
    with_softhsm("hsm::sign::a_certificate_stands_in_for_the_public_key", |hsm| {
        use cryptoki::object::{Attribute, CertificateType, ObjectClass};
        let token = hsm.token("certificate").unwrap();
        let uri = token.import(&world::key(KeyKind::P384, 0), "key").unwrap();
        let certificate = world::signer(KeyKind::P384).chain.remove(0);
        super::mid_run::as_the_user(hsm, &token, |session| {
            let public = session.find_objects(&[Attribute::Class(ObjectClass::PUBLIC_KEY)]).unwrap();
            let id = session.get_attributes(public[0], &[cryptoki::object::AttributeType::Id]).unwrap();
            session.destroy_object(public[0]).unwrap();
            let refusal = open(&uri).unwrap_err().to_string();
            assert!(refusal.contains("neither a public key nor a certificate with the id"), "{refusal}");
            let template = [
                Attribute::Class(ObjectClass::CERTIFICATE),
                Attribute::CertificateType(CertificateType::X_509),
                Attribute::Token(true),
                Attribute::Subject(vec![0x30, 0]),
                Attribute::Value(certificate.clone()),
            ];
            session.create_object(&[template.as_slice(), &id].concat()).unwrap();
        });
        let signer = open(&uri).unwrap();
        assert_eq!(signer.verifying_key().spki(), world::key(KeyKind::P384, 0).public_key());
        assert!(verifies(&signer, b"message", &signer.sign(b"message").unwrap()));
    });
}

//! Every kind of key signs envelopes of both formats that verify.

use std::fs;
use std::sync::Arc;

use muster::forge::{self, ForgeError, KeyKind, LeafRequest, Salt, SignatureForm};
use muster::signer::{self, CertificateChainFile, Environment, PrivateKey as _, SignerError};

use crate::process::{held, open, with_softhsm};
use crate::world::{self, COSE, JWS, LEAF, accepted, envelopes, issuing, refused, statement};

fn certified(uri: &str) -> forge::Signer {
    issuing().issue(LeafRequest::new(LEAF, held(uri)).unwrap()).unwrap()
}

#[test]
fn all_six_algorithms_sign_in_both_formats() {
    with_softhsm("hsm::envelopes::all_six_algorithms_sign_in_both_formats", |hsm| {
        let token = hsm.token("six").unwrap();
        for kind in KeyKind::ALL {
            // Taken in, since making RSA keys is slow; the token makes its own in the next test.
            let uri = token.import(&world::key(kind, 0), kind.word()).unwrap();
            let signer = certified(&uri);
            assert_eq!(signer.key.kind(), kind);
            assert_eq!(signer.key.public_key(), world::key(kind, 0).public_key());
            for (media_type, bytes) in envelopes(&signer) {
                let envelope = accepted(media_type, &bytes, kind.word());
                assert_eq!(envelope.chain.leaf().subject_key(), open(&uri).unwrap().verifying_key().subject_key());
            }
        }
    });
}

#[test]
fn the_token_makes_keys_of_its_own() {
    with_softhsm("hsm::envelopes::the_token_makes_keys_of_its_own", |hsm| {
        let token = hsm.token("own").unwrap();
        for kind in [KeyKind::Rsa2048, KeyKind::P256, KeyKind::P384, KeyKind::P521] {
            let signer = certified(&token.generate(kind, kind.word()).unwrap());
            assert_eq!(signer.key.kind(), kind);
            world::signer_accepted(&signer, kind.word());
        }
    });
}

#[test]
fn drafts_with_a_token_still_depart_from_what_is_sound() {
    with_softhsm("hsm::envelopes::drafts_with_a_token_still_depart_from_what_is_sound", |hsm| {
        let token = hsm.token("departing").unwrap();
        let ec = certified(&token.generate(KeyKind::P256, "ec").unwrap());
        let rsa = certified(&token.import(&world::key(KeyKind::Rsa2048, 0), "rsa").unwrap());
        for signer in [&ec, &rsa] {
            for form in [
                SignatureForm::Changed(|mut signature| {
                    signature[9] ^= 1;
                    signature
                }),
                SignatureForm::By(world::key(signer.key.kind(), 9)),
                SignatureForm::Bytes(vec![0; 64]),
            ] {
                let mut jws = statement().jws(signer).unwrap();
                jws.signature = form.clone();
                refused(JWS, &jws.seal().unwrap(), muster::failure::Code::SignatureInvalid, "JWS");
                let mut cose = statement().cose(signer).unwrap();
                cose.signature = form;
                refused(COSE, &cose.seal().unwrap(), muster::failure::Code::SignatureInvalid, "COSE");
            }
        }
        let mut jws = statement().jws(&rsa).unwrap();
        for form in [SignatureForm::Salted(Salt::Empty), SignatureForm::OfCertificates] {
            jws.signature = form;
            assert_eq!(jws.seal(), Err(ForgeError::HeldElsewhere("rsa-2048")));
        }
        let mut jws = statement().jws(&ec).unwrap();
        jws.signature = SignatureForm::OfCertificates;
        refused(JWS, &jws.seal().unwrap(), muster::failure::Code::SignatureInvalid, "ASN.1");
    });
}

#[test]
fn an_authority_may_have_its_key_in_a_token() {
    with_softhsm("hsm::envelopes::an_authority_may_have_its_key_in_a_token", |hsm| {
        let token = hsm.token("authority").unwrap();
        let key = held(&token.generate(KeyKind::P384, "root").unwrap());
        let root = forge::Authority::root(world::ROOT, key).unwrap();
        world::signer_accepted(&root.issue(world::request(KeyKind::P256)).unwrap(), "certified by a token");
        let key = held(&token.import(&world::key(KeyKind::Rsa2048, 0), "rsa root").unwrap());
        let refusal = forge::Authority::root(world::ROOT, key).unwrap_err();
        assert_eq!(refusal, ForgeError::HeldElsewhere("rsa-2048"));
    });
}

#[test]
fn a_uri_and_a_chain_file_are_all_it_takes() {
    with_softhsm("hsm::envelopes::a_uri_and_a_chain_file_are_all_it_takes", |hsm| {
        let token = hsm.token("command line").unwrap();
        let uri = token.generate(KeyKind::P256, "release key").unwrap();
        let path = hsm.folder().join("chain.pem");
        let write = |chain: &[Vec<u8>]| fs::write(&path, world::pem(chain)).unwrap();
        let signer = certified(&uri);
        write(&signer.chain);

        let opened = signer::open(&uri, &Environment::default()).unwrap();
        assert!(opened.warnings.is_empty());
        let chain = CertificateChainFile::load(&path).unwrap();
        world::signer_accepted(&forge::Signer::holding(opened.signer.clone(), &chain).unwrap(), "from files");

        let other = signer::open(&token.generate(KeyKind::P256, "other").unwrap(), &Environment::default()).unwrap();
        let refusal = forge::Signer::holding(other.signer, &chain).unwrap_err();
        assert!(matches!(&refusal, ForgeError::Signer(SignerError::Chain { .. })), "{refusal}");
        assert!(refusal.to_string().contains("no certificate for the key that signs"), "{refusal}");

        let mut reversed = signer.chain.clone();
        reversed.reverse();
        write(&reversed);
        let chain = CertificateChainFile::load(&path).unwrap();
        let refusal = forge::Signer::holding(Arc::clone(&opened.signer), &chain).unwrap_err();
        assert!(refusal.to_string().contains("in the place 3: put it first"), "{refusal}");
    });
}

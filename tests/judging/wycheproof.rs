//! Project Wycheproof's vectors against the verification that the product uses: [`PublicKey::verify`] for envelopes,
//! [`SignatureAlgorithm::verify`] for certificates.
//!
//! A vector is expected to verify when Wycheproof calls it valid, and only then. What it calls *acceptable* is refused
//! like what is invalid; in these sets that is one form alone, PKCS#1 v1.5 without the NULL beside the hash.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "tests")]

use muster::digest::Algorithm as Hash;
use muster::pki::{KeyKind, PublicKey, SignatureAlgorithm, SubjectKey};
use wycheproof::{HashFunction, TestResult, ecdsa, rsa_pkcs1_verify, rsa_pss_verify};

/// How many vectors of a set verify and how many do not.
#[derive(Default)]
struct Count {
    valid: usize,
    invalid: usize,
    acceptable: usize,
}

impl Count {
    /// Compares one verdict with Wycheproof's.
    fn add(&mut self, set: &str, number: usize, comment: &str, expected: TestResult, verified: bool) {
        assert_eq!(verified, expected == TestResult::Valid, "{set} {number} ({comment})");
        match expected {
            TestResult::Valid => self.valid += 1,
            TestResult::Invalid => self.invalid += 1,
            TestResult::Acceptable => {
                assert!(comment.contains("Missing NULL"), "{set} {number} ({comment}) is neither valid nor invalid");
                self.acceptable += 1;
            }
        }
    }

    fn report(&self, set: &str) {
        let Count { valid, invalid, acceptable } = self;
        println!("{set}: {valid} valid, {invalid} invalid, {acceptable} acceptable and refused");
        assert!(self.valid > 0 && self.invalid > 0, "{set} tests nothing");
    }
}

fn hash(function: HashFunction) -> Hash {
    match function {
        HashFunction::Sha2_256 => Hash::Sha256,
        HashFunction::Sha2_384 => Hash::Sha384,
        HashFunction::Sha2_512 => Hash::Sha512,
        other => panic!("{other:?} is not used"),
    }
}

#[test]
fn ecdsa_of_envelopes() {
    for (set, kind) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, KeyKind::P256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, KeyKind::P384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, KeyKind::P521),
    ] {
        let mut count = Count::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let key = PublicKey::new(&SubjectKey::from_spki(&group.der).unwrap()).unwrap();
            assert_eq!((key.kind(), kind.hash()), (kind, hash(group.hash)));
            for test in group.tests {
                let verified = key.verify(&test.msg, &test.sig).is_ok();
                count.add(&format!("{set:?}"), test.tc_id, &test.comment, test.result, verified);
            }
        }
        count.report(&format!("{set:?}"));
    }
}

#[test]
fn ecdsa_of_certificates() {
    for set in [
        ecdsa::TestName::EcdsaSecp256r1Sha256,
        ecdsa::TestName::EcdsaSecp256r1Sha512,
        ecdsa::TestName::EcdsaSecp384r1Sha256,
        ecdsa::TestName::EcdsaSecp384r1Sha384,
        ecdsa::TestName::EcdsaSecp384r1Sha512,
        ecdsa::TestName::EcdsaSecp521r1Sha512,
    ] {
        let mut count = Count::default();
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let key = SubjectKey::from_spki(&group.der).unwrap();
            let algorithm = SignatureAlgorithm::Ecdsa(hash(group.hash));
            for test in group.tests {
                let verified = algorithm.verify(&key, &test.msg, &test.sig).is_ok();
                count.add(&format!("{set:?}"), test.tc_id, &test.comment, test.result, verified);
            }
        }
        count.report(&format!("{set:?}"));
    }
}

/// Where the set has the hash of the key, the envelope's verification must agree.
#[test]
fn rsa_pss_with_a_salt_as_long_as_the_hash() {
    use rsa_pss_verify::TestName;
    let mut by_envelopes = 0;
    for set in [
        TestName::RsaPss2048Sha256Mgf1SaltLen32,
        TestName::RsaPss2048Sha384Mgf1SaltLen48,
        TestName::RsaPss3072Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha256Mgf1SaltLen32,
        TestName::RsaPss4096Sha384Mgf1SaltLen48,
        TestName::RsaPss4096Sha512Mgf1SaltLen64,
    ] {
        let mut count = Count::default();
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = SubjectKey::from_spki(&group.der).unwrap();
            let hash = hash(group.hash);
            assert_eq!(group.salt_size, hash.length());
            let envelope_key = PublicKey::new(&key).unwrap();
            for test in group.tests {
                let verified = SignatureAlgorithm::RsaPss(hash).verify(&key, &test.msg, &test.sig).is_ok();
                count.add(&format!("{set:?}"), test.tc_id, &test.comment, test.result, verified);
                let by_envelope = envelope_key.verify(&test.msg, &test.sig).is_ok();
                if envelope_key.kind().hash() == hash {
                    assert_eq!(by_envelope, verified, "{set:?} {}", test.tc_id);
                    by_envelopes += 1;
                } else {
                    assert!(!by_envelope, "{set:?} {}: a signature with another hash than the key's", test.tc_id);
                }
            }
        }
        count.report(&format!("{set:?}"));
    }
    assert!(by_envelopes > 100, "only {by_envelopes} vectors for envelopes");
}

/// Signatures that are sound but for the length of their salt, the hash of their mask, or both.
#[test]
fn rsa_pss_with_another_salt_or_mask_is_refused() {
    use rsa_pss_verify::TestName;
    for set in [
        TestName::RsaPss2048Sha256Mgf1SaltLen0,
        TestName::RsaPss2048Sha256Mgf1Sha1_20,
        TestName::RsaPss4096Sha512Mgf1SaltLen32,
    ] {
        let mut refused = 0;
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let key = SubjectKey::from_spki(&group.der).unwrap();
            let hash = hash(group.hash);
            assert_ne!(group.salt_size, hash.length());
            let envelope_key = PublicKey::new(&key).unwrap();
            assert_eq!(envelope_key.kind().hash(), hash);
            // Some that these sets call invalid have a salt as long as the hash.
            for test in group.tests.into_iter().filter(|test| test.result == TestResult::Valid) {
                let number = test.tc_id;
                assert!(
                    SignatureAlgorithm::RsaPss(hash).verify(&key, &test.msg, &test.sig).is_err(),
                    "{set:?} {number}"
                );
                assert!(envelope_key.verify(&test.msg, &test.sig).is_err(), "{set:?} {number}");
                refused += 1;
            }
        }
        println!("{set:?}: {refused} refused that are valid with their own parameters");
        assert!(refused > 0, "{set:?} tests nothing");
    }
}

#[test]
fn rsa_pkcs1_of_certificates() {
    use rsa_pkcs1_verify::TestName;
    for set in [
        TestName::Rsa2048Sha256,
        TestName::Rsa2048Sha384,
        TestName::Rsa2048Sha512,
        TestName::Rsa3072Sha256,
        TestName::Rsa3072Sha384,
        TestName::Rsa3072Sha512,
        TestName::Rsa4096Sha256,
        TestName::Rsa4096Sha384,
        TestName::Rsa4096Sha512,
        TestName::Rsa8192Sha256,
        TestName::Rsa8192Sha384,
        TestName::Rsa8192Sha512,
    ] {
        let mut count = Count::default();
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let key = SubjectKey::from_spki(&group.der).unwrap();
            let algorithm = SignatureAlgorithm::RsaPkcs1(hash(group.hash));
            for test in group.tests {
                let verified = algorithm.verify(&key, &test.msg, &test.sig).is_ok();
                count.add(&format!("{set:?}"), test.tc_id, &test.comment, test.result, verified);
            }
        }
        count.report(&format!("{set:?}"));
    }
}

//! D13–D20 and D22: what a certificate says of itself.

use der::{Decode, Encode};
use x509_cert::ext::pkix::KeyUsages;

use super::*;

#[test]
fn d13_leaf_that_is_an_authority() {
    let chain = with_leaf(|draft| {
        draft.set(basic_constraints(true, None, true)?);
        Ok(())
    });
    fails(
        &chain,
        Code::CertificateProfile,
        "certificate 1 of 3 in the chain (\"CN=leaf,O=acme,ST=WA,C=US\"): it is a certif",
    );
    passes(&with_leaf(|draft| {
        draft.remove(ExtensionKind::BasicConstraints);
        Ok(())
    }));
}

#[test]
fn d14_authority_without_critical_basic_constraints() {
    let cases: [(Change, Code, &str); 3] = [
        (
            |draft| {
                draft.remove(ExtensionKind::BasicConstraints);
                Ok(())
            },
            Code::ChainInvalid,
            "the issuer is not a certificate authority",
        ),
        (
            |draft| {
                draft.set(basic_constraints(false, None, true)?);
                Ok(())
            },
            Code::ChainInvalid,
            "the issuer is not a certificate authority",
        ),
        (
            |draft| {
                draft.set(basic_constraints(true, None, false)?);
                Ok(())
            },
            Code::CertificateProfile,
            "its basic constraints are not critical",
        ),
    ];
    for (change, code, message) in cases {
        fails(&with_middle(change), code, message);
        fails(&with_root(change), code, message);
    }
}

#[test]
fn d15_authority_that_must_not_sign_certificates() {
    let change: Change = |draft| {
        draft.set(key_usage(KeyUsages::CRLSign | KeyUsages::DigitalSignature, true)?);
        Ok(())
    };
    fails(&with_middle(change), Code::ChainInvalid, "the issuer's key usage does not include keyCertSign");
    fails(&with_root(change), Code::ChainInvalid, "the issuer's key usage does not include keyCertSign");
}

#[test]
fn d16_key_usage_absent_or_not_critical() {
    let absent: Change = |draft| {
        draft.remove(ExtensionKind::KeyUsage);
        Ok(())
    };
    for chain in [with_leaf(absent), with_middle(absent), with_root(absent)] {
        fails(&chain, Code::CertificateProfile, "it has no key usage");
    }
    let leaf = with_leaf(|draft| {
        draft.set(key_usage(KeyUsages::DigitalSignature, false)?);
        Ok(())
    });
    let authority: Change = |draft| {
        draft.set(key_usage(KeyUsages::KeyCertSign, false)?);
        Ok(())
    };
    for chain in [leaf, with_middle(authority), with_root(authority)] {
        fails(&chain, Code::CertificateProfile, "its key usage is not critical");
    }
}

#[test]
fn d17_key_usage_of_the_leaf() {
    let with = |usages: der::flagset::FlagSet<KeyUsages>| {
        with_leaf(|draft| {
            draft.set(key_usage(usages, true)?);
            Ok(())
        })
    };
    fails(&with(KeyUsages::NonRepudiation.into()), Code::CertificateProfile, "does not include digitalSignature");
    passes(&with(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation));
    for (usage, name) in [
        (KeyUsages::KeyEncipherment, "keyEncipherment"),
        (KeyUsages::DataEncipherment, "dataEncipherment"),
        (KeyUsages::KeyAgreement, "keyAgreement"),
        (KeyUsages::KeyCertSign, "keyCertSign"),
        (KeyUsages::CRLSign, "cRLSign"),
        (KeyUsages::EncipherOnly, "encipherOnly"),
        (KeyUsages::DecipherOnly, "decipherOnly"),
    ] {
        let chain = with(KeyUsages::DigitalSignature | usage);
        fails(&chain, Code::CertificateProfile, &format!("its key usage includes {name}"));
    }
}

#[test]
fn d18_extended_key_usage_of_the_leaf() {
    let with = |purposes: &[&str]| {
        with_leaf(|draft| {
            draft.set(extended_key_usage(purposes, true)?);
            Ok(())
        })
    };
    const CODE_SIGNING: &str = "1.3.6.1.5.5.7.3.3";
    for (purpose, name) in [
        ("2.5.29.37.0", "anyExtendedKeyUsage"),
        ("1.3.6.1.5.5.7.3.1", "serverAuth"),
        ("1.3.6.1.5.5.7.3.2", "clientAuth"),
        ("1.3.6.1.5.5.7.3.4", "emailProtection"),
        ("1.3.6.1.5.5.7.3.8", "timeStamping"),
        ("1.3.6.1.5.5.7.3.9", "OCSPSigning"),
    ] {
        for purposes in [&[purpose][..], &[CODE_SIGNING, purpose], &[purpose, CODE_SIGNING]] {
            fails(&with(purposes), Code::CertificateProfile, &format!("its extended key usage includes {name}"));
        }
    }
    passes(&with(&["1.3.6.1.4.1.311.10.3.13"]));
    passes(&with(&[CODE_SIGNING, "1.2.3.4"]));
    passes(&with_leaf(|draft| {
        draft.remove(ExtensionKind::ExtendedKeyUsage);
        Ok(())
    }));
    // What an authority's purposes say does not matter.
    passes(&with_middle(|draft| {
        draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.1"], true)?);
        Ok(())
    }));
}

#[test]
fn d19_path_length() {
    let limited = |length: u8| {
        with_root(|draft| {
            draft.set(basic_constraints(true, Some(length), true)?);
            Ok(())
        })
    };
    let message = "certificate 3 of 3 in the chain (\"CN=root,O=acme,ST=WA,C=US\"): its path length is 0, but 1";
    fails(&limited(0), Code::CertificateProfile, message);
    passes(&limited(1));
    passes(&limited(255));
    passes(&with_middle(|draft| {
        draft.set(basic_constraints(true, Some(0), true)?);
        Ok(())
    }));
    // An intermediate of the same name as its issuer counts as well.
    let root = Authority::root_with(ROOT, key(0), |draft| {
        draft.set(basic_constraints(true, Some(0), true)?);
        Ok(())
    });
    let chain = root.unwrap().intermediate(ROOT, key(1)).unwrap().issue(request()).unwrap().chain;
    fails(&chain, Code::CertificateProfile, "its path length is 0, but 1");
    // A length beyond every number is none that could be too short.
    passes(&with_root(|draft| {
        draft.set(extension("2.5.29.19", true, &tlv(0x30, &[0x01, 1, 0xff, 2, 6, 1, 0, 0, 0, 0, 0]))?);
        Ok(())
    }));
}

#[test]
fn d20_broken_hashes() {
    for (oid, null, message) in [
        ("1.2.840.113549.1.1.5", true, "it is signed over SHA-1"),
        ("1.2.840.10045.4.1", false, "it is signed over SHA-1"),
        ("1.3.14.3.2.29", true, "it is signed over SHA-1"),
        ("1.2.840.113549.1.1.4", true, "it is signed over MD5"),
        ("1.2.840.10040.4.3", false, "with an algorithm that is not supported (1.2.840.10040.4.3)"),
        ("1.2.840.113549.1.1.10", true, "with RSASSA-PSS, but not"),
    ] {
        let change = |draft: &mut CertificateDraft| draft.set_algorithm(oid, null);
        for chain in [with_leaf(change), with_middle(change), with_root(change)] {
            fails(&chain, Code::CertificateProfile, message);
        }
        fails(&Signer::self_signed_with(request(), change).unwrap().chain, Code::CertificateProfile, message);
    }
}

#[test]
fn d22_other_extensions_do_not_matter() {
    for oid in ["1.2.3.4", "2.5.29.20", "2.5.29.28", "2.16.840.1.113730.1.1"] {
        let change = |draft: &mut CertificateDraft| {
            draft.add(extension(oid, true, &[0x30, 0x00])?);
            Ok(())
        };
        for chain in [with_leaf(change), with_middle(change), with_root(change)] {
            passes(&chain);
        }
    }
    // Name constraints that the leaf violates: permitted is DNS "example" only.
    passes(&with_root(|draft| {
        draft.add(extension("2.5.29.30", true, &tlv(0x30, &tlv(0xa0, &tlv(0x30, &tlv(0x82, b"example")))))?);
        Ok(())
    }));
    let twice = with_middle(|draft| {
        draft.add(key_usage(KeyUsages::KeyCertSign, true)?);
        Ok(())
    });
    fails(&twice, Code::CertificateMalformed, "certificate 2 of 3 in the chain has the extension 2.5.29.15 twice");
}

/// A chain of two whose leaf is signed with RSASSA-PSS over SHA-256 and a salt of 32 bytes, and states `parameters`.
fn with_pss(parameters: &[u8]) -> Vec<Vec<u8>> {
    let root = Authority::root(ROOT, Key::pooled(forge::KeyKind::Rsa2048, 0).unwrap()).unwrap();
    let signer = root.issue_with(request(), |draft| {
        draft.set_algorithm("1.2.840.113549.1.1.10", false)?;
        draft.tbs.signature.parameters = Some(der::Any::from_der(parameters)?);
        draft.signature = Some(root.key().sign(&draft.tbs.to_der()?)?);
        Ok(())
    });
    signer.unwrap().chain
}

/// An algorithm with parameters, in DER.
fn algorithm(oid: &[u8], parameters: &[u8]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0x06, oid), parameters].concat())
}

#[test]
fn d20_certificates_signed_with_pss() {
    const NULL: &[u8] = &[5, 0];
    const SHA1: &[u8] = &[0x2b, 0x0e, 0x03, 0x02, 0x1a];
    const SHA256: &[u8] = &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
    const MGF1: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x08];
    const MGF2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x09];
    let hash = |oid: &[u8], null: &[u8]| tlv(0xa0, &algorithm(oid, null));
    let mask = |mgf: &[u8], oid: &[u8]| tlv(0xa1, &algorithm(mgf, &algorithm(oid, NULL)));
    let salt = |length: u8| tlv(0xa2, &tlv(0x02, &[length]));
    let trailer = |number: u8| tlv(0xa3, &tlv(0x02, &[number]));
    let sound = [hash(SHA256, NULL), mask(MGF1, SHA256), salt(32)];
    passes(&with_pss(&tlv(0x30, &sound.concat())));
    passes(&with_pss(&tlv(0x30, &[hash(SHA256, &[]), mask(MGF1, SHA256), salt(32)].concat())));

    for parameters in [
        vec![],
        vec![hash(SHA256, NULL)],
        vec![hash(SHA256, NULL), mask(MGF1, SHA256)],
        vec![hash(SHA1, NULL), mask(MGF1, SHA1), salt(20)],
        vec![hash(SHA256, NULL), mask(MGF1, SHA1), salt(32)],
        vec![hash(SHA256, NULL), mask(MGF2, SHA256), salt(32)],
        vec![hash(SHA256, NULL), mask(MGF1, SHA256), salt(20)],
        vec![hash(SHA256, NULL), mask(MGF1, SHA256), salt(0)],
        vec![hash(SHA256, NULL), mask(MGF1, SHA256), salt(32), trailer(2)],
    ] {
        let chain = with_pss(&tlv(0x30, &parameters.concat()));
        fails(
            &chain,
            Code::CertificateProfile,
            "it is signed with RSASSA-PSS, but not with SHA-256, SHA-384 or SHA-512",
        );
    }
}

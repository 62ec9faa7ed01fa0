use super::*;
use crate::forge::{self, Authority, Key, LeafRequest, Signer};
use std::path::Path;
use time::macros::datetime;

const SUBJECT: &str = "C=US, ST=WA, L=Seattle, O=wabbit-networks.io, CN=leaf";

fn key(slot: usize) -> Key {
    Key::pooled(forge::KeyKind::P256, slot).unwrap()
}

/// A leaf issued by a root, changed before it is signed.
fn leaf(change: impl FnOnce(&mut forge::CertificateDraft) -> Result<(), forge::ForgeError>) -> Vec<u8> {
    let root = Authority::root("C=US, ST=WA, O=wabbit-networks.io, CN=root", key(0)).unwrap();
    let mut request = LeafRequest::new(SUBJECT, key(1)).unwrap();
    request.crl_urls = vec!["http://crl.example/a.crl".to_owned(), "ldap://crl.example/b".to_owned()];
    request.ocsp_urls = vec!["http://ocsp.example".to_owned()];
    root.issue_with(request, change).unwrap().chain.swap_remove(0)
}

fn refusal(der: &[u8]) -> String {
    let failure = Certificate::parse(der).unwrap_err();
    assert_eq!(failure.code, Code::CertificateMalformed);
    failure.message
}

fn stored(path: &str) -> Certificate {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/truststore/x509").join(path);
    let pem = std::fs::read(path).unwrap();
    let (_, pem) = x509_parser::pem::parse_x509_pem(&pem).unwrap();
    Certificate::parse(&pem.contents).unwrap()
}

#[test]
fn a_certificate_tells_what_it_says() {
    let der = leaf(|_| Ok(()));
    let certificate = Certificate::parse(&der).unwrap();
    assert_eq!(certificate.der(), der);
    assert_eq!(certificate.subject_text(), "CN=leaf,O=wabbit-networks.io,L=Seattle,ST=WA,C=US");
    assert_eq!(certificate.subject_raw(), forge::Subject::parse(SUBJECT).unwrap().der().unwrap());
    assert!(certificate.issuer_raw().ends_with(b"root"));
    assert_eq!(certificate.not_before(), datetime!(2020-01-01 0:00 UTC));
    assert_eq!(certificate.not_after(), datetime!(2060-01-01 0:00 UTC));
    assert_eq!(certificate.public_key().unwrap().kind().as_str(), "EC P-256");
    assert_eq!(certificate.crl_urls(), ["http://crl.example/a.crl", "ldap://crl.example/b"]);
    assert_eq!(certificate.ocsp_urls(), ["http://ocsp.example"]);
    assert!(!certificate.is_ca());
    let usage = certificate.extensions().key_usage.unwrap();
    assert!(usage.critical);
    assert_eq!(usage.names().collect::<Vec<_>>(), ["digitalSignature"]);
    let purposes = certificate.extensions().extended_key_usage.clone().unwrap();
    assert_eq!(purposes, (vec!["1.3.6.1.5.5.7.3.3".to_owned()], false));
}

#[test]
fn real_roots_are_read() {
    for (file, kind) in [
        ("rsa2048", "RSA 2048"),
        ("rsa3072", "RSA 3072"),
        ("rsa4096", "RSA 4096"),
        ("p256", "EC P-256"),
        ("p384", "EC P-384"),
        ("p521", "EC P-521"),
    ] {
        let root = stored(&format!("ca/wabbit-networks/root-{file}.pem"));
        assert_eq!(root.public_key().unwrap().kind().as_str(), kind, "{file}");
        assert!(root.is_ca() && root.signed_by_itself() && root.issued_by(&root), "{file}");
        let other = stored("ca/acme-rockets/root-acme.pem");
        assert!(!root.issued_by(&other) && root.check_signed_by(&other).is_err(), "{file}");
    }
    let alone = stored("ca/self-signed/wabbit-test.crt");
    assert!(!alone.is_ca() && alone.signed_by_itself() && !alone.issued_by(&alone));
}

#[test]
fn d25_anything_around_the_certificate_is_refused() {
    let der = leaf(|_| Ok(()));
    for length in 0..der.len() {
        refusal(&der[..length]);
    }
    assert_eq!(refusal(&[der.as_slice(), &[0]].concat()), "the certificate has bytes behind its end");
    assert_eq!(refusal(&[der.as_slice(), &der].concat()), "the certificate has bytes behind its end");
    refusal(b"-----BEGIN CERTIFICATE-----");
    let long = forge::tlv(0x30, &vec![0; limits::CERTIFICATE_BYTES]);
    assert!(refusal(&long).contains("more than the 65536 allowed"));
}

#[test]
fn one_more_part_at_any_place_is_refused() {
    let part = [0x05, 0x00];
    let inside = |der: &[u8], start: usize| [&der[start..], &part].concat();
    // Behind the signature, and behind the fields that are signed.
    let der = leaf(|_| Ok(()));
    refusal(&forge::tlv(0x30, &inside(&der, 4)));
    let longer: fn(Vec<u8>) -> Vec<u8> = |tbs| forge::tlv(0x30, &[&tbs[4..], &[0x05, 0x00]].concat());
    refusal(&leaf(|draft| {
        draft.alter_tbs = Some(longer);
        Ok(())
    }));
    // In the subject: an attribute with a third part would be dropped silently, and with it whatever follows.
    let third: fn(Vec<u8>) -> Vec<u8> = |tbs| {
        let position = tbs.windows(4).position(|window| window == b"leaf").unwrap();
        let mut tbs = tbs;
        // `CN=leaf` becomes two values of two bytes each.
        tbs[position - 1] = 0;
        tbs[position] = 0x0c;
        tbs[position + 1] = 2;
        tbs
    };
    let message = refusal(&leaf(|draft| {
        draft.alter_tbs = Some(third);
        Ok(())
    }));
    assert_eq!(message, "the certificate has an attribute in a name that is not a type and a value");
}

#[test]
fn d25_serial_numbers_and_times_are_those_of_rfc_5280() {
    let serial = |content: &[u8]| {
        leaf(|draft| {
            draft.set_serial(content)?;
            Ok(())
        })
    };
    assert_eq!(refusal(&serial(&[0x80])), "the certificate has a negative serial number");
    let lapse = |der: &[u8]| Certificate::parse(der).unwrap().lapse();
    assert_eq!(lapse(&serial(&[0])), None);
    assert_eq!(lapse(&serial(&[0x7f; 21])), Some("has a serial number of more than 20 bytes"));
    assert_eq!(lapse(&serial(&[0x7f; 20])), None);

    let time = |from: &str, to: &str| {
        let der = leaf(|_| Ok(()));
        let position = der.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        [&der[..position], to.as_bytes(), &der[position + from.len()..]].concat()
    };
    for wrong in ["2001010000000", "200101000000+", "20010100000Z0", "2001320000000Z", "200132000000Z", "20010100000aZ"]
    {
        if wrong.len() == 13 {
            refusal(&time("200101000000Z", wrong));
        }
    }
    // 2050 is the first year that must be written with four digits, 9999 the last there is.
    let last = Certificate::parse(&time("20600101000000Z", "99991231235959Z")).unwrap();
    assert_eq!((last.not_after(), last.lapse()), (datetime!(9999-12-31 23:59:59 UTC), None));
    let early = Certificate::parse(&time("20600101000000Z", "20491231235959Z")).unwrap();
    assert_eq!(early.lapse(), Some("has a GeneralizedTime before 2050"));
    let fifties = Certificate::parse(&time("200101000000Z", "500101000000Z")).unwrap();
    assert_eq!(fifties.not_before(), datetime!(1950-01-01 0:00 UTC));
}

#[test]
fn extensions_occur_once_and_can_be_read() {
    let twice = leaf(|draft| {
        draft.add(forge::extension("1.2.3.4", false, &[5, 0])?);
        draft.add(forge::extension("1.2.3.4", true, &[5, 0])?);
        Ok(())
    });
    assert_eq!(refusal(&twice), "the certificate has the extension 1.2.3.4 twice");
    let unknown = leaf(|draft| {
        draft.add(forge::extension("1.2.3.4", true, b"not DER")?);
        Ok(())
    });
    assert!(Certificate::parse(&unknown).is_ok());
    let broken: [(&str, &[u8]); 12] = [
        ("2.5.29.19", &[0x30, 0x03, 0x01, 0x01, 0x01]),
        ("2.5.29.19", &[0x30, 0x00, 0x00]),
        ("2.5.29.19", &[0x30, 0x03, 0x02, 0x01, 0xff]),
        ("2.5.29.19", &[0x05, 0x00]),
        ("2.5.29.15", &[0x03, 0x02, 0x07, 0x81]),
        ("2.5.29.15", &[0x04, 0x02, 0x07, 0x80]),
        ("2.5.29.15", &[]),
        ("2.5.29.37", &[0x30, 0x00]),
        ("2.5.29.37", &[0x30, 0x02, 0x05, 0x00]),
        ("2.5.29.31", &[0x30, 0x02, 0x05, 0x00]),
        ("1.3.6.1.5.5.7.1.1", &[0x30, 0x02, 0x05, 0x00]),
        ("1.3.6.1.5.5.7.1.1", &[0x30, 0x80, 0x00, 0x00]),
    ];
    for (oid, value) in broken {
        let message = refusal(&leaf(|draft| {
            draft.set(forge::extension(oid, false, value)?);
            Ok(())
        }));
        assert!(message.contains("has an extension"), "{oid} {value:02x?}: {message}");
    }
}

#[test]
fn the_two_names_of_the_algorithm_agree() {
    let message = refusal(&leaf(|draft| {
        let mut other = draft.tbs.signature.clone();
        other.parameters = Some(der_null());
        draft.outer_algorithm = Some(other);
        Ok(())
    }));
    assert_eq!(message, "the certificate names two different signature algorithms");
}

fn der_null() -> ::der::Any {
    ::der::Any::null()
}

#[test]
fn every_changed_bit_of_a_certificate_shows() {
    let request = LeafRequest::new(SUBJECT, key(1)).unwrap();
    let der = Signer::self_signed(request).unwrap().chain.swap_remove(0);
    assert!(Certificate::parse(&der).unwrap().signed_by_itself());
    for position in 0..der.len() {
        for bit in 0..8 {
            let mut changed = der.clone();
            changed[position] ^= 1 << bit;
            let signed = Certificate::parse(&changed).is_ok_and(|certificate| certificate.signed_by_itself());
            assert!(!signed, "bit {bit} of byte {position} does not matter");
        }
    }
}

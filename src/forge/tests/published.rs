//! What stands around signatures: CRLs, OCSP answers, tokens, and the certificates of those who make them.

use std::collections::HashSet;

use x509_parser::extensions::ParsedExtension;
use x509_parser::prelude::CertificateRevocationList;

use super::*;

fn authority() -> Authority {
    Authority::root("C=US, ST=WA, O=acme, CN=root", Key::pooled(KeyKind::Rsa2048, 0).unwrap()).unwrap()
}

fn tsa() -> Signer {
    authority().tsa("C=US, ST=WA, O=acme, CN=tsa", Key::pooled(KeyKind::Rsa2048, 1).unwrap()).unwrap()
}

const NOW: time::OffsetDateTime = datetime!(2026-11-24 12:00 UTC);

/// The extensions of a CRL: dotted object identifier, whether critical, value.
fn extensions(crl: &[u8]) -> Vec<(String, bool, Vec<u8>)> {
    let (rest, crl) = CertificateRevocationList::from_der(crl).unwrap();
    assert!(rest.is_empty());
    crl.extensions().iter().map(|e| (e.oid.to_id_string(), e.critical, e.value.to_vec())).collect()
}

#[test]
fn a_crl_says_what_its_draft_does() {
    let authority = authority();
    let mut draft = CrlDraft::new(&authority, NOW);
    let kinds = |draft: &CrlDraft<'_>| -> Vec<(String, bool)> {
        let extensions = extensions(&draft.sign(authority.key()).unwrap());
        extensions.into_iter().map(|(oid, critical, _)| (oid, critical)).collect()
    };
    let named = |list: &[(&str, bool)]| -> Vec<(String, bool)> {
        list.iter().map(|(oid, critical)| ((*oid).to_owned(), *critical)).collect()
    };
    assert_eq!(kinds(&draft), named(&[("2.5.29.35", false), ("2.5.29.20", false)]));
    draft.delta_base = Some(7);
    draft.freshest = vec!["http://crl.example/delta.crl".to_owned()];
    draft.issuing_distribution_point = Some(CrlScope { indirect: true, ..CrlScope::default() }.encode());
    draft.add_unknown(true);
    let expected = [
        ("2.5.29.35", false),
        ("2.5.29.20", false),
        ("2.5.29.27", true),
        ("2.5.29.28", true),
        ("2.5.29.46", false),
        ("1.3.6.1.4.1.99999.9", true),
    ];
    assert_eq!(kinds(&draft), named(&expected));
}

#[test]
fn a_crl_states_its_scope_as_others_read_it() {
    let authority = authority();
    let scope = CrlScope {
        url: Some("http://crl.example/a.crl"),
        only_authorities: true,
        only_reasons: Some(&[5, 0x60]),
        indirect: true,
        ..CrlScope::default()
    };
    let mut draft = CrlDraft::new(&authority, NOW);
    draft.issuing_distribution_point = Some(scope.encode());
    let bytes = draft.sign(authority.key()).unwrap();
    let (_, crl) = CertificateRevocationList::from_der(&bytes).unwrap();
    let read = crl.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::IssuingDistributionPoint(point) => Some(point.clone()),
        _ => None,
    });
    let read = read.unwrap();
    assert!(read.only_contains_ca_certs && read.indirect_crl && read.distribution_point.is_some());
    assert!(!read.only_contains_user_certs && !read.only_contains_attribute_certs);
    assert!(read.only_some_reasons.unwrap().key_compromise());
}

#[test]
fn a_crl_may_have_a_million_entries() {
    let authority = authority();
    let mut draft = CrlDraft::new(&authority, NOW);
    let entry = |number: u32| CrlEntry::new([&[1], number.to_be_bytes().as_slice()].concat(), NOW);
    draft.entries = (0..1_000_000).map(entry).collect();
    let crl = draft.sign(authority.key()).unwrap();
    // Each has a number of five bytes and a time.
    assert!((24_000_000..25_000_000).contains(&crl.len()), "{}", crl.len());
    draft.entries.truncate(3);
    let bytes = draft.sign(authority.key()).unwrap();
    let (_, crl) = CertificateRevocationList::from_der(&bytes).unwrap();
    let serials: Vec<Vec<u8>> = crl.iter_revoked_certificates().map(|entry| entry.raw_serial().to_vec()).collect();
    assert_eq!(serials, [vec![1, 0, 0, 0, 0], vec![1, 0, 0, 0, 1], vec![1, 0, 0, 0, 2]]);
}

#[test]
fn certificates_of_responders_are_for_that_alone() {
    for (signer, purpose, critical) in [
        (tsa(), "1.3.6.1.5.5.7.3.8", true),
        (
            authority().ocsp_delegate("CN=ocsp", Key::pooled(KeyKind::P256, 1).unwrap()).unwrap(),
            "1.3.6.1.5.5.7.3.9",
            false,
        ),
    ] {
        let (_, certificate) = X509Certificate::from_der(signer.certificate()).unwrap();
        let usage = certificate.extended_key_usage().unwrap().unwrap();
        assert_eq!(usage.critical, critical);
        let value = usage.value;
        assert_eq!((value.time_stamping, value.ocsp_signing), (critical, !critical), "{purpose}");
        assert!(!value.code_signing && value.other.is_empty());
        assert!(certificate.key_usage().unwrap().unwrap().value.digital_signature());
        let nocheck = certificate.extensions().iter().any(|e| e.oid.to_id_string() == "1.3.6.1.5.5.7.48.1.5");
        assert_eq!(nocheck, !critical);
        assert_eq!(signer.serial(), certificate.raw_serial());
    }
}

#[test]
fn every_defect_of_a_tsa_certificate_is_one() {
    let authority = authority();
    let issued = |defect: Option<TsaCertificateDefect>| {
        let request = LeafRequest::new("CN=tsa", Key::pooled(KeyKind::P256, 1).unwrap()).unwrap();
        let signer = authority.tsa_with(request, |draft| {
            draft.set_serial(&[1])?;
            defect.map_or(Ok(()), |defect| defect.apply(draft))
        });
        signer.unwrap().chain.remove(0)
    };
    let mut distinct = HashSet::from([issued(None)]);
    for &defect in TsaCertificateDefect::ALL {
        assert!(distinct.insert(issued(Some(defect))), "{defect:?} is like another, or sound");
    }
}

#[test]
fn every_defect_of_a_token_is_one() {
    let mut draft = TimestampDraft::over(&tsa(), b"signature", NOW);
    draft.nonce = Some(vec![7]);
    draft.certificates = vec![draft.authority.chain[0].clone(), authority().certificate().to_vec(), vec![0x30, 0]];
    let mut distinct = HashSet::from([draft.sign().unwrap()]);
    for &defect in TimestampDefect::ALL {
        assert!(distinct.insert(draft.clone().broken(defect).sign().unwrap()), "{defect:?} is like another, or sound");
    }
}

#[test]
fn a_token_is_taken_of_the_signature_that_is_sealed() {
    let stamp = |signature: &[u8]| Ok([b"token of ", signature].concat());
    for kind in [KeyKind::P256, KeyKind::Rsa2048] {
        let signer = signer(kind);
        let bytes = statement().jws(&signer).unwrap().stamped(stamp).unwrap().seal().unwrap();
        let envelope: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        let signature = URL_SAFE_NO_PAD.decode(envelope["signature"].as_str().unwrap()).unwrap();
        let token = envelope["header"]["io.cncf.notary.timestampSignature"].as_str().unwrap();
        assert_eq!(STANDARD.decode(token).unwrap(), stamp(&signature).unwrap());
        let message = format!("{}.{}", envelope["protected"].as_str().unwrap(), envelope["payload"].as_str().unwrap());
        assert!(holds(kind, &signer.chain[0], message.as_bytes(), &signature));

        let bytes = statement().cose(&signer).unwrap().stamped(stamp).unwrap().seal().unwrap();
        let message: ciborium::Value = ciborium::from_reader(bytes.as_slice()).unwrap();
        let items = message.as_tag().unwrap().1.as_array().unwrap().clone();
        let signature = items[3].as_bytes().unwrap();
        let token = items[1].as_map().unwrap().iter().find_map(|(label, value)| {
            (label.as_text() == Some("io.cncf.notary.timestampSignature")).then(|| value.as_bytes().unwrap())
        });
        assert_eq!(token.unwrap(), &stamp(signature).unwrap());
    }
}

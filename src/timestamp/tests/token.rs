use time::Duration;

use super::*;
use crate::digest::{Algorithm, Digest};
use crate::forge::{Accuracy, BASELINE_POLICY, Imprint, SignerIdentifier, SigningCertificate, TimestampDefect};
use crate::limits;

use Code::{TimestampInvalid, TimestampMalformed};

#[test]
fn a_sound_token_is_verified_whatever_the_key() {
    for kind in KeyKind::ALL {
        let signer = stamper(&authority(), Key::pooled(kind, 13).unwrap(), |_| Ok(()));
        let mut draft = draft_of(&signer);
        let stamp = verified(&draft).unwrap();
        assert_eq!((stamp.gen_time, stamp.accuracy, stamp.nonce.as_deref()), (TIME, Duration::ZERO, None));
        let chain: Vec<_> = stamp.chain.iter().map(Certificate::der).collect();
        assert_eq!(chain, signer.chain);
        assert_eq!(stamp.authority().subject_text(), "CN=stamper,O=timekeeper,ST=WA,C=US");
        // The attributes may be hashed by another hash than the one of the signature.
        draft.stated_digest = Some(asn1::SHA256.to_owned());
        verified(&draft).unwrap();
    }
}

#[test]
fn what_may_differ_is_accepted() {
    let mut rsa = draft_of(&stamper(&authority(), Key::pooled(KeyKind::Rsa2048, 13).unwrap(), |_| Ok(())));
    let mut stating = |dotted, null| {
        rsa.algorithm = Some(asn1::algorithm(dotted, null).unwrap());
        verified(&rsa).map(drop).map_err(|failure| failure.code)
    };
    assert_eq!(stating("1.2.840.113549.1.1.1", true), Ok(()));
    assert_eq!(stating("1.2.840.113549.1.1.1", false), Ok(()));
    assert_eq!(stating("1.2.840.113549.1.1.13", true), Err(TimestampInvalid));

    let accepted = |change: &dyn Fn(&mut TimestampDraft)| {
        let mut draft = sound();
        change(&mut draft);
        verified(&draft).unwrap()
    };
    // Everything that is optional, in its order.
    let full = accepted(&|draft| {
        draft.accuracy = Some(Accuracy { seconds: Some(2), millis: Some(5), micros: Some(7) });
        draft.ordering = true;
        draft.nonce = Some(vec![0x7f, 1]);
        info(|fields| fields.push(explicit(0, &[0x82, 1, b'x'])))(draft);
        info(|fields| fields.push(explicit(1, &asn1::extension_value("1.2.3", false, b"").unwrap())))(draft);
        draft.unsigned = explicit(1, &attribute("1.2.3", &[vec![5, 0]]));
    });
    assert_eq!((full.accuracy, full.nonce), (Duration::microseconds(2_005_007), Some(vec![0x7f, 1])));
    // Strangers among the certificates, one of them twice; attribute certificates.
    accepted(&|draft| {
        draft.certificates.insert(0, root().certificate().to_vec());
        draft.certificates.push(stamper(&root(), key(19), |_| Ok(())).chain[0].clone());
        draft.certificates.push(draft.certificates[1].clone());
        draft.certificates.push(explicit(2, &sequence(&[asn1::integer(1)])));
    });
    // Attributes in no order, and one that is not known.
    accepted(&|draft| {
        attributes(|attributes| attributes.push(attribute("1.2.3", &[vec![5, 0], vec![5, 0]])))(draft);
        TimestampDefect::AttributesOutOfOrder.apply(draft);
    });
    for time in [tlv(0x17, b"260601120001Z"), tlv(0x18, b"20260601120001Z")] {
        accepted(&|draft| {
            attributes(|attributes| attributes.push(attribute(SIGNING_TIME, std::slice::from_ref(&time))))(draft);
        });
    }
    // The certificate named by another hash, and without its issuer; policies beside it.
    use SigningCertificate::{V2Sha384, V2Sha512, V2WithoutIssuer};
    for form in [V2WithoutIssuer, V2Sha384, V2Sha512] {
        accepted(&|draft| draft.signing_certificate = form);
    }
    accepted(&|draft| {
        let hash = Digest::of(Algorithm::Sha512, draft.authority.certificate());
        let named = sequence(&[asn1::algorithm(asn1::SHA512, false).unwrap(), octets(hash.bytes())]);
        let policies = tlv(asn1::SEQUENCE, &[]);
        let named = attribute(SIGNING_CERTIFICATE_V2, &[sequence(&[sequence(&[named]), policies])]);
        attributes(|attributes| attributes[NAMES_CERTIFICATE] = named)(draft);
    });
    for hash in [asn1::SHA384, asn1::SHA512] {
        accepted(&|draft| draft.imprint = Imprint::by(hash, MESSAGE));
    }
}

#[test]
fn e02_what_is_not_signed_data_of_a_time_stamp_is_refused() {
    refused(|draft| draft.version = 1, TimestampMalformed, "another version than 3");
    refused(
        |draft| draft.content_type = "1.2.840.113549.1.7.1".to_owned(),
        TimestampMalformed,
        "does not hold a TSTInfo",
    );
    let empty = tlv(asn1::SEQUENCE, &[]);
    let enveloped = sequence(&[oid("1.2.840.113549.1.7.3"), explicit(0, &empty)]);
    for bytes in [&b""[..], b"<html>", &enveloped, &empty, &sequence(&[oid("1.2.840.113549.1.7.2")])] {
        let failure = verify(&Token(bytes.to_vec()), MESSAGE, &[]).unwrap_err();
        assert_eq!(failure.code, TimestampMalformed, "{bytes:02x?}: {failure}");
    }
}

#[test]
fn e03_there_is_exactly_one_signer_of_version_1() {
    refused(|draft| draft.signers = 0, TimestampMalformed, "exactly one signer");
    refused(|draft| draft.signers = 2, TimestampMalformed, "exactly one signer");
    refused(|draft| draft.signer_version = Some(3), TimestampMalformed, "not of version 1");
    let by_key = |draft: &mut TimestampDraft| {
        draft.signer_identifier = SignerIdentifier::SubjectKey;
        draft.signer_version = Some(1);
    };
    refused(by_key, TimestampMalformed, "by issuer and serial number");
}

#[test]
fn e04_without_signed_attributes_nothing_is_bound() {
    refused(|draft| draft.signed_attributes = false, TimestampInvalid, "no signed attributes");
    refused(attributes(Vec::clear), TimestampMalformed, "a set of attributes without any");
}

/// What is signed is the SET OF the attributes in DER, which sorts them (RFC 5652, section 5.4).
#[test]
fn signed_attributes_are_hashed_in_the_order_of_der_whatever_the_token_has() {
    let with_another = || {
        let mut draft = sound();
        attributes(|attributes| attributes.push(attribute("1.2.3", &[vec![4, 1, 1], vec![4, 1, 2]])))(&mut draft);
        draft
    };
    let code = |draft: TimestampDraft| verified(&draft).map(drop).map_err(|failure| failure.code);
    assert_eq!(code(with_another()), Ok(()));
    assert_eq!(code(with_another().broken(TimestampDefect::AttributesOutOfOrder)), Ok(()));
    assert_eq!(code(with_another().broken(TimestampDefect::AttributesSignedOutOfOrder)), Err(TimestampInvalid));
    // The values of an attribute are a SET OF as well.
    let values = |values: [u8; 2], signed: [u8; 2]| {
        let of = |[one, two]: [u8; 2]| attribute("1.2.3", &[vec![4, 1, one], vec![4, 1, two]]);
        let mut draft = sound();
        attributes(|attributes| attributes.push(of(signed)))(&mut draft);
        let token = draft.sign().unwrap();
        let (from, to) = (of(signed), of(values));
        let position = token.windows(from.len()).position(|window| window == from).unwrap();
        let token = [&token[..position], &to, &token[position + from.len()..]].concat();
        verify(&Token(token), MESSAGE, &[&root_of(&draft)]).map(drop).map_err(|failure| failure.code)
    };
    assert_eq!(values([1, 2], [1, 2]), Ok(()));
    assert_eq!(values([2, 1], [1, 2]), Ok(()));
    assert_eq!(values([2, 1], [2, 1]), Err(TimestampInvalid));
    assert_eq!(values([1, 3], [1, 2]), Err(TimestampInvalid));
}

/// Attributes in another encoding than DER are refused like anything else in the token; those that are not signed must at
/// least be attributes.
#[test]
fn attributes_that_are_none_are_refused() {
    let long_length = attributes(|attributes| {
        let inside = attributes[0][2..].to_vec();
        attributes[0] = [&[0x30, 0x81, inside.len() as u8][..], &inside].concat();
    });
    refused(long_length, TimestampMalformed, "longer than needed");
    for unsigned in [vec![5, 0], sequence(&[oid("1.2.3")]), sequence(&[vec![5, 0], tlv(0x31, &[5, 0])]), Vec::new()] {
        refused(|draft| draft.unsigned = explicit(1, &unsigned), TimestampMalformed, "attribute");
    }
}

#[test]
fn e05_content_type_and_message_digest_are_there_once_and_right() {
    let changed = |change: fn(&mut Vec<Vec<u8>>), words| refused(attributes(change), TimestampInvalid, words);
    changed(|attributes| drop(attributes.remove(0)), "lacks the signed attribute contentType");
    changed(|attributes| drop(attributes.remove(1)), "lacks the signed attribute messageDigest");
    changed(|attributes| attributes.push(attributes[0].clone()), "contentType more than once");
    changed(|attributes| attributes.push(attributes[1].clone()), "messageDigest more than once");
    changed(|attributes| attributes[0] = attribute(CONTENT_TYPE, &[]), "contentType more than once, or with other");
    changed(|attributes| attributes[0] = attribute(CONTENT_TYPE, &[oid("1.2.3")]), "content of another type");
    changed(|attributes| attributes[1] = attribute(MESSAGE_DIGEST, &[octets(&[0; 32])]), "message digest differs");
    changed(|attributes| attributes[1] = attribute(MESSAGE_DIGEST, &[octets(&[])]), "message digest differs");
    changed(
        |attributes| attributes.push(attribute(SIGNING_TIME, &[vec![5, 0], vec![5, 0]])),
        "signingTime more than once, or with other",
    );
    refused(|draft| draft.stated_digest = Some(asn1::SHA1.to_owned()), TimestampInvalid, "something else than SHA-256");
}

#[test]
fn e06_the_certificate_is_bound_by_signing_certificate_v2() {
    let formed = |form, words| refused(|draft| draft.signing_certificate = form, TimestampInvalid, words);
    formed(SigningCertificate::Absent, "lacks the signed attribute signing-certificate-v2");
    formed(SigningCertificate::V1, "lacks the signed attribute signing-certificate-v2");
    formed(SigningCertificate::WrongHash, "the hash differs");
    formed(SigningCertificate::V2Sha1, "by a hash that is not");
    formed(SigningCertificate::WrongSerial, "names two certificates");
    formed(SigningCertificate::WrongIssuer, "names two certificates");
    let named = |named: Vec<u8>, code, words| {
        refused(attributes(|attributes| attributes[NAMES_CERTIFICATE] = named), code, words);
    };
    named(names_certificate(&[], &[]), TimestampInvalid, "the hash differs");
    let nothing = sequence(&[tlv(asn1::SEQUENCE, &[])]);
    named(attribute(SIGNING_CERTIFICATE_V2, &[nothing]), TimestampInvalid, "without certificate");
    named(attribute(SIGNING_CERTIFICATE_V2, &[asn1::null()]), TimestampMalformed, "");
    refused(
        |draft| {
            let hash = Digest::sha256(draft.authority.certificate());
            let serial = tlv(asn1::INTEGER, &draft.authority.serial());
            let elsewhere = sequence(&[sequence(&[tlv(0x82, b"x.example")]), serial]);
            let named = names_certificate(hash.bytes(), &elsewhere);
            attributes(|attributes| attributes[NAMES_CERTIFICATE] = named)(draft);
        },
        TimestampMalformed,
        "one directory name",
    );
    refused(|draft| drop(draft.certificates.remove(0)), TimestampInvalid, "does not carry the certificate");
    // Another certificate of the same key, by the same issuer, is not the one that signed.
    refused(
        |draft| {
            let authority = authority();
            let [signed, other] = [(); 2].map(|()| stamper(&authority, key(12), |_| Ok(())));
            *draft = draft_of(&signed);
            draft.signing_certificate = SigningCertificate::V2WithoutIssuer;
            keep_attributes(draft);
            draft.certificates.push(other.certificate().to_vec());
            draft.authority = other;
        },
        TimestampInvalid,
        "the hash differs",
    );
}

#[test]
fn e07_a_stamp_of_something_else_is_refused() {
    let stamped = |imprint| refused(|draft| draft.imprint = imprint, TimestampInvalid, "of something else");
    stamped(Imprint::sha256(b"the payload"));
    stamped(Imprint { hash: asn1::SHA256.to_owned(), digest: Vec::new() });
    stamped(Imprint { hash: asn1::SHA512.to_owned(), digest: Digest::sha256(MESSAGE).bytes().to_vec() });
}

#[test]
fn e08_a_stamp_over_a_broken_hash_is_refused() {
    for hash in [asn1::SHA1, "1.2.840.113549.2.5", "2.16.840.1.101.3.4.2.4", "1.2.3"] {
        let imprint = Imprint { hash: hash.to_owned(), digest: vec![0; 20] };
        refused(|draft| draft.imprint = imprint, TimestampInvalid, "over a hash that is not");
    }
    let parameters = info(|fields| {
        let algorithm = sequence(&[oid(asn1::SHA256), asn1::integer(1)]);
        fields[IMPRINT] = sequence(&[algorithm, octets(Digest::sha256(MESSAGE).bytes())]);
    });
    refused(parameters, TimestampMalformed, "a hash with parameters");
}

#[test]
fn e09_a_broken_tst_info_is_refused() {
    refused(|draft| draft.info_version = 2, TimestampMalformed, "another version than 1");
    refused(info(|fields| drop(fields.remove(GEN_TIME))), TimestampMalformed, "has not the parts of a TSTInfo");
    for text in ["20260601120000", "20260601120000+0000", "100000601120000Z", "20260631120000Z", "20260601120000.10Z"] {
        refused(|draft| draft.gen_time_text = Some(text.to_owned()), TimestampMalformed, "a time");
    }
    let mut draft = sound();
    draft.gen_time_text = Some("20260601120000.000000001Z".to_owned());
    assert_eq!(verified(&draft).unwrap().gen_time, TIME + Duration::NANOSECOND);
    refused(info(|fields| fields.push(asn1::null())), TimestampMalformed, "unknown or out of order");
    let nonce_first = info(|fields| fields.extend([asn1::integer(1), asn1::boolean(true)]));
    refused(nonce_first, TimestampMalformed, "out of order");
    refused(info(|fields| fields[POLICY] = asn1::null()), TimestampMalformed, "without a policy");
    let critical = |draft: &mut TimestampDraft| draft.extra.push(("1.2.3".to_owned(), true, Vec::new()));
    refused(critical, TimestampInvalid, "critical extension that is not known (1.2.3)");
}

#[test]
fn e10_an_accuracy_is_stated_or_follows_from_the_policy() {
    let accuracy = |policy: &str, stated: Option<Accuracy>| {
        let mut draft = sound();
        draft.policy = policy.to_owned();
        draft.accuracy = stated;
        verified(&draft).map(|stamp| stamp.accuracy).map_err(|failure| failure.code)
    };
    let parts = |seconds, millis, micros| Accuracy { seconds, millis, micros };
    assert_eq!(accuracy("1.2.3", None), Ok(Duration::ZERO));
    assert_eq!(accuracy(BASELINE_POLICY, None), Ok(Duration::SECOND));
    assert_eq!(accuracy(BASELINE_POLICY, Some(Accuracy::default())), Ok(Duration::SECOND));
    assert_eq!(accuracy(BASELINE_POLICY, Some(parts(None, Some(5), None))), Ok(Duration::milliseconds(5)));
    for out_of_bounds in
        [Accuracy::seconds(-1), Accuracy::seconds(1 << 31), parts(None, Some(1000), None), parts(None, None, Some(-1))]
    {
        assert_eq!(accuracy("1.2.3", Some(out_of_bounds)), Err(TimestampMalformed), "{out_of_bounds:?}");
    }
}

#[test]
fn e16_what_is_not_der_or_is_too_long_is_refused() {
    let sound = sound().sign().unwrap();
    let failure = |bytes: Vec<u8>| {
        let failure = Token(bytes).read().unwrap_err();
        assert_eq!(failure.code, TimestampMalformed);
        failure.message
    };
    assert!(failure([sound.clone(), vec![0]].concat()).contains("behind its end"));
    // The same, of indefinite length.
    let contents = &sound[4..];
    assert!(failure([&[0x30, 0x80], contents, &[0, 0]].concat()).contains("indefinite"));
    let bomb = (0..1000).fold(vec![5, 0], |inner, _| tlv(0x30, &inner));
    assert!(failure(bomb).contains("too deep"));
    assert!(failure(vec![0x30; 32 << 20]).contains("are read"));
    let broken = tlv(asn1::SEQUENCE, &[]);
    let many = |draft: &mut TimestampDraft| {
        draft.certificates = vec![broken.clone(); limits::TIMESTAMP_CERTIFICATES + 1];
    };
    refused(many, TimestampMalformed, "carries 33 certificates");
    refused(|draft| draft.certificates.push(broken), TimestampMalformed, "a broken certificate");
}

#[test]
fn no_flipped_bit_verifies() {
    let draft = sound();
    let sound = draft.sign().unwrap();
    let root = root_of(&draft);
    let roots = [&root];
    verify(&Token(sound.clone()), MESSAGE, &roots).unwrap();
    let mut passed = Vec::new();
    for position in 0..sound.len() {
        for bit in [0, 3, 7] {
            let mut flipped = sound.clone();
            flipped[position] ^= 1 << bit;
            if verify(&Token(flipped), MESSAGE, &roots).is_ok() {
                passed.push(position);
            }
        }
    }
    // The list of hashes that a reader in one pass would need says nothing that is not said and signed elsewhere: it
    // names SHA-256, in the first 60 bytes.
    assert!(passed.iter().all(|position| (20..60).contains(position)), "{passed:?}");
}

#[test]
fn no_bytes_make_it_panic() {
    use proptest::prelude::*;
    let draft = sound();
    let (sound, root) = (draft.sign().unwrap(), root_of(&draft));
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200))| {
        prop_assert!(verify(&Token(bytes), MESSAGE, &[]).is_err());
    });
    proptest!(|(start in 0..sound.len(), length in 0..64_usize, by in proptest::collection::vec(any::<u8>(), 0..64))| {
        let mut changed = sound.clone();
        let end = (start + length).min(changed.len());
        changed.splice(start..end, by);
        let _ = verify(&Token(changed), MESSAGE, &[&root]);
    });
}

/// RFC 5652, section 5.1: a token may carry CRLs. What is asked about its certificates is asked all the same.
#[test]
fn a_token_may_carry_crls() {
    let mut draft = sound();
    let root = root();
    draft.crls.push(
        crate::forge::CrlDraft::new(&root, time::macros::datetime!(2026-06-01 0:00 UTC)).sign(root.key()).unwrap(),
    );
    verified(&draft).unwrap();
}

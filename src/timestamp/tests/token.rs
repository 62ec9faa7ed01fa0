use time::Duration;

use super::draft::*;
use super::{refused, verified};
use crate::digest::{Algorithm, Digest};
use crate::failure::Code;
use crate::forge::{Key, KeyKind, Signer, tlv};
use crate::limits;
use crate::pki::Certificate;
use crate::timestamp::{Token, verify};

use Code::{TimestampInvalid, TimestampMalformed};

#[test]
fn a_sound_token_is_verified_whatever_the_key() {
    for kind in KeyKind::ALL {
        let signer = stamper(&authority(), Key::pooled(kind, 13).unwrap(), |_| Ok(()));
        let stamp = verified(&Draft::of(&signer)).unwrap();
        assert_eq!((stamp.gen_time, stamp.accuracy, stamp.nonce.as_deref()), (TIME, Duration::ZERO, None));
        let chain: Vec<_> = stamp.chain.iter().map(Certificate::der).collect();
        assert_eq!(chain, signer.chain);
        assert_eq!(stamp.authority().subject_text(), "CN=stamper,O=timekeeper,ST=WA,C=US");
    }
}

#[test]
fn what_may_differ_is_accepted() {
    let mut rsa = Draft::of(&stamper(&authority(), Key::pooled(KeyKind::Rsa2048, 13).unwrap(), |_| Ok(())));
    rsa.signature_algorithm = sequence(&[oid("1.2.840.113549.1.1.1"), vec![5, 0]]);
    verified(&rsa).unwrap();
    rsa.signature_algorithm = sequence(&[oid("1.2.840.113549.1.1.1")]);
    verified(&rsa).unwrap();
    rsa.signature_algorithm = sequence(&[oid("1.2.840.113549.1.1.13"), vec![5, 0]]);
    assert_eq!(verified(&rsa).unwrap_err().code, TimestampInvalid);

    let accepted = |change: &dyn Fn(&mut Draft)| {
        let mut draft = Draft::sound();
        change(&mut draft);
        verified(&draft).unwrap()
    };
    // Everything that is optional, in its order.
    let full = accepted(&|draft| {
        draft.info.push(sequence(&[vec![2, 1, 2], vec![0x80, 1, 5], vec![0x81, 1, 7]]));
        draft.info.push(vec![1, 1, 0xff]);
        draft.info.push(vec![2, 2, 0x7f, 1]);
        draft.info.push(tlv(0xa0, &[0x82, 1, b'x']));
        draft.info.push(tlv(0xa1, &sequence(&[oid("1.2.3"), octets(b"")])));
        draft.unsigned = tlv(0xa1, &attribute("1.2.3", &[vec![5, 0]]));
    });
    assert_eq!((full.accuracy, full.nonce), (Duration::microseconds(2_005_007), Some(vec![0x7f, 1])));
    // Strangers among the certificates, one of them twice; attribute certificates.
    accepted(&|draft| {
        draft.certificates.insert(0, root().certificate().to_vec());
        draft.certificates.push(stamper(&root(), key(19), |_| Ok(())).chain[0].clone());
        draft.certificates.push(draft.certificates[1].clone());
        draft.certificates.push(tlv(0xa2, &sequence(&[vec![2, 1, 1]])));
    });
    // Attributes in no order, and one that is not known.
    accepted(&|draft| {
        let mut attributes = draft.sound_attributes();
        attributes.reverse();
        attributes.push(attribute("1.2.3", &[vec![5, 0], vec![5, 0]]));
        draft.attributes = Some(attributes);
    });
    for time in [tlv(0x17, b"260601120001Z"), tlv(0x18, b"20260601120001Z")] {
        accepted(&|draft| {
            let mut attributes = draft.sound_attributes();
            attributes.push(attribute(SIGNING_TIME, std::slice::from_ref(&time)));
            draft.attributes = Some(attributes);
        });
    }
    // The certificate named by another hash, and by its issuer too.
    accepted(&|draft| {
        let leaf = draft.leaf();
        let hash = Digest::of(Algorithm::Sha512, leaf.der());
        let algorithm = sequence(&[oid("2.16.840.1.101.3.4.2.3")]);
        let named = sequence(&[algorithm, octets(hash.bytes()), issuer_serial(&leaf)]);
        let policies = sequence(&[]);
        let mut attributes = draft.sound_attributes();
        attributes[2] = attribute(SIGNING_CERTIFICATE_V2, &[sequence(&[sequence(&[named]), policies])]);
        draft.attributes = Some(attributes);
    });
    for (hash, name) in [(Algorithm::Sha384, "2.16.840.1.101.3.4.2.2"), (Algorithm::Sha512, "2.16.840.1.101.3.4.2.3")] {
        accepted(&|draft| draft.info[IMPRINT] = imprint(name, Digest::of(hash, MESSAGE).bytes()));
    }
}

#[test]
fn e02_what_is_not_signed_data_of_a_time_stamp_is_refused() {
    refused(|draft| draft.version = 1, TimestampMalformed, "another version than 3");
    refused(|draft| draft.content_type = "1.2.840.113549.1.7.1", TimestampMalformed, "does not hold a TSTInfo");
    let enveloped = sequence(&[oid("1.2.840.113549.1.7.3"), tlv(0xa0, &sequence(&[]))]);
    for bytes in [&b""[..], b"<html>", &enveloped, &sequence(&[]), &sequence(&[oid("1.2.840.113549.1.7.2")])] {
        let failure = verify(&Token(bytes.to_vec()), MESSAGE, &[]).unwrap_err();
        assert_eq!(failure.code, TimestampMalformed, "{bytes:02x?}: {failure}");
    }
}

#[test]
fn e03_there_is_exactly_one_signer_of_version_1() {
    refused(|draft| draft.signers = 0, TimestampMalformed, "exactly one signer");
    refused(|draft| draft.signers = 2, TimestampMalformed, "exactly one signer");
    refused(|draft| draft.signer_version = 3, TimestampMalformed, "not of version 1");
    refused(|draft| draft.id = tlv(0x80, b"key identifier"), TimestampMalformed, "by issuer and serial number");
}

#[test]
fn e04_without_signed_attributes_nothing_is_bound() {
    refused(|draft| draft.without_attributes = true, TimestampInvalid, "no signed attributes");
    refused(|draft| draft.attributes = Some(Vec::new()), TimestampMalformed, "a set of attributes without any");
}

/// What is signed is the SET OF the attributes in DER, which sorts them (RFC 5652, section 5.4).
#[test]
fn signed_attributes_are_hashed_in_the_order_of_der_whatever_the_token_has() {
    let in_order = |sorted: bool, as_they_stand: bool| {
        let mut draft = Draft::sound();
        let mut attributes = draft.sound_attributes();
        attributes.push(attribute("1.2.3", &[vec![4, 1, 1], vec![4, 1, 2]]));
        attributes.sort();
        if !sorted {
            attributes.reverse();
        }
        draft.attributes = Some(attributes);
        draft.signed_as_they_stand = as_they_stand;
        verified(&draft).map(drop).map_err(|failure| failure.code)
    };
    assert_eq!(in_order(true, true), Ok(()));
    assert_eq!(in_order(true, false), Ok(()));
    assert_eq!(in_order(false, false), Ok(()));
    assert_eq!(in_order(false, true), Err(TimestampInvalid));
    // The values of an attribute are a SET OF as well.
    let values = |values: [u8; 2], signed: [u8; 2]| {
        let of = |[one, two]: [u8; 2]| attribute("1.2.3", &[vec![4, 1, one], vec![4, 1, two]]);
        let mut draft = Draft::sound();
        let mut attributes = draft.sound_attributes();
        attributes.push(of(signed));
        draft.attributes = Some(attributes);
        let token = draft.seal();
        let (from, to) = (of(signed), of(values));
        let position = token.windows(from.len()).position(|window| window == from).unwrap();
        let token = [&token[..position], &to, &token[position + from.len()..]].concat();
        verify(&Token(token), MESSAGE, &[&draft.root]).map(drop).map_err(|failure| failure.code)
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
    let long_length = |draft: &mut Draft| {
        let mut attributes = draft.sound_attributes();
        let inside = attributes[0][2..].to_vec();
        attributes[0] = [&[0x30, 0x81, inside.len() as u8][..], &inside].concat();
        draft.attributes = Some(attributes);
    };
    refused(long_length, TimestampMalformed, "longer than needed");
    for unsigned in [vec![5, 0], sequence(&[oid("1.2.3")]), sequence(&[vec![5, 0], tlv(0x31, &[5, 0])]), Vec::new()] {
        refused(|draft| draft.unsigned = tlv(0xa1, &unsigned), TimestampMalformed, "attribute");
    }
}

#[test]
fn e05_content_type_and_message_digest_are_there_once_and_right() {
    let changed = |change: fn(&mut Vec<Vec<u8>>), words| {
        let apply = |draft: &mut Draft| {
            let mut attributes = draft.sound_attributes();
            change(&mut attributes);
            draft.attributes = Some(attributes);
        };
        refused(apply, TimestampInvalid, words);
    };
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
    refused(|draft| draft.digest_algorithm = SHA1, TimestampInvalid, "something else than SHA-256");
}

#[test]
fn e06_the_certificate_is_bound_by_signing_certificate_v2() {
    let named = |attribute: fn(&Certificate) -> Vec<u8>, code, words| {
        let apply = |draft: &mut Draft| {
            let mut attributes = draft.sound_attributes();
            attributes[2] = attribute(&draft.leaf());
            draft.attributes = Some(attributes);
        };
        refused(apply, code, words);
    };
    let lacks = "lacks the signed attribute signing-certificate-v2";
    named(|_| attribute("1.2.3", &[vec![5, 0]]), TimestampInvalid, lacks);
    named(
        |leaf| {
            attribute(
                SIGNING_CERTIFICATE,
                &[sequence(&[sequence(&[sequence(&[octets(&leaf.fingerprint().bytes()[..20])])])])],
            )
        },
        TimestampInvalid,
        lacks,
    );
    named(|_| names_certificate(&[0; 32], &[]), TimestampInvalid, "the hash differs");
    named(|_| names_certificate(&[], &[]), TimestampInvalid, "the hash differs");
    named(
        |_| attribute(SIGNING_CERTIFICATE_V2, &[sequence(&[sequence(&[])])]),
        TimestampInvalid,
        "without certificate",
    );
    named(|_| attribute(SIGNING_CERTIFICATE_V2, &[vec![5, 0]]), TimestampMalformed, "");
    named(
        |leaf| {
            let algorithm = sequence(&[oid(SHA1)]);
            let named = sequence(&[algorithm, octets(leaf.fingerprint().bytes())]);
            attribute(SIGNING_CERTIFICATE_V2, &[sequence(&[sequence(&[named])])])
        },
        TimestampInvalid,
        "by a hash that is not",
    );
    named(
        |leaf| {
            let issuing = Certificate::parse(authority().certificate()).unwrap();
            names_certificate(leaf.fingerprint().bytes(), &[issuer_serial(&issuing)])
        },
        TimestampInvalid,
        "names two certificates",
    );
    named(
        |leaf| {
            let elsewhere = sequence(&[sequence(&[tlv(0x82, b"x.example")]), tlv(2, leaf.serial())]);
            names_certificate(leaf.fingerprint().bytes(), &[elsewhere])
        },
        TimestampMalformed,
        "one directory name",
    );
    refused(
        |draft| {
            draft.attributes = Some(draft.sound_attributes());
            draft.certificates.pop();
        },
        TimestampInvalid,
        "does not carry the certificate",
    );
    // Another certificate of the same key, by the same issuer, is not the one that signed.
    refused(
        |draft| {
            let authority = authority();
            let [signed, other] = [(); 2].map(|()| stamper(&authority, key(12), |_| Ok(())));
            let parsed = |signer: &Signer| Certificate::parse(&signer.chain[0]).unwrap();
            let mut attributes = draft.sound_attributes();
            attributes[2] = names_certificate(parsed(&signed).fingerprint().bytes(), &[]);
            draft.attributes = Some(attributes);
            draft.id = sequence(&[parsed(&other).issuer_raw().to_vec(), tlv(2, parsed(&other).serial())]);
            draft.certificates = [&signed.chain[..2], &other.chain[..1]].concat();
        },
        TimestampInvalid,
        "the hash differs",
    );
}

#[test]
fn e07_a_stamp_of_something_else_is_refused() {
    let other = |draft: &mut Draft| draft.info[IMPRINT] = imprint(SHA256, Digest::sha256(b"the payload").bytes());
    refused(other, TimestampInvalid, "of something else than this signature");
    refused(|draft| draft.info[IMPRINT] = imprint(SHA256, &[]), TimestampInvalid, "of something else");
    refused(
        |draft| draft.info[IMPRINT] = imprint("2.16.840.1.101.3.4.2.3", Digest::sha256(MESSAGE).bytes()),
        TimestampInvalid,
        "of something else",
    );
}

#[test]
fn e08_a_stamp_over_a_broken_hash_is_refused() {
    for algorithm in [SHA1, "1.2.840.113549.2.5", "2.16.840.1.101.3.4.2.4", "1.2.3"] {
        refused(
            |draft| draft.info[IMPRINT] = imprint(algorithm, &[0; 20]),
            TimestampInvalid,
            "over a hash that is not",
        );
    }
    let parameters = |draft: &mut Draft| {
        let algorithm = sequence(&[oid(SHA256), vec![2, 1, 1]]);
        draft.info[IMPRINT] = sequence(&[algorithm, octets(Digest::sha256(MESSAGE).bytes())]);
    };
    refused(parameters, TimestampMalformed, "a hash with parameters");
}

#[test]
fn e09_a_broken_tst_info_is_refused() {
    refused(|draft| draft.info[0] = vec![2, 1, 2], TimestampMalformed, "another version than 1");
    refused(|draft| drop(draft.info.remove(GEN_TIME)), TimestampMalformed, "has not the parts of a TSTInfo");
    for text in ["20260601120000", "20260601120000+0000", "100000601120000Z", "20260631120000Z", "20260601120000.10Z"] {
        refused(|draft| draft.info[GEN_TIME] = generalized(text), TimestampMalformed, "a time");
    }
    let mut draft = Draft::sound();
    draft.info[GEN_TIME] = generalized("20260601120000.000000001Z");
    assert_eq!(verified(&draft).unwrap().gen_time, TIME + Duration::NANOSECOND);
    refused(|draft| draft.info.push(vec![5, 0]), TimestampMalformed, "unknown or out of order");
    refused(|draft| draft.info.extend([vec![2, 1, 1], vec![1, 1, 0xff]]), TimestampMalformed, "out of order");
    refused(|draft| draft.info[POLICY] = vec![5, 0], TimestampMalformed, "without a policy");
    let critical = |draft: &mut Draft| {
        draft.info.push(tlv(0xa1, &sequence(&[oid("1.2.3"), vec![1, 1, 0xff], octets(b"")])));
    };
    refused(critical, TimestampInvalid, "critical extension that is not known (1.2.3)");
}

#[test]
fn e10_an_accuracy_is_stated_or_follows_from_the_policy() {
    let accuracy = |policy: &str, stated: Option<Vec<u8>>| {
        let mut draft = Draft::sound();
        draft.info[POLICY] = oid(policy);
        draft.info.extend(stated);
        verified(&draft).map(|stamp| stamp.accuracy).map_err(|failure| failure.code)
    };
    const BASELINE: &str = "0.4.0.2023.1.1";
    assert_eq!(accuracy("1.2.3", None), Ok(Duration::ZERO));
    assert_eq!(accuracy(BASELINE, None), Ok(Duration::SECOND));
    assert_eq!(accuracy(BASELINE, Some(sequence(&[]))), Ok(Duration::SECOND));
    assert_eq!(accuracy(BASELINE, Some(sequence(&[vec![0x80, 1, 5]]))), Ok(Duration::milliseconds(5)));
    for out_of_bounds in [vec![2, 1, 0xff], vec![2, 5, 0, 0x80, 0, 0, 0], vec![0x80, 2, 3, 0xe8], vec![0x81, 1, 0xff]] {
        assert_eq!(accuracy("1.2.3", Some(sequence(&[out_of_bounds]))), Err(TimestampMalformed));
    }
}

#[test]
fn e16_what_is_not_der_or_is_too_long_is_refused() {
    let sound = Draft::sound().seal();
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
    let many = |draft: &mut Draft| {
        draft.attributes = Some(draft.sound_attributes());
        draft.certificates = vec![sequence(&[]); limits::TIMESTAMP_CERTIFICATES + 1];
    };
    refused(many, TimestampMalformed, "carries 33 certificates");
    refused(
        |draft| {
            draft.attributes = Some(draft.sound_attributes());
            draft.certificates.push(sequence(&[]));
        },
        TimestampMalformed,
        "a broken certificate",
    );
}

#[test]
fn no_flipped_bit_verifies() {
    let draft = Draft::sound();
    let sound = draft.seal();
    let roots = [&draft.root];
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
    let draft = Draft::sound();
    let sound = draft.seal();
    proptest!(|(bytes in proptest::collection::vec(any::<u8>(), 0..200))| {
        prop_assert!(verify(&Token(bytes), MESSAGE, &[]).is_err());
    });
    proptest!(|(start in 0..sound.len(), length in 0..64_usize, by in proptest::collection::vec(any::<u8>(), 0..64))| {
        let mut changed = sound.clone();
        let end = (start + length).min(changed.len());
        changed.splice(start..end, by);
        let _ = verify(&Token(changed), MESSAGE, &[&draft.root]);
    });
}

/// RFC 5652, section 5.1: a token may carry CRLs. What is asked about its certificates is asked all the same.
#[test]
fn a_token_may_carry_crls() {
    let mut draft = Draft::sound();
    let root = root();
    draft.crls.push(
        crate::forge::CrlDraft::new(&root, time::macros::datetime!(2026-06-01 0:00 UTC)).sign(root.key()).unwrap(),
    );
    verified(&draft).unwrap();
}

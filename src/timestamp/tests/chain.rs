#![allow(clippy::unit_arg, reason = "a table of changes reads better with each on its line")]

use time::Duration;
use time::macros::datetime;
use x509_cert::ext::pkix::KeyUsages;

use super::*;
use crate::forge::{ExtensionKind, Validity, basic_constraints, extended_key_usage, extension, key_usage};
use crate::pki::check_timestamping_leaf;

use Code::{TimestampCertificate, TimestampInvalid, TimestampUntrusted};

type Change = fn(&mut CertificateDraft) -> Result<(), ForgeError>;

fn until(day: time::OffsetDateTime) -> Validity {
    Validity { not_after: day, ..Validity::default() }
}

#[test]
fn e11_the_whole_range_lies_in_the_validity_to_the_nanosecond() {
    let (from, until) = (datetime!(2026-01-01 0:00 UTC), datetime!(2026-12-31 23:59:59 UTC));
    let certificate = |validity| {
        let signer = stamper(&root(), key(12), |draft| draft.set_validity(validity));
        parsed(signer.certificate())
    };
    let signing = [certificate(Validity { not_before: from, not_after: until }), certificate(Validity::default())];
    let sound = verified(&sound()).unwrap();
    let within = |gen_time, accuracy| {
        let stamp = VerifiedTimestamp { gen_time, accuracy, ..sound.clone() };
        stamp.check_within(&signing).map_err(|failure| failure.code)
    };
    let nanosecond = Duration::NANOSECOND;
    for accuracy in [Duration::ZERO, nanosecond, Duration::SECOND, Duration::DAY] {
        assert_eq!(within(from + accuracy, accuracy), Ok(()));
        assert_eq!(within(until - accuracy, accuracy), Ok(()));
        assert_eq!(within(from + accuracy - nanosecond, accuracy), Err(Code::CertificateNotYetValid));
        assert_eq!(within(until - accuracy + nanosecond, accuracy), Err(Code::CertificateExpired));
    }
    assert_eq!(within(datetime!(9999-12-31 23:59:59 UTC), Duration::DAY), Err(Code::CertificateExpired));
    assert_eq!(within(TIME, Duration::seconds(i32::MAX.into())), Err(Code::CertificateNotYetValid));
    let stamp = VerifiedTimestamp { gen_time: until, accuracy: Duration::milliseconds(1500), ..sound };
    let message = stamp.check_within(&signing).unwrap_err().message;
    assert!(message.ends_with("and the time stamp is of 2026-12-31T23:59:59Z ± 1.5 s"), "{message}");
}

#[test]
fn e12_the_certificate_of_the_authority_obeys_its_rules() {
    let leaves: &[(Change, &str)] = &[
        (|draft| Ok(draft.remove(ExtensionKind::ExtendedKeyUsage)), "has no extended key usage"),
        (|draft| Ok(draft.set(extended_key_usage(&[TIME_STAMPING], false)?)), "is not critical"),
        (|draft| Ok(draft.set(extended_key_usage(&[TIME_STAMPING, "1.3.6.1.5.5.7.3.3"], true)?)), "timeStamping alone"),
        (|draft| Ok(draft.set(extended_key_usage(&[TIME_STAMPING, "1.2.3"], true)?)), "timeStamping alone"),
        (|draft| Ok(draft.set(extended_key_usage(&["2.5.29.37.0"], true)?)), "timeStamping alone"),
        (|draft| Ok(draft.remove(ExtensionKind::KeyUsage)), "has no key usage"),
        (|draft| Ok(draft.set(key_usage(KeyUsages::NonRepudiation, true)?)), "does not include digitalSignature"),
        (
            |draft| Ok(draft.set(key_usage(KeyUsages::DigitalSignature | KeyUsages::KeyCertSign, true)?)),
            "key usage includes keyCertSign",
        ),
        (|draft| Ok(draft.set(basic_constraints(true, None, true)?)), "is a certificate authority"),
        (
            |draft| Ok(draft.add(extension("1.2.3", true, &[5, 0])?)),
            "critical extension that is not heeded here (1.2.3)",
        ),
        (|draft| draft.set_validity(until(TIME - Duration::SECOND)), "is valid from"),
        (
            |draft| draft.set_validity(Validity { not_before: TIME + Duration::SECOND, ..Validity::default() }),
            "is valid from",
        ),
    ];
    for (change, words) in leaves {
        let signer = stamper(&authority(), key(12), change);
        assert_refused(&draft_of(&signer), TimestampCertificate, words);
    }
    // Valid then, and not any more; valid from and until that very second; a key usage that is not critical.
    let sound: &[Change] = &[
        |draft| draft.set_validity(until(TIME + Duration::DAY)),
        |draft| draft.set_validity(Validity { not_before: TIME, not_after: TIME }),
        |draft| Ok(draft.set(key_usage(KeyUsages::DigitalSignature | KeyUsages::NonRepudiation, false)?)),
        |draft| Ok(draft.add(extension("1.2.3", false, &[5, 0])?)),
        |draft| Ok(draft.add(extension("2.5.29.32", true, &sequence(&[sequence(&[oid("1.2.3")])]))?)),
    ];
    for change in sound {
        verified(&draft_of(&stamper(&authority(), key(12), change))).unwrap();
    }
}

#[test]
fn e12_the_authorities_above_obey_theirs() {
    let changes: &[(Change, &str)] = &[
        (|draft| Ok(draft.set(basic_constraints(true, None, false)?)), "not critical"),
        (|draft| Ok(draft.remove(ExtensionKind::KeyUsage)), "has no key usage"),
        (|draft| Ok(draft.set(extended_key_usage(&["1.3.6.1.5.5.7.3.3"], false)?)), "does not include timeStamping"),
        (|draft| Ok(draft.add(extension("1.2.3", true, &[5, 0])?)), "critical extension"),
        (|draft| draft.set_validity(until(TIME - Duration::SECOND)), "is valid from"),
    ];
    for (change, words) in changes {
        let issuing = root().intermediate_with("C=US, ST=WA, O=timekeeper, CN=issuing", key(11), change).unwrap();
        assert_refused(&draft_of(&stamper(&issuing, key(12), |_| Ok(()))), TimestampCertificate, words);
        let root = Authority::root_with("C=US, ST=WA, O=timekeeper, CN=root", key(10), change).unwrap();
        assert_refused(&draft_of(&stamper(&root, key(12), |_| Ok(()))), TimestampCertificate, words);
    }
    let not_critical: Change = |draft| Ok(draft.set(key_usage(KeyUsages::KeyCertSign, false)?));
    let limited: Change = |draft| Ok(draft.set(extended_key_usage(&[TIME_STAMPING, "1.2.3"], false)?));
    for change in [not_critical, limited] {
        let issuing = root().intermediate_with("C=US, ST=WA, O=timekeeper, CN=issuing", key(11), change).unwrap();
        verified(&draft_of(&stamper(&issuing, key(12), |_| Ok(())))).unwrap();
    }
    let narrow = Authority::root_with("C=US, ST=WA, O=timekeeper, CN=root", key(10), |draft| {
        Ok(draft.set(basic_constraints(true, Some(0), true)?))
    });
    let issuing = narrow.unwrap().intermediate("C=US, ST=WA, O=timekeeper, CN=issuing", key(11)).unwrap();
    assert_refused(&draft_of(&stamper(&issuing, key(12), |_| Ok(()))), TimestampCertificate, "path length is 0");
}

#[test]
fn e12_sha_1_in_the_chain_is_refused() {
    let sha1: Change = |draft| draft.set_algorithm("1.2.840.10045.4.1", false);
    let draft = draft_of(&stamper(&authority(), key(12), sha1));
    assert_refused(&draft, TimestampCertificate, "signed over SHA-1");
    let mut draft = sound();
    draft.algorithm = Some(sequence(&[oid("1.2.840.10045.4.1")]));
    assert_refused(&draft, TimestampInvalid, "signed over SHA-1");
}

#[test]
fn e13_only_a_root_byte_for_byte_is_trusted() {
    let draft = sound();
    let token = signed(&draft);
    let stranger = Authority::root("C=US, ST=WA, O=timekeeper, CN=root", key(18)).unwrap();
    let again = Authority::root_with("C=US, ST=WA, O=timekeeper, CN=root", key(10), |draft| draft.set_serial(&[99]));
    let own_root = root_of(&draft);
    let (stranger, again) = (parsed(stranger.certificate()), parsed(again.unwrap().certificate()));
    let code = |roots: &[&Certificate]| verify(&token, MESSAGE, roots).map_err(|failure| failure.code).map(|_| ());
    assert_eq!(code(&[]), Err(TimestampUntrusted));
    assert_eq!(code(&[&stranger]), Err(TimestampUntrusted));
    assert_eq!(code(&[&stranger, &own_root]), Ok(()));
    // The same key under another certificate is a root like any other: what counts is whom the stores hold.
    let stamp = verify(&token, MESSAGE, &[&again]).unwrap();
    assert_eq!(stamp.chain.last(), Some(&again));
    // An intermediate is no root, and neither is a root that the token brings along.
    let mut with_root = draft.clone();
    with_root.certificates.push(own_root.der().to_vec());
    let token = signed(&with_root);
    assert_eq!(verify(&token, MESSAGE, &[&stranger]).unwrap_err().code, TimestampUntrusted);
}

/// The root that the store holds has expired; the token brings along another certificate of the same name and key that has
/// not. Name and key make no root: what the store holds is what counts.
#[test]
fn e13_a_certificate_with_the_name_and_the_key_of_a_root_is_none() {
    let expired = Authority::root_with("C=US, ST=WA, O=timekeeper, CN=root", key(10), |draft| {
        draft.set_validity(until(TIME - Duration::SECOND))
    });
    let expired = parsed(expired.unwrap().certificate());
    let mut draft = sound();
    let own_root = root_of(&draft);
    draft.certificates.push(own_root.der().to_vec());
    let token = signed(&draft);
    assert_eq!(verify(&token, MESSAGE, &[&expired]).unwrap_err().code, TimestampCertificate);
    assert!(verify(&token, MESSAGE, &[&own_root]).is_ok());
}

/// The serial number zero of an authority that makes time stamps, as of any other certificate.
#[test]
fn an_authority_with_the_serial_number_zero_stamps() {
    let signer = stamper(&authority(), key(12), |draft| draft.set_serial(&[0]));
    verified(&draft_of(&signer)).unwrap();
    for serial in [&[0x80][..], &[0x7f; 21]] {
        let signer = stamper(&authority(), key(12), |draft| draft.set_serial(serial));
        let mut draft = sound();
        keep_attributes(&mut draft);
        draft.certificates = signer.chain[..2].to_vec();
        assert!(verified(&draft).is_err(), "{serial:02x?}");
    }
}

#[test]
fn e14_an_intermediate_that_is_missing_is_not_looked_for() {
    refused(|draft| drop(draft.certificates.pop()), TimestampUntrusted, "does not lead to a root");
}

#[test]
fn the_signature_is_that_of_the_certificate() {
    refused(|draft| draft.signing_key = Some(key(17)), TimestampInvalid, "does not verify with the key");
    refused(|draft| draft.algorithm = Some(sequence(&[oid("1.3.101.113")])), TimestampInvalid, "not supported");
    refused(|draft| draft.algorithm = Some(sequence(&[oid("1.3.101.112")])), TimestampInvalid, "does not verify");
    refused(|draft| draft.algorithm = Some(tlv(asn1::SEQUENCE, &[])), Code::TimestampMalformed, "signature algorithm");
}

#[test]
fn a_signing_time_must_not_contradict() {
    let at = |time: Vec<u8>| attributes(|attributes| attributes.push(attribute(SIGNING_TIME, &[time])));
    refused(at(tlv(0x17, b"190601120000Z")), TimestampCertificate, "when the certificate");
    refused(at(tlv(0x18, b"20610601120000Z")), TimestampCertificate, "when the certificate");
    for time in [tlv(0x17, b"260601120000+0000"), tlv(0x17, b""), tlv(0x18, b"2026Z"), vec![5, 0]] {
        refused(at(time), Code::TimestampMalformed, "a signing time that is not a time");
    }
}

#[test]
fn keys_of_other_kinds_do_not_stamp() {
    let signer = stamper(&authority(), key(12), |draft| draft.set_public_key(OTHER_KEY));
    let leaf = parsed(signer.certificate());
    assert_eq!(check_timestamping_leaf(&leaf).unwrap_err().code, Code::KeyUnsupported);
    let leaf = parsed(sound().authority.certificate());
    assert_eq!(check_timestamping_leaf(&leaf), Ok(()));
}

/// A point on secp256k1.
const OTHER_KEY: &[u8] = &[
    0x30, 0x56, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00,
    0x0a, 0x03, 0x42, 0x00, 0x04, 0x79, 0xbe, 0x66, 0x7e, 0xf9, 0xdc, 0xbb, 0xac, 0x55, 0xa0, 0x62, 0x95, 0xce, 0x87,
    0x0b, 0x07, 0x02, 0x9b, 0xfc, 0xdb, 0x2d, 0xce, 0x28, 0xd9, 0x59, 0xf2, 0x81, 0x5b, 0x16, 0xf8, 0x17, 0x98, 0x48,
    0x3a, 0xda, 0x77, 0x26, 0xa3, 0xc4, 0x65, 0x5d, 0xa4, 0xfb, 0xfc, 0x0e, 0x11, 0x08, 0xa8, 0xfd, 0x17, 0xb4, 0x48,
    0xa6, 0x85, 0x54, 0x19, 0x9c, 0x47, 0xd0, 0x8f, 0xfb, 0x10, 0xd4, 0xb8,
];

#[test]
fn a_search_without_end_comes_to_one() {
    // Many authorities of one name and one key, each of which could have issued every other.
    let name = "C=US, ST=WA, O=maze, CN=maze";
    let root = Authority::root(name, key(15)).unwrap();
    let signer = stamper(&root, key(12), |_| Ok(()));
    let mut draft = draft_of(&signer);
    for _ in 0..20 {
        draft.certificates.push(root.intermediate(name, key(15)).unwrap().certificate().to_vec());
    }
    // What the tests trust is the last of these.
    draft.authority.chain.push(super::root().certificate().to_vec());
    // So it says when it has verified as many signatures as it may, and then only.
    assert_refused(&draft, TimestampUntrusted, "too many");
    draft.certificates.truncate(4);
    assert_refused(&draft, TimestampUntrusted, "does not lead to a root");
}

//! D23–D26: times, numbers, encodings, and two certificates that are not one.

use muster::forge::Validity;
use muster::pki::Certificate;
use time::macros::datetime;

use super::*;

type Alter = fn(Vec<u8>) -> Vec<u8>;

#[test]
fn d23_validity_that_is_not_nested() {
    let mut request = request();
    request.validity =
        Validity { not_before: datetime!(1990-01-01 0:00 UTC), not_after: datetime!(2100-01-01 0:00 UTC) };
    passes(&middle().issue(request).unwrap().chain);
}

/// A chain does not know the time. What is not valid now, or never, is left to the check of the time stamp.
#[test]
fn d24_validity_is_not_judged_here() {
    for (from, to) in [
        (datetime!(2000-01-01 0:00 UTC), datetime!(2001-01-01 0:00 UTC)),
        (datetime!(2200-01-01 0:00 UTC), datetime!(2201-01-01 0:00 UTC)),
        (datetime!(2001-01-01 0:00 UTC), datetime!(2000-01-01 0:00 UTC)),
    ] {
        let mut request = request();
        request.validity = Validity { not_before: from, not_after: to };
        let chain = passes(&middle().issue(request).unwrap().chain);
        assert_eq!((chain.leaf().not_before(), chain.leaf().not_after()), (from, to));
    }
}

/// RFC 5280, section 4.1.2.2: no authority should give it, and who meets it handles it gracefully.
#[test]
fn d25_the_serial_number_zero_passes() {
    let zero = |draft: &mut CertificateDraft| draft.set_serial(&[0]);
    for chain in [with_leaf(zero), with_middle(zero), with_root(zero)] {
        passes(&chain);
    }
    passes(&Signer::self_signed_with(request(), zero).unwrap().chain);
}

#[test]
fn d25_numbers_times_and_encodings() {
    for (serial, message) in [
        (&[0x80][..], "has a negative serial number"),
        (&[0xff], "has a negative serial number"),
        (&[0x7f; 21], "it has a serial number of more than 20 bytes"),
    ] {
        let change = |draft: &mut CertificateDraft| draft.set_serial(serial);
        for chain in [with_leaf(change), with_middle(change), with_root(change)] {
            fails(&chain, Code::CertificateMalformed, message);
        }
    }
    let altered = |alter: Alter| {
        with_middle(|draft| {
            draft.alter_tbs = Some(alter);
            Ok(())
        })
    };
    let times: [(Alter, &str); 5] = [
        // No seconds; an offset; a fraction; a GeneralizedTime where UTCTime belongs; and the last moment there is.
        (|tbs| replace(tbs, &time(0x17, "200101000000Z"), &time(0x17, "2001010000Z")), "not whole seconds in UTC"),
        (
            |tbs| replace(tbs, &time(0x17, "200101000000Z"), &time(0x17, "200101000000+0000")),
            "not whole seconds in UTC",
        ),
        (
            |tbs| replace(tbs, &time(0x18, "20600101000000Z"), &time(0x18, "20600101000000.5Z")),
            "not whole seconds in UTC",
        ),
        (
            |tbs| replace(tbs, &time(0x17, "200101000000Z"), &time(0x18, "20200101000000Z")),
            "it has a GeneralizedTime before 2050",
        ),
        (
            |tbs| replace(tbs, &time(0x17, "200101000000Z"), &time(0x04, "200101000000Z")),
            "neither UTCTime nor GeneralizedTime",
        ),
    ];
    for (alter, message) in times {
        fails(&altered(alter), Code::CertificateMalformed, message);
    }
    passes(&altered(|tbs| replace(tbs, &time(0x18, "20600101000000Z"), &time(0x18, "99991231235959Z"))));

    for (alter, message) in [
        // A length in two bytes where one does, an indefinite one, and bytes behind the end.
        ((|der| [&[0x30, 0x83, 0x00], &der[2..]].concat()) as Alter, "a length that is longer than needed"),
        (|der| [&[0x30, 0x80], &der[4..], &[0, 0]].concat(), "indefinite length"),
        (|der| [der.as_slice(), b"\n"].concat(), "bytes behind its end"),
        (|der| der[..der.len() - 1].to_vec(), "ends in the middle of a value"),
        (|_| Vec::new(), "ends in the middle of a value"),
    ] {
        for position in 0..3 {
            let mut chain = sound();
            chain[position] = alter(std::mem::take(&mut chain[position]));
            fails(&chain, Code::CertificateMalformed, message);
            fails(&chain, Code::CertificateMalformed, &format!("certificate {} of 3 in the chain", position + 1));
        }
    }
}

fn time(tag: u8, text: &str) -> Vec<u8> {
    tlv(tag, text.as_bytes())
}

/// Puts `to` in the place of `from` inside the validity of a certificate about to be signed.
fn replace(tbs: Vec<u8>, from: &[u8], to: &[u8]) -> Vec<u8> {
    let both = [time(0x17, "200101000000Z"), time(0x18, "20600101000000Z")].concat();
    let validity = tlv(0x30, &both);
    let start = tbs.windows(validity.len()).position(|window| window == validity).unwrap();
    let place = both.windows(from.len()).position(|window| window == from).unwrap();
    let changed = tlv(0x30, &[&both[..place], to, &both[place + from.len()..]].concat());
    tlv(0x30, &[&tbs[4..start], &changed, &tbs[start + validity.len()..]].concat())
}

/// Trust is in bytes: a root issued again for the same key is another certificate.
#[test]
fn d26_root_issued_again() {
    let again = Authority::root_with(ROOT, key(0), |draft| draft.set_serial(&[77])).unwrap();
    let mut chain = sound();
    chain[2] = again.certificate().to_vec();
    let (old, new) = (passes(&sound()), passes(&chain));
    let (old, new) = (&old.certificates()[2], &new.certificates()[2]);
    assert_eq!(old.subject_raw(), new.subject_raw());
    assert_eq!(old.subject_key(), new.subject_key());
    assert_ne!(old, new);
    assert_ne!(Certificate::parse(old.der()).unwrap(), *new);
}

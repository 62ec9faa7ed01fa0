//! Base CRLs: who signed them, when, for what, and what they list.

use time::macros::datetime;

use super::*;
use crate::forge::{extension as certificate_extension, key_usage};
use x509_cert::ext::pkix::KeyUsages;

const MAY: OffsetDateTime = datetime!(2026-05-01 0:00 UTC);

fn world() -> World {
    World::new(&[CRL], &[])
}

/// A world with this CRL in it.
fn given(change: impl FnOnce(&mut CrlAnswer)) -> World {
    let world = world();
    let crl = world.crl().with(change).sign();
    world.serve(CRL, crl)
}

fn listing(reason: Option<u8>, at: OffsetDateTime) -> World {
    let world = world();
    let entry = Entry::new(world.leaf().serial(), at, reason);
    let crl = world.crl().with(|crl| crl.entries.push(entry)).sign();
    world.serve(CRL, crl)
}

#[test]
fn a_crl_is_asked_for_and_kept_once_it_is_good() {
    let world = world();
    let lacking = world.evaluate();
    assert_eq!(lacking.needs, [world.need(CRL)]);
    assert_eq!(lacking.accepted, []);
    world.assert(Status::Unavailable, "has not been asked yet");

    let base = Answer::new(world.crl().sign());
    let world = world.serve(CRL, base.bytes().to_vec());
    world.assert(Status::Good, "");
    let found = world.evaluate();
    assert_eq!(
        (found.needs, found.accepted),
        (vec![], vec![Accepted { need: world.need(CRL), answer: base, delta: None, before: Vec::new() }])
    );
    assert_eq!(found.certificates[1].status, Status::NotCheckable);
    // A list may be empty, and every kind of key may sign it.
    given(|crl| crl.entries.clear()).assert(Status::Good, "");
    for kind in KeyKind::ALL {
        let root = Authority::root("C=US, ST=WA, O=wabbit, CN=Root", Key::pooled(kind, 0).unwrap()).unwrap();
        let world = World::of(root, &[CRL], &[]);
        let crl = world.crl().sign();
        world.serve(CRL, crl).assert(Status::Good, "");
    }
}

#[test]
fn f01_a_crl_counts_only_if_the_issuer_signed_it_and_may() {
    given(|crl| crl.key = key(5)).assert(Status::Unknown, "does not verify");
    let other = Authority::root("C=US, ST=WA, O=other, CN=Root", key(0)).unwrap();
    given(|crl| crl.issuer = CrlAnswer::new(&other).issuer).assert(Status::Unknown, "not by who issued");
    // The leaf's own key, under its own name.
    let from = world();
    let (name, signed) = (from.leaf().subject_raw().to_vec(), key(2));
    given(|crl| (crl.issuer, crl.key) = (name, signed)).assert(Status::Unknown, "not by who issued");

    let root = Authority::root_with("C=US, ST=WA, O=wabbit, CN=Root", key(0), |draft| {
        draft.set(key_usage(KeyUsages::KeyCertSign, true)?);
        Ok(())
    });
    let without = World::of(root.unwrap(), &[CRL], &[]);
    let crl = without.crl().sign();
    without.serve(CRL, crl).assert(Status::Unknown, "cRLSign");
    let root = Authority::root_with("C=US, ST=WA, O=wabbit, CN=Root", key(0), |draft| {
        draft.remove(crate::forge::ExtensionKind::KeyUsage);
        Ok(())
    });
    let silent = World::of(root.unwrap(), &[CRL], &[]);
    let crl = silent.crl().sign();
    silent.serve(CRL, crl).assert(Status::Good, "");

    let sha1 = answers::sequence(&[answers::oid("1.2.840.10045.4.1")]);
    given(|crl| crl.algorithm = sha1).assert(Status::Unknown, "SHA-1");
    let null = answers::sequence(&[answers::oid("1.2.840.10045.4.3.2"), tlv(0x05, &[])]);
    given(|crl| crl.algorithm = null).assert(Status::Unknown, "parameters");
}

#[test]
fn f02_a_crl_must_not_be_out_of_date() {
    let second = Duration::seconds(1);
    given(|crl| crl.next_update = Some(NOW)).assert(Status::Good, "");
    given(|crl| crl.next_update = Some(NOW - second)).assert(Status::Unknown, "out of date");
    given(|crl| crl.next_update = None).assert(Status::Unknown, "when the next one is due");
    assert_eq!(given(|crl| crl.next_update = Some(NOW - second)).evaluate().accepted, []);
}

#[test]
fn f04_a_critical_extension_that_is_not_understood_makes_a_crl_worthless() {
    let unknown = |critical| extension("1.2.3.4", critical, &tlv(0x05, &[]));
    given(|crl| crl.extra.push(unknown(true))).assert(Status::Unknown, "1.2.3.4");
    given(|crl| crl.extra.push(unknown(false))).assert(Status::Good, "");
    // In the entry of any certificate.
    given(|crl| crl.entries[0].extra.push(unknown(true))).assert(Status::Unknown, "1.2.3.4");
    given(|crl| crl.entries[0].extra.push(unknown(false))).assert(Status::Good, "");
    // An object identifier longer than any number.
    let long = [&[0x2a_u8][..], &[0xff; 40], &[1]].concat();
    let long = answers::sequence(&[tlv(0x06, &long), tlv(0x01, &[0xff]), tlv(0x04, &[])]);
    given(|crl| crl.extra.push(long)).assert(Status::Unknown, "not understood");
    let certificate_issuer = extension("2.5.29.29", true, &tlv(0x30, &[]));
    given(|crl| crl.entries[0].extra.push(certificate_issuer)).assert(Status::Unknown, "2.5.29.29");
    given(|crl| crl.extra = vec![unknown(false), unknown(false)]).assert(Status::Unknown, "twice");
}

#[test]
fn f05_a_crl_of_another_scope_is_worthless() {
    let scope = |value: &[u8]| extension("2.5.29.28", true, value);
    given(|crl| crl.extra.push(scope(&[0x30, 3, 0x85, 1, 0xff]))).assert(Status::Unknown, "attribute certificates");
    given(|crl| crl.extra.push(scope(&[0x30, 3, 0x82, 1, 0xff]))).assert(Status::Unknown, "authorities only");
    given(|crl| crl.extra.push(scope(&[0x30, 3, 0x84, 1, 0xff]))).assert(Status::Unknown, "indirect");
    given(|crl| crl.extra.push(scope(&[0x30, 4, 0x83, 2, 5, 0x60]))).assert(Status::Unknown, "some reasons");
    given(|crl| crl.extra.push(scope(&[0x30, 3, 0x81, 1, 0xff]))).assert(Status::Good, "");
    let named = |url: &str| tlv(0x30, &tlv(0xa0, &tlv(0xa0, &tlv(0x86, url.as_bytes()))));
    given(|crl| crl.extra.push(scope(&named(CRL)))).assert(Status::Good, "");
    given(|crl| crl.extra.push(scope(&named(DELTA)))).assert(Status::Unknown, "another distribution point");
}

#[test]
fn f07_any_reason_but_a_lifted_hold_revokes() {
    let future = NOW + Duration::days(300);
    for reason in [None, Some(0), Some(1), Some(2), Some(3), Some(4), Some(5), Some(6), Some(9), Some(10), Some(99)] {
        listing(reason, MAY).assert(revoked(MAY), "says so since 2026-05-01T00:00:00Z");
        listing(reason, future).assert(revoked(future), "");
    }
    listing(Some(8), MAY).assert(Status::Good, "");
    listing(Some(0xff), MAY).assert(Status::Unknown, "reason");
    // What is listed is the number, not its beginning or end.
    let world = world();
    let serial = world.leaf().serial();
    let [longer, other] = [[serial, &[0]].concat(), [&[1], serial].concat()];
    let entries = [longer, other].iter().map(|serial| Entry::new(serial, MAY, None)).collect();
    let crl = world.crl().listing(entries).sign();
    world.clone().serve(CRL, crl).assert(Status::Good, "");
}

#[test]
fn f08_what_became_bad_after_the_signature_counts_only_without_an_authentic_time() {
    let mut world = world();
    let entry = Entry { invalid_from: Some(MAY), ..Entry::new(world.leaf().serial(), MAY, Some(1)) };
    let crl = world.crl().listing(vec![entry]).sign();
    world = world.serve(CRL, crl);
    world.assert(revoked(MAY), "keyCompromise");
    world.authentic = Some(MAY);
    world.assert(revoked(MAY), "");
    world.authentic = Some(MAY - Duration::seconds(1));
    world.assert(Status::Good, "");
}

#[test]
fn f09_a_crl_of_the_limit_is_over_it() {
    let world = world();
    let longest = usize::try_from(crate::limits::CRL_BYTES).unwrap();
    world.clone().serve(CRL, vec![0x30; longest + 1]).assert(Status::Unknown, "less than 33554432");
    world.serve(CRL, vec![0x30; longest]).assert(Status::Unknown, "behind its end");
}

#[test]
fn f10_a_crl_is_all_there_is() {
    let world = world();
    let sound = world.crl().sign();
    let behind = |bytes: &[u8]| world.clone().serve(CRL, [&sound[..], bytes].concat());
    behind(&[0]).assert(Status::Unknown, "behind its end");
    behind(b"\n").assert(Status::Unknown, "behind its end");
    for length in [0, 1, sound.len() / 2, sound.len() - 1] {
        world.clone().serve(CRL, sound[..length].to_vec()).assert(Status::Unknown, "ends in the middle");
    }
    // One value too many, inside what is signed and outside.
    given(|crl| crl.version = [integer(1), integer(1)].concat()).assert(Status::Unknown, "");
    given(|crl| crl.version = Vec::new()).assert(Status::Unknown, "version 2");
    given(|crl| crl.entries[0].extra = vec![tlv(0x05, &[])]).assert(Status::Unknown, "");
}

#[test]
fn f11_pem_is_no_crl() {
    let pem = b"-----BEGIN X509 CRL-----\nMIIB\n-----END X509 CRL-----\n";
    world().serve(CRL, pem.to_vec()).assert(Status::Unknown, "PEM");
}

#[test]
fn f12_only_http_is_asked() {
    for (url, message) in [
        ("https://crl.test/ca.crl", "only addresses that start with http"),
        ("ldap://crl.test/cn=ca?certificateRevocationList", "only addresses that start with http"),
        ("file:///etc/passwd", "only addresses that start with http"),
        ("ftp://crl.test/ca.crl", "only addresses that start with http"),
        ("crl.test/ca.crl", "not an absolute http URL"),
        ("http://", "not an absolute http URL"),
        ("http://crl.test:99999/", "not an absolute http URL"),
        ("http://crl.test/a\nb", "not an absolute http URL"),
        ("http://crl.test/\u{1b}[2J", "not an absolute http URL"),
        (" http://crl.test/", "not an absolute http URL"),
        ("http:\\\\crl.test\\ca.crl", "not an absolute http URL"),
        ("http:crl.test/ca.crl", "not an absolute http URL"),
        ("http://crl.test/%zz", "percent sign"),
        ("", "not an absolute http URL"),
    ] {
        let world = World::new(&[url], &[]);
        assert_eq!(world.evaluate().needs, [], "{url:?}");
        world.assert(Status::Unknown, message);
        assert!(!world.status().message.chars().any(char::is_control), "{url:?}");
        // Though something is recorded for it.
        let crl = world.crl().sign();
        world.serve(url, crl).assert(Status::Unknown, message);
    }
    let sent = "http://crl.test/Wabbit CA\\1.crl";
    let world = World::new(&[sent], &[]);
    let crl = world.crl().sign();
    world.serve(sent, crl).assert(Status::Good, "");
    let mixed = "HTTP://crl.test/ca.crl";
    let world = World::new(&[mixed], &[]);
    let crl = world.crl().sign();
    world.serve(mixed, crl).assert(Status::Good, "");
}

#[test]
fn every_crl_must_be_good_and_one_that_says_revoked_is_enough() {
    const OTHER: &str = "http://crl.test/other.crl";
    let world = World::new(&[CRL, OTHER], &[]);
    let good = world.crl().sign();
    let bad = world.crl().listing(vec![Entry::new(world.leaf().serial(), MAY, Some(4))]).sign();
    assert_eq!(world.evaluate().needs, [CRL, OTHER].map(|url| world.need(url)));

    let one = world.clone().serve(CRL, good.clone());
    one.assert(Status::Unavailable, "not been asked yet");
    assert_eq!(one.evaluate().needs, [one.need(OTHER)]);
    one.clone().serve(OTHER, good.clone()).assert(Status::Good, "");
    one.clone().serve(OTHER, bad.clone()).assert(revoked(MAY), "superseded");
    one.clone().serve(OTHER, b"nonsense".to_vec()).assert(Status::Unknown, "other.crl");
    one.clone().fail(OTHER, TroubleKind::TimedOut).assert(Status::Unavailable, "did not come");
    one.clone().fail(OTHER, TroubleKind::Unreachable).assert(Status::Unavailable, "did not come");
    one.clone().fail(OTHER, TroubleKind::NotFound).assert(Status::Unknown, "did not come");
    one.fail(OTHER, TroubleKind::AnswerTooLarge).assert(Status::Unknown, "did not come");
    // Revoked by one: the other is not waited for, whatever is wrong with it.
    for world in [world.clone(), world.clone().fail(CRL, TroubleKind::TimedOut), world.clone().serve(CRL, vec![0])] {
        let world = world.serve(OTHER, bad.clone());
        world.assert(revoked(MAY), "");
        assert_eq!(world.evaluate().needs, []);
    }
    // What is no good outweighs what is missing: all must be good.
    world.fail(CRL, TroubleKind::TimedOut).serve(OTHER, vec![0]).assert(Status::Unknown, "other.crl");
}

#[test]
fn no_more_crls_are_asked_than_is_sane() {
    let urls: Vec<String> = (0..=crate::limits::REVOCATION_SERVERS).map(|n| format!("http://crl.test/{n}")).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let world = World::new(&urls, &[]);
    assert_eq!(world.evaluate().needs, []);
    world.assert(Status::Unknown, "17 CRLs");
    assert_eq!(World::new(&urls[1..], &[]).evaluate().needs.len(), crate::limits::REVOCATION_SERVERS);
}

#[test]
fn a_certificate_may_not_be_swapped_for_another_with_the_same_number() {
    // Two authorities with one name: each has a certificate of the same number.
    let [one, other] = [0, 5].map(|slot| Authority::root("C=US, ST=WA, O=wabbit, CN=Root", key(slot)).unwrap());
    let world = World::of(one, &[CRL], &[]);
    let crl = CrlAnswer::new(&other).sign();
    world.serve(CRL, crl).assert(Status::Unknown, "does not verify");
}

#[test]
fn f14_a_delta_named_by_the_certificate_alone_leaves_it_open() {
    let request = leaf(&[CRL], &[]);
    let root = authority();
    let signer = root.issue_with(request, |draft| {
        draft.add(certificate_extension("2.5.29.46", false, &answers::points(&[DELTA.to_owned()]))?);
        Ok(())
    });
    let chain = parsed(&signer.unwrap().chain);
    let world = World { root, chain, recorded: Recorded::default(), authentic: None };
    let crl = world.crl().sign();
    let world = world.serve(CRL, crl);
    world.assert(Status::Unknown, "names no delta CRL");
    assert_eq!(world.evaluate().accepted, []);
}

#[test]
fn f01_a_crl_states_one_signature_algorithm() {
    let (sha256, sha384) = (("1.2.840.10045.4.3.2", false), ("1.2.840.10045.4.3.3", false));
    let world = world();
    let signed = |inside, beside| {
        let mut draft = crate::forge::CrlDraft::new(&world.root, NOW - Duration::days(1));
        (draft.algorithm, draft.outer_algorithm) = (Some(inside), Some(beside));
        world.clone().serve(CRL, draft.sign(world.root.key()).unwrap())
    };
    signed(sha256, sha256).assert(Status::Good, "");
    // The key has signed with the one that is stated beside the signature.
    signed(sha384, sha256).assert(Status::Unknown, "two different signature algorithms");
}

#[test]
fn f01_the_issuers_name_may_be_written_in_another_string_type() {
    let world = world();
    let name = |text: &str, tag| {
        let attribute = |dotted: &str, text: &str| {
            let value = tlv(tag, text.as_bytes());
            tlv(0x31, &answers::sequence(&[answers::oid(dotted), value]))
        };
        let parts = [("2.5.4.6", "US"), ("2.5.4.8", "WA"), ("2.5.4.10", text), ("2.5.4.3", "Root")];
        answers::sequence(&parts.map(|(dotted, text)| attribute(dotted, text)))
    };
    for (text, tag, status) in
        [("wabbit", 0x13, Status::Good), ("WABBIT ", 0x0c, Status::Good), ("wab bit", 0x13, Status::Unknown)]
    {
        let crl = world.crl().with(|crl| crl.issuer = name(text, tag)).sign();
        assert_eq!(world.clone().serve(CRL, crl).status().status, status, "{text}");
    }
}

#[test]
fn f04_extensions_are_few() {
    let many = |count: usize| {
        let unknown = |number: usize| {
            extension(
                &format!("1.2.3.{}.{}.{}", number / 10_000, number / 100 % 100, number % 100),
                false,
                &tlv(0x05, &[]),
            )
        };
        (0..count).map(unknown).collect::<Vec<_>>()
    };
    let most = crate::limits::ANSWER_EXTENSIONS;
    given(|crl| crl.entries[0].extra = many(most - 1)).assert(Status::Good, "");
    // A megabyte of them in one entry is not looked through.
    for count in [most + 1, 100_000] {
        given(|crl| crl.entries[0].extra = many(count)).assert(Status::Unknown, "more than 32 extensions");
    }
    given(|crl| crl.extra = many(most + 1)).assert(Status::Unknown, "more than 32 extensions");
}

/// RFC 5280, section 5.2.3.
#[test]
fn f06_the_number_of_a_crl_is_one() {
    let numbered = |value: &[u8]| {
        let number = extension("2.5.29.20", false, value);
        given(|crl| (crl.number, crl.extra) = (None, vec![number]))
    };
    numbered(&tlv(0x02, &[0x7f; 20])).assert(Status::Good, "");
    numbered(&tlv(0x02, &[0])).assert(Status::Good, "");
    numbered(&tlv(0x02, &[0x7f; 21])).assert(Status::Unknown, "more than 20 bytes");
    numbered(&tlv(0x02, &[0xff])).assert(Status::Unknown, "a malformed CRL number");
    numbered(&tlv(0x04, &[1])).assert(Status::Unknown, "a malformed CRL number");
}

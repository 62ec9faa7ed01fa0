//! Certificates whose CRL or OCSP responder cannot be asked: their status is unknown, and never "not checkable".

use super::*;
use crate::forge::extension as certificate_extension;

const POINTS: &str = "2.5.29.31";
const FRESHEST: &str = "2.5.29.46";
const ACCESS: &str = "1.3.6.1.5.5.7.1.1";

/// A leaf with these extensions, and the root that issued it.
fn naming(extensions: &[(&str, Vec<u8>)]) -> World {
    let root = authority();
    let signer = root.issue_with(leaf(&[], &[]), |draft| {
        for (oid, value) in extensions {
            draft.add(certificate_extension(oid, false, value)?);
        }
        Ok(())
    });
    let chain = parsed(&signer.unwrap().chain);
    World { root, chain, recorded: Recorded::default(), authentic: None }
}

fn uri(url: &str) -> Vec<u8> {
    tlv(0x86, url.as_bytes())
}

fn common_name(text: &str) -> Vec<u8> {
    let attribute = tlv(0x30, &[answers::oid("2.5.4.3"), tlv(0x0c, text.as_bytes())].concat());
    tlv(0x31, &attribute)
}

fn directory(text: &str) -> Vec<u8> {
    tlv(0xa4, &tlv(0x30, &common_name(text)))
}

fn full(names: &[Vec<u8>]) -> Vec<u8> {
    tlv(0xa0, &tlv(0xa0, &names.concat()))
}

/// One distribution point with these parts.
fn point(parts: &[Vec<u8>]) -> Vec<u8> {
    tlv(0x30, &parts.concat())
}

fn points(points: &[Vec<u8>]) -> (&'static str, Vec<u8>) {
    (POINTS, tlv(0x30, &points.concat()))
}

fn ocsp_at(locations: &[Vec<u8>]) -> (&'static str, Vec<u8>) {
    let described = |location: &Vec<u8>| tlv(0x30, &[answers::oid("1.3.6.1.5.5.7.48.1"), location.clone()].concat());
    (ACCESS, tlv(0x30, &locations.iter().flat_map(described).collect::<Vec<_>>()))
}

fn relative() -> Vec<u8> {
    tlv(0xa0, &tlv(0xa1, &tlv(0x30, &[answers::oid("2.5.4.3"), tlv(0x0c, b"Part 1")].concat())))
}

#[test]
fn a_crl_that_cannot_be_asked_leaves_the_status_unknown() {
    let other_issuer = tlv(0xa2, &directory("Other"));
    for (parts, message) in [
        (vec![full(&[directory("Root")])], "directoryName"),
        (vec![full(&[tlv(0x82, b"crl.test")])], "dNSName"),
        (vec![full(&[tlv(0x81, b"crl@crl.test"), tlv(0x87, &[127, 0, 0, 1])])], "not a URL"),
        (vec![relative()], "relative"),
        (vec![other_issuer.clone()], "cRLIssuer"),
        (vec![full(&[uri(CRL)]), other_issuer], "cRLIssuer"),
        (vec![full(&[uri("ldap://crl.test/cn=ca")])], "http://"),
        (vec![full(&[uri("https://crl.test/ca.crl")])], "http://"),
    ] {
        let world = naming(&[points(&[point(&parts)])]);
        assert_eq!(world.evaluate().needs, [], "{message}");
        world.assert(Status::Unknown, message);
    }
}

#[test]
fn a_delta_crl_alone_leaves_the_status_unknown() {
    naming(&[(FRESHEST, tlv(0x30, &point(&[full(&[uri(DELTA)])])))]).assert(Status::Unknown, "freshestCRL");
}

#[test]
fn an_ocsp_responder_that_cannot_be_asked_leaves_the_status_unknown() {
    for (location, message) in [
        (directory("Responder"), "directoryName"),
        (tlv(0x82, b"ocsp.test"), "dNSName"),
        (tlv(0x88, &[0x2a]), "not a URL"),
        (uri("https://ocsp.test"), "http://"),
        (uri("ldap://ocsp.test"), "http://"),
    ] {
        naming(&[ocsp_at(std::slice::from_ref(&location))]).assert(Status::Unknown, message);
        // A CRL that can be asked is asked instead.
        let world = naming(&[ocsp_at(&[location]), points(&[point(&[full(&[uri(CRL)])])])]);
        let crl = world.crl().sign();
        world.serve(CRL, crl).assert(Status::Good, "");
    }
    let world = naming(&[ocsp_at(&[directory("Responder"), uri(OCSP)])]);
    let answer = world.ocsp().sign();
    world.respond(OCSP, answer).assert(Status::Good, "");
}

#[test]
fn what_names_no_source_at_all_is_still_not_checkable() {
    let issuers = tlv(0x30, &tlv(0x30, &[answers::oid("1.3.6.1.5.5.7.48.2"), uri("http://ca.test/ca.der")].concat()));
    for world in [naming(&[]), naming(&[(ACCESS, issuers)])] {
        assert_eq!(world.status().status, Status::NotCheckable);
    }
}

#[test]
fn an_address_among_other_names_is_enough() {
    let world = naming(&[points(&[point(&[full(&[directory("Root"), uri(CRL), tlv(0x82, b"crl.test")])])])]);
    assert_eq!(world.evaluate().needs, [world.need(CRL)]);
    let crl = world.crl().sign();
    world.serve(CRL, crl).assert(Status::Good, "");
}

#[test]
fn a_crl_issuer_that_is_the_issuer_changes_nothing() {
    let name = Certificate::parse(authority().certificate()).unwrap().subject_raw().to_vec();
    let world = naming(&[points(&[point(&[full(&[uri(CRL)]), tlv(0xa2, &tlv(0xa4, &name))])])]);
    let crl = world.crl().sign();
    world.serve(CRL, crl).assert(Status::Good, "");
}

/// RFC 5280, section 6.3.3: what can be asked has to speak of every reason.
#[test]
fn a_point_that_cannot_be_asked_is_no_harm_where_the_others_cover_every_reason() {
    const OTHER: &str = "http://crl.test/other.crl";
    let all = point(&[full(&[uri(CRL)])]);
    let mute = point(&[full(&[directory("Root")])]);
    let compromise = |url: &str| point(&[full(&[uri(url)]), tlv(0x81, &[1, 0x40])]);
    let rest = |url: &str| point(&[full(&[uri(url)]), tlv(0x81, &[7, 0x3f, 0x80])]);
    for (named, expected, message) in [
        (vec![all.clone(), mute.clone()], Status::Good, ""),
        (vec![mute.clone(), all], Status::Good, ""),
        (vec![compromise(CRL)], Status::Unknown, "some reasons"),
        (vec![compromise(CRL), mute], Status::Unknown, "directoryName"),
        (vec![compromise(CRL), rest(OTHER)], Status::Good, ""),
    ] {
        let world = naming(&[points(&named)]);
        let crl = world.crl().sign();
        let bad = world.crl().listing(vec![Entry::new(world.leaf().serial(), NOW, Some(1))]).sign();
        assert!(!world.evaluate().needs.is_empty());
        world.clone().serve(CRL, crl.clone()).serve(OTHER, crl).assert(expected, message);
        world.serve(CRL, bad).assert(revoked(NOW), "");
    }
}

#[test]
fn a_malformed_pointer_makes_the_certificate_malformed() {
    let root = authority();
    for (oid, value) in [
        (POINTS, tlv(0x30, &tlv(0x31, &[]))),
        (POINTS, tlv(0x30, &point(&[tlv(0xa0, &tlv(0xa0, &tlv(0x9f, &[])))]))),
        (ACCESS, tlv(0x30, &tlv(0x30, &answers::oid("1.3.6.1.5.5.7.48.1")))),
        (ACCESS, tlv(0x30, &tlv(0x30, &[answers::oid("1.3.6.1.5.5.7.48.1"), tlv(0x0c, b"x")].concat()))),
    ] {
        let signer = root.issue_with(leaf(&[], &[]), |draft| {
            draft.add(certificate_extension(oid, false, &value)?);
            Ok(())
        });
        assert!(Certificate::parse(&signer.unwrap().chain[0]).is_err(), "{value:02x?}");
    }
}

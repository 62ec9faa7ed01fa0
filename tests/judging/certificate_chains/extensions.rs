//! Every extension of 2.5.29.14 to 2.5.29.37, and the others that RFC 5280 defines, changed in every way, at every place of
//! chains for code signing and for time stamping: what is refused, what is accepted, and why.
//!
//! The table is asserted row by row and printed (`cargo test --test judging -- --nocapture extensions`). Six signs
//! a row: leaf, issuing authority and root of a chain for code signing, then of one for time stamping. `+` accepted,
//! `M` certificate-malformed, `P` certificate-profile; in a token `m` timestamp-malformed, `p` timestamp-certificate.

use muster::forge::asn1::sequence;
use muster::pki::Certificate;
use muster::timestamp::{Token, verify};

use super::*;
use crate::timekeeper::{self, draft_of, oid};

/// Where a certificate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Leaf,
    Issuing,
    Root,
}

const PLACES: [Place; 3] = [Place::Leaf, Place::Issuing, Place::Root];

/// What is done to an extension whose sound value is known.
#[derive(Debug, Clone, Copy)]
enum Change {
    Sound,
    Critical,
    WrongType,
    Malformed,
    Ber,
    Behind,
    Empty,
    Doubled,
}

/// An extension: its object identifier, its name, a sound value, a malformed one, and what to expect of sound, critical, and
/// anything malformed; with the reason.
struct Row {
    oid: &'static str,
    name: &'static str,
    sound: fn(Place, bool) -> Vec<u8>,
    malformed: fn() -> Vec<u8>,
    expected: [&'static str; 3],
    reason: &'static str,
}

const REFUSED: &str = "MMM mmM";
const ACCEPTED: &str = "+++ +++";
/// Ignored by the specification of signatures, refused where RFC 5280 is followed to the letter.
const UNHEEDED: &str = "+++ ppp";

fn row(
    oid: &'static str,
    name: &'static str,
    sound: fn(Place, bool) -> Vec<u8>,
    malformed: fn() -> Vec<u8>,
    expected: [&'static str; 3],
    reason: &'static str,
) -> Row {
    Row { oid, name, sound, malformed, expected, reason }
}

/// A row for something that is no extension of certificates, or that nobody knows.
fn unknown(oid: &'static str, name: &'static str) -> Row {
    let reason = "not an extension of certificates: ignored, but not where critical ones have to be known";
    row(oid, name, |_, _| vec![0x30, 0x00], || vec![0x30, 0x03, 0x05, 0x00], [ACCEPTED, UNHEEDED, ACCEPTED], reason)
}

fn dns(name: &[u8]) -> Vec<u8> {
    tlv(0x82, name)
}

fn point(address: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&[tlv(0xa0, &tlv(0xa0, &tlv(0x86, address)))])])
}

fn access(method: &str, address: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&[oid(method), tlv(0x86, address)])])
}

fn rows() -> Vec<Row> {
    let never = [ACCEPTED, REFUSED, REFUSED];
    let either = [ACCEPTED, ACCEPTED, REFUSED];
    let unheeded = [ACCEPTED, UNHEEDED, REFUSED];
    vec![
        row(
            "2.5.29.9",
            "subjectDirectoryAttributes",
            |_, _| sequence(&[sequence(&[oid("1.2.3"), tlv(0x31, &[5, 0])])]),
            || sequence(&[sequence(&[oid("1.2.3")])]),
            never,
            "RFC 5280, 4.2.1.8: never critical",
        ),
        row(
            "2.5.29.14",
            "subjectKeyIdentifier",
            |_, _| tlv(0x04, &[1; 20]),
            || tlv(0x30, &[4, 1, 1]),
            never,
            "RFC 5280, 4.2.1.2: never critical",
        ),
        row(
            "2.5.29.15",
            "keyUsage",
            |place, _| {
                vec![3, 2, if place == Place::Leaf { 7 } else { 2 }, if place == Place::Leaf { 0x80 } else { 4 }]
            },
            || vec![3, 2, 7, 0x81],
            ["PPP +++", ACCEPTED, REFUSED],
            "the specification of signatures: critical for code signing",
        ),
        row(
            "2.5.29.16",
            "privateKeyUsagePeriod",
            |_, _| sequence(&[tlv(0x80, b"20200101000000Z"), tlv(0x81, b"20590101000000Z")]),
            || sequence(&[tlv(0x80, b"2020")]),
            unheeded,
            "RFC 3280, 4.2.1.4: describes, and nothing here heeds it",
        ),
        row(
            "2.5.29.17",
            "subjectAltName",
            |_, _| sequence(&[dns(b"example.com")]),
            || tlv(0x30, &[]),
            either,
            "RFC 5280, 4.2.1.6",
        ),
        row(
            "2.5.29.17",
            "subjectAltName, directoryName alone",
            |_, _| sequence(&[tlv(0xa4, &tlv(0x30, &[]))]),
            || sequence(&[tlv(0xa4, &[5, 0])]),
            unheeded,
            "RFC 5280, 4.2.1.6: names that are not compared",
        ),
        row(
            "2.5.29.18",
            "issuerAltName",
            |_, _| sequence(&[dns(b"example.com")]),
            || sequence(&[dns(b"\xff")]),
            unheeded,
            "RFC 5280, 4.2.1.7",
        ),
        row(
            "2.5.29.19",
            "basicConstraints",
            |place, _| if place == Place::Leaf { tlv(0x30, &[]) } else { sequence(&[vec![1, 1, 0xff]]) },
            || sequence(&[vec![1, 1, 0xff], vec![2, 1, 0xff]]),
            ["+PP +pp", ACCEPTED, REFUSED],
            "RFC 5280, 4.2.1.9: critical in authorities",
        ),
        unknown("2.5.29.20", "cRLNumber"),
        unknown("2.5.29.21", "reasonCode"),
        unknown("2.5.29.22", "2.5.29.22"),
        unknown("2.5.29.23", "holdInstructionCode"),
        unknown("2.5.29.24", "invalidityDate"),
        unknown("2.5.29.25", "2.5.29.25"),
        unknown("2.5.29.26", "2.5.29.26"),
        unknown("2.5.29.27", "deltaCRLIndicator"),
        unknown("2.5.29.28", "issuingDistributionPoint"),
        unknown("2.5.29.29", "certificateIssuer"),
        row(
            "2.5.29.30",
            "nameConstraints",
            |_, _| sequence(&[tlv(0xa0, &sequence(&[dns(b"example.com")]))]),
            || sequence(&[tlv(0xa0, &[])]),
            either,
            "RFC 5280, 4.2.1.10: no name below is concerned",
        ),
        row(
            "2.5.29.30",
            "nameConstraints, directoryName",
            |_, _| sequence(&[tlv(0xa1, &sequence(&[tlv(0xa4, &tlv(0x30, &[]))]))]),
            || sequence(&[tlv(0xa2, &sequence(&[dns(b"a")]))]),
            [ACCEPTED, "+++ +pp", REFUSED],
            "RFC 5280, 4.2.1.10: names that are not compared",
        ),
        row(
            "2.5.29.31",
            "cRLDistributionPoints",
            |_, _| point(b"http://crl.example/a"),
            || sequence(&[tlv(0x30, &[])]),
            either,
            "RFC 5280, 4.2.1.13",
        ),
        row(
            "2.5.29.32",
            "certificatePolicies",
            |_, _| sequence(&[sequence(&[oid("2.5.29.32.0")])]),
            || sequence(&[sequence(&[oid("1.2.3")]), sequence(&[oid("1.2.3")])]),
            either,
            "RFC 5280, 4.2.1.4: each policy once",
        ),
        row(
            "2.5.29.33",
            "policyMappings",
            |_, _| sequence(&[sequence(&[oid("1.2.3"), oid("1.2.4")])]),
            || sequence(&[sequence(&[oid("2.5.29.32.0"), oid("1.2.4")])]),
            unheeded,
            "RFC 5280, 4.2.1.5: never anyPolicy",
        ),
        unknown("2.5.29.34", "2.5.29.34"),
        row(
            "2.5.29.35",
            "authorityKeyIdentifier",
            |_, _| sequence(&[tlv(0x80, &[1; 20])]),
            || sequence(&[tlv(0x83, &[1; 20])]),
            never,
            "RFC 5280, 4.2.1.1: never critical",
        ),
        row(
            "2.5.29.36",
            "policyConstraints, inhibitPolicyMapping",
            |_, _| sequence(&[tlv(0x81, &[0])]),
            || tlv(0x30, &[]),
            unheeded,
            "RFC 5280, 4.2.1.11",
        ),
        row(
            "2.5.29.36",
            "policyConstraints, requireExplicitPolicy",
            |_, _| sequence(&[tlv(0x80, &[0])]),
            || sequence(&[tlv(0x80, &[0xff])]),
            ["+++ +pp", UNHEEDED, REFUSED],
            "RFC 5280, 4.2.1.11: policies are not compared",
        ),
        row(
            "2.5.29.37",
            "extKeyUsage",
            |_, stamping| sequence(&[oid(if stamping { timekeeper::TIME_STAMPING } else { "1.3.6.1.5.5.7.3.3" })]),
            || tlv(0x30, &[]),
            ["+++ p++", ACCEPTED, REFUSED],
            "RFC 3161, 2.3: critical where time is stamped",
        ),
        row(
            "2.5.29.46",
            "freshestCRL",
            |_, _| point(b"http://crl.example/a"),
            || tlv(0x30, &[]),
            never,
            "RFC 5280, 4.2.1.15: never critical",
        ),
        row("2.5.29.54", "inhibitAnyPolicy", |_, _| vec![2, 1, 0], || vec![2, 1, 0xff], unheeded, "RFC 5280, 4.2.1.14"),
        row(
            "1.3.6.1.5.5.7.1.1",
            "authorityInfoAccess",
            |_, _| access("1.3.6.1.5.5.7.48.1", b"http://ocsp.example"),
            || access("1.3.6.1.5.5.7.48.1", b"http://\xe4"),
            never,
            "RFC 5280, 4.2.2.1: never critical",
        ),
        row(
            "1.3.6.1.5.5.7.1.3",
            "qcStatements",
            |_, _| sequence(&[sequence(&[oid("0.4.0.1862.1.1")])]),
            || tlv(0x30, &[]),
            unheeded,
            "RFC 3739, 3.2.6",
        ),
        row(
            "1.3.6.1.5.5.7.1.11",
            "subjectInfoAccess",
            |_, _| access("1.3.6.1.5.5.7.48.5", b"http://ca.example"),
            || tlv(0x30, &[]),
            never,
            "RFC 5280, 4.2.2.2: never critical",
        ),
        unknown("1.2.3.4", "unknown"),
    ]
}

/// Puts the extension of `row` into a draft in the place of what is there of its kind.
fn apply(
    row: &Row,
    change: Change,
    place: Place,
    stamping: bool,
    draft: &mut CertificateDraft,
) -> Result<(), ForgeError> {
    let sound = (row.sound)(place, stamping);
    let value = match change {
        Change::Sound | Change::Critical | Change::Doubled => sound,
        Change::WrongType => vec![0x13, 0x01, b'x'],
        Change::Malformed => (row.malformed)(),
        Change::Ber => [&[sound[0], 0x81, sound[1]], &sound[2..]].concat(),
        Change::Behind => [&sound[..], &[0x05, 0x00]].concat(),
        Change::Empty => Vec::new(),
    };
    let critical = matches!(change, Change::Critical);
    draft.set(extension(row.oid, critical, &value)?);
    if matches!(change, Change::Doubled) {
        draft.add(extension(row.oid, critical, &value)?);
    }
    Ok(())
}

fn sign_of(code: Code) -> char {
    match code {
        Code::CertificateMalformed => 'M',
        Code::CertificateProfile => 'P',
        Code::TimestampMalformed => 'm',
        Code::TimestampCertificate => 'p',
        other => panic!("{other}"),
    }
}

/// What becomes of a chain for code signing with the change at `place`.
fn code_signing(row: &Row, change: Change, place: Place) -> char {
    let changed = |draft: &mut CertificateDraft| apply(row, change, place, false, draft);
    let chain = match place {
        Place::Leaf => with_leaf(changed),
        Place::Issuing => with_middle(changed),
        Place::Root => with_root(changed),
    };
    Chain::parse_code_signing(&chain).map_or_else(|failure| sign_of(failure.code), |_| '+')
}

/// What becomes of a time stamp whose authority's chain has the change at `place`.
fn time_stamping(row: &Row, change: Change, place: Place) -> char {
    let at = |here: Place| {
        move |draft: &mut CertificateDraft| if here == place { apply(row, change, place, true, draft) } else { Ok(()) }
    };
    let name = |common| format!("C=US, ST=WA, O=timekeeper, CN={common}");
    let root = Authority::root_with(&name("root"), timekeeper::key(10), at(Place::Root)).unwrap();
    let issuing = root.intermediate_with(&name("issuing"), timekeeper::key(11), at(Place::Issuing)).unwrap();
    let signer = timekeeper::stamper(&issuing, timekeeper::key(12), at(Place::Leaf));
    let root = match Certificate::parse(&signer.chain[2]) {
        Ok(root) => root,
        Err(failure) => return sign_of(failure.code),
    };
    let token = Token(draft_of(&signer).sign().unwrap());
    verify(&token, timekeeper::MESSAGE, &[&root]).map_or_else(|failure| sign_of(failure.code), |_| '+')
}

fn found(row: &Row, change: Change) -> String {
    let signs = |judge: fn(&Row, Change, Place) -> char| PLACES.map(|place| judge(row, change, place));
    let [code, stamps] = [signs(code_signing), signs(time_stamping)].map(|signs| signs.iter().collect::<String>());
    format!("{code} {stamps}")
}

#[test]
fn extensions_changed_in_every_way_are_refused_or_accepted_as_the_table_says() {
    println!("{:<45} {:<10} {:<9} why", "extension", "change", "verdicts");
    let mut wrong = Vec::new();
    for row in rows() {
        let [sound, critical, malformed] = row.expected;
        for (change, expected) in [
            (Change::Sound, sound),
            (Change::Critical, critical),
            (Change::WrongType, malformed),
            (Change::Malformed, malformed),
            (Change::Ber, malformed),
            (Change::Behind, malformed),
            (Change::Empty, malformed),
            (Change::Doubled, REFUSED),
        ] {
            let found = found(&row, change);
            let line =
                format!("{:<45} {:<10} {found:<9} {}", row.name, format!("{change:?}").to_lowercase(), row.reason);
            println!("{line}");
            if found != expected {
                wrong.push(format!("{line}\n  instead of {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

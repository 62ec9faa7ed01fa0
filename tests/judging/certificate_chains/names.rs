//! What extensions hold in the world, and names and addresses in them that are none.

use der::Decode;
use muster::forge::asn1::sequence;
use muster::pki::Certificate;
use muster::timestamp::{Token, verify};

use super::*;
use crate::timekeeper::{self, draft_of, oid, root_of};

fn dns(name: &[u8]) -> Vec<u8> {
    tlv(0x82, name)
}

/// A certificate of the kind that public authorities issue, with everything that such certificates say.
#[test]
fn honest_certificates_of_public_authorities_pass() {
    let policy = |id: &str, qualifiers: &[Vec<u8>]| match qualifiers {
        [] => sequence(&[oid(id)]),
        qualifiers => sequence(&[oid(id), sequence(qualifiers)]),
    };
    let cps = sequence(&[oid("1.3.6.1.5.5.7.2.1"), tlv(0x16, b"https://www.digicert.com/CPS")]);
    let notice = sequence(&[oid("1.3.6.1.5.5.7.2.2"), sequence(&[tlv(0x0c, "Nur für Tests".as_bytes())])]);
    let policies = sequence(&[policy("2.16.840.1.114412.3.1", &[cps, notice]), policy("2.23.140.1.4.1", &[])]);
    let issuers = sequence(&[
        sequence(&[oid("1.3.6.1.5.5.7.48.1"), tlv(0x86, b"http://ocsp.digicert.com")]),
        sequence(&[oid("1.3.6.1.5.5.7.48.2"), tlv(0x86, b"http://cacerts.digicert.com/DigiCertTrustedG4.crt")]),
        sequence(&[
            oid("1.3.6.1.5.5.7.48.2"),
            tlv(0x86, b"ldap:///CN=CA,DC=corp?cACertificate?base?objectClass=certificationAuthority"),
        ]),
    ]);
    let directory = sequence(&[tlv(0x31, &sequence(&[oid("2.5.4.11"), tlv(0x13, b"Thales TSS ESN:1_2@3")]))]);
    // A user principal name, the mailbox, and a directory name whose text is not what its string type allows.
    let names = sequence(&[
        tlv(0xa0, &[oid("1.3.6.1.4.1.311.20.2.3"), tlv(0xa0, &tlv(0x0c, b"builder@corp.example"))].concat()),
        tlv(0x81, b"builder@example.com"),
        tlv(0x82, b"*.build_1.example.com"),
        tlv(0xa4, &directory),
        tlv(0x86, b"https://github.com/acme/app/.github/workflows/release.yml@refs/tags/v1"),
        tlv(0x86, b"spiffe://cluster.local/ns/build/sa/signer"),
        tlv(0x87, &[10, 0, 0, 1]),
        tlv(0x88, &[0x2a, 3, 4]),
    ]);
    let key_and_issuer = sequence(&[tlv(0x80, &[7; 20]), tlv(0xa1, &tlv(0xa4, &directory)), tlv(0x82, &[0])]);
    let points = sequence(&[
        sequence(&[tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"http://crl3.digicert.com/DigiCertTrustedG4.crl")))]),
        sequence(&[
            tlv(0xa0, &tlv(0xa0, &tlv(0x86, b"ldap:///CN=CA,CN=CDP,DC=corp?certificateRevocationList?base"))),
            tlv(0x81, &[1, 0x7e]),
        ]),
        sequence(&[
            tlv(0xa0, &tlv(0xa1, &sequence(&[oid("2.5.4.3"), tlv(0x0c, b"CRL1")]))),
            tlv(0xa2, &tlv(0xa4, &directory)),
        ]),
    ]);
    let qualified = sequence(&[sequence(&[oid("0.4.0.1862.1.1")]), sequence(&[oid("0.4.0.1862.1.3"), vec![2, 1, 10]])]);
    // Microsoft's template name and version, Netscape's type, a list of signed certificate timestamps.
    let others: [(&str, Vec<u8>); 4] = [
        ("1.3.6.1.4.1.311.20.2", tlv(0x1e, &[0, b'C', 0, b'A'])),
        ("1.3.6.1.4.1.311.21.7", sequence(&[oid("1.3.6.1.4.1.311.21.8"), vec![2, 1, 100], vec![2, 1, 2]])),
        ("2.16.840.1.113730.1.1", vec![3, 2, 4, 0x10]),
        ("1.3.6.1.4.1.11129.2.4.2", tlv(0x04, &[0, 1, 2])),
    ];
    let honest = |draft: &mut CertificateDraft| {
        for (oid, value) in [
            ("2.5.29.32", &policies),
            ("1.3.6.1.5.5.7.1.1", &issuers),
            ("2.5.29.17", &names),
            ("2.5.29.35", &key_and_issuer),
            ("2.5.29.31", &points),
            ("1.3.6.1.5.5.7.1.3", &qualified),
            ("2.5.29.16", &sequence(&[tlv(0x80, b"20200101000000Z")])),
        ] {
            draft.set(extension(oid, false, value)?);
        }
        for (oid, value) in &others {
            draft.add(extension(oid, false, value)?);
        }
        Ok(())
    };
    passes(&with_leaf(honest));
    passes(&with_middle(honest));
    passes(&with_root(honest));
    // An empty identifier of the issuer's key, as some roots have it, and constraints on every form of names.
    let constraints = sequence(&[
        tlv(
            0xa0,
            &[
                sequence(&[tlv(0x82, b".example.com")]),
                sequence(&[tlv(0x81, b"a@example.com")]),
                sequence(&[tlv(0x86, b"example.com")]),
            ]
            .concat(),
        ),
        tlv(
            0xa1,
            &[sequence(&[tlv(0x87, &[0; 8])]), sequence(&[tlv(0x87, &[0; 32])]), sequence(&[tlv(0x82, b"")])].concat(),
        ),
    ]);
    passes(&with_root(|draft| {
        draft.set(extension("2.5.29.35", false, &tlv(0x30, &[]))?);
        draft.set(extension("2.5.29.30", true, &constraints)?);
        Ok(())
    }));
}

/// Names and addresses that no certificate should have, each of which the reference implementation refuses as well.
#[test]
fn names_in_extensions_that_are_none_are_refused() {
    let alternative: [(&str, Vec<u8>); 12] = [
        ("a mailbox that is not ASCII", tlv(0x81, "bü@example.com".as_bytes())),
        ("a domain that is not ASCII", tlv(0x82, "bü.example".as_bytes())),
        ("a URI that is not ASCII", tlv(0x86, "https://bü.example".as_bytes())),
        ("a relative URI", tlv(0x86, b"/path")),
        ("a URI with an empty label", tlv(0x86, b"https://a..b/")),
        ("a URI with a blank", tlv(0x86, b"https://a b/")),
        ("an address of five bytes", tlv(0x87, &[1; 5])),
        ("an address of IPv4 in IPv6", tlv(0x87, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1])),
        ("an identifier without an end", tlv(0x88, &[0x2a, 0x86])),
        ("a name in pieces", tlv(0xa2, &tlv(0x16, b"a"))),
        ("another name without a value", tlv(0xa0, &oid("1.2.3"))),
        ("a form that does not exist", tlv(0x89, b"a")),
    ];
    for (what, name) in alternative {
        for oid in ["2.5.29.17", "2.5.29.18"] {
            let message = "that is not what RFC 5280, 4.2.1";
            let chain =
                with_leaf(|draft| Ok(draft.set(extension(oid, false, &sequence(std::slice::from_ref(&name)))?)));
            println!("{what}");
            fails(&chain, Code::CertificateMalformed, message);
        }
    }
    let constraints: [(&str, Vec<u8>); 8] = [
        ("a domain with a dot at the end", tlv(0x82, b"example.com.")),
        ("a domain with two dots before it", tlv(0x82, b"..example.com")),
        ("a domain that is not ASCII", tlv(0x82, b"\xff")),
        ("a mailbox without a domain", tlv(0x81, b"a@")),
        ("a URI that is an address", tlv(0x86, b"10.0.0.1")),
        ("a range of seven bytes", tlv(0x87, &[0; 7])),
        ("a mask with a gap", tlv(0x87, &[10, 0, 0, 0, 0xff, 0, 0xff, 0])),
        ("a mask with a gap inside a byte", tlv(0x87, &[10, 0, 0, 0, 0xff, 0xf5, 0, 0])),
    ];
    for (what, name) in constraints {
        for part in [0xa0, 0xa1] {
            println!("{what}");
            let value = sequence(&[tlv(part, &sequence(std::slice::from_ref(&name)))]);
            let chain = with_root(|draft| Ok(draft.set(extension("2.5.29.30", true, &value)?)));
            fails(&chain, Code::CertificateMalformed, "nameConstraints that is not what RFC 5280, 4.2.1.10 says");
        }
    }
    let twice = sequence(&[tlv(0xa0, &sequence(&[dns(b"a")])), tlv(0xa0, &sequence(&[dns(b"a")]))]);
    let other_way = sequence(&[tlv(0xa1, &sequence(&[dns(b"a")])), tlv(0xa0, &sequence(&[dns(b"a")]))]);
    for value in [tlv(0x30, &[]), twice, other_way] {
        let chain = with_root(|draft| Ok(draft.set(extension("2.5.29.30", true, &value)?)));
        fails(&chain, Code::CertificateMalformed, "nameConstraints");
    }
}

/// No more extensions and no more attributes of names than any honest certificate has; as many are read.
#[test]
fn extensions_and_names_without_end_are_refused() {
    let with = |count: usize| {
        with_leaf(|draft| {
            draft.tbs.extensions.get_or_insert_default().truncate(2);
            for number in 2..count {
                draft.add(extension(&format!("1.2.3.{number}"), false, &[5, 0])?);
            }
            Ok(())
        })
    };
    let chain = with(limits::CERTIFICATE_EXTENSIONS + 1);
    fails(&chain, Code::CertificateMalformed, "has 65 extensions, more than the 64 allowed");
    let most = Certificate::parse(&with(limits::CERTIFICATE_EXTENSIONS)[0]);
    assert!(most.is_ok(), "{most:?}");

    let named = |count: usize| {
        let mut request = request();
        request.subject = Subject::parse(&vec!["OU=x"; count].join(", ")).unwrap();
        middle().issue(request).unwrap().chain
    };
    let chain = named(limits::NAME_ATTRIBUTES + 1);
    fails(&chain, Code::CertificateMalformed, "more attributes than any honest certificate");
    passes(&named(limits::NAME_ATTRIBUTES));
}

/// Names below an authority of time stamps whose constraints limit such names: nothing compares them, so they are refused; what
/// the constraints do not concern passes.
#[test]
fn names_below_the_constraints_of_a_time_stamping_authority_are_refused() {
    let named = |common: Vec<u8>| sequence(&[tlv(0x31, &sequence(&[oid("2.5.4.3"), tlv(0x0c, b"stamper")])), common]);
    let subject = |draft: &mut CertificateDraft, attribute: &[u8]| -> Result<(), ForgeError> {
        draft.tbs.subject = x509_cert::name::Name::from_der(&named(tlv(0x31, attribute)))?;
        Ok(())
    };
    let stamp = |constraints: Vec<u8>, critical: bool, names: Option<Vec<u8>>, attribute: Option<Vec<u8>>| {
        let name = |common| format!("C=US, ST=WA, O=timekeeper, CN={common}");
        let root = Authority::root_with(&name("root"), timekeeper::key(10), |draft| {
            Ok(draft.set(extension("2.5.29.30", critical, &sequence(&[tlv(0xa0, &sequence(&[constraints]))]))?))
        });
        let signer = timekeeper::stamper(&root.unwrap(), timekeeper::key(12), |draft| {
            if let Some(names) = names {
                draft.set(extension("2.5.29.17", false, &sequence(&[names]))?);
            }
            attribute.map_or(Ok(()), |attribute| subject(draft, &attribute))
        });
        let draft = draft_of(&signer);
        let token = Token(draft.sign().unwrap());
        verify(&token, timekeeper::MESSAGE, &[&root_of(&draft)]).map(drop).map_err(|failure| failure.to_string())
    };
    let email = || tlv(0x81, b"time@example.com");
    for critical in [true, false] {
        assert_eq!(stamp(dns(b"example.com"), critical, None, None), Ok(()));
        assert_eq!(stamp(dns(b"example.com"), critical, Some(email()), None), Ok(()));
        for (limited, name) in [(dns(b"example.com"), dns(b"example.com")), (tlv(0x81, b"example.com"), email())] {
            let failure = stamp(limited, critical, Some(name), None).unwrap_err();
            assert!(failure.contains("its name constraints limit names of the form"), "{failure}");
        }
        // Before there were alternative names, addresses stood in the subject.
        let address = sequence(&[oid("1.2.840.113549.1.9.1"), tlv(0x16, b"time@example.com")]);
        assert_eq!(stamp(dns(b"example.com"), critical, None, Some(address.clone())), Ok(()));
        let failure = stamp(tlv(0x81, b"example.com"), critical, None, Some(address)).unwrap_err();
        assert!(failure.contains("of the form rfc822Name"), "{failure}");
    }
}

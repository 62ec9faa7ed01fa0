use super::super::attribute::{Attribute, Value};
use super::*;

/// A header with these attributes, of which these are listed as critical. A label that starts with `#` is a number.
fn protected(present: &[&str], critical: &[&str]) -> Protected {
    let label = |text: &&str| match text.strip_prefix('#') {
        Some(number) => Label::Integer(number.parse().unwrap()),
        None => Label::from(*text),
    };
    Protected {
        content_type: None,
        critical: Ok(critical.iter().map(label).collect()),
        attributes: present.iter().map(|text| Attribute { label: label(text), value: Value::Other(None) }).collect(),
    }
}

const BOTH: [Format; 2] = [Format::Jws, Format::Cose];

fn verdict(format: Format, scheme: SigningScheme, present: &[&str], critical: &[&str]) -> Result<(), Code> {
    check(format, scheme, &protected(present, critical)).map_err(|failure| failure.code)
}

#[test]
fn takes_what_the_specification_demands() {
    for format in BOTH {
        let x509 = |present: &[&str], critical: &[&str]| verdict(format, SigningScheme::X509, present, critical);
        assert_eq!(x509(&[SIGNING_SCHEME, SIGNING_TIME, "note"], &[SIGNING_SCHEME]), Ok(()));
        assert_eq!(x509(&[SIGNING_SCHEME, EXPIRY], &[EXPIRY, SIGNING_SCHEME]), Ok(()));
        let attributes = &[SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME];
        assert_eq!(verdict(format, SigningScheme::SigningAuthority, attributes, attributes), Ok(()));
    }
}

#[test]
fn b11_c13_lists_only_what_is_there_once() {
    for format in BOTH {
        for critical in [&[SIGNING_SCHEME, "absent"][..], &[SIGNING_SCHEME, SIGNING_SCHEME], &[SIGNING_SCHEME, EXPIRY]]
        {
            let got = verdict(format, SigningScheme::X509, &[SIGNING_SCHEME], critical);
            assert_eq!(got, Err(Code::CriticalMalformed), "{critical:?}");
        }
    }
}

#[test]
fn b11_c15_registered_headers_are_not_listed() {
    for name in ["alg", "cty", "crit", SIGNING_TIME] {
        let present = [SIGNING_SCHEME, SIGNING_TIME, "alg", "cty", "crit"];
        let got = verdict(Format::Jws, SigningScheme::X509, &present, &[SIGNING_SCHEME, name]);
        assert_eq!(got, Err(Code::CriticalMalformed), "{name}");
    }
    for number in ["#0", "#1", "#2", "#3", "#8"] {
        let got = verdict(Format::Cose, SigningScheme::X509, &[SIGNING_SCHEME, number], &[SIGNING_SCHEME, number]);
        assert_eq!(got, Err(Code::CriticalMalformed), "{number}");
    }
    let listed = [SIGNING_SCHEME, SIGNING_TIME];
    assert_eq!(verdict(Format::Cose, SigningScheme::X509, &listed, &listed), Ok(()));
}

#[test]
fn b12_what_must_be_critical_is() {
    for format in BOTH {
        for (scheme, present, critical) in [
            (SigningScheme::X509, &[SIGNING_SCHEME, "known"][..], &["known"][..]),
            (SigningScheme::X509, &[SIGNING_SCHEME, EXPIRY], &[SIGNING_SCHEME]),
            (SigningScheme::SigningAuthority, &[SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME], &[SIGNING_SCHEME]),
            (SigningScheme::X509, &[SIGNING_SCHEME, VERIFICATION_PLUGIN], &[SIGNING_SCHEME]),
        ] {
            assert_eq!(verdict(format, scheme, present, critical), Err(Code::CriticalMalformed), "{present:?}");
        }
    }
}

#[test]
fn b13_c14_unknown_critical_attributes_fail_without_plugin() {
    for format in BOTH {
        let unknown = [SIGNING_SCHEME, "b64"];
        assert_eq!(verdict(format, SigningScheme::X509, &unknown, &unknown), Err(Code::CriticalUnknown));
        let plugin = [SIGNING_SCHEME, "b64", VERIFICATION_PLUGIN];
        assert_eq!(verdict(format, SigningScheme::X509, &plugin, &plugin), Ok(()));
        let version = [SIGNING_SCHEME, VERIFICATION_PLUGIN_MINIMUM_VERSION];
        assert_eq!(verdict(format, SigningScheme::X509, &version, &version), Err(Code::CriticalMalformed));
    }
    for number in ["#9", "#33", "#-1", "#-65537"] {
        let unknown = [SIGNING_SCHEME, number];
        assert_eq!(verdict(Format::Cose, SigningScheme::X509, &unknown, &unknown), Err(Code::CriticalUnknown));
    }
}

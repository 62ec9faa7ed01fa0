use super::super::format::Format::{Cose, Jws};
use super::*;

use time::macros::datetime;

const X509: &str = "notary.x509";
const AUTHORITY: &str = "notary.x509.signingAuthority";

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

/// The time of the tests plus some seconds, as the format writes it.
fn at(format: Format, seconds: i64) -> Value {
    let at = datetime!(2026-11-23 00:21:27 UTC) + time::Duration::seconds(seconds);
    match format {
        Jws => text(&at.format(&time::format_description::well_known::Rfc3339).unwrap()),
        Cose => Value::Seconds(at.unix_timestamp().into()),
    }
}

fn read_with(
    format: Format,
    attributes: &[(&str, Value)],
    critical: &[&str],
    token: Option<Vec<u8>>,
) -> Result<(SignerInfo, Vec<String>), Failure> {
    let attribute = |(name, value): &(&str, Value)| Attribute { label: Label::from(*name), value: value.clone() };
    let protected = Protected {
        content_type: None,
        critical: Ok(critical.iter().map(|name| Label::from(*name)).collect()),
        attributes: attributes.iter().map(attribute).collect(),
    };
    let unsigned = Unsigned { signature: vec![1], timestamp_token: token, signing_agent: None };
    let mut notes = Vec::new();
    SignerInfo::read(format, protected, unsigned, &mut notes).map(|info| (info, notes))
}

fn read(format: Format, attributes: &[(&str, Value)], critical: &[&str]) -> Result<(SignerInfo, Vec<String>), Code> {
    read_with(format, attributes, critical, Some(vec![2])).map_err(|failure| failure.code)
}

#[test]
fn reads_both_schemes() {
    for format in [Jws, Cose] {
        let (info, notes) =
            read(format, &[(SIGNING_SCHEME, text(X509)), (SIGNING_TIME, at(format, 0))], &[SIGNING_SCHEME]).unwrap();
        assert_eq!(info.scheme, SigningScheme::X509);
        assert_eq!(info.signing_time, datetime!(2026-11-23 00:21:27 UTC));
        assert_eq!(info.authentic_signing_time(), None);
        assert_eq!(info.expiry, None);
        assert_eq!(info.timestamp_token, Some(Token(vec![2])));
        assert!(notes.is_empty());

        let attributes =
            [(SIGNING_SCHEME, text(AUTHORITY)), (AUTHENTIC_SIGNING_TIME, at(format, 0)), (EXPIRY, at(format, 1))];
        let (info, notes) = read(format, &attributes, &[SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME, EXPIRY]).unwrap();
        assert_eq!(info.scheme, SigningScheme::SigningAuthority);
        assert_eq!(info.authentic_signing_time(), Some(datetime!(2026-11-23 00:21:27 UTC)));
        assert_eq!(info.expiry, Some(datetime!(2026-11-23 00:21:28 UTC)));
        // E17: the token means nothing here.
        assert_eq!(info.timestamp_token, None);
        assert_eq!(notes.len(), 1);
    }
}

#[test]
fn b17_the_scheme_is_one_of_two_words() {
    for format in [Jws, Cose] {
        for value in
            [text(""), text("notary.X509"), text("notary.x509 "), text("x509"), Value::Null, Value::Other(None)]
        {
            let got =
                read(format, &[(SIGNING_SCHEME, value.clone()), (SIGNING_TIME, at(format, 0))], &[SIGNING_SCHEME]);
            assert_eq!(got.unwrap_err(), Code::SigningSchemeUnsupported, "{value:?}");
        }
        let got = read(format, &[(SIGNING_TIME, at(format, 0))], &[SIGNING_SCHEME]);
        assert_eq!(got.unwrap_err(), Code::SigningSchemeUnsupported);
    }
}

#[test]
fn b18_c17_each_scheme_has_its_own_time() {
    for format in [Jws, Cose] {
        let now = || at(format, 0);
        for (attributes, critical) in [
            (vec![(SIGNING_SCHEME, text(X509))], &[SIGNING_SCHEME][..]),
            (vec![(SIGNING_SCHEME, text(X509)), (AUTHENTIC_SIGNING_TIME, now())], &[SIGNING_SCHEME]),
            (vec![(SIGNING_SCHEME, text(AUTHORITY))], &[SIGNING_SCHEME]),
            (vec![(SIGNING_SCHEME, text(AUTHORITY)), (SIGNING_TIME, now())], &[SIGNING_SCHEME]),
            (
                vec![(SIGNING_SCHEME, text(X509)), (SIGNING_TIME, now()), (AUTHENTIC_SIGNING_TIME, now())],
                &[SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME],
            ),
            (
                vec![(SIGNING_SCHEME, text(X509)), (SIGNING_TIME, now()), (AUTHENTIC_SIGNING_TIME, Value::Null)],
                &[SIGNING_SCHEME],
            ),
            (
                vec![(SIGNING_SCHEME, text(AUTHORITY)), (SIGNING_TIME, now()), (AUTHENTIC_SIGNING_TIME, now())],
                &[SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME],
            ),
        ] {
            assert_eq!(read(format, &attributes, critical).unwrap_err(), Code::SigningTimeMalformed, "{attributes:?}");
        }
    }
}

#[test]
fn b19_c16_times_are_read_by_the_rules_of_the_format() {
    for (format, value) in [
        (Jws, at(Cose, 0)),
        (Cose, at(Jws, 0)),
        (Jws, text("2026-11-23 00:21:27Z")),
        (Jws, text("0001-01-01T00:00:00Z")),
        (Cose, Value::FractionalSeconds(f64::NAN)),
        (Jws, Value::Null),
        (Cose, Value::Null),
    ] {
        let got = read(format, &[(SIGNING_SCHEME, text(X509)), (SIGNING_TIME, value.clone())], &[SIGNING_SCHEME]);
        assert_eq!(got.unwrap_err(), Code::SigningTimeMalformed, "{value:?}");
    }
    for (format, value) in [(Jws, text("2026-11-23T00:21:27.5Z")), (Cose, Value::FractionalSeconds(1.8e9 + 0.5))] {
        let attributes = [(SIGNING_SCHEME, text(X509)), (SIGNING_TIME, value)];
        let (_, notes) = read(format, &attributes, &[SIGNING_SCHEME]).unwrap();
        assert_eq!(notes.len(), 1, "{format:?}");
    }
}

#[test]
fn b20_b21_the_expiry_lies_behind_the_signing_time() {
    for format in [Jws, Cose] {
        let zero = match format {
            Jws => text("0001-01-01T00:00:00Z"),
            Cose => Value::Seconds(-62_135_596_800),
        };
        for expiry in [at(format, 0), at(format, -1), zero, Value::Other(None), text("never")] {
            let attributes = [(SIGNING_SCHEME, text(X509)), (SIGNING_TIME, at(format, 0)), (EXPIRY, expiry.clone())];
            let got = read(format, &attributes, &[SIGNING_SCHEME, EXPIRY]);
            assert_eq!(got.unwrap_err(), Code::ExpiryMalformed, "{expiry:?}");
        }
        let attributes =
            [(SIGNING_SCHEME, text(AUTHORITY)), (AUTHENTIC_SIGNING_TIME, at(format, 0)), (EXPIRY, at(format, 0))];
        let got = read(format, &attributes, &[SIGNING_SCHEME, AUTHENTIC_SIGNING_TIME, EXPIRY]);
        assert_eq!(got.unwrap_err(), Code::ExpiryMalformed);
    }
}

#[test]
fn b15_unknown_attributes_are_carried_and_noted() {
    let attributes = [
        (SIGNING_SCHEME, text(X509)),
        (SIGNING_TIME, at(Jws, 0)),
        ("com.example.note", text("hello")),
        ("com.example.tree", Value::Other(Some("[1]".to_owned()))),
    ];
    let (info, notes) = read(Jws, &attributes, &[SIGNING_SCHEME]).unwrap();
    let extended = |name: &str, text: Option<&str>, json: &str| ExtendedAttribute {
        name: name.to_owned(),
        numbered: false,
        text: text.map(str::to_owned),
        json: Some(json.to_owned()),
        critical: false,
    };
    let note = extended("com.example.note", Some("hello"), "\"hello\"");
    assert_eq!(info.extended_attributes, [note, extended("com.example.tree", None, "[1]")]);
    assert_eq!(
        notes,
        ["the protected header has attributes that are not known: \"com.example.note\", \"com.example.tree\""]
    );
}

#[test]
fn a_plugin_is_carried_with_what_is_left_to_it() {
    let plugin = |name: Value, version: Value| {
        let attributes = [
            (SIGNING_SCHEME, text(X509)),
            (SIGNING_TIME, at(Cose, 0)),
            (VERIFICATION_PLUGIN, name),
            (VERIFICATION_PLUGIN_MINIMUM_VERSION, version),
            ("com.example.pin", text("1")),
        ];
        let critical = [SIGNING_SCHEME, VERIFICATION_PLUGIN, VERIFICATION_PLUGIN_MINIMUM_VERSION, "com.example.pin"];
        read(Cose, &attributes, &critical)
    };
    let (info, _) = plugin(text("example"), text("1.0.0")).unwrap();
    let expected = VerificationPlugin { name: "example".to_owned(), minimum_version: Some("1.0.0".to_owned()) };
    assert_eq!(info.verification_plugin, Some(expected));
    assert!(info.extended_attributes[0].critical);
    for (name, version) in [
        (text(""), text("1.0.0")),
        (text(" \t"), text("1.0.0")),
        (Value::Null, text("1.0.0")),
        (Value::Other(None), text("1.0.0")),
        (text("example"), Value::Other(None)),
        (text("example"), text("")),
    ] {
        assert_eq!(plugin(name.clone(), version).unwrap_err(), Code::CriticalMalformed, "{name:?}");
    }
}

//! Rows B11–B21 of `docs/bad-inputs.md`: what the protected header says.

use muster::failure::Code;
use muster::forge::{Attribute, KeyKind, PAYLOAD_TYPE};
use serde_json::json;

use super::{AUTHENTIC, EXPIRY, PLUGIN, SCHEME, TIME, authority, member_refused};
use crate::world::{JWS, accepted, jws, jws_cases, refused, signer, statement, verify};

#[test]
fn b11_lists_of_critical_headers_that_break_the_rules() {
    let more = |name: &str| json!([SCHEME, EXPIRY, name]).to_string();
    let mut values = ["alg", "cty", "crit", "x5c", "absent", TIME, AUTHENTIC, SCHEME, EXPIRY, ""].map(more).to_vec();
    values.extend(["null", "[]", "{}", "1", "\"io.cncf.notary.signingScheme\""].map(str::to_owned));
    values.extend(
        [json!([SCHEME, EXPIRY, 1]), json!([SCHEME, EXPIRY, null]), json!([[SCHEME, EXPIRY]])].map(|v| v.to_string()),
    );
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    member_refused(&jws(), "crit", &values, Code::CriticalMalformed);
    jws_cases(
        &jws(),
        &[
            ("missing", |draft| draft.protected.remove("crit"), Code::CriticalMalformed),
            (
                "in the other header",
                |draft| {
                    let value = draft.protected.get("crit").unwrap().to_owned();
                    draft.protected.remove("crit");
                    draft.header.add("crit", value);
                },
                Code::CriticalMalformed,
            ),
        ],
    );
}

#[test]
fn b12_attributes_that_must_be_critical() {
    let list = |names: &[&str]| json!(names).to_string();
    member_refused(&jws(), "crit", &[&list(&[SCHEME]), &list(&[EXPIRY])], Code::CriticalMalformed);
    member_refused(
        &authority(),
        "crit",
        &[&list(&[SCHEME, EXPIRY]), &list(&[SCHEME, AUTHENTIC]), &list(&[EXPIRY, AUTHENTIC])],
        Code::CriticalMalformed,
    );
    jws_cases(
        &jws(),
        &[
            ("plugin", |draft| draft.protected.add(PLUGIN, "\"acme\""), Code::CriticalMalformed),
            (
                "version of a plugin that is",
                |draft| {
                    draft.protected.add(PLUGIN, "\"acme\"");
                    draft.protected.add(&format!("{PLUGIN}MinVersion"), "\"1.0.0\"");
                    draft.protected.set("crit", json!([SCHEME, EXPIRY, PLUGIN]).to_string());
                },
                Code::CriticalMalformed,
            ),
        ],
    );
}

#[test]
fn b13_unknown_critical_attributes() {
    let with = |name: &str, critical: bool| {
        let mut statement = statement();
        statement.attributes.push(Attribute { name: name.to_owned(), value: "x".to_owned(), critical });
        statement.jws(&signer(KeyKind::P256)).unwrap().seal().unwrap()
    };
    for name in ["com.example.rule", "io.cncf.notary.future", "b64", "exp", "kid"] {
        accepted(JWS, &with(name, false), name);
        let message = refused(JWS, &with(name, true), Code::CriticalUnknown, name);
        assert!(message.contains(name), "{message}");
    }
    // A plugin might know it: that is for the decision to say.
    let mut statement = statement();
    for name in [PLUGIN, "com.example.rule"] {
        statement.attributes.push(Attribute { name: name.to_owned(), value: "acme".to_owned(), critical: true });
    }
    let bytes = statement.jws(&signer(KeyKind::P256)).unwrap().seal().unwrap();
    assert!(accepted(JWS, &bytes, "with a plugin").signer.verification_plugin.is_some());
}

#[test]
fn b14_unencoded_payloads() {
    let mut draft = jws();
    draft.protected.add("b64", "false");
    draft.protected.set("crit", json!([SCHEME, EXPIRY, "b64"]).to_string());
    refused(JWS, &draft.seal().unwrap(), Code::CriticalUnknown, "encoded all the same");
    // By RFC 7797 the payload's own text would be signed and sent.
    draft.payload_text = Some(String::from_utf8(draft.payload.clone()).unwrap());
    assert!(verify(JWS, &draft.seal().unwrap()).is_err(), "unencoded");
    draft.protected.set("crit", json!([SCHEME, EXPIRY]).to_string());
    refused(JWS, &draft.seal().unwrap(), Code::EnvelopeMalformed, "unencoded and not critical");
}

#[test]
fn b15_unknown_attributes_are_accepted_and_kept() {
    let mut draft = jws();
    draft.protected.add("com.example.note", "\"x\"");
    draft.protected.add("com.example.tree", "{\"a\":[1,2]}");
    let envelope = accepted(JWS, &draft.seal().unwrap(), "unknown attributes");
    let kept: Vec<_> =
        envelope.signer.extended_attributes.iter().map(|kept| (kept.name.as_str(), &kept.json)).collect();
    assert_eq!(
        kept,
        [("com.example.note", &Some("\"x\"".to_owned())), ("com.example.tree", &Some("{\"a\":[1,2]}".to_owned()))],
        "all of them, with their values"
    );
}

#[test]
fn b16_other_content_types() {
    let mut values = vec!["\"\"".to_owned(), "null".to_owned(), "1".to_owned()];
    for text in [
        format!("{PAYLOAD_TYPE}; charset=utf-8"),
        PAYLOAD_TYPE.to_uppercase(),
        format!(" {PAYLOAD_TYPE}"),
        PAYLOAD_TYPE.trim_start_matches("application/").to_owned(),
        PAYLOAD_TYPE.replace("v1", "v2"),
        "application/vnd.oci.descriptor.v1+json".to_owned(),
    ] {
        values.push(json!(text).to_string());
    }
    member_refused(&jws(), "cty", &values.iter().map(String::as_str).collect::<Vec<_>>(), Code::ContentTypeUnsupported);
    jws_cases(&jws(), &[("missing", |draft| draft.protected.remove("cty"), Code::ContentTypeUnsupported)]);
}

#[test]
fn b17_other_signing_schemes() {
    let values = [
        "\"\"",
        "\"notary.x509.v2\"",
        "\"Notary.X509\"",
        "\"notary.X509\"",
        "\" notary.x509\"",
        "null",
        "1",
        "[\"notary.x509\"]",
    ];
    member_refused(&jws(), SCHEME, &values, Code::SigningSchemeUnsupported);
    member_refused(&authority(), SCHEME, &["\"notary.x509.signingauthority\""], Code::SigningSchemeUnsupported);
    jws_cases(
        &jws(),
        &[(
            "missing",
            |draft| {
                draft.protected.remove(SCHEME);
                draft.protected.set("crit", json!([EXPIRY]).to_string());
            },
            Code::SigningSchemeUnsupported,
        )],
    );
}

#[test]
fn b18_times_of_the_other_scheme() {
    const NOW: &str = "\"2026-01-02T03:04:05Z\"";
    jws_cases(
        &jws(),
        &[
            ("authentic time beside it", |draft| draft.protected.add(AUTHENTIC, NOW), Code::SigningTimeMalformed),
            ("authentic time, null", |draft| draft.protected.add(AUTHENTIC, "null"), Code::SigningTimeMalformed),
            (
                "authentic time for it",
                |draft| {
                    draft.protected.remove(TIME);
                    draft.protected.add(AUTHENTIC, NOW);
                },
                Code::SigningTimeMalformed,
            ),
            (
                "the other scheme's name",
                |draft| draft.protected.set(SCHEME, "\"notary.x509.signingAuthority\""),
                Code::SigningTimeMalformed,
            ),
        ],
    );
    jws_cases(
        &authority(),
        &[
            ("signing time beside it", |draft| draft.protected.add(TIME, NOW), Code::SigningTimeMalformed),
            (
                "no time",
                |draft| {
                    draft.protected.remove(AUTHENTIC);
                    draft.protected.set("crit", json!([SCHEME, EXPIRY]).to_string());
                },
                Code::SigningTimeMalformed,
            ),
        ],
    );
}

/// What is no time by RFC 3339.
const NO_TIMES: [&str; 20] = [
    "\"\"",
    "null",
    "1767323045",
    "[]",
    "\"2026-01-02\"",
    "\"2026-01-02T03:04:05\"",
    "\"2026-01-02 03:04:05Z\"",
    "\"2026-01-02t03:04:05Z\"",
    "\"2026-01-02T03:04:05z\"",
    "\"2026-12-31T23:59:60Z\"",
    "\"2026-01-02T24:00:00Z\"",
    "\"10000-01-01T00:00:00Z\"",
    "\"+10000-01-01T00:00:00Z\"",
    "\"2026-02-30T00:00:00Z\"",
    "\"2026-01-02T03:04Z\"",
    "\"2026-01-02T03:04:05,5Z\"",
    "\"2026-01-02T03:04:05.Z\"",
    "\" 2026-01-02T03:04:05Z\"",
    "\"2026-01-02T03:04:05Z \"",
    "\"2026-01-02T03:04:05+2:00\"",
];

#[test]
fn b19_signing_times_that_are_none() {
    member_refused(&jws(), TIME, &NO_TIMES, Code::SigningTimeMalformed);
    member_refused(&authority(), AUTHENTIC, &NO_TIMES, Code::SigningTimeMalformed);
    jws_cases(&jws(), &[("missing", |draft| draft.protected.remove(TIME), Code::SigningTimeMalformed)]);
    let mut fraction = jws();
    fraction.protected.set(TIME, "\"2026-01-02T03:04:05.123Z\"");
    let notes = accepted(JWS, &fraction.seal().unwrap(), "a fraction").notes;
    assert!(notes.iter().any(|note| note.contains("fraction")), "{notes:?}");
    let mut offset = jws();
    offset.protected.set(TIME, "\"2026-01-02T05:04:05+02:00\"");
    let (offset, plain) = (offset.seal().unwrap(), jws().seal().unwrap());
    let times = [offset, plain].map(|bytes| accepted(JWS, &bytes, "an offset").signer.signing_time);
    assert_eq!(times[0], times[1]);
}

#[test]
fn b20_expiries_not_after_the_signing_time() {
    let not_after = [
        "\"2026-01-02T03:04:05Z\"",
        "\"2026-01-02T03:04:04Z\"",
        "\"1970-01-01T00:00:00Z\"",
        "\"2026-01-02T05:04:05+02:00\"",
    ];
    member_refused(&jws(), EXPIRY, &not_after, Code::ExpiryMalformed);
    member_refused(&authority(), EXPIRY, &not_after, Code::ExpiryMalformed);
    let mut draft = jws();
    draft.protected.set(EXPIRY, "\"2026-01-02T03:04:06Z\"");
    accepted(JWS, &draft.seal().unwrap(), "a second after");
}

#[test]
fn b21_expiries_that_are_no_time() {
    let values: Vec<&str> = NO_TIMES.into_iter().filter(|value| *value != "null").collect();
    member_refused(&jws(), EXPIRY, &values, Code::ExpiryMalformed);
    member_refused(&jws(), EXPIRY, &["\"0001-01-01T00:00:00Z\""], Code::ExpiryMalformed);
    // null is no expiry, and what is not there cannot be critical.
    member_refused(&jws(), EXPIRY, &["null"], Code::CriticalMalformed);
    let mut none = jws();
    none.protected.set(EXPIRY, "null");
    none.protected.set("crit", json!([SCHEME]).to_string());
    assert_eq!(accepted(JWS, &none.seal().unwrap(), "null").signer.expiry, None);
}

#[test]
fn b19_times_written_with_escapes() {
    // The same text for a reader of JSON, and no time for one that reads what stands there.
    let escaped =
        ["\"2026-01-02T03:04:05\\u005a\"", "\"\\u0032026-01-02T03:04:05Z\"", "\"2026-01-02\\u005403:04:05Z\""];
    member_refused(&jws(), TIME, &escaped, Code::SigningTimeMalformed);
    member_refused(&authority(), AUTHENTIC, &escaped, Code::SigningTimeMalformed);
    let escaped = escaped.map(|time| time.replace("2026", "2036").replace("\\u0032026", "\\u0032036"));
    member_refused(&jws(), EXPIRY, &escaped.each_ref().map(String::as_str), Code::ExpiryMalformed);
    // Elsewhere an escape is only another way to write a character.
    let mut draft = jws();
    draft.protected.set(SCHEME, "\"notary\\u002ex509\"");
    accepted(JWS, &draft.seal().unwrap(), "an escape in the scheme");
}

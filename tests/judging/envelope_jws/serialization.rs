//! Rows B01–B06, B27, B28 of `docs/bad-inputs.md`: the JSON and the base64.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use muster::failure::Code;
use muster::forge::{JwsDraft, Members};

use super::{EXPIRY, payload, payload_refused};
use crate::world::{COSE, Change, JWS, accepted, cose, jws, jws_cases, refused};

#[test]
fn b01_what_is_no_envelope() {
    let sound = jws().seal().unwrap();
    accepted(JWS, &sound, "unchanged");
    let with = |before: &[u8], after: &[u8]| [before, &sound, after].concat();
    let mut inputs = vec![
        with(b"", b"x"),
        with(b"", b"{}"),
        with(b"", b"\0"),
        with(b"\0", b""),
        with(b"\xef\xbb\xbf", b""),
        with(b"\xff", b""),
        with(b"[", b"]"),
    ];
    inputs.extend((0..sound.len()).step_by(61).map(|length| sound[..length].to_vec()));
    inputs
        .extend(["null", "{}", "[]", "\"x\"", "1", "true", "{\"payload\"", "\0"].map(|text| text.as_bytes().to_vec()));
    for name in ["payload", "protected", "header", "signature"] {
        let mut members = jws().members().unwrap();
        for value in ["null", "1", "[]"] {
            members.set(name, value);
            inputs.push(members.text().into_bytes());
        }
        members.remove(name);
        // Without a header there is no chain, and that is what is missed.
        let code = if name == "header" { Code::ChainMalformed } else { Code::EnvelopeMalformed };
        refused(JWS, members.text().as_bytes(), code, name);
    }
    for input in inputs {
        refused(JWS, &input, Code::EnvelopeMalformed, &String::from_utf8_lossy(&input));
    }
}

#[test]
fn b02_unknown_members_are_accepted_and_noted() {
    assert!(accepted(JWS, &jws().seal().unwrap(), "unchanged").notes.is_empty());
    let mut draft = jws();
    draft.extra.add("x-top", "[1]");
    draft.header.add("x-header", "{\"a\":1}");
    let notes = accepted(JWS, &draft.seal().unwrap(), "unknown members").notes.join(" ");
    assert!(notes.contains("x-top") && notes.contains("x-header"), "{notes}");
}

#[test]
fn b02_what_no_rule_reads_is_skipped() {
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (what, value) in [
        ("names that differ in case", "{\"a\":1,\"A\":1}"),
        ("a name twice", "{\"a\":1,\"a\":1}"),
        ("names of the specification", "{\"x5c\":[],\"X5C\":1,\"payload\":2}"),
        ("a number that is too large", "1e999"),
        ("half of a surrogate", "\"\\ud800\""),
        ("depth", &deep),
    ] {
        let mut header = jws();
        header.header.0.insert(0, ("x".to_owned(), value.to_owned()));
        header.header.add("X", value);
        header.header.add("x", value);
        let mut envelope = jws();
        envelope.extra.add("x", value);
        envelope.extra.add("x", value);
        for draft in [header, envelope] {
            let read = accepted(JWS, &draft.seal().unwrap(), what);
            assert_eq!(read.notes.len(), 1, "{what}: {:?}", read.notes);
        }
    }
    // But no name stands in both headers, known or not.
    jws_cases(
        &jws(),
        &[
            (
                "both",
                |draft| {
                    draft.protected.add("com.example.note", "1");
                    draft.header.add("com.example.note", "1");
                },
                Code::EnvelopeMalformed,
            ),
            ("not JSON", |draft| draft.header.add("x", "{\"a\":tru}"), Code::EnvelopeMalformed),
        ],
    );
}

#[test]
fn b28_what_is_signed_has_a_bounded_number_of_items() {
    let with = |items: usize| {
        let mut draft = jws();
        draft.protected.add("com.example.list", format!("[{}0]", "0,".repeat(items)));
        draft.seal().unwrap()
    };
    accepted(JWS, &with(10_000), "ten thousand");
    refused(JWS, &with(muster::limits::JSON_ITEMS), Code::EnvelopeMalformed, "too many");
    let mut draft = jws();
    let list = format!("\"note\":[{}0],\"size\"", "0,".repeat(muster::limits::JSON_ITEMS));
    draft.payload = payload("\"size\"", &list).into_bytes();
    refused(JWS, &draft.seal().unwrap(), Code::PayloadMalformed, "too many in the payload");
}

#[test]
fn b01_text_that_is_none() {
    const AGENT: &str = "io.cncf.notary.signingAgent";
    let broken: [(&str, Change<JwsDraft>); 4] = [
        ("half of a surrogate in what is read", |draft| draft.header.set(AGENT, "\"\\ud800\"")),
        ("half of a surrogate in what is signed", |draft| draft.protected.add("x", "[\"\\udc00\"]")),
        ("half of a surrogate in a name", |draft| draft.header.0.push(("x".to_owned(), "1,\"\\ud800\":1".to_owned()))),
        ("bytes that are not UTF-8 in what is signed", |draft| {
            let mut header = draft.protected.text().into_bytes();
            header.splice(1..1, b"\"x\":\"\xff\",".iter().copied());
            draft.protected_bytes = Some(header);
        }),
    ];
    jws_cases(&jws(), &broken.map(|(what, change)| (what, change, Code::EnvelopeMalformed)));
    let mut bytes = jws().seal().unwrap();
    let at = bytes.windows(12).position(|window| window == b"muster-forge").unwrap();
    bytes[at] = 0xff;
    refused(JWS, &bytes, Code::EnvelopeMalformed, "bytes that are not UTF-8 in the agent");
}

#[test]
fn b03_doubled_members() {
    for name in ["payload", "protected", "header", "signature"] {
        let mut members = jws().members().unwrap();
        let value = members.get(name).unwrap().to_owned();
        members.add(name, value);
        refused(JWS, members.text().as_bytes(), Code::EnvelopeMalformed, name);
        // The same name, written with an escape the second time.
        let (first, rest) = name.split_at(1);
        let escaped = format!("\\u{:04x}{rest}", first.as_bytes()[0]);
        let text = members.text();
        let (before, after) = text.rsplit_once(&format!("\"{name}\"")).unwrap();
        let text = format!("{before}\"{escaped}\"{after}");
        refused(JWS, text.as_bytes(), Code::EnvelopeMalformed, &escaped);
    }
    jws_cases(
        &jws(),
        &[
            (
                "x5c",
                |draft| draft.header.add("x5c", draft.header.get("x5c").unwrap().to_owned()),
                Code::EnvelopeMalformed,
            ),
            ("alg", |draft| draft.protected.add("alg", "\"ES256\""), Code::EnvelopeMalformed),
            ("expiry", |draft| draft.protected.add(EXPIRY, "null"), Code::EnvelopeMalformed),
            (
                "unknown",
                |draft| draft.protected.0.extend(vec![("x".to_owned(), "1".to_owned()); 2]),
                Code::EnvelopeMalformed,
            ),
        ],
    );
    payload_refused(&[payload("\"size\":", "\"size\":1,\"size\":")], Code::PayloadMalformed);
}

#[test]
fn b04_other_spellings_of_members() {
    for name in ["payload", "protected", "header", "signature"] {
        let mut members = jws().members().unwrap();
        let value = members.get(name).unwrap().to_owned();
        members.add(&name.to_uppercase(), value);
        refused(JWS, members.text().as_bytes(), Code::EnvelopeMalformed, name);
        members.remove(name);
        refused(JWS, members.text().as_bytes(), Code::EnvelopeMalformed, name);
    }
    // What a reader that folds case by Unicode takes for "signature".
    let mut members = jws().members().unwrap();
    members.add("\u{17f}ignature", "\"AA\"");
    refused(JWS, members.text().as_bytes(), Code::EnvelopeMalformed, "long s");
    jws_cases(
        &jws(),
        &[
            ("X5C beside x5c", |draft| draft.header.add("X5C", "[]"), Code::EnvelopeMalformed),
            ("CTY beside cty", |draft| draft.protected.add("CTY", "\"text/plain\""), Code::EnvelopeMalformed),
            ("CTY for cty", |draft| draft.protected.0[1].0 = "CTY".to_owned(), Code::EnvelopeMalformed),
            ("EXPIRY", |draft| draft.protected.add(&EXPIRY.to_uppercase(), "null"), Code::EnvelopeMalformed),
        ],
    );
    payload_refused(
        &[payload("targetArtifact", "TARGETARTIFACT"), payload("\"digest\"", "\"Digest\"")],
        Code::PayloadMalformed,
    );
}

#[test]
fn b05_general_serialization() {
    let sound = jws().members().unwrap();
    accepted(JWS, sound.text().as_bytes(), "unchanged");
    let mut one = sound.clone();
    one.remove("payload");
    let mut general = Members::default();
    general.add("payload", sound.get("payload").unwrap());
    general.add("signatures", format!("[{}]", one.text()));
    refused(JWS, general.text().as_bytes(), Code::EnvelopeMalformed, "general");
}

#[test]
fn b06_loose_base64url() {
    // A text of every length modulo three, with the two characters in which the alphabets differ.
    for blanks in 0..3 {
        let mut draft = jws();
        draft.payload.extend(vec![b' '; blanks]);
        draft.protected.add("x", "\"ÿÿÿ>>>???~~~ÿÿÿ\"");
        jws_cases(&draft, &[]);
        let payload = URL_SAFE_NO_PAD.encode(&draft.payload);
        let protected = draft.protected.text();
        let mut loose = vec![format!("{payload}\n"), format!(" {payload}"), payload.replacen('I', "I\r\n", 1)];
        loose.extend((!payload.len().is_multiple_of(4)).then(|| URL_SAFE.encode(&draft.payload)));
        loose.extend((!payload.len().is_multiple_of(4)).then(|| with_trailing_bits(payload.clone())));
        loose.extend(["A", "=", "=A"].map(|more| format!("{}{more}", URL_SAFE.encode(&draft.payload))));
        for text in loose {
            let changed = JwsDraft { payload_text: Some(text.clone()), ..draft.clone() };
            refused(JWS, &changed.seal().unwrap(), Code::EnvelopeMalformed, &text);
        }
        let standard = STANDARD.encode(&protected);
        assert!(standard.contains('+') || standard.contains('/'), "{standard}");
        for text in [standard.trim_end_matches('=').to_owned(), format!("{}\n", URL_SAFE_NO_PAD.encode(&protected))] {
            let changed = JwsDraft { protected_text: Some(text.clone()), ..draft.clone() };
            refused(JWS, &changed.seal().unwrap(), Code::EnvelopeMalformed, &text);
        }
    }
    jws_cases(
        &jws(),
        &[
            ("padded", |draft| draft.alter_signature_text = Some(|text| text + "=="), Code::EnvelopeMalformed),
            ("newline", |draft| draft.alter_signature_text = Some(|text| text + "\n"), Code::EnvelopeMalformed),
            ("bits", |draft| draft.alter_signature_text = Some(with_trailing_bits), Code::EnvelopeMalformed),
        ],
    );
}

/// The same bytes for a decoder that does not look at the bits behind the last byte.
fn with_trailing_bits(mut text: String) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let last = ALPHABET.find(text.pop().unwrap()).unwrap();
    text.push(char::from(ALPHABET.as_bytes()[last | 1]));
    text
}

#[test]
fn b27_envelopes_under_the_wrong_media_type() {
    let (json, cbor) = (jws().seal().unwrap(), cose().seal().unwrap());
    accepted(JWS, &json, "unchanged");
    accepted(COSE, &cbor, "unchanged");
    refused(COSE, &json, Code::EnvelopeMalformed, "JWS as COSE");
    refused(JWS, &cbor, Code::EnvelopeMalformed, "COSE as JWS");
    for media_type in [
        "",
        "application/json",
        "application/jose",
        "APPLICATION/JOSE+JSON",
        "application/jose+json; charset=utf-8",
        "application/jose+json ",
        "application/jose+json\0",
        "application/cbor",
        "application/vnd.cncf.notary.signature",
    ] {
        refused(media_type, &json, Code::EnvelopeFormatUnsupported, media_type);
        refused(media_type, &cbor, Code::EnvelopeFormatUnsupported, media_type);
    }
}

#[test]
fn b28_bombs_take_bounded_time() {
    let full = usize::try_from(muster::limits::ENVELOPE_BYTES).unwrap();
    let payload =
        |content: &str| format!("{{\"payload\":\"x\",\"protected\":\"x\",\"signature\":\"x\",\"header\":{content}}}");
    let tokens = payload(&format!("[{}1]", "1,".repeat(full / 2 - 100)));
    let mut protected = jws();
    protected.protected.add("deep", format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20)));
    let members: String = (0..200_000).map(|number| format!("\"{number}\":1,")).collect();
    let mut wide = jws();
    wide.protected_bytes = Some(format!("{{{members}\"alg\":\"ES256\"}}").into_bytes());
    for (what, bytes, code) in [
        ("tokens", tokens.into_bytes(), Code::EnvelopeMalformed),
        ("open brackets", "[".repeat(full).into_bytes(), Code::EnvelopeMalformed),
        ("open braces", "{\"a\":".repeat(full / 5).into_bytes(), Code::EnvelopeMalformed),
        (
            "deep",
            payload(&format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20))).into_bytes(),
            Code::EnvelopeMalformed,
        ),
        ("deep where it is signed", protected.seal().unwrap(), Code::EnvelopeMalformed),
        ("wide where it is signed", wide.seal().unwrap(), Code::EnvelopeMalformed),
        ("escapes", payload(&format!("\"{}\"", "\\u0041".repeat(full / 6 - 20))).into_bytes(), Code::EnvelopeMalformed),
        ("too large", vec![b' '; full + 1], Code::EnvelopeTooLarge),
        ("far too large", vec![b'['; 32 << 20], Code::EnvelopeTooLarge),
    ] {
        // Unoptimised: in a release build each is far below a second.
        crate::processor_time::within(Duration::from_secs(10), what, || refused(JWS, &bytes, code, what));
    }
}

//! Rows B22–B24 of `docs/bad-inputs.md`: the chain that is carried, and the payload.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster::failure::Code;
use muster::forge::KeyKind;
use serde_json::json;

use super::{payload, payload_refused};
use crate::world::{JWS, accepted, jws, jws_cases, refused, signer, statement};

#[test]
fn b22_chains_that_are_none() {
    let chain: Vec<String> = signer(KeyKind::P256).chain.iter().map(|der| STANDARD.encode(der)).collect();
    let with = |first: String| json!([first, chain[1], chain[2]]).to_string();
    let leaf = &signer(KeyKind::P256).chain[0];
    let wrapped =
        chain[0].as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect::<Vec<_>>().join("\n");
    let pem = format!("-----BEGIN CERTIFICATE-----\n{wrapped}\n-----END CERTIFICATE-----\n");
    let many = vec![chain[0].clone(); 1000];
    let large = STANDARD.encode(vec![0x30; 2 << 20]);
    jws_cases(&jws(), &[]);
    for (value, code) in [
        ("null".to_owned(), Code::ChainMalformed),
        ("[]".to_owned(), Code::ChainMalformed),
        ("{}".to_owned(), Code::ChainMalformed),
        (json!(chain[0]).to_string(), Code::ChainMalformed),
        (json!([null, chain[1], chain[2]]).to_string(), Code::ChainMalformed),
        (json!([1]).to_string(), Code::ChainMalformed),
        (with("*".to_owned()), Code::ChainMalformed),
        (with(wrapped), Code::ChainMalformed),
        (with(pem), Code::ChainMalformed),
        (with(format!("{} ", chain[0])), Code::ChainMalformed),
        (json!(many).to_string(), Code::ChainMalformed),
        (with(large), Code::ChainMalformed),
        (with(String::new()), Code::CertificateMalformed),
        (with(STANDARD.encode(b"x")), Code::CertificateMalformed),
        (with(STANDARD.encode(&leaf[1..])), Code::CertificateMalformed),
        (with(STANDARD.encode([leaf.as_slice(), b"\0"].concat())), Code::CertificateMalformed),
    ] {
        let mut draft = jws();
        draft.header.set("x5c", value.clone());
        refused(JWS, &draft.seal().unwrap(), code, &value[..value.len().min(120)]);
    }
    // The alphabet of base64url, and missing padding, in certificates where they show.
    let (mut urls, mut padded) = (0, 0);
    for _ in 0..64 {
        let signer = signer(KeyKind::P256);
        let draft = statement().jws(&signer).unwrap();
        let sound = draft.header.get("x5c").unwrap().to_owned();
        for (changed, count) in
            [(sound.replace('+', "-").replace('/', "_"), &mut urls), (sound.replace('=', ""), &mut padded)]
        {
            if changed != sound && *count == 0 {
                let mut draft = draft.clone();
                draft.header.set("x5c", changed);
                refused(JWS, &draft.seal().unwrap(), Code::ChainMalformed, "another base64");
                *count += 1;
            }
        }
    }
    assert_eq!((urls, padded), (1, 1));
}

#[test]
fn b23_chains_in_the_wrong_header() {
    jws_cases(
        &jws(),
        &[
            (
                "moved",
                |draft| {
                    draft.protected.add("x5c", draft.header.get("x5c").unwrap().to_owned());
                    draft.header.remove("x5c");
                },
                Code::ChainMalformed,
            ),
            ("missing", |draft| draft.header.remove("x5c"), Code::ChainMalformed),
        ],
    );
}

#[test]
fn b24_payloads_that_describe_nothing() {
    let size = format!("\"size\":{}", statement().target.size);
    let mut payloads =
        vec![payload("\"digest\":", "\"digests\":"), payload("sha256:", "md5:"), payload("sha256:", "sha256:A")];
    payloads.extend(
        ["1.0", "1e2", "-1", "\"1\"", "null", "18446744073709551616", "1e400", "NaN"]
            .map(|number| payload(&size, &format!("\"size\":{number}"))),
    );
    payloads.extend(
        ["", "null", "[]", "\"x\"", "1", "{}", "{\"targetArtifact\":null}", "{\"targetArtifact\":[]}"]
            .map(str::to_owned),
    );
    payloads.extend(["x", "{}", ","].map(|more| payload("", "") + more));
    payload_refused(&payloads, Code::PayloadMalformed);
}

/// The payload of the sound envelope with `more` in its descriptor.
fn with_member(more: &str) -> String {
    let size = format!("\"size\":{}", statement().target.size);
    let payload = payload(&size, &format!("{size},{more}"));
    // The sound one has annotations of its own.
    if more.contains("\"annotations\"") {
        payload.replacen("\"annotations\":{\"build\":\"7\"},", "", 1)
    } else {
        payload
    }
}

#[test]
fn b24_members_of_the_wrong_type() {
    let members = [
        "\"data\":1",
        "\"data\":true",
        "\"data\":[101]",
        "\"data\":{}",
        "\"data\":\"?\"",
        "\"data\":\"e30\"",
        "\"platform\":1",
        "\"platform\":\"linux/amd64\"",
        "\"platform\":[]",
        "\"platform\":{\"os\":1}",
        "\"platform\":{\"architecture\":{}}",
        "\"platform\":{\"variant\":[]}",
        "\"platform\":{\"os.version\":10}",
        "\"platform\":{\"os.features\":\"win32k\"}",
        "\"platform\":{\"os.features\":[1]}",
        "\"urls\":1",
        "\"urls\":\"https://example.com\"",
        "\"urls\":{}",
        "\"urls\":[1]",
        "\"urls\":[[]]",
        "\"annotations\":1",
        "\"annotations\":\"\"",
        "\"annotations\":[]",
        "\"annotations\":{\"a\":1}",
        "\"annotations\":{\"a\":null}",
        "\"annotations\":{\"a\":{}}",
        "\"artifactType\":1",
        "\"artifactType\":[]",
        "\"artifactType\":false",
    ];
    payload_refused(&members.map(with_member), Code::PayloadMalformed);
    for (member, values) in [("mediaType", ["null", "1", "[]", "\"\""]), ("digest", ["null", "1", "{}", "\"\""])] {
        let sound: serde_json::Value = serde_json::from_str(&payload("", "")).unwrap();
        let text = sound["targetArtifact"][member].to_string();
        payload_refused(&values.map(|value| payload(&text, value)), Code::PayloadMalformed);
    }
}

#[test]
fn b24_optional_members_may_be_null_or_there() {
    for more in [
        "\"annotations\":null",
        "\"artifactType\":null",
        "\"artifactType\":\"\"",
        "\"data\":null",
        "\"urls\":null",
        "\"platform\":null",
        "\"platform\":{}",
        "\"platform\":{\"os\":null,\"os.features\":null}",
        "\"data\":\"e30=\"",
        "\"urls\":[\"https://example.com\"]",
        "\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}",
    ] {
        let mut draft = jws();
        draft.payload = with_member(more).into_bytes();
        let envelope = accepted(JWS, &draft.seal().unwrap(), more);
        assert_eq!(envelope.payload.target.annotations.is_empty(), more.contains("annotations"), "{more}");
    }
}

#[test]
fn b24_names_that_differ_only_in_case_at_any_depth() {
    payload_refused(
        &[
            with_member("\"note\":1,\"Note\":2"),
            with_member("\"note\":{\"a\":1,\"A\":2}"),
            with_member("\"note\":[[{\"a\":1,\"A\":2}]]"),
            with_member("\"note\":[{\"a\":1,\"a\":2}]"),
            with_member("\"platform\":{\"os\":\"linux\",\"x\":{\"a\":1,\"A\":2}}"),
            payload("{\"targetArtifact\"", "{\"note\":{\"a\":1,\"A\":2},\"targetArtifact\""),
        ],
        Code::PayloadMalformed,
    );
    // The names of annotations are data.
    let mut draft = jws();
    draft.payload = with_member("\"annotations\":{\"a\":\"1\",\"A\":\"2\"}").into_bytes();
    assert_eq!(accepted(JWS, &draft.seal().unwrap(), "annotations").payload.target.annotations.len(), 2);
}

//! Rows B22–B24: the chain that is carried, and the payload.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster::failure::Code;
use muster::forge::KeyKind;
use serde_json::json;

use crate::world::{JWS, jws, jws_cases, refused, signer, statement};
use crate::{payload, payload_refused};

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

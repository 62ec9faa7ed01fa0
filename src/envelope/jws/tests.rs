use super::super::tests::shortest;
use super::*;

const PROTECTED: &str = r#"{"alg":"ES256","crit":["io.cncf.notary.signingScheme"],"cty":"application/vnd.cncf.notary.payload.v1+json","io.cncf.notary.signingScheme":"notary.x509","io.cncf.notary.signingTime":"2026-11-23T00:21:27Z"}"#;

fn encode(text: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(text)
}

/// An envelope with these parts. Its signature is not valid, which the parser does not look at.
fn envelope(protected: &str, header: &str) -> String {
    let (protected, payload) = (encode(protected), encode("{}"));
    format!(r#"{{"payload":"{payload}","protected":"{protected}","header":{header},"signature":"AAAA"}}"#)
}

fn sound() -> String {
    envelope(PROTECTED, r#"{"x5c":["AAAA"]}"#)
}

fn code(text: &str) -> Code {
    parse(text.as_bytes()).unwrap_err().code
}

#[test]
fn reads_the_common_shape() {
    let header =
        r#"{"x5c":["AQID","BA=="],"io.cncf.notary.timestampSignature":"BQ==","io.cncf.notary.signingAgent":"a\u0062"}"#;
    let read = parse(envelope(PROTECTED, header).as_bytes()).unwrap();
    assert_eq!(read.format, Format::Jws);
    assert_eq!(read.algorithm, Ok(Algorithm::Es256));
    assert_eq!(read.signed, format!("{}.{}", encode(PROTECTED), encode("{}")).into_bytes());
    assert_eq!(read.payload, b"{}");
    assert_eq!(read.chain, [vec![1, 2, 3], vec![4]]);
    assert_eq!(read.unsigned.signature, [0, 0, 0]);
    assert_eq!(read.unsigned.timestamp_token.as_deref(), Some(&[5][..]));
    assert_eq!(read.unsigned.signing_agent.as_deref(), Some("ab"));
    assert_eq!(read.protected.content_type.as_deref(), Some("application/vnd.cncf.notary.payload.v1+json"));
    assert_eq!(read.protected.critical.unwrap(), [Label::from(SIGNING_SCHEME)]);
    assert_eq!(read.protected.attributes.len(), 2);
    assert!(read.notes.is_empty());
}

#[test]
fn b01_refuses_what_is_not_one_json_object() {
    let sound = sound();
    for text in [
        String::new(),
        " ".into(),
        "null".into(),
        "{}".into(),
        "[]".into(),
        "\"x\"".into(),
        "0".into(),
        sound[..sound.len() - 1].into(),
        format!("{sound}x"),
        format!("{sound}{sound}"),
        format!("\u{feff}{sound}"),
        format!("{sound}\0"),
        format!("\0{sound}"),
        format!("[{sound}]"),
        sound.replace("\"AAAA\"", "\"AAAA\u{0}\""),
    ] {
        assert_eq!(code(&text), Code::EnvelopeMalformed, "{text:?}");
    }
    let mut other: Vec<u8> = sound.clone().into_bytes();
    other.insert(1, 0xff);
    assert_eq!(parse(&other).unwrap_err().code, Code::EnvelopeMalformed);
    let utf16: Vec<u8> = sound.encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(parse(&utf16).unwrap_err().code, Code::EnvelopeMalformed);
}

#[test]
fn every_member_is_needed_and_has_its_type() {
    let sound = sound();
    for member in ["payload", "protected", "signature"] {
        assert_eq!(code(&sound.replace(&format!("\"{member}\":"), "\"other\":")), Code::EnvelopeMalformed, "{member}");
        for value in ["null", "1", "{}", "[]", "[\"AAAA\"]"] {
            let (before, behind) = sound.split_once(&format!("\"{member}\":\"")).unwrap();
            let behind = behind.split_once('"').unwrap().1;
            let text = format!("{before}\"{member}\":{value}{behind}");
            assert_eq!(code(&text), Code::EnvelopeMalformed, "{text}");
        }
    }
    assert_eq!(code(&sound.replace("\"AAAA\"}", "\"\"}")), Code::EnvelopeMalformed);
    assert_eq!(code(&sound.replace("\"header\":", "\"other\":")), Code::ChainMalformed);
    assert_eq!(code(&envelope(PROTECTED, "null")), Code::EnvelopeMalformed);
    assert_eq!(code(&envelope(PROTECTED, "[]")), Code::EnvelopeMalformed);
    for protected in ["", "null", "[]", "\"x\"", "{", "{}x", "\u{feff}{}"] {
        assert_eq!(code(&envelope(protected, r#"{"x5c":["AAAA"]}"#)), Code::EnvelopeMalformed, "{protected:?}");
    }
}

#[test]
fn b02_unknown_members_are_accepted_and_noted() {
    let text =
        sound().replacen('{', "{\"extra\":{\"a\":1},\"\\u001b\":[],", 1).replace("{\"x5c\"", "{\"kid\":\"1\",\"x5c\"");
    let read = parse(text.as_bytes()).unwrap();
    assert_eq!(
        read.notes,
        [
            "the envelope has members that are not known: \"extra\", \"\\u{1b}\"",
            "the unprotected header has members that are not known: \"kid\""
        ]
    );
}

#[test]
fn b02_what_no_rule_reads_is_skipped() {
    let deep = format!("{}{}", "[".repeat(9_990), "]".repeat(9_990));
    for unread in [
        "\"x\":1,\"\\u0078\":2,",
        "\"x\":1,\"X\":2,",
        "\"x\":{\"a\":1,\"a\":1,\"A\":1},",
        "\"x\":{\"x5c\":1,\"X5C\":2,\"payload\":3},",
        "\"x\":[1e999,-0,\"\\ud800\"],",
        &format!("\"x\":{deep},"),
    ] {
        let in_envelope = sound().replacen('{', &format!("{{{unread}"), 1);
        let in_header = sound().replace("{\"x5c\"", &format!("{{{unread}\"x5c\""));
        for text in [in_envelope, in_header] {
            assert_ne!(text, sound());
            let read = parse(text.as_bytes()).unwrap_or_else(|failure| panic!("{unread:.60}: {failure}"));
            assert_eq!(read.chain, [vec![0, 0, 0]], "{unread:.60}");
            assert_eq!(read.notes.len(), 1, "{unread:.60}");
        }
    }
    // It must be JSON, and nest no deeper than the reference implementation reads.
    let deeper = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for unread in ["\"x\":tru,", "\"x\":[,", "\"x\":01,", "\"x\":\"\\x\",", &format!("\"x\":{deeper},")] {
        let text = sound().replace("{\"x5c\"", &format!("{{{unread}\"x5c\""));
        assert_eq!(code(&text), Code::EnvelopeMalformed, "{unread:.60}");
    }
}

#[test]
fn b03_refuses_repeated_members() {
    let sound = sound();
    for member in ["payload", "protected", "signature"] {
        let text = sound.replacen('{', &format!("{{\"{member}\":\"AAAA\","), 1);
        assert_eq!(code(&text), Code::EnvelopeMalformed, "{member}");
    }
    assert_eq!(code(&sound.replacen('{', "{\"header\":{},", 1)), Code::EnvelopeMalformed);
    assert_eq!(code(&sound.replace("{\"x5c\"", "{\"x5c\":[],\"x5c\"")), Code::EnvelopeMalformed);
    for protected in [
        PROTECTED.replacen('{', "{\"alg\":\"ES256\",", 1),
        PROTECTED.replacen('{', "{\"note\":1,\"note\":1,", 1),
        PROTECTED.replacen('{', "{\"note\":[{\"a\":1,\"a\":1}],", 1),
        PROTECTED.replacen('{', "{\"note\":[[{\"a\":1,\"A\":1}]],", 1),
        PROTECTED.replacen('{', "{\"note\":1,\"Note\":1,", 1),
    ] {
        assert_eq!(code(&envelope(&protected, r#"{"x5c":["AAAA"]}"#)), Code::EnvelopeMalformed, "{protected}");
    }
}

#[test]
fn b04_refuses_case_variants() {
    let sound = sound();
    for (member, variant) in
        [("payload", "PAYLOAD"), ("protected", "Protected"), ("header", "HEADER"), ("signature", "\u{17f}ignature")]
    {
        // Once in place of the member, once beside it.
        let instead = sound.replace(&format!("\"{member}\":"), &format!("\"{variant}\":"));
        assert_eq!(code(&instead), Code::EnvelopeMalformed, "{variant}");
        let beside = sound.replacen('{', &format!("{{\"{variant}\":1,"), 1);
        assert_eq!(code(&beside), Code::EnvelopeMalformed, "{variant}");
    }
    for (member, variant) in
        [("\"cty\"", "\"CTY\""), ("\"alg\"", "\"Alg\""), ("\"crit\"", "\"CRIT\""), (":{\"io", ":{\"IO")]
    {
        for protected in [
            PROTECTED.replace(member, variant),
            PROTECTED.replacen('{', &format!("{{{variant}:null,"), 1),
            PROTECTED.replacen('{', "{\"IO.CNCF.NOTARY.EXPIRY\":null,", 1),
            PROTECTED.replacen('{', "{\"io.cncf.notary.authenticsigningtime\":\"\",", 1),
        ] {
            if protected != PROTECTED {
                assert_eq!(code(&envelope(&protected, r#"{"x5c":["AAAA"]}"#)), Code::EnvelopeMalformed, "{protected}");
            }
        }
    }
    for header in [
        r#"{"X5C":["AAAA"]}"#,
        r#"{"x5c":["AAAA"],"X5c":["BBBB"]}"#,
        r#"{"x5c":["AAAA"],"io.cncf.notary.signingagent":""}"#,
    ] {
        assert_eq!(code(&envelope(PROTECTED, header)), Code::EnvelopeMalformed, "{header}");
    }
}

#[test]
fn b05_refuses_general_serialization() {
    let general =
        sound().replacen("\"protected\"", "\"signatures\":[{\"protected\"", 1).replace("AAAA\"}", "AAAA\"}]}");
    assert_eq!(code(&general), Code::EnvelopeMalformed);
    assert_eq!(code(&sound().replacen('{', "{\"signatures\":[],", 1)), Code::EnvelopeMalformed);
    // Compact serialization is not JSON at all.
    assert_eq!(code(&format!("{}.{}.AAAA", encode(PROTECTED), encode("{}"))), Code::EnvelopeMalformed);
}

#[test]
fn b06_base64url_is_strict() {
    // "{}" is "e30"; the last of its digits has two bits that say nothing.
    let sound = sound();
    for payload in ["e30=", "e30\\n", "\\ne30", "e3 0", "e31", "e3+", "e3/", "e", "e30==", "\\u0000e30", "e3\u{e9}"] {
        let text = sound.replace("\"e30\"", &format!("\"{payload}\""));
        assert_ne!(text, sound);
        assert_eq!(code(&text), Code::EnvelopeMalformed, "{payload}");
    }
    for signature in ["AAAA=", "AAA=", "AAA\\r\\nA", "AB", "A", "+/+/"] {
        let text = sound.replace("\"AAAA\"}", &format!("\"{signature}\"}}"));
        assert_ne!(text, sound);
        assert_eq!(code(&text), Code::EnvelopeMalformed, "{signature}");
    }
    let padded = sound.replace(&encode(PROTECTED), &format!("{}=", encode(PROTECTED)));
    assert_eq!(code(&padded), Code::EnvelopeMalformed);
}

#[test]
fn b06_an_escape_in_a_json_string_is_not_part_of_base64() {
    let escaped = parse(sound().replace("\"e30\"", "\"\\u00653\\u0030\"").as_bytes()).unwrap();
    assert_eq!(escaped.payload, b"{}");
    assert_eq!(escaped.signed, parse(sound().as_bytes()).unwrap().signed);
}

#[test]
fn b07_the_algorithm_is_a_name_in_the_protected_header() {
    let header = r#"{"x5c":["AAAA"],"kid":"x"}"#;
    let algorithm = |protected: &str| parse(envelope(protected, header).as_bytes()).unwrap().algorithm;
    for value in ["null", "-7", "[\"ES256\"]", "\"none\"", "\"HS256\"", "\"es256\"", "\"\""] {
        let failure = algorithm(&PROTECTED.replace("\"ES256\"", value)).unwrap_err();
        assert_eq!(failure.code, Code::AlgorithmUnsupported, "{value}");
    }
    assert_eq!(algorithm(&PROTECTED.replace("\"alg\"", "\"algo\"")).unwrap_err().code, Code::AlgorithmUnsupported);
    let unprotected = envelope(&PROTECTED.replace("\"alg\"", "\"algo\""), r#"{"x5c":["AAAA"],"alg":"ES256"}"#);
    assert!(parse(unprotected.as_bytes()).unwrap().algorithm.is_err());
}

#[test]
fn b11_crit_is_a_list_of_names_with_one_at_least() {
    let critical = |value: &str| {
        let protected = PROTECTED.replace("[\"io.cncf.notary.signingScheme\"]", value);
        parse(envelope(&protected, r#"{"x5c":["AAAA"]}"#).as_bytes()).unwrap().protected.critical
    };
    for value in ["[]", "null", "{}", "\"io.cncf.notary.signingScheme\"", "[1]", "[null]", "[\"a\",[\"b\"]]"] {
        assert_eq!(critical(value).unwrap_err().code, Code::CriticalMalformed, "{value}");
    }
    let missing = PROTECTED.replace("\"crit\"", "\"crits\"");
    let missing = parse(envelope(&missing, r#"{"x5c":["AAAA"]}"#).as_bytes()).unwrap();
    assert_eq!(missing.protected.critical.unwrap_err().code, Code::CriticalMalformed);
}

#[test]
fn b21_an_expiry_of_null_is_none() {
    let protected = PROTECTED.replacen('{', "{\"io.cncf.notary.expiry\":null,\"note\":null,", 1);
    let read = parse(envelope(&protected, r#"{"x5c":["AAAA"]}"#).as_bytes()).unwrap();
    assert_eq!(read.protected.get(EXPIRY), None);
    assert_eq!(read.protected.get("note"), Some(&Value::Null));
}

#[test]
fn b19_times_are_written_as_they_read() {
    for (time, escaped) in
        [("2026-11-23T00:21:27Z", "2026-11-23T00:21:27\\u005a"), ("2026-11-23T00:21:27Z", "\\u0032026-11-23T00:21:27Z")]
    {
        let protected = PROTECTED.replace(time, escaped);
        assert_ne!(protected, PROTECTED);
        let read = parse(envelope(&protected, r#"{"x5c":["AAAA"]}"#).as_bytes()).unwrap();
        assert_eq!(read.protected.get(SIGNING_TIME), Some(&Value::EscapedText));
    }
    // Elsewhere an escape is part of how JSON is written.
    let protected = PROTECTED.replace("notary.x509", "notary\\u002ex509");
    let read = parse(envelope(&protected, r#"{"x5c":["AAAA"]}"#).as_bytes()).unwrap();
    assert_eq!(read.protected.get(SIGNING_SCHEME), Some(&Value::Text("notary.x509".to_owned())));
}

#[test]
fn b28_what_is_signed_has_a_bounded_number_of_items() {
    let list = |items: usize| format!("{{\"note\":[{}0],", "{},".repeat(items - 1));
    let (most, more) = (limits::JSON_ITEMS - 6, limits::JSON_ITEMS);
    let read =
        |items| parse(envelope(&PROTECTED.replacen('{', &list(items), 1), r#"{"x5c":["AAAA"]}"#).as_bytes()).map(drop);
    assert_eq!(read(most - 1), Ok(()));
    let failure = read(more).unwrap_err();
    assert_eq!(failure.code, Code::EnvelopeMalformed);
    assert!(failure.message.contains("more than 16384 members and elements"), "{failure}");
}

#[test]
fn b22_the_chain_is_a_bounded_list_of_strict_base64() {
    let many = format!("[{}]", ["\"AAAA\""; limits::CHAIN_CERTIFICATES + 1].join(","));
    let thousands = format!("[{}]", ["\"AAAA\""; 1000].join(","));
    let long = format!("[\"{}\"]", "A".repeat((limits::CERTIFICATE_BYTES / 3 + 2) * 4));
    for x5c in [
        "null",
        "[]",
        "{}",
        "\"AAAA\"",
        "[null]",
        "[1]",
        "[[\"AAAA\"]]",
        "[\"AAAA\",null]",
        "[\"AA\"]",
        "[\"AA=\"]",
        "[\"AB==\"]",
        "[\"AA-_\"]",
        "[\"AAAA\\n\"]",
        "[\" AAAA\"]",
        "[\"AAAA====\"]",
        "[\"AAA\u{20ac}\"]",
        "[\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\"]",
        &many,
        &thousands,
        &long,
    ] {
        assert_eq!(code(&envelope(PROTECTED, &format!("{{\"x5c\":{x5c}}}"))), Code::ChainMalformed, "{x5c:.60}");
    }
    assert_eq!(code(&envelope(PROTECTED, "{}")), Code::ChainMalformed);
    let most = format!("{{\"x5c\":[{}]}}", ["\"AAAA\""; limits::CHAIN_CERTIFICATES].join(","));
    assert!(parse(envelope(PROTECTED, &most).as_bytes()).is_ok());
}

#[test]
fn b23_a_chain_in_the_protected_header_is_none() {
    let protected = PROTECTED.replacen('{', "{\"x5c\":[\"AAAA\"],", 1);
    assert_eq!(code(&envelope(&protected, "{}")), Code::ChainMalformed);
    assert_eq!(code(&envelope(&protected, r#"{"x5c":["AAAA"]}"#)), Code::EnvelopeMalformed);
}

#[test]
fn no_header_stands_in_both() {
    let header = r#"{"x5c":["AAAA"],"io.cncf.notary.signingTime":"2026-11-23T00:21:27Z"}"#;
    assert_eq!(code(&envelope(PROTECTED, header)), Code::EnvelopeMalformed);
}

#[test]
fn unsigned_attributes_have_their_type() {
    let read = |name: &str, value: &str| {
        parse(envelope(PROTECTED, &format!("{{\"x5c\":[\"AAAA\"],\"{name}\":{value}}}")).as_bytes())
    };
    for value in ["null", "\"\""] {
        assert_eq!(read(TIMESTAMP_SIGNATURE, value).unwrap().unsigned.timestamp_token, None);
    }
    assert_eq!(read(SIGNING_AGENT, "null").unwrap().unsigned.signing_agent, None);
    for value in ["1", "[]", "{}", "\"AB==\"", "\"AA-_\"", "\"AAAA\\n\""] {
        assert_eq!(read(TIMESTAMP_SIGNATURE, value).unwrap_err().code, Code::EnvelopeMalformed, "{value}");
    }
    assert_eq!(read(SIGNING_AGENT, "1").unwrap_err().code, Code::EnvelopeMalformed);
}

#[test]
fn b28_tokens_and_depth_take_bounded_time() {
    let size = limits::ENVELOPE_BYTES as usize;
    let started = std::time::Instant::now();
    for text in [
        format!("{{\"x\":[{}0]}}", "0,".repeat(size / 2 - 10)),
        "[".repeat(size),
        "{\"a\":".repeat(size / 5),
        sound().replacen('{', &format!("{{\"x\":{}{},", "[".repeat(1_000_000), "]".repeat(1_000_000)), 1),
        sound().replace("[\"AAAA\"]", &format!("[{}\"\"]", "\"\",".repeat(size / 3 - 500))),
        sound().replace("\"e30\"", &format!("\"{}\"", "\\u0041".repeat(size / 6 - 500))).replace("\"x5c\"", "\"x\""),
    ] {
        assert!(parse(text.as_bytes()).is_err());
    }
    assert!(started.elapsed() < std::time::Duration::from_secs(20), "six of them took {:?}", started.elapsed());
}

#[test]
fn white_space_and_order_are_free() {
    let sample = shortest(Format::Jws);
    let value: serde_json::Value = serde_json::from_slice(&sample.bytes).unwrap();
    let pretty = serde_json::to_vec_pretty(&value).unwrap();
    assert_ne!(pretty, sample.bytes);
    assert!(sample.verify(&pretty, &crate::pki::ChainCache::new()).is_ok());
}

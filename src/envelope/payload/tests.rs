use super::*;

const DIGEST: &str = "sha256:5ec8f17281d53b2bb1d735f3a4f887efbb91e79d56d432ccde8d4ed096585f61";

fn parse(text: &str) -> Result<(Payload, Vec<String>), Failure> {
    let mut notes = Vec::new();
    Payload::parse(text.as_bytes(), &mut notes).map(|payload| (payload, notes))
}

fn target(members: &str) -> String {
    format!("{{\"targetArtifact\":{{\"mediaType\":\"a/b\",\"digest\":\"{DIGEST}\",{members}}}}}")
}

#[test]
fn reads_a_descriptor() {
    let (payload, notes) =
        parse(&target("\"size\":562,\"annotations\":{\"commit\":\"abc\",\"Commit\":\"\"},\"artifactType\":\"x/y\""))
            .unwrap();
    assert_eq!(payload.target.media_type, "a/b");
    assert_eq!(payload.target.digest.to_string(), DIGEST);
    assert_eq!(payload.target.size, 562);
    assert_eq!(payload.target.annotations.len(), 2);
    assert_eq!(payload.target.artifact_type.as_deref(), Some("x/y"));
    assert!(notes.is_empty());
}

#[test]
fn notes_what_it_does_not_know() {
    let (payload, notes) = parse(&target("\"size\":1,\"data\":\"eA==\",\"\\u001b[m\":{}")).unwrap();
    assert_eq!(notes, ["targetArtifact has members that are not known: \"data\", \"\\u{1b}[m\""]);
    assert_eq!(payload.unknown, ["\"data\"", "\"\\u{1b}[m\""]);
}

#[test]
fn b24_refuses_what_is_not_a_description() {
    let size = |size: &str| target(&format!("\"size\":{size}"));
    let good = size("1");
    for text in [
        String::new(),
        "null".into(),
        "[]".into(),
        "\"x\"".into(),
        "{}".into(),
        good.clone() + "x",
        good.clone() + "{}",
        format!("\u{feff}{good}"),
        "{\"targetArtifact\":null}".into(),
        "{\"targetArtifact\":[]}".into(),
        "{\"targetArtifact\":{}}".into(),
        good.replace("\"digest\"", "\"digests\""),
        good.replace("\"mediaType\"", "\"other\""),
        good.replace("\"a/b\"", "\"\""),
        good.replace("\"a/b\"", "1"),
        good.replace("sha256:5e", "sha256:5E"),
        good.replace("sha256:5e", "sha256:"),
        good.replace("sha256", "md5"),
        size("1.0"),
        size("1e2"),
        size("-1"),
        size("\"1\""),
        size("null"),
        size("18446744073709551616"),
        size("9223372036854775808"),
        size("1,\"annotations\":[]"),
        size("1,\"annotations\":{\"a\":1}"),
        size("1,\"annotations\":{\"a\":\"1\",\"a\":\"2\"}"),
        size("1,\"annotations\":{\"a\":null}"),
        size("1,\"annotations\":\"\""),
        size("1,\"artifactType\":1"),
        size("1,\"urls\":\"http://x\""),
        size("1,\"urls\":{}"),
        size("1,\"urls\":[1]"),
        size("1,\"urls\":[null]"),
        size("1,\"data\":1"),
        size("1,\"data\":[120]"),
        size("1,\"data\":\"?\""),
        size("1,\"platform\":\"linux\""),
        size("1,\"platform\":[]"),
        size("1,\"platform\":{\"os\":1}"),
        size("1,\"platform\":{\"variant\":1}"),
        size("1,\"platform\":{\"os.version\":1}"),
        size("1,\"platform\":{\"os.features\":\"x\"}"),
        size("1,\"platform\":{\"OS\":\"linux\"}"),
        size("1,\"platform\":{\"x\":1,\"X\":1}"),
        size("1,\"platform\":{\"x\":[{\"a\":1,\"A\":1}]}"),
        size("1,\"note\":1,\"Note\":2"),
        size("1,\"x\":[{\"y\":{\"a\":1,\"A\":1}}]"),
        size("1}, \"x\":{\"a\":1,\"A\":1"),
        size("1,\"size\":1"),
        size("1,\"x\":{\"a\":1,\"a\":1}"),
    ] {
        assert_eq!(parse(&text).unwrap_err().code, Code::PayloadMalformed, "{text}");
    }
    assert_eq!(Payload::parse(b"{\"targetArtifact\":\xff}", &mut Vec::new()).unwrap_err().code, Code::PayloadMalformed);
}

#[test]
fn optional_members_are_there_with_their_type_or_not_at_all() {
    let plain = parse(&target("\"size\":1")).unwrap().0;
    for more in [
        "\"annotations\":null",
        "\"annotations\":{}",
        "\"artifactType\":null",
        "\"artifactType\":\"\"",
        "\"urls\":null",
        "\"urls\":[\"http://x\"]",
        "\"data\":null",
        "\"data\":\"\"",
        "\"data\":\"e30=\"",
        "\"platform\":null",
        "\"platform\":{}",
        "\"platform\":{\"os\":null}",
        "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\",\"variant\":\"v8\",\"os.version\":\"1\",\"os.features\":[\"x\"]}",
    ] {
        let (payload, notes) = parse(&target(&format!("\"size\":1,{more}"))).unwrap_or_else(|f| panic!("{more}: {f}"));
        assert_eq!(payload.target, plain.target, "{more}");
        let noted = ["urls", "data", "platform"].iter().any(|name| more.starts_with(&format!("\"{name}\"")));
        assert_eq!((notes.len(), payload.unknown.len()), (usize::from(noted), usize::from(noted)), "{more}");
    }
}

#[test]
fn b04_refuses_case_variants() {
    let good = target("\"size\":1");
    for text in [
        good.replace("targetArtifact", "TARGETARTIFACT"),
        good.replace("\"digest\"", "\"Digest\""),
        good.replace("\"size\":1", "\"size\":1,\"SIZE\":2"),
        good.replace("\"size\":1", "\"size\":1,\"mediatype\":\"x/y\""),
        good.replace("\"size\":1", "\"size\":1,\"\u{17f}ize\":2"),
    ] {
        assert_eq!(parse(&text).unwrap_err().code, Code::PayloadMalformed, "{text}");
    }
}

use super::*;

/// A value as part of a document, as callers get it.
fn value(text: &str) -> &RawValue {
    serde_json::from_str(text).unwrap()
}

#[test]
fn hands_out_members_as_they_stand() {
    let read = members(" {\"a\" : [1, 2], \"\\u0062\":\"x\",\"Z\":null}\n").unwrap();
    let seen: Vec<(&str, &str)> = read.iter().map(|(name, value)| (name, value.get())).collect();
    assert_eq!(seen, [("a", "[1, 2]"), ("b", "\"x\""), ("Z", "null")]);
    assert_eq!(read.get("b").map(|v| string(v).unwrap()).as_deref(), Some("x"));
    assert!(read.get("B").is_none());
    assert!(is_null(read.get("Z").unwrap()));
    assert_eq!(read.case_variant_of(&["A"]), Some("a"));
    assert_eq!(read.case_variant_of(&["a", "b", "c"]), None);
}

#[test]
fn refuses_what_is_not_one_object() {
    for text in [
        "",
        " ",
        "null",
        "[]",
        "\"x\"",
        "1",
        "true",
        "{",
        "{}x",
        "{}{}",
        "{}\0",
        "\u{feff}{}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":01}",
        "{\"a\":+1}",
        "{\"a\":.5}",
        "{1:1}",
        "{\"a\":\"\n\"}",
        "{\"\\ud800\":1}",
        "{}//",
        "/**/{}",
        "{\"a\":tru}",
    ] {
        assert!(members(text).is_err(), "{text:?} was taken for an object");
    }
}

#[test]
fn refuses_repeated_members_and_case_variants() {
    for (text, expected) in [
        ("{\"a\":1,\"a\":1}", JsonError::Duplicate("a".into())),
        ("{\"a\":1,\"b\":2,\"\\u0061\":1}", JsonError::Duplicate("a".into())),
        ("{\"payload\":1,\"PAYLOAD\":1}", JsonError::CaseVariants("PAYLOAD".into(), "payload".into())),
        (
            "{\"signature\":1,\"\u{17f}ignature\":1}",
            JsonError::CaseVariants("signature".into(), "\u{17f}ignature".into()),
        ),
        ("{\"key\":1,\"\u{212a}ey\":1}", JsonError::CaseVariants("key".into(), "\u{212a}ey".into())),
    ] {
        assert_eq!(members(text).unwrap_err(), expected);
    }
    assert!(members("{\"a\":1,\"aa\":1,\"\u{e4}\":1,\"\u{c4}\":1}").is_ok());
}

#[test]
fn case_variants_outside_ascii_are_seen() {
    let read = members("{\"\u{17f}ize\":1}").unwrap();
    assert_eq!(read.case_variant_of(&["size"]), Some("\u{17f}ize"));
}

#[test]
fn a31_depth_is_bounded_without_recursion() {
    let nested = |depth: usize| format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    assert!(members(&nested(limits::JSON_DEPTH)).is_ok());
    assert_eq!(members(&nested(limits::JSON_DEPTH + 1)).unwrap_err(), JsonError::Depth(limits::JSON_DEPTH));
    assert_eq!(members(&"[".repeat(4 << 20)).unwrap_err(), JsonError::Depth(limits::JSON_DEPTH));
    assert_eq!(check_depth(&b"{\"a\":".repeat(100_000)), Err(JsonError::Depth(limits::JSON_DEPTH)));
    // Brackets inside strings do not count, behind an escaped quotation mark neither.
    assert!(members(&format!("{{\"a\":\"\\\"{}\"}}", "[".repeat(1000))).is_ok());
    assert!(members(&format!("{{\"a\\\\\":{}1{}}}", "[".repeat(63), "]".repeat(63))).is_ok());
}

#[test]
fn a31_many_members_take_bounded_time() {
    let mut text = String::from("{");
    for number in 0..limits::JSON_MEMBERS - 1 {
        text.push_str(&format!("\"{number:x}A\":1,"));
    }
    text.push_str("\"0a\":1}");
    let found = crate::processor_time::within(std::time::Duration::from_secs(5), "60,000 members", || {
        members(&text).map(|_| ())
    });
    assert_eq!(found.unwrap_err(), JsonError::CaseVariants("0A".into(), "0a".into()));
}

#[test]
fn counts_of_members_and_elements_are_bounded() {
    let object = |count: usize| {
        let members: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert!(members(&object(limits::JSON_MEMBERS)).is_ok());
    assert_eq!(members(&object(limits::JSON_MEMBERS + 1)).unwrap_err(), JsonError::Members);
    assert_eq!(array_of_at_most(2, value("[1,2]")).unwrap().len(), 2);
    assert_eq!(array_of_at_most(2, value("[1,2,3,4]")).unwrap_err(), JsonError::Elements(2));
}

#[test]
fn names_of_entries_are_data() {
    assert_eq!(entries(value("{\"a\":1,\"A\":2}")).unwrap().get("A").unwrap().get(), "2");
    assert_eq!(entries(value("{\"a\":1,\"\\u0061\":2}")).unwrap_err(), JsonError::Duplicate("a".into()));
}

#[test]
fn reads_scalars_and_arrays() {
    assert_eq!(string(value(r#""a\u00e9\n""#)).unwrap(), "a\u{e9}\n");
    assert!(matches!(string(value("\"plain\"")), Ok(Cow::Borrowed("plain"))));
    assert_eq!(array(value("[1, [2]]")).unwrap().iter().map(|v| v.get()).collect::<Vec<_>>(), ["1", "[2]"]);
    for (text, expected) in [("0", Some(0)), ("18446744073709551615", Some(u64::MAX)), ("18446744073709551616", None)] {
        assert_eq!(unsigned(value(text)).ok(), expected, "{text}");
    }
    for text in ["-1", "-0", "1.0", "1e3", "\"1\"", "null", "[]"] {
        assert!(unsigned(value(text)).is_err(), "{text} was taken for an integer");
    }
    for text in ["1", "null", "[]", "{}", "true"] {
        assert!(string(value(text)).is_err(), "{text} was taken for a string");
    }
}

#[test]
fn errors_name_types_and_repeat_no_text() {
    assert_eq!(string(value("true")).unwrap_err().to_string(), "expected a string, found a boolean");
    assert_eq!(members("[\"secret\"]").unwrap_err().to_string(), "expected an object, found an array");
    let error = members("{\"a\u{1b}[31m\":1,\"a\\u001b[31m\":1}").unwrap_err().to_string();
    assert!(!error.contains('\u{1b}'), "{error}");
}

#[test]
fn check_looks_at_every_depth() {
    for text in ["1", "null", "\"x\"", "[{\"a\":1},{\"a\":[true,-1,1.5]}]", "{\"a\":{\"a\":1}}"] {
        assert!(check(text).is_ok(), "{text}");
    }
    for text in ["[{\"a\":1,\"a\":1}]", "{\"x\":{\"a\":1,\"A\":1}}", "[1e400]", "[\"\\ud800\"]"] {
        assert!(check(text).is_err(), "{text} passed");
    }
}

#[test]
fn check_is_bounded() {
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    assert_eq!(check(&nested(limits::JSON_DEPTH)), Ok(()));
    assert_eq!(check(&nested(limits::JSON_DEPTH + 1)), Err(JsonError::Depth(limits::JSON_DEPTH)));
    let list = |items: usize| format!("[{}0]", "0,".repeat(items - 1));
    assert_eq!(check(&list(limits::JSON_ITEMS)), Ok(()));
    assert_eq!(check(&list(limits::JSON_ITEMS + 1)), Err(JsonError::Items));
    assert_eq!(check(&format!("[{}]", ["{\"a\":[0]}"; limits::JSON_ITEMS / 2].join(","))), Err(JsonError::Items));
    assert_eq!(check("{\"a\":{\"b\":1,\"B\":2}}"), Err(JsonError::CaseVariants("B".into(), "b".into())));
    assert!(check("[1] 2").is_err());
}

#[test]
fn known_members_are_handed_out_and_the_rest_is_named() {
    let mut others = Vec::new();
    let known = |name: &str| is_one_of_ignoring_case(name, &["a"]);
    let read = known_members("{\"b\":[1],\"a\":2,\"b\":{}}", known, |name| others.push(name.to_owned())).unwrap();
    assert_eq!(read.iter().map(|(name, value)| (name, value.get())).collect::<Vec<_>>(), [("a", "2")]);
    assert_eq!(others, ["b", "b"]);
    for (text, error) in [
        ("{\"a\":1,\"a\":1}", JsonError::Duplicate("a".into())),
        ("{\"a\":1,\"A\":1}", JsonError::CaseVariants("A".into(), "a".into())),
        ("[]", JsonError::Type { expected: "an object", found: "an array" }),
    ] {
        assert_eq!(known_members(text, known, |_| {}).unwrap_err(), error, "{text}");
    }
    let many = "\"a\":1,".repeat(limits::JSON_MEMBERS + 10);
    assert_eq!(known_members(&format!("{{{many}\"b\":1}}"), known, |_| {}).unwrap_err(), JsonError::Members);
    let nested = |depth: usize| format!("{{\"b\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
    let most = limits::JSON_SKIPPED_DEPTH;
    assert!(known_members(&nested(most), known, |_| {}).is_ok());
    assert_eq!(known_members(&nested(most + 1), known, |_| {}).unwrap_err(), JsonError::Depth(most));
    assert!(known_members("{} {}", known, |_| {}).is_err());
}

#[test]
fn text_refuses_byte_order_mark_and_other_encodings() {
    assert_eq!(text(b"{}"), Ok("{}"));
    assert_eq!(text(b"\xef\xbb\xbf{}"), Err(JsonError::ByteOrderMark));
    assert_eq!(text(b"{\xff}"), Err(JsonError::Utf8(1)));
    assert!(text(b"\xff\xfe{\0}\0").is_err());
}

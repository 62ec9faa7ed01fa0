use super::*;

fn parse(text: &str) -> DistinguishedName {
    DistinguishedName::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

#[test]
fn names_are_read() {
    let cases: &[(&str, &[(&str, &str)])] = &[
        (" C=US, ST=WA , O=a", &[]),
        ("C=US;ST=WA;O=a", &[]),
        ("  C = US ,S  =WA,O=a  ", &[]),
        ("CN=b, O=a, ST=WA, C=US", &[("CN", "b")]),
        (r"C=US, ST=WA, O=a, CN=b\, c\; d", &[("CN", "b, c; d")]),
        (r"C=US, ST=WA, O=a, CN=b\2Cc\3b\20d", &[("CN", "b,c; d")]),
        (r"C=US, ST=WA, O=a, CN=\ b\ ", &[("CN", " b ")]),
        (r"C=US, ST=WA, O=a, CN=\ b\  ", &[("CN", " b ")]),
        // The last backslash is escaped, so the space behind it is not.
        (r"C=US, ST=WA, O=a, CN=b\\ ", &[("CN", r"b\")]),
        (r"C=US, ST=WA, O=a, CN=b  c", &[("CN", "b  c")]),
        (r#"C=US, ST=WA, O=a, CN=\"b\" \+ \#\=\<\>\\"#, &[("CN", r##""b" + #=<>\"##)]),
        ("C=US, ST=WA, O=a, CN=b=c=d", &[("CN", "b=c=d")]),
        ("C=US, ST=WA, O=a, CN= #b", &[("CN", "#b")]),
        ("C=US, ST=WA, O=a, CN=ä€", &[("CN", "ä€")]),
        (r"C=US, ST=WA, O=a, CN=\c3\A4", &[("CN", "ä")]),
        ("C=US, ST=WA, O=a, CN=\tb\u{a0}", &[("CN", "\tb\u{a0}")]),
        ("C=US, ST=WA, O=a, L=", &[("L", "")]),
        ("C=US, ST=WA, O=a, cn=b, UID=c, 2.5.4.42=d", &[("cn", "b"), ("UID", "c"), ("2.5.4.42", "d")]),
    ];
    for (text, others) in cases {
        let attributes: BTreeMap<String, String> = [("C", "US"), ("ST", "WA"), ("O", "a")]
            .iter()
            .chain(*others)
            .map(|(kind, value)| ((*kind).to_owned(), (*value).to_owned()))
            .collect();
        assert_eq!(parse(text).attributes(), &attributes, "{text:?}");
    }
}

#[test]
fn g10_names_that_cannot_be_matched_are_refused() {
    use DnError::*;
    let cases = [
        ("", Incomplete(String::new())),
        ("C", Incomplete("C".to_owned())),
        ("C=US, ST=WA, O=a,", Incomplete(String::new())),
        ("C=US, ST=WA, O=a, Inc", Incomplete(" Inc".to_owned())),
        ("C=US,, ST=WA, O=a", Incomplete(String::new())),
        ("C=US, ST=WA, =a", Incomplete(" =a".to_owned())),
        (r#"C=US, ST=WA, O="a, Inc""#, Unescaped("\"a".to_owned(), '"')),
        ("C=US, ST=WA, O=a <b>", Unescaped("a <b>".to_owned(), '<')),
        ("C=US, ST=WA, O=a\0", Unescaped("a\0".to_owned(), '\0')),
        ("C=US, ST=WA, O=a+CN=b", MultiValued),
        ("C=US, ST=WA, O=#0c0161", EncodedValue),
        ("C=US, ST=WA, O=a, CN=b=#c", EncodedValue),
        (r"C=US, ST=WA, O=a\", Escape(r"a\".to_owned())),
        (r"C=US, ST=WA, O=a\n", Escape(r"a\n".to_owned())),
        (r"C=US, ST=WA, O=a\4", Escape(r"a\4".to_owned())),
        (r"C=US, ST=WA, O=a\4g", Escape(r"a\4g".to_owned())),
        (r"C=US, ST=WA, O=a\ff", NotUtf8(r"a\ff".to_owned())),
        ("C=US, ST=WA, O=a, O=b", Duplicate("O".to_owned())),
        ("C=US, ST=WA, O=a, O=a", Duplicate("O".to_owned())),
        ("C=US, ST=WA, O=a, L=, L=b", Duplicate("L".to_owned())),
        ("C=US, S=WA, ST=WA, O=a", Duplicate("ST".to_owned())),
        ("C=US, ST=WA", Missing("O")),
        ("C=US, O=a", Missing("ST")),
        ("ST=WA, O=a", Missing("C")),
        ("C=US, ST=WA, O=", Missing("O")),
        ("C=US, ST=WA, O=  ", Missing("O")),
        ("c=US, st=WA, o=a", Missing("C")),
        ("C=US, s=WA, O=a", Missing("ST")),
    ];
    for (text, error) in cases {
        assert_eq!(DistinguishedName::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn errors_quote_what_strangers_wrote() {
    let error = DistinguishedName::parse("C=US, ST=WA, O=a, \u{1b}[2J").unwrap_err();
    assert_eq!(error.to_string(), "\" \\u{1b}[2J\" is not of the form type=value");
    let error = DistinguishedName::parse("C=US, ST=WA, O=a, \u{7}=b, \u{7}=c").unwrap_err();
    assert_eq!(error.to_string(), "it has the attribute \"\\u{7}\" more than once");
}

#[test]
fn an_identity_matches_what_has_all_its_attributes() {
    let full = parse("C=US, ST=WA, L=Seattle, O=a, OU=b, CN=c");
    for (identity, matches) in [
        ("C=US, ST=WA, O=a", true),
        ("CN=c, O=a, S=WA, C=US", true),
        ("C=US, ST=WA, O=a, STREET=", true),
        ("C=US, ST=WA, O=a, L=", false),
        ("C=US, ST=WA, O=a, CN=C", false),
        ("C=US, ST=WA, O=A", false),
        ("C=US, ST=WA, O=a, UID=c", false),
        ("C=US, ST=WA, O=a, cn=c", false),
    ] {
        assert_eq!(parse(identity).is_subset_of(&full), matches, "{identity}");
    }
    assert!(!full.is_subset_of(&parse("C=US, ST=WA, O=a")));
}

#[test]
fn types_that_no_certificate_has_are_told() {
    let name = parse("C=US, ST=WA, O=a, UID=b, cn=c, L=d");
    assert_eq!(name.unknown_types().collect::<Vec<_>>(), ["UID", "cn"]);
}

#[test]
fn names_are_shown_safely() {
    assert_eq!(parse("ST=WA, O=a, C=US").to_string(), "C=US, O=a, ST=WA");
    assert_eq!(parse("ST=WA, O=a\\, \u{1b}[0m, C=US").to_string(), "C=US, O=\"a, \\u{1b}[0m\", ST=WA");
}

/// What the reference implementation recorded for identities of trust policies, as far as each name by itself decides.
#[test]
fn names_are_valid_where_the_reference_implementation_says_so() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/policy-validity.jsonl");
    let mut checked = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let error = case["error"].as_str().unwrap();
        if !case["name"].as_str().unwrap().starts_with("identities")
            || error.contains("overlapping")
            || error.contains("wildcard")
        {
            continue;
        }
        let Some(identities) = case["document"]["trustPolicies"][0]["trustedIdentities"].as_array() else { continue };
        let names: Vec<&str> =
            identities.iter().filter_map(|identity| identity.as_str().unwrap().strip_prefix("x509.subject:")).collect();
        if names.is_empty() || names == [""] {
            continue;
        }
        let valid = names.iter().all(|name| DistinguishedName::parse(name).is_ok());
        assert_eq!(valid, case["valid"].as_bool().unwrap(), "{names:?}: {error}");
        checked += 1;
    }
    assert!(checked >= 25, "only {checked} cases");
}

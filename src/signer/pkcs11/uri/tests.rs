use super::*;

const KEY: &str = "token=ci;object=release";

fn parse(uri: &str) -> Uri {
    uri.parse().unwrap_or_else(|error| panic!("{uri}: {error}"))
}

#[test]
fn reads_what_the_specification_writes() {
    let text = |text: &str| Some(text.to_owned());
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let sound = Uri { token: text("ci"), object: bytes("release"), ..Uri::default() };
    for (uri, expected) in [
        ("pkcs11:token=ci;object=release".to_owned(), sound.clone()),
        ("PKCS11:object=release;token=ci;type=private".to_owned(), sound.clone()),
        (format!("pkcs11:{KEY};x-vendor=;x-a=%00?x-b=1"), sound.clone()),
        (format!("pkcs11:{KEY}?"), sound.clone()),
        (
            "pkcs11:token=The%20Software%20PKCS%2311%20softtoken%3b;object=a&b:[]@!$'()*+,=-._~".to_owned(),
            Uri {
                token: text("The Software PKCS#11 softtoken;"),
                object: bytes("a&b:[]@!$'()*+,=-._~"),
                ..Uri::default()
            },
        ),
        (
            "pkcs11:serial=5d;id=%00%01%fFa".to_owned(),
            Uri { serial: text("5d"), id: Some(vec![0, 1, 0xff, b'a']), ..Uri::default() },
        ),
        (
            format!("pkcs11:{KEY};manufacturer=m;model=%C3%BC;slot-id=12;slot-description=d;slot-manufacturer=s"),
            Uri {
                manufacturer: text("m"),
                model: text("ü"),
                slot_id: Some(12),
                slot_description: text("d"),
                slot_manufacturer: text("s"),
                ..sound.clone()
            },
        ),
        (
            format!("pkcs11:{KEY};library-manufacturer=m;library-description=d;library-version=2.6"),
            Uri {
                library_manufacturer: text("m"),
                library_description: text("d"),
                library_version: Some((2, 6)),
                ..sound.clone()
            },
        ),
        (format!("pkcs11:{KEY};library-version=3"), Uri { library_version: Some((3, 0)), ..sound.clone() }),
    ] {
        assert_eq!(parse(&uri), expected, "{uri}");
    }
}

#[cfg(unix)]
#[test]
fn reads_where_module_and_pin_are() {
    for (query, module, pin) in [
        ("module-path=/usr/lib/a.so", Some("/usr/lib/a.so"), None),
        ("module-path=%2Fa%26b?/|c.so&pin-source=file:/run/pin", Some("/a&b?/|c.so"), Some("/run/pin")),
        ("pin-source=file:///run/my%20pin", None, Some("/run/my pin")),
        ("pin-source=file://localhost/run/pin", None, Some("/run/pin")),
    ] {
        let uri = parse(&format!("pkcs11:{KEY}?{query}"));
        assert_eq!(uri.module_path, module.map(PathBuf::from), "{query}");
        assert_eq!(uri.pin_file, pin.map(PathBuf::from), "{query}");
    }
}

#[test]
fn refuses_everything_else() {
    for (uri, words) in [
        ("pkcs12:token=a;object=b", "does not start"),
        ("/a/key.pem", "does not start"),
        ("pkcs11:", "names no token"),
        ("pkcs11:object=b", "names no token"),
        ("pkcs11:slot-id=1;object=b", "a slot alone does not do"),
        ("pkcs11:manufacturer=m;object=b", "names no token"),
        ("pkcs11:token=a", "names no key"),
        ("pkcs11:token=a;object=b;token=a", "\"token\" twice"),
        ("pkcs11:token=a;object=b;x-a=1;x-a=2", "\"x-a\" twice"),
        ("pkcs11:token=a;object=b?pin-source=file:/a&pin-source=file:/a", "\"pin-source\" twice"),
        ("pkcs11:token=a;object=b;label=c", "unknown attribute \"label\""),
        ("pkcs11:token=a;object=b;Token=c", "unknown attribute \"Token\""),
        ("pkcs11:token=a;object=b;pin-source=file:a", "unknown attribute \"pin-source\""),
        ("pkcs11:token=a;object=b;module-path=a", "unknown attribute \"module-path\""),
        ("pkcs11:token=a;object=b;pin-value=1", "holds a PIN"),
        ("pkcs11:token=a?object=b", "unknown attribute \"object\""),
        ("pkcs11:token=a;object=b;", "no = in attribute 3 of its path"),
        ("pkcs11:token=a;;object=b", "no = in attribute 2 of its path"),
        ("pkcs11:token=a;object", "no = in attribute 2 of its path"),
        ("pkcs11:token=a;object=b?1234", "no = in attribute 1 of its query"),
        ("pkcs11:token=a;object=b?&", "no = in attribute 1 of its query"),
        ("pkcs11:token=a;=b", "no proper name in attribute 2"),
        ("pkcs11:token=a;ob%6aect=b", "no proper name in attribute 2"),
        ("pkcs11:token=;object=b", "nothing in the attribute \"token\""),
        ("pkcs11:token=a;id=", "nothing in the attribute \"id\""),
        ("pkcs11:token=a;object=b%", "a % without"),
        ("pkcs11:token=a;object=b%2", "a % without"),
        ("pkcs11:token=a;object=%2g", "a % without"),
        ("pkcs11:token=a;object=%+1", "a % without"),
        ("pkcs11:token=a;object=b c", "must be percent-encoded"),
        ("pkcs11:token=a;object=ü", "must be percent-encoded"),
        ("pkcs11:token=a;object=b/c", "must be percent-encoded"),
        ("pkcs11:token=a;object=b#c", "must be percent-encoded"),
        ("pkcs11:token=a;object=b?module-path=/a;x=/b", "must be percent-encoded"),
        ("pkcs11:token=a;object=b;serial=1 2", "write %20"),
        ("pkcs11:token=a;object=b;model=ü", "write %C3%BC"),
        ("pkcs11:token=a%00b;object=b", "%00 within the attribute \"token\""),
        ("pkcs11:token=a;object=b;type=cert", "type other than private"),
        ("pkcs11:token=a;object=b;type=PRIVATE", "type other than private"),
        ("pkcs11:token=a;object=b;slot-id=+1", "slot-id"),
        ("pkcs11:token=a;object=b;slot-id=0x1", "slot-id"),
        ("pkcs11:token=a;object=b;library-version=2.", "library-version"),
        ("pkcs11:token=a;object=b;library-version=1.2.3", "library-version"),
        ("pkcs11:token=a;object=b;library-version=256", "library-version"),
        ("pkcs11:token=a;object=b?module-path=a.so", "not absolute"),
        ("pkcs11:token=a;object=b?module-name=softhsm2", "module-path="),
        ("pkcs11:token=a;object=b?pin-source=/run/pin", "no file"),
        ("pkcs11:token=a;object=b?pin-source=|/bin/pin", "programs are not run"),
        ("pkcs11:token=a;object=b?pin-source=file:pin", "not absolute"),
        ("pkcs11:token=a;object=b?pin-source=file://host/pin", "not absolute"),
    ] {
        match uri.parse::<Uri>() {
            Err(SignerError::Uri(reason)) => assert!(reason.contains(words), "{uri}: {reason}"),
            other => panic!("{uri}: {other:?}"),
        }
    }
}

#[test]
fn no_message_repeats_a_pin() {
    for query in [
        "pin-value=hunter2",
        "pin-value=hunter2&pin-value=hunter2",
        "hunter2",
        "pin-value=hunter2%",
        "pin-value=hunter2 ",
        "pin-source=hunter2",
        "pin-source=file:hunter2",
        "pin-source=file:/a&pin-value=hunter2",
    ] {
        let error = format!("pkcs11:{KEY}?{query}").parse::<Uri>().unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter"), "{query}: {error}");
    }
    let error = format!("pkcs11:{KEY}?pin-value=1").parse::<Uri>().unwrap_err().to_string();
    assert!(error.contains("change the PIN") && error.contains("MUSTER_PKCS11_PIN"), "{error}");
}

#[test]
fn tells_uris_from_files() {
    for (text, is_uri) in [
        ("pkcs11:", true),
        ("PKCS11:x", true),
        ("pkcs11", false),
        ("./pkcs11:a", false),
        ("key.pem", false),
        ("ääää", false),
    ] {
        assert_eq!(is_token(text), is_uri, "{text}");
    }
}

#[test]
fn names_token_and_key_in_words() {
    let uri = parse("pkcs11:token=a%1b;serial=7;slot-id=3;object=b;id=%0a");
    assert_eq!(uri.token_in_words(), "with the label \"a\\u{1b}\" and the serial number \"7\" and the slot 3");
    assert_eq!(uri.key_in_words(), "with the label \"b\" and the id 0a");
}

#[test]
fn s12_percent_00_at_the_end_of_what_a_token_says_is_passed_over() {
    let uri = parse("pkcs11:model=SLB9672%00%00%00;token=ci%00;serial=7;manufacturer=%00%00;object=release");
    let text = |text: &str| Some(text.to_owned());
    assert_eq!((uri.model, uri.token, uri.manufacturer), (text("SLB9672"), text("ci"), text("")));
}

#[test]
fn bytes_that_are_no_text_are_labels_too() {
    let uri = parse("pkcs11:token=Schl%FCssel;object=Schl%FCssel");
    assert_eq!((uri.token.as_deref(), uri.object.as_deref()), (Some("Schl\u{fffd}ssel"), Some(&b"Schl\xfcssel"[..])));
    assert_eq!(percent_encoded(b"Schl\xfcssel 1-._~/"), "Schl%FCssel%201-._~%2F");
}

proptest::proptest! {
    #[test]
    fn any_label_can_be_written(label in "\\PC{1,20}", id in proptest::collection::vec(proptest::num::u8::ANY, 1..20)) {
        let encode = |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let uri = parse(&format!("pkcs11:token={};id={}", encode(label.as_bytes()), encode(&id)));
        proptest::prop_assert_eq!(uri.token, Some(label));
        proptest::prop_assert_eq!(uri.id, Some(id));
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC*", part in "[pkcs1:;?&=%tokenidbj0-9a-f-]*") {
        let _ = format!("pkcs11:{text}").parse::<Uri>();
        let _ = format!("pkcs11:token={text};object=a?{part}").parse::<Uri>();
        let _ = part.parse::<Uri>();
        let _ = is_token(&text);
    }
}

//! What is refused, with which code, and that no answer comes with it.

use std::fs;

use muster::forge::{KeyKind, LeafRequest, Validity};
use serde_json::{Value, json};
use time::macros::datetime;

use super::host::{Host, describe_key, generate_signature};
use crate::process::{held, with_softhsm};
use crate::world::{self, LEAF, issuing, root};

const VALIDATION: &str = "VALIDATION_ERROR";
const DENIED: &str = "ACCESS_DENIED";

/// One departure from a sound request: what it is, the change, the code, and words of the sentence.
type Case<'a> = (&'a str, &'a dyn Fn(&mut Value), &'a str, &'a str);

#[test]
fn every_departure_from_a_sound_request_is_refused() {
    with_softhsm("pkcs11_plugin::refusals::every_departure_from_a_sound_request_is_refused", |hsm| {
        let token = hsm.token("refusals").unwrap();
        let uri = token.generate(KeyKind::P256, "key").unwrap();
        let chain = issuing().issue(LeafRequest::new(LEAF, held(&uri)).unwrap()).unwrap().chain;
        let file = |name: &str, content: &str| {
            let path = hsm.folder().join(name);
            fs::write(&path, content).unwrap();
            json!(path)
        };
        let sound = file("chain.pem", &world::pem(&chain));
        let rootless = file("rootless.pem", &world::pem(&chain[..2]));
        let reversed = file("reversed.pem", &world::pem(&chain.iter().rev().cloned().collect::<Vec<_>>()));
        let strangers = file("strangers.pem", &world::pem(&world::signer(KeyKind::P256).chain));
        let mut request = LeafRequest::new(LEAF, held(&uri)).unwrap();
        request.validity =
            Validity { not_before: datetime!(2020-01-01 0:00 UTC), not_after: datetime!(2020-01-02 0:00 UTC) };
        let expired = file("expired.pem", &world::pem(&issuing().issue(request).unwrap().chain));
        let authority = file("authority.pem", &world::pem(&[root().certificate().to_vec()]));
        let (wrong_pin, no_pin) = (file("wrong-pin", "31337"), file("no-pin", ""));

        let host = Host::new();
        let request = generate_signature(&uri, "EC-256", "SHA-256", b"signed", &json!({ "certificate-chain": sound }));
        host.ask("generate-signature", &request);

        let key_id = |from: &'static str, to: &'static str| {
            let changed = uri.replace(from, to);
            assert_ne!(changed, uri);
            move |request: &mut Value| request["keyId"] = json!(changed)
        };
        let set = |name: &'static str, value: Value| move |request: &mut Value| request[name] = value.clone();
        let setting =
            |name: &'static str, value: Value| move |request: &mut Value| request["pluginConfig"][name] = value.clone();
        let cases: &[Case<'_>] = &[
            (
                "another key",
                &key_id("object=key;id=", "object=kex;x-id="),
                VALIDATION,
                "no private key with the label \"kex\"",
            ),
            ("a label for a key id", &set("keyId", json!("key")), VALIDATION, "no PKCS #11 URI"),
            ("a PIN in the URI", &key_id("pin-source=file:", "pin-value=31337&x-a="), VALIDATION, "holds a PIN"),
            ("another token", &key_id("token=refusals", "token=absent"), DENIED, "no token with the label \"absent\""),
            ("another kind", &set("keySpec", json!("EC-384")), VALIDATION, "does not belong to the keySpec EC-384"),
            (
                "another kind with its hash",
                &|request: &mut Value| {
                    request["keySpec"] = json!("EC-384");
                    request["hashAlgorithm"] = json!("SHA-384");
                },
                VALIDATION,
                "the key is EC-256",
            ),
            ("no kind", &set("keySpec", json!("EC-256\u{1b}[2J")), VALIDATION, "\"EC-256\\u{1b}[2J\" is unknown"),
            ("another hash", &set("hashAlgorithm", json!("SHA-384")), VALIDATION, "that is SHA-256"),
            ("no hash", &set("hashAlgorithm", json!("SHA-1")), VALIDATION, "that is SHA-256"),
            ("a wrong PIN", &setting("pin-source", wrong_pin), DENIED, "refuses the PIN as wrong"),
            ("an empty file with the PIN", &setting("pin-source", no_pin), DENIED, "holds no PIN"),
            ("no file with the PIN", &setting("pin-source", json!("/nowhere/pin")), DENIED, "does not exist"),
            ("no PIN", &key_id("&pin-source=", "&x-pin="), DENIED, "add --plugin-config pin-source="),
            ("a PIN in clear", &setting("pin", json!("31337")), VALIDATION, "would hold a PIN in clear"),
            ("an unknown setting", &setting("modul", json!("/m")), VALIDATION, "there are certificate-chain, module"),
            ("a relative path", &setting("module", json!("m.so")), VALIDATION, "no absolute path"),
            ("a setting that is no text", &setting("module", json!(31337)), VALIDATION, "expected a string"),
            ("no module", &setting("module", json!("/nowhere/m.so")), VALIDATION, "does not exist"),
            ("what is no module", &setting("module", json!("/etc/passwd")), "ERROR", "cannot be loaded"),
            ("another key's chain", &setting("certificate-chain", strangers), VALIDATION, "no certificate for the key"),
            ("a chain without root", &setting("certificate-chain", rootless), VALIDATION, "its issuer is missing"),
            ("a chain upside down", &setting("certificate-chain", reversed), VALIDATION, "signs no artifacts"),
            ("an authority's certificate", &setting("certificate-chain", authority), VALIDATION, "signs no artifacts"),
            ("an expired certificate", &setting("certificate-chain", expired), VALIDATION, "have a new one issued"),
            ("no chain", &setting("certificate-chain", json!("/nowhere/c.pem")), VALIDATION, "does not exist"),
            ("bad base64", &set("payload", json!("c2lnbmVk!")), VALIDATION, "not base64"),
            ("base64 without padding", &set("payload", json!("YQ")), VALIDATION, "not base64"),
            ("base64 with bits left over", &set("payload", json!("YR==")), VALIDATION, "not base64"),
            ("base64 of URLs", &set("payload", json!("-_-_")), VALIDATION, "not base64"),
            ("nothing to sign", &set("payload", json!("")), VALIDATION, "has no payload"),
            (
                "another contract",
                &set("contractVersion", json!("2.0")),
                "UNSUPPORTED_CONTRACT_VERSION",
                "\"2.0\" is not spoken",
            ),
        ];
        for (what, change, code, words) in cases {
            let mut changed = request.clone();
            change(&mut changed);
            let input = changed.to_string();
            let message = host.refusal(&["generate-signature"], input.as_bytes(), &[], code, what);
            assert!(message.contains(words), "{what}: {message}");
            assert!(!message.contains("31337"), "{what}: {message}");
        }
        let wrong = [("MUSTER_PKCS11_PIN", "31337")];
        let bare = describe_key(&uri.replace("&pin-source=", "&x-pin="), &json!({})).to_string();
        let message =
            host.refusal(&["describe-key"], bare.as_bytes(), &wrong, DENIED, "a wrong PIN in the environment");
        assert!(message.contains("correct it in MUSTER_PKCS11_PIN") && !message.contains("31337"), "{message}");
        // Nothing was harmed: the token was not locked, and signs.
        host.ask("generate-signature", &request);
    });
}

/// What is wrong before any token is needed.
#[test]
fn what_is_no_question_is_refused() {
    let host = Host::new();
    let cases: [(&[&str], &[u8], &str); 9] = [
        (&["generate-signature"], b"{", "not valid JSON"),
        (&["generate-signature"], b"", "found nothing"),
        (&["describe-key"], b"{\"keyId\":\"a\",\"keyId\":\"b\"}", "is there twice"),
        (&["describe-key"], b"\xff", "not UTF-8"),
        (&["get-plugin-metadata"], b"nonsense", "cannot be read"),
        (&["generate-envelope"], b"{}", "there is no command \"generate-envelope\""),
        (&["verify-signature"], b"{}", "there is no command"),
        (&["get-plugin-metadata\x1b[2J"], b"{}", "\\u{1b}[2J"),
        (&["describe-key", "more"], b"{}", "one word"),
    ];
    for (arguments, input, words) in cases {
        let message = host.refusal(arguments, input, &[], VALIDATION, words);
        assert!(message.contains(words), "{arguments:?}: {message}");
    }
    let endless = vec![b' '; usize::try_from(muster::limits::PLUGIN_REQUEST_BYTES).unwrap() + 1];
    let message = host.refusal(&["describe-key"], &endless, &[], VALIDATION, "too long");
    assert!(message.contains("longer than"), "{message}");
}

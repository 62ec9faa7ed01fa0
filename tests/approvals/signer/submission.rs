//! What is asked of a broker, letter by letter, and what becomes of it where the broker, or something in between, behaves oddly.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::{Key, KeyKind, pem};
use muster::signer::tsb::{ApprovalMetadata, TsbEnvironment, TsbError, TsbErrorKind, TsbKey};
use serde_json::Value;

use super::hostile::{ID, Stepped, answer, answer_with, broker, key, key_of, sign, state, submitted};

#[tokio::test]
async fn a_request_is_signed_by_the_application_and_holds_the_password_one_character_a_string() {
    let folder = tempfile::tempdir().unwrap();
    let application = Key::pooled(KeyKind::Rsa2048, 3).unwrap();
    let file = folder.path().join("application.key");
    std::fs::write(&file, pem("PRIVATE KEY", &application.pkcs8().unwrap())).unwrap();
    let signature = STANDARD.encode(Key::pooled(KeyKind::P256, 0).unwrap().sign(b"message").unwrap());
    let (url, asked) = broker(move |_, _| answer(200, &format!(r#"{{"signature":"{signature}"}}"#)));
    let environment = TsbEnvironment::default().with_key_password("pä s");
    let signer = key_of(&url, KeyKind::P256, |settings| settings.application_key = Some(file), &environment);
    let metadata = ApprovalMetadata { reference: Some("r.example.com/app:v1".to_owned()), ..Default::default() };
    signer.sign(b"message", &metadata, &Stepped::new(), &|_| {}).await.unwrap();
    assert!(!format!("{signer:?}").contains("pä s"));

    let asked = asked.lock().unwrap().remove(0);
    let body = asked.split_once("\r\n\r\n").unwrap().1;
    let value: Value = serde_json::from_str(body).unwrap();
    let request = &value["signRequest"];
    assert_eq!(request["keyPassword"], serde_json::json!(["p", "ä", " ", "s"]));
    assert_eq!((&request["payloadType"], &request["signatureType"]), (&"UNSPECIFIED".into(), &"RAW".into()));
    assert_eq!(request["payload"], STANDARD.encode(b"message"));
    let decoded = |value: &Value| STANDARD.decode(value.as_str().unwrap()).unwrap();
    // As it was sent, byte by byte.
    let compact = body.strip_prefix(r#"{"signRequest":"#).unwrap().split(r#","requestSignature":"#).next().unwrap();
    let signed = &value["requestSignature"];
    assert_eq!(signed["digestAlgorithm"], "SHA-256");
    let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, decoded(&signed["publicKey"]));
    public.verify(compact.as_bytes(), &decoded(&signed["signature"])).unwrap();
    public.verify(&decoded(&request["metaData"]), &decoded(&request["metaDataSignature"])).unwrap();
    let own = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, application.public_key());
    own.verify(compact.as_bytes(), &decoded(&signed["signature"])).unwrap();
    assert!(String::from_utf8(decoded(&request["metaData"])).unwrap().contains("r.example.com/app:v1"));
}

#[tokio::test]
async fn what_a_broker_repeats_of_its_secrets_is_not_repeated_here() {
    for status in [400, 401, 403, 404, 500, 503] {
        let body = r#"{"errorCode":1,"message":"no t0ken-31337, ap1key-31337 or passw0rd-31337 here"}"#;
        let (url, _) = broker(move |_, _| answer(status, body));
        let environment = TsbEnvironment::default().with_token("t0ken-31337").with_api_keys("ap1key-31337");
        let environment = environment.with_key_password("passw0rd-31337");
        let error = sign(&key_of(&url, KeyKind::P256, |_| {}, &environment), &Stepped::new()).await.unwrap_err();
        let text = format!("{error} {error:?}");
        assert!(!text.contains("31337") && text.contains("no (secret), (secret) or (secret) here"), "{status}: {text}");
    }
}

/// Where it tells of ids and approvers too.
#[tokio::test]
async fn a_secret_in_the_place_of_an_id_or_an_approver_is_not_repeated() {
    let environment = TsbEnvironment::default().with_token("t0ken-31337");
    let told = Arc::new(Mutex::new(String::new()));
    for place in ["request", "id", "approver"] {
        let (url, _) = broker(move |line, _| {
            let body = match (line.starts_with("POST"), place) {
                (true, "request") => r#"{"signRequestId":"no t0ken-31337"}"#.to_owned(),
                (true, _) => format!(r#"{{"signRequestId":"{ID}"}}"#),
                (false, "id") => r#"{"id":"of t0ken-31337","status":"PENDING"}"#.to_owned(),
                (false, _) => format!(
                    r#"{{"id":"{ID}","status":"REJECTED","approvedBy":["t0ken-31337"],"rejectedBy":["by t0ken-31337"],"notYetApprovedBy":[]}}"#
                ),
            };
            answer(200, &body)
        });
        let key = key_of(&url, KeyKind::P256, |_| {}, &environment);
        let (told, metadata) = (Arc::clone(&told), ApprovalMetadata::default());
        let tell = move |progress: &muster::signer::tsb::RequestProgress| {
            told.lock().unwrap().push_str(&progress.people());
        };
        let error = key.sign(b"message", &metadata, &Stepped::new(), &tell).await.unwrap_err();
        let text = format!("{error} {error:?} {:?}", error.metadata());
        assert!(!text.contains("31337") && text.contains("(secret)"), "{place}: {text}");
    }
    let told = told.lock().unwrap();
    assert!(!told.contains("31337") && told.contains("(secret)"), "{told}");
}

/// A blank at the end, which the broker does not repeat, hides nothing from the search for it.
#[tokio::test]
async fn a_token_is_sent_without_what_stands_around_it_and_is_plain_text() {
    for (token, sound) in [
        ("t0ken-31337", true),
        ("\t t0ken-31337 \r\n\n", true),
        ("Bearer t0ken-31337", false),
        ("t0ken-31337\nt0ken-31338", false),
        ("\u{feff}t0ken-31337", false),
        ("töken-31337", false),
        (" \n", false),
    ] {
        let (url, asked) = broker(|_, _| answer(401, r#"{"errorCode":1,"message":"not t0ken-31337"}"#));
        let environment = TsbEnvironment::default().with_token(token);
        let mut settings = muster::signer::tsb::TsbSettings::new(&url, "release").unwrap();
        settings.timeout = Duration::from_secs(1);
        let fetched = muster::signer::tsb::fetch_chain(&settings, &environment).await;
        let text = fetched.unwrap_err().to_string();
        assert!(!text.contains("31337"), "{token:?}: {text}");
        assert_eq!(text.contains("(secret)"), sound, "{token:?}: {text}");
        assert_eq!(text.contains("a byte order mark"), !sound, "{token:?}: {text}");
        assert_eq!(asked.lock().unwrap().concat().contains(": Bearer t0ken-31337\r\n"), sound, "{token:?}");
    }
}

/// In whichever order the broker gives them.
#[tokio::test]
async fn approvers_are_told_in_one_order_and_only_once_the_broker_has_told_of_them() {
    let names = ["YQ==", "Yg==", "Yw=="];
    let (url, _) = broker(move |line, number| {
        let mut order = names.map(|name| format!("{name:?}"));
        order.rotate_left(number % 3);
        let status = if number == 5 { "EXPIRED" } else { "PENDING" };
        let state = format!(r#"{{"id":"{ID}","status":"{status}","notYetApprovedBy":[{}]}}"#, order.join(","));
        if line.starts_with("POST") { submitted() } else { answer(200, &state) }
    });
    let told = Mutex::new(Vec::new());
    let tell = |progress: &muster::signer::tsb::RequestProgress| told.lock().unwrap().push(progress.people());
    let error = key(&url).sign(b"message", &<_>::default(), &Stepped::new(), &tell).await.unwrap_err();
    assert!(matches!(error, TsbError::Expired(_)), "{error}");
    let mut told = told.into_inner().unwrap();
    assert_eq!(told.len(), 5);
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(told[0].matches("key ").count(), 3, "{told:?}");
}

/// What was taken back is told as such, to programs too.
#[tokio::test]
async fn a_request_whose_broker_answers_nonsense_is_told_as_cancelled_once_it_is() {
    let (url, _) = broker(move |line, number| match number {
        0 => submitted(),
        1 => answer(200, "<html>log in</html>"),
        _ if line.starts_with("DELETE") => answer(200, ""),
        _ => state("CANCELLED", None),
    });
    let error = sign(&key(&url), &Stepped::new()).await.unwrap_err();
    assert!(matches!(error, TsbError::Lost { .. }) && error.to_string().contains("it was cancelled"), "{error}");
    assert_eq!(error.metadata()["status"], "CANCELLED");
}

#[tokio::test]
async fn a_broker_that_wants_to_be_left_alone_for_a_year_is_asked_sooner() {
    let signature = Key::pooled(KeyKind::P256, 0).unwrap().sign(b"message").unwrap();
    let given = signature.clone();
    let (url, _) = broker(move |_, number| match number {
        0 => submitted(),
        1 => answer_with(503, "Retry-After: 31536000\r\n", ""),
        2 => answer_with(429, "Retry-After: 99999999999999999999\r\n", ""),
        _ => state("EXECUTED", Some(&given)),
    });
    let clock = Stepped::new();
    let key = key_of(&url, KeyKind::P256, |settings| settings.timeout = Duration::from_secs(7200), &<_>::default());
    assert_eq!(sign(&key, &clock).await, Ok(signature));
    let longest = clock.pauses().into_iter().max().unwrap();
    assert_eq!(longest, Duration::from_secs(300));
}

/// What stands between may answer 404 in its place, and the request wait on.
#[tokio::test]
async fn a_request_that_is_said_to_be_gone_is_taken_back_all_the_same() {
    for there_again in [true, false] {
        let (url, asked) = broker(move |line, number| match number {
            0 => submitted(),
            1 => answer(404, "default backend"),
            _ if !there_again => answer(404, "{}"),
            _ if line.starts_with("DELETE") => answer(200, ""),
            _ => state("CANCELLED", None),
        });
        let error = sign(&key(&url), &Stepped::new()).await.unwrap_err();
        let deleted = asked.lock().unwrap().iter().any(|text| text.starts_with(&format!("DELETE /v1/request/{ID} ")));
        assert!(deleted, "{error}");
        assert_eq!(error.to_string().contains("it was cancelled"), there_again, "{error}");
        assert_eq!(matches!(error, TsbError::RequestUnknown { .. }), !there_again, "{error}");
        assert_eq!(matches!(error, TsbError::Lost { .. }), there_again, "{error}");
    }
}

#[tokio::test]
async fn a_signature_at_once_whose_answer_is_lost_leaves_no_request() {
    let (url, _) = broker(|_, _| None);
    let key = key_of(&url, KeyKind::P256, |settings| settings.without_approvals = true, &<_>::default());
    let error = sign(&key, &Stepped::new()).await.unwrap_err();
    assert!(matches!(error, TsbError::Unreachable { .. }), "{error}");
    assert_eq!(error.kind(), TsbErrorKind::General);
}

/// The answer that comes in time leads to a request that is taken back; what comes too late is said not to be known.
#[tokio::test]
async fn a_signer_that_is_told_to_stop_while_it_asks_leaves_nothing_unsaid() {
    let held: Arc<OnceLock<Arc<TsbKey>>> = Arc::default();
    let (stopped, taken_back) = (Arc::clone(&held), Arc::new(Mutex::new(false)));
    let seen = Arc::clone(&taken_back);
    let (url, _) = broker(move |line, _| {
        let mut deleted = seen.lock().unwrap();
        if line.starts_with("POST") {
            stopped.get().unwrap().stop();
            return submitted();
        }
        *deleted |= line.starts_with("DELETE");
        state(if *deleted { "CANCELLED" } else { "PENDING" }, None)
    });
    let key = held.get_or_init(|| Arc::new(key(&url)));
    let error = sign(key, &Stepped::new()).await.unwrap_err();
    match &error {
        TsbError::Stopped { cancelled: true, .. } => assert!(*taken_back.lock().unwrap(), "{error}"),
        // A machine that is very slow.
        TsbError::SubmissionUnknown { .. } | TsbError::Stopped { .. } => {
            assert!(error.to_string().contains("is not known"), "{error}");
        }
        _ => panic!("{error}"),
    }
}

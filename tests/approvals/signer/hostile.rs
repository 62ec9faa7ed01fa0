//! Brokers that break the rules: the client ends in time, gives nothing away, and never takes trouble for an answer.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use muster::forge::{Authority, Key, KeyKind, LeafRequest, extension, pem, tlv};
use muster::pki::Certificate;
use muster::signer::tsb::{
    ApprovalClock, ApprovalMetadata, RequestId, Submission, TsbEnvironment, TsbError, TsbErrorKind, TsbKey,
    TsbSettings, Withdrawn,
};
use muster::tsb::RequestStatus;
use time::OffsetDateTime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

use crate::world;

/// What was asked, whole, in order.
pub(super) type Asked = Arc<Mutex<Vec<String>>>;

/// A broker that answers as `answer` says, which is given the first line of the request and its number.
pub(super) fn broker(answer: impl Fn(&str, usize) -> Option<String> + Send + Sync + 'static) -> (String, Asked) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let asked = Asked::default();
    let (seen, answer) = (Arc::clone(&asked), Arc::new(answer));
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (seen, answer) = (Arc::clone(&seen), Arc::clone(&answer));
            thread::spawn(move || serve(stream, &seen, &*answer));
        }
    });
    (url, asked)
}

fn serve(mut stream: TcpStream, seen: &Asked, answer: &(dyn Fn(&str, usize) -> Option<String> + Send + Sync)) {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    let head = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    };
    let text = String::from_utf8_lossy(&bytes[..head]).into_owned();
    let length =
        text.to_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    while bytes.len() < head + 4 + length.unwrap_or(0) {
        match stream.read(&mut chunk) {
            Ok(count) if count > 0 => bytes.extend_from_slice(&chunk[..count]),
            _ => return,
        }
    }
    let number = {
        let mut seen = seen.lock().unwrap();
        seen.push(String::from_utf8_lossy(&bytes).into_owned());
        seen.len() - 1
    };
    if let Some(answer) = answer(text.lines().next().unwrap_or_default(), number) {
        let _ = stream.write_all(answer.as_bytes());
        while answer.contains("Transfer-Encoding") && stream.write_all(b"1000\r\n").is_ok() {
            if stream.write_all(&[b' '; 0x1000]).and_then(|()| stream.write_all(b"\r\n")).is_err() {
                break;
            }
        }
    }
}

pub(super) fn answer(status: u16, body: &str) -> Option<String> {
    answer_with(status, "", body)
}

pub(super) fn answer_with(status: u16, headers: &str, body: &str) -> Option<String> {
    Some(format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n{headers}\r\n{body}", body.len()))
}

pub(super) const ID: &str = "4e8731d8-0000-4000-8000-000000000001";

pub(super) fn submitted() -> Option<String> {
    answer(201, &format!(r#"{{"signRequestId":"{ID}"}}"#))
}

pub(super) fn state(status: &str, result: Option<&[u8]>) -> Option<String> {
    let result = result.map(|result| STANDARD.encode(result));
    answer(200, &serde_json::json!({"id": ID, "status": status, "approvedBy": ["YQ=="], "notYetApprovedBy": [], "rejectedBy": [], "result": result}).to_string())
}

/// Time that passes only while one waits, and what was waited for.
#[derive(Debug)]
pub(super) struct Stepped(Mutex<(OffsetDateTime, Vec<Duration>)>);

impl Stepped {
    pub(super) fn new() -> Stepped {
        Stepped(Mutex::new((crate::gateway::bench::START, Vec::new())))
    }

    pub(super) fn pauses(&self) -> Vec<Duration> {
        self.0.lock().unwrap().1.clone()
    }
}

#[async_trait]
impl ApprovalClock for Stepped {
    fn now(&self) -> OffsetDateTime {
        self.0.lock().unwrap().0
    }

    async fn wait(&self, time: Duration) {
        let mut held = self.0.lock().unwrap();
        held.0 += time;
        held.1.push(time);
    }
}

pub(super) fn key_of(
    url: &str,
    kind: KeyKind,
    change: impl FnOnce(&mut TsbSettings),
    environment: &TsbEnvironment,
) -> TsbKey {
    let leaf = Certificate::parse(&world::signer(kind).chain[0]).unwrap();
    let mut settings = TsbSettings::new(url, "release").unwrap();
    settings.timeout = Duration::from_secs(600);
    change(&mut settings);
    TsbKey::open(&settings, environment, &leaf).unwrap().patient_for(Duration::from_secs(3))
}

pub(super) fn key(url: &str) -> TsbKey {
    key_of(url, KeyKind::P256, |_| {}, &TsbEnvironment::default())
}

pub(super) async fn sign(key: &TsbKey, clock: &Stepped) -> Result<Vec<u8>, TsbError> {
    key.sign(b"message", &ApprovalMetadata::default(), clock, &|_| {}).await
}

/// Signs at a broker that answers a request as the first says, and questions for it as the second.
async fn signed(
    submit: impl Fn() -> Option<String> + Send + Sync + 'static,
    poll: impl Fn() -> Option<String> + Send + Sync + 'static,
) -> Result<Vec<u8>, TsbError> {
    let (url, _) = broker(move |line, _| if line.starts_with("POST") { submit() } else { poll() });
    sign(&key(&url), &Stepped::new()).await
}

#[tokio::test]
async fn the_answer_to_a_request_is_read_strictly() {
    for (given, kind, words) in [
        (answer(201, r#"{"signRequestId":"../../v1/key"}"#), TsbErrorKind::General, "is no id of a request"),
        (answer(201, r#"{"signRequestId":"a?b"}"#), TsbErrorKind::General, "is no id of a request"),
        (answer(201, "{}"), TsbErrorKind::General, "neither the id of a request nor a signature"),
        (answer(201, "<html>"), TsbErrorKind::General, "not the JSON"),
        (answer(401, r#"{"errorCode":631,"message":"no\u001b[2J"}"#), TsbErrorKind::AccessDenied, "code 631"),
        (answer(403, "{}"), TsbErrorKind::AccessDenied, "whether the key is blocked"),
        (answer(404, "{}"), TsbErrorKind::Validation, "has no key \"release\""),
        (answer(429, "{}"), TsbErrorKind::Throttled, "takes no more requests"),
        (answer_with(503, "Retry-After: 1\r\n", ""), TsbErrorKind::General, "cannot be reached"),
        (answer(503, r#"{"reason":"maintenance"}"#), TsbErrorKind::General, "cannot be reached"),
        (answer(503, "upstream reset"), TsbErrorKind::General, "is not known"),
        (answer_with(429, "Retry-After: 99999999999999999999\r\n", ""), TsbErrorKind::Throttled, "takes no more"),
        (answer(500, "{}"), TsbErrorKind::General, "is not known"),
        (answer(500, r#"{"errorCode":701,"reason":"res.error.in.hsm"}"#), TsbErrorKind::General, "res.error.in.hsm"),
        (None, TsbErrorKind::General, "is not known"),
        (answer_with(307, "Location: http://127.0.0.1:1/\r\n", ""), TsbErrorKind::General, "leads elsewhere"),
        (answer(200, r#"{"signature":"AAAA"}"#), TsbErrorKind::General, "does not verify"),
        (Some("HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned()), TsbErrorKind::General, "longer than"),
    ] {
        let shown = format!("{given:?}");
        let error = signed(move || given.clone(), || None).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{shown}: {error}");
        let text = error.to_string();
        assert!(text.contains(words) && !text.contains('\u{1b}'), "{shown}: {text}");
        // What was taken and cannot be named may be approved later: nobody is told that nothing waits.
        let taken = shown.contains(" 201 ") || shown.contains("chunked");
        assert!(!taken || matches!(error, TsbError::SubmissionUnknown { .. }), "{shown}: {text}");
    }
}

#[tokio::test]
async fn each_end_of_a_request_is_told_from_the_others() {
    for (status, kind) in [
        ("EXPIRED", TsbErrorKind::Timeout),
        ("REJECTED", TsbErrorKind::AccessDenied),
        ("CANCELLED", TsbErrorKind::General),
        ("FAILED", TsbErrorKind::General),
    ] {
        let error = signed(submitted, move || state(status, None)).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{status}: {error}");
        let metadata = error.metadata();
        assert_eq!((metadata["requestId"].as_str(), metadata["status"].as_str()), (ID, status));
        assert_eq!(metadata["approvedBy"], "key ca978112");
    }
    for poll in [
        state("EXECUTED", None),
        state("EXECUTED", Some(b"")),
        state("LATER", None),
        answer(200, "[]"),
        answer(302, ""),
    ] {
        let error = signed(submitted, move || poll.clone()).await.unwrap_err();
        assert_eq!(error.kind(), TsbErrorKind::General, "{error}");
    }
    let other = answer(200, r#"{"id":"another","status":"EXECUTED","result":"AAAA"}"#);
    let error = signed(submitted, move || other.clone()).await.unwrap_err();
    assert!(matches!(error, TsbError::Lost { .. }), "{error}");
}

#[tokio::test]
async fn trouble_on_the_way_is_waited_out_with_longer_pauses() {
    let signature = Key::pooled(KeyKind::P256, 0).unwrap().sign(b"message").unwrap();
    let given = signature.clone();
    let (url, asked) = broker(move |_, number| match number {
        0 => answer(429, "{}"),
        1 => submitted(),
        2 => state("PENDING", None),
        3 => answer_with(503, "Retry-After: 40\r\n", ""),
        4 => None,
        5 => answer(500, "oops"),
        6 => state("APPROVED", None),
        _ => state("EXECUTED", Some(&given)),
    });
    let clock = Stepped::new();
    assert_eq!(sign(&key(&url), &clock).await, Ok(signature));
    assert_eq!(asked.lock().unwrap().len(), 8);
    let pauses = clock.pauses();
    assert!(pauses.contains(&Duration::from_secs(40)), "Retry-After is kept to: {pauses:?}");
}

#[tokio::test]
async fn a_status_that_is_never_final_ends_at_the_deadline_and_is_taken_back() {
    for (last, words) in [("CANCELLED", "it was cancelled"), ("PENDING", "whether it is cancelled is not known")] {
        let deleted = Arc::new(Mutex::new(false));
        let seen = Arc::clone(&deleted);
        let (url, asked) = broker(move |line, _| {
            let mut deleted = seen.lock().unwrap();
            *deleted |= line.starts_with("DELETE");
            if line.starts_with("POST") { submitted() } else { state(if *deleted { last } else { "PENDING" }, None) }
        });
        let clock = Stepped::new();
        let error = sign(&key(&url), &clock).await.unwrap_err();
        assert_eq!(error.kind(), TsbErrorKind::Timeout, "{error}");
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.progress().unwrap().status == RequestStatus::Cancelled, last == "CANCELLED");
        let asked = asked.lock().unwrap().len();
        assert!((40..80).contains(&asked), "{asked} questions in ten minutes");
    }
}

#[tokio::test]
async fn a_request_that_is_executed_just_before_it_is_taken_back_is_used() {
    let signature = Key::pooled(KeyKind::P256, 0).unwrap().sign(b"message").unwrap();
    let given = signature.clone();
    let deleted = Mutex::new(false);
    let (url, _) = broker(move |line, _| {
        let mut deleted = deleted.lock().unwrap();
        *deleted |= line.starts_with("DELETE");
        match line {
            line if line.starts_with("POST") => submitted(),
            line if line.starts_with("DELETE") => answer(409, "{}"),
            _ if *deleted => state("EXECUTED", Some(&given)),
            _ => state("PENDING", None),
        }
    });
    let key = key(&url);
    assert_eq!(sign(&key, &Stepped::new()).await, Ok(signature));
    let id: RequestId = ID.parse().unwrap();
    let told = key.cancel(&id, &Stepped::new()).await;
    assert!(matches!(&told, Withdrawn::Ended(state) if state.status == RequestStatus::Executed), "{told:?}");
    assert!(told.told(&id).contains("could not be cancelled"));
}

#[tokio::test]
async fn an_api_key_that_is_refused_is_followed_by_the_next() {
    let signature = Key::pooled(KeyKind::P256, 0).unwrap().sign(b"message").unwrap();
    let given = STANDARD.encode(&signature);
    let (url, asked) = broker(move |_, number| match number {
        0 | 1 => answer(401, r#"{"errorCode":631}"#),
        _ => answer(200, &format!(r#"{{"signature":"{given}","keyVersion":"1"}}"#)),
    });
    let environment = TsbEnvironment::default().with_token("jwt").with_api_keys("one two three");
    let key = key_of(&url, KeyKind::P256, |settings| settings.without_approvals = true, &environment);
    let submitted = key.submit(b"message", &ApprovalMetadata::default(), &Stepped::new()).await;
    assert_eq!(submitted, Ok(Submission::Signature(signature)));
    let asked = asked.lock().unwrap().clone();
    let keys: Vec<&str> =
        asked.iter().filter_map(|text| text.lines().find_map(|line| line.strip_prefix("x-api-key: "))).collect();
    assert_eq!(keys, ["one", "two", "three"]);
    assert!(
        asked
            .iter()
            .all(|text| text.starts_with("POST /v1/synchronousSign ") && text.contains("authorization: Bearer jwt"))
    );
}

#[tokio::test]
async fn only_a_salt_as_long_as_the_hash_is_taken() {
    use muster::forge::Salt;
    let key = Key::pooled(KeyKind::Rsa2048, 0).unwrap();
    for (salt, fits) in [(Salt::Hash, true), (Salt::Empty, false), (Salt::Twenty, false), (Salt::Longest, false)] {
        let signature = key.sign_salted(b"message", salt).unwrap();
        let given = STANDARD.encode(&signature);
        let (url, _) = broker(move |_, _| answer(200, &format!(r#"{{"signature":"{given}"}}"#)));
        let signer = key_of(&url, KeyKind::Rsa2048, |_| {}, &TsbEnvironment::default());
        assert_eq!(sign(&signer, &Stepped::new()).await.is_ok(), fits, "{salt:?}");
    }
}

/// A broker behind TLS, certified for `name`, that wants certificates of clients of its authority: its address, and how many requests came through.
fn behind_tls(authority: &Authority, name: &str) -> (u16, Arc<Mutex<usize>>) {
    let leaf = issued(authority, name, "1.3.6.1.5.5.7.3.1");
    let provider = Arc::new(tokio_rustls::rustls::crypto::aws_lc_rs::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate().to_vec().into()).unwrap();
    let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider)).build().unwrap();
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let chain = leaf.0.into_iter().map(Into::into).collect();
    let config = builder.with_client_cert_verifier(clients);
    let config = config.with_single_cert(chain, PrivatePkcs8KeyDer::from(leaf.1).into()).unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = listener.local_addr().unwrap().port();
    let count = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut bytes = [0; 16384];
            if stream.read(&mut bytes).await.is_ok_and(|count| count > 0) {
                *counted.lock().unwrap() += 1;
                let _ = stream.write_all(answer(404, "{}").unwrap().as_bytes()).await;
                let _ = stream.shutdown().await;
            }
        }
    });
    (port, count)
}

/// The chain and the key of what the authority certifies: `name`, for `purpose`.
fn issued(authority: &Authority, name: &str, purpose: &str) -> (Vec<Vec<u8>>, Vec<u8>) {
    let key = Key::pooled(KeyKind::P256, 50).unwrap();
    let subject = format!("C=US, ST=WA, O=acme, CN={name}");
    let mut request = LeafRequest::new(&subject, key.clone()).unwrap();
    request.purposes = vec![purpose.to_owned()];
    // One GeneralName: dNSName is [2].
    let names = tlv(0x30, &tlv(0x82, name.as_bytes()));
    let issued = authority.issue_with(request, |draft| {
        draft.set(extension("2.5.29.17", false, &names)?);
        Ok(())
    });
    (issued.unwrap().chain, key.pkcs8().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_right_server_is_told_anything_and_only_a_certified_client_is_heard() {
    let authority = Authority::root("C=US, ST=WA, O=acme, CN=tls", Key::pooled(KeyKind::P256, 51).unwrap()).unwrap();
    let other = Authority::root("C=US, ST=WA, O=acme, CN=other", Key::pooled(KeyKind::P256, 52).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: Vec<u8>| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    };
    let client = issued(&authority, "signer", "1.3.6.1.5.5.7.3.2");
    let ca = file("ca.pem", pem("CERTIFICATE", authority.certificate()));
    let other = file("other.pem", pem("CERTIFICATE", other.certificate()));
    let chain = file("client.pem", client.0.iter().flat_map(|der| pem("CERTIFICATE", der)).collect());
    let client = file("client.key", pem("PRIVATE KEY", &client.1));
    for (name, roots, known, words) in [
        ("localhost", Some(&ca), true, "has no key \"release\""),
        ("elsewhere.example", Some(&ca), true, "cannot be reached"),
        ("localhost", Some(&other), true, "cannot be reached"),
        ("localhost", None, true, "cannot be reached"),
        ("localhost", Some(&ca), false, "is not known"),
    ] {
        let (port, count) = behind_tls(&authority, name);
        let change = |settings: &mut TsbSettings| {
            settings.ca = roots.cloned();
            settings.client_certificate = known.then(|| chain.clone());
            settings.client_key = known.then(|| client.clone());
        };
        let environment = TsbEnvironment::default().with_token("jwt");
        let signer = key_of(&format!("https://localhost:{port}"), KeyKind::P256, change, &environment);
        let error = sign(&signer, &Stepped::new()).await.unwrap_err().to_string();
        assert!(
            error.contains(words) || !known && error.contains("cannot be reached"),
            "{name} {roots:?} {known}: {error}"
        );
        assert_eq!(*count.lock().unwrap() > 0, words.contains("has no key"), "{name} {roots:?} {known}: {error}");
    }
}

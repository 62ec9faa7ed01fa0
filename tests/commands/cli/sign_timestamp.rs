//! `muster sign --timestamp-url`: what a time stamping authority may answer, and that nothing is written unless it is good.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use muster::forge::asn1::sequence;
use muster::forge::registry::Flavour;
use muster::forge::{Authority, Key, KeyKind, LeafRequest, Signer, TimestampDraft, Validity, extension, tlv};
use muster::pki::Chain;
use muster::sign::{TimestampAuthority, TimestampingError};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::program::Finished;
use super::workshop::Workshop;
use crate::timekeeper::{self, authority, draft_of, key, stamper};

/// What the authority does with the parts of a request: its imprint and its nonce, each in DER.
type Answer = fn(imprint: Vec<u8>, nonce: Vec<u8>) -> Reply;

enum Reply {
    /// HTTP with this status line, media type and body.
    Http(&'static str, &'static str, Vec<u8>),
    /// Nothing, for a while.
    Silence,
}

const REPLY: &str = "application/timestamp-reply";

fn granted(token: &[u8]) -> Reply {
    Reply::Http("200 OK", REPLY, granting(token))
}

fn granting(token: &[u8]) -> Vec<u8> {
    sequence(&[sequence(&[vec![2, 1, 0]]), token.to_vec()])
}

/// What a sound authority answers to a request with these parts.
pub(super) fn sound_answer(imprint: Vec<u8>, nonce: Vec<u8>) -> Vec<u8> {
    granting(&stamp_at(OffsetDateTime::now_utc(), imprint, nonce).sign().unwrap())
}

fn stamp_at(time: OffsetDateTime, imprint: Vec<u8>, nonce: Vec<u8>) -> TimestampDraft {
    let mut draft = timekeeper::sound();
    draft.gen_time = time;
    repeat(&mut draft, imprint, nonce);
    draft
}

/// The parts of a request, as they are, in the TSTInfo.
fn repeat(draft: &mut TimestampDraft, imprint: Vec<u8>, nonce: Vec<u8>) {
    const IMPRINT: usize = 2;
    draft
        .change_info(|fields| {
            fields[IMPRINT] = imprint;
            fields.push(nonce);
        })
        .unwrap();
}

fn sound(imprint: Vec<u8>, nonce: Vec<u8>) -> Reply {
    Reply::Http("200 OK", REPLY, sound_answer(imprint, nonce))
}

/// Reads one request of HTTP, and takes its body apart: every length in it is short.
pub(super) fn read_request(stream: &mut TcpStream) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = Vec::new();
    let body = loop {
        let mut buffer = [0; 1024];
        let read = stream.read(&mut buffer).unwrap();
        assert!(read > 0, "the request broke off");
        bytes.extend_from_slice(&buffer[..read]);
        let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { continue };
        let head = String::from_utf8_lossy(&bytes[..end]).to_ascii_lowercase();
        assert!(head.contains("content-type: application/timestamp-query"), "{head}");
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        let body = &bytes[end + 4..];
        if body.len() == length.parse::<usize>().unwrap() {
            break body.to_vec();
        }
    };
    let part = |start: usize| body[start..start + 2 + usize::from(body[start + 1])].to_vec();
    let imprint = part(5);
    let nonce = part(5 + imprint.len());
    (imprint, nonce)
}

/// An authority that answers every request so.
fn serve(answer: Answer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/tsa?secret", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (imprint, nonce) = read_request(&mut stream);
            match answer(imprint, nonce) {
                Reply::Http(status, media_type, body) => {
                    let length = body.len();
                    let head =
                        format!("HTTP/1.1 {status}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n");
                    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
                }
                Reply::Silence => std::thread::sleep(Duration::from_secs(5)),
            }
        }
    });
    url
}

/// A workshop whose policy asks for time stamps of the authority that tests trust, with an image.
pub(super) fn workshop() -> (Workshop, String) {
    let workshop = Workshop::new(Flavour::Current);
    let store = workshop.path("config/truststore/x509/tsa/timekeeper");
    std::fs::create_dir_all(&store).unwrap();
    let root = timekeeper::root();
    std::fs::write(store.join("root.der"), root.certificate()).unwrap();
    std::fs::write(workshop.path("tsa.crt"), root.certificate()).unwrap();
    let policy = json!({ "version": "1.0", "trustPolicies": [{
        "name": "all", "registryScopes": ["*"], "signatureVerification": { "level": "strict" },
        "trustStores": ["ca:wabbit", "tsa:timekeeper"], "trustedIdentities": ["*"],
    }]});
    std::fs::write(workshop.path("config/trustpolicy.json"), policy.to_string()).unwrap();
    let image = workshop.image("app");
    (workshop, image)
}

pub(super) fn sign(workshop: &Workshop, code: i32, url: &str, more: &[&str]) -> Finished {
    let stamped = ["sign", "--timestamp-url", url, "--timestamp-root-cert", "tsa.crt"];
    workshop.expect(code, &[&stamped, more].concat())
}

#[test]
fn a_granted_time_stamp_is_written_and_outlives_the_certificate() {
    let (workshop, image) = workshop();
    for format in ["jws", "cose"] {
        let run = sign(&workshop, 0, &serve(sound), &["-v", "--signature-format", format, &image]);
        assert!(run.stderr.contains("time stamped at ") && run.stderr.contains(" by CN=stamper,O=timekeeper"), "{run}");
    }
    let report = workshop.expect(0, &["verify", "-v", "-o", "json", &image]);
    assert!(
        report.stderr.contains("  time stamped at ") && report.stderr.contains("CN=stamper,O=timekeeper"),
        "{report}"
    );
    let parsed: Value = serde_json::from_str(&report.stdout).unwrap();
    for signature in parsed["artifacts"][0]["signatures"].as_array().unwrap() {
        assert_eq!(signature["timestamp"]["subject"], "CN=stamper,O=timekeeper,ST=WA,C=US", "{signature:#}");
        let time = signature["timestamp"]["time"].as_str().unwrap();
        assert!(OffsetDateTime::parse(time, &time::format_description::well_known::Rfc3339).is_ok());
    }
    // In fifty years every certificate has expired, the authority's too.
    workshop.expect(0, &["verify", "--at", "2076-01-01", &image]);

    let shown = workshop.expect(0, &["inspect", "-o", "json", &image]).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let stamp = &shown["signatures"][0]["unsignedAttributes"]["timestampSignature"];
    assert!(stamp["timestamp"].as_str().unwrap().starts_with("[20"), "{stamp}");
    assert_eq!(stamp["certificates"][0]["issuedTo"], "CN=stamper,O=timekeeper,ST=WA,C=US");
    assert_eq!(stamp["certificates"][0]["issuedBy"], "CN=issuing,O=timekeeper,ST=WA,C=US");
    let tree = workshop.expect(0, &["inspect", &image]).stdout;
    assert!(tree.contains("timestamp signature\n") && tree.contains("timestamp: [20"), "{tree}");
}

#[test]
fn whatever_else_is_answered_nothing_is_written() {
    let (workshop, image) = workshop();
    let cases: &[(&str, Answer, &str)] = &[
        (
            "rejection",
            |_, _| {
                let text = sequence(&[tlv(0x0c, b"closed \x1b[31m")]);
                let status = sequence(&[vec![2, 1, 2], text, vec![3, 2, 5, 0x20]]);
                Reply::Http("200 OK", REPLY, sequence(&[status]))
            },
            "the request was refused: status 2, it takes the request for bad, \"closed \\u{1b}[31m\"",
        ),
        (
            "wrong nonce",
            |imprint, mut nonce| {
                nonce[5] ^= 1;
                sound(imprint, nonce)
            },
            "does not repeat the nonce",
        ),
        (
            "no nonce",
            |imprint, nonce| {
                let mut draft = stamp_at(OffsetDateTime::now_utc(), imprint, nonce);
                draft.change_info(|fields| drop(fields.pop())).unwrap();
                granted(&draft.sign().unwrap())
            },
            "does not repeat the nonce",
        ),
        (
            "wrong imprint",
            |mut imprint, nonce| {
                *imprint.last_mut().unwrap() ^= 1;
                sound(imprint, nonce)
            },
            "is thrown away: the time stamp was made of something else than this signature",
        ),
        (
            "wrong clock",
            |imprint, nonce| {
                let past = OffsetDateTime::now_utc() - Duration::from_secs(3600);
                granted(&stamp_at(past, imprint, nonce).sign().unwrap())
            },
            "by the clock of this machine",
        ),
        (
            "stranger",
            |imprint, nonce| {
                let stranger = Authority::root("C=US, ST=WA, O=timekeeper, CN=root", key(18)).unwrap();
                let mut draft = draft_of(&stamper(&stranger, key(12), |_| Ok(())));
                draft.gen_time = OffsetDateTime::now_utc();
                repeat(&mut draft, imprint, nonce);
                granted(&draft.sign().unwrap())
            },
            "does not lead to a root",
        ),
        ("oversized", |_, _| Reply::Http("200 OK", REPLY, vec![0x30; 2 << 20]), "is longer than"),
        (
            "status",
            |_, _| Reply::Http("503 Service Unavailable", REPLY, Vec::new()),
            "answered with 503 Service Unavailable; it was asked 4 times",
        ),
        (
            "redirect",
            |_, _| Reply::Http("307 Temporary Redirect\r\nLocation: /", REPLY, Vec::new()),
            "redirected the request more than 5 times",
        ),
        (
            "other type",
            |_, _| Reply::Http("200 OK", "text/html", b"<html>".to_vec()),
            "of the type \"text/html\", a page for people",
        ),
        ("nonsense", |_, _| Reply::Http("200 OK", REPLY, b"<html>".to_vec()), "cannot be read"),
        ("nothing", |_, _| Reply::Http("200 OK", REPLY, Vec::new()), "cannot be read"),
    ];
    for (name, answer, words) in cases {
        let url = serve(*answer);
        let run = sign(&workshop, 3, &url, &[&image]);
        assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{name}: {run}");
        // Which authority, without what may be secret.
        let address = url.strip_suffix("?secret").unwrap();
        assert!(run.stderr.contains(address) && !run.stderr.contains("secret"), "{name}: {run}");
    }
    assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
}

#[test]
fn an_authority_that_cannot_be_reached_is_named() {
    let (workshop, image) = workshop();
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = sign(&workshop, 3, &format!("http://{gone}"), &[&image]);
    assert!(
        run.stderr.contains(&format!("the time stamping authority \"http://{gone}/\" gave no time stamp")),
        "{run}"
    );
    assert_eq!(workshop.listed(&[&image]), Vec::<String>::new());
}

#[test]
fn wrong_usage_asks_nobody() {
    let (workshop, image) = workshop();
    std::fs::write(workshop.path("issuing.crt"), authority().certificate()).unwrap();
    for (arguments, words) in [
        (&["--timestamp-url", "http://localhost:1"][..], "--timestamp-root-cert"),
        (&["--timestamp-root-cert", "tsa.crt"], "--timestamp-url"),
        (&["--timestamp-url", "ftp://localhost", "--timestamp-root-cert", "tsa.crt"], "expected http:// or https://"),
        (&["--timestamp-url", "localhost", "--timestamp-root-cert", "tsa.crt"], "expected http:// or https://"),
        (&["--timestamp-url", "http://localhost:1", "--timestamp-root-cert", "nowhere.crt"], "\"nowhere.crt\""),
        (&["--timestamp-url", "http://localhost:1", "--timestamp-root-cert", "issuing.crt"], "is not a root"),
    ] {
        let run = workshop.expect(2, &[&["sign"], arguments, &[&image]].concat());
        assert!(run.stderr.contains(words), "{arguments:?}: {run}");
    }
    assert_eq!(workshop.registry.requests(), 0);
}

fn signer(change: fn(&mut LeafRequest)) -> Signer {
    let root = Authority::root("C=US, ST=WA, O=wabbit, CN=root", key(20)).unwrap();
    let mut request = LeafRequest::new("C=US, ST=WA, O=wabbit, CN=builder", key(21)).unwrap();
    change(&mut request);
    root.issue(request).unwrap()
}

/// What the library makes of an authority that has to answer within 0.6 s, and each try within half of that.
fn stamp(url: &str, signer: &Signer) -> TimestampingError {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(timekeeper::root().certificate()).unwrap();
    let authority = TimestampAuthority::open(url, file.path()).unwrap().within(Duration::from_millis(600));
    let chain = Chain::parse_code_signing(&signer.chain).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(authority.stamp(b"signature", &chain)).unwrap_err()
}

#[test]
fn an_authority_that_hangs_is_left() {
    let error = stamp(&serve(|_, _| Reply::Silence), &signer(|_| {})).to_string();
    assert!(error.contains("no answer in 0.3 s"), "{error}");
}

#[test]
fn a_stamp_outside_of_the_signers_certificates_is_thrown_away() {
    let lapsed = signer(|request| {
        request.validity = Validity { not_after: time::macros::datetime!(2021-01-01 0:00 UTC), ..Validity::default() };
    });
    let error = stamp(&serve(sound), &lapsed).to_string();
    assert!(error.contains("was valid until 2021-01-01T00:00:00Z"), "{error}");
}

#[test]
fn https_is_spoken_only_with_whom_the_system_trusts() {
    use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
    use tokio_rustls::rustls::{ServerConfig, ServerConnection, Stream, crypto::aws_lc_rs::default_provider};

    let pair = Key::pooled(KeyKind::P256, 22).unwrap();
    let root = Authority::root("C=US, ST=WA, O=nobody, CN=TLS", key(23)).unwrap();
    let mut request = LeafRequest::new("C=US, ST=WA, O=nobody, CN=localhost", pair.clone()).unwrap();
    request.purposes = vec!["1.3.6.1.5.5.7.3.1".to_owned()];
    let names = sequence(&[tlv(0x82, b"localhost")]);
    let chain = root.issue_with(request, |draft| {
        draft.set(extension("2.5.29.17", false, &names)?);
        Ok(())
    });
    let chain = chain.unwrap().chain.into_iter().map(Into::into).collect();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, PrivatePkcs8KeyDer::from(pair.pkcs8().unwrap()).into())
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut session) = (stream.unwrap(), ServerConnection::new(config.clone()).unwrap());
            let mut buffer = [0; 1024];
            assert!(Stream::new(&mut session, &mut stream).read(&mut buffer).is_err(), "it was trusted");
        }
    });
    let error = stamp(&url, &signer(|_| {})).to_string();
    assert!(error.contains(&url) && error.contains("certificate"), "{error}");
}

//! Answers from servers.

use std::time::Duration;

use bytes::Bytes;
use muster::fetch::{Http, HttpOptions, RevocationSource};
use muster::limits;
use muster::revocation::{Answer, Need};
use muster::trouble::{Trouble, TroubleKind};

use super::answers::{NOW, crl, need, ocsp_answer, ocsp_need};
use super::server::{Reply, Request, Server, Then, reply};

/// Long enough never to be met by a server that answers.
const PATIENT: Duration = Duration::from_secs(60);
const BRIEF: Duration = Duration::from_millis(300);

fn http(time: Duration) -> Http {
    Http::new(HttpOptions { crl_time: time, ocsp_time: time, ..HttpOptions::default() })
}

async fn ask(server: &Server, path: &str) -> Result<Answer, Trouble> {
    http(PATIENT).answer(&need(&server.url(path))).await
}

async fn ask_ocsp(server: &Server) -> Result<Answer, Trouble> {
    http(PATIENT).answer(&ocsp_need(&server.url("/ocsp"), 1)).await
}

fn kind<T: std::fmt::Debug>(result: Result<T, Trouble>) -> TroubleKind {
    result.unwrap_err().kind
}

async fn always(status: u16, headers: &'static str, body: Vec<u8>) -> Server {
    Server::start(move |_, _| reply(status, headers, &body)).await
}

#[tokio::test]
async fn a_crl_is_got_as_it_is() {
    let server = always(200, "Content-Type: application/pkix-crl\r\nSet-Cookie: a=b\r\n", crl(1, NOW, &[])).await;
    let source = http(PATIENT);
    for _ in 0..2 {
        let answer = source.answer(&need(&server.url("/a.crl?x=1#y"))).await.unwrap();
        assert_eq!(answer.bytes(), &crl(1, NOW, &[]));
    }
    let [first, second]: [Request; 2] = server.seen().try_into().unwrap();
    assert!(first.head.starts_with("GET /a.crl?x=1 HTTP/1.1"), "{}", first.head);
    assert_eq!(first.header("accept-encoding"), Some("identity"));
    assert_eq!(first.header("host"), Some(server.host.as_str()));
    assert_eq!(second.header("cookie"), None);
}

#[tokio::test]
async fn a_short_ocsp_request_is_got_and_a_long_one_posted() {
    let server = always(200, "Content-Type: application/ocsp-response\r\n", ocsp_answer(&[1], 1)).await;
    assert_eq!(ask_ocsp(&server).await.unwrap().bytes(), &ocsp_answer(&[1], 1));
    let request = Bytes::from(vec![7; 500]);
    let long = Need::Ocsp { responder: server.url("/ocsp/"), request: request.clone() };
    http(PATIENT).answer(&long).await.unwrap();
    let [short, long]: [Request; 2] = server.seen().try_into().unwrap();
    assert!(short.head.starts_with("GET /ocsp/ME"), "{}", short.head);
    assert!(long.head.starts_with("POST /ocsp/ HTTP/1.1"), "{}", long.head);
    assert_eq!(long.header("content-type"), Some("application/ocsp-request"));
    assert_eq!(long.body, request);
}

#[tokio::test]
async fn a_mapped_host_is_told_its_name() {
    let server = always(200, "", crl(1, NOW, &[])).await;
    let addresses = [("crl.acme-rockets.io".to_owned(), server.host.clone())].into();
    let source = Http::new(HttpOptions { addresses, ..HttpOptions::default() });
    source.answer(&need("http://CRL.acme-rockets.io/root.crl?a")).await.unwrap();
    let [request]: [Request; 1] = server.seen().try_into().unwrap();
    assert_eq!((request.target(), request.header("host")), ("/root.crl?a", Some("crl.acme-rockets.io")));
}

#[tokio::test]
async fn f09_a_crl_of_32_mib_is_over_the_limit() {
    let most = usize::try_from(limits::CRL_BYTES).unwrap();
    for (length, declared) in [(most, true), (most, false), (most + 1, true), (most + 1, false), (33 << 20, false)] {
        let server = Server::start(move |_, _| {
            let declared = if declared { format!("Content-Length: {length}\r\n") } else { String::new() };
            let head = format!("HTTP/1.1 200 X\r\nConnection: close\r\n{declared}\r\n");
            ([head.into_bytes(), vec![0x30; length]].concat(), Then::Close)
        })
        .await;
        match ask(&server, "/a.crl").await {
            Ok(answer) => assert_eq!((answer.bytes().len(), length), (most, most)),
            Err(trouble) => {
                assert_eq!(trouble.kind, TroubleKind::AnswerTooLarge, "{trouble}");
                assert!(length > most);
            }
        }
    }
}

#[tokio::test]
async fn f09_a_body_without_end_is_dropped_at_the_limit() {
    let server = Server::start(|_, _| {
        (b"HTTP/1.1 200 X\r\n\r\n".iter().copied().chain(vec![0x30; 32 << 20]).collect(), Then::Silence)
    })
    .await;
    assert_eq!(kind(ask(&server, "/a.crl").await), TroubleKind::AnswerTooLarge);
}

#[tokio::test]
async fn f12_other_schemes_are_not_asked() {
    let server = always(200, "", crl(1, NOW, &[])).await;
    for scheme in ["https", "ldap", "ftp", "file"] {
        let result = http(PATIENT).answer(&need(&format!("{scheme}://{}/a.crl", server.host))).await;
        assert_eq!(kind(result), TroubleKind::AnswerInvalid, "{scheme}");
    }
    assert!(server.seen().is_empty());
    http(PATIENT).answer(&need(&format!("HtTP://{}/a.crl", server.host))).await.unwrap();
}

#[tokio::test]
async fn f13_redirects_are_followed_where_they_may_lead() {
    let server = Server::start(|request, _| match request.target() {
        "/a.crl" => reply(302, "Location: /b.crl\r\n", b""),
        "/b.crl" => reply(307, "Location: c.crl\r\n", b""),
        "/c.crl" => reply(200, "", &crl(1, NOW, &[])),
        "/file" => reply(302, "Location: file:///etc/passwd\r\n", b""),
        "/metadata" => reply(302, "Location: http://169.254.169.254/latest/meta-data\r\n", b""),
        "/tls" => reply(301, "Location: https://acme-rockets.io/\r\n", b""),
        "/nowhere" => reply(302, "", b""),
        "/loop" => reply(302, "Location: /loop\r\n", b""),
        target => {
            let hop: usize = target.trim_start_matches("/hop").parse().unwrap();
            match hop {
                0 => reply(200, "", &crl(1, NOW, &[])),
                _ => reply(302, &format!("Location: /hop{}\r\n", hop - 1), b""),
            }
        }
    })
    .await;
    assert_eq!(ask(&server, "/a.crl").await.unwrap().bytes(), &crl(1, NOW, &[]));
    assert!(ask(&server, "/hop5").await.is_ok());
    for path in ["/file", "/metadata", "/tls", "/nowhere", "/loop", "/hop6"] {
        let trouble = ask(&server, path).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{path}: {trouble}");
    }
    assert_eq!(server.seen().iter().filter(|request| request.target() == "/loop").count(), 6);
}

#[tokio::test]
async fn f13_a_name_does_not_lead_to_this_machine() {
    let server = Server::start(|request, _| {
        reply(302, &format!("Location: http://{}/b.crl\r\n", request.header("x").unwrap_or("127.0.0.1:1")), b"")
    })
    .await;
    let addresses = [("crl.acme-rockets.io".to_owned(), server.host.clone())].into();
    let source = Http::new(HttpOptions { addresses, ..HttpOptions::default() });
    assert_eq!(kind(source.answer(&need("http://crl.acme-rockets.io/a")).await), TroubleKind::AnswerInvalid);
}

#[tokio::test]
async fn f24_only_status_200_is_an_answer() {
    use TroubleKind::*;
    for (status, expected) in [
        (201, AnswerInvalid),
        (204, AnswerInvalid),
        (206, AnswerInvalid),
        (304, AnswerInvalid),
        (400, AnswerInvalid),
        (401, AnswerInvalid),
        (403, AnswerInvalid),
        (404, NotFound),
        (410, NotFound),
        (408, Unreachable),
        (429, Unreachable),
        (500, Unreachable),
        (502, Unreachable),
        (503, Unreachable),
        (599, Unreachable),
    ] {
        let server = always(status, "", ocsp_answer(&[1], 1)).await;
        assert_eq!(kind(ask_ocsp(&server).await), expected, "{status}");
        assert_eq!(server.seen().len(), 1, "{status} was tried again");
    }
}

#[tokio::test]
async fn f24_an_ocsp_answer_of_20481_bytes_is_too_large() {
    for (length, fits) in [(20_480, true), (20_481, false)] {
        for declared in ["", "X-Nothing: 1\r\n"] {
            let server = Server::start(move |_, _| -> Reply {
                let length_line =
                    if declared.is_empty() { format!("Content-Length: {length}\r\n") } else { String::new() };
                let head = format!("HTTP/1.1 200 X\r\nConnection: close\r\n{length_line}{declared}\r\n");
                ([head.into_bytes(), vec![0x30; length]].concat(), Then::Close)
            })
            .await;
            match ask_ocsp(&server).await {
                Ok(answer) => assert!(fits && answer.bytes().len() == length),
                Err(trouble) => assert!(!fits && trouble.kind == TroubleKind::AnswerTooLarge, "{trouble}"),
            }
        }
    }
}

#[tokio::test]
async fn f24_what_is_said_to_be_is_taken_leniently() {
    for (headers, body, taken) in [
        ("", b"0x".to_vec(), true),
        ("Content-Type: application/octet-stream\r\n", b"0x".to_vec(), true),
        ("Content-Type: text/html\r\n", b"0x".to_vec(), true),
        ("Content-Type: text/html; charset=utf-8\r\n", b"<html>log in</html>".to_vec(), false),
        ("Content-Encoding: identity\r\n", b"0x".to_vec(), true),
        ("Content-Encoding: gzip\r\n", b"0x".to_vec(), false),
    ] {
        let server = always(200, headers, body.clone()).await;
        match ask_ocsp(&server).await {
            Ok(answer) => assert!(taken && answer.bytes() == &body, "{headers}"),
            Err(trouble) => assert!(!taken && trouble.kind == TroubleKind::AnswerInvalid, "{headers}: {trouble}"),
        }
    }
}

#[tokio::test]
async fn f24_an_answer_that_breaks_off_is_no_answer() {
    let server =
        Server::start(|_, _| (b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n0123".to_vec(), Then::Close)).await;
    assert_eq!(kind(ask_ocsp(&server).await), TroubleKind::Unreachable);
}

#[tokio::test]
async fn f25_no_server_takes_longer_than_the_deadline() {
    let head = b"HTTP/1.1 200 X\r\nContent-Length: 10000\r\n\r\n";
    let never: [Reply; 4] = [
        (Vec::new(), Then::Silence),
        (b"HTTP/1.1 200 X\r\nX-Y: ".to_vec(), Then::Repeat(b'z', 100)),
        (head.to_vec(), Then::Silence),
        (head.to_vec(), Then::Repeat(b'0', 100)),
    ];
    for (number, never) in never.into_iter().enumerate() {
        let server = Server::start(move |_, _| never.clone()).await;
        for need in [need(&server.url("/a.crl")), ocsp_need(&server.url("/"), 1)] {
            let trouble = http(BRIEF).answer(&need).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::TimedOut, "{number}: {trouble}");
        }
    }
    assert_eq!((limits::OCSP_TIMEOUT, limits::CRL_TIMEOUT), (Duration::from_secs(2), Duration::from_secs(5)));
}

#[tokio::test]
async fn f25_redirects_do_not_extend_the_deadline() {
    let server = Server::start(|_, count| match count {
        0 => reply(302, "Location: /slow\r\n", b""),
        _ => (Vec::new(), Then::Silence),
    })
    .await;
    assert_eq!(kind(http(BRIEF).answer(&need(&server.url("/"))).await), TroubleKind::TimedOut);
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap();
    drop(listener);
    let trouble = http(PATIENT).answer(&need(&format!("http://{host}/a.crl"))).await.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::Unreachable);
    assert!(trouble.message.contains("refused") && trouble.message.contains("a.crl"), "{trouble}");
}

#[tokio::test]
async fn a_reset_connection_is_tried_once_more() {
    let server = Server::start(|_, count| match count {
        0 => (Vec::new(), Then::Reset),
        _ => reply(200, "", &crl(1, NOW, &[])),
    })
    .await;
    assert!(ask(&server, "/a.crl").await.is_ok());
    let server = Server::start(|_, _| (Vec::new(), Then::Reset)).await;
    assert_eq!(kind(ask(&server, "/a.crl").await), TroubleKind::Unreachable);
    assert_eq!(server.seen().len(), 2);
}

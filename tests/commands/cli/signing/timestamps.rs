//! Time stamping authorities that are busy, break off, have moved, or stand behind a proxy.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::super::sign_timestamp::{read_request, sign, sound_answer, workshop};
use super::super::workshop::Workshop;

/// What an authority does with one request.
#[derive(Clone)]
enum Turn {
    /// A status line with headers behind it, and no content.
    Says(String),
    /// A good answer, after these headers.
    Good(&'static str),
    /// A good answer, in pieces.
    Chunked,
    /// A good answer, after a while.
    Slow,
    /// A good answer that breaks off.
    Cut,
    /// Nothing, and the connection is closed.
    Close,
    /// A page, as a login sends it.
    Page,
}

const REPLY: &str = "Content-Type: application/timestamp-reply\r\n";
const BUSY: &str = "503 Service Unavailable";

fn says(text: impl Into<String>) -> Turn {
    Turn::Says(text.into())
}

/// An authority whose requests end as `turns` say, the last one ever after.
struct Server {
    url: String,
    asked: Arc<AtomicUsize>,
}

impl Server {
    fn new(turns: &[Turn]) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/tsa", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let (turns, counter) = (turns.to_vec(), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let (imprint, nonce) = read_request(&mut stream);
                let count = counter.fetch_add(1, Ordering::SeqCst);
                serve(&mut stream, &turns[count.min(turns.len() - 1)], || sound_answer(imprint, nonce));
            }
        });
        Server { url, asked }
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn serve(stream: &mut TcpStream, turn: &Turn, good: impl FnOnce() -> Vec<u8>) {
    let whole = |headers: &str, body: &[u8]| {
        let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n{headers}Content-Length: {}\r\n\r\n", body.len());
        [head.as_bytes(), body].concat()
    };
    let answer = match turn {
        Turn::Says(text) => format!("HTTP/1.1 {text}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n").into_bytes(),
        Turn::Good(headers) => whole(headers, &good()),
        Turn::Slow => {
            std::thread::sleep(Duration::from_millis(1500));
            whole(REPLY, &good())
        }
        Turn::Cut => {
            let answer = whole(REPLY, &good());
            answer[..answer.len() - 100].to_vec()
        }
        Turn::Chunked => {
            let mut answer = format!("HTTP/1.1 200 OK\r\n{REPLY}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
            for piece in good().chunks(500) {
                answer.extend(format!("{:x}\r\n", piece.len()).into_bytes());
                answer.extend([piece, b"\r\n"].concat());
            }
            answer.extend(b"0\r\n\r\n");
            answer
        }
        Turn::Close => return,
        Turn::Page => whole("Content-Type: text/html; charset=utf-8\r\n", b"<html>log in</html>"),
    };
    let _ = stream.write_all(&answer);
}

/// Signs with a time stamp of such an authority, which is asked so often; one signature more is there, and it verifies.
#[track_caller]
fn stamped(workshop: &Workshop, image: &str, asked: usize, turns: &[Turn]) {
    let before = workshop.listed(&[image]).len();
    let server = Server::new(turns);
    sign(workshop, 0, &server.url, &[image]);
    assert_eq!((server.asked(), workshop.listed(&[image]).len()), (asked, before + 1));
    workshop.expect(0, &["verify", image]);
}

/// Does not sign, for the reason that these words are of; nothing is there afterwards.
#[track_caller]
fn refused(workshop: &Workshop, image: &str, asked: usize, turns: &[Turn], words: &str) {
    let server = Server::new(turns);
    let run = sign(workshop, 3, &server.url, &[image]);
    assert!(run.stderr.contains(words) && run.stdout.is_empty(), "{words}\n{run}");
    assert_eq!(server.asked(), asked, "{run}");
    assert_eq!(workshop.listed(&[image]), Vec::<String>::new());
}

#[test]
fn s30_the_root_of_the_authority_may_be_a_link_or_a_pipe() {
    let (workshop, image) = workshop();
    let server = Server::new(&[Turn::Good(REPLY)]);
    std::fs::rename(workshop.path("tsa.crt"), workshop.path("mounted.crt")).unwrap();
    symlink("mounted.crt", workshop.path("tsa.crt")).unwrap();
    sign(&workshop, 0, &server.url, &[&image]);
    let root = std::fs::read(workshop.path("mounted.crt")).unwrap();
    let arguments = ["sign", "--timestamp-url", &server.url, "--timestamp-root-cert", "/dev/stdin", &image];
    let run = workshop.muster(&arguments).input(root).run();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(workshop.listed(&[&image]).len(), 2);
}

#[test]
fn s50_redirects_that_keep_the_request_are_followed() {
    let (workshop, image) = workshop();
    for status in ["307 Temporary Redirect", "308 Permanent Redirect"] {
        stamped(&workshop, &image, 2, &[says(format!("{status}\r\nLocation: /real")), Turn::Good(REPLY)]);
    }
    let real = Server::new(&[Turn::Good(REPLY)]);
    let elsewhere = format!("307 Temporary Redirect\r\nLocation: {}", real.url.replace("127.0.0.1", "localhost"));
    let server = Server::new(&[says(elsewhere)]);
    sign(&workshop, 0, &server.url, &[&image]);
    assert_eq!((server.asked(), real.asked()), (1, 1));
    // A busy authority that has moved is asked from the beginning.
    let turns = [says("307 Temporary Redirect\r\nLocation: /real"), says(BUSY), Turn::Good(REPLY)];
    stamped(&workshop, &image, 3, &turns);
    let mut turns = vec![says("308 Permanent Redirect\r\nLocation: /more"); 5];
    turns.push(Turn::Good(REPLY));
    stamped(&workshop, &image, 6, &turns);
}

#[test]
fn s50_where_an_authority_must_not_lead_is_said() {
    let (workshop, image) = workshop();
    for (location, words) in [
        ("ftp://localhost/", "which is not HTTP"),
        ("http://169.254.169.254/latest", "an address that means another host on every machine"),
        ("http://user:hunter2@localhost/", "which has credentials in it"),
        ("", "which is not a valid URL"),
    ] {
        let turn = says(format!("307 Temporary Redirect\r\nLocation: {location}"));
        refused(&workshop, &image, 1, &[turn], words);
    }
    refused(
        &workshop,
        &image,
        6,
        &[says("307 Temporary Redirect\r\nLocation: /again")],
        "redirected the request more than 5 times",
    );
}

#[test]
fn s50_a_redirect_that_would_lose_the_request_says_what_to_write() {
    let (workshop, image) = workshop();
    for status in ["301 Moved Permanently", "302 Found", "303 See Other"] {
        let turn = says(format!("{status}\r\nLocation: https://tsa.example.com/rfc3161?session=hunter2"));
        let words = format!(
            "it answered with {status}, which would make a GET of the request: it has moved to \
             \"https://tsa.example.com/rfc3161\" with the query that it adds, so name that by --timestamp-url"
        );
        refused(&workshop, &image, 1, &[turn], &words);
    }
    let server = Server::new(&[says("302 Found\r\nLocation: /new")]);
    let run = sign(&workshop, 3, &server.url, &[&image]);
    assert!(
        run.stderr.contains(&format!("moved to \"{}\", so name that", server.url.replace("/tsa", "/new"))),
        "{run}"
    );
    refused(
        &workshop,
        &image,
        1,
        &[says("302 Found\r\nLocation: ftp://x/")],
        "leads to \"ftp://x/\", which is not HTTP",
    );
}

#[test]
fn s51_an_authority_that_is_busy_or_breaks_off_is_asked_again() {
    let (workshop, image) = workshop();
    let good = || Turn::Good(REPLY);
    stamped(&workshop, &image, 2, &[says(format!("{BUSY}\r\nRetry-After: 1")), good()]);
    stamped(
        &workshop,
        &image,
        2,
        &[says("429 Too Many Requests\r\nRetry-After: Tue, 01 Nov 2022 22:13:50 GMT"), good()],
    );
    stamped(&workshop, &image, 2, &[says("502 Bad Gateway\r\nRetry-After: soon"), good()]);
    stamped(&workshop, &image, 2, &[Turn::Close, good()]);
    stamped(&workshop, &image, 2, &[Turn::Cut, good()]);
    stamped(&workshop, &image, 4, &[Turn::Close, says("504 Gateway Timeout"), Turn::Cut, good()]);
}

#[test]
fn s51_what_came_of_every_try_is_said_and_nothing_is_written() {
    let (workshop, image) = workshop();
    refused(&workshop, &image, 4, &[says(BUSY)], "it answered with 503 Service Unavailable; it was asked 4 times");
    refused(&workshop, &image, 4, &[Turn::Close], "the connection broke before it answered");
    let words = "it answered with 403 Forbidden; it was asked 3 times, and before that it answered with 503 Service Unavailable, \
                 then its answer broke off";
    refused(&workshop, &image, 3, &[says(BUSY), Turn::Cut, says("403 Forbidden")], words);
    let words = "it wants to be asked again in 3600 s";
    refused(&workshop, &image, 1, &[says("429 Too Many Requests\r\nRetry-After: 3600")], words);
    // What does not pass is not asked again.
    for status in ["400 Bad Request", "404 Not Found", "405 Method Not Allowed"] {
        refused(&workshop, &image, 1, &[says(status)], &format!("it answered with {status}"));
    }
    let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let run = sign(&workshop, 3, &format!("http://{gone}"), &[&image]);
    assert!(run.stderr.contains("it cannot be reached: ") && run.stderr.contains("it was asked 4 times"), "{run}");
}

#[test]
fn s51_slow_answers_are_waited_for_as_long_as_the_user_says() {
    let (workshop, image) = workshop();
    stamped(&workshop, &image, 1, &[Turn::Slow]);
    let server = Server::new(&[Turn::Slow]);
    let run = sign(&workshop, 3, &server.url, &["--timestamp-timeout", "0.5s", &image]);
    assert!(run.stderr.contains("no answer in 0.2 s"), "{run}");
    let run = workshop.expect(2, &["sign", "--timestamp-timeout", "1m", &image]);
    assert!(run.stderr.contains("--timestamp-url"), "{run}");
}

#[test]
fn an_answer_counts_for_what_it_holds_and_not_for_what_it_is_called() {
    let (workshop, image) = workshop();
    let typed =
        ["", "Content-Type: application/octet-stream\r\n", "Content-Type: Application/Timestamp-Reply; x=y\r\n"];
    for headers in typed {
        stamped(&workshop, &image, 1, &[Turn::Good(headers)]);
    }
    stamped(&workshop, &image, 1, &[Turn::Chunked]);
    let server = Server::new(&[Turn::Page]);
    let run = sign(&workshop, 3, &server.url, &[&image]);
    assert!(run.stderr.contains("\"text/html\", a page for people, not application/timestamp-reply"), "{run}");
    assert_eq!(server.asked(), 1);
}

#[test]
fn s52_a_proxy_is_used_for_http_and_not_past_no_proxy() {
    let (workshop, image) = workshop();
    let proxy = Server::new(&[Turn::Good(REPLY)]);
    let run = |url: &str, exception: &str| {
        let arguments =
            ["sign", "--timestamp-timeout", "4s", "--timestamp-url", url, "--timestamp-root-cert", "tsa.crt", &image];
        let muster = workshop.muster(&arguments).env("http_proxy", &proxy.url).env("NO_PROXY", exception);
        let run = muster.run();
        (run.code, run.stderr)
    };
    assert_eq!(run("http://tsa.example.invalid/", ""), (Some(0), String::new()));
    assert_eq!(proxy.asked(), 1);
    for exception in ["example.invalid", "tsa.example.invalid:80"] {
        let (code, stderr) = run("http://tsa.example.invalid/", exception);
        assert!(code == Some(3) && stderr.contains("it cannot be reached: "), "{stderr}");
    }
    // This machine is reached past every proxy.
    let here = Server::new(&[Turn::Good(REPLY)]);
    assert_eq!(run(&here.url, "").0, Some(0));
    assert_eq!((proxy.asked(), here.asked()), (1, 1));
}

/// A connection that is closed before anything was read on it.
#[test]
fn s51_a_connection_that_is_closed_at_once_is_made_again() {
    let (workshop, image) = workshop();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        drop(listener.accept().unwrap());
        let (mut stream, _) = listener.accept().unwrap();
        let (imprint, nonce) = read_request(&mut stream);
        serve(&mut stream, &Turn::Good(REPLY), || sound_answer(imprint, nonce));
        let _ = stream.read(&mut [0]);
    });
    sign(&workshop, 0, &url, &[&image]);
    assert_eq!(workshop.listed(&[&image]).len(), 1);
}

/// Those of the URL go to the authority that it names, and into no message.
#[test]
fn credentials_of_the_url_are_sent_and_not_shown() {
    let (workshop, image) = workshop();
    let with = |server: &Server| server.url.replace("http://", "http://me:hunter2@");
    let server = Server::new(&[says("308 Permanent Redirect\r\nLocation: /real"), Turn::Good(REPLY)]);
    sign(&workshop, 0, &with(&server), &[&image]);
    assert_eq!(server.asked(), 2);
    let server = Server::new(&[says("302 Found\r\nLocation: /real")]);
    let run = sign(&workshop, 3, &with(&server), &[&image]);
    assert!(run.stderr.contains("so name that by --timestamp-url") && !run.stderr.contains("hunter2"), "{run}");
    for url in
        ["ftp://me:hunter2@tsa.example.com/", "me:hunter2@tsa.example.com", "http://me:hunter2@tsa:port/?a=hunter2"]
    {
        let run = sign(&workshop, 2, url, &[&image]);
        assert!(run.stderr.contains("is not the address of") && !run.stderr.contains("hunter2"), "{run}");
    }
}

//! A server that says what a test wants, byte for byte, and counts who asks.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// A request: its first line and headers as they came, and its body.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.filter(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }
}

/// What happens after the bytes of a reply.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Then {
    /// The connection ends.
    Close,
    /// The connection is reset.
    Reset,
    /// Nothing, until the other side gives up.
    Silence,
    /// This byte again and again, so often a second.
    Repeat(u8, u32),
}

pub(crate) type Reply = (Vec<u8>, Then);

/// A whole answer.
pub(crate) fn reply(status: u16, headers: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
    ([head.as_bytes(), body].concat(), Then::Close)
}

pub(crate) struct Server {
    /// Address and port.
    pub(crate) host: String,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// Answers every request by `answer`, which is told how many came before.
    pub(crate) async fn start(answer: impl Fn(&Request, usize) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (list, answer) = (Arc::clone(&seen), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (list, answer) = (Arc::clone(&list), Arc::clone(&answer));
                tokio::spawn(async move {
                    let mut stream = stream;
                    let Some(request) = read(&mut stream).await else { return };
                    let before = {
                        let mut list = list.lock().unwrap();
                        list.push(request.clone());
                        list.len() - 1
                    };
                    let (bytes, then) = answer(&request, before);
                    if stream.write_all(&bytes).await.is_ok() {
                        end(stream, then).await;
                    }
                });
            }
        });
        Server { host, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }
}

async fn end(mut stream: TcpStream, then: Then) {
    match then {
        Then::Close => {
            let _ = stream.shutdown().await;
            let _ = stream.read(&mut [0; 64]).await;
        }
        Then::Reset => stream.set_zero_linger().unwrap(),
        Then::Silence => {
            let _ = stream.read(&mut [0; 64]).await;
        }
        Then::Repeat(byte, rate) => {
            while stream.write_all(&[byte]).await.is_ok() {
                tokio::time::sleep(Duration::from_secs(1) / rate).await;
            }
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let request = Request { head, body: bytes[end + 4..].to_vec() };
            let length: usize = request.header("content-length").map_or(0, |length| length.parse().unwrap());
            if request.body.len() >= length {
                return Some(request);
            }
        }
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
}

//! A server whose answers are made when they are asked for, after a while.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

type Maker = Arc<dyn Fn() -> Vec<u8> + Send + Sync>;

/// Answers by path; `404` where there is nothing.
#[derive(Clone)]
pub(crate) struct Server {
    host: String,
    answers: Arc<Mutex<HashMap<String, (Duration, Maker)>>>,
}

impl Server {
    pub(crate) fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let host = listener.local_addr().unwrap().to_string();
        let server = Server { host, answers: Arc::default() };
        let serving = server.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                thread::spawn(move || serving.serve(stream));
            }
        });
        server
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.host)
    }

    /// From now on `path` (and what lies below it) is answered with these bytes.
    pub(crate) fn publish(&self, path: &str, bytes: Vec<u8>) {
        self.publish_slowly(path, Duration::ZERO, move || bytes.clone());
    }

    /// From now on `path` is answered with what `make` makes `after` that time.
    pub(crate) fn publish_slowly(
        &self,
        path: &str,
        after: Duration,
        make: impl Fn() -> Vec<u8> + Send + Sync + 'static,
    ) {
        self.answers.lock().unwrap().insert(path.to_owned(), (after, Arc::new(make)));
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        while !request.windows(4).any(|four| four == b"\r\n\r\n") {
            match stream.read(&mut buffer) {
                Ok(count) if count > 0 => request.extend_from_slice(&buffer[..count]),
                _ => return,
            }
        }
        let head = String::from_utf8_lossy(&request).into_owned();
        let target = head.split(' ').nth(1).unwrap_or_default();
        let answer = {
            let answers = self.answers.lock().unwrap();
            answers.iter().find(|(path, _)| target.starts_with(path.as_str())).map(|(_, answer)| answer.clone())
        };
        let (status, body) = match answer {
            Some((after, make)) => {
                thread::sleep(after);
                (200, make())
            }
            None => (404, Vec::new()),
        };
        let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
        // The program may have had enough.
        let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
    }
}

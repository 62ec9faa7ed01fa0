//! A registry that answers as it is told: HTTP/1.1, a thread a connection.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

/// What is answered to a path with its query: content type, body, and further headers.
pub(crate) type Answer = Option<(&'static str, Arc<Vec<u8>>, String)>;

/// Serves until the test ends, and says at which host.
pub(crate) fn serve(answer: impl Fn(&str) -> Answer + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let host = listener.local_addr().unwrap().to_string();
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            // Whoever goes away in the middle is none of the test's business.
            std::thread::spawn(move || talk(stream, &*answer));
        }
    });
    host
}

fn talk(stream: TcpStream, answer: &dyn Fn(&str) -> Answer) -> std::io::Result<()> {
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut line = String::new();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let target = line.split(' ').nth(1).unwrap_or("/").to_owned();
        while line.trim() != "" {
            line.clear();
            requests.read_line(&mut line)?;
        }
        match answer(&target) {
            Some((content_type, body, headers)) => {
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{headers}\r\n"
                )?;
                stream.write_all(&body)?;
            }
            None => write!(stream, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")?,
        }
    }
}

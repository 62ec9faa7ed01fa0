//! A server that lies: it speaks HTTP/1.1 by hand, so that it can also break it.

use std::ffi::OsStr;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use muster::digest::Digest;
use muster::manifest::IMAGE_MANIFEST;
use muster::reference::Repository;
use muster::source::registry::{Credentials, Registry, RegistryOptions, Timings};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    /// Path and query.
    pub target: String,
    headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap()
    }

    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }
}

/// What a mock does instead of, or after, answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    Send(Vec<u8>),
    /// Sends the same again and again, with this pause between, until nobody listens.
    Forever(Vec<u8>, Duration),
    /// Says nothing until nobody listens.
    Silence,
    /// Resets the connection.
    Reset,
}

/// An answer, step by step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    head: String,
    body: Vec<u8>,
    length: bool,
    after: Vec<Step>,
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply { head: format!("HTTP/1.1 {status} Mock\r\n"), body: body.into(), length: true, after: Vec::new() }
    }

    pub fn ok(content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply::new(200, body).header("Content-Type", content_type)
    }

    pub fn header(mut self, name: &str, value: &str) -> Reply {
        self.head += &format!("{name}: {value}\r\n");
        self
    }

    /// The same without this header.
    pub fn without(mut self, name: &str) -> Reply {
        let named = |line: &&str| line.split(':').next().is_some_and(|known| known.eq_ignore_ascii_case(name));
        let kept = self.head.split_inclusive("\r\n").filter(|line| !named(line)).collect();
        self.head = kept;
        self
    }

    /// The text of a header.
    pub fn header_text(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Whether it has this status.
    pub fn is(&self, status: u16) -> bool {
        self.head.split(' ').nth(1) == Some(&status.to_string())
    }

    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The same with another body.
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Reply {
        Reply { body: body.into(), ..self }
    }

    /// States no length: the body ends with the connection.
    pub fn unmeasured(mut self) -> Reply {
        self.length = false;
        self
    }

    /// States this length, whatever the body has.
    pub fn measured(self, length: u64) -> Reply {
        self.unmeasured().header("Content-Length", &length.to_string())
    }

    /// Goes on after the body.
    pub fn then(mut self, step: Step) -> Reply {
        self.after.push(step);
        self
    }

    /// Nothing but these steps.
    pub fn raw(steps: impl IntoIterator<Item = Step>) -> Reply {
        Reply { head: String::new(), body: Vec::new(), length: false, after: steps.into_iter().collect() }
    }

    /// Whether another request may follow on the same connection.
    fn ends_by_itself(&self) -> bool {
        self.length && self.after.is_empty()
    }

    fn steps(self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.head.is_empty() {
            let ending = if self.length {
                format!("Content-Length: {}\r\n\r\n", self.body.len())
            } else {
                "Connection: close\r\n\r\n".to_owned()
            };
            let mut bytes = (self.head + &ending).into_bytes();
            bytes.extend(self.body);
            steps.push(Step::Send(bytes));
        }
        steps.extend(self.after);
        steps
    }
}

/// A running mock.
pub struct Mock {
    /// Host and port.
    pub host: String,
    seen: Arc<Mutex<Vec<Request>>>,
    sent: Arc<AtomicU64>,
}

impl Mock {
    /// A host where nobody listens.
    pub async fn nobody() -> Mock {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        Mock { host, seen: Arc::default(), sent: Arc::default() }
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Request> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests went to a path that starts so.
    pub fn count(&self, prefix: &str) -> usize {
        self.seen().iter().filter(|request| request.target.starts_with(prefix)).count()
    }

    /// How many bytes were taken from the mock so far, as far as it knows: what fits into buffers counts.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// A client for it that keeps no secrets and never waits long before it tries again.
    pub fn registry(&self) -> Registry {
        self.registry_with(|_| {})
    }

    pub fn registry_with(&self, change: impl FnOnce(&mut RegistryOptions)) -> Registry {
        let mut options = options();
        change(&mut options);
        Registry::new(&self.host, options).unwrap()
    }

    pub fn repository(&self) -> Repository {
        Repository::new(&self.host, "team/app").unwrap()
    }
}

/// How often the clients of these tests try again.
pub const RETRIES: usize = 3;

pub fn options() -> RegistryOptions {
    RegistryOptions {
        credentials: Credentials::Anonymous,
        timings: Timings {
            retries: RETRIES,
            pause: (Duration::from_millis(1), Duration::from_millis(5)),
            ..Timings::default()
        },
        ..RegistryOptions::default()
    }
}

/// Answers every request by `answer`.
pub async fn serve(answer: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Mock {
    let answer = Arc::new(answer);
    serve_with(move |request| {
        let answer = answer.clone();
        async move { answer(&request) }
    })
    .await
}

/// Answers every request by `answer`, which may take its time.
pub async fn serve_with<F: Future<Output = Reply> + Send>(
    answer: impl Fn(Request) -> F + Send + Sync + 'static,
) -> Mock {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
    let (seen, sent) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU64::new(0)));
    let mock = Mock { host, seen: seen.clone(), sent: sent.clone() };
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, seen, sent) = (answer.clone(), seen.clone(), sent.clone());
            tokio::spawn(async move {
                while let Some(request) = read(&mut stream).await {
                    seen.lock().unwrap().push(request.clone());
                    let reply = answer(request).await;
                    let goes_on = reply.ends_by_itself();
                    for step in reply.steps() {
                        if play(&mut stream, step, &sent).await.is_err() {
                            return;
                        }
                    }
                    if !goes_on {
                        break;
                    }
                }
                let _ = stream.shutdown().await;
            });
        }
    });
    mock
}

async fn play(stream: &mut TcpStream, step: Step, sent: &AtomicU64) -> std::io::Result<()> {
    match step {
        Step::Send(bytes) => {
            stream.write_all(&bytes).await?;
            sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
        Step::Forever(bytes, pause) => loop {
            stream.write_all(&bytes).await?;
            sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
            tokio::time::sleep(pause).await;
        },
        Step::Silence => {
            let _ = stream.read(&mut [0; 64]).await?;
        }
        Step::Reset => stream.set_zero_linger()?,
    }
    Ok(())
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => bytes.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
    let mut body = bytes[end + 4..].to_vec();
    let mut lines = head.split("\r\n");
    let mut first = lines.next()?.split(' ');
    let (method, target) = (first.next()?.to_owned(), first.next()?.to_owned());
    let headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let mut request = Request { method, target, headers, body: String::new() };
    let length: usize = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        let mut buffer = [0; 4096];
        match stream.read(&mut buffer).await {
            Ok(count) if count > 0 => body.extend_from_slice(&buffer[..count]),
            _ => return None,
        }
    }
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

/// A small manifest, with a digest of its own for every `name`.
pub fn manifest(name: &str) -> (Vec<u8>, Digest) {
    let empty = Digest::sha256(b"{}");
    let body = format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE_MANIFEST}","config":{{"mediaType":"application/vnd.oci.empty.v1+json","digest":"{empty}","size":2}},"layers":[],"annotations":{{"name":"{name}"}}}}"#
    );
    let digest = Digest::sha256(body.as_bytes());
    (body.into_bytes(), digest)
}

/// An entry of an index.
pub fn entry(digest: &str, size: &str, artifact_type: &str) -> String {
    format!(r#"{{"mediaType":"{IMAGE_MANIFEST}","digest":"{digest}","size":{size},"artifactType":"{artifact_type}"}}"#)
}

/// An index of these entries.
pub fn index(entries: &[String]) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{}]}}"#,
        entries.join(",")
    )
}

/// Ends a test that hangs. How fast it is otherwise is no matter: a busy machine takes its time.
pub async fn guarded<T>(test: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(600), test).await.expect("the client hangs")
}

/// Runs one test again in a process of its own: the environment of this one is everybody's.
pub fn run_again(test: &str, environment: &[(&str, &OsStr)]) {
    let run = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", &format!("registry_answers::{test}")])
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let output = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && output.contains("1 passed"), "{output}");
}

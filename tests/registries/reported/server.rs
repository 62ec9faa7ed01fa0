//! Two small servers on loopback, one answer a connection: files of a folder, and a layout served like a registry with the
//! oddities that were reported of real ones.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;

use serde_json::{Value, json};

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// What is answered: status, content type, further header lines, body.
pub(crate) struct Answer {
    status: u16,
    content_type: &'static str,
    header: &'static str,
    body: Vec<u8>,
}

impl Answer {
    fn found(content_type: &'static str, body: impl Into<Vec<u8>>) -> Answer {
        Answer { status: 200, content_type, header: "", body: body.into() }
    }

    fn missing(content_type: &'static str, body: &str) -> Answer {
        Answer { status: 404, content_type, header: "", body: body.into() }
    }

    fn unknown_manifest() -> Answer {
        Answer::missing("application/json", r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#)
    }
}

/// Serves on `listener`, for as long as the test runs.
pub(crate) fn serve(listener: TcpListener, answer: impl Fn(&str) -> Answer + Send + 'static) {
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client that hangs up is its own affair.
            let _ = answer_one(stream, &answer);
        }
    });
}

fn answer_one(mut stream: TcpStream, answer: &impl Fn(&str) -> Answer) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
    let mut words = request.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let Answer { status, content_type, header, body } = answer(path);
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status} -\r\nContent-Type: {content_type}\r\nContent-Length: {length}\r\n{header}Connection: close\r\n\r\n"
    )?;
    if method != "HEAD" {
        stream.write_all(&body)?;
    }
    stream.flush()
}

/// The files of `folder` under their names, percent-encoded where the address is.
pub(crate) fn files(folder: PathBuf) -> impl Fn(&str) -> Answer + Send + 'static {
    move |path| match std::fs::read(folder.join(path.trim_start_matches('/').replace("%20", " "))) {
        Ok(body) => Answer::found("application/octet-stream", body),
        Err(_) => Answer::missing("text/plain", "not found"),
    }
}

/// How a registry answers about referrers.
#[derive(Clone, Copy)]
pub(crate) enum Referrers {
    /// From the API, filtered by artifact type, in entries that do not name it (seen of Quay).
    FilteredWithoutTypes,
    /// No API, and a tag of the tag schema is taken for the digest in it (seen of GitLab).
    TagTakenForDigest,
}

/// The layout in `folder`, served as a registry.
pub(crate) fn registry(folder: PathBuf, referrers: Referrers) -> impl Fn(&str) -> Answer + Send + 'static {
    let listed = entries(&folder);
    move |path| {
        let (path, _) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.trim_start_matches("/v2/").split('/').collect();
        let [.., kind, name] = parts[..] else { return Answer::found("application/json", "{}") };
        match (kind, referrers) {
            ("tags", _) => {
                let tags: Vec<&str> = listed.iter().filter_map(tag).collect();
                Answer::found("application/json", json!({"name": "app", "tags": tags}).to_string())
            }
            ("blobs", _) => match blob(&folder, name) {
                Some(bytes) => Answer::found("application/octet-stream", bytes),
                None => Answer::missing("application/json", "{}"),
            },
            ("manifests", _) => {
                let digest = match name.strip_prefix("sha256-") {
                    Some(hex) => format!("sha256:{hex}"),
                    None => listed
                        .iter()
                        .find(|entry| tag(entry) == Some(name))
                        .and_then(|entry| entry["digest"].as_str())
                        .unwrap_or(name)
                        .to_owned(),
                };
                match blob(&folder, &digest) {
                    Some(bytes) => Answer::found("application/vnd.oci.image.manifest.v1+json", bytes),
                    None => Answer::unknown_manifest(),
                }
            }
            ("referrers", Referrers::FilteredWithoutTypes) => {
                let about = |entry: &&Value| manifest(&folder, entry)["subject"]["digest"] == name;
                let bare = |entry: &Value| json!({"mediaType": entry["mediaType"], "digest": entry["digest"], "size": entry["size"]});
                let manifests: Vec<Value> = listed.iter().filter(about).map(bare).collect();
                let list = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
                Answer { header: "OCI-Filters-Applied: artifactType\r\n", ..Answer::found(INDEX, list.to_string()) }
            }
            _ => Answer::missing("text/plain; charset=utf-8", "404 page not found\n"),
        }
    }
}

fn entries(folder: &Path) -> Vec<Value> {
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    index["manifests"].as_array().unwrap().clone()
}

fn tag(entry: &Value) -> Option<&str> {
    entry["annotations"]["org.opencontainers.image.ref.name"].as_str()
}

fn blob(folder: &Path, digest: &str) -> Option<Vec<u8>> {
    std::fs::read(folder.join("blobs").join(digest.replace(':', "/"))).ok()
}

fn manifest(folder: &Path, entry: &Value) -> Value {
    serde_json::from_slice(&blob(folder, entry["digest"].as_str().unwrap()).unwrap()).unwrap()
}

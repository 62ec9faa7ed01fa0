//! Where a server sends on to by a name: the name is judged by the addresses that it leads to, in the registry client and in
//! the fetching of CRLs. Names are resolved by a resolver of the test's own.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use std::io;
use std::net::{IpAddr, UdpSocket};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use muster::digest::Digest;
use muster::fetch::{Http, HttpOptions, RevocationSource as _};
use muster::manifest::Descriptor;
use muster::reference::Repository;
use muster::revocation;
use muster::source::registry::{Credentials, Protocol, Registry, RegistryOptions};
use muster::source::{ArtifactSource as _, Resolver};
use muster::trouble::{Trouble, TroubleKind};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::skip::skip;

const METADATA: &str = "169.254.169.254";
const HERE: &str = "127.0.0.1";
const CONTENT: &[u8] = b"content";

/// Names with one address each, and who was asked for.
#[derive(Debug)]
struct Names(Vec<(&'static str, IpAddr)>, Mutex<Vec<String>>);

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        self.1.lock().unwrap().push(host.to_owned());
        let found = self.0.iter().filter(|(name, _)| *name == host).map(|(_, address)| *address).collect::<Vec<_>>();
        if found.is_empty() { Err(io::ErrorKind::NotFound.into()) } else { Ok(found) }
    }
}

fn names(names: &[(&'static str, &str)]) -> Arc<Names> {
    let names = names.iter().map(|(name, address)| (*name, address.parse().unwrap())).collect();
    Arc::new(Names(names, Mutex::default()))
}

/// Whether names are resolved here; says so if a proxy does.
#[track_caller]
fn resolves_names() -> bool {
    let proxies = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let proxy = proxies.iter().any(|name| std::env::var_os(name).is_some());
    if proxy {
        skip("redirected_by_name", "a proxy resolves the names here");
    }
    !proxy
}

/// An address of this machine that other machines know it by, as a registry in a private network has one.
#[track_caller]
fn outward() -> Option<String> {
    if !resolves_names() {
        return None;
    }
    // Nothing is sent: the system only says which of its addresses it would send from.
    let asked = || {
        let socket = UdpSocket::bind("0.0.0.0:0")?;
        socket.connect("203.0.113.1:9")?;
        socket.local_addr()
    };
    let address = asked().ok().map(|address| address.ip());
    let address = address.filter(|address| !address.is_loopback() && !address.is_unspecified());
    if address.is_none() {
        skip("redirected_by_name", "this machine has no address but loopback");
    }
    address.map(|address| address.to_string())
}

/// A server on all addresses that answers with a whole answer for each path.
struct Server {
    port: u16,
    asked: Arc<AtomicUsize>,
}

impl Server {
    async fn start(answer: impl Fn(&str) -> String + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("0.0.0.0:0").await.unwrap();
        let server = Server { port: listener.local_addr().unwrap().port(), asked: Arc::default() };
        let (asked, answer) = (Arc::clone(&server.asked), Arc::new(answer));
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                asked.fetch_add(1, Ordering::SeqCst);
                let answer = Arc::clone(&answer);
                tokio::spawn(async move {
                    let mut head = vec![0; 8192];
                    let length = stream.read(&mut head).await.unwrap_or(0);
                    let head = String::from_utf8_lossy(&head[..length]).into_owned();
                    let answer = answer(head.split(' ').nth(1).unwrap_or_default());
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        server
    }

    async fn of_content() -> Server {
        Server::start(|_| answer("200 OK", "", CONTENT)).await
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

fn answer(status: &str, headers: &str, body: &[u8]) -> String {
    let body = String::from_utf8_lossy(body);
    format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    answer("307 Temporary Redirect", &format!("Location: {to}\r\n"), b"")
}

async fn blob(host: &str, names: &Arc<Names>) -> Result<Vec<u8>, Trouble> {
    let options = RegistryOptions {
        protocol: Protocol::PlainHttp,
        credentials: Credentials::Anonymous,
        resolver: Arc::clone(names) as Arc<dyn Resolver>,
        ..RegistryOptions::default()
    };
    let registry = Registry::new(host, options).unwrap();
    let repository = Repository::new(host, "team/app").unwrap();
    let descriptor = Descriptor::new("application/x", Digest::sha256(CONTENT), CONTENT.len() as u64);
    registry.blob(&repository, &descriptor, 100).await.map(|bytes| bytes.expect("no blob").to_vec())
}

fn refused<T: std::fmt::Debug>(answer: Result<T, Trouble>) {
    let trouble = answer.unwrap_err();
    assert_eq!(trouble.kind, TroubleKind::AnswerInvalid, "{trouble:?}");
    assert!(trouble.message.contains("the name leads only to this machine, to link-local addresses"), "{trouble:?}");
}

#[tokio::test]
async fn a_registry_elsewhere_leads_to_names_elsewhere_only() {
    let Some(outward) = outward() else { return };
    for (address, allowed) in [(HERE, false), ("::ffff:127.0.0.1", false), ("0.0.0.0", false), (&*outward, true)] {
        let content = Server::of_content().await;
        let target = format!("http://content.test:{}/x", content.port);
        let registry = Server::start(move |_| redirect(&target)).await;
        let names = names(&[("registry.test", &outward), ("content.test", address)]);
        let got = blob(&format!("registry.test:{}", registry.port), &names).await;
        if allowed {
            assert_eq!(got.unwrap(), CONTENT);
        } else {
            refused(got);
        }
        assert_eq!((registry.asked(), content.asked()), (1, usize::from(allowed)), "{address}");
    }
}

#[tokio::test]
async fn a_registry_on_this_machine_leads_to_this_machine_and_not_to_a_metadata_service() {
    if !resolves_names() {
        return;
    }
    let content = Server::of_content().await;
    for (address, allowed) in [(HERE, true), (METADATA, false), ("fe80::1", false)] {
        let target = format!("http://content.test:{}/x", content.port);
        let registry = Server::start(move |_| redirect(&target)).await;
        let names = names(&[("content.test", address), ("registry.test", HERE)]);
        for host in ["127.0.0.1", "registry.test"] {
            let got = blob(&format!("{host}:{}", registry.port), &names).await;
            if allowed { assert_eq!(got.unwrap(), CONTENT) } else { refused(got) }
        }
    }
}

#[tokio::test]
async fn a_token_server_is_judged_by_where_its_name_leads() {
    let Some(outward) = outward() else { return };
    for address in [HERE, METADATA] {
        let challenge = "WWW-Authenticate: Bearer realm=\"https://auth.test/token\"\r\n";
        let registry = Server::start(move |_| answer("401 Unauthorized", challenge, b"")).await;
        let names = names(&[("registry.test", &outward), ("auth.test", address)]);
        refused(blob(&format!("registry.test:{}", registry.port), &names).await);
        assert!(names.1.lock().unwrap().contains(&"auth.test".to_owned()), "the token server was not looked for");
    }
}

async fn crl(url: String, names: &Arc<Names>) -> Result<Vec<u8>, Trouble> {
    let resolver = Arc::clone(names) as Arc<dyn Resolver>;
    let http = Http::new(HttpOptions { resolver, ..HttpOptions::default() });
    let issuer = revocation::Issuer { name: bytes::Bytes::new(), key: muster::digest::Digest::sha256(b"key") };
    http.answer(&revocation::Need::Crl { url, issuer }).await.map(|answer| answer.bytes().to_vec())
}

#[tokio::test]
async fn what_a_certificate_names_may_be_here_and_not_link_local() {
    if outward().is_none() {
        return;
    }
    let server = Server::of_content().await;
    let names = names(&[("here.test", HERE), ("metadata.test", METADATA), ("link.test", "fe80::1")]);
    let url = |name: &str| format!("http://{name}:{}/x.crl", server.port);
    assert_eq!(crl(url("here.test"), &names).await.unwrap(), CONTENT);
    refused(crl(url("metadata.test"), &names).await);
    refused(crl(url("link.test"), &names).await);
}

#[tokio::test]
async fn what_a_certificate_names_sends_nobody_to_this_machine_by_a_name() {
    let Some(outward) = outward() else { return };
    for (address, allowed) in [(HERE, false), (METADATA, false), ("::", false), (&*outward, true)] {
        let content = Server::of_content().await;
        let target = format!("http://content.test:{}/x.crl", content.port);
        let first = Server::start(move |_| redirect(&target)).await;
        let names = names(&[("crl.test", &outward), ("content.test", address)]);
        let got = crl(format!("http://crl.test:{}/x.crl", first.port), &names).await;
        if allowed {
            assert_eq!(got.unwrap(), CONTENT)
        } else {
            refused(got)
        }
        assert_eq!((first.asked(), content.asked()), (1, usize::from(allowed)), "{address}");
    }
}

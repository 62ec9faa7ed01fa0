//! Registries behind TLS of their own making: authorities that no system knows, and client certificates.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, atomic::AtomicUsize};

use async_trait::async_trait;
use muster::source::registry::ClientCertificate;
use muster::source::{Manifest, Resolver};
use muster::trouble::Trouble;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::registry_answers::mock::guarded;
use crate::registry_answers::transport_security::{Trust, answer, client, fetch, good, listen, pem};

const CLIENT_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.2";

async fn server(trust: &Trust, clients: Option<&Trust>) -> (SocketAddr, Arc<AtomicUsize>) {
    let acceptor = TlsAcceptor::from(Arc::new(trust.server_config("localhost", false, clients)));
    listen(acceptor, |stream| answer(stream, good())).await
}

/// Certificate and key of a client of this authority, in this folder.
fn certified(trust: &Trust, folder: &Path) -> ClientCertificate {
    let leaf = trust.leaf("client", CLIENT_AUTHENTICATION, false);
    let (certificate, key) = (folder.join("client.cert"), folder.join("client.key"));
    std::fs::write(&certificate, leaf.chain.iter().map(|der| pem("CERTIFICATE", der)).collect::<String>()).unwrap();
    std::fs::write(&key, pem("PRIVATE KEY", &leaf.key)).unwrap();
    ClientCertificate { certificate, key }
}

/// A folder `certs.d`, with one for the registry.
fn certificate_folder(address: SocketAddr) -> (TempDir, PathBuf) {
    let folders = tempfile::tempdir().unwrap();
    let folder = folders.path().join(format!("localhost:{}", address.port()));
    std::fs::create_dir(&folder).unwrap();
    (folders, folder)
}

#[tokio::test]
async fn r26_a_registry_that_wants_a_client_certificate_gets_it_or_is_said_to_want_it() {
    guarded(async {
        let (trust, clients, strangers) = (Trust::new(), Trust::new(), Trust::new());
        let ca_files = vec![trust.file.path().to_owned()];
        let (address, connections) = server(&trust, Some(&clients)).await;
        let trouble = fetch(&client(address, |options| options.ca_files = ca_files.clone())).await.unwrap_err();
        assert!(trouble.message.contains("the registry wants a client certificate"), "{trouble}");
        assert!(trouble.message.contains("--cert-file") && trouble.message.contains("certs.d"), "{trouble}");
        assert_eq!(connections.load(Ordering::Relaxed), 1, "another try changes nothing");

        let folder = tempfile::tempdir().unwrap();
        let shown = certified(&clients, folder.path());
        let registry = client(address, |options| {
            options.ca_files = ca_files.clone();
            options.client_certificate = Some(shown);
        });
        assert!(fetch(&registry).await.unwrap().is_some());

        let shown = certified(&strangers, folder.path());
        let registry = client(address, |options| {
            options.ca_files = ca_files.clone();
            options.client_certificate = Some(shown);
        });
        let trouble = fetch(&registry).await.unwrap_err();
        assert!(trouble.message.contains("does not take the client certificate"), "{trouble}");

        // All of it from the folder.
        let (folders, folder) = certificate_folder(address);
        std::fs::copy(trust.file.path(), folder.join("ca.crt")).unwrap();
        certified(&clients, &folder);
        let registry = client(address, |options| options.certificate_folders = vec![folders.path().to_owned()]);
        assert!(fetch(&registry).await.unwrap().is_some());
    })
    .await;
}

/// Every name is this machine's.
#[derive(Debug)]
struct Here;

#[async_trait]
impl Resolver for Here {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()])
    }
}

/// A server called `name` that wants certificates of `clients`, if any, and answers with `text`.
async fn named(trust: &Trust, name: &str, clients: Option<&Trust>, text: String) -> SocketAddr {
    let acceptor = TlsAcceptor::from(Arc::new(trust.server_config(name, false, clients)));
    listen(acceptor, move |stream| answer(stream, text.clone())).await.0
}

/// What comes of a registry that sends to a server called `name`, which wants a certificate or not.
async fn sent_on(name: &str, wants: bool) -> Result<Option<Manifest>, Trouble> {
    let (trust, clients, folder) = (Trust::new(), Trust::new(), tempfile::tempdir().unwrap());
    let there = named(&trust, name, wants.then_some(&clients), good()).await;
    let sent = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nLocation: https://{name}:{}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        there.port()
    );
    let address = named(&trust, "localhost", Some(&clients), sent).await;
    let shown = certified(&clients, folder.path());
    let registry = client(address, |options| {
        options.ca_files = vec![trust.file.path().to_owned()];
        options.client_certificate = Some(shown);
        options.resolver = Arc::new(Here);
    });
    fetch(&registry).await
}

#[tokio::test]
async fn r26_a_server_that_the_registry_sends_to_is_shown_no_client_certificate() {
    guarded(async {
        let found = |found: &Result<Option<Manifest>, Trouble>| found.as_ref().is_ok_and(Option::is_some);
        for (name, wants, expected) in
            [("there.localhost", false, true), ("localhost", true, true), ("there.localhost", true, false)]
        {
            let answer = sent_on(name, wants).await;
            assert_eq!(found(&answer), expected, "{name} {wants}: {answer:?}");
            if let Err(trouble) = answer {
                assert!(trouble.message.contains("CertificateRequired"), "{trouble}");
                assert!(!trouble.message.contains("--cert-file"), "{trouble}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_key_of_another_certificate_is_named() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let trust = Trust::new();
    let (shown, stranger) = (certified(&trust, one.path()), certified(&trust, other.path()));
    let mut options = crate::registry_answers::mock::options();
    let certificate = shown.certificate.clone();
    options.client_certificate = Some(ClientCertificate { certificate: shown.certificate, key: stranger.key });
    let trouble = muster::source::registry::Registry::new("registry.acme-rockets.io", options).unwrap_err();
    assert!(trouble.message.contains(&*certificate.to_string_lossy()), "{trouble}");
}

#[tokio::test]
async fn r31_an_unknown_authority_is_trusted_from_the_folder_or_advice_is_given() {
    guarded(async {
        let trust = Trust::new();
        let (address, _) = server(&trust, None).await;
        let trouble = fetch(&client(address, |_| {})).await.unwrap_err();
        for part in ["UnknownIssuer", "--ca-file", "certs.d"] {
            assert!(trouble.message.contains(part), "{trouble}");
        }
        let (folders, folder) = certificate_folder(address);
        std::fs::copy(trust.file.path(), folder.join("ca.crt")).unwrap();
        let registry = client(address, |options| options.certificate_folders = vec![folders.path().to_owned()]);
        assert!(fetch(&registry).await.unwrap().is_some());
        // What is there and is none is said, and not passed over.
        std::fs::write(folder.join("other.crt"), "nothing").unwrap();
        let mut options = crate::registry_answers::mock::options();
        options.protocol = muster::source::registry::Protocol::Https;
        options.certificate_folders = vec![folders.path().to_owned()];
        let host = format!("localhost:{}", address.port());
        let trouble = muster::source::registry::Registry::new(&host, options).unwrap_err();
        assert!(trouble.message.contains("other.crt"), "{trouble}");
    })
    .await;
}

#[tokio::test]
async fn r31_a_server_without_tls_is_known_by_its_answer() {
    guarded(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                // What comes is no request in its eyes.
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
            }
        });
        let trouble = fetch(&client(address, |_| {})).await.unwrap_err();
        assert!(trouble.message.contains("--plain-http"), "{trouble}");
    })
    .await;
}

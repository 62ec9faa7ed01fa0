//! TLS and HTTP/2: A33, and the half of A15 that needs TLS.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use muster::forge::{Authority, Key, KeyKind, LeafRequest, extension, tlv};
use muster::manifest::IMAGE_MANIFEST;
use muster::source::registry::{Protocol, Registry};
use muster::source::{ArtifactSource, Manifest};
use muster::trouble::{Trouble, TroubleKind};
use tempfile::NamedTempFile;
use time::macros::datetime;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs::default_provider;
use tokio_rustls::rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;

use super::mock::{RETRIES, Reply, guarded, manifest, options, run_again, serve};

const SERVER_AUTHENTICATION: &str = "1.3.6.1.5.5.7.3.1";
const ALTERNATIVE_NAMES: &str = "2.5.29.17";

/// An authority for servers, and its certificate as a file.
pub(crate) struct Trust {
    root: Authority,
    pub(crate) file: NamedTempFile,
}

/// A certificate for a name, with its chain and its key in PKCS #8, in DER.
pub(crate) struct Leaf {
    pub(crate) chain: Vec<Vec<u8>>,
    pub(crate) key: Vec<u8>,
}

/// A block of PEM.
pub(crate) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let lines: Vec<&str> = base64.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

impl Trust {
    pub(crate) fn new() -> Trust {
        let root =
            Authority::root("C=US, ST=WA, O=acme-rockets.io, CN=TLS Root", Key::generate(KeyKind::P256).unwrap());
        let root = root.unwrap();
        let mut file = NamedTempFile::new().unwrap();
        write!(file, "{}", pem("CERTIFICATE", root.certificate())).unwrap();
        Trust { root, file }
    }

    /// What this authority certifies: `name`, for `purpose`.
    pub(crate) fn leaf(&self, name: &str, purpose: &str, expired: bool) -> Leaf {
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap();
        let pkcs8 = key.to_pkcs8v1().unwrap().as_ref().to_vec();
        let subject = format!("C=US, ST=WA, O=acme-rockets.io, CN={name}");
        let mut request = LeafRequest::new(&subject, Key::from_pkcs8(&pkcs8).unwrap()).unwrap();
        request.purposes = vec![purpose.to_owned()];
        if expired {
            request.validity.not_after = datetime!(2021-01-01 0:00 UTC);
        }
        // One GeneralName: dNSName is [2].
        let names = tlv(0x30, &tlv(0x82, name.as_bytes()));
        let issue = self.root.issue_with(request, |draft| {
            draft.set(extension(ALTERNATIVE_NAMES, false, &names)?);
            Ok(())
        });
        Leaf { chain: issue.unwrap().chain, key: pkcs8 }
    }

    /// A server's side of TLS, with a certificate for `name`.
    fn server(&self, name: &str, expired: bool, protocols: &[&str]) -> TlsAcceptor {
        let mut config = self.server_config(name, expired, None);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// The same as a configuration, which wants certificates of `clients` where they are given.
    pub(crate) fn server_config(&self, name: &str, expired: bool, clients: Option<&Trust>) -> ServerConfig {
        let Leaf { chain, key } = self.leaf(name, SERVER_AUTHENTICATION, expired);
        let provider = Arc::new(default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().unwrap();
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.root.certificate().to_vec().into()).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build();
                builder.with_client_cert_verifier(verifier.unwrap())
            }
        };
        let chain = chain.into_iter().map(Into::into).collect();
        builder.with_single_cert(chain, PrivatePkcs8KeyDer::from(key).into()).unwrap()
    }

    /// A client that trusts this authority, too.
    fn client(&self, address: SocketAddr) -> Registry {
        client(address, |options| options.ca_files = vec![self.file.path().to_owned()])
    }
}

pub(crate) fn client(
    address: SocketAddr,
    change: impl FnOnce(&mut muster::source::registry::RegistryOptions),
) -> Registry {
    let mut options = options();
    options.protocol = Protocol::Https;
    change(&mut options);
    Registry::new(&format!("localhost:{}", address.port()), options).unwrap()
}

pub(crate) async fn fetch(registry: &Registry) -> Result<Option<Manifest>, Trouble> {
    registry.manifest(&format!("{}/team/app:v1", registry.host()).parse().unwrap()).await
}

/// Serves connections after the handshake by `serve`; counts the connections.
pub(crate) async fn listen<F>(
    acceptor: TlsAcceptor,
    serve: impl Fn(TlsStream<TcpStream>) -> F + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>)
where
    F: Future<Output = std::io::Result<()>> + Send + 'static,
{
    let listener = TcpListener::bind("localhost:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::Relaxed);
            match acceptor.accept(stream).into_fallible().await {
                Ok(stream) => _ = tokio::spawn(serve(stream)),
                // Its alert is read before the connection ends.
                Err((_, mut stream)) => _ = tokio::spawn(async move { stream.read(&mut [0; 4096]).await }),
            }
        }
    });
    (address, count)
}

/// Answers the first request with this text.
pub(crate) async fn answer(mut stream: TlsStream<TcpStream>, text: String) -> std::io::Result<()> {
    let _ = stream.read(&mut [0; 4096]).await?;
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

pub(crate) fn good() -> String {
    let body = String::from_utf8(manifest("a").0).unwrap();
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {IMAGE_MANIFEST}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

#[tokio::test]
async fn a33_a_server_is_believed_with_a_certificate_that_holds_only() {
    guarded(async {
        let trust = Trust::new();
        for (name, expired, trusted, expected) in [
            ("localhost", false, true, true),
            ("localhost", false, false, false),
            ("localhost", true, true, false),
            ("registry.acme-rockets.io", false, true, false),
        ] {
            let (address, connections) =
                listen(trust.server(name, expired, &["http/1.1"]), |stream| answer(stream, good())).await;
            let registry = if trusted { trust.client(address) } else { client(address, |_| {}) };
            match fetch(&registry).await {
                Ok(found) => assert!(expected && found.is_some(), "{name}"),
                Err(trouble) => {
                    assert!(!expected, "{trouble}");
                    assert_eq!(trouble.kind, TroubleKind::Unreachable);
                    assert!(trouble.message.contains("certificate"), "{trouble}");
                }
            }
            assert_eq!(connections.load(Ordering::Relaxed), 1, "a certificate does not get better");
        }
    })
    .await;
}

#[tokio::test]
async fn a33_plain_http_is_never_fallen_back_to() {
    guarded(async {
        let listener = TcpListener::bind("localhost:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let heard = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = vec![0; 4096];
            let count = stream.read(&mut bytes).await.unwrap();
            stream.write_all(good().as_bytes()).await.unwrap();
            // Whoever tries again finds nobody.
            bytes[..count].to_vec()
        });
        let trouble = fetch(&client(address, |_| {})).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::Unreachable);
        let heard = heard.await.unwrap();
        assert_eq!(heard[0], 0x16, "a handshake is what comes first");
        assert!(!heard.windows(3).any(|bytes| bytes == b"GET"));
    })
    .await;
}

#[tokio::test]
async fn a33_a_server_that_speaks_another_protocol_is_unreachable() {
    guarded(async {
        let trust = Trust::new();
        let (address, _) = listen(trust.server("localhost", false, &["acme/1"]), |stream| answer(stream, good())).await;
        assert_eq!(fetch(&trust.client(address)).await.unwrap_err().kind, TroubleKind::Unreachable);
        // HTTP/2 was agreed on, and something else comes.
        let (address, connections) =
            listen(trust.server("localhost", false, &["h2"]), |stream| answer(stream, good())).await;
        assert_eq!(fetch(&trust.client(address)).await.unwrap_err().kind, TroubleKind::Unreachable);
        assert_eq!(connections.load(Ordering::Relaxed), RETRIES + 1);
    })
    .await;
}

/// A frame of HTTP/2 (RFC 9113, section 4.1).
fn frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, 0], &stream.to_be_bytes(), payload].concat()
}

#[tokio::test]
async fn a33_http2_that_breaks_off_is_tried_again_in_bounds() {
    guarded(async {
        const SETTINGS: u8 = 4;
        const RST_STREAM: u8 = 3;
        const GOAWAY: u8 = 7;
        let trust = Trust::new();
        let refused = 7_u32.to_be_bytes();
        let reset = frame(RST_STREAM, 1, &refused);
        let go_away = frame(GOAWAY, 0, &[&0_u32.to_be_bytes()[..], &2_u32.to_be_bytes()].concat());
        for frames in [reset.clone(), reset.repeat(10_000), go_away, vec![0xff; 1000]] {
            let (address, connections) = listen(trust.server("localhost", false, &["h2"]), move |mut stream| {
                let frames = frames.clone();
                async move {
                    stream.write_all(&frame(SETTINGS, 0, &[])).await?;
                    let mut read = 0;
                    // The preface, the settings and the beginning of a request.
                    while read < 100 {
                        read += stream.read(&mut [0; 4096]).await?;
                    }
                    stream.write_all(&frames).await?;
                    stream.shutdown().await
                }
            })
            .await;
            let trouble = fetch(&trust.client(address)).await.unwrap_err();
            assert_eq!(trouble.kind, TroubleKind::Unreachable, "{trouble}");
            assert!(connections.load(Ordering::Relaxed) <= RETRIES + 1);
        }
    })
    .await;
}

#[tokio::test]
async fn a15_a_redirect_does_not_give_up_tls() {
    guarded(async {
        let plain = serve(|_| Reply::ok(IMAGE_MANIFEST, manifest("a").0)).await;
        let trust = Trust::new();
        let location = format!(
            "HTTP/1.1 307 T\r\nLocation: http://{}/x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
            plain.host
        );
        let (address, _) =
            listen(trust.server("localhost", false, &[]), move |stream| answer(stream, location.clone())).await;
        let trouble = fetch(&trust.client(address)).await.unwrap_err();
        assert_eq!(trouble.kind, TroubleKind::AnswerInvalid);
        assert!(plain.seen().is_empty());
    })
    .await;
}

#[test]
fn a33_a_system_without_certificates_can_still_trust_those_named() {
    let empty = tempfile::tempdir().unwrap();
    for test in [
        "content::a04_a_tag_without_a_stated_digest_is_hashed",
        "transport_security::a15_a_redirect_does_not_give_up_tls",
    ] {
        run_again(test, &[("SSL_CERT_FILE", "/dev/null".as_ref()), ("SSL_CERT_DIR", empty.path().as_os_str())]);
    }
}

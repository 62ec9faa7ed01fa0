//! A stand-in for the engine's socket at another place: whatever is said there is passed on, and connections are counted.

use std::env;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio_rustls::TlsAcceptor;

/// How many connections were passed on.
pub(crate) type Count = Arc<AtomicUsize>;

/// The socket of the engine that tests run on; `None` where `DOCKER_HOST` names it in another form.
pub(crate) fn engine_socket() -> Option<PathBuf> {
    match env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        None => Some(PathBuf::from("/var/run/docker.sock")),
        Some(host) => host.strip_prefix("unix://").map(PathBuf::from),
    }
}

async fn pass_on(mut client: impl AsyncRead + AsyncWrite + Unpin, count: Count) -> io::Result<()> {
    count.fetch_add(1, Ordering::SeqCst);
    let mut engine = UnixStream::connect(engine_socket().unwrap()).await?;
    copy_bidirectional(&mut client, &mut engine).await.map(|_| ())
}

/// Passes on what comes to a socket at `path`.
pub(crate) fn at_socket(path: &Path) -> Count {
    let (listener, count) = (UnixListener::bind(path).unwrap(), Count::default());
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(pass_on(client, Arc::clone(&counted)));
        }
    });
    count
}

/// Passes on what comes to a socket at `path`, but for wishes to remove something: these get no answer.
pub(crate) fn that_removes_nothing(path: &Path) {
    let listener = UnixListener::bind(path).unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let engine = UnixStream::connect(engine_socket().unwrap()).await?;
                let ((mut asked, mut answers), (mut heard, mut says)) = (client.into_split(), engine.into_split());
                let back = tokio::spawn(async move { tokio::io::copy(&mut heard, &mut answers).await });
                let mut piece = vec![0; 1 << 16];
                loop {
                    let length = asked.read(&mut piece).await?;
                    if length == 0 {
                        back.abort();
                        return Ok::<(), io::Error>(());
                    }
                    if !piece[..length].starts_with(b"DELETE ") {
                        says.write_all(&piece[..length]).await?;
                    }
                }
            });
        }
    });
}

/// Passes on what comes to a port of the loopback, with TLS where `tls` is given. The port comes back, too.
pub(crate) async fn at_port(tls: Option<TlsAcceptor>) -> (u16, Count) {
    let (listener, count) = (TcpListener::bind("127.0.0.1:0").await.unwrap(), Count::default());
    let (port, counted) = (listener.local_addr().unwrap().port(), Arc::clone(&count));
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (counted, tls) = (Arc::clone(&counted), tls.clone());
            tokio::spawn(async move {
                match tls {
                    Some(tls) => pass_on(tls.accept(client).await?, counted).await,
                    None => pass_on(client, counted).await,
                }
            });
        }
    });
    (port, count)
}

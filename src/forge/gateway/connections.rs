//! The connections of a gateway: no more than so many at a time, the others wait until one is closed. One that says nothing for long
//! is closed, so that those that a client has forgotten do not keep all others out.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

use super::super::accepting::Accepting;
use crate::limits;

/// How long a connection may say nothing: longer than a client keeps one for its next request, or waits for an answer.
const SILENCE: Duration = Duration::from_secs(300);

/// Where connections come in.
pub(super) struct Connections {
    listener: Accepting,
    room: Arc<Semaphore>,
    silence: Duration,
}

impl Connections {
    pub(super) fn new(listener: Accepting) -> Connections {
        Connections { listener, room: Arc::new(Semaphore::new(limits::GATEWAY_CONNECTIONS)), silence: SILENCE }
    }
}

impl Listener for Connections {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        // It is never closed, so that there is a permit some time.
        let permit = Arc::clone(&self.room).acquire_owned().await.ok();
        let (stream, address) = Listener::accept(&mut self.listener).await;
        let silent = Box::pin(sleep(self.silence));
        (Connection { stream, silence: self.silence, silent, _permit: permit }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection, which counts until it is closed.
pub(super) struct Connection {
    stream: TcpStream,
    silence: Duration,
    silent: Pin<Box<Sleep>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        if read.is_ready() {
            let silent_until = Instant::now() + self.silence;
            self.silent.as_mut().reset(silent_until);
        } else if self.silent.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use tokio::io::AsyncReadExt as _;

    #[tokio::test]
    async fn a_connection_that_says_nothing_is_closed() {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let mut connections = Connections::new(Accepting::new(listener).unwrap());
        connections.silence = Duration::from_millis(50);
        let mut client = std::net::TcpStream::connect(address).unwrap();
        let (mut connection, _) = connections.accept().await;
        client.write_all(b"a").unwrap();
        let mut said = [0; 8];
        // What is said is read, however long it took.
        assert_eq!(connection.read(&mut said).await.unwrap(), 1);
        assert_eq!(connection.read(&mut said).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}

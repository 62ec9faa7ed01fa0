//! Taking connections on the loopback, also where the machine has no more open files for a while.
//!
//! Who connects meanwhile waits, and may give up: so it is noted (see [`crate::shortage`]), and nothing is told as a verdict.

use std::net::SocketAddr;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use crate::shortage;

/// How long is waited before a connection is taken again that could not be.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener whose connections send small answers at once.
pub(super) struct Accepting(TcpListener);

impl Accepting {
    /// # Errors
    /// The system does not watch over it.
    pub(super) fn new(listener: std::net::TcpListener) -> std::io::Result<Accepting> {
        TcpListener::from_std(listener).map(Accepting)
    }
}

impl Listener for Accepting {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((connection, from)) => {
                    // Without it a small answer may wait for the client's acknowledgement; it is no more than slow.
                    let _ = connection.set_nodelay(true);
                    return (connection, from);
                }
                Err(error) => {
                    shortage::note(&error);
                    sleep(PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

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

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::net::Ipv4Addr;
    use std::process::Command;
    use std::time::Instant;

    use super::*;
    use crate::shortage::{Before, Shortage};

    /// How long anything may take.
    const PATIENCE: Duration = Duration::from_secs(60);
    /// Says to the test that it runs in a process of its own, where few files may be open.
    const LIMITED: &str = "MUSTER_TEST_FEW_OPEN_FILES";

    #[test]
    fn a_connection_that_finds_no_open_file_left_is_noted_and_taken_later() {
        if std::env::var_os(LIMITED).is_some() {
            return take_a_connection_without_open_files();
        }
        let name = "forge::accepting::tests::a_connection_that_finds_no_open_file_left_is_noted_and_taken_later";
        let mut shell = Command::new("sh");
        shell.args(["-c", "ulimit -n 64; exec \"$0\" \"$@\""]).arg(std::env::current_exe().unwrap());
        let output = shell.args([name, "--exact", "--test-threads=1"]).env(LIMITED, "1").output().unwrap();
        let printed = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{printed}{}", String::from_utf8_lossy(&output.stderr));
        assert!(printed.contains("1 passed"), "a name that selects nothing passes too: {printed}");
    }

    fn take_a_connection_without_open_files() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            listener.set_nonblocking(true).unwrap();
            let mut accepting = Accepting::new(listener).unwrap();
            let client = std::net::TcpStream::connect(Listener::local_addr(&accepting).unwrap()).unwrap();
            let mut open = Vec::new();
            let full = loop {
                match File::open("/dev/null") {
                    Ok(file) => open.push(file),
                    Err(error) => break error,
                }
            };
            assert_eq!(Shortage::of(&full), Some(Shortage::OpenFiles), "{full}");
            let before = Before::now();
            let noted = async {
                let begun = Instant::now();
                while before.met_since().is_none() {
                    assert!(begun.elapsed() < PATIENCE, "it is not noted");
                    tokio::task::yield_now().await;
                }
                drop(open);
                std::future::pending::<()>().await;
            };
            let (_, from) = tokio::select! {
                accepted = Listener::accept(&mut accepting) => accepted,
                () = noted => unreachable!("it waits without end"),
            };
            assert_eq!(from, client.local_addr().unwrap());
            assert_eq!(before.met_since(), Some(Shortage::OpenFiles));
        });
    }
}

//! A server on the loopback with a thread of its own: what the embedded registry and the embedded responders have in common.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::mpsc;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::shortage;

/// A server that is stopped when this is dropped. It answers whatever the caller's runtime is doing.
#[derive(Debug)]
pub(super) struct Loopback {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Loopback {
    /// Listens on a free port of 127.0.0.1, and has `serve` answer until it is told to stop, on a thread called `name`.
    pub(super) fn start<S, F>(name: &str, serve: S) -> io::Result<Loopback>
    where
        S: FnOnce(TcpListener, oneshot::Receiver<()>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        Loopback::start_at(0, name, serve)
    }

    /// The same on this port.
    pub(super) fn start_at<S, F>(port: u16, name: &str, serve: S) -> io::Result<Loopback>
    where
        S: FnOnce(TcpListener, oneshot::Receiver<()>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        Loopback::begin(port, name, serve).inspect_err(shortage::note_of_start)
    }

    fn begin<S, F>(port: u16, name: &str, serve: S) -> io::Result<Loopback>
    where
        S: FnOnce(TcpListener, oneshot::Receiver<()>) -> F + Send + 'static,
        F: Future<Output = ()>,
    {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        // The runtime is made and dropped on its own thread: a caller's asynchronous thread may not drop one.
        let (report, started) = mpsc::channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            // The receiver waits for exactly this.
            let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => runtime,
                Err(error) => return drop(report.send(Err(error))),
            };
            let _ = report.send(Ok(()));
            runtime.block_on(serve(listener, stopped));
        })?;
        started.recv().map_err(io::Error::other)??;
        Ok(Loopback { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where the server listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // An error says that the thread has ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // An error says that it panicked, which it has reported.
            let _ = thread.join();
        }
    }
}

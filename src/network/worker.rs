//! Workers: one thread with one runtime per core. A connection lives and dies on its worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustls::ServerConnection;
use tokio::runtime::Handle;
use tokio::sync::mpsc;

use super::connection;
use super::refusal::Refusals;
use crate::engine::Engine;
use crate::session::Peer;

/// A connection on its way to a worker, out of any runtime.
pub struct Accepted {
    /// The socket.
    pub socket: AcceptedSocket,
    /// The TLS session, the handshake done.
    pub tls: Option<Box<ServerConnection>>,
    /// Who it is.
    pub peer: Peer,
    /// The name of the user its certificate stands for, if there is such a user.
    pub certificate_user: Option<Box<str>>,
    /// A reply to send instead of serving it (too many clients, protected mode).
    pub refusal: Option<Vec<u8>>,
}

/// A socket that no runtime has registered.
pub enum AcceptedSocket {
    /// TCP.
    Tcp(std::net::TcpStream),
    /// A Unix socket.
    Unix(std::os::unix::net::UnixStream),
}

struct Worker {
    runtime: Handle,
    sender: mpsc::UnboundedSender<Accepted>,
    connections: Arc<AtomicUsize>,
}

/// Counts a connection of a worker while it lives.
pub(super) struct Open(Arc<AtomicUsize>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

/// The workers.
pub struct WorkerPool {
    workers: Vec<Worker>,
    refusals: Arc<Refusals>,
}

impl WorkerPool {
    /// Starts `count` workers.
    pub fn start(engine: &'static Engine, count: usize) -> std::io::Result<Self> {
        let refusals = Arc::new(Refusals::new(engine));
        let workers =
            (0..count).map(|index| start_worker(engine, index, Arc::clone(&refusals))).collect::<Result<_, _>>()?;
        Ok(Self { workers, refusals })
    }

    /// The name of each worker's thread, and where it takes its work from.
    pub fn threads(&self) -> impl Iterator<Item = (String, &Handle)> {
        self.workers.iter().enumerate().map(|(index, worker)| (name_of(index), &worker.runtime))
    }

    /// The book of refused connections.
    pub(super) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    /// Gives a connection to the worker with the fewest. The queue needs no bound of its own: maxclients bounds it.
    pub fn assign(&self, accepted: Accepted) {
        let Some(worker) = self.workers.iter().min_by_key(|worker| worker.connections.load(Relaxed)) else { return };
        worker.connections.fetch_add(1, Relaxed);
        if worker.sender.send(accepted).is_err() {
            tracing::warn!("a worker has ended; the connection is dropped");
        }
    }
}

fn start_worker(engine: &'static Engine, index: usize, refusals: Arc<Refusals>) -> std::io::Result<Worker> {
    let (sender, mut receiver) = mpsc::unbounded_channel::<Accepted>();
    let connections = Arc::new(AtomicUsize::new(0));
    let open = Arc::clone(&connections);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let handle = runtime.handle().clone();
    std::thread::Builder::new().name(name_of(index)).spawn(move || {
        runtime.block_on(async move {
            while let Some(accepted) = receiver.recv().await {
                let (open, refusals) = (Open(Arc::clone(&open)), Arc::clone(&refusals));
                // In a box from the start: the state of a connection is large, and a task moves what it is given several times.
                tokio::spawn(Box::pin(connection::serve(engine, index, refusals, accepted, open)));
            }
        });
    })?;
    Ok(Worker { runtime: handle, sender, connections })
}

fn name_of(index: usize) -> String {
    format!("worker-{index}")
}

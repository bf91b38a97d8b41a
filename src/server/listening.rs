//! The listening sockets over the life of the server: opened at the start, moved by CONFIG SET port, tls-port or bind.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::config::Settings;
use crate::engine::Engine;
use crate::network::{Acceptor, AcceptorHandle, Listeners, WorkerPool};

/// What the server listens on.
pub struct Listening {
    engine: &'static Engine,
    workers: Arc<WorkerPool>,
    current: Mutex<Option<(Listeners, AcceptorHandle)>>,
}

impl Listening {
    /// Opens the sockets that the settings name.
    pub fn open(settings: &Settings) -> Result<Listeners, String> {
        Self::open_beside(settings, &Listeners::default())
    }

    /// As [`Listening::open`], using sockets again that are open already.
    fn open_beside(settings: &Settings, open: &Listeners) -> Result<Listeners, String> {
        let network = &settings.network;
        let mut listeners = Listeners::default();
        let port = if settings.transit_encryption { network.tls_port } else { network.port };
        if port != 0 {
            let opened = listeners.open_tcp(&network.bind.0, port, network.tcp_backlog, open);
            opened.map_err(|error| {
                format!("Warning: {error}\nFailed listening on port {port} (tcp): choose another port, or end the process that uses it")
            })?;
        }
        match &open.unix {
            Some(unix) => listeners.unix = unix.try_clone().ok(),
            None if !network.unixsocket.is_empty() => {
                let mode = Some(network.unixsocketperm).filter(|mode| *mode != 0);
                listeners.open_unix(Path::new(&network.unixsocket), mode).map_err(|error| error.to_string())?;
            }
            None => {}
        }
        Ok(listeners)
    }

    /// Starts accepting.
    pub fn start(engine: &'static Engine, workers: Arc<WorkerPool>, listeners: Listeners) -> io::Result<Arc<Self>> {
        let handle = Acceptor::start(engine, Arc::clone(&workers), &listeners)?;
        Ok(Arc::new(Self { engine, workers, current: Mutex::new(Some((listeners, handle))) }))
    }

    /// Moves to what the settings name now; on an error everything stays as it is.
    pub fn move_to(&self, settings: &Settings) -> Result<(), String> {
        let mut current = self.current.lock();
        let none = Listeners::default();
        let open = current.as_ref().map_or(&none, |(listeners, _)| listeners);
        let listeners = Self::open_beside(settings, open)?;
        let handle =
            Acceptor::start(self.engine, Arc::clone(&self.workers), &listeners).map_err(|error| error.to_string())?;
        *current = Some((listeners, handle));
        Ok(())
    }

    /// Stops accepting.
    pub fn stop(&self) {
        if let Some((listeners, _)) = self.current.lock().take()
            && let Some(path) = listeners.unix_path()
        {
            // A socket file that is gone already needs no removing.
            let _ = std::fs::remove_file(path);
        }
    }
}

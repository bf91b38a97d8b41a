//! The listening sockets over the life of the server: opened at the start, moved by CONFIG SET port, tls-port or bind.

use std::io;
use std::path::Path;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::config::Settings;
use crate::engine::Engine;
use crate::network::{Acceptor, AcceptorHandle, ListenError, Listeners, WorkerPool};

/// What the server listens on.
pub struct Listening {
    engine: &'static Engine,
    workers: Arc<WorkerPool>,
    current: Mutex<Option<(Listeners, AcceptorHandle)>>,
}

impl Listening {
    /// Opens the sockets that the settings name.
    pub fn open(settings: &Settings) -> Result<Listeners, ListenError> {
        Self::open_beside(settings, &Listeners::default())
    }

    /// As [`Listening::open`], using sockets again that are open already.
    fn open_beside(settings: &Settings, open: &Listeners) -> Result<Listeners, ListenError> {
        let network = &settings.network;
        let mut listeners = Listeners::default();
        let port = if settings.transit_encryption { network.tls_port } else { network.port };
        if port != 0 {
            listeners.open_tcp(&network.bind.0, port, network.tcp_backlog, open)?;
        }
        match &open.unix {
            Some(unix) => listeners.unix = unix.try_clone().ok(),
            None if !network.unixsocket.is_empty() => {
                let mode = Some(network.unixsocketperm).filter(|mode| *mode != 0);
                listeners.open_unix(Path::new(&network.unixsocket), mode)?;
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

    /// Moves to what the settings name now. On an error everything stays as it is, but for an address in use: it may be
    /// this server that holds it under another name (`*` and 127.0.0.1), so what is open is closed before the second try,
    /// and the caller goes back to the settings before.
    pub fn move_to(&self, settings: &Settings) -> Result<(), String> {
        let mut current = self.current.lock();
        let none = Listeners::default();
        let open = current.as_ref().map_or(&none, |(listeners, _)| listeners);
        let listeners = match Self::open_beside(settings, open) {
            Err(error) if error.is_in_use() => {
                let unix = current.take().and_then(|(listeners, _)| listeners.unix);
                Self::open_beside(settings, &Listeners { unix, ..Listeners::default() })
            }
            opened => opened,
        };
        let listeners = listeners.map_err(|error| error.to_string())?;
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

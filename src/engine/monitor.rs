//! MONITOR: shows every command to the clients that asked for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use parking_lot::Mutex;

use crate::base::clock::unix_micros;
use crate::catalog::{self, Spec};
use crate::config::values::BufferLimits;
use crate::resp::{Args, OwnedArgs};
use crate::session::{Client, ClientFlags, ClientId, Session};

/// The clients in MONITOR mode.
#[derive(Default)]
pub struct Monitors {
    clients: Mutex<Vec<Arc<Client>>>,
    count: AtomicUsize,
}

impl Monitors {
    /// Whether there is any.
    pub fn any(&self) -> bool {
        self.count.load(Relaxed) > 0
    }

    /// `client` sees all commands from now on.
    pub fn add(&self, client: &Arc<Client>) {
        client.set_flags(ClientFlags::MONITOR, true);
        let mut clients = self.clients.lock();
        clients.push(Arc::clone(client));
        self.count.store(clients.len(), Relaxed);
    }

    /// `client` is gone, or has left MONITOR mode.
    pub fn remove(&self, id: ClientId) {
        let mut clients = self.clients.lock();
        clients.retain(|client| client.id != id);
        self.count.store(clients.len(), Relaxed);
    }

    /// Shows one command, its secrets hidden. Who reads too slowly is closed by its output limit.
    pub fn show(&self, spec: &Spec, session: &Session, args: Args<'_>, limits: &BufferLimits) {
        let redacted = catalog::redacted::<OwnedArgs>(spec, args.from(0));
        let args = redacted.as_ref().map_or(args, OwnedArgs::as_args);
        let line = line(session, args);
        for client in self.clients.lock().iter() {
            client.push(&line, limits);
        }
    }
}

fn line(session: &Session, args: Args<'_>) -> Vec<u8> {
    let micros = unix_micros();
    let address = if session.in_script {
        "lua".to_owned()
    } else if session.client.flags().contains(ClientFlags::UNIX_SOCKET) {
        format!("unix:{}", session.client.peer.address)
    } else {
        session.client.peer.address.clone()
    };
    let mut out =
        format!("+{}.{:06} [{} {address}]", micros / 1_000_000, micros % 1_000_000, session.db.0).into_bytes();
    for argument in args.from(0) {
        out.extend_from_slice(b" ");
        quote(argument, &mut out);
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Quotes as Redis shows strings: escapes for what is not printable.
fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', *byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            7 => out.extend_from_slice(b"\\a"),
            8 => out.extend_from_slice(b"\\b"),
            0x20..=0x7e => out.push(*byte),
            other => out.extend_from_slice(format!("\\x{other:02x}").as_bytes()),
        }
    }
    out.push(b'"');
}

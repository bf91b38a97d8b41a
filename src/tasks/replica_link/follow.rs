//! One life of the link: from dialling until it ends.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::dial::{dial, timeout};
use super::snapshot;
use crate::acl::{Rules, User};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::engine::{Applier, Engine, LinkPhase, PrimaryAddress};
use crate::group::claim::Claim;
use crate::keyspace::DbIndex;
use crate::peer::Link;
use crate::persistence::aof::record;
use crate::replication::{Handshake, Introduction, Next, Sync};
use crate::session::{Client, ClientFlags, Peer, TlsFacts};
use crate::tls::peer_identity::SessionFacts;

/// How often the primary is told how far this server is.
const CONFIRM: Duration = Duration::from_secs(1);

/// How the stream begins.
struct Beginning {
    sync: Sync,
    /// Whether the primary knows PSYNC, and wants to be told how far this server is.
    confirms: bool,
    /// The group the primary has told.
    group: Option<Claim>,
}

/// Follows the primary until that ends; an error says why it did, where that is worth a line.
pub(super) fn follow(engine: &'static Engine, generation: u64, primary: &PrimaryAddress) -> Result<(), String> {
    let status = &engine.replication.link;
    let settings = engine.config.snapshot();
    status.enter(LinkPhase::Connecting);
    tracing::info!("MASTER <-> REPLICA sync started");
    let mut link = dial(engine, &settings, primary)?;
    if !engine.still_follows(generation) {
        return Ok(());
    }
    status.enter(LinkPhase::Handshake);
    tracing::info!("Non blocking connect for SYNC fired the event.");
    let beginning = introduce(engine, &settings, generation, &mut link);
    settle_failover(engine, beginning.is_ok());
    let Beginning { sync, confirms, group } = beginning?;
    let (db, id) = match sync {
        Sync::Full(position) => {
            if let Some((id, offset)) = position {
                tracing::info!("Full resync from master: {id}:{}", offset.0);
            }
            status.enter(LinkPhase::Transfer);
            let db = snapshot::take(engine, &settings, generation, &mut link, position)?;
            tracing::info!("MASTER <-> REPLICA sync: Finished with success");
            (db, None)
        }
        Sync::Continue(id) => {
            tracing::info!("Successful partial resynchronization with master.");
            tracing::info!("MASTER <-> REPLICA sync: Master accepted a Partial Resynchronization.");
            (engine.feed.selected().unwrap_or_default(), id)
        }
    };
    if !engine.link_is_up(generation, id) {
        return Ok(());
    }
    if let Some(group) = &group {
        engine.replication.membership.join(group);
    }
    stream(engine, generation, &mut link, db, confirms)
}

/// The conversation, up to how the stream begins.
fn introduce(engine: &Engine, settings: &Settings, generation: u64, link: &mut Link) -> Result<Beginning, String> {
    let introduction = introduction(engine, settings);
    let position = introduction.position;
    let (mut handshake, first) = Handshake::begin(introduction);
    let sending = |error: io::Error| format!("Sending command to master in replication handshake: {error}");
    link.send(&first).map_err(sending)?;
    let mut greeted = false;
    loop {
        let line = link.line(|| engine.still_follows(generation));
        let line = line.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => "Timeout connecting to the MASTER...".to_owned(),
            _ => format!("Master did not respond to command during SYNC handshake: {error}"),
        })?;
        engine.replication.link.heard(0);
        let next = handshake.answer(&line);
        for note in handshake.take_notes() {
            tracing::info!("{note}");
        }
        if !greeted && !matches!(next, Next::GiveUp(_)) {
            greeted = true;
            tracing::info!("Master replied to PING, replication can continue...");
        }
        match next {
            Next::Wait => {}
            Next::Send(bytes) => {
                if handshake.has_asked() {
                    match position {
                        Some((id, offset)) => {
                            tracing::info!("Trying a partial resynchronization (request {id}:{}).", offset.request())
                        }
                        None => tracing::info!("Partial resynchronization not possible (no cached master)"),
                    }
                }
                link.send(&bytes).map_err(sending)?;
            }
            Next::Begin(sync) => {
                return Ok(Beginning { sync, confirms: true, group: handshake.primary_group().cloned() });
            }
            Next::BeginOld(bytes) => {
                if engine.is_failing_over() {
                    return Err("Master does not take over".into());
                }
                tracing::info!("Retrying with SYNC...");
                link.send(&bytes).map_err(|error| format!("I/O error writing to MASTER: {error}"))?;
                return Ok(Beginning { sync: Sync::Full(None), confirms: false, group: None });
            }
            Next::Stranger(why) => {
                engine.replication.membership.note_stranger(why.clone());
                return Err(format!("The primary cannot be followed: {why}"));
            }
            Next::GiveUp(why) | Next::Later(why) => return Err(why),
        }
    }
}

fn introduction(engine: &Engine, settings: &Settings) -> Introduction {
    let replication = &settings.replication;
    let own_port = if engine.tls.is_some() { settings.network.tls_port } else { settings.network.port };
    let announced = Some(replication.replica_announce_port).filter(|port| *port != 0);
    let credentials = (!replication.masterauth.is_empty())
        .then(|| (replication.masteruser.0.to_vec(), replication.masterauth.0.to_vec()));
    Introduction {
        credentials,
        port: announced.unwrap_or(own_port),
        address: Some(replication.replica_announce_ip.clone()).filter(|address| !address.is_empty()),
        group: engine.replication.membership.claim(),
        position: engine.replication.position(engine.feed.end()),
        failover: engine.is_failing_over(),
    }
}

/// The primary that was to take over has done so, or will not.
fn settle_failover(engine: &'static Engine, accepted: bool) {
    if !engine.is_failing_over() {
        return;
    }
    if accepted {
        engine.end_failover();
    } else {
        let _alone = engine.gate.exclusive();
        engine.abort_failover("Failover target rejected psync request");
    }
}

/// Follows the stream.
fn stream(
    engine: &'static Engine,
    generation: u64,
    link: &mut Link,
    db: DbIndex,
    confirms: bool,
) -> Result<(), String> {
    let status = &engine.replication.link;
    let client = Arc::new(client(engine, link));
    client.set_flags(ClientFlags::PRIMARY, true);
    let _listed = Listed::new(engine, &client);
    status.attach(&client);
    status.enter(LinkPhase::Connected);
    status.update(|report| report.read_offset = engine.feed.end().0);
    let mut applier = Applier::new(engine, Arc::clone(&client), db);
    let mut confirmed = Instant::now();
    // With a mark at the end of the snapshot the primary waits for this.
    let mut wants_confirmation = true;
    while engine.still_follows(generation) && client.closing().is_none() {
        if confirms && (wants_confirmation || confirmed.elapsed() >= CONFIRM) {
            confirmed = Instant::now();
            link.send(&confirmation(engine)).map_err(|error| format!("Error writing to the master: {error}"))?;
        }
        link.set_timeout(timeout(&engine.config.settings()));
        let there = link.receive().map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => "MASTER timeout: no data nor PING received...".to_owned(),
            _ => format!("Reading from the master: {error}"),
        })?;
        let count = there.len();
        if count > 0 {
            status.heard(count as u64);
            applier.apply(there).map_err(|error| error.0)?;
            link.take(count);
        }
        wants_confirmation = applier.take_question();
    }
    Ok(())
}

/// The client that stands for the primary, shown among the others until the stream ends, however it does.
struct Listed<'c> {
    engine: &'static Engine,
    client: &'c Arc<Client>,
}

impl<'c> Listed<'c> {
    fn new(engine: &'static Engine, client: &'c Arc<Client>) -> Self {
        engine.clients.add(Arc::clone(client));
        Self { engine, client }
    }
}

impl Drop for Listed<'_> {
    fn drop(&mut self) {
        self.engine.clients.remove(self.client);
    }
}

fn confirmation(engine: &Engine) -> Vec<u8> {
    let offset = engine.feed.end().0.to_string();
    let mut words: Vec<&[u8]> = vec![b"REPLCONF", b"ACK", offset.as_bytes()];
    let on_disk = engine.feed_on_disk().map(|offset| offset.0.to_string());
    if let Some(on_disk) = &on_disk {
        words.extend([&b"FACK"[..], on_disk.as_bytes()]);
    }
    let mut out = Vec::new();
    record::command(&mut out, words.into_iter());
    out
}

/// The client that stands for the primary.
fn client(engine: &Engine, link: &Link) -> Client {
    use std::os::fd::AsRawFd;
    let socket = link.stream().socket();
    let text = |address: io::Result<std::net::SocketAddr>| address.map_or_else(|_| String::new(), |a| a.to_string());
    let peer = Peer { address: text(socket.peer_addr()), local: text(socket.local_addr()), fd: socket.as_raw_fd() };
    let facts = link.stream().session().and_then(|session| SessionFacts::of(session));
    let tls = facts.map(|facts| TlsFacts { protocol: facts.protocol, cipher: facts.cipher });
    // What the primary has carried out is not judged again.
    let user = User::new(b"(superuser)", Rules::of_default_user(engine.users.commands()));
    Client::new(engine.clients.next_id(), peer, tls, UnixMillis::now().0, Arc::new(user))
}

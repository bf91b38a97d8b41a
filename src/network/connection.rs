//! One connection, from the end of its handshake to its close.
//!
//! The loop: wait for bytes or mail, parse every complete request, run them under one hold of the gate, send the replies
//! together. Nothing is held across an await but the connection's own buffers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Waker;
use std::time::Duration;

use super::input::Input;
use super::output::Output;
use super::refusal::Refusals;
use super::transport::{Socket, Transport};
use super::waits::{MAX_UNSENT_BYTES, Wake};
use super::worker::{Accepted, AcceptedSocket, Open};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::engine::{Engine, Flow, Lookahead, Run, Waiter};
use crate::metrics::Totals;
use crate::resp::{Limits, Parsed, Parser, WireError};
use crate::session::{Client, CloseReason, FIXED_OUTPUT_BYTES, Session, TlsFacts};
use crate::tls::mode::TransitEncryption;
use crate::tls::peer_identity::SessionFacts;

/// Reply bytes after which a batch is sent before it goes on.
const FLUSH_BYTES: usize = 1 << 20;
/// Why a connection ends.
pub(super) enum End {
    /// The peer left, or asked us to close.
    Orderly,
    /// We close it, for a reason worth a log line.
    Refused(String),
}

pub(super) struct Connection {
    pub engine: &'static Engine,
    /// Where a connection in the wrong mode is written down; taken with the first byte of a plaintext TCP connection.
    mode_check: Option<Arc<Refusals>>,
    pub session: Session,
    pub transport: Transport,
    pub parser: Parser,
    /// Plaintext received.
    pub input: Input,
    /// Replies to send.
    pub output: Output,
    /// The waker the client's mailbox has.
    pub registered: Option<Waker>,
}

/// Serves a connection until it ends; `_open` counts it.
pub async fn serve(engine: &'static Engine, worker: usize, refusals: Arc<Refusals>, accepted: Accepted, _open: Open) {
    let Accepted { socket, tls, peer, certificate_user, refusal } = accepted;
    let tls_facts = tls.as_ref().and_then(|session| SessionFacts::of(session));
    let tls_facts = tls_facts.map(|facts| TlsFacts { protocol: facts.protocol, cipher: facts.cipher });
    let socket = match into_runtime(socket) {
        Ok(socket) => socket,
        Err(error) => {
            tracing::warn!(%error, "a connection could not be moved to its worker");
            return;
        }
    };
    let plaintext_tcp = tls.is_none() && matches!(socket, Socket::Tcp(_));
    let mut transport = Transport::new(socket, tls);
    if let Some(refusal) = refusal {
        // The peer learns why; whether it still listens is its own affair.
        let _ = transport.write_all(&refusal).await;
        transport.close().await;
        return;
    }
    let default = Arc::clone(engine.users.default_user());
    let client = Arc::new(Client::new(engine.clients.next_id(), peer, tls_facts, UnixMillis::now().0, default));
    let mut session = Session::new(Arc::clone(&client), !engine.users.ask_for_password(), worker);
    let certificate_user = certificate_user.and_then(|name| engine.users.get(name.as_bytes()));
    // A certificate takes the place of a password, not of the user's being enabled.
    if let Some(user) = certificate_user.filter(|user| user.rules().enabled) {
        session.act_as(user);
        (session.authenticated, session.has_certificate_user) = (true, true);
    }
    Totals::bump(&engine.workers[worker].totals.connections, 1);
    engine.clients.add(Arc::clone(&client));
    let mut connection = Connection {
        engine,
        mode_check: plaintext_tcp.then_some(refusals),
        session,
        transport,
        parser: Parser::new(),
        input: Input::default(),
        output: Output::new(),
        registered: None,
    };
    if let End::Refused(reason) = connection.run().await {
        tracing::info!(client = client.id.0, peer = client.peer.address, "Closing a client: {reason}");
    }
    connection.leave();
    connection.transport.close().await;
}

fn into_runtime(socket: AcceptedSocket) -> io::Result<Socket> {
    Ok(match socket {
        AcceptedSocket::Tcp(stream) => Socket::Tcp(tokio::net::TcpStream::from_std(stream)?),
        AcceptedSocket::Unix(stream) => Socket::Unix(tokio::net::UnixStream::from_std(stream)?),
    })
}

impl Connection {
    async fn run(&mut self) -> End {
        // What came together with the end of the handshake must be served before the first read.
        match self.transport.take_early(&mut self.input.bytes) {
            Ok(true) => {
                if let Some(end) = self.batch().await {
                    return end;
                }
            }
            Ok(false) => {}
            Err(_) => return End::Orderly,
        }
        loop {
            let wanted = self.wanted();
            let ended = match self.wait(wanted).await {
                Wake::Bytes(Ok(0) | Err(_)) => Some(End::Orderly),
                Wake::Bytes(Ok(read)) => {
                    self.count_input(read);
                    if self.refuses_tls().await { Some(End::Orderly) } else { self.batch().await }
                }
                Wake::Mail => self.deliver_mail().await,
            };
            if let Some(end) = ended {
                return end;
            }
        }
    }

    /// A plaintext connection whose first bytes are a TLS hello gets an alert; `true` when there was one. What comes to a
    /// TLS port has been looked at by the acceptor.
    async fn refuses_tls(&mut self) -> bool {
        let Some(refusals) = self.mode_check.take() else { return false };
        if TransitEncryption::Off.admits(self.input.bytes[0]) {
            return false;
        }
        refusals.wrong_mode(&self.session.client.peer.address, TransitEncryption::Off);
        // A peer that is gone already need not be told.
        let _ = self.transport.write_all(TransitEncryption::Off.refusal()).await;
        self.transport.drain_briefly().await;
        true
    }

    /// Bytes known to be missing of the request that has begun.
    pub(super) fn wanted(&self) -> usize {
        self.parser.wanted().map_or(0, |wanted| wanted.saturating_sub(self.input.rest().len()))
    }

    pub(super) fn count_input(&self, read: usize) {
        let totals = &self.engine.workers[self.session.worker].totals;
        Totals::bump(&totals.input_bytes, read as u64);
        Totals::bump(&totals.reads, 1);
    }

    /// Runs all complete requests and sends the replies.
    async fn batch(&mut self) -> Option<End> {
        loop {
            self.account();
            if let Some(end) = self.closed() {
                return Some(end);
            }
            let settings = self.engine.config.settings();
            let mut stop = self.run_requests(&settings);
            let logged = self.engine.log_changes(&settings);
            drop(settings);
            if let Some(offset) = logged {
                // Replies promise what must be on disk first; others are served meanwhile.
                self.engine.changes_logged(offset).await;
            }
            if let Stop::Script | Stop::Debugger = stop {
                // The script has the session: it must end before the connection may.
                let sent = self.send().await;
                stop = self.wait_script(stop).await;
                self.log_changes().await;
                if let Err(end) = sent {
                    return Some(end);
                }
            }
            self.enforce_output_limit();
            if let Some(end) = self.closed() {
                return Some(end);
            }
            if let Stop::Hold(duration) = stop {
                // Short, and only this connection waits: who is disconnected meanwhile is noticed afterwards.
                tokio::time::sleep(duration).await;
            }
            if let Err(end) = self.send().await {
                return Some(end);
            }
            let end = match stop {
                Stop::NeedsBytes => {
                    self.compact();
                    return self.check_query_buffer();
                }
                Stop::Flush | Stop::Hold(_) | Stop::Script | Stop::Debugger => {
                    self.send_down_to(MAX_UNSENT_BYTES).await.err()
                }
                Stop::Wait(waiter) => self.wait_blocked(&waiter).await,
                Stop::Paused => self.wait_paused().await,
                Stop::Close => Some(self.send_down_to(0).await.err().unwrap_or(End::Orderly)),
                Stop::Broken(reason) => Some(self.send_down_to(0).await.err().unwrap_or(End::Refused(reason))),
            };
            if end.is_some() {
                return end;
            }
        }
    }

    /// Has what was changed written down, and waits until it is where the replies promise it to be.
    pub(super) async fn log_changes(&mut self) {
        let logged = self.engine.log_changes(&self.engine.config.settings());
        if let Some(offset) = logged {
            self.engine.changes_logged(offset).await;
        }
    }

    /// Closes the client if its replies pass its limit.
    fn enforce_output_limit(&self) {
        if self.unsent() as u64 > FIXED_OUTPUT_BYTES {
            self.show_output();
            let settings = self.engine.config.settings();
            let client = &self.session.client;
            let closes = client.enforce_output_limit(&settings.limits.client_output_buffer_limit);
            // Whoever has not authenticated gets nothing beyond that.
            if !closes && self.engine.must_authenticate(&self.session) {
                client.close(CloseReason::OutputLimit);
            }
        }
    }

    /// Counts the client's memory against `maxmemory-clients`; clients may be closed for that, this one too.
    pub(super) fn account(&self) {
        if self.engine.clients.is_memory_limited() {
            let client = &self.session.client;
            self.show_input();
            self.show_output();
            self.engine.account_client(client, self.session.worker);
        }
    }

    /// Parses and runs requests under one hold of the gate.
    fn run_requests(&mut self, settings: &Settings) -> Stop {
        let engine = self.engine;
        self.output.begin();
        let limits = crate::engine::encoding_limits(settings);
        let mut ahead = Lookahead::default();
        ahead.skim(engine, &self.input.bytes, self.input.start);
        let mut run = Run::begin(engine, settings, &limits);
        // What the first request needs is on its way while it is parsed and checked.
        if !run.hold.is_nothing() {
            ahead.fetch_slots(engine, self.session.db);
        }
        let client = Arc::clone(&self.session.client);
        client.last_seen.store(run.now.0, Relaxed);
        let stop = loop {
            let limits = Limits {
                max_bulk_bytes: settings.limits.proto_max_bulk_len,
                authenticated: !engine.must_authenticate(&self.session),
            };
            if !run.hold.is_nothing() {
                ahead.fetch_entries(engine, self.session.db);
            }
            let buffer = self.input.rest();
            match self.parser.parse(buffer, limits) {
                Parsed::Incomplete => break Stop::NeedsBytes,
                Parsed::Nothing => {}
                Parsed::Broken(error) => {
                    let error = WireError::new(format!("ERR Protocol error: {error}"));
                    engine.error_reply(&self.session, &mut self.output.bytes, &error);
                    break Stop::Broken(error.text().to_owned());
                }
                Parsed::Request => {
                    let args = self.parser.args(buffer);
                    run.hashed = ahead.take(self.input.start);
                    let next = self.input.start + self.parser.consumed();
                    if next < self.input.bytes.len() && !run.hold.is_nothing() {
                        ahead.skim(engine, &self.input.bytes, next);
                        ahead.fetch_slots(engine, self.session.db);
                    }
                    client.query_bytes.store(buffer.len() as u64, Relaxed);
                    client.query_capacity.store(self.input.bytes.capacity() as u64, Relaxed);
                    match engine.execute(&mut run, &mut self.session, args, &mut self.output.bytes) {
                        // A message that is there now goes behind this reply, not behind the whole batch.
                        Flow::Continue if client.has_mail() => {
                            client.take_messages(&mut self.output.bytes);
                            if client.closing().is_some() {
                                self.advance();
                                break Stop::Flush;
                            }
                        }
                        Flow::Continue => {}
                        Flow::NextBatch => {
                            self.advance();
                            break Stop::Flush;
                        }
                        // The request stays in front and is tried again.
                        Flow::Paused => {
                            self.parser.next();
                            break Stop::Paused;
                        }
                        Flow::Script => {
                            self.advance();
                            break Stop::Script;
                        }
                        Flow::Debugger => {
                            self.advance();
                            break Stop::Debugger;
                        }
                        Flow::Wait(waiter) => {
                            self.advance();
                            break Stop::Wait(waiter);
                        }
                        Flow::Hold(duration) => {
                            self.advance();
                            break Stop::Hold(duration);
                        }
                        Flow::Close => {
                            self.advance();
                            break Stop::Close;
                        }
                    }
                }
            }
            self.advance();
            if self.output.len() >= FLUSH_BYTES {
                break Stop::Flush;
            }
        };
        engine.broadcast_changes(settings);
        client.output_peak.fetch_max(self.output.len() as u64, Relaxed);
        stop
    }

    pub(super) fn advance(&mut self) {
        self.input.start += self.parser.consumed();
        self.parser.next();
    }

    /// Drops what was run from the input, and shows the other threads what is left.
    pub(super) fn compact(&mut self) {
        let client = &self.session.client;
        self.input.compact(UnixMillis(client.last_seen.load(Relaxed)), self.parser.wanted().unwrap_or(0));
        // What has been parsed of an unfinished request counts as arguments.
        let parsed = if self.parser.is_midway() { self.parser.consumed() } else { 0 };
        client.query_bytes.store((self.input.bytes.len() - parsed) as u64, Relaxed);
        client.argument_bytes.store(self.parser.argument_bytes() as u64, Relaxed);
        client.output_capacity.store(self.output_room(), Relaxed);
        self.show_input();
        self.account();
    }

    /// Shows the other threads the room of the input. An argument counts from its announcement on, though its room is made
    /// as it arrives.
    fn show_input(&self) {
        let room = self.input.bytes.capacity().max(self.parser.wanted().unwrap_or(0));
        self.session.client.query_capacity.store(room as u64, Relaxed);
    }

    /// Bytes that the output takes, what TLS holds of it included.
    pub(super) fn output_room(&self) -> u64 {
        (self.output.bytes.capacity() + self.transport.unsent()) as u64
    }

    /// Gives back buffers that an idle client does not need.
    pub(super) fn trim(&mut self) {
        self.input.trim();
        let client = &self.session.client;
        client.output_capacity.store(self.output_room(), Relaxed);
        self.show_input();
    }

    pub(super) fn check_query_buffer(&self) -> Option<End> {
        if let Some(end) = self.closed() {
            return Some(end);
        }
        let limit = self.engine.config.settings().limits.client_query_buffer_limit;
        let queued = self.session.client.queued_bytes.load(Relaxed);
        if self.input.bytes.len() as u64 + queued <= limit {
            return None;
        }
        Totals::bump(&self.engine.workers[self.session.worker].totals.query_buffer_closed, 1);
        Some(End::Refused("it has reached client-query-buffer-limit".into()))
    }

    /// Leaves everything the connection had entered.
    fn leave(&mut self) {
        self.engine.close_transaction(&mut self.session);
        self.engine.pubsub.leave(&mut self.session);
        self.engine.tracking.disable(&mut self.session);
        if self.session.monitor {
            self.engine.monitors.remove(self.session.client.id);
        }
        self.engine.clients.remove(&self.session.client);
    }
}

/// Why a batch stopped.
pub(super) enum Stop {
    NeedsBytes,
    Flush,
    Hold(Duration),
    Script,
    Debugger,
    Wait(Arc<Waiter>),
    Paused,
    Close,
    Broken(String),
}

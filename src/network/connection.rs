//! One connection, from the end of its handshake to its close.
//!
//! The loop: wait for bytes or mail, parse every complete request, run them under one hold of the gate, send the replies
//! together. Nothing is held across an await but the connection's own buffers.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Poll, Waker};
use std::time::Duration;

use super::refusal::Refusals;
use super::transport::{Socket, Transport};
use super::worker::{Accepted, AcceptedSocket};
use crate::base::clock::UnixMillis;
use crate::config::Settings;
use crate::engine::{Engine, Flow, Lookahead, Run, Waiter};
use crate::metrics::Totals;
use crate::resp::{Limits, Parsed, Parser, WireError};
use crate::session::{Client, ClientFlags, CloseReason, Session, Signal, TlsFacts};
use crate::tls::mode::TransitEncryption;
use crate::tls::peer_identity::SessionFacts;

/// Reply bytes after which a batch is sent before it goes on.
const FLUSH_BYTES: usize = 1 << 20;
/// A buffer larger than this is given back when it has become empty.
const KEEP_BYTES: usize = 64 * 1024;

/// What woke a connection.
enum Wake {
    /// This many bytes arrived; 0 is the end.
    Bytes(io::Result<usize>),
    /// Somebody posted something.
    Mail,
}

/// Why a connection ends.
enum End {
    /// The peer left, or asked us to close.
    Orderly,
    /// We close it, for a reason worth a log line.
    Refused(String),
}

struct Connection<'r> {
    engine: &'static Engine,
    /// Where a connection in the wrong mode is written down; taken with the first byte of a plaintext TCP connection.
    mode_check: Option<&'r Refusals>,
    session: Session,
    transport: Transport,
    parser: Parser,
    /// Plaintext received; parsed up to `start`.
    input: Vec<u8>,
    start: usize,
    /// Replies to send.
    output: Vec<u8>,
    /// The waker the client's mailbox has.
    registered: Option<Waker>,
}

/// Serves a connection until it ends.
pub async fn serve(engine: &'static Engine, worker: usize, refusals: &Refusals, accepted: Accepted) {
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
        input: Vec::new(),
        start: 0,
        output: Vec::new(),
        registered: None,
    };
    if let End::Refused(reason) = connection.run().await {
        tracing::info!(client = client.id.0, peer = client.peer.address, "Closing a client: {reason}");
    }
    connection.transport.close().await;
    connection.leave();
}

fn into_runtime(socket: AcceptedSocket) -> io::Result<Socket> {
    Ok(match socket {
        AcceptedSocket::Tcp(stream) => Socket::Tcp(tokio::net::TcpStream::from_std(stream)?),
        AcceptedSocket::Unix(stream) => Socket::Unix(tokio::net::UnixStream::from_std(stream)?),
    })
}

impl Connection<'_> {
    async fn run(&mut self) -> End {
        // What came together with the end of the handshake must be served before the first read.
        match self.transport.take_early(&mut self.input) {
            Ok(true) => {
                if let Some(end) = self.batch().await {
                    return end;
                }
            }
            Ok(false) => {}
            Err(_) => return End::Orderly,
        }
        loop {
            let wanted = self.parser.wanted().map_or(0, |wanted| wanted.saturating_sub(self.input.len() - self.start));
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
        if TransitEncryption::Off.admits(self.input[0]) {
            return false;
        }
        refusals.wrong_mode(&self.session.client.peer.address, TransitEncryption::Off);
        // A peer that is gone already need not be told.
        let _ = self.transport.write_all(TransitEncryption::Off.refusal()).await;
        self.transport.drain_briefly().await;
        true
    }

    /// Waits for bytes or mail, whatever comes first.
    async fn wait(&mut self, wanted: usize) -> Wake {
        let Self { session, transport, input, registered, .. } = self;
        poll_fn(|cx| {
            if !registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
                session.client.register(cx.waker());
                *registered = Some(cx.waker().clone());
            }
            if session.client.has_mail() {
                return Poll::Ready(Wake::Mail);
            }
            transport.poll_read(cx, input, wanted).map(Wake::Bytes)
        })
        .await
    }

    fn count_input(&self, read: usize) {
        let totals = &self.engine.workers[self.session.worker].totals;
        Totals::bump(&totals.input_bytes, read as u64);
        Totals::bump(&totals.reads, 1);
    }

    /// Runs all complete requests and sends the replies.
    async fn batch(&mut self) -> Option<End> {
        loop {
            let settings = self.engine.config.settings();
            let stop = self.run_requests(&settings);
            let over_limit = self.output.len() as u64 > hard_limit(settings.limits.client_output_buffer_limit.normal);
            drop(settings);
            if over_limit {
                Totals::bump(&self.engine.workers[self.session.worker].totals.output_buffer_closed, 1);
                return Some(End::Refused("its replies pass client-output-buffer-limit".into()));
            }
            if let Stop::Hold(duration) = stop {
                // Short, and only this connection waits: who is disconnected meanwhile is noticed afterwards.
                tokio::time::sleep(duration).await;
            }
            if let Err(end) = self.send().await {
                return Some(end);
            }
            match stop {
                Stop::NeedsBytes => {
                    self.compact();
                    return self.check_query_buffer();
                }
                Stop::Flush | Stop::Hold(_) => {}
                Stop::Wait(waiter) => {
                    if let Some(end) = self.wait_blocked(&waiter).await {
                        return Some(end);
                    }
                }
                Stop::Paused => {
                    if let Some(end) = self.wait_paused().await {
                        return Some(end);
                    }
                }
                Stop::Close => return Some(End::Orderly),
                Stop::Broken(reason) => return Some(End::Refused(reason)),
            }
        }
    }

    /// Parses and runs requests under one hold of the gate.
    fn run_requests(&mut self, settings: &Settings) -> Stop {
        let engine = self.engine;
        let limits = crate::engine::encoding_limits(settings);
        // What the first requests need is on its way while the batch is set up.
        let mut ahead = Lookahead::default();
        ahead.fetch_slots(engine, self.session.db, &self.input, self.start);
        let mut run = Run::begin(engine, settings, &limits);
        ahead.fetch_entries(engine, self.session.db);
        let client = Arc::clone(&self.session.client);
        client.last_seen.store(run.now.0, Relaxed);
        let stop = loop {
            let limits = Limits {
                max_bulk_bytes: settings.limits.proto_max_bulk_len,
                authenticated: !engine.must_authenticate(&self.session),
            };
            let buffer = &self.input[self.start..];
            match self.parser.parse(buffer, limits) {
                Parsed::Incomplete => break Stop::NeedsBytes,
                Parsed::Nothing => {}
                Parsed::Broken(error) => {
                    let error = WireError::new(format!("ERR Protocol error: {error}"));
                    engine.error_reply(&self.session, &mut self.output, &error);
                    break Stop::Broken(error.text().to_owned());
                }
                Parsed::Request => {
                    let args = self.parser.args(buffer);
                    run.hashed = ahead.take(self.start);
                    let next = self.start + self.parser.consumed();
                    if next < self.input.len() {
                        ahead.fetch_slots(engine, self.session.db, &self.input, next);
                        ahead.fetch_entries(engine, self.session.db);
                    }
                    client.query_bytes.store(buffer.len() as u64, Relaxed);
                    client.query_capacity.store(self.input.capacity() as u64, Relaxed);
                    match engine.execute(&mut run, &mut self.session, args, &mut self.output) {
                        // A message that is there now goes behind this reply, not behind the whole batch.
                        Flow::Continue if client.has_mail() => {
                            client.take_messages(&mut self.output);
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
        client.output_peak.fetch_max(self.output.len() as u64, Relaxed);
        stop
    }

    fn advance(&mut self) {
        self.start += self.parser.consumed();
        self.parser.next();
    }

    /// Moves what is left of the input to the front; gives back a large buffer that is empty.
    fn compact(&mut self) {
        if self.start == self.input.len() {
            self.input.clear();
            if self.input.capacity() > KEEP_BYTES {
                self.input = Vec::new();
            }
        } else if self.start > 0 {
            self.input.drain(..self.start);
        }
        self.start = 0;
        let client = &self.session.client;
        client.query_bytes.store(self.input.len() as u64, Relaxed);
        client.query_capacity.store(self.input.capacity() as u64, Relaxed);
    }

    fn check_query_buffer(&self) -> Option<End> {
        let limit = self.engine.config.settings().limits.client_query_buffer_limit;
        let queued = self.session.client.queued_bytes.load(Relaxed);
        if self.input.len() as u64 + queued <= limit {
            return None;
        }
        Totals::bump(&self.engine.workers[self.session.worker].totals.query_buffer_closed, 1);
        Some(End::Refused("it has reached client-query-buffer-limit".into()))
    }

    async fn send(&mut self) -> Result<(), End> {
        if self.output.is_empty() {
            return Ok(());
        }
        let client = &self.session.client;
        client.output_bytes.store(self.output.len() as u64, Relaxed);
        let sent = self.transport.write_all(&self.output).await;
        let totals = &self.engine.workers[self.session.worker].totals;
        Totals::bump(&totals.output_bytes, self.output.len() as u64);
        Totals::bump(&totals.writes, 1);
        self.session.client.output_bytes.store(0, Relaxed);
        self.output.clear();
        if self.output.capacity() > KEEP_BYTES {
            self.output = Vec::new();
        }
        sent.map_err(|_| End::Orderly)
    }

    /// Sends what others posted.
    async fn deliver_mail(&mut self) -> Option<End> {
        if let Some(end) = self.closed() {
            return Some(end);
        }
        for signal in self.session.client.take_mail() {
            match signal {
                Signal::Send(bytes) | Signal::Unblocked(bytes) => self.output.extend_from_slice(&bytes),
                Signal::Trim => {}
                Signal::Close { after_reply } => {
                    if after_reply {
                        let _ = self.send().await;
                    }
                    return Some(End::Orderly);
                }
            }
        }
        self.send().await.err()
    }

    /// Whether somebody has closed the client.
    fn closed(&self) -> Option<End> {
        Some(match self.session.client.closing()? {
            CloseReason::Asked => End::Orderly,
            CloseReason::OutputLimit => {
                End::Refused("scheduled to be closed ASAP for overcoming of output buffer limits.".into())
            }
            CloseReason::Evicted => End::Refused("evicted".into()),
        })
    }

    /// Waits until a parked command is served, its time is up, or the connection ends.
    async fn wait_blocked(&mut self, waiter: &Arc<Waiter>) -> Option<End> {
        loop {
            let sleep = match waiter.deadline() {
                Some(deadline) => Duration::from_millis((deadline.0 - UnixMillis::now().0).max(0) as u64),
                None => Duration::from_secs(3600),
            };
            let mut timer = pin!(tokio::time::sleep(sleep));
            let woken = tokio::select! {
                biased;
                wake = self.wait(0) => Some(wake),
                () = &mut timer => None,
            };
            match woken {
                None if waiter.deadline().is_some() && self.time_out(waiter) => return None,
                None => {}
                Some(Wake::Bytes(Ok(0) | Err(_))) => {
                    self.give_up(waiter);
                    return Some(End::Orderly);
                }
                // Requests that arrive meanwhile wait in the buffer.
                Some(Wake::Bytes(Ok(read))) => {
                    self.count_input(read);
                    if let Some(end) = self.check_query_buffer() {
                        self.give_up(waiter);
                        return Some(end);
                    }
                }
                Some(Wake::Mail) => match self.take_blocked_mail() {
                    BlockedMail::Served => return None,
                    BlockedMail::Other => {
                        if let Err(end) = self.send().await {
                            self.give_up(waiter);
                            return Some(end);
                        }
                    }
                    BlockedMail::Close => {
                        self.give_up(waiter);
                        return Some(End::Orderly);
                    }
                },
            }
        }
    }

    fn take_blocked_mail(&mut self) -> BlockedMail {
        if self.session.client.closing().is_some() {
            return BlockedMail::Close;
        }
        let mut result = BlockedMail::Other;
        for signal in self.session.client.take_mail() {
            match signal {
                Signal::Send(bytes) => self.output.extend_from_slice(&bytes),
                Signal::Unblocked(bytes) => {
                    self.output.extend_from_slice(&bytes);
                    result = BlockedMail::Served;
                }
                Signal::Trim => {}
                Signal::Close { .. } => return BlockedMail::Close,
            }
        }
        result
    }

    /// The time of a parked command is up; `false` when somebody has ended the wait already (the reply is in the mail).
    fn time_out(&mut self, waiter: &Arc<Waiter>) -> bool {
        let Some(mut over) = waiter.claim() else { return false };
        *over = true;
        drop(over);
        self.engine.waiters.forget(waiter);
        self.session.client.set_flags(ClientFlags::BLOCKED, false);
        self.output.extend_from_slice(waiter.timeout_reply());
        true
    }

    fn give_up(&self, waiter: &Arc<Waiter>) {
        if let Some(mut over) = waiter.claim() {
            *over = true;
        }
        self.engine.waiters.forget(waiter);
    }

    /// Waits until CLIENT PAUSE may have ended.
    async fn wait_paused(&mut self) -> Option<End> {
        let client = Arc::clone(&self.session.client);
        client.set_flags(ClientFlags::BLOCKED | ClientFlags::PAUSED, true);
        let engine = self.engine;
        let woken = tokio::select! {
            biased;
            wake = self.wait(0) => Some(wake),
            () = engine.pause.changed() => None,
        };
        client.set_flags(ClientFlags::BLOCKED | ClientFlags::PAUSED, false);
        match woken {
            None => None,
            Some(Wake::Bytes(Ok(0) | Err(_))) => Some(End::Orderly),
            Some(Wake::Bytes(Ok(read))) => {
                self.count_input(read);
                self.check_query_buffer()
            }
            Some(Wake::Mail) => self.deliver_mail().await,
        }
    }

    /// Leaves everything the connection had entered.
    fn leave(&mut self) {
        self.engine.close_transaction(&mut self.session);
        self.engine.pubsub.leave(&mut self.session);
        let id = self.session.client.id;
        if self.session.monitor {
            self.engine.monitors.remove(id);
        }
        self.engine.clients.remove(id);
    }
}

enum BlockedMail {
    Served,
    Other,
    Close,
}

/// Why a batch stopped.
enum Stop {
    NeedsBytes,
    Flush,
    Hold(Duration),
    Wait(Arc<Waiter>),
    Paused,
    Close,
    Broken(String),
}

/// The hard limit of a class in bytes, where it has one.
fn hard_limit(limit: crate::config::values::BufferLimit) -> u64 {
    if limit.hard_bytes == 0 { u64::MAX } else { limit.hard_bytes }
}

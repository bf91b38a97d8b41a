//! The waits of a connection: for bytes or mail, for a parked command, for a script, for the end of CLIENT PAUSE.
//!
//! Replies that could not be sent at once are sent meanwhile, whatever the connection waits for, and a client that is to
//! be closed stops waiting at once.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use super::connection::{Connection, End, Stop};
use crate::base::clock::UnixMillis;
use crate::engine::{Flow, Waiter};
use crate::metrics::Totals;
use crate::session::{ClientFlags, CloseReason, Signal};

/// With more than this unsent nothing more is read from the client, and its messages stay in its mailbox.
pub(super) const MAX_UNSENT_BYTES: usize = 64 << 20;

/// What woke a connection.
pub(super) enum Wake {
    /// This many bytes arrived; 0 is the end.
    Bytes(io::Result<usize>),
    /// Somebody posted something.
    Mail,
}

/// How often an outlet is asked for more before other connections have their turn.
const OUTLET_ROUNDS: usize = 8;

enum BlockedMail {
    Served,
    Other,
    Close,
}

impl Connection {
    /// Waits for bytes or mail, whatever comes first.
    pub(super) async fn wait(&mut self, wanted: usize) -> Wake {
        poll_fn(|cx| {
            self.register(cx);
            let sent = match self.session.outlet {
                // A replica that is being closed gets nothing more of the stream.
                Some(_) if self.session.client.closing().is_some() => return Poll::Ready(Wake::Mail),
                Some(_) => self.poll_outlet(cx),
                None => self.poll_send(cx),
            };
            if let Poll::Ready(Err(error)) = sent {
                return Poll::Ready(Wake::Bytes(Err(error)));
            }
            let may_grow = self.unsent() <= MAX_UNSENT_BYTES;
            let client = &self.session.client;
            if client.has_mail() && (may_grow || client.closing().is_some()) {
                return Poll::Ready(Wake::Mail);
            }
            if !may_grow {
                return Poll::Pending;
            }
            self.transport.poll_read(cx, &mut self.input.bytes, wanted).map(Wake::Bytes)
        })
        .await
    }

    /// Sends what the outlet has, as far as the socket takes it.
    fn poll_outlet(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        for _ in 0..OUTLET_ROUNDS {
            ready!(self.poll_send(cx))?;
            let Some(outlet) = &mut self.session.outlet else { return Poll::Ready(Ok(())) };
            if outlet.gathers() {
                // Polled once this wakes the task when the worker has looked at its sockets and served what was ready.
                let _ = pin!(tokio::task::yield_now()).poll(cx);
                return Poll::Pending;
            }
            if ready!(outlet.poll_fill(cx, &mut self.output.bytes)).is_err() {
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
        }
        // Others on this worker have their turn.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Sends what the socket takes without waiting.
    pub(super) async fn send(&mut self) -> Result<(), End> {
        if self.output.is_empty() {
            self.output.end();
            return Ok(());
        }
        let sent = poll_fn(|cx| {
            Poll::Ready(match self.poll_send(cx) {
                Poll::Ready(result) => result,
                Poll::Pending => {
                    self.register(cx);
                    Ok(())
                }
            })
        });
        let sent = sent.await;
        self.output.end();
        sent.map_err(|_| End::Orderly)
    }

    /// Waits until at most `left` bytes are unsent.
    pub(super) async fn send_down_to(&mut self, left: usize) -> Result<(), End> {
        let sent = poll_fn(|cx| {
            self.register(cx);
            let sent = self.poll_send(cx);
            if let Poll::Ready(Err(_)) = sent {
                return Poll::Ready(Err(End::Orderly));
            }
            if let Some(end) = self.closed() {
                return Poll::Ready(Err(end));
            }
            if self.unsent() <= left { Poll::Ready(Ok(())) } else { Poll::Pending }
        });
        sent.await
    }

    pub(super) fn register(&mut self, cx: &Context<'_>) {
        if !self.registered.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.session.client.register(cx.waker());
            self.registered = Some(cx.waker().clone());
        }
    }

    /// Bytes of replies that the socket has not taken.
    pub(super) fn unsent(&self) -> usize {
        self.output.len() + self.transport.unsent()
    }

    pub(super) fn poll_send(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.unsent() == 0 {
            return Poll::Ready(Ok(()));
        }
        let before = self.unsent();
        let sent = self.transport.poll_send(cx, &mut self.output);
        let after = self.unsent();
        let totals = &self.engine.workers[self.session.worker].totals;
        let counter = if self.session.outlet.is_some() { &totals.replica_output_bytes } else { &totals.output_bytes };
        Totals::bump(counter, (before - after) as u64);
        Totals::bump(&totals.writes, 1);
        self.show_output();
        sent
    }

    /// Shows the other threads what is unsent.
    pub(super) fn show_output(&self) {
        let client = &self.session.client;
        client.output_bytes.store(self.unsent() as u64, Relaxed);
        client.output_capacity.store(self.output_room(), Relaxed);
    }

    /// Takes what others posted.
    pub(super) async fn deliver_mail(&mut self) -> Option<End> {
        if let Some(end) = self.closed() {
            return Some(end);
        }
        let mut close = false;
        for signal in self.session.client.take_mail() {
            match signal {
                Signal::Send(bytes) | Signal::Unblocked(bytes) => self.output.bytes.extend_from_slice(&bytes),
                Signal::Trim => self.trim(),
                Signal::Close { .. } => close = true,
            }
        }
        if close {
            return Some(self.send_down_to(0).await.err().unwrap_or(End::Orderly));
        }
        self.show_output();
        self.account();
        self.log_changes().await;
        self.send().await.err().or_else(|| self.closed())
    }

    /// Why somebody has closed the client, if so.
    pub(super) fn closed(&self) -> Option<End> {
        let reason = self.session.client.closing()?;
        if reason == CloseReason::OutputLimit {
            Totals::bump(&self.engine.workers[self.session.worker].totals.output_buffer_closed, 1);
            let description = self.engine.describe_client(&self.session.client, UnixMillis::now());
            tracing::warn!("Client {description} scheduled to be closed ASAP for overcoming of output buffer limits.");
        }
        Some(End::Orderly)
    }

    /// Waits until a parked command is served, its time is up, or the connection ends.
    pub(super) async fn wait_blocked(&mut self, waiter: &Arc<Waiter>) -> Option<End> {
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
                Some(Wake::Mail) => match self.take_blocked_mail(waiter) {
                    BlockedMail::Served => return None,
                    BlockedMail::Other => {
                        self.log_changes().await;
                        if let Err(end) = self.send().await {
                            self.give_up(waiter);
                            return Some(end);
                        }
                    }
                    BlockedMail::Close => {
                        self.give_up(waiter);
                        return Some(self.closed().unwrap_or(End::Orderly));
                    }
                },
            }
        }
    }

    /// What the command that was parked has set off follows its reply: whoever runs it may have posted it before.
    fn take_blocked_mail(&mut self, waiter: &Waiter) -> BlockedMail {
        let client = &self.session.client;
        if client.closing().is_some() {
            return BlockedMail::Close;
        }
        let settled = waiter.settle();
        let mail = client.take_mail();
        drop(settled);
        let mut result = BlockedMail::Other;
        for signal in &mail {
            if let Signal::Unblocked(bytes) = signal {
                self.output.bytes.extend_from_slice(bytes);
                result = BlockedMail::Served;
            }
        }
        for signal in mail {
            match signal {
                Signal::Send(bytes) => self.output.bytes.extend_from_slice(&bytes),
                Signal::Unblocked(_) => {}
                Signal::Trim => self.trim(),
                // Its reply first: what comes next sees to the rest.
                Signal::Close { after_reply: true } if matches!(result, BlockedMail::Served) => {
                    self.session.client.post(Signal::Close { after_reply: true });
                }
                Signal::Close { .. } => return BlockedMail::Close,
            }
        }
        self.show_output();
        result
    }

    /// The time of a parked command is up; `false` when somebody has ended the wait already (the reply is in the mail).
    fn time_out(&mut self, waiter: &Arc<Waiter>) -> bool {
        let Some(mut over) = waiter.claim() else { return false };
        *over = true;
        drop(over);
        self.engine.waiters.forget(waiter);
        self.session.client.set_flags(ClientFlags::BLOCKED, false);
        let reply = self.engine.timeout_reply(waiter);
        self.output.bytes.extend_from_slice(&reply);
        self.engine.count_unblocked(self.session.worker, waiter, false);
        true
    }

    fn give_up(&self, waiter: &Arc<Waiter>) {
        if let Some(mut over) = waiter.claim() {
            *over = true;
        }
        self.engine.waiters.forget(waiter);
    }

    /// Runs the script that was set aside to its end, a little at a time, while the worker serves others in between. It has
    /// the session meanwhile, so the connection stays even if its peer has left.
    /// A debugger that has stopped waits for what its client says.
    pub(super) async fn wait_script(&mut self, mut stop: Stop) -> Stop {
        loop {
            let heard = match stop {
                Stop::Debugger => Some(self.hear().await),
                _ => {
                    tokio::task::yield_now().await;
                    None
                }
            };
            stop = match self.engine.resume_script(&mut self.session, heard, &mut self.output.bytes) {
                Flow::Script => Stop::Script,
                Flow::Debugger => Stop::Debugger,
                Flow::Wait(waiter) => return Stop::Wait(waiter),
                Flow::Close => return Stop::Close,
                _ => return Stop::Flush,
            };
        }
    }

    /// Waits until CLIENT PAUSE, or the debugging of somebody's script, may have ended.
    pub(super) async fn wait_paused(&mut self) -> Option<End> {
        let client = Arc::clone(&self.session.client);
        client.set_flags(ClientFlags::BLOCKED | ClientFlags::PAUSED, true);
        let engine = self.engine;
        let woken = tokio::select! {
            biased;
            wake = self.wait(0) => Some(wake),
            () = engine.may_go_on() => None,
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
}

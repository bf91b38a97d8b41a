//! What the client of a script's debugger says: its requests, handed to the debugger one by one instead of being run.
//!
//! The connection stays what it is, only the reader of its requests is another until the script has ended. What does not look
//! like a request of a debugger's client ends the session; the bounds are narrower than those of requests, as in Redis.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::Poll;

use super::connection::Connection;
use super::waits::MAX_UNSENT_BYTES;
use crate::resp::{Args, Limits, Parsed};
use crate::scripting::Heard;
use crate::session::ClientFlags;

/// The longest argument in bytes; none is empty.
const MAX_ARGUMENT_BYTES: usize = 1024;
/// The most arguments.
const MAX_ARGUMENTS: usize = 1024;
/// The most input that waits, in bytes.
const MAX_INPUT_BYTES: usize = 1 << 20;

const MALFORMED: Heard = Heard::Broken("protocol error");
const TOO_MUCH: Heard = Heard::Broken("max client buffer reached");

impl Connection {
    /// Sends what the debugger has said, and waits for what its client says next. Who debugs is not idle.
    pub(super) async fn hear(&mut self) -> Heard {
        let (client, engine) = (Arc::clone(&self.session.client), self.engine);
        client.set_flags(ClientFlags::BLOCKED, true);
        let heard = tokio::select! {
            biased;
            () = engine.running_script.is_hung_up() => Heard::Gone,
            heard = self.next_words() => heard,
        };
        client.set_flags(ClientFlags::BLOCKED, false);
        heard
    }

    async fn next_words(&mut self) -> Heard {
        if self.send().await.is_err() || self.send_down_to(MAX_UNSENT_BYTES).await.is_err() {
            return Heard::Gone;
        }
        loop {
            if let Some(heard) = self.parse_words() {
                return heard;
            }
            match self.read_more().await {
                Ok(0) | Err(_) => return Heard::Gone,
                Ok(read) => self.count_input(read),
            }
        }
    }

    /// The next request in the input, if it is complete.
    fn parse_words(&mut self) -> Option<Heard> {
        let limits = Limits { max_bulk_bytes: MAX_ARGUMENT_BYTES as u64, authenticated: true };
        let buffer = self.input.rest();
        if buffer.first().is_some_and(|first| *first != b'*') {
            return Some(MALFORMED);
        }
        match self.parser.parse(buffer, limits) {
            Parsed::Request => {
                let heard = words(self.parser.args(buffer));
                self.advance();
                Some(heard)
            }
            Parsed::Incomplete if self.parser.announced() > MAX_ARGUMENTS => Some(MALFORMED),
            Parsed::Incomplete if buffer.len() > MAX_INPUT_BYTES => Some(TOO_MUCH),
            Parsed::Incomplete => {
                self.compact();
                None
            }
            Parsed::Nothing | Parsed::Broken(_) => Some(MALFORMED),
        }
    }

    /// Waits for bytes; messages to the client stay in its mailbox meanwhile.
    async fn read_more(&mut self) -> io::Result<usize> {
        let wanted = self.wanted();
        poll_fn(|cx| {
            self.register(cx);
            if let Poll::Ready(Err(error)) = self.poll_send(cx) {
                return Poll::Ready(Err(error));
            }
            if self.session.client.closing().is_some() {
                return Poll::Ready(Ok(0));
            }
            self.transport.poll_read(cx, &mut self.input.bytes, wanted)
        })
        .await
    }
}

/// A request as the debugger takes it.
fn words(args: Args<'_>) -> Heard {
    let fits = (1..=MAX_ARGUMENTS).contains(&args.len())
        && args.from(0).all(|argument| (1..=MAX_ARGUMENT_BYTES).contains(&argument.len()));
    if fits { Heard::Command(args.to_owned()) } else { MALFORMED }
}

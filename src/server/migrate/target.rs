//! Writing to the target: many requests in flight, their answers read on a thread of their own.
//!
//! What is in flight is bounded in number and in bytes. Each request knows what it is for, so that a refusal can be told in terms of the
//! source: a key, a library or a choice of database that is refused ends the migration, and so does a target that takes no commands any more; a
//! refused command of the live stream is counted, since what it did at the source is missing here.

use std::collections::VecDeque;
use std::fmt;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use redis_protocol::resp2::types::OwnedFrame;

use super::endpoint::Endpoint;
use crate::peer::{ReceiveHalf, SendHalf, first_frame};
use crate::persistence::aof::record;

/// Requests in flight.
const MAX_REQUESTS: usize = 10_000;
/// Bytes in flight; one request may be longer, and is then alone.
const MAX_BYTES: usize = 16 << 20;
/// Bytes, or requests, that gather before they are sent.
const BATCH_BYTES: usize = 64 << 10;
const BATCH_REQUESTS: usize = 500;
/// An answer longer than this is none.
const MAX_ANSWER_BYTES: usize = 1 << 30;
/// How often the reading thread looks around.
const LOOK_AROUND: Duration = Duration::from_millis(100);
/// Refusals that are told in full.
const REFUSALS_TOLD: usize = 10;

/// Errors that are not about the command: what follows would be refused too, until something is done about the target.
const UNABLE: &[&str] =
    &["READONLY", "OOM", "MISCONF", "NOREPLICAS", "MASTERDOWN", "LOADING", "BUSY", "NOAUTH", "CLUSTERDOWN", "MOVED"];

/// What a request is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A key of the copy.
    Key(u64, Vec<u8>),
    /// A library of functions.
    Library,
    /// What the rest depends on.
    Setup(&'static str),
    /// A command of the live stream.
    Command(Vec<u8>),
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(db, name) => write!(f, "key '{}' of database {db}", name.escape_ascii()),
            Self::Library => write!(f, "a library of functions"),
            Self::Setup(name) => write!(f, "{name}"),
            Self::Command(name) => write!(f, "{}", name.escape_ascii()),
        }
    }
}

struct Sent {
    what: What,
    bytes: usize,
    /// Where in the source's stream it begins.
    from: u64,
}

/// What the target did not take of the live stream.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    /// How many commands.
    pub count: u64,
    /// The first of them, with the reason.
    pub first: Vec<String>,
}

#[derive(Default)]
struct Flight {
    sent: VecDeque<Sent>,
    bytes: usize,
    refusals: Refusals,
    /// Why nothing more is to be sent.
    broken: Option<String>,
    closing: bool,
}

impl Flight {
    fn has_room(&self, requests: usize, bytes: usize) -> bool {
        self.sent.is_empty() || (self.sent.len() + requests <= MAX_REQUESTS && self.bytes + bytes <= MAX_BYTES)
    }

    /// Takes the answer to the oldest request.
    fn answered(&mut self, error: Option<&str>) {
        let Some(sent) = self.sent.pop_front() else {
            self.broken.get_or_insert_with(|| "the target answers what was not asked".into());
            return;
        };
        self.bytes -= sent.bytes;
        let Some(error) = error else { return };
        let text = format!("{}: {error}", sent.what);
        if !matches!(sent.what, What::Command(_)) {
            self.broken.get_or_insert_with(|| format!("the target refuses {text}"));
            return;
        }
        if error.split(' ').next().is_some_and(|code| UNABLE.contains(&code)) {
            self.broken.get_or_insert_with(|| format!("the target does not take commands any more: {text}"));
            return;
        }
        self.refusals.count += 1;
        if self.refusals.first.len() < REFUSALS_TOLD {
            eprintln!("the target refuses {text}");
            self.refusals.first.push(text);
        }
    }

    /// Takes the whole answers at the start of `input`; how many bytes they were.
    fn take_answers(&mut self, input: &[u8]) -> usize {
        let mut at = 0;
        loop {
            let rest = &input[at..];
            // Almost every answer.
            if rest.starts_with(b"+OK\r\n") {
                self.answered(None);
                at += 5;
                continue;
            }
            match first_frame(rest) {
                Ok(Some((frame, length))) => {
                    self.answered(first_error(&frame));
                    at += length;
                }
                Ok(None) => return at,
                Err(error) => {
                    self.broken.get_or_insert_with(|| format!("the target's answer cannot be read: {error}"));
                    return input.len();
                }
            }
        }
    }
}

/// An error in an answer, that of a transaction included.
fn first_error(frame: &OwnedFrame) -> Option<&str> {
    match frame {
        OwnedFrame::Error(text) => Some(text),
        OwnedFrame::Array(frames) => frames.iter().find_map(first_error),
        _ => None,
    }
}

#[derive(Default)]
struct Shared {
    flight: Mutex<Flight>,
    /// Said whenever there is more room, or an end of it.
    changed: Condvar,
}

/// The target, as it is written to.
pub struct Target {
    sender: SendHalf,
    shared: Arc<Shared>,
    reader: Option<JoinHandle<()>>,
    buffer: Vec<u8>,
    gathered: Vec<Sent>,
}

impl Target {
    /// Dials, and signs on.
    pub fn open(endpoint: &Endpoint) -> Result<Self, String> {
        let (sender, receiver) = endpoint.dial()?.split().map_err(|error| error.to_string())?;
        sender.socket().set_read_timeout(Some(LOOK_AROUND)).map_err(|error| error.to_string())?;
        let shared = Arc::new(Shared::default());
        let (reading, patience) = (Arc::clone(&shared), endpoint.timeout);
        let spawned = std::thread::Builder::new()
            .name("answers".into())
            .spawn(move || read_answers(receiver, &reading, patience))
            .map_err(|error| error.to_string())?;
        let mut target = Self { sender, shared, reader: Some(spawned), buffer: Vec::new(), gathered: Vec::new() };
        if let Some((user, password)) = endpoint.credentials() {
            let words: &[&[u8]] = if user.is_empty() { &[b"AUTH", &password] } else { &[b"AUTH", &user, &password] };
            target.command(What::Setup("AUTH"), words, 0)?;
            target.settle()?;
        }
        Ok(target)
    }

    /// Sends a request of these words, soon.
    pub fn command(&mut self, what: What, words: &[&[u8]], from: u64) -> Result<(), String> {
        let before = self.buffer.len();
        record::command(&mut self.buffer, words.iter().copied());
        self.gather(what, before, from)
    }

    /// Sends an encoded request, soon.
    pub fn raw(&mut self, what: What, request: &[u8], from: u64) -> Result<(), String> {
        let before = self.buffer.len();
        self.buffer.extend_from_slice(request);
        self.gather(what, before, from)
    }

    fn gather(&mut self, what: What, before: usize, from: u64) -> Result<(), String> {
        self.gathered.push(Sent { what, bytes: self.buffer.len() - before, from });
        if self.buffer.len() >= BATCH_BYTES || self.gathered.len() >= BATCH_REQUESTS {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what has gathered, as soon as there is room.
    pub fn flush(&mut self) -> Result<(), String> {
        let mut flight = self.shared.flight.lock();
        while flight.broken.is_none() && !flight.has_room(self.gathered.len(), self.buffer.len()) {
            self.shared.changed.wait(&mut flight);
        }
        if let Some(broken) = &flight.broken {
            return Err(broken.clone());
        }
        flight.bytes += self.buffer.len();
        flight.sent.extend(self.gathered.drain(..));
        drop(flight);
        let sent = self.sender.write_all(&self.buffer).and_then(|()| self.sender.flush());
        self.buffer.clear();
        if self.buffer.capacity() > MAX_BYTES {
            self.buffer.shrink_to(BATCH_BYTES);
        }
        // Whoever reads its answers may know better why.
        sent.map_err(|error| {
            let mut flight = self.shared.flight.lock();
            flight.broken.get_or_insert_with(|| format!("the target takes nothing more: {error}")).clone()
        })
    }

    /// Waits for a moment until there is room for what has gathered, and whether there is.
    pub fn await_room(&self, patience: Duration) -> bool {
        let mut flight = self.shared.flight.lock();
        let has_room = |flight: &Flight| {
            flight.broken.is_some() || flight.has_room(self.gathered.len() + 1, self.buffer.len() + BATCH_BYTES)
        };
        has_room(&flight) || {
            self.shared.changed.wait_for(&mut flight, patience);
            has_room(&flight)
        }
    }

    /// Sends everything and waits until all of it has been answered.
    pub fn settle(&mut self) -> Result<(), String> {
        self.flush()?;
        let mut flight = self.shared.flight.lock();
        while flight.broken.is_none() && !flight.sent.is_empty() {
            self.shared.changed.wait(&mut flight);
        }
        flight.broken.clone().map_or(Ok(()), Err)
    }

    /// Up to where the source's stream, read up to `end`, has been carried out here.
    pub fn reached(&self, end: u64) -> u64 {
        let flight = self.shared.flight.lock();
        flight.sent.front().or(self.gathered.first()).map_or(end, |sent| sent.from)
    }

    /// Requests without an answer.
    pub fn in_flight(&self) -> usize {
        self.shared.flight.lock().sent.len()
    }

    /// What was refused so far.
    pub fn refusals(&self) -> Refusals {
        self.shared.flight.lock().refusals.clone()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.shared.flight.lock().closing = true;
        // It may have ended by itself.
        let _ = self.sender.socket().shutdown(Shutdown::Both);
        if let Some(reader) = self.reader.take() {
            // A panic there has been printed.
            let _ = reader.join();
        }
    }
}

fn read_answers(mut receiver: ReceiveHalf, shared: &Shared, patience: Duration) {
    let (mut input, mut chunk) = (Vec::new(), vec![0; BATCH_BYTES]);
    let mut heard = Instant::now();
    loop {
        let read = receiver.read(&mut chunk);
        let mut flight = shared.flight.lock();
        let end = match read {
            Ok(0) => Some("the target has closed the connection".to_owned()),
            Ok(count) => {
                heard = Instant::now();
                input.extend_from_slice(&chunk[..count]);
                let taken = flight.take_answers(&input);
                input.drain(..taken);
                (input.len() > MAX_ANSWER_BYTES).then(|| "an answer of the target has no end".to_owned())
            }
            Err(error) if is_pause(&error) => {
                if flight.sent.is_empty() {
                    heard = Instant::now();
                }
                (heard.elapsed() > patience)
                    .then(|| format!("the target has not answered for {} s", patience.as_secs()))
            }
            Err(error) => Some(format!("the target: {error}")),
        };
        if let Some(end) = end {
            flight.broken.get_or_insert(end);
        }
        shared.changed.notify_all();
        if flight.broken.is_some() || flight.closing {
            return;
        }
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flight(whats: &[What]) -> Flight {
        let sent = whats.iter().map(|what| Sent { what: what.clone(), bytes: 10, from: 0 }).collect();
        Flight { sent, bytes: 10 * whats.len(), ..Flight::default() }
    }

    #[test]
    fn answers_belong_to_requests_in_order() {
        let command = What::Command(b"LSET".to_vec());
        let mut flight = flight(&[What::Key(0, b"a".to_vec()), command.clone(), What::Setup("SELECT"), command]);
        let input = b"+OK\r\n-ERR no such key\r\n+OK\r\n*2\r\n:1\r\n-WRONGTYPE x\r\n$5\r\nab";
        assert_eq!(flight.take_answers(input), input.len() - 6);
        assert_eq!((flight.sent.len(), flight.bytes, flight.refusals.count), (0, 0, 2));
        assert_eq!(flight.refusals.first, ["LSET: ERR no such key", "LSET: WRONGTYPE x"]);
        assert_eq!(flight.broken, None);
        flight.take_answers(b":1\r\n");
        assert!(flight.broken.is_some(), "nobody asked");
    }

    #[test]
    fn a_target_that_takes_no_commands_ends_it() {
        for (error, ends) in [
            ("READONLY You can't write against a read only replica.", true),
            ("OOM command not allowed when used memory > 'maxmemory'.", true),
            ("BUSY Redis is busy running a script.", true),
            ("BUSYKEY Target key name already exists.", false),
            ("WRONGTYPE x", false),
        ] {
            let mut flight = flight(&[What::Command(b"SET".to_vec())]);
            flight.take_answers(format!("-{error}\r\n").as_bytes());
            assert_eq!((flight.broken.is_some(), flight.refusals.count), (ends, u64::from(!ends)), "{error}");
        }
    }

    #[test]
    fn a_refused_key_ends_it() {
        let mut flight = flight(&[What::Key(3, b"a\xff".to_vec()), What::Library]);
        flight.take_answers(b"-OOM x\r\n-ERR y\r\n");
        assert_eq!(flight.broken.as_deref(), Some("the target refuses key 'a\\xff' of database 3: OOM x"));
    }

    #[test]
    fn what_is_in_flight_is_bounded() {
        let mut flight = Flight::default();
        assert!(flight.has_room(1, 10 * MAX_BYTES), "alone, anything has room");
        flight.sent.push_back(Sent { what: What::Library, bytes: 1, from: 0 });
        assert!(flight.has_room(1, MAX_BYTES) && !flight.has_room(1, MAX_BYTES + 1));
        assert!(!flight.has_room(MAX_REQUESTS, 1));
    }
}

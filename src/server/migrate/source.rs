//! The source, as a replica sees it: a snapshot of everything, then the stream, gone on with after a cut.

use std::io;
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use crate::peer::Link;
use crate::persistence::aof::record;
use crate::replication::{Handshake, Header, Incoming, Introduction, Next, ReplOffset, ReplicationId, Sync};

/// How often the source is told how far the target is.
const CONFIRM: Duration = Duration::from_secs(1);
/// Between two attempts to reach a source that was cut off.
const RETRY: Duration = Duration::from_secs(1);

/// The link to the source.
pub struct Source<'e> {
    endpoint: &'e Endpoint,
    link: Link,
    /// The history of changes that is followed.
    pub history: ReplicationId,
    confirmed: Option<Instant>,
    /// How often the link had to be made anew.
    pub cuts: u64,
}

impl<'e> Source<'e> {
    /// Asks for everything; where the stream behind it begins.
    pub fn begin(endpoint: &'e Endpoint) -> Result<(Self, ReplOffset), String> {
        match open(endpoint, None)? {
            (link, Sync::Full(Some((history, offset)))) => {
                Ok((Self { endpoint, link, history, confirmed: None, cuts: 0 }, offset))
            }
            _ => Err(format!("{endpoint} sends a stream where a copy was asked for")),
        }
    }

    /// The header of the snapshot; the source may take its time until it has one.
    pub fn header(&mut self) -> Result<Header, String> {
        loop {
            let line = self.link.line(|| true);
            let line = line.map_err(|error| format!("{}: no snapshot comes: {error}", self.endpoint))?;
            let text = || String::from_utf8_lossy(&line).into_owned();
            match line.first() {
                // It keeps the connection alive.
                None => {}
                Some(b'-') => return Err(format!("{} makes no snapshot: {}", self.endpoint, text())),
                Some(_) => {
                    let wrong = || format!("{} sends '{}' in front of its snapshot", self.endpoint, text());
                    return Header::parse(&line).ok_or_else(wrong);
                }
            }
        }
    }

    /// The bytes that come in.
    pub fn incoming(&mut self) -> impl Incoming {
        Steady { link: &mut self.link }
    }

    /// Reads what is there of the stream, which is nothing when nothing has come in for a moment.
    pub fn receive(&mut self, out: &mut Vec<u8>) -> io::Result<()> {
        let there = self.link.receive()?;
        out.extend_from_slice(there);
        let count = there.len();
        self.link.take(count);
        Ok(())
    }

    /// Tells the source how far the target is, when it is time or the source has asked.
    pub fn confirm(&mut self, reached: u64, asked: bool) -> io::Result<()> {
        if !asked && self.confirmed.is_some_and(|then| then.elapsed() < CONFIRM) {
            return Ok(());
        }
        self.confirmed = Some(Instant::now());
        let mut request = Vec::new();
        record::command(&mut request, [&b"REPLCONF"[..], b"ACK", reached.to_string().as_bytes()].into_iter());
        self.link.send(&request)
    }

    /// Goes on behind `offset` after a cut.
    pub fn resume(&mut self, offset: ReplOffset, cut: &io::Error) -> Result<(), String> {
        let end = Instant::now() + self.endpoint.timeout;
        eprintln!("the link to {} was cut ({cut}); going on at {}", self.endpoint, offset.0);
        loop {
            match open(self.endpoint, Some((self.history, offset))) {
                Ok((link, Sync::Continue(renamed))) => {
                    self.link = link;
                    self.history = renamed.unwrap_or(self.history);
                    self.confirmed = None;
                    self.cuts += 1;
                    return Ok(());
                }
                Ok((_, Sync::Full(_))) => {
                    return Err(format!(
                        "{} does not have the changes any more that were made during the cut: a larger repl-backlog-size there \
                         keeps more of them",
                        self.endpoint
                    ));
                }
                Err(error) if Instant::now() > end => return Err(error),
                Err(_) => std::thread::sleep(RETRY),
            }
        }
    }
}

/// The link while a snapshot comes in.
struct Steady<'l> {
    link: &'l mut Link,
}

impl Incoming for Steady<'_> {
    fn receive(&mut self) -> io::Result<&[u8]> {
        while self.link.receive()?.is_empty() {}
        self.link.receive()
    }

    fn take(&mut self, count: usize) {
        self.link.take(count);
    }
}

/// Dials and introduces itself.
fn open(endpoint: &Endpoint, position: Option<(ReplicationId, ReplOffset)>) -> Result<(Link, Sync), String> {
    let mut link = Link::new(endpoint.dial()?, endpoint.timeout).map_err(|error| error.to_string())?;
    let failed = |error: io::Error| format!("{endpoint} breaks the conversation off: {error}");
    let introduction = Introduction { credentials: endpoint.credentials(), position, ..Introduction::default() };
    let (mut handshake, first) = Handshake::begin(introduction);
    link.send(&first).map_err(failed)?;
    loop {
        let line = link.line(|| true).map_err(failed)?;
        match handshake.answer(&line) {
            Next::Wait => {}
            Next::Send(bytes) => link.send(&bytes).map_err(failed)?,
            Next::Begin(sync) => return Ok((link, sync)),
            Next::BeginOld(_) => {
                let notes = handshake.take_notes().join("; ");
                return Err(format!("{endpoint} cannot be followed: {notes}"));
            }
            Next::GiveUp(why) | Next::Later(why) | Next::Stranger(why) => {
                return Err(format!("{endpoint} cannot be followed: {why}"));
            }
        }
    }
}

//! A command log: the last commands whose time or size passed a threshold.

use std::collections::VecDeque;

use parking_lot::Mutex;

/// Arguments kept of one command, and bytes of one argument.
const MAX_ARGS: usize = 32;
const MAX_ARG_BYTES: usize = 128;

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// Ascending, never reused.
    pub id: u64,
    /// Unix time in seconds when it ran.
    pub at: i64,
    /// How long it took in microseconds, or how large it was in bytes: whatever the log is about.
    pub value: u64,
    /// Its arguments, shortened.
    pub args: Vec<Box<[u8]>>,
    /// The client's address.
    pub peer: String,
    /// The client's name.
    pub name: Box<[u8]>,
}

#[derive(Default)]
struct Log {
    entries: VecDeque<LogEntry>,
    next: u64,
}

/// A log of commands.
#[derive(Default)]
pub struct CommandLog(Mutex<Log>);

impl CommandLog {
    /// Enters a command; the oldest entries beyond `max_len` go.
    pub fn add<'a>(
        &self,
        at: i64,
        value: u64,
        args: impl ExactSizeIterator<Item = &'a [u8]>,
        peer: &str,
        name: Box<[u8]>,
        max_len: usize,
    ) {
        let args = shortened(args);
        let mut log = self.0.lock();
        let id = log.next;
        log.next += 1;
        log.entries.push_front(LogEntry { id, at, value, args, peer: peer.to_owned(), name });
        log.entries.truncate(max_len);
    }

    /// The newest entries, at most `count`.
    pub fn newest(&self, count: usize) -> Vec<LogEntry> {
        self.0.lock().entries.iter().take(count).cloned().collect()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.0.lock().entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets all entries; numbers go on.
    pub fn clear(&self) {
        self.0.lock().entries.clear();
    }
}

fn shortened<'a>(args: impl ExactSizeIterator<Item = &'a [u8]>) -> Vec<Box<[u8]>> {
    let total = args.len();
    let kept = if total > MAX_ARGS { MAX_ARGS - 1 } else { total };
    let mut out: Vec<Box<[u8]>> = args
        .take(kept)
        .map(|arg| match arg.len().checked_sub(MAX_ARG_BYTES) {
            None | Some(0) => Box::from(arg),
            Some(more) => [&arg[..MAX_ARG_BYTES], format!("... ({more} more bytes)").as_bytes()].concat().into(),
        })
        .collect();
    if kept < total {
        out.push(format!("... ({} more arguments)", total - kept).into_bytes().into());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_commands_are_shortened_and_old_entries_go() {
        let log = CommandLog::default();
        let long = [b'x'; 200];
        let args: Vec<&[u8]> = (0..40).map(|_| &long[..]).collect();
        for _ in 0..3 {
            log.add(1, 2, args.iter().copied(), "peer", Box::default(), 2);
        }
        let entries = log.newest(10);
        assert_eq!(entries.iter().map(|e| e.id).collect::<Vec<_>>(), [2, 1]);
        assert_eq!(entries[0].args.len(), 32);
        assert!(entries[0].args[0].ends_with(b"... (72 more bytes)"));
        assert_eq!(&*entries[0].args[31], b"... (9 more arguments)");
    }
}

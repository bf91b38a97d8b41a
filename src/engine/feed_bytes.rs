//! Commands as the feed and the append only file have them.
//!
//! They are encoded in a buffer that each thread keeps, so that passing a command on takes no allocation.

use std::cell::RefCell;

use super::change::Replayed;
use crate::keyspace::DbIndex;
use crate::persistence::aof::record;
use crate::scripting::ReplicationTargets;

/// A buffer with more room than this is given back.
const KEPT_BYTES: usize = 64 << 10;
const MULTI: &[u8] = b"*1\r\n$5\r\nMULTI\r\n";
const EXEC: &[u8] = b"*1\r\n$4\r\nEXEC\r\n";

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Encodes commands, the first of which is in `first`; several are put between MULTI and EXEC. `take` is given their bytes and the
/// last one's database.
pub(super) fn encoded<'a, C>(
    first: DbIndex,
    commands: impl Iterator<Item = (DbIndex, C)>,
    take: impl FnOnce(&[u8], DbIndex),
) where
    C: ExactSizeIterator<Item = &'a [u8]>,
{
    let mut buffer = BUFFER.take();
    buffer.clear();
    // Left out again for a command that is alone.
    buffer.extend_from_slice(MULTI);
    let (mut last, mut count) = (first, 0);
    for (db, command) in commands {
        if db != last {
            record::select(&mut buffer, db);
            last = db;
        }
        record::command(&mut buffer, command);
        count += 1;
    }
    if count > 1 {
        buffer.extend_from_slice(EXEC);
        take(&buffer, last);
    } else {
        take(&buffer[MULTI.len()..], last);
    }
    if buffer.capacity() <= KEPT_BYTES {
        BUFFER.set(buffer);
    }
}

/// As [`encoded`], what is for `target` of commands that took effect together; nothing happens if that is none. `take` is given the
/// first one's database too, in front.
pub(super) fn encoded_for(
    target: ReplicationTargets,
    commands: &[Replayed],
    take: impl FnOnce(DbIndex, &[u8], DbIndex),
) {
    let wanted = |(.., targets): &&Replayed| targets.contains(target);
    let Some((first, ..)) = commands.iter().find(wanted) else { return };
    let chosen = commands.iter().filter(wanted).map(|(db, command, _)| (*db, command.as_args().from(0)));
    encoded(*first, chosen, |body, last| take(*first, body, last));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(commands: &[(u32, &[u8])]) -> (String, u32) {
        let mut out = (String::new(), 0);
        let words = commands.iter().map(|(db, word)| (DbIndex(*db), std::iter::once(*word)));
        encoded(DbIndex(commands[0].0), words, |body, last| {
            let text = String::from_utf8_lossy(body).into_owned();
            let words: Vec<&str> = text.split("\r\n").filter(|word| !word.starts_with(['*', '$'])).collect();
            out = (words.join(" ").trim_end().to_owned(), last.0);
        });
        out
    }

    #[test]
    fn several_commands_are_one_transaction() {
        let long = vec![b'x'; 2 * KEPT_BYTES];
        for _ in 0..2 {
            assert_eq!(text(&[(1, b"A")]), ("A".to_owned(), 1));
            assert_eq!(text(&[(1, b"B"), (2, b"C"), (2, b"D")]), ("MULTI B SELECT 2 C D EXEC".to_owned(), 2));
            assert_eq!(text(&[(0, &long)]).0.len(), long.len(), "does not fit");
        }
    }

    #[test]
    fn what_is_passed_on_while_something_is_being_passed_on_has_a_buffer_of_its_own() {
        let mut seen = Vec::new();
        let word = |word: &'static [u8]| std::iter::once((DbIndex(0), std::iter::once(word)));
        encoded(DbIndex(0), word(b"outer"), |outer, _| {
            encoded(DbIndex(0), word(b"inner"), |inner, _| seen.extend([outer.to_vec(), inner.to_vec()]));
        });
        assert_eq!(seen, [b"*1\r\n$5\r\nouter\r\n", b"*1\r\n$5\r\ninner\r\n"]);
    }
}

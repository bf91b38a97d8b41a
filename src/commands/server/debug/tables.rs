//! DEBUG HTSTATS, HTSTATS-KEY and STRINGMATCH-TEST: how full tables are, and patterns put to the test.

use rand::Rng as _;

use super::object;
use crate::base::glob;
use crate::commands::generic::object::encoding;
use crate::engine::{CommandResult, Context, Outcome};
use crate::keyspace::{DbIndex, ValueRef};
use crate::resp::WireError;

pub(super) fn of_database(ctx: &mut Context<'_>) -> CommandResult {
    let db = ctx.int(2)?;
    if !(0..i64::from(ctx.engine.keyspace.count())).contains(&db) {
        return Err(WireError::fixed("ERR Out of range database"));
    }
    let database = ctx.engine.keyspace.database(DbIndex(db as u32));
    let text = format!(
        "[Dictionary HT]\n{}[Expires HT]\n{}",
        table(database.bucket_count(), database.len()),
        table(database.volatile_len(), database.volatile_len()),
    );
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

pub(super) fn of_key(ctx: &mut Context<'_>) -> CommandResult {
    let entry = object::entry(ctx)?;
    let elements = match (entry.value(), encoding(entry)) {
        (ValueRef::Set(set), "hashtable") => set.len(),
        (ValueRef::Hash(hash), "hashtable") => hash.len(),
        (ValueRef::ZSet(zset), "skiplist") => zset.len(),
        _ => {
            return Err(WireError::fixed(
                "ERR The value stored at the specified key is not represented using an hash table",
            ));
        }
    };
    let text = table(elements.next_power_of_two(), elements);
    ctx.reply.verbatim("txt", text.as_bytes());
    Ok(Outcome::Done)
}

/// A table in the words that tools look for. Slots hold one element each, so there are no chains to speak of.
fn table(slots: usize, elements: usize) -> String {
    if elements == 0 {
        return "Hash table 0 stats (main hash table):\nNo stats available for empty dictionaries\n".into();
    }
    let percent = |count: usize| 100.0 * count as f64 / slots as f64;
    let free = slots.saturating_sub(elements);
    format!(
        "Hash table 0 stats (main hash table):\n table size: {slots}\n number of elements: {elements}\n \
         different slots: {elements}\n max chain length: 1\n avg chain length (counted): 1.00\n \
         avg chain length (computed): 1.00\n Chain length distribution:\n   0: {free} ({:.2}%)\n   1: {elements} ({:.2}%)\n",
        percent(free),
        percent(elements),
    )
}

pub(super) fn match_test(ctx: &mut Context<'_>) -> CommandResult {
    const ROUNDS: usize = 100_000;
    const LETTERS: &[u8] = b"ab*?[]^-\\";
    let mut random = rand::rng();
    let mut word = |longest: usize| -> Vec<u8> {
        let length = random.random_range(0..longest);
        (0..length).map(|_| LETTERS[random.random_range(0..LETTERS.len())]).collect()
    };
    for _ in 0..ROUNDS {
        glob::matches(&word(16), &word(32));
    }
    ctx.reply.status("Apparently Redis did not crash: test passed");
    Ok(Outcome::Done)
}

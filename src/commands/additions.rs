//! What there is beyond Redis 7.2: commands that users of Redis 7.4 to 8.4 and of Valkey 8.1 to 9 expect.
//!
//! COMMAND COUNT, COMMAND LIST, COMMAND INFO and COMMAND DOCS answer as Redis 7.2.6 does, apart from the commands in [`ADDED`] and
//! from summaries, which are our own. Where Redis 7.0 is followed, scripts may not call seven blocking commands, and COMMAND
//! GETKEYS and GETKEYSANDFLAGS want one argument more; their flags and arity say so. What was added to older commands does not
//! show: HSCAN's NOVALUES (Redis 7.4), SET's IFEQ (Valkey 8.1), and the filters of CLIENT LIST and CLIENT KILL (Redis 7.4, Valkey 9).

/// The commands and subcommands that Redis 7.2 does not have, by where they come from.
pub const ADDED: &[(&str, &[&str])] = &[
    (
        "Redis 7.4",
        &["hexpire", "hexpireat", "hexpiretime", "hpersist", "hpexpire", "hpexpireat", "hpexpiretime", "hpttl", "httl"],
    ),
    ("Redis 8.0", &["hgetdel", "hgetex", "hsetex"]),
    ("Redis 8.4", &["msetex"]),
    ("Valkey 8.1", &["commandlog", "commandlog|get", "commandlog|help", "commandlog|len", "commandlog|reset"]),
    ("Valkey 9.0", &["delifeq"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn whatever_is_newer_than_redis_7_2_is_listed() {
        let version = |text: &str| -> Vec<u32> { text.split('.').map(|part| part.parse().unwrap()).collect() };
        let table = crate::commands::table();
        let newer = table.rows().iter().filter(|row| version(row.spec.since) > vec![7, 2, 0]);
        let newer: BTreeSet<&str> = newer.map(|row| row.spec.name).collect();
        let listed: BTreeSet<&str> = ADDED.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        assert_eq!(newer, listed);
    }
}

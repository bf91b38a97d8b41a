//! Rows of "command, expected reply", run in order on one connection.
//!
//! An expectation is the text that [`super::wire`] writes, or a pattern: `any [...]` ignores the order of a flat array or set,
//! and a trailing `…` asks for a prefix only.

use super::wire::Wire;

/// A command line and its expected reply.
pub type Row<'a> = (&'a str, &'a str);

/// Runs a table on one client; all wrong rows are reported together.
pub fn check(client: &mut Wire, rows: &[Row<'_>]) {
    let wrong: Vec<String> = rows
        .iter()
        .filter_map(|(line, expected)| {
            let reply = client.run(line);
            (!matches(&reply, expected)).then(|| format!("{line}\n    expected {expected}\n    got      {reply}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// Runs named tables, each on an empty keyspace.
pub fn check_all(client: &mut Wire, tables: &[(&str, &[Row<'_>])]) {
    for (name, rows) in tables {
        assert_eq!(client.run("FLUSHALL"), "+OK", "{name}");
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(client, rows)));
        if let Err(panic) = outcome {
            let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
            panic!("table '{name}': {text}");
        }
    }
}

fn matches(reply: &str, expected: &str) -> bool {
    if let Some(prefix) = expected.strip_suffix('…') {
        return reply.starts_with(prefix);
    }
    match expected.strip_prefix("any ") {
        Some(expected) => sorted(reply) == sorted(expected),
        None => reply == expected,
    }
}

fn sorted(text: &str) -> Vec<&str> {
    let mut items: Vec<&str> = text.trim_end_matches(']').split(['[', ' ']).collect();
    items[1..].sort_unstable();
    items
}

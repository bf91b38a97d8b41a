//! One client in one line: what CLIENT LIST shows and log lines name.
//!
//! Output is shown as Redis has it: the first 16 KB as what stands in a buffer of fixed size (`obl`), the rest as a list of
//! blocks (`oll`); `omem` is what the output limit looks at. The buffer of fixed size (`rbs`) is as large there as the replies of late
//! have been; here it is one for all clients of a thread, so what a client of its own would have is shown.

use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

use super::Engine;
use crate::base::clock::UnixMillis;
use crate::session::{Client, ClientFlags, FIXED_OUTPUT_BYTES};

/// What a buffer of a client's own would have at least.
const LEAST_OUTPUT_BYTES: u64 = 1024;

/// The flags of a client as letters; `N` without any.
pub fn letters(flags: ClientFlags) -> String {
    let mut letters = String::new();
    for (flag, letter) in [
        (ClientFlags::MONITOR, 'O'),
        (ClientFlags::REPLICA, 'S'),
        (ClientFlags::PRIMARY, 'M'),
        (ClientFlags::PUBSUB, 'P'),
        (ClientFlags::MULTI, 'x'),
        (ClientFlags::BLOCKED, 'b'),
        (ClientFlags::TRACKING, 't'),
        (ClientFlags::TRACKING_BROKEN, 'R'),
        (ClientFlags::TRACKING_BCAST, 'B'),
        (ClientFlags::DIRTY_CAS, 'd'),
        (ClientFlags::CLOSE_AFTER_REPLY, 'c'),
        (ClientFlags::CLOSE_ASAP, 'A'),
        (ClientFlags::UNIX_SOCKET, 'U'),
        (ClientFlags::NO_EVICT, 'e'),
        (ClientFlags::NO_TOUCH, 'T'),
    ] {
        if flags.contains(flag) {
            letters.push(letter);
        }
    }
    if letters.is_empty() { "N".into() } else { letters }
}

impl Engine {
    /// The line of a client.
    pub fn describe_client(&self, client: &Client, now: UnixMillis) -> String {
        let mut out = String::new();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (library, version) = client.library();
        let command = match client.last_command.load(Relaxed) {
            u32::MAX => "NULL",
            row => self.table.row(row as usize).spec.name,
        };
        let query = client.query_bytes.load(Relaxed);
        let capacity = client.query_capacity.load(Relaxed);
        let queued = client.queued_output();
        let (fixed, listed) = (queued.min(FIXED_OUTPUT_BYTES), client.limited_output());
        let blocks = listed.saturating_sub(FIXED_OUTPUT_BYTES).div_ceil(FIXED_OUTPUT_BYTES);
        let queued_bytes = client.queued_bytes.load(Relaxed);
        let peak = client.output_peak.load(Relaxed);
        let room = peak.clamp(LEAST_OUTPUT_BYTES, FIXED_OUTPUT_BYTES);
        let total = client.memory_usage();
        let [channels, patterns, shard_channels] = &client.subscriptions;
        // Writing to a string cannot fail.
        let _ = write!(
            out,
            "id={} addr={} laddr={} fd={} name={} age={} idle={} flags={} db={} sub={} psub={} ssub={} multi={} qbuf={query} \
             qbuf-free={} argv-mem={} multi-mem={queued_bytes} rbs={room} rbp={peak} obl={fixed} oll={blocks} omem={listed} tot-mem={total} \
             events={} cmd={command} user={} redir={} resp={} lib-name={} lib-ver={}",
            client.id.0,
            client.peer.address,
            client.peer.local,
            client.peer.fd,
            text(&client.name()),
            now.0 / 1000 - client.connected_at,
            (now.0 - client.last_seen.load(Relaxed)).max(0) / 1000,
            letters(client.flags()),
            client.db.load(Relaxed),
            channels.load(Relaxed),
            patterns.load(Relaxed),
            shard_channels.load(Relaxed),
            client.queued.load(Relaxed),
            capacity.saturating_sub(query),
            client.argument_bytes.load(Relaxed),
            if client.flags().contains(ClientFlags::CLOSE_ASAP) { "" } else { "r" },
            client.user().name_text(),
            client.redirected_to(),
            client.resp.load(Relaxed),
            text(&library),
            text(&version),
        );
        if let Some(tls) = &client.tls {
            let _ = write!(out, " tls={} cipher={}", tls.protocol, tls.cipher);
        }
        out
    }
}

//! DEBUG RELOAD and LOADAOF: what is in memory goes to disk and comes back.

use std::sync::atomic::Ordering::Relaxed;

use crate::commands::generic::databases;
use crate::engine::{AofFailed, CommandResult, Context, LoadMode, Ticket};
use crate::keyspace::DbIndex;
use crate::resp::WireError;

pub(super) fn reload(ctx: &mut Context<'_>) -> CommandResult {
    const OPTIONS: WireError =
        WireError::fixed("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    const NOT_SAVED: WireError = WireError::fixed("ERR");
    const NOT_LOADED: WireError = WireError::fixed("ERR Error trying to load the RDB dump, check server logs.");
    let (mut merge, mut flush, mut save) = (false, true, true);
    for option in ctx.args.from(2) {
        match option.to_ascii_lowercase().as_slice() {
            b"merge" => merge = true,
            b"noflush" => flush = false,
            b"nosave" => save = false,
            _ => return Err(OPTIONS),
        }
    }
    if save {
        ctx.engine.save_now(ctx.settings, &Ticket::default()).map_err(|_| NOT_SAVED)?;
    }
    if flush {
        empty(ctx)?;
    }
    let mode = LoadMode { merge, exclusive: true, keep_expired: false };
    let failed = match ctx.engine.load_snapshot(ctx.settings, mode) {
        Ok(Some(_)) => false,
        Ok(None) => true,
        Err(error) => {
            tracing::warn!("{error}");
            true
        }
    };
    if failed {
        return Err(NOT_LOADED);
    }
    tracing::warn!("DB reloaded by DEBUG RELOAD");
    ctx.done_ok()
}

pub(super) fn load_append_only(ctx: &mut Context<'_>) -> CommandResult {
    const NOT_LOADED: WireError = WireError::fixed("ERR Error trying to load the AOF files, check server logs.");
    let engine = ctx.engine;
    engine.flush_append_only();
    empty(ctx)?;
    engine
        .read_aof_manifest(ctx.settings)
        .and_then(|()| engine.load_append_only(ctx.settings, true))
        .map_err(|AofFailed| NOT_LOADED)?;
    engine.dirty.store(0, Relaxed);
    tracing::warn!("Append Only File loaded by DEBUG LOADAOF");
    ctx.done_ok()
}

/// Removes all keys and libraries.
fn empty(ctx: &mut Context<'_>) -> Result<(), WireError> {
    let all: Vec<DbIndex> = ctx.keys.keyspace().indices().collect();
    databases::flush(ctx, &all, false);
    ctx.engine.libraries.flush()
}

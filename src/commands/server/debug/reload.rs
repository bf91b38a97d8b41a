//! DEBUG RELOAD: what is in memory goes to disk and comes back.

use crate::commands::generic::databases;
use crate::engine::{CommandResult, Context, LoadMode, Ticket};
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
        let all: Vec<DbIndex> = ctx.keys.keyspace().indices().collect();
        databases::flush(ctx, &all, false);
        ctx.engine.libraries.flush()?;
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

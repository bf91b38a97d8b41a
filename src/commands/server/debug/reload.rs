//! DEBUG RELOAD and LOADAOF: what is in memory goes to disk and comes back.
//!
//! Where the client may wait, others are told meanwhile that the server is loading. In a transaction it may not, and the stream of a
//! primary must find all keys: then everybody waits.

use std::sync::atomic::Ordering::Relaxed;

use crate::commands::generic::databases;
use crate::config::Settings;
use crate::engine::{AofFailed, CommandResult, Context, Engine, LoadMode, NullReply, Ticket, Wait};
use crate::keyspace::DbIndex;
use crate::resp::WireError;

pub(super) fn reload(ctx: &mut Context<'_>) -> CommandResult {
    const OPTIONS: WireError =
        WireError::fixed("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.");
    const NOT_SAVED: WireError = WireError::fixed("ERR");
    let (mut merge, mut flush, mut save) = (false, true, true);
    for option in ctx.args.from(2) {
        match option.to_ascii_lowercase().as_slice() {
            b"merge" => merge = true,
            b"noflush" => flush = false,
            b"nosave" => save = false,
            _ => return Err(OPTIONS),
        }
    }
    refuse_while_loading(ctx)?;
    if save {
        ctx.engine.save_now(ctx.settings, &Ticket::default()).map_err(|_| NOT_SAVED)?;
    }
    load(ctx, flush, move |engine, settings, exclusive| load_snapshot(engine, settings, merge, exclusive))
}

pub(super) fn load_append_only(ctx: &mut Context<'_>) -> CommandResult {
    refuse_while_loading(ctx)?;
    ctx.engine.flush_append_only();
    load(ctx, true, load_parts)
}

fn refuse_while_loading(ctx: &Context<'_>) -> Result<(), WireError> {
    if ctx.engine.saving.loads.is_active() { Err(WireError::LOADING) } else { Ok(()) }
}

/// Loads, after removing what is there if that is wanted; `work` is told whether its caller holds the gate exclusively.
fn load(
    ctx: &mut Context<'_>,
    flush: bool,
    work: impl FnOnce(&'static Engine, &Settings, bool) -> Result<(), WireError> + Send + 'static,
) -> CommandResult {
    const NO_THREAD: WireError = WireError::fixed("ERR No thread to load on, check server logs.");
    if !ctx.may_wait || ctx.engine.replication.is_replica() {
        if flush {
            empty(ctx)?;
        }
        work(ctx.engine, ctx.settings, true)?;
        return ctx.done_ok();
    }
    let (client, engine) = (ctx.session.client.id, ctx.engine);
    let work = Box::new(move |engine: &'static Engine, settings: &Settings| work(engine, settings, false));
    let prepared = engine.prepare_load(client, ctx.settings, work).map_err(|error| {
        tracing::warn!("no thread for loading: {error}");
        NO_THREAD
    })?;
    if flush {
        empty(ctx)?;
    }
    prepared.begin();
    ctx.wait(Wait { until_loaded: true, on_timeout: NullReply::Bulk, ..Wait::BASE })
}

fn load_snapshot(engine: &'static Engine, settings: &Settings, merge: bool, exclusive: bool) -> Result<(), WireError> {
    const NOT_LOADED: WireError = WireError::fixed("ERR Error trying to load the RDB dump, check server logs.");
    match engine.load_snapshot(settings, LoadMode { merge, exclusive, keep_expired: false }) {
        Ok(Some(_)) => {}
        Ok(None) => return Err(NOT_LOADED),
        Err(error) => {
            tracing::warn!("{error}");
            return Err(NOT_LOADED);
        }
    }
    tracing::warn!("DB reloaded by DEBUG RELOAD");
    Ok(())
}

fn load_parts(engine: &'static Engine, settings: &Settings, exclusive: bool) -> Result<(), WireError> {
    const NOT_LOADED: WireError = WireError::fixed("ERR Error trying to load the AOF files, check server logs.");
    engine
        .read_aof_manifest(settings)
        .and_then(|()| engine.load_append_only(settings, exclusive))
        .map_err(|AofFailed| NOT_LOADED)?;
    engine.dirty.store(0, Relaxed);
    tracing::warn!("Append Only File loaded by DEBUG LOADAOF");
    Ok(())
}

/// Removes all keys and libraries.
fn empty(ctx: &mut Context<'_>) -> Result<(), WireError> {
    let all: Vec<DbIndex> = ctx.keys.keyspace().indices().collect();
    databases::flush(ctx, &all, false);
    ctx.engine.libraries.flush()
}

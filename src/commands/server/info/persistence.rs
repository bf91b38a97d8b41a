//! INFO's section on snapshots and the append-only file.

use std::sync::atomic::Ordering::Relaxed;

use super::text::Text;
use crate::base::progress::Progress;
use crate::engine::{AofState, Context};

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let saving = &ctx.engine.saving;
    let report = saving.saves.report();
    let loading = saving.loads.is_active();
    text.section("Persistence");
    text.flag("loading", loading);
    let loads_aside = ctx.engine.replication.link.report().loads_aside;
    text.flag("async_loading", loads_aside);
    // Nothing is forked and no page is copied: this is what writers had to write down of the snapshot before they could write.
    let copied = ctx.engine.keyspace.snapshot_copied();
    text.all(&["current_cow_peak", "current_cow_size"], copied);
    text.field("current_cow_size_age", 0);
    let aof = &ctx.engine.append_only;
    let rewrites = aof.rewrites();
    let running = report.running_since.is_some();
    let (done, total, since) = if running {
        (saving.saves.keys_done.load(Relaxed), report.keys_total, report.running_since)
    } else {
        match rewrites.running_since {
            Some(since) => (aof.keys_done.load(Relaxed), rewrites.keys_total, Some(since)),
            None => (0, 0, None),
        }
    };
    let progress = Progress { done, total, elapsed_s: elapsed_s(since.unwrap_or(0), ctx) };
    text.decimal("current_fork_perc", progress.percent());
    text.field("current_save_keys_processed", done);
    text.field("current_save_keys_total", total);
    // Redis does not tell that.
    text.field("current_save_eta_seconds", since.map_or(-1, |_| progress.eta_s() as i64));
    text.field("rdb_changes_since_last_save", ctx.engine.dirty.load(Relaxed));
    text.flag("rdb_bgsave_in_progress", running);
    text.field("rdb_last_save_time", report.last_saved_at);
    text.field("rdb_last_bgsave_status", if saving.saves.last_failed.load(Relaxed) { "err" } else { "ok" });
    text.field("rdb_last_bgsave_time_sec", report.last_took_s);
    text.field("rdb_current_bgsave_time_sec", report.running_since.map_or(-1, |since| ctx.now().seconds() - since));
    text.field("rdb_saves", report.count);
    text.field("rdb_last_cow_size", report.last_copied);
    text.field("rdb_last_load_keys_expired", saving.loads.keys_expired.load(Relaxed));
    text.field("rdb_last_load_keys_loaded", saving.loads.keys_loaded.load(Relaxed));
    write_append_only(ctx, text);
    text.all(&["module_fork_in_progress", "module_fork_last_cow_size"], 0);
    if aof.state() != AofState::Off {
        text.field("aof_current_size", aof.log.total_bytes.load(Relaxed));
        text.field("aof_base_size", aof.rewritten_bytes());
        text.field("aof_pending_rewrite", 0);
        text.field("aof_buffer_length", ctx.engine.aof_buffer_bytes());
        text.field("aof_pending_bio_fsync", 0);
        text.field("aof_delayed_fsync", aof.log.delayed_flushes.load(Relaxed));
    }
    if loading || loads_aside {
        write_loading(ctx, text);
    }
}

fn elapsed_s(since: i64, ctx: &Context<'_>) -> u64 {
    u64::try_from(ctx.now().seconds() - since).unwrap_or(0)
}

fn write_append_only(ctx: &Context<'_>, text: &mut Text) {
    let aof = &ctx.engine.append_only;
    let report = aof.rewrites();
    let status = |failed| if failed { "err" } else { "ok" };
    text.flag("aof_enabled", aof.state() != AofState::Off);
    text.flag("aof_rewrite_in_progress", report.running_since.is_some());
    text.flag("aof_rewrite_scheduled", report.scheduled);
    text.field("aof_last_rewrite_time_sec", report.last_took_s);
    text.field("aof_current_rewrite_time_sec", report.running_since.map_or(-1, |since| ctx.now().seconds() - since));
    text.field("aof_last_bgrewrite_status", status(report.last_failed));
    text.field("aof_rewrites", report.count);
    text.field("aof_rewrites_consecutive_failures", report.consecutive_failures);
    text.field("aof_last_write_status", status(aof.log.is_failing()));
    text.field("aof_last_cow_size", report.last_copied);
}

fn write_loading(ctx: &Context<'_>, text: &mut Text) {
    let loads = &ctx.engine.saving.loads;
    let started_at = loads.started_at.load(Relaxed);
    let (total, done) = (loads.total_bytes.load(Relaxed), loads.done_bytes.load(Relaxed));
    let progress = Progress { done, total, elapsed_s: elapsed_s(started_at, ctx) };
    text.field("loading_start_time", started_at);
    text.field("loading_total_bytes", total);
    text.field("loading_rdb_used_mem", loads.used_memory.load(Relaxed));
    text.field("loading_loaded_bytes", done);
    text.decimal("loading_loaded_perc", progress.percent());
    text.field("loading_eta_seconds", progress.eta_s());
}

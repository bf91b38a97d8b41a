//! INFO's section on snapshots and the append-only file.

use std::sync::atomic::Ordering::Relaxed;

use super::text::Text;
use crate::engine::{Context, LoadFigures};

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let saving = &ctx.engine.saving;
    let report = saving.saves.report();
    let loading = saving.loads.is_active();
    text.section("Persistence");
    text.flag("loading", loading);
    text.field("async_loading", 0);
    // Nothing is forked and no page is copied: this is what writers had to write down of the snapshot before they could write.
    let copied = ctx.engine.keyspace.snapshot_copied();
    text.all(&["current_cow_peak", "current_cow_size"], copied);
    text.field("current_cow_size_age", 0);
    let running = report.running_since.is_some();
    let (done, total) = if running { (saving.saves.keys_done.load(Relaxed), report.keys_total) } else { (0, 0) };
    text.decimal("current_fork_perc", if total > 0 { done as f64 / total as f64 * 100.0 } else { 0.0 });
    text.field("current_save_keys_processed", done);
    text.field("current_save_keys_total", total);
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
    text.flag("aof_enabled", ctx.settings.persistence.appendonly);
    text.all(&["aof_rewrite_in_progress", "aof_rewrite_scheduled"], 0);
    text.all(&["aof_last_rewrite_time_sec", "aof_current_rewrite_time_sec"], -1);
    text.field("aof_last_bgrewrite_status", "ok");
    text.all(&["aof_rewrites", "aof_rewrites_consecutive_failures"], 0);
    text.field("aof_last_write_status", "ok");
    text.all(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"], 0);
    if loading {
        write_loading(&saving.loads, ctx.now().seconds(), text);
    }
}

fn write_loading(loads: &LoadFigures, now: i64, text: &mut Text) {
    let (total, done) = (loads.total_bytes.load(Relaxed), loads.done_bytes.load(Relaxed));
    let elapsed = now - loads.started_at.load(Relaxed);
    let left = total.saturating_sub(done) as i64;
    text.field("loading_start_time", loads.started_at.load(Relaxed));
    text.field("loading_total_bytes", total);
    text.field("loading_rdb_used_mem", loads.used_memory.load(Relaxed));
    text.field("loading_loaded_bytes", done);
    text.decimal("loading_loaded_perc", if total > 0 { done as f64 / total as f64 * 100.0 } else { 0.0 });
    // In the first second there is nothing to go by.
    text.field("loading_eta_seconds", if elapsed < 1 { 1 } else { elapsed.saturating_mul(left) / (done as i64 + 1) });
}

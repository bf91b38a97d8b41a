//! INFO's section on snapshots and the append-only file.

use std::sync::atomic::Ordering::Relaxed;

use super::text::Text;
use crate::engine::Context;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    text.section("Persistence");
    text.all(&["loading", "async_loading"], 0);
    // Snapshots are taken without fork, so no pages are copied on write.
    text.all(&["current_cow_peak", "current_cow_size", "current_cow_size_age"], 0);
    text.decimal("current_fork_perc", 0.0);
    text.all(&["current_save_keys_processed", "current_save_keys_total"], 0);
    text.field("rdb_changes_since_last_save", ctx.engine.dirty.load(Relaxed));
    text.field("rdb_bgsave_in_progress", 0);
    text.field("rdb_last_save_time", ctx.engine.started_at.load(Relaxed).div_euclid(1000));
    text.field("rdb_last_bgsave_status", "ok");
    text.all(&["rdb_last_bgsave_time_sec", "rdb_current_bgsave_time_sec"], -1);
    text.all(&["rdb_saves", "rdb_last_cow_size", "rdb_last_load_keys_expired", "rdb_last_load_keys_loaded"], 0);
    text.flag("aof_enabled", ctx.settings.persistence.appendonly);
    text.all(&["aof_rewrite_in_progress", "aof_rewrite_scheduled"], 0);
    text.all(&["aof_last_rewrite_time_sec", "aof_current_rewrite_time_sec"], -1);
    text.field("aof_last_bgrewrite_status", "ok");
    text.all(&["aof_rewrites", "aof_rewrites_consecutive_failures"], 0);
    text.field("aof_last_write_status", "ok");
    text.all(&["aof_last_cow_size", "module_fork_in_progress", "module_fork_last_cow_size"], 0);
}

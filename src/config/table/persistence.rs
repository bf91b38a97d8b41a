//! Snapshots and the append only file.

use crate::config::kind::{BOOL, INT_MAX, INT_MIN, Kind, LONG_MAX, int, memory, one_of, text};
use crate::config::parameter::{Effect, parameters};
use crate::config::text_checks;
use crate::config::values::{AppendFsync, SavePoints};

parameters! {
    /// Snapshots and the append only file.
    pub struct Persistence, persistence;

    /// Save a snapshot after so many seconds if there were so many changes; several pairs, none if empty.
    "save" => save: SavePoints = "3600 1 300 100 60 10000", Kind::Save;

    /// Name of the snapshot in dir.
    "dbfilename" => dbfilename: String = "dump.rdb", text(text_checks::dbfilename), [protected()];

    /// Version of the format that snapshots and DUMP are written in: 11 as Redis 7.2, or 10, which Redis 7.0 reads too.
    "rdb-version" => rdb_version: u32 = "11", int(10, 11);

    /// Compress strings in snapshots.
    "rdbcompression" => rdbcompression: bool = "yes", BOOL;

    /// Put a checksum at the end of snapshots, and check it on loading.
    "rdbchecksum" => rdbchecksum: bool = "yes", BOOL, [immutable()];

    /// Refuse writes after a background save has failed.
    "stop-writes-on-bgsave-error" => stop_writes_on_bgsave_error: bool = "yes", BOOL;

    /// Remove snapshots that only served synchronisation, where nothing else is saved.
    "rdb-del-sync-files" => rdb_del_sync_files: bool = "no", BOOL;

    /// Flush a snapshot to disk piece by piece.
    "rdb-save-incremental-fsync" => rdb_save_incremental_fsync: bool = "yes", BOOL;

    /// Log every write to the append only file.
    "appendonly" => appendonly: bool = "no", BOOL, [denied_while_loading(), effect(Effect::AppendOnly)];

    /// Stem of the append only files' names.
    "appendfilename" => appendfilename: String = "appendonly.aof", text(text_checks::appendfilename), [immutable()];

    /// Directory of the append only files, inside dir.
    "appenddirname" => appenddirname: String = "appendonlydir", text(text_checks::appenddirname), [immutable()];

    /// When the append only file is flushed to disk: before each reply, every second, or when the kernel likes.
    "appendfsync" => appendfsync: AppendFsync = "everysec", one_of::<AppendFsync>(), [effect(Effect::AppendFsync)];

    /// Do not flush the append only file while a rewrite or save is running.
    "no-appendfsync-on-rewrite" => no_appendfsync_on_rewrite: bool = "no", BOOL;

    /// Percentage of growth at which the append only file is rewritten, 0 for never.
    "auto-aof-rewrite-percentage" => auto_aof_rewrite_percentage: u32 = "100", int(0, INT_MAX);

    /// Bytes below which the append only file is not rewritten by itself.
    "auto-aof-rewrite-min-size" => auto_aof_rewrite_min_size: u64 = "64mb", memory(0, LONG_MAX);

    /// Start although the append only file ends in the middle of a command.
    "aof-load-truncated" => aof_load_truncated: bool = "yes", BOOL;

    /// Begin a rewritten append only file with a snapshot.
    "aof-use-rdb-preamble" => aof_use_rdb_preamble: bool = "yes", BOOL;

    /// Note times in the append only file.
    "aof-timestamp-enabled" => aof_timestamp_enabled: bool = "no", BOOL, [effect(Effect::AofTimes)];

    /// Flush a rewritten append only file to disk piece by piece.
    "aof-rewrite-incremental-fsync" => aof_rewrite_incremental_fsync: bool = "yes", BOOL;

    /// Keep append only files that are no longer needed.
    "aof-disable-auto-gc" => aof_disable_auto_gc: bool = "no", BOOL, [hidden(), effect(Effect::AofHistory)];

    /// Microseconds to wait after each key saved, for tests.
    "rdb-key-save-delay" => rdb_key_save_delay: i32 = "0", int(INT_MIN, INT_MAX), [hidden()];

    /// Microseconds to wait after each key loaded, for tests.
    "key-load-delay" => key_load_delay: i32 = "0", int(INT_MIN, INT_MAX), [hidden()];

    /// Bytes loaded between two signs of life for `watchdog-period`. Clients are served by other threads all the while.
    "loading-process-events-interval-bytes" => loading_process_events_interval_bytes: u32 = "2097152",
        int(1024, INT_MAX), [hidden()];
}

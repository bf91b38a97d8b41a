//! INFO's section on replication.

use super::text::Text;
use crate::engine::Context;
use crate::session::ClientFlags;

/// The replication id of a history that does not exist.
const NO_HISTORY: &str = "0000000000000000000000000000000000000000";

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let replicas =
        ctx.engine.clients.all().iter().filter(|client| client.flags().contains(ClientFlags::REPLICA)).count();
    let settings = &ctx.settings.replication;
    let (end, active) = (ctx.engine.feed.end().0, ctx.engine.feed.is_read());
    let held = if active { end.min(settings.repl_backlog_size) } else { 0 };
    text.section("Replication");
    text.field("role", "master");
    text.field("connected_slaves", replicas);
    text.field("master_failover_state", "no-failover");
    // A primary's history begins with its start.
    text.field("master_replid", &ctx.engine.run_id);
    text.field("master_replid2", NO_HISTORY);
    text.field("master_repl_offset", end);
    text.field("second_repl_offset", -1);
    text.flag("repl_backlog_active", active);
    text.field("repl_backlog_size", settings.repl_backlog_size);
    text.field("repl_backlog_first_byte_offset", if active { end - held + 1 } else { 0 });
    text.field("repl_backlog_histlen", held);
}

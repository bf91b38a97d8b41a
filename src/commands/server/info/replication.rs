//! INFO's section on replication.

use super::text::Text;
use crate::engine::{Context, LinkPhase, LinkReport, RoleReport};
use crate::replication::ReplicationId;

pub(super) fn write(ctx: &Context<'_>, text: &mut Text) {
    let replication = &ctx.engine.replication;
    let settings = &ctx.settings.replication;
    text.section("Replication");
    match ctx.engine.role() {
        RoleReport::Primary => text.field("role", "master"),
        RoleReport::Replica { primary, link, offset, has_position } => {
            text.field("role", "slave");
            text.field("master_host", &primary.host);
            text.field("master_port", primary.port);
            write_link(ctx, text, &link, if has_position { offset.0 } else { 1 });
        }
    }
    let replicas = replication.replicas();
    text.field("connected_slaves", replicas.len());
    if settings.min_replicas_to_write > 0 && settings.min_replicas_max_lag > 0 {
        text.field("min_slaves_good_slaves", ctx.engine.good_replicas(ctx.settings));
    }
    for (index, replica) in replicas.iter().enumerate() {
        let report = replica.report(ctx.now());
        text.field(
            format!("slave{index}"),
            format!(
                "ip={},port={},state={},offset={},lag={}",
                report.address, report.port, report.state, report.offset, report.lag_s
            ),
        );
    }
    let (history, active) = (replication.history(), replication.has_backlog());
    // The stream goes on meanwhile where this is a replica.
    let (start, end) = ctx.engine.feed.span();
    let start = if active { start } else { end };
    text.field("master_failover_state", ctx.engine.failover_state());
    text.field("master_replid", history.id);
    text.field("master_replid2", history.second.map_or(ReplicationId::NONE, |second| second.id));
    text.field("master_repl_offset", end.0);
    text.field("second_repl_offset", history.second.map_or(-1, |second| second.until.request() as i64));
    text.flag("repl_backlog_active", active);
    text.field("repl_backlog_size", settings.repl_backlog_size);
    text.field("repl_backlog_first_byte_offset", if active { start.request() } else { 0 });
    text.field("repl_backlog_histlen", end.0 - start.0);
    if let Some(group) = replication.membership.claim() {
        text.field("group_id", &group.id);
        text.flag("group_fixed", group.fixed);
    }
    text.field("group_refused_replicas", replication.membership.refusals());
}

fn write_link(ctx: &Context<'_>, text: &mut Text, link: &LinkReport, offset: u64) {
    let settings = &ctx.settings.replication;
    let connected = link.phase == LinkPhase::Connected;
    let idle_s = (ctx.now().0 - link.last_input).max(0) / 1000;
    let read = if connected { link.read_offset } else { offset };
    text.field("master_link_status", if connected { "up" } else { "down" });
    text.field("master_last_io_seconds_ago", if connected { idle_s } else { -1 });
    text.flag("master_sync_in_progress", link.phase == LinkPhase::Transfer);
    text.field("slave_read_repl_offset", read);
    text.field("slave_repl_offset", offset);
    if link.phase == LinkPhase::Transfer {
        let (total, read) = (link.transfer_total, link.transfer_read);
        text.field("master_sync_total_bytes", total);
        text.field("master_sync_read_bytes", read);
        text.field("master_sync_left_bytes", total as i64 - read as i64);
        text.decimal("master_sync_perc", if total > 0 { read as f64 / total as f64 * 100.0 } else { 0.0 });
        text.field("master_sync_last_io_seconds_ago", idle_s);
    }
    if !connected {
        let down_s = if link.down_since > 0 { ctx.now().seconds() - link.down_since } else { -1 };
        text.field("master_link_down_since_seconds", down_s);
        if let Some(why) = ctx.engine.replication.membership.stranger() {
            text.field("master_link_refused", why);
        }
    }
    text.field("slave_priority", settings.replica_priority);
    text.flag("slave_read_only", settings.replica_read_only);
    text.flag("replica_announced", settings.replica_announced);
}

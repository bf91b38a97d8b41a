//! The life of the server as clients steer it: SHUTDOWN, ROLE, and snapshots on disk.

mod save;

use crate::catalog::{Group, Spec, categories, flags};
use crate::config::values::ShutdownFlags;
use crate::engine::{Command, CommandResult, Context, LinkPhase, NullReply, Outcome, RoleReport, Shutdown, Wait};
use crate::resp::WireError;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[ROWS, save::ROWS];

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "shutdown",
            arity: -1,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL, NO_MULTI, ALLOW_BUSY],
            group: Group::Server,
            since: "1.0.0",
            summary: "Stops the server, saving first if so configured.",
            complexity: "O(N) when saving, where N is the total number of keys in all databases when saving data, \
                otherwise O(1)",
            history: &[("7.0.0", "Added the `NOW`, `FORCE` and `ABORT` modifiers.")],
            args: "save-selector?:(nosave=NOSAVE | save=SAVE) now?=NOW@7.0.0 force?=FORCE@7.0.0 abort?=ABORT@7.0.0",
            ..Spec::BASE
        },
        run: shutdown,
    },
    Command {
        spec: Spec {
            name: "role",
            arity: 1,
            flags: flags![NOSCRIPT, LOADING, STALE, FAST, SENTINEL],
            categories: categories![ADMIN, DANGEROUS],
            group: Group::Server,
            since: "2.8.12",
            summary: "Tells if the server is a primary or a replica, with details.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: role,
    },
];

pub(super) fn shutdown(ctx: &mut Context<'_>) -> CommandResult {
    let (mut save, mut nosave, mut now, mut force, mut abort) = (false, false, false, false, false);
    for option in ctx.args.from(1) {
        *match option.to_ascii_lowercase().as_slice() {
            b"save" => &mut save,
            b"nosave" => &mut nosave,
            b"now" => &mut now,
            b"force" => &mut force,
            b"abort" => &mut abort,
            _ => return ctx.syntax(),
        } = true;
    }
    if (abort && (save || nosave || now || force)) || (save && nosave) {
        return ctx.syntax();
    }
    if abort {
        if !ctx.engine.abort_shutdown() {
            return Err(WireError::fixed("ERR No shutdown in progress."));
        }
        tracing::info!("Shutdown manually aborted.");
        return ctx.done_ok();
    }
    if !nosave && ctx.engine.running_script.is_known() {
        return Err(ctx.engine.running_script.busy_error());
    }
    tracing::warn!("User requested shutdown...");
    let how = ShutdownFlags { save, nosave, now, force };
    ctx.engine.request_shutdown(Shutdown { exit_code: 0, how, client: Some(ctx.session.client.id) });
    // The wait ends with the process, or with an error if the server cannot save and goes on.
    ctx.wait(Wait { on_timeout: NullReply::Bulk, ..Wait::BASE })
}

pub(super) fn role(ctx: &mut Context<'_>) -> CommandResult {
    match ctx.engine.role() {
        RoleReport::Primary => {
            let all = ctx.engine.replication.replicas();
            let online = all.iter().map(|replica| replica.report(ctx.now())).filter(|report| report.state == "online");
            let online: Vec<_> = online.collect();
            ctx.reply.array(3);
            ctx.reply.bulk(b"master");
            ctx.reply.int(ctx.engine.feed.end().0 as i64);
            ctx.reply.array(online.len());
            for replica in online {
                ctx.reply.array(3);
                ctx.reply.bulk(replica.address.as_bytes());
                ctx.reply.bulk_int(replica.port.into());
                ctx.reply.bulk_int(replica.offset as i64);
            }
        }
        RoleReport::Replica { primary, link, offset, .. } => {
            ctx.reply.array(5);
            ctx.reply.bulk(b"slave");
            ctx.reply.bulk(primary.host.as_bytes());
            ctx.reply.int(primary.port.into());
            ctx.reply.bulk(link.phase.name().as_bytes());
            ctx.reply.int(if link.phase == LinkPhase::Connected { offset.0 as i64 } else { -1 });
        }
    }
    Ok(Outcome::Done)
}

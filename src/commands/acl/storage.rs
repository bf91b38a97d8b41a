//! ACL LOAD and ACL SAVE: users from and to the file that `aclfile` names.

use std::path::{Path, PathBuf};

use crate::acl::{Terms, load, save};
use crate::catalog::{Group, Spec, flags};
use crate::config::values::AclPubsubDefault;
use crate::engine::{Command, CommandResult, Context};
use crate::resp::WireError;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "acl|load",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL, EXCLUSIVE],
            group: Group::Server,
            since: "6.0.0",
            summary: "Takes the users over from the ACL file.",
            complexity: "O(N). Where N is the number of configured users.",
            ..Spec::BASE
        },
        run: acl_load,
    },
    Command {
        spec: Spec {
            name: "acl|save",
            arity: 2,
            flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, SENTINEL],
            group: Group::Server,
            since: "6.0.0",
            summary: "Writes the users to the ACL file.",
            complexity: "O(N). Where N is the number of configured users.",
            tips: &["request_policy:all_nodes", "response_policy:all_succeeded"],
            ..Spec::BASE
        },
        run: acl_save,
    },
];

pub(super) fn acl_load(ctx: &mut Context<'_>) -> CommandResult {
    let path = path(ctx)?;
    let security = &ctx.settings.security;
    let users = &ctx.engine.users;
    let terms = Terms {
        commands: users.commands(),
        all_channels: security.acl_pubsub_default == AclPubsubDefault::AllChannels,
    };
    let loaded = load(&path, &security.aclfile, &terms)
        .map_err(|errors| WireError::new(format!("ERR {}", errors.trim_end())))?;
    let gone = users.replace(loaded);
    ctx.engine.close_clients_of(ctx.session, &gone);
    ctx.done_ok()
}

pub(super) fn acl_save(ctx: &mut Context<'_>) -> CommandResult {
    let path = path(ctx)?;
    if let Err(error) = save(&path, &ctx.engine.users) {
        tracing::warn!("Writing ACL file for ACL SAVE: {}: {error}", path.display());
        return Err(WireError::fixed(
            "ERR There was an error trying to save the ACLs. Please check the server logs for more information",
        ));
    }
    ctx.done_ok()
}

/// The file; relative to the data folder, as everything is.
fn path(ctx: &Context<'_>) -> Result<PathBuf, WireError> {
    let file = &ctx.settings.security.aclfile;
    if file.is_empty() {
        return Err(WireError::fixed(
            "ERR This Redis instance is not configured to use an ACL file. You may want to specify users via the ACL SETUSER \
             command and then issue a CONFIG REWRITE (assuming you have a Redis configuration file set) in order to store \
             users in the Redis configuration.",
        ));
    }
    Ok(Path::new(&ctx.settings.general.dir).join(file))
}

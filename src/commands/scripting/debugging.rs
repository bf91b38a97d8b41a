//! EVAL in a connection that debugs its scripts: a session around the script, whatever becomes of it.
//!
//! The client closes a session by its connection: whoever debugs gets what is left to be said, then the script's reply, and is
//! closed.

use std::time::Duration;

use super::cache::NO_FORK;
use crate::engine::{CommandResult, Context};
use crate::resp::WireError;
use crate::scripting::Debugger;
use crate::session::ScriptDebugging;

/// For how long a script may run until it is stopped, where `busy-reply-threshold` does not say.
const PATIENCE: Duration = Duration::from_secs(5);

/// Runs a script in a session of its own.
pub(super) fn run(
    ctx: &mut Context<'_>,
    mode: ScriptDebugging,
    script: impl FnOnce(&mut Context<'_>, &Debugger) -> CommandResult,
) -> CommandResult {
    let patience = match ctx.settings.general.busy_reply_threshold {
        0 => PATIENCE,
        millis => Duration::from_millis(millis),
    };
    let debugger = Debugger::new(ctx.args.at(1), patience);
    let result = match mode {
        ScriptDebugging::Refused => Err(NO_FORK),
        _ if !ctx.can_talk() => Err(WireError::fixed("ERR There is no memory for debugging a script")),
        _ => {
            tracing::warn!("Redis synchronous debugging eval session started");
            let result = script(ctx, &debugger);
            tracing::warn!("Redis synchronous debugging eval session ended");
            result
        }
    };
    ctx.say(debugger.farewell());
    ctx.session.close_after_reply = true;
    result
}

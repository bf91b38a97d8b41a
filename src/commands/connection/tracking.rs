//! CLIENT TRACKING, CACHING, TRACKINGINFO, GETREDIR: caches on the side of the client.

use crate::catalog::{Categories, Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::resp::WireError;
use crate::session::{ClientFlags, ClientId};
use crate::tracking::Mode;

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "client|caching",
            arity: 3,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.0.0",
            summary: "Decides if the next command's keys are tracked.",
            complexity: "O(1)",
            args: "mode:(yes=YES | no=NO)",
            ..Spec::BASE
        },
        run: client_caching,
    },
    Command {
        spec: Spec {
            name: "client|getredir",
            arity: 2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.0.0",
            summary: "Tells which client gets this one's invalidation messages.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: client_getredir,
    },
    Command {
        spec: Spec {
            name: "client|tracking",
            arity: -3,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.0.0",
            summary: "Switches invalidation messages for client-side caches.",
            complexity: "O(1). Some options may introduce additional complexity.",
            args: "status:(on=ON | off=OFF) client-id?=REDIRECT:integer prefix?+=PREFIX:string bcast?=BCAST \
                optin?=OPTIN optout?=OPTOUT noloop?=NOLOOP",
            ..Spec::BASE
        },
        run: client_tracking,
    },
    Command {
        spec: Spec {
            name: "client|trackinginfo",
            arity: 2,
            flags: flags![NOSCRIPT, LOADING, STALE, SENTINEL],
            categories: Categories::CONNECTION,
            group: Group::Connection,
            since: "6.2.0",
            summary: "Describes the state of tracking for this connection.",
            complexity: "O(1)",
            ..Spec::BASE
        },
        run: client_trackinginfo,
    },
];

/// The options of CLIENT TRACKING.
struct Options<'a> {
    mode: Mode,
    prefixes: Vec<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn parse(ctx: &Context<'a>) -> Result<Self, WireError> {
        let mut options = Self { mode: Mode { redirect: None, options: ClientFlags::empty() }, prefixes: Vec::new() };
        let flags = &mut options.mode.options;
        let mut index = 3;
        while index < ctx.args.len() {
            let has_value = index + 1 < ctx.args.len();
            match ctx.args.at(index).to_ascii_uppercase().as_slice() {
                b"REDIRECT" if has_value => {
                    index += 1;
                    if options.mode.redirect.is_some() {
                        return Err(WireError::fixed("ERR A client can only redirect to a single other client"));
                    }
                    let id = u64::try_from(ctx.int(index)?).ok().map(ClientId);
                    let id = id.filter(|id| ctx.engine.clients.get(*id).is_some());
                    options.mode.redirect =
                        Some(id.ok_or(WireError::fixed("ERR The client ID you want redirect to does not exist"))?);
                }
                b"PREFIX" if has_value => {
                    index += 1;
                    options.prefixes.push(ctx.args.at(index));
                }
                b"BCAST" => *flags |= ClientFlags::TRACKING_BCAST,
                b"OPTIN" => *flags |= ClientFlags::TRACKING_OPTIN,
                b"OPTOUT" => *flags |= ClientFlags::TRACKING_OPTOUT,
                b"NOLOOP" => *flags |= ClientFlags::TRACKING_NOLOOP,
                _ => return Err(WireError::SYNTAX),
            }
            index += 1;
        }
        Ok(options)
    }

    /// Whether the options go together, and with what the client has already.
    fn check(&self, ctx: &Context<'_>) -> Result<(), WireError> {
        let (new, old) = (self.mode.options, ctx.session.client.flags());
        let (bcast, optin, optout) =
            (ClientFlags::TRACKING_BCAST, ClientFlags::TRACKING_OPTIN, ClientFlags::TRACKING_OPTOUT);
        if !new.contains(bcast) && !self.prefixes.is_empty() {
            return Err(WireError::fixed("ERR PREFIX option requires BCAST mode to be enabled"));
        }
        if old.contains(ClientFlags::TRACKING) && old.contains(bcast) != new.contains(bcast) {
            return Err(WireError::fixed(
                "ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it \
                 with a different mode.",
            ));
        }
        if new.contains(bcast) && new.intersects(optin | optout) {
            return Err(WireError::fixed("ERR OPTIN and OPTOUT are not compatible with BCAST"));
        }
        if new.contains(optin | optout) {
            return Err(WireError::fixed("ERR You can't specify both OPTIN mode and OPTOUT mode"));
        }
        if (new.contains(optin) && old.contains(optout)) || (new.contains(optout) && old.contains(optin)) {
            return Err(WireError::fixed(
                "ERR You can't switch OPTIN/OPTOUT mode before disabling tracking for this client, and then re-enabling it \
                 with a different mode.",
            ));
        }
        if new.contains(bcast) { self.check_prefixes(&ctx.session.tracking_prefixes) } else { Ok(()) }
    }

    /// Prefixes that begin with one another would tell the same key twice.
    fn check_prefixes(&self, own: &[Box<[u8]>]) -> Result<(), WireError> {
        for (index, prefix) in self.prefixes.iter().enumerate() {
            if let Some(other) = own.iter().find(|other| overlap(prefix, other)) {
                return Err(overlap_error(prefix, "an existing prefix", other));
            }
            if let Some(other) = self.prefixes[index + 1..].iter().find(|other| overlap(prefix, other)) {
                return Err(overlap_error(prefix, "another provided prefix", other));
            }
        }
        Ok(())
    }
}

fn overlap(one: &[u8], other: &[u8]) -> bool {
    one.starts_with(other) || other.starts_with(one)
}

fn overlap_error(prefix: &[u8], what: &str, other: &[u8]) -> WireError {
    let end = b"'. Prefixes for a single client must not overlap.";
    WireError::quoting(&[b"ERR Prefix '", prefix, b"' overlaps with ", what.as_bytes(), b" '", other, end])
}

pub(super) fn client_tracking(ctx: &mut Context<'_>) -> CommandResult {
    let options = Options::parse(ctx)?;
    if ctx.args.is(2, "ON") {
        options.check(ctx)?;
        ctx.engine.tracking.enable(ctx.session, options.mode, &options.prefixes);
    } else if ctx.args.is(2, "OFF") {
        ctx.engine.tracking.disable(ctx.session);
    } else {
        return ctx.syntax();
    }
    ctx.done_ok()
}

pub(super) fn client_caching(ctx: &mut Context<'_>) -> CommandResult {
    let flags = ctx.session.client.flags();
    if !flags.contains(ClientFlags::TRACKING) {
        return Err(WireError::fixed(
            "ERR CLIENT CACHING can be called only when the client is in tracking mode with OPTIN or OPTOUT mode enabled",
        ));
    }
    if ctx.args.is(2, "YES") {
        if !flags.contains(ClientFlags::TRACKING_OPTIN) {
            return Err(WireError::fixed(
                "ERR CLIENT CACHING YES is only valid when tracking is enabled in OPTIN mode.",
            ));
        }
    } else if ctx.args.is(2, "NO") {
        if !flags.contains(ClientFlags::TRACKING_OPTOUT) {
            return Err(WireError::fixed(
                "ERR CLIENT CACHING NO is only valid when tracking is enabled in OPTOUT mode.",
            ));
        }
    } else {
        return ctx.syntax();
    }
    ctx.session.client.set_flags(ClientFlags::TRACKING_CACHING, true);
    ctx.session.caching = 2;
    ctx.done_ok()
}

pub(super) fn client_getredir(ctx: &mut Context<'_>) -> CommandResult {
    let redirect = ctx.session.client.redirected_to();
    ctx.done_int(redirect)
}

pub(super) fn client_trackinginfo(ctx: &mut Context<'_>) -> CommandResult {
    let flags = ctx.session.client.flags();
    let caching = flags.contains(ClientFlags::TRACKING_CACHING);
    let (optin, optout) = (flags.contains(ClientFlags::TRACKING_OPTIN), flags.contains(ClientFlags::TRACKING_OPTOUT));
    let words = [
        (flags.contains(ClientFlags::TRACKING), "on"),
        (!flags.contains(ClientFlags::TRACKING), "off"),
        (flags.contains(ClientFlags::TRACKING_BCAST), "bcast"),
        (optin, "optin"),
        (optin && caching, "caching-yes"),
        (optout, "optout"),
        (optout && caching, "caching-no"),
        (flags.contains(ClientFlags::TRACKING_NOLOOP), "noloop"),
        (flags.contains(ClientFlags::TRACKING_BROKEN), "broken_redirect"),
    ];
    let words: Vec<&str> = words.iter().filter(|(set, _)| *set).map(|(_, word)| *word).collect();
    let redirect = ctx.session.client.redirected_to();
    ctx.reply.map(3);
    ctx.reply.bulk(b"flags");
    ctx.reply.set(words.len());
    for word in words {
        ctx.reply.bulk(word.as_bytes());
    }
    ctx.reply.bulk(b"redirect");
    ctx.reply.int(redirect);
    ctx.reply.bulk(b"prefixes");
    ctx.reply.array(ctx.session.tracking_prefixes.len());
    for prefix in &ctx.session.tracking_prefixes {
        ctx.reply.bulk(prefix);
    }
    Ok(Outcome::Done)
}

//! REPLCONF: what a replica tells of itself, and how far it is.

use crate::base::number::parse_i64;
use crate::catalog::{Group, Spec, flags};
use crate::engine::{Command, CommandResult, Context, Outcome};
use crate::group::claim::{Claim, is_id};
use crate::resp::WireError;
use crate::session::{ClientFlags, Counterpart};
use crate::tls::mode::TransitEncryption;

/// A host name of this length is none.
const HOST_BYTES: usize = 256;

/// The commands of this file.
pub const ROWS: &[Command] = &[Command {
    spec: Spec {
        name: "replconf",
        arity: -1,
        flags: flags![ADMIN, NOSCRIPT, LOADING, STALE, ALLOW_BUSY, SYSCMD],
        group: Group::Server,
        since: "3.0.0",
        summary: "Exchanges replication settings; for replicas only.",
        complexity: "O(1)",
        ..Spec::BASE
    },
    run: replconf,
}];

pub(super) fn replconf(ctx: &mut Context<'_>) -> CommandResult {
    if ctx.args.len().is_multiple_of(2) {
        return ctx.syntax();
    }
    let mut group = ToldGroup::default();
    for index in (1..ctx.args.len()).step_by(2) {
        let (option, value) = (ctx.args.at(index), ctx.args.at(index + 1));
        match option.to_ascii_lowercase().as_slice() {
            b"listening-port" => {
                let port = ctx.int(index + 1)?;
                ctx.session.replica.port = u16::try_from(port).unwrap_or(0);
            }
            b"ip-address" => set_address(ctx, value)?,
            b"capa" => {
                let facts = &mut ctx.session.replica;
                facts.reads_marked |= value.eq_ignore_ascii_case(b"eof");
                facts.knows_second_id |= value.eq_ignore_ascii_case(b"psync2");
            }
            b"ack" => return acknowledge(ctx, index),
            b"getack" => {
                ctx.session.must_confirm = ctx.session.counterpart == Counterpart::Primary;
                return Ok(Outcome::Done);
            }
            b"rdb-only" => ctx.session.replica.snapshot_only = ctx.zero_or_one(index + 1)?,
            b"rdb-filter-only" => set_filter(ctx, value)?,
            b"group-id" => group.id = Some(value),
            b"group-fixed" => group.fixed = value.eq_ignore_ascii_case(b"yes"),
            b"transit-encryption" => group.mode = Some(mode(value)),
            _ => return Err(WireError::quoting(&[b"ERR Unrecognized REPLCONF option: ", option])),
        }
    }
    match group.id {
        Some(id) => judge_group(ctx, id, &group),
        None => ctx.done_ok(),
    }
}

/// What a replica has told of its group.
#[derive(Default)]
struct ToldGroup<'a> {
    id: Option<&'a [u8]>,
    fixed: bool,
    mode: Option<TransitEncryption>,
}

fn mode(value: &[u8]) -> TransitEncryption {
    if value.eq_ignore_ascii_case(b"on") { TransitEncryption::On } else { TransitEncryption::Off }
}

fn set_address(ctx: &mut Context<'_>, address: &[u8]) -> Result<(), WireError> {
    if address.len() >= HOST_BYTES {
        return Err(WireError::new(format!(
            "ERR REPLCONF ip-address provided by replica instance is too long: {} bytes",
            address.len()
        )));
    }
    // It is shown in INFO's lines.
    let shown: String = String::from_utf8_lossy(address).chars().filter(|c| !c.is_control()).collect();
    ctx.session.replica.address = Some(shown).filter(|address| !address.is_empty());
    Ok(())
}

/// How far a replica is. Nothing is replied, whatever is wrong.
fn acknowledge(ctx: &mut Context<'_>, index: usize) -> CommandResult {
    let number = |index: usize| ctx.args.get(index).and_then(parse_i64).and_then(|n| u64::try_from(n).ok());
    if ctx.session.client.flags().contains(ClientFlags::REPLICA)
        && let Some(offset) = number(index + 1)
    {
        let on_disk = if ctx.args.is(index + 2, "FACK") { number(index + 3) } else { None };
        ctx.engine.confirm(ctx.session.client.id, offset, on_disk);
    }
    Ok(Outcome::Done)
}

/// What the snapshot is to have in it, and nothing else.
fn set_filter(ctx: &mut Context<'_>, value: &[u8]) -> Result<(), WireError> {
    let facts = &mut ctx.session.replica;
    (facts.without_keys, facts.without_functions) = (true, true);
    for part in value.split(u8::is_ascii_whitespace).filter(|part| !part.is_empty()) {
        if !part.eq_ignore_ascii_case(b"functions") {
            return Err(WireError::quoting(&[b"ERR Unsupported rdb-filter-only option: ", part]));
        }
        ctx.session.replica.without_functions = false;
    }
    Ok(())
}

/// A node of a group that must not follow this one is told so, here and if it asks for the stream all the same.
fn judge_group(ctx: &mut Context<'_>, id: &[u8], told: &ToldGroup<'_>) -> CommandResult {
    if !is_id(id) {
        return Err(WireError::fixed("ERR group-id is 32 hexadecimal digits"));
    }
    let claim = Claim { id: String::from_utf8_lossy(id).into_owned(), mode: told.mode, fixed: told.fixed };
    let admitted = ctx.engine.replication.membership.admit(&claim);
    ctx.session.replica.is_stranger = admitted.is_err();
    match admitted {
        Ok(Some(answer)) => ctx.reply.status(&answer),
        Ok(None) => ctx.reply.status("OK"),
        Err(stranger) => {
            tracing::warn!("{} is refused as a replica: {stranger}", ctx.session.client.peer.address);
            return Err(WireError::new(format!("GROUP {stranger}")));
        }
    }
    Ok(Outcome::Done)
}

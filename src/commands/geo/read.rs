//! Looking at members: GEODIST, GEOHASH, GEOPOS.

use super::{member_place, reply_distance, reply_place, unit};
use crate::catalog::{Categories, Group, Spec, flags, keys};
use crate::data::geo::standard_text;
use crate::data::zset::ZSet;
use crate::engine::{Command, CommandResult, Context, Outcome};

/// The commands of this file.
pub const ROWS: &[Command] = &[
    Command {
        spec: Spec {
            name: "geodist",
            arity: -4,
            flags: flags![READONLY],
            categories: Categories::GEO,
            keys: keys::FIRST_READ,
            group: Group::Geo,
            since: "3.2.0",
            summary: "Measures how far two members are apart.",
            complexity: "O(1)",
            args: "key:key member1:string member2:string unit?:(m=M | km=KM | ft=FT | mi=MI)",
            ..Spec::BASE
        },
        run: geodist,
    },
    Command {
        spec: Spec {
            name: "geohash",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::GEO,
            keys: keys::FIRST_READ,
            group: Group::Geo,
            since: "3.2.0",
            summary: "Computes the standard geohash strings of members.",
            complexity: "O(1) for each member requested.",
            args: "key:key member?*:string",
            ..Spec::BASE
        },
        run: geohash,
    },
    Command {
        spec: Spec {
            name: "geopos",
            arity: -2,
            flags: flags![READONLY],
            categories: Categories::GEO,
            keys: keys::FIRST_READ,
            group: Group::Geo,
            since: "3.2.0",
            summary: "Reads the longitude and latitude of members.",
            complexity: "O(1) for each member requested.",
            args: "key:key member?*:string",
            ..Spec::BASE
        },
        run: geopos,
    },
];

pub(super) fn geodist(ctx: &mut Context<'_>) -> CommandResult {
    let unit = match ctx.args.len() {
        4 => 1.0,
        5 => unit(ctx, 4)?,
        _ => return ctx.syntax(),
    };
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    let place = |index| member_place(set?, ctx.args.at(index));
    match (place(2), place(3)) {
        (Some(from), Some(to)) => reply_distance(&mut ctx.reply, from.distance(to) / unit),
        _ => ctx.reply.null(),
    }
    Ok(Outcome::Done)
}

pub(super) fn geohash(ctx: &mut Context<'_>) -> CommandResult {
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    ctx.reply.array(ctx.args.len() - 2);
    for member in ctx.args.from(2) {
        match set.and_then(|set| member_place(set, member)) {
            Some(place) => ctx.reply.bulk(&standard_text(place)),
            None => ctx.reply.null(),
        }
    }
    Ok(Outcome::Done)
}

pub(super) fn geopos(ctx: &mut Context<'_>) -> CommandResult {
    let set = ctx.keys.read::<ZSet>(ctx.args.at(1))?;
    ctx.reply.array(ctx.args.len() - 2);
    for member in ctx.args.from(2) {
        match set.and_then(|set| member_place(set, member)) {
            Some(place) => reply_place(&mut ctx.reply, place),
            None => ctx.reply.null_array(),
        }
    }
    Ok(Outcome::Done)
}

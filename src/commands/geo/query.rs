//! Running a search: the members inside the area, sorted, answered or stored.

use super::options::{Form, Order, Request};
use super::{reply_distance, reply_place};
use crate::data::geo::{Place, Shape};
use crate::data::zset::{ScoreBound, ZSet};
use crate::engine::{CommandResult, Context, EventClass, Outcome};

/// A member inside the area.
struct Match {
    member: Vec<u8>,
    score: f64,
    place: Place,
    /// From the centre, in metres.
    distance: f64,
}

/// Runs a search of any form.
pub fn run(ctx: &mut Context<'_>, form: Form) -> CommandResult {
    let set = ctx.keys.read::<ZSet>(ctx.args.at(form.source()))?;
    let request = Request::parse(ctx, form, set)?;
    let (matches, unit) = match (set, request.shape()) {
        (Some(set), Some(shape)) => (find(set, &shape, &request), shape.unit),
        _ => (Vec::new(), 1.0),
    };
    match request.destination {
        Some(destination) => store(ctx, form, &request, destination, matches, unit),
        None => answer(ctx, &request, &matches, unit),
    }
}

/// The members inside the area, in the order and number asked for.
fn find(set: &ZSet, shape: &Shape, request: &Request<'_>) -> Vec<Match> {
    let enough = if request.any { request.count.unwrap_or(usize::MAX) } else { usize::MAX };
    let mut matches = Vec::new();
    'cells: for scores in shape.score_ranges() {
        let min = ScoreBound { value: scores.start as f64, exclusive: false };
        let max = ScoreBound { value: scores.end as f64, exclusive: true };
        for (member, score) in set.range(set.score_range(min, max), false) {
            if matches.len() >= enough {
                break 'cells;
            }
            let place = Place::of_score(score);
            if let Some(distance) = shape.distance_inside(place) {
                matches.push(Match { member: member.to_vec(), score, place, distance });
            }
        }
    }
    // Some of many are the nearest ones, unless any will do.
    let order = request.order.or((request.count.is_some() && !request.any).then_some(Order::Ascending));
    match order {
        Some(Order::Ascending) => matches.sort_by(|a, b| a.distance.total_cmp(&b.distance)),
        Some(Order::Descending) => matches.sort_by(|a, b| b.distance.total_cmp(&a.distance)),
        None => {}
    }
    matches.truncate(request.count.unwrap_or(usize::MAX));
    matches
}

fn answer(ctx: &mut Context<'_>, request: &Request<'_>, matches: &[Match], unit: f64) -> CommandResult {
    let parts = [request.with_distance, request.with_hash, request.with_place].into_iter().filter(|on| *on).count();
    let reply = &mut ctx.reply;
    reply.array(matches.len());
    for found in matches {
        if parts > 0 {
            reply.array(parts + 1);
        }
        reply.bulk(&found.member);
        if request.with_distance {
            reply_distance(reply, found.distance / unit);
        }
        if request.with_hash {
            reply.int(found.score as i64);
        }
        if request.with_place {
            reply_place(reply, found.place);
        }
    }
    Ok(Outcome::Done)
}

fn store(
    ctx: &mut Context<'_>,
    form: Form,
    request: &Request<'_>,
    destination: &[u8],
    matches: Vec<Match>,
    unit: f64,
) -> CommandResult {
    let count = matches.len();
    if count == 0 {
        if ctx.keys.remove(destination).is_some() {
            ctx.change.dirty(1);
            ctx.changed(EventClass::GENERIC, "del", destination);
        }
        return ctx.done_int(0);
    }
    let limits = ctx.limits();
    let mut set = ZSet::new();
    set.prepare(count, matches.iter().map(|found| found.member.len()).max().unwrap_or(0), limits);
    for found in matches {
        let score = if request.store_distances { found.distance / unit } else { found.score };
        set.insert(&found.member, score, limits);
    }
    ctx.keys.set_container(destination, set);
    ctx.change.dirty(count);
    ctx.changed(EventClass::ZSET, form.event(), destination);
    ctx.done_int(count as i64)
}

//! Geo indexes: sorted sets whose scores are geohashes.

pub mod add;
pub mod options;
pub mod query;
pub mod radius;
pub mod read;
pub mod search;

use crate::data::geo::Place;
use crate::data::zset::ZSet;
use crate::engine::Context;
use crate::resp::{Reply, WireError};

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[add::ROWS, radius::ROWS, read::ROWS, search::ROWS];

/// The place that arguments `index` (longitude) and `index + 1` (latitude) name.
fn place(ctx: &Context<'_>, index: usize) -> Result<Place, WireError> {
    let place = Place { longitude: ctx.float(index)?, latitude: ctx.float(index + 1)? };
    if place.is_valid() {
        return Ok(place);
    }
    let Place { longitude, latitude } = place;
    Err(WireError::new(format!("ERR invalid longitude,latitude pair {longitude:.6},{latitude:.6}")))
}

/// The place of a member.
fn member_place(set: &ZSet, member: &[u8]) -> Option<Place> {
    set.score(member).map(Place::of_score)
}

/// The metres of the unit that argument `index` names.
fn unit(ctx: &Context<'_>, index: usize) -> Result<f64, WireError> {
    match ctx.args.at(index).to_ascii_lowercase().as_slice() {
        b"m" => Ok(1.0),
        b"km" => Ok(1000.0),
        b"ft" => Ok(0.3048),
        b"mi" => Ok(1609.34),
        _ => Err(WireError::fixed("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

/// Writes a distance: four decimals are tenths of a millimetre, or of a metre where it is in kilometres.
fn reply_distance(reply: &mut Reply<'_>, distance: f64) {
    reply.bulk(format!("{distance:.4}").as_bytes());
}

/// Writes a place as longitude and latitude.
fn reply_place(reply: &mut Reply<'_>, place: Place) {
    reply.array(2);
    reply.long_double(place.longitude);
    reply.long_double(place.latitude);
}

//! Geohashes: latitude and longitude halved in turn, the bits interleaved.
//!
//! With 26 steps they have 52 bits, which a double holds exactly. Coordinates and bits are those of Redis, so that scores
//! move between servers.

use super::{Bounds, LATITUDE, LONGITUDE, Place};

/// Steps of a stored hash.
pub const STEPS_MAX: u32 = 26;
const LATITUDE_BITS: u64 = 0x5555_5555_5555_5555;
const LONGITUDE_BITS: u64 = LATITUDE_BITS << 1;

/// A cell of the grid with `2^steps` rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GeoHash {
    /// Longitude in the odd bits, latitude in the even ones.
    pub bits: u64,
    /// Bits per coordinate, 1 to 26.
    pub steps: u32,
}

/// The sides of a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cell {
    /// West to east.
    pub longitude: Bounds,
    /// South to north.
    pub latitude: Bounds,
}

impl Cell {
    /// The place in its middle.
    pub fn middle(self) -> Place {
        Place { longitude: self.longitude.middle_within(LONGITUDE), latitude: self.latitude.middle_within(LATITUDE) }
    }
}

impl GeoHash {
    /// The cell that a valid place is in.
    pub fn of(place: Place, steps: u32) -> Self {
        Self::within(place, LATITUDE, steps)
    }

    fn within(place: Place, latitude: Bounds, steps: u32) -> Self {
        let cells = (1u64 << steps) as f64;
        let column = fraction(place.longitude, LONGITUDE) * cells;
        let row = fraction(place.latitude, latitude) * cells;
        Self { bits: spread(row as u32) | spread(column as u32) << 1, steps }
    }

    /// The cell that a score stands for. Scores that are none are read as C on x86-64 converts them.
    pub fn of_score(score: f64) -> Self {
        const TOP: f64 = (1u64 << 63) as f64;
        let bits = match score {
            _ if score < TOP => score as i64 as u64,
            _ if score < TOP * 2.0 => score as u64,
            _ => 0,
        };
        Self { bits, steps: STEPS_MAX }
    }

    /// The sides of the cell.
    pub fn cell(self) -> Cell {
        Cell {
            longitude: side(gather(self.bits >> 1), self.steps, LONGITUDE),
            latitude: side(gather(self.bits), self.steps, LATITUDE),
        }
    }

    /// The first score in the cell.
    pub fn aligned(self) -> u64 {
        self.bits << (2 * (STEPS_MAX - self.steps))
    }

    /// The cell behind it in the order of scores.
    pub fn following(self) -> Self {
        Self { bits: self.bits.wrapping_add(1), ..self }
    }

    /// The cell to the east (or west); the last one is followed by the first one.
    pub fn east(self, by: i8) -> Self {
        self.moved(LONGITUDE_BITS, by)
    }

    /// The cell to the north (or south); the last one is followed by the first one.
    pub fn north(self, by: i8) -> Self {
        self.moved(LATITUDE_BITS, by)
    }

    /// Adds to one of the interleaved coordinates: bits of the other one, all set, hand carries on. The eastern and northern
    /// edges of the map have a bit too many; only a move drops it, as in Redis.
    fn moved(self, own: u64, by: i8) -> Self {
        if by == 0 {
            return self;
        }
        let unused = 64 - 2 * self.steps;
        let (moving, resting) = (self.bits & own, self.bits & !own);
        let gaps = !own >> unused;
        let moved = match by {
            1.. => moving.wrapping_add(gaps.wrapping_add(1)),
            _ => (moving | gaps).wrapping_sub(gaps.wrapping_add(1)),
        };
        Self { bits: moved & own >> unused | resting, ..self }
    }
}

/// The geohash as it is usually written: 11 characters of base 32, with latitudes from pole to pole.
pub fn standard_text(place: Place) -> [u8; 11] {
    const ALPHABET: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";
    const POLES: Bounds = Bounds { min: -90.0, max: 90.0 };
    let bits = GeoHash::within(place, POLES, STEPS_MAX).bits;
    // 52 bits are ten characters and two bits; the eleventh character is always the same.
    std::array::from_fn(|index| match index {
        10 => ALPHABET[0],
        _ => ALPHABET[(bits >> (47 - 5 * index) & 31) as usize],
    })
}

/// Where a coordinate is within its bounds, 0 to 1.
fn fraction(coordinate: f64, bounds: Bounds) -> f64 {
    (coordinate - bounds.min) / (bounds.max - bounds.min)
}

fn side(index: u32, steps: u32, bounds: Bounds) -> Bounds {
    let cells = (1u64 << steps) as f64;
    let at = |index: u32| bounds.min + (f64::from(index) / cells) * (bounds.max - bounds.min);
    Bounds { min: at(index), max: at(index.wrapping_add(1)) }
}

/// Puts the bits of `value` into the even places.
fn spread(value: u32) -> u64 {
    let mut x = u64::from(value);
    for (shift, mask) in [
        (16, 0x0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333),
        (1, LATITUDE_BITS),
    ] {
        x = (x | x << shift) & mask;
    }
    x
}

/// Takes the bits in the even places.
fn gather(value: u64) -> u32 {
    let mut x = value & LATITUDE_BITS;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0f0f_0f0f_0f0f_0f0f),
        (4, 0x00ff_00ff_00ff_00ff),
        (8, 0x0000_ffff_0000_ffff),
        (16, 0x0000_0000_ffff_ffff),
    ] {
        x = (x | x >> shift) & mask;
    }
    x as u32
}

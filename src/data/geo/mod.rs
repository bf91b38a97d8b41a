//! Places on earth: geohashes as scores of a sorted set, distances, and the areas that searches visit.
//!
//! Knows nothing of sorted sets: a search is a list of ranges of scores and a [`Shape`] that says which places are inside.

mod area;
mod hash;
mod shape;

pub use hash::{GeoHash, standard_text};
pub use shape::{Extent, Shape};

/// Bounds of the longitude, in degrees.
pub const LONGITUDE: Bounds = Bounds { min: -180.0, max: 180.0 };
/// Bounds of the latitude, in degrees: those of the web's Mercator maps (EPSG:3857), which have no poles.
pub const LATITUDE: Bounds = Bounds { min: -85.051_128_78, max: 85.051_128_78 };

/// A range of coordinates, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
}

impl Bounds {
    /// Whether a coordinate is within.
    pub fn contains(self, coordinate: f64) -> bool {
        coordinate >= self.min && coordinate <= self.max
    }

    /// The middle of `self`, moved into `outer`.
    fn middle_within(self, outer: Self) -> f64 {
        ((self.min + self.max) / 2.0).min(outer.max).max(outer.min)
    }
}

/// A place.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Place {
    /// Degrees east.
    pub longitude: f64,
    /// Degrees north.
    pub latitude: f64,
}

impl Place {
    /// Whether it can be stored.
    pub fn is_valid(self) -> bool {
        LONGITUDE.contains(self.longitude) && LATITUDE.contains(self.latitude)
    }

    /// The score that stands for it.
    pub fn score(self) -> u64 {
        GeoHash::of(self, hash::STEPS_MAX).aligned()
    }

    /// The place that a score stands for: the middle of its cell.
    pub fn of_score(score: f64) -> Self {
        GeoHash::of_score(score).cell().middle()
    }

    /// Great-circle distance in metres.
    pub fn distance(self, other: Self) -> f64 {
        shape::distance(self, other)
    }
}

#[cfg(test)]
mod tests;

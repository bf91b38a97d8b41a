//! What a search asks for: a circle or a rectangle around a place, and distances.

use super::Place;

/// The earth's radius in metres, as Redis takes it.
pub const EARTH_RADIUS: f64 = 6_372_797.560_856;

/// How far a search reaches, in its own unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Extent {
    /// A circle of this radius.
    Radius(f64),
    /// A rectangle along the meridians.
    Box {
        /// West to east.
        width: f64,
        /// South to north.
        height: f64,
    },
}

/// The area of a search.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shape {
    /// The middle.
    pub centre: Place,
    /// How far it reaches.
    pub extent: Extent,
    /// Metres of the unit.
    pub unit: f64,
}

impl Shape {
    /// The distance of a place from the middle in metres, if the place is inside.
    pub fn distance_inside(&self, place: Place) -> Option<f64> {
        match self.extent {
            Extent::Radius(radius) => {
                let distance = self.centre.distance(place);
                (distance <= radius * self.unit).then_some(distance)
            }
            Extent::Box { width, height } => {
                // The latitudes come first: they are cheaper to compare.
                if along_meridian(place.latitude, self.centre.latitude) > height * self.unit / 2.0 {
                    return None;
                }
                let beside = Place { latitude: place.latitude, ..self.centre };
                let inside = place.distance(beside) <= width * self.unit / 2.0;
                inside.then(|| self.centre.distance(place))
            }
        }
    }

    /// The greatest distance from the middle, in metres.
    pub(super) fn reach(&self) -> f64 {
        let reach = match self.extent {
            Extent::Radius(radius) => radius,
            Extent::Box { width, height } => (width / 2.0 * (width / 2.0) + height / 2.0 * (height / 2.0)).sqrt(),
        };
        reach * self.unit
    }

    /// How far it reaches east or west, and north or south, in metres.
    pub(super) fn half_sides(&self) -> (f64, f64) {
        match self.extent {
            Extent::Radius(radius) => (self.unit * radius, self.unit * radius),
            Extent::Box { width, height } => (self.unit * (width / 2.0), self.unit * (height / 2.0)),
        }
    }
}

/// Great-circle distance in metres, by the haversine formula.
pub fn distance(a: Place, b: Place) -> f64 {
    let half_longitude = ((radians(b.longitude) - radians(a.longitude)) / 2.0).sin();
    if half_longitude == 0.0 {
        return along_meridian(a.latitude, b.latitude);
    }
    let (from, to) = (radians(a.latitude), radians(b.latitude));
    let half_latitude = ((to - from) / 2.0).sin();
    let haversine = half_latitude * half_latitude + from.cos() * to.cos() * half_longitude * half_longitude;
    2.0 * EARTH_RADIUS * haversine.sqrt().asin()
}

fn along_meridian(a: f64, b: f64) -> f64 {
    EARTH_RADIUS * (radians(b) - radians(a)).abs()
}

/// Degrees to radians; `f64::to_radians` rounds otherwise.
pub fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

/// Radians to degrees.
pub fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

//! The cells of the grid that cover a shape: the one with its middle, and the eight around it.
//!
//! The grid is the finest one whose nine cells cover the shape, or one next to it. The order of the cells is that of Redis,
//! since it is the order in which a search without ASC and DESC answers.

use std::ops::Range;

use super::hash::{GeoHash, STEPS_MAX};
use super::shape::{EARTH_RADIUS, Shape, degrees, radians};
use super::{Bounds, Place};

/// Half the length of the equator on a Mercator map, in metres.
const MERCATOR_MAX: f64 = 20_037_726.37;

/// The neighbours of a cell: steps to the north and to the east.
const NEIGHBOURS: [(i8, i8); 8] = [(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)];

impl Shape {
    /// The ranges of scores in which all members inside the shape are, in the order in which they are to be visited.
    pub fn score_ranges(&self) -> Vec<Range<u64>> {
        let cells = self.cells();
        let mut visited: Option<(usize, GeoHash)> = None;
        let mut ranges = Vec::with_capacity(cells.len());
        for (index, cell) in cells.into_iter().enumerate() {
            let Some(cell) = cell else { continue };
            // Around the whole earth neighbours can be the same; one that repeats the last neighbour is left out.
            if visited.is_some_and(|(index, last)| index > 0 && last == cell) {
                continue;
            }
            ranges.push(cell.aligned()..cell.following().aligned());
            visited = Some((index, cell));
        }
        ranges
    }

    /// The cell with the middle, then its neighbours, without those that the shape does not reach.
    fn cells(&self) -> [Option<GeoHash>; 9] {
        let (longitude, latitude) = self.bounding_box();
        let mut steps = estimate_steps(self.reach(), self.centre.latitude);
        if steps > 1 && !covers(GeoHash::of(self.centre, steps), longitude, latitude) {
            steps -= 1;
        }
        let hash = GeoHash::of(self.centre, steps);
        let cell = hash.cell();
        let mut cells = [Some(hash); 9];
        for (place, (north, east)) in cells[1..].iter_mut().zip(NEIGHBOURS) {
            let beyond = cell.latitude.min < latitude.min && north < 0
                || cell.latitude.max > latitude.max && north > 0
                || cell.longitude.min < longitude.min && east < 0
                || cell.longitude.max > longitude.max && east > 0;
            *place = (steps < 2 || !beyond).then(|| hash.east(east).north(north));
        }
        cells
    }

    /// Bounds of longitude and latitude. A shape reaches over more degrees of longitude on its side towards the pole.
    fn bounding_box(&self) -> (Bounds, Bounds) {
        let Place { longitude, latitude } = self.centre;
        let (east, north) = self.half_sides();
        let tall = degrees(north / EARTH_RADIUS);
        let towards_pole = if latitude < 0.0 { latitude - tall } else { latitude + tall };
        let wide = degrees(east / EARTH_RADIUS / radians(towards_pole).cos());
        (Bounds { min: longitude - wide, max: longitude + wide }, Bounds { min: latitude - tall, max: latitude + tall })
    }
}

/// Whether the neighbours of a cell reach to the bounds.
fn covers(hash: GeoHash, longitude: Bounds, latitude: Bounds) -> bool {
    let short = hash.north(1).cell().latitude.max < latitude.max
        || hash.north(-1).cell().latitude.min > latitude.min
        || hash.east(1).cell().longitude.max < longitude.max
        || hash.east(-1).cell().longitude.min > longitude.min;
    !short
}

/// The steps of a grid whose cells are about as large as the reach, in metres.
fn estimate_steps(mut reach: f64, latitude: f64) -> u32 {
    if reach == 0.0 {
        return STEPS_MAX;
    }
    let mut steps = 1i32;
    while reach < MERCATOR_MAX {
        reach *= 2.0;
        steps += 1;
    }
    steps -= 2;
    // Cells are narrow near the poles.
    let polar = i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    (steps - polar).clamp(1, STEPS_MAX as i32) as u32
}

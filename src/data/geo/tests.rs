use super::*;
use proptest::prelude::*;

fn at(longitude: f64, latitude: f64) -> Place {
    Place { longitude, latitude }
}

/// Answers of a Redis 7.0.15.
#[test]
fn scores_places_and_distances_are_those_of_redis() {
    let palermo = at(13.361389, 38.115556);
    let catania = at(15.087269, 37.502669);
    assert_eq!(palermo.score(), 3_479_099_956_230_698);
    assert_eq!(catania.score(), 3_479_447_370_796_909);
    let decoded = Place::of_score(3_479_099_956_230_698.0);
    assert_eq!((decoded.longitude, decoded.latitude), (13.361389338970184, 38.1155563954963));
    assert_eq!(&standard_text(decoded), b"sqc8b49rny0");
    let other = Place::of_score(3_479_447_370_796_909.0);
    assert_eq!(format!("{:.4}", decoded.distance(other)), "166274.1516");
    assert_eq!(decoded.distance(decoded), 0.0);
}

#[test]
fn any_score_is_some_place() {
    for score in [0.0, -1.0, 1.5, 1e15, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY, 1e19, u64::MAX as f64] {
        assert!(Place::of_score(score).is_valid(), "{score}");
    }
}

#[test]
fn neighbours_go_round_the_earth() {
    let corner = GeoHash::of(at(-180.0, LATITUDE.min), 3);
    assert_eq!(corner.bits, 0);
    assert_eq!(corner.east(-1).east(1), corner);
    assert_eq!(corner.east(-1).cell().longitude.max, 180.0);
    assert_eq!(corner.north(-1).cell().latitude.max, LATITUDE.max);
}

#[test]
fn extremes_have_areas() {
    for centre in [at(0.0, 0.0), at(180.0, LATITUDE.max), at(-180.0, LATITUDE.min)] {
        for reach in [0.0, 5e-324, 1.0, 1e7, 1e300, f64::INFINITY] {
            for extent in [Extent::Radius(reach), Extent::Box { width: reach, height: 1.0 }] {
                let ranges = Shape { centre, extent, unit: 1609.34 }.score_ranges();
                assert!((1..=9).contains(&ranges.len()), "{centre:?} {extent:?}");
            }
        }
    }
}

proptest! {
    #[test]
    fn whoever_is_inside_is_visited(longitude in -170.0f64..170.0, latitude in -75.0f64..75.0, east in -1.0f64..1.0, north in -1.0f64..1.0, reach in 1.0f64..500_000.0) {
        let centre = at(longitude, latitude);
        let spread = reach / 111_000.0 * 1.5;
        let place = at(longitude + east * spread, latitude + north * spread);
        let score = place.score();
        for extent in [Extent::Radius(reach), Extent::Box { width: reach, height: reach * 2.0 }] {
            let shape = Shape { centre, extent, unit: 1.0 };
            if shape.distance_inside(Place::of_score(score as f64)).is_some() {
                prop_assert!(shape.score_ranges().iter().any(|range| range.contains(&score)), "{:?} {:?}", shape, place);
            }
        }
    }

    #[test]
    fn places_survive_storing(longitude in -180.0f64..180.0, latitude in -85.0f64..85.0) {
        let stored = Place::of_score(at(longitude, latitude).score() as f64);
        prop_assert!((stored.longitude - longitude).abs() < 6e-6 && (stored.latitude - latitude).abs() < 3e-6);
        prop_assert_eq!(stored.score(), at(longitude, latitude).score());
    }
}

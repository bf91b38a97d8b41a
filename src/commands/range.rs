//! Ranges with inclusive ends, where negative positions count from the end.

use std::ops::Range;

/// The part of `0..length` from `start` to `end`, both included; `None` when it is empty.
pub fn clamp(start: i64, end: i64, length: usize) -> Option<Range<usize>> {
    // Both negative and crossed is empty even where clamping to 0 would uncross them.
    if start < 0 && end < 0 && start > end {
        return None;
    }
    clamp_both(start, end, length)
}

/// As [`clamp`], where crossed negative ends are clamped first.
pub fn clamp_both(start: i64, end: i64, length: usize) -> Option<Range<usize>> {
    let len = length as i64;
    let absolute = |position: i64| if position < 0 { position.saturating_add(len).max(0) } else { position };
    let (start, end) = (absolute(start), absolute(end).min(len - 1));
    (start <= end && start < len).then(|| start as usize..end as usize + 1)
}

/// As [`clamp`], for lists and sorted sets: an end before the first element is empty.
pub fn clamp_elements(start: i64, end: i64, length: usize) -> Option<Range<usize>> {
    let len = length as i64;
    let start = if start < 0 { start.saturating_add(len).max(0) } else { start };
    let end = if end < 0 { end.saturating_add(len) } else { end }.min(len - 1);
    (start <= end && start < len).then(|| start as usize..end as usize + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_clamped_as_redis_does() {
        for (start, end, expected) in [
            (0, -1, Some(0..5)),
            (-3, -1, Some(2..5)),
            (-100, 100, Some(0..5)),
            (3, 2, None),
            (5, 10, None),
            (-1, -5, None),
            (0, -100, Some(0..1)),
        ] {
            assert_eq!(clamp(start, end, 5), expected, "{start} {end}");
        }
        assert_eq!(clamp(0, -1, 0), None);
        assert_eq!(clamp_elements(0, -100, 5), None);
    }
}

//! Picks of distinct positions, for the commands that answer several random members at once.

/// `count` distinct positions of `len` in random order; all of them where there are no more.
pub(super) fn distinct_positions(len: usize, count: usize) -> Vec<usize> {
    rand::seq::index::sample(&mut rand::rng(), len, count.min(len)).into_vec()
}

/// The items at `positions` of an iterator, in the order of `positions`: one pass, for what has no access by position.
pub(super) fn pick<T>(items: impl Iterator<Item = T>, positions: &[usize]) -> Vec<T> {
    let mut wanted: Vec<(usize, usize)> = positions.iter().copied().enumerate().map(|(rank, at)| (at, rank)).collect();
    wanted.sort_unstable();
    let mut wanted = wanted.into_iter().peekable();
    let mut found = Vec::with_capacity(positions.len());
    for (at, item) in items.enumerate() {
        match wanted.peek() {
            None => break,
            Some((next, rank)) if *next == at => {
                found.push((*rank, item));
                wanted.next();
            }
            Some(_) => {}
        }
    }
    found.sort_unstable_by_key(|(rank, _)| *rank);
    found.into_iter().map(|(_, item)| item).collect()
}

//! The places for handshakes in progress, of which there are only so many.
//!
//! Whoever comes when all are taken waits a moment; then the handshake that has been running for longest gives way. So clients that
//! begin handshakes and never end them cannot keep others out, and a storm of honest ones is served in turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

/// How long a handshake may take before it can have to give way: many times what one needs that goes on, on a busy machine too.
const PATIENCE: Duration = Duration::from_secs(1);

/// All places.
pub(super) struct Places {
    most: usize,
    taken: Mutex<Taken>,
    /// Told when one is free again.
    freed: Notify,
}

#[derive(Default)]
struct Taken {
    /// Handshakes by their number, the oldest first.
    running: BTreeMap<u64, Running>,
    next: u64,
}

struct Running {
    since: Instant,
    /// Told when it has to give way.
    gives_way: Arc<Notify>,
}

/// One place, free again when dropped.
pub(super) struct Place {
    places: Arc<Places>,
    number: u64,
    gives_way: Arc<Notify>,
}

impl Places {
    /// So many, but at least one.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { most: most.max(1), taken: Mutex::default(), freed: Notify::new() })
    }

    /// Takes a place, once there is one.
    pub async fn enter(self: &Arc<Self>) -> Place {
        loop {
            let freed = self.freed.notified();
            let patience = match self.try_enter(PATIENCE) {
                Ok(place) => return place,
                Err(patience) => patience,
            };
            // Whichever comes first: a place is free, or the oldest has had its time.
            let _ = tokio::time::timeout(patience, freed).await;
        }
    }

    /// A place that is free, or that of the oldest if it has had its time; or how long that will be.
    fn try_enter(self: &Arc<Self>, patience: Duration) -> Result<Place, Duration> {
        let mut taken = self.taken.lock();
        if taken.running.len() >= self.most
            && let Some(oldest) = taken.running.first_entry()
        {
            let left = patience.saturating_sub(oldest.get().since.elapsed());
            if !left.is_zero() {
                return Err(left);
            }
            oldest.remove().gives_way.notify_one();
        }
        let number = taken.next;
        taken.next += 1;
        let gives_way = Arc::new(Notify::new());
        taken.running.insert(number, Running { since: Instant::now(), gives_way: Arc::clone(&gives_way) });
        Ok(Place { places: Arc::clone(self), number, gives_way })
    }
}

impl Place {
    /// Resolves when it has been given to somebody else.
    pub async fn gives_way(&self) {
        self.gives_way.notified().await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.places.taken.lock().running.remove(&self.number).is_some() {
            self.places.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_gives_way_once_it_has_had_its_time() {
        let (forever, at_once) = (Duration::from_secs(3600), Duration::ZERO);
        let places = Places::new(2);
        let [first, second] = [0, 1].map(|_| places.try_enter(forever).ok().unwrap());
        assert!(places.try_enter(forever).is_err_and(|left| left > Duration::from_secs(3000)));
        let third = places.try_enter(at_once).ok().unwrap();
        let told = |place: &Place| {
            let notified = std::pin::pin!(place.gives_way());
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            notified.poll(&mut context).is_ready()
        };
        assert_eq!([told(&first), told(&second), told(&third)], [true, false, false]);
        // The place of the first is taken already.
        drop(first);
        assert!(places.try_enter(forever).is_err());
        drop(second);
        assert!(places.try_enter(forever).is_ok());
    }
}

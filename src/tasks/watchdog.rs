//! The software watchdog: the log says which thread has given no sign of life for `watchdog-period`.
//!
//! Threads with a runtime are asked for a sign now and then; what loads data gives one whenever it has come
//! `loading-process-events-interval-bytes` further. Without a period there is neither a thread nor a question.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::engine::Engine;

/// How often the configuration is looked at while there is no period.
const IDLE: Duration = Duration::from_millis(100);
/// A shorter period counts as this one, as in Redis: the periodic work alone can take as long.
const SHORTEST_MS: u32 = 200;
/// Looks in a period: a hang is seen by this part of it too late at most.
const LOOKS: u32 = 40;

/// A thread that can be asked for a sign of life.
pub struct Watched {
    /// What the operating system calls it.
    pub name: String,
    /// Where it takes its work from.
    pub runtime: Handle,
}

/// Watches while a period is configured. Runs for ever.
pub async fn run(engine: &'static Engine, threads: Vec<Watched>) {
    let threads = Arc::new(threads);
    loop {
        while period(engine).is_none() {
            tokio::time::sleep(IDLE).await;
        }
        let (ended, end) = oneshot::channel::<()>();
        let threads = Arc::clone(&threads);
        let work = move || {
            watch(engine, &threads);
            drop(ended);
        };
        if let Err(error) = std::thread::Builder::new().name("watchdog".into()).spawn(work) {
            tracing::error!("no thread for the watchdog: {error}");
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        // It ends by being dropped.
        let _ = end.await;
    }
}

fn period(engine: &Engine) -> Option<Duration> {
    let configured = engine.config.settings().general.watchdog_period;
    (configured > 0).then(|| Duration::from_millis(configured.max(SHORTEST_MS).into()))
}

/// Looks until the period is taken away.
fn watch(engine: &Engine, threads: &[Watched]) {
    let mut asked: Vec<Asked<'_>> = threads.iter().map(Asked::new).collect();
    let mut loading = Pulse::new(0, Instant::now());
    while let Some(period) = period(engine) {
        for thread in &mut asked {
            if let Some(news) = thread.look(period) {
                tell(&thread.thread.name, &news, state_of);
            }
        }
        let (now, loads) = (Instant::now(), &engine.saving.loads);
        if loads.active.load(Relaxed) {
            let interval = u64::from(engine.config.settings().persistence.loading_process_events_interval_bytes);
            if let Some(news) = loading.look(loads.done_bytes.load(Relaxed) / interval, now, period) {
                tell("the loading of data", &news, |_| None);
            }
        } else {
            loading = Pulse::new(0, now);
        }
        std::thread::sleep(period / LOOKS);
    }
}

fn tell(who: &str, news: &News, state: impl Fn(&str) -> Option<&'static str>) {
    match news {
        News::Hangs(_) => {
            tracing::warn!("--- WATCHDOG TIMER EXPIRED --- {who} {news}{}", state(who).unwrap_or(""));
        }
        News::GoesOn(_) => tracing::warn!("Watchdog: {who} {news}"),
    }
}

/// What a thread is doing, as Linux tells it; nothing where it does not.
fn state_of(name: &str) -> Option<&'static str> {
    let threads = std::fs::read_dir("/proc/self/task").ok()?;
    let thread = threads.flatten().map(|entry| entry.path()).find(|path| {
        let known = std::fs::read_to_string(path.join("comm"));
        known.is_ok_and(|known| known.trim_end() == name)
    })?;
    let stat = std::fs::read_to_string(thread.join("stat")).ok()?;
    // The name, in brackets, may hold anything; the state is the letter behind it.
    Some(match stat.rsplit_once(") ")?.1.chars().next()? {
        'R' => ": it is computing",
        'D' => ": it waits for the disk",
        'S' => ": it sleeps, or waits for another thread",
        'T' | 't' => ": it has been stopped",
        _ => "",
    })
}

/// A thread, and the signs it was asked for.
struct Asked<'t> {
    thread: &'t Watched,
    given: Arc<AtomicU64>,
    pulse: Pulse,
}

impl<'t> Asked<'t> {
    fn new(thread: &'t Watched) -> Self {
        let asked = Self { thread, given: Arc::default(), pulse: Pulse::new(0, Instant::now()) };
        asked.ask();
        asked
    }

    fn ask(&self) {
        let given = Arc::clone(&self.given);
        self.thread.runtime.spawn(async move { given.fetch_add(1, Relaxed) });
    }

    fn look(&mut self, period: Duration) -> Option<News> {
        let given = self.given.load(Relaxed);
        if given != self.pulse.signs {
            self.ask();
        }
        self.pulse.look(given, Instant::now(), period)
    }
}

/// The last sign of life.
struct Pulse {
    signs: u64,
    since: Instant,
    /// The log has been told that there is none for too long.
    told: bool,
}

/// What the log is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum News {
    Hangs(Duration),
    GoesOn(Duration),
}

impl fmt::Display for News {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hangs(time) => write!(f, "has given no sign of life for {} ms", time.as_millis()),
            Self::GoesOn(time) => write!(f, "goes on, {} ms after its last sign of life", time.as_millis()),
        }
    }
}

impl Pulse {
    fn new(signs: u64, since: Instant) -> Self {
        Self { signs, since, told: false }
    }

    /// What is new when so many signs have been given by `now`.
    fn look(&mut self, signs: u64, now: Instant, period: Duration) -> Option<News> {
        let time = now.saturating_duration_since(self.since);
        if signs != self.signs {
            let hung = self.told;
            *self = Self::new(signs, now);
            return hung.then_some(News::GoesOn(time));
        }
        if self.told || time < period {
            return None;
        }
        self.told = true;
        Some(News::Hangs(time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hang_is_told_once_and_its_end_too() {
        let (start, period) = (Instant::now(), Duration::from_millis(200));
        let ms = Duration::from_millis;
        let mut pulse = Pulse::new(0, start);
        let rows = [
            (100, 0, None),
            (150, 1, None),
            (349, 1, None),
            (350, 1, Some(News::Hangs(ms(200)))),
            (900, 1, None),
            (950, 2, Some(News::GoesOn(ms(800)))),
            (1000, 2, None),
            (1151, 2, Some(News::Hangs(ms(201)))),
        ];
        for (at, signs, news) in rows {
            assert_eq!(pulse.look(signs, start + ms(at), period), news, "at {at} ms");
        }
    }

    #[test]
    fn the_state_of_a_thread_is_known_by_its_name() {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::Builder::new().name("watched-here".into());
        let sleeper = thread.spawn(move || stopped.recv().is_err()).unwrap();
        let until = Instant::now() + Duration::from_secs(5);
        while state_of("watched-here") != Some(": it sleeps, or waits for another thread") {
            assert!(Instant::now() < until, "{:?}", state_of("watched-here"));
            std::thread::yield_now();
        }
        assert_eq!(state_of("not-a-thread"), None);
        drop(stop);
        assert!(sleeper.join().unwrap());
    }
}

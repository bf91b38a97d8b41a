//! What the server remembers of sessions so that they can be resumed: tickets and a session table.
//!
//! It stands alone because rustls leaves the age of a session to whoever stores it: its ticket keys live
//! for hours, its table has no clock. Here both honour `tls-session-cache-timeout`: a ticket carries the
//! time it was made inside its encryption, a table entry beside it. TLS 1.3 and most TLS 1.2 clients use
//! tickets, which cost the server no memory; the table serves the rest, and its size is bounded.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

use parking_lot::Mutex;
use rustls::server::{NoServerSessionStorage, ProducesTickets, StoresServerSessions};
use rustls::time_provider::TimeProvider;

use super::TlsError;
use super::options::TlsOptions;

/// Ticket keys rotate every six hours and are gone after twelve, so no ticket can live longer.
const MAX_TICKET_LIFETIME_S: u64 = 12 * 60 * 60;
/// The size of the table when the configuration does not bound it.
const MAX_SESSIONS: usize = 1 << 18;

/// Where sessions are kept: shared by successive configurations as long as the same clients are trusted.
#[derive(Clone, Debug)]
pub struct Sessions {
    /// Serves clients without tickets.
    pub storage: Arc<dyn StoresServerSessions>,
    /// Serves the others; none if session caching is off.
    pub ticketer: Option<Arc<dyn ProducesTickets>>,
}

impl Sessions {
    /// Fresh ticket keys and an empty table, or nothing at all if the options switch resumption off.
    pub fn new(options: &TlsOptions, clock: Arc<dyn TimeProvider>) -> Result<Self, TlsError> {
        if !options.session_caching || options.session_cache_timeout_s == 0 {
            return Ok(Self { storage: Arc::new(NoServerSessionStorage {}), ticketer: None });
        }
        let capacity = match options.session_cache_size {
            0 => MAX_SESSIONS,
            size => size.min(MAX_SESSIONS),
        };
        let timeout_s = options.session_cache_timeout_s;
        let ticketer = AgedTicketer {
            inner: rustls::crypto::aws_lc_rs::Ticketer::new()?,
            lifetime_s: timeout_s.min(MAX_TICKET_LIFETIME_S),
            clock: clock.clone(),
        };
        let storage = SessionTable { capacity, timeout_s, clock, entries: Mutex::default() };
        Ok(Self { storage: Arc::new(storage), ticketer: Some(Arc::new(ticketer)) })
    }
}

/// Tickets that carry their time of issue.
struct AgedTicketer {
    inner: Arc<dyn ProducesTickets>,
    lifetime_s: u64,
    clock: Arc<dyn TimeProvider>,
}

impl ProducesTickets for AgedTicketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        self.lifetime_s as u32
    }

    fn encrypt(&self, session: &[u8]) -> Option<Vec<u8>> {
        let issued_s = self.clock.current_time()?.as_secs();
        self.inner.encrypt(&[&issued_s.to_be_bytes(), session].concat())
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        let opened = self.inner.decrypt(ticket)?;
        let (issued_s, session) = opened.split_first_chunk::<8>()?;
        let age_s = self.clock.current_time()?.as_secs().checked_sub(u64::from_be_bytes(*issued_s))?;
        (age_s < self.lifetime_s).then(|| session.to_vec())
    }
}

impl fmt::Debug for AgedTicketer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgedTicketer").field("lifetime_s", &self.lifetime_s).finish_non_exhaustive()
    }
}

/// A bounded table of sessions; the oldest make room.
struct SessionTable {
    capacity: usize,
    timeout_s: u64,
    clock: Arc<dyn TimeProvider>,
    /// Guards the entries; held for one lookup or insertion.
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_id: HashMap<Vec<u8>, Entry>,
    /// Identifiers in order of insertion, which with one timeout for all is also the order of expiry.
    by_age: BTreeMap<u64, Vec<u8>>,
    next: u64,
}

struct Entry {
    age_key: u64,
    expires_s: u64,
    session: Vec<u8>,
}

impl Entries {
    fn remove(&mut self, id: &[u8]) -> Option<Entry> {
        let entry = self.by_id.remove(id)?;
        self.by_age.remove(&entry.age_key);
        Some(entry)
    }

    fn insert(&mut self, id: Vec<u8>, session: Vec<u8>, expires_s: u64) {
        let age_key = self.next;
        self.next += 1;
        self.by_age.insert(age_key, id.clone());
        self.by_id.insert(id, Entry { age_key, expires_s, session });
    }

    /// Drops what is expired, and the oldest while there are more than `capacity`.
    fn shrink(&mut self, capacity: usize, now_s: u64) {
        while let Some((&age_key, id)) = self.by_age.first_key_value() {
            if self.by_id.len() <= capacity && self.by_id.get(id).is_some_and(|entry| entry.expires_s > now_s) {
                break;
            }
            self.by_id.remove(id);
            self.by_age.remove(&age_key);
        }
    }
}

impl SessionTable {
    fn now_s(&self) -> Option<u64> {
        self.clock.current_time().map(|time| time.as_secs())
    }
}

impl StoresServerSessions for SessionTable {
    fn put(&self, id: Vec<u8>, session: Vec<u8>) -> bool {
        let Some(now_s) = self.now_s() else {
            return false;
        };
        let mut entries = self.entries.lock();
        entries.remove(&id);
        entries.insert(id, session, now_s.saturating_add(self.timeout_s));
        entries.shrink(self.capacity, now_s);
        true
    }

    fn get(&self, id: &[u8]) -> Option<Vec<u8>> {
        let now_s = self.now_s()?;
        let entries = self.entries.lock();
        entries.by_id.get(id).filter(|entry| entry.expires_s > now_s).map(|entry| entry.session.clone())
    }

    fn take(&self, id: &[u8]) -> Option<Vec<u8>> {
        let now_s = self.now_s()?;
        self.entries.lock().remove(id).filter(|entry| entry.expires_s > now_s).map(|entry| entry.session)
    }

    fn can_cache(&self) -> bool {
        true
    }
}

impl fmt::Debug for SessionTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionTable").field("capacity", &self.capacity).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::testing::ManualClock;

    fn sessions(size: usize, timeout_s: u64) -> (Sessions, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::new(1_000_000));
        let options =
            TlsOptions { session_cache_size: size, session_cache_timeout_s: timeout_s, ..TlsOptions::default() };
        (Sessions::new(&options, clock.clone()).unwrap(), clock)
    }

    #[test]
    fn tickets_expire_after_the_timeout() {
        let (sessions, clock) = sessions(10, 300);
        let ticketer = sessions.ticketer.unwrap();
        let ticket = ticketer.encrypt(b"session").unwrap();
        assert_eq!(ticketer.lifetime(), 300);
        clock.advance(299);
        assert_eq!(ticketer.decrypt(&ticket).unwrap(), b"session");
        clock.advance(1);
        assert_eq!(ticketer.decrypt(&ticket), None);
        clock.advance(-1000);
        assert_eq!(ticketer.decrypt(&ticket), None, "a ticket from the future");
    }

    #[test]
    fn forged_and_foreign_tickets_are_not_opened() {
        let (ours, _) = sessions(10, 300);
        let (theirs, _) = sessions(10, 300);
        let ticket = theirs.ticketer.unwrap().encrypt(b"session").unwrap();
        let ticketer = ours.ticketer.unwrap();
        assert_eq!(ticketer.decrypt(&ticket), None);
        assert_eq!(ticketer.decrypt(b""), None);
        let mut own = ticketer.encrypt(b"session").unwrap();
        *own.last_mut().unwrap() ^= 1;
        assert_eq!(ticketer.decrypt(&own), None);
    }

    #[test]
    fn the_table_keeps_the_newest() {
        let (sessions, _) = sessions(2, 300);
        for id in 1..=4u8 {
            assert!(sessions.storage.put(vec![id], vec![id]));
        }
        let kept: Vec<_> = (1..=4u8).filter(|id| sessions.storage.get(&[*id]).is_some()).collect();
        assert_eq!(kept, [3, 4]);
        assert_eq!(sessions.storage.take(&[3]), Some(vec![3]));
        assert_eq!(sessions.storage.take(&[3]), None);
    }

    #[test]
    fn table_entries_expire_and_make_room() {
        let (sessions, clock) = sessions(10, 300);
        sessions.storage.put(vec![1], vec![1]);
        clock.advance(300);
        assert_eq!(sessions.storage.get(&[1]), None);
        assert_eq!(sessions.storage.take(&[1]), None);
        sessions.storage.put(vec![2], vec![2]);
        assert_eq!(sessions.storage.get(&[2]), Some(vec![2]));
    }

    #[test]
    fn putting_and_taking_leaves_nothing_behind() {
        let clock = Arc::new(ManualClock::new(1));
        let table = SessionTable { capacity: 4, timeout_s: 300, clock, entries: Mutex::default() };
        for round in 0..1000u32 {
            let id = (round % 7).to_be_bytes().to_vec();
            table.put(id.clone(), vec![0]);
            if round % 2 == 0 {
                table.take(&id);
            }
        }
        let entries = table.entries.lock();
        assert!(entries.by_id.len() <= 4);
        assert_eq!(entries.by_id.len(), entries.by_age.len());
    }

    #[test]
    fn caching_can_be_off() {
        for options in [
            TlsOptions { session_caching: false, ..TlsOptions::default() },
            TlsOptions { session_cache_timeout_s: 0, ..TlsOptions::default() },
        ] {
            let sessions = Sessions::new(&options, Arc::new(ManualClock::new(1))).unwrap();
            assert!(sessions.ticketer.is_none());
            assert!(!sessions.storage.can_cache());
        }
    }
}

//! What stands in front of keys in a snapshot where the database changes.

use std::collections::HashSet;

use crate::keyspace::{Census, DbIndex, Piece};
use crate::persistence::rdb::file;

/// Knows which database a snapshot is in.
pub struct DatabaseHeaders {
    census: Vec<Census>,
    current: Option<DbIndex>,
    introduced: HashSet<DbIndex>,
}

impl DatabaseHeaders {
    /// In front of the first key.
    pub fn new(census: Vec<Census>) -> Self {
        Self { census, current: None, introduced: HashSet::new() }
    }

    /// What must stand before a piece, if anything must.
    pub fn before(&mut self, piece: &Piece) -> Option<Vec<u8>> {
        if self.current.replace(piece.db) == Some(piece.db) {
            return None;
        }
        let known = self.census.iter().find(|census| census.db == piece.db);
        let census = known.copied().unwrap_or(Census { db: piece.db, keys: 0, volatile: 0 });
        let first = known.is_some() && self.introduced.insert(piece.db);
        Some(file::database(census, first))
    }
}

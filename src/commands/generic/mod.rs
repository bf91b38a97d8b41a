//! Commands on keys of any type.

pub mod copy;
pub mod databases;
pub mod dump;
pub mod expire;
pub mod keys;
pub mod migrate;
pub mod object;
pub mod rename;
pub mod restore;
pub mod scan;
pub mod sort;
pub mod ttl;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[
    copy::ROWS,
    databases::ROWS,
    dump::ROWS,
    expire::ROWS,
    keys::ROWS,
    migrate::ROWS,
    object::ROWS,
    rename::ROWS,
    restore::ROWS,
    scan::ROWS,
    sort::ROWS,
    ttl::ROWS,
];

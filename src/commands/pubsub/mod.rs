//! Publish and subscribe.

pub mod introspect;
pub mod publish;
pub mod subscribe;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[introspect::ROWS, publish::ROWS, subscribe::ROWS];

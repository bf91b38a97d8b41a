//! ACL: users, what they may do, and what they were refused.

pub mod ask;
pub mod edit;
pub mod log;
pub mod show;
pub mod storage;

/// The commands of this group, by file.
pub const GROUP: &[&[crate::engine::Command]] = &[ask::ROWS, edit::ROWS, log::ROWS, show::ROWS, storage::ROWS];

#[cfg(test)]
mod tests {
    use crate::catalog::{Channels, Flags};

    #[test]
    fn whoever_publishes_or_subscribes_says_to_what() {
        for row in crate::commands::table().rows() {
            let spec = &row.spec;
            let reaches_channels = spec.flags.contains(Flags::PUBSUB)
                && spec.container().is_none()
                && !spec.is_container()
                && !spec.name.contains("unsubscribe");
            assert_eq!(spec.channels != Channels::None, reaches_channels, "{}", spec.name);
        }
    }
}

//! Which arguments of a command are pub/sub channels, and what for.
//!
//! Channels are no keys: nothing is locked for them, and ACL has patterns of their own. Leaving a channel needs no permission
//! and is therefore not stated.

/// The channels among a command's arguments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Channels {
    /// There are none that need a permission.
    #[default]
    None,
    /// The first argument is published to.
    Publish,
    /// All arguments are subscribed to.
    Subscribe,
    /// All arguments are patterns that are subscribed to.
    SubscribePattern,
}

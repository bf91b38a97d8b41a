//! Parameters whose value is one word of a few, or a set of such words.

use crate::config::kind::Kind;
use crate::config::value::Value;

/// A type whose values have names.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every name and its value, in the order in which error texts list them. A value's first name is the one shown.
    const NAMES: &'static [&'static str];

    /// The value of a name, whatever the case of its letters.
    fn from_name(name: &[u8]) -> Option<Self>;

    /// The name of this value.
    fn name(self) -> &'static str;
}

macro_rules! choice {
    ($(#[$meta:meta])* pub enum $Choice:ident { $($(#[$vmeta:meta])* $Variant:ident = $name:literal $(| $other:literal)*),+ $(,)? }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        pub enum $Choice { $($(#[$vmeta])* $Variant),+ }

        impl Choice for $Choice {
            const NAMES: &'static [&'static str] = &[$($name, $($other,)*)+];

            fn from_name(name: &[u8]) -> Option<Self> {
                $(if name.eq_ignore_ascii_case($name.as_bytes()) $(|| name.eq_ignore_ascii_case($other.as_bytes()))* {
                    return Some(Self::$Variant);
                })+
                None
            }

            fn name(self) -> &'static str {
                match self { $(Self::$Variant => $name),+ }
            }
        }

        impl Value for $Choice {
            fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
                *self = Self::from_name(args[0]).ok_or_else(|| not_one_of(Self::NAMES))?;
                Ok(())
            }

            fn show(&self, _kind: &Kind) -> Vec<u8> {
                self.name().as_bytes().to_vec()
            }
        }
    };
}

fn not_one_of(names: &[&str]) -> String {
    format!("argument(s) must be one of the following: {}", names.join(", "))
}

choice! {
    /// Which keys go when memory is full.
    pub enum EvictionPolicy {
        /// Least recently used among keys with an expiry.
        VolatileLru = "volatile-lru",
        /// Least frequently used among keys with an expiry.
        VolatileLfu = "volatile-lfu",
        /// Any key with an expiry.
        VolatileRandom = "volatile-random",
        /// The key that expires first.
        VolatileTtl = "volatile-ttl",
        /// Least recently used of all keys.
        AllkeysLru = "allkeys-lru",
        /// Least frequently used of all keys.
        AllkeysLfu = "allkeys-lfu",
        /// Any key.
        AllkeysRandom = "allkeys-random",
        /// None: writes that need memory fail.
        #[default]
        NoEviction = "noeviction",
    }
}

impl EvictionPolicy {
    /// Does it rank keys by how often they are used?
    pub fn is_lfu(self) -> bool {
        matches!(self, Self::VolatileLfu | Self::AllkeysLfu)
    }

    /// Does it rank keys by how lately or how often they are used?
    pub fn uses_freshness(self) -> bool {
        self.is_lfu() || matches!(self, Self::VolatileLru | Self::AllkeysLru)
    }

    /// Does it choose without looking?
    pub fn is_random(self) -> bool {
        matches!(self, Self::VolatileRandom | Self::AllkeysRandom)
    }

    /// May it take only keys that have an expiry?
    pub fn is_volatile(self) -> bool {
        matches!(self, Self::VolatileLru | Self::VolatileLfu | Self::VolatileRandom | Self::VolatileTtl)
    }
}

choice! {
    /// How much the log says.
    pub enum LogLevel {
        /// Everything.
        Debug = "debug",
        /// Much.
        Verbose = "verbose",
        /// What an operator wants to see.
        #[default]
        Notice = "notice",
        /// Only what matters.
        Warning = "warning",
        /// No lines at all.
        Nothing = "nothing",
    }
}

choice! {
    /// Where lines go inside syslog.
    pub enum SyslogFacility {
        /// LOG_USER.
        User = "user",
        /// LOG_LOCAL0.
        #[default]
        Local0 = "local0",
        /// LOG_LOCAL1.
        Local1 = "local1",
        /// LOG_LOCAL2.
        Local2 = "local2",
        /// LOG_LOCAL3.
        Local3 = "local3",
        /// LOG_LOCAL4.
        Local4 = "local4",
        /// LOG_LOCAL5.
        Local5 = "local5",
        /// LOG_LOCAL6.
        Local6 = "local6",
        /// LOG_LOCAL7.
        Local7 = "local7",
    }
}

choice! {
    /// Which supervisor started the process.
    pub enum Supervised {
        /// upstart.
        Upstart = "upstart",
        /// systemd.
        Systemd = "systemd",
        /// Found out from the environment.
        Auto = "auto",
        /// None.
        #[default]
        No = "no",
    }
}

choice! {
    /// When the append only file is flushed to disk.
    pub enum AppendFsync {
        /// Once a second.
        #[default]
        Everysec = "everysec",
        /// Before each reply.
        Always = "always",
        /// When the kernel likes.
        No = "no",
    }
}

choice! {
    /// How a replica loads a full synchronisation.
    pub enum DisklessLoad {
        /// From a file.
        #[default]
        Disabled = "disabled",
        /// From the socket if the replica has no data.
        OnEmptyDb = "on-empty-db",
        /// From the socket beside the old data.
        Swapdb = "swapdb",
    }
}

choice! {
    /// Are client certificates asked for?
    pub enum TlsAuthClients {
        /// Never.
        No = "no",
        /// Always: no certificate, no connection.
        #[default]
        Yes = "yes",
        /// Checked if given.
        Optional = "optional",
    }
}

choice! {
    /// Which part of a client certificate names the ACL user.
    pub enum TlsAuthClientsUser {
        /// None: clients use AUTH.
        #[default]
        Off = "off",
        /// The common name of the subject.
        CommonName = "CN",
        /// The URI among the alternative names.
        Uri = "URI",
    }
}

choice! {
    /// Is the kernel's out-of-memory score adjusted?
    pub enum OomScoreAdj {
        /// No.
        #[default]
        No = "no",
        /// By values relative to the score at the start.
        Relative = "yes" | "relative",
        /// By absolute values.
        Absolute = "absolute",
    }
}

choice! {
    /// Channels of a new ACL user.
    pub enum AclPubsubDefault {
        /// All.
        AllChannels = "allchannels",
        /// None.
        #[default]
        ResetChannels = "resetchannels",
    }
}

choice! {
    /// Whose payloads are checked deeply on RESTORE and on loading.
    pub enum SanitizePayload {
        /// Nobody's.
        #[default]
        No = "no",
        /// Everybody's.
        Yes = "yes",
        /// Those of clients other than the primary.
        Clients = "clients",
    }
}

choice! {
    /// Who may do a dangerous thing.
    pub enum Protected {
        /// Nobody.
        #[default]
        No = "no",
        /// Everybody.
        Yes = "yes",
        /// Clients of this machine.
        Local = "local",
    }
}

impl Protected {
    /// May a client do it that is, or is not, on this machine?
    pub fn allows(self, client_is_local: bool) -> bool {
        self == Self::Yes || (self == Self::Local && client_is_local)
    }
}

choice! {
    /// What clients of a cluster are told to connect to.
    pub enum EndpointType {
        /// The address.
        #[default]
        Ip = "ip",
        /// The announced name.
        Hostname = "hostname",
        /// Whatever they used before.
        UnknownEndpoint = "unknown-endpoint",
    }
}

choice! {
    /// What happens when a propagated command fails.
    pub enum PropagationError {
        /// It is logged.
        #[default]
        Ignore = "ignore",
        /// The process stops.
        Panic = "panic",
        /// The process stops if it is a replica.
        PanicOnReplicas = "panic-on-replicas",
    }
}

/// How a signal shuts the server down; all false is the default way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShutdownFlags {
    /// Save even without save points.
    pub save: bool,
    /// Do not save even with save points.
    pub nosave: bool,
    /// Do not wait for replicas.
    pub now: bool,
    /// Errors do not stop the shutdown.
    pub force: bool,
}

impl ShutdownFlags {
    /// The words, in the order in which they are shown.
    pub const NAMES: &'static [&'static str] = &["default", "save", "nosave", "now", "force"];
}

impl Value for ShutdownFlags {
    fn assign(&mut self, args: &[&[u8]], _kind: &Kind, _repeated: bool) -> Result<(), String> {
        if args.is_empty() {
            return Err(not_one_of(Self::NAMES));
        }
        *self = Self::default();
        for word in args {
            match word.to_ascii_lowercase().as_slice() {
                b"default" => {}
                b"save" => self.save = true,
                b"nosave" => self.nosave = true,
                b"now" => self.now = true,
                b"force" => self.force = true,
                _ => return Err(not_one_of(Self::NAMES)),
            }
        }
        if self.save && self.nosave {
            return Err("shutdown options SAVE and NOSAVE can't be used simultaneously".into());
        }
        Ok(())
    }

    fn show(&self, _kind: &Kind) -> Vec<u8> {
        let set = [(self.save, "save"), (self.nosave, "nosave"), (self.now, "now"), (self.force, "force")];
        let words: Vec<&str> = set.iter().filter(|(on, _)| *on).map(|(_, word)| *word).collect();
        if words.is_empty() { b"default".to_vec() } else { words.join(" ").into_bytes() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_with_two_names_shows_its_first() {
        assert_eq!(OomScoreAdj::from_name(b"RELATIVE").map(OomScoreAdj::name), Some("yes"));
        assert_eq!(OomScoreAdj::NAMES, ["no", "yes", "relative", "absolute"]);
    }

    #[test]
    fn shutdown_flags_show_in_their_order() {
        let mut flags = ShutdownFlags::default();
        let kind = Kind::EnumSet(ShutdownFlags::NAMES);
        flags.assign(&[b"force", b"NOSAVE", b"now"], &kind, false).unwrap();
        assert_eq!(flags.show(&kind), b"nosave now force");
        assert!(flags.assign(&[], &kind, false).unwrap_err().ends_with("default, save, nosave, now, force"));
        assert!(flags.assign(&[b"save", b"nosave"], &kind, false).unwrap_err().contains("simultaneously"));
    }

    #[test]
    fn protected_actions_depend_on_where_the_client_is() {
        assert!(Protected::Local.allows(true) && !Protected::Local.allows(false));
        assert!(Protected::Yes.allows(false) && !Protected::No.allows(true));
    }
}

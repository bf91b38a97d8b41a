//! All live values, typed, as one plain struct that readers get as a snapshot.

use std::path::Path;

use super::table::{
    Cluster, Encodings, General, Limits, Logging, Memory, Network, Persistence, Replication, Security, Tls,
};

/// The values of all parameters at one instant, grouped by theme.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// The mode of this replication group, fixed at the start: was a TLS port configured? No setter changes it.
    pub transit_encryption: bool,
    /// The process and its background work.
    pub general: General,
    /// Listeners and connections.
    pub network: Network,
    /// Certificates, trust, handshakes.
    pub tls: Tls,
    /// Passwords, users, dangerous commands.
    pub security: Security,
    /// What clients may use.
    pub limits: Limits,
    /// Eviction, expiry, freeing.
    pub memory: Memory,
    /// When values change their representation.
    pub encodings: Encodings,
    /// Snapshots and the append only file.
    pub persistence: Persistence,
    /// Primary and replicas.
    pub replication: Replication,
    /// Slots over several nodes.
    pub cluster: Cluster,
    /// Log, slow log, latency.
    pub logging: Logging,
}

impl Settings {
    /// Brings values that depend on each other, or that Redis silently caps, into their final form.
    /// `port_is_explicit` says that the plaintext port was configured and is not just the default.
    pub(super) fn settle_loaded(&mut self, port_is_explicit: bool, start_dir: &Path) {
        self.transit_encryption = self.network.tls_port != 0;
        if self.transit_encryption && !port_is_explicit {
            self.network.port = 0;
        }
        if self.cluster.cluster_enabled {
            self.general.databases = 1;
        }
        self.settle(start_dir);
    }

    /// The part of settling that also follows `CONFIG SET`.
    pub(super) fn settle(&mut self, start_dir: &Path) {
        self.general.hz = self.general.hz.clamp(1, 500);
        self.general.dir = absolute(start_dir, &self.general.dir);
    }

    /// What the values would be if nothing were configured but the mode.
    pub(super) fn defaults_of_mode(transit_encryption: bool, start_dir: &Path) -> Self {
        let mut settings = Self::default();
        settings.settle_loaded(false, start_dir);
        settings.transit_encryption = transit_encryption;
        if transit_encryption {
            settings.network.port = 0;
        }
        settings
    }
}

/// `path` below `start_dir` unless it is absolute, without `.` components.
fn absolute(start_dir: &Path, path: &str) -> String {
    start_dir.join(path).components().collect::<std::path::PathBuf>().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plaintext_port_closes_when_only_a_tls_port_is_given() {
        let mut settings = Settings::default();
        settings.network.tls_port = 6379;
        settings.settle_loaded(false, Path::new("/srv"));
        assert!(settings.transit_encryption);
        assert_eq!((settings.network.port, settings.general.dir.as_str()), (0, "/srv"));

        let mut settings = Settings::default();
        settings.settle_loaded(false, Path::new("/srv"));
        assert!(!settings.transit_encryption);
        assert_eq!(settings.network.port, 6379);
    }

    #[test]
    fn hz_is_capped() {
        let mut settings = Settings::default();
        settings.general.hz = 0;
        settings.settle(Path::new("/"));
        assert_eq!(settings.general.hz, 1);
        settings.general.hz = 9999;
        settings.settle(Path::new("/"));
        assert_eq!(settings.general.hz, 500);
    }
}

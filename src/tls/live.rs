//! The TLS configuration in force, and its replacement while connections go on.
//!
//! It stands alone as the only mutable thing in this module. A replacement is built and checked whole, then
//! published in one step, both ends together; whoever is mid-handshake keeps what it started with. What
//! always holds: there is a working configuration from the first moment on, and a failed replacement
//! changes nothing but the record of the failure.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use rustls::{ClientConfig, ServerConfig};

use super::TlsError;
use super::acceptor::{ServerTls, unix_seconds};
use super::connector::{client_config, client_identity_files};
use super::identity::CertificateFacts;
use super::options::TlsOptions;
use super::trust::Trust;
use super::watch::{FileWatch, snapshot};

/// One generation of the configuration: what is published together.
#[derive(Debug)]
pub struct Generation {
    /// The parameters it was built from.
    pub options: TlsOptions,
    server: ServerTls,
    client: Option<Arc<ClientConfig>>,
}

impl Generation {
    /// Accepts connections.
    pub fn server(&self) -> &Arc<ServerConfig> {
        &self.server.config
    }

    /// Dials other servers; an error if no CA is configured to verify them with.
    pub fn client(&self) -> Result<&Arc<ClientConfig>, TlsError> {
        self.client.as_ref().ok_or(TlsError::NotConfigured {
            parameter: "tls-ca-cert-file or tls-ca-cert-dir",
            reason: "an outgoing connection verifies the server it reaches, which needs a CA",
        })
    }

    /// What the server's certificate says.
    pub fn certificate(&self) -> &CertificateFacts {
        &self.server.facts
    }

    fn build(options: TlsOptions, previous: Option<&Self>, clock: &Arc<dyn TimeProvider>) -> Result<Self, TlsError> {
        let trust = Trust::read(&options, unix_seconds(clock.as_ref())?)?;
        let server = ServerTls::build(&options, &trust, previous.map(|previous| &previous.server), clock.clone())?;
        client_identity_files(&options)?;
        let client = if trust.is_empty() { None } else { Some(client_config(&options, &trust, clock.clone())?) };
        Ok(Self { options, server, client })
    }
}

/// How the last reload went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReloadRecord {
    /// When, Unix seconds; 0 if there was none since the start.
    pub at: i64,
    /// Successful reloads since the start.
    pub succeeded: u64,
    /// Failed ones.
    pub failed: u64,
    /// Why the last one failed, if it did.
    pub error: Option<String>,
}

/// The configuration in force.
pub struct LiveTls {
    current: ArcSwap<Generation>,
    clock: Arc<dyn TimeProvider>,
    /// Guards the record and the watch, and makes reloads take turns. Held while files are read; the path of
    /// a connection never takes it.
    reloading: Mutex<Reloading>,
}

struct Reloading {
    record: ReloadRecord,
    watch: FileWatch,
}

impl LiveTls {
    /// Builds the first configuration. Without one there is no listener.
    pub fn start(options: TlsOptions) -> Result<Self, TlsError> {
        Self::start_with_clock(options, Arc::new(DefaultTimeProvider))
    }

    /// The same under a given clock.
    pub fn start_with_clock(options: TlsOptions, clock: Arc<dyn TimeProvider>) -> Result<Self, TlsError> {
        let watch = FileWatch::new(snapshot(&options));
        let first = Generation::build(options, None, &clock)?;
        Ok(Self {
            current: ArcSwap::from_pointee(first),
            clock,
            reloading: Mutex::new(Reloading { record: ReloadRecord::default(), watch }),
        })
    }

    /// The generation in force. Cheap enough for every connection.
    pub fn current(&self) -> Arc<Generation> {
        self.current.load_full()
    }

    /// Replaces the configuration, or keeps it and says why.
    pub fn reload(&self, options: TlsOptions) -> Result<(), TlsError> {
        let mut reloading = self.reloading.lock();
        self.replace(&mut reloading, options)
    }

    /// Reads the same files again: for SIGHUP, and after `files_changed`.
    pub fn reload_files(&self) -> Result<(), TlsError> {
        let mut reloading = self.reloading.lock();
        let options = self.current().options.clone();
        self.replace(&mut reloading, options)
    }

    /// Checks a configuration without publishing it, for a CONFIG SET of several parameters.
    pub fn check(&self, options: &TlsOptions) -> Result<(), TlsError> {
        Generation::build(options.clone(), Some(&self.current()), &self.clock).map(drop)
    }

    /// Whether the files in use have changed and been quiet since the last call. Meant to be called once a
    /// second; reads metadata only.
    pub fn files_changed(&self) -> bool {
        let mut reloading = self.reloading.lock();
        let seen = snapshot(&self.current().options);
        reloading.watch.poll(seen)
    }

    /// How the last reload went.
    pub fn last_reload(&self) -> ReloadRecord {
        self.reloading.lock().record.clone()
    }

    fn replace(&self, reloading: &mut Reloading, options: TlsOptions) -> Result<(), TlsError> {
        // Taken before reading: a change during the reading is then seen by the next poll.
        let seen = snapshot(&options);
        let built = Generation::build(options, Some(&self.current()), &self.clock);
        let record = &mut reloading.record;
        record.at = unix_seconds(self.clock.as_ref()).unwrap_or_default();
        match built {
            Ok(generation) => {
                self.current.store(Arc::new(generation));
                reloading.watch = FileWatch::new(seen);
                record.succeeded += 1;
                record.error = None;
                Ok(())
            }
            Err(error) => {
                record.failed += 1;
                record.error = Some(error.to_string());
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::options::AuthClients;
    use crate::tls::testing::{Leaf, ManualClock, NOW, Site, handshake_configs};

    fn live(site: &Site) -> LiveTls {
        LiveTls::start_with_clock(site.options.clone(), Arc::new(ManualClock::new(NOW))).unwrap()
    }

    fn shakes_hands(live: &LiveTls) -> bool {
        let current = live.current();
        handshake_configs(current.server(), current.client().unwrap(), "localhost").is_ok()
    }

    #[test]
    fn a_renewed_certificate_is_noticed_and_published() {
        let site = Site::new();
        let live = live(&site);
        let before = live.current();
        assert!(!live.files_changed());
        site.renew_server_certificate();
        assert_eq!([live.files_changed(), live.files_changed()], [false, true]);
        live.reload_files().unwrap();
        assert!(!live.files_changed());
        assert_ne!(live.current().certificate().serial, before.certificate().serial);
        assert!(shakes_hands(&live));
        let record = live.last_reload();
        assert_eq!((record.at, record.succeeded, record.failed, record.error), (NOW, 1, 0, None));
    }

    #[test]
    fn a_bad_certificate_keeps_the_old_one() {
        let site = Site::new();
        let live = live(&site);
        let before = live.current();
        let other = site.authority.issue(Leaf::server());
        site.folder.write("server.crt", other.pem);
        assert_eq!([live.files_changed(), live.files_changed(), live.files_changed()], [false, true, false]);
        let error = live.reload_files().unwrap_err();
        assert!(matches!(error, TlsError::Mismatch { .. }), "{error}");
        assert!(Arc::ptr_eq(&before, &live.current()));
        assert!(shakes_hands(&live));
        let record = live.last_reload();
        assert_eq!((record.succeeded, record.failed), (0, 1));
        assert_eq!(record.error, Some(error.to_string()));
        assert!(!live.files_changed(), "a failure is not tried again until something changes");

        site.folder.write("server.key", other.key.serialize_pem());
        assert_eq!([live.files_changed(), live.files_changed()], [false, true]);
        live.reload_files().unwrap();
        assert_eq!(live.last_reload().error, None);
        assert!(shakes_hands(&live));
    }

    #[test]
    fn bad_parameters_change_nothing_and_leave_the_watch_on_the_files_in_use() {
        let site = Site::new();
        let live = live(&site);
        for broken in [
            TlsOptions { cert_file: Some(site.folder.path("nowhere.crt")), ..site.options.clone() },
            TlsOptions { ciphers: "NONSENSE".into(), ..site.options.clone() },
            TlsOptions { ca_cert_file: None, ..site.options.clone() },
            TlsOptions { client_key_file: None, ..site.options.clone() },
            TlsOptions { crl_file: Some(site.folder.path("server.key")), ..site.options.clone() },
        ] {
            assert!(live.check(&broken).is_err());
            assert!(live.reload(broken).is_err());
            assert_eq!(live.current().options, site.options);
        }
        assert!(!live.files_changed());
        site.renew_server_certificate();
        assert_eq!([live.files_changed(), live.files_changed()], [false, true]);
    }

    #[test]
    fn new_parameters_are_published_together() {
        let site = Site::new();
        let live = live(&site);
        let folder = site.folder.path("renewed");
        std::fs::create_dir(&folder).unwrap();
        let leaf = site.authority.issue(Leaf::server());
        let options = TlsOptions {
            cert_file: Some(site.folder.write("renewed/server.crt", leaf.pem)),
            key_file: Some(site.folder.write("renewed/server.key", leaf.key.serialize_pem())),
            ..site.options.clone()
        };
        live.check(&options).unwrap();
        assert_eq!(live.current().options, site.options, "a check publishes nothing");
        live.reload(options.clone()).unwrap();
        assert_eq!(live.current().options, options);
        assert!(shakes_hands(&live));

        site.renew_server_certificate();
        assert_eq!([live.files_changed(), live.files_changed()], [false, false], "files no longer in use");
        site.folder.write("renewed/server.crt", "half a certificate");
        assert_eq!([live.files_changed(), live.files_changed()], [false, true]);
    }

    #[test]
    fn without_a_ca_nobody_can_be_dialled() {
        let mut site = Site::new();
        site.options.ca_cert_file = None;
        site.options.auth_clients = AuthClients::No;
        let live = live(&site);
        assert!(live.current().client().unwrap_err().to_string().contains("tls-ca-cert-file"));
    }
}

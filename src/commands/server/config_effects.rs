//! What CONFIG SET sets off beyond the new value: the server's answers to the configuration's questions.

use crate::config::{ApplyHooks, Effect, Settings};
use crate::engine::{Engine, tls_options};

/// Applies effects to the running server.
pub(super) struct Effects {
    /// The server.
    pub engine: &'static Engine,
    /// Whether the client that asks is on this machine.
    pub client_is_local: bool,
}

impl ApplyHooks for Effects {
    fn loading(&self) -> bool {
        self.engine.saving.loads.is_active()
    }

    fn client_is_local(&self) -> bool {
        self.client_is_local
    }

    fn apply(&self, effect: Effect, new: &Settings, _old: &Settings) -> Result<(), String> {
        match effect {
            Effect::Tls => self.reload_certificates(new),
            Effect::Port | Effect::TlsPort | Effect::Bind => self.engine.rebind(new),
            Effect::OomScore => self.engine.oom_score.apply(new, false).map_err(|error| {
                tracing::warn!("the out-of-memory score cannot be adjusted: {error}");
                "Failed to apply new oom_score_adj configuration, check server logs.".into()
            }),
            Effect::RequirePass => {
                self.engine.users.set_default_password(&new.security.requirepass.0);
                Ok(())
            }
            Effect::ClientMemory | Effect::MaxMemory => {
                self.engine.recount_clients(new, self.engine.background_worker());
                Ok(())
            }
            Effect::ReplBacklog => {
                self.engine.feed.set_capacity(new.replication.repl_backlog_size as usize);
                Ok(())
            }
            Effect::AppendOnly if new.persistence.appendonly => Err("this server has no append only file".into()),
            // Read where they are used, at the latest with the next command or round of background work.
            Effect::AppendOnly
            | Effect::MaxClients
            | Effect::Hz
            | Effect::GoodReplicas
            | Effect::AppendFsync
            | Effect::AofHistory
            | Effect::ClusterAnnounce
            | Effect::ClusterFlags
            | Effect::LogLevel
            | Effect::Directory
            | Effect::ProcessTitle => Ok(()),
        }
    }
}

impl Effects {
    /// Reads certificates, trust and ciphers anew. In a plaintext group there is nothing that would use them.
    fn reload_certificates(&self, new: &Settings) -> Result<(), String> {
        let Some(live) = &self.engine.tls else { return Ok(()) };
        let options = tls_options(new).map_err(|error| error.to_string())?;
        live.reload(options).map_err(|error| {
            tracing::warn!("the TLS configuration in force stays: {error}");
            format!("Unable to update TLS configuration. {error}")
        })
    }
}

//! What CONFIG SET sets off beyond the new value: the server's answers to the configuration's questions.

use crate::config::{ApplyHooks, Effect, Settings};
use crate::engine::{AofState, Engine, RewriteFailed, tls_options};

/// Applies effects to the running server.
pub(super) struct Effects {
    /// The server.
    pub engine: &'static Engine,
    /// Whether the client that asks is on this machine.
    pub client_is_local: bool,
    /// Whether it asks in the middle of a transaction or a script.
    pub in_transaction: bool,
}

impl ApplyHooks for Effects {
    fn loading(&self) -> bool {
        self.engine.saving.loads.is_active() || self.engine.replication.link.report().loads_aside
    }

    fn client_is_local(&self) -> bool {
        self.client_is_local
    }

    fn apply(&self, effect: Effect, new: &Settings, _old: &Settings) -> Result<(), String> {
        match effect {
            Effect::Tls => self.reload_certificates(new),
            Effect::Port | Effect::TlsPort | Effect::Bind => self.engine.rebind(new).map_err(|cause| {
                tracing::warn!("{cause}");
                match effect {
                    Effect::Bind => "Failed to bind to specified addresses.".into(),
                    _ => "Unable to listen on this port. Check server logs.".into(),
                }
            }),
            Effect::OomScore => self.engine.adjust_oom_score(new).map_err(|error| {
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
            Effect::Group => self.engine.replication.membership.hold_to(&new.replication.group_id),
            Effect::AppendOnly => self.switch_append_only(new),
            Effect::AofTimes => {
                self.engine.feed.tail.note_times(new.persistence.aof_timestamp_enabled);
                Ok(())
            }
            Effect::AofHistory => {
                self.engine.remove_aof_history(new);
                Ok(())
            }
            // Read where they are used, at the latest with the next command or round of background work.
            Effect::MaxClients
            | Effect::Hz
            | Effect::GoodReplicas
            | Effect::AppendFsync
            | Effect::ClusterAnnounce
            | Effect::ClusterFlags
            | Effect::LogLevel
            | Effect::Directory => Ok(()),
            Effect::ProcessTitle => {
                self.engine.show_title(new);
                Ok(())
            }
        }
    }
}

impl Effects {
    /// Begins or ends the append only file.
    fn switch_append_only(&self, new: &Settings) -> Result<(), String> {
        match (new.persistence.appendonly, self.engine.append_only.state()) {
            (true, AofState::Off) => self
                .engine
                .start_append_only(new, self.in_transaction)
                .map_err(|RewriteFailed| "Unable to turn on AOF. Check server logs.".into()),
            (false, AofState::On | AofState::WaitsForBase) => {
                self.engine.stop_append_only(new);
                Ok(())
            }
            _ => Ok(()),
        }
    }

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

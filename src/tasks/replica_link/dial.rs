//! Dialling the primary: in an encrypted group over TLS, with the primary's certificate verified, and never otherwise.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use crate::config::Settings;
use crate::engine::{Engine, PrimaryAddress};
use crate::peer::{Link, Target, connect, secure};

/// Dials; an error says what failed, in a sentence.
pub(super) fn dial(engine: &Engine, settings: &Settings, primary: &PrimaryAddress) -> Result<Link, String> {
    let unreachable = |error: io::Error| format!("Unable to connect to MASTER: {error}");
    let timeout = timeout(settings);
    let target = Target { host: primary.host.clone(), port: primary.port };
    let source = source(settings).map_err(unreachable)?;
    let socket = connect(&target, source, timeout).map_err(unreachable)?;
    engine.replication.link.dialled(socket.try_clone().ok());
    let refused = |error: &dyn std::fmt::Display| {
        format!("Error condition on socket for SYNC: TLS with the primary {primary} failed: {error}")
    };
    let generation = engine.tls.as_ref().map(|tls| tls.current());
    let config = generation.as_ref().map(|generation| generation.client()).transpose();
    let config = config.map_err(|error| refused(&error))?;
    let stream = secure(socket, &target.host, config).map_err(|error| match error.is_other_name() {
        true => refused(&format_args!("{error}; tls-expected-peer-name can say which name it carries")),
        false => refused(&error),
    })?;
    Link::new(stream, timeout).map_err(unreachable)
}

/// How long a primary may be silent.
pub(super) fn timeout(settings: &Settings) -> Duration {
    Duration::from_secs(settings.replication.repl_timeout.into())
}

/// The address to dial from, where one is configured.
fn source(settings: &Settings) -> io::Result<Option<IpAddr>> {
    let source = &settings.network.bind_source_addr;
    if source.is_empty() {
        return Ok(None);
    }
    source.parse().map(Some).map_err(|_| io::Error::other(format!("bind-source-addr '{source}' is no address")))
}

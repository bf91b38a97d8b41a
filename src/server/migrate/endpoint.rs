//! A server to talk to: its URL, its password, its TLS, and how it is reached.
//!
//! What is shown of it is scheme, host and port. A password is in no text that this program makes, errors about the URL included.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;

use crate::peer::{DialError, PeerConnection, Stream, Target, dial};
use crate::tls::connector::tool_config;
use crate::tls::options::{Passphrase, TlsOptions};

const DEFAULT_PORT: u16 = 6379;

/// What a URL says.
#[derive(Debug, PartialEq, Eq)]
pub struct Address {
    encrypted: bool,
    user: Option<String>,
    password: Option<Passphrase>,
    target: Target,
}

/// The TLS of one side.
#[derive(Clone, Debug, Default)]
pub struct TlsFiles {
    /// The authorities it is verified with.
    pub cacert: Option<PathBuf>,
    /// A certificate to show.
    pub cert: Option<PathBuf>,
    /// Its key.
    pub key: Option<PathBuf>,
    /// The name to expect.
    pub server_name: Option<String>,
}

/// A server to talk to.
pub struct Endpoint {
    address: Address,
    tls: Option<Arc<ClientConfig>>,
    /// How long any step may take.
    pub timeout: Duration,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.address.encrypted { "rediss" } else { "redis" };
        write!(f, "{scheme}://{}:{}", self.address.target.host, self.address.target.port)
    }
}

impl Address {
    /// Reads `redis://[user[:password]@]host[:port][/]` or the same with `rediss`. An error does not repeat the text.
    pub fn parse(url: &str) -> Result<Self, String> {
        const FORM: &str = "expected redis://[user[:password]@]host[:port] or rediss://…";
        let (encrypted, rest) = match url.split_once("://") {
            Some(("redis", rest)) => (false, rest),
            Some(("rediss", rest)) => (true, rest),
            _ => return Err(FORM.into()),
        };
        let (rest, path) = rest.split_once('/').unwrap_or((rest, ""));
        if !path.is_empty() {
            return Err("all databases are migrated: the URL ends behind the port".into());
        }
        let (login, place) = match rest.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, rest),
        };
        let (user, password) = match login.map(|login| login.split_once(':').unwrap_or((login, ""))) {
            Some((user, password)) => (decoded(user)?, decoded(password)?),
            None => (None, None),
        };
        let bracket = place.find(']').map_or(0, |at| at + 1);
        let (host, port) = match place[bracket..].find(':') {
            Some(colon) => (&place[..bracket + colon], Some(&place[bracket + colon + 1..])),
            None => (place, None),
        };
        let port = port.map_or(Ok(DEFAULT_PORT), str::parse).map_err(|_| "the port is no number up to 65535")?;
        if host.is_empty() {
            return Err(FORM.into());
        }
        let target = Target { host: host.to_owned(), port };
        Ok(Self { encrypted, user, password: password.map(Passphrase::new), target })
    }
}

/// A part of a URL with its `%XX` undone; none if it is empty.
fn decoded(part: &str) -> Result<Option<String>, String> {
    const BROKEN: &str = "user and password are UTF-8, with %XX for a byte that cannot stand in a URL";
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = tail;
            continue;
        }
        let digits = tail.get(..2).and_then(|pair| std::str::from_utf8(pair).ok()).ok_or(BROKEN)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| BROKEN)?);
        rest = &tail[2..];
    }
    let text = String::from_utf8(bytes).map_err(|_| BROKEN)?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

impl Endpoint {
    /// An endpoint; a password of the environment is taken where the URL has none.
    pub fn new(url: &str, password_variable: &str, files: TlsFiles, timeout: Duration) -> Result<Self, String> {
        let mut address = Address::parse(url)?;
        if address.password.is_none() {
            address.password =
                std::env::var(password_variable).ok().filter(|text| !text.is_empty()).map(Passphrase::new);
        }
        if address.user.is_some() && address.password.is_none() {
            return Err(format!("a user without a password: put it into the URL or into {password_variable}"));
        }
        let tls = address.encrypted.then(|| tls(files)).transpose()?;
        Ok(Self { address, tls, timeout })
    }

    /// User and password, the default user's without a name.
    pub fn credentials(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        let password = self.address.password.as_ref()?;
        let user = self.address.user.clone().unwrap_or_default();
        Some((user.into_bytes(), password.reveal().as_bytes().to_vec()))
    }

    /// Dials.
    pub fn dial(&self) -> Result<Stream, String> {
        dial(&self.address.target, self.tls.as_ref(), self.timeout).map_err(|error| self.unreachable(&error))
    }

    /// Dials for calls, one after the other.
    pub fn dial_for_calls(&self) -> Result<PeerConnection, String> {
        PeerConnection::open(&self.address.target, self.tls.as_ref(), self.timeout)
            .map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &DialError) -> String {
        let hint = if error.is_other_name() { "; --tls-server-name says which name it carries" } else { "" };
        format!("cannot reach {self}: {error}{hint}")
    }
}

fn tls(files: TlsFiles) -> Result<Arc<ClientConfig>, String> {
    if files.cacert.is_none() {
        return Err("a server reached over TLS is verified: name the authority of its certificate with --cacert".into());
    }
    let options = TlsOptions {
        ca_cert_file: files.cacert,
        client_cert_file: files.cert,
        client_key_file: files.key,
        expected_peer_name: files.server_name,
        ..TlsOptions::default()
    };
    tool_config(&options).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(url: &str) -> (bool, String, String, String, u16) {
        let address = Address::parse(url).unwrap();
        let password = address.password.map(|password| password.reveal().to_owned());
        let Target { host, port } = address.target;
        (address.encrypted, address.user.unwrap_or_default(), password.unwrap_or_default(), host, port)
    }

    #[test]
    fn urls_are_read() {
        let cases = [
            ("redis://localhost", (false, "", "", "localhost", 6379)),
            ("rediss://10.0.0.1:7000/", (true, "", "", "10.0.0.1", 7000)),
            ("redis://:s%40cret@h:1", (false, "", "s@cret", "h", 1)),
            ("redis://me:a:b@[::1]:2", (false, "me", "a:b", "[::1]", 2)),
            ("rediss://me:p%20w@[fe80::1]", (true, "me", "p w", "[fe80::1]", 6379)),
            ("redis://me:x@y@h", (false, "me", "x@y", "h", 6379)),
        ];
        for (url, (encrypted, user, password, host, port)) in cases {
            let expected = (encrypted, user.to_owned(), password.to_owned(), host.to_owned(), port);
            assert_eq!(parts(url), expected, "{url}");
        }
    }

    #[test]
    fn errors_tell_no_secret() {
        for url in [
            "secret",
            "http://u:secret@h",
            "redis://u:secret@",
            "redis://u:secret@h:70000",
            "redis://u:secret@h:x",
            "redis://u:secret@h/5",
            "redis://u:secret%zz@h",
            "redis://u:secret%f",
            "redis://u:secret%ff@h",
        ] {
            let error = Address::parse(url).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
        let shown = format!("{:?}", Address::parse("redis://u:secret@h").unwrap());
        assert!(!shown.contains("secret"), "{shown}");
    }
}

//! Checks across parameters, for the start and for `CONFIG SET`.

use super::settings::Settings;
use super::values::TlsAuthClients;

/// Two parameters that do not fit together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The parameters to look at, the likeliest culprit first.
    pub parameters: Vec<&'static str>,
    /// What is wrong and the way out.
    pub sentence: String,
}

/// The first conflict, if any.
pub(super) fn validate(settings: &Settings) -> Result<(), Conflict> {
    let tls = &settings.tls;
    if settings.transit_encryption {
        encrypted_group(settings)?;
    } else {
        plaintext_group(settings)?;
    }
    pair("tls-cert-file", &tls.tls_cert_file, "tls-key-file", &tls.tls_key_file)?;
    pair("tls-client-cert-file", &tls.tls_client_cert_file, "tls-client-key-file", &tls.tls_client_key_file)?;
    if settings.cluster.cluster_enabled && settings.replication.replicaof.0.is_some() {
        return conflict(&["replicaof", "cluster-enabled"], "replicaof directive not allowed in cluster mode".into());
    }
    Ok(())
}

fn encrypted_group(settings: &Settings) -> Result<(), Conflict> {
    let tls = &settings.tls;
    if settings.network.port != 0 && settings.network.tls_port != 0 {
        return conflict(
            &["tls-port", "port"],
            format!(
                "port {} and tls-port {} are both set, but a replication group is either encrypted in transit or not: \
                 set port 0 for an encrypted group, or tls-port 0 for a plaintext one",
                settings.network.port, settings.network.tls_port
            ),
        );
    }
    if settings.network.port != 0 {
        return conflict(
            &["port"],
            "this group is encrypted in transit and opens no plaintext port: set port 0".into(),
        );
    }
    if tls.tls_cert_file.is_empty() && tls.tls_key_file.is_empty() {
        return conflict(
            &["tls-port", "tls-cert-file", "tls-key-file"],
            "tls-port is set but there is no certificate: set tls-cert-file and tls-key-file, for example to files made \
             by redis-tls certs create --out certs"
                .into(),
        );
    }
    let no_trust = tls.tls_ca_cert_file.is_empty() && tls.tls_ca_cert_dir.is_empty();
    if no_trust && tls.tls_auth_clients != TlsAuthClients::No {
        return conflict(
            &["tls-auth-clients", "tls-ca-cert-file", "tls-ca-cert-dir"],
            "Either tls-ca-cert-file or tls-ca-cert-dir must be specified when client certificates are checked: set one \
             of them, or tls-auth-clients no"
                .into(),
        );
    }
    Ok(())
}

fn plaintext_group(settings: &Settings) -> Result<(), Conflict> {
    let rules = [
        ("tls-port", settings.network.tls_port != 0),
        ("tls-replication", settings.tls.tls_replication),
        ("tls-cluster", settings.tls.tls_cluster),
    ];
    match rules.iter().find(|(_, set)| *set) {
        Some((parameter, _)) => conflict(
            &[*parameter],
            format!(
                "{parameter} asks for encryption in a plaintext group, and a group keeps its mode for life: back up, start \
                 a new group with tls-port from the backup, and move the clients"
            ),
        ),
        None => Ok(()),
    }
}

fn pair(first: &'static str, first_file: &str, second: &'static str, second_file: &str) -> Result<(), Conflict> {
    let (missing, given) = match (first_file.is_empty(), second_file.is_empty()) {
        (true, false) => (first, second),
        (false, true) => (second, first),
        _ => return Ok(()),
    };
    conflict(
        &[given, missing],
        format!("{given} is set without {missing}: a certificate and its private key come together, set both"),
    )
}

fn conflict(parameters: &[&'static str], sentence: String) -> Result<(), Conflict> {
    Err(Conflict { parameters: parameters.to_vec(), sentence })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encrypted() -> Settings {
        let mut settings = Settings { transit_encryption: true, ..Settings::default() };
        settings.network.port = 0;
        settings.network.tls_port = 6379;
        settings.tls.tls_cert_file = "a".into();
        settings.tls.tls_key_file = "b".into();
        settings.tls.tls_ca_cert_file = "c".into();
        settings
    }

    #[test]
    fn the_defaults_and_an_encrypted_group_are_fine() {
        assert_eq!(validate(&Settings::default()), Ok(()));
        assert_eq!(validate(&encrypted()), Ok(()));
        let mut closed = encrypted();
        closed.network.tls_port = 0;
        assert_eq!(validate(&closed), Ok(()), "the listener of an encrypted group may close");
    }

    #[test]
    fn each_conflict_is_found_and_blamed() {
        type Change = fn(&mut Settings);
        let table: &[(Change, &str, &str)] = &[
            (|s| s.network.port = 1, "tls-port", "both set"),
            (
                |s| {
                    s.network.tls_port = 0;
                    s.network.port = 1;
                },
                "port",
                "no plaintext port",
            ),
            (|s| s.tls.tls_key_file.clear(), "tls-cert-file", "without tls-key-file"),
            (|s| s.tls.tls_client_key_file = "x".into(), "tls-client-key-file", "without tls-client-cert-file"),
            (|s| s.tls.tls_ca_cert_file.clear(), "tls-auth-clients", "tls-auth-clients no"),
            (
                |s| {
                    s.tls.tls_cert_file.clear();
                    s.tls.tls_key_file.clear();
                },
                "tls-port",
                "certs create",
            ),
            (
                |s| {
                    s.cluster.cluster_enabled = true;
                    s.replication.replicaof.0 = Some(("a".into(), 1));
                },
                "replicaof",
                "not allowed in cluster mode",
            ),
            (
                |s| {
                    *s = Settings::default();
                    s.tls.tls_replication = true;
                },
                "tls-replication",
                "plaintext group",
            ),
        ];
        for (change, parameter, text) in table {
            let mut settings = encrypted();
            change(&mut settings);
            let conflict = validate(&settings).unwrap_err();
            assert_eq!(conflict.parameters[0], *parameter);
            assert!(conflict.sentence.contains(text), "{}", conflict.sentence);
        }
    }
}

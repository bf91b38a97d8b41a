//! Checks of texts that are more than text: file names, host names, templates, TLS versions.

/// Anything goes.
pub(super) fn any(_text: &str) -> Result<(), String> {
    Ok(())
}

/// A file name for snapshots; may be empty.
pub(super) fn dbfilename(text: &str) -> Result<(), String> {
    base_name(text, "dbfilename can't be a path, just a filename")
}

/// The stem of append only files.
pub(super) fn appendfilename(text: &str) -> Result<(), String> {
    not_empty(text, "appendfilename can't be empty")?;
    base_name(text, "appendfilename can't be a path, just a filename")
}

/// The directory of append only files, inside `dir`.
pub(super) fn appenddirname(text: &str) -> Result<(), String> {
    not_empty(text, "appenddirname can't be empty")?;
    base_name(text, "appenddirname can't be a path, just a dirname")
}

/// A host name to announce; may be empty.
pub(super) fn hostname(text: &str) -> Result<(), String> {
    if text.len() >= 256 {
        return Err("Hostnames must be less than 256 characters".into());
    }
    if !text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.') {
        return Err("Hostnames may only contain alphanumeric characters, hyphens or dots".into());
    }
    Ok(())
}

/// A node name for people.
pub(super) fn nodename(text: &str) -> Result<(), String> {
    if text.bytes().any(|b| b"!#$%&()*+:;<>?@[]^{|}~".contains(&b)) {
        return Err("Announced human node name contained invalid character".into());
    }
    Ok(())
}

/// A process title with `{variables}`; `{{` is a brace.
pub(super) fn title_template(text: &str) -> Result<(), String> {
    const VARIABLES: [&str; 7] =
        ["title", "listen-addr", "server-mode", "config-file", "port", "tls-port", "unixsocket"];
    let invalid = || Err("template format is invalid or contains unknown variables".to_string());
    let mut rest = text;
    let mut visible = false;
    while let Some((before, after)) = rest.split_once('{') {
        visible |= !before.trim().is_empty();
        if let Some(escaped) = after.strip_prefix('{') {
            visible = true;
            rest = escaped;
            continue;
        }
        match after.split_once('}') {
            Some((name, tail)) if VARIABLES.contains(&name) => {
                visible |= !matches!(name, "title" | "server-mode");
                rest = tail;
            }
            _ => return invalid(),
        }
    }
    if visible || !rest.trim().is_empty() { Ok(()) } else { invalid() }
}

/// The id of a group: 32 hexadecimal digits, or nothing.
pub(super) fn group_id(text: &str) -> Result<(), String> {
    if text.is_empty() || crate::group::claim::is_id(text.as_bytes()) {
        return Ok(());
    }
    Err("group-id must be 32 hexadecimal digits".into())
}

/// TLS versions, parted by spaces; empty is the default of both supported ones.
pub(super) fn tls_protocols(text: &str) -> Result<(), String> {
    for word in text.split_ascii_whitespace() {
        match word.to_ascii_lowercase().as_str() {
            "tlsv1.2" | "tlsv1.3" => {}
            "tlsv1" | "tlsv1.0" | "tlsv1.1" | "sslv2" | "sslv3" => {
                return Err(format!(
                    "{word} is broken and not supported, use TLSv1.2, TLSv1.3 or both: tls-protocols \"TLSv1.2 TLSv1.3\""
                ));
            }
            _ => return Err(format!("{word} is no TLS version, use TLSv1.2, TLSv1.3 or both")),
        }
    }
    Ok(())
}

fn not_empty(text: &str, message: &str) -> Result<(), String> {
    if text.is_empty() { Err(message.into()) } else { Ok(()) }
}

fn base_name(text: &str, message: &str) -> Result<(), String> {
    if text.contains(['/', '\\']) { Err(message.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_tls_versions_are_refused_with_a_way_out() {
        assert!(tls_protocols("").is_ok() && tls_protocols("TLSv1.2 tlsv1.3").is_ok());
        let error = tls_protocols("TLSv1 TLSv1.2").unwrap_err();
        assert!(error.contains("TLSv1 is broken") && error.contains("TLSv1.3"), "{error}");
        assert!(tls_protocols("foo").is_err());
    }

    #[test]
    fn title_templates_need_known_variables_and_something_to_show() {
        for good in ["{title} {listen-addr} {server-mode}", "--my--title--template", "{{", "{port}"] {
            assert!(title_template(good).is_ok(), "{good}");
        }
        for bad in ["", "  ", "{title}", "{x}", "{title", "{"] {
            assert!(title_template(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn names_are_not_paths() {
        assert!(dbfilename("").is_ok() && dbfilename("a/b").is_err());
        assert!(appendfilename("").is_err() && appenddirname("x/y").is_err());
        assert!(hostname("a.b-c").is_ok() && hostname("a b").is_err() && hostname(&"a".repeat(256)).is_err());
        assert!(nodename("node 1").is_ok() && nodename("node#1").is_err());
    }
}

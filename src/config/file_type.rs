//! Is a configuration in TOML or in the form of `redis.conf`?

use std::path::Path;

/// The two forms of a configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileType {
    /// `name value …` lines.
    Conf,
    /// TOML.
    Toml,
}

/// By the ending where that is `.toml` or `.conf`; otherwise by the first line that says something: a section, or a
/// name before an equals sign, is TOML.
pub(super) fn file_type(path: Option<&Path>, content: &[u8]) -> FileType {
    let ending = path.and_then(Path::extension).map(|e| e.to_ascii_lowercase());
    match ending.as_ref().and_then(|e| e.to_str()) {
        Some("toml") => FileType::Toml,
        Some("conf") => FileType::Conf,
        _ => by_content(content),
    }
}

fn by_content(content: &[u8]) -> FileType {
    let mut lines = content.split(|&b| b == b'\n').map(<[u8]>::trim_ascii);
    let Some(line) = lines.find(|line| !line.is_empty() && line[0] != b'#') else {
        return FileType::Conf;
    };
    let name_ends = line.iter().position(|b| !(b.is_ascii_alphanumeric() || b"-_.\"".contains(b)));
    let after_name = name_ends.map(|end| line[end..].trim_ascii_start()).unwrap_or_default();
    if line[0] == b'[' || (name_ends != Some(0) && after_name.first() == Some(&b'=')) {
        FileType::Toml
    } else {
        FileType::Conf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ending_first_then_content() {
        let table: &[(Option<&str>, &str, FileType)] = &[
            (Some("a.toml"), "port 1", FileType::Toml),
            (Some("a.conf"), "port = 1", FileType::Conf),
            (Some("config"), "# x\n\n[network]\nport = 1", FileType::Toml),
            (None, "tls-port = 6379", FileType::Toml),
            (None, "requirepass =", FileType::Toml),
            (None, "requirepass a=b", FileType::Conf),
            (None, "port 6379", FileType::Conf),
            (None, "", FileType::Conf),
        ];
        for (path, content, expected) in table {
            assert_eq!(file_type(path.map(Path::new), content.as_bytes()), *expected, "{path:?} {content:?}");
        }
    }
}

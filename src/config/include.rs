//! Which files an `include` names: one, or all that match its wildcards.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::base::glob;

/// The files that `pattern` names, relative to `start_dir`, in order of their names. Without wildcards that is the path
/// itself, there or not; with wildcards that match nothing it is no file at all.
pub(super) fn expand(pattern: &Path, start_dir: &Path) -> Vec<PathBuf> {
    let full = start_dir.join(pattern);
    if !has_wildcard(full.as_os_str()) {
        return vec![full];
    }
    let mut paths = vec![PathBuf::new()];
    for component in full.components() {
        paths = match component {
            Component::Normal(name) if has_wildcard(name) => paths.iter().flat_map(|dir| entries(dir, name)).collect(),
            other => paths.into_iter().map(|path| path.join(other)).filter(|path| path.exists()).collect(),
        };
    }
    paths
}

fn has_wildcard(text: &OsStr) -> bool {
    text.as_bytes().iter().any(|b| b"*?[".contains(b))
}

/// A leading dot must be matched by a dot, as in the shell.
fn entries(dir: &Path, pattern: &OsStr) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut names: Vec<_> = entries.flatten().map(|entry| entry.file_name()).collect();
    names.retain(|name| {
        let hidden = name.as_bytes().starts_with(b".") && !pattern.as_bytes().starts_with(b".");
        !hidden && glob::matches(pattern.as_bytes(), name.as_bytes())
    });
    names.sort();
    names.iter().map(|name| dir.join(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_in_every_component_and_skip_hidden_files() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["b.d/2.conf", "b.d/1.conf", "b.d/.h.conf", "b.d/x.txt", "a.d/3.conf"] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let expand = |pattern: &str| -> Vec<String> {
            let paths = super::expand(Path::new(pattern), dir.path());
            paths.iter().map(|p| p.strip_prefix(dir.path()).unwrap().to_string_lossy().into_owned()).collect()
        };
        assert_eq!(expand("*.d/*.conf"), ["a.d/3.conf", "b.d/1.conf", "b.d/2.conf"]);
        assert_eq!(expand("b.d/[2y].*"), ["b.d/2.conf"]);
        assert_eq!(expand("nothing*"), Vec::<String>::new());
        assert_eq!(expand("missing.conf"), ["missing.conf"]);
    }
}

//! Which arguments may never appear in the slow log or before MONITOR: passwords and user rules.

use super::spec::Spec;

/// The arguments of a command that are secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Secrets {
    /// None is.
    None,
    /// Every argument from this position on.
    From(usize),
    /// From position `from` on, the given number of arguments behind each of these words.
    After {
        /// The first position that can hold one of the words.
        from: usize,
        /// A word in lower case, and how many arguments behind it are secret.
        words: &'static [(&'static str, usize)],
    },
    /// Names and values alternate from position 2 on; the values of these names are secret.
    ValuesOf(&'static [&'static str]),
}

/// What stands in the place of a secret.
const REDACTED: &[u8] = b"(redacted)";

/// A copy of a request with its secrets hidden; `None` where it has none.
pub fn redacted<'a, C: FromIterator<&'a [u8]>>(spec: &Spec, args: impl Iterator<Item = &'a [u8]>) -> Option<C> {
    if spec.secrets == Secrets::None {
        return None;
    }
    let args: Vec<&[u8]> = args.collect();
    let hidden = spec.secrets.positions(&args);
    let show = |(i, arg): (usize, &&'a [u8])| if hidden[i] { REDACTED } else { *arg };
    hidden.contains(&true).then(|| args.iter().enumerate().map(show).collect())
}

impl Secrets {
    /// For each argument, whether it is secret.
    fn positions(&self, args: &[&[u8]]) -> Vec<bool> {
        let mut hidden = vec![false; args.len()];
        match *self {
            Self::None => {}
            Self::From(first) => hidden.iter_mut().skip(first).for_each(|h| *h = true),
            Self::After { from, words } => {
                let mut i = from;
                while i < args.len() {
                    let word = words.iter().find(|(word, _)| args[i].eq_ignore_ascii_case(word.as_bytes()));
                    let count = word.map_or(0, |(_, count)| *count);
                    hidden.iter_mut().skip(i + 1).take(count).for_each(|h| *h = true);
                    i += 1 + count;
                }
            }
            Self::ValuesOf(names) => {
                for i in (2..args.len()).step_by(2) {
                    if i + 1 < args.len() && names.iter().any(|n| args[i].eq_ignore_ascii_case(n.as_bytes())) {
                        hidden[i + 1] = true;
                    }
                }
            }
        }
        hidden
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(secrets: Secrets, request: &str) -> Option<String> {
        let spec = Spec { secrets, ..Spec::BASE };
        let words: Option<Vec<&[u8]>> = redacted(&spec, request.split(' ').map(str::as_bytes));
        words.map(|words| String::from_utf8_lossy(&words.join(&b' ')).into_owned())
    }

    #[test]
    fn secrets_are_hidden_and_nothing_else() {
        let hello = Secrets::After { from: 2, words: &[("auth", 2)] };
        let config = Secrets::ValuesOf(&["requirepass", "masterauth"]);
        let cases = [
            (Secrets::None, "GET key", None),
            (Secrets::From(1), "AUTH user pass", Some("AUTH (redacted) (redacted)")),
            (hello, "HELLO 3 SETNAME n", None),
            (hello, "HELLO 3 auth auth p SETNAME n", Some("HELLO 3 auth (redacted) (redacted) SETNAME n")),
            (hello, "HELLO 3 AUTH u", Some("HELLO 3 AUTH (redacted)")),
            (config, "CONFIG SET RequirePass x port 1", Some("CONFIG SET RequirePass (redacted) port 1")),
            (config, "CONFIG SET port 1", None),
            (config, "CONFIG SET requirepass", None),
        ];
        for (secrets, request, expected) in cases {
            assert_eq!(shown(secrets, request).as_deref(), expected, "{request}");
        }
    }
}

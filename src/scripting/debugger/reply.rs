//! Replies of commands as the debugger shows them. The bytes come from this server's own commands.

use super::dump::Dump;
use crate::base::number::parse_i64;

/// Adds a reply. What is no reply is left out.
pub(super) fn show(reply: &[u8], dump: &mut Dump) {
    let _ = Reader { rest: reply }.value(dump);
}

struct Reader<'r> {
    rest: &'r [u8],
}

impl<'r> Reader<'r> {
    fn line(&mut self) -> Option<&'r [u8]> {
        let end = self.rest.windows(2).position(|two| two == b"\r\n")?;
        let (line, rest) = self.rest.split_at(end);
        self.rest = &rest[2..];
        Some(line)
    }

    /// One value; `None` if the rest cannot be read, or would not be seen.
    fn value(&mut self, dump: &mut Dump) -> Option<()> {
        if dump.is_full() {
            return None;
        }
        let line = self.line()?;
        let (kind, text) = line.split_first()?;
        match kind {
            b':' => dump.add(text),
            b'+' | b'-' => dump.add_quoted(line),
            b'_' => dump.add(b"(null)"),
            b'#' => dump.add(if text == b"t" { b"#true" } else { b"#false" }),
            b',' => {
                dump.add(b"(double) ");
                dump.add(text);
            }
            b'$' | b'=' => match usize::try_from(parse_i64(text)?) {
                Ok(length) => {
                    let (bytes, rest) = self.rest.split_at_checked(length)?;
                    self.rest = rest.strip_prefix(b"\r\n")?;
                    dump.add_quoted(bytes);
                }
                Err(_) => dump.add(b"NULL"),
            },
            b'*' if text.starts_with(b"-") => dump.add(b"NULL"),
            b'*' => self.values(text, dump, ["[", ",", "]"])?,
            b'~' => self.values(text, dump, ["~(", ",", ")"])?,
            b'%' => self.pairs(text, dump)?,
            _ => return None,
        }
        Some(())
    }

    fn values(&mut self, count: &[u8], dump: &mut Dump, [open, between, close]: [&str; 3]) -> Option<()> {
        dump.add(open.as_bytes());
        for index in 0..parse_i64(count)? {
            if index > 0 {
                dump.add(between.as_bytes());
            }
            self.value(dump)?;
        }
        dump.add(close.as_bytes());
        Some(())
    }

    fn pairs(&mut self, count: &[u8], dump: &mut Dump) -> Option<()> {
        dump.add(b"{");
        for index in 0..parse_i64(count)? {
            if index > 0 {
                dump.add(b",");
            }
            self.value(dump)?;
            dump.add(b" => ");
            self.value(dump)?;
        }
        dump.add(b"}");
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(reply: &str, room: usize) -> String {
        let mut dump = Dump::new("", room);
        show(reply.as_bytes(), &mut dump);
        String::from_utf8(dump.into_text()).unwrap()
    }

    #[test]
    fn every_kind_of_reply_is_shown() {
        for (reply, text) in [
            ("+OK\r\n", "\"+OK\""),
            ("-ERR no\r\n", "\"-ERR no\""),
            (":-5\r\n", "-5"),
            ("$2\r\na\n\r\n", "\"a\\n\""),
            ("$-1\r\n", "NULL"),
            ("*-1\r\n", "NULL"),
            ("*0\r\n", "[]"),
            ("*2\r\n:1\r\n*1\r\n+x\r\n", "[1,[\"+x\"]]"),
            ("~2\r\n:1\r\n:2\r\n", "~(1,2)"),
            ("%2\r\n+a\r\n:1\r\n+b\r\n:2\r\n", "{\"+a\" => 1,\"+b\" => 2}"),
            ("_\r\n", "(null)"),
            ("#t\r\n", "#true"),
            ("#f\r\n", "#false"),
            (",1.5\r\n", "(double) 1.5"),
            ("=6\r\ntxt:ab\r\n", "\"txt:ab\""),
        ] {
            assert_eq!(shown(reply, 1000), text, "{reply:?}");
        }
    }

    #[test]
    fn what_is_no_reply_or_not_seen_is_left_out() {
        for reply in ["", "x", "$5\r\nab\r\n", "*3\r\n:1\r\n", "$x\r\n", "?\r\n"] {
            assert!(shown(reply, 1000).len() < 5, "{reply:?}");
        }
        let long = format!("*1000000\r\n{}", ":1\r\n".repeat(1_000_000));
        assert_eq!(shown(&long, 10), "[1,1,1,1,1,");
    }
}

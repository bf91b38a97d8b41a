//! Glob patterns as `KEYS`, `SCAN MATCH`, `PSUBSCRIBE` and `CONFIG GET` understand them.
//!
//! `*` any run of bytes, `?` one byte, `[abc]`, `[^a-z]` a class, `\x` the byte x itself. The rules are those of Redis
//! 7.2, oddities included: an unclosed class ends with the pattern, ranges compare signed bytes, and `*` alone does not
//! match the empty string. Two things bound the work on hostile patterns: once the rest of a pattern has failed from
//! every remaining position no earlier `*` tries a longer run, and patterns nest at most [`NESTING_LIMIT`] stars.

/// How many stars may be open at once; a pattern that needs more matches nothing.
pub const NESTING_LIMIT: usize = 1000;

/// Does `pattern` match the whole of `text`?
pub fn matches(pattern: &[u8], text: &[u8]) -> bool {
    Matcher { nocase: false, exhausted: false }.run(pattern, text, 0)
}

/// As [`matches`], taking ASCII letters of either case as equal.
pub fn matches_nocase(pattern: &[u8], text: &[u8]) -> bool {
    Matcher { nocase: true, exhausted: false }.run(pattern, text, 0)
}

struct Matcher {
    nocase: bool,
    /// The rest of the pattern failed from every position left: a longer run for an earlier star cannot help.
    exhausted: bool,
}

impl Matcher {
    fn run(&mut self, mut pattern: &[u8], mut text: &[u8], nesting: usize) -> bool {
        if nesting > NESTING_LIMIT {
            return false;
        }
        while let (Some(&token), Some(&byte)) = (pattern.first(), text.first()) {
            match token {
                b'*' => return self.star(pattern, text, nesting),
                b'?' => pattern = &pattern[1..],
                b'[' => {
                    let (matched, rest) = self.class(&pattern[1..], byte);
                    if !matched {
                        return false;
                    }
                    pattern = rest;
                }
                _ => {
                    if token == b'\\' && pattern.len() >= 2 {
                        pattern = &pattern[1..];
                    }
                    if !self.same(pattern[0], byte) {
                        return false;
                    }
                    pattern = &pattern[1..];
                }
            }
            text = &text[1..];
            if text.is_empty() {
                pattern = skip_stars(pattern);
            }
        }
        pattern.is_empty() && text.is_empty()
    }

    /// `pattern` begins with a star and `text` is not empty.
    fn star(&mut self, pattern: &[u8], mut text: &[u8], nesting: usize) -> bool {
        let rest = skip_stars(pattern);
        if rest.is_empty() {
            return true;
        }
        while !text.is_empty() {
            if self.run(rest, text, nesting + 1) {
                return true;
            }
            if self.exhausted {
                return false;
            }
            text = &text[1..];
        }
        self.exhausted = true;
        false
    }

    /// Reads a class whose `[` is already behind us: did it match, and what follows it.
    fn class<'p>(&self, mut pattern: &'p [u8], byte: u8) -> (bool, &'p [u8]) {
        let negated = pattern.first() == Some(&b'^');
        if negated {
            pattern = &pattern[1..];
        }
        let mut matched = false;
        loop {
            match pattern {
                [] => break,
                [b'\\', escaped, ..] => {
                    matched |= *escaped == byte;
                    pattern = &pattern[2..];
                }
                [b']', ..] => {
                    pattern = &pattern[1..];
                    break;
                }
                [low, b'-', high, ..] => {
                    matched |= self.in_range(*low, *high, byte);
                    pattern = &pattern[3..];
                }
                [single, ..] => {
                    matched |= self.same(*single, byte);
                    pattern = &pattern[1..];
                }
            }
        }
        (matched != negated, pattern)
    }

    fn in_range(&self, low: u8, high: u8, byte: u8) -> bool {
        let (low, high) = if (low as i8) <= (high as i8) { (low, high) } else { (high, low) };
        let fold = |b: u8| if self.nocase { b.to_ascii_lowercase() as i8 } else { b as i8 };
        (fold(low)..=fold(high)).contains(&fold(byte))
    }

    fn same(&self, a: u8, b: u8) -> bool {
        if self.nocase { a.eq_ignore_ascii_case(&b) } else { a == b }
    }
}

fn skip_stars(pattern: &[u8]) -> &[u8] {
    let stars = pattern.iter().take_while(|&&b| b == b'*').count();
    &pattern[stars..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_rules_of_redis() {
        let table: &[(&str, &str, bool)] = &[
            ("", "", true),
            ("", "a", false),
            ("*", "abc", true),
            ("*", "", false),
            ("a*", "a", true),
            ("a**", "a", true),
            ("*c", "abc", true),
            ("*b", "abc", false),
            ("h?llo", "hello", true),
            ("h?llo", "hllo", false),
            ("h[ae]llo", "hallo", true),
            ("h[^e]llo", "hello", false),
            ("h[a-c]llo", "hbllo", true),
            ("h[c-a]llo", "hbllo", true),
            ("h[a-c]llo", "hdllo", false),
            ("h\\*llo", "h*llo", true),
            ("h\\*llo", "hxllo", false),
            ("[\\]]", "]", true),
            ("[abc", "b", true),
            ("[abc", "d", false),
            ("[^", "b", true),
            ("a\\", "a\\", true),
            ("a*b*c*d", "a1b2c3d", true),
            ("a*b*c*d", "a1b2c3", false),
            ("foo*bar*", "foobarx", true),
        ];
        for &(pattern, text, expected) in table {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expected, "{pattern:?} against {text:?}");
        }
    }

    #[test]
    fn case_folds_only_when_asked() {
        assert!(!matches(b"ABC*", b"abcd"));
        assert!(matches_nocase(b"ABC*", b"abcd"));
        assert!(matches_nocase(b"[A-C]x", b"bX"));
        assert!(!matches_nocase(b"[A-C]x", b"dX"));
    }

    #[test]
    fn hostile_patterns_end_quickly() {
        let text = vec![b'a'; 30_000];
        let mut pattern = b"a*".repeat(900);
        pattern.push(b'b');
        assert!(!matches(&pattern, &text));
        assert!(!matches(&b"*?".repeat(2_000), &text));
    }

    #[test]
    fn random_bytes_never_panic() {
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state
        };
        let alphabet = b"*?[]^-\\ab\xff\0";
        for _ in 0..50_000 {
            let mut draw =
                |n: u64| (0..next() % n).map(|_| alphabet[next() as usize % alphabet.len()]).collect::<Vec<_>>();
            let (pattern, text) = (draw(16), draw(16));
            matches(&pattern, &text);
            matches_nocase(&pattern, &text);
        }
    }
}

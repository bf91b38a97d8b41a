//! Selectors that were written over several words: `(+get` `~a)` becomes `(+get ~a)`.

/// The rules with every selector in one piece, or the word that opened one that never ends.
pub fn merge<W: AsRef<[u8]>>(words: &[W]) -> Result<Vec<Vec<u8>>, Vec<u8>> {
    let mut merged = Vec::with_capacity(words.len());
    let mut open: Option<(&[u8], Vec<u8>)> = None;
    for word in words.iter().map(AsRef::as_ref) {
        open = match open.take() {
            None if word.starts_with(b"(") && !word.ends_with(b")") => Some((word, word.to_vec())),
            None => {
                merged.push(word.to_vec());
                None
            }
            Some((start, mut selector)) => {
                selector.push(b' ');
                selector.extend_from_slice(word);
                if word.ends_with(b")") {
                    merged.push(selector);
                    None
                } else {
                    Some((start, selector))
                }
            }
        };
    }
    match open {
        Some((start, _)) => Err(start.to_vec()),
        None => Ok(merged),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(words: &str) -> Result<String, String> {
        let words: Vec<&[u8]> = words.split(' ').map(str::as_bytes).collect();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        merge(&words).map(|all| all.into_iter().map(text).collect::<Vec<_>>().join("|")).map_err(text)
    }

    #[test]
    fn selectors_are_put_together() {
        assert_eq!(merged("on (+get ~a) off").as_deref(), Ok("on|(+get ~a)|off"));
        assert_eq!(merged("(a) ( b ) c").as_deref(), Ok("(a)|( b )|c"));
        assert_eq!(merged("on (+get ~a").unwrap_err(), "(+get");
        assert_eq!(merged("on  x)").as_deref(), Ok("on||x)"));
    }
}

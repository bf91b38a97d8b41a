//! System errors in the words that people know from C programs.

/// An error as C's `strerror` words it.
pub fn system_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or_default().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_errors_read_as_in_c() {
        assert_eq!(system_text(&std::io::Error::from_raw_os_error(2)), "No such file or directory");
    }
}

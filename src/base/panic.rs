//! A panic turned into an error, for work on a thread that must go on.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Does some work; an error has the text of a panic. Whatever the work shares with others, and may have left halfway, is for the caller to
/// set right.
pub fn caught<T>(work: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| text(&*panic))
}

fn text(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a panic without a text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error_with_its_text() {
        assert_eq!(caught(|| 5), Ok(5));
        let number = 7;
        assert_eq!(caught(|| panic!("plain")), Err::<(), _>("plain".to_owned()));
        assert_eq!(caught(|| panic!("with {number}")), Err::<(), _>("with 7".to_owned()));
        assert!(caught(|| std::panic::panic_any(number)).is_err());
    }
}

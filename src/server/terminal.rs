//! What a terminal shows: log lines, and at the bottom, while there is one, a line that is drawn again and again.
//!
//! Where standard output is no terminal, there are log lines only.

use std::io::{IsTerminal, Write};

use parking_lot::Mutex;

use crate::base::progress::Progress;

/// Back to the beginning of the line, and everything on it gone.
const ERASE: &str = "\r\x1b[K";
/// Cells of a bar.
const CELLS: usize = 30;

/// The line at the bottom. Locked while something is written.
static BOTTOM: Mutex<String> = Mutex::new(String::new());

/// Whether there is somebody to look at a line at the bottom.
pub fn is_watched() -> bool {
    std::io::stdout().is_terminal()
}

/// Shows a line at the bottom in the place of the one that is there; an empty one ends it.
pub fn show(line: String) {
    let mut bottom = BOTTOM.lock();
    write(&format!("{ERASE}{line}"));
    *bottom = line;
}

/// Writes a log line, which brings its own end.
pub fn log(line: &str) {
    let bottom = BOTTOM.lock();
    if bottom.is_empty() {
        write(line);
    } else {
        write(&format!("{ERASE}{line}{bottom}"));
    }
}

/// A bar with what it stands for.
pub fn bar(what: &str, progress: &Progress) -> String {
    let filled = (progress.percent() / 100.0 * CELLS as f64) as usize;
    format!("{what} [{}{}] {progress}", "#".repeat(filled), ".".repeat(CELLS - filled.min(CELLS)))
}

fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    // What cannot be written to the terminal has no place to be said.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_as_the_work_is_done() {
        let bar = |done| bar("Loading", &Progress { done, total: 60, elapsed_s: 3 });
        assert_eq!(bar(0), format!("Loading [{}] 0.0% done, 180 seconds left", ".".repeat(30)));
        assert_eq!(bar(30), format!("Loading [{}{}] 50.0% done, 2 seconds left", "#".repeat(15), ".".repeat(15)));
        assert_eq!(bar(60), format!("Loading [{}] 100.0% done, 0 seconds left", "#".repeat(30)));
    }
}

//! The text of INFO: sections, and fields of several forms.

use std::fmt::{Display, Write};

/// Sections with fields, as INFO shows them.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Begins a section; an empty line parts it from the one before.
    pub fn section(&mut self, title: &str) {
        if !self.0.is_empty() {
            self.0.push_str("\r\n");
        }
        self.line(format_args!("# {title}"));
    }

    /// A field. Values of several lines would break the format, so they become one.
    pub fn field(&mut self, name: impl Display, value: impl Display) {
        let start = self.0.len();
        self.write(format_args!("{name}:{value}"));
        if self.0[start..].contains(['\r', '\n']) {
            let clean = self.0.split_off(start).replace(['\r', '\n'], " ");
            self.0.push_str(&clean);
        }
        self.0.push_str("\r\n");
    }

    /// A field that is 0 or 1.
    pub fn flag(&mut self, name: &str, value: bool) {
        self.field(name, u8::from(value));
    }

    /// A number with two decimals.
    pub fn decimal(&mut self, name: &str, value: f64) {
        self.field(name, format_args!("{value:.2}"));
    }

    /// A number of percent with two decimals.
    pub fn percent(&mut self, name: &str, value: f64) {
        self.field(name, format_args!("{value:.2}%"));
    }

    /// A number of bytes, and the same for people as `<name>_human`.
    pub fn bytes_and_human(&mut self, name: &str, bytes: u64) {
        self.field(name, bytes);
        self.human(name, bytes);
    }

    /// A number of bytes for people, as `<name>_human`.
    pub fn human(&mut self, name: &str, bytes: u64) {
        self.field(format_args!("{name}_human"), human(bytes));
    }

    /// Fields of the same value.
    pub fn all(&mut self, names: &[&str], value: impl Display + Copy) {
        for name in names {
            self.field(name, value);
        }
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        self.write(line);
        self.0.push_str("\r\n");
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = self.0.write_fmt(text);
    }
}

/// A number of bytes for people: `512B`, `1.50K`, `2.00G`.
fn human(bytes: u64) -> String {
    const UNITS: [char; 5] = ['K', 'M', 'G', 'T', 'P'];
    if bytes < 1024 {
        return format!("{bytes}B");
    }
    let power = (bytes.ilog2() / 10).min(UNITS.len() as u32);
    let unit = UNITS[power as usize - 1];
    format!("{:.2}{unit}", bytes as f64 / 1024f64.powi(power as i32))
}

/// A name as the part of a field in front of the colon: without the characters that have a meaning there.
pub(super) fn safe_name(name: &str) -> String {
    name.replace(['#', ':', '\n', '\r'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_for_people() {
        for (bytes, expected) in [
            (0, "0B"),
            (1023, "1023B"),
            (1536, "1.50K"),
            (1 << 20, "1.00M"),
            (25_276_502_016, "23.54G"),
            (1 << 50, "1.00P"),
            (u64::MAX, "16384.00P"),
        ] {
            assert_eq!(human(bytes), expected);
        }
    }

    #[test]
    fn sections_are_parted_by_an_empty_line() {
        let mut text = Text::default();
        text.section("One");
        text.field("a", 1);
        text.section("Two");
        text.field("b", "x\r\ny");
        assert_eq!(text.0, "# One\r\na:1\r\n\r\n# Two\r\nb:x  y\r\n");
    }
}

//! What may identify a person or open a door is shown shortened in logs and debug output.

use std::fmt;

/// Wraps a text for display: numbers keep their last two digits, everything else its first character.
#[derive(Clone, Copy)]
pub struct Redact<'a>(pub &'a str);

impl fmt::Display for Redact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let n = self.0.chars().count();
        if n <= 4 {
            return f.write_str("****");
        }
        if self.0.chars().filter(char::is_ascii_digit).count() * 2 > n {
            let tail: String = self.0.chars().skip(n - 2).collect();
            return write!(f, "***{tail}");
        }
        write!(f, "{}***", self.0.chars().next().unwrap_or('*'))
    }
}

impl fmt::Debug for Redact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A secret: never shown, never compared in variable time, never serialised by accident.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// Wraps.
    pub fn new(s: impl Into<String>) -> Self {
        Secret(s.into())
    }
    /// The text itself; the name is long so that each use is seen in review.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_line_shows_neither_the_number_nor_the_name() {
        assert_eq!(Redact("+8613812345678").to_string(), "***78");
        assert_eq!(Redact("Alice Archer").to_string(), "A***");
        assert_eq!(Redact("1234").to_string(), "****");
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }
}

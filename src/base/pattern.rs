//! Patterns of telephone numbers, as an administrator writes them: `4000`, `40xx`, `+86*`.

use std::{cmp::Ordering, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A number, with `x` for any one digit and a `*` at the end for any rest (also none). Letters are compared as they are, so
/// a name is a pattern too.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct NumberPattern(Box<str>);

/// Why a text is no pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a number pattern: expected 1 to 64 characters without blanks, `*` only at the end")]
pub struct PatternError(String);

impl NumberPattern {
    /// Checks and keeps `text`.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        let inner = text.strip_suffix('*').unwrap_or(text);
        let bad = |c: char| c.is_whitespace() || c.is_control() || c == '*';
        if text.is_empty() || text.len() > 64 || inner.contains(bad) {
            return Err(PatternError(text.chars().take(80).collect()));
        }
        Ok(Self(text.into()))
    }
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// True when it matches one number only.
    pub fn is_exact(&self) -> bool {
        !self.0.ends_with('*') && !self.0.contains('x')
    }
    /// Whether `number` is one of them. A pattern equal to the number always matches, whatever letters are in it.
    pub fn matches(&self, number: &str) -> bool {
        let open = self.0.ends_with('*');
        let pattern = self.0.strip_suffix('*').unwrap_or(&self.0);
        let mut rest = number.chars();
        let fits = pattern.chars().all(|p| rest.next().is_some_and(|c| p == c || (p == 'x' && c.is_ascii_digit())));
        fits && (open || rest.next().is_none())
    }
}

/// More particular first: exact, then the most fixed characters, then closed before open, then by text.
impl Ord for NumberPattern {
    fn cmp(&self, other: &Self) -> Ordering {
        let rank = |p: &Self| {
            let fixed = p.0.chars().filter(|c| !matches!(c, 'x' | '*')).count();
            (!p.is_exact(), std::cmp::Reverse(fixed), std::cmp::Reverse(p.0.len()), p.0.ends_with('*'))
        };
        rank(self).cmp(&rank(other)).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for NumberPattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl FromStr for NumberPattern {
    type Err = PatternError;
    fn from_str(s: &str) -> Result<Self, PatternError> {
        Self::parse(s)
    }
}

impl fmt::Display for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NumberPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NumberPattern({})", self.0)
    }
}

impl Serialize for NumberPattern {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for NumberPattern {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(d)?).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_means_what_it_looks_like() {
        let fits = |p: &str, n: &str| NumberPattern::parse(p).unwrap().matches(n);
        assert!(fits("4000", "4000") && !fits("4000", "40000") && !fits("4000", "400"));
        assert!(fits("40xx", "4099") && !fits("40xx", "409a") && !fits("40xx", "40999"));
        assert!(fits("+86*", "+8613800000000") && fits("+86*", "+86") && !fits("+86*", "86138"));
        assert!(fits("max", "max") && fits("*", "anything") && fits("*", ""));
        for bad in ["", "40 0", "4*0", "**"] {
            assert!(NumberPattern::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_more_particular_pattern_comes_first() {
        let mut all: Vec<_> = ["*", "4*", "40xx", "4000", "40*", "4xxx"].map(|p| NumberPattern::parse(p).unwrap()).into();
        all.sort();
        let text: Vec<_> = all.iter().map(NumberPattern::as_str).collect();
        assert_eq!(text, ["4000", "40xx", "40*", "4xxx", "4*", "*"]);
    }
}

//! Text with placeholders: `{order.state}`, `{order.eta:date}`, `{config.shop_api}`. `{{` and `}}` are braces.
//!
//! A placeholder names a value and perhaps a way to show it; anything cleverer belongs in a `set` node.

use super::{
    Value,
    expr::{Scope, types::is_name},
};
use crate::base::limits::FLOW_TEXT_MAX;

/// A text with placeholders.
#[derive(Debug, Clone, PartialEq)]
pub struct Template {
    /// As written.
    pub text: String,
    /// Its pieces.
    pub pieces: Vec<Piece>,
}

/// A piece of a [`Template`].
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// To be filled in.
    Field {
        /// Character (from 0) of the `{`.
        at: usize,
        /// What.
        path: Vec<String>,
        /// How.
        format: Format,
    },
}

/// How a value is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// As it is.
    Plain,
    /// A date in the words of the language.
    Date,
    /// A length of time in minutes, rounded up.
    Minutes,
    /// A waiting time as a range of minutes: an honest estimate is not one number.
    RangeMinutes,
    /// Character by character, as one reads out an order number.
    Spell,
    /// As a segment of a URL path.
    Path,
}

impl Format {
    const ALL: [(&'static str, Format); 5] = [
        ("date", Format::Date),
        ("minutes", Format::Minutes),
        ("range_minutes", Format::RangeMinutes),
        ("spell", Format::Spell),
        ("path", Format::Path),
    ];
}

impl Template {
    /// Reads `text`; the error is the character (from 0) and a sentence.
    pub fn parse(text: &str) -> Result<Template, (usize, String)> {
        let c: Vec<char> = text.chars().collect();
        let (mut pieces, mut plain, mut i) = (Vec::new(), String::new(), 0);
        while i < c.len() {
            match (c[i], c.get(i + 1)) {
                ('{', Some('{')) | ('}', Some('}')) => {
                    plain.push(c[i]);
                    i += 2;
                }
                ('{', _) => {
                    let Some(len) = c[i..].iter().position(|&ch| ch == '}') else {
                        return Err((i, "this placeholder has no `}` (a brace itself is written `{{`)".to_owned()));
                    };
                    let inner: String = c[i + 1..i + len].iter().collect();
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(field(i, &inner)?);
                    i += len + 1;
                }
                ('}', _) => return Err((i, "this `}` closes nothing (a brace itself is written `}}`)".to_owned())),
                (ch, _) => {
                    plain.push(ch);
                    i += 1;
                }
            }
        }
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template { text: text.to_owned(), pieces })
    }

    /// The fields in it: character of the brace, path, format.
    pub fn fields(&self) -> impl Iterator<Item = (usize, &[String], Format)> {
        self.pieces.iter().filter_map(|p| match p {
            Piece::Field { at, path, format } => Some((*at, path.as_slice(), *format)),
            Piece::Text(_) => None,
        })
    }

    /// Fills it in. `url`: every value is percent-encoded, except `config`, which may hold the beginning of an address.
    pub fn fill(&self, scope: &dyn Scope, lang: &str, url: bool) -> String {
        let mut out = String::new();
        for p in &self.pieces {
            match p {
                Piece::Text(t) => out.push_str(t),
                Piece::Field { path, format, .. } => {
                    let v = scope.get(path);
                    let shown = show(&v, *format, lang);
                    let config = path.first().is_some_and(|p| p == "config");
                    out.push_str(&if (url && !config) || *format == Format::Path { percent(&v.show()) } else { shown });
                }
            }
        }
        if out.len() > FLOW_TEXT_MAX {
            let end = (0..=FLOW_TEXT_MAX).rev().find(|&i| out.is_char_boundary(i)).unwrap_or(0);
            out.truncate(end);
        }
        out
    }
}

fn field(at: usize, inner: &str) -> Result<Piece, (usize, String)> {
    let (path, format) = match inner.split_once(':') {
        None => (inner, Format::Plain),
        Some((path, word)) => {
            let Some(&(_, f)) = Format::ALL.iter().find(|(n, _)| *n == word.trim()) else {
                let all = Format::ALL.map(|f| f.0).join(", ");
                return Err((at, format!("`{word}` is not a way to show a value: expected one of {all}")));
            };
            (path, f)
        }
    };
    let path: Vec<String> = path.trim().split('.').map(str::to_owned).collect();
    if !path.iter().all(|p| is_name(p)) {
        return Err((
            at,
            format!("`{inner}` is not the name of a value; compute it in a `set` node and name the variable here"),
        ));
    }
    Ok(Piece::Field { at, path, format })
}

fn show(v: &Value, format: Format, lang: &str) -> String {
    let zh = lang.starts_with("zh");
    let minutes = |s: f64| (s / 60.0).ceil().max(1.0) as i64;
    match (format, v) {
        (Format::Date, Value::Text(t)) => date(t, zh),
        (Format::Minutes, Value::Duration(s) | Value::Number(s)) => {
            let m = minutes(*s);
            match (zh, m) {
                (true, _) => format!("{m}分钟"),
                (false, 1) => "1 minute".to_owned(),
                (false, _) => format!("{m} minutes"),
            }
        }
        (Format::RangeMinutes, v) => {
            let s = match v {
                Value::Duration(s) | Value::Number(s) => *s,
                Value::Object(o) => match o.get("p50") {
                    Some(Value::Duration(s)) => *s,
                    _ => return String::new(),
                },
                _ => return String::new(),
            };
            let (low, high) = ((s * 0.75 / 60.0).floor() as i64, minutes(s * 1.5));
            match (low, zh) {
                (..=0, true) => format!("{high}分钟以内"),
                (..=0, false) if high == 1 => "less than a minute".to_owned(),
                (..=0, false) => format!("less than {high} minutes"),
                (_, true) => format!("{low}到{high}分钟"),
                (_, false) => format!("{low} to {high} minutes"),
            }
        }
        (Format::Spell, v) => v.show().chars().map(String::from).collect::<Vec<_>>().join(" "),
        (_, v) => v.show(),
    }
}

/// `2026-03-02` as people say it; anything else stays.
fn date(text: &str, zh: bool) -> String {
    let Some(day) = text.get(..10).and_then(|d| d.parse::<jiff::civil::Date>().ok()) else { return text.to_owned() };
    const MONTHS: [&str; 12] = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ];
    if zh {
        return format!("{}月{}日", day.month(), day.day());
    }
    let month = usize::try_from(day.month() - 1).ok().and_then(|m| MONTHS.get(m)).copied().unwrap_or("");
    format!("{month} {}", day.day())
}

/// Everything but the unreserved characters of RFC 3986 section 2.3 as `%XX`.
fn percent(text: &str) -> String {
    let mut out = String::new();
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    // A segment of only dots would climb the path.
    if out == "." || out == ".." { out.replace('.', "%2E") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(text: &str, lang: &str, url: bool) -> String {
        let scope = |path: &[String]| match path.join(".").as_str() {
            "order.eta" => Value::Text("2026-03-02".into()),
            "no" => Value::Text("../a b".into()),
            "ewt" => Value::Duration(200.0),
            "config.api" => Value::Text("http://127.0.0.1:8090".into()),
            _ => Value::Null,
        };
        Template::parse(text).expect(text).fill(&scope, lang, url)
    }

    #[test]
    fn a_prompt_speaks_dates_and_waits_in_its_language() {
        assert_eq!(filled("{order.eta:date}送达", "zh-CN", false), "3月2日送达");
        assert_eq!(filled("on {order.eta:date}", "en-US", false), "on March 2");
        assert_eq!(filled("{ewt:range_minutes}, {ewt:minutes}", "en-US", false), "2 to 5 minutes, 4 minutes");
        assert_eq!(filled("{ewt:range_minutes}", "zh-CN", false), "2到5分钟");
        assert_eq!(filled("{{{nobody}}}", "en-US", false), "{}");
    }

    #[test]
    fn what_a_caller_typed_cannot_leave_its_segment_of_the_url() {
        assert_eq!(filled("{config.api}/orders/{no}", "", true), "http://127.0.0.1:8090/orders/..%2Fa%20b");
    }

    #[test]
    fn a_broken_placeholder_is_shown_at_its_brace() {
        for (text, at) in [("ab{c", 2), ("a}", 1), ("{a b}", 0), ("x{a:nope}", 1), ("{}", 0)] {
            assert_eq!(Template::parse(text).expect_err(text).0, at, "{text}");
        }
    }
}

//! The letters of the grammar: tokens, quoted strings, lists, percent escapes. Everything borrows; nothing here panics.

use std::borrow::Cow;

/// True for the bytes of a token (RFC 3261 25.1).
pub const fn is_token_byte(b: u8) -> bool {
    b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
}

/// True for one token: not empty, nothing else in it.
pub fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().copied().all(is_token_byte)
}

/// Blank inside a line.
pub const fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t')
}

/// `text` without blanks at its ends.
pub fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t'])
}

/// `bytes` without blanks at their ends.
pub fn trim_bytes(mut bytes: &[u8]) -> &[u8] {
    while let [b, rest @ ..] = bytes
        && is_blank(*b)
    {
        bytes = rest;
    }
    while let [rest @ .., b] = bytes
        && is_blank(*b)
    {
        bytes = rest;
    }
    bytes
}

/// Bytes as text: UTF-8 as the RFC asks, else read as Latin-1, which is what old phones send. Never fails, never loses a byte.
pub fn text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(s) => Cow::Borrowed(s),
        Err(_) => Cow::Owned(bytes.iter().map(|b| char::from(*b)).collect()),
    }
}

/// What was read as [`text`] and changed, as bytes like those it was read from: what came in Latin-1 goes back in Latin-1, so that
/// nothing grows, and whoever sent it knows it again.
pub fn bytes_like(original: &[u8], text: String) -> Vec<u8> {
    let latin = std::str::from_utf8(original).is_err();
    let narrow = || text.chars().map(|c| u8::try_from(c).ok()).collect::<Option<Vec<u8>>>();
    latin.then(narrow).flatten().unwrap_or_else(|| text.into_bytes())
}

/// Where `wanted` first stands outside quoted strings and angle brackets. `Err` when a quoted string or bracket never ends.
pub fn find_outside(text: &str, wanted: impl Fn(u8) -> bool) -> Result<Option<usize>, &'static str> {
    let (mut quoted, mut angle, mut escaped) = (false, false, false);
    for (i, b) in text.bytes().enumerate() {
        if quoted {
            match b {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if angle {
            angle = b != b'>';
        } else if wanted(b) {
            return Ok(Some(i));
        } else {
            quoted = b == b'"';
            angle = b == b'<';
        }
    }
    match (quoted, angle) {
        (true, _) => Err("a quoted string without its end"),
        (_, true) => Err("`<` without `>`"),
        _ => Ok(None),
    }
}

/// The items of a comma-separated list, quotes and angle brackets respected, trimmed. Linear; an unfinished quote ends the
/// list with an error.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    rest: Option<&'a str>,
}

/// Splits a list header's value. Empty items are kept (RFC 3261 does not allow them; the caller decides).
pub fn items(value: &str) -> Items<'_> {
    Items { rest: Some(value) }
}

impl<'a> Iterator for Items<'a> {
    type Item = Result<&'a str, &'static str>;
    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.rest.take()?;
        match find_outside(rest, |b| b == b',') {
            Err(why) => Some(Err(why)),
            Ok(None) => Some(Ok(trim(rest))),
            Ok(Some(i)) => {
                self.rest = Some(&rest[i + 1..]);
                Some(Ok(trim(&rest[..i])))
            }
        }
    }
}

/// True for one quoted string and nothing else.
pub fn is_quoted(text: &str) -> bool {
    let Some(inner) = text.strip_prefix('"') else { return false };
    let mut escaped = false;
    for (i, b) in inner.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return i + 1 == inner.len(),
            _ => {}
        }
    }
    false
}

/// The content of a quoted string with its escapes undone; the text itself when it is not quoted.
pub fn unquote(text: &str) -> Cow<'_, str> {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else { return Cow::Borrowed(text) };
    if !inner.contains('\\') {
        return Cow::Borrowed(inner);
    }
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(if c == '\\' { chars.next().unwrap_or('\\') } else { c });
    }
    Cow::Owned(out)
}

/// `text` as a quoted string. CR and LF cannot be in one (RFC 3261 25.1): they become blanks, so no value ends a line.
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\r' | '\n' => out.push(' '),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

/// `text` with every byte outside `keep` percent-escaped.
pub fn escape(text: &str, keep: impl Fn(u8) -> bool) -> String {
    use std::fmt::Write;
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'!' | b'~' | b'*' | b'\'' | b'(' | b')') || keep(b) {
            out.push(char::from(b));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

/// `text` with its percent escapes undone, once. What is not an escape, or would not be UTF-8, stays as it is.
pub fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut i = 0;
    while i < bytes.len() {
        let hex = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
        if bytes[i] == b'%'
            && let (Some(hi), Some(lo)) = (hex(i + 1), hex(i + 2))
        {
            out.push((hi * 16 + lo) as u8);
            i += 3;
        } else {
            out.push(bytes[i]);
            i += 1;
        }
    }
    String::from_utf8(out).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// A decimal number that fits, digits only: no sign, no blanks, no wrap-around.
pub fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_in_a_display_name_or_a_uri_does_not_end_an_item() {
        let all: Result<Vec<_>, _> = items(r#""Watson, T \" ," <sip:a,b@c>;x="1,2" , <sip:d>"#).collect();
        assert_eq!(all.unwrap(), [r#""Watson, T \" ," <sip:a,b@c>;x="1,2""#, "<sip:d>"]);
        assert!(items(r#""open"#).any(|i| i.is_err()));
    }

    #[test]
    fn what_came_in_latin_1_goes_back_in_latin_1() {
        let old = b"J\xfcrgen";
        assert_eq!(bytes_like(old, format!("{};tag=1", text(old))), b"J\xfcrgen;tag=1");
        let new = "J\u{fc}rgen".as_bytes();
        assert_eq!(bytes_like(new, format!("{};tag=1", text(new))), "J\u{fc}rgen;tag=1".as_bytes());
    }

    #[test]
    fn quoting_and_escaping_are_undone_exactly_once() {
        for s in ["", "plain", r#"a "b" \c"#, "客服"] {
            assert_eq!(unquote(&quote(s)), s);
            assert_eq!(unescape(&escape(s, |_| false)), s);
        }
        assert_eq!(quote("evil\r\nVia: x"), "\"evil  Via: x\"");
        assert_eq!(unescape("a%00b%41%zz%4"), "a\0bA%zz%4");
        assert_eq!(unescape("%2541"), "%41");
    }

    #[test]
    fn a_number_too_large_is_no_number() {
        assert_eq!(number::<u32>("4294967295"), Some(u32::MAX));
        for bad in ["4294967296", "-1", "+1", "", " 1", "1x"] {
            assert_eq!(number::<u32>(bad), None, "{bad}");
        }
    }
}

//! `;name=value` lists, of headers and of URIs: ordered, kept as they were written.

use std::{borrow::Cow, fmt};

use super::scan;
use crate::base::limits;

/// An ordered list of parameters. Names are compared without regard to case; values are kept in wire form (with their quotes
/// or escapes) so that what we do not understand goes on unchanged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Params(Vec<(Box<str>, Option<Box<str>>)>);

impl Params {
    /// Reads what follows the first `;`, semicolons in quotes respected. Nothing behind the last `;` is forgiven (a call is worth
    /// more than a semicolon); an empty parameter (`;;`) is an error, and so is a name with blanks or separators in it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut out = Vec::new();
        let mut rest = scan::trim(text);
        if rest.is_empty() {
            return Ok(Params(out));
        }
        loop {
            let end = scan::find_outside(rest, |b| b == b';')?;
            let one = scan::trim(&rest[..end.unwrap_or(rest.len())]);
            if out.len() == limits::SIP_LIST_MAX {
                return Err("too many parameters");
            }
            out.push(one_param(one)?);
            match end {
                Some(i) if !scan::trim(&rest[i + 1..]).is_empty() => rest = &rest[i + 1..],
                _ => return Ok(Params(out)),
            }
        }
    }
    /// The value, unquoted; empty for a parameter without one; `None` when it is not there.
    pub fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.raw(name).map(|v| scan::unquote(v.unwrap_or("")))
    }
    /// The value as it was written.
    pub fn raw(&self, name: &str) -> Option<Option<&str>> {
        self.0.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_deref())
    }
    /// True when it is there, with or without a value.
    pub fn has(&self, name: &str) -> bool {
        self.raw(name).is_some()
    }
    /// Sets or replaces a header parameter; what is no token or host is quoted. (For a URI use `SipUri::set_param`.)
    pub fn set(&mut self, name: &str, value: impl fmt::Display) {
        let value = value.to_string();
        let plain = |b: u8| scan::is_token_byte(b) || matches!(b, b'[' | b']' | b':');
        let plain = !value.is_empty() && value.bytes().all(plain);
        self.set_raw(name, Some(if plain { value } else { scan::quote(&value) }));
    }
    /// Sets a parameter that has no value (`;lr`).
    pub fn set_flag(&mut self, name: &str) {
        self.set_raw(name, None);
    }
    /// Takes a parameter away.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
    }
    /// All, in order, in wire form.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|(n, v)| (&**n, v.as_deref()))
    }
    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    pub(super) fn set_raw(&mut self, name: &str, value: Option<String>) {
        let value = value.map(Into::into);
        match self.0.iter_mut().find(|(n, _)| n.eq_ignore_ascii_case(name)) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.chars().filter(|c| c.is_ascii() && scan::is_token_byte(*c as u8)).collect(), value)),
        }
    }
}

fn one_param(text: &str) -> Result<(Box<str>, Option<Box<str>>), &'static str> {
    let (name, value) = match text.split_once('=') {
        Some((n, v)) => (scan::trim(n), Some(scan::trim(v))),
        None => (text, None),
    };
    // `[`, `/` and the like are legal in URI parameter names (param-unreserved, RFC 3261 25.1); blanks and quotes are not.
    let bad = |b: u8| b <= b' ' || matches!(b, b'"' | b'<' | b'>' | b',' | b'@' | b'\\' | 0x7f);
    if name.is_empty() || name.bytes().any(bad) {
        return Err("a parameter without a proper name");
    }
    if let Some(v) = value
        && !(v.len() > 1 && v.starts_with('"') && v.ends_with('"'))
        && v.bytes().any(|b| b <= b' ' || matches!(b, b'"' | b'<' | b'>' | 0x7f))
    {
        return Err("a parameter value that is neither a word nor quoted");
    }
    Ok((name.into(), value.map(Into::into)))
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, ";{name}")?;
            if let Some(value) = value {
                write!(f, "={value}")?;
            }
        }
        Ok(())
    }
}

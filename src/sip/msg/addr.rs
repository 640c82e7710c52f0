//! `"Display" <uri>;params`: From, To, Contact, Route and their kind.

use std::fmt;

use super::{Params, Uri, scan};

/// A name-addr or addr-spec with header parameters (RFC 3261 20.10).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NameAddr {
    /// The display name, unquoted; empty when there is none.
    pub display: String,
    /// The address.
    pub uri: Uri,
    /// What follows: `tag`, `expires`, `q`, ...
    pub params: Params,
}

impl NameAddr {
    /// An address without display name and parameters.
    pub fn new(uri: impl Into<Uri>) -> Self {
        NameAddr { display: String::new(), uri: uri.into(), params: Params::default() }
    }
    /// Reads one value (not a list).
    ///
    /// Liberal where real phones are: no blank before `<`, blanks just inside the brackets, a display name of non-token
    /// characters. Strict where meaning is at stake: unbalanced quotes, `?` or `,` in an address without brackets
    /// (RFC 3261 20.10 wants brackets then).
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = scan::trim(text);
        let (display, rest) = match text.strip_prefix('"') {
            Some(_) => {
                let end = quoted_end(text).ok_or("a quoted string without its end")?;
                (scan::unquote(&text[..end]).into_owned(), scan::trim(&text[end..]))
            }
            None => match text.find('<') {
                // A `<` behind a `;` or `"` belongs to a parameter of an address without brackets.
                Some(open) if !text[..open].contains([';', '"']) => (scan::trim(&text[..open]).to_owned(), &text[open..]),
                _ => (String::new(), text),
            },
        };
        if let Some(inner) = rest.strip_prefix('<') {
            let (uri, after) = inner.split_once('>').ok_or("`<` without `>`")?;
            let after = scan::trim(after);
            let params = match after.strip_prefix(';') {
                Some(p) => Params::parse(if scan::trim(p).is_empty() { ";" } else { p })?,
                None if after.is_empty() => Params::default(),
                None => return Err("text behind an address"),
            };
            return Ok(NameAddr { display, uri: Uri::parse(scan::trim(uri))?, params });
        }
        if text.starts_with('"') {
            return Err("a display name without `<`");
        }
        let (uri, params) = rest.split_once(';').map_or((rest, None), |(u, p)| (u, Some(p)));
        if uri.contains(['?', ',']) {
            return Err("`?` or `,` in an address without `<` and `>`");
        }
        let params = params.map_or(Ok(Params::default()), Params::parse)?;
        Ok(NameAddr { display, uri: Uri::parse(scan::trim(uri))?, params })
    }
    /// The `tag` parameter.
    pub fn tag(&self) -> Option<String> {
        self.params.get("tag").filter(|t| !t.is_empty()).map(|t| t.into_owned())
    }
    /// Sets the tag.
    pub fn with_tag(mut self, tag: &str) -> Self {
        self.params.set("tag", tag);
        self
    }
    /// Sets the display name.
    pub fn with_display(mut self, display: &str) -> Self {
        self.display = display.to_owned();
        self
    }
    /// The `expires` parameter of a contact, seconds; more than 2^32-1 counts as that (RFC 3261 20.10).
    pub fn expires(&self) -> Option<u32> {
        let text = self.params.get("expires")?;
        (!text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())).then(|| scan::number(&text).unwrap_or(u32::MAX))
    }
}

/// The index behind the closing quote of a text that starts with one.
fn quoted_end(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (i, b) in text.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(i + 1),
            _ => {}
        }
    }
    None
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> NameAddr {
        NameAddr::new(uri)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.display.is_empty() {
            write!(f, "{} ", scan::quote(&self.display))?;
        }
        write!(f, "<{}>{}", self.uri, self.params)
    }
}

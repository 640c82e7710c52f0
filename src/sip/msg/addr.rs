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
                Some(p) => Params::parse(p)?,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ways_phones_write_their_name_are_one_name() {
        for text in
            ["\"Anna\" <sip:a@h>;tag=1", "Anna <sip:a@h>;tag=1", "\"Anna\"<sip:a@h> ; tag=1", "Anna< sip:a@h > ;tag = 1"]
        {
            let a = NameAddr::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(a.to_string(), "\"Anna\" <sip:a@h>;tag=1", "{text}");
        }
        let bare = NameAddr::parse("sip:a@h;tag=1;x=\"<\"").unwrap();
        assert_eq!((bare.tag().as_deref(), bare.uri.to_string().as_str()), (Some("1"), "sip:a@h"));
        assert_eq!(NameAddr::parse("Bell, Alexander <sip:b@h>").unwrap().to_string(), "\"Bell, Alexander\" <sip:b@h>");
    }

    #[test]
    fn a_hostile_display_name_stays_a_display_name() {
        let uri = Uri::parse("sip:a@h").unwrap();
        for name in ["x\" <sip:evil@e>;tag=2", "a\\", "<", ",", "客服 小王"] {
            let a = NameAddr::new(uri.clone()).with_display(name).with_tag("1");
            let read = NameAddr::parse(&a.to_string()).unwrap();
            assert_eq!((read.display.as_str(), read.tag().as_deref()), (name, Some("1")));
        }
        let broken = NameAddr::new(uri).with_display("a\r\nX: y").with_tag("t\r\nu;v=\"");
        assert!(!broken.to_string().contains('\n'));
    }

    #[test]
    fn what_could_be_read_in_two_ways_is_refused() {
        for bad in
            ["", "\"a", "\"a\" sip:a@h", "<sip:a@h", "<sip:a@h>x", "sip:a@h?Route=x", "sip:a@h,sip:b@h", "<sip:a@h>;;", "a@h"]
        {
            assert!(NameAddr::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_absurd_lifetime_is_a_long_one_and_a_senseless_one_is_none() {
        let expires = |v: &str| NameAddr::parse(&format!("<sip:a@h>;expires={v}")).unwrap().expires();
        assert_eq!(expires("3600"), Some(3600));
        assert_eq!(expires("280297596632815"), Some(u32::MAX));
        assert_eq!((expires("soon"), expires("-1")), (None, None));
    }
}

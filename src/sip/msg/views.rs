//! Typed views of a message, read when asked for.

use std::{borrow::Cow, fmt};

use super::{AuthHeader, HeaderError, Message, Method, Name, NameAddr, Start, Uri, Via, scan};
use crate::base::limits;

/// `CSeq: 4711 INVITE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CSeq {
    /// Below 2^32 (RFC 3261 20.16; what we choose ourselves stays below 2^31, 8.1.1.5).
    pub number: u32,
    /// The method it counts.
    pub method: Method,
}

impl CSeq {
    /// Reads the header value.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let text = scan::trim(text);
        let (number, method) = text.split_once([' ', '\t']).ok_or("not a number and a method")?;
        let number = scan::number(number).ok_or("the number is not 0 to 4294967295")?;
        Ok(CSeq { number, method: Method::parse(scan::trim(method)).ok_or("the method is no token")? })
    }
}

impl fmt::Display for CSeq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.number, self.method)
    }
}

/// The Contact headers of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// `Contact: *`, which only unregisters (RFC 3261 10.2.2).
    Star,
    /// None, one or several.
    List(Vec<NameAddr>),
}

impl Message {
    /// True for a request.
    pub fn is_request(&self) -> bool {
        matches!(self.start, Start::Request { .. })
    }
    /// The method of a request.
    pub fn method(&self) -> Option<&Method> {
        match &self.start {
            Start::Request { method, .. } => Some(method),
            Start::Response { .. } => None,
        }
    }
    /// The Request-URI.
    pub fn uri(&self) -> Option<&Uri> {
        match &self.start {
            Start::Request { uri, .. } => Some(uri),
            Start::Response { .. } => None,
        }
    }
    /// The status code of a response.
    pub fn code(&self) -> Option<u16> {
        match self.start {
            Start::Request { .. } => None,
            Start::Response { code, .. } => Some(code),
        }
    }
    /// The reason phrase of a response.
    pub fn reason(&self) -> Option<&str> {
        match &self.start {
            Start::Request { .. } => None,
            Start::Response { reason, .. } => Some(reason),
        }
    }
    fn need(&self, name: Name) -> Result<Cow<'_, str>, HeaderError> {
        self.headers.get(&name).ok_or(HeaderError::Missing(name))
    }
    /// `Call-ID`.
    pub fn call_id(&self) -> Result<Cow<'_, str>, HeaderError> {
        self.need(Name::CallId)
    }
    /// `From`.
    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        NameAddr::parse(&self.need(Name::From)?).map_err(|why| HeaderError::Malformed(Name::From, why))
    }
    /// `To`.
    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        NameAddr::parse(&self.need(Name::To)?).map_err(|why| HeaderError::Malformed(Name::To, why))
    }
    /// The From tag; `None` for peers of RFC 2543.
    pub fn from_tag(&self) -> Option<String> {
        self.from().ok()?.tag()
    }
    /// The To tag; `None` outside a dialog.
    pub fn to_tag(&self) -> Option<String> {
        self.to().ok()?.tag()
    }
    /// Adds a To tag where there is none (RFC 3261 8.2.6.2), leaving the rest of the header as it came.
    pub fn set_to_tag(&mut self, tag: &str) {
        if let Ok(to) = self.to()
            && to.tag().is_none()
        {
            let raw = self.headers.raw(&Name::To).cloned().unwrap_or_default();
            self.headers.set_raw(Name::To, scan::bytes_like(&raw, to.with_tag(tag).to_string()).into());
        }
    }
    /// `CSeq`.
    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        CSeq::parse(&self.need(Name::CSeq)?).map_err(|why| HeaderError::Malformed(Name::CSeq, why))
    }
    /// The topmost Via.
    pub fn top_via(&self) -> Result<Via, HeaderError> {
        let line = self.need(Name::Via)?;
        let bad = |why| HeaderError::Malformed(Name::Via, why);
        let end = scan::find_outside(&line, |b| b == b',').map_err(bad)?.unwrap_or(line.len());
        Via::parse(&line[..end]).map_err(bad)
    }
    /// All Vias, topmost first.
    pub fn vias(&self) -> Result<Vec<Via>, HeaderError> {
        self.list(Name::Via, Via::parse)
    }
    /// Puts `via` in the place of the topmost one.
    pub fn set_top_via(&mut self, via: &Via) {
        self.headers.replace_first(&Name::Via, via);
    }
    /// The Contact headers.
    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        let star = self.headers.all(&Name::Contact).any(|c| c == "*");
        match (star, self.headers.count(&Name::Contact)) {
            (true, 1) => Ok(Contacts::Star),
            (true, _) => Err(HeaderError::Malformed(Name::Contact, "`*` beside other contacts")),
            (false, _) => self.addresses(Name::Contact).map(Contacts::List),
        }
    }
    /// The one contact of a dialog-making message: its remote target (RFC 3261 12.1).
    pub fn contact(&self) -> Result<NameAddr, HeaderError> {
        match self.contacts()? {
            Contacts::Star => Err(HeaderError::Malformed(Name::Contact, "`*` is no target")),
            Contacts::List(list) => list.into_iter().next().ok_or(HeaderError::Missing(Name::Contact)),
        }
    }
    /// The Route headers, first hop first.
    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.addresses(Name::Route)
    }
    /// The Record-Route headers as they stand.
    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.addresses(Name::RecordRoute)
    }
    /// Any list of addresses: `Path`, `P-Asserted-Identity`, `Diversion`, ...
    pub fn addresses(&self, name: Name) -> Result<Vec<NameAddr>, HeaderError> {
        self.list(name, NameAddr::parse)
    }
    fn list<T>(&self, name: Name, parse: impl Fn(&str) -> Result<T, &'static str>) -> Result<Vec<T>, HeaderError> {
        let mut out = Vec::new();
        for line in self.headers.all(&name) {
            for item in scan::items(&line) {
                if out.len() == limits::SIP_LIST_MAX {
                    return Err(HeaderError::TooMany(name.clone()));
                }
                out.push(item.and_then(&parse).map_err(|why| HeaderError::Malformed(name.clone(), why))?);
            }
        }
        Ok(out)
    }
    /// `Max-Forwards`; 70 when it is missing (RFC 2543 peers; RFC 3261 16.6 step 3).
    pub fn max_forwards(&self) -> u8 {
        self.headers.get(&Name::MaxForwards).and_then(|t| scan::number(&t)).unwrap_or(70)
    }
    /// `Expires`, seconds. More than 2^32-1 counts as that, garbage as not there (RFC 3261 20.19).
    pub fn expires(&self) -> Option<u32> {
        self.seconds(&Name::Expires)
    }
    /// A header whose value is seconds, with or without parameters behind (`Min-Expires`, `Min-SE`, `Session-Expires`,
    /// `Retry-After`).
    pub fn seconds(&self, name: &Name) -> Option<u32> {
        let text = self.headers.get(name)?;
        let digits = scan::trim(text.split([';', '(']).next().unwrap_or_default());
        let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        all.then(|| scan::number(digits).unwrap_or(u32::MAX))
    }
    /// The credentials in `Authorization` (or another such header): unreadable ones are left out, as if not given.
    pub fn credentials(&self, name: &Name) -> Vec<AuthHeader> {
        self.headers.all(name).filter_map(|t| AuthHeader::parse(&t).ok()).take(limits::SIP_LIST_MAX).collect()
    }
    /// The challenges in `WWW-Authenticate` or `Proxy-Authenticate`.
    pub fn challenges(&self, name: &Name) -> Vec<AuthHeader> {
        self.credentials(name)
    }
    /// `Content-Type` in lower case without parameters: `application/sdp`.
    pub fn content_type(&self) -> Option<String> {
        let text = self.headers.get(&Name::ContentType)?;
        Some(scan::trim(text.split(';').next().unwrap_or_default()).to_ascii_lowercase())
    }
    /// True when there is a session description in the body.
    pub fn has_sdp(&self) -> bool {
        self.session().is_ok_and(|s| s.is_some())
    }
    /// Sets the body and its type.
    pub fn set_body(&mut self, content_type: &str, body: impl Into<bytes::Bytes>) {
        self.headers.set(Name::ContentType, content_type);
        self.body = body.into();
    }
    /// True when a list of words (`Supported`, `Require`, `Allow`, ...) names `word`, whatever its case.
    pub fn lists(&self, name: &Name, word: &str) -> bool {
        self.headers.items(name).iter().any(|i| i.eq_ignore_ascii_case(word))
    }
    /// The option tags of `Require`.
    pub fn require(&self) -> Vec<String> {
        self.headers.items(&Name::Require)
    }
    /// The option tags of `Supported`.
    pub fn supported(&self) -> Vec<String> {
        self.headers.items(&Name::Supported)
    }
}

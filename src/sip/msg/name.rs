//! Header names: known ones are one value however they were spelled, unknown ones keep their spelling.

use std::{cmp::Ordering, fmt, hash};

use bytes::Bytes;

use super::scan::{is_token, text};

macro_rules! names {
    ($($variant:ident $long:literal $lower:literal $($short:literal)?;)*) => {
        /// The name of a header field. Compact forms and letter case make no difference (RFC 3261 7.3.3).
        #[derive(Clone)]
        pub enum Name {
            $(#[doc = concat!("`", $long, "`", $(", compact `", $short, "`",)? ".")] $variant,)*
            /// Any other; compared without regard to case, written as it came.
            Other(Bytes),
        }
        impl Name {
            fn known(lower: &[u8]) -> Option<Name> {
                match std::str::from_utf8(lower).ok()? {
                    $($lower $(| $short)? => Some(Name::$variant),)*
                    _ => None,
                }
            }
            /// The name in its long form.
            pub fn as_bytes(&self) -> &[u8] {
                match self {
                    $(Name::$variant => $long.as_bytes(),)*
                    Name::Other(name) => name,
                }
            }
        }
    };
}

names! {
    Via "Via" "via" "v";
    From "From" "from" "f";
    To "To" "to" "t";
    CallId "Call-ID" "call-id" "i";
    CSeq "CSeq" "cseq";
    Contact "Contact" "contact" "m";
    MaxForwards "Max-Forwards" "max-forwards";
    Route "Route" "route";
    RecordRoute "Record-Route" "record-route";
    ContentLength "Content-Length" "content-length" "l";
    ContentType "Content-Type" "content-type" "c";
    ContentEncoding "Content-Encoding" "content-encoding" "e";
    ContentDisposition "Content-Disposition" "content-disposition";
    ContentLanguage "Content-Language" "content-language";
    Expires "Expires" "expires";
    MinExpires "Min-Expires" "min-expires";
    Authorization "Authorization" "authorization";
    ProxyAuthorization "Proxy-Authorization" "proxy-authorization";
    WwwAuthenticate "WWW-Authenticate" "www-authenticate";
    ProxyAuthenticate "Proxy-Authenticate" "proxy-authenticate";
    AuthenticationInfo "Authentication-Info" "authentication-info";
    Allow "Allow" "allow";
    Accept "Accept" "accept";
    AcceptEncoding "Accept-Encoding" "accept-encoding";
    AcceptLanguage "Accept-Language" "accept-language";
    Supported "Supported" "supported" "k";
    Unsupported "Unsupported" "unsupported";
    Require "Require" "require";
    ProxyRequire "Proxy-Require" "proxy-require";
    UserAgent "User-Agent" "user-agent";
    Server "Server" "server";
    Subject "Subject" "subject" "s";
    Date "Date" "date";
    Timestamp "Timestamp" "timestamp";
    Warning "Warning" "warning";
    RetryAfter "Retry-After" "retry-after";
    Reason "Reason" "reason";
    Event "Event" "event" "o";
    AllowEvents "Allow-Events" "allow-events" "u";
    SubscriptionState "Subscription-State" "subscription-state";
    ReferTo "Refer-To" "refer-to" "r";
    ReferredBy "Referred-By" "referred-by" "b";
    Replaces "Replaces" "replaces";
    SessionExpires "Session-Expires" "session-expires" "x";
    MinSe "Min-SE" "min-se";
    RSeq "RSeq" "rseq";
    RAck "RAck" "rack";
    PAssertedIdentity "P-Asserted-Identity" "p-asserted-identity";
    PPreferredIdentity "P-Preferred-Identity" "p-preferred-identity";
    Privacy "Privacy" "privacy";
    Identity "Identity" "identity" "y";
    Diversion "Diversion" "diversion";
    HistoryInfo "History-Info" "history-info";
    Path "Path" "path";
    ServiceRoute "Service-Route" "service-route";
    AlertInfo "Alert-Info" "alert-info";
    CallInfo "Call-Info" "call-info";
    ReplyTo "Reply-To" "reply-to";
    MimeVersion "MIME-Version" "mime-version";
    Organization "Organization" "organization";
    Priority "Priority" "priority";
    AcceptContact "Accept-Contact" "accept-contact" "a";
    RejectContact "Reject-Contact" "reject-contact" "j";
    RequestDisposition "Request-Disposition" "request-disposition" "d";
}

impl Name {
    /// Reads a name from the wire, sharing its bytes; `None` when it is not a token.
    pub fn parse(raw: Bytes) -> Option<Name> {
        if !is_token(&raw) {
            return None;
        }
        let mut lower = [0u8; 24];
        if let Some(lower) = lower.get_mut(..raw.len()) {
            lower.copy_from_slice(&raw);
            lower.make_ascii_lowercase();
            if let Some(known) = Name::known(lower) {
                return Some(known);
            }
        }
        Some(Name::Other(raw))
    }
}

impl From<&str> for Name {
    /// For names written in the program or the settings. What is no token loses the bytes that are none: a name from outside
    /// cannot break a line.
    fn from(name: &str) -> Name {
        let clean: Vec<u8> = name.bytes().filter(|b| is_token(&[*b])).collect();
        Name::parse(Bytes::from(clean)).unwrap_or(Name::Other(Bytes::from_static(b"X-Unnamed")))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        let lower = |n: &Name| n.as_bytes().to_ascii_lowercase();
        lower(self).cmp(&lower(other))
    }
}
impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Name::Other(a), Name::Other(b)) => a.eq_ignore_ascii_case(b),
            (a, b) => std::mem::discriminant(a) == std::mem::discriminant(b),
        }
    }
}
impl Eq for Name {}
impl hash::Hash for Name {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().to_ascii_lowercase().hash(state);
    }
}
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self.as_bytes()))
    }
}
impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_header_has_one_name_however_it_is_spelled() {
        assert_eq!(Name::from("v"), Name::Via);
        assert_eq!(Name::from("VIA"), Name::Via);
        assert_eq!(Name::from("call-id"), Name::from("I"));
        assert_eq!(Name::from("x-tenant"), Name::from("X-TENANT"));
        assert_ne!(Name::from("C%6Fntact"), Name::Contact);
        assert_eq!(Name::from("X-a\r\nVia: b").to_string(), "X-aViab");
    }

    #[test]
    fn every_long_name_finds_itself() {
        for long in ["Request-Disposition", "P-Preferred-Identity", "Subscription-State", "Authentication-Info"] {
            assert!(!matches!(Name::from(long), Name::Other(_)), "{long}");
            assert_eq!(Name::from(long).to_string(), long);
        }
    }
}

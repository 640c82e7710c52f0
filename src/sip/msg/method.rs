//! Methods and the protocol names of a Via: open sets, because a peer may speak more than we do and must get its answer.

use std::fmt;

use super::scan::is_token;

macro_rules! methods {
    ($($variant:ident $text:literal $rfc:literal,)*) => {
        /// A request method. Case-sensitive (RFC 3261 7.1): `invite` is not INVITE.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Method {
            $(#[doc = $rfc] $variant,)*
            /// Anything else that is a token: answered 501 or 405, never dropped.
            Other(Box<str>),
        }
        impl Method {
            /// Reads a token; `None` when `text` is not one.
            pub fn parse(text: &str) -> Option<Self> {
                match text {
                    $($text => Some(Method::$variant),)*
                    _ if is_token(text.as_bytes()) => Some(Method::Other(text.into())),
                    _ => None,
                }
            }
            /// The word on the wire.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Method::$variant => $text,)*
                    Method::Other(text) => text,
                }
            }
        }
    };
}

methods! {
    Invite "INVITE" "RFC 3261.",
    Ack "ACK" "RFC 3261.",
    Bye "BYE" "RFC 3261.",
    Cancel "CANCEL" "RFC 3261.",
    Register "REGISTER" "RFC 3261.",
    Options "OPTIONS" "RFC 3261.",
    Info "INFO" "RFC 6086.",
    Prack "PRACK" "RFC 3262.",
    Update "UPDATE" "RFC 3311.",
    Refer "REFER" "RFC 3515.",
    Notify "NOTIFY" "RFC 6665.",
    Subscribe "SUBSCRIBE" "RFC 6665.",
    Message "MESSAGE" "RFC 3428.",
    Publish "PUBLISH" "RFC 3903.",
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a Via says the message travelled by. Open: a Via further down may name a transport we never heard of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Protocol {
    /// RFC 3261.
    Udp,
    /// RFC 3261.
    Tcp,
    /// RFC 3261.
    Tls,
    /// RFC 4168.
    Sctp,
    /// RFC 7118.
    Ws,
    /// RFC 7118.
    Wss,
    /// Any other token.
    Other(Box<str>),
}

impl Protocol {
    /// Reads a token, whatever its case; `None` when `text` is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let known = [Protocol::Udp, Protocol::Tcp, Protocol::Tls, Protocol::Sctp, Protocol::Ws, Protocol::Wss];
        match known.into_iter().find(|p| p.as_str().eq_ignore_ascii_case(text)) {
            Some(p) => Some(p),
            None => is_token(text.as_bytes()).then(|| Protocol::Other(text.into())),
        }
    }
    /// The word on the wire.
    pub fn as_str(&self) -> &str {
        match self {
            Protocol::Udp => "UDP",
            Protocol::Tcp => "TCP",
            Protocol::Tls => "TLS",
            Protocol::Sctp => "SCTP",
            Protocol::Ws => "WS",
            Protocol::Wss => "WSS",
            Protocol::Other(text) => text,
        }
    }
    /// The port a sent-by without one means (RFC 3261 18.2.2).
    pub fn default_port(&self) -> u16 {
        match self {
            Protocol::Tls => 5061,
            Protocol::Ws => 80,
            Protocol::Wss => 443,
            _ => 5060,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

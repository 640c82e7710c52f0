//! Via: the way back (RFC 3261 20.42, 18.2; RFC 3581 rport).

use std::{fmt, net::IpAddr};

use super::{Host, Params, Protocol, scan, uri};
use crate::base::limits;

/// The beginning of every branch made by RFC 3261 (8.1.1.7); a branch without it is matched the old way.
pub const MAGIC: &str = "z9hG4bK";

/// What a hop after it adds.
const STAMPS: [&str; 2] = ["received", "rport"];

/// One hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Via {
    /// The version part, `2.0` but for strangers.
    pub version: Box<str>,
    /// How the message travelled.
    pub protocol: Protocol,
    /// The host of sent-by.
    pub host: Host,
    /// The port of sent-by, when written.
    pub port: Option<u16>,
    /// `branch`, `received`, `rport`, `maddr`, `ttl`, ...
    pub params: Params,
}

impl Via {
    /// A Via for a request of ours, asking for `rport` (RFC 3581).
    pub fn new(protocol: impl Into<Protocol>, host: impl Into<Host>, port: Option<u16>, branch: &str) -> Self {
        let mut params = Params::default();
        params.set("branch", branch);
        params.set_flag("rport");
        Via { version: "2.0".into(), protocol: protocol.into(), host: host.into(), port, params }
    }
    /// Reads one hop (not a list). Blanks around the slashes and the colon are legal; `h ;branch=x` is too.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (head, params) = Via::head(text)?;
        let params = params.map_or(Ok(Params::default()), Params::parse)?;
        // Where it came from has to find room.
        let stamps = |name: &str| STAMPS.iter().any(|s| s.eq_ignore_ascii_case(name));
        if params.iter().filter(|(name, _)| !stamps(name)).count() + STAMPS.len() > limits::SIP_LIST_MAX {
            return Err("too many parameters");
        }
        Ok(Via { params, ..head })
    }
    /// Reads what is in front of the parameters only: enough to answer a hop whose parameters are broken.
    pub fn parse_sent_by(text: &str) -> Option<Self> {
        Via::head(text).ok().map(|(head, _)| head)
    }
    fn head(text: &str) -> Result<(Via, Option<&str>), &'static str> {
        let (head, params) = text.split_once(';').map_or((text, None), |(h, p)| (h, Some(p)));
        let mut parts = head.splitn(3, '/');
        let (sip, version, rest) = match (parts.next(), parts.next(), parts.next()) {
            (Some(s), Some(v), Some(r)) => (scan::trim(s), scan::trim(v), scan::trim(r)),
            _ => return Err("not `SIP/2.0/transport sent-by`"),
        };
        if !sip.eq_ignore_ascii_case("SIP") || !scan::is_token(version.as_bytes()) {
            return Err("not `SIP/2.0/transport sent-by`");
        }
        let gap = rest.find([' ', '\t']).ok_or("a Via without sent-by")?;
        let protocol = Protocol::parse(&rest[..gap]).ok_or("a Via transport that is no token")?;
        let (host, port) = uri::parse_host_port(scan::trim(&rest[gap..]))?;
        Ok((Via { version: version.into(), protocol, host, port, params: Params::default() }, params))
    }
    /// The branch, when there is one that says something.
    pub fn branch(&self) -> Option<String> {
        self.params.get("branch").filter(|b| !b.is_empty()).map(|b| b.into_owned())
    }
    /// True when the branch was made by RFC 3261 and identifies the transaction; the bare cookie does not (RFC 4475 3.2.1).
    pub fn is_rfc3261(&self) -> bool {
        self.branch()
            .is_some_and(|b| b.len() > MAGIC.len() && b.get(..MAGIC.len()).is_some_and(|head| head.eq_ignore_ascii_case(MAGIC)))
    }
    /// Where the hop after this one saw it come from.
    pub fn received(&self) -> Option<IpAddr> {
        self.params.get("received").and_then(|t| uri::parse_ip(&t))
    }
    /// `rport`: `None` not asked for, `Some(None)` asked for, `Some(Some(p))` filled in.
    pub fn rport(&self) -> Option<Option<u16>> {
        self.params.get("rport").map(|t| scan::number(&t))
    }
    /// The port an answer goes to when `rport` says nothing: sent-by's, else the transport's own (RFC 3261 18.2.2).
    pub fn sent_by_port(&self) -> u16 {
        self.port.unwrap_or_else(|| self.protocol.default_port())
    }
    /// Notes where the request really came from (RFC 3261 18.2.1, RFC 3581 4). `received` is set when sent-by is not that
    /// address, and always when `rport` was asked for.
    pub fn stamp(&mut self, from: std::net::SocketAddr) {
        let asked = self.params.has("rport");
        if asked || self.host.ip() != Some(from.ip()) {
            self.params.set("received", from.ip());
        } else {
            self.params.remove("received");
        }
        if asked {
            self.params.set("rport", from.port());
        }
    }
}

impl fmt::Display for Via {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SIP/{}/{} {}", self.version, self.protocol, self.host)?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        self.params.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_where_the_grammar_allows_them_lose_nothing() {
        let via = Via::parse("SIP / 2.0 / UDP first.example.com: 4000 ;ttl=16 ; maddr=224.2.0.1 ;branch=z9hG4bKa7c6a8dlze.1")
            .unwrap();
        assert_eq!((via.host.to_string().as_str(), via.port), ("first.example.com", Some(4000)));
        assert_eq!(via.branch().as_deref(), Some("z9hG4bKa7c6a8dlze.1"));
        assert!(via.is_rfc3261());
        assert_eq!(via.to_string(), "SIP/2.0/UDP first.example.com:4000;ttl=16;maddr=224.2.0.1;branch=z9hG4bKa7c6a8dlze.1");
    }

    #[test]
    fn the_stamp_says_where_a_phone_behind_a_router_really_is() {
        let from = "203.0.113.5:40000".parse().unwrap();
        let stamped = |text: &str| {
            let mut via = Via::parse(text).unwrap();
            via.stamp(from);
            via.to_string()
        };
        assert_eq!(
            stamped("SIP/2.0/UDP 192.168.1.2;branch=x;rport"),
            "SIP/2.0/UDP 192.168.1.2;branch=x;rport=40000;received=203.0.113.5"
        );
        assert_eq!(stamped("SIP/2.0/UDP 203.0.113.5;branch=x"), "SIP/2.0/UDP 203.0.113.5;branch=x");
        // A lie about `received` does not send our answer elsewhere.
        assert_eq!(stamped("SIP/2.0/UDP 203.0.113.5;received=1.2.3.4"), "SIP/2.0/UDP 203.0.113.5");
        assert_eq!(stamped("SIP/2.0/UDP pc.local;received=1.2.3.4"), "SIP/2.0/UDP pc.local;received=203.0.113.5");
    }

    #[test]
    fn a_stamp_finds_room_beside_whatever_else_is_there() {
        let of = |n: usize| format!("SIP/2.0/UDP h{}", ";x=1".repeat(n));
        let mut full = Via::parse(&(of(limits::SIP_LIST_MAX - 2) + ";rport")).unwrap();
        full.stamp("203.0.113.5:40000".parse().unwrap());
        assert_eq!(Via::parse(&full.to_string()), Ok(full));
        assert!(Via::parse(&of(limits::SIP_LIST_MAX - 1)).is_err());
    }

    #[test]
    fn the_bare_cookie_identifies_nothing() {
        let is = |branch: &str| Via::parse(&format!("SIP/2.0/UDP h;branch={branch}")).unwrap().is_rfc3261();
        assert!(is("z9hG4bKa") && is("Z9HG4BKa") && !is("z9hG4bK") && !is("abc") && !is("z9hG4客x"));
    }
}

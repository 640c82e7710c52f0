//! A dialog (RFC 3261 section 12): what two ends of a call remember of each other.
//!
//! Made by a request and its response, on either side; says where the next request goes and with which numbers. What the
//! call is doing (ringing, answered, changing its media) is the stack's; here is only what section 12 calls dialog state.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{
    msg::{HeaderError, Host, Message, Method, Name, NameAddr, SipUri, Uri},
    transport::{Flow, Transport},
};
use crate::base::is_private;

/// Both ends' view of one call leg.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// We, with our tag.
    pub local: NameAddr,
    /// They, with their tag (peers of RFC 2543 have none).
    pub remote: NameAddr,
    /// The number of our last request.
    pub local_seq: u32,
    /// The number of their last request; `None` until there was one.
    pub remote_seq: Option<u32>,
    /// The proxies that asked to stay on the path, nearest first.
    pub route_set: Vec<NameAddr>,
    /// Where they want requests: their last Contact.
    pub remote_target: Uri,
    /// The path their last message took.
    pub flow: Flow,
    /// Requests go back the way theirs came, whatever Contact says: a phone behind a NAT, a registered binding.
    pub sticky: bool,
    /// We sent the INVITE: we own the Call-ID, which decides who waits longer after a glare (14.1).
    pub caller: bool,
}

/// Where a request in this dialog goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Heading {
    /// The Request-URI.
    pub uri: Uri,
    /// The Route headers.
    pub routes: Vec<NameAddr>,
    /// The path.
    pub flow: Flow,
}

impl Dialog {
    /// The callee's side, from the INVITE (12.1.1). `local_tag` is the tag of our answers.
    pub fn accept(invite: &Message, local_tag: &str, flow: Flow, sticky: bool) -> Result<Self, HeaderError> {
        Ok(Dialog {
            call_id: invite.call_id()?.into_owned(),
            local: invite.to()?.with_tag(local_tag),
            remote: invite.from()?,
            local_seq: 0,
            remote_seq: Some(invite.cseq()?.number),
            route_set: invite.record_routes()?,
            remote_target: invite.contact()?.uri,
            flow,
            sticky,
            caller: false,
        })
    }

    /// The caller's side, from the INVITE we sent and a response with a To tag (12.1.2).
    pub fn open(invite: &Message, response: &Message, flow: Flow, sticky: bool) -> Result<Self, HeaderError> {
        let mut route_set = response.record_routes()?;
        route_set.reverse();
        let target = match response.contact() {
            Ok(contact) => contact.uri,
            // A 18x or (against 12.1.1) a 2xx without Contact: where the INVITE went is the best guess there is.
            Err(_) => invite.uri().cloned().ok_or(HeaderError::Missing(Name::Contact))?,
        };
        Ok(Dialog {
            call_id: invite.call_id()?.into_owned(),
            local: invite.from()?,
            remote: response.to()?,
            local_seq: invite.cseq()?.number,
            remote_seq: None,
            route_set,
            remote_target: target,
            flow,
            sticky,
            caller: true,
        })
    }

    /// Our tag.
    pub fn local_tag(&self) -> String {
        self.local.tag().unwrap_or_default()
    }
    /// Their tag.
    pub fn remote_tag(&self) -> Option<String> {
        self.remote.tag()
    }

    /// Takes the number of a request of theirs: false when it is not above the last one (12.2.2: answer 500).
    pub fn take_seq(&mut self, number: u32) -> bool {
        if self.remote_seq.is_some_and(|last| number <= last) {
            return false;
        }
        self.remote_seq = Some(number);
        true
    }

    /// A target refresh (re-INVITE, UPDATE and their 2xx): the Contact moves, the route set never does (12.2).
    pub fn refresh(&mut self, message: &Message, flow: Flow) {
        if let Ok(contact) = message.contact() {
            self.remote_target = contact.uri;
        }
        self.flow = flow;
    }

    /// Where the next request goes, and its Route headers: a loose first hop leaves the target on the request line, a strict
    /// one takes its place (12.2.1.1).
    pub fn heading(&self) -> Heading {
        let target = request_uri(&self.remote_target);
        let Some(first) = self.route_set.first() else {
            return Heading { flow: self.flow_to(&target), uri: target, routes: Vec::new() };
        };
        let flow = self.flow_to(&first.uri);
        let loose = first.uri.sip().is_some_and(|u| u.params.has("lr"));
        if loose {
            return Heading { uri: target, routes: self.route_set.clone(), flow };
        }
        let uri = request_uri(&first.uri);
        let mut routes = self.route_set[1..].to_vec();
        routes.push(NameAddr::new(target));
        Heading { uri, routes, flow }
    }

    /// The path to a hop. Its address is taken at its word, except where that cannot work: a phone behind a NAT announces an
    /// address we cannot reach, and a name would need a look-up that the path their message took has already answered.
    fn flow_to(&self, hop: &Uri) -> Flow {
        let Some(hop) = hop.sip().filter(|_| !self.sticky) else { return self.flow };
        let here = self.flow.remote;
        // RFC 5630 3.1: what was in the clear so far does not carry what `sips:` names, not even to the same host.
        let exposed = hop.secure && !self.flow.transport.is_secure();
        let stay = || match exposed {
            true => Flow {
                transport: Transport::Tls,
                remote: SocketAddr::new(here.ip(), hop.port.unwrap_or(Transport::Tls.default_port())),
                conn: None,
                ..self.flow
            },
            false => self.flow,
        };
        let Some(ip) = hop.host.ip() else { return stay() };
        if ip.is_unspecified() || (is_private(ip) && !is_private(here.ip())) {
            return stay();
        }
        let named = hop.transport().and_then(|t| Transport::parse(&t)).filter(|t| !t.is_web());
        let transport = match named {
            _ if exposed => Transport::Tls,
            Some(t) if !hop.secure => t,
            _ => self.flow.transport,
        };
        let port = hop.port.unwrap_or(transport.default_port());
        if ip == here.ip() && transport == self.flow.transport && (port == here.port() || transport.is_reliable()) {
            return self.flow;
        }
        let remote = SocketAddr::new(ip, port);
        Flow { transport, local: self.flow.local, remote, conn: None, peer: self.flow.peer }
    }

    /// A request in this dialog with the next number. Via and body are the sender's to add.
    pub fn request(&mut self, method: Method) -> (Message, Flow) {
        self.local_seq = self.local_seq.wrapping_add(1) & 0x7fff_ffff;
        self.numbered(method, self.local_seq)
    }

    /// The ACK of our INVITE's 2xx: same number as the INVITE (13.2.2.4).
    pub fn ack(&self, invite_seq: u32) -> (Message, Flow) {
        self.numbered(Method::Ack, invite_seq)
    }

    fn numbered(&self, method: Method, seq: u32) -> (Message, Flow) {
        let heading = self.heading();
        let cseq = format!("{seq} {method}");
        let mut m = Message::request(method, heading.uri);
        for route in &heading.routes {
            m.headers.push(Name::Route, route);
        }
        m.headers.push(Name::MaxForwards, 70);
        m.headers.push(Name::From, &self.local);
        m.headers.push(Name::To, &self.remote);
        m.headers.push(Name::CallId, &self.call_id);
        m.headers.push(Name::CSeq, cseq);
        (m, heading.flow)
    }
}

/// A URI fit for a request line.
pub fn request_uri(uri: &Uri) -> Uri {
    match uri {
        Uri::Sip(u) => Uri::Sip(u.for_request()),
        other => other.clone(),
    }
}

/// A dialog as it is kept in the journal: enough to send a BYE after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialogSnapshot {
    /// Call-ID.
    pub call_id: String,
    /// Our header value with tag.
    pub local: String,
    /// Theirs.
    pub remote: String,
    /// Our last CSeq.
    pub local_seq: u32,
    /// Theirs.
    pub remote_seq: Option<u32>,
    /// Route values, nearest first.
    pub route_set: Vec<String>,
    /// Their Contact.
    pub remote_target: String,
    /// The word of a Via, in lower case: `udp`.
    pub transport: String,
    /// Our listening address.
    pub local_addr: std::net::SocketAddr,
    /// Their address. A stream is opened anew.
    pub remote_addr: std::net::SocketAddr,
    /// [`Dialog::sticky`].
    pub sticky: bool,
    /// [`Dialog::caller`].
    pub caller: bool,
}

impl Dialog {
    /// For the journal.
    pub fn snapshot(&self) -> DialogSnapshot {
        DialogSnapshot {
            call_id: self.call_id.clone(),
            local: self.local.to_string(),
            remote: self.remote.to_string(),
            local_seq: self.local_seq,
            remote_seq: self.remote_seq,
            route_set: self.route_set.iter().map(ToString::to_string).collect(),
            remote_target: self.remote_target.to_string(),
            transport: self.flow.transport.as_str().to_ascii_lowercase(),
            local_addr: self.flow.local,
            remote_addr: self.flow.remote,
            sticky: self.sticky,
            caller: self.caller,
        }
    }

    /// From the journal. The message says what could not be read.
    pub fn restore(s: &DialogSnapshot) -> Result<Self, &'static str> {
        let transport = Transport::parse(&s.transport).ok_or("not a transport")?;
        let mut dialog = Dialog {
            call_id: s.call_id.clone(),
            local: NameAddr::parse(&s.local)?,
            remote: NameAddr::parse(&s.remote)?,
            local_seq: s.local_seq,
            remote_seq: s.remote_seq,
            route_set: s.route_set.iter().map(|r| NameAddr::parse(r)).collect::<Result<_, _>>()?,
            remote_target: Uri::parse(&s.remote_target)?,
            flow: Flow { transport, local: s.local_addr, remote: s.remote_addr, conn: None, peer: None },
            sticky: s.sticky,
            caller: s.caller,
        };
        // A connection they opened is gone, and nobody listens where it came from: they are where their side says it listens.
        if transport.is_reliable() && !s.caller && !s.sticky {
            let first = dialog.route_set.first().map_or(&dialog.remote_target, |r| &r.uri);
            let port = first.sip().map(|hop| hop.port.unwrap_or(transport.default_port()));
            port.into_iter().for_each(|p| dialog.flow.remote.set_port(p));
        }
        Ok(dialog)
    }
}

/// `sip:host:port` of one of our addresses, as a Contact carries it.
pub fn contact_uri(user: Option<&str>, host: Host, port: u16, transport: Transport) -> SipUri {
    let mut uri = SipUri::new(user, host, Some(port));
    if transport != Transport::Udp {
        uri.set_param("transport", transport.uri_param());
    }
    uri
}

#[cfg(test)]
mod tests;

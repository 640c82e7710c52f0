//! Who we are and whom we know: compiled by the roof from the business configuration, swapped whole at run time.

use std::{collections::BTreeMap, net::SocketAddr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    base::{Network, NumberPattern, TenantId, TrunkId},
    sip::{
        auth::Ha1,
        gate::Rules,
        msg::Host,
        transport::{Flow, Transport},
    },
};

/// Everything the stack needs to know about the world.
#[derive(Debug, Clone, Default)]
pub struct SipSettings {
    /// Which tenant a host name or address in a URI belongs to. Lower case; addresses without brackets.
    pub domains: BTreeMap<String, TenantId>,
    /// The tenant of any other host (phones often know only the server's address); `None`: they are unknown here.
    pub default_tenant: Option<TenantId>,
    /// The realm each tenant's passwords were hashed with.
    pub realms: BTreeMap<TenantId, String>,
    /// Who may register and call out.
    pub users: BTreeMap<(TenantId, String), Ha1>,
    /// What users are called by, numbers that lead to one of them included: a lamp may be set on any of these.
    pub extensions: BTreeMap<(TenantId, String), String>,
    /// Carriers and other exchanges.
    pub trunks: Vec<TrunkPeer>,
    /// Numbers (or names) anybody may call without credentials.
    pub public_numbers: Vec<(TenantId, NumberPattern)>,
    /// How many requests an address may send, and how many wrong passwords.
    pub gate: Rules,
    /// Numbers no load keeps from being called.
    pub emergency: Vec<(TenantId, String)>,
    /// `User-Agent` and `Server`. Empty: none.
    pub user_agent: String,
    /// Where we listen, and what the world calls that.
    pub listeners: Vec<Listener>,
    /// Challenges offer SHA-256 before MD5. Off unless every phone is known to cope: baresip 1.x and others give up at the
    /// first challenge whose algorithm they do not know, instead of taking the next one.
    pub strong_digest: bool,
    /// Which provisional responses of ours have to be acknowledged by a caller that can (RFC 3262).
    pub reliable: Reliable,
    /// How long a call may go on without a sign of the other side, where that knows session timers (RFC 4028). `None`: we do
    /// not ask for it, and do as we are asked.
    pub session_expires: Option<Duration>,
    /// The messages of calls are kept for whoever asks later ([`Trail`](super::Trail)).
    pub ladder: bool,
    /// The shortest such time we take; never below the 90 s of RFC 4028 section 4.
    pub session_min: Duration,
}

/// Which provisional responses are sent so that they are sure to arrive. Whoever requires it gets all of them so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reliable {
    /// None but those.
    WhenRequired,
    /// Those with sound: a description that is lost is a caller who hears nothing. A lost 180 costs nothing.
    #[default]
    Sound,
    /// All that a caller can acknowledge.
    Always,
}

/// A listening socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Datagram or stream.
    pub transport: Transport,
    /// What it is bound to; may be the unspecified address.
    pub local: SocketAddr,
    /// What goes into Via and Contact; `None`: the local side of the flow in hand.
    pub public: Option<(Host, u16)>,
}

/// A peer that is known by where its requests come from, or by a digest user.
#[derive(Debug, Clone)]
pub struct TrunkPeer {
    /// Which.
    pub id: TrunkId,
    /// Whose.
    pub tenant: TenantId,
    /// Source addresses and networks; without a port any port counts. Over UDP an address can be forged: what a trunk may
    /// reach is up to the routes.
    pub addresses: Vec<(Network, Option<u16>)>,
    /// Of these, whose requests are refused.
    pub deny: Vec<Network>,
    /// What it logs in with, in the tenant's realm. With this its addresses alone prove nothing: each call is asked for the
    /// password, and comes from the addresses, if there are any, or is refused.
    pub login: Option<(String, Ha1)>,
}

impl TrunkPeer {
    /// Whether its requests may come from there.
    pub fn admits(&self, from: SocketAddr) -> bool {
        !self.deny.iter().any(|net| net.holds(from.ip())) && (self.addresses.is_empty() || self.is_at(from))
    }
    /// Whether it is at home there.
    fn is_at(&self, from: SocketAddr) -> bool {
        self.addresses.iter().any(|(net, port)| net.holds(from.ip()) && port.is_none_or(|p| p == from.port()))
    }
}

impl SipSettings {
    /// The tenant a host belongs to.
    pub fn tenant(&self, host: &Host) -> Option<&TenantId> {
        self.own_domain(host).or(self.default_tenant.as_ref())
    }
    /// The tenant that has this host as a domain of its own.
    pub fn own_domain(&self, host: &Host) -> Option<&TenantId> {
        match host {
            Host::Name(name) => self.domains.get(&**name),
            Host::Ip(ip) => self.domains.get(&ip.to_string()),
        }
    }
    /// The realm of a tenant; its id when none was given.
    pub fn realm<'a>(&'a self, tenant: &'a TenantId) -> &'a str {
        self.realms.get(tenant).map_or(tenant.as_str(), String::as_str)
    }
    /// The trunk a request comes from, by its source address: one that has to log in is not known by that.
    pub fn trunk_at(&self, from: SocketAddr) -> Option<&TrunkPeer> {
        self.trunks.iter().find(|t| t.login.is_none() && t.is_at(from))
    }
    /// Whether a trunk may call from there, known by that or still to log in.
    pub fn is_trunks(&self, from: SocketAddr) -> bool {
        self.trunks.iter().any(|t| t.is_at(from) && t.admits(from))
    }
    /// Whether anybody may call this.
    pub fn is_public(&self, tenant: &TenantId, user: &str) -> bool {
        self.public_numbers.iter().any(|(t, p)| t == tenant && p.matches(user))
    }
    /// Host and port the peer on this flow should know us by.
    pub fn public_address(&self, flow: &Flow) -> (Host, u16) {
        let kind = |l: &&Listener| l.transport == flow.transport;
        let here = |l: &&Listener| kind(l) && l.local.port() == flow.local.port() && l.local.is_ipv4() == flow.remote.is_ipv4();
        let exact = self.listeners.iter().filter(kind).find(|l| l.local == flow.local);
        // A dialog that has moved to another transport or family has no listener of its own there: any that fits will do.
        let family = |l: &&Listener| kind(l) && l.local.is_ipv4() == flow.remote.is_ipv4();
        let listener = exact.or_else(|| self.listeners.iter().find(here)).or_else(|| self.listeners.iter().find(family));
        listener.and_then(|l| l.public.clone()).unwrap_or((Host::Ip(flow.local.ip()), flow.local.port()))
    }
    /// The local side for a request of ours by this transport to that address: a listener of its family.
    pub fn local_towards(&self, transport: Transport, remote: SocketAddr) -> Option<SocketAddr> {
        let fits = |l: &&Listener| l.transport == transport && l.local.is_ipv4() == remote.is_ipv4();
        self.listeners.iter().find(fits).map(|l| l.local)
    }
    /// The local side for a request of ours by this transport.
    pub fn local(&self, transport: Transport) -> Option<SocketAddr> {
        self.listeners.iter().find(|l| l.transport == transport).map(|l| l.local)
    }
}

//! Where a message came from and where one goes: the words `net` and the stack share. Pure; the sockets live in `net`.

use std::{fmt, net::SocketAddr};

use super::msg::Protocol;

/// A transport we have sockets for. (What a Via may name is open: [`Protocol`].)
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// Datagrams: messages get lost, so transactions repeat them.
    Udp,
    /// A stream: nothing is repeated.
    Tcp,
}

impl Transport {
    /// True when the transport delivers or says that it did not: no retransmission timers (RFC 3261 17.1.1.2).
    pub const fn is_reliable(self) -> bool {
        matches!(self, Transport::Tcp)
    }
    /// The word a Via carries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
        }
    }
    /// The word a URI's `transport` parameter carries.
    pub const fn uri_param(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
        }
    }
    /// Reads either word, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        [Transport::Udp, Transport::Tcp].into_iter().find(|t| t.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl From<Transport> for Protocol {
    fn from(t: Transport) -> Protocol {
        match t {
            Transport::Udp => Protocol::Udp,
            Transport::Tcp => Protocol::Tcp,
        }
    }
}

/// One stream connection. Never used twice in a process, so a late answer cannot reach a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A path between us and a peer. For a received message: where it came from; for a sent one: where it shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Datagram or stream.
    pub transport: Transport,
    /// Our side: the listening address the peer knows.
    pub local: SocketAddr,
    /// The peer's side.
    pub remote: SocketAddr,
    /// The connection, when there is one. A message to a connection that is gone goes to a new one to `remote`.
    pub conn: Option<ConnId>,
}

/// Where a message came from.
pub type Source = Flow;

impl Flow {
    /// A datagram path.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Flow { transport: Transport::Udp, local, remote, conn: None }
    }
    /// A stream to `remote`, whichever connection there is.
    pub const fn tcp(local: SocketAddr, remote: SocketAddr) -> Self {
        Flow { transport: Transport::Tcp, local, remote, conn: None }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}->{}", self.transport, self.local, self.remote)
    }
}

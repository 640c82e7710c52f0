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
    /// An encrypted stream.
    Tls,
    /// A WebSocket: one message a frame (RFC 7118). Only the browser can open one.
    Ws,
    /// An encrypted WebSocket.
    Wss,
}

impl Transport {
    /// Every one.
    pub const ALL: [Transport; 5] = [Transport::Udp, Transport::Tcp, Transport::Tls, Transport::Ws, Transport::Wss];

    /// True when the transport delivers or says that it did not: no retransmission timers (RFC 3261 17.1.1.2).
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Transport::Udp)
    }
    /// True when nobody on the way can read along: what `sips:` asks for (RFC 5630 3.1).
    pub const fn is_secure(self) -> bool {
        matches!(self, Transport::Tls | Transport::Wss)
    }
    /// True for WebSockets: the far side has no address of its own, so when the connection is gone there is no way to it.
    pub const fn is_web(self) -> bool {
        matches!(self, Transport::Ws | Transport::Wss)
    }
    /// The word a Via carries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Transport::Udp => "UDP",
            Transport::Tcp => "TCP",
            Transport::Tls => "TLS",
            Transport::Ws => "WS",
            Transport::Wss => "WSS",
        }
    }
    /// The word a URI's `transport` parameter carries. A secure WebSocket is `ws` as well (RFC 7118 5.2.4).
    pub const fn uri_param(self) -> &'static str {
        match self {
            Transport::Udp => "udp",
            Transport::Tcp => "tcp",
            Transport::Tls => "tls",
            Transport::Ws | Transport::Wss => "ws",
        }
    }
    /// The port where none is written (RFC 3261 19.1.2, RFC 7118 4).
    pub const fn default_port(self) -> u16 {
        match self {
            Transport::Udp | Transport::Tcp => 5060,
            Transport::Tls => 5061,
            Transport::Ws => 80,
            Transport::Wss => 443,
        }
    }
    /// Reads the word of a Via, whatever its case. (A URI's `ws` does not say whether it is secure.)
    pub fn parse(text: &str) -> Option<Self> {
        Transport::ALL.into_iter().find(|t| t.as_str().eq_ignore_ascii_case(text))
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
            Transport::Tls => Protocol::Tls,
            Transport::Ws => Protocol::Ws,
            Transport::Wss => Protocol::Wss,
        }
    }
}

/// One stream connection. Never used twice in a process, so a late answer cannot reach a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A SIP domain we open TLS connections to. The sockets know its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub u32);

/// A path between us and a peer. For a received message: where it came from; for a sent one: where it shall go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// Datagram or stream.
    pub transport: Transport,
    /// Our side: the listening address the peer knows.
    pub local: SocketAddr,
    /// The peer's side.
    pub remote: SocketAddr,
    /// The connection, when there is one. A message to a connection that is gone goes to a new one to `remote`, unless only
    /// the peer can open one.
    pub conn: Option<ConnId>,
    /// Whose certificate the peer must show when the connection is ours to open and TLS; `None`: its address's.
    pub peer: Option<PeerId>,
}

/// Where a message came from.
pub type Source = Flow;

impl Flow {
    /// A datagram path.
    pub const fn udp(local: SocketAddr, remote: SocketAddr) -> Self {
        Flow { transport: Transport::Udp, local, remote, conn: None, peer: None }
    }
    /// A stream to `remote`, whichever connection there is.
    pub const fn tcp(local: SocketAddr, remote: SocketAddr) -> Self {
        Flow { transport: Transport::Tcp, local, remote, conn: None, peer: None }
    }
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}->{}", self.transport, self.local, self.remote)
    }
}

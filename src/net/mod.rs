//! SIP over sockets: UDP, TCP, TLS, and the WebSockets of the HTTP listener. Parses at the door, so garbage dies here.
//!
//! Knows flows and messages, no transactions: whether something is sent again, and where an answer goes, is the stack's.
//! Needs a tokio runtime around it. What stands where: `udp` one task per socket; `stream` two tasks per
//! connection; `web` runs in the task of the HTTP connection it began as. `pen` and `notary` sign for our callers and look at what
//! others signed.
//!
//! ```text
//! socket ─▶ (framer) ─▶ parser ─▶ NetEvent::Received ─▶ inbox          (full: UDP is dropped, TCP waits)
//! Net::send ─▶ UDP: the kernel   TCP: the queue of the connection, opened when there is none
//!                 └─ could not ─▶ NetEvent::SendFailed ─▶ inbox
//! ```

mod conns;
mod counters;
mod dns;
mod notary;
mod pen;
mod stream;
mod stun;
mod tls;
mod udp;
mod web;

#[cfg(test)]
mod secure_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod torture;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::sync::{mpsc, watch};

use crate::{
    base::{Acl, limits},
    sip::{
        msg::{Message, Method, ParseError},
        transport::{ConnId, Flow, PeerId, Source, Transport},
    },
};
use conns::{Conns, Peers, Seat};
use counters::Cells;

pub use counters::Counters;
pub use dns::Dns;
pub use notary::{Notary, NotaryConfig};
pub use pen::pen;
pub use tls::{Tls, TlsError, TlsFiles, WARN_DAYS, self_signed};
pub use web::{WebFrame, WebSeat};

/// What to listen on, and how patient to be.
#[derive(Debug, Clone)]
pub struct NetConfig {
    /// UDP addresses; port 0 takes a free one.
    pub udp: Vec<SocketAddr>,
    /// TCP addresses; port 0 takes a free one.
    pub tcp: Vec<SocketAddr>,
    /// TLS addresses; port 0 takes a free one.
    pub tls: Vec<SocketAddr>,
    /// The certificate we show and what we trust; none: no TLS.
    pub keys: Option<Arc<Tls>>,
    /// Who may speak to us at all.
    pub acl: Acl,
    /// Who of these may speak to which listener.
    pub doors: Doors,
    /// A connection's first message, and the rest of one begun, must come within this.
    pub stall: Duration,
    /// A connection is closed after this without a message or keep-alive.
    pub idle: Duration,
    /// A connection of ours must be open within this.
    pub connect: Duration,
    /// How often a WebSocket is pinged.
    pub web_ping: Duration,
    /// A WebSocket is closed after this without any frame.
    pub web_silence: Duration,
    /// Most connections, WebSockets included; the newest is refused.
    pub streams_max: usize,
    /// Most connections from one address; the newest is refused.
    pub streams_per_ip: usize,
}

impl NetConfig {
    /// The bounds of the house.
    pub fn new(udp: Vec<SocketAddr>, tcp: Vec<SocketAddr>) -> Self {
        NetConfig {
            udp,
            tcp,
            tls: Vec::new(),
            keys: None,
            acl: Acl::default(),
            doors: Doors::default(),
            stall: limits::SIP_STREAM_STALL,
            idle: limits::SIP_STREAM_IDLE,
            connect: limits::SIP_CONNECT_TIMEOUT,
            web_ping: limits::SIP_WEB_PING,
            web_silence: limits::SIP_WEB_SILENCE,
            streams_max: limits::SIP_STREAMS_MAX,
            streams_per_ip: limits::SIP_STREAMS_PER_IP,
        }
    }
}

/// Who may speak to each listener, in the order of its addresses; everybody where nothing is said.
#[derive(Debug, Clone, Default)]
pub struct Doors {
    /// Of UDP.
    pub udp: Vec<Acl>,
    /// Of TCP.
    pub tcp: Vec<Acl>,
    /// Of TLS.
    pub tls: Vec<Acl>,
}

/// What comes in.
#[derive(Debug, Clone)]
pub enum NetEvent {
    /// A message, or a broken one whose sender can be told ([`ParseError::answer`]).
    Received {
        /// What came.
        message: Result<Message, ParseError>,
        /// From where.
        source: Source,
    },
    /// A request sent as a datagram came back: nobody listens there, or nobody leads there.
    Undelivered {
        /// Its method.
        method: Method,
        /// The branch of its Via.
        branch: String,
    },
    /// A connection is gone.
    Closed {
        /// Which.
        conn: ConnId,
    },
    /// A message could not be sent, or may not have been.
    SendFailed {
        /// Where it should have gone.
        flow: Flow,
        /// Why not.
        why: SendError,
    },
}

/// Why a message was not sent (RFC 3261 18.4: the transaction treats it as 503).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// We listen on no address of that transport and family.
    #[error("no {0} socket for that address family")]
    NoSocket(Transport),
    /// A broadcast, multicast or empty address: what a Via says must not make us shout (RFC 4475 3.3.10).
    #[error("not the address of one host")]
    NoHost,
    /// The system refused.
    #[error("cannot send: {0}")]
    System(io::ErrorKind),
    /// The peer's certificate is not for the name it was called by, or the handshake failed.
    #[error("no TLS with this peer: {0}")]
    Handshake(String),
    /// Nobody answered the connection request in time.
    #[error("no connection within the time allowed")]
    ConnectTimeout,
    /// The peer reads more slowly than we write.
    #[error("the connection's queue is full")]
    QueueFull,
    /// There are as many connections as are allowed.
    #[error("too many connections")]
    TooManyConnections,
    /// It was waiting in a connection that closed.
    #[error("the connection closed")]
    Closed,
}

/// Takes an event, or gives it back when it is full.
type Inbox = dyn Fn(NetEvent) -> Result<(), NetEvent> + Send + Sync;

/// What every task of the room shares.
struct Shared {
    inbox: Box<Inbox>,
    counters: Cells,
    conns: Conns,
    peers: Peers,
    config: NetConfig,
    stop: watch::Receiver<()>,
}

/// The sockets. Dropping it closes them all.
pub struct Net {
    shared: Arc<Shared>,
    udp: Vec<udp::Socket>,
    tcp: Vec<SocketAddr>,
    tls: Vec<SocketAddr>,
    runtime: tokio::runtime::Handle,
    /// Dropped with us; every task sees that and ends.
    _stop: watch::Sender<()>,
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").field("udp", &self.udp_addrs()).field("tcp", &self.tcp).finish_non_exhaustive()
    }
}

impl Net {
    /// Binds and begins to listen. Must be called within a tokio runtime. Fails, with the address in the error, when one
    /// cannot be bound.
    ///
    /// `inbox` must not block; it gives an event back when it is full (a closure around `try_send` does).
    pub fn start(
        config: NetConfig,
        inbox: impl Fn(NetEvent) -> Result<(), NetEvent> + Send + Sync + 'static,
    ) -> io::Result<Net> {
        let (stop, stopped) = watch::channel(());
        let shared = Arc::new(Shared {
            inbox: Box::new(inbox),
            counters: Cells::default(),
            conns: Conns::new(config.streams_max, config.streams_per_ip),
            peers: Peers::default(),
            config: config.clone(),
            stop: stopped,
        });
        let named = |addr: &SocketAddr, what: &str, e: io::Error| io::Error::new(e.kind(), format!("{what} {addr}: {e}"));
        let door = |doors: &[Acl], n: usize| doors.get(n).cloned().unwrap_or_default();
        let mut udp = Vec::new();
        for (n, addr) in config.udp.iter().enumerate() {
            let acl = door(&config.doors.udp, n);
            udp.push(udp::Socket::start(*addr, acl, &shared).map_err(|e| named(addr, "cannot bind UDP", e))?);
        }
        let mut tcp = Vec::new();
        for (n, addr) in config.tcp.iter().enumerate() {
            let acl = door(&config.doors.tcp, n);
            tcp.push(stream::listen(*addr, acl, None, &shared).map_err(|e| named(addr, "cannot listen on TCP", e))?);
        }
        let mut tls = Vec::new();
        for (n, addr) in config.tls.iter().enumerate() {
            let acl = door(&config.doors.tls, n);
            let keys =
                config.keys.clone().ok_or_else(|| named(addr, "no certificate for TLS", io::ErrorKind::NotFound.into()))?;
            tls.push(stream::listen(*addr, acl, Some(keys), &shared).map_err(|e| named(addr, "cannot listen on TLS", e))?);
        }
        Ok(Net { shared, udp, tcp, tls, runtime: tokio::runtime::Handle::current(), _stop: stop })
    }

    /// The UDP addresses bound, in the order asked for.
    pub fn udp_addrs(&self) -> Vec<SocketAddr> {
        self.udp.iter().map(|s| s.local).collect()
    }

    /// The TCP addresses bound, in the order asked for.
    pub fn tcp_addrs(&self) -> Vec<SocketAddr> {
        self.tcp.clone()
    }

    /// The TLS addresses bound, in the order asked for.
    pub fn tls_addrs(&self) -> Vec<SocketAddr> {
        self.tls.clone()
    }

    /// The number of a SIP domain, for flows to it: a TLS connection to a flow's peer must show a certificate for that name.
    pub fn peer(&self, domain: &str) -> PeerId {
        self.shared.peers.id(domain)
    }

    /// Sends, never blocking; failure comes back as [`NetEvent::SendFailed`]. From any thread.
    ///
    /// TCP and TLS: over `flow.conn` if it lives, else over any connection to `flow.remote`, else over a new one. WebSocket: over
    /// `flow.conn` or not at all.
    pub fn send(&self, flow: Flow, data: Bytes) {
        let result = match flow.transport {
            _ if !is_one_host(flow.remote) => Err(SendError::NoHost),
            Transport::Udp => self.send_udp(&flow, &data),
            Transport::Tcp | Transport::Tls => self.send_stream(flow, data),
            Transport::Ws | Transport::Wss => self.send_web(&flow, data),
        };
        match result {
            Ok(()) => self.shared.counters.sent.add(),
            Err(why) => self.shared.send_failed(&self.runtime, flow, why),
        }
    }

    fn send_udp(&self, flow: &Flow, data: &[u8]) -> Result<(), SendError> {
        let own = self.udp.iter().find(|s| s.local == flow.local);
        let fits = || self.udp.iter().find(|s| s.local.is_ipv4() == flow.remote.is_ipv4());
        let socket = own.filter(|s| s.local.is_ipv4() == flow.remote.is_ipv4()).or_else(fits);
        socket.ok_or(SendError::NoSocket(Transport::Udp))?.send(flow.remote, data)
    }

    fn send_stream(&self, flow: Flow, mut data: Bytes) -> Result<(), SendError> {
        loop {
            match self.shared.conns.seat_for(&flow)? {
                Seat::Open(id, queue) => match queue.try_send(data) {
                    Ok(()) => return Ok(()),
                    Err(mpsc::error::TrySendError::Full(_)) => return Err(SendError::QueueFull),
                    // It is just closing. Out of the table with it, so that the next look finds another or makes a new one.
                    Err(mpsc::error::TrySendError::Closed(back)) => {
                        self.shared.conns.remove(id);
                        data = back;
                    }
                },
                Seat::New(conn, place) => {
                    // The queue is new and empty, so this cannot fail.
                    let _ = conn.queue.try_send(data);
                    self.runtime.spawn(stream::connect(flow, place, conn, self.shared.clone()));
                    return Ok(());
                }
            }
        }
    }

    fn send_web(&self, flow: &Flow, data: Bytes) -> Result<(), SendError> {
        let queue = flow.conn.and_then(|id| self.shared.conns.queue(id)).ok_or(SendError::Closed)?;
        queue.try_send(data).map_err(|e| match e {
            mpsc::error::TrySendError::Full(_) => SendError::QueueFull,
            mpsc::error::TrySendError::Closed(_) => SendError::Closed,
        })
    }

    /// Asks a connection to close once what is queued is written.
    pub fn close(&self, conn: ConnId) {
        self.shared.conns.remove(conn);
    }

    /// What was counted since the start.
    pub fn counters(&self) -> Counters {
        self.shared.counters.read(self.shared.conns.len())
    }
}

fn is_one_host(addr: SocketAddr) -> bool {
    let broadcast = matches!(addr.ip(), std::net::IpAddr::V4(ip) if ip.is_broadcast());
    addr.port() != 0 && !addr.ip().is_multicast() && !addr.ip().is_unspecified() && !broadcast
}

impl Shared {
    /// Hands a failure up; when the inbox is full a task waits for room, since a transaction waits for this.
    fn send_failed(self: &Arc<Self>, runtime: &tokio::runtime::Handle, flow: Flow, why: SendError) {
        self.counters.send_failed.add();
        if let Err(event) = (self.inbox)(NetEvent::SendFailed { flow, why }) {
            let shared = self.clone();
            runtime.spawn(async move { shared.put(event).await });
        }
    }

    /// Hands an event up, waiting while the inbox is full.
    async fn put(&self, event: NetEvent) {
        let mut event = event;
        let mut stop = self.stop.clone();
        while let Err(back) = (self.inbox)(event) {
            event = back;
            tokio::select! {
                _ = stop.changed() => return,
                () = tokio::time::sleep(Duration::from_millis(2)) => {}
            }
        }
    }

    /// Whether somebody may speak to a listener.
    fn admits(&self, door: &Acl, remote: SocketAddr) -> bool {
        self.config.acl.admits(remote.ip()) && door.admits(remote.ip())
    }

    /// Counts a parsed message and says whether anybody upstairs can do something with it.
    fn worth_handing_up(&self, message: &Result<Message, ParseError>, from: SocketAddr) -> bool {
        match message {
            Ok(_) => self.counters.received.add(),
            Err(e) if e.answer(from).is_some() => self.counters.broken.add(),
            Err(_) => {
                self.counters.garbage.add();
                return false;
            }
        }
        true
    }
}

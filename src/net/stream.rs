//! TCP and TLS: accepting, connecting, and the life of one connection.
//!
//! ```text
//! accepted ─first message within `stall`─▶ talking ─nothing for `idle`──────────▶ closed
//!    └─── nothing ──▶ closed               │  └─half a message for `stall`──────▶ closed
//!                                          └─boundary lost─▶ lingering (answer) ─▶ closed
//! ```
//! A reading half and a writing half: a peer that does not read cannot keep us from hearing it.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use socket2::{Domain, Protocol, Type};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    net::{TcpListener, TcpSocket, TcpStream},
    sync::{mpsc, oneshot},
    time::{Instant, timeout},
};

use super::{
    NetEvent, SendError, Shared, Tls,
    conns::{NewConn, Place},
    tls::expected_name,
};
use crate::{
    base::{Acl, limits},
    sip::{
        msg::frame::{Frame, Framer},
        transport::{Flow, Transport},
    },
};

/// Bytes read at once. Small, because each of ten thousand connections has such a buffer.
const READ: usize = 4_096;
/// A stream that is silent for this long is probed, so often and so many times: a dead peer is found within
/// [`limits::SIP_STREAM_DEAD`].
const PROBE_AFTER: Duration = Duration::from_secs(20);
const PROBE_EVERY: Duration = Duration::from_secs(5);
const PROBES: u32 = 4;
/// Connections the kernel holds while we are busy accepting.
const BACKLOG: i32 = 1024;

/// Listens on `addr`; returns the address bound.
pub(super) fn listen(addr: SocketAddr, acl: Acl, tls: Option<Arc<Tls>>, shared: &Arc<Shared>) -> io::Result<SocketAddr> {
    let raw = socket2::Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        raw.set_only_v6(true)?;
    }
    // A restart must not wait for the last connections of the process before to time out.
    raw.set_reuse_address(true)?;
    raw.set_nonblocking(true)?;
    raw.bind(&addr.into())?;
    raw.listen(BACKLOG)?;
    let listener = TcpListener::from_std(raw.into())?;
    let local = listener.local_addr()?;
    tokio::spawn(accept(listener, acl, tls, local, shared.clone()));
    Ok(local)
}

async fn accept(listener: TcpListener, acl: Acl, tls: Option<Arc<Tls>>, local: SocketAddr, shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let transport = if tls.is_some() { Transport::Tls } else { Transport::Tcp };
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            r = listener.accept() => r,
        };
        let (stream, remote) = match accepted {
            Ok(pair) => pair,
            // Out of file descriptors, mostly: wait for some to come free.
            Err(e) => {
                tracing::warn!(%local, error = %e, "accepting a SIP connection failed");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if !shared.admits(&acl, remote) {
            shared.counters.denied.add();
            continue;
        }
        let Some((conn, place)) = shared.conns.accept(transport, remote) else {
            shared.counters.refused.add();
            continue;
        };
        shared.counters.accepted.add();
        let flow = Flow { transport, local, remote, conn: Some(place.id), peer: None };
        let patience = shared.config.stall;
        tune(&stream);
        match &tls {
            None => drop(tokio::spawn(run(stream, flow, place, conn, patience, shared.clone()))),
            Some(tls) => drop(tokio::spawn(shake_hands(stream, tls.clone(), flow, place, conn, shared.clone()))),
        }
    }
}

/// A peer that never finishes its handshake holds a seat no longer than one that never finishes a message.
async fn shake_hands(stream: TcpStream, tls: Arc<Tls>, flow: Flow, place: Place, conn: NewConn, shared: Arc<Shared>) {
    let acceptor = tokio_rustls::TlsAcceptor::from(tls.server());
    let mut stop = shared.stop.clone();
    let patience = shared.config.stall;
    let shaken = tokio::select! {
        _ = stop.changed() => return,
        r = timeout(patience, acceptor.accept(stream)) => r,
    };
    match shaken {
        Ok(Ok(stream)) => run(stream, flow, place, conn, patience, shared).await,
        Ok(Err(error)) => {
            tracing::debug!(%flow, %error, "a TLS handshake failed");
            shared.counters.handshakes_failed.add();
        }
        Err(_) => shared.counters.stalled.add(),
    }
}

/// Opens the connection a message is already waiting for.
pub(super) async fn connect(flow: Flow, place: Place, mut conn: NewConn, shared: Arc<Shared>) {
    let mut stop = shared.stop.clone();
    let result = tokio::select! {
        _ = stop.changed() => return,
        r = timeout(shared.config.connect, open(&flow, &shared)) => r,
    };
    let why = match result {
        Ok(Ok(stream)) => {
            shared.counters.opened.add();
            let flow = Flow { conn: Some(place.id), ..flow };
            let patience = shared.config.idle;
            return match stream {
                Opened::Tcp(s) => run(s, flow, place, conn, patience, shared).await,
                Opened::Tls(s) => run(*s, flow, place, conn, patience, shared).await,
            };
        }
        Ok(Err(why)) => why,
        Err(_) => SendError::ConnectTimeout,
    };
    // From here on a message to that peer tries anew.
    drop(place);
    fail_the_rest(&mut conn.messages, flow, &why, &shared).await;
}

/// A connection of ours.
enum Opened {
    Tcp(TcpStream),
    Tls(Box<tokio_rustls::client::TlsStream<TcpStream>>),
}

async fn open(flow: &Flow, shared: &Shared) -> Result<Opened, SendError> {
    let stream = dial(flow).await.map_err(|e| SendError::System(e.kind()))?;
    tune(&stream);
    if flow.transport != Transport::Tls {
        return Ok(Opened::Tcp(stream));
    }
    let keys = shared.config.keys.as_ref().ok_or(SendError::NoSocket(Transport::Tls))?;
    let domain = flow.peer.and_then(|id| shared.peers.name(id));
    let failed = |why: String| {
        shared.counters.handshakes_failed.add();
        SendError::Handshake(why)
    };
    let name = expected_name(domain.as_deref(), flow.remote.ip()).ok_or_else(|| failed("it has no name".to_owned()))?;
    let connector = tokio_rustls::TlsConnector::from(keys.client());
    match connector.connect(name, stream).await {
        Ok(stream) => Ok(Opened::Tls(Box::new(stream))),
        Err(e) => {
            tracing::warn!(%flow, domain, error = %e, "a peer is not who it should be, or speaks no TLS we know");
            Err(failed(e.to_string()))
        }
    }
}

/// Small messages that must not wait for each other; and a peer that is gone without a word, with its NAT or its power, is found
/// whether or not we have something to say. What the system does not grant it does by itself, later.
fn tune(stream: &TcpStream) {
    let socket = socket2::SockRef::from(stream);
    let probes = socket2::TcpKeepalive::new().with_time(PROBE_AFTER).with_interval(PROBE_EVERY).with_retries(PROBES);
    let _ = socket.set_tcp_nodelay(true);
    let _ = socket.set_tcp_keepalive(&probes);
    let _ = socket.set_tcp_user_timeout(Some(limits::SIP_STREAM_DEAD));
}

async fn dial(flow: &Flow) -> io::Result<TcpStream> {
    let socket = if flow.remote.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // From the address the peer knows us by, when that is one.
    if !flow.local.ip().is_unspecified() && flow.local.is_ipv4() == flow.remote.is_ipv4() {
        socket.bind(SocketAddr::new(flow.local.ip(), 0))?;
    }
    socket.connect(flow.remote).await
}

/// Tells the sender of every message that is still queued.
pub(super) async fn fail_the_rest(messages: &mut mpsc::Receiver<Bytes>, flow: Flow, why: &SendError, shared: &Shared) {
    messages.close();
    while let Ok(_lost) = messages.try_recv() {
        shared.counters.send_failed.add();
        shared.put(NetEvent::SendFailed { flow, why: why.clone() }).await;
    }
}

/// The life of a connection, from open to closed.
async fn run<S>(stream: S, flow: Flow, place: Place, conn: NewConn, patience: Duration, shared: Arc<Shared>)
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let NewConn { queue, messages } = conn;
    let (read, write) = tokio::io::split(stream);
    let (gone, mut writer_gone) = oneshot::channel();
    let id = place.id;
    let writer = tokio::spawn(write_all(write, messages, flow, gone, shared.clone()));
    // Only the table holds the queue open: taking the connection out of it closes it.
    let answers = queue.downgrade();
    drop(queue);
    let mut stop = shared.stop.clone();
    tokio::select! {
        _ = stop.changed() => {}
        _ = &mut writer_gone => {}
        () = read_all(read, flow, &answers, patience, &shared) => {}
    }
    // The writer finishes what is queued, then closes.
    drop(place);
    if timeout(shared.config.stall, writer).await.is_err() {
        tracing::debug!(%flow, "a SIP connection would not take its last messages");
    }
    shared.put(NetEvent::Closed { conn: id }).await;
}

async fn write_all<S: AsyncWrite>(
    mut write: WriteHalf<S>,
    mut messages: mpsc::Receiver<Bytes>,
    flow: Flow,
    _gone: oneshot::Sender<()>,
    shared: Arc<Shared>,
) {
    while let Some(data) = messages.recv().await {
        // A layer of TLS may hold back what it has taken until it is flushed.
        let written = timeout(shared.config.stall, async {
            write.write_all(&data).await?;
            write.flush().await
        });
        let why = match written.await {
            Ok(Ok(())) => continue,
            Ok(Err(e)) => SendError::System(e.kind()),
            Err(_) => SendError::QueueFull,
        };
        shared.counters.send_failed.add();
        shared.put(NetEvent::SendFailed { flow, why }).await;
        return fail_the_rest(&mut messages, flow, &SendError::Closed, &shared).await;
    }
    // The peer may be gone already.
    let _ = timeout(shared.config.stall, write.shutdown()).await;
}

/// Reads until the peer closes, grows silent, or makes no sense.
async fn read_all<S: AsyncRead>(
    mut read: ReadHalf<S>,
    flow: Flow,
    answers: &mpsc::WeakSender<Bytes>,
    patience: Duration,
    shared: &Shared,
) {
    let mut framer = Framer::new();
    let mut buf = vec![0; READ];
    let mut deadline = Instant::now() + patience;
    let (mut mid_message, mut silent_so_far, mut owes_answer) = (false, true, false);
    loop {
        let n = match tokio::time::timeout_at(deadline, read.read(&mut buf)).await {
            Ok(Ok(0) | Err(_)) => return,
            Ok(Ok(n)) => n,
            Err(_) if mid_message || silent_so_far => return shared.counters.stalled.add(),
            Err(_) => return shared.counters.idled.add(),
        };
        framer.push(&buf[..n]);
        let mut complete = false;
        while let Some(frame) = framer.next() {
            complete = true;
            match frame {
                Ok(Frame::Message(message)) => {
                    if shared.worth_handing_up(&message, flow.remote) {
                        shared.put(NetEvent::Received { message, source: flow }).await;
                        owes_answer = true;
                    }
                }
                Ok(Frame::Ping) => {
                    shared.counters.keepalives.add();
                    // When the queue is full the peer is not reading, and would not see the answer either.
                    let _ = answers.upgrade().map(|queue| queue.try_send(Bytes::from_static(b"\r\n")));
                }
                Ok(Frame::Pong) => shared.counters.keepalives.add(),
                Err(e) => {
                    shared.counters.unframed.add();
                    let message = Err(e.error);
                    if shared.worth_handing_up(&message, flow.remote) {
                        shared.put(NetEvent::Received { message, source: flow }).await;
                        owes_answer = true;
                    }
                    // Whoever sent something good before the nonsense still gets the answer to it.
                    if owes_answer {
                        linger(&mut read, &mut buf).await;
                    }
                    return;
                }
            }
        }
        // A message that is trickling in byte by byte has the time from its beginning, not from its last byte.
        silent_so_far &= !complete;
        let now_mid = framer.is_mid_message();
        if complete || !mid_message {
            deadline = Instant::now() + if now_mid { shared.config.stall } else { shared.config.idle };
        }
        mid_message = now_mid;
    }
}

/// Goes on reading into nothing for a moment: closing with unread bytes would reset the connection and lose the answer.
async fn linger<S: AsyncRead>(read: &mut ReadHalf<S>, buf: &mut [u8]) {
    let until = Instant::now() + limits::SIP_STREAM_LINGER;
    while let Ok(Ok(n)) = tokio::time::timeout_at(until, read.read(buf)).await {
        if n == 0 {
            return;
        }
    }
}

//! SIP over WebSocket (RFC 7118): the life of one connection whose handshake another room has made.
//!
//! ```text
//! seat ─▶ open ◀──▶ frames ─ no frame, not even a pong, for `web_silence` ─▶ closed
//!                    │  └─── no message for `idle` ─────────────────────────▶ closed
//!                    └─ takes nothing for `stall`, no SIP at all ───────────▶ closed
//! ```
//! A frame is a message, whole; its length is the frame's. Nobody can open such a connection but the browser, so when it is
//! gone, whatever went over it has failed.

use std::net::SocketAddr;

use bytes::Bytes;
use futures_util::{Sink, SinkExt as _, Stream, StreamExt as _};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until, timeout},
};

use super::{
    Net, NetEvent, SendError,
    conns::{NewConn, Place},
    stream::fail_the_rest,
};
use crate::sip::{
    msg::Message,
    transport::{Flow, Transport},
};

/// What goes over a WebSocket, whichever library speaks it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WebFrame {
    /// The whole of a text or binary message.
    Data(Bytes),
    /// Are you there? Out only: whoever reads the socket answers the other side's.
    Ping,
    /// Any other sign of life.
    Alive,
}

/// A place among the connections. Dropping it gives it back.
pub struct WebSeat {
    flow: Flow,
    place: Place,
    conn: NewConn,
}

impl std::fmt::Debug for WebSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebSeat").field("flow", &self.flow).finish_non_exhaustive()
    }
}

/// Why a connection ended.
enum Over {
    /// The browser left, or we stop.
    Left,
    /// It takes nothing.
    Stuck,
    /// It says nothing.
    Silent,
    /// It says nothing we need.
    Idle,
    /// What it says is no SIP.
    Garbage,
    /// Somebody here closed it.
    Closed,
}

impl Net {
    /// A place for a connection from `remote`; `None` when there are too many, which is counted. Ask before the handshake.
    pub fn web_seat(&self, transport: Transport, local: SocketAddr, remote: SocketAddr) -> Option<WebSeat> {
        if !self.shared.config.acl.admits(remote.ip()) {
            self.shared.counters.denied.add();
            return None;
        }
        let Some((conn, place)) = self.shared.conns.accept(transport, remote) else {
            self.shared.counters.refused.add();
            return None;
        };
        self.shared.counters.accepted.add();
        Some(WebSeat { flow: Flow { transport, local, remote, conn: Some(place.id), peer: None }, place, conn })
    }

    /// Serves a connection until it ends. What the socket yields are its frames; its end is the end.
    pub async fn web_serve<S, E>(&self, seat: WebSeat, socket: S)
    where
        S: Stream<Item = WebFrame> + Sink<WebFrame, Error = E> + Unpin,
    {
        let WebSeat { flow, place, conn: NewConn { queue, mut messages } } = seat;
        let (answers, id) = (queue.downgrade(), place.id);
        // Only the table holds the queue open: taking the connection out of it closes it.
        drop(queue);
        let over = self.web_talk(flow, socket, &answers, &mut messages).await;
        let counters = &self.shared.counters;
        match over {
            Over::Left | Over::Closed => {}
            Over::Stuck | Over::Silent => counters.stalled.add(),
            Over::Idle => counters.idled.add(),
            Over::Garbage => counters.unframed.add(),
        }
        drop(place);
        fail_the_rest(&mut messages, flow, &SendError::Closed, &self.shared).await;
        self.shared.put(NetEvent::Closed { conn: id }).await;
    }

    async fn web_talk<S, E>(
        &self,
        flow: Flow,
        mut socket: S,
        answers: &mpsc::WeakSender<Bytes>,
        messages: &mut mpsc::Receiver<Bytes>,
    ) -> Over
    where
        S: Stream<Item = WebFrame> + Sink<WebFrame, Error = E> + Unpin,
    {
        let config = &self.shared.config;
        let mut stop = self.shared.stop.clone();
        let start = Instant::now();
        let (mut heard, mut useful, mut ping_at) = (start, start, start + config.web_ping);
        loop {
            let frame = tokio::select! {
                _ = stop.changed() => return Over::Left,
                () = sleep_until(heard + config.web_silence) => return Over::Silent,
                () = sleep_until(useful + config.idle) => return Over::Idle,
                () = sleep_until(ping_at) => {
                    ping_at = Instant::now() + config.web_ping;
                    WebFrame::Ping
                }
                message = messages.recv() => match message {
                    Some(data) => WebFrame::Data(data),
                    None => {
                        // The browser is told with a close frame, and may be gone already.
                        let _ = timeout(config.stall, socket.close()).await;
                        return Over::Closed;
                    }
                },
                said = socket.next() => {
                    heard = Instant::now();
                    match said {
                        None => return Over::Left,
                        Some(WebFrame::Ping | WebFrame::Alive) => continue,
                        Some(WebFrame::Data(data)) => {
                            useful = heard;
                            if !self.web_said(flow, data, answers).await {
                                return Over::Garbage;
                            }
                            continue;
                        }
                    }
                }
            };
            let lost = matches!(frame, WebFrame::Data(_));
            let why = match timeout(config.stall, socket.send(frame)).await {
                Ok(Ok(())) => continue,
                Ok(Err(_)) => Over::Left,
                Err(_) => Over::Stuck,
            };
            if lost {
                self.shared.counters.send_failed.add();
                self.shared.put(NetEvent::SendFailed { flow, why: SendError::Closed }).await;
            }
            return why;
        }
    }

    /// Takes one frame; false when it is no SIP.
    async fn web_said(&self, flow: Flow, data: Bytes, answers: &mpsc::WeakSender<Bytes>) -> bool {
        // Clients that keep streams open by RFC 5626 do so here as well, and wait for the answer.
        if data.iter().all(|b| matches!(b, b'\r' | b'\n')) {
            self.shared.counters.keepalives.add();
            if data.len() >= 4 {
                // When the queue is full the peer is not reading, and would not see the answer either.
                let _ = answers.upgrade().map(|queue| queue.try_send(Bytes::from_static(b"\r\n")));
            }
            return true;
        }
        let message = Message::parse_datagram(data);
        if !self.shared.worth_handing_up(&message, flow.remote) {
            return false;
        }
        self.shared.put(NetEvent::Received { message, source: flow }).await;
        true
    }
}

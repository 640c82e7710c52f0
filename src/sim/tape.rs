//! What the center was given, to be given again: any day can be run once more without the world around it, bit for bit.

use std::net::SocketAddr;

use bytes::Bytes;

use super::{
    people::is_browser,
    world::{CENTER, World},
};
use crate::{
    base::Now,
    call,
    center::{
        Center, Input, Output,
        command::Envelope,
        recall::{RecallId, Recalled},
    },
    sip::{
        msg::Message,
        stack, stir,
        transport::{ConnId, Flow, Transport},
    },
};

/// One input, as kept.
#[derive(Debug, Clone)]
pub enum Taped {
    /// A datagram, or what came through the WebSocket of a browser.
    Sip(SocketAddr, Bytes),
    /// The WebSocket of a browser is gone.
    Closed(SocketAddr),
    /// A word of the engine.
    Media(media::wire::Event),
    /// A command.
    Command(Envelope),
    /// Something heard on a call.
    Heard(media::wire::TapId, crate::center::hearing::Heard),
    /// Facts are safe up to here.
    Stored(u64),
    /// What the store knows.
    Recalled(RecallId, Recalled),
    /// What somebody found who looked at the seal of a caller.
    Verified(media::wire::LegId, Result<(), stir::Fault>),
    /// Time.
    Tick,
}

impl Taped {
    /// The input it stands for.
    pub fn input(&self) -> Input {
        match self {
            Taped::Sip(from, bytes) => {
                let message = Message::parse_datagram(bytes.clone());
                let source = match *from {
                    _ if is_browser(*from) => {
                        Flow { transport: Transport::Ws, local: CENTER, remote: *from, conn: conn(*from), peer: None }
                    }
                    _ => Flow::udp(CENTER, *from),
                };
                Input::Call(call::Input::Sip(stack::Input::Received { message, source }))
            }
            Taped::Closed(from) => {
                let conn = conn(*from).expect("only browsers have a WebSocket");
                Input::Call(call::Input::Sip(stack::Input::Closed { conn }))
            }
            Taped::Media(e) => Input::Call(call::Input::Media(e.clone())),
            Taped::Command(e) => Input::Command(e.clone()),
            Taped::Heard(tap, heard) => Input::Heard { tap: *tap, heard: heard.clone() },
            Taped::Stored(seq) => Input::Stored(*seq),
            Taped::Recalled(id, found) => Input::Recalled(*id, Ok(found.clone())),
            Taped::Verified(leg, seal) => Input::Call(call::Input::Verified { leg: *leg, seal: *seal }),
            Taped::Tick => Input::Tick,
        }
    }
}

/// The WebSocket of the browser at this address.
fn conn(at: SocketAddr) -> Option<ConnId> {
    match at {
        SocketAddr::V4(v4) => Some(ConnId(u64::from(u32::from(*v4.ip())))),
        SocketAddr::V6(_) => None,
    }
}

/// A tape.
pub type Tape = Vec<(Now, Taped)>;

/// The center of a fresh world of this seed, given a tape. What it says is handed to `take`.
pub fn replay(seed: u64, tape: &Tape, mut take: impl FnMut(Vec<Output>)) -> Option<Center> {
    let mut center = World::new(seed).center?;
    for (now, taped) in tape {
        let mut out = Vec::new();
        center.handle(*now, taped.input(), &mut out);
        take(out);
    }
    Some(center)
}

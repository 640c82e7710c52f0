//! A leg and its guard: what comes in is opened before it counts, what goes out is protected.

use std::net::SocketAddr;

use super::{Out, Plane, Shard, Slot, leg::Leg};
use crate::{
    rtp::packet::looks_like_rtcp,
    secure::{Guard, Incoming, Outside, ROOM},
    time::At,
    wire::{Event, Ice, LegId, Remote},
};

/// What a guard says, said for its leg.
struct Mouth<'a, O> {
    leg: LegId,
    slot: Slot,
    out: &'a mut O,
}

impl<O: Out> Outside for Mouth<'_, O> {
    fn send(&mut self, to: SocketAddr, packet: &[u8]) {
        self.out.send(self.slot, Plane::Rtp, to, packet);
    }
    fn secured(&mut self) {
        self.out.event(Event::Secured { leg: self.leg });
    }
    fn unsecured(&mut self, reason: &'static str) {
        self.out.event(Event::Unsecured { leg: self.leg, reason });
    }
}

/// Send from a leg's socket, through its guard.
pub(super) fn send(
    guard: &mut Option<Box<Guard>>,
    slot: Slot,
    plane: Plane,
    rtcp: bool,
    to: SocketAddr,
    packet: &[u8],
    out: &mut impl Out,
) {
    let Some(guard) = guard else { return out.send(slot, plane, to, packet) };
    let mut room = [0; ROOM];
    if let Some(packet) = guard.protect(rtcp, packet, &mut room) {
        out.send(slot, plane, to, packet);
    }
}

/// What a datagram is to this leg, opened where it lies.
pub(super) fn incoming(
    leg: &mut Leg,
    now: At,
    plane: Plane,
    from: SocketAddr,
    bytes: &mut [u8],
    out: &mut impl Out,
) -> Incoming {
    if leg.out.guard.is_none() {
        let rtcp = plane == Plane::Rtcp || looks_like_rtcp(bytes);
        return if rtcp { Incoming::Rtcp(bytes.len()) } else { Incoming::Rtp(bytes.len()) };
    }
    let admitted = if plane == Plane::Rtp { leg.admits(from) } else { leg.admits_rtcp(from) };
    let (mut mouth, guard) = mouth(leg, out);
    guard.as_mut().map_or(Incoming::Foreign, |g| g.incoming(now, plane, from, admitted, bytes, &mut mouth))
}

/// What was agreed, before the leg takes it up.
pub(super) fn agree(leg: &mut Leg, now: At, remote: &Remote, out: &mut impl Out) {
    let (mut mouth, guard) = mouth(leg, out);
    Guard::agree(guard, now, remote, &mut mouth);
}

/// Time passed.
pub(super) fn tick(leg: &mut Leg, now: At, out: &mut impl Out) {
    let (mut mouth, guard) = mouth(leg, out);
    if let Some(guard) = guard {
        guard.tick(now, &mut mouth);
    }
}

fn mouth<'a, O: Out>(leg: &'a mut Leg, out: &'a mut O) -> (Mouth<'a, O>, &'a mut Option<Box<Guard>>) {
    (Mouth { leg: leg.id, slot: leg.slot, out }, &mut leg.out.guard)
}

impl Shard {
    /// Our credentials for the connectivity checks of a leg's peer: at its opening, or other ones for a restart of ICE.
    pub(super) fn credentials(&mut self, leg: LegId, ours: &Ice) {
        match self.leg(leg) {
            Some(l) => Guard::credentials(&mut l.out.guard, ours),
            None => self.totals.unknown += 1,
        }
    }
}

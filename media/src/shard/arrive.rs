//! A packet came. Here it is decided whether it counts, and where it goes, without an allocation.
//!
//!     a check, a handshake ──▶ answered by the guard; a wrong tag ──▶ foreign, and counted apart
//!     stranger, nonsense, unknown payload type ──▶ foreign, no answer
//!     seen before ──▶ discarded
//!     telephone event ──▶ a digit, once; in a relay the packet goes on under the listener's number
//!     sound ──▶ recorder ──▶ relayed at once, or into the jitter buffer of a mix

use std::{net::SocketAddr, ops::Range};

use super::{
    Out, Plane, Shard, Slot, guarded,
    leg::Leg,
    outgoing::Target,
    recorder::{self, Said, Source},
};
use crate::{
    codec::{Decoder, g711},
    dtmf,
    jitter::Put,
    limits::{FRAME, PAYLOAD_BYTES_MAX, PAYLOAD_TIME_MAX},
    playout,
    rtp::{self, Header, rtcp, stats::Seen, xr},
    secure::Incoming,
    time::{At, ticks},
    wire::{Codec, Event, Rate},
};

/// Comfort noise (RFC 3389): its fixed payload type.
const COMFORT_NOISE: u8 = 13;

/// Of a watched leg that is relayed, one G.711 packet in so many is looked into; other codecs only where they are decoded.
const LISTEN_EVERY: u16 = 8;

/// What a payload type means on a leg.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Sound,
    Event,
    Comfort,
}

impl Shard {
    /// A datagram came in on a leg's socket. It is rewritten in place when it is relayed.
    pub fn packet(&mut self, now: At, slot: Slot, plane: Plane, from: SocketAddr, bytes: &mut [u8], out: &mut impl Out) {
        let Some(Some(leg)) = self.legs.get_mut(slot.0 as usize) else { return };
        let taken = match guarded::incoming(leg, now, plane, from, bytes, out) {
            Incoming::Done => return,
            Incoming::Foreign => false,
            Incoming::Unauthentic => {
                leg.stats.unauthentic += 1;
                false
            }
            Incoming::Rtcp(n) => report(leg, now, self.setup.ntp_at_zero, from, &bytes[..n], plane == Plane::Rtp),
            Incoming::Rtp(n) => self.rtp(now, slot, from, &mut bytes[..n], out).is_some(),
        };
        if !taken {
            self.totals.foreign += 1;
            if let Some(Some(leg)) = self.legs.get_mut(slot.0 as usize) {
                leg.stats.foreign += 1;
            }
        }
    }

    /// `None`: foreign.
    fn rtp(&mut self, now: At, slot: Slot, from: SocketAddr, bytes: &mut [u8], out: &mut impl Out) -> Option<()> {
        let leg = self.legs.get_mut(slot.0 as usize)?.as_deref_mut()?;
        if !leg.admits(from) {
            return None;
        }
        let (h, payload) = rtp::parse(bytes)?;
        let remote = leg.remote.as_ref()?;
        let kind = match h.pt {
            pt if pt == remote.recv_pt => Kind::Sound,
            pt if remote.dtmf_pt.is_some_and(|(_, receive)| receive == pt) => Kind::Event,
            pt if pt == COMFORT_NOISE || remote.cn_pt == Some(pt) => Kind::Comfort,
            _ => return None,
        };
        let lasts = match kind {
            Kind::Sound if payload.len() > PAYLOAD_BYTES_MAX => return None,
            Kind::Sound => match playout::ticks(remote.codec, &bytes[payload.clone()]) {
                n if n == 0 || ticks(n, remote.codec.clock_hz()) > PAYLOAD_TIME_MAX => return None,
                n => n,
            },
            Kind::Event | Kind::Comfort => 0,
        };
        if leg.latched.is_none() {
            leg.latched = Some(from);
            out.event(Event::Latched { leg: leg.id, from });
        }
        let seen = leg.received.packet(now, h.ssrc, h.seq, h.ts, kind == Kind::Sound);
        if matches!(seen, Seen::Again | Seen::Wild) {
            leg.stats.discarded += 1;
            self.totals.discarded += 1;
            return Some(());
        }
        let relay_to = leg.relay_to;
        if seen == Seen::First
            && let Some(listener) = relay_to.and_then(|to| self.legs.get_mut(to.0 as usize)).and_then(Option::as_deref_mut)
        {
            // The speaker's numbers started over: they are mapped anew, or the listener would see them jump.
            listener.out.restart();
        }
        let leg = self.legs.get_mut(slot.0 as usize)?.as_deref_mut()?;
        leg.stats.packets_in += 1;
        leg.stats.bytes_in += payload.len() as u64;
        self.totals.packets_in += 1;
        (leg.heard, leg.watch_said) = (now, false);
        if !leg.listens() {
            return Some(());
        }
        match kind {
            Kind::Sound => self.sound(now, slot, seen, h, bytes, (payload, lasts), out),
            Kind::Event => self.telephone_event(now, slot, h, bytes, payload, out),
            Kind::Comfort => self.comfort(now, slot, h, bytes, payload, out),
        }
        Some(())
    }

    #[expect(clippy::too_many_arguments, reason = "the hot path hands on what it has, once")]
    fn sound(
        &mut self,
        now: At,
        slot: Slot,
        seen: Seen,
        h: Header,
        bytes: &mut [u8],
        (payload, lasts): (Range<usize>, u32),
        out: &mut impl Out,
    ) {
        let Self { legs, records, totals, .. } = self;
        let Some(leg) = legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) else { return };
        let Some(codec) = leg.codec() else { return };
        if !leg.taps.is_empty() {
            let source = Source { leg: leg.id, said: Said::ByLeg, ssrc: h.ssrc, codec };
            recorder::hear(records, &leg.taps, now, source, h.ts, &bytes[payload.clone()], out);
        }
        if let Some(ear) = &mut leg.ear {
            if seen == Seen::First {
                ear.playout.restart();
            }
            if ear.playout.packet(now, h.seq, h.ts, h.marker, &bytes[payload.clone()]) == Put::Late {
                leg.stats.discarded += 1;
                totals.discarded += 1;
            }
        }
        if leg.dead.is_some()
            && leg.ear.is_none()
            && h.seq.is_multiple_of(LISTEN_EVERY)
            && matches!(codec, Codec::Pcmu | Codec::Pcma)
        {
            let mut pcm = [0; FRAME];
            let n = Decoder::new(codec, Rate::K8).decode(&bytes[payload.clone()], &mut pcm);
            leg.check_alive(&pcm[..n], ticks(lasts, codec.clock_hz()) * u32::from(LISTEN_EVERY), out);
        }
        let (from, Some(to)) = (leg.id, leg.relay_to) else { return };
        let Some(listener) = legs.get_mut(to.0 as usize).and_then(Option::as_deref_mut) else { return };
        if listener.occupied() {
            return;
        }
        let Some(target) = listener.target() else { return };
        let theirs = target.codec;
        g711::transcode(codec, theirs, &mut bytes[payload.clone()]);
        // What a listener hears through a relay is recorded only where nobody sits on the other side.
        if !listener.taps.is_empty() {
            let source = Source { leg: listener.id, said: Said::ToLeg, ssrc: h.ssrc, codec: theirs };
            recorder::hear(records, &listener.taps, now, source, h.ts, &bytes[payload.clone()], out);
        }
        if listener.out.relay(now, &target, from, h, bytes, payload, lasts, false, out) {
            totals.relayed += 1;
            totals.packets_out += 1;
        }
    }

    fn telephone_event(&mut self, now: At, slot: Slot, h: Header, bytes: &mut [u8], payload: Range<usize>, out: &mut impl Out) {
        let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) else { return };
        let Some(event) = dtmf::Payload::parse(&bytes[payload.clone()]) else { return };
        let (id, relay_to) = (leg.id, leg.relay_to);
        let clock = leg.codec().map_or(8_000, Codec::clock_hz);
        for (digit, held) in leg.dtmf_in.packet(now, h.ts, event).into_iter().flatten() {
            // Counted at 8 kHz.
            self.pressed(slot, digit, held * 8_000 / clock, out);
        }
        self.wake(slot);
        let Some(listener) = relay_to.and_then(|to| self.legs.get_mut(to.0 as usize)).and_then(Option::as_deref_mut) else {
            return;
        };
        if listener.occupied() {
            return;
        }
        let Some(target) = listener.event_target() else { return self.pass_over(slot, &h) };
        let length = u32::from(event.duration);
        if listener.out.relay(now, &target, id, h, bytes, payload, length, true, out) {
            self.totals.relayed += 1;
            self.totals.packets_out += 1;
        }
    }

    /// A digit is over: said once, and in a mix played again to those who hear this leg (a relay passed the packets on).
    pub(super) fn pressed(&mut self, slot: Slot, digit: char, held: std::time::Duration, out: &mut impl Out) {
        let Self { legs, bridges, awake, .. } = self;
        let Some(leg) = legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) else { return };
        let (id, bridge) = (leg.id, leg.bridge);
        out.event(Event::Digit { leg: id, digit, held });
        let Some(bridge) = bridge.and_then(|b| bridges.get(&b)).filter(|b| !b.relay) else { return };
        let mut name = [0; 4];
        for listener in bridge.listeners_of(id) {
            if let Some(l) = legs.get_mut(listener as usize).and_then(Option::as_deref_mut)
                && l.event_target().is_some()
                && l.play.is_none()
            {
                l.dtmf_out.forward(digit.encode_utf8(&mut name), held);
                if !l.awake {
                    l.awake = true;
                    awake[l.phase as usize].push(listener);
                }
            }
        }
    }

    /// Silence was announced: what it sounds like goes to the mix, or on to who agreed to it.
    fn comfort(&mut self, now: At, slot: Slot, h: Header, bytes: &mut [u8], payload: Range<usize>, out: &mut impl Out) {
        let Some(leg) = self.legs.get_mut(slot.0 as usize).and_then(Option::as_deref_mut) else { return };
        let (from, relay_to) = (leg.id, leg.relay_to);
        if let Some(ear) = &mut leg.ear {
            // Whether it comes in time makes no difference to anybody.
            let _ = ear.playout.comfort(now, h.seq, h.ts, &bytes[payload.clone()]);
        }
        let Some(listener) = relay_to.and_then(|to| self.legs.get_mut(to.0 as usize)).and_then(Option::as_deref_mut) else {
            return;
        };
        if listener.occupied() {
            return;
        }
        let agreed = listener.remote.as_ref().and_then(|r| r.cn_pt);
        let Some(target) = listener.target().zip(agreed).map(|(t, pt)| Target { pt, ..t }) else {
            return self.pass_over(slot, &h);
        };
        if listener.out.relay(now, &target, from, h, bytes, payload, 0, false, out) {
            self.totals.relayed += 1;
            self.totals.packets_out += 1;
        }
    }

    fn pass_over(&mut self, slot: Slot, h: &Header) {
        let Some(leg) = self.legs.get(slot.0 as usize).and_then(Option::as_deref) else { return };
        let (from, Some(to)) = (leg.id, leg.relay_to) else { return };
        if let Some(listener) = self.legs.get_mut(to.0 as usize).and_then(Option::as_deref_mut) {
            listener.out.skip(from, h);
        }
    }
}

/// RTCP came. `false`: foreign. `muxed`: on the RTP socket, where it counts only if that was agreed (RFC 5761).
fn report(leg: &mut Leg, now: At, ntp_at_zero: u64, from: SocketAddr, bytes: &[u8], muxed: bool) -> bool {
    let agreed = leg.remote.as_ref().is_some_and(|r| (r.rtp == r.rtcp) == muxed);
    if !agreed || !if muxed { leg.admits(from) } else { leg.admits_rtcp(from) } {
        return false;
    }
    let Some(compound) = rtcp::parse(bytes) else { return false };
    if !muxed {
        leg.rtcp_latched = Some(from);
    }
    for packet in compound {
        let reports = match packet {
            rtcp::Packet::Sender { ssrc, info, reports } => {
                leg.received.sender_report(now, ssrc, info.ntp);
                reports
            }
            rtcp::Packet::Receiver { reports, .. } => reports,
            rtcp::Packet::Extended { ssrc, blocks } => {
                blocks.for_each(|b| extended(leg, now, ntp_at_zero, ssrc, b));
                continue;
            }
            // A goodbye ends nothing: calls end by signalling.
            _ => continue,
        };
        let ours = leg.out.ssrc;
        for r in reports.filter(|r| r.ssrc == ours) {
            leg.stats.peer_fraction_lost = Some(r.fraction_lost);
            leg.out.peer_lost(r.fraction_lost);
            leg.stats.peer_jitter_us = Some(leg.out.as_us(r.jitter));
            if let Some(us) = rtp::stats::round_trip_us(ntp_at(ntp_at_zero, now), r.last_sr, r.delay_since_sr) {
                leg.stats.rtt_us = Some(us);
            }
        }
    }
    true
}

/// One block of an extended report.
fn extended(leg: &mut Leg, now: At, ntp_at_zero: u64, from: u32, block: xr::Block<'_>) {
    let ours = leg.out.ssrc;
    match block {
        xr::Block::ReceiverTime(ntp) => leg.peer_time = Some((from, (ntp >> 16) as u32, now)),
        xr::Block::Delays(mut delays) => {
            let ours = delays.find(|d| d.ssrc == ours).map(|d| (d.last_rr, d.delay_since_rr));
            if let Some((stamp, delay)) = ours
                && let Some(us) = rtp::stats::round_trip_us(ntp_at(ntp_at_zero, now), stamp, delay)
            {
                leg.stats.rtt_us = Some(us);
            }
        }
        xr::Block::Voip { ssrc, metrics } if ssrc == ours => leg.stats.peer = Some(metrics),
        xr::Block::Voip { .. } => {}
    }
}

/// The NTP stamp of an instant.
pub(super) fn ntp_at(ntp_at_zero: u64, now: At) -> u64 {
    let since = (u128::from(now.0) << 32) / 1_000_000_000;
    ntp_at_zero.wrapping_add(since as u64)
}

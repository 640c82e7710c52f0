//! Which of the phases of the 20 ms a mix or a leg has its tick in.
//!
//! What is to be done every 20 ms is placed where least is done yet, when it begins: by what it costs, not by how many there
//! are, since one Opus encoder outweighs a hundred copies of shared music. Nothing is moved while it lasts: a stream would
//! stumble by the difference.

use super::{bridge::Bridge, leg::Leg};
use crate::{
    limits::{CATCH_UP_MAX, PHASE_TIME, PHASES},
    time::At,
    wire::Codec,
};

/// What a leg costs a tick at the least: a copy, a header, and a send, about a microsecond.
const SEND: u32 = 1;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Phases {
    /// By phase: the legs that have something to do every 20 ms.
    pub awake: [Vec<u32>; PHASES as usize],
    /// By phase: what its mixes and legs cost, microseconds or so.
    load: [u32; PHASES as usize],
}

/// What it costs to hear a frame of a codec or to say one, in microseconds or so: Opus by the row of PCMU to Opus in
/// `benches/results/calls.md`, the others by estimate. Only which is much heavier than which matters here.
fn cost(codec: Option<Codec>) -> u32 {
    SEND + match codec {
        Some(Codec::Opus) => 40,
        Some(Codec::G722) => 10,
        Some(Codec::Pcmu | Codec::Pcma | Codec::L16(_)) | None => 1,
    }
}

/// What a leg that is awake costs a tick.
fn weight(leg: &Leg) -> u32 {
    match &leg.play {
        // Shared sound comes encoded.
        Some(play) if leg.ear.is_none() && leg.codec().is_some_and(|c| play.shares(c)) => SEND,
        // A first packet or a digit is soon over; who is mixed is paid for by the bridge.
        None if leg.ear.is_none() || leg.mixed.is_some() => 0,
        _ => cost(leg.codec()),
    }
}

impl Phases {
    /// Room for so many legs to wake up: waking is part of the way of a packet.
    pub fn reserve(&mut self, legs: usize) {
        self.awake.iter_mut().for_each(|a| a.reserve(legs.saturating_sub(a.len())));
    }

    fn lightest(&self) -> u64 {
        (0..PHASES).min_by_key(|p| self.load[*p as usize]).unwrap_or_default()
    }

    /// See to it that a leg's tick is called as long as it has something to do. `now`: to a phase or so.
    pub fn wake(&mut self, now: At, leg: &mut Leg) {
        if leg.awake || !leg.busy() {
            return;
        }
        leg.load = weight(leg);
        // Who just sent something of its own goes on in step, if it was more than the packet that opens the way.
        if leg.out.packets <= 1 || leg.out.last.is_none_or(|last| now.since(last) > PHASE_TIME * (CATCH_UP_MAX + 1)) {
            leg.phase = if leg.load > 0 { self.lightest() } else { u64::from(leg.slot.0) % PHASES };
        }
        leg.awake = true;
        self.load[leg.phase as usize] += leg.load;
        self.awake[leg.phase as usize].push(leg.slot.0);
    }

    /// What a leg has to do changed, outside of a tick: one that was awake for next to nothing is placed anew.
    pub fn place(&mut self, now: At, leg: &mut Leg) {
        if leg.awake && leg.load == 0 && weight(leg) > 0 {
            self.leaves(leg);
        }
        self.wake(now, leg);
    }

    /// A leg has nothing to do any more. Whoever calls takes it off the list.
    pub fn rests(&mut self, leg: &mut Leg) {
        leg.awake = false;
        self.load[leg.phase as usize] -= std::mem::take(&mut leg.load);
    }

    /// A leg leaves the shard.
    pub fn leaves(&mut self, leg: &mut Leg) {
        if leg.awake {
            self.awake[leg.phase as usize].retain(|slot| *slot != leg.slot.0);
            self.rests(leg);
        }
    }

    /// A bridge is mixed from now on, or still: by these codecs. `fresh`: it was not until now.
    pub fn mixes(&mut self, bridge: &mut Bridge, fresh: bool, codecs: impl Iterator<Item = Option<Codec>>) {
        self.ends(bridge);
        if fresh {
            bridge.phase = self.lightest();
        }
        bridge.load = codecs.map(cost).sum();
        self.load[bridge.phase as usize] += bridge.load;
    }

    /// It is not mixed any more.
    pub fn ends(&mut self, bridge: &mut Bridge) {
        self.load[bridge.phase as usize] -= std::mem::take(&mut bridge.load);
    }

    /// What each phase costs.
    #[cfg(test)]
    pub fn load(&self) -> [u32; PHASES as usize] {
        self.load
    }
}

//! The clock of a shard: every 5 ms a quarter of the legs and mixing bridges, so that not all send in one instant.

use std::{collections::BTreeMap, time::Duration};

use super::{Out, Shard, arrive::ntp_at, guarded, leg::Leg, recorder::Recorder};
use crate::{
    dtmf::{self, send::Due},
    limits::{CATCH_UP_MAX, FRAME, KEEPALIVE, PHASE_TIME, PHASES, RTCP_EVERY},
    rtp::rtcp,
    time::At,
    wire::{Event, RecordId},
};

/// Loudness of an in-band digit, each of its two tones: -10 dBFS.
const INBAND: f32 = 10_362.0;
/// Phases between two looks at the recordings whose packets stopped: 100 ms.
const RECORD_SWEEP: u64 = 20;

impl Shard {
    /// Do what is due. Call at or after [`Shard::deadline`]; more often is harmless.
    pub fn tick(&mut self, now: At, out: &mut impl Out) {
        let mut done = 0;
        while self.deadline().is_some_and(|next| next <= now) {
            if done == CATCH_UP_MAX {
                // A burst would only fill the listeners' jitter buffers: they hear a gap instead.
                let behind = now.since(self.next).as_nanos() as u64 / PHASE_TIME.as_nanos() as u64 + 1;
                self.totals.phases_skipped += behind;
                self.phase += behind;
                self.next = self.next + PHASE_TIME * u32::try_from(behind).unwrap_or(u32::MAX);
                break;
            }
            // First, so that not even a panic in the middle makes the clock stand still.
            self.next = self.next + PHASE_TIME;
            self.one_phase(now, out);
            done += 1;
        }
    }

    fn one_phase(&mut self, now: At, out: &mut impl Out) {
        let phase = self.phase % PHASES;
        self.phase += 1;
        self.mix(now, phase, out);
        for i in 0..self.legs.len() {
            let Some(leg) = self.legs[i].as_deref_mut().filter(|l| l.phase == phase) else { continue };
            let slot = leg.slot;
            if let Some((digit, held)) = leg.dtmf_in.tick(now) {
                self.pressed(slot, digit, held, out);
            }
            self.leg_tick(now, i, out);
        }
        // Packets bring their recording's block to the writer; this is for those whose packets stopped.
        if self.phase.is_multiple_of(RECORD_SWEEP) {
            self.records.iter_mut().for_each(|(id, r)| r.tick(now, *id, out));
        }
    }

    fn leg_tick(&mut self, now: At, i: usize, out: &mut impl Out) {
        let Self { legs, records, totals, chance, setup, .. } = self;
        let Some(leg) = legs[i].as_deref_mut() else { return };
        guarded::tick(leg, now, out);
        if leg.remote.is_none() {
            watch(leg, now, out);
            return;
        }
        let before = leg.out.packets;
        if leg.dtmf_out.busy() {
            send_digit(leg, now, records, out);
        } else if let Some(play) = &mut leg.play {
            let (mut frame, id) = ([0; FRAME], play.id);
            if play.frame(&mut frame) {
                leg.say(now, &frame, records, out);
            } else {
                leg.play = None;
                out.event(Event::Played { leg: leg.id, play: id, finished: true });
            }
        } else if leg.jitter.is_none() && leg.out.last.is_none_or(|last| now.since(last) >= KEEPALIVE) {
            // The first one goes out at once: it opens the way through the peer's firewall.
            leg.say(now, &[0; FRAME], records, out);
            // Counted as sent even when a long packet time still holds it back, or nothing may be sent.
            leg.out.last = Some(now);
        }
        totals.packets_out += leg.out.packets - before;
        watch(leg, now, out);
        let spread = |every: Duration, by: u64| every / 2 + every * (by % 1_024) as u32 / 1_024;
        match leg.report_due {
            // The first report comes early, so that a short call has a round trip, too.
            None => leg.report_due = Some(now + spread(RTCP_EVERY / 4, chance.bits())),
            Some(due) if due <= now => {
                leg.report_due = Some(now + spread(RTCP_EVERY, chance.bits()));
                send_report(leg, now, setup.ntp_at_zero, false, out);
            }
            Some(_) => {}
        }
    }
}

fn watch(leg: &mut Leg, now: At, out: &mut impl Out) {
    if !leg.watch_said && leg.watch.is_some_and(|after| now.since(leg.heard) >= after) {
        leg.watch_said = true;
        out.event(Event::Silent { leg: leg.id });
    }
}

/// One tick of the digits being sent: as events, or for a peer that did not agree to events as tones in the sound.
fn send_digit(leg: &mut Leg, now: At, records: &mut BTreeMap<RecordId, Recorder>, out: &mut impl Out) {
    let due = leg.dtmf_out.tick();
    if let Some(target) = leg.event_target() {
        match due {
            Due::Packet { payload, first } => leg.out.event(now, &target, first, payload, out),
            Due::Gap | Due::Done => {}
        }
    } else {
        let mut frame = [0; FRAME];
        match due {
            Due::Packet { payload, first } => {
                if first {
                    leg.inband = 0;
                }
                // The repeats of the end are no sound.
                if leg.inband < u32::from(payload.duration) {
                    two_tones(payload.code, leg.inband, &mut frame);
                    leg.inband += FRAME as u32;
                }
                leg.say(now, &frame, records, out);
            }
            Due::Gap => leg.say(now, &frame, records, out),
            Due::Done => {}
        }
    }
    if due == Due::Done && leg.dtmf_out.asked() {
        out.event(Event::DtmfSent { leg: leg.id });
    }
}

fn two_tones(code: u8, at: u32, frame: &mut [i16; FRAME]) {
    let Some((low, high)) = dtmf::tones(code) else { return };
    for (i, s) in frame.iter_mut().enumerate() {
        let t = std::f32::consts::TAU * (at + i as u32) as f32 / 8_000.0;
        *s = (INBAND * ((low * t).sin() + (high * t).sin())) as i16;
    }
}

/// A report, or with `bye` the last one. Nothing before the first packet either way: there is nothing to tell.
pub(super) fn send_report(leg: &mut Leg, now: At, ntp_at_zero: u64, bye: bool, out: &mut impl Out) {
    let Some((plane, to)) = leg.rtcp_target() else { return };
    if leg.out.packets == 0 && leg.stats.packets_in == 0 {
        return;
    }
    let sent = leg.out.packets != leg.reported_out;
    leg.reported_out = leg.out.packets;
    let info = sent.then(|| rtcp::SenderInfo {
        ntp: ntp_at(ntp_at_zero, now),
        ts: leg.out.ts_at(now),
        packets: leg.out.packets as u32,
        bytes: leg.out.bytes as u32,
    });
    let report = leg.received.report(now);
    let mut packet = [0; rtcp::WRITE_MAX];
    let n = rtcp::write(&rtcp::Say { ssrc: leg.out.ssrc, info, report, cname: &leg.cname, bye }, &mut packet);
    guarded::send(&mut leg.out.guard, leg.slot, plane, true, to, &packet[..n], out);
}

//! The clock of a shard: every 5 ms a quarter of the mixes and of the legs that have something to do, so that not all send in
//! one instant, and a fortieth of all legs for what is due now and then. A leg that is relayed or idle costs no more than that.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Out, Shard, Slot,
    arrive::ntp_at,
    guarded,
    leg::Leg,
    mix::FRAME_MAX,
    play::{Playing, Shared},
    recorder::Recorder,
};
use crate::{
    dtmf::{self, send::Due},
    limits::{CATCH_UP_MAX, FRAME, FRAME_TIME, KEEPALIVE, LOOK_EVERY, PHASE_TIME, PHASES, RTCP_EVERY, STATS_EVERY},
    playout::Heard,
    rtp::{rtcp, stats::as_65536ths, xr},
    time::At,
    wire::{Codec, Event, Rate, RecordId, Xr},
};

/// Loudness of an in-band digit, each of its two tones: -10 dBFS.
const INBAND: f32 = 10_362.0;
/// Phases between two looks at the recordings whose packets stopped: 100 ms.
const RECORD_SWEEP: u64 = 20;
/// Phases in which every leg is looked at once.
const LOOK_PHASES: u64 = (LOOK_EVERY.as_millis() / PHASE_TIME.as_millis()) as u64;
/// Phases between two looks at clips nobody is played: 5 s.
const TIDY: u64 = 1_000;

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
        // Whoever has nothing to do any more makes room for the last; those woken meanwhile are at the end.
        let mut k = 0;
        while let Some(&slot) = self.phases.awake[phase as usize].get(k) {
            if self.leg_tick(now, slot, out) {
                k += 1;
            } else {
                self.phases.awake[phase as usize].swap_remove(k);
            }
        }
        let first = (self.phase % LOOK_PHASES) as usize;
        for i in (first..self.legs.len()).step_by(LOOK_PHASES as usize) {
            self.look(now, i, out);
        }
        // Packets bring their recording's block to the writer; this is for those whose packets stopped.
        if self.phase.is_multiple_of(RECORD_SWEEP) {
            self.records.iter_mut().for_each(|(id, r)| r.tick(now, *id, out));
        }
        if self.phase.is_multiple_of(TIDY) {
            self.shared.tidy(now);
        }
    }

    /// 20 ms of a leg that has something to do. `false`: no longer.
    fn leg_tick(&mut self, now: At, slot: u32, out: &mut impl Out) -> bool {
        let i = slot as usize;
        let Some(leg) = self.legs.get_mut(i).and_then(Option::as_deref_mut) else { return false };
        let clock = leg.codec().map_or(8_000, Codec::clock_hz);
        if let Some((digit, held)) = leg.dtmf_in.tick(now) {
            self.pressed(Slot(slot), digit, held * 8_000 / clock, out);
        }
        self.overhear(now, i, out);
        let Self { legs, records, totals, shared, phases, .. } = self;
        let Some(leg) = legs.get_mut(i).and_then(Option::as_deref_mut) else { return false };
        if leg.remote.is_some() {
            let before = leg.out.packets;
            if leg.dtmf_out.busy() {
                send_digit(leg, now, records, out);
            } else if let Some(play) = leg.play.take() {
                leg.play = play_on(leg, play, now, shared, records, out);
            } else if leg.out.last.is_none() {
                // It opens the way through the peer's firewall.
                leg.keep_alive(now, records, out);
            }
            totals.packets_out += leg.out.packets - before;
        }
        let goes_on = leg.busy();
        if !goes_on {
            phases.rests(leg);
        }
        goes_on
    }

    /// Outside a mix: what a leg says, to those who listen to it, and to those who listen to the one it is relayed to.
    fn overhear(&mut self, now: At, i: usize, out: &mut impl Out) {
        let Self { legs, desk, .. } = self;
        let Some(leg) = legs.get_mut(i).and_then(Option::as_deref_mut).filter(|l| l.mixed.is_none()) else { return };
        let Some(ear) = &mut leg.ear else { return };
        let (rate, pcm) = (ear.rate, &mut desk.single[..ear.rate.samples(20)]);
        let kind = ear.playout.frame(now, pcm);
        if kind == Heard::Silent {
            pcm.fill(0);
        } else {
            leg.check_alive(pcm, FRAME_TIME, out);
        }
        if let Some(live) = &mut leg.live {
            live.said(leg.id, rate, pcm, kind == Heard::Concealed, out);
        }
        let listener = leg.relay_to.and_then(|to| legs.get_mut(to.0 as usize)).and_then(Option::as_deref_mut);
        if let Some(listener) = listener.filter(|l| !l.occupied())
            && let Some(live) = &mut listener.live
        {
            live.heard(rate, pcm);
        }
    }

    /// What every leg needs now and then, whether or not it does anything.
    fn look(&mut self, now: At, i: usize, out: &mut impl Out) {
        let Self { legs, records, totals, chance, setup, effort, .. } = self;
        let Some(leg) = legs.get_mut(i).and_then(Option::as_deref_mut) else { return };
        guarded::tick(leg, now, out);
        watch(leg, now, out);
        leg.check_sample(now, out);
        leg.out.try_as_hard_as(effort.complexity());
        if let Some(live) = &mut leg.live {
            live.tell_losses(now, out);
        }
        if leg.remote.is_none() {
            return;
        }
        if leg.out.last.is_some_and(|last| now.since(last) >= KEEPALIVE) && !leg.occupied() {
            let before = leg.out.packets;
            leg.keep_alive(now, records, out);
            totals.packets_out += leg.out.packets - before;
        }
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
        match leg.stats_due {
            None => leg.stats_due = Some(now + STATS_EVERY),
            Some(due) if due <= now => {
                leg.stats_due = Some(now + STATS_EVERY);
                out.event(Event::Stats { leg: leg.id, stats: leg.stats() });
            }
            Some(_) => {}
        }
    }
}

/// The next 20 ms of a playback; the playback, if it goes on.
fn play_on(
    leg: &mut Leg,
    mut play: Box<Playing>,
    now: At,
    shared: &mut Shared,
    records: &mut BTreeMap<RecordId, Recorder>,
    out: &mut impl Out,
) -> Option<Box<Playing>> {
    let listened = leg.live.as_ref().is_some_and(|l| l.wants_heard().is_some());
    let target = leg.target().filter(|t| !listened && shared.has(&play, t.codec, t.opus, t.ptime_ms));
    let goes_on = match target {
        Some(_) if play.over() => false,
        Some(t) => {
            leg.say_shared(now, &t, records, out, |room| play.share(shared, now, &t, room));
            true
        }
        None => {
            let (rate, mut frame) = (play.rate(), [0; FRAME_MAX]);
            let frame = &mut frame[..rate.samples(20)];
            let goes_on = play.frame(frame);
            if goes_on {
                if let Some(live) = &mut leg.live {
                    live.heard(rate, frame);
                }
                leg.say(now, (rate, frame), records, out);
            }
            goes_on
        }
    };
    if goes_on {
        return Some(play);
    }
    out.event(Event::Played { leg: leg.id, play: play.id, finished: true });
    None
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
                leg.say(now, (Rate::K8, &frame), records, out);
            }
            Due::Gap => leg.say(now, (Rate::K8, &frame), records, out),
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
    let extended = extended(leg, now, ntp_at_zero);
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
    let n = rtcp::write(&rtcp::Say { ssrc: leg.out.ssrc, info, report, cname: &leg.cname, extended, bye }, &mut packet);
    guarded::send(&mut leg.out.guard, leg.slot, plane, true, to, &packet[..n], out);
}

/// What the peer asked to be told besides (RFC 3611).
fn extended(leg: &Leg, now: At, ntp_at_zero: u64) -> xr::Say {
    let asked = leg.remote.as_ref().map_or(Xr::default(), |r| r.xr);
    let delay = |(ssrc, last_rr, at)| xr::Delay { ssrc, last_rr, delay_since_rr: as_65536ths(now, at) };
    xr::Say {
        // Whoever gets sender reports of ours answers those.
        receiver_time: (asked.round_trip && leg.out.packets == leg.reported_out).then(|| ntp_at(ntp_at_zero, now)),
        delay: leg.peer_time.filter(|_| asked.round_trip).map(delay),
        voip: leg.received.ssrc().filter(|_| asked.voip).map(|ssrc| (ssrc, leg.voip_metrics(now))),
    }
}

//! The commands, one by one. What names a leg that is not here is counted and, where somebody waits for an answer, answered.

use super::{Out, Shard, Slot, leg::Leg, play::Playing, tick::send_report};
use crate::{
    dsp::level::Dead,
    time::At,
    wire::{Command, Event, LegId, Pipe, PlayId, TapId},
};

impl Shard {
    /// Do as told. Ports are the business of whoever owns the sockets: [`Command::Open`] comes here as [`Shard::open`].
    pub fn command(&mut self, now: At, command: Command, out: &mut impl Out) {
        match command {
            Command::Open { .. } => self.totals.unknown += 1,
            Command::Agree { leg, remote } => self.agree(now, leg, remote),
            Command::Close { leg } => self.close(now, leg, out),
            Command::Bridge { bridge, audience } => self.bridge(bridge, &audience),
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Play { leg, play, clips, repeat } => match self.leg(leg) {
                Some(_) => self.play(now, leg, Playing::new(play, clips, repeat), out),
                None => out.event(Event::Played { leg, play, finished: false }),
            },
            Command::PlayPipe { leg, play, pipe } => match self.leg(leg) {
                Some(_) => self.play(now, leg, Playing::pipe(play, pipe), out),
                None => out.event(Event::Played { leg, play, finished: false }),
            },
            Command::StopPlay { leg, play } => {
                if let Some(l) = self.leg(leg) {
                    end_play(l, Some(play), out);
                }
            }
            Command::SendDtmf { leg, digits, tone, gap } => match self.leg(leg) {
                Some(l) => {
                    l.dtmf_out.push(&digits, tone, gap);
                    let slot = l.slot;
                    self.wake(slot);
                }
                None => out.event(Event::DtmfSent { leg }),
            },
            Command::Record { record, left, right, path, format } => {
                self.record(now, record, [left, right], (path, format), out);
            }
            Command::RecordSides { record, left, right } => self.record_sides(record, [left, right]),
            Command::RecordPause { record, paused } => match self.records.get_mut(&record) {
                Some(r) => r.pause(now, record, paused, out),
                None => self.totals.unknown += 1,
            },
            Command::StopRecord { record } => self.stop_record(now, record, out),
            Command::WatchSilence { leg, after } => {
                if let Some(l) = self.leg(leg) {
                    (l.watch, l.watch_said) = (after, false);
                    l.dead = after.map(Dead::new);
                    // Before the first packet the time runs from now, not from the opening.
                    l.heard = now;
                }
            }
            Command::Tap { tap, leg, said, heard } => self.tap(tap, leg, said, heard),
            Command::StopTap { tap } => self.stop_tap(tap),
            // Not heard of here yet: counted, so that nobody wonders in silence.
            Command::Detect { .. } => self.totals.unknown += 1,
            Command::Report { leg } => {
                if let Some(l) = self.leg(leg) {
                    out.event(Event::Stats { leg, stats: l.stats() });
                }
            }
        }
    }

    fn agree(&mut self, now: At, leg: LegId, remote: crate::wire::Remote) {
        let Some(l) = self.leg(leg) else {
            self.totals.unknown += 1;
            return;
        };
        if l.remote.is_none() {
            l.heard = now;
        }
        l.agree(now, remote);
        let (bridge, slot) = (l.bridge, l.slot);
        self.prepare(now, slot);
        match bridge {
            Some(bridge) => self.remode(bridge),
            None => self.attend(slot),
        }
    }

    fn play(&mut self, now: At, leg: LegId, playing: Playing, out: &mut impl Out) {
        let Some(l) = self.leg(leg) else { return };
        end_play(l, None, out);
        l.play = Some(Box::new(playing));
        let slot = l.slot;
        self.prepare(now, slot);
        self.wake(slot);
    }

    /// Room for what is played to be encoded once for all.
    pub(super) fn prepare(&mut self, now: At, slot: Slot) {
        let Self { legs, shared, .. } = self;
        if let Some(leg) = legs.get(slot.0 as usize).and_then(Option::as_deref)
            && let (Some(play), Some(t)) = (&leg.play, leg.target())
        {
            shared.prepare(now, play, t.codec, t.opus, t.ptime_ms);
        }
    }

    fn tap(&mut self, tap: TapId, leg: LegId, said: Option<Pipe>, heard: Option<Pipe>) {
        let pipes = [said.clone(), heard.clone()];
        let done = self.leg(leg).is_some_and(|l| l.live.get_or_insert_default().tap(tap, said, heard));
        if !done {
            // Whoever reads them is not to wait for what will never come.
            pipes.iter().flatten().for_each(Pipe::close);
            self.totals.unknown += 1;
        }
        self.attend_around(leg);
    }

    fn stop_tap(&mut self, tap: TapId) {
        let tapped = |l: &Leg| l.live.as_ref().is_some_and(|l| l.has(tap));
        let Some(id) = self.legs.iter().flatten().find(|l| tapped(l)).map(|l| l.id) else { return };
        if let Some(leg) = self.leg(id) {
            if let Some(live) = &mut leg.live {
                live.stop(tap);
            }
            leg.live.take_if(|l| l.is_empty());
        }
        self.attend_around(id);
    }

    /// Who listens to a leg changed: it, and who speaks to it, may have to be decoded.
    fn attend_around(&mut self, leg: LegId) {
        let Some(l) = self.leg(leg) else { return };
        let (slot, peer) = (l.slot, l.relay_to);
        self.attend(slot);
        if let Some(peer) = peer {
            self.attend(peer);
        }
    }

    fn close(&mut self, now: At, id: LegId, out: &mut impl Out) {
        let ntp = self.setup.ntp_at_zero;
        let Some(leg) = self.leg(id) else {
            self.totals.unknown += 1;
            return;
        };
        end_play(leg, None, out);
        send_report(leg, now, ntp, true, out);
        self.unbridge(id);
        if let Some(leg) = self.unseat(id) {
            if let Some(live) = &leg.live {
                live.close();
            }
            out.gone(leg.slot);
            out.event(Event::Closed { leg: id, stats: leg.stats() });
        }
    }

    /// The engine stops: every leg and every recording is closed.
    pub fn close_all(&mut self, now: At, out: &mut impl Out) {
        for record in self.records.keys().copied().collect::<Vec<_>>() {
            self.stop_record(now, record, out);
        }
        for leg in self.index.keys().copied().collect::<Vec<_>>() {
            self.close(now, leg, out);
        }
    }
}

/// End the playback (the one named, or any) before its end.
fn end_play(leg: &mut Leg, which: Option<PlayId>, out: &mut impl Out) {
    if let Some(p) = leg.play.take_if(|p| which.is_none_or(|w| w == p.id)) {
        out.event(Event::Played { leg: leg.id, play: p.id, finished: false });
    }
}

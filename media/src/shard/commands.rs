//! The commands, one by one. What names a leg that is not here is counted and, where somebody waits for an answer, answered.

use super::{
    Out, Shard, guarded,
    leg::{Leg, Playing},
    tick::send_report,
};
use crate::{
    time::At,
    wire::{Command, Event, LegId, PlayId},
};

impl Shard {
    /// Do as told. Ports are the business of whoever owns the sockets: [`Command::Open`] comes here as [`Shard::open`].
    pub fn command(&mut self, now: At, command: Command, out: &mut impl Out) {
        match command {
            Command::Open { .. } => self.totals.unknown += 1,
            Command::Credentials { leg, ice } => self.credentials(leg, &ice),
            Command::Agree { leg, remote } => self.agree(now, leg, remote, out),
            Command::Close { leg } => self.close(now, leg, out),
            Command::Bridge { bridge, audience } => self.bridge(bridge, &audience),
            Command::Unbridge { leg } => self.unbridge(leg),
            Command::Play { leg, play, clips, repeat } => match self.leg(leg) {
                Some(l) => {
                    end_play(l, None, out);
                    l.play = Some(Playing::new(play, clips, repeat));
                }
                None => out.event(Event::Played { leg, play, finished: false }),
            },
            Command::StopPlay { leg, play } => {
                if let Some(l) = self.leg(leg) {
                    end_play(l, Some(play), out);
                }
            }
            Command::SendDtmf { leg, digits, tone, gap } => match self.leg(leg) {
                Some(l) => l.dtmf_out.push(&digits, tone, gap),
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
                    // Before the first packet the time runs from now, not from the opening.
                    l.heard = now;
                }
            }
            // Not heard of here yet: counted, so that nobody wonders in silence.
            Command::PlayPipe { .. } | Command::Tap { .. } | Command::StopTap { .. } | Command::Detect { .. } => {
                self.totals.unknown += 1;
            }
            Command::Report { leg } => {
                if let Some(l) = self.leg(leg) {
                    out.event(Event::Stats { leg, stats: l.stats() });
                }
            }
        }
    }

    fn agree(&mut self, now: At, leg: LegId, remote: crate::wire::Remote, out: &mut impl Out) {
        let Some(l) = self.leg(leg) else {
            self.totals.unknown += 1;
            return;
        };
        if l.remote.is_none() {
            l.heard = now;
        }
        guarded::agree(l, now, &remote, out);
        l.agree(remote);
        if let Some(bridge) = l.bridge {
            self.remode(bridge);
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

//! How a leg sounded: the engine's figures folded over its life, and whether anything is heard of it at all.
//!
//! The engine reports every few seconds and at the end. What lies between two reports is one span; its mean opinion score says
//! what the call was like then, and the worst span says more about a call than its average.

use std::time::Duration;

use media::wire::{Command, LegId, Stats};
use serde::{Deserialize, Serialize};

use super::{
    Calls, Event, Output,
    calls::State,
    spans::{Course, Span, Spans},
};
use crate::base::{Now, secs};

/// Nothing heard of a leg for so long is told to people; so is sound of nobody. Longer than anybody listens without a word,
/// shorter than anybody says "hello? hello?".
const TELL_AFTER: Duration = secs(20);

/// How a leg sounded, once it is over.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Quality {
    /// The engine's last figures.
    pub stats: Stats,
    /// The average of all spans in which something came.
    pub mos_avg: Option<f32>,
    /// The worst of them.
    pub mos_min: Option<f32>,
    /// How the handshake for its keys ended; `None` when there was none, or it never got so far.
    pub handshake: Option<Handshake>,
    /// Its course, where it was long enough to have one.
    pub spans: Option<Box<Spans>>,
}

/// How the handshake for the keys of the sound ended (DTLS-SRTP, RFC 5763).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handshake {
    /// There are keys.
    Done,
    /// The peer showed a certificate that is not the one its description announced.
    Certificate,
    /// No way of protecting sound that both know.
    Profile,
    /// The peer does not speak our version of DTLS.
    Version,
    /// It broke off.
    Failed,
}

impl Handshake {
    /// What the engine's word for a failure means.
    pub(super) fn of(reason: &str) -> Handshake {
        match reason {
            r if r.contains("certificate") => Handshake::Certificate,
            r if r.contains("SRTP profile") => Handshake::Profile,
            r if r.contains("DTLS 1.2") => Handshake::Version,
            _ => Handshake::Failed,
        }
    }
}

/// The fold over reports.
#[derive(Debug, Default)]
pub(super) struct Meter {
    course: Course,
    sum: f32,
    spans: u16,
    min: Option<f32>,
}

impl Meter {
    /// A report. What came since the one before.
    pub fn report(&mut self, now: Now, stats: Stats) -> Span {
        let span = self.course.report(now, stats);
        if let Some(mos) = span.mos() {
            self.sum += mos;
            self.spans = self.spans.saturating_add(1);
            self.min = Some(self.min.map_or(mos, |m| m.min(mos)));
        }
        span
    }

    /// The whole, after the last report.
    pub fn whole(&self) -> Quality {
        let two_digits = |mos: f32| (mos * 100.0).round() / 100.0;
        let avg = (self.spans > 0).then(|| two_digits(self.sum / f32::from(self.spans)));
        let spans = self.course.spans();
        let spans = spans.is_course().then(|| Box::new(spans.clone()));
        Quality { stats: self.course.last(), mos_avg: avg, mos_min: self.min.map(two_digits), handshake: None, spans }
    }
}

/// How often a figure fell where, for `/metrics`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Histogram {
    /// Upper ends of the first buckets, in the figure's unit.
    pub bounds: [f64; 7],
    /// Counts, each of what fell above the bound before and not above its own; the last of what is above all.
    pub counts: [u64; 8],
    /// All figures together.
    pub sum: f64,
}

impl Histogram {
    const fn new(bounds: [f64; 7]) -> Histogram {
        Histogram { bounds, counts: [0; 8], sum: 0.0 }
    }
    fn add(&mut self, figure: f64) {
        let at = self.bounds.iter().position(|b| figure <= *b).unwrap_or(self.bounds.len());
        self.counts[at] += 1;
        self.sum += figure;
    }
}

/// The sound of all legs since the process began; but for the spans, of those that are over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Figures {
    /// Mean opinion score of every span of some seconds, while calls go on.
    pub span_mos: Histogram,
    /// Average mean opinion score of a leg, 1 to 4.5.
    pub mos: Histogram,
    /// Packets lost or too late on the way to us, percent.
    pub loss_percent: Histogram,
    /// Interarrival jitter at the end, milliseconds.
    pub jitter_ms: Histogram,
    /// Round trip, milliseconds.
    pub rtt_ms: Histogram,
    /// Sound made up or left silent, milliseconds.
    pub concealed_ms: u64,
    /// Packets with a wrong tag, or replayed.
    pub unauthentic: u64,
    /// Mean opinion score of what we sent, as peers that say so heard it.
    pub peer_mos: Histogram,
}

impl Default for Figures {
    fn default() -> Self {
        Figures {
            span_mos: Histogram::new([1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3]),
            mos: Histogram::new([1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3]),
            loss_percent: Histogram::new([0.0, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0]),
            jitter_ms: Histogram::new([2.0, 5.0, 10.0, 20.0, 30.0, 50.0, 100.0]),
            rtt_ms: Histogram::new([10.0, 20.0, 50.0, 100.0, 200.0, 400.0, 800.0]),
            concealed_ms: 0,
            unauthentic: 0,
            peer_mos: Histogram::new([1.5, 2.0, 2.6, 3.1, 3.6, 4.0, 4.3]),
        }
    }
}

impl Figures {
    /// A leg is over.
    pub(super) fn add(&mut self, q: &Quality) {
        let s = &q.stats;
        self.concealed_ms += u64::from(s.concealed_ms);
        self.unauthentic += s.unauthentic;
        if let Some(mos) = s.peer.and_then(|p| p.mos_conversation.or(p.mos_listening)) {
            self.peer_mos.add(f64::from(mos));
        }
        let Some(mos) = q.mos_avg else { return };
        let missing = (s.lost + s.discarded) as f64;
        self.mos.add(f64::from(mos));
        self.loss_percent.add(100.0 * missing / (s.packets_in as f64 + missing).max(1.0));
        self.jitter_ms.add(f64::from(s.jitter_us) / 1_000.0);
        if let Some(rtt_us) = s.rtt_us {
            self.rtt_ms.add(f64::from(rtt_us) / 1_000.0);
        }
    }
}

impl Calls {
    /// From now on silence of a leg is watched for: first told, then the leg is given up.
    pub(super) fn watch(&mut self, leg: LegId, out: &mut Vec<Output>) {
        if let Some(l) = self.legs.get_mut(&leg)
            && std::mem::take(&mut l.unheard)
        {
            out.push(Output::Event(Event::Unheard { leg, on: false }));
        }
        let after = self.settings.media_timeout.map_or(TELL_AFTER, |t| t.min(TELL_AFTER));
        out.push(Output::Media(Command::WatchSilence { leg, after: Some(after) }));
    }

    /// Nothing was received for the time watched for.
    pub(super) fn silent(&mut self, leg: LegId, out: &mut Vec<Output>) {
        let rest = self.settings.media_timeout.map(|timeout| timeout.saturating_sub(TELL_AFTER));
        let Some(l) = self.legs.get_mut(&leg) else { return };
        // Who holds the call, or is held, has no reason to send.
        if l.hold || l.held || !matches!(l.state, State::Up) {
            return;
        }
        if l.unheard || rest == Some(Duration::ZERO) {
            return out.push(Output::Event(Event::Silent { leg }));
        }
        l.unheard = true;
        out.push(Output::Event(Event::Unheard { leg, on: true }));
        out.push(Output::Media(Command::WatchSilence { leg, after: rest }));
    }

    /// The engine's figures of a leg.
    pub(super) fn reported(&mut self, now: Now, leg: LegId, stats: Stats, out: &mut Vec<Output>) {
        let Some(l) = self.legs.get_mut(&leg) else { return };
        let span = l.meter.report(now, stats);
        if let Some(mos) = span.mos() {
            self.figures.span_mos.add(f64::from(mos));
        }
        if span.packets_in > 0 && l.unheard {
            self.watch(leg, out);
        }
    }

    /// How a leg that goes on has sounded so far.
    pub fn quality_now(&self, leg: LegId) -> Option<Quality> {
        self.legs.get(&leg).map(|l| Quality { handshake: l.handshake, ..l.meter.whole() })
    }

    pub(super) fn shook_hands(&mut self, leg: LegId, how: Handshake) {
        if let Some(l) = self.legs.get_mut(&leg) {
            l.handshake = Some(how);
        }
    }

    /// How the legs that are over sounded.
    pub fn figures(&self) -> &Figures {
        &self.figures
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{Mono, Wall};

    #[test]
    fn one_bad_span_shows_in_the_worst_score_and_hardly_in_the_average() {
        let mut meter = Meter::default();
        let at = |n: u64, lost| Stats { packets_in: 250 * n - lost, lost, rtt_us: Some(20_000), ..Stats::default() };
        let now = |n: u64| Now { mono: Mono(5_000_000_000 * n), wall: Wall(5_000_000 * n as i64) };
        let heard: Vec<u32> = (1..=9).map(|n| meter.report(now(n), at(n, 0)).packets_in).collect();
        assert_eq!(heard, [250; 9]);
        assert_eq!(meter.report(now(10), at(10, 80)).packets_in, 170, "a third of five seconds is gone");
        assert_eq!(meter.report(now(11), at(10, 80)).packets_in, 0, "nothing more came");
        let q = meter.whole();
        let (avg, min) = (q.mos_avg.unwrap(), q.mos_min.unwrap());
        assert!((4.0..4.3).contains(&avg), "{avg}");
        assert!((1.5..2.5).contains(&min), "{min}");
        assert_eq!((q.stats.lost, Meter::default().whole().mos_avg), (80, None));

        let mut figures = Figures::default();
        figures.add(&q);
        figures.add(&Quality::default());
        let heard = media::wire::VoipMetrics { mos_listening: Some(3.3), buffer_ms: 40, ..Default::default() };
        figures.add(&Quality { stats: Stats { peer: Some(heard), ..Stats::default() }, ..Quality::default() });
        assert_eq!(figures.peer_mos.counts, [0, 0, 0, 0, 1, 0, 0, 0], "what the peer said of its side");
        assert_eq!(figures.mos.counts, [0, 0, 0, 0, 0, 0, 1, 0], "a leg nothing came from has no score");
        assert_eq!(figures.loss_percent.counts, [0, 0, 0, 0, 0, 1, 0, 0], "80 of 2500");
    }
}

//! What a receiver counts about one peer: sequence, loss, jitter, round trip (RFC 3550 A.1, A.3, A.8, 6.4.1).

use super::{
    burst::{self, Bursts},
    rtcp::Report,
};
use crate::time::{At, ticks};

/// A jump forward further than this is not loss but a restart (RFC 3550 A.1).
const DROPOUT_MAX: u16 = 3_000;
/// How far back a packet still counts as late rather than as a restart.
const MISORDER_MAX: u16 = 100;

/// A packet so far behind the newest is lost if it has not come, for those who ask whether losses come in bursts.
const SETTLED: u32 = 32;

/// No packet lasts longer, milliseconds.
const PACKET_MS_MAX: u32 = 120;

/// How a packet stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The first of a source, or after the source started over: buffers begin anew.
    First,
    /// The next one, perhaps after a gap.
    Next,
    /// Late, but not seen before.
    Late,
    /// Seen before, or too late to tell: drop it.
    Again,
    /// A wild jump; the next packet tells whether the source started over. Drop it.
    Wild,
}

/// The receiving side of one leg. Keeps totals over changes of source.
#[derive(Debug, Clone)]
pub struct Receiver {
    source: Option<Source>,
    /// Lost by sources that are gone.
    lost_before: u64,
    /// Ticks of the RTP clock a second.
    hz: u32,
}

impl Default for Receiver {
    /// For a clock of 8 kHz.
    fn default() -> Self {
        Self { source: None, lost_before: 0, hz: 8_000 }
    }
}

#[derive(Debug, Clone)]
struct Source {
    ssrc: u32,
    /// Wraps of the sequence number, times 65536.
    cycles: u32,
    max_seq: u16,
    base_seq: u32,
    bad_seq: Option<u16>,
    received: u32,
    /// Bit n: `max_seq - n` was received.
    window: u128,
    /// Last transit time in ticks (arrival minus timestamp, both modulo 2^32).
    transit: Option<u32>,
    /// Jitter in 16ths of a tick.
    jitter: u32,
    expected_prior: u32,
    received_prior: u32,
    last_sr: Option<(u32, At)>,
    bursts: Bursts,
    /// The last timestamp, and what a packet lasts: ticks between the last two, which is wrong just after a loss.
    last_ts: u32,
    step: u32,
}

impl Receiver {
    /// From now on timestamps count so many ticks a second.
    pub fn set_clock(&mut self, hz: u32) {
        if self.hz != hz {
            self.hz = hz;
            if let Some(s) = &mut self.source {
                (s.transit, s.jitter) = (None, 0);
            }
        }
    }

    /// A valid packet came in. `timed`: its timestamp says when it was spoken (not so for telephone events, whose
    /// timestamp stands still).
    pub fn packet(&mut self, now: At, ssrc: u32, seq: u16, ts: u32, timed: bool) -> Seen {
        let seen = match &mut self.source {
            Some(s) if s.ssrc == ssrc => s.sequence(seq),
            _ => {
                self.lost_before = self.lost();
                self.source = Some(Source::new(ssrc, seq));
                Seen::First
            }
        };
        if timed
            && matches!(seen, Seen::First | Seen::Next | Seen::Late)
            && let Some(s) = &mut self.source
        {
            s.timing(now, ts, self.hz);
        }
        seen
    }

    /// Packets lost so far: never counts below zero for duplicates.
    pub fn lost(&self) -> u64 {
        self.lost_before + self.source.as_ref().map_or(0, |s| u64::from(s.expected().saturating_sub(s.received)))
    }

    /// Interarrival jitter, microseconds.
    pub fn jitter_us(&self) -> u32 {
        self.source.as_ref().map_or(0, |s| u32::try_from(ticks(s.jitter >> 4, self.hz).as_micros()).unwrap_or(u32::MAX))
    }

    /// Share of one source's packets lost, in 256ths, and how its losses lie, durations in milliseconds: (share, figures,
    /// burst, gap).
    pub fn losses(&self) -> (u8, burst::Figures, u16, u16) {
        let Some(s) = &self.source else { return Default::default() };
        let lost = u64::from(s.expected().saturating_sub(s.received)) * 256 / u64::from(s.expected().max(1));
        let figures = s.bursts.figures();
        let ms = |packets: u32| (u64::from(packets) * u64::from(s.step) * 1_000 / u64::from(self.hz)).min(65_535) as u16;
        (lost.min(255) as u8, figures, ms(figures.burst_packets), ms(figures.gap_packets))
    }

    /// The source being received.
    pub fn ssrc(&self) -> Option<u32> {
        self.source.as_ref().map(|s| s.ssrc)
    }

    /// A sender report of our source came: remembered for the next report block.
    pub fn sender_report(&mut self, now: At, ssrc: u32, ntp: u64) {
        if let Some(s) = self.source.as_mut().filter(|s| s.ssrc == ssrc) {
            s.last_sr = Some(((ntp >> 16) as u32, now));
        }
    }

    /// The block to put into our next report; starts a new interval for the fraction lost.
    pub fn report(&mut self, now: At) -> Option<Report> {
        let s = self.source.as_mut()?;
        let (expected, received) = (s.expected(), s.received);
        let expected_now = expected.wrapping_sub(s.expected_prior);
        let lost_now = i64::from(expected_now) - i64::from(received.wrapping_sub(s.received_prior));
        (s.expected_prior, s.received_prior) = (expected, received);
        let fraction_lost = match lost_now {
            1.. if expected_now > 0 => ((lost_now * 256) / i64::from(expected_now)).min(255) as u8,
            _ => 0,
        };
        let (last_sr, delay_since_sr) = s.last_sr.map_or((0, 0), |(sr, at)| (sr, as_65536ths(now, at)));
        Some(Report {
            ssrc: s.ssrc,
            fraction_lost,
            lost: (i64::from(expected) - i64::from(received)).clamp(-0x80_0000, 0x7F_FFFF) as i32,
            highest_seq: s.cycles | u32::from(s.max_seq),
            jitter: s.jitter >> 4,
            last_sr,
            delay_since_sr,
        })
    }
}

/// Time since `then` in 65536ths of a second, as reports tell delays.
pub fn as_65536ths(now: At, then: At) -> u32 {
    (now.since(then).as_nanos() * 65_536 / 1_000_000_000).min(u128::from(u32::MAX)) as u32
}

impl Source {
    fn new(ssrc: u32, seq: u16) -> Self {
        Self {
            ssrc,
            cycles: 0,
            max_seq: seq,
            base_seq: u32::from(seq),
            bad_seq: None,
            received: 1,
            window: 1,
            transit: None,
            jitter: 0,
            expected_prior: 0,
            received_prior: 0,
            last_sr: None,
            bursts: Bursts::default(),
            last_ts: 0,
            step: 0,
        }
    }

    fn expected(&self) -> u32 {
        (self.cycles | u32::from(self.max_seq)).wrapping_sub(self.base_seq).wrapping_add(1)
    }

    /// The newest number rises by `ahead`: those it leaves far behind came, or never will.
    fn settle(&mut self, ahead: u32) {
        let expected = self.expected();
        for behind in (SETTLED.saturating_sub(ahead)..SETTLED).rev().filter(|b| *b < expected) {
            self.bursts.packet(self.window >> behind & 1 != 0);
        }
        (SETTLED..ahead).for_each(|_| self.bursts.packet(false));
    }

    fn sequence(&mut self, seq: u16) -> Seen {
        let ahead = seq.wrapping_sub(self.max_seq);
        if ahead != 0 && ahead < DROPOUT_MAX {
            if seq < self.max_seq {
                self.cycles = self.cycles.wrapping_add(1 << 16);
            }
            self.settle(u32::from(ahead));
            self.max_seq = seq;
            self.window = if ahead < 128 { self.window << ahead | 1 } else { 1 };
            self.received += 1;
            self.bad_seq = None;
            return Seen::Next;
        }
        let behind = self.max_seq.wrapping_sub(seq);
        if behind < MISORDER_MAX {
            let bit = 1u128 << behind;
            if self.window & bit != 0 {
                return Seen::Again;
            }
            // Older than the first one seen: was never expected, so it does not pay for a lost one.
            if (self.cycles | u32::from(self.max_seq)).wrapping_sub(u32::from(behind)).wrapping_sub(self.base_seq)
                > u32::MAX / 2
            {
                return Seen::Again;
            }
            self.window |= bit;
            self.received += 1;
            return Seen::Late;
        }
        if self.bad_seq == Some(seq) {
            let (ssrc, lost) = (self.ssrc, self.expected().saturating_sub(self.received));
            *self = Self { last_sr: self.last_sr, jitter: self.jitter, ..Self::new(ssrc, seq) };
            // What was lost stays lost: the restart begins that far behind.
            self.base_seq = self.base_seq.wrapping_sub(lost);
            return Seen::First;
        }
        self.bad_seq = Some(seq.wrapping_add(1));
        Seen::Wild
    }

    fn timing(&mut self, now: At, ts: u32, hz: u32) {
        let arrival = now.ticks(hz);
        let transit = arrival.wrapping_sub(ts);
        if let Some(before) = self.transit {
            let d = (transit.wrapping_sub(before) as i32).unsigned_abs();
            // A second of difference is a timestamp that jumped, not jitter.
            if d < hz {
                self.jitter = self.jitter.saturating_add(d).saturating_sub((self.jitter + 8) >> 4);
            }
        }
        self.transit = Some(transit);
        let step = ts.wrapping_sub(self.last_ts);
        if (hz / 1_000..=hz / 1_000 * PACKET_MS_MAX).contains(&step) {
            self.step = step;
        }
        self.last_ts = ts;
    }
}

/// Round trip in microseconds from a report about us: arrival minus the stamp of ours it answers, minus the time since that
/// came (RFC 3550 6.4.1 figure 2).
///
/// `ntp_now` is our NTP clock. `None` when the peer had no report of ours yet, or the figures make no sense.
pub fn round_trip_us(ntp_now: u64, stamp: u32, delay: u32) -> Option<u32> {
    if stamp == 0 {
        return None;
    }
    let units = ((ntp_now >> 16) as u32).wrapping_sub(stamp).wrapping_sub(delay);
    // Half a minute there and back is no network but a clock gone wrong.
    (units < 30 << 16).then(|| ((u64::from(units) * 1_000_000) >> 16) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn losses_and_whether_they_lie_together_are_known_of_all_but_the_last_packets() {
        let mut r = Receiver::default();
        // 20 ms each; of 1,000 five in a row are lost, and one that comes late is not.
        for n in (0..1_000u32).filter(|n| !(500..505).contains(n)) {
            let late = [n, n + 1, n - n.min(1)][(n == 700) as usize + 2 * (n == 701) as usize];
            r.packet(At(u64::from(n) * 20_000_000), 9, (late as u16).wrapping_add(65_000), late * 160, true);
        }
        let (share, figures, burst_ms, gap_ms) = r.losses();
        assert_eq!((share, figures.burst_density, figures.gap_density), (1, 255, 0), "{figures:?}");
        assert_eq!((burst_ms, gap_ms), (100, 9_620), "the last 32 are not settled");
    }

    const MS: u64 = 1_000_000;

    #[test]
    fn loss_is_counted_over_the_wrap_and_a_late_packet_pays_it_back() {
        let mut r = Receiver::default();
        for (i, seq) in [65_533u16, 65_534, 1, 2].into_iter().enumerate() {
            r.packet(At(i as u64 * 20 * MS), 1, seq, 0, false);
        }
        assert_eq!(r.lost(), 2);
        assert_eq!(r.packet(At(0), 1, 65_535, 0, false), Seen::Late);
        assert_eq!(r.packet(At(0), 1, 65_535, 0, false), Seen::Again);
        assert_eq!(r.lost(), 1);
        let report = r.report(At(0)).expect("a source");
        assert_eq!((report.highest_seq, report.lost, report.fraction_lost), (65_538, 1, 256u32.div_euclid(6) as u8));
    }

    #[test]
    fn a_wild_jump_needs_a_second_packet_to_count() {
        let mut r = Receiver::default();
        r.packet(At(0), 1, 10, 0, false);
        assert_eq!(r.packet(At(0), 1, 40_000, 0, false), Seen::Wild);
        assert_eq!(r.packet(At(0), 1, 11, 0, false), Seen::Next);
        assert_eq!(r.packet(At(0), 1, 40_000, 0, false), Seen::Wild);
        assert_eq!(r.packet(At(0), 1, 40_001, 0, false), Seen::First);
        assert_eq!(r.lost(), 0);
    }

    #[test]
    fn jitter_of_an_even_stream_is_zero_and_of_an_uneven_one_is_not() {
        let (mut even, mut uneven) = (Receiver::default(), Receiver::default());
        for i in 0..500u32 {
            let at = u64::from(i) * 20 * MS;
            even.packet(At(at), 1, i as u16, i * 160, true);
            uneven.packet(At(at + u64::from(i % 2) * 10 * MS), 1, i as u16, i * 160, true);
        }
        assert_eq!(even.jitter_us(), 0);
        assert!((9_000..11_000).contains(&uneven.jitter_us()), "{}", uneven.jitter_us());
    }

    #[test]
    fn the_round_trip_leaves_out_what_the_peer_waited() {
        let sent = 0x0000_1000_0000_0000u64;
        let then = sent + (1u64 << 32) + (1u64 << 32) / 20; // 1.05 s later
        let r = Report { last_sr: (sent >> 16) as u32, delay_since_sr: 65_536, ..Report::default() };
        let us = round_trip_us(then, r.last_sr, r.delay_since_sr).expect("a round trip");
        assert!((49_900..50_100).contains(&us), "{us}");
        assert_eq!(round_trip_us(then, 0, 0), None);
    }

    #[test]
    fn the_delay_since_the_last_sender_report_is_in_65536ths() {
        let mut r = Receiver::default();
        r.packet(At(0), 9, 1, 0, false);
        r.sender_report(At(0), 9, 0xAAAA_1111_2222_BBBB);
        let b = r.report(At(0) + Duration::from_millis(500)).expect("a source");
        assert_eq!((b.last_sr, b.delay_since_sr), (0x1111_2222, 32_768));
    }
}

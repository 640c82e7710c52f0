//! How a leg sounded over its life: a row of figures every few seconds.
//!
//! What a person asks of a bad call is when it was bad, and whether that was while the caller was held or handed over. The engine
//! reports totals every five seconds; what lies between two of them is a row here. A long call has no more rows than
//! [`QUALITY_SPANS_MAX`]: when they are full, neighbours are put together, so that the whole life stays in the picture at half the
//! sharpness. They are kept once, with the end of the leg, and never on the way.

use media::{limits::STATS_EVERY, wire::Stats};
use serde::{Deserialize, Serialize};

use crate::base::{Now, Wall, limits::QUALITY_SPANS_MAX};

/// What came of a leg between two reports. Written as a list of seven numbers: a leg of a quarter of an hour has 180.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(from = "Row", into = "Row")]
pub struct Span {
    /// Length, milliseconds.
    pub ms: u32,
    /// RTP packets received.
    pub packets_in: u32,
    /// Lost on the way to us.
    pub lost: u32,
    /// Came twice or too late.
    pub discarded: u32,
    /// Interarrival jitter at the end, microseconds; of spans put together the larger.
    pub jitter_us: u32,
    /// Round trip at the end, microseconds; of spans put together the larger.
    pub rtt_us: Option<u32>,
    /// Sound made up or left silent, milliseconds.
    pub concealed_ms: u32,
}

type Row = (u32, u32, u32, u32, u32, Option<u32>, u32);

impl From<Row> for Span {
    fn from((ms, packets_in, lost, discarded, jitter_us, rtt_us, concealed_ms): Row) -> Span {
        Span { ms, packets_in, lost, discarded, jitter_us, rtt_us, concealed_ms }
    }
}

impl From<Span> for Row {
    fn from(s: Span) -> Row {
        (s.ms, s.packets_in, s.lost, s.discarded, s.jitter_us, s.rtt_us, s.concealed_ms)
    }
}

impl Span {
    fn with(self, next: Span) -> Span {
        Span {
            ms: self.ms.saturating_add(next.ms),
            packets_in: self.packets_in.saturating_add(next.packets_in),
            lost: self.lost.saturating_add(next.lost),
            discarded: self.discarded.saturating_add(next.discarded),
            jitter_us: self.jitter_us.max(next.jitter_us),
            rtt_us: self.rtt_us.max(next.rtt_us),
            concealed_ms: self.concealed_ms.saturating_add(next.concealed_ms),
        }
    }

    fn stats(&self) -> Stats {
        Stats {
            packets_in: self.packets_in.into(),
            lost: self.lost.into(),
            discarded: self.discarded.into(),
            jitter_us: self.jitter_us,
            rtt_us: self.rtt_us,
            ..Stats::default()
        }
    }

    /// Mean opinion score of what came, 1 to 4.5 (E-model, ITU-T G.107); none when nothing did.
    pub fn mos(&self) -> Option<f32> {
        self.stats().mos()
    }

    /// Packets lost or too late, percent; none when none were due.
    pub fn loss_percent(&self) -> Option<f32> {
        let missing = (self.lost + self.discarded) as f32;
        let due = self.packets_in as f32 + missing;
        (due > 0.0).then(|| 100.0 * missing / due)
    }
}

/// The rows of a leg, oldest first, without gaps.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Spans {
    /// When the first began.
    pub from: Wall,
    /// One after the other.
    pub rows: Vec<Span>,
}

impl Spans {
    /// Whether there is a course to speak of: a leg of one row is told by its sums.
    pub fn is_course(&self) -> bool {
        self.rows.len() > 1
    }
}

/// Makes rows of totals.
#[derive(Debug, Default)]
pub(super) struct Course {
    spans: Spans,
    /// The last report.
    at: Option<Now>,
    last: Stats,
}

impl Course {
    /// A report. What came since the one before.
    pub fn report(&mut self, now: Now, stats: Stats) -> Span {
        let was = std::mem::replace(&mut self.last, stats);
        // The first report comes by itself, or there is none but the last.
        let lasted = self.at.replace(now).map_or(STATS_EVERY, |at| now.mono.since(at.mono));
        if self.spans.rows.is_empty() {
            self.spans.from = now.wall - lasted;
        }
        let few = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let span = Span {
            ms: few(u64::try_from(lasted.as_millis()).unwrap_or(u64::MAX)),
            packets_in: few(stats.packets_in.saturating_sub(was.packets_in)),
            // What came late after all is no longer lost: the count may fall.
            lost: few(stats.lost.saturating_sub(was.lost)),
            discarded: few(stats.discarded.saturating_sub(was.discarded)),
            jitter_us: stats.jitter_us,
            rtt_us: stats.rtt_us,
            concealed_ms: stats.concealed_ms.saturating_sub(was.concealed_ms),
        };
        if self.spans.rows.len() >= QUALITY_SPANS_MAX {
            let pairs = self.spans.rows.chunks(2);
            self.spans.rows = pairs.filter_map(|p| p.iter().copied().reduce(Span::with)).collect();
        }
        self.spans.rows.push(span);
        span
    }

    /// The last totals.
    pub fn last(&self) -> Stats {
        self.last
    }

    /// The rows so far.
    pub fn spans(&self) -> &Spans {
        &self.spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Mono;

    fn at(s: u64) -> Now {
        Now { mono: Mono(s * 1_000_000_000), wall: Wall(s as i64 * 1_000_000) }
    }

    #[test]
    fn the_rows_say_when_it_was_bad_and_add_up_to_the_whole() {
        let mut course = Course::default();
        for n in 1..=12_u64 {
            let lost = if n >= 6 { 50 } else { 0 };
            let stats = Stats { packets_in: 250 * n - lost, lost, jitter_us: 900, rtt_us: Some(20_000), ..Stats::default() };
            course.report(at(100 + 5 * n), stats);
        }
        let spans = course.spans();
        assert_eq!((spans.from, spans.rows.len()), (Wall(100_000_000), 12));
        let bad: Vec<usize> = (0..12).filter(|n| spans.rows[*n].mos().is_some_and(|m| m < 3.5)).collect();
        assert_eq!(bad, [5], "the sixth five seconds");
        assert_eq!(spans.rows[5].loss_percent(), Some(20.0));
        assert_eq!(spans.rows.iter().map(|s| s.packets_in).sum::<u32>(), 2_950);
    }

    #[test]
    fn a_call_of_a_working_day_keeps_its_whole_course_in_as_many_rows_as_one_of_a_quarter_of_an_hour() {
        let mut course = Course::default();
        let reports = 8 * 720_u64;
        for n in 1..=reports {
            course.report(at(5 * n), Stats { packets_in: 250 * n, concealed_ms: n as u32, ..Stats::default() });
        }
        let spans = course.spans();
        assert!((QUALITY_SPANS_MAX / 2..=QUALITY_SPANS_MAX).contains(&spans.rows.len()), "{}", spans.rows.len());
        assert_eq!(spans.rows.iter().map(|s| u64::from(s.ms)).sum::<u64>(), reports * 5_000);
        assert_eq!(spans.rows.iter().map(|s| u64::from(s.packets_in)).sum::<u64>(), reports * 250);
        assert_eq!(spans.rows.iter().map(|s| u64::from(s.concealed_ms)).sum::<u64>(), reports);
        let kept = serde_json::to_string(&spans).unwrap();
        assert!(kept.len() < 40 * QUALITY_SPANS_MAX, "{} bytes", kept.len());
        assert_eq!(serde_json::from_str::<Spans>(&kept).unwrap(), *spans);
    }

    #[test]
    fn a_leg_nothing_came_from_has_no_score_and_no_share_lost() {
        let mut course = Course::default();
        let span = course.report(at(5), Stats { packets_out: 250, ..Stats::default() });
        assert_eq!((span.mos(), span.loss_percent(), span.ms), (None, None, 5_000));
        assert!(!course.spans().is_course());
    }
}

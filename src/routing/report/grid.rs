//! Intervals of a report: quarters, halves and hours from the midnight of the business, or its days; 23 and 25 hours long when
//! summer time begins and ends.

use jiff::tz::TimeZone;

use crate::base::{Wall, limits::REPORT_INTERVALS_MAX};

/// Lengths there are, minutes.
pub const STEPS: [u16; 4] = [15, 30, 60, 1440];

/// Why there is no such grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// Not one of [`STEPS`].
    #[error("expected an interval of 15, 30, 60 or 1440 minutes")]
    Step,
    /// No such time zone.
    #[error("expected a time zone such as Europe/Brussels")]
    Zone,
    /// The end is not after the beginning, or lies beyond the calendar.
    #[error("the end is not after the beginning")]
    Span,
    /// More than [`REPORT_INTERVALS_MAX`].
    #[error("expected a span of at most {REPORT_INTERVALS_MAX} intervals")]
    TooMany,
}

/// Intervals, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Where each begins, and where the last ends.
    edges: Vec<Wall>,
    from: Wall,
    to: Wall,
}

impl Grid {
    /// Over `from..to`; the first interval begins before `from` when that is not on the clock's, and counts from `from` on.
    pub fn new(zone: &str, from: Wall, to: Wall, step_min: u16) -> Result<Grid, GridError> {
        if !STEPS.contains(&step_min) {
            return Err(GridError::Step);
        }
        if from >= to {
            return Err(GridError::Span);
        }
        let zone = TimeZone::get(zone).map_err(|_| GridError::Zone)?;
        let wall = |z: &jiff::Zoned| Wall(z.timestamp().as_microsecond());
        let step = i64::from(step_min) * 60_000_000;
        let mut edges = Vec::new();
        let mut day = from.timestamp().to_zoned(zone).start_of_day().map_err(|_| GridError::Span)?;
        while wall(&day) < to {
            let next = day.tomorrow().and_then(|d| d.start_of_day()).map_err(|_| GridError::Span)?;
            let (mut at, end) = (wall(&day), wall(&next));
            while at < end && at < to {
                let until = if step_min == 1440 { end } else { Wall(at.0 + step).min(end) };
                if until > from {
                    if edges.len() > REPORT_INTERVALS_MAX {
                        return Err(GridError::TooMany);
                    }
                    if edges.is_empty() {
                        edges.push(at);
                    }
                    edges.push(until);
                }
                at = until;
            }
            day = next;
        }
        Ok(Grid { edges, from, to })
    }

    /// Where counting begins.
    pub fn begin(&self) -> Wall {
        self.from
    }

    /// Where it ends.
    pub fn end(&self) -> Wall {
        self.to
    }

    /// Where each interval begins.
    pub fn starts(&self) -> &[Wall] {
        &self.edges[..self.edges.len().saturating_sub(1)]
    }

    /// The interval an instant lies in.
    pub fn at(&self, t: Wall) -> Option<usize> {
        (t >= self.from && t < self.to).then(|| self.edges.partition_point(|e| *e <= t) - 1)
    }

    /// The intervals a stretch lies in, with the microseconds of it in each.
    pub fn parts(&self, from: Wall, to: Wall) -> Vec<(usize, u64)> {
        let (from, to) = (from.max(self.from), to.min(self.to));
        let Some(first) = self.at(from).filter(|_| from < to) else { return Vec::new() };
        let cells = self.edges.windows(2).enumerate().skip(first).take_while(|(_, e)| e[0] < to);
        cells.map(|(n, e)| (n, (to.min(e[1]).0 - from.max(e[0]).0) as u64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Wall {
        Wall::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_day_in_brussels_has_23_hours_in_march_and_25_in_october_and_the_one_between_is_counted_once() {
        for (from, to, hours) in [
            ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z", 23),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z", 25),
            ("2026-11-22T23:00:00Z", "2026-11-23T23:00:00Z", 24),
        ] {
            let (from, to) = (at(from), at(to));
            let days = Grid::new("Europe/Brussels", from, to, 1440).unwrap();
            assert_eq!((days.starts(), days.parts(from, to)), (&[from][..], vec![(0, hours * 3_600_000_000)]));
            let grid = Grid::new("Europe/Brussels", from, to, 60).unwrap();
            assert_eq!(grid.starts().len() as u64, hours);
            let parts = grid.parts(from, to);
            assert!(parts.iter().all(|(_, us)| *us == 3_600_000_000), "{parts:?}");
            assert_eq!(Grid::new("Europe/Brussels", from, to, 15).unwrap().starts().len() as u64, 4 * hours);
        }
    }

    #[test]
    fn intervals_lie_on_the_clock_of_the_business_wherever_the_span_begins() {
        // Kathmandu is 5 h 45 min ahead.
        let grid = Grid::new("Asia/Kathmandu", at("2026-11-23T04:05:06Z"), at("2026-11-23T05:00:00Z"), 30).unwrap();
        let starts: Vec<String> = grid.starts().iter().map(|w| w.rfc3339()).collect();
        assert_eq!(starts, ["2026-11-23T03:45:00.000Z", "2026-11-23T04:15:00.000Z", "2026-11-23T04:45:00.000Z"]);
        assert_eq!(grid.at(at("2026-11-23T04:00:00Z")), None, "before the span, though within its first interval");
        assert_eq!((grid.at(at("2026-11-23T04:15:00Z")), grid.at(at("2026-11-23T05:00:00Z"))), (Some(1), None));
        let whole = grid.parts(at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z"));
        assert_eq!(whole.iter().map(|(_, us)| us).sum::<u64>(), 3_294_000_000);
    }

    #[test]
    fn what_cannot_be_counted_is_refused_with_the_reason() {
        let (from, to) = (at("2026-01-01T00:00:00Z"), at("2026-12-31T00:00:00Z"));
        assert_eq!(Grid::new("UTC", from, to, 7), Err(GridError::Step));
        assert_eq!(Grid::new("Mars/Olympus", from, to, 15), Err(GridError::Zone));
        assert_eq!(Grid::new("UTC", to, from, 15), Err(GridError::Span));
        assert_eq!(Grid::new("UTC", from, to, 15), Err(GridError::TooMany));
        assert_eq!(Grid::new("UTC", from, to, 1440).unwrap().starts().len(), 364);
    }
}

//! Working time: how long it is between two instants when only opening hours count.
//!
//! The routing room has its own calendar with overrides and an emergency switch; upstairs an adapter makes it answer this
//! trait. [`Weekly`] here is enough for tickets by themselves and for tests.

use std::{collections::BTreeSet, time::Duration};

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::TimeZone,
};

use crate::base::Wall;

/// A calendar, asked two questions that fit together: `between(from, add(from, d)) == d`.
pub trait WorkingTime {
    /// The earliest instant by which `d` of working time has gone by since `from`. Never opening again: the end of time.
    fn add(&self, from: Wall, d: Duration) -> Wall;
    /// The working time from `a` to `b`; zero when `b` is not later.
    fn between(&self, a: Wall, b: Wall) -> Duration;
}

/// Round the clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AlwaysOpen;

impl WorkingTime for AlwaysOpen {
    fn add(&self, from: Wall, d: Duration) -> Wall {
        from + d
    }
    fn between(&self, a: Wall, b: Wall) -> Duration {
        b.since(a)
    }
}

/// The same hours every week, except on holidays.
#[derive(Debug, Clone)]
pub struct Weekly {
    zone: TimeZone,
    /// Per day from Monday: `(from, to)` in minutes since midnight, rising, not touching.
    hours: [Vec<(u16, u16)>; 7],
    holidays: BTreeSet<Date>,
}

/// Why these are no opening hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WeeklyError {
    /// Not in the tz database.
    #[error("`{0}` is not a time zone")]
    Zone(String),
    /// Not `from < to <= 24:00`, or overlapping the one before.
    #[error("opening hours {0} to {1} (minutes since midnight) do not follow those before them on their day")]
    Hours(u16, u16),
    /// Not one minute a week.
    #[error("a calendar must be open at some time of the week")]
    NeverOpen,
}

/// Further than this nobody's promise reaches; a calendar with only holidays ahead ends here.
const DAYS_AHEAD_MAX: u32 = 4_000;

impl Weekly {
    /// `hours` per day from Monday, minutes since midnight (1440 is the end of the day).
    pub fn new(zone: &str, hours: [Vec<(u16, u16)>; 7], holidays: BTreeSet<Date>) -> Result<Self, WeeklyError> {
        let zone_found = TimeZone::get(zone).map_err(|_| WeeklyError::Zone(zone.chars().take(80).collect()))?;
        for day in &hours {
            let mut last = None;
            for &(from, to) in day {
                if from >= to || to > 1_440 || last.is_some_and(|last| from <= last) {
                    return Err(WeeklyError::Hours(from, to));
                }
                last = Some(to);
            }
        }
        if hours.iter().all(Vec::is_empty) {
            return Err(WeeklyError::NeverOpen);
        }
        Ok(Self { zone: zone_found, hours, holidays })
    }

    /// Monday to Friday, `from` to `to` o'clock.
    pub fn office(zone: &str, from: u16, to: u16) -> Result<Self, WeeklyError> {
        let hours = std::array::from_fn(|day| if day < 5 { vec![(from * 60, to * 60)] } else { Vec::new() });
        Self::new(zone, hours, BTreeSet::new())
    }

    /// The open stretches from the day of `from` on.
    fn stretches(&self, from: Wall) -> impl Iterator<Item = (Wall, Wall)> + '_ {
        let first = self.zone.to_datetime(from.timestamp()).date();
        std::iter::successors(Some(first), |d| d.tomorrow().ok()).take(DAYS_AHEAD_MAX as usize).flat_map(move |date| {
            let closed = self.holidays.contains(&date);
            let day = date.weekday().to_monday_zero_offset();
            let hours = if closed { &[][..] } else { &self.hours[usize::try_from(day).unwrap_or(0) % 7][..] };
            hours.iter().filter_map(move |&(a, b)| Some((self.instant(date, a)?, self.instant(date, b)?)))
        })
    }

    /// On a day the clocks change, an hour that does not exist begins where it would have.
    fn instant(&self, date: Date, minute: u16) -> Option<Wall> {
        let at = match minute {
            1_440 => date.tomorrow().ok()?.to_datetime(Time::midnight()),
            _ => date.at((minute / 60) as i8, (minute % 60) as i8, 0, 0),
        };
        let at: Timestamp = self.zone.to_ambiguous_timestamp(at).compatible().ok()?;
        Some(Wall(at.as_microsecond()))
    }
}

impl WorkingTime for Weekly {
    fn add(&self, from: Wall, d: Duration) -> Wall {
        let mut left = d;
        if left.is_zero() {
            return from;
        }
        for (open, close) in self.stretches(from) {
            let open = open.max(from);
            let here = close.since(open);
            if here >= left {
                return open + left;
            }
            left -= here;
        }
        Wall(i64::MAX)
    }

    fn between(&self, a: Wall, b: Wall) -> Duration {
        let open = self.stretches(a).take_while(|(open, _)| *open < b);
        open.map(|(open, close)| close.min(b).since(open.max(a))).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::mins;

    fn at(s: &str) -> Wall {
        Wall::parse_rfc3339(s).expect("the test wrote a good stamp")
    }

    #[test]
    fn two_working_hours_from_friday_evening_end_on_monday_morning() {
        let office = Weekly::office("Europe/Brussels", 9, 17).unwrap();
        let friday = at("2026-11-20T16:30:00+01:00");
        assert_eq!(office.add(friday, mins(120)), at("2026-11-23T10:30:00+01:00"));
        assert_eq!(office.between(friday, at("2026-11-23T10:30:00+01:00")), mins(120));
        assert_eq!(office.between(friday, at("2026-11-22T10:30:00+01:00")), mins(30));
        assert_eq!(office.add(friday, mins(30)), at("2026-11-20T17:00:00+01:00"));
    }

    #[test]
    fn a_holiday_and_the_change_of_clocks_are_not_working_time() {
        let all_day = std::array::from_fn(|_| vec![(0, 1_440)]);
        let easter = BTreeSet::from([jiff::civil::date(2026, 3, 30)]);
        let round = Weekly::new("Europe/Brussels", all_day, easter).unwrap();
        // Sunday 29 March 2026 has 23 hours; Monday is a holiday.
        let sunday = at("2026-03-29T00:00:00+01:00");
        assert_eq!(round.between(sunday, at("2026-03-31T00:00:00+02:00")), mins(23 * 60));
        assert_eq!(round.add(sunday, mins(24 * 60)), at("2026-03-31T01:00:00+02:00"));
    }

    #[test]
    fn hours_that_make_no_sense_are_refused_with_their_reason() {
        let only = |day: Vec<(u16, u16)>| std::array::from_fn(|i| if i == 0 { day.clone() } else { vec![] });
        let weekly = |day| Weekly::new("UTC", only(day), BTreeSet::new()).err();
        assert_eq!(weekly(vec![(600, 540)]), Some(WeeklyError::Hours(600, 540)));
        assert_eq!(weekly(vec![(540, 720), (700, 800)]), Some(WeeklyError::Hours(700, 800)));
        assert_eq!(weekly(vec![]), Some(WeeklyError::NeverOpen));
        assert_eq!(Weekly::office("Mars/Olympus", 9, 17).err(), Some(WeeklyError::Zone("Mars/Olympus".into())));
    }
}

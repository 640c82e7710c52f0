//! Reports that come by themselves: at an hour of the business, over the day, week or month that has just ended.

use jiff::{ToSpan, Zoned, civil::Weekday, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::base::Wall;

/// How often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// The day before.
    Day,
    /// The week before, from Monday.
    Week,
    /// The month before.
    Month,
}

/// When.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// How often.
    pub every: Every,
    /// At which hour of the business, 0 to 23: the day is over then for whoever works past midnight.
    pub hour: u8,
}

impl Schedule {
    /// The last time it was due, and the span it is over; none beyond the calendar.
    ///
    /// A center that was off when a report was due makes it late, and only the last of those it missed.
    pub fn last_due(&self, zone: &str, now: Wall) -> Option<(Wall, Wall, Wall)> {
        let zone = TimeZone::get(zone).ok()?;
        let here = now.timestamp().to_zoned(zone);
        let begin = |z: &Zoned| match self.every {
            Every::Day => z.start_of_day().ok(),
            Every::Week => {
                let since_monday = i64::from(z.weekday().since(Weekday::Monday));
                z.checked_sub(since_monday.days()).ok()?.start_of_day().ok()
            }
            Every::Month => z.first_of_month().ok()?.start_of_day().ok(),
        };
        let before = |z: &Zoned| match self.every {
            Every::Day => z.checked_sub(1.day()).ok(),
            Every::Week => z.checked_sub(7.days()).ok(),
            Every::Month => z.checked_sub(1.month()).ok(),
        };
        // The hour of the clock, also on the days on which it is turned.
        let due = |z: &Zoned| z.with().hour(i8::try_from(self.hour).ok()?).build().ok();
        let mut to = begin(&here)?;
        if due(&to)?.timestamp() > here.timestamp() {
            to = begin(&before(&to)?)?;
        }
        let from = begin(&before(&to)?)?;
        let wall = |z: &Zoned| Wall(z.timestamp().as_microsecond());
        Some((wall(&due(&to)?), wall(&from), wall(&to)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn due(every: Every, hour: u8, now: &str) -> [String; 3] {
        let now = Wall::parse_rfc3339(now).unwrap();
        let (at, from, to) = Schedule { every, hour }.last_due("Europe/Brussels", now).unwrap();
        [at, from, to].map(|w| w.rfc3339()[..16].to_owned())
    }

    #[test]
    fn a_report_of_the_day_is_due_at_its_hour_and_is_over_the_day_before_as_the_business_counts_it() {
        assert_eq!(due(Every::Day, 6, "2026-11-23T05:00:00Z"), ["2026-11-23T05:00", "2026-11-21T23:00", "2026-11-22T23:00"]);
        assert_eq!(due(Every::Day, 6, "2026-11-23T04:59:59Z"), ["2026-11-22T05:00", "2026-11-20T23:00", "2026-11-21T23:00"]);
        // The day that had 23 hours.
        assert_eq!(due(Every::Day, 6, "2026-03-30T09:00:00Z"), ["2026-03-30T04:00", "2026-03-28T23:00", "2026-03-29T22:00"]);
    }

    #[test]
    fn weeks_begin_on_monday_and_months_on_the_first() {
        assert_eq!(due(Every::Week, 0, "2026-11-25T12:00:00Z"), ["2026-11-22T23:00", "2026-11-15T23:00", "2026-11-22T23:00"]);
        assert_eq!(due(Every::Month, 7, "2026-11-01T05:00:00Z"), ["2026-10-01T05:00", "2026-08-31T22:00", "2026-09-30T22:00"]);
        assert_eq!(due(Every::Month, 7, "2026-11-01T06:00:00Z"), ["2026-11-01T06:00", "2026-09-30T22:00", "2026-10-31T23:00"]);
    }
}

//! The hours customers may choose to be called back at: which there are now, and whether one of them is.
//!
//! An hour begins on the wall clock of the calendar and is open from its first to its last minute. It is the beginning of the time
//! within which the call is made; how many customers have chosen it is counted elsewhere.

use std::time::Duration;

use jiff::{
    civil::{Date, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

use crate::{
    base::{CalendarId, Wall, limits, mins},
    routing::hours::{Calendar, State},
};

/// Which hours customers of a queue may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChosenHours {
    /// While it is open, by the clock of its zone.
    pub calendar: CalendarId,
    /// Minutes from one to the next, within which the call is made: 15, 30 or 60.
    #[serde(default = "half_an_hour")]
    pub every_min: u32,
    /// Customers who may choose the same.
    #[serde(default = "two")]
    pub each: u32,
    /// The first begins so many minutes from now.
    #[serde(default = "half_an_hour")]
    pub ahead_min: u32,
    /// The last begins within so many days.
    #[serde(default = "a_week")]
    pub days: u32,
}

fn half_an_hour() -> u32 {
    30
}
fn two() -> u32 {
    2
}
fn a_week() -> u32 {
    7
}

/// What every time zone's distance from UTC is a multiple of.
const QUARTER: Duration = mins(15);
/// Microseconds of a minute.
const MINUTE_US: i64 = 60_000_000;

impl ChosenHours {
    /// Every mistake the types cannot see.
    pub fn problems(&self, at: &str, has_calendar: bool, bad: &mut Vec<String>) {
        if !has_calendar {
            bad.push(format!("{at}.calendar: there is no calendar `{}`", self.calendar));
        }
        if !matches!(self.every_min, 15 | 30 | 60) {
            bad.push(format!("{at}.every_min: expected 15, 30 or 60"));
        }
        let within = [
            ("each", self.each, 1, limits::CALLBACK_EACH_MAX),
            ("ahead_min", self.ahead_min, 0, 24 * 60),
            ("days", self.days, 1, limits::CALLBACK_DAYS_MAX),
        ];
        for (key, value, least, most) in within {
            if !(least..=most).contains(&value) {
                bad.push(format!("{at}.{key}: expected {least} to {most}"));
            }
        }
    }

    /// The hours there are now, the next first, taken or not; [`limits::CALLBACK_HOURS_SHOWN`] at most.
    pub fn offered(&self, calendar: &Calendar, now: Wall) -> Vec<Wall> {
        let (first, last) = self.range(now);
        let zone = zone(calendar);
        let mut at = Wall(first.0 - first.0.rem_euclid(15 * MINUTE_US));
        if at < first {
            at = at + QUARTER;
        }
        let mut hours = Vec::new();
        while at <= last && hours.len() < limits::CALLBACK_HOURS_SHOWN {
            if self.begins(&zone, at) && self.is_open(calendar, at) {
                hours.push(at);
            }
            at = at + QUARTER;
        }
        hours
    }

    /// Whether `at` is one of them.
    pub fn offers(&self, calendar: &Calendar, now: Wall, at: Wall) -> bool {
        let (first, last) = self.range(now);
        first <= at && at <= last && self.begins(&zone(calendar), at) && self.is_open(calendar, at)
    }

    /// The hour somebody means who says `1530`, `15:30` or `930`: when the clock shows that next, or the beginning of the time it
    /// lies in. Whether it is offered is another question.
    pub fn meant(&self, calendar: &Calendar, now: Wall, said: &str) -> Option<Wall> {
        let digits: String = said.chars().filter(|c| !matches!(c, ':' | ' ')).collect();
        if !matches!(digits.len(), 3 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let n: i16 = digits.parse().ok()?;
        let (hour, minute) = (n / 100, n % 100);
        if minute > 59 {
            return None;
        }
        let minute = minute - minute % i16::try_from(self.every_min.max(1)).ok()?;
        let time = Time::new(i8::try_from(hour).ok()?, i8::try_from(minute).ok()?, 0, 0).ok()?;
        let zone = zone(calendar);
        let today = zone.to_datetime(now.timestamp()).date();
        let on = |day: Date| zone.to_timestamp(day.to_datetime(time)).ok().map(|t| Wall(t.as_microsecond()));
        on(today).filter(|at| *at > now).or_else(|| on(today.tomorrow().ok()?))
    }

    /// An hour as people of the house say it: `2026-11-23 15:00 (Asia/Shanghai)`.
    pub fn said(calendar: &Calendar, at: Wall) -> String {
        format!("{} ({})", zone(calendar).to_datetime(at.timestamp()).strftime("%Y-%m-%d %H:%M"), calendar.zone)
    }

    fn range(&self, now: Wall) -> (Wall, Wall) {
        (now + mins(u64::from(self.ahead_min)), now + crate::base::days(self.days))
    }

    fn begins(&self, zone: &TimeZone, at: Wall) -> bool {
        let on_the_clock = zone.to_datetime(at.timestamp());
        at.0 % MINUTE_US == 0 && u32::from(on_the_clock.minute().unsigned_abs()).is_multiple_of(self.every_min.max(1))
    }

    fn is_open(&self, calendar: &Calendar, at: Wall) -> bool {
        (0..self.every_min).step_by(15).all(|m| calendar.state(at + mins(u64::from(m))) == State::Open)
    }
}

fn zone(calendar: &Calendar) -> TimeZone {
    TimeZone::get(&calendar.zone).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shop(weekly: &str) -> Calendar {
        serde_saphyr::from_str(&format!("zone: Asia/Kolkata\nweekly: {weekly}\n")).unwrap()
    }
    fn hours(more: &str) -> ChosenHours {
        serde_saphyr::from_str(&format!("{{calendar: shop{more}}}")).unwrap()
    }
    fn at(text: &str) -> Wall {
        Wall::parse_rfc3339(text).unwrap()
    }
    fn shown(all: &[Wall]) -> Vec<String> {
        all.iter().map(|w| w.rfc3339()[..16].to_owned()).collect()
    }

    #[test]
    fn hours_begin_on_the_clock_of_the_zone_and_are_open_to_their_last_minute() {
        // Monday; half past five ahead of UTC.
        let calendar = shop("{mon: [\"09:00-11:30\"], tue: [\"09:00-10:00\"]}");
        let now = at("2026-11-23T03:10:00Z");
        let whole = hours(", every_min: 60, days: 2");
        // 09:00 would begin in twenty minutes, and 11:00 would end after the shop.
        assert_eq!(shown(&whole.offered(&calendar, now)), ["2026-11-23T04:30", "2026-11-24T03:30"]);
        let soon = hours(", ahead_min: 0, days: 1");
        let half = soon.offered(&calendar, now);
        assert_eq!(
            shown(&half),
            ["2026-11-23T03:30", "2026-11-23T04:00", "2026-11-23T04:30", "2026-11-23T05:00", "2026-11-23T05:30"]
        );
        assert!(half.iter().all(|h| soon.offers(&calendar, now, *h)));
        for (why, other) in [
            ("between two", "2026-11-23T03:45:00Z"),
            ("a second late", "2026-11-23T03:30:01Z"),
            ("closed", "2026-11-23T06:00:00Z"),
            ("past", "2026-11-23T03:00:00Z"),
            ("too far ahead", "2026-11-24T03:30:00Z"),
        ] {
            assert!(!soon.offers(&calendar, now, at(other)), "{why}");
        }
    }

    #[test]
    fn what_somebody_types_is_the_next_such_time_of_the_shops_clock() {
        let (calendar, half) = (shop("{}"), hours(""));
        // Twenty to nine in the morning there.
        let now = at("2026-11-23T03:10:00Z");
        let meant = |said: &str| half.meant(&calendar, now, said).map(|at| at.rfc3339()[..16].to_owned());
        assert_eq!(meant("1530").as_deref(), Some("2026-11-23T10:00"));
        assert_eq!(meant("15:47").as_deref(), Some("2026-11-23T10:00"), "the time it lies in");
        assert_eq!(ChosenHours::said(&calendar, at("2026-11-23T10:00:00Z")), "2026-11-23 15:30 (Asia/Kolkata)");
        assert_eq!(meant("830").as_deref(), Some("2026-11-24T03:00"), "that is over for today");
        for nonsense in ["", "15", "2500", "1575", "15300", "half past", "-130"] {
            assert_eq!(meant(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_holiday_offers_nothing_and_there_is_an_end_to_what_is_shown() {
        let always = Calendar::always();
        let all = hours(", every_min: 15, days: 30").offered(&always, at("2026-11-23T00:00:00Z"));
        assert_eq!(all.len(), limits::CALLBACK_HOURS_SHOWN);
        let shut = Calendar { emergency: true, ..always };
        assert!(hours("").offered(&shut, at("2026-11-23T00:00:00Z")).is_empty());
    }
}

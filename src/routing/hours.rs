//! Opening hours: weekly intervals, holidays, one-off overrides, an emergency switch, in the time zone of the business.
//!
//! What counts most first: emergency, override, holiday, week. Intervals are turned into instants, so a shop that closes at
//! 02:30 closes once in the night the clocks go back (at the first 02:30), and one that opens at 02:30 in the night that hour
//! is skipped opens at 03:30 (RFC 5545's reading, which `jiff` calls compatible).

use std::{collections::BTreeMap, fmt, str::FromStr};

use jiff::{
    Timestamp,
    civil::{Date, DateTime, Time},
    tz::TimeZone,
};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::Wall;

/// A calendar.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Shown to people.
    #[serde(default)]
    pub name: String,
    /// IANA name, `Asia/Shanghai`.
    pub zone: String,
    /// Opening intervals per weekday; a day not named is closed. `mon: ["09:00-12:30", "13:30-18:00"]`
    #[serde(default)]
    pub weekly: BTreeMap<Day, Vec<Interval>>,
    /// Days that differ from the week.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
    /// Once, from a moment to a moment.
    #[serde(default)]
    pub overrides: Vec<Override>,
    /// True: everything is closed until it is switched off.
    #[serde(default)]
    pub emergency: bool,
}

/// What a calendar says about a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Open.
    Open,
    /// Outside the hours.
    Closed,
    /// Closed because of a holiday.
    Holiday,
    /// Closed by the emergency switch.
    Emergency,
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "they are the days of the week")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn of(date: Date) -> Self {
        use jiff::civil::Weekday as W;
        match date.weekday() {
            W::Monday => Day::Mon,
            W::Tuesday => Day::Tue,
            W::Wednesday => Day::Wed,
            W::Thursday => Day::Thu,
            W::Friday => Day::Fri,
            W::Saturday => Day::Sat,
            W::Sunday => Day::Sun,
        }
    }
}

/// `HH:MM-HH:MM` by the wall clock, end excluded. An end not after the start is on the next day; `00:00-24:00` is all day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interval {
    start_min: u16,
    end_min: u16,
}

/// A text that is not an [`Interval`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an interval: expected HH:MM-HH:MM, such as 09:00-17:30")]
pub struct IntervalError(String);

impl FromStr for Interval {
    type Err = IntervalError;
    fn from_str(s: &str) -> Result<Self, IntervalError> {
        let minutes = |t: &str| -> Option<u16> {
            let (h, m) = t.trim().split_once(':')?;
            if h.len() > 2 || m.len() != 2 || !h.bytes().chain(m.bytes()).all(|b| b.is_ascii_digit()) {
                return None;
            }
            let (h, m) = (h.parse::<u16>().ok()?, m.parse::<u16>().ok()?);
            (m < 60 && (h < 24 || h == 24 && m == 0)).then_some(h * 60 + m)
        };
        let read = || {
            let (a, b) = s.split_once('-')?;
            let (start_min, end_min) = (minutes(a)?, minutes(b)?);
            (start_min < 1440 && start_min != end_min).then_some(Interval { start_min, end_min })
        };
        read().ok_or_else(|| IntervalError(s.chars().take(40).collect()))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (a, b) = (self.start_min, self.end_min);
        write!(f, "{:02}:{:02}-{:02}:{:02}", a / 60, a % 60, b / 60, b % 60)
    }
}

impl Serialize for Interval {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Interval {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A day that differs from the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// The day, `2026-12-25`.
    pub date: Date,
    /// Shown to people, said to callers.
    #[serde(default)]
    pub name: String,
    /// Open nevertheless at these hours.
    #[serde(default)]
    pub open: Vec<Interval>,
}

/// Once, from a moment to a moment, by the wall clock of the zone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// From, `2026-11-23T14:00`.
    pub from: DateTime,
    /// Until, not included.
    pub to: DateTime,
    /// Open or closed.
    pub open: bool,
    /// For people.
    #[serde(default)]
    pub why: String,
}

impl Calendar {
    /// Always open: what a queue without a calendar has.
    pub fn always() -> Self {
        let all_day = vec![Interval { start_min: 0, end_min: 1440 }];
        let days = [Day::Mon, Day::Tue, Day::Wed, Day::Thu, Day::Fri, Day::Sat, Day::Sun];
        Self {
            name: String::new(),
            zone: "UTC".to_owned(),
            weekly: days.into_iter().map(|d| (d, all_day.clone())).collect(),
            holidays: Vec::new(),
            overrides: Vec::new(),
            emergency: false,
        }
    }

    /// Every mistake serde cannot see, each beginning with the key it is under.
    pub fn validate(&self) -> Vec<String> {
        let mut bad = Vec::new();
        if TimeZone::get(&self.zone).is_err() {
            bad.push(format!("zone: `{}` is not a time zone; expected a name such as Europe/Brussels", self.zone));
        }
        for (i, o) in self.overrides.iter().enumerate() {
            if o.to <= o.from {
                bad.push(format!("overrides[{i}].to: is not after `from`"));
            }
        }
        for (i, h) in self.holidays.iter().enumerate() {
            if self.holidays[..i].iter().any(|earlier| earlier.date == h.date) {
                bad.push(format!("holidays[{i}].date: {} is named twice", h.date));
            }
        }
        bad
    }

    /// Open or not at `at`. A zone that does not exist (refused by [`Calendar::validate`]) is read as UTC.
    pub fn state(&self, at: Wall) -> State {
        self.state_in(&self.time_zone(), at.timestamp())
    }

    /// When the state next changes, and to what; none if it stays for the coming year.
    pub fn next_change(&self, at: Wall) -> Option<(Wall, State)> {
        let zone = self.time_zone();
        let now = at.timestamp();
        let present = self.state_in(&zone, now);
        if present == State::Emergency {
            return None;
        }
        let mut day = zone.to_datetime(now).date().yesterday().ok()?;
        for _ in 0..=367 {
            // Everything that can begin or end on this day, in order; the first that makes a difference is it.
            let mut edges = vec![instant(&zone, day, 0)];
            for interval in self.intervals(day) {
                let (from, to) = interval.on(&zone, day);
                edges.extend([from, to]);
            }
            for o in &self.overrides {
                edges.extend([o.from, o.to].iter().filter(|t| t.date() == day).map(|t| moment(&zone, *t)));
            }
            edges.sort_unstable();
            let change = edges.into_iter().filter(|t| *t > now).find_map(|t| {
                let state = self.state_in(&zone, t);
                (state != present).then_some((Wall(t.as_microsecond()), state))
            });
            if change.is_some() {
                return change;
            }
            day = day.tomorrow().ok()?;
        }
        None
    }

    fn time_zone(&self) -> TimeZone {
        TimeZone::get(&self.zone).unwrap_or(TimeZone::UTC)
    }

    fn state_in(&self, zone: &TimeZone, at: Timestamp) -> State {
        if self.emergency {
            return State::Emergency;
        }
        // The later line of the list wins: people add the correction below.
        let over = self.overrides.iter().rev().find(|o| moment(zone, o.from) <= at && at < moment(zone, o.to));
        if let Some(o) = over {
            return if o.open { State::Open } else { State::Closed };
        }
        let today = zone.to_datetime(at).date();
        let open_from = |day: Date| self.intervals(day).iter().any(|i| i.contains(zone, day, at));
        // A holiday cuts off what began the evening before.
        let holiday = self.holiday(today);
        let open = match holiday {
            Some(_) => open_from(today),
            None => open_from(today) || today.yesterday().is_ok_and(open_from),
        };
        match (open, holiday) {
            (true, _) => State::Open,
            (false, Some(_)) => State::Holiday,
            (false, None) => State::Closed,
        }
    }

    fn holiday(&self, day: Date) -> Option<&Holiday> {
        self.holidays.iter().find(|h| h.date == day)
    }

    fn intervals(&self, day: Date) -> &[Interval] {
        match self.holiday(day) {
            Some(h) => &h.open,
            None => self.weekly.get(&Day::of(day)).map_or(&[], Vec::as_slice),
        }
    }
}

impl Interval {
    fn on(&self, zone: &TimeZone, day: Date) -> (Timestamp, Timestamp) {
        let end = if self.end_min <= self.start_min { self.end_min + 1440 } else { self.end_min };
        (instant(zone, day, self.start_min), instant(zone, day, end))
    }
    fn contains(&self, zone: &TimeZone, day: Date, at: Timestamp) -> bool {
        let (from, to) = self.on(zone, day);
        from <= at && at < to
    }
}

/// `minutes` after midnight by the wall clock of `day`; up to two days' worth.
fn instant(zone: &TimeZone, day: Date, minutes: u16) -> Timestamp {
    let (mut day, mut minutes) = (day, minutes);
    while minutes >= 1440 {
        day = day.tomorrow().unwrap_or(day);
        minutes -= 1440;
    }
    let time = Time::constant((minutes / 60) as i8, (minutes % 60) as i8, 0, 0);
    moment(zone, day.to_datetime(time))
}

fn moment(zone: &TimeZone, at: DateTime) -> Timestamp {
    zone.to_timestamp(at).unwrap_or(Timestamp::MAX)
}

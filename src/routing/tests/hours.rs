//! Opening hours, in the nights when clocks change too.

use super::super::hours::{Calendar, State};
use crate::base::Wall;

fn at(text: &str) -> Wall {
    Wall::parse_rfc3339(text).expect("a time")
}

fn calendar(yaml: &str) -> Calendar {
    let c: Calendar = serde_saphyr::from_str(yaml).expect("a calendar");
    assert_eq!(c.validate(), Vec::<String>::new());
    c
}

const SHOP: &str = r#"
zone: Asia/Shanghai
weekly:
  mon: ["09:00-12:30", "13:30-18:00"]
  tue: ["09:00-18:00"]
  fri: ["22:00-02:00"]
holidays:
  - { date: 2026-11-24, name: Founders' day }
  - { date: 2026-11-30, name: Stocktaking, open: ["10:00-12:00"] }
overrides:
  - { from: 2026-11-23T16:00, to: 2026-11-23T17:00, open: false, why: fire drill }
"#;

#[test]
fn a_week_with_lunch_a_holiday_and_a_fire_drill() {
    let mut c = calendar(SHOP);
    // Shanghai is eight hours ahead all year.
    for (when, state) in [
        ("2026-11-23T08:59:59+08:00", State::Closed),
        ("2026-11-23T09:00:00+08:00", State::Open),
        ("2026-11-23T12:30:00+08:00", State::Closed),
        ("2026-11-23T13:30:00+08:00", State::Open),
        ("2026-11-23T16:30:00+08:00", State::Closed),
        ("2026-11-23T17:00:00+08:00", State::Open),
        ("2026-11-24T10:00:00+08:00", State::Holiday),
        ("2026-11-27T23:00:00+08:00", State::Open),
        ("2026-11-28T01:59:59+08:00", State::Open),
        ("2026-11-28T02:00:00+08:00", State::Closed),
        ("2026-11-30T09:30:00+08:00", State::Holiday),
        ("2026-11-30T10:30:00+08:00", State::Open),
    ] {
        assert_eq!(c.state(at(when)), state, "{when}");
    }
    let next = |c: &Calendar, when: &str| c.next_change(at(when)).map(|(t, s)| (t.rfc3339(), s));
    assert_eq!(next(&c, "2026-11-23T10:00:00+08:00"), Some(("2026-11-23T04:30:00.000Z".into(), State::Closed)));
    assert_eq!(next(&c, "2026-11-23T15:00:00+08:00"), Some(("2026-11-23T08:00:00.000Z".into(), State::Closed)));
    assert_eq!(next(&c, "2026-11-23T19:00:00+08:00"), Some(("2026-11-23T16:00:00.000Z".into(), State::Holiday)));
    assert_eq!(next(&c, "2026-11-27T23:00:00+08:00"), Some(("2026-11-27T18:00:00.000Z".into(), State::Closed)));
    c.emergency = true;
    assert_eq!(c.state(at("2026-11-23T10:00:00+08:00")), State::Emergency);
    assert_eq!(Calendar::always().state(at("2026-11-23T03:00:00Z")), State::Open);
    assert_eq!(Calendar::always().next_change(at("2026-11-23T03:00:00Z")), None);
}

#[test]
fn the_shop_opens_at_nine_by_the_clock_on_the_wall_in_summer_and_winter() {
    let c = calendar(r#"{ zone: Europe/Brussels, weekly: { mon: ["09:00-17:00"], sun: ["01:00-02:30", "12:00-24:00"] } }"#);
    assert_eq!(c.state(at("2026-07-06T07:00:00Z")), State::Open);
    assert_eq!(c.state(at("2026-12-07T07:30:00Z")), State::Closed);
    // Sunday 25 October 2026, 03:00 becomes 02:00: 02:30 comes twice, and the shop closes once.
    assert_eq!(c.state(at("2026-10-25T00:29:00Z")), State::Open);
    assert_eq!(c.state(at("2026-10-25T00:30:00Z")), State::Closed);
    assert_eq!(c.state(at("2026-10-25T01:15:00Z")), State::Closed, "the second 02:15");
    // Sunday 29 March 2026, 02:00 becomes 03:00: there is no 02:30; it closes at 03:30.
    assert_eq!(c.next_change(at("2026-03-29T00:30:00Z")).map(|c| c.0), Some(at("2026-03-29T01:30:00Z")));
    // Sunday runs into Monday: 24:00 is the next day's beginning.
    assert_eq!(c.next_change(at("2026-07-05T21:00:00Z")).map(|c| c.0), Some(at("2026-07-05T22:00:00Z")));
}

#[test]
fn what_is_announced_as_the_next_change_is_the_next_change() {
    let c = calendar(SHOP);
    let mut t = at("2026-11-22T00:00:00Z");
    let end = at("2026-12-02T00:00:00Z");
    while t < end {
        let (next, state) = c.next_change(t).expect("a shop that opens and closes");
        assert_eq!(c.state(next), state);
        let mut between = t;
        while between < next {
            assert_eq!(c.state(between), c.state(t), "{between} before {next}");
            between = between + crate::base::mins(7);
        }
        t = next;
    }
}

#[test]
fn what_is_no_interval_is_refused_with_an_example() {
    for bad in ["9-17", "09:00-09:00", "25:00-26:00", "09:60-10:00", "09:00", "24:00-25:00", "-1:00-02:00"] {
        let error = bad.parse::<super::super::hours::Interval>().expect_err(bad);
        assert!(error.to_string().contains("09:00-17:30"));
    }
}

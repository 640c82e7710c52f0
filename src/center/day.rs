//! The counting day of a tenant: figures of today begin at its midnight, and a restart counts today's events again.

use std::{collections::BTreeSet, time::Duration};

use jiff::tz::TimeZone;

use super::{Center, Timer, settings::TenantSettings};
use crate::{
    base::{InteractionId, Now, TenantId, Wall},
    routing::MetricEvent,
};

/// Facts to count older than this are of no use to any day that has begun.
pub(super) const COUNTED_KEPT: Duration = Duration::from_secs(48 * 3600);

/// When an event happened, for the day it counts to.
pub(super) fn at(event: &MetricEvent) -> Wall {
    match event {
        MetricEvent::Entered { at, .. }
        | MetricEvent::Left { at, .. }
        | MetricEvent::Offered { at, .. }
        | MetricEvent::Handled { at, .. } => *at,
        MetricEvent::Spent { to, .. } => *to,
    }
}

/// The tenant's days are those of its first calendar; of UTC when it has none.
fn zone(settings: &TenantSettings) -> TimeZone {
    let name = settings.plan.calendars.values().next().map(|c| c.zone.as_str());
    name.and_then(|z| TimeZone::get(z).ok()).unwrap_or(TimeZone::UTC)
}

/// The midnight `at`'s day began with, and the one it ends with.
fn day(settings: &TenantSettings, at: Wall) -> (Wall, Wall) {
    let here = at.timestamp().to_zoned(zone(settings));
    let wall = |z: jiff::Zoned| Wall(z.timestamp().as_microsecond());
    let begin = here.start_of_day().map_or(at, wall);
    let end = here.tomorrow().and_then(|t| t.start_of_day()).map_or(at + Duration::from_secs(86_400), wall);
    (begin, end)
}

/// Today's events that may be counted again: of an entry that still waited at the crash nothing, since it enters anew.
pub(super) fn today<'a>(
    settings: &TenantSettings,
    now: Wall,
    counted: impl Iterator<Item = &'a MetricEvent> + Clone,
) -> Vec<&'a MetricEvent> {
    let (begin, _) = day(settings, now);
    let of_today = counted.filter(|e| at(e) >= begin);
    let key = |i: &InteractionId, entered: &Wall| (*i, *entered);
    let left: BTreeSet<_> = of_today
        .clone()
        .filter_map(
            |e| if let MetricEvent::Left { interaction, entered, .. } = e { Some(key(interaction, entered)) } else { None },
        )
        .collect();
    let entered: BTreeSet<_> = of_today
        .clone()
        .filter_map(|e| if let MetricEvent::Entered { interaction, at, .. } = e { Some(key(interaction, at)) } else { None })
        .collect();
    of_today
        .filter(|e| match e {
            MetricEvent::Entered { interaction, at, .. } => left.contains(&key(interaction, at)),
            MetricEvent::Left { interaction, entered: since, .. } => entered.contains(&key(interaction, since)),
            _ => true,
        })
        .collect()
}

impl Center {
    /// Rings at the tenant's next midnight.
    pub(super) fn day_arm(&mut self, now: Now, tenant: &TenantId) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let (_, end) = day(&t.settings, now.wall);
        self.timers.set(Timer::NewDay(tenant.clone()), now.mono_at(end.max(now.wall + Duration::from_secs(1))));
    }

    /// A new day: figures begin at zero, who waits is carried over.
    pub(super) fn new_day(&mut self, now: Now, tenant: &TenantId) {
        if let Some(t) = self.tenants.get_mut(tenant) {
            t.router.new_period();
            self.day_arm(now, tenant);
            self.alerts_look(now, tenant);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        base::{Channel, Mono, QueueId, Rng, secs},
        center::settings::{Business, Settings},
        routing::ExitKind,
    };

    fn shanghai() -> std::sync::Arc<TenantSettings> {
        let yaml = "tenants:\n  t:\n    routing:\n      queues: {q: {}}\n      calendars: {c: {zone: Asia/Shanghai}}\n";
        let s = Settings::compile(1, Business::parse(yaml).unwrap(), &Default::default()).unwrap();
        s.tenants.values().next().unwrap().clone()
    }

    #[test]
    fn the_day_of_a_shop_in_shanghai_begins_at_its_own_midnight() {
        let at = Wall::parse_rfc3339("2026-11-23T17:30:00Z").unwrap();
        let (begin, end) = day(&shanghai(), at);
        assert_eq!((begin.rfc3339(), end.rfc3339()), ("2026-11-23T16:00:00.000Z".into(), "2026-11-24T16:00:00.000Z".into()));
    }

    #[test]
    fn after_a_restart_only_what_was_finished_today_is_counted_again() {
        let now = Now { mono: Mono(0), wall: Wall::parse_rfc3339("2026-11-23T17:30:00Z").unwrap() };
        let mut rng = Rng::seeded(1);
        let queue = QueueId::parse("q").unwrap();
        let mut pair = |entered: Wall, left: Option<Wall>| {
            let interaction = InteractionId::new(now, &mut rng);
            let (queue, channel) = (queue.clone(), Channel::Voice);
            let mut events = vec![MetricEvent::Entered { queue: queue.clone(), channel, interaction, at: entered }];
            events.extend(left.map(|at| MetricEvent::Left {
                queue,
                channel,
                interaction,
                entered,
                at,
                exit: ExitKind::Answered,
            }));
            events
        };
        let minutes_ago = |m: u64| now.wall - secs(60 * m);
        let yesterday = pair(minutes_ago(200), Some(minutes_ago(190)));
        let over_midnight = pair(minutes_ago(100), Some(minutes_ago(80)));
        let today_done = pair(minutes_ago(60), Some(minutes_ago(50)));
        let still_waiting = pair(minutes_ago(5), None);
        let all: Vec<MetricEvent> = [yesterday, over_midnight, today_done.clone(), still_waiting].concat();
        assert_eq!(today(&shanghai(), now.wall, all.iter()), today_done.iter().collect::<Vec<_>>());
    }
}

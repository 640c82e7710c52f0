//! When the figures of a tenant are looked at, and who may say that they look after an alert.

use std::time::Duration;

use super::Metric;
use crate::{
    base::{Now, QueueId, TenantId},
    center::{
        Center, Output,
        command::{Actor, Refusal},
        fact::{AlertAcked, Fact},
        picture,
        turns::Timer,
    },
};

/// After an event the figures are looked at so much later, once for all events meanwhile.
const LOOK_AFTER: Duration = Duration::from_secs(1);

impl Center {
    /// A figure of a queue may have changed.
    pub(in crate::center) fn alerts_look(&mut self, now: Now, tenant: &TenantId) {
        let (timer, soon) = (Timer::Alerts(tenant.clone()), now.mono + LOOK_AFTER);
        if self.timers.get(&timer).is_none_or(|at| at > soon) {
            self.timers.set(timer, soon);
        }
    }

    /// Looks.
    pub(in crate::center) fn alerts_judge(&mut self, now: Now, tenant: &TenantId, out: &mut Vec<Output>) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let (queues, settings) = (picture::queues(self, t, tenant), t.settings.clone());
        let Some(t) = self.tenants.get_mut(tenant) else { return };
        let mut facts = Vec::new();
        let next = t.alerts.judge(now.wall, &settings.config.alerts, &queues, &mut facts);
        for fact in facts {
            self.fact(now, tenant, fact, out);
        }
        if let Some(at) = next {
            self.timers.set(Timer::Alerts(tenant.clone()), now.mono_at(at));
        }
    }

    /// A supervisor looks after an alert. Saying it again changes nothing: two people press at once.
    pub(in crate::center) fn alert_ack(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        queue: QueueId,
        metric: Metric,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        if !by.supervises() {
            return Err(Refusal::not_allowed("only a supervisor may do this"));
        }
        let Some(t) = self.tenants.get_mut(tenant) else { return Err(Refusal::not_found(format!("tenant {tenant}"))) };
        let only = by.agent().and_then(|who| t.settings.config.supervision.queues.get(who));
        if only.is_some_and(|only| !only.contains(&queue)) {
            return Err(Refusal::not_allowed("this queue is not yours to supervise"));
        }
        match t.alerts.get(&queue, metric) {
            None => Err(Refusal::not_found(format!("an alert about {} of {queue}", metric.as_str()))),
            Some(alert) if alert.acked_by.is_some() => Ok(()),
            Some(_) => {
                let fact = Fact::AlertAcked(AlertAcked { queue, metric, by: by.clone() });
                t.alerts.apply(now.wall, &fact);
                self.fact(now, tenant, fact, out);
                Ok(())
            }
        }
    }
}

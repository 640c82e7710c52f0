//! Figures of the center for `/metrics`. How they are written for a collector is the roof's.

use super::Center;
use crate::{base::Now, call};

impl Center {
    /// How the legs that are over sounded, for `/metrics`.
    pub fn sound(&self) -> call::Figures {
        *self.calls.figures()
    }

    /// Figures for `/metrics`: `(name, value)`.
    pub fn gauges(&self, now: Now) -> Vec<(&'static str, u64)> {
        let waiting = self.interactions.values().filter(|i| i.waiting.is_some()).count();
        let talking = self.interactions.values().filter(|i| i.talk.is_some()).count();
        let mut all = vec![
            ("ringdesk_interactions", self.interactions.len() as u64),
            ("ringdesk_interactions_waiting", waiting as u64),
            ("ringdesk_interactions_talking", talking as u64),
            ("ringdesk_legs", self.legs.len() as u64),
            ("ringdesk_sip_subscriptions", self.calls.counters().subscriptions as u64),
            ("ringdesk_facts_total", self.seq),
        ];
        let (held, bytes) = self.calls.ladder_held();
        all.extend([("ringdesk_sip_ladders", held as u64), ("ringdesk_sip_ladder_bytes", bytes as u64)]);
        let seen = self.calls.counters();
        all.extend([
            ("ringdesk_overload_shed_total", seen.shed),
            ("ringdesk_sip_limited_total", seen.limited),
            ("ringdesk_sip_barred_total", seen.barred),
            ("ringdesk_sip_bans_total", seen.bans),
            ("ringdesk_sip_auth_failures_total", seen.auth_failures),
            ("ringdesk_sip_registered", seen.registered as u64),
        ]);
        all.extend(self.calls.trunk_figures(now));
        all
    }
}

//! The text of `/metrics`: one line a figure, in the exposition format of Prometheus.

use std::{
    fmt::Write as _,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use super::driver::{Inbox, Shown};
use crate::{
    call::Histogram,
    courier,
    net::{Net, Tls},
    speech::recognise::Recognisers,
    store::JournalHandle,
};

/// Where the figures come from.
pub struct Sources {
    pub shown: Arc<Shown>,
    pub inbox: Inbox,
    pub net: Arc<Net>,
    pub tls: Option<Arc<Tls>>,
    pub engine: Arc<media::Engine>,
    pub journal: JournalHandle,
    pub recognisers: Option<Recognisers>,
    pub courier: Arc<courier::Stats>,
}

impl Sources {
    /// All figures of this moment.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |name: &str, value: u64| {
            let kind = if name.ends_with("_total") { "counter" } else { "gauge" };
            // Writing to a String cannot fail.
            let _ = write!(out, "# TYPE {name} {kind}\n{name} {value}\n");
        };
        for (name, value) in self.shown.gauges.lock().unwrap_or_else(|e| e.into_inner()).iter() {
            line(name, *value);
        }
        let (waiting, refused) = self.inbox.load();
        line("ringdesk_loop_waiting", waiting as u64);
        line("ringdesk_loop_refused_total", refused);
        line("ringdesk_loop_inputs_total", self.shown.inputs.load(Relaxed));
        line("ringdesk_loop_round_max_us", self.shown.round_us_max.load(Relaxed));
        line("ringdesk_loop_wait_p99_us", self.shown.load.wait_p99_us.load(Relaxed));
        line("ringdesk_media_busiest_percent", self.shown.load.shard_percent.load(Relaxed));
        line("ringdesk_overload_shed_permille", self.shown.load.shed_permille.load(Relaxed));
        if let Some(tls) = &self.tls {
            line("ringdesk_tls_expires_unix_s", u64::try_from(tls.expires_unix_s()).unwrap_or(0));
        }
        for (name, value) in self.net.counters().named() {
            line(&format!("ringdesk_net_{name}"), value);
        }
        let m = self.engine.counters();
        line("ringdesk_media_legs", m.legs);
        line("ringdesk_media_recordings", m.recordings);
        line("ringdesk_media_port_pairs", m.port_pairs);
        line("ringdesk_media_port_pairs_free", m.port_pairs_free);
        line("ringdesk_media_packets_in_total", m.packets_in);
        line("ringdesk_media_packets_out_total", m.packets_out);
        line("ringdesk_media_relayed_total", m.relayed);
        line("ringdesk_media_foreign_total", m.foreign);
        line("ringdesk_media_discarded_total", m.discarded);
        let j = self.journal.stats();
        line("ringdesk_journal_commits_total", j.commits);
        line("ringdesk_journal_facts_total", j.facts);
        line("ringdesk_journal_failures_total", j.failures);
        line("ringdesk_journal_backlog", j.backlog);
        line("ringdesk_journal_commit_max_us", j.commit_us_max);
        line("ringdesk_webhook_delivered_total", self.courier.delivered.load(Relaxed));
        line("ringdesk_webhook_failed_total", self.courier.failed.load(Relaxed));
        line("ringdesk_webhook_given_up_total", self.courier.given_up.load(Relaxed));
        for (name, value) in self.recognisers.iter().flat_map(Recognisers::figures) {
            line(name, value);
        }
        let sound = *self.shown.sound.lock().unwrap_or_else(|e| e.into_inner());
        line("ringdesk_legs_concealed_ms_total", sound.concealed_ms);
        line("ringdesk_legs_unauthentic_total", sound.unauthentic);
        for (name, h) in [
            ("ringdesk_span_mos", sound.span_mos),
            ("ringdesk_leg_mos", sound.mos),
            ("ringdesk_leg_loss_percent", sound.loss_percent),
            ("ringdesk_leg_jitter_ms", sound.jitter_ms),
            ("ringdesk_leg_rtt_ms", sound.rtt_ms),
            ("ringdesk_leg_peer_mos", sound.peer_mos),
        ] {
            histogram(&mut out, name, &h);
        }
        out
    }
}

/// One histogram: buckets count everything up to their end.
fn histogram(out: &mut String, name: &str, h: &Histogram) {
    let mut below = 0;
    // Writing to a String cannot fail.
    let _ = writeln!(out, "# TYPE {name} histogram");
    for (bound, count) in h.bounds.iter().zip(h.counts) {
        below += count;
        let _ = writeln!(out, "{name}_bucket{{le=\"{bound}\"}} {below}");
    }
    let all: u64 = h.counts.iter().sum();
    let _ = write!(out, "{name}_bucket{{le=\"+Inf\"}} {all}\n{name}_sum {}\n{name}_count {all}\n", h.sum);
}

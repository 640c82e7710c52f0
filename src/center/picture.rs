//! Views built from what the center holds.

use std::collections::BTreeMap;

use super::{
    Center,
    interaction::Interaction,
    view::{AgentView, ConsultView, InteractionView, QueueView, SupervisorView, TenantView, WorkView},
};
use crate::{
    base::{AgentId, Channel, Now, QueueId, TenantId, Wall},
    routing,
};

/// The picture of one tenant.
pub(super) fn tenant(c: &Center, now: Now, id: &TenantId) -> Option<TenantView> {
    let t = c.tenants.get(id)?;
    let agents = t.settings.plan.agents.keys().map(|a| (a.clone(), agent(c, t, a))).collect();
    let queues = queues(c, t, id);
    let mine = c.interactions.values().filter(|i| i.tenant == *id);
    let interactions = mine.map(|i| (i.id, interaction(c, t, i))).collect();
    let tell_agents = t.settings.config.supervision.tell_agents;
    let (trunks, alarms) = (c.calls.trunks(now, id), t.alarms.clone());
    let alerts = t.alerts.on().map(|a| (format!("{}/{}", a.queue, a.metric.as_str()), a.clone())).collect();
    let alerts_past = t.alerts.past().clone();
    Some(TenantView {
        seq: c.seq,
        at: now.wall,
        agents,
        queues,
        interactions,
        trunks,
        alarms,
        alerts,
        alerts_past,
        tell_agents,
    })
}

/// The queues of one tenant.
pub(super) fn queues(c: &Center, t: &super::Tenant, id: &TenantId) -> BTreeMap<QueueId, QueueView> {
    let mut held: BTreeMap<QueueId, Wall> = BTreeMap::new();
    for i in c.interactions.values().filter(|i| i.tenant == *id) {
        if let (Some(queue), Some(talk)) = (&i.queue, i.talk.as_ref().filter(|t| t.held_since.is_some())) {
            held.entry(queue.clone()).and_modify(|at| *at = talk.held_at.min(*at)).or_insert(talk.held_at);
        }
    }
    t.router
        .queues()
        .into_iter()
        .map(|q| {
            let plan = t.settings.plan.queues.get(&q.queue);
            let name = plan.map(|p| p.name.clone()).filter(|n| !n.is_empty()).unwrap_or_else(|| q.queue.to_string());
            let view = QueueView {
                name,
                waiting: q.waiting,
                longest_since: q.longest_since,
                signed_in: q.signed_in,
                ready: q.ready,
                free: q.free,
                offered: q.counts.offered,
                answered: q.counts.answered,
                abandoned: q.counts.abandoned,
                service_level: q.service_level,
                sl_target_s: plan.map_or(0, |p| p.sl_target_s),
                sl_percent: plan.map_or(0, |p| p.sl_percent),
                hold_max_s: plan.and_then(|p| p.hold_max_s).unwrap_or(0),
                held_since: held.get(&q.queue).copied(),
            };
            (q.queue, view)
        })
        .collect()
}

fn agent(c: &Center, t: &super::Tenant, id: &AgentId) -> AgentView {
    let plan = t.settings.plan.agents.get(id);
    let a = t.router.agent(id);
    let state = a.as_ref().map(|a| a.state.clone()).unwrap_or_default();
    let work = a.iter().flat_map(|a| &a.work);
    let offers = |interaction| {
        c.interactions.get(&interaction).and_then(|i| i.rings.iter().find(|(_, r)| r.agent == *id).map(|(o, _)| *o))
    };
    AgentView {
        name: plan.map(|p| p.name.clone()).filter(|n| !n.is_empty()).unwrap_or_else(|| id.to_string()),
        reason: if let routing::AgentState::NotReady(code) = &state { Some(code.clone()) } else { None },
        since: a.as_ref().map(|a| a.since).unwrap_or_default(),
        pending: a.as_ref().and_then(|a| a.pending.as_ref()).map(|s| state_word(s).to_owned()),
        phone: a.as_ref().is_some_and(|a| a.reachable.contains(&Channel::Voice)),
        number: t.numbers.get(id).cloned(),
        console: a.as_ref().is_some_and(|a| a.reachable.contains(&Channel::Webchat)),
        work: work
            .map(|w| WorkView {
                interaction: w.interaction,
                channel: w.channel,
                work: work_word(w.state).to_owned(),
                since: w.since,
                until: w.until,
                offer: offers(w.interaction).filter(|_| w.state == routing::WorkState::Alerting),
            })
            .collect(),
        skills: plan.map(|p| p.skills.iter().map(|(s, l)| (s.to_string(), *l)).collect()).unwrap_or_default(),
        state: state_word(&state).to_owned(),
    }
}

/// The word for an agent's own state.
pub(super) fn state_word(s: &routing::AgentState) -> &'static str {
    match s {
        routing::AgentState::SignedOut => "signed_out",
        routing::AgentState::Ready => "ready",
        routing::AgentState::NotReady(_) => "not_ready",
        routing::AgentState::Away => "away",
    }
}

fn work_word(w: routing::WorkState) -> &'static str {
    match w {
        routing::WorkState::Alerting => "alerting",
        routing::WorkState::Talking => "talking",
        routing::WorkState::Hold => "hold",
        routing::WorkState::WrapUp => "wrap_up",
    }
}

fn interaction(c: &Center, t: &super::Tenant, i: &Interaction) -> InteractionView {
    let agent = i
        .talk
        .as_ref()
        .map(|t| &t.agent)
        .or_else(|| i.rings.values().next().map(|r| &r.agent))
        .or_else(|| i.wraps.keys().next());
    let attributes: BTreeMap<String, String> = i.attributes.clone();
    let recording = i.voice.as_ref().and_then(|v| v.recording.as_ref());
    let supervisors = i.supervisors.iter().map(|(who, s)| SupervisorView {
        supervisor: who.clone(),
        mode: s.mode,
        joined: s.up,
        since: s.since,
    });
    InteractionView {
        channel: i.channel,
        way: i.way,
        stage: i.stage().to_owned(),
        stage_since: i.stage_since,
        since: i.opened.wall,
        to: i.to.clone(),
        from: i.from.clone(),
        customer: i.customer,
        customer_name: c.customer_name(i.id).unwrap_or_default(),
        ticket: i.ticket,
        queue: i.queue.clone(),
        position: i.waiting.as_ref().and_then(|_| t.router.position(i.id)),
        agent: agent.cloned(),
        path: i.path.clone(),
        attributes,
        streams: i.voice.iter().flat_map(|v| &v.streams).map(|s| s.name.clone()).collect(),
        unheard: i.unheard.values().copied().collect(),
        messages: i.chat.as_ref().map_or(0, |c| c.conversation.last_seq()),
        talk_since: i.talk.as_ref().filter(|t| t.connected).map(|t| t.at),
        held_since: i.talk.as_ref().filter(|t| t.held_since.is_some()).map(|t| t.held_at),
        muted: i.talk.as_ref().is_some_and(|t| t.muted),
        recording: recording.map(|r| if r.paused { "paused" } else { "running" }),
        customer_left: i.voice.as_ref().is_some_and(|v| v.left.is_some()),
        callback: i.callback.as_ref().map(super::callback::Callback::view),
        consult: i.consult().map(|c| consult(i, c)),
        supervisors: supervisors.collect(),
    }
}

fn consult(i: &Interaction, c: &super::interaction::Consult) -> ConsultView {
    let held = i.talk.as_ref().is_some_and(|t| t.held_since.is_some());
    let state = match (c.up, c.merged, held) {
        (false, ..) => "ringing",
        (true, true, _) => "merged",
        (true, false, true) => "talking",
        (true, false, false) => "held",
    };
    ConsultView { to: c.to.clone(), helper: c.helper.clone(), state, since: c.since }
}

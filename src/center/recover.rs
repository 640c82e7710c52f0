//! A restart: what the journal remembers is put back, or ended with a cause and a word on the ticket.
//!
//! Chats, tickets, agents' states, wrap-ups and counters go on where they were. A call cannot be resumed yet: its legs are
//! told good-bye, its record is closed with the cause, and a caller who was waiting finds the old place when calling again.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Center, Output, Step, Timer,
    arrive::Opening,
    fact::{EndedBy, Fact, Unqueued, millis},
    interaction::Talk,
    memory::{Memory, Remembered, TenantMemory},
};
use crate::{
    base::{AgentId, Channel, InteractionId, Mono, Now, RecordingId, TenantId, VisitorId, Wall},
    call::Cause,
    ivr, routing, text, ticket,
};

/// What the roof found of a recording that was running: how long it plays and how large it is, after repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repaired {
    /// How long it plays.
    pub duration: Duration,
    /// Bytes of the file.
    pub bytes: u64,
}

impl Center {
    /// Puts a memory back. Call once, before the first input.
    pub fn recover(&mut self, now: Now, memory: Memory, repaired: &BTreeMap<RecordingId, Repaired>, out: &mut Vec<Output>) {
        self.seq = memory.seq;
        let version = self.config.version.clone();
        let tenants: Vec<TenantId> = self.tenants.keys().cloned().collect();
        for tenant in &tenants {
            self.fact(now, tenant, Fact::NodeStarted { version: version.clone() }, out);
            self.day_arm(now, tenant);
            self.alerts_look(now, tenant);
        }
        for (tenant, m) in memory.tenants {
            if self.tenants.contains_key(&tenant) {
                self.recover_tenant(now, &tenant, m, repaired, out);
            } else {
                tracing::warn!(%tenant, "the journal knows a tenant the configuration does not; its contacts stay as they were");
            }
        }
        self.work(now, out);
    }

    fn recover_tenant(
        &mut self,
        now: Now,
        tenant: &TenantId,
        m: TenantMemory,
        repaired: &BTreeMap<RecordingId, Repaired>,
        out: &mut Vec<Output>,
    ) {
        let TenantMemory { tickets, customers, agents, numbers, mut open, counted, alarms, alerts, places, mut books } = m;
        books.cut(now.wall);
        self.calls.restore_books(now, tenant, &books);
        for (from, (entry, at)) in places {
            let left = Self::PLACE_KEPT.saturating_sub(now.wall.since(at));
            if !left.is_zero() {
                self.keep_place(now, tenant, &from, entry, left);
            }
        }
        let live: Vec<_> = tickets.iter().filter(|t| !t.head().state.is_final()).map(|t| t.head().id).collect();
        let t = self.tenants.get_mut(tenant).expect("the caller checked");
        (t.tickets, t.customers, t.alarms, t.numbers) = (tickets, customers, alarms, numbers);
        t.alerts = alerts;
        self.everybody_is_here(tenant);
        let t = self.tenants.get_mut(tenant).expect("the caller checked");
        for event in super::day::today(&t.settings, now.wall, counted.iter()) {
            t.router.restore_count(event);
        }
        for id in live {
            self.ticket_arm(now, tenant, id);
        }
        let mut chosen = Vec::new();
        for (agent, (state, since, pending)) in agents {
            chosen.extend(pending.map(|p| (agent.clone(), p)));
            let wraps = open.iter().filter_map(|(id, r)| {
                r.wraps.get(&agent).map(|w| routing::RestoredWrapUp {
                    interaction: *id,
                    channel: r.channel,
                    queue: r.last_queue.clone(),
                    since: w.since,
                    until: w.until,
                    disposition: w.disposition.clone(),
                })
            });
            // Somebody with chats may wrap up several; each is put back by a call of its own.
            let mut wraps: Vec<_> = wraps.map(Some).collect();
            if wraps.is_empty() {
                wraps.push(None);
            }
            for wrap in wraps {
                let of = wrap.as_ref().map(|w| w.interaction);
                let mut said = Vec::new();
                let t = self.tenants.get_mut(tenant).expect("the caller checked");
                let restored = t.router.restore_agent(now, &agent, state.clone(), since, wrap, &mut said);
                self.router_outputs(now, tenant, said, out);
                if let Err(refused) = restored {
                    tracing::info!(%agent, %refused, "an agent of the journal is not put back");
                    if let Some((interaction, r)) = of.and_then(|i| open.get_mut(&i).map(|r| (i, r))) {
                        r.wraps.remove(&agent);
                        let over = Fact::WrapUpOver { interaction, agent: agent.clone(), timed_out: true, wrap_ms: 0 };
                        self.fact(now, tenant, over, out);
                    }
                }
            }
        }
        self.numbers_look(now, tenant);
        for (id, r) in open {
            match (r.channel, r.visitor) {
                (Channel::Webchat, Some(visitor)) => self.recover_chat(now, tenant, id, visitor, r, out),
                _ => self.recover_call(now, tenant, id, r, repaired, out),
            }
        }
        // Last, when the work in hand is theirs again: who asked for a break during a talk gets it after the talk.
        for (agent, state) in chosen {
            let input = match state {
                routing::AgentState::SignedOut => routing::Input::SignOut { agent },
                routing::AgentState::Ready => routing::Input::SetState { agent, state: routing::Choice::Ready },
                routing::AgentState::NotReady(why) => routing::Input::SetState { agent, state: routing::Choice::NotReady(why) },
                routing::AgentState::Away => routing::Input::SetState { agent, state: routing::Choice::Away },
            };
            self.route(tenant, input);
        }
    }

    fn recover_hold(&mut self, now: Now, tenant: &TenantId, id: InteractionId, r: &Remembered) {
        let settings = self.tenants.get(tenant).expect("the caller checked").settings.clone();
        let opening = Opening {
            tenant: tenant.clone(),
            channel: r.channel,
            way: r.way,
            to: r.to.clone(),
            from: r.from.clone(),
            customer: r.customer,
            ticket: r.ticket,
            visitor: r.visitor,
            verdict: r.verdict.clone(),
        };
        self.hold(now, id, opening, &settings);
        let mono = Mono(now.mono.0.saturating_sub(u64::try_from(now.wall.since(r.opened).as_nanos()).unwrap_or(u64::MAX)));
        let i = self.interactions.get_mut(&id).expect("it was put there on the line above");
        i.opened = Now { mono, wall: r.opened };
        i.path = r.path.clone();
        i.queue = r.last_queue.clone();
        i.closed = r.closed;
        if let Some(e) = &r.queued {
            i.attributes = e.attributes.clone();
        }
        for (agent, w) in &r.wraps {
            i.wraps.insert(agent.clone(), Now { mono: now.mono, wall: w.since });
        }
    }

    fn recover_chat(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        visitor: VisitorId,
        mut r: Remembered,
        out: &mut Vec<Output>,
    ) {
        self.recover_hold(now, tenant, id, &r);
        let settings = self.tenants.get(tenant).expect("the caller checked").settings.clone();
        // Offers are leases: they died with the process.
        self.end_offers(now, tenant, id, &r, out);
        // Who had it is no longer here: it goes back to where it came from.
        let orphan = r.talk.take_if(|(agent, _)| !self.agent_exists(tenant, agent));
        let unattended = orphan.is_some() || !r.offers.is_empty();
        if let Some((agent, at)) = orphan {
            self.talk_cut(now, tenant, id, agent, at, out);
        }
        self.chat_hold(now, id, visitor, &settings);
        if let Some(chat) = self.interactions.get_mut(&id).and_then(|i| i.chat.as_mut()) {
            for m in r.messages {
                chat.conversation.replay(&text::Record::Said(m.into()));
            }
            if let Some((agent, at)) = &r.talk {
                chat.conversation.replay(&text::Record::Joined { agent: agent.clone(), at: *at });
            }
            if r.closed {
                chat.conversation.replay(&text::Record::Closed { why: text::CloseWhy::System, at: now.wall });
            }
            chat.conversation.resume(now);
        }
        self.chat_arm(id);
        if r.closed {
            self.visitors.remove(&visitor);
            return self.forget_if_over(id);
        }
        let flow = r.flow.as_ref().and_then(|f| settings.library.flows.get(f).cloned());
        let talking = r.talk.is_some();
        let rested = r.state.as_ref().is_some_and(|s| s.resting);
        let run = r.state.and_then(|mut state| {
            // The facts know better than the last saved state whether an agent has the chat.
            state.resting |= talking;
            flow.and_then(|f| ivr::Run::resume(f, settings.library.clone(), state).ok())
        });
        let i = self.interactions.get_mut(&id).expect("it was put there above");
        let has_flow = run.is_some();
        i.run = run;
        i.recovered = r.queued.clone().filter(|_| has_flow && !rested);
        if let Some((agent, at)) = r.talk {
            i.talk = Some(Talk::connected(agent.clone(), Now { mono: mono_of(now, at), wall: at }, None));
            self.route(
                tenant,
                routing::Input::Engage { interaction: id, agent, channel: Channel::Webchat, queue: r.last_queue.clone() },
            );
        }
        if has_flow {
            self.run_input(now, id, ivr::Input::Begin, out);
            self.drop_recovered(now, id, out);
        }
        match r.queued {
            // The flow comes to its queue node again and finds the place it had.
            Some(_) if has_flow && !rested => {}
            // Handed there by an agent, or the flow is gone: it waits where it waited.
            Some(entry) => self.wait_again(now, id, entry, "default".into(), false),
            None if talking => {}
            // It was on its way from one agent to another, or its flow is gone: a person takes it from here.
            None if !has_flow || (rested && unattended) => {
                let queue = r.last_queue.or_else(|| settings.plan.queues.keys().next().cloned());
                if let Some(queue) = queue.filter(|q| settings.plan.queues.contains_key(q)) {
                    let mut entry = routing::Entry::new(id, queue, Channel::Webchat, r.opened);
                    entry.entered = Some(now.wall);
                    self.enqueue(now, id, entry, "default".into(), false, out);
                }
            }
            // The talk was over, and the flow had not been told.
            None if rested => self.step(Step::Run(id, ivr::Input::TalkEnded)),
            None => {}
        }
    }

    fn end_offers(&mut self, now: Now, tenant: &TenantId, id: InteractionId, r: &Remembered, out: &mut Vec<Output>) {
        for (offer, agent) in &r.offers {
            let why = routing::StopWhy::EndpointFailed;
            self.fact(now, tenant, Fact::OfferEnded { interaction: id, offer: *offer, agent: agent.clone(), why }, out);
        }
    }

    fn recover_call(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        mut r: Remembered,
        repaired: &BTreeMap<RecordingId, Repaired>,
        out: &mut Vec<Output>,
    ) {
        self.recover_hold(now, tenant, id, &r);
        self.end_offers(now, tenant, id, &r, out);
        for recording in r.recordings.keys() {
            let found = repaired.get(recording);
            let fact = Fact::RecordingEnded {
                interaction: id,
                recording: *recording,
                ms: found.map_or(0, |f| millis(f.duration)),
                bytes: found.map_or(0, |f| f.bytes),
                trouble: Some("server_restart".into()),
            };
            self.fact(now, tenant, fact, out);
        }
        for (leg, l) in std::mem::take(&mut r.legs) {
            if let Some((dialog, media)) = l.dialog {
                let mut said = Vec::new();
                self.calls.bye_restored(now, tenant, dialog, &media, Cause::ServerRestart, &mut said);
                for o in said {
                    if let crate::call::Output::Send { flow, bytes } = o {
                        out.push(Output::Send { flow, bytes });
                    }
                }
            }
            self.fact(now, tenant, Fact::LegEnded { interaction: id, leg, cause: Cause::ServerRestart, quality: None }, out);
        }
        // Whom nobody has reached yet is not cut off by this.
        if let Some(callback) = r.callback.take_if(|_| !r.closed && r.talk.is_none()) {
            return self.callback_recover(now, id, callback, r.queued, out);
        }
        if let Some(entry) = r.queued {
            let waited_ms = millis(now.wall.since(entry.entered.unwrap_or(entry.since)));
            let fact = Fact::Unqueued { interaction: id, queue: entry.queue.clone(), why: Unqueued::ServerRestart, waited_ms };
            self.fact(now, tenant, fact, out);
            self.keep_place(now, tenant, &r.from, entry, Self::PLACE_KEPT);
        }
        if let Some((agent, at)) = r.talk {
            self.talk_cut(now, tenant, id, agent, at, out);
        }
        if !r.closed {
            if let Some(ticket) = r.ticket {
                let text = "The call was cut off by a restart of the server.".to_owned();
                self.ticket_change(now, tenant, ticket, ticket::Actor::System, ticket::Change::Noted { text }, out);
            }
            let fact = Fact::InteractionClosed { interaction: id, cause: Cause::ServerRestart, by: EndedBy::System };
            self.fact(now, tenant, fact, out);
        }
        if let Some(i) = self.interactions.get_mut(&id) {
            i.closed = true;
        }
        self.forget_if_over(id);
    }

    /// A talk the restart has ended. The agent comes back free: nobody wraps up what was taken from them.
    fn talk_cut(&mut self, now: Now, tenant: &TenantId, id: InteractionId, agent: AgentId, since: Wall, out: &mut Vec<Output>) {
        let talk_ms = millis(now.wall.since(since));
        let fact = Fact::TalkEnded { interaction: id, agent: agent.clone(), by: EndedBy::System, talk_ms, hold_ms: 0 };
        self.fact(now, tenant, fact, out);
        let over = Fact::WrapUpOver { interaction: id, agent, timed_out: true, wrap_ms: 0 };
        self.fact(now, tenant, over, out);
    }

    /// Whoever calls again from this number within [`limits::PLACE_KEPT`](crate::base::limits::PLACE_KEPT) stands where they stood.
    fn keep_place(&mut self, now: Now, tenant: &TenantId, from: &str, entry: routing::Entry, left: Duration) {
        if from.is_empty() {
            return;
        }
        if let Some(t) = self.tenants.get_mut(tenant) {
            t.places.insert(from.to_owned(), entry);
            self.timers.set(Timer::Place(tenant.clone(), from.to_owned()), now.mono + left);
        }
    }
}

/// When a wall instant was, on the timer clock.
pub(super) fn mono_of(now: Now, at: crate::base::Wall) -> Mono {
    Mono(now.mono.0.saturating_sub(u64::try_from(now.wall.since(at).as_nanos()).unwrap_or(u64::MAX)))
}

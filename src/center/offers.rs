//! What the router decides: whom to ring, when to stop, who is connected, who leaves unanswered.

use super::{
    Center, LegUse, Output, Step, Timer,
    callback::{self, Callback},
    endpoint::Ringing,
    fact::{EndedBy, Fact, LegRole, Unqueued, millis},
    interaction::Ring,
};
use crate::{
    base::{Channel, InteractionId, Mono, Now, OfferId, TenantId},
    call::{Action, Cause, Party},
    ivr, routing,
};

impl Center {
    /// Hands an input to a tenant's router and carries out what it says, at once.
    pub(super) fn router_input(
        &mut self,
        now: Now,
        tenant: &TenantId,
        input: routing::Input,
        out: &mut Vec<Output>,
    ) -> Result<(), routing::Refused> {
        let Some(t) = self.tenants.get_mut(tenant) else { return Ok(()) };
        let mut said = Vec::new();
        let answer = t.router.handle(now, input, &mut said);
        self.alerts_look(now, tenant);
        self.router_outputs(now, tenant, said, out);
        answer
    }

    pub(super) fn router_outputs(&mut self, now: Now, tenant: &TenantId, said: Vec<routing::Output>, out: &mut Vec<Output>) {
        for o in said {
            self.router_output(now, tenant, o, out);
        }
    }

    fn router_output(&mut self, now: Now, tenant: &TenantId, o: routing::Output, out: &mut Vec<Output>) {
        match o {
            routing::Output::Offer { offer, interaction, agent, ring_until, ring_until_wall, decision } => {
                let until = ring_until_wall;
                self.fact(now, tenant, Fact::Offered { interaction, offer, agent: agent.clone(), until, decision }, out);
                self.ring(now, interaction, offer, agent, ring_until, out);
            }
            routing::Output::StopOffer { offer, interaction, agent, why } => {
                self.fact(now, tenant, Fact::OfferEnded { interaction, offer, agent, why }, out);
                if why != routing::StopWhy::Accepted {
                    self.stop_ringing(interaction, offer, why);
                }
            }
            routing::Output::Connect { interaction, agent, offer } => self.connect(now, interaction, agent, offer, out),
            routing::Output::Exit { interaction, queue, why } => self.exit(now, interaction, queue.is_some(), why, out),
            routing::Output::Agent(a) => {
                self.agent_shows(tenant, &a);
                let routing::AgentChange { agent, state, since, pending, .. } = a;
                self.fact(now, tenant, Fact::AgentState { agent, state, since, pending }, out);
            }
            routing::Output::WrapUp { agent, interaction, until } => {
                self.fact(now, tenant, Fact::WrapUp { interaction, agent, until }, out);
            }
            routing::Output::Disposed { interaction, agent, code, note } => {
                self.disposed(now, tenant, interaction, agent, code, note, out);
            }
            routing::Output::WrapUpOver { agent, interaction, timed_out, .. } => {
                let began = self.interactions.get_mut(&interaction).and_then(|i| i.wraps.remove(&agent));
                let wrap_ms = began.map_or(0, |b| millis(now.mono - b.mono));
                self.fact(now, tenant, Fact::WrapUpOver { interaction, agent, timed_out, wrap_ms }, out);
                self.forget_if_over(interaction);
            }
            routing::Output::Counted(event) => self.fact(now, tenant, Fact::Counted { event }, out),
        }
    }

    fn ring(
        &mut self,
        now: Now,
        id: InteractionId,
        offer: OfferId,
        agent: crate::base::AgentId,
        until: Mono,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let asked_by = i.talk.as_ref().map(|t| t.agent.to_string());
        if asked_by.is_none() {
            i.stage_since = now.wall;
        }
        if i.channel != Channel::Voice {
            // On text channels the console shows it; accepting is a command.
            i.rings.insert(offer, Ring { agent, leg: None });
            return;
        }
        let leg = self.calls.next_leg();
        let name = self.customer_name(id);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let announced = callback::announced(i, name.clone());
        let calls_back = announced.as_ref().map(|_| i.from.clone());
        let display = announced.or(name);
        let headers = vec![
            ("X-CC-Call-Id".to_owned(), id.to_string()),
            ("X-CC-Offer-Id".to_owned(), offer.to_string()),
            ("X-CC-Queue".to_owned(), i.queue.as_ref().map(ToString::to_string).unwrap_or_default()),
            // A colleague asks for advice: it is the colleague who will be heard, not the customer.
            ("X-CC-Consult".to_owned(), asked_by.unwrap_or_default()),
            // The customer is called when the agent is there.
            ("X-CC-Callback".to_owned(), calls_back.unwrap_or_default()),
        ];
        let caller = Party { number: i.from.clone(), display };
        let like = i.talk.as_ref().and_then(|t| t.leg).or(i.customer_leg());
        i.rings.insert(offer, Ring { agent: agent.clone(), leg: Some(leg) });
        let ringing = Ringing {
            leg,
            usage: LegUse::Offer(offer),
            role: LegRole::Agent,
            caller,
            headers: headers.into_iter().filter(|(_, v)| !v.is_empty()).collect(),
            // The router's lease ends the ringing; the leg's own limit is only there should we forget.
            ring_for: (until - now.mono) + std::time::Duration::from_secs(5),
            like,
        };
        self.ring_agent(now, id, &agent, ringing, out);
    }

    fn stop_ringing(&mut self, id: InteractionId, offer: OfferId, why: routing::StopWhy) {
        let Some(ring) = self.interactions.get_mut(&id).and_then(|i| i.rings.remove(&offer)) else { return };
        if let Some(leg) = ring.leg {
            let cause = match why {
                routing::StopWhy::LostRace => Cause::ElsewhereAnswered,
                routing::StopWhy::NoAnswer => Cause::NoAnswer,
                _ => Cause::CallerGaveUp,
            };
            self.call(Action::Hangup { leg, cause });
        }
    }

    /// It leaves routing unanswered: the flow goes on with it; without a flow it is over.
    fn exit(&mut self, now: Now, id: InteractionId, waited: bool, why: routing::ExitWhy, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        if i.talk.is_some() {
            return self.helper_not_found(now, id, out);
        }
        i.stage_since = now.wall;
        let tenant = i.tenant.clone();
        let w = i.waiting.take();
        if let (Some(w), true) = (&w, waited) {
            let why = match why {
                routing::ExitWhy::Timeout => Unqueued::Timeout,
                routing::ExitWhy::NoAgents | routing::ExitWhy::NoAnswer | routing::ExitWhy::QueueGone => Unqueued::NoAgents,
                routing::ExitWhy::Full => Unqueued::Full,
            };
            let waited_ms = millis(now.mono - w.since);
            self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue: w.entry.queue.clone(), why, waited_ms }, out);
        }
        let Some(v) = self.interactions.get_mut(&id) else { return };
        let leg = v.customer_leg();
        if let (Some(leg), Some((play, _))) = (leg, v.voice.as_mut().and_then(|v| v.play.take())) {
            self.call(Action::StopPlay { leg, play });
        }
        let result = match why {
            routing::ExitWhy::Timeout => ivr::QueueResult::Timeout,
            routing::ExitWhy::Full => ivr::QueueResult::Full,
            _ => ivr::QueueResult::NoAgents,
        };
        if w.is_some_and(|w| w.by_flow) {
            return self.step(Step::Run(id, ivr::Input::Queue(result)));
        }
        let cause = match why {
            routing::ExitWhy::NoAnswer => Cause::NoAnswer,
            routing::ExitWhy::Full => Cause::Congestion,
            _ => Cause::Unreachable,
        };
        if self.interactions.get(&id).and_then(|i| i.callback.as_ref()).is_some_and(Callback::is_due) {
            return self.callback_given_up(now, id, cause, out);
        }
        // A direct call to an agent nobody answered, or a handed-over customer nobody took.
        let has_flow = self.interactions.get(&id).is_some_and(|i| i.run.is_some());
        if has_flow {
            self.step(Step::Run(id, ivr::Input::Transfer(ivr::TransferResult::NoAnswer)));
        }
        self.after_talk(now, id, cause, EndedBy::System, out);
    }

    /// Tells whoever waits where they stand, and sees to it that it is done again.
    pub(super) fn tell_positions(&mut self, now: Now, out: &mut Vec<Output>) {
        let waiting: Vec<(InteractionId, TenantId)> =
            self.interactions.values().filter(|i| i.waiting.is_some()).map(|i| (i.id, i.tenant.clone())).collect();
        if waiting.is_empty() {
            return;
        }
        self.timers.set(Timer::Positions, now.mono + super::POSITIONS_EVERY);
        for (id, tenant) in waiting {
            let Some(t) = self.tenants.get(&tenant) else { continue };
            let Some(position) = t.router.position(id) else { continue };
            let ewt = t.router.ewt(id);
            let info = ivr::Input::QueueInfo {
                position: u32::try_from(position).unwrap_or(u32::MAX),
                ewt_s: ewt.as_ref().map_or(0.0, |e| e.mean.as_secs_f64()),
                confidence: ewt.as_ref().map_or(0.0, sureness),
            };
            let seconds = ewt.filter(|e| sureness(e) >= 0.5).map(|e| e.mean.as_secs());
            if self.interactions.get(&id).is_some_and(|i| i.waiting.as_ref().is_some_and(|w| w.by_flow)) {
                self.step(Step::Run(id, info));
            }
            self.tell_visitor_position(id, position, seconds, out);
        }
    }
}

/// How sure an estimate is, as flows compare it: they announce a wait from one half on.
fn sureness(e: &routing::Ewt) -> f64 {
    match e.confidence {
        routing::Confidence::None => 0.0,
        routing::Confidence::Low => 0.3,
        routing::Confidence::Fair => 0.6,
        routing::Confidence::Good => 0.9,
    }
}

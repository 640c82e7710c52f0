//! Together and apart: connecting customer and agent, handing over, ending, closing.

use std::time::Duration;

use media::wire::{LegId, Repeat};

use super::{
    Center, LegUse, Output, Step, Timer,
    callback::Callback,
    command::{Refusal, RefusalCode, TransferTo},
    fact::{ConsultEnd, EndedBy, Fact, LegRole, Unqueued, millis},
    interaction::{Outside, Playing, Talk},
    trunks::Behalf,
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, OfferId},
    call::{Action, Cause, Endpoint, Party, Prompt, trunk::Permit},
    ivr, routing, text, ticket,
};

impl Center {
    /// The router says: let them speak.
    pub(super) fn connect(&mut self, now: Now, id: InteractionId, agent: AgentId, offer: OfferId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        if i.talk.is_some() {
            return self.helper_answered(now, id, agent, offer, out);
        }
        if i.callback.as_ref().is_some_and(Callback::is_due) {
            return self.callback_taken(now, id, agent, offer, out);
        }
        let tenant = i.tenant.clone();
        let leg = i.rings.remove(&offer).and_then(|r| r.leg);
        let waited = i.waiting.take();
        i.talk = Some(Talk::connected(agent.clone(), now, leg));
        i.stage_since = now.wall;
        if let Some(w) = &waited {
            let waited_ms = millis(now.mono - w.since);
            let queue = w.entry.queue.clone();
            self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue, why: Unqueued::Answered, waited_ms }, out);
        }
        self.fact(now, &tenant, Fact::Connected { interaction: id, agent: agent.clone(), offer: Some(offer) }, out);
        if let Some(leg) = leg {
            self.attach(leg, id, LegUse::Agent);
        }
        // The flow rests until the talk is over, whichever way it handed the customer on.
        self.step(Step::Run(
            id,
            match waited.is_some_and(|w| w.by_flow) {
                true => ivr::Input::Queue(ivr::QueueResult::Answered),
                false => ivr::Input::Transfer(ivr::TransferResult::Answered),
            },
        ));
        self.ticket_taken(now, id, &agent, out);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        match i.channel {
            Channel::Voice => {
                // A call to an agent's own number has been ringing unanswered until now.
                match i.voice.as_ref().map(|v| (v.leg, v.up)) {
                    Some((Some(leg), false)) => self.call(Action::Answer { leg }),
                    _ => self.join(now, id, out),
                }
            }
            Channel::Webchat => self.conversation(now, id, text::Input::Join { agent }, out),
        }
    }

    /// A number that is being rung says something before it answers (its own ringing, "is not in service"): whoever waits for
    /// it hears that.
    pub(super) fn early_sound(&mut self, leg: LegId) {
        let Some((id, usage)) = self.legs.get(&leg).cloned() else { return };
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(v) = i.voice.as_mut() else { return };
        let (waits, rung) = match usage {
            LegUse::Customer | LegUse::Agent => match (&i.talk, v.leg) {
                // The agent's own phone dialled: it has to be let hear first, and comes back here.
                (Some(t), Some(_)) if !t.up && usage == LegUse::Customer => {
                    return t.leg.into_iter().for_each(|leg| self.call(Action::EarlyMedia { leg }));
                }
                (Some(t), Some(customer)) if !t.connected => (t.leg, Some(customer)),
                _ => return,
            },
            LegUse::Outside => (v.leg, v.outside.as_ref().map(|o| o.leg)),
            LegUse::Offer(_) | LegUse::Helper | LegUse::Supervisor(_) => return,
        };
        let (Some(waits), Some(rung)) = (waits, rung) else { return };
        v.early = Some(rung);
        if let Some((play, _)) = v.play.take() {
            self.call(Action::StopPlay { leg: waits, play });
        }
        self.callback_quiet(id);
        self.remix(id);
    }

    /// Both legs are up: they hear each other, and it is recorded.
    pub(super) fn join(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some((talk, agent_leg)) = i.talk.as_mut().and_then(|t| t.leg.map(|l| (t, l))) else { return };
        let Some(v) = i.voice.as_mut() else { return };
        let Some(customer_leg) = v.leg.filter(|_| v.up) else { return };
        if self.calls.is_closing(customer_leg) || self.calls.is_closing(agent_leg) {
            // One of them has hung up in this very moment: the end of the leg is on its way here.
            return;
        }
        if !talk.up {
            // The agent's own phone dialled out and has heard ringing so far. Its answer comes back here.
            return self.call(Action::Answer { leg: agent_leg });
        }
        let first = !std::mem::replace(&mut talk.connected, true);
        let (agent, tenant) = (talk.agent.clone(), i.tenant.clone());
        if first {
            (talk.since, talk.at) = (now.mono, now.wall);
            i.stage_since = now.wall;
        }
        if let Some((play, _)) = v.play.take() {
            self.call(Action::StopPlay { leg: customer_leg, play });
        }
        self.remix(id);
        if first {
            self.fact(now, &tenant, Fact::Connected { interaction: id, agent: agent.clone(), offer: None }, out);
            self.ticket_taken(now, id, &agent, out);
        }
        self.record_talk(now, id, out);
        self.stream_talk(now, id, out);
    }

    /// Hands a talk over. The agent's part ends (blind transfer); what the customer hears next is up to the target.
    pub(super) fn transfer(
        &mut self,
        now: Now,
        id: InteractionId,
        to: TransferTo,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let Some(talk) = i.talk.as_ref().filter(|t| t.connected) else {
            return Err(Refusal::wrong_state(id, "is not being talked to"));
        };
        if i.voice.as_ref().is_some_and(|v| v.left.is_some()) {
            return Err(Refusal::new(RefusalCode::WrongState, format!("the customer of interaction {id} has hung up")));
        }
        let (agent, tenant, settings, channel) = (talk.agent.clone(), i.tenant.clone(), i.settings.clone(), i.channel);
        // Check first, so that a refused transfer leaves the two talking.
        let outward = self.way_to(now, &settings, (id, channel, &agent), &to, out)?;
        self.fact(now, &tenant, Fact::Transferred { interaction: id, agent, to: to.clone() }, out);
        self.part(now, id, EndedBy::Agent, Cause::Normal, out);
        if outward.is_some() {
            // No agent any more, and so nobody to look over the shoulder of.
            self.supervisors_leave(now, id, out);
        }
        match to {
            TransferTo::Queue { queue } => {
                // The age of the contact is kept: a handed-over customer does not start at the end.
                let opened = self.interactions.get(&id).map_or(now.wall, |i| i.opened.wall);
                let mut entry = routing::Entry::new(id, queue, channel, opened);
                entry.entered = Some(now.wall);
                self.enqueue(now, id, entry, "default".into(), false, out);
                self.music(id);
            }
            TransferTo::Agent { agent } => {
                self.music(id);
                self.route(&tenant, routing::Input::Assign { interaction: id, agent, channel });
            }
            TransferTo::Number { .. } => {
                let permit = outward.expect("a number was checked above");
                self.ring_outside(now, id, permit, false, out);
            }
        }
        Ok(())
    }

    /// Checks where somebody is to be handed to; for a number outside only that one can be called.
    pub(super) fn target(
        &self,
        settings: &super::settings::TenantSettings,
        channel: Channel,
        to: &TransferTo,
    ) -> Result<(), Refusal> {
        match to {
            TransferTo::Queue { queue } if !settings.plan.queues.contains_key(queue) => {
                Err(Refusal::not_found(format!("queue {queue}")))
            }
            TransferTo::Agent { agent } if !settings.plan.agents.contains_key(agent) => {
                Err(Refusal::not_found(format!("agent {agent}")))
            }
            TransferTo::Number { .. } if channel != Channel::Voice => {
                Err(Refusal::new(RefusalCode::Invalid, "a chat cannot be handed to a telephone number"))
            }
            _ => Ok(()),
        }
    }

    /// Checks where a customer is to be handed to; for a number the right to call it.
    fn way_to(
        &mut self,
        now: Now,
        settings: &super::settings::TenantSettings,
        (id, channel, agent): (InteractionId, Channel, &AgentId),
        to: &TransferTo,
        out: &mut Vec<Output>,
    ) -> Result<Option<Permit>, Refusal> {
        self.target(settings, channel, to)?;
        let TransferTo::Number { number } = to else { return Ok(None) };
        let Some(i) = self.interactions.get(&id) else { return Ok(None) };
        let (from, dialled) = (i.from.clone(), i.to.clone());
        let whose = Behalf { agent: Some(agent), source: &from, diverted: Some(&dialled), interaction: Some(id) };
        self.permit(now, settings, whose, number, out).map(Some)
    }

    /// Rings an outside party for a customer who hears ringback meanwhile; where the carrier takes callers away, it is asked to.
    pub(super) fn ring_outside(&mut self, now: Now, id: InteractionId, permit: Permit, by_flow: bool, out: &mut Vec<Output>) {
        let Some(permit) = self.take_away(id, permit, by_flow) else { return };
        self.bridge_outside(now, id, permit, by_flow, out);
    }

    /// The same by a leg of our own.
    pub(super) fn bridge_outside(&mut self, now: Now, id: InteractionId, permit: Permit, by_flow: bool, out: &mut Vec<Output>) {
        let (leg, play) = (self.calls.next_leg(), self.play_id());
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let from = i.from.clone();
        let Some(v) = i.voice.as_mut() else { return };
        v.outside = Some(Outside { leg, up: false, by_flow });
        let customer = v.leg;
        v.play = customer.map(|_| (play, Playing::Ringback));
        self.attach(leg, id, LegUse::Outside);
        self.leg_fact(now, id, leg, LegRole::Outside, permit.number().to_owned(), String::new(), out);
        if let Some(leg) = customer {
            self.call(Action::Play { leg, play, prompts: ringback(), repeat: Repeat::Forever });
        }
        self.call(Action::Ring {
            leg,
            to: Endpoint::Trunk(permit),
            caller: Party { number: from, display: None },
            headers: Vec::new(),
            ring_for: Duration::from_secs(60),
            like: customer,
        });
    }

    /// The outside party answered: customer and party are together; a flow that waited for it is told.
    pub(super) fn outside_answered(&mut self, id: InteractionId) {
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        let (Some(customer), Some(o)) = (v.leg, v.outside.as_mut()) else { return };
        o.up = true;
        let by_flow = o.by_flow;
        if let Some((play, _)) = v.play.take() {
            self.call(Action::StopPlay { leg: customer, play });
        }
        self.remix(id);
        if by_flow {
            self.step(Step::Run(id, ivr::Input::Transfer(ivr::TransferResult::Answered)));
        }
    }

    /// The outside party is gone: before answering the flow decides; after a talk the contact is over.
    pub(super) fn outside_gone(&mut self, now: Now, id: InteractionId, cause: Cause, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(v) = i.voice.as_mut() else { return };
        let Some(o) = v.outside.take() else { return };
        if let (Some(leg), Some((play, _))) = (v.leg, v.play.take()) {
            self.call(Action::StopPlay { leg, play });
        }
        self.remix(id);
        if self.interactions.get(&id).is_none_or(|i| i.closed) {
            return;
        }
        let told = match cause {
            _ if o.up => ivr::Input::TalkEnded,
            Cause::Busy => ivr::Input::Transfer(ivr::TransferResult::Busy),
            Cause::NoAnswer | Cause::Unreachable => ivr::Input::Transfer(ivr::TransferResult::NoAnswer),
            _ => ivr::Input::Transfer(ivr::TransferResult::Failed),
        };
        match o.by_flow {
            true => self.step(Step::Run(id, told)),
            false => self.after_talk(now, id, if o.up { Cause::Normal } else { cause }, EndedBy::System, out),
        }
    }

    /// The agent who dials has picked up the own phone: now the number is rung.
    pub(super) fn dialling_agent_answered(&mut self, now: Now, id: InteractionId, leg: LegId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(t) = i.talk.as_mut().filter(|t| t.leg == Some(leg)) else { return };
        t.up = true;
        if !t.connected {
            (t.since, t.at) = (now.mono, now.wall);
        }
        let held = t.held_since.is_some();
        let agent = t.agent.clone();
        let settings = i.settings.clone();
        let Some(number) = i.voice.as_mut().and_then(|v| v.dial.take()) else {
            return match held {
                true => self.remix(id),
                false => self.join(now, id, out),
            };
        };
        let whose = Behalf { agent: Some(&agent), source: agent.as_str(), diverted: None, interaction: Some(id) };
        match self.permit(now, &settings, whose, &number, out) {
            Ok(permit) => self.ring_customer(now, id, permit, out),
            Err(refusal) => {
                tracing::info!(interaction = %id, %refusal, "the way out was closed while the agent's phone rang");
                self.call(Action::Hangup { leg, cause: Cause::NotAllowed });
            }
        }
    }

    /// The talk is over because a side is gone or the agent finished it. The customer, if still there, goes on in the flow.
    pub(super) fn talk_over(&mut self, now: Now, id: InteractionId, by: EndedBy, out: &mut Vec<Output>) {
        self.part(now, id, by, Cause::Normal, out);
        self.after_talk(now, id, Cause::Normal, by, out);
    }

    /// The customer is alone again: the flow goes on (a survey, good-bye), or it is over.
    pub(super) fn after_talk(&mut self, now: Now, id: InteractionId, cause: Cause, by: EndedBy, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id).filter(|i| !i.closed) else { return };
        if let Some((cause, by)) = i.voice.as_ref().and_then(|v| v.left) {
            return self.close(now, id, cause, by, out);
        }
        match i.channel {
            _ if i.run.is_some() => self.step(Step::Run(id, ivr::Input::TalkEnded)),
            Channel::Voice if i.customer_leg().is_some() => self.hang_up_customer(id, cause),
            _ => self.close(now, id, cause, by, out),
        }
    }

    /// Ends the agent's part: legs apart, times written, wrap-up begun. `cause` is what a phone is told that still hears it
    /// ring.
    pub(super) fn part(&mut self, now: Now, id: InteractionId, by: EndedBy, cause: Cause, out: &mut Vec<Output>) {
        self.consult_over(now, id, ConsultEnd::Ended, out);
        let Some(talk) = self.talk_take(now, id, by, out) else { return };
        self.remix(id);
        if let Some(leg) = talk.leg {
            self.call(Action::Hangup { leg, cause: if talk.up { Cause::Normal } else { cause } });
        }
        self.record_stop(id);
        let Some(i) = self.interactions.get(&id) else { return };
        let (tenant, chat) = (i.tenant.clone(), i.chat.is_some() && !i.closed);
        if chat {
            self.conversation(now, id, text::Input::Leave { agent: talk.agent.clone() }, out);
        }
        self.route(&tenant, routing::Input::Ended { interaction: id, agent: talk.agent });
    }

    /// Takes the talk out of the contact: what the customer hears is stopped, the times are written.
    fn talk_take(&mut self, now: Now, id: InteractionId, by: EndedBy, out: &mut Vec<Output>) -> Option<Talk> {
        self.timers.clear(&Timer::Hold(id));
        self.timers.clear(&Timer::AgentLost(id));
        let i = self.interactions.get_mut(&id)?;
        let talk = i.talk.take()?;
        let tenant = i.tenant.clone();
        i.stage_since = now.wall;
        let hold = talk.held_total(now.mono);
        let total = now.mono - talk.since;
        i.wraps.insert(talk.agent.clone(), now);
        let playing = i.voice.as_mut().and_then(|v| v.leg.zip(v.play.take()));
        if let Some((leg, (play, _))) = playing {
            self.call(Action::StopPlay { leg, play });
        }
        if talk.connected {
            let fact = Fact::TalkEnded {
                interaction: id,
                agent: talk.agent.clone(),
                by,
                talk_ms: millis(total.saturating_sub(hold)),
                hold_ms: millis(hold),
            };
            self.fact(now, &tenant, fact, out);
        }
        Some(talk)
    }

    /// Another agent has the customer from one moment to the next: a helper, a supervisor. The former one wraps up.
    pub(super) fn change_agent(
        &mut self,
        now: Now,
        id: InteractionId,
        by: EndedBy,
        (agent, offer, leg): (AgentId, Option<OfferId>, LegId),
        out: &mut Vec<Output>,
    ) {
        let Some(former) = self.talk_take(now, id, by, out) else { return };
        self.record_stop(id);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (tenant, queue) = (i.tenant.clone(), i.queue.clone());
        i.talk = Some(Talk::connected(agent.clone(), now, Some(leg)));
        i.wraps.remove(&agent);
        self.attach(leg, id, LegUse::Agent);
        self.fact(now, &tenant, Fact::Connected { interaction: id, agent: agent.clone(), offer }, out);
        self.remix(id);
        if let Some(leg) = former.leg {
            self.call(Action::Hangup { leg, cause: Cause::Normal });
        }
        self.ticket_taken(now, id, &agent, out);
        self.record_talk(now, id, out);
        let channel = Channel::Voice;
        self.route(&tenant, routing::Input::Engage { interaction: id, agent, channel, queue });
        self.route(&tenant, routing::Input::Ended { interaction: id, agent: former.agent });
    }

    /// Customer and the number they were handed to go on by themselves, the agent is out of it.
    pub(super) fn leave_outside(&mut self, now: Now, id: InteractionId, leg: LegId, out: &mut Vec<Output>) {
        let Some(former) = self.talk_take(now, id, EndedBy::Agent, out) else { return };
        self.record_stop(id);
        self.supervisors_leave(now, id, out);
        self.attach(leg, id, LegUse::Outside);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        if let Some(v) = i.voice.as_mut() {
            v.outside = Some(Outside { leg, up: true, by_flow: false });
        }
        self.remix(id);
        if let Some(leg) = former.leg {
            self.call(Action::Hangup { leg, cause: Cause::Normal });
        }
        self.route(&tenant, routing::Input::Ended { interaction: id, agent: former.agent });
    }

    /// Lets the customer's leg go; the closure follows when it is gone.
    pub(super) fn hang_up_customer(&mut self, id: InteractionId, cause: Cause) {
        if let Some(leg) = self.interactions.get(&id).and_then(|i| i.customer_leg()) {
            self.call(Action::Hangup { leg, cause });
        }
    }

    /// The contact is over for the customer: everything they held is released.
    pub(super) fn close(&mut self, now: Now, id: InteractionId, cause: Cause, by: EndedBy, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id).filter(|i| !i.closed) else { return };
        i.closed = true;
        i.stage_since = now.wall;
        let (tenant, leg) = (i.tenant.clone(), i.customer_leg());
        self.guest_gone(id);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let outside = i.voice.as_mut().and_then(|v| v.outside.take());
        let waiting = i.waiting.take();
        // Offers of a consultation are ended with it.
        let offered = !i.rings.is_empty() && i.talk.is_none();
        if let Some(w) = waiting {
            let why = if by == EndedBy::Customer { Unqueued::Abandoned } else { Unqueued::Ended };
            let waited_ms = millis(now.mono - w.since);
            self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue: w.entry.queue, why, waited_ms }, out);
            let why = if by == EndedBy::Customer { routing::Withdrawn::Abandoned } else { routing::Withdrawn::Left };
            self.withdraw(now, id, why, out);
        } else if offered {
            self.withdraw(now, id, routing::Withdrawn::Abandoned, out);
        }
        self.callback_quiet(id);
        self.callback_over(id);
        self.part(now, id, by, cause, out);
        self.voicemail_keep(id);
        self.record_stop(id);
        if let Some(o) = outside {
            self.call(Action::Hangup { leg: o.leg, cause: Cause::Normal });
        }
        if let Some(leg) = leg {
            self.call(Action::Hangup { leg, cause });
        }
        if self.interactions.get(&id).is_some_and(|i| i.run.is_some()) {
            self.run_input(now, id, ivr::Input::Hangup, out);
        }
        self.supervisors_leave(now, id, out);
        self.close_conversation(now, id, by, out);
        self.fact(now, &tenant, Fact::InteractionClosed { interaction: id, cause, by }, out);
        self.ticket_after(now, id, out);
        self.forget_if_over(id);
        self.ladder_settle(now, id);
    }

    /// Takes it out of the router, whose outputs (stop ringing) are carried out at once.
    pub(super) fn withdraw(&mut self, now: Now, id: InteractionId, why: routing::Withdrawn, out: &mut Vec<Output>) {
        let Some(tenant) = self.interactions.get(&id).map(|i| i.tenant.clone()) else { return };
        if let Err(refused) = self.router_input(now, &tenant, routing::Input::Withdraw { interaction: id, why }, out) {
            tracing::debug!(interaction = %id, %refused, "nothing to withdraw");
        }
    }

    /// Queue music to a waiting customer, unless something else is being played.
    pub(super) fn music(&mut self, id: InteractionId) {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let default = hold_music(&i.settings, i.queue.as_ref());
        let music = i.waiting.as_ref().map(|w| w.music.clone()).filter(|m| m != "default").unwrap_or(default);
        let Some(v) = i.voice.as_mut().filter(|v| v.up && v.play.is_none()) else { return };
        let Some(leg) = v.leg else { return };
        v.play = Some((play, Playing::Music));
        self.call(Action::Play { leg, play, prompts: vec![Prompt::Music(music.into())], repeat: Repeat::Forever });
    }

    /// What a ticket learns from a contact that ended.
    fn ticket_after(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (Some(ticket), tenant) = (i.ticket, i.tenant.clone()) else { return };
        // A call back that came to nothing has said so itself, and who is called back has been promised.
        let talked = !i.wraps.is_empty() || i.callback.is_some() || i.booked.is_some();
        if !talked && i.channel == Channel::Voice {
            // Nobody spoke with them: whoever opens the ticket should see that they tried.
            let text = format!("Call from {} ended without reaching anybody.", i.from);
            self.ticket_change(now, &tenant, ticket, ticket::Actor::System, ticket::Change::Noted { text }, out);
        }
    }
}

/// 425 Hz, 1 s on and 4 s off: the ringback of the E.180 zone China and most of Europe are in.
pub(super) fn ringback() -> Vec<Prompt> {
    vec![Prompt::Tone { hz: 425, ms: 1000 }, Prompt::Silence(Duration::from_secs(4))]
}

/// The music of a queue, or the house's.
pub(super) fn hold_music(settings: &super::settings::TenantSettings, queue: Option<&crate::base::QueueId>) -> String {
    queue.and_then(|q| settings.plan.queues.get(q)).and_then(|q| q.music.clone()).unwrap_or_else(|| "default".into())
}

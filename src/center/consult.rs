//! Asking somebody for advice while the customer hears music: an agent, whoever a queue finds, or a number.
//!
//! ```text
//!           ┌── nobody took it, helper hung up ──▶ customer still on hold: the agent takes them back when ready
//!  consult ─┼── answered ⇄ swap ─┬─ complete ─▶ helper has the customer, agent wraps up
//!           │                    ├─ merge ────▶ all three; whoever leaves leaves the others talking
//!           └── cancel ──────────┴─ cancel ───▶ customer back, helper free
//! ```
//!
//! Helpers are found by the router, so their capacity is right while they help; an agent who only helped has nothing to wrap
//! up. The talk is the asking agent's until it is completed. An agent whose phone goes away in the middle has handed over:
//! to the helper who is there, or to whoever was being asked, so the customer is never left to nobody. A customer who hangs up
//! lets the two finish: the contact is over when they are.

use media::wire::{LegId, Repeat};

use super::{
    Center, LegUse, Output, Timer,
    command::{Actor, ConsultStep, Refusal, RefusalCode, TransferTo},
    fact::{ConsultEnd, EndedBy, Fact, LegRole},
    interaction::{Consult, Outside, Playing, Waiting},
    talk::hold_music,
    trunks::Behalf,
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, OfferId, TenantId},
    call::{Action, Cause, Endpoint, Party, Prompt, trunk::Permit},
    routing,
};

impl Center {
    /// Begins to ask.
    pub(super) fn consult(
        &mut self,
        now: Now,
        id: InteractionId,
        to: TransferTo,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let talk = i.talk.as_ref().filter(|t| t.connected && t.leg.is_some());
        let talk = talk.ok_or_else(|| Refusal::wrong_state(id, "is no call being talked in"))?;
        if i.customer_leg().is_none() {
            return Err(Refusal::wrong_state(id, "has no customer on the line"));
        }
        if i.consult().is_some() {
            return Err(Refusal::wrong_state(id, "has a consultation already"));
        }
        if matches!(&to, TransferTo::Agent { agent } if *agent == talk.agent) {
            return Err(Refusal::new(RefusalCode::Invalid, "nobody asks themselves for advice"));
        }
        let (agent, tenant, settings, opened) = (talk.agent.clone(), i.tenant.clone(), i.settings.clone(), i.opened.wall);
        self.target(&settings, Channel::Voice, &to)?;
        let outward = match &to {
            TransferTo::Number { number } => {
                // The agent calls; that the customer may be handed over later is not known yet.
                let whose = Behalf { agent: Some(&agent), source: agent.as_str(), diverted: None, interaction: Some(id) };
                Some(self.permit(now, &settings, whose, number, out)?)
            }
            _ => None,
        };
        let entry = match &to {
            TransferTo::Queue { queue } => {
                let mut entry = routing::Entry::new(id, queue.clone(), Channel::Voice, opened);
                entry.entered = Some(now.wall);
                Some(entry)
            }
            _ => None,
        };
        let asked = Consult {
            to: to.clone(),
            since: now.wall,
            entry: entry.clone(),
            helper: None,
            offer: None,
            leg: None,
            up: false,
            merged: false,
            play: None,
        };
        if let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) {
            v.consult = Some(asked);
        }
        self.fact(now, &tenant, Fact::Consulted { interaction: id, agent, to: to.clone() }, out);
        let begun = match (to, entry, outward) {
            (_, Some(entry), _) => self.router_input(now, &tenant, routing::Input::Enqueue(entry), out),
            (TransferTo::Agent { agent }, ..) => {
                let assign = routing::Input::Assign { interaction: id, agent, channel: Channel::Voice };
                self.router_input(now, &tenant, assign, out)
            }
            (_, _, Some(permit)) => {
                self.helper_ring(now, id, permit, out);
                Ok(())
            }
            _ => Ok(()),
        };
        if let Err(refused) = begun {
            self.consult_over(now, id, ConsultEnd::NotTaken, out);
            return Err(Refusal::new(RefusalCode::WrongState, refused.to_string()));
        }
        if self.interactions.get(&id).is_none_or(|i| i.consult().is_none()) {
            return Err(Refusal::wrong_state(id, "finds nobody there to take the consultation"));
        }
        self.hold_set(now, id, true, out);
        self.helper_sound(id);
        Ok(())
    }

    fn helper_ring(&mut self, now: Now, id: InteractionId, permit: Permit, out: &mut Vec<Output>) {
        let leg = self.calls.next_leg();
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let like = i.talk.as_ref().and_then(|t| t.leg);
        if let Some(c) = i.voice.as_mut().and_then(|v| v.consult.as_mut()) {
            c.leg = Some(leg);
        }
        self.attach(leg, id, LegUse::Helper);
        self.leg_fact(now, id, leg, LegRole::Helper, permit.number().to_owned(), String::new(), out);
        self.call(Action::Ring {
            leg,
            to: Endpoint::Trunk(permit),
            caller: Party { number: String::new(), display: None },
            headers: Vec::new(),
            ring_for: super::arrive::RING_OUTSIDE,
            like,
        });
    }

    /// An agent took the consultation.
    pub(super) fn helper_answered(
        &mut self,
        now: Now,
        id: InteractionId,
        helper: AgentId,
        offer: OfferId,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let leg = i.rings.remove(&offer).and_then(|r| r.leg);
        let (tenant, agent) = (i.tenant.clone(), i.talk.as_ref().map(|t| t.agent.clone()));
        let consult = i.voice.as_mut().and_then(|v| v.consult.as_mut());
        let (Some(c), Some(leg), Some(agent)) = (consult, leg, agent) else {
            // Nobody asks any more; whoever picked up is free again.
            if let Some(leg) = leg {
                self.call(Action::Hangup { leg, cause: Cause::CallerGaveUp });
            }
            return self.route(&tenant, routing::Input::Released { interaction: id, agent: helper });
        };
        (c.helper, c.offer, c.leg, c.up) = (Some(helper.clone()), Some(offer), Some(leg), true);
        self.attach(leg, id, LegUse::Helper);
        self.fact(now, &tenant, Fact::ConsultAnswered { interaction: id, agent, helper: Some(helper) }, out);
        self.helper_sound(id);
        self.remix(id);
    }

    /// The number answered.
    pub(super) fn helper_number_answered(&mut self, now: Now, id: InteractionId, leg: LegId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (tenant, agent) = (i.tenant.clone(), i.talk.as_ref().map(|t| t.agent.clone()));
        let consult = i.voice.as_mut().and_then(|v| v.consult.as_mut()).filter(|c| c.leg == Some(leg));
        let (Some(c), Some(agent)) = (consult, agent) else { return self.call(Action::Hangup { leg, cause: Cause::Normal }) };
        c.up = true;
        self.fact(now, &tenant, Fact::ConsultAnswered { interaction: id, agent, helper: None }, out);
        self.helper_sound(id);
        self.remix(id);
    }

    /// What a consultation plays: ringing to the agent until somebody is there, music to a helper who waits.
    pub(super) fn helper_sound(&mut self, id: InteractionId) {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some((agent_leg, held)) = i.talk.as_ref().map(|t| (t.leg, t.held_since.is_some())) else { return };
        let music = hold_music(&i.settings, i.queue.as_ref());
        let Some(c) = i.voice.as_mut().and_then(|v| v.consult.as_mut()) else { return };
        let wanted = match (c.up, held, c.merged) {
            (false, true, _) => agent_leg.map(|l| (l, super::talk::ringback())),
            (true, false, false) => c.leg.map(|l| (l, vec![Prompt::Music(music.into())])),
            _ => None,
        };
        if wanted.as_ref().map(|(l, _)| *l) == c.play.map(|(l, _)| l) {
            return;
        }
        let before = std::mem::replace(&mut c.play, wanted.as_ref().map(|(l, _)| (*l, play)));
        if let Some((leg, play)) = before {
            self.call(Action::StopPlay { leg, play });
        }
        if let Some((leg, prompts)) = wanted {
            self.call(Action::Play { leg, play, prompts, repeat: Repeat::Forever });
        }
    }

    /// What becomes of it.
    pub(super) fn consult_step(
        &mut self,
        now: Now,
        id: InteractionId,
        step: ConsultStep,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let c = i.consult().ok_or_else(|| Refusal::wrong_state(id, "has no consultation"))?;
        let (up, merged) = (c.up, c.merged);
        let held = i.talk.as_ref().is_some_and(|t| t.held_since.is_some());
        if i.voice.as_ref().is_some_and(|v| v.left.is_some()) && step != ConsultStep::Cancel {
            return Err(Refusal::wrong_state(id, "has no customer any more"));
        }
        match step {
            ConsultStep::Swap if !up || merged => return Err(Refusal::wrong_state(id, "has no two sides to swap between")),
            ConsultStep::Swap => self.hold_set(now, id, !held, out),
            ConsultStep::Merge if !up => return Err(Refusal::wrong_state(id, "has no helper on the line yet")),
            ConsultStep::Merge if merged => {}
            ConsultStep::Merge => self.merge(now, id, out),
            ConsultStep::Complete if up => self.complete(now, id, out),
            ConsultStep::Complete => self.hand_on_unanswered(now, id, out),
            ConsultStep::Cancel => {
                self.consult_over(now, id, ConsultEnd::Cancelled, out);
                self.after_helper(now, id, true, out);
            }
        }
        Ok(())
    }

    fn merge(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (tenant, Some(agent)) = (i.tenant.clone(), i.talk.as_ref().map(|t| t.agent.clone())) else { return };
        if let Some(c) = i.voice.as_mut().and_then(|v| v.consult.as_mut()) {
            c.merged = true;
        }
        self.hold_set(now, id, false, out);
        self.helper_sound(id);
        self.remix(id);
        self.fact(now, &tenant, Fact::ConsultMerged { interaction: id, agent }, out);
    }

    /// The helper who is there gets the customer, the agent leaves.
    fn complete(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (tenant, Some(agent)) = (i.tenant.clone(), i.talk.as_ref().map(|t| t.agent.clone())) else { return };
        let Some(c) = i.voice.as_mut().and_then(|v| v.consult.take()) else { return };
        let Some(leg) = c.leg else { return };
        if let Some((leg, play)) = c.play {
            self.call(Action::StopPlay { leg, play });
        }
        let how = ConsultEnd::Completed;
        self.fact(now, &tenant, Fact::Transferred { interaction: id, agent: agent.clone(), to: c.to }, out);
        self.fact(now, &tenant, Fact::ConsultEnded { interaction: id, agent, helper: c.helper.clone(), how }, out);
        match c.helper {
            Some(helper) => self.change_agent(now, id, EndedBy::Agent, (helper, c.offer, leg), out),
            None => self.leave_outside(now, id, leg, out),
        }
    }

    /// Nobody has answered yet: what was asked for the agent is from now on asked for the customer. Phones that ring go on.
    fn hand_on_unanswered(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (tenant, Some(agent)) = (i.tenant.clone(), i.talk.as_ref().map(|t| t.agent.clone())) else { return };
        let Some(c) = i.voice.as_mut().and_then(|v| v.consult.take()) else { return };
        if let Some((leg, play)) = c.play {
            self.call(Action::StopPlay { leg, play });
        }
        let how = ConsultEnd::Completed;
        self.fact(now, &tenant, Fact::Transferred { interaction: id, agent: agent.clone(), to: c.to.clone() }, out);
        self.fact(now, &tenant, Fact::ConsultEnded { interaction: id, agent, helper: None, how }, out);
        self.part(now, id, EndedBy::Agent, Cause::Normal, out);
        match (c.to, c.entry, c.leg) {
            (TransferTo::Queue { queue }, Some(entry), _) => {
                if let Some(i) = self.interactions.get_mut(&id) {
                    i.queue = Some(queue.clone());
                    i.waiting =
                        Some(Waiting { entry: entry.clone(), since: now.mono, music: "default".into(), by_flow: false });
                }
                self.fact(now, &tenant, Fact::Queued { entry }, out);
                self.ticket_queue(now, id, &queue, out);
                self.timers.set(Timer::Positions, now.mono);
                self.music(id);
            }
            (TransferTo::Number { .. }, _, Some(leg)) => {
                self.supervisors_leave(now, id, out);
                self.attach(leg, id, LegUse::Outside);
                let play = self.play_id();
                let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
                v.outside = Some(Outside { leg, up: false, by_flow: false });
                v.play = v.leg.map(|_| (play, Playing::Ringback));
                if let Some(leg) = v.leg {
                    let prompts = super::talk::ringback();
                    self.call(Action::Play { leg, play, prompts, repeat: Repeat::Forever });
                }
            }
            _ => self.music(id),
        }
    }

    /// The consultation is over and the helper free. What becomes of agent and customer is the caller's business.
    pub(super) fn consult_over(&mut self, now: Now, id: InteractionId, how: ConsultEnd, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(c) = i.voice.as_mut().and_then(|v| v.consult.take()) else { return };
        let (tenant, agent) = (i.tenant.clone(), i.talk.as_ref().map(|t| t.agent.clone()));
        if let Some((leg, play)) = c.play {
            self.call(Action::StopPlay { leg, play });
        }
        if let Some(leg) = c.leg {
            self.call(Action::Hangup { leg, cause: if c.up { Cause::Normal } else { Cause::CallerGaveUp } });
        }
        match (&c.helper, &c.to) {
            (Some(helper), _) => self.route(&tenant, routing::Input::Released { interaction: id, agent: helper.clone() }),
            (None, TransferTo::Number { .. }) => {}
            (None, _) => self.withdraw(now, id, routing::Withdrawn::Left, out),
        }
        if let Some(agent) = agent {
            self.fact(now, &tenant, Fact::ConsultEnded { interaction: id, agent, helper: c.helper, how }, out);
        }
        self.remix(id);
    }

    /// Without a helper the agent is with the customer again (`back`), or still has them on hold; if the customer has gone
    /// meanwhile there is nothing left to talk about.
    fn after_helper(&mut self, now: Now, id: InteractionId, back: bool, out: &mut Vec<Output>) {
        let Some(v) = self.interactions.get(&id).and_then(|i| i.voice.as_ref()) else { return };
        if v.left.is_some() {
            self.talk_over(now, id, EndedBy::Agent, out);
        } else if back {
            self.hold_set(now, id, false, out);
        }
    }

    /// The router found nobody.
    pub(super) fn helper_not_found(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        self.consult_over(now, id, ConsultEnd::NotTaken, out);
        self.after_helper(now, id, false, out);
    }

    /// The helper's leg is gone.
    pub(super) fn helper_gone(&mut self, now: Now, id: InteractionId, leg: LegId, out: &mut Vec<Output>) {
        let consult = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()).and_then(|v| v.consult.as_mut());
        let Some(c) = consult.filter(|c| c.leg == Some(leg)) else { return };
        c.leg = None;
        let how = if c.up { ConsultEnd::HelperLeft } else { ConsultEnd::NotTaken };
        self.consult_over(now, id, how, out);
        self.after_helper(now, id, false, out);
    }

    /// Whether the actor is asked for advice here.
    pub(super) fn helps(&self, tenant: &TenantId, by: &Actor, id: InteractionId) -> bool {
        let i = self.interactions.get(&id).filter(|i| i.tenant == *tenant);
        i.zip(by.agent()).is_some_and(|(i, agent)| i.is_helped_by(agent))
    }

    /// The helper has said what there was to say.
    pub(super) fn helper_leaves(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        self.consult_over(now, id, ConsultEnd::HelperLeft, out);
        self.after_helper(now, id, false, out);
    }

    /// The agent's own leg is gone, or they put the receiver down. With somebody to hand the customer to, they have.
    pub(super) fn agent_leg_gone(&mut self, now: Now, id: InteractionId, leg: LegId, out: &mut Vec<Output>) {
        let talk = self.interactions.get_mut(&id).and_then(|i| i.talk.as_mut());
        let Some(t) = talk.filter(|t| t.leg == Some(leg)) else { return };
        t.leg = None;
        self.agent_leaves(now, id, out);
    }

    /// The agent goes, and whoever is there goes on.
    pub(super) fn agent_leaves(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let i = self.interactions.get(&id);
        let asked = i.and_then(|i| i.consult()).map(|c| c.up);
        let customer = i.is_some_and(|i| i.customer_leg().is_some_and(|l| !self.calls.is_closing(l)));
        match asked.filter(|_| customer) {
            Some(true) => self.complete(now, id, out),
            Some(false) => self.hand_on_unanswered(now, id, out),
            _ => self.talk_over(now, id, EndedBy::Agent, out),
        }
    }

    /// The customer hung up. While agent and helper talk, the contact waits for them: true.
    pub(super) fn still_consulting(
        &mut self,
        now: Now,
        id: InteractionId,
        cause: Cause,
        by: EndedBy,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(i) = self.interactions.get_mut(&id) else { return false };
        let agent = i.talk.as_ref().filter(|t| t.leg.is_some_and(|l| !self.calls.is_closing(l)));
        let held = agent.is_some_and(|t| t.held_since.is_some());
        let Some(v) = i.voice.as_mut() else { return false };
        let helper = |c: &&mut Consult| c.up && (c.merged || held) && c.leg.is_some_and(|l| !self.calls.is_closing(l));
        let Some(c) = v.consult.as_mut().filter(helper).filter(|_| agent.is_some()) else { return false };
        c.merged = true;
        v.play = None;
        v.left = Some((cause, by));
        self.record_stop(id);
        self.hold_set(now, id, false, out);
        self.remix(id);
        true
    }
}

//! A carrier takes its caller away (REFER), and a phone hands on: its transfer key, blind (to a queue, a colleague, a number) or attended (to whom its second call is with),
//! and a second phone of an agent that takes over the talk of the first.
//!
//! The same rights, routes and facts as a transfer from the console; the phone only says it in another language.

use media::wire::{LegId, Repeat};

use super::{
    Center, LegUse, Output, Step,
    command::{Refusal, RefusalCode, TransferTo},
    fact::{ConsultEnd, EndedBy, Fact, LegRole},
    interaction::Playing,
    settings::TenantSettings,
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, QueueId},
    call::{self, Action, Cause, route, trunk::Permit},
    routing,
    sip::stack::{ReferId, Who},
};

impl Center {
    /// A REFER from a phone.
    pub(super) fn referred(
        &mut self,
        now: Now,
        leg: LegId,
        refer: ReferId,
        to: (&str, Option<String>),
        replaces: Option<LegId>,
        out: &mut Vec<Output>,
    ) {
        // What it leads to hangs the phone up: it is told before.
        let before = self.steps.len();
        let code = match self.hand_on(now, leg, to, replaces, out) {
            Ok(()) => 200,
            Err(refusal) => {
                tracing::info!(?leg, %refusal, "a transfer by phone is refused");
                match refusal.code {
                    RefusalCode::NotFound => 404,
                    RefusalCode::NotAllowed => 403,
                    _ => 480,
                }
            }
        };
        self.steps.insert(before, Step::Call(Action::AnswerRefer { leg, refer, code }));
    }

    fn hand_on(
        &mut self,
        now: Now,
        leg: LegId,
        (to, device): (&str, Option<String>),
        replaces: Option<LegId>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let not_yours = || Refusal::new(RefusalCode::NotAllowed, "only an agent's phone hands calls on");
        let (owner, id) = self.owner(leg).ok_or_else(not_yours)?;
        let Some(other) = replaces else {
            let i = self.interactions.get(&id).ok_or_else(not_yours)?;
            let target = blind_target(&i.settings, to)?;
            if self.legs.get(&leg).is_none_or(|(_, usage)| *usage != LegUse::Agent) {
                return Err(not_yours());
            }
            let meant = match &target {
                TransferTo::Agent { agent } => device.map(|device| (agent.clone(), device)),
                _ => None,
            };
            let tenant = i.tenant.clone();
            if let Some((agent, device)) = &meant
                && !self.phone_is_there(&tenant, agent, Some(device))
            {
                return Err(Refusal::new(RefusalCode::WrongState, format!("that phone of {agent} is not registered")));
            }
            self.means(id, meant);
            let done = self.transfer(now, id, target, out);
            if done.is_err() {
                self.means(id, None);
            }
            return done;
        };
        let (owner_too, id_too) = self.owner(other).filter(|(o, i)| *o == owner && *i != id).ok_or_else(not_yours)?;
        // Phones send the REFER in either of the two calls: the customer's is the one the agent was given.
        let talks = |c: &Center, leg: LegId| c.legs.get(&leg).is_some_and(|(_, usage)| *usage == LegUse::Agent);
        match (talks(self, leg), talks(self, other)) {
            (true, false) => self.put_together(now, &owner_too, id, id_too, other, out),
            (false, true) => self.put_together(now, &owner_too, id_too, id, leg, out),
            _ => Err(not_yours()),
        }
    }

    /// The next time this agent is rung, one phone of theirs is meant.
    fn means(&mut self, id: InteractionId, phone: Option<(AgentId, String)>) {
        if let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) {
            v.device = phone;
        }
    }

    /// Asks the carrier a caller came by to take them to a number, if its trunk allows that. Else the permit comes back.
    pub(super) fn take_away(&mut self, id: InteractionId, permit: Permit, by_flow: bool) -> Option<Permit> {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id) else { return Some(permit) };
        let Some(v) = i.voice.as_mut() else { return Some(permit) };
        let Some(leg) = v.leg.filter(|leg| self.calls.takes_away(*leg)) else { return Some(permit) };
        v.away = Some(by_flow);
        v.play = Some((play, Playing::Ringback));
        self.call(Action::Play { leg, play, prompts: super::talk::ringback(), repeat: Repeat::Forever });
        self.call(Action::TakeAway { leg, permit });
        None
    }

    /// The carrier has the caller, and they are no longer ours; or it has not, and the number is rung from here.
    pub(super) fn taken_away(&mut self, now: Now, leg: LegId, permit: Option<Permit>, out: &mut Vec<Output>) {
        let id = self.legs.get(&leg).map(|(id, _)| *id);
        let found = id.and_then(|id| self.interactions.get_mut(&id)).filter(|i| !i.closed).and_then(|i| i.voice.as_mut());
        let (Some(id), Some(v)) = (id, found) else { return permit.into_iter().for_each(|p| self.calls.unused(now, &p)) };
        let by_flow = v.away.take().unwrap_or_default();
        let play = v.play.take();
        if let Some((play, _)) = play {
            self.call(Action::StopPlay { leg, play });
        }
        match permit {
            None => self.call(Action::Hangup { leg, cause: Cause::Normal }),
            Some(permit) => self.bridge_outside(now, id, permit, by_flow, out),
        }
    }

    /// Whose phone a leg is, and in which contact: the agent who talks, or who called a colleague.
    fn owner(&self, leg: LegId) -> Option<(AgentId, InteractionId)> {
        let (id, usage) = self.legs.get(&leg)?;
        let i = self.interactions.get(id)?;
        let agent = match usage {
            LegUse::Agent => i.talk.as_ref().filter(|t| t.leg == Some(leg)).map(|t| t.agent.clone()),
            LegUse::Customer if i.way == super::fact::Way::Internal => AgentId::parse(&i.from).ok(),
            _ => None,
        };
        Some((agent.filter(|a| i.settings.plan.agents.contains_key(a))?, *id))
    }

    /// The customer of `id` and whoever the agent called in `second` are together; the agent is out of it.
    fn put_together(
        &mut self,
        now: Now,
        agent: &AgentId,
        id: InteractionId,
        second: InteractionId,
        second_leg: LegId,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let gone = || Refusal::new(RefusalCode::WrongState, "one of the two calls is over");
        let tenant = self.interactions.get(&id).ok_or_else(gone)?.tenant.clone();
        let i = self.interactions.get(&second).filter(|i| i.tenant == tenant && !i.closed).ok_or_else(gone)?;
        let helper = i.talk.as_ref().filter(|t| t.connected && t.up).and_then(|t| Some((t.agent.clone(), t.leg?)));
        let asked = i.to.clone();
        let Some((helper, leg)) = helper else {
            // Put down while it still rings there: that is a blind transfer to the same place.
            let settings = i.settings.clone();
            self.transfer(now, id, blind_target(&settings, &asked)?, out)?;
            self.call(Action::Hangup { leg: second_leg, cause: Cause::Normal });
            return Ok(());
        };
        let first = self.interactions.get(&id).filter(|i| i.voice.as_ref().is_some_and(|v| v.left.is_none()));
        if first.and_then(|i| i.talk.as_ref()).is_none_or(|t| t.agent != *agent || !t.connected) {
            return Err(gone());
        }
        let to = TransferTo::Agent { agent: helper.clone() };
        self.fact(now, &tenant, Fact::Transferred { interaction: id, agent: agent.clone(), to }, out);
        self.consult_over(now, id, ConsultEnd::Ended, out);
        // The helper's phone leaves the second contact, which is over, and joins the first.
        self.leg_moves(now, leg, second, id, &helper, out);
        // Before the second is let go: nobody else's call comes to the helper in between.
        let queue = self.interactions.get(&id).and_then(|i| i.queue.clone());
        let engage = routing::Input::Engage { interaction: id, agent: helper.clone(), channel: Channel::Voice, queue };
        self.route(&tenant, engage);
        self.part(now, second, EndedBy::Agent, Cause::Normal, out);
        self.change_agent(now, id, EndedBy::Agent, (helper, None, leg), out);
        self.call(Action::Snapshot { leg });
        self.call(Action::Hangup { leg: second_leg, cause: Cause::Normal });
        Ok(())
    }

    /// A leg is of another contact from here on.
    fn leg_moves(
        &mut self,
        now: Now,
        leg: LegId,
        from: InteractionId,
        to: InteractionId,
        agent: &AgentId,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get_mut(&from) else { return };
        // It is not to be hung up with the talk it leaves.
        if let Some(t) = i.talk.as_mut() {
            t.leg = None;
        }
        i.legs = i.legs.saturating_sub(1);
        i.unheard.remove(&leg);
        let tenant = i.tenant.clone();
        self.remix(from);
        self.fact(now, &tenant, Fact::LegEnded { interaction: from, leg: leg.0, cause: Cause::Normal, quality: None }, out);
        self.legs.remove(&leg);
        self.attach(leg, to, LegUse::Agent);
        self.leg_fact(now, to, leg, LegRole::Agent, agent.to_string(), String::new(), out);
    }

    /// An INVITE that wants to take the place of a leg (Replaces): an agent who goes on talking on another phone of theirs. True:
    /// it is dealt with.
    pub(super) fn takes_place(&mut self, now: Now, a: &call::Arrival, out: &mut Vec<Output>) -> bool {
        let Some(old) = a.replaces else { return false };
        let caller = match &a.who {
            Who::User { user, .. } => AgentId::parse(user).ok(),
            _ => None,
        };
        let talk = self.legs.get(&old).filter(|(_, usage)| *usage == LegUse::Agent).map(|(id, _)| *id);
        let own = talk.zip(caller).filter(|(id, agent)| {
            let i = self.interactions.get(id).filter(|i| i.tenant == a.tenant);
            i.and_then(|i| i.talk.as_ref()).is_some_and(|t| t.agent == *agent && t.connected && t.up && t.leg == Some(old))
        });
        let Some((id, agent)) = own else {
            // Another's call, another tenant's, a customer's: as if it were not there.
            self.call(Action::Reject { leg: a.leg, cause: Cause::NotAllowed });
            return true;
        };
        self.attach(a.leg, id, LegUse::Agent);
        self.leg_fact(now, id, a.leg, LegRole::Agent, agent.to_string(), a.call_id.clone(), out);
        if let Some(t) = self.interactions.get_mut(&id).and_then(|i| i.talk.as_mut()) {
            (t.leg, t.up) = (Some(a.leg), false);
        }
        self.remix(id);
        // Its answer leads to `join`, as after any phone that dials; the old phone hears that it was answered elsewhere.
        self.call(Action::Answer { leg: a.leg });
        self.call(Action::Hangup { leg: old, cause: Cause::ElsewhereAnswered });
        true
    }
}

/// What a phone's user means by a number or name: as dialled, by the same routes.
fn blind_target(settings: &TenantSettings, to: &str) -> Result<TransferTo, Refusal> {
    let queue = || QueueId::parse(to).ok().filter(|q| settings.plan.queues.contains_key(q));
    let agent = || AgentId::parse(to).ok().filter(|a| settings.plan.agents.contains_key(a));
    match settings.config.route_of(to, route::Asker::User).map(|(r, _)| &r.to) {
        Some(route::Destination::Queue(queue)) => Ok(TransferTo::Queue { queue: queue.clone() }),
        Some(route::Destination::Agent(agent)) => Ok(TransferTo::Agent { agent: agent.clone() }),
        Some(route::Destination::Trunk(_)) => Ok(TransferTo::Number { number: to.to_owned() }),
        Some(route::Destination::Flow(_)) => Err(Refusal::new(
            RefusalCode::NotAllowed,
            format!("{to} leads to a flow: callers begin there, they are not handed to it"),
        )),
        None => match (agent(), queue()) {
            (Some(agent), _) => Ok(TransferTo::Agent { agent }),
            (None, Some(queue)) => Ok(TransferTo::Queue { queue }),
            (None, None) => Err(Refusal::not_found(format!("a place called {to}"))),
        },
    }
}

//! Supervisors: listening, whispering, taking part, taking over; moving from call to call without being rung again.
//!
//! A supervisor's own phone is called with a wish to answer by itself and joins the room of the call; what the three ways mean
//! is rows of `rooms`. The leg stays with the contact: through a hold it stays with the agent, through a hand-over to an agent
//! or a queue it waits for the next one. It ends with the contact, and when the contact leaves the house for a number outside.
//! In a chat there is no leg: who observes reads along, who takes part writes, too.
//!
//! While a supervisor is on a call the router knows them busy; it is not their contact, so nothing is counted for them.

use media::wire::LegId;

use super::{
    Center, LegUse, Output,
    command::{Actor, Done, Refusal, RefusalCode, SuperviseMode},
    endpoint::Ringing,
    fact::{EndedBy, Fact, LegRole},
    interaction::{Interaction, Supervisor},
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, TenantId, limits},
    call::{Action, Cause, Party},
    routing, text,
};

fn wrong(what: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::WrongState, what)
}

/// Asks a phone to answer by itself: the standard's way (RFC 5373), the two ways desk phones know, and ours for the console.
pub(super) fn answer_by_itself(why: &str) -> Vec<(String, String)> {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    vec![
        header("Answer-Mode", "Auto"),
        header("Call-Info", "<sip:ringdesk.invalid>;answer-after=0"),
        header("Alert-Info", "<http://ringdesk.invalid>;info=alert-autoanswer;delay=0"),
        header("X-CC-Auto-Answer", why),
    ]
}

impl Center {
    /// A supervisor of the tenant, and of the contact's queue if their part is limited to some.
    pub(super) fn may_supervise(&self, tenant: &TenantId, by: &Actor, id: InteractionId) -> Result<&Interaction, Refusal> {
        if !by.supervises() {
            return Err(Refusal::not_allowed("only a supervisor may do this"));
        }
        let i = self.interactions.get(&id).filter(|i| i.tenant == *tenant);
        let i = i.ok_or_else(|| Refusal::no_interaction(id))?;
        let limited = self.tenants.get(tenant).zip(by.agent());
        let only = limited.and_then(|(t, who)| t.settings.config.supervision.queues.get(who));
        match only.is_none_or(|only| i.queue.as_ref().is_some_and(|q| only.contains(q))) {
            true => Ok(i),
            false => Err(Refusal::not_allowed(format!("interaction {id} is of a queue that is not yours to supervise"))),
        }
    }

    /// Nobody makes another person's phone a listening one; a program acts for whom it names.
    pub(super) fn themselves(&self, tenant: &TenantId, by: &Actor, who: &AgentId) -> Result<(), Refusal> {
        match by {
            Actor::User { user, .. } if user != who => {
                Err(Refusal::not_allowed("everybody supervises with their own phone only"))
            }
            Actor::User { .. } => Ok(()),
            // A program cannot show that a login exists; an agent of the plan does.
            _ if self.agent_exists(tenant, who) => Ok(()),
            _ => Err(Refusal::not_found(format!("agent {who}"))),
        }
    }

    /// Begins, or changes the way, or moves here from another call.
    #[expect(clippy::too_many_arguments, reason = "one wish, and who has it")]
    pub(super) fn supervise(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: InteractionId,
        who: AgentId,
        mode: SuperviseMode,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let i = self.may_supervise(tenant, by, id)?;
        self.themselves(tenant, by, &who)?;
        if i.closed {
            return Err(wrong(format!("interaction {id} is over already")));
        }
        if i.talk.as_ref().is_some_and(|t| t.agent == who) || i.is_helped_by(&who) {
            return Err(wrong(format!("{who} is in this conversation already")));
        }
        match (i.channel, i.supervisors.get(&who).map(|s| s.mode)) {
            (_, Some(was)) if was == mode => Ok(Done::Ok),
            (Channel::Voice, Some(_)) => {
                if let Some(s) = self.interactions.get_mut(&id).and_then(|i| i.supervisors.get_mut(&who)) {
                    s.mode = mode;
                }
                self.remix(id);
                self.fact(now, tenant, Fact::Supervised { interaction: id, supervisor: who, mode }, out);
                Ok(Done::Ok)
            }
            (Channel::Voice, None) => self.supervise_call(now, tenant, id, who, mode, false, out),
            (_, was) => {
                self.supervise_chat(now, tenant, id, who, was, mode, out);
                Ok(Done::Ok)
            }
        }
    }

    #[expect(clippy::too_many_arguments, reason = "one wish, and who has it")]
    fn supervise_call(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        who: AgentId,
        mode: SuperviseMode,
        takes_over: bool,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        if i.talk.as_ref().is_none_or(|t| !t.connected) {
            return Err(wrong(format!("nobody talks in interaction {id}")));
        }
        let (from, customer) = (i.from.clone(), i.customer_leg());
        let there = |s: &Supervisor| s.leg.is_some_and(|l| !self.calls.is_closing(l));
        let elsewhere = |i: &&Interaction| i.tenant == *tenant && i.supervisors.get(&who).is_some_and(there);
        let moved = self.interactions.values().find(elsewhere).map(|i| i.id);
        if moved.is_none() && !self.has_phone(now, tenant, &who) {
            return Err(wrong(self.no_phone(tenant, &who)));
        }
        if moved.is_none() && self.on_a_call(tenant, &who) {
            return Err(wrong(format!("{who} is on a call already")));
        }
        if self.agent_exists(tenant, &who) {
            let engage = routing::Input::Engage { interaction: id, agent: who.clone(), channel: Channel::Voice, queue: None };
            self.router_input(now, tenant, engage, out).map_err(|e| wrong(e.to_string()))?;
        }
        let carried = moved.and_then(|old| self.supervisor_off(now, old, &who, None, out).map(|s| (old, s)));
        let (leg, up) = match carried {
            Some((old, Supervisor { leg: Some(leg), up, .. })) => {
                self.supervisor_moves(now, tenant, (old, id), leg, &who, out);
                (leg, up)
            }
            _ => (self.calls.next_leg(), false),
        };
        if moved.is_some() {
            self.leg_fact(now, id, leg, LegRole::Supervisor, who.to_string(), String::new(), out);
        }
        let s = Supervisor { mode, since: now.wall, leg: Some(leg), up, takes_over };
        if let Some(i) = self.interactions.get_mut(&id) {
            i.supervisors.insert(who.clone(), s);
        }
        self.fact(now, tenant, Fact::Supervised { interaction: id, supervisor: who.clone(), mode }, out);
        if moved.is_some() {
            self.remix(id);
            if up && takes_over {
                self.takes_over(now, id, who, out);
            }
            return Ok(Done::Ok);
        }
        let mut headers = answer_by_itself("supervise");
        headers.push(("X-CC-Call-Id".into(), id.to_string()));
        let ringing = Ringing {
            leg,
            usage: LegUse::Supervisor(who.clone()),
            role: LegRole::Supervisor,
            caller: Party { number: from, display: None },
            headers,
            ring_for: limits::RING_DEFAULT,
            like: customer,
        };
        self.ring_agent(now, id, &who, ringing, out);
        Ok(Done::Ok)
    }

    /// A leg goes over from one contact to another: the books of both, and the router's.
    fn supervisor_moves(
        &mut self,
        now: Now,
        tenant: &TenantId,
        (from, to): (InteractionId, InteractionId),
        leg: LegId,
        who: &AgentId,
        out: &mut Vec<Output>,
    ) {
        self.legs.insert(leg, (to, LegUse::Supervisor(who.clone())));
        if let Some(i) = self.interactions.get_mut(&to) {
            i.legs += 1;
        }
        if let Some(i) = self.interactions.get_mut(&from) {
            i.legs = i.legs.saturating_sub(1);
            i.unheard.remove(&leg);
        }
        self.fact(now, tenant, Fact::LegEnded { interaction: from, leg: leg.0, cause: Cause::Normal, quality: None }, out);
        self.route(tenant, routing::Input::Released { interaction: from, agent: who.clone() });
        self.forget_if_over(from);
    }

    #[expect(clippy::too_many_arguments, reason = "one wish, and who has it")]
    fn supervise_chat(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        who: AgentId,
        was: Option<SuperviseMode>,
        mode: SuperviseMode,
        out: &mut Vec<Output>,
    ) {
        let s = Supervisor { mode, since: now.wall, leg: None, up: true, takes_over: false };
        if let Some(i) = self.interactions.get_mut(&id) {
            i.supervisors.insert(who.clone(), s);
        }
        let inside = |m: SuperviseMode| m == SuperviseMode::Barge;
        match (was.is_some_and(inside), inside(mode)) {
            (false, true) => self.conversation(now, id, text::Input::Join { agent: who.clone() }, out),
            (true, false) => self.conversation(now, id, text::Input::Leave { agent: who.clone() }, out),
            _ => {}
        }
        self.fact(now, tenant, Fact::Supervised { interaction: id, supervisor: who, mode }, out);
    }

    /// One leaves, or all.
    pub(super) fn supervise_end(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: InteractionId,
        who: Option<AgentId>,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        if !by.supervises() {
            return Err(Refusal::not_allowed("only a supervisor may do this"));
        }
        self.known(tenant, id)?;
        match who {
            Some(who) => {
                self.themselves(tenant, by, &who)?;
                self.supervisor_hangs_up(now, id, &who, out);
            }
            None => self.supervisors_leave(now, id, out),
        }
        Ok(Done::Ok)
    }

    /// All supervisors leave: the contact is over, or out of the house.
    pub(super) fn supervisors_leave(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let all: Vec<AgentId> = self.interactions.get(&id).map(|i| i.supervisors.keys().cloned().collect()).unwrap_or_default();
        for who in all {
            self.supervisor_hangs_up(now, id, &who, out);
        }
    }

    fn supervisor_hangs_up(&mut self, now: Now, id: InteractionId, who: &AgentId, out: &mut Vec<Output>) {
        let gone = self.supervisor_off(now, id, who, None, out);
        if let Some(leg) = gone.as_ref().and_then(|s| s.leg) {
            self.call(Action::Hangup { leg, cause: Cause::Normal });
        }
        if let Some(tenant) = gone.and_then(|s| s.leg).and_then(|_| self.interactions.get(&id)).map(|i| i.tenant.clone()) {
            self.route(&tenant, routing::Input::Released { interaction: id, agent: who.clone() });
        }
    }

    /// Takes a supervisor out of a contact, leg and router aside. The caller knows what becomes of those.
    fn supervisor_off(
        &mut self,
        now: Now,
        id: InteractionId,
        who: &AgentId,
        cause: Option<Cause>,
        out: &mut Vec<Output>,
    ) -> Option<Supervisor> {
        let i = self.interactions.get_mut(&id)?;
        let s = i.supervisors.remove(who)?;
        let (tenant, writes) = (i.tenant.clone(), i.chat.is_some() && !i.closed && s.mode == SuperviseMode::Barge);
        self.remix(id);
        if writes {
            self.conversation(now, id, text::Input::Leave { agent: who.clone() }, out);
        }
        self.fact(now, &tenant, Fact::SupervisionEnded { interaction: id, supervisor: who.clone(), cause }, out);
        Some(s)
    }

    /// The supervisor's phone was answered.
    pub(super) fn supervisor_answered(&mut self, now: Now, id: InteractionId, who: AgentId, leg: LegId, out: &mut Vec<Output>) {
        let s = self.interactions.get_mut(&id).and_then(|i| i.supervisors.get_mut(&who)).filter(|s| s.leg == Some(leg));
        let Some(s) = s else { return self.call(Action::Hangup { leg, cause: Cause::Normal }) };
        s.up = true;
        let takes_over = s.takes_over;
        self.remix(id);
        if takes_over {
            self.takes_over(now, id, who, out);
        }
    }

    /// The supervisor's phone is gone, or never came.
    pub(super) fn supervisor_gone(
        &mut self,
        now: Now,
        id: InteractionId,
        who: AgentId,
        leg: LegId,
        cause: Cause,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get(&id) else { return };
        let tenant = i.tenant.clone();
        if i.supervisors.get(&who).is_some_and(|s| s.leg == Some(leg)) {
            self.supervisor_off(now, id, &who, Some(cause), out);
            self.route(&tenant, routing::Input::Released { interaction: id, agent: who });
        }
    }

    /// The supervisor wants to be the agent: at once when on the line, else as soon as the phone is answered.
    pub(super) fn take_over(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        id: InteractionId,
        who: AgentId,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let i = self.may_supervise(tenant, by, id)?;
        self.themselves(tenant, by, &who)?;
        if !self.agent_exists(tenant, &who) {
            return Err(wrong(format!("{who} is no agent and cannot have contacts of their own")));
        }
        let talk = i.talk.as_ref().filter(|t| t.connected && !i.closed);
        let talk = talk.ok_or_else(|| wrong(format!("nobody talks in interaction {id}")))?;
        if talk.agent == who {
            return Ok(Done::Ok);
        }
        if i.is_helped_by(&who) {
            return Err(wrong(format!("{who} is asked for advice; the consultation is completed instead")));
        }
        if i.voice.as_ref().is_some_and(|v| v.left.is_some()) {
            return Err(wrong(format!("the customer of interaction {id} has hung up")));
        }
        if i.channel.is_text() {
            self.take_over_chat(now, tenant, id, who, out);
            return Ok(Done::Ok);
        }
        match i.supervisors.get(&who).map(|s| s.up) {
            Some(true) => self.takes_over(now, id, who, out),
            Some(false) => {
                if let Some(s) = self.interactions.get_mut(&id).and_then(|i| i.supervisors.get_mut(&who)) {
                    s.takes_over = true;
                }
            }
            None => return self.supervise_call(now, tenant, id, who, SuperviseMode::Listen, true, out),
        }
        Ok(Done::Ok)
    }

    fn takes_over(&mut self, now: Now, id: InteractionId, who: AgentId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let tenant = i.tenant.clone();
        let Some(from) = i.talk.as_ref().filter(|t| t.connected).map(|t| t.agent.clone()) else {
            // They have parted meanwhile: the supervisor waits for the next talk, listening.
            if let Some(s) = self.interactions.get_mut(&id).and_then(|i| i.supervisors.get_mut(&who)) {
                s.takes_over = false;
            }
            return;
        };
        self.consult_over(now, id, super::fact::ConsultEnd::Ended, out);
        let Some(leg) = self.supervisor_off(now, id, &who, None, out).and_then(|s| s.leg) else { return };
        self.fact(now, &tenant, Fact::TakenOver { interaction: id, supervisor: who.clone(), from }, out);
        self.change_agent(now, id, EndedBy::System, (who, None, leg), out);
    }

    fn take_over_chat(&mut self, now: Now, tenant: &TenantId, id: InteractionId, who: AgentId, out: &mut Vec<Output>) {
        self.supervisor_off(now, id, &who, None, out);
        let Some(from) = self.interactions.get(&id).and_then(|i| i.talk.as_ref()).map(|t| t.agent.clone()) else { return };
        self.fact(now, tenant, Fact::TakenOver { interaction: id, supervisor: who.clone(), from }, out);
        self.part(now, id, EndedBy::System, Cause::Normal, out);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (channel, queue) = (i.channel, i.queue.clone());
        i.talk = Some(super::interaction::Talk::connected(who.clone(), now, None));
        i.wraps.remove(&who);
        self.fact(now, tenant, Fact::Connected { interaction: id, agent: who.clone(), offer: None }, out);
        self.conversation(now, id, text::Input::Join { agent: who.clone() }, out);
        self.ticket_taken(now, id, &who, out);
        self.route(tenant, routing::Input::Engage { interaction: id, agent: who, channel, queue });
    }
}

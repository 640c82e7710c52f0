//! An agent's phone that is lost in the middle of a talk: the page was reloaded, the network broke. The customer is kept.
//!
//! ```text
//! talking ─phone gone─▶ lost ─phone registers─▶ rung ─answers─▶ talking, on a new leg
//!                        │ ▲                      └─ not answered ─┐
//!                        │ └───────────────────────────────────────┘
//!                        └─ AGENT_LOST_GRACE ─▶ back to the queue at the same age; without one the talk is over
//! ```
//! Meanwhile the customer hears music. Phones are asked to answer such a call by themselves. An agent who was asking a
//! colleague for advice is not waited for: the colleague has the customer.
//!
//! Tests: `sim::tests::reattach`.

use media::wire::{LegId, Repeat};

use super::{
    Center, LegUse, Output, Timer,
    endpoint::Ringing,
    fact::{EndedBy, Fact, LegRole, LegTrouble},
    interaction::{Lost, Playing},
    supervise::answer_by_itself,
    talk::hold_music,
};
use crate::{
    base::{Channel, InteractionId, Mono, Now, TenantId, limits::AGENT_LOST_GRACE},
    call::{Action, By, Cause, Party, Prompt},
    routing,
};

impl Center {
    /// An agent's leg is gone. Whether the talk goes on without it: it does when nobody hung up, and while it is waited for.
    pub(super) fn agent_leg_lost(&mut self, now: Now, id: InteractionId, leg: LegId, by: By, out: &mut Vec<Output>) -> bool {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id).filter(|i| !i.closed) else { return false };
        let Some(talk) = i.talk.as_mut().filter(|t| t.connected && t.leg == Some(leg)) else { return false };
        if talk.lost.is_some() {
            // The phone that came back did not answer; another may.
            talk.leg = None;
            return true;
        }
        let Some(v) = i.voice.as_mut().filter(|v| v.up && v.leg.is_some()) else { return false };
        // With a helper on the line the customer is not alone.
        if by != By::Network || v.consult.is_some() {
            return false;
        }
        let until = now.mono + AGENT_LOST_GRACE;
        talk.lost = Some(Lost { leg, until });
        (talk.leg, talk.up) = (None, false);
        let (agent, tenant) = (talk.agent.clone(), i.tenant.clone());
        let music = (talk.held_since.is_none()).then(|| hold_music(&i.settings, i.queue.as_ref()));
        if let (Some(customer), Some(music)) = (v.leg, music) {
            v.play = Some((play, Playing::Music));
            self.remix(id);
            let prompts = vec![Prompt::Music(music.into())];
            self.call(Action::Play { leg: customer, play, prompts, repeat: Repeat::Forever });
        }
        self.remix(id);
        self.timers.set(Timer::AgentLost(id), until);
        self.lost_fact(now, id, leg, true, out);
        // Another phone of theirs may stand beside it.
        if self.has_phone(now, &tenant, &agent) {
            self.ring_again(now, id, out);
        }
        true
    }

    /// A phone of this user is there: whoever waits for it is put through.
    pub(super) fn phone_is_back(&mut self, now: Now, tenant: &TenantId, user: &str, out: &mut Vec<Output>) {
        let waits = |i: &&super::interaction::Interaction| {
            i.tenant == *tenant && i.talk.as_ref().is_some_and(|t| t.lost.is_some() && t.agent.as_str() == user)
        };
        let waiting: Vec<InteractionId> = self.interactions.values().filter(waits).map(|i| i.id).collect();
        for id in waiting {
            self.ring_again(now, id, out);
        }
    }

    fn ring_again(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let leg = self.calls.next_leg();
        let display = self.customer_name(id);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (number, like) = (i.from.clone(), i.customer_leg());
        let Some((talk, until)) = i.talk.as_mut().and_then(|t| t.lost.map(|l| (t, l.until))) else { return };
        let agent = talk.agent.clone();
        // The phones have changed: those that ring stop, and all that are there now ring.
        let before = talk.leg.replace(leg);
        if let Some(leg) = before {
            self.call(Action::Hangup { leg, cause: Cause::ElsewhereAnswered });
        }
        let mut headers = answer_by_itself("reattach");
        headers.extend([("X-CC-Call-Id".into(), id.to_string()), ("X-CC-Reattach".into(), "yes".into())]);
        let ringing = Ringing {
            leg,
            usage: LegUse::Agent,
            role: LegRole::Agent,
            caller: Party { number, display },
            headers,
            ring_for: left(now, until),
            like,
        };
        self.ring_agent(now, id, &agent, ringing, out);
    }

    /// The phone that was lost has answered. False when nobody waited for this leg.
    pub(super) fn agent_leg_back(&mut self, now: Now, id: InteractionId, leg: LegId, out: &mut Vec<Output>) -> bool {
        let Some(talk) = self.interactions.get_mut(&id).and_then(|i| i.talk.as_mut()) else { return false };
        let Some(lost) = talk.lost.filter(|_| talk.leg == Some(leg)) else { return false };
        (talk.lost, talk.up) = (None, true);
        let held = talk.held_since.is_some();
        self.timers.clear(&Timer::AgentLost(id));
        self.lost_fact(now, id, lost.leg, false, out);
        match held {
            true => self.remix(id),
            false => self.join(now, id, out),
        }
        true
    }

    /// Nobody came back in time.
    pub(super) fn agent_stays_lost(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id).filter(|i| i.talk.as_ref().is_some_and(|t| t.lost.is_some())) else { return };
        let (opened, queue) = (i.opened.wall, i.queue.clone());
        let Some(queue) = queue.filter(|q| i.settings.plan.queues.contains_key(q)) else {
            return self.talk_over(now, id, EndedBy::System, out);
        };
        self.part(now, id, EndedBy::System, Cause::Network, out);
        let mut entry = routing::Entry::new(id, queue, Channel::Voice, opened);
        entry.entered = Some(now.wall);
        self.enqueue(now, id, entry, "default".into(), false, out);
        self.music(id);
    }

    fn lost_fact(&mut self, now: Now, id: InteractionId, leg: LegId, on: bool, out: &mut Vec<Output>) {
        let Some(tenant) = self.interactions.get(&id).map(|i| i.tenant.clone()) else { return };
        let (role, trouble) = (LegRole::Agent, LegTrouble::Lost);
        self.fact(now, &tenant, Fact::LegTrouble { interaction: id, leg: leg.0, role, trouble, on }, out);
    }
}

/// What is left of the time a lost phone is waited for.
fn left(now: Now, until: Mono) -> std::time::Duration {
    until - now.mono
}

//! Where an agent's calls ring: at the phones that register under the agent's name, a browser's or a desk phone's, or at a
//! number outside that the agent has given, a mobile or a telephone at home.
//!
//! ```text
//! number rung by a trunk ─answered─▶ asked "press 1" ─1─▶ as a phone that was picked up
//!                                         └─ CONFIRM_WITHIN ─▶ put down: a mailbox never gets a customer
//! ```
//! A call to such a number is the agent's call out: the guard against toll fraud decides on each, when the number is chosen
//! and when it is rung. Whether it can be rung is what its trunk says. Everything else (hold, advice, handing over,
//! supervision, hanging up, wrap-up) knows legs, and does not ask where one rings.
//!
//! Tests: `sim::tests::endpoint`.

use std::time::Duration;

use media::wire::{LegId, PlayId, Repeat};

use super::{
    Center, LegUse, Output, Timer,
    command::{Actor, Refusal},
    fact::{Fact, LegRole},
    trunks::{Behalf, outward},
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, TenantId, limits::CONFIRM_WITHIN},
    call::{Action, By, Cause, Endpoint, Party, Prompt, route},
    routing,
};

/// A number that is rung, and has to say that a person is there.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Confirm {
    /// What is said to it; none before it answers.
    play: Option<PlayId>,
    /// The words could not be spoken: tones ask instead.
    by_tones: bool,
}

/// A phone of an agent to be rung, and what for.
pub(super) struct Ringing {
    /// Under which name; from `Calls::next_leg`.
    pub leg: LegId,
    /// What the leg is for.
    pub usage: LegUse,
    /// In which part the agent takes part.
    pub role: LegRole,
    /// Whom it is shown to come from.
    pub caller: Party,
    /// For a phone of ours; a carrier is told nothing of this.
    pub headers: Vec<(String, String)>,
    /// At the longest.
    pub ring_for: Duration,
    /// The leg whose codec is offered first.
    pub like: Option<LegId>,
}

impl Center {
    /// The number an agent has given, if calls are to ring there.
    pub(super) fn number_of(&self, tenant: &TenantId, agent: &AgentId) -> Option<&String> {
        self.tenants.get(tenant)?.numbers.get(agent)
    }

    /// Whether a call can ring at an agent.
    pub(super) fn has_phone(&self, now: Now, tenant: &TenantId, agent: &AgentId) -> bool {
        let Some(number) = self.number_of(tenant, agent) else { return self.calls.reachable(tenant, agent.as_str()) };
        let Some(t) = self.tenants.get(tenant) else { return false };
        let Ok((trunk, _)) = outward(&t.settings, number) else { return false };
        let lines = self.calls.trunks(now, tenant);
        let up = |trunk| lines.get(trunk).is_none_or(|line| line.state != "down");
        match t.settings.config.trunk_groups.get(&trunk) {
            Some(members) => members.iter().any(|m| up(&m.trunk)),
            None => up(&trunk),
        }
    }

    /// Whether the one phone of an agent that is meant can be rung; true where none is meant, or where their calls ring elsewhere.
    pub(super) fn phone_is_there(&self, tenant: &TenantId, agent: &AgentId, device: Option<&str>) -> bool {
        let there = |device| self.calls.reachable_at(tenant, agent.as_str(), device);
        self.number_of(tenant, agent).is_some() || device.is_none_or(there)
    }

    /// Why a call cannot ring at an agent, for a person to read.
    pub(super) fn no_phone(&self, tenant: &TenantId, agent: &AgentId) -> String {
        match self.number_of(tenant, agent) {
            Some(_) => format!("the number of {agent} cannot be called now: its trunk is down, or no route leads there"),
            None => format!("the phone of {agent} is not registered"),
        }
    }

    /// An agent says where calls are to ring. The one that rings or is talked in stays where it is.
    pub(super) fn endpoint(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        agent: AgentId,
        number: Option<String>,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let Some(t) = self.tenants.get(tenant) else { return Err(Refusal::not_found("this tenant")) };
        let settings = t.settings.clone();
        // In the form its route is written for: a `9` for an outside line belongs to it.
        let form = |n: String| settings.config.route_of(&n, route::Asker::User).map_or(n, |(_, form)| form);
        let number = number.map(form);
        if t.numbers.get(&agent) == number.as_ref() {
            return Ok(());
        }
        if let Some(number) = &number {
            self.may_call(now, &settings, &agent, number, out)?;
        }
        let t = self.tenants.get_mut(tenant).expect("it was there above");
        match &number {
            Some(number) => drop(t.numbers.insert(agent.clone(), number.clone())),
            None => drop(t.numbers.remove(&agent)),
        }
        let fact = Fact::EndpointChosen { agent: agent.clone(), number, by: by.clone() };
        self.fact(now, tenant, fact, out);
        self.phone_look(now, tenant, agent);
        Ok(())
    }

    /// The router is told whether a call can ring at the agent.
    pub(super) fn phone_look(&mut self, now: Now, tenant: &TenantId, agent: AgentId) {
        let up = self.has_phone(now, tenant, &agent);
        self.route(tenant, routing::Input::Reachable { agent, channel: Channel::Voice, up });
    }

    /// The same of everybody who has given a number: trunks came or went, or routes changed.
    pub(super) fn numbers_look(&mut self, now: Now, tenant: &TenantId) {
        let Some(t) = self.tenants.get(tenant) else { return };
        let plan = &t.settings.plan.agents;
        let agents: Vec<AgentId> = t.numbers.keys().filter(|a| plan.contains_key(*a)).cloned().collect();
        for agent in agents {
            self.phone_look(now, tenant, agent);
        }
    }

    /// Rings an agent, wherever their calls ring.
    pub(super) fn ring_agent(&mut self, now: Now, id: InteractionId, agent: &AgentId, r: Ringing, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (tenant, settings, dialled) = (i.tenant.clone(), i.settings.clone(), i.to.clone());
        let Ringing { leg, usage, role, caller, headers, ring_for, like } = r;
        // Who dials calls in their own name; whoever else rings at the agent's number was handed on from a number of ours.
        let handed_on = !matches!(usage, LegUse::Agent | LegUse::Supervisor(_));
        self.attach(leg, id, usage);
        let Some(number) = self.number_of(&tenant, agent).cloned() else {
            self.leg_fact(now, id, leg, role, agent.to_string(), String::new(), out);
            // It is meant this once: who is rung again later is rung everywhere.
            let voice = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut());
            let device = voice.and_then(|v| v.device.take_if(|(who, _)| who == agent)).map(|(_, device)| device);
            let to = Endpoint::Agent { tenant, user: agent.to_string(), device };
            return self.call(Action::Ring { leg, to, caller, headers, ring_for, like });
        };
        self.leg_fact(now, id, leg, role, number.clone(), String::new(), out);
        let diverted = handed_on.then_some(dialled.as_str());
        let whose = Behalf { agent: Some(agent), source: agent.as_str(), diverted, interaction: Some(id) };
        match self.permit(now, &settings, whose, &number, out) {
            Ok(permit) => {
                self.confirms.insert(leg, Confirm::default());
                self.call(Action::Ring { leg, to: Endpoint::Trunk(permit), caller, headers: Vec::new(), ring_for, like });
            }
            Err(refusal) => {
                tracing::info!(interaction = %id, %agent, %refusal, "an agent's number may not be called");
                self.leg_ended(now, leg, Cause::NotAllowed, By::Us, None, out);
            }
        }
    }

    /// A leg has answered. True: it is a number outside, and is being asked whether a person is there.
    pub(super) fn asks_for_one(&mut self, now: Now, leg: LegId) -> bool {
        let play = self.play_id();
        let Some(c) = self.confirms.get_mut(&leg) else { return false };
        if c.play.is_none() {
            c.play = Some(play);
            self.timers.set(Timer::Confirm(leg), now.mono + CONFIRM_WITHIN);
            let prompts = self.press_one(leg);
            self.call(Action::Play { leg, play, prompts, repeat: Repeat::Forever });
        }
        true
    }

    fn press_one(&self, leg: LegId) -> Vec<Prompt> {
        let language = self.legs.get(&leg).and_then(|(id, _)| self.interactions.get(id));
        let language = language.map_or("", |i| i.settings.config.language.as_str());
        let (lang, text) = match language {
            "zh-CN" => ("zh-CN", "您有一个客服来电，接听请按 1。"),
            _ => ("en-US", "A call from your contact center. To take it, press 1."),
        };
        vec![
            Prompt::Silence(Duration::from_millis(400)),
            Prompt::Say { text: text.into(), lang: lang.into() },
            Prompt::Silence(Duration::from_secs(2)),
        ]
    }

    /// What was being said to a number is over; it asks until somebody answers, so it could not be said.
    pub(super) fn asked_in_vain(&mut self, leg: LegId, play: PlayId) {
        let again = self.play_id();
        let Some(c) = self.confirms.get_mut(&leg).filter(|c| c.play == Some(play) && !c.by_tones) else { return };
        (c.play, c.by_tones) = (Some(again), true);
        let tone = |hz| Prompt::Tone { hz, ms: 150 };
        let prompts = vec![tone(660), tone(880), Prompt::Silence(Duration::from_millis(1_500))];
        self.call(Action::Play { leg, play: again, prompts, repeat: Repeat::Forever });
    }

    /// A key was pressed on a leg. True: it was one that is asked whether a person is there, and had nothing else to say.
    pub(super) fn confirms(&mut self, now: Now, leg: LegId, digit: char, out: &mut Vec<Output>) -> bool {
        let Some(play) = self.confirms.get(&leg).map(|c| c.play) else { return false };
        if let Some(play) = play.filter(|_| digit == '1') {
            self.confirm_over(leg);
            self.call(Action::StopPlay { leg, play });
            self.leg_answered(now, leg, out);
        }
        true
    }

    /// Nobody pressed anything: a mailbox, or a pocket.
    pub(super) fn not_confirmed(&mut self, leg: LegId) {
        if self.confirms.contains_key(&leg) {
            self.call(Action::Hangup { leg, cause: Cause::NoAnswer });
        }
    }

    /// The leg is a person's, or is gone.
    pub(super) fn confirm_over(&mut self, leg: LegId) {
        self.confirms.remove(&leg);
        self.timers.clear(&Timer::Confirm(leg));
    }
}

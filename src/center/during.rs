//! What an agent does during a call: hold and back, mute, keys for the other side, and a reminder of who waits on hold.

use std::time::Duration;

use media::wire::Repeat;

use super::{
    Center, Output, Timer,
    command::{Actor, Refusal, RefusalCode},
    fact::Fact,
    interaction::{Interaction, Playing},
    talk::hold_music,
};
use crate::{
    base::{InteractionId, Now, limits},
    call::{Action, Prompt},
    routing,
};

impl Center {
    /// Music to the customer instead of the agent, or back. With a helper on the line: to the helper, or back.
    pub(super) fn hold_talk(&mut self, now: Now, id: InteractionId, on: bool, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let talk = i.talk.as_ref().filter(|t| t.connected).ok_or_else(|| Refusal::wrong_state(id, "is not being talked to"))?;
        let voice = i.voice.as_ref().ok_or_else(|| Refusal::wrong_state(id, "is not a call"))?;
        if voice.leg.is_none() || talk.leg.is_none() {
            return Err(Refusal::wrong_state(id, "has no two legs"));
        }
        if voice.consult.as_ref().is_some_and(|c| c.merged) {
            return Err(Refusal::wrong_state(id, "is talked about by three; let the helper go first"));
        }
        self.hold_set(now, id, on, out);
        Ok(())
    }

    /// Hold as it is now, whoever wanted it: music, rows, times, routing.
    pub(super) fn hold_set(&mut self, now: Now, id: InteractionId, on: bool, out: &mut Vec<Output>) {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let music = hold_music(&i.settings, i.queue.as_ref());
        let remind = hold_limit(i).unwrap_or(i.settings.config.calls.hold_reminder_s);
        let Some(talk) = i.talk.as_mut().filter(|t| t.held_since.is_some() != on) else { return };
        let Some(voice) = i.voice.as_mut() else { return };
        let (agent, tenant, customer) = (talk.agent.clone(), i.tenant.clone(), voice.leg);
        if on {
            (talk.held_since, talk.held_at) = (Some(now.mono), now.wall);
            voice.play = customer.map(|_| (play, Playing::Music));
            if remind > 0 {
                self.timers.set(Timer::Hold(id), now.mono + Duration::from_secs(u64::from(remind)));
            }
            self.remix(id);
            if let Some(leg) = customer {
                let prompts = vec![Prompt::Music(music.into())];
                self.call(Action::Play { leg, play, prompts, repeat: Repeat::Forever });
            }
        } else {
            talk.held = talk.held_total(now.mono);
            talk.held_since = None;
            self.timers.clear(&Timer::Hold(id));
            if let Some((leg, (play, _))) = customer.zip(voice.play.take()) {
                self.call(Action::StopPlay { leg, play });
            }
            self.remix(id);
        }
        self.helper_sound(id);
        self.fact(now, &tenant, Fact::Held { interaction: id, agent: agent.clone(), on }, out);
        self.route(&tenant, routing::Input::Hold { interaction: id, agent, on });
    }

    /// Somebody has been on hold for long: two short tones to the agent, again and again. Who talks with a helper knows.
    pub(super) fn hold_reminder(&mut self, now: Now, id: InteractionId) {
        let play = self.play_id();
        let Some(i) = self.interactions.get(&id) else { return };
        let Some(talk) = i.talk.as_ref().filter(|t| t.held_since.is_some()) else { return };
        // The queue's limit is when the first one comes; the house says how often after that, else the limit does.
        let every = match i.settings.config.calls.hold_reminder_s {
            0 => hold_limit(i).unwrap_or(1),
            every => every,
        };
        let every = Duration::from_secs(u64::from(every));
        let (leg, alone) = (talk.leg, i.consult().is_none());
        self.timers.set(Timer::Hold(id), now.mono + every);
        if let Some(leg) = leg.filter(|_| alone) {
            let tone = Prompt::Tone { hz: 440, ms: 150 };
            let prompts = vec![tone.clone(), Prompt::Silence(Duration::from_millis(100)), tone];
            self.call(Action::Play { leg, play, prompts, repeat: Repeat::Once });
        }
    }

    /// Nobody hears the agent any more, or again.
    pub(super) fn mute(
        &mut self,
        now: Now,
        id: InteractionId,
        by: &Actor,
        on: bool,
        out: &mut Vec<Output>,
    ) -> Result<(), Refusal> {
        let i = self.interactions.get_mut(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let talk = i
            .talk
            .as_mut()
            .filter(|t| t.leg.is_some())
            .ok_or_else(|| Refusal::wrong_state(id, "is no call being talked in"))?;
        if by.agent().is_some_and(|a| *a != talk.agent) {
            return Err(Refusal::new(RefusalCode::NotAllowed, "everybody mutes their own microphone only"));
        }
        if std::mem::replace(&mut talk.muted, on) != on {
            let (tenant, agent) = (i.tenant.clone(), talk.agent.clone());
            self.remix(id);
            self.fact(now, &tenant, Fact::Muted { interaction: id, agent, on }, out);
        }
        Ok(())
    }

    /// Keys for whoever the agent talks with: the customer's machine, or the one of a number asked for advice.
    pub(super) fn keys(&mut self, now: Now, id: InteractionId, digits: &str, out: &mut Vec<Output>) -> Result<(), Refusal> {
        let good = |c: char| c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D');
        if digits.is_empty() || digits.len() > limits::KEYS_MAX || !digits.chars().all(good) {
            let max = limits::KEYS_MAX;
            return Err(Refusal::new(RefusalCode::Invalid, format!("expected 1 to {max} of 0-9, *, # and A-D")));
        }
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let talk = i.talk.as_ref().filter(|t| t.connected).ok_or_else(|| Refusal::wrong_state(id, "is not being talked to"))?;
        let helper = i.consult().filter(|c| c.up && talk.held_since.is_some()).and_then(|c| c.leg);
        let customer = i.customer_leg().filter(|_| talk.held_since.is_none());
        let leg = helper.or(customer).ok_or_else(|| Refusal::wrong_state(id, "has nobody on the line to hear keys"))?;
        let shown = if i.settings.config.calls.mask_keys { "x".repeat(digits.len()) } else { digits.to_owned() };
        let (tenant, agent) = (i.tenant.clone(), talk.agent.clone());
        self.call(Action::SendDtmf { leg, digits: digits.to_owned() });
        self.fact(now, &tenant, Fact::KeysSent { interaction: id, agent, digits: shown }, out);
        Ok(())
    }
}

/// How long a customer of this contact's queue may be on hold, seconds; none where the queue says nothing.
fn hold_limit(i: &Interaction) -> Option<u32> {
    let plan = i.queue.as_ref().and_then(|q| i.settings.plan.queues.get(q))?;
    plan.hold_max_s.filter(|s| *s > 0)
}

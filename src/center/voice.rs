//! What legs report: answered, digits, played to the end, gone.

use super::{
    Center, Input, LegUse, Output, Step,
    fact::{EndedBy, Fact, LegRole, LegTrouble},
    interaction::Playing,
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, TenantId},
    call::{self, Action, By, Cause, Event},
    ivr, routing,
};
use media::wire::LegId;

impl Center {
    /// Hands an input to the calls and takes what they say.
    pub(super) fn call_input(&mut self, now: Now, input: call::Input, out: &mut Vec<Output>) {
        let mut said = Vec::new();
        self.calls.handle(now, input, &mut said);
        for o in said {
            match o {
                call::Output::Send { flow, bytes } => out.push(Output::Send { flow, bytes }),
                call::Output::Media(c) => out.push(Output::Media(c)),
                call::Output::Play { leg, play, prompts, repeat } => out.push(Output::Play { leg, play, prompts, repeat }),
                call::Output::Verify { leg, seal } => out.push(Output::Verify { leg, seal }),
                call::Output::Event(e) => self.call_event(now, e, out),
            }
        }
    }

    fn call_event(&mut self, now: Now, event: Event, out: &mut Vec<Output>) {
        match event {
            Event::Arrived(a) => self.arrived(now, a, out),
            Event::Ringing { .. } | Event::Held { .. } | Event::DtmfSent { .. } => {}
            Event::Referred { leg, refer, to, device, replaces } => {
                self.referred(now, leg, refer, (&to, device), replaces, out);
            }
            Event::TakenAway { leg, permit } => self.taken_away(now, leg, permit, out),
            Event::SentOn { leg, from, to } => self.sent_on(now, leg, &from, &to, out),
            Event::EarlyMedia { leg } => self.early_sound(leg),
            Event::Answered { leg } => self.leg_answered(now, leg, out),
            Event::Digit { leg, digit } => self.digit(now, leg, digit, out),
            Event::Played { leg, play, finished } => self.played(now, leg, play, finished, out),
            Event::Recorded { record, duration, bytes, trouble } => self.recorded(now, record, duration, bytes, trouble, out),
            Event::RecordTrouble { record, trouble } => self.record_trouble(now, record, trouble, out),
            Event::TapLost { tap, lost } => self.stream_lost(tap, lost),
            Event::Answerer { leg, by } => self.callback_who(now, leg, by, out),
            Event::Beep { leg } => self.callback_beep(leg),
            Event::Silent { leg } => self.call(Action::Hangup { leg, cause: Cause::MediaTimeout }),
            Event::Unheard { leg, on } => self.leg_trouble(now, leg, LegTrouble::Unheard, on, out),
            Event::Muted { leg } => self.leg_trouble(now, leg, LegTrouble::Muted, true, out),
            Event::Ended { leg, cause, by, quality } => self.leg_ended(now, leg, cause, by, quality, out),
            Event::TrunkRegistered { tenant, trunk, on, code } => self.trunk_registered(now, &tenant, &trunk, on, code, out),
            Event::CalledOut { tenant, permit, talked_s, spent } => {
                self.called_out(now, &tenant, (permit, talked_s, spent), out);
            }
            Event::TrunkUp { tenant, trunk, up } => self.trunk_up(now, &tenant, &trunk, up, out),
            Event::Registered { tenant, user, .. } => {
                self.phone(&tenant, &user, true);
                self.phone_is_back(now, &tenant, &user, out);
            }
            Event::Unregistered { tenant, user } => self.phone(&tenant, &user, false),
            Event::Dialog { leg, snapshot, media } => {
                let Some((id, _)) = self.legs.get(&leg).cloned() else { return };
                let Some(tenant) = self.interactions.get(&id).map(|i| i.tenant.clone()) else { return };
                self.fact(now, &tenant, Fact::LegDialog { interaction: id, leg: leg.0, dialog: *snapshot, media }, out);
            }
        }
    }

    /// An agent's phone can be rung, or cannot.
    fn phone(&mut self, tenant: &TenantId, user: &str, up: bool) {
        let Ok(agent) = AgentId::parse(user) else { return };
        // Whose calls ring outside is not reached by a phone that is there, nor lost with it.
        if self.agent_exists(tenant, &agent) && self.number_of(tenant, &agent).is_none() {
            self.route(tenant, routing::Input::Reachable { agent, channel: Channel::Voice, up });
        }
    }

    pub(super) fn leg_answered(&mut self, now: Now, leg: LegId, out: &mut Vec<Output>) {
        if self.asks_for_one(now, leg) {
            return;
        }
        let Some((id, usage)) = self.legs.get(&leg).cloned() else { return };
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        match usage {
            LegUse::Customer => {
                let opened = i.opened.wall;
                let dialled = i.voice.as_mut().and_then(|v| {
                    v.up = true;
                    v.queue_dialled.take()
                });
                if let Some(queue) = dialled {
                    let mut entry = routing::Entry::new(id, queue, Channel::Voice, opened);
                    entry.entered = Some(now.wall);
                    // A visitor of a page is told of with it; of a caller there is nothing else yet.
                    let theirs = self.interactions.get(&id).map(|i| i.attributes.clone()).unwrap_or_default();
                    entry.attributes.extend(theirs);
                    self.restore_place(&mut entry);
                    self.enqueue(now, id, entry, "default".into(), false, out);
                    return self.music(id);
                }
                if i.run.is_some() && i.waiting.is_none() && i.talk.is_none() {
                    self.step(Step::Run(id, ivr::Input::Begin));
                } else if i.waiting.is_some() {
                    self.music(id);
                } else if i.talk.is_some() {
                    self.callback_answered(id, leg);
                    self.join(now, id, out);
                } else {
                    self.trial_answered(id, leg);
                }
            }
            LegUse::Offer(offer) => {
                // The phone was picked up: that is how a call is accepted. If somebody was faster, the phone is put down.
                if let Err(refused) = self.router_input(now, &tenant, routing::Input::Accept { offer }, out) {
                    tracing::debug!(%offer, %refused, "answered too late");
                    self.call(Action::Hangup { leg, cause: Cause::ElsewhereAnswered });
                }
            }
            LegUse::Agent if self.agent_leg_back(now, id, leg, out) => {}
            LegUse::Agent => self.dialling_agent_answered(now, id, leg, out),
            LegUse::Outside => self.outside_answered(id),
            LegUse::Helper => self.helper_number_answered(now, id, leg, out),
            LegUse::Supervisor(agent) => self.supervisor_answered(now, id, agent, leg, out),
        }
    }

    fn digit(&mut self, now: Now, leg: LegId, digit: char, out: &mut Vec<Output>) {
        if self.confirms(now, leg, digit, out) {
            return;
        }
        let Some((id, LegUse::Customer)) = self.legs.get(&leg).cloned() else { return };
        let Some(i) = self.interactions.get(&id) else { return };
        let voicemail = i.voice.as_ref().and_then(|v| v.recording.as_ref()).is_some_and(|r| r.voicemail.is_some());
        if voicemail {
            // `#` or any key ends a message, as on every answering machine.
            return self.voicemail_over(id);
        }
        if i.talk.is_none() && i.run.is_some() {
            self.step(Step::Run(id, ivr::Input::Digit(digit)));
        }
    }

    fn played(&mut self, now: Now, leg: LegId, play: media::wire::PlayId, finished: bool, out: &mut Vec<Output>) {
        let Some((id, LegUse::Customer)) = self.legs.get(&leg).cloned() else { return self.asked_in_vain(leg, play) };
        if self.calls.is_closing(leg) {
            // Cut short because they hung up: nothing comes after it.
            return;
        }
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        let Some((_, what)) = v.play.filter(|(p, _)| *p == play) else { return };
        v.play = None;
        match what {
            Playing::Flow => self.say_next(id),
            // Music that ended by itself could not be made: the caller waits in silence rather than in a loop of attempts.
            Playing::Music | Playing::Ringback => tracing::warn!(interaction = %id, finished, "music stopped by itself"),
            Playing::Announcement => self.music(id),
            Playing::Message => self.hang_up_customer(id, Cause::Normal),
            Playing::VoicemailPrompt => self.voicemail_beep(id),
            Playing::Beep => self.voicemail_record(now, id, out),
        }
    }

    /// Something is wrong with the sound of a leg. A microphone that is dead while nobody talks is nobody's trouble.
    fn leg_trouble(&mut self, now: Now, leg: LegId, trouble: LegTrouble, on: bool, out: &mut Vec<Output>) {
        let Some((id, usage)) = self.legs.get(&leg).cloned() else { return };
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let talking = i.talk.as_ref().is_some_and(|t| t.connected && t.held_since.is_none());
        let role = match usage {
            LegUse::Customer => LegRole::Customer,
            LegUse::Agent | LegUse::Offer(_) => LegRole::Agent,
            LegUse::Outside => LegRole::Outside,
            LegUse::Helper => LegRole::Helper,
            LegUse::Supervisor(_) => LegRole::Supervisor,
        };
        match (trouble, on) {
            (LegTrouble::Muted, _) if !talking => return,
            (LegTrouble::Muted | LegTrouble::Lost, _) => {}
            (LegTrouble::Unheard, true) => drop(i.unheard.insert(leg, role)),
            (LegTrouble::Unheard, false) => drop(i.unheard.remove(&leg)),
        }
        let tenant = i.tenant.clone();
        self.fact(now, &tenant, Fact::LegTrouble { interaction: id, leg: leg.0, role, trouble, on }, out);
    }

    pub(super) fn leg_ended(
        &mut self,
        now: Now,
        leg: LegId,
        cause: Cause,
        by: By,
        quality: Option<call::Quality>,
        out: &mut Vec<Output>,
    ) {
        self.confirm_over(leg);
        let Some((id, usage)) = self.legs.remove(&leg) else { return self.ladder_of_nobody(leg) };
        let Some(i) = self.interactions.get_mut(&id) else { return };
        i.legs = i.legs.saturating_sub(1);
        i.unheard.remove(&leg);
        let tenant = i.tenant.clone();
        let fact = Fact::LegEnded { interaction: id, leg: leg.0, cause, quality: quality.map(Into::into) };
        self.fact(now, &tenant, fact, out);
        match usage {
            LegUse::Customer => self.customer_leg_gone(now, id, cause, by, out),
            LegUse::Offer(offer) => {
                if let Some(r) = self.interactions.get_mut(&id).and_then(|i| i.rings.get_mut(&offer)) {
                    r.leg = None;
                }
                let input = match (cause, by) {
                    // No port here is no fault of the agent's: they stay ready, and are asked again later.
                    (Cause::Declined | Cause::Busy, _) | (Cause::Congestion, By::Us) => routing::Input::Decline { offer },
                    (other, _) => routing::Input::EndpointFailed { offer, why: other.to_string() },
                };
                self.route(&tenant, input);
            }
            LegUse::Agent if self.agent_leg_lost(now, id, leg, by, out) => {}
            LegUse::Agent => self.agent_leg_gone(now, id, leg, out),
            LegUse::Outside => self.outside_gone(now, id, cause, out),
            LegUse::Helper => self.helper_gone(now, id, leg, out),
            LegUse::Supervisor(agent) => self.supervisor_gone(now, id, agent, leg, cause, out),
        }
        self.forget_if_over(id);
        self.ladder_settle(now, id);
    }

    fn customer_leg_gone(&mut self, now: Now, id: InteractionId, cause: Cause, by: By, out: &mut Vec<Output>) {
        self.streams_end(now, id, out);
        self.ears_end(id, out);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let was_up = i.voice.as_mut().is_some_and(|v| {
            v.leg = None;
            std::mem::replace(&mut v.up, false)
        });
        if self.callback_missed(now, id, cause, by, out) {
            return;
        }
        let by = match by {
            By::Us => EndedBy::System,
            By::Peer => EndedBy::Customer,
            By::Network => EndedBy::System,
        };
        let cause = if cause == Cause::Normal && !was_up { Cause::CallerGaveUp } else { cause };
        if self.still_consulting(now, id, cause, by, out) {
            return;
        }
        self.close(now, id, cause, by, out);
    }
}

impl From<call::Input> for Input {
    fn from(i: call::Input) -> Self {
        Input::Call(i)
    }
}

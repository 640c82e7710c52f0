//! What flows ask for: say, ask, wait for an agent, take a message, hand over, end.

use std::collections::BTreeMap;

use media::wire::Repeat;

use super::{
    Ask, AskId, Center, Output, Step, Timer,
    fact::{EndedBy, Fact, Unqueued, millis},
    interaction::{Playing, Waiting},
    trunks::Behalf,
};
use crate::{
    base::{Channel, InteractionId, Now, QueueId},
    call::{Action, Cause, Prompt},
    ivr, routing, text,
};

impl Center {
    /// Hands an input to the flow of a contact and does what it asks.
    pub(super) fn run_input(&mut self, now: Now, id: InteractionId, input: ivr::Input, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        // A caller who is gone hears nothing: the flow only gets to write down what it wants written.
        if i.closed && input != ivr::Input::Hangup {
            return;
        }
        let Some(mut run) = i.run.take() else { return };
        // While an agent talks the flow rests: that, too, must be known after a restart.
        let rests = matches!(
            input,
            ivr::Input::Queue(ivr::QueueResult::Answered) | ivr::Input::Transfer(ivr::TransferResult::Answered)
        );
        let mut said = Vec::new();
        run.handle(now, input, &mut said);
        match run.deadline() {
            Some(at) => self.timers.set(Timer::Run(id), at),
            None => {
                self.timers.clear(&Timer::Run(id));
            }
        }
        // The run is put back before its wishes are carried out, since those may reach it again.
        let snapshot = i.channel.is_text().then(|| run.snapshot());
        let moved = rests || said.iter().any(|o| matches!(o, ivr::Output::Entered { .. }));
        let (tenant, channel) = (i.tenant.clone(), i.channel);
        i.run = Some(run);
        // Where it stands comes before what it does there: a crash in between does it again rather than not at all.
        if let (true, Some(state)) = (moved, snapshot) {
            self.fact(now, &tenant, Fact::FlowSaved { interaction: id, state }, out);
        }
        // Straight from a queue to a call back: the place is given up when that is booked, or refused.
        let calls_back = said.iter().any(|o| matches!(o, ivr::Output::Callback(_)));
        for o in said {
            match o {
                ivr::Output::LeaveQueue { .. } if calls_back => {}
                o => self.run_output(now, id, o, out),
            }
        }
        if channel == Channel::Voice {
            self.step(Step::Listen(id));
        }
    }

    fn run_output(&mut self, now: Now, id: InteractionId, o: ivr::Output, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        match o {
            ivr::Output::Entered { flow, node } => {
                i.path.push(node.clone());
                let node = format!("{flow}/{node}");
                self.fact(now, &tenant, Fact::FlowEntered { interaction: id, node }, out);
            }
            ivr::Output::Event { name, data } => {
                let data: BTreeMap<String, String> = data.into_iter().map(|(k, v)| (k, v.show())).collect();
                if name == super::rating::EVENT {
                    self.flow_rated(now, id, &data, out);
                }
                self.fact(now, &tenant, Fact::FlowEvent { interaction: id, name, data }, out);
            }
            ivr::Output::Http(http) => {
                let name = AskId(self.name());
                self.asks.insert(name, (id, http.ask));
                out.push(Output::Ask(Box::new(Ask { id: name, interaction: id, http })));
            }
            // What follows needs a customer.
            _ if i.closed => {}
            ivr::Output::StopSaying => self.stop_saying(id),
            ivr::Output::Announce(prompts) => self.announce(now, id, prompts, out),
            ivr::Output::LeaveQueue { waited_out: true } => self.leave_queue(now, id, Unqueued::Timeout, out),
            ivr::Output::LeaveQueue { waited_out: false } => self.leave_queue(now, id, Unqueued::ExitKey, out),
            ivr::Output::Callback(wish) => self.flow_callback(now, id, wish, out),
            other => {
                self.stop_handing(now, id, out);
                self.run_wish(now, id, other, out);
            }
        }
    }

    /// What a flow does next with its customer; whatever it did before is over.
    fn run_wish(&mut self, now: Now, id: InteractionId, o: ivr::Output, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        match o {
            ivr::Output::Say { prompts, reason, .. } => match i.channel {
                Channel::Voice => self.say(id, prompts),
                Channel::Webchat => self.write(now, id, &prompts, reason, out),
            },
            ivr::Output::Enqueue(wish) => self.flow_enqueue(now, id, wish, out),
            ivr::Output::Voicemail { prompts, max, ticket, text } => self.voicemail(now, id, prompts, max, ticket, text, out),
            ivr::Output::Transfer { to, .. } => self.flow_transfer(now, id, to, out),
            ivr::Output::Hangup => self.flow_hangup(now, id, out),
            ivr::Output::Finished { outcome } => self.flow_finished(now, id, outcome, out),
            ivr::Output::Entered { .. }
            | ivr::Output::Event { .. }
            | ivr::Output::Http(_)
            | ivr::Output::StopSaying
            | ivr::Output::Announce(_)
            | ivr::Output::Callback(_)
            | ivr::Output::LeaveQueue { .. } => {}
        }
    }

    /// The flow goes on by itself while somebody it wanted to hand the customer to is still being rung or waited for.
    fn stop_handing(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id).filter(|i| i.talk.is_none()) else { return };
        let tenant = i.tenant.clone();
        match i.waiting.take_if(|w| !w.by_flow) {
            Some(w) => {
                let waited_ms = millis(now.mono - w.since);
                let why = Unqueued::Timeout;
                self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue: w.entry.queue, why, waited_ms }, out);
                self.withdraw(now, id, routing::Withdrawn::Left, out);
            }
            None if i.waiting.is_none() && !i.rings.is_empty() => self.withdraw(now, id, routing::Withdrawn::Left, out),
            None => {}
        }
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        let outside = v.outside.take_if(|o| !o.up && o.by_flow);
        if let (Some(leg), Some((play, Playing::Ringback | Playing::Music))) = (v.leg, v.play) {
            v.play = None;
            self.call(Action::StopPlay { leg, play });
        }
        if let Some(o) = outside {
            self.call(Action::Hangup { leg: o.leg, cause: Cause::NoAnswer });
        }
    }

    fn say(&mut self, id: InteractionId, prompts: Vec<ivr::Prompt>) {
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        v.say.push_back(prompts.into_iter().map(spoken).collect());
        if !matches!(v.play, Some((_, Playing::Flow))) {
            self.say_next(id);
        }
    }

    /// The next thing the flow has to say; when there is none the flow hears that all was said.
    pub(super) fn say_next(&mut self, id: InteractionId) {
        let play = self.play_id();
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        let Some(leg) = v.leg else { return };
        match v.say.pop_front() {
            Some(prompts) => {
                v.play = Some((play, Playing::Flow));
                self.call(Action::Play { leg, play, prompts, repeat: Repeat::Once });
            }
            None => self.step(Step::Run(id, ivr::Input::Played)),
        }
    }

    fn stop_saying(&mut self, id: InteractionId) {
        let Some(v) = self.interactions.get_mut(&id).and_then(|i| i.voice.as_mut()) else { return };
        v.say.clear();
        if let (Some(leg), Some((play, Playing::Flow))) = (v.leg, v.play) {
            v.play = None;
            self.call(Action::StopPlay { leg, play });
        }
    }

    /// Over the music of a waiting customer; the music comes back after it.
    fn announce(&mut self, now: Now, id: InteractionId, prompts: Vec<ivr::Prompt>, out: &mut Vec<Output>) {
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id).filter(|i| i.waiting.is_some()) else { return };
        if i.channel.is_text() {
            return self.write(now, id, &prompts, ivr::SayReason::Prompt, out);
        }
        let Some(v) = i.voice.as_mut() else { return };
        let Some(leg) = v.leg else { return };
        v.play = Some((play, Playing::Announcement));
        let prompts = prompts.into_iter().map(spoken).collect();
        self.call(Action::Play { leg, play, prompts, repeat: Repeat::Once });
    }

    /// Prompts as messages of the bot; a question carries its answers as buttons.
    fn write(&mut self, now: Now, id: InteractionId, prompts: &[ivr::Prompt], reason: ivr::SayReason, out: &mut Vec<Output>) {
        let words: Vec<&str> = prompts.iter().map(ivr::Prompt::text).filter(|t| !t.trim().is_empty()).collect();
        let options = match reason {
            ivr::SayReason::Menu(options) => options,
            ivr::SayReason::Prompt => Vec::new(),
        };
        if !words.is_empty() {
            self.post(now, id, text::Sender::Bot, None, words.join("\n"), options, out);
        }
    }

    fn flow_enqueue(&mut self, now: Now, id: InteractionId, wish: ivr::Enqueue, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        if i.recovered.as_ref().is_some_and(|e| e.queue == wish.queue) {
            let entry = i.recovered.take().expect("it was there on the line above");
            let music = wish.music.unwrap_or_else(|| "default".into());
            return self.wait_again(now, id, entry, music, true);
        }
        self.drop_recovered(now, id, out);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        i.attributes.extend(wish.attributes.clone());
        if let Some(v) = i.voice.as_mut() {
            v.record = wish.record;
        }
        let mut entry = routing::Entry::new(id, wish.queue, i.channel, i.opened.wall);
        entry.entered = Some(now.wall);
        entry.priority_min = wish.priority_min;
        entry.needs = wish.skills;
        entry.prefer = wish.prefer;
        entry.attributes = i.attributes.clone();
        entry.max_wait = wish.max_wait;
        self.restore_place(&mut entry);
        let music = wish.music.unwrap_or_else(|| "default".into());
        self.enqueue(now, id, entry, music, true, out);
        self.music(id);
    }

    /// It waited before the restart, and its flow is elsewhere by now: that, too, is written down.
    pub(super) fn drop_recovered(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(entry) = i.recovered.take() else { return };
        let tenant = i.tenant.clone();
        let waited_ms = millis(now.wall.since(entry.entered.unwrap_or(entry.since)));
        let why = Unqueued::Moved;
        self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue: entry.queue, why, waited_ms }, out);
    }

    /// It waited before the restart and waits again: nothing new has happened, so no fact is written.
    pub(super) fn wait_again(&mut self, now: Now, id: InteractionId, entry: routing::Entry, music: String, by_flow: bool) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        let since = super::recover::mono_of(now, entry.entered.unwrap_or(entry.since));
        i.waiting = Some(Waiting { entry: entry.clone(), since, music, by_flow });
        self.route(&tenant, routing::Input::Enqueue(entry));
        self.timers.set(Timer::Positions, now.mono);
    }

    /// A caller who was cut off while waiting for the same queue finds the old place (D26).
    pub(super) fn restore_place(&mut self, entry: &mut routing::Entry) {
        let Some(i) = self.interactions.get(&entry.interaction) else { return };
        let (tenant, from) = (i.tenant.clone(), i.from.clone());
        let Some(t) = self.tenants.get_mut(&tenant) else { return };
        if t.places.get(&from).is_some_and(|p| p.queue == entry.queue) {
            let place = t.places.remove(&from).expect("it was there on the line above");
            self.timers.clear(&Timer::Place(tenant, from));
            entry.since = entry.since.min(place.since);
        }
    }

    /// It waits from now on.
    pub(super) fn enqueue(
        &mut self,
        now: Now,
        id: InteractionId,
        mut entry: routing::Entry,
        music: String,
        by_flow: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        // Who vouches for the caller counts in every queue, however they came to it.
        let vouched = i.attributes.iter().filter(|(k, _)| k.starts_with("caller."));
        entry.attributes.extend(vouched.map(|(k, v)| (k.clone(), v.clone())));
        i.queue = Some(entry.queue.clone());
        i.stood = Some(entry.clone());
        i.stage_since = now.wall;
        i.waiting = Some(Waiting { entry: entry.clone(), since: now.mono, music, by_flow });
        self.fact(now, &tenant, Fact::Queued { entry: entry.clone() }, out);
        self.ticket_queue(now, id, &entry.queue, out);
        self.route(&tenant, routing::Input::Enqueue(entry));
        if self.timers.get(&Timer::Positions).is_none() {
            self.timers.set(Timer::Positions, now.mono);
        }
    }

    /// The customer chose another way by key, or the flow by its own clock.
    pub(super) fn leave_queue(&mut self, now: Now, id: InteractionId, why: Unqueued, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(w) = i.waiting.take() else { return };
        i.stage_since = now.wall;
        let tenant = i.tenant.clone();
        let waited_ms = millis(now.mono - w.since);
        if let Some(v) = i.voice.as_mut()
            && let (Some(leg), Some((play, Playing::Music | Playing::Announcement))) = (v.leg, v.play)
        {
            v.play = None;
            self.call(Action::StopPlay { leg, play });
        }
        self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue: w.entry.queue, why, waited_ms }, out);
        let why = if why == Unqueued::Callback { routing::Withdrawn::Callback } else { routing::Withdrawn::Left };
        self.withdraw(now, id, why, out);
    }

    fn flow_transfer(&mut self, now: Now, id: InteractionId, to: ivr::TransferTo, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (tenant, settings, channel, opened) = (i.tenant.clone(), i.settings.clone(), i.channel, i.opened.wall);
        let (from, dialled) = (i.from.clone(), i.to.clone());
        let whose = Behalf { agent: None, source: &from, diverted: Some(&dialled), interaction: Some(id) };
        match to {
            ivr::TransferTo::Number(_) if channel != Channel::Voice => {
                self.step(Step::Run(id, ivr::Input::Transfer(ivr::TransferResult::Failed)));
            }
            ivr::TransferTo::Number(number) => match self.permit(now, &settings, whose, &number, out) {
                Ok(permit) => self.ring_outside(now, id, permit, true, out),
                Err(_) => self.step(Step::Run(id, ivr::Input::Transfer(ivr::TransferResult::Failed))),
            },
            ivr::TransferTo::Queue(queue) => {
                let mut entry = routing::Entry::new(id, queue, channel, opened);
                entry.entered = Some(now.wall);
                self.enqueue(now, id, entry, "default".into(), false, out);
                self.music(id);
            }
            ivr::TransferTo::Agent(agent) => {
                self.music(id);
                self.route(&tenant, routing::Input::Assign { interaction: id, agent, channel });
            }
        }
    }

    fn flow_hangup(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        match i.channel {
            Channel::Voice => self.hang_up_customer(id, Cause::Normal),
            Channel::Webchat => self.close(now, id, Cause::Normal, EndedBy::System, out),
        }
    }

    fn flow_finished(&mut self, now: Now, id: InteractionId, outcome: ivr::End, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        i.run = None;
        self.timers.clear(&Timer::Run(id));
        match outcome {
            ivr::End::CallerLeft | ivr::End::Transferred => {}
            ivr::End::Hangup | ivr::End::Returned(_) => self.flow_hangup(now, id, out),
            ivr::End::Failed(why) => {
                tracing::warn!(interaction = %id, why, "the flow could not go on; the customer goes to a person");
                let Some(i) = self.interactions.get(&id) else { return };
                let fallback: Option<QueueId> = i.settings.plan.queues.keys().next().cloned();
                match fallback.filter(|_| i.waiting.is_none() && i.talk.is_none()) {
                    Some(queue) => {
                        let mut entry = routing::Entry::new(id, queue, i.channel, i.opened.wall);
                        entry.entered = Some(now.wall);
                        self.enqueue(now, id, entry, "default".into(), false, out);
                        self.music(id);
                    }
                    None => self.flow_hangup(now, id, out),
                }
            }
        }
    }
}

pub(super) fn spoken(p: ivr::Prompt) -> Prompt {
    match p {
        ivr::Prompt::File { name, .. } => Prompt::File(name.into()),
        ivr::Prompt::Text { text, lang, .. } => Prompt::Say { text: text.into(), lang: lang.into() },
    }
}

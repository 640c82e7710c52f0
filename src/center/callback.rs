//! Customers who want to be called back: the place is kept, the line is not.
//!
//! ```text
//! booked ─▶ waits ──an agent takes it──▶ the customer is rung ──a person──▶ a talk like any other
//!             ▲                                ├─ busy, no answer, declined, the agent is gone ──┐
//!             │                                └─ a machine: told after its beep, once ──────────┤
//!             └──────── rests for the gap ◀──────────── attempts left ───────────────────────────┤
//!                                                     none left: closed, and on the ticket ◀─────┘
//! ```
//! A call back is a contact of its own, which waits with the age and the wishes of the one it comes from; that one leaves its
//! queue as [`Unqueued::Callback`](super::fact::Unqueued), which is no abandonment. The agent is rung first, so that no customer is
//! called whom nobody waits for. Every call out passes the guard against toll fraud, when it is booked and each time it is made.
//! One number is called back once, however often it asks.
//!
//! A customer may choose the hour ([`ChosenHours`]): then it rests until that has come, and waits from then on in front of whoever
//! came within the last of such hours. So many customers may choose the same one.
//!
//! Tests: `sim::tests::callback`.

mod chosen;
mod hours;
mod plan;

use std::{sync::Arc, time::Duration};

use media::wire::{Answerer, LegId, PlayId, Repeat};

use chosen::{Hour, meant};
pub use hours::ChosenHours;
pub use plan::{Outcome, Plan, Promise, Words};

use super::{
    Center, LegUse, Output, Step, Timer,
    arrive::Opening,
    command::{Refusal, RefusalCode},
    fact::{EndedBy, Fact, Unqueued, Way, millis},
    interaction::{Interaction, Playing, Talk, Voice},
    settings::TenantSettings,
    talk::ringback,
    trunks::Behalf,
    view::CallbackView,
};
use crate::{
    base::{AgentId, Channel, CustomerId, InteractionId, Now, OfferId, QueueId, Wall, e164, limits},
    call::{Action, By, Cause, Prompt},
    ivr, routing, ticket,
};

/// A call back that is going on.
#[derive(Debug)]
pub(super) struct Callback {
    plan: Plan,
    /// Calls made so far.
    tried: u32,
    last: Option<Outcome>,
    /// A machine has been told already.
    told: bool,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    /// For an agent.
    Waits,
    /// The customer is rung; what the agent hears meanwhile.
    Rings { heard: Option<PlayId> },
    /// Somebody is there.
    Answered,
    /// It is a machine, which is told now or not.
    Machine { told: bool },
    /// Until it waits again.
    Rests { until: Wall },
}

/// What a restart must know of it.
#[derive(Debug, Clone)]
pub(super) struct Remembered {
    plan: Plan,
    entry: routing::Entry,
    tried: u32,
    last: Option<Outcome>,
    next: Option<Wall>,
}

impl Remembered {
    pub fn new(plan: &Plan, entry: &routing::Entry) -> Self {
        Remembered { plan: plan.clone(), entry: entry.clone(), tried: 0, last: None, next: plan.at }
    }
    /// It waits.
    pub fn queued(&mut self, entry: &routing::Entry) {
        (self.entry, self.next) = (entry.clone(), None);
    }
    /// A call came to nothing.
    pub fn tried(&mut self, attempt: u32, outcome: Outcome, next: Option<Wall>) {
        (self.tried, self.last, self.next) = (attempt, Some(outcome), next);
    }
}

/// A call back as it is asked for.
#[derive(Debug)]
pub(super) struct Wish {
    /// The number as given.
    pub plan: Plan,
    pub customer: CustomerId,
    /// The contact it comes from.
    pub of: Option<InteractionId>,
    /// How it waits: the queue, the age, head start and skills.
    pub entry: routing::Entry,
}

/// A number that may be called back.
#[derive(Debug)]
pub(super) struct Checked {
    /// In E.164.
    number: String,
    /// It has asked before.
    pub before: Option<InteractionId>,
    /// The hour that was chosen.
    hour: Option<Hour>,
}

impl Callback {
    fn new(plan: Plan) -> Self {
        let stage = plan.at.map_or(Stage::Waits, |until| Stage::Rests { until });
        Callback { plan, tried: 0, last: None, told: false, stage }
    }
    /// The hour the customer has chosen.
    pub fn chosen(&self) -> Option<Wall> {
        self.plan.at
    }
    /// The customer is still to be called.
    pub fn is_due(&self) -> bool {
        self.stage == Stage::Waits
    }
    /// Not even an agent is looked for now.
    pub fn rests(&self) -> bool {
        matches!(self.stage, Stage::Rests { .. })
    }
    /// For whoever looks.
    pub fn view(&self) -> CallbackView {
        CallbackView {
            number: self.plan.number.clone(),
            tried: self.tried,
            attempts: self.plan.attempts,
            last: self.last,
            again_at: if let Stage::Rests { until } = self.stage { Some(until) } else { None },
            chosen_at: self.plan.at,
        }
    }
}

fn words(p: ivr::Prompt) -> Words {
    match p {
        ivr::Prompt::File { name, .. } => Words::File(name),
        ivr::Prompt::Text { text, lang, .. } => Words::Say { text, lang },
    }
}

fn spoken(w: &Words) -> Prompt {
    match w {
        Words::File(name) => Prompt::File(name.as_str().into()),
        Words::Say { text, lang } => Prompt::Say { text: text.as_str().into(), lang: lang.as_str().into() },
    }
}

impl Center {
    // ---- booked ----

    /// Takes a wish to be called back, or says why not. Who has asked before keeps the place of then.
    pub(super) fn callback_book(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        wish: Wish,
        out: &mut Vec<Output>,
    ) -> Result<InteractionId, Refusal> {
        let checked = self.callback_check(now, settings, &wish.plan, &wish.entry.queue, wish.of, out)?;
        Ok(match checked.before {
            Some(before) => before,
            None => self.callback_open(now, settings, wish, checked, out),
        })
    }

    /// Takes a wish that was just found to be good.
    pub(super) fn callback_open(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        wish: Wish,
        checked: Checked,
        out: &mut Vec<Output>,
    ) -> InteractionId {
        let Wish { mut plan, customer, of, mut entry } = wish;
        let tenant = settings.id.clone();
        plan.number = checked.number;
        let mut said = String::new();
        if let (Some(at), Some(hour)) = (plan.at, checked.hour) {
            // Its age is that of the promise.
            let ahead = i32::try_from(hour.minutes).unwrap_or(0);
            (entry.since, entry.priority_min) = (at, entry.priority_min.max(ahead));
            said = format!(", {}", hour.said);
        }
        let id = InteractionId::new(now, &mut self.rng);
        let title = format!("Call back {}", plan.number);
        let ticket = self.ticket_for(now, &tenant, customer, id, Channel::Voice, title, out);
        let (to, from) = (plan.number.clone(), plan.number.clone());
        let opening = Opening {
            tenant: tenant.clone(),
            channel: Channel::Voice,
            way: Way::Outbound,
            to,
            from,
            customer,
            ticket,
            visitor: None,
            verdict: None,
        };
        self.open(now, id, opening, settings, out);
        (entry.interaction, entry.channel, entry.entered) = (id, Channel::Voice, Some(now.wall));
        (entry.max_wait, entry.patient) = (None, true);
        self.fact(now, &tenant, Fact::CallbackBooked { interaction: id, of, plan: plan.clone(), entry: entry.clone() }, out);
        if let Some(ticket) = ticket {
            let text = format!("Asked to be called back at {}{said}.", plan.number);
            self.ticket_change(now, &tenant, ticket, ticket::Actor::System, ticket::Change::Noted { text }, out);
        }
        let chosen = plan.at;
        self.callback_hold(id, Callback::new(plan), &entry);
        let begins = chosen.map_or(now.mono, |at| now.mono_at(at));
        self.timers.set(Timer::CallbackLife(id), begins + limits::CALLBACK_LIFE);
        match chosen {
            Some(_) => self.timers.set(Timer::Callback(id), begins),
            None => self.enqueue(now, id, entry, "default".into(), false, out),
        }
        id
    }

    /// Whether a number may be called back, at the hour that was chosen if one was, and whether it is already.
    pub(super) fn callback_check(
        &mut self,
        now: Now,
        settings: &Arc<TenantSettings>,
        plan: &Plan,
        queue: &QueueId,
        of: Option<InteractionId>,
        out: &mut Vec<Output>,
    ) -> Result<Checked, Refusal> {
        let number = settings.config.number(&plan.number);
        // Short numbers and extensions are nobody's own.
        if !e164::is_whole(&number) {
            return Err(Refusal::new(RefusalCode::Invalid, "number: expected a whole telephone number, with its area code"));
        }
        let Some(t) = self.tenants.get(&settings.id) else { return Err(Refusal::not_found("this tenant")) };
        if let Some(before) = t.callbacks.get(&number).copied() {
            let before = self.callback_again(before, plan.at)?;
            return Ok(Checked { number, before: Some(before), hour: None });
        }
        if !t.settings.plan.queues.contains_key(queue) {
            return Err(Refusal::not_found(format!("queue {queue}")));
        }
        if t.callbacks.len() >= limits::CALLBACKS_MAX {
            return Err(Refusal::new(RefusalCode::Limit, "too many customers wait to be called back"));
        }
        if !self.admission {
            return Err(Refusal::new(RefusalCode::Unavailable, "nothing new is taken right now; try again soon"));
        }
        let whose = Behalf { agent: None, source: &number, diverted: None, interaction: of };
        self.may_call_out(now, settings, whose, &number, out)?;
        let hour = plan.at.map(|at| self.hour_is_free(now, settings, queue, at)).transpose()?;
        Ok(Checked { number, before: None, hour })
    }

    fn callback_hold(&mut self, id: InteractionId, callback: Callback, entry: &routing::Entry) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        i.voice = Some(Voice::default());
        i.queue = Some(entry.queue.clone());
        i.attributes = entry.attributes.clone();
        let number = callback.plan.number.clone();
        i.callback = Some(callback);
        i.stood = Some(entry.clone());
        if let Some(t) = self.tenants.get_mut(&i.tenant) {
            t.callbacks.insert(number, id);
        }
    }

    /// A flow asks for it. Where it comes straight from a queue the customer has not left that yet: which of the two ways out it
    /// was is known here.
    pub(super) fn flow_callback(&mut self, now: Now, id: InteractionId, wish: ivr::Callback, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (settings, customer, opened) = (i.settings.clone(), i.customer, i.opened.wall);
        let attributes = i.attributes.clone();
        let stood = i.waiting.as_ref().map(|w| &w.entry).or(i.stood.as_ref()).cloned();
        let entry = match (wish.queue, stood) {
            (Some(queue), Some(stood)) if stood.queue == queue => Some(stood),
            (None, stood) => stood,
            (Some(queue), _) => Some(routing::Entry::new(id, queue, Channel::Voice, opened)),
        };
        let at = entry.as_ref().zip(wish.at).map(|(e, said)| meant(now, &settings, &e.queue, &said));
        let plan = Plan {
            number: wish.number,
            attempts: wish.attempts,
            gap_s: wish.gap.as_secs(),
            screens: wish.screens,
            message: wish.message.into_iter().map(words).collect(),
            ticket: wish.ticket.map(|t| Promise { queue: t.queue, title: t.title, sla: t.sla }),
            at: at.flatten(),
        };
        let booked = match entry {
            Some(_) if at == Some(None) => Err(Refusal::new(RefusalCode::Invalid, "this is no hour that is offered here")),
            Some(mut entry) => {
                entry.since = entry.since.min(opened);
                entry.attributes = attributes;
                self.callback_book(now, &settings, Wish { plan, customer, of: Some(id), entry }, out)
            }
            None => Err(Refusal::wrong_state(id, "has not waited anywhere, and the flow names no queue")),
        };
        let waits = self.interactions.get(&id).is_some_and(|i| i.waiting.is_some());
        let (why, result) = match booked {
            Ok(callback) => {
                if let Some(i) = self.interactions.get_mut(&id) {
                    i.booked = Some(callback);
                }
                (Unqueued::Callback, ivr::CallbackResult::Queued)
            }
            Err(refusal) => {
                tracing::info!(interaction = %id, %refusal, "a caller is not called back");
                (Unqueued::ExitKey, ivr::CallbackResult::Refused)
            }
        };
        if waits {
            self.leave_queue(now, id, why, out);
        }
        self.step(Step::Run(id, ivr::Input::Callback(result)));
    }

    // ---- its turn ----

    /// An agent has taken it: the customer is called, and the agent hears it ring.
    pub(super) fn callback_taken(
        &mut self,
        now: Now,
        id: InteractionId,
        agent: AgentId,
        offer: OfferId,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (tenant, leg, waited) = (i.tenant.clone(), i.rings.remove(&offer).and_then(|r| r.leg), i.waiting.take());
        i.talk = Some(Talk { up: true, ..Talk::dialling(agent, now, leg) });
        i.stage_since = now.wall;
        if let Some(w) = waited {
            let (queue, waited_ms) = (w.entry.queue, millis(now.mono - w.since));
            self.fact(now, &tenant, Fact::Unqueued { interaction: id, queue, why: Unqueued::Answered, waited_ms }, out);
        }
        if let Some(leg) = leg {
            self.attach(leg, id, LegUse::Agent);
        }
        let play = self.play_id();
        let number = match self.interactions.get_mut(&id).and_then(|i| i.callback.as_mut()) {
            Some(c) => {
                c.stage = Stage::Rings { heard: leg.map(|_| play) };
                c.plan.number.clone()
            }
            None => return,
        };
        // The rules of now, not of when it was booked.
        let Some(settings) = self.tenants.get(&tenant).map(|t| t.settings.clone()) else { return };
        let whose = Behalf { agent: None, source: &number, diverted: None, interaction: Some(id) };
        match self.permit(now, &settings, whose, &number, out) {
            Ok(permit) => {
                if let Some(leg) = leg {
                    self.call(Action::Play { leg, play, prompts: ringback(), repeat: Repeat::Forever });
                }
                self.ring_customer(now, id, permit, out);
            }
            Err(refusal) => {
                tracing::info!(interaction = %id, %refusal, "a customer may not be called back");
                self.callback_tried(now, id, Outcome::NotAllowed, Cause::NotAllowed, out);
            }
        }
    }

    /// The agent hears it ring no longer.
    pub(super) fn callback_quiet(&mut self, id: InteractionId) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let leg = i.talk.as_ref().and_then(|t| t.leg);
        let Some(Stage::Rings { heard }) = i.callback.as_mut().map(|c| &mut c.stage) else { return };
        if let (Some(leg), Some(play)) = (leg, heard.take()) {
            self.call(Action::StopPlay { leg, play });
        }
    }

    /// The customer's telephone was answered, by whomever.
    pub(super) fn callback_answered(&mut self, id: InteractionId, leg: LegId) {
        self.callback_quiet(id);
        let Some(c) = self.interactions.get_mut(&id).and_then(|i| i.callback.as_mut()) else { return };
        if !matches!(c.stage, Stage::Rings { .. }) {
            return;
        }
        c.stage = Stage::Answered;
        if c.plan.screens {
            self.call(Action::WhoAnswered { leg });
        }
    }

    /// The sound says who has answered. A person is being talked to already; of a machine the agent is relieved.
    pub(super) fn callback_who(&mut self, now: Now, leg: LegId, by: Answerer, out: &mut Vec<Output>) {
        let Some((id, LegUse::Customer)) = self.legs.get(&leg).cloned() else { return };
        if by != Answerer::Machine || self.calls.is_closing(leg) {
            return;
        }
        let Some(i) = self.interactions.get_mut(&id).filter(|i| i.talk.is_some() && i.consult().is_none()) else { return };
        let Some(c) = i.callback.as_mut().filter(|c| c.stage == Stage::Answered) else { return };
        c.stage = Stage::Machine { told: false };
        let tells = !c.plan.message.is_empty() && !c.told;
        self.part(now, id, EndedBy::System, Cause::Normal, out);
        self.supervisors_leave(now, id, out);
        match tells {
            true => self.timers.set(Timer::Callback(id), now.mono + limits::CALLBACK_BEEP_WITHIN),
            false => self.hang_up_customer(id, Cause::Normal),
        }
    }

    /// The machine records from now on.
    pub(super) fn callback_beep(&mut self, leg: LegId) {
        let Some((id, LegUse::Customer)) = self.legs.get(&leg).cloned() else { return };
        let play = self.play_id();
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let (Some(c), Some(v)) = (i.callback.as_mut(), i.voice.as_mut()) else { return };
        if c.stage != (Stage::Machine { told: false }) || c.told || c.plan.message.is_empty() {
            return;
        }
        (c.told, c.stage) = (true, Stage::Machine { told: true });
        v.play = Some((play, Playing::Message));
        let prompts = c.plan.message.iter().map(spoken).collect();
        self.timers.clear(&Timer::Callback(id));
        self.call(Action::Play { leg, play, prompts, repeat: Repeat::Once });
    }

    // ---- not reached ----

    /// The customer's leg is gone. True: the customer was never there, and is called again, or given up.
    pub(super) fn callback_missed(&mut self, now: Now, id: InteractionId, cause: Cause, by: By, out: &mut Vec<Output>) -> bool {
        let Some(i) = self.interactions.get(&id).filter(|i| !i.closed) else { return false };
        let outcome = match (i.callback.as_ref().map(|c| c.stage), cause) {
            (Some(Stage::Machine { told: true }), _) => Outcome::Told,
            (Some(Stage::Machine { told: false }), _) => Outcome::Machine,
            (Some(Stage::Rings { .. }), Cause::Busy) => Outcome::Busy,
            (Some(Stage::Rings { .. }), Cause::Declined) => Outcome::Declined,
            (Some(Stage::Rings { .. }), Cause::NoAnswer) => Outcome::NoAnswer,
            (Some(Stage::Rings { .. }), Cause::Normal | Cause::CallerGaveUp) if by == By::Us => Outcome::AgentLeft,
            (Some(Stage::Rings { .. }), _) => Outcome::Failed,
            _ => return false,
        };
        let cause = if matches!(outcome, Outcome::Told | Outcome::Machine) { Cause::NoAnswer } else { cause };
        self.callback_tried(now, id, outcome, cause, out);
        true
    }

    fn callback_tried(&mut self, now: Now, id: InteractionId, outcome: Outcome, cause: Cause, out: &mut Vec<Output>) {
        self.callback_quiet(id);
        self.timers.clear(&Timer::Callback(id));
        self.part(now, id, EndedBy::System, cause, out);
        self.supervisors_leave(now, id, out);
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let tenant = i.tenant.clone();
        i.stage_since = now.wall;
        if let Some(v) = i.voice.as_mut() {
            (v.play, v.early) = (None, None);
        }
        let Some(c) = i.callback.as_mut() else { return };
        let gap = Duration::from_secs(c.plan.gap_s);
        c.tried += 1;
        c.last = Some(outcome);
        c.stage = Stage::Rests { until: now.wall + gap };
        let (attempt, next) = (c.tried, (c.tried < c.plan.attempts).then_some(now.wall + gap));
        self.fact(now, &tenant, Fact::CallbackTried { interaction: id, attempt, outcome, again_at: next }, out);
        match next {
            Some(_) => self.timers.set(Timer::Callback(id), now.mono + gap),
            None => self.callback_given_up(now, id, cause, out),
        }
    }

    /// The gap is over, or a machine has not beeped.
    pub(super) fn callback_due(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        match self.interactions.get(&id).and_then(|i| i.callback.as_ref()).map(|c| c.stage) {
            Some(Stage::Machine { .. }) => self.hang_up_customer(id, Cause::Normal),
            Some(Stage::Rests { .. }) => self.callback_waits(now, id, out),
            _ => {}
        }
    }

    /// It waits once more, as old as it is.
    fn callback_waits(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get_mut(&id).filter(|i| !i.closed) else { return };
        let Some(mut entry) = i.stood.clone() else { return };
        if let Some(c) = i.callback.as_mut() {
            c.stage = Stage::Waits;
        }
        entry.entered = Some(now.wall);
        self.enqueue(now, id, entry, "default".into(), false, out);
    }

    /// Nobody was reached, or the queue is gone: what is left is a ticket.
    pub(super) fn callback_given_up(&mut self, now: Now, id: InteractionId, cause: Cause, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let (tenant, ticket) = (i.tenant.clone(), i.ticket);
        let Some(c) = i.callback.as_ref() else { return };
        let calls = if c.tried == 1 { "1 call".to_owned() } else { format!("{} calls", c.tried) };
        let text = format!("Not called back: {calls} to {} reached nobody.", c.plan.number);
        let promise = c.plan.ticket.clone();
        if let Some(ticket) = ticket {
            use ticket::Change;
            let wanted = promise.map(|p| {
                let sla = p.sla.map(|sla| Change::Promised { sla: Some(sla) });
                [Change::Titled { title: p.title }, Change::Queued { queue: Some(p.queue) }].into_iter().chain(sla)
            });
            for change in wanted.into_iter().flatten().chain([Change::Noted { text }]) {
                self.ticket_change(now, &tenant, ticket, ticket::Actor::System, change, out);
            }
        }
        self.close(now, id, cause, EndedBy::System, out);
    }

    /// It has waited for days.
    pub(super) fn callback_old(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        match self.interactions.get(&id).map(|i| i.talk.is_some()) {
            Some(true) => self.timers.set(Timer::CallbackLife(id), now.mono + limits::CALLBACK_GAP_MIN),
            Some(false) => self.callback_given_up(now, id, Cause::NoAnswer, out),
            None => {}
        }
    }

    /// The contact is closed: the number may ask again.
    pub(super) fn callback_over(&mut self, id: InteractionId) {
        let Some(i) = self.interactions.get(&id) else { return };
        let Some(c) = &i.callback else { return };
        if let Some(t) = self.tenants.get_mut(&i.tenant) {
            t.callbacks.remove(&c.plan.number);
        }
        self.timers.clear(&Timer::Callback(id));
        self.timers.clear(&Timer::CallbackLife(id));
    }

    // ---- a restart ----

    /// Puts one back that was remembered, its legs ended: it waits, rests, or, cut off in the middle of a call, waits again. A
    /// call the restart has cut off does not count.
    pub(super) fn callback_recover(
        &mut self,
        now: Now,
        id: InteractionId,
        r: Remembered,
        queued: Option<routing::Entry>,
        out: &mut Vec<Output>,
    ) {
        let Some(opened) = self.interactions.get(&id).map(|i| i.opened.wall) else { return };
        let (told, mut entry) = (r.last == Some(Outcome::Told), r.entry);
        // Whom somebody has handed on waits like the others, and once cut off like who is called back.
        (entry.max_wait, entry.patient) = (None, true);
        let stage = r.next.map_or(Stage::Waits, |until| Stage::Rests { until });
        let callback = Callback { tried: r.tried, last: r.last, told, stage, ..Callback::new(r.plan) };
        self.callback_hold(id, callback, &entry);
        let begins = self.interactions.get(&id).and_then(|i| i.callback.as_ref()?.chosen()).unwrap_or(opened);
        self.timers.set(Timer::CallbackLife(id), now.mono_at(begins.max(opened) + limits::CALLBACK_LIFE));
        match (queued, r.next) {
            (Some(_), _) => self.wait_again(now, id, entry, "default".into(), false),
            (None, Some(next)) => self.timers.set(Timer::Callback(id), now.mono_at(next)),
            (None, None) => self.callback_waits(now, id, out),
        }
    }
}

/// Whom the telephone of an agent says a call back is to.
pub(super) fn announced(i: &Interaction, name: Option<String>) -> Option<String> {
    let c = i.callback.as_ref().filter(|c| c.is_due())?;
    let who = name.unwrap_or_else(|| c.plan.number.clone());
    Some(match i.settings.config.language.as_str() {
        "zh-CN" => format!("回呼 {who}"),
        _ => format!("Call back {who}"),
    })
}

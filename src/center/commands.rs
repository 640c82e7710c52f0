//! What people ask: who may ask it, and what is done.

use super::{
    Center, LegUse, Output,
    command::{Actor, Command, Done, Envelope, Refusal, RefusalCode, WantedState},
    endpoint::Ringing,
    fact::{EndedBy, Fact, LegRole},
    interaction::Talk,
};
use crate::{
    base::{AgentId, Channel, InteractionId, Now, OfferId, QueueId, TenantId},
    call::{Cause, Party},
    customer, routing, text,
};

pub(super) fn refused(e: routing::Refused) -> Refusal {
    use routing::Refused as R;
    let code = match &e {
        R::UnknownAgent(_) | R::UnknownQueue(_) | R::UnknownOffer(_) => RefusalCode::NotFound,
        R::UnknownReason(_) | R::UnknownDisposition(_) => RefusalCode::Invalid,
        _ => RefusalCode::WrongState,
    };
    Refusal::new(code, e.to_string())
}

impl Center {
    pub(super) fn command(&mut self, now: Now, e: Envelope, out: &mut Vec<Output>) -> Result<Done, Refusal> {
        let Envelope { tenant, by, command, .. } = e;
        if !self.tenants.contains_key(&tenant) {
            return Err(Refusal::not_found(format!("tenant {tenant}")));
        }
        match command {
            Command::SignIn { .. }
            | Command::SignOut { .. }
            | Command::SetState { .. }
            | Command::Console { .. }
            | Command::Accept { .. }
            | Command::Decline { .. }
            | Command::Dispose { .. }
            | Command::WrapUpDone { .. }
            | Command::ExtendWrapUp { .. }
            | Command::Endpoint { .. }
            | Command::Dial { .. } => self.agent_command(now, &tenant, &by, command, out),
            Command::ChatOpen { .. }
            | Command::Leave { .. }
            | Command::CallMe { .. }
            | Command::TalkNow { .. }
            | Command::ChatPresence { .. }
            | Command::Say { .. }
            | Command::Send { .. }
            | Command::Rate { .. }
            | Command::Whisper { .. }
            | Command::Read { .. }
            | Command::Typing { .. } => self.text_command(now, &tenant, &by, command, out),
            Command::TicketOpen { title, customer, queue, priority, body } => {
                self.staff(&by)?;
                self.ticket_open_command(now, &tenant, &by, title, customer, queue, priority, body, out)
            }
            Command::Viewing { ticket, here, writing } => {
                self.staff(&by)?;
                if let Some(by) = by.agent().map(ToString::to_string) {
                    out.push(Output::Blink(tenant, super::view::Blink::Viewing { ticket, by, here, writing }));
                }
                Ok(Done::Ok)
            }
            Command::Ticket { ticket, change } => {
                self.staff(&by)?;
                self.ticket_command(now, &tenant, &by, ticket, change, out)
            }
            // Asked for at the API, which knows what is held; carried out by the house.
            Command::Customer { change: customer::Change::Erased, .. } if by != Actor::System => {
                Err(Refusal::not_allowed("whoever is erased is erased by their own route"))
            }
            Command::Customer { customer, change } => {
                self.staff(&by)?;
                self.customer_command(now, &tenant, customer, change, out)
            }
            Command::AlertAck { queue, metric } => self.alert_ack(now, &tenant, &by, queue, metric, out).map(|()| Done::Ok),
            Command::TrunkTest { trunk } if by.supervises() => match self.calls.test_trunk(now, &tenant, &trunk) {
                true => Ok(Done::Ok),
                false => Err(Refusal::not_found(format!("trunk {trunk}"))),
            },
            Command::TrunkCall { trunk, number } if by.supervises() => self.trial(now, &tenant, &by, &trunk, &number, out),
            Command::TrunkTest { .. } | Command::TrunkCall { .. } => Err(Refusal::not_allowed("only a supervisor may do this")),
            other => self.contact_command(now, &tenant, &by, other, out),
        }
    }

    // ---- rights ----

    /// Anybody but visitors.
    fn staff(&self, by: &Actor) -> Result<(), Refusal> {
        match by {
            Actor::Visitor { .. } => Err(Refusal::not_allowed("visitors may not do this")),
            _ => Ok(()),
        }
    }

    /// The agent themselves, or who supervises.
    fn about_agent(&self, tenant: &TenantId, by: &Actor, agent: &AgentId) -> Result<(), Refusal> {
        if !self.agent_exists(tenant, agent) {
            return Err(Refusal::not_found(format!("agent {agent}")));
        }
        match by.agent() == Some(agent) || by.supervises() {
            true => Ok(()),
            false => Err(Refusal::not_allowed(format!("only {agent} or a supervisor may do this"))),
        }
    }

    /// The contact, if it is this tenant's and the actor is its agent or supervises.
    fn about(&self, tenant: &TenantId, by: &Actor, id: InteractionId) -> Result<&super::interaction::Interaction, Refusal> {
        let i = self.interactions.get(&id).filter(|i| i.tenant == *tenant);
        let i = i.ok_or_else(|| Refusal::no_interaction(id))?;
        let own = match by {
            Actor::Visitor { visitor } => i.chat.as_ref().is_some_and(|c| c.visitor == *visitor),
            _ => by.agent().is_some_and(|a| i.talk.as_ref().is_some_and(|t| t.agent == *a) || i.wraps.contains_key(a)),
        };
        match own || self.may_supervise(tenant, by, id).is_ok() {
            true => Ok(i),
            // To a stranger another's contact does not exist.
            false if matches!(by, Actor::Visitor { .. }) => Err(Refusal::no_interaction(id)),
            false => Err(Refusal::not_allowed(format!("interaction {id} is not yours"))),
        }
    }

    fn offer_of(&self, tenant: &TenantId, by: &Actor, offer: OfferId) -> Result<(InteractionId, Channel), Refusal> {
        let found = self.interactions.values().find_map(|i| i.rings.get(&offer).map(|r| (i, r)));
        let (i, ring) = found.filter(|(i, _)| i.tenant == *tenant).ok_or_else(|| {
            // Somebody was faster, or the caller hung up: that is worth another word than one that is not of this house.
            match self.tenants.get(tenant).is_some_and(|t| t.router.offer_is_over(offer)) {
                true => Refusal::new(RefusalCode::WrongState, format!("offer {offer} is over")),
                false => Refusal::not_found(format!("offer {offer}")),
            }
        })?;
        match by.agent() == Some(&ring.agent) || by.supervises() {
            true => Ok((i.id, i.channel)),
            false => Err(Refusal::not_allowed(format!("offer {offer} is not yours"))),
        }
    }

    // ---- agents ----

    fn agent_command(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        command: Command,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let input = match command {
            Command::SignIn { agent } => {
                self.about_agent(tenant, by, &agent)?;
                routing::Input::SignIn { agent }
            }
            Command::SignOut { agent } => {
                self.about_agent(tenant, by, &agent)?;
                routing::Input::SignOut { agent }
            }
            Command::SetState { agent, wanted } => {
                self.about_agent(tenant, by, &agent)?;
                let state = match wanted {
                    WantedState::Ready => routing::Choice::Ready,
                    WantedState::NotReady { reason } => routing::Choice::NotReady(reason),
                    WantedState::Away => routing::Choice::Away,
                };
                routing::Input::SetState { agent, state }
            }
            Command::Console { agent, connected } => {
                self.about_agent(tenant, by, &agent)?;
                routing::Input::Reachable { agent, channel: Channel::Webchat, up: connected }
            }
            Command::Accept { offer } => {
                let (_, channel) = self.offer_of(tenant, by, offer)?;
                if channel == Channel::Voice {
                    return Err(Refusal::new(RefusalCode::WrongState, "a call is taken by answering the phone that rings"));
                }
                routing::Input::Accept { offer }
            }
            Command::Decline { offer } => {
                self.offer_of(tenant, by, offer)?;
                routing::Input::Decline { offer }
            }
            Command::Dispose { interaction, agent, code, note } => {
                self.about_agent(tenant, by, &agent)?;
                self.known(tenant, interaction)?;
                routing::Input::Dispose { interaction, agent, code, note: note.chars().take(4_000).collect() }
            }
            Command::WrapUpDone { interaction, agent } => {
                self.about_agent(tenant, by, &agent)?;
                self.known(tenant, interaction)?;
                routing::Input::WrapUpDone { interaction, agent }
            }
            Command::ExtendWrapUp { interaction, agent, by: more } => {
                self.about_agent(tenant, by, &agent)?;
                self.known(tenant, interaction)?;
                routing::Input::ExtendWrapUp { interaction, agent, by: more }
            }
            Command::Endpoint { agent, number } => {
                self.about_agent(tenant, by, &agent)?;
                self.endpoint(now, tenant, by, agent, number, out)?;
                return Ok(Done::Ok);
            }
            Command::Dial { agent, number, queue } => {
                self.about_agent(tenant, by, &agent)?;
                return self.dial(now, tenant, agent, &number, queue, out);
            }
            _ => return Err(Refusal::new(RefusalCode::Invalid, "this is not about an agent")),
        };
        self.router_input(now, tenant, input, out).map_err(refused)?;
        Ok(Done::Ok)
    }

    pub(super) fn known(&self, tenant: &TenantId, id: InteractionId) -> Result<(), Refusal> {
        match self.interactions.get(&id).is_some_and(|i| i.tenant == *tenant) {
            true => Ok(()),
            false => Err(Refusal::no_interaction(id)),
        }
    }

    /// Whether a call rings at an agent or is in their hands: nobody has two at once.
    pub(super) fn on_a_call(&self, tenant: &TenantId, agent: &AgentId) -> bool {
        let call = |w: &routing::WorkView| w.channel == Channel::Voice && w.state != routing::WorkState::WrapUp;
        self.tenants.get(tenant).and_then(|t| t.router.agent(agent)).is_some_and(|a| a.work.iter().any(call))
    }

    /// Click to dial: the agent's own phone rings first, then the number.
    fn dial(
        &mut self,
        now: Now,
        tenant: &TenantId,
        agent: AgentId,
        number: &str,
        queue: Option<QueueId>,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        if let Some(queue) = queue.as_ref().filter(|q| !settings.plan.queues.contains_key(q)) {
            return Err(Refusal::not_found(format!("queue {queue}")));
        }
        self.may_call(now, &settings, &agent, number, out)?;
        if !self.has_phone(now, tenant, &agent) {
            return Err(Refusal::new(RefusalCode::WrongState, self.no_phone(tenant, &agent)));
        }
        if let Some(own) = self.number_of(tenant, &agent).cloned() {
            self.may_call(now, &settings, &agent, &own, out)?;
        }
        if self.on_a_call(tenant, &agent) {
            return Err(Refusal::new(RefusalCode::WrongState, format!("{agent} is on a call already")));
        }
        let to = settings.config.number(number);
        let id = self.outbound_open(now, &settings, &to, out);
        if let Some(i) = self.interactions.get_mut(&id) {
            i.queue.clone_from(&queue);
        }
        let engage = routing::Input::Engage { interaction: id, agent: agent.clone(), channel: Channel::Voice, queue };
        if let Err(e) = self.router_input(now, tenant, engage, out) {
            self.close(now, id, Cause::NotAllowed, EndedBy::System, out);
            return Err(refused(e));
        }
        let leg = self.calls.next_leg();
        let i = self.interactions.get_mut(&id).expect("it was opened above");
        i.talk = Some(Talk::dialling(agent.clone(), now, leg));
        if let Some(v) = i.voice.as_mut() {
            v.dial = Some(number.to_owned());
        }
        // Whoever has just asked for the call need not pick up their own phone as well.
        let mut headers = super::supervise::answer_by_itself("dial");
        headers.push(("X-CC-Call-Id".into(), id.to_string()));
        let ringing = Ringing {
            leg,
            usage: LegUse::Agent,
            role: LegRole::Agent,
            caller: Party { number: to, display: None },
            headers,
            ring_for: crate::base::limits::RING_DEFAULT,
            like: None,
        };
        self.ring_agent(now, id, &agent, ringing, out);
        Ok(Done::Interaction { interaction: id })
    }

    // ---- contacts ----

    fn contact_command(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        command: Command,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        match command {
            Command::Finish { interaction } if self.helps(tenant, by, interaction) => {
                self.helper_leaves(now, interaction, out);
            }
            Command::Finish { interaction } => {
                let i = self.about(tenant, by, interaction)?;
                if i.closed {
                    return Err(Refusal::wrong_state(interaction, "is over already"));
                }
                let (talking, channel) = (i.talk.is_some(), i.channel);
                let theirs = |a: &AgentId| i.talk.as_ref().is_some_and(|t| t.agent == *a && t.connected);
                let consults = i.consult().is_some() && by.agent().is_some_and(theirs);
                let ended_by = match by {
                    Actor::Visitor { .. } => EndedBy::Customer,
                    Actor::System => EndedBy::System,
                    _ => EndedBy::Agent,
                };
                match channel {
                    // The receiver is put down in the middle of a consultation: the customer has been handed on.
                    Channel::Voice if consults => self.agent_leaves(now, interaction, out),
                    Channel::Voice if talking => self.talk_over(now, interaction, ended_by, out),
                    Channel::Voice if self.interactions.get(&interaction).is_some_and(|i| i.customer_leg().is_none()) => {
                        self.close(now, interaction, Cause::Normal, ended_by, out);
                    }
                    Channel::Voice => self.hang_up_customer(interaction, Cause::Normal),
                    // The agent's part is over; the flow says good-bye, or asks how it was.
                    Channel::Webchat if talking && ended_by == EndedBy::Agent => {
                        self.talk_over(now, interaction, ended_by, out);
                    }
                    Channel::Webchat => self.close(now, interaction, Cause::Normal, ended_by, out),
                }
            }
            Command::Hold { interaction, on } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                self.hold_talk(now, interaction, on, out)?;
            }
            Command::Transfer { interaction, to } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                self.transfer(now, interaction, to, out)?;
            }
            Command::RecordPause { interaction, paused } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                let listened = self.ears_mute(interaction, paused, out);
                let streamed = self.streams_mute(interaction, paused, out);
                match self.record_pause(now, interaction, by, paused, out) {
                    Err(_) if streamed || listened => {
                        let name = match (streamed, paused) {
                            (true, true) => "streams_paused",
                            (true, false) => "streams_resumed",
                            (false, true) => "transcript_paused",
                            (false, false) => "transcript_resumed",
                        };
                        let fact = Fact::FlowEvent { interaction, name: name.into(), data: Default::default() };
                        self.fact(now, tenant, fact, out);
                    }
                    other => other?,
                }
            }
            Command::Consult { interaction, to } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                self.consult(now, interaction, to, out)?;
            }
            Command::ConsultStep { interaction, step } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                self.consult_step(now, interaction, step, out)?;
            }
            Command::Keys { interaction, digits } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                self.keys(now, interaction, &digits, out)?;
            }
            Command::Mute { interaction, on } => {
                self.staff(by)?;
                self.about(tenant, by, interaction)?;
                self.mute(now, interaction, by, on, out)?;
            }
            Command::Stream { interaction, stream, on } => {
                self.may_supervise(tenant, by, interaction)?;
                match on {
                    true => self.stream_start(now, interaction, &stream, out)?,
                    false => self.stream_stop(now, interaction, &stream, out)?,
                }
            }
            Command::SetPriority { interaction, priority_min } => {
                return self.prioritise(now, tenant, by, interaction, priority_min, out);
            }
            Command::Assign { interaction, to } => return self.reassign(now, tenant, by, interaction, to, out),
            Command::Pull { interaction, supervisor } => return self.pull(now, tenant, by, interaction, supervisor, out),
            Command::Supervise { interaction, supervisor, mode } => {
                return self.supervise(now, tenant, by, interaction, supervisor, mode, out);
            }
            Command::SuperviseEnd { interaction, supervisor } => {
                return self.supervise_end(now, tenant, by, interaction, supervisor, out);
            }
            Command::TakeOver { interaction, supervisor } => {
                return self.take_over(now, tenant, by, interaction, supervisor, out);
            }
            _ => return Err(Refusal::new(RefusalCode::Invalid, "this is not about a contact")),
        }
        Ok(Done::Ok)
    }

    // ---- writing ----

    fn text_command(
        &mut self,
        now: Now,
        tenant: &TenantId,
        by: &Actor,
        command: Command,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        match command {
            Command::ChatOpen { visitor, name, contact, language, page, answers } => match by {
                Actor::Visitor { visitor: me } if *me == visitor => {
                    let coming = super::chat::Coming { name, contact, language, page, answers };
                    self.chat_open(now, tenant, visitor, coming, out)
                }
                _ => Err(Refusal::not_allowed("a chat is opened by its visitor")),
            },
            Command::Leave { visitor, name, contact, language, page, text } => match by {
                Actor::Visitor { visitor: me } if *me == visitor => {
                    let left = super::leave::Left { name, contact, language, page, text };
                    self.leave(now, tenant, visitor, left, out)
                }
                _ => Err(Refusal::not_allowed("words are left by a visitor")),
            },
            Command::CallMe { visitor, name, number, language, page, at } => match by {
                Actor::Visitor { visitor: me } if *me == visitor => {
                    self.call_me(now, tenant, visitor, super::call_me::Asked { name, number, language, page, at }, out)
                }
                _ => Err(Refusal::not_allowed("a visitor asks for their own call")),
            },
            Command::TalkNow { visitor, name, language, page, username, ha1 } => match by {
                Actor::Visitor { visitor: me } if *me == visitor => {
                    let asked = super::talk_now::Asked { name, language, page, login: (username, ha1) };
                    self.talk_now(now, tenant, visitor, asked, out)
                }
                _ => Err(Refusal::not_allowed("a visitor calls for themselves")),
            },
            Command::ChatPresence { interaction, connected } => {
                self.about(tenant, by, interaction)?;
                // The edge counts a visitor's sockets and says when the first came and the last went: one tab to us.
                let (who, tab) = (text::Party::Visitor, text::Tab(0));
                let input = match connected {
                    true => text::Input::Connect { who, tab, since: u64::MAX },
                    false => text::Input::Disconnect { who, tab },
                };
                self.conversation(now, interaction, input, out);
                Ok(Done::Ok)
            }
            Command::Say { interaction, client_id, body } => {
                let sender = self.writer(tenant, by, interaction)?;
                self.say_command(now, interaction, sender, &client_id, body, None, out)
            }
            Command::Rate { interaction, score, comment } => {
                if self.interactions.contains_key(&interaction) {
                    self.about(tenant, by, interaction)?;
                }
                self.rate(now, tenant, by, interaction, score, &comment, out)
            }
            Command::Send { interaction, client_id, body, file } => {
                let sender = self.writer(tenant, by, interaction)?;
                self.say_command(now, interaction, sender, &client_id, body, Some(file), out)
            }
            Command::Whisper { interaction, client_id, body } => {
                self.about(tenant, by, interaction)?;
                match by {
                    Actor::User { user, .. } => {
                        self.say_command(now, interaction, text::Sender::Note(user.clone()), &client_id, body, None, out)
                    }
                    _ => Err(Refusal::not_allowed("notes are written by people who sign in")),
                }
            }
            Command::Read { interaction, seq } => {
                self.about(tenant, by, interaction)?;
                match Self::party_of(by) {
                    Some(party) => self.read_command(now, interaction, party, seq, out),
                    None => Err(Refusal::not_allowed("only people read")),
                }
            }
            Command::Typing { interaction } => {
                self.about(tenant, by, interaction)?;
                if let Some(who) = Self::party_of(by) {
                    let name = match &who {
                        text::Party::Visitor => "visitor".to_owned(),
                        text::Party::Agent(a) => a.to_string(),
                    };
                    out.push(Output::Blink(tenant.clone(), super::view::Blink::Typing { interaction, by: name }));
                }
                Ok(Done::Ok)
            }
            _ => Err(Refusal::new(RefusalCode::Invalid, "this is not about a conversation")),
        }
    }

    /// Who somebody is who writes to the other side.
    fn writer(&self, tenant: &TenantId, by: &Actor, id: InteractionId) -> Result<text::Sender, Refusal> {
        self.about(tenant, by, id)?;
        match by {
            Actor::Visitor { .. } => Ok(text::Sender::Visitor),
            Actor::User { user, .. } if self.has_it(id, user) => Ok(text::Sender::Agent(user.clone())),
            _ => Err(Refusal::not_allowed(
                "only the agent who has the chat writes to the visitor; take it over, or leave a note",
            )),
        }
    }
}

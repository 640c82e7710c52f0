//! Visitors and messages: a chat is opened, words go both ways, and it ends.
//!
//! The conversation machine keeps order, duplicates and idleness; what it wants stored becomes a fact, and edges show what
//! is committed. So nobody is shown a word that a crash could take back.

use std::{collections::BTreeMap, time::Duration};

use super::{
    Center, Output, Step, Timer,
    arrive::Opening,
    command::{Actor, Done, Refusal, RefusalCode},
    fact::{EndedBy, Fact, Way},
    interaction::Chat,
    settings::TenantSettings,
    view::Blink,
};
use crate::{
    base::{AgentId, Channel, InteractionId, MessageId, Now, TenantId, VisitorId},
    call::Cause,
    customer, ivr, text, ticket,
};

/// What a visitor tells of themselves before a chat.
pub(super) struct Coming {
    pub name: String,
    pub contact: Option<String>,
    pub language: Option<String>,
    pub page: Option<String>,
    pub answers: BTreeMap<String, String>,
}

impl Center {
    /// A visitor begins.
    pub(super) fn chat_open(
        &mut self,
        now: Now,
        tenant: &TenantId,
        visitor: VisitorId,
        coming: Coming,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let Coming { name, contact, language, page, answers } = coming;
        if let Some(interaction) = self.visitors.get(&visitor).copied() {
            return Ok(Done::Interaction { interaction });
        }
        if !self.admission {
            return Err(Refusal::new(RefusalCode::Unavailable, "no new chats are taken right now; try again soon"));
        }
        let settings = self.tenants.get(tenant).map(|t| t.settings.clone()).ok_or_else(|| Refusal::not_found("this tenant"))?;
        let Some(flow) = settings.config.chat.flow.clone() else {
            return Err(Refusal::not_found("a chat on this site"));
        };
        let who = customer::Identity::channel(Channel::Webchat, &visitor.to_string());
        let identity = who.map_err(|e| Refusal::new(RefusalCode::Invalid, e.to_string()))?;
        let customer = self.customer_by(now, tenant, identity, customer::Trust::Unverified, Some(&name), out);
        self.customer_contact(now, tenant, customer, contact.as_deref(), language.as_deref(), out);
        let customer = self.tenants.get(tenant).map_or(customer, |t| t.customers.resolve(customer));
        let id = InteractionId::new(now, &mut self.rng);
        let from = if name.trim().is_empty() { "visitor".to_owned() } else { name.trim().chars().take(80).collect() };
        let ticket = self.ticket_for(now, tenant, customer, id, Channel::Webchat, format!("Chat: {from}"), out);
        let opening = Opening {
            tenant: tenant.clone(),
            channel: Channel::Webchat,
            way: Way::Inbound,
            to: flow.to_string(),
            from,
            customer,
            ticket,
            visitor: Some(visitor),
            verdict: None,
        };
        self.open(now, id, opening, &settings, out);
        self.chat_hold(now, id, visitor, &settings);
        let i = self.interactions.get_mut(&id).expect("it was opened above");
        if let Some(page) = page {
            i.attributes.insert("page".into(), page.chars().take(500).collect());
        }
        i.attributes.extend(settings.config.chat.widget.answers(&answers));
        if !self.flow_begin(now, id, &flow, out) {
            self.close(now, id, Cause::Internal, EndedBy::System, out);
            return Err(Refusal::new(RefusalCode::Unavailable, "the chat of this site is not set up"));
        }
        Ok(Done::Interaction { interaction: id })
    }

    /// The written part of a contact.
    pub(super) fn chat_hold(&mut self, now: Now, id: InteractionId, visitor: VisitorId, settings: &TenantSettings) {
        let after = |s: u32| (s > 0).then(|| Duration::from_secs(u64::from(s)));
        let c = &settings.config.chat;
        let idle =
            text::Idle { warn_after: after(c.idle_warn_s), close_after: after(c.idle_close_s), gone_after: after(c.gone_s) };
        let mut conversation = text::Conversation::new(idle);
        conversation.resume(now);
        self.visitors.insert(visitor, id);
        if let Some(i) = self.interactions.get_mut(&id) {
            i.chat = Some(Chat { visitor, conversation, told: None });
        }
        self.chat_arm(id);
    }

    /// Sets the clock of a conversation to its next deadline.
    pub(super) fn chat_arm(&mut self, id: InteractionId) {
        let deadline = self.interactions.get(&id).and_then(|i| i.chat.as_ref()).and_then(|c| c.conversation.deadline());
        match deadline {
            Some(at) => self.timers.set(Timer::Chat(id), at),
            None => {
                self.timers.clear(&Timer::Chat(id));
            }
        }
    }

    /// Hands an input to a conversation; refusals of the house's own inputs are not news.
    pub(super) fn conversation(&mut self, now: Now, id: InteractionId, input: text::Input, out: &mut Vec<Output>) {
        if let Err(error) = self.conversation_try(now, id, input, out) {
            tracing::debug!(interaction = %id, %error, "the conversation refused");
        }
    }

    fn conversation_try(
        &mut self,
        now: Now,
        id: InteractionId,
        input: text::Input,
        out: &mut Vec<Output>,
    ) -> Result<(), text::TextError> {
        let Some(i) = self.interactions.get_mut(&id) else { return Ok(()) };
        let tenant = i.tenant.clone();
        let Some(chat) = i.chat.as_mut() else { return Ok(()) };
        let mut said = Vec::new();
        let answer = chat.conversation.handle(now, input, &mut said);
        self.chat_arm(id);
        for o in said {
            match o {
                text::Output::Store(text::Record::Said(m)) => {
                    self.unstored.push_back((self.seq + 1, id, m.id));
                    self.fact(now, &tenant, Fact::Message { interaction: id, message: (*m).clone() }, out);
                }
                text::Output::Store(text::Record::Seen { by, progress }) => {
                    let by = match by {
                        text::Party::Visitor => self.interactions.get(&id).and_then(|i| i.chat.as_ref()).map(|c| c.visitor),
                        text::Party::Agent(user) => {
                            let by = Actor::User { user, role: super::command::Role::Agent };
                            self.fact(now, &tenant, Fact::ReadUpTo { interaction: id, by, seq: progress.read }, out);
                            None
                        }
                    };
                    if let Some(visitor) = by {
                        let by = Actor::Visitor { visitor };
                        self.fact(now, &tenant, Fact::ReadUpTo { interaction: id, by, seq: progress.read }, out);
                    }
                }
                // Joining, leaving and closing are facts of the contact already.
                text::Output::Store(_) => {}
                // Edges show committed facts; who is connected where is theirs to know.
                text::Output::Send { event: text::Event::Typing { who, on: true }, .. } => {
                    let by = match who {
                        text::Party::Visitor => "visitor".to_owned(),
                        text::Party::Agent(a) => a.to_string(),
                    };
                    out.push(Output::Blink(tenant.clone(), Blink::Typing { interaction: id, by }));
                }
                text::Output::Send { .. } | text::Output::Fetch { .. } => {}
                // Who waits for us is not idle: they were told to wait.
                text::Output::IdleWarning | text::Output::IdleClose if self.waits_for_us(id) => {}
                text::Output::IdleWarning => self.idle_warning(now, id, out),
                text::Output::IdleClose => self.close(now, id, Cause::NoAnswer, EndedBy::System, out),
                text::Output::VisitorGone => self.close(now, id, Cause::CallerGaveUp, EndedBy::Customer, out),
            }
        }
        answer
    }

    pub(super) fn chat_tick(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        self.conversation(now, id, text::Input::Tick, out);
    }

    /// In a queue, or being offered to somebody.
    fn waits_for_us(&self, id: InteractionId) -> bool {
        self.interactions.get(&id).is_some_and(|i| i.waiting.is_some() || !i.rings.is_empty())
    }

    fn idle_warning(&mut self, now: Now, id: InteractionId, out: &mut Vec<Output>) {
        let Some(i) = self.interactions.get(&id) else { return };
        let zh = self.language_of(i).starts_with("zh");
        let words = if zh { "您还在吗？" } else { "Are you still there?" };
        self.post(now, id, text::Sender::System, None, words.into(), Vec::new(), out);
    }

    /// The language a contact is in, as far as known.
    pub(super) fn language_of(&self, i: &super::interaction::Interaction) -> String {
        if let Some(lang) = i.attributes.get("lang") {
            return lang.clone();
        }
        let customer = self.tenants.get(&i.tenant).and_then(|t| t.customers.get(i.customer));
        customer.and_then(|c| c.lang.clone()).unwrap_or_else(|| i.settings.config.language.clone())
    }

    /// Says something in a conversation.
    #[expect(clippy::too_many_arguments, reason = "the parts of one message")]
    pub(super) fn post(
        &mut self,
        now: Now,
        id: InteractionId,
        sender: text::Sender,
        client_id: Option<text::ClientId>,
        text: String,
        options: Vec<(String, String)>,
        out: &mut Vec<Output>,
    ) {
        let name = MessageId::new(now, &mut self.rng);
        self.conversation(now, id, text::Input::Say { sender, id: name, client_id, text, options, file: None }, out);
    }

    /// A person says something: refused with a sentence, or accepted with its place.
    #[expect(clippy::too_many_arguments, reason = "the parts of one message")]
    pub(super) fn say_command(
        &mut self,
        now: Now,
        id: InteractionId,
        sender: text::Sender,
        client_id: &str,
        body: String,
        file: Option<text::file::File>,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let refuse = |e: text::TextError| Refusal::new(refusal_code(&e), e.to_string());
        let client_id = text::ClientId::parse(client_id).map_err(refuse)?;
        let name = MessageId::new(now, &mut self.rng);
        let before = self.seq;
        let input = text::Input::Say {
            sender: sender.clone(),
            id: name,
            client_id: Some(client_id.clone()),
            text: match &file {
                Some(f) if body.trim().is_empty() => f.name.clone(),
                _ => body,
            },
            options: vec![],
            file: file.clone(),
        };
        self.may_send(id, &sender, &client_id, file.as_ref())?;
        self.conversation_try(now, id, input, out).map_err(refuse)?;
        let new = self.seq > before;
        let i = self.interactions.get(&id).ok_or_else(|| Refusal::no_interaction(id))?;
        let chat = i.chat.as_ref().ok_or_else(|| Refusal::new(RefusalCode::Invalid, "this contact is not in writing"))?;
        let Some(m) = chat.conversation.find(&sender, &client_id) else {
            return Err(Refusal::new(RefusalCode::WrongState, "the message is too old to be known"));
        };
        let (message, seq, words) = (m.id, m.seq, m.text.clone());
        let (tenant, ticket) = (i.tenant.clone(), i.ticket);
        if new {
            // A file alone is no answer to a question of the flow.
            let answers = file.is_none_or(|f| f.name != words);
            self.after_message(now, &tenant, id, ticket, &sender, message, words, answers, out);
        }
        Ok(Done::Message { message, seq })
    }

    /// Whether a file may be the next of a chat. One that is there already is the same message sent again.
    fn may_send(
        &self,
        id: InteractionId,
        sender: &text::Sender,
        client_id: &text::ClientId,
        file: Option<&text::file::File>,
    ) -> Result<(), Refusal> {
        let (Some(file), Some(i)) = (file, self.interactions.get(&id)) else { return Ok(()) };
        let Some(chat) = i.chat.as_ref().filter(|c| c.conversation.find(sender, client_id).is_none()) else { return Ok(()) };
        let answer = i.settings.config.chat.files.allowed().next(file, chat.conversation.files());
        answer.map_err(|e| {
            let limit = matches!(e, text::file::FileError::TooMany { .. });
            Refusal::new(if limit { RefusalCode::Limit } else { RefusalCode::Invalid }, e.to_string())
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one message and where it belongs")]
    fn after_message(
        &mut self,
        now: Now,
        tenant: &TenantId,
        id: InteractionId,
        ticket: Option<crate::base::TicketId>,
        sender: &text::Sender,
        message: MessageId,
        words: String,
        answers: bool,
        out: &mut Vec<Output>,
    ) {
        let line: String = words.chars().take(500).collect();
        let (by, change) = match sender {
            text::Sender::Visitor => {
                let talking = self.interactions.get(&id).is_some_and(|i| i.talk.is_some());
                if !talking && answers {
                    self.step(Step::Run(id, ivr::Input::Words { text: words, confidence: 1.0 }));
                }
                (ticket::Actor::Customer, ticket::Change::CustomerWrote { text: line, message: Some(message) })
            }
            text::Sender::Agent(a) => {
                (ticket::Actor::Agent(a.clone()), ticket::Change::Replied { text: line, message: Some(message) })
            }
            _ => return,
        };
        if let Some(ticket) = ticket {
            self.ticket_change(now, tenant, ticket, by, change, out);
        }
    }

    /// Everything up to this fact is safe: the conversations may show it.
    pub(super) fn stored(&mut self, now: Now, seq: u64, out: &mut Vec<Output>) {
        while self.unstored.front().is_some_and(|(at, _, _)| *at <= seq) {
            let Some((_, id, message)) = self.unstored.pop_front() else { return };
            self.conversation(now, id, text::Input::Stored { message }, out);
        }
    }

    /// Tells a waiting visitor the place, when it has changed.
    pub(super) fn tell_visitor_position(
        &mut self,
        id: InteractionId,
        position: usize,
        ewt_s: Option<u64>,
        out: &mut Vec<Output>,
    ) {
        let Some(i) = self.interactions.get_mut(&id) else { return };
        let Some(chat) = i.chat.as_mut() else { return };
        if chat.told != Some((position, ewt_s)) {
            chat.told = Some((position, ewt_s));
            out.push(Output::Blink(i.tenant.clone(), Blink::Position { interaction: id, position, ewt_s }));
        }
    }

    /// The conversation ends with its contact.
    pub(super) fn close_conversation(&mut self, now: Now, id: InteractionId, by: EndedBy, out: &mut Vec<Output>) {
        if self.interactions.get(&id).is_some_and(|i| i.chat.is_some()) {
            let why = match by {
                EndedBy::Customer => text::CloseWhy::Visitor,
                EndedBy::Agent => text::CloseWhy::Agent,
                EndedBy::System => text::CloseWhy::System,
            };
            self.conversation(now, id, text::Input::Close { why }, out);
        }
        if let Some(c) = self.interactions.get(&id).and_then(|i| i.chat.as_ref()) {
            let visitor = c.visitor;
            self.visitors.remove(&visitor);
        }
    }

    /// An agent, or the visitor, has read.
    pub(super) fn read_command(
        &mut self,
        now: Now,
        id: InteractionId,
        by: text::Party,
        seq: u64,
        out: &mut Vec<Output>,
    ) -> Result<Done, Refusal> {
        let answer = self.conversation_try(now, id, text::Input::Read { by, seq }, out);
        answer.map(|()| Done::Ok).map_err(|e| Refusal::new(refusal_code(&e), e.to_string()))
    }

    /// The party an actor is in a conversation.
    pub(super) fn party_of(by: &Actor) -> Option<text::Party> {
        match by {
            Actor::Visitor { .. } => Some(text::Party::Visitor),
            Actor::User { user, .. } => Some(text::Party::Agent(user.clone())),
            _ => None,
        }
    }

    /// Whether an agent may write here: the one who has it, and a supervisor who takes part.
    pub(super) fn has_it(&self, id: InteractionId, agent: &AgentId) -> bool {
        let takes_part = |s: &super::interaction::Supervisor| s.mode == super::command::SuperviseMode::Barge;
        self.interactions.get(&id).is_some_and(|i| {
            i.talk.as_ref().is_some_and(|t| t.agent == *agent) || i.supervisors.get(agent).is_some_and(takes_part)
        })
    }
}

fn refusal_code(e: &text::TextError) -> RefusalCode {
    use text::TextError as T;
    match e {
        T::TooFast { .. } | T::Backlog | T::TooManyTabs | T::TooManyAgents => RefusalCode::Limit,
        T::Closed { .. } | T::NotWaiting { .. } => RefusalCode::WrongState,
        T::NotHere { .. } => RefusalCode::NotAllowed,
        _ => RefusalCode::Invalid,
    }
}

//! What agents, callers and visitors do.

use std::{
    collections::BTreeMap,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use media::wire::LegId;

use super::{
    business,
    phone::{Manner, Phone},
    tape::Taped,
    world::{World, password},
};
use crate::{
    base::{AgentId, CodeId, InteractionId, OfferId, QueueId, VisitorId, Wall, ms},
    center::command::{Actor, Command, CommandId, Done, Envelope, Refusal, Role, TransferTo, WantedState},
    sdp::Offering,
    sip::auth::Ha1,
    text::file::{File, FileId, Kind},
};

/// Somebody with a phone: a caller, an agent, the carrier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who(pub(super) usize);

/// Somebody who chats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Guest(pub(super) usize);

/// A visitor's browser.
#[derive(Debug)]
pub struct Visitor {
    /// The session.
    pub id: VisitorId,
    /// The name given.
    pub name: String,
    /// What the page's questions are answered with.
    pub answers: BTreeMap<String, String>,
    /// The chat, once open.
    pub chat: Option<InteractionId>,
    /// Messages it has named so far.
    pub sent: u64,
}

/// Somebody about to do something.
#[derive(Debug)]
pub struct Hand<'w> {
    w: &'w mut World,
    who: Who,
}

impl Hand<'_> {
    /// Dials a number.
    pub fn dials(self, number: &str) -> Who {
        self.w.dials(self.who, number);
        self.who
    }
    /// Signs in, opens the console, and is ready once the phone has registered.
    pub fn ready(self) -> Who {
        let Hand { w, who } = self;
        w.signs_in(who);
        w.until(|w| w.phone_of(who).registered);
        w.sets_ready(who);
        who
    }
    /// Nothing yet.
    pub fn there(self) -> Who {
        self.who
    }
}

/// Browsers sit in 10.3.0.0/16.
const BROWSERS: u8 = 3;

/// Whether a phone is a browser, by its address.
pub(super) fn is_browser(at: SocketAddr) -> bool {
    matches!(at.ip(), IpAddr::V4(ip) if ip.octets()[..2] == [10, BROWSERS])
}

impl World {
    /// A phone with this number; the same one when the number is known already.
    pub fn phone(&mut self, number: &str) -> Hand<'_> {
        let found =
            self.phones.iter().position(|p| p.user == number && !self.agents.values().any(|a| self.phones[*a].user == p.user));
        let who = found.unwrap_or_else(|| {
            let n = u16::try_from(self.phones.len()).unwrap_or(u16::MAX);
            let [hi, lo] = n.to_be_bytes();
            self.phone_at(number, SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 1, hi, lo)), 5060), None)
        });
        Hand { who: Who(who), w: self }
    }

    /// An agent's phone; it begins to register.
    pub fn agent(&mut self, name: &str) -> Hand<'_> {
        self.agent_at(name, 2)
    }

    /// An agent whose phone is a browser, on a WebSocket.
    pub fn browser(&mut self, name: &str) -> Hand<'_> {
        let Hand { who, w } = self.agent_at(name, BROWSERS);
        w.phones[who.0].speaks = Offering::Web;
        Hand { who, w }
    }

    fn agent_at(&mut self, name: &str, net: u8) -> Hand<'_> {
        let id = AgentId::parse(name).expect("an agent's name is a slug");
        let who = match self.agents.get(&id) {
            Some(i) => *i,
            None => {
                let [hi, lo] = u16::try_from(self.phones.len()).unwrap_or(u16::MAX).to_be_bytes();
                let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, net, hi, lo)), 5060);
                let i = self.phone_at(name, addr, Some(&password(name)));
                self.agents.insert(id, i);
                self.phones[i].register(self.now);
                i
            }
        };
        Hand { who: Who(who), w: self }
    }

    /// The far end of the trunk.
    pub fn carrier(&self) -> Who {
        Who(0)
    }
    /// The far end of another trunk, at this address.
    pub fn carrier_at(&mut self, ip: &str) -> Who {
        let addr = SocketAddr::new(ip.parse().expect("an address"), 5060);
        let i = self.phone_at(&format!("carrier-{ip}"), addr, None);
        self.phones[i].one_at_a_time = false;
        Who(i)
    }

    /// An exchange that logs in as this trunk; it begins to register.
    pub fn exchange(&mut self, login: &str, password: &str) -> Who {
        let [hi, lo] = u16::try_from(self.phones.len()).unwrap_or(u16::MAX).to_be_bytes();
        let i = self.phone_at(login, SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 4, hi, lo)), 5060), Some(password));
        self.phones[i].one_at_a_time = false;
        self.phones[i].register(self.now);
        Who(i)
    }

    /// A visitor of the web site.
    pub fn visitor(&mut self, name: &str) -> Guest {
        let id = VisitorId::new(self.now, &mut self.rng);
        self.visitors.push(Visitor { id, name: name.into(), answers: BTreeMap::new(), chat: None, sent: 0 });
        Guest(self.visitors.len() - 1)
    }

    /// Who has this number.
    pub fn who(&self, number: &str) -> Who {
        Who(self.phones.iter().position(|p| p.user == number).expect("somebody has this number"))
    }
    /// The phone of somebody.
    pub fn phone_of(&self, who: Who) -> &Phone {
        &self.phones[who.0]
    }
    /// The same, to change it.
    pub fn phone_mut(&mut self, who: Who) -> &mut Phone {
        &mut self.phones[who.0]
    }
    /// What somebody does when it rings from now on.
    pub fn manner(&mut self, who: Who, manner: Manner) {
        self.phones[who.0].manner = manner;
    }
    pub(super) fn agent_id(&self, who: Who) -> AgentId {
        AgentId::parse(&self.phones[who.0].user).expect("an agent's phone has the agent's name")
    }

    // ---- at the phone ----

    fn at_phone<R>(
        &mut self,
        who: Who,
        act: impl FnOnce(&mut Phone, crate::base::Now, &mut Vec<(SocketAddr, bytes::Bytes)>) -> R,
    ) -> R {
        let mut out = Vec::new();
        let done = act(&mut self.phones[who.0], self.now, &mut out);
        self.phone_sends(who.0, out);
        done
    }

    /// Dials.
    pub fn dials(&mut self, who: Who, number: &str) {
        self.at_phone(who, |p, now, out| p.dial(now, number, out));
    }
    /// Picks up the phone that rings.
    #[track_caller]
    pub fn answers(&mut self, who: Who) {
        let rang = self.at_phone(who, |p, now, out| p.answer(now, out));
        assert!(rang, "{} picks up a phone that does not ring\n{}", self.phones[who.0].user, self.report());
    }
    /// Refuses what rings.
    pub fn declines(&mut self, who: Who) -> bool {
        self.at_phone(who, |p, now, out| p.decline(now, out))
    }
    /// Hangs up, whatever the call is doing. False without a call.
    pub fn hangs_up(&mut self, who: Who) -> bool {
        self.at_phone(who, |p, now, out| p.hang_up(now, out))
    }
    /// The page with the phone is closed, in the middle of whatever it did; nobody says good-bye.
    pub fn closes_page(&mut self, who: Who) {
        self.phones[who.0].unplug();
        let at = self.phones[who.0].addr;
        self.give(Taped::Closed(at));
    }
    /// The page is opened again: a phone that knows of no call, and registers.
    pub fn opens_page(&mut self, who: Who) {
        let now = self.now;
        self.phones[who.0].register(now);
    }
    /// Presses the hold key of the phone.
    pub fn phone_hold(&mut self, who: Who, on: bool) {
        self.at_phone(who, |p, now, out| p.hold(now, on, out));
    }
    /// Presses the transfer key of the phone: the older call goes to a number or name, or to whom the newer one is with.
    pub fn phone_transfers(&mut self, who: Who, to: Option<&str>) {
        self.at_phone(who, |p, now, out| p.transfer(now, to, out));
    }
    /// Sets a lamp on somebody.
    pub fn watches(&mut self, who: Who, event: &str, whom: &str) {
        self.at_phone(who, |p, now, out| p.watch(now, event, whom, out));
    }
    /// Takes its newest lamp off.
    pub fn unwatches(&mut self, who: Who) {
        self.at_phone(who, |p, now, out| p.unwatch(now, out));
    }
    /// Writes a line to somebody's phones.
    pub fn pages(&mut self, who: Who, whom: &str, text: &str) {
        self.at_phone(who, |p, now, out| p.page(now, whom, text, out));
    }
    /// A second phone of an agent, which logs in like the first.
    pub fn second_phone(&mut self, who: Who) -> Who {
        let (name, [.., net, host]) = match self.phones[who.0].addr.ip() {
            IpAddr::V4(ip) => (self.phones[who.0].user.clone(), ip.octets()),
            IpAddr::V6(_) => panic!("the people of the simulator live in 10.0.0.0/8"),
        };
        Who(self.phone_at(&name, SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, 4, net, host)), 5060), Some(&password(&name))))
    }
    /// Presses keys, one every 200 ms.
    pub fn presses(&mut self, who: Who, keys: &str) {
        for digit in keys.chars() {
            if let Some(leg) = self.leg_of(who) {
                let event = media::wire::Event::Digit { leg, digit, held: ms(100) };
                self.give(Taped::Media(event));
            }
            self.pass(ms(200));
        }
    }
    /// The engine's leg of somebody's call.
    pub fn leg_of(&self, who: Who) -> Option<LegId> {
        let (_, call) = self.phones[who.0].call()?;
        let leg = self.media.leg_to(call.rtp)?;
        // Both have to mean the same port, or nothing is heard.
        let port = self.media.legs().find(|(l, _)| **l == leg).map(|(_, m)| m.port);
        (call.agreed.as_ref().map(|r| r.rtp.port()) == port).then_some(leg)
    }

    // ---- commands ----

    /// Asks for something and hears the answer: at once, or when the store has said what it knows of it.
    pub fn command(&mut self, by: Actor, command: Command) -> Result<Done, Refusal> {
        self.commands += 1;
        let id = CommandId(self.commands);
        self.give(Taped::Command(Envelope { id, tenant: business::tenant(), by, command }));
        while self.center.is_some() && !self.replies.contains_key(&id) {
            self.step();
        }
        self.replies
            .remove(&id)
            .unwrap_or_else(|| Err(Refusal::new(crate::center::command::RefusalCode::Unavailable, "the server is down")))
    }
    fn as_agent(&self, who: Who) -> (Actor, AgentId) {
        let user = self.agent_id(who);
        (Actor::User { user: user.clone(), role: Role::Agent }, user)
    }
    /// An agent asks.
    pub fn asks(&mut self, who: Who, command: impl FnOnce(AgentId) -> Command) -> Result<Done, Refusal> {
        let (by, agent) = self.as_agent(who);
        let command = command(agent);
        self.command(by, command)
    }
    /// A supervisor asks.
    pub fn supervises(&mut self, command: Command) -> Result<Done, Refusal> {
        let user = AgentId::parse("sue").expect("a plain word");
        self.command(Actor::User { user, role: Role::Supervisor }, command)
    }
    /// Signs in and opens the console.
    pub fn signs_in(&mut self, who: Who) {
        let done = self.asks(who, |agent| Command::SignIn { agent });
        // Signing in twice is no harm.
        let _ = done;
        let _ = self.asks(who, |agent| Command::Console { agent, connected: true });
    }
    /// Says ready.
    pub fn sets_ready(&mut self, who: Who) {
        // A refusal shows in the state.
        let _ = self.asks(who, |agent| Command::SetState { agent, wanted: WantedState::Ready });
    }
    /// Says not ready.
    pub fn takes_lunch(&mut self, who: Who) -> Result<Done, Refusal> {
        let reason = CodeId::parse("lunch").expect("a plain word");
        self.asks(who, |agent| Command::SetState { agent, wanted: WantedState::NotReady { reason } })
    }
    /// Takes the offered chat.
    pub fn accepts(&mut self, who: Who) -> Result<Done, Refusal> {
        let Some(offer) = self.offer_to(who) else {
            return Err(Refusal::not_found("an offer"));
        };
        self.asks(who, |_| Command::Accept { offer })
    }
    /// The offer an agent is looking at.
    pub fn offer_to(&self, who: Who) -> Option<OfferId> {
        let id = self.agent_id(who);
        let view = self.center.as_ref()?.view(self.now, &business::tenant())?;
        view.agents.get(&id)?.work.iter().find_map(|w| w.offer)
    }
    /// Gives the outcome.
    pub fn disposes(&mut self, who: Who, id: InteractionId, code: &str) -> Result<Done, Refusal> {
        let code = CodeId::parse(code).expect("a disposition is a slug");
        self.asks(who, |agent| Command::Dispose { interaction: id, agent, code, note: "by phone".into() })
    }
    /// Hands over.
    pub fn transfers(&mut self, who: Who, id: InteractionId, to: TransferTo) -> Result<Done, Refusal> {
        self.asks(who, |_| Command::Transfer { interaction: id, to })
    }
    /// To a queue.
    pub fn to_queue(queue: &str) -> TransferTo {
        TransferTo::Queue { queue: QueueId::parse(queue).expect("a queue is a slug") }
    }
    /// To an agent.
    pub fn to_agent(&self, who: Who) -> TransferTo {
        TransferTo::Agent { agent: self.agent_id(who) }
    }

    // ---- visitors ----

    /// The session of a visitor.
    pub fn visitor_id(&self, g: Guest) -> VisitorId {
        self.visitors[g.0].id
    }

    /// Opens the chat.
    pub fn opens_chat(&mut self, g: Guest) -> Result<Done, Refusal> {
        self.opens_chat_in(g, None)
    }
    /// Fills in what the page asks before a chat.
    pub fn fills_in(&mut self, g: Guest, key: &str, answer: &str) {
        self.visitors[g.0].answers.insert(key.into(), answer.into());
    }
    /// Opens the chat with a browser that says which language it is in.
    pub fn opens_chat_in(&mut self, g: Guest, language: Option<&str>) -> Result<Done, Refusal> {
        let v = &self.visitors[g.0];
        let (visitor, name) = (v.id, v.name.clone());
        let command = Command::ChatOpen {
            visitor,
            name,
            contact: None,
            language: language.map(str::to_owned),
            page: None,
            answers: v.answers.clone(),
        };
        let done = self.command(Actor::Visitor { visitor }, command);
        if let Ok(Done::Interaction { interaction }) = &done {
            let interaction = *interaction;
            self.visitors[g.0].chat = Some(interaction);
            // It was just opened.
            let _ = self.command(Actor::Visitor { visitor }, Command::ChatPresence { interaction, connected: true });
        }
        done
    }
    /// The browser's socket comes or goes.
    pub fn visitor_connected(&mut self, g: Guest, connected: bool) -> Result<Done, Refusal> {
        let (visitor, chat) = (self.visitors[g.0].id, self.visitors[g.0].chat);
        let interaction = chat.ok_or_else(|| Refusal::not_found("a chat"))?;
        self.command(Actor::Visitor { visitor }, Command::ChatPresence { interaction, connected })
    }
    /// Writes.
    pub fn writes(&mut self, g: Guest, words: &str) -> Result<Done, Refusal> {
        self.visitors[g.0].sent += 1;
        self.writes_again(g, words)
    }
    /// Sends the last message once more, under the same name.
    pub fn writes_again(&mut self, g: Guest, words: &str) -> Result<Done, Refusal> {
        let v = &self.visitors[g.0];
        let (visitor, client_id) = (v.id, format!("v{}", v.sent));
        let interaction = v.chat.ok_or_else(|| Refusal::not_found("a chat"))?;
        self.command(Actor::Visitor { visitor }, Command::Say { interaction, client_id, body: words.into() })
    }
    /// Sends a file of so many bytes, or with the same name the same again.
    pub fn sends_file(&mut self, g: Guest, name: &str, kind: Kind, bytes: u64) -> Result<Done, Refusal> {
        let v = &self.visitors[g.0];
        let visitor = v.id;
        let interaction = v.chat.ok_or_else(|| Refusal::not_found("a chat"))?;
        let file = File { id: FileId::parse(&"a".repeat(64)).expect("hex digits"), name: name.into(), kind, bytes };
        let command =
            Command::Send { interaction, client_id: format!("file-{}", name.replace(' ', "-")), body: String::new(), file };
        self.command(Actor::Visitor { visitor }, command)
    }
    /// Leaves words while nobody is there.
    pub fn leaves_message(&mut self, g: Guest, contact: &str, text: &str) -> Result<Done, Refusal> {
        let v = &self.visitors[g.0];
        let (visitor, name) = (v.id, v.name.clone());
        let (contact, text) = (contact.to_owned(), text.to_owned());
        self.command(Actor::Visitor { visitor }, Command::Leave { visitor, name, contact, language: None, page: None, text })
    }
    /// Asks to be called.
    pub fn asks_for_a_call(&mut self, g: Guest, number: &str) -> Result<Done, Refusal> {
        self.asks_for_a_call_at(g, number, None)
    }
    /// Asks to be called at an hour.
    pub fn asks_for_a_call_at(&mut self, g: Guest, number: &str, at: Option<Wall>) -> Result<Done, Refusal> {
        let v = &self.visitors[g.0];
        let (visitor, name, number) = (v.id, v.name.clone(), number.to_owned());
        let page = Some("https://shop.example/lamps".to_owned());
        self.command(
            Actor::Visitor { visitor },
            Command::CallMe { visitor, name, number, language: Some("en".into()), page, at },
        )
    }
    /// Asks for a login to talk from the page; the phone of their browser, which has it.
    pub fn may_talk(&mut self, g: Guest) -> Result<Who, Refusal> {
        let (visitor, name) = (self.visitors[g.0].id, self.visitors[g.0].name.clone());
        let (username, password) = (format!("guest-{}", self.rng.hex(6)), self.rng.hex(8));
        let command = Command::TalkNow {
            visitor,
            name,
            language: Some("en".into()),
            page: Some("https://shop.example/lamps".into()),
            ha1: Ha1::new(&username, business::DOMAIN, &password),
            username: username.clone(),
        };
        self.command(Actor::Visitor { visitor }, command)?;
        let [hi, lo] = u16::try_from(self.phones.len()).unwrap_or(u16::MAX).to_be_bytes();
        let i =
            self.phone_at(&username, SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, BROWSERS, hi, lo)), 5060), Some(&password));
        self.phones[i].speaks = Offering::Web;
        Ok(Who(i))
    }
    /// Another browser that has got hold of a login.
    pub fn same_login(&mut self, who: Who) -> Who {
        let (name, credentials) = (self.phones[who.0].user.clone(), self.phones[who.0].credentials().cloned());
        let [hi, lo] = u16::try_from(self.phones.len()).unwrap_or(u16::MAX).to_be_bytes();
        let addr = SocketAddr::new(IpAddr::V4(Ipv4Addr::new(10, BROWSERS, hi, lo)), 5060);
        let i = self.phone_at(&name, addr, credentials.as_ref().map(|c| c.password.expose()));
        self.phones[i].speaks = Offering::Web;
        Who(i)
    }
    /// Says how it was.
    pub fn rates(&mut self, g: Guest, score: u8, comment: &str) -> Result<Done, Refusal> {
        let visitor = self.visitors[g.0].id;
        let interaction = self.visitors[g.0].chat.ok_or_else(|| Refusal::not_found("a chat"))?;
        self.command(Actor::Visitor { visitor }, Command::Rate { interaction, score, comment: comment.into() })
    }
    /// Leaves for good.
    pub fn leaves(&mut self, g: Guest) -> Result<Done, Refusal> {
        let v = &self.visitors[g.0];
        let visitor = v.id;
        let interaction = v.chat.ok_or_else(|| Refusal::not_found("a chat"))?;
        self.command(Actor::Visitor { visitor }, Command::Finish { interaction })
    }
    /// An agent writes in a chat.
    pub fn replies(&mut self, who: Who, g: Guest, words: &str) -> Result<Done, Refusal> {
        let interaction = self.visitors[g.0].chat.ok_or_else(|| Refusal::not_found("a chat"))?;
        self.commands += 1;
        let client_id = format!("a{}", self.commands);
        self.asks(who, |_| Command::Say { interaction, client_id, body: words.into() })
    }
}

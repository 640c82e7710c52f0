//! What can be seen: who rings, who hears whom, what the journal tells of somebody.

use std::collections::BTreeMap;

use super::{
    business,
    people::{Guest, Who},
    phone::Stage,
    world::World,
};
use crate::{
    base::{AgentId, InteractionId, TicketId, Wall},
    center::{
        fact::{Fact, Record, Unqueued},
        view::{AgentView, TenantView},
    },
    routing::StopWhy,
};

impl World {
    /// The picture consoles get.
    pub fn view(&self) -> TenantView {
        self.center.as_ref().and_then(|c| c.view(self.now, &business::tenant())).unwrap_or_default()
    }
    /// One agent in it.
    pub fn agent_view(&self, who: Who) -> AgentView {
        self.view().agents.remove(&self.agent_id(who)).expect("an agent of the plan is in the picture")
    }
    /// The same, if the center is up.
    pub fn agent_view_of(&self, who: Who) -> Option<AgentView> {
        self.view().agents.remove(&self.agent_id(who))
    }
    /// `ready`, `not_ready no_answer`, and what they do: `ready talking`.
    pub fn agent_state(&self, who: Who) -> String {
        let a = self.agent_view(who);
        let mut s = a.state;
        if let Some(r) = a.reason {
            s = format!("{s} {r}");
        }
        for w in a.work {
            s = format!("{s} {}", w.work);
        }
        s
    }
    /// True when the phone rings.
    pub fn rings(&self, who: Who) -> bool {
        self.phone_of(who).calls.values().any(|c| c.stage == Stage::Ringing)
    }
    /// True when somebody's newest call is connected.
    pub fn is_up(&self, who: Who) -> bool {
        self.phone_of(who).stage() == Some(Stage::Up)
    }
    /// True when somebody's newest call is over.
    pub fn is_over(&self, who: Who) -> bool {
        matches!(self.phone_of(who).stage(), None | Some(Stage::Over(_)))
    }
    /// The words, music or tone somebody hears from the engine.
    pub fn hears_played(&self, who: Who) -> Option<String> {
        self.media.plays_to(self.leg_of(who)?).map(str::to_owned)
    }
    /// True when what is played to somebody contains these words.
    pub fn hears(&self, who: Who, words: &str) -> bool {
        self.hears_played(who).is_some_and(|p| p.contains(words))
    }
    /// True when sound flows both ways between two people.
    pub fn hear_each_other(&self, a: Who, b: Who) -> bool {
        match (self.leg_of(a), self.leg_of(b)) {
            (Some(a), Some(b)) => self.media.hears(a, b) && self.media.hears(b, a),
            _ => false,
        }
    }

    /// True when `listener` hears `speaker`, whatever goes the other way.
    pub fn hears_person(&self, listener: Who, speaker: Who) -> bool {
        match (self.leg_of(listener), self.leg_of(speaker)) {
            (Some(l), Some(s)) => self.media.hears(l, s),
            _ => false,
        }
    }
    /// The rows of the room, by name: `anna: caller | caller: anna`. Who hears nobody has no row.
    pub fn who_hears_whom(&self, people: &[(&str, Who)]) -> String {
        let row = |(name, me): &(&str, Who)| {
            let heard = people.iter().filter(|(_, other)| other != me && self.hears_person(*me, *other));
            let heard: Vec<&str> = heard.map(|(name, _)| *name).collect();
            (!heard.is_empty()).then(|| format!("{name}: {}", heard.join(", ")))
        };
        people.iter().filter_map(row).collect::<Vec<_>>().join(" | ")
    }

    // ---- the journal ----

    /// The newest contact from or to this number.
    pub fn contact(&self, who: Who) -> InteractionId {
        self.contacts(who).pop().unwrap_or_else(|| panic!("{} never got through\n{}", self.phone_of(who).user, self.report()))
    }
    /// All contacts from or to this number, oldest first.
    pub fn contacts(&self, who: Who) -> Vec<InteractionId> {
        self.contacts_of(&self.phone_of(who).user)
    }
    /// All contacts from or to a number.
    pub fn contacts_of(&self, number: &str) -> Vec<InteractionId> {
        let opened = self.store.facts().iter().filter_map(|r| match &r.fact {
            Fact::InteractionOpened { interaction, from, .. } if from == number => Some(*interaction),
            _ => None,
        });
        opened.collect()
    }
    /// The chat of a visitor.
    pub fn chat(&self, g: Guest) -> InteractionId {
        self.visitors[g.0].chat.expect("the visitor has opened a chat")
    }
    /// Facts of one contact.
    pub fn facts_of(&self, id: InteractionId) -> impl Iterator<Item = &Record> {
        self.store.facts().iter().filter(move |r| r.fact.interaction() == Some(id))
    }
    /// How often a kind of fact was written of a contact.
    pub fn count(&self, id: InteractionId, kind: &str) -> usize {
        self.facts_of(id).filter(|r| r.fact.kind() == kind).count()
    }
    /// True once the contact is over.
    pub fn closed(&self, id: InteractionId) -> bool {
        self.count(id, "interaction_closed") > 0
    }
    /// The ticket of a contact.
    pub fn ticket(&self, id: InteractionId) -> Option<TicketId> {
        self.facts_of(id).find_map(|r| match &r.fact {
            Fact::InteractionOpened { ticket, .. } => *ticket,
            _ => None,
        })
    }
    /// What was written on a ticket, as words of its log.
    pub fn ticket_log(&self, id: TicketId) -> Vec<String> {
        let entries = self.store.facts().iter().filter_map(|r| match &r.fact {
            Fact::Ticket { ticket, entry } if *ticket == id => Some(format!("{:?}", entry.change)),
            _ => None,
        });
        entries.collect()
    }
    /// The conversation as an edge may show it: stored messages only.
    pub fn transcript(&self, id: InteractionId) -> Vec<String> {
        let said = self.store.safe_facts().filter_map(|r| match &r.fact {
            Fact::Message { interaction, message } if *interaction == id => {
                Some(format!("{}: {}", sender(&message.sender), message.text))
            }
            _ => None,
        });
        said.collect()
    }

    /// The latest contact of somebody as one line: `support: waited 0 s · anna rang 15 s · ben talking`.
    pub fn story(&self, who: Who) -> String {
        self.story_of(self.contact(who))
    }

    /// The story of a contact.
    pub fn story_of(&self, id: InteractionId) -> String {
        let mut s = Story::default();
        for r in self.facts_of(id) {
            s.take(r.at, &r.fact);
        }
        s.end()
    }

    /// Everything one wants to see when a test fails.
    pub fn report(&self) -> String {
        let mut text = format!("at {:?}\n", self.now.mono);
        for p in &self.phones {
            text += &format!("  phone {}: {:?}\n", p.user, p.calls.values().map(|c| (&c.other, c.stage)).collect::<Vec<_>>());
        }
        let v = self.view();
        for (id, a) in &v.agents {
            let work: Vec<String> = a.work.iter().map(|w| format!("{} {}", w.work, w.interaction)).collect();
            text += &format!("  agent {id}: {} {:?} phone={} console={} {work:?}\n", a.state, a.reason, a.phone, a.console);
        }
        for (id, i) in &v.interactions {
            text += &format!("  contact {id}: {} {} {:?} {:?}\n", i.from, i.stage, i.path.last(), i.agent);
        }
        for (l, m) in self.media.legs() {
            text += &format!("  {l:?}: port {} plays {:?} bridge {:?}\n", m.port, m.playing, m.bridge);
        }
        let facts = self.store.facts();
        for r in &facts[facts.len().saturating_sub(40)..] {
            let line = format!("{:?}", r.fact);
            let line: String = line.chars().take(220).collect();
            text += &format!("  {} {} {line}\n", r.seq, r.at);
        }
        text
    }
}

fn sender(s: &crate::text::Sender) -> String {
    match s {
        crate::text::Sender::Visitor => "visitor".into(),
        crate::text::Sender::Agent(a) => a.to_string(),
        crate::text::Sender::Bot => "bot".into(),
        crate::text::Sender::Note(a) => format!("note of {a}"),
        other => format!("{other:?}").to_lowercase(),
    }
}

#[derive(Default)]
struct Story {
    parts: Vec<String>,
    queued: Option<(String, Wall)>,
    rings: BTreeMap<AgentId, Wall>,
}

impl Story {
    fn take(&mut self, at: Wall, fact: &Fact) {
        match fact {
            Fact::FlowStarted { flow, .. } => self.parts.push(format!("flow {flow}")),
            Fact::Queued { entry } => self.queued = Some((entry.queue.to_string(), at)),
            Fact::Offered { agent, .. } => {
                self.waited(at, "");
                self.rings.insert(agent.clone(), at);
            }
            Fact::OfferEnded { agent, why, .. } => {
                let began = self.rings.remove(agent).unwrap_or(at);
                let more = match why {
                    StopWhy::Accepted | StopWhy::LostRace => return,
                    StopWhy::NoAnswer | StopWhy::Withdrawn => "",
                    StopWhy::Declined => ", declined",
                    StopWhy::EndpointFailed => ", failed",
                };
                self.parts.push(format!("{agent} rang {} s{more}", seconds(began, at)));
            }
            Fact::Unqueued { why, .. } => {
                let why = match why {
                    Unqueued::Answered => "",
                    Unqueued::Abandoned => ", gave up",
                    Unqueued::Timeout => ", too long",
                    Unqueued::NoAgents => ", nobody there",
                    Unqueued::Full => ", full",
                    Unqueued::ExitKey => ", left by key",
                    Unqueued::Callback => ", to be called back",
                    Unqueued::Moved => ", moved",
                    Unqueued::Ended => ", ended",
                    Unqueued::ServerRestart => ", server restarted",
                };
                self.waited(at, why);
            }
            Fact::Connected { agent, .. } => self.parts.push(format!("{agent} talking")),
            Fact::TalkEnded { agent, talk_ms, hold_ms, .. } => {
                let talking = format!("{agent} talking");
                let held = if *hold_ms > 0 { format!(", held {} s", (hold_ms + 500) / 1000) } else { String::new() };
                let told = format!("{agent} talked {} s{held}", (talk_ms + 500) / 1000);
                match self.parts.iter().rposition(|p| *p == talking) {
                    Some(i) => self.parts[i] = told,
                    None => self.parts.push(told),
                }
            }
            Fact::Transferred { to, .. } => self.parts.push(match to {
                crate::center::command::TransferTo::Queue { queue } => format!("handed to {queue}"),
                crate::center::command::TransferTo::Agent { agent } => format!("handed to {agent}"),
                crate::center::command::TransferTo::Number { .. } => "handed outside".into(),
            }),
            Fact::VoicemailLeft { ms, .. } => self.parts.push(format!("message {} s", (ms + 500) / 1000)),
            Fact::Disposed { code, .. } => self.parts.push(format!("outcome {code}")),
            Fact::InteractionClosed { cause, .. } => self.parts.push(cause.to_string()),
            _ => {}
        }
    }

    fn waited(&mut self, at: Wall, why: &str) {
        if let Some((queue, since)) = self.queued.take() {
            self.parts.push(format!("{queue}: waited {} s{why}", seconds(since, at)));
        } else if !why.is_empty()
            && let Some(last) = self.parts.last_mut()
        {
            last.push_str(why);
        }
    }

    fn end(mut self) -> String {
        if let Some((queue, _)) = self.queued.take() {
            self.parts.push(format!("{queue}: waiting"));
        }
        for agent in self.rings.keys() {
            self.parts.push(format!("{agent} ringing"));
        }
        self.parts.join(" · ")
    }
}

fn seconds(from: Wall, to: Wall) -> u64 {
    u64::try_from((to.since(from).as_millis() + 500) / 1000).unwrap_or(u64::MAX)
}

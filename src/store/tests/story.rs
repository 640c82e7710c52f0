//! People and what happens to them, as facts.

use crate::{
    base::{
        AgentId, Channel, CodeId, CustomerId, InteractionId, MessageId, Mono, Now, OfferId, QueueId, RecordingId, Rng,
        TenantId, TicketId, Wall, ms, secs,
    },
    call::Cause,
    center::fact::{EndedBy, Fact, Record, Unqueued, Way},
    customer, routing,
    text::{
        Message, Sender,
        file::{File, FileId, Kind},
    },
    ticket,
};

pub fn tenant(name: &str) -> TenantId {
    TenantId::parse(name).expect("a tenant's name")
}
pub fn agent(name: &str) -> AgentId {
    AgentId::parse(name).expect("an agent's name")
}
pub fn queue(name: &str) -> QueueId {
    QueueId::parse(name).expect("a queue's name")
}
pub fn code(name: &str) -> CodeId {
    CodeId::parse(name).expect("a code's name")
}

/// 2026-11-23 09:00 UTC, a quarter of an hour's beginning.
pub const NINE: Wall = Wall::from_unix_s(1_795_424_400);

/// A day in a tenant, told in order.
pub struct Story {
    pub tenant: TenantId,
    pub now: Wall,
    seq: u64,
    rng: Rng,
    facts: Vec<Record>,
}

impl Story {
    /// Begins at nine, with fact `seq`.
    pub fn new(name: &str, seq: u64) -> Story {
        Story { tenant: tenant(name), now: NINE, seq, rng: Rng::seeded(seq), facts: Vec::new() }
    }
    /// What was told since the last time.
    pub fn facts(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.facts)
    }
    /// The number the next fact will have.
    pub fn next_seq(&self) -> u64 {
        self.seq
    }
    pub fn pass(&mut self, seconds: u64) {
        self.now = self.now + secs(seconds);
    }
    pub fn tell(&mut self, fact: Fact) {
        self.facts.push(Record { seq: self.seq, at: self.now, tenant: self.tenant.clone(), cause: None, fact });
        self.seq += 1;
    }
    fn at(&self) -> Now {
        Now { mono: Mono(0), wall: self.now }
    }
    pub fn customer_id(&mut self) -> CustomerId {
        CustomerId::new(self.at(), &mut self.rng)
    }

    /// A person with a name and a number.
    pub fn person(&mut self, name: &str, number: &str) -> CustomerId {
        let id = self.customer_id();
        let identity = customer::Identity::number(number).expect("a number");
        for change in [
            customer::Change::Created,
            customer::Change::Named { name: name.to_owned() },
            customer::Change::Linked { identity, trust: customer::Trust::Unverified },
        ] {
            self.tell(Fact::Customer { customer: id, change });
        }
        id
    }

    pub fn opens(&mut self, channel: Channel, customer: CustomerId) -> InteractionId {
        let interaction = InteractionId::new(self.at(), &mut self.rng);
        self.tell(Fact::InteractionOpened {
            interaction,
            channel,
            way: Way::Inbound,
            to: "4000".into(),
            from: "+3265551234".into(),
            customer,
            ticket: None,
            visitor: None,
            verdict: None,
        });
        interaction
    }

    pub fn queues(&mut self, interaction: InteractionId, name: &str) {
        let entry = routing::Entry::new(interaction, queue(name), Channel::Voice, self.now);
        self.tell(Fact::Queued { entry });
    }

    pub fn leaves(&mut self, interaction: InteractionId, name: &str, why: Unqueued, waited_ms: u64) {
        self.tell(Fact::Unqueued { interaction, queue: queue(name), why, waited_ms });
    }

    pub fn offers(&mut self, interaction: InteractionId, name: &str) -> OfferId {
        let offer = OfferId::new(self.at(), &mut self.rng);
        let decision = Box::new(routing::Decision {
            offer,
            interaction,
            queue: Some(queue("sales")),
            channel: Channel::Voice,
            at: self.now,
            age_ms: 0,
            strategy: routing::Strategy::LongestIdle,
            needs: Vec::new(),
            needs_at_first: None,
            kept_for: None,
            agent: agent(name),
            candidates: Vec::new(),
            able: 1,
            kept_back: Vec::new(),
            candidates_omitted: 0,
            order: Vec::new(),
            order_omitted: 0,
            tie_break: "the only one free".into(),
        });
        self.tell(Fact::Offered { interaction, offer, agent: agent(name), until: self.now + secs(20), decision });
        offer
    }

    /// An answered call from ring to wrap-up: waits 10 s, talks 60 s of which 5 s on hold, wraps up 30 s.
    pub fn call(&mut self, customer: CustomerId, queue: &str, name: &str) -> InteractionId {
        let id = self.opens(Channel::Voice, customer);
        self.queues(id, queue);
        self.pass(10);
        let offer = self.offers(id, name);
        self.tell(Fact::OfferEnded { interaction: id, offer, agent: agent(name), why: routing::StopWhy::Accepted });
        self.leaves(id, queue, Unqueued::Answered, 10_000);
        self.tell(Fact::Connected { interaction: id, agent: agent(name), offer: Some(offer) });
        self.pass(60);
        self.tell(Fact::TalkEnded {
            interaction: id,
            agent: agent(name),
            by: EndedBy::Customer,
            talk_ms: 60_000,
            hold_ms: 5_000,
        });
        self.closes(id, Cause::Normal, EndedBy::Customer);
        self.tell(Fact::Disposed { interaction: id, agent: agent(name), code: code("sold"), note: "two boxes".into() });
        self.pass(30);
        self.tell(Fact::WrapUpOver { interaction: id, agent: agent(name), timed_out: false, wrap_ms: 30_000 });
        id
    }

    pub fn closes(&mut self, interaction: InteractionId, cause: Cause, by: EndedBy) {
        self.tell(Fact::InteractionClosed { interaction, cause, by });
    }

    pub fn says(&mut self, interaction: InteractionId, place: u64, words: &str) {
        let id = MessageId::new(self.at(), &mut self.rng);
        let message = Message {
            id,
            seq: place,
            sender: Sender::Visitor,
            client_id: None,
            text: words.to_owned(),
            options: Default::default(),
            file: None,
            at: self.now,
        };
        self.tell(Fact::Message { interaction, message });
    }

    /// A file whose content has this digit 64 times for a name.
    pub fn sends_file(&mut self, interaction: InteractionId, place: u64, digit: &str) {
        let id = FileId::parse(&digit.repeat(64)).unwrap();
        let file = File { id, name: "lamp.png".into(), kind: Kind::Png, bytes: 9 };
        let message = Message {
            id: MessageId::new(self.at(), &mut self.rng),
            seq: place,
            sender: Sender::Visitor,
            client_id: None,
            text: file.name.clone(),
            options: Default::default(),
            file: Some(file),
            at: self.now,
        };
        self.tell(Fact::Message { interaction, message });
    }

    pub fn records(&mut self, interaction: InteractionId) -> RecordingId {
        let recording = RecordingId::new(self.at(), &mut self.rng);
        self.tell(Fact::RecordingStarted { interaction, recording, file: "2026/11/23/a.wav".into() });
        self.pass(3);
        self.tell(Fact::RecordingEnded { interaction, recording, ms: 3_000, bytes: 96_044, trouble: None });
        recording
    }

    pub fn ticket(&mut self, number: u64, title: &str, customer: Option<CustomerId>) -> ticket::Ticket {
        let opening = ticket::Opening {
            id: TicketId::new(self.at(), &mut self.rng),
            number,
            title: title.to_owned(),
            customer,
            interaction: None,
            channel: None,
            queue: None,
            priority: ticket::Priority::Normal,
            sla: None,
        };
        let (ticket, entry) = ticket::Ticket::open(self.now, ticket::Actor::System, opening).expect("a ticket opens");
        self.tell(Fact::Ticket { ticket: ticket.head().id, entry });
        ticket
    }

    pub fn change(&mut self, ticket: &mut ticket::Ticket, by: ticket::Actor, change: ticket::Change) {
        self.now = self.now + ms(1);
        let entry = ticket.apply(self.now, by, change).expect("the change is allowed");
        self.tell(Fact::Ticket { ticket: ticket.head().id, entry });
    }
}

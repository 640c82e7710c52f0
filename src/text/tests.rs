//! Stories of conversations.

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::base::{Rng, Wall, mins, ms, secs};

/// A conversation, its journal, and what everybody was told.
struct Talk {
    now: Now,
    rng: Rng,
    c: Conversation,
    journal: Vec<Record>,
    unstored: VecDeque<MessageId>,
    said: Vec<Output>,
}

fn idle() -> Idle {
    Idle { warn_after: Some(mins(2)), close_after: Some(mins(5)), gone_after: Some(mins(3)) }
}

fn anna() -> AgentId {
    AgentId::parse("anna").unwrap()
}

fn agent_anna() -> Party {
    Party::Agent(anna())
}

impl Talk {
    fn new() -> Self {
        let now = Now { mono: Mono(0), wall: Wall::from_unix_s(1_795_406_706) };
        let mut c = Conversation::new(idle());
        c.resume(now);
        let (journal, unstored, said) = (Vec::new(), VecDeque::new(), Vec::new());
        Self { now, rng: Rng::seeded(1), c, journal, unstored, said }
    }
    fn try_do(&mut self, input: Input) -> Result<(), TextError> {
        let mut out = Vec::new();
        let result = self.c.handle(self.now, input, &mut out);
        for o in &out {
            if let Output::Store(record) = o {
                if let Record::Said(m) = record {
                    self.unstored.push_back(m.id);
                } else {
                    self.journal.push(record.clone());
                }
            }
        }
        self.said.extend(out);
        result
    }
    fn does(&mut self, input: Input) {
        self.try_do(input).unwrap();
    }
    fn say(&mut self, sender: Sender, name: &str, text: &str) -> Result<(), TextError> {
        let id = MessageId::new(self.now, &mut self.rng);
        let client_id = ClientId::parse(name).ok();
        self.try_do(Input::Say { sender, id, client_id, text: text.into(), options: vec![], file: None })
    }
    /// The journal catches up: every message waiting is stored.
    fn disk(&mut self) {
        while let Some(message) = self.unstored.pop_front() {
            let m = self.c.window.iter().find(|e| e.message.id == message).unwrap().message.clone();
            self.journal.push(Record::Said(m));
            self.does(Input::Stored { message });
        }
    }
    fn pass(&mut self, d: Duration) {
        let end = self.now.later(d);
        while let Some(at) = self.c.deadline().filter(|at| *at <= end.mono) {
            self.now = self.now.later(at - self.now.mono);
            self.does(Input::Tick);
        }
        self.now = self.now.later(end.mono - self.now.mono);
    }
    fn visitor_connects(&mut self, tab: u64, since: u64) {
        self.does(Input::Connect { who: Party::Visitor, tab: Tab(tab), since });
    }
    fn anna_is_there(&mut self) {
        self.does(Input::Join { agent: anna() });
        self.does(Input::Connect { who: agent_anna(), tab: Tab(100), since: 0 });
    }
    /// What `party` was told since last asked, in words.
    fn heard(&mut self, party: &Party) -> Vec<String> {
        let mut heard = Vec::new();
        self.said.retain(|o| {
            let Output::Send { to, event, .. } = o else { return true };
            if to == party {
                heard.push(match event {
                    Event::Message(m) => format!("{}:{}", m.seq, m.text),
                    Event::Ack { seq, client_id, .. } => {
                        format!("ack {} {seq}", client_id.as_ref().map_or("-", ClientId::as_str))
                    }
                    Event::Refused { client_id, .. } => format!("refused {}", client_id.as_ref().map_or("-", ClientId::as_str)),
                    Event::Receipt { progress, .. } => format!("d{} r{}", progress.delivered, progress.read),
                    Event::Typing { on, .. } => format!("typing {on}"),
                    Event::Joined { agent } => format!("{agent} joined"),
                    Event::Left { agent } => format!("{agent} left"),
                    Event::Closed { why } => format!("closed {why:?}"),
                });
            }
            to != party
        });
        heard
    }
    fn events(&mut self) -> Vec<Output> {
        let found = self.said.iter().filter(|o| !matches!(o, Output::Send { .. } | Output::Store(_))).cloned().collect();
        self.said.clear();
        found
    }
}

#[test]
fn a_message_is_shown_and_acknowledged_only_once_it_is_safe() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.heard(&Party::Visitor);

    t.say(Sender::Visitor, "m1", "hello").unwrap();
    assert!(t.heard(&Party::Visitor).is_empty() && t.heard(&agent_anna()).is_empty());
    assert_eq!(t.c.tick_of(1, &agent_anna()), Some(Tick::Accepted));

    t.disk();
    assert_eq!(t.heard(&Party::Visitor), ["ack m1 1", "1:hello"]);
    assert_eq!(t.heard(&agent_anna()), ["1:hello"]);
    assert_eq!(t.c.tick_of(1, &agent_anna()), Some(Tick::Stored));

    t.does(Input::Delivered { to: agent_anna(), seq: 1 });
    assert_eq!(t.c.tick_of(1, &agent_anna()), Some(Tick::Delivered));
    t.does(Input::Read { by: agent_anna(), seq: 1 });
    assert_eq!(t.c.tick_of(1, &agent_anna()), Some(Tick::Read));
    assert_eq!(t.heard(&Party::Visitor), ["d1 r0", "d1 r1"]);
}

#[test]
fn a_message_sent_again_after_the_train_came_out_of_the_tunnel_is_the_same_message() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.say(Sender::Visitor, "m1", "where is my parcel?").unwrap();
    t.does(Input::Disconnect { who: Party::Visitor, tab: Tab(1) });
    t.disk();
    assert!(t.heard(&Party::Visitor).is_empty(), "nobody was there to hear the ack");

    t.visitor_connects(2, 0);
    t.say(Sender::Visitor, "m1", "where is my parcel?").unwrap();
    t.disk();
    assert_eq!(t.heard(&Party::Visitor), ["1:where is my parcel?", "ack m1 1"]);
    assert_eq!(t.c.messages().count(), 1);
}

#[test]
fn two_senders_may_use_one_name_for_their_messages() {
    let mut t = Talk::new();
    t.anna_is_there();
    t.say(Sender::Visitor, "1", "hello").unwrap();
    t.say(Sender::Agent(anna()), "1", "hello yourself").unwrap();
    t.disk();
    assert_eq!(t.c.messages().count(), 2);
}

#[test]
fn whoever_comes_back_gets_what_was_missed_in_order_and_nothing_else() {
    let mut t = Talk::new();
    t.anna_is_there();
    for text in ["one", "two", "three"] {
        t.say(Sender::Agent(anna()), "", text).unwrap();
    }
    t.disk();
    t.visitor_connects(1, 1);
    assert_eq!(t.heard(&Party::Visitor), ["2:two", "3:three"]);
    assert_eq!(t.c.progress(&Party::Visitor).unwrap().delivered, 1, "the cursor says what has arrived");
    // A page that claims to know the future is at the end of the present.
    t.visitor_connects(2, 99);
    assert_eq!(t.c.progress(&Party::Visitor).unwrap().delivered, 3);
}

#[test]
fn a_message_whose_store_answers_first_waits_for_the_one_before_it() {
    let mut t = Talk::new();
    t.anna_is_there();
    t.say(Sender::Visitor, "m1", "first").unwrap();
    t.say(Sender::Visitor, "m2", "second").unwrap();
    t.unstored.swap(0, 1);
    let second = t.unstored.pop_front().unwrap();
    t.does(Input::Stored { message: second });
    assert!(t.heard(&agent_anna()).is_empty());
    t.disk();
    assert_eq!(t.heard(&agent_anna()), ["1:first", "2:second"]);
}

#[test]
fn a_message_that_could_not_be_stored_is_given_back_and_does_not_hold_up_the_next() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.say(Sender::Visitor, "m1", "lost").unwrap();
    t.say(Sender::Visitor, "m2", "kept").unwrap();
    let lost = t.unstored.pop_front().unwrap();
    t.disk();
    t.does(Input::NotStored { message: lost });
    assert_eq!(t.heard(&Party::Visitor), ["ack m2 2", "refused m1", "2:kept"]);
    t.say(Sender::Visitor, "m1", "lost").unwrap();
    t.disk();
    assert_eq!(t.heard(&Party::Visitor), ["ack m1 3", "3:lost"]);
    assert_eq!(t.try_do(Input::Stored { message: lost }), Err(TextError::NotWaiting { message: lost }));
}

#[test]
fn a_long_conversation_keeps_its_newest_part_and_points_to_the_store_for_the_rest() {
    let mut t = Talk::new();
    let extra = 7;
    for i in 0..limits::MESSAGES_IN_MEMORY as u64 + extra {
        t.say(Sender::Bot, "", &format!("line {i}")).unwrap();
        t.disk();
    }
    assert_eq!(t.c.messages().count(), limits::MESSAGES_IN_MEMORY);
    t.said.clear();
    t.visitor_connects(1, 3);
    let fetch = Output::Fetch { to: Party::Visitor, tab: Tab(1), after: 3, through: extra };
    assert_eq!(t.events(), [fetch]);
}

#[test]
fn a_dead_store_refuses_new_messages_rather_than_filling_the_memory() {
    let mut t = Talk::new();
    for _ in 0..limits::MESSAGES_IN_MEMORY {
        t.say(Sender::Bot, "", "x").unwrap();
    }
    assert_eq!(t.say(Sender::Bot, "", "x"), Err(TextError::Backlog));
    t.disk();
    assert_eq!(t.say(Sender::Bot, "", "x"), Ok(()));
}

#[test]
fn what_cannot_be_said_is_refused_with_the_reason() {
    let mut t = Talk::new();
    assert_eq!(t.say(Sender::Visitor, "", " \n\u{7}"), Err(TextError::Empty));
    let long = "é".repeat(limits::MESSAGE_MAX / 2 + 1);
    assert_eq!(t.say(Sender::Visitor, "", &long), Err(TextError::TooLong { bytes: limits::MESSAGE_MAX + 2 }));
    assert_eq!(t.say(Sender::Agent(anna()), "", "hi"), Err(TextError::NotHere { agent: anna() }));
    assert_eq!(ClientId::parse("a b"), Err(TextError::BadClientId));
    assert_eq!(clean("a\0b\r\nc\u{1b}[31m").unwrap(), "ab\nc[31m");
    for _ in 0..limits::VISITOR_MESSAGES_PER_MIN {
        t.say(Sender::Visitor, "", "spam").unwrap();
    }
    assert_eq!(t.say(Sender::Visitor, "", "spam"), Err(TextError::TooFast { retry_in: secs(60) }));
}

#[test]
fn a_visitor_who_falls_silent_is_warned_and_then_let_go_but_never_while_waiting_for_us() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.say(Sender::Visitor, "", "anybody?").unwrap();
    t.disk();
    t.pass(mins(60));
    assert_eq!(t.events(), [], "it is our turn");

    t.say(Sender::Agent(anna()), "", "yes!").unwrap();
    t.disk();
    t.pass(mins(1));
    t.does(Input::Typing { who: Party::Visitor, on: true });
    t.pass(mins(2) - ms(1));
    assert_eq!(t.events(), [], "somebody who types is there");
    t.pass(ms(1));
    assert_eq!(t.events(), [Output::IdleWarning]);
    t.say(Sender::System, "", "Are you still there?").unwrap();
    t.disk();
    t.pass(mins(3));
    assert_eq!(t.events(), [Output::IdleClose]);
    t.pass(mins(60));
    assert_eq!(t.events(), [], "once is enough");
}

#[test]
fn the_patience_with_a_visitor_begins_when_the_question_is_on_the_screen_whatever_the_wall_clock_does() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.say(Sender::Agent(anna()), "", "which parcel?").unwrap();
    t.pass(mins(10));
    assert_eq!(t.events(), [], "the store was down: nobody has seen the question");
    t.disk();
    t.now.wall = t.now.wall - mins(60);
    t.pass(mins(2));
    assert_eq!(t.events(), [Output::IdleWarning]);
    t.now.wall = t.now.wall + mins(60);
    t.pass(mins(3));
    assert_eq!(t.events(), [Output::IdleClose]);
}

#[test]
fn a_note_to_colleagues_never_reaches_the_visitor_not_even_after_a_reconnect() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.heard(&Party::Visitor);
    t.say(Sender::Note(anna()), "", "she is angry").unwrap();
    t.disk();
    t.visitor_connects(2, 0);
    assert_eq!(t.heard(&Party::Visitor), Vec::<String>::new());
    assert_eq!(t.heard(&agent_anna()), ["1:she is angry"]);
}

#[test]
fn a_visitor_who_shuts_every_tab_is_gone_after_a_while_unless_one_opens_again() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.visitor_connects(2, 0);
    t.does(Input::Disconnect { who: Party::Visitor, tab: Tab(1) });
    t.pass(mins(60));
    assert_eq!(t.events(), []);
    t.does(Input::Disconnect { who: Party::Visitor, tab: Tab(2) });
    t.pass(mins(2));
    t.visitor_connects(3, 0);
    t.pass(mins(60));
    assert_eq!(t.events(), []);
    t.does(Input::Disconnect { who: Party::Visitor, tab: Tab(3) });
    t.pass(mins(3));
    assert_eq!(t.events(), [Output::VisitorGone]);
}

#[test]
fn typing_is_shown_to_the_others_and_ends_by_itself() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.heard(&Party::Visitor);
    let typing = |on| Input::Typing { who: agent_anna(), on };
    t.does(typing(true));
    t.pass(secs(4));
    t.does(typing(true));
    t.pass(secs(4));
    assert_eq!(t.heard(&Party::Visitor), ["typing true"]);
    t.pass(limits::TYPING_LASTS);
    assert_eq!(t.heard(&Party::Visitor), ["typing false"]);
    t.does(typing(true));
    t.say(Sender::Agent(anna()), "", "here").unwrap();
    assert_eq!(t.heard(&Party::Visitor), ["typing true", "typing false"]);
    assert_eq!(t.heard(&agent_anna()), Vec::<String>::new());
}

#[test]
fn after_the_end_nothing_is_said_but_everything_can_still_be_read() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.say(Sender::Agent(anna()), "", "bye").unwrap();
    t.disk();
    t.does(Input::Close { why: CloseWhy::Agent });
    assert_eq!(t.say(Sender::Visitor, "", "wait"), Err(TextError::Closed { why: CloseWhy::Agent }));
    t.heard(&Party::Visitor);
    t.visitor_connects(2, 0);
    assert_eq!(t.heard(&Party::Visitor), ["1:bye", "closed Agent"]);
    t.does(Input::Read { by: Party::Visitor, seq: 1 });
    assert_eq!(t.c.deadline(), None);
}

#[test]
fn after_a_crash_the_resend_of_a_stored_message_is_known_and_the_silence_starts_over() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.say(Sender::Visitor, "m1", "hello").unwrap();
    t.say(Sender::Bot, "", "hello!").unwrap();
    t.disk();
    t.pass(secs(100));

    let mut reborn = Talk::new();
    reborn.now = t.now.later(mins(30));
    reborn.c = Conversation::new(idle());
    t.journal.iter().for_each(|r| reborn.c.replay(r));
    reborn.c.resume(reborn.now);
    reborn.visitor_connects(1, 0);
    reborn.say(Sender::Visitor, "m1", "hello").unwrap();
    assert_eq!(reborn.heard(&Party::Visitor), ["1:hello", "2:hello!", "ack m1 1"]);
    reborn.pass(mins(2));
    assert_eq!(reborn.events(), [Output::IdleWarning]);
}

#[test]
fn records_and_events_survive_being_written_down() {
    let mut t = Talk::new();
    t.visitor_connects(1, 0);
    t.anna_is_there();
    t.say(Sender::Visitor, "m1", "hello").unwrap();
    t.disk();
    t.does(Input::Read { by: agent_anna(), seq: 1 });
    t.does(Input::Close { why: CloseWhy::Idle });
    for record in &t.journal {
        let text = serde_json::to_string(record).unwrap();
        assert_eq!(&serde_json::from_str::<Record>(&text).unwrap(), record, "{text}");
    }
    for o in &t.said {
        if let Output::Send { event, .. } = o {
            assert!(serde_json::to_value(event).unwrap()["type"].is_string());
        }
    }
}

fn party(n: u8) -> Party {
    match n % 3 {
        0 => Party::Visitor,
        1 => agent_anna(),
        _ => Party::Agent(AgentId::parse("ben").unwrap()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_journal_gives_the_same_conversation_back(steps in prop::collection::vec((0u8..11, 0u8..6, 0u64..8), 0..120)) {
        let mut t = Talk::new();
        for (what, who, n) in steps {
            t.now = t.now.later(secs(n * 3));
            let who = party(who);
            // Refusals are part of life here.
            let _ = match what {
                0 => t.say(Sender::Visitor, &format!("m{n}"), "v"),
                1 => t.say(match &who { Party::Agent(a) => Sender::Agent(a.clone()), Party::Visitor => Sender::Bot }, "", "a"),
                2 => { t.disk(); Ok(()) }
                3 => t.try_do(Input::Connect { who, tab: Tab(n), since: n }),
                4 => t.try_do(Input::Disconnect { who, tab: Tab(n) }),
                5 => t.try_do(Input::Delivered { to: who, seq: n }),
                6 => t.try_do(Input::Read { by: who, seq: n * 2 }),
                7 => t.try_do(Input::Typing { who, on: n.is_multiple_of(2) }),
                8 => match who { Party::Agent(agent) => t.try_do(Input::Join { agent }), Party::Visitor => t.try_do(Input::Tick) },
                9 => match who { Party::Agent(agent) if n == 0 => t.try_do(Input::Leave { agent }), _ => Ok(()) },
                _ if n == 7 => t.unstored.pop_front().map_or(Ok(()), |message| t.try_do(Input::NotStored { message })),
                _ => Ok(()),
            };
        }
        t.disk();
        let mut back = Conversation::new(idle());
        t.journal.iter().for_each(|r| back.replay(r));
        prop_assert!(back.messages().eq(t.c.messages()));
        prop_assert_eq!(&back.names, &t.c.names);
        prop_assert_eq!(back.closed(), t.c.closed());
        prop_assert!(back.agents().eq(t.c.agents()));
        for p in [party(0), party(1), party(2)] {
            prop_assert_eq!(back.progress(&p), t.c.progress(&p));
        }
        // Everybody saw every message at most once per connection and in rising order is checked by the stories above;
        // here: seqs in memory rise.
        let seqs: Vec<u64> = back.messages().map(|m| m.seq).collect();
        prop_assert!(seqs.is_sorted_by(|a, b| a < b));
    }
}

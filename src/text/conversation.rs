//! One conversation: every message in one order, stored before it is acknowledged or shown, shown again to whoever lost
//! the connection.
//!
//! It leaves to `center` who answers, what an idle visitor is told, and the journal. The life of a message:
//!
//!     Say ─▶ Accepted ──Stored──▶ Stored ──Delivered{to}──▶ Delivered ──Read{by}──▶ Read
//!               │                   └ Ack to its sender, Message to every connected party in seq order
//!               └──NotStored──▶ (gone; its sender gets Refused, its seq stays empty)
//!
//! Tests: the life of a message, resend, redelivery, idleness and the fold, in `tests.rs` beside this file.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};

use super::{
    file::File,
    io::{Idle, Input, Output, TextError},
    message::{ClientId, CloseWhy, Event, Message, Party, Progress, Record, Refusal, Sender, Tab, Tick, clean},
    pace::Pace,
};
use crate::base::{AgentId, Deadlines, MessageId, Mono, Now, limits};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    IdleWarn,
    IdleClose,
    Gone,
    Typing(Party),
}

/// What somebody says, before it has a place.
struct Words {
    sender: Sender,
    id: MessageId,
    client_id: Option<ClientId>,
    text: String,
    options: Vec<(String, String)>,
    file: Option<File>,
}

#[derive(Debug, Clone)]
struct Entry {
    message: Arc<Message>,
    stored: bool,
}

#[derive(Debug, Clone, Default)]
struct Attendance {
    tabs: BTreeSet<Tab>,
    progress: Progress,
}

/// The machine of one conversation.
#[derive(Debug, Clone)]
pub struct Conversation {
    idle: Idle,
    /// The newest messages in seq order, at most [`limits::MESSAGES_IN_MEMORY`].
    window: VecDeque<Entry>,
    /// What each sender's program called the messages of the window.
    names: BTreeMap<(Sender, ClientId), MessageId>,
    next_seq: u64,
    /// Everything up to here is only in the store.
    evicted: u64,
    /// Everything up to here may be shown.
    released: u64,
    parties: BTreeMap<Party, Attendance>,
    /// Since when our last word waits for the visitor.
    waiting_since: Option<Mono>,
    closed: Option<CloseWhy>,
    files: u32,
    pace: Pace,
    timers: Deadlines<Timer>,
}

impl Conversation {
    /// An empty one. Nobody is connected; call [`Conversation::resume`] to start the visitor's clocks.
    pub fn new(idle: Idle) -> Self {
        Self {
            idle,
            window: VecDeque::new(),
            names: BTreeMap::new(),
            next_seq: 1,
            evicted: 0,
            released: 0,
            parties: BTreeMap::from([(Party::Visitor, Attendance::default())]),
            waiting_since: None,
            closed: None,
            files: 0,
            pace: Pace::new(limits::VISITOR_MESSAGES_PER_MIN),
            timers: Deadlines::default(),
        }
    }

    /// When [`Input::Tick`] is due.
    pub fn deadline(&self) -> Option<Mono> {
        self.timers.next()
    }
    /// Why it ended, if it has.
    pub fn closed(&self) -> Option<CloseWhy> {
        self.closed
    }
    /// The agents in it.
    pub fn agents(&self) -> impl Iterator<Item = &AgentId> {
        self.parties.keys().filter_map(|p| if let Party::Agent(a) = p { Some(a) } else { None })
    }
    /// How far a party has got.
    pub fn progress(&self, party: &Party) -> Option<Progress> {
        self.parties.get(party).map(|a| a.progress)
    }
    /// Whether a party has a connection.
    pub fn connected(&self, party: &Party) -> bool {
        self.parties.get(party).is_some_and(|a| !a.tabs.is_empty())
    }
    /// The stored messages still in memory, oldest first.
    pub fn messages(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.window.iter().filter(|e| e.stored && e.message.seq <= self.released).map(|e| &e.message)
    }
    /// The message a sender's program gave this name to, if it is still in memory.
    pub fn find(&self, sender: &Sender, client_id: &ClientId) -> Option<&Arc<Message>> {
        let id = self.names.get(&(sender.clone(), client_id.clone()))?;
        self.entry(*id).map(|e| &e.message)
    }
    /// How many files it has, those on their way to the store included.
    pub fn files(&self) -> u32 {
        self.files
    }
    /// The seq of the last message anyone may see.
    pub fn last_seq(&self) -> u64 {
        self.released
    }
    /// How far a message in memory has got with a receiver.
    pub fn tick_of(&self, seq: u64, receiver: &Party) -> Option<Tick> {
        let entry = self.window.iter().rev().find(|e| e.message.seq == seq)?;
        let progress = self.progress(receiver)?;
        Some(match () {
            () if !entry.stored => Tick::Accepted,
            () if progress.read >= seq => Tick::Read,
            () if progress.delivered >= seq => Tick::Delivered,
            () => Tick::Stored,
        })
    }

    /// Folds a record of the journal, as it was stored. Says nothing to anybody.
    pub fn replay(&mut self, record: &Record) {
        match record {
            Record::Said(message) => {
                // A journal read in order only ever rises; a record read twice is the same message.
                if message.seq < self.next_seq {
                    return;
                }
                self.next_seq = message.seq + 1;
                self.released = message.seq;
                self.files += u32::from(message.file.is_some());
                self.remember(message.clone(), true);
                // The hour is of no use after a restart; `resume` sets it.
                self.note_turn(message, Mono::default());
                self.evict();
            }
            Record::Seen { by, progress } => {
                if let Some(a) = self.parties.get_mut(by) {
                    a.progress.delivered = a.progress.delivered.max(progress.delivered);
                    a.progress.read = a.progress.read.max(progress.read);
                }
            }
            Record::Joined { agent, .. } => {
                self.parties.entry(Party::Agent(agent.clone())).or_default();
            }
            Record::Left { agent, .. } => {
                self.parties.remove(&Party::Agent(agent.clone()));
            }
            Record::Closed { why, .. } => self.closed = Some(*why),
        }
    }

    /// Starts the clocks after [`Conversation::new`] or the last [`Conversation::replay`].
    ///
    /// A visitor's silence counts from now on: while we were down there was nobody to write to.
    pub fn resume(&mut self, now: Now) {
        if self.closed.is_some() {
            return;
        }
        self.waiting_since = self.waiting_since.map(|_| now.mono);
        self.arm_idle(now);
        self.arm_gone(now);
    }

    /// One step. On an error nothing has changed.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) -> Result<(), TextError> {
        match input {
            Input::Say { sender, id, client_id, text, options, file } => {
                self.say(now, Words { sender, id, client_id, text, options, file }, out)
            }
            Input::Stored { message } => self.stored(now, message, out),
            Input::NotStored { message } => self.not_stored(now, message, out),
            Input::Delivered { to, seq } => self.seen(to, Progress { delivered: seq, read: 0 }, out),
            Input::Read { by, seq } => self.seen(by, Progress { delivered: seq, read: seq }, out),
            Input::Typing { who, on } => self.typing(now, who, on, out),
            Input::Connect { who, tab, since } => self.connect(who, tab, since, out),
            Input::Disconnect { who, tab } => {
                self.disconnect(now, &who, tab, out);
                Ok(())
            }
            Input::Join { agent } => self.join(now, agent, out),
            Input::Leave { agent } => self.leave(now, agent, out),
            Input::Close { why } => self.close(now, why, out),
            Input::Tick => {
                self.tick(now, out);
                Ok(())
            }
        }
    }

    fn say(&mut self, now: Now, words: Words, out: &mut Vec<Output>) -> Result<(), TextError> {
        let Words { sender, id, client_id, text: raw, options, file } = words;
        // A resend first: it is not a new message, whatever its text, the clock or the state of the conversation say.
        if let Some(name) = &client_id
            && let Some(known) = self.names.get(&(sender.clone(), name.clone())).copied()
        {
            if let Some(entry) = self.entry(known).filter(|e| e.stored) {
                let ack = ack(&entry.message);
                self.send_to_sender(&sender, ack, out);
            }
            return Ok(());
        }
        self.still_open()?;
        if let Some(party) = sender.party() {
            self.present(&party)?;
        }
        let text = clean(&raw)?;
        if self.window.len() >= limits::MESSAGES_IN_MEMORY && self.window.front().is_some_and(|e| !e.stored) {
            return Err(TextError::Backlog);
        }
        if sender == Sender::Visitor {
            self.pace.take(now.mono).map_err(|retry_in| TextError::TooFast { retry_in })?;
            self.visitor_is_there();
        }
        if let Some(party) = sender.party() {
            self.stop_typing(&party, out);
        }
        let message = Arc::new(Message { id, seq: self.next_seq, sender, client_id, text, options, file, at: now.wall });
        self.next_seq += 1;
        self.files += u32::from(message.file.is_some());
        self.remember(message.clone(), false);
        self.evict();
        out.push(Output::Store(Record::Said(message)));
        Ok(())
    }

    fn stored(&mut self, now: Now, id: MessageId, out: &mut Vec<Output>) -> Result<(), TextError> {
        let entry = self.window.iter_mut().rev().find(|e| e.message.id == id && !e.stored);
        let entry = entry.ok_or(TextError::NotWaiting { message: id })?;
        entry.stored = true;
        let message = entry.message.clone();
        self.send_to_sender(&message.sender, ack(&message), out);
        self.release(now, out);
        Ok(())
    }

    fn not_stored(&mut self, now: Now, id: MessageId, out: &mut Vec<Output>) -> Result<(), TextError> {
        let at = self.window.iter().position(|e| e.message.id == id && !e.stored);
        let at = at.ok_or(TextError::NotWaiting { message: id })?;
        let entry = self.window.remove(at).expect("the position was just found");
        self.files -= u32::from(entry.message.file.is_some());
        let Message { sender, client_id, .. } = &*entry.message;
        if let Some(name) = client_id {
            // Forgotten, so that sending it again is a fresh try.
            self.names.remove(&(sender.clone(), name.clone()));
        }
        let event = Event::Refused { id, client_id: client_id.clone(), why: Refusal::NotStored };
        self.send_to_sender(sender, event, out);
        self.release(now, out);
        Ok(())
    }

    /// Shows what has become showable: stored, and with nothing unstored before it, so that everybody sees one order.
    fn release(&mut self, now: Now, out: &mut Vec<Output>) {
        let ready: Vec<Arc<Message>> = self
            .window
            .iter()
            .skip_while(|e| e.message.seq <= self.released)
            .take_while(|e| e.stored)
            .map(|e| e.message.clone())
            .collect();
        for message in ready {
            self.released = message.seq;
            self.note_turn(&message, now.mono);
            let hidden = (!message.shown_to(&Party::Visitor)).then_some(&Party::Visitor);
            self.send_all(&Event::Message(message), hidden, out);
        }
        self.arm_idle(now);
        self.evict();
    }

    fn seen(&mut self, by: Party, to: Progress, out: &mut Vec<Output>) -> Result<(), TextError> {
        self.present(&by)?;
        let released = self.released;
        let attendance = self.parties.get_mut(&by).expect("present was just checked");
        let old = attendance.progress;
        // What has not been shown cannot have been seen: a confused client does not mark the future as read.
        attendance.progress.delivered = old.delivered.max(to.delivered.min(released));
        attendance.progress.read = old.read.max(to.read.min(released));
        let progress = attendance.progress;
        if progress == old {
            return Ok(());
        }
        out.push(Output::Store(Record::Seen { by: by.clone(), progress }));
        self.send_all(&Event::Receipt { by: by.clone(), progress }, Some(&by), out);
        Ok(())
    }

    fn typing(&mut self, now: Now, who: Party, on: bool, out: &mut Vec<Output>) -> Result<(), TextError> {
        self.still_open()?;
        self.present(&who)?;
        if !on {
            self.stop_typing(&who, out);
            return Ok(());
        }
        if who == Party::Visitor && self.waiting_since.is_some() {
            self.waiting_since = Some(now.mono);
            self.arm_idle(now);
        }
        let timer = Timer::Typing(who.clone());
        let already = self.timers.get(&timer).is_some();
        self.timers.set(timer, now.mono + limits::TYPING_LASTS);
        if !already {
            self.send_all(&Event::Typing { who: who.clone(), on: true }, Some(&who), out);
        }
        Ok(())
    }

    fn stop_typing(&mut self, who: &Party, out: &mut Vec<Output>) {
        if self.timers.clear(&Timer::Typing(who.clone())) {
            self.send_all(&Event::Typing { who: who.clone(), on: false }, Some(who), out);
        }
    }

    fn connect(&mut self, who: Party, tab: Tab, since: u64, out: &mut Vec<Output>) -> Result<(), TextError> {
        self.present(&who)?;
        let attendance = self.parties.get_mut(&who).expect("present was just checked");
        if attendance.tabs.len() >= limits::TABS_PER_PARTY && !attendance.tabs.contains(&tab) {
            return Err(TextError::TooManyTabs);
        }
        attendance.tabs.insert(tab);
        if who == Party::Visitor {
            self.timers.clear(&Timer::Gone);
        }
        let since = since.min(self.released);
        if since < self.evicted {
            out.push(Output::Fetch { to: who.clone(), tab, after: since, through: self.evicted });
        }
        let send = |event| Output::Send { to: who.clone(), tab: Some(tab), event };
        out.extend(self.messages().filter(|m| m.seq > since && m.shown_to(&who)).map(|m| send(Event::Message(m.clone()))));
        let others = self.parties.iter().filter(|(p, a)| **p != who && a.progress != Progress::default());
        out.extend(others.map(|(p, a)| send(Event::Receipt { by: p.clone(), progress: a.progress })));
        if let Some(why) = self.closed {
            out.push(send(Event::Closed { why }));
        }
        // Coming with a cursor says that all before it has arrived.
        self.seen(who, Progress { delivered: since, read: 0 }, out)
    }

    fn disconnect(&mut self, now: Now, who: &Party, tab: Tab, out: &mut Vec<Output>) {
        let Some(attendance) = self.parties.get_mut(who) else { return };
        if attendance.tabs.remove(&tab) && attendance.tabs.is_empty() {
            self.stop_typing(who, out);
            self.arm_gone(now);
        }
    }

    fn join(&mut self, now: Now, agent: AgentId, out: &mut Vec<Output>) -> Result<(), TextError> {
        self.still_open()?;
        let party = Party::Agent(agent.clone());
        if self.parties.contains_key(&party) {
            return Ok(());
        }
        if self.agents().count() >= limits::AGENTS_PER_CONVERSATION {
            return Err(TextError::TooManyAgents);
        }
        self.parties.insert(party.clone(), Attendance::default());
        out.push(Output::Store(Record::Joined { agent: agent.clone(), at: now.wall }));
        self.send_all(&Event::Joined { agent }, Some(&party), out);
        Ok(())
    }

    fn leave(&mut self, now: Now, agent: AgentId, out: &mut Vec<Output>) -> Result<(), TextError> {
        let party = Party::Agent(agent.clone());
        self.present(&party)?;
        self.stop_typing(&party, out);
        self.parties.remove(&party);
        out.push(Output::Store(Record::Left { agent: agent.clone(), at: now.wall }));
        self.send_all(&Event::Left { agent }, None, out);
        Ok(())
    }

    fn close(&mut self, now: Now, why: CloseWhy, out: &mut Vec<Output>) -> Result<(), TextError> {
        self.still_open()?;
        self.closed = Some(why);
        self.timers = Deadlines::default();
        out.push(Output::Store(Record::Closed { why, at: now.wall }));
        self.send_all(&Event::Closed { why }, None, out);
        Ok(())
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        while let Some(timer) = self.timers.pop_due(now.mono) {
            match timer {
                Timer::IdleWarn => out.push(Output::IdleWarning),
                Timer::IdleClose => out.push(Output::IdleClose),
                Timer::Gone => out.push(Output::VisitorGone),
                Timer::Typing(who) => {
                    self.send_all(&Event::Typing { who: who.clone(), on: false }, Some(&who), out);
                }
            }
        }
    }

    /// Whose turn it is after `message`: the visitor's after a word of ours, nobody's after the visitor's own.
    /// It counts from the moment the visitor can see it, not from when we wrote it.
    fn note_turn(&mut self, message: &Message, shown: Mono) {
        match message.sender {
            Sender::Visitor => self.waiting_since = None,
            Sender::Agent(_) | Sender::Bot => self.waiting_since = Some(shown),
            Sender::Note(_) | Sender::System => {}
        }
    }

    /// The visitor wrote: not idle from this moment, though the message has yet to be stored.
    fn visitor_is_there(&mut self) {
        self.waiting_since = None;
        self.timers.clear(&Timer::IdleWarn);
        self.timers.clear(&Timer::IdleClose);
    }

    fn arm_idle(&mut self, now: Now) {
        let since = self.waiting_since.filter(|_| self.closed.is_none());
        for (timer, after) in [(Timer::IdleWarn, self.idle.warn_after), (Timer::IdleClose, self.idle.close_after)] {
            match (since, after) {
                (Some(since), Some(after)) if since + after > now.mono => self.timers.set(timer, since + after),
                // Past already: it rang, or rings at the next tick; setting it again would ring twice.
                (Some(_), Some(_)) => {}
                _ => {
                    self.timers.clear(&timer);
                }
            }
        }
    }

    fn arm_gone(&mut self, now: Now) {
        if let Some(after) = self.idle.gone_after.filter(|_| self.closed.is_none() && !self.connected(&Party::Visitor)) {
            self.timers.set(Timer::Gone, now.mono + after);
        }
    }

    fn still_open(&self) -> Result<(), TextError> {
        self.closed.map_or(Ok(()), |why| Err(TextError::Closed { why }))
    }

    fn present(&self, party: &Party) -> Result<(), TextError> {
        match party {
            Party::Agent(agent) if !self.parties.contains_key(party) => Err(TextError::NotHere { agent: agent.clone() }),
            _ => Ok(()),
        }
    }

    fn entry(&self, id: MessageId) -> Option<&Entry> {
        self.window.iter().rev().find(|e| e.message.id == id)
    }

    fn remember(&mut self, message: Arc<Message>, stored: bool) {
        if let Some(name) = &message.client_id {
            self.names.insert((message.sender.clone(), name.clone()), message.id);
        }
        self.window.push_back(Entry { message, stored });
    }

    /// Over the bound the oldest goes; it is in the store, and with it goes the memory of its client's name for it.
    fn evict(&mut self) {
        while self.window.len() > limits::MESSAGES_IN_MEMORY
            && self.window.front().is_some_and(|e| e.stored && e.message.seq <= self.released)
        {
            let Some(Entry { message, .. }) = self.window.pop_front() else { return };
            self.evicted = message.seq;
            if let Some(name) = &message.client_id {
                self.names.remove(&(message.sender.clone(), name.clone()));
            }
        }
    }

    fn send_to_sender(&self, sender: &Sender, event: Event, out: &mut Vec<Output>) {
        if let Some(to) = sender.party().filter(|p| self.connected(p)) {
            out.push(Output::Send { to, tab: None, event });
        }
    }

    fn send_all(&self, event: &Event, except: Option<&Party>, out: &mut Vec<Output>) {
        let there = self.parties.iter().filter(|(p, a)| !a.tabs.is_empty() && Some(*p) != except);
        out.extend(there.map(|(p, _)| Output::Send { to: p.clone(), tab: None, event: event.clone() }));
    }
}

fn ack(message: &Message) -> Event {
    let Message { id, seq, client_id, at, .. } = message;
    Event::Ack { id: *id, seq: *seq, client_id: client_id.clone(), at: *at }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;

//! The ladder: what went over the wire of each call, in order, for whoever asks later why it went as it did.
//!
//! Noted where messages come into the stack and where they leave it, and nowhere else. Nothing is copied: what came shares the
//! datagram it came in, what goes shares the bytes that were sent; masking, drawing and storing are done upstairs when the call
//! is over. A trail begins with an INVITE and is named by its Call-ID. The core upstairs claims those that belong to a leg of
//! its own and takes them away; the others (a scanner's, a call that was refused at the door) make room for newer ones.

use std::{
    borrow::Borrow,
    collections::{BTreeMap, VecDeque},
};

use bytes::Bytes;

use super::{DialogKey, Output, Stack};
use crate::{
    base::{
        Now, Wall,
        limits::{LADDER_BYTES_MAX, LADDER_MESSAGES_MAX, LADDER_STRAYS_MAX, LADDERS_BYTES_MAX},
    },
    sip::{
        msg::{Message, Method, Name},
        transport::Flow,
    },
};

/// One message.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its place among all messages of this process.
    pub n: u64,
    /// When it was read, or given to the sockets.
    pub at: Wall,
    /// Between whom.
    pub flow: Flow,
    /// What.
    pub wire: Wire,
}

/// A message as it is held.
#[derive(Debug, Clone)]
pub enum Wire {
    /// Ours: the bytes.
    Sent(Bytes),
    /// Theirs: as it was read.
    Received(Message),
}

impl Wire {
    /// The bytes. Of a message received: with long header names, unfolded, and `Content-Length` at the end.
    pub fn bytes(&self) -> Bytes {
        match self {
            Wire::Sent(bytes) => bytes.clone(),
            Wire::Received(message) => message.write(),
        }
    }
    /// About how many bytes it holds.
    fn len(&self) -> usize {
        match self {
            Wire::Sent(bytes) => bytes.len(),
            Wire::Received(m) => m.headers.iter().map(|(_, v)| v.len() + 8).sum::<usize>() + m.body.len(),
        }
    }
}

/// The messages of one Call-ID.
#[derive(Debug, Clone, Default)]
pub struct Trail {
    /// The newest [`LADDER_MESSAGES_MAX`], oldest first.
    pub entries: VecDeque<Entry>,
    /// How many older ones there were.
    pub dropped: u64,
    bytes: usize,
}

impl Trail {
    fn drop_oldest(&mut self) -> usize {
        let Some(entry) = self.entries.pop_front() else { return 0 };
        let n = entry.wire.len();
        self.dropped += 1;
        self.bytes -= n;
        n
    }
}

#[derive(Debug)]
struct Kept {
    trail: Trail,
    /// Its place in `ages`.
    age: u64,
    /// A leg upstairs will take it.
    claimed: bool,
}

/// A Call-ID as a key that can be looked up by bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TrailId(Bytes);

impl Borrow<[u8]> for TrailId {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

/// All trails of a stack.
#[derive(Debug, Default)]
pub(super) struct Trails {
    table: BTreeMap<TrailId, Kept>,
    /// The newest [`LADDER_STRAYS_MAX`], claimed or not; one that leaves this list unclaimed is forgotten.
    opened: VecDeque<TrailId>,
    /// Who loses messages first when all together hold too much.
    ages: BTreeMap<u64, TrailId>,
    bytes: usize,
    n: u64,
    next_age: u64,
}

impl Trails {
    pub fn received(&mut self, now: Now, m: &Message, source: Flow) {
        let Some(id) = m.headers.raw(&Name::CallId) else { return };
        if !self.table.contains_key(&id[..]) && m.method() != Some(&Method::Invite) {
            return;
        }
        let id = id.clone();
        self.note(now, &id, source, Wire::Received(m.clone()));
    }

    pub fn sent(&mut self, now: Now, flow: Flow, bytes: &Bytes) {
        let Some(id) = call_id(bytes) else { return };
        if self.table.contains_key(id) || bytes.starts_with(b"INVITE ") {
            self.note(now, id, flow, Wire::Sent(bytes.clone()));
        }
    }

    fn note(&mut self, now: Now, id: &[u8], flow: Flow, wire: Wire) {
        if !self.table.contains_key(id) {
            self.open(id);
        }
        let Some(kept) = self.table.get_mut(id) else { return };
        let size = wire.len();
        self.n += 1;
        kept.trail.entries.push_back(Entry { n: self.n, at: now.wall, flow, wire });
        kept.trail.bytes += size;
        self.bytes += size;
        while kept.trail.entries.len() > LADDER_MESSAGES_MAX || kept.trail.bytes > LADDER_BYTES_MAX {
            self.bytes -= kept.trail.drop_oldest();
        }
        while self.bytes > LADDERS_BYTES_MAX && self.thin_out() {}
    }

    fn open(&mut self, id: &[u8]) {
        // A copy: the Call-ID of a datagram would hold all of it.
        let id = TrailId(Bytes::copy_from_slice(id));
        self.next_age += 1;
        self.table.insert(id.clone(), Kept { trail: Trail::default(), age: self.next_age, claimed: false });
        self.ages.insert(self.next_age, id.clone());
        self.opened.push_back(id);
        if self.opened.len() > LADDER_STRAYS_MAX
            && let Some(old) = self.opened.pop_front()
            && self.table.get(&old).is_some_and(|k| !k.claimed)
        {
            drop(self.take(&old));
        }
    }

    /// The oldest call loses what it has, and begins again. False when there is nothing to lose.
    fn thin_out(&mut self) -> bool {
        let Some((_, id)) = self.ages.pop_first() else { return false };
        let Some(kept) = self.table.get_mut(&id) else { return false };
        while !kept.trail.entries.is_empty() {
            self.bytes -= kept.trail.drop_oldest();
        }
        self.next_age += 1;
        kept.age = self.next_age;
        self.ages.insert(self.next_age, id);
        true
    }

    fn claim(&mut self, call_id: &str) -> Option<TrailId> {
        let kept = self.table.get_mut(call_id.as_bytes())?;
        kept.claimed = true;
        self.table.get_key_value(call_id.as_bytes()).map(|(id, _)| id.clone())
    }

    fn take(&mut self, id: &TrailId) -> Option<Trail> {
        let kept = self.table.remove(id)?;
        self.ages.remove(&kept.age);
        self.bytes -= kept.trail.bytes;
        Some(kept.trail)
    }
}

/// The Call-ID of a message we wrote ourselves: long names, one blank, no folding.
fn call_id(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes;
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let (line, after) = rest.split_at(end);
        if let Some(value) = line.strip_prefix(b"Call-ID: ") {
            return Some(value.strip_suffix(b"\r").unwrap_or(value));
        }
        if line.len() <= 1 {
            return None;
        }
        rest = &after[1..];
    }
    None
}

impl Stack {
    /// Notes what an input made us send.
    pub(super) fn note_sent(&mut self, now: Now, out: &[Output]) {
        for o in out {
            if let Output::Send { flow, bytes } = o {
                self.trails.sent(now, *flow, bytes);
            }
        }
    }

    /// The messages of this call are wanted when it is over: [`ladder_take`](Self::ladder_take) must follow. `None` when none are
    /// kept.
    pub fn ladder_claim(&mut self, key: DialogKey) -> Option<TrailId> {
        let call = self.calls.get(&key)?;
        self.trails.claim(&call.call_id)
    }

    /// The messages so far.
    pub fn ladder_look(&self, id: &TrailId) -> Option<&Trail> {
        self.trails.table.get(id).map(|k| &k.trail)
    }

    /// The messages, which are forgotten here.
    pub fn ladder_take(&mut self, id: &TrailId) -> Option<Trail> {
        self.trails.take(id)
    }

    /// `(calls whose messages are held, bytes of them)`.
    pub fn ladder_held(&self) -> (usize, usize) {
        (self.trails.table.len(), self.trails.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{base::Mono, sip::transport::Flow};

    const NOW: Now = Now { mono: Mono(0), wall: Wall(0) };

    fn flow() -> Flow {
        Flow::udp("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap())
    }

    fn send(t: &mut Trails, line: &str, id: &str, more: usize) {
        let text = format!("{line}\r\nVia: SIP/2.0/UDP x\r\nCall-ID: {id}\r\nX: {}\r\n\r\n", "x".repeat(more));
        t.sent(NOW, flow(), &Bytes::from(text));
    }

    #[test]
    fn a_trail_begins_with_an_invite_and_holds_the_newest_messages() {
        let mut t = Trails::default();
        send(&mut t, "OPTIONS sip:a SIP/2.0", "o", 0);
        assert!(t.table.is_empty(), "only calls have a ladder");
        send(&mut t, "INVITE sip:a SIP/2.0", "c", 0);
        for _ in 0..LADDER_MESSAGES_MAX + 9 {
            send(&mut t, "INFO sip:a SIP/2.0", "c", 0);
        }
        let id = t.claim("c").unwrap();
        let trail = t.take(&id).unwrap();
        assert_eq!((trail.entries.len(), trail.dropped), (LADDER_MESSAGES_MAX, 10));
        assert_eq!((t.bytes, t.table.len(), t.ages.len()), (0, 0, 0), "nothing is left of it");
    }

    #[test]
    fn calls_nobody_claims_make_room_for_newer_ones_and_claimed_ones_stay() {
        let mut t = Trails::default();
        send(&mut t, "INVITE sip:a SIP/2.0", "mine", 0);
        let mine = t.claim("mine").unwrap();
        for i in 0..2 * LADDER_STRAYS_MAX {
            send(&mut t, "INVITE sip:a SIP/2.0", &format!("scan{i}"), 0);
        }
        assert_eq!(t.table.len(), LADDER_STRAYS_MAX + 1);
        assert_eq!(t.take(&mine).unwrap().entries.len(), 1);
    }

    #[test]
    fn when_all_calls_hold_too_much_the_oldest_loses_its_messages_first() {
        let mut t = Trails::default();
        let large = LADDER_BYTES_MAX - 1_000;
        let calls = LADDERS_BYTES_MAX / large + 1;
        for i in 0..calls {
            send(&mut t, "INVITE sip:a SIP/2.0", &format!("c{i}"), large);
            t.claim(&format!("c{i}"));
        }
        assert!(t.bytes <= LADDERS_BYTES_MAX);
        let first = t.claim("c0").unwrap();
        let last = t.claim(&format!("c{}", calls - 1)).unwrap();
        assert_eq!((t.take(&first).unwrap().dropped, t.take(&last).unwrap().dropped), (1, 0));
    }
}

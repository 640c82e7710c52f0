//! The thread of one shard: waits once for all its sockets and its inbox, hands what comes to the machine, keeps its clock.
//!
//! A socket is read when something comes; where nobody hears what a peer says (it is played a prompt), what comes gathers in the
//! socket, and a few packets are taken with one system call, each as of the moment the kernel got it.

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    os::fd::AsFd,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel},
    },
    time::Duration,
};

use super::{
    clock::Clock,
    ports::{Ports, Sockets},
    sys::{self, Gathered, Poll, Ready, Waker},
};
use crate::{
    limits::{DATAGRAM_MAX, GATHER_MAX, GATHER_TIME, RECORD_QUEUE_MAX},
    record::{Block, Job},
    shard::{Group, Out, Plane, Shard, Slot, Totals},
    time::At,
    wire::{Command, Event, LegId, OpenError, RecordId},
};

/// Token of the waker; a socket's is its slot twice, plus one for RTCP.
const WAKER: u64 = u64::MAX;
/// Sockets looked at between two glances at the clock.
const READY_MAX: usize = 512;
/// Datagrams taken from one socket in a row: the others wait no longer than that.
const DRAIN_MAX: usize = 8;
/// A busy shard lets packets gather between two looks at its sockets: a dozen or two for one awakening, where one each would cost
/// as much again as handling them. So long at most does one wait that came just after a look: for the next look, and for those
/// before it. Nobody hears that.
const WAIT: Duration = Duration::from_micros(800);
/// What one turn of a busy shard is expected to last, about: for telling whether it is one.
const TURN: Duration = Duration::from_micros(500);
/// Busy: so many sockets are expected to be ready after one [`TURN`]. Below, each packet is handled when it comes.
const BUSY: f32 = 2.0;
/// Messages taken from the inbox in a row.
const INBOX_MAX: usize = 256;

/// Legs on their way between shards, with their sockets in the same order.
#[derive(Debug)]
pub struct Move {
    /// The legs.
    pub group: Group,
    /// Their sockets.
    pub sockets: Vec<Sockets>,
}

/// What the thread is told.
#[derive(Debug)]
pub enum Msg {
    /// A new leg.
    Open(LegId, Sockets),
    /// Anything else about legs here.
    Command(Command),
    /// Hand over these, and what cannot be parted from them.
    Give(Vec<LegId>, Vec<RecordId>, SyncSender<Move>),
    /// Take these.
    Take(Box<Move>),
    /// Close everything and end.
    Stop,
}

/// What all threads share.
pub struct Shared {
    /// Where events go.
    pub on_event: Box<dyn Fn(Event) + Send + Sync>,
    /// The ports.
    pub ports: Ports,
    /// The clock.
    pub clock: Clock,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("ports", &self.ports).finish_non_exhaustive()
    }
}

/// The figures of one shard, published once per turn of its loop.
#[derive(Debug, Default)]
pub struct Gauges {
    pub legs: AtomicU64,
    pub recordings: AtomicU64,
    pub packets_in: AtomicU64,
    pub packets_out: AtomicU64,
    pub relayed: AtomicU64,
    pub foreign: AtomicU64,
    pub discarded: AtomicU64,
    pub phases_skipped: AtomicU64,
    pub panics: AtomicU64,
    /// Time not spent waiting, nanoseconds.
    pub busy_ns: AtomicU64,
}

impl Gauges {
    fn publish(&self, shard: &Shard) {
        let t: Totals = shard.totals();
        self.legs.store(shard.len() as u64, Relaxed);
        self.recordings.store(shard.recordings() as u64, Relaxed);
        self.packets_in.store(t.packets_in, Relaxed);
        self.packets_out.store(t.packets_out, Relaxed);
        self.relayed.store(t.relayed, Relaxed);
        self.foreign.store(t.foreign, Relaxed);
        self.discarded.store(t.discarded, Relaxed);
        self.phases_skipped.store(t.phases_skipped, Relaxed);
    }
}

/// What the shard's outputs meet.
struct Wires {
    shared: Arc<Shared>,
    poll: Poll,
    sockets: Vec<Option<Sockets>>,
    /// By slot: when what gathers there is taken next. `None`: it does not gather.
    gathering: Vec<Option<At>>,
    /// The same in the order of time; one that is no longer in the table is passed over.
    due: VecDeque<(At, Slot)>,
    writer: SyncSender<Job>,
    /// Openings and closings the writer had no room for. At most two per recording.
    waiting: VecDeque<Job>,
    /// Where the writer brings blocks back to, and where they are taken from again.
    home: SyncSender<Box<Block>>,
    spare: Receiver<Box<Block>>,
    /// A leg has heard from its peer for the first time: its socket can be settled.
    latched: bool,
}

impl Wires {
    fn sockets(&self, slot: Slot) -> Option<&Sockets> {
        self.sockets.get(slot.0 as usize)?.as_ref()
    }

    fn seat(&mut self, slot: Slot, s: Sockets) -> std::io::Result<()> {
        let token = u64::from(slot.0) * 2;
        self.poll.add(s.rtp.as_fd(), token)?;
        self.poll.add(s.rtcp.as_fd(), token + 1)?;
        let i = slot.0 as usize;
        if self.sockets.len() <= i {
            self.sockets.resize_with(i + 1, || None);
            self.gathering.resize(i + 1, None);
            // A leg that begins to gather takes no memory.
            self.due.reserve((2 * self.sockets.len()).saturating_sub(self.due.len()));
        }
        self.sockets[i] = Some(s);
        Ok(())
    }

    /// Empty the slot for good. The sockets are to be closed: the poll forgets them then without being told.
    fn vacate(&mut self, slot: Slot) -> Option<Sockets> {
        let s = self.sockets.get_mut(slot.0 as usize)?.take()?;
        self.gathering[slot.0 as usize] = None;
        Some(s)
    }

    /// Empty the slot; the sockets live on elsewhere.
    fn unseat(&mut self, slot: Slot) -> Option<Sockets> {
        let gathered = self.gathers(slot);
        let s = self.vacate(slot)?;
        if gathered {
            // It cannot fail on an open socket.
            let _ = sys::note_arrival(&s.rtp, false);
        }
        self.poll.remove(s.rtp.as_fd());
        self.poll.remove(s.rtcp.as_fd());
        Some(s)
    }

    fn gathers(&self, slot: Slot) -> bool {
        self.gathering.get(slot.0 as usize).is_some_and(Option::is_some)
    }

    /// From now on what comes to the even port waits there until its turn. Only where all of it is one peer's.
    fn gather(&mut self, now: At, slot: Slot) {
        // One may begin anew before its last turn has come; whose peer makes that a habit is read packet by packet.
        if self.due.len() >= 2 * self.sockets.len() {
            return;
        }
        let Some(s) = self.sockets(slot).filter(|s| s.only_peer().is_some()) else { return };
        let quiet = self.poll.heed(s.rtp.as_fd(), u64::from(slot.0) * 2, false);
        if quiet.is_ok() && sys::note_arrival(&s.rtp, true).is_ok() {
            self.turn(now, slot);
        } else {
            self.heed(slot);
        }
    }

    /// Its next turn.
    fn turn(&mut self, now: At, slot: Slot) {
        let at = now + GATHER_TIME;
        self.gathering[slot.0 as usize] = Some(at);
        self.due.push_back((at, slot));
    }

    /// From now on what comes to the even port is told of at once again.
    fn heed(&mut self, slot: Slot) {
        let Some(s) = self.sockets(slot) else { return };
        // Neither can fail for a socket that is open and known to the poll.
        let _ = sys::note_arrival(&s.rtp, false);
        let _ = self.poll.heed(s.rtp.as_fd(), u64::from(slot.0) * 2, true);
        self.gathering[slot.0 as usize] = None;
    }

    fn retry(&mut self) {
        while let Some(job) = self.waiting.pop_front() {
            if let Err(TrySendError::Full(job)) = self.writer.try_send(job) {
                self.waiting.push_front(job);
                return;
            }
        }
    }
}

impl Out for Wires {
    fn send(&mut self, slot: Slot, plane: Plane, to: SocketAddr, packet: &[u8]) {
        match (self.sockets(slot), plane) {
            (Some(s), Plane::Rtp) => s.send(to, packet),
            (Some(s), Plane::Rtcp) => s.send_rtcp(to, packet),
            (None, _) => {}
        }
    }

    fn event(&mut self, event: Event) {
        self.latched |= matches!(event, Event::Latched { .. });
        (self.shared.on_event)(event);
    }

    fn record(&mut self, job: Job) -> bool {
        self.retry();
        let block = matches!(job, Job::Block { .. });
        if !self.waiting.is_empty() {
            // Nothing overtakes what waits: a pause must not be written after what came later.
            if !block {
                self.waiting.push_back(job);
            }
            return !block;
        }
        match self.writer.try_send(job) {
            Ok(()) => true,
            Err(TrySendError::Full(job)) if !block => {
                self.waiting.push_back(job);
                true
            }
            Err(_) => false,
        }
    }

    fn block(&mut self) -> Box<Block> {
        self.spare.try_recv().unwrap_or_else(|_| Box::new(Block::new(Some(self.home.clone()))))
    }

    fn gone(&mut self, slot: Slot) {
        if let Some(s) = self.vacate(slot) {
            let port = s.port;
            drop(s);
            self.shared.ports.release(port);
        }
    }
}

/// A shard and what it needs to run.
pub struct Runner {
    shard: Shard,
    wires: Wires,
    inbox: Receiver<Msg>,
    waker: Arc<Waker>,
    gauges: Arc<Gauges>,
    datagram: Box<[u8; DATAGRAM_MAX]>,
    gathered: Gathered,
}

impl std::fmt::Debug for Runner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Runner({} legs)", self.shard.len())
    }
}

/// How many sockets are ready after one [`TURN`], as far as the last turns tell.
#[derive(Debug, Default)]
struct Pace {
    before: At,
    expected: f32,
}

impl Pace {
    /// `n` sockets were ready now. Whether to let them gather.
    fn is_busy(&mut self, now: At, n: usize) -> bool {
        let gap = now.since(self.before).max(Duration::from_micros(1));
        self.before = now;
        let seen = n as f32 * TURN.as_secs_f32() / gap.as_secs_f32();
        self.expected += (seen - self.expected) / 8.0;
        n > 0 && self.expected >= BUSY
    }
}

/// How long to let packets gather after a turn that took so long, if the next takes as long: once until it begins, and once
/// until the last packet in it has its own.
fn rest_after(worked: Duration) -> Duration {
    WAIT.saturating_sub(2 * worked)
}

impl Runner {
    /// Ready to [`Self::run`].
    pub fn new(
        shard: Shard,
        shared: Arc<Shared>,
        inbox: Receiver<Msg>,
        waker: Arc<Waker>,
        writer: SyncSender<Job>,
        gauges: Arc<Gauges>,
    ) -> std::io::Result<Self> {
        let poll = Poll::new()?;
        poll.add(waker.fd(), WAKER)?;
        let (home, spare) = sync_channel(RECORD_QUEUE_MAX);
        let wires = Wires {
            shared,
            poll,
            sockets: Vec::new(),
            gathering: Vec::new(),
            due: VecDeque::new(),
            writer,
            waiting: VecDeque::new(),
            home,
            spare,
            latched: false,
        };
        let datagram = Box::new([0; DATAGRAM_MAX]);
        Ok(Self { shard, wires, inbox, waker, gauges, datagram, gathered: Gathered::default() })
    }

    /// Until told to stop, or until nobody is left who could tell.
    pub fn run(mut self) {
        let clock = self.wires.shared.clock;
        let mut ready = Ready::new(READY_MAX);
        let mut pace = Pace::default();
        loop {
            let now = clock.now();
            let most = self.shard.deadline().map_or(Duration::from_secs(1), |d| d.since(now));
            let n = self.wires.poll.wait(&mut ready, most);
            let now = clock.now();
            for i in 0..n {
                match ready.token(i) {
                    WAKER => self.waker.clear(),
                    token => {
                        let slot = Slot((token / 2) as u32);
                        if !self.survives(|r| r.drain(now, token)) {
                            self.give_up(now, slot);
                        }
                    }
                }
            }
            // After the sockets: a slot given to another leg by a message must not get the old one's readiness.
            let mut go_on = true;
            self.survives(|r| go_on = r.messages(now));
            while let Some(slot) = self.shard.stirred() {
                self.take_turn(now, slot);
            }
            self.survives(|r| r.shard.tick(now, &mut r.wires));
            // With the tick, which comes every few milliseconds while there is any leg: nobody is woken for what gathers.
            while let Some((at, slot)) = self.wires.due.pop_front_if(|turn| turn.0 <= now) {
                if self.wires.gathering.get(slot.0 as usize) == Some(&Some(at)) {
                    self.take_turn(now, slot);
                }
            }
            self.wires.retry();
            self.gauges.publish(&self.shard);
            if !go_on {
                break;
            }
            let worked = clock.now().since(now);
            let before = self.gauges.busy_ns.fetch_add(worked.as_nanos() as u64, Relaxed);
            self.shard.worked(now, Duration::from_nanos(before) + worked);
            if pace.is_busy(now, n) {
                let rest = rest_after(worked);
                // For less than that waking up costs more than is saved.
                if rest > TURN / 8 {
                    self.waker.rest(rest);
                }
            }
        }
        // The last closings must reach the writer, who is still running.
        while let Some(job) = self.wires.waiting.pop_front() {
            if self.wires.writer.send(job).is_err() {
                break;
            }
        }
    }

    /// A bug met by one packet must not end a thousand calls. `false`: there was one, and the panic hook has told of it.
    fn survives(&mut self, f: impl FnOnce(&mut Self)) -> bool {
        // What a leg looks like after a panic is at worst odd: there is no unsafe code that could rely on it.
        let sound = catch_unwind(AssertUnwindSafe(|| f(self))).is_ok();
        if !sound {
            self.gauges.panics.fetch_add(1, Relaxed);
        }
        sound
    }

    /// The leg whose packet could not be handled is closed; its commander learns of it.
    fn give_up(&mut self, now: At, slot: Slot) {
        if let Some(leg) = self.shard.who(slot) {
            self.survives(|r| r.shard.command(now, Command::Close { leg }, &mut r.wires));
        }
    }

    fn drain(&mut self, now: At, token: u64) {
        let slot = Slot((token / 2) as u32);
        let plane = if token.is_multiple_of(2) { Plane::Rtp } else { Plane::Rtcp };
        if plane == Plane::Rtp && self.wires.gathers(slot) {
            // Nothing but what the network gave back is told of: it is gone with the next look.
            return self.collect(slot);
        }
        let settled = self.wires.sockets(slot).is_some_and(Sockets::is_settled);
        for _ in 0..DRAIN_MAX {
            let awaits = plane == Plane::Rtp && !settled && self.shard.awaits_peer(slot);
            let Some(s) = self.wires.sockets.get_mut(slot.0 as usize).and_then(Option::as_mut) else { return };
            let came_to = if awaits { s.came_to() } else { None };
            let got = match plane {
                Plane::Rtp => s.receive(&mut self.datagram[..], settled),
                Plane::Rtcp => s.receive_rtcp(&mut self.datagram[..]),
            };
            // A settled socket is looked at until it is empty once; from then on all of it is the peer's.
            let to_the_end = plane == Plane::Rtp && s.is_settled() && s.only_peer().is_none();
            let Ok((n, from)) = got else { return };
            self.shard.packet(now, slot, plane, from, &mut self.datagram[..n], &mut self.wires);
            if std::mem::take(&mut self.wires.latched) && plane == Plane::Rtp {
                self.settle(slot, came_to);
            }
            if plane == Plane::Rtp && self.shard.may_gather(slot) && !to_the_end {
                self.wires.gather(now, slot);
                return;
            }
            // RTCP comes rarely and RTP one by one: a full read is the exception, and level triggering tells of the rest.
            if n < DATAGRAM_MAX && !to_the_end {
                return;
            }
        }
    }

    /// What gathered on a leg's socket is handed over, each packet as of the moment it came.
    fn collect(&mut self, slot: Slot) {
        let clock = self.wires.shared.clock;
        for _ in 0..DRAIN_MAX {
            let Some(s) = self.wires.sockets(slot) else { return };
            let Some(peer) = s.only_peer() else { return };
            let n = self.gathered.receive(&s.rtp);
            for i in 0..n {
                let (bytes, came) = self.gathered.get(i);
                let at = came.map_or_else(|| clock.now(), |wall| clock.when(wall, 2 * GATHER_TIME));
                self.shard.packet(at, slot, Plane::Rtp, peer, bytes, &mut self.wires);
            }
            if n < GATHER_MAX {
                return;
            }
        }
    }

    /// The turn of a leg whose packets gather: they go on, or they are needed at once from now on.
    fn take_turn(&mut self, now: At, slot: Slot) {
        if !self.wires.gathers(slot) {
            return;
        }
        if !self.survives(|r| r.collect(slot)) {
            self.give_up(now, slot);
        } else if self.shard.may_gather(slot) && self.wires.sockets(slot).is_some_and(|s| s.only_peer().is_some()) {
            self.wires.turn(now, slot);
        } else {
            self.wires.heed(slot);
        }
    }

    /// Give the socket of a leg to its peer alone, or to everybody, as the leg takes packets.
    fn settle(&mut self, slot: Slot, came_to: Option<IpAddr>) {
        let peer = self.shard.peer(slot);
        if let Some(s) = self.wires.sockets.get_mut(slot.0 as usize).and_then(Option::as_mut) {
            s.settle(peer, came_to);
        }
    }

    /// `false`: stop.
    fn messages(&mut self, now: At) -> bool {
        for _ in 0..INBOX_MAX {
            match self.inbox.try_recv() {
                Ok(Msg::Open(leg, sockets)) => self.open(now, leg, sockets),
                Ok(Msg::Command(c)) => self.command(now, c),
                Ok(Msg::Give(legs, records, reply)) => self.give(&legs, &records, &reply),
                Ok(Msg::Take(m)) => self.take(now, *m),
                Err(TryRecvError::Empty) => return true,
                Ok(Msg::Stop) | Err(TryRecvError::Disconnected) => {
                    self.shard.close_all(now, &mut self.wires);
                    return false;
                }
            }
        }
        // There may be more: come back at once.
        self.waker.wake();
        true
    }

    fn command(&mut self, now: At, c: Command) {
        // Whoever asks for figures, or for the end, gets those of all that came.
        if let Command::Close { leg } | Command::Report { leg } = &c
            && let Some(slot) = self.shard.place(*leg).filter(|slot| self.wires.gathers(*slot))
        {
            self.collect(slot);
        }
        let agreed = if let Command::Agree { leg, .. } = &c { self.shard.place(*leg) } else { None };
        self.shard.command(now, c, &mut self.wires);
        if let Some(slot) = agreed.filter(|slot| self.shard.peer(*slot).is_none()) {
            self.settle(slot, None);
        }
    }

    fn open(&mut self, now: At, leg: LegId, sockets: Sockets) {
        let port = sockets.port;
        let error = match self.shard.open(now, leg) {
            Some(slot) => match self.wires.seat(slot, sockets) {
                Ok(()) => return self.wires.event(Event::Opened { leg, rtp_port: port }),
                Err(e) => {
                    // Out of the table again before anybody hears of it.
                    drop(self.shard.take(&[leg], &[]));
                    e.to_string()
                }
            },
            None => "the shard is full or the leg is open already".into(),
        };
        self.wires.shared.ports.release(port);
        self.wires.event(Event::OpenFailed { leg, error: OpenError::System { reason: error } });
    }

    fn give(&mut self, legs: &[LegId], records: &[RecordId], reply: &SyncSender<Move>) {
        let group = self.shard.take(legs, records);
        let sockets = group.seats().filter_map(|s| self.wires.unseat(s)).collect();
        // If nobody waits any more the engine is being stopped, and the legs with it.
        let _ = reply.send(Move { group, sockets });
    }

    fn take(&mut self, now: At, m: Move) {
        for ((leg, slot), sockets) in self.shard.put(now, m.group).into_iter().zip(m.sockets) {
            let port = sockets.port;
            if self.wires.seat(slot, sockets).is_err() {
                // The system has no room to watch the socket: the leg cannot go on.
                self.shard.command(now, Command::Close { leg }, &mut self.wires);
                self.wires.shared.ports.release(port);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shard_with_little_to_do_handles_each_packet_at_once_and_a_busy_one_lets_them_gather() {
        let turns = |gap: Duration, n: usize| {
            let mut pace = Pace::default();
            (1..=50).fold(false, |_, i| pace.is_busy(At(0) + gap * i, n))
        };
        // Ten calls: a packet a millisecond. A hundred: one in 100 us, or five together.
        assert!(!turns(Duration::from_millis(1), 1));
        assert!(turns(Duration::from_micros(100), 1));
        assert!(turns(TURN, 5));
        assert!(!turns(TURN, 0));
    }

    #[test]
    fn the_more_a_turn_takes_the_sooner_the_next_one_begins_and_a_full_shard_does_not_rest() {
        let us = Duration::from_micros;
        for (worked, rest) in [(0, 800), (100, 600), (300, 200), (400, 0), (5_000, 0)] {
            assert_eq!(rest_after(us(worked)), us(rest));
            assert!(rest == 0 || us(worked) + us(rest) + us(worked) == WAIT);
        }
    }
}

//! The engine: shard threads, the recordings' writer, and the desk that gives each command to the shard it is for.
//!
//!     send ──▶ desk ──▶ shard 0 .. n ──▶ on_event
//!               │ ports, who is where   └──▶ writer ──▶ files, on_event
//!               └ legs of one bridge or recording are brought onto one shard first, sockets and all
//!
//! Commands pass one desk in order, so nothing overtakes a leg that is being moved. Packets never come near it.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, UdpSocket},
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use crate::{
    io::{
        clock::{self, Clock},
        ports::Ports,
        runner::{Gauges, Move, Msg, Runner, Shared},
        sys::{Waker, pin, raise_file_limit, stand_back},
    },
    limits::{COMMANDS_MAX, RECORD_QUEUE_MAX, SHARD_LEGS_MAX},
    record::writer::{Disk, Store, Writer},
    shard::{Setup, Shard},
    time::At,
    wire::{Command, Event, Ice, LegId, OpenError, RecordId},
};

/// What the engine is told once.
#[derive(Debug, Clone)]
pub struct EngineConfig {
    /// Address the ports are bound on; `::` serves both families.
    pub bind: IpAddr,
    /// Ports to take pairs from.
    pub ports: RangeInclusive<u16>,
    /// Shard threads; 0: one per processor.
    pub threads: usize,
    /// Keep each thread on a processor of its own. Where the system does not allow it, it runs unpinned.
    pub pin: bool,
}

/// Figures for `/metrics`, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Legs open now.
    pub legs: u64,
    /// Recordings running now.
    pub recordings: u64,
    /// Port pairs free now.
    pub port_pairs_free: u64,
    /// Port pairs of the range.
    pub port_pairs: u64,
    /// RTP packets taken.
    pub packets_in: u64,
    /// RTP packets sent.
    pub packets_out: u64,
    /// Of those, passed on at arrival.
    pub relayed: u64,
    /// Packets dropped: not for us, not RTP, from a stranger.
    pub foreign: u64,
    /// Packets dropped: twice or too late.
    pub discarded: u64,
    /// Quarter frames (5 ms) left out because a shard could not keep up.
    pub phases_skipped: u64,
    /// Bugs met and survived; the leg concerned was closed.
    pub panics: u64,
}

#[expect(clippy::large_enum_variant, reason = "all but one of them are commands: a box would be made for each")]
enum Control {
    Command(Command),
    Stop,
}

/// A running engine. Dropping it is [`Engine::shutdown`].
pub struct Engine {
    desk: SyncSender<Control>,
    thread: Option<JoinHandle<()>>,
    shared: Arc<Shared>,
    gauges: Vec<Arc<Gauges>>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Engine({:?})", self.counters())
    }
}

impl Engine {
    /// Start the threads. `on_event` is called on them: it hands the event on and returns, and never calls back.
    pub fn start(config: EngineConfig, on_event: impl Fn(Event) + Send + Sync + 'static) -> io::Result<Engine> {
        Self::start_with(config, Disk, on_event)
    }

    /// The same with recordings going elsewhere than to the disk.
    pub fn start_with(
        config: EngineConfig,
        store: impl Store + 'static,
        on_event: impl Fn(Event) + Send + Sync + 'static,
    ) -> io::Result<Engine> {
        // What cannot work is said now, with the setting at fault, and not at the first call.
        let refuse = |kind, why: String| Err(io::Error::new(kind, why));
        if let Err(e) = UdpSocket::bind((config.bind, 0)) {
            return refuse(e.kind(), format!("media cannot use the address {}: {e}", config.bind));
        }
        let clock = Clock::start();
        let ports = Ports::new(config.bind, &config.ports, clock::seed());
        if ports.count().1 == 0 {
            let (lo, hi) = config.ports.into_inner();
            return refuse(io::ErrorKind::InvalidInput, format!("no pair of an even and an odd port in {lo}-{hi}"));
        }
        // Two descriptors a leg: the usual 1,024 would end at 500 legs.
        raise_file_limit();
        let shared = Arc::new(Shared { on_event: Box::new(on_event), ports, clock });
        let (writer, jobs) = sync_channel(RECORD_QUEUE_MAX);
        let event = shared.clone();
        let writing = thread::Builder::new().name("media-writer".into()).spawn(move || {
            // What it does can wait half a second; a packet cannot.
            stand_back();
            let mut say = |e| (event.on_event)(e);
            let mut w = Writer::new(store);
            for job in jobs {
                w.handle(job, &mut say);
            }
            w.finish(&mut say);
        })?;
        let count = if config.threads == 0 { thread::available_parallelism().map_or(1, |n| n.get()) } else { config.threads };
        let mut shards = Vec::new();
        for n in 0..count {
            let (inbox, messages) = sync_channel(COMMANDS_MAX);
            let (waker, gauges) = (Arc::new(Waker::new()?), Arc::new(Gauges::default()));
            let shard = Shard::new(Setup { seed: clock::seed(), ntp_at_zero: clock.ntp_at_zero() });
            let runner = Runner::new(shard, shared.clone(), messages, waker.clone(), writer.clone(), gauges.clone())?;
            let thread = thread::Builder::new().name(format!("media-{n}")).spawn(move || {
                if config.pin {
                    // Refused in some containers; the thread runs all the same.
                    pin(n);
                }
                runner.run();
            })?;
            shards.push(Handle { inbox, waker, thread, gauges, legs: 0, load: Load::default() });
        }
        let gauges = shards.iter().map(|s| s.gauges.clone()).collect();
        let (send, commands) = sync_channel(COMMANDS_MAX);
        let desk = Desk { shared: shared.clone(), shards, latest: 0, legs: BTreeMap::new(), records: BTreeMap::new() };
        let thread = thread::Builder::new().name("media-desk".into()).spawn(move || {
            desk.run(&commands);
            drop(writer);
            // A writer that panicked has said so already; there is nobody left to tell.
            let _ = writing.join();
        })?;
        Ok(Engine { desk: send, thread: Some(thread), shared, gauges })
    }

    /// Tell the engine something. Returns at once unless thousands of commands are waiting already.
    pub fn send(&self, command: Command) {
        // It can fail only when the engine is already stopped: nobody is left to do it.
        let _ = self.desk.send(Control::Command(command));
    }

    /// SHA-256 of the certificate every leg of this process shows in a handshake, for `a=fingerprint:sha-256`.
    pub fn fingerprint(&self) -> [u8; 32] {
        crate::dtls::identity().fingerprint
    }

    /// The figures of this moment.
    pub fn counters(&self) -> Counters {
        let (free, all) = self.shared.ports.count();
        let mut c = Counters { port_pairs_free: free as u64, port_pairs: all as u64, ..Counters::default() };
        for g in &self.gauges {
            c.legs += g.legs.load(Relaxed);
            c.recordings += g.recordings.load(Relaxed);
            c.packets_in += g.packets_in.load(Relaxed);
            c.packets_out += g.packets_out.load(Relaxed);
            c.relayed += g.relayed.load(Relaxed);
            c.foreign += g.foreign.load(Relaxed);
            c.discarded += g.discarded.load(Relaxed);
            c.panics += g.panics.load(Relaxed);
            c.phases_skipped += g.phases_skipped.load(Relaxed);
        }
        c
    }

    /// How long each shard has worked since it began, nanoseconds: what it grew by within a time is its share of a processor.
    pub fn busy_ns(&self) -> impl Iterator<Item = u64> {
        self.gauges.iter().map(|g| g.busy_ns.load(Relaxed))
    }

    /// Close every leg and every recording, say so, and end the threads.
    pub fn shutdown(self) {
        drop(self);
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Both can fail only when the desk is gone already.
        let _ = self.desk.send(Control::Stop);
        if let Some(t) = self.thread.take() {
            let _ = t.join();
        }
    }
}

struct Handle {
    inbox: SyncSender<Msg>,
    waker: Arc<Waker>,
    thread: JoinHandle<()>,
    gauges: Arc<Gauges>,
    legs: usize,
    load: Load,
}

/// How long a shard's load is watched before it is believed.
const WATCHED: Duration = Duration::from_millis(250);
/// What a leg is taken to cost until it is seen what it does cost: a share of a processor.
const LEG_LOAD: f64 = 0.001;
/// A shard gets the next leg, too, while no other has so much less to do: the legs of a call come one after another, and those
/// that begin on one shard need not be moved to be bridged.
const STAY_LOAD: f64 = 0.01;

/// How much of its processor a shard uses, by what it says of itself.
#[derive(Debug, Default)]
struct Load {
    /// Busy time at the last look, nanoseconds, and when that was.
    seen: (u64, At),
    share: f64,
    /// Legs opened less legs closed since then.
    legs: i32,
}

impl Load {
    fn look(&mut self, now: At, busy_ns: u64) {
        let time = now.since(self.seen.1);
        if time >= WATCHED {
            self.share = busy_ns.saturating_sub(self.seen.0) as f64 / time.as_nanos() as f64;
            (self.seen, self.legs) = ((busy_ns, now), 0);
        }
    }

    fn expected(&self) -> f64 {
        (self.share + f64::from(self.legs) * LEG_LOAD).max(0.0)
    }
}

impl Handle {
    /// A leg more, or one less.
    fn count(&mut self, by: i32) {
        self.legs = self.legs.saturating_add_signed(by as isize);
        self.load.legs += by;
    }

    /// Who has less to do; one whose legs are all taken has most.
    fn compare(&self, other: &Handle) -> std::cmp::Ordering {
        let full = |h: &Handle| h.legs >= SHARD_LEGS_MAX;
        full(self)
            .cmp(&full(other))
            .then(self.load.expected().total_cmp(&other.load.expected()))
            .then(self.legs.cmp(&other.legs))
    }

    fn tell(&self, msg: Msg) {
        // A shard that is gone has closed its legs; what is said to it concerns nobody.
        let _ = self.inbox.send(msg);
        self.waker.wake();
    }
}

/// Knows who is where.
struct Desk {
    shared: Arc<Shared>,
    shards: Vec<Handle>,
    /// Where the last leg was opened.
    latest: usize,
    legs: BTreeMap<LegId, usize>,
    records: BTreeMap<RecordId, usize>,
}

impl Desk {
    fn run(mut self, commands: &Receiver<Control>) {
        while let Ok(Control::Command(c)) = commands.recv() {
            self.command(c);
        }
        for s in &self.shards {
            s.tell(Msg::Stop);
        }
        for s in self.shards {
            // A shard that panicked has said so already.
            let _ = s.thread.join();
        }
    }

    fn command(&mut self, c: Command) {
        let shard = match &c {
            Command::Open { leg, port, ice } => return self.open(*leg, *port, ice.clone()),
            Command::Bridge { audience, .. } => {
                let rows = audience.rows.iter();
                let legs: Vec<LegId> =
                    rows.flat_map(|(l, speakers)| [*l].into_iter().chain(speakers.iter().copied())).collect();
                self.gather(&legs, &[])
            }
            Command::Record { record, left, right, .. } => {
                let legs: Vec<LegId> = [*left, *right].into_iter().flatten().collect();
                let n = self.gather(&legs, &[]);
                *self.records.entry(*record).or_insert(n)
            }
            Command::RecordSides { record, left, right } => {
                let legs: Vec<LegId> = [*left, *right].into_iter().flatten().collect();
                self.gather(&legs, &[*record])
            }
            Command::RecordPause { record, .. } => self.records.get(record).copied().unwrap_or(0),
            Command::StopRecord { record } => self.records.remove(record).unwrap_or(0),
            // Every shard is asked: which one has it is known there.
            Command::StopTap { .. } => {
                self.shards.iter().for_each(|s| s.tell(Msg::Command(c.clone())));
                return;
            }
            Command::Close { leg } => {
                let n = self.legs.remove(leg);
                if let Some(n) = n {
                    self.shards[n].count(-1);
                }
                n.unwrap_or(0)
            }
            Command::Credentials { leg, .. }
            | Command::Agree { leg, .. }
            | Command::Unbridge { leg }
            | Command::Play { leg, .. }
            | Command::PlayPipe { leg, .. }
            | Command::StopPlay { leg, .. }
            | Command::Tap { leg, .. }
            | Command::Detect { leg, .. }
            | Command::SendDtmf { leg, .. }
            | Command::WatchSilence { leg, .. }
            | Command::Report { leg } => self.legs.get(leg).copied().unwrap_or(0),
        };
        self.shards[shard].tell(Msg::Command(c));
    }

    /// Where a new leg goes.
    fn least_loaded(&mut self) -> usize {
        let now = self.shared.clock.now();
        self.shards.iter_mut().for_each(|s| s.load.look(now, s.gauges.busy_ns.load(Relaxed)));
        let least = (0..self.shards.len()).min_by(|a, b| self.shards[*a].compare(&self.shards[*b])).unwrap_or(0);
        let (here, there) = (&self.shards[self.latest], &self.shards[least]);
        if here.legs >= SHARD_LEGS_MAX || here.load.expected() > there.load.expected() + STAY_LOAD {
            self.latest = least;
        }
        self.latest
    }

    fn open(&mut self, leg: LegId, port: Option<u16>, ice: Option<Ice>) {
        let n = self.least_loaded();
        let fail = |error| (self.shared.on_event)(Event::OpenFailed { leg, error });
        if self.legs.contains_key(&leg) {
            return fail(OpenError::System { reason: format!("{leg:?} is open already") });
        }
        if self.shards[n].legs >= SHARD_LEGS_MAX {
            return fail(OpenError::System { reason: format!("{SHARD_LEGS_MAX} legs on every shard") });
        }
        match self.shared.ports.open(port) {
            Ok(sockets) => {
                self.legs.insert(leg, n);
                self.shards[n].count(1);
                self.shards[n].tell(Msg::Open(leg, sockets));
                if let Some(ice) = ice {
                    self.shards[n].tell(Msg::Command(Command::Credentials { leg, ice }));
                }
            }
            Err(error) => fail(error),
        }
    }

    /// Bring these together on one shard, the one where most of them are already, among equals the one with less to do; which
    /// one.
    fn gather(&mut self, legs: &[LegId], records: &[RecordId]) -> usize {
        let mut here = vec![0usize; self.shards.len()];
        let places = legs.iter().filter_map(|l| self.legs.get(l)).chain(records.iter().filter_map(|r| self.records.get(r)));
        places.for_each(|n| here[*n] += 1);
        let more = |a: &usize, b: &usize| here[*a].cmp(&here[*b]).then_with(|| self.shards[*b].compare(&self.shards[*a]));
        let Some(target) = (0..here.len()).filter(|n| here[*n] > 0).max_by(more) else {
            return self.least_loaded();
        };
        for from in (0..here.len()).filter(|n| *n != target && here[*n] > 0) {
            let (reply, moved) = sync_channel(1);
            self.shards[from].tell(Msg::Give(legs.to_vec(), records.to_vec(), reply));
            // The shard answers within one turn of its loop; one that is gone has nothing to give.
            let Ok(m) = moved.recv() else { continue };
            self.moved(&m, from, target);
            self.shards[target].tell(Msg::Take(Box::new(m)));
        }
        target
    }

    fn moved(&mut self, m: &Move, from: usize, to: usize) {
        for leg in m.group.legs() {
            // A leg being closed may still be in a bridge there; its closing is already done by then.
            if let Some(n) = self.legs.get_mut(&leg) {
                *n = to;
                self.shards[from].count(-1);
                self.shards[to].count(1);
            }
        }
        for record in m.group.records() {
            if let Some(n) = self.records.get_mut(&record) {
                *n = to;
            }
        }
    }
}

#[cfg(test)]
mod tests;

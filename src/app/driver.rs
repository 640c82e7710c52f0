//! The loop: one thread owns the center, waits for inputs or its next deadline, and hands what comes out to the edges.
//!
//! Facts go to the journal before anything else of the same round goes anywhere. Answers to commands and pictures wait until
//! the facts in them are committed, so nobody is told what a crash could take back, and whoever asks the store about what they
//! were just told finds it there.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, RwLock,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::JoinHandle,
    time::Duration,
};

use tokio::sync::{broadcast, oneshot};

use super::{ask::Asker, clock::Clock, ears::Ears, ladder::Ladders, recall::Recaller, streams::Streams, vouch::Verifier};
use crate::{
    api,
    base::{Admission, InteractionId, Mono, Now, TenantId, limits, ms, overload::Governor, secs},
    call,
    center::{
        Center, Input, Output,
        command::{CommandId, Done, Envelope, Refusal, RefusalCode},
        fact::Quality,
        ladder,
        view::{Blink, TenantView},
    },
    net::{Net, NetEvent},
    sip::stack,
    store::JournalHandle,
    studio::Studio,
};

/// Views are at most this old.
const VIEW_EVERY: Duration = ms(100);
/// How often the shards' working time is looked at.
const SHARDS_EVERY: Duration = secs(1);
/// Inputs taken in one round before what they caused goes out.
const ROUND_MAX: usize = 256;

/// What the loop is woken with.
pub enum Wake {
    /// For the center.
    Center(Input),
    /// A command, and where its answer goes.
    Command(Envelope, oneshot::Sender<Result<Done, Refusal>>),
    /// What has gone over the wire of a contact so far, and where the answer goes.
    Ladder(TenantId, InteractionId, oneshot::Sender<Option<ladder::Order>>),
    /// How legs have sounded so far, and where the answer goes.
    Quality(Vec<u64>, oneshot::Sender<BTreeMap<u64, Quality>>),
    /// Other legs settings.
    Calls(Arc<call::CallSettings>),
    /// End.
    Stop,
}

/// The way into the loop; cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    sender: Sender<(Mono, Wake)>,
    clock: Clock,
    waiting: Arc<AtomicUsize>,
    dropped: Arc<AtomicU64>,
}

impl Inbox {
    /// What the house itself says: always taken, bounded by what it answers.
    pub fn put(&self, wake: Wake) {
        self.waiting.fetch_add(1, Relaxed);
        // The loop is gone only when the process ends.
        let _ = self.sender.send((self.clock.now().mono, wake));
    }

    /// What comes from outside: refused when [`limits::INBOX_MAX`] are waiting.
    pub fn offer(&self, wake: Wake) -> Result<(), Wake> {
        if self.waiting.load(Relaxed) >= limits::INBOX_MAX {
            self.dropped.fetch_add(1, Relaxed);
            return Err(wake);
        }
        self.put(wake);
        Ok(())
    }

    /// What the sockets report.
    pub fn net(&self, event: NetEvent) -> Result<(), NetEvent> {
        if self.waiting.load(Relaxed) >= limits::INBOX_MAX {
            self.dropped.fetch_add(1, Relaxed);
            return Err(event);
        }
        let input = match event {
            NetEvent::Received { message, source } => stack::Input::Received { message, source },
            NetEvent::Undelivered { method, branch } => stack::Input::Undelivered { method, branch },
            NetEvent::Closed { conn } => stack::Input::Closed { conn },
            NetEvent::SendFailed { flow, why } => {
                tracing::debug!(%flow, %why, "a message was not sent");
                stack::Input::TransportFailed { flow }
            }
        };
        self.put(Wake::Center(Input::Call(call::Input::Sip(input))));
        Ok(())
    }

    /// `(waiting, refused so far)`.
    pub fn load(&self) -> (usize, u64) {
        (self.waiting.load(Relaxed), self.dropped.load(Relaxed))
    }
}

/// What others may look at.
#[derive(Default)]
pub struct Shown {
    /// The latest picture of each tenant.
    pub views: RwLock<BTreeMap<TenantId, Arc<TenantView>>>,
    /// Figures of the center and the stack.
    pub gauges: Mutex<Vec<(&'static str, u64)>>,
    /// How the legs that are over sounded.
    pub sound: Mutex<call::Figures>,
    /// The longest round so far, microseconds.
    pub round_us_max: AtomicU64,
    /// Inputs taken.
    pub inputs: AtomicU64,
    /// What is turned away under load.
    pub load: Load,
}

/// How the load is, as of the last look.
#[derive(Debug, Default)]
pub struct Load {
    /// Thousandths of new calls turned away.
    pub shed_permille: AtomicU64,
    /// 99 of 100 inputs of the last second waited no longer, microseconds.
    pub wait_p99_us: AtomicU64,
    /// Percent of its processor the busiest media shard uses.
    pub shard_percent: AtomicU64,
}

impl Load {
    /// For the health page. Turning callers away is what a healthy node does under load: restarting it would help nobody.
    pub fn component(&self) -> api::Component {
        let (shed, wait) = (self.shed_permille.load(Relaxed), self.wait_p99_us.load(Relaxed));
        let shed = match shed {
            0 => String::from("every new call is taken"),
            n => format!("{}.{} % of new calls are turned away", n / 10, n % 10),
        };
        let detail = format!("{shed}; 99 % of inputs wait less than {}.{} ms", wait / 1_000, wait % 1_000 / 100);
        api::Component { name: "loop".into(), ok: true, detail }
    }
}

/// What outputs go to.
pub struct Edges {
    /// SIP sockets.
    pub net: Arc<Net>,
    /// Media.
    pub studio: Studio,
    /// Its engine, for how busy it is.
    pub engine: Arc<media::Engine>,
    /// Facts.
    pub journal: JournalHandle,
    /// HTTP questions.
    pub asker: Asker,
    /// Seals of callers.
    pub verifier: Verifier,
    /// What is not in memory any more.
    pub recaller: Recaller,
    /// Live copies of calls.
    pub streams: Streams,
    /// Calls listened to.
    pub ears: Ears,
    /// Messages of calls that are over.
    pub ladders: Ladders,
    /// What is not stored.
    pub blinks: broadcast::Sender<(TenantId, Blink)>,
}

/// An inbox and what its loop will read.
pub fn inbox(clock: Clock) -> (Inbox, Receiver<(Mono, Wake)>) {
    let (sender, receiver) = channel();
    (Inbox { sender, clock, waiting: Arc::default(), dropped: Arc::default() }, receiver)
}

/// The loop's own state.
pub struct Driver {
    pub center: Center,
    pub clock: Clock,
    pub edges: Edges,
    pub shown: Arc<Shown>,
    pub inbox: Inbox,
    pub receiver: Receiver<(Mono, Wake)>,
    /// The last fact the store held at the start.
    pub stored: u64,
}

impl Driver {
    /// Starts the thread. `first` is what recovery left to do.
    pub fn start(self, first: Vec<Output>) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("center".into()).spawn(move || self.run(first))
    }

    fn run(mut self, mut out: Vec<Output>) {
        let mut replies = Replies { stored: self.stored, ..Replies::default() };
        let mut dirty = true;
        let mut view_at = Mono(0);
        let mut next_view: Option<Pictures> = None;
        let mut admitted = true;
        let (mut governor, mut shards) = (Governor::default(), Shards::default());
        loop {
            if !self.carry_out(&mut out, &mut replies) {
                tracing::error!("facts cannot be kept any more: the node stops before it says what it could not remember");
                std::process::exit(74);
            }
            let now = self.clock.now();
            // A picture is taken only when the one before it is out: under a slow database there are fewer, not none.
            if dirty && next_view.is_none() && now.mono >= view_at {
                next_view = Some(self.pictures(now));
                dirty = false;
                view_at = now.mono + VIEW_EVERY;
            }
            if next_view.as_ref().is_some_and(|p| p.seq <= replies.stored) {
                self.show(next_view.take());
            }
            let taking = (dirty && next_view.is_none()).then_some(view_at);
            // Only who turns callers away has to look whether that is still needed.
            let looking = (governor.admission() != Admission::Open).then(|| governor.due());
            let next = self.center.deadline().into_iter().chain(taking).chain(looking).min();
            let wait = next.map_or(Duration::from_secs(1), |at| at - now.mono);
            let first = match self.receiver.recv_timeout(wait) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let began = self.clock.now();
            // Before what has come is looked at: a contact that begins now could not be written down.
            let healthy = self.edges.journal.healthy();
            if healthy != admitted {
                admitted = healthy;
                tracing::warn!(healthy, "the journal's health decides whether new contacts are taken");
                self.center.handle(began, Input::Admission(healthy), &mut out);
            }
            let mut taken = 0;
            let mut wake = first;
            while let Some((put, w)) = wake {
                self.inbox.waiting.fetch_sub(1, Relaxed);
                governor.took(self.clock.now().mono.since(put));
                taken += 1;
                if !self.take(w, &mut out, &mut replies) {
                    let _ = self.carry_out(&mut out, &mut replies);
                    return;
                }
                wake = if taken < ROUND_MAX { self.receiver.try_recv().ok() } else { None };
            }
            let now = self.clock.now();
            if self.center.deadline().is_some_and(|d| d <= now.mono) {
                self.center.handle(now, Input::Tick, &mut out);
                taken += 1;
            }
            if now.mono >= governor.due() {
                self.look(now, &mut governor, &mut shards, &mut out);
            }
            if taken > 0 {
                dirty = true;
                self.shown.inputs.fetch_add(taken as u64, Relaxed);
                let us = u64::try_from((self.clock.now().mono - began.mono).as_micros()).unwrap_or(u64::MAX);
                self.shown.round_us_max.fetch_max(us, Relaxed);
            }
        }
    }

    /// How the load is, and what follows from it for new calls.
    fn look(&mut self, now: Now, governor: &mut Governor, shards: &mut Shards, out: &mut Vec<Output>) {
        let shard = shards.busiest(now.mono, self.edges.engine.busy_ns());
        let before = governor.admission();
        if let Some(verdict) = governor.look(now.mono, shard, self.edges.journal.backlog()) {
            let (shed_permille, why) = (verdict.admission.shed_permille(), verdict.why.words());
            match (before, verdict.admission) {
                (Admission::Open, _) => tracing::warn!(why, "new calls are turned away"),
                (_, Admission::Open) => tracing::warn!("every new call is taken again"),
                _ => tracing::debug!(shed_permille, why, "another share of new calls is turned away"),
            }
            self.center.handle(now, Input::Overload(verdict), out);
        }
        let load = &self.shown.load;
        load.shed_permille.store(governor.admission().shed_permille().into(), Relaxed);
        load.wait_p99_us.store(u64::try_from(governor.wait_p99().as_micros()).unwrap_or(u64::MAX), Relaxed);
        load.shard_percent.store(shard.into(), Relaxed);
    }

    fn take(&mut self, wake: Wake, out: &mut Vec<Output>, replies: &mut Replies) -> bool {
        let now = self.clock.now();
        match wake {
            Wake::Center(input) => {
                if let Input::Stored(seq) = &input {
                    replies.stored(*seq);
                }
                self.center.handle(now, input, out);
            }
            Wake::Command(envelope, reply) => {
                replies.asked.insert(envelope.id, reply);
                self.center.handle(now, Input::Command(envelope), out);
            }
            Wake::Calls(settings) => self.center.call_settings(settings),
            Wake::Ladder(tenant, id, reply) => {
                let order = self.center.ladder_now(&tenant, id).or_else(|| self.edges.ladders.look(&tenant, id));
                // Whoever asked may be gone.
                drop(reply.send(order));
            }
            Wake::Quality(legs, reply) => drop(reply.send(self.center.quality_now(&legs))),
            Wake::Stop => {
                self.center.ladders_away(out);
                return false;
            }
        }
        true
    }

    /// False when facts could not be appended.
    fn carry_out(&mut self, out: &mut Vec<Output>, replies: &mut Replies) -> bool {
        let facts = out.extract_if(.., |o| matches!(o, Output::Fact(_)));
        let facts: Vec<_> = facts.filter_map(|o| if let Output::Fact(r) = o { Some(r) } else { None }).collect();
        if !facts.is_empty()
            && let Err(error) = self.edges.journal.append(facts)
        {
            tracing::error!(%error, "facts were not kept");
            replies.all_in_vain();
            return false;
        }
        for o in out.drain(..) {
            match o {
                // They went first.
                Output::Fact(_) => {}
                Output::Send { flow, bytes } => self.edges.net.send(flow, bytes),
                Output::Media(c) => self.edges.studio.media(c),
                Output::Play { leg, play, prompts, repeat } => self.edges.studio.play(leg, play, prompts, repeat),
                Output::Ask(ask) => self.edges.asker.ask(*ask),
                Output::Verify { leg, seal } => self.edges.verifier.look(leg, seal),
                Output::Recall(asked) => self.edges.recaller.recall(asked),
                Output::Stream(order) => self.edges.streams.order(order),
                Output::Hearing(order) => self.edges.ears.order(order),
                Output::Ladder(order) => self.edges.ladders.put(order),
                Output::Reply(id, answer) => replies.answer(id, answer, self.center.seq()),
                // Nobody may be looking.
                Output::Blink(tenant, blink) => drop(self.edges.blinks.send((tenant, blink))),
            }
        }
        true
    }

    fn pictures(&self, now: crate::base::Now) -> Pictures {
        let views =
            self.center.tenant_ids().filter_map(|t| self.center.view(now, t).map(|v| (t.clone(), Arc::new(v)))).collect();
        Pictures { seq: self.center.seq(), views, gauges: self.center.gauges(now), sound: self.center.sound() }
    }

    fn show(&self, pictures: Option<Pictures>) {
        let Some(Pictures { views, gauges, sound, .. }) = pictures else { return };
        *self.shown.views.write().unwrap_or_else(|e| e.into_inner()) = views;
        *self.shown.gauges.lock().unwrap_or_else(|e| e.into_inner()) = gauges;
        *self.shown.sound.lock().unwrap_or_else(|e| e.into_inner()) = sound;
    }
}

/// How busy the media shards are, by what each says of its working time.
#[derive(Debug, Default)]
struct Shards {
    seen: Vec<u64>,
    at: Option<Mono>,
    percent: u8,
}

impl Shards {
    /// Percent of its processor the busiest used, over at least a second.
    fn busiest(&mut self, now: Mono, busy_ns: impl Iterator<Item = u64>) -> u8 {
        let time = self.at.map(|at| now.since(at));
        if time.is_some_and(|t| t < SHARDS_EVERY) {
            return self.percent;
        }
        let busy: Vec<u64> = busy_ns.collect();
        let worked = busy.iter().zip(&self.seen).map(|(b, s)| b.saturating_sub(*s)).max().unwrap_or(0);
        let time_ns = time.map_or(u128::MAX, |t| t.as_nanos().max(1));
        self.percent = u8::try_from(u128::from(worked) * 100 / time_ns).unwrap_or(100).min(100);
        (self.seen, self.at) = (busy, Some(now));
        self.percent
    }
}

/// How everything looked after a fact.
struct Pictures {
    seq: u64,
    views: BTreeMap<TenantId, Arc<TenantView>>,
    gauges: Vec<(&'static str, u64)>,
    sound: call::Figures,
}

type Reply = oneshot::Sender<Result<Done, Refusal>>;

/// Commands being carried out, and answers that wait for their facts to be committed.
#[derive(Default)]
struct Replies {
    asked: BTreeMap<CommandId, Reply>,
    held: VecDeque<(u64, Reply, Result<Done, Refusal>)>,
    stored: u64,
}

impl Replies {
    /// The center has answered; `seq` is its last fact.
    fn answer(&mut self, id: CommandId, answer: Result<Done, Refusal>, seq: u64) {
        let Some(reply) = self.asked.remove(&id) else { return };
        // A refusal changed nothing and need not wait.
        if seq <= self.stored || answer.is_err() {
            // Whoever asked may be gone.
            let _ = reply.send(answer);
        } else {
            self.held.push_back((seq, reply, answer));
        }
    }

    /// Every fact up to `seq` is committed.
    fn stored(&mut self, seq: u64) {
        self.stored = self.stored.max(seq);
        while self.held.front().is_some_and(|(at, ..)| *at <= self.stored) {
            let Some((_, reply, answer)) = self.held.pop_front() else { return };
            // Whoever asked may be gone.
            let _ = reply.send(answer);
        }
    }

    /// The facts cannot be kept: nothing that was asked has happened.
    fn all_in_vain(&mut self) {
        let held = std::mem::take(&mut self.held).into_iter().map(|(_, reply, _)| reply);
        for reply in std::mem::take(&mut self.asked).into_values().chain(held) {
            let refusal = Refusal::new(RefusalCode::Unavailable, "the database does not take any more facts");
            // Whoever asked may be gone.
            let _ = reply.send(Err(refusal));
        }
    }
}

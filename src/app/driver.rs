//! The loop: one thread owns the center, waits for inputs or its next deadline, and hands what comes out to the edges.
//!
//! Facts go to the journal before anything else of the same round goes anywhere, so nobody hears of what could not be kept.

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

use super::{ask::Asker, clock::Clock};
use crate::{
    base::{Mono, TenantId, limits, ms},
    call,
    center::{
        Center, Input, Output,
        command::{CommandId, Done, Envelope, Refusal, RefusalCode},
        view::{Blink, TenantView},
    },
    net::{Net, NetEvent},
    sip::stack,
    store::JournalHandle,
    studio::Studio,
};

/// Views are at most this old.
const VIEW_EVERY: Duration = ms(100);
/// Inputs taken in one round before what they caused goes out.
const ROUND_MAX: usize = 256;

/// What the loop is woken with.
pub enum Wake {
    /// For the center.
    Center(Input),
    /// A command, and where its answer goes.
    Command(Envelope, oneshot::Sender<Result<Done, Refusal>>),
    /// Other legs settings.
    Calls(Arc<call::CallSettings>),
    /// End.
    Stop,
}

/// The way into the loop; cheap to clone.
#[derive(Clone)]
pub struct Inbox {
    sender: Sender<Wake>,
    waiting: Arc<AtomicUsize>,
    dropped: Arc<AtomicU64>,
}

impl Inbox {
    /// What the house itself says: always taken, bounded by what it answers.
    pub fn put(&self, wake: Wake) {
        self.waiting.fetch_add(1, Relaxed);
        // The loop is gone only when the process ends.
        let _ = self.sender.send(wake);
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
    /// The longest round so far, microseconds.
    pub round_us_max: AtomicU64,
    /// Inputs taken.
    pub inputs: AtomicU64,
}

/// What outputs go to.
pub struct Edges {
    /// SIP sockets.
    pub net: Arc<Net>,
    /// Media.
    pub studio: Studio,
    /// Facts.
    pub journal: JournalHandle,
    /// HTTP questions.
    pub asker: Asker,
    /// What is not stored.
    pub blinks: broadcast::Sender<(TenantId, Blink)>,
}

/// An inbox and what its loop will read.
pub fn inbox() -> (Inbox, Receiver<Wake>) {
    let (sender, receiver) = channel();
    (Inbox { sender, waiting: Arc::default(), dropped: Arc::default() }, receiver)
}

type Answer = Result<Done, Refusal>;

/// Who waits for what a command came to. An answer is given when the facts of its round are stored: what somebody was told
/// is done stays done, and who asks the database next finds it there.
#[derive(Default)]
struct Replies {
    asked: BTreeMap<CommandId, oneshot::Sender<Answer>>,
    held: VecDeque<(u64, oneshot::Sender<Answer>, Answer)>,
}

impl Replies {
    /// `after`: the last fact of the round, if it had any.
    fn answer(&mut self, id: CommandId, answer: Answer, after: Option<u64>) {
        let Some(to) = self.asked.remove(&id) else { return };
        match after {
            Some(seq) => self.held.push_back((seq, to, answer)),
            // Whoever asked may be gone; here and below.
            None => drop(to.send(answer)),
        }
    }
    /// Everything up to here is stored.
    fn stored(&mut self, seq: u64) {
        while self.held.front().is_some_and(|(at, ..)| *at <= seq) {
            let Some((_, to, answer)) = self.held.pop_front() else { return };
            drop(to.send(answer));
        }
    }
    /// Nothing more will be stored.
    fn give_up(&mut self) {
        let held = std::mem::take(&mut self.held).into_iter().map(|(_, to, _)| to);
        for to in std::mem::take(&mut self.asked).into_values().chain(held) {
            let refusal = Refusal::new(RefusalCode::Unavailable, "the database does not take any more facts");
            drop(to.send(Err(refusal)));
        }
    }
}

/// The loop's own state.
pub struct Driver {
    pub center: Center,
    pub clock: Clock,
    pub edges: Edges,
    pub shown: Arc<Shown>,
    pub inbox: Inbox,
    pub receiver: Receiver<Wake>,
}

impl Driver {
    /// Starts the thread. `first` is what recovery left to do.
    pub fn start(self, first: Vec<Output>) -> std::io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("center".into()).spawn(move || self.run(first))
    }

    fn run(mut self, mut out: Vec<Output>) {
        let mut replies = Replies::default();
        let mut dirty = true;
        let mut view_at = Mono(0);
        let mut admitted = true;
        loop {
            if !self.carry_out(&mut out, &mut replies) {
                tracing::error!("facts cannot be kept any more: the node stops before it says what it could not remember");
                std::process::exit(74);
            }
            let now = self.clock.now();
            if dirty && now.mono >= view_at {
                self.show(now);
                dirty = false;
                view_at = now.mono + VIEW_EVERY;
            }
            let next = self.center.deadline().into_iter().chain(dirty.then_some(view_at)).min();
            let wait = next.map_or(Duration::from_secs(1), |at| at - now.mono);
            let first = match self.receiver.recv_timeout(wait) {
                Ok(wake) => Some(wake),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            let began = self.clock.now();
            let mut taken = 0;
            let mut wake = first;
            while let Some(w) = wake {
                self.inbox.waiting.fetch_sub(1, Relaxed);
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
            let healthy = self.edges.journal.healthy();
            if healthy != admitted {
                admitted = healthy;
                tracing::warn!(healthy, "the journal's health decides whether new contacts are taken");
                self.center.handle(now, Input::Admission(healthy), &mut out);
            }
            if taken > 0 {
                dirty = true;
                self.shown.inputs.fetch_add(taken as u64, Relaxed);
                let us = u64::try_from((self.clock.now().mono - began.mono).as_micros()).unwrap_or(u64::MAX);
                self.shown.round_us_max.fetch_max(us, Relaxed);
            }
        }
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
            Wake::Stop => return false,
        }
        true
    }

    /// False when facts could not be appended.
    fn carry_out(&mut self, out: &mut Vec<Output>, replies: &mut Replies) -> bool {
        let facts: Vec<_> = out.iter().filter_map(|o| if let Output::Fact(r) = o { Some(r.clone()) } else { None }).collect();
        let last = facts.last().map(|r| r.seq);
        if last.is_some()
            && let Err(error) = self.edges.journal.append(facts)
        {
            tracing::error!(%error, "facts were not kept");
            replies.give_up();
            return false;
        }
        for o in out.drain(..) {
            match o {
                Output::Fact(_) => {}
                Output::Send { flow, bytes } => self.edges.net.send(flow, bytes),
                Output::Media(c) => self.edges.studio.media(c),
                Output::Play { leg, play, prompts, repeat } => self.edges.studio.play(leg, play, prompts, repeat),
                Output::Ask(ask) => self.edges.asker.ask(*ask),
                Output::Reply(id, answer) => replies.answer(id, answer, last),
                // Nobody may be looking.
                Output::Blink(tenant, blink) => drop(self.edges.blinks.send((tenant, blink))),
            }
        }
        true
    }

    fn show(&self, now: crate::base::Now) {
        let pictures: BTreeMap<TenantId, Arc<TenantView>> =
            self.center.tenant_ids().filter_map(|t| self.center.view(now, t).map(|v| (t.clone(), Arc::new(v)))).collect();
        *self.shown.views.write().unwrap_or_else(|e| e.into_inner()) = pictures;
        *self.shown.gauges.lock().unwrap_or_else(|e| e.into_inner()) = self.center.gauges();
    }
}

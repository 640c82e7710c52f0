//! Where the subjects meet: one owner of every interaction of a node, driven by one loop, without I/O.
//!
//! Commands in (they may be refused), facts out (they happened, and are stored before anybody is told), views for whoever
//! looks. What concerns several calls, agents and a queue at once is one transition here.
//!
//! | file | subject |
//! |---|---|
//! | `command` | what may be asked, by whom |
//! | `fact` | what happened |
//! | `view` | how it looks now |
//! | `door` | what an edge that talks to people holds |
//! | `settings` | the business configuration |
//! | `interaction` | what is held of one contact |
//! | `arrive` | a call comes in: route, customer, ticket |
//! | `voice` | what legs report |
//! | `flows` | what flows ask for |
//! | `offers` | what the router decides |
//! | `talk` | connecting, handing over, ending |
//! | `callback` | customers who are called back |
//! | `call_me` | the same, asked for on a page |
//! | `talk_now` | visitors who call from a page |
//! | `during` | hold, mute, keys |
//! | `consult` | asking somebody for advice: swap, complete, merge, cancel |
//! | `supervise` | listening, whispering, taking part, taking over |
//! | `reassign` | waiting contacts moved by hand |
//! | `reattach` | a phone lost in the middle of a talk |
//! | `rooms` | who hears whom |
//! | `refer` | phones that hand on |
//! | `lamps` | what the phones of colleagues show |
//! | `hearing` | who is listened to: answers to flows, transcripts |
//! | `utterance` | where what is said begins and ends |
//! | `ledger` | what reports count, from the facts |
//! | `quality` | how the legs of a contact sounded |
//! | `ladder` | the SIP messages of a contact, for whoever asks later |
//! | `why` | why a call failed or was silent |
//! | `turns` | steps that wait their turn, timers, and what legs are for |
//! | `trunks` | what carriers report, and who may call by them |
//! | `record` | recordings and voicemail |
//! | `chat` | visitors and messages |
//! | `leave` | words left while nobody is there |
//! | `rating` | how it was, as customers say |
//! | `desk` | tickets and customers |
//! | `commands` | what people ask, and rights |
//! | `day` | the counting day of a tenant |
//! | `alerts` | figures of queues past their limits |
//! | `picture` | views built |
//! | `gauges` | figures for `/metrics` |
//! | `memory` | facts folded into what a restart must know |
//! | `recover` | a restart |
//! | `recall` | what is finished goes to the store and comes back when it is needed |
//! | `audit` | the books looked through |
//!
//! One input may cause many steps (a hang-up frees an agent, who is offered the next caller, whose music stops ..). Steps
//! wait in one list and are taken in order until it is empty, so no step runs inside another.

pub mod alerts;
pub mod callback;
pub mod command;
pub mod door;
pub mod fact;
pub mod hearing;
pub mod ledger;
pub mod memory;
pub mod quality;
pub mod recall;
pub mod recover;
pub mod settings;
pub mod view;
pub mod why;

mod arrive;
mod audit;
mod call_me;
mod chat;
mod commands;
mod consult;
mod day;
pub mod desk;
mod during;
mod endpoint;
mod flows;
mod gauges;
mod interaction;
pub mod ladder;
mod lamps;
mod leave;
mod offers;
mod picture;
mod rating;
mod reassign;
mod reattach;
mod record;
mod refer;
mod rooms;
pub mod stamp;
pub mod streams;
mod supervise;
mod talk;
mod talk_now;
mod trunks;
mod turns;
pub mod utterance;
mod voice;

use std::{
    collections::{BTreeMap, VecDeque},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use media::wire::{BridgeId, LegId, PlayId, RecordId, Repeat, TapId};

use self::{
    command::{CommandId, Done, Envelope, Refusal},
    fact::{Fact, Record},
    interaction::Interaction,
    settings::{Settings, TenantSettings},
    turns::{LegUse, Step, Timer},
    view::{Blink, TenantView},
};
use crate::{
    base::{AgentId, Deadlines, InteractionId, MessageId, Mono, Now, Rng, TenantId, VisitorId, limits, overload},
    call::{self, Calls},
    customer, ivr, routing,
    sip::{stir, transport::Flow},
    ticket,
};

/// What happens to the center.
#[derive(Debug)]
pub enum Input {
    /// A SIP message, a media event.
    Call(call::Input),
    /// Somebody asks for something.
    Command(Envelope),
    /// Every fact up to this one is committed.
    Stored(u64),
    /// An outside system answered, or did not.
    Answer(AskId, ivr::HttpResult),
    /// What the store knows of a customer or ticket, or why it does not say.
    Recalled(recall::RecallId, Result<recall::Recalled, String>),
    /// The other end of a live copy is not to be had, or not any more.
    StreamFailed {
        /// Which.
        tap: TapId,
        /// A few words for people.
        why: String,
    },
    /// Somebody who is listened to speaks, or spoke.
    Heard {
        /// By which ear.
        tap: TapId,
        /// What.
        heard: hearing::Heard,
    },
    /// New business settings are in force.
    Settings(Arc<Settings>),
    /// An edge raises an alarm, or clears it.
    Alarm {
        /// Whom it concerns.
        tenant: TenantId,
        /// Stable word.
        code: String,
        /// A sentence.
        message: String,
        /// On, or cleared.
        on: bool,
    },
    /// New contacts are taken, or refused (the store is behind, the node drains).
    Admission(bool),
    /// Under load, part of the new calls is turned away, or all, or no longer any.
    Overload(overload::Verdict),
    /// A deadline passed.
    Tick,
}

/// What the center wants done.
#[derive(Debug)]
pub enum Output {
    /// Send a SIP message.
    Send {
        /// Along this path.
        flow: Flow,
        /// The message.
        bytes: Bytes,
    },
    /// Tell the media engine.
    Media(media::wire::Command),
    /// Make clips of these prompts and play them.
    Play {
        /// To whom.
        leg: LegId,
        /// Under which name.
        play: PlayId,
        /// What.
        prompts: Vec<call::Prompt>,
        /// Once or for ever.
        repeat: Repeat,
    },
    /// Look whether the seal of a caller holds; answer with [`call::Input::Verified`].
    Verify {
        /// Whose.
        leg: LegId,
        /// What.
        seal: Box<stir::Seal>,
    },
    /// Ask an outside system; answer with [`Input::Answer`].
    Ask(Box<Ask>),
    /// Ask the store for what is not in memory any more; answer with [`Input::Recalled`].
    Recall(recall::Recall),
    /// Something about a live copy of a call.
    Stream(streams::StreamOrder),
    /// Something about listening to a call.
    Hearing(hearing::HearingOrder),
    /// The messages of a contact that is over.
    Ladder(Box<ladder::Order>),
    /// It happened: store it, then publish it.
    Fact(Record),
    /// Answer to a command.
    Reply(CommandId, Result<Done, Refusal>),
    /// Tell those who look right now; not stored.
    Blink(TenantId, Blink),
}

/// Names a question put to the outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AskId(pub u64);

/// A question put to the outside, with a deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct Ask {
    /// Its name.
    pub id: AskId,
    /// For which contact.
    pub interaction: InteractionId,
    /// The request.
    pub http: ivr::HttpAsk,
}

/// One organisation at work.
#[derive(Debug)]
struct Tenant {
    settings: Arc<TenantSettings>,
    router: routing::Router,
    tickets: ticket::Desk,
    customers: customer::Directory,
    /// Callers cut off while waiting: by number, what they were waiting for and since when.
    places: BTreeMap<String, routing::Entry>,
    alarms: BTreeMap<String, String>,
    alerts: alerts::Board,
    messages: lamps::Messages,
    /// Agents whose calls ring at a number outside, and which.
    numbers: BTreeMap<AgentId, String>,
    /// Numbers that are called back, and by which contact.
    callbacks: BTreeMap<String, InteractionId>,
    /// Calls to the outside kept in since it was last quiet.
    kept_in: u32,
}

/// What a node's center is made with.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where recordings go.
    pub recordings: PathBuf,
    /// Told in `NodeStarted`.
    pub version: String,
    /// There is a recogniser: questions can be answered by voice, calls be written down.
    pub hears: bool,
    /// Customers kept in memory of those nobody has to do with: [`limits::CUSTOMERS_KEPT`].
    pub kept: usize,
}

/// The center of a node.
#[derive(Debug)]
pub struct Center {
    config: Config,
    settings: Arc<Settings>,
    calls: Calls,
    tenants: BTreeMap<TenantId, Tenant>,
    interactions: BTreeMap<InteractionId, Interaction>,
    visitors: BTreeMap<VisitorId, InteractionId>,
    /// Visitors who may call from their page or do, by login.
    guests: BTreeMap<String, talk_now::Guest>,
    legs: BTreeMap<LegId, (InteractionId, LegUse)>,
    /// Numbers of agents being rung, until a person there has said so.
    confirms: BTreeMap<LegId, endpoint::Confirm>,
    records: BTreeMap<RecordId, InteractionId>,
    streams: BTreeMap<TapId, InteractionId>,
    ears: BTreeMap<TapId, hearing::Ear>,
    asks: BTreeMap<AskId, (InteractionId, ivr::AskId)>,
    /// Messages waiting to be committed: fact, contact, message.
    unstored: VecDeque<(u64, InteractionId, MessageId)>,
    recent: recall::Recent,
    ladders: ladder::Keep,
    timers: Deadlines<Timer>,
    steps: VecDeque<Step>,
    rng: Rng,
    seq: u64,
    names: u64,
    admission: bool,
    /// The command being carried out, for the facts it causes.
    cause: Option<CommandId>,
}

/// What an input may cause before something is wrong with us: a loop between two machines. Whatever is left is dropped, and
/// said, rather than turning round for ever.
const STEPS_MAX: usize = 100_000;

/// How often waiting visitors are told their place.
const POSITIONS_EVERY: Duration = Duration::from_secs(5);

impl Center {
    /// A center with nothing in it. [`Center::recover`] gives it its memory.
    pub fn new(config: Config, settings: Arc<Settings>, calls: Calls, rng: Rng) -> Self {
        let mut center = Center {
            config,
            settings: settings.clone(),
            calls,
            tenants: BTreeMap::new(),
            interactions: BTreeMap::new(),
            visitors: BTreeMap::new(),
            guests: BTreeMap::new(),
            legs: BTreeMap::new(),
            confirms: BTreeMap::new(),
            records: BTreeMap::new(),
            streams: BTreeMap::new(),
            ears: BTreeMap::new(),
            asks: BTreeMap::new(),
            unstored: VecDeque::new(),
            recent: recall::Recent::default(),
            ladders: ladder::Keep::default(),
            timers: Deadlines::default(),
            steps: VecDeque::new(),
            rng,
            seq: 0,
            names: 0,
            admission: true,
            cause: None,
        };
        for t in settings.tenants.values() {
            center.tenant_add(t.clone());
        }
        center
    }

    fn tenant_add(&mut self, settings: Arc<TenantSettings>) {
        let tenant = Tenant {
            router: routing::Router::new(settings.plan.clone(), self.rng.fork()),
            tickets: ticket::Desk::default(),
            customers: customer::Directory::default(),
            places: BTreeMap::new(),
            alarms: BTreeMap::new(),
            alerts: alerts::Board::default(),
            messages: lamps::Messages::default(),
            numbers: BTreeMap::new(),
            callbacks: BTreeMap::new(),
            kept_in: 0,
            settings: settings.clone(),
        };
        self.tenants.insert(settings.id.clone(), tenant);
    }

    /// One input, and everything that follows from it.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        match input {
            Input::Call(i) => self.call_input(now, i, out),
            Input::Command(e) => {
                if let Some(e) = self.command_or_wait(now, e, out) {
                    self.carry_out(now, e, out);
                }
            }
            Input::Stored(seq) => {
                self.stored(now, seq, out);
                self.let_go(seq);
            }
            Input::Recalled(id, answer) => self.recalled(now, id, answer, out),
            Input::Answer(ask, outcome) => {
                if let Some((interaction, ask)) = self.asks.remove(&ask) {
                    self.step(Step::Run(interaction, ivr::Input::Http { ask, result: outcome }));
                }
            }
            Input::StreamFailed { tap, why } => self.stream_failed(now, tap, &why, out),
            Input::Heard { tap, heard } => self.heard(now, tap, heard, out),
            Input::Settings(s) => self.new_settings(now, s, out),
            Input::Alarm { tenant, code, message, on } => self.alarm(now, &tenant, &code, &message, on, out),
            Input::Admission(open) => self.admission = open,
            Input::Overload(verdict) => self.overloaded(now, verdict, out),
            Input::Tick => self.tick(now, out),
        }
        self.work(now, out);
    }

    /// Carries out a command, with everything that follows from it, and answers it.
    fn carry_out(&mut self, now: Now, e: Envelope, out: &mut Vec<Output>) {
        let id = e.id;
        self.cause = Some(id);
        let answer = self.command(now, e, out);
        self.work(now, out);
        self.cause = None;
        out.push(Output::Reply(id, answer));
    }

    /// When to be handed a `Tick`, at the latest.
    pub fn deadline(&self) -> Option<Mono> {
        let routers = self.tenants.values().filter_map(|t| t.router.deadline());
        routers.chain(self.calls.deadline()).chain(self.timers.next()).min()
    }

    /// From now on the world of telephones looks like this.
    pub fn call_settings(&mut self, settings: Arc<call::CallSettings>) {
        self.calls.settings(settings);
    }

    /// The last fact's number.
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Which tenants there are.
    pub fn tenant_ids(&self) -> impl Iterator<Item = &TenantId> {
        self.tenants.keys()
    }

    /// The latest picture of a tenant.
    pub fn view(&self, now: Now, tenant: &TenantId) -> Option<TenantView> {
        picture::tenant(self, now, tenant)
    }

    fn step(&mut self, step: Step) {
        self.steps.push_back(step);
    }

    fn call(&mut self, action: call::Action) {
        self.step(Step::Call(action));
    }

    fn route(&mut self, tenant: &TenantId, input: routing::Input) {
        self.step(Step::Route(tenant.clone(), input));
    }

    /// Takes every waiting step, and the steps those cause.
    fn work(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut taken = 0;
        while let Some(step) = self.steps.pop_front() {
            taken += 1;
            if taken > STEPS_MAX {
                tracing::error!(left = self.steps.len(), "one input caused more than {STEPS_MAX} steps; the rest is dropped");
                self.steps.clear();
                return;
            }
            match step {
                Step::Call(action) => self.call_input(now, call::Input::Do(action), out),
                Step::Route(tenant, input) => {
                    if let Err(refused) = self.router_input(now, &tenant, input, out) {
                        // Refusals of people's commands are answered where the command is; these come from crossing events.
                        tracing::debug!(%tenant, %refused, "the router refused a step");
                    }
                }
                Step::Run(id, input) => self.run_input(now, id, input, out),
                Step::Listen(id) => self.listen(id, out),
            }
        }
    }

    fn tick(&mut self, now: Now, out: &mut Vec<Output>) {
        self.call_input(now, call::Input::Tick, out);
        let due: Vec<TenantId> = self
            .tenants
            .iter()
            .filter(|(_, t)| t.router.deadline().is_some_and(|d| d <= now.mono))
            .map(|(id, _)| id.clone())
            .collect();
        for tenant in due {
            self.route(&tenant, routing::Input::Tick);
        }
        while let Some(timer) = self.timers.pop_due(now.mono) {
            match timer {
                Timer::Run(id) => self.step(Step::Run(id, ivr::Input::Tick)),
                Timer::Voicemail(id) => self.voicemail_over(id),
                Timer::AgentLost(id) => self.agent_stays_lost(now, id, out),
                Timer::Hold(id) => self.hold_reminder(now, id),
                Timer::Confirm(leg) => self.not_confirmed(leg),
                Timer::Chat(id) => self.chat_tick(now, id, out),
                Timer::Ticket(tenant, ticket) => self.ticket_rings(now, &tenant, ticket, out),
                Timer::Place(tenant, number) => {
                    if let Some(t) = self.tenants.get_mut(&tenant) {
                        t.places.remove(&number);
                    }
                }
                Timer::NewDay(tenant) => self.new_day(now, &tenant),
                Timer::Alerts(tenant) => self.alerts_judge(now, &tenant, out),
                Timer::Toll(tenant) => self.toll_quiet(now, &tenant, out),
                Timer::Ladder(id) => self.ladder_over(id, out),
                Timer::Callback(id) => self.callback_due(now, id, out),
                Timer::CallbackLife(id) => self.callback_old(now, id, out),
                Timer::Guest(login) => self.guest_over(now, &login, out),
                Timer::Positions => self.tell_positions(now, out),
            }
        }
    }

    fn new_settings(&mut self, now: Now, settings: Arc<Settings>, out: &mut Vec<Output>) {
        self.settings = settings.clone();
        for (id, s) in &settings.tenants {
            let Some(t) = self.tenants.get_mut(id) else {
                self.tenant_add(s.clone());
                self.day_arm(now, id);
                self.alerts_look(now, id);
                continue;
            };
            t.settings = s.clone();
            let mut outs = Vec::new();
            t.router.plan(now, s.plan.clone(), &mut outs);
            self.router_outputs(now, id, outs, out);
            self.numbers_look(now, id);
            self.messages_show(id);
            self.alerts_look(now, id);
        }
        // A tenant that is gone keeps its calls until they are over; it gets no new ones, since nothing routes to it.
    }

    /// Writes a fact.
    fn fact(&mut self, now: Now, tenant: &TenantId, fact: Fact, out: &mut Vec<Output>) {
        self.seq += 1;
        match &fact {
            Fact::Ticket { ticket, .. } => self.ticket_touched(tenant, *ticket),
            Fact::Customer { customer, .. } => self.customer_touched(tenant, *customer),
            _ => {}
        }
        out.push(Output::Fact(Record { seq: self.seq, at: now.wall, tenant: tenant.clone(), cause: self.cause, fact }));
    }

    /// A name never used before in this process.
    fn name(&mut self) -> u64 {
        self.names += 1;
        self.names
    }

    fn play_id(&mut self) -> PlayId {
        PlayId(self.name())
    }

    fn bridge_id(&mut self) -> BridgeId {
        BridgeId(self.name())
    }

    /// Drops an interaction nothing is left to do with.
    fn forget_if_over(&mut self, id: InteractionId) {
        let Some(i) = self.interactions.get(&id).filter(|i| i.is_over()) else { return };
        // The same visitor may have opened another chat while the agent wrapped this one up.
        if let Some(visitor) = i.chat.as_ref().map(|c| c.visitor).filter(|v| self.visitors.get(v) == Some(&id)) {
            self.visitors.remove(&visitor);
        }
        self.interactions.remove(&id);
        self.timers.clear(&Timer::Run(id));
        self.timers.clear(&Timer::Chat(id));
        self.timers.clear(&Timer::Hold(id));
        self.timers.clear(&Timer::Voicemail(id));
        self.asks.retain(|_, (i, _)| *i != id);
    }

    /// A leg belongs to a contact, for this. The contact is held until its last leg is gone, so that the end of each is
    /// written down.
    fn attach(&mut self, leg: LegId, id: InteractionId, usage: LegUse) {
        let new = self.legs.insert(leg, (id, usage)).is_none();
        if let Some(i) = self.interactions.get_mut(&id).filter(|_| new) {
            i.legs += 1;
        }
    }

    fn agent_exists(&self, tenant: &TenantId, agent: &AgentId) -> bool {
        self.tenants.get(tenant).is_some_and(|t| t.settings.plan.agents.contains_key(agent))
    }

    /// How long a cut-off caller's place is kept.
    const PLACE_KEPT: Duration = limits::PLACE_KEPT;
}

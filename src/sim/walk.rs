//! People who do anything at any time: a random walk through the whole center, from one seed.
//!
//! Nobody here is reasonable. They hang up while it rings, press keys nobody asked for, sign out during a call, and the power
//! fails in between. At the end everybody goes home, and nothing may be left of them.

use std::collections::{BTreeMap, BTreeSet};

use super::{Guest, Manner, Net, Who, World, business::Opening, phone::Stage};
use crate::{
    base::{InteractionId, limits, ms, secs},
    center::{
        command::{Actor, Command, ConsultStep, Role, SuperviseMode, TransferTo},
        ledger::Ledger,
        view::InteractionView,
    },
    routing::report::{AgentTally, Grid, Report},
};

/// What one walk came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Everything the center sent and wrote, folded.
    pub hash: u64,
    /// Inputs taken.
    pub inputs: u64,
    /// Facts written, by kind.
    pub facts: BTreeMap<&'static str, u64>,
    /// Crashes survived.
    pub crashes: u32,
}

/// How a walk is taken.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// Deeds done before everybody goes home.
    pub deeds: u32,
    /// The power may fail.
    pub crashes: bool,
    /// The network may be bad.
    pub bad_network: bool,
    /// The center's books are looked through after every input.
    pub audit: bool,
}

impl Default for Walk {
    fn default() -> Self {
        Walk { deeds: 40, crashes: true, bad_network: true, audit: true }
    }
}

const AGENTS: [&str; 4] = ["anna", "ben", "carl", "dora"];
const NUMBERS: [&str; 16] = [
    "4000", "4000", "4000", "4000", "4000", "4000", "4001", "4001", "4001", "4002", "4002", "4003", "4003", "4101", "4101",
    "4009",
];
const KEYS: [&str; 9] = ["1", "1", "2", "2", "3", "3", "4", "9", "#"];

struct Walker {
    w: World,
    agents: Vec<Who>,
    callers: Vec<Who>,
    guests: Vec<Guest>,
}

/// Walks once. Panics with the whole state when something cannot be.
pub fn walk(seed: u64, how: Walk) -> Outcome {
    // In some walks nobody is kept who is not spoken to, so that whoever calls again is read from the store.
    let kept = [limits::CUSTOMERS_KEPT, 0, 2][(seed % 3) as usize];
    let mut w = World::of(seed, Opening { kept, ..Opening::usual() });
    w.audit = how.audit;
    if how.bad_network && w.rng.below(4) == 0 {
        w.net = Net::bad();
    }
    if w.rng.below(8) == 0 {
        w.media.range = (30_000, 30_008);
    }
    let agents = AGENTS.iter().map(|a| w.agent(a).there()).collect();
    let callers = (0..4).map(|i| w.phone(&format!("+326555000{i}")).there()).collect();
    let guests = (0..3).map(|i| w.visitor(&format!("guest {i}"))).collect();
    let mut walker = Walker { w, agents, callers, guests };
    walker.w.pass(ms(1500));
    for i in 0..walker.agents.len() {
        if walker.chance(3, 4) {
            walker.w.signs_in(walker.agents[i]);
            walker.w.sets_ready(walker.agents[i]);
        }
        if walker.chance(1, 2) {
            let after = ms(500 + walker.w.rng.below(6_000));
            walker.w.manner(walker.agents[i], Manner::Answer(after));
        }
    }
    for _ in 0..how.deeds {
        walker.deed(how);
        let pause = match walker.w.rng.below(4) {
            0 => ms(walker.w.rng.below(40)),
            1 => ms(walker.w.rng.below(1_000)),
            2 => secs(walker.w.rng.below(8)),
            _ => secs(walker.w.rng.below(20)),
        };
        walker.w.pass(pause);
        if walker.w.center.is_none() {
            walker.w.restart();
        }
    }
    walker.w.crash_at = None;
    walker.home();
    let w = walker.w;
    books(&w);
    let mut facts = BTreeMap::new();
    for r in w.store.facts() {
        *facts.entry(r.fact.kind()).or_default() += 1;
    }
    Outcome { hash: w.hash, inputs: w.inputs, facts, crashes: w.crashes }
}

/// Whatever people did: reports neither lose a contact nor count one twice, and an agent's time is all accounted for.
fn books(w: &World) {
    let tenants: BTreeSet<_> = w.store.facts().iter().map(|r| r.tenant.clone()).collect();
    let (Some(first), Some(last)) = (w.store.facts().first(), w.store.facts().last()) else { return };
    for tenant in tenants {
        let ledger = Ledger::of(w.store.facts().iter().filter(|r| r.tenant == tenant));
        let end = last.at + secs(3_600);
        for (zone, step) in [("UTC", 15), ("Asia/Kathmandu", 30), ("Europe/Brussels", 1440)] {
            let grid = Grid::new(zone, first.at, end, step).expect("a walk is short");
            let mut report = Report::new(grid, BTreeMap::new(), (20, 5));
            ledger.fill(&mut report);
            report.close(end);
            let whole = report.whole();
            let c = &whole.counts;
            assert!(report.conserved(), "{:?}", report.by_queue());
            assert_eq!(c.offered, c.answered + c.abandoned + c.overflow + c.callback + c.error + c.waiting);
            assert_eq!((c.offered as usize, c.waiting), (ledger.stays.len(), 0), "everybody entered once and went home");
            let agents = report.by_agent();
            let of_queues = ledger.segments.iter().filter(|s| s.queue.is_some()).count() as u64;
            let by_agents: u64 = agents.values().map(|a| a.handled.counts.handled).sum();
            assert_eq!(
                (c.handled, by_agents),
                (of_queues, ledger.segments.len() as u64),
                "a segment is one agent's and one queue's"
            );
            for (agent, a) in agents {
                // Their own states alone, without what they worked on.
                let mut own = Report::new(Grid::new(zone, first.at, end, step).expect("as above"), BTreeMap::new(), (20, 5));
                ledger.turns.iter().filter(|t| t.agent == agent).for_each(|t| own.turn(t.clone()));
                own.close(end);
                let here: u64 = own.by_agent().values().map(AgentTally::signed_in_us).sum();
                assert_eq!(a.signed_in_us(), here, "the time of {agent} is the time signed in, whatever it was spent on");
            }
        }
    }
}

impl Walker {
    fn chance(&mut self, n: u64, of: u64) -> bool {
        self.w.rng.below(of) < n
    }
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        let i = self.w.rng.below(of.len() as u64);
        of[usize::try_from(i).unwrap_or(0)].clone()
    }
    fn agent(&mut self) -> Who {
        let agents = self.agents.clone();
        self.one(&agents)
    }
    fn caller(&mut self) -> Who {
        let callers = self.callers.clone();
        self.one(&callers)
    }
    fn guest(&mut self) -> Guest {
        let guests = self.guests.clone();
        self.one(&guests)
    }
    /// Any contact there is, with preference for what is live.
    fn contact(&mut self) -> Option<InteractionId> {
        let live: Vec<InteractionId> = self.w.view().interactions.keys().copied().collect();
        (!live.is_empty()).then(|| self.one(&live))
    }

    /// One thing somebody does. Refusals are the center's right.
    fn deed(&mut self, how: Walk) {
        match self.w.rng.below(40) {
            0..=4 => self.calls(),
            5..=7 => self.keys(),
            8..=9 => {
                let who = self.caller();
                self.w.hangs_up(who);
            }
            10..=14 => self.picks_up(),
            15 => {
                let who = self.agent();
                self.w.declines(who);
            }
            16 => {
                let who = self.agent();
                self.w.hangs_up(who);
            }
            17..=18 => self.desk(),
            19..=21 => self.work(),
            22..=24 => self.wraps_up(),
            25..=29 => self.chat(),
            30 => self.carrier(),
            31 => {
                let who = self.agent();
                let number = self.one(&["+32470000001", "4001", "ben", "0470000002"]);
                if self.w.phone_of(who).call().is_none() {
                    self.w.dials(who, number);
                }
            }
            32 => {
                let who = self.agent();
                let on = self.chance(1, 2);
                self.w.phone_hold(who, on);
            }
            33 if how.crashes && self.chance(1, 2) => self.power(),
            34..=39 => self.floor(),
            _ => {}
        }
    }

    fn calls(&mut self) {
        let (who, number) = (self.caller(), self.one(&NUMBERS));
        if self.w.phone_of(who).call().is_none() {
            self.w.dials(who, number);
        }
    }

    fn keys(&mut self) {
        let (who, key) = (self.caller(), self.one(&KEYS));
        self.w.presses(who, key);
    }

    fn picks_up(&mut self) {
        let who = self.agent();
        if self.w.rings(who) {
            self.w.answers(who);
        }
    }

    fn desk(&mut self) {
        let who = self.agent();
        match self.w.rng.below(8) {
            0 => self.w.signs_in(who),
            1 => drop(self.w.asks(who, |agent| Command::SignOut { agent })),
            2 => drop(self.w.takes_lunch(who)),
            3 => {
                let connected = self.chance(2, 3);
                drop(self.w.asks(who, |agent| Command::Console { agent, connected }));
            }
            4 => {
                let after = ms(self.w.rng.below(10_000));
                let manner = self.one(&[Manner::Ignore, Manner::Answer(after), Manner::Answer(after), Manner::Decline(after)]);
                self.w.manner(who, manner);
            }
            _ => {
                self.w.signs_in(who);
                self.w.sets_ready(who);
            }
        }
    }

    /// An agent in wrap-up gives the outcome, or wants more time, or is done.
    fn wraps_up(&mut self) {
        let who = self.agent();
        let work = self.w.agent_view_of(who);
        let Some(id) = work.and_then(|a| a.work.into_iter().find(|w| w.work == "wrap_up")).map(|w| w.interaction) else {
            return self.picks_up();
        };
        match self.w.rng.below(4) {
            0 => drop(self.w.asks(who, |agent| Command::WrapUpDone { interaction: id, agent })),
            1 => drop(self.w.asks(who, |agent| Command::ExtendWrapUp { interaction: id, agent, by: secs(20) })),
            _ => drop(self.w.disposes(who, id, "solved")),
        }
    }

    /// An agent does something with a contact, their own or not.
    fn work(&mut self) {
        let (who, Some(id)) = (self.agent(), self.contact()) else { return };
        let other = self.agent();
        // Mostly the agent who has it, so that it comes to something.
        let owner = self.w.view().interactions.get(&id).and_then(|i| i.agent.clone());
        let who = owner.and_then(|a| self.w.agents.get(&a).copied()).map_or(who, Who);
        let queue = self.one(&["support", "sales", "team"]);
        let on = self.chance(1, 2);
        let to_agent = self.w.to_agent(other);
        let command = match self.w.rng.below(11) {
            0 | 1 => Command::Hold { interaction: id, on },
            2 => Command::Transfer { interaction: id, to: World::to_queue(queue) },
            3 => Command::Transfer { interaction: id, to: to_agent },
            4 => Command::Transfer { interaction: id, to: TransferTo::Number { number: "+3226660000".into() } },
            5 => Command::Finish { interaction: id },
            6 if self.chance(1, 3) => {
                drop(self.w.supervises(Command::Stream { interaction: id, stream: "notes".into(), on }));
                return;
            }
            6 => Command::RecordPause { interaction: id, paused: on },
            7 => {
                let agent = self.w.agent_id(other);
                drop(self.w.supervises(Command::Assign { interaction: id, to: TransferTo::Agent { agent } }));
                return;
            }
            8 => {
                let agent = self.w.agent_id(who);
                Command::WrapUpDone { interaction: id, agent }
            }
            9 => return self.looks_after(other, id),
            _ => {
                drop(self.w.disposes(who, id, "solved"));
                return;
            }
        };
        drop(self.w.asks(who, |_| command));
    }

    /// Something is done to a call that is being talked in: its agent asks for advice, somebody supervises.
    fn floor(&mut self) {
        let talked = |(id, i): (&InteractionId, &InteractionView)| {
            i.agent.clone().filter(|_| i.talk_since.is_some()).map(|agent| (*id, agent, i.consult.is_some()))
        };
        let calls: Vec<_> = self.w.view().interactions.iter().filter_map(talked).collect();
        if calls.is_empty() {
            return self.picks_up();
        }
        let (id, agent, consults) = self.one(&calls);
        let other = self.agent();
        let Some(who) = self.w.agents.get(&agent).copied().map(Who) else { return };
        let (queue, on, to_agent) = (self.one(&["support", "sales", "team"]), self.chance(1, 2), self.w.to_agent(other));
        let command = match self.w.rng.below(10) {
            0..=3 if consults => {
                let steps = [ConsultStep::Swap, ConsultStep::Complete, ConsultStep::Merge, ConsultStep::Cancel];
                Command::ConsultStep { interaction: id, step: self.one(&steps) }
            }
            0..=3 => {
                let to = [to_agent, World::to_queue(queue), TransferTo::Number { number: "+3226660000".into() }];
                Command::Consult { interaction: id, to: self.one(&to) }
            }
            4 => Command::Mute { interaction: id, on },
            5 => Command::Hold { interaction: id, on },
            _ => return self.looks_after(other, id),
        };
        drop(self.w.asks(who, |_| command));
    }

    /// An agent as supervisor of somebody else's contact.
    fn looks_after(&mut self, who: Who, id: InteractionId) {
        let supervisor = self.w.agent_id(who);
        let mode = self.one(&[SuperviseMode::Listen, SuperviseMode::Whisper, SuperviseMode::Barge]);
        let queue = self.one(&["support", "sales", "team"]);
        let by = Actor::User { user: supervisor.clone(), role: Role::Supervisor };
        let command = match self.w.rng.below(8) {
            0 => Command::SuperviseEnd { interaction: id, supervisor: Some(supervisor) },
            1 => Command::TakeOver { interaction: id, supervisor },
            2 => Command::Pull { interaction: id, supervisor },
            3 => Command::Assign { interaction: id, to: World::to_queue(queue) },
            4 => Command::SetPriority { interaction: id, priority_min: 3 },
            _ => Command::Supervise { interaction: id, supervisor, mode },
        };
        drop(self.w.command(by, command));
    }

    fn chat(&mut self) {
        let (g, who) = (self.guest(), self.agent());
        match self.w.rng.below(9) {
            0 | 1 => drop(self.w.opens_chat(g)),
            2 | 3 => {
                let words = self.one(&["support", "sales", "message", "hello", "9", "it does not work"]);
                drop(self.w.writes(g, words));
            }
            4 => {
                let connected = self.chance(2, 3);
                drop(self.w.visitor_connected(g, connected));
            }
            5 => drop(self.w.leaves(g)),
            6 => drop(self.w.replies(who, g, "How can I help?")),
            _ => drop(self.w.accepts(who)),
        }
    }

    fn carrier(&mut self) {
        let carrier = self.w.carrier();
        match self.w.rng.below(5) {
            0 => {
                self.w.hangs_up(carrier);
            }
            1 => self.w.manner(carrier, Manner::Ignore),
            2 => self.w.manner(carrier, Manner::Decline(secs(2))),
            3 => self.w.manner(carrier, Manner::Answer(secs(2))),
            _ => {
                let who = self.agent();
                drop(self.w.asks(who, |agent| Command::Dial { agent, number: "+32470000009".into(), queue: None }));
            }
        }
    }

    fn power(&mut self) {
        if self.chance(1, 2) {
            // In the middle of something, a little later.
            let next = self.w.store.facts().last().map_or(0, |r| r.seq);
            self.w.crash_at = Some(next + 1 + self.w.rng.below(30));
            return;
        }
        self.w.crash();
        let dark = ms(self.w.rng.below(5_000));
        self.w.pass(dark);
        self.w.restart();
    }

    /// Everybody goes home: phones are put down, chats left, agents sign out, the network is mended.
    fn home(&mut self) {
        self.w.net = Net::default();
        let everybody: Vec<Who> = (0..self.w.phones.len()).map(Who).collect();
        for who in everybody.iter().copied() {
            self.w.manner(who, Manner::Ignore);
        }
        for _ in 0..4 {
            for who in everybody.iter().copied() {
                while self.w.hangs_up(who) {}
                self.w.phone_mut(who).stop_registering();
            }
            for i in 0..self.guests.len() {
                drop(self.w.leaves(self.guests[i]));
            }
            for i in 0..self.agents.len() {
                drop(self.w.asks(self.agents[i], |agent| Command::SignOut { agent }));
            }
            self.w.pass(secs(40));
        }
        self.w.pass(secs(300));
        let quiet = everybody.iter().all(|p| self.w.phone_of(*p).calls.values().all(|c| matches!(c.stage, Stage::Over(_))));
        if !quiet {
            self.w.fail("somebody's phone never came to rest");
        }
        self.w.nothing_is_left();
    }
}

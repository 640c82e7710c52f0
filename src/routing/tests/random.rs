//! Days of chance: whatever people press in whatever order, nothing is lost, doubled, overbooked or forgotten.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{super::*, floor::*};
use crate::base::{Channel, InteractionId, OfferId, Rng, SkillId, ms, secs};

const HOUSE: &str = "
skills: { german: {}, printers: {} }
queues:
  idle: { wrap_up_s: 10, ring_s: 8, max_wait_s: 120, needs: { german: 3 }, relax: [{ after_s: 15, to: 1 }, { after_s: 40 }] }
  turn: { strategy: round_robin, wrap_up_s: 0, ring_s: 10, max_length: 6, retry_s: 5 }
  few: { strategy: fewest, wrap_up_s: 5, ring_s: 6, leave_empty: ready, leave_empty_s: 9 }
  best: { strategy: best_skilled, needs: { printers: 1 }, wrap_up_s: 20, wrap_up_mandatory: true, join_empty: signed_in }
  lot: { strategy: weighted_random, ring_s: 7, on_no_answer: stay_ready }
  all: { strategy: ring_all, ring_s: 9, wrap_up_s: 3, retry_s: 4 }
reasons: { lunch: {} }
dispositions: { done: {} }
agents:
  anna: { queues: [idle, turn, { queue: best, priority_min: 1 }], skills: { german: 5, printers: 2 } }
  ben: { queues: [{ queue: idle, priority_min: 1 }, best, all], skills: { german: 2, printers: 5 } }
  cleo: { queues: [few, { queue: turn, delay_s: 20 }, { queue: lot, weight: 3 }], capacity: { webchat: 2 } }
  dora: { queues: [few, all, { queue: idle, delay_s: 30 }], voice_blocks_text: true }
  emil: { queues: [turn, lot, all, best], skills: { printers: 1 }, capacity: { voice: 0 } }
";
const NAMES: [&str; 5] = ["anna", "ben", "cleo", "dora", "emil"];
const QUEUES: [&str; 6] = ["idle", "turn", "few", "best", "lot", "all"];

struct Day {
    f: Floor,
    rng: Rng,
    callers: usize,
    talking: BTreeSet<(InteractionId, String)>,
    offered: BTreeMap<OfferId, bool>,
    entered: BTreeMap<InteractionId, usize>,
    left: BTreeMap<InteractionId, usize>,
    written_up: usize,
    ended: usize,
    read: usize,
}

impl Day {
    fn new(seed: u64) -> Self {
        Self {
            f: Floor::new(HOUSE),
            rng: Rng::seeded(seed),
            callers: 0,
            talking: BTreeSet::new(),
            offered: BTreeMap::new(),
            entered: BTreeMap::new(),
            left: BTreeMap::new(),
            written_up: 0,
            ended: 0,
            read: 0,
        }
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.rng.below(of.len() as u64) as usize]
    }

    fn arrival(&mut self) -> Input {
        self.callers += 1;
        let (name, q) = (format!("c{}", self.callers), self.pick(&QUEUES));
        let mut e = self.f.entry(&name, q);
        e.channel = if self.rng.below(3) == 0 { Channel::Webchat } else { Channel::Voice };
        e.priority_min = self.rng.below(3) as i32;
        if self.rng.below(4) == 0 {
            e.since = e.since - secs(self.rng.below(200));
        }
        if self.rng.below(5) == 0 {
            let skill = SkillId::parse(self.pick(&["german", "printers"])).expect("an id");
            e.needs = vec![(skill, 1 + self.rng.below(4) as u8)];
        }
        if self.rng.below(5) == 0 {
            e.prefer = Some((agent(self.pick(&NAMES)), secs(self.rng.below(30))));
        }
        Input::Enqueue(e)
    }

    fn input(&mut self) -> Input {
        let who = self.pick(&NAMES);
        let agent = agent(who);
        let waiting: Vec<InteractionId> = QUEUES.iter().flat_map(|q| self.f.router.waiting(&queue(q))).collect();
        let any = |rng: &mut Rng, of: &[InteractionId]| of.get(rng.below(of.len() as u64) as usize).copied();
        let work = self.f.router.agent(&agent).expect("in the plan").work;
        let in_hand: Vec<InteractionId> =
            work.iter().filter(|w| w.state != WorkState::Alerting).map(|w| w.interaction).collect();
        let ringing: Vec<OfferId> = self.offered.iter().filter(|(_, open)| **open).map(|(o, _)| *o).collect();
        let channel = if self.rng.below(2) == 0 { Channel::Voice } else { Channel::Webchat };
        match self.rng.below(30) {
            0..7 => self.arrival(),
            7..13 => match ringing.get(self.rng.below(ringing.len() as u64) as usize) {
                Some(offer) => Input::Accept { offer: *offer },
                None => Input::Tick,
            },
            13 => match ringing.first() {
                Some(offer) if self.rng.below(4) > 0 => Input::Decline { offer: *offer },
                Some(offer) => Input::EndpointFailed { offer: *offer, why: String::new() },
                None => Input::Tick,
            },
            14 => match any(&mut self.rng, &waiting) {
                Some(interaction) => Input::Withdraw { interaction, why: Withdrawn::Abandoned },
                None => Input::Tick,
            },
            15 => match any(&mut self.rng, &waiting) {
                Some(interaction) => Input::SetPriority { interaction, priority_min: self.rng.below(6) as i32 },
                None => Input::Tick,
            },
            16 => match any(&mut self.rng, &waiting) {
                Some(interaction) => Input::Assign { interaction, agent, channel },
                None => Input::Assign { interaction: self.f.id(&format!("direct{}", self.rng.u32())), agent, channel },
            },
            17..22 => match any(&mut self.rng, &in_hand) {
                Some(interaction) => Input::Ended { interaction, agent },
                None => Input::Tick,
            },
            22 => match any(&mut self.rng, &in_hand) {
                Some(interaction) => Input::Dispose { interaction, agent, code: code("done"), note: String::new() },
                None => Input::Tick,
            },
            23 => match any(&mut self.rng, &in_hand) {
                Some(interaction) if self.rng.below(2) == 0 => Input::WrapUpDone { agent, interaction },
                Some(interaction) => Input::ExtendWrapUp { agent, interaction, by: secs(5) },
                None => Input::Tick,
            },
            24 => match any(&mut self.rng, &in_hand) {
                Some(interaction) => Input::Hold { interaction, agent, on: self.rng.below(2) == 0 },
                None => Input::Tick,
            },
            25 => Input::SetState { agent, state: Choice::NotReady(code("lunch")) },
            26 if self.rng.below(3) == 0 => Input::SignOut { agent },
            26 => Input::Reachable { agent, channel, up: self.rng.below(4) > 0 },
            27 => Input::SignIn { agent },
            _ => Input::SetState { agent, state: Choice::Ready },
        }
    }

    /// What was said since the last look.
    fn listen(&mut self) {
        for o in &self.f.log[self.read..] {
            match o {
                Output::Offer { offer, agent, .. } => {
                    assert_eq!(self.offered.insert(*offer, true), None, "offered twice to {agent}");
                }
                Output::StopOffer { offer, .. } => assert_eq!(self.offered.insert(*offer, false), Some(true), "stopped once"),
                Output::Connect { interaction, agent, .. } => {
                    assert!(self.talking.insert((*interaction, agent.to_string())));
                }
                Output::WrapUpOver { interaction, agent, .. } => {
                    self.written_up += 1;
                    assert!(self.talking.remove(&(*interaction, agent.to_string())));
                }
                Output::Counted(MetricEvent::Entered { interaction, .. }) => {
                    *self.entered.entry(*interaction).or_default() += 1
                }
                Output::Counted(MetricEvent::Left { interaction, .. }) => *self.left.entry(*interaction).or_default() += 1,
                _ => {}
            }
        }
        self.read = self.f.log.len();
    }

    fn check(&self) {
        let r = &self.f.router;
        let now = self.f.now.mono;
        assert!(r.deadline().is_none_or(|at| at > now), "a deadline in the past would spin the loop");
        let mut seen = BTreeSet::new();
        for view in r.queues() {
            let line = r.waiting(&view.queue);
            assert!(line.iter().all(|id| seen.insert(*id)), "in two queues");
            assert!(view.counts.conserved(), "{:?}", view.counts);
            assert_eq!(view.counts.waiting as usize, line.len());
            let places: Vec<_> = line.iter().map(|id| r.waiting[id].place).collect();
            assert!(places.is_sorted());
            assert_eq!(view.alerting, line.iter().filter(|id| !r.waiting[*id].offers.is_empty()).count());
        }
        for (id, a) in &r.agents {
            for channel in Channel::ALL {
                assert!(a.used(channel) <= r.plan.agents[id].capacity(channel), "{id} has too much");
            }
            let offers: Vec<_> = r.offers.iter().filter(|(_, o)| o.agent == *id).map(|(o, _)| *o).collect();
            assert_eq!(offers, a.alerting.into_iter().collect::<Vec<_>>());
            assert!(a.pending.is_none() || a.at_work(), "{id} would wait for ever");
        }
        for (agent, kept) in &r.kept {
            let expected = |id: &InteractionId| r.agents[agent].expected_on(r.waiting[id].channel);
            assert!(kept.iter().all(|p| expected(&p.id)), "kept for {agent}, who will not come");
        }
        // The promise of `dispatch`: nothing that fits stands side by side.
        for (id, w) in r.waiting.iter().filter(|(_, w)| w.slot.is_some()) {
            for agent in r.agents.keys() {
                assert!(r.filter(agent, w, now).is_some(), "{id} waits although {agent} could take it: {w:#?}");
            }
        }
        assert!(self.left.iter().all(|(id, n)| *n == 1 && self.entered.get(id) == Some(&1)), "one end for one entry");
    }

    fn run(&mut self, steps: usize) {
        for name in NAMES {
            self.f.ready(name);
        }
        for step in 0..steps {
            if step == steps / 2 {
                let mut out = Vec::new();
                let swapped = HOUSE.replace("queues: [idle, turn,", "queues: [few,").replace("round_robin", "longest_idle");
                self.f.router.plan(self.f.now, Arc::new(plan(&swapped)), &mut out);
                self.f.log.append(&mut out);
            }
            let input = self.input();
            let ended = matches!(input, Input::Ended { .. });
            let text = serde_json::to_string(&input).expect("an input is data");
            assert_eq!(serde_json::from_str::<Input>(&text).expect("what was written reads"), input);
            // Most refusals are right: people press what they should not.
            if self.f.input(input).is_ok() && ended {
                self.ended += 1;
            }
            self.listen();
            self.check();
            self.f.pass(ms(self.rng.below(3000)));
            self.listen();
            self.check();
        }
    }

    /// Everybody goes home; nothing remains.
    fn close(&mut self) {
        for (interaction, who) in self.talking.clone() {
            if self.f.input(Input::Ended { interaction, agent: agent(&who) }).is_ok() {
                self.ended += 1;
            }
        }
        for name in NAMES {
            let _ = self.f.input(Input::SignOut { agent: agent(name) }); // Refused to who went home before.
        }
        for id in QUEUES.iter().flat_map(|q| self.f.router.waiting(&queue(q))).collect::<Vec<_>>() {
            self.f.ok(Input::Withdraw { interaction: id, why: Withdrawn::Left });
        }
        self.f.pass(secs(60));
        self.listen();
        self.check();
        assert_eq!(self.entered.len(), self.left.len());
        assert!(self.offered.values().all(|open| !open) && self.talking.is_empty());
        assert_eq!(self.ended, self.written_up, "each end of a conversation is written up once");
        let r = &self.f.router;
        assert!(r.waiting.is_empty() && r.offers.is_empty() && r.kept.is_empty() && r.deadline().is_none());
        for (id, q) in &r.queues {
            assert!(q.open.is_empty() && q.alerting == 0 && q.free.values().all(BTreeSet::is_empty), "{id}");
        }
        for a in r.agents.values() {
            let spent: u64 = a.counts.spent_us.values().sum();
            assert!(a.activity.is_none() && spent > 0);
        }
    }
}

#[test]
fn on_forty_days_of_chance_nothing_is_lost_doubled_overbooked_or_forgotten() {
    let mut answered = 0;
    for seed in 0..40 {
        let mut day = Day::new(seed);
        let caught = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            day.run(250);
            day.close();
        }));
        assert!(caught.is_ok(), "seed {seed}");
        answered += day.written_up;
    }
    assert!(answered > 500, "a quiet day proves nothing: {answered}");
}

#[test]
fn the_same_day_twice_is_the_same_day() {
    let (mut a, mut b) = (Day::new(7), Day::new(7));
    a.run(300);
    b.run(300);
    assert_eq!(a.f.log, b.f.log);
}

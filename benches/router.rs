//! One routing decision at 1,000 agents and 10,000 waiting: how long an input takes, decision record included.
//!
//! `cargo bench --bench router`. Twenty queues, ten skills; every agent serves three queues, every interaction asks for up to
//! two skills at levels that time relaxes.

use std::{hint::black_box, sync::Arc, time::Duration};

use criterion::{Criterion, criterion_group, criterion_main};
use ringdesk::{
    base::{AgentId, Channel, InteractionId, Mono, Now, QueueId, Rng, SkillId, Wall},
    routing::{
        AgentPlan, AgentQueue, Choice, Entry, Input, Output, Plan, QueuePlan, Router, Strategy, Withdrawn,
        plan::{Relax, SkillPlan},
    },
};

const AGENTS: usize = 1_000;
const WAITING: usize = 10_000;
const QUEUES: usize = 20;
const SKILLS: usize = 10;

fn queue(i: usize) -> QueueId {
    QueueId::parse(&format!("q{}", i % QUEUES)).expect("an id")
}
fn skill(i: usize) -> SkillId {
    SkillId::parse(&format!("s{}", i % SKILLS)).expect("an id")
}
fn agent(i: usize) -> AgentId {
    AgentId::parse(&format!("agent{i}")).expect("an id")
}

fn plan(strategy: Strategy) -> Plan {
    let relax = vec![Relax { after_s: 30, skill: None, to: 2 }, Relax { after_s: 90, skill: None, to: 0 }];
    let q = QueuePlan { strategy, wrap_up_s: 0, relax, ..QueuePlan::default() };
    let member = |i: usize| AgentPlan {
        skills: (0..4).map(|k| (skill(i + k * 3), 1 + ((i + k) % 5) as u8)).collect(),
        queues: (0..3).map(|k| AgentQueue::of(queue(i + k * 7))).collect(),
        ..AgentPlan::default()
    };
    Plan {
        skills: (0..SKILLS).map(|i| (skill(i), SkillPlan::default())).collect(),
        queues: (0..QUEUES).map(|i| (queue(i), q.clone())).collect(),
        agents: (0..AGENTS).map(|i| (agent(i), member(i))).collect(),
        ..Plan::default()
    }
}

struct Floor {
    router: Router,
    now: Now,
    rng: Rng,
    out: Vec<Output>,
}

impl Floor {
    fn new(strategy: Strategy) -> Self {
        let plan = plan(strategy);
        assert!(plan.validate().is_empty());
        let now = Now { mono: Mono(0), wall: Wall::from_unix_s(1_795_406_400) };
        Floor { router: Router::new(Arc::new(plan), Rng::seeded(1)), now, rng: Rng::seeded(2), out: Vec::new() }
    }
    fn input(&mut self, input: Input) {
        self.now = self.now.later(Duration::from_millis(20));
        self.out.clear();
        self.router.handle(self.now, input, &mut self.out).expect("the bench presses nothing wrong");
    }
    fn ready(&mut self, i: usize) {
        self.input(Input::SignIn { agent: agent(i) });
        self.input(Input::Reachable { agent: agent(i), channel: Channel::Voice, up: true });
        self.input(Input::SetState { agent: agent(i), state: Choice::Ready });
    }
    fn entry(&mut self, i: usize) -> Entry {
        let id = InteractionId::new(self.now, &mut self.rng);
        let needs = (0..i % 3).map(|k| (skill(i + k), 1 + ((i / 3 + k) % 4) as u8)).collect();
        Entry { needs, priority_min: (i % 4) as i32, ..Entry::new(id, queue(i), Channel::Voice, self.now.wall) }
    }
    fn arrive(&mut self, i: usize) {
        let entry = self.entry(i);
        self.input(Input::Enqueue(entry));
    }
    /// Everybody who is rung answers.
    fn answer(&mut self, talking: &mut Vec<(AgentId, InteractionId)>) {
        let offers: Vec<_> = self
            .out
            .drain(..)
            .filter_map(|o| match o {
                Output::Offer { offer, interaction, agent, .. } => Some((offer, interaction, agent)),
                _ => None,
            })
            .collect();
        for (offer, interaction, agent) in offers {
            self.input(Input::Accept { offer });
            talking.push((agent, interaction));
        }
    }
}

/// All agents talk, 10,000 wait. One agent ends a call, is offered the next and takes it; a new caller joins the line.
fn busy(c: &mut Criterion) {
    let mut f = Floor::new(Strategy::LongestIdle);
    let mut talking = Vec::new();
    for i in 0..AGENTS {
        f.ready(i);
    }
    for i in 0.. {
        f.arrive(i);
        f.answer(&mut talking);
        if (0..QUEUES).map(|q| f.router.waiting(&queue(q)).len()).sum::<usize>() >= WAITING {
            break;
        }
    }
    let mut n = 0;
    c.bench_function("agent freed, offered, accepts; caller arrives (1,000 agents, 10,000 waiting)", |b| {
        b.iter(|| {
            n += 1;
            let (agent, interaction) = talking.swap_remove(n * 7919 % talking.len());
            f.input(Input::Ended { interaction, agent });
            f.answer(&mut talking);
            f.arrive(n);
            f.answer(&mut talking);
            black_box(&f.out);
        });
    });
}

/// All agents are free. A caller arrives, the best agent is found among them and rung; the caller hangs up again.
fn quiet(c: &mut Criterion) {
    for strategy in [Strategy::LongestIdle, Strategy::RoundRobin, Strategy::BestSkilled, Strategy::WeightedRandom] {
        let mut f = Floor::new(strategy);
        for i in 0..AGENTS {
            f.ready(i);
        }
        let mut n = 0;
        c.bench_function(&format!("caller arrives, is offered, hangs up (1,000 free, {strategy:?})"), |b| {
            b.iter(|| {
                n += 1;
                let entry = f.entry(n);
                let interaction = entry.interaction;
                f.input(Input::Enqueue(entry));
                black_box(&f.out);
                f.input(Input::Withdraw { interaction, why: Withdrawn::Abandoned });
            });
        });
    }
}

criterion_group!(benches, busy, quiet);
criterion_main!(benches);

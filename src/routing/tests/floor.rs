//! A small contact center for the stories: YAML in, names instead of ids, virtual time.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::super::*;
use crate::base::{AgentId, Channel, CodeId, InteractionId, Mono, Now, OfferId, QueueId, Rng, Wall};

pub const START: i64 = 1_795_406_400;

pub struct Floor {
    pub router: Router,
    pub now: Now,
    pub log: Vec<Output>,
    names: BTreeMap<String, InteractionId>,
    rng: Rng,
}

pub fn plan(yaml: &str) -> Plan {
    let plan: Plan = serde_saphyr::from_str(yaml).expect("the plan of a story reads");
    assert_eq!(plan.validate(), Vec::<String>::new());
    plan
}

pub fn agent(name: &str) -> AgentId {
    AgentId::parse(name).expect("an id")
}
pub fn queue(name: &str) -> QueueId {
    QueueId::parse(name).expect("an id")
}
pub fn code(name: &str) -> CodeId {
    CodeId::parse(name).expect("an id")
}

impl Floor {
    pub fn new(yaml: &str) -> Self {
        let router = Router::new(Arc::new(plan(yaml)), Rng::seeded(1));
        let now = Now { mono: Mono(0), wall: Wall::from_unix_s(START) };
        Self { router, now, log: Vec::new(), names: BTreeMap::new(), rng: Rng::seeded(2) }
    }

    pub fn id(&mut self, name: &str) -> InteractionId {
        let (now, rng) = (self.now, &mut self.rng);
        *self.names.entry(name.to_owned()).or_insert_with(|| InteractionId::new(now, rng))
    }

    pub fn name(&self, id: InteractionId) -> String {
        self.names.iter().find(|(_, i)| **i == id).map(|(n, _)| n.clone()).expect("an interaction of this story")
    }

    pub fn input(&mut self, input: Input) -> Result<(), Refused> {
        let mut out = Vec::new();
        let result = self.router.handle(self.now, input, &mut out);
        for o in &out {
            if let Output::Offer { decision, .. } = o {
                assert!(decision.holds(), "{:#?}\n{:#?}", decision.re_evaluate(), decision);
            }
        }
        self.log.append(&mut out);
        result
    }

    pub fn ok(&mut self, input: Input) {
        assert_eq!(self.input(input), Ok(()));
    }

    /// Lets time pass, waking the router at each of its deadlines.
    pub fn pass(&mut self, d: Duration) {
        let end = self.now.later(d);
        while let Some(at) = self.router.deadline().filter(|at| *at <= end.mono) {
            self.now = self.now.later(at - self.now.mono);
            self.ok(Input::Tick);
        }
        self.now = end;
    }

    /// Signs in, both endpoints there, ready; one second passes so that order of coming is order of idleness.
    pub fn ready(&mut self, name: &str) {
        self.ok(Input::SignIn { agent: agent(name) });
        for channel in Channel::ALL {
            self.ok(Input::Reachable { agent: agent(name), channel, up: true });
        }
        self.ok(Input::SetState { agent: agent(name), state: Choice::Ready });
        self.pass(Duration::from_secs(1));
    }

    pub fn entry(&mut self, name: &str, queue_name: &str) -> Entry {
        Entry::new(self.id(name), queue(queue_name), Channel::Voice, self.now.wall)
    }

    pub fn calls(&mut self, name: &str, queue: &str) {
        let entry = self.entry(name, queue);
        self.ok(Input::Enqueue(entry));
    }

    pub fn chats(&mut self, name: &str, queue: &str) {
        let entry = Entry { channel: Channel::Webchat, ..self.entry(name, queue) };
        self.ok(Input::Enqueue(entry));
    }

    /// Who rings for it, by name.
    pub fn rings(&self, name: &str) -> Vec<String> {
        let id = self.names[name];
        let ringing = |a: &AgentChange| a.work.iter().any(|w| w.interaction == id && w.state == WorkState::Alerting);
        self.router.agents().into_iter().filter(ringing).map(|a| a.agent.to_string()).collect()
    }

    /// The offer that rings at the agent.
    pub fn offer(&self, name: &str) -> OfferId {
        let last = self.log.iter().rev().find_map(|o| match o {
            Output::Offer { offer, agent, .. } if agent.as_str() == name => Some(*offer),
            _ => None,
        });
        last.expect("an offer was made to this agent")
    }

    pub fn accepts(&mut self, name: &str) {
        let offer = self.offer(name);
        self.ok(Input::Accept { offer });
    }

    pub fn ends(&mut self, caller: &str, name: &str) {
        let interaction = self.id(caller);
        self.ok(Input::Ended { interaction, agent: agent(name) });
    }

    pub fn state(&self, name: &str) -> AgentState {
        self.router.agent(&agent(name)).expect("an agent of the plan").state
    }

    pub fn pending(&self, name: &str) -> Option<AgentState> {
        self.router.agent(&agent(name)).expect("an agent of the plan").pending
    }

    pub fn line(&self, queue_name: &str) -> Vec<String> {
        self.router.waiting(&queue(queue_name)).into_iter().map(|id| self.name(id)).collect()
    }

    /// Why it left the queue unanswered.
    pub fn exit(&self, name: &str) -> Option<ExitWhy> {
        let id = self.names[name];
        self.log.iter().find_map(|o| match o {
            Output::Exit { interaction, why, .. } if *interaction == id => Some(*why),
            _ => None,
        })
    }

    pub fn decision(&self, caller: &str) -> &Decision {
        let id = self.names[caller];
        let last = self.log.iter().rev().find_map(|o| match o {
            Output::Offer { interaction, decision, .. } if *interaction == id => Some(decision),
            _ => None,
        });
        last.expect("it was offered")
    }

    pub fn counts(&self, name: &str) -> QueueCounts {
        self.router.queues().into_iter().find(|q| q.queue.as_str() == name).expect("a queue of the plan").counts
    }
}

//! `queue`: wait for a person, hear where one stands, leave by a key.
//!
//! ```text
//! Queueing ─Answered──▶ Resting ─TalkEnded─▶ when.answered
//!    ├──────Timeout│NoAgents│Full──────────▶ when.*
//!    ├──────max_wait───LeaveQueue──────────▶ when.timeout
//!    └──────exit key───LeaveQueue──────────▶ exits.*
//! ```

use std::{collections::BTreeMap, time::Duration};

use super::{Enqueue, Input, Next, Output, QueueResult, Run, Wait, scope::Here};
use crate::{
    base::{AgentId, Mono, Now},
    ivr::{
        Value,
        flow::{Queue, Verb},
    },
};

/// What is known about the place in the queue: `queue.*` in expressions.
#[derive(Debug, Default)]
pub(super) struct Place {
    since: Option<Mono>,
    position: Option<u32>,
    ewt_s: Option<f64>,
    confidence: f64,
}

impl Place {
    pub fn inform(&mut self, position: u32, ewt_s: f64, confidence: f64) {
        self.position = Some(position);
        self.ewt_s = (ewt_s.is_finite() && ewt_s >= 0.0).then_some(ewt_s);
        self.confidence = if confidence.is_finite() { confidence } else { 0.0 };
    }
    /// The object `queue`.
    pub fn value(&self, now: Mono) -> Value {
        let mut o = BTreeMap::new();
        if let Some(p) = self.position {
            o.insert("position".to_owned(), Value::Number(f64::from(p)));
        }
        if let Some(s) = self.ewt_s {
            let ewt = [("p50".to_owned(), Value::Duration(s)), ("confidence".to_owned(), Value::Number(self.confidence))];
            o.insert("ewt".to_owned(), Value::Object(ewt.into()));
        }
        if let Some(since) = self.since {
            // Whole seconds: nobody wants to hear "61.25".
            o.insert("waited".to_owned(), Value::Duration((now - since).as_secs_f64().floor()));
        }
        Value::Object(o)
    }
}

/// A wait.
#[derive(Debug)]
pub(super) struct Queueing {
    give_up: Option<Mono>,
    next_say: Option<Mono>,
}

impl Queueing {
    pub fn deadline(&self) -> Option<Mono> {
        [self.give_up, self.next_say].into_iter().flatten().min()
    }
}

impl Run {
    /// Wants a place.
    pub(super) fn enqueue(&mut self, now: Now, q: &Queue, out: &mut Vec<Output>) -> Next {
        self.typed.clear();
        self.queued = Place { since: Some(now.mono), ..Place::default() };
        let here = Here { run: self, now };
        let skills = q
            .skills
            .iter()
            .filter(|(_, _, only_if)| only_if.as_ref().is_none_or(|e| e.it.holds(&here)))
            .map(|(s, min, _)| (s.it.clone(), *min))
            .collect();
        let priority_min = match q.priority.as_ref().map(|e| e.it.eval(&here)) {
            Some(Value::Number(n)) => n.clamp(-100_000.0, 100_000.0) as i32,
            _ => 0,
        };
        let prefer = q.prefer_agent.as_ref().and_then(|(who, time)| {
            let agent = AgentId::parse(self.given(now, who).as_text()?).ok()?;
            Some((agent, *time))
        });
        let request = Enqueue {
            queue: q.queue.it.clone(),
            skills,
            priority_min,
            prefer,
            attributes: self.givens(now, &q.attributes).into_iter().map(|(k, v)| (k, v.show())).collect(),
            music: q.music.as_ref().map(|m| m.it.clone()),
            max_wait: q.max_wait,
            record: q.record,
            agent_whisper: q.agent_whisper.as_ref().map(|t| self.fill(now, &t.it)),
        };
        out.push(Output::Enqueue(request));
        let after = |d: Duration| now.mono + d;
        let next_say = q.announce.as_ref().map(|a| after(a.first_after));
        Next::Wait(Wait::Queueing(Queueing { give_up: q.max_wait.map(after), next_say }))
    }

    /// Something happened while waiting.
    pub(super) fn queueing(&mut self, now: Now, input: Input, out: &mut Vec<Output>) -> Option<Next> {
        match input {
            Input::Queue(QueueResult::Answered) => Some(Next::Wait(Wait::Resting)),
            Input::Queue(result) => Some(self.by_when(result.as_str())),
            Input::Digit(key) => self.exit(now, key, out),
            Input::Words { text, .. } if self.env.channel.is_text() => {
                let typed = super::gather::plain(&text);
                let mut c = typed.chars();
                match (c.next(), c.next()) {
                    (Some(key), None) => self.exit(now, key, out),
                    _ => None,
                }
            }
            Input::Tick => self.waited(now, out),
            _ => None,
        }
    }

    fn exit(&mut self, now: Now, key: char, out: &mut Vec<Output>) -> Option<Next> {
        let flow = self.frame().flow.clone();
        let Some(Verb::Queue(q)) = flow.nodes.get(&self.frame().node).map(|n| &n.verb) else { return None };
        let exit = q.exits.iter().find(|x| x.key == key)?;
        if exit.only_if.as_ref().is_some_and(|e| !e.it.holds(&Here { run: self, now })) {
            return None;
        }
        out.push(Output::LeaveQueue { waited_out: false });
        Some(Next::Node(exit.goto.it.clone()))
    }

    /// A deadline may have passed.
    fn waited(&mut self, now: Now, out: &mut Vec<Output>) -> Option<Next> {
        let flow = self.frame().flow.clone();
        let Some(Verb::Queue(q)) = flow.nodes.get(&self.frame().node).map(|n| &n.verb) else { return None };
        let Wait::Queueing(state) = &self.wait else { return None };
        let (give_up, due) = (state.give_up, state.next_say);
        if give_up.is_some_and(|t| t <= now.mono) {
            out.push(Output::LeaveQueue { waited_out: true });
            return Some(self.by_when(QueueResult::Timeout.as_str()));
        }
        let a = q.announce.as_ref().filter(|_| due.is_some_and(|t| t <= now.mono))?;
        let wanted = a.only_if.as_ref().is_none_or(|e| e.it.holds(&Here { run: self, now }));
        // A place nobody has told us is not announced as "number nothing".
        let known = self.queued.position.is_some() || !mentions_queue(&flow, &a.prompts);
        if wanted && known {
            let prompts = self.prompts(now, &a.prompts);
            if !prompts.is_empty() {
                out.push(Output::Announce(prompts));
            }
        }
        Some(Next::Wait(Wait::Queueing(Queueing { give_up, next_say: Some(now.mono + a.every) })))
    }
}

fn mentions_queue(flow: &crate::ivr::Flow, prompts: &[crate::ivr::flow::At<String>]) -> bool {
    prompts.iter().filter_map(|id| flow.prompts.get(&id.it)).flat_map(|p| p.texts.values()).any(|t| {
        let mut fields = t.say.iter().chain(&t.text).flat_map(|s| s.it.fields());
        fields.any(|(_, path, _)| path.first().is_some_and(|p| p == "queue"))
    })
}

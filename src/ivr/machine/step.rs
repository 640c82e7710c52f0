//! Entering a node: each verb does its part and says where to go or what to wait for.

use std::collections::BTreeMap;

use super::{
    AskId, End, Env, Frame, HttpAsk, HttpResult, Next, Output, Prompt, Run, SayReason, TicketRequest, TransferTo, Wait,
    scope::{Here, from_json},
};
use crate::{
    base::{
        Now,
        limits::{FLOW_DEPTH_MAX, FLOW_SAY_MAX, FLOW_STEPS_MAX, FLOW_TEXT_MAX},
        redact::Secret,
        secs,
    },
    ivr::{
        Value,
        flow::{At, Call, Callback, Http, Return, Say, Target, Transfer, Verb, Voicemail},
    },
};

impl Run {
    /// One step.
    pub(super) fn enter(&mut self, now: Now, name: String, out: &mut Vec<Output>) -> Next {
        self.steps += 1;
        if self.steps > FLOW_STEPS_MAX {
            // A loop the linter missed. Its error edge is the author's word for "I cannot go on"; once.
            if std::mem::replace(&mut self.overran, true) {
                return Next::End(End::Failed(format!("went in circles at node `{}`", self.frame().node)));
            }
            self.steps = 0;
            return self.by_error("went in circles");
        }
        let flow = self.frame().flow.clone();
        self.frame_mut().node.clone_from(&name);
        let Some(node) = flow.nodes.get(&name) else {
            return Next::End(End::Failed(format!("there is no node `{name}`")));
        };
        out.push(Output::Entered { flow: flow.id.clone(), node: name });
        if node.channels.as_ref().is_some_and(|c| !c.contains(&self.env.channel)) {
            return match &node.other_channel {
                Some(to) => Next::Node(to.it.clone()),
                None => self.by_error("it is not for this channel"),
            };
        }
        self.set(now, &node.set_on_enter);
        if self.left_at.is_some() && needs_caller(&node.verb) {
            return Next::End(End::CallerLeft);
        }
        match &node.verb {
            Verb::Say(s) => self.say(now, s, out),
            Verb::Gather(g) => self.ask(now, g, out),
            Verb::Set(all) => {
                self.set(now, all);
                self.by_then()
            }
            Verb::Branch(b) => {
                let here = Here { run: self, now };
                let hit = b.cases.iter().find(|(c, _)| c.it.holds(&here)).map(|(_, to)| to).or(b.otherwise.as_ref());
                match hit {
                    Some(to) => Next::Node(to.it.clone()),
                    None => self.by_error("no case holds"),
                }
            }
            Verb::Hours(calendar) => match self.library.hours.state(&calendar.it, now.wall) {
                Some(state) if node.branch(state.as_str()).is_some() => self.by_when(state.as_str()),
                // A holiday is a kind of closed when the author made no difference.
                Some(super::HoursState::Holiday | super::HoursState::Emergency) => self.by_when("closed"),
                Some(state) => self.by_when(state.as_str()),
                None => self.by_error("there is no such calendar"),
            },
            Verb::Http(h) => self.http(now, h, out),
            Verb::Call(c) => self.call(now, c),
            Verb::Queue(q) => self.enqueue(now, q, out),
            Verb::Callback(c) => self.callback(now, c, out),
            Verb::Voicemail(v) => self.voicemail(now, v, out),
            Verb::Transfer(t) => self.transfer(now, t, out),
            Verb::Event(e) => {
                let data = self.givens(now, &e.data).into_iter().collect();
                out.push(Output::Event { name: e.name.clone(), data });
                self.by_then()
            }
            Verb::Return(r) => self.give_back(now, r),
            Verb::Hangup => {
                if self.left_at.is_some() {
                    return Next::End(End::CallerLeft);
                }
                out.push(Output::Hangup);
                Next::End(End::Hangup)
            }
        }
    }

    pub(super) fn by_then(&mut self) -> Next {
        match self.node_now().and_then(|n| n.then.as_ref()) {
            Some(to) => Next::Node(to.it.clone()),
            None => self.by_error("it has no `then`"),
        }
    }

    pub(super) fn by_when(&mut self, outcome: &str) -> Next {
        match self.node_now().and_then(|n| n.branch(outcome)) {
            Some(to) => Next::Node(to.to_owned()),
            None => self.by_error("an outcome has no branch"),
        }
    }

    /// The error edge of the node; without one, of the `call` in the flow above; without any, the run fails.
    pub(super) fn by_error(&mut self, why: &str) -> Next {
        let at = self.frame().node.clone();
        loop {
            if let Some((to, _)) = self.node_now().and_then(|n| n.on_error.as_ref()) {
                return Next::Node(to.it.clone());
            }
            if self.frames.len() == 1 {
                return Next::End(End::Failed(format!("node `{at}`: {why}")));
            }
            self.frames.pop();
        }
    }

    pub(super) fn by_exhausted(&mut self) -> Next {
        match self.node_now().and_then(|n| n.exhausted.as_ref()) {
            Some(to) => Next::Node(to.it.clone()),
            None => self.by_error("the caller gave no usable answer"),
        }
    }

    fn set(&mut self, now: Now, all: &[(At<String>, At<crate::ivr::expr::Expr>)]) {
        for (name, e) in all {
            let value = e.it.eval(&Here { run: self, now });
            self.assign(&name.it, value);
        }
    }

    /// The prompts of `ids` in the language now; on text channels only what has words.
    pub(super) fn prompts<'i>(&self, now: Now, ids: impl IntoIterator<Item = &'i At<String>>) -> Vec<Prompt> {
        let lang = self.lang();
        let flow = &self.frame().flow;
        let text_only = self.env.channel.is_text();
        let mut all = Vec::new();
        for id in ids {
            let Some(decl) = flow.prompts.get(&id.it) else { continue };
            let spoken = decl.texts.get_key_value(&lang).or_else(|| decl.texts.iter().next());
            let Some((lang, p)) = spoken else { continue };
            let text = p.words(text_only).map(|t| t.it.fill(&Here { run: self, now }, lang, false)).unwrap_or_default();
            let (id, lang) = (id.it.clone(), lang.clone());
            match &p.file {
                Some(name) if !text_only => all.push(Prompt::File { id, name: name.clone(), text, lang }),
                _ if text.trim().is_empty() => {}
                _ => all.push(Prompt::Text { id, text, lang }),
            }
        }
        all
    }

    fn say(&mut self, now: Now, s: &Say, out: &mut Vec<Output>) -> Next {
        // Who has already typed on does not want to hear it, unless it must be heard.
        if s.barge_in.dtmf && !self.typed.is_empty() {
            return self.by_then();
        }
        let prompts = self.prompts(now, &s.prompts);
        if prompts.is_empty() {
            return self.by_then();
        }
        let barge_in = s.barge_in.dtmf || s.barge_in.speech;
        out.push(Output::Say { prompts, barge_in, reason: SayReason::Prompt, listen: false });
        if self.env.channel.is_text() {
            return self.by_then();
        }
        Next::Wait(Wait::Saying { until: now.mono + FLOW_SAY_MAX, dtmf: s.barge_in.dtmf, speech: s.barge_in.speech })
    }

    fn http(&mut self, now: Now, h: &Http, out: &mut Vec<Output>) -> Next {
        let ask = AskId(self.next_ask);
        self.next_ask += 1;
        let here = Here { run: self, now };
        let url = h.url.it.fill(&here, "", true);
        let show = |all: Vec<(String, Value)>| all.into_iter().map(|(k, v)| (k, v.show())).collect();
        out.push(Output::Http(HttpAsk {
            ask,
            method: h.method,
            url,
            query: show(self.givens(now, &h.query)),
            // A line break in a header would begin another one.
            headers: self.givens(now, &h.headers).into_iter().map(|(k, v)| (k, v.show().replace(['\r', '\n'], " "))).collect(),
            body: self.givens(now, &h.body).into_iter().map(|(k, v)| (k, v.to_json())).collect(),
            secret_body: self.givens(now, &h.secret_body).into_iter().map(|(k, v)| (k, Secret::new(v.show()))).collect(),
            timeout: h.timeout,
            retries: h.retries,
        }));
        // The edge answers within the patience; the second more is for the way there and back.
        Next::Wait(Wait::Asking { ask, until: now.mono + h.patience() + secs(1) })
    }

    /// An answer came, or none.
    pub(super) fn answered(&mut self, result: HttpResult) -> Next {
        let flow = self.frame().flow.clone();
        let node = flow.nodes.get(&self.frame().node);
        let Some(Verb::Http(h)) = node.map(|n| &n.verb) else { return self.by_error("it asked nothing") };
        match result {
            Ok(a) if h.accept.contains(&a.status) => {
                if let Some(into) = &h.into {
                    // An accepted 404 means: there is none.
                    let value = if (200..300).contains(&a.status) { from_json(&a.body, 0) } else { Value::Null };
                    self.assign(&into.it, value);
                }
                self.by_then()
            }
            Ok(_) => self.by_error("the service answered with a status that is not accepted"),
            Err(_) => self.by_error("the service did not answer"),
        }
    }

    fn call(&mut self, now: Now, c: &Call) -> Next {
        if self.frames.len() >= FLOW_DEPTH_MAX {
            return self.by_error("flows call each other too deep");
        }
        let Some(flow) = self.library.flows.get(&c.flow.it).cloned() else { return self.by_error("there is no such flow") };
        let with: BTreeMap<String, Value> = c.with.iter().map(|(k, g)| (k.it.clone(), self.given(now, g))).collect();
        let lang = Some(self.lang()).filter(|l| !l.is_empty());
        let start = flow.start.it.clone();
        let frame = Frame::new(flow, &Env { lang, ..self.env.clone() }, with);
        self.frames.push(frame);
        Next::Node(start)
    }

    fn give_back(&mut self, now: Now, r: &Return) -> Next {
        let value = r.value.as_ref().map_or(Value::Null, |e| e.it.eval(&Here { run: self, now }));
        if self.frames.len() == 1 {
            return Next::End(End::Returned(r.outcome.it.clone()));
        }
        self.frames.pop();
        let into = match self.node_now().map(|n| &n.verb) {
            Some(Verb::Call(c)) => c.into.as_ref().map(|i| i.it.clone()),
            _ => None,
        };
        if let Some(into) = into {
            self.assign(&into, value);
        }
        self.by_when(&r.outcome.it)
    }

    fn voicemail(&mut self, now: Now, v: &Voicemail, out: &mut Vec<Output>) -> Next {
        self.typed.clear();
        let prompts = self.prompts(now, &v.prompts);
        if self.env.channel.is_text() {
            if !prompts.is_empty() {
                out.push(Output::Say { prompts, barge_in: false, reason: SayReason::Prompt, listen: false });
            }
            return Next::Wait(Wait::Noting);
        }
        self.record(now, v, prompts, None, out)
    }

    /// The written message of a visitor.
    pub(super) fn note(&mut self, now: Now, mut text: String, out: &mut Vec<Output>) -> Option<Next> {
        let flow = self.frame().flow.clone();
        let node = flow.nodes.get(&self.frame().node);
        let Some(Verb::Voicemail(v)) = node.map(|n| &n.verb) else { return None };
        if text.trim().is_empty() {
            return None;
        }
        if let Some(end) = (text.len() > FLOW_TEXT_MAX).then(|| (0..=FLOW_TEXT_MAX).rev().find(|&i| text.is_char_boundary(i))) {
            text.truncate(end.unwrap_or(0));
        }
        Some(self.record(now, v, Vec::new(), Some(text), out))
    }

    fn record(&mut self, now: Now, v: &Voicemail, prompts: Vec<Prompt>, text: Option<String>, out: &mut Vec<Output>) -> Next {
        let title = self.fill(now, &v.title.it);
        let ticket = TicketRequest { queue: v.queue.it.clone(), title, sla: v.sla.as_ref().map(|s| s.it.clone()) };
        out.push(Output::Voicemail { prompts, max: v.max, ticket, text });
        Next::Wait(Wait::Recording { until: now.mono + v.max + FLOW_SAY_MAX })
    }

    fn callback(&mut self, now: Now, c: &Callback, out: &mut Vec<Output>) -> Next {
        self.typed.clear();
        let number = c.number.as_ref().map_or_else(|| self.env.ani.clone(), |n| self.fill(now, &n.it));
        let ticket = c.ticket.as_ref().map(|t| TicketRequest {
            queue: t.queue.it.clone(),
            title: self.fill(now, &t.title.it),
            sla: t.sla.as_ref().map(|s| s.it.clone()),
        });
        out.push(Output::Callback(super::Callback {
            number,
            queue: c.queue.as_ref().map(|q| q.it.clone()),
            at: c.at.as_ref().map(|at| self.fill(now, &at.it)),
            attempts: c.attempts,
            gap: c.gap,
            screens: c.screens,
            message: self.prompts(now, &c.message),
            ticket,
        }));
        Next::Wait(Wait::Booking { until: now.mono + secs(10) })
    }

    fn transfer(&mut self, now: Now, t: &Transfer, out: &mut Vec<Output>) -> Next {
        let to = match &t.to {
            Target::Number(n) => TransferTo::Number(self.fill(now, &n.it)),
            Target::Queue(q) => TransferTo::Queue(q.it.clone()),
            Target::Agent(a) => TransferTo::Agent(a.it.clone()),
        };
        self.typed.clear();
        out.push(Output::Transfer { to, timeout: t.timeout });
        Next::Wait(Wait::Handing { until: now.mono + t.timeout + secs(10) })
    }

    /// The agent, or whoever the call was handed to, is done and the caller is still there.
    pub(super) fn after_talk(&mut self, out: &mut Vec<Output>) -> Next {
        self.typed.clear();
        if self.node_now().and_then(|n| n.branch("answered")).is_some() {
            return self.by_when("answered");
        }
        out.push(Output::Hangup);
        Next::End(End::Transferred)
    }
}

/// True for verbs that have no sense once the caller is gone.
fn needs_caller(verb: &Verb) -> bool {
    matches!(verb, Verb::Say(_) | Verb::Gather(_) | Verb::Queue(_) | Verb::Callback(_) | Verb::Voicemail(_) | Verb::Transfer(_))
}

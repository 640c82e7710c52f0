//! A run: one caller's walk through a flow, as a pure machine.
//!
//! Begin ─▶ step from node to node until one waits ─▶ input or deadline ─▶ step on ─▶ .. ─▶ Finished
//!
//! ```text
//! Saying      say          Played │ key
//! Gathering   gather       Digit │ Words │ deadline          (gather.rs)
//! Asking      http         Http │ deadline
//! Queueing    queue        Queue │ exit key │ deadline       (queue.rs)
//! Resting     queue, transfer after "answered"               TalkEnded
//! Recording   voicemail    VoicemailDone │ Failed │ deadline
//! Noting      voicemail on text: Words
//! Handing     transfer     Transfer │ deadline
//! Booking     callback     Callback │ deadline
//! ```
//!
//! Every wait has a deadline or ends by hang-up. An input that does not belong to the present wait is ignored: it crossed with
//! something. `Hangup` is taken everywhere and leads to `on_hangup`, from which nothing waits for the caller any more.
//!
//! Tests: the walks in `tests.rs`; the stories of the flows themselves in `ivr::test`.

mod gather;
mod io;
mod queue;
mod scope;
mod step;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use serde::{Deserialize, Serialize};

pub(crate) use gather::plain;
pub use io::*;
pub(crate) use scope::built_in;

use super::{Flow, Value, flow::Node};
use crate::base::{FlowId, Mono, Now, limits::FLOW_TYPED_AHEAD_MAX};

/// One execution of a flow.
#[derive(Debug)]
pub struct Run {
    library: Arc<Library>,
    env: Env,
    frames: Vec<Frame>,
    wait: Wait,
    /// Keys pressed before they were asked for.
    typed: VecDeque<char>,
    /// An end key that may still come after the last digit of a full entry, and until when.
    swallow: Option<(char, Mono)>,
    next_ask: u64,
    steps: u32,
    overran: bool,
    /// The node where the caller left.
    left_at: Option<String>,
    queued: queue::Place,
}

#[derive(Debug)]
struct Frame {
    flow: Arc<Flow>,
    node: String,
    vars: BTreeMap<String, Value>,
    inputs: BTreeMap<String, Value>,
}

#[derive(Debug)]
enum Wait {
    NotBegun { resumed: bool, resting: bool },
    Saying { until: Mono, dtmf: bool, speech: bool },
    Gathering(gather::Gathering),
    Asking { ask: AskId, until: Mono },
    Queueing(queue::Queueing),
    Resting,
    Recording { until: Mono },
    Noting,
    Handing { until: Mono },
    Booking { until: Mono },
    Over,
}

/// Where a step leads.
#[derive(Debug)]
enum Next {
    Node(String),
    Wait(Wait),
    End(End),
}

/// A run as it is written down: enough to go on after a restart. Secrets are not in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunState {
    /// Who.
    pub env: Env,
    /// The flows on the stack, outermost first.
    pub frames: Vec<FrameState>,
    /// False until `Begin`.
    pub begun: bool,
    /// True while an agent talks with the caller.
    pub resting: bool,
    /// Number of the next question.
    pub next_ask: u64,
}

/// One flow on the stack.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FrameState {
    /// Its name.
    pub flow: FlowId,
    /// Its version.
    pub hash: String,
    /// Where it is.
    pub node: String,
    /// What it remembers.
    pub vars: BTreeMap<String, Value>,
    /// What it was given.
    pub inputs: BTreeMap<String, Value>,
}

/// Why a run cannot be taken up again; the center then treats the caller as one whose flow failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResumeError {
    /// The version it ran is not here.
    #[error("flow `{flow}` is here in another version than the run began with")]
    Changed {
        /// Which flow.
        flow: FlowId,
    },
    /// A flow on its stack is not here at all.
    #[error("flow `{flow}` of the run is not here")]
    Missing {
        /// Which flow.
        flow: FlowId,
    },
    /// The state is empty.
    #[error("the state holds no flow")]
    Empty,
}

impl Run {
    /// A new run of `flow`; nothing happens before [`Input::Begin`].
    pub fn start(flow: Arc<Flow>, library: Arc<Library>, env: Env) -> Run {
        let wait = Wait::NotBegun { resumed: false, resting: false };
        let frame = Frame::new(flow, &env, BTreeMap::new());
        Run::with(library, env, vec![frame], wait, 0)
    }

    fn with(library: Arc<Library>, env: Env, frames: Vec<Frame>, wait: Wait, next_ask: u64) -> Run {
        Run {
            library,
            env,
            frames,
            wait,
            typed: VecDeque::new(),
            swallow: None,
            next_ask,
            steps: 0,
            overran: false,
            left_at: None,
            queued: queue::Place::default(),
        }
    }

    /// The run as it stands. Taken up again, the node it waits in begins anew (the question is asked again, the place in the
    /// queue is wanted again: the center keeps its age), except while an agent talks with the caller: then it rests on.
    pub fn snapshot(&self) -> RunState {
        let (begun, resting) = match &self.wait {
            Wait::NotBegun { resumed, resting } => (*resumed, *resting),
            wait => (true, matches!(wait, Wait::Resting)),
        };
        let frames = self.frames.iter().map(Frame::snapshot).collect();
        RunState { env: self.env.clone(), frames, begun, resting, next_ask: self.next_ask }
    }

    /// Takes up a run. `flow` is the outermost flow in the version it began with; flows called from it are found in `library`.
    /// Send [`Input::Begin`] next.
    pub fn resume(flow: Arc<Flow>, library: Arc<Library>, state: RunState) -> Result<Run, ResumeError> {
        let mut frames = Vec::new();
        for (i, f) in state.frames.into_iter().enumerate() {
            let here = if i == 0 { Some(&flow) } else { library.flows.get(&f.flow) };
            let here = here.ok_or_else(|| ResumeError::Missing { flow: f.flow.clone() })?;
            if here.hash != f.hash || here.id != f.flow || !here.nodes.contains_key(&f.node) {
                return Err(ResumeError::Changed { flow: f.flow });
            }
            let mut frame = Frame { flow: here.clone(), node: f.node, vars: f.vars, inputs: f.inputs };
            frame.forget_secrets();
            frames.push(frame);
        }
        if frames.is_empty() {
            return Err(ResumeError::Empty);
        }
        let wait = Wait::NotBegun { resumed: state.begun, resting: state.resting };
        Ok(Run::with(library, state.env, frames, wait, state.next_ask))
    }

    /// Takes in what happened and says what to do.
    pub fn handle(&mut self, now: Now, input: Input, out: &mut Vec<Output>) {
        self.steps = 0;
        let next = match input {
            Input::Hangup => self.hangup(out),
            Input::QueueInfo { position, ewt_s, confidence } => {
                self.queued.inform(position, ewt_s, confidence);
                None
            }
            input => self.take(now, input, out),
        };
        let Some(mut next) = next else { return };
        loop {
            match next {
                Next::Node(name) => next = self.enter(now, name, out),
                Next::Wait(wait) => {
                    self.wait = wait;
                    return;
                }
                Next::End(outcome) => {
                    self.wait = Wait::Over;
                    out.push(Output::Finished { outcome });
                    return;
                }
            }
        }
    }

    /// What an input means to the present wait; None: nothing.
    fn take(&mut self, now: Now, input: Input, out: &mut Vec<Output>) -> Option<Next> {
        if let Input::Digit(key) = input
            && (!is_key(key) || self.swallowed(now.mono, key))
        {
            return None;
        }
        match (&self.wait, input) {
            (Wait::Over, _) => None,
            (&Wait::NotBegun { resumed, resting }, Input::Begin) => Some(self.begin(resumed, resting)),
            (Wait::NotBegun { .. }, Input::Digit(key)) => self.type_ahead(key),
            (Wait::Gathering(_), input) => self.gathering(now, input, out),
            (Wait::Queueing(_), input) => self.queueing(now, input, out),
            (Wait::Saying { .. }, Input::Played) => Some(self.by_then()),
            (Wait::Saying { until, .. }, Input::Tick) if *until <= now.mono => Some(self.by_then()),
            (&Wait::Saying { dtmf, .. }, Input::Digit(key)) => {
                self.type_ahead(key);
                dtmf.then(|| {
                    out.push(Output::StopSaying);
                    self.by_then()
                })
            }
            (Wait::Saying { speech: true, .. }, Input::Words { .. }) => {
                out.push(Output::StopSaying);
                Some(self.by_then())
            }
            (Wait::Asking { ask, .. }, Input::Http { ask: answered, result }) if *ask == answered => {
                Some(self.answered(result))
            }
            (Wait::Asking { until, .. }, Input::Tick) if *until <= now.mono => Some(self.answered(Err(HttpError::Timeout))),
            (Wait::Resting, Input::TalkEnded) => Some(self.after_talk(out)),
            (Wait::Recording { .. }, Input::VoicemailDone { .. }) => Some(self.by_then()),
            (Wait::Recording { .. }, Input::VoicemailFailed) => Some(self.by_error("the message could not be recorded")),
            (Wait::Recording { until }, Input::Tick) if *until <= now.mono => Some(self.by_error("no word from the recorder")),
            (Wait::Noting, Input::Words { text, .. }) => self.note(now, text, out),
            (Wait::Handing { .. }, Input::Transfer(TransferResult::Answered)) => Some(Next::Wait(Wait::Resting)),
            (Wait::Handing { .. }, Input::Transfer(result)) => Some(self.by_when(result.as_str())),
            (Wait::Handing { until }, Input::Tick) if *until <= now.mono => {
                Some(self.by_when(TransferResult::NoAnswer.as_str()))
            }
            (Wait::Booking { .. }, Input::Callback(result)) => Some(self.by_when(result.as_str())),
            (Wait::Booking { until }, Input::Tick) if *until <= now.mono => {
                Some(self.by_when(CallbackResult::Refused.as_str()))
            }
            (_, Input::Digit(key)) => self.type_ahead(key),
            _ => None,
        }
    }

    /// Keeps a key for the next question.
    fn type_ahead(&mut self, key: char) -> Option<Next> {
        if self.typed.len() < FLOW_TYPED_AHEAD_MAX {
            self.typed.push_back(key);
        }
        None
    }

    /// True when `key` is only the end key of an entry that was already full.
    fn swallowed(&mut self, now: Mono, key: char) -> bool {
        self.swallow.take().is_some_and(|(end, until)| end == key && now <= until)
    }

    fn begin(&mut self, resumed: bool, resting: bool) -> Next {
        match (resumed, resting) {
            (_, true) => Next::Wait(Wait::Resting),
            (true, _) => Next::Node(self.frame().node.clone()),
            _ => Next::Node(self.frame().flow.start.it.clone()),
        }
    }

    fn hangup(&mut self, out: &mut Vec<Output>) -> Option<Next> {
        match self.wait {
            Wait::Over => return None,
            // Already gone: an on_hangup path waits for a service.
            _ if self.left_at.is_some() => return None,
            Wait::NotBegun { .. } => return Some(Next::End(End::CallerLeft)),
            Wait::Queueing(_) => out.push(Output::LeaveQueue { waited_out: false }),
            _ => {}
        }
        self.left_at = Some(self.frame().node.clone());
        loop {
            let frame = self.frame();
            let to = frame.flow.nodes.get(&frame.node).and_then(|n| n.on_hangup.as_ref()).map(|(to, _)| to.it.clone());
            if let Some(to) = to {
                return Some(Next::Node(to));
            }
            // A sub-flow that does not care leaves it to the flow that called it.
            if self.frames.len() == 1 {
                return Some(Next::End(End::CallerLeft));
            }
            self.frames.pop();
        }
    }

    /// When to send [`Input::Tick`].
    pub fn deadline(&self) -> Option<Mono> {
        match &self.wait {
            Wait::Saying { until, .. }
            | Wait::Asking { until, .. }
            | Wait::Recording { until }
            | Wait::Handing { until }
            | Wait::Booking { until } => Some(*until),
            Wait::Gathering(g) => g.deadline(),
            Wait::Queueing(q) => q.deadline(),
            Wait::NotBegun { .. } | Wait::Resting | Wait::Noting | Wait::Over => None,
        }
    }

    /// The node it is in.
    pub fn node(&self) -> &str {
        &self.frame().node
    }
    /// The flow it is in: the innermost one called.
    pub fn flow(&self) -> &FlowId {
        &self.frame().flow.id
    }
    /// The variables of that flow, without secrets.
    pub fn vars(&self) -> BTreeMap<String, Value> {
        self.frame().snapshot().vars
    }
    /// The variables of the outermost flow, without secrets.
    pub fn root_vars(&self) -> BTreeMap<String, Value> {
        self.frames.first().map(|f| f.snapshot().vars).unwrap_or_default()
    }
    /// True after [`Output::Finished`].
    pub fn is_over(&self) -> bool {
        matches!(self.wait, Wait::Over)
    }
    /// True while it waits in a queue node for an agent.
    pub fn is_queued(&self) -> bool {
        matches!(self.wait, Wait::Queueing(_))
    }
    /// True while prompts play and their end is awaited.
    pub fn is_saying(&self) -> bool {
        match &self.wait {
            Wait::Saying { .. } => true,
            Wait::Gathering(g) => g.playing,
            _ => false,
        }
    }
    /// Whether it waits for an answer by voice: a question that takes one, once it has been asked, or while it is being asked
    /// if a voice may cut it. None on text channels.
    pub fn listens(&self) -> Option<Listening> {
        let Wait::Gathering(state) = &self.wait else { return None };
        let super::flow::Verb::Gather(g) = &self.node_now()?.verb else { return None };
        let open = g.speech && !self.env.channel.is_text() && (!state.playing || g.barge_in.speech);
        let var = g.save.as_ref().and_then(|s| self.frame().flow.vars.get(&s.it));
        open.then(|| Listening { secret: var.is_some_and(|v| v.secret) })
    }
    /// What the agent hears first, as it is now (the time waited is in it); None outside a queue node.
    pub fn whisper(&self, now: Now) -> Option<String> {
        let node = self.node_now()?;
        match &node.verb {
            super::flow::Verb::Queue(q) => Some(self.fill(now, &q.agent_whisper.as_ref()?.it)),
            _ => None,
        }
    }

    fn frame(&self) -> &Frame {
        self.frames.last().expect("a run keeps its outermost flow")
    }
    fn frame_mut(&mut self) -> &mut Frame {
        self.frames.last_mut().expect("a run keeps its outermost flow")
    }
    fn node_now(&self) -> Option<&Node> {
        let f = self.frame();
        f.flow.nodes.get(&f.node)
    }
}

impl Frame {
    fn new(flow: Arc<Flow>, env: &Env, given: BTreeMap<String, Value>) -> Frame {
        let vars = flow.vars.iter().map(|(n, d)| (n.clone(), d.default.clone().unwrap_or_default())).collect();
        let mut inputs = BTreeMap::new();
        for (name, d) in &flow.inputs {
            let value = match d.from {
                super::flow::From::Channel => scope::channel_input(env, name),
                super::flow::From::Env => env.inputs.get(name).cloned().unwrap_or_default(),
                super::flow::From::Caller => given.get(name).cloned().unwrap_or_default(),
            };
            let value = scope::coerce(&d.ty, value, None);
            let value = if value.is_null() { d.default.clone().unwrap_or_default() } else { value };
            inputs.insert(name.clone(), value);
        }
        let node = flow.start.it.clone();
        let mut frame = Frame { flow, node, vars, inputs };
        // A language known beforehand is the first value of `lang`, when the flow speaks it.
        if let Some(lang) = &env.lang
            && let Some(d) = frame.flow.vars.get("lang")
        {
            let spoken = frame.flow.language(lang).to_owned();
            if spoken.split('-').next() == lang.split('-').next() {
                let value = scope::coerce(&d.ty, Value::Text(spoken), None);
                if !value.is_null() {
                    frame.vars.insert("lang".to_owned(), value);
                }
            }
        }
        frame
    }

    fn snapshot(&self) -> FrameState {
        let mut copy =
            Frame { flow: self.flow.clone(), node: self.node.clone(), vars: self.vars.clone(), inputs: self.inputs.clone() };
        copy.forget_secrets();
        FrameState {
            flow: copy.flow.id.clone(),
            hash: copy.flow.hash.clone(),
            node: copy.node,
            vars: copy.vars,
            inputs: copy.inputs,
        }
    }

    fn forget_secrets(&mut self) {
        let flow = self.flow.clone();
        self.vars.retain(|n, _| flow.vars.get(n).is_some_and(|d| !d.secret));
        self.inputs.retain(|n, _| flow.inputs.get(n).is_some_and(|d| !d.secret));
    }
}

//! What flows look like outside: their drawing, what the linter said, and a try with its steps.

use std::{collections::BTreeMap, time::Duration};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Problem, flows::severity};
use crate::{
    base::{CalendarId, Channel, Wall, limits},
    ivr::{
        Finding, Flow, FlowError, HoursState, QueueResult, TransferResult,
        flow::EdgeKind,
        test::{Caller, Met, Step, Told},
    },
};

/// A flow as a graph.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowDrawing {
    /// The first node.
    start: String,
    /// In the order of the file.
    nodes: Vec<FlowNode>,
    /// In the order of their nodes. What every node inherits (errors, hang-up) is left out: it would hide the flow.
    edges: Vec<FlowEdge>,
}

/// A step of a flow.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowNode {
    /// Its name.
    name: String,
    /// What it does: `say`, `gather`, `queue`, ..
    verb: String,
    /// Line in the text, from 1.
    line: u32,
}

/// A way from one node to another.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowEdge {
    /// Node.
    from: String,
    /// Node.
    to: String,
    /// `when`, `then`, `case`, `exit`, `exhausted`, `on_error`, `on_hangup`, `other_channel`.
    kind: String,
    /// Outcome, condition or key.
    label: String,
    /// Line in the text, from 1.
    line: u32,
}

impl FlowDrawing {
    /// Of a flow that was read.
    pub fn of(flow: &Flow) -> Self {
        let kind = |k| match k {
            EdgeKind::When => "when",
            EdgeKind::Then => "then",
            EdgeKind::Case => "case",
            EdgeKind::Exit => "exit",
            EdgeKind::Exhausted => "exhausted",
            EdgeKind::OnError => "on_error",
            EdgeKind::OnHangup => "on_hangup",
            EdgeKind::OtherChannel => "other_channel",
        };
        let listed = || flow.order.iter().filter_map(|name| Some((name, flow.nodes.get(name)?)));
        let node = |(name, n): (&String, &crate::ivr::flow::Node)| FlowNode {
            name: name.clone(),
            verb: n.verb.name().to_owned(),
            line: n.pos.line,
        };
        let edges = listed().flat_map(|(from, n)| {
            n.edges().into_iter().filter(|e| !e.inherited).map(move |e| FlowEdge {
                from: from.clone(),
                to: e.to.it.clone(),
                kind: kind(e.kind).to_owned(),
                label: e.label.to_owned(),
                line: e.to.pos.line,
            })
        });
        FlowDrawing { start: flow.start.it.clone(), nodes: listed().map(node).collect(), edges: edges.collect() }
    }
}

/// Something the linter says about a text.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowFinding {
    /// `error` keeps it from being published; `warning`, `note` do not.
    pub severity: String,
    /// `R1` ..; `read` when the text could not be read.
    rule: String,
    /// Line, from 1.
    line: u32,
    /// Character of the line, from 1.
    column: u32,
    /// One sentence.
    say: String,
    /// What to do about it.
    hint: Option<String>,
}

impl FlowFinding {
    /// From the linter.
    pub fn of(f: &Finding) -> Self {
        FlowFinding {
            severity: severity(f.severity).to_owned(),
            rule: f.rule.to_owned(),
            line: f.pos.line,
            column: f.pos.col,
            say: f.say.clone(),
            hint: f.hint.clone(),
        }
    }
    /// From a text that could not be read.
    pub fn unread(e: &FlowError) -> Self {
        let (severity, rule) = ("error".to_owned(), "read".to_owned());
        FlowFinding { severity, rule, line: e.pos.line, column: e.pos.col, say: e.say.clone(), hint: e.hint.clone() }
    }
    /// With its place.
    pub fn sentence(&self) -> String {
        format!("line {}: {}", self.line, self.say)
    }
}

/// A try of a text: who calls, and what they do.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowTry {
    /// YAML.
    pub text: String,
    /// `voice` (the default) or `webchat`.
    #[serde(default)]
    channel: Option<String>,
    /// Who calls.
    #[serde(default)]
    from: Option<String>,
    /// What they call.
    #[serde(default)]
    to: Option<String>,
    /// Language known beforehand, `zh-CN`.
    #[serde(default)]
    lang: Option<String>,
    /// When, RFC 3339; now if absent.
    #[serde(default)]
    at: Option<String>,
    /// Calendars that shall be `open`, `closed`, `holiday` or `emergency`; others are asked.
    #[serde(default)]
    hours: BTreeMap<String, String>,
    /// What they do, one after the other.
    #[serde(default)]
    pub steps: Vec<FlowStep>,
}

/// Something a caller does, or that happens to them.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FlowStep {
    /// Keys: `2`, `123#`.
    Press(String),
    /// Words, spoken or written.
    Say(String),
    /// Seconds pass.
    Wait(u32),
    /// How the wait in the queue ends: `answered`, `timeout`, `no_agents`, `full`.
    Queue(String),
    /// The agent hangs up: `{}`.
    TalkEnded(FlowNothing),
    /// How a transfer ends: `answered`, `no_answer`, `busy`, `failed`.
    Transfer(String),
    /// A message of so many seconds is left.
    Message(u32),
    /// The caller hangs up: `{}`.
    Hangup(FlowNothing),
}

/// Nothing more is to be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowNothing {}

/// The longest time that passes in one step.
const WAIT_MAX_S: u32 = 24 * 3_600;

impl FlowStep {
    /// As the rehearsal takes it.
    pub fn step(&self) -> Result<Step, Problem> {
        let seconds = |s: &u32| Duration::from_secs(u64::from((*s).min(WAIT_MAX_S)));
        let wrong = |word: &str, of: &str| Problem::invalid("steps", format!("`{word}` is not how {of} ends"));
        Ok(match self {
            FlowStep::Press(keys) if !keys.is_empty() && keys.len() <= 64 && keys.chars().all(is_key) => {
                Step::Dtmf(keys.clone())
            }
            FlowStep::Press(keys) => return Err(Problem::invalid("steps", format!("`{keys}` are no keys: 0 to 9, *, #"))),
            FlowStep::Say(words) => Step::Say(words.chars().take(limits::FLOW_TEXT_MAX).collect()),
            FlowStep::Wait(s) => Step::Silence(seconds(s)),
            FlowStep::Message(s) => Step::SpeakMessage(seconds(s)),
            FlowStep::TalkEnded(_) => Step::TalkEnded,
            FlowStep::Hangup(_) => Step::Hangup,
            FlowStep::Queue(word) => Step::Queue(match word.as_str() {
                "answered" => QueueResult::Answered,
                "timeout" => QueueResult::Timeout,
                "no_agents" => QueueResult::NoAgents,
                "full" => QueueResult::Full,
                _ => return Err(wrong(word, "a wait")),
            }),
            FlowStep::Transfer(word) => Step::Transfer(match word.as_str() {
                "answered" => TransferResult::Answered,
                "no_answer" => TransferResult::NoAnswer,
                "busy" => TransferResult::Busy,
                "failed" => TransferResult::Failed,
                _ => return Err(wrong(word, "a transfer")),
            }),
        })
    }
}

fn is_key(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '*' | '#' | 'A'..='D')
}

impl FlowTry {
    /// Who calls. `now`: when nothing else is said.
    pub fn caller(&self, now: Wall) -> Result<Caller, Problem> {
        if self.steps.len() > limits::FLOW_TRY_STEPS_MAX {
            return Err(Problem::invalid("steps", format!("at most {} steps", limits::FLOW_TRY_STEPS_MAX)));
        }
        let channel = self.channel.as_deref().unwrap_or("voice");
        let channel = Channel::parse(channel).ok_or_else(|| Problem::invalid("channel", "expected voice or webchat"))?;
        let hours = self.hours.iter().map(|(id, state)| {
            let calendar = CalendarId::parse(id).map_err(|e| Problem::invalid("hours", e.to_string()))?;
            let state = HoursState::parse(state);
            let state = state.ok_or_else(|| Problem::invalid("hours", "expected open, closed, holiday or emergency"))?;
            Ok::<_, Problem>((calendar, state))
        });
        Ok(Caller {
            channel,
            ani: self.from.clone().unwrap_or_else(|| "+8613800000000".to_owned()),
            dnis: self.to.clone().unwrap_or_else(|| "4000".to_owned()),
            lang: self.lang.clone(),
            at: super::wire::instant("at", self.at.as_deref())?.unwrap_or(now),
            hours: hours.collect::<Result<_, _>>()?,
        })
    }
}

/// What a try met.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowMet {
    /// What came before the first step, then what followed from each. Fewer than steps when it was over before.
    steps: Vec<FlowMetStep>,
}

/// What followed from one step.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowMetStep {
    /// In order.
    told: Vec<FlowTold>,
    /// Where it is now.
    flow: String,
    /// The node it waits in, or ended in.
    node: String,
    /// Nothing comes after this.
    over: bool,
}

/// Something a caller met.
#[derive(Debug, Serialize, ToSchema)]
pub struct FlowTold {
    /// `entered`, `heard`, `asked` (a service; in a try none answers), `queued`, `voicemail`, `callback`, `transfer`, `event`, `ended`.
    what: String,
    /// Node, words, address, queue, target, name or outcome.
    text: String,
    /// Name of the prompt, where something was heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
}

impl FlowMet {
    /// From a rehearsal.
    pub fn of(met: &[Met]) -> Self {
        let told = |t: &Told| {
            let (what, text, prompt) = match t {
                Told::Entered { flow, node } => ("entered", format!("{flow}/{node}"), None),
                Told::Heard { id, text } => ("heard", text.clone(), Some(id.clone())),
                Told::Asked(url) => ("asked", url.clone(), None),
                Told::Queued(queue) => ("queued", queue.clone(), None),
                Told::Voicemail => ("voicemail", String::new(), None),
                Told::Callback(number) => ("callback", number.clone(), None),
                Told::Transfer(to) => ("transfer", to.clone(), None),
                Told::Event(name) => ("event", name.clone(), None),
                Told::Ended(how) => ("ended", how.clone(), None),
            };
            FlowTold { what: what.to_owned(), text, prompt }
        };
        let step = |m: &Met| FlowMetStep {
            told: m.told.iter().map(told).collect(),
            flow: m.flow.clone(),
            node: m.node.clone(),
            over: m.over,
        };
        FlowMet { steps: met.iter().map(step).collect() }
    }
}

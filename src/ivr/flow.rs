//! A flow in types: what [`Flow::parse`](super::Flow::parse) makes, the linter reads and a run walks.
//!
//! Everything an author wrote keeps its place, so that whoever complains later can point at it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

pub use super::edges::{Edge, EdgeKind};
use super::{Method, Pos, Record, Value, expr::Expr, template::Template};
use crate::base::{AgentId, CalendarId, Channel, FlowId, QueueId, SkillId, SlaId};

/// A value and where it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct At<T> {
    /// Where.
    pub pos: Pos,
    /// What.
    pub it: T,
}

/// One flow: an IVR program and its tests.
#[derive(Debug, Clone)]
pub struct Flow {
    /// Name.
    pub id: FlowId,
    /// SHA-256 of the file, lower-case hex: two flows of one name are the same version when this is the same.
    pub hash: String,
    /// File name for messages.
    pub file: String,
    /// As written.
    pub text: Arc<str>,
    /// Where it runs.
    pub channels: Vec<Channel>,
    /// What it speaks; the first is the default.
    pub languages: Vec<String>,
    /// First node.
    pub start: At<String>,
    /// What comes from outside.
    pub inputs: BTreeMap<String, InputDecl>,
    /// What it remembers.
    pub vars: BTreeMap<String, VarDecl>,
    /// Settings with their defaults.
    pub config: BTreeMap<String, At<String>>,
    /// Prompts by id.
    pub prompts: BTreeMap<String, PromptDecl>,
    /// Grammars by id.
    pub grammars: BTreeMap<String, Grammar>,
    /// Nodes by name.
    pub nodes: BTreeMap<String, Node>,
    /// Names of the nodes as they stand in the file.
    pub order: Vec<String>,
    /// The stories.
    pub tests: Vec<super::test::Story>,
}

/// The kind of a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Type {
    /// Nothing but null.
    Null,
    /// Yes or no.
    Bool,
    /// A number.
    Number,
    /// A length of time.
    Duration,
    /// Text of any kind: string, digits, e164, date.
    Text,
    /// One of these words.
    Enum(Vec<String>),
    /// Several of one kind.
    List(Box<Type>),
    /// Fields.
    Object(BTreeMap<String, Type>),
    /// Not known (an empty list, the field of something wrong): agrees with everything.
    Any,
}

/// A variable.
#[derive(Debug, Clone)]
pub struct VarDecl {
    /// Where declared.
    pub pos: Pos,
    /// Kind.
    pub ty: Type,
    /// True: never in prompts, logs, URLs, events, snapshots.
    pub secret: bool,
    /// Longest text, characters; longer is cut.
    pub max_len: Option<usize>,
    /// First value; None when the author gave none, then it must be set before it is read.
    pub default: Option<Value>,
}

/// Where an input comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The call or chat: `call.ani call.dnis call.channel call.lang call.id call.tenant`.
    Channel,
    /// [`Env::inputs`](super::Env::inputs).
    Env,
    /// `with:` of the flow that calls this one.
    Caller,
}

/// An input.
#[derive(Debug, Clone)]
pub struct InputDecl {
    /// Where declared.
    pub pos: Pos,
    /// Kind.
    pub ty: Type,
    /// As for variables.
    pub secret: bool,
    /// From whom.
    pub from: From,
    /// When nobody gives it.
    pub default: Option<Value>,
}

/// A prompt in its languages.
#[derive(Debug, Clone)]
pub struct PromptDecl {
    /// Where declared.
    pub pos: Pos,
    /// A notice the law wants heard to its end.
    pub legal: bool,
    /// By language.
    pub texts: BTreeMap<String, PromptText>,
}

/// A prompt in one language.
#[derive(Debug, Clone)]
pub struct PromptText {
    /// Where.
    pub pos: Pos,
    /// Recording; wins on voice.
    pub file: Option<String>,
    /// Words.
    pub say: Option<At<Template>>,
    /// Words on text channels, where others are needed than to the ear ("press 1"); `say` if absent.
    pub text: Option<At<Template>>,
}

impl PromptText {
    /// The words on a channel.
    pub fn words(&self, text: bool) -> Option<&At<Template>> {
        self.text.as_ref().filter(|_| text).or(self.say.as_ref())
    }
}

/// What may be answered to a question.
#[derive(Debug, Clone)]
pub struct Grammar {
    /// Where declared.
    pub pos: Pos,
    /// Keys and what they mean, in the order written (the order of buttons).
    pub dtmf: Vec<(At<String>, At<String>)>,
    /// Meanings and the phrases for them, all languages together.
    pub phrases: Vec<(At<String>, Vec<At<String>>)>,
    /// What is written on the button of a meaning, by language.
    pub labels: BTreeMap<String, BTreeMap<String, String>>,
}

impl Grammar {
    /// Every meaning, in order of first mention.
    pub fn meanings(&self) -> Vec<&At<String>> {
        let mut seen: Vec<&At<String>> = Vec::new();
        for m in self.dtmf.iter().map(|d| &d.1).chain(self.phrases.iter().map(|p| &p.0)) {
            if !seen.iter().any(|s| s.it == m.it) {
                seen.push(m);
            }
        }
        seen
    }
}

/// A value in `with`, `attributes`, `data`: an expression, or text with placeholders when there is a `{` in it.
#[derive(Debug, Clone)]
pub enum Given {
    /// Computed.
    Expr(At<Expr>),
    /// Filled in.
    Text(At<Template>),
}

/// One step of a flow.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where its name stands.
    pub pos: Pos,
    /// What it does.
    pub verb: Verb,
    /// Where the word of the verb stands.
    pub verb_pos: Pos,
    /// Branches by outcome.
    pub when: Vec<(At<String>, At<String>)>,
    /// The one way on.
    pub then: Option<At<String>>,
    /// When it cannot be done. `true`: inherited from `defaults`.
    pub on_error: Option<(At<String>, bool)>,
    /// When the caller did not manage.
    pub exhausted: Option<At<String>>,
    /// When the caller leaves here. `true`: inherited.
    pub on_hangup: Option<(At<String>, bool)>,
    /// Only on these channels.
    pub channels: Option<Vec<Channel>>,
    /// Where the others go.
    pub other_channel: Option<At<String>>,
    /// Assignments on the way in.
    pub set_on_enter: Vec<(At<String>, At<Expr>)>,
    /// Reached from outside the graph.
    pub entry: bool,
    /// Why no test walks here.
    pub untested: Option<String>,
}

/// The verbs.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a flow has tens of nodes, and they live as long as it")]
pub enum Verb {
    /// Tell.
    Say(Say),
    /// Ask.
    Gather(Gather),
    /// Compute.
    Set(Vec<(At<String>, At<Expr>)>),
    /// Decide.
    Branch(Branch),
    /// Is it open?
    Hours(At<CalendarId>),
    /// Ask a service.
    Http(Http),
    /// Run another flow.
    Call(Call),
    /// Wait for a person.
    Queue(Queue),
    /// Call the customer back.
    Callback(Callback),
    /// Take a message.
    Voicemail(Voicemail),
    /// Hand over.
    Transfer(Transfer),
    /// Tell the house.
    Event(Event),
    /// Back to the flow that called.
    Return(Return),
    /// End.
    Hangup,
}

/// `say`.
#[derive(Debug, Clone)]
pub struct Say {
    /// Prompts in order.
    pub prompts: Vec<At<String>>,
    /// What may cut it.
    pub barge_in: BargeIn,
}

/// What may cut a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BargeIn {
    /// A key.
    pub dtmf: bool,
    /// A voice.
    pub speech: bool,
}

/// `gather`.
#[derive(Debug, Clone)]
pub struct Gather {
    /// The n-th try plays the n-th; the last one repeats.
    pub prompts: Vec<At<String>>,
    /// Keys are taken.
    pub dtmf: bool,
    /// Speech is taken, where there is a recogniser. (Typed text always is.)
    pub speech: bool,
    /// What the answer may be.
    pub mode: GatherMode,
    /// Variable for the answer.
    pub save: Option<At<String>>,
    /// Patience after the prompt.
    pub timeout: Duration,
    /// Patience between keys.
    pub inter_digit: Duration,
    /// Tries after the first.
    pub retries: u32,
    /// What may cut the question.
    pub barge_in: BargeIn,
    /// Below, speech is not believed.
    pub min_confidence: f64,
    /// Fewer words do not cut the question.
    pub min_words: usize,
    /// Said before asking again after silence.
    pub no_input: Vec<At<String>>,
    /// Said before asking again after nonsense.
    pub no_match: Vec<At<String>>,
}

/// What the answer of a `gather` may be.
#[derive(Debug, Clone)]
pub enum GatherMode {
    /// One of the meanings of a grammar.
    Grammar(At<String>),
    /// Digits.
    Digits {
        /// Where.
        pos: Pos,
        /// Fewest.
        min: usize,
        /// Most.
        max: usize,
        /// The key that ends.
        end: Option<char>,
    },
    /// Anything said or typed, so many characters at most.
    Words(usize),
}

/// `branch`.
#[derive(Debug, Clone)]
pub struct Branch {
    /// Tried in order.
    pub cases: Vec<(At<Expr>, At<String>)>,
    /// When none holds.
    pub otherwise: Option<At<String>>,
}

/// `http`.
#[derive(Debug, Clone)]
pub struct Http {
    /// Method.
    pub method: Method,
    /// Address.
    pub url: At<Template>,
    /// Query.
    pub query: Vec<(String, Given)>,
    /// Headers.
    pub headers: Vec<(String, Given)>,
    /// Body.
    pub body: Vec<(String, Given)>,
    /// Body that is not logged.
    pub secret_body: Vec<(String, Given)>,
    /// Variable for the body of the answer.
    pub into: Option<At<String>>,
    /// Statuses that are not errors.
    pub accept: Vec<u16>,
    /// For each try.
    pub timeout: Duration,
    /// Tries after the first.
    pub retries: u32,
}

impl Http {
    /// Longest silence it can cause.
    pub fn patience(&self) -> Duration {
        self.timeout * (self.retries + 1)
    }
}

/// `call`.
#[derive(Debug, Clone)]
pub struct Call {
    /// Which flow.
    pub flow: At<FlowId>,
    /// Its inputs.
    pub with: Vec<(At<String>, Given)>,
    /// Variable for what it returns.
    pub into: Option<At<String>>,
}

/// `queue`.
#[derive(Debug, Clone)]
pub struct Queue {
    /// Which.
    pub queue: At<QueueId>,
    /// Skill, level, and when it is asked for.
    pub skills: Vec<(At<SkillId>, u8, Option<At<Expr>>)>,
    /// Minutes.
    pub priority: Option<At<Expr>>,
    /// Agent first, and for how long.
    pub prefer_agent: Option<(Given, Duration)>,
    /// For agents and reports.
    pub attributes: Vec<(String, Given)>,
    /// Class or file.
    pub music: Option<At<String>>,
    /// What is said meanwhile.
    pub announce: Option<Announce>,
    /// Keys that lead out.
    pub exits: Vec<Exit>,
    /// What the agent hears.
    pub agent_whisper: Option<At<Template>>,
    /// Recording; None: as the tenant has decided.
    pub record: Option<Record>,
    /// Longest wait.
    pub max_wait: Option<Duration>,
}

/// What is said to those who wait.
#[derive(Debug, Clone)]
pub struct Announce {
    /// What.
    pub prompts: Vec<At<String>>,
    /// First time after.
    pub first_after: Duration,
    /// Again each.
    pub every: Duration,
    /// Only then.
    pub only_if: Option<At<Expr>>,
}

/// A key that leads out of a queue.
#[derive(Debug, Clone)]
pub struct Exit {
    /// Where.
    pub pos: Pos,
    /// Key.
    pub key: char,
    /// To.
    pub goto: At<String>,
    /// Only then.
    pub only_if: Option<At<Expr>>,
}

/// `callback`.
#[derive(Debug, Clone)]
pub struct Callback {
    /// The number to call; the caller's own if absent.
    pub number: Option<At<Template>>,
    /// Whose work it is; the queue waited in last if absent.
    pub queue: Option<At<QueueId>>,
    /// The hour the customer has chosen, four digits of a clock; as soon as it is their turn if absent.
    pub at: Option<At<Template>>,
    /// Calls to the customer, at most.
    pub attempts: u32,
    /// Between two of them.
    pub gap: Duration,
    /// A machine that answers is no customer. Else who answers is left to the agent.
    pub screens: bool,
    /// What a machine that answers is told: these, after its beep. Nothing if empty.
    pub message: Vec<At<String>>,
    /// What becomes of a customer nobody has reached.
    pub ticket: Option<TicketOf>,
}

/// The ticket something becomes.
#[derive(Debug, Clone)]
pub struct TicketOf {
    /// Whose work it becomes.
    pub queue: At<QueueId>,
    /// Title of the ticket.
    pub title: At<Template>,
    /// Its clock.
    pub sla: Option<At<SlaId>>,
}

/// `voicemail`.
#[derive(Debug, Clone)]
pub struct Voicemail {
    /// Before the tone.
    pub prompts: Vec<At<String>>,
    /// Longest message.
    pub max: Duration,
    /// Whose work it becomes.
    pub queue: At<QueueId>,
    /// Title of the ticket.
    pub title: At<Template>,
    /// Its clock.
    pub sla: Option<At<SlaId>>,
}

/// `transfer`.
#[derive(Debug, Clone)]
pub struct Transfer {
    /// Where to.
    pub to: Target,
    /// Ring no longer.
    pub timeout: Duration,
}

/// Where a transfer goes.
#[derive(Debug, Clone)]
pub enum Target {
    /// A number.
    Number(At<Template>),
    /// A queue.
    Queue(At<QueueId>),
    /// An agent.
    Agent(At<AgentId>),
}

/// `event`.
#[derive(Debug, Clone)]
pub struct Event {
    /// Name.
    pub name: String,
    /// Data.
    pub data: Vec<(String, Given)>,
}

/// `return`.
#[derive(Debug, Clone)]
pub struct Return {
    /// Outcome: a branch of the caller.
    pub outcome: At<String>,
    /// What it brings.
    pub value: Option<At<Expr>>,
}

impl Flow {
    /// The language to speak, given what is wanted.
    pub fn language<'a>(&'a self, wanted: &str) -> &'a str {
        let exact = self.languages.iter().find(|l| l.eq_ignore_ascii_case(wanted));
        let family = |l: &str| l.split('-').next().unwrap_or("").to_ascii_lowercase();
        exact
            .or_else(|| self.languages.iter().find(|l| !wanted.is_empty() && family(l) == family(wanted)))
            .or(self.languages.first())
            .map_or("", String::as_str)
    }
    /// The outcomes its `return` nodes can give.
    pub fn outcomes(&self) -> Vec<&str> {
        let mut all: Vec<&str> = self
            .nodes
            .values()
            .filter_map(|n| match &n.verb {
                Verb::Return(r) => Some(r.outcome.it.as_str()),
                _ => None,
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

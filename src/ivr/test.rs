//! The stories written in a flow, played against the same machine that serves callers: pure, in virtual time.
//!
//! A story gives the caller, the hour, and what services answer; its steps are what the caller does and what must then be so.
//! Prompts are heard to their end at once, so a `silence: 5s` is five seconds of the caller's, not of the prompt's.

mod rehearse;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

pub use rehearse::{Caller, Met, Told, rehearse};

use super::{
    Answer, CallbackResult, End, Enqueue, Env, Flow, Hours, HoursState, HttpAsk, HttpError, Input, Library, Output, Pos,
    QueueResult, Run, TicketRequest, TransferResult, TransferTo, Value, flow::At,
};
use crate::base::{CalendarId, Channel, Mono, Now, QueueId, TenantId, Wall, secs};

/// Most prompts and answers that follow one step; more is a flow that never stops talking.
const SETTLE_MAX: usize = 500;

/// One test of a flow.
#[derive(Debug, Clone)]
pub struct Story {
    /// Where it stands.
    pub pos: Pos,
    /// Its name.
    pub name: String,
    /// When it happens.
    pub at: Wall,
    /// By which channel.
    pub channel: Channel,
    /// Who calls.
    pub ani: String,
    /// What they called.
    pub dnis: String,
    /// Language known beforehand.
    pub lang: Option<String>,
    /// Inputs `from: env`, and for a sub-flow those `from: caller`.
    pub inputs: BTreeMap<String, Value>,
    /// Settings.
    pub config: BTreeMap<String, String>,
    /// Calendars as they shall be; others are asked.
    pub hours: BTreeMap<CalendarId, HoursState>,
    /// What services answer.
    pub http: Vec<Stub>,
    /// What is said to the wish to be called back; if nothing, yes to whatever may be a number.
    pub callback: Option<CallbackResult>,
    /// What happens.
    pub steps: Vec<At<Step>>,
}

/// A service that answers: the n-th time the n-th answer, then the last one again.
#[derive(Debug, Clone)]
pub struct Stub {
    /// Method.
    pub method: String,
    /// Address without query; `*` at the end matches any rest.
    pub url: String,
    /// Answers.
    pub answers: Vec<StubAnswer>,
}

/// What a service answers.
#[derive(Debug, Clone)]
pub enum StubAnswer {
    /// Something.
    Answer {
        /// Status.
        status: u16,
        /// Body.
        body: serde_json::Value,
    },
    /// Nothing.
    Error(HttpError),
}

/// A step of a story.
#[derive(Debug, Clone)]
pub enum Step {
    /// The caller says, the visitor types.
    Say(String),
    /// Keys.
    Dtmf(String),
    /// Time passes.
    Silence(Duration),
    /// The queue decides.
    Queue(QueueResult),
    /// News from the queue.
    QueueInfo {
        /// Place.
        position: u32,
        /// Seconds.
        ewt_s: f64,
        /// 0 to 1.
        confidence: f64,
    },
    /// The agent hangs up.
    TalkEnded,
    /// A transfer ends.
    Transfer(TransferResult),
    /// A message is left.
    SpeakMessage(Duration),
    /// The recorder fails.
    VoicemailFailed,
    /// The caller hangs up.
    Hangup,
    /// This prompt was heard since the last thing the caller did.
    ExpectPrompt(String),
    /// This is so.
    Expect(Box<Expect>),
}

/// What must be so.
#[derive(Debug, Clone, Default)]
pub struct Expect {
    /// The node it waits in (or ended in).
    pub node: Option<String>,
    /// The flow that node is in.
    pub flow: Option<String>,
    /// It waits (or waited) in a queue.
    pub enqueued: bool,
    /// Which.
    pub queue: Option<QueueId>,
    /// Head start.
    pub priority: Option<i32>,
    /// Agent first.
    pub prefer_agent: Option<String>,
    /// Exactly these skills, `orders` or `orders:2`.
    pub skills: Option<Vec<String>>,
    /// At least these attributes.
    pub attributes: BTreeMap<String, String>,
    /// A message was left and becomes a ticket.
    pub ticket: bool,
    /// Of this queue.
    pub ticket_queue: Option<QueueId>,
    /// With this title.
    pub ticket_title: Option<String>,
    /// Such an event was sent.
    pub event: Option<String>,
    /// To be called back at.
    pub callback: Option<String>,
    /// Handed over to.
    pub transfer: Option<String>,
    /// It ended: `hangup`, `caller_left`, `transferred`, `failed`, or the outcome returned.
    pub ended: Option<String>,
    /// Variables.
    pub vars: BTreeMap<String, Value>,
}

/// What came of the stories of a flow.
#[derive(Debug, Clone)]
pub struct Report {
    /// The flow.
    pub flow: String,
    /// File, for messages.
    pub file: String,
    /// Each story.
    pub results: Vec<StoryResult>,
    /// Nodes of this flow that some story walked through.
    pub visited: std::collections::BTreeSet<String>,
}

/// What came of one story.
#[derive(Debug, Clone)]
pub struct StoryResult {
    /// Its name.
    pub name: String,
    /// Where it stands.
    pub pos: Pos,
    /// The step that failed.
    pub failure: Option<Failure>,
}

/// A step that did not come true.
#[derive(Debug, Clone)]
pub struct Failure {
    /// Where the step stands.
    pub pos: Pos,
    /// Which, from 1.
    pub step: usize,
    /// What should have been.
    pub expected: String,
    /// What was.
    pub found: String,
}

impl Report {
    /// True when every story came true.
    pub fn passed(&self) -> bool {
        self.results.iter().all(|r| r.failure.is_none())
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for r in &self.results {
            match &r.failure {
                None => writeln!(f, "ok    {} · {}", self.flow, r.name)?,
                Some(x) => {
                    writeln!(f, "FAIL  {} · {}", self.flow, r.name)?;
                    writeln!(f, "      {}:{}: step {}: expected {}", self.file, x.pos, x.step, x.expected)?;
                    writeln!(f, "      found {}", x.found)?;
                }
            }
        }
        let failed = self.results.iter().filter(|r| r.failure.is_some()).count();
        writeln!(f, "{}: {} passed, {failed} failed", self.flow, self.results.len() - failed)
    }
}

/// Plays every story of `flow`.
pub fn run(flow: &Arc<Flow>, library: &Library) -> Report {
    let mut visited = std::collections::BTreeSet::new();
    let play = |s: &Story| {
        let mut stage = Stage::new(flow, library, s);
        let failure = stage.play(s).err();
        visited.append(&mut stage.visited);
        StoryResult { name: s.name.clone(), pos: s.pos, failure }
    };
    let results = flow.tests.iter().map(play).collect();
    Report { flow: flow.id.to_string(), file: flow.file.clone(), results, visited }
}

/// Compares one thing: what it is, what is wanted, what there is.
type Want<'a> = dyn Fn(&str, &str, Option<String>) -> Result<(), (String, String)> + 'a;

/// Calendars with those of the story in front.
#[derive(Debug)]
struct StubHours {
    own: BTreeMap<CalendarId, HoursState>,
    rest: Arc<dyn Hours>,
}

impl Hours for StubHours {
    fn state(&self, calendar: &CalendarId, at: Wall) -> Option<HoursState> {
        self.own.get(calendar).copied().or_else(|| self.rest.state(calendar, at))
    }
}

struct Stage<'a> {
    run: Run,
    root: &'a Arc<Flow>,
    now: Now,
    stubs: Vec<(&'a Stub, usize)>,
    /// Prompts heard since the caller last did something.
    heard: Vec<String>,
    queued: Option<Enqueue>,
    ticket: Option<TicketRequest>,
    message_left: bool,
    events: Vec<String>,
    transfer: Option<TransferTo>,
    /// To be called back at, and what is said to that.
    callback: (Option<String>, Option<CallbackResult>),
    ended: Option<End>,
    visited: std::collections::BTreeSet<String>,
    /// Everything the caller met since somebody last looked; read by rehearsals only.
    told: Vec<Told>,
}

impl<'a> Stage<'a> {
    fn new(flow: &'a Arc<Flow>, library: &Library, s: &'a Story) -> Stage<'a> {
        let mut config = library.config.clone();
        config.extend(s.config.clone());
        let hours = Arc::new(StubHours { own: s.hours.clone(), rest: library.hours.clone() });
        let library = Arc::new(Library { flows: library.flows.clone(), hours, config });
        let env = Env {
            channel: s.channel,
            ani: s.ani.clone(),
            dnis: s.dnis.clone(),
            lang: s.lang.clone(),
            tenant: TenantId::parse("test").expect("a good id"),
            interaction: "00000000-0000-7000-8000-000000000000".to_owned(),
            inputs: s.inputs.clone(),
        };
        let mut run = Run::start(flow.clone(), library, env);
        run.give(&s.inputs);
        Stage {
            run,
            root: flow,
            now: Now { mono: Mono(0), wall: s.at },
            stubs: s.http.iter().map(|s| (s, 0)).collect(),
            heard: Vec::new(),
            queued: None,
            ticket: None,
            message_left: false,
            events: Vec::new(),
            transfer: None,
            callback: (None, s.callback),
            ended: None,
            visited: std::collections::BTreeSet::new(),
            told: Vec::new(),
        }
    }

    fn play(&mut self, s: &Story) -> Result<(), Failure> {
        self.feed(Input::Begin);
        for (i, at) in s.steps.iter().enumerate() {
            self.step(&at.it).map_err(|(expected, found)| Failure { pos: at.pos, step: i + 1, expected, found })?;
        }
        Ok(())
    }

    /// Gives an input and everything that follows from it without the caller.
    fn feed(&mut self, input: Input) {
        let mut next = Some(input);
        for _ in 0..SETTLE_MAX {
            let Some(input) = next.take() else { return };
            let mut out = Vec::new();
            self.run.handle(self.now, input, &mut out);
            for o in out {
                if let Some(answer) = self.note(o) {
                    next = Some(answer);
                }
            }
            if next.is_none() && self.run.is_saying() {
                next = Some(Input::Played);
            }
        }
    }

    /// Remembers an output; an HTTP question is answered.
    fn note(&mut self, o: Output) -> Option<Input> {
        self.tell(&o);
        match o {
            Output::Entered { flow, node } if flow == self.root.id => {
                self.visited.insert(node);
            }
            Output::Say { prompts, .. } | Output::Announce(prompts) => {
                self.heard.extend(prompts.iter().map(|p| p.id().to_owned()));
            }
            Output::Http(h) => return Some(self.answer(&h)),
            Output::Enqueue(q) => self.queued = Some(q),
            Output::Voicemail { prompts, ticket, text, .. } => {
                self.heard.extend(prompts.iter().map(|p| p.id().to_owned()));
                self.ticket = Some(ticket);
                // A written message is there at once.
                if text.is_some() {
                    self.message_left = true;
                    return Some(Input::VoicemailDone { seconds: 0 });
                }
            }
            Output::Callback(c) => {
                let number = c.number.bytes().filter(u8::is_ascii_digit).count() > 6;
                let usual = if number { CallbackResult::Queued } else { CallbackResult::Refused };
                self.callback.0 = Some(c.number);
                return Some(Input::Callback(self.callback.1.unwrap_or(usual)));
            }
            Output::Transfer { to, .. } => self.transfer = Some(to),
            Output::Event { name, .. } => self.events.push(name),
            Output::Finished { outcome } => self.ended = Some(outcome),
            _ => {}
        }
        None
    }

    fn answer(&mut self, h: &HttpAsk) -> Input {
        let url = h.url.as_str();
        let hit = self.stubs.iter_mut().find(|(s, _)| {
            let same = match s.url.strip_suffix('*') {
                Some(start) => url.starts_with(start),
                None => url == s.url,
            };
            same && s.method == h.method.as_str()
        });
        let result = match hit {
            // A service nobody described cannot be reached.
            None => Err(HttpError::Unreachable),
            Some((stub, times)) => {
                let answer = stub.answers.get(*times).or(stub.answers.last());
                *times += 1;
                match answer {
                    Some(StubAnswer::Answer { status, body }) => Ok(Answer { status: *status, body: body.clone() }),
                    Some(StubAnswer::Error(e)) => Err(*e),
                    None => Err(HttpError::Unreachable),
                }
            }
        };
        Input::Http { ask: h.ask, result }
    }

    /// Lets time pass; deadlines on the way are met.
    fn pass(&mut self, d: Duration) {
        let end = self.now.later(d);
        for _ in 0..SETTLE_MAX {
            let Some(at) = self.run.deadline().filter(|t| *t <= end.mono) else { break };
            self.now = self.now.later(at - self.now.mono);
            self.feed(Input::Tick);
        }
        self.now = end;
    }

    fn step(&mut self, step: &Step) -> Result<(), (String, String)> {
        if !matches!(step, Step::ExpectPrompt(_) | Step::Expect(_)) {
            self.heard.clear();
        }
        match step {
            Step::Say(text) => self.feed(Input::Words { text: text.clone(), confidence: 1.0 }),
            Step::Dtmf(keys) => keys.chars().for_each(|k| self.feed(Input::Digit(k))),
            Step::Silence(d) => self.pass(*d),
            Step::Queue(result) => self.feed(Input::Queue(*result)),
            Step::QueueInfo { position, ewt_s, confidence } => {
                self.feed(Input::QueueInfo { position: *position, ewt_s: *ewt_s, confidence: *confidence });
            }
            Step::TalkEnded => self.feed(Input::TalkEnded),
            Step::Transfer(result) => self.feed(Input::Transfer(*result)),
            Step::SpeakMessage(d) => {
                self.pass(*d);
                self.message_left = self.ticket.is_some() && *d >= secs(1);
                let seconds = u32::try_from(d.as_secs()).unwrap_or(u32::MAX);
                self.feed(Input::VoicemailDone { seconds });
            }
            Step::VoicemailFailed => self.feed(Input::VoicemailFailed),
            Step::Hangup => self.feed(Input::Hangup),
            Step::ExpectPrompt(id) => {
                if !self.heard.iter().any(|h| h == id) {
                    return Err((format!("prompt `{id}`"), self.story()));
                }
            }
            Step::Expect(x) => return self.expect(x),
        }
        Ok(())
    }

    /// Where the run is and what was heard, in one line.
    fn story(&self) -> String {
        let heard = if self.heard.is_empty() { "nothing heard".to_owned() } else { format!("heard {}", self.heard.join(", ")) };
        let end = self.ended.as_ref().map(|e| format!(", ended: {}", ended(e))).unwrap_or_default();
        format!("node `{}` of `{}`, {heard}{end}", self.run.node(), self.run.flow())
    }

    fn expect(&self, x: &Expect) -> Result<(), (String, String)> {
        let want = |what: &str, want: &str, have: Option<String>| {
            if have.as_deref() == Some(want) {
                return Ok(());
            }
            Err((
                format!("{what} `{want}`"),
                format!("{}; {}", have.map_or("none".to_owned(), |h| format!("`{h}`")), self.story()),
            ))
        };
        if let Some(n) = &x.node {
            want("node", n, Some(self.run.node().to_owned()))?;
        }
        if let Some(f) = &x.flow {
            want("flow", f, Some(self.run.flow().to_string()))?;
        }
        if x.enqueued {
            self.expect_queue(x, &want)?;
        }
        if x.ticket {
            let left = self.ticket.as_ref().filter(|_| self.message_left);
            let Some(t) = left else { return Err(("a ticket from a message".to_owned(), format!("none; {}", self.story()))) };
            if let Some(q) = &x.ticket_queue {
                want("ticket queue", q.as_str(), Some(t.queue.to_string()))?;
            }
            if let Some(title) = &x.ticket_title {
                want("ticket title", title, Some(t.title.clone()))?;
            }
        }
        if let Some(e) = &x.event {
            want("event", e, self.events.iter().find(|h| *h == e).or(self.events.last()).cloned())?;
        }
        if let Some(n) = &x.callback {
            want("a call back to", n, self.callback.0.clone())?;
        }
        if let Some(t) = &x.transfer {
            let to = self.transfer.as_ref().map(|t| match t {
                TransferTo::Number(n) => n.clone(),
                TransferTo::Queue(q) => q.to_string(),
                TransferTo::Agent(a) => a.to_string(),
            });
            want("transfer to", t, to)?;
        }
        if let Some(e) = &x.ended {
            want("ended", e, self.ended.as_ref().map(ended))?;
        }
        let vars = self.run.vars();
        for (name, v) in &x.vars {
            want(&format!("variable `{name}`"), &v.show(), vars.get(name).map(Value::show))?;
        }
        Ok(())
    }

    fn expect_queue(&self, x: &Expect, want: &Want<'_>) -> Result<(), (String, String)> {
        let Some(q) = &self.queued else { return Err(("a place in a queue".to_owned(), format!("none; {}", self.story()))) };
        if let Some(id) = &x.queue {
            want("queue", id.as_str(), Some(q.queue.to_string()))?;
        }
        if let Some(p) = x.priority {
            want("priority", &p.to_string(), Some(q.priority_min.to_string()))?;
        }
        if let Some(a) = &x.prefer_agent {
            want("preferred agent", a, q.prefer.as_ref().map(|p| p.0.to_string()))?;
        }
        if let Some(skills) = &x.skills {
            let show = |(s, min): &(crate::base::SkillId, u8)| if *min > 1 { format!("{s}:{min}") } else { s.to_string() };
            let mut have: Vec<String> = q.skills.iter().map(show).collect();
            let mut wanted = skills.clone();
            have.sort();
            wanted.sort();
            want("skills", &wanted.join(", "), Some(have.join(", ")))?;
        }
        for (k, v) in &x.attributes {
            want(&format!("attribute `{k}`"), v, q.attributes.get(k).cloned())?;
        }
        Ok(())
    }
}

fn ended(e: &End) -> String {
    match e {
        End::Hangup => "hangup".to_owned(),
        End::CallerLeft => "caller_left".to_owned(),
        End::Returned(outcome) => outcome.clone(),
        End::Transferred => "transferred".to_owned(),
        End::Failed(_) => "failed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ivr::Flow;

    const MAIN: &str = include_str!("../../ivr-flows/main.yaml");
    const ORDER: &str = include_str!("../../ivr-flows/order-status.yaml");

    #[derive(Debug)]
    struct NoHours;
    impl Hours for NoHours {
        fn state(&self, _: &CalendarId, _: Wall) -> Option<HoursState> {
            None
        }
    }

    fn with(main: &str) -> (Arc<Flow>, Library) {
        let read = |file, text| Arc::new(Flow::parse(file, text).unwrap_or_else(|e| panic!("{e}")));
        let (main, order) = (read("main.yaml", main), read("order-status.yaml", ORDER));
        let flows = [(main.id.clone(), main.clone()), (order.id.clone(), order)].into();
        (main, Library { flows, hours: Arc::new(NoHours), config: BTreeMap::new() })
    }

    #[test]
    fn a_caller_may_hang_up_after_every_step_of_every_story_and_the_run_is_over() {
        let (flow, library) = with(MAIN);
        let mut left_at = std::collections::BTreeSet::new();
        for s in &flow.tests {
            for k in 0..=s.steps.len() {
                let story = Story { steps: s.steps[..k].to_vec(), ..s.clone() };
                let mut stage = Stage::new(&flow, &library, &story);
                stage.play(&story).unwrap_or_else(|f| panic!("{}: {f:?}", s.name));
                left_at.insert(stage.run.node().to_owned());
                stage.feed(Input::Hangup);
                assert!(stage.run.is_over(), "{} after {k} steps at `{}`", s.name, stage.run.node());
                assert!(stage.run.deadline().is_none());
            }
        }
        for node in ["menu", "ask_order_again", "to_support", "to_sales", "leave_message", "anything_else", "hang"] {
            assert!(left_at.contains(node), "{node}: {left_at:?}");
        }
    }

    #[test]
    fn a_story_that_does_not_come_true_says_where_what_and_what_instead() {
        let (flow, library) = with(&MAIN.replacen("priority: 20, skills", "priority: 30, skills", 1));
        let report = run(&flow, &library);
        assert!(!report.passed());
        let line = MAIN.lines().position(|l| l.contains("priority: 20, skills")).expect("there") + 1;
        let text = report.to_string();
        assert!(text.contains("FAIL  main · a complaint in English gets a head start"), "{text}");
        assert!(text.contains(&format!("main.yaml:{line}:9: step 4: expected priority `30`")), "{text}");
        assert!(text.contains("found `20`; node `to_support` of `main`, heard complaint_heard"), "{text}");
        assert!(text.ends_with("main: 14 passed, 1 failed\n"), "{text}");
    }
}

//! The linter: what can be proved about a flow before a caller meets it.
//!
//! The rules have numbers (R1 ..), listed in `ivr-flows/README.md`. An error forbids publishing; a warning does not. What exists
//! around the flow (queues, calendars, addresses that may be asked) is told by a [`Catalog`].
//!
//! `graph.rs` the shape, `values.rs` types, nulls and secrets along every path, `speech.rs` keys, phrases and prompts,
//! `world.rs` what is outside.

mod graph;
mod speech;
#[cfg(test)]
mod tests;
mod values;
mod world;

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
    time::Duration,
};

use super::{Flow, Library, Pos, test};
use crate::base::{AgentId, CalendarId, QueueId, SkillId, SlaId};

/// How bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The flow is not published.
    Error,
    /// The author should look.
    Warning,
    /// A fact worth knowing.
    Note,
}

/// Something the linter found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// `R1` ..
    pub rule: &'static str,
    /// How bad.
    pub severity: Severity,
    /// File.
    pub file: String,
    /// Place.
    pub pos: Pos,
    /// One sentence.
    pub say: String,
    /// What to do.
    pub hint: Option<String>,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        write!(f, "{}:{}: {severity} {}: {}", self.file, self.pos, self.rule, self.say)?;
        match &self.hint {
            Some(h) => write!(f, "; {h}"),
            None => Ok(()),
        }
    }
}

/// What is known about a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CalendarInfo {
    /// Its time zone is known.
    pub zone_known: bool,
    /// How many months ahead its holidays are entered.
    pub holidays_months: u32,
}

/// What is known about a recorded prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromptInfo {
    /// Samples per second.
    pub sample_rate_hz: u32,
    /// Length.
    pub duration: Duration,
}

/// What exists around a flow, in the same version of the configuration.
pub struct Catalog<'a> {
    /// Queues.
    pub queues: BTreeSet<QueueId>,
    /// Skills.
    pub skills: BTreeSet<SkillId>,
    /// Agents.
    pub agents: BTreeSet<AgentId>,
    /// SLA policies.
    pub slas: BTreeSet<SlaId>,
    /// Music classes.
    pub music: BTreeSet<String>,
    /// Calendars.
    pub calendars: BTreeMap<CalendarId, CalendarInfo>,
    /// Beginnings of the addresses flows may ask, `https://crm.local/`.
    pub urls: Vec<String>,
    /// Beginnings of the numbers a flow may transfer to, `+8621`; empty: none may be.
    pub transfer_prefixes: Vec<String>,
    /// A recording by name; None: there is no such file.
    pub prompt_file: &'a dyn Fn(&str) -> Option<PromptInfo>,
    /// A person or voicemail must be within so many answers of the caller, from everywhere.
    pub human_within: u32,
}

impl fmt::Debug for Catalog<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Catalog").field("queues", &self.queues).field("calendars", &self.calendars).finish_non_exhaustive()
    }
}

impl Default for Catalog<'_> {
    fn default() -> Self {
        Catalog {
            queues: BTreeSet::new(),
            skills: BTreeSet::new(),
            agents: BTreeSet::new(),
            slas: BTreeSet::new(),
            music: BTreeSet::new(),
            calendars: BTreeMap::new(),
            urls: Vec::new(),
            transfer_prefixes: Vec::new(),
            prompt_file: &|_| None,
            human_within: 4,
        }
    }
}

/// Collects findings.
struct Found<'a> {
    flow: &'a Flow,
    list: Vec<Finding>,
}

impl Found<'_> {
    fn add(&mut self, rule: &'static str, severity: Severity, pos: Pos, say: String, hint: Option<String>) {
        let finding = Finding { rule, severity, file: self.flow.file.clone(), pos, say, hint };
        if !self.list.contains(&finding) {
            self.list.push(finding);
        }
    }
    fn error(&mut self, rule: &'static str, pos: Pos, say: impl Into<String>) {
        self.add(rule, Severity::Error, pos, say.into(), None);
    }
    fn error_hint(&mut self, rule: &'static str, pos: Pos, say: impl Into<String>, hint: impl Into<String>) {
        self.add(rule, Severity::Error, pos, say.into(), Some(hint.into()));
    }
    fn warn(&mut self, rule: &'static str, pos: Pos, say: impl Into<String>) {
        self.add(rule, Severity::Warning, pos, say.into(), None);
    }
}

/// Checks `flow` by every rule, and plays its tests. Sorted by place; empty when there is nothing to say.
pub fn check(flow: &Arc<Flow>, library: &Library, catalog: &Catalog<'_>) -> Vec<Finding> {
    let mut found = Found { flow, list: Vec::new() };
    graph::targets(&mut found);
    graph::shape(&mut found, library, catalog);
    values::check(&mut found, library);
    speech::check(&mut found, catalog);
    world::check(&mut found, library, catalog);
    stories(&mut found, flow, library);
    let mut list = found.list;
    list.sort_by(|a, b| (a.pos, a.severity, a.rule).cmp(&(b.pos, b.severity, b.rule)));
    list
}

/// R24 every node in a test, and every test true.
fn stories(found: &mut Found<'_>, flow: &Arc<Flow>, library: &Library) {
    let report = test::run(flow, library);
    for r in &report.results {
        if let Some(f) = &r.failure {
            let say = format!("test \"{}\" fails at step {}: expected {}, found {}", r.name, f.step, f.expected, f.found);
            found.error("R24", f.pos, say);
        }
    }
    for (name, node) in &flow.nodes {
        if !report.visited.contains(name) && node.untested.is_none() {
            let hint = Some("add a test that walks there, or say why not: `untested: reason`".to_owned());
            found.add("R24", Severity::Warning, node.pos, format!("no test walks through node `{name}`"), hint);
        }
    }
}

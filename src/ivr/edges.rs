//! The ways out of a node: what the linter walks, the run takes and the drawing shows.

use super::flow::{At, Node, Verb};

/// The kind of an edge of the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EdgeKind {
    /// An outcome in `when`.
    When,
    /// `then`.
    Then,
    /// A case of a branch.
    Case,
    /// An exit key of a queue.
    Exit,
    /// `exhausted`.
    Exhausted,
    /// `on_error`.
    OnError,
    /// `on_hangup`.
    OnHangup,
    /// `other_channel`.
    OtherChannel,
}

/// An edge of the graph.
#[derive(Debug, Clone)]
pub struct Edge<'a> {
    /// Kind.
    pub kind: EdgeKind,
    /// Outcome, key or condition; empty for the others.
    pub label: &'a str,
    /// Node it leads to, and where that is written.
    pub to: &'a At<String>,
    /// Not written at the node but under `defaults`.
    pub inherited: bool,
}

impl Verb {
    /// The word.
    pub fn name(&self) -> &'static str {
        match self {
            Verb::Say(_) => "say",
            Verb::Gather(_) => "gather",
            Verb::Set(_) => "set",
            Verb::Branch(_) => "branch",
            Verb::Hours(_) => "hours",
            Verb::Http(_) => "http",
            Verb::Call(_) => "call",
            Verb::Queue(_) => "queue",
            Verb::Callback(_) => "callback",
            Verb::Voicemail(_) => "voicemail",
            Verb::Transfer(_) => "transfer",
            Verb::Event(_) => "event",
            Verb::Return(_) => "return",
            Verb::Hangup => "hangup",
        }
    }
    /// True where a run ends.
    pub fn is_end(&self) -> bool {
        matches!(self, Verb::Return(_) | Verb::Hangup)
    }
    /// True when going on by an edge of this kind means that the caller did something, or a person spoke with them.
    pub fn is_input(&self, kind: EdgeKind, label: &str) -> bool {
        match self {
            Verb::Gather(_) => kind == EdgeKind::When,
            Verb::Queue(_) => kind == EdgeKind::Exit || kind == EdgeKind::When && label == "answered",
            Verb::Voicemail(_) => kind == EdgeKind::Then,
            Verb::Transfer(_) => kind == EdgeKind::When && label == "answered",
            Verb::Callback(_) => kind == EdgeKind::When && label == "queued",
            _ => false,
        }
    }
}

impl Node {
    /// Every way out, in the order a reader meets them.
    pub fn edges(&self) -> Vec<Edge<'_>> {
        let mut all = Vec::new();
        let mut add = |kind, label, to, inherited| all.push(Edge { kind, label, to, inherited });
        if let Verb::Branch(b) = &self.verb {
            for (e, to) in &b.cases {
                add(EdgeKind::Case, e.it.text.as_str(), to, false);
            }
            if let Some(to) = &b.otherwise {
                add(EdgeKind::Case, "else", to, false);
            }
        }
        for (label, to) in &self.when {
            add(EdgeKind::When, label.it.as_str(), to, false);
        }
        if let Some(to) = &self.then {
            add(EdgeKind::Then, "", to, false);
        }
        if let Verb::Queue(q) = &self.verb {
            for x in &q.exits {
                add(EdgeKind::Exit, key_text(x.key), &x.goto, false);
            }
        }
        if let Some(to) = &self.exhausted {
            add(EdgeKind::Exhausted, "", to, false);
        }
        if let Some(to) = &self.other_channel {
            add(EdgeKind::OtherChannel, "", to, false);
        }
        if let Some((to, inherited)) = &self.on_error {
            add(EdgeKind::OnError, "", to, *inherited);
        }
        if let Some((to, inherited)) = &self.on_hangup {
            add(EdgeKind::OnHangup, "", to, *inherited);
        }
        all
    }
    /// The target of an outcome in `when`.
    pub fn branch(&self, outcome: &str) -> Option<&str> {
        self.when.iter().find(|(l, _)| l.it == outcome).map(|(_, to)| to.it.as_str())
    }
}

/// A key as text.
fn key_text(key: char) -> &'static str {
    const KEYS: &str = "0123456789*#ABCD";
    KEYS.find(key).and_then(|i| KEYS.get(i..=i)).unwrap_or("?")
}

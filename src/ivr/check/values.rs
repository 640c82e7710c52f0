//! R9-R12: types, nulls and secrets, followed along every path.
//!
//! For each node the names that are certainly not null on arrival are found by a fixed point over the graph: a `branch` on
//! `order != null` tells the node behind it that `order` is there, an `http` that fills `order` untells it. Then every
//! expression and placeholder is looked at with what is known where it stands.

use std::collections::BTreeMap;

use super::{Found, Severity};
use crate::ivr::{
    Library, Pos, Value,
    expr::{
        Expr,
        types::{Facts, Found as Name, Names, Typed, facts_if, infer},
    },
    flow::{At, Edge, EdgeKind, Flow, From, GatherMode, Given, Node, Type, Verb},
    machine::built_in,
    template::{Format, Template},
    yaml::did_you_mean,
};

/// The names of a flow.
struct Scope<'a>(&'a Flow);

impl Names for Scope<'_> {
    fn find(&self, path: &[String]) -> Result<Name, (String, Option<String>)> {
        let flow = self.0;
        let dotted = path.join(".");
        if let Some(ty) = built_in(flow, path) {
            return Ok(Name { name: dotted, ty, field: false, nullable: false, unset: false, secret: false });
        }
        let two = path.get(..2).map(|p| p.join("."));
        if let Some((name, d)) = two.and_then(|n| flow.inputs.get_key_value(&n)).or_else(|| flow.inputs.get_key_value(&path[0]))
        {
            let rest = &path[name.split('.').count()..];
            let given = d.from == From::Channel || d.default.as_ref().is_some_and(|v| !v.is_null());
            return fields(name, &d.ty, rest, !given, false, d.secret);
        }
        if let Some(d) = flow.vars.get(&path[0]) {
            let nullable = d.default.as_ref().is_none_or(Value::is_null);
            return fields(&path[0], &d.ty, &path[1..], nullable, d.default.is_none(), d.secret);
        }
        let inputs = flow.inputs.keys().chain(flow.vars.keys()).map(String::as_str);
        let built = ["queue.position", "queue.ewt", "queue.waited", "flow.node", "flow.name"];
        let config: Vec<String> = flow.config.keys().map(|c| format!("config.{c}")).collect();
        let hint = did_you_mean(&dotted, inputs.chain(built).chain(config.iter().map(String::as_str)))
            .unwrap_or_else(|| "declare it under `vars` or `inputs`".to_owned());
        Err((format!("`{dotted}` is not declared"), Some(hint)))
    }
}

fn fields(
    name: &str,
    ty: &Type,
    rest: &[String],
    nullable: bool,
    unset: bool,
    secret: bool,
) -> Result<Name, (String, Option<String>)> {
    let mut ty = ty.clone();
    for f in rest {
        ty = match ty {
            Type::Object(all) => match all.get(f) {
                Some(t) => t.clone(),
                None => {
                    let hint = did_you_mean(f, all.keys().map(String::as_str))
                        .unwrap_or_else(|| format!("it has {}", all.keys().cloned().collect::<Vec<_>>().join(", ")));
                    return Err((format!("`{name}` has no field `{f}`"), Some(hint)));
                }
            },
            Type::Any => Type::Any,
            other => return Err((format!("`{name}` is {}, it has no field `{f}`", other.name()), None)),
        };
    }
    Ok(Name { name: name.to_owned(), ty, field: !rest.is_empty(), nullable, unset, secret })
}

/// R9-R12.
pub(super) fn check(found: &mut Found<'_>, library: &Library) {
    let flow = found.flow;
    for (name, d) in &flow.vars {
        let fits =
            |v: &Value| v.is_null() || d.ty.takes(&Type::of(v)) || matches!((&d.ty, v), (Type::Object(_), Value::Object(_)));
        if let Some(v) = d.default.as_ref().filter(|v| !fits(v)) {
            found.error("R9", d.pos, format!("the default of `{name}` is {}, declared is {}", Type::of(v).name(), d.ty.name()));
        }
    }
    let at = arrivals(flow);
    for (name, node) in &flow.nodes {
        // A node nothing leads to has no facts; R2 tells about it.
        let facts = at.get(name.as_str()).cloned().unwrap_or_default();
        let mut look = Look { found, flow, library, name, facts };
        look.node(node);
    }
}

/// What is certainly not null on arrival at each node.
fn arrivals(flow: &Flow) -> BTreeMap<&str, Facts> {
    let mut at: BTreeMap<&str, Facts> = BTreeMap::new();
    let mut todo: Vec<(&str, Facts)> = vec![(flow.start.it.as_str(), Facts::new())];
    todo.extend(flow.nodes.iter().filter(|(_, n)| n.entry).map(|(name, _)| (name.as_str(), Facts::new())));
    while let Some((name, facts)) = todo.pop() {
        let Some(node) = flow.nodes.get(name) else { continue };
        let new = match at.get(name) {
            None => facts,
            Some(old) => {
                let both: Facts = old.intersection(&facts).cloned().collect();
                if both == *old {
                    continue;
                }
                both
            }
        };
        at.insert(name, new.clone());
        for e in node.edges() {
            todo.push((e.to.it.as_str(), along(flow, node, &e, new.clone())));
        }
    }
    at
}

/// What is known after `node`, on edge `e`.
fn along(flow: &Flow, node: &Node, e: &Edge<'_>, mut facts: Facts) -> Facts {
    if e.kind == EdgeKind::OtherChannel {
        return facts;
    }
    let names = Scope(flow);
    assign_all(flow, &node.set_on_enter, &mut facts);
    match &node.verb {
        Verb::Set(all) => assign_all(flow, all, &mut facts),
        Verb::Gather(g) if e.kind == EdgeKind::When => facts.extend(g.save.as_ref().map(|s| s.it.clone())),
        Verb::Http(h) if e.kind == EdgeKind::Then => {
            if let Some(into) = &h.into {
                facts.remove(&into.it);
            }
        }
        Verb::Call(c) if e.kind == EdgeKind::When => {
            if let Some(into) = &c.into {
                facts.remove(&into.it);
            }
        }
        Verb::Branch(b) if e.kind == EdgeKind::Case => {
            for (cond, to) in &b.cases {
                let here = to.pos == e.to.pos;
                facts.extend(facts_if(&cond.it, here, &names));
                if here {
                    break;
                }
            }
        }
        Verb::Queue(q) if e.kind == EdgeKind::Exit => {
            let exit = q.exits.iter().find(|x| x.goto.pos == e.to.pos);
            facts.extend(exit.and_then(|x| x.only_if.as_ref()).map(|c| facts_if(&c.it, true, &names)).unwrap_or_default());
        }
        _ => {}
    }
    facts
}

fn assign_all(flow: &Flow, all: &[(At<String>, At<Expr>)], facts: &mut Facts) {
    for (name, e) in all {
        let t = infer(&e.it, &Scope(flow), facts, &mut Vec::new());
        if t.null {
            facts.remove(&name.it);
        } else {
            facts.insert(name.it.clone());
        }
    }
}

/// One node, looked at.
struct Look<'f, 'a> {
    found: &'f mut Found<'a>,
    flow: &'a Flow,
    library: &'f Library,
    name: &'f str,
    facts: Facts,
}

/// Where a value goes: whether a secret may go there.
#[derive(Clone, Copy, PartialEq)]
enum Sink {
    /// Nobody sees it.
    Inside,
    /// People, logs or services see it; the words name it.
    Seen(&'static str),
}

impl Look<'_, '_> {
    fn node(&mut self, node: &Node) {
        self.assignments(&node.set_on_enter);
        match &node.verb {
            Verb::Say(s) => self.prompts(&s.prompts),
            Verb::Gather(g) => {
                self.prompts(&g.prompts);
                self.prompts(&g.no_input);
                self.prompts(&g.no_match);
                self.save(g);
            }
            Verb::Set(all) => self.assignments(all),
            Verb::Branch(b) => {
                for (c, _) in &b.cases {
                    self.condition(c);
                    let learned = facts_if(&c.it, false, &Scope(self.flow));
                    self.facts.extend(learned);
                }
            }
            Verb::Hours(_) | Verb::Hangup => {}
            Verb::Http(h) => {
                self.template(&h.url, Sink::Seen("a URL"), "");
                self.givens(&h.query, Sink::Seen("a URL"));
                self.givens(&h.headers, Sink::Seen("a header"));
                self.givens(&h.body, Sink::Seen("a logged body"));
                self.givens(&h.secret_body, Sink::Inside);
                self.unencrypted(h);
                if let Some(into) = &h.into {
                    self.written(into, true);
                }
            }
            Verb::Call(c) => self.call(c),
            Verb::Queue(q) => self.queue(q),
            Verb::Callback(c) => {
                self.prompts(&c.message);
                if let Some(n) = &c.number {
                    self.template(n, Sink::Seen("a number that is dialled"), "");
                }
                if let Some(at) = &c.at {
                    self.template(at, Sink::Seen("an hour to be called at"), "");
                }
                if let Some(t) = &c.ticket {
                    self.template(&t.title, Sink::Seen("a ticket"), "");
                }
            }
            Verb::Voicemail(v) => {
                self.prompts(&v.prompts);
                self.template(&v.title, Sink::Seen("a ticket"), "");
            }
            Verb::Transfer(t) => {
                if let crate::ivr::flow::Target::Number(n) = &t.to {
                    self.template(n, Sink::Seen("a number that is dialled"), "");
                }
            }
            Verb::Event(e) => self.givens(&e.data, Sink::Seen("an event")),
            Verb::Return(r) => {
                if let Some(v) = &r.value {
                    self.expr(v);
                }
            }
        }
    }

    fn queue(&mut self, q: &crate::ivr::flow::Queue) {
        for c in q.skills.iter().filter_map(|s| s.2.as_ref()).chain(q.exits.iter().filter_map(|x| x.only_if.as_ref())) {
            self.condition(c);
        }
        if let Some(p) = &q.priority {
            let t = self.expr(p);
            if !matches!(t.ty, Type::Number | Type::Any) {
                self.found.error("R9", p.pos, format!("`priority` is a number of minutes, this is {}", t.ty.name()));
            }
            self.sink(p.pos, &t, Sink::Seen("the priority"));
        }
        if let Some((who, _)) = &q.prefer_agent {
            let t = self.given(who, Sink::Seen("the preferred agent"));
            if !matches!(t.ty, Type::Text | Type::Enum(_) | Type::Any | Type::Null) {
                self.found.error("R9", place(who), format!("`prefer_agent` needs the id of an agent, this is {}", t.ty.name()));
            }
        }
        self.givens(&q.attributes, Sink::Seen("an attribute"));
        if let Some(a) = &q.announce {
            self.prompts(&a.prompts);
            if let Some(c) = &a.only_if {
                self.condition(c);
            }
        }
        if let Some(w) = &q.agent_whisper {
            self.template(w, Sink::Seen("what the agent hears"), "");
        }
    }

    fn expr(&mut self, e: &At<Expr>) -> Typed {
        let mut problems = Vec::new();
        let t = infer(&e.it, &Scope(self.flow), &self.facts, &mut problems);
        for p in problems {
            self.found.add(p.rule, Severity::Error, e.pos.right(p.at), p.say, p.hint);
        }
        t
    }

    fn condition(&mut self, e: &At<Expr>) {
        let t = self.expr(e);
        if !matches!(t.ty, Type::Bool | Type::Any) {
            self.found.error("R9", e.pos, format!("expected a condition (true or false), this is {}", t.ty.name()));
        }
    }

    fn sink(&mut self, pos: Pos, t: &Typed, sink: Sink) {
        if let Sink::Seen(what) = sink
            && t.secret
        {
            self.found.error_hint(
                "R11",
                pos,
                format!("a secret would be seen in {what}"),
                "secrets go only into `secret_body`",
            );
        }
    }

    fn given(&mut self, g: &Given, sink: Sink) -> Typed {
        match g {
            Given::Expr(e) => {
                let t = self.expr(e);
                self.sink(e.pos, &t, sink);
                t
            }
            Given::Text(t) => self.template(t, sink, ""),
        }
    }

    fn givens(&mut self, all: &[(String, Given)], sink: Sink) {
        for (_, g) in all {
            self.given(g, sink);
        }
    }

    fn assignments(&mut self, all: &[(At<String>, At<Expr>)]) {
        for (name, e) in all {
            let t = self.expr(e);
            if let Some((ty, nullable, secret)) = self.target(name) {
                if !ty.takes(&t.ty) {
                    let say = format!("`{}` is declared as {}, and this is {}", name.it, ty.name(), t.ty.name());
                    self.found.error("R9", e.pos, say);
                } else if t.null && !nullable {
                    let hint = "give a value for that case (`x != null ? x : ''`), or declare it with `default: null`";
                    self.found.error_hint("R9", e.pos, format!("this may be null, and `{}` may not", name.it), hint);
                }
                if t.secret && !secret {
                    self.found.error_hint(
                        "R11",
                        e.pos,
                        format!("a secret would be kept in `{}`, which is not secret", name.it),
                        "declare it with `secret: true`",
                    );
                }
            }
            assign_all(self.flow, std::slice::from_ref(&(name.clone(), e.clone())), &mut self.facts);
        }
    }

    /// Type, nullability and secrecy of a variable that is written.
    fn target(&mut self, name: &At<String>) -> Option<(Type, bool, bool)> {
        if let Some(d) = self.flow.vars.get(&name.it) {
            let nullable = d.default.as_ref().is_none_or(Value::is_null);
            return Some((d.ty.clone(), nullable, d.secret));
        }
        let (say, hint) = if self.flow.inputs.contains_key(&name.it) {
            (format!("`{}` is an input: it can be read, not written", name.it), Some("declare a variable for it".to_owned()))
        } else {
            let hint = did_you_mean(&name.it, self.flow.vars.keys().map(String::as_str));
            (format!("variable `{}` is not declared", name.it), hint.or(Some("declare it under `vars`".to_owned())))
        };
        self.found.add("R9", Severity::Error, name.pos, say, hint);
        None
    }

    /// A variable that takes what came from outside.
    fn written(&mut self, name: &At<String>, may_be_null: bool) -> Option<(Type, bool, bool)> {
        let t = self.target(name)?;
        if may_be_null && !t.1 {
            let hint = "declare it with `default: null`, and test it before use";
            self.found.error_hint(
                "R9",
                name.pos,
                format!("`{}` may become null here, and it is declared never to be", name.it),
                hint,
            );
        }
        Some(t)
    }

    fn save(&mut self, g: &crate::ivr::flow::Gather) {
        let Some(save) = &g.save else { return };
        let Some((ty, ..)) = self.written(save, false) else { return };
        let answer = match &g.mode {
            GatherMode::Grammar(id) => match self.flow.grammars.get(&id.it) {
                Some(g) => Type::Enum(g.meanings().iter().map(|m| m.it.clone()).collect()),
                None => return,
            },
            _ => Type::Text,
        };
        if !ty.takes(&answer) {
            let say = format!("the answer is {}, and `{}` is declared as {}", answer.name(), save.it, ty.name());
            self.found.error("R9", save.pos, say);
        }
        if let (GatherMode::Digits { max, .. }, Some(len)) = (&g.mode, self.flow.vars.get(&save.it).and_then(|d| d.max_len))
            && *max > len
        {
            self.found.error("R9", save.pos, format!("up to {max} digits are taken, and `{}` keeps {len}", save.it));
        }
    }

    fn prompts(&mut self, ids: &[At<String>]) {
        let flow = self.flow;
        for id in ids {
            let Some(p) = flow.prompts.get(&id.it) else { continue };
            let said = format!(" (when prompt `{}` is said at node `{}`)", id.it, self.name);
            for t in p.texts.values().flat_map(|t| t.say.iter().chain(&t.text)) {
                self.template(t, Sink::Seen("a prompt"), &said);
            }
        }
    }

    /// The placeholders of a text.
    fn template(&mut self, t: &At<Template>, sink: Sink, when: &str) -> Typed {
        let mut all = Typed { ty: Type::Text, null: false, secret: false };
        for (at, path, format) in t.it.fields() {
            let pos = t.pos.right(at);
            let name = match Scope(self.flow).find(path) {
                Ok(n) => n,
                Err((say, hint)) => {
                    self.found.add("R9", Severity::Error, pos, say, hint);
                    continue;
                }
            };
            all.secret |= name.secret;
            let sure = !name.nullable || self.facts.contains(&name.name);
            if !sure && name.unset {
                let say = format!("`{}` may not have been set{when}", name.name);
                self.found.error_hint("R12", pos, say, "give it a `default`, or set it on every path that leads here");
            } else if !sure && name.field {
                let hint = format!("lead here only by a `branch` on `{} != null`", name.name);
                self.found.error_hint("R9", pos, format!("`{}` may be null{when}", name.name), hint);
            }
            let fits = match format {
                Format::Plain => !matches!(name.ty, Type::Object(_)),
                Format::Spell | Format::Path => !matches!(name.ty, Type::Object(_) | Type::List(_)),
                Format::Date => matches!(name.ty, Type::Text | Type::Any),
                Format::Minutes => matches!(name.ty, Type::Duration | Type::Number | Type::Any),
                Format::RangeMinutes => match &name.ty {
                    Type::Object(f) => f.get("p50") == Some(&Type::Duration),
                    ty => matches!(ty, Type::Duration | Type::Number | Type::Any),
                },
            };
            if !fits {
                self.found.error("R9", pos, format!("`{}` is {}, it cannot be shown this way", path.join("."), name.ty.name()));
            }
            self.sink(pos, &Typed { ty: name.ty, null: false, secret: name.secret }, sink);
        }
        all
    }

    /// R11: a secret over plain http.
    fn unencrypted(&mut self, h: &crate::ivr::flow::Http) {
        if h.secret_body.is_empty() {
            return;
        }
        let address = super::world::address(self.flow, self.library, &h.url.it);
        let inside = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
        let safe = address.starts_with("https://")
            || inside.iter().any(|i| address.strip_prefix(i).is_some_and(|r| r.starts_with([':', '/'])));
        if !safe {
            self.found.error_hint("R11", h.url.pos, "a secret would travel unencrypted", "use https");
        }
    }

    fn call(&mut self, c: &crate::ivr::flow::Call) {
        let callee = self.library.flows.get(&c.flow.it).cloned();
        for (name, g) in &c.with {
            let input = callee.as_ref().and_then(|f| f.inputs.get(&name.it)).filter(|d| d.from == From::Caller);
            let sink = if input.is_some_and(|d| d.secret) { Sink::Inside } else { Sink::Seen("an input that is not secret") };
            let t = self.given(g, sink);
            match (&callee, input) {
                (Some(f), None) => {
                    let own = f.inputs.iter().filter(|(_, d)| d.from == From::Caller).map(|(n, _)| n.as_str());
                    let hint = did_you_mean(&name.it, own);
                    self.found.add(
                        "R8",
                        Severity::Error,
                        name.pos,
                        format!("flow `{}` has no input `{}`", f.id, name.it),
                        hint,
                    );
                }
                // Text with placeholders is coerced to the words of an enum when the call is made.
                (_, Some(d)) if !(d.ty.takes(&t.ty) || matches!((&d.ty, &t.ty), (Type::Enum(_), Type::Text))) => {
                    let say = format!("input `{}` is {}, and this is {}", name.it, d.ty.name(), t.ty.name());
                    self.found.error("R8", place(g), say);
                }
                _ => {}
            }
        }
        let Some(f) = callee else { return };
        for (name, d) in f.inputs.iter().filter(|(_, d)| d.from == From::Caller && d.default.is_none()) {
            if !c.with.iter().any(|(n, _)| n.it == *name) {
                let say = format!("flow `{}` needs input `{name}` ({})", f.id, d.ty.name());
                self.found.error_hint("R8", c.flow.pos, say, format!("add `with: {{{name}: ..}}`"));
            }
        }
        if let Some(into) = &c.into
            && let Some((ty, _, secret)) = self.written(into, true)
        {
            for r in f.nodes.values() {
                let Verb::Return(r) = &r.verb else { continue };
                let Some(v) = &r.value else { continue };
                let t = infer(&v.it, &Scope(&f), &Facts::new(), &mut Vec::new());
                if !ty.takes(&t.ty) {
                    let say = format!(
                        "flow `{}` returns {} with `{}`, and `{}` is {}",
                        f.id,
                        t.ty.name(),
                        r.outcome.it,
                        into.it,
                        ty.name()
                    );
                    self.found.error("R8", into.pos, say);
                }
                if t.secret && !secret {
                    self.found.error(
                        "R11",
                        into.pos,
                        format!("flow `{}` returns a secret, and `{}` is not secret", f.id, into.it),
                    );
                }
            }
        }
    }
}

fn place(g: &Given) -> Pos {
    match g {
        Given::Expr(e) => e.pos,
        Given::Text(t) => t.pos,
    }
}

//! R1-R8 and R25: the shape of the graph.

use std::collections::{BTreeMap, BTreeSet};

use super::{Catalog, Found, Severity};
use crate::ivr::{
    Library,
    expr::{Op, Part, PartKind, Value},
    flow::{Edge, EdgeKind, Flow, Node, Verb},
    yaml::did_you_mean,
};

/// R1: every target exists.
pub(super) fn targets(found: &mut Found<'_>) {
    let flow = found.flow;
    let hint = |to: &str| did_you_mean(to, flow.nodes.keys().map(String::as_str));
    if !flow.nodes.contains_key(&flow.start.it) {
        let say = format!("`start` names `{}`, and there is no such node", flow.start.it);
        found.add("R1", Severity::Error, flow.start.pos, say, hint(&flow.start.it));
    }
    for (name, node) in &flow.nodes {
        for e in node.edges() {
            if !flow.nodes.contains_key(&e.to.it) {
                let say = format!("node `{name}` leads to `{}`, and there is no such node", e.to.it);
                found.add("R1", Severity::Error, e.to.pos, say, hint(&e.to.it));
            }
        }
    }
}

/// R2-R8, R25.
pub(super) fn shape(found: &mut Found<'_>, library: &Library, catalog: &Catalog<'_>) {
    reachable(found);
    ends(found);
    outcomes(found, library);
    silent_loops(found);
    human(found, catalog.human_within);
    error_cycles(found);
    calls(found, library);
    cost(found);
}

type Follow<'f> = dyn Fn(&Node, &Edge<'_>) -> bool + 'f;

/// The nodes from which a walk of `edges` from `from` arrives, `from` included.
fn walk<'a>(flow: &'a Flow, from: impl IntoIterator<Item = &'a str>, follow: &Follow<'_>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    let mut todo: Vec<&str> = from.into_iter().collect();
    while let Some(name) = todo.pop() {
        let Some((name, node)) = flow.nodes.get_key_value(name) else { continue };
        if seen.insert(name.as_str()) {
            todo.extend(node.edges().into_iter().filter(|e| follow(node, e)).map(|e| e.to.it.as_str()));
        }
    }
    seen
}

fn reachable(found: &mut Found<'_>) {
    let flow = found.flow;
    let entries = flow.nodes.iter().filter(|(_, n)| n.entry).map(|(name, _)| name.as_str());
    let seen = walk(flow, entries.chain([flow.start.it.as_str()]), &|_, _| true);
    for (name, node) in &flow.nodes {
        if !seen.contains(name.as_str()) {
            let hint = "lead a branch to it, mark it `entry: agent`, or remove it";
            found.error_hint("R2", node.pos, format!("nothing leads to node `{name}`"), hint);
        }
    }
}

/// R3: from everywhere an end can be reached.
fn ends(found: &mut Found<'_>) {
    let flow = found.flow;
    let is_end = |n: &Node| n.verb.is_end() || matches!(n.verb, Verb::Transfer(_)) && n.branch("answered").is_none();
    let mut good: BTreeSet<&str> = flow.nodes.iter().filter(|(_, n)| is_end(n)).map(|(name, _)| name.as_str()).collect();
    loop {
        let more: Vec<&str> = flow
            .nodes
            .iter()
            .filter(|(name, n)| {
                !good.contains(name.as_str())
                    && n.edges().iter().any(|e| e.kind != EdgeKind::OnHangup && good.contains(e.to.it.as_str()))
            })
            .map(|(name, _)| name.as_str())
            .collect();
        if more.is_empty() {
            break;
        }
        good.extend(more);
    }
    for (name, node) in &flow.nodes {
        if !good.contains(name.as_str()) {
            found.error_hint(
                "R3",
                node.pos,
                format!("no path from node `{name}` ever ends"),
                "lead it to a `hangup` or `return`",
            );
        }
    }
}

/// R4: every outcome has a branch, and every branch an outcome.
fn outcomes(found: &mut Found<'_>, library: &Library) {
    let flow = found.flow;
    for (name, node) in &flow.nodes {
        let verb = node.verb.name();
        let (must, may): (Vec<&str>, Vec<&str>) = match &node.verb {
            Verb::Hours(_) => (vec!["open", "closed"], vec!["holiday", "emergency"]),
            Verb::Queue(_) => (vec!["answered", "timeout", "no_agents", "full"], vec![]),
            Verb::Transfer(_) => (vec!["no_answer", "busy", "failed"], vec!["answered"]),
            Verb::Callback(_) => (vec!["queued", "refused"], vec![]),
            // The linter of the grammar (R14) knows the outcomes of these.
            Verb::Gather(_) => (vec![], node.when.iter().map(|(l, _)| l.it.as_str()).collect()),
            Verb::Call(c) => (library.flows.get(&c.flow.it).map(|f| f.outcomes()).unwrap_or_default(), vec![]),
            _ => (vec![], vec![]),
        };
        let called_unknown = matches!(&node.verb, Verb::Call(c) if !library.flows.contains_key(&c.flow.it));
        for outcome in &must {
            if node.branch(outcome).is_none() {
                let say = format!("node `{name}`: `{verb}` can end with `{outcome}`, and `when` has no branch for it");
                let rule = if matches!(node.verb, Verb::Call(_)) { "R8" } else { "R4" };
                found.error_hint(rule, node.verb_pos, say, format!("add `{outcome}: node` to `when`"));
            }
        }
        for (label, _) in &node.when {
            if !called_unknown && !must.contains(&label.it.as_str()) && !may.contains(&label.it.as_str()) {
                let hint = did_you_mean(&label.it, must.iter().chain(&may).copied());
                let say = format!("node `{name}`: `{verb}` never ends with `{}`", label.it);
                found.add("R4", Severity::Error, label.pos, say, hint);
            }
        }
        single_way(found, name, node);
    }
}

/// The ways out that are not outcomes.
fn single_way(found: &mut Found<'_>, name: &str, node: &Node) {
    let verb = node.verb.name();
    let goes_on = matches!(node.verb, Verb::Say(_) | Verb::Set(_) | Verb::Http(_) | Verb::Event(_) | Verb::Voicemail(_));
    match &node.then {
        None if goes_on => {
            found.error_hint("R4", node.verb_pos, format!("node `{name}`: `{verb}` leads nowhere"), "add `then: node`")
        }
        Some(to) if !goes_on => found.error("R4", to.pos, format!("node `{name}`: `{verb}` has no use for `then`")),
        _ => {}
    }
    match (&node.exhausted, &node.verb) {
        (Some(to), v) if !matches!(v, Verb::Gather(_)) => {
            found.error("R4", to.pos, format!("node `{name}`: only `gather` can be exhausted"));
        }
        (None, Verb::Gather(_)) => {
            let hint = "add `exhausted: node`, best one where a person helps";
            found.error_hint(
                "R4",
                node.verb_pos,
                format!("node `{name}`: a caller who does not manage to answer goes nowhere"),
                hint,
            );
        }
        _ => {}
    }
    if let Verb::Branch(b) = &node.verb
        && b.otherwise.is_none()
    {
        found.error_hint(
            "R4",
            node.verb_pos,
            format!("node `{name}`: nothing happens when no case holds"),
            "end it with `{else: node}`",
        );
    }
    if matches!(node.verb, Verb::Http(_) | Verb::Call(_) | Verb::Voicemail(_)) && node.on_error.is_none() {
        found.error_hint(
            "R4",
            node.verb_pos,
            format!("node `{name}`: `{verb}` can fail, and there is no `on_error`"),
            "add `on_error: node`, or one under `defaults`",
        );
    }
    let fewer = node.channels.as_ref().is_some_and(|c| found.flow.channels.iter().any(|f| !c.contains(f)));
    if fewer && node.other_channel.is_none() {
        let hint = "say where the others go: `other_channel: node`";
        found.error_hint("R4", node.pos, format!("node `{name}` is not for every channel of the flow"), hint);
    }
}

/// The groups of nodes that lie on common cycles of the edges `follow` takes.
fn cycles<'a>(flow: &'a Flow, follow: &Follow<'_>, without: &BTreeSet<&str>) -> Vec<BTreeSet<&'a str>> {
    let takes = |n: &Node, e: &Edge<'_>| follow(n, e) && !without.contains(e.to.it.as_str());
    let mut reach: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, node) in flow.nodes.iter().filter(|(n, _)| !without.contains(n.as_str())) {
        let next: Vec<&str> = node
            .edges()
            .into_iter()
            .filter(|e| takes(node, e))
            .filter_map(|e| flow.nodes.get_key_value(&e.to.it).map(|(n, _)| n.as_str()))
            .collect();
        reach.insert(name, walk(flow, next, &takes));
    }
    let mut groups: Vec<BTreeSet<&str>> = Vec::new();
    for (name, from) in &reach {
        if from.contains(name) && !groups.iter().any(|g| g.contains(name)) {
            groups.push(from.iter().copied().filter(|n| reach.get(n).is_some_and(|r| r.contains(name))).collect());
        }
    }
    groups
}

/// R5: no loop without the caller, unless a counter ends it.
fn silent_loops(found: &mut Found<'_>) {
    let flow = found.flow;
    let silent = |n: &Node, e: &Edge<'_>| e.kind != EdgeKind::OnHangup && !n.verb.is_input(e.kind, e.label);
    for group in cycles(flow, &silent, &BTreeSet::new()) {
        if counted(flow, &group) {
            continue;
        }
        let Some(first) = flow.order.iter().find(|n| group.contains(n.as_str())) else { continue };
        let Some(node) = flow.nodes.get(first) else { continue };
        let path =
            flow.order.iter().filter(|n| group.contains(n.as_str())).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let hint = "ask the caller something on the way, or count the rounds and branch on the count";
        found.error_hint("R5", node.pos, format!("{path} can go round for ever without the caller doing anything"), hint);
    }
}

/// True when every cycle in the group counts a variable up and tests that variable.
fn counted(flow: &Flow, group: &BTreeSet<&str>) -> bool {
    let inside = |n: &Node, e: &Edge<'_>| {
        e.kind != EdgeKind::OnHangup && !n.verb.is_input(e.kind, e.label) && group.contains(e.to.it.as_str())
    };
    let nodes = || group.iter().filter_map(|n| flow.nodes.get_key_value(*n));
    let mut counters: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, n) in nodes() {
        let set: &[_] = if let Verb::Set(all) = &n.verb { all } else { &[] };
        for (var, e) in set.iter().chain(&n.set_on_enter) {
            if counts_up(&e.it.root, &var.it) {
                counters.entry(var.it.as_str()).or_default().insert(name.as_str());
            }
        }
    }
    let outside: BTreeSet<&str> = flow.nodes.keys().map(String::as_str).filter(|n| !group.contains(n)).collect();
    let cut = |more: &BTreeSet<&str>| cycles(flow, &inside, &outside.union(more).copied().collect()).is_empty();
    counters.iter().any(|(var, sets)| {
        let tests: BTreeSet<&str> = nodes()
            .filter(|(_, n)| {
                let leaves = n.edges().iter().any(|e| e.kind == EdgeKind::Case && !group.contains(e.to.it.as_str()));
                leaves && matches!(&n.verb, Verb::Branch(b) if b.cases.iter().any(|(c, _)| orders(&c.it.root, var)))
            })
            .map(|(name, _)| name.as_str())
            .collect();
        cut(sets) && cut(&tests)
    })
}

fn is_var(p: &Part, var: &str) -> bool {
    matches!(&p.kind, PartKind::Path(path) if path.len() == 1 && path[0] == var)
}

/// `n + 1`.
fn counts_up(p: &Part, var: &str) -> bool {
    let positive = |p: &Part| matches!(p.kind, PartKind::Literal(Value::Number(n)) if n > 0.0);
    match &p.kind {
        PartKind::Binary(Op::Add, a, b) => is_var(a, var) && positive(b) || is_var(b, var) && positive(a),
        _ => false,
    }
}

/// `n < 3`, `n >= 3`, somewhere in it.
fn orders(p: &Part, var: &str) -> bool {
    match &p.kind {
        PartKind::Binary(Op::Lt | Op::Le | Op::Gt | Op::Ge, a, b) => is_var(a, var) || is_var(b, var),
        PartKind::Binary(_, a, b) => orders(a, var) || orders(b, var),
        PartKind::Not(x) => orders(x, var),
        _ => false,
    }
}

/// R6: a person or a voicemail is near, wherever the caller is asked something.
fn human(found: &mut Found<'_>, within: u32) {
    let flow = found.flow;
    let near = |n: &Node| match &n.verb {
        Verb::Queue(_) | Verb::Callback(_) | Verb::Voicemail(_) | Verb::Transfer(_) => true,
        // The flow that called has the person.
        Verb::Return(_) => true,
        _ => false,
    };
    let mut cost: BTreeMap<&str, u32> =
        flow.nodes.iter().filter(|(_, n)| near(n)).map(|(name, _)| (name.as_str(), 0)).collect();
    for _ in 0..=flow.nodes.len() {
        let mut changed = false;
        for (name, n) in &flow.nodes {
            for e in n.edges().iter().filter(|e| e.kind != EdgeKind::OnHangup) {
                let step = u32::from(n.verb.is_input(e.kind, e.label) || matches!(n.verb, Verb::Call(_)));
                let Some(c) = cost.get(e.to.it.as_str()).map(|c| c.saturating_add(step)) else { continue };
                if cost.get(name.as_str()).is_none_or(|old| c < *old) {
                    cost.insert(name, c);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    for (name, n) in flow.nodes.iter().filter(|(_, n)| matches!(n.verb, Verb::Gather(_))) {
        match cost.get(name.as_str()) {
            None => found.error_hint(
                "R6",
                n.pos,
                format!("no person and no voicemail can be reached from node `{name}`"),
                "lead `exhausted` or a key to a queue",
            ),
            Some(c) if *c > within => {
                found.error("R6", n.pos, format!("a person is {c} answers away from node `{name}`; {within} are allowed"));
            }
            _ => {}
        }
    }
}

/// R7: error edges lead somewhere.
fn error_cycles(found: &mut Found<'_>) {
    let flow = found.flow;
    let errors = |_: &Node, e: &Edge<'_>| matches!(e.kind, EdgeKind::OnError | EdgeKind::Exhausted);
    for group in cycles(flow, &errors, &BTreeSet::new()) {
        let Some(name) = flow.order.iter().find(|n| group.contains(n.as_str())) else { continue };
        let Some(node) = flow.nodes.get(name) else { continue };
        let edge = node.edges().into_iter().find(|e| errors(node, e) && group.contains(e.to.it.as_str()));
        let inherited = edge.as_ref().is_some_and(|e| e.inherited);
        let pos = edge.filter(|e| !e.inherited).map_or(node.pos, |e| e.to.pos);
        let all = group.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        let say = match group.len() {
            1 => format!("the error edge of {all} leads back to itself"),
            _ => format!("the error edges of {all} lead to each other"),
        };
        let hint = if inherited {
            "it is inherited from `defaults`: give the node its own `on_error`"
        } else {
            "lead it to a node that cannot fail"
        };
        found.error_hint("R7", pos, say, hint);
    }
}

/// R8: the flows that are called exist and do not call each other in circles.
fn calls(found: &mut Found<'_>, library: &Library) {
    let flow = found.flow;
    for (name, node) in &flow.nodes {
        let Verb::Call(c) = &node.verb else { continue };
        let Some(callee) = library.flows.get(&c.flow.it) else {
            let hint = did_you_mean(c.flow.it.as_str(), library.flows.keys().map(|f| f.as_str()));
            found.add(
                "R8",
                Severity::Error,
                c.flow.pos,
                format!("node `{name}` calls flow `{}`, and there is none", c.flow.it),
                hint,
            );
            continue;
        };
        let mut seen = BTreeSet::new();
        let mut todo = vec![callee.id.clone()];
        while let Some(id) = todo.pop() {
            if id == flow.id {
                found.error("R8", c.flow.pos, format!("flow `{}` calls `{}`, which calls it again", flow.id, c.flow.it));
                break;
            }
            if !seen.insert(id.clone()) {
                continue;
            }
            let called = library.flows.get(&id).into_iter().flat_map(|f| f.nodes.values());
            todo.extend(called.filter_map(|n| match &n.verb {
                Verb::Call(c) => Some(c.flow.it.clone()),
                _ => None,
            }));
        }
    }
}

/// R25: what a call costs at worst.
fn cost(found: &mut Found<'_>) {
    let flow = found.flow;
    let seen = walk(flow, [flow.start.it.as_str()], &|_, _| true);
    let (mut http, mut silence) = (0u32, 0.0f64);
    for n in seen.iter().filter_map(|n| flow.nodes.get(*n)) {
        if let Verb::Http(h) = &n.verb {
            http += h.retries + 1;
            silence += h.patience().as_secs_f64();
        }
    }
    if http > 0 {
        let say = format!("at worst a caller causes {http} requests and waits {silence} s for them (each node once)");
        found.add("R25", Severity::Note, flow.start.pos, say, None);
    }
}

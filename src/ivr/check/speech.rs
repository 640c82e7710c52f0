//! R13-R17: keys, phrases, prompts.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Catalog, Found, Severity};
use crate::ivr::{
    flow::{At, Flow, Gather, GatherMode, Node, Verb},
    machine::plain,
    yaml::did_you_mean,
};

/// A recorded prompt longer than this is a lecture.
const PROMPT_MAX: Duration = Duration::from_secs(60);
/// More than so many options nobody keeps in mind.
const OPTIONS_MAX: usize = 5;

/// R13-R17.
pub(super) fn check(found: &mut Found<'_>, catalog: &Catalog<'_>) {
    let flow = found.flow;
    keys(found);
    phrases(found);
    for (name, node) in &flow.nodes {
        if let Verb::Gather(g) = &node.verb {
            branches(found, name, node, g);
        }
    }
    notices(found);
    prompts(found, catalog);
}

/// R13: no key hides another.
fn keys(found: &mut Found<'_>) {
    for g in found.flow.grammars.values() {
        for (i, (key, _)) in g.dtmf.iter().enumerate() {
            for (other, _) in g.dtmf.iter().skip(i + 1) {
                let (short, long) = if key.it.len() < other.it.len() { (key, other) } else { (other, key) };
                if long.it.starts_with(&short.it) {
                    let say = format!("key `{}` is the beginning of `{}`: who presses it waits for nothing", short.it, long.it);
                    found.error_hint("R13", other.pos, say, "use keys of one length");
                }
            }
        }
    }
    for n in found.flow.nodes.values() {
        match &n.verb {
            Verb::Gather(Gather { mode: GatherMode::Digits { pos, end: Some(end), .. }, .. }) if end.is_ascii_digit() => {
                found.error_hint("R13", *pos, format!("`{end}` ends the entry and is a digit of it"), "end with `#` or `*`");
            }
            Verb::Queue(q) => {
                for (i, x) in q.exits.iter().enumerate() {
                    if q.exits.iter().take(i).any(|y| y.key == x.key) {
                        found.error("R13", x.pos, format!("key `{}` leads out twice", x.key));
                    }
                }
            }
            _ => {}
        }
    }
}

/// R15: no phrase means two things.
fn phrases(found: &mut Found<'_>) {
    for g in found.flow.grammars.values() {
        let mut seen: BTreeMap<String, &At<String>> = BTreeMap::new();
        for (meaning, all) in &g.phrases {
            for p in all {
                let said = plain(&p.it);
                if said.is_empty() {
                    found.error("R15", p.pos, "this phrase has no words");
                    continue;
                }
                match seen.get(&said) {
                    Some(other) if other.it != meaning.it => {
                        found.error("R15", p.pos, format!("`{}` means `{}` and `{}`", p.it, other.it, meaning.it));
                    }
                    _ => {
                        seen.insert(said, meaning);
                    }
                }
            }
        }
    }
}

/// R14: every meaning has a branch, every branch a meaning.
fn branches(found: &mut Found<'_>, name: &str, node: &Node, g: &Gather) {
    let any = node.branch("any").is_some();
    let GatherMode::Grammar(id) = &g.mode else {
        if !any {
            found.error_hint(
                "R14",
                node.verb_pos,
                format!("node `{name}` takes any answer and has no branch for it"),
                "add `when: {any: node}`",
            );
        }
        for (label, _) in node.when.iter().filter(|(l, _)| l.it != "any") {
            found.error("R14", label.pos, format!("node `{name}` has only the outcome `any`, never `{}`", label.it));
        }
        return;
    };
    let Some(grammar) = found.flow.grammars.get(&id.it) else {
        let hint = did_you_mean(&id.it, found.flow.grammars.keys().map(String::as_str));
        found.add("R14", Severity::Error, id.pos, format!("there is no grammar `{}`", id.it), hint);
        return;
    };
    let meanings = grammar.meanings();
    for m in &meanings {
        if !any && node.branch(&m.it).is_none() {
            let say = format!("grammar `{}` understands `{}`, and node `{name}` has no branch for it", id.it, m.it);
            found.error_hint("R14", node.verb_pos, say, format!("add `{}: node` to `when` (it stands at {})", m.it, m.pos));
        }
    }
    for (label, _) in node.when.iter().filter(|(l, _)| l.it != "any") {
        if !meanings.iter().any(|m| m.it == label.it) {
            let hint = did_you_mean(&label.it, meanings.iter().map(|m| m.it.as_str()));
            let say = format!("nothing in grammar `{}` means `{}`: this branch is never taken", id.it, label.it);
            found.add("R14", Severity::Error, label.pos, say, hint);
        }
    }
    if g.dtmf && grammar.dtmf.is_empty() && !g.speech {
        found.error("R14", id.pos, format!("node `{name}` takes keys, and grammar `{}` has none", id.it));
    }
    if grammar.dtmf.len() > OPTIONS_MAX {
        let say = format!("node `{name}` offers {} options; callers keep {OPTIONS_MAX} in mind", grammar.dtmf.len());
        found.warn("R17", node.pos, say);
    }
}

/// R16: legal notices are heard to their end.
fn notices(found: &mut Found<'_>) {
    let flow = found.flow;
    let legal = |id: &At<String>| flow.prompts.get(&id.it).is_some_and(|p| p.legal);
    for (name, n) in &flow.nodes {
        let (ids, barge) = match &n.verb {
            Verb::Say(s) => (&s.prompts, s.barge_in),
            Verb::Gather(g) => (&g.prompts, g.barge_in),
            _ => continue,
        };
        if let Some(id) = ids.iter().find(|id| legal(id)).filter(|_| barge.dtmf || barge.speech) {
            let say = format!("prompt `{}` is a legal notice, and the caller may cut it at node `{name}`", id.it);
            found.error_hint("R16", id.pos, say, "say it with `barge_in: none`");
        }
    }
}

/// Every prompt a node says.
fn said(n: &Node) -> Vec<&At<String>> {
    match &n.verb {
        Verb::Say(s) => s.prompts.iter().collect(),
        Verb::Gather(g) => g.prompts.iter().chain(&g.no_input).chain(&g.no_match).collect(),
        Verb::Queue(q) => q.announce.iter().flat_map(|a| &a.prompts).collect(),
        Verb::Callback(c) => c.message.iter().collect(),
        Verb::Voicemail(v) => v.prompts.iter().collect(),
        _ => Vec::new(),
    }
}

/// R17: prompts exist, in every language, with the same placeholders and good files.
fn prompts(found: &mut Found<'_>, catalog: &Catalog<'_>) {
    let flow: &Flow = found.flow;
    let mut used = BTreeSet::new();
    for n in flow.nodes.values() {
        for id in said(n) {
            used.insert(id.it.as_str());
            if !flow.prompts.contains_key(&id.it) {
                let hint = did_you_mean(&id.it, flow.prompts.keys().map(String::as_str));
                found.add("R17", Severity::Error, id.pos, format!("there is no prompt `{}`", id.it), hint);
            }
        }
    }
    for (name, p) in &flow.prompts {
        if !used.contains(name.as_str()) {
            found.warn("R17", p.pos, format!("prompt `{name}` is never said"));
        }
        for lang in flow.languages.iter().filter(|l| !p.texts.contains_key(*l)) {
            found.error("R17", p.pos, format!("prompt `{name}` is missing in {lang}"));
        }
        let fields = |t: &crate::ivr::flow::PromptText| -> BTreeSet<String> {
            t.say.iter().flat_map(|s| s.it.fields().map(|(_, path, _)| path.join("."))).collect()
        };
        let first = flow.languages.iter().filter_map(|l| p.texts.get(l)).find(|t| t.say.is_some());
        for (lang, t) in &p.texts {
            if let Some(first) = first.filter(|f| t.say.is_some() && fields(f) != fields(t)) {
                let lacks: Vec<String> = fields(first).symmetric_difference(&fields(t)).cloned().collect();
                let say = format!("prompt `{name}` differs between languages in {} (in {lang})", lacks.join(", "));
                found.error("R17", t.pos, say);
            }
            if t.words(true).is_none() && flow.channels.iter().any(|c| c.is_text()) {
                found.warn("R17", t.pos, format!("prompt `{name}` has no words in {lang}: text channels say nothing"));
            }
            if let Some(file) = &t.file {
                recording(found, t.pos, file, catalog);
            }
        }
    }
}

fn recording(found: &mut Found<'_>, pos: crate::ivr::Pos, file: &str, catalog: &Catalog<'_>) {
    if file.starts_with('/') || file.split(['/', '\\']).any(|p| p == "..") {
        found.error("R17", pos, format!("`{file}` leads out of the folder of the flow"));
        return;
    }
    match (catalog.prompt_file)(file) {
        None => found.error("R17", pos, format!("there is no file `{file}`")),
        Some(i) => {
            if !matches!(i.sample_rate_hz, 8_000 | 16_000) {
                found.error(
                    "R17",
                    pos,
                    format!("`{file}` has {} samples a second; 8000 or 16000 are played", i.sample_rate_hz),
                );
            }
            if i.duration > PROMPT_MAX {
                found.warn(
                    "R17",
                    pos,
                    format!("`{file}` lasts {} s; nobody listens longer than {} s", i.duration.as_secs(), PROMPT_MAX.as_secs()),
                );
            }
        }
    }
}

//! R18-R22: what is outside of the flow: calendars, services, queues, numbers.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use super::{Catalog, Found, Severity};
use crate::ivr::{
    Library,
    flow::{EdgeKind, Flow, Target, Verb},
    template::{Piece, Template},
    yaml::did_you_mean,
};

/// Longest silence a caller bears before hanging up to try again.
const SILENCE_GOOD: Duration = Duration::from_secs(4);
/// Longest patience of one `http` node.
const SILENCE_MAX: Duration = Duration::from_secs(10);
/// Months of holidays that must be entered.
const HOLIDAYS_MONTHS: u32 = 12;
/// Emergency numbers of the countries we know; a flow never dials one.
const EMERGENCY: [&str; 9] = ["110", "112", "119", "120", "122", "911", "999", "995", "000"];

/// R18-R22.
pub(super) fn check(found: &mut Found<'_>, library: &Library, catalog: &Catalog<'_>) {
    let flow = found.flow;
    for (name, n) in &flow.nodes {
        match &n.verb {
            Verb::Hours(c) => match catalog.calendars.get(&c.it) {
                None => unknown(found, "R18", "calendar", c.pos, c.it.as_str(), catalog.calendars.keys().map(|k| k.as_str())),
                Some(i) => {
                    if !i.zone_known {
                        found.error("R18", c.pos, format!("calendar `{}` has no known time zone", c.it));
                    }
                    if i.holidays_months < HOLIDAYS_MONTHS {
                        let say =
                            format!("calendar `{}` knows the holidays of the next {} months only", c.it, i.holidays_months);
                        found.warn("R18", c.pos, say);
                    }
                }
            },
            Verb::Http(h) => {
                let patience = h.patience();
                if patience > SILENCE_MAX {
                    let say = format!(
                        "node `{name}` may be silent for {} s; at most {} s",
                        patience.as_secs_f64(),
                        SILENCE_MAX.as_secs()
                    );
                    found.error_hint("R19", n.verb_pos, say, "shorten `timeout` or lower `retries`");
                } else if patience > SILENCE_GOOD {
                    let say = format!(
                        "node `{name}` may be silent for {} s; callers bear {} s",
                        patience.as_secs_f64(),
                        SILENCE_GOOD.as_secs()
                    );
                    found.warn("R19", n.verb_pos, say);
                }
                allowed(found, library, catalog, h);
            }
            Verb::Queue(q) => {
                unless(found, "queue", &q.queue, &catalog.queues);
                for (s, _, _) in &q.skills {
                    unless(found, "skill", s, &catalog.skills);
                }
                if let Some(m) = q.music.as_ref().filter(|m| !catalog.music.contains(&m.it)) {
                    unknown(found, "R21", "music", m.pos, &m.it, catalog.music.iter().map(String::as_str));
                }
            }
            Verb::Callback(c) => {
                for q in c.queue.iter().chain(c.ticket.iter().map(|t| &t.queue)) {
                    unless(found, "queue", q, &catalog.queues);
                }
                if let Some(s) = c.ticket.as_ref().and_then(|t| t.sla.as_ref()) {
                    unless(found, "SLA", s, &catalog.slas);
                }
                if c.queue.is_none() && !flow.nodes.values().any(|n| matches!(n.verb, Verb::Queue(_))) {
                    let say = format!("node `{name}`: nobody has waited anywhere when it comes here");
                    found.error_hint("R21", n.verb_pos, say, "say whose work it is: `queue: support`");
                }
                // Who asks to be called names a number: the guard looks at it when it is known.
                if let Some(number) = c.number.as_ref().filter(|t| t.it.fields().next().is_none()) {
                    self::number(found, catalog, number.pos, &number.it);
                }
            }
            Verb::Voicemail(v) => {
                unless(found, "queue", &v.queue, &catalog.queues);
                if let Some(s) = &v.sla {
                    unless(found, "SLA", s, &catalog.slas);
                }
            }
            Verb::Transfer(t) => match &t.to {
                Target::Number(n) => number(found, catalog, n.pos, &n.it),
                Target::Queue(q) => unless(found, "queue", q, &catalog.queues),
                Target::Agent(a) => unless(found, "agent", a, &catalog.agents),
            },
            _ => {}
        }
    }
    silence(found);
}

fn unknown<'k>(
    found: &mut Found<'_>,
    rule: &'static str,
    what: &str,
    pos: crate::ivr::Pos,
    id: &str,
    known: impl Iterator<Item = &'k str>,
) {
    let hint = did_you_mean(id, known);
    found.add(rule, Severity::Error, pos, format!("there is no {what} `{id}`"), hint);
}

/// R21: the thing is in the same configuration.
fn unless<T: Ord + std::fmt::Display>(found: &mut Found<'_>, what: &str, id: &crate::ivr::flow::At<T>, known: &BTreeSet<T>) {
    if !known.contains(&id.it) {
        let names: Vec<String> = known.iter().map(ToString::to_string).collect();
        unknown(found, "R21", what, id.pos, &id.it.to_string(), names.iter().map(String::as_str));
    }
}

/// The beginning of an address as far as it is certain: texts and settings up to the first other placeholder.
pub(super) fn address(flow: &Flow, library: &Library, t: &Template) -> String {
    let mut out = String::new();
    for p in &t.pieces {
        match p {
            Piece::Text(text) => out.push_str(text),
            Piece::Field { path, .. } => match (path.first().map(String::as_str), path.get(1)) {
                (Some("config"), Some(name)) => {
                    let default = flow.config.get(name).map(|d| &d.it);
                    match library.config.get(name).or(default) {
                        Some(v) => out.push_str(v),
                        None => return out,
                    }
                }
                _ => return out,
            },
        }
    }
    out
}

/// R20: the address may be asked.
fn allowed(found: &mut Found<'_>, library: &Library, catalog: &Catalog<'_>, h: &crate::ivr::flow::Http) {
    let start = address(found.flow, library, &h.url.it);
    let rest = start.strip_prefix("https://").or_else(|| start.strip_prefix("http://"));
    let Some(rest) = rest else {
        found.error("R20", h.url.pos, "an address begins with https:// or http://, or with a setting that does");
        return;
    };
    if !rest.contains('/')
        && start.len() < h.url.it.text.len()
        && h.url.it.fields().any(|(_, p, _)| p.first().is_none_or(|p| p != "config"))
    {
        found.error("R20", h.url.pos, "the name of the host must not come from a placeholder");
        return;
    }
    let with_slash = if rest.contains('/') { start.clone() } else { format!("{start}/") };
    let inside = |allow: &String| {
        let allow = allow.strip_suffix('/').unwrap_or(allow);
        with_slash.strip_prefix(allow).is_some_and(|r| r.starts_with('/'))
    };
    if !catalog.urls.iter().any(inside) {
        let all =
            if catalog.urls.is_empty() { "none is".to_owned() } else { format!("allowed are {}", catalog.urls.join(", ")) };
        found.error_hint("R20", h.url.pos, format!("flows may not ask `{start}`"), all);
    }
}

/// R22: a transfer cannot be made to cost money.
fn number(found: &mut Found<'_>, catalog: &Catalog<'_>, pos: crate::ivr::Pos, t: &Template) {
    if t.fields().any(|(_, path, _)| path.first().is_none_or(|p| p != "config")) {
        let hint = "write the number, or a setting under `config`";
        found.error_hint("R22", pos, "the caller could choose which number is dialled", hint);
        return;
    }
    let start: String = t.pieces.iter().map(|p| if let Piece::Text(x) = p { x.as_str() } else { "" }).collect();
    if t.fields().next().is_some() {
        return;
    }
    let number = crate::base::e164::normalise(&start, None, None);
    if EMERGENCY.contains(&number.as_str()) {
        found.error("R22", pos, format!("`{start}` is an emergency number"));
    } else if !number.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit()) || number.len() < 2 {
        found.error("R22", pos, format!("`{start}` is not a telephone number"));
    } else if number.starts_with('+') && !catalog.transfer_prefixes.iter().any(|p| number.starts_with(p.as_str())) {
        let hint = format!("allowed are numbers that begin with one of: {}", catalog.transfer_prefixes.join(", "));
        found.error_hint("R22", pos, format!("flows may not transfer to `{start}`"), hint);
    }
}

/// R19: silence between two prompts, over several nodes.
fn silence(found: &mut Found<'_>) {
    let flow = found.flow;
    let quiet = |name: &str| {
        flow.nodes
            .get(name)
            .is_some_and(|n| matches!(n.verb, Verb::Http(_) | Verb::Set(_) | Verb::Branch(_) | Verb::Hours(_) | Verb::Event(_)))
    };
    let mut longest: BTreeMap<&str, Duration> = BTreeMap::new();
    // As often as there are nodes: longer chains are loops, and R5 tells about them.
    for _ in 0..flow.nodes.len().min(64) {
        let mut changed = false;
        for (name, n) in flow.nodes.iter().filter(|(name, _)| quiet(name)) {
            let own = if let Verb::Http(h) = &n.verb { h.patience() } else { Duration::ZERO };
            let edges = n.edges();
            let next =
                edges.iter().filter(|e| e.kind != EdgeKind::OnHangup).filter_map(|e| longest.get(e.to.it.as_str())).max();
            let total = own + next.copied().unwrap_or_default();
            if longest.get(name.as_str()).is_none_or(|old| total > *old) && total < Duration::from_secs(3_600) {
                longest.insert(name, total);
                changed = true;
            }
        }
        if !changed {
            break;
        }
    }
    for (name, n) in &flow.nodes {
        let Verb::Http(h) = &n.verb else { continue };
        let Some(total) = longest.get(name.as_str()).filter(|t| **t > h.patience() && **t > SILENCE_GOOD) else { continue };
        let hint = "say something between the requests";
        let say = format!("from node `{name}` on the caller may hear nothing for {} s", total.as_secs_f64());
        found.add("R19", Severity::Warning, n.verb_pos, say, Some(hint.to_owned()));
    }
}

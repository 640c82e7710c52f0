//! The `tests:` of a flow.

use std::collections::BTreeMap;

use super::{
    Errors,
    fields::{Fields, boolean, duration, id, list, number, pairs, text, value, word},
};
use crate::{
    base::{CalendarId, Channel, Wall},
    ivr::{
        CallbackResult, HoursState, HttpError, QueueResult, TransferResult,
        flow::At,
        test::{Expect, Step, Story, Stub, StubAnswer},
        yaml::{Kind, Tree},
    },
};

const HOURS: [(&str, HoursState); 4] = [
    ("open", HoursState::Open),
    ("closed", HoursState::Closed),
    ("holiday", HoursState::Holiday),
    ("emergency", HoursState::Emergency),
];
const QUEUE: [(&str, QueueResult); 4] = [
    ("answered", QueueResult::Answered),
    ("timeout", QueueResult::Timeout),
    ("no_agents", QueueResult::NoAgents),
    ("full", QueueResult::Full),
];
const CALLBACK: [(&str, CallbackResult); 2] = [("queued", CallbackResult::Queued), ("refused", CallbackResult::Refused)];
const TRANSFER: [(&str, TransferResult); 4] = [
    ("answered", TransferResult::Answered),
    ("no_answer", TransferResult::NoAnswer),
    ("busy", TransferResult::Busy),
    ("failed", TransferResult::Failed),
];

pub(super) fn stories(tree: &Tree, e: &mut Errors) -> Vec<Story> {
    list(tree, "the tests", e).iter().filter_map(|t| story(t, e)).collect()
}

fn story(t: &Tree, e: &mut Errors) -> Option<Story> {
    let mut f = Fields::of(t, "a test", e)?;
    let name = f.need("name", e).and_then(|t| text(t, "the name of the test", e));
    let at = f.take("at").and_then(|t| {
        let stamp = text(t, "a time like 2026-03-02T10:00+08:00", e)?;
        let wall = Wall::parse_rfc3339(&stamp.it);
        if wall.is_none() {
            e.add(stamp.pos, format!("expected a time with its zone like 2026-03-02T10:00+08:00, found `{}`", stamp.it));
        }
        wall
    });
    let mut s = Story {
        pos: t.pos,
        name: name?.it,
        at: at.unwrap_or(Wall::from_unix_s(1_772_416_800)),
        channel: Channel::Voice,
        ani: "+8613800000000".to_owned(),
        dnis: "4000".to_owned(),
        lang: None,
        inputs: BTreeMap::new(),
        config: BTreeMap::new(),
        hours: BTreeMap::new(),
        http: Vec::new(),
        callback: None,
        steps: Vec::new(),
    };
    if let Some(mut c) = f.take("caller").and_then(|t| Fields::of(t, "`caller`", e)) {
        s.ani = c.take("ani").and_then(|t| text(t, "a number", e)).map_or(s.ani, |t| t.it);
        s.dnis = c.take("dnis").and_then(|t| text(t, "a number", e)).map_or(s.dnis, |t| t.it);
        s.lang = c.take("lang").and_then(|t| text(t, "a language", e)).map(|t| t.it);
        let all = [("voice", Channel::Voice), ("webchat", Channel::Webchat)];
        s.channel = c.take("channel").and_then(|t| word(t, &all, e)).unwrap_or(s.channel);
        c.done(e);
    }
    for (k, v) in f.take("inputs").map(|t| pairs(t, "the inputs", e)).unwrap_or_default() {
        s.inputs.insert(k.text.clone(), value(v));
    }
    for (k, v) in f.take("config").map(|t| pairs(t, "the settings", e)).unwrap_or_default() {
        s.config.extend(text(v, "a text", e).map(|t| (k.text.clone(), t.it)));
    }
    if let Some(mut stub) = f.take("stub").and_then(|t| Fields::of(t, "`stub`", e)) {
        for (k, v) in stub.take("hours").map(|t| pairs(t, "the calendars", e)).unwrap_or_default() {
            match CalendarId::parse(&k.text) {
                Ok(c) => s.hours.extend(word(v, &HOURS, e).map(|h| (c, h))),
                Err(err) => e.add(k.pos, err.to_string()),
            }
        }
        for (k, v) in stub.take("http").map(|t| pairs(t, "the answers", e)).unwrap_or_default() {
            let answers = match &v.kind {
                Kind::List(l) => l.iter().filter_map(|t| answer(t, e)).collect(),
                _ => answer(v, e).into_iter().collect(),
            };
            match k.text.split_once(' ') {
                Some((method, url)) => {
                    s.http.push(Stub { method: method.to_ascii_uppercase(), url: url.trim().to_owned(), answers });
                }
                None => e.add(k.pos, "expected a method and an address, like \"GET https://crm.local/customers\""),
            }
        }
        s.callback = stub.take("callback").and_then(|t| word(t, &CALLBACK, e));
        stub.done(e);
    }
    for t in f.need("steps", e).map(|t| list(t, "the steps", e)).unwrap_or_default() {
        s.steps.extend(step(t, e).map(|it| At { pos: t.pos, it }));
    }
    f.done(e);
    Some(s)
}

fn answer(t: &Tree, e: &mut Errors) -> Option<StubAnswer> {
    let mut f = Fields::of(t, "an answer", e)?;
    let timeout = f.take("timeout").and_then(|t| boolean(t, e)).unwrap_or(false);
    let unreachable = f.take("unreachable").and_then(|t| boolean(t, e)).unwrap_or(false);
    let status = f.take("status").and_then(|t| number(t, 100, 599, e)).unwrap_or(200);
    let body = f.take("body").map_or(serde_json::Value::Null, |t| value(t).to_json());
    f.done(e);
    Some(match (timeout, unreachable) {
        (true, _) => StubAnswer::Error(HttpError::Timeout),
        (_, true) => StubAnswer::Error(HttpError::Unreachable),
        _ => StubAnswer::Answer { status, body },
    })
}

fn step(t: &Tree, e: &mut Errors) -> Option<Step> {
    let mut f = Fields::of(t, "a step", e)?;
    let mut found: Vec<Step> = Vec::new();
    found.extend(f.take("say").and_then(|t| text(t, "what the caller says or types", e)).map(|t| Step::Say(t.it)));
    if let Some(t) = f.take("dtmf").and_then(|t| text(t, "keys", e)) {
        if t.it.chars().all(crate::ivr::machine::is_key) {
            found.push(Step::Dtmf(t.it));
        } else {
            e.add(t.pos, format!("expected keys of the telephone, found `{}`", t.it));
        }
    }
    found.extend(f.take("silence").and_then(|t| duration(t, e)).map(Step::Silence));
    found.extend(f.take("queue").and_then(|t| word(t, &QUEUE, e)).map(Step::Queue));
    found.extend(f.take("transfer").and_then(|t| word(t, &TRANSFER, e)).map(Step::Transfer));
    found.extend(f.take("talk_ended").and_then(|t| boolean(t, e)).map(|_| Step::TalkEnded));
    found.extend(f.take("speak_message").and_then(|t| duration(t, e)).map(Step::SpeakMessage));
    found.extend(f.take("voicemail_failed").and_then(|t| boolean(t, e)).map(|_| Step::VoicemailFailed));
    found.extend(f.take("hangup").and_then(|t| boolean(t, e)).map(|_| Step::Hangup));
    found.extend(f.take("expect_prompt").and_then(|t| text(t, "the id of a prompt", e)).map(|t| Step::ExpectPrompt(t.it)));
    if let Some(mut q) = f.take("queue_info").and_then(|t| Fields::of(t, "`queue_info`", e)) {
        let position = q.take("position").and_then(|t| number(t, 1, 1_000_000, e)).unwrap_or(1);
        let ewt = q.take("ewt").and_then(|t| duration(t, e)).unwrap_or_default();
        let confidence = q.take("confidence").and_then(|t| number(t, 0.0, 1.0, e)).unwrap_or(1.0);
        q.done(e);
        found.push(Step::QueueInfo { position, ewt_s: ewt.as_secs_f64(), confidence });
    }
    if let Some(t) = f.take("expect") {
        found.extend(expect(t, e).map(|x| Step::Expect(Box::new(x))));
    }
    let pos = f.pos;
    let bad = !f.rest().is_empty();
    f.done(e);
    if found.len() != 1 && !bad {
        e.add(pos, "a step does one thing: `say`, `dtmf`, `silence`, .. or `expect`");
    }
    found.pop()
}

fn expect(t: &Tree, e: &mut Errors) -> Option<Expect> {
    let mut f = Fields::of(t, "`expect`", e)?;
    let mut word_of = |key, e: &mut Errors| f.take(key).and_then(|t| text(t, "a text", e)).map(|t| t.it);
    let (node, flow) = (word_of("node", e), word_of("flow", e));
    let (event, transfer, ended) = (word_of("event", e), word_of("transfer", e), word_of("ended", e));
    let callback = word_of("callback", e);
    let mut x = Expect { node, flow, event, callback, transfer, ended, ..Expect::default() };
    for (k, v) in f.take("vars").map(|t| pairs(t, "the variables", e)).unwrap_or_default() {
        x.vars.insert(k.text.clone(), value(v));
    }
    if let Some(mut q) = f.take("queue").and_then(|t| Fields::of(t, "the queue", e)) {
        x.queue = q.take("queue").and_then(|t| id(t, "the id of a queue", e)).map(|q| q.it);
        x.priority = q.take("priority").and_then(|t| number(t, -100_000, 100_000, e));
        x.prefer_agent = q.take("prefer_agent").and_then(|t| text(t, "the id of an agent", e)).map(|t| t.it);
        if let Some(t) = q.take("skills") {
            x.skills = Some(list(t, "the skills", e).iter().filter_map(|t| text(t, "a skill", e)).map(|t| t.it).collect());
        }
        for (k, v) in q.take("attributes").map(|t| pairs(t, "the attributes", e)).unwrap_or_default() {
            x.attributes.insert(k.text.clone(), value(v).show());
        }
        q.done(e);
        x.enqueued = true;
    }
    if let Some(mut q) = f.take("ticket").and_then(|t| Fields::of(t, "the ticket", e)) {
        x.ticket_queue = q.take("queue").and_then(|t| id(t, "the id of a queue", e)).map(|q| q.it);
        x.ticket_title = q.take("title").and_then(|t| text(t, "a title", e)).map(|t| t.it);
        q.done(e);
        x.ticket = true;
    }
    f.done(e);
    Some(x)
}

//! Nodes: one verb each, its own keys, and the ways out.

use std::time::Duration;

use super::{
    Errors,
    fields::{
        Fields, assignments, barge_in, duration, expr, given, givens, id, list, number, pairs, phone_key, target, template,
        text, texts, word,
    },
    top::{Defaults, channels, gather_defaults},
};
use crate::{
    base::{
        limits::{CALLBACK_ATTEMPTS_MAX, CALLBACK_GAP_MAX, CALLBACK_GAP_MIN, VOICEMAIL_MAX},
        secs,
    },
    ivr::{
        Method, Pos, Record,
        flow::{
            Announce, At, Branch, Call, Callback, Event, Exit, Gather, GatherMode, Http, Node, Queue, Return, Say, Target,
            TicketOf, Transfer, Verb, Voicemail,
        },
        yaml::{Key, Kind, Tree, did_you_mean},
    },
};

const VERBS: [&str; 14] = [
    "say",
    "gather",
    "set",
    "branch",
    "hours",
    "http",
    "call",
    "queue",
    "callback",
    "voicemail",
    "transfer",
    "event",
    "return",
    "hangup",
];
const LATER: [&str; 4] = ["bot", "survey", "secure_gather", "return_to_agent"];
const NODE_KEYS: [&str; 12] = [
    "when",
    "then",
    "on_error",
    "exhausted",
    "on_hangup",
    "no_input",
    "no_match",
    "barge_in",
    "channels",
    "other_channel",
    "set_on_enter",
    "entry",
];

/// One node.
pub(super) fn node(key: &Key, tree: &Tree, d: &Defaults, e: &mut Errors) -> Option<Node> {
    let mut f = Fields::of(tree, format!("node `{}`", key.text), e)?;
    let mut found: Vec<(&str, Pos, &Tree)> = Vec::new();
    for verb in VERBS {
        found.extend(f.entry(verb).map(|(k, t)| (verb, k.pos, t)));
    }
    for verb in LATER {
        // Asked for, so that it is not called unknown as well.
        if let Some((k, _)) = f.entry(verb) {
            e.add(k.pos, format!("verb `{verb}` is not available in this version"));
            return None;
        }
    }
    let &(verb, verb_pos, value) = match found.as_slice() {
        [one] => one,
        [] => {
            no_verb(key, &f, e);
            return None;
        }
        [one, two, ..] => {
            let pos = one.1.max(two.1);
            e.add(pos, format!("node `{}` has two verbs, `{}` and `{}`: make it two nodes", key.text, one.0, two.0));
            return None;
        }
    };
    let mut extra = Extra { no_input: Vec::new(), no_match: Vec::new(), barge_in: None };
    match verb {
        "gather" => {
            extra.no_input = again(f.take("no_input"), e);
            extra.no_match = again(f.take("no_match"), e);
        }
        "say" => extra.barge_in = f.take("barge_in"),
        _ => {}
    }
    let read = read(verb, value, d, extra, e);
    let mut when = Vec::new();
    for (k, v) in f.take("when").map(|t| pairs(t, "the outcomes", e)).unwrap_or_default() {
        when.extend(target(v, e).map(|to| (At { pos: k.pos, it: k.text.clone() }, to)));
    }
    let ends = matches!(verb, "hangup" | "return");
    let inherit = |own: Option<At<String>>, default: &Option<At<String>>| match own {
        Some(t) => Some((t, false)),
        None if ends => None,
        None => default.clone().map(|t| (t, true)),
    };
    let on_error = f.take("on_error").and_then(|t| target(t, e));
    let on_hangup = f.take("on_hangup").and_then(|t| target(t, e));
    let node = Node {
        pos: key.pos,
        verb_pos,
        when,
        then: f.take("then").and_then(|t| target(t, e)),
        on_error: inherit(on_error, &d.on_error),
        exhausted: f.take("exhausted").and_then(|t| target(t, e)),
        on_hangup: inherit(on_hangup, &d.on_hangup),
        channels: f.take("channels").map(|t| channels(t, e)),
        other_channel: f.take("other_channel").and_then(|t| target(t, e)),
        set_on_enter: f.take("set_on_enter").map(|t| assignments(t, e)).unwrap_or_default(),
        entry: f.take("entry").and_then(|t| word(t, &[("agent", ()), ("api", ())], e)).is_some(),
        untested: f.take("untested").and_then(|t| text(t, "why no test walks here", e)).map(|t| t.it),
        verb: Verb::Hangup,
    };
    f.done(e);
    Some(Node { verb: read?, ..node })
}

fn no_verb(key: &Key, f: &Fields<'_>, e: &mut Errors) {
    let strange: Vec<&Key> = f.rest().into_iter().map(|(k, _)| k).filter(|k| !NODE_KEYS.contains(&k.text.as_str())).collect();
    if let [only] = strange.as_slice() {
        let hint = did_you_mean(&only.text, VERBS).unwrap_or_else(|| format!("the verbs are {}", VERBS.join(", ")));
        e.hint(only.pos, format!("`{}` is not a verb", only.text), Some(hint));
    } else {
        let hint = Some(format!("the verbs are {}", VERBS.join(", ")));
        e.hint(key.pos, format!("node `{}` has no verb", key.text), hint);
    }
}

/// Keys of a node that belong to its verb.
struct Extra<'t> {
    no_input: Vec<At<String>>,
    no_match: Vec<At<String>>,
    barge_in: Option<&'t Tree>,
}

/// `{say: [..]}`.
fn again(tree: Option<&Tree>, e: &mut Errors) -> Vec<At<String>> {
    let Some(mut f) = tree.and_then(|t| Fields::of(t, "what is said before asking again", e)) else { return Vec::new() };
    let prompts = f.need("say", e).map(|t| texts(t, "the id of a prompt", e)).unwrap_or_default();
    f.done(e);
    prompts
}

fn read(verb: &str, v: &Tree, d: &Defaults, extra: Extra<'_>, e: &mut Errors) -> Option<Verb> {
    Some(match verb {
        "say" => Verb::Say(Say {
            prompts: some_prompts(v, e),
            barge_in: extra.barge_in.and_then(|t| barge_in(t, e)).unwrap_or(d.barge_in),
        }),
        "gather" => Verb::Gather(gather(v, d, extra, e)?),
        "set" => Verb::Set(assignments(v, e)),
        "branch" => Verb::Branch(branch(v, e)),
        "hours" => {
            let mut f = Fields::of(v, "`hours`", e)?;
            let c = f.need("calendar", e).and_then(|t| id(t, "the id of a calendar", e));
            f.done(e);
            Verb::Hours(c?)
        }
        "http" => Verb::Http(http(v, d, e)?),
        "call" => {
            let mut f = Fields::of(v, "`call`", e)?;
            let flow = f.need("flow", e).and_then(|t| id(t, "the id of a flow", e));
            let mut with = Vec::new();
            for (k, v) in f.take("with").map(|t| pairs(t, "the inputs", e)).unwrap_or_default() {
                with.extend(given(v, e).map(|g| (At { pos: k.pos, it: k.text.clone() }, g)));
            }
            let into = f.take("into").and_then(|t| text(t, "the name of a variable", e));
            f.done(e);
            Verb::Call(Call { flow: flow?, with, into })
        }
        "queue" => Verb::Queue(queue(v, e)?),
        "callback" => Verb::Callback(callback(v, e)?),
        "voicemail" => Verb::Voicemail(voicemail(v, e)?),
        "transfer" => Verb::Transfer(transfer(v, e)?),
        "event" => {
            let mut f = Fields::of(v, "`event`", e)?;
            let name = f.need("name", e).and_then(|t| text(t, "the name of the event", e));
            let data = f.take("data").map(|t| givens(t, "the data", e)).unwrap_or_default();
            f.done(e);
            Verb::Event(Event { name: name?.it, data })
        }
        "return" => match &v.kind {
            Kind::Map(_) => {
                let mut f = Fields::of(v, "`return`", e)?;
                let outcome = f.need("outcome", e).and_then(|t| text(t, "the name of the outcome", e));
                let value = f.take("value").and_then(|t| expr(t, e));
                f.done(e);
                Verb::Return(Return { outcome: outcome?, value })
            }
            _ => Verb::Return(Return { outcome: text(v, "the name of the outcome", e)?, value: None }),
        },
        _ => {
            if !v.is_null()
                && let Some(f) = Fields::of(v, "`hangup`", e)
            {
                f.done(e);
            }
            Verb::Hangup
        }
    })
}

fn some_prompts(tree: &Tree, e: &mut Errors) -> Vec<At<String>> {
    let all = texts(tree, "the id of a prompt", e);
    if all.is_empty() {
        e.add(tree.pos, "expected at least one prompt");
    }
    all
}

fn gather(v: &Tree, d: &Defaults, extra: Extra<'_>, e: &mut Errors) -> Option<Gather> {
    let mut f = Fields::of(v, "`gather`", e)?;
    let prompts = f.need("prompt", e).map(|t| some_prompts(t, e)).unwrap_or_default();
    let inputs: Vec<char> = match f.take("input") {
        Some(t) => {
            list(t, "the kinds of input", e).iter().filter_map(|t| word(t, &[("dtmf", 'd'), ("speech", 's')], e)).collect()
        }
        None => vec!['d'],
    };
    let grammar = f.take("grammar").and_then(|t| text(t, "the id of a grammar", e));
    let digits = f.take("digits");
    let words = f.take("words");
    let save = f.take("save").and_then(|t| text(t, "the name of a variable", e));
    let mut own = Defaults { on_error: None, on_hangup: None, ..*d };
    gather_defaults(&mut f, &mut own, e);
    let modes = usize::from(grammar.is_some()) + usize::from(digits.is_some()) + usize::from(words.is_some());
    if modes != 1 {
        e.add(f.pos, "`gather` needs one of `grammar`, `digits` or `words`: what may the answer be?");
    }
    let mode = match (grammar, digits, words) {
        (Some(g), ..) => Some(GatherMode::Grammar(g)),
        (_, Some(t), _) => digits_mode(t, e),
        (_, _, Some(t)) => Fields::of(t, "`words`", e).map(|mut w| {
            let max = w.take("max").and_then(|t| number(t, 1, 4_000, e)).unwrap_or(500);
            w.done(e);
            GatherMode::Words(max)
        }),
        _ => None,
    };
    f.done(e);
    Some(Gather {
        prompts,
        dtmf: inputs.contains(&'d'),
        speech: inputs.contains(&'s'),
        mode: mode?,
        save,
        timeout: own.timeout,
        inter_digit: own.inter_digit,
        retries: own.retries,
        barge_in: own.barge_in,
        min_confidence: own.min_confidence,
        min_words: own.min_words,
        no_input: extra.no_input,
        no_match: extra.no_match,
    })
}

fn digits_mode(t: &Tree, e: &mut Errors) -> Option<GatherMode> {
    let mut f = Fields::of(t, "`digits`", e)?;
    let min = f.take("min").and_then(|t| number(t, 1, 64, e)).unwrap_or(1);
    let max = f.need("max", e).and_then(|t| number(t, 1, 64, e));
    let end = f.take("end").and_then(|t| text(t, "a key", e)).and_then(|t| phone_key(&t, e));
    f.done(e);
    let max = max?;
    if min > max {
        e.add(t.pos, format!("`min` is {min} and `max` is {max}"));
    }
    Some(GatherMode::Digits { pos: t.pos, min, max, end })
}

fn branch(v: &Tree, e: &mut Errors) -> Branch {
    let mut b = Branch { cases: Vec::new(), otherwise: None };
    let cases = list(v, "the cases of `branch`", e);
    for (i, t) in cases.iter().enumerate() {
        let Some(mut f) = Fields::of(t, "a case of `branch`", e) else { continue };
        if let Some(to) = f.take("else") {
            b.otherwise = target(to, e);
            if i + 1 < cases.len() {
                e.add(t.pos, "`else` is the last case: what follows it never happens");
            }
        } else {
            let cond = f.need("if", e).and_then(|t| expr(t, e));
            let to = f.need("goto", e).and_then(|t| text(t, "the name of a node", e));
            b.cases.extend(cond.zip(to));
        }
        f.done(e);
    }
    b
}

fn http(v: &Tree, d: &Defaults, e: &mut Errors) -> Option<Http> {
    const METHODS: [(&str, Method); 5] = [
        ("get", Method::Get),
        ("post", Method::Post),
        ("put", Method::Put),
        ("patch", Method::Patch),
        ("delete", Method::Delete),
    ];
    let mut f = Fields::of(v, "`http`", e)?;
    let mut found = Vec::new();
    for (name, method) in METHODS {
        found.extend(f.take(name).and_then(|t| template(t, "an address", e)).map(|url| (method, url)));
    }
    if found.len() != 1 {
        e.add(f.pos, "`http` needs one of get, post, put, patch or delete with the address");
    }
    let mut map = |key, what: &str, e: &mut Errors| f.take(key).map(|t| givens(t, what, e)).unwrap_or_default();
    let query = map("query", "the query", e);
    let headers = map("headers", "the headers", e);
    let body = map("body", "the body", e);
    let secret_body = map("secret_body", "the secret body", e);
    let into = f.take("into").and_then(|t| text(t, "the name of a variable", e));
    let accept = match f.take("accept") {
        Some(t) => list(t, "the statuses", e).iter().filter_map(|t| number(t, 100, 599, e)).collect(),
        None => (200..300).collect(),
    };
    let timeout = f.take("timeout").and_then(|t| duration(t, e)).unwrap_or(d.http_timeout);
    let retries = f.take("retries").and_then(|t| number(t, 0, 5, e)).unwrap_or(d.http_retries);
    f.done(e);
    let (method, url) = found.into_iter().next()?;
    Some(Http { method, url, query, headers, body, secret_body, into, accept, timeout, retries })
}

fn queue(v: &Tree, e: &mut Errors) -> Option<Queue> {
    let plain = |queue| Queue {
        queue,
        skills: Vec::new(),
        priority: None,
        prefer_agent: None,
        attributes: Vec::new(),
        music: None,
        announce: None,
        exits: Vec::new(),
        agent_whisper: None,
        record: None,
        max_wait: None,
    };
    if let Kind::Scalar { .. } = v.kind {
        return id(v, "the id of a queue", e).map(plain);
    }
    let mut f = Fields::of(v, "`queue`", e)?;
    if let Some((k, _)) = f.entry("workflow") {
        e.hint(k.pos, "`workflow` is not available in this version", Some("name the queue: `queue: support`".to_owned()));
    }
    let queue = f.need("queue", e).and_then(|t| id(t, "the id of a queue", e));
    let mut q = plain(queue?);
    for t in f.take("skills").map(|t| list(t, "the skills", e)).unwrap_or_default() {
        if let Kind::Scalar { .. } = t.kind {
            q.skills.extend(id(t, "the id of a skill", e).map(|s| (s, 1, None)));
        } else if let Some(mut s) = Fields::of(t, "a skill", e) {
            let skill = s.need("skill", e).and_then(|t| id(t, "the id of a skill", e));
            let min = s.take("min").and_then(|t| number(t, 1, 5, e)).unwrap_or(1);
            let only_if = s.take("if").and_then(|t| expr(t, e));
            s.done(e);
            q.skills.extend(skill.map(|s| (s, min, only_if)));
        }
    }
    q.priority = f.take("priority").and_then(|t| expr(t, e));
    if let Some(mut p) = f.take("prefer_agent").and_then(|t| Fields::of(t, "`prefer_agent`", e)) {
        let agent = p.need("id", e).and_then(|t| given(t, e));
        let time = p.take("for").and_then(|t| duration(t, e)).unwrap_or(secs(15));
        p.done(e);
        q.prefer_agent = agent.map(|a| (a, time));
    }
    q.attributes = f.take("attributes").map(|t| givens(t, "the attributes", e)).unwrap_or_default();
    q.music = f.take("music").and_then(|t| text(t, "the name of a music class", e));
    q.announce = f.take("announce").and_then(|t| announce(t, e));
    for (k, v) in f.take("exits").map(|t| pairs(t, "the exit keys", e)).unwrap_or_default() {
        let key = phone_key(&At { pos: k.pos, it: k.text.clone() }, e);
        let (goto, only_if) = match &v.kind {
            Kind::Map(_) => {
                let Some(mut x) = Fields::of(v, "an exit", e) else { continue };
                let goto = x.need("goto", e).and_then(|t| text(t, "the name of a node", e));
                let only_if = x.take("only_if").and_then(|t| expr(t, e));
                x.done(e);
                (goto, only_if)
            }
            _ => (target(v, e), None),
        };
        q.exits.extend(key.zip(goto).map(|(key, goto)| Exit { pos: k.pos, key, goto, only_if }));
    }
    q.agent_whisper = f.take("agent_whisper").and_then(|t| template(t, "the words", e));
    q.record = f.take("record").and_then(|t| record(t, e));
    q.max_wait = f.take("max_wait").and_then(|t| duration(t, e));
    f.done(e);
    Some(q)
}

fn announce(t: &Tree, e: &mut Errors) -> Option<Announce> {
    let mut f = Fields::of(t, "`announce`", e)?;
    let prompts = f.need("prompt", e).map(|t| some_prompts(t, e)).unwrap_or_default();
    let first_after = f.take("first_after").and_then(|t| duration(t, e)).unwrap_or(secs(10));
    let every = f.take("every").and_then(|t| duration(t, e)).unwrap_or(secs(60));
    let only_if = f.take("only_if").and_then(|t| expr(t, e));
    if every < secs(5) {
        e.add(t.pos, "`every` is shorter than 5s: nobody can listen to that");
    }
    f.done(e);
    Some(Announce { prompts, first_after, every: every.max(secs(5)), only_if })
}

fn record(t: &Tree, e: &mut Errors) -> Option<Record> {
    const MODES: [(&str, char); 3] = [("always", 'a'), ("never", 'n'), ("percent", 'p')];
    let (mode, percent) = match &t.kind {
        Kind::Map(_) => {
            let mut f = Fields::of(t, "`record`", e)?;
            let mode = f.need("mode", e).and_then(|t| word(t, &MODES, e));
            let percent = f.take("percent").and_then(|t| number(t, 0u8, 100, e));
            // Written down for readers and auditors; recordings have two channels in any case.
            f.take("channels").and_then(|t| number(t, 2u8, 2, e));
            f.take("consent").and_then(|t| word(t, &[("announced", ()), ("asked", ()), ("none", ())], e));
            f.done(e);
            (mode?, percent)
        }
        _ => (word(t, &MODES, e)?, None),
    };
    Some(match (mode, percent) {
        ('a', _) => Record::Always,
        ('n', _) => Record::Never,
        (_, Some(p)) => Record::Percent(p),
        _ => {
            e.add(t.pos, "`mode: percent` needs `percent: 0` to 100");
            return None;
        }
    })
}

fn callback(v: &Tree, e: &mut Errors) -> Option<Callback> {
    let mut c = Callback {
        number: None,
        queue: None,
        at: None,
        attempts: 3,
        gap: secs(300),
        screens: true,
        message: Vec::new(),
        ticket: None,
    };
    if v.is_null() {
        return Some(c);
    }
    let mut f = Fields::of(v, "`callback`", e)?;
    c.number = f.take("number").and_then(|t| template(t, "a number", e));
    c.queue = f.take("queue").and_then(|t| id(t, "the id of a queue", e));
    c.at = f.take("at").and_then(|t| template(t, "an hour", e));
    c.attempts = f.take("attempts").and_then(|t| number(t, 1, CALLBACK_ATTEMPTS_MAX, e)).unwrap_or(c.attempts);
    c.gap = f.take("gap").map_or(c.gap, |t| {
        let gap = duration(t, e).unwrap_or(c.gap);
        if !(CALLBACK_GAP_MIN..=CALLBACK_GAP_MAX).contains(&gap) {
            let (least, most) = (CALLBACK_GAP_MIN.as_secs(), CALLBACK_GAP_MAX.as_secs() / 3_600);
            e.add(t.pos, format!("between two calls lie {least}s to {most}h"));
        }
        gap
    });
    let machine = f.take("machine").and_then(|t| word(t, &[("retry", true), ("ignore", false)], e));
    c.screens = machine.unwrap_or(c.screens);
    c.message = f.take("message").map(|t| texts(t, "the id of a prompt", e)).unwrap_or_default();
    c.ticket = f.take("ticket").and_then(|t| ticket(t, e));
    f.done(e);
    Some(c)
}

fn ticket(v: &Tree, e: &mut Errors) -> Option<TicketOf> {
    let mut t = Fields::of(v, "`ticket`", e)?;
    let queue = t.need("queue", e).and_then(|t| id(t, "the id of a queue", e));
    let title = t.need("title", e).and_then(|t| template(t, "a title", e));
    let sla = t.take("sla").and_then(|t| id(t, "the id of an SLA policy", e));
    t.done(e);
    Some(TicketOf { queue: queue?, title: title?, sla })
}

fn voicemail(v: &Tree, e: &mut Errors) -> Option<Voicemail> {
    let mut f = Fields::of(v, "`voicemail`", e)?;
    let prompts = f.need("prompt", e).map(|t| some_prompts(t, e)).unwrap_or_default();
    let max: Option<Duration> = f.take("max").and_then(|t| {
        let d = duration(t, e)?;
        if d > VOICEMAIL_MAX || d < secs(1) {
            e.add(t.pos, format!("a message may last from 1s to {}s", VOICEMAIL_MAX.as_secs()));
        }
        Some(d)
    });
    let ticket = f.need("ticket", e).and_then(|t| ticket(t, e));
    f.done(e);
    let TicketOf { queue, title, sla } = ticket?;
    Some(Voicemail { prompts, max: max.unwrap_or(secs(120)), queue, title, sla })
}

fn transfer(v: &Tree, e: &mut Errors) -> Option<Transfer> {
    let mut f = Fields::of(v, "`transfer`", e)?;
    let number = f.take("number").and_then(|t| template(t, "a number", e)).map(Target::Number);
    let queue = f.take("queue").and_then(|t| id(t, "the id of a queue", e)).map(Target::Queue);
    let agent = f.take("agent").and_then(|t| id(t, "the id of an agent", e)).map(Target::Agent);
    let timeout = f.take("timeout").and_then(|t| duration(t, e)).unwrap_or(secs(30));
    let mut to: Vec<Target> = [number, queue, agent].into_iter().flatten().collect();
    if to.len() != 1 {
        e.add(f.pos, "`transfer` needs one of `number`, `queue` or `agent`");
    }
    f.done(e);
    to.pop().map(|to| Transfer { to, timeout })
}

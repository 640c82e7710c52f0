//! The file itself: head, inputs, variables, defaults, prompts, grammars, and the list of nodes.

use std::{collections::BTreeMap, time::Duration};

use sha2::{Digest as _, Sha256};

use super::{
    Errors,
    fields::{Fields, barge_in, boolean, duration, id, list, name, number, pairs, target, template, text, texts, value, word},
    stories, verbs,
};
use crate::{
    base::{
        Channel,
        limits::{FLOW_NODES_MAX, INTER_DIGIT_DEFAULT},
        secs,
    },
    ivr::{
        Value,
        flow::{At, BargeIn, Flow, From, Grammar, InputDecl, PromptDecl, PromptText, Type, VarDecl},
        yaml::{Kind, Tree, did_you_mean},
    },
};

/// What nodes inherit.
pub(super) struct Defaults {
    pub timeout: Duration,
    pub inter_digit: Duration,
    pub retries: u32,
    pub barge_in: BargeIn,
    pub min_confidence: f64,
    pub min_words: usize,
    pub http_timeout: Duration,
    pub http_retries: u32,
    pub on_error: Option<At<String>>,
    pub on_hangup: Option<At<String>>,
}

const CHANNELS: [(&str, Channel); 2] = [("voice", Channel::Voice), ("webchat", Channel::Webchat)];

pub(super) fn flow(tree: &Tree, source: &str, e: &mut Errors) -> Option<Flow> {
    let mut f = Fields::of(tree, "the flow", e)?;
    let flow_id = f.need("flow", e).and_then(|t| id(t, "the name of the flow", e));
    if let Some(s) = f.need("schema", e)
        && !matches!(&s.kind, Kind::Scalar { text, .. } if text == "1")
    {
        e.add(s.pos, format!("expected schema 1, found {}", s.describe()));
    }
    let channels = f.take("channels").map_or_else(|| vec![Channel::Voice], |t| channels(t, e));
    let languages: Vec<String> = f
        .need("languages", e)
        .map(|t| texts(t, "a language like en-US", e))
        .unwrap_or_default()
        .into_iter()
        .map(|l| l.it)
        .collect();
    if languages.is_empty() {
        e.add(f.pos, "a flow speaks at least one language: `languages: [en-US]`");
    }
    let start = f.need("start", e).and_then(|t| text(t, "the name of the first node", e));
    let inputs = f.take("inputs").map(|t| inputs(t, e)).unwrap_or_default();
    let vars = f.take("vars").map(|t| vars(t, e)).unwrap_or_default();
    let config = f.take("config").map(|t| config(t, e)).unwrap_or_default();
    let d = defaults(f.take("defaults"), e);
    let prompts = f.take("prompts").map(|t| prompts(t, &languages, e)).unwrap_or_default();
    let grammars = f.take("grammars").map(|t| grammars(t, &languages, e)).unwrap_or_default();
    let (mut nodes, mut order) = (BTreeMap::new(), Vec::new());
    if let Some(t) = f.need("nodes", e) {
        for (k, v) in pairs(t, "the nodes", e) {
            if nodes.len() >= FLOW_NODES_MAX {
                e.add(k.pos, format!("a flow may have {FLOW_NODES_MAX} nodes"));
                break;
            }
            if name(k, "a node", e)
                && let Some(n) = verbs::node(k, v, &d, e)
            {
                order.push(k.text.clone());
                nodes.insert(k.text.clone(), n);
            }
        }
    }
    let tests = f.take("tests").map(|t| stories::stories(t, e)).unwrap_or_default();
    f.done(e);
    let hash = Sha256::digest(source.as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let file = e.file.clone();
    Some(Flow {
        id: flow_id?.it,
        hash,
        file,
        text: source.into(),
        channels,
        languages,
        start: start?,
        inputs,
        vars,
        config,
        prompts,
        grammars,
        nodes,
        order,
        tests,
    })
}

pub(super) fn channels(tree: &Tree, e: &mut Errors) -> Vec<Channel> {
    list(tree, "the channels", e).iter().filter_map(|t| word(t, &CHANNELS, e)).collect()
}

/// `string number bool duration digits e164 date`, `enum` with `of`, `object` with `fields`, `list` with `of`.
fn declared(f: &mut Fields<'_>, e: &mut Errors) -> Option<Type> {
    let t = f.need("type", e)?;
    let of = f.take("of");
    let fields = f.take("fields");
    let kinds = [
        ("string", 't'),
        ("digits", 't'),
        ("e164", 't'),
        ("date", 't'),
        ("number", 'n'),
        ("bool", 'b'),
        ("duration", 'd'),
        ("enum", 'e'),
        ("object", 'o'),
        ("list", 'l'),
    ];
    Some(match word(t, &kinds, e)? {
        'n' => Type::Number,
        'b' => Type::Bool,
        'd' => Type::Duration,
        'e' => match of {
            Some(of) => Type::Enum(texts(of, "a word", e).into_iter().map(|t| t.it).collect()),
            None => {
                e.add(t.pos, "an enum needs its words: `of: [a, b]`");
                return None;
            }
        },
        'o' => {
            let mut all = BTreeMap::new();
            for (k, v) in fields.map(|t| pairs(t, "the fields", e)).unwrap_or_default() {
                if name(k, "a field", e)
                    && let Some(ty) = word(v, &scalar_types(), e)
                {
                    all.insert(k.text.clone(), scalar(ty));
                }
            }
            Type::Object(all)
        }
        'l' => Type::List(Box::new(of.and_then(|t| word(t, &scalar_types(), e)).map_or(Type::Text, scalar))),
        _ => Type::Text,
    })
}

fn scalar_types() -> [(&'static str, char); 7] {
    [("string", 't'), ("digits", 't'), ("e164", 't'), ("date", 't'), ("number", 'n'), ("bool", 'b'), ("duration", 'd')]
}

fn scalar(c: char) -> Type {
    match c {
        'n' => Type::Number,
        'b' => Type::Bool,
        'd' => Type::Duration,
        _ => Type::Text,
    }
}

/// The value under `default`, in the declared type: `default: 5s` of a duration is a duration.
fn default(tree: &Tree, ty: &Type, e: &mut Errors) -> Value {
    match (ty, value(tree)) {
        (_, Value::Null) => Value::Null,
        (Type::Duration, _) => duration(tree, e).map_or(Value::Null, |d| Value::Duration(d.as_secs_f64())),
        // `default: 007` of a string is the text as written.
        (Type::Text | Type::Enum(_), _) => match &tree.kind {
            Kind::Scalar { text, .. } => Value::Text(text.clone()),
            _ => value(tree),
        },
        (_, v) => v,
    }
}

fn vars(tree: &Tree, e: &mut Errors) -> BTreeMap<String, VarDecl> {
    let mut all = BTreeMap::new();
    for (k, v) in pairs(tree, "the variables", e) {
        if !name(k, "a variable", e) {
            continue;
        }
        let Some(mut f) = Fields::of(v, format!("variable `{}`", k.text), e) else { continue };
        let ty = declared(&mut f, e);
        let secret = f.take("secret").and_then(|t| boolean(t, e)).unwrap_or(false);
        let max_len = f.take("max_len").and_then(|t| number(t, 1, 8_192, e));
        let default = f.take("default").zip(ty.as_ref()).map(|(t, ty)| default(t, ty, e));
        f.done(e);
        if let Some(ty) = ty {
            all.insert(k.text.clone(), VarDecl { pos: k.pos, ty, secret, max_len, default });
        }
    }
    all
}

fn inputs(tree: &Tree, e: &mut Errors) -> BTreeMap<String, InputDecl> {
    let mut all = BTreeMap::new();
    for (k, v) in pairs(tree, "the inputs", e) {
        let Some(mut f) = Fields::of(v, format!("input `{}`", k.text), e) else { continue };
        let ty = declared(&mut f, e);
        let sources = [("channel", From::Channel), ("env", From::Env), ("caller", From::Caller)];
        let from = f.need("from", e).and_then(|t| word(t, &sources, e));
        let secret = f.take("secret").and_then(|t| boolean(t, e)).unwrap_or(false);
        let default = f.take("default").zip(ty.as_ref()).map(|(t, ty)| default(t, ty, e));
        f.done(e);
        let known = crate::ivr::machine::channel_inputs();
        if from == Some(From::Channel) && !known.contains(k.text.as_str()) {
            let hint = did_you_mean(&k.text, known.iter().copied());
            let all = known.iter().copied().collect::<Vec<_>>().join(", ");
            e.hint(k.pos, format!("the channel gives {all}, not `{}`", k.text), hint);
        }
        if let (Some(ty), Some(from)) = (ty, from) {
            all.insert(k.text.clone(), InputDecl { pos: k.pos, ty, secret, from, default });
        }
    }
    all
}

/// `name: default`, or `name: {default: .., note: ..}`.
fn config(tree: &Tree, e: &mut Errors) -> BTreeMap<String, At<String>> {
    let mut all = BTreeMap::new();
    for (k, v) in pairs(tree, "the settings", e) {
        if !name(k, "a setting", e) {
            continue;
        }
        let found = match &v.kind {
            Kind::Map(_) => Fields::of(v, format!("setting `{}`", k.text), e).and_then(|mut f| {
                let d = f.need("default", e).and_then(|t| text(t, "a text", e));
                f.take("note");
                f.done(e);
                d
            }),
            _ => text(v, "a text", e),
        };
        if let Some(t) = found {
            all.insert(k.text.clone(), t);
        }
    }
    all
}

fn defaults(tree: Option<&Tree>, e: &mut Errors) -> Defaults {
    let mut d = Defaults {
        timeout: secs(5),
        inter_digit: INTER_DIGIT_DEFAULT,
        retries: 2,
        barge_in: BargeIn { dtmf: true, speech: true },
        min_confidence: 0.5,
        min_words: 1,
        http_timeout: secs(2),
        http_retries: 0,
        on_error: None,
        on_hangup: None,
    };
    let Some(mut f) = tree.and_then(|t| Fields::of(t, "`defaults`", e)) else { return d };
    if let Some(mut g) = f.take("gather").and_then(|t| Fields::of(t, "`defaults.gather`", e)) {
        gather_defaults(&mut g, &mut d, e);
        g.done(e);
    }
    if let Some(mut h) = f.take("http").and_then(|t| Fields::of(t, "`defaults.http`", e)) {
        d.http_timeout = h.take("timeout").and_then(|t| duration(t, e)).unwrap_or(d.http_timeout);
        d.http_retries = h.take("retries").and_then(|t| number(t, 0, 5, e)).unwrap_or(d.http_retries);
        h.done(e);
    }
    d.on_error = f.take("on_error").and_then(|t| target(t, e));
    d.on_hangup = f.take("on_hangup").and_then(|t| target(t, e));
    f.done(e);
    d
}

/// The keys a `gather` shares with its defaults.
pub(super) fn gather_defaults(g: &mut Fields<'_>, d: &mut Defaults, e: &mut Errors) {
    d.timeout = g.take("timeout").and_then(|t| duration(t, e)).unwrap_or(d.timeout);
    d.inter_digit = g.take("inter_digit").and_then(|t| duration(t, e)).unwrap_or(d.inter_digit);
    d.retries = g.take("retries").and_then(|t| number(t, 0, 10, e)).unwrap_or(d.retries);
    d.barge_in = g.take("barge_in").and_then(|t| barge_in(t, e)).unwrap_or(d.barge_in);
    d.min_confidence = g.take("min_confidence").and_then(|t| number(t, 0.0, 1.0, e)).unwrap_or(d.min_confidence);
    d.min_words = g.take("min_words").and_then(|t| number(t, 0, 20, e)).unwrap_or(d.min_words);
}

fn prompts(tree: &Tree, languages: &[String], e: &mut Errors) -> BTreeMap<String, PromptDecl> {
    let mut all = BTreeMap::new();
    for (k, v) in pairs(tree, "the prompts", e) {
        if !name(k, "a prompt", e) {
            continue;
        }
        let Some(mut f) = Fields::of(v, format!("prompt `{}`", k.text), e) else { continue };
        let legal = f.take("legal").and_then(|t| boolean(t, e)).unwrap_or(false);
        let mut decl = PromptDecl { pos: k.pos, legal, texts: BTreeMap::new() };
        for (lang, t) in f.rest() {
            if !languages.contains(&lang.text) {
                let hint = did_you_mean(&lang.text, languages.iter().map(String::as_str))
                    .unwrap_or_else(|| format!("`languages` has {}", languages.join(", ")));
                e.hint(lang.pos, format!("unknown language `{}` in prompt `{}`", lang.text, k.text), Some(hint));
                continue;
            }
            let Some(mut p) = Fields::of(t, format!("prompt `{}` in {}", k.text, lang.text), e) else { continue };
            let (file, say, chat) = (p.take("file"), p.take("say"), p.take("text"));
            let none = file.is_none() && say.is_none();
            let file = file.and_then(|t| text(t, "the name of a file", e)).map(|t| t.it);
            let say = say.and_then(|t| template(t, "the words", e));
            let chat = chat.and_then(|t| template(t, "the words in writing", e));
            p.done(e);
            if none {
                e.add(t.pos, format!("prompt `{}` has neither `say` nor `file` in {}", k.text, lang.text));
            }
            decl.texts.insert(lang.text.clone(), PromptText { pos: lang.pos, file, say, text: chat });
        }
        all.insert(k.text.clone(), decl);
    }
    all
}

fn grammars(tree: &Tree, languages: &[String], e: &mut Errors) -> BTreeMap<String, Grammar> {
    let mut all = BTreeMap::new();
    for (k, v) in pairs(tree, "the grammars", e) {
        if !name(k, "a grammar", e) {
            continue;
        }
        let Some(mut f) = Fields::of(v, format!("grammar `{}`", k.text), e) else { continue };
        let mut g = Grammar { pos: k.pos, dtmf: Vec::new(), phrases: Vec::new(), labels: BTreeMap::new() };
        for (key, v) in f.take("dtmf").map(|t| pairs(t, "the keys", e)).unwrap_or_default() {
            if key.text.is_empty() || key.text.len() > 8 || !key.text.chars().all(crate::ivr::machine::is_key) {
                e.add(key.pos, format!("expected keys of the telephone (0-9 * #), found `{}`", key.text));
            } else if let Some(m) = text(v, "a meaning", e) {
                g.dtmf.push((At { pos: key.pos, it: key.text.clone() }, m));
            }
        }
        for (m, v) in f.take("phrases").map(|t| pairs(t, "the phrases", e)).unwrap_or_default() {
            g.phrases.push((At { pos: m.pos, it: m.text.clone() }, texts(v, "a phrase", e)));
        }
        for (m, v) in f.take("labels").map(|t| pairs(t, "the labels", e)).unwrap_or_default() {
            let mut by = BTreeMap::new();
            for (lang, t) in pairs(v, "the label by language", e) {
                if !languages.contains(&lang.text) {
                    e.add(lang.pos, format!("unknown language `{}`; `languages` has {}", lang.text, languages.join(", ")));
                }
                by.extend(text(t, "a label", e).map(|t| (lang.text.clone(), t.it)));
            }
            g.labels.insert(m.text.clone(), by);
        }
        if let Some((key, _)) = f.entry("intents") {
            e.add(key.pos, "`intents` is not available in this version");
        }
        f.done(e);
        all.insert(k.text.clone(), g);
    }
    all
}

//! The small readers: one key of a mapping, one value of a kind.

use std::{str::FromStr, time::Duration};

use super::Errors;
use crate::ivr::{
    Pos, Value,
    expr::{Expr, types::is_name},
    flow::{At, BargeIn, Given},
    template::Template,
    yaml::{Key, Kind, Tree, did_you_mean},
};

/// The keys of one mapping: taken by name, the rest is unknown.
pub(super) struct Fields<'t> {
    what: String,
    pub pos: Pos,
    entries: Vec<(&'t Key, &'t Tree)>,
    taken: Vec<bool>,
    known: Vec<&'static str>,
}

impl<'t> Fields<'t> {
    /// Of a mapping; `what` names it in messages.
    pub fn of(tree: &'t Tree, what: impl Into<String>, e: &mut Errors) -> Option<Fields<'t>> {
        let what = what.into();
        let entries: Vec<(&Key, &Tree)> = match &tree.kind {
            Kind::Map(m) => m.iter().map(|(k, v)| (k, v)).collect(),
            _ => {
                e.add(tree.pos, format!("expected a mapping for {what}, found {}", tree.describe()));
                return None;
            }
        };
        let taken = vec![false; entries.len()];
        Some(Fields { what, pos: tree.pos, entries, taken, known: Vec::new() })
    }
    /// The value of `key`, if it is there.
    pub fn take(&mut self, key: &'static str) -> Option<&'t Tree> {
        self.entry(key).map(|(_, v)| v)
    }
    /// Key and value.
    pub fn entry(&mut self, key: &'static str) -> Option<(&'t Key, &'t Tree)> {
        self.known.push(key);
        let i = self.entries.iter().position(|(k, _)| k.text == key)?;
        self.taken[i] = true;
        Some(self.entries[i])
    }
    /// The value of a key that must be there.
    pub fn need(&mut self, key: &'static str, e: &mut Errors) -> Option<&'t Tree> {
        let found = self.take(key);
        if found.is_none() {
            e.add(self.pos, format!("{} needs `{key}`", self.what));
        }
        found
    }
    /// Keys nobody has taken yet.
    pub fn rest(&self) -> Vec<(&'t Key, &'t Tree)> {
        self.entries.iter().zip(&self.taken).filter(|(_, t)| !**t).map(|(e, _)| *e).collect()
    }
    /// Reports what nobody took.
    pub fn done(self, e: &mut Errors) {
        for (key, _) in self.rest() {
            let hint = did_you_mean(&key.text, self.known.iter().copied())
                .unwrap_or_else(|| format!("expected one of {}", self.known.join(", ")));
            e.hint(key.pos, format!("unknown key `{}` in {}", key.text, self.what), Some(hint));
        }
    }
}

/// Every key and value of a mapping whose keys are the author's.
pub(super) fn pairs<'t>(tree: &'t Tree, what: &str, e: &mut Errors) -> &'t [(Key, Tree)] {
    match &tree.kind {
        Kind::Map(m) => m,
        _ if tree.is_null() => &[],
        _ => {
            e.add(tree.pos, format!("expected a mapping for {what}, found {}", tree.describe()));
            &[]
        }
    }
}

/// Every item of a list.
pub(super) fn list<'t>(tree: &'t Tree, what: &str, e: &mut Errors) -> &'t [Tree] {
    match &tree.kind {
        Kind::List(l) => l,
        _ => {
            e.add(tree.pos, format!("expected a list for {what}, found {}", tree.describe()));
            &[]
        }
    }
}

pub(super) fn text(tree: &Tree, what: &str, e: &mut Errors) -> Option<At<String>> {
    match &tree.kind {
        Kind::Scalar { text, .. } if !tree.is_null() => Some(At { pos: tree.pos, it: text.clone() }),
        _ => {
            e.add(tree.pos, format!("expected {what}, found {}", tree.describe()));
            None
        }
    }
}

/// One text, or a list of them.
pub(super) fn texts(tree: &Tree, what: &str, e: &mut Errors) -> Vec<At<String>> {
    match &tree.kind {
        Kind::List(l) => l.iter().filter_map(|t| text(t, what, e)).collect(),
        _ => text(tree, what, e).into_iter().collect(),
    }
}

pub(super) fn id<T: FromStr<Err: std::fmt::Display>>(tree: &Tree, what: &str, e: &mut Errors) -> Option<At<T>> {
    let t = text(tree, what, e)?;
    match t.it.parse() {
        Ok(it) => Some(At { pos: t.pos, it }),
        Err(err) => {
            e.add(t.pos, err.to_string());
            None
        }
    }
}

pub(super) fn number<T: FromStr + PartialOrd + std::fmt::Display>(tree: &Tree, low: T, high: T, e: &mut Errors) -> Option<T> {
    if let Kind::Scalar { text, .. } = &tree.kind
        && let Ok(n) = text.parse::<T>()
        && n >= low
        && n <= high
    {
        return Some(n);
    }
    e.add(tree.pos, format!("expected a number from {low} to {high}, found {}", tree.describe()));
    None
}

pub(super) fn boolean(tree: &Tree, e: &mut Errors) -> Option<bool> {
    match &tree.kind {
        Kind::Scalar { text, plain: true } if text == "true" => Some(true),
        Kind::Scalar { text, plain: true } if text == "false" => Some(false),
        _ => {
            e.add(tree.pos, format!("expected true or false, found {}", tree.describe()));
            None
        }
    }
}

/// `500ms 5s 2m 1h`, at most a day.
pub(super) fn duration(tree: &Tree, e: &mut Errors) -> Option<Duration> {
    if let Kind::Scalar { text, .. } = &tree.kind {
        let cut = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let factor = match &text[cut..] {
            "ms" => Some(0.001),
            "s" => Some(1.0),
            "m" => Some(60.0),
            "h" => Some(3_600.0),
            _ => None,
        };
        if let (Ok(n), Some(factor)) = (text[..cut].parse::<f64>(), factor)
            && (0.0..=86_400.0).contains(&(n * factor))
        {
            return Some(Duration::from_secs_f64(n * factor));
        }
    }
    e.add(tree.pos, format!("expected a duration like 5s, 500ms or 2m (at most 24h), found {}", tree.describe()));
    None
}

/// One of a few words.
pub(super) fn word<T: Copy>(tree: &Tree, known: &[(&str, T)], e: &mut Errors) -> Option<T> {
    let all = || known.iter().map(|k| k.0).collect::<Vec<_>>().join(", ");
    let t = text(tree, &format!("one of {}", all()), e)?;
    let found = known.iter().find(|k| k.0 == t.it).map(|k| k.1);
    if found.is_none() {
        let hint = did_you_mean(&t.it, known.iter().map(|k| k.0));
        e.hint(t.pos, format!("expected one of {}, found `{}`", all(), t.it), hint);
    }
    found
}

/// `node` or `{goto: node}`.
pub(super) fn target(tree: &Tree, e: &mut Errors) -> Option<At<String>> {
    if let Kind::Map(_) = tree.kind {
        let mut f = Fields::of(tree, "a target", e)?;
        let to = f.need("goto", e).and_then(|t| text(t, "the name of a node", e));
        f.done(e);
        return to;
    }
    text(tree, "the name of a node, or {goto: node}", e)
}

pub(super) fn expr(tree: &Tree, e: &mut Errors) -> Option<At<Expr>> {
    let t = text(tree, "an expression", e)?;
    match Expr::parse(&t.it) {
        Ok(it) => Some(At { pos: tree.text_pos(), it }),
        Err(x) => {
            e.add(tree.text_pos().right(x.at), x.say);
            None
        }
    }
}

pub(super) fn template(tree: &Tree, what: &str, e: &mut Errors) -> Option<At<Template>> {
    let t = text(tree, what, e)?;
    match Template::parse(&t.it) {
        Ok(it) => Some(At { pos: tree.text_pos(), it }),
        Err((at, say)) => {
            e.add(tree.text_pos().right(at), say);
            None
        }
    }
}

/// An expression, or text with placeholders when there is a `{` in it.
pub(super) fn given(tree: &Tree, e: &mut Errors) -> Option<Given> {
    match &tree.kind {
        Kind::Scalar { text, .. } if text.contains('{') => template(tree, "a value", e).map(Given::Text),
        _ => expr(tree, e).map(Given::Expr),
    }
}

/// A mapping of names to such values.
pub(super) fn givens(tree: &Tree, what: &str, e: &mut Errors) -> Vec<(String, Given)> {
    pairs(tree, what, e).iter().filter_map(|(k, v)| given(v, e).map(|g| (k.text.clone(), g))).collect()
}

/// `{variable: expression}`.
pub(super) fn assignments(tree: &Tree, e: &mut Errors) -> Vec<(At<String>, At<Expr>)> {
    let mut all = Vec::new();
    for (k, v) in pairs(tree, "the variables to set", e) {
        if let Some(x) = expr(v, e) {
            all.push((At { pos: k.pos, it: k.text.clone() }, x));
        }
    }
    all
}

/// `none`, `dtmf`, `speech`, `dtmf+speech`.
pub(super) fn barge_in(tree: &Tree, e: &mut Errors) -> Option<BargeIn> {
    let is = |dtmf, speech| BargeIn { dtmf, speech };
    word(
        tree,
        &[
            ("none", is(false, false)),
            ("dtmf", is(true, false)),
            ("speech", is(false, true)),
            ("dtmf+speech", is(true, true)),
            ("speech+dtmf", is(true, true)),
        ],
        e,
    )
}

/// A key of the telephone.
pub(super) fn phone_key(t: &At<String>, e: &mut Errors) -> Option<char> {
    let mut c = t.it.chars();
    match (c.next(), c.next()) {
        (Some(k), None) if crate::ivr::machine::is_key(k) => Some(k),
        _ => {
            e.add(t.pos, format!("expected one key of the telephone (0-9 * #), found `{}`", t.it));
            None
        }
    }
}

/// A name of a variable, prompt, node: letters, digits and `_`.
pub(super) fn name(key: &Key, what: &str, e: &mut Errors) -> bool {
    let good = is_name(&key.text);
    if !good {
        e.add(key.pos, format!("`{}` cannot be the name of {what}: expected letters, digits and `_`", key.text));
    }
    good
}

/// A plain YAML value as a [`Value`]: numbers, durations, true, false, null, texts, lists, mappings.
pub(super) fn value(tree: &Tree) -> Value {
    match &tree.kind {
        Kind::Scalar { text, plain } => {
            if !plain {
                return Value::Text(text.clone());
            }
            match text.as_str() {
                "" | "~" | "null" => Value::Null,
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                t => t
                    .parse()
                    .ok()
                    .filter(|n: &f64| n.is_finite() && !t.starts_with('+'))
                    .map_or_else(|| Value::Text(t.to_owned()), Value::Number),
            }
        }
        Kind::List(l) => Value::List(l.iter().map(value).collect()),
        Kind::Map(m) => Value::Object(m.iter().map(|(k, v)| (k.text.clone(), value(v))).collect()),
    }
}

//! What names mean while a run runs, and how values get into variables.

use std::collections::BTreeMap;

use super::{Env, Run};
use crate::{
    base::{
        Now,
        limits::{FLOW_LIST_MAX, FLOW_TEXT_MAX},
    },
    ivr::{
        Value,
        expr::Scope,
        flow::{Flow, Given, Type},
        template::Template,
    },
};

/// The names as they are at `now`.
pub(super) struct Here<'a> {
    pub run: &'a Run,
    pub now: Now,
}

impl Scope for Here<'_> {
    fn get(&self, path: &[String]) -> Value {
        let frame = self.run.frame();
        let Some(first) = path.first() else { return Value::Null };
        let second = path.get(1).map(String::as_str);
        match (first.as_str(), second) {
            ("config", Some(name)) => match frame.flow.config.get(name) {
                Some(default) => Value::Text(self.run.library.config.get(name).unwrap_or(&default.it).clone()),
                None => Value::Null,
            },
            ("flow", Some("name")) => Value::Text(frame.flow.id.to_string()),
            ("flow", Some("node")) => Value::Text(self.run.left_at.as_ref().unwrap_or(&frame.node).clone()),
            ("queue", Some(_)) => walk(&self.run.queued.value(self.now.mono), &path[1..]),
            (_, Some(second)) if frame.inputs.contains_key(&format!("{first}.{second}")) => {
                frame.inputs.get(&format!("{first}.{second}")).map_or(Value::Null, |v| walk(v, &path[2..]))
            }
            _ => frame.vars.get(first).or_else(|| frame.inputs.get(first)).map_or(Value::Null, |v| walk(v, &path[1..])),
        }
    }
}

fn walk(v: &Value, path: &[String]) -> Value {
    let mut at = v;
    for field in path {
        match at {
            Value::Object(o) => match o.get(field) {
                Some(inner) => at = inner,
                None => return Value::Null,
            },
            _ => return Value::Null,
        }
    }
    at.clone()
}

impl Run {
    pub(super) fn fill(&self, now: Now, t: &Template) -> String {
        t.fill(&Here { run: self, now }, &self.lang(), false)
    }

    pub(super) fn given(&self, now: Now, g: &Given) -> Value {
        match g {
            Given::Expr(e) => e.it.eval(&Here { run: self, now }),
            Given::Text(t) => Value::Text(self.fill(now, &t.it)),
        }
    }

    pub(super) fn givens(&self, now: Now, all: &[(String, Given)]) -> Vec<(String, Value)> {
        all.iter().map(|(k, g)| (k.clone(), self.given(now, g))).collect()
    }

    /// The language now: the variable (or input) `lang` of the innermost flow that has one, else what was known beforehand.
    pub fn lang(&self) -> String {
        let own = self.frames.iter().rev().find_map(|f| {
            let v = f.vars.get("lang").or_else(|| f.inputs.get("lang"))?;
            v.as_text().filter(|t| !t.is_empty()).map(str::to_owned)
        });
        let wanted = own.or_else(|| self.env.lang.clone()).unwrap_or_default();
        self.frame().flow.language(&wanted).to_owned()
    }

    /// Keeps `value` in a variable of the innermost flow, in its declared type.
    pub(super) fn assign(&mut self, name: &str, value: Value) {
        let frame = self.frame_mut();
        if let Some(d) = frame.flow.vars.get(name) {
            let value = coerce(&d.ty, value, d.max_len);
            frame.vars.insert(name.to_owned(), value);
        }
    }
}

/// `value` as a value of type `ty`; what does not fit is null, fields that were not declared are dropped.
pub(super) fn coerce(ty: &Type, value: Value, max_len: Option<usize>) -> Value {
    match (ty, value) {
        (_, Value::Null) | (Type::Null, _) => Value::Null,
        (Type::Any, v) => v,
        (Type::Bool, v @ Value::Bool(_)) | (Type::Number, v @ Value::Number(_)) | (Type::Duration, v @ Value::Duration(_)) => v,
        (Type::Duration, Value::Number(s)) => Value::Duration(s),
        (Type::Text, Value::Text(t)) => Value::Text(cut(t, max_len)),
        (Type::Text, v @ (Value::Number(_) | Value::Bool(_))) => Value::Text(cut(v.show(), max_len)),
        (Type::Enum(of), Value::Text(t)) if of.contains(&t) => Value::Text(t),
        (Type::List(of), Value::List(items)) => {
            Value::List(items.into_iter().take(FLOW_LIST_MAX).map(|v| coerce(of, v, max_len)).collect())
        }
        (Type::Object(fields), Value::Object(mut o)) => {
            let take = |(name, ty): (&String, &Type)| (name.clone(), coerce(ty, o.remove(name).unwrap_or_default(), max_len));
            Value::Object(fields.iter().map(take).collect())
        }
        _ => Value::Null,
    }
}

fn cut(mut text: String, max_len: Option<usize>) -> String {
    if let Some((i, _)) = text.char_indices().nth(max_len.unwrap_or(FLOW_TEXT_MAX)) {
        text.truncate(i);
    }
    match crate::ivr::expr::clipped(text) {
        Value::Text(t) => t,
        _ => String::new(),
    }
}

/// JSON from outside as a value; what is deeper than a declared type can be is dropped.
pub(super) fn from_json(v: &serde_json::Value, depth: usize) -> Value {
    use serde_json::Value as J;
    match v {
        _ if depth > 4 => Value::Null,
        J::Null => Value::Null,
        J::Bool(b) => Value::Bool(*b),
        J::Number(n) => n.as_f64().map_or(Value::Null, Value::number),
        J::String(s) => Value::Text(cut(s.clone(), None)),
        J::Array(a) => Value::List(a.iter().take(FLOW_LIST_MAX).map(|v| from_json(v, depth + 1)).collect()),
        J::Object(o) => {
            let fields: BTreeMap<String, Value> =
                o.iter().take(FLOW_LIST_MAX).map(|(k, v)| (k.clone(), from_json(v, depth + 1))).collect();
            Value::Object(fields)
        }
    }
}

/// An input `from: channel`.
pub(super) fn channel_input(env: &Env, name: &str) -> Value {
    Value::Text(match name {
        "call.ani" => env.ani.clone(),
        "call.dnis" => env.dnis.clone(),
        "call.channel" => env.channel.as_str().to_owned(),
        "call.lang" => env.lang.clone().unwrap_or_default(),
        "call.id" => env.interaction.clone(),
        "call.tenant" => env.tenant.to_string(),
        _ => return Value::Null,
    })
}

/// What `queue.position`, `queue.ewt`, .. are, for the linter.
pub(crate) fn built_in(flow: &Flow, path: &[String]) -> Option<Type> {
    let ewt = || Type::Object(BTreeMap::from([("p50".to_owned(), Type::Duration), ("confidence".to_owned(), Type::Number)]));
    let names: Vec<&str> = path.iter().map(String::as_str).collect();
    match names.as_slice() {
        ["config", name] => flow.config.contains_key(*name).then_some(Type::Text),
        ["flow", "name" | "node"] => Some(Type::Text),
        ["queue", "position"] => Some(Type::Number),
        ["queue", "waited"] | ["queue", "ewt", "p50"] => Some(Type::Duration),
        ["queue", "ewt"] => Some(ewt()),
        ["queue", "ewt", "confidence"] => Some(Type::Number),
        _ => None,
    }
}

impl Run {
    /// Inputs `from: caller` of the outermost flow: for the stories of a flow that is meant to be called.
    pub(in crate::ivr) fn give(&mut self, given: &BTreeMap<String, Value>) {
        let frame = self.frame_mut();
        let flow = frame.flow.clone();
        for (name, d) in flow.inputs.iter().filter(|(_, d)| d.from == crate::ivr::flow::From::Caller) {
            if let Some(v) = given.get(name) {
                frame.inputs.insert(name.clone(), coerce(&d.ty, v.clone(), None));
            }
        }
    }
}

//! What an expression gives. Every case has a value; none can fail, and no text grows beyond `FLOW_TEXT_MAX`.

use super::{Expr, Func, Op, Part, PartKind, Value};
use crate::base::limits::FLOW_TEXT_MAX;

/// Where paths find their values.
pub trait Scope {
    /// The value at `path`; null when there is none.
    fn get(&self, path: &[String]) -> Value;
}

impl<F: Fn(&[String]) -> Value> Scope for F {
    fn get(&self, path: &[String]) -> Value {
        self(path)
    }
}

impl Expr {
    /// Computes it.
    pub fn eval(&self, scope: &dyn Scope) -> Value {
        eval(&self.root, scope)
    }
    /// Computes it as a condition: only `true` is true.
    pub fn holds(&self, scope: &dyn Scope) -> bool {
        self.eval(scope) == Value::Bool(true)
    }
}

fn eval(part: &Part, scope: &dyn Scope) -> Value {
    match &part.kind {
        PartKind::Literal(v) => v.clone(),
        PartKind::Path(p) => scope.get(p),
        PartKind::List(items) => Value::List(items.iter().map(|i| eval(i, scope)).collect()),
        PartKind::Not(x) => Value::Bool(eval(x, scope) != Value::Bool(true)),
        PartKind::Negate(x) => match eval(x, scope) {
            Value::Number(n) => Value::Number(-n),
            Value::Duration(s) => Value::Duration(-s),
            _ => Value::Null,
        },
        PartKind::Choice(c, yes, no) => eval(if eval(c, scope) == Value::Bool(true) { yes } else { no }, scope),
        PartKind::Binary(op, a, b) => binary(*op, a, b, scope),
        PartKind::Call(f, args) => {
            let args: Vec<Value> = args.iter().map(|a| eval(a, scope)).collect();
            call(*f, &args)
        }
    }
}

fn binary(op: Op, a: &Part, b: &Part, scope: &dyn Scope) -> Value {
    let left = eval(a, scope);
    match op {
        // The right side is not looked at when the left decides: that is what makes `x != null && x.y` a guard.
        Op::And if left != Value::Bool(true) => return Value::Bool(false),
        Op::Or if left == Value::Bool(true) => return Value::Bool(true),
        _ => {}
    }
    let right = eval(b, scope);
    match op {
        Op::And | Op::Or => Value::Bool(right == Value::Bool(true)),
        Op::Eq => Value::Bool(left == right),
        Op::Ne => Value::Bool(left != right),
        Op::Lt | Op::Le | Op::Gt | Op::Ge => Value::Bool(order(&left, &right).is_some_and(|o| match op {
            Op::Lt => o.is_lt(),
            Op::Le => o.is_le(),
            Op::Gt => o.is_gt(),
            _ => o.is_ge(),
        })),
        Op::In => Value::Bool(match &right {
            Value::List(items) => items.contains(&left),
            _ => false,
        }),
        Op::Add | Op::Sub | Op::Mul | Op::Div => arithmetic(op, &left, &right),
    }
}

fn order(a: &Value, b: &Value) -> Option<std::cmp::Ordering> {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) | (Value::Duration(a), Value::Duration(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn arithmetic(op: Op, a: &Value, b: &Value) -> Value {
    use Value::{Duration, Number, Text};
    let duration = |s: f64| if s.is_finite() { Duration(s) } else { Value::Null };
    match (op, a, b) {
        (Op::Add, Number(a), Number(b)) => Value::number(a + b),
        (Op::Sub, Number(a), Number(b)) => Value::number(a - b),
        (Op::Mul, Number(a), Number(b)) => Value::number(a * b),
        (Op::Div, Number(a), Number(b)) => Value::number(a / b),
        (Op::Add, Duration(a), Duration(b)) => duration(a + b),
        (Op::Sub, Duration(a), Duration(b)) => duration(a - b),
        (Op::Mul, Duration(a), Number(b)) | (Op::Mul, Number(a), Duration(b)) => duration(a * b),
        (Op::Div, Duration(a), Number(b)) => duration(a / b),
        (Op::Div, Duration(a), Duration(b)) => Value::number(a / b),
        (Op::Add, Text(_), other) | (Op::Add, other, Text(_)) if !other.is_null() => clip(a.show() + &b.show()),
        _ => Value::Null,
    }
}

/// A text no longer than a variable may hold; the end is lost.
pub(crate) fn clip(mut text: String) -> Value {
    if text.len() > FLOW_TEXT_MAX {
        let end = (0..=FLOW_TEXT_MAX).rev().find(|&i| text.is_char_boundary(i)).unwrap_or(0);
        text.truncate(end);
    }
    Value::Text(text)
}

fn call(f: Func, args: &[Value]) -> Value {
    use Value::{Bool, List, Number, Text};
    match (f, args) {
        (Func::Len, [Text(t)]) => Number(t.chars().count() as f64),
        (Func::Len, [List(l)]) => Number(l.len() as f64),
        (Func::Lower, [Text(t)]) => clip(t.to_lowercase()),
        (Func::Contains, [Text(t), Text(w)]) => Bool(t.contains(w.as_str())),
        (Func::Contains, [List(l), w]) => Bool(l.contains(w)),
        (Func::StartsWith, [Text(t), Text(w)]) => Bool(t.starts_with(w.as_str())),
        (Func::EndsWith, [Text(t), Text(w)]) => Bool(t.ends_with(w.as_str())),
        (Func::Contains | Func::StartsWith | Func::EndsWith, _) => Bool(false),
        (Func::Number, [Text(t)]) => t.trim().parse().map_or(Value::Null, Value::number),
        (Func::Number, [Number(n)]) => Number(*n),
        (Func::Number, [Value::Duration(s)]) => Number(*s),
        (Func::Text, [v]) if !v.is_null() => clip(v.show()),
        (Func::Round, [Number(n)]) => Number(n.round()),
        _ => Value::Null,
    }
}

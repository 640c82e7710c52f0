//! What can be known about an expression before it runs: its type, whether it may be null, whether a secret is in it.
//!
//! A text literal has the type of an enum with one member, so `reason == 'complain'` is found out when `complain` is not a
//! member of `reason`. Guards (`cust != null && cust.tier == 'gold'`) are followed through `&&`, `||`, `!` and `? :`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Expr, Func, Op, Part, PartKind, Value};
use crate::ivr::flow::Type;

/// Names that are certainly not null here.
pub type Facts = BTreeSet<String>;

/// What is known about a name.
#[derive(Debug, Clone)]
pub struct Found {
    /// The declared name: the rest of the path are fields.
    pub name: String,
    /// Type of the whole path.
    pub ty: Type,
    /// True when fields follow the name.
    pub field: bool,
    /// It may be null unless a fact says otherwise.
    pub nullable: bool,
    /// It has no first value: reading it before it is set is a mistake, not a null.
    pub unset: bool,
    /// It is secret.
    pub secret: bool,
}

/// Something wrong, at a character of the expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Character, from 0.
    pub at: usize,
    /// `R9`, `R10`, `R12`.
    pub rule: &'static str,
    /// One sentence.
    pub say: String,
    /// What to do.
    pub hint: Option<String>,
}

/// The names an expression may use.
pub trait Names {
    /// What `path` is; or a sentence and a hint.
    fn find(&self, path: &[String]) -> Result<Found, (String, Option<String>)>;
}

/// What an expression is.
#[derive(Debug, Clone)]
pub struct Typed {
    /// Its type.
    pub ty: Type,
    /// It may be null.
    pub null: bool,
    /// There is a secret in it.
    pub secret: bool,
}

/// True for what may be a name or a field: letters, digits, `_`, not beginning with a digit.
pub fn is_name(s: &str) -> bool {
    s.len() <= 64
        && s.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && s.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl Type {
    /// Its name, for messages.
    pub fn name(&self) -> String {
        match self {
            Type::Null => "null".to_owned(),
            Type::Bool => "a bool".to_owned(),
            Type::Number => "a number".to_owned(),
            Type::Duration => "a duration".to_owned(),
            Type::Text => "a text".to_owned(),
            Type::Enum(of) if of.len() == 1 => format!("'{}'", of[0]),
            Type::Enum(of) => format!("one of {}", of.join(", ")),
            Type::List(of) => format!("a list of {}", of.name()),
            Type::Object(_) => "an object".to_owned(),
            Type::Any => "anything".to_owned(),
        }
    }
    /// True when a value of type `other` may be kept where this is declared.
    pub fn takes(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any | Type::Null) => true,
            (Type::Text, Type::Enum(_)) => true,
            (Type::Enum(mine), Type::Enum(theirs)) => theirs.iter().all(|t| mine.contains(t)),
            (Type::List(a), Type::List(b)) => a.takes(b),
            (Type::Object(a), Type::Object(b)) => a.iter().all(|(k, t)| b.get(k).is_some_and(|o| t.takes(o))),
            (a, b) => a == b,
        }
    }
    /// True when comparing the two can ever be equal.
    fn meets(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Enum(a), Type::Enum(b)) => a.iter().any(|x| b.contains(x)),
            (a, b) => a.takes(b) || b.takes(a),
        }
    }
    fn join(self, other: Type) -> Type {
        match (self, other) {
            (Type::Null, t) | (t, Type::Null) => t,
            (Type::Enum(mut a), Type::Enum(b)) => {
                a.extend(b);
                a.sort();
                a.dedup();
                Type::Enum(a)
            }
            (a, b) if a.takes(&b) => a,
            (a, b) if b.takes(&a) => b,
            _ => Type::Any,
        }
    }
    /// The type of a value that is there.
    pub fn of(v: &Value) -> Type {
        match v {
            Value::Null => Type::Null,
            Value::Bool(_) => Type::Bool,
            Value::Number(_) => Type::Number,
            Value::Duration(_) => Type::Duration,
            Value::Text(t) => Type::Enum(vec![t.clone()]),
            Value::List(l) => Type::List(Box::new(l.iter().map(Type::of).reduce(Type::join).unwrap_or(Type::Any))),
            Value::Object(o) => Type::Object(o.iter().map(|(k, v)| (k.clone(), Type::of(v))).collect::<BTreeMap<_, _>>()),
        }
    }
}

/// The type of `expr`; what is wrong with it is added to `out`.
pub fn infer(expr: &Expr, names: &dyn Names, facts: &Facts, out: &mut Vec<Problem>) -> Typed {
    Walk { names, out }.part(&expr.root, facts)
}

/// What is certainly not null when `expr` turned out to be `truth`.
pub fn facts_if(expr: &Expr, truth: bool, names: &dyn Names) -> Facts {
    learned(&expr.root, truth, names)
}

fn learned(part: &Part, truth: bool, names: &dyn Names) -> Facts {
    let both = |a: &Part, b: &Part| {
        let mut f = learned(a, truth, names);
        f.extend(learned(b, truth, names));
        f
    };
    match &part.kind {
        PartKind::Not(x) => learned(x, !truth, names),
        PartKind::Binary(Op::And, a, b) if truth => both(a, b),
        PartKind::Binary(Op::Or, a, b) if !truth => both(a, b),
        PartKind::Binary(op @ (Op::Eq | Op::Ne), a, b) => {
            let path = match (&a.kind, &b.kind) {
                (PartKind::Path(p), PartKind::Literal(Value::Null)) | (PartKind::Literal(Value::Null), PartKind::Path(p)) => p,
                _ => return Facts::new(),
            };
            if (*op == Op::Ne) != truth {
                return Facts::new();
            }
            names.find(path).map(|f| Facts::from([f.name])).unwrap_or_default()
        }
        _ => Facts::new(),
    }
}

struct Walk<'a> {
    names: &'a dyn Names,
    out: &'a mut Vec<Problem>,
}

impl Walk<'_> {
    fn wrong(&mut self, at: usize, rule: &'static str, say: String, hint: Option<String>) {
        self.out.push(Problem { at, rule, say, hint });
    }

    fn part(&mut self, part: &Part, facts: &Facts) -> Typed {
        let plain = |ty| Typed { ty, null: false, secret: false };
        match &part.kind {
            PartKind::Literal(v) => Typed { ty: Type::of(v), null: v.is_null(), secret: false },
            PartKind::Path(p) => self.path(part.at, p, facts, false),
            PartKind::List(items) => {
                let all: Vec<Typed> = items.iter().map(|i| self.part(i, facts)).collect();
                let secret = all.iter().any(|t| t.secret);
                let ty = all.into_iter().map(|t| t.ty).reduce(Type::join).unwrap_or(Type::Any);
                Typed { ty: Type::List(Box::new(ty)), null: false, secret }
            }
            PartKind::Not(x) => {
                let t = self.part(x, facts);
                self.condition(x.at, &t);
                Typed { secret: t.secret, ..plain(Type::Bool) }
            }
            PartKind::Negate(x) => {
                let t = self.part(x, facts);
                if !matches!(t.ty, Type::Number | Type::Duration | Type::Any) {
                    self.wrong(x.at, "R9", format!("`-` needs a number, this is {}", t.ty.name()), None);
                }
                t
            }
            PartKind::Choice(c, yes, no) => {
                let t = self.part(c, facts);
                self.condition(c.at, &t);
                let with = |truth| facts.union(&learned(c, truth, self.names)).cloned().collect::<Facts>();
                let (if_true, if_false) = (with(true), with(false));
                let (a, b) = (self.part(yes, &if_true), self.part(no, &if_false));
                Typed { ty: a.ty.join(b.ty), null: a.null || b.null, secret: t.secret || a.secret || b.secret }
            }
            PartKind::Binary(op, a, b) => self.binary(*op, a, b, facts),
            PartKind::Call(f, args) => self.call(*f, args, facts),
        }
    }

    fn path(&mut self, at: usize, path: &[String], facts: &Facts, compared_with_null: bool) -> Typed {
        let found = match self.names.find(path) {
            Ok(f) => f,
            Err((say, hint)) => {
                self.wrong(at, "R9", say, hint);
                return Typed { ty: Type::Any, null: true, secret: false };
            }
        };
        let sure = !found.nullable || facts.contains(&found.name);
        if !sure && !compared_with_null {
            let name = &found.name;
            if found.unset {
                let hint =
                    format!("give it a `default`, or set it on every path that leads here, or test `{name} != null` first");
                self.wrong(at, "R12", format!("`{name}` may not have been set when this is reached"), Some(hint));
            } else if found.field {
                let hint = format!("test it first: `{name} != null && ..`, or `{name} != null ? .. : ..`");
                self.wrong(at, "R9", format!("`{name}` may be null, and a field of it is used"), Some(hint));
            }
        }
        Typed { ty: found.ty, null: !sure, secret: found.secret }
    }

    fn condition(&mut self, at: usize, t: &Typed) {
        if !matches!(t.ty, Type::Bool | Type::Any | Type::Null) {
            let say = format!("expected a condition (true or false), this is {}", t.ty.name());
            self.wrong(at, "R9", say, Some("compare it with something, for instance `x != ''`".to_owned()));
        }
    }

    fn binary(&mut self, op: Op, a: &Part, b: &Part, facts: &Facts) -> Typed {
        let is_null = |p: &Part| matches!(p.kind, PartKind::Literal(Value::Null));
        let side = |w: &mut Self, p: &Part, other: &Part, facts: &Facts| match &p.kind {
            PartKind::Path(path) if matches!(op, Op::Eq | Op::Ne) && is_null(other) => w.path(p.at, path, facts, true),
            _ => w.part(p, facts),
        };
        let left = side(self, a, b, facts);
        let right_facts: Facts = match op {
            Op::And => facts.union(&learned(a, true, self.names)).cloned().collect(),
            Op::Or => facts.union(&learned(a, false, self.names)).cloned().collect(),
            _ => facts.clone(),
        };
        let right = side(self, b, a, &right_facts);
        let secret = left.secret || right.secret;
        let bool = Typed { ty: Type::Bool, null: false, secret };
        let clash = format!("{} and {}", left.ty.name(), right.ty.name());
        match op {
            Op::And | Op::Or => {
                self.condition(a.at, &left);
                self.condition(b.at, &right);
                bool
            }
            Op::Eq | Op::Ne => {
                if !left.ty.meets(&right.ty) {
                    self.wrong(b.at, "R9", format!("`{}` compares {clash}, which are never equal", op.as_str()), None);
                }
                bool
            }
            Op::Lt | Op::Le | Op::Gt | Op::Ge => {
                let kind = |t: &Type| match t {
                    Type::Enum(_) | Type::Text => 1,
                    Type::Number => 2,
                    Type::Duration => 3,
                    Type::Any => 0,
                    _ => 9,
                };
                let (l, r) = (kind(&left.ty), kind(&right.ty));
                if l == 9 || r == 9 || (l != r && l != 0 && r != 0) {
                    let hint = (l + r == 5).then(|| "write a duration with its unit: 90s, 2m".to_owned());
                    self.wrong(b.at, "R9", format!("`{}` cannot order {clash}", op.as_str()), hint);
                }
                bool
            }
            Op::In => {
                match &right.ty {
                    Type::List(of) if of.meets(&left.ty) => {}
                    Type::Any => {}
                    Type::List(_) => self.wrong(b.at, "R9", format!("`in` looks for {clash}: it is never there"), None),
                    _ => self.wrong(b.at, "R9", format!("`in` needs a list, this is {}", right.ty.name()), None),
                }
                bool
            }
            Op::Add | Op::Sub | Op::Mul | Op::Div => self.arithmetic(op, a, b, &left, &right),
        }
    }

    fn arithmetic(&mut self, op: Op, a: &Part, b: &Part, left: &Typed, right: &Typed) -> Typed {
        use Type::{Any, Duration, Enum, Number, Text};
        let secret = left.secret || right.secret;
        let mut null = left.null || right.null;
        let ty = match (op, &left.ty, &right.ty) {
            (_, Any, _) | (_, _, Any) => Any,
            (Op::Div, Duration, Duration) => Number,
            (_, Number, Number) => Number,
            (Op::Add | Op::Sub, Duration, Duration) | (Op::Mul | Op::Div, Duration, Number) | (Op::Mul, Number, Duration) => {
                Duration
            }
            (Op::Add, Text | Enum(_), Text | Enum(_) | Number | Duration | Type::Bool) => Text,
            (Op::Add, Number | Duration | Type::Bool, Text | Enum(_)) => Text,
            (_, l, r) => {
                let say = format!("`{}` cannot be applied to {} and {}", op.as_str(), l.name(), r.name());
                self.wrong(a.at, "R9", say, None);
                Any
            }
        };
        if op == Op::Div {
            match &b.kind {
                PartKind::Literal(Value::Number(n) | Value::Duration(n)) if *n != 0.0 => {}
                PartKind::Literal(_) => self.wrong(b.at, "R10", "this divides by zero, so it is always null".to_owned(), None),
                _ => null = true,
            }
        }
        Typed { ty, null, secret }
    }

    fn call(&mut self, f: Func, args: &[Part], facts: &Facts) -> Typed {
        let types: Vec<Typed> = args.iter().map(|a| self.part(a, facts)).collect();
        let secret = types.iter().any(|t| t.secret);
        let text = |t: &Type| matches!(t, Type::Text | Type::Enum(_) | Type::Any);
        let first = types.first().map_or(&Type::Any, |t| &t.ty);
        let (ty, good, null) = match f {
            Func::Len => (Type::Number, text(first) || matches!(first, Type::List(_)), types.iter().any(|t| t.null)),
            Func::Lower => (Type::Text, text(first), types.iter().any(|t| t.null)),
            Func::Contains => {
                let list = matches!(first, Type::List(_));
                (Type::Bool, list || types.iter().all(|t| text(&t.ty)), false)
            }
            Func::StartsWith | Func::EndsWith => (Type::Bool, types.iter().all(|t| text(&t.ty)), false),
            Func::Number => (Type::Number, text(first) || matches!(first, Type::Number | Type::Duration), true),
            Func::Text => (Type::Text, true, types.iter().any(|t| t.null)),
            Func::Round => (Type::Number, matches!(first, Type::Number | Type::Any), types.iter().any(|t| t.null)),
        };
        if !good {
            let name = Func::ALL.iter().find(|x| x.1 == f).map_or("", |x| x.0);
            let found = types.iter().map(|t| t.ty.name()).collect::<Vec<_>>().join(", ");
            self.wrong(args.first().map_or(0, |a| a.at), "R9", format!("`{name}` cannot be applied to {found}"), None);
        }
        Typed { ty, null, secret }
    }
}

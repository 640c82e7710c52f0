//! Expressions: pure, total, small. They read variables and give a value; they cannot loop, wait, fail or grow.
//!
//! [`Expr::parse`] reads (`parse.rs`), [`Expr::eval`] computes (`eval.rs`), [`types`] is what the linter knows about them before
//! they run. What has no sensible value (a division by zero, a field of nothing, a comparison of a text with a number) is null.
//!
//! ```text
//! cond ? a : b    ||    &&    == !=    < <= > >= in    + -    * /    ! -    literals paths functions ( ) [ ]
//! ```

mod eval;
mod parse;
pub mod types;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use eval::Scope;
pub(crate) use eval::clip as clipped;
pub use parse::ExprError;

/// What an expression gives and a variable holds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Value {
    /// Nothing.
    #[default]
    Null,
    /// Yes or no.
    Bool(bool),
    /// A finite number.
    Number(f64),
    /// A length of time, seconds.
    Duration(f64),
    /// Text; also dates, digits, numbers of telephones and members of enums.
    Text(String),
    /// Several.
    List(Vec<Value>),
    /// Fields by name.
    Object(BTreeMap<String, Value>),
}

/// A parsed expression and the text it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    /// As written.
    pub text: String,
    pub(crate) root: Part,
}

/// A piece of an expression and the character (from 0) it begins at.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    pub at: usize,
    pub kind: PartKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum PartKind {
    Literal(Value),
    /// `cust.lang`, `call.ani`.
    Path(Vec<String>),
    List(Vec<Part>),
    Not(Box<Part>),
    Negate(Box<Part>),
    Binary(Op, Box<Part>, Box<Part>),
    Choice(Box<Part>, Box<Part>, Box<Part>),
    Call(Func, Vec<Part>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Or,
    And,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
    Add,
    Sub,
    Mul,
    Div,
}

impl Op {
    pub fn as_str(self) -> &'static str {
        match self {
            Op::Or => "||",
            Op::And => "&&",
            Op::Eq => "==",
            Op::Ne => "!=",
            Op::Lt => "<",
            Op::Le => "<=",
            Op::Gt => ">",
            Op::Ge => ">=",
            Op::In => "in",
            Op::Add => "+",
            Op::Sub => "-",
            Op::Mul => "*",
            Op::Div => "/",
        }
    }
}

/// The functions there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Func {
    Len,
    Lower,
    Contains,
    StartsWith,
    EndsWith,
    Number,
    Text,
    Round,
}

impl Func {
    pub const ALL: [(&'static str, Func, usize); 8] = [
        ("len", Func::Len, 1),
        ("lower", Func::Lower, 1),
        ("contains", Func::Contains, 2),
        ("starts_with", Func::StartsWith, 2),
        ("ends_with", Func::EndsWith, 2),
        ("number", Func::Number, 1),
        ("text", Func::Text, 1),
        ("round", Func::Round, 1),
    ];
}

impl Value {
    /// A number, or null when it is not finite.
    pub fn number(n: f64) -> Value {
        if n.is_finite() { Value::Number(n) } else { Value::Null }
    }
    /// True for null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
    /// The text in it, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }
    /// As one writes it for people: whole numbers without a point, null as nothing.
    pub fn show(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(b) => b.to_string(),
            Value::Number(n) => show_number(*n),
            Value::Duration(s) => format!("{} s", show_number(*s)),
            Value::Text(t) => t.clone(),
            Value::List(l) => l.iter().map(Value::show).collect::<Vec<_>>().join(", "),
            Value::Object(o) => o.iter().map(|(k, v)| format!("{k}: {}", v.show())).collect::<Vec<_>>().join(", "),
        }
    }
    /// As JSON; durations are seconds.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Number(n) | Value::Duration(n) => {
                if n.fract() == 0.0 && n.abs() < 9e15 {
                    (*n as i64).into()
                } else {
                    (*n).into()
                }
            }
            Value::Text(t) => t.clone().into(),
            Value::List(l) => l.iter().map(Value::to_json).collect(),
            Value::Object(o) => o.iter().map(|(k, v)| (k.clone(), v.to_json())).collect(),
        }
    }
}

fn show_number(n: f64) -> String {
    if n.fract() == 0.0 && n.abs() < 9e15 { format!("{}", n as i64) } else { format!("{n}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::limits::EXPR_DEPTH_MAX;

    fn scope(path: &[String]) -> Value {
        match path.join(".").as_str() {
            "lang" => Value::Text("zh-CN".into()),
            "n" => Value::Number(4.0),
            "cust" => Value::Object(BTreeMap::from([("tier".into(), Value::Text("gold".into()))])),
            "cust.tier" => Value::Text("gold".into()),
            "queue.ewt.p50" => Value::Duration(130.0),
            _ => Value::Null,
        }
    }
    fn value(text: &str) -> String {
        let e = Expr::parse(text).unwrap_or_else(|e| panic!("{text}: {e:?}"));
        format!("{:?}", e.eval(&scope))
    }

    #[test]
    fn expressions_mean_what_a_reader_thinks() {
        for (text, want) in [
            ("1 + 2 * 3", "Number(7.0)"),
            ("(1 + 2) * 3", "Number(9.0)"),
            ("lang == 'zh-CN' ? 'lang-zh' : 'lang-en'", "Text(\"lang-zh\")"),
            ("cust != null && cust.tier == 'gold' ? 20 : 0", "Number(20.0)"),
            ("!(n > 3) || n in [1, 2, 4]", "Bool(true)"),
            ("queue.ewt.p50 > 2m", "Bool(true)"),
            ("90s + 30s == 2m", "Bool(true)"),
            ("len('订单') + len(lower('AB'))", "Number(4.0)"),
            ("contains('my order', 'order') && starts_with('4000', '4')", "Bool(true)"),
            ("'a' + n", "Text(\"a4\")"),
            ("number('12') - -3", "Number(15.0)"),
            ("'a\\'b'", "Text(\"a'b\")"),
        ] {
            assert_eq!(value(text), want, "{text}");
        }
    }

    #[test]
    fn whatever_has_no_sensible_value_is_null_and_null_is_not_greater_than_anything() {
        for text in
            ["n / 0", "missing.field", "'a' * 2", "'a' < 1 ? 1 : missing", "-'a'", "number('x')", "1e308 * 10", "null + 1"]
        {
            assert_eq!(value(text), "Null", "{text}");
        }
        assert_eq!(value("missing > 1"), "Bool(false)");
        assert_eq!(value("!missing"), "Bool(true)");
    }

    #[test]
    fn a_mistake_is_shown_at_its_character() {
        for (text, at) in [
            ("1 +", 3),
            ("a == 'b", 5),
            ("a = 1", 2),
            ("foo(1)", 0),
            ("len()", 0),
            ("1 2", 2),
            ("a.", 2),
            ("", 0),
            ("5x", 0),
            ("a ? b", 5),
        ] {
            assert_eq!(Expr::parse(text).expect_err(text).at, at, "{text}");
        }
        assert!(Expr::parse("lne('a')").expect_err("misspelt").say.contains("len"));
    }

    #[test]
    fn an_expression_cannot_be_made_to_dig() {
        let deep = format!("{}1{}", "(".repeat(EXPR_DEPTH_MAX + 1), ")".repeat(EXPR_DEPTH_MAX + 1));
        assert!(Expr::parse(&deep).is_err());
        assert!(Expr::parse(&"!".repeat(900)).is_err());
        assert!(Expr::parse(&format!("1{}", "+1".repeat(400))).is_err());
        assert!(Expr::parse(&"a".repeat(2_000)).is_err());
        assert!(Expr::parse(&format!("1{}", "?1:1".repeat(100))).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_has_a_value(text in "[a-z0-9'\"\\[\\]()!&|<>=+*/.?: -]{0,60}") {
            if let Ok(e) = Expr::parse(&text) {
                let v = e.eval(&scope);
                if let Value::Number(n) | Value::Duration(n) = v { assert!(n.is_finite()); }
            }
        }
    }
}

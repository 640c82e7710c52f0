//! Text to expression: a scanner that keeps the place of every word, and one function per precedence.

use super::{Expr, Func, Op, Part, PartKind, Value};
use crate::{
    base::limits::{EXPR_CHARS_MAX, EXPR_DEPTH_MAX, EXPR_PARTS_MAX},
    ivr::yaml::did_you_mean,
};

/// Why a text is not an expression, and the character (from 0) where that shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// Character, from 0.
    pub at: usize,
    /// One sentence.
    pub say: String,
    /// What to do about it.
    pub hint: Option<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Tok {
    Value(Value),
    Name(String),
    Sign(&'static str),
    End,
}

fn err<T>(at: usize, say: impl Into<String>) -> Result<T, ExprError> {
    Err(ExprError { at, say: say.into(), hint: None })
}

impl Expr {
    /// Reads `text`.
    pub fn parse(text: &str) -> Result<Expr, ExprError> {
        if text.chars().count() > EXPR_CHARS_MAX {
            return err(0, format!("an expression may have {EXPR_CHARS_MAX} characters"));
        }
        let mut p = Parser { toks: scan(text)?, i: 0, parts: 0 };
        let root = p.choice(0)?;
        match p.peek() {
            Tok::End => Ok(Expr { text: text.to_owned(), root }),
            _ => err(p.at(), "expected an operator or the end of the expression"),
        }
    }
}

const SIGNS: [&str; 21] =
    ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "?", ":", "+", "-", "*", "/", "(", ")", "[", "]", ",", "."];

fn scan(text: &str) -> Result<Vec<(usize, Tok)>, ExprError> {
    let c: Vec<char> = text.chars().collect();
    let mut toks = Vec::new();
    let mut i = 0;
    while i < c.len() {
        let start = i;
        let tok = match c[i] {
            ch if ch.is_whitespace() => {
                i += 1;
                continue;
            }
            quote @ ('\'' | '"') => {
                let mut s = String::new();
                i += 1;
                loop {
                    match c.get(i) {
                        None => return err(start, "this text has no closing quote"),
                        Some(&ch) if ch == quote => break,
                        Some('\\') if matches!(c.get(i + 1), Some('\'' | '"' | '\\')) => {
                            s.push(c[i + 1]);
                            i += 2;
                        }
                        Some(&ch) => {
                            s.push(ch);
                            i += 1;
                        }
                    }
                }
                i += 1;
                Tok::Value(Value::Text(s))
            }
            ch if ch.is_ascii_digit() => number(&c, &mut i)?,
            ch if ch.is_ascii_alphabetic() || ch == '_' => {
                while c.get(i).is_some_and(|ch| ch.is_ascii_alphanumeric() || *ch == '_') {
                    i += 1;
                }
                let word: String = c[start..i].iter().collect();
                match word.as_str() {
                    "true" => Tok::Value(Value::Bool(true)),
                    "false" => Tok::Value(Value::Bool(false)),
                    "null" => Tok::Value(Value::Null),
                    _ => Tok::Name(word),
                }
            }
            ch => {
                let next = c.get(i + 1).copied();
                let sign = SIGNS.iter().find(|s| {
                    let mut w = s.chars();
                    w.next() == Some(ch) && w.next().is_none_or(|second| next == Some(second))
                });
                match sign {
                    Some(s) => {
                        i += s.len();
                        Tok::Sign(s)
                    }
                    None if ch == '=' => return err(i, "`=` is not an operator: compare with `==`"),
                    None => return err(i, format!("`{ch}` has no meaning in an expression")),
                }
            }
        };
        toks.push((start, tok));
    }
    toks.push((c.len(), Tok::End));
    Ok(toks)
}

/// `12`, `0.5`, `1e3`, and with a unit `500ms 90s 5m 2h 1d`.
fn number(c: &[char], i: &mut usize) -> Result<Tok, ExprError> {
    let start = *i;
    let digits = |i: &mut usize| {
        while c.get(*i).is_some_and(char::is_ascii_digit) {
            *i += 1;
        }
    };
    digits(i);
    if c.get(*i) == Some(&'.') && c.get(*i + 1).is_some_and(char::is_ascii_digit) {
        *i += 1;
        digits(i);
    }
    if c.get(*i) == Some(&'e') && c.get(*i + 1).is_some_and(char::is_ascii_digit) {
        *i += 1;
        digits(i);
    }
    let n: f64 = c[start..*i].iter().collect::<String>().parse().unwrap_or(0.0);
    let unit_at = *i;
    while c.get(*i).is_some_and(char::is_ascii_alphabetic) {
        *i += 1;
    }
    let unit: String = c[unit_at..*i].iter().collect();
    let factor = match unit.as_str() {
        "" => return Ok(Tok::Value(Value::number(n))),
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        "d" => 86_400.0,
        _ => return err(start, format!("`{unit}` is not a unit of time: expected ms, s, m, h or d")),
    };
    let s = n * factor;
    Ok(Tok::Value(if s.is_finite() { Value::Duration(s) } else { Value::Null }))
}

struct Parser {
    toks: Vec<(usize, Tok)>,
    i: usize,
    parts: usize,
}

impl Parser {
    fn peek(&self) -> &Tok {
        &self.toks[self.i].1
    }
    fn at(&self) -> usize {
        self.toks[self.i].0
    }
    fn take(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Tok::Sign(s) if *s == sign);
        if is {
            self.i += 1;
        }
        is
    }
    fn expect(&mut self, sign: &str) -> Result<(), ExprError> {
        if self.take(sign) { Ok(()) } else { err(self.at(), format!("expected `{sign}`")) }
    }
    fn part(&mut self, at: usize, kind: PartKind) -> Result<Part, ExprError> {
        self.parts += 1;
        if self.parts > EXPR_PARTS_MAX {
            return err(at, format!("an expression may have {EXPR_PARTS_MAX} parts: use a `set` node for the halves"));
        }
        Ok(Part { at, kind })
    }
    fn deeper(&self, depth: usize) -> Result<usize, ExprError> {
        if depth >= EXPR_DEPTH_MAX { err(self.at(), format!("nested more than {EXPR_DEPTH_MAX} deep")) } else { Ok(depth + 1) }
    }

    fn choice(&mut self, depth: usize) -> Result<Part, ExprError> {
        let depth = self.deeper(depth)?;
        let cond = self.binary(0, depth)?;
        if !self.take("?") {
            return Ok(cond);
        }
        let at = cond.at;
        let yes = self.choice(depth)?;
        self.expect(":")?;
        let no = self.choice(depth)?;
        self.part(at, PartKind::Choice(Box::new(cond), Box::new(yes), Box::new(no)))
    }

    /// `level` counts the rows of operators, loosest first.
    fn binary(&mut self, level: usize, depth: usize) -> Result<Part, ExprError> {
        const ROWS: [&[Op]; 6] = [
            &[Op::Or],
            &[Op::And],
            &[Op::Eq, Op::Ne],
            &[Op::Lt, Op::Le, Op::Gt, Op::Ge, Op::In],
            &[Op::Add, Op::Sub],
            &[Op::Mul, Op::Div],
        ];
        let Some(row) = ROWS.get(level) else { return self.unary(depth) };
        let mut left = self.binary(level + 1, depth)?;
        // Every turn makes the tree one deeper on the left, so it counts as depth.
        let mut depth = depth;
        loop {
            let at = self.at();
            let op = match self.peek() {
                Tok::Sign(s) => row.iter().copied().find(|o| o.as_str() == *s),
                Tok::Name(n) if n == "in" => row.iter().copied().find(|o| *o == Op::In),
                _ => None,
            };
            let Some(op) = op else { return Ok(left) };
            self.i += 1;
            depth = self.deeper(depth)?;
            let right = self.binary(level + 1, depth)?;
            left = self.part(at, PartKind::Binary(op, Box::new(left), Box::new(right)))?;
        }
    }

    fn unary(&mut self, depth: usize) -> Result<Part, ExprError> {
        let at = self.at();
        let depth = self.deeper(depth)?;
        if self.take("!") {
            let inner = self.unary(depth)?;
            return self.part(at, PartKind::Not(Box::new(inner)));
        }
        if self.take("-") {
            let inner = self.unary(depth)?;
            return self.part(at, PartKind::Negate(Box::new(inner)));
        }
        self.primary(at, depth)
    }

    fn primary(&mut self, at: usize, depth: usize) -> Result<Part, ExprError> {
        let tok = self.peek().clone();
        self.i += usize::from(tok != Tok::End);
        match tok {
            Tok::Value(v) => self.part(at, PartKind::Literal(v)),
            Tok::Sign("(") => {
                let inner = self.choice(depth)?;
                self.expect(")")?;
                Ok(inner)
            }
            Tok::Sign("[") => {
                let items = self.several("]", depth)?;
                self.part(at, PartKind::List(items))
            }
            Tok::Name(name) if name != "in" => {
                if self.take("(") {
                    let Some(&(_, func, want)) = Func::ALL.iter().find(|f| f.0 == name) else {
                        let hint = did_you_mean(&name, Func::ALL.iter().map(|f| f.0)).or_else(|| {
                            Some(format!("there are {}", Func::ALL.iter().map(|f| f.0).collect::<Vec<_>>().join(", ")))
                        });
                        let say = format!("there is no function `{name}`; {}", hint.clone().unwrap_or_default());
                        return Err(ExprError { at, say, hint });
                    };
                    let args = self.several(")", depth)?;
                    if args.len() != want {
                        return err(at, format!("`{name}` takes {want} argument(s), found {}", args.len()));
                    }
                    return self.part(at, PartKind::Call(func, args));
                }
                let mut path = vec![name];
                while self.take(".") {
                    match self.peek().clone() {
                        Tok::Name(field) => path.push(field),
                        _ => return err(self.at(), "expected the name of a field after `.`"),
                    }
                    self.i += 1;
                }
                self.part(at, PartKind::Path(path))
            }
            _ => err(at, "expected a value: a number, 'text', a duration like 90s, a variable, or `(`"),
        }
    }

    fn several(&mut self, close: &str, depth: usize) -> Result<Vec<Part>, ExprError> {
        let mut items = Vec::new();
        if self.take(close) {
            return Ok(items);
        }
        loop {
            items.push(self.choice(depth)?);
            if self.take(close) {
                return Ok(items);
            }
            self.expect(",")?;
        }
    }
}

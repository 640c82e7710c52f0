//! YAML as a tree in which every key and value knows its line and column.
//!
//! Built on the events of the parser below `serde-saphyr`: its typed interface loses the place of a key and stops at the first
//! mistake, and an author wants both. Anchors and aliases are refused: a flow is read by people, and they are how small files
//! become large ones.

use std::fmt;

use serde_saphyr::granit_parser::{Event, Options, Parser, ScalarStyle, Span};

use crate::base::limits::{FLOW_BYTES_MAX, FLOW_NESTING_MAX};

/// A place in a file; both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Pos {
    /// Line.
    pub line: u32,
    /// Column, in characters.
    pub col: u32,
}

impl Pos {
    /// So many characters further right on the same line.
    pub fn right(self, chars: usize) -> Pos {
        Pos { line: self.line, col: self.col.saturating_add(u32::try_from(chars).unwrap_or(u32::MAX)) }
    }
}

impl fmt::Display for Pos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.col)
    }
}

/// A value and where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    pub pos: Pos,
    pub kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    /// Text; `plain` when it was written without quotes (then `true`, `12` and `null` mean what they say).
    Scalar {
        text: String,
        plain: bool,
    },
    List(Vec<Tree>),
    Map(Vec<(Key, Tree)>),
}

/// A key and where it begins.
#[derive(Debug, Clone)]
pub(crate) struct Key {
    pub pos: Pos,
    pub text: String,
}

impl Tree {
    /// What it is, for messages.
    pub fn describe(&self) -> String {
        match &self.kind {
            Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null") => "nothing".to_owned(),
            Kind::Scalar { text, .. } => format!("`{}`", text.chars().take(40).collect::<String>()),
            Kind::List(_) => "a list".to_owned(),
            Kind::Map(_) => "a mapping".to_owned(),
        }
    }
    /// Where the first character of the text stands: after the quote, if there is one.
    pub fn text_pos(&self) -> Pos {
        match &self.kind {
            Kind::Scalar { plain: false, .. } => self.pos.right(1),
            _ => self.pos,
        }
    }
    /// True for an empty value, `null` or `~`.
    pub fn is_null(&self) -> bool {
        matches!(&self.kind, Kind::Scalar { text, plain: true } if matches!(text.as_str(), "" | "~" | "null"))
    }
}

/// Reads one document.
pub(crate) fn parse(text: &str) -> Result<Tree, (Pos, String)> {
    let top = Pos { line: 1, col: 1 };
    if text.len() > FLOW_BYTES_MAX {
        return Err((top, format!("the file has {} bytes; a flow may have {FLOW_BYTES_MAX}", text.len())));
    }
    let mut options = Options::default();
    options.set_emit_comments(false);
    let mut b = Builder { parser: Parser::new_from_str_with_options(text, options) };
    let mut root = None;
    while let Some((event, span)) = b.next()? {
        match event {
            Event::DocumentStart(..) if root.is_some() => {
                return Err((at(&span), "expected one document in a file".to_owned()));
            }
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => {
                root = Some(b.value(event, span, 0)?);
            }
            Event::StreamEnd => break,
            _ => {}
        }
    }
    root.ok_or_else(|| (top, "the file is empty: expected `flow: name`".to_owned()))
}

fn at(span: &Span) -> Pos {
    let n = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
    Pos { line: n(span.start.line()), col: n(span.start.col()).saturating_add(1) }
}

struct Builder<'a> {
    parser: Parser<'a, serde_saphyr::granit_parser::StrInput<'a>>,
}

impl<'a> Builder<'a> {
    fn next(&mut self) -> Result<Option<(Event<'a>, Span)>, (Pos, String)> {
        match self.parser.next_event() {
            None => Ok(None),
            Some(Ok(next)) => Ok(Some(next)),
            Some(Err(e)) => {
                let n = |v: usize| u32::try_from(v).unwrap_or(u32::MAX);
                let pos = Pos { line: n(e.marker().line()), col: n(e.marker().col()).saturating_add(1) };
                Err((pos, format!("not readable as YAML: {}", e.info())))
            }
        }
    }

    fn need(&mut self) -> Result<(Event<'a>, Span), (Pos, String)> {
        self.next()?.ok_or_else(|| (Pos { line: 1, col: 1 }, "the file ends in the middle of a value".to_owned()))
    }

    fn value(&mut self, event: Event<'a>, span: Span, depth: usize) -> Result<Tree, (Pos, String)> {
        let pos = at(&span);
        if depth > FLOW_NESTING_MAX {
            return Err((pos, format!("nested more than {FLOW_NESTING_MAX} deep")));
        }
        let kind = match event {
            Event::Scalar(text, style, ..) => {
                Kind::Scalar { text: text.into_owned(), plain: matches!(style, ScalarStyle::Plain) }
            }
            Event::SequenceStart(..) => {
                let mut items = Vec::new();
                loop {
                    match self.need()? {
                        (Event::SequenceEnd, _) => break Kind::List(items),
                        (e, s) => items.push(self.value(e, s, depth + 1)?),
                    }
                }
            }
            Event::MappingStart(..) => self.mapping(depth)?,
            Event::Alias(_) => return Err((pos, "anchors and aliases are not used in flows: write the value out".to_owned())),
            _ => return Err((pos, "expected a value".to_owned())),
        };
        Ok(Tree { pos, kind })
    }

    fn mapping(&mut self, depth: usize) -> Result<Kind, (Pos, String)> {
        let mut entries: Vec<(Key, Tree)> = Vec::new();
        loop {
            let key = match self.need()? {
                (Event::MappingEnd, _) => return Ok(Kind::Map(entries)),
                (Event::Scalar(text, ..), s) => Key { pos: at(&s), text: text.into_owned() },
                (_, s) => return Err((at(&s), "expected a key".to_owned())),
            };
            if let Some((first, _)) = entries.iter().find(|(k, _)| k.text == key.text) {
                return Err((key.pos, format!("`{}` stands here twice (first at {})", key.text, first.pos)));
            }
            let (e, s) = self.need()?;
            let value = self.value(e, s, depth + 1)?;
            entries.push((key, value));
        }
    }
}

/// Up to three of `known` that look like `word`, nearest first.
pub(crate) fn near<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Vec<&'k str> {
    let word: String = word.to_lowercase().chars().take(40).collect();
    let bound = (word.chars().count() / 3).clamp(1, 3);
    let mut found: Vec<(usize, &str)> = known
        .into_iter()
        .map(|k| (distance(&word, &k.to_lowercase()), k))
        .filter(|&(d, k)| d <= bound || (word.len() >= 3 && k.starts_with(&word)))
        .collect();
    found.sort();
    found.dedup();
    found.into_iter().take(3).map(|(_, k)| k).collect()
}

/// "did you mean ..?", or nothing.
pub(crate) fn did_you_mean<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
    let found = near(word, known);
    (!found.is_empty())
        .then(|| format!("did you mean {}?", found.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(" or ")))
}

/// How many insertions, deletions, replacements and swaps of neighbours lie between two words.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().take(80).collect());
    let mut rows = vec![(0..=b.len()).collect::<Vec<usize>>()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let same = usize::from(a[i - 1] != b[j - 1]);
            let mut d = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + same);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(rows[i - 2][j - 2] + 1);
            }
            row.push(d);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_and_value_knows_its_place() {
        let t = parse("a: 1\nb:\n  - \"x\"\n  - {c: d}\n").expect("reads");
        let Kind::Map(m) = &t.kind else { panic!("a mapping") };
        assert_eq!((m[1].0.pos, m[0].1.pos), (Pos { line: 2, col: 1 }, Pos { line: 1, col: 4 }));
        let Kind::List(l) = &m[1].1.kind else { panic!("a list") };
        assert_eq!((l[0].pos, l[0].text_pos()), (Pos { line: 3, col: 5 }, Pos { line: 3, col: 6 }));
    }

    #[test]
    fn what_is_not_for_people_to_read_is_refused_with_its_place() {
        for (text, line) in [("a: 1\na: 2\n", 2), ("a: &x 1\nb: *x\n", 2), ("a: [1\n", 1), ("", 1), ("a: 1\n---\nb: 2\n", 2)] {
            let (pos, say) = parse(text).expect_err(text);
            assert_eq!(pos.line, line, "{text:?}: {say}");
        }
        assert!(parse(&"[".repeat(500)).is_err());
    }

    #[test]
    fn a_misspelt_key_finds_its_neighbours() {
        assert_eq!(near("tehn", ["then", "when", "hours"]), ["then"]);
        assert_eq!(near("gahter", ["gather", "say"]), ["gather"]);
        assert!(near("xyz", ["then", "when"]).is_empty());
    }
}

//! A source file with its comments and strings laid aside, so that a rule about code is not tripped by a sentence.

/// One file.
pub struct Source {
    /// From the root of the repository.
    pub path: String,
    /// As it is.
    pub text: String,
    /// The room it is in: the folder under `src`.
    pub room: Option<String>,
    /// The string literals of the code that is not a test, with their lines.
    pub strings: Vec<(usize, String)>,
    /// The code that is not a test, comments and strings blanked, line by line as it was.
    code: String,
}

impl Source {
    pub fn new(path: String, text: String) -> Self {
        let mut parts = path.split('/');
        let room = match (parts.next(), parts.next(), parts.next()) {
            (Some("src"), Some(room), Some(_)) => Some(room.to_owned()),
            _ => None,
        };
        let (mut code, mut strings) = lex(&text);
        if let Some(end) = tests_begin(&path, &code) {
            code.truncate(end);
            let lines = code.lines().count();
            strings.retain(|(line, _)| *line <= lines);
        }
        Self { path, text, room, strings, code }
    }

    pub fn lines(&self) -> usize {
        self.text.lines().count()
    }

    /// How many `super` lead from this module to the crate.
    pub fn depth(&self) -> usize {
        let below_src = self.path.split('/').count() - 1;
        below_src - usize::from(self.path.ends_with("/mod.rs"))
    }

    /// The lines a word stands on.
    pub fn words(&self, word: &str) -> Vec<usize> {
        let edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let whole = |i: &usize| edge(self.code[..*i].chars().next_back()) && edge(self.code[i + word.len()..].chars().next());
        self.code.match_indices(word).map(|(i, _)| i).filter(whole).map(|i| self.line(i)).collect()
    }

    /// The rooms named by `crate::room` and `crate::{room::.., room}`.
    pub fn crate_paths(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (i, key) in self.code.match_indices("crate::") {
            if self.code[..i].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
                continue;
            }
            let start = i + key.len();
            let rest = self.code[start..].trim_start();
            let start = self.code.len() - rest.len();
            match rest.strip_prefix('{') {
                None => found.push((self.line(start), ident(rest))),
                Some(group) => found.extend(first_idents(group).map(|(at, name)| (self.line(start + 1 + at), name))),
            }
        }
        found
    }

    /// `super::super::` with the number of links.
    pub fn super_chains(&self) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        let mut at = 0;
        while let Some(i) = self.code[at..].find("super::").map(|i| i + at) {
            let mut end = i;
            while self.code[end..].starts_with("super::") {
                end += "super::".len();
            }
            found.push((self.line(i), (end - i) / "super::".len()));
            at = end;
        }
        found
    }

    fn line(&self, at: usize) -> usize {
        self.code[..at].matches('\n').count() + 1
    }
}

fn ident(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The names a `{a::b, c::{d, e}}` begins its parts with, up to its closing brace.
fn first_idents(group: &str) -> impl Iterator<Item = (usize, String)> {
    let (mut depth, mut fresh, mut found) = (0_u32, true, Vec::new());
    for (i, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                fresh = false;
                found.push((i, ident(&group[i..])));
            }
            _ => {}
        }
    }
    found.into_iter()
}

/// Where the tests begin: everything in a file of tests, and in others what follows `#[cfg(test)] mod x {`, which stands
/// at the end.
fn tests_begin(path: &str, code: &str) -> Option<usize> {
    let stem = path.rsplit('/').next()?.strip_suffix(".rs")?;
    if path.starts_with("src/") && (stem == "tests" || stem.ends_with("_tests") || path.contains("/tests/")) {
        return Some(0);
    }
    code.match_indices("#[cfg(test)]").map(|(i, _)| i).find(|i| {
        let rest = code[*i..].trim_start_matches("#[cfg(test)]").trim_start();
        let head = rest.split(['{', ';']).next().unwrap_or_default();
        (rest.starts_with("mod ") || rest.starts_with("pub mod ")) && rest[head.len()..].starts_with('{')
    })
}

/// Blanks comments and strings; line ends stay where they were. The strings come beside, with their lines.
fn lex(text: &str) -> (String, Vec<(usize, String)>) {
    let (mut code, mut strings) = (String::with_capacity(text.len()), Vec::new());
    let (mut rest, mut line) = (text, 1);
    while let Some(c) = rest.chars().next() {
        let (skip, string) = if rest.starts_with("//") {
            (rest.find('\n').unwrap_or(rest.len()), None)
        } else if rest.starts_with("/*") {
            (block_comment(rest), None)
        } else if let Some((head, len)) = string_literal(rest, code.chars().next_back()) {
            (len, Some(rest[head..len].trim_end_matches(['"', '#']).to_owned()))
        } else if let Some(len) = char_literal(rest) {
            (len, None)
        } else {
            line += usize::from(c == '\n');
            code.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        };
        strings.extend(string.map(|s| (line, s)));
        line += rest[..skip].matches('\n').count();
        code.extend(rest[..skip].chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        rest = &rest[skip..];
    }
    (code, strings)
}

fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Where the contents of the string at the beginning of `text` start, and where it ends.
fn string_literal(text: &str, before: Option<char>) -> Option<(usize, usize)> {
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return None;
    }
    let prefix = ["br", "r", "b", "cr", "c", ""].into_iter().find(|p| {
        text.strip_prefix(p).is_some_and(|t| t.starts_with('"') || (p.ends_with('r') && t.starts_with('#') && t.contains('"')))
    })?;
    let after = &text[prefix.len()..];
    if prefix.ends_with('r') {
        let hashes = after.len() - after.trim_start_matches('#').len();
        let head = prefix.len() + hashes + 1;
        if !after[hashes..].starts_with('"') {
            return None;
        }
        let close = format!("\"{}", "#".repeat(hashes));
        return Some((head, text[head..].find(&close).map_or(text.len(), |i| head + i + close.len())));
    }
    let head = prefix.len() + 1;
    let mut escaped = false;
    for (i, c) in text[head..].char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return Some((head, head + i + 1)),
            _ => {}
        }
    }
    Some((head, text.len()))
}

/// The length of a character literal; `None` for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let inner = text.strip_prefix('\'')?;
    let mut chars = inner.char_indices();
    match chars.next()? {
        (_, '\\') => inner[2..].find('\'').map(|i| i + 4),
        (_, _) => chars.next().filter(|(_, c)| *c == '\'').map(|(i, _)| i + 2),
    }
}

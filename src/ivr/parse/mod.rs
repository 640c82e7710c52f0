//! From YAML to [`Flow`]: every mistake in the file is collected with its place, not only the first.
//!
//! Keys are asked for by name ([`Fields`]); what nobody asked for is an unknown key and an error, because a misspelt `on_eror`
//! that is silently ignored costs a call. Whether the flow makes sense is asked later, by `check`.

mod fields;
mod stories;
mod top;
mod verbs;

use std::fmt;

use super::{Flow, Pos, yaml};
use crate::base::limits::FLOW_ERRORS_MAX;

/// A mistake in a flow file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct FlowError {
    /// File.
    pub file: String,
    /// Place.
    pub pos: Pos,
    /// What was expected and what was found, one sentence.
    pub say: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl fmt::Display for FlowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.pos, self.say)?;
        match &self.hint {
            Some(h) => write!(f, "; {h}"),
            None => Ok(()),
        }
    }
}

/// Every mistake in a flow file, in the order of the file; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ParseErrors(pub Vec<FlowError>);

impl fmt::Display for ParseErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, e) in self.0.iter().enumerate() {
            write!(f, "{}{e}", if i > 0 { "\n" } else { "" })?;
        }
        Ok(())
    }
}

/// Collects mistakes.
struct Errors {
    file: String,
    list: Vec<FlowError>,
}

impl Errors {
    fn add(&mut self, pos: Pos, say: impl Into<String>) {
        self.hint(pos, say, None);
    }
    fn hint(&mut self, pos: Pos, say: impl Into<String>, hint: Option<String>) {
        if self.list.len() < FLOW_ERRORS_MAX {
            self.list.push(FlowError { file: self.file.clone(), pos, say: say.into(), hint });
        }
    }
}

impl Flow {
    /// Reads a flow; `file` is its name for messages.
    pub fn parse(file: &str, text: &str) -> Result<Flow, ParseErrors> {
        let mut errors = Errors { file: file.to_owned(), list: Vec::new() };
        let flow = match yaml::parse(text) {
            Ok(tree) => top::flow(&tree, text, &mut errors),
            Err((pos, say)) => {
                errors.add(pos, say);
                None
            }
        };
        errors.list.sort_by_key(|e| e.pos);
        match flow {
            Some(flow) if errors.list.is_empty() => Ok(flow),
            _ => Err(ParseErrors(errors.list)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(text: &str) -> Vec<String> {
        Flow::parse("f.yaml", text).expect_err("refused").0.iter().map(ToString::to_string).collect()
    }

    const GOOD: &str = "flow: f\nschema: 1\nchannels: [voice]\nlanguages: [en-US]\nstart: a\n\
                        prompts:\n  hi: {en-US: {say: Hello.}}\nnodes:\n  a:\n    say: [hi]\n    then: z\n  z:\n    hangup: {}\n";

    #[test]
    fn the_smallest_flow_is_read_and_its_identity_is_its_text() {
        let f = Flow::parse("f.yaml", GOOD).expect("reads");
        assert_eq!((f.nodes.len(), f.hash.len(), f.order.as_slice()), (2, 64, &["a".to_owned(), "z".to_owned()][..]));
        let other = Flow::parse("f.yaml", &GOOD.replace("Hello", "Hallo")).expect("reads");
        assert_ne!(f.hash, other.hash);
    }

    #[test]
    fn a_misspelt_key_is_refused_at_its_place_with_the_word_that_was_meant() {
        assert_eq!(
            errors(&GOOD.replace("    then: z", "    tehn: z")),
            ["f.yaml:11:5: unknown key `tehn` in node `a`; did you mean `then`?"]
        );
        assert!(
            errors(&GOOD.replace("prompts:", "promts:")).iter().any(|e| e.contains("f.yaml:6:1") && e.contains("`prompts`"))
        );
    }

    #[test]
    fn a_verb_of_a_later_version_is_named_and_a_misspelt_one_corrected() {
        let bot = errors(&GOOD.replace("say: [hi]", "bot: {name: x}"));
        assert_eq!(bot, ["f.yaml:10:5: verb `bot` is not available in this version"]);
        let misspelt = errors(&GOOD.replace("    say: [hi]", "    syy: [hi]"));
        assert!(misspelt.iter().any(|e| e.starts_with("f.yaml:10:5") && e.contains("did you mean `say`?")), "{misspelt:?}");
        assert!(errors(&GOOD.replace("    say: [hi]", "    say: [hi]\n    hangup: {}"))[0].contains("two verbs"));
        assert!(errors(&GOOD.replace("    say: [hi]\n", ""))[0].contains("has no verb"));
    }

    #[test]
    fn values_of_the_wrong_kind_say_what_was_expected() {
        for (from, to, want) in [
            ("channels: [voice]", "channels: [phone]", "f.yaml:3:12: expected one of voice, webchat, found `phone`"),
            ("schema: 1", "schema: 2", "f.yaml:2:9: expected schema 1, found `2`"),
            ("say: [hi]", "gather: {prompt: hi, timeout: 5, words: {}}", "expected a duration like 5s"),
            ("say: [hi]", "set: {x: '1 +'}", "f.yaml:10:18: expected a value"),
            ("say: Hello.", "say: 'Hi {a'", "f.yaml:7:25: this placeholder"),
            ("flow: f", "flow: Main Flow", "f.yaml:1:7: `Main Flow` is not an id"),
        ] {
            let e = errors(&GOOD.replace(from, to));
            assert!(e.iter().any(|e| e.contains(want)), "{to}: {e:?}");
        }
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let text = GOOD.replace("schema: 1", "schema: x").replace("then: z", "then: [z]").replace("start: a", "stort: a");
        assert!(errors(&text).len() >= 3);
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_cut_out_of_a_flow_it_is_read_or_refused(from in 0usize..200, len in 0usize..60) {
            let end = (from + len).min(GOOD.len());
            let cut = format!("{}{}", &GOOD[..from.min(GOOD.len())], &GOOD[end.max(from.min(GOOD.len()))..]);
            let _ = Flow::parse("f.yaml", &cut);
        }
    }
}

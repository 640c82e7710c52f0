//! How the widget looks on a site's pages, and what it asks before a chat begins.
//!
//! What the line in a site's page says itself (`data-color`, `data-side`, `data-title`) wins over what is written here.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::limits;

/// The widget of one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Look {
    /// Of the bubble and the buttons, `#0b57b0`; ours if absent. What is written on it is black or white, whichever is seen better.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
    /// The corner it sits in.
    #[serde(skip_serializing_if = "super::is_default")]
    pub side: Side,
    /// What stands over the chat, by language (`en`, `zh`).
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub title: BTreeMap<String, String>,
    /// What a visitor reads before the chat, by language.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub greeting: BTreeMap<String, String>,
    /// What a visitor is asked before the chat.
    #[serde(skip_serializing_if = "super::is_default")]
    pub ask: Ask,
}

/// A corner of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The right one.
    #[default]
    Right,
    /// The left one.
    Left,
}

/// What a visitor is asked before the chat.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Ask {
    /// What to call them.
    #[serde(skip_serializing_if = "super::is_default")]
    pub name: Need,
    /// A number or mail address.
    #[serde(skip_serializing_if = "super::is_default")]
    pub contact: Need,
    /// The house's own questions, in order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Field>,
}

/// Whether something is asked, and whether the chat waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// It is not asked.
    Off,
    /// It may be left empty.
    #[default]
    Optional,
    /// The page begins no chat without it.
    Required,
}

/// A question of the house. The answer is an attribute of the contact: agents see it, and queues may go by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// The attribute: `order_no`.
    pub key: String,
    /// What stands over the field, by language.
    #[serde(default)]
    pub label: BTreeMap<String, String>,
    /// Whether the chat waits for it.
    #[serde(default, skip_serializing_if = "super::is_default")]
    pub need: Need,
}

/// Attributes that mean something already.
const TAKEN: &[&str] = &["lang", "page", "diverted_from"];

fn is_color(text: &str) -> bool {
    text.strip_prefix('#').is_some_and(|t| matches!(t.len(), 3 | 6) && t.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn is_key(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    (1..=40).contains(&text.len()) && text.bytes().all(good) && !TAKEN.contains(&text)
}

impl Look {
    pub(super) fn problems(&self, at: &str, bad: &mut Vec<String>) {
        if let Some(c) = self.color.as_deref().filter(|c| !is_color(c)) {
            bad.push(format!("{at}.color: `{c}` is no colour; expected #0b57b0"));
        }
        let fields = &self.ask.fields;
        if fields.len() > limits::CHAT_FIELDS_MAX {
            bad.push(format!("{at}.ask.fields: {} are more than {}", fields.len(), limits::CHAT_FIELDS_MAX));
        }
        let mut seen = BTreeSet::new();
        for f in fields {
            if !is_key(&f.key) {
                bad.push(format!(
                    "{at}.ask.fields: `{}` cannot name an answer; expected 1 to 40 of a-z 0-9 _, and none of {}",
                    f.key,
                    TAKEN.join(", ")
                ));
            } else if !seen.insert(&f.key) {
                bad.push(format!("{at}.ask.fields: `{}` is asked twice", f.key));
            }
        }
        let labels = fields.iter().map(|f| &f.label);
        for lang in [&self.title, &self.greeting].into_iter().chain(labels).flat_map(BTreeMap::keys) {
            if !matches!(lang.as_str(), "en" | "zh") {
                bad.push(format!("{at}: the language `{lang}` is not known; expected en or zh"));
            }
        }
    }

    /// Of what a page says was answered, what was asked: cut to size, without empty ones.
    pub fn answers(&self, said: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let cut = |t: &String| t.trim().chars().take(limits::CHAT_ANSWER_MAX).collect::<String>();
        let asked = self.ask.fields.iter().filter_map(|f| Some((f.key.clone(), cut(said.get(&f.key)?))));
        asked.filter(|(_, v)| !v.is_empty()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(yaml: &str) -> Look {
        serde_saphyr::from_str(yaml).expect("it reads")
    }

    fn wrong(yaml: &str) -> Vec<String> {
        let mut bad = Vec::new();
        look(yaml).problems("chat.widget", &mut bad);
        bad
    }

    #[test]
    fn a_colour_that_is_none_a_question_asked_twice_and_a_name_that_means_something_already_are_told() {
        assert_eq!(
            wrong("{color: '#0b57b0', side: left, title: {en: Ask us, zh: 问我们}, ask: {contact: required}}"),
            Vec::<String>::new()
        );
        assert_eq!(wrong("color: 'url(x)'"), ["chat.widget.color: `url(x)` is no colour; expected #0b57b0"]);
        let twice = wrong("ask: {fields: [{key: order}, {key: order}, {key: lang}, {key: Order}, {key: caller.verstat}]}");
        assert_eq!(twice.len(), 4, "{twice:?}");
        assert!(twice[0].ends_with("`order` is asked twice"), "{twice:?}");
        assert_eq!(wrong("title: {fr: Bonjour}"), ["chat.widget: the language `fr` is not known; expected en or zh"]);
        let many = format!("ask: {{fields: [{}]}}", (0..9).map(|n| format!("{{key: k{n}}}")).collect::<Vec<_>>().join(", "));
        assert_eq!(wrong(&many), ["chat.widget.ask.fields: 9 are more than 8"]);
    }

    #[test]
    fn of_what_a_page_says_only_what_was_asked_is_kept_and_not_without_end() {
        let l = look("ask: {fields: [{key: order}, {key: shop}]}");
        let said = [("order", " 4711 "), ("shop", "  "), ("caller.verstat", "verified")];
        let said = said.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        assert_eq!(l.answers(&said), BTreeMap::from([("order".to_owned(), "4711".to_owned())]));
        let long = BTreeMap::from([("order".to_owned(), "长".repeat(500))]);
        assert_eq!(l.answers(&long)["order"].chars().count(), limits::CHAT_ANSWER_MAX);
    }
}

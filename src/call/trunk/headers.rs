//! Header rules: what a carrier wants beside what every call carries.
//!
//! They work on what is said about a call, never on what makes it one: no rule touches a header that transactions, dialogs,
//! offers or credentials are made of.

use serde::{Deserialize, Serialize};

use crate::sip::msg::{Headers, Name};

/// One rule. Exactly one of `add`, `set`, `remove` names the header.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HeaderRule {
    /// One line more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub add: Option<String>,
    /// This line instead of any other of its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// No line of this name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remove: Option<String>,
    /// The value of `add` and `set`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub value: String,
}

/// Most rules of one trunk.
const RULES_MAX: usize = 32;
/// Longest value, characters.
const VALUE_MAX: usize = 512;

/// What nobody may touch.
const OURS: &[Name] = &[
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::MaxForwards,
    Name::Route,
    Name::RecordRoute,
    Name::ContentLength,
    Name::ContentType,
    Name::ContentEncoding,
    Name::ContentDisposition,
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::Require,
    Name::ProxyRequire,
    Name::Supported,
    Name::Allow,
    Name::Accept,
    Name::Replaces,
    Name::RSeq,
    Name::RAck,
    Name::SessionExpires,
    Name::MinSe,
    Name::Expires,
    Name::Identity,
    Name::Reason,
    Name::Path,
    Name::Event,
    Name::SubscriptionState,
    Name::ReferTo,
];

impl HeaderRule {
    fn name(&self) -> Option<&str> {
        match (&self.add, &self.set, &self.remove) {
            (Some(n), None, None) | (None, Some(n), None) | (None, None, Some(n)) => Some(n),
            _ => None,
        }
    }

    /// Does it. An empty value stands for a line that is not to be there at all, also if the stack would write it by itself.
    pub(super) fn apply(&self, headers: &mut Headers) {
        let Some(name) = self.name().map(Name::from) else { return };
        if self.add.is_none() {
            headers.remove(&name);
        }
        if self.remove.is_some() {
            // Only User-Agent is written by the stack and may be left out.
            if name == Name::UserAgent {
                headers.push(name, "");
            }
            return;
        }
        headers.push(name, &self.value);
    }

    fn problem(&self) -> Option<String> {
        let Some(name) = self.name() else { return Some("expected exactly one of add, set, remove".into()) };
        let token = Name::parse(name.to_owned().into()).filter(|_| name.len() <= 64);
        let Some(token) = token else {
            return Some(format!("`{}` is no header name", name.chars().take(80).collect::<String>()));
        };
        if OURS.contains(&token) {
            return Some(format!("`{name}` is the stack's own: a rule on it would break calls"));
        }
        if self.value.chars().count() > VALUE_MAX || self.value.chars().any(char::is_control) {
            return Some(format!("the value of `{name}` is too long or has control characters in it"));
        }
        (self.remove.is_none() && self.value.is_empty()).then(|| format!("`{name}` needs a value"))
    }
}

/// Mistakes in a list of rules.
pub fn problems(rules: &[HeaderRule], at: &str, bad: &mut Vec<String>) {
    if rules.len() > RULES_MAX {
        bad.push(format!("{at}: more than {RULES_MAX} rules"));
    }
    bad.extend(rules.iter().enumerate().filter_map(|(i, r)| Some(format!("{at}[{i}]: {}", r.problem()?))));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(yaml: &str) -> Vec<HeaderRule> {
        serde_saphyr::from_str(yaml).unwrap()
    }

    #[test]
    fn lines_are_added_replaced_and_left_out_in_order() {
        let mut h = Headers::new();
        h.push(Name::Diversion, "<sip:1@x>");
        h.push(Name::from("X-A"), "old");
        for r in rules("[{add: X-A, value: b}, {set: X-B, value: c}, {remove: diversion}, {set: x-a, value: d}]") {
            r.apply(&mut h);
        }
        assert_eq!(h.items(&Name::from("X-A")), ["d"]);
        assert_eq!(h.items(&Name::from("X-B")), ["c"]);
        assert!(!h.has(&Name::Diversion));
    }

    #[test]
    fn no_spelling_of_a_header_of_ours_gets_through() {
        for name in ["Via", "via", "v", "CALL-ID", "i", "Contact", "m", "l", "Record-Route", "Proxy-Authorization", "x", "y"] {
            let mut bad = Vec::new();
            problems(&rules(&format!("[{{set: '{name}', value: a}}]")), "headers", &mut bad);
            assert_eq!(bad.len(), 1, "{name}");
        }
        for rule in [
            "{add: X-A}",
            "{}",
            "{add: X-A, set: X-B, value: c}",
            "{set: 'X A', value: c}",
            "{set: X-A, value: \"a\\r\\nVia: b\"}",
        ] {
            let mut bad = Vec::new();
            problems(&rules(&format!("[{rule}]")), "headers", &mut bad);
            assert_eq!(bad.len(), 1, "{rule}");
        }
    }
}

//! Busy lamps: the calls of a user as a `dialog-info` document (RFC 4235).
//!
//! Says that somebody is rung or talks, and in which direction, not with whom: whoever may see a lamp need not know the customer.
//! The first document of a subscription, and the one after a NOTIFY that was not taken, has everything (`full`); the others have
//! what changed (`partial`).

use std::{collections::BTreeMap, fmt::Write};

use super::escape;

/// Where a call stands, as far as a lamp tells it apart (RFC 4235 3.7.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CallState {
    /// Dialled, nothing heard yet.
    Trying,
    /// It rings.
    Early,
    /// They talk.
    Confirmed,
}

impl CallState {
    const fn as_str(self) -> &'static str {
        match self {
            CallState::Trying => "trying",
            CallState::Early => "early",
            CallState::Confirmed => "confirmed",
        }
    }
}

/// A call of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// Where it stands.
    pub state: CallState,
    /// The user's phone dialled.
    pub dialled: bool,
}

/// The calls a watcher knows of.
pub type Calls = BTreeMap<u64, Shown>;

/// A document. `told`: what the watcher knows; `None` makes it a full one.
pub fn write(entity: &str, version: u32, told: Option<&Calls>, now: &Calls) -> String {
    let kind = if told.is_some() { "partial" } else { "full" };
    let mut doc = format!(
        "<?xml version=\"1.0\"?>\r\n<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{version}\" \
         state=\"{kind}\" entity=\"{}\">\r\n",
        escape(entity)
    );
    let none = Calls::new();
    let told = told.unwrap_or(&none);
    let line = |doc: &mut String, id: &str, dialled: bool, state: &str| {
        let direction = if dialled { "initiator" } else { "recipient" };
        // Writing to a String cannot fail.
        let _ = write!(doc, "<dialog id=\"{id}\" direction=\"{direction}\"><state>{state}</state></dialog>\r\n");
    };
    for (id, call) in told.iter().filter(|(id, _)| !now.contains_key(id)) {
        line(&mut doc, &id.to_string(), call.dialled, "terminated");
    }
    for (id, call) in now.iter().filter(|(id, call)| told.get(id) != Some(call)) {
        line(&mut doc, &id.to_string(), call.dialled, call.state.as_str());
    }
    if kind == "full" && now.is_empty() {
        // Nothing is the right word for nothing; but there are phones that look for entries only, and leave the lamp on.
        line(&mut doc, "none", false, "terminated");
    }
    doc.push_str("</dialog-info>\r\n");
    doc
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEN: &str = "sip:ben@demo.example";

    fn calls(list: &[(u64, CallState)]) -> Calls {
        list.iter().map(|(id, state)| (*id, Shown { state: *state, dialled: *id > 5 })).collect()
    }

    #[test]
    fn a_lamp_is_told_everything_first_and_then_what_changed() {
        let first = write(BEN, 0, None, &calls(&[]));
        assert!(first.contains("version=\"0\" state=\"full\" entity=\"sip:ben@demo.example\""), "{first}");
        assert!(first.contains("<state>terminated</state>"));
        let (rings, talks) = (calls(&[(1, CallState::Early), (7, CallState::Confirmed)]), calls(&[(1, CallState::Confirmed)]));
        let second = write(BEN, 1, Some(&calls(&[])), &rings);
        assert!(
            second.contains("state=\"partial\"") && second.contains("<dialog id=\"1\" direction=\"recipient\"><state>early<")
        );
        assert!(second.contains("<dialog id=\"7\" direction=\"initiator\"><state>confirmed<"));
        let third = write(BEN, 2, Some(&rings), &talks);
        assert!(third.contains("id=\"7\" direction=\"initiator\"><state>terminated<"), "{third}");
        assert!(third.contains("id=\"1\" direction=\"recipient\"><state>confirmed<"));
        let fourth = write(BEN, 3, Some(&talks), &talks);
        assert_eq!(fourth.matches("<dialog ").count(), 0, "nothing changed, nothing is said: {fourth}");
    }
}

//! Which facts are events, and the groups they are chosen by.

use std::collections::BTreeSet;

/// What a trial is called.
pub const TEST: &str = "webhook.test";

/// Groups of events with the facts in them, by their words in the journal.
pub const GROUPS: &[(&str, &[&str])] = &[
    (
        "interaction",
        &[
            "interaction_opened",
            "queued",
            "unqueued",
            "offered",
            "offer_ended",
            "connected",
            "held",
            "muted",
            "keys_sent",
            "transferred",
            "consulted",
            "consult_answered",
            "callback_booked",
            "callback_tried",
            "consult_merged",
            "consult_ended",
            "supervised",
            "supervision_ended",
            "taken_over",
            "reassigned",
            "prioritised",
            "talk_ended",
            "wrap_up",
            "disposed",
            "wrap_up_over",
            "interaction_closed",
        ],
    ),
    ("call", &["leg_opened", "leg_trouble", "leg_ended", "call_out", "call_out_over"]),
    ("flow", &["flow_started", "flow_entered", "flow_event"]),
    ("recording", &["recording_started", "recording_paused", "recording_ended", "voicemail_left"]),
    ("transcript", &["said"]),
    ("message", &["message", "read_up_to"]),
    ("rating", &["rated"]),
    ("ticket", &["ticket"]),
    ("customer", &["customer"]),
    ("agent", &["agent_state", "endpoint_chosen"]),
    ("alarm", &["alarm"]),
    ("alert", &["alert_raised", "alert_cleared", "alert_acked"]),
];

/// Facts nobody outside is told: what only a restart needs (keys of calls and variables of flows are in it), and figures that
/// reports are made of.
pub const HIDDEN: &[&str] = &["leg_dialog", "flow_saved", "counted", "node_started"];

/// The facts chosen by words that each are a group, a fact, or `*` for all. Words that are neither choose nothing.
pub fn kinds_of(chosen: &[String]) -> BTreeSet<&'static str> {
    let all = || GROUPS.iter().flat_map(|(_, kinds)| kinds.iter().copied());
    let mut kinds = BTreeSet::new();
    for word in chosen {
        match GROUPS.iter().find(|(group, _)| group == word) {
            Some((_, of_it)) => kinds.extend(of_it.iter().copied()),
            None => kinds.extend(all().filter(|k| word == "*" || k == word)),
        }
    }
    kinds
}

/// The first word that chooses nothing.
pub fn unknown(chosen: &[String]) -> Option<&str> {
    chosen.iter().find(|w| kinds_of(std::slice::from_ref(w)).is_empty()).map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(w: &[&str]) -> Vec<String> {
        w.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn a_group_a_single_fact_and_everything_can_be_chosen_and_what_is_hidden_cannot() {
        assert_eq!(kinds_of(&words(&["recording", "said"])).len(), 5);
        assert!(kinds_of(&words(&["*"])).contains("interaction_closed"));
        for hidden in HIDDEN {
            assert!(!kinds_of(&words(&["*"])).contains(hidden), "{hidden}");
            assert_eq!(unknown(&words(&["ticket", hidden])), Some(*hidden));
        }
        assert_eq!(unknown(&words(&["*", "ticket", "queued"])), None);
        assert!(kinds_of(&[]).is_empty());
    }
}

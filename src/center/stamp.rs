//! Facts and views as the world outside reads them: instants, microseconds inside, are RFC 3339 there.

use serde_json::{Map, Value};

use super::fact::Record;
use crate::base::Wall;

/// Names under which an instant stands in facts, views and rows. Inside they are microseconds since 1970; outside RFC 3339.
const STAMPS: &[&str] = &[
    "at",
    "since",
    "until",
    "stage_since",
    "talk_since",
    "held_since",
    "longest_since",
    "entered",
    "reopen_until",
    "reached",
    "created",
    "updated",
    "first_reply",
    "unanswered",
    "opened_at",
    "answered_at",
    "closed_at",
    "began_at",
    "ended_at",
    "left_at",
    "entered_at",
    "changed_at",
    "made_at",
    "expires_at",
    "seen_at",
    "wakes_at",
    "until_at",
    "idle_since",
    "last_seen",
    "again_at",
    "chosen_at",
    "acked_at",
];

/// Rewrites every instant of a document as RFC 3339 in UTC.
pub fn stamp(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(stamp),
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                match inner.as_i64() {
                    Some(us) if STAMPS.contains(&key.as_str()) => *inner = Wall(us).rfc3339().into(),
                    Some(_) => {}
                    None => stamp(inner),
                }
            }
        }
        _ => {}
    }
}

/// A fact as a document: its place, when, the command behind it, what, and the fields of its kind. The tenant is left out: who
/// reads this belongs to it.
pub fn fact_document(record: &Record) -> Map<String, Value> {
    let mut json = serde_json::to_value(record).unwrap_or_default();
    stamp(&mut json);
    match json {
        Value::Object(mut map) => {
            map.shift_remove("tenant");
            // The course of a leg's sound is long, and asked for by whoever wants to draw it.
            if let Some(Value::Object(quality)) = map.get_mut("quality") {
                quality.shift_remove("spans");
            }
            map
        }
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_leave_the_house_as_text_and_counts_stay_numbers() {
        let mut v = serde_json::json!({"at": 1_795_406_706_000_000i64, "seq": 7, "work": [{"since": 0, "until": null}]});
        stamp(&mut v);
        assert_eq!(v["at"], "2026-11-23T04:05:06.000Z");
        assert_eq!(v["seq"], 7);
        assert_eq!(v["work"][0]["since"], "1970-01-01T00:00:00.000Z");
        assert!(v["work"][0]["until"].is_null());
    }
}

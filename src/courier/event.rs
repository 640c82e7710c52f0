//! An event as it is sent: `{"type", "timestamp", "data"}`, with the fact as the event socket tells it in `data`.

use serde_json::json;

use crate::{
    base::Wall,
    center::{fact::Record, stamp::fact_document},
    store::Webhook,
    webhook::TEST,
};

/// The body of a fact's event. The same fact has the same body however often it is sent.
pub fn body(record: &Record) -> String {
    let data = fact_document(record);
    json!({"type": record.fact.kind(), "timestamp": record.at.rfc3339(), "data": data}).to_string()
}

/// The body of a trial.
pub fn trial(now: Wall) -> String {
    json!({"type": TEST, "timestamp": now.rfc3339(), "data": {"message": "This is a trial by an administrator."}}).to_string()
}

/// The id of an event: the same however often it is sent to this endpoint. Every trial is another one.
pub fn id(hook: &Webhook, seq: u64, now: Wall) -> String {
    match seq {
        0 => format!("trial_{}_{}", hook.uid, now.unix_ms()),
        _ => format!("evt_{}_{seq}", hook.uid),
    }
}

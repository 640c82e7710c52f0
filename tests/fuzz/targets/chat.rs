//! Frames of the web chat: target `chat`.

use ringdesk::channels::webchat::wire::FromVisitor;
use serde_json::Value;

/// The frames a page may send, and the fields of each.
const FRAMES: [(&str, &[&str]); 8] = [
    ("hello", &["token", "since", "interaction"]),
    ("start", &["name", "contact", "lang", "page"]),
    ("message", &["client_id", "body"]),
    ("read", &["seq"]),
    ("typing", &[]),
    ("close", &[]),
    ("ping", &[]),
    ("pong", &[]),
];

/// One text frame.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if FromVisitor::read(text).is_err() {
        return;
    }
    let Ok(Value::Object(fields)) = serde_json::from_str(text) else { panic!("accepted, and no object: {text}") };
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let (_, known) = FRAMES.iter().find(|(k, _)| *k == kind).unwrap_or_else(|| panic!("accepted a {kind:?}"));
    // What comes with a frame that has no fields is not read by anybody.
    let strange = fields.keys().find(|f| *f != "type" && !known.contains(&f.as_str()));
    assert!(known.is_empty() || strange.is_none(), "accepted in a {kind}: {strange:?}");
}

//! The targets for libFuzzer: the same functions that `tests/it/corpus.rs` runs over the corpus.

#[path = "targets/keys.rs"]
mod keys;
mod targets;

#[cfg(feature = "server")]
#[path = "targets/chat.rs"]
mod frames;

pub use keys::{rtp, srtp, stun};
pub use targets::{
    dialog::check as dialog,
    flow::check as flow,
    identity::check as identity,
    message::{check as message, headers, multipart, stream, uri, websocket},
    sdp::check as sdp,
};

#[cfg(feature = "server")]
pub use frames::check as chat;

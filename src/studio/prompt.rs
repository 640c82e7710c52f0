//! What can be played.

use std::{sync::Arc, time::Duration};

/// One thing to be heard.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Prompt {
    /// A WAV file, named relative to the prompt folders; `.wav` may be left out.
    File(Arc<str>),
    /// Words to be spoken.
    Say {
        /// The words.
        text: Arc<str>,
        /// The language, BCP 47.
        lang: Arc<str>,
    },
    /// Nothing, for so long.
    Silence(Duration),
    /// A tone at -12 dBFS.
    Tone {
        /// Hertz.
        hz: u16,
        /// Milliseconds.
        ms: u32,
    },
    /// Music to wait by: a WAV file of this name in the prompt folders. `default` is made in code unless a file has the
    /// name.
    Music(Arc<str>),
}

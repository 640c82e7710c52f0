//! Why there is no speech.

use std::{io, path::PathBuf};

/// Why a text was not spoken. The caller hears a beep instead; the log says this.
#[derive(Debug, thiserror::Error)]
pub enum SpeechError {
    /// The engine is not installed.
    #[error("text to speech needs the program `{}`: install the Debian package `{package}` (apt-get install {package})", program.display())]
    Missing {
        /// What was to be run.
        program: PathBuf,
        /// Where it comes from.
        package: &'static str,
    },
    /// The system would not run the engine.
    #[error("cannot run `{}`", program.display())]
    Run {
        /// What was to be run.
        program: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The engine said no.
    #[error("`{}` failed ({status}): {said}", program.display())]
    Failed {
        /// What was run.
        program: PathBuf,
        /// How it ended.
        status: String,
        /// The beginning of what it complained about.
        said: String,
    },
    /// Not a language tag.
    #[error("`{lang}` is not a language tag like en-US or zh-CN")]
    Language {
        /// What came.
        lang: String,
    },
    /// Nothing to say.
    #[error("there is nothing to say")]
    Empty,
    /// Over [`SPEECH_TEXT_MAX`](crate::base::limits::SPEECH_TEXT_MAX).
    #[error("{chars} characters are too many to say in one piece (at most {})", crate::base::limits::SPEECH_TEXT_MAX)]
    TextTooLong {
        /// How long.
        chars: usize,
    },
    /// Over [`SPEECH_BYTES_MAX`](crate::base::limits::SPEECH_BYTES_MAX).
    #[error("the engine did not stop speaking within {} bytes", crate::base::limits::SPEECH_BYTES_MAX)]
    TooMuchSound,
    /// Not in time.
    #[error("no speech within {} s", crate::base::limits::SPEECH_TIMEOUT.as_secs())]
    Timeout,
    /// What came out is not a WAV file with sound in it.
    #[error("the engine wrote {bytes} bytes that are no sound")]
    NotSound {
        /// How many.
        bytes: usize,
    },
    /// The folder of kept prompts cannot be used.
    #[error("cannot use the folder `{}`", dir.display())]
    Folder {
        /// Which.
        dir: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// We are shutting down.
    #[error("the server is shutting down")]
    Closing,
}

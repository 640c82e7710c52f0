//! Whether talks are recorded, and what the files hold.

use serde::{Deserialize, Serialize};

/// What is recorded when a flow does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// Every conversation with an agent.
    #[default]
    Always,
    /// None.
    Never,
}

/// What the file of a recording holds: two channels at 8 kHz either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordingFormat {
    /// 16 bit samples in WAV: 115 MB an hour, read by everything.
    #[default]
    Wav,
    /// Opus in Ogg (RFC 7845): a tenth of the size, some work of the processor for each call.
    Opus,
}

impl RecordingFormat {
    /// How names of such files end.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Wav => "wav",
            Self::Opus => "ogg",
        }
    }

    /// What the engine is told.
    pub fn wire(self) -> media::wire::RecordFormat {
        match self {
            Self::Wav => media::wire::RecordFormat::Wav,
            Self::Opus => media::wire::RecordFormat::OggOpus,
        }
    }
}

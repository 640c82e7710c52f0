//! Text to speech: words in, sound out, every text made once.
//!
//! The engine is a program of its own that reads text and writes a WAV file; it is never linked (espeak-ng is GPL) and
//! never reached through a shell. What it says is kept under `DATA/tts`, named by the content, so a restart finds it again.
//! Which prompt plays when is the studio's business; what plays when an engine is missing, too.
//!
//! The other way round, speech to words, is [`recognise`].

mod cache;
mod engine;
mod error;
pub mod recognise;

pub use engine::{Engine, voice_for};
pub use error::SpeechError;

use std::{path::PathBuf, sync::Arc};

use media::wire::Clip;
use tokio::sync::Semaphore;

use crate::base::limits;
use cache::Cache;

/// The synthesiser: an engine and the memory of what it has said. Cheap to clone.
#[derive(Debug, Clone)]
pub struct TextToSpeech {
    engine: Arc<Engine>,
    cache: Arc<Cache>,
    gate: Arc<Semaphore>,
}

impl TextToSpeech {
    /// Keeps its files in `dir`, which is made if it is not there.
    pub async fn open(engine: Engine, dir: PathBuf) -> Result<Self, SpeechError> {
        let cache = Arc::new(Cache::open(dir).await?);
        Ok(Self { engine: Arc::new(engine), cache, gate: Arc::new(Semaphore::new(limits::SPEECH_AT_ONCE)) })
    }

    /// Whether the engine can be run at all; says what to install if not. For the start page and the health check.
    pub async fn check(&self) -> Result<(), SpeechError> {
        self.engine.check().await
    }

    /// `text` spoken in the language `lang` (BCP 47: `en-US`, `zh-CN`).
    ///
    /// From the cache when it was said before; a damaged cache file is made again. Gives up after
    /// [`limits::SPEECH_TIMEOUT`], waiting for its turn included.
    pub async fn say(&self, text: &str, lang: &str) -> Result<Clip, SpeechError> {
        let chars = text.chars().count();
        if chars > limits::SPEECH_TEXT_MAX {
            return Err(SpeechError::TextTooLong { chars });
        }
        if text.trim().is_empty() {
            return Err(SpeechError::Empty);
        }
        let voice = voice_for(lang)?;
        let key = cache::key(self.engine.name(), &voice, text);
        if let Some(clip) = self.cache.get(&key).await {
            return Ok(clip);
        }
        let made = tokio::time::timeout(limits::SPEECH_TIMEOUT, async {
            let _turn = self.gate.acquire().await.map_err(|_| SpeechError::Closing)?;
            // Somebody else may have said it while we waited.
            if let Some(clip) = self.cache.get(&key).await {
                return Ok((clip, None));
            }
            let wav = self.engine.synthesise(&voice, text).await?;
            let clip = cache::decode(&wav).ok_or(SpeechError::NotSound { bytes: wav.len() })?;
            Ok((clip, Some(wav)))
        });
        let (clip, wav) = made.await.map_err(|_| SpeechError::Timeout)??;
        if let Some(wav) = wav
            && let Err(e) = self.cache.put(&key, wav).await
        {
            // The caller hears the prompt all the same; it is only made again next time.
            tracing::warn!(error = %e, "a synthesised prompt could not be kept");
        }
        Ok(clip)
    }
}

#[cfg(test)]
mod tests;

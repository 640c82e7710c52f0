//! From a prompt to its clip: the folders of recorded prompts, the synthesiser, tones and music, and the clips in memory.
//!
//! A recorded prompt that is not there fails, since nobody can guess what it should have said. Words nobody can speak become
//! a beep: the caller hears that something was meant to be said and goes on. Music that is not there becomes our own.

use std::{
    fmt,
    future::Future,
    path::{Component, Path, PathBuf},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use media::{tone, wav, wire::Clip};
use tokio::sync::Semaphore;

use super::{
    Prompt,
    lru::{Lru, Slot},
};
use crate::base::{limits, ms};

/// What makes words audible: handed in from the roof, where the rooms `speech` and `studio` meet.
///
/// Takes the text and its language; answers a clip or a sentence saying why not.
pub type Voice = Arc<dyn Fn(Arc<str>, Arc<str>) -> Speaking + Send + Sync>;
/// A clip being spoken.
pub type Speaking = Pin<Box<dyn Future<Output = Result<Clip, String>> + Send>>;

/// How loud a [`Prompt::Tone`] is.
const TONE_DBFS: f64 = -12.0;

/// Why a playback cannot be heard.
#[derive(Debug, thiserror::Error)]
pub enum PromptError {
    /// In none of the folders.
    #[error("there is no prompt `{name}` in {}", folders(dirs))]
    NotFound {
        /// The name.
        name: Arc<str>,
        /// Where we looked.
        dirs: Vec<PathBuf>,
    },
    /// A name that leads out of the folders.
    #[error("`{name}` is not the name of a prompt: expected a path below the prompt folder")]
    BadName {
        /// The name.
        name: Arc<str>,
    },
    /// There, and no use.
    #[error(transparent)]
    Wav(#[from] wav::WavError),
    /// Over [`limits::PROMPTS_PER_PLAY`].
    #[error("{count} prompts are too many for one playback (at most {})", limits::PROMPTS_PER_PLAY)]
    TooMany {
        /// How many.
        count: usize,
    },
    /// Over [`limits::PROMPT_TONE_MAX`].
    #[error("a tone or silence of {asked:?} is too long (at most {:?})", limits::PROMPT_TONE_MAX)]
    TooLong {
        /// How long.
        asked: Duration,
    },
    /// Over [`limits::PROMPT_LOAD_TIMEOUT`].
    #[error("the prompts were not ready within {} s", limits::PROMPT_LOAD_TIMEOUT.as_secs())]
    Timeout,
    /// We are shutting down.
    #[error("the server is shutting down")]
    Closing,
}

/// Where clips come from. Cheap to clone.
#[derive(Clone)]
pub struct Library {
    dirs: Arc<[PathBuf]>,
    voice: Option<Voice>,
    clips: Arc<Mutex<Lru>>,
    gate: Arc<Semaphore>,
}

impl fmt::Debug for Library {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Library").field("dirs", &self.dirs).field("speaks", &self.voice.is_some()).finish_non_exhaustive()
    }
}

impl Library {
    /// Prompts in `dirs`, the first that has a name wins. Without a voice, words are beeps.
    pub fn new(dirs: impl Into<Arc<[PathBuf]>>, voice: Option<Voice>) -> Self {
        let clips = Arc::new(Mutex::new(Lru::new(limits::PROMPT_CACHE_BYTES)));
        Self { dirs: dirs.into(), voice, clips, gate: Arc::new(Semaphore::new(limits::PROMPT_LOADS_AT_ONCE)) }
    }

    /// The clips, if all of them are in memory.
    pub fn at_hand(&self, prompts: &[Prompt]) -> Option<Vec<Arc<Clip>>> {
        let mut clips = self.clips();
        prompts.iter().map(|p| clips.get(p)).collect()
    }

    /// The clips, from wherever they come.
    pub async fn fetch(&self, prompts: &[Prompt]) -> Result<Vec<Arc<Clip>>, PromptError> {
        if prompts.len() > limits::PROMPTS_PER_PLAY {
            return Err(PromptError::TooMany { count: prompts.len() });
        }
        let all = async {
            let mut found = Vec::with_capacity(prompts.len());
            for prompt in prompts {
                found.push(self.clip(prompt).await?);
            }
            Ok(found)
        };
        tokio::time::timeout(limits::PROMPT_LOAD_TIMEOUT, all).await.map_err(|_| PromptError::Timeout)?
    }

    /// Forgets what was read from files.
    pub fn forget(&self) {
        self.clips().forget(|p| matches!(p, Prompt::File(_) | Prompt::Music(_)));
    }

    async fn clip(&self, prompt: &Prompt) -> Result<Arc<Clip>, PromptError> {
        let slot = self.clips().slot(prompt);
        if let Some(clip) = slot.get() {
            return Ok(clip.clone());
        }
        let made = if matches!(prompt, Prompt::Say { .. }) {
            self.fill(&slot, prompt).await
        } else {
            // What is made here is finished even if whoever asked first has hung up meanwhile: on a busy day every caller may
            // leave the queue sooner than its music is ready, and the work would begin anew with each.
            let (it, slot, prompt) = (self.clone(), slot.clone(), prompt.clone());
            let work = tokio::spawn(async move { it.fill(&slot, &prompt).await });
            work.await.unwrap_or(Err(Missing::Prompt(PromptError::Closing)))
        };
        let clip = match made {
            Ok(clip) => clip,
            Err(Missing::Speech) => Arc::new(tone::beep()),
            Err(Missing::Prompt(why)) => return Err(why),
        };
        self.clips().trim();
        Ok(clip)
    }

    async fn fill(&self, slot: &Slot, prompt: &Prompt) -> Result<Arc<Clip>, Missing> {
        let made = slot.get_or_try_init(|| async {
            let _turn = self.gate.acquire().await.map_err(|_| PromptError::Closing)?;
            self.make(prompt).await
        });
        made.await.cloned()
    }

    async fn make(&self, prompt: &Prompt) -> Result<Arc<Clip>, Missing> {
        let clip = match prompt {
            Prompt::File(name) => self.read(name).await?,
            Prompt::Music(name) => match self.read(name).await {
                Ok(clip) => clip,
                Err(why) => {
                    if &**name != "default" {
                        tracing::warn!(music = %name, error = %why, "hold music is not to be had, ours plays instead");
                    }
                    blocking(tone::hold_music).await?
                }
            },
            Prompt::Say { text, lang } => {
                let Some(voice) = &self.voice else { return Err(Missing::Speech) };
                voice(text.clone(), lang.clone()).await.map_err(|why| {
                    tracing::warn!(lang = %lang, error = %why, "words could not be spoken, a beep plays instead");
                    Missing::Speech
                })?
            }
            Prompt::Silence(d) => {
                let d = bounded(*d)?;
                blocking(move || tone::silence(d)).await?
            }
            Prompt::Tone { hz, ms: n } => {
                let (hz, d) = (f64::from(*hz), bounded(ms(u64::from(*n)))?);
                blocking(move || tone::sine(hz, TONE_DBFS, d)).await?
            }
        };
        Ok(Arc::new(clip))
    }

    async fn read(&self, name: &Arc<str>) -> Result<Clip, PromptError> {
        let (dirs, name) = (self.dirs.clone(), name.clone());
        blocking(move || {
            let relative = relative(&name).ok_or_else(|| PromptError::BadName { name: name.clone() })?;
            let found = dirs.iter().map(|d| d.join(&relative)).find(|p| p.is_file());
            let path = found.ok_or_else(|| PromptError::NotFound { name, dirs: dirs.to_vec() })?;
            Ok(wav::read(&path)?)
        })
        .await?
    }

    fn clips(&self) -> MutexGuard<'_, Lru> {
        self.clips.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a slot stays empty.
enum Missing {
    /// There is a stand-in.
    Speech,
    /// There is none.
    Prompt(PromptError),
}

impl From<PromptError> for Missing {
    fn from(why: PromptError) -> Self {
        Missing::Prompt(why)
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, PromptError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| PromptError::Closing)
}

fn bounded(d: Duration) -> Result<Duration, PromptError> {
    if d > limits::PROMPT_TONE_MAX { Err(PromptError::TooLong { asked: d }) } else { Ok(d) }
}

/// The file a name stands for; `None` when it would lead out of the folder it is looked for in.
fn relative(name: &str) -> Option<PathBuf> {
    let path = Path::new(name);
    let plain =
        !name.is_empty() && !name.contains(['\\', '\0']) && path.components().all(|c| matches!(c, Component::Normal(_)));
    plain.then(|| match path.extension() {
        Some(ext) if ext.eq_ignore_ascii_case("wav") => path.to_owned(),
        _ => PathBuf::from(format!("{name}.wav")),
    })
}

fn folders(dirs: &[PathBuf]) -> String {
    if dirs.is_empty() {
        return "any folder: none is configured".into();
    }
    dirs.iter().map(|d| format!("`{}`", d.display())).collect::<Vec<_>>().join(" or ")
}

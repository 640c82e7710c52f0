//! whisper.cpp, inside this process: one state a thread, one thread a recognition.
//!
//! Its own voice detector is not used: it wants whole recordings, and its probability of no speech is always 0 where the
//! prompt has more than one token. How sure it is of what it wrote is the mean probability of the tokens.

mod file;

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, Mutex},
};

use whisper_rs::{
    FullParams, SamplingStrategy, WhisperContext, WhisperContextParameters, WhisperState, WhisperTokenId, get_lang_id,
    get_lang_str, install_logging_hooks,
};

use super::{Gone, Maker, RecogniseError, Words};

/// Samples a second.
const RATE: usize = 16_000;
/// Positions of the encoder for a second of sound.
const POSITIONS: usize = 50;
/// The encoder's cost grows with the length it is told, so it is told one of these, not half a minute for every "yes".
const LENGTHS: [usize; 3] = [256, 512, 1_024];
/// Most tokens written: somebody who speaks fast needs six a second; a model that has lost its way writes for ever.
const TOKENS_A_SECOND: usize = 8;

/// Reads the model, once for all threads.
pub(super) fn load(file: &Path) -> Result<Maker, RecogniseError> {
    // It would tell its life story on standard error.
    install_logging_hooks();
    let broken = || RecogniseError::Broken { file: file.to_path_buf() };
    let unreadable = |e: std::io::Error| RecogniseError::Unreadable { file: file.to_path_buf(), why: e.to_string() };
    if !file::is_whole(file).map_err(unreadable)? {
        return Err(broken());
    }
    let mut parameters = WhisperContextParameters::default();
    parameters.use_gpu(false);
    let context = Arc::new(WhisperContext::new_with_params(file, parameters).map_err(|_| broken())?);
    Ok(Box::new(move || {
        let mut mind = Mind::new(&context)?;
        Ok(Box::new(move |pcm, lang, gone| mind.hear(pcm, lang, gone)))
    }))
}

/// What one thread recognises with.
struct Mind {
    context: Arc<WhisperContext>,
    state: WhisperState,
    /// By language. They are made once: what they hold is never given back by the library.
    params: BTreeMap<String, FullParams<'static, 'static>>,
    /// Of whom it recognises now.
    gone: Arc<Mutex<Gone>>,
    samples: Vec<f32>,
}

impl Mind {
    fn new(context: &Arc<WhisperContext>) -> Result<Mind, RecogniseError> {
        let state = context.create_state().map_err(|e| RecogniseError::Start(e.to_string()))?;
        Ok(Mind { context: context.clone(), state, params: BTreeMap::new(), gone: Arc::default(), samples: Vec::new() })
    }

    fn hear(&mut self, pcm: &[i16], lang: &str, gone: &Gone) -> Result<Option<Words>, RecogniseError> {
        let lang = lang.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        let mut params = self.params(lang)?;
        params.set_audio_ctx(self.length(pcm.len()));
        params.set_max_tokens(i32::try_from(TOKENS_A_SECOND * (1 + pcm.len() / RATE)).unwrap_or(i32::MAX));
        self.samples.clear();
        self.samples.extend(pcm.iter().map(|s| f32::from(*s) / 32_768.0));
        gone.clone_into(&mut self.gone.lock().unwrap_or_else(|e| e.into_inner()));
        let done = self.state.full(params, &self.samples);
        if gone.is_so() {
            return Ok(None);
        }
        done.map_err(|e| RecogniseError::Failed(e.to_string()))?;
        Ok(self.words())
    }

    fn params(&mut self, lang: String) -> Result<FullParams<'static, 'static>, RecogniseError> {
        if let Some(known) = self.params.get(&lang) {
            return Ok(known.clone());
        }
        // Its own name for it lives as long as the program.
        let known = get_lang_id(&lang).and_then(get_lang_str).filter(|l| self.context.is_multilingual() || *l == "en");
        let Some(known) = known else { return Err(RecogniseError::Language(lang)) };
        let mut p = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
        p.set_n_threads(1);
        p.set_language(Some(known));
        p.set_no_context(true);
        p.set_single_segment(true);
        p.set_no_timestamps(true);
        // Trying again at a higher temperature costs as much again, and what comes of it is made up.
        p.set_temperature_inc(0.0);
        p.set_print_special(false);
        p.set_print_progress(false);
        p.set_print_realtime(false);
        p.set_print_timestamps(false);
        let gone = self.gone.clone();
        // Boxed here already: the library boxes it and then takes the box for what was in it.
        let asks: Box<dyn FnMut() -> bool> = Box::new(move || gone.lock().unwrap_or_else(|e| e.into_inner()).is_so());
        p.set_abort_callback_safe::<_, Box<dyn FnMut() -> bool>>(asks);
        self.params.insert(lang, p.clone());
        Ok(p)
    }

    /// What the encoder is told of the length of so many samples.
    fn length(&self, samples: usize) -> i32 {
        let most = self.context.n_audio_ctx();
        let needed = samples * POSITIONS / RATE;
        let told = LENGTHS.into_iter().find(|l| *l >= needed).and_then(|l| i32::try_from(l).ok());
        told.unwrap_or(most).min(most)
    }

    fn words(&self) -> Option<Words> {
        let end: WhisperTokenId = self.context.token_eot();
        let (mut text, mut sure, mut tokens) = (String::new(), 0.0, 0u32);
        for segment in self.state.as_iter() {
            // Half a character at the end of a cut-off text is no reason to lose the rest.
            text.push_str(&segment.to_str_lossy().unwrap_or_default());
            for token in (0..segment.n_tokens()).filter_map(|t| segment.get_token(t)).filter(|t| t.token_id() < end) {
                sure += f64::from(token.token_probability()).max(1e-6).ln();
                tokens += 1;
            }
        }
        let text = spoken(&text);
        let confidence = (sure / f64::from(tokens.max(1))).exp();
        (!text.is_empty()).then(|| Words { text, confidence: (confidence * 100.0).round() / 100.0 })
    }
}

/// Without what the model remarks about sounds: `[BLANK_AUDIO]`, `(coughs)`, `*music*`. Empty when no word is left.
fn spoken(text: &str) -> String {
    let mut out = String::new();
    let mut until = None;
    for c in text.chars() {
        match (until, c) {
            (Some(end), c) if c == end => until = None,
            (Some(_), _) => {}
            (None, '[') => until = Some(']'),
            (None, '(') => until = Some(')'),
            (None, '（') => until = Some('）'),
            (None, '*') => until = Some('*'),
            (None, c) => out.push(c),
        }
    }
    if !out.chars().any(char::is_alphanumeric) {
        return String::new();
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

//! The engines: programs that read text on standard input and write a WAV file on standard output.
//!
//! A new engine is a new variant. The text never touches a command line, so it cannot become an option or a command.

use std::{
    ffi::OsStr,
    io,
    path::{Path, PathBuf},
    process::Stdio,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::Command,
};

use super::SpeechError;
use crate::base::limits;

/// Complaints longer than this are cut.
const COMPLAINT_MAX: u64 = 2_048;

/// What makes the sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// espeak-ng: robotic, small, quick, over a hundred languages.
    EspeakNg {
        /// Where it is; a bare name is looked for in `PATH`.
        program: PathBuf,
    },
}

impl Default for Engine {
    fn default() -> Self {
        Engine::EspeakNg { program: "espeak-ng".into() }
    }
}

/// The engine's voice for a language tag.
///
/// Chinese is read with `cmn-latn-pinyin`: the voice `cmn` of espeak-ng 1.51 spells pinyin out as English letters. English
/// is American unless Britain is asked for. Other languages go by their first subtag, which is how espeak-ng names them.
pub fn voice_for(lang: &str) -> Result<String, SpeechError> {
    let tag = lang.trim().to_ascii_lowercase().replace('_', "-");
    let mut parts = tag.split('-');
    let first = parts.next().unwrap_or_default();
    if !(2..=3).contains(&first.len()) || !tag.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') || tag.len() > 35 {
        return Err(SpeechError::Language { lang: lang.chars().take(35).collect() });
    }
    Ok(match first {
        "zh" if parts.any(|p| p == "hk" || p == "mo") => "yue",
        "zh" | "cmn" => "cmn-latn-pinyin",
        "en" if parts.any(|p| p == "gb" || p == "uk") => "en-gb",
        "en" => "en-us",
        other => other,
    }
    .to_owned())
}

impl Engine {
    /// Its name, a part of the cache key: another engine sounds different.
    pub fn name(&self) -> &'static str {
        match self {
            Engine::EspeakNg { .. } => "espeak-ng",
        }
    }

    fn program(&self) -> &Path {
        match self {
            Engine::EspeakNg { program } => program,
        }
    }

    fn package(&self) -> &'static str {
        match self {
            Engine::EspeakNg { .. } => "espeak-ng",
        }
    }

    /// Whether it can be run.
    pub async fn check(&self) -> Result<(), SpeechError> {
        self.run([OsStr::new("--version")], "").await.map(drop)
    }

    /// Says `text` with `voice`; the bytes are a WAV file as the engine wrote it.
    pub async fn synthesise(&self, voice: &str, text: &str) -> Result<Vec<u8>, SpeechError> {
        match self {
            Engine::EspeakNg { .. } => {
                // `[[` would switch to phoneme input.
                let text = text.replace("[[", "[ [");
                // -b 1: the text is UTF-8. -s 160: words a minute, a little slower than its default, for the telephone.
                let arguments = ["--stdin", "--stdout", "-b", "1", "-s", "160", "-v", voice].map(OsStr::new);
                self.run(arguments, &text).await
            }
        }
    }

    async fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a OsStr>, input: &str) -> Result<Vec<u8>, SpeechError> {
        let program = self.program();
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Dropped on timeout or shutdown, it must not speak on into nowhere.
        let mut child = command.kill_on_drop(true).spawn().map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => SpeechError::Missing { program: program.into(), package: self.package() },
            _ => SpeechError::Run { program: program.into(), source },
        })?;
        let run = |source| SpeechError::Run { program: program.into(), source };
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (Some(mut stdin), Some(stdout), Some(stderr)) = (stdin, stdout, stderr) else {
            return Err(run(io::Error::other("no pipes")));
        };
        let (mut sound, mut said) = (Vec::new(), Vec::new());
        let (mut stdout, mut stderr) = (stdout.take(limits::SPEECH_BYTES_MAX as u64 + 1), stderr.take(COMPLAINT_MAX));
        let write = async {
            // An engine that has seen enough closes its input; what it made of it is judged by its output.
            let _ = stdin.write_all(input.as_bytes()).await;
            drop(stdin);
            Ok(())
        };
        let hear = async {
            stdout.read_to_end(&mut sound).await.map_err(run)?;
            // Returning here ends the wait for the other two, and dropping the child ends the child.
            if sound.len() > limits::SPEECH_BYTES_MAX { Err(SpeechError::TooMuchSound) } else { Ok(()) }
        };
        let complain = async { stderr.read_to_end(&mut said).await.map_err(run).map(drop) };
        tokio::try_join!(write, hear, complain)?;
        let status = child.wait().await.map_err(run)?;
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        // espeak-ng ends with 0 after "voice does not exist", but without a sound.
        if !status.success() || sound.is_empty() {
            return Err(SpeechError::Failed { program: program.into(), status: status.to_string(), said });
        }
        Ok(sound)
    }
}

//! What was said once is kept as a WAV file named by its content.
//!
//! A file is written beside its place and moved there whole. One that does not read as exactly the sound its header
//! promises (a full disk, a crash, a curious hand) is not believed: it is removed and made again.

use std::{
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::SystemTime,
};

use media::wire::Clip;
use sha2::{Digest, Sha256};
use tokio::fs;

use super::SpeechError;
use crate::base::limits;

/// Bytes before the samples in a WAV file with only the two chunks it must have.
const HEADER: usize = 44;

/// The folder.
#[derive(Debug)]
pub struct Cache {
    dir: PathBuf,
    files: AtomicUsize,
    /// Names unfinished files.
    scratch: AtomicU64,
}

/// The file name of a text: SHA-256 over everything that makes it sound as it does.
pub fn key(engine: &str, voice: &str, text: &str) -> String {
    let mut hash = Sha256::new();
    for part in [engine, voice, text] {
        // Lengths first, so that no two different triples run together into the same bytes.
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().map(|b| format!("{b:02x}")).collect()
}

/// The sound of a WAV file; `None` when there is none.
pub fn decode(wav: &[u8]) -> Option<Clip> {
    media::wav::read_bytes("synthesised speech", wav).ok().filter(|clip| !clip.pcm.is_empty())
}

impl Cache {
    pub async fn open(dir: PathBuf) -> Result<Self, SpeechError> {
        let folder = |source| SpeechError::Folder { dir: dir.clone(), source };
        fs::create_dir_all(&dir).await.map_err(folder)?;
        let mut files = 0;
        let mut entries = fs::read_dir(&dir).await.map_err(folder)?;
        while let Some(entry) = entries.next_entry().await.map_err(folder)? {
            if entry.path().extension().is_some_and(|e| e == "part") {
                // Left by a crash; nobody reads it.
                let _ = fs::remove_file(entry.path()).await;
            } else {
                files += 1;
            }
        }
        Ok(Self { dir, files: AtomicUsize::new(files), scratch: AtomicU64::new(0) })
    }

    fn path(&self, key: &str) -> PathBuf {
        self.dir.join(format!("{key}.wav"))
    }

    pub async fn get(&self, key: &str) -> Option<Clip> {
        let path = self.path(key);
        let size = fs::metadata(&path).await.ok()?.len();
        if size <= (limits::SPEECH_BYTES_MAX + HEADER) as u64
            && let Ok(wav) = fs::read(&path).await
            && whole(&wav)
            && let Some(clip) = decode(&wav)
        {
            return Some(clip);
        }
        tracing::warn!(file = %path.display(), "a kept prompt is damaged and is made again");
        if fs::remove_file(&path).await.is_ok() {
            self.files.fetch_sub(1, Ordering::Relaxed);
        }
        None
    }

    pub async fn put(&self, key: &str, mut wav: Vec<u8>) -> io::Result<()> {
        seal(&mut wav);
        let part = self.dir.join(format!("{key}.{}.part", self.scratch.fetch_add(1, Ordering::Relaxed)));
        let path = self.path(key);
        let written = async {
            fs::write(&part, &wav).await?;
            fs::rename(&part, &path).await
        };
        if let Err(e) = written.await {
            let _ = fs::remove_file(&part).await;
            return Err(e);
        }
        if self.files.fetch_add(1, Ordering::Relaxed) + 1 > limits::SPEECH_FILES_MAX {
            self.sweep(limits::SPEECH_FILES_MAX).await?;
        }
        Ok(())
    }

    /// The oldest go until three quarters of `most` are left.
    pub async fn sweep(&self, most: usize) -> io::Result<()> {
        let mut by_age: Vec<(SystemTime, PathBuf)> = Vec::new();
        let mut entries = fs::read_dir(&self.dir).await?;
        while let Some(entry) = entries.next_entry().await? {
            if is_wav(&entry.path()) {
                by_age.push((entry.metadata().await?.modified()?, entry.path()));
            }
        }
        by_age.sort();
        let keep = most / 4 * 3;
        let over = by_age.len().saturating_sub(keep);
        for (_, path) in by_age.drain(..over) {
            fs::remove_file(path).await?;
        }
        self.files.store(by_age.len(), Ordering::Relaxed);
        Ok(())
    }
}

fn is_wav(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "wav")
}

/// Whether the sizes in the header are the sizes of the file.
fn whole(wav: &[u8]) -> bool {
    let size = |at: usize| wav.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]) as usize);
    wav.starts_with(b"RIFF") && size(4).and_then(|n| n.checked_add(8)) == Some(wav.len())
}

/// Puts the true sizes into a header that was written before they were known: into a pipe, espeak-ng promises 2 GB.
fn seal(wav: &mut [u8]) {
    let len = wav.len();
    if len < HEADER || !wav.starts_with(b"RIFF") || &wav[36..40] != b"data" {
        return;
    }
    wav[4..8].copy_from_slice(&u32::try_from(len - 8).unwrap_or(u32::MAX).to_le_bytes());
    wav[40..44].copy_from_slice(&u32::try_from(len - HEADER).unwrap_or(u32::MAX).to_le_bytes());
}

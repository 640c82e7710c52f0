//! Setting right the header of a recording that a crash left behind.

use std::{
    fs::OpenOptions,
    io,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    time::Duration,
};

use super::{FRAME_BYTES, HEADER_BYTES, duration, header};

/// Why a file cannot be repaired.
#[derive(Debug, thiserror::Error)]
pub enum RepairError {
    /// Not one of ours: left alone.
    #[error("{path}: not a recording of ours (expected a two-channel 16 bit 8 kHz WAV file): left as it is")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// Cannot be read or written.
    #[error("{path}: the recording cannot be repaired")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
}

/// Make the header of a recording say what the file holds, and cut half a sample off its end. How long it plays.
///
/// A file cut inside its header becomes an empty recording. Doing it twice changes nothing.
pub fn repair(path: &Path) -> Result<Duration, RepairError> {
    let fail = |source| RepairError::Io { path: path.into(), source };
    let file = OpenOptions::new().read(true).write(true).open(path).map_err(fail)?;
    let length = file.metadata().map_err(fail)?.len();
    let mut found = [0; HEADER_BYTES];
    let there = length.min(HEADER_BYTES as u64) as usize;
    file.read_exact_at(&mut found[..there], 0).map_err(fail)?;
    // Everything but the two sizes is the same in each of our files.
    let ours = header(0);
    let fixed = |i: &usize| !(4..8).contains(i) && !(40..44).contains(i);
    if (0..there).filter(fixed).any(|i| found[i] != ours[i]) {
        return Err(RepairError::Foreign { path: path.into() });
    }
    let frames = length.saturating_sub(HEADER_BYTES as u64) / FRAME_BYTES;
    let (right, size) = (header(frames), HEADER_BYTES as u64 + frames * FRAME_BYTES);
    if found != right {
        file.write_all_at(&right, 0).map_err(fail)?;
    }
    if size != length {
        file.set_len(size).map_err(fail)?;
    }
    file.sync_data().map_err(fail)?;
    Ok(duration(frames))
}

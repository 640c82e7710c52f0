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
    #[error("{path}: not a recording of ours (expected a two-channel 16 bit 8 kHz WAV file, or Opus in Ogg): left as it is")]
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
    #[cfg(feature = "opus")]
    {
        let mut magic = [0; 4];
        let there = length.min(4) as usize;
        file.read_exact_at(&mut magic[..there], 0).map_err(fail)?;
        let named = || path.extension().is_some_and(|e| e == "opus" || e == "ogg");
        // Of less than four bytes only the name tells.
        if b"OggS".starts_with(&magic[..there]) && (there == 4 || named()) {
            return repair_ogg(&file, length).map_err(fail);
        }
    }
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

/// Cut off what is no whole page. How long the rest plays.
#[cfg(feature = "opus")]
fn repair_ogg(file: &std::fs::File, length: u64) -> io::Result<Duration> {
    use super::ogg::{PAGE_HEADER, crc, samples};
    let (mut whole, mut granule) = (0, 0);
    let mut page = Vec::new();
    while whole + PAGE_HEADER as u64 <= length {
        page.resize(PAGE_HEADER, 0);
        file.read_exact_at(&mut page, whole)?;
        let table = usize::from(page[PAGE_HEADER - 1]);
        if !page.starts_with(b"OggS") || whole + (PAGE_HEADER + table) as u64 > length {
            break;
        }
        page.resize(PAGE_HEADER + table, 0);
        file.read_exact_at(&mut page[PAGE_HEADER..], whole + PAGE_HEADER as u64)?;
        let body: usize = page[PAGE_HEADER..].iter().map(|n| usize::from(*n)).sum();
        let start = page.len();
        if whole + (start + body) as u64 > length {
            break;
        }
        page.resize(start + body, 0);
        file.read_exact_at(&mut page[start..], whole + start as u64)?;
        let said = u32::from_le_bytes([page[22], page[23], page[24], page[25]]);
        page[22..26].fill(0);
        if crc(&page) != said {
            break;
        }
        granule = u64::from_le_bytes(page[6..14].try_into().expect("eight bytes"));
        whole += page.len() as u64;
    }
    if whole != length {
        file.set_len(whole)?;
    }
    file.sync_data()?;
    Ok(duration(samples(granule)))
}
